"""What a reward would have cost on last year's orders, and the uplift at which it pays (S2b 14)."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import cluster_error
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, format_ends, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

YEAR = 365  # days
OF_MARGIN, OF_REVENUE = "margin", "revenue"
NEVER = "costs as much as the whole margin: no uplift pays for it"
NO_MARGIN = "not known: no margin"
NOBODY = "too few customers would have earned it"
PAYS = "pays from this uplift on"


def rewards(
    orders: ibis.Table, *, as_of: date, margin_share: float | None, reward_share: float = 0.1, reward_days: int = 30,
    free_every: int = 10, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Two rewards on the purchases of the last 365 days, as if nobody had changed what he did.

    From: orders (lines); `margin_share`: what is left of 1 of revenue (`margins.margin_share`), or None. A purchase is
    a local day with at least one counted order; its money is what was kept (amount - refund).
    The discount: `reward_share` off a purchase that comes within `reward_days` of the customer's last one. The card:
    every `free_every`-th purchase of a customer in the year is free.
    To, two rows: reward (in words), customers (who would have earned it), purchases (rewarded), of_purchases (all of
    the year), days (from the first of them to as_of), cost (money), base (margin, or revenue where no margin is known),
    of (which of the two), share (cost by base) with low, high, n (customers with a purchase in the year), level,
    method; break_even (the uplift in purchases at which the margin is what it was: share / (1 - share); 0.1 is +10 %)
    with break_even_low and break_even_high; more (how many more purchases that is) and more_of_rewarded (the same by
    the purchases rewarded: 0.45 is +45 %); reading.
    The interval takes the customers as the units. Further purchases are rewarded as often as today's, and at the same
    margin: a reward that moves purchases into the window, or to the next free one, must lift them by more.
    What is left out: purchases without a customer, days before the year (the card begins empty; the day of the last
    purchase before the year counts for the discount); what running the scheme costs. With fewer than 5 customers who
    would have earned it nothing is told. NaN where the margin is at or below zero.
    Source: the rewards are S2b's, 14; ratio of sums as `estimates.cluster_error`.
    Raises UsageError where `reward_share` does not lie between 0 and 1, `reward_days` is below 1, `free_every` below 2,
    or the share of the margin above 1.
    """
    _check(margin_share, reward_share, reward_days, free_every)
    sums = _sums(orders, as_of, reward_share=reward_share, reward_days=reward_days, free_every=free_every)
    names = {
        "discount": f"{format_value(reward_share, 'share')} off a purchase within {reward_days} days of the last",
        "card": f"Every {_ordinal(free_every)} purchase of the year free",
    }
    n, revenue = int(sums["n"]), float(sums["revenue"])
    scale = 1.0 if margin_share is None else float(margin_share)
    of = OF_REVENUE if margin_share is None else OF_MARGIN
    rows = []
    for kind, name in names.items():
        earned = int(sums[f"{kind}_customers"])
        told = {"customers": earned, "purchases": int(sums[f"{kind}_purchases"]), "cost": float(sums[f"{kind}_cost"])}
        row = {"reward": name} | told
        row |= {
            "of_purchases": int(sums["purchases"]),
            "days": int(sums["days"]),
            "base": scale * revenue,
            "of": of,
            "n": n,
            "level": level,
        }
        known = earned >= LEAST_SHOWN and scale * revenue > 0
        if known:
            value, half = _share(sums, kind, n, scale, level)
            row |= {"share": value, "low": max(value - half, 0.0), "high": value + half}
            row["method"] = "linearised ratio by customer"
        else:
            row |= dict.fromkeys(("share", "low", "high"), np.nan)
            if earned < LEAST_SHOWN:
                row |= dict.fromkeys(("customers", "purchases", "cost"), np.nan if earned else 0)
            row["method"] = NOBODY if earned < LEAST_SHOWN else f"the {of} of the year is not above zero"
        rows.append(row | _break_even(row, known=known and margin_share is not None, of=of))
    order = ["reward", "customers", "purchases", "of_purchases", "days", "cost", "base", "of", "share", "low", "high",
             "n", "level", "method", "break_even", "break_even_low", "break_even_high", "more", "more_of_rewarded",
             "reading"]  # fmt: skip
    return pd.DataFrame(rows)[order]


def _check(margin_share: float | None, reward_share: float, reward_days: int, free_every: int) -> None:
    if margin_share is not None and not margin_share <= 1:
        raise UsageError(f"margin_share is what is left of 1 of revenue, at most 1; found {margin_share:g}.")
    if not 0 < reward_share < 1:
        raise UsageError(f"reward_share is a share between 0 and 1, as 0.1; found {reward_share:g}.")
    for name, number, least in (("reward_days", reward_days, 1), ("free_every", free_every, 2)):
        if number < least:
            raise UsageError(f"{name} must be at least {least}; found {number}.")


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _sums(orders: ibis.Table, as_of: date, *, reward_share: float, reward_days: int, free_every: int) -> pd.Series:
    """One row: sums over the customers of the year, of costs and revenue, their squares and products."""
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    days = totals.group_by("customer_id", "ordered_on").aggregate(revenue=totals.revenue.sum().round(PLACES))
    mine = ibis.window(group_by="customer_id", order_by="ordered_on")
    days = days.mutate(last_on=days.ordered_on.lag().over(mine))
    year = days.filter(days.ordered_on > ibis.literal(as_of - timedelta(days=YEAR)))
    year = year.mutate(place=ibis.row_number().over(mine) + 1)
    soon = (year.ordered_on.delta(year.last_on, unit="day") <= reward_days).fill_null(False)
    free = year.place % free_every == 0
    # what was given back costs no reward
    kept = year.revenue.clip(lower=0.0)
    people = year.group_by("customer_id").aggregate(
        revenue=year.revenue.sum().round(PLACES),
        purchases=year.count(),
        discount=(soon.ifelse(kept, 0.0) * reward_share).sum().round(PLACES),
        card=free.ifelse(kept, 0.0).sum().round(PLACES),
        discount_purchases=soon.cast("int64").sum(),
        card_purchases=free.cast("int64").sum(),
    )
    square = people.revenue * people.revenue
    begins = ibis.literal(as_of).delta(year.ordered_on.min(), unit="day").cast("int64") + 1
    covered = collect(year.aggregate(days=begins), order_by="days")["days"].iloc[0]
    sums = {"n": people.count(), "purchases": people.purchases.sum(), "revenue": people.revenue.sum()}
    sums["revenue_sq"] = square.sum()
    for kind in ("discount", "card"):
        cost = people[kind]
        sums |= {
            f"{kind}_cost": cost.sum(),
            f"{kind}_sq": (cost * cost).sum(),
            f"{kind}_cross": (cost * people.revenue).sum(),
            f"{kind}_purchases": people[f"{kind}_purchases"].sum(),
            f"{kind}_customers": (people[f"{kind}_purchases"] > 0).cast("int64").sum(),
        }
    row = collect(people.aggregate(**sums), order_by="n").iloc[0].astype(float).fillna(0.0)
    row["days"] = 0.0 if pd.isna(covered) else float(covered)
    return row.round(PLACES)


