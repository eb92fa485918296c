"""What is at stake: each rule on a shop of a few orders, summed by eye."""

from datetime import date

import hand_service as hand
import ibis
import pandas as pd
import pytest

from cxkit.passed import key_of
from cxkit.stakes import in_words, stakes, touchpoints_of

AS_OF, ZONE = date(2025, 6, 30), "Europe/Kyiv"
DUE = {"promised_at": "2025-06-10 12:00"}
LATE, IN_TIME = DUE | {"delivered_at": "2025-06-12 12:00"}, DUE | {"delivered_at": "2025-06-09 12:00"}


def order(number: int, **more) -> dict:
    return {"order_id": f"o{number}", "customer_id": f"c{number}", "ordered_at": "2025-06-01", "amount": 100.0} | more


# six late couriers' parcels of 100, four lockers' of 50 in time; one of long ago; two cancelled of 30
SHOP = (
    [order(n, delivery="courier", category="Shoes", **LATE) for n in range(6)]
    + [order(n, delivery="parcel locker", category="Books", **IN_TIME, amount=50.0) for n in range(6, 10)]
    + [order(20, delivery="courier", ordered_at="2023-06-01", **LATE)]
    + [order(n, status="cancelled", delivery="courier", amount=30.0) for n in (21, 22)]
)


def found(evidence: str | list[str], *, shop: list[dict] = SHOP, kept: dict | None = None, **tables) -> pd.DataFrame:
    evidence = [evidence] if isinstance(evidence, str) else evidence
    items = pd.DataFrame({"item": [f"i{n}" for n in range(len(evidence))], "evidence": evidence})
    return stakes(items, {"orders": hand.orders(shop), **tables}, as_of=AS_OF, zone=ZONE, kept=kept or {})


def only(evidence: str, **more) -> tuple:
    row = found(evidence, **more).iloc[0]
    return row["stake"], row["orders"], row["n"]


def table(rows: list[dict], **types: str) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, columns=list(types)), schema=types)


def test_late_orders_by_way_of_delivery():
    told = found(["service.late.courier", "service.late_share", "service.late.parcel_locker"])
    assert told["stake"][:2].tolist() == [600.0, 600.0]  # the order of 2023 lies before the year
    assert told["stake_share"][0] == pytest.approx(600 / 800)  # cancelled orders are no revenue
    assert told["orders"][0] == 6
    assert told["how"][0] == "orders sent so that came late"
    assert told["how"][2] == "no late order names this way of delivery"
    assert pd.isna(told["stake"][2])


def test_an_order_counts_once_for_an_item():
    assert only("service.late.courier, service.late_share") == (600.0, 6.0, 6.0)


def test_what_is_sent_back_counts_with_what_was_given_back():
    back = [order(n, category="Shoes", status="returned", refund=40.0) for n in range(6)]
    back += [order(n, category="Books", status="returned", refund=10.0) for n in range(6, 8)]
    assert only("service.returned.shoes", shop=back) == (240.0, 6.0, 6.0)
    assert only("service.returned_share", shop=back) == (260.0, 8.0, 8.0)
    assert found("service.returned.nappies", shop=back)["how"][0] == "no line that was sent back names this category"


def test_cancelled_orders_count_with_what_was_lost():
    gone = [order(n, status="cancelled", amount=30.0) for n in range(5)] + SHOP
    gone = [row | {"order_id": f"x{n}"} for n, row in enumerate(gone)]
    assert only("service.cancelled_share", shop=gone) == (210.0, 7.0, 7.0)


EVENT = {"session_id": "string", "touchpoint": "string", "order_id": "string"}
VISITS = [
    *({"session_id": f"s{n}", "touchpoint": "Payment page", "order_id": None} for n in range(5)),
    *({"session_id": f"s{n}", "touchpoint": "thanks", "order_id": f"o{n}"} for n in range(7)),
]


