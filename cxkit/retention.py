"""Whom does the company keep: by cohort, by calendar, by tenure, and by what the first order was."""

from datetime import date
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.cohorts import LEAST_SHOWN as FEW
from cxkit.cohorts import LOOK_AHEAD, active_months, cohort_grid, draw_lines, retention_curve, ticks_until
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import holm_levels, share_difference, wilson_ends
from cxkit.loyalty import repeat_share
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import GREY, clean_text, folded_text, format_ends, format_value
from cxkit.tables import counted_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUNDED, UNBOUNDED = "in that month", "in that month or later"
TRAITS = ("channel", "category", "payment", "delivery", "first_touch")  # what a first order may be grouped by
NOT_KNOWN, OTHERS = "not known", "others together"
MOST = 8  # groups under a name of their own
MORE, FEWER, ALIKE, TOO_FEW = "more", "fewer", "not told apart", "too few to judge"
WITHHELD = f"withheld: fewer than {LEAST_SHOWN} customers in the group, or in one that could be worked out from it"


def unbounded(cohorts: pd.DataFrame) -> pd.DataFrame:
    """Cohorts whose `active` are those who ordered in that month or later: what `cohorts.retention` then tells.

    From: `cohorts.cohorts`. To: the same rows, active being later, observable later_observable; `ordered` says so.
    """
    told = cohorts.assign(active=cohorts["later"], observable=cohorts["later_observable"])
    return told.assign(ordered=UNBOUNDED)


def tenure_curves(cohorts: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Retention by months since the first order: in that month, and in that month or the few after it.

    From: `cohorts.cohorts`. To: ordered ("in that month"; "in that month or the 3 after", as many as `look_ahead`),
    then as `cohorts.retention_curve`. The second ends sooner, since every point of it asks over equally many whole
    months: so that customers who never leave give a level line. It does not say who is still a customer: whoever comes
    more seldom than that is missing.
    """
    parts = [(BOUNDED, cohorts)]
    for ahead in cohorts["look_ahead"].unique():
        near = cohorts.assign(active=cohorts["soon"], observable=cohorts["later_observable"])
        parts.append((f"{BOUNDED} or the {ahead} after" if ahead > 1 else f"{BOUNDED} or the one after", near))
    curves = [retention_curve(part, level=level).assign(ordered=name) for name, part in parts]
    both = pd.concat(curves, ignore_index=True)
    return both[["ordered", *(name for name in both if name != "ordered")]]


def plot_tenure(curves: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`tenure_curves` from month 1 on: both lines with their intervals as bands, named and valued at their ends."""
    import matplotlib.pyplot as plt

    ax = plt.subplots()[1] if ax is None else ax
    later = curves[curves["month"] >= 1]
    draw_lines(ax, {name: later[later["ordered"] == name] for name in _ways(curves)}, x="month")
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(later):
        ticks_until(ax, later["month"].max())
    ax.set(
        xlabel="Months since the first order",
        ylabel="Share of customers",
        title="Who orders, by months since the first order",
    )
    return ax


def _ways(curves: pd.DataFrame) -> list[str]:
    """The two ways to ask, the narrow one first."""
    return sorted(set(curves["ordered"]) | {BOUNDED}, key=lambda name: (name != BOUNDED, name))


def describe_tenure(curves: pd.DataFrame) -> str:
    """What `plot_tenure` shows: the finding in words, for those who cannot see it."""
    return f"Two lines by months since the first order. {' '.join(tenure_in_words(curves))}"


def tenure_in_words(curves: pd.DataFrame) -> list[str]:
    """Both curves at month 1, and each at its last month. From: `tenure_curves`."""
    later = curves[curves["month"] >= 1]
    if later.empty:
        return ["No month after the first order can be observed yet."]
    told = [_tenure_sentence(later, name) for name in _ways(later)]
    if later["ordered"].nunique() == 1:
        told.append("Who orders within a few months cannot be told yet: too few whole months lie after the first ones.")
    return told


def _tenure_sentence(later: pd.DataFrame, name: str) -> str:
    rows = later[later["ordered"] == name].set_index("month")
    also = name.removeprefix(BOUNDED)
    parts = [
        f"in month {month}{also} {format_value(row['value'], 'share')} "
        f"({format_ends(row['low'], row['high'], 'share')}, n = {row['n']:,.0f})"
        for month, row in rows.loc[sorted({1, rows.index.max()} & set(rows.index))].iterrows()
    ]
    return f"Of customers observed so long after their first order, these ordered: {', '.join(parts)}."


def first_order_groups(orders: ibis.Table, *, by: str, as_of: date, most: int = MOST) -> ibis.Table:
    """Customers grouped by what their first purchase was: its channel, category, payment, delivery or first touch.

    From: orders (lines). To, lazy: customer_id, group. Where the first purchase (all counted orders of that local day)
    has several values, the one with most money counts, the first by name of two alike; where it has none, "not known".
    The `most` largest groups keep their names; smaller ones, and those of fewer than five customers, are "others
    together". What the first order was is known before anybody comes back: so the comparison runs in no circle.
    Raises UsageError where `by` is none of these or the orders lack it.
    """
    if by not in TRAITS or by not in orders.columns:
        there = ", ".join(name for name in TRAITS if name in orders.columns) or "none of them"
        raise UsageError(
            f"customers cannot be grouped by {by!r} of their first order. Valid: {', '.join(TRAITS)}; these orders "
            f"have {there}. Map it under tables.orders.columns in client.yml, or name another."
        )
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    first = totals.mutate(first_on=totals.ordered_on.min().over(ibis.window(group_by="customer_id")))
    first = first.filter(first.ordered_on == first.first_on).select("order_id", owner=first.customer_id)
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale).select("order_id", "amount", value=lines[by].cast("string"))
    sums = lines.join(first, "order_id").group_by(customer_id="owner", group="value")
    sums = sums.aggregate(money=ibis._.amount.sum().round(PLACES))
    # what is not known counts only where nothing is
    order = [ibis.asc(sums.group.isnull()), ibis.desc("money"), ibis.asc("group")]
    ranked = sums.mutate(rank=ibis.row_number().over(ibis.window(group_by="customer_id", order_by=order)))
    named = ranked.filter(ranked["rank"] == 0)
    return _folded(named.select("customer_id", group=named.group.fill_null(NOT_KNOWN)), most)


