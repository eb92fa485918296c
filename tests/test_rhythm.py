from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders

from cxkit import rhythm
from cxkit.errors import UsageError


def daily(counts, first="2026-01-05"):  # a Monday
    days = pd.date_range(first, periods=len(counts), freq="D")
    return pd.DataFrame({"day": days, "orders": np.asarray(counts, dtype="int64"), "revenue": 0.0})


def busy(seed=1, weeks=40, sunday=True):
    rng = np.random.default_rng(seed)
    mean = np.tile([60, 50, 50, 55, 70, 90, 30 if sunday else 0], weeks)
    return rng.poisson(mean * np.exp(rng.normal(0, 0.1, len(mean))))


def test_days_by_hand():
    lines = [
        ("1", "anna", "2026-01-05", 10.0),
        ("1", "anna", "2026-01-05", 5.0),
        ("2", None, "2026-01-05", 10.0),
        ("3", "anna", "2026-01-07", 10.0),
        ("4", "anna", "2026-01-08", 10.0),  # cancelled
        ("5", "anna", "2026-01-10", 10.0),  # after as_of
    ]
    frame = rhythm.daily_orders(
        orders(lines, status=["completed"] * 4 + ["cancelled", "completed"]), as_of=date(2026, 1, 9)
    )
    assert frame["day"].dt.day.to_list() == [5, 6, 7, 8, 9]
    assert frame["orders"].to_list() == [2, 0, 1, 0, 0]
    assert frame["revenue"].to_list() == [25, 0, 10, 0, 0]
    none = rhythm.daily_orders(orders(lines[:0]), as_of=date(2026, 1, 9))
    assert len(none) == 0
    assert len(rhythm.gaps(none)) == 0


def test_closed_sundays_are_the_shops_week_and_a_silent_week_is_not():
    counts = busy(sunday=False)
    counts[100:107] = 0
    found = rhythm.gaps(daily(counts))
    assert found["unusual"].to_list() == [True] + [False] * 39  # the 40th Sunday lies within the week
    first = found.iloc[0]
    # day 100 is a Wednesday; the silence before Wednesday's week is a day's, and the Sunday belongs to it
    assert (first["days"], first["first_day"]) == (7, pd.Timestamp("2026-01-05") + pd.Timedelta(days=100))
    assert 330 < first["expected_orders"] < 410


def test_a_lone_silent_day_of_a_busy_shop_is_unusual_and_of_a_small_one_is_not():
    counts = busy()
    counts[150] = 0
    assert rhythm.gaps(daily(counts))["unusual"].to_list() == [True]
    small = np.random.default_rng(3).poisson(0.7, 400)
    found = rhythm.gaps(daily(small))
    assert len(found) > 50
    assert not found["unusual"].any()


def test_a_growing_shop_is_judged_by_its_size_then():
    """Early on it had an order every other day, so that five days without one are nothing; later they are a fault."""
    rng = np.random.default_rng(1)
    counts = np.concatenate([rng.poisson(0.5, 140), rng.poisson(40, 500)])
    counts[60:65] = 0
    assert not rhythm.gaps(daily(counts))["unusual"].any()
    counts[400:405] = 0
    found = rhythm.gaps(daily(counts))
    assert found["unusual"].sum() == 1
    assert found["expected_orders"].iloc[0] == pytest.approx(200, rel=0.1)


def test_a_day_with_ten_times_the_orders_is_odd_in_a_small_shop_too():
    counts = np.random.default_rng(2).poisson(3, 300)
    counts[150] = 30
    found = rhythm.odd_days(daily(counts))
    assert found["orders"].to_list() == [30]
    assert found["score"].iloc[0] > 5


def test_in_a_large_shop_a_small_excess_is_certain_and_not_odd():
    counts = np.full(300, 10_000) + np.arange(300)
    counts[150] += 1_000
    assert len(rhythm.odd_days(daily(counts))) == 0


def test_silence_up_to_as_of_is_a_gap():
    found = rhythm.gaps(daily([*busy(), *[0] * 10]))
    assert (found["days"].iloc[0], bool(found["unusual"].iloc[0])) == (10, True)


def test_odd_days_are_found_in_both_directions():
    counts = busy()
    counts[60] *= 5
    counts[130] //= 8
    found = rhythm.odd_days(daily(counts))
    assert found["direction"].to_list() == ["more", "fewer"]
    assert (found["day"] - pd.Timestamp("2026-01-05")).dt.days.to_list() == [60, 130]
    assert found["times"].iloc[0] == pytest.approx(counts[60] / found["usual"].iloc[0], rel=0.02)


def test_ordinary_shops_have_hardly_any_odd_day():
    """Busy, small, growing and weekly shops, 30 of each: together 33,600 days, of which a few may be odd by chance."""
    odd = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shops = [busy(seed), rng.poisson(0.7, 280), rng.poisson(12, 280), rng.poisson(np.linspace(5, 100, 280))]
        odd += sum(len(rhythm.odd_days(daily(counts))) for counts in shops)
    assert odd <= 15


def test_a_season_is_not_odd_and_a_constant_shop_has_no_spread():
    season = np.round(100 * np.exp(np.sin(np.arange(365) / 58))).astype(int)
    assert len(rhythm.odd_days(daily(season))) == 0
    constant = np.full(200, 50)
    assert len(rhythm.odd_days(daily(constant))) == 0
    constant[100] = 120
    assert rhythm.odd_days(daily(constant))["orders"].to_list() == [120]


def test_a_short_history_has_no_odd_day():
    assert len(rhythm.odd_days(daily([5, 50, 5, 5, 5, 5, 5, 5, 500]))) == 0
    with pytest.raises(UsageError, match="weeks must be at least 2"):
        rhythm.odd_days(daily([1, 2, 3]), weeks=1)


def test_the_picture_marks_both(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    counts = busy()
    counts[60] *= 5
    counts[100:107] = 0
    frame = daily(counts)
    ax = rhythm.plot_daily(frame, rhythm.odd_days(frame), rhythm.gaps(frame))
    names = [t.get_text() for t in ax.get_legend().get_texts()]
    assert names == ["Days without orders that the shop's week does not explain", "Odd days"]
    ax.figure.savefig(tmp_path / "daily.png")
    matplotlib.pyplot.close(ax.figure)
