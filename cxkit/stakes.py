"""The revenue that an item touches: that of the last year's orders that met it."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit import passed
from cxkit.buyers import placed_orders
from cxkit.cancellations import all_orders, sold_lines
from cxkit.delivery_promises import promised_orders
from cxkit.engine import collect
from cxkit.passed import key_of
from cxkit.privacy import LEAST_SHOWN
from cxkit.same_thing import split_ids
from cxkit.spheres import AT_TOUCHPOINTS
from cxkit.style import format_value

DAYS = 365
# a total that is evidence of its part's item adds no orders to it: total -> what its parts begin with
PARTS = {"service.contact_trend": "service.growing.", "search.nothing_found": "search.missing."}
YET_TO_COME = 90  # days after a first order in which a second may still come
KEPT = {
    "missing_goods": ("06_search", "missing_goods"),
    "customers": ("01_segmentation", "customers"),
    "groups": ("01_segmentation", "groups"),
    "slipping_away": ("04_lifetime_value", "slipping_away"),
    "overdue": ("03_loyalty", "overdue_customers"),
    "savings": ("07_service", "savings"),
}
COLUMNS = ("item", "stake", "stake_share", "orders", "n", "how")
NO_NUMBER = "no number stands behind it"
NO_RULE = "it cannot be said whose orders meet it"
SPREAD = "it cannot be said, since it tells how revenue is spread, not whose orders met a fault"
Told = tuple[Table | pd.DataFrame | None, str]  # what meets it (or nothing), and how it was found (or why not)


def stakes(
    items: pd.DataFrame,
    tables: Mapping[str, Table],
    *,
    as_of: date,
    zone: str,
    kept: Mapping[str, pd.DataFrame] = {},
) -> pd.DataFrame:
    """The revenue that each item touches: that of the orders of the last 365 days that meet it.

    From: items (item, evidence: as `swot.join` tells it); canonical tables: orders, and events, contacts
    where there are; `kept`, of what is known besides: touchpoints (`stages.touchpoint_map`), segments
    (`segment_names.segment_names`), and what earlier notebooks left: missing_goods, customers (with segment, tier),
    groups, slipping_away, overdue, savings (reason, cost a year).
    To, a row an item: item, stake (money), stake_share (of all revenue of those days), orders, n (customers; of goods
    that are missing: visitors), how (in words; where nothing can be said: why not, and the numbers are missing).
    An order counts once for an item, with its revenue; what is sent back or cancelled counts with the money given
    back or lost. What it cannot show: what would be won by mending it, since most such orders came all the same; items
    are met by the same orders, so stakes must not be added up. Of goods that are not offered it is a model: the orders
    a year that 06_search reckons times the mean order.
    What is left out: visits that passed a touchpoint and name no order (how many, is told: their revenue is what is
    lost, and nobody knows it), and months in which no visit is known (how many are known, is told); stakes of fewer
    than five customers.
    """
    told = _gathered(tables, as_of=as_of, zone=zone, kept=kept)
    asked = {row.item: _parts(split_ids(row.evidence)) for row in items.itertuples()}
    answers = {id: _answer(id, told) for id in dict.fromkeys(id for ids in asked.values() for id in ids)}
    parts = [
        answers[id][0].mutate(item=ibis.literal(item)).select("item", "order_id", money="money")
        for item, ids in asked.items()
        for id in ids
        if isinstance(answers[id][0], Table)
    ]
    sums = _sums(parts, told).set_index("item")
    rows = [_row(item, ids, answers, sums, told) for item, ids in asked.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def year_revenue(orders: Table, *, as_of: date) -> float:
    """The revenue of the orders of the last 365 days, of which stakes are a share."""
    year = placed_orders(orders, as_of=as_of)
    year = year.filter(year.ordered_on >= ibis.literal(as_of - timedelta(days=DAYS - 1)))
    total = collect(year.aggregate(revenue=year.revenue.sum().fill_null(0.0)), order_by="revenue")
    return round(float(total.iloc[0, 0]), 2)  # the engine adds in any order, and the last digits with it


def read_kept(read: Callable[..., pd.DataFrame | None]) -> dict[str, pd.DataFrame]:
    """What earlier notebooks left that `stakes` can use. From: the run's `kept_table`."""
    found = {name: read(*place, texts=["name", "segment", "tier", "group", "reason"]) for name, place in KEPT.items()}
    return {name: frame for name, frame in found.items() if frame is not None}


