"""Promised days: kept, passed, overdue, not due, and never written down; what customers do after."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.delivery_promises import (
    after_in_words,
    after_lateness,
    growth_causes,
    growth_unexplained,
    late_by,
    late_days,
    late_finding,
    late_in_words,
    late_rates,
    late_share,
    late_where_findings,
    left_out,
    left_out_in_words,
    promised_orders,
)
from cxkit.engine import collect
from cxkit.estimates import Estimate
from cxkit.rate_trends import GROWS
from cxkit.shares_apart import ALIKE, FEW, LESS, MORE

AS_OF, ZONE = date(2025, 6, 30), "Europe/Kyiv"


def row(order: str, promised: str, delivered: str | None, **more) -> dict:
    return {"order_id": order, "customer_id": f"c{order}", "ordered_at": "2025-03-01", "promised_at": promised,
            "delivered_at": delivered} | more  # fmt: skip


def told(rows: list[dict]) -> pd.DataFrame:
    placed = promised_orders(hand.orders(rows), as_of=AS_OF, zone=ZONE)
    return collect(placed, order_by="order_id").set_index("order_id")


def test_days_by_hand():
    frame = told([
        row("1", "2025-06-10 12:00", "2025-06-10 20:30"),  # half past eleven in Kyiv, the same day
        row("2", "2025-06-10 12:00", "2025-06-10 21:30"),  # half past midnight in Kyiv: the next
        row("3", "2025-06-10 12:00", "2025-06-08 10:00"),
        row("4", "2025-06-28 12:00", None),  # overdue by two days
        row("5", "2025-06-30 12:00", None),  # due on the last day, which has passed
        row("6", "2025-07-02 12:00", None),  # not due
        row("7", "2025-06-20 12:00", "2025-07-03 10:00"),  # came after the last day: not known to have come
        row("8", "2025-07-05 12:00", "2025-06-25 10:00"),  # came before it was due
        row("9", "2025-06-10 12:00", "2025-06-15 10:00", status="cancelled"),
    ])  # fmt: skip
    assert list(frame.index) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    late = frame["late"].astype(object).where(frame["late"].notna(), None)
    assert late.tolist() == [False, True, False, True, True, None, True, False]
    assert frame.loc[["2", "4", "7"], "days_late"].tolist() == [1, 2, 10]
    assert frame.index[frame["open"]].tolist() == ["4", "5", "7"]


def test_what_nobody_wrote_down_is_not_late():
    old = [row(f"a{i}", "2025-03-05", "2025-03-04", delivery="courier") for i in range(9)]
    old += [row("a9", "2025-03-05", None, delivery="courier")]  # overdue by more than 60 days
    never = [row(f"b{i}", "2025-03-05", None, delivery="pickup") for i in range(10)]
    new = [row("c1", "2025-06-20", None, delivery="courier"), row("c2", "2025-06-20", None, delivery="pickup")]
    frame = told(old + never + new)
    assert frame.loc["c1", "late"]
    assert frame["late"].isna().sum() == 12  # pickups are never written down, so the new one tells nothing either
    placed = promised_orders(hand.orders(old + never + new), as_of=AS_OF, zone=ZONE)
    assert left_out(placed) == {"overdue, and nobody wrote down when they came": 12}
    assert left_out_in_words(left_out(placed)) == [
        "Orders that are not judged: 12 overdue, and nobody wrote down when they came."
    ]
    assert left_out_in_words({}) == []
    more = promised_orders(hand.orders([*old, row("d", "2025-07-20", None)]), as_of=AS_OF, zone=ZONE)
    assert left_out(more) == {"not due yet": 1, "overdue, and nobody wrote down when they came": 1}


def shop(n: int = 1200, *, seed: int = 3) -> pd.DataFrame:
    """Couriers are late three times in ten, others once in twelve; late customers ask, and come back less often."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"order_id": [f"o{i}" for i in range(n)], "customer_id": [f"c{i}" for i in range(n)]})
    frame["ordered_at"] = pd.Timestamp("2024-07-01") + pd.to_timedelta(np.sort(rng.integers(0, 350, n)), unit="D")
    frame["delivery"] = rng.choice(["courier", "locker"], n)
    late = rng.random(n) < np.where(frame["delivery"] == "courier", 0.30, 0.08)
    frame["promised_at"] = frame["ordered_at"] + pd.Timedelta(days=3)
    frame["delivered_at"] = frame["promised_at"] + pd.to_timedelta(np.where(late, rng.integers(1, 4, n), -1), unit="D")
    return frame.assign(channel="web", late=late)


@pytest.fixture(scope="module")
def delivered():
    """The shop as a frame, and its promised orders."""
    frame = shop()
    return frame, promised_orders(hand.orders(frame), as_of=AS_OF, zone=ZONE)


def test_where_and_by_how_much(delivered):
    frame, placed = delivered
    share, where, days = late_share(placed), late_by(placed), late_days(placed)
    assert share.value == pytest.approx(frame["late"].mean())
    assert where.set_index("name").loc["courier", "verdict"] == MORE
    assert where.set_index("name").loc["web", "verdict"] == FEW
    assert days[1].value == 2.0
    texts = late_in_words(share, where, days)
    assert texts[0] == "22 % of orders came after the promised day or are overdue (20–25 %, n = 1,200)."
    assert texts[1].startswith("More often for certain: courier (delivery) ")
    assert texts[2] == "Half of the late ones are late by 2 days or less."
    one = Estimate(1.0, 1.0, 2.0, 40, "days", 0.95, "by hand")
    assert late_in_words(share, where, (one,) * 3)[2] == "Half of the late ones are late by 1 day or less."
    finding = late_finding(share)
    assert (finding.id, finding.quadrant()) == ("service.late_share", "no reference")
    (courier,) = late_where_findings(where)
    assert (courier.id, courier.quadrant()) == ("service.late.courier", "weakness")
    assert courier.sentence().startswith("Orders by “courier” come late more often than others: ")
    assert courier.estimate.low > 0
    assert late_where_findings(where[:0]) == []


