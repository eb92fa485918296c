"""Do customers come back: the repeat rate within a window, of those who could be observed that long."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from cxkit.buyers import placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.findings import Finding
from cxkit.style import GREY, INK, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WINDOWS = (30, 60, 90, 180, 365)  # days


def second_orders(orders: ibis.Table, *, as_of: date, burn_in_days: int = 0) -> pd.DataFrame:
    """How long customers have been observed, and how long after the first order the next one came.

    From: orders (lines). To, counted, ordered by the first two: observed_days (as_of - first order), gap_days (first
    order to the next order on a later day; missing where there was none), customers.
    Two orders on one day are one purchase: a forgotten item or a split payment is no return. What is left out: orders
    without a customer, and customers first seen within `burn_in_days` of the data's first order. Among those are the
    regulars who had ordered before the data begin, whom nothing tells from new customers and who come back sooner.
    Source: left truncation, as in Klein & Moeschberger (2003), Survival Analysis, 2nd ed., sec. 3.4.
    Raises UsageError where `burn_in_days` is below 0.
    """
    if burn_in_days < 0:
        raise UsageError(f"burn_in_days must be 0 or more; found {burn_in_days}. 0 takes every customer as new.")
    totals = placed_orders(orders, as_of=as_of)
    begins = totals.ordered_on.min().as_scalar()
    totals = totals.filter(totals.customer_id.notnull())
    days = totals.select("customer_id", "ordered_on").distinct()
    firsts = days.group_by("customer_id").aggregate(first_on=days.ordered_on.min())
    if burn_in_days:
        firsts = firsts.filter(firsts.first_on.delta(begins, unit="day") >= burn_in_days)
    both = days.join(firsts, "customer_id")
    later = (both.ordered_on > both.first_on).ifelse(both.ordered_on, ibis.null("date"))
    seconds = both.group_by("customer_id", "first_on").aggregate(second_on=later.min())
    spans = seconds.select(
        observed_days=ibis.literal(as_of).delta(seconds.first_on, unit="day").cast("int64"),
        gap_days=seconds.second_on.delta(seconds.first_on, unit="day").cast("int64"),
    )
    counted = spans.group_by("observed_days", "gap_days").aggregate(customers=spans.count())
    frame = collect(counted, order_by=["observed_days", "gap_days"])
    return frame.astype({"observed_days": "int64", "gap_days": "Int64", "customers": "int64"})


def repeat_rate(
    orders: ibis.Table, *, within_days: int, as_of: date, burn_in_days: int = 0, level: float = 0.95
) -> Estimate:
    """Share of customers who ordered again within `within_days` of their first order.

    From: orders (lines). To: Estimate (share, Wilson's interval); n counts the customers whose first order lies at
    least `within_days` before `as_of`: only they could be observed that long. The rest, and what counts as a second
    order, as in `second_orders`. Unknown where nobody has been observed that long.
    Raises UsageError where `within_days` is below 1.
    """
    seconds = second_orders(orders, as_of=as_of, burn_in_days=burn_in_days)
    return repeat_share(seconds, within_days=within_days, level=level)


def repeat_share(seconds: pd.DataFrame, *, within_days: int, level: float = 0.95) -> Estimate:
    """`repeat_rate` from the counts of `second_orders`, for one who needs several windows."""
    if within_days < 1:
        raise UsageError(
            f"within_days must be at least 1; found {within_days}. Customary windows: 30, 60, 90, 180, 365."
        )
    observed = seconds[seconds["observed_days"] >= within_days]
    n = int(observed["customers"].sum())
    if n == 0:
        return unknown("share", level=level, method=f"nobody has been observed for {within_days} days")
    returned = observed["gap_days"].le(within_days).fillna(False).astype(bool)
    return wilson(int(observed.loc[returned, "customers"].sum()), n, level=level)


def repeat_rates(seconds: pd.DataFrame, *, windows: Sequence[int] = WINDOWS, level: float = 0.95) -> pd.DataFrame:
    """The repeat rate for several windows. From: `second_orders`. To: within_days, value, low, high, n, level, method.

    Each window rests on the customers who could be observed that long, so the longer ones on older customers.
    """
    rows = []
    for days in windows:
        rate = repeat_share(seconds, within_days=days, level=level)
        fields = ("value", "low", "high", "n", "level", "method")
        rows.append({"within_days": days} | {field: getattr(rate, field) for field in fields})
    return pd.DataFrame(rows, columns=["within_days", "value", "low", "high", "n", "level", "method"])


def plot_repeat_rates(rates: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`repeat_rates` as points with their intervals, labelled; windows nobody has been observed for are left empty."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * len(rates) + 1.3))[1] if ax is None else ax
    place = range(len(rates))
    ax.hlines(place, rates["low"], rates["high"], color=INK, linewidth=1.4)
    ax.plot(rates["value"], place, "o", color="C0", markersize=7)
    for y, row in zip(place, rates.itertuples(), strict=True):
        known = row.high == row.high
        text = (
            f"{format_value(row.value, 'share')}  (n = {row.n:,})" if known else f"not yet observable (n = {row.n:,})"
        )
        ax.annotate(
            text, (row.high if known else 0, y), (8, 0), textcoords="offset points", va="center",
            color=INK if known else GREY,
        )  # fmt: skip
    ax.set_yticks(place, [f"{days} days" for days in rates["within_days"]])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.3, y=0.15)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(xlabel="Share of customers observed that long", ylabel="Within", title="Customers who ordered again")
    return ax


def describe_repeat_rates(rates: pd.DataFrame) -> str:
    """What `plot_repeat_rates` shows, for those who cannot see it."""
    known = rates[rates["high"].notna()]
    parts = [f"{format_value(row.value, 'share')} within {row.within_days} days" for row in known.itertuples()]
    if not parts:
        return "Nobody has been observed long enough for any of the windows."
    return f"Points with intervals: of the customers observed that long, {', '.join(parts)} ordered again."


def repeat_rate_finding(estimate: Estimate, *, within_days: int) -> Finding:
    """loyalty.repeat_rate: how many come back within the window. From: `repeat_rate`."""
    return Finding(
        id="loyalty.repeat_rate",
        claim=f"{{value}} of customers order again within {within_days} days of their first order ({{interval}}).",
        estimate=estimate,
        label=f"Customers who order again within {within_days} days",
        evidence=("repeat_rates",),
        action=f"Plan what a customer hears and sees in the {within_days} days after the first order, and compare the "
        "rate of those who got it with that of those who did not.",
    )
