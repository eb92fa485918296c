"""The record that names the columns, from small tables."""

import pytest

from cxkit.header_rows import find_header, kind_of

HEAD = ["Order", "Date", "Total", "City"]
BODY = [["A-101", "2024-03-01", "10.50", "Kyiv"], ["A-102", "2024-03-02", "7", "Lviv"], ["A-103", "", "8", "Kyiv"]]


def test_the_first_record():
    found = find_header([HEAD, *BODY])
    assert (found.records, found.sure, found.notes) == ((1,), True, ())
    assert found.evidence == "record 1 holds names, and 3 of 4 columns below hold numbers, times or codes"


def test_what_stands_above_it_is_left_out():
    for above in ([["Report"], ["for March"]], [["Report", "", "", ""], ["", "", "", ""]]):
        found = find_header([*above, HEAD, *BODY])
        assert (found.records, found.notes) == ((3,), ("2 records above the header: left out.",))


def test_no_header():
    found = find_header(BODY)
    assert (found.records, found.sure) == ((0,), True)
    assert found.evidence == "the first record holds values like those below it"
    assert find_header([["Kyiv", "red"], ["Lviv", "red"], ["Kyiv", "blue"], ["Odesa", "red"]]).records == (0,)


def test_texts_alone_are_a_guess():
    found = find_header([["city", "colour"], ["Kyiv", "red"], ["Lviv", "blue"]])
    assert (found.records, found.sure) == ((1,), False)
    assert found.evidence.startswith("a guess: record 1 holds names")


def test_years_may_name_columns():
    assert find_header([["shop", "2023", "2024"], ["Kyiv", "100", "120"], ["Lviv", "90", "95"]]).records == (1,)


def test_two_rows():
    top = ["Respondent ID", "Start Date", "How satisfied are you?", "", "Age"]
    below = ["", "", "Response", "Other (please specify)", "Open-Ended Response"]
    body = [["1001", "01/02/2024", "Very", "", "28"], ["1002", "01/03/2024", "Not at all", "slow", "35"]]
    found = find_header([top, below, *body])
    assert (found.records, found.sure) == ((1, 2), False)
    assert found.notes == ("2 header rows: their cells are joined.",)
    assert find_header([top, [""] * 5, *body]).records == (1, 2)
    scales = [
        ["1", "01/02/2024", "9", "good", "5"],
        ["2", "01/03/2024", "0", "", "1"],
        ["3", "01/04/2024", "", "", "2"],
    ]
    assert find_header([top, ["", "", "0-10", "Why?", "1 – 5"], *scales]).records == (1, 2)


def test_headings_over_several_columns_are_told_by_their_places_alone():
    top = ["Region", "Calories", "Change of cost", ""]
    rows = [top, ["", "", "from last quarter", "from the start"], ["", "(%)", "", ""]]
    found = find_header([*rows, ["North", "few", "up", "down"], ["South", "many", "down", "up"]])
    assert (found.records, found.sure) == ((1, 2, 3), False)
    assert find_header([*rows[:2], ["North", "few", "up", "down"]]).records == (1, 2)
    # a record with a blank, and a column without a name, are no headings
    assert find_header([top, ["North", "few", "up", ""], ["South", "many", "down", "up"]]).records == (1,)
    assert find_header([*rows[:2], ["North", "few", "up", ""], ["South", "many", "down", "up"]]).records == (1,)
    assert find_header([top, ["", "", "up", "down"], ["North", "few", "up", "down"]]).records == (1,)
    assert find_header([top, ["", "", "1", "2"], ["North", "few", "up", "down"]]).records == (1,)


def test_a_first_order_without_some_values_is_no_header():
    assert find_header([HEAD, ["A-100", "", "", ""], *BODY]).records == (1,)


def test_a_header_wider_than_its_records_stays_the_header():
    assert find_header(
        [["id", "name", "", "name"], ["1", "english"], ["1", "english"], ["2", "german", "1", "2", "3"]]
    ).records == (1,)


def test_a_header_alone_is_a_guess():
    assert find_header([HEAD]).records == (1,)
    assert not find_header([HEAD]).sure


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("12", "number"), ("-1 234,56 zł", "number"), ("$5.00", "number"), ("85 %", "number"),
     ("31.12.2024 18:05", "time"), ("2024-01-01T10:00:00Z", "time"), ("Mar 5, 2024", "time"),
     ("10:15", "time"), ("a@b.ua", "e-mail"),
     ("https://x.y/z", "address"), ("1.2.3.4", "address"), ("MA-1000012", "code"), ("#1001", "code"), ("Kyiv", "text"),
     ("Address1", "text"), ("Q1", "text"), ("", "")],
)  # fmt: skip
def test_kinds(cell, kind):
    assert kind_of(cell) == kind
