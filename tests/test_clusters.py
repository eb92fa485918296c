"""Are there groups, how many, would they come out again: on data whose structure is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from cxkit import clusters
from cxkit.clusters import choose, describe_choice, fit_centres, in_words, one_draw, plot_choice
from cxkit.errors import UsageError
from cxkit.stability import nearest


def frame(rows: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(rows, index=[f"c{i:05d}" for i in range(len(rows))])


def labels_of(scaled: pd.DataFrame, k: int, seed: int = 1) -> pd.Series:
    return pd.Series(nearest(scaled.to_numpy(), fit_centres(scaled, k=k, seed=seed)), index=scaled.index)


@pytest.fixture(scope="module")
def blobs():
    """Four groups of unequal size and density."""
    centres = [[0, 0, 0], [6, 0, 0], [0, 6, 0], [3, 3, 6]]
    return make_blobs(
        [700, 300, 150, 60], centers=centres, cluster_std=[1.0, 0.5, 0.8, 0.4], n_features=3, random_state=1
    )


@pytest.fixture(scope="module")
def chosen(blobs):
    return choose(frame(blobs[0]), seed=1)


def test_groups_of_unequal_size_and_density_are_found(blobs, chosen):
    rows, truth = blobs
    table, verdict = chosen
    assert verdict.real
    assert verdict.k == 4
    assert verdict.p_value == pytest.approx(1 / 20)
    assert verdict.stability > 0.9
    assert verdict.agreement > 0.95
    assert table["k"].tolist() == list(range(2, 11))
    assert table.loc[table["chosen"], "k"].tolist() == [4]
    assert adjusted_rand_score(truth, labels_of(frame(rows), 4)) > 0.95


@pytest.mark.parametrize(("rows", "seed"), [("cloud", 1), ("noise", 2)])
def test_neither_a_correlated_cloud_nor_uniform_noise_has_groups(rows, seed):
    rng = np.random.default_rng(seed)
    cloud = rng.standard_normal((1500, 6)) @ rng.standard_normal((6, 6))
    _, verdict = choose(frame(cloud if rows == "cloud" else rng.random((1500, 6))), seed=seed)
    assert not verdict.real
    assert verdict.sentence == "no clear groups: use tiers"
    assert verdict.reasons


def test_a_longish_cloud_that_kmeans_cuts_stably_is_no_two_groups():
    """Its halves come out again every time: stability alone would call them groups."""
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((1500, 2)) * [5, 1]
    table, verdict = choose(frame(rows), seed=1)
    assert table["stability"].iloc[0] > 0.9
    assert not verdict.real
    assert "data without groups give as clear ones by chance" in verdict.reasons


def test_two_moons_are_not_found_as_two():
    rows, truth = make_moons(1000, noise=0.08, random_state=1)
    _, verdict = choose(frame(rows), seed=1)
    assert verdict.k != 2  # they are cut into round pieces
    assert not verdict.real
    assert "a second method divides the customers otherwise" in verdict.reasons
    assert adjusted_rand_score(truth, labels_of(frame(rows), 2)) < 0.6


def test_a_cloud_in_steps_holds_no_groups():
    """Counts and shares of few orders are tied; that weakens rank correlations, which data without groups must keep."""
    rng = np.random.default_rng(1)
    rows = np.round(rng.multivariate_normal([0, 0, 0], 0.3 * np.eye(3) + 0.7, 1500) * 0.7)
    assert not choose(frame(rows), seed=1)[1].real


def test_one_draw_for_the_student(blobs):
    table = one_draw(frame(blobs[0]), k=4, seed=1)
    assert table["customers"].sum() == len(blobs[0])
    assert (table["jaccard"] > 0.9).all()
    assert one_draw(frame(np.ones((50, 2))), k=3, seed=1).empty
    assert one_draw(frame(np.ones((50, 0))), k=3, seed=1).empty


def test_shuffled_rows_change_nothing(blobs, chosen):
    scaled = frame(blobs[0])
    other = scaled.sample(frac=1, random_state=3)
    one, two = chosen, choose(other, seed=1)
    pd.testing.assert_frame_equal(one[0], two[0])
    assert one[1] == two[1]
    assert (labels_of(scaled, 4) == labels_of(other, 4)[scaled.index]).all()


def test_one_customer_more_or_less_changes_hardly_a_label():
    rng = np.random.default_rng(6)
    # more than the centres are fitted on, so that the sample changes too
    rows, _ = make_blobs(21_000, centers=[[0, 0], [3, 0], [0, 3]], cluster_std=1.0, random_state=1)
    scaled = frame(rows)
    before = labels_of(scaled, 3)
    for place in rng.integers(0, len(scaled), 3):
        after = labels_of(scaled.drop(scaled.index[place]), 3)
        rand = adjusted_rand_score(before[after.index], after)
        assert rand > 0.98
        table = pd.crosstab(before[after.index], after)
        assert table.max(axis=1).sum() >= 0.995 * len(after)


def test_the_sample_hangs_on_the_ids_alone():
    scaled = frame(np.arange(6000.0).reshape(-1, 1))
    one = set(clusters._sample(scaled, 2000, seed=1)[:, 0])
    two = set(clusters._sample(scaled.drop(scaled.index[3]), 2000, seed=1)[:, 0])
    assert len(one) == 2000
    assert len(one ^ two) <= 2
    assert len(one & set(clusters._sample(scaled, 2000, seed=2)[:, 0])) < 1000


@pytest.mark.parametrize("n", [0, 3, 99])
def test_too_few_customers(n):
    table, verdict = choose(frame(np.random.default_rng(1).random((n, 2))), seed=1)
    assert table.empty
    assert verdict.sentence == "too early to say: use tiers"
    assert verdict.reasons == (f"{n} customers who bought more than once are too few; 100 are needed",)
    assert in_words(verdict) == [
        f"Too early to say: use tiers ({n} customers who bought more than once are too few; 100 are needed)."
    ]
    assert describe_choice(table, verdict).startswith("No picture: ")
    plot_choice(table, verdict)


def test_all_alike_or_no_feature():
    _, verdict = choose(frame(np.ones((500, 2))), seed=1)
    assert (verdict.sentence, verdict.reasons) == (clusters.NO_GROUPS, ("the customers are too much alike",))
    _, verdict = choose(frame(np.ones((500, 0))), seed=1)
    assert (verdict.sentence, verdict.reasons) == (clusters.NO_GROUPS, ("no feature tells the customers apart",))


def test_fewer_different_customers_than_groups_to_try():
    rows = np.repeat([[0.0, 0], [1, 0], [0, 1], [5, 5]], 100, axis=0)
    table, _ = choose(frame(rows), seed=1)
    assert table["k"].max() <= 3


def test_bad_input_is_refused():
    scaled = frame(np.random.default_rng(1).random((200, 2)))
    with pytest.raises(UsageError, match="most must be 2 or more; found 1"):
        choose(scaled, seed=1, most=1)
    with pytest.raises(UsageError, match="1 customers have an unknown feature"):
        choose(scaled.assign(x=np.where(scaled.index == "c00003", np.nan, 1.0)), seed=1)
    with pytest.raises(UsageError, match="stands twice"):
        choose(pd.concat([scaled, scaled[:1]]), seed=1)


def test_the_picture_and_the_words_tell_the_verdict(chosen):
    table, verdict = chosen
    ax = plot_choice(table, verdict)
    assert {"these customers", "data without groups", "4 groups"} <= {t.get_text() for t in ax.texts}
    assert "4 groups, told from data without groups" in describe_choice(table, verdict)
    words = " ".join(in_words(verdict))
    assert "n = 1,210" in words
    assert "p = 0.05" in words
