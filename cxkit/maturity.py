"""How far is the company by the checklists of the field, and where do those who answered see it differently?"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.checklists import SCALE, VOICES, finding_key
from cxkit.estimates import Estimate, holm_levels
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROUNDED = 1 / 12  # the variance of rounding to whole steps: people who all say 3 may still differ by so much
EVEN_SPREAD = ((SCALE[1] - SCALE[0] + 1) ** 2 - 1) / 12  # the variance where every answer is as likely as any other
EARLY, WITHHELD, UNANSWERED = "too early to say", "withheld", "unanswered"
STAFF_MORE, CUSTOMERS_MORE, NOT_COMPARED = "employees see more", "customers see more", "not compared"
METHOD = "Welch's t"
MOST_SHOWN = 18  # rows of a picture
MARKS = {"customer": ("o", "C0"), "partner": ("D", GREY), "employee": ("s", INK)}
SCORES = ["item", "voice", "n", "mean", "low", "high", "sd", "error", "withheld", "level", "method"]


def scores(answers: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How each group scored each item, one row an item and voice, whether it was answered or not.

    From: the workshop's sheet `checklist` (item, score 0 to 4, voice), `checklists.read_checklists`. To, in the order
    of the checklists: item, voice, n (answers), mean with low and high, sd, error, withheld, level, method.
    Fewer than 5 answers are withheld: their numbers, n too, are missing. No number over all voices is told from which
    they could be worked out. The sheet names no people, so that n is answers, one a person where each answers once.
    What is left out: answers to what is no item (the sheet's check refuses them).
    Few people agree by chance, and then seem certain: so the error's variance is never below the voice's mean variance
    over its items, nor below that of rounding to whole steps (1/12).
    Source: Student (1908), Biometrika 6(1), 1-25; Sheppard (1898), Proceedings of the London Mathematical Society 29,
    353-380 (rounding).
    """
    from scipy.special import stdtrit

    told = answers[answers["score"].notna()].sort_values(["item", "voice", "score"])  # a sum's last digits by its order
    found = told.groupby(["item", "voice"])["score"].agg(n="size", mean="mean", variance="var")
    every = pd.MultiIndex.from_product([items["item"], VOICES], names=["item", "voice"])
    frame = found.reindex(every).reset_index()
    frame["n"] = frame["n"].fillna(0.0)
    few = frame["n"].between(1, LEAST_SHOWN - 1)
    frame["sd"] = np.sqrt(frame["variance"])
    usual = frame["variance"].where(frame["n"] >= LEAST_SHOWN).groupby(frame["voice"]).transform("mean")
    frame["error"] = np.sqrt(np.fmax(frame["variance"], usual).clip(lower=ROUNDED) / frame["n"])
    half = stdtrit(np.maximum(frame["n"] - 1, 1), (1 + level) / 2) * frame["error"]
    frame["low"] = (frame["mean"] - half).clip(lower=SCALE[0])
    frame["high"] = (frame["mean"] + half).clip(upper=SCALE[1])
    numbers = ["n", "mean", "low", "high", "sd", "error"]
    frame[numbers] = frame[numbers].mask(few)
    return frame.assign(withheld=few, level=level, method="Student's t")[SCORES]


