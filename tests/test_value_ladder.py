from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import bg_nbd, gamma_gamma, purchase_history, shifted_beta, value_ladder
from cxkit.errors import UsageError
from cxkit.value_ladder import ARTICLE, COHORT, HISTORIC, LAST_YEAR, MODEL, RUNGS, SUBSCRIPTION

DAY = date(2026, 6, 30)


def lives(customers: int, *, seed: int = 1, value: float = 1.0) -> pd.DataFrame:
    """Lines of customers who come over 100 weeks, buy at a rate of their own and may stop after each return."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        now, end = rng.uniform(0, 690), 700
        rate, stop, worth = rng.gamma(0.9, 1 / 60), rng.beta(0.8, 3), rng.gamma(20, 5)
        while now < end:
            rows.append((f"c{number:04d}", int(now), value * worth * rng.gamma(6, 1 / 6)))
            now += 1 + rng.exponential(1 / rate)
            if rng.random() < stop:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    days = pd.Timestamp(DAY) - pd.to_timedelta(700 - frame["day"], unit="D")
    return frame.assign(ordered_on=days, order_id=[f"o{i}" for i in range(len(frame))], refund=0.0, status="completed")


@pytest.fixture(scope="module")
def shop():
    return table(lives(900))


@pytest.fixture(scope="module")
def made(shop):
    return value_ladder.forecasts(shop, as_of=DAY, weeks=26)


def test_the_articles_four_times_a_hundred():
    days = ("2025-07-02", "2025-10-01", "2026-01-01", "2026-04-01")
    lines = [(f"{name}{d}", name, d, 100.0) for name in ("anna", "bohdan", "celina") for d in days]
    lines += [("old", "dmytro", "2025-01-01", 900.0)]  # known, but did not buy in the year
    frames, _, table = value_ladder.forecasts(orders(lines), as_of=DAY, weeks=52)
    row = table.set_index("rung").loc[ARTICLE]
    assert row.value_per_customer == pytest.approx(400)
    assert (row.low, row.high, row.n) == (pytest.approx(400), pytest.approx(400), 3)
    assert frames[ARTICLE]["customer_id"].to_list() == ["anna", "bohdan", "celina", "dmytro"]
    assert frames[ARTICLE]["revenue"].to_list() == pytest.approx([400] * 4)
    half = value_ladder.ladder(orders(lines), as_of=DAY, weeks=26).set_index("rung").loc[ARTICLE]
    assert half.value_per_customer == pytest.approx(200)


def test_each_ones_own_past_by_hand():
    lines = [
        ("1", "anna", "2026-04-21", 500.0),  # ten weeks ago
        ("2", "anna", "2026-05-05", 30.0),
        ("3", "anna", "2026-06-02", 50.0),
        ("4", "bohdan", "2026-06-23", 10.0),  # a week ago: his rate is taken over four
        ("5", "bohdan", "2026-06-30", 20.0),
        ("6", "celina", "2026-06-30", 99.0),
    ]
    frame = value_ladder.forecasts(orders(lines), as_of=DAY, weeks=20)[0][HISTORIC]
    assert frame["purchases"].to_list() == pytest.approx([20 * 2 / 10, 20 / 4, 0])
    assert frame["revenue"].to_list() == pytest.approx([4 * 40, 5 * 20, 0])


def test_the_cohort_curve_by_hand():
    """Everybody returns once, in the second week, for 7: who is younger than that is expected to, the others not."""
    first = {f"c{i:02d}": DAY - timedelta(days=140) for i in range(40)} | {"young": DAY - timedelta(days=3)}
    lines = [(f"{name}a", name, str(day), 100.0) for name, day in first.items()]
    lines += [(f"{name}b", name, str(day + timedelta(days=10)), 7.0) for name, day in first.items() if name != "young"]
    frames, weekly, table = value_ladder.forecasts(orders(lines), as_of=DAY, weeks=4)
    frame = frames[COHORT].set_index("customer_id")
    assert frame.loc["young", ["purchases", "revenue"]].to_list() == pytest.approx([1, 7])
    assert frame.loc["c00", ["purchases", "revenue"]].to_list() == [0, 0]  # the last eight weeks seen brought nothing
    part = weekly[weekly["rung"] == COHORT]
    assert part["purchases"].to_list() == pytest.approx([3 / 7, 4 / 7, 0, 0], abs=1e-6)  # aged 3 days: 10/7 weeks at 1
    row = table.set_index("rung").loc[COHORT]
    assert row.value_per_customer == pytest.approx(7 / 41)
    assert row.low == pytest.approx(row.high, abs=1e-6)  # all alike


def test_the_cohort_interval_is_that_of_a_bootstrap_by_customer():
    frame = lives(250, seed=3)
    row = value_ladder.ladder(table(frame), as_of=DAY, weeks=26).set_index("rung").loc[COHORT]
    # the base stays as it is; the customers that the curve is learnt from are drawn anew
    history = purchase_history.purchase_history(table(frame), as_of=DAY)
    first = frame.groupby("customer_id")["ordered_on"].transform("min")
    age = (frame["ordered_on"] - first).dt.days
    seen = (pd.Timestamp(DAY) - first).dt.days // 7
    week = (age - 1) // 7
    kept = frame[(age > 0) & (week < seen)].assign(week=week)
    names, span = history["customer_id"].to_list(), 100
    at = {name: i for i, name in enumerate(names)}
    brought = np.zeros((len(names), span))
    np.add.at(brought, (kept["customer_id"].map(at), kept["week"]), kept["amount"])
    exposed = (history["T"].to_numpy()[:, None] >= np.arange(1, span + 1)).astype(float)
    last = int((exposed.sum(axis=0) >= value_ladder.LEAST_OBSERVED).sum())
    rng, values = np.random.default_rng(1), []
    for _ in range(400):
        draw = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        sums, people = draw @ brought[:, :last], draw @ exposed[:, :last]
        curve = np.concatenate([[0.0], np.cumsum(sums / people)])
        tail = sums[-8:].sum() / people[-8:].sum()
        total = [np.interp(t, np.arange(last + 1), curve) + max(t - last, 0) * tail for t in history["T"]]
        later = [np.interp(t + 26, np.arange(last + 1), curve) + max(t + 26 - last, 0) * tail for t in history["T"]]
        values.append((sum(later) - sum(total)) / len(names))
    assert (row.high - row.low) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.12)
    assert row.value_per_customer == pytest.approx(np.mean(values), rel=0.05)


def test_the_models_rung_is_the_models(shop, made):
    history = purchase_history.purchase_history(shop, as_of=DAY)
    model = bg_nbd.fit_bg_nbd(history)
    spend = gamma_gamma.fit_gamma_gamma(history[(history["x"] > 0) & (history["spend"] > 0)])
    expected = bg_nbd.expected_future(model, history, weeks=26)
    frame = made[0][MODEL]
    assert np.allclose(frame["purchases"], expected)
    assert np.allclose(frame["revenue"], expected * gamma_gamma.expected_spend(spend, history), atol=1e-3)
    weekly = made[1][made[1]["rung"] == MODEL]
    half = bg_nbd.expected_future(model, history, weeks=10).sum()
    assert weekly["purchases"].iloc[:10].sum() == pytest.approx(half, rel=2e-4)  # between the knots
    row = made[2].set_index("rung").loc[MODEL]
    assert row.low < row.value_per_customer < row.high


def test_the_weeks_of_a_rung_add_up_to_its_customers(made):
    frames, weekly, _ = made
    assert set(frames) == {ARTICLE, HISTORIC, COHORT, MODEL, LAST_YEAR}
    for rung, frame in frames.items():
        part = weekly[weekly["rung"] == rung]
        assert part["week"].to_list() == list(range(26))
        for name in ("purchases", "revenue"):
            assert part[name].sum() == pytest.approx(frame[name].sum(), rel=1e-5)


def test_the_ladder_stands_in_order_and_says_what_it_assumes(made):
    rungs = made[2]
    assert rungs["rung"].to_list() == [ARTICLE, HISTORIC, COHORT, MODEL, LAST_YEAR]
    assert (rungs["low"] <= rungs["value_per_customer"]).all()
    assert (rungs["value_per_customer"] <= rungs["high"]).all()
    assert rungs["assumes"].str.endswith(".").all()
    assert rungs["label"].iloc[-1] == "Same as a year before"
    assert "the same weeks a year before (2025-07-02 to 2025-12-30)" in rungs["method"].iloc[-1]
    assert set(value_ladder.ASSUMES) == set(value_ladder.LABELS) == {*RUNGS, LAST_YEAR}


def test_too_young_for_a_year_before_the_weeks_just_before_stand_in():
    frame = lives(200)
    young = frame[frame["ordered_on"] >= "2025-10-01"]
    row = value_ladder.ladder(table(young), as_of=DAY, weeks=20).set_index("rung").loc[LAST_YEAR]
    assert row.label == "Same as before"
    assert "the weeks just before (2026-02-11 to 2026-06-30)" in row.method
    row = value_ladder.ladder(table(young), as_of=DAY, weeks=60).set_index("rung").loc[LAST_YEAR]
    assert np.isnan(row.value_per_customer)
    assert "the data begin on 2025-10-0" in row.method
    assert "nor the 60 weeks just before 2026-06-30 have 8 weeks of data before them" in row.method


def test_money_scales_and_rows_may_come_in_any_order(made):
    tenfold = value_ladder.ladder(table(lives(900, value=10)), as_of=DAY, weeks=26)
    for name in ("value_per_customer", "low", "high"):
        assert np.allclose(tenfold[name], 10 * made[2][name], rtol=1e-3)
    mixed = value_ladder.forecasts(table(lives(900).sample(frac=1, random_state=2)), as_of=DAY, weeks=26)
    pd.testing.assert_frame_equal(mixed[2], made[2], check_exact=True)
    pd.testing.assert_frame_equal(mixed[1], made[1], check_exact=True)


def subscriptions(*, customers: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        day, stop, price = int(rng.integers(0, 700)), rng.beta(1, 4), float(rng.choice([10, 20]))
        while day <= 700:
            rows.append((f"s{number:04d}", day, price))
            day += 30
            if rng.random() < stop:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    days = pd.Timestamp(DAY) - pd.to_timedelta(700 - frame["day"], unit="D")
    return frame.assign(ordered_on=days, order_id=[f"o{i}" for i in range(len(frame))], refund=0.0, status="completed")


def late_shop(seed: int, *, late: float) -> pd.DataFrame:
    """Monthly subscribers of whom a share pays one to 14 days late each time; days after 700 are to come."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(2000):
        day, stop = int(rng.integers(0, 640)), rng.beta(1, 5)
        while day <= 882:
            rows.append((f"s{number:04d}", day, 10.0))
            day += 30 + (int(rng.integers(1, 15)) if rng.random() < late else 0)
            if rng.random() < stop:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    days = pd.Timestamp(DAY) - pd.to_timedelta(700 - frame["day"], unit="D")
    return frame.assign(ordered_on=days, order_id=[f"o{i}" for i in range(len(frame))], refund=0.0, status="completed")


