from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import purchase_history as history
from cxkit.errors import DataError, UsageError

DAY = date(2026, 6, 30)
LINES = [
    ("1", "anna", "2026-06-02", 100.0),
    ("2", "anna", "2026-06-16", 30.0),
    ("3", "anna", "2026-06-16", 20.0),  # the same day: one purchase of 50
    ("4", "anna", "2026-06-23", 80.0),  # returned as a whole: a purchase all the same
    ("5", "bohdan", "2026-06-30", 40.0),  # first seen on the last day
    ("6", None, "2026-06-10", 40.0),
    ("7", "celina", "2026-05-01", 40.0),  # cancelled: celina never bought
    ("8", "anna", "2026-07-01", 999.0),  # after as_of
    ("9", "dmytro", "2026-06-20", 0.0),  # a return that matched no sale is no purchase
]
STATUS = ["completed"] * 3 + ["returned", "completed", "completed", "cancelled", "completed", "returned"]
REFUND = [0.0] * 3 + [80.0] + [0.0] * 4 + [15.0]


def shop():
    return orders(LINES, status=STATUS, refund=REFUND)


def test_the_history_by_hand():
    rows = history.purchase_history(shop(), as_of=DAY)
    assert rows.columns.to_list() == ["customer_id", "first_on", "x", "t_x", "T", "spend", "revenue", "purchases"]
    assert rows["customer_id"].to_list() == ["anna", "bohdan"]
    anna, bohdan = rows.iloc[0], rows.iloc[1]
    assert (anna.x, anna.t_x, anna["T"], anna.purchases) == (2, 3.0, 4.0, 3)
    assert (anna.spend, anna.revenue) == (25.0, 150.0)  # 50 and 0 after the first
    assert (bohdan.x, bohdan.t_x, bohdan["T"], bohdan.revenue) == (0, 0.0, 0.0, 40.0)
    assert np.isnan(bohdan.spend)
    assert anna.first_on == pd.Timestamp("2026-06-02")


def test_nobody_bought():
    rows = history.purchase_history(shop(), as_of=date(2020, 1, 1))
    assert rows.empty
    assert list(rows) == list(history.HISTORY)
    assert history.first_purchase(shop(), as_of=date(2020, 1, 1)) is None
    assert history.first_purchase(shop(), as_of=DAY) == date(2026, 6, 2)
    assert history.purchases_by_age(shop(), as_of=date(2020, 1, 1)).empty
    assert history.renewals(shop(), as_of=date(2020, 1, 1), every_days=30).empty


def test_against_a_plain_reading_and_whatever_the_order_of_rows():
    frame = random_orders(np.random.default_rng(5), 300)
    as_of = pd.Timestamp("2025-12-01")
    seen = frame[frame["ordered_on"] <= as_of]
    days = seen.groupby(["customer_id", "ordered_on"])["amount"].sum().reset_index()
    rows = history.purchase_history(table(frame), as_of=as_of.date()).set_index("customer_id")
    for name, part in days.groupby("customer_id"):
        row, first = rows.loc[name], part["ordered_on"].min()
        assert row.x == len(part) - 1
        assert row.t_x == pytest.approx((part["ordered_on"].max() - first).days / 7)
        assert row["T"] == pytest.approx((as_of - first).days / 7)
        assert row.revenue == pytest.approx(part["amount"].sum())
        if row.x:
            assert row.spend == pytest.approx(part["amount"].iloc[1:].mean())
    assert len(rows) == days["customer_id"].nunique()
    again = history.purchase_history(table(frame.sample(frac=1, random_state=1)), as_of=as_of.date())
    pd.testing.assert_frame_equal(again.set_index("customer_id"), rows, check_exact=True)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 1000))
def test_scaling_money_scales_money_alone(factor):
    frame = random_orders(np.random.default_rng(6), 20)
    one = history.purchase_history(table(frame), as_of=DAY)
    other = history.purchase_history(table(frame.assign(amount=factor * frame["amount"])), as_of=DAY)
    assert np.allclose(other["spend"], factor * one["spend"], rtol=1e-6, atol=1e-3, equal_nan=True)
    assert np.allclose(other["revenue"], factor * one["revenue"], rtol=1e-6, atol=1e-3)
    assert other["x"].equals(one["x"])
    assert other["t_x"].equals(one["t_x"])


def test_a_window_counts_those_known_before_it():
    window = {"first": date(2026, 6, 16), "last": date(2026, 6, 30), "known_by": date(2026, 6, 15)}
    rows = history.purchases_between(shop(), **window)
    assert rows.to_numpy().tolist() == [["anna", 2, 50.0]]  # bohdan came later; the returned one counts, with 0
    rows = history.purchases_between(shop(), **(window | {"known_by": DAY}))
    assert rows.to_numpy().tolist() == [["anna", 2, 50.0], ["bohdan", 1, 40.0]]
    weeks = history.weekly_purchases(shop(), **window)
    assert weeks.to_numpy().tolist() == [[0, 1, 50.0], [1, 1, 0.0], [2, 0, 0.0]]  # the last week has one day
    with pytest.raises(UsageError, match="begins on or before its last day; found 2026-06-16 to 2026-06-01"):
        history.purchases_between(shop(), first=date(2026, 6, 16), last=date(2026, 6, 1), known_by=DAY)
    unseen = history.purchases_between(shop(), first=date(2026, 7, 2), last=date(2026, 7, 9), known_by=DAY)
    assert unseen[["purchases", "revenue"]].to_numpy().tolist() == [[0, 0.0], [0, 0.0]]


