from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit.errors import UsageError
from cxkit.rewards import describe_rewards, plot_rewards, rewards, rewards_in_words

DAY = date(2026, 6, 30)


def shop(customers=6, refund=0.0):
    """Each: a purchase before the year, then four in it; the second comes 30 days after the first, the third 31."""
    rows = [("g", None, "2026-01-01", 999.0)]
    for i in range(customers):
        days = ("2025-06-20", "2025-07-10", "2025-08-09", "2025-09-09", "2026-06-30")
        rows += [(f"{i}.{n}", f"c{i}", day, 100.0) for n, day in enumerate(days)]
    return orders(rows, refund=refund)


def test_by_hand():
    found = rewards(shop(), as_of=DAY, margin_share=0.4, reward_share=0.1, reward_days=30, free_every=3)
    discount, card = found.to_dict("records")
    # 10 July is 20 days after 20 June, the day before the year; 9 August 30 days after 10 July
    assert (discount["purchases"], discount["customers"], discount["of_purchases"]) == (12, 6, 24)
    assert discount["cost"] == pytest.approx(6 * 2 * 10.0)
    assert discount["base"] == pytest.approx(0.4 * 2400)
    assert discount["share"] == pytest.approx(120 / 960)
    assert discount["break_even"] == pytest.approx(0.125 / 0.875)
    # with 1 / 7 more purchases, each as today: the margin less the rewards is what it was
    assert (1 + discount["break_even"]) * (960 - 120) == pytest.approx(960)
    # 1 / 7 of 24 purchases are 3.43, which is 29 % of the 12 rewarded
    assert discount["more"] == pytest.approx(24 / 7)
    assert discount["more_of_rewarded"] == pytest.approx(2 / 7)
    assert (card["purchases"], card["cost"]) == (6, 600.0)  # the third purchase of the year
    assert card["share"] == pytest.approx(600 / 960)
    assert card["break_even"] == pytest.approx(600 / 360)
    assert found["reward"].to_list() == ["10 % off a purchase within 30 days of the last",
                                         "Every 3rd purchase of the year free"]  # fmt: skip
    assert discount["low"] == pytest.approx(0.125)  # all customers alike
    assert discount["reading"] == "pays from this uplift on"


def test_two_orders_of_a_day_are_one_purchase():
    rows = [
        (f"{i}{n}", f"c{i}", day, 50.0) for i in range(6) for n, day in enumerate(["2026-01-01"] * 2 + ["2026-01-09"])
    ]
    found = rewards(orders(rows), as_of=DAY, margin_share=0.5, free_every=2)
    assert found["of_purchases"].to_list() == [12, 12]
    assert found["purchases"].to_list() == [6, 6]
    assert found["cost"].to_list() == [pytest.approx(6 * 5.0), pytest.approx(6 * 50.0)]


def test_no_margin_no_break_even():
    found = rewards(shop(), as_of=DAY, margin_share=None, free_every=3)
    assert found["of"].to_list() == ["revenue", "revenue"]
    assert found["share"].iloc[0] == pytest.approx(120 / 2400)
    assert found[["break_even", "more", "more_of_rewarded"]].isna().all(axis=None)
    assert len(rewards_in_words(found)) == 2
    assert found["reading"].to_list() == ["not known: no margin"] * 2
    assert rewards_in_words(found)[0].endswith("The uplift at which it pays: not known: no margin.")


def test_a_reward_dearer_than_the_margin():
    found = rewards(shop(), as_of=DAY, margin_share=0.2, free_every=3)
    assert found["reading"].iloc[1] == "costs as much as the whole margin: no uplift pays for it"
    assert np.isnan(found["break_even"].iloc[1])
    below = rewards(shop(), as_of=DAY, margin_share=-0.2)
    assert below["method"].iloc[0] == "the margin of the year is not above zero"


def test_too_few_would_have_earned_it():
    found = rewards(shop(4), as_of=DAY, margin_share=0.4)
    assert found["customers"].isna().iloc[0]
    assert np.isnan(found["cost"].iloc[0])
    assert found["customers"].iloc[1] == 0  # nobody has ten purchases: that hides nobody
    assert found["reading"].to_list() == ["too few customers would have earned it"] * 2
    assert rewards_in_words(found)[0].endswith("too early to say (too few customers would have earned it).")
    nobody = rewards(orders([("1", "anna", "2020-01-01", 1.0)]), as_of=DAY, margin_share=0.4)
    assert nobody["n"].to_list() == [0, 0]


def test_given_back_costs_no_reward():
    found = rewards(shop(refund=150.0), as_of=DAY, margin_share=0.4, free_every=3)
    assert found["cost"].to_list() == [0.0, 0.0]
    assert found["share"].isna().all()  # the revenue of the year lies below zero


@pytest.mark.parametrize(("setting", "words"), [
    ({"reward_share": 1.0}, "reward_share is a share between 0 and 1, as 0.1; found 1"),
    ({"reward_days": 0}, "reward_days must be at least 1; found 0"),
    ({"free_every": 1}, "free_every must be at least 2; found 1"),
    ({"margin_share": 1.5}, "margin_share is what is left of 1 of revenue, at most 1; found 1.5"),
])  # fmt: skip
def test_settings_are_checked(setting, words):
    with pytest.raises(UsageError, match=words):
        rewards(shop(), as_of=DAY, **{"margin_share": 0.3} | setting)


def test_money_scales_and_rows_may_stand_in_any_order():
    raw = random_orders(np.random.default_rng(2), 400)
    times = raw.assign(amount=raw["amount"] * 8)
    mixed = raw.sample(frac=1, random_state=1)
    kept = {"as_of": date(2026, 1, 31), "margin_share": 0.3, "free_every": 3}
    one, other, third = (rewards(table(frame), **kept) for frame in (raw, mixed, times))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert third["cost"].to_list() == pytest.approx((8 * one["cost"]).to_list(), rel=1e-6)
    assert third["high"].to_list() == pytest.approx(one["high"].to_list(), rel=1e-6)


def test_the_picture_and_its_words():
    import matplotlib

    matplotlib.use("Agg")
    found = rewards(shop(), as_of=DAY, margin_share=0.4, free_every=3)
    assert plot_rewards(found).texts[0].get_text() == "+14 %"
    assert "10 % off a purchase within 30 days of the last: +14 %" in describe_rewards(found)
    texts = rewards_in_words(found, currency="UAH")
    assert "It pays where all purchases rise by 14 % or more" in texts[0]
    assert texts[0].endswith(": 3 more, which is 29 % of those rewarded.")
    assert texts[-1].startswith("The further purchases are taken to be rewarded as often as today's")
    without = rewards(shop(), as_of=DAY, margin_share=None, free_every=3)
    assert plot_rewards(without).texts[0].get_text() == "not known: no margin"
    matplotlib.pyplot.close("all")
