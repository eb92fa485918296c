"""Money of a whole order that stands on each of its lines is told; a line's own is not."""

import pytest
from sources_client import load_orders

HEADER = "Order,Customer,Date,Total,Qty,SKU,Off,Back"
COLUMNS = {"order_id": "Order", "customer_id": "Customer", "ordered_at": "Date", "amount": "Total"}


def notes(folder, rows, **columns):
    loaded, _ = load_orders(folder, *rows, header=HEADER, columns={**COLUMNS, **columns})
    return [n for n in loaded.accounts["orders"]["notes"] if "all lines" in n or "line's amount" in n]


def lines(number, *, same):
    """Orders of two lines each; the sums differ from order to order, and within one unless they are the `same`."""
    return [
        f"{i},c{i},2024-03-{i % 28 + 1:02},{100 + i + (0 if same else 7 * line)},1,P{line},{i % 5},0"
        for i in range(number)
        for line in range(2)
    ]


def test_a_sum_that_all_lines_of_an_order_bear_is_told(tmp_path):
    assert notes(tmp_path, lines(30, same=True), discount="Off") == [
        "amount: Total is the same on all lines of 30 of 30 orders of several lines. If it is the whole order's, it"
        " counts once per line now: write amount: {share: Total, by: [price, pieces]}.",
        "discount: Off is the same on all lines of 24 of 24 orders of several lines. If it is the whole order's, it"
        " counts once per line now: write discount: {share: Off, by: [price, pieces]}.",
    ]


@pytest.mark.parametrize(("number", "same"), [(30, False), (15, True)])
def test_a_lines_own_money_and_few_orders_are_not(tmp_path, number, same):
    assert notes(tmp_path, lines(number, same=same)) == []


def test_refunds_above_what_the_line_cost_are_told(tmp_path):
    rows = ["1,a,2024-03-01,10,1,X,0,30", "1,a,2024-03-01,20,1,Y,0,30", "2,b,2024-03-02,5,1,X,0,5"]
    assert notes(tmp_path, rows, refund="Back") == [
        "refund is above the line's amount on 2 of 3 lines that have one: is it the whole order's, or does it hold what"
        " the delivery cost?"
    ]


def test_what_came_back_whole_says_nothing_of_refunds(tmp_path):
    """Of 40 orders all was returned, of 20 of them with the order's sum on each line."""
    rows = [line[:-1] + ("" if i % 4 > 1 else str(300 + i // 4)) for i, line in enumerate(lines(40, same=False))]
    rows = [f"{row},{'back' if row.endswith(',') else 'part'}" for row in rows]
    columns = {**COLUMNS, "refund": "Back", "status": "State"}
    mean = {"status": {"back": "returned", "part": "partly_returned"}}
    loaded, _ = load_orders(tmp_path, *rows, header=HEADER + ",State", columns=columns, values=mean)
    told = [n for n in loaded.accounts["orders"]["notes"] if "all lines" in n]
    assert [n.split(".")[0] for n in told] == [
        "refund: Back is the same on all lines of 20 of 20 orders of several lines"
    ]


def test_what_minus_takes_off_each_line_is_told_too(tmp_path):
    rows = [f"{i},c{i},2024-03-02,{100 + line},1,P{line},{i % 5},0" for i in range(30) for line in range(2)]
    assert notes(tmp_path, rows, amount={"multiply": ["Total", "Qty"], "minus": ["Off"]}) == [
        "amount: Off, which minus takes off, is the same on all lines of 24 of 24 orders of several lines. If it is the"
        " whole order's, it is taken off each line now: write minus: [{share: Off, by: [Total, Qty]}]."
    ]
