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
    found = loyal_ideal.ideal(lines, sent, as_of=DAY, months=3, within_days=30).set_index("quantity")
    assert found.loc["Repeat rate", ["before", "now", "n"]].to_list() == [2 / 40, 38 / 40, 80]
    assert found.loc["Repeat rate", "difference"] == pytest.approx(90)
    assert found.loc[["Repeat rate", "Referred"], "verdict"].to_list() == ["growing", "growing"]
    value = found.loc["Order value of regulars"]
    assert value["verdict"] == "too early to say"
    assert value["method"] == "fewer than 5 regulars in one of the periods"
    assert found.loc["Repeat rate", "level"] == pytest.approx(0.975)  # of two that can be told
    texts = loyal_ideal.ideal_texts(found.reset_index(), currency="UAH").set_index("quantity")
    assert texts.loc["Repeat rate", ["before", "now", "difference"]].to_list() == ["5.0 %", "95 %", "+90.0 points"]
    assert texts.loc["Order value of regulars", "difference"] == "–"
    assert "2 of 3 grow for certain since 2026-04" in loyal_ideal.ideal_in_words(found.reset_index())


def test_the_order_value_is_paired_by_customer():
    lines = [("0", None, "2025-10-01", 1.0)]
    for i in range(12):  # everybody spends ten more than before: the differences between customers do not count
        for n, day in enumerate(("2025-11-01", "2025-12-01", "2026-02-01", "2026-05-01")):
            lines.append((f"c{i}.{n}", f"c{i}", day, 100.0 * (i + 1) + (10.0 if n == 3 else 0.0)))
    found = loyal_ideal.ideal(orders(lines), None, as_of=DAY, months=3, loyal_orders=2, within_days=30)
    row = found.set_index("quantity").loc["Order value of regulars"]
    assert (row["before"], row["now"], row["n"]) == (650.0, 660.0, 12)
    assert row["low"] == pytest.approx(10.0)
    assert row["verdict"] == "growing"
    assert found["method"].iloc[2] == "who sent whom is not known"


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
