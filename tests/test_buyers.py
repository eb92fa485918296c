"""Who bought: customers and their orders by hand, and sums that must agree."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit.buyers import buyers, customer_totals, placed_orders
from cxkit.tables import counted_lines

DAY = date(2026, 4, 30)
LINES = [
    ("1", "anna", "2026-01-05", 10.0, 0.0, "completed"),
    ("1", "anna", "2026-01-05", 5.0, 2.0, "partly_returned"),
    ("1", "anna", "2026-03-03", 0.0, 1.0, "returned"),  # given back under the order's own id
    ("2", "anna", "2026-02-05", 20.0, 0.0, "cancelled"),
    ("3", None, "2026-02-06", 40.0, 0.0, "completed"),
    ("4", "bohdan", "2026-02-07", 90.0, 90.0, "returned"),  # an order all the same
    ("5", "celina", "2026-02-08", 0.0, 8.0, "returned"),  # celina only returned
    ("6", "dmytro", "2026-03-01", 30.0, 0.0, "completed"),
    ("6", "anna", "2026-03-01", 10.0, 0.0, "completed"),  # one order, two customers: anna's, the first by id
    ("7", "anna", "2026-04-01", 0.0, 3.0, "returned"),  # matched no sale
    ("8", "emma", "2026-05-01", 50.0, 0.0, "completed"),  # after DAY
    ("9", "fedir", "2026-03-04", 6.0, 0.0, "completed"),
    ("9", None, "2026-03-04", 4.0, 0.0, "completed"),  # the order's other line knows whose it is
    ("10", "greta", "2026-03-05", 70.0, 0.0, "cancelled"),
]


def shop():
    return orders([line[:4] for line in LINES], refund=[line[4] for line in LINES], status=[line[5] for line in LINES])


def rows(expression) -> dict:
    """customer_id -> (last_on, orders, revenue); nobody's under None."""
    frame = expression.to_pandas()
    assert frame["customer_id"].is_unique
    return {
        None if pd.isna(row.customer_id) else row.customer_id: (
            None if pd.isna(row.last_on) else str(row.last_on)[:10],
            row.orders,
            row.revenue,
        )
        for row in frame.itertuples()
    }


BUYERS = {
    "anna": ("2026-03-01", 2, 10 + 5 - 2 - 1 + 30 + 10 - 3),
    "bohdan": ("2026-02-07", 1, 0),
    "fedir": ("2026-03-04", 1, 10),
}


def test_buyers_by_hand():
    assert rows(buyers(shop(), as_of=DAY)) == BUYERS


def test_totals_know_those_who_only_returned_and_nobody_too():
    others = {"celina": (None, 0, -8), None: ("2026-02-06", 1, 40)}
    assert rows(customer_totals(shop(), as_of=DAY)) == BUYERS | others


def test_what_comes_after_the_day_is_not_seen():
    assert rows(buyers(shop(), as_of=date(2026, 2, 28))) == {
        "anna": ("2026-01-05", 1, 13),
        "bohdan": ("2026-02-07", 1, 0),
    }
    assert rows(buyers(shop(), as_of=date(2026, 5, 1))) == BUYERS | {"emma": ("2026-05-01", 1, 50)}
    assert rows(buyers(shop(), as_of=date(2025, 12, 31))) == {}


def test_orders_by_hand():
    frame = placed_orders(shop(), as_of=DAY).to_pandas().set_index("order_id").sort_index()
    assert frame.index.to_list() == ["1", "3", "4", "6", "9"], "no return, nothing cancelled, nothing later"
    assert list(frame) == ["customer_id", "ordered_on", "revenue"]
    assert frame["customer_id"].fillna("").to_list() == ["anna", "", "bohdan", "anna", "fedir"]
    assert [str(day)[:10] for day in frame["ordered_on"]] == [
        "2026-01-05", "2026-02-06", "2026-02-07", "2026-03-01", "2026-03-04",
    ]  # fmt: skip
    assert frame["revenue"].to_list() == [12, 40, 0, 40, 10]


@pytest.mark.parametrize("column", ["refund", "status"])
def test_a_shop_that_knows_no_refund_or_status(column):
    bare = orders([("1", "anna", "2026-01-05", 10.0)]).drop(column)
    assert rows(buyers(bare, as_of=DAY)) == {"anna": ("2026-01-05", 1, 10)}
    assert placed_orders(bare, as_of=DAY).count().execute() == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_customers_and_orders_add_up(seed):
    rng = np.random.default_rng(seed)
    frame = random_orders(rng, 200)
    frame["refund"] = (frame["amount"] * rng.choice([0, 0, 0, 0.25, 1], len(frame))).round(2)
    frame["status"] = rng.choice(["completed", "completed", "completed", "cancelled"], len(frame))
    frame["customer_id"] = frame["customer_id"].where(rng.random(len(frame)) < 0.9)  # lines that name nobody
    lines, day = table(frame), frame["ordered_on"].max().date()
    placed = placed_orders(lines, as_of=day).to_pandas()
    totals = customer_totals(lines, as_of=day).to_pandas()
    assert totals["orders"].sum() == len(placed)
    assert totals["revenue"].sum() == pytest.approx(counted_lines(lines).revenue.sum().execute())
    known = placed.dropna(subset="customer_id").groupby("customer_id")
    bought = buyers(lines, as_of=day).to_pandas().set_index("customer_id").sort_index()
    assert bought["orders"].to_dict() == known.size().to_dict()
    assert bought["revenue"].to_list() == pytest.approx(known["revenue"].sum().to_list())
    assert (bought["last_on"] == known["ordered_on"].max()).all()
