"""Which segments grow and which shrink: the same cut points at two dates, and what changed beyond chance."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import Estimate, holm_levels, normal, p_values, unknown
from cxkit.findings import Finding
from cxkit.group_table import LEAST_SHOWN, WITHHELD, legend_below, nothing_to_show
from cxkit.privacy import withhold_small
from cxkit.segment_names import segment_names
from cxkit.style import GREY, INK, LIGHT, clean_text, format_ends, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES = {"recency_score": "recency_days", "frequency_score": "frequency", "monetary_score": "monetary"}
METHOD = "paired linearised shares"
READINGS = ("shrinks", "grows", "not told apart")


def segment_sizes_then_and_now(
    then: pd.DataFrame, now: pd.DataFrame, *, names: pd.DataFrame | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Each segment's share of the customers at an earlier date and now, and the change.

    From: `segments.name_segments` at the two dates, both scored by the earlier date's cut points (or by fixed ones):
    `then = rfm(…, days=d)`, `cuts = cut_points(then)`, `score_rfm(…, cuts=cuts)` for both. Only so does a segment mean
    the same twice: by their own cut points a fifth is a fifth at any date. And only over as many `days` each: a longer
    history holds more orders of the same customers, and more who went long ago.
    To, from the best segment to the last: segment, customers_then, customers_now, share_then, share_now, change
    (percentage points) with low, high, n (customers of either date), level, method; reading (shrinks, grows, or not
    told apart).
    The changes are paired: a customer of both dates counts in both shares, and the error is that of one sum over
    customers. They are a family (Holm): a segment shrinks or grows where its own adjusted interval leaves out 0.
    What is left out: the numbers of segments with one to four customers at either date, and of the next smallest where
    one could subtract. What it cannot show: why; and a season, unless the dates lie a year apart.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6 (the difference of two ratios, linearised).
    Raises UsageError where the two were scored by different cut points, or a segment stands in no list of names.
    """
    names = segment_names() if names is None else names
    listed = list(names.sort_values("place")["segment"].unique())
    _check(then, now, listed)
    places = {name: place for place, name in enumerate(listed)}
    both = _by_customer(then, now)
    was, now_in = (both[date].map(places).to_numpy(dtype=float) for date in ("then", "now"))
    there, here = ~np.isnan(was), ~np.isnan(now_in)
    n, n_then, n_now = len(both), int(there.sum()), int(here.sum())
    rows = []
    for segment, place in places.items():
        before, after = was == place, now_in == place
        share_then = before.sum() / n_then if n_then else np.nan
        share_now = after.sum() / n_now if n_now else np.nan
        error = np.nan
        if n_then and n_now and n > 1 and (before | after).any():
            pulls = (after - share_now * here) / n_now - (before - share_then * there) / n_then
            error = float(np.sqrt(n / (n - 1) * np.square(pulls).sum()))
        rows.append(
            {
                "segment": segment,
                "customers_then": int(before.sum()),
                "customers_now": int(after.sum()),
                "share_then": share_then,
                "share_now": share_now,
                "change": 100 * (share_now - share_then),
                "error": 100 * error,
            }
        )
    return _judged(_withheld(pd.DataFrame(rows)), n, level)


