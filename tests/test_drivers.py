"""Relative weights: a law, published behaviour, and what cannot be told."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_answers import SCALES, scored, surveys
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import drivers, expectations, feedback


def made(
    n: int = 300, *, weights=(0.8, 0.4, 0.0), alike: float = 0.5, noise: float = 1.0, seed: int = 1
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    items = np.sqrt(alike) * rng.normal(size=(n, 1)) + np.sqrt(1 - alike) * rng.normal(size=(n, len(weights)))
    overall = items @ np.array(weights) + noise * rng.normal(size=n)
    frame = pd.DataFrame(items, columns=[f"item {k}" for k in range(len(weights))]).assign(overall=overall)
    return frame.set_index(pd.Index([f"c{i:04}" for i in range(n)], name="who"))


def r2(frame: pd.DataFrame) -> float:
    x = np.column_stack([np.ones(len(frame)), frame.drop(columns="overall")])
    left = frame["overall"] - x @ np.linalg.lstsq(x, frame["overall"], rcond=None)[0]
    return float(1 - left.var() / frame["overall"].var())


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0, 0.95))
def test_weights_sum_to_r_squared_and_none_is_negative(seed, k, alike):
    frame = made(60, weights=tuple(np.linspace(1, 0, k)), alike=alike, seed=seed)
    weights = drivers.relative_weights(frame)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(r2(frame), abs=1e-8)


def test_uncorrelated_items_weigh_their_squared_correlations():
    # an orthogonal design: eight people, three items of +-1
    design = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], dtype=float)
    frame = pd.DataFrame(design, columns=list("abc")).assign(overall=design @ [3.0, 2.0, 1.0])
    assert list(drivers.relative_weights(frame)) == pytest.approx([9 / 14, 4 / 14, 1 / 14])


def test_two_items_that_say_the_same_share_alike():
    frame = made(200, weights=(1.0,), noise=0.5)
    frame = frame.assign(copy=frame["item 0"])
    weights = drivers.relative_weights(frame[["item 0", "copy", "overall"]])
    assert weights["item 0"] == pytest.approx(weights["copy"])
    assert weights.sum() == pytest.approx(r2(frame[["item 0", "overall"]]))
    still = drivers.relative_weights(frame.assign(copy=3.0)[["item 0", "copy", "overall"]])
    assert still["copy"] == 0, "an item that does not vary tells nothing"


def test_two_items_by_johnsons_equation():
    # two items correlated r: the nearest uncorrelated ones have paths a, b with a^2 + b^2 = 1 and 2ab = r
    r, with_score = 0.6, np.array([0.5, 0.3])
    a = (np.sqrt(1 + r) + np.sqrt(1 - r)) / 2
    b = (np.sqrt(1 + r) - np.sqrt(1 - r)) / 2
    paths = np.array([[a, b], [b, a]])
    expected = paths**2 @ np.square(np.linalg.inv(paths) @ with_score)
    rng = np.random.default_rng(5)
    raw = np.linalg.qr(rng.normal(size=(50, 4)) - rng.normal(size=(50, 4)).mean(axis=0))[0]
    raw = np.linalg.qr(raw - raw.mean(axis=0))[0]
    corr = np.array([[1, r, 0.5], [r, 1, 0.3], [0.5, 0.3, 1]])
    frame = pd.DataFrame(raw[:, :3] @ np.linalg.cholesky(corr).T, columns=["one", "two", "overall"])
    assert list(drivers.relative_weights(frame)) == pytest.approx(list(expected))


def test_planted_weights_are_found():
    frame = made(600)
    fit, table = drivers.r_squared(frame), drivers.drivers(frame, seed=1)
    assert list(table["item"]) == ["item 0", "item 1", "item 2"]
    assert list(table["reading"][:1]) == [drivers.TOLD]
    assert fit.value == pytest.approx(r2(frame))
    assert fit.low < fit.value < fit.high
    assert table["share"].sum() == pytest.approx(1)
    assert (table["low"] <= table["weight"]).all()
    words = drivers.drivers_in_words(table, fit, outcome="csat")
    assert words[0].startswith("All items together tell ")
    assert "item 0" in words[1]
    pd.testing.assert_frame_equal(table, drivers.drivers(frame.sample(frac=1, random_state=3), seed=1))


def test_what_tells_less_than_chance_is_not_told():
    frame = made(300).assign(still=3.0)[["item 0", "still", "overall"]]
    table = drivers.drivers(frame, seed=1).set_index("item")
    assert table.loc["item 0", "reading"] == drivers.TOLD
    assert table.loc["still", "weight"] == 0, "a column of chance lies above it in every draw"
    assert table.loc["still", "reading"] == drivers.NOT_TOLD


def test_chance_is_seldom_taken_for_a_driver():
    called = 0
    for seed in range(40):
        frame = made(150, weights=(0.0, 0.0, 0.0), seed=seed)
        called += drivers.r_squared(frame).low > 0
    assert called <= 5, "of 40 shops without drivers about 1 in 40 tells R2 above 0 (the lower tail alone)"


def test_too_few_or_nothing_to_tell():
    few = made(99)
    fit, table = drivers.r_squared(few), drivers.drivers(few, seed=1)
    assert not fit.known
    assert set(table["reading"]) == {drivers.EARLY}
    assert table["weight"].isna().all()
    assert drivers.drivers_in_words(table, fit, outcome="nps") == [
        "What drives NPS is too early to say (n = 99; fewer than 100 people answered every item and the overall score)."
    ]
    assert drivers.plot_drivers(table).texts[0].get_text() == "Too early to say"
    same = made(120).assign(overall=4.0)
    assert not drivers.r_squared(same).known
    told = made(120).assign(overall=lambda f: f["item 0"])
    assert drivers.r_squared(told).method == "the score is told by an item alone, or does not vary"
    none = made(150, weights=(0.0, 0.0), seed=3)
    fit, table = drivers.r_squared(none), drivers.drivers(none, seed=1)
    assert fit.low == 0
    assert "cannot be told apart" in drivers.drivers_in_words(table, fit, outcome="csat")[1]
    matplotlib.pyplot.close("all")


def test_the_interval_of_r_squared_leaves_its_tails():
    from scipy.special import ncfdtr

    frame = made(101, weights=(0.5, 0.3, 0.0), alike=0.0)
    fit = drivers.r_squared(frame)
    f = fit.value / 3 / ((1 - fit.value) / 97)
    for end, tail in ((fit.low, 0.975), (fit.high, 0.025)):
        assert ncfdtr(3, 97, 101 * end / (1 - end), f) == pytest.approx(tail, abs=1e-6)


def test_complete_answers_by_hand():
    rows = []
    for i in range(6):
        for item in ("price", "site"):
            known = {"item": item, "customer_id": f"c{i}", "survey_id": "w"}
            rows.append({"metric": "csi_item", "score": float(1 + i % 5)} | known)
    rows.append({"metric": "csi_item", "item": "rare", "score": 3.0, "customer_id": "c0", "survey_id": "w"})
    rows += scored("csat", [5.0, 4.0, 3.0]) + scored("csat", [3.0]) + scored("nps", [9.0, 8.0, 7.0, 6.0])
    table = surveys(rows)
    frame, outcome = drivers.complete_answers(expectations.item_answers(table), feedback.asked(table, scales=SCALES))
    assert outcome == "nps", "four customers gave NPS, three CSAT"
    assert list(frame.columns) == ["price", "site", "overall"]
    assert list(frame["overall"]) == [9, 8, 7, 6]
    bare = surveys(rows, without=("customer_id",))
    empty, _ = drivers.complete_answers(expectations.item_answers(table), feedback.asked(bare, scales=SCALES))
    assert len(empty) == 0
    assert len(drivers.drivers(empty, seed=1)) == len(empty.columns) - 1
    nothing, _ = drivers.complete_answers(
        expectations.item_answers(surveys([])), feedback.asked(surveys([]), scales=SCALES)
    )
    assert drivers.drivers_in_words(drivers.drivers(nothing, seed=1), drivers.r_squared(nothing), outcome="csat")


def test_the_picture():
    table = drivers.drivers(made(200), seed=1)
    ax = drivers.plot_drivers(table)
    assert sorted(t.get_text() for t in ax.texts) == ["item 0", "item 1", "item 2"]
    ax.get_figure().canvas.draw()
    for text in ax.texts:
        box, frame = text.get_window_extent(), ax.get_window_extent()
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
    text = drivers.describe_drivers(table, drivers.r_squared(made(200)), outcome="csat")
    assert text.startswith("Items by weight and experience. All items together tell")
    matplotlib.pyplot.close("all")
