from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import loyal_ideal
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)


def people(pairs):
    frame = pd.DataFrame(pairs, columns=["customer_id", "referred_by"])
    return ibis.memtable(frame, schema={"customer_id": "string", "referred_by": "string"})


def test_the_periods():
    borders, which = loyal_ideal.compared_periods(date(2024, 1, 1), last=DAY, months=6, burn_in_days=90)
    assert borders == [date(2025, 1, 1), date(2025, 7, 1), date(2026, 1, 1), date(2026, 7, 1)]
    assert which == "the same months a year before"
    borders, which = loyal_ideal.compared_periods(date(2025, 1, 1), last=DAY, months=6, burn_in_days=90)
    assert borders == [date(2025, 7, 1), date(2026, 1, 1), date(2026, 1, 1), date(2026, 7, 1)]
    assert which == "the months just before"


def shop():
    """Two months each: before, 2 of 40 newcomers come back and are sent; after, 38 of 40."""
    lines, sent = [("0", None, "2025-10-01", 1.0)], []
    for month, often in (("2026-02", 2), ("2026-05", 38)):
        for i in range(40):
            name = f"{month}c{i}"
            lines.append((f"{name}a", name, f"{month}-01", 10.0))
            sent.append((name, "friend" if i < often else None))
            if i < often:
                lines.append((f"{name}b", name, f"{month}-11", 10.0))
    return orders(lines), people(sent)


def test_growing_by_hand():
    lines, sent = shop()
    found = loyal_ideal.ideal(lines, sent, as_of=DAY, months=3, within_days=30, active_days=90).set_index("quantity")
    assert found.loc["Repeat rate", ["before", "now", "n"]].to_list() == [2 / 40, 38 / 40, 80]
    assert found.loc["Repeat rate", "difference"] == pytest.approx(90)
    assert found.loc[["Repeat rate", "Referred"], "verdict"].to_list() == ["growing", "growing"]
    value = found.loc["Order value of loyal customers"]
    assert value["verdict"] == "too early to say"
    assert value["method"] == "fewer than 5 loyal customers in one of the periods"
    assert found.loc["Repeat rate", "level"] == pytest.approx(0.975)  # of two that can be told
    texts = loyal_ideal.ideal_texts(found.reset_index(), currency="UAH").set_index("quantity")
    assert texts.loc["Repeat rate", ["before", "now", "difference"]].to_list() == ["5.0 %", "95 %", "+90.0 points"]
    assert texts.loc["Order value of loyal customers", "difference"] == "–"
    words = loyal_ideal.ideal_in_words(found.reset_index())
    assert words.startswith("Of the three quantities of the ideal, 2 of 3 grow for certain since 2026-04")
    assert "S2d" not in words


def test_the_order_value_is_paired_by_customer():
    lines = [("0", None, "2025-05-01", 1.0)]
    for i in range(12):  # everybody spends ten more than before: the differences between customers do not count
        for n, day in enumerate(("2025-11-01", "2025-12-01", "2026-02-01", "2026-05-01")):
            lines.append((f"c{i}.{n}", f"c{i}", day, 100.0 * (i + 1) + (10.0 if n == 3 else 0.0)))
    found = loyal_ideal.ideal(orders(lines), None, as_of=DAY, months=3, loyal_orders=2, within_days=30, active_days=200)
    row = found.set_index("quantity").loc["Order value of loyal customers"]
    assert (row["before"], row["now"], row["n"]) == (650.0, 660.0, 12)
    assert row["low"] == pytest.approx(10.0)
    assert row["verdict"] == "growing"
    assert found["method"].iloc[2] == "who sent whom is not known"


def loyal_shop(more, *, begin="2025-05-01"):
    """Twelve customers with an order of 100, 200, … a month of one piece; from April on `more` and two pieces."""
    lines, goods = [("0", None, begin, 1.0)], [1.0]
    for i in range(12):
        for month in pd.date_range("2025-07-05", DAY, freq="MS"):
            late = month >= pd.Timestamp("2026-04-01")
            lines.append(
                (f"c{i}.{month:%y%m}", f"c{i}", f"{month:%Y-%m-05}", 100.0 * (i + 1) + (more if late else 0.0))
            )
            goods.append(2.0 if late else 1.0)
    return orders(lines, quantity=goods)


