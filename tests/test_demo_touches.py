"""Sessions and searches: the chain and its weak points, orders tied to sessions, topics without goods."""

import numpy as np
import pandas as pd
import pytest
from demo_raw import clean, orders, raw, truth

from cxkit.demo import draw
from cxkit.demo_plan import scenario_plan, streams
from cxkit.demo_touches import chain, conversion, events, go_on

WEAK = ["advice", "payment_page"]


def stays(frame: pd.DataFrame) -> pd.Series:
    """Share of touches after which the session goes on, by page; from the raw export."""
    frame = frame.sort_values(["Visit", "time"], kind="stable")
    return frame["Visit"].eq(frame["Visit"].shift(-1)).groupby(frame["Page"]).mean()


def test_sessions_go_on_as_planted():
    found = stays(clean("events", "Time"))
    for page, share in truth()["touches"]["go_on"].items():
        assert found[page] == pytest.approx(share, abs=0.035), page
    assert set(found.drop("order_placed").nsmallest(2).index) == set(WEAK)


def test_null_has_no_weak_touchpoint():
    made = draw(scenario_plan("null"), seed=4)
    touches = made["touches"]
    on = (
        touches["visit"]
        .eq(touches["visit"].shift(-1))
        .groupby(touches["touchpoint"], observed=True)
        .agg(["mean", "size"])
    )
    on = on.drop(index="order_placed")
    z = (on["mean"] - 0.85) / np.sqrt(0.85 * 0.15 / on["size"])
    assert z.abs().max() < 3.5


def test_conversion_is_the_chain_s_own():
    """The share of sessions with an order, against a chain walked step by step without any conditioning."""
    plan = scenario_plan()
    entry, steps, _ = chain(plan)
    rng, n = np.random.default_rng(1), 20_000
    state, won, alive = rng.choice(len(entry), n, p=entry), 0, np.arange(n)
    wide = np.column_stack([steps, 1 - steps.sum(axis=1)]).cumsum(axis=1)
    while len(alive):
        state[alive] = (rng.random(len(alive))[:, None] > wide[state[alive]]).sum(axis=1)
        won += (state[alive] == len(entry)).sum()
        alive = alive[state[alive] < len(entry)]
    assert won / n == pytest.approx(conversion(plan), abs=0.009)
    frame = clean("events", "Time")
    visits = frame["Page"].eq("order_placed").groupby(frame["Visit"]).any()
    assert visits.mean() == pytest.approx(truth()["touches"]["conversion"], abs=0.01)


def test_an_order_of_the_site_or_the_app_has_a_session_that_ends_with_it():
    frame = clean("events", "Time")
    placed = frame[frame["Transaction"] != ""].set_index("Transaction")
    assert (placed["Page"] == "order_placed").all()
    here = orders()[orders()["channel"].isin(["web", "app"]) & (orders()["time"] >= "2025-10-01")]
    placed = placed[["time", "Platform", "Client ID"]].rename(columns={"time": "time_event"})
    both = here.join(placed, how="inner")
    assert len(both) > 0.98 * len(here)  # a few touches have a broken date
    assert (both["time"] == both["time_event"]).all()
    assert (both["channel"] == both["Platform"]).all()
    assert (both["customer"] == both["Client ID"]).all()


def test_visitors_are_there_too_and_no_session_has_two_owners():
    frame = raw("events")
    assert (frame.groupby("Visit")["Client ID"].nunique() == 1).all()
    assert 0.2 < (frame["Client ID"] == "").mean() < 0.6
    assert (frame["Visit"] != "").all()


def test_no_gap_within_a_session_passes_half_an_hour():
    frame = clean("events", "Time").sort_values(["Visit", "time"])
    gap = frame.groupby("Visit")["time"].diff().dropna().dt.total_seconds()
    assert gap.min() >= 3
    assert gap.quantile(0.99) < 600
    assert frame["time"].min() >= pd.Timestamp("2025-10-01") - pd.Timedelta("3h")
    assert frame["time"].max() < pd.Timestamp("2026-07-01")


def test_topics_without_goods_find_nothing():
    planted, frame = truth()["topics"], raw("searches").drop_duplicates()
    words = {"balance bikes": "біговел|biegow", "baby monitors": "няня|niania", "breast pumps": "відсмокт|laktator"}
    for topic, pattern in words.items():
        here = frame["Query"].str.contains(pattern)
        assert here.sum() > 100, topic
        assert (frame.loc[here, "Hits"] == "0").all(), topic
    none = (frame["Hits"] == "0").mean()
    assert none == pytest.approx(truth()["expected"]["queries_without_results"], abs=0.02)
    assert none > sum(planted["missing"].values()) * 0.7
    assert not (frame["Clicked"].eq("true") & frame["Hits"].eq("0")).any()


def test_queries_come_in_three_languages():
    frame = raw("searches")
    cyrillic = frame["Query"].str.contains("[а-яіїєґ]").mean()
    assert 0.5 < cyrillic < 0.9
    assert frame["Query"].str.contains("[ąćęłńóśźż]").any()
    assert frame["Query"].str.contains("nappies|diapers|baby").any()


def test_improvement_mends_the_payment_page_and_needs_fewer_visits():
    plan = scenario_plan("improved")
    assert go_on(plan)["payment_page"] == 0.62
    assert go_on(plan, improved=True)["payment_page"] == 0.85
    assert conversion(plan, improved=True) > 1.2 * conversion(plan)
    made = draw(plan, seed=4)
    touches, since = made["touches"], made["visits"]["improved"].to_numpy()[made["touches"]["visit"]]
    on = touches["visit"].eq(touches["visit"].shift(-1))
    page = touches["touchpoint"] == "payment_page"
    assert on[page & since].mean() == pytest.approx(0.85, abs=0.03)
    assert on[page & ~since].mean() == pytest.approx(0.62, abs=0.03)
    won = made["visits"].groupby("improved")["won"].mean()
    assert won[True] == pytest.approx(conversion(plan, improved=True), abs=0.015)


def test_events_without_sessions_are_none():
    plan, rng = scenario_plan(), streams(1, 0)
    visits = draw(plan, seed=1, count=50)["visits"].iloc[:0]
    assert len(events(plan, rng, visits)) == 0
