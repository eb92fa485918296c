from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table
from hypothesis import given
from hypothesis import strategies as st

from cxkit import cadence
from cxkit.errors import UsageError
from cxkit.survival import kaplan_meier

DAY = date(2026, 6, 30)


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


LINES = [
    ("1", "anna", "2026-06-01", 10.0),
    ("2", "anna", "2026-06-01", 5.0),  # the same day is one purchase
    ("3", "anna", "2026-06-11", 10.0),
    ("4", "anna", "2026-06-20", 10.0),
    ("5", "bohdan", "2026-06-25", 7.0),
    ("6", None, "2026-06-25", 7.0),
    ("7", "celina", "2026-06-25", 7.0),  # cancelled
]
STATUS = ["completed"] * 6 + ["cancelled"]


def test_purchase_days_by_hand():
    people = cadence.purchase_days(orders(LINES, status=STATUS), as_of=DAY).set_index("customer_id")
    assert people.index.to_list() == ["anna", "bohdan"]
    assert people["purchases"].to_list() == [3, 1]
    assert people["span_days"].to_list() == [19, 0]
    assert people["silence_days"].to_list() == [10, 5]
    assert people["revenue"].to_list() == [35.0, 7.0]


def test_gaps_by_hand():
    gaps = cadence.purchase_gaps(orders(LINES, status=STATUS), as_of=DAY)
    rows = [(row.gap_days, bool(row.ended), row.gaps) for row in gaps.itertuples()]
    assert rows == [(5, False, 1), (9, True, 1), (10, False, 1), (10, True, 1)]


def people_of(purchases, span, silence, revenue=10.0):
    ids = [f"c{i:05d}" for i in range(len(purchases))]
    frame = pd.DataFrame({"customer_id": ids, "purchases": purchases, "span_days": span, "silence_days": silence})
    return frame.assign(revenue=revenue, last_on=pd.Timestamp(DAY) - pd.to_timedelta(frame["silence_days"], unit="D"))


RATES = cadence.Rates(1.0, 60.0, cadence.WITH_STOPS, 100)


def test_the_usual_gap_and_the_chance_by_hand():
    found = cadence.customer_cadence(people_of([1, 4, 4, 2], [0, 90, 90, 3], [60, 30, 330, 40]), RATES)
    # days 60 + 90 by shape 1 + 3 purchases after the first; who came once has everybody's
    assert found["usual_gap_days"].to_list() == [60, 37.5, 37.5, 31.5]
    # by everybody's rates 60 / 120, (150 / 180) ^ 4, (150 / 480) ^ 4, (63 / 103) ^ 2; by his own purchases alone the
    # second (90 / 120) ^ 3, the third (90 / 420) ^ 3, the last 3 / 43
    chances = [60 / 120, (150 / 180) ** 4, (90 / 420) ** 3, (63 / 103) ** 2]
    assert found["chance"].to_list() == pytest.approx(chances)
    assert found["overdue"].to_list() == [False, False, True, False]
    # the later of 150 * (10 ^ (1/4) - 1) and 90 * (10 ^ (1/3) - 1) days
    assert found["overdue_after_days"].iloc[1] == pytest.approx(max(150 * (10**0.25 - 1), 90 * (10 ** (1 / 3) - 1)))
    once = cadence.customer_cadence(people_of([1], [0], [10_000]), RATES)
    assert once["chance"].iloc[0] < 0.01
    assert not once["overdue"].any()  # no rhythm of his own


@given(st.integers(2, 500), st.integers(1, 4000), st.integers(0, 4000), st.integers(1, 400))
def test_longer_silence_is_less_likely_and_overdue_begins_where_it_says(purchases, span, silence, more):
    one, other = cadence.customer_cadence(people_of([purchases] * 2, [span] * 2, [silence, silence + more]), RATES)[
        "chance"
    ]
    assert 0 <= other <= one <= 1
    row = cadence.customer_cadence(people_of([purchases], [span], [silence]), RATES).iloc[0]
    if abs(silence - row["overdue_after_days"]) > 1e-6:
        assert row["overdue"] == (silence > row["overdue_after_days"])


