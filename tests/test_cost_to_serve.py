"""What serving a group takes of its margin: small shops by hand, chance, and the planted bargain hunters."""

from datetime import date

import hand_orders
import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.cost_to_serve import (
    ALIKE,
    AT_COST,
    DEAR,
    EATEN,
    MARGIN,
    NOT_KNOWN,
    PARTS,
    SALES,
    WITHHELD,
    cost_sentences,
    cost_to_serve,
    costly_findings,
    customer_costs,
    describe_costs,
    eaten,
    eaten_finding,
    plot_costs,
    unknown_parts,
)
from cxkit.errors import UsageError

AS_OF = date(2026, 6, 30)
# one customer: two orders, of which the second has two lines; list prices 110 and 200 + 50
LINES = [
    ("o1", "a", "2026-01-01", 100.0),
    ("o2", "a", "2026-02-01", 200.0),
    ("o2", "a", "2026-02-01", 50.0),
    ("o3", "b", "2026-03-01", 400.0),
    ("o4", "b", "2026-07-01", 999.0),  # after as_of
]


def shop(*, cost: list | None = None, discount: list | None = None, refund: list | None = None) -> ibis.Table:
    """LINES with further columns."""
    table = hand_orders.orders(LINES, refund=refund or 0.0)
    frame = table.to_pandas().assign(ordered_on=lambda f: pd.to_datetime(f["ordered_on"]))
    frame = frame.sort_values(["order_id", "amount"], ascending=[True, False], ignore_index=True)
    more = {name: values for name, values in (("cost", cost), ("discount", discount)) if values}
    return ibis.memtable(frame.assign(**more))


def contacts(rows: list[tuple], *, cost: bool = True) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "opened_on", "cost"])
    frame = frame.assign(opened_on=pd.to_datetime(frame["opened_on"]), contact_id=frame.index.astype(str))
    table = ibis.memtable(frame.astype({"customer_id": object}), schema=None)
    return table if cost else table.drop("cost")


def test_one_customer_by_hand():
    orders = shop(cost=[60.0, 120.0, 30.0, 300.0, 1.0], discount=[10.0, 0.0, 0.0, 0.0, 0.0],
                  refund=[0.0, 0.0, 50.0, 0.0, 0.0])  # fmt: skip
    asked = contacts([("a", "2026-01-05", 20.0), ("a", "2026-02-05", 5.0), (None, "2026-02-05", 9.0),
                      ("a", "2026-07-05", 7.0)])  # fmt: skip
    won = ibis.memtable(pd.DataFrame({"customer_id": ["a", "b"], "acquisition_cost": [40.0, None]}))
    costs = customer_costs(orders, asked, won, as_of=AS_OF).set_index("customer_id")
    a = costs.loc["a"]
    assert (a["orders"], a["sales"], a["discounts"], a["returns"]) == (2, 360.0, 10.0, 50.0)
    assert (a["revenue"], a["goods_margin"]) == (300.0, 360.0 - 210.0)
    assert (a["contacts"], a["contact_cost"], a["acquisition"]) == (2, 25.0, 40.0)
    b = costs.loc["b"]
    assert (b["sales"], b["contacts"], b["contact_cost"]) == (400.0, 0, 0.0)
    assert np.isnan(b["acquisition"])


def test_goods_without_a_cost_cost_as_the_others():
    orders = shop(cost=[50.0, np.nan, np.nan, 200.0, 1.0])
    costs = customer_costs(orders, None, None, as_of=AS_OF).set_index("customer_id")
    assert costs["goods_margin"].to_dict() == {"a": 175.0, "b": 200.0}  # 250 of 500 known: half of the price


