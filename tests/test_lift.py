from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, table

from cxkit import lift
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)


def shop(seed, *, customers=1500, factor=1.0, columns=("quantity", "category")):
    """Everybody orders at one rate; a customer's third and later orders hold `factor` times the goods and money."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 500, customers)
    rows = []
    for number in range(customers):
        day, orders_so_far = first[number], 0
        while day < 546:
            orders_so_far += 1
            more = factor if orders_so_far >= 3 else 1.0
            rows.append((f"c{number:05d}", day, rng.poisson(1.0 * more) + 1, more))
            if rng.random() < 0.05:
                break
            day += 1 + int(rng.exponential(60))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "quantity", "more"])
    money = rng.gamma(4, 100, len(frame)) * frame["more"]
    return frame.assign(
        order_id=[f"o{i}" for i in range(len(frame))],
        ordered_on=pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D"),
        amount=money.round(2),
        quantity=frame["quantity"].astype(float),
        category=rng.choice(list("abcd"), len(frame)),
        refund=0.0,
        status="completed",
    ).drop(columns=[c for c in ("quantity", "category") if c not in columns])


def test_lift_sums_by_hand():
    lines = [
        # before the cut-off of 2026-01-01
        ("1", "anna", "2025-03-01", 10.0), ("2", "anna", "2025-04-01", 10.0), ("3", "anna", "2025-05-01", 10.0),
        ("4", "bohdan", "2025-12-31", 10.0),
        ("5", "celina", "2025-06-01", 10.0),  # one order, but longer ago than 90 days
        ("6", "dmytro", "2025-11-01", 10.0), ("7", "dmytro", "2025-11-02", 10.0),  # two orders: neither
        # after it
        ("8", "anna", "2026-01-01", 30.0), ("8", "anna", "2026-01-01", 20.0), ("9", "anna", "2026-01-31", 50.0),
        ("10", "anna", "2026-06-30", 40.0),
        ("11", "bohdan", "2026-02-10", 25.0),
        ("12", "dmytro", "2026-02-10", 25.0),
        ("13", "eva", "2026-06-20", 15.0),  # came after the cut-off: new in the same period only
        ("14", "anna", "2026-03-01", 0.0),  # a return that matched no sale: its month is not known
        ("15", "anna", "2026-07-01", 99.0),  # after as_of
    ]  # fmt: skip
    quantity = [1.0] * 6 + [1.0] + [2, 3, 1, 4, 2, 1, 1, 0, 9]
    category = ["x"] * 7 + ["toys", "books", "toys", "toys", "toys", "x", "x", None, "x"]
    refund = [0.0] * 8 + [5.0] + [0.0] * 5 + [7.0, 0.0]
    canonical = orders(lines, quantity=quantity, category=category, refund=refund)
    borders = [date(2026, month, 1) for month in range(1, 7)]
    frame = lift.lift_sums(canonical, as_of=DAY, borders=borders, loyal_orders=3, new_days=90)
    by_id = frame.set_index("customer_id").to_dict("index")
    assert list(by_id) == ["anna", "bohdan", "dmytro", "eva"]
    assert by_id["anna"] == {
        "group_after": "loyal", "group_same": "loyal", "active_months": 2, "revenue": 135.0,
        "goods": 9.25,  # 2 + 3 x 15 / 20, a quarter of whose money was given back, + 1 + 4
        # toys and books in January, toys in June
        "categories": 3.0,
    }  # fmt: skip
    assert (by_id["bohdan"]["group_after"], by_id["bohdan"]["goods"]) == ("new", 2)
    assert pd.isna(by_id["bohdan"]["group_same"])  # two orders by then
    assert pd.isna(by_id["dmytro"]["group_after"])
    assert by_id["dmytro"]["group_same"] == "loyal"
    assert (by_id["eva"]["group_same"], by_id["eva"]["active_months"]) == ("new", 1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 7, 1), 6, date(2026, 1, 1)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 25, date(2022, 2, 28)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
    ],
)
def test_months_before(day, months, expected):
    assert lift.months_before(day, months) == expected


def test_the_lift_is_the_ratio_of_sums_by_active_months():
    frame = shop(1, factor=1.4)
    lifts = lift.loyal_lift(table(frame), as_of=DAY, seed=1, draws=200)
    borders = [date(2026, month, 1) for month in range(1, 7)]
    sums = lift.lift_sums(table(frame), as_of=DAY, borders=borders, loyal_orders=3, new_days=90)
    sums = sums[sums["active_months"] > 0].groupby("group_after")[["goods", "revenue", "active_months"]].sum()
    for measure in ("goods", "revenue"):
        each = sums[measure] / sums["active_months"]
        row = lifts[(lifts["measure"] == measure) & (lifts["way"] == lift.AFTER)].iloc[0]
        assert row["value"] == pytest.approx(each["loyal"] / each["new"] - 1)
        assert (row["loyal_value"], row["new_value"]) == pytest.approx((each["loyal"], each["new"]))
        assert row["low"] < row["value"] < row["high"]
    assert set(lifts["after_from"]) == {pd.Timestamp("2026-01-01")}


def test_a_planted_lift_is_found_and_none_is_called_where_there_is_none():
    found = lift.loyal_lift(table(shop(2, factor=1.6)), as_of=DAY, seed=1).set_index(["way", "measure"])
    assert found.loc[(lift.AFTER, "revenue"), "reading"] == "more"
    assert found.loc[(lift.AFTER, "goods"), "reading"] == "more"
    for seed in (3, 4, 5):
        none = lift.loyal_lift(table(shop(seed)), as_of=DAY, seed=1).set_index(["way", "measure"])
        assert set(none.loc[lift.AFTER, "reading"]) == {"no difference told apart"}
        # measured the article's way, a shop without any lift shows one
        assert none.loc[(lift.SAME, "goods"), "reading"] == "more"


def test_the_interval_of_the_family_holds():
    """Two groups alike, 100 times: all three intervals together hold nought about 95 times in 100."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        months = rng.integers(1, 5, 300)
        sums = pd.DataFrame({"group_after": np.repeat(["loyal", "new"], [120, 180]), "active_months": months})
        # each customer has a habit of his own, so that his months are not independent
        goods = rng.poisson(months * rng.gamma(3, 1, 300))
        sums = sums.assign(goods=goods, categories=rng.poisson(months) + months, revenue=goods * rng.gamma(4, 100, 300))
        rows = lift._lifts(sums, "group_after", seed=[seed], level=0.95, draws=300, way=lift.AFTER)
        held += all(row["low"] <= 0 <= row["high"] for row in rows)
    assert held >= 89


