"""The SWOT as a reader meets it: who says it, what stands behind it, how much it matters."""

import hand_plan as hand
import pandas as pd
import pytest

from cxkit.swot_table import faults_readable, filled, headed, in_words, not_weighed, people, readable

FINDINGS = [hand.finding("loyalty.gini", 0.3, 0.2, 0.4)]


def only(**row) -> pd.Series:
    return readable(hand.items([{"item": "i", "quadrant": "weakness"} | row]), FINDINGS, currency="UAH").iloc[0]


@pytest.mark.parametrize(
    ("row", "behind"),
    [
        ({"voices": "data", "certainty": "certain", "evidence": "loyalty.gini"}, "The data (certain)"),
        ({"voices": "customer, partner, employee", "certainty": "certain", "by_voice": "customer 1"},
         "The scores of customers, partners and employees (certain), one customer"),
        ({"voices": "data, customer", "certainty": "likely", "by_voice": "data 2, customer 3", "quotes": "It failed."},
         "The data (likely, not certain), 3 customers. “It failed.”"),
        ({}, "One employee. No number and no quote stands behind it"),
        ({"evidence": "loyalty.gini"}, "One employee. Number: Label of loyalty.gini"),
        ({"evidence": "loyalty.gone"}, "One employee. No number and no quote stands behind it"),
        ({"refuted": "loyalty.gini"},
         "One employee. The number that they name says the opposite: Label of loyalty.gini"),
        ({"voices": "", "sources": "the law"}, "From outside: the law"),
        ({"voices": ""}, "Nobody is named. No number and no quote stands behind it"),
    ],
)  # fmt: skip
def test_who_says_it_and_what_stands_behind_it(row, behind):
    assert only(**row)["behind"] == behind


def test_scores_are_no_figures_and_what_is_outside_is_not_people():
    rows = [{"item": "a", "quadrant": "strength", "certainty": "certain", "voices": "data, customer"},
            {"item": "b", "quadrant": "strength", "certainty": "certain", "voices": "customer, employee"},
            {"item": "c", "quadrant": "threat"}, {"item": "d", "quadrant": "threat", "voices": ""},
            {"item": "e", "quadrant": "threat", "voices": ""}]  # fmt: skip
    told = "figures are certain of 1, scores of 1; 1 are known from people alone, 2 from outside, and 2 from more"
    assert told in in_words(hand.items(rows))


def test_what_people_say_of_the_same_may_be_its_cause():
    place = {"quadrant": "weakness", "sphere": "logistics", "department": "logistics"}
    rows = [{"item": "service.late.courier", "voices": "data", "certainty": "certain"} | place,
            {"item": "said.1", "voices": "partner", "statement": "Couriers are told too late."} | place]  # fmt: skip
    told = readable(hand.items(rows), FINDINGS, currency="UAH")["behind"][0]
    assert told == "The data (certain). A possible cause, said by a partner: “Couriers are told too late”"


@pytest.mark.parametrize(
    ("row", "weight"),
    [
        ({"impact": 4.0}, "4 of 5, as stated"),
        ({"impact_from": "not weighed"}, "3 of 5, not weighed: no number stands behind it"),
        ({"impact_from": "of the fault", "at_stake": "late orders", "stake": 1200.0, "stake_share": 0.12},
         "3 of 5; revenue it touches: 1,200 UAH, 12 % of a year's revenue (late orders)"),
        ({"quadrant": "opportunity", "impact_from": "of the fault", "at_stake": "late orders", "stake": 10.0,
          "stake_share": 0.001},
         "3 of 5; might bring 10 UAH, 0.1 % of a year's revenue (late orders)"),
        ({"quadrant": "strength"}, "to be kept"),
    ],
)  # fmt: skip
def test_how_much_it_matters(row, weight):
    assert only(**row)["weight"] == weight


def test_what_nobody_weighed_is_counted():
    rows = [{"item": q, "quadrant": q, "impact_from": "not weighed"} for q in ("strength", "threat", "weakness")]
    rows += [{"item": "o", "quadrant": "opportunity"}]
    told = "how much 2 of 3 weaknesses, opportunities and threats matter"
    assert not_weighed(hand.items(rows)) == told
    assert not_weighed(hand.items(rows[3:])) == ""


def test_a_heading_says_how_many_are_not_shown():
    groups = pd.Series(["a"] * 11 + ["b"] * 2)
    assert headed(groups, {"a": "A", "b": "B"}).unique().tolist() == ["A (11); the first 10 are shown", "B (2)"]
    assert only()["heading"] == "Weaknesses: what to mend (1)"


def test_in_words():
    rows = [{"item": "a", "quadrant": "strength", "certainty": "certain", "voices": "data"},
            {"item": "b", "quadrant": "threat", "voices": "customer, partner"}]  # fmt: skip
    assert in_words(hand.items(rows)) == (
        "2 items (strengths 1, weaknesses 0, opportunities 0, threats 1): figures are certain of 1; 1 are known from "
        "people alone, and 1 from more than one voice."
    )
    assert in_words(hand.items(rows)[:0]).startswith("Neither the data nor anybody names")


def test_what_people_say_of_what_the_data_know():
    items = hand.items([{"item": "d", "quadrant": "weakness", "certainty": "likely", "statement": "It is late."},
                        {"item": "s", "quadrant": "weakness"}])  # fmt: skip
    said = [("d", f"w{n % 6}", "customer", "") for n in range(7)] + [("s", "x", "partner", "talk")]
    rows = pd.DataFrame(said, columns=["item", "statement", "voice", "source"])
    found = people(items, rows)
    assert found["statement"].tolist() == ["It is late."]
    assert found["said"][0] == "; ".join(f"“w{n}” (customer)" for n in range(5)) + "; and 1 more"
    assert not len(people(items, rows[rows["item"] == "s"]))


def test_faults_on_two_columns():
    row = {"what": "a voice is missing", "where": "partner", "why": "Nobody.", "mend": "Ask."}
    lacks = pd.DataFrame([row])
    told = faults_readable(lacks).iloc[0]
    assert (told["lack"], told["then"]) == ("A voice is missing: partner", "Nobody. Ask.")
    assert told["about"] == "Who was not heard"
    assert not len(faults_readable(lacks[:0]))


def test_what_is_lacking_for_one_reason_is_one_row_and_the_items_come_first():
    rows = [("an action without a measure", "actions: a", "Nothing.", "Name it."),
            ("an action without a measure", "actions: b", "Nothing.", "Name it."),
            ("an item without evidence", "weakness: x", "None.", "Name it."),
            ("an item without evidence", "weakness: y", "The opposite.", "Name it.")]  # fmt: skip
    told = faults_readable(pd.DataFrame(rows, columns=["what", "where", "why", "mend"]))
    assert told["lack"].tolist() == [
        "An item without evidence: weakness: x",
        "An item without evidence: weakness: y",
        "An action without a measure (2): actions: a; actions: b",
    ]
    assert told["about"].tolist() == ["What the items lack"] * 2 + ["What the plan lacks"]


def test_which_sheets_are_filled_in():
    assert filled({"swot": pd.DataFrame({"a": [1]}), "context": pd.DataFrame({"a": []})}) == ["swot"]
