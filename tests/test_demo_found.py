"""What is planted in the made-up client is what the areas find, through the door and all."""

import shutil
from pathlib import Path

import pytest
import yaml

from cxkit import concentration, demo, lift, loyalty, quality, rhythm, segments
from cxkit.client import load_client
from cxkit.engine import connect, read_parquet
from cxkit.sources import load

DEMO = Path(__file__).parents[1] / "data" / "demo"


def opened(folder):
    loaded = load(load_client(folder / "client.yml"))
    return read_parquet(connect(), loaded.tables["orders"]), loaded


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients") / "demo"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("cache", "refused"))
    return opened(folder)


@pytest.fixture(scope="module")
def null(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients") / "null"
    demo.make(folder, customers=4000, seed=1, scenario="null")
    return opened(folder)


@pytest.fixture(scope="module")
def truth():
    return yaml.safe_load((DEMO / "truth.yml").read_text(encoding="utf-8"))["expected"]


def test_repeat_rate_and_concentration_are_recovered(default, truth):
    orders, loaded = default
    rate = loyalty.repeat_rate(orders, within_days=90, as_of=loaded.as_of, level=0.99)
    assert rate.low <= truth["repeat_rate_90_days"] <= rate.high
    revenue = concentration.customer_revenue(orders, as_of=loaded.as_of)
    top = concentration.top_share(revenue, level=0.99)
    assert top.low <= truth["revenue_share_of_top_20_percent"] <= top.high
    gini = concentration.gini(revenue, level=0.99)
    assert gini.low <= truth["gini_of_revenue"] <= gini.high


def test_the_planted_lift_is_found(default, truth):
    orders, loaded = default
    lifts = lift.loyal_lift(orders, as_of=loaded.as_of, seed=1)
    after = lifts[lifts["way"] == lift.AFTER].set_index("measure")
    assert (after["reading"] == "more").all()
    for measure, planted in truth["lift_loyal_over_new_per_active_month"].items():
        assert after.loc[measure, "low"] <= planted <= after.loc[measure, "high"]


def test_no_lift_is_called_where_none_is_planted(null):
    orders, loaded = null
    lifts = lift.loyal_lift(orders, as_of=loaded.as_of, seed=1).set_index(["way", "measure"])
    assert set(lifts.loc[lift.AFTER, "reading"]) == {"no difference told apart"}
    # the article's way calls all three, in the same shop
    assert set(lifts.loc[lift.SAME, "reading"]) == {"more"}


def test_every_customer_order_and_coin_is_in_a_segment(default):
    orders, loaded = default
    scored = segments.score_rfm(segments.rfm(orders, as_of=loaded.as_of))
    table = segments.segment_table(segments.name_segments(scored))
    owners = quality.revenue_by_owner(orders, as_of=loaded.as_of).set_index("whose")
    ours = owners.loc["customers who ordered"]
    assert table["customers"].sum() == ours["customers"]
    assert table["orders"].sum() == ours["orders"]
    assert table["revenue"].sum() == pytest.approx(ours["revenue"])
    coverage = quality.monthly_coverage(orders, as_of=loaded.as_of)
    assert coverage["orders"].sum() == owners["orders"].sum()
    assert coverage["complete"].all()


def test_no_gap_and_no_odd_day_is_planted(default, null):
    for orders, loaded in (default, null):
        daily = rhythm.daily_orders(orders, as_of=loaded.as_of)
        assert not rhythm.gaps(daily)["unusual"].any()
        assert len(rhythm.odd_days(daily)) == 0