def test_purchases_by_age_by_hand():
    lines = [
        ("1", "anna", "2026-06-01", 10.0),  # observed for 29 days: four whole weeks
        ("2", "anna", "2026-06-08", 20.0),  # 7 days later: age 0
        ("3", "anna", "2026-06-09", 30.0),  # 8 days later: age 1
        ("4", "anna", "2026-06-30", 70.0),  # day 29: in the week that as_of cuts
        ("5", "bohdan", "2026-06-15", 10.0),  # 15 days: two whole weeks
        ("6", "bohdan", "2026-06-16", 5.0),
    ]
    ages = history.purchases_by_age(orders(lines), as_of=DAY)
    assert ages.to_numpy().tolist() == [[0, 2, 2, 25.0], [1, 2, 1, 30.0], [2, 1, 0, 0.0], [3, 1, 0, 0.0]]


def test_renewals_by_hand():
    def paid(name, days):
        first = pd.Timestamp("2026-01-01")
        return [(f"{name}{d}", name, str((first + pd.Timedelta(days=d)).date()), 10.0) for d in days]

    lines = [
        *paid("anna", [0, 30, 60, 90, 120, 150, 180]),  # never missed; day 180 is as_of
        *paid("bohdan", [0, 30]),  # lost after one renewal
        *paid("celina", [0, 44, 89]),  # late, within the grace, then lost
        *paid("dmytro", [0, 10, 20, 30]),  # bought between: one renewal, not three
        *paid("eva", [0, 100, 130]),  # stopped at once; what she bought later does not count
        *paid("franek", [0, 30, 60, 90, 120]),  # 60 days of silence: lost
        *paid("hanna", [0, 31, 62, 92, 123, 153]),  # calendar months
    ]
    as_of = date(2026, 6, 30)
    people = history.subscribers(orders(lines), as_of=as_of, every_days=30).set_index("customer_id")
    # six periods, of which the sixth is over only when its grace is: five count
    assert people["renewals"].to_dict() == {
        "anna": 5, "bohdan": 1, "celina": 3, "dmytro": 1, "eva": 0, "franek": 4, "hanna": 5,
    }  # fmt: skip
    assert people.index[~people["lost"]].to_list() == ["anna", "hanna"]
    assert (people.loc["anna", "paid"], people.loc["hanna", "silent_days"]) == (6, 27)
    counted = history.renewals(orders(lines), as_of=as_of, every_days=30)
    assert counted.to_numpy().tolist() == [[0, True, 1], [1, True, 2], [3, True, 1], [4, True, 1], [5, False, 2]]


def test_the_running_period_does_not_count():
    """A renewal shows at once, a loss only when its period is over: neither may count before."""
    first = [("1", "anna", "2026-05-01", 10.0), ("2", "anna", "2026-05-31", 10.0), ("3", "bohdan", "2026-05-01", 10.0)]
    for as_of, expected in ((date(2026, 6, 14), [[0, False, 2]]), (date(2026, 6, 16), [[0, True, 1], [1, False, 1]])):
        assert history.renewals(orders(first), as_of=as_of, every_days=30).to_numpy().tolist() == expected


def test_only_the_subscriptions_category_counts():
    lines = [("1", "anna", "2026-01-01", 10.0), ("1", "anna", "2026-01-01", 5.0), ("2", "anna", "2026-01-31", 10.0)]
    both = orders(lines, category=["box", "toys", "toys"])
    people = history.subscribers(both, as_of=DAY, every_days=30, category="box")
    assert people[["renewals", "lost", "spend"]].to_numpy().tolist() == [[0, True, 10.0]]
    with pytest.raises(UsageError, match=r"has the category 'boks'; valid: 'all' \(every line\), 'box', 'toys'"):
        history.renewals(both, as_of=DAY, every_days=30, category="boks")
    with pytest.raises(DataError, match=r"lacks 'category'.*tables.orders.columns"):
        history.renewals(orders(lines), as_of=DAY, every_days=30, category="box")
    with pytest.raises(UsageError, match="must be at least 2; found 1"):
        history.renewals(both, as_of=DAY, every_days=1)


def test_revenue_weighted_by_age():
    days = ("2026-06-01", "2026-06-08", "2026-06-09", "2026-06-30")  # first; ages 0, 1, and one that as_of cuts
    lines = [(str(i), "anna", day, 10.0) for i, day in enumerate(days)] + [("9", "bohdan", "2026-06-01", 10.0)]
    rows = history.revenue_by_age(orders(lines), as_of=DAY, weights=np.array([2.0, 0.5, 7.0]))
    assert rows.to_numpy().tolist() == [["anna", 25.0]]


def test_the_gaps_between_renewals_by_hand():
    days = (0, 30, 70, 80, 110, 200)  # on time, ten days late, an extra purchase, on time, lost and come back
    first = pd.Timestamp("2025-10-01")
    lines = [(str(d), "anna", str((first + pd.Timedelta(days=d)).date()), 10.0) for d in days]
    lines += [("1b", "bohdan", "2026-05-20", 10.0), ("2b", "bohdan", "2026-06-19", 10.0)]  # longer gaps cannot be over
    gaps = history.renewal_gaps(orders(lines), as_of=DAY, every_days=30)
    assert gaps[["gap", "count", "renewal"]].to_numpy().tolist() == [[10, 1, False], [30, 2, True], [40, 1, True]]