def simulated(rng, n, *, r, alpha, stop):
    """Customers of a year at gamma rates a day, who may stop after each purchase but the first; and who has stopped."""
    rows, stopped = [], []
    for rate in rng.gamma(r, 1 / alpha, n):
        day, last, count, gone = 0.0, 0.0, 1, False
        begin = rng.integers(0, 300)
        chance = rng.beta(*stop) if isinstance(stop, tuple) else stop
        while not gone and (day := day + rng.exponential(1 / rate)) <= 365 - begin:
            last, count, gone = day, count + 1, rng.random() < chance
        rows.append((count, round(last), 365 - begin - round(last)))
        stopped.append(gone)
    purchases, span, silence = zip(*rows, strict=True)
    return people_of(purchases, span, silence), np.array(stopped)


@pytest.mark.parametrize(("stop", "model"), [((0.8, 3.2), cadence.WITH_STOPS), (0.15, None), (0.0, None)])
def test_those_who_have_not_stopped_are_seldom_overdue_and_those_who_have_often(stop, model):
    people, stopped = simulated(np.random.default_rng(1), 6000, r=3.0, alpha=60.0, stop=stop)
    rates = cadence.fit_rates(people)
    assert model in (None, rates.model)
    assert rates.shape == pytest.approx(3.0, rel=0.35)
    assert rates.shape / rates.days == pytest.approx(3.0 / 60.0, rel=0.1)
    found = cadence.customer_cadence(people, rates, overdue_chance=0.1)
    back = (people["purchases"] >= 2).to_numpy()
    assert found["overdue"][back & ~stopped].mean() < 0.12  # a tenth, and days are whole
    assert stop == 0.0 or found["overdue"][back & stopped].mean() > 0.4


def test_one_chance_of_stopping_for_everybody():
    people, _ = simulated(np.random.default_rng(2), 4000, r=2.0, alpha=40.0, stop=0.2)
    x, t_x = people["purchases"].to_numpy(float) - 1, people["span_days"].to_numpy(float)
    found = cadence._one_stop(x, t_x, t_x + people["silence_days"].to_numpy(float))
    assert found == pytest.approx((2.0, 40.0, 0.2), rel=0.15)
    alike = cadence.fit_rates(people_of([5] * 60, [80] * 60, [20] * 60))
    assert alike.model == cadence.ONE_STOP
    assert alike.shape > 100  # all alike: the spread of the rates vanishes


@pytest.mark.parametrize("people", [people_of([1] * 50, [0] * 50, [9] * 50), people_of([3] * 9, [9] * 9, [9] * 9)])
def test_no_rhythm_to_tell(people):
    rates = cadence.fit_rates(people)
    assert rates.model == "fewer than 30 customers, or none of them came back: their rhythm cannot be told"
    found = cadence.customer_cadence(people, rates)
    assert found["usual_gap_days"].isna().all()
    assert not found["overdue"].any()
    share = cadence.overdue_share(found)
    assert not share.known
    assert "too early to say" in cadence.overdue_finding(share).sentence()
    assert "too early to say" in cadence.overdue_in_words(found, overdue_chance=0.1)[0]
    assert cadence.overdue_table(found)["value"].isna().all()
    assert len(cadence.overdue_customers(found)) == 0


def test_the_list_and_its_table():
    # six of ten who came twice are long silent, the one who spent most first
    people = people_of([2] * 10 + [7] * 8, [30] * 10 + [300] * 8, [900] * 6 + [3] * 4 + [10] * 8)
    people["revenue"] = np.arange(18.0)
    found = cadence.customer_cadence(people, RATES)
    late = cadence.overdue_customers(found)
    assert late["customer_id"].to_list() == [f"c{i:05d}" for i in (5, 4, 3, 2, 1, 0)]
    told = cadence.overdue_table(found).set_index("purchases")
    assert told.loc["2", ["customers", "overdue", "value", "revenue"]].to_list() == [10, 6, 0.6, 15.0]
    assert told.loc["6 and more", "value"] == 0
    assert told.loc["3 to 5", "customers"] == 0
    words = cadence.overdue_in_words(found, overdue_chance=0.1, currency="UAH")
    assert words == [
        "6 of 18 customers who came back before are overdue: 33 % (16–56 %).",
        "They spent 15 UAH so far, 9.8 % of what all customers spent.",
        "Of customers who have not left, at most about 10 % would be called overdue by chance alone.",
    ]
    assert cadence.overdue_finding(cadence.overdue_share(found)).sentence().startswith("33 % of customers who came")


