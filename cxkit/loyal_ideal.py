"""The ideal (S2d): do more customers come back, spend more an order, and come by recommendation, than before?"""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import LOYAL_ORDERS, PLACES
from cxkit.engine import collect
from cxkit.estimates import holm_levels, normal, p_values
from cxkit.privacy import LEAST_SHOWN
from cxkit.regulars import (
    ACTIVE_DAYS,
    CHANGE_MONTHS,
    GOODS,
    check_settings,
    known_orders,
    month_ends,
    regular_months,
    verdict,
)
from cxkit.regulars import VALUE as MONEY
from cxkit.style import format_ends, format_value

A_YEAR, JUST = "the same months a year before", "the months just before"
REPEAT, VALUE, REFERRED = "Repeat rate", "Order value of loyal customers", "Referred"
UNITS = {REPEAT: "points", VALUE: "money", REFERRED: "points"}
COLUMNS = ("quantity", "now", "before", "difference", "low", "high", "n", "unit", "level", "method", "verdict",
           "period", "now_from", "before_from")  # fmt: skip


def compared_periods(begins: date, *, last: date, months: int, burn_in_days: int) -> tuple[list[date], str]:
    """The first days of "before", of what follows it, of "now", and of what follows that; and which "before" it is.

    Now is the `months` whole months that end with `last`; before is the same months a year earlier, so that the season
    is the same, where the data begin at least `burn_in_days` before those, else the months just before.
    """
    after = last + timedelta(days=1)
    number = after.year * 12 + after.month - 1

    def first_day(back: int) -> date:
        return date((number - back) // 12, (number - back) % 12 + 1, 1)

    a_year = months <= 12 and begins + timedelta(days=burn_in_days) <= first_day(months + 12)
    back = 12 if a_year else months
    return [first_day(months + back), first_day(back), first_day(months), after], A_YEAR if a_year else JUST


def ideal(
    orders: ibis.Table, customers: ibis.Table | None, *, as_of: date, months: int = CHANGE_MONTHS,
    within_days: int = 90, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS, burn_in_days: int = 90,
    level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """The three quantities of S2d's ideal, now and before, with the difference and whether it can be told from none.

    From: orders (lines); customers (referred_by), or None. To, three rows: quantity, now and before (shares, or money),
    difference, low, high (percentage points, or money), n (customers of both periods), unit (of the difference), level,
    method, verdict (growing, falling, too early to say), period (which months "before" is: `compared_periods`),
    now_from, before_from (first days).
    "Repeat rate": of those whose first `within_days` days after the first purchase ended in the period, the share who
    bought again in them. "Order value of loyal customers": money an order, as `regulars.regular_orders`, over the
    period; not known where the data begin less than `active_days` before it, since its loyal ones are then others.
    "Referred": of those who first bought in the period and stand in `customers`, the share with a sender.
    The differences are a family (Holm). Errors of shares: Agresti & Caffo's (one success and one failure added to each
    side); of the order value: both periods linearised together, since a customer may be in both.
    What is left out: customers first seen within `burn_in_days` of the data's begin, who may be old ones. What the data
    cannot tell is NaN, and the method says why. What it cannot show: a season, where "before" is not a year back.
    Source: the ideal is S2d's; Agresti & Caffo (2000), American Statistician 54(4), 280-288; Holm (1979), Scandinavian
    Journal of Statistics 6(2), 65-70. Raises UsageError on settings that make no sense.
    """
    check_settings(loyal_orders, months=months, within_days=within_days, active_days=active_days)
    totals, begins = known_orders(orders, as_of)
    ends = month_ends(begins, as_of)
    which, borders = JUST, []
    if ends:
        borders, which = compared_periods(begins, last=ends[-1], months=months, burn_in_days=burn_in_days)
    if not ends or borders[0] < begins:
        rows = dict.fromkeys(UNITS, _blank(f"the data do not hold twice {months} whole months"))
    else:
        firsts = _first_purchases(totals, customers, begins + timedelta(days=burn_in_days), within_days)
        rows = {
            REPEAT: _shares(firsts[firsts["kind"] == "returned"], borders),
            VALUE: _values(_cells(totals, borders, loyal_orders, active_days), borders, "amount")
            if _whole(borders, begins, active_days)
            else _blank(f"the data begin less than {active_days:,} days before {borders[0]:%Y-%m}"),
            REFERRED: _shares(firsts[firsts["kind"] == "referred"], borders)
            if customers is not None and "referred_by" in customers.columns
            else _blank("who sent whom is not known"),
        }
    frame = _judged(pd.DataFrame([{"quantity": name, "unit": UNITS[name]} | row for name, row in rows.items()]), level)
    return frame.assign(period=which, **_days(borders))[list(COLUMNS)]


def _days(borders: list[date]) -> dict[str, pd.Timestamp]:
    first = {"now_from": borders[2], "before_from": borders[0]} if borders else {"now_from": None, "before_from": None}
    return {name: pd.Timestamp(day) for name, day in first.items()}


def _judged(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    """low, high, level and verdict from centre and error, the rows together (Holm)."""
    centre, error = frame["centre"].to_numpy(dtype=float), frame["error"].to_numpy(dtype=float)
    levels = holm_levels(p_values(centre, error), level=level)
    gaps = [
        normal(at, spread, n, unit=unit, level=own)
        for at, spread, n, unit, own in zip(centre, error, frame["n"], frame["unit"], levels, strict=True)
    ]
    ends_of = {end: [getattr(gap, end) for gap in gaps] for end in ("low", "high", "level")}
    return frame.assign(**ends_of, verdict=[verdict(gap) for gap in gaps])


def _whole(borders: list[date], begins: date, active_days: int) -> bool:
    """Whether the data reach back `active_days` before the earlier period."""
    return borders[0] - timedelta(days=active_days) >= begins


def _cells(totals: ibis.Table, borders: list[date], loyal_orders: int, active_days: int) -> ibis.Table:
    """`regulars.regular_months` of both periods."""
    every = pd.date_range(borders[0], borders[3], freq="MS", inclusive="left").date
    wanted = [first for first in every if first < borders[1] or first >= borders[2]]
    return regular_months(totals, wanted, loyal_orders=loyal_orders, active_days=active_days)


def order_change(
    orders: ibis.Table, *, as_of: date, months: int = CHANGE_MONTHS, loyal_orders: int = LOYAL_ORDERS,
    active_days: int = ACTIVE_DAYS, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Do loyal customers' orders hold more than before: money and goods an order.

    From: orders (lines). To, one row a measure of `regulars.regular_orders`: measure, months (how many in each period:
    `months`, or as many as the history bears; 0: it bears none), then as `ideal`. Who is loyal is asked anew for each
    month, over equally many days. The differences are a family (Holm), linearised over the customers of both periods.
    What it cannot show: that a customer's orders grow, since those who bought little may have left; nor a season, where
    "before" is not a year back. Raises UsageError on settings that make no sense.
    """
    check_settings(loyal_orders, months=months, active_days=active_days)
    totals, begins = known_orders(orders, as_of)
    measures = {MONEY: "amount"} | ({GOODS: "goods"} if "quantity" in totals.columns else {})
    ends, found, which = month_ends(begins, as_of), [], JUST
    for length in range(months, 0, -1):
        if not ends:
            break
        found, which = compared_periods(begins, last=ends[-1], months=length, burn_in_days=active_days)
        if _whole(found, begins, active_days):
            break
        found = []
    if found:
        cells = _cells(totals, found, loyal_orders, active_days)
        rows = [_values(cells, found, column) for column in measures.values()]
    else:
        rows = [_blank(f"the data do not reach {active_days:,} days back before two whole months") for _ in measures]
    units = ["money" if measure == MONEY else "count" for measure in measures]
    frame = _judged(pd.DataFrame(rows).assign(measure=list(measures), unit=units), level)
    frame = frame.assign(period=which, months=length if found else 0, **_days(found))
    return frame[["measure", "months", *COLUMNS[1:]]]


def order_change_in_words(
    change: pd.DataFrame, *, loyal_orders: int = LOYAL_ORDERS, active_days: int = ACTIVE_DAYS, currency: str = ""
) -> list[str]:
    """Do loyal customers spend more an order: each measure now and before. From: `order_change`, the same settings."""
    if not change["months"].iloc[0]:
        return [f"Whether loyal customers spend more an order: too early to say ({change['method'].iloc[0]})."]
    first = change.iloc[0]
    number = f"{first['months']} months" if first["months"] > 1 else "month"
    told = [
        f"The last {number}, from {first['now_from']:%Y-%m}, against {first['period'].replace('months', number)}, from "
        f"{first['before_from']:%Y-%m}; loyal in a month is who bought on at least {loyal_orders} of the "
        f"{active_days:,} days before it."
    ]
    for row in change.itertuples():
        name = row.measure.capitalize()
        if not np.isfinite(row.low):
            told.append(f"{name}: too early to say ({row.method}).")
            continue
        now, before = (format_value(value, row.unit, currency) for value in (row.now, row.before))
        ends = format_ends(row.low, row.high, row.unit, currency)
        word = "pieces " if row.measure == GOODS else ""
        gap = format_value(row.difference, row.unit, currency)
        told.append(
            f"{name}: {now} {word}now, {before} {word}before, a difference of {gap} ({ends}, n = {row.n:,}): "
            f"{row.verdict}."
        )
    return told


def _blank(why: str, *, n: int = 0) -> dict:
    none = dict.fromkeys(("now", "before", "difference", "centre", "error"), np.nan)
    return none | {"n": n, "method": why}


def _first_purchases(totals: ibis.Table, customers: ibis.Table | None, since: date, within_days: int) -> pd.DataFrame:
    """Counts: kind ("returned", dated by the end of the window; "referred", by the first purchase), day, n, x."""
    days = totals.select("customer_id", "ordered_on").distinct()
    firsts = days.group_by("customer_id").aggregate(first_on=days.ordered_on.min())
    both = days.join(firsts, "customer_id")
    soon = (both.ordered_on > both.first_on) & (both.ordered_on.delta(both.first_on, unit="day") <= within_days)
    people = both.group_by("customer_id", "first_on").aggregate(flag=soon.any().cast("int64"))
    people = people.filter(people.first_on >= ibis.literal(since))
    tables = [people.select(kind=ibis.literal("returned"), day=people.first_on, flag=people.flag)]
    if customers is not None and "referred_by" in customers.columns:
        sent = customers.select("customer_id", flag=_is_sent(customers).cast("int64"))
        joined = people.drop("flag").join(sent, "customer_id")
        tables.append(joined.select(kind=ibis.literal("referred"), day=joined.first_on, flag=joined.flag))
    every = ibis.union(*tables) if len(tables) > 1 else tables[0]
    counts = every.group_by("kind", "day").aggregate(n=every.count(), x=every.flag.sum())
    frame = collect(counts, order_by=["kind", "day"])
    moved = pd.to_timedelta(np.where(frame["kind"] == "returned", within_days, 0), unit="D")
    return frame.assign(day=pd.to_datetime(frame["day"]) + moved)


def _is_sent(customers: ibis.Table) -> ibis.expr.types.BooleanValue:
    """Whether somebody else sent the customer."""
    return customers.referred_by.notnull() & (customers.referred_by != customers.customer_id).fill_null(False)


def _shares(counts: pd.DataFrame, borders: list[date]) -> dict:
    """The share in both periods and the gap in points. From: day, n, x."""
    start, stop, now, end = (pd.Timestamp(day) for day in borders)
    sides = [counts[(counts["day"] >= one) & (counts["day"] < other)] for one, other in ((now, end), (start, stop))]
    (x, n), (x_0, n_0) = ((int(side["x"].sum()), int(side["n"].sum())) for side in sides)
    if min(n, n_0) < LEAST_SHOWN:
        return _blank(f"fewer than {LEAST_SHOWN} customers in one of the periods", n=n + n_0)
    share, share_0 = (x + 1) / (n + 2), (x_0 + 1) / (n_0 + 2)
    error = np.sqrt(share * (1 - share) / (n + 2) + share_0 * (1 - share_0) / (n_0 + 2))
    told = {"now": x / n, "before": x_0 / n_0, "difference": 100 * (x / n - x_0 / n_0)}
    return told | {"centre": 100 * (share - share_0), "error": 100 * error, "n": n + n_0, "method": "Agresti-Caffo"}


def _values(cells: ibis.Table, borders: list[date], column: str) -> dict:
    """What an order of loyal customers holds in both periods, and the gap. From: `_cells`, amount or goods."""
    start, stop, now, end = (ibis.literal(day) for day in borders)
    sums = {}
    for name, one, other in (("now", now, end), ("before", start, stop)):
        here = (cells.month >= one) & (cells.month < other)
        sums |= {
            f"{name}_part": cells[column].cast("float64").sum(where=here).fill_null(0.0).round(PLACES),
            f"{name}_orders": cells.orders.sum(where=here).fill_null(0),
        }
    people = cells.group_by("customer_id").aggregate(**sums)
    frame = collect(people.filter(people.now_orders + people.before_orders > 0), order_by="customer_id")
    n, ratios, pulls = len(frame), [], np.zeros(len(frame))
    for name, sign in (("now", 1), ("before", -1)):
        part, whole = frame[f"{name}_part"].to_numpy(float), frame[f"{name}_orders"].to_numpy(float)
        if (whole > 0).sum() < LEAST_SHOWN:
            return _blank(f"fewer than {LEAST_SHOWN} loyal customers in one of the periods", n=n)
        ratios.append(part.sum() / whole.sum())
        pulls += sign * (part - ratios[-1] * whole) / whole.sum()
    gap, error = ratios[0] - ratios[1], float(np.sqrt(n / (n - 1) * np.square(pulls).sum()))
    told = {"now": ratios[0], "before": ratios[1], "difference": gap, "centre": gap}
    return told | {"error": error, "n": n, "method": "linearised ratios by customer"}


def ideal_texts(table: pd.DataFrame, *, currency: str = "") -> pd.DataFrame:
    """`ideal` as a reader sees it: quantity, now, before, difference, interval (texts), n, verdict."""
    rows = []
    for row in table.itertuples():
        unit = "share" if row.unit == "points" else "money"
        gap = row.difference
        sign = "+" if gap > 0 else ""
        word = " points" if row.unit == "points" and np.isfinite(gap) else ""
        rows.append(
            {
                "quantity": row.quantity,
                "before": format_value(row.before, unit, currency),
                "now": format_value(row.now, unit, currency),
                "difference": f"{sign}{format_value(gap, row.unit, currency)}{word}",
                "interval": format_ends(row.low, row.high, row.unit, currency),
                "n": row.n,
                "verdict": row.verdict if np.isfinite(row.low) else f"{row.verdict}: {row.method}",
            }
        )
    return pd.DataFrame(rows)


def ideal_in_words(table: pd.DataFrame) -> str:
    """Whether all three grow, in a sentence. From: `ideal`."""
    told = [f"{row.quantity.lower()}: {row.verdict}" for row in table.itertuples()]
    growing = int((table["verdict"] == "growing").sum())
    first = table.iloc[0]
    if pd.isna(first["now_from"]):
        return f"Whether the three grow is too early to say: {first['method']}."
    begin = f"Of the three quantities of the ideal, {growing} of {len(table)} grow for certain"
    return f"{begin} since {first['now_from']:%Y-%m} against {first['period']}: {'; '.join(told)}."
