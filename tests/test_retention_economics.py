from datetime import date

import numpy as np
import pytest
from hand_orders import orders, random_orders, table
from hypothesis import given
from hypothesis import strategies as st

from cxkit import retention_economics as economics
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson

DAY = date(2026, 6, 30)
HORIZON = {"discount_a_year": 0.1, "period_days": 180, "periods": 6, "seed": 1}
NO_COST = unknown("money", method="what winning a customer costs is not known")


def money(value, error=1.0):
    return Estimate(value, value - 1.959964 * error, value + 1.959964 * error, 500, "money", 0.95, "Student's t")


def lines():
    """Periods of ten days: 21 to 30 June the last, 11 to 20 June the one before."""
    rows = [("0", None, "2026-06-01", 1.0), ("old", "old", "2026-06-10", 1.0), ("late", "late", "2026-06-21", 500.0)]
    for i in range(8):
        rows.append((f"a{i}", f"c{i}", "2026-06-11" if i % 2 else "2026-06-20", 10.0))
        if i < 6:
            rows += [(f"b{i}", f"c{i}", "2026-06-21", 10.0 * (i + 1)), (f"d{i}", f"c{i}", "2026-06-30", 10.0)]
    return rows


def test_by_hand():
    kept = economics.period_retention(orders(lines()), as_of=DAY, days=10)
    assert (kept.value, kept.n, kept.method) == (6 / 8, 8, "Wilson")
    left = economics.margin_per_period(orders(lines()), as_of=DAY, days=10, margin_share=0.5)
    assert (left.value, left.n) == (pytest.approx(0.5 * (35 + 10)), 6)  # 10 to 60, and ten more each
    whole = economics.margin_per_period(orders(lines()), as_of=DAY, days=10, margin_share=None)
    assert whole.value == pytest.approx(45.0)


def test_too_short_and_too_few():
    kept = economics.period_retention(orders(lines()), as_of=DAY, days=16)
    assert kept.method == "the data hold no two whole periods of 16 days"
    assert not economics.margin_per_period(orders(lines()), as_of=DAY, days=16, margin_share=0.5).known
    few = orders([("0", None, "2026-06-01", 1.0), ("1", "anna", "2026-06-12", 1.0)])
    assert economics.period_retention(few, as_of=DAY, days=10).method == "fewer than 5 customers in the earlier period"
    nobody = economics.margin_per_period(few, as_of=DAY, days=10, margin_share=0.5)
    assert nobody.method == "fewer than 5 customers were kept"
    with pytest.raises(UsageError, match="days must be at least 1; found 0"):
        economics.period_retention(few, as_of=DAY, days=0)
    with pytest.raises(UsageError, match=r"margin_share is what is left of 1 of revenue, at most 1; found 1.2"):
        economics.margin_per_period(few, as_of=DAY, days=10, margin_share=1.2)


def test_profit_by_hand():
    # 100 now, half of it a period later, a quarter after two: 175, less 20
    assert economics.customer_profit(0.5, 100.0, 20.0, discount=0.0, periods=3) == 155.0
    assert economics.customer_profit(0.5, 100.0, 0.0, discount=0.25, periods=2) == pytest.approx(140.0)


def test_the_table_is_the_formula():
    kept, left, cost = wilson(450, 1000), money(100.0), money(30.0)
    table = economics.profit_by_retention(kept, left, cost, **HORIZON)
    assert table["points"].to_list() == list(range(11))
    rate = 1.1 ** (180 / 365) - 1
    expected = [economics.customer_profit(0.45 + k / 100, 100.0, 30.0, discount=rate, periods=6) for k in range(11)]
    assert table["profit"].to_list() == pytest.approx(expected)
    five = economics.change_at(table)
    assert five.value == pytest.approx(expected[5] / expected[0] - 1)
    assert five.low < five.value < five.high
    again = economics.profit_by_retention(kept, left, cost, **HORIZON)
    assert again.equals(table)


def test_without_a_cost_of_winning_the_margin_does_not_matter():
    one, other = (
        economics.profit_by_retention(wilson(450, 1000), money(m, m / 50), NO_COST, **HORIZON) for m in (10.0, 999.0)
    )
    assert one["change"].to_list() == pytest.approx(other["change"].to_list())
    assert one["high"].to_list() == pytest.approx(other["high"].to_list())


def test_more_than_all_cannot_be_kept():
    table = economics.profit_by_retention(wilson(95, 100), money(100.0), NO_COST, **HORIZON)
    assert table["profit"].notna().to_list() == [True] * 6 + [False] * 5
    assert table["method"].iloc[6] == "more than all customers cannot be kept"
    everybody = economics.profit_by_retention(wilson(100, 100), money(100.0), NO_COST, **HORIZON)
    assert not economics.change_at(everybody).known


def test_where_today_brings_nothing_no_share_is_told():
    table = economics.profit_by_retention(wilson(450, 1000), money(10.0), money(18.0), **HORIZON)
    assert table["profit"].notna().all()
    assert table["change"].isna().all()
    assert "today's profit is not told apart from nothing" in economics.change_at(table).method
    needed = economics.points_needed(wilson(450, 1000), money(10.0), money(18.0), **HORIZON)
    assert needed["reading"].to_list() == ["not known"] * 2
    empty = economics.profit_by_retention(unknown("share", method="none"), money(1.0), NO_COST, **HORIZON)
    assert empty.empty
    assert not economics.change_at(empty).known