def test_small_classes_are_withheld():
    people = people_of([2] * 20 + [4] * 12 + [7] * 3, [30] * 35, [900] * 35)
    told = cadence.overdue_table(cadence.customer_cadence(people, RATES)).set_index("purchases")
    assert told.loc[["3 to 5", "6 and more"], ["customers", "overdue", "value", "revenue"]].isna().all(axis=None)
    assert told.loc["6 and more", "method"].startswith("withheld: fewer than 5 customers")
    assert told.loc["2", "overdue"] == 20


@pytest.mark.parametrize("chance", [0, 1, -0.1])
def test_chances_are_checked(chance):
    with pytest.raises(UsageError, match=f"overdue_chance must lie between 0 and 1; found {chance}"):
        cadence.customer_cadence(people_of([2], [3], [4]), RATES, overdue_chance=chance)
    with pytest.raises(UsageError, match=f"lapsed_chance must lie between 0 and 1; found {chance}"):
        cadence.lapsed_after(cadence.comeback(GAPS), chance=chance)


def counted(rows):
    return pd.DataFrame(rows, columns=["gap_days", "ended", "gaps"]).astype({"ended": bool, "gaps": "int64"})


# a hundred silences: 60 end on day 10, 10 on day 20, 5 on day 50; 25 go on, and all can be followed for 400 days
GAPS = counted([(10, True, 60), (20, True, 10), (50, True, 5), (400, False, 30)])


def test_who_comes_back_by_hand():
    back = cadence.comeback(GAPS).set_index("silence_days")
    assert back.index.to_list() == [10, 20, 50, 400]
    assert back["value"].to_list() == pytest.approx([15 / 45, 5 / 35, 0, 0])
    assert back["n"].to_list() == [45, 35, 30, 0]
    assert (back["seen_days"] == 400).all()
    assert back["settled"].to_list() == [True, True, True, False]
    lapsed = cadence.lapsed_after(back.reset_index(), chance=0.2)
    assert (lapsed.value, lapsed.unit) == (20.0, "days")
    assert cadence.lapsed_after(back.reset_index(), chance=0.4).value == 10.0


def test_the_interval_is_kaplan_and_meiers_of_those_still_silent():
    """Who came back after the silence began anew: the curve of the later ones alone has the same ends."""
    back = cadence.comeback(GAPS).set_index("silence_days")
    rest = kaplan_meier([20, 50, 400], [True, True, False], weights=[10, 5, 30]).set_index("time").loc[50]
    assert back.loc[10, "low"] == pytest.approx(1 - rest["high"])
    assert back.loc[10, "high"] == pytest.approx(1 - rest["low"])


def test_the_definition_in_words():
    back = cadence.comeback(counted([(d, True, 100) for d in range(1, 41)] + [(400, False, 2650)]))
    lapsed = cadence.lapsed_after(back, chance=0.1)
    # of those silent, 2,650 go on and 100 come back on each day that is left: under a tenth with two days left
    assert (lapsed.value, lapsed.low, lapsed.high) == (38, 37, 38)
    text = cadence.lapsed_in_words(lapsed, chance=0.1)
    assert text.startswith("A customer silent for more than 38 days counts as lapsed: after so long fewer than 10 % ")
    ax = cadence.plot_comeback(back, lapsed=lapsed, chance=0.1)
    assert "lapsed after 38 days" in [t.get_text() for t in ax.texts]
    assert cadence.describe_comeback(back, lapsed=lapsed, chance=0.1).endswith(text)


