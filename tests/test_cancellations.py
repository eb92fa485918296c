"""What is cancelled, tried again and sent back: a handful of orders by hand."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.cancellations import (
    ASPECTS,
    all_orders,
    cancel_rates,
    cancel_reasons,
    cancelled_in_words,
    cancelled_share,
    money_lost,
    return_reasons,
    returned_in_words,
    returned_share,
    returned_where_findings,
    share_findings,
    sold_lines,
    tried_again_share,
)
from cxkit.engine import collect
from cxkit.estimates import Estimate
from cxkit.pareto import NOT_GIVEN, describe_pareto
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
    orders = all_orders(by_hand(), as_of=AS_OF)
    placed = collect(orders, order_by="order_id").set_index("order_id")
    assert list(placed.index) == ["o1", "o2", "o3", "o4", "o5", "o6", "o7"]
    assert placed.index[placed["cancelled"]].tolist() == ["o1", "o3", "o6"]
    assert placed.index[placed["tried_again"]].tolist() == ["o1"]
    assert placed.loc["o5", "lost"] == 100.0  # the one line that was
    share = cancelled_share(orders)
    assert (share.value, share.n) == (3 / 7, 7)
    again = tried_again_share(orders)
    assert (again.value, again.n) == (1 / 2, 2)  # nobody can tell of a guest
    texts = cancelled_in_words(share, again)
    assert texts[0].startswith("43 % of orders placed were cancelled (")
    assert texts[1].startswith("Of those of known customers 1 of 2 were tried again (")
    assert texts[1].endswith("an order that counts on the same day, earlier or later, or on the next.")


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


@pytest.fixture(scope="module")
def tables():
    """The shop's orders placed and lines sold."""
    orders = hand.orders(shop())
    return all_orders(orders, as_of=AS_OF), sold_lines(orders, as_of=AS_OF).cache()


def test_reasons_with_their_money(tables):
    placed, lines = tables
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
    where = shares_apart(lines, part="sent_back", aspects=ASPECTS)
    shoes = where[where["name"] == "Shoes"].iloc[0]
    assert shoes["verdict"] == MORE
    assert where["aspect"].drop_duplicates().tolist() == ["category", "channel"]
    gone = shares_apart(placed, part="cancelled", aspects=ASPECTS)
    assert gone["aspect"].drop_duplicates().tolist() == ["category", "channel"]
    assert gone.set_index("name").loc["Toys", "verdict"] == MORE  # every tenth is one of toys


def test_one_base_for_what_was_tried_again():
    reasons = cancel_reasons(all_orders(by_hand(reason="any"), as_of=AS_OF))  # of fewer than five: all together
    assert reasons[["count", "known", "tried_again"]].values.tolist() == [[3, 2, 0.5]]
    guests = all_orders(by_hand(customer_id=None), as_of=AS_OF)
    assert cancel_reasons(guests)["tried_again"].isna().all()
    money = money_lost(all_orders(by_hand(), as_of=AS_OF), sold_lines(by_hand(), as_of=AS_OF), as_of=AS_OF)
    money = money.set_index("what")
    assert money.loc["Sales of cancelled orders not tried again", "count"] == 1  # b's
    assert money.loc["Sales of cancelled orders, customer not known", "count"] == 1
    assert money["value"].isna().all()  # of fewer than five customers
    assert money["method"].tolist() == ["withheld: fewer than 5 customers"] * 4


def test_money_by_hand(tables):
    placed, lines = tables
    money = money_lost(placed, lines, as_of=AS_OF)
    assert money["value"].tolist()[:2] == [30 * 200.0, 30 * 50.0]
    half = 1.959964 * np.sqrt(30 * 200.0**2)
    assert (money["low"][0], money["high"][0]) == pytest.approx((6000 - half, 6000 + half), rel=1e-6)
    without = hand.orders(shop().drop(columns="cost"))
    bare = all_orders(without, as_of=AS_OF), sold_lines(without, as_of=AS_OF)
    unknown = money_lost(*bare, as_of=AS_OF)
    assert np.isnan(unknown["value"][1])
    assert unknown["method"][1] == "the goods' costs are not known"
    given = money_lost(*bare, as_of=AS_OF, margin=0.3)
    assert given["value"][1] == pytest.approx(0.3 * 6000)
    late = date(2026, 12, 1)  # only the last 365 days count
    assert money_lost(placed, lines, as_of=late)["count"][0] < 30


