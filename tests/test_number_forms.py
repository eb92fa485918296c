import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.number_forms import bare, number, number_form


def form(*texts):
    return number_form(dict.fromkeys(texts, 1))


@pytest.mark.parametrize(
    ("texts", "decimal", "open_"),
    [
        (("12.50", "1,234.00"), ".", False),
        (("12,50", "1.234,00"), ",", False),
        (("1 234,5", "7"), ",", False),
        (("1,234", "5,678"), None, True),  # 1234, or 1.234
        (("1", "22", "333"), None, False),  # nothing to decide
        (("1.234.567", "1"), ",", False),  # twice the same mark: thousands
        (("1'234.50",), ".", False),
    ],
)
def test_the_decimal_mark_is_told_by_values_that_only_one_reads(texts, decimal, open_):
    found = form(*texts)
    assert (found.decimal, found.open, found.readable) == (decimal, open_, len(texts))


def test_one_mark_against_another_decides_nothing():
    found = form("12.5", "12,5")
    assert found.decimal is None
    assert found.open


def test_a_slip_among_many_is_told_and_decides_nothing():
    found = number_form({"12.5": 400, "12,5": 1})
    assert (found.decimal, found.against, found.readable) == (".", 1, 400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 234,56 zł", ("1 234,56", "PLN", False)),
        ("₴ 100", ("100", "UAH", False)),
        ("100 грн.", ("100", "UAH", False)),
        ("USD 5", ("5", "USD", False)),
        ("$5.00", ("5.00", "$", False)),
        ("-€5", ("-5", "EUR", False)),
        ("85 %", ("85", None, True)),
        ("A12", ("A12", None, False)),
    ],
)
def test_marks_around_a_number(text, expected):
    assert bare(text) == expected


def test_no_number_is_made_of_what_the_door_refuses():
    assert number("1.5", ",") is None
    assert number("1_000", ".") is None
    assert number("nan", ".") is None
    assert number("1e999", ".") is None


@given(st.floats(-1e9, 1e9).map(lambda v: round(v, 2)), st.sampled_from([".", ","]))
def test_a_number_is_read_back_however_it_is_grouped(value, decimal):
    other = "," if decimal == "." else "."
    text = f"{value:,.2f}".translate(str.maketrans({",": other, ".": decimal}))
    assert number(text, decimal) == value


def test_codes_with_zeros_in_front_and_floats_of_a_spreadsheet_are_counted():
    assert form("007", "012").zeros == 2
    assert form("17850.0", "1.0").dot_zero
    assert not form("17850.0", "1.5").dot_zero
