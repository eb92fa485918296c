import numpy as np
import pandas as pd
import pytest
from hand_lives import cdnow_history, made_history
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.bg_nbd import (
    BgNbd,
    _judge,
    drawn_future,
    expected_future,
    expected_orders,
    fit_bg_nbd,
    history_counts,
    p_alive,
    parameter_table,
)
from cxkit.errors import DataError

# as printed by Fader, Hardie & Lee (2005), Marketing Science 24(2), table 2
PRINTED = BgNbd(0.243, 4.414, 0.793, 2.426, -9582.4, 2357, ())
NAMES = ("r", "alpha", "a", "b")


@pytest.fixture(scope="module")
def cdnow():
    return cdnow_history()


@pytest.fixture(scope="module")
def model(cdnow):
    return fit_bg_nbd(cdnow)


def lives(*rows):
    return pd.DataFrame(rows, columns=["x", "t_x", "T"])


# --- published


def test_the_parameters_that_the_paper_prints(model):
    """Fader, Hardie & Lee (2005), table 2."""
    np.testing.assert_allclose([model.r, model.alpha, model.a, model.b], [0.243, 4.414, 0.793, 2.426], atol=5e-4)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert model.customers == 2357


def test_the_parameters_that_clvtools_tests_hold(model):
    found = [model.r, model.alpha, model.a, model.b]
    np.testing.assert_allclose(found, [0.2425945, 4.4136019, 0.7929199, 2.4258881], rtol=2e-5)
    assert model.log_likelihood == pytest.approx(-9582.429, abs=5e-4)


def test_the_expectations_of_hardies_spreadsheet(model):
    """bgnbd.xls, printed with four and three decimals, at the parameters that its solver found."""
    weeks = np.array([0.1429, 1, 3, 31.8571, 32])
    np.testing.assert_allclose(expected_orders(model, weeks), [0.0078, 0.0532, 0.1506, 1.0405, 1.0437], atol=6e-5)
    one = lives((2, 30.43, 38.86))
    assert expected_future(model, one, weeks=39)[0] == pytest.approx(1.226, abs=5e-4)
    assert expected_future(PRINTED, one, weeks=39)[0] == pytest.approx(1.226, abs=5e-4)


def test_the_spreadsheets_last_figure_is_its_series_cut_short(model):
    """At 78 weeks the sheet prints 1.8576: the series of 2F1 after 150 terms; all of it gives 1.8580."""
    r, alpha, a, b = (getattr(model, name) for name in NAMES)
    j = np.arange(150)
    terms = np.cumprod((r + j) * (b + j) / ((a + b - 1 + j) * (1 + j)) * 78 / (alpha + 78))
    cut = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + 78)) ** r * (1 + terms.sum()))
    assert cut == pytest.approx(1.8576, abs=1e-4)
    assert expected_orders(model, 78) == pytest.approx(1.8576, abs=5e-4)


def test_lifetimes_gives_the_same_at_the_same_parameters(cdnow, model):
    from lifetimes import BetaGeoFitter

    theirs = BetaGeoFitter()
    theirs.params_ = pd.Series({name: getattr(model, name) for name in NAMES})
    x, t_x, T = (cdnow[c].to_numpy(dtype=float) for c in ("x", "t_x", "T"))
    alive = theirs.conditional_probability_alive(x, t_x, T)
    np.testing.assert_allclose(p_alive(model, cdnow), alive, rtol=0, atol=1e-6)
    for weeks in (1.0, 39.0, 200.0):
        future = theirs.conditional_expected_number_of_purchases_up_to_time(weeks, x, t_x, T)
        np.testing.assert_allclose(expected_future(model, cdnow, weeks=weeks), future, rtol=1e-6, atol=1e-6)
        new = theirs.expected_number_of_purchases_up_to_time(weeks)
        assert expected_orders(model, weeks) == pytest.approx(new, abs=1e-6)


# --- by hand


def test_one_customer_by_hand():
    """r = 1, alpha = 7, a = 1.5, b = 2; bought twice, last in week 7, seen for 21 weeks."""
    model = BgNbd(1.0, 7.0, 1.5, 2.0, 0.0, 0, ())
    # odds of having stopped: a / (b + x - 1) * ((alpha + T) / (alpha + t_x))^(r + x) = 1.5 / 3 * 2^3 = 4
    assert p_alive(model, lives((2, 7.0, 21.0)))[0] == pytest.approx(1 / 5)
    # who never came back has had no occasion to stop
    assert p_alive(model, lives((0, 0.0, 21.0)))[0] == 1.0


def test_one_likelihood_by_hand():
    """(gone or still there) for x = 1: B(a, b + 1) / B(a, b) = b / (a + b); B(a + 1, b) / B(a, b) = a / (a + b)."""
    r, alpha, a, b = 2.0, 5.0, 1.0, 3.0
    value, *_ = _judge(history_counts(lives((1, 3.0, 7.0), (0, 0.0, 7.0))))(np.array([r, alpha, a, b]))
    bought = r * alpha**r
    still, gone = b / (a + b) / (alpha + 7) ** 3, a / (a + b) / (alpha + 3) ** 3
    never = alpha**r / (alpha + 7) ** r
    assert value == pytest.approx(np.log(bought * (still + gone)) + np.log(never))


