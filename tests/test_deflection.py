"""What fewer contacts would save: by hand, with and without costs, never asserted."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.contact_reasons import by_reason
from cxkit.deflection import (
    SAVINGS,
    broken_share,
    costs_in_words,
    describe_savings,
    plot_savings,
    reason_costs,
    savings,
    savings_in_words,
    savings_shown,
    supported,
    year_cost,
)
from cxkit.delivery_promises import promised_orders
from cxkit.errors import UsageError

AS_OF = date(2025, 12, 31)


def desk(**more) -> pd.DataFrame:
    """A hundred contacts about late parcels at 20 or 40, fifty about size at 30, in the last year; ten before it."""
    late = pd.DataFrame({"reason": ["late"] * 100, "cost": [20.0, 40.0] * 50})
    size = pd.DataFrame({"reason": ["size"] * 50, "cost": 30.0})
    old = pd.DataFrame({"reason": ["late"] * 10, "cost": 30.0})
    frame = pd.concat([late, size, old], ignore_index=True)
    days = np.concatenate([np.arange(100) * 3 + 10, np.arange(50) * 6 + 10, np.full(10, -30)])
    frame["opened_at"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(days, unit="D")
    frame["customer_id"] = [f"c{i}" for i in range(len(frame))]
    return frame.assign(order_id=[f"o{i}" for i in range(len(frame))], **more)


def test_money_by_hand():
    costs = reason_costs(by_reason(hand.contacts(desk())), as_of=AS_OF)
    assert costs[["reason", "count", "cost"]].values.tolist() == [["late", 100, 3000.0], ["size", 50, 1500.0]]
    assert costs["days"].tolist() == [365, 365]
    frame = savings(costs, avoided=0.2)
    late = frame.iloc[0]
    assert (late["reason"], late["contacts"], late["cost_each"], late["value"]) == ("late", 100, 30.0, 600.0)
    assert (late["contacts_low"], late["contacts_high"]) == pytest.approx((81.36, 121.63), abs=0.01)  # Garwood
    # relative errors: a hundredth from the count, a ninth of a hundredth from what one costs
    half = 1.959964 * np.sqrt(1 / 100 + (1 / 9) / 100)
    assert (late["low"], late["high"]) == pytest.approx((600 * np.exp(-half), 600 * np.exp(half)), rel=1e-6)
    text = savings_in_words(frame, currency="UAH")
    assert text[0].startswith("Were 20 % of the contacts about “late” not needed, that would save 600 UAH a year (")
    assert text[-1].endswith("is not in these data: it has to be tried.")


def test_what_a_year_costs_by_hand():
    costs = reason_costs(by_reason(hand.contacts(desk())), as_of=AS_OF)
    spent = year_cost(costs)
    assert (spent.value, spent.n, spent.unit) == (4500.0, 150, "money")
    half = 1.959964 * np.sqrt(1 / 150 + (10000 / 150 / 30**2) / 150)  # a hundred of 20 or 40, fifty of 30
    assert (spent.low, spent.high) == pytest.approx((4500 * np.exp(-half), 4500 * np.exp(half)), rel=1e-6)
    (text,) = costs_in_words(costs, currency="UAH")
    assert text == "The contacts of a year cost 4,500 UAH (3,800–5,300 UAH, n = 150)."


def test_money_is_rounded_to_what_its_interval_supports():
    assert supported(45206, 42589, 47983) == (45000, 43000, 48000)
    assert supported(1757, 1589, 1943) == (1760, 1590, 1940)
    assert supported(30.4, 20.2, 50.7) == (30.4, 20.2, 50.7)
    assert supported(5.0, np.nan, np.nan)[0] == 5.0
    frame = savings(reason_costs(by_reason(hand.contacts(desk())), as_of=AS_OF), avoided=0.2)
    shown = savings_shown(frame)
    assert shown.loc[0, ["value", "low", "high"]].tolist() == [600, 490, 740]
    assert list(shown.columns) == list(SAVINGS)
    assert not len(savings_shown(frame[:0]))


def test_double_the_share_saves_double():
    costs = reason_costs(by_reason(hand.contacts(desk())), as_of=AS_OF)
    one, two = savings(costs, avoided=0.1), savings(costs, avoided=0.2)
    assert np.allclose(2 * one[["value", "low", "high"]], two[["value", "low", "high"]])
    for wrong in (0, 1.5, -0.1, 10):
        with pytest.raises(UsageError, match=f"avoided is a share above 0 and at most 1, as 0.1; found {wrong}"):
            savings(costs, avoided=wrong)


def test_without_costs_contacts_are_counted():
    costs = reason_costs(by_reason(hand.contacts(desk().drop(columns="cost"))), as_of=AS_OF)
    frame = savings(costs, avoided=0.1)
    assert frame["value"].tolist() == [10, 5]
    assert frame["cost_each"].isna().all()
    assert "would save 10 contacts a year (" in savings_in_words(frame, currency="UAH")[0]
    ax = plot_savings(frame, currency="UAH")
    assert ax.get_xlabel() == "Contacts a year"


def test_a_short_history_is_scaled_and_told():
    short = desk()
    short = short[short["opened_at"] >= "2025-01-01"]
    short["opened_at"] = pd.Timestamp("2025-12-02")
    costs = reason_costs(by_reason(hand.contacts(short)), as_of=AS_OF)
    frame = savings(costs, avoided=0.1)
    assert frame["days"].iloc[0] == 30
    assert frame["contacts"].iloc[0] == pytest.approx(frame["n"].iloc[0] * 365 / 30)
    assert "reach back 30 days only" in savings_in_words(frame)[1]


def test_contacts_after_a_broken_promise_by_hand():
    rows = [
        ("o1", "2025-06-12", "2025-06-10", "2025-06-15"),  # after the promised day, before the parcel
        ("o2", "2025-06-12", "2025-06-10", None),  # and it has not come at all
        ("o3", "2025-06-08", "2025-06-10", "2025-06-15"),  # before the day: no broken promise yet
        ("o4", "2025-06-12", "2025-06-10", "2025-06-09"),  # it had come in time
        ("o5", "2025-06-20", "2025-06-10", "2025-06-15"),  # it had come, late
    ] * 5
    frame = pd.DataFrame(rows, columns=["order_id", "opened_at", "promised_at", "delivered_at"])
    frame["customer_id"] = [f"c{i}" for i in range(25)]
    orders = frame.drop_duplicates("order_id").assign(ordered_at="2025-06-05")
    end = date(2025, 6, 30)
    promised = promised_orders(hand.orders(orders), as_of=end, zone="UTC")
    contacts = by_reason(hand.contacts(frame.drop(columns=["promised_at", "delivered_at"]).assign(reason="where")))
    costs = reason_costs(contacts, as_of=end, promised=promised)
    assert costs[["traced", "broken"]].values.tolist() == [[25, 10]]
    value, low, high, n = broken_share(costs)
    assert (value, n) == (0.4, 25)
    assert low < 0.4 < high
    assert costs_in_words(costs)[1].startswith("Of those about an order with a promised day, 40 % were opened after")
    twice = broken_share(costs.assign(squares=2 * costs["squares"]))
    assert twice[0] == value
    assert twice[1] < low
    again = pd.DataFrame({"name": ["where"], "value": [0.25]})
    frame = savings(costs, repeats=again)
    assert frame[["asked_again", "after_broken_promise"]].iloc[0].tolist() == [0.25, 0.4]


def test_nothing_gives_nothing():
    contacts = by_reason(hand.contacts(desk()).limit(0))
    costs = reason_costs(contacts, as_of=AS_OF)
    frame = savings(costs)
    assert list(frame.columns) == list(SAVINGS)
    assert savings_in_words(frame) == [
        "What answers given beforehand could save cannot be told by reason: no reason has 5 customers yet."
    ]
    assert costs_in_words(costs) == ["What the contacts of a year cost is not known."]
    assert describe_savings(frame)
    assert "nothing to show yet" in [t.get_text() for t in plot_savings(frame).texts]
    assert np.isnan(broken_share(costs)[0])
    plain = hand.contacts(desk().drop(columns=["customer_id", "order_id", "cost", "reason"]))
    nameless = savings(reason_costs(by_reason(plain), as_of=AS_OF))
    assert len(nameless) == 1
    assert savings_in_words(nameless)[0].endswith("cannot be told by reason: none is given.")


def test_picture():
    frame = savings(reason_costs(by_reason(hand.contacts(desk())), as_of=AS_OF))
    ax = plot_savings(frame, currency="UAH")
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == "UAH a year"
    assert describe_savings(frame, currency="UAH").startswith("Bars of what fewer contacts would save a year, by ")
