"""Counts of steps by hand, on seven-row logs and on a real click-stream."""

from collections import Counter

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_touches import frame, random_touches, table, touches
from hypothesis import given, settings
from hypothesis import strategies as st
from real_clients import shared_data

from cxkit import paths
from cxkit.errors import DataError, UsageError
from cxkit.estimates import wilson
from cxkit.steps import journey_order, touchpoint_stages
from cxkit.style import theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SEVEN = [
    ("anna", "s1", "10:00", "home"),
    ("anna", "s1", "10:01", "product"),
    ("anna", "s1", "10:02", "product"),
    ("anna", "s1", "10:03", "cart"),
    ("anna", "s2", "12:00", "product"),
    ("session s3", "s3", "10:00", "home"),
    ("session s3", "s3", "10:05", "product"),
]


def told(counts) -> dict:
    """Counts as {(origin, follows, position): count}."""
    return {
        (r.origin, r.follows, r.position): r.count_ for r in counts.rename(columns={"count": "count_"}).itertuples()
    }


def by_hand(log: pd.DataFrame, *, gap_minutes=None, positions=10, rank=()) -> dict:
    """The same counts, walked touch by touch."""
    log = log[log["timed"].astype(bool) & log["touchpoint"].notna() & log["occurred_at"].notna()]
    place = {name: number for number, name in enumerate(rank)}
    found = Counter()
    for _, rows in log.groupby("session" if gap_minutes is None else "visitor"):
        ordered = sorted(
            zip(rows["occurred_at"], rows["touchpoint"], strict=True),
            key=lambda touch: (touch[0], place.get(touch[1], len(place)), touch[1]),
        )
        visits, last = [], None
        for at, name in ordered:
            if last is None or (gap_minutes is not None and at - last > pd.Timedelta(minutes=gap_minutes)):
                visits.append([])
            visits[-1].append(name)
            last = at
        for visit in visits:
            for position, (origin, follows) in enumerate(zip([None, *visit], [*visit, None], strict=True), start=1):
                found[origin, follows, position if position <= positions else 0] += 1
    return dict(found)


def test_seven_rows_by_eye():
    counts = paths.path_counts(touches(SEVEN))
    assert list(counts) == ["origin", "follows", "position", "count"]
    assert told(counts) == {
        (None, "home", 1): 2,
        (None, "product", 1): 1,
        ("home", "product", 2): 2,
        ("product", None, 2): 1,  # s2
        ("product", "product", 3): 1,
        ("product", None, 3): 1,  # s3
        ("product", "cart", 4): 1,
        ("cart", None, 5): 1,
    }
    assert paths.visits_counted(counts) == 3


def test_positions_beyond_the_last_are_counted_together():
    log = touches(SEVEN)
    assert told(paths.path_counts(log, positions=2)) == {
        (None, "home", 1): 2,
        (None, "product", 1): 1,
        ("home", "product", 2): 2,
        ("product", None, 2): 1,
        ("product", "product", 0): 1,
        ("product", None, 0): 1,
        ("product", "cart", 0): 1,
        ("cart", None, 0): 1,
    }
    one = paths.path_counts(log, positions=1)
    assert one["count"].sum() == 10
    assert paths.visits_counted(one) == 3
    assert set(one["position"]) == {0, 1}
    assert [paths.path_counts(log, positions=p, gap_minutes=30)["count"].sum() for p in (1, 2, 10)] == [10, 10, 10]


def test_a_gap_of_exactly_thirty_minutes_is_none():
    rows = [
        ("anna", None, "10:00:00", "home"),
        ("anna", None, "10:30:00", "product"),  # 30 minutes: the same visit
        ("anna", None, "11:00:00.000001", "cart"),  # a microsecond more: another
        ("anna", None, "11:30:00", "cart"),  # a microsecond less: the same
        ("bohdan", None, "11:30:00", "home"),
        ("anna", None, "2026-03-02 10:00", "home"),
        ("session x", "x", "2026-03-02 10:00", "home"),
    ]
    assert told(paths.path_counts(touches(rows), gap_minutes=30)) == {
        (None, "home", 1): 4,
        (None, "cart", 1): 1,
        ("home", "product", 2): 1,
        ("home", None, 2): 3,
        ("cart", "cart", 2): 1,
        ("product", None, 3): 1,
        ("cart", None, 3): 1,
    }
    wider = paths.path_counts(touches(rows), gap_minutes=30.5)
    assert ("product", "cart", 3) in told(wider)
    for minute in (29.9999999, 30):  # the gap is rounded to a microsecond, and held exactly
        two = touches([("a", None, "10:00", "zebra"), ("a", None, "10:30", "ape")])
        assert paths.visits_counted(paths.path_counts(two, gap_minutes=minute)) == (1 if minute == 30 else 2)


