"""How far the company is as a whole, by hand."""

import numpy as np
import pandas as pd
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


def both(rows=TOLD):
    scores = maturity.scores(rows, ITEMS)
    return ls.list_scores(scores, ITEMS), ls.same_items(scores, ITEMS)


def test_it_is_said_in_a_sentence():
    told = ls.overall_sentences(*both())
    assert told[0].startswith("Of 0 (not at all) to 4 (fully) the mean score is: customers 2.50 (")
    assert "2 items), employees 2.33 (" in told[0]
    assert "partners" not in told[0], "two answers are withheld"
    assert len(told) == 1, "customers and employees scored nothing in common"


def test_employees_and_customers_are_held_together_on_the_same_items():
    more = pd.concat([TOLD, answers([("a.one", "employee", [3, 3, 3, 4, 3, 3])])])
    frame = both(more)[1]
    assert frame[["part", "items"]].to_records(index=False).tolist() == [("all items", 1), ("A", 1)]
    row = frame.iloc[0]
    assert row[["employee", "customer", "gap"]].tolist() == pytest.approx([19 / 6, 1.4, 19 / 6 - 1.4])
    # variances 0.3 of five and, the mean of employees' 1/6 and 4/15, 0.217 of six; the freedom is that of five people
    assert row["high"] - row["gap"] == pytest.approx(2.7764 * np.sqrt(0.3 / 5 + 0.21667 / 6), abs=1e-3)
    told = ls.overall_sentences(*both(more))[1]
    assert told.startswith(
        "On the 1 item that employees and customers both scored they differ as a whole: employees 3.17, customers 1.40 "
        "(difference +1.77, "
    )
    assert ls.side_by_side(*both(more))["same"].tolist()[2:] == ["–", "–"]
    assert ls.side_by_side(*both(more))["same"][1].endswith("; 1 item)")


def test_nothing_is_told_of_nothing():
    frame, same = both(TOLD[:0])
    assert len(frame) == len(same) == 0
    assert "cannot be told" in ls.overall_sentences(frame, same)[0]
    assert not len(ls.side_by_side(frame, same))


def test_the_voices_stand_side_by_side():
    frame = ls.side_by_side(*both())
    assert frame[["about", "part"]].to_records(index=False).tolist() == [
        (ls.CHECKLISTS, "all items"), (ls.CHECKLISTS, "A"), (ls.ELEMENTS, "Site and app"), (ls.ELEMENTS, "Support"),
    ]  # fmt: skip
    # 1.4 with the variance 0.3 of five: half of the interval is 0.68
    told = ["customer", "partner", "employee", "same"]
    assert frame.loc[1, told].tolist() == ["1.4 (0.7–2.1; 1 item)", "–", "–", "–"]
    assert frame.loc[0, "customer"].endswith("; 2 items)"), "groups scored different items: the table says how many"
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
    # both have the mean variance of the three items, 0.167: half of the interval is 0.51, and of the third's own 0.68
    shown = frame[["item", "name", "done", "standardised", "measurable", "people", "n"]]
    assert shown.to_dict("records") == [
        {"item": "s.one", "name": "one", "done": "2.8 (2.2–3.4)", "standardised": "2.0 (1.5–2.5)",
         "measurable": "0.6 (0.0–1.3)", "people": 5, "n": 15}
    ]  # step two has two answers, which are withheld  # fmt: skip
    assert frame.loc[0, ["done_mean", "measurable_mean"]].tolist() == pytest.approx([2.8, 0.6])
    nobody = maturity.scores(QUALITIES[:0], STEPS)
    assert not len(ls.qualities(nobody, STEPS))
    assert ls.qualities_sentences(ls.qualities_apart(nobody, STEPS)) == [ls.NO_QUALITIES]


def test_which_quality_differs_is_said_with_its_interval():
    one = STEPS[~STEPS["item"].str.startswith("s.two")]
    apart = ls.qualities_apart(maturity.scores(QUALITIES, one), one)
    assert apart[["quality", "people"]].to_records(index=False).tolist() == [("standardised", 5), ("measurable", 5)]
    assert apart["apart"].tolist() == pytest.approx([1.4, -1.4])
    # errors add up as if the same people erred on both: 0.183 and 0.245; 2.5 % of four degrees and Holm's half
    from scipy.stats import t

    half = t.ppf(1 - 0.05 / 4, 4) * (np.sqrt(1 / 6 / 5) + np.sqrt(0.3 / 5))
    assert apart["high"][0] == pytest.approx(1.4 + half, abs=1e-3)
    assert ls.qualities_sentences(apart) == [
        "The steps of the service are, as employees score them from 0 to 4: standardised 2 (1.49–2.51), measurable 0.60"
        " (0.00–1.28).",
        "Whether one quality is scored below or above the others is too early to say: standardised, the furthest "
        f"from the others, by +1.40 (−{half - 1.4:.2f} to {1.4 + half:.2f}).",
    ]
    wide = answers([("s.one.standardised", "employee", [4] * 9), ("s.one.measurable", "employee", [1] * 9)])
    told = ls.qualities_sentences(ls.qualities_apart(maturity.scores(wide, one), one))[1]
    assert told.startswith("Told apart from the other qualities: standardised above the others, by +3 (")
    assert "; measurable below the others, by −3 (" in told
    # of step two standardised is not asked, and measurable only by two: it is left out, not held against step one
    assert ls.qualities_apart(maturity.scores(QUALITIES, STEPS), STEPS).equals(apart)


def test_which_items_of_a_list_are_told_apart():
    scores = maturity.scores(TOLD, ITEMS)
    met = ls.item_scores(scores, ITEMS, lists=("elements",))
    standing = maturity.standing(scores)
    assert ls.met_sentence(met, standing.assign(verdict=maturity.EARLY)) == (
        "None of these 2 items is told apart from the client's other items."
    )
    sure = standing.assign(verdict=standing["item"].map({"elements.two": "strength"}).fillna("weakness"))
    told = ls.met_sentence(met, sure)
    assert told == "Of these 2 items, told apart from the client's other items: “two” above them."


def test_the_demo_has_all_parts():
    known = read_checklists()
    scores = maturity.scores(workshop.read_sheet(DEMO, "checklist"), known)
    assert (ls.qualities(scores, known) != "–").all(axis=None)
    assert len(ls.qualities_apart(scores, known)) == 3
    frame = ls.side_by_side(ls.list_scores(scores, known), ls.same_items(scores, known))
    assert (frame["about"] == ls.ELEMENTS).sum() == 5
    assert (frame["employee"] != "–").all()
    assert len(ls.item_scores(scores, known, lists=("touchpoints", "stage_3", "stage_4"))) == 8 + 6 + 4
