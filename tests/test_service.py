"""Contacts beside orders and repeats: small help desks by hand."""

from datetime import date
from functools import cache

import hand_service as hand
import numpy as np
import pandas as pd

from cxkit.contact_reasons import by_reason
from cxkit.service import (
    assessed,
    contact_rates,
    contact_trend,
    contacts_of,
    describe_rates,
    rate_finding,
    rates_in_words,
    repeat_finding,
    repeat_share,
    repeat_shares,
    repeats,
    repeats_in_words,
    trend_finding,
)

AS_OF = date(2025, 12, 31)


@cache
def growing_shop(months: int = 12, *, grows: bool = True) -> tuple:
    """A hundred orders a month; contacts from ten a month to thirty, or ten throughout."""
    orders = hand.steady(months)
    parts = []
    for i, (_, part) in enumerate(orders.groupby(orders["ordered_at"].dt.month)):
        count = 10 + (20 * i // (months - 1) if grows else 0)
        parts.append(hand.asked(part.iloc[np.linspace(0, 99, count).astype(int)], every=1))
    return hand.contacts(pd.concat(parts)), hand.orders(orders)


def test_contacts_that_grow_are_a_weakness():
    contacts, orders = growing_shop()
    rates = contact_rates(contacts, orders, as_of=AS_OF)
    assert rates["whole"].tolist() == [False, *[True] * 11]
    trend = contact_trend(rates)
    assert trend_finding(trend).quadrant() == "weakness"
    assert rate_finding(rates).estimate.value == 28.0
    assert rate_finding(rates).sentence().startswith("In the latest 3 whole months there were 28 contacts a hundred")
    texts = rates_in_words(rates, trend)
    assert texts[0].endswith("in 2025-10 to 2025-12.")
    assert texts[1].startswith("Beside orders they grow: +")
    assert texts[1].endswith("S4 says that they ought to fall.")
    assert "11 whole months" in describe_rates(rates, trend)


def test_contacts_that_stay_are_not_called():
    contacts, orders = growing_shop(grows=False)
    rates = contact_rates(contacts, orders, as_of=AS_OF)
    assert trend_finding(contact_trend(rates)).quadrant() == "too early to say"
    assert rates_in_words(rates, contact_trend(rates))[1].startswith("Whether they grow or fall cannot be told from 11")


def test_five_weeks_are_too_early():
    orders = hand.steady(2)
    contacts = hand.contacts(hand.asked(orders, every=5))
    rates = contact_rates(contacts, hand.orders(orders), as_of=date(2025, 2, 5))
    trend = contact_trend(rates)
    assert rates_in_words(rates, trend) == ["Contacts a hundred orders: too early to say; no month is whole yet."]
    assert "no month is whole" in describe_rates(rates, trend)
    assert trend_finding(trend).sentence() == (
        "Change of contacts a hundred orders: too early to say (fewer than 6 whole months, or than 30 in them)."
    )
    assert "too early to say" in rate_finding(rates).sentence()


def test_no_contact_and_no_order():
    contacts, orders = growing_shop(3)
    for one, other in ((contacts.limit(0), orders), (contacts, orders.limit(0)), (contacts.limit(0), orders.limit(0))):
        rates = contact_rates(one, other, as_of=AS_OF)
        trend = contact_trend(rates)
        assert rates_in_words(rates, trend)[0].startswith("Contacts a hundred orders: too early to say")
        assert trend_finding(trend).quadrant() == "too early to say"
        assert describe_rates(rates, trend)


def asked(rows: list[tuple], **more) -> object:
    frame = pd.DataFrame(rows, columns=["customer_id", "opened_at", "reason"])
    return by_reason(hand.contacts(frame.assign(**more)))


# what five others ask keeps the reasons' names
OTHERS = [(f"x{i}", "2025-03-01", reason) for i in range(5) for reason in ("late", "size")]


def test_who_asks_again_by_hand():
    rows = [
        ("a", "2025-05-01 10:00", "late"),
        ("a", "2025-05-15 09:00", "late"),  # the fourteenth day: a repeat
        ("b", "2025-05-01 10:00", "late"),
        ("b", "2025-05-16 09:00", "late"),  # the fifteenth: none
        ("c", "2025-05-01 10:00", "late"),
        ("c", "2025-05-02 10:00", "size"),  # another question
        (None, "2025-05-01 10:00", "late"),
        (None, "2025-05-02 10:00", "late"),  # nobody knows who
        ("d", "2025-12-25 10:00", "late"),  # cannot be followed for fourteen days
        ("d", "2025-12-26 10:00", "late"),
    ]
    frame = repeats(asked(rows + OTHERS), as_of=AS_OF).set_index("name")
    assert frame.loc["late", ["count", "again", "customers"]].tolist() == [10, 1, 8]
    assert frame.loc["size", ["count", "again", "customers"]].tolist() == [6, 0, 6]
    share = repeat_share(frame.reset_index())
    assert (share.value, share.n) == (1 / 16, 16)
    assert share.low < 1 / 16 < share.high
    assert repeat_finding(share).sentence().startswith("6.2 % of contacts are followed by another of the same customer")
    shares = repeat_shares(frame.reset_index())
    assert shares["name"].tolist() == ["late", "size"]
    assert repeats_in_words(share, shares) == [
        f"6.2 % of contacts are followed by another about the same "
        f"({100 * share.low:.1f}–{100 * share.high:.0f} %, n = 16)."
    ]


def test_where_most_ask_again_is_named():
    rows = [(f"a{i}", f"2025-05-0{1 + j}", "late") for i in range(40) for j in range(2)]
    rows += [(f"b{i}", "2025-05-01", "size") for i in range(200)]
    told = repeats(asked(rows), as_of=AS_OF)
    texts = repeats_in_words(repeat_share(told), repeat_shares(told))
    assert texts[1].startswith("Most with late: 50 % (")


def test_repeats_of_nobody():
    none = repeats(asked([(None, "2025-05-01", "late")] * 3), as_of=AS_OF)
    assert not len(none)
    assert "could be followed" in repeats_in_words(repeat_share(none), repeat_shares(none))[0]
    assert not len(repeats(asked([("a", "2025-05-01", "late")]).drop("customer_id"), as_of=AS_OF))
    few = repeat_shares(repeats(asked([("a", "2025-05-01", "late"), ("a", "2025-05-02", "late")]), as_of=AS_OF))
    assert few["value"].isna().all()
    assert few["method"].tolist() == ["withheld: fewer than 5 customers"]


def test_a_client_without_contacts_has_no_findings_of_them():
    contacts, orders = growing_shop()
    none = contacts_of({"orders": orders})
    rates = contact_rates(none, orders, as_of=AS_OF)
    again = repeat_share(repeats(by_reason(none), as_of=AS_OF))
    assert assessed(rate_finding(rates), [trend_finding(contact_trend(rates)), repeat_finding(again)]) == []
    known = rate_finding(contact_rates(contacts_of({"contacts": contacts}), orders, as_of=AS_OF))
    assert assessed([known]) == [known]


def test_times_that_nobody_wrote_down_are_not_known():
    """Not one answer in a whole export: a column that was left empty, not customers left alone."""
    rows = [{"opened_at": f"2025-06-0{day}", "solved_at": pd.Timestamp("2025-06-20")} for day in (1, 2)]
    table = hand.contacts([row | {"first_answer_at": pd.NaT} for row in rows])
    assert "first_answer_at" in table.columns
    columns = contacts_of({"contacts": table}).columns
    assert "solved_at" in columns
    assert "first_answer_at" not in columns