def test_touches_at_one_time_stand_in_the_order_of_the_journey():
    rows = [
        ("anna", "s1", "10:00", "product", "comparison"),
        ("anna", "s1", "10:00", "home", "need"),
        ("anna", "s1", "10:00", "advice", "comparison"),
        ("anna", "s1", "10:00", "unmapped"),
        ("anna", "s1", "10:00", "home", "need"),
    ]
    log = touches(rows)
    found = touchpoint_stages(log)
    assert found.astype(object).where(found.notna(), None).to_dict("list") == {
        "touchpoint": ["home", "advice", "product", "unmapped"],
        "stage": ["need", "comparison", "comparison", None],
        "touches": [2, 1, 1, 1],
    }
    order = journey_order(found, stages=["need", "comparison"])
    assert order == ["home", "advice", "product", "unmapped"]
    counts = paths.path_counts(log, order=order)
    assert [(r.origin, r.follows) for r in counts.itertuples()] == [
        (None, "home"), ("home", "home"), ("home", "advice"), ("advice", "product"), ("product", "unmapped"),
        ("unmapped", None),
    ]  # fmt: skip
    by_name = paths.path_counts(log)
    assert [r.follows for r in by_name.itertuples()] == ["advice", "home", "home", "product", "unmapped", None]


def test_what_has_no_place_in_a_visit_is_left_out():
    rows = [
        *SEVEN,
        ("anna", None, "10:02:30", "support"),  # no visit
        ("anna", "s1", "10:02:30", None),
        ("anna", "s1", None, "support"),
        ("anna", "s1", "10:02:30", "return"),
        (None, None, "10:02:30", "home"),
    ]
    log = touches(rows, timed=[True] * 10 + [False, True])
    assert told(paths.path_counts(log)) == told(paths.path_counts(touches(SEVEN)))
    by_gap = told(paths.path_counts(log, gap_minutes=30))
    assert ("product", "support", 4) in by_gap, "a touch of no visit counts where gaps make the visits"
    assert not any("return" in key for key in by_gap)


def test_nothing_gives_nothing():
    empty = touches([])
    counts = paths.path_counts(empty)
    assert counts.empty
    assert list(counts) == ["origin", "follows", "position", "count"]
    assert paths.path_counts(empty, gap_minutes=30).empty
    assert paths.visits_counted(counts) == 0
    assert paths.transitions(counts).empty
    assert paths.step_matrix(counts).empty
    assert paths.transition_gaps(empty).empty
    with plt.rc_context(theme()):
        ax = paths.plot_step_matrix(paths.step_matrix(counts))
    assert "nothing to show yet" in [t.get_text() for t in ax.texts]
    assert "no visits" in paths.describe_steps(paths.step_matrix(counts))


def test_one_touch_alone():
    counts = paths.path_counts(touches(SEVEN[:1]))
    assert told(counts) == {(None, "home", 1): 1, ("home", None, 2): 1}
    matrix = paths.step_matrix(counts)
    assert matrix["touchpoint"].tolist() == ["home", paths.ENDED]
    assert matrix["count"].tolist() == [1, 0]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120), st.sampled_from([None, 5, 30]), st.integers(1, 12))
