"""What each group is and brings: by hand, nothing lost, small groups withheld, pictures of one row, many and none."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_customers import people, random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import style
from cxkit.errors import UsageError
from cxkit.group_table import TABLE, WITHHELD, describe_groups, group_table, plot_groups


@pytest.fixture(autouse=True)
def _theme():
    with matplotlib.rc_context(style.theme()):
        yield


def two_groups():
    """Five who spent 90 in five orders each, five who spent 10 to 30 in one."""
    frame = people(range(10), [5] * 5 + [1] * 5, [90.0] * 5 + [10.0, 15.0, 20.0, 25.0, 30.0])
    return frame.assign(group=["large"] * 5 + ["small"] * 5)


def test_two_groups_by_hand():
    table = group_table(two_groups(), groups=["empty", "small"])
    assert tuple(table.columns) == TABLE
    large, small, empty = table.to_dict("records")
    assert [g["group"] for g in (large, small, empty)] == ["large", "small", "empty"]
    assert [g["customers"] for g in (large, small, empty)] == [5, 5, 0]
    assert (large["orders"], large["revenue"], large["revenue_per_customer"]) == (25, 450, 90)
    assert large["share_of_revenue"] == pytest.approx(450 / 550)
    assert large["low"] < 450 / 550 < large["high"] <= 1
    assert (large["orders_per_customer"], large["median_recency_days"], small["median_recency_days"]) == (5, 2, 7)
    assert (large["revenue_low"], large["revenue_high"]) == (90, 90)  # all alike
    # Student's t for 10, 15, 20, 25, 30: 20 ± 2.776 * sqrt(62.5 / 5)
    assert (small["revenue_low"], small["revenue_high"]) == (
        pytest.approx(10.183, abs=1e-3),
        pytest.approx(29.817, abs=1e-3),
    )
    assert (empty["revenue"], empty["method"]) == (0, "nobody in the group")
    assert np.isnan([empty["low"], empty["revenue_per_customer"], empty["revenue_low"]]).all()
    assert set(table["n"]) == {10}


def test_a_wider_level_gives_wider_intervals():
    table, wide = group_table(two_groups()), group_table(two_groups(), level=0.99)
    assert set(wide["level"]) == {0.99}
    assert wide["low"].iloc[0] < table["low"].iloc[0]
    assert wide["revenue_low"].iloc[1] < table["revenue_low"].iloc[1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_nothing_is_lost_and_the_order_of_rows_changes_nothing(seed, groups):
    frame = random_people(seed)
    rng = np.random.default_rng(seed)
    frame = frame.assign(group=rng.choice([f"g{i}" for i in range(groups)], len(frame)))
    table = group_table(frame)
    pd.testing.assert_frame_equal(group_table(frame.sample(frac=1, random_state=seed)), table)
    if table["customers"].notna().all():
        assert table["customers"].sum() == len(frame)
        assert table["orders"].sum() == frame["frequency"].sum()
        assert table["revenue"].sum() == pytest.approx(frame["monetary"].sum())
        assert table["share_of_revenue"].sum() == pytest.approx(1)
        assert table["revenue"].is_monotonic_decreasing
    shown = table.dropna(subset=["low"])
    assert shown["share_of_revenue"].between(shown["low"], shown["high"]).all()
    assert shown["revenue_per_customer"].between(shown["revenue_low"], shown["revenue_high"]).all()


def test_small_groups_are_withheld_with_what_could_be_subtracted():
    frame = people(range(42), [2] * 42, [10.0] * 42).assign(group=["a"] * 30 + ["b"] * 9 + ["c"] * 3)
    table = group_table(frame, groups=["nobody"]).set_index("group")
    numbers = table.select_dtypes("number").drop(columns=["n", "level"])
    assert numbers.loc[["b", "c"]].isna().all(axis=None)
    assert set(table.loc[["b", "c"], "method"]) == {WITHHELD}
    assert (table.loc["a", "revenue"], table.loc["nobody", "customers"]) == (300, 0)
    assert list(table.index[-2:]) == ["b", "c"]
    assert describe_groups(table.reset_index()) == (
        "Bars of the share of customers and of revenue by group. a: 71 % of customers, 71 % of revenue. Withheld, so "
        "that nothing is told of under 5 people: b, c."
    )
    ax = plot_groups(table.reset_index())
    assert [t.get_text() for t in ax.texts].count("withheld") == 4
    assert ax.get_ylim()[0] > len(table) - 1 + 0.2 > ax.get_ylim()[1]  # the last row stands in the picture


def test_nobody_and_given_back():
    nobody = group_table(two_groups()[:0])
    assert (len(nobody), tuple(nobody.columns)) == (0, TABLE)
    assert describe_groups(nobody) == "Bars of the share of customers and of revenue by group."
    assert [t.get_text() for t in plot_groups(nobody).texts] == ["nothing to show yet"]
    back = group_table(two_groups().assign(monetary=-1.0))
    assert back["share_of_revenue"].isna().all()
    assert set(back["method"]) == {"more was given back than paid with many customers: shares of the sum mean nothing"}
    plot_groups(back)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns=["group", "monetary"]), "the customers lack group, monetary; found customer_id, rec"),
        (
            lambda f: pd.concat([f, f[:1]]),
            "the customer c0000 stands there twice; give one row a customer, in one group.",
        ),
        (
            lambda f: f.assign(group=[None, *f["group"][1:]]),
            "1 customers have no group; give them one, such as 'Not placed', or leave",
        ),
    ],
)
def test_customers_are_checked(change, message):
    with pytest.raises(UsageError) as fault:
        group_table(change(two_groups()))
    assert message in str(fault.value)


def test_the_argument_stays_as_it_is():
    frame = two_groups().sample(frac=1, random_state=1)
    before = frame.copy()
    plot_groups(group_table(frame))
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("groups", [1, 3, 24])
def test_nothing_overlaps_in_the_picture(groups):
    frame = random_people(1, n=600)
    names = [f"Дуже довга назва групи {{value}} $x$ номер {i}" for i in range(groups)]
    table = group_table(frame.assign(group=[names[i % groups] for i in range(600)]))
    assert "$x$" in describe_groups(table)
    ax = plot_groups(table)
    ax.figure.canvas.draw()
    legend = ax.get_legend().get_window_extent()
    assert legend.y1 < ax.xaxis.label.get_window_extent().y0
    assert legend.y0 > 0
    texts = [t.get_window_extent() for t in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[i + 1 :])
    assert all(t.x1 < ax.figure.bbox.x1 for t in texts)


def test_three_customers_and_one_with_half_of_everything():
    three = group_table(people(range(3), [1] * 3, [1.0, 2.0, 3.0]).assign(group=["a", "a", "b"]))
    assert three["customers"].isna().all()  # nobody can be told of
    rich = people(range(41), [1] * 41, [10.0] * 40 + [400.0]).assign(group=["a"] * 20 + ["b"] * 21)
    table = group_table(rich).set_index("group")
    assert table.loc["b", "share_of_revenue"] == 0.75
    # one customer decides, and the interval says so
    assert table.loc["b", "high"] - table.loc["b", "low"] > 0.4
    assert table.loc["b", "revenue_low"] < 0 < table.loc["b", "revenue_per_customer"]