@pytest.mark.parametrize("late", [0.0, 0.2])
def test_who_is_overdue_is_weighed_by_how_often_subscribers_are_late(late):
    """Counted as payers, those who missed a payment made the sum 4 % (nobody late) and 8 % (one in five) too high."""
    foretold = came = 0
    for seed in range(3):
        frame = late_shop(seed, late=late)
        got = value_ladder.forecasts(table(frame), as_of=DAY, weeks=26, every_days=30)[0][SUBSCRIPTION]
        foretold, came = foretold + got["purchases"].sum(), came + (frame["day"] > 700).sum()
        if not late and not seed:
            people = purchase_history.subscribers(table(frame), as_of=DAY, every_days=30)
            overdue = people.loc[~people["lost"] & (people["silent_days"] >= 30), "customer_id"]
            assert len(overdue) > 5
            assert (got.set_index("customer_id").loc[overdue, "purchases"] == 0).all()
    assert foretold / came == pytest.approx(1, abs=0.03)


def test_little_is_not_scaled_up_to_much():
    """Five weeks of history say nothing of a year, and twenty of eighty at most."""
    lines = [(f"{i}.{d}", f"c{i}", str(DAY - timedelta(days=d)), 10.0) for i in range(50) for d in (34, 20, 3)]
    rungs = value_ladder.ladder(orders(lines), as_of=DAY, weeks=52).set_index("rung")
    scaled = rungs.loc[[ARTICLE, HISTORIC, COHORT]]
    assert scaled["value_per_customer"].isna().all()
    assert "52 weeks are not told by scaling up 5.0 observed ones" in rungs.loc[ARTICLE, "method"]
    near = value_ladder.ladder(orders(lines), as_of=DAY, weeks=16).set_index("rung")
    assert near.loc[[ARTICLE, HISTORIC, COHORT], "value_per_customer"].notna().all()


