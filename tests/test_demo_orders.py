"""Customers and orders: groups, habits, the purchase and spend models, the lift, service and returns."""

import numpy as np
import pandas as pd
import pytest
from demo_raw import clean, groups, lines, orders, raw, truth
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from cxkit.demo import draw
from cxkit.demo_orders import catalogue
from cxkit.demo_plan import scenario_plan


@pytest.fixture(scope="module")
def one_group() -> dict:
    return draw(scenario_plan("one_group"), seed=3)


@pytest.fixture(scope="module")
def null() -> dict:
    return draw(scenario_plan("null"), seed=3)


def summary(placed: pd.DataFrame, days: int) -> pd.DataFrame:
    """x, t_x and T in weeks, of customers' counted orders."""
    own = placed[(placed["row"] >= 0) & ~placed["cancelled"]]
    day = (own["created"].dt.normalize() - pd.Timestamp("2025-01-01")).dt.days
    table = day.groupby(own["row"]).agg(["min", "max", "nunique"])
    return pd.DataFrame(
        {"x": table["nunique"] - 1, "t_x": (table["max"] - table["min"]) / 7, "T": (days - 1 - table["min"]) / 7}
    )


def bg_nbd(log_parameters: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> float:
    """Negative log-likelihood. Source: Fader, Hardie and Lee (2005), Marketing Science 24(2), equation 6."""
    r, alpha, a, b = np.exp(log_parameters)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + T)
    gone = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    both = np.logaddexp(alive, np.where(x > 0, gone, -np.inf))
    return -float((gammaln(r + x) - gammaln(r) + r * np.log(alpha) + both).sum())


def gamma_gamma(log_parameters: np.ndarray, x: np.ndarray, m: np.ndarray) -> float:
    """Negative log-likelihood. Source: Fader and Hardie (2013), The Gamma-Gamma Model, equation 1a."""
    p, q, g = np.exp(log_parameters)
    parts = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(g)
    return -float((parts + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(g + m * x)).sum())


def twice_the_loss(likelihood, planted: list[float], *data: np.ndarray) -> float:
    """Likelihood ratio statistic of the planted parameters against the best ones."""
    start = np.log(planted)
    best = minimize(likelihood, start, args=data, method="Nelder-Mead", options={"maxiter": 2000, "fatol": 1e-3})
    return 2 * (likelihood(start, *data) - best.fun)


def test_one_group_s_purchases_are_the_planted_bg_nbd(one_group):
    planted = scenario_plan("one_group")["groups"]["everybody"]["purchases"]
    table = summary(one_group["placed"], 546)
    assert len(table) == 4000
    loss = twice_the_loss(bg_nbd, [planted[k] for k in ("r", "alpha", "a", "b")], *table.to_numpy().T)
    assert loss < 18.5  # chi-square, 4 degrees of freedom, 99.9 %
    wrong = np.log([planted["r"] * 1.3, planted["alpha"], planted["a"], planted["b"]])
    right = np.log([planted[k] for k in ("r", "alpha", "a", "b")])
    assert bg_nbd(wrong, *table.to_numpy().T) > bg_nbd(right, *table.to_numpy().T) + 10


def test_one_group_s_spend_is_the_planted_gamma_gamma(one_group):
    planted = scenario_plan("one_group")["groups"]["everybody"]["spend"]
    amount = one_group["lines"].query("product >= 0").groupby("order_row")["amount"].sum() / 100
    own = one_group["placed"].assign(amount=amount).query("row >= 0 and not cancelled")
    table = own.groupby("row")["amount"].agg(["size", "mean"])
    scale = (planted["q"] - 1) * planted["mean"] / planted["p"]
    data = table["size"].to_numpy(), table["mean"].to_numpy()
    assert twice_the_loss(gamma_gamma, [planted["p"], planted["q"], scale], *data) < 16.3  # 3 degrees of freedom
    assert np.corrcoef(*data)[0, 1] == pytest.approx(0, abs=0.05)  # spend does not go with frequency


def test_subscribers_renew_every_thirty_days_until_they_stop():
    planted = scenario_plan("subscription")["groups"]["everybody"]["purchases"]
    assert planted == {"every_days": 30, "alpha": 0.8, "beta": 3.2}
    made = draw(scenario_plan("subscription"), seed=3)
    own = made["placed"].query("row >= 0 and not cancelled")
    day = (own["created"].dt.normalize() - pd.Timestamp("2025-01-01")).dt.days
    gaps = day.groupby(own["row"]).diff().dropna()
    assert set(gaps) == {30}
    first = day.groupby(own["row"]).min()
    renewed = own.groupby("row").size() - 1
    due = (545 - first) // 30  # renewals that lie within the period
    assert (renewed <= due).all()
    for k in range(4):  # of those who came to the renewal, the share that is lost: alpha / (alpha + beta + k)
        here = (renewed >= k) & (due > k)
        share = 0.8 / (4.0 + k)
        error = np.sqrt(share * (1 - share) / here.sum())
        assert (renewed[here] == k).mean() == pytest.approx(share, abs=3.3 * error)
    assert made["people"]["rate"].unique() == pytest.approx(7 / 30)


