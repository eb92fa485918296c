"""Data without groups: every column keeps its values, pairs keep their rank correlation, and nothing else is kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.datasets import make_blobs

from cxkit.cluster_null import _mid_ranks, latent_correlation, without_groups


def test_each_column_keeps_its_values():
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.lognormal(0, 1, 500), rng.integers(0, 3, 500).astype(float)])
    made = without_groups(values, rng)
    assert (np.sort(made, axis=0) == np.sort(values, axis=0)).all()


def test_rank_correlations_are_kept():
    rng = np.random.default_rng(2)
    mixed = rng.standard_normal((20_000, 3)) @ np.array([[1, 0.8, 0], [0, 0.6, 0], [0.5, 0, 1]])
    values = np.column_stack([np.exp(mixed[:, 0]), mixed[:, 1] ** 3, mixed[:, 2]])
    asked = spearmanr(values).statistic
    assert np.abs(spearmanr(without_groups(values, rng)).statistic - asked).max() < 0.02


@pytest.mark.parametrize(("levels", "rho"), [(0.5, 0.9), (0.7, 0.9), (1.0, -0.7)])
def test_rank_correlations_are_kept_where_values_are_tied(levels, rho):
    """Steps weaken the rank correlation of what is drawn; a cloud in steps must not seem to hold groups for that."""
    rng = np.random.default_rng(6)
    mixed = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 6000)
    values = np.round(mixed * levels)
    asked = spearmanr(values).statistic
    latent = latent_correlation(values, rng)
    found = [spearmanr(without_groups(values, rng, latent=latent)).statistic for _ in range(5)]
    assert np.mean(found) == pytest.approx(asked, abs=0.03)  # 0.17 apart without the correction


def test_groups_are_not_kept():
    """Four clear groups on a square's corners: the corners stay, in a mixture of all with all; diagonal pairs go."""
    rng = np.random.default_rng(3)
    corners, _ = make_blobs(2000, centers=[[0, 0], [9, 9], [0.5, 4]], cluster_std=0.1, random_state=0)
    made = without_groups(corners, rng)
    near = [np.linalg.norm(rows - [0.5, 4], axis=1) < 0.5 for rows in (corners, made)]
    assert near[0].mean() == pytest.approx(1 / 3, abs=0.01)
    assert near[1].mean() < 0.3


def test_one_column_is_drawn_anew_from_itself():
    rng = np.random.default_rng(4)
    values = rng.random((300, 1))
    made = without_groups(values, rng)
    assert made.shape == values.shape
    assert set(made[:, 0]) < set(values[:, 0])


def test_two_equal_columns_and_a_constant_one_do_no_harm():
    x = np.arange(50, dtype=float)
    made = without_groups(np.column_stack([x, x]), np.random.default_rng(5))
    assert np.corrcoef(made, rowvar=False)[0, 1] > 0.99
    assert np.isfinite(without_groups(np.column_stack([x, x * 0]), np.random.default_rng(5))).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_mid_ranks_add_up(values):
    ranks = _mid_ranks(np.array(values, dtype=float))
    assert ranks.sum() == pytest.approx(len(values) * (len(values) + 1) / 2)