def test_counts_are_those_of_a_walk(seed, rows, gap, positions):
    rng = np.random.default_rng(seed)
    log = random_touches(rng, rows, visitors=1 + rows // 12)
    shuffled = log.sample(frac=1, random_state=seed).reset_index(drop=True)
    rank = ["d", "a"]
    options = {"gap_minutes": gap, "positions": positions, "order": rank}
    counts = paths.path_counts(table(log), **options)
    assert told(counts) == by_hand(log, gap_minutes=gap, positions=positions, rank=rank)
    pd.testing.assert_frame_equal(counts, paths.path_counts(table(shuffled), **options))
    enters = counts.groupby("follows")["count"].sum()
    leaves = counts.groupby("origin")["count"].sum()
    assert enters.to_dict() == leaves.to_dict(), "what enters a touchpoint leaves it or ends there"
    matrix = paths.step_matrix(counts)
    assert (matrix.groupby("position")["count"].sum() == paths.visits_counted(counts)).all()
    moves = paths.transitions(counts)
    assert moves["count"].sum() == counts["count"].sum()
    np.testing.assert_allclose(moves.groupby("origin")["share_of_origin"].sum(), 1)
    gaps = paths.transition_gaps(table(shuffled), gap_minutes=gap, order=rank)
    between = counts[counts["origin"].notna() & counts["follows"].notna()]
    assert gaps.set_index(["origin", "follows"])["count"].to_dict() == (
        between.groupby(["origin", "follows"])["count"].sum().to_dict()
    )


def test_transitions_have_shares_with_intervals():
    moves = paths.transitions(paths.path_counts(touches(SEVEN)))
    assert [(r.origin, r.follows, r[3], r.n) for r in moves.itertuples()] == [
        ("(begins)", "home", 2, 3), ("(begins)", "product", 1, 3),
        ("cart", "(leaves)", 1, 1),
        ("home", "product", 2, 2),
        ("product", "(leaves)", 2, 4), ("product", "cart", 1, 4), ("product", "product", 1, 4),
    ]  # fmt: skip
    row = moves[(moves["origin"] == "product") & (moves["follows"] == "cart")].iloc[0]
    expected = wilson(1, 4)
    assert (row["share_of_origin"], row["low"], row["high"]) == (0.25, expected.low, expected.high)


def test_gaps_by_eye():
    rows = [
        *((f"v{i}", f"s{i}", "10:00", "home") for i in range(4)),
        ("v0", "s0", "10:00:10", "product"), ("v1", "s1", "10:00:20", "product"),
        ("v2", "s2", "10:00:30", "product"), ("v3", "s3", "10:00:40.5", "product"),
        ("v3", "s3", "10:00:40.5", "zoom"),
    ]  # fmt: skip
    gaps = paths.transition_gaps(touches(rows))
    assert gaps.to_dict("list") == {
        "origin": ["home", "product"], "follows": ["product", "zoom"], "count": [4, 1],
        "q25_seconds": [17.5, 0.0], "median_seconds": [25.0, 0.0], "q75_seconds": [32.625, 0.0],
    }  # fmt: skip


def test_the_step_matrix_by_eye():
    matrix = paths.step_matrix(paths.path_counts(touches(SEVEN)), order=["home", "cart"])
    wide = matrix.pivot(index="touchpoint", columns="position", values="count")
    assert matrix["touchpoint"].drop_duplicates().tolist() == ["home", "cart", "product", paths.ENDED]
    assert wide.loc["home"].tolist() == [2, 0, 0, 0]
    assert wide.loc["product"].tolist() == [1, 2, 1, 0]
    assert wide.loc["cart"].tolist() == [0, 0, 0, 1]
    assert wide.loc[paths.ENDED].tolist() == [0, 1, 2, 2]
    assert matrix["share"].iloc[0] == 2 / 3
    without = paths.step_matrix(paths.path_counts(touches(SEVEN)))
    assert without["touchpoint"].drop_duplicates().tolist() == ["product", "home", "cart", paths.ENDED]


def test_settings_that_make_no_sense_are_refused():
    log = touches(SEVEN)
    with pytest.raises(UsageError, match="positions lies between 1 and 100; found 0"):
        paths.path_counts(log, positions=0)
    with pytest.raises(UsageError, match="gap_minutes must be above 0; found 0"):
        paths.path_counts(log, gap_minutes=0)


def test_too_many_touchpoints_are_refused_and_the_most_that_fit_are_counted():
    rows = [("v", "s", pd.Timestamp("2026-03-01") + pd.Timedelta(seconds=i), f"t{i:04d}") for i in range(2049)]
    with pytest.raises(DataError, match=r"the log has 2,049 touchpoints; .* at most 2,048\. Group them first"):
        paths.path_counts(touches(rows))
    counts = paths.path_counts(touches(rows[:2048]))
    assert counts["count"].sum() == 2049
    assert counts.loc[counts["position"] == 10, "follows"].tolist() == ["t0009"]


def test_times_that_do_not_fit_are_refused():
    rows = [("v", "s", "2026-03-01 10:00", f"t{i}") for i in range(2048)]
    with pytest.raises(DataError, match=r"run from 2026-03-01 to 9026-03-01; with 2,048 touchpoints they must lie"):
        paths.path_counts(table(frame([*rows, ("v", "s", "9026-03-01 10:00", "t0")])))
    old = touches([("v", "s", "1969-12-31 23:59", "home"), ("v", "s", "1970-01-01 00:01", "cart")])
    assert told(paths.path_counts(old, gap_minutes=30)) == told(paths.path_counts(old)) != {}


def test_the_real_click_stream_agrees_with_pandas():
    raw = pd.read_csv(shared_data() / "retentioneering_ecom/ecom.csv.gz", parse_dates=["timestamp"])
    named = zip(raw["user_id"], raw["session_id"], raw["timestamp"], raw["event"], strict=True)
    log = frame(list(named))
    counts = paths.path_counts(table(log))
    # sessions as the file has them, by hand: ties stand in the order of the names
    walked = log.sort_values(["session", "occurred_at", "touchpoint"])
    follows = walked.groupby("session")["touchpoint"].shift(-1)
    expected = walked.assign(follows=follows.fillna("(leaves)")).groupby(["touchpoint", "follows"]).size()
    moves = paths.transitions(counts)
    own = moves[moves["origin"] != paths.BEGINS].set_index(["origin", "follows"])["count"]
    assert own.to_dict() == expected.to_dict()
    assert paths.visits_counted(counts) == raw["session_id"].nunique()
    step = walked.groupby("session").cumcount() + 1
    at = walked[step <= 10].groupby(["touchpoint", step[step <= 10]]).size()
    matrix = paths.step_matrix(counts)
    seen = matrix[(matrix["touchpoint"] != paths.ENDED) & (matrix["count"] > 0)]
    assert seen.set_index(["touchpoint", "position"])["count"].to_dict() == at.to_dict()
    # sessions by a gap of 30 minutes, by hand
    walked = log.sort_values(["visitor", "occurred_at", "touchpoint"])
    gap = walked.groupby("visitor")["occurred_at"].diff()
    number = (gap.isna() | (gap > pd.Timedelta(minutes=30))).cumsum()
    follows = walked.groupby(number)["touchpoint"].shift(-1)
    expected = walked.assign(follows=follows.fillna("(leaves)")).groupby(["touchpoint", "follows"]).size()
    moves = paths.transitions(paths.path_counts(table(log), gap_minutes=30))
    own = moves[moves["origin"] != paths.BEGINS].set_index(["origin", "follows"])["count"]
    assert own.to_dict() == expected.to_dict()
    assert moves.loc[moves["origin"] == paths.BEGINS, "count"].sum() == number.max()


def many(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [f"Сторінка оформлення замовлення $x^{i}$ <b>" for i in range(count)]
    return random_touches(rng, 2000, visitors=200, names=names)


def test_the_picture_of_many_touchpoints_tells_how_many_it_groups():
    matrix = paths.step_matrix(paths.path_counts(table(many(40))))
    shown = paths.shown_steps(matrix, most=15)
    names = list(dict.fromkeys(shown["touchpoint"]))
    assert len(names) == 16
    assert names[-2:] == ["others (27)", paths.ENDED]
    assert (shown.groupby("position")["count"].sum() == matrix.groupby("position")["count"].sum()).all()
    with plt.rc_context(theme()):
        ax = paths.plot_step_matrix(matrix)
        ax.figure.draw_without_rendering()
    assert all(label.get_text().count("$") == label.get_text().count(r"\$") for label in ax.get_yticklabels())
    plt.close("all")


def test_the_picture_carries_its_numbers_and_does_not_change_the_frame():
    matrix = paths.step_matrix(paths.path_counts(touches(SEVEN)))
    before = matrix.copy()
    with plt.rc_context(theme()):
        ax = paths.plot_step_matrix(matrix)
    texts = [t.get_text() for t in ax.texts]
    assert texts == ["33", "67", "33", "·", "67", "·", "·", "·", "·", "·", "·", "33", "·", "33", "67", "67"]
    pd.testing.assert_frame_equal(matrix, before)
    assert paths.describe_steps(matrix) == (
        "Heat map of 3 touchpoints by their position in the visit. Most visits begin at home (67 %); before touch 4, "
        "67 % have ended."
    )
    plt.close("all")
