from datetime import datetime

import ibis
import numpy as np
import pandas as pd
import pytest

from cxkit import importance
from cxkit.errors import UsageError
from cxkit.stages import GOAL

TYPES = {"customer_id": "string", "session": "string", "occurred_at": "timestamp", "touchpoint": "string"}
TYPES |= {"timed": "boolean"}
END = datetime(2026, 7, 1)


def steps(*rows: tuple) -> pd.DataFrame:
    """Steps (from, to, count); None is the begin or the end."""
    return pd.DataFrame(rows, columns=["origin", "follows", "count"]).assign(position=1)


def chance(rows: pd.DataFrame, *, without: str | None = None) -> float:
    """The chance of the goal, by walking the chain a thousand steps; who steps to `without` is gone."""
    share = rows["count"] / rows.groupby("origin", dropna=False)["count"].transform("sum")
    here, won = {None: 1.0}, 0.0
    for _ in range(1000):
        after: dict = {}
        for origin, follows, p in zip(rows["origin"], rows["follows"], share, strict=True):
            mass = here.get(None if pd.isna(origin) else origin, 0.0) * p
            if follows == GOAL:
                won += mass
            elif pd.notna(follows) and follows != without:
                after[follows] = after.get(follows, 0.0) + mass
        here = after
    return won


CHAIN = steps(
    (None, "home", 60), (None, "product", 40), ("home", "product", 30), ("home", "help", 10), ("home", None, 24),
    ("help", "home", 4), ("help", None, 6), ("product", "product", 20), ("product", GOAL, 25), ("product", None, 45),
)  # fmt: skip


def test_removal_by_hand():
    """Two ways to the goal: 30 of 100 visits by a, 10 by b, both certain. Without a three quarters are lost."""
    rows = steps((None, "a", 30), (None, "b", 10), (None, "c", 60), ("a", GOAL, 30), ("b", GOAL, 10), ("c", None, 60))
    frame = importance.removal_effects(rows, seed=1, draws=200)
    assert frame.set_index("touchpoint")["value"].to_dict() == pytest.approx({"a": 0.75, "b": 0.25, "c": 0.0})
    assert list(frame["touchpoint"]) == ["a", "b", "c"]
    assert (frame["n"] == 100).all()
    a = frame.iloc[0]
    # the share of a among visits that reach the goal, of which there are 40
    assert a["high"] - a["low"] == pytest.approx(2 * 1.96 * np.sqrt(0.75 * 0.25 / 40), rel=0.3)
    assert a["low"] < 0.75 < a["high"]


def test_removal_is_what_walking_without_it_loses():
    frame = importance.removal_effects(CHAIN, seed=1, draws=50).set_index("touchpoint")
    whole = chance(CHAIN)
    for name in ("home", "product", "help"):
        assert frame.loc[name, "value"] == pytest.approx(1 - chance(CHAIN, without=name) / whole, abs=1e-6)
    assert frame.loc["product", ["value", "low", "high"]].tolist() == pytest.approx([1, 1, 1])


def test_what_follows_the_goal_does_not_count():
    more = pd.concat([CHAIN, steps((GOAL, "home", 5), (GOAL, None, 20))], ignore_index=True)
    pd.testing.assert_frame_equal(
        importance.removal_effects(more, seed=1, draws=20), importance.removal_effects(CHAIN, seed=1, draws=20)
    )


