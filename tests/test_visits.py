"""Whole visits by hand: variants, loops, ways in, last touches, channels."""

from collections import Counter
from itertools import pairwise

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_touches import frame, random_touches, table, touches
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import visits
from cxkit.errors import UsageError
from cxkit.estimates import wilson
from cxkit.style import theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt

MAIN = ["need", "information", "comparison", "choice", "payment"]
STAGE = {
    "home": "need", "search": "information", "product": "comparison", "cart": "choice", "order_placed": "payment",
    "support": "support",
}  # fmt: skip


def walk(visitor: str, session: str, *names: str, channel: str = "web", at: str = "2026-03-01 10:00") -> list[tuple]:
    """One visit, a minute a touch."""
    begin = pd.Timestamp(at)
    return [
        (visitor, session, begin + pd.Timedelta(minutes=i), name, STAGE.get(name), channel)
        for i, name in enumerate(names)
    ]


def many(times: int, *names: str, first: int = 0, **options: str) -> list[tuple]:
    """The same visit by several people."""
    return [row for i in range(first, first + times) for row in walk(f"v{i}", f"s{i}", *names, **options)]


def test_variants_by_eye():
    rows = [
        *many(6, "home", "home", "product", "product", "home"),  # a touchpoint several times in a row stands once
        *many(5, "product", "order_placed", first=10),
        *many(4, "cart", first=20),  # under five people
        *walk("v0", "again", "product", "order_placed"),
        ("v0", None, "10:00", "support", "support", "chat"),  # no visit
    ]
    found = visits.variants(touches(rows))
    assert found.drop(columns=["low", "high"]).to_dict("list") == {
        "variant": ["product → order_placed", "home → product → home"],
        "steps": [2, 3], "visits": [6, 6], "visitors": [6, 6], "value": [6 / 16, 6 / 16], "n": [16, 16],
        "ordered": [True, False],
    }  # fmt: skip
    assert (found["low"].iloc[0], found["high"].iloc[0]) == (wilson(6, 16).low, wilson(6, 16).high)
    assert len(visits.variants(touches(rows), most=1)) == 1


def test_long_visits_that_begin_alike_are_one_variant():
    names = [f"t{i:02d}" for i in range(40)]
    rows = [*many(3, *names), *many(3, *names[:35], first=10), *many(5, *names[:30], first=20)]
    found = visits.variants(touches(rows))
    assert found["visits"].tolist() == [6, 5]
    assert found["steps"].tolist() == [30, 30]
    assert found["variant"].iloc[0].endswith("t29 → …")
    assert found["variant"].iloc[1].endswith("t29")


def test_loops_by_eye():
    rows = [
        *walk("a", "s1", "home", "product", "home"),  # back
        *walk("b", "s2", "product", "support", "search", "product", "search"),  # back twice; what lies aside hides none
        *walk("c", "s3", "product", "product", "product", "product", "home"),  # one row of four; back
        *walk("d", "s4", "product", "product", "product", "cart", "product", "product", "product"),  # two rows; back
        *walk("e", "s5", "product", "product", "cart", "support", "unmapped"),  # neither
        *walk("f", "s6", "support", "home"),  # from aside: no step back
    ]
    found = visits.loops(touches(rows), stages=MAIN)
    cells = found[["kind", "origin", "follows", "times", "visits"]].itertuples(index=False, name=None)
    assert list(cells) == [
        (visits.BACK, "(any)", "(any)", 5, 4),
        (visits.BACK, "product", "home", 2, 2),
        (visits.BACK, "cart", "product", 1, 1),
        (visits.BACK, "product", "search", 2, 1),
        (visits.AGAIN, "(any)", "(any)", 3, 2),
        (visits.AGAIN, "product", "product", 3, 2),
    ]
    assert found["n"].tolist() == [6] * 6
    expected = wilson(4, 6)
    assert tuple(found[["value", "low", "high"]].iloc[0]) == (expected.value, expected.low, expected.high)