def gaps(scores: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What employees see more than customers, item by item: their mean score less that of customers.

    From: `scores`. To, the largest first: item, employee, customer, gap (steps of the scale) with low and high, n
    (both), level (the item's own), method, verdict (employees see more, customers see more, too early to say). All
    items that both scored are judged together (Holm).
    What is left out: items that one of them did not score, or of which a score is withheld.
    Source: Welch (1947), Biometrika 34(1/2), 28-35; Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    staff, customers = _voice(scores, "employee"), _voice(scores, "customer")
    both = staff.index[staff["mean"].notna() & customers["mean"].notna()]
    staff, customers = staff.loc[both], customers.loc[both]
    gap = (staff["mean"] - customers["mean"]).to_numpy(dtype=float)
    squares = np.column_stack([staff["error"], customers["error"]]).astype(float) ** 2
    freedom = np.column_stack([staff["n"] - 1, customers["n"] - 1]).astype(float)
    low, high, levels = _judged(gap, squares, freedom, level=level)
    frame = pd.DataFrame(
        {
            "item": both, "employee": staff["mean"].to_numpy(), "customer": customers["mean"].to_numpy(), "gap": gap,
            "low": low, "high": high, "n": (staff["n"] + customers["n"]).to_numpy().astype("int64"), "level": levels,
            "method": METHOD, "verdict": np.select([low > 0, high < 0], [STAFF_MORE, CUSTOMERS_MORE], EARLY),
        }
    )  # fmt: skip
    return _by_size(frame, "gap")


def standing(scores: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How each item stands against the client's other items, each voice compared with itself.

    From: `scores`. To, the lowest first: item, mean and others (its mean score and that of the others), value (the
    difference, steps of the scale) with low and high, n, voices (who scored it, as customers, employees), level (the
    item's own), method, verdict (strength, weakness, too early to say).
    value is the mean, over the voices that scored the item, of the voice's score less its mean score of all others: so
    a voice that scores everything low lowers no item. All items are judged together (Holm).
    What is left out: withheld scores; voices that scored one item alone. What it takes for granted: answers to
    different items are independent; the same people being mild or strict throughout makes it more careful, not less.
    Source: Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114 (the degrees of freedom); Holm (1979), as `gaps`.
    """
    shown = scores[scores["mean"].notna()]
    shown = shown[shown.groupby("voice")["item"].transform("size") > 1]
    by = shown.groupby("voice")
    others = by["mean"].transform("size") - 1
    square = shown["error"] ** 2
    rest = (square.groupby(shown["voice"]).transform("sum") - square) / others**2
    apart = shown["mean"] - (by["mean"].transform("sum") - shown["mean"]) / others
    # what the others add to the error rests on all their answers
    loose = (by["n"].transform("sum") - shown["n"] - others).clip(lower=1)
    cells = shown.assign(apart=apart, square=square, rest=rest, loose=loose)
    order = [item for item in dict.fromkeys(scores["item"]) if (cells["item"] == item).any()]
    rows = [cells[cells["item"] == item] for item in order]
    value, mean = (np.array([row[name].mean() for row in rows], dtype=float) for name in ("apart", "mean"))
    wide = 2 * len(VOICES)
    squares, freedom = np.zeros((len(rows), wide)), np.ones((len(rows), wide))
    for place, row in enumerate(rows):
        size = len(row)
        squares[place, : 2 * size] = np.concatenate([row["square"], row["rest"]]) / size**2
        freedom[place, : 2 * size] = np.concatenate([row["n"] - 1, row["loose"]])
    low, high, levels = _judged(value, squares, freedom, level=level)
    frame = pd.DataFrame(
        {
            "item": order, "mean": mean, "others": mean - value, "value": value, "low": low, "high": high,
            "n": [int(row["n"].sum()) for row in rows],
            "voices": [", ".join(f"{voice}s" for voice in row["voice"]) for row in rows],
            "level": levels, "method": METHOD,
            "verdict": np.select([high < 0, low > 0], ["weakness", "strength"], EARLY),
        }
    ).astype({"n": "int64"})  # fmt: skip
    return _by_size(frame, "value", lowest=True)


def _judged(value: np.ndarray, squares: np.ndarray, freedom: np.ndarray, *, level: float) -> tuple:
    """Ends and levels of many differences judged together against 0, from the parts of their variances."""
    from scipy.special import stdtr, stdtrit

    total = squares.sum(axis=1)
    loose = total**2 / (squares**2 / freedom).sum(axis=1) if len(value) else total
    error = np.sqrt(total)
    levels = holm_levels(2 * stdtr(loose, -np.abs(value) / error), level=level)
    half = stdtrit(loose, (1 + levels) / 2) * error
    return value - half, value + half, levels


def _by_size(frame: pd.DataFrame, column: str, *, lowest: bool = False) -> pd.DataFrame:
    """Rows by a column, its last digits aside; equal ones by item."""
    size = frame[column].round(9)
    ordered = frame.assign(size=size if lowest else -size).sort_values(["size", "item"], ignore_index=True)
    return ordered.drop(columns="size")


def _voice(scores: pd.DataFrame, voice: str) -> pd.DataFrame:
    return scores[scores["voice"] == voice].set_index("item")


def agreement(scores: pd.DataFrame) -> pd.DataFrame:
    """How far those who answered agree: between the voices, and among the people of one voice.

    From: `scores`. To, the widest spread first: item, spread (the highest voice's mean less the lowest's, missing with
    one voice), highest, lowest (voices, missing with one), agreement (1: all people of a voice say the same; 0: as
    spread as if every answer were as likely as any other; the mean over the voices). What is left out: what is
    withheld.
    Source: James, Demaree & Wolf (1984), Journal of Applied Psychology 69(1), 85-98 (r_WG, negative ones set to 0).
    """
    shown = scores[scores["mean"].notna()].copy()
    shown["same"] = (1 - shown["sd"] ** 2 / EVEN_SPREAD).clip(lower=0)
    shown = shown.sort_values(["item", "mean", "voice"], kind="stable")
    by = shown.groupby("item", sort=False)
    frame = by.agg(lowest=("voice", "first"), highest=("voice", "last"), agreement=("same", "mean"))
    frame["spread"] = (by["mean"].last() - by["mean"].first()).where(by.size() > 1)
    frame[["highest", "lowest"]] = frame[["highest", "lowest"]].astype(object).where(by.size() > 1, None)
    frame = frame.reset_index()[["item", "spread", "highest", "lowest", "agreement"]]
    return _by_size(frame.assign(known=frame["spread"].fillna(-1.0)), "known").drop(columns="known")


def item_table(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Every item with what was said of it, in the order of the checklists.

    From: `scores`, `read_checklists`. To: item, list, text, origin, customer, partner, employee (means, missing where
    withheld or unanswered), n (answers shown), gap (employees less customers), verdict (against the other items; or
    withheld, unanswered), gap_verdict, spread, agreement, name, list_name, sphere, literature, finding (ids of what was
    found of it, comma-separated).
    """
    means = scores.pivot(index="item", columns="voice", values="mean").reindex(columns=list(VOICES))
    frame = items[["item", "list", "text", "origin"]].merge(means, on="item", how="left")
    frame["n"] = frame["item"].map(scores.groupby("item")["n"].sum()).astype("int64")
    apart = gaps(scores, level=level).set_index("item")
    stand = standing(scores, level=level).set_index("item")
    same = agreement(scores).set_index("item")
    frame["gap"] = frame["item"].map(apart["gap"])
    kept = frame["item"].isin(scores.loc[scores["withheld"], "item"])
    without = np.select([frame["n"] > 0, kept], [EARLY, WITHHELD], UNANSWERED)
    frame["verdict"] = (
        frame["item"].map(stand["verdict"]).astype(object).where(frame["item"].isin(stand.index), without)
    )
    wide = frame["item"].isin(apart.index)
    frame["gap_verdict"] = frame["item"].map(apart["verdict"]).astype(object).where(wide, NOT_COMPARED)
    frame["spread"], frame["agreement"] = frame["item"].map(same["spread"]), frame["item"].map(same["agreement"])
    more = items.set_index("item")[["name", "list_name", "sphere", "literature"]]
    frame = frame.join(more, on="item")
    found = np.where(frame["verdict"].isin(["strength", "weakness"]), "maturity.item." + _keys(frame["item"]), "")
    wide = np.where(frame["gap_verdict"].isin([STAFF_MORE, CUSTOMERS_MORE]), "maturity.gap." + _keys(frame["item"]), "")
    return frame.assign(finding=[", ".join(filter(None, both)) for both in zip(found, wide, strict=True)])


def _keys(items: pd.Series) -> pd.Series:
    return items.map(finding_key)


def named(frame: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """A frame of items with their name and list_name behind the item. From: a frame with item, `read_checklists`."""
    told = frame.merge(items[["item", "name", "list_name"]], on="item", how="left")
    return told[["item", "name", "list_name", *frame.columns.drop("item")]]


def item_findings(standing: pd.DataFrame, items: pd.DataFrame) -> list[Finding]:
    """maturity.item.<item>: items certain to stand below or above the client's others. From: `standing`."""
    known, family = items.set_index("item"), len(standing)
    ends = {"weakness": standing["item"].iloc[:1], "strength": standing["item"].iloc[-1:]}
    found = []
    for row in standing[standing["verdict"] != EARLY].itertuples():
        item = known.loc[row.item]
        place = (
            f"{'' if row.item in set(ends[row.verdict]) else 'among '}the {'least' if row.value < 0 else 'most'} done"
        )
        found.append(
            Finding(
                id=f"maturity.item.{finding_key(row.item)}",
                claim=f"{_titled(item)} is {place} of {family} items: {_and(row.voices)} give it "
                f"{_points(row.mean)} of {SCALE[1]}, the others {_points(row.others)}, a difference of {{value}} "
                "({interval}).",
                estimate=_steps(row, row.value, family),
                label=f"“{item['name']}” beside the other items",
                target=0.0,
                target_source="the client's other items",
                evidence=("items",),
                action=f"Look at what there is: {item['evidence']}." if row.value < 0 else "",
            )
        )
    return found


def gap_findings(gaps: pd.DataFrame, items: pd.DataFrame) -> list[Finding]:
    """maturity.gap.<item>: items that employees and customers certainly see differently. From: `gaps`."""
    known, family = items.set_index("item"), len(gaps)
    found = []
    for row in gaps[gaps["verdict"] != EARLY].itertuples():
        item = known.loc[row.item]
        found.append(
            Finding(
                id=f"maturity.gap.{finding_key(row.item)}",
                claim=f"{_titled(item)}: employees give it {_points(row.employee)} of {SCALE[1]}, "
                f"customers {_points(row.customer)}, a difference of {{value}} ({{interval}}).",
                estimate=_steps(row, row.gap, family),
                label=f"“{item['name']}” as employees see it, beside customers",
                target=0.0,
                target_source="customers and employees seeing the same",
                higher_is_better=False,  # staff who think more of it than customers do not see what is wrong
                evidence=("items",),
                action=f"Show employees what customers see: {item['evidence']}."
                if row.gap > 0
                else "Tell employees what customers value here.",
            )
        )
    return found


def _titled(item: pd.Series) -> str:
    return f"“{item['name']}” ({item['list_name']})"


def _and(voices: str) -> str:
    """`customers, partners, employees` as a sentence says it."""
    return " and ".join(voices.rsplit(", ", 1))


def _points(value: float) -> str:
    return f"{value:.1f}"


def _steps(row: tuple, value: float, family: int) -> Estimate:
    method = f"{row.method}; {family} items judged together (Holm)"
    return Estimate(float(value), float(row.low), float(row.high), int(row.n), "points", float(row.level), method)


def sentences(gaps: pd.DataFrame, standing: pd.DataFrame, items: pd.DataFrame) -> list[str]:
    """The answer in words: the lowest and the highest items, and where employees and customers differ."""
    if not len(standing):
        return ["Which items are done least is too early to say: a voice must have scored two of them at least."]
    name = items.set_index("item")["name"]
    told = []
    for verdict, word in (("weakness", "Least"), ("strength", "Most")):
        rows = standing[standing["verdict"] == verdict]
        rows = rows if verdict == "weakness" else rows[::-1]
        parts = [
            f"“{name[row.item]}” {_points(row.mean)} of {SCALE[1]}, the others {_points(row.others)} (difference "
            f"{_signed(row.value)}, {_ends(row)})"
            for row in rows.itertuples()
        ]
        told += [f"{word} done, of {len(standing)} items: {_first_three(parts)}."] if parts else []
    if not told:
        told.append("No item is told apart from the others.")
    if not len(gaps):
        return [*told, "Employees and customers cannot be compared: no item has five answers of each."]
    for verdict, one, two in ((STAFF_MORE, "employee", "customer"), (CUSTOMERS_MORE, "customer", "employee")):
        rows = gaps[gaps["verdict"] == verdict]
        rows = rows if verdict == STAFF_MORE else rows[::-1]
        parts = [
            f"“{name[row['item']]}”, {one}s {_points(row[one])} of {SCALE[1]}, {two}s {_points(row[two])} (difference "
            f"{_signed(row['gap'])}, {format_ends(row['low'], row['high'], 'points')})"
            for row in rows.to_dict("records")
        ]
        told += [f"{one.title()}s see more than {two}s: {_first_three(parts)}."] if parts else []
    if not gaps["verdict"].isin([STAFF_MORE, CUSTOMERS_MORE]).any():
        told.append("Employees and customers are not told apart on any item.")
    return told


def _first_three(parts: list[str]) -> str:
    return "; ".join(parts[:3]) + (f"; and {len(parts) - 3} more" if len(parts) > 3 else "")


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + format_value(value, "points")


def _ends(row: tuple) -> str:
    return format_ends(row.low, row.high, "points")


def shown_items(scores: pd.DataFrame, *, most: int = MOST_SHOWN) -> list[str]:
    """The items of the picture, by gap; where employees and customers are not both known, by their mean, lowest first.

    Of more than `most` those whose gap is largest in size, then those that are scored lowest.
    """
    means = scores[scores["mean"].notna()].groupby("item", sort=False)["mean"].mean().round(9)
    gap = gaps(scores).set_index("item")["gap"].round(9).reindex(means.index)
    order = pd.DataFrame({"gap": gap, "size": gap.abs(), "mean": means, "item": means.index}).reset_index(drop=True)
    kept = order.sort_values(["size", "mean", "item"], ascending=[False, True, True], na_position="last").head(most)
    kept = kept.sort_values(["gap", "mean", "item"], ascending=[False, True, True], na_position="last")
    return kept["item"].tolist()


def plot_items(scores: pd.DataFrame, items: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Each item's mean score by voice with its interval, the items sorted by how much employees see above customers."""
    import matplotlib.pyplot as plt

    order = shown_items(scores)
    ax = plt.subplots(figsize=(7.2, 0.44 * max(len(order), 2) + 1.8))[1] if ax is None else ax
    ax.set_title("How far it is done, by who says so", pad=26 if order else 10)
    if not order:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "too few answers to show", ha="center", va="center", color=GREY, transform=ax.transAxes)
        return ax
    apart = gaps(scores).set_index("item")
    voices = [voice for voice in VOICES if scores.loc[scores["voice"] == voice, "mean"].notna().any()]
    for voice, shift in zip(voices, np.linspace(-0.22, 0.22, len(voices)) if len(voices) > 1 else [0.0], strict=True):
        mark, colour = MARKS[voice]
        rows = _voice(scores, voice).reindex(order)
        y = np.arange(len(order)) + shift
        ax.hlines(y, rows["low"], rows["high"], color=colour, linewidth=1.1, alpha=0.7)
        ax.plot(rows["mean"], y, mark, color=colour, markersize=5.5, label=f"{voice}s",
                markerfacecolor="white" if voice == "partner" else colour)  # fmt: skip
    for y, item in enumerate(order):
        if item in apart.index:
            sure = apart["verdict"][item] != EARLY
            ax.annotate(_signed(apart["gap"][item]), (1.02, y), xycoords=("axes fraction", "data"), va="center",
                        weight="bold" if sure else "normal", color=INK if sure else GREY)  # fmt: skip
    if len(apart):
        ax.annotate("gap", (1.02, -0.85), xycoords=("axes fraction", "data"), va="center", color=GREY)
    names = items.set_index("item")
    ax.set_yticks(range(len(order)), [folded_text(names["name"][item], width=28) for item in order])
    left = scores.loc[scores["mean"].notna(), "item"].nunique() - len(order)
    more = f"\n{left} more item{'s' * (left != 1)} in the table" if left else ""
    ax.set(ylim=(len(order) - 0.4, -0.6), xlim=(SCALE[0] - 0.08, SCALE[1] + 0.08), xticks=range(SCALE[1] + 1),
           xlabel=f"0 not at all, 4 fully{more}")  # fmt: skip
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, handletextpad=0.2, borderaxespad=0.2)
    return ax


def describe_items(scores: pd.DataFrame, items: pd.DataFrame) -> str:
    """What `plot_items` shows, for those who cannot see it."""
    told = sentences(gaps(scores), standing(scores), items)
    voices = [f"{v}s" for v in VOICES if scores.loc[scores["voice"] == v, "mean"].notna().any()]
    who = ", ".join(voices)
    if not who:
        return "Too few answers to show any item."
    return f"Items of the checklists with the mean scores of {who} from 0 to 4. {' '.join(told)}"
