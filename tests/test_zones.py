"""Touchpoints of the stages and zones of touchpoints, by eye."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hand_touches import random_touches, table, touches

from cxkit.errors import DataError
from cxkit.stages import GOAL, read_stages, touchpoint_map
from cxkit.zones import stage_touchpoints, zones

STAGES = read_stages()
END = datetime(2026, 6, 30)
HOSTILE = '<b onload="x">$x_1$</b>, {0}'
ROWS = [
    ("anna", "s1", "10:00", "home", "need"),
    ("anna", "s1", "10:01", "home", "need", "app"),
    ("anna", "s1", "10:02", "home", "need", "app"),
    ("anna", "s1", "10:03", "faq", "information"),
    ("bohdan", "s2", "10:00", "search", "information", None),
    ("session s3", "s3", "10:00", "search", "information"),
    ("session s4", "s4", "10:00", "faq", "information"),
    ("session s5", "s5", "10:00", "faq", "information"),
    ("celina", None, "10:00", GOAL, "payment", "phone"),
    ("celina", "s6", "10:00", "odd page", None),
]


def test_touchpoints_of_stages_by_eye():
    found = stage_touchpoints(touches(ROWS), stages=STAGES, until=END)
    assert found.to_dict("split")["data"] == [
        [1, "need", "home", 1, 0, 3, "app, web"],
        [2, "information", "faq", 1, 2, 3, "web"],
        [2, "information", "search", 1, 1, 2, "web"],
        [5, "payment", GOAL, 1, 0, 1, "phone"],
    ]
    assert list(found.columns) == [
        "position", "stage", "touchpoint", "customers", "unknown_sessions", "touches", "channels",
    ]  # fmt: skip


def test_the_end_and_the_clients_own_stages():
    at = datetime(2026, 3, 1, 10, 0, 30)
    own = pd.DataFrame({"stage": ["payment", "need"], "name": ["P", "N"], "path": ["main", "main"]})
    found = stage_touchpoints(touches(ROWS), stages=own, until=at)
    assert found[["position", "stage", "touches"]].to_numpy().tolist() == [[1, "payment", 1], [2, "need", 1]]
    exact = stage_touchpoints(touches(ROWS), stages=own, until=datetime(2026, 3, 1, 10, 1, tzinfo=UTC))
    assert exact["touches"].to_list() == [1, 2]  # the end's own instant is in


def test_no_touches_at_all():
    found = stage_touchpoints(touches([]), stages=STAGES, until=END)
    assert found.empty
    assert found["customers"].dtype == found["position"].dtype == "int64"
    none = zones(touches([]), sheet(("faq", "site")))
    assert none[["zone", "holds", "touchpoints", "customers", "touches"]].to_numpy().tolist() == [
        ["site", 1, "faq", 0, 0]
    ]  # fmt: skip


def sheet(*rows: tuple[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["touchpoint", "parent"]).astype(object)


def test_zones_hold_zones():
    found = zones(
        touches(ROWS),
        sheet(
            ("faq", "help"), ("help", "site"), ("search", "site"), ("home", None), (GOAL, "phone line"), ("x", "empty")
        ),
    )
    assert list(found.columns) == [
        "zone", "parent", "holds", "touchpoints", "customers", "unknown_sessions", "touches",
    ]  # fmt: skip
    assert found.to_numpy().tolist() == [
        ["site", None, 3, "faq, help, search", 2, 3, 5],
        ["help", "site", 1, "faq", 1, 2, 3],
        ["phone line", None, 1, GOAL, 1, 0, 1],
        ["empty", None, 1, "x", 0, 0, 0],
    ]


def test_a_zone_that_is_met_itself_counts_its_own_touches():
    found = zones(touches(ROWS), sheet(("faq", "search")))
    assert found[["zone", "holds", "customers", "unknown_sessions", "touches"]].to_numpy().tolist() == [
        ["search", 1, 2, 3, 5]
    ]  # fmt: skip


def test_spellings_are_one_and_the_order_has_the_logs_name():
    """As `stages.touchpoint_map` hands it over: the sheet's own spelling, and what the log calls it."""
    rows = pd.DataFrame(
        [("Home", "need", "Web site"), ("Thank-you page", "payment", "web_site"), ("Odd Page", "need", "WEB SITE")],
        columns=["touchpoint", "stage", "parent"],
    )
    found = zones(touches(ROWS), touchpoint_map(sheet=rows))
    assert found.drop(columns="parent").to_numpy().tolist() == [
        ["WEB SITE", 3, "Home, Odd Page, Thank-you page", 2, 0, 5]
    ]  # fmt: skip


def test_without_zones_there_is_none():
    for given in (sheet(("faq", None)), sheet(("faq", "")), sheet(("faq", " ")), sheet(), touchpoint_map()):
        found = zones(touches(ROWS), given)
        assert found.empty
        assert list(found.columns)[:2] == ["zone", "parent"]


@pytest.mark.parametrize("rows", [[("a", "a")], [("a", "A ")], [("a", "b"), ("b", "c"), ("c", "a")]])
def test_a_zone_within_itself_is_refused(rows):
    with pytest.raises(DataError, match=r"lies within itself\. Mend `parent`"):
        zones(touches(ROWS), sheet(*rows))


def test_long_and_hostile_names():
    rows = [("anna", "s", "10:00", "x" * 300, "need", HOSTILE), ("anna", "s", "10:00", HOSTILE, "need")]
    points = stage_touchpoints(touches(rows), stages=STAGES, until=END)
    assert points["touchpoint"].to_list() == [HOSTILE, "x" * 300]
    assert points["channels"].to_list() == ["web", HOSTILE]
    found = zones(touches(rows), sheet(("x" * 300, HOSTILE)))
    assert found[["zone", "customers", "touches"]].to_numpy().tolist() == [[HOSTILE, 1, 2]]


def test_rows_in_any_order_give_the_same():
    log = random_touches(np.random.default_rng(3), 300)
    given = sheet(("a", "z"), ("b", "z"), ("z", "y"), ("c", "y"))
    one, other = table(log), table(log.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(
        stage_touchpoints(one, stages=STAGES, until=END), stage_touchpoints(other, stages=STAGES, until=END)
    )
    pd.testing.assert_frame_equal(zones(one, given), zones(other, given.sample(frac=1, random_state=2)))
    reached = log[log["touchpoint"].isin(["a", "b"])]
    found = zones(one, given).set_index("zone")
    assert found.loc["z", "customers"] == reached["customer_id"].nunique()
    assert found.loc["z", "unknown_sessions"] == reached.loc[reached["customer_id"].isna(), "visitor"].nunique()
    assert found.loc["y", "touches"] >= found.loc["z", "touches"] == len(reached)
