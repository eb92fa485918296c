import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.estimates import UNITS, Estimate
from cxkit.style import (
    folded_text,
    format_interval,
    format_value,
    in_quotes,
    long_date,
    no_places,
    plain_text,
    told_dates,
)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.41, "share", "41 %"),
        (0.0994, "share", "9.9 %"),
        (0.0996, "share", "10 %"),
        (0.0123, "share", "1.2 %"),
        (0, "share", "0 %"),
        (-0.0001, "share", "0.0 %"),
        (-0.053, "share", "−5.3 %"),
        (1, "share", "100 %"),
        (1 - 1e-12, "share", "100 %"),  # a sum's rounding
        (475 / 477, "share", "99.6 %"),
        (0.9999, "share", "99.9 %"),  # all but a few are not all
        (0.79, "lift", "+79 %"),
        (-0.12, "lift", "−12 %"),
        (0, "lift", "0 %"),
        (0.0001, "lift", "0.0 %"),
        (12.5, "lift", "+1,250 %"),
        (1234567.8, "money", "1,234,568 UAH"),
        (-1234.5, "money", "−1,234 UAH"),
        (99.97, "money", "100 UAH"),
        (12.34, "money", "12.3 UAH"),
        (9.996, "money", "10.0 UAH"),
        (3.456, "money", "3.46 UAH"),
        (-0.001, "money", "0.00 UAH"),
        (0, "money", "0 UAH"),
        (7, "days", "7 days"),
        (1, "days", "1 day"),
        (30.43, "days", "30.4 days"),
        (541909, "count", "541,909"),
        (0.491, "ratio", "0.49"),
        (-35.9, "points", "−35.9"),
        (float("nan"), "money", "–"),
        (float("inf"), "share", "–"),
    ],
)
def test_numbers(value, unit, text):
    assert format_value(value, unit, "UAH") == text


def test_money_without_a_currency_ends_in_its_number():
    assert format_value(250.0, "money") == "250"


@pytest.mark.parametrize(
    ("ends", "unit", "text"),
    [
        ((0.39, 0.43), "share", "39–43 %"),
        ((0.098, 0.104), "share", "9.8–10 %"),
        ((-0.02, 0.14), "lift", "−2.0 to +14 %"),
        ((0.3, 0.5), "lift", "+30 to +50 %"),
        ((120, 1500), "money", "120–1,500 UAH"),
        ((-5, 20), "money", "−5 to 20 UAH"),
        ((12, 30), "days", "12–30 days"),
        ((1, 2), "days", "1–2 days"),
        ((1, 4), "count", "1–4"),
        ((float("nan"), 0.3), "share", "–"),
    ],
)
def test_intervals(ends, unit, text):
    estimate = Estimate(sum(ends) / 2, *ends, 10, unit, 0.95, "by hand")
    assert format_interval(estimate, "UAH") == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Champions", "Champions"),
        ("Often by web, small orders and more", "Often by web,\nsmall orders and more"),
        ("Often by marketplace orders", "Often by marketplace\norders"),
        ("ж" * 30, "ж" * 26 + "\n" + "ж" * 4),
        ("a" * 80, "a" * 26 + "\n" + "a" * 25 + "…"),
        ("x$y", "x\\$y"),
    ],
)
def test_a_long_name_is_folded_once(name, text):
    assert folded_text(name) == text


def test_a_picture_names_a_thing_as_people_say_it():
    assert plain_text("apple_google_pay") == "apple google pay"
    assert folded_text("construction_tools_lights_and_more") == "construction tools lights\nand more"
    assert plain_text("PRAM_12") == "PRAM_12"  # a product's number
    assert plain_text("a_" * 40, width=5) == "a a…"
    assert plain_text("_") == "_"


def test_a_sentence_writes_days_out():
    assert (long_date("2026-06-30 14:05"), long_date(None)) == ("30 June 2026", "")
    said = "the weeks just before (2025-07-02 to 2026-06-30), and on 2026-01-01."
    assert told_dates(said) == "the weeks just before (2 July 2025 to 30 June 2026), and on 1 January 2026."
    for kept in ("like '2025-02-03 10:15'", "runs/2026-06-30-12", "on 2025-02-30", "2026-06", "“2026-06-30”"):
        assert told_dates(kept) == kept


@given(st.floats(-1e12, 1e12), st.sampled_from(UNITS))
def test_a_sign_is_a_true_one_and_never_on_nothing(value, unit):
    text = format_value(value, unit, "UAH")
    assert "-" not in text
    digits = "".join(c for c in text if c.isdigit())
    if not digits.strip("0"):
        assert not set("−+") & set(text)
    assert digits


def test_a_clients_own_name_in_a_sentence():
    assert in_quotes("payment_page") == "“payment page”"
    assert in_quotes(" Нова_пошта\n2 ") == "“Нова пошта 2”"
    assert no_places(in_quotes("{x}_y")).format() == "“{x} y”"
