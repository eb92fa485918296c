"""A number with its interval, and the functions that make one."""

from dataclasses import asdict, dataclass

import numpy as np

UNITS = ("share", "money", "count", "days", "lift", "ratio", "points")
FIFTH = 0.2  # share of customers called the top
LEAST_FOR_CONCENTRATION = 30  # fewer customers cannot tell how concentrated their revenue is


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
        if not 0 < self.level <= 1:
            raise ValueError(f"the level of an interval lies above 0 and at most at 1; found {self.level}.")
        if self.low > self.high:  # never true of NaN
            raise ValueError(f"an interval's low end lies at or below its high end; found {self.low} to {self.high}.")

    @property
    def known(self) -> bool:
        """Whether the data could tell: value and both ends of the interval are numbers."""
        return bool(np.isfinite([self.value, self.low, self.high]).all())

    def as_dict(self) -> dict:
        """The fields as JSON takes them (NaN becomes None)."""
        fields = {**asdict(self), "n": int(self.n)}
        return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in fields.items()}


def from_dict(fields: dict) -> Estimate:
    """The estimate that `Estimate.as_dict` wrote."""
    numbers = {k: float("nan") if fields[k] is None else float(fields[k]) for k in ("value", "low", "high")}
    return Estimate(**{**fields, **numbers})


def unknown(unit: str, *, n: int = 0, level: float = 0.95, method: str = "too few observations") -> Estimate:
    """An estimate of something that these data cannot tell."""
    return Estimate(float("nan"), float("nan"), float("nan"), n, unit, level, method)


def counted(part: float, whole: float) -> Estimate:
    """A share of something counted in full, such as the refused rows of a file: no sampling, so no interval.

    From: `part` of `whole` (rows, orders or money). To: Estimate with low = high = value and level 1; n is `whole`,
    rounded down. Unknown where `whole` is not above zero.
    """
    if not whole > 0:
        return unknown("share", level=1.0, method="nothing to count")
    share = float(part / whole)
    return Estimate(share, share, share, int(whole), "share", 1.0, "counted in full")


def simultaneous(level: float, family: int) -> float:
    """The level that each of `family` intervals needs so that all of them hold together at `level`.

    Source: Bonferroni's inequality; Dunn (1961), JASA 56(293), 52-64.
    """
    if family < 1:
        raise ValueError(f"a family has at least one member; found {family}.")
    return 1 - (1 - level) / family


