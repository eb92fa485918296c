"""How far the company is as a whole, by hand."""

import numpy as np
import pytest
from demo_raw import DEMO
from hand_answers_to_items import answers, items

from cxkit import list_scores as ls
from cxkit import maturity, workshop
from cxkit.checklists import read_checklists

ITEMS = items("a.one", "elements.two", "elements.three", sphere={"elements.three": "support"})
TOLD = answers(
    [("a.one", "customer", [1, 2, 1, 2, 1]), ("elements.two", "customer", [3, 3, 4, 4, 4]),
     ("elements.three", "employee", [2, 2, 2, 3, 3, 2]), ("a.one", "partner", [4, 4])]
)  # fmt: skip


def test_means_by_hand_with_the_widest_error():
    frame = ls.list_scores(maturity.scores(TOLD, ITEMS), ITEMS)
    assert frame[["part", "voice", "items", "n"]].to_records(index=False).tolist() == [
        ("all items", "customer", 2, 10), ("all items", "employee", 1, 6), ("A", "customer", 1, 5),
        ("Elements: site", "customer", 1, 5), ("Elements: support", "employee", 1, 6),
    ]  # fmt: skip
    both = frame.iloc[0]
    assert both["mean"] == pytest.approx((1.4 + 3.6) / 2)
    # both items have the variance 0.3: were all answers of the same five people, the error would stay that of one item
    assert both["high"] - both["mean"] == pytest.approx(2.7764 * np.sqrt(0.3 / 5), abs=1e-3)


def test_it_is_said_in_a_sentence():
    told = ls.overall_sentence(ls.list_scores(maturity.scores(TOLD, ITEMS), ITEMS))
    assert told.startswith("Of 0 (not at all) to 4 (fully) the mean score is: customers 2.50 (")
    assert "2 items), employees 2.33 (" in told
    assert "partners" not in told, "two answers are withheld"


def test_nothing_is_told_of_nothing():
    frame = ls.list_scores(maturity.scores(TOLD[:0], ITEMS), ITEMS)
    assert len(frame) == 0
    assert "cannot be told" in ls.overall_sentence(frame)
    assert not len(ls.side_by_side(frame))


def test_the_voices_stand_side_by_side():
    frame = ls.side_by_side(ls.list_scores(maturity.scores(TOLD, ITEMS), ITEMS))
    assert frame[["about", "part"]].to_records(index=False).tolist() == [
        (ls.CHECKLISTS, "all items"), (ls.CHECKLISTS, "A"), (ls.ELEMENTS, "site"), (ls.ELEMENTS, "support"),
    ]  # fmt: skip
    # 1.4 with the variance 0.3 of five: half of the interval is 0.68
    assert frame.loc[1, ["customer", "partner", "employee"]].tolist() == ["1.4 (0.7–2.1)", "–", "–"]
    assert frame.loc[1, ["customer_mean", "customer_low"]].tolist() == pytest.approx([1.4, 0.72], abs=1e-3)
    assert np.isnan(frame.loc[1, "employee_mean"])


def test_the_items_of_a_list_side_by_side():
    frame = ls.item_scores(maturity.scores(TOLD, ITEMS), ITEMS, lists=("elements",))
    assert frame["item"].tolist() == ["elements.two", "elements.three"]
    assert list(frame.columns[:7]) == ["list_name", "item", "name", "customer", "partner", "employee", "customer_mean"]
    assert frame["employee"].tolist()[0] == "–"
    assert not len(ls.item_scores(maturity.scores(TOLD, ITEMS), ITEMS, lists=("b",)))


OF = {"s.one.standardised": "s.one", "s.one.measurable": "s.one", "s.two.measurable": "s.two"}
STEPS = items("s.one", "s.one.standardised", "s.one.measurable", "s.two", "s.two.measurable", part_of=OF)
QUALITIES = answers(
    [("s.one", "employee", [3, 3, 2, 3, 3]), ("s.one.standardised", "employee", [2, 2, 2, 2, 2]),
     ("s.one.measurable", "employee", [1, 0, 1, 0, 1]), ("s.one.measurable", "customer", [4, 4, 4, 4, 4]),
     ("s.two.measurable", "employee", [4, 4])]
)  # fmt: skip


def test_three_qualities_of_each_step_as_employees_see_them():
    scores = maturity.scores(QUALITIES, STEPS)
    frame = ls.qualities(scores, STEPS)
    assert frame.to_dict("records") == [
        {"item": "s.one", "name": "one", "done": 2.8, "standardised": 2.0, "measurable": 0.6, "n": 15}
    ]  # step two has two answers, which are withheld
    told = ls.qualities_sentence(scores, STEPS)
    # both have the mean variance of the three items, 0.167: half of the interval is 0.51, and of the second's own 0.68
    assert told == (
        "The steps of the service are, as employees score them from 0 to 4: standardised 2 (1.49–2.51), measurable 0.60"
        " (0.00–1.28)."
    )
    nobody = maturity.scores(QUALITIES[:0], STEPS)
    assert ls.qualities_sentence(nobody, STEPS) == ""
    assert not len(ls.qualities(nobody, STEPS))


def test_the_demo_has_all_parts():
    known = read_checklists()
    scores = maturity.scores(workshop.read_sheet(DEMO, "checklist"), known)
    assert ls.qualities(scores, known).notna().all(axis=None)
    frame = ls.side_by_side(ls.list_scores(scores, known))
    assert (frame["about"] == ls.ELEMENTS).sum() == 5
    assert (frame["employee"] != "–").all()
    assert len(ls.item_scores(scores, known, lists=("touchpoints", "stage_3", "stage_4"))) == 8 + 6 + 4
