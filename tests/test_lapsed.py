from datetime import date, timedelta

import pandas as pd
import pytest
from hand_orders import LINES, ODD_SHOPS, STATUS, orders
from hypothesis import given
from hypothesis import strategies as st

from cxkit import lapsed
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown
from cxkit.survival import kaplan_meier

DAY = date(2026, 6, 30)


def test_gaps_by_hand():
    gaps = lapsed.purchase_gaps(orders(LINES, status=STATUS), as_of=DAY)
    rows = [(row.gap_days, bool(row.ended), row.gaps) for row in gaps.itertuples()]
    assert rows == [(5, False, 1), (9, True, 1), (10, False, 1), (10, True, 1)]


def counted(rows):
    return pd.DataFrame(rows, columns=["gap_days", "ended", "gaps"]).astype({"ended": bool, "gaps": "int64"})


# a hundred silences: 60 end on day 10, 10 on day 20, 5 on day 50; 25 go on, and all can be followed for 400 days
GAPS = counted([(10, True, 60), (20, True, 10), (50, True, 5), (400, False, 30)])


def test_who_comes_back_by_hand():
    back = lapsed.comeback(GAPS).set_index("silence_days")
    assert back.index.to_list() == [0, 10, 20, 50, 400]
    assert back["value"].to_list() == pytest.approx([75 / 105, 15 / 45, 5 / 35, 0, 0])
    assert back["n"].to_list() == [105, 45, 35, 30, 0]
    assert (back["seen_days"] == 400).all()
    assert back["settled"].to_list() == [True, True, True, True, False]
    stated = lapsed.lapsed_after(back.reset_index(), chance=0.2)
    assert (stated.value, stated.unit) == (20.0, "days")
    assert lapsed.lapsed_after(back.reset_index(), chance=0.4).value == 10.0


def test_the_interval_is_kaplan_and_meiers_of_those_still_silent():
    """Who came back after the silence began anew: the curve of the later ones alone has the same ends."""
    back = lapsed.comeback(GAPS).set_index("silence_days")
    rest = kaplan_meier([20, 50, 400], [True, True, False], weights=[10, 5, 30]).set_index("time").loc[50]
    assert back.loc[10, "low"] == pytest.approx(1 - rest["high"])
    assert back.loc[10, "high"] == pytest.approx(1 - rest["low"])


def test_the_definition_in_words():
    back = lapsed.comeback(counted([(d, True, 100) for d in range(1, 41)] + [(400, False, 2650)]))
    stated = lapsed.lapsed_after(back, chance=0.1)
    # of those silent, 2,650 go on and 100 come back on each day that is left: under a tenth with two days left
    assert (stated.value, stated.low, stated.high) == (38, 37, 38)
    text = lapsed.lapsed_in_words(stated, chance=0.1)
    assert text.startswith("A customer silent for more than 38 days counts as lapsed: after so long fewer than 10 % ")
    ax = lapsed.plot_comeback(back, lapsed=stated, chance=0.1)
    assert "lapsed after 38 days" in [t.get_text() for t in ax.texts]
    assert lapsed.describe_comeback(back, lapsed=stated, chance=0.1).endswith(text)


def test_the_clients_own_definition_stands_instead():
    own = lapsed.lapsed_after(lapsed.comeback(GAPS), days=90)
    assert (own.value, own.low, own.high, own.method) == (90, 90, 90, "set by the client")
    text = lapsed.lapsed_in_words(own, chance=0.1)
    assert text == "A customer silent for more than 90 days counts as lapsed: this length was set by the client."
    with pytest.raises(UsageError, match="lapsed_days must be 0 or more; found -1"):
        lapsed.lapsed_after(lapsed.comeback(GAPS), days=-1)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "fewer than 30 silences can be followed"),
        ([(10, True, 5)], "fewer than 30 silences can be followed"),
        ([(10, True, 50)], "no silence can be followed for as long again"),
        (
            [(d, True, 20) for d in range(1, 101)],
            "even after 35 days of silence 97 % came back, and longer silences cannot be followed for as long again",
        ),
    ],
)
def test_a_rhythm_too_slow_for_the_history(rows, why):
    back = lapsed.comeback(counted(rows))
    stated = lapsed.lapsed_after(back, chance=0.1)
    assert not stated.known
    if rows and len(rows) > 1:
        why = stated.method  # the numbers are the curve's; the sentence is what is held here
        assert why.endswith("came back, and longer silences cannot be followed for as long again")
    assert stated.method == why
    text = lapsed.lapsed_in_words(stated, chance=0.1)
    assert text.startswith(f"After what silence fewer than 10 % come back: too early to say, since {why}.")
    lapsed.plot_comeback(back, lapsed=stated, chance=0.1).figure.canvas.draw()
    assert "too early to say" in lapsed.describe_comeback(back, lapsed=stated, chance=0.1)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(1, 40)), max_size=30))
def test_the_share_who_come_back_never_rises_with_the_silence(rows):
    back = lapsed.comeback(counted(rows))
    assert back["value"].dropna().is_monotonic_decreasing
    known = back.dropna(subset=["low", "high"])
    assert ((known["low"] <= known["value"] + 1e-12) & (known["value"] <= known["high"] + 1e-12)).all()


