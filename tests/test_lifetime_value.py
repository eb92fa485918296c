"""Each customer's value: small cases by hand, laws that hold for any data, and the models' own worlds simulated."""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hand_lives import made_history
from hand_orders import table
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import bg_nbd, gamma_gamma, lifetime_value
from cxkit.bg_nbd import BgNbd
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown
from cxkit.gamma_gamma import GammaGamma

# the parameters that the papers give for CDNOW (shared/data/README.md), and a small uncertainty of each
NO_DOUBT = tuple(tuple(0.0 for _ in range(4)) for _ in range(4))
SMALL = tuple(tuple(0.01 * (i == j) for i in range(4)) for j in range(4))
CDNOW = BgNbd(0.243, 4.414, 0.793, 2.426, -9582.4, 2357, SMALL)
SPEND = GammaGamma(6.25, 3.74, 15.44, -4055.92, 946, tuple(row[:3] for row in SMALL[:3]))
ONCE = {"weeks": 39, "discount_a_year": 0.0}


def history(rows: list[tuple]) -> pd.DataFrame:
    """Customers (x, t_x, T, spend); their revenue is what they spent in x purchases."""
    frame = pd.DataFrame(rows, columns=["x", "t_x", "T", "spend"]).astype(float)
    frame["customer_id"] = [f"c{number:04d}" for number in range(len(frame))]
    return frame.assign(revenue=(frame["x"] * frame["spend"]).fillna(0.0))


def made(rng: np.random.Generator, customers: int, *, weeks: float = 78.0) -> pd.DataFrame:
    """A base as the two models suppose it, at CDNOW's parameters."""
    seen = rng.integers(1, int(weeks * 7), customers) / 7
    rate, stops = rng.gamma(CDNOW.r, 1 / CDNOW.alpha, customers), rng.beta(CDNOW.a, CDNOW.b, customers)
    rows = []
    for until, fast, stop in zip(seen, rate, stops, strict=True):
        times = np.cumsum(rng.exponential(1 / max(fast, 1e-9), 60))
        times = times[: rng.geometric(stop)]
        times = times[times <= until]
        x = len(times)
        spend = rng.gamma(SPEND.p * x) / rng.gamma(SPEND.q, 1 / SPEND.v) / x if x else np.nan
        rows.append((x, times[-1] if x else 0.0, until, spend))
    return history(rows)


PAPER = history([(2, 30.43, 38.86, 22.35), (0, 0.0, 38.86, np.nan), (1, 1.71, 38.86, 11.77)])


def test_a_customer_of_the_paper_is_worth_his_purchases_times_his_spend():
    """1.226 purchases (Hardie's spreadsheet); the spend by hand: (p v + p x m) / (p x + q - 1)."""
    values = lifetime_value.customer_values(PAPER, CDNOW, SPEND, **ONCE)
    spend = (6.25 * 15.44 + 6.25 * 2 * 22.35) / (6.25 * 2 + 3.74 - 1)
    assert values.loc[0, "expected_purchases"] == pytest.approx(1.226, abs=0.001)
    assert values.loc[0, "expected_spend"] == pytest.approx(spend)
    assert values.loc[0, "value"] == pytest.approx(values.loc[0, "expected_purchases"] * spend, abs=1e-4)


def test_who_bought_once_is_alive_and_spends_what_all_spend():
    values = lifetime_value.customer_values(PAPER, CDNOW, SPEND, **ONCE)
    assert values.loc[1, "p_alive"] == 1.0
    assert values.loc[1, "expected_spend"] == pytest.approx(6.25 * 15.44 / 2.74)


