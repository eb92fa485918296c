import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import share_ratios
from cxkit.estimates import holm_levels


def customers(rng, size, share, *, alike=0.3, orders=3.0):
    """Customers whose orders are alike: n orders and x with the value, each with a habit of his own."""
    n = rng.poisson(orders - 1, size) + 1
    spread = (1 - alike) / alike
    return n, rng.binomial(n, rng.beta(share * spread, (1 - share) * spread, size))


def counts(group, n, x):
    frame = pd.DataFrame({"g": group, "n": n, "x": x})
    return frame.groupby(["g", "n", "x"]).size().rename("c").reset_index()


def ratios(sides, **changes):
    given = {"judged": np.ones(len(sides), bool), "once": np.arange(len(sides)), "level": 0.95} | changes
    return share_ratios.share_ratios(sides, **given)


def test_shares_by_hand():
    # of group 0: two customers with 2 orders, one of which has the value, and one with 1 order and none
    frame = pd.DataFrame({"g": [0, 0, 1, 1], "n": [2, 1, 1, 4], "x": [1, 0, 1, 2], "c": [2, 1, 3, 1]})
    sides = share_ratios.both_sides(frame, groups=2)
    assert sides["orders"].to_list() == [2, 5]
    assert sides["of"].to_list() == [5, 7]
    assert sides["customers"].to_list() == [2, 4]
    assert sides["people"].to_list() == [3, 4]
    assert sides["share"].to_list() == pytest.approx([2 / 5, 5 / 7])
    assert sides["others"].to_list() == pytest.approx([5 / 7, 2 / 5])
    assert sides["rest"].to_list() == pytest.approx(sides["own"].to_list()[::-1])


def test_the_error_is_the_jackknifes():
    rng = np.random.default_rng(1)
    group = rng.integers(0, 3, 90)
    n, x = customers(rng, 90, 0.5, alike=0.6)
    sides = share_ratios.both_sides(counts(group, n, x), groups=3)
    for g in range(3):
        own_n, own_x = n[group == g], x[group == g]
        share = own_x.sum() / own_n.sum()
        without = [(own_x.sum() - a) / (own_n.sum() - b) for a, b in zip(own_x, own_n, strict=True)]
        error = np.square(np.array(without) - share).sum() * (len(own_n) - 1) / len(own_n)
        assert sides.loc[g, "own"] <= share * (1 - share) / error * (1 + 1e-12)
        assert sides.loc[g, "own"] <= own_n.sum()


def test_orders_of_one_customer_do_not_count_as_many():
    """The same orders, once by 40 customers and once by 4."""
    many = pd.DataFrame({"g": [0, 0, 1, 1], "n": 1, "x": [1, 0, 1, 0], "c": [20, 20, 10, 30]})
    few = pd.DataFrame({"g": [0, 0, 1, 1], "n": [10, 10, 1, 1], "x": [10, 0, 1, 0], "c": [2, 2, 10, 30]})
    sides = [share_ratios.both_sides(frame, groups=2) for frame in (many, few)]
    assert sides[0].loc[0, "own"] == pytest.approx(40, rel=0.06)
    assert sides[1].loc[0, "own"] == pytest.approx(3, rel=0.01)  # the jackknife of four
    ends = [ratios(side, once=np.zeros(2)).loc[0, ["low", "high"]] for side in sides]
    assert ends[1]["low"] < ends[0]["low"] < 2 < ends[0]["high"] < ends[1]["high"]


def test_a_value_that_a_group_or_the_others_lack():
    frame = pd.DataFrame({"g": [0, 1, 1], "n": 1, "x": [0, 1, 0], "c": [200, 60, 140]})
    found = ratios(share_ratios.both_sides(frame, groups=2), once=np.zeros(2))
    assert found.loc[0, ["ratio", "low"]].to_list() == [0.0, 0.0]
    assert 0 < found.loc[0, "high"] < 0.1
    assert found.loc[1, ["ratio", "high"]].to_list() == [np.inf, np.inf]
    assert found.loc[1, "low"] == pytest.approx(1 / found.loc[0, "high"])
    # one customer says nothing of how customers differ
    alone = pd.DataFrame({"g": [0, 1, 1], "n": [9, 1, 1], "x": [9, 0, 1], "c": [1, 20, 20]})
    assert ratios(share_ratios.both_sides(alone, groups=2))["low"].isna().all()


def test_rows_that_say_the_same_count_once():
    rng = np.random.default_rng(2)
    n, x = customers(rng, 400, 0.3)
    sides = share_ratios.both_sides(counts(np.arange(400) % 2, n, x), groups=2)
    assert ratios(sides)["family"].to_list() == [2, 2]
    once = ratios(sides, once=np.zeros(2))
    assert once["family"].to_list() == [1, 1]
    assert once["level"].to_list() == [0.95, 0.95]
    assert once.loc[1, "low"] == pytest.approx(1 / once.loc[0, "high"])
    hidden = ratios(sides, judged=np.array([False, True]))
    assert hidden.loc[0, ["ratio", "low", "high"]].isna().all()
    assert hidden["family"].to_list() == [1, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_an_interval_excludes_one_where_holm_tells_apart(seed):
    rng = np.random.default_rng(seed)
    groups = int(rng.integers(2, 6))
    group = rng.integers(0, groups, 300)
    n, x = customers(rng, 300, np.array([0.2, 0.25, 0.3, 0.5, 0.05])[group])
    sides = share_ratios.both_sides(counts(group, n, x), groups=groups)
    found = ratios(sides)
    p = share_ratios._p_values(*(sides[name].to_numpy(float) for name in share_ratios.SIDE))
    told = p < 1 - holm_levels(p)
    assert ((found["low"] > 1) | (found["high"] < 1)).to_list() == told.tolist()
    assert ((found["low"] <= found["ratio"]) & (found["ratio"] <= found["high"])).all()


def test_hardly_anything_is_told_apart_where_nothing_differs():
    """40 random splits into groups of unequal size, 30 values each: some difference is called in about 1 of 20."""
    called = 0
    for seed in range(40):
        rng = np.random.default_rng([3, seed])
        group = rng.choice(4, 600, p=[0.5, 0.3, 0.15, 0.05])
        frames = []
        for share in np.linspace(0.01, 0.5, 30):
            n, x = customers(rng, 600, share)
            frames.append(share_ratios.both_sides(counts(group, n, x), groups=4))
        found = ratios(pd.concat(frames, ignore_index=True))
        assert found["family"].iloc[0] == 120
        called += bool(((found["low"] > 1) | (found["high"] < 1)).any())
    assert called <= 5


def test_one_interval_holds_in_95_of_100():
    held = 0
    for seed in range(300):
        rng = np.random.default_rng([4, seed])
        group = (np.arange(200) % 4 == 0).astype(int)
        n, x = customers(rng, 200, np.where(group == 1, 0.3, 0.2))
        found = ratios(share_ratios.both_sides(counts(group, n, x), groups=2), once=np.zeros(2))
        held += found.loc[1, "low"] <= 1.5 <= found.loc[1, "high"]
    assert 276 <= held <= 298
