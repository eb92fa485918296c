"""Value tiers: their sizes and what they bring, who stays great, and which good customers could become great."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hand_customers import people, random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import tiers
from cxkit.errors import UsageError
from cxkit.findings import judge
from cxkit.group_table import WITHHELD
from cxkit.style import format_value


def test_tiers_by_hand():
    frame = people(range(80), [1] * 56 + [2] * 24, [1] * 56 + [4] * 16 + [20] * 8)
    great, good, indifferent = tiers.tiers(frame).to_dict("records")
    assert [t["tier"] for t in (great, good, indifferent)] == ["great", "good", "indifferent"]
    assert [t["customers"] for t in (great, good, indifferent)] == [8, 16, 56]
    assert [t["article_share"] for t in (great, good, indifferent)] == [0.10, 0.20, 0.70]
    assert [t["revenue"] for t in (great, good, indifferent)] == [160, 64, 56]
    assert great["share_of_revenue"] == pytest.approx(80 / 140)
    assert (great["revenue_from"], indifferent["bought_once"], great["bought_once"]) == (20, 1.0, 0.0)


def test_equal_customers_stay_in_one_tier():
    frame = people(range(200), [1] * 200, [1] * 100 + [5] * 90 + [50] * 10)
    split = tiers.tiers(frame).set_index("tier")["customers"]
    # the 140th customer spent 5 like 89 others: all of them stay in the lower tier
    assert split.to_dict() == {"great": 10, "good": 0, "indifferent": 190}
    assert tiers.tiers(people(range(9), [1] * 9, [7] * 9)).set_index("tier")["customers"]["indifferent"] == 9


def test_where_all_spent_the_same_nobody_stands_above_the_others():
    table = tiers.tiers(people(range(60), [1] * 60, [7] * 60))
    finding = tiers.great_share_finding(table)
    assert finding.sentence() == (
        "Share of revenue from the great tier: too early to say (n = 60; no customer stands above the others)."
    )
    assert np.isnan(finding.estimate.value)
    assert judge(finding.estimate, 0.3, higher_is_better=False) == "too early to say"
    assert tiers.describe_tiers(table) == (
        "Bars of the share of customers and of revenue by tier. "
        "The indifferent tier is 100 % of customers and brings 100 % of revenue."
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1 / 3, 41.5]))
def test_laws_of_tiers(seed, rate):
    frame = random_people(seed, n=int(np.random.default_rng(seed).integers(60, 300)))
    split = tiers.tiers(frame)
    assert split["customers"].sum() == len(frame)
    assert split["share_of_revenue"].sum() == pytest.approx(1)
    scaled = tiers.tiers(frame.assign(monetary=frame["monetary"] * rate).sample(frac=1, random_state=1))
    assert scaled["customers"].to_list() == split["customers"].to_list()
    numbers = ["share_of_revenue", "low", "high", "bought_once"]
    np.testing.assert_allclose(scaled[numbers].to_numpy(float), split[numbers].to_numpy(float), atol=1e-9)


def test_shares_of_tiers_are_checked():
    with pytest.raises(UsageError, match="three positive numbers that add up to 1"):
        tiers.tiers(random_people(1), shares=(0.7, 0.2, 0.2))


def test_the_articles_tiers_are_quoted_and_never_a_target():
    frame = random_people(5)
    table = tiers.tiers(frame)
    claim = tiers.claims_checked(frame).iloc[0]
    assert (claim["theirs"], claim["n"]) == ("70 %", 300)
    assert claim["ours"] == format_value((frame["frequency"] == 1).mean(), "share")
    assert "S3" in claim["source"]
    finding = tiers.great_share_finding(table)
    assert (finding.id, finding.target, finding.quadrant()) == ("segments.great_share", None, "no reference")
    assert finding.sentence().startswith("The 10 % of customers who spent most bring ")


def test_small_tiers_are_withheld():
    # two who spent much, and two borders that fall among the equal
    table = tiers.tiers(people(range(40), [1] * 40, [5] * 38 + [50] * 2)).set_index("tier")
    assert table.loc[["great", "indifferent"], ["customers", "revenue", "bought_once"]].isna().all(axis=None)
    finding = tiers.great_share_finding(table.reset_index())
    assert finding.sentence().endswith(f": too early to say (n = 40; {WITHHELD}).")


def test_nobody_is_in_a_tier_and_nothing_breaks():
    empty = people([], [], [])
    assert tiers.tiers(empty)["customers"].sum() == 0
    assert not tiers.great_share_finding(tiers.tiers(empty)).estimate.known
    assert tiers.claims_checked(empty).iloc[0]["n"] == 0
    assert list(tiers.tier_of(empty).columns) == ["customer_id", "tier"]


def test_the_picture_of_the_tiers(tmp_path):
    matplotlib.use("Agg")
    split = tiers.tiers(random_people(6))
    before = split.copy()
    ax = tiers.plot_tiers(split)
    pd.testing.assert_frame_equal(split, before)
    assert [t.get_text() for t in ax.texts][:3] == ["10 %", "20 %", "70 %"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Great", "Good", "Indifferent"]
    ax.figure.savefig(tmp_path / "tiers.png")
    plt.close(ax.figure)


# --- who is in which tier, and who stays


def test_who_is_in_which_tier():
    frame = people(range(10), [1] * 10, [10, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    found = tiers.tier_of(frame.iloc[::-1])
    assert list(found["customer_id"]) == sorted(frame["customer_id"])
    assert found.set_index("customer_id")["tier"].to_dict() == {
        f"c{i:04d}": tier
        for i, tier in enumerate(["great", *["indifferent"] * 7, *["good"] * 2])
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1 / 3, 41.5]))
def test_laws_of_who_is_in_which_tier(seed, rate):
    frame = random_people(seed, n=int(np.random.default_rng(seed).integers(1, 300)))
    found = tiers.tier_of(frame)
    # as many as the table says, whatever the currency and the order of rows
    sizes = found["tier"].value_counts()
    table = tiers.tiers(frame)
    shown = table.dropna(subset=["customers"])
    assert [sizes.get(t, 0) for t in shown["tier"]] == list(shown["customers"])
    moved = tiers.tier_of(frame.assign(monetary=frame["monetary"] * rate).sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(moved, found)
    # nobody who spent less stands above
    rank = found["tier"].map({t: i for i, t in enumerate(tiers.TIERS)}).to_numpy()
    assert (np.diff(rank[np.argsort(frame["monetary"], kind="stable")]) >= 0).all()


def test_great_kept_by_hand():
    # ten great of a hundred then; six of them stay, three fall, one orders no more
    then = people(range(100), [1] * 100, [*range(1000, 1010), *range(90)])
    later = [5000.0] * 6 + [1.0] * 3 + [np.nan] + [900.0 + i for i in range(90)]
    now = then.assign(monetary=later).dropna()
    one, other = tiers.tier_moves(then, now)
    assert list(one.columns) == list(other.columns) == ["customer_id", "group"]
    assert (len(one), len(other)) == (100, 100)
    assert other.loc[other["group"] == tiers.NO_ORDER, "customer_id"].tolist() == [then["customer_id"].iloc[9]]
    kept = tiers.great_kept(one, other)
    assert (kept.value, kept.n) == (0.6, 10)
    assert kept.low < 0.6 < kept.high
    finding = tiers.great_kept_finding(kept, days=180)
    assert finding.id == "segments.great_kept"
    assert finding.sentence() == (
        "Of the customers who were in the great tier 180 days ago, 60 % still are (31–83 %, n = 10)."
    )
    assert finding.quadrant() == "no reference"
    assert judge(kept, 0.9) == "weakness"


def test_few_great_customers_are_withheld():
    then = people(range(20), [1] * 20, range(20))
    kept = tiers.great_kept(*tiers.tier_moves(then, then))
    assert (kept.known, kept.n) == (False, 0)
    assert tiers.great_kept_finding(kept, days=30).sentence() == (
        "Share of the great tier that stayed great: too early to say (fewer than 5 customers were in the great tier)."
    )


# --- good customers who could become the best


def shop():
    """Five great customers who spent 1,000, and good ones each of whom shows one case of the rule."""
    great = [(f"g{i}", 4, 1000.0 + i, 250.0, 10, 30.0) for i in range(5)]
    good = [
        ("near", 4, 800.0, 200.0, 20, 30.0),  # one usual order missing, 20 days after the last
        ("nearer", 9, 900.0, 100.0, 60, 30.0),  # just not overdue: two gaps
        ("three", 4, 400.0, 200.0, 0, 1.0),  # three usual orders missing, to the coin
        ("far", 4, 390.0, 200.0, 20, 30.0),  # a little more than three
        ("overdue", 4, 900.0, 200.0, 61, 30.0),
        ("once", 1, 900.0, 900.0, 5, np.nan),
        ("one day", 2, 900.0, 450.0, 5, 0.0),
        ("gifts", 3, 500.0, 0.0, 5, 30.0),  # no order value: nothing tells how many orders
    ]
    columns = ["customer_id", "orders", "monetary", "order_value", "recency_days", "median_gap_days"]
    features = pd.DataFrame([*great, *good], columns=columns)
    return features, features[["customer_id"]].assign(tier=["great"] * 5 + ["good"] * 8)


def test_the_rule_case_by_case():
    features, tier = shop()
    found = tiers.good_customers(features, tier).set_index("customer_id")
    assert found["standing"].to_dict() == {
        "near": "near",
        "nearer": "near",
        "three": "near",
        "far": "far",
        "overdue": "overdue",
        "once": "rhythm not known",
        "one day": "rhythm not known",
        "gifts": "far",
    }
    assert found.loc[["near", "nearer", "three", "far"], "orders_to_great"].to_list() == [1, 1, 3, 4]
    assert found.loc["near", "to_great"] == 200
    table = tiers.standing_table(tiers.good_customers(features, tier))
    assert list(table["standing"]) == ["near", "overdue", "far", "rhythm not known"]
    assert table["customers"].isna().all()  # all are few


def test_the_list_tells_each_reason_nearest_first():
    features, tier = shop()
    listed = tiers.promotable(features.sample(frac=1, random_state=3), tier, currency="UAH")
    assert list(listed["customer_id"]) == ["near", "nearer", "three"]
    assert list(listed.columns) == [
        "customer_id", "monetary", "to_great", "order_value", "orders_to_great", "recency_days", "median_gap_days",
        "reason",
    ]  # fmt: skip
    assert listed["reason"].to_list() == [
        "Spent 800 UAH in 4 orders; 200 UAH short of the great tier, about one more usual order of 200 UAH. Days "
        "between orders (median): 30; since the last: 20.",
        "Spent 900 UAH in 9 orders; 100 UAH short of the great tier, about one more usual order of 100 UAH. Days "
        "between orders (median): 30; since the last: 60.",
        "Spent 400 UAH in 4 orders; 600 UAH short of the great tier, about 3 usual orders of 200 UAH. Days between "
        "orders (median): 1; since the last: 0.",
    ]
    strict = tiers.promotable(features, tier, most_orders=1, overdue=1)
    assert list(strict["customer_id"]) == ["near"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_laws_of_the_list(seed):
    frame, rng = random_people(seed), np.random.default_rng(seed)
    features = frame.rename(columns={"frequency": "orders"}).assign(
        order_value=frame["monetary"] / frame["frequency"], median_gap_days=rng.integers(0, 90, len(frame)) * 1.0
    )
    tier = tiers.tier_of(features)
    good, listed = tiers.good_customers(features, tier), tiers.promotable(features, tier)
    assert set(good["customer_id"]) == set(tier.loc[tier["tier"] == "good", "customer_id"])
    assert set(good["standing"]) <= set(tiers.STANDINGS)
    assert set(listed["customer_id"]) == set(good.loc[good["standing"] == "near", "customer_id"])
    assert (listed["to_great"] > 0).all()
    assert listed["orders_to_great"].between(1, 3).all()
    assert (listed["to_great"] / listed["order_value"]).is_monotonic_increasing
    # whoever spends what is missing reaches what the least of the great spent
    border = features.merge(tier).query("tier == 'great'")["monetary"].min()
    np.testing.assert_allclose(listed["monetary"] + listed["to_great"], border, atol=1e-3)


def test_without_a_border_nobody_is_near():
    features, tier = shop()
    good = tiers.good_customers(features[1:], tier[1:])  # four great customers
    assert set(good["standing"]) == {"no border"}
    assert len(tiers.promotable(features[1:], tier[1:])) == 0
    assert len(tiers.promotable(features[:0], tier[:0])) == 0
    assert len(tiers.standing_table(tiers.good_customers(features[:0], tier[:0]))) == 0


def test_features_and_tiers_must_fit():
    features, tier = shop()
    with pytest.raises(UsageError, match="the features lack order_value; take those of features"):
        tiers.promotable(features.drop(columns="order_value"), tier)
    with pytest.raises(UsageError, match="8 customers have a tier but no features, such as far; make both at the same"):
        tiers.promotable(features[:5], tier)