@pytest.mark.parametrize("group", ["busy", "anxious", "experts", "price", "givers"])
def test_each_group_buys_by_its_own_bg_nbd(group):
    planted = truth()["groups"][group]["purchases"]
    frame = orders()[orders()["group"] == group]
    day = (frame["time"].dt.normalize() - pd.Timestamp("2025-01-01")).dt.days
    table = day.groupby(frame["customer"]).agg(["min", "max", "nunique"])
    x, t_x, T = table["nunique"] - 1, (table["max"] - table["min"]) / 7, (545 - table["min"]) / 7
    data = (x.to_numpy(), t_x.to_numpy(), T.to_numpy())
    assert twice_the_loss(bg_nbd, [planted[k] for k in ("r", "alpha", "a", "b")], *data) < 18.5


def test_groups_have_their_sizes():
    shares = groups().value_counts(normalize=True)
    for name, facts in truth()["groups"].items():
        assert shares[name] == pytest.approx(facts["share"], abs=0.03)


@pytest.mark.parametrize("habit", ["channel", "payment", "delivery"])
def test_groups_have_their_habits(habit):
    for name, facts in truth()["groups"].items():
        found = orders().loc[orders()["group"] == name, habit].value_counts(normalize=True)
        for label, share in facts[habit].items():
            assert found.get(label, 0.0) == pytest.approx(share, abs=0.05), (name, label)


def test_groups_spend_and_order_as_planted():
    early = orders()[orders()["nth"] < 3]
    for name, facts in truth()["groups"].items():
        here = early[early["group"] == name]
        assert here["amount"].mean() == pytest.approx(facts["spend"]["mean"], rel=0.10)
        assert here["goods"].mean() == pytest.approx(facts["goods"], rel=0.08)
        assert (here["coupon"] != "").mean() == pytest.approx(facts["coupon"], abs=0.04)
    night = orders()[orders()["group"] == "anxious"]["time"].dt.hour.isin([22, 23, 0, 1, 2, 4]).mean()
    assert night > 0.3
    assert night > 2 * orders()[orders()["group"] == "price"]["time"].dt.hour.isin([22, 23, 0, 1, 2, 4]).mean()


def lift_of(frame: pd.DataFrame, column: str, group: str) -> float:
    """Mean from the third order on over the mean before; by customer's group as a column, groups weighted alike."""
    table = frame.groupby([group, frame["nth"] >= 3])[column].mean().unstack()
    return float((table[True] / table[False]).mean())


def test_the_lift_is_there():
    planted = truth()["lift"]
    assert lift_of(orders(), "goods", "group") == pytest.approx(planted["goods"], abs=0.12)
    assert lift_of(orders(), "amount", "group") == pytest.approx(planted["value"], rel=0.12)
    assert lift_of(orders(), "categories", "group") > 1.2


