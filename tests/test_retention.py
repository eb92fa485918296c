from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import cohorts, loyalty, retention
from cxkit.errors import UsageError
from cxkit.estimates import share_difference

DAY = date(2026, 6, 30)


def shop_of(counts):
    """A shop by channel: name -> (customers, of whom came back after ten days)."""
    lines, channel = [], []
    for name, (customers, back) in counts.items():
        for i in range(customers):
            days = ["2026-01-01"] + ["2026-01-11"] * (i < back)
            lines += [(f"{name}{i}{day}", f"{name}{i}", day, 10.0) for day in days]
            channel += [name] * len(days)
    return with_channel(lines, channel)


def with_channel(lines, channel):
    """Orders with a channel each (None: not known); `hand_orders.table` keeps no such column."""
    marks = pd.DataFrame({"order_id": [line[0] for line in lines], "channel": channel})
    marks = ibis.memtable(marks, schema={"order_id": "string", "channel": "string"})
    return orders(lines).left_join(marks, "order_id").drop("order_id_right")


def members(groups):
    return groups.order_by("customer_id").to_pandas().set_index("customer_id")["group"].to_dict()


def test_the_first_order_decides_the_group():
    lines = [
        ("1", "anna", "2026-01-05", 10.0), ("2", "anna", "2026-02-05", 99.0),  # web first, app later
        ("3", "bohdan", "2026-01-05", 10.0), ("4", "bohdan", "2026-01-05", 20.0),  # one day: more money counts
        ("5", "celina", "2026-01-05", 10.0), ("6", "celina", "2026-01-05", 10.0),  # alike: the first by name
        ("7", "dmytro", "2026-01-05", 10.0),  # nothing known
        ("8", None, "2026-01-05", 10.0),
        ("9", "eva", "2026-01-05", 1.0), ("10", "eva", "2026-01-05", 50.0),  # what is known counts
    ]  # fmt: skip
    channel = ["web", "app", "app", "web", "web", "app", None, "app", "web", None]
    names = ["web", "app", None] * 5
    more = [(f"x{i}", f"x{i}", "2026-01-05", 1.0) for i in range(15)]
    found = members(retention.first_order_groups(with_channel(lines + more, channel + names), by="channel", as_of=DAY))
    assert {name: found[name] for name in ("anna", "bohdan", "celina", "dmytro", "eva")} == {
        "anna": "web", "bohdan": "web", "celina": "app", "dmytro": "not known", "eva": "web",
    }  # fmt: skip
    assert None not in found
    # one customer of unknown channel is too few to be told: the smallest group joins him
    lone = with_channel(lines + more[:10], channel + ["web"] * 5 + ["app"] * 5)
    found = members(retention.first_order_groups(lone, by="channel", as_of=DAY))
    assert found["dmytro"] == found["celina"] == found["x5"] == "others together"
    assert found["anna"] == "web"


def test_the_largest_groups_keep_their_names():
    shop = shop_of({f"g{i:02d}": (20 - i, 3) for i in range(12)} | {"none": (3, 1)})
    sizes = pd.Series(members(retention.first_order_groups(shop, by="channel", as_of=DAY))).value_counts()
    assert set(sizes.index) == {f"g{i:02d}" for i in range(8)} | {"others together"}
    assert sizes.sum() == sum(20 - i for i in range(12)) + 3
    two = members(retention.first_order_groups(shop, by="channel", as_of=DAY, most=2))
    assert set(two.values()) == {"g00", "g01", "others together"}


def test_groups_that_cannot_be_had():
    shop = shop_of({"web": (5, 1)})
    with pytest.raises(UsageError, match=r"by 'category' of their first order. Valid: channel, .* have channel\. Map"):
        retention.first_order_groups(shop, by="category", as_of=DAY)
    with pytest.raises(UsageError, match="by 'amount' of their first order"):
        retention.first_order_groups(shop, by="amount", as_of=DAY)
    with pytest.raises(UsageError, match="groups lacks group; it has customer_id"):
        retention.named_groups(pd.DataFrame({"customer_id": ["a"]}))
    with pytest.raises(UsageError, match="in one group; 'a' stands there twice"):
        retention.named_groups(pd.DataFrame({"customer_id": ["a", "a"], "group": ["x", "y"]}))