def test_what_loyal_customers_orders_hold_now_and_before():
    own = {"loyal_orders": 2, "active_days": 90}
    found = loyal_ideal.order_change(loyal_shop(10.0), as_of=DAY, months=3, **own)
    assert found["measure"].to_list() == ["order value", "goods an order"]
    assert found["difference"].to_list() == pytest.approx([10.0, 1.0])
    assert found["verdict"].to_list() == ["growing", "growing"]
    told = loyal_ideal.order_change_in_words(found, currency="UAH", **own)
    assert told == [
        "The last 3 months, from 2026-04, against the 3 months just before, from 2026-01; loyal in a month is who "
        "bought on at least 2 of the 90 days before it.",
        "Order value: 660 UAH now, 650 UAH before, a difference of 10 UAH (10–10 UAH, n = 12): growing.",
        "Goods an order: 2 pieces now, 1 pieces before, a difference of 1 (1–1, n = 12): growing.",
    ]
    assert loyal_ideal.order_change(loyal_shop(-10.0), as_of=DAY, months=3, **own)["verdict"].iloc[0] == "falling"


def test_the_periods_are_as_long_as_equal_look_backs_allow():
    """With data from 1 December and 90 days of look-back March is the first month: two months against two."""
    shop = loyal_shop(0.0, begin="2025-12-01").filter(ibis._.ordered_on >= date(2025, 12, 1))
    own = {"loyal_orders": 2, "active_days": 90}
    found = loyal_ideal.order_change(shop, as_of=DAY, months=6, **own)
    assert (found["months"] == 2).all()
    assert found["before_from"].iloc[0] == pd.Timestamp("2026-03-01")
    none = loyal_ideal.order_change(shop, as_of=DAY, months=6, loyal_orders=2, active_days=300)
    assert loyal_ideal.order_change_in_words(none, loyal_orders=2, active_days=300) == [
        "Whether loyal customers spend more an order: too early to say (the data do not reach 300 days back before two "
        "whole months)."
    ]
    row = loyal_ideal.ideal(shop, None, as_of=DAY, months=3, active_days=90).set_index("quantity")
    assert row.loc["Order value of loyal customers", "method"] == "the data begin less than 90 days before 2026-01"


@pytest.mark.parametrize("lines", [[], [("1", "anna", "2026-06-01", 10.0)], [("1", None, "2020-01-01", 10.0)]])
def test_no_loyal_customers(lines):
    for months in (1, 6):
        change = loyal_ideal.order_change(orders(lines), as_of=DAY, months=months)
        words = loyal_ideal.order_change_in_words(change, loyal_orders=3, active_days=365)
        assert any("too early to say" in text for text in words)
        assert not any("nan" in text.lower() for text in words)


def test_too_short_a_history():
    frame = loyal_ideal.ideal(orders([("1", "anna", "2026-03-01", 1.0)]), None, as_of=DAY)
    assert (frame["verdict"] == "too early to say").all()
    assert "do not hold twice 6 whole months" in loyal_ideal.ideal_texts(frame)["verdict"].iloc[0]
    nothing = loyal_ideal.ideal(orders([("1", "anna", "2026-06-20", 1.0)]), None, as_of=date(2026, 6, 25))
    assert "too early to say: the data do not hold twice" in loyal_ideal.ideal_in_words(nothing)
    with pytest.raises(UsageError, match="within_days must be at least 1; found 0"):
        loyal_ideal.ideal(orders([("1", "anna", "2026-03-01", 1.0)]), None, as_of=DAY, within_days=0)


def test_the_order_of_rows_does_not_matter():
    frame = random_orders(np.random.default_rng(5), 300)
    sent = people([(name, None) for name in frame["customer_id"].unique()])
    one, other = (
        loyal_ideal.ideal(table(f), sent, as_of=date(2026, 1, 31), months=4)
        for f in (frame, frame.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
