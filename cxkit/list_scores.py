"""How far is the company as a whole, and by each checklist?"""

import numpy as np
import pandas as pd

from cxkit.checklists import SCALE, VOICES
from cxkit.estimates import holm_levels
from cxkit.spheres import read_spheres
from cxkit.style import format_ends, format_value

ALL = "all items"
CHECKLISTS, ELEMENTS = "Checklists", "The five elements"
STAFF = "employee"  # who knows how work is done: nobody else is asked about its qualities
NONE = "–"
EARLY = "too early to say"
NUMBERS = ("mean", "low", "high")
NO_QUALITIES = "Nobody was asked, or too few answered."


def list_scores(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How each voice scored all items together, each checklist, and each of the five elements.

    From: `scores`, `read_checklists`. To, all items first, then in the order of the checklists: part, voice, items
    (that the voice scored), n (answers), mean (each item counting the same) with low and high, level, method.
    The same people answer many items and the sheet does not say who: the error is the mean of the items' errors, the
    largest that any such dependence can make.
    What is left out: withheld scores. What it cannot show: voices that answered different items are not to be compared.
    Source: S2d (the five elements); Student (1908), as `scores`.
    """
    from scipy.special import stdtrit

    both = _parts(scores, items)
    order = {"part": list(dict.fromkeys(both["part"])), "voice": list(VOICES)}
    by = both.groupby(["part", "voice"], sort=False)
    frame = by.agg(
        items=("item", "size"), n=("n", "sum"), people=("n", "max"), mean=("mean", "mean"), error=("error", "mean")
    )
    half = stdtrit(frame["people"] - 1, (1 + level) / 2) * frame["error"]
    frame["low"], frame["high"] = (frame["mean"] - half).clip(SCALE[0]), (frame["mean"] + half).clip(upper=SCALE[1])
    frame = frame.reset_index().assign(level=level, method="widest for any dependence, Student's t")
    frame = frame.sort_values(
        ["part", "voice"], key=lambda column: column.map(order[column.name].index), ignore_index=True
    )
    return frame.astype({"n": "int64"}).drop(columns=["people", "error"])


def _parts(scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The scores that may be shown, once for all items and once for the part of the checklists that each belongs to."""
    told = scores[scores["mean"].notna()].merge(items[["item", "list", "list_name", "sphere"]], on="item")
    element = told["list_name"] + ": " + told["sphere"]
    told["part"] = told["list_name"].where(told["list"] != "elements", element)
    return pd.concat([told.assign(part=ALL), told], ignore_index=True)


def same_items(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Employees' mean scores less customers', of all items and part by part, over the items that both scored.

    From: `scores`, `read_checklists`. To, in the order of `list_scores`: part, items (that both scored), employee and
    customer (their means), gap with low and high, level (each taken by itself), method. Each voice's error is as wide
    as any overlap of its people makes it; the two are different people.
    What is left out: withheld scores; parts without an item that both scored.
    Source: Student (1908), as `scores`; the freedom is that of the smaller group, which is the more careful.
    """
    from scipy.special import stdtrit

    told = _parts(scores, items)
    wide = told.pivot(index=["part", "item"], columns="voice", values=["mean", "error", "n"])
    wide = wide.reindex(columns=pd.MultiIndex.from_product([["mean", "error", "n"], ["customer", STAFF]]))
    both = wide.astype(float).dropna()
    rows = []
    for part in dict.fromkeys(told["part"]):
        if part in both.index.get_level_values("part"):
            own = both.loc[part]
            mean, error, most = own["mean"].mean(), own["error"].mean(), own["n"].max()
            half = float(stdtrit(most.min() - 1, (1 + level) / 2) * np.hypot(error["customer"], error[STAFF]))
            gap = float(mean[STAFF] - mean["customer"])
            rows.append((part, len(own), mean[STAFF], mean["customer"], gap, gap - half, gap + half, level))
    columns = ["part", "items", STAFF, "customer", "gap", "low", "high", "level"]
    frame = pd.DataFrame(rows, columns=columns).astype({"items": "int64"})
    return frame.assign(method="widest for any dependence, Student's t")


def overall_sentences(list_scores: pd.DataFrame, same: pd.DataFrame) -> list[str]:
    """How far it all is by each voice, and by employees and customers on the same items, in words.

    From: `list_scores`, `same_items`.
    """
    rows = list_scores[list_scores["part"] == ALL]
    if not len(rows):
        return ["How far the company is cannot be told: no item has five answers of one voice."]
    parts = []
    for row in rows.itertuples():
        ends = format_ends(row.low, row.high, "points")
        parts.append(f"{row.voice}s {format_value(row.mean, 'points')} ({ends}; {_items(row.items)})")
    told = [f"Of 0 (not at all) to 4 (fully) the mean score is: {', '.join(parts)}."]
    for row in same[same["part"] == ALL].to_dict("records"):
        apart = "are not told apart" if row["low"] <= 0 <= row["high"] else "differ"
        told.append(
            f"On the {_items(row['items'])} that employees and customers both scored they {apart} as a whole: "
            f"employees {format_value(row[STAFF], 'points')}, customers {format_value(row['customer'], 'points')} "
            f"(difference {_signed(row['gap'])}, {format_ends(row['low'], row['high'], 'points')})."
        )
    return told


def _items(count: int) -> str:
    return f"{count} item{'s' * (count != 1)}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + format_value(value, "points")


def side_by_side(list_scores: pd.DataFrame, same: pd.DataFrame) -> pd.DataFrame:
    """The checklists and the five elements with the voices beside each other.

    From: `list_scores`, `same_items`. To, in its order: about (the checklists, or the five elements), part (an element
    as `spheres.yml` names it), customer, partner, employee (as a reader sees them: the mean with its interval and the
    items that the voice scored, a dash where it scored none), same (employees less customers on the items that both
    scored), and in full customer_mean, customer_low, customer_high, and so on.
    """
    counts = [f"; {_items(count)}" for count in list_scores["items"]]
    wide = _beside(list_scores.assign(more=counts), "part")
    told = {
        row["part"]: f"{_signed(row['gap'])} ({format_ends(row['low'], row['high'], 'points')}; {_items(row['items'])})"
        for row in same.to_dict("records")
    }
    wide.insert(1 + len(VOICES), "same", wide["part"].map(told).astype(object).fillna(NONE))
    element = wide["part"].map(lambda part: ": " in part).astype(bool)
    names = read_spheres().set_index("sphere")["name"].to_dict()
    ends = wide["part"].map(lambda part: part.rpartition(": ")[2])
    wide["part"] = ends.where(~element, ends.map(lambda part: names.get(part, part)))
    wide.insert(0, "about", np.where(element, ELEMENTS, CHECKLISTS))
    return wide.sort_values("about", kind="stable", ignore_index=True)


def item_scores(scores: pd.DataFrame, items: pd.DataFrame, *, lists: tuple[str, ...]) -> pd.DataFrame:
    """Each item of some checklists with the voices beside each other.

    From: `scores`, `read_checklists`; the lists' keys. To, in the order of the checklists: list_name, item, name,
    customer, partner, employee and their numbers (as `side_by_side`).
    What is left out: items that nobody scored (shown).
    """
    shown = scores[scores["mean"].notna()]
    known = items[items["list"].isin(lists) & items["item"].isin(shown["item"])]
    return known[["list_name", "item", "name"]].merge(_beside(shown, "item"), on="item")


def _beside(rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """One row for each of `key` in order: the voices' numbers as texts and in full."""
    order = list(dict.fromkeys(rows[key]))
    told = rows if "more" in rows else rows.assign(more="")
    told = told.assign(text=[_cell(row) + f"{row.more})" for row in told.itertuples()])
    wide = pd.DataFrame({key: order}, dtype=object)
    for voice in VOICES:
        wide[voice] = wide[key].map(told[told["voice"] == voice].set_index(key)["text"]).astype(object).fillna(NONE)
    for voice in VOICES:
        own = told[told["voice"] == voice].set_index(key)
        for number in NUMBERS:
            wide[f"{voice}_{number}"] = wide[key].map(own[number]).astype(float)
    return wide


def _cell(row: tuple) -> str:
    """A mean with its interval, its bracket still open."""
    return f"{row.mean:.1f} ({row.low:.1f}–{row.high:.1f}"


def met_sentence(met: pd.DataFrame, standing: pd.DataFrame) -> str:
    """Which of some items are told apart from the client's other items. From: `item_scores`, `maturity.standing`."""
    verdict = standing.set_index("item")["verdict"].reindex(met["item"]).to_numpy()
    parts = []
    for word, place in (("weakness", "below"), ("strength", "above")):
        names = [f"“{name}”" for name in met["name"][verdict == word]]
        parts += [f"{', '.join(names)} {place} them"] if names else []
    if not parts:
        return f"None of these {_items(len(met))} is told apart from the client's other items."
    return f"Of these {_items(len(met))}, told apart from the client's other items: {'; '.join(parts)}."


def qualities(scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """How far each step of the service is done, and whether it is standardised, measurable and reproducible.

    From: `scores`, `read_checklists` (part_of: the step of which an item asks a quality). To, in the order of the
    checklist: item, name, done, and one column a quality (employees' mean scores with their intervals, as a reader sees
    them, a dash where nobody is shown), people (the most answers that one item of the step has: so many people at least
    gave them), n (answers), and in full done_mean, done_low, done_high, and so on.
    What is left out: other voices, who do not see how work is done; steps that employees did not score (shown).
    Source: S4 (a service of quality is standardised, measurable, reproducible).
    """
    staff = scores[(scores["voice"] == STAFF) & scores["mean"].notna()].set_index("item")
    asked = items[items["part_of"] != ""]
    kinds = list(dict.fromkeys(asked["item"].map(_quality)))
    steps = items[items["item"].isin(asked["part_of"])][["item", "name"]]
    steps = steps[[bool(set(_of(step, asked)) & set(staff.index)) for step in steps["item"]]].reset_index(drop=True)
    cells = {"done": dict(zip(steps["item"], steps["item"], strict=True))}
    cells |= {kind: asked[asked["item"].map(_quality) == kind].set_index("part_of")["item"] for kind in kinds}
    text = {item: _cell(row) + ")" for item, row in zip(staff.index, staff.itertuples(), strict=True)}
    frame = steps.copy()
    for column, item in cells.items():
        frame[column] = steps["item"].map(item).map(text).astype(object).fillna(NONE)
    own = [staff.loc[staff.index.isin(_of(step, asked)), "n"] for step in steps["item"]]
    frame["people"] = np.array([n.max() for n in own], dtype="int64")
    frame["n"] = np.array([n.sum() for n in own], dtype="int64")
    for column, item in cells.items():
        for number in NUMBERS:
            frame[f"{column}_{number}"] = steps["item"].map(item).map(staff[number]).astype(float)
    return frame


def _of(step: str, asked: pd.DataFrame) -> list[str]:
    """A step's own item, and those of its qualities."""
    return [step, *asked.loc[asked["part_of"] == step, "item"]]


def qualities_apart(scores: pd.DataFrame, items: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Each quality over all steps, beside the mean of the other qualities, as employees score them.

    From: `scores`, `read_checklists`. To, in the order of the checklist: quality, mean with mean_low and mean_high (the
    interval taken by itself), apart (steps of the scale from the other qualities' mean) with low and high, people,
    level (the quality's own), method, verdict (below or above the others, too early to say). The qualities are judged
    together (Holm), the errors being as wide as any overlap of the people makes them.
    What is left out: steps of which employees did not score all qualities (shown), so that like is held against like.
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    from scipy.special import stdtr, stdtrit

    staff = scores[(scores["voice"] == STAFF) & scores["mean"].notna()].set_index("item")
    asked = items[items["part_of"] != ""]
    asked = asked.assign(quality=asked["item"].map(_quality))
    lacking = asked.loc[~asked["item"].isin(staff.index), "part_of"]
    asked = asked[~asked["part_of"].isin(lacking)]
    own = asked[["item", "quality"]].merge(staff[["n", "mean", "error"]], left_on="item", right_index=True)
    by = own.groupby("quality", sort=False)
    frame = by.agg(mean=("mean", "mean"), error=("error", "mean"), people=("n", "max"))
    others = len(frame) - 1
    frame["apart"] = frame["mean"] - (frame["mean"].sum() - frame["mean"]) / others if others > 0 else np.nan
    wide = frame["error"] + (frame["error"].sum() - frame["error"]) / max(others, 1)
    freedom = (frame["people"] - 1).to_numpy(dtype=float)
    levels = holm_levels(2 * stdtr(freedom, -np.abs(frame["apart"] / wide).to_numpy()), level=level)
    half = stdtrit(freedom, (1 + levels) / 2) * wide
    alone = stdtrit(freedom, (1 + level) / 2) * frame["error"]
    frame["mean_low"] = (frame["mean"] - alone).clip(lower=SCALE[0])
    frame["mean_high"] = (frame["mean"] + alone).clip(upper=SCALE[1])
    frame["low"], frame["high"] = frame["apart"] - half, frame["apart"] + half
    verdict = np.select([frame["high"] < 0, frame["low"] > 0], ["below the others", "above the others"], EARLY)
    frame = frame.assign(level=levels, method="widest for any dependence, Student's t", verdict=verdict)
    columns = ["quality", "mean", "mean_low", "mean_high", "apart", "low", "high", "people"]
    return frame.reset_index().astype({"people": "int64"})[[*columns, "level", "method", "verdict"]]


def qualities_sentences(apart: pd.DataFrame) -> list[str]:
    """How employees score each quality over all steps, and which is told apart. From: `qualities_apart`."""
    if not len(apart):
        return [NO_QUALITIES]
    parts = [f"{row.quality} {format_value(row.mean, 'points')} ({format_ends(row.mean_low, row.mean_high, 'points')})"
             for row in apart.itertuples()]  # fmt: skip
    told = [f"The steps of the service are, as employees score them from 0 to 4: {', '.join(parts)}."]
    if len(apart) < 2:
        return told
    sure = apart[apart["verdict"] != EARLY]
    if len(sure):
        named = "; ".join(f"{row['quality']} {row['verdict']}, {_difference(row)}" for row in sure.to_dict("records"))
        return [*told, f"Told apart from the other qualities: {named}."]
    most = apart.loc[apart["apart"].abs().round(9).idxmax()].to_dict()
    return [
        *told,
        f"Whether one quality is scored below or above the others is too early to say: {most['quality']}, the furthest "
        f"from the others, {_difference(most)}.",
    ]


def _difference(row: dict) -> str:
    return f"by {_signed(row['apart'])} ({format_ends(row['low'], row['high'], 'points')})"


def _quality(item: str) -> str:
    return item.rpartition(".")[2]
