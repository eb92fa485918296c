import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit import margins
from cxkit.concentration import concentration, gini
from cxkit.errors import UsageError


def costs(revenue, margin, *, discounts=0.0, returns=np.nan, acquisition=np.nan):
    """Costs as `customer_costs` makes them, from what is left in the end."""
    revenue, margin = np.asarray(revenue, float), np.asarray(margin, float)
    frame = pd.DataFrame({"customer_id": [f"c{i:03d}" for i in range(len(revenue))], "revenue": revenue})
    taken = np.nan_to_num(discounts) + np.nan_to_num(returns)
    return frame.assign(
        discounts=discounts, returns=returns, goods_margin=margin + taken, acquisition=np.asarray(acquisition, float)
    )


def test_the_margin_of_a_shop_by_hand():
    table = costs([100.0, 200.0, 300.0, 200.0, 200.0], [40.0, 60.0, 90.0, 50.0, 60.0], discounts=10.0, returns=5.0)
    share = margins.margin_share(table)
    assert (share.value, share.n, share.unit) == (pytest.approx(300 / 1000), 5, "share")
    assert share.low < 0.3 < share.high
    assert margins.customer_margin(table)["revenue"].to_list() == [40.0, 60.0, 90.0, 50.0, 60.0]
    assert "30 % is left when the goods are paid for" in margins.margin_in_words(share)


def test_nothing_known_and_costs_below_zero():
    nothing = margins.margin_share(costs([100.0] * 8, [np.nan] * 8))
    assert (nothing.known, nothing.method, nothing.n) == (False, "neither the goods' costs nor a margin are known", 8)
    assert margins.margin_in_words(nothing).endswith("Money here is revenue.")
    assert not margins.top_profit_share(costs([100.0] * 40, [np.nan] * 40)).known
    assert "check the column cost" in margins.margin_share(costs([100.0] * 8, [120.0] * 8)).method
    assert margins.margin_share(costs([100.0] * 8, [-20.0] * 8)).value == pytest.approx(-0.2)  # sold below cost
    assert margins.margin_share(costs([-1.0] * 8, [-2.0] * 8)).method == "the whole is not above zero"
    with pytest.raises(UsageError, match=r"the costs lack goods_margin; take those of cost_to_serve.customer_costs"):
        margins.customer_margin(costs([1.0], [1.0]).drop(columns="goods_margin"))


@given(st.floats(0.01, 1000), st.integers(0, 99))
def test_money_scales_and_rows_may_stand_in_any_order(times, seed):
    rng = np.random.default_rng(7)
    table = costs(rng.integers(1, 900, 40), rng.integers(-9, 300, 40))
    scaled = table.assign(revenue=table["revenue"] * times, goods_margin=table["goods_margin"] * times)
    one, other = (margins.margin_share(t) for t in (table, scaled.sample(frac=1, random_state=seed)))
    assert other.value == pytest.approx(one.value, rel=1e-3)
    assert margins.margin_share(table.sample(frac=1, random_state=seed)) == one


def test_the_curve_of_profit_and_the_claim():
    table = costs([100.0] * 40, [1.0] * 32 + [46.0] * 8)  # a fifth brings 368 of 400
    profit = margins.customer_margin(table)
    assert concentration(profit)["share_of_revenue"].iloc[32] == pytest.approx(32 / 400)
    assert gini(profit).value > 0.6
    top = margins.top_profit_share(table)
    assert top.value == pytest.approx(0.92)
    (claim,) = margins.claims_checked(table).to_dict("records")
    assert claim["reading"] == "their figure lies inside our interval"
    assert "profit" in claim["claim"]
    finding = margins.top_profit_finding(top)
    assert finding.id == "loyalty.top_profit_share"
    assert finding.sentence().startswith("The 20 % of customers who leave most above the goods' costs bring 92 %")
    unknown = margins.claims_checked(costs([100.0] * 40, [np.nan] * 40))
    assert unknown["reading"].iloc[0].startswith("cannot be checked here: neither")


def test_winning_against_keeping():
    table = costs([100.0] * 6, [1.0] * 6, acquisition=[80.0, 100.0, 120.0, 90.0, 110.0, np.nan])
    cost = margins.acquisition_cost(table)
    assert (cost.value, cost.n, cost.unit) == (100.0, 5, "money")
    ratio = margins.cost_ratio(cost, keeping_cost=25.0)
    assert (ratio.value, ratio.unit) == (4.0, "ratio")
    assert margins.dearer_claim(ratio)["theirs"].iloc[0] == "5"
    assert margins.cost_ratio(cost, keeping_cost=None).method == "what keeping a customer costs is not given"
    none = margins.acquisition_cost(costs([100.0] * 6, [1.0] * 6))
    assert none.method == "what winning a customer costs is not known"
    assert margins.dearer_claim(margins.cost_ratio(none, keeping_cost=25.0))["reading"].iloc[0].startswith("cannot be")
    with pytest.raises(UsageError, match="keeping_cost must be above 0, or None where it is not known; found -1"):
        margins.cost_ratio(cost, keeping_cost=-1)


def test_the_clients_margin_holds_of_revenue_where_no_cost_is_known():
    table = costs([100.0, 200.0, 300.0, 200.0, 200.0], [0.0] * 5, discounts=10.0, returns=5.0)
    assert margins.at_client_margin(table, margin=0.3, costs_known=True) is table
    assert margins.at_client_margin(table, margin=None, costs_known=False) is table
    stated = margins.at_client_margin(table, margin=0.3, costs_known=False)
    share = margins.margin_share(stated)
    assert (share.value, share.low, share.high, share.level) == (0.3, 0.3, 0.3, 1.0)
    assert margins.margin_in_words(share).endswith(
        "when the goods are paid for: the client's own figure, not measured."
    )
    assert margins.customer_margin(stated)["revenue"].to_list() == [30.0, 60.0, 90.0, 60.0, 60.0]
