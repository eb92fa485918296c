"""Which action waits for which: by words, items and statements; unknown names and circles are told."""

import hand_plan as hand
import pandas as pd
import pytest

from cxkit.dependence import waits

ITEMS = hand.items(
    [
        {"item": "journey.touchpoint.cart", "quadrant": "weakness", "statement": "The cart fails."},
        {"item": "said.1", "quadrant": "weakness", "statement": "Дзвінки будять дітей"},
        {"item": "loyalty.gini", "quadrant": "weakness", "statement": "Nobody acts on it"},
    ]
)
ROWS = pd.DataFrame({"statement": ["Their own words"], "item": ["said.1"]})


def waited(*afters: object) -> pd.DataFrame:
    """Actions `Do 0`, `Do 1` …, the first on the cart, the second on said.1, the others on nothing."""
    names = [f"Do {n}" for n in range(len(afters))]
    its = ["journey.touchpoint.cart", "said.1", *[""] * len(afters)][: len(afters)]
    return waits(pd.DataFrame({"action": names, "items": its, "after": list(afters)}, dtype=object), ITEMS, ROWS)


@pytest.mark.parametrize(
    ("after", "places"),
    [
        ("do  0.", (0,)),
        ("Do 0; Do 1", (0, 1)),
        ("the cart fails", (0,)),
        ("journey.touchpoint.cart", (0,)),
        ("said.1", (1,)),
        ("Their own words", (1,)),
        ("Дзвінки будять дітей;Do 0;", (0, 1)),
        (None, ()),
        (float("nan"), ()),
        (" ", ()),
    ],
)
def test_what_goes_before(after, places):
    found = waited(None, None, after)
    assert found["waits"].tolist() == [(), (), places]
    assert found["after_fault"].tolist() == [""] * 3


def test_an_action_may_hold_a_semicolon():
    frame = pd.DataFrame({"action": ["Mend; test", "b"], "items": ["", ""], "after": [None, "mend; test"]})
    assert waits(frame, ITEMS, ROWS)["waits"].tolist() == [(), (0,)]


def test_its_own_item_means_the_others_on_it():
    frame = pd.DataFrame({"action": ["a", "b"], "items": ["said.1", "said.1"], "after": [None, "said.1"]})
    assert waits(frame, ITEMS, ROWS)["waits"].tolist() == [(), (0,)]


def test_an_unknown_name_is_told_with_what_is_near():
    found = waited("Do 11", "loyalty.gini", "Rebrand; Do 0")
    assert found["after_fault"].tolist() == [
        "after 'Do 11' is neither an action nor a statement of this audit, did you mean 'Do 1'?",
        "after 'loyalty.gini': no action is for it, so there is nothing to wait for",
        "after 'Rebrand' is neither an action nor a statement of this audit",
    ]
    assert found["waits"].tolist() == [(), (), (0,)]


def test_a_circle_is_named_and_waits_for_nothing():
    found = waited("Do 2", "Do 0", "Do 1", "Do 0", "Do 4")
    assert found["waits"].tolist() == [(), (), (), (0,), ()]  # who stands outside the circle still waits
    round_ = "waits in a circle: “Do 0”, then “Do 1”, then “Do 2”, then “Do 0”. None of them can begin"
    assert found["after_fault"].tolist()[:4] == [round_] * 3 + [""]
    assert found["after_fault"][4] == "waits in a circle: “Do 4”, then “Do 4”. None of them can begin"


def test_nothing_of_nothing():
    assert not len(waited())
