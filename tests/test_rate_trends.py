"""Rates a hundred orders by month and their growth: by hand, by law, and where nothing can be said."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.rate_trends import (
    ALIKE,
    EARLY,
    FALLS,
    GROWS,
    LEAST_MONTHS,
    TREND,
    courses_in_words,
    daily_orders,
    latest_rate,
    month_counts,
    monthly_rates,
    plot_rates,
    poisson_ends,
    seen_span,
    trend_estimate,
    trends,
)

AS_OF = date(2025, 12, 31)


def rates_of(count: list[int], orders: int | list[int] = 1000, *, name: str = "all", bunched: float = 1.0):
    """Monthly rates as they come, all months whole."""
    months = pd.date_range("2025-01-01", periods=len(count), freq="MS")
    return pd.DataFrame(
        {"name": name, "month": months, "count": count, "squares": np.array(count) * bunched, "orders": orders,
         "customers": count, "whole": True}
    )  # fmt: skip


def by_month(contacts: pd.DataFrame, orders: pd.DataFrame, *, as_of: date = AS_OF, **lags) -> pd.DataFrame:
    days = daily_orders(hand.orders(orders), as_of=as_of)
    counts = month_counts(hand.contacts(contacts), day="opened_on", as_of=as_of)
    return monthly_rates(counts, days, as_of=as_of, **lags)


def test_three_months_by_hand():
    orders = hand.steady(3)
    asked = hand.asked(orders, every=10)
    rates = by_month(asked, orders, as_of=date(2025, 3, 15))
    assert rates["count"].tolist() == [10, 10, 5]
    assert rates["orders"].tolist()[:2] == [100, 100]
    assert rates["value"].tolist()[:2] == [10.0, 10.0]
    assert rates["whole"].tolist() == [False, True, False]  # the first one, and the one that as_of cuts
    found = latest_rate(rates)
    assert (found.value, found.n, found.unit) == (10.0, 10, "ratio")
    # Garwood's interval of ten: 4.795 to 18.390
    assert (found.low, found.high) == pytest.approx((4.795, 18.390), abs=0.001)


def test_cancelled_orders_and_orders_after_the_last_day_do_not_count():
    orders = hand.steady(2)
    orders["status"] = np.where(orders.index % 2, "cancelled", "completed")
    assert daily_orders(hand.orders(orders), as_of=date(2025, 1, 31))["orders"].sum() == 50


def test_who_comes_several_times_is_one_customer_for_the_error():
    orders = hand.steady(3)
    one = hand.asked(orders, every=5)
    four = pd.concat([one.iloc[::4]] * 4)
    once, often = by_month(one, orders).iloc[1], by_month(four, orders).iloc[1]
    assert often["count"] == once["count"] == 20
    assert often["squares"] == 4 * once["squares"]
    assert often["high"] - often["low"] > 1.9 * (once["high"] - once["low"])


def test_contacts_are_held_against_the_orders_of_so_many_days_before():
    orders = pd.concat([hand.steady(2, orders_a_month=31), hand.steady(1, orders_a_month=310, first="2025-03-01")])
    orders["order_id"] = [f"o{i}" for i in range(len(orders))]
    asked = hand.asked(orders, every=1, days=40)
    rates = by_month(asked[asked["opened_at"] < "2025-04-01"], orders, as_of=date(2025, 3, 31), lags={"all": 40})
    march = rates[rates["month"] == "2025-03-01"].iloc[0]
    assert march["value"] == pytest.approx(100.0)  # and not one in ten
    assert march["whole"]
    assert not rates["whole"].iloc[:2].any()


def test_an_export_that_begins_late_or_ends_early_is_not_taken_for_silence():
    orders = hand.steady(12)
    asked = hand.asked(orders, every=4)
    part = asked[(asked["opened_at"] >= "2025-04-10") & (asked["opened_at"] < "2025-10-20")]
    rates = by_month(part, orders)
    assert rates.loc[rates["whole"], "month"].dt.month.tolist() == [5, 6, 7, 8, 9]
    holidays = asked[asked["opened_at"] < "2025-12-25"]
    assert by_month(holidays, orders)["whole"].iloc[-1]
    few = asked.iloc[[30, 100, 200]]  # three in a year: silences are chance
    assert by_month(few, orders)["whole"].sum() == 11
    counts = month_counts(hand.contacts(part), day="opened_on", as_of=AS_OF)
    days = daily_orders(hand.orders(orders), as_of=AS_OF)
    assert [d.date() for d in seen_span(counts, days, as_of=AS_OF)] == [date(2025, 4, 10), date(2025, 10, 19)]


def test_a_doubling_a_year_is_found_as_one():
    years = (pd.date_range("2025-01-01", periods=25, freq="MS") - pd.Timestamp("2025-01-01")).days / 365.25
    count = np.rint(1000 * 2**years).astype(int).tolist()
    row = trends(rates_of(count, 10_000)).iloc[0]
    assert row["value"] == pytest.approx(1.0, abs=0.01)
    assert (row["first"], row["last"]) == pytest.approx((10.0, 40.0), rel=0.01)
    assert row["dispersion"] == 1.0
    assert row["verdict"] == GROWS
    assert trends(rates_of(count[::-1], 10_000)).iloc[0]["verdict"] == FALLS
    estimate = trend_estimate(trends(rates_of(count, 10_000)))
    assert estimate.unit == "lift"
    assert estimate.low < 1 < estimate.high


def test_the_fit_is_that_of_a_poisson_regression():
    count, orders = np.array([12, 9, 17, 20, 14, 25, 22]), np.array([100, 90, 120, 150, 110, 160, 130])
    rates = rates_of(count.tolist(), orders.tolist())
    row = trends(rates).iloc[0]
    x = (rates["month"] - rates["month"].iloc[0]).dt.days.to_numpy() / 365.25
    design, beta = np.column_stack([np.ones(7), x]), np.zeros(2)
    beta[0] = np.log(count.sum() / orders.sum())
    for _ in range(50):  # iteratively reweighted least squares
        mean = orders * np.exp(design @ beta)
        beta += np.linalg.solve(design.T * mean @ design, design.T @ (count - mean))
    error = np.sqrt(np.linalg.inv(design.T * mean @ design)[1, 1])
    assert np.log1p(row["value"]) == pytest.approx(beta[1], abs=1e-8)
    assert np.log1p(row["high"]) == pytest.approx(beta[1] + 2.570582 * error, abs=1e-4)  # t with 5 degrees


def test_counts_that_scatter_more_have_wider_intervals():
    steady, wild = rates_of([50] * 12, 1000), rates_of([20, 80] * 6, 1000)
    one, other = trends(steady).iloc[0], trends(wild).iloc[0]
    assert one["dispersion"] == 1.0
    assert other["dispersion"] == pytest.approx((30**2 / 50) * 12 / 10, rel=0.02)
    assert other["high"] - other["low"] > 3 * (one["high"] - one["low"])
    assert trends(rates_of([50] * 12, bunched=2.0)).iloc[0]["dispersion"] == 2.0


def test_growth_comes_first_and_what_is_too_early_last():
    up = rates_of([20, 30, 40, 50, 60, 70, 80, 90], name="up")
    few = rates_of([3] * 8, name="few")
    short = rates_of([90] * (LEAST_MONTHS - 1), name="short")
    frame = trends(pd.concat([few, rates_of([50] * 8, name="flat"), short, up]))
    assert frame["name"].tolist() == ["up", "flat", "short", "few"]
    assert frame["verdict"].tolist() == [GROWS, ALIKE, EARLY, EARLY]
    assert frame["method"].iloc[0].endswith("adjusted for the family (Holm)")
    alone = trends(up)
    assert alone["method"].tolist() == [TREND]  # one by itself is no family
    assert frame["method"].iloc[2] == "fewer than 6 whole months, or than 30 in them"
    assert frame.loc[2:, ["value", "low", "high", "p"]].isna().all().all()
    assert courses_in_words(frame)[0].startswith("Up a hundred: they grow (+")
    assert courses_in_words(frame)[3] == (
        "Few a hundred: whether they grow is too early to say (fewer than 6 whole months, or than 30 in them)."
    )


def test_all_in_the_last_month_has_no_limit_and_is_not_told():
    row = trends(rates_of([0] * 7 + [60])).iloc[0]
    assert row["verdict"] == EARLY
    assert np.isnan(row["value"])


def test_names_judged_together_are_harder_to_call():
    one = rates_of([30, 35, 40, 45, 50, 42, 55, 60], name="a")
    alone = trends(one).iloc[0]
    others = [rates_of([50] * 8, name=f"n{i}") for i in range(9)]
    together = trends(pd.concat([one, *others])).set_index("name").loc["a"]
    assert together["value"] == alone["value"]
    assert together["level"] > alone["level"]
    assert together["low"] < alone["low"]


def test_nothing_gives_nothing():
    orders = hand.steady(1)
    rates = by_month(hand.asked(orders, every=10)[:0], orders)
    assert not len(rates)
    assert not len(trends(rates))
    assert courses_in_words(trends(rates)) == ["Nothing was counted by month yet."]
    assert not trend_estimate(trends(rates)).known
    assert not latest_rate(rates).known
    none = by_month(hand.asked(orders, every=10), orders[:0])
    assert not none["whole"].any()
    assert "nothing to show yet" in [t.get_text() for t in plot_rates(none).texts]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 200), min_size=8, max_size=20), st.integers(2, 50))
def test_growth_does_not_hang_on_the_size_of_the_shop(count, times):
    one, other = trends(rates_of(count, 500)), trends(rates_of(count, 500 * times))
    assert np.allclose(one["value"], other["value"], equal_nan=True)
    assert one["verdict"].tolist() == other["verdict"].tolist()
    row = one.iloc[0]
    if np.isfinite(row["low"]):
        assert row["low"] <= row["value"] <= row["high"]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 5000), st.floats(1, 20))
def test_poisson_ends_hold_the_count(count, bunched):
    low, high = poisson_ends(np.array([count]), np.array([bunched]))
    assert 0 <= low[0] <= count <= high[0]


def test_pictures():
    orders = hand.steady(9)
    rates = by_month(hand.asked(orders, every=5), orders, as_of=date(2025, 9, 30))
    ax = plot_rates(rates, trends=trends(rates), label="Contacts", title="Contacts")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["Month not whole, not used", "Course fitted"]
    assert plot_rates(rates[:1]).get_ylim()[0] == 0
