"""What is cancelled and sent back, why, where, and what does it cost?"""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import Estimate, normal, unknown
from cxkit.findings import Finding
from cxkit.pareto import first_names, pareto, why_nameless, with_names
from cxkit.privacy import LEAST_SHOWN
from cxkit.rate_trends import month_counts, monthly_rates
from cxkit.shares_apart import share_of, surely_more
from cxkit.style import format_interval, format_value, in_quotes, no_places
from cxkit.tables import counted_lines

PLACES = 4
TRIED_AGAIN_DAYS = 1  # bought the same day (earlier or later) or the next: tried again
ASPECTS = {name: name for name in ("category", "channel", "delivery", "payment")}
SEVERAL = "several categories"
BACK = ("returned", "partly_returned")
MONEY = "sum over customers, compound Poisson"


def all_orders(orders: Table, *, as_of: date) -> Table:
    """One row an order placed, cancelled or not: order_id, customer_id, ordered_on, cancelled (yes/no: all its lines
    are), reason (the first by name), category (of its goods, or "several categories"), channel, delivery, payment (of
    the first line by name), lost (amount of a cancelled one), lost_cost (what its goods would have cost; null where not
    known), tried_again (a cancelled one whose customer placed an order that counts on the same day, earlier or
    later, or on the next).

    From: orders (lines) with status. What is left out: lines after `as_of`, return-only lines.
    Source: cancelled orders count in service only (see `tables.counted_lines`).
    """
    if "status" not in orders.columns:
        orders = orders.mutate(status=ibis.literal("completed"))
    lines = orders.filter(orders.ordered_on <= ibis.literal(as_of), orders.amount > 0)
    gone = lines.status.fill_null("completed") == "cancelled"
    cost = lines.cost if "cost" in lines.columns else ibis.null("float64")
    lines = lines.mutate(gone=gone, goods=cost)
    optional = {name: lines[name].min() for name in ASPECTS if name in lines.columns}
    if "category" in lines.columns:
        optional["category"] = (lines.category.nunique() > 1).ifelse(SEVERAL, lines.category.min())
    if "reason" in lines.columns:
        optional["reason"] = lines.reason.min(where=lines.gone)
    owner = lines.customer_id.min() if "customer_id" in lines.columns else ibis.null("string")
    placed = lines.group_by("order_id").aggregate(
        customer_id=owner,
        ordered_on=lines.ordered_on.min(),
        cancelled=lines.gone.all(),
        lost=lines.amount.sum(where=lines.gone).fill_null(0.0).round(PLACES),
        lost_cost=ibis.cases((lines.goods.isnull().any(), ibis.null("float64")), else_=lines.goods.sum().round(PLACES)),
        **optional,
    )
    good = placed.filter(~placed.cancelled, placed.customer_id.notnull())
    good = good.select(its_owner=good.customer_id, its_day=good.ordered_on).distinct()
    bad = placed.filter(placed.cancelled, placed.customer_id.notnull())
    wait = good.its_day.delta(bad.ordered_on, unit="day")
    tried = bad.inner_join(good, [bad.customer_id == good.its_owner, wait >= 0, wait <= TRIED_AGAIN_DAYS])
    tried = tried.select(its_order="order_id").distinct()
    placed = placed.left_join(tried, placed.order_id == tried.its_order)
    placed = placed.mutate(tried_again=placed.cancelled & placed.its_order.notnull()).drop("its_order")
    return placed.cache()  # asked several times: computed once


def sold_lines(orders: Table, *, as_of: date) -> Table:
    """Lines that count, one row each, with sent_back (yes/no: returned in whole or in part), reason, refund, and what
    the goods left (margin; null where the cost is not known). Return-only lines are no sale."""
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines.ordered_on <= ibis.literal(as_of))
    back = lines.status.isin(BACK).fill_null(False) | (lines.refund.fill_null(0.0) > 0)
    cost = lines.cost if "cost" in lines.columns else ibis.null("float64")
    return lines.mutate(sent_back=back, margin=lines.amount - cost)


def cancel_reasons(placed: Table, *, level: float = 0.95) -> pd.DataFrame:
    """Why orders are cancelled, the commonest reason first. From: `all_orders`. To: as `pareto.pareto`, counts of
    orders, and lost (their amount), known (those of known customers), tried_again (share of the known after which the
    customer bought all the same; NaN where none is known)."""
    gone = placed.filter(placed.cancelled)
    named = _named(gone)
    shares = pareto(named, level=level)
    sums = named.group_by("name").aggregate(
        lost=named.lost.sum().round(2), known=named.customer_id.count(),
        tried_again=named.tried_again.cast("int64").sum(),
    )  # fmt: skip
    frame = shares.merge(collect(sums, order_by="name"), on="name", how="left")
    frame["tried_again"] = frame["tried_again"] / frame["known"].where(frame["known"] > 0)
    return frame


