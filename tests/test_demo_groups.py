"""The made-up client's planted groups are found and named; none is found where none is planted."""

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score
from study import load_study


@pytest.fixture(scope="module")
def study():
    """The study's functions: its 800 data sets are drawn by `make study`, six others here."""
    return load_study("segments_power")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_groups_are_found(study, seed):
    found = study.run(("default", seed, study.CHOSEN))
    assert found["real"], found["reasons"]
    assert found["rand"] >= 0.8
    assert found["left_out"] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_groups_are_found_where_none_are_planted(study, seed):
    """Clouds and noise: tests/test_clusters.py."""
    found = study.run(("null", seed, study.CHOSEN))
    assert found["sentence"] == "no clear groups: use tiers"


def test_one_customer_less_changes_hardly_a_label(study):
    """And nobody's name: the groups' centres hardly move."""
    from cxkit.clusters import fit_centres
    from cxkit.stability import nearest

    scaled, _, _ = study.client("default", 1, chosen=study.CHOSEN)
    labels = []
    for frame in (scaled, scaled.drop(scaled.index[7])):
        centres = fit_centres(frame, k=5, seed=1)
        labels.append(pd.Series(nearest(frame.to_numpy(), centres), index=frame.index))
    before, after = labels[0][labels[1].index], labels[1]
    assert adjusted_rand_score(before, after) > 0.99
    assert pd.crosstab(before, after).max(axis=1).sum() >= 0.995 * len(after)