def test_customers_alike_are_worth_alike_in_any_order():
    rng = np.random.default_rng(3)
    base = pd.concat([PAPER, PAPER, PAPER], ignore_index=True)
    base["customer_id"] = [f"c{number}" for number in range(9)]
    whole = lifetime_value.customer_values(base, CDNOW, SPEND, weeks=52, discount_a_year=0.1)
    mixed = base.iloc[rng.permutation(9)]
    other = lifetime_value.customer_values(mixed, CDNOW, SPEND, weeks=52, discount_a_year=0.1)
    pd.testing.assert_frame_equal(whole, other.sort_values("customer_id", ignore_index=True))
    total = {"weeks": 52, "seed": 1, "draws": 50}
    assert lifetime_value.total_value(whole, base, CDNOW, SPEND, **total) == lifetime_value.total_value(
        other, mixed, CDNOW, SPEND, **total
    )


def test_the_history_is_not_changed():
    before = PAPER.copy()
    values = lifetime_value.customer_values(PAPER, CDNOW, SPEND, **ONCE)
    lifetime_value.total_value(values, PAPER, CDNOW, SPEND, weeks=39, seed=1, draws=5)
    pd.testing.assert_frame_equal(PAPER, before)


def test_discounting_agrees_with_the_sum_over_short_steps():
    """Each eighth of a week's purchases, discounted from its middle."""
    values = lifetime_value.customer_values(PAPER, CDNOW, SPEND, weeks=104, discount_a_year=0.15)
    ends = np.arange(0, 104.01, 0.125)
    until = np.array([bg_nbd.expected_future(CDNOW, PAPER, weeks=float(end)) for end in ends])
    years = (ends[1:] - 0.0625) * 7 / 365.25
    purchases = (np.diff(until, axis=0) * (1.15**-years)[:, None]).sum(axis=0)
    assert values["value"].to_numpy() == pytest.approx(purchases * values["expected_spend"].to_numpy(), rel=1e-5)


def test_the_even_stream_is_worth_what_the_formula_says():
    """A year at 10 %: (1 - 1/1.1) / ln 1.1 = 0.954; without a discount all of it."""
    assert lifetime_value.present_factor(weeks=365.25 / 7, discount_a_year=0.1) == pytest.approx(0.9538, abs=1e-4)
    assert lifetime_value.present_factor(weeks=52, discount_a_year=0.0) == 1.0


@settings(max_examples=40)
@given(times=st.floats(0.01, 1000), margin=st.floats(0, 1))
def test_scaling_money_and_margin_scales_value(times, margin):
    plain = lifetime_value.customer_values(PAPER, CDNOW, SPEND, weeks=52, discount_a_year=0.1)
    larger = GammaGamma(SPEND.p, SPEND.q, SPEND.v * times, 0.0, 946, SPEND.covariance)
    paid = PAPER.assign(spend=PAPER["spend"] * times)
    scaled = lifetime_value.customer_values(
        paid, CDNOW, larger, weeks=52, discount_a_year=0.1, margin_share=float(margin)
    )
    assert scaled["value"].to_numpy() == pytest.approx(plain["value"].to_numpy() * times * margin, rel=1e-5, abs=2e-3)


@settings(max_examples=40)
@given(x=st.integers(1, 60), last=st.floats(0.2, 100), silence=st.floats(0, 200), more=st.floats(0.1, 200))
def test_value_never_rises_with_silence(x, last, silence, more):
    both = history([(x, last, last + silence, 30.0), (x, last, last + silence + more, 30.0)])
    values = lifetime_value.customer_values(both, CDNOW, SPEND, weeks=52, discount_a_year=0.1)
    assert values["p_alive"].iloc[1] <= values["p_alive"].iloc[0] + 1e-12
    assert values["value"].iloc[1] <= values["value"].iloc[0] + 1e-3


@settings(max_examples=40)
@given(weeks=st.floats(1, 100), more=st.floats(1, 300), discount=st.floats(0, 0.5))
def test_a_longer_horizon_is_worth_no_less_and_a_discount_takes_away(weeks, more, discount):
    short, long = (
        lifetime_value.customer_values(PAPER, CDNOW, SPEND, weeks=w, discount_a_year=discount)["value"]
        for w in (weeks, weeks + more)
    )
    plain = lifetime_value.customer_values(PAPER, CDNOW, SPEND, weeks=weeks, discount_a_year=0.0)["value"]
    assert (long >= short - 1e-3).all()
    assert (short <= plain + 1e-3).all()


