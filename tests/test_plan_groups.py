"""Which groups the plan is for, and how they keep their names from audit to audit."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_blobs

from cxkit import plan_groups
from cxkit.cluster_model import save_model
from cxkit.clusters import NO_GROUPS, Verdict, choose
from cxkit.features import feature_list
from cxkit.plan_groups import (
    aside_table,
    earlier_model,
    find_model,
    found_then,
    groups_then,
    in_words,
    keep_names,
    matched,
    other_model,
    set_aside,
    why_tiers,
)
from cxkit.scales import Scale, fit_scales, scale

LISTED = feature_list()
DAY, BEFORE = date(2026, 6, 30), date(2026, 1, 1)
CHOSEN = ["order_value", "products_per_order"]


def people(*, seed: int = 1, n: int = 600) -> pd.DataFrame:
    """Three clear groups by the value of an order and the products in it."""
    rows, truth = make_blobs(n, centers=[[3, 0], [6, 0], [6, 3]], cluster_std=0.2, random_state=seed)
    return pd.DataFrame(
        {
            "orders": 3,
            "monetary": np.exp(rows[:, 0]) * 3,
            "order_value": np.exp(rows[:, 0]),
            "products_per_order": np.exp(rows[:, 1] - rows[:, 1].min()),
            "truth": truth,
        },
        index=pd.Index([f"c{i:04d}" for i in range(n)], name="customer_id"),
    )


def search(features: pd.DataFrame, *, as_of: date = DAY):
    scales, _ = fit_scales(features, chosen=CHOSEN, listed=LISTED)
    clear = scale(features[set_aside(features, scales) == ""], scales)
    _, verdict = choose(clear, seed=1)
    return find_model(features, clear, scales, verdict, listed=LISTED, as_of=as_of, seed=1), verdict


@pytest.fixture(scope="module")
def model():
    return search(people())[0]


def test_who_is_set_aside_and_why():
    features = pd.DataFrame({"orders": [1, 2, 2, 2], "order_value": [5.0, np.nan, 1e9, 5.0]})
    scales = (Scale("order_value", "amount", np.log(5), 1.0),)
    aside = set_aside(features, scales)
    assert aside.tolist() == ["Bought once", "Not placed", "Set apart", ""]
    table = aside_table(aside)
    assert table["group"].tolist() == ["Clustered", "Bought once", "Not placed", "Set apart"]
    assert table["customers"].tolist() == [1, 1, 1, 1]


def test_everybody_has_one_group(model):
    features = pd.concat([people(), people(n=50, seed=2).assign(orders=1).rename("x{}".format)])
    groups = plan_groups.plan_groups(features, model, pd.DataFrame())
    assert groups["customer_id"].tolist() == sorted(features.index)
    assert (groups["group"] == "Bought once").sum() == 50
    placed = groups[groups["group"] != "Bought once"].set_index("customer_id")["group"]
    assert pd.crosstab(placed, people()["truth"]).max(axis=1).sum() == 600


def test_without_groups_the_tiers_are_the_plan():
    tier = pd.DataFrame({"customer_id": ["b", "a"], "tier": ["great", "good"]})
    groups = plan_groups.plan_groups(people(), None, tier)
    assert groups.to_numpy().tolist() == [["a", "good"], ["b", "great"]]
    verdict = Verdict(False, 0, NO_GROUPS, ("why", "and why"), *[np.nan] * 5, 10)
    assert find_model(people(), people(), (), verdict, listed=LISTED, as_of=DAY, seed=1) is None
    assert why_tiers(verdict) == "No clear groups: use tiers: why; and why."


def test_groups_of_the_earlier_audit_keep_their_names(model, tmp_path):
    old = replace(model, names=("Alpha", "Beta", "Gamma"), as_of="2026-01-01")
    save_model(old, tmp_path / plan_groups.MODEL)
    assert earlier_model(tmp_path) == (old, "")
    assert earlier_model(tmp_path / "nowhere") == (None, "")
    assert earlier_model(None) == (None, "")
    (tmp_path / plan_groups.MODEL).write_text("{")
    none, why = earlier_model(tmp_path)
    assert none is None
    assert why.startswith(f"{tmp_path.name}/models/01_segmentation.json is no model: ")
    now, verdict = search(people(seed=1, n=700))
    assert verdict.real
    kept, told = keep_names(now, old)
    assert sorted(kept.names) == ["Alpha", "Beta", "Gamma"]
    assert told == ["Groups that the audit of 2026-01-01 found too keep their names."]
    pairs = matched(now, old)
    assert pairs["reading"].tolist() == ["the same group"] * 3
    assert in_words(pairs, other=old, audited=True) == "All 3 groups were found in the audit of 2026-01-01 too."


def test_other_features_mean_new_names(model):
    old = replace(model, scales=(model.scales[0], replace(model.scales[1], feature="categories")))
    kept, told = keep_names(model, old)
    assert kept == model
    assert told[0].startswith("The groups have new names: the models of 2026-06-30 and 2026-06-30 rest on different")
    then = people(n=500)
    assert other_model(model, old, then, listed=LISTED, as_of=BEFORE).as_of == "2026-01-01"
    assert other_model(model, replace(model), then, listed=LISTED, as_of=BEFORE) == model
    assert other_model(None, old, then, listed=LISTED, as_of=BEFORE) is None
    assert keep_names(None, old) == (None, [])


def test_a_group_that_was_not_there_is_told(model):
    then = people()
    other = found_then(then[then["truth"] != 2], model, listed=LISTED, as_of=BEFORE)
    words = in_words(matched(model, other), other=other, audited=False)
    assert "groups were found among the customers as they were on 2026-01-01, cut into as many by the same" in words
    assert " too; not “" in words


def test_too_few_then_or_a_feature_that_could_not_serve(model):
    then = people()
    assert found_then(then[:50], model, listed=LISTED, as_of=BEFORE) is None
    assert found_then(then.assign(order_value=1.0), model, listed=LISTED, as_of=BEFORE) is None


def test_an_earlier_audit_is_taken_at_its_word_where_its_names_are_known(model, tmp_path):
    features = people(n=20)
    placed = groups_then(None, features, model)
    assert set(placed["group"]) <= set(model.names)
    path = tmp_path / plan_groups.GROUPS
    path.parent.mkdir()
    kept = pd.DataFrame({"customer_id": ["c0001"], "group": [model.names[0]]})
    kept.to_csv(path, index=False)
    assert groups_then(tmp_path, features, model).to_numpy().tolist() == kept.to_numpy().tolist()
    kept.assign(group="great").to_csv(path, index=False)  # tiers then: another yardstick
    pd.testing.assert_frame_equal(groups_then(tmp_path, features, model), placed)
