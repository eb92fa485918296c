"""Marks of currencies."""

from cxkit.currencies import CODES, KNOWN, MARKS, codes_by_mark, marks_of


def test_marks_are_folded_and_every_code_is_its_own_mark():
    assert all(mark == mark.lower().rstrip(".") and mark and " " not in mark for mark in KNOWN)
    assert all(marks[0] == code.lower() for code, marks in MARKS.items())
    assert marks_of("XAF") == ("xaf",)


def test_a_mark_that_two_of_the_currencies_share_names_none():
    found = codes_by_mark(["UAH", "USD", "CAD", "usd"])
    assert (found["₴"], found["грн"], found["usd"], found["us$"]) == ("UAH", "UAH", "USD", "USD")
    assert "$" not in found
    assert codes_by_mark(["USD", "PLN"])["$"] == "USD"


def test_every_currency_with_a_mark_is_a_currency():
    assert set(MARKS) <= CODES
    assert all(len(code) == 3 and code.isupper() for code in CODES)
    assert {"ZZZ", "XXX", "XAU"}.isdisjoint(CODES)
