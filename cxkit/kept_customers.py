"""How many customers are kept from one period to the next, new ones and all, and what they leave in a period."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, mean, unknown, wilson
from cxkit.privacy import LEAST_SHOWN

PARTS = {
    "first": "what a new customer leaves in the first period",
    "new_kept": "how many new customers order in the second period",
    "kept": "how many customers are kept",
    "left": "what a kept customer leaves",
}


@dataclass(frozen=True)
class NewCustomer:
    """What the profit of a new customer is made of, all as Estimate.

    first (money, what a new customer leaves in the first period) and new_kept (share of them who order in the second):
    `newcomers`. kept (share of all customers of a period who order in the next): `period_retention`. left (money, what
    a kept customer leaves in a period): `margin_per_period`. won (money, what winning a customer costs):
    `margins.acquisition_cost`; unknown: taken as 0, and said. together: how the errors of the first four go together
    (correlations, `together`); empty: not at all.
    """

    first: Estimate
    new_kept: Estimate
    kept: Estimate
    left: Estimate
    won: Estimate
    together: tuple[tuple[float, ...], ...] = ()

    @property
    def missing(self) -> str:
        """Which part is not known and why, in words; empty where all but the cost of winning are."""
        lacking = [f"{words}: {getattr(self, part).method}" for part, words in PARTS.items()
                   if not getattr(self, part).known]  # fmt: skip
        return lacking[0] if lacking else ""

    @property
    def n(self) -> int:
        """The customers behind the less certain of the two retentions."""
        return min(self.new_kept.n, self.kept.n)


def _check(days: int, margin_share: float | None = None) -> None:
    if days < 1:
        raise UsageError(f"days must be at least 1; found {days}.")
    if margin_share is not None and not margin_share <= 1:
        raise UsageError(f"margin_share is what is left of 1 of revenue, at most 1; found {margin_share:g}.")


def _people(orders: ibis.Table, as_of: date, days: int) -> tuple[ibis.Table, date]:
    """One row a customer, and the day of the data's first order.

    first_on, first_revenue (of the first period of his own), again (ordered in the second one), earlier and later
    (ordered in the last period but one, in the last one), revenue (of the last one).
    """
    totals = placed_orders(orders, as_of=as_of)
    begins = collect(totals.aggregate(first=totals.ordered_on.min()), order_by="first")["first"].iloc[0]
    totals = totals.filter(totals.customer_id.notnull())
    totals = totals.mutate(first_on=totals.ordered_on.min().over(ibis.window(group_by="customer_id")))
    start, middle = (ibis.literal(as_of - timedelta(days=number * days)) for number in (2, 1))
    age, later = totals.ordered_on.delta(totals.first_on, unit="day"), totals.ordered_on > middle
    people = totals.group_by("customer_id").aggregate(
        first_on=totals.first_on.min(),
        first_revenue=totals.revenue.sum(where=age < days).fill_null(0.0).round(PLACES),
        again=((age >= days) & (age < 2 * days)).any(),
        earlier=((totals.ordered_on > start) & ~later).any(),
        later=later.any(),
        revenue=totals.revenue.sum(where=later).fill_null(0.0).round(PLACES),
    )
    return people, as_of if pd.isna(begins) else pd.Timestamp(begins).date()


def _whole(begins: date, as_of: date, days: int) -> bool:
    """Whether the data reach back to the begin of the last two periods."""
    return begins <= as_of - timedelta(days=2 * days - 1)


def _new(people: ibis.Table, begins: date, as_of: date, days: int, burn_in_days: int) -> ibis.expr.types.BooleanValue:
    """Whether a customer is new and his first two periods are over."""
    first = ibis.literal(begins + timedelta(days=burn_in_days))
    return (people.first_on >= first) & (people.first_on <= ibis.literal(as_of - timedelta(days=2 * days - 1)))


def period_retention(orders: ibis.Table, *, as_of: date, days: int, level: float = 0.95) -> Estimate:
    """Of the customers who ordered in the period before the last, the share who ordered in the last one too.

    From: orders (lines); a period is `days` days, the last one ends with `as_of`. To: Estimate (share, Wilson), n the
    customers who ordered in the earlier period. Unknown where the data hold no two whole periods, or under 5 customers.
    What it cannot show: who skips a period and comes later counts as not kept, so a period must be longer than
    customers usually wait. Raises UsageError where `days` is below 1.
    """
    _check(days)
    people, begins = _people(orders, as_of, days)
    counts = people.aggregate(
        n=people.earlier.cast("int64").sum(), x=(people.earlier & people.later).cast("int64").sum()
    )
    row = collect(counts, order_by="n").fillna(0).iloc[0]
    n, kept = int(row["n"]), int(row["x"])
    if not _whole(begins, as_of, days):
        return unknown("share", n=0, level=level, method=f"the data hold no two whole periods of {days} days")
    if n < LEAST_SHOWN:
        return unknown("share", n=n, level=level, method=f"fewer than {LEAST_SHOWN} customers in the earlier period")
    return wilson(kept, n, level=level)


def margin_per_period(
    orders: ibis.Table, *, as_of: date, days: int, margin_share: float | None, level: float = 0.95
) -> Estimate:
    """What a customer who was kept leaves in a period.

    From: as `period_retention`; `margin_share`: what is left of 1 of revenue (`margins.margin_share`), or None: then it
    is revenue. To: Estimate (money, Student's t): the mean margin in the last period of those who ordered in both.
    The share of the margin is taken as certain: it is known far better than the mean.
    Raises UsageError where `days` is below 1, or the share of the margin is above 1.
    """
    _check(days, margin_share)
    people, begins = _people(orders, as_of, days)
    if not _whole(begins, as_of, days):
        return unknown("money", level=level, method=f"the data hold no two whole periods of {days} days")
    kept = people.filter(people.earlier & people.later)
    frame = collect(kept.group_by("revenue").aggregate(customers=kept.count()), order_by="revenue")
    values = _each(frame)
    if len(values) < LEAST_SHOWN:
        return unknown("money", n=len(values), level=level, method=f"fewer than {LEAST_SHOWN} customers were kept")
    return mean(values * (1.0 if margin_share is None else margin_share), unit="money", level=level)


def newcomers(
    orders: ibis.Table, *, as_of: date, days: int, margin_share: float | None, burn_in_days: int = 90,
    level: float = 0.95,
) -> tuple[Estimate, Estimate]:  # fmt: skip
    """What a new customer leaves in the first period of his own, and the share of them who order in the second.

    From: orders (lines); a customer's first period is the `days` days from the first order on, the second the `days`
    days after them; `margin_share` as in `margin_per_period`. To, two Estimates of the same customers: money (mean,
    Student's t; all purchases of the first period, the first one too) and share (Wilson).
    Taken are all whose two periods are over, and who were first seen `burn_in_days` or more after the data's first
    order: of those first seen sooner nobody can tell the new ones. Unknown with fewer than 5 such customers.
    What it cannot show: who skips the second period and comes later counts as not kept.
    Raises UsageError where `days` is below 1, the share of the margin is above 1, or on a negative burn-in.
    """
    _check(days, margin_share)
    if burn_in_days < 0:
        raise UsageError(f"burn_in_days must be 0 or more; found {burn_in_days}. 0 takes every customer as new.")
    people, begins = _people(orders, as_of, days)
    new = people.filter(_new(people, begins, as_of, days, burn_in_days))
    counted = new.group_by(revenue=new.first_revenue).aggregate(
        customers=new.count(), again=new.again.cast("int64").sum()
    )
    frame = collect(counted, order_by="revenue")
    values = _each(frame)
    if (n := len(values)) < LEAST_SHOWN:
        why = f"fewer than {LEAST_SHOWN} new customers could be seen for two periods of {days} days"
        return unknown("money", n=n, level=level, method=why), unknown("share", n=n, level=level, method=why)
    first = mean(values * (1.0 if margin_share is None else margin_share), unit="money", level=level)
    return first, wilson(int(frame["again"].sum()), n, level=level)


def together(orders: ibis.Table, *, as_of: date, days: int, burn_in_days: int = 90) -> tuple[tuple[float, ...], ...]:
    """How the errors of what `newcomers`, `period_retention` and `margin_per_period` give go together.

    From: as those. To: the correlations of first, new_kept, kept and left, in this order. They rest on the same
    customers in part: who buys much at first comes again more often. An interval made of all four as if they had
    nothing in common is too narrow. From the linearised errors of each customer; 0 where a part does not vary.
    Raises UsageError where `days` is below 1.
    """
    _check(days)
    people, begins = _people(orders, as_of, days)
    people = people.mutate(new=_new(people, begins, as_of, days, burn_in_days))
    frame = collect(people.filter(people.new | people.earlier).drop("first_on"), order_by="customer_id")
    new, earlier, later = (frame[name].to_numpy(dtype=bool) for name in ("new", "earlier", "later"))
    pulls = []
    for inside, name in ((new, "first_revenue"), (new, "again"), (earlier, "later"), (earlier & later, "revenue")):
        values = frame[name].to_numpy(dtype=float)
        middle = values[inside].mean() if inside.any() else 0.0
        pulls.append(np.where(inside, values - middle, 0.0))
    pulls = np.array(pulls)
    size = np.sqrt(np.square(pulls).sum(axis=1))
    size[size == 0] = np.inf
    correlations = (pulls / size[:, None]) @ (pulls / size[:, None]).T
    np.fill_diagonal(correlations, 1.0)
    return tuple(tuple(round(float(number), 6) for number in row) for row in correlations)


def new_customer(
    orders: ibis.Table, *, as_of: date, days: int, margin_share: float | None, won: Estimate, burn_in_days: int = 90,
    level: float = 0.95,
) -> NewCustomer:  # fmt: skip
    """All that the profit of a new customer is made of. From: as `newcomers`; won (`margins.acquisition_cost`)."""
    period, margin = {"as_of": as_of, "days": days}, {"margin_share": margin_share, "level": level}
    first, new_kept = newcomers(orders, **period, **margin, burn_in_days=burn_in_days)
    return NewCustomer(
        first=first,
        new_kept=new_kept,
        kept=period_retention(orders, **period, level=level),
        left=margin_per_period(orders, **period, **margin),
        won=won,
        together=together(orders, **period, burn_in_days=burn_in_days),
    )


def _each(counted: pd.DataFrame) -> np.ndarray:
    """The revenue of every customer, from revenue and how many customers brought just as much."""
    return np.repeat(counted["revenue"].to_numpy(dtype=float), counted["customers"].to_numpy(dtype=int))
