"""The page for the director: what is ranked before what, and that nothing is said that the tables do not hold."""

import inspect
import json

import numpy as np
import pandas as pd
import pytest

from cxkit import passed, short_answer, summary
from cxkit.estimates import Estimate
from cxkit.findings import FAMILIES, Finding


def finding(id: str, value: float, low: float, high: float, *, target: float | None = 0.0, better: bool = True):
    e = Estimate(value, low, high, 100, "points", 0.95, "by hand")
    return Finding(
        id, f"{id} is {{value}} ({{interval}}).", e, f"Label of {id}", target=target, higher_is_better=better
    )


ADVICE = finding("journey.touchpoint.advice", -50, -80, -20)
PAYMENT = finding("journey.touchpoint.payment_page", -40, -70, -10)
SAID_OF_ADVICE = finding("feedback.touchpoint.advice", -55, -70, -40)
BIKES = finding("search.missing.bikes", 1, 0.9, 1, target=0.5, better=False)
PUMPS = finding("search.missing.pumps", 1, 0.9, 1, target=0.5, better=False)
LOYAL = finding("loyalty.loyal_customers_change", 4, 2, 6)
REPEAT = finding("loyalty.repeat_rate", 0.36, 0.34, 0.38, target=0.40)
BIASED = finding("feedback.incentive_bias", 39, 30, 48, better=False)
OPEN = finding("loyalty.gini", 0.6, 0.5, 0.7, target=None)
ALL = [ADVICE, PAYMENT, LOYAL, REPEAT, SAID_OF_ADVICE, BIASED, BIKES, PUMPS, OPEN]

ITEM = ("item", "statement", "quadrant", "voices", "supporters", "evidence", "impact", "stake", "stake_share")
SWOT = pd.DataFrame(
    [
        ("loyalty.loyal_customers_change", "…", "strength", "data", 1, "loyalty.loyal_customers_change", 5.0, 9e6, 0.9),
        ("said.ab12", "Couriers ring and wake the babies", "weakness", "customer, partner", 2, "", 5.0, np.nan, np.nan),
        ("search.missing.bikes", "…", "opportunity", "data", 1, "search.missing.bikes", 3.0, 4e4, 0.01),
        ("search.missing.pumps", "…", "opportunity", "data", 1, "search.missing.pumps", 3.0, 3e4, 0.01),
        ("feedback.incentive_bias", "…", "weakness", "data", 1, "feedback.incentive_bias", 5.0, np.nan, np.nan),
        (
            "journey.touchpoint.advice",
            "…",
            "weakness",
            "data, customer",
            3,
            "journey.touchpoint.advice",
            4.0,
            2e5,
            0.05,
        ),
        (
            "journey.touchpoint.payment_page",
            "…",
            "weakness",
            "data",
            1,
            "journey.touchpoint.payment_page",
            4.0,
            8e5,
            0.2,
        ),
        ("loyalty.repeat_rate", "…", "weakness", "data, employee", 2, "loyalty.repeat_rate", 5.0, np.nan, np.nan),
        ("said.cd34", "A logo of 1998", "weakness", "employee", 1, "", 5.0, np.nan, np.nan),
    ],
    columns=ITEM,
).assign(
    certainty=["certain", "said", "certain", "certain", "certain", "certain", "certain", "likely", "said"],
    triage=["", "gradually", "now", "now", "now", "now", "now", "now", "drop"],
)


def test_certainty_goes_before_impact_impact_before_money_and_money_before_voices():
    matters = summary.what_matters(SWOT, ALL)
    assert list(matters["item"]) == [
        "journey.touchpoint.payment_page",  # certain, impact 4, more at stake, as the plan ranks it, by the data alone
        "journey.touchpoint.advice",  # certain, impact 4, less at stake, though the data and customers say so
        "search.missing.bikes",  # certain, impact 3; the pumps are told with it
        "loyalty.repeat_rate",  # impact 5, and only likely
        "said.ab12",
    ]
    assert matters["what"][2] == "Label of search.missing.bikes (and 1 more of this kind)"
    assert matters["what"][4] == "Couriers ring and wake the babies"
    assert matters["voices"][1] == "the data and customers"
    assert list(matters["sure"][[0, 3, 4]]) == ["certain", "likely", "said by people, not measured"]


