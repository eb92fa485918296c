import pandas as pd
import pytest
from column_samples import form_of, forms_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.column_kinds import column_forms, counted, numbers


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["", " ", ""], "empty"),
        (["yes", "no", "Yes", ""], "yes/no"),
        (["так", "ні"], "yes/no"),
        (["1", "2", "3"], "integer"),
        (["1.5", "2.25", "3"], "number"),
        (["1.50", "2.25", "3.00"], "money"),
        (["1 234,56 zł", "7 zł"], "money"),
        (["2024-01-31 10:00:00", "2024-02-01 11:00:00"], "time"),
        (["31.01.2024", "01.02.2024"], "date"),
        (["A-1001", "A-1002", "B-7"], "id"),
        (["007", "012", "100"], "id"),
        (["32d16a588f14e55a", "bdb7afd5e4270810", "a28657f48e40e7fc"], "id"),
        (["card", "cash", "card", "card"], "category"),
        (["Very good indeed", "Not what I asked for", "fine, thanks"], "text"),
        (["ann@example.com", "bob@example.org"], "e-mail"),
        (["+380 67 123 45 67", "+48 601 234 567"], "phone"),
        (["(775) 555-0154", "(801) 555-0188"], "phone"),
    ],
)
def test_the_kind_of_a_column(values, kind):
    assert form_of(*values).kind == kind


def test_sums_below_one_are_no_phones():
    assert form_of("0.25", "0.5", "0").kind == "number"


def test_words_for_nothing_are_no_values_and_are_told():
    form = form_of("9", "10", "NA", "NA")
    assert (form.kind, form.filled, form.readable) == ("integer", 4, 2)
    assert form.evidence == "whole numbers, 100 % of 2 filled; 2 say NA or the like"


def test_what_a_time_rests_on():
    form = form_of("01.02.2024 10:00", "13.02.2024 11:00", "14.02.2024 11:00")
    assert form.evidence == "dd.mm.yyyy hh:mm, 100 % of 3 filled; 2 of them only day first"
    assert (form.date_formats, form.ambiguous, form.proves) == (("%d.%m.%Y %H:%M",), (), "day")


def test_dates_that_nothing_decides_name_both_formats():
    form = form_of("01/02/2024", "03/04/2024")
    assert (form.date_formats, form.ambiguous) == ((), ("%d/%m/%Y", "%m/%d/%Y"))
    assert "dd/mm/yyyy or mm/dd/yyyy: every day and month is 12 at most, so nothing decides" in form.evidence


def test_a_mixture_of_both_orders_is_told_with_its_counts():
    form = form_of("13/02/2024", "14/02/2024", "02/13/2024")
    assert form.proves == "both"
    assert "2 only day first, 1 only month first" in form.evidence


def test_a_number_may_be_a_time_but_is_not_one_by_itself():
    form = form_of("1704067200", "1704067260")
    assert (form.kind, form.date_formats) == ("integer", ("epoch_s",))


def test_a_decimal_mark_that_nothing_decides():
    form = form_of("1,234", "5,678")
    assert (form.decimal, form.ambiguous) == (None, (".", ","))
    assert "nothing says whether the point or the comma is the decimal mark" in form.evidence


def test_ids_of_a_spreadsheet_and_negative_numbers_are_told():
    assert "all written with .0" in form_of("17850.0", "13047.0").evidence
    assert "1 negative" in form_of("5", "-5").evidence


def test_numbers_are_read_by_the_columns_own_mark():
    assert numbers(form_of("1 234,50", "", "7,25")).fillna(0).tolist() == [1234.5, 0, 7.25]


def test_columns_with_the_same_name_are_each_their_own():
    forms = column_forms(pd.DataFrame([["1", "a"], ["2", "b"]], columns=["x", "x"]))
    assert [f.kind for f in forms] == ["integer", "text"]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=12))
def test_any_text_has_a_form(values):
    form = forms_of({"x": values})[0]
    assert form.rows == len(values)
    assert form.filled == sum(bool(v.strip()) for v in values) == sum(counted(form).values())
    assert form.readable <= form.filled


@given(st.lists(st.emails(), min_size=1, max_size=5))
def test_evidence_shows_no_values(values):
    form = form_of(*values)
    assert not any(value in form.evidence for value in values)


def test_one_value_is_told_as_one():
    assert form_of(*["web"] * 30).evidence == "1 different value in 30"
    assert form_of(*["web", "shop"] * 15).evidence == "2 different values in 30"
