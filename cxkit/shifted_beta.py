"""Shifted-beta-geometric: how long customers of a subscription stay."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxkit.errors import DataError
from cxkit.likelihood import Judge, check_columns, check_numbers, maximise, weighted

FEWEST = 30


@dataclass(frozen=True)
class ShiftedBeta:
    """A fitted shifted-beta-geometric model.

    At each renewal a customer is lost with a probability of his own, beta(alpha, beta) over customers. customers: how
    many it was fitted to. covariance: of the logarithms of alpha and beta.
    Source: Fader & Hardie (2007), Journal of Interactive Marketing 21(1), 76-90.
    """

    alpha: float
    beta: float
    log_likelihood: float
    customers: int
    covariance: tuple[tuple[float, ...], ...]


def fit_shifted_beta(renewals: pd.DataFrame) -> ShiftedBeta:
    """The model of the greatest likelihood.

    From: renewals (how many times renewed), lost (true: not renewed after that; false: still there), customers (how
    many). To: ShiftedBeta. Who has not yet come to a renewal says nothing and is not counted.
    Source: Fader & Hardie (2007), eq. (5) and (6), and appendix B.
    Raises DataError with fewer than 30 customers, where nobody was lost or nobody renewed, where only one renewal was
    seen, and where the maximum lies on the border.
    """
    check_columns(list(renewals.columns), ("renewals", "lost", "customers"), "The shifted-beta-geometric model")
    k, n = (check_numbers(renewals[c].to_numpy(), c, whole=True) for c in ("renewals", "customers"))
    lost = renewals["lost"].to_numpy(dtype=bool)
    told = (n > 0) & (lost | (k > 0))
    order = np.lexsort((n[told], lost[told], k[told]))
    k, n, lost = (v[told][order] for v in (k, n, lost))
    customers = int(n.sum())
    what = "The shifted-beta-geometric model"
    if customers < FEWEST:
        raise DataError(
            f"{what} needs at least {FEWEST} customers who came to a renewal; found {customers}. Take a longer history."
        )
    if not lost.any():
        raise DataError(
            f"{what} needs customers who were lost; all {customers:,} renewed every time. Take a longer history, and"
            " check that the period between renewals is the right one."
        )
    if (k + lost).max() < 2:
        raise DataError(
            f"{what} needs at least two renewals of the same customers; the history holds one. Take a longer history:"
            " one renewal cannot tell whether those who stay are more loyal."
        )
    if lost.all() and not k.any():
        raise DataError(f"{what} needs customers who renewed; all {customers:,} were lost at their first renewal.")
    starts = ((1.0, 2.0), (0.5, 5.0), (3.0, 3.0), (10.0, 100.0))
    at, value, covariance = maximise(_judge(k, lost, n), starts, customers=customers, what=what, border=_border)
    return ShiftedBeta(*map(float, at), float(value), customers, covariance)


def _judge(k: np.ndarray, lost: np.ndarray, n: np.ndarray) -> Judge:
    """The log-likelihood of alpha and beta with its derivatives."""
    one = lost.astype(float)

    def judge(at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        from scipy.special import digamma, gammaln, polygamma

        a, b = at
        both = a + b
        value = weighted(n, gammaln(a + one) - gammaln(a) + gammaln(b + k) - gammaln(b))
        value -= weighted(n, gammaln(both + one + k) - gammaln(both))
        shared = weighted(n, digamma(both) - digamma(both + one + k))
        slope = np.array([weighted(n, one) / a + shared, shared + weighted(n, digamma(b + k) - digamma(b))])
        bend = np.full((2, 2), weighted(n, polygamma(1, both) - polygamma(1, both + one + k)))
        bend[0, 0] -= weighted(n, one) / a**2
        bend[1, 1] += weighted(n, polygamma(1, b + k) - polygamma(1, b))
        return value, slope, bend

    return judge


def _border(at: np.ndarray) -> str:
    alpha, beta = at
    if alpha + beta > 1e3:
        why = "alpha and beta run to infinity together: everybody seems to be lost with the same probability"
        mend = f"Take the plain share lost at a renewal, {alpha / (alpha + beta):.3g}, for everybody"
    elif min(alpha, beta) < 1e-3:
        why = "alpha or beta runs to 0: some seem to be lost at once and the others never"
        mend = "Check that the period between renewals is the right one"
    else:
        why = f"around alpha {alpha:.3g}, beta {beta:.3g} the likelihood is flat: others fit as well"
        mend = "Take more customers or a longer history"
    return f"{why}. {mend}."


def survival(model: ShiftedBeta, periods: int | np.ndarray) -> np.ndarray:
    """The share of customers still there after `periods` renewals (1 at 0).

    Source: Fader & Hardie (2007), eq. (6).
    """
    from scipy.special import betaln

    periods = check_numbers(periods, "periods")
    return np.exp(betaln(model.alpha, model.beta + periods) - betaln(model.alpha, model.beta))


def renewal_rate(model: ShiftedBeta, periods: int | np.ndarray) -> np.ndarray:
    """The share of those still there who renew at renewal `periods` (from 1): it rises, for the loyal ones remain.

    Source: Fader & Hardie (2007), eq. (8).
    """
    periods = check_numbers(periods, "periods", least=1)
    return (model.beta + periods - 1) / (model.alpha + model.beta + periods - 1)