def touchpoints_of(evidence: object) -> set[str]:
    """The touchpoints that an item's evidence names, made plain (`key_of`)."""
    starts = (*AT_TOUCHPOINTS, "feedback.gap.")
    return {key_of(id.removeprefix(start)) for id in split_ids(evidence) for start in starts if id.startswith(start)}


def _gathered(tables: Mapping[str, Table], *, as_of: date, zone: str, kept: Mapping[str, pd.DataFrame]) -> dict:
    """What the rules share: the year's orders, whose they are, its revenue, and the mean order."""
    orders, since = tables["orders"], as_of - timedelta(days=DAYS - 1)
    placed = placed_orders(orders, as_of=as_of)
    year = placed.filter(placed.ordered_on >= ibis.literal(since)).select("order_id", "customer_id", money="revenue")
    year = year.cache()
    row = collect(year.aggregate(revenue=year.money.sum().fill_null(0.0), orders=year.count()), order_by="orders")
    revenue, count = round(float(row["revenue"].iloc[0]), 2), int(row["orders"].iloc[0])
    mean = revenue / count if count else float("nan")
    return dict(tables) | {"year": year, "revenue": revenue, "mean_order": mean, "kept": kept} | {
        "as_of": as_of, "since": since, "zone": zone}  # fmt: skip


def _parts(ids: list[str]) -> list[str]:
    """The findings of an item whose orders count: without the total where its part is there."""
    return [id for id in ids if id not in PARTS or not any(other.startswith(PARTS[id]) for other in ids)]


def _answer(id: str, told: dict) -> Told:
    """What meets a finding, by the rule that its id has."""
    for start, rule in RULES.items():
        if id == start or (start.endswith(".") and id.startswith(start)):
            return rule(told, key_of(id.removeprefix(start)))
    return None, NO_RULE


def _sums(parts: list[Table], told: dict) -> pd.DataFrame:
    """item, stake, orders, n: each order once an item, with the most that it has to do with it."""
    if not parts:
        return pd.DataFrame({"item": [], "stake": [], "orders": [], "n": []})
    rows = ibis.union(*parts) if len(parts) > 1 else parts[0]
    each = rows.group_by("item", "order_id").aggregate(money=rows.money.max())
    lines = told["orders"]
    owner = lines.customer_id.min() if "customer_id" in lines.columns else ibis.null("string")
    owners = lines.group_by(its_order="order_id").aggregate(owner=owner)
    joined = each.left_join(owners, each.order_id == owners.its_order)
    # an order of nobody known is somebody's
    who = joined.owner.fill_null(ibis.literal("order ") + joined.order_id)
    joined = joined.mutate(who=who)
    sums = joined.group_by("item").aggregate(
        stake=joined.money.sum().round(2), orders=joined.count(), n=joined.who.nunique()
    )
    return collect(sums, order_by="item")


def _row(item: str, ids: list[str], answers: dict[str, Told], sums: pd.DataFrame, told: dict) -> dict:
    """An item's row: its orders, else what a model says of it, else why nothing can be said."""
    nothing = {"item": item, "stake": np.nan, "stake_share": np.nan, "orders": np.nan, "n": np.nan}
    if not ids:
        return nothing | {"how": NO_NUMBER}
    models = [answers[id] for id in ids if isinstance(answers[id][0], pd.DataFrame)]
    named = list(dict.fromkeys(how for id in ids for meets, how in [answers[id]] if isinstance(meets, Table)))
    if item in sums.index:
        found, how = sums.loc[item], "; ".join(named)
        stake, orders, n = float(found["stake"]), float(found["orders"]), float(found["n"])
    elif models:
        goods = pd.concat([meets for meets, _ in models]).drop_duplicates("name")
        orders, n = float(goods["orders_a_year"].sum()), float(goods["visitors"].sum())
        stake, how = orders * told["mean_order"], "; ".join(dict.fromkeys(how for _, how in models))
    elif named:
        return nothing | {"stake": 0.0, "stake_share": 0.0, "orders": 0.0, "n": 0.0, "how": "; ".join(named)}
    else:
        return nothing | {"how": "; ".join(dict.fromkeys(answers[id][1] for id in ids))}
    if n < LEAST_SHOWN:
        return nothing | {"how": f"withheld: fewer than {LEAST_SHOWN} customers ({how})"}
    share = round(stake / told["revenue"], 6) if told["revenue"] > 0 else np.nan
    return nothing | {"stake": round(stake, 2), "stake_share": share, "orders": orders, "n": n, "how": how}


