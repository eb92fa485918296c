import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit import retention_economics as economics
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.kept_customers import PARTS, NewCustomer

HORIZON = {"discount_a_year": 0.1, "period_days": 180, "seed": 1}
RATE = 1.1 ** (180 / 365) - 1
NO_COST = unknown("money", method="what winning a customer costs is not known")


def money(value, error=1.0):
    return Estimate(value, value - 1.959964 * error, value + 1.959964 * error, 500, "money", 0.95, "Student's t")


def customer(kept=0.45, *, new_kept=0.4, first=80.0, left=100.0, won=30.0):
    """A new customer of a shop whose numbers rest on 1,000 customers each."""
    return NewCustomer(
        first=money(first),
        new_kept=wilson(round(1000 * new_kept), 1000),
        kept=wilson(round(1000 * kept), 1000),
        left=money(left),
        won=money(won) if won else NO_COST,
    )


def profit(new_kept, kept, *, first=80.0, left=100.0, won=30.0):
    return economics.customer_profit(first, new_kept, kept, left, won, discount=RATE, periods=6)


def test_profit_by_hand():
    # 80 now; 40 of 100 come again and leave 100 each: 40; half of these once more: 20. 140 less 30
    assert economics.customer_profit(80.0, 0.4, 0.5, 100.0, 30.0, discount=0.0, periods=3) == pytest.approx(110.0)
    # a quarter dearer with each period: 40 / 1.25 + 20 / 1.5625 = 32 + 12.8
    assert economics.customer_profit(80.0, 0.4, 0.5, 100.0, 0.0, discount=0.25, periods=3) == pytest.approx(124.8)
    # what keeping costs comes off what a kept customer leaves: 80 + 0.4 * 90 + 0.2 * 90
    assert economics.customer_profit(80.0, 0.4, 0.5, 90.0, 0.0, discount=0.0, periods=3) == pytest.approx(134.0)
    assert economics.customer_profit(80.0, 0.4, 0.5, 100.0, 0.0, discount=0.0, periods=1) == 80.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.integers(1, 12))
def test_a_first_step_as_all_others_is_berger_and_nasrs_first_case(kept, discount, periods):
    theirs = 100.0 * sum((kept / (1 + discount)) ** k for k in range(periods)) - 20.0
    ours = economics.customer_profit(100.0, kept, kept, 100.0, 20.0, discount=discount, periods=periods)
    assert ours == pytest.approx(theirs)


def test_new_customers_are_told_from_new_customers():
    """Numbers of those who stayed would flatter the new ones: 100 in the first period and 45 % kept."""
    table = economics.profit_by_retention(customer(), **HORIZON)
    flattered = economics.profit_by_retention(customer(new_kept=0.45, first=100.0), **HORIZON)
    assert flattered["profit"].iloc[0] - table["profit"].iloc[0] > 20
    assert table["profit"].iloc[0] == pytest.approx(profit(0.4, 0.45))


def test_the_table_is_the_formula():
    table = economics.profit_by_retention(customer(), **HORIZON)
    assert table["points"].to_list() == list(range(11))
    expected = [profit(0.4 + k / 100, 0.45 + k / 100) for k in range(11)]
    assert table["profit"].to_list() == pytest.approx(expected)
    assert table["new_kept"].to_list() == pytest.approx([0.4 + k / 100 for k in range(11)])
    five = economics.change_at(table)
    assert five.value == pytest.approx(expected[5] / expected[0] - 1)
    assert five.low < five.value < five.high
    again = economics.profit_by_retention(customer(), **HORIZON)
    assert again.equals(table)


@pytest.mark.parametrize("part", ["first", "new_kept", "kept", "left", "won"])
def test_the_interval_covers_every_part(part):
    """A part that is less certain widens the interval of the profit."""
    import dataclasses

    sure = customer()
    share = part in ("new_kept", "kept")
    value = getattr(sure, part).value
    unsure = wilson(round(50 * value), 50) if share else money(value, 15.0)
    unsure = dataclasses.replace(sure, **{part: unsure})
    widths = [
        (table["profit_high"] - table["profit_low"]).iloc[0]
        for table in (economics.profit_by_retention(new, **HORIZON) for new in (sure, unsure))
    ]
    assert widths[1] > 1.3 * widths[0]


