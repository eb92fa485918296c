from datetime import date

import numpy as np
import pytest
from hand_orders import orders, random_orders, table

from cxkit import kept_customers
from cxkit.errors import UsageError
from cxkit.estimates import unknown

DAY = date(2026, 6, 30)


def lines():
    """Periods of ten days: 21 to 30 June the last, 11 to 20 June the one before."""
    rows = [("0", None, "2026-06-01", 1.0), ("old", "old", "2026-06-10", 1.0), ("late", "late", "2026-06-21", 500.0)]
    for i in range(8):
        rows.append((f"a{i}", f"c{i}", "2026-06-11" if i % 2 else "2026-06-20", 10.0))
        if i < 6:
            rows += [(f"b{i}", f"c{i}", "2026-06-21", 10.0 * (i + 1)), (f"d{i}", f"c{i}", "2026-06-30", 10.0)]
    return rows


def test_by_hand():
    kept = kept_customers.period_retention(orders(lines()), as_of=DAY, days=10)
    assert (kept.value, kept.n, kept.method) == (6 / 8, 8, "Wilson")
    left = kept_customers.margin_per_period(orders(lines()), as_of=DAY, days=10, margin_share=0.5)
    assert (left.value, left.n) == (pytest.approx(0.5 * (35 + 10)), 6)  # 10 to 60, and ten more each
    whole = kept_customers.margin_per_period(orders(lines()), as_of=DAY, days=10, margin_share=None)
    assert whole.value == pytest.approx(45.0)


def test_too_short_and_too_few():
    kept = kept_customers.period_retention(orders(lines()), as_of=DAY, days=16)
    assert kept.method == "the data hold no two whole periods of 16 days"
    assert not kept_customers.margin_per_period(orders(lines()), as_of=DAY, days=16, margin_share=0.5).known
    few = orders([("0", None, "2026-06-01", 1.0), ("1", "anna", "2026-06-12", 1.0)])
    assert (
        kept_customers.period_retention(few, as_of=DAY, days=10).method
        == "fewer than 5 customers in the earlier period"
    )
    nobody = kept_customers.margin_per_period(few, as_of=DAY, days=10, margin_share=0.5)
    assert nobody.method == "fewer than 5 customers were kept"
    with pytest.raises(UsageError, match="days must be at least 1; found 0"):
        kept_customers.period_retention(few, as_of=DAY, days=0)
    with pytest.raises(UsageError, match=r"margin_share is what is left of 1 of revenue, at most 1; found 1.2"):
        kept_customers.margin_per_period(few, as_of=DAY, days=10, margin_share=1.2)


def new_ones(last="2026-06-11"):
    """Periods of ten days: six new customers from 11 June on; on 21 June the second period of the last begins."""
    rows = [("0", None, "2026-06-01", 1.0), ("old", "old", "2026-06-03", 900.0), ("late", "late", "2026-06-12", 500.0)]
    for i in range(6):
        rows += [(f"a{i}", f"c{i}", last, 10.0 * (i + 1)), (f"b{i}", f"c{i}", "2026-06-20", 20.0)]
        if i < 3:  # 20 June is the tenth day, still of the first period
            rows.append((f"d{i}", f"c{i}", "2026-06-21" if i else "2026-06-30", 700.0))
    return orders(rows)


def test_newcomers_by_hand():
    settings = {"as_of": DAY, "days": 10, "burn_in_days": 5}
    first, again = kept_customers.newcomers(new_ones(), margin_share=0.5, **settings)
    assert (first.value, first.n, first.unit) == (pytest.approx(0.5 * (35 + 20)), 6, "money")
    assert (again.value, again.n, again.method) == (3 / 6, 6, "Wilson")
    revenue, _ = kept_customers.newcomers(new_ones(), margin_share=None, **settings)
    assert revenue.value == pytest.approx(55.0)