def named_groups(groups: pd.DataFrame, *, most: int = MOST) -> ibis.Table:
    """A frame customer_id, group as a lazy table, small groups folded as in `first_order_groups`.

    Groups that were decided by later orders (segments, tiers) come back more or less often by their very making.
    Raises UsageError where a column is missing or a customer stands there twice.
    """
    if missing := [name for name in ("customer_id", "group") if name not in groups]:
        found = ", ".join(map(str, groups.columns)) or "no column"
        raise UsageError(f"groups lacks {', '.join(missing)}; it has {found}. It needs customer_id and group.")
    known = groups.dropna(subset=["customer_id"])[["customer_id", "group"]]
    if known["customer_id"].duplicated().any():
        twice = known.loc[known["customer_id"].duplicated(), "customer_id"].iloc[0]
        raise UsageError(f"a customer is in one group; {clean_text(twice)!r} stands there twice.")
    known = known.assign(group=known["group"].astype(object).where(known["group"].notna(), NOT_KNOWN).astype(str))
    return _folded(ibis.memtable(known, schema={"customer_id": "string", "group": "string"}), most)


def _folded(groups: ibis.Table, most: int) -> ibis.Table:
    """The groups with the small ones together, so that no number is of under five people while there are so many."""
    sizes = collect(groups.group_by("group").aggregate(size=groups.count()), order_by=["group"])
    sizes = sizes.sort_values(["size", "group"], ascending=[False, True], ignore_index=True)
    own = sizes[(sizes["size"] >= LEAST_SHOWN) & (sizes.index < most)]
    rest = sizes["size"].sum() - own["size"].sum()
    if 0 < rest < LEAST_SHOWN:
        own = own[:-1]
    return groups.mutate(group=groups.group.isin(own["group"].to_list()).ifelse(groups.group, OTHERS))


def second_orders_by(orders: ibis.Table, groups: ibis.Table, *, as_of: date, burn_in_days: int = 0) -> pd.DataFrame:
    """`loyalty.second_orders` by group: group, observed_days, gap_days, customers.

    From: orders (lines); groups: customer_id, group. What is left out: as there, and who is in no group.
    """
    totals = placed_orders(orders, as_of=as_of)
    begins = totals.ordered_on.min().as_scalar()
    days = totals.filter(totals.customer_id.notnull()).select("customer_id", "ordered_on").distinct()
    both = days.mutate(first_on=days.ordered_on.min().over(ibis.window(group_by="customer_id")))
    later = (both.ordered_on > both.first_on).ifelse(both.ordered_on, ibis.null("date"))
    people = both.group_by("customer_id", "first_on").aggregate(second_on=later.min())
    people = people.filter(people.first_on.delta(begins, unit="day") >= burn_in_days).join(groups, "customer_id")
    spans = people.select(
        "group",
        observed_days=ibis.literal(as_of).delta(people.first_on, unit="day").cast("int64"),
        gap_days=people.second_on.delta(people.first_on, unit="day").cast("int64"),
    )
    keys = ["group", "observed_days", "gap_days"]
    frame = collect(spans.group_by(keys).aggregate(customers=spans.count()), order_by=keys)
    return frame.astype({"observed_days": "int64", "gap_days": "Int64", "customers": "int64"})


