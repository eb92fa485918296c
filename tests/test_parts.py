"""Records and their HTML: what a table, a finding and its bar say."""

import math

import pandas as pd
import pytest
from html_elements import Elements
from hypothesis import given
from hypothesis import strategies as st

from cxkit import style
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.findings import Finding
from cxkit.parts import bar, column_label, finding_record, part, points_of, setting_text, table_record, tie


@given(st.text(max_size=40))
def test_any_text_in_a_cell_is_that_text(text):
    record = table_record(pd.DataFrame({"name": [text], "n": [1]}), caption="One row")
    reader = Elements(part("table", record))
    assert reader.tags <= {"div", "table", "caption", "span", "thead", "tbody", "tr", "th", "td"}
    expected = tie(style.clean_text(text))
    assert not expected or expected in "".join(reader.words)


def test_units_follow_from_names():
    frame = pd.DataFrame(
        {"revenue": [1.5], "share": [0.5], "recency_days": [3], "cohort": pd.to_datetime(["2026-01-01"])}
    )
    record = table_record(frame, caption="One", currency="UAH")
    assert [c["label"] for c in record["columns"]] == ["Revenue, UAH", "Share", "Recency, days", "Cohort"]
    assert record["rows"] == [["1.50", "50 %", "3", "2026-01"]]


NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def test_a_finding_reads_the_same_in_tile_and_table():
    record = finding_record(Finding("loyalty.repeat_rate", "{value} come back.", wilson(41, 100), "Repeat rate"))
    assert (record["value_text"], record["interval_text"], record["n_text"]) == ("41 %", "32–51 %", "100")
    assert record["verdict_text"] == "Not judged: there is no target"
    hidden = finding_record(Finding("a.b", "{value}", unknown("share", n=3), "Few", target=0.5))
    assert (hidden["value_text"], hidden["rule"]) == ("–", "the data cannot tell (too few observations)")
    assert bar(hidden) is None


@given(
    st.lists(NUMBERS, min_size=3, max_size=3).map(sorted),
    st.none() | NUMBERS,
    st.sampled_from(["share", "lift", "money"]),
)
def test_a_bar_holds_zero_interval_and_target(ends, target, unit):
    low, value, high = ends
    places = bar({"low": low, "value": value, "high": high, "target": target, "unit": unit})
    assert places["left"] >= 0
    assert places["left"] + places["width"] <= 100.01
    marks = {places[k] for k in ("value", "zero", "target")} - {None}
    assert all(-0.01 <= mark <= 100.01 for mark in marks)
    if target is not None and target < value:
        assert places["target"] <= places["value"]


@given(st.floats(0.001, 0.999), st.sampled_from(["share", "money"]))
def test_a_narrow_interval_is_drawn_one_unit_wide(value, unit):
    places = bar({"low": value, "value": value, "high": value, "target": None, "unit": unit})
    assert places["width"] == 1
    assert places["target"] is None


@pytest.mark.parametrize(
    ("good", "target", "words"),
    [
        (41, None, "no target to judge by"),
        (41, 0.45, "the interval reaches over the target"),
        (41, 0.2, "the whole interval lies above the target"),
        (41, 0.8, "the whole interval lies below the target"),
    ],
)
def test_the_rule_says_where_the_interval_lies(good, target, words):
    finding = Finding("a.b", "{value}", wilson(good, 100), "Rate", target=target, target_source="set by the client")
    record = finding_record(finding)
    assert record["rule"] == words
    assert record["against"] == ("" if target is None else f"{100 * target:.0f} % (set by the client)")


def test_what_is_counted_in_full_has_no_interval():
    finding = Finding("a.b", "{value}", Estimate(0.25, 0.25, 0.25, 4, "share", 1, "counted"), "Share")
    assert finding_record(finding)["interval_text"] == "counted in full"


@pytest.mark.parametrize(
    ("column", "unit", "label"),
    [
        ("n", "count", "n"),
        ("recency_days", "days", "Recency, days"),
        ("gap", "days", "Gap, days"),
        ("revenue", "money", "Revenue, UAH"),
        ("share_of_revenue", "share", "Share of revenue"),
    ],
)
def test_a_heading_carries_its_unit(column, unit, label):
    assert column_label(column, unit, "UAH") == label


def test_cells_that_are_no_numbers():
    frame = pd.DataFrame(
        {
            "yes": [True, False],
            "name": ["a", None],
            "rate": [math.inf, -12.25],
            "month": pd.to_datetime(["2026-01-31", None]),
        }
    )
    rows = table_record(frame, caption="Odd cells")["rows"]
    assert rows == [["yes", "a", "–", "2026-01"], ["no", "–", "−12.2", "–"]]


def test_numbers_stay_with_their_units():
    assert tie("41 % (39–43 %, n = 2,310)") == "41\u00a0% (39–\u206043\u00a0%, n\u00a0=\u00a02,310)"
    assert tie("in 41 shops") == "in 41 shops"


def test_names_in_two_levels_are_no_table():
    frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
    with pytest.raises(UsageError, match="column names in several levels; give it one level"):
        table_record(frame, caption="Two levels")


def linked(address: object) -> dict:
    frame = pd.DataFrame({"text": ["Late", "Early"], "n": [1, 2], "pages": [address, ""]})
    return table_record(frame, caption="Linked", columns=["text", "n"], links={"text": "pages"})


def test_a_cell_ends_with_links_to_the_pages_behind_it_in_the_report_alone():
    record = linked('07_service#service.late.<b>" 04_lifetime_value')
    assert record["links"][0][1] == record["links"][1][0] == []
    html = str(part("table", record, True))
    assert 'See <a href="07_service.html#service.late.&lt;b&gt;&#34;">Service</a>, ' in html
    assert '<a href="04_lifetime_value.html">Lifetime value</a></span></th>' in html
    assert html.count("See ") == 1
    assert "href" not in str(part("table", record))  # no other page lies beside a notebook


@pytest.mark.parametrize("address", ["https://evil.example/", "../07_service#x", "javascript:alert(1)", None, 3.0, ""])
def test_what_is_no_page_of_the_report_is_no_link(address):
    assert linked(address)["links"][0] == [[], []]


def test_links_name_columns_that_are_there():
    with pytest.raises(UsageError, match=r"links name gone, which the table lacks"):
        table_record(pd.DataFrame({"a": ["1"]}), caption="A", links={"a": "gone"})


def test_parameters_are_told_in_words():
    given = (["order_value", "channel"], [], None, 90, [0.7, 0.2], True)
    assert [setting_text(value) for value in given] == ["order value, channel", "none", "none", "90", "0.7, 0.2", "yes"]


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("31 % against 7.9 %, {value} percentage points more ({interval}).", " percentage points"),
        ("A difference of {value} points ({interval}).", " points"),
        ("Lower than others: {value} points of 100 ({interval}).", " points of 100"),
        ("The index is {value} of 100 points ({interval}).", " of 100 points"),
        ("Employees give it 3.5 of 4, a difference of {value} ({interval}).", ""),  # of a scale of 4, as it says
    ],
)
def test_a_number_in_points_tells_which(claim, told):
    found = Finding("service.late.courier", claim, Estimate(22.7, 20.1, 25.3, 2732, "points", 0.95, "x"), label="Late")
    assert points_of(finding_record(found)) == told
    few = Finding("service.late.courier", claim, unknown("points", n=3), label="Late")
    assert points_of(finding_record(few)) == ""
