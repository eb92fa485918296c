"""truth.yml: every planted fact is in it, and what is expected to follow is measured, not made up."""

import pytest
import yaml
from demo_raw import groups, orders, truth

from cxkit.demo import draw
from cxkit.demo_plan import read_yaml, scenario_plan
from cxkit.demo_truth import HOLDS
from cxkit.demo_truth import truth as write_truth


@pytest.mark.parametrize("scenario", ["default", "improved", "one_group", "subscription", "null"])
def test_everything_planted_is_stated(scenario):
    plan = scenario_plan(scenario)
    stated = yaml.safe_load(write_truth(plan, customers=10, seed=1))
    for key in HOLDS:
        if plan[key]:
            assert stated["definitions"][key]
            missing = {k: v for k, v in plan[key].items() if k not in stated[key]}
            assert missing == {}, key
    assert stated["scenario"] == scenario
    assert stated["period"] == plan["period"]
    assert stated["expected"] == read_yaml("demo_expected.yml")["scenarios"][scenario]
    assert ("improvement" in stated) == (scenario == "improved")


def test_the_improvement_states_its_date():
    stated = yaml.safe_load(write_truth(scenario_plan("improved"), customers=10, seed=1))
    assert str(stated["improvement"]["from"]) == "2026-04-01"
    assert stated["improvement"]["conversion"] > stated["touches"]["conversion"]


def test_expected_figures_came_from_a_large_base_and_still_hold():
    facts = read_yaml("demo_expected.yml")
    assert facts["customers"] >= 100_000
    expected = facts["scenarios"]["default"]
    table = orders().groupby("customer").size()
    assert table.mean() == pytest.approx(expected["orders_a_customer"], rel=0.04)
    assert (table >= 3).mean() == pytest.approx(expected["share_of_customers_with_3_orders"], abs=0.02)
    late = orders()[orders()["nth"] >= 3]
    assert late["goods"].mean() == pytest.approx(expected["goods_an_order_from_3"], rel=0.05)
    assert late["categories"].mean() == pytest.approx(expected["categories_an_order_from_3"], rel=0.05)


def test_the_lift_is_expected_in_default_and_not_in_null():
    scenarios = read_yaml("demo_expected.yml")["scenarios"]
    assert min(scenarios["default"]["lift_loyal_over_new_per_active_month"].values()) > 0.25
    assert max(abs(v) for v in scenarios["null"]["lift_loyal_over_new_per_active_month"].values()) < 0.02


def test_every_customer_s_group_is_known():
    assert len(groups()) == 4000
    assert set(groups()) == set(truth()["groups"])
    people = draw(scenario_plan(), seed=1)["people"]
    names = people["group"].map(dict(enumerate(truth()["groups"])))
    assert (groups().to_numpy() == names.to_numpy()).all()