def test_a_negative_spend_counts_as_nothing_known():
    given_back = history([(3, 20.0, 30.0, -5.0), (0, 0.0, 30.0, np.nan)])
    values = lifetime_value.customer_values(given_back, CDNOW, SPEND, **ONCE)
    assert values["expected_spend"].nunique() == 1
    assert (values["value"] > 0).all()


@pytest.mark.parametrize(
    ("mended", "message"),
    [
        ({"weeks": 0}, "horizon must be more than 0 weeks; found 0"),
        ({"weeks": float("inf")}, "horizon must be more than 0 weeks; found inf"),
        ({"discount_a_year": -0.1}, "discount_a_year is a share of 0 or more, as 0.1 for 10 %; found -0.1"),
        ({"margin_share": 1.2}, "between 0 and 1, as 0.35; found 1.2"),
    ],
)
def test_settings_out_of_range_are_named(mended, message):
    with pytest.raises(UsageError, match=message):
        lifetime_value.customer_values(PAPER, CDNOW, SPEND, **(ONCE | mended))


def test_a_history_without_a_column_names_it():
    with pytest.raises(UsageError, match="the history lacks spend, revenue; it has x, t_x, T, customer_id"):
        lifetime_value.customer_values(PAPER.drop(columns=["spend", "revenue"]), CDNOW, SPEND, **ONCE)


def test_nobody_came_back_and_the_reason_is_told():
    nobody = history([(0, 0.0, float(weeks), np.nan) for weeks in range(1, 60)])
    model, spend_model, why = lifetime_value.fit_models(nobody)
    assert (model, spend_model) == (None, None)
    assert "none of 59 has a second purchase" in why


def test_all_spent_nothing_and_the_reason_is_told():
    base = made(np.random.default_rng(1), 500)
    model, spend_model, why = lifetime_value.fit_models(base.assign(spend=base["spend"] * 0))
    assert (model, spend_model) == (None, None)
    assert "Gamma-Gamma needs at least 30 customers" in why


def test_the_total_is_the_sum_and_lies_in_its_interval():
    base = made(np.random.default_rng(2), 800)
    values = lifetime_value.customer_values(base, CDNOW, SPEND, weeks=52, discount_a_year=0.1)
    total = lifetime_value.total_value(values, base, CDNOW, SPEND, weeks=52, seed=1)
    assert total.value == pytest.approx(values["value"].sum())
    assert total.low < total.value < total.high
    assert (total.n, total.unit) == (800, "money")


def test_chance_alone_widens_the_total_as_the_root_of_the_customers():
    sure, spends = (model.__class__(**(model.__dict__ | {"covariance": NO_DOUBT})) for model in (CDNOW, SPEND))
    spends = GammaGamma(**(spends.__dict__ | {"covariance": tuple(row[:3] for row in NO_DOUBT[:3])}))
    base = made(np.random.default_rng(4), 2000)
    widths = []
    for copies in (1, 9):
        many = pd.concat([base] * copies, ignore_index=True)  # 18,000: only 10,000 of them are drawn
        values = lifetime_value.customer_values(many, sure, spends, weeks=52, discount_a_year=0.0)
        total = lifetime_value.total_value(values, many, sure, spends, weeks=52, seed=1, draws=300)
        widths.append(total.high - total.low)
    assert widths[1] / widths[0] == pytest.approx(3, rel=0.25)


