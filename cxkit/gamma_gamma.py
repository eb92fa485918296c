"""Gamma-Gamma: what a customer spends a purchase, where few purchases say little about him."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxkit.errors import DataError
from cxkit.likelihood import Judge, check_columns, check_numbers, maximise, weighted

FEWEST = 30  # repeat buyers: fewer cannot carry three parameters


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model of spend per purchase.

    A customer's purchases are gamma with shape p around a mean of his own, which varies over customers; v has the unit
    of money. customers: repeat buyers it was fitted to. covariance: of the logarithms of p, q, v.
    Source: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    customers: int
    covariance: tuple[tuple[float, ...], ...]


def fit_gamma_gamma(spends: pd.DataFrame) -> GammaGamma:
    """The model of the greatest likelihood.

    From: x (purchases), spend (their mean) [, customers]; rows with x = 0 or without a spend above 0 say nothing of
    spend and are left out. To: GammaGamma. What it rests on: that how often somebody buys says nothing of how much.
    Source: Fader & Hardie (2013), eq. (1a).
    Raises DataError with fewer than 30 repeat buyers, where all spend the same, where the maximum lies on the border,
    and where q is at most 1: then the mean over customers is infinite.
    """
    check_columns(list(spends.columns), ("x", "spend"), "Gamma-Gamma")
    x = check_numbers(spends["x"].to_numpy(), "x", whole=True)
    z = spends["spend"].to_numpy(dtype=float)
    n = spends["customers"].to_numpy() if "customers" in spends else np.ones(len(spends))
    n = check_numbers(n, "customers", whole=True)
    kept = (x > 0) & (z > 0) & np.isfinite(z) & (n > 0)
    order = np.lexsort((n[kept], z[kept], x[kept]))
    x, z, n = (v[kept][order] for v in (x, z, n))
    customers = int(n.sum())
    if customers < FEWEST:
        raise DataError(
            f"Gamma-Gamma needs at least {FEWEST} customers who came back and spent something; found {customers}. Take"
            " a longer history, or the mean order value of all."
        )
    if z.min() == z.max():
        raise DataError(
            f"Gamma-Gamma needs spends that differ; all {customers:,} customers who came back spent {z[0]:g} a"
            " purchase. Take that figure for everybody."
        )
    unit = weighted(n, z) / customers  # in units of the mean, so that the search does not depend on the currency
    starts = ((4.0, 3.0, 0.5), (1.0, 5.0, 4.0), (20.0, 2.0, 0.05), (2.0, 20.0, 10.0))
    at, value, covariance = maximise(
        _judge(x, z / unit, n), starts, customers=customers, what="Gamma-Gamma", border=_border
    )
    p, q, v = map(float, at)
    if q <= 1:
        raise DataError(
            f"Gamma-Gamma found q {q:.3g}: at most 1, so that the mean spend over customers is infinite. A few huge"
            " orders rule these data: take wholesale buyers apart, or use the mean order value."
        )
    return GammaGamma(p, q, v * unit, float(value - customers * np.log(unit)), customers, covariance)


def _judge(x: np.ndarray, z: np.ndarray, n: np.ndarray) -> Judge:
    """The log-likelihood of p, q, v with its derivatives, over rows sorted by x."""
    starts = np.flatnonzero(np.diff(x, prepend=-1))
    levels, level_n, customers = x[starts], np.add.reduceat(n, starts), float(n.sum())
    xz, log_xz, log_z = x * z, np.log(x * z), np.log(z)
    fixed = weighted(n, x, log_xz), weighted(n, log_z)

    def judge(at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        from scipy.special import digamma, gammaln, polygamma

        p, q, v = at
        px, s = p * levels, 1 / (v + xz)
        log_s = -np.log(s)
        shape = p * x + q
        value = weighted(level_n, gammaln(px + q) - gammaln(px) - gammaln(q))
        value += customers * q * np.log(v) + p * fixed[0] - fixed[1] - weighted(n, shape, log_s)
        slope = np.array(
            [
                weighted(level_n, levels, digamma(px + q) - digamma(px)) + fixed[0] - weighted(n, x, log_s),
                weighted(level_n, digamma(px + q) - digamma(q)) + customers * np.log(v) - weighted(n, log_s),
                customers * q / v - weighted(n, shape, s),
            ]
        )
        pp = weighted(level_n, levels**2, polygamma(1, px + q) - polygamma(1, px))
        pq = weighted(level_n, levels, polygamma(1, px + q))
        qq = weighted(level_n, polygamma(1, px + q) - polygamma(1, q))
        pv, qv = -weighted(n, x, s), customers / v - weighted(n, s)
        vv = weighted(n, shape, s, s) - customers * q / v**2
        return value, slope, np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])

    return judge


def _border(at: np.ndarray) -> str:
    p, q, v = at
    if p > 1e3:
        why = "p runs to infinity: each customer seems to spend the same every time"
        mend = "Take each one's own mean"
    elif q > 1e3:
        why = "q and v run to infinity: all customers seem to spend alike"
        mend = "Take the mean order value for everybody"
    else:
        why = f"around p {p:.3g}, q {q:.3g}, v {v:.3g} (of the mean spend) the likelihood is flat: others fit as well"
        mend = "Take more customers or a longer history, or the mean order value for everybody"
    return f"{why}. {mend}."


def expected_spend(model: GammaGamma, history: pd.DataFrame) -> np.ndarray:
    """What each customer will spend a purchase on average: his own mean, drawn towards that of all.

    From: x, spend (ignored where x = 0: he gets the mean of all, as does who spent nothing or less, of whom the model
    knows nothing). To: one number a row, in the unit of spend.
    Source: Fader & Hardie (2013), eq. (5).
    """
    check_columns(list(history.columns), ("x", "spend"), "Gamma-Gamma")
    x, z = (history[c].to_numpy(dtype=float) for c in ("x", "spend"))
    known = (x > 0) & (z > 0) & np.isfinite(z)
    x, z = np.where(known, x, 0.0), np.where(known, z, 0.0)
    return model.p * (model.v + x * z) / (model.p * x + model.q - 1)
