"""Effective counts, shares of people, differences judged as one family."""

import numpy as np
import pandas as pd
import pytest
from hand_answers import SCALES, scored, surveys
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import answer_sums as sums
from cxkit.estimates import wilson
from cxkit.feedback import asked


def test_the_effective_count_by_hand():
    # ten answers of variance 4 whose mean has the error 1: as much as four independent answers
    assert sums.effective([1.0], [4.0], [10], [5])[0] == pytest.approx(4)
    # everybody answered once: the answers themselves
    assert sums.effective([0.1], [4.0], [10], [10])[0] == 10
    # never more than the answers; all alike: the people
    assert sums.effective([0.1], [4.0], [10], [5])[0] == 10
    assert sums.effective([0.0], [0.0], [10], [5])[0] == 5


def test_shares_of_people_are_wilsons_with_students_t():
    low, high = sums.share_ends([0.3], [10_000.0], [10_000])
    known = wilson(3000, 10_000)
    assert (low[0], high[0]) == (pytest.approx(known.low, abs=1e-5), pytest.approx(known.high, abs=1e-5))
    low, high = sums.share_ends([0.3], [10.0], [10])
    assert low[0] < wilson(3, 10).low
    assert high[0] > wilson(3, 10).high
    assert np.isnan(sums.share_ends([1.0], [4.0], [1])).all(), "one person tells no interval"


def answers(one: list[float], other: list[float]):
    rows = scored("nps", one, prefix="a", touchpoint="product")
    rows += scored("nps", other, prefix="b", touchpoint="support")
    return asked(surveys(rows), scales=SCALES)


def test_a_difference_by_hand():
    high, low = [10.0] * 20 + [7.0] * 20, [0.0] * 20 + [7.0] * 20
    frame = sums.judged(sums.differences(answers(high, low), by="touchpoint", about="touchpoint"))
    assert list(frame["name"]) == ["product", "support"]
    product, support = frame.iloc[0], frame.iloc[1]
    assert (product["value"], product["others"], product["difference"]) == (50, -50, 100)
    assert (product["n"], product["people"]) == (40, 40)
    # Welch's error of two groups of 40 whose points have the variance 2500 * 40 / 39
    error = np.sqrt(2 * 2500 / 39)
    assert product["high"] - product["low"] == pytest.approx(2 * 2.0227 * error, rel=0.01)  # t of 39
    assert (product["reading"], support["reading"]) == ("higher", "lower")
    assert product["level"] == support["level"] == pytest.approx(0.95), "two mirrored tests are one"


def test_a_family_holds_together():
    rows = [row for name in "abcd" for row in scored("nps", [10.0, 0.0] * 20, prefix=name, touchpoint=name)]
    table = asked(surveys(rows), scales=SCALES)
    frame = sums.judged(sums.differences(table, by="touchpoint", about="touchpoint"))
    assert set(frame["reading"]) == {"too early to say"}
    assert frame["level"].to_numpy() == pytest.approx(1 - 0.05 / 4)
    both = sums.judged(*[sums.differences(table, by="touchpoint", about=about) for about in ("one", "other")])
    assert both["level"].to_numpy() == pytest.approx(1 - 0.05 / 8), "all that is judged on the page is one family"


def test_few_people_are_not_judged_and_fewer_not_shown():
    rows = scored("nps", [10.0] * 40, prefix="a", touchpoint="many")
    rows += scored("nps", [0.0] * 20, prefix="b", touchpoint="some")
    rows += scored("nps", [0.0] * 2, prefix="c", touchpoint="two") + scored(
        "nps", [9.0] * 4, prefix="d", touchpoint="x"
    )
    frame = sums.judged(sums.differences(asked(surveys(rows), scales=SCALES), by="touchpoint", about="touchpoint"))
    told = frame.set_index("name")["reading"].to_dict()
    assert told["some"] == told["many"] == "too few: under 30 people on a side"
    assert told["two"] == told["x"] == "withheld"
    assert frame.set_index("name").loc[["two", "x"], ["value", "others", "difference"]].isna().all(axis=None)
    assert frame["low"].isna().all()


def test_nothing_to_compare():
    empty = sums.differences(asked(surveys([]), scales=SCALES), by="touchpoint", about="touchpoint")
    assert len(empty) == 0
    assert list(sums.judged(empty).columns) == sums.COLUMNS
    assert list(sums.judged().columns) == sums.COLUMNS
    alone = asked(surveys(scored("nps", [9.0] * 40, touchpoint="product")), scales=SCALES)
    frame = sums.judged(sums.differences(alone, by="touchpoint", about="touchpoint"))
    assert np.isnan(frame["difference"][0])


@settings(max_examples=6)
@given(st.lists(st.sampled_from([0.0, 5.0, 7.0, 9.0, 10.0]), min_size=2, max_size=12), st.randoms())
def test_the_order_of_rows_does_not_matter(scores, random):
    rows = [
        {"metric": "nps", "score": s, "customer_id": f"c{i % 7}", "touchpoint": "ab"[i % 2]}
        for i, s in enumerate(scores)
    ]
    mixed = rows[:]
    random.shuffle(mixed)
    one, other = (
        sums.differences(asked(surveys(r), scales=SCALES), by="touchpoint", about="t", least=1) for r in (rows, mixed)
    )
    pd.testing.assert_frame_equal(one, other)
