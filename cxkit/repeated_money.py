"""Is a column of order lines the money of the whole order? It would be counted once per line."""

from collections.abc import Mapping
from functools import reduce
from operator import and_

from ibis.expr.types import StringValue, Table

from cxkit import numerals
from cxkit.mapping import Export, Multiply
from cxkit.tables import TABLES

NEARLY_ALL, LEAST = 0.95, 20  # of the orders of several lines that have such money; fewer prove nothing
MOST_LINES = 2_000_000  # of more lines every so many-th order is looked at
CENT = 0.005
REPEATED, ABOVE = "is the same on all lines of", "is above the line's amount on"  # oddities look for these words


def notes(rows: Table, export: Export) -> list[str]:
    """What is to be said of the money that is mapped as it stands: the same on all lines of nearly every order of
    several lines, or refunds above what the line cost.

    From: order lines as the door keeps them. What is left out: money of 0; orders with a line without any.
    """
    mapped = [
        n for n, c in TABLES["orders"].columns.items() if c.type == "money" and isinstance(export.columns.get(n), str)
    ]
    found = _above(rows) if {"refund", "amount"} <= set(export.columns) else []
    if not mapped:
        return found
    every = int(rows.count().execute()) // MOST_LINES
    rows = rows.filter(rows.order_id.hash() % (every + 1) == 0) if every else rows
    of = {}
    for name in mapped:
        money = rows[name]
        of |= {f"least_{name}": money.min(), f"most_{name}": money.max(), f"filled_{name}": money.count()}
    if "refund" in mapped:  # what came back whole without a sum has the line's own
        of["own_refund"] = (rows.refund == rows.amount).all()
    orders = rows.group_by("order_id").agg(lines=rows.count(), **of)
    orders = orders.filter(orders.lines > 1)
    counts = {}
    for name in mapped:
        least, most = orders[f"least_{name}"], orders[f"most_{name}"]
        own = [~orders.own_refund] if name == "refund" else []
        some = reduce(and_, [orders[f"filled_{name}"] == orders.lines, (least != 0) | (most != 0), *own])
        counts[f"some_{name}"] = some.ifelse(1, 0).sum().fill_null(0)
        counts[f"same_{name}"] = (some & (least == most)).ifelse(1, 0).sum().fill_null(0)
        counts[f"sums_{name}"] = least.nunique(where=some)
    counted = orders.aggregate(**counts).to_pandas().iloc[0]
    for name in mapped:
        some, same = int(counted[f"some_{name}"]), int(counted[f"same_{name}"])
        if some >= LEAST and same >= NEARLY_ALL * some and counted[f"sums_{name}"] > 1:
            raw, amount = export.columns[name], export.columns["amount"]
            by = ", ".join(amount.multiply if isinstance(amount, Multiply) else ("price", "pieces"))
            found.append(
                f"{name}: {raw} {REPEATED} {same:,} of {some:,} orders of several lines. If it is the whole order's, it"
                f" counts once per line now: write {name}: {{share: {raw}, by: [{by}]}}."
            )
    return found


def off(records: Table, order: StringValue, export: Export, names: Mapping[str, str]) -> list[str]:
    """The same of raw columns that `minus` takes off amounts as they stand. From: raw records, each one's order."""
    found = []
    for name, source in export.columns.items():
        for raw in [part for part in source.minus if isinstance(part, str)] if isinstance(source, Multiply) else []:
            held = records.select(order=order, text=numerals.as_text(records[names[raw]]))
            held = held.filter(held.order.notnull())
            orders = held.group_by("order").agg(
                lines=held.count(), least=held.text.min(), most=held.text.max(), filled=held.text.count()
            )
            orders = orders.filter((orders.lines > 1) & orders.most.re_search("[1-9]"))
            same = (orders.least == orders.most) & (orders.filled == orders.lines)
            counted = orders.aggregate(
                some=orders.count(), same=same.ifelse(1, 0).sum().fill_null(0), sums=orders.most.nunique()
            )
            some, same, sums = counted.to_pandas().iloc[0].astype(int)
            if some >= LEAST and same >= NEARLY_ALL * some and sums > 1:
                by = ", ".join(source.multiply)
                found.append(
                    f"{name}: {raw}, which minus takes off, {REPEATED} {same:,} of {some:,} orders of several lines. If"
                    f" it is the whole order's, it is taken off each line now: write minus: [{{share: {raw}, by:"
                    f" [{by}]}}]."
                )
    return found


def _above(rows: Table) -> list[str]:
    sold = rows.filter((rows.amount > 0) & ~rows.is_return & (rows.refund > 0))
    counted = sold.aggregate(
        lines=sold.count(), above=(sold.refund > sold.amount + CENT).ifelse(1, 0).sum().fill_null(0)
    )
    counted = counted.to_pandas().iloc[0]
    if not counted.above:
        return []
    return [
        f"refund {ABOVE} {int(counted.above):,} of {int(counted.lines):,} lines that have one: is it the whole order's,"
        " or does it hold what the delivery cost?"
    ]