def test_the_new_customer_is_made_of_its_parts():
    shop, period = table(random_orders(np.random.default_rng(6), 300)), {"as_of": date(2026, 1, 31), "days": 100}
    won = unknown("money", method="what winning a customer costs is not known")
    found = kept_customers.new_customer(shop, **period, margin_share=0.3, won=won, burn_in_days=30)
    again = kept_customers.newcomers(shop, **period, margin_share=0.3, burn_in_days=30)
    assert ((found.first, found.new_kept), found.won, found.missing) == (again, won, "")
    assert found.kept == kept_customers.period_retention(shop, **period)
    assert found.left == kept_customers.margin_per_period(shop, **period, margin_share=0.3)
    assert found.together == kept_customers.together(shop, **period, burn_in_days=30)
    few = kept_customers.new_customer(new_ones(), as_of=DAY, days=10, margin_share=0.5, won=won, burn_in_days=5)
    assert few.missing == "what a kept customer leaves: fewer than 5 customers were kept"


def test_who_spends_most_at_first_comes_again():
    """Spends of 10 to 60 with the three dearest coming again: the correlation of 10 to 60 with 0, 0, 0, 1, 1, 1."""
    rows = [("0", None, "2026-06-01", 1.0)]
    for i in range(6):
        rows.append((f"a{i}", f"c{i}", "2026-06-11", 10.0 * (i + 1)))
        if i > 2:
            rows.append((f"b{i}", f"c{i}", "2026-06-21", 20.0))
    found = np.array(kept_customers.together(orders(rows), as_of=DAY, days=10, burn_in_days=5))
    by_hand = np.corrcoef([10, 20, 30, 40, 50, 60], [0, 0, 0, 1, 1, 1])[0, 1]
    assert found[0, 1] == pytest.approx(by_hand, abs=1e-6)
    # all are new and of the earlier period, so the two retentions are one; all who were kept left the same
    assert found[1, 2] == 1.0
    assert found[3].tolist() == [0.0, 0.0, 0.0, 1.0]
    empty = kept_customers.together(orders(rows[:1]), as_of=DAY, days=10)
    assert np.array_equal(empty, np.eye(4))


def test_who_is_new_and_seen_long_enough():
    settings = {"as_of": DAY, "days": 10, "margin_share": 0.5}
    # without a burn-in the old one counts as new
    assert kept_customers.newcomers(new_ones(), burn_in_days=0, **settings)[0].n == 7
    too_late = kept_customers.newcomers(new_ones("2026-06-12"), burn_in_days=5, **settings)
    assert [part.method for part in too_late] == [
        "fewer than 5 new customers could be seen for two periods of 10 days"
    ] * 2
    nobody = orders([("0", None, "2026-06-01", 1.0)])
    assert kept_customers.newcomers(nobody, **settings)[1].n == 0
    with pytest.raises(UsageError, match="burn_in_days must be 0 or more; found -1"):
        kept_customers.newcomers(nobody, burn_in_days=-1, **settings)
    with pytest.raises(UsageError, match="days must be at least 1; found 0"):
        kept_customers.newcomers(nobody, as_of=DAY, days=0, margin_share=None)


def test_the_order_of_rows_does_not_matter():
    raw = random_orders(np.random.default_rng(6), 300)
    found = [
        kept_customers.margin_per_period(table(frame), as_of=date(2026, 1, 31), days=150, margin_share=0.3)
        for frame in (raw, raw.sample(frac=1, random_state=4))
    ]
    both = [
        kept_customers.newcomers(table(frame), as_of=date(2026, 1, 31), days=100, margin_share=0.3)
        for frame in (raw, raw.sample(frac=1, random_state=4))
    ]
    assert both[0][0].known
    mixed = [
        kept_customers.together(table(frame), as_of=date(2026, 1, 31), days=100)
        for frame in (raw, raw.sample(frac=1, random_state=4))
    ]
    assert mixed[0] == mixed[1]
    assert both[0] == both[1]
    assert found[0].known
    assert found[0] == found[1]
