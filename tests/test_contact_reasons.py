"""Which reasons grow: by hand, on nothing, and on the demo's planted one."""

from datetime import date

import hand_service as hand
import numpy as np
import pandas as pd
import pytest

from cxkit.contact_reasons import (
    REST,
    by_reason,
    describe_growing,
    describe_trends,
    growing_findings,
    growing_rates,
    plot_growing,
    plot_trends,
    reason_rates,
    reason_table,
    reason_trends,
    share_in_words,
    texts_without_reason,
    trends_in_words,
    with_text_reasons,
)
from cxkit.engine import collect
from cxkit.pareto import NOT_GIVEN, OTHERS, pareto
from cxkit.rate_trends import ALIKE, EARLY, FALLS, GROWS

AS_OF = date(2025, 12, 31)


@pytest.fixture(scope="module")
def desk():
    """A help desk of a year: “Late {parcel}” grows, size falls, invoice stays, fax is rare."""
    orders, parts = hand.steady(12, orders_a_month=200), []
    for i, (_, part) in enumerate(orders.groupby(orders["ordered_at"].dt.month)):
        parts.append(hand.asked(part.iloc[: 10 + 5 * i], every=1, reason="Late {parcel}", days=3))
        parts.append(hand.asked(part.iloc[-(70 - 5 * i) :], every=1, reason="size"))
        parts.append(hand.asked(part.iloc[:10], every=1, reason="invoice"))
    parts.append(hand.asked(orders.iloc[::400], every=1, reason="fax"))
    contacts = pd.concat(parts)
    return hand.contacts(contacts[contacts["opened_at"] < "2026-01-01"]), hand.orders(orders)


@pytest.fixture(scope="module")
def grown(desk):
    return reason_trends(*desk, as_of=AS_OF)


def test_growing_reasons_come_first(grown):
    frame = grown
    assert frame["reason"].tolist() == ["Late {parcel}", "invoice", "size", "fax"]
    assert frame["verdict"].tolist() == [GROWS, ALIKE, FALLS, EARLY]
    assert frame["lag_days"].tolist() == [3, 0, 0, 0]
    assert frame["share"].sum() == pytest.approx(1)
    texts = trends_in_words(frame)
    assert texts[0].startswith("Growing for certain, beside the number of orders: “Late {parcel}” +")
    assert texts[1].startswith("Falling for certain, beside the number of orders: “size” −")
    assert texts[2] == "Too early to say of 1 reason: fewer than 6 whole months, or than 30 in them."
    (finding,) = growing_findings(frame)
    assert finding.id == "service.growing.late_{parcel}"
    assert finding.sentence().startswith("Contacts about “Late {parcel}” grew from ")
    assert finding.quadrant() == "weakness"
    assert " for every hundred orders in " in finding.sentence()
    assert finding.action == "Read these messages first, to see what they ask and what changed with it."
    for explained in (True, False):
        causes = pd.DataFrame({"reason": ["Late {parcel}"], "explained": explained, "told": "What is known of it."})
        (told,) = growing_findings(frame, causes)
        assert told.sentence() == f"{finding.sentence()} What is known of it."
        assert told.action.startswith("Read these messages first")
        assert ("before they have to ask" in told.action) == explained


def test_the_table_puts_what_grows_above_what_is_common(desk, grown):
    shares, frame = pareto(by_reason(desk[0])), grown
    assert shares["name"].iloc[0] == "size"
    table = reason_table(shares, frame)
    assert table["reason"].iloc[0] == "Late {parcel}"
    assert table["count"].sum() == shares["count"].sum()
    assert table["cumulative"].iloc[0] == table["value"].iloc[0]
    assert table["cumulative"].iloc[-1] == pytest.approx(1)
    assert share_in_words(shares).startswith("The commonest reason is “size”: 47 % of ")


def test_the_picture(grown):
    frame = grown
    ax = plot_trends(frame)
    ax.figure.canvas.draw()
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels[-1] == "fax  too early"
    assert labels[0].startswith("Late {parcel}  +")
    assert ax.get_xlabel().endswith("(a scale of factors)")
    assert describe_trends(frame).startswith("Growth a year of contacts a hundred orders by reason, with intervals. Gr")
    plot_trends(frame[:1]).figure.canvas.draw()
    plot_trends(frame[-1:]).figure.canvas.draw()
    assert "nothing to show yet" in [t.get_text() for t in plot_trends(frame[:0]).texts]