def test_ways_in_by_eye():
    rows = [
        *many(6, "home", "product"), *many(6, "home", "cart", "order_placed", first=10), *many(2, "home", first=20),
        *many(5, "search", "product", first=30, channel="app"),
        *many(1, "home", "order_placed", first=40, channel="kiosk"),
        *many(1, "home", "product", first=41, channel="store"),
    ]  # fmt: skip
    made = frame(rows)
    made["source"] = np.where(made["channel"] == "web", "email", None)
    made.loc[made["touchpoint"] == "product", "source"] = "other"  # the first touch counts
    found = visits.entry_channels(table(made))
    columns = ["source", "channel", "visits", "visitors", "ordered", "left", "left_at"]
    assert list(found[columns].itertuples(index=False, name=None)) == [
        ("email", "web", 14, 14, 6, 8, "product"),
        # the two small ones are two people, so the next smallest is counted with them
        ("(others)", "(others)", 7, 7, 1, 6, "product"),
    ]
    assert found["left_at_share"].tolist() == [6 / 8, 1.0]
    assert found["value"].tolist() == [6 / 14, 1 / 7]
    by_channel = visits.entry_channels(table(made), by=["channel"])
    assert by_channel["channel"].tolist() == ["web", "(others)"]
    unknown = visits.entry_channels(touches(many(5, "home")))
    assert unknown["source"].tolist() == [visits.NOT_KNOWN]
    with pytest.raises(UsageError, match=r"by names source, channel or both; found \['device'\]"):
        visits.entry_channels(table(made), by=["device"])


def test_everybody_ordered():
    found = visits.entry_channels(touches(many(5, "home", "order_placed")))
    assert found["left"].tolist() == [0]
    assert found["left_at"].tolist() == [None]
    assert found["left_at_share"].isna().all()
    lasts = visits.last_touches(touches(many(5, "home", "order_placed")))
    assert lasts["ended"].tolist() == [0, 0]
    with plt.rc_context(theme()):
        ax = visits.plot_last_touches(lasts)
    assert [t.get_text() for t in ax.texts] == ["no visit ended without an order"]
    assert visits.describe_last_touches(lasts).endswith("there are none.")
    plt.close("all")


def test_last_touches_by_eye():
    rows = [
        *walk("a", "s1", "home", "product"),
        *walk("b", "s2", "home", "product", "home", "product"),
        *walk("c", "s3", "home"),
        *walk("d", "s4", "product", "order_placed", "home"),  # with an order: lost nothing
        ("a", None, "12:00", "support", "support", "chat"),
    ]
    lasts = visits.last_touches(touches(rows))
    columns = ["touchpoint", "ended", "share_of_lost", "met", "value", "n"]
    assert list(lasts[columns].itertuples(index=False, name=None)) == [
        ("product", 2, 2 / 3, 3, 2 / 3, 3),
        ("home", 1, 1 / 3, 4, 1 / 4, 4),
        ("order_placed", 0, 0.0, 1, 0.0, 1),
    ]
    assert visits.describe_last_touches(lasts) == (
        "Bars of where visits without an order end. Most end at product (67 % of them). Of the visits that met "
        "product, 67 % ended there."
    )
    with plt.rc_context(theme()):
        ax = visits.plot_last_touches(lasts)
    assert [t.get_text() for t in ax.texts] == ["67 % of 3", "25 % of 4"]
    plt.close("all")


def test_channels_by_eye():
    rows = [
        *many(6, "home", "cart"),
        *many(5, "home", first=10), *many(5, "cart", first=10, channel="app"),
        *many(1, "home", first=20, channel="kiosk"), *many(4, "home", first=21, channel="app"),
        *[("session x", "x", "10:00", "home", "need", "store")],  # nobody known
        *[("v0", "s0", "10:00", "home", "need", None)],
    ]  # fmt: skip
    found = visits.channel_overlap(touches(rows))
    assert list(found[["channels", "customers", "n"]].itertuples(index=False, name=None)) == [
        ("web", 6, 16), ("web + app", 5, 16), ("(others)", 5, 16),
    ]  # fmt: skip
    assert found["used"].tolist()[:2] == [1, 2]
    assert visits.channel_overlap(touches(rows), most=1)["customers"].tolist() == [6, 10]
    pairs = visits.channel_pairs(touches(rows))
    assert list(pairs[["channel", "other", "customers", "n"]].itertuples(index=False, name=None)) == [
        ("web", "app", 5, 11), ("web", "kiosk", 0, 11), ("app", "web", 5, 9), ("app", "kiosk", 0, 9),
    ]  # fmt: skip