def test_a_strength_matters_where_a_place_is_left_and_what_is_dropped_never():
    matters = summary.what_matters(SWOT, ALL, most=9)
    assert list(matters["item"][5:]) == ["loyalty.loyal_customers_change"]
    assert not set(matters["item"]) & {"said.cd34", "feedback.incentive_bias"}


def test_the_order_of_the_rows_changes_nothing():
    shuffled = SWOT.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(summary.what_matters(SWOT, ALL), summary.what_matters(shuffled, ALL))


def test_without_a_plan_each_area_has_its_turn():
    matters = summary.what_matters(None, ALL)
    # weaknesses before strengths, the first of each area before its second; feedback's advice is the journey's
    expected = ["journey.touchpoint.advice", "loyalty.repeat_rate", "search.missing.bikes"]
    assert list(matters["item"]) == [*expected, "journey.touchpoint.payment_page", "loyalty.loyal_customers_change"]
    assert matters["stake"].isna().all()


def test_one_table_says_what_matters_how_sure_what_it_touches_what_to_do_and_when():
    told = summary.shown(summary.what_matters(SWOT, ALL, ACTIONS), currency="UAH")
    assert list(told)[-3:] == ["how_sure", "touches", "due"]
    assert list(told["how_sure"][[1, 4]]) == [
        "certain: the data and customers",
        "said by people, not measured: customers and partners",
    ]
    assert told["told"][1] == "journey.touchpoint.advice is −50 (−80.0 to −20.0, n = 100)."
    assert told["told"][2].endswith("n = 100). And 1 more of this kind.")
    assert list(told["touches"][[0, 4]]) == ["revenue: 800,000 UAH (20 % of a year's)", "it cannot be said"]
    # of two actions about the payment page the one for now, though it stands second in the sheet
    assert list(told.loc[0, ["todo", "due"]]) == ["Rewrite the payment page", "now, 2026-10-01: Product owner (site)"]
    assert list(told.loc[4, ["todo", "due"]]) == ["Write, never ring", "now, 2026 Q3: nobody yet (logistics)"]
    assert list(told.loc[1, ["todo", "due"]]) == ["–", "not planned"]
    proposed = Finding(ADVICE.id, ADVICE.claim, ADVICE.estimate, ADVICE.label, target=0.0, action="Look at it.")
    alone = summary.what_matters(None, [proposed])
    assert list(alone.loc[0, ["todo", "when"]]) == ["Look at it.", "not planned"]
    empty = summary.shown(summary.what_matters(None, []), currency="UAH")
    assert list(empty) == list(told)
    assert not len(empty)


def test_of_a_touchpoint_the_visits_without_an_order_are_told_and_not_the_orders_that_came_through():
    how = "orders whose visit passed it; 2,705 of 6,748 such visits ended without an order and are not in it"
    items = SWOT[6:7].assign(at_stake=f"{how}; visits are known of 9 of the 12 months")
    told = summary.shown(summary.what_matters(items, ALL), currency="UAH")
    words = "2,705 of 6,748 visits of the 9 months seen ended without an order"
    assert list(told["touches"]) == list(told["lost"]) == [words]
    assert told["stake"][0] == 800_000  # stays in the table
    whole = summary.what_matters(items.assign(at_stake=how), ALL)
    assert whole["lost"][0] == "2,705 of 6,748 visits ended without an order"


def test_the_words_of_lost_visits_are_those_in_which_the_stakes_tell_them():
    written = inspect.getsource(passed)
    assert "} such visits ended without an order" in written
    assert "visits are known of {months} of the 12 months" in written


