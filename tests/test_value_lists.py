"""Lists and tiers from the customers' values: small shops whose answer can be seen."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxkit import value_lists
from cxkit.errors import UsageError
from cxkit.estimates import Estimate


def values(rows: list[tuple]) -> pd.DataFrame:
    """Customers (x, t_x, T, revenue, p_alive, value), named c00, c01, …"""
    frame = pd.DataFrame(rows, columns=["x", "t_x", "T", "revenue", "p_alive", "value"])
    names = [f"c{number:02d}" for number in range(len(frame))]
    return frame.assign(customer_id=names, expected_purchases=frame["value"] / 10, expected_spend=10.0)


SHOP = values(
    [(0, 0.0, 10.0, 10.0, 1.0, 2.0)] * 7
    + [
        (5, 20.0, 60.0, 600.0, 0.2, 10.0),  # much so far, probably gone: were he alive, 50 would come
        (9, 58.0, 60.0, 900.0, 0.9, 90.0),
        (1, 10.0, 60.0, 20.0, 0.1, 1.0),  # probably gone, never spent much
    ]
)


def test_the_best_customers_come_first_and_ties_by_their_id():
    best = value_lists.best_customers(SHOP, 4)
    assert list(best["customer_id"]) == ["c08", "c07", "c00", "c01"]
    assert list(best["purchases"]) == [10, 6, 1, 1]


def test_the_list_of_best_customers_holds_at_least_one():
    with pytest.raises(UsageError, match="at least 1; found 0"):
        value_lists.best_customers(SHOP, 0)


def test_who_slips_away_spent_much_and_probably_buys_no_more():
    """Of ten, two are above the border of the top fifth (20 and below stay under it): one of them is likely gone."""
    slipping = value_lists.slipping_away(SHOP, likely_gone=0.5)
    assert slipping.to_dict("records") == [
        {"customer_id": "c07", "purchases": 6, "revenue": 600.0, "silent_weeks": 40.0, "p_alive": 0.2, "at_stake": 50.0}
    ]


def test_whoever_is_certainly_gone_has_nothing_at_stake():
    gone = values([(0, 0.0, 9.0, 1.0, 1.0, 1.0)] * 4 + [(9, 1.0, 500.0, 100.0, 0.0, 0.0)])
    assert list(value_lists.slipping_away(gone, likely_gone=0.5)["at_stake"]) == [0.0]


def test_nobody_slips_away_where_all_spent_the_same_or_nobody_is_there():
    same = values([(3, 1.0, 90.0, 50.0, 0.1, 1.0)] * 10)
    assert value_lists.slipping_away(same, likely_gone=0.5).empty
    assert value_lists.slipping_away(same[:0], likely_gone=0.5).empty


@pytest.mark.parametrize("chance", [0.0, 1.0, 50.0])
def test_a_probability_lies_between_nought_and_one(chance):
    with pytest.raises(UsageError, match="likely_gone is a probability between 0 and 1"):
        value_lists.slipping_away(SHOP, likely_gone=chance)


def test_the_share_that_lies_with_those_likely_gone():
    share = value_lists.slipping_share(SHOP, likely_gone=0.5)
    assert share.value == pytest.approx(620 / 1590)
    assert share.low < share.value < share.high
    assert share.n == 10


def test_the_share_is_unknown_where_more_was_given_back_than_paid():
    shop = SHOP.assign(revenue=-SHOP["revenue"])
    assert not value_lists.slipping_share(shop, likely_gone=0.5).known


def test_what_few_people_spent_is_not_told():
    slipping = value_lists.slipping_away(SHOP, likely_gone=0.5)
    said = {"likely_gone": 0.5, "weeks": 52, "currency": "zł", "unit": "revenue"}
    text = value_lists.slipping_in_words(slipping, **said)
    assert text.startswith("Fewer than 5 customers of the top 20 %")
    assert "600" not in text
    assert value_lists.slipping_in_words(slipping[:0], **said).startswith("No customers of the top 20 %")
    six = value_lists.slipping_in_words(pd.concat([slipping] * 6), **said)
    assert "6 customers of the top 20 %" in six
    assert "They spent 3,600 zł so far" in six
    assert "300 zł of revenue in the next 52 weeks" in six


def test_the_grid_shows_means_of_five_and_more_and_nobody_who_bought_once():
    six = [(1, 8.0, 10.0, 1.0, chance, 1.0) for chance in (0.4, 0.5, 0.6, 0.4, 0.5, 0.6)]  # two weeks silent
    few = [(1, 0.0, 30.0, 1.0, 0.1, 1.0)] * 3
    once = [(0, 0.0, 3.0, 1.0, 1.0, 1.0)] * 9
    grid = value_lists.alive_grid(values(six + few + once)).set_index(["purchases", "silent_weeks"])
    assert grid.loc[("2", "up to 4"), "p_alive"] == pytest.approx(0.5)
    assert np.isnan(grid.loc[("2", "26–52"), "p_alive"])
    assert np.isnan(grid.loc[("2", "26–52"), "customers"])
    assert grid["customers"].sum() == 6
    text = value_lists.describe_alive(grid.reset_index())
    assert "2 purchases, silent up to 4 weeks: 50 %" in text
    ax = value_lists.plot_alive(grid.reset_index())
    assert [t.get_text() for t in ax.texts if t.get_text()] == ["50 %"]
    plt.close(ax.figure)


def test_a_silence_on_the_border_lies_in_the_shorter_class_and_no_day_is_lost():
    rows = [(2, 0.0, silence, 1.0, 0.5, 1.0) for silence in (0.0, 4.0, 4.1, 8.0, 52.0, 52.1, 900.0) for _ in range(5)]
    grid = value_lists.alive_grid(values(rows))
    assert list(grid.loc[grid["purchases"] == "3", "customers"]) == [10, 10, 0, 0, 5, 10]


def test_an_empty_grid_says_so():
    grid = value_lists.alive_grid(SHOP[:0])
    assert "Too few customers" in value_lists.describe_alive(grid)
    ax = value_lists.plot_alive(grid)
    plt.close(ax.figure)


def test_customers_who_bought_once_are_counted():
    assert value_lists.one_timers_in_words(SHOP, weeks=52) == (
        "7 of 10 customers bought once. The model cannot say who of them is gone for good; it expects 0.20 purchases "
        "of each in the next 52 weeks on average."
    )
    assert value_lists.one_timers_in_words(SHOP[6:], weeks=52) == "Fewer than 5 customers bought only once."


def test_tiers_by_what_is_to_come():
    rows = [(1, 1.0, 9.0, 5.0, 0.5, float(worth)) for worth in range(1, 101)]
    table = value_lists.value_tiers(values(rows)).set_index("tier")
    assert list(table["customers"]) == [10, 20, 70]
    assert table.loc["great", "share_of_value"] == pytest.approx(sum(range(91, 101)) / 5050)
    assert {"value", "value_from", "value_per_customer"} <= set(table.columns)
    assert not [name for name in table.columns if "revenue" in name]


def test_the_finding_says_the_share_and_who():
    share = Estimate(0.21, 0.18, 0.24, 4000, "share", 0.95, "linearised ratio")
    finding = value_lists.slipping_finding(share, likely_gone=0.5)
    assert finding.sentence() == (
        "21 % of all revenue so far came from customers who came back at least once and still buy with a probability "
        "below 50 % (18–24 %, n = 4,000)."
    )


def test_without_a_model_nobody_is_likely_gone():
    finding = value_lists.slipping_finding(None, likely_gone=0.5)
    assert "too early to say (no model tells who is likely gone)" in finding.sentence()