def test_what_grows_by_month(desk, grown):
    rates = growing_rates(*desk, grown, as_of=AS_OF)
    assert rates["name"].unique().tolist() == ["Late {parcel}", REST]
    both = rates.groupby("name")["count"].sum()
    every = reason_rates(*desk, as_of=AS_OF)
    every = every[every["whole"]].groupby("reason")["count"].sum()
    assert both["Late {parcel}"] == every["Late {parcel}"]
    assert both[REST] == every.drop("Late {parcel}").sum()
    ax = plot_growing(rates)
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["Late {parcel}", REST]
    assert describe_growing(rates).startswith(
        "Contacts a hundred orders by whole month, with intervals: “Late {parcel}” "
    )
    none = growing_rates(*desk, grown[1:], as_of=AS_OF)
    assert not len(none)
    assert "nothing to show yet" in [t.get_text() for t in plot_growing(none).texts]
    assert describe_growing(none).endswith("no reason grows.")


def test_without_reasons_orders_or_contacts(desk):
    contacts, orders = desk
    plain = contacts.drop("reason", "order_id", "customer_id")
    frame = reason_trends(plain, orders, as_of=AS_OF)
    assert frame["reason"].tolist() == [NOT_GIVEN]
    assert growing_findings(frame.assign(verdict=GROWS)) == []
    told = "Why customers write cannot be told by reason:"
    assert share_in_words(pareto(by_reason(plain))) == f"{told} none is given."
    assert share_in_words(pareto(by_reason(plain.limit(3)))) == f"{told} none is given."
    few = share_in_words(pareto(by_reason(contacts.limit(3))))  # each has one, and fewer than five customers
    assert few == f"{told} each is of too few customers to be shown."
    assert share_in_words(pareto(by_reason(contacts.limit(0)))) == f"{told} there is nothing to count yet."
    for one, other in ((contacts.limit(0), orders), (contacts, orders.limit(0))):
        none = reason_trends(one, other, as_of=AS_OF)
        assert growing_findings(none) == []
        assert trends_in_words(none)
        assert describe_trends(none)
        shares = pareto(by_reason(one))
        assert len(reason_table(shares, none)) == shares["name"].nunique()


def test_one_customer_has_no_reasons_of_a_name(desk):
    contacts, orders = desk
    alone = contacts.mutate(customer_id=contacts.customer_id.nullif(contacts.customer_id).fill_null("c1"))
    assert set(reason_trends(alone, orders, as_of=AS_OF)["reason"]) == {OTHERS}


def test_rates_hold_every_month_of_every_reason(desk):
    rates = reason_rates(*desk, as_of=AS_OF)
    assert len(rates) == 4 * 12
    assert not rates.loc[rates["month"] == "2025-01-01", "whole"].any()


def test_clients_by_chance_are_seldom_called():
    """Four clients whose rates never change, customers coming twice and thrice: hardly one is called."""
    rng, orders = np.random.default_rng(5), hand.steady(14, orders_a_month=150)
    called, table = 0, hand.orders(orders)
    for _ in range(4):
        parts = []
        for reason, rate in (("a", 0.03), ("b", 0.08), ("c", 0.02)):
            some = orders[rng.random(len(orders)) < rate]
            parts.append(hand.asked(some.loc[some.index.repeat(rng.integers(1, 4, len(some)))], every=1, reason=reason))
        frame = reason_trends(hand.contacts(pd.concat(parts)), table, as_of=date(2026, 2, 28))
        called += (frame["verdict"].isin([GROWS, FALLS])).any()
    assert called <= 1


def test_a_missing_reason_is_what_the_text_tells():
    rows = [("late", "Where is it?"), (None, "Where is it?"), ("", "Too small"), (None, "Hm"), (None, None)]
    frame = pd.DataFrame(rows, columns=["reason", "text"])
    contacts = hand.contacts(frame.assign(opened_at="2025-01-01", customer_id=[f"c{i}" for i in range(5)]))
    texts = texts_without_reason(contacts)
    assert texts == ["Hm", "Too small", "Where is it?"]
    told = with_text_reasons(contacts, texts, [[], ["size", "price"], ["delivery"]])
    found = collect(told, order_by="contact_id")["reason"].astype(object)
    assert found.where(found.notna(), None).tolist() == ["late", "delivery", "size", None, None]
    bare = contacts.drop("reason")
    found = collect(with_text_reasons(bare, texts, [[], ["size"], ["delivery"]]), order_by="contact_id")["reason"]
    assert found.tolist()[:3] == ["delivery", "delivery", "size"]
    assert texts_without_reason(bare.drop("text")) == []
    assert with_text_reasons(bare, [], []) is bare