def test_blocks_spread_as_the_customers_do():
    rng = np.random.default_rng(3)
    months = rng.integers(1, 6, 40_000).astype(float)
    sums = np.stack([months * rng.gamma(2, 50, 40_000), months], axis=1)
    drawn = lift._ratio_draws(sums, [1, 2], 1000)[:, 0]
    ratio = sums[:, 0].sum() / sums[:, 1].sum()
    error = np.sqrt(np.square(sums[:, 0] - ratio * sums[:, 1]).sum()) / sums[:, 1].sum()
    assert drawn.mean() == pytest.approx(ratio, abs=3 * error)
    assert drawn.std() == pytest.approx(error, rel=0.08)


def test_money_scales_the_value_and_not_the_lift():
    frame = shop(6, customers=600, factor=1.3)
    one = lift.loyal_lift(table(frame), as_of=DAY, seed=1, draws=300)
    other = lift.loyal_lift(
        table(frame.sample(frac=1).assign(amount=frame["amount"] * 8)), as_of=DAY, seed=1, draws=300
    )
    np.testing.assert_allclose(one[["value", "low", "high"]], other[["value", "low", "high"]], atol=1e-9)
    money = one["measure"] == "revenue"
    np.testing.assert_allclose(one.loc[money, "loyal_value"] * 8, other.loc[money, "loyal_value"])


def test_what_is_missing_is_said_and_the_family_is_smaller():
    frame = shop(7, columns=("quantity",))
    lifts = lift.loyal_lift(table(frame), as_of=DAY, seed=1, draws=300).set_index(["way", "measure"])
    missing = lifts.loc[(lift.AFTER, "categories")]
    assert np.isnan(missing["value"])
    assert missing["method"] == "the column 'category' of orders is not mapped"
    assert "2 intervals hold together" in lifts.loc[(lift.AFTER, "goods"), "method"]
    said = lift.lift_finding(lifts.reset_index(), measure="categories").sentence()
    assert "too early to say" in said
    assert "the column 'category' of orders is not mapped" in said


def test_too_few_customers_and_a_short_history():
    few = lift.loyal_lift(table(shop(8, customers=25)), as_of=DAY, seed=1)
    assert few["value"].isna().all()
    assert set(few.loc[few["way"] == lift.AFTER, "method"]) == {"fewer than 20 active customers in a group"}
    young = shop(9).query("ordered_on >= '2026-02-01'")
    lifts = lift.loyal_lift(table(young), as_of=DAY, seed=1)
    after = lifts[lifts["way"] == lift.AFTER]
    assert after["value"].isna().all()
    assert (after["loyal_customers"] == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"months_after": 0}, "months_after must be at least 1; found 0"),
        ({"loyal_orders": 1}, "loyal_orders must be at least 2; found 1"),
        ({"new_days": 0}, "new_days must be at least 1; found 0"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(UsageError, match=message):
        lift.loyal_lift(table(shop(1, customers=30)), as_of=DAY, seed=1, **settings)


def test_findings_claims_and_picture(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    lifts = lift.loyal_lift(table(shop(2, factor=1.6)), as_of=DAY, seed=1, draws=500)
    finding = lift.lift_finding(lifts, measure="revenue")
    assert (finding.id, finding.quadrant()) == ("loyalty.lift_revenue", "no reference")
    assert finding.sentence().startswith("Loyal customers against new ones, revenue per active month: +")
    claims = lift.claims_checked(lifts)
    assert claims["theirs"].to_list() == ["+79 %", "+40 %", "+67 %"]
    assert claims["source"].str.startswith("S4: ").all()
    with pytest.raises(UsageError, match=r"no lift of 'orders'.*goods, categories, revenue"):
        lift.lift_finding(lifts, measure="orders")
    ax = lift.plot_lift(lifts)
    assert {"+79 %", "+40 %", "+67 %"} <= {t.get_text() for t in ax.texts}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["Goods", "Categories", "Revenue"]
    ax.figure.savefig(tmp_path / "lift.png")
    matplotlib.pyplot.close(ax.figure)
