"""Which persona a group is like: pairs counted by hand, chance, and the planted groups of the made-up client."""

import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import demo
from cxkit.demo_plan import scenario_plan
from cxkit.errors import UsageError
from cxkit.features import feature_list
from cxkit.likeness import (
    AGAINST,
    FOR,
    NONE,
    NOT_KNOWN,
    PERSONAS,
    UNDECIDED,
    _ends,
    _variance,
    describe_likeness,
    in_words,
    likened,
    likeness,
    plot_likeness,
    read_personas,
    signs,
)


def personas(*rows: tuple) -> pd.DataFrame:
    """(persona, feature, side) as `read_personas` gives them."""
    return pd.DataFrame(rows, columns=["persona", "feature", "side"]).assign(wants="time", why="so it is")


def customers(**groups: list) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups of customers by their order values -> features, groups."""
    rows = [(f"{name}{i:03d}", name, value) for name, values in groups.items() for i, value in enumerate(values)]
    frame = pd.DataFrame(rows, columns=["customer_id", "group", "order_value"])
    return frame[["customer_id", "order_value"]], frame[["customer_id", "group"]]


def test_the_share_of_pairs_is_counted_as_by_hand():
    one, other = [1.0, 5.0, 5.0, 7.0, 9.0], [2.0, 3.0, 5.0, 6.0, 8.0]
    table = signs(*customers(a=one, b=other), personas(("p", "order_value", "high")))
    by_hand = np.mean([(x > y) + (x == y) / 2 for x in one for y in other])
    assert table.set_index("group")["value"].to_dict() == pytest.approx({"a": by_hand, "b": 1 - by_hand})
    assert set(table["verdict"]) == {UNDECIDED}


def test_the_interval_is_newcombes():
    """At one half the variance is Wilcoxon's, (m + n + 1) / 12mn; at an end of the interval the value lies z away."""
    assert _variance(0.5, 20.0, 30.0) == pytest.approx(51 / (12 * 600), rel=1e-2)
    value, one, other = np.array([0.81, 1.0, 0.0]), np.full(3, 20.0), np.full(3, 30.0)
    low, high = _ends(value, one, other, np.full(3, 0.95))
    away = np.abs(value - low)[:2] / np.sqrt(_variance(low[:2], one[:2], other[:2]))
    assert away == pytest.approx([1.96, 1.96], abs=1e-3)
    assert high[1] == 1
    assert (low[2], high[2]) == pytest.approx((0, 1 - low[1]))
    assert 0 < low[0] < 0.81 < high[0] < 1


def test_a_sign_is_for_against_or_undecided():
    rng = np.random.default_rng(0)
    data = customers(a=list(rng.normal(3, 1, 80)), b=list(rng.normal(0, 1, 80)), c=list(rng.normal(0, 1, 80)))
    table = signs(*data, personas(("p", "order_value", "high"), ("q", "order_value", "low")))
    found = table.set_index(["group", "persona"])["verdict"]
    assert (found["a", "p"], found["a", "q"]) == (FOR, AGAINST)
    assert (found["b", "p"], found["b", "q"]) == (AGAINST, FOR)


def test_what_is_certain_but_tiny_is_no_sign():
    rng = np.random.default_rng(0)
    data = customers(a=list(rng.normal(0.1, 1, 20_000)), b=list(rng.normal(0, 1, 20_000)))
    mine = personas(("p", "order_value", "high"))
    table = signs(*data, mine).set_index("group")
    assert table.loc["a", "low"] > 0.5
    assert table.loc["a", "verdict"] == UNDECIDED
    assert signs(*data, mine, least=0.5).set_index("group").loc["a", "verdict"] == FOR
    with pytest.raises(UsageError, match=r"least must lie between 0.5 \(no difference\) and 1; found 0.4"):
        signs(*data, mine, least=0.4)


