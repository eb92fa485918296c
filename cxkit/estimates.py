"""A number with its interval, and the functions that make one."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

UNITS = ("share", "money", "count", "days", "lift", "ratio", "points")


@dataclass(frozen=True)
class Estimate:
    """One number that a reader may act on.

    value, low, high: in `unit` (`share` and `lift` are fractions: 0.41 is 41 %; a lift of 0.41 is +41 %).
    n: how many independent observations it rests on. level: of the interval. method: how the interval was made.
    A number that the data cannot give has value, low and high NaN; its `n` still says how little there was.
    """

    value: float
    low: float
    high: float
    n: int
    unit: str
    level: float
    method: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit {self.unit!r} is unknown; valid units: {', '.join(UNITS)}.")

    @property
    def known(self) -> bool:
        """Whether the data could tell: value and both ends of the interval are numbers."""
        return bool(np.isfinite([self.value, self.low, self.high]).all())

    def as_dict(self) -> dict:
        """The fields as JSON takes them (NaN becomes None)."""
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in asdict(self).items()}


def from_dict(fields: dict) -> Estimate:
    """The estimate that `Estimate.as_dict` wrote."""
    numbers = {k: float("nan") if fields[k] is None else float(fields[k]) for k in ("value", "low", "high")}
    return Estimate(**{**fields, **numbers})


def unknown(unit: str, *, n: int = 0, level: float = 0.95, method: str = "too few observations") -> Estimate:
    """An estimate of something that these data cannot tell."""
    return Estimate(float("nan"), float("nan"), float("nan"), n, unit, level, method)


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """A share with Wilson's score interval.

    Source: Wilson (1927), JASA 22(158), 209-212; recommended for small n by Brown, Cai & DasGupta (2001),
    Statistical Science 16(2), 101-133.
    Raises ValueError where `successes` is not between 0 and `n`.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n; found {successes} of {n}.")
    if n == 0:
        return unknown("share", level=level)
    from scipy.stats import norm

    z = norm.ppf((1 + level) / 2)
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # at the ends rounding could leave 1e-17 outside the value itself
    low, high = min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)
    return Estimate(share, float(low), float(high), int(n), "share", level, "Wilson")


def bootstrap(
    samples: list[np.ndarray],
    statistic: Callable[..., np.ndarray],
    *,
    unit: str,
    seed: int,
    level: float = 0.95,
    draws: int = 2000,
) -> Estimate:
    """A statistic of one or more independent samples with a percentile bootstrap interval.

    From: `samples`, each an array whose first axis counts the independent units (customers), drawn with
    replacement each on its own; `statistic(*samples)` returns a number, vectorised or not.
    To: Estimate; n is the total of units. Unknown where a sample has fewer than 5 units, or where the statistic is
    not finite on the data or on more than one draw in a hundred.
    Source: Efron & Tibshirani (1993), An Introduction to the Bootstrap, ch. 13 (percentile interval).
    """
    n = int(sum(len(sample) for sample in samples))
    if min(len(sample) for sample in samples) < 5:
        return unknown(unit, n=n, level=level)
    value = float(statistic(*samples))
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [statistic(*(sample[rng.integers(0, len(sample), len(sample))] for sample in samples)) for _ in range(draws)]
    )
    finite = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(finite) < 0.99 * draws:
        return unknown(unit, n=n, level=level, method="not defined on these data")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high), n, unit, level, f"percentile bootstrap, {draws} draws")
