"""What is counted before a day and after it, by hand."""

from datetime import date

import hand_answers
import hand_searches
import hand_service
import pandas as pd
import pytest

from cxkit import windows
from cxkit.engine import collect
from cxkit.errors import UsageError

THEN, AS_OF = date(2026, 3, 31), date(2026, 6, 30)
SPAN = {"then": THEN, "as_of": AS_OF}  # 91 days each: from 31 December 2025, from 1 April


def counted(tables, measure):
    cells = windows.cells(tables, zone="UTC", scales=hand_answers.SCALES, **SPAN)
    rows = collect(cells.filter(cells.measure == measure), order_by=["name", "window", "who"])
    sums = rows.groupby(["name", "window"])[["part", "whole"]].sum()
    return {(name, when): (row.part, row.whole) for (name, when), row in sums.iterrows()}


def long(rows):
    """Orders, with one of 2025-09 and one of the last day: they do not begin too late, nor end too early."""
    ends = [{"customer_id": f"end{day}", "ordered_at": day} for day in ("2025-09-01", "2026-06-30")]
    return hand_service.orders([*ends, *rows])


def test_a_window_holds_as_many_days_on_either_side():
    days = pd.to_datetime(["2025-12-30", "2025-12-31", "2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01"])
    table = hand_service.orders([{"ordered_at": day} for day in days])
    for sooner, told in ((0, [None, "then", "then", "now", "now", None]), (7, [None, "then", None, "now", None, None])):
        rows = table.select("ordered_on", window=windows.window_of(table.ordered_on, sooner=sooner, **SPAN))
        found = collect(rows, order_by="ordered_on")["window"]
        assert [None if pd.isna(w) else w for w in found] == told


def test_late_orders_stand_on_the_day_of_the_promise_by_way_of_delivery():
    rows = [
        {"customer_id": f"c{i}", "ordered_at": "2026-03-30", "promised_at": promised, "delivered_at": came,
         "delivery": way}
        for i, (promised, came, way) in enumerate([
            ("2026-03-31", "2026-04-02", "courier"),  # late, promised before
            *[("2026-04-01", "2026-04-01", "courier")] * 5,
            ("2026-04-03", None, "post"),  # overdue, and nobody wrote down when it came: judged by nobody
        ])
    ]  # fmt: skip
    found = counted({"orders": long(rows)}, "late")
    assert found[("all", "then")] == (1, 1)
    assert found[("all", "now")] == (0, 5)
    assert found[("courier", "now")] == (0, 5)


def test_contacts_are_held_against_the_orders_of_as_many_days_earlier_as_they_come_later():
    days = pd.date_range("2025-10-01", "2026-06-30")
    orders = [{"order_id": f"o{i}", "customer_id": f"c{i}", "ordered_at": day} for i, day in enumerate(days)]
    asked = [{"order_id": f"o{i}", "customer_id": f"c{i}", "opened_at": day + pd.Timedelta(days=4), "reason": "late"}
             for i, day in enumerate(days) if i % 3 == 0 and day < pd.Timestamp("2026-06-26")]  # fmt: skip
    asked += [{"opened_at": "2025-10-02", "reason": "late"}, {"opened_at": "2026-06-30", "reason": "late"}]
    found = counted({"orders": hand_service.orders(orders), "contacts": hand_service.contacts(asked)}, "contacts")
    for when in ("then", "now"):
        part, whole = found[("late", when)]
        assert whole == 91, "an order a day, whatever the lag"
        assert part / 100 == pytest.approx(91 / 3, abs=1.5)
    assert found[("all", "now")] == found[("late", "now")]


def test_orders_cancelled_and_sent_back_leave_out_the_days_in_which_that_may_yet_happen():
    rows = [
        {"customer_id": "a", "ordered_at": "2026-06-25", "status": "cancelled"},  # the last seven days: left out
        {"customer_id": "b", "ordered_at": "2026-05-31", "status": "returned", "category": "Shoes"},
        {"customer_id": "c", "ordered_at": "2026-06-01", "status": "returned", "category": "Shoes"},  # 30 days: out
        {"customer_id": "d", "ordered_at": "2026-02-28", "status": "cancelled"},
    ]
    tables = {"orders": long(rows)}
    assert counted(tables, "cancelled") == {("all", "then"): (1, 1), ("all", "now"): (0, 2)}
    found = counted(tables, "returned")
    assert found[("all", "now")] == (1, 1)
    assert ("all", "then") not in found, "a cancelled order has no lines that could be sent back"