def test_the_course_is_by_the_orders_placed(tables):
    rates = cancel_rates(tables[0], as_of=AS_OF)
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
    assert money_lost(placed, lines, as_of=AS_OF)["method"].tolist() == ["nothing to count"] * 4
    assert not tried_again_share(placed).known
    empty = all_orders(bare.limit(0), as_of=AS_OF)
    assert cancelled_in_words(cancelled_share(empty), tried_again_share(empty)) == [
        "How many orders are cancelled is not known: nothing to count."
    ]
    no_reason = hand.orders(shop().drop(columns="reason"))
    assert cancel_reasons(all_orders(no_reason, as_of=AS_OF))["name"].tolist() == [NOT_GIVEN]


def test_reasons_of_too_few_are_not_taken_for_unknown():
    few = [{"order_id": f"o{i}", "customer_id": f"c{i}", "ordered_at": "2025-06-01", "status": status, "reason": reason,
            "category": kind}
           for i, (status, reason, kind) in enumerate([("cancelled", "stock", "Toys"), ("returned", "size", "Shoes")])
           ]  # fmt: skip
    few.append(few[0] | {"category": "Shoes"})
    orders = hand.orders(few)
    placed, lines = all_orders(orders, as_of=AS_OF), sold_lines(orders, as_of=AS_OF)
    told = describe_pareto(cancel_reasons(placed), of="cancelled orders")
    assert told.endswith("No reason can be named: each is of too few customers to be shown.")
    assert returned_in_words(returned_share(lines), return_reasons(lines))[1] == (
        "No reason can be named: each is of too few customers to be shown."
    )
    bare = sold_lines(orders.drop("reason"), as_of=AS_OF)
    assert returned_in_words(returned_share(bare), return_reasons(bare))[1] == "No reason can be named: none is given."
    found = collect(placed, order_by="order_id")["category"].tolist()
    assert found == ["several categories", "Shoes"]


def test_nearly_all_is_not_all():
    again = Estimate(475 / 477, 0.985, 0.9988, 477, "share", 0.95, "by hand")
    assert cancelled_in_words(again, again)[1].startswith(
        "Of those of known customers 475 of 477 were tried again (98–99.9 %): "
    )


def test_findings(tables):
    found = share_findings(cancelled_share(tables[0]), returned_share(tables[1]))
    assert [f.id for f in found] == ["service.cancelled_share", "service.returned_share"]
    assert found[0].sentence().startswith("10 % of orders placed are cancelled (")
    assert [f.quadrant() for f in found] == ["no reference"] * 2


def test_goods_that_come_back_are_findings_of_their_own():
    rows = [{"order_id": f"o{i}", "customer_id": f"c{i}", "ordered_at": "2026-01-05", "category": category,
             "status": "returned" if i % 100 < back else "completed"}
            for category, back, first in (("Shoes {new}", 40, 0), ("shoes  {NEW}", 40, 200), ("Toys", 5, 400))
            for i in range(first, first + 200)]  # fmt: skip
    lines = sold_lines(hand.orders(rows), as_of=date(2026, 6, 30))
    where = shares_apart(lines, part="sent_back", aspects=ASPECTS)
    (found,) = returned_where_findings(where)
    assert (found.id, found.quadrant()) == ("service.returned.shoes_{new}", "weakness")
    assert found.sentence() == (
        "“Shoes {new}” is sent back more often than other goods: 40 % of order lines against 5.0 %, "
        "35 percentage points more (28.5–41.5, n = 400)."
    )
    assert found.target_source == "the client's other categories (2 comparisons together, Holm)"
    assert returned_where_findings(where[where["name"] == "Toys"]) == []
