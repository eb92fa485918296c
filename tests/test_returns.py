"""Which sale a return takes back: small logs worked out by hand."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources_client import ORDERS, load_orders

from cxkit.returns import net


def events(*rows):
    frame = pd.DataFrame(rows, columns=["line", "group", "at", "amount", "quantity"])
    return frame.assign(at=pd.to_datetime("2024-01-01") + pd.to_timedelta(frame["at"], unit="D"), tie=frame.line)


def netted(sales, returns):
    found, left = net(events(*sales), events(*returns))
    return {r.line: (r.refund, r.whole) for r in found.itertuples()}, dict(zip(left.line, left.refund, strict=True))


def test_the_latest_earlier_sale_first():
    sales = [(1, "a", 1, 10.0, 1.0), (2, "a", 2, 12.0, 1.0), (3, "a", 9, 14.0, 1.0)]
    assert netted(sales, [(9, "a", 5, 12.0, 1.0)]) == ({2: (12.0, True)}, {})


def test_what_one_sale_cannot_take_goes_to_the_one_before():
    sales = [(1, "a", 1, 30.0, 3.0), (2, "a", 2, 20.0, 2.0)]
    assert netted(sales, [(9, "a", 5, 40.0, 4.0)]) == ({2: (20.0, True), 1: (20.0, False)}, {})


def test_the_refund_is_the_returns_own_money():
    assert netted([(1, "a", 1, 30.0, 3.0)], [(9, "a", 5, 8.0, 1.0)]) == ({1: (8.0, False)}, {})


def test_money_that_finds_no_sale_is_left():
    assert netted([(1, "a", 1, 10.0, 1.0)], [(8, "a", 5, 30.0, 3.0), (9, "b", 5, 7.0, 1.0)]) == (
        {1: (10.0, True)},
        {8: 20.0, 9: 7.0},
    )


def test_a_return_before_the_sale_takes_nothing_back():
    assert netted([(1, "a", 6, 10.0, 1.0)], [(9, "a", 5, 10.0, 1.0)]) == ({}, {9: 10.0})


def test_remaining_pieces_are_respected_by_later_returns():
    sales = [(1, "a", 1, 10.0, 1.0), (2, "a", 2, 20.0, 2.0)]
    returns = [(8, "a", 3, 10.0, 1.0), (9, "a", 4, 20.0, 2.0)]
    assert netted(sales, returns) == ({2: (20.0, True), 1: (10.0, True)}, {})


def test_without_pieces_money_counts():
    nan = float("nan")
    assert netted([(1, "a", 1, 10.0, nan), (2, "a", 2, 10.0, nan)], [(9, "a", 5, 15.0, nan)]) == (
        {2: (10.0, True), 1: (5.0, False)},
        {},
    )


def test_whoever_is_unknown_takes_nothing_back():
    assert netted([(1, None, 1, 10.0, 1.0)], [(9, None, 5, 10.0, 1.0)]) == ({}, {9: 10.0})


AMOUNTS = st.integers(1, 6)
ROWS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9), AMOUNTS), max_size=12)


@given(sales=ROWS, returns=ROWS)
def test_no_money_is_lost_and_no_piece_comes_back_twice(sales, returns):
    sold = events(*[(i, g, at, 10.0 * q, float(q)) for i, (g, at, q) in enumerate(sales)])
    back = events(*[(100 + i, g, at, 10.0 * q, float(q)) for i, (g, at, q) in enumerate(returns)])
    found, left = net(sold, back)
    assert found.refund.sum() + left.refund.sum() == pytest.approx(back.amount.sum())
    joined = found.merge(sold, on="line")
    assert (joined.refund <= joined.amount + 1e-6).all()
    assert (joined.whole == ((joined.refund - joined.amount).abs() < 1e-6)).all()


def test_through_the_door(tmp_path):
    loaded, orders = load_orders(
        tmp_path,
        "1,a,2024-03-01,20,2,X",
        "C2,a,2024-03-02,-10,-1,X",
        "C3,a,2024-03-03,-99,-1,Z",
        "4,b,2024-03-01,30,1,X",
        "C5,b,2024-03-04,30,1,X",
        "C6,,2024-03-04,-5,-1,X",
        "7,b,2024-03-04,-0,-1,X",
        "8,b,2024-03-09,30,1,X",
        returns={"order_id_prefix": "C"},
    )
    account = loaded.accounts["orders"]
    assert (account["rows_in"], account["kept"], account["netted"]) == (8, 7, 2)
    assert account["refused"] == {"amount not above zero": 1}
    assert account["seen"]["returns"] == 5
    assert account["seen"]["marked_as_returns"] == 4
    lines = orders.set_index("order_id")
    assert lines.status.value_counts().to_dict() == {"returned": 3, "partly_returned": 1, "completed": 1}
    assert lines.loc["1", ["amount", "refund", "status"]].tolist() == [20, 10, "partly_returned"]
    assert lines.loc["4", ["amount", "refund", "status"]].tolist() == [30, 30, "returned"]
    assert lines.loc["C3", ["amount", "quantity", "refund", "status"]].tolist() == [0, 0, 99, "returned"]
    assert lines.loc["C6", "refund"] == 5
    assert (orders.amount - orders.refund).sum() == 20 - 10 - 99 + 30 - 30 - 5 + 30


def test_a_line_without_a_product_is_matched_by_its_order(tmp_path):
    columns = {k: v for k, v in ORDERS.items() if k not in ("product_id", "quantity")}
    _, orders = load_orders(
        tmp_path,
        "1,a,2024-03-01,20,2,X",
        "2,a,2024-03-02,20,2,X",
        "C1,a,2024-03-03,-15,-1,X",
        "3,z,2024-03-04,1,1,X",  # the last day with a sale lies after the return
        returns={"order_id_prefix": "C"},
        columns=columns,
    )
    assert orders.set_index("order_id").refund.to_dict() == {"1": 15, "2": 0, "3": 0}


def test_refunds_and_statuses_of_the_export_pass_through(tmp_path):
    columns = {**ORDERS, "status": "Status", "refund": "Back"}
    _, orders = load_orders(
        tmp_path,
        "1,a,2024-03-01,20,2,X,returned,",
        "2,a,2024-03-01,20,2,X,partly_returned,-5",
        "3,a,2024-03-01,20,2,X,cancelled,",
        "4,a,2024-03-01,0,2,X,cancelled,",
        "5,a,2024-03-02,-20,-2,X,,",
        "6,z,2024-03-03,1,1,X,,",  # the last day with a sale lies after the return
        header="Order,Customer,Date,Total,Qty,SKU,Status,Back",
        columns=columns,
    )
    found = orders.set_index("order_id")[["refund", "status"]].apply(tuple, axis=1).to_dict()
    # only order 2 has something left to give back, 15 of its 20; the other 5 stay a return of the customer
    assert found == {
        "1": (20, "returned"),
        "2": (20, "returned"),
        "3": (0, "cancelled"),
        "4": (0, "cancelled"),
        "5": (5, "returned"),
        "6": (0, "completed"),
    }