def _of_orders(told: dict, ids: Table, how: str) -> Told:
    """The year's orders among `ids` (order_id, once each or several times)."""
    named = ids.filter(ids.order_id.notnull()).select(met="order_id").distinct()
    year = told["year"]
    return year.inner_join(named, year.order_id == named.met).select("order_id", "money"), how


def _of_customers(told: dict, ids: pd.Series, how: str) -> Told:
    """The year's orders of some customers."""
    if not len(ids):
        return None, f"nobody is counted as {how}"
    who = ibis.memtable(pd.DataFrame({"who": ids.astype(str).drop_duplicates()}), schema={"who": "string"})
    year = told["year"]
    return year.inner_join(who, year.customer_id == who.who).select("order_id", "money"), f"orders of {how}"


def _among(table: Table, column: str, key: str) -> list[str]:
    """The values of a column whose key is `key`."""
    listed = table.filter(table[column].notnull()).select(name=table[column]).distinct()
    names = collect(listed, order_by="name", max_rows=1_000_000)["name"]
    return [name for name in names if key_of(name) == key]


def _late(told: dict, key: str) -> Told:
    orders = told["orders"]
    if not {"promised_at", "delivered_at"} <= set(orders.columns):
        return None, "orders have no promised_at and delivered_at"
    placed = promised_orders(orders, as_of=told["as_of"], zone=told["zone"])
    late = placed.filter(placed.late)
    if not key:
        return _of_orders(told, late, "orders that came late or are overdue")
    ways = _among(late, "delivery", key) if "delivery" in late.columns else []
    if not ways:
        return None, "no late order names this way of delivery"
    return _of_orders(told, late.filter(late.delivery.isin(ways)), "orders sent so that came late")


def _returned(told: dict, key: str) -> Told:
    lines = sold_lines(told["orders"], as_of=told["as_of"])
    lines = lines.filter(lines.sent_back, lines.ordered_on >= ibis.literal(told["since"]))
    if key:
        kinds = _among(lines, "category", key) if "category" in lines.columns else []
        if not kinds:
            return None, "no line that was sent back names this category"
        lines = lines.filter(lines.category.isin(kinds))
    back = lines.group_by("order_id").aggregate(money=lines.refund.fill_null(0.0).sum())
    return back.select("order_id", "money"), "money given back for goods sent back"


def _cancelled(told: dict, _: str) -> Told:
    gone = all_orders(told["orders"], as_of=told["as_of"])
    gone = gone.filter(gone.cancelled, gone.ordered_on >= ibis.literal(told["since"]))
    return gone.select("order_id", money="lost"), "amount of cancelled orders, those tried again included"


def _touched(told: dict, key: str) -> Told:
    """Orders whose visit passed a touchpoint; of delivery and support those that were delivered or asked about."""
    orders, events = told["orders"], told.get("events")
    if key == "delivery" and "delivered_at" in orders.columns:
        return _of_orders(told, orders.filter(orders.delivered_at.notnull()), "orders that were delivered")
    if key == "support":
        return _contacted(told, "")
    span = {"since": told["since"], "as_of": told["as_of"]}
    ordered, words = passed.orders_that_passed(events, key, points=told["kept"].get("touchpoints"), **span)
    return (None, words) if ordered is None else _of_orders(told, ordered, words)


def _expected(told: dict, key: str) -> Told:
    """Of what was expected and not met orders show that they came late; of things but delivery nothing."""
    if key != "delivery":
        return None, "it cannot be said which orders fell short of what was expected"
    return _late(told, "")


def _contacted(told: dict, key: str) -> Told:
    contacts = told.get("contacts")
    if contacts is None or "order_id" not in contacts.columns:
        return None, "contacts name no order"
    if not key:
        return _of_orders(told, contacts, "orders that somebody contacted the shop about")
    reasons = _among(contacts, "reason", key) if "reason" in contacts.columns else []
    if not reasons:
        return None, "no contact names this reason"
    words = f"orders that somebody contacted the shop about for this reason{_cost(told, key)}"
    return _of_orders(told, contacts.filter(contacts.reason.isin(reasons)), words)


def _cost(told: dict, key: str) -> str:
    """What the contacts about a reason cost a year, as 07_service reckons it; empty where it does not."""
    costs = told["kept"].get("savings")
    if costs is None or not {"reason", "cost"} <= set(costs.columns):
        return ""
    its = costs.loc[costs["reason"].map(key_of) == key, "cost"]
    return f"; to answer them costs {its.iloc[0]:,.0f} a year" if len(its) and np.isfinite(its.iloc[0]) else ""