def test_slopes_and_bends_against_finite_differences():
    counts = history_counts(made_history(300, seed=3))
    judge, at = _judge(counts), np.array([0.6, 5.0, 0.7, 2.0])
    _, slope, bend = judge(at)
    for j in range(4):
        step = 1e-5 * at[j] * (np.arange(4) == j)
        (up, slope_up, _), (down, slope_down, _) = judge(at + step), judge(at - step)
        assert (up - down) / (2 * step[j]) == pytest.approx(slope[j], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose((slope_up - slope_down) / (2 * step[j]), bend[j], rtol=1e-5, atol=1e-3)


def test_equal_histories_are_counted_once():
    counts = history_counts(lives((1, 2.0, 5.0), (0, 0.0, 5.0), (1, 2.0, 5.0), (1, 2.0, 4.0)))
    assert counts.to_dict("list") == {"x": [0, 1, 1], "t_x": [0, 2, 2], "T": [5, 4, 5], "customers": [1, 1, 2]}
    pd.testing.assert_frame_equal(history_counts(counts), counts)
    assert history_counts(counts.assign(customers=[0, 0, 3]))["customers"].to_list() == [3]


def test_neither_the_order_of_rows_nor_grouping_changes_a_bit(cdnow, model):
    shuffled = cdnow.sample(frac=1, random_state=5)
    assert fit_bg_nbd(shuffled) == model
    assert fit_bg_nbd(history_counts(cdnow)) == model
    before = cdnow.copy()
    fit_bg_nbd(cdnow)
    pd.testing.assert_frame_equal(cdnow, before)


def test_in_days_alpha_is_seven_times_as_large(cdnow, model):
    days = fit_bg_nbd(cdnow.assign(t_x=cdnow["t_x"] * 7, T=cdnow["T"] * 7))
    expected = [model.r, 7 * model.alpha, model.a, model.b]
    np.testing.assert_allclose([days.r, days.alpha, days.a, days.b], expected, rtol=1e-5)


# --- hard cases


def test_five_hundred_purchases_do_not_overflow():
    """lifetimes' formula overflows there; held against an integral over the stopping probability."""
    from scipy.integrate import quad
    from scipy.special import betaln

    x, T, weeks = 500, 104.0, 52.0

    def part(p):
        prior = np.exp((PRINTED.a - 1) * np.log(p) + (PRINTED.b + x - 1) * np.log1p(-p) - betaln(0.793, 2.426 + x))
        return prior * -np.expm1(-(PRINTED.r + x) * np.log1p(p * weeks / (PRINTED.alpha + T))) / p

    wanted = quad(part, 0, 0.005, epsabs=0, limit=500)[0] + quad(part, 0.005, 1, epsabs=0, limit=500)[0]
    row = lives((x, 103.9, T))
    assert expected_future(PRINTED, row, weeks=weeks)[0] == pytest.approx(wanted * p_alive(PRINTED, row)[0], rel=1e-6)
    assert np.isfinite(expected_future(PRINTED, lives((20_000, 103.9, T)), weeks=weeks)).all()


@pytest.mark.parametrize(("a", "b"), [(1.0, 2.5), (0.4, 0.6), (1.0, 1e-6)])
def test_quotients_of_noughts_are_what_their_neighbours_are(a, b):
    rows = lives((0, 0.0, 30.0), (1, 4.0, 30.0), (9, 28.0, 30.0))
    here, *near = (
        expected_future(BgNbd(0.5, 5.0, a + move, b, 0.0, 0, ()), rows, weeks=20) for move in (0, -1e-4, 1e-4)
    )
    np.testing.assert_allclose(here, np.mean(near, axis=0), rtol=1e-6)


@given(
    x=st.integers(0, 200),
    t_x=st.floats(0, 100),
    silence=st.floats(0, 100),
    more=st.floats(0, 100),
    logs=st.tuples(*[st.floats(-2, 2)] * 4),
)
@settings(max_examples=60, deadline=None)
def test_p_alive_never_rises_with_silence(x, t_x, silence, more, logs):
    model = BgNbd(*np.exp(logs), 0.0, 0, ())
    t_x = t_x if x else 0.0
    now, later = p_alive(model, lives((x, t_x, t_x + silence), (x, t_x, t_x + silence + more)))
    assert 0 <= later <= now <= 1


@given(weeks=st.floats(0.1, 300), more=st.floats(0, 300), logs=st.tuples(*[st.floats(-2, 2)] * 4))
@settings(max_examples=60, deadline=None)
def test_more_weeks_never_bring_fewer_purchases(weeks, more, logs):
    model = BgNbd(*np.exp(logs), 0.0, 0, ())
    rows = lives((0, 0.0, 10.0), (3, 9.0, 10.0), (40, 60.0, 80.0))
    now, later = (expected_future(model, rows, weeks=w) for w in (weeks, weeks + more))
    assert (now >= 0).all()
    assert (later >= now * (1 - 1e-9)).all()
    # nobody expects more than his rate would bring were he never to stop
    assert (now <= (model.r + rows["x"]) / (model.alpha + rows["T"]) * weeks * (1 + 1e-9)).all()


def test_everybody_came_back():
    """A model or a reason, never a crash."""
    made = made_history(3000, seed=2)
    found = fit_bg_nbd(made[made["x"] > 0])
    assert all(np.isfinite([found.r, found.alpha, found.a, found.b]))


def test_drawn_futures_average_to_the_expected(model):
    rows = pd.concat([lives((0, 0.0, 30.0), (1, 4.0, 30.0), (9, 28.0, 30.0))] * 20_000, ignore_index=True)
    drawn = drawn_future(model, rows, weeks=52, rng=np.random.default_rng(1))
    expected = expected_future(model, rows.head(3), weeks=52)
    error = [drawn[j::3].std() / np.sqrt(20_000) for j in range(3)]
    assert (np.abs([drawn[j::3].mean() for j in range(3)] - expected) < 4 * np.array(error)).all()


def test_the_table_of_parameters(model):
    table = parameter_table(model).set_index("parameter")
    assert table.index.to_list() == ["r", "alpha", "a", "b"]
    assert table.loc["r", "value"] == model.r
    assert table.loc["r", "low"] * table.loc["r", "high"] == pytest.approx(model.r**2)
    assert set(table["n"]) == {2357}
    assert set(table["method"]) == {"Wald on the logarithm"}
    half = np.log(table["high"] / table["value"]) / 1.959963984540054
    np.testing.assert_allclose(half**2, np.diag(np.array(model.covariance)))


# --- what cannot be fitted


def test_too_few_customers():
    with pytest.raises(DataError, match=r"at least 30 customers; found 2\. Take a longer history, or a simpler rung"):
        fit_bg_nbd(lives((1, 2.0, 5.0), (0, 0.0, 5.0)))


def test_nobody_at_all():
    with pytest.raises(DataError, match="found 0"):
        fit_bg_nbd(lives())


def test_nobody_came_back():
    with pytest.raises(DataError, match=r"none of 40 has a second purchase \(x = 0 for all\)"):
        fit_bg_nbd(lives(*[(0, 0.0, 5.0)] * 40))


def test_everybody_came_on_the_last_day():
    with pytest.raises(DataError, match=r"for the first time on the last day \(T = 0\)"):
        fit_bg_nbd(lives(*[(0, 0.0, 0.0)] * 40))


def test_nobody_ever_stops():
    rng = np.random.default_rng(1)
    T = rng.uniform(20, 60, 500)
    x = rng.poisson(rng.gamma(3, 0.1, 500) * T)
    rows = pd.DataFrame({"x": x, "t_x": np.where(x > 0, T - 0.01, 0), "T": T})
    with pytest.raises(DataError, match=r"nobody seems ever to stop.*simpler rung"):
        fit_bg_nbd(rows)


def test_a_clockwork_shop_has_no_spread_of_rates():
    rng = np.random.default_rng(1)
    T = rng.uniform(20, 60, 500)
    last = np.where(rng.random(500) < 0.4, T * rng.random(500), T)
    x = np.floor(last)
    with pytest.raises(DataError, match=r"BG/NBD found no best fit to these 500 customers: .*same rate"):
        fit_bg_nbd(pd.DataFrame({"x": x, "t_x": x, "T": T}))


def test_a_hundred_customers_may_bound_nothing():
    with pytest.raises(DataError, match=r"around r 1\.07, .* the likelihood is flat: others fit as well\. Take"):
        fit_bg_nbd(made_history(100, seed=24, r=0.8, alpha=16, a=1, b=3, weeks=78))


def test_some_stop_at_once_and_others_never():
    stay = pd.DataFrame({"x": np.arange(5, 85) % 9 + 2, "t_x": 49.9, "T": 50.0})
    leave = pd.DataFrame({"x": 1, "t_x": np.linspace(1, 9, 80), "T": 50.0})
    with pytest.raises(DataError, match="a and b run to 0 together: some seem to stop at the first chance"):
        fit_bg_nbd(pd.concat([stay, leave]))


def test_impossible_rows():
    with pytest.raises(DataError, match=r"'t_x' must be at most 'T'.*found t_x 6 with T 5 \(1 of 1 rows\)"):
        fit_bg_nbd(lives((1, 6.0, 5.0)))
    with pytest.raises(DataError, match="'x' must be a whole number"):
        fit_bg_nbd(lives((1.5, 4.0, 5.0)))
    with pytest.raises(DataError, match="needs the columns 'x', 't_x', 'T'; 'T' missing"):
        fit_bg_nbd(lives((1, 4.0, 5.0)).drop(columns="T"))