CHURN = [
    ("1", "anna", "2026-01-10", 1.0), ("2", "anna", "2026-05-10", 1.0),
    ("3", "bohdan", "2026-01-10", 1.0),
    ("4", "celina", "2025-10-01", 1.0),  # had lapsed before: not counted
    ("5", "dmytro", "2026-06-10", 1.0),  # came later: not counted
    ("6", "eva", "2026-04-01", 1.0),  # the last day of the window counts
    *((f"p{i}", f"p{i}", "2026-02-01", 1.0) for i in range(3)),
]  # fmt: skip


@pytest.mark.parametrize("chance", [0, 1, -0.1])
def test_chances_are_checked(chance):
    with pytest.raises(UsageError, match=f"lapsed_chance must lie between 0 and 1; found {chance}"):
        lapsed.lapsed_after(lapsed.comeback(GAPS), chance=chance)


def test_churn_by_hand():
    share = lapsed.churn_share(orders(CHURN), as_of=DAY, lapsed_days=90)
    # active in the 90 days up to 1 April: anna, bohdan, eva, p0, p1, p2; of them anna came since
    assert (share.value, share.n, share.method) == (5 / 6, 6, "Wilson")
    sentence = lapsed.churn_finding(share, lapsed_days=90).sentence()
    assert sentence.startswith(
        "83 % of the customers who were active 90 days ago have lapsed since: no order for 90 days ("
    )


@pytest.mark.parametrize(
    ("lines", "days", "why"),
    [
        (CHURN, 200, "the data do not reach back for 400 days"),
        (CHURN, float("nan"), "after what silence a customer is lapsed cannot be told yet"),
        (CHURN[:4], 90, "fewer than 5 customers were active 90 days ago"),
        ([], 90, "the data do not reach back for 180 days"),
        (CHURN, 0, "after what silence a customer is lapsed cannot be told yet"),  # whatever was computed is borne
    ],
)
def test_churn_that_cannot_be_told(lines, days, why):
    share = lapsed.churn_share(orders(lines), as_of=DAY, lapsed_days=days)
    assert (share.known, share.method) == (False, why)
    assert "too early to say" in lapsed.churn_finding(share, lapsed_days=days).sentence()


def test_the_table_of_definitions_holds_the_stated_one():
    seen = pd.DataFrame({"silence_days": [10, 95], "value": [0.6, 0.2], "seen_days": 250})
    stated = Estimate(100.0, 90.0, 120.0, 50, "days", 0.95, "Kaplan-Meier of the gaps")
    found = lapsed.churn_table(orders(CHURN), seen, as_of=DAY, lapsed=stated)
    assert found["lapsed_days"].to_list() == [90, 100, 180, 270]
    assert found["stated"].to_list() == [False, True, False, False]
    assert found["comeback"].to_list()[:2] == [0.6, 0.2]
    assert found["comeback"].isna().to_list() == [False, False, True, True]  # sight ends after 250 days
    none = lapsed.churn_table(orders(CHURN), seen[:0], as_of=DAY, lapsed=unknown("days"))
    assert not none["stated"].any()
    assert none["comeback"].isna().all()


SHOPS = ODD_SHOPS | {
    "nobody came back until the last day": [(str(i), f"c{i}", str(DAY - timedelta(days=i)), 1.0) for i in range(400)],
    "one day, the last": [(str(i), f"c{i}", str(DAY), 10.0) for i in range(60)],
    "one in fifty came back": [
        *((str(i), f"c{i}", str(DAY - timedelta(days=i)), 1.0) for i in range(400)),
        *((f"b{i}", f"c{i}", str(DAY - timedelta(days=i - 5)), 1.0) for i in range(5, 400, 50)),
    ],
}


@pytest.mark.parametrize("refund", [0.0, 25.0])
@pytest.mark.parametrize("name", SHOPS)
def test_every_shop_is_borne(name, refund):
    shop = orders(SHOPS[name], refund=refund)
    back = lapsed.comeback(lapsed.purchase_gaps(shop, as_of=DAY))
    stated = lapsed.lapsed_after(back)
    churn = lapsed.churn_share(shop, as_of=DAY, lapsed_days=stated.value)
    words = [
        lapsed.lapsed_in_words(stated, chance=0.1),
        lapsed.describe_comeback(back, lapsed=stated, chance=0.1),
        lapsed.churn_finding(churn, lapsed_days=stated.value).sentence(),
    ]
    assert not any("nan" in text.lower() or "lapsed_days" in text for text in words)
    lapsed.plot_comeback(back, lapsed=stated, chance=0.1).figure.canvas.draw()
    assert len(lapsed.churn_table(shop, back, as_of=DAY, lapsed=stated)) >= 3
    assert not stated.known or stated.value >= 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nobody came back until the last day", "no purchase was followed by another so far"),
        ("one day, the last", "no purchase was followed by another so far"),
        ("nobody came back", "no purchase was followed by another so far"),
        ("one in fifty came back", "only 2.0 % of all purchases were followed by another so far"),
    ],
)
def test_where_nobody_comes_back_nobody_has_lapsed(name, why):
    """The whole chain of the page, the last day that counts being that of the last order."""
    shop = orders(SHOPS[name])
    stated = lapsed.lapsed_after(lapsed.comeback(lapsed.purchase_gaps(shop, as_of=DAY)))
    assert (stated.known, stated.method) == (False, why)
    churn = lapsed.churn_share(shop, as_of=DAY, lapsed_days=stated.value)
    assert not churn.known
    assert "too early to say" in lapsed.churn_finding(churn, lapsed_days=stated.value).sentence()