def _by_customer(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Everybody of either date, by id: the segment then and now (missing: no customer at that date)."""
    frames = [frame.set_index("customer_id")["segment"] for frame in (then, now)]
    return pd.concat(frames, axis=1, keys=["then", "now"]).sort_index()


def _check(then: pd.DataFrame, now: pd.DataFrame, listed: list[str]) -> None:
    for frame in (then, now):
        if lacking := [c for c in ("customer_id", "segment", *SCORES, *SCORES.values()) if c not in frame]:
            raise UsageError(f"the customers lack {', '.join(lacking)}; take those of segments.name_segments.")
        if not frame["customer_id"].is_unique:
            raise UsageError("a customer stands there twice at one date; give one row a customer.")
        if strange := sorted(set(frame["segment"]) - set(listed)):
            raise UsageError(f"the names know no segment {', '.join(strange[:5])}; they know {', '.join(listed)}.")
    for score, measure in SCORES.items():
        pairs = pd.concat([then[[measure, score]], now[[measure, score]]]).drop_duplicates().sort_values(measure)
        twice = pairs[pairs[measure].duplicated(keep=False)]
        steps = np.diff(pairs[score].to_numpy(dtype=float)) * (-1 if score == "recency_score" else 1)
        if len(twice):
            found = f"{twice[measure].iloc[0]:g} scores {twice[score].iloc[0]:g} and {twice[score].iloc[1]:g}"
        elif (steps < 0).any():
            at = int(np.argmax(steps < 0))
            found = " and ".join(f"{r[0]:g} scores {r[1]:g}" for r in pairs.iloc[at : at + 2].to_numpy(dtype=float))
        else:
            continue
        raise UsageError(
            f"the two dates are scored by different cut points: of {measure}, {found}. Score both with "
            "cuts=cut_points(then)."
        )


def _withheld(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that one of the two dates asks to withhold lose the numbers of both."""
    held = np.zeros(len(table), dtype=bool)
    for count in ("customers_then", "customers_now"):
        held |= withhold_small(table, count=count, least=LEAST_SHOWN)[count].isna().to_numpy()
    if not held.any():
        return table.assign(method=METHOD)
    numbers = table.columns.drop("segment")
    hidden = table[numbers].astype(float).mask(np.repeat(held[:, None], len(numbers), axis=1))
    return table.assign(**hidden, method=np.where(held, WITHHELD, METHOD))


def _judged(table: pd.DataFrame, n: int, level: float) -> pd.DataFrame:
    change, error = table["change"].to_numpy(dtype=float), table["error"].to_numpy(dtype=float)
    levels = holm_levels(p_values(change, error), level=level)
    ends = [normal(c, e, n, unit="points", level=at) for c, e, at in zip(change, error, levels, strict=True)]
    low, high = (np.array([getattr(end, side) for end in ends], dtype=float) for side in ("low", "high"))
    reading = np.select([high < 0, low > 0], READINGS[:2], READINGS[2])
    nobody = table["method"].eq(METHOD) & ~np.isfinite(low)
    return table.drop(columns=["error", "method"]).assign(
        low=low,
        high=high,
        n=n,
        level=levels,
        method=table["method"].mask(nobody, "nobody at one date"),
        reading=reading,
    )


def best_change(
    then: pd.DataFrame, now: pd.DataFrame, *, names: pd.DataFrame | None = None, level: float = 0.95
) -> Estimate:
    """How many customers more (or fewer) are in the best segments now than then: the segments that the names mark.

    From: as `segment_sizes_then_and_now`. To: Estimate, unit count, n the customers of either date. The interval takes
    those who came to the best segments and those who left them as two independent Poisson numbers, as in the test of
    McNemar. Unknown, and withheld, where one of the best segments is withheld there, or under five came and left.
    Source: McNemar (1947), Psychometrika 12(2), 153-157.
    """
    names = segment_names() if names is None else names
    sizes = segment_sizes_then_and_now(then, now, names=names, level=level)
    best = set(names.loc[names["best"], "segment"])
    both = _by_customer(then, now).isin(best)
    came, left = (int((both[a] & ~both[b]).sum()) for a, b in (("now", "then"), ("then", "now")))
    if sizes.loc[sizes["segment"].isin(best), "customers_now"].isna().any() or came + left < LEAST_SHOWN:
        few = f"fewer than {LEAST_SHOWN} customers in one of the best segments, or who came to them or left them"
        return unknown("count", n=len(both), level=level, method=few)
    return normal(came - left, np.sqrt(came + left), len(both), unit="count", level=level, method="Poisson (McNemar)")


def best_change_finding(change: Estimate, *, days: int) -> Finding:
    """segments.best_change: how many more customers are in the best segments than `days` days ago. From: `best_change`.

    Told and not judged without the client's target: a shop that grows has more of every kind.
    """
    side = "fewer" if change.value < 0 else "more"
    return Finding(
        id="segments.best_change",
        claim=f"There are {format_value(abs(change.value), 'count')} {side} customers in the best segments than "
        f"{days:,} days ago, by the same cut points (change {{interval}}).",
        estimate=change,
        label="Change in the number of customers in the best segments",
        evidence=("segment_change",),
        action="See which groups grew and which shrank, as a share of all customers.",
    )


def change_findings(table: pd.DataFrame, *, days: int, names: pd.DataFrame | None = None) -> list[Finding]:
    """segments.shrinks.<segment>, segments.grows.<segment>: which change for certain, from the best to the last.

    From: `segment_sizes_then_and_now`, and the same `names`. That one of the best segments shrinks is a weakness, that
    it grows a strength; of those gone quiet it is the other way round; of the others it is told that they shrink, and
    not judged.
    """
    names = segment_names() if names is None else names
    marks = names.drop_duplicates("segment").set_index("segment")
    family = int(np.isfinite(table["low"]).sum())
    found = []
    for row in table[table["reading"].isin(READINGS[:2])].itertuples():
        mark, name = marks.loc[row.segment], clean_text(row.segment)
        judged = bool(mark["best"] or mark["quiet"])
        if row.reading == READINGS[1] and not judged:
            continue
        before, after = (format_value(share, "share") for share in (row.share_then, row.share_now))
        estimate = Estimate(
            float(row.change), float(row.low), float(row.high), int(row.n), "points", float(row.level), row.method
        )
        shrinks = row.reading == READINGS[0]
        found.append(
            Finding(
                id=f"segments.shrinks.{mark['key']}" if shrinks else f"segments.grows.{mark['key']}",
                claim=f"The segment “{_braces(name)}” was {before} of customers {days:,} days ago and is {after} now: "
                "{value} percentage points ({interval}).",
                estimate=estimate,
                label=f"Change in the share of {name}",
                target=0.0 if judged else None,
                target_source=f"no change ({family} comparisons hold together, Holm)" if judged else "",
                higher_is_better=not mark["quiet"],
                evidence=("segment_change",),
                action="Find out what changed for them since, the season included, before offering anything.",
            )
        )
    return found


def _braces(name: str) -> str:
    """A client's own name in a claim: its braces are no places."""
    return name.replace("{", "{{").replace("}", "}}")


def plot_segment_change(table: pd.DataFrame, *, days: int, ax: "Axes | None" = None) -> "Axes":
    """`segment_sizes_then_and_now` as two dots a segment, then (open) and now, with the change and its interval.

    What is not told apart from no change is grey. A segment whose numbers are withheld has no dots and says so.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(table), 1) + 1.5))[1] if ax is None else ax
    if not len(table) or not np.isfinite(table["change"]).any():
        nothing_to_show(ax)
        return ax
    place = np.arange(len(table))
    certain = (table["reading"] != READINGS[2]).to_numpy()
    before, after = table["share_then"].to_numpy(dtype=float), table["share_now"].to_numpy(dtype=float)
    ax.hlines(place, 0, np.nanmax([before, after]), color=LIGHT, linewidth=0.6, zorder=0)
    for told, colour in ((True, "C0"), (False, GREY)):
        rows = certain == told
        ax.hlines(place[rows], before[rows], after[rows], color=colour, linewidth=2)
        ax.plot(before[rows], place[rows], "o", color=colour, markerfacecolor="white", markersize=8)
        ax.plot(after[rows], place[rows], "o", color=colour, markersize=8)
    ax.plot([], [], "o", color=GREY, markerfacecolor="white", markersize=8, label=f"{days:,} days ago")
    ax.plot([], [], "o", color=GREY, markersize=8, label="Now")
    ax.plot([], [], color="C0", label="Changed for certain")
    for row in table.reset_index(drop=True).itertuples():
        ax.annotate(
            _change_text(row), (1.02, row.Index), xycoords=("axes fraction", "data"), va="center", fontsize=9,
            color=INK if row.reading != READINGS[2] else GREY,
        )  # fmt: skip
    ax.annotate(
        "Change in points", (1.02, 1), (0, 10), xycoords="axes fraction", textcoords="offset points", fontsize=9
    )
    ax.set_yticks(place, [plain_text(name, width=28) for name in table["segment"]])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(table) - 0.5, -0.7), xlim=(0, 1.08 * (float(np.nanmax([before, after])) or 1.0)))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_xlabel("Share of all customers at the date")
    ax.set_title(f"Segments now and {days:,} days ago")
    legend_below(ax)
    return ax


def _change_text(row: tuple) -> str:
    if not np.isfinite(row.change):
        return "withheld" if row.method == WITHHELD else "–"
    if not np.isfinite(row.low):
        return "nobody"
    plus = "+" if row.change > 0 else ""
    return f"{plus}{format_value(row.change, 'points')} ({format_ends(row.low, row.high, 'points')})"


def describe_segment_change(table: pd.DataFrame, *, days: int) -> str:
    """What `plot_segment_change` shows: which segments changed for certain. From: `segment_sizes_then_and_now`."""
    parts = [f"Shares of customers by segment, {days:,} days ago and now, by the same cut points."]
    for reading, word in (("shrinks", "Shrunk"), ("grows", "Grown")):
        told = [
            f"{clean_text(row.segment)} from {format_value(row.share_then, 'share')} to "
            f"{format_value(row.share_now, 'share')}"
            for row in table[table["reading"] == reading].itertuples()
        ]
        if told:
            parts.append(f"{word} for certain: {'; '.join(told)}.")
    if len(parts) == 1:
        parts.append("No change can be told apart from chance.")
    if small := [clean_text(name) for name in table.loc[table["method"] == WITHHELD, "segment"]]:
        parts.append(f"Withheld, so that nothing is told of under {LEAST_SHOWN} people: {', '.join(small)}.")
    return " ".join(parts)