def test_null_has_no_lift(null):
    goods = null["lines"].query("product >= 0")
    sums = goods.groupby("order_row").agg(goods=("quantity", "sum"), amount=("amount", "sum"))
    sums["categories"] = goods.assign(c=goods["product"] // 30).groupby("order_row")["c"].nunique()
    frame = null["placed"].join(sums).query("row >= 0 and not cancelled")
    for column in ("goods", "amount", "categories"):
        loyal, new = frame.loc[frame["nth"] >= 3, column], frame.loc[frame["nth"] < 3, column]
        error = np.hypot(loyal.std() / len(loyal) ** 0.5, new.std() / len(new) ** 0.5)
        assert abs(loyal.mean() - new.mean()) < 3.3 * error, column


def test_null_s_customers_are_all_alike(null):
    people = null["people"]
    assert people[["rate", "dropout", "mean_value", "group"]].nunique().max() == 1


def test_an_order_is_one_time_one_customer_and_never_the_same_goods_twice():
    frame = raw("orders").drop_duplicates()
    known = clean("orders", "Created at")
    assert (known.groupby("Order number")["Created at"].nunique() == 1).all()
    assert (frame.groupby("Order number")["Customer"].nunique() == 1).all()
    assert not frame.duplicated(["Order number", "SKU"]).any()


def test_a_line_s_numbers_agree():
    frame = raw("orders")
    number = {c: frame[c].astype(float) for c in ("Unit price", "Discount", "Line total", "Refunded", "Goods cost")}
    total = frame["Quantity"].astype(int) * number["Unit price"] - number["Discount"]
    assert (total - number["Line total"]).abs().max() < 0.005
    assert (number["Line total"] > 0).all()
    assert (number["Refunded"] <= number["Line total"]).all()
    assert ((number["Discount"] > 0) == (frame["Coupon"] != ""))[frame["SKU"].str.contains("-")].all()
    sent_back = frame["Status"].isin(["Повернено", "Частково повернено"])
    assert ((number["Refunded"] > 0) == sent_back).all()
    goods = frame["SKU"].str.contains("-")
    assert ((frame["Reason"] != "") == (sent_back | (frame["Status"] == "Скасовано")))[goods].all()


def test_repeat_orders_never_share_a_day():
    assert not orders().assign(day=orders()["time"].dt.normalize()).duplicated(["customer", "day"]).any()


def test_cancelled_orders_and_their_reasons():
    frame = clean("orders", "Created at").drop_duplicates("Order number")
    gone = frame["Status"] == "Скасовано"
    planted = truth()["service"]
    assert gone.mean() == pytest.approx(planted["cancelled"], abs=0.012)
    shares = frame.loc[gone, "Reason"].value_counts(normalize=True)
    for reason, share in planted["cancel_reasons"].items():
        assert shares[reason] == pytest.approx(share, abs=0.07)
    assert shares.idxmax() == "out of stock"


def test_couriers_are_late():
    here = orders()[orders()["delivered"] != ""]
    late = here["delivered"].str[:10] > here["promised"].str[:10]
    shares = late.groupby(here["delivery"]).mean()
    for method, share in truth()["service"]["late"].items():
        assert shares[method] == pytest.approx(share, abs=0.04), method


def test_shoes_and_clothes_come_back():
    here = lines()[lines()["Delivered"] != ""]
    shares = here["Status"].isin(["Повернено", "Частково повернено"]).groupby(here["Category"]).mean()
    for category, share in truth()["service"]["returned"].items():
        assert shares[category] == pytest.approx(share, abs=0.05), category
    assert set(shares.nlargest(2).index) == {"Shoes", "Clothes"}


def test_dirt_has_its_size():
    frame, planted = raw("orders"), truth()["dirt"]
    n = len(frame)
    assert frame.duplicated().sum() / n == pytest.approx(planted["duplicates"], abs=0.002)
    broken = pd.to_datetime(frame["Created at"], format="%Y-%m-%d %H:%M:%S", errors="coerce").isna()
    assert broken.sum() / n == pytest.approx(planted["broken_dates"], abs=0.002)
    placed = frame["Order number"].nunique()
    assert (frame["SKU"] == "DELIVERY").sum() / placed == pytest.approx(planted["delivery_lines"], abs=0.007)
    assert (frame["SKU"] == "GIFTWRAP").sum() / placed == pytest.approx(planted["giftwrap_lines"], abs=0.004)
    guests = frame.loc[frame["Customer"] == "", "Order number"].nunique()
    assert guests == pytest.approx(planted["guests"] * 4000, rel=0.12)  # their cancelled tries come on top
    fees = frame["SKU"].isin(["DELIVERY", "GIFTWRAP"])
    assert (frame.duplicated() | broken | fees).mean() < 0.045, "near the gate of 5 %"


def test_orders_are_realistic_in_number():
    n, table = len(raw("orders")), orders().groupby("customer")["time"].agg(["min", "size"])
    assert 12_000 < n < 16_000
    early = table["min"] <= pd.Timestamp("2026-04-01")
    second = orders()[orders()["nth"] == 2].set_index("customer")["time"]
    within = (second.reindex(table.index[early]) - table.loc[early, "min"]).dt.days <= 90
    assert 0.30 < within.mean() < 0.42


def test_referrals_name_an_earlier_customer():
    people = clean("customers", "Registered").set_index("ID")
    sent = people[people["Invited by"].isin(people.index)]
    assert len(sent) / len(people) == pytest.approx(truth()["referrals"]["share"], abs=0.03)
    earlier = people["time"].reindex(sent["Invited by"]).to_numpy()
    assert (earlier <= sent["time"].to_numpy() + np.timedelta64(1, "D")).all()
    assert (sent["Came by"] == "referral").all()


def test_the_catalogue_is_the_same_for_everybody():
    goods = catalogue(scenario_plan("null"))
    assert goods.equals(catalogue(scenario_plan("default")))
    assert goods["sku"].is_unique
    assert goods["product"].is_unique
    assert ((goods["cost"] > 0) & (goods["cost"] < goods["price"])).all()