def test_the_course_is_by_the_month_of_the_promise(delivered):
    frame, placed = delivered
    rates = late_rates(placed, as_of=AS_OF)
    assert rates["name"].unique().tolist() == ["late orders"]
    assert rates["count"].sum() == frame["late"].sum()
    assert rates["orders"].sum() == len(frame)


def test_what_customers_do_after():
    frame = shop()
    rng = np.random.default_rng(1)
    back = frame[rng.random(len(frame)) < np.where(frame["late"], 0.2, 0.6)]
    again = back.assign(
        order_id="again" + back["order_id"], ordered_at=back["promised_at"] + pd.Timedelta(days=30),
        promised_at=pd.NaT, delivered_at=pd.NaT,
    )  # fmt: skip
    orders = pd.concat([frame, again])
    orders = orders[orders["ordered_at"] <= pd.Timestamp(AS_OF)]
    asked = frame[rng.random(len(frame)) < np.where(frame["late"], 0.5, 0.05)]
    contacts = hand.contacts(
        asked.assign(opened_at=asked["promised_at"] + pd.Timedelta(days=2))[["order_id", "customer_id", "opened_at"]]
    )
    everything = hand.orders(orders)
    placed = promised_orders(everything, as_of=AS_OF, zone=ZONE)
    after = after_lateness(placed, everything, contacts, as_of=AS_OF)
    assert after["verdict"].tolist() == [MORE, LESS]
    assert after["value"].tolist() == pytest.approx([0.5, 0.2], abs=0.1)
    texts = after_in_words(after)
    assert texts[0].startswith("After a late order customers contact the shop about it within 14 days of the promised")
    assert " less often: " in texts[1]
    alone = after_lateness(placed, everything, None, as_of=AS_OF)
    assert len(alone) == 1
    assert len(after_lateness(placed, everything, contacts.drop("order_id"), as_of=AS_OF)) == 1


def test_growth_that_late_orders_do_not_explain():
    grown = pd.DataFrame(
        {"reason": ["Доставка", "size"], "verdict": GROWS, "value": 1.7, "low": [0.8, 0.9], "high": 3.1}
    )
    courses = pd.DataFrame({"name": ["late orders"], "value": [-0.16], "low": [-0.3], "high": [0.011]})
    after = pd.DataFrame({"what": ["contact the shop about it", "order again"], "verdict": [ALIKE, LESS]})
    (text,) = growth_unexplained(grown, courses, after)
    assert text == (
        "Contacts about “Доставка” grow by +170 % a year (+80 to +310 %), late orders by −16 % a year (−30 to +1.1 %): "
        "the growth is not explained by more late orders. Nor do customers contact the shop more often for certain "
        "after a late order."
    )
    for other in (after[1:], after.assign(verdict=MORE), after[:0]):
        assert growth_unexplained(grown, courses, other)[0].endswith("by more late orders.")
    assert growth_unexplained(grown[1:], courses, after) == []  # not about deliveries by its words
    for silent in (courses.assign(high=0.85), courses.assign(high=np.nan), courses[:0]):
        assert growth_unexplained(grown, silent, after) == []
    assert growth_unexplained(grown.assign(verdict="grew"), courses, after) == []
    assert growth_unexplained(grown[:0], courses, after) == []


def test_what_is_known_of_the_cause_of_growing_contacts():
    grown = pd.DataFrame(
        {"reason": ["late_delivery", "size"], "verdict": GROWS, "value": 1.7, "low": [0.8, 0.9], "high": 3.1}
    )
    courses = pd.DataFrame({"name": ["late orders"], "value": [-0.16], "low": [-0.3], "high": [0.011]})
    after = pd.DataFrame({"what": ["contact the shop about it", "order again"], "verdict": [ALIKE, LESS]})
    (no,) = growth_causes(grown, courses, after).itertuples()
    assert (no.reason, no.explained) == ("late_delivery", False)
    assert no.told == (
        "Late orders do not explain it: their share changed by −16 % a year (−30 to +1.1 %). Nor do "
        "customers contact the shop more often for certain after a late order."
    )
    (yes,) = growth_causes(grown, courses.assign(value=1.0, low=0.4, high=1.8), after).itertuples()
    assert (yes.explained, yes.told) == (
        True, "Late orders may explain it: their share grew by +100 % a year (+40 to +180 %)."
    )  # fmt: skip
    for silent in (courses.assign(high=0.85), courses.assign(high=np.nan), courses[:0]):
        assert len(growth_causes(grown, silent, after)) == 0, "it cannot be said"


def test_without_columns_or_rows():
    bare = hand.orders([{"ordered_at": "2025-03-01", "promised_at": "2025-03-04"}])
    assert not late_share(promised_orders(bare, as_of=AS_OF, zone=ZONE)).known
    five = hand.orders(shop(5))
    for orders in (five, five.limit(0)):
        placed = promised_orders(orders, as_of=AS_OF, zone=ZONE)
        share = late_share(placed)
        assert late_in_words(share, late_by(placed), late_days(placed))
        after = after_lateness(placed, orders, None, as_of=AS_OF)
        assert "after a late order is too early to say" in after_in_words(after)[0]
        assert late_finding(share).sentence()
    none = promised_orders(hand.orders(shop(5).assign(promised_at=pd.NaT)), as_of=AS_OF, zone=ZONE)
    assert late_in_words(late_share(none), late_by(none), late_days(none)) == [
        "Whether promised days are kept is too early to say: nothing to count."
    ]
