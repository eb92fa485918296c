"""Who are the customers, and which groups are worth a plan of their own: RFM scores, and named segments."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import buyers
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, ratio_of_sums, unknown
from cxkit.findings import Finding
from cxkit.group_table import LEAST_SHOWN, describe_groups, group_table, plot_groups
from cxkit.heatmap import draw_heat_map
from cxkit.segment_names import segment_names
from cxkit.style import format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}


def rfm(orders: ibis.Table, *, as_of: date, days: int | None = None) -> pd.DataFrame:
    """Recency, frequency and monetary value of every customer who ordered up to `as_of`.

    From: orders (lines); `days`: count the last so many days alone (of which `as_of` is the last), not the whole
    history, so that two dates can be compared: a history that is longer holds more orders of the same customers.
    To, ordered by customer_id: customer_id, recency_days (as_of - last order), frequency (counted orders), monetary
    (revenue = amount - refund).
    What is left out: lines without a customer and customers who only returned (see `buyers`). Two orders on one day are
    two orders here, as in the tables that shops publish; lifetime value counts them once.
    Source: Hughes (1994), Strategic Database Marketing; checked against a published table of 793 customers.
    """
    if days is not None:
        if days < 1:
            raise UsageError(f"days must be 1 or more; found {days}. Leave it out for the whole history.")
        orders = orders.filter(orders.ordered_on > ibis.literal(as_of - timedelta(days=days)))
    table = buyers(orders, as_of=as_of)
    table = table.select(
        "customer_id",
        recency_days=ibis.literal(as_of).delta(table.last_on, unit="day").cast("int64"),
        frequency=table.orders.cast("int64"),
        monetary=table.revenue,
    )
    return collect(table, order_by="customer_id")


def cut_points(rfm: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Where each measure is cut into `bins` equal parts.

    To: one row a measure (recency_days, frequency, monetary), columns 1 to bins - 1. Cut k is the smallest value that
    at least k / bins of the customers do not exceed, so it is always somebody's value: no interpolation, and nothing
    that a change of currency could move. Source: Hyndman & Fan (1996), The American Statistician 50(4), definition 1.
    """
    if not 2 <= bins <= 9:
        raise UsageError(f"bins must lie between 2 and 9; found {bins}. Quintiles (5) are the custom.")
    n = len(rfm)
    places = [-(-n * k // bins) - 1 for k in range(1, bins)]  # in whole numbers: n * 0.6 may lie above itself
    rows = {m: np.sort(rfm[m].to_numpy())[places] if n else np.full(bins - 1, np.nan) for m in MEASURES.values()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=range(1, bins))


def own_cuts(
    cuts: pd.DataFrame,
    *,
    recency: Sequence[float] = (),
    frequency: Sequence[float] = (),
    monetary: Sequence[float] = (),
) -> pd.DataFrame:
    """Cut points with the client's own in place of those that the data gave, where he has any.

    From: `cut_points`; for each measure none, or as many numbers as it has cut points, rising (days, orders, money):
    recency (30, 90, 180, 365) scores 5 up to 30 days, 4 up to 90, and so on. To: the same table.
    Own cut points mean the same next month; fifths of the customers move with the customers.
    Raises UsageError, naming every fault.
    """
    given = {"recency": recency, "frequency": frequency, "monetary": monetary}
    wanted, faults, own = cuts.shape[1], [], cuts.astype(float)
    for name, values in given.items():
        numbers = [v for v in values if isinstance(v, int | float | np.number) and not isinstance(v, bool)]
        if not len(values):
            continue
        if len(numbers) != len(values) or len(values) != wanted or not np.isfinite(numbers).all():
            faults.append(f"{name} needs {wanted} numbers; found {list(values)}")
        elif min(numbers) < 0 or (np.diff(numbers) <= 0).any():
            faults.append(f"{name} must rise from 0 or above, no number twice; found {list(values)}")
        else:
            own.loc[MEASURES[name]] = numbers
    if faults:
        raise UsageError(f"cut points: {'; '.join(faults)}. Leave a measure empty to cut it into equal parts.")
    return own


def score_rfm(rfm: pd.DataFrame, *, bins: int = 5, cuts: pd.DataFrame | None = None) -> pd.DataFrame:
    """RFM with its scores, 1 to `bins`; the highest is the best in all three (for recency: the most recent).

    From: `rfm`; `cuts`: cut points as `cut_points` or `own_cuts` give them (another date's, or the client's own), in
    place of those that cut these customers into `bins` equal parts.
    To: the same rows with recency_score, frequency_score, monetary_score and rfm (their digits, "545").
    Ties: a score depends on the value alone (a value on a cut point belongs below it), never on the order of rows, so
    equal customers always score the same. The price is unequal groups. Where most customers ordered once, the lower cut
    points of frequency are all 1: everybody with one order scores 1, and the next scores stay empty up to the first
    cut above 1. Forcing equal fifths would give one-time buyers five different scores by chance.
    Raises UsageError where `cuts` lack a measure, are no numbers, or fall.
    """
    cuts = cut_points(rfm, bins=bins) if cuts is None else _checked_cuts(cuts)
    scores, parts = {}, cuts.shape[1] + 1
    for name, measure in MEASURES.items():
        part = np.searchsorted(cuts.loc[measure].to_numpy(dtype=float), rfm[measure].to_numpy(), side="left")
        scores[f"{name}_score"] = (parts - part if name == "recency" else part + 1).astype("int64")
    scored = rfm.assign(**scores)
    digits = [scored[column].astype(str) for column in scores]
    return scored.assign(rfm=digits[0] + digits[1] + digits[2])


def _checked_cuts(cuts: pd.DataFrame) -> pd.DataFrame:
    if lacking := [measure for measure in MEASURES.values() if measure not in cuts.index]:
        raise UsageError(f"the cut points lack {', '.join(lacking)}; take those of cut_points, or own_cuts.")
    if not 1 <= cuts.shape[1] <= 8:
        raise UsageError(f"a measure has 1 to 8 cut points; found {cuts.shape[1]}. Four cut it into fifths.")
    for measure in MEASURES.values():
        values = cuts.loc[measure].to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise UsageError(
                f"the cut points of {measure} are no numbers: {values.tolist()}. With nobody to cut there are none."
            )
        if (np.diff(values) < 0).any():
            raise UsageError(f"the cut points of {measure} must rise; found {values.tolist()}.")
    return cuts


def name_segments(scored: pd.DataFrame, *, names: pd.DataFrame | None = None) -> pd.DataFrame:
    """Scored customers with the segment's name.

    From: `score_rfm`; `names`: the client's own (`segment_names` of his file; default: the kit's).
    To: the same rows with `segment`.
    Raises UsageError where a score has no name (the names were made for another number of parts).
    """
    names = segment_names() if names is None else names
    lookup = dict(zip(names["rfm"], names["segment"], strict=True))
    if strange := sorted(set(scored["rfm"]) - set(lookup)):
        raise UsageError(
            f"no segment is named for the scores {', '.join(strange[:5])}; the names cover {names['rfm'].min()} to "
            f"{names['rfm'].max()}. Score with as many parts as the names were written for."
        )
    return scored.assign(segment=scored["rfm"].map(lookup).astype(object))


def segment_table(named: pd.DataFrame, *, names: pd.DataFrame | None = None) -> pd.DataFrame:
    """What each segment is and brings, by falling revenue; segments nobody is in stand in it with zeros.

    From: `name_segments`, and the same `names`. To: segment, the columns of `group_table.group_table`, meaning, action.
    What is left out: as there, the numbers of segments of one to four customers, and of the next smallest where one
    could subtract.
    Raises UsageError where a segment stands in no list of names.
    """
    names = segment_names() if names is None else names
    texts = names.drop_duplicates("segment").sort_values("place").set_index("segment")[["meaning", "action"]]
    if strange := sorted(set(named["segment"]) - set(texts.index)):
        raise UsageError(
            f"the names know no segment {', '.join(strange[:5])}; they know {', '.join(texts.index)}. Name and tell "
            "the segments by the same list."
        )
    table = group_table(named.assign(group=named["segment"]), groups=list(texts.index))
    return table.rename(columns={"group": "segment"}).join(texts, on="segment")


def score_grid(scored: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Customers and spend by recency and frequency score: recency_score, frequency_score, customers, monetary_mean.

    All combinations stand in it; monetary_mean is NaN where nobody is, and withheld (NaN) with one to four customers.
    """
    grid = pd.MultiIndex.from_product([range(1, bins + 1)] * 2, names=["recency_score", "frequency_score"])
    cells = scored.groupby(["recency_score", "frequency_score"])["monetary"].agg(["size", "mean"]).reindex(grid)
    cells = cells.set_axis(["customers", "monetary_mean"], axis=1).reset_index()
    cells = cells.assign(customers=cells["customers"].fillna(0).astype("int64"))
    return cells.assign(monetary_mean=cells["monetary_mean"].where(cells["customers"] >= LEAST_SHOWN))


def plot_score_grid(grid: pd.DataFrame, *, currency: str = "", ax: "Axes | None" = None) -> "Axes":
    """`score_grid` as a heat map: the number of customers in each cell, its colour what they spent on average.

    Cells with one to four customers show "<5" and no money.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 4.2))[1] if ax is None else ax
    shape = {"index": "recency_score", "columns": "frequency_score"}
    spend = grid.pivot(**shape, values="monetary_mean").sort_index(ascending=False)
    size = grid.pivot(**shape, values="customers").sort_index(ascending=False)
    texts = [
        [_cell_text(n, format_value(m, "money", currency)) for n, m in zip(ns, ms, strict=True)]
        for ns, ms in zip(size.to_numpy(), spend.to_numpy(), strict=True)
    ]
    ends = {1: " (longest ago)", len(spend): " (latest)"}, {1: " (fewest orders)", len(spend): " (most orders)"}
    rows = [f"{score}{ends[0].get(score, '')}" for score in spend.index]
    columns = [f"{score}{ends[1].get(score, '')}" for score in spend.columns]
    draw_heat_map(ax, spend.to_numpy(), texts, rows=rows, columns=columns, faint=size.to_numpy() < LEAST_SHOWN)
    ax.set(xlabel="Frequency score", ylabel="Recency score", title="Customers, and what one spent on average")
    return ax


def _cell_text(customers: int, money: str) -> str:
    if customers < LEAST_SHOWN:
        return f"<{LEAST_SHOWN}" if customers else "–"
    return f"{customers:,}\n{money}"


def describe_grid(grid: pd.DataFrame) -> str:
    """What `plot_score_grid` shows, for those who cannot see it. From: `score_grid`."""
    best = grid[(grid["recency_score"] == grid["recency_score"].max()) & (grid["customers"] > 0)]
    most = grid.loc[grid["customers"].idxmax()]
    ends = best.loc[best["frequency_score"].idxmax()] if len(best) else most
    told = [
        f"{n:,.0f}" if n >= LEAST_SHOWN or not n else f"under {LEAST_SHOWN}"
        for n in (most["customers"], ends["customers"])
    ]
    return (
        f"Heat map of customers by recency and frequency score. Most customers, {told[0]}, have recency "
        f"{most['recency_score']:.0f} and frequency {most['frequency_score']:.0f}; {told[1]} ordered latest and most "
        "often."
    )


def plot_segments(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`segment_table` as `group_table.plot_groups` draws it."""
    return plot_groups(table.rename(columns={"segment": "group"}), title="Segments by size and by revenue", ax=ax)


def describe_segments(table: pd.DataFrame) -> str:
    """What `plot_segments` shows. From: `segment_table`."""
    sentence = "{name} are {customers} of customers and bring {revenue} of revenue."
    return describe_groups(table.rename(columns={"segment": "group"}), kind="segment", sentence=sentence)


def quiet_share(named: pd.DataFrame, *, names: pd.DataFrame | None = None) -> Estimate:
    """Share of what all customers spent that was spent by those gone quiet: the segments that the names mark.

    From: `name_segments`, and the same `names`. To: Estimate over customers, the borders of the
    segments taken as given. Unknown, and withheld, where fewer than five customers have gone quiet.
    What it leaves out: quiet is a matter of rank (the two lowest recency scores), so a shop whose customers order at
    long intervals has quiet customers too: compare with the shop's own target or an earlier audit, never across shops.
    """
    names = segment_names() if names is None else names
    quiet = named["segment"].isin(names.loc[names["quiet"], "segment"]).to_numpy()
    if quiet.sum() < LEAST_SHOWN:
        return unknown("share", n=len(named), method=f"fewer than {LEAST_SHOWN} customers have gone quiet")
    spent = named["monetary"].to_numpy(dtype=float)
    return ratio_of_sums(np.where(quiet, spent, 0.0), spent)


def quiet_share_finding(named: pd.DataFrame, *, names: pd.DataFrame | None = None) -> Finding:
    """segments.quiet_share: what was spent by customers who have gone quiet. From: as `quiet_share`."""
    return Finding(
        id="segments.quiet_share",
        claim="{value} of what all customers spent was spent by customers who used to order and have gone quiet "
        "({interval}).",
        estimate=quiet_share(named, names=names),
        label="Share of revenue from customers gone quiet",
        higher_is_better=False,
        evidence=("segments",),
        action="Win them back, those who spent most first, and find out what went wrong before offering anything.",
    )