def test_the_points_that_are_needed():
    kept, left, cost = wilson(450, 1000), money(100.0), money(30.0)
    needed = economics.points_needed(kept, left, cost, **HORIZON)
    rate = 1.1 ** (180 / 365) - 1
    profit = lambda r: economics.customer_profit(r, 100.0, 30.0, discount=rate, periods=6)  # noqa: E731
    for row in needed.itertuples():
        assert profit(0.45 + row.points / 100) / profit(0.45) - 1 == pytest.approx(row.target)
        assert row.low < row.points < row.high
    assert needed["reading"].to_list() == ["beyond ten points", "beyond ten points"]
    dear = economics.points_needed(wilson(800, 1000), left, money(300.0), **HORIZON)
    assert dear["reading"].iloc[0] == "within ten points"
    high = economics.points_needed(wilson(900, 1000), left, NO_COST, **HORIZON)
    assert high["reading"].iloc[1] == "cannot be reached here"
    assert np.isnan(high["points"].iloc[1])
    missing = economics.points_needed(unknown("share"), left, cost, **HORIZON)
    assert missing["reading"].to_list() == ["not known", "not known"]


@given(st.floats(0.0, 0.9), st.floats(1.0, 500.0), st.integers(2, 12))
def test_more_retention_never_lowers_profit(share, margin, periods):
    profits = economics.customer_profit(np.linspace(share, 1, 7), margin, 5.0, discount=0.05, periods=periods)
    assert (np.diff(profits) >= 0).all()


def told(kept, left, cost):
    table = economics.profit_by_retention(kept, left, cost, **HORIZON)
    needed = economics.points_needed(kept, left, cost, **HORIZON)
    return economics.economics_in_words(
        kept, left, cost, table, needed, period_days=180, periods=6, margin_known=True, currency="UAH"
    )


def test_in_words():
    texts = told(wilson(450, 1000), money(100.0), money(30.0))
    assert texts[0].startswith("Of the customers of one period of 180 days, 45 % order in the next one too")
    assert "100 UAH in it" in texts[0]
    assert "Winning a customer costs 30 UAH" in texts[1]
    assert "5 percentage points more retention" in texts[2]
    assert texts[3].endswith("beyond ten points.")
    assert "all profits are too large by it" in told(wilson(450, 1000), money(100.0), NO_COST)[1]
    assert "cannot be reached here: if all were kept it would be" in told(wilson(900, 1000), money(100.0), NO_COST)[-1]
    assert told(unknown("share", method="none"), money(1.0), NO_COST) == [
        "What keeping more customers is worth: too early to say (how many customers are kept: none)."
    ]
    assert "not told (" in told(wilson(450, 1000), money(10.0), money(18.0))[2]


def test_the_claim_the_findings_and_the_picture():
    import matplotlib

    matplotlib.use("Agg")
    kept = wilson(450, 1000)
    table = economics.profit_by_retention(kept, money(100.0), money(30.0), **HORIZON)
    (claim,) = economics.claims_checked(table).to_dict("records")
    assert (claim["theirs"], claim["reading"]) == ("+95 %", "their figure lies above our interval")
    assert "25 to 95 %" in claim["claim"]
    assert economics.claims_checked(table[:0])["reading"].iloc[0].startswith("cannot be checked here")
    found = economics.retention_findings(kept, table, period_days=180)
    assert [f.id for f in found] == ["loyalty.period_retention", "loyalty.five_points"]
    assert found[0].sentence().startswith("45 % of the customers of one period of 180 days")
    assert economics.plot_profit(table).texts[0].get_text().startswith("quoted for 5 points")
    assert "with 10 points more" in economics.describe_profit(table)
    nothing = economics.profit_by_retention(unknown("share", method="none"), money(1.0), NO_COST, **HORIZON)
    assert economics.plot_profit(nothing).texts[1].get_text() == "not known here"
    assert "not known here" in economics.describe_profit(table[:0])
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(("setting", "words"), [
    ({"discount_a_year": -0.1}, "discount_a_year must be 0 or more, as 0.1; found -0.1"),
    ({"period_days": 0}, "period_days must be at least 1; found 0"),
    ({"periods": 0}, "periods must be at least 1; found 0"),
])  # fmt: skip
def test_settings_are_checked(setting, words):
    with pytest.raises(UsageError, match=words):
        economics.profit_by_retention(wilson(4, 9), money(1.0), NO_COST, **HORIZON | setting)


def test_the_order_of_rows_does_not_matter():
    raw = random_orders(np.random.default_rng(6), 300)
    found = [
        economics.margin_per_period(table(frame), as_of=date(2026, 1, 31), days=150, margin_share=0.3)
        for frame in (raw, raw.sample(frac=1, random_state=4))
    ]
    assert found[0].known
    assert found[0] == found[1]
