"""Each customer's purchases as the models of lifetime value read them: how often, when last, seen for how long."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import PLACES, placed_orders
from cxkit.engine import collect
from cxkit.errors import DataError, UsageError
from cxkit.tables import counted_lines

WEEK = 7  # days
HISTORY = ("customer_id", "first_on", "x", "t_x", "T", "spend", "revenue", "purchases")
MOST_CUSTOMERS = 20_000_000
ALL = "all"  # of the categories: every order line is the subscription


def purchase_days(orders: ibis.Table, *, as_of: date) -> ibis.Table:
    """Purchases, one row each: customer_id, day, revenue (amount - refund of that day's orders).

    From: orders (lines). A purchase is a local day on which a customer placed at least one counted order: two orders on
    one day are one purchase (a forgotten item, a split payment), a cancelled one never counts, one that was returned as
    a whole does (he came; its money is what was kept, 0). Refunds lie on the day of the order they belong to.
    What is left out: orders without a customer, orders after `as_of`, returns that matched no sale, orders on which
    nothing was charged (see `tables.order_totals`).
    """
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull())
    return totals.group_by("customer_id", day="ordered_on").aggregate(revenue=totals.revenue.sum())


def purchase_history(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """One row a customer: what BG/NBD and Gamma-Gamma are fitted to.

    From: orders (lines). To, ordered by customer_id: customer_id, first_on (the day of the first purchase), x
    (purchases after the first), t_x (weeks from the first purchase to the last), T (weeks from the first purchase to
    the end of `as_of`), spend (mean revenue of the purchases after the first; NaN at x = 0), revenue (of all
    purchases, the first counted in), purchases (x + 1). Money in the client's currency.
    Customers first seen when the data begin are counted, though regulars of long before are among them: they are
    customers too, and their value is asked for. What is left out: see `purchase_days`.
    Source: the summary x, t_x, T of Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284; the first purchase
    is left out of the spend as in Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.
    """
    days = purchase_days(orders, as_of=as_of)
    people = days.group_by("customer_id").aggregate(
        first_on=days.day.min(),
        last_on=days.day.max(),
        purchases=days.count(),
        revenue=days.revenue.sum().round(PLACES),
        begun_with=days.revenue.argmin(days.day).round(PLACES),
    )
    frame = collect(people, order_by="customer_id", max_rows=MOST_CUSTOMERS)
    first, last = (frame[name].to_numpy().astype("datetime64[D]") for name in ("first_on", "last_on"))
    x = frame["purchases"].to_numpy(dtype="int64") - 1
    again = np.round(frame["revenue"].to_numpy(dtype=float) - frame["begun_with"].to_numpy(dtype=float), PLACES)
    frame = frame.assign(
        first_on=first.astype("datetime64[s]"),
        x=x,
        t_x=(last - first).astype("int64") / WEEK,
        T=(np.datetime64(as_of, "D") - first).astype("int64") / WEEK,
        spend=np.divide(again, x, out=np.full(len(x), np.nan), where=x > 0),
        revenue=frame["revenue"].astype(float),
        purchases=x + 1,
    )
    return frame[list(HISTORY)]


def first_purchase(orders: ibis.Table, *, as_of: date) -> date | None:
    """The day of the first purchase of anybody; None where there is none."""
    days = purchase_days(orders, as_of=as_of)
    first = collect(days.aggregate(first=days.day.min()), order_by="first")["first"].iloc[0]
    return None if pd.isna(first) else pd.Timestamp(first).date()


def _of_the_known(orders: ibis.Table, *, first: date, last: date, known_by: date) -> ibis.Table:
    """Purchases of the customers first seen by `known_by`: customer_id, day, revenue, inside (in the window)."""
    if first > last:
        raise UsageError(f"a window begins on or before its last day; found {first} to {last}.")
    days = purchase_days(orders, as_of=max(last, known_by))
    firsts = days.group_by("customer_id").aggregate(first_on=days.day.min())
    firsts = firsts.filter(firsts.first_on <= ibis.literal(known_by))
    both = days.join(firsts, "customer_id")
    return both.mutate(inside=both.day.between(ibis.literal(first), ibis.literal(last)))


def purchases_between(orders: ibis.Table, *, first: date, last: date, known_by: date) -> pd.DataFrame:
    """What the customers who were known by a day bought in a window.

    From: orders (lines); the window's `first` and `last` day; `known_by`: customers whose first purchase lies on or
    before it. To, ordered by customer_id, one row for each of them: customer_id, purchases, revenue in the window, 0
    where there was none. A first purchase inside the window counts.
    Raises UsageError where the window ends before it begins.
    """
    days = _of_the_known(orders, first=first, last=last, known_by=known_by)
    people = days.group_by("customer_id").aggregate(
        purchases=days.inside.sum(), revenue=days.revenue.sum(where=days.inside).round(PLACES)
    )
    frame = collect(people, order_by="customer_id", max_rows=MOST_CUSTOMERS)
    purchases = frame["purchases"].fillna(0).astype("int64")
    return frame.assign(purchases=purchases, revenue=frame["revenue"].astype(float).fillna(0.0))


def weekly_purchases(orders: ibis.Table, *, first: date, last: date, known_by: date) -> pd.DataFrame:
    """As `purchases_between`, summed over the customers week by week.

    To: week (0 for the seven days from `first`, then 1, 2, …; every week to the one that holds `last`, which may be
    shorter), purchases, revenue; 0 where there were none.
    Raises UsageError where the window ends before it begins.
    """
    days = _of_the_known(orders, first=first, last=last, known_by=known_by)
    days = days.filter(days.inside)
    days = days.mutate(week=days.day.delta(ibis.literal(first), unit="day").cast("int64") // WEEK)
    sums = days.group_by("week").aggregate(purchases=days.count(), revenue=days.revenue.sum().round(PLACES))
    frame = collect(sums, order_by="week").set_index("week").reindex(range((last - first).days // WEEK + 1))
    purchases = frame["purchases"].fillna(0).astype("int64")
    return frame.assign(purchases=purchases, revenue=frame["revenue"].astype(float).fillna(0.0)).reset_index()


def purchases_by_age(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """How much customers bought in each week of their age, of those who could be observed through it.

    From: orders (lines). To: age (0 for the seven days after the day of the first purchase, then 1, 2, …), customers
    (whose week of that age was over by `as_of`), purchases, revenue (theirs, in that week). The first purchase itself
    lies before age 0. A customer's last week, which `as_of` cuts, is left out of all three.
    """
    dated = _aged(orders, as_of=as_of)
    sums = dated.group_by("age").aggregate(purchases=dated.count(), revenue=dated.revenue.sum().round(PLACES))
    bought = collect(sums, order_by="age").set_index("age")
    days = purchase_days(orders, as_of=as_of)
    firsts = days.group_by("customer_id").aggregate(first_on=days.day.min())
    whole = ibis.literal(as_of).delta(firsts.first_on, unit="day").cast("int64") // WEEK
    firsts = firsts.mutate(weeks=whole)
    seen = collect(firsts.group_by("weeks").aggregate(customers=firsts.count()), order_by="weeks")
    span = int(seen["weeks"].max()) if len(seen) else 0
    ages = np.arange(span)
    count, weeks = seen["customers"].to_numpy(dtype="int64"), seen["weeks"].to_numpy(dtype="int64")
    customers = np.array([count[weeks > age].sum() for age in ages], dtype="int64")
    bought = bought.reindex(ages)
    return pd.DataFrame(
        {
            "age": ages,
            "customers": customers,
            "purchases": bought["purchases"].fillna(0).to_numpy(dtype="int64"),
            "revenue": bought["revenue"].astype(float).fillna(0.0).to_numpy(),
        }
    )


def _aged(orders: ibis.Table, *, as_of: date) -> ibis.Table:
    """Purchases after the first, in weeks of age that are over by `as_of`: customer_id, age, revenue.

    From: orders (lines). Age as in `purchases_by_age`.
    """
    days = purchase_days(orders, as_of=as_of)
    firsts = days.group_by("customer_id").aggregate(first_on=days.day.min())
    both = days.join(firsts, "customer_id")
    both = both.filter(both.day > both.first_on)
    since = both.day.delta(both.first_on, unit="day").cast("int64")
    observed = ibis.literal(as_of).delta(both.first_on, unit="day").cast("int64")
    both = both.mutate(age=(since - 1) // WEEK, whole=observed // WEEK)
    return both.filter(both.age < both.whole).select("customer_id", "age", "revenue")


def revenue_by_age(orders: ibis.Table, *, as_of: date, weights: np.ndarray) -> pd.DataFrame:
    """Each customer's revenue after the first purchase, weighted by the age at which it came.

    From: orders (lines); `weights`: one number an age from 0 on (ages as in `purchases_by_age`); older ones count 0.
    To, ordered by customer_id: customer_id, brought; customers who bought nothing at these ages are left out.
    """
    listed = pd.DataFrame({"age": np.arange(len(weights)), "weight": np.asarray(weights, dtype=float)})
    aged = _aged(orders, as_of=as_of)
    aged = aged.join(ibis.memtable(listed, schema={"age": "int64", "weight": "float64"}), "age")
    sums = aged.group_by("customer_id").aggregate(brought=(aged.revenue * aged.weight).sum().round(PLACES))
    return collect(sums, order_by="customer_id", max_rows=MOST_CUSTOMERS)


def of_category(orders: ibis.Table, category: str) -> ibis.Table:
    """The order lines of one category; every line where it is "all".

    Raises DataError where orders have no categories, UsageError where none is called so.
    """
    if category == ALL:
        return orders
    if "category" not in orders.columns:
        raise DataError(
            f"table 'orders' lacks 'category', so the lines of {category!r} cannot be told from others. Map it under"
            " tables.orders.columns in client.yml, or set subscription_category to all."
        )
    lines = counted_lines(orders)
    named = collect(lines.select("category").distinct(), order_by="category")["category"].dropna().to_list()
    if category not in named:
        shown = ", ".join(map(repr, named[:12])) + (", …" if len(named) > 12 else "")
        raise UsageError(
            f"no order line has the category {category!r}; valid: {ALL!r} (every line), {shown or 'none'}."
        )
    return orders.filter(orders.category == category)


def subscribers(orders: ibis.Table, *, as_of: date, every_days: int, category: str = ALL) -> pd.DataFrame:
    """Each subscriber's renewals so far, and whether he is lost.

    From: orders (lines) of a subscription that is paid every `every_days`; `category`: only lines of it count. To,
    ordered by customer_id: customer_id, renewals, lost (true/false), paid (renewals with those of the running period),
    silent_days (from the last unbroken purchase to the end of `as_of`), spend (mean revenue of his purchases).
    The rule: purchases follow each other unbroken while no gap is longer than a period and a half (the half is grace
    for late payers). Renewals are the periods that the unbroken purchases span, rounded: an extra purchase between is
    no renewal. He is lost where the unbroken ones ended more than a period and a half before the end of `as_of`; a
    return later is not counted. A period counts only when it is over, grace included: a renewal can be seen at
    once but a loss only then, so that the running period would show renewals alone.
    Raises UsageError where `every_days` is below 2, or as `of_category`.
    """
    days, grace = _with_gaps(orders, as_of=as_of, every_days=every_days, category=category), every_days // 2
    days = days.mutate(broken_on=(days.gap > every_days + grace).ifelse(days.before, ibis.null("date")))
    people = days.group_by("customer_id").aggregate(
        first_on=days.day.min(),
        last_on=days.day.max(),
        broken_on=days.broken_on.min(),
        purchases=days.count(),
        revenue=days.revenue.sum().round(PLACES),
    )
    people = people.mutate(ended_on=ibis.coalesce(people.broken_on, people.last_on)).drop("broken_on", "last_on")
    frame = collect(people, order_by="customer_id", max_rows=MOST_CUSTOMERS)
    first, ended = (frame[name].to_numpy().astype("datetime64[D]") for name in ("first_on", "ended_on"))
    now = np.datetime64(as_of, "D")
    spanned = ((ended - first).astype("int64") + every_days // 2) // every_days  # rounded to whole periods
    over = np.maximum((now - first).astype("int64") - grace - 1, 0) // every_days
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "renewals": np.minimum(spanned, over),
            "lost": (now - ended).astype("int64") > every_days + grace,
            "paid": spanned,
            "silent_days": (now - ended).astype("int64"),
            "spend": frame["revenue"].to_numpy(dtype=float) / frame["purchases"].to_numpy(dtype=float),
        }
    )


def _with_gaps(orders: ibis.Table, *, as_of: date, every_days: int, category: str) -> ibis.Table:
    """`purchase_days` of a subscription, each with the day of the one `before` it and the `gap` between, in days."""
    if every_days < 2:
        raise UsageError(
            f"every_days, the days from one renewal to the next, must be at least 2; found {every_days}. Customary:"
            " 30 (monthly), 91 (quarterly), 365 (yearly)."
        )
    days = purchase_days(of_category(orders, category), as_of=as_of)
    days = days.mutate(before=days.day.lag().over(group_by=days.customer_id, order_by=days.day))
    return days.mutate(gap=days.day.delta(days.before, unit="day").cast("int64"))


def renewal_gaps(orders: ibis.Table, *, as_of: date, every_days: int, category: str = ALL) -> pd.DataFrame:
    """How many days passed from one payment of a subscription to the next: how late who renews may be.

    From, and Raises: as `subscribers`. To, ordered by gap: gap (days), count (of gaps so long), renewal (true/false: a
    gap of half a period or less is an extra purchase). Gaps of more than a period and a half are losses and left out;
    so are those that began within the last period and a half: of them only the short ones can be over.
    """
    days, grace = _with_gaps(orders, as_of=as_of, every_days=every_days, category=category), every_days // 2
    days = days.filter(
        (days.gap <= every_days + grace) & (days.before <= ibis.literal(as_of - timedelta(days=every_days + grace)))
    )
    frame = collect(days.group_by("gap").aggregate(count=days.count()), order_by="gap")
    return frame.assign(renewal=frame["gap"] > grace)


def renewals(orders: ibis.Table, *, as_of: date, every_days: int, category: str = ALL) -> pd.DataFrame:
    """How often subscribers renewed, counted: what the shifted-beta-geometric model is fitted to.

    From, the rule and Raises: as `subscribers`. To, ordered by the first two: renewals, lost, customers.
    """
    people = subscribers(orders, as_of=as_of, every_days=every_days, category=category)
    counted = people.groupby(["renewals", "lost"], sort=True).size()
    return counted.rename("customers").reset_index().astype({"renewals": "int64", "lost": bool, "customers": "int64"})


def days_after(as_of: date, weeks: int) -> tuple[date, date]:
    """The first and the last day of the `weeks` that follow `as_of`."""
    return as_of + timedelta(days=1), as_of + timedelta(weeks=weeks)