def test_doubt_about_parameters_widens_the_total():
    base = made(np.random.default_rng(5), 2000)
    values = lifetime_value.customer_values(base, CDNOW, SPEND, weeks=52, discount_a_year=0.0)
    doubt = BgNbd(**(CDNOW.__dict__ | {"covariance": tuple(tuple(9 * c for c in row) for row in SMALL)}))
    one, other = (lifetime_value.total_value(values, base, model, SPEND, weeks=52, seed=1) for model in (CDNOW, doubt))
    assert other.high - other.low > 1.5 * (one.high - one.low)


def test_the_parameters_part_by_hand():
    """Customers who bought once spend p v / (q - 1): the slopes of its logarithm are 1, -q / (q - 1) and 1."""
    base = history([(0, 0.0, 20.0, np.nan)] * 3)
    sure = BgNbd(**(CDNOW.__dict__ | {"covariance": NO_DOUBT}))
    values = lifetime_value.customer_values(base, sure, SPEND, weeks=52, discount_a_year=0.0).assign(spend=np.nan)
    slope = 3.74 / 2.74
    error = lifetime_value._parameter_error(values, np.array([0.5, 0.5, 0.2]), sure, SPEND, weeks=52)
    assert error == pytest.approx(np.sqrt(0.01 * (1 + slope**2 + 1)), rel=1e-6)


def test_the_total_holds_what_comes():
    """Forty shops of 600 customers: what they bring in half a year lies in the interval about 19 times in 20."""
    truth, inside = BgNbd(0.8, 8.0, 0.8, 3.0, 0.0, 0, ()), 0
    for seed in range(40):
        rng, lives = np.random.default_rng(seed), made_history(600, seed=seed)
        x = lives["x"].to_numpy()
        spend = rng.gamma(SPEND.p * np.maximum(x, 1)) / rng.gamma(SPEND.q, 1 / SPEND.v, 600) / np.maximum(x, 1)
        base = history(list(zip(x, lives["t_x"], lives["T"], np.where(x > 0, spend, np.nan), strict=True)))
        came = lifetime_value._one_future(base, np.ones(600), truth, SPEND, weeks=26, rng=rng)
        model, spend_model, _ = lifetime_value.fit_models(base)
        values = lifetime_value.customer_values(base, model, spend_model, weeks=26, discount_a_year=0.0)
        found = lifetime_value.total_value(values, base, model, spend_model, weeks=26, seed=seed, draws=150)
        inside += found.low <= came <= found.high
    assert inside >= 34  # 38 expected; 34 or more in 98.7 % of such forties


def test_nobody_at_all_is_worth_nothing():
    values = lifetime_value.customer_values(PAPER[:0], CDNOW, SPEND, **ONCE)
    assert values.empty
    assert lifetime_value.total_value(values, PAPER[:0], CDNOW, SPEND, weeks=39, seed=1, draws=5).value == 0.0


def test_margins_that_leave_something_are_used_and_others_are_told():
    good = Estimate(0.4, 0.38, 0.42, 900, "share", 0.95, "linearised ratio")
    assert lifetime_value.usable_margin(good) == 0.4
    assert lifetime_value.unit_of(good) == "margin"
    assert lifetime_value.margin_note(good).startswith("Values are margin: 40 % of revenue")
    missing = unknown("share", method="neither the goods' costs nor a margin are known")
    assert lifetime_value.usable_margin(missing) is None
    assert lifetime_value.unit_of(missing) == "revenue"
    assert lifetime_value.margin_note(missing) == (
        "Values are revenue, not margin: neither the goods' costs nor a margin are known."
    )
    loss = Estimate(-0.1, -0.2, 0.0, 900, "share", 0.95, "linearised ratio")
    assert lifetime_value.usable_margin(loss) is None
    assert "at or below their cost" in lifetime_value.margin_note(loss)


def test_ranks_agree_or_not_as_can_be_seen():
    up = history([(x, 1.0, 2.0, 10.0 * x) for x in range(1, 13)])
    down = history([(x, 1.0, 2.0, 500.0 - x) for x in range(1, 13)])
    assert lifetime_value.independence(up).value == pytest.approx(1.0)
    assert lifetime_value.independence(down).value == pytest.approx(-1.0)
    assert lifetime_value.independence(up).n == 12


