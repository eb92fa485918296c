"""Shares of reasons: spellings that are one, rare ones together, customers as units."""

import hand_service as hand
import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.estimates import wilson_ends
from cxkit.pareto import (
    NOT_GIVEN,
    OTHERS,
    describe_pareto,
    first_names,
    pareto,
    plot_pareto,
    why_nameless,
    with_names,
)


def contacts(reasons: list, customers: list | None = None) -> ibis.Table:
    customers = [f"c{i}" for i in range(len(reasons))] if customers is None else customers
    return hand.contacts(
        [{"reason": r, "customer_id": c, "opened_at": "2025-01-01"} for r, c in zip(reasons, customers, strict=True)]
    )


def test_shares_by_hand():
    frame = pareto(with_names(contacts(["late"] * 6 + ["Late "] * 2 + ["size"] * 6 + [None, "", "  "] * 2), "reason"))
    assert frame["name"].tolist() == ["late", "size", NOT_GIVEN]
    assert frame["count"].tolist() == [8, 6, 6]
    assert frame["value"].tolist() == [0.4, 0.3, 0.3]
    assert frame["cumulative"].tolist() == pytest.approx([0.4, 0.7, 1.0])
    low, high = wilson_ends([8.0], [20.0])  # all customers differ: Wilson's own
    assert (frame["low"][0], frame["high"][0]) == pytest.approx((low[0], high[0]), abs=0.01)


def test_one_who_asks_ten_times_is_one():
    many = pareto(with_names(contacts(["late", "size"] * 60), "reason"))
    few = pareto(with_names(contacts(["late", "size"] * 60, [f"c{i // 2 % 6}{i % 2}" for i in range(120)]), "reason"))
    assert few["value"].tolist() == many["value"].tolist()
    assert few["customers"].tolist() == [6, 6]
    assert few["high"][0] - few["low"][0] > 2 * (many["high"][0] - many["low"][0])


def test_reasons_of_under_five_people_have_no_name():
    frame = pareto(with_names(contacts(["late"] * 9 + ["my name is Olha"] * 3 + ["other"] * 4), "reason"))
    assert frame["name"].tolist() == ["late", OTHERS]
    assert frame["count"].tolist() == [9, 7]
    alone = pareto(with_names(contacts(["late"] * 9 + ["size"] * 6 + ["odd"] * 2), "reason"))
    assert alone["name"].tolist() == ["late", OTHERS]  # else the two who are odd could be told
    one = pareto(with_names(contacts(["late"] * 9, ["c1"] * 9), "reason"))
    assert one["name"].tolist() == [OTHERS]


def test_where_others_stand_something_was_said():
    three = pareto(with_names(contacts([None] * 3), "reason"))
    assert three["name"].tolist() == [NOT_GIVEN]  # all of them, and not some who could be told apart
    assert why_nameless(three["name"]) == "none is given"
    mixed = pareto(with_names(contacts([None] * 9 + ["late"] * 4), "reason"))
    assert mixed["name"].tolist() == [OTHERS]
    assert why_nameless(mixed["name"]) == "each is of too few customers to be shown"


def test_only_the_commonest_keep_their_names():
    reasons = [f"r{i:02d}" for i in range(20) for _ in range(10 + i)]
    frame = pareto(with_names(contacts(reasons), "reason", most=4))
    assert frame["name"].tolist() == ["r19", "r18", "r17", "r16", OTHERS]
    assert frame["count"].sum() == len(reasons)


def test_hostile_and_endless_names_are_tamed():
    evil = "=HYPERLINK(1)\u202e\n<script>" + "x" * 500
    (name,) = pareto(with_names(contacts([evil] * 6), "reason"))["name"]
    assert len(name) == 80
    assert "\n" not in name
    assert "\u202e" not in name
    assert describe_pareto(pareto(with_names(contacts(["$a$"] * 6), "reason")), of="contacts")
    plot_pareto(pareto(with_names(contacts([evil] * 6), "reason")), title="t", of="contacts").figure.canvas.draw()


def test_without_customers_each_row_is_somebody():
    table = contacts(["late"] * 6 + ["size"] * 5).drop("customer_id")
    frame = pareto(with_names(table, "reason"))
    assert frame["customers"].tolist() == [6, 5]
    nobody = pareto(with_names(contacts(["late"] * 6, [None] * 6), "reason"))
    assert nobody["customers"].tolist() == [6]


def test_nothing_gives_nothing():
    frame = pareto(with_names(contacts(["late"]).filter(ibis.literal(False)), "reason"))
    assert not len(frame)
    assert first_names(frame) == ""
    assert describe_pareto(frame, of="contacts") == (
        "Bars of the share of contacts by reason. No reason can be named: there is nothing to count yet."
    )
    assert "nothing to show yet" in [t.get_text() for t in plot_pareto(frame, title="t", of="contacts").texts]


@settings(deadline=None, max_examples=3)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "A ", None, "c"]), st.integers(0, 9)), min_size=1, max_size=60))
def test_nobody_is_lost_and_the_order_of_rows_says_nothing(rows):
    def made(rows):
        return pareto(with_names(contacts([r for r, _ in rows], [f"c{c}" for _, c in rows]), "reason"))

    frame = made(rows)
    assert frame["count"].sum() == len(rows)
    assert frame["value"].sum() == pytest.approx(1)
    assert (frame["low"] <= frame["value"]).all()
    assert (frame["value"] <= frame["high"]).all()
    said = any(reason is not None for reason, _ in rows)
    named = frame[~frame["name"].isin([OTHERS])] if said else frame[:0]  # where nothing is said, all are not given
    assert (named["customers"] >= 5).all()
    pd.testing.assert_frame_equal(frame, made(rows[::-1]))
