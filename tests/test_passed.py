"""Orders whose visit passed a touchpoint: by hand, on seven visits."""

from datetime import date

import ibis
import pandas as pd

from cxkit.passed import orders_that_passed

SPAN = {"since": date(2025, 1, 1), "as_of": date(2025, 12, 31)}
COLUMNS = {"session_id": "string", "touchpoint": "string", "order_id": "string", "occurred_on": "date"}


def passed(rows: list[tuple], key: str = "cart", points: pd.DataFrame | None = None) -> tuple[list[str], str]:
    events = ibis.memtable(pd.DataFrame(rows, columns=list(COLUMNS)), schema=COLUMNS)
    ordered, words = orders_that_passed(events, key, points=points, **SPAN)
    return ([] if ordered is None else sorted(ordered.order_id.to_pandas())), words


def visit(number: int, *, order: str | None = None, day: date = date(2025, 6, 1)) -> list[tuple]:
    return [(f"s{number}", "Cart", None, day), (f"s{number}", "thanks", order, day)]


def test_orders_of_visits_that_passed_it_and_those_that_ended_without_one():
    rows = visit(0, order="o0") + visit(1, order="o1") + [("s2", "thanks", "o2", date(2025, 12, 31))]
    rows += [row for n in range(3, 8) for row in visit(n, day=date(2025, 1, 1))]
    orders, words = passed(rows)
    assert orders == ["o0", "o1"]
    assert words == "orders whose visit passed it; 5 of 7 such visits ended without an order and are not in it"


def test_a_visit_of_another_year_is_not_counted_and_the_months_are_told():
    rows = visit(0, order="o0") + [row for n in range(9) for row in visit(n + 1, day=date(2024, 6, 1))]
    assert passed(rows)[1] == "orders whose visit passed it; visits are known of 5 of the 12 months"


def test_a_touchpoint_goes_by_the_name_of_the_sheet():
    points = pd.DataFrame({"key": ["cart"], "canonical": ["Basket"]})
    assert passed(visit(0, order="o0"), "basket", points)[0] == ["o0"]
    assert passed(visit(0, order="o0"), "cart", points) == ([], "no visit passes it")


def test_without_visits_or_orders_it_says_why():
    assert orders_that_passed(None, "cart", points=None, **SPAN) == (None, "visits are not known (no table events)")
    bare = ibis.memtable(pd.DataFrame({"touchpoint": ["cart"]}))
    assert orders_that_passed(bare, "cart", points=None, **SPAN)[1].startswith("visits name no order")
