"""How long until something happens, where for some it has not happened yet (they are censored, not left out)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.estimates import Estimate, unknown

CURVE = ("time", "at_risk", "events", "censored", "survival", "low", "high")


def kaplan_meier(
    durations: np.ndarray, observed: np.ndarray, *, weights: np.ndarray | None = None, level: float = 0.95
) -> pd.DataFrame:
    """The share to whom it has not happened yet, by time.

    From: durations (one a person, from 0 up, in any unit), observed (true: it happened then; false: until then it had
    not, and nothing is known of later), weights (how many persons a row stands for; default 1).
    To, one row a time at which something happened or somebody went out of sight, in order: time, at_risk (persons of
    whom it was not known before that time that it happened or that they went out of sight), events, censored, survival
    (the share to whom it has not happened by then, that time included), low, high. Who goes out of sight at the very
    time of an event is still at risk of it.
    The ends are pointwise (they hold for one time, not for the curve as a whole), from Greenwood's variance on the
    scale of log(-log(survival)); NaN where the survival is 1 or 0: there that scale has no number.
    What it rests on: that who goes out of sight is like who stays (here: sight ends with the data, not with a choice).
    Source: Kaplan & Meier (1958), JASA 53(282), 457-481; Greenwood (1926); the scale: Kalbfleisch & Prentice (2002),
    The Statistical Analysis of Failure Time Data, 2nd ed., section 1.4.
    Raises ValueError where the lengths differ, or a duration or a weight is below 0 or no number.
    """
    from scipy.special import ndtri

    time, at_risk, events, censored = _counts(durations, observed, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod((at_risk - events) / at_risk)
        # at the last event nobody may be left: the sum is then infinite, and the survival 0
        spread = np.sqrt(np.cumsum(events / (at_risk * (at_risk - events)))) / np.abs(np.log(survival))
        half = ndtri((1 + level) / 2) * spread
        inside = (survival > 0) & (survival < 1)
        low = np.where(inside, survival ** np.exp(half), np.nan)
        high = np.where(inside, survival ** np.exp(-half), np.nan)
    return pd.DataFrame(dict(zip(CURVE, (time, at_risk, events, censored, survival, low, high), strict=True)))


def survival_quantiles(
    durations: np.ndarray,
    observed: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    q: Sequence[float] = (0.25, 0.5, 0.75),
    unit: str = "days",
    level: float = 0.95,
) -> tuple[Estimate, ...]:
    """By when it has happened to a quarter, to half and to three quarters, censored ones counted in.

    From: as `kaplan_meier`; `q`: shares to whom it has happened. To: one Estimate a share, in the order of `q`, in
    `unit`; n counts persons, censored ones included.
    A quantile is the first time at which the curve lies at or below 1 - q; its interval runs from the first time at
    which the curve's low end does to the first time at which its high end does (the test's inversion, on the scale of
    log(-log)). Where the curve comes down to 0 that scale has no number: there the high end is Clopper and Pearson's of
    none left among those still at risk (among all, where nobody went out of sight before), so that the last time closes
    the interval if they are many enough (six for a median). Where the curve never gets so low, all is unknown. Where
    only its high end does not, value and low are numbers, high is infinite and the method says so: the estimate is then
    not `known`.
    Source: Brookmeyer & Crowley (1982), Biometrics 38(1), 29-41; the end at 0: Clopper & Pearson (1934), Biometrika
    26(4), 404-413. R's survfit and lifelines leave it open; without censored ones the sign test's interval closes it.
    Raises ValueError as `kaplan_meier`, and where a share does not lie between 0 and 1.
    """
    if wrong := [share for share in q if not 0 < share < 1]:
        raise ValueError(f"a quantile's share lies between 0 and 1; found {wrong[0]}.")
    curve = kaplan_meier(durations, observed, weights=weights, level=level)
    n = round(float((curve["events"] + curve["censored"]).sum()))
    time, survival = curve["time"].to_numpy(), curve["survival"].to_numpy()
    left = np.where(curve["censored"].cumsum() - curve["censored"] > 0, curve["at_risk"], n)
    none_left = 1 - ((1 - level) / 2) ** (1 / np.maximum(left, 1))
    low, high = (np.where(survival == 0, end, curve[name]) for name, end in (("low", 0.0), ("high", none_left)))
    found = []
    for share in q:
        # a product of many factors misses 1 - q by rounding where it should meet it
        value, first, last = (_first_at_or_below(time, ends, 1 - share + 1e-12) for ends in (survival, low, high))
        if np.isinf(value):
            reason = f"it has not happened to {100 * share:g} % in the time that can be seen" if n else "nobody"
            found.append(unknown(unit, n=n, level=level, method=reason))
            continue
        method = "Kaplan-Meier, Brookmeyer & Crowley"
        if np.isinf(last):
            method += "; how long at most cannot be seen yet"
        found.append(Estimate(value, first, last, n, unit, level, method))
    return tuple(found)


def _first_at_or_below(time: np.ndarray, ends: np.ndarray, border: float) -> float:
    """The first time at which `ends` lies at or below the border; infinity where it never does (NaN never does)."""
    reached = np.flatnonzero(ends <= border)
    return float(time[reached[0]]) if len(reached) else np.inf


def _counts(durations: np.ndarray, observed: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Distinct times in order, and at each: persons at risk, events, censored."""
    durations = np.asarray(durations, dtype=float)
    observed = np.asarray(observed, dtype=bool)
    weights = np.ones(len(durations)) if weights is None else np.asarray(weights, dtype=float)
    if not len(durations) == len(observed) == len(weights):
        lengths = f"{len(durations)}, {len(observed)} and {len(weights)}"
        raise ValueError(f"durations, observed and weights must be of one length; found {lengths}.")
    for name, values in (("duration", durations), ("weight", weights)):
        if not ((values >= 0) & np.isfinite(values)).all():
            wrong = values[~((values >= 0) & np.isfinite(values))][0]
            raise ValueError(f"a {name} is a number from 0 up; found {wrong}.")
    durations, observed, weights = (a[weights > 0] for a in (durations, observed, weights))
    time, place = np.unique(durations, return_inverse=True)
    events = np.bincount(place, weights=weights * observed, minlength=len(time))
    leaving = np.bincount(place, weights=weights, minlength=len(time))
    at_risk = leaving[::-1].cumsum()[::-1]
    return time, at_risk, events, leaving - events
