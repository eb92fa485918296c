"""Gaps between what was expected and what was experienced, and the index of satisfaction, by hand."""

import matplotlib
import numpy as np
import pytest
from hand_answers import SCALES, surveys

from cxkit import expectations as ex


def pair(item: str, expected: float | None, experienced: float | None, who: str | None, survey: str | None = "w1"):
    both = (("expectation", expected), ("csi_item", experienced))
    known = {"item": item, "customer_id": who, "survey_id": survey}
    return [{"metric": metric, "score": score} | known for metric, score in both if score is not None]


def shop(n: int = 40) -> list[dict]:
    """Delivery a point and a half below what was expected on average; price as expected."""
    rows = []
    for i in range(n):
        rows += pair("delivery", 4, 3 if i % 2 else 2, f"c{i}") + pair("price", 3 + i % 2, 3 + (i + 1) % 2, f"c{i}")
    return rows


def test_gaps_by_hand():
    frame = ex.gaps(ex.item_answers(surveys(shop())), SCALES)
    assert list(frame["item"]) == ["delivery", "price"]
    delivery, price = frame.iloc[0], frame.iloc[1]
    assert (delivery["expectation"], delivery["experience"], delivery["gap"], delivery["n"]) == (4, 2.5, -1.5, 40)
    differences = np.array([-2.0, -1.0] * 20)
    error = differences.std(ddof=1) / np.sqrt(40)
    # the smallest of two p-values has the level 97.5 %: t of 39
    assert delivery["high"] - delivery["low"] == pytest.approx(2 * 2.3313 * error, rel=1e-3)
    assert (delivery["reading"], price["reading"]) == (ex.BELOW, ex.EARLY)
    assert ex.gaps_in_words(frame)[0].startswith("Certainly below what was expected: “delivery” (−1.50 points, ")
    (found,) = ex.gap_findings(frame)
    assert (found.id, found.quadrant()) == ("feedback.gap.delivery", "weakness")
    assert found.target_source == "as expected"
    assert found.sentence().startswith(
        "Experience of “delivery” falls short of what customers expected: 2.5 against 4.0, a difference of "
        "−1.50 points ("
    )
    (scaled,) = ex.gap_findings(frame, scale=SCALES["csi_item"])
    assert "expected: 2.5 of 5 against 4.0, a difference" in scaled.sentence()
    above = frame.assign(item="late_{delivery}", reading=ex.ABOVE)[:1]
    assert ex.gap_findings(above)[0].sentence().startswith("Experience of “late {delivery}” exceeds what customers")
    assert found.estimate.method.endswith("; 2 items judged together (Holm)")


def test_only_pairs_of_one_survey_count():
    rows = shop() + pair("delivery", 5, None, "x1") + pair("delivery", None, 1, "x2")
    rows += pair("delivery", 5, None, "x3", "w1") + pair("delivery", None, 1, "x3", "w2")
    frame = ex.gaps(ex.item_answers(surveys(rows)), SCALES)
    assert (frame["gap"][0], frame["n"][0]) == (-1.5, 40)


def test_a_customer_of_two_surveys_counts_once():
    twice = shop() + [row | {"survey_id": "w2"} for row in shop()]
    once, both = (ex.gaps(ex.item_answers(surveys(rows)), SCALES) for rows in (shop(), twice))
    assert (both["n"][0], both["people"][0]) == (80, 40)
    assert both["high"][0] == pytest.approx(once["high"][0])


def test_nameless_answers_pair_by_a_survey_of_their_own():
    nameless = [row for i in range(40) for row in pair("delivery", 4, 3, None, f"answer {i}")]
    assert ex.gaps(ex.item_answers(surveys(nameless)), SCALES)["n"][0] == 40
    shared = [row for _ in range(40) for row in pair("delivery", 4, 3, None, "wave")]
    assert len(ex.item_answers(surveys(shared))) == 0, "nobody knows which of them belong together"
    lost = [row for _ in range(40) for row in pair("delivery", 4, 3, None, None)]
    assert len(ex.item_answers(surveys(lost))) == 0