def test_a_frame_of_groups():
    frame = pd.DataFrame({"customer_id": [f"c{i}" for i in range(12)], "group": ["x"] * 6 + [None] * 6})
    assert set(members(retention.named_groups(frame)).values()) == {"x", "not known"}


def test_second_orders_by_group_add_up():
    frame = random_orders(np.random.default_rng(3), 300)
    shop, as_of = table(frame), date(2026, 2, 1)
    groups = retention.first_order_groups(shop, by="category", as_of=as_of)
    for burn_in in (0, 40):
        parts = retention.second_orders_by(shop, groups, as_of=as_of, burn_in_days=burn_in)
        whole = loyalty.second_orders(shop, as_of=as_of, burn_in_days=burn_in)
        keys = ["observed_days", "gap_days"]
        added = parts.groupby(keys, dropna=False)["customers"].sum().reset_index()
        pd.testing.assert_frame_equal(
            added.sort_values(keys, ignore_index=True), whole.sort_values(keys, ignore_index=True)
        )


def test_repeat_by_group_by_hand():
    shop = shop_of({"web": (200, 100), "app": (100, 20), "store": (100, 40)})
    groups = retention.first_order_groups(shop, by="channel", as_of=DAY)
    rates = retention.repeat_by(retention.second_orders_by(shop, groups, as_of=DAY), within_days=30)
    assert rates["group"].to_list() == ["web", "store", "app"]
    assert rates["value"].to_list() == [0.5, 0.4, 0.2]
    np.testing.assert_allclose(rates["others"], [60 / 200, 120 / 300, 140 / 300])
    assert rates["reading"].to_list() == ["more", "not told apart", "fewer"]
    assert (rates["family"] == 3).all()
    # Holm: the smallest p at 1 - 0.05 / 3, the next at 1 - 0.05 / 2
    levels = rates.set_index("group")["difference_level"]
    assert levels.to_dict() == pytest.approx({"app": 1 - 0.05 / 3, "web": 1 - 0.05 / 2, "store": 0.95})
    gap = share_difference(20, 100, 140, 300, level=1 - 0.05 / 3)
    app = rates.iloc[2]
    assert (app["difference"], app["difference_low"], app["difference_high"]) == (gap.value, gap.low, gap.high)
    words = retention.compared_in_words(rates, what="First orders by channel")
    assert words.startswith(
        "First orders by channel, told apart from all others, all together at 95 %: app 20 % against"
    )
    assert "store" not in words


def test_of_two_groups_there_is_one_comparison():
    shop = shop_of({"web": (60, 30), "app": (40, 12)})
    groups = retention.first_order_groups(shop, by="channel", as_of=DAY)
    rates = retention.repeat_by(retention.second_orders_by(shop, groups, as_of=DAY), within_days=30)
    assert (rates["family"] == 1).all()
    assert rates["difference"].iloc[0] == -rates["difference"].iloc[1]
    assert rates["difference_level"].to_list() == [0.95, 0.95]


def test_intervals_exclude_zero_exactly_where_the_reading_says_so():
    rng = np.random.default_rng(7)
    for _ in range(30):
        n = rng.integers(20, 400, rng.integers(2, 6))
        frame = pd.DataFrame({"customers": n, "returned": rng.binomial(n, rng.uniform(0.2, 0.5, len(n)))})
        found = retention.compared(frame)
        away = (found["difference_low"] > 0) | (found["difference_high"] < 0)
        assert (away == found["reading"].isin(["more", "fewer"])).all()


def test_small_groups_are_withheld_and_not_judged():
    frame = pd.DataFrame({"group": ["a", "b", "c"], "observed_days": 99, "gap_days": 5, "customers": [40, 3, 6]})
    rates = retention.repeat_by(frame.astype({"gap_days": "Int64"}), within_days=30).set_index("group")
    assert rates.loc[["b", "c"], ["customers", "value", "low", "others", "difference"]].isna().all(axis=None)
    assert rates.loc["b", "method"].startswith("withheld: fewer than 5 customers")
    assert rates.loc["b", "reading"] == "too few to judge"
    words = retention.compared_in_words(rates.reset_index()[1:], what="By channel")
    assert words == "By channel: there are too few customers in two groups to compare them."
    ax = retention.plot_repeat_by(rates.reset_index(), title="x")
    assert [text.get_text() for text in ax.texts].count("withheld or not yet observable") == 2