def test_too_few_or_all_alike_tell_nothing_of_independence():
    few = lifetime_value.independence(history([(1, 1.0, 2.0, 10.0)] * 3))
    assert not few.known
    assert "too early to say (n = 3" in lifetime_value.independence_in_words(few, expected=0.0)
    alike = lifetime_value.independence(history([(1, 1.0, 2.0, float(m)) for m in range(1, 40)]))
    assert "all customers are alike in one of the two" in lifetime_value.independence_in_words(alike, expected=0.0)


def test_the_model_expects_a_little_dependence_and_its_own_world_passes():
    """Few skewed amounts have a lower median than many: without this the check would accuse the model's own world."""
    base = made(np.random.default_rng(6), 4000)
    skewed = GammaGamma(1.0, 3.74, 15.44, 0.0, 946, SPEND.covariance)
    assert lifetime_value.independence_expected(base, skewed, seed=1) > 0.05
    expected = lifetime_value.independence_expected(base, SPEND, seed=1)
    found = lifetime_value.independence(base)
    assert found.low <= expected <= found.high
    assert "do not contradict" in lifetime_value.independence_in_words(found, expected=expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.3, "values of frequent buyers are too low"),
        (-0.3, "values of frequent buyers are too high"),
        (0.08, "hardly"),
    ],
)
def test_what_dependence_means_is_told(value, words):
    found = Estimate(value, value - 0.02, value + 0.02, 9000, "ratio", 0.95, "Spearman")
    assert words in lifetime_value.independence_in_words(found, expected=0.0)


def test_tenths_of_customers_by_eye():
    """Twenty groups of five alike: tenths of ten, the highest expectation first."""
    predicted = np.repeat(np.arange(20), 5) / 10
    deciles = lifetime_value.calibration_deciles(predicted, predicted * 2)
    assert list(deciles["decile"]) == [str(number) for number in range(1, 11)]
    assert list(deciles["customers"]) == [10] * 10
    assert deciles.loc[0, "predicted"] == pytest.approx(1.85)
    assert deciles["value"].to_numpy() == pytest.approx(2 * deciles["predicted"].to_numpy())


def test_customers_of_equal_expectation_stay_together():
    deciles = lifetime_value.calibration_deciles(np.array([0.1] * 50 + [0.9] * 50), np.arange(100.0))
    assert list(deciles["customers"]) == [50, 50]
    assert deciles["predicted"].to_numpy() == pytest.approx([0.9, 0.1])


def test_tenths_of_few_people_are_withheld():
    deciles = lifetime_value.calibration_deciles(np.arange(20.0), np.arange(20.0))
    assert deciles["value"].isna().all()
    assert "too few customers" in lifetime_value.calibration_in_words(deciles)
    assert lifetime_value.calibration_deciles(np.zeros(0), np.zeros(0)).empty


def test_different_customers_are_refused():
    with pytest.raises(UsageError, match="of the same customers; found 2 and 3"):
        lifetime_value.calibration_deciles(np.zeros(2), np.zeros(3))


def test_the_picture_shows_every_known_group_and_says_what_it_shows():
    rng = np.random.default_rng(7)
    predicted = rng.gamma(1.0, size=3000)
    deciles = lifetime_value.calibration_deciles(predicted, rng.poisson(predicted).astype(float))
    text = lifetime_value.calibration_in_words(deciles)
    assert text.startswith("Of 10 groups of customers by what was expected of them, ")
    ax = lifetime_value.plot_calibration(deciles)
    assert len(ax.lines[1].get_xdata()) == 10
    plt.close(ax.figure)
    empty = lifetime_value.plot_calibration(deciles[:0])
    plt.close(empty.figure)


