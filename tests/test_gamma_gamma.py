import numpy as np
import pandas as pd
import pytest
from hand_lives import cdnow_history
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.bg_nbd import parameter_table
from cxkit.errors import DataError
from cxkit.gamma_gamma import GammaGamma, _judge, expected_spend, fit_gamma_gamma


def made_spends(customers, *, seed, p=5.0, q=4.0, v=20.0):
    rng = np.random.default_rng(seed)
    x = 1 + rng.poisson(2, customers)
    scale = rng.gamma(q, 1 / v, customers)  # rate of each customer's purchases
    return pd.DataFrame({"x": x, "spend": rng.gamma(p * x) / scale / x})


@pytest.fixture(scope="module")
def cdnow():
    return cdnow_history()


@pytest.fixture(scope="module")
def model(cdnow):
    return fit_gamma_gamma(cdnow)


def test_the_published_likelihood(model):
    """CLVTools' tests on the CDNOW sample: 946 repeat buyers, -4055.92. The optimum is flat, so the parameters only
    roughly: Fader & Hardie (2013) print p 6.25, q 3.74, v 15.44."""
    assert model.customers == 946
    assert model.log_likelihood == pytest.approx(-4055.92, abs=0.005)
    np.testing.assert_allclose([model.p, model.q, model.v], [6.25, 3.74, 15.44], rtol=3e-3)


def test_the_expected_spends_that_the_paper_works_out():
    """Fader & Hardie (2013), p. 6: the mean of all is p v / (q - 1) = 35.2 (6.25 * 15.44 / 2.74)."""
    model = GammaGamma(6.25, 3.74, 15.44, 0.0, 946, ())
    rows = pd.DataFrame({"x": [0, 1], "spend": [np.nan, 30.0]})
    spend = expected_spend(model, rows)
    assert spend[0] == pytest.approx(6.25 * 15.44 / 2.74)
    assert spend[1] == pytest.approx(6.25 * (15.44 + 30) / (6.25 + 2.74))


def test_lifetimes_gives_the_same_at_the_same_parameters(cdnow, model):
    from lifetimes import GammaGammaFitter

    theirs = GammaGammaFitter()
    theirs.params_ = pd.Series({name: getattr(model, name) for name in "pqv"})
    wanted = theirs.conditional_expected_average_profit(cdnow["x"], cdnow["spend"].fillna(0))
    np.testing.assert_allclose(expected_spend(model, cdnow), wanted, rtol=1e-9)


def test_one_likelihood_by_hand():
    """p = 2, q = 3, v = 4, one purchase of 5: density p=2: G(5) / (G(2) G(3)) * v^3 * z / (v + z)^5."""
    value, *_ = _judge(np.array([1.0]), np.array([5.0]), np.array([1.0]))(np.array([2.0, 3.0, 4.0]))
    assert value == pytest.approx(np.log(24 / 2 * 4**3 * 5 / 9**5))


def test_slopes_and_bends_against_finite_differences():
    rows = made_spends(200, seed=1).sort_values("x")
    judge = _judge(rows["x"].to_numpy(float), rows["spend"].to_numpy(), np.ones(200))
    at = np.array([3.0, 2.5, 12.0])
    _, slope, bend = judge(at)
    for j in range(3):
        step = 1e-5 * at[j] * (np.arange(3) == j)
        (up, slope_up, _), (down, slope_down, _) = judge(at + step), judge(at - step)
        assert (up - down) / (2 * step[j]) == pytest.approx(slope[j], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose((slope_up - slope_down) / (2 * step[j]), bend[j], rtol=1e-5, atol=1e-4)


def test_the_planted_parameters_lie_in_their_intervals():
    table = parameter_table(fit_gamma_gamma(made_spends(5000, seed=2)))
    assert table["parameter"].to_list() == ["p", "q", "v"]
    assert ((table["low"] < [5.0, 4.0, 20.0]) & (table["high"] > [5.0, 4.0, 20.0])).all()


@given(factor=st.floats(1e-4, 1e6))
@settings(max_examples=15, deadline=None)
def test_scaling_money_scales_spend(factor):
    rows = made_spends(300, seed=3)
    scaled = rows.assign(spend=rows["spend"] * factor)
    one, other = fit_gamma_gamma(rows), fit_gamma_gamma(scaled)
    np.testing.assert_allclose(expected_spend(other, scaled), factor * expected_spend(one, rows), rtol=1e-5)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - 300 * np.log(factor), abs=1e-3)


def test_the_more_purchases_the_nearer_to_his_own_mean(model):
    spend = expected_spend(model, pd.DataFrame({"x": [0, 1, 5, 500], "spend": [100.0] * 4}))
    assert (np.diff(spend) > 0).all()
    assert spend[3] == pytest.approx(100, rel=0.01)


def test_who_spent_nothing_gets_the_mean_of_all(cdnow, model):
    spend = expected_spend(model, pd.DataFrame({"x": [0, 2, 2, 2], "spend": [np.nan, 0.0, -5.0, np.nan]}))
    assert len(set(spend)) == 1
    odd = pd.DataFrame({"x": [2, 1, 0], "spend": [-3.0, 0.0, 9.0]})
    assert fit_gamma_gamma(pd.concat([cdnow[["x", "spend"]], odd])) == model


def test_neither_the_order_of_rows_nor_grouping_changes_a_bit(cdnow, model):
    assert fit_gamma_gamma(cdnow.sample(frac=1, random_state=3)) == model
    counts = cdnow.groupby(["x", "spend"], as_index=False).size().rename(columns={"size": "customers"})
    grouped = fit_gamma_gamma(counts)
    assert grouped.customers == 946
    assert grouped.p == pytest.approx(model.p, rel=1e-9)


# --- what cannot be fitted


def test_too_few_came_back():
    with pytest.raises(DataError, match="at least 30 customers who came back and spent something; found 1"):
        fit_gamma_gamma(pd.DataFrame({"x": [0, 1, 2], "spend": [np.nan, 5.0, 0.0]}))


def test_all_spend_the_same():
    with pytest.raises(DataError, match=r"all 40 customers who came back spent 9\.9 a purchase"):
        fit_gamma_gamma(pd.DataFrame({"x": [1] * 40, "spend": [9.9] * 40}))


def test_each_spends_the_same_every_time():
    """Means of many purchases vary more than single purchases do, as no model of purchases around a mean has it."""
    rng = np.random.default_rng(1)
    x = np.repeat([1, 9], 500)
    spend = np.concatenate([1 / rng.gamma(8, 1, 500), 0.5 / rng.gamma(4, 1, 500)])
    with pytest.raises(DataError, match="p runs to infinity: each customer seems to spend the same every time"):
        fit_gamma_gamma(pd.DataFrame({"x": x, "spend": spend}))


def test_all_spend_alike():
    """Means of many purchases vary even less than chance in them alone would have it."""
    rng = np.random.default_rng(2)
    x = np.repeat([1, 9], 500)
    spend = rng.gamma(4.0 * x**2) / x**2
    with pytest.raises(DataError, match="q and v run to infinity: all customers seem to spend alike"):
        fit_gamma_gamma(pd.DataFrame({"x": x, "spend": spend}))


def test_a_mean_that_is_infinite():
    with pytest.raises(DataError, match=r"q 0\.\d+: at most 1, so that the mean spend over customers is infinite"):
        fit_gamma_gamma(made_spends(3000, seed=4, q=0.6, v=2.0))


def test_a_column_is_missing():
    with pytest.raises(DataError, match="Gamma-Gamma needs the columns 'x', 'spend'; 'spend' missing"):
        fit_gamma_gamma(pd.DataFrame({"x": [1]}))