GAPS = pd.DataFrame(
    {
        "item": ["a.kept", "a.more", "a.same"],
        "gap": [1.58, 1.83, 0.1],
        "verdict": ["employees see more", "employees see more", "too early to say"],
    }
)
BESIDE = pd.DataFrame(
    {
        "item": ["a.more", "a.kept", "a.same"],
        "name": ["More than promised", "Reliability", "Same"],
        "customer": [1.67, 1.33, 2.0],
        "employee": [3.5, 2.92, 2.1],
        "finding": ["loyalty.repeat_rate", "journey.touchpoint.advice", "loyalty.repeat_rate"],
        "reading": ["disagree"] * 3,
        "why": [
            "employees score it high; the data show a weakness",
            "employees score it high, customers score it low; the data show a weakness",
            "employees score it high, customers score it low; the data show a weakness",
        ],
    }
)


def test_where_people_disagree_the_data_speak_in_one_sentence():
    assert summary.people_apart(GAPS, BESIDE, ALL) == [
        "People and data side by side: on “Reliability” employees give 2.92 of 4, customers 1.33; the data say: "
        "journey.touchpoint.advice is −50 (−80.0 to −20.0, n = 100)."
    ]
    two = summary.people_apart(GAPS, BESIDE, ALL, most=5)
    assert len(two) == 2  # “Same” is not told apart
    assert "More than promised" in two[1]
    assert summary.people_apart(None, BESIDE, ALL) == summary.people_apart(GAPS[:0], BESIDE, ALL) == []
    assert summary.people_apart(GAPS, BESIDE, []) == []  # what is withheld is not told here


def test_a_matter_where_the_map_marks_nothing_is_explained():
    gap = finding("feedback.gap.delivery", -0.6, -0.7, -0.4)
    matters = summary.what_matters(None, [gap, PAYMENT, REPEAT])
    where = pd.DataFrame({"touchpoint": ["delivery", "payment_page"], "stage": ["delivery", "payment"]})
    scores = {"csat": [4.16, 3.2], "nps": [np.nan, np.nan], "ces": [np.nan, np.nan]}
    journey = pd.DataFrame({"stage": ["delivery", "payment"], "name": ["Delivery", "Payment"], **scores})
    marks = pd.DataFrame({"stage": [None], "touchpoint": ["payment_page"]})
    assert summary.beside_map(matters, journey, where, marks) == [
        "The map marks nothing at Delivery, though “Label of feedback.gap.delivery” is among what matters most: the "
        "map holds each stage against the other stages (CSAT 4.16 there), the finding what customers experienced "
        "against what they had expected."
    ]
    marks = pd.DataFrame({"stage": ["delivery", "payment"], "touchpoint": [None, None]})
    assert summary.beside_map(matters, journey, where, marks) == []


def test_words_on_what_matters():
    told = summary.matters_in_words(summary.what_matters(SWOT, ALL), SWOT, ALL)
    assert told == [
        "Of the 5 that matter most, 3 are certain, 1 is likely and 1 is said by people, not measured.",
        "Behind “Couriers ring and wake the babies” stands no figure of the data.",
        "Judged a strength: Label of loyalty.loyal_customers_change (4, 2.00–6.00).",
    ]
    alone = summary.what_matters(SWOT[5:7], ALL)
    assert summary.matters_in_words(alone, SWOT, [])[0] == "All 2 that matter most are certain."
    one = summary.what_matters(SWOT[5:6], ALL)
    assert summary.matters_in_words(one, SWOT, [])[0] == "The one that matters is certain."
    empty = summary.what_matters(SWOT[:0], [])
    assert summary.matters_in_words(empty, SWOT[:0], []) == [
        "Nothing in these data is told apart from its reference: neither a weakness nor a strength."
    ]
    assert summary.matters_in_words(empty, SWOT[:0], [OPEN])[1].startswith("1 figures have no target")


ACTIONS = pd.DataFrame(
    {
        "action": ["Rewrite the payment page", "Write, never ring", "A new logo"],
        "owner": ["Product owner", None, "Marketing"],
        "items": ["journey.touchpoint.payment_page", "said.zz, said.ab12", None],
        "department": ["site", "logistics", "marketing"],
        "due": ["2026-10-01 00:00:00", None, "2027-03-01"],
        "quarter": ["2026 Q4", "2026 Q3", None],
        "measure": ["journey.touchpoint.payment_page", None, None],
        "detectable": ["42 points", "", None],
        "triage": ["now", "now", "drop"],
    }
)