def test_a_feature_that_is_missing_or_known_of_few_is_not_known():
    data = customers(a=[1.0] * 4 + [np.nan] * 20, b=[2.0] * 30)
    table = signs(*data, personas(("p", "order_value", "high"), ("p", "night_share", "low")))
    assert set(table["verdict"]) == {NOT_KNOWN}
    found = likened(likeness(table)).set_index("group")
    assert found.loc["a", "likened_to"] == NONE
    assert found.loc["a", "reason"] == "none of its signs is known"


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 1000))
def test_rows_may_lie_in_any_order_and_money_in_any_unit(seed, unit):
    rng = np.random.default_rng(seed % 5)
    features, groups = customers(a=list(rng.gamma(2, 300, 40)), b=list(rng.gamma(2, 200, 60)))
    mine = personas(("p", "order_value", "high"))
    other = features.sample(frac=1, random_state=seed)
    again = signs(
        other.assign(order_value=other["order_value"] * unit), groups.sample(frac=1, random_state=seed + 1), mine
    )
    pd.testing.assert_frame_equal(signs(features, groups, mine), again)


def verdicts(*cells: tuple[str, str, list[str]]) -> pd.DataFrame:
    """(group, persona, verdicts) as `signs` gives them."""
    rows = [(g, p, v) for g, p, found in cells for v in found]
    value = {FOR: 0.7, AGAINST: 0.3, UNDECIDED: 0.5, NOT_KNOWN: np.nan}
    frame = pd.DataFrame(rows, columns=["group", "persona", "verdict"]).assign(wants="time", side="high")
    return frame.assign(value=frame["verdict"].map(value))


@pytest.mark.parametrize(
    ("found", "like"),
    [
        ([FOR, FOR, UNDECIDED], "p"),
        ([FOR, FOR, UNDECIDED, UNDECIDED], NONE),  # half is not most
        ([FOR, FOR, FOR, AGAINST], NONE),
        ([FOR, NOT_KNOWN, NOT_KNOWN], NONE),  # one sign alone
        ([FOR, FOR, NOT_KNOWN, NOT_KNOWN], "p"),
        ([NOT_KNOWN, NOT_KNOWN], NONE),
    ],
)
def test_the_rule(found, like):
    assert likened(likeness(verdicts(("a", "p", found)))).loc[0, "likened_to"] == like


def test_of_two_personas_that_fit_the_better_one():
    table = likeness(verdicts(("a", "p", [FOR, FOR, UNDECIDED]), ("a", "q", [FOR, FOR, FOR])))
    assert set(table["likened_to"]) == {"q"}
    assert table.loc[0, "reason"] == "3 of 3 signs told apart in favour, none against"
    assert table.loc[1, "reason"] == "2 of 3 signs told apart in favour, none against, 1 undecided"


def test_the_kits_personas_are_s4s_four_and_their_signs_are_features():
    table = read_personas()
    assert list(dict.fromkeys(table["persona"])) == ["business mum", "anxious mum", "smart care expert", "control"]
    assert set(table["feature"]) <= set(feature_list()["name"])
    assert "S4" in PERSONAS.read_text(encoding="utf-8")