def repeat_by(seconds: pd.DataFrame, *, within_days: int, level: float = 0.95) -> pd.DataFrame:
    """The repeat rate of each group, and how far it lies from that of all others.

    From: `second_orders_by`. To, by falling rate: group, customers (observed for `within_days`), returned, value, low,
    high, n, level, method (Wilson), then as `compared`. Numbers of groups under five customers are withheld.
    Raises UsageError as `loyalty.repeat_share`.
    """
    rows = []
    for name, part in seconds.groupby("group", sort=True):
        rate = repeat_share(part, within_days=within_days, level=level)
        rows.append((name, rate.n, round(rate.value * rate.n) if rate.known else 0))
    return compared_groups(pd.DataFrame(rows, columns=["group", "customers", "returned"]), level=level)


def compared_groups(shares: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """`compared`, by falling share, the numbers of groups under five customers withheld."""
    frame = compared(shares, level=level)
    kept = frame[["level", "difference_level", "family"]]
    frame = withhold_small(frame, count="customers").assign(**kept)
    hidden = frame["customers"].isna()
    frame["method"], frame["reading"] = frame["method"].mask(hidden, WITHHELD), frame["reading"].mask(hidden, TOO_FEW)
    return frame.sort_values(["value", "group"], ascending=[False, True], ignore_index=True)


def cohorts_compared(cohorts: pd.DataFrame, *, month: int = 1, level: float = 0.95) -> pd.DataFrame:
    """Whether one month's newcomers came back in the `month`-th month after more or less often than all others.

    From: `cohorts.cohorts`. To: cohort, customers, returned, value, low, high, n, level, method, then as `compared`.
    Cohorts of fewer than 30 customers are in the table without a verdict. Those that cannot be observed are left out.
    """
    seen = cohorts[(cohorts["month"] == month) & cohorts["observable"] & (cohorts["customers"] > 0)]
    frame = seen[["cohort", "customers"]].assign(returned=seen["active"].astype("int64"))
    return compared(frame.reset_index(drop=True), least=FEW, level=level)


def compared(shares: pd.DataFrame, *, least: int = LEAST_SHOWN, level: float = 0.95) -> pd.DataFrame:
    """Each row's share with its interval, and against the share of all other rows together.

    From: customers, returned (of them), one row a group. To: the same rows with value, low, high, n, level, method
    (Wilson); others (the share of all other rows), difference (value - others in percentage points), difference_low,
    difference_high, difference_level, family (how many comparisons hold together), reading (more, fewer, not told
    apart; too few to judge under `least` customers on either side).
    The readings hold together at `level` (Holm): an interval excludes 0 exactly where the reading is more or fewer. Of
    two rows the second's difference is the first's turned round: one comparison.
    What it cannot show: that the group is the cause.
    Source: Newcombe (1998), Statistics in Medicine 17(8), 873-890, method 10; Holm (1979), Scandinavian Journal of
    Statistics 6(2), 65-70.
    """
    n, part = shares["customers"].to_numpy("int64"), shares["returned"].to_numpy("int64")
    low, high = wilson_ends(part, n, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, others = part / n, (part.sum() - part) / (n.sum() - n)
    judged = (n >= least) & (n.sum() - n >= least)
    sides = [(int(a), int(b), int(part.sum() - a), int(n.sum() - b)) for a, b in zip(part, n, strict=True)]
    p = np.array([_error_at_zero(*side) if ok else np.nan for side, ok in zip(sides, judged, strict=True)])
    twin = np.arange(len(n)) == (1 if len(n) == 2 else -1)
    levels = holm_levels(np.where(twin, np.nan, p), level=level)
    levels = np.where(twin, levels[:1] if len(n) else level, levels)
    gaps = [
        share_difference(*side, level=at) if ok else None for side, at, ok in zip(sides, levels, judged, strict=True)
    ]
    ends = {f: np.array([getattr(g, f) if g else np.nan for g in gaps]) for f in ("value", "low", "high")}
    return shares.assign(
        value=value, low=low, high=high, n=n, level=level, method="Wilson; difference: Newcombe, Holm", others=others,
        difference=ends["value"], difference_low=ends["low"], difference_high=ends["high"], difference_level=levels,
        family=int(np.isfinite(np.where(twin, np.nan, p)).sum()),
        reading=np.select([~judged, ends["low"] > 0, ends["high"] < 0], [TOO_FEW, MORE, FEWER], ALIKE),
    )  # fmt: skip


def _error_at_zero(one: int, of_one: int, other: int, of_other: int) -> float:
    """The error at which the interval of the difference just touches 0 (its p-value), found by halving."""
    from scipy.special import ndtr

    least, most = 0.0, 8.0  # standard errors; beyond 8 all is certain in floating point
    for _ in range(40):
        z = (least + most) / 2
        gap = share_difference(one, of_one, other, of_other, level=float(2 * ndtr(z) - 1))
        least, most = (least, z) if gap.low <= 0 <= gap.high else (z, most)
    return float(2 * ndtr(-most))


def compared_in_words(frame: pd.DataFrame, *, what: str) -> str:
    """Who was told apart from all others, the largest difference first. From: `repeat_by`, `cohorts_compared`.

    `what`: what the rows are, as in "first orders by channel".
    """
    named = frame.rename(columns={"cohort": "group"})
    certain = named[named["reading"].isin([MORE, FEWER])]
    certain = certain.iloc[(-certain["difference"].abs()).argsort(kind="stable")]
    level = f"{100 * frame['level'].iloc[0]:g} %" if len(frame) else ""
    if (named["reading"] == TOO_FEW).all():
        return f"{what}: there are too few customers in two groups to compare them."
    if certain.empty:
        return f"{what}: too early to say whether any differs from the others (all together at {level})."
    parts = []
    for row in certain.head(4).itertuples():
        name = f"{row.group:%Y-%m}" if isinstance(row.group, pd.Timestamp) else clean_text(row.group)
        gap = f"{format_value(row.difference, 'points')} percentage points"
        ends = format_ends(row.difference_low, row.difference_high, "points")
        shares = f"{format_value(row.value, 'share')} against {format_value(row.others, 'share')}"
        parts.append(f"{name} {shares} of the others ({gap}, {ends}, n = {row.n:,.0f})")
    more = f"; {len(certain) - 4} more stand in the table" if len(certain) > 4 else ""
    return f"{what}, told apart from all others, all together at {level}: {'; '.join(parts)}{more}."


def tenure_by(
    orders: ibis.Table, groups: ibis.Table, *, as_of: date, look_ahead: int = LOOK_AHEAD, level: float = 0.95
) -> pd.DataFrame:
    """`tenure_curves` of each group: group, then its columns.

    From: orders (lines); groups: customer_id, group. What is left out: months that rest on under five customers.
    """
    patterns = active_months(orders, as_of=as_of, groups=groups)
    parts = [
        tenure_curves(cohort_grid(part, as_of=as_of, look_ahead=look_ahead), level=level).assign(group=name)
        for name, part in patterns.groupby("group", sort=True)
    ]
    columns = ["group", "ordered", "month", "cohorts", "customers", "active", "value", "low", "high", "n", "level"]
    if not parts:
        return pd.DataFrame(columns=[*columns, "method"])
    curves = pd.concat(parts)[[*columns, "method"]]
    return curves[curves["customers"] >= LEAST_SHOWN].reset_index(drop=True)


def plot_repeat_by(rates: pd.DataFrame, *, title: str, ax: "Axes | None" = None) -> "Axes":
    """`repeat_by` as points with their intervals, by falling rate; those told apart from all others in the accent."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(rates), 1) + 1.3))[1] if ax is None else ax
    told = rates["reading"].isin([MORE, FEWER]).to_numpy(dtype=bool)
    place = np.arange(len(rates))
    for mask, colour, name in ((told, "C0", "told apart from all others"), (~told, GREY, "not told apart")):
        ax.hlines(place[mask], rates["low"][mask], rates["high"][mask], color=colour, linewidth=1.6)
        ax.plot(rates["value"][mask], place[mask], "o", color=colour, markersize=7, label=name if mask.any() else None)
    for y, row in zip(place, rates.itertuples(), strict=True):
        known = row.high == row.high
        text = f"{format_value(row.value, 'share')}  (n = {row.n:,.0f})" if known else "withheld or not yet observable"
        ax.annotate(text, (row.high if known else 0, y), (8, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(place, [folded_text(name) for name in rates["group"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(max(len(rates), 1) - 0.5, -0.5)
    ax.margins(x=0.3)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel="Share who ordered again", title=title)
    if len(rates):
        ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.6 / ax.figure.get_figheight()), ncols=2)
    return ax