def test_parts_that_go_together_widen_the_interval():
    """All four as one: the errors add up straight, and not as the root of their squares."""
    import dataclasses

    apart = economics.profit_by_retention(customer(), **HORIZON)
    one = dataclasses.replace(customer(), together=((1.0,) * 4,) * 4)
    together = economics.profit_by_retention(one, **HORIZON)
    none = dataclasses.replace(customer(), together=tuple(tuple(row) for row in np.eye(4)))
    widths = [(table["profit_high"] - table["profit_low"]).iloc[0] for table in (apart, together)]
    assert widths[1] > 1.3 * widths[0]
    assert economics.profit_by_retention(none, **HORIZON)["profit_low"].to_list() == apart["profit_low"].to_list()
    parts = [[profit(0.4, 0.45, **{name: at + step}) for step in (-1.959964, 1.959964)]
             for name, at in (("first", 80.0), ("left", 100.0))]  # fmt: skip
    for share in (0, 1):
        ends = [wilson(400, 1000), wilson(450, 1000)][share]
        moved = [(ends.low, 0.45), (ends.high, 0.45)] if not share else [(0.4, ends.low), (0.4, ends.high)]
        parts.append([profit(*pair) for pair in moved])
    assert widths[1] == pytest.approx(sum(high - low for low, high in parts), rel=0.06)


def test_what_keeping_costs_is_taken_off():
    table = economics.profit_by_retention(customer(), **HORIZON, keeping_cost=10.0)
    assert table["profit"].iloc[0] == pytest.approx(profit(0.4, 0.45, left=90.0))
    most = economics.most_to_pay(customer(), **HORIZON, keeping_cost=10.0)
    assert most.value == pytest.approx(profit(0.4, 0.45, left=90.0, won=0.0))
    dear = economics.points_needed(customer(), **HORIZON, keeping_cost=110.0)
    assert dear["reading"].to_list() == ["cannot be reached here"] * 2


def test_the_most_to_pay_is_the_profit_before_the_cost_of_winning():
    most = economics.most_to_pay(customer(), **HORIZON)
    assert most.value == pytest.approx(profit(0.4, 0.45, won=0.0))
    assert most.low < most.value < most.high
    assert (most.n, most.unit) == (1000, "money")
    # the cost of winning does not enter, known or not
    assert economics.most_to_pay(customer(won=None), **HORIZON).value == most.value
    lost = NewCustomer(NO_COST, *(getattr(customer(), part) for part in ("new_kept", "kept", "left", "won")))
    assert not economics.most_to_pay(lost, **HORIZON).known


def test_without_a_cost_of_winning_money_scales():
    shares = wilson(400, 1000), wilson(450, 1000)
    one, other = (
        economics.profit_by_retention(
            NewCustomer(money(8 * m, m / 9), *shares, money(10 * m, m / 7), NO_COST), **HORIZON
        )
        for m in (1.0, 99.0)
    )
    assert one["change"].to_list() == pytest.approx(other["change"].to_list())
    assert one["high"].to_list() == pytest.approx(other["high"].to_list())


def test_more_than_all_cannot_be_kept():
    table = economics.profit_by_retention(customer(0.97, new_kept=0.95), **HORIZON)
    assert table["profit"].notna().to_list() == [True] * 6 + [False] * 5
    assert table["kept"].iloc[5] == 1.0
    assert table["method"].iloc[6] == "more than all customers cannot be kept"
    assert not economics.change_at(economics.profit_by_retention(customer(1.0, new_kept=1.0), **HORIZON)).known


def test_where_today_brings_nothing_no_share_is_told():
    poor = customer(first=8.0, left=10.0, won=16.0)
    table = economics.profit_by_retention(poor, **HORIZON)
    assert table["profit"].notna().all()
    assert table["change"].isna().all()
    assert "today's profit is not told apart from nothing" in economics.change_at(table).method
    assert economics.points_needed(poor, **HORIZON)["reading"].to_list() == ["not known"] * 2
    assert "not told (" in told(poor)[4]


def test_a_part_that_is_missing():
    import dataclasses

    for part, words in PARTS.items():
        unit = "share" if "kept" in part else "money"
        lacking = dataclasses.replace(customer(), **{part: unknown(unit, method="none")})
        assert economics.profit_by_retention(lacking, **HORIZON).empty
        assert not economics.change_at(economics.profit_by_retention(lacking, **HORIZON)).known
        assert economics.points_needed(lacking, **HORIZON)["reading"].to_list() == ["not known"] * 2
        assert told(lacking) == [f"What keeping more customers is worth: too early to say ({words}: none)."]


def test_the_points_that_are_needed():
    needed = economics.points_needed(customer(), **HORIZON)
    for row in needed.itertuples():
        more = row.points / 100
        assert profit(0.4 + more, 0.45 + more) / profit(0.4, 0.45) - 1 == pytest.approx(row.target)
        assert row.low < row.points < row.high
    assert needed["reading"].to_list() == ["within ten points", "beyond ten points"]
    dear = economics.points_needed(customer(0.8, new_kept=0.8, first=100.0, won=300.0), **HORIZON)
    assert dear["reading"].iloc[0] == "within ten points"
    high = economics.points_needed(customer(0.9, new_kept=0.9, won=None), **HORIZON)
    assert high["reading"].iloc[1] == "cannot be reached here"
    assert np.isnan(high["points"].iloc[1])


