import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.bg_nbd import parameter_table
from cxkit.errors import DataError
from cxkit.shifted_beta import (
    ShiftedBeta,
    _judge,
    fit_shifted_beta,
    renewal_rate,
    survival,
)

# of 1,000 customers still there after 0 to 7 years (Fader & Hardie 2007, table 1)
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
MODEL = ShiftedBeta(0.5, 1.5, 0.0, 0, ())


def one_cohort(still):
    """Everybody started together; the last number is still there."""
    lost = -np.diff(still)
    k = len(lost)
    return pd.DataFrame({"renewals": [*range(k), k], "lost": [True] * k + [False], "customers": [*lost, still[-1]]})


@pytest.mark.parametrize(("still", "alpha", "beta"), [(REGULAR, 0.704, 1.182), (HIGH_END, 0.668, 3.806)])
def test_the_parameters_that_the_paper_prints(still, alpha, beta):
    """Fader & Hardie (2007), section 4."""
    model = fit_shifted_beta(one_cohort(still))
    assert (round(model.alpha, 3), round(model.beta, 3)) == (alpha, beta)
    assert model.customers == 1000


def test_by_hand():
    """alpha = 1/2, beta = 3/2: a quarter is lost at the first renewal, (1/2) / 3 at the second."""
    np.testing.assert_allclose(survival(MODEL, np.array([0, 1, 2])), [1, 3 / 4, 3 / 4 * 5 / 6])
    np.testing.assert_allclose(renewal_rate(MODEL, np.array([1, 2])), [3 / 4, 5 / 6])


def test_one_likelihood_by_hand():
    k, lost, n = np.array([0.0, 1.0, 1.0]), np.array([True, True, False]), np.array([2.0, 3.0, 4.0])
    value, *_ = _judge(k, lost, n)(np.array([0.5, 1.5]))
    still = 3 / 4
    assert value == pytest.approx(2 * np.log(1 / 4) + 3 * np.log(still / 6) + 4 * np.log(still))


def test_slopes_and_bends_against_finite_differences():
    rows = one_cohort(REGULAR)
    judge = _judge(*(rows[c].to_numpy() for c in ("renewals", "lost", "customers")))
    at = np.array([0.9, 2.0])
    _, slope, bend = judge(at)
    for j in range(2):
        step = 1e-5 * at[j] * (np.arange(2) == j)
        (up, slope_up, _), (down, slope_down, _) = judge(at + step), judge(at - step)
        assert (up - down) / (2 * step[j]) == pytest.approx(slope[j], rel=1e-6, abs=1e-4)
        np.testing.assert_allclose((slope_up - slope_down) / (2 * step[j]), bend[j], rtol=1e-5, atol=1e-4)


def test_customers_who_started_at_different_times():
    """Planted parameters from seven cohorts, each watched for as long as it is old."""
    rng = np.random.default_rng(7)
    rows = []
    for age in range(8):
        stop = rng.beta(0.8, 3.0, 2000)
        k = rng.geometric(stop) - 1
        rows.append(pd.DataFrame({"renewals": np.minimum(k, age), "lost": k < age, "customers": 1}))
    found = fit_shifted_beta(pd.concat(rows))
    table = parameter_table(found)
    assert ((table["low"] < [0.8, 3.0]) & (table["high"] > [0.8, 3.0])).all()
    assert found.customers == 7 * 2000  # the youngest have not come to a renewal


def test_the_order_of_rows_and_grouping_change_nothing():
    rows = one_cohort(HIGH_END)
    each = rows.loc[np.repeat(rows.index, rows["customers"])].assign(customers=1)
    model = fit_shifted_beta(rows)
    assert fit_shifted_beta(rows.iloc[::-1]) == model
    assert fit_shifted_beta(each).alpha == pytest.approx(model.alpha, rel=1e-6)


@given(alpha=st.floats(0.05, 50), beta=st.floats(0.05, 50), periods=st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_who_stayed_longer_renews_more_surely(alpha, beta, periods):
    model = ShiftedBeta(alpha, beta, 0.0, 0, ())
    rates = renewal_rate(model, np.arange(1, periods + 1))
    np.testing.assert_allclose(np.cumprod(rates), survival(model, np.arange(1, periods + 1)), rtol=1e-9)
    assert (np.diff(rates) >= 0).all()


# --- what cannot be fitted


def test_too_few():
    with pytest.raises(DataError, match="at least 30 customers who came to a renewal; found 9"):
        fit_shifted_beta(one_cohort([9, 5, 3]))


def test_nobody_was_lost():
    with pytest.raises(DataError, match="all 90 renewed every time"):
        fit_shifted_beta(one_cohort([90, 90, 90]))


def test_one_renewal_tells_no_two_parameters():
    with pytest.raises(DataError, match="at least two renewals of the same customers; the history holds one"):
        fit_shifted_beta(one_cohort([90, 60]))


def test_everybody_is_lost_with_the_same_probability():
    with pytest.raises(DataError, match=r"same probability.*the plain share lost at a renewal, 0\.5, "):
        fit_shifted_beta(one_cohort([1600, 800, 400, 200, 100]))


def test_some_are_lost_at_once_and_the_others_never():
    with pytest.raises(DataError, match="alpha or beta runs to 0: some seem to be lost at once and the others never"):
        fit_shifted_beta(one_cohort([1000, 600, 600, 600, 600]))


def test_impossible_rows():
    with pytest.raises(DataError, match="'renewals' must be a whole number from 0 up; found -1"):
        fit_shifted_beta(one_cohort(REGULAR).assign(renewals=-1))
    with pytest.raises(DataError, match="'lost' missing"):
        fit_shifted_beta(one_cohort(REGULAR).drop(columns="lost"))