def test_faults_of_the_file_are_told_together(tmp_path):
    path = tmp_path / "personas.yml"
    path.write_text(
        "personas:\n"
        "  - {name: p, wants: time, signs: [{feature: a, side: high, why: x}, {feature: a, side: low, why: y}]}\n"
        "  - {name: p, signs: [{feature: b, side: up, why: x}], age: 30}\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError) as error:
        read_personas(path)
    for told in ("persona 'p' lacks wants", "unknown key 'age'", "has 1 signs", "side (high or low)",
                 "'p' has two signs of 'a'", "the persona 'p' stands there twice"):  # fmt: skip
        assert told in str(error.value)
    path.write_text("people: []\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no list `personas`"):
        read_personas(path)


@functools.cache
def planted(seed: int, count: int = 4000, scenario: str = "default") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features of made-up customers, worked out from what they did, and the group that each was drawn from."""
    made = demo.draw(scenario_plan(scenario), seed=seed, count=count)
    placed = made["placed"].assign(place=range(len(made["placed"])))
    sums = (
        made["lines"]
        .groupby("order_row")
        .agg(
            amount=("amount", "sum"),
            refund=("refund", "sum"),
            discount=("discount", "sum"),
            products=("product", "nunique"),
        )
    )
    orders = placed.join(sums, on="place")
    orders = orders[(orders["row"] >= 0) & ~orders["cancelled"]]
    hour = orders["created"].dt.hour
    orders = orders.assign(
        evening=hour.between(18, 21), night=(hour >= 22) | (hour < 6), cheap=orders["discount"] > 0,
        back=orders["refund"] > 0, seen=orders["created"] >= pd.Timestamp(scenario_plan(scenario)["touches"]["from"]),
    )  # fmt: skip
    by = orders.groupby("row")
    people = pd.DataFrame(
        {
            "order_value": by["amount"].mean(),
            "products_per_order": by["products"].mean(),
            "evening_share": by["evening"].mean(),
            "night_share": by["night"].mean(),
            "discounted_share": by["cheap"].mean(),
            "returned_share": by["back"].mean(),
        }
    )
    contacts, visits = (made[k].groupby("row").size().reindex(people.index).fillna(0) for k in ("contacts", "visits"))
    seen = by["seen"].sum()
    people = people.assign(
        contacts_per_order=contacts / by.size(),
        visits_per_order=(visits / seen).where(seen > 0),
        customer_id=people.index,
    ).astype({"customer_id": str})
    names = list(scenario_plan(scenario)["groups"])
    groups = pd.DataFrame({"customer_id": people["customer_id"], "group": [names[g] for g in by["group"].first()]})
    return people.reset_index(drop=True), groups.reset_index(drop=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_groups_are_likened_to_who_they_were_drawn_from(seed):
    found = likened(likeness(signs(*planted(seed), read_personas()))).set_index("group")["likened_to"]
    assert found.to_dict() == {
        "busy": "business mum",
        "anxious": "anxious mum",
        "experts": "smart care expert",
        "price": "control",
        "givers": NONE,
    }


def test_groups_at_random_are_like_nobody():
    features, groups = planted(1)
    for seed in range(10):
        chance = groups.assign(group=np.random.default_rng(seed).choice(list("abcd"), len(groups)))
        found = likened(likeness(signs(features, chance, read_personas())))
        assert set(found["likened_to"]) == {NONE}


def test_too_few_customers_are_like_nobody():
    features, groups = planted(1)
    few = groups.sample(12, random_state=1)
    assert set(likened(likeness(signs(features, few, read_personas())))["likened_to"]) == {NONE}


def test_the_picture_and_the_words():
    table = signs(*planted(1), read_personas())
    fits = likeness(table)
    picture = plot_likeness(fits.assign(group="$x$ " + fits["group"]))
    assert "4 of 4 for\nnone against" in [t.get_text() for t in picture.texts]
    assert picture.get_yticklabels()[0].get_text() == r"\$x\$ anxious"
    assert "experts: smart care expert (4 of 4" in describe_likeness(fits)
    assert describe_likeness(fits).endswith("like none of them: givers.")
    features, groups = planted(1)
    none = signs(features, groups[:0], read_personas())
    assert len(in_words(none, labels={}).merge(likened(likeness(none)), on="group")) == 0
    nobody = likeness(none)
    assert [t.get_text() for t in plot_likeness(nobody).texts] == ["nothing to show yet"]
    words = in_words(table, labels={"night_share": "Orders at night"})
    assert "Orders at night (much): orders when the child is awake at night" in set(words["sign"])
    assert words["pairs"].str.fullmatch(r"\d+ of 100 \(\d+–\d+\)").all()