def test_subscribers_by_hand():
    frame = subscriptions(customers=400, seed=5)
    frames, weekly, rungs = value_ladder.forecasts(table(frame), as_of=DAY, weeks=13, every_days=30)
    counted = purchase_history.renewals(table(frame), as_of=DAY, every_days=30)
    model = shifted_beta.fit_shifted_beta(counted)
    people = purchase_history.subscribers(table(frame), as_of=DAY, every_days=30)
    got = frames[SUBSCRIPTION].set_index("customer_id")
    assert (got.loc[people.loc[people["lost"], "customer_id"], "purchases"] == 0).all()
    there = people[~people["lost"] & people["silent_days"].between(1, 29)].iloc[0]
    due = [k for k in range(1, 5) if 1 <= 30 * k - there.silent_days <= 91]
    survival = shifted_beta.survival(model, np.arange(there.paid, there.paid + 5))
    expected = sum(survival[k] / survival[0] for k in due)
    assert got.loc[there.customer_id, "purchases"] == pytest.approx(expected)
    assert got.loc[there.customer_id, "revenue"] == pytest.approx(expected * there.spend, abs=1e-4)
    part = weekly[weekly["rung"] == SUBSCRIPTION]
    assert part["revenue"].sum() == pytest.approx(got["revenue"].sum())
    row = rungs.set_index("rung").loc[SUBSCRIPTION]
    assert row.low < row.value_per_customer < row.high
    assert row.n == 400


