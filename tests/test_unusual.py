from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import ODD_SHOPS, orders, random_orders, table

from cxkit import unusual

DAY = date(2026, 6, 30)
TYPES = {"order_id": "string", "customer_id": "string", "ordered_on": "date", "ordered_at": "timestamp"}
TYPES |= {"amount": "float64", "refund": "float64", "quantity": "float64"}


def shop(**columns):
    """One line an order: day (or time) and further columns; all else is filled in."""
    frame = pd.DataFrame(columns)
    at = pd.to_datetime(frame.pop("at"))
    frame = frame.assign(order_id=[f"o{i}" for i in range(len(frame))], ordered_at=at, ordered_on=at.dt.date)
    frame = pd.DataFrame({"customer_id": "anna", "amount": 10.0, "refund": 0.0, "quantity": 1.0} | dict(frame))
    return ibis.memtable(frame, schema=TYPES | {c: "string" for c in frame if c not in TYPES})


def days(*numbers, first="2026-01-01"):
    return [pd.Timestamp(first) + pd.Timedelta(days=n) for n in numbers]


def customers(counts, amounts=None):
    lines = [
        (f"{name}{i}", name, "2026-06-01", (amounts or {}).get(name, 10.0))
        for name, n in counts.items()
        for i in range(n)
    ]
    return orders(lines)


def test_a_customer_with_a_third_is_unlike_the_others():
    others = {f"c{i:02d}": 1 for i in range(60)}
    found = unusual.dominant_customers(customers(others | {"till": 30}, {"till": 1.0}), as_of=DAY)
    assert found["customer_id"].to_list() == ["till"]
    assert found["measure"].to_list() == ["orders"]  # by revenue the till has 30 of 630
    assert found["share"].to_list() == pytest.approx([30 / 90])
    assert found["next_share"].to_list() == pytest.approx([1 / 90])
    both = unusual.dominant_customers(customers(others | {"till": 30, "mill": 29}), as_of=DAY)
    assert both["customer_id"].to_list() == ["till", "till", "mill", "mill"]  # two of them do not hide each other


def test_among_few_or_among_equals_nobody_stands_out():
    assert len(unusual.dominant_customers(customers({"anna": 9, "bohdan": 1}), as_of=DAY)) == 0
    assert len(unusual.dominant_customers(customers({f"c{i}": 5 for i in range(60)}), as_of=DAY)) == 0
    assert len(unusual.dominant_customers(orders([("1", None, "2026-06-01", 5.0)]), as_of=DAY)) == 0
    lines = table(random_orders(np.random.default_rng(1), 500))
    assert len(unusual.dominant_customers(lines, as_of=DAY)) == 0


def test_words_by_hand():
    # eight days, an order a day; card from the first on, blik on the last two, nothing on one of them
    lines = shop(at=days(*range(8)), payment=["card"] * 5 + [None, "blik", "blik"])
    found = unusual.words_seen(lines, as_of=DAY).set_index("value")
    assert found["orders"].to_dict() == {"card": 5, "blik": 2, "(empty)": 1}
    assert found.loc["blik", "first_on"] == pd.Timestamp("2026-01-07")
    # six tests (three values, two ends): two of eight orders lie since the day of blik, on two days
    assert found.loc["blik", "new_by_chance"] == pytest.approx(6 * (2 / 8) ** 2)
    assert found.loc["card", "gone_by_chance"] == pytest.approx(6 * (5 / 8) ** 5)
    assert found.loc["card", "new_by_chance"] == 6
    assert unusual.words_seen(lines, as_of=date(2026, 1, 5))["value"].to_list() == ["card"]


def test_a_column_of_many_values_is_no_list_of_words():
    lines = shop(at=days(*range(150)), payment=[f"p{i}" for i in range(150)], channel=["web"] * 150)
    assert unusual.words_seen(lines, as_of=DAY)["column"].to_list() == ["channel"]
    assert len(unusual.words_seen(shop(at=days(1, 2)), as_of=DAY)) == 0


def test_moments_by_hand():
    # Kyiv is three hours ahead of UTC in June: its midnight is nine in the evening
    at = ["2026-06-01 21:00:00", "2026-06-01 21:00:00", "2026-06-02 08:00:05", "2026-06-02 00:00:00"]
    lines = shop(at=at).mutate(ordered_on=ibis.literal(date(2026, 6, 2)))
    row = unusual.moments(lines, as_of=DAY, time_zone="Europe/Kyiv").iloc[0]
    assert (row["orders"], row["at_midnight"], row["at_utc_midnight"], row["on_the_minute"]) == (4, 2, 1, 3)
    assert (row["most"], row["most_at"]) == (2, pd.Timestamp("2026-06-02 00:00:00"))
    assert row["at_once_by_chance"] == 1  # midnight is told apart


