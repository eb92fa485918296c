"""Whose visit passed a touchpoint: the orders of such visits, and how many such visits ended without one."""

import re
from datetime import date

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.privacy import LEAST_SHOWN
from cxkit.stages import name_key

A_MONTH = 365 / 12


def key_of(name: object) -> str:
    """What the end of a finding's id and a name of the data have in common: its letters and digits."""
    return re.sub(r"[\W_]+", "_", str(name).casefold()).strip("_")


def orders_that_passed(
    events: Table | None, key: str, *, points: pd.DataFrame | None, since: date, as_of: date
) -> tuple[Table | None, str]:
    """The events that name an order, of visits that passed a touchpoint, and in words what they are.

    From: events (touchpoint, session_id, order_id, occurred_on where there is one), or None; `key`: the touchpoint's
    (`key_of`); `points`: `stages.touchpoint_map`, by which it goes; `since` and `as_of`: the days that count. To:
    order_id, once each or several times, and the words, with how many of these days' visits ended without an order
    (their revenue is what is lost, and nobody knows it; under five are not told), and of how many months visits are
    known, where not of all; without a table where nothing can be said, and why.
    """
    if events is None:
        return None, "visits are not known (no table events)"
    if not {"session_id", "order_id"} <= set(events.columns):
        return None, "visits name no order (events lack session_id or order_id)"
    meant = {} if points is None else dict(zip(points["key"], points["canonical"], strict=True))
    listed = collect(events.select(name="touchpoint").distinct(), order_by="name", max_rows=1_000_000)["name"]
    own = [name for name in listed if key_of(meant.get(name_key(name), name)) == key]
    if not own:
        return None, "no visit passes it"
    passed = events.filter(events.touchpoint.isin(own), events.session_id.notnull()).mutate(visit="session_id")
    ordered = events.filter(events.order_id.notnull(), events.session_id.notnull())
    ordered = ordered.semi_join(passed, ordered.session_id == passed.visit)
    span = {"since": since, "as_of": as_of}
    words = f"orders whose visit passed it{_without_order(passed, ordered, **span)}{_seen(events, **span)}"
    return ordered, words


def _without_order(passed: Table, ordered: Table, *, since: date, as_of: date) -> str:
    """How many of the visits of these days that passed a touchpoint ended without an order."""
    if "occurred_on" in passed.columns:
        passed = passed.filter(passed.occurred_on.between(ibis.literal(since), ibis.literal(as_of)))
    lost = passed.anti_join(ordered, passed.visit == ordered.session_id)
    counts = [collect(table.aggregate(n=table.visit.nunique()), order_by="n") for table in (passed, lost)]
    every, without = (int(count.iloc[0, 0]) for count in counts)
    if without < LEAST_SHOWN:
        return ""
    return f"; {without:,} of {every:,} such visits ended without an order and are not in it"


def _seen(events: Table, *, since: date, as_of: date) -> str:
    """Of how many months of the year visits are known, where these are not all."""
    if "occurred_on" not in events.columns:
        return ""
    ends = collect(events.aggregate(first=events.occurred_on.min(), last=events.occurred_on.max()), order_by="first")
    if ends.isna().any(axis=None):
        return ""
    first, last = (pd.Timestamp(ends[name].iloc[0]).date() for name in ("first", "last"))
    months = round(((min(last, as_of) - max(first, since)).days + 1) / A_MONTH)
    return f"; visits are known of {months} of the 12 months" if 0 <= months < 12 else ""