def test_orders_whose_visit_passed_a_touchpoint():
    events = table(VISITS, **EVENT)
    assert only("journey.touchpoint.payment_page", events=events) == (500.0, 5.0, 5.0)
    assert only("feedback.touchpoint.payment_page, journey.touchpoint.payment_page", events=events)[1] == 5
    assert found("journey.touchpoint.chat", events=events)["how"][0] == "no visit passes it"
    assert "no table events" in found("journey.touchpoint.chat")["how"][0]
    blind = table([], session_id="string", touchpoint="string")
    assert "lack session_id or order_id" in found("journey.touchpoint.chat", events=blind)["how"][0]


def test_visits_that_ended_without_an_order_are_told_and_not_summed():
    lost = [{"session_id": f"l{n}", "touchpoint": "payment page", "order_id": None} for n in range(6)]
    told = found("journey.touchpoint.payment_page", events=table(VISITS + lost + lost[:2], **EVENT))
    assert told["stake"][0] == 500.0
    assert told["how"][0] == (
        "orders whose visit passed it; 6 of 11 such visits ended without an order and are not in it"
    )
    few = found("journey.touchpoint.payment_page", events=table(VISITS + lost[:4], **EVENT))
    assert few["how"][0] == "orders whose visit passed it"  # fewer than five are not told


def test_visits_of_the_year_alone_count():
    old = {"occurred_on": date(2023, 1, 1)}
    lost = [{"session_id": f"l{n}", "touchpoint": "payment page", "order_id": None} | old for n in range(6)]
    now = [row | {"occurred_on": date(2025, 6, 1)} for row in VISITS]
    events = table(now + lost, **EVENT, occurred_on="date")
    told = found("journey.touchpoint.payment_page", events=events)["how"][0]
    assert told == "orders whose visit passed it; visits are known of 11 of the 12 months"


def test_a_touchpoint_goes_by_the_name_that_the_sheet_gives_it():
    points = pd.DataFrame({"key": ["payment_page"], "canonical": ["Checkout 3"]})
    told = found("journey.touchpoint.checkout_3", events=table(VISITS, **EVENT), kept={"touchpoints": points})
    assert told["orders"][0] == 5


def test_of_how_many_months_visits_are_known_is_told():
    dated = [row | {"occurred_on": date(2025, 3, 1 + n)} for n, row in enumerate(VISITS)]
    dated[-1]["occurred_on"] = date(2025, 6, 30)
    events = table(dated, **EVENT, occurred_on="date")
    told = found("journey.touchpoint.payment_page", events=events)["how"][0]
    assert told == "orders whose visit passed it; visits are known of 4 of the 12 months"
    dated[0]["occurred_on"] = date(2023, 1, 1)  # visits of the whole year need no word
    events = table(dated, **EVENT, occurred_on="date")
    assert found("journey.touchpoint.payment_page", events=events)["how"][0] == "orders whose visit passed it"


def test_of_an_expectation_that_delivery_missed_late_orders_count():
    assert only("feedback.gap.delivery") == (600.0, 6.0, 6.0)
    assert only("feedback.touchpoint.delivery") == (800.0, 10.0, 10.0)  # all that was delivered passed it
    other = found("feedback.gap.price")
    assert other["how"][0] == "it cannot be said which orders fell short of what was expected"


def test_orders_that_somebody_wrote_about():
    told = [{"contact_id": f"t{n}", "order_id": f"o{n}", "reason": "Delivery delay" if n else "size"} for n in range(6)]
    contacts = table(told, contact_id="string", order_id="string", reason="string")
    assert only("service.growing.delivery_delay", contacts=contacts) == (500.0, 5.0, 5.0)
    assert only("service.contact_trend", contacts=contacts)[1] == 6
    costs = pd.DataFrame({"reason": ["delivery_delay", "size"], "cost": [17600.0, 9.0]})
    told = found("service.growing.delivery_delay", contacts=contacts, kept={"savings": costs})["how"][0]
    assert told.endswith("for this reason; to answer them costs 17,600 a year")
    both = "service.growing.delivery_delay, service.contact_trend"  # the total adds nothing to its part
    assert only(both, contacts=contacts) == (500.0, 5.0, 5.0)
    assert found("service.contact_trend")["how"][0] == "contacts name no order"


