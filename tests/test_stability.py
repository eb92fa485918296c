"""Stability against a plain reference, written out."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from cxkit.stability import best_jaccard, bootstrap_stability, nearest, squared_distances


def fit(rows, seed):
    return KMeans(3, n_init=3, random_state=seed).fit(rows).cluster_centers_


def plain_jaccard(labels, other):
    """Hennig (2007), sec. 2: for each cluster the largest |A and B| / |A or B| over the new clusters."""
    best = []
    for a in range(max(labels) + 1):
        one = {i for i, label in enumerate(labels) if label == a}
        values = [0.0]
        for b in set(other):
            two = {i for i, label in enumerate(other) if label == b}
            values.append(len(one & two) / len(one | two) if one | two else 0.0)
        best.append(max(values))
    return best


def plain_rand(labels, other):
    """Hubert & Arabie (1985), eq. 5, by counting pairs."""
    same = together = one = two = 0
    n = len(labels)
    for i in range(n):
        for j in range(i):
            a, b = labels[i] == labels[j], other[i] == other[j]
            same += a and b
            one += a
            two += b
            together += 1
    expected = one * two / together
    return (same - expected) / ((one + two) / 2 - expected)


def test_jaccard_by_eye():
    labels, other = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])
    assert best_jaccard(labels, other, old=2) == pytest.approx([2 / 3, 2 / 3])
    assert best_jaccard(labels, np.zeros(5, dtype=int), old=2) == pytest.approx([3 / 5, 2 / 5])


def test_the_figures_are_those_of_the_plain_reference():
    rows, _ = make_blobs(60, centers=[[0, 0], [3, 0], [0, 3]], cluster_std=1.0, random_state=1)
    labels = nearest(rows, fit(rows, 0))
    jaccard, rand = bootstrap_stability(rows, labels, fit=fit, times=5, rng=np.random.default_rng(7))
    rng, plain, rands = np.random.default_rng(7), [], []
    for _ in range(5):
        drawn = rng.integers(0, len(rows), len(rows))
        new = nearest(rows, fit(rows[drawn], int(rng.integers(2**31))))
        there = sorted(set(drawn))
        plain.append(plain_jaccard(labels[there].tolist(), new[there].tolist()))
        rands.append(plain_rand(labels, new))
    assert jaccard == pytest.approx(np.mean(plain, axis=0))
    assert rand == pytest.approx(np.mean(rands))


def test_clear_groups_come_out_again_and_a_cloud_cut_in_three_does_not():
    clear, _ = make_blobs(300, centers=[[0, 0], [9, 0], [0, 9]], cluster_std=0.5, random_state=1)
    cloud = np.random.default_rng(1).standard_normal((300, 2))
    least = []
    for rows in (clear, cloud):
        labels = nearest(rows, fit(rows, 0))
        jaccard, _ = bootstrap_stability(rows, labels, fit=fit, times=20, rng=np.random.default_rng(1))
        least.append(jaccard.min())
    assert least[0] == pytest.approx(1.0)
    assert least[1] < 0.75


def test_distances_by_eye_and_ties_go_to_the_first():
    rows, centres = np.array([[0.0, 0], [1, 0]]), np.array([[0.0, 1], [2, 1]])
    assert squared_distances(rows, centres).tolist() == [[1, 5], [2, 2]]
    assert nearest(rows, centres).tolist() == [0, 0]