def test_new_customers_who_order_again_within_thirty_days():
    rows = [(who, day) for who, days in {
        "a": ["2026-04-02", "2026-05-02"],  # the thirtieth day
        "b": ["2026-04-02", "2026-05-03"],  # a day late
        "c": ["2026-04-02", "2026-04-02"],  # the same day is no return
        "d": ["2026-06-02", "2026-06-03"],  # not yet thirty days ago
        "e": ["2026-01-10", "2026-01-11", "2026-04-03"],  # new before
    }.items() for day in days]  # fmt: skip
    orders = long([{"customer_id": w, "ordered_at": d} for w, d in rows])
    assert counted({"orders": orders}, "again") == {("all", "then"): (1, 1), ("all", "now"): (1, 3)}


def test_answers_by_touchpoint_without_those_that_were_paid_for():
    rows = [{"metric": "nps", "score": score, "customer_id": who, "touchpoint": "cart", "incentive": paid,
             "answered_on": day}
            for who, score, paid, day in [("a", 10, False, "2026-04-01"), ("b", 0, False, "2026-04-01"),
                                          ("c", 10, True, "2026-04-01"), ("d", 8, False, "2026-03-01"),
                                          ("e", 9, False, "2025-11-01"), ("f", 9, False, "2026-06-30"),
                                          ("g", 9, False, "2025-12-31")]]  # fmt: skip
    found = counted({"surveys": hand_answers.surveys(rows)}, "nps")
    assert found[("cart", "now")] == found[("all", "now")] == (100, 3)
    assert found[("cart", "then")] == (100, 2)


def test_searches_that_find_nothing():
    rows = [("s1", "2026-04-01 10:00", "bike", 0, False), ("s1", "2026-04-01 11:00", "pram", 3, True),
            ("s2", "2026-03-31 10:00", "bike", 0, False), ("s3", "2025-12-31 10:00", "pram", 2, True),
            ("s4", "2026-06-30 10:00", "pram", 2, True)]  # fmt: skip
    assert counted({"searches": hand_searches.searches(rows)}, "nothing") == {
        ("all", "now"): (1, 3), ("all", "then"): (1, 2)}  # fmt: skip


def test_what_cannot_be_counted_says_why():
    young = hand_service.orders([{"customer_id": "a", "ordered_at": day} for day in ("2026-02-01", "2026-05-01")])
    told = windows.gaps({"orders": young}, **SPAN)
    assert told["nps"] == "the table surveys is missing"
    assert told["late"] == "orders lacks promised_at, delivered_at"
    assert told["cancelled"] == "orders begin on 2026-02-01, and the days before begin on 2025-12-31"
    old = hand_service.orders([{"customer_id": "a", "ordered_at": day} for day in ("2025-10-20", "2026-05-01")])
    assert windows.gaps({"orders": old}, **SPAN)["cancelled"] == (
        "orders end on 2026-05-01, and the days since end on 2026-06-30"
    )
    whole = hand_service.orders([{"customer_id": "a", "ordered_at": day} for day in ("2025-12-01", "2026-06-30")])
    assert windows.gaps({"orders": whole}, **SPAN)["again"].startswith("orders begin on 2025-12-01: too late")
    assert windows.gaps({"orders": whole}, then=date(2026, 6, 25), as_of=AS_OF)["cancelled"] == (
        "it is known after 7 days, and only 5 have passed"
    )
    with pytest.raises(UsageError, match="must lie before the later one; found 2026-06-30 and 2026-06-30"):
        windows.gaps({}, then=AS_OF, as_of=AS_OF)
    assert windows.cells({}, zone="UTC", scales={}, **SPAN) is None
