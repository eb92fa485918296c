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


def rungs(**known: float) -> pd.DataFrame:
    """A ladder with these values per customer; the interval reaches a tenth to both sides."""
    named = {"article": np.nan, "historic": np.nan, "cohort": np.nan, "model": np.nan, "last year": np.nan}
    rows = [
        {"rung": rung, "label": rung, "value_per_customer": value, "low": 0.9 * value, "high": 1.1 * value, "n": 50,
         "level": 0.95, "method": "by hand"}
        for rung, value in (named | {name.replace("_", " "): value for name, value in known.items()}).items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def choice(rows: list[tuple]) -> pd.DataFrame:
    """`holdout.choose_rung` by hand: rung, purchases, revenue (errors), recommended, used."""
    return pd.DataFrame(rows, columns=["rung", "purchases", "revenue", "recommended", "used"])


LADDER = rungs(article=100.0, historic=90.0, cohort=80.0, model=70.0, last_year=95.0)


def test_the_rung_that_is_used_tells_the_value():
    tested = choice([("article", 0.3, 0.3, False, False), ("cohort", 0.05, 0.02, True, True)])
    assert value_lists.shown_rung(LADDER, tested, modelled=True) == "cohort"
    assert value_lists.is_recommended(tested, "cohort")
    assert not value_lists.is_recommended(tested, "article")


def test_where_all_are_refuted_the_nearest_tells_it_and_never_the_benchmark():
    tested = choice(
        [("article", 0.9, 0.1, False, False), ("model", -0.3, 0.2, False, False), ("last year", 0.0, 0.0, False, False)]
    )
    assert value_lists.shown_rung(LADDER, tested, modelled=True) == "model"


def test_without_a_test_the_model_alone_tells_it():
    """A history of five weeks: scaled up to a year, the other rungs tell tales."""
    assert value_lists.shown_rung(LADDER, choice([]), modelled=True) == "model"
    assert value_lists.shown_rung(LADDER, choice([]), modelled=False) == ""
    assert value_lists.shown_rung(rungs(), choice([]), modelled=True) == ""


def test_a_rung_whose_error_is_not_known_tells_nothing():
    """Nobody bought in the weeks held back, or more was given back than kept."""
    tested = choice([("article", np.nan, np.nan, False, True), ("cohort", 0.02, np.nan, False, False)])
    assert value_lists.shown_rung(LADDER, tested, modelled=True) == ""


def test_the_base_is_worth_its_customers_times_margin_times_discount():
    base = value_lists.base_value(LADDER, "cohort", None, customers=50, margin_share=0.5, factor=0.9)
    assert (base.value, base.low, base.high) == pytest.approx((1800.0, 1620.0, 1980.0))
    assert (base.n, base.unit) == (50, "money")
    revenue = value_lists.base_value(LADDER, "cohort", None, customers=50, margin_share=None, factor=1.0)
    assert revenue.value == pytest.approx(4000.0)


TOTAL = Estimate(3000.0, 2500.0, 3600.0, 50, "money", 0.95, "prediction: parameters and chance")
TOLD = {"weeks": 52, "unit": "margin", "discount_a_year": 0.1, "currency": "zł"}


def test_the_model_tells_its_own_total():
    assert value_lists.base_value(LADDER, "model", TOTAL, customers=50, margin_share=0.5, factor=0.9) == TOTAL
    words = {"unit": "margin", "currency": "zł"}
    assert value_lists.model_in_words(TOTAL, TOTAL, rung="model", **words) == []
    assert value_lists.model_in_words(TOTAL, None, rung="cohort", **words) == []
    (text,) = value_lists.model_in_words(TOTAL, TOTAL, rung="cohort", **words)
    assert "puts the whole at 3,000 zł of margin (2,500–3,600 zł)" in text


def test_the_answer_first():
    assert value_lists.base_in_words(TOTAL, rung="model", **TOLD) == (
        "The 50 customers known today are expected to bring 3,000 zł of margin in the next 52 weeks (2,500–3,600 zł), "
        f"discounted at 10 % a year, by the rung “{value_lists.LABELS['model']}”."
    )
    assert "discounted" not in value_lists.base_in_words(TOTAL, rung="model", **(TOLD | {"discount_a_year": 0.0}))
    nothing = value_lists.base_value(LADDER, "", None, customers=9, margin_share=None, factor=1.0)
    assert value_lists.base_in_words(nothing, rung="", **TOLD) == (
        "What the customers known today will bring is too early to say: no rung of the ladder could be held against "
        "what came."
    )


def test_rungs_that_cannot_be_had_say_why():
    told = value_lists.missing_rungs(rungs(article=1.0, historic=1.0, cohort=1.0, last_year=2.0))
    assert told == ["model: by hand.", "last year rests on a by hand."]
    assert value_lists.missing_rungs(rungs(article=1.0, historic=1.0, cohort=1.0, model=1.0)) == ["last year: by hand."]


def test_a_horizon_longer_than_the_history_is_told():
    history = pd.DataFrame({"T": [10.0, 30.0]})
    assert "Nobody has been watched for longer than 30 weeks" in value_lists.horizon_in_words(history, weeks=52)
    assert "is no longer" in value_lists.horizon_in_words(history, weeks=26)
    assert "longer than 0 weeks" in value_lists.horizon_in_words(history[:0], weeks=26)


def test_the_finding_tells_a_customers_share_of_the_base_and_whether_it_was_proven():
    finding = value_lists.value_finding(TOTAL, rung="model", weeks=52, unit="margin", holds=True)
    assert (finding.estimate.value, finding.estimate.low) == (60.0, 50.0)
    assert "which held in the weeks held back" in finding.sentence()
    other = value_lists.value_finding(TOTAL, rung="model", weeks=52, unit="margin", holds=False)
    assert "which is not proven by weeks held back" in other.sentence()
    nothing = value_lists.base_value(LADDER, "", None, customers=0, margin_share=None, factor=1.0)
    early = value_lists.value_finding(nothing, rung="", weeks=52, unit="revenue", holds=False)
    assert "too early to say (n = 0" in early.sentence()


def test_the_finding_of_the_error_or_why_there_is_none():
    row = {"rung": "model", "measure": "revenue", "value": -0.11, "low": -0.2, "high": -0.02, "n": 900, "level": 0.95}
    judged = pd.DataFrame([row | {"method": "ratio of sums"}])
    finding = value_lists.held_out_finding(judged, rung="model", weeks=26)
    assert "differs by −11 % from what came (−20 to −2.0 %, n = 900)" in finding.sentence()
    unknown = value_lists.held_out_finding(judged.assign(low=np.nan), rung="model", weeks=26)
    assert "too early to say (n = 900; ratio of sums)" in unknown.sentence()
    untested = value_lists.held_out_finding(judged[:0], rung="", weeks=26)
    assert "too early to say (n = 0; no rung could be held against weeks held back)" in untested.sentence()


def test_without_a_model_nobody_is_likely_gone():
    finding = value_lists.slipping_finding(None, likely_gone=0.5)
    assert "too early to say (n = 0; no model tells who is likely gone)" in finding.sentence()
