"""Are there groups among the customers, how many, and would they come out again?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.cluster_null import latent_correlation, without_groups
from cxkit.errors import UsageError
from cxkit.stability import STABLE, best_jaccard, bootstrap_stability, nearest, squared_distances
from cxkit.style import GREY, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLE = 2_000  # customers that the search for k looks at
FITTED = 20_000  # customers that the centres are fitted on
NULLS = 19  # data sets without groups: beating all of them has a chance of 1 in 20 where there are no groups
LEAST_SPREAD = 0.005  # of a silhouette; nulls that all but agree make no hair's breadth an excess
BOOTSTRAPS = 20
NULL_BOOTSTRAPS = 5  # of a data set without groups that seems as clear
LEAST_CUSTOMERS = 100  # fewer cannot tell
LEAST_A_CLUSTER = 10  # customers of the sample a cluster needs on average, for k to be tried
AGREE = 0.8  # adjusted Rand index of the two methods
TRIES = 3  # starts of k-means
NO_GROUPS = "no clear groups: use tiers"
TOO_FEW = "too early to say: use tiers"


@dataclass(frozen=True)
class Verdict:
    """Whether there are groups: `real`, how many (`k`, 0 where no number of groups came out again), the sentence, and
    what it rests on: silhouette, its 95th percentile without groups, p value, least Jaccard index, agreement, n."""

    real: bool
    k: int
    sentence: str
    reasons: tuple[str, ...]
    silhouette: float
    null_silhouette: float
    p_value: float
    stability: float
    agreement: float
    n: int


def choose(scaled: pd.DataFrame, *, seed: int, most: int = 10) -> tuple[pd.DataFrame, Verdict]:
    """How many groups there are, from 2 to `most`, and whether they are real.

    From: scaled features (`scales.scale`, no NaN), indexed by customer_id, one row a customer.
    To: a frame, a row a k: k, silhouette, null_silhouette (mean over data without groups), null_95 (their 95th
    percentile), excess (silhouette - null_silhouette), stability (the least Jaccard index of a cluster), rand (adjusted
    Rand index over all, bootstrap), chosen; and the verdict.

    How: k-means on a sample of at most 2,000 customers, drawn by a hash of their ids, so that one customer more
    changes one row. The silhouette is the simplified one: a customer's distance to the own centre against that to
    the next. Each k's silhouette is held against the mean one of 19 data sets without groups (`without_groups`), since
    even a cloud without groups has a silhouette, a higher one for some k. k is the one with the greatest excess among
    those whose every cluster came out again (Jaccard >= 0.75). The groups are called real only where that excess, in
    standard deviations of the data without groups, is above what each of these reaches at any k at which its own
    clusters come out again, and a Gaussian mixture finds the same ones (adjusted Rand >= 0.8). The mixture's groups
    share one covariance: shapes may be longish, but all alike.
    What it leaves out: groups of other shapes (two moons), groups too small for the sample, and groups that show in one
    feature alone: two heaps of order values are that feature's own distribution, which data without groups have too.
    Source: simplified silhouette: Hruschka, de Castro & Campello (2004), ICDM; comparing with a null: Tibshirani,
    Walther & Hastie (2001), JRSS B 63(2), 411-423; p value: Besag & Clifford (1989), Biometrika 76(4), 633-642.
    Raises UsageError where `most` is under 2, a value is missing, or an id stands twice.
    """
    if most < 2:
        raise UsageError(f"most must be 2 or more; found {most}. It is the largest number of groups to try.")
    _check(scaled)
    rows = _sample(scaled, SAMPLE, seed=seed)
    tried = range(2, min(most, len(rows) // LEAST_A_CLUSTER, len(np.unique(rows, axis=0)) - 1) + 1)
    if len(rows) < LEAST_CUSTOMERS or not tried or not rows.shape[1]:
        return _too_few(scaled)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums over threads differ in their last digit
        return _choose(rows, list(tried), seed=seed, n=len(scaled))


def _choose(rows: np.ndarray, tried: list[int], *, seed: int, n: int) -> tuple[pd.DataFrame, Verdict]:
    rng = np.random.default_rng(seed)
    fits = [_fit(rows, k, seed=seed) for k in tried]
    own = np.array([_silhouette(rows, centres) for centres in fits])
    latent = latent_correlation(rows, rng)
    made = [without_groups(rows, rng, latent=latent) for _ in range(NULLS)]
    nulls = np.array([[_silhouette(null, _fit(null, k, seed=seed)) for k in tried] for null in made])
    table = pd.DataFrame({"k": tried, "silhouette": own})
    table["null_silhouette"], table["null_95"] = nulls.mean(axis=0), np.quantile(nulls, 0.95, axis=0)
    table["excess"] = own - nulls.mean(axis=0)
    again = [_again(rows, centres, times=BOOTSTRAPS, rng=rng) for centres in fits]
    table["stability"], table["rand"] = [float(j.min()) for j, _ in again], [float(r) for _, r in again]
    stable = table["stability"] >= STABLE
    place = int(table["excess"].where(stable).idxmax()) if stable.any() else -1
    table["chosen"] = table.index == place
    if place < 0:
        return table, _verdict(table, place, np.nan, np.nan, n=n)
    far = float((table["excess"] / _spread(nulls))[place])
    agreement = _agreement(rows, nearest(rows, fits[place]), tried[place], seed=seed)
    p = (1 + _beaten(made, nulls, tried, far, seed=seed, rng=rng)) / (1 + NULLS)
    return table, _verdict(table, place, p, agreement, n=n)


def _beaten(
    made: list[np.ndarray], nulls: np.ndarray, tried: list[int], far: float, *, seed: int, rng: np.random.Generator
) -> int:
    """How many data sets without groups have as clear groups, at any k at which theirs come out again too.

    Each is held against the others, as the data are against all.
    """
    count = 0
    for b, null in enumerate(made):
        others = np.delete(nulls, b, axis=0)
        z = (nulls[b] - others.mean(axis=0)) / _spread(others)
        fits = (_fit(null, tried[i], seed=seed) for i in np.argsort(-z, kind="stable") if z[i] >= far)
        count += any(_again(null, f, times=NULL_BOOTSTRAPS, rng=rng)[0].min() >= STABLE for f in fits)
    return count


def _again(rows: np.ndarray, centres: np.ndarray, *, times: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    k = len(centres)
    return bootstrap_stability(
        rows, nearest(rows, centres), fit=lambda drawn, number: _fit(drawn, k, seed=number), times=times, rng=rng
    )


def _spread(nulls: np.ndarray) -> np.ndarray:
    return np.maximum(nulls.std(axis=0, ddof=1), LEAST_SPREAD)


def _verdict(table: pd.DataFrame, place: int, p: float, agreement: float, *, n: int) -> Verdict:
    if place < 0:
        why = f"no number of groups from {table['k'].min()} to {table['k'].max()} came out again from other samples"
        best = table["stability"].max()
        return Verdict(False, 0, NO_GROUPS, (why,), np.nan, np.nan, np.nan, float(best), np.nan, n)
    row = table.loc[place]
    reasons = []
    if p > 0.05:
        reasons.append("data without groups give as clear ones by chance")
    if agreement < AGREE:
        reasons.append("a second method divides the customers otherwise")
    sentence = NO_GROUPS if reasons else f"{row['k']:.0f} groups, told from data without groups"
    numbers = (float(row[c]) for c in ("silhouette", "null_95"))
    stability = float(row["stability"])
    return Verdict(not reasons, int(row["k"]), sentence, tuple(reasons), *numbers, p, stability, agreement, n)


def _too_few(scaled: pd.DataFrame) -> tuple[pd.DataFrame, Verdict]:
    columns = ["k", "silhouette", "null_silhouette", "null_95", "excess", "stability", "rand", "chosen"]
    n = len(scaled)
    if not scaled.shape[1]:
        why = "no feature tells the customers apart"
    elif n < LEAST_CUSTOMERS:
        why = f"{n} customers who bought more than once are too few; {LEAST_CUSTOMERS} are needed"
    else:
        why = "the customers are too much alike"
    sentence = TOO_FEW if scaled.shape[1] and n < LEAST_CUSTOMERS else NO_GROUPS
    nothing = [np.nan] * 5
    return pd.DataFrame(columns=columns), Verdict(False, 0, sentence, (why,), *nothing, n)


def _check(scaled: pd.DataFrame) -> None:
    if missing := int((~np.isfinite(scaled.to_numpy(dtype=float))).any(axis=1).sum()):
        raise UsageError(f"{missing} customers have an unknown feature; set them aside before clustering.")
    if scaled.index.has_duplicates:
        raise UsageError("a customer_id stands twice in the index; give one row a customer.")


def _sample(scaled: pd.DataFrame, size: int, *, seed: int) -> np.ndarray:
    """At most `size` rows in an order that hangs on the ids alone; one customer more moves one row at most."""
    ids = scaled.index.astype(str).to_series().reset_index(drop=True)
    place = pd.util.hash_pandas_object(ids, index=False, hash_key=f"{seed:016d}"[-16:]).to_numpy()
    if size < len(place):
        first = np.argpartition(place, size)[:size]
        first = first[np.argsort(place[first], kind="stable")]
    else:
        first = np.argsort(place, kind="stable")
    return np.round(scaled.to_numpy(dtype=float)[first], 9)


def _fit(rows: np.ndarray, k: int, *, seed: int, tries: int = TRIES) -> np.ndarray:
    """The centres of k clusters by k-means (Lloyd 1982; started as Arthur & Vassilvitskii 2007)."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters, in a bootstrap sample
        return KMeans(k, n_init=tries, random_state=seed).fit(rows).cluster_centers_


