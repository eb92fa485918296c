"""Does the company live from new customers or from those it has: revenue and orders by month from both (S2b 8)."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, ratio_of_sums, unknown
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, format_interval, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RISES, FALLS, EARLY = "rises", "falls", "too early to say"
SUMS = ("new_orders", "known_orders", "new_revenue", "known_revenue")


def _split(orders: ibis.Table, as_of: date) -> tuple[ibis.Table, date | None]:
    """Counted orders up to `as_of` with known (bought on an earlier day; null without a customer), month; the begin."""
    totals = placed_orders(orders, as_of=as_of)
    begins = collect(totals.aggregate(first=totals.ordered_on.min()), order_by="first")["first"].iloc[0]
    first = totals.ordered_on.min().over(ibis.window(group_by="customer_id"))
    known = totals.customer_id.notnull().ifelse(totals.ordered_on > first, ibis.null("boolean"))
    split = totals.mutate(known=known, month=totals.ordered_on.truncate("M").cast("date"))
    return split, None if pd.isna(begins) else pd.Timestamp(begins).date()


def _sums(split: ibis.Table) -> dict[str, ibis.expr.types.NumericValue]:
    return {
        "new_orders": split.count(where=~split.known),
        "known_orders": split.count(where=split.known),
        "new_revenue": split.revenue.sum(where=~split.known).fill_null(0.0).round(PLACES),
        "known_revenue": split.revenue.sum(where=split.known).fill_null(0.0).round(PLACES),
    }


def _check(burn_in_days: int) -> None:
    if burn_in_days < 0:
        raise UsageError(f"burn_in_days must be 0 or more; found {burn_in_days}. 0 takes every customer as new.")


def _whole_months(begins: date, as_of: date) -> list[date]:
    """The first days of the whole months from the data's begin to `as_of`, oldest first."""
    months, first = [], (as_of + timedelta(days=1)).replace(day=1)
    while (first - timedelta(days=1)) >= begins:
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(first)
    return months[::-1]