def wilson_ends(successes: np.ndarray, n: np.ndarray, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of Wilson's score interval for many shares at once; NaN where n is 0 or a count is missing.

    Source: as `wilson`.
    """
    from scipy.special import ndtri  # scipy.stats takes two seconds to import

    successes, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    z = ndtri((1 + level) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # at the ends rounding could leave 1e-17 outside the value itself
    return np.minimum(np.maximum(0.0, centre - half), share), np.maximum(np.minimum(1.0, centre + half), share)


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
    low, high = wilson_ends(successes, n, level=level)
    return Estimate(float(successes / n), float(low), float(high), int(n), "share", level, "Wilson")


def mean(values: np.ndarray, *, unit: str = "points", level: float = 0.95) -> Estimate:
    """The mean of independent values with Student's t interval; unknown below 2 values.

    Source: Student (1908), Biometrika 6(1), 1-25.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n < 2:
        return unknown(unit, n=n, level=level)
    from scipy.special import stdtrit

    value, half = float(values.mean()), float(stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(value, value - half, value + half, n, unit, level, "Student's t")


def normal(value: float, error: float, n: int, *, unit: str, level: float = 0.95, method: str = "normal") -> Estimate:
    """A value with the normal interval of its standard error; unknown where either is no number."""
    if not np.isfinite([value, error]).all():
        return unknown(unit, n=int(n), level=level)
    from scipy.special import ndtri

    half = float(ndtri((1 + level) / 2)) * error
    return Estimate(float(value), float(value - half), float(value + half), int(n), unit, level, method)


def p_values(value: np.ndarray, error: np.ndarray, *, reference: float = 0.0) -> np.ndarray:
    """Two-sided p-values of normal estimates against a reference; NaN where value or error is no number.

    An error of 0 gives 0, or 1 where the value is the reference itself.
    """
    from scipy.special import ndtr

    value, error = np.asarray(value, dtype=float), np.asarray(error, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(
            value == reference, np.where(np.isfinite(error), 0.0, np.nan), np.abs(value - reference) / error
        )
    return 2 * ndtr(-distance)


def holm_levels(p_values: np.ndarray, *, level: float = 0.95) -> np.ndarray:
    """The level of each member's own interval in a family judged together.

    From: two-sided p-values; NaN is no member. To: levels, so that an interval excludes its reference exactly where
    Holm's step-down procedure rejects, and that all verdicts hold together at `level`: the k-th smallest of m
    p-values is held against (1 - level) / (m - k + 1), and from the first that fails on all keep that one's.
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    p = np.asarray(p_values, dtype=float)
    levels = np.full(len(p), level)
    members = np.flatnonzero(np.isfinite(p))
    error, failed = np.nan, False
    for rank, place in enumerate(members[np.argsort(p[members], kind="stable")]):
        if not failed:
            error = (1 - level) / (len(members) - rank)
            failed = p[place] > error
        levels[place] = 1 - error
    return levels


def share_difference(one: int, of_one: int, other: int, of_other: int, *, level: float = 0.95) -> Estimate:
    """One share minus another of independent groups, in percentage points.

    From: `one` of `of_one` and `other` of `of_other`. To: Estimate, unit points (23.0 is 23 percentage points), n both
    groups; unknown where one is empty.
    Source: Newcombe (1998), Statistics in Medicine 17(8), 873-890, method 10 (from Wilson's ends).
    """
    first, last = wilson(one, of_one, level=level), wilson(other, of_other, level=level)
    n = int(of_one + of_other)
    if not (first.known and last.known):
        return unknown("points", n=n, level=level)
    gap = first.value - last.value
    down = np.hypot(first.value - first.low, last.high - last.value)
    up = np.hypot(first.high - first.value, last.value - last.low)
    return Estimate(100 * gap, float(100 * (gap - down)), float(100 * (gap + up)), n, "points", level, "Newcombe")


def cluster_error(
    part_sq: np.ndarray,
    cross: np.ndarray,
    whole_sq: np.ndarray,
    whole_sum: np.ndarray,
    ratio: np.ndarray,
    clusters: np.ndarray,
) -> np.ndarray:
    """The standard error of ratios of sums from sums over clusters (visits, customers), for many ratios at once.

    From: sums over clusters of part^2, part * whole, whole^2 and whole; the ratio of sums; how many clusters there
    are. To: errors; NaN with fewer than 2 clusters. What it leaves out: the bias of a ratio, of order 1/clusters.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6 (as `ratio_of_sums`).
    """
    part_sq, cross, whole_sq, whole_sum, ratio, clusters = (
        np.asarray(a, dtype=float) for a in (part_sq, cross, whole_sq, whole_sum, ratio, clusters)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.maximum(part_sq - 2 * ratio * cross + ratio**2 * whole_sq, 0.0)
        return np.where(clusters > 1, np.sqrt(clusters / (clusters - 1) * squares) / whole_sum, np.nan)


def ratio_of_sums(part: np.ndarray, whole: np.ndarray, *, level: float = 0.95) -> Estimate:
    """What `part` sums to as a share of what `whole` sums to, the pairs being independent (customers).

    From: two arrays of one length. To: Estimate, unit share, with the linearised ("delta method") interval, whose half
    width is Student's t times sqrt(n / (n - 1) * sum((part - ratio * whole)^2)) / sum(whole).
    What it leaves out: the bias of a ratio, of order 1/n. Unknown with fewer than 5 pairs or a whole not above zero.
    Source: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6.
    """
    part, whole = np.asarray(part, dtype=float), np.asarray(whole, dtype=float)
    n, total = len(part), float(whole.sum())
    if n < 5:
        return unknown("share", n=n, level=level)
    if not total > 0:
        return unknown("share", n=n, level=level, method="the whole is not above zero")
    ratio = float(part.sum()) / total
    error = float(np.sqrt(n / (n - 1) * np.square(part - ratio * whole).sum())) / total
    return _around(ratio, error, n, level, "linearised ratio")


def top_share(values: np.ndarray, *, share: float = FIFTH, level: float = 0.95) -> Estimate:
    """What the top `share` of units hold of the total: 1 - L(1 - share) on the Lorenz curve.

    From: one number a unit (a customer's revenue); where `share` of n is no whole number, the unit on the border
    counts with its fraction. To: Estimate, unit share, with the asymptotic interval.
    What it leaves out: below about 200 units with a heavy tail the interval is too narrow (87 to 92 % instead of
    95 % in simulation); unknown below 30 units, or where the total is not above zero.
    Source: Beach & Davidson (1983), Review of Economic Studies 50(4), 723-735, in its influence-function form.
    Raises ValueError where `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; found {share}.")
    return ranked_share(values, start=0, stop=share, level=level)


def ranked_share(values: np.ndarray, *, start: float, stop: float, level: float = 0.95) -> Estimate:
    """What the units ranked between `start` and `stop` from the top hold of the total (0 and 0.1: the best tenth).

    From, To, what is left out and Source: as `top_share`, of which it is the difference of two.
    Raises ValueError where not 0 <= start <= stop <= 1.
    """
    if not 0 <= start <= stop <= 1:
        raise ValueError(f"ranks run from 0 to 1, start before stop; found {start} and {stop}.")
    ordered = np.sort(np.asarray(values, dtype=float))
    n, total = len(ordered), float(ordered.sum())
    if n < LEAST_FOR_CONCENTRATION:
        return unknown("share", n=n, level=level)
    if not total > 0:
        return unknown("share", n=n, level=level, method="the total is not above zero")
    (held, influence), (above, influence_above) = _top(ordered, stop), _top(ordered, start)
    error = float((influence - influence_above).std(ddof=1) / np.sqrt(n) / (total / n))
    return _around(held - above, error, n, level, "asymptotic (Beach & Davidson)")


def _top(ordered: np.ndarray, share: float) -> tuple[float, np.ndarray]:
    """What the top `share` holds, and each unit's influence on it (times the mean)."""
    n = len(ordered)
    border = (1 - share) * n
    whole = min(int(border), n - 1)
    edge = ordered[whole]
    held = float(1 - (ordered[:whole].sum() + edge * (border - whole)) / ordered.sum())
    return held, np.maximum(ordered - edge, 0) + share * edge - held * ordered


def _around(value: float, error: float, n: int, level: float, method: str) -> Estimate:
    """A share with Student's t interval of the given standard error, kept in 0 to 1 where the share lies there."""
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    low, high = value - half, value + half
    if 0 <= value <= 1:
        low, high = max(low, 0.0), min(high, 1.0)
    return Estimate(value, low, high, n, "share", level, method)
