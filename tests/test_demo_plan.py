"""Scenarios and streams: what a scenario changes, and that each thing drawn has numbers of its own."""

import numpy as np
import pytest

from cxkit.demo_plan import group_matrix, labelled, pick, read_yaml, scenario_plan, streams
from cxkit.errors import UsageError

SCENARIOS = ["default", "improved", "one_group", "subscription", "null"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_shares_add_up_to_one(scenario):
    plan = scenario_plan(scenario)
    assert sum(g["share"] for g in plan["groups"].values()) == pytest.approx(1)
    for key in ("channel", "payment", "delivery", "category"):
        matrix, labels = group_matrix(plan, key)
        assert matrix.sum(axis=1) == pytest.approx(np.ones(len(plan["groups"])))
        assert len(labels) == len(set(labels))
    for table in plan["touches"]["next"].values():
        assert sum(table.values()) == pytest.approx(1)
    assert sum(plan["touches"]["entry"].values()) == pytest.approx(1)
    topics = plan["topics"]
    assert sum([*topics["missing"].values(), *topics["found"].values()]) == pytest.approx(1)
    for reasons in (plan["service"]["cancel_reasons"], *plan["service"]["return_reasons"].values()):
        assert sum(reasons.values()) == pytest.approx(1)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nobody_orders_in_the_hour_that_the_clock_change_takes(scenario):
    assert all(hours[3] == 0 and len(hours) == 24 for hours in scenario_plan(scenario)["hours"].values())


def test_the_period_is_eighteen_months():
    plan = scenario_plan()
    assert (str(plan["first"]), str(plan["last"]), plan["days"]) == ("2025-01-01", "2026-06-30", 546)


def test_null_plants_nothing():
    plan = scenario_plan("null")
    assert len(plan["groups"]) == 1
    assert plan["touches"]["weak"] == {}
    assert plan["contacts"]["growing"] == {}
    assert len(set(plan["contacts"]["rates"].values())) == 1
    assert (plan["lift"]["goods"], plan["lift"]["value"]) == (1, 1)
    assert plan["lift"]["new_category_before"] == plan["lift"]["new_category_after"]
    assert not any(plan["surveys"][k][m] for k in ("weak", "late", "incentive_bias") for m in ("nps", "csat", "ces"))
    assert len(set(plan["service"]["late"].values())) == len(set(plan["service"]["returned"].values())) == 1
    assert plan["referrals"]["weight"] == 1
    assert set(plan["groups"]["everybody"]["purchases"]) == {"rate", "dropout"}
    assert plan["improvement"] is None


def test_improved_changes_the_improvement_alone():
    default, improved = scenario_plan("default"), scenario_plan("improved")
    assert {k for k in default if default[k] != improved[k]} == {"improvement", "scenario"}


def test_a_scenario_leaves_the_next_one_as_it_was():
    scenario_plan("null")["groups"].clear()
    assert scenario_plan("null")["groups"]
    assert scenario_plan("default")["touches"]["weak"]
    assert "scenarios" in read_yaml("demo.yml")


def test_an_unknown_scenario_is_named():
    with pytest.raises(UsageError, match=r"no scenario 'improve'; there are .* Did you mean 'improved'"):
        scenario_plan("improve")


def test_streams_of_one_name_repeat_and_others_differ():
    rng = streams(1, 0)
    first = rng("a").random(5)
    assert (first == rng("a").random(5)).all()
    assert (first == rng("a").random(9)[:5]).all()
    others = [rng("b"), streams(2, 0)("a"), streams(1, 1)("a")]
    assert not any((first == other.random(5)).all() for other in others)


def test_pick_follows_the_weights():
    u = np.array([0.0, 0.19, 0.2, 0.99])
    assert pick(u, [1, 4]).tolist() == [0, 0, 1, 1]
    assert pick(u, np.array([[1, 4], [4, 1]]), np.array([0, 1, 1, 1])).tolist() == [0, 0, 0, 1]
    assert pick(np.array([0.0, 0.999999]), [0, 1, 0]).tolist() == [1, 1]
    table = np.array([[0.2, 0.3, 0.5]])
    draws = pick(np.random.default_rng(1).random(50_000), table, np.zeros(50_000, dtype=int))
    assert np.bincount(draws) / 50_000 == pytest.approx([0.2, 0.3, 0.5], abs=0.01)


def test_labelled_keeps_empty_fields_empty():
    assert labelled(np.array([1, -1]), ["a", "b"]).tolist()[0] == "b"
    assert labelled(np.array([1, -1]), ["a", "b"]).isna().tolist() == [False, True]
