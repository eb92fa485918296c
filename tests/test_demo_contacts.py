"""Contacts: one reason grows, groups differ, answers and solutions follow."""

import numpy as np
import pandas as pd
import pytest
from demo_raw import clean, groups, orders, raw, truth

from cxkit.demo import draw
from cxkit.demo_contacts import contact_rates
from cxkit.demo_plan import scenario_plan


def monthly(opened: pd.Series, created: pd.Series) -> pd.Series:
    """Contacts an order by month."""
    months = pd.period_range("2025-01", "2026-06", freq="M")
    count = opened.dt.to_period("M").value_counts().reindex(months, fill_value=0)
    return count / created.dt.to_period("M").value_counts().reindex(months)


def test_contacts_about_late_parcels_grow_and_no_others():
    frame, placed = clean("contacts", "Opened"), orders()["time"]
    weight = placed.dt.to_period("M").value_counts().sort_index().to_numpy()
    x = np.arange(18) - np.average(np.arange(18), weights=weight)
    for reason in truth()["contacts"]["rates"]:
        rates = monthly(frame.loc[frame["Reason"] == reason, "time"], placed).to_numpy()
        n = rates * weight
        z = (x * n).sum() / np.sqrt(n.sum() / weight.sum() * (weight * x * x).sum())
        assert (z > 6) if reason == "delivery_delay" else (abs(z) < 3.5), reason


def test_the_growing_rate_runs_from_its_first_to_its_last_month():
    plan = scenario_plan()
    rates = contact_rates(plan, np.array(["2025-01-05", "2026-06-29"], dtype="datetime64[s]"))
    column = list(plan["contacts"]["rates"]).index("delivery_delay")
    assert rates[:, column].tolist() == plan["contacts"]["growing"]["delivery_delay"]
    assert (np.delete(rates, column, axis=1)[0] == np.delete(rates, column, axis=1)[1]).all()


def test_reasons_have_their_rates():
    frame, n = clean("contacts", "Opened"), len(orders())
    planted = truth()["contacts"]
    factor = orders()["group"].map({k: v["contacts"] for k, v in truth()["groups"].items()}).mean()
    mean = sum(g["share"] * g["contacts"] for g in truth()["groups"].values())
    for reason, rate in planted["rates"].items():
        if reason not in planted["growing"]:
            found = (frame["Reason"] == reason).sum() / n
            assert found == pytest.approx(rate * factor / mean * (1 + planted["repeats"]), rel=0.3), reason


def test_the_anxious_contact_us_most():
    frame = clean("contacts", "Opened")
    rate = frame["Customer"].map(groups()).value_counts() / orders()["group"].value_counts()
    assert rate.idxmax() == "anxious"
    assert rate["anxious"] > 1.6 * rate.drop("anxious").max()


def test_a_contact_s_times_follow_each_other_and_open_ones_are_there():
    frame = clean("contacts", "Opened")
    times = {
        c: pd.to_datetime(frame[c], format="%d.%m.%Y %H:%M:%S")
        for c in ("First reply", "Solved", "Reply due", "Solution due")
    }
    answered = times["First reply"].notna()
    assert (times["First reply"] >= frame["time"])[answered].all()
    assert (times["Solved"] > times["First reply"])[times["Solved"].notna()].all()
    assert (
        (times["Reply due"] - frame["time"]).dt.total_seconds() == 4 * 3600
    ).mean() > 0.99  # but for the clock change
    assert 0 < times["Solved"].isna().sum() < 60
    assert max(times["Solved"].max(), frame["time"].max()) < pd.Timestamp("2026-07-01")
    placed = orders()["time"].reindex(frame["Order"]).to_numpy()
    assert (frame["time"].to_numpy() > placed)[~np.isnat(placed)].all()


def test_a_few_messages_hold_personal_data_that_nobody_has():
    text = raw("contacts")["Message"]
    has = text.str.contains(r"@example\.com|\+380 44 000 00 00|\+48 00 000 00 00")
    assert has.mean() == pytest.approx(truth()["contacts"]["personal"], abs=0.008)
    assert has.any()
    digits = text.str.replace(r"\+380 44 000 00 00|\+48 00 000 00 00", "", regex=True)
    assert not digits.str.contains(r"\d[\d ]{7,}").any()


def test_costs_have_decimal_commas():
    assert raw("contacts")["Cost"].str.fullmatch(r"\d+,\d\d").all()


def test_improved_stops_the_growth():
    created = {}
    for scenario in ("default", "improved"):
        frame = draw(scenario_plan(scenario), seed=8)["contacts"]
        here = frame[(frame["reason"] == "delivery_delay") & (frame["opened"] >= pd.Timestamp("2026-04-01"))]
        created[scenario] = len(here)
    assert created["improved"] < 0.4 * created["default"]
