"""BG/NBD: who still buys, and how often, from each customer's x, t_x and T alone."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from cxkit.errors import DataError
from cxkit.likelihood import Judge, check_columns, check_numbers, maximise, weighted

HISTORY = ("x", "t_x", "T")
FEWEST = 30  # customers: fewer cannot carry four parameters
NEAR = 1e-5  # of a = 1 and of a + b + x = 1, where the formula is a quotient of noughts


@dataclass(frozen=True)
class BgNbd:
    """A fitted BG/NBD model; time in weeks.

    While a customer is active he buys at a rate of his own, gamma(r, alpha) over customers; after each purchase he
    stops for good with a probability of his own, beta(a, b) over customers. customers: how many it was fitted to.
    covariance: of the logarithms of r, alpha, a, b.
    Source: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: int
    covariance: tuple[tuple[float, ...], ...]


def history_counts(history: pd.DataFrame) -> pd.DataFrame:
    """How many customers have the same history.

    From: x (purchases after the first), t_x (weeks from the first to the last), T (weeks from the first to the end)
    [, customers]. To: x, t_x, T, customers, one row a history, in that order: all that a model of x, t_x and T can
    learn from them, whatever the order of rows.
    Raises DataError where a column is missing or a number cannot be.
    """
    check_columns(list(history.columns), HISTORY, "a purchase history")
    x = check_numbers(history["x"].to_numpy(), "x", whole=True)
    t_x, T = (check_numbers(history[name].to_numpy(), name) for name in ("t_x", "T"))
    if (late := t_x > T).any():
        raise DataError(
            f"'t_x' must be at most 'T': the last purchase lies before the end; found t_x {t_x[late][0]:g} with T"
            f" {T[late][0]:g} ({int(late.sum()):,} of {len(x):,} rows)."
        )
    key, levels = np.zeros(len(x), dtype=np.int64), []
    for values in (x, t_x, T):
        codes, level = pd.factorize(values, sort=True)
        key = key * len(level) + codes
        levels.append(level)
    if "customers" in history:
        weight = check_numbers(history["customers"].to_numpy(), "customers", whole=True)
        key, place = np.unique(key, return_inverse=True)
        customers = np.bincount(place, weights=weight, minlength=len(key)).astype(np.int64)
        key, customers = key[customers > 0], customers[customers > 0]
    else:
        key = np.sort(key)
        first = np.flatnonzero(np.diff(key, prepend=-1))
        customers = np.diff(first, append=len(key))
        key = key[first]
    columns = {}
    for name, level in zip(HISTORY[::-1], levels[::-1], strict=True):
        key, code = np.divmod(key, max(len(level), 1))
        columns[name] = level[code]
    return pd.DataFrame({name: columns[name] for name in HISTORY} | {"customers": customers})


def fit_bg_nbd(history: pd.DataFrame) -> BgNbd:
    """The model of the greatest likelihood.

    From: x, t_x, T in weeks [, customers]. To: BgNbd. What is left out: the day of the week and the season, and that
    customers may come back after they stopped.
    Source: Fader, Hardie & Lee (2005), eq. (6).
    Raises DataError with fewer than 30 customers, where nobody came back, where the history has no length, and where
    the likelihood has its maximum on the border (nobody ever stops, all are alike).
    """
    counts = history_counts(history)
    customers = int(counts["customers"].sum())
    x, T, n = (counts[c].to_numpy(dtype=float) for c in ("x", "T", "customers"))
    if customers < FEWEST:
        raise DataError(
            f"BG/NBD needs at least {FEWEST} customers; found {customers}. Take a longer history, or a simpler rung:"
            " what customers brought so far."
        )
    if not (T > 0).any():
        raise DataError(
            "BG/NBD needs time in which customers could come back; all of them ordered for the first time on the last"
            " day (T = 0). Take a later as_of or a longer history."
        )
    if not (x > 0).any():
        raise DataError(
            f"BG/NBD needs customers who came back; none of {customers:,} has a second purchase (x = 0 for all). Take a"
            " longer history, or check that orders of one person carry one customer_id."
        )
    rate = weighted(n, x) / weighted(n, T)
    starts = [
        (r, r / rate / busier, a, b)
        for r, busier, a, b in ((0.5, 2.0, 0.8, 2.5), (1.5, 1.0, 0.3, 5.0), (0.2, 3.0, 2.0, 2.0), (5.0, 1.0, 0.1, 1.0))
    ]
    at, value, covariance = maximise(_judge(counts), starts, customers=customers, what="BG/NBD", border=_border)
    return BgNbd(*map(float, at), float(value), customers, covariance)


