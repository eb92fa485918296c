"""How far the company is by the checklists: scores, gaps, standing and agreement, by hand."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from demo_raw import DEMO
from hand_answers_to_items import answers, items

from cxkit import maturity as m
from cxkit import workshop
from cxkit.checklists import read_checklists

matplotlib.use("Agg")
ITEMS = items("a.one", "a.two", "b.three")
SPLIT = answers(
    [
        ("a.one", "customer", [1, 1, 2, 0, 1]), ("a.one", "employee", [4, 3, 4, 3, 4, 4]),
        ("a.two", "customer", [2, 3, 2, 3, 2]), ("a.two", "employee", [2, 3, 2, 3, 2, 3]),
        ("b.three", "customer", [2, 3, 3, 3, 2]), ("b.three", "employee", [3, 2, 2, 3, 3, 2]),
    ]
)  # fmt: skip


def row(frame, **where):
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_scores_by_hand():
    frame = m.scores(SPLIT, ITEMS)
    assert list(frame["item"]) == ["a.one"] * 3 + ["a.two"] * 3 + ["b.three"] * 3
    one = row(frame, item="a.one", voice="customer")
    assert (one["n"], one["mean"]) == (5, 1)
    # the variance of 1, 1, 2, 0, 1 is a half; t of 4 degrees is 2.776
    half = 2.7764 * np.sqrt(0.5 / 5)
    assert (one["low"], one["high"]) == pytest.approx((1 - half, 1 + half), abs=1e-3)
    silent = row(frame, item="a.one", voice="partner")
    assert silent["n"] == 0
    assert np.isnan(silent["mean"])
    assert not silent["withheld"]


def test_people_who_all_say_the_same_are_not_certain():
    one = row(m.scores(answers([("a.one", "customer", [4] * 5)]), ITEMS), item="a.one", voice="customer")
    half = 2.7764 * np.sqrt(1 / 12 / 5)
    assert (one["mean"], one["low"], one["high"]) == pytest.approx((4, 4 - half, 4), abs=1e-3)


def test_under_five_answers_nothing_is_told():
    told = answers([("a.one", "customer", [4, 4, 4, 4]), ("a.one", "employee", [1, 1, 2, 2, 1])])
    frame = m.scores(told, ITEMS)
    few = row(frame, item="a.one", voice="customer")
    assert few["withheld"]
    assert few[["n", "mean", "low", "high", "sd", "error"]].isna().all()
    table = row(m.item_table(frame, ITEMS), item="a.one")
    assert np.isnan(table["customer"])
    assert (table["n"], table["employee"], table["gap_verdict"]) == (5, 1.4, m.NOT_COMPARED)
    alone = m.item_table(m.scores(told[:4], ITEMS), ITEMS)
    assert list(alone["verdict"]) == [m.WITHHELD, m.UNANSWERED, m.UNANSWERED]
    assert alone["n"].sum() == 0


def test_a_gap_by_hand():
    frame = m.gaps(m.scores(SPLIT, ITEMS))
    assert list(frame["item"]) == ["a.one", "a.two", "b.three"]
    one = frame.iloc[0]
    assert (one["employee"], one["customer"], one["n"]) == (pytest.approx(22 / 6), 1, 11)
    # the employees' own variance, 0.267, lies below the mean over their items, which counts then
    squares = np.array([(0.2666667 + 0.3 + 0.3) / 3 / 6, 0.5 / 5])
    freedom = squares.sum() ** 2 / (squares**2 / [5, 4]).sum()
    from scipy.stats import t

    # the smallest of three p-values: 1 - 0.05 / 3
    half = t.ppf(1 - 0.05 / 6, freedom) * np.sqrt(squares.sum())
    assert (one["low"], one["high"]) == pytest.approx((one["gap"] - half, one["gap"] + half), abs=1e-4)
    assert list(frame["verdict"]) == [m.STAFF_MORE, m.EARLY, m.EARLY]
    (found,) = m.gap_findings(frame, ITEMS)
    assert (found.id, found.quadrant()) == ("maturity.gap.a_one", "weakness")
    assert found.sentence() == (
        "“one” (A): employees give it 3.7 of 4, customers 1.0, a difference of 2.67 (1.48–3.85, n = 11)."
    )
    assert found.label == "“one” as employees see it, beside customers"


def test_customers_who_see_more_are_a_strength():
    turned = SPLIT.assign(voice=SPLIT["voice"].map({"customer": "employee", "employee": "customer"}))
    frame = m.gaps(m.scores(turned, ITEMS))
    assert frame["verdict"].iloc[-1] == m.CUSTOMERS_MORE
    (found,) = m.gap_findings(frame, ITEMS)
    assert found.quadrant() == "strength"


def test_standing_compares_each_voice_with_itself():
    """A strict voice that scored one item more often than the others lowers nothing."""
    told = answers(
        [
            ("a.one", "customer", [1, 1, 2, 1, 1]), ("a.one", "employee", [3, 3, 4, 3, 3]),
            ("a.two", "customer", [1, 2, 1, 1, 1] * 4), ("a.two", "employee", [3, 3, 3, 4, 3]),
            ("b.three", "employee", [0, 0, 1, 0, 0]),
        ]
    )  # fmt: skip
    frame = m.standing(m.scores(told, ITEMS)).set_index("item")
    # one: customers 1.2 - 1.2, employees 3.2 - (3.2 + 0.2) / 2
    assert frame["value"].to_dict() == pytest.approx({"b.three": -3.0, "a.one": 0.75, "a.two": 0.75})
    assert frame["voices"].to_dict()["b.three"] == "employees"
    assert frame.loc["b.three", "verdict"] == "weakness"
    (low,) = m.item_findings(m.standing(m.scores(told, ITEMS))[:1], ITEMS)
    assert (low.id, low.quadrant(), low.action) == (
        "maturity.item.b_three",
        "weakness",
        "Look at what there is: a look.",
    )
    (low, *_) = m.item_findings(m.standing(m.scores(told, ITEMS)), ITEMS)
    assert low.sentence().startswith(
        "“three” (B) is the least done of 3 items: employees give it 0.2 of 4, the others 3.2, a difference of −3 ("
    )
    second = frame.assign(verdict="weakness", value=-1.0).reset_index()
    told = [found.sentence() for found in m.item_findings(second, ITEMS)]
    assert "“one” (A) is among the least done of 3 items: customers and employees give it 2.2 of 4, the" in told[1]


def test_all_scores_equal_tells_nothing_apart():
    frame = m.scores(SPLIT.assign(score=2.0), ITEMS)
    assert set(m.gaps(frame)["verdict"]) == set(m.standing(frame)["verdict"]) == {m.EARLY}
    assert m.item_findings(m.standing(frame), ITEMS) == m.gap_findings(m.gaps(frame), ITEMS) == []
    assert (m.agreement(frame)["agreement"] == 1).all()


def test_agreement_by_hand():
    frame = m.agreement(m.scores(SPLIT, ITEMS)).set_index("item")
    assert (frame.loc["a.one", "highest"], frame.loc["a.one", "lowest"]) == ("employee", "customer")
    # r_WG: 1 - variance / 2 of each voice
    assert frame.loc["a.one", "agreement"] == pytest.approx(1 - (0.5 + 0.2666667) / 2 / 2)
    assert frame["spread"].iloc[0] == frame["spread"].max()


@pytest.mark.parametrize("told", [SPLIT[:0], SPLIT[SPLIT["voice"] == "employee"], SPLIT.groupby("item").head(3)])
def test_an_empty_sheet_one_voice_and_three_people_are_told(told):
    scores = m.scores(told, ITEMS)
    gaps, standing = m.gaps(scores), m.standing(scores)
    assert not len(gaps)
    said = " ".join(m.sentences(gaps, standing, ITEMS))
    assert "too early to say" in said or "cannot be compared" in said
    ax = m.plot_items(scores, ITEMS)
    assert m.describe_items(scores, ITEMS)
    matplotlib.pyplot.close(ax.figure)


def test_the_picture_has_the_widest_gaps_when_not_all_fit():
    scores = m.scores(SPLIT, ITEMS)
    assert m.shown_items(scores) == ["a.one", "a.two", "b.three"]
    assert m.shown_items(scores, most=1) == ["a.one"]
    ax = m.plot_items(scores, ITEMS)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["one", "two", "three"]
    assert {"+2.67", "gap"} <= {t.get_text() for t in ax.texts}
    assert (
        "Employees see more than customers: “one”, employees 3.7 of 4, customers 1.0 (difference +2.67, 1.48–3.85)"
        in m.describe_items(scores, ITEMS)
    )
    matplotlib.pyplot.close(ax.figure)


def test_no_function_changes_what_it_is_given():
    scores = m.scores(SPLIT, ITEMS)
    before, told = scores.copy(), SPLIT.copy()
    m.gaps(scores), m.standing(scores), m.agreement(scores), m.item_table(scores, ITEMS), m.shown_items(scores)
    pd.testing.assert_frame_equal(scores, before)
    pd.testing.assert_frame_equal(SPLIT, told)


def test_the_order_of_the_sheet_changes_not_one_bit():
    sheet, known = workshop.read_sheet(DEMO, "checklist"), read_checklists()
    for seed in range(5):
        mixed = sheet.sample(frac=1, random_state=seed)
        for judge in (lambda told: told, m.gaps, m.standing, m.agreement):
            one, other = judge(m.scores(sheet, known)), judge(m.scores(mixed, known))
            pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_the_demo_shows_what_was_planted():
    """Promises exceeded and kept: employees score them well above customers; and nothing else."""
    known = read_checklists()
    scores = m.scores(workshop.read_sheet(DEMO, "checklist"), known)
    gaps = m.gaps(scores)
    wide = gaps.loc[gaps["verdict"] != m.EARLY, "item"]
    assert list(wide) == ["trust.07_exceed_expectations", "trust.16_be_reliable"]
    stand = m.standing(scores)
    low = stand.loc[stand["verdict"] == "weakness", "item"]
    assert set(low) == {"omnichannel.8_back_in_stock", "omnichannel.4_same_day", "trust.19_foresee_problems"}
    table = m.item_table(scores, known).set_index("item")
    assert table.loc["trust.16_be_reliable", "finding"] == "maturity.gap.trust_16_be_reliable"
    assert list(table.columns[:9]) == [
        "list",
        "text",
        "origin",
        "customer",
        "partner",
        "employee",
        "n",
        "gap",
        "verdict",
    ]


def test_where_nothing_differs_little_is_told_apart():
    """Everybody scores everything alike: of 100 workshops hardly one in twenty tells anything apart."""
    rng = np.random.default_rng(5)
    known = items(*[f"a.item_{i}" for i in range(8)])
    wrong = {"gaps": 0, "standing": 0}
    for _ in range(100):
        rows = []
        for item in known["item"]:
            for voice, people in (("customer", 9), ("partner", 5), ("employee", 12)):
                rows.append((item, voice, np.clip(np.rint(2.4 + 0.8 * rng.standard_normal(people)), 0, 4)))
        scores = m.scores(answers(rows), known)
        for judge in wrong:
            wrong[judge] += bool((getattr(m, judge)(scores)["verdict"] != m.EARLY).any())
    assert max(wrong.values()) <= 11, wrong
