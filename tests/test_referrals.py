from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders

from cxkit import referrals
from cxkit.errors import UsageError
from cxkit.estimates import share_difference

DAY = date(2026, 6, 30)


def accounts(pairs):
    frame = pd.DataFrame(pairs, columns=["customer_id", "referred_by"])
    return ibis.memtable(frame, schema={"customer_id": "string", "referred_by": "string"})


def answers(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "answered_at", "score"]).assign(metric="nps")
    frame["answered_at"] = pd.to_datetime(frame["answered_at"])
    types = {"customer_id": "string", "answered_at": "timestamp", "score": "float64", "metric": "string"}
    return ibis.memtable(frame, schema=types)


LINES = [
    ("1", "anna", "2026-01-01", 100.0),
    ("2", "anna", "2026-01-31", 50.0),  # 30 days later: the last day of the window
    ("3", "anna", "2026-03-01", 25.0),
    ("4", "bohdan", "2026-02-01", 60.0),  # sent by anna
    ("5", "bohdan", "2026-02-01", 5.0),  # the same day is no return
    ("6", "celina", "2026-06-20", 40.0),  # sent by anna; ten days observed
    ("7", "dmytro", "2026-02-01", 30.0),  # says he sent himself
    ("8", "eva", "2026-02-01", 20.0),  # sent by one who never bought
    ("9", "stranger", "2026-02-01", 9.0),  # no account
]
SENT = [
    ("anna", None),
    ("bohdan", "anna"),
    ("celina", "anna"),
    ("dmytro", "dmytro"),
    ("eva", "ghost"),
    ("idle", "anna"),
]


def test_by_hand():
    people = referrals.referred_buyers(orders(LINES), accounts(SENT), as_of=DAY, window_days=30).set_index(
        "customer_id"
    )
    assert people.index.to_list() == ["anna", "bohdan", "celina", "dmytro", "eva", "stranger"]
    assert people["recorded"].to_list() == [True] * 5 + [False]  # of a stranger nobody knows who sent him
    people = people.drop(index="stranger")
    assert people["referred_by"].to_list() == [None, "anna", "anna", None, "ghost"]
    assert people["revenue"].to_list() == [175.0, 65.0, 40.0, 30.0, 20.0]
    assert people["first_revenue"].to_list() == [150.0, 65.0, 40.0, 30.0, 20.0]
    assert people["again"].to_list() == [True, False, False, False, False]
    assert people["observed_days"].to_list() == [180, 149, 10, 149, 149]
    share = referrals.referred_share(people.reset_index())
    assert (share.value, share.n, share.method) == (3 / 5, 5, "Wilson")


def test_what_a_sender_bought_counts_without_an_account_too():
    more = orders([*LINES, ("10", "fedir", "2026-02-01", 7.0)])
    people = referrals.referred_buyers(more, accounts([*SENT, ("fedir", "stranger")]), as_of=DAY)
    senders = referrals.referrers(people).set_index("customer_id")
    assert senders.loc["stranger", ["brought_revenue", "own_revenue"]].to_list() == [7.0, 9.0]
    assert referrals.referred_share(people).n == 6


def test_those_who_send_by_hand():
    people = referrals.referred_buyers(orders(LINES), accounts(SENT), as_of=DAY)
    senders = referrals.referrers(people)
    assert senders["customer_id"].to_list() == ["anna", "ghost"]
    assert senders["brought"].to_list() == [2, 1]
    assert senders["brought_revenue"].to_list() == [105.0, 20.0]
    assert senders["own_revenue"].to_list() == [175.0, 0.0]
    assert senders["together"].to_list() == [280.0, 20.0]
    assert not referrals.referral_value(senders).known
    many = pd.DataFrame({"customer_id": list("abcdef"), "brought_revenue": [300.0] * 6, "own_revenue": [100.0] * 6})
    value = referrals.referral_value(many)  # above one, and not cut there
    assert (value.value, value.low, value.high, value.n) == (3.0, 3.0, 3.0, 6)


def buyers(sent, rest):
    """People as `referred_buyers` gives them: first revenue and whether they came back."""
    rows = [("x", *one) for one in sent] + [(None, *one) for one in rest]
    frame = pd.DataFrame(rows, columns=["referred_by", "first_revenue", "again"]).assign(
        observed_days=200, recorded=True
    )
    return frame.assign(customer_id=[f"c{i:04d}" for i in range(len(frame))], revenue=frame["first_revenue"])


def test_the_lift():
    people = buyers([(90.0 + i % 21, i % 4 > 0) for i in range(200)], [(40.0 + i % 21, i % 4 == 0) for i in range(300)])
    lift = referrals.referral_lift(people).set_index("measure")
    sent, rest = (people[people["referred_by"].notna() == side]["first_revenue"] for side in (True, False))
    error = np.sqrt(sent.var() / 200 + rest.var() / 300)
    row = lift.loc["revenue"]
    assert row["difference"] == pytest.approx(sent.mean() - rest.mean())
    assert row["high"] - row["difference"] == pytest.approx(2.241403 * error, rel=1e-5)  # Holm: 97.5 %
    assert lift.loc["bought again", ["referred", "others"]].to_list() == [0.75, 0.25]
    assert lift["verdict"].to_list() == ["more", "more"]
    mixed = people.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(referrals.referral_lift(mixed), lift.reset_index(), check_exact=True)
    young = referrals.referral_lift(people.assign(observed_days=100))
    assert young["verdict"].to_list() == ["too early to say"] * 2
    assert "fewer than 5 customers observed for 180 days" in young["method"].iloc[0]