@pytest.mark.parametrize(
    ("lines", "lacking"),
    [
        ([("1", "anna", "2026-01-01", 10.0)], {HISTORIC, COHORT, MODEL, ARTICLE, LAST_YEAR}),
        ([(str(i), f"c{i}", "2026-01-01", 10.0) for i in range(50)], {MODEL}),  # nobody came back
        ([(str(i), f"c{i}", "2026-06-30", 10.0) for i in range(50)], {*RUNGS, LAST_YEAR} - {SUBSCRIPTION}),  # one day
        ([("1", None, "2026-01-01", 10.0)], set(value_ladder.LABELS) - {SUBSCRIPTION}),
    ],
    ids=["one customer", "nobody came back", "all on one day", "nobody"],
)
def test_what_a_shop_cannot_tell_is_said(lines, lacking):
    rungs = value_ladder.ladder(orders(lines), as_of=DAY, weeks=10)
    assert set(rungs.loc[rungs["high"].isna(), "rung"]) == lacking
    assert (rungs.loc[rungs["high"].isna(), "method"].str.len() > 10).all()


def test_more_given_back_than_kept():
    lines = [(f"{i}{d}", f"c{i}", d, 10.0) for i in range(60) for d in ("2026-01-01", "2026-03-01", "2026-05-01")]
    shop = orders(lines, refund=[15.0] * len(lines))
    rungs = value_ladder.ladder(shop, as_of=DAY, weeks=10).set_index("rung")
    assert rungs.loc[ARTICLE, "value_per_customer"] < 0
    assert rungs.loc[HISTORIC, "value_per_customer"] < 0
    assert np.isnan(rungs.loc[MODEL, "value_per_customer"])


def test_a_horizon_of_no_weeks_is_refused():
    with pytest.raises(UsageError, match="weeks, the horizon, must be at least 1; found 0"):
        value_ladder.ladder(orders([("1", "anna", "2026-01-01", 1.0)]), as_of=DAY, weeks=0)


def test_a_horizon_longer_than_the_history():
    shop = table(random_orders(np.random.default_rng(4), 200))
    rungs = value_ladder.ladder(shop, as_of=date(2025, 6, 1), weeks=60)
    known = rungs.set_index("rung")["value_per_customer"].notna()
    assert known[[ARTICLE, HISTORIC]].all()
    assert not known[LAST_YEAR]