def _missing(told: dict, key: str) -> Told:
    goods = told["kept"].get("missing_goods")
    if goods is None or "orders_a_year" not in goods:
        return None, "what is looked for and not offered was not reckoned (06_search)"
    goods = goods[(goods["reading"] == "missing") & goods["orders_a_year"].notna()]
    goods = goods[goods["name"].map(key_of) == key] if key else goods[goods["of"] == "department"]
    if not len(goods) or not np.isfinite(told["mean_order"]):
        return None, "what it might bring is not reckoned"
    words = f"a model: orders a year that it might bring times the mean order of {told['mean_order']:,.0f}"
    return goods[["name", "orders_a_year", "visitors"]], words


def _in_segment(told: dict, key: str) -> Told:
    return _kept(told, "customers", "segment", [key], "customers who are in this segment now")


def _gone_quiet(told: dict, _: str) -> Told:
    named = told["kept"].get("segments")
    if named is None:
        return None, "which segments have gone quiet is not known"
    quiet = named.loc[named["quiet"].astype(bool), "segment"].map(key_of).unique().tolist()
    return _kept(told, "customers", "segment", quiet, "customers who have gone quiet")


def _in_group(told: dict, key: str) -> Told:
    return _kept(told, "groups", "group", [key], "customers of this group")


def _kept(told: dict, table: str, column: str, keys: list[str], words: str) -> Told:
    frame = told["kept"].get(table)
    if frame is None or column not in frame:
        return None, f"who is meant was not kept (01_segmentation.{table})"
    return _of_customers(told, frame.loc[frame[column].map(key_of).isin(keys), "customer_id"], words)


def _bought_once(told: dict, _: str) -> Told:
    frame = told["kept"].get("customers")
    if frame is None or "frequency" not in frame:
        return None, "who bought once was not kept (01_segmentation.customers)"
    if "recency_days" not in frame:
        return None, "since when they bought once was not kept (01_segmentation.customers)"
    failed = (frame["frequency"] == 1) & (frame["recency_days"] >= YET_TO_COME)
    words = f"customers with one order that is at least {YET_TO_COME} days old"
    return _of_customers(told, frame.loc[failed, "customer_id"], words)


def _spread(_told: dict, _: str) -> Told:
    return None, SPREAD


def _listed(table: str, words: str) -> Callable[[dict, str], Told]:
    def rule(told: dict, _: str) -> Told:
        frame = told["kept"].get(table)
        return (None, f"the list of {words} was not kept") if frame is None else (
            _of_customers(told, frame["customer_id"], words))  # fmt: skip

    return rule


# a finding's id, or what it begins with (ending with a dot) -> who and what meets it; the first that fits counts
RULES: dict[str, Callable[[dict, str], Told]] = {
    "service.late.": _late,
    "service.late_share": _late,
    "service.returned.": _returned,
    "service.returned_share": _returned,
    "service.cancelled_share": _cancelled,
    "service.growing.": _contacted,
    "service.contact_trend": _contacted,
    "service.contacts_per_100": _contacted,
    "service.repeat_contacts": _contacted,
    "service.answered_in_time": _contacted,
    "service.solved_in_time": _contacted,
    "journey.touchpoint.": _touched,
    "feedback.touchpoint.": _touched,
    "feedback.gap.": _expected,
    "search.missing.": _missing,
    "search.nothing_found": _missing,
    "segments.grows.": _in_segment,
    "segments.shrinks.": _in_segment,
    "segments.quiet_share": _gone_quiet,
    "segments.great_share": _spread,
    "segments.great_kept": _spread,
    "segments.top_group_share": _spread,
    "personas.costs.": _in_group,
    "lifetime.slipping_share": _listed("slipping_away", "customers who are slipping away"),
    "loyalty.overdue_share": _listed("overdue", "customers who are overdue"),
    "loyalty.repeat_rate": _bought_once,
    "loyalty.top_share": _spread,
    "loyalty.top_profit_share": _spread,
    "loyalty.gini": _spread,
}


def in_words(row: pd.Series, currency: str) -> str:
    """A stake as a reader meets it: money, its share of the year's revenue, and what was counted. From: a row of
    `weigh`."""
    if not np.isfinite(row["stake"]):
        return f"not known: {row['at_stake']}"
    money = format_value(row["stake"], "money", currency)
    return f"{money}, {format_value(row['stake_share'], 'share')} of a year's revenue ({row['at_stake']})"
