"""What is planted in the made-up client is what the areas find, through the door and all."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from cxkit import (
    concentration,
    demo,
    estimates,
    features,
    lift,
    loyalty,
    quality,
    rhythm,
    segment_change,
    segments,
    tiers,
)
from cxkit.client import load_client
from cxkit.engine import connect, read_parquet
from cxkit.sources import load

DEMO = Path(__file__).parents[1] / "data" / "demo"


def opened(loaded):
    return read_parquet(connect(), loaded.tables["orders"]), loaded


@pytest.fixture(scope="module")
def default(loaded_demo):
    return opened(loaded_demo)


@pytest.fixture(scope="module")
def null(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients") / "null"
    demo.make(folder, customers=4000, seed=1, scenario="null")
    return opened(load(load_client(folder / "client.yml")))


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


def test_who_was_near_the_great_tier_reaches_it_more_often_than_the_other_good_customers(default):
    orders, loaded = default
    before = features.read_features({"orders": orders}, as_of=loaded.as_of - timedelta(days=180), zone="Europe/Kyiv")
    tier = tiers.tier_of(before)
    border = before.merge(tier).query("tier == 'great'")["monetary"].min()
    now = segments.rfm(orders, as_of=loaded.as_of).set_index("customer_id")["monetary"]
    good = tiers.good_customers(before, tier)
    reached, near = good["customer_id"].map(now) >= border, good["standing"] == "near"
    counts = (reached[near].sum(), near.sum(), reached[~near].sum(), (~near).sum())
    assert estimates.share_difference(*map(int, counts)).low > 0


def test_the_segments_of_two_dates_hold_every_customer_of_each(default):
    orders, loaded = default
    dates = [loaded.as_of - timedelta(days=180), loaded.as_of]
    then, now = (segments.rfm(orders, as_of=day, days=365) for day in dates)
    cuts = segments.cut_points(then)
    named = [segments.name_segments(segments.score_rfm(frame, cuts=cuts)) for frame in (then, now)]
    table = segment_change.segment_sizes_then_and_now(*named)
    assert (table["customers_then"].sum(), table["customers_now"].sum()) == (len(then), len(now))
    # planted: first orders are busiest in November and December, just before the earlier date
    assert table.set_index("segment").loc["New", "reading"] == "shrinks"


def test_no_gap_and_no_odd_day_is_planted(default, null):
    for orders, loaded in (default, null):
        daily = rhythm.daily_orders(orders, as_of=loaded.as_of)
        assert not rhythm.gaps(daily)["unusual"].any()
        assert len(rhythm.odd_days(daily)) == 0