def test_chance_alone_is_no_lift():
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(60):
        rows = list(zip(rng.gamma(1, 100, 300), rng.random(300) < 0.4, strict=True))
        wrong += (referrals.referral_lift(buyers(rows[:120], rows[120:]))["verdict"] != "too early to say").any()
    assert wrong <= 8  # of 60, 3 expected


def shop_of(n):
    lines = [(f"o{i}", f"c{i:02d}", "2026-01-01", 10.0) for i in range(n)]
    sent = [(f"c{i:02d}", f"c{i - 10:02d}" if i >= 10 else None) for i in range(n)]
    return referrals.referred_buyers(orders(lines), accounts(sent), as_of=DAY)


def test_promoters_who_refer():
    people = shop_of(20)  # the first ten have each sent one
    rows = [(f"c{i:02d}", "2026-02-01", 9.0 if i < 12 else 4.0) for i in range(20)]
    rows += [("c00", "2026-03-01", 3.0), ("c19", "2026-01-01", 10.0), ("gone", "2026-01-01", 10.0)]
    table, gap = referrals.promoters(answers(rows), people, scale=(0, 10))
    assert table["customers"].to_list() == [11, 9]  # c00 has changed his mind, c19 did before
    assert table["senders"].to_list() == [9, 1]
    assert gap.value == pytest.approx(100 * (9 / 11 - 1 / 9))
    assert gap.method == "Newcombe"
    assert "more than the others" in referrals.promoters_in_words(table, gap)


@pytest.mark.parametrize(
    ("surveys", "scale", "why"),
    [
        (None, (0, 10), "no answers to surveys are known by customer"),
        ([("c01", "2026-01-01", 9.0)], (1, 10), "promoters are defined on the scale 0 to 10; that of nps is 1 to 10"),
        ([("c01", "2026-01-01", 9.0)], None, "that of nps is not declared"),
        ([("c01", "2026-01-01", 9.0)], (0, 10), "fewer than 5 promoters among those who answered"),
    ],
)
def test_promoters_not_assessed(surveys, scale, why):
    table, gap = referrals.promoters(answers(surveys) if surveys else None, shop_of(12), scale=scale)
    assert table.empty
    assert why in gap.method
    assert why in referrals.promoters_in_words(table, gap)


def test_nobody_was_sent():
    assert not referrals.has_referrals(None)
    assert not referrals.has_referrals(accounts([("anna", None)]))
    assert referrals.has_referrals(accounts(SENT))
    people = referrals.referred_buyers(orders(LINES), accounts([(name, None) for name, _ in SENT]), as_of=DAY)
    assert referrals.referred_share(people).value == 0
    senders, lift = referrals.referrers(people), referrals.referral_lift(people)
    assert senders.empty
    assert "too early to say" in referrals.referrals_in_words(referrals.referred_share(people), lift, senders)[1]


def test_errors_name_the_mend():
    with pytest.raises(UsageError, match="window_days must be at least 1; found 0"):
        referrals.referred_buyers(orders(LINES), accounts(SENT), as_of=DAY, window_days=0)
    with pytest.raises(UsageError, match=r"table 'customers' lacks 'referred_by'.*by which customer each was sent"):
        referrals.referred_buyers(orders(LINES), accounts(SENT).drop("referred_by"), as_of=DAY)


def test_the_findings_speak():
    people = buyers([(90.0, True)] * 9 + [(95.0, False)], [(40.0, False)] * 9 + [(45.0, True)])
    share, lift = referrals.referred_share(people), referrals.referral_lift(people)
    gap = referrals.promoters(None, people, scale=None)[1]
    found = {f.id: f for f in referrals.referral_findings(share, lift, gap)}
    assert set(found) == {"loyalty.referred_share", "loyalty.referral_lift", "loyalty.promoters_refer"}
    assert found["loyalty.referral_lift"].quadrant() == "strength"
    assert found["loyalty.promoters_refer"].sentence().endswith("no answers to surveys are known by customer).")
    shares = pd.DataFrame({"group": ["promoters", "others"], "value": [0.36, 0.14]})
    apart = share_difference(36, 100, 14, 100)
    told = referrals.referral_findings(share, lift, apart, promoters=shares)[-1].sentence()
    assert told.startswith(
        "Of 100 promoters 36 have sent somebody, of the others who answered 14: a difference of 22.0 percentage "
        "points ("
    )
    texts = referrals.referrals_in_words(share, lift, referrals.referrers(people), currency="UAH")
    assert texts[0].startswith("50 % of customers were sent by another one")
    assert "90.5 UAH each, the others 40.5 UAH" in texts[1]