def test_groups_too_young_to_be_observed():
    frame = pd.DataFrame({"group": ["a", "b"], "observed_days": 9, "gap_days": 5, "customers": [40, 30]})
    rates = retention.repeat_by(frame.astype({"gap_days": "Int64"}), within_days=30)
    assert rates["value"].isna().all()
    assert "too few customers" in retention.compared_in_words(rates, what="By channel")
    empty = retention.repeat_by(frame[:0].astype({"gap_days": "Int64"}), within_days=30)
    assert "too few customers" in retention.compared_in_words(empty, what="By channel")
    retention.plot_repeat_by(empty, title="x").figure.canvas.draw()


def test_cohorts_of_three_have_no_verdict():
    lines = [(f"{m}{i}", f"c{m}{i}", f"2026-0{m}-05", 1.0) for m in (1, 2, 3) for i in range(100 if m < 3 else 3)]
    lines += [(f"b{i}", f"c1{i}", "2026-02-10", 1.0) for i in range(60)]
    lines += [(f"d{i}", f"c2{i}", "2026-03-10", 1.0) for i in range(20)] + [("e", "c30", "2026-04-10", 1.0)]
    frame = cohorts.cohorts(orders(lines), as_of=DAY)
    found = retention.cohorts_compared(frame)
    assert found["reading"].to_list() == ["more", "fewer", "too few to judge"]
    assert found.loc[2, "difference_low":"difference_high"].isna().all()
    words = retention.compared_in_words(found, what="Newcomers by month")
    assert "2026-01 60 % against" in words
    assert "2026-03" not in words


def test_unbounded_retention_is_hatched_where_it_cannot_be_told():
    frame = cohorts.cohorts(table(random_orders(np.random.default_rng(2), 300)), as_of=date(2026, 1, 31))
    shares = cohorts.retention(retention.unbounded(frame))
    assert (shares["observable"] == frame["later_observable"]).all()
    assert shares.loc[~shares["observable"], ["value", "low", "high"]].isna().all(axis=None)
    ax = cohorts.plot_retention(shares, months=20)
    assert "Customers who ordered again in that month or later, %" in (ax.get_title(), ax.get_title(loc="left"))
    assert "not to be told yet" in ax.get_xlabel()
    assert cohorts.describe_retention(shares).endswith("What cannot be told yet is hatched.")
    bounded = cohorts.plot_retention(cohorts.retention(frame), months=20)
    assert sum(p.get_hatch() is not None for p in ax.patches) > sum(p.get_hatch() is not None for p in bounded.patches)


def test_both_tenure_curves():
    frame = cohorts.cohorts(table(random_orders(np.random.default_rng(2), 300)), as_of=date(2026, 1, 31))
    curves = retention.tenure_curves(frame)
    both = curves.pivot(index="month", columns="ordered", values="value").dropna()
    assert (both["in that month or the 3 after"] >= both["in that month"]).all()
    told = retention.tenure_in_words(curves)
    assert len(told) == 2
    assert told[0].startswith("Of customers observed so long after their first order, these ordered: in month 1 ")
    assert told[1].startswith(
        "Of customers observed so long after their first order, these ordered: in month 1 or the 3 after"
    )
    ax = retention.plot_tenure(curves)
    assert [text.get_text().replace("\n", " ").split(" % ")[1] for text in ax.texts] == [
        "in that month or the 3 after", "in that month",
    ]  # fmt: skip
    one = retention.tenure_curves(cohorts.cohorts(table(random_orders(np.random.default_rng(2), 300)),
                                                  as_of=date(2026, 1, 31), look_ahead=1))  # fmt: skip
    assert set(one["ordered"]) == {"in that month", "in that month or the one after"}
    assert retention.describe_tenure(curves).startswith("Two lines by months since the first order. Of customers")