def test_the_margin_of_client_yml_charges_those_who_buy_with_discounts():
    orders = shop(discount=[0.0, 0.0, 0.0, 400.0, 0.0])
    costs = customer_costs(orders, None, None, as_of=AS_OF, margin=0.4).set_index("customer_id")
    # amount 750, price before discounts 1150: goods cost 450 / 1150 of the price of each
    assert costs.loc["a", "goods_margin"] == pytest.approx(350 * (1 - 450 / 1150), abs=1e-4)
    left = costs["goods_margin"] - costs["discounts"]
    assert left.sum() == pytest.approx(0.4 * 750, abs=1e-3)
    assert left["b"] / 400 < left["a"] / 350
    with pytest.raises(UsageError, match=r"share between 0 and 1, as 0.35; found 35\. Mend it in client.yml"):
        customer_costs(orders, None, None, as_of=AS_OF, margin=35)


def test_with_neither_cost_nor_margin_the_costs_stand_alone():
    costs = customer_costs(shop(discount=[10.0, 0, 0, 0, 0]), contacts([("a", "2026-01-05", 1.0)], cost=False), None,
                           as_of=AS_OF)  # fmt: skip
    assert costs["goods_margin"].isna().all()
    assert costs["contact_cost"].isna().all()
    assert costs["contacts"].tolist() == [1, 0]
    many = people(30, 30)
    table = cost_to_serve(many.assign(goods_margin=np.nan), groups_of(many))
    assert set(table["of"]) == {SALES}
    assert EATEN not in set(table["verdict"])
    assert not eaten(many.assign(goods_margin=np.nan)).known


def test_what_nothing_is_known_of_is_not_taken_for_nought():
    orders = shop(cost=[1.0] * 5).drop("refund")
    costs = customer_costs(orders, None, None, as_of=AS_OF)
    assert unknown_parts(costs) == ["discounts", "returns", "what contacts cost"]
    assert costs["revenue"].tolist() == [350.0, 400.0]
    assert customer_costs(shop(), None, None, as_of=AS_OF)["returns"].isna().all()  # the door's zeros
    many = people(20, 30).assign(discounts=np.nan, returns=np.nan, contact_cost=np.nan)
    table = served(many)
    assert set(table["verdict"]) == {NOT_KNOWN}
    assert {t.get_text() for t in plot_costs(table).texts} == {"not known"}
    assert "too early to say" in eaten_finding(many).sentence()


def people(*sizes: int, seed: int = 0, dear: float = 0.1) -> pd.DataFrame:
    """Customers of groups a, b, …; the first group's discounts take `dear` of its margin, the others' a tenth."""
    rng = np.random.default_rng(seed)
    group = np.repeat(list("abcdefgh")[: len(sizes)], sizes)
    margin = rng.gamma(4, 25, len(group))
    taken = margin * np.where(group == "a", dear, 0.1) * rng.uniform(0.5, 1.5, len(group))
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:04d}" for i in range(len(group))],
            "orders": 1,
            "sales": margin * 3,
            "discounts": taken,
            "returns": 0.0,
            "revenue": margin * 3 - taken,
            "goods_margin": margin,
            "contacts": 0.0,
            "contact_cost": 0.0,
            "acquisition": 5.0,
            "group": group,
        }
    )


def groups_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["customer_id", "group"]]


def served(frame: pd.DataFrame) -> pd.DataFrame:
    return cost_to_serve(frame.drop(columns="group"), groups_of(frame))


def test_a_group_that_costs_more_is_told_and_one_that_eats_its_margin_is():
    table = served(people(60, 80, 90, dear=0.5)).set_index("group")
    assert table.index[0] == "a"
    assert table.loc["a", "verdict"] == DEAR
    assert table.loc["a", "difference_low"] > 0
    assert set(table["of"]) == {MARGIN}
    table = served(people(60, 80, 90, dear=1.6)).set_index("group")
    assert table.loc["a", "verdict"] == EATEN
    assert table.loc["a", "left"] < 0
    assert (
        "For certain, all comparisons together: a eats more than its margin (1"
        in cost_sentences(table.reset_index())[0]
    )


