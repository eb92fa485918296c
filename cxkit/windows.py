"""Two windows of equal length on either side of a day, and what is counted in them, customer by customer."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit import cancellations, contact_reasons, delivery_promises, feedback, queries, response
from cxkit.buyers import placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.pareto import with_names
from cxkit.tables import TABLES

NOW, THEN = "now", "then"  # after the day, and before it
ALL = "all"
CELLS = {"measure": "string", "name": "string", "window": "string", "who": "string", "part": "float64",
         "whole": "float64", "squares": "float64"}  # fmt: skip
GRACE_DAYS = 7  # without a row at either end are no gap yet
AGAIN_DAYS = 30  # a new customer who orders again in so many days came back
NEW_AFTER_DAYS = 90  # who is first seen so early in the data may be no new customer
CANCELLED_LATER, SENT_BACK_LATER = 7, 30  # days in which an order's state may still change
NEEDS = {  # measure -> the tables and columns that it is counted from
    "goes_on": {"events": ("touchpoint",)},
    "nps": {"surveys": ("score",)},
    "csat": {"surveys": ("score",)},
    "ces": {"surveys": ("score",)},
    "late": {"orders": ("promised_at", "delivered_at")},
    "contacts": {"contacts": ("opened_on",), "orders": ("ordered_on",)},
    "cancelled": {"orders": ("status",)},
    "returned": {"orders": ("status",)},
    "again": {"orders": ("customer_id",)},
    "nothing": {"searches": ("results",)},
}


def window_of(day: ibis.Value, *, then: date, as_of: date, sooner: int = 0) -> ibis.Value:
    """`now` for the days after `then` up to `as_of`, `then` for as many before; null outside. `sooner`: both windows
    end so many days earlier, where what comes of those days is not known yet."""
    length = (as_of - then).days
    ends = {NOW: as_of, THEN: then}
    inside = {
        name: (day > ibis.literal(end - timedelta(days=length))) & (day <= ibis.literal(end - timedelta(days=sooner)))
        for name, end in ends.items()
    }
    return ibis.cases(*((inside[name], name) for name in ends), else_=ibis.null("string"))


def gaps(tables: Mapping[str, Table], *, then: date, as_of: date) -> dict[str, str]:
    """Why a measure is not counted in both windows: measure -> sentence; what is not named is.

    A table or column is missing, or a table begins over a week after the first window or ends over a week before the
    second one's last day. Raises UsageError where `then` is not before `as_of`.
    """
    if then >= as_of:
        raise UsageError(f"the earlier day must lie before the later one; found {then} and {as_of}.")
    first = then - timedelta(days=(as_of - then).days - 1)
    ends = {name: _days(table, TABLES[name].day) for name, table in tables.items() if TABLES[name].day}
    told = {}
    for measure, needed in NEEDS.items():
        for name, columns in needed.items():
            if name not in tables:
                told[measure] = f"the table {name} is missing"
            elif lacking := [c for c in columns if c not in tables[name].columns]:
                told[measure] = f"{name} lacks {', '.join(lacking)}"
            elif ends[name][0] is None or ends[name][0] > first + timedelta(days=GRACE_DAYS):
                told[measure] = f"{name} begin on {ends[name][0] or 'no day'}, and the days before begin on {first}"
            elif ends[name][1] < as_of - timedelta(days=GRACE_DAYS):
                told[measure] = f"{name} end on {ends[name][1]}, and the days since end on {as_of}"
    length = (as_of - then).days
    for measure, later in (("cancelled", CANCELLED_LATER), ("returned", SENT_BACK_LATER), ("again", AGAIN_DAYS)):
        if measure not in told and length <= later:
            told[measure] = f"it is known after {later} days, and only {length} have passed"
    begin = ends.get("orders", (None, None))[0]
    if "again" not in told and begin > first - timedelta(days=NEW_AFTER_DAYS - GRACE_DAYS):
        told["again"] = f"orders begin on {begin}: too late to know who was new from {first} on"
    return told


def _days(table: Table, day: str) -> tuple[date | None, date | None]:
    found = collect(table.aggregate(first=table[day].min(), last=table[day].max()), order_by="first").iloc[0]
    return tuple(None if pd.isna(found[end]) else pd.Timestamp(found[end]).date() for end in ("first", "last"))


def cells(
    tables: Mapping[str, Table], *, then: date, as_of: date, zone: str, scales: Mapping, ces: str = "agree"
) -> Table | None:
    """All that is counted in both windows, one row a measure, name, window and customer; None where nothing is.

    From: canonical tables by name. To: measure, name (touchpoint, way of delivery, reason, category; "all"), window
    (now, then), who (the customer; what is nobody's is somebody else's each time), part (how many, or points summed),
    whole (of how many), squares (the items' squares summed).
    nps, csat, ces: answers without incentive, by the touchpoint that they name and all together. late: orders that came
    after the promised day, by the day of the promise and by way of delivery. contacts: contacts times 100 by reason,
    beside the orders of so many days earlier as such contacts usually come later. cancelled: of orders placed;
    returned: order lines sent back, in all and by category; both without the last days, in which that may yet happen.
    again: customers new in the window who order again within 30 days. nothing: searches that find nothing.
    What is left out: measures that `gaps` names; visits (`since` counts those that go on by itself).
    """
    untold = gaps(tables, then=then, as_of=as_of)
    span = {"then": then, "as_of": as_of}
    makers: dict[str, Callable[[], list[Table]]] = {
        "nps": lambda: _answers(tables["surveys"], scales=scales, ces=ces, **span),
        "late": lambda: _late(tables["orders"], zone=zone, **span),
        "contacts": lambda: _contacts(tables["contacts"], tables["orders"], **span),
        "cancelled": lambda: _cancelled(tables["orders"], **span),
        "returned": lambda: _returned(tables["orders"], **span),
        "again": lambda: _again(tables["orders"], **span),
        "nothing": lambda: _searches(tables["searches"], **span),
    }
    parts = [part for measure, make in makers.items() if measure not in untold for part in make()]
    return ibis.union(*parts) if len(parts) > 1 else parts[0] if parts else None


def _counted(rows: Table, measure: str | ibis.Value, *, name: str | None = None) -> Table:
    """Rows with window, part and squares (of an item) summed by customer; `name`: the column, else all."""
    rows = rows.filter(rows.window.notnull())
    nobody = ibis.literal("row ") + ibis.row_number().cast("string")
    who = rows.customer_id.fill_null(nobody) if "customer_id" in rows.columns else nobody
    rows = rows.select(
        measure=ibis.literal(measure) if isinstance(measure, str) else measure,
        name=rows[name].cast("string") if name else ibis.literal(ALL),
        window=rows.window,
        who=who,
        part=rows.part.cast("float64"),
    ).filter(ibis._.name.notnull(), ibis._.part.notnull())
    summed = rows.group_by("measure", "name", "window", "who").aggregate(
        part=rows.part.sum(), whole=rows.count().cast("float64"), squares=(rows.part * rows.part).sum()
    )
    return summed.select(*(summed[column].cast(kind).name(column) for column, kind in CELLS.items()))


def _answers(surveys: Table, *, scales: Mapping, ces: str, then: date, as_of: date) -> list[Table]:
    rows = response.without_incentive(feedback.asked(surveys, scales=scales, ces=ces))
    points = (rows.metric == "nps").ifelse(100.0 * (rows.top - rows.bottom), rows.score)
    rows = rows.mutate(window=window_of(rows.answered_on, then=then, as_of=as_of), part=points).cache()
    parts = [_counted(rows, rows.metric)]
    return parts + ([_counted(rows, rows.metric, name="touchpoint")] if "touchpoint" in rows.columns else [])


def _late(orders: Table, *, zone: str, then: date, as_of: date) -> list[Table]:
    rows = delivery_promises.promised_orders(orders, as_of=as_of, zone=zone)
    rows = rows.filter(rows.late.notnull())
    rows = rows.mutate(window=window_of(rows.promised_on, then=then, as_of=as_of), part=rows.late.cast("int64")).cache()
    parts = [_counted(rows, "late")]
    return parts + ([_counted(with_names(rows, "delivery"), "late", name="name")] if "delivery" in rows.columns else [])


def _cancelled(orders: Table, *, then: date, as_of: date) -> list[Table]:
    rows = cancellations.all_orders(orders, as_of=as_of)
    window = window_of(rows.ordered_on, then=then, as_of=as_of, sooner=CANCELLED_LATER)
    return [_counted(rows.mutate(window=window, part=rows.cancelled.cast("int64")), "cancelled")]


def _returned(orders: Table, *, then: date, as_of: date) -> list[Table]:
    rows = cancellations.sold_lines(orders, as_of=as_of)
    window = window_of(rows.ordered_on, then=then, as_of=as_of, sooner=SENT_BACK_LATER)
    rows = rows.mutate(window=window, part=rows.sent_back.cast("int64")).cache()
    parts = [_counted(rows, "returned")]
    named = [_counted(with_names(rows, "category"), "returned", name="name")] if "category" in rows.columns else []
    return parts + named


def _again(orders: Table, *, then: date, as_of: date) -> list[Table]:
    placed = placed_orders(orders, as_of=as_of)
    days = placed.filter(placed.customer_id.notnull()).select("customer_id", "ordered_on").distinct()
    first = days.ordered_on.min().over(ibis.window(group_by="customer_id"))
    days = days.mutate(first_on=first, passed=days.ordered_on.delta(first, unit="day"))
    people = days.group_by("customer_id", "first_on").aggregate(
        part=((days.passed > 0) & (days.passed <= AGAIN_DAYS)).any().cast("int64")
    )
    window = window_of(people.first_on, then=then, as_of=as_of, sooner=AGAIN_DAYS)
    return [_counted(people.mutate(window=window), "again")]


def _searches(searches: Table, *, then: date, as_of: date) -> list[Table]:
    rows = queries.people(queries.search_log(searches, as_of=as_of))
    rows = rows.mutate(window=window_of(rows.searched_on, then=then, as_of=as_of), part=rows.nothing)
    return [_counted(rows.drop("customer_id").rename(customer_id="visitor"), "nothing")]


def _contacts(contacts: Table, orders: Table, *, then: date, as_of: date) -> list[Table]:
    """Contacts by reason beside the orders of the same customers: an item of the ratio is an order."""
    rates = contact_reasons.reason_rates(contacts, orders, as_of=as_of).drop_duplicates("reason")
    lags = [*zip(rates["reason"], rates["lag_days"].astype(int), strict=True), (ALL, 0)]
    named = contact_reasons.by_reason(contacts)
    every = named.mutate(name=ibis.literal(ALL))
    asked = ibis.union(*(_of_owner(rows, day="opened_on", name=rows.name) for rows in (named, every)))
    asked = asked.mutate(window=window_of(asked.day, then=then, as_of=as_of), part=100.0, whole=0.0)
    placed = placed_orders(orders, as_of=as_of)
    listed = ibis.memtable(
        pd.DataFrame(lags, columns=["name", "lag"]).astype({"name": object}), schema={"name": "string", "lag": "int64"}
    )
    placed = _of_owner(placed, day="ordered_on", name=ibis.literal("")).drop("name").cross_join(listed)
    held = (placed.day.cast("timestamp") + placed.lag.as_interval("D")).cast("date")
    placed = placed.mutate(window=window_of(held, then=then, as_of=as_of), part=0.0, whole=1.0)
    columns = ["name", "window", "who", "part", "whole"]
    rows = ibis.union(asked.select(columns), placed.select(columns))
    rows = rows.filter(rows.window.notnull())
    summed = rows.group_by("name", "window", "who").aggregate(part=rows.part.sum(), whole=rows.whole.sum())
    # an order's own contacts are mostly none or one: the squares of as many single ones
    summed = summed.mutate(measure=ibis.literal("contacts"), squares=100.0 * summed.part)
    return [summed.select(*(summed[column].cast(kind).name(column) for column, kind in CELLS.items()))]


def _of_owner(rows: Table, *, day: str, name: ibis.Value) -> Table:
    nobody = ibis.literal(f"{day} ") + ibis.row_number().cast("string")
    who = rows.customer_id.fill_null(nobody) if "customer_id" in rows.columns else nobody
    return rows.select(name=name, who=who, day=rows[day])