def _share(sums: pd.Series, kind: str, n: int, scale: float, level: float) -> tuple[float, float]:
    """The cost as a share of the base, and its interval's half width."""
    from scipy.special import stdtrit

    value = sums[f"{kind}_cost"] / (scale * sums["revenue"])
    parts = sums[f"{kind}_sq"], scale * sums[f"{kind}_cross"], scale**2 * sums["revenue_sq"]
    error = float(cluster_error(*parts, scale * sums["revenue"], value, n))
    return float(value), float(stdtrit(max(n - 1, 1), (1 + level) / 2)) * error


def _break_even(row: dict, *, known: bool, of: str) -> dict:
    """The uplift at which a reward pays, from the cost's share of the margin."""
    names = ("break_even", "break_even_low", "break_even_high")
    none = dict.fromkeys((*names, "more", "more_of_rewarded"), np.nan)
    if not known:
        return none | {"reading": NO_MARGIN if of == OF_REVENUE and np.isfinite(row["share"]) else row["method"]}
    if row["share"] >= 1:
        return none | {"reading": NEVER}
    ends = [row[end] / (1 - row[end]) if row[end] < 1 else np.inf for end in ("share", "low", "high")]
    more = ends[0] * row["of_purchases"]
    told = {"more": more, "more_of_rewarded": more / row["purchases"], "reading": PAYS}
    return dict(zip(names, ends, strict=True)) | told


def rewards_in_words(table: pd.DataFrame, *, currency: str = "") -> list[str]:
    """What each reward would have cost and when it pays, a sentence each. From: `rewards`."""
    texts = []
    for row in table.itertuples():
        if not np.isfinite(row.share):
            texts.append(f"{row.reward}: too early to say ({row.method}).")
            continue
        ends = format_ends(row.low, row.high, "share")
        text = (
            f"{row.reward} would have cost {format_value(row.cost, 'money', currency)} on {row.purchases:,.0f} of "
            f"{row.of_purchases:,} purchases of the last {row.days:,} days: "
            f"{format_value(row.share, 'share')} of the {row.of} "
            f"({ends}, n = {row.n:,})"
        )
        if np.isfinite(row.break_even):
            ends = (
                format_ends(row.break_even_low, row.break_even_high, "lift")
                if np.isfinite(row.break_even_high)
                else (f"from {format_value(row.break_even_low, 'lift')} up")
            )
            text += (
                f". It pays where all purchases rise by {format_value(row.break_even, 'share')} or more ({ends}): "
                f"{row.more:,.0f} more, which is {format_value(row.more_of_rewarded, 'share')} of those rewarded."
            )
        else:
            text += f". The uplift at which it pays: {row.reading}."
        texts.append(text)
    if table["break_even"].notna().any():
        texts.append("The further purchases are taken to be rewarded as often as today's and to leave the same margin.")
    return texts


def plot_rewards(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`rewards` as points with intervals: the uplift in purchases at which each pays."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.55 * len(table) + 1.4))[1] if ax is None else ax
    place = np.arange(len(table))
    high = table["break_even_high"].replace(np.inf, np.nan).fillna(table["break_even"])
    ax.hlines(place, table["break_even_low"], high, color=INK, linewidth=1.4)
    ax.plot(table["break_even"], place, "o", color="C0", markersize=7)
    for y, row, end in zip(place, table.itertuples(), high, strict=True):
        known = np.isfinite(row.break_even)
        ax.annotate(
            format_value(row.break_even, "lift") if known else row.reading, (end if known else 0.0, y), (8, 0),
            textcoords="offset points", va="center", color=INK if known else GREY,
        )  # fmt: skip
    ax.set_yticks(place, [name.replace(" within ", "\nwithin ") for name in table["reward"]])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(x=0.3, y=0.3)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(lambda share, _: format_value(round(share, 6), "lift"))
    ax.set(xlabel="More purchases needed for the margin of today", title="When a reward pays")
    return ax


def describe_rewards(table: pd.DataFrame) -> str:
    """What `plot_rewards` shows, for those who cannot see it."""
    parts = [
        f"{row.reward}: {format_value(row.break_even, 'lift') if np.isfinite(row.break_even) else row.reading}"
        for row in table.itertuples()
    ]
    return f"Points with intervals of the uplift in purchases at which a reward pays. {'; '.join(parts)}."