def test_positions_and_order_of_rows_do_not_matter():
    apart = pd.concat(
        [CHAIN.assign(count=CHAIN["count"] // 2), CHAIN.assign(count=CHAIN["count"] - CHAIN["count"] // 2)]
    )
    pd.testing.assert_frame_equal(
        importance.removal_effects(apart.sample(frac=1, random_state=1), seed=1, draws=20),
        importance.removal_effects(CHAIN, seed=1, draws=20),
    )


def test_no_goal_gives_no_effects():
    frame = importance.removal_effects(steps((None, "a", 3), ("a", None, 3)), seed=1)
    assert len(frame) == 0
    assert list(frame.columns[:4]) == ["touchpoint", "value", "low", "high"]
    assert len(importance.removal_effects(steps(), seed=1)) == 0


def test_many_touchpoints_are_pooled_and_a_loop_does_not_trap():
    rows = [(None, f"t{i}", 1 + i) for i in range(80)] + [(f"t{i}", GOAL, 1 + i) for i in range(79)]
    rows += [("t79", "t79", 100), ("t79", None, 80)]
    frame = importance.removal_effects(steps(*rows), seed=1, draws=20, most=5)
    assert len(frame) == 5
    assert frame["touchpoint"].isin([f"t{i}" for i in range(75, 80)]).all()
    assert np.isfinite(frame[["value", "low", "high"]]).all(axis=None)


def log(rows: list[tuple]) -> ibis.Table:
    """Rows (customer, visit, day of the year 2026, touchpoint)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "session", "occurred_at", "touchpoint"])
    frame["occurred_at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["occurred_at"], unit="D").dt.floor("s")
    frame = frame.astype({"customer_id": object, "session": object})
    return ibis.memtable(frame.where(frame.notna(), None).assign(timed=True), schema=TYPES)


def test_repeat_moments_by_hand():
    rows = [
        ("anna", None, 10, GOAL), ("anna", None, 100, GOAL),  # the moment is 2 April, day 91
        ("bohdan", None, 20, GOAL), ("celina", None, 95, GOAL), ("dmytro", None, 20, "home"), (None, "v", 30, GOAL),
        ("eva", None, 5, GOAL), ("eva", None, 300, GOAL),  # after the end of the data
    ]  # fmt: skip
    frame = importance.repeat_moments(log(rows), until=END, after_days=90).to_pandas().set_index("customer_id")
    assert frame["result"].to_dict() == {"anna": 100.0, "bohdan": 0.0, "eva": 0.0}
    assert set(frame["moment"]) == {pd.Timestamp("2026-04-02")}


def shop(seed: int, *, effect: float = 0.0, customers: int = 600) -> ibis.Table:
    """Everybody orders once; frequent visitors order again oftener and meet `advice` oftener, which adds `effect`."""
    rng = np.random.default_rng([3, seed])
    rows = []
    for c in range(customers):
        name, many = f"c{c:04d}", rng.random() < 0.5
        rows.append((name, f"{name}-0", rng.uniform(0, 0.9), GOAL))
        for visit in range(1, 6 if many else 2):
            rows.append((name, f"{name}-{visit}", rng.uniform(1, 90), "home"))
        met = rng.random() < (0.7 if many else 0.2)
        if met:
            rows.append((name, f"{name}-1", rng.uniform(1, 90), "advice"))
        if rng.random() < (0.6 if many else 0.2) + effect * met:
            rows.append((name, None, rng.uniform(95, 180), GOAL))
    return log(rows)


def differences(table: ibis.Table, **settings: object) -> pd.DataFrame:
    moments = [importance.repeat_moments(table, until=END)]
    return importance.met_differences(moments, table, **{"seed": 1, "draws": 200} | settings)


def test_those_alike_are_compared():
    """Who met advice orders again far oftener, but only because frequent visitors do both."""
    found = differences(shop(1)).set_index("touchpoint")
    row = found.loc["advice"]
    assert row["reading"] == "no difference told apart"
    assert abs(row["value"]) < 12
    planted = differences(shop(1, effect=0.3)).set_index("touchpoint").loc["advice"]
    assert planted["reading"] == "higher where met"
    assert planted["low"] < 30 < planted["high"]
    assert planted["met"] + planted["not_met"] == planted["n"]
    assert "no experiment" in planted["method"]


def test_the_stratified_difference_by_hand():
    rows = []
    for c in range(100):  # one stratum: one order long ago, one visit; a quarter met advice
        name = f"c{c:03d}"
        rows += [(name, None, 0.5, GOAL), (name, f"v{c}", 50, "home")]
        if c < 25:
            rows.append((name, f"v{c}", 51, "advice"))
        if c < 10 or c >= 85:
            rows.append((name, None, 120, GOAL))
    row = differences(log(rows)).set_index("touchpoint").loc["advice"]
    assert row["value"] == pytest.approx(100 * (10 / 25 - 15 / 75))
    assert (row["met"], row["not_met"], row["strata"]) == (25, 75, 1)
    error = 100 * np.sqrt(0.4 * 0.6 / 25 + 0.2 * 0.8 / 75)
    assert row["error"] == pytest.approx(error, rel=0.2)


def test_too_few_are_not_compared():
    rows = [(f"c{c:03d}", f"v{c}", 50, "home") for c in range(60)] + [(f"c{c:03d}", None, 1, GOAL) for c in range(60)]
    rows += [(f"c{c:03d}", f"v{c}", 51, "advice") for c in range(19)]
    row = differences(log(rows)).set_index("touchpoint").loc["advice"]
    assert np.isnan(row["value"])
    assert row["reading"] == "too few alike to compare"
    assert (row["met"], row["not_met"]) == (19, 41)


def test_nps_and_repeat_are_one_family_and_a_touch_after_the_answer_is_none():
    table = shop(2)
    rng = np.random.default_rng(5)
    day = pd.Timestamp("2026-01-01")
    answers = pd.DataFrame({"customer_id": [f"c{c:04d}" for c in range(300)]}).assign(
        metric="nps", score=rng.integers(0, 11, 300).astype(float), answered_at=day + pd.Timedelta(days=100)
    )
    early = answers.assign(answered_at=day + pd.Timedelta(hours=23))
    types = {"customer_id": "string", "metric": "string", "score": "float64", "answered_at": "timestamp"}
    moments = [
        importance.repeat_moments(table, until=END),
        importance.nps_moments(ibis.memtable(answers, schema=types)),
    ]
    both = importance.met_differences(moments, table, seed=1, draws=100)
    assert set(both["outcome"]) == {"NPS", "ordered again"}
    alone = importance.met_differences(moments[:1], table, seed=1, draws=100)
    assert both.loc[both["outcome"] == "ordered again", "level"].max() > alone["level"].max()
    # nobody had met anything but the order by then
    assert (
        len(importance.met_differences([importance.nps_moments(ibis.memtable(early, schema=types))], table, seed=1))
        == 0
    )


def test_same_seed_same_numbers_whatever_the_order_of_rows():
    table = shop(3, customers=300)
    shuffled = ibis.memtable(table.to_pandas().sample(frac=1, random_state=2), schema=table.schema())
    pd.testing.assert_frame_equal(differences(table), differences(shuffled))
    assert differences(table)["error"].tolist() != differences(table, seed=2)["error"].tolist()


def test_moments_are_needed():
    with pytest.raises(UsageError, match="needs moments; found none"):
        importance.met_differences([], log([]), seed=1)
