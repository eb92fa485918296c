from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import LINES, ODD_SHOPS, STATUS, orders, random_orders, table
from hypothesis import given
from hypothesis import strategies as st

from cxkit import cadence
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)


def test_purchase_days_by_hand():
    people = cadence.purchase_days(orders(LINES, status=STATUS), as_of=DAY).set_index("customer_id")
    assert people.index.to_list() == ["anna", "bohdan"]
    assert people["purchases"].to_list() == [3, 1]
    assert people["span_days"].to_list() == [19, 0]
    assert people["silence_days"].to_list() == [10, 5]
    assert people["revenue"].to_list() == [35.0, 7.0]


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
    (text,) = cadence.overdue_in_words(found, overdue_chance=0.1)
    back = (people["purchases"] >= 2).sum()
    why = f"{back:,} customers came back so far; {share.method}" if back else "nobody came back yet"
    assert text == f"Who is overdue: too early to say ({why})."
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
        "Not all of them have left: of all customers who have not, up to about 10 % are silent for so long by chance. "
        "How many of those on the list that is cannot be told here.",
        "The list is for asking in good time, while it helps; who brought most and has probably left stands on the "
        "page of customers' lifetime value.",
    ]
    assert cadence.overdue_finding(cadence.overdue_share(found)).sentence().startswith("33 % of customers who came")


def test_how_many_of_the_overdue_are_still_customers():
    """By BG/NBD, against those who are: the simulation knows who has stopped."""
    people, stopped = simulated(np.random.default_rng(1), 6000, r=3.0, alpha=60.0, stop=(0.8, 3.2))
    rates = cadence.fit_rates(people)
    found = cadence.customer_cadence(people, rates)
    late = found["overdue"].to_numpy()
    still = found.loc[late, "p_alive"].sum()
    assert still == pytest.approx((~stopped[late]).sum(), rel=0.15)
    text = cadence.overdue_in_words(found, overdue_chance=0.1)[2]
    assert text.startswith(f"Of the {late.sum():,}, about {still:,.0f} are expected to be still customers (")
    assert not any("by chance" in words for words in cadence.overdue_in_words(found, overdue_chance=0.1))
    assert cadence.overdue_customers(found)["p_alive"].sum() == pytest.approx(still)
    # who purchased once has nowhere to have stopped
    assert (found.loc[people["purchases"] == 1, "p_alive"] == 1).all()


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


@pytest.mark.parametrize("refund", [0.0, 25.0])
@pytest.mark.parametrize("name", ODD_SHOPS)
def test_every_shop_is_borne(name, refund):
    shop = orders(ODD_SHOPS[name], refund=refund)
    people = cadence.purchase_days(shop, as_of=DAY)
    found = cadence.customer_cadence(people, cadence.fit_rates(people))
    words = [
        *cadence.overdue_in_words(found, overdue_chance=0.1),
        cadence.overdue_finding(cadence.overdue_share(found)).sentence(),
    ]
    assert not any("nan" in text.lower() for text in words)
    cadence.overdue_table(found)


def test_the_order_of_rows_does_not_matter():
    frame = random_orders(np.random.default_rng(2), 200)
    results = []
    for shuffled in (frame, frame.sample(frac=1, random_state=1)):
        people = cadence.purchase_days(table(shuffled), as_of=date(2026, 3, 15))
        results.append(cadence.customer_cadence(people, cadence.fit_rates(people)))
    pd.testing.assert_frame_equal(*results, check_exact=True)