def new_and_known(orders: ibis.Table, *, as_of: date, burn_in_days: int = 90, level: float = 0.95) -> pd.DataFrame:
    """Orders and revenue by month from new customers and from those the shop already had.

    From: orders (lines). To, one row a whole month: month (its first day), new_orders, known_orders, new_revenue,
    known_revenue (amount - refund), guest_orders and guest_revenue (without a customer: neither), value (known_revenue
    as a share of what new and known customers brought), low, high, n (customers who ordered), level, method, settled
    (false where the month begins within `burn_in_days` of the data's first order).
    New is what a customer buys on the first day in the data with an order; all later orders are a known customer's.
    The customers are the units of the interval; NaN with fewer than 5, or where the revenue is not above zero.
    What it cannot show: who bought before the data begin counts as new the first time. So the share of known customers
    is too small, most in the first months, and rises by itself for a while, the longer the rarer customers buy.
    Source: ratio of sums as `estimates.cluster_error`; the question is S2b's. Raises UsageError on a negative burn-in.
    """
    from scipy.special import stdtrit

    _check(burn_in_days)
    split, begins = _split(orders, as_of)
    names = ["month", *SUMS, "guest_orders", "guest_revenue", "value", "low", "high", "n", "level", "method", "settled"]
    months = [] if begins is None else _whole_months(begins, as_of)
    if not months:
        return pd.DataFrame(columns=names)
    owned, guests = split.filter(split.customer_id.notnull()), split.filter(split.customer_id.isnull())
    cells = owned.group_by("month", "customer_id").aggregate(**_sums(owned))
    part, whole = cells.known_revenue, cells.known_revenue + cells.new_revenue
    sums = {name: cells[name].sum() for name in SUMS[:2]} | {name: cells[name].sum().round(PLACES) for name in SUMS[2:]}
    squares = {"part_sq": part * part, "cross": part * whole, "whole_sq": whole * whole}
    sums |= {name: column.sum().round(PLACES) for name, column in squares.items()}
    frame = collect(cells.group_by("month").aggregate(**sums, n=cells.count()), order_by="month")
    without = guests.group_by("month").aggregate(
        guest_orders=guests.count(), guest_revenue=guests.revenue.sum().round(PLACES)
    )
    frame, without = (f.assign(month=pd.to_datetime(f["month"])) for f in (frame, collect(without, order_by="month")))
    every = pd.DataFrame({"month": pd.to_datetime(months)})
    frame = every.merge(frame, on="month", how="left").merge(without, on="month", how="left").fillna(0)
    n, whole = frame["n"].to_numpy(float), (frame["known_revenue"] + frame["new_revenue"]).to_numpy(float)
    tellable = (n >= LEAST_SHOWN) & (whole > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(tellable, frame["known_revenue"] / whole, np.nan)
    error = cluster_error(frame["part_sq"], frame["cross"], frame["whole_sq"], whole, value, n)
    half = stdtrit(np.maximum(n - 1, 1), (1 + level) / 2) * error
    low, high = np.where(value >= 0, np.maximum(value - half, 0.0), value - half), value + half
    high = np.where(value <= 1, np.minimum(high, 1.0), high)
    settled = frame["month"] >= pd.Timestamp(begins + timedelta(days=burn_in_days))
    counts = {name: frame[name].astype("int64") for name in ("new_orders", "known_orders", "guest_orders", "n")}
    method = np.where(tellable, "linearised ratio by customer", "too few customers, or no revenue")
    frame = frame.assign(**counts, value=value, low=low, high=high, level=level, method=method, settled=settled)
    return frame[names]


def known_share(
    orders: ibis.Table, *, as_of: date, months: int = 12, burn_in_days: int = 90, level: float = 0.95
) -> tuple[Estimate, Estimate]:
    """What known customers bring of the revenue of the last whole months, and how that changed.

    From: orders (lines). To, two Estimates: the share over the last `months` settled whole months (fewer where there
    are no more); and the second half of those months minus the first, in percentage points (of an odd number the middle
    one is left out). n counts customers. Both are linearised over customers, who may be in both halves.
    Unknown where no month is settled, with fewer than 5 customers (in either half), or where the revenue is not above
    zero. Settled, new and known, and what it cannot show: as `new_and_known`.
    Raises UsageError where `months` is below 2, or on a negative burn-in.
    """
    _check(burn_in_days)
    if months < 2:
        raise UsageError(f"months must be at least 2; found {months}.")
    split, begins = _split(orders, as_of)
    settled = [] if begins is None else _whole_months(begins, as_of)
    settled = [month for month in settled if month >= begins + timedelta(days=burn_in_days)][-months:]
    if not settled:
        why = f"no whole month begins {burn_in_days} days or more after the data do"
        return unknown("share", level=level, method=why), unknown("points", level=level, method=why)
    owned = split.filter(split.customer_id.notnull())
    people = {}
    side = len(settled) // 2
    halves = {"first": settled[:side], "last": settled[len(settled) - side :], "all": settled}
    for half, inside in halves.items():
        first, last = (inside[0], inside[-1]) if inside else (date.max, date.min)
        here = (owned.month >= ibis.literal(first)) & (owned.month <= ibis.literal(last))
        for name, kind in (("known", here & owned.known), ("whole", here)):
            people[f"{half}_{name}"] = owned.revenue.sum(where=kind).fill_null(0.0).round(PLACES)
        people[f"{half}_there"] = here.any()
    frame = collect(owned.group_by("customer_id").aggregate(**people), order_by="customer_id")
    frame = frame[frame["all_there"]]
    share = ratio_of_sums(frame["all_known"].to_numpy(), frame["all_whole"].to_numpy(), level=level)
    return share, _change(frame, side, level)


def _change(frame: pd.DataFrame, side: int, level: float) -> Estimate:
    from scipy.special import stdtrit

    n, ratios, pulls = len(frame), [], np.zeros(len(frame))
    if not side:
        return unknown("points", n=n, level=level, method="one month alone shows no change")
    for half, sign in (("last", 1), ("first", -1)):
        part, whole = frame[f"{half}_known"].to_numpy(), frame[f"{half}_whole"].to_numpy()
        if frame[f"{half}_there"].sum() < LEAST_SHOWN or not whole.sum() > 0:
            return unknown("points", n=n, level=level, method="too few customers, or no revenue, in half of the months")
        ratios.append(part.sum() / whole.sum())
        pulls += sign * (part - ratios[-1] * whole) / whole.sum()
    gap = 100 * (ratios[0] - ratios[1])
    half = 100 * float(stdtrit(n - 1, (1 + level) / 2)) * float(np.sqrt(n / (n - 1) * np.square(pulls).sum()))
    return Estimate(
        float(gap), float(gap - half), float(gap + half), n, "points", level, "linearised ratios by customer"
    )


def trend(change: Estimate) -> str:
    """Rises or falls where the whole interval lies on one side of nought, else "too early to say"."""
    if not change.known or change.low <= 0 <= change.high:
        return EARLY
    return RISES if change.value > 0 else FALLS


def known_in_words(share: Estimate, change: Estimate) -> list[str]:
    """From whom the company lives, and how that changes, in sentences. From: `known_share`."""
    if not share.known:
        return [f"Whether the shop lives from new customers or from those it has: too early to say ({share.method})."]
    told = f"({format_interval(share)}, n = {share.n:,})"
    whom = "from the customers it has" if share.low > 0.5 else "from new customers" if share.high < 0.5 else ""
    live = f"The shop lives {whom}" if whom else "Whether the shop lives from new or from known customers: too close"
    texts = [f"{live}: known customers bring {format_value(share.value, 'share')} of the revenue {told}."]
    word = trend(change)
    if not change.known:
        return [*texts, f"Whether that share changes: too early to say ({change.method})."]
    texts.append(
        f"From the first half of those months to the second the share moved by "
        f"{format_value(change.value, 'points')} percentage points ({format_interval(change)}): {word}."
    )
    if word == RISES:
        texts.append("A part of the rise may be the data's begin: customers from before it look new at first.")
    return texts


def known_finding(share: Estimate) -> Finding:
    """loyalty.known_revenue_share: what known customers bring of the revenue. From: `known_share`, the first."""
    return Finding(
        id="loyalty.known_revenue_share",
        claim="Customers who had bought before bring {value} of what customers spend ({interval}).",
        estimate=share,
        label="Share of revenue from customers who had bought before",
        evidence=("new_and_known",),
        action="Set what is spent on winning customers beside what is spent on those who are there.",
    )


def plot_new_and_known(by_month: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`new_and_known` as the share of revenue that known customers bring, by month, with its intervals.

    Months that begin soon after the data do are grey.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.2))[1] if ax is None else ax
    place, settled = np.arange(len(by_month)), by_month["settled"].to_numpy(dtype=bool)
    ax.axhline(0.5, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.vlines(place, by_month["low"].astype(float), by_month["high"].astype(float), color=GREY, linewidth=1.2)
    ax.plot(place[~settled], by_month["value"][~settled].astype(float), "o", color="white", markeredgecolor=GREY)
    ax.plot(place[settled], by_month["value"][settled].astype(float), marker="o", color="C0")
    if settled.any() and np.isfinite(last := float(by_month["value"].iloc[-1])):
        ax.annotate(
            format_value(last, "share"), (place[-1], last), (8, 0), textcoords="offset points", va="center", color=INK
        )
    shown = place[::-1][:: max(-(-len(place) // 9), 1)][::-1]
    ax.set_xticks(shown, [f"{by_month['month'].iloc[k]:%Y-%m}" for k in shown])
    ax.set_ylim(0, 1)
    ax.margins(x=0.06)
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set(ylabel="Share of the revenue", title="What customers bring who had bought before")
    note = "dashed: half of the revenue" + ("" if settled.all() else "; hollow: soon after the data begin")
    ax.set_xlabel(note.capitalize(), color=GREY)
    return ax


def describe_new_and_known(by_month: pd.DataFrame) -> str:
    """What `plot_new_and_known` shows, for those who cannot see it."""
    rows = by_month[by_month["settled"].astype(bool) & by_month["value"].notna()]
    if not len(rows):
        return "Line of the share of revenue from known customers by month; no month can be judged yet."
    first, last = (f"{format_value(r.value, 'share')} in {r.month:%Y-%m}" for r in rows.iloc[[0, -1]].itertuples())
    return f"Line of the share of revenue from customers who had bought before, by month: {first}, {last}."