def test_the_clients_own_definition_stands_instead():
    own = cadence.lapsed_after(cadence.comeback(GAPS), days=90)
    assert (own.value, own.low, own.high, own.method) == (90, 90, 90, "set by the client")
    text = cadence.lapsed_in_words(own, chance=0.1)
    assert text == "A customer silent for more than 90 days counts as lapsed: this length was set by the client."
    with pytest.raises(UsageError, match="lapsed_days must be 0 or more; found -1"):
        cadence.lapsed_after(cadence.comeback(GAPS), days=-1)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "fewer than 30 silences can be followed"),
        ([(10, True, 5)], "fewer than 30 silences can be followed"),
        (
            [(d, True, 20) for d in range(1, 101)],
            "even after 35 days of silence 97 % came back, and longer silences cannot be followed for as long again",
        ),
    ],
)
def test_a_rhythm_too_slow_for_the_history(rows, why):
    back = cadence.comeback(counted(rows))
    lapsed = cadence.lapsed_after(back, chance=0.1)
    assert not lapsed.known
    if rows and len(rows) > 1:
        why = lapsed.method  # the numbers are the curve's; the sentence is what is held here
        assert why.endswith("came back, and longer silences cannot be followed for as long again")
    assert lapsed.method == why
    text = cadence.lapsed_in_words(lapsed, chance=0.1)
    assert text.startswith(f"After what silence fewer than 10 % come back: too early to say, since {why}.")
    cadence.plot_comeback(back, lapsed=lapsed, chance=0.1).figure.canvas.draw()
    assert "too early to say" in cadence.describe_comeback(back, lapsed=lapsed, chance=0.1)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(1, 40)), max_size=30))
def test_the_share_who_come_back_never_rises_with_the_silence(rows):
    back = cadence.comeback(counted(rows))
    assert back["value"].dropna().is_monotonic_decreasing
    known = back.dropna(subset=["low", "high"])
    assert ((known["low"] <= known["value"] + 1e-12) & (known["value"] <= known["high"] + 1e-12)).all()


SHOPS = {
    "no orders": [],
    "one order": [("1", "anna", "2026-06-01", 10.0)],
    "nobody named": [(str(i), None, f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "one day": [(str(i), f"c{i}", "2026-05-15", 10.0) for i in range(60)],
    "nobody came back": [(str(i), f"c{i}", str(date(2026, 1, 1) + timedelta(days=i)), 10.0) for i in range(60)],
    "everybody came back": [(f"{i}{d}", f"c{i}", f"2026-05-{d + i % 9:02d}", 10.0) for i in range(60) for d in (1, 15)],
    "all alike": [(f"{i}{d}", f"c{i}", f"2026-05-{d:02d}", 10.0) for i in range(60) for d in (1, 15)],
}


@pytest.mark.parametrize("refund", [0.0, 25.0])
@pytest.mark.parametrize("name", SHOPS)
def test_every_shop_is_borne(name, refund):
    shop = orders(SHOPS[name], refund=refund)
    people = cadence.purchase_days(shop, as_of=DAY)
    found = cadence.customer_cadence(people, cadence.fit_rates(people))
    back = cadence.comeback(cadence.purchase_gaps(shop, as_of=DAY))
    lapsed = cadence.lapsed_after(back)
    words = [
        *cadence.overdue_in_words(found, overdue_chance=0.1),
        cadence.overdue_finding(cadence.overdue_share(found)).sentence(),
        cadence.lapsed_in_words(lapsed, chance=0.1),
        cadence.describe_comeback(back, lapsed=lapsed, chance=0.1),
    ]
    assert not any("nan" in text.lower() for text in words)
    cadence.overdue_table(found)
    cadence.plot_comeback(back, lapsed=lapsed, chance=0.1).figure.canvas.draw()


def test_the_order_of_rows_does_not_matter():
    frame = random_orders(np.random.default_rng(2), 200)
    results = []
    for shuffled in (frame, frame.sample(frac=1, random_state=1)):
        people = cadence.purchase_days(table(shuffled), as_of=date(2026, 3, 15))
        results.append(cadence.customer_cadence(people, cadence.fit_rates(people)))
    pd.testing.assert_frame_equal(*results, check_exact=True)