def test_values_of_the_models_own_world_are_what_comes():
    """3,000 customers at the paper's parameters: the total of a fit lies within a quarter of the true expectation."""
    base = made(np.random.default_rng(8), 3000)
    model, spend_model, why = lifetime_value.fit_models(base)
    assert why == ""
    fitted = lifetime_value.customer_values(base, model, spend_model, weeks=52, discount_a_year=0.0)["value"].sum()
    true = lifetime_value.customer_values(base, CDNOW, SPEND, weeks=52, discount_a_year=0.0)["value"].sum()
    assert fitted == pytest.approx(true, rel=0.25)
    assert gamma_gamma.expected_spend(spend_model, base).min() > 0


def test_where_much_was_given_back_no_spend_is_learnt_from_the_rest():
    base = made(np.random.default_rng(1), 500)
    model, _, why = lifetime_value.fit_models(base.assign(revenue=-base["revenue"]))
    assert model is None
    assert why == "Many customers were given back more than they paid, so the model of spend has no ground."


def test_all_parameters_stand_in_one_table():
    parameters = lifetime_value.all_parameters(CDNOW, SPEND)
    assert list(parameters["parameter"]) == ["r", "alpha", "a", "b", "p", "q", "v"]
    assert list(parameters["shown"])[:2] == ["0.243", "4.414"]


def test_who_is_left_out_of_the_model_of_spend_is_counted():
    base = history([(2, 1.0, 2.0, 10.0), (1, 1.0, 2.0, 0.0), (0, 0.0, 2.0, np.nan)])
    assert lifetime_value.spenders_in_words(base) == (
        "What a purchase brings is learnt from 1 customers who came back; 1 more came back and kept nothing that they "
        "paid for, and are left out."
    )
    assert lifetime_value.spenders_in_words(base[:1]).endswith("nobody of them was left out.")


def shop(rng: np.random.Generator, customers: int) -> pd.DataFrame:
    """Orders of 2025, one line each, of customers who come at a pace of their own until each of them stops."""
    lines = []
    for number in range(customers):
        day, pace = rng.integers(0, 300), 10 / rng.gamma(1.0)
        for _ in range(rng.geometric(rng.beta(0.5, 1.5))):
            lines.append((f"o{len(lines)}", f"c{number:04d}", day, 100.0 * rng.gamma(4)))
            day += 1 + int(rng.exponential(pace))
            if day > 364:
                break
    frame = pd.DataFrame(lines, columns=["order_id", "customer_id", "day", "amount"])
    frame = frame.assign(refund=0.0, status="completed")
    return frame.assign(ordered_on=pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D"))


def test_what_was_expected_and_what_came_are_of_the_same_customers():
    """Known by June, asked for 20 weeks: whoever came first in July is not in it."""
    lines = shop(np.random.default_rng(9), 1500)
    both = lifetime_value.held_out_customers(table(lines), known_by=date(2025, 6, 30), weeks=20)
    before = lines[lines["ordered_on"] <= "2025-06-30"]
    window = lines[(lines["ordered_on"] > "2025-06-30") & (lines["ordered_on"] <= "2025-11-17")]
    bought = window.groupby("customer_id")["ordered_on"].nunique()
    assert list(both["customer_id"]) == sorted(before["customer_id"].unique())
    assert list(both["actual"]) == list(bought.reindex(both["customer_id"]).fillna(0).astype(int))
    assert both["predicted"].gt(0).all()


def test_nothing_held_back_or_no_model_gives_nobody():
    lines = table(shop(np.random.default_rng(9), 40))
    assert lifetime_value.held_out_customers(lines, known_by=date(2025, 6, 30), weeks=20, held_back=False).empty
    nobody = lifetime_value.held_out_customers(lines, known_by=date(2025, 1, 2), weeks=20)
    assert list(nobody.columns) == ["customer_id", "predicted", "actual"]
    assert nobody.empty