def test_what_to_do_now_names_who_when_and_the_measure():
    now = summary.to_do_now(ACTIONS, ALL)
    assert list(now["who"]) == ["Product owner (site)", "nobody yet (logistics)"]
    assert list(now["due"]) == ["2026-10-01", "2026 Q3"]
    assert (
        now["measure"][0]
        == "Label of journey.touchpoint.payment_page; the next audit can tell a change of 42 points or more"
    )
    assert now["measure"][1] == "nothing yet: name a finding as its measure"
    assert len(summary.to_do_now(ACTIONS[:0], ALL)) == len(summary.to_do_now(None, ALL)) == 0


def test_what_stands_above_is_not_said_again():
    matters, to_do = summary.what_matters(SWOT, ALL, ACTIONS), summary.to_do_now(ACTIONS, ALL)
    counts = "2 for now: 1 have nobody, no budget is stated. Of 3 proposed the others are 0 gradually and 1 to drop."
    assert summary.to_do_in_words(ACTIONS, matters) == f"{counts} The 2 for now stand in the table above."
    assert not len(summary.to_do_beside(to_do, matters))
    two = summary.what_matters(SWOT, ALL, ACTIONS, most=2)  # the babies are no longer among what matters most
    assert summary.to_do_in_words(ACTIONS, two) == f"{counts} 1 of the 2 stands in the table above, the other here."
    assert list(summary.to_do_beside(to_do, two)["action"]) == ["Write, never ring"]
    beside = summary.to_do_beside(to_do, two)
    assert short_answer.beside_in_words(beside) == "Besides: Write, never ring (nobody yet (logistics); by 2026 Q3)."
    assert short_answer.beside_in_words(pd.concat([beside] * 5)).endswith("; 2 more stand below.")
    assert short_answer.beside_in_words(beside[:0]) == ""
    none = summary.what_matters(SWOT[:0], [])
    assert summary.to_do_in_words(ACTIONS, none) == counts
    effort = ACTIONS.assign(effort=[np.nan, np.nan, 4.0])
    assert summary.to_do_in_words(effort, none, budget=9e4).startswith("2 for now: 1 have nobody, 2 no stated effort. ")
    known = ACTIONS.assign(owner="Anna", effort=2.0)
    assert summary.to_do_in_words(known, none, budget=9e4).startswith("2 for now. Of 3")
    assert len(summary.to_do_beside(to_do, none)) == 2
    assert "not weighed" in summary.to_do_in_words(None, none)
    assert "is empty" in summary.to_do_in_words(ACTIONS[:0], none)


def test_the_lists_name_what_the_kit_has():
    assert set(summary.COMPARES) <= set(FAMILIES)
    assert "search.missing" in FAMILIES


def test_open_questions_are_those_of_the_run_and_of_all_pages_once(tmp_path):
    row = {"what": "a", "why": "b.", "ask_for": "c."}
    (tmp_path / "not_assessed").mkdir()
    for name in ("02_journey", "03_loyalty"):
        (tmp_path / "not_assessed" / f"{name}.json").write_text(json.dumps([row]), encoding="utf-8")
    assert summary.open_questions(tmp_path).to_dict("records") == [row]
    missing = {"notebook": "05_feedback", "what": "d", "why": "e.", "ask_for": "f."}
    (tmp_path / "run.json").write_text(json.dumps({"not_assessed": [missing]}), encoding="utf-8")
    assert list(summary.open_questions(tmp_path)["what"]) == ["d", "a"]


@pytest.mark.parametrize("items", [None, SWOT])
def test_nothing_is_changed_in_place(items):
    before = None if items is None else items.copy(deep=True)
    summary.what_matters(items, ALL)
    if items is not None:
        pd.testing.assert_frame_equal(items, before)
