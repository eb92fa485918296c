"""Would the same clusters come out again: bootstrap, Jaccard per cluster, adjusted Rand over all."""

from collections.abc import Callable

import numpy as np

STABLE = 0.75  # Hennig (2007): from here on a cluster is valid and stable; under 0.6 it is not to be trusted

Fit = Callable[[np.ndarray, int], np.ndarray]  # rows, seed -> centres


def bootstrap_stability(
    rows: np.ndarray, labels: np.ndarray, *, fit: Fit, times: int, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """How well each cluster, and all of them together, come out again from samples drawn with replacement.

    From: rows (customers x features), their labels (0, 1, …), `fit`, which finds the centres of as many clusters in
    other rows. To: per cluster the mean Jaccard index with the most similar new cluster, over the customers that were
    drawn; the mean adjusted Rand index of old and new labels of all customers.
    What it leaves out: a sample tells how the procedure varies with the customers drawn, not with the season.
    Source: Hennig (2007), Computational Statistics & Data Analysis 52(1), 258-271 (clusterboot, scheme "boot");
    Hubert & Arabie (1985), Journal of Classification 2, 193-218, for the adjusted Rand index.
    """
    from sklearn.metrics import adjusted_rand_score

    old = int(labels.max()) + 1
    jaccard, rand = np.zeros(old), 0.0
    for _ in range(times):
        drawn = rng.integers(0, len(rows), len(rows))
        new = nearest(rows, fit(rows[drawn], int(rng.integers(2**31))))
        there = np.unique(drawn)
        jaccard += best_jaccard(labels[there], new[there], old=old)
        rand += adjusted_rand_score(labels, new)
    return jaccard / times, rand / times


def best_jaccard(labels: np.ndarray, other: np.ndarray, *, old: int) -> np.ndarray:
    """For each of `old` clusters the Jaccard index with the most similar one of another labelling of the same rows."""
    table = np.zeros((old, int(other.max()) + 1))
    np.add.at(table, (labels, other), 1)
    either = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    return (table / np.maximum(either, 1)).max(axis=1)


def nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The place of the nearest centre to each row; the first of several."""
    return squared_distances(rows, centres).argmin(axis=1)


def squared_distances(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances, rows x centres, summed feature by feature."""
    apart = np.zeros((len(rows), len(centres)))
    for j in range(rows.shape[1]):
        apart += np.square(rows[:, j, None] - centres[None, :, j])
    return apart