def return_reasons(lines: Table, *, level: float = 0.95) -> pd.DataFrame:
    """Why goods are sent back, the commonest reason first. From: `sold_lines`. To: as `pareto.pareto`, counts of
    lines, and refund (what was given back for them)."""
    back = lines.filter(lines.sent_back)
    named = _named(back)
    sums = named.group_by("name").aggregate(refund=named.refund.fill_null(0.0).sum().round(2))
    return pareto(named, level=level).merge(collect(sums, order_by="name"), on="name", how="left")


def _named(rows: Table) -> Table:
    return with_names(rows if "reason" in rows.columns else rows.mutate(reason=ibis.null("string")), "reason")


def money_lost(placed: Table, lines: Table, *, as_of: date, margin: float | None = None) -> pd.DataFrame:
    """What cancelled orders and returns took in the last 365 days (or since the first order), in the client's currency.

    From: `all_orders`, `sold_lines`; `margin`: client.yml's, for goods without a cost. To: what, count (orders or
    lines), value, low, high, n (customers), level, method: sales of cancelled orders that were not tried again, the
    margin on those sales, sales of cancelled orders whose customer is not known (nobody can tell whether they were
    tried again), what was given back for returns. NaN where nothing is known of it, and of fewer than five customers.
    How: sums over customers; their variance is that of a compound Poisson number, the sum of squares.
    What is left out: what the parcel and the work cost. Returned goods may be sold again: refunds are no loss in full.
    """
    since = ibis.literal(as_of - timedelta(days=364))
    gone = placed.filter(placed.cancelled, ~placed.tried_again, placed.ordered_on >= since)
    nobody, gone = gone.filter(gone.customer_id.isnull()), gone.filter(gone.customer_id.notnull())
    share = ibis.null("float64") if margin is None else ibis.literal(float(margin))
    left = (gone.lost - gone.lost_cost).fill_null(gone.lost * share)
    back = lines.filter(lines.sent_back, lines.ordered_on >= since)
    rows = [
        _sum(gone, gone.lost, "Sales of cancelled orders not tried again"),
        _sum(gone, left, "Margin of cancelled orders not tried again"),
        _sum(nobody, nobody.lost, "Sales of cancelled orders, customer not known"),
        _sum(back, back.refund.fill_null(0.0), "Given back for returns"),
    ]
    return pd.DataFrame(rows)


def _sum(rows: Table, money: ibis.Value, what: str) -> dict:
    nameless = ibis.literal("row ") + ibis.row_number().cast("string")
    who = rows.customer_id.fill_null(nameless) if "customer_id" in rows.columns else nameless
    told = rows.select(who=who, money=money.cast("float64"))
    each = told.group_by("who").aggregate(money=told.money.sum(), rows=told.count(), known=told.money.count())
    sums = each.aggregate(
        value=each.money.sum().round(PLACES), squares=(each.money * each.money).sum().round(PLACES), n=each.count(),
        count=each.rows.sum(), known=each.known.sum(),
    )  # fmt: skip
    row = collect(sums, order_by="n").fillna(0).iloc[0]
    if row["known"] < row["count"] or not row["count"]:
        method = "the goods' costs are not known" if row["count"] else "nothing to count"
        found = unknown("money", n=int(row["n"]), method=method)
    else:
        found = normal(row["value"], float(np.sqrt(row["squares"])), int(row["n"]), unit="money", method=MONEY)
    if 0 < row["n"] < LEAST_SHOWN:
        found = unknown("money", n=int(row["n"]), method=f"withheld: fewer than {LEAST_SHOWN} customers")
    ends = {"value": found.value, "low": max(found.low, 0.0) if found.known and found.value >= 0 else found.low,
            "high": found.high}  # fmt: skip
    return {"what": what, "count": int(row["count"]), **ends, "n": found.n, "level": 0.95, "method": found.method}


def cancelled_share(placed: Table, *, level: float = 0.95) -> Estimate:
    """Share of all orders placed that were cancelled; unknown where none was: an export may leave them out. From:
    `all_orders`."""
    return _told(share_of(placed, part="cancelled", level=level), "no order is marked as cancelled")


