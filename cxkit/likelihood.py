"""Maximum likelihood of a few positive parameters, in their logarithms, with exact first and second derivatives."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np

from cxkit.errors import DataError

SLOPE = 1e-7  # of the log-likelihood per customer: flatter than this at the optimum is a maximum
FARTHEST = 12.0  # a logarithm beyond this (a parameter above 160,000) has run away
STEP = 1e-4  # of a parameter's logarithm, for a slope
VAGUEST = 5.0  # a logarithm's standard error above this: a factor of more than 10,000 either way

# parameters -> log-likelihood, its first and its second derivatives by the parameters themselves
Judge = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


def maximise(
    judge: Judge, starts: Sequence[Sequence[float]], *, customers: int, what: str, border: Callable[[np.ndarray], str]
) -> tuple[np.ndarray, float, tuple[tuple[float, ...], ...]]:
    """The parameters of the greatest likelihood.

    From: `judge`; starts, the next tried only where the one before failed; customers (how many the likelihood sums
    over); what: the model's name in messages; border: what it means that the parameters ran to these values.
    To: parameters, log-likelihood, covariance of the parameters' logarithms (inverse of the observed information).
    Source: trust region: Conn, Gould & Toint (2000), Trust-Region Methods, ch. 7; information: Efron & Hinkley (1978),
    Biometrika 65(3), 457-482.
    Raises DataError where no start leads to a maximum inside the parameters' range.
    """
    from scipy.optimize import minimize

    found = np.log(np.asarray(starts[0], dtype=float))
    for start in starts:
        seen = _remembered(judge, customers)
        with np.errstate(all="ignore"):  # a step may go anywhere; what comes of it is judged below
            done = minimize(
                lambda x, seen=seen: seen(x)[0],
                np.log(np.asarray(start, dtype=float)),
                jac=lambda x, seen=seen: seen(x)[1],
                hess=lambda x, seen=seen: seen(x)[2],
                method="trust-exact",
                options={"gtol": SLOPE / 10, "maxiter": 200, "max_trust_radius": 4.0},
            )
            value, slope, bend = seen(done.x)
        found = done.x
        if not (np.isfinite(value) and np.abs(slope).max() < SLOPE and np.abs(found).max() < FARTHEST):
            continue
        information = bend * customers
        if np.linalg.eigvalsh(information).min() <= 0:
            continue
        covariance = np.linalg.inv(information)
        if np.sqrt(np.diag(covariance)).max() > VAGUEST:
            continue
        return np.exp(found), -value * customers, tuple(map(tuple, ((covariance + covariance.T) / 2).tolist()))
    with np.errstate(over="ignore"):
        raise DataError(f"{what} found no best fit to these {customers:,} customers: {border(np.exp(found))}")


def _remembered(judge: Judge, customers: int) -> Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]:
    """What is to be made small, per customer, with its derivatives by the logarithms; the last points are kept."""
    kept: dict[bytes, tuple[float, np.ndarray, np.ndarray]] = {}

    def seen(logs: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        key = logs.tobytes()
        if key not in kept:
            if len(kept) > 3:
                kept.pop(next(iter(kept)))
            at = np.exp(np.clip(logs, -40.0, 40.0))
            value, slope, bend = judge(at)
            bend = np.diag(at * slope) + np.outer(at, at) * bend
            if not (np.isfinite(value) and np.isfinite(slope).all() and np.isfinite(bend).all()):
                value, slope, bend = -np.inf, np.zeros(len(at)), np.zeros((len(at), len(at)))
            kept[key] = -value / customers, -at * slope / customers, -bend / customers
        return kept[key]

    return seen


def slopes(model, value: Callable[..., float]) -> np.ndarray:
    """How a figure that is made of a fitted model changes with the logarithm of each of its parameters.

    From: a fitted model (BgNbd, GammaGamma or ShiftedBeta: its parameters come first, as many as `covariance` has
    rows); value: the figure at a model of that kind. To: one slope a parameter. With the model's covariance they give
    the variance of the figure that comes from the parameters, slopes @ covariance @ slopes ("delta method").
    """
    names = [field.name for field in fields(model)][: len(model.covariance)]
    ends = ([replace(model, **{n: getattr(model, n) * float(np.exp(s))}) for s in (STEP, -STEP)] for n in names)
    return np.array([(value(up) - value(down)) / (2 * STEP) for up, down in ends])


def weighted(*arrays: np.ndarray) -> float:
    """The sum over rows of a product of arrays: no array in between, and the same whatever the number of threads."""
    return float(np.einsum(",".join(["i"] * len(arrays)) + "->", *arrays))


def check_numbers(values: np.ndarray, name: str, *, least: float = 0.0, whole: bool = False) -> np.ndarray:
    """The values as floats. Raises DataError where one is no number, below `least`, or not whole where it is to be."""
    values = np.asarray(values, dtype=float)
    wrong = ~(np.isfinite(values) & (values >= least))
    if whole:
        wrong |= ~wrong & (values != np.floor(np.where(wrong, 0.0, values)))
    if wrong.any():
        kind = "a whole number" if whole else "a number"
        raise DataError(
            f"'{name}' must be {kind} from {least:g} up; found {values[wrong][0]} ({int(wrong.sum()):,} of"
            f" {len(values):,} rows). Mend the table that it was made from."
        )
    return values


def check_columns(frame: Sequence[str], needed: Sequence[str], what: str) -> None:
    """Raises DataError naming the columns that a model lacks."""
    if missing := [c for c in needed if c not in frame]:
        raise DataError(
            f"{what} needs the columns {', '.join(map(repr, needed))}; {', '.join(map(repr, missing))} missing, there"
            f" are {', '.join(map(repr, frame)) or 'none'}."
        )
