from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import loyalty
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)


def test_repeat_rate_by_hand():
    lines = [
        ("1", "anna", "2026-01-01", 10.0),
        ("2", "anna", "2026-01-31", 10.0),  # 30 days later: the last day of the window counts
        ("3", "bohdan", "2026-01-01", 10.0),
        ("4", "bohdan", "2026-02-01", 10.0),  # 31 days later
        ("5", "celina", "2026-03-01", 10.0),
        ("6", "celina", "2026-03-01", 10.0),  # the same day is no return
        ("7", "dmytro", "2026-05-31", 10.0),  # observed for exactly 30 days
        ("8", "dmytro", "2026-06-30", 10.0),
        ("9", "eva", "2026-06-01", 10.0),  # 29 days: cannot be counted yet, though she came back
        ("10", "eva", "2026-06-02", 10.0),
        ("11", None, "2026-01-01", 10.0),
        ("12", "franek", "2026-01-01", 10.0),
        ("13", "franek", "2026-01-05", 10.0),  # cancelled
        ("14", "franek", "2026-01-06", 0.0),  # a return that matched no sale is no order
    ]
    status = ["completed"] * 12 + ["cancelled", "returned"]
    refund = [0.0] * 13 + [10.0]
    shop = orders(lines, status=status, refund=refund)
    rate = loyalty.repeat_rate(shop, within_days=30, as_of=DAY)
    assert (rate.value, rate.n) == (2 / 5, 5)
    assert rate.method == "Wilson"
    assert loyalty.repeat_rate(shop, within_days=31, as_of=DAY).value == 2 / 4  # dmytro is no longer observed that long


def test_nobody_observed_long_enough():
    shop = orders([("1", "anna", "2026-06-25", 10.0)])
    rate = loyalty.repeat_rate(shop, within_days=30, as_of=DAY)
    assert (rate.known, rate.n, rate.method) == (False, 0, "nobody has been observed for 30 days")
    finding = loyalty.repeat_rate_finding(rate, within_days=30)
    assert "nobody has been observed for 30 days" in finding.sentence()


def test_those_first_seen_when_the_data_begin_are_left_out():
    lines = [
        ("1", None, "2026-01-01", 10.0),  # the data begin, though with a guest
        ("2", "regular", "2026-01-05", 10.0),  # perhaps a regular of many years
        ("3", "regular", "2026-01-12", 10.0),
        ("4", "anna", "2026-01-31", 10.0),  # 30 days after the begin: new for certain enough
        ("5", "bohdan", "2026-02-01", 10.0),
        ("6", "bohdan", "2026-02-20", 10.0),
    ]
    shop = orders(lines)
    assert loyalty.repeat_rate(shop, within_days=30, as_of=DAY).value == 2 / 3
    rate = loyalty.repeat_rate(shop, within_days=30, as_of=DAY, burn_in_days=30)
    assert (rate.value, rate.n) == (1 / 2, 2)
    with pytest.raises(UsageError, match="burn_in_days must be 0 or more; found -1"):
        loyalty.second_orders(shop, as_of=DAY, burn_in_days=-1)


def test_nobody_and_everybody_came_back():
    once = orders([(str(i), f"c{i}", "2026-01-01", 10.0) for i in range(40)])
    assert loyalty.repeat_rate(once, within_days=90, as_of=DAY).value == 0
    twice = [(f"{i}{d}", f"c{i}", f"2026-01-{d}", 10.0) for i in range(40) for d in ("01", "20")]
    assert loyalty.repeat_rate(orders(twice), within_days=90, as_of=DAY).value == 1


def test_windows_are_checked():
    with pytest.raises(UsageError, match="within_days must be at least 1; found 0"):
        loyalty.repeat_rate(orders([("1", "anna", "2026-01-01", 1.0)]), within_days=0, as_of=DAY)


def test_repeat_rate_against_a_plain_reading():
    frame = random_orders(np.random.default_rng(8), 400)
    as_of = date(2026, 2, 1)
    days = frame[["customer_id", "ordered_on"]].drop_duplicates().sort_values(["customer_id", "ordered_on"])
    first = days.groupby("customer_id")["ordered_on"].first()
    second = days.groupby("customer_id")["ordered_on"].nth(1)
    second = days.loc[second.index].set_index("customer_id")["ordered_on"].reindex(first.index)
    for within in (7, 60, 180):
        seen = first + pd.Timedelta(days=within) <= pd.Timestamp(as_of)
        expected = ((second - first).dt.days <= within)[seen].mean()
        rate = loyalty.repeat_rate(table(frame), within_days=within, as_of=as_of)
        assert rate.value == pytest.approx(expected)
        assert rate.n == seen.sum()


def test_one_customer_more_changes_the_count_by_one():
    frame = random_orders(np.random.default_rng(9), 50)
    more = pd.concat([frame, frame.iloc[:1].assign(customer_id="new", order_id="new", ordered_on="2025-01-01")])
    one, other = (loyalty.repeat_rate(table(f), within_days=60, as_of=DAY) for f in (frame, more))
    assert other.n == one.n + 1
    assert other.value * other.n == pytest.approx(one.value * one.n)


def test_rates_by_window_and_their_picture():
    import matplotlib

    matplotlib.use("Agg")
    shop = table(random_orders(np.random.default_rng(8), 200))
    rates = loyalty.repeat_rates(loyalty.second_orders(shop, as_of=date(2026, 2, 1)), windows=(30, 90, 3650))
    assert rates["within_days"].to_list() == [30, 90, 3650]
    assert rates["n"].is_monotonic_decreasing
    assert rates["value"].iloc[1] >= rates["value"].iloc[0]
    ax = loyalty.plot_repeat_rates(rates)
    assert ax.texts[2].get_text() == "not yet observable (n = 0)"
    assert ax.texts[0].get_text().endswith(f"(n = {rates['n'].iloc[0]:,})")
    matplotlib.pyplot.close(ax.figure)


def test_the_finding_speaks():
    rate = loyalty.repeat_rate(table(random_orders(np.random.default_rng(8), 400)), within_days=90, as_of=DAY)
    finding = loyalty.repeat_rate_finding(rate, within_days=90)
    assert finding.id == "loyalty.repeat_rate"
    assert "order again within 90 days of their first order (" in finding.sentence()
    assert replace(finding, target=0.05).quadrant() == "strength"