def _judge(counts: pd.DataFrame) -> Judge:
    """The log-likelihood of r, alpha, a, b with its derivatives, over rows sorted by x.

    Terms of x alone are taken once a distinct x; only two logarithms and one exponential are taken a row.
    """
    x, t_x, T, n = (counts[c].to_numpy(dtype=float) for c in (*HISTORY, "customers"))
    once = int(np.searchsorted(x, 0, side="right"))  # rows before it never came back
    T0, n0 = T[:once], n[:once]
    x, t_x, T, n = (v[once:] for v in (x, t_x, T, n))
    starts = np.flatnonzero(np.diff(x, prepend=-1))
    levels, rows = x[starts], np.diff(starts, append=len(x))
    level_n = np.add.reduceat(n, starts)
    everyone = float(n0.sum() + n.sum())
    all_x, all_n = np.concatenate([[0.0], levels]), np.concatenate([[n0.sum()], level_n])

    def judge(at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        from scipy.special import digamma, gammaln, polygamma

        r, alpha, a, b = at
        # of x alone
        value = weighted(all_n, gammaln(r + all_x) - gammaln(r)) + everyone * r * np.log(alpha)
        value += weighted(all_n, (gammaln(a + b) - gammaln(b)) - (gammaln(a + b + all_x) - gammaln(b + all_x)))
        both = weighted(all_n, digamma(a + b) - digamma(a + b + all_x))
        slope = np.array(
            [
                weighted(all_n, digamma(r + all_x) - digamma(r)) + everyone * np.log(alpha),
                everyone * r / alpha,
                both,
                both + weighted(all_n, digamma(b + all_x) - digamma(b)),
            ]
        )
        bend = np.zeros((4, 4))
        bend[0, 0] = weighted(all_n, polygamma(1, r + all_x) - polygamma(1, r))
        bend[0, 1] = everyone / alpha
        bend[1, 1] = -everyone * r / alpha**2
        bend[2:, 2:] = weighted(all_n, polygamma(1, a + b) - polygamma(1, a + b + all_x))
        bend[3, 3] += weighted(all_n, polygamma(1, b + all_x) - polygamma(1, b))
        # those who never came back
        value -= r * weighted(n0, np.log(alpha + T0))
        slope[0] -= weighted(n0, np.log(alpha + T0))
        slope[1] -= r * (one := weighted(n0, 1 / (alpha + T0)))
        bend[0, 1] -= one
        bend[1, 1] += r * weighted(n0, 1 / (alpha + T0) ** 2)
        # those who did: either still there since t_x, or gone after it (with probability `gone`)
        u, c = r + x, b + levels - 1
        end, last = alpha + T, alpha + t_x
        log_end = np.log(end)
        apart = log_end - np.log(last)
        odds = u * apart + np.repeat(np.log(a / c), rows)
        small = np.exp(-np.abs(odds))
        gone = n * np.where(odds > 0, 1.0, small) / (1 + small)
        unsure = n * small / (1 + small) ** 2
        value += weighted(n, np.maximum(odds, 0) + np.log1p(small)) - weighted(n, u, log_end)
        end, last = 1 / end, 1 / last
        closer = u * (end - last)  # slope of the odds by alpha
        by_level = np.add.reduceat(gone, starts)
        k, kd, ke = (np.add.reduceat(v, starts) for v in (unsure, unsure * apart, unsure * closer))
        slope[0] += weighted(gone, apart) - weighted(n, log_end)
        slope[1] += weighted(gone, closer) - weighted(n, u, end)
        slope[2] += by_level.sum() / a
        slope[3] -= weighted(by_level, 1 / c)
        bend[0, 0] += weighted(unsure, apart, apart)
        bend[0, 1] += weighted(unsure, apart, closer) + weighted(gone, end - last) - weighted(n, end)
        bend[1, 1] += weighted(unsure, closer, closer) + weighted(n, u, end, end)
        bend[1, 1] -= weighted(gone, closer, end + last)
        bend[0, 2] += kd.sum() / a
        bend[1, 2] += ke.sum() / a
        bend[0, 3] -= weighted(kd, 1 / c)
        bend[1, 3] -= weighted(ke, 1 / c)
        bend[2, 2] += (k.sum() - by_level.sum()) / a**2
        bend[2, 3] -= weighted(k, 1 / c) / a
        bend[3, 3] += weighted(k + by_level, 1 / c**2)
        return value, slope, np.triu(bend) + np.triu(bend, 1).T

    return judge


def _border(at: np.ndarray) -> str:
    """What it means that the parameters ran away to these values."""
    r, alpha, a, b = at
    if a + b < 1e-3:
        why = "a and b run to 0 together: some seem to stop at the first chance and the others never"
        mend = "Take more customers or a longer history"
    elif a / (a + b) < 0.005:
        why = "a / (a + b) runs to 0: nobody seems ever to stop (the model collapses to the NBD)"
        mend = "The history may be too short for anybody to have stopped: take a longer one"
    elif a / (a + b) > 0.995:
        why = "a / (a + b) runs to 1: everybody seems to stop at the first chance"
        mend = "Check that orders of one person carry one customer_id, or take a longer history"
    elif a + b > 1e3:
        why = "a and b run to infinity together: everybody seems to stop with the same probability"
        mend = "Take more customers or a longer history"
    elif r > 1e2:
        why = "r and alpha run to infinity together: everybody seems to buy at the same rate"
        mend = "A subscription is better served by the shifted-beta-geometric model"
    elif alpha < 1e-3:
        why = "r and alpha run to 0 together: the times between purchases look like no rate of anybody's own"
        mend = "Check the dates of the orders"
    else:
        why = f"around r {r:.3g}, alpha {alpha:.3g}, a {a:.3g}, b {b:.3g} the likelihood is flat: others fit as well"
        mend = "Take more customers or a longer history"
    return f"{why}. {mend}, or use a simpler rung of the ladder."


def parameter_table(model, *, level: float = 0.95) -> pd.DataFrame:
    """The parameters of a fitted model (BgNbd, GammaGamma or ShiftedBeta) with their intervals.

    To: parameter, value, low, high, n (customers), level, method. The interval is Wald's on the logarithms, so that it
    never reaches below 0.
    """
    from scipy.special import ndtri

    names = [f.name for f in fields(model) if f.name not in ("log_likelihood", "customers", "covariance")]
    value = np.array([getattr(model, name) for name in names])
    half = ndtri((1 + level) / 2) * np.sqrt(np.diag(np.array(model.covariance)))
    columns = {"parameter": names, "value": value, "low": value * np.exp(-half), "high": value * np.exp(half)}
    return pd.DataFrame(columns | {"n": model.customers, "level": level, "method": "Wald on the logarithm"})


def p_alive(model: BgNbd, history: pd.DataFrame) -> np.ndarray:
    """The chance that each customer has not stopped by the end of his history; 1 for who bought once.

    From: x, t_x, T. To: one number a row.
    Source: Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD Model, eq. (7), in logarithms.
    """
    from scipy.special import expit

    x, t_x, T = _columns(history)
    later = np.maximum(x, 1.0)
    odds = (model.r + x) * (np.log(model.alpha + T) - np.log(model.alpha + t_x))
    odds += np.log(model.a) - np.log(model.b + later - 1)
    return np.where(x > 0, expit(-odds), 1.0)


def expected_orders(model: BgNbd, weeks: float | np.ndarray) -> np.ndarray:
    """How often a new customer buys again in his first `weeks`, on average.

    Source: Fader, Hardie & Lee (2005), eq. (9).
    """
    weeks = check_numbers(weeks, "weeks")
    return _while_active(model, np.zeros_like(weeks), np.zeros_like(weeks), weeks)


def expected_future(model: BgNbd, history: pd.DataFrame, *, weeks: float) -> np.ndarray:
    """How often each customer buys in the `weeks` after the end of his history, on average.

    From: x, t_x, T. To: one number a row.
    Source: Fader, Hardie & Lee (2005), eq. (10), with Euler's transformation of 2F1 (Abramowitz & Stegun 15.3.3), which
    keeps the numbers small whatever x.
    """
    x, _, T = _columns(history)
    return p_alive(model, history) * _while_active(model, x, T, check_numbers(weeks, "weeks"))


def _while_active(model: BgNbd, x: np.ndarray, T: np.ndarray, weeks: np.ndarray) -> np.ndarray:
    """Purchases in the next `weeks` of a customer who is still active."""
    nearest = np.min(np.abs(model.a + model.b + np.atleast_1d(x).min(initial=0) - 1))
    if min(abs(model.a - 1), nearest) < NEAR:  # smooth there, but a quotient of noughts: the mean of both sides
        return (_quotient(model, 2 * NEAR, x, T, weeks) + _quotient(model, -2 * NEAR, x, T, weeks)) / 2
    return _quotient(model, 0.0, x, T, weeks)


def _quotient(model: BgNbd, shift: float, x: np.ndarray, T: np.ndarray, weeks: np.ndarray) -> np.ndarray:
    from scipy.special import hyp2f1

    r, alpha, a, b = model.r, model.alpha, model.a + shift, model.b
    end = alpha + T
    z = weeks / (end + weeks)
    log_kept = (a - 1) * -np.log1p(weeks / end)
    series = hyp2f1(a + b - 1 - r, a - 1, a + b + x - 1, z)
    return (a + b + x - 1) / (a - 1) * (1 - np.exp(log_kept) * series)


def drawn_future(model: BgNbd, history: pd.DataFrame, *, weeks: float, rng: np.random.Generator) -> np.ndarray:
    """One possible future: how often each customer buys in the next `weeks`, drawn at the model's parameters.

    From: x, t_x, T. To: a whole number a row. Whether he is active is drawn, then his own rate and stopping
    probability given his history; he buys until the time or his activity ends.
    Source: the posterior of both: Fader, Hardie & Lee (2005), appendix.
    """
    x, _, T = _columns(history)
    rate = rng.standard_gamma(model.r + x) / (model.alpha + T)
    stop = np.maximum(rng.beta(model.a, model.b + x), 1e-12)
    bought = rng.poisson(rate * weeks)
    until = rng.geometric(stop)
    return np.where(rng.random(len(x)) < p_alive(model, history), np.minimum(bought, until), 0)


def _columns(history: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    check_columns(list(history.columns), HISTORY, "a purchase history")
    return tuple(history[name].to_numpy(dtype=float) for name in HISTORY)
