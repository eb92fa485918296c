"""Where does something happen more often than elsewhere: shares by channel, category and the like, judged together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.estimates import Estimate, cluster_error, holm_levels, simultaneous, unknown, wilson_ends
from cxkit.group_table import legend_below, nothing_to_show
from cxkit.others import against_others, unit_sums
from cxkit.pareto import NOT_GIVEN, OTHERS, with_names
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_UNITS = 30  # customers of the one and of the others; fewer are not judged
MORE, LESS, ALIKE, FEW = "more", "less", "not told apart", "too few to judge"
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers, or it could be worked out from one with so few"
METHOD = "Wilson with effective counts; the difference linearised by customer and adjusted for the family (Holm)"
SHARE = "Wilson with effective counts; customers are the units"
SHARES = ("aspect", "name", "count", "value", "low", "high", "n", "customers", "others", "difference",
          "difference_low", "difference_high", "level", "method", "verdict")  # fmt: skip


def shares_apart(
    rows: ibis.Table, *, part: str, aspects: Mapping[str, str], families: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """The share of rows in which `part` is true by each aspect's values, beside all others of the aspect pooled.

    From: rows with the yes/no `part`, customer_id (missing or null: somebody of his own) and the columns that are keys
    of `aspects` (column -> its word; those that are not there are left out). To, aspect by aspect, the highest share
    first: aspect (the word), name, count (rows in which it is so), value (share), low, high, n (rows), customers,
    others (the share of all others), difference (in percentage points) with difference_low, difference_high, level (of
    the difference), method, verdict (more, less, not told apart, too few to judge).
    All comparisons of all aspects are one family (Holm), and all hold together with those of as many further tables as
    make `families` (Bonferroni); customers are the units, so that many rows of one count once.
    What is left out: rows in which `part` is null; values of fewer than 30 customers, or beside fewer than 30, are not
    judged; numbers of those under five customers are withheld. What it cannot show: why.
    Source: as `others.against_others`; Holm (1979).
    """
    from scipy.special import stdtrit

    there = [column for column in aspects if column in rows.columns]
    owner = [c for c in ("customer_id",) if c in rows.columns]
    rows = rows.filter(rows[part].notnull()).select(part, *owner, *there).cache()  # asked several times: computed once
    frame = pd.concat([_one(rows, part, column, aspects[column]) for column in there] or [pd.DataFrame()])
    if not len(frame):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in SHARES})
    frame = frame.reset_index(drop=True)
    value, gap, error = (frame[name].to_numpy(dtype=float) for name in ("value", "difference", "difference_error"))
    units = frame["customers"].to_numpy(dtype=float)
    aside = frame.groupby("aspect")["customers"].transform("sum").to_numpy(dtype=float) - units
    judged = (np.minimum(units, aside) >= LEAST_UNITS) & np.isfinite(error) & (error > 0) & ~frame["hidden"]
    freedom = np.maximum(np.minimum(units, aside) - 1, 1)
    p = np.where(judged, _p_values(gap, error, freedom), np.nan)
    levels = holm_levels(p, level=simultaneous(level, families))
    half = np.where(judged, stdtrit(freedom, (1 + levels) / 2) * error, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where((value > 0) & (value < 1), value * (1 - value) / frame["error"] ** 2, units)
    effective = np.fmin(effective, frame["n"].to_numpy(dtype=float))
    low, high = wilson_ends(value * effective, effective, level=level)
    hidden = frame["hidden"].to_numpy(dtype=bool)
    verdict = np.select([~judged, gap - half > 0, gap + half < 0], [FEW, MORE, LESS], ALIKE)
    frame = frame.assign(
        low=low, high=high, difference=100 * gap, difference_low=100 * (gap - half), difference_high=100 * (gap + half),
        level=levels, method=np.where(hidden, WITHHELD, METHOD), verdict=verdict,
    )  # fmt: skip
    numbers = ["count", "value", "low", "high", "n", "customers", "others", "difference"]
    frame[numbers] = frame[numbers].astype(float).mask(np.repeat(hidden[:, None], len(numbers), axis=1))
    place = frame["aspect"].map({aspects[column]: i for i, column in enumerate(there)})
    frame = frame.assign(place=place, aside=frame["name"].isin([NOT_GIVEN, OTHERS]))
    ranks = ["place", "value", "name"]
    return frame.sort_values(ranks, ascending=[True, False, True], kind="stable", ignore_index=True)[list(SHARES)]


def _one(rows: ibis.Table, part: str, column: str, word: str) -> pd.DataFrame:
    named = with_names(rows, column)
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = named.customer_id.fill_null(nameless) if "customer_id" in named.columns else nameless
    named = named.select("name", who=who, hit=named[part].ifelse(1, 0))
    cells = named.group_by("name", "who").aggregate(part=named.hit.sum(), whole=named.count())
    frame = against_others(unit_sums(cells.mutate(squares=cells.part), by="name", unit="who"))
    frame = frame.rename(columns={"units": "customers"})
    told = withhold_small(frame[["name", "customers"]], count="customers")
    count = np.rint(frame["value"].fillna(0.0) * frame["n"])
    return frame.assign(aspect=word, count=count, hidden=told["customers"].isna().to_numpy())


def _p_values(gap: np.ndarray, error: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * stdtr(freedom, -np.abs(gap) / error)


def share_of(rows: ibis.Table, *, part: str, level: float = 0.95) -> Estimate:
    """The share of rows in which `part` is true, customers being the units. From: as `shares_apart`. Null is no row."""
    rows = rows.filter(rows[part].notnull())
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = rows.customer_id.fill_null(nameless) if "customer_id" in rows.columns else nameless
    rows = rows.select(who=who, hit=rows[part].ifelse(1, 0))
    cells = rows.group_by("who").aggregate(part=rows.hit.sum(), whole=rows.count())
    sums = cells.aggregate(
        part=cells.part.sum(), whole=cells.whole.sum(), units=cells.count(),
        part_sq=(cells.part * cells.part).sum(), cross=(cells.part * cells.whole).sum(),
        whole_sq=(cells.whole * cells.whole).sum(),
    )  # fmt: skip
    row = collect(sums, order_by="units").fillna(0).iloc[0].astype(float)
    if not row["whole"]:
        return unknown("share", level=level, method="nothing to count")
    value = row["part"] / row["whole"]
    error = cluster_error(row["part_sq"], row["cross"], row["whole_sq"], row["whole"], value, row["units"])
    effective = min(value * (1 - value) / error**2 if error > 0 else row["units"], row["whole"])
    low, high = wilson_ends(value * effective, effective, level=level)
    return Estimate(float(value), float(low), float(high), int(row["whole"]), "share", level, SHARE)


def certain(frame: pd.DataFrame, *, verdict: str = MORE, most: int = 4) -> str:
    """`courier 29 % (27–31 %), elsewhere 7.6 %; …`: what lies apart for certain, the widest apart first; empty where
    nothing does. From: `shares_apart`."""
    rows = frame[(frame["verdict"] == verdict) & ~frame["name"].isin([NOT_GIVEN, OTHERS])]
    rows = rows.assign(far=-rows["difference"].astype(float).abs()).sort_values(["far", "aspect", "name"]).head(most)
    return "; ".join(
        f"{clean_text(row.name)} ({row.aspect}) {format_value(row.value, 'share')} "
        f"({format_ends(row.low, row.high, 'share')}), elsewhere {format_value(row.others, 'share')}"
        for row in rows.itertuples(index=False)
    )


def surely_more(frame: pd.DataFrame, *, aspect: str) -> pd.DataFrame:
    """The rows of one aspect in which it happens more often for certain, as what findings are made of.

    From: `shares_apart`, the aspect's word. To, the widest apart first: name (cleaned), key (of which each is there
    once), value, others, estimate (the difference in percentage points with its adjusted interval), family (how many
    comparisons were judged together). What is left out: what is not given, and all others together.
    """
    rows = frame[(frame["aspect"] == aspect) & (frame["verdict"] == MORE) & ~frame["name"].isin([NOT_GIVEN, OTHERS])]
    rows = rows.assign(key=[name_key(name) for name in rows["name"]], name=[clean_text(name) for name in rows["name"]])
    rows = rows.assign(far=-rows["difference"].astype(float)).sort_values(["far", "name"], kind="stable")
    rows = rows[rows["key"] != ""].drop_duplicates("key").reset_index(drop=True)
    estimates = [
        Estimate(
            *(float(end) for end in (row.difference, row.difference_low, row.difference_high)), int(row.n), "points",
            float(row.level), METHOD,
        )
        for row in rows.itertuples()
    ]  # fmt: skip
    family = int(frame["verdict"].ne(FEW).sum())
    rows = rows.assign(estimate=pd.Series(estimates, dtype=object), family=family)
    return rows[["name", "key", "value", "others", "estimate", "family"]]


def apart_in_words(frame: pd.DataFrame, *, what: str, tell: Sequence[str] = (MORE, LESS)) -> list[str]:
    """Where `what` happens more often, and where less often, for certain; `tell`: one of both, or both. From:
    `shares_apart`."""
    judged = int(frame["verdict"].ne(FEW).sum())
    if not judged:
        few = f"fewer than {LEAST_UNITS} customers to compare, or it is the same with all"
        return [f"Where {what} is more common is too early to say: {few}."]
    texts = []
    for verdict in tell:
        if told := certain(frame, verdict=verdict):
            word = {MORE: "More often", LESS: "Less often"}[verdict]
            texts.append(f"{word} for certain ({judged} comparisons together): {told}.")
    return texts or [f"Nowhere is {what} told apart from elsewhere, of {judged} comparisons together."]


def plot_apart(frame: pd.DataFrame, *, title: str, label: str, ax: "Axes | None" = None) -> "Axes":
    """`shares_apart` as points with their intervals, one block an aspect; what is apart for certain is filled and in
    colour, the rest hollow and grey; a dash marks the share of the others."""
    import matplotlib.pyplot as plt

    shown = frame[frame["value"].notna()].reset_index(drop=True)
    ax = plt.subplots(figsize=(7.2, 0.34 * max(len(shown), 1) + 1.5))[1] if ax is None else ax
    if not len(shown):
        nothing_to_show(ax)
        return ax
    block = shown["aspect"].ne(shown["aspect"].shift()).cumsum().to_numpy() - 1
    place = np.arange(len(shown)) + 0.7 * block
    apart = shown["verdict"].isin([MORE, LESS]).to_numpy()
    for rows, colour, face in ((apart, "C0", "C0"), (~apart, GREY, "white")):
        part = shown[rows]
        ax.hlines(place[rows], part["low"].astype(float), part["high"].astype(float), color=colour, linewidth=1.8)
        ax.plot(part["value"].astype(float), place[rows], "o", color=colour, markerfacecolor=face, markersize=7)
    ax.plot(shown["others"].astype(float), place, "|", color=INK, markersize=11, label="All others of the block")
    for number in range(block.max() + 1):
        first = int(np.argmax(block == number))
        ax.annotate(shown["aspect"].iloc[first], (0.0, place[first] - 0.55), (3, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", va="center", fontsize=9, color=GREY)  # fmt: skip
    told = [format_value(value, "share") for value in shown["value"]]  # at the left: a narrow screen shows it
    ax.set_yticks(place, [f"{folded_text(name)}  {share}" for name, share in zip(shown["name"], told, strict=True)])
    for tick, sure in zip(ax.get_yticklabels(), apart, strict=True):
        tick.set_color(INK if sure else GREY)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(place[-1] + 0.6, -1.0), xlabel=label, title=title)
    ax.margins(x=0.08)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    legend_below(ax)
    return ax


def describe_apart(frame: pd.DataFrame, *, what: str, tell: Sequence[str] = (MORE, LESS)) -> str:
    """What `plot_apart` shows, for those who cannot see it."""
    by = ", ".join(dict.fromkeys(frame["aspect"])) or "nothing known"
    return f"Shares with intervals by {by}. {' '.join(apart_in_words(frame, what=what, tell=tell))}"


def how_often(verdict: str) -> str:
    """A verdict as a word on what people do."""
    return {MORE: "more often", LESS: "less often"}.get(verdict, "neither more nor less often for certain")


def beside(row) -> str:
    """The share of all others, and the difference, as the end of a sentence. From: a row of `shares_apart`."""
    ends = format_ends(row.difference_low, row.difference_high, "points")
    return f"{format_value(row.others, 'share')} (difference in points: {ends})"