def cancel_rates(placed: Table, *, as_of: date, level: float = 0.95) -> pd.DataFrame:
    """Cancelled orders a hundred placed, by month. From: `all_orders`. To: as `rate_trends.monthly_rates`, of one name
    (cancelled orders)."""
    days = collect(placed.group_by(day="ordered_on").aggregate(orders=placed.count()), order_by="day")
    days = days.assign(day=pd.to_datetime(days["day"]), orders=days["orders"].astype("int64"))
    counts = month_counts(placed.filter(placed.cancelled), day="ordered_on", as_of=as_of, name="cancelled orders")
    return monthly_rates(counts, days, as_of=as_of, level=level)


def tried_again_share(placed: Table, *, level: float = 0.95) -> Estimate:
    """Share of cancelled orders (of known customers) after which the customer bought within a day. From:
    `all_orders`."""
    return share_of(placed.filter(placed.cancelled, placed.customer_id.notnull()), part="tried_again", level=level)


def returned_share(lines: Table, *, level: float = 0.95) -> Estimate:
    """Share of lines sold that were sent back, in whole or in part; unknown where none was. From: `sold_lines`."""
    return _told(share_of(lines, part="sent_back", level=level), "no line is marked as sent back")


def _told(share: Estimate, why: str) -> Estimate:
    """The share, unknown where it is nought: an export that leaves such rows out looks like a shop that has none."""
    return unknown("share", level=share.level, method=why) if share.value == 0 else share


def share_findings(cancelled: Estimate, returned: Estimate) -> list[Finding]:
    """service.cancelled_share, service.returned_share."""
    return [
        Finding(
            id="service.cancelled_share",
            claim="{value} of orders placed are cancelled ({interval}).",
            estimate=cancelled,
            label="Share of orders cancelled",
            higher_is_better=False,
            evidence=("cancel_reasons", "cancelled_where"),
            action="Remove the commonest reason first.",
        ),
        Finding(
            id="service.returned_share",
            claim="{value} of order lines are sent back ({interval}).",
            estimate=returned,
            label="Share of order lines sent back",
            higher_is_better=False,
            evidence=("return_reasons", "returned_where"),
            action="See where it is more common for certain, and what the page says of these goods.",
        ),
    ]


def returned_where_findings(where: pd.DataFrame) -> list[Finding]:
    """service.returned.<category>: categories of which more is sent back than of all others, for certain. From:
    `shares_apart.shares_apart` of `sold_lines`, by ASPECTS."""
    found = []
    for row in surely_more(where, aspect="category").itertuples(index=False):
        name = in_quotes(row.name)
        shares = f"{format_value(row.value, 'share')} of order lines against {format_value(row.others, 'share')}"
        found.append(
            Finding(
                id=f"service.returned.{row.key}",
                claim=f"{no_places(name)} is sent back more often than other goods: {shares}, "
                "{value} percentage points more ({interval}).",
                estimate=row.estimate,
                label=f"Sending back of {name} against all other goods",
                target=0.0,
                target_source=f"the client's other categories ({row.family} comparisons together, Holm)",
                higher_is_better=False,
                evidence=("returned_where",),
                action=f"See why {name} comes back, and what its page leaves unsaid.",
            )
        )
    return found


def cancelled_in_words(cancelled: Estimate, again: Estimate) -> list[str]:
    """How many are cancelled, and how many of them are bought all the same. From: `cancelled_share`,
    `tried_again_share`."""
    if not cancelled.known:
        return [f"How many orders are cancelled is not known: {cancelled.method}."]
    texts = [
        f"{format_value(cancelled.value, 'share')} of orders placed were cancelled ({format_interval(cancelled)}, "
        f"n = {cancelled.n:,})."
    ]
    if again.known:
        texts.append(
            f"Of those of known customers {round(again.value * again.n):,} of {again.n:,} were tried again "
            f"({format_interval(again)}): the customer placed an order that counts on the same day, earlier or later, "
            "or on the next."
        )
    return texts


def returned_in_words(returned: Estimate, reasons: pd.DataFrame) -> list[str]:
    """How much is sent back, and why most of it is. From: `returned_share`, `return_reasons`."""
    if not returned.known:
        return [f"How much is sent back is not known: {returned.method}."]
    texts = [
        f"{format_value(returned.value, 'share')} of order lines were sent back ({format_interval(returned)}, "
        f"n = {returned.n:,})."
    ]
    told = first_names(reasons)
    return [*texts, f"Most named: {told}." if told else f"No reason can be named: {why_nameless(reasons['name'])}."]