def test_customers_who_never_leave_give_a_level_line():
    """New ones in every month, all at one rate for good: the line must not fall."""
    rng, lines = np.random.default_rng(4), []
    for who in range(3000):
        day = int(rng.integers(0, 540))
        while day < 546:
            lines.append((str(len(lines)), f"c{who}", str(date(2025, 1, 1) + timedelta(days=day)), 1.0))
            day += 1 + int(rng.exponential(90))
    curves = retention.tenure_curves(cohorts.cohorts(orders(lines), as_of=DAY))
    level = curves[curves["ordered"] != retention.BOUNDED].set_index("month")["value"]
    assert level.index.max() == 14
    early, late = level.loc[1:3].mean(), level.loc[10:13].mean()
    assert early == pytest.approx(1 - np.exp(-120 / 91), abs=0.03)  # four months at a purchase in 91 days
    assert late == pytest.approx(early, abs=0.03)


def test_too_young_for_a_tenure_curve():
    one = orders([("1", "anna", "2026-06-05", 1.0)])
    curves = retention.tenure_curves(cohorts.cohorts(one, as_of=DAY))
    assert retention.tenure_in_words(curves) == ["No month after the first order can be observed yet."]
    retention.plot_tenure(curves).figure.canvas.draw()
    two = orders([("1", "anna", "2026-05-05", 1.0)])
    (_, text) = retention.tenure_in_words(retention.tenure_curves(cohorts.cohorts(two, as_of=DAY)))
    assert text == "Who orders within a few months cannot be told yet: too few whole months lie after the first ones."


def test_tenure_by_group():
    shop = table(random_orders(np.random.default_rng(4), 300))
    as_of = date(2026, 1, 31)
    groups = retention.first_order_groups(shop, by="category", as_of=as_of)
    curves = retention.tenure_by(shop, groups, as_of=as_of)
    assert set(curves["group"]) == {"toys", "books", "clothes"}
    assert (curves["customers"] >= 5).all()
    whole = retention.tenure_curves(cohorts.cohorts(shop, as_of=as_of))
    start = curves[(curves["month"] == 0) & (curves["ordered"] == retention.BOUNDED)]
    assert start["customers"].sum() == whole["customers"].iloc[0]
    nobody = orders([("1", None, "2026-05-05", 1.0)])
    assert len(retention.tenure_by(nobody, groups, as_of=as_of)) == 0


SHOPS = {
    "no orders": [],
    "one order": [("1", "anna", "2026-06-01", 10.0)],
    "one customer": [(str(i), "anna", f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "nobody named": [(str(i), None, f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "one day": [(str(i), f"c{i}", "2026-05-15", 10.0) for i in range(60)],
    "three customers": [(str(i), f"c{i % 3}", f"2026-0{1 + i % 5}-15", 10.0) for i in range(15)],
    "five weeks": [(str(i), f"c{i % 40}", f"2026-06-{1 + i % 29:02d}", 10.0) for i in range(80)],
}


@pytest.mark.parametrize("name", SHOPS)
def test_every_shop_is_borne(name):
    shop = orders(SHOPS[name], category="<b>{x}$")
    frame = cohorts.cohorts(shop, as_of=DAY)
    groups = retention.first_order_groups(shop, by="category", as_of=DAY)
    rates = retention.repeat_by(retention.second_orders_by(shop, groups, as_of=DAY), within_days=30)
    curves = retention.tenure_curves(frame)
    calendar = cohorts.calendar_retention(shop, as_of=DAY)
    words = [
        *retention.tenure_in_words(curves),
        *cohorts.calendar_in_words(calendar),
        retention.compared_in_words(rates, what="By category"),
        retention.compared_in_words(retention.cohorts_compared(frame), what="By month"),
        cohorts.describe_retention(cohorts.retention(retention.unbounded(frame))),
    ]
    assert not any("nan" in text.lower() for text in words)
    retention.tenure_by(shop, groups, as_of=DAY)
    for ax in (
        retention.plot_tenure(curves),
        cohorts.plot_calendar(calendar),
        retention.plot_repeat_by(rates, title="By category"),
        cohorts.plot_retention(cohorts.retention(retention.unbounded(frame))),
    ):
        ax.figure.canvas.draw()