def test_channels_beyond_thirty_are_one():
    rows = [row for i in range(40) for row in many(6, "home", first=10 * i, channel=f"c{i:02d}")]
    rows += many(6, "home", first=390, channel="c39b")
    found = visits.channel_overlap(touches(rows), most=100)
    assert len(found) == 30
    assert found["channels"].iloc[0] == "(other channels)"
    assert found["customers"].sum() == 240


def test_nothing_gives_nothing():
    empty = touches([])
    for found in (
        visits.variants(empty), visits.entry_channels(empty), visits.last_touches(empty), visits.channel_overlap(empty),
        visits.channel_pairs(empty),
    ):  # fmt: skip
        assert found.empty
        assert "value" in found
    found = visits.loops(empty, stages=MAIN)
    assert found["visits"].tolist() == [0, 0]
    assert found["value"].isna().all()
    assert visits.loops(touches(many(2, "x", "y", "x")), stages=MAIN)["visits"].tolist() == [0, 0], "nothing is mapped"


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 300))
def test_whole_visits_are_those_of_a_walk(seed, rows):
    rng = np.random.default_rng(seed)
    log = random_touches(rng, rows, visitors=30)
    log["source"] = rng.choice(["email", "ad"], rows)
    shuffled = table(log.sample(frac=1, random_state=seed).reset_index(drop=True))
    ordered = log.sort_values(["session", "occurred_at", "touchpoint", "source", "channel"])
    walks = ordered.groupby("session")["touchpoint"].agg(list)
    collapsed = Counter(" → ".join(n for n, p in zip(w, [None, *w], strict=False) if n != p) for w in walks)
    for row in visits.variants(shuffled, most=100).itertuples():
        assert collapsed[row.variant] == row.visits
        assert row.n == len(walks)
    lasts = visits.last_touches(shuffled)
    lost = walks[[("order_placed" not in w) for w in walks]]
    assert lasts.loc[lasts["ended"] > 0].set_index("touchpoint")["ended"].to_dict() == Counter(w[-1] for w in lost)
    assert lasts.set_index("touchpoint")["met"].to_dict() == Counter(name for w in walks for name in set(w))
    ways = visits.entry_channels(shuffled)
    assert ways["visits"].sum() == len(walks)
    assert ways["left"].sum() == len(lost)
    first = ordered.groupby("session")[["source", "channel"]].first()
    told = Counter(first.itertuples(index=False, name=None))
    for row in ways.itertuples():
        assert row.source == "(others)" or told[row.source, row.channel] == row.visits
    rank = {name: i for i, name in enumerate(MAIN)}
    back = Counter()
    for _, visit in ordered.groupby("session"):
        main = [(n, rank[s]) for n, s in zip(visit["touchpoint"], visit["stage"], strict=True) if s in rank]
        back.update((a, b) for (a, i), (b, j) in pairwise(main) if j < i)
    found = visits.loops(shuffled, stages=MAIN)
    steps = found[(found["kind"] == visits.BACK) & (found["origin"] != "(any)")]
    assert steps.set_index(["origin", "follows"])["times"].to_dict() == back
    pd.testing.assert_frame_equal(found, visits.loops(table(log), stages=MAIN))
    pd.testing.assert_frame_equal(ways, visits.entry_channels(table(log)))
    pd.testing.assert_frame_equal(visits.channel_overlap(shuffled), visits.channel_overlap(table(log)))


def test_the_picture_of_long_names():
    rows = [row for i in range(20) for row in many(3, f"Сторінка оформлення замовлення $x^{i}$ <b>", first=10 * i)]
    lasts = visits.last_touches(touches(rows))
    before = lasts.copy()
    with plt.rc_context(theme()):
        ax = visits.plot_last_touches(lasts)
        ax.figure.draw_without_rendering()
    assert len(ax.get_yticklabels()) == 12
    pd.testing.assert_frame_equal(lasts, before)
    plt.close("all")
