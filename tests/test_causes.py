"""What was looked for as a cause and not found, and what people think may be one: by hand."""

from dataclasses import replace

import hand_plan as hand
import pandas as pd
import pytest

from cxkit.causes import possible, refuted
from cxkit.delivery_promises import growth_causes

GROWS = "service.growing.delivery_delay"
CLAIM = "Contacts grew by {value}. Late orders do not explain it: their share changed by −16 % a year (−30 to +1.1 %)."
KNOWN = {GROWS: replace(hand.finding(GROWS, 1.7, 1, 3, unit="lift"), claim=CLAIM)}


@pytest.mark.parametrize(
    ("action", "speaks"),
    [
        ("Tell the customer of a late parcel before he asks", True),
        ("Keep the promised day", True),
        ("Попередити про запізнення", True),
        ("Read the messages about the delay", False),  # the reason's own name
        ("Read these messages first", False),
    ],
)
def test_an_action_on_a_refuted_cause(action, speaks):
    told = refuted(action, [GROWS], KNOWN)
    assert bool(told) == speaks
    assert not speaks or told == (
        "the audit does not find this cause: late orders do not explain it: their share changed by −16 % a year "
        "(−30 to +1.1 %)."
    )


def test_nothing_is_refuted_where_no_finding_says_so():
    assert refuted("Tell of a late parcel", ["service.late.courier"], KNOWN) == ""
    assert refuted("Tell of a late parcel", ["a.b"], {"a.b": hand.finding("a.b", 1, 0, 2)}) == ""
    assert refuted(None, [GROWS], KNOWN) == ""


def test_the_words_are_those_of_the_finding():
    """`refuted` looks for what `growth_causes` writes."""
    grown = pd.DataFrame([{"reason": "delivery_delay", "verdict": "grows", "low": 0.8, "high": 3.0, "value": 1.7}])
    courses = pd.DataFrame([{"name": "late orders", "value": -0.16, "low": -0.3, "high": 0.01}])
    after = pd.DataFrame({"what": [], "verdict": []}, dtype=str)
    (told,) = growth_causes(grown, courses, after)["told"]
    known = {GROWS: replace(KNOWN[GROWS], claim=f"It grew by {{value}}. {told}")}
    assert refuted("late", [GROWS], known).startswith("the audit does not find this cause: late orders do not explain")


LATE = {"item": "service.late.courier", "quadrant": "weakness", "certainty": "certain", "voices": "data",
        "evidence": "service.late.courier", "sphere": "logistics", "department": "logistics"}  # fmt: skip
SAID = {"item": "said.1", "quadrant": "weakness", "statement": "Couriers are told too late", "voices": "partner",
        "sphere": "logistics", "department": "logistics"}  # fmt: skip


def beside(other: dict, one: dict = LATE) -> dict:
    return possible(hand.items([one, SAID | other]))


def test_what_a_partner_says_of_the_same_stands_beside_it():
    assert beside({}) == {"service.late.courier": [("partner", "Couriers are told too late")]}


@pytest.mark.parametrize(
    "other",
    [
        {"statement": "Calls wake children"},  # nothing of couriers
        {"department": "site"},
        {"sphere": "site"},
        {"department": ""},
        {"quadrant": "threat"},
        {"certainty": "likely"},
    ],
)
def test_what_else_is_said_does_not(other):
    assert beside(other) == {}


def test_one_touchpoint_is_enough():
    at = {"evidence": "feedback.touchpoint.cart", "statement": "Buttons are small", "department": ""}
    one = LATE | {"item": "journey.touchpoint.cart", "evidence": "journey.touchpoint.cart"}
    assert list(beside(at, one)) == ["journey.touchpoint.cart"]


def test_peoples_words_on_the_datas_item_count():
    assert beside({"statement": "Windows are too short"}, LATE | {"said": "Time windows are not kept"})