def test_what_is_left_adds_up():
    frame = people(20, 30)
    table = served(frame)
    for name in ("sales", "discounts", "goods_margin", "acquisition", "revenue"):
        assert table[name].sum() == pytest.approx(frame[name].sum(), abs=1e-2)
    assert (table["left"] - (table["goods_margin"] - table[list(PARTS)].sum(axis=1))).abs().max() < 1e-6
    assert (table["left_after_winning"] - (table["left"] - table["acquisition"])).abs().max() < 1e-6


def test_small_groups_are_withheld_and_are_not_among_the_others():
    frame = people(4, 40, 50, dear=0.9)
    table = served(frame).set_index("group")
    assert table.loc[["a", "b"], "verdict"].tolist() == [WITHHELD, WITHHELD]  # b, so that nobody subtracts
    assert table.loc[["a", "b"], "share"].isna().all()
    assert np.isnan(table.loc["c", "others"])
    assert "withheld" in [t.get_text() for t in plot_costs(table.reset_index()).texts]


def test_goods_sold_at_a_loss_are_said_so():
    frame = people(10, 12)
    frame = frame.assign(goods_margin=frame["goods_margin"].where(frame["group"] == "b", -1.0))
    assert served(frame).set_index("group").loc["a", "verdict"] == AT_COST


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_neither_the_order_of_rows_nor_the_unit_of_money_changes_a_verdict(seed, unit):
    frame = people(15, 25, 30, seed=seed % 7, dear=0.3)
    other = frame.sample(frac=1, random_state=seed)
    money = ["sales", "discounts", "returns", "revenue", "goods_margin", "contact_cost", "acquisition"]
    first, last = served(frame), served(other.assign(**{name: other[name] * unit for name in money}))
    assert first["verdict"].tolist() == last["verdict"].tolist()
    np.testing.assert_allclose(first["share"], last["share"], rtol=1e-3)


def test_groups_at_random_are_rarely_told_apart():
    """At level 0.95 of all verdicts together at most one table in twenty; 40 tables of 5 groups of 40."""
    wrong = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = people(200, seed=seed)
        frame = frame.assign(
            returns=np.where(rng.random(200) < 0.1, frame["goods_margin"] * 2, 0.0),
            group=rng.choice(list("abcde"), 200),
        )
        wrong += (served(frame)["verdict"] != ALIKE).any()
    assert wrong <= 4


def test_the_picture_and_its_words():
    table = served(people(20, 30, 40, dear=0.4))
    assert describe_costs(table).startswith("Bars of discounts, returns and contacts as a share of the goods margin")
    assert "a 4" in describe_costs(table)
    labels = [
        t.get_text() for t in plot_costs(table.assign(group="$x$ дуже довга назва групи покупців")).get_yticklabels()
    ]
    assert all(label.startswith(r"\$x\$") and len(label) < 40 for label in labels)
    assert [t.get_text() for t in plot_costs(table[:0]).texts] == ["nothing to show yet"]
    assert "nothing is known" in describe_costs(table[:0])


def test_the_finding():
    finding = eaten_finding(people(30, 40))
    assert finding.id == "personas.margin_eaten"
    assert finding.sentence().startswith("Discounts, returns and contacts take 10 %")


def test_nobody_is_in_a_group():
    frame = people(10, 10)
    table = cost_to_serve(frame.drop(columns="group"), groups_of(frame)[:0])
    assert len(table) == 0
    assert cost_sentences(table)


def test_a_finding_tells_the_difference_with_the_interval_that_holds_with_all_others():
    table = served(people(60, 80, 90, dear=0.5))
    (found,) = costly_findings(table)
    row = table.set_index("group").loc["a"]
    assert found.id == "personas.costs.a"
    assert found.quadrant() == "weakness"
    assert (found.estimate.value, found.estimate.low) == (row["difference"], row["difference_low"])
    assert 0.95 < found.estimate.level < 1
    assert found.target == 0.0
    assert "with the others" in found.sentence()
    assert "percentage points more" in found.sentence()
