"""Which day counts as the last? What client.yml says, or the last one with orders that does not stand alone."""

from datetime import date, timedelta

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit import engine
from cxkit.errors import DataError
from cxkit.tables import TABLES

GAP_DAYS, LONG_GAP_DAYS, LONE_SHARE = 31, 366, 0.01


def settle(tables: dict[str, Table], as_of: date | None) -> tuple[date, str]:
    """The last day that counts, and what is to be said about it. From: the tables' rows, with day and fault.

    `latest` (None) is the last local day with orders (without orders: with anything). A last stretch of days is not
    followed where over 31 days without any lie before it and it holds under 1 % of the rows, or where over a year
    lies before it and it holds no more rows than all before.
    """
    timed = {table: rows for table, rows in tables.items() if TABLES[table].time}
    chosen = [timed["orders"]] if "orders" in timed else list(timed.values())
    if "orders" in timed and "is_return" in timed["orders"].columns:
        chosen = [timed["orders"].filter(~timed["orders"].is_return)]  # a return is no order
    if not chosen:
        if as_of is None:
            raise DataError("no table has a time, so as_of cannot be latest. Write as_of: 2026-06-30 in client.yml.")
        return as_of, ""
    days = [r.filter(r.fault.isnull() & r.day.notnull()).select("day") for r in chosen]
    days = ibis.union(*days) if len(days) > 1 else days[0]
    counts = engine.collect(days.group_by("day").agg(rows=days.count()), order_by="day", max_rows=200_000)
    counts["day"] = pd.to_datetime(counts.day).dt.date
    if counts.empty:
        return as_of or date.min, ""
    first, last = counts.day.iloc[0], followed(counts)
    if as_of is None:
        later = counts[counts.day > last]
        if later.empty:
            return last, ""
        told = f"{int(later.rows.sum()):,} rows stand alone on later days (from {later.day.iloc[0]}) and are refused"
        return last, f"as_of is {last}, the last day with orders: {told}; set as_of in client.yml where they are real."
    if as_of < first:
        raise DataError(
            f"as_of {as_of} is before the first order, which is of {first}. Set as_of in client.yml (or --as-of) to a"
            f" day from {first} to {counts.day.iloc[-1]}, or to latest."
        )
    if as_of - counts.day.iloc[-1] > timedelta(days=GAP_DAYS):
        return as_of, f"as_of {as_of} is {(as_of - counts.day.iloc[-1]).days} days after the last order."
    return as_of, ""


def followed(counts: pd.DataFrame) -> date:
    """The last day that `latest` follows. From: day, rows, one row a day with any, in order."""
    gap = counts.day.diff().map(lambda d: d.days if isinstance(d, timedelta) else 0)
    total = counts.rows.sum()
    tail = counts.rows[::-1].cumsum()[::-1]  # rows from this day on
    lone = (gap > GAP_DAYS) & (tail < LONE_SHARE * total) | (gap > LONG_GAP_DAYS) & (tail <= total - tail)
    return counts.day[: lone.idxmax()].iloc[-1] if lone.any() else counts.day.iloc[-1]