def test_goods_that_are_missing_are_a_model():
    goods = pd.DataFrame(
        {"name": ["balance / bike", "monitor", "helmet"], "of": ["department", "department", "need"],
         "reading": "missing", "orders_a_year": [5.0, 2.5, 1.0], "visitors": [40, 20, 9]}
    )  # fmt: skip
    kept = {"missing_goods": goods}
    told = found(["search.missing.balance_bike", "search.nothing_found", "search.missing.pram"], kept=kept or {})
    assert told["stake"][:2].tolist() == [400.0, 600.0]  # times the mean order, 80; a need within a department is its
    assert told["n"][0] == 40
    assert told["how"][0].startswith("a model: orders a year that it might bring times the mean order of 80")
    assert pd.isna(told["stake"][2])


def test_customers_who_are_named():
    customers = pd.DataFrame(
        {"customer_id": [f"c{n}" for n in range(10)], "segment": ["At risk"] * 6 + ["New"] * 4, "tier": "good",
         "frequency": [1] * 6 + [2] * 4, "recency_days": [90] * 5 + [89] + [300] * 4}
    )  # fmt: skip
    segments = pd.DataFrame({"segment": ["At risk", "New"], "quiet": [True, False]})
    kept = {"customers": customers, "segments": segments, "slipping_away": customers[:7]}
    assert only("segments.grows.at_risk", kept=kept) == (600.0, 6.0, 6.0)
    assert only("segments.quiet_share", kept=kept) == (600.0, 6.0, 6.0)
    assert only("loyalty.repeat_rate", kept=kept) == (500.0, 5.0, 5.0)  # the sixth may still come back
    assert only("lifetime.slipping_share", kept=kept) == (650.0, 7.0, 7.0)
    for spread in ("loyalty.top_share", "loyalty.gini", "segments.great_share"):
        assert found(spread, kept=kept)["how"][0].startswith("it cannot be said, since it tells how revenue is spread")
    undated = {"customers": customers.drop(columns="recency_days")}
    assert found("loyalty.repeat_rate", kept=undated)["how"][0].startswith("since when they bought once was not kept")
    assert found("loyalty.overdue_share", kept=kept)["how"][0] == "the list of customers who are overdue was not kept"


def test_a_group_whose_name_holds_a_comma():
    groups = pd.DataFrame({"customer_id": [f"c{n}" for n in range(5)], "group": "By web, small orders"})
    assert only("personas.costs.by_web,_small_orders", kept={"groups": groups}) == (500.0, 5.0, 5.0)


def test_what_cannot_be_said_tells_why():
    told = found(["", "feedback.nps", "feedback.theme.payment"])
    assert told["how"].tolist() == ["no number stands behind it"] + ["it cannot be said whose orders meet it"] * 2
    assert told["stake"].isna().all()


def test_nobody_met_it_is_no_loss_and_no_gap():
    told = found("service.late_share", shop=[order(n, **IN_TIME) for n in range(5)])
    assert (told["stake"][0], told["how"][0]) == (0.0, "orders that came late or are overdue")


def test_few_customers_are_withheld_and_no_orders_are_no_error():
    few = found("service.late_share", shop=[order(n, **LATE) for n in range(4)])
    assert pd.isna(few["stake"][0])
    assert few["how"][0].startswith("withheld: fewer than 5 customers")
    assert pd.isna(found("service.late_share", shop=[order(1, status="cancelled")])["stake_share"][0])


def test_a_stake_in_words():
    row = pd.Series({"stake": 1200.0, "stake_share": 0.12, "at_stake": "late orders"})
    assert in_words(row, "UAH") == "1,200 UAH, 12 % of a year's revenue (late orders)"
    nothing = pd.Series({"stake": float("nan"), "stake_share": float("nan"), "at_stake": "no number"})
    assert in_words(nothing, "UAH") == "not known: no number"


@pytest.mark.parametrize(("name", "key"), [("Parcel locker", "parcel_locker"), ("a / b", "a_b"), ("Клас", "клас")])
def test_names_and_ids_meet(name, key):
    assert key_of(name) == key


def test_the_touchpoints_of_an_items_evidence():
    ids = "journey.touchpoint.Payment page, feedback.touchpoint.payment_page, feedback.gap.delivery, loyalty.gini"
    assert touchpoints_of(ids) == {"payment_page", "delivery"}
    assert touchpoints_of(float("nan")) == set()
