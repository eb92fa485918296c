"""Who bought: orders by day, and one row a customer with how often, for how much, when last."""

from datetime import date

import ibis

from cxkit.errors import DataError
from cxkit.tables import counted_lines, order_totals

LOYAL_ORDERS = 3  # as many make a customer loyal
PLACES = 4  # money is rounded to a hundredth of the smallest coin: sums of floats differ by their order beyond it


NEEDED = ("order_id", "customer_id", "ordered_on", "ordered_at", "amount", "refund", "status")


def placed_orders(orders: ibis.Table, *, as_of: date) -> ibis.Table:
    """Counted orders up to `as_of`, one row each: order_id, customer_id (null allowed), ordered_on, revenue.

    As `tables.order_totals`, without the measures that need further columns: counting an order's products costs more
    than all the rest, and an engine does not leave it out by itself.
    """
    totals = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    return totals.filter(totals.ordered_on <= ibis.literal(as_of)).select(
        "order_id", "customer_id", "ordered_on", "revenue"
    )


def buyers(orders: ibis.Table, *, as_of: date) -> ibis.Table:
    """Customers with at least one counted order up to `as_of`, one row each.

    From: orders (lines) with order_id, customer_id, ordered_on, amount, refund, status.
    To: customer_id, last_on (the day of the last order), orders (how many counted ones), revenue (amount - refund, in
    the client's currency, the refunds of returns that matched no sale included).
    What is left out: lines without a customer (revenue that belongs to nobody), lines after `as_of`, customers who only
    returned (`quality.revenue_by_owner` counts them).
    """
    return customer_totals(orders, as_of=as_of).filter(ibis._.customer_id.notnull(), ibis._.orders > 0)


def customer_totals(orders: ibis.Table, *, as_of: date) -> ibis.Table:
    """As `buyers`, with those who only returned something (orders 0, last_on null) and with one row for no customer."""
    if "customer_id" not in orders.columns:
        raise DataError(
            f"table 'orders' lacks 'customer_id'; it has {', '.join(map(repr, orders.columns))}. Map it under"
            " tables.orders.columns in client.yml: without it nobody can be told from anybody."
        )
    lines = counted_lines(orders)
    lines = lines.filter(lines.ordered_on <= ibis.literal(as_of))
    per_order = lines.group_by("order_id").aggregate(
        customer_id=lines.customer_id.min(),
        ordered_on=lines.ordered_on.min(where=lines.is_sale),  # null where the order is a return alone
        revenue=lines.revenue.sum(),
    )
    return per_order.group_by("customer_id").aggregate(
        last_on=per_order.ordered_on.max(),
        orders=per_order.ordered_on.count(),
        revenue=per_order.revenue.sum().round(PLACES),
    )


def marked_ordered_again(
    rows: ibis.Table, orders: ibis.Table, *, key: str, day: str, within: int, as_of: date
) -> ibis.Table:
    """Whether a row's customer ordered on a later day, at most `within` days after the row's `day`: the column `did`.

    From: rows (`key`, which no two share; customer_id; `day`, a date), orders (lines). To: the rows with did.
    """
    later = placed_orders(orders, as_of=as_of)
    later = later.filter(later.customer_id.notnull()).select(its_owner="customer_id", its_day="ordered_on")
    both = rows.inner_join(later, rows.customer_id == later.its_owner)
    wait = both.its_day.delta(both[day], unit="day")
    hits = both.filter(wait > 0, wait <= within).select(hit=key).distinct()
    marked = rows.left_join(hits, rows[key] == hits.hit)
    return marked.mutate(did=marked.hit.notnull())