@pytest.mark.parametrize("without", [("item",), ("survey_id", "customer_id"), ("survey_id",)])
def test_missing_columns(without):
    items = ex.item_answers(surveys(shop(), without=without))
    assert len(items) == (0 if len(without) > 1 or "item" in without else 80)
    assert len(ex.gaps(items, SCALES)) == (2 if len(items) else 0)


def test_scales_must_be_one():
    items = ex.item_answers(surveys(shop()))
    for scales in ({}, SCALES | {"expectation": (1, 7)}, {"csi_item": (1, 5)}):
        frame = ex.gaps(items, scales)
        assert len(frame) == 0
        assert ex.gaps_in_words(frame)[0].startswith("No item was asked about twice on one declared scale")
        assert ex.gap_findings(frame) == []
        assert ex.plot_gaps(frame).texts[0].get_text() == "Too few answers to tell"
    matplotlib.pyplot.close("all")


def test_few_people():
    frame = ex.gaps(ex.item_answers(surveys(shop(12))), SCALES)
    assert frame["gap"].isna().all()
    assert ex.gaps_in_words(frame) == ["Too early to say: fewer than 30 people answered both."]
    index = ex.csi(ex.item_answers(surveys(shop(12))), SCALES)
    assert (index.known, index.n, index.method) == (False, 12, "fewer than 30 people answered")
    assert "too early to say" in ex.csi_finding(index).sentence()


def test_the_index_by_hand():
    index = ex.csi(ex.item_answers(surveys(shop())), SCALES)
    weights = np.array([4.0, 3.5]) / 7.5
    mean = weights @ np.array([2.5, 3.5])
    assert index.value == pytest.approx(25 * (mean - 1))
    assert (index.n, index.unit) == (40, "points")
    table = ex.importance(ex.item_answers(surveys(shop())))
    assert list(table["weight"]) == pytest.approx(list(weights))
    assert ex.csi_finding(index).sentence().startswith("The index of satisfaction (CSI) is 49.2 of 100 points (")


def test_the_index_without_expectations_weighs_alike():
    rows = [row for row in shop() if row["metric"] == "csi_item"]
    items = ex.item_answers(surveys(rows))
    assert ex.csi(items, SCALES).value == pytest.approx(25 * (3.0 - 1))
    assert list(ex.importance(items)["weight"]) == [0.5, 0.5]


def test_an_item_nothing_was_expected_of_has_the_mean_importance():
    rows = shop() + [
        {"metric": "csi_item", "item": "site", "score": 5.0, "customer_id": f"c{i}", "survey_id": "w1"}
        for i in range(40)
    ]
    table = ex.importance(ex.item_answers(surveys(rows))).set_index("item")
    assert table.loc["site", "importance"] == pytest.approx((4 + 3.5) / 2)


def test_the_error_of_the_index_is_the_jackknifes():
    rng = np.random.default_rng(3)
    rows = []
    for i in range(60):
        mood = rng.normal(0, 0.7)
        for item in ("a", "b", "c"):
            expected, experienced = (float(np.clip(round(m + mood + rng.normal()), 1, 5)) for m in (4, 3))
            rows += pair(item, expected if item != "c" else None, experienced, f"c{i:02}")
    items = ex.item_answers(surveys(rows))
    index = ex.csi(items, SCALES)
    left_out = np.array([ex.csi(items[items["who"] != f"c{i:02}"], SCALES).value for i in range(60)])
    jackknife = np.sqrt(59 / 60 * np.square(left_out - left_out.mean()).sum())
    assert (index.high - index.low) / 2 == pytest.approx(2.001 * jackknife, rel=0.02)


def test_an_undeclared_scale_is_told():
    index = ex.csi(ex.item_answers(surveys(shop())), {})
    assert index.method == "no scale is declared: write scales.csi_item: [lowest, highest] in client.yml"


def test_the_picture():
    frame = ex.gaps(ex.item_answers(surveys(shop())), SCALES)
    ax = ex.plot_gaps(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["delivery", "price"]
    assert ex.describe_gaps(frame).startswith("Dots with intervals around no gap. Certainly below")
    matplotlib.pyplot.close("all")
