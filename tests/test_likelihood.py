from dataclasses import dataclass

import numpy as np
import pytest

from cxkit.errors import DataError
from cxkit.likelihood import check_columns, check_numbers, maximise, slopes, weighted


def exponential(times):
    """Waiting times at a rate: the best rate is 1 / mean, its logarithm's variance 1 / n."""

    def judge(at):
        (rate,), n = at, len(times)
        return n * np.log(rate) - rate * times.sum(), np.array([n / rate - times.sum()]), np.array([[-n / rate**2]])

    return judge


def test_waiting_times_by_hand():
    at, value, covariance = maximise(
        exponential(np.array([1.0, 2.0, 3.0])), [(5.0,)], customers=3, what="A model", border=str
    )
    assert at[0] == pytest.approx(0.5, rel=1e-7)
    assert value == pytest.approx(3 * np.log(0.5) - 3)
    assert covariance[0][0] == pytest.approx(1 / 3)


def test_what_runs_away_is_told():
    def judge(at):  # the greater the better
        return -1 / at[0], np.array([at[0] ** -2]), np.array([[-2 * at[0] ** -3]])

    with pytest.raises(DataError, match=r"A model found no best fit to these 40 customers: it ran away at"):
        maximise(judge, [(1.0,), (2.0,)], customers=40, what="A model", border="it ran away at {}.".format)


def test_the_next_start_is_tried_where_one_fails():
    asked = []

    def judge(at):
        asked.append(float(at[0]))
        if at[0] > 50:
            return np.nan, np.array([np.nan]), np.array([[np.nan]])
        return exponential(np.array([1.0, 3.0]))(at)

    at, *_ = maximise(judge, [(100.0,), (1.0,)], customers=2, what="A model", border=str)
    assert at[0] == pytest.approx(0.5)
    assert pytest.approx(asked[0]) == 100.0


@dataclass(frozen=True)
class Two:
    p: float
    q: float
    customers: int
    covariance: tuple


def test_slopes_by_the_logarithms_by_hand():
    """p^2 q grows by 2 p^2 q a unit of log p and by p^2 q a unit of log q; what is no parameter stays."""
    model = Two(3.0, 2.0, 7, ((1.0, 0.0), (0.0, 1.0)))
    found = slopes(model, lambda m: m.p**2 * m.q + m.customers)
    np.testing.assert_allclose(found, [36.0, 18.0], rtol=1e-6)


def test_sums_of_products():
    assert weighted(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([1.0, 10.0])) == 83.0


def test_numbers_and_columns_that_cannot_be():
    with pytest.raises(DataError, match=r"'x' must be a whole number from 0 up; found 1\.5 \(1 of 2 rows\)"):
        check_numbers(np.array([1, 1.5]), "x", whole=True)
    with pytest.raises(DataError, match=r"'T' must be a number from 0 up; found nan \(2 of 3 rows\)"):
        check_numbers(np.array([1, np.nan, -1]), "T")
    with pytest.raises(DataError, match=r"needs the columns 'x', 'T'; 'T' missing, there are 'x', 'y'"):
        check_columns(["x", "y"], ["x", "T"], "A model")
    with pytest.raises(DataError, match="there are none"):
        check_columns([], ["x"], "A model")