def test_many_orders_at_one_second_are_no_chance():
    rng = np.random.default_rng(1)
    at = [d + pd.Timedelta(seconds=int(s)) for d in days(*range(50)) for s in rng.integers(30_000, 80_000, 20)]
    quiet = unusual.moments(shop(at=at), as_of=DAY, time_zone="UTC")
    assert quiet["at_once_by_chance"].min() > unusual.BY_CHANCE
    assert quiet["at_midnight"].sum() == 0
    burst = pd.Timestamp("2026-01-10 10:00:00")
    found = unusual.moments(shop(at=[*at, *[burst] * 6]), as_of=DAY, time_zone="UTC")
    odd = found[found["at_once_by_chance"] < unusual.BY_CHANCE]
    assert odd[["most", "most_at"]].to_numpy().tolist() == [[6, burst]]
    assert len(unusual.moments(shop(at=at), as_of=date(2025, 1, 1), time_zone="UTC")) == 0


def test_a_time_of_whole_minutes_is_judged_by_the_minute():
    """Forty orders a day within four hours and no seconds: two and three in one minute are nothing."""
    rng = np.random.default_rng(2)
    at = [d + pd.Timedelta(minutes=600 + int(m)) for d in days(*range(50)) for m in rng.integers(0, 240, 40)]
    found = unusual.moments(shop(at=at), as_of=DAY, time_zone="UTC")
    assert found["most"].max() >= 3
    assert found["at_once_by_chance"].min() > unusual.BY_CHANCE


def test_prices_far_from_their_products_own():
    amount = [10.0, 11.0, 9.0, 10.0, 10.0] * 20
    lines = shop(at=days(*range(100)), product_id=["a"] * 100, amount=[*amount[:-1], 1000.0])
    found = unusual.far_off(lines, as_of=DAY)
    assert found[["measure", "direction", "lines", "of"]].to_numpy().tolist() == [["price", "more", 1, 100]]
    assert found[["farthest", "usual"]].to_numpy().tolist() == [[1000, 10]]
    assert found["day"].to_list() == days(99)
    one_cheap = shop(at=days(*range(100)), product_id=["a"] * 100, amount=[*amount[:-1], 0.1])
    assert len(unusual.far_off(one_cheap, as_of=DAY)) == 0
    many = shop(at=days(*range(300)), product_id=["a"] * 300, amount=[*[10.0] * 288, *[0.1] * 12])
    many = unusual.far_off(many, as_of=date(2027, 1, 1))
    assert many[["direction", "lines"]].to_numpy().tolist() == [["fewer", 12]]


def test_a_shop_of_wide_prices_has_none_far_off():
    amount = np.exp(np.random.default_rng(3).normal(3, 1, 3000))
    lines = shop(at=days(*[i % 180 for i in range(3000)]), product_id=["a"] * 3000, amount=amount)
    assert len(unusual.far_off(lines, as_of=DAY)) == 0


def test_pieces_far_from_what_lines_have():
    lines = shop(at=days(*range(150)), quantity=[2.0] * 149 + [5000.0])
    found = unusual.far_off(lines, as_of=DAY)
    assert found[["measure", "lines", "farthest", "usual"]].to_numpy().tolist() == [["pieces", 1, 5000, 2]]
    assert found["product_id"].to_list() == [""]
    assert len(unusual.far_off(shop(at=days(1, 2, 3)), as_of=DAY)) == 0


@pytest.mark.parametrize("name", ODD_SHOPS)
def test_odd_shops_are_looked_at_without_a_fault(name):
    lines = orders(ODD_SHOPS[name])
    assert len(unusual.dominant_customers(lines, as_of=DAY)) == 0
    assert len(unusual.words_seen(lines, as_of=DAY)) == min(len(ODD_SHOPS[name]), 1)  # all are completed
    assert unusual.moments(lines, as_of=DAY, time_zone="UTC")["orders"].sum() == len(ODD_SHOPS[name])
    assert len(unusual.far_off(lines, as_of=DAY)) == 0
