"""What is cancelled, tried again and sent back: a handful of orders by hand."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.cancellations import (
    ASPECTS,
    LINE_ASPECTS,
    all_orders,
    cancel_rates,
    cancel_reasons,
    cancelled_in_words,
    cancelled_share,
    money_lost,
    return_reasons,
    returned_in_words,
    returned_share,
    share_findings,
    sold_lines,
    tried_again_share,
)
from cxkit.engine import collect
from cxkit.pareto import NOT_GIVEN
from cxkit.shares_apart import MORE, shares_apart

AS_OF = date(2025, 12, 31)
BY_HAND = [
    {"order_id": "o1", "customer_id": "a", "ordered_at": "2025-06-01", "status": "cancelled", "reason": "stock"},
    {"order_id": "o2", "customer_id": "a", "ordered_at": "2025-06-02"},  # the day after: tried again
    {"order_id": "o3", "customer_id": "b", "ordered_at": "2025-06-01", "status": "cancelled", "reason": "dear"},
    {"order_id": "o4", "customer_id": "b", "ordered_at": "2025-06-03"},  # two days after
    {"order_id": "o5", "customer_id": "c", "ordered_at": "2025-06-01"},  # one line of two cancelled
    {"order_id": "o5", "customer_id": "c", "ordered_at": "2025-06-01", "status": "cancelled"},
    {"order_id": "o6", "customer_id": None, "ordered_at": "2025-06-01", "status": "cancelled", "reason": "dear"},
    {"order_id": "o7", "customer_id": "d", "ordered_at": "2025-06-01", "status": "returned", "refund": 100.0},
    {"order_id": "o7", "customer_id": "d", "ordered_at": "2025-06-01", "amount": 0.0, "refund": 20.0},  # no sale
    {"order_id": "o8", "customer_id": "e", "ordered_at": "2026-01-01", "status": "cancelled"},  # after the last day
]


def by_hand(**columns):
    frame = pd.DataFrame(BY_HAND)
    frame = frame.assign(
        status=frame["status"].fillna("completed"), amount=frame["amount"].fillna(100.0),
        refund=frame["refund"].fillna(0.0), **columns,
    )  # fmt: skip
    return hand.orders(frame)


def test_orders_by_hand():
    placed = collect(all_orders(by_hand(), as_of=AS_OF), order_by="order_id").set_index("order_id")
    assert list(placed.index) == ["o1", "o2", "o3", "o4", "o5", "o6", "o7"]
    assert placed.index[placed["cancelled"]].tolist() == ["o1", "o3", "o6"]
    assert placed.index[placed["tried_again"]].tolist() == ["o1"]
    assert placed.loc["o5", "lost"] == 100.0  # the one line that was
    share = cancelled_share(all_orders(by_hand(), as_of=AS_OF))
    assert (share.value, share.n) == (3 / 7, 7)
    again = tried_again_share(all_orders(by_hand(), as_of=AS_OF))
    assert (again.value, again.n) == (1 / 2, 2)  # nobody can tell of a guest
    texts = cancelled_in_words(share, again)
    assert texts[0].startswith("43 % of orders placed were cancelled (")
    assert texts[1].endswith("the same day or the next: it was tried again, and not lost.")


def test_lines_by_hand():
    lines = sold_lines(by_hand(), as_of=AS_OF)
    share = returned_share(lines)
    assert (share.value, share.n) == (1 / 4, 4)  # of o2, o4, o5, o7
    frame = collect(lines, order_by="order_id")
    assert frame.loc[frame["sent_back"], "order_id"].tolist() == ["o7"]


def shop(n: int = 300) -> pd.DataFrame:
    """A shop: every tenth order is cancelled, every fifth line of shoes and every fiftieth of toys comes back."""
    frame = pd.DataFrame({"order_id": [f"o{i}" for i in range(n)], "customer_id": [f"c{i}" for i in range(n)]})
    number = np.arange(n)
    frame["ordered_at"] = pd.Timestamp("2025-01-05") + pd.to_timedelta(number % 350, unit="D")
    frame["category"] = np.where(number % 2, "Shoes", "Toys")
    frame["channel"] = np.where(number % 3, "web", "app")
    gone = number % 10 == 0
    back = ~gone & np.where(number % 2, number % 5 == 1, number % 50 == 2)
    frame["status"] = np.select([gone, back], ["cancelled", "returned"], "completed")
    frame["reason"] = np.select([gone & (number % 20 == 0), gone, back], ["stock", "dear", "size"], None)
    return frame.assign(amount=200.0, refund=np.where(back, 200.0, 0.0), cost=150.0)


def test_reasons_with_their_money():
    orders = hand.orders(shop())
    placed, lines = all_orders(orders, as_of=AS_OF), sold_lines(orders, as_of=AS_OF)
    reasons = cancel_reasons(placed)
    assert reasons[["name", "count", "lost", "tried_again"]].values.tolist() == [
        ["dear", 15, 3000.0, 0.0],
        ["stock", 15, 3000.0, 0.0],
    ]
    back = return_reasons(lines)
    assert back["name"].tolist() == ["size"]
    texts = returned_in_words(returned_share(lines), back)
    assert texts[0].startswith("13 % of order lines were sent back (")
    assert texts[1].startswith("Most named: size 100 % (")
    assert returned_in_words(returned_share(lines.limit(0)), back[:0]) == [
        "How much is sent back is not known: nothing to count."
    ]
    assert back["refund"].iloc[0] == 200.0 * back["count"].iloc[0]
    where = shares_apart(lines, part="sent_back", aspects=LINE_ASPECTS)
    shoes = where[where["name"] == "Shoes"].iloc[0]
    assert shoes["verdict"] == MORE
    assert where["aspect"].drop_duplicates().tolist() == ["category", "channel"]
    assert shares_apart(placed, part="cancelled", aspects=ASPECTS)["verdict"].ne(MORE).all()


def test_money_by_hand():
    orders = hand.orders(shop())
    placed, lines = all_orders(orders, as_of=AS_OF), sold_lines(orders, as_of=AS_OF)
    money = money_lost(placed, lines, as_of=AS_OF)
    assert money["value"].tolist()[:2] == [30 * 200.0, 30 * 50.0]
    half = 1.959964 * np.sqrt(30 * 200.0**2)
    assert (money["low"][0], money["high"][0]) == pytest.approx((6000 - half, 6000 + half), rel=1e-6)
    without = hand.orders(shop().drop(columns="cost"))
    unknown = money_lost(all_orders(without, as_of=AS_OF), sold_lines(without, as_of=AS_OF), as_of=AS_OF)
    assert np.isnan(unknown["value"][1])
    assert unknown["method"][1] == "the goods' costs are not known"
    given = money_lost(all_orders(without, as_of=AS_OF), sold_lines(without, as_of=AS_OF), as_of=AS_OF, margin=0.3)
    assert given["value"][1] == pytest.approx(0.3 * 6000)
    late = date(2026, 12, 1)  # only the last 365 days count
    assert money_lost(all_orders(orders, as_of=late), sold_lines(orders, as_of=late), as_of=late)["count"][0] < 30


def test_the_course_is_by_the_orders_placed():
    rates = cancel_rates(all_orders(hand.orders(shop()), as_of=AS_OF), as_of=AS_OF)
    assert rates["name"].unique().tolist() == ["cancelled orders"]
    assert rates["orders"].sum() == 300
    assert rates["count"].sum() == 30


def test_without_columns_or_rows():
    bare = hand.orders(shop()[["order_id", "customer_id", "ordered_at"]]).drop("status", "refund")
    placed, lines = all_orders(bare, as_of=AS_OF), sold_lines(bare, as_of=AS_OF)
    assert not cancelled_share(placed).known  # an export may leave them out
    assert returned_share(lines).method == "no line is marked as sent back"
    assert not len(cancel_reasons(placed))
    assert not len(return_reasons(lines))
    assert money_lost(placed, lines, as_of=AS_OF)["method"].tolist() == ["nothing to count"] * 3
    assert not tried_again_share(placed).known
    empty = all_orders(bare.limit(0), as_of=AS_OF)
    assert cancelled_in_words(cancelled_share(empty), tried_again_share(empty)) == [
        "How many orders are cancelled is not known: nothing to count."
    ]
    no_reason = hand.orders(shop().drop(columns="reason"))
    assert cancel_reasons(all_orders(no_reason, as_of=AS_OF))["name"].tolist() == [NOT_GIVEN]


def test_findings():
    orders = hand.orders(shop())
    found = share_findings(
        cancelled_share(all_orders(orders, as_of=AS_OF)), returned_share(sold_lines(orders, as_of=AS_OF))
    )
    assert [f.id for f in found] == ["service.cancelled_share", "service.returned_share"]
    assert found[0].sentence().startswith("10 % of orders placed are cancelled (")
    assert [f.quadrant() for f in found] == ["no reference"] * 2
