"""Whose a discount or a refund is, from a few orders of two lines."""

import pytest
from column_samples import forms_of

from cxkit.column_choice import choose
from cxkit.column_kinds import numbers
from cxkit.order_level import agreeing, level

LINES = [str(i // 2) for i in range(12)]
WORTH = [f"{10 + 3 * i}.00" for i in range(12)]


def whose(refund, *, name="Refund", of_orders=(), worth=WORTH):
    forms = forms_of({"Order id": LINES, "Line total": worth, name: refund})
    choice = choose("orders", forms, of_orders=of_orders)
    form = next(f for f in forms if f.name == name)
    return level(choice, form, ".", worth=numbers(forms[1], "."))


def test_what_repeats_on_all_lines_of_an_order_is_the_orders():
    found = whose([f"{5 + i // 2}.00" for i in range(12)])
    assert found.kind == "order"
    assert found.told == '"Refund" stands the same on every line of an order (6 orders of several lines)'


def test_what_stands_on_the_first_line_alone_is_the_orders():
    found = whose([f"{5 + i}.00" if i % 2 == 0 else "" for i in range(12)])
    assert (found.kind, "only on an order's first line" in found.told) == ("order", True)


def test_what_stands_in_a_joined_file_of_orders_is_the_orders():
    assert whose(["0.00"] * 11 + ["3.00"], of_orders=["Refund"]).kind == "order"


@pytest.mark.parametrize(
    "refund",
    [
        [f"{5 + i}.00" for i in range(12)],  # differs between an order's lines
        ["0.00"] * 12,  # zeros are no values
        ["", "", "7.00", *[""] * 9],  # one line of one order
    ],
)
def test_a_lines_own(refund):
    assert whose(refund).kind == "line"


def test_a_refund_of_just_what_the_line_is_worth_is_the_lines():
    worth = [f"{10 + i // 2}.00" for i in range(12)]  # both lines of an order cost the same
    assert whose(worth, worth=worth).kind == "line"


def test_a_few_orders_or_one_value_prove_nothing():
    found = whose(["5.00", "5.00", "6.00", "6.00", *[""] * 8])
    assert found.kind == "open"
    assert found.told == "\"Refund\" repeats within 2 orders of several lines: a line's or the order's?"
    assert whose(["5.00"] * 12).kind == "open"


def test_a_name_that_says_order():
    assert whose(["5.00", "5.00", *[""] * 10], name="Order discount").kind == "order"
    odd = whose(["5.00", "6.00", *[""] * 10], name="Order discount")
    assert (odd.kind, odd.told) == ("open", '"Order discount" is named as the order\'s, but its lines do not say so')


def test_agreement_but_for_rounding():
    one, other = (numbers(f, ".") for f in forms_of({"a": ["1.00"] * 6, "b": ["1.01"] * 5 + ["2.00"]}))
    assert agreeing(one, other) == 5 / 6
    assert agreeing(one[:3], other[:3]) == 0
    assert agreeing(one[:3], other[:3], least=1) == 1