def fit_labels(rows: np.ndarray, *, k: int, seed: int) -> np.ndarray:
    """The group of each row (0 to k - 1) by k-means on these rows. From: rows x features, in scaled units."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return nearest(rows, _fit(rows, k, seed=seed))


def _silhouette(rows: np.ndarray, centres: np.ndarray) -> float:
    apart = np.sqrt(squared_distances(rows, centres))
    apart.partition(1, axis=1)
    return float(np.mean((apart[:, 1] - apart[:, 0]) / np.maximum(apart[:, 1], 1e-12)))


def _agreement(rows: np.ndarray, labels: np.ndarray, k: int, *, seed: int) -> float:
    """Adjusted Rand index of these labels and those of a Gaussian mixture, started from another k-means."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import adjusted_rand_score
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(k, covariance_type="tied", n_init=10, reg_covar=0.1, random_state=seed + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(adjusted_rand_score(labels, mixture.fit_predict(rows)))


def fit_centres(scaled: pd.DataFrame, *, k: int, seed: int) -> np.ndarray:
    """The centres of `k` clusters, in scaled units (k x features), on at most 20,000 customers drawn by their ids."""
    from threadpoolctl import threadpool_limits

    _check(scaled)
    with threadpool_limits(1):
        centres = _fit(_sample(scaled, FITTED, seed=seed), k, seed=seed, tries=10)
    return np.round(centres, 9)


def plot_choice(table: pd.DataFrame, verdict: Verdict, *, ax: "Axes | None" = None) -> "Axes":
    """The search for k: each k's silhouette, the band that data without groups give, and the choice."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.6))[1] if ax is None else ax
    ax.set(title="How clear the groups are, by their number", xlabel="Number of groups", ylabel="Silhouette")
    if table.empty:
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], xlabel="", ylabel="")
        ax.text(0.5, 0.5, "nothing to show: too few customers, or all alike", ha="center", va="center", color=GREY)
        return ax
    k = table["k"].to_numpy()
    ax.fill_between(k, table["null_silhouette"], table["null_95"], color=GREY, alpha=0.25, linewidth=0)
    ax.plot(k, table["null_silhouette"], color=GREY, linestyle="--")
    ax.plot(k, table["silhouette"], color="C0", marker="o")
    weak = table[table["stability"] < STABLE]
    ax.plot(weak["k"], weak["silhouette"], "o", markerfacecolor="white", markeredgecolor="C0")
    high = max(table["silhouette"].max(), table["null_95"].max())
    low = min(table["silhouette"].min(), table["null_silhouette"].min())
    room = 0.16 * (high - low + 0.02)
    ax.set(xlim=(k.min() - 0.3, k.max() + 2.6), ylim=(low - room, high + 2 * room), xticks=k)
    ends = {
        "these customers": (table["silhouette"].iloc[-1], "C0"),
        "data without groups": (table["null_silhouette"].iloc[-1], GREY),
    }
    apart = 0.5 * room if abs(ends["these customers"][0] - ends["data without groups"][0]) < room else 0.0
    for side, (name, (height, colour)) in zip((1, -1), ends.items(), strict=True):
        sign = side if ends["these customers"][0] >= ends["data without groups"][0] else -side
        ax.text(k.max() + 0.2, height + sign * apart, name, color=colour, va="center")
    if verdict.k:
        row = table[table["chosen"]].iloc[0]
        text = f"{verdict.k} groups" if verdict.real else f"{verdict.k}: not clear enough"
        ax.annotate(
            text, (row["k"], row["silhouette"]), xytext=(0, 10), textcoords="offset points", ha="center", color=INK
        )
    return ax


def describe_choice(table: pd.DataFrame, verdict: Verdict) -> str:
    """What `plot_choice` shows, for those who cannot see it."""
    if table.empty:
        return f"No picture: {verdict.reasons[0]}."
    if not verdict.k:
        return f"Line of the silhouette by number of groups. Verdict: {verdict.sentence}; {verdict.reasons[0]}."
    row = table[table["chosen"]].iloc[0]
    return (
        f"Line of the silhouette by number of groups. {verdict.k} groups have {row['silhouette']:.2f}, data without "
        f"groups {row['null_silhouette']:.2f} on average. Verdict: {verdict.sentence}."
    )


def in_words(verdict: Verdict) -> list[str]:
    """The verdict in sentences that carry its numbers."""
    head = f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}"
    if not verdict.k:
        return [f"{head} ({'; '.join(verdict.reasons)})."]
    reached = round(verdict.p_value * (NULLS + 1)) - 1
    alike = "alike" if verdict.agreement >= AGREE else "otherwise"
    return [
        f"{head} (n = {verdict.n:,} customers who bought more than once).",
        f"{verdict.k} groups have a silhouette of {verdict.silhouette:.2f}; {reached or 'none'} of {NULLS} data sets "
        f"without groups stand out as far by themselves (p = {verdict.p_value:.2f}; at most 0.05 is asked).",
        f"In samples drawn again each group came out with {100 * verdict.stability:.0f} % of its customers or more "
        f"(Jaccard index; {100 * STABLE:.0f} % is asked).",
        f"A second method divides the customers {alike} (Gaussian mixture, adjusted Rand index "
        f"{verdict.agreement:.2f}; {AGREE:.1f} is asked).",
    ]


def one_draw(scaled: pd.DataFrame, *, k: int, seed: int) -> pd.DataFrame:
    """For the student: k groups, and how far each came out again from one sample drawn with replacement.

    To: group (1 to k), customers, jaccard; no rows where there is nothing to group.
    """
    rows = scaled.to_numpy(dtype=float)
    if not rows.shape[1] or len(np.unique(rows, axis=0)) < k:
        return pd.DataFrame(columns=["group", "customers", "jaccard"])
    drawn = np.random.default_rng(seed).integers(0, len(rows), len(rows))
    mine = fit_labels(rows, k=k, seed=seed)
    again = nearest(rows, _fit(rows[drawn], k, seed=seed))
    there = np.unique(drawn)
    found = best_jaccard(mine[there], again[there], old=k)
    return pd.DataFrame(
        {"group": range(1, k + 1), "customers": np.bincount(mine, minlength=k), "jaccard": found.round(3)}
    )