@given(st.floats(0.0, 0.9), st.floats(1.0, 500.0), st.integers(2, 12))
def test_more_retention_never_lowers_profit(share, left, periods):
    steps = np.linspace(share, 1, 7)
    profits = economics.customer_profit(50.0, steps, steps, left, 5.0, discount=0.05, periods=periods)
    assert (np.diff(profits) >= 0).all()


def told(new, *, margin_known=True, **extra):
    table, needed, most = (
        make(new, **HORIZON, **extra)
        for make in (economics.profit_by_retention, economics.points_needed, economics.most_to_pay)
    )
    told_of = {"period_days": 180, "margin_known": margin_known, "currency": "UAH"}
    return economics.economics_in_words(new, table, needed, most, **told_of, **extra)


def test_in_words():
    texts = told(customer())
    assert texts[0].startswith("In the first 180 days a new customer leaves 80 UAH (78")
    assert "above the goods' costs; of the new customers 40 % (37–43 %, n = 1,000) order" in texts[0]
    assert texts[1].startswith("Of all customers of one period of 180 days 45 % (42–48 %, n = 1,000) order in the next")
    assert "leaves 100 UAH (98" in texts[1]
    assert texts[2].startswith("Over 6 periods of 180 days a new customer leaves 14")
    assert texts[2].endswith("before the cost of winning: the most that may be paid to win one.")
    assert texts[3].startswith("Winning one costs 30 UAH")
    assert "With 5 percentage points more retention the profit changes by" in texts[4]
    assert texts[-1].endswith("beyond ten points.")
    kept = told(customer(), keeping_cost=10.0)
    assert kept[2] == "Keeping a customer costs 10 UAH in a period, which is taken off."
    assert "all profits are too large by it" in told(customer(won=None))[3]
    assert "cannot be reached here: if all were kept it would be" in told(customer(0.9, new_kept=0.9, won=None))[-1]


def test_without_a_margin_nothing_may_be_paid_for_certain():
    texts = told(customer(), margin_known=False)
    assert "of revenue (no margin is known)" in texts[0]
    assert texts[2].endswith("what of it may be paid to win one is not known without a margin.")
    assert told(customer(first=-900.0))[2].endswith("no price of winning one pays.")


def test_no_code_in_a_sentence():
    for text in [*told(customer(), keeping_cost=10.0), *told(customer(won=None), margin_known=False)]:
        assert "_" not in text
        assert ("S2" in text) == text.startswith("Quoted"), "an article is named where it is quoted, and nowhere else"


def test_the_claim_the_findings_and_the_picture():
    import matplotlib

    matplotlib.use("Agg")
    new = customer()
    table = economics.profit_by_retention(new, **HORIZON)
    (claim,) = economics.claims_checked(table).to_dict("records")
    assert (claim["theirs"], claim["reading"]) == ("+95 %", "their figure lies above our interval")
    assert "Reichheld & Sasser, 1990, print 25 to 85 %" in claim["claim"]
    assert economics.claims_checked(table[:0])["reading"].iloc[0].startswith("cannot be checked here")
    found = economics.retention_findings(new, table, period_days=180)
    assert [f.id for f in found] == ["loyalty.period_retention", "loyalty.five_points"]
    assert found[0].sentence().startswith("45 % of the customers of one period of 180 days")
    assert economics.plot_profit(table).texts[0].get_text().startswith("quoted for 5 points")
    assert "with 10 points more" in economics.describe_profit(table)
    assert economics.plot_profit(table[:0]).texts[1].get_text() == "not known here"
    assert "not known here" in economics.describe_profit(table[:0])
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize(("setting", "words"), [
    ({"discount_a_year": -0.1}, "discount_a_year must be 0 or more, as 0.1; found -0.1"),
    ({"period_days": 0}, "period_days must be at least 1; found 0"),
    ({"periods": 0}, "periods must be at least 1; found 0"),
    ({"keeping_cost": -1.0}, "keeping_cost must be above 0, or None where it is not known; found -1"),
    ({"keeping_cost": 0.0}, "keeping_cost must be above 0, or None where it is not known; found 0"),
])  # fmt: skip
def test_settings_are_checked(setting, words):
    for make in (economics.profit_by_retention, economics.points_needed, economics.most_to_pay):
        with pytest.raises(UsageError, match=words):
            make(customer(), **HORIZON | setting)
