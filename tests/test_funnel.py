import time
from datetime import UTC, date, datetime, timedelta

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_touches import frame, random_touches, table, touches
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxkit.entries import EVERYBODY, NOT_KNOWN
from cxkit.errors import UsageError
from cxkit.funnel import (
    NOBODY,
    SMALL,
    conversion,
    conversion_finding,
    describe_funnel,
    funnel,
    funnel_sentence,
    plot_funnel,
    step_name,
    window_words,
)
from cxkit.style import theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt

END = datetime(2026, 3, 15)
STEPS = ["product", "cart", "order_placed"]


@pytest.fixture(autouse=True)
def no_pictures_left():
    with plt.rc_context(theme()):
        yield
        plt.close("all")


def log(*rows, **columns):
    """Rows "who time touchpoint", such as "anna 10:00 product", all in one visit."""
    parts = [row.split(" ") for row in rows]
    return touches([(who, "1", at, what) for who, at, what in parts], **columns)


def reached(table, steps=STEPS, **options):
    options = {"until": END, "window_hours": 2} | options
    return funnel(table, steps=steps, **options)["reached"].to_list()


# --- seven rows by eye


def test_loose_lets_other_touches_lie_between_and_strict_does_not():
    seven = log(
        "anna 10:00 product", "anna 10:05 cart", "anna 10:09 order_placed",
        "bohdan 10:00 product", "bohdan 10:01 faq", "bohdan 10:02 cart", "bohdan 10:03 order_placed",
    )  # fmt: skip
    assert reached(seven) == [2, 2, 2]
    assert reached(seven, order="strict") == [2, 1, 1]


def test_the_numbers_of_one_funnel_by_hand():
    seven = log(
        "anna 10:00 product", "anna 10:05 cart", "anna 10:09 order_placed",
        "bohdan 10:00 product", "bohdan 10:02 cart",
        "celina 10:00 product",
        "dmytro 10:00 cart",
    )  # fmt: skip
    rows = funnel(seven, steps=STEPS, until=END, window_hours=2)
    assert rows["group"].to_list() == [EVERYBODY] * 3
    assert rows["touchpoint"].to_list() == STEPS
    assert rows["entered"].to_list() == [3, 3, 3]
    assert rows["reached"].to_list() == [3, 2, 1]  # dmytro never came to the product
    assert rows["dropped"].to_list() == [0, 1, 1]
    assert rows["n"].to_list() == [3, 3, 2]
    np.testing.assert_allclose(rows["value"], [np.nan, 2 / 3, 1 / 2])
    np.testing.assert_allclose(rows["share_of_entered"], [1, 2 / 3, 1 / 3])
    # Wilson for 1 of 2
    assert rows["low"].iloc[2] == pytest.approx(0.0945, abs=5e-5)
    assert rows["high"].iloc[2] == pytest.approx(0.9055, abs=5e-5)
    assert rows.loc[0, ["share_low", "share_high"]].to_list() == [1, 1]
    assert (rows["too_young"] == 0).all()
    assert set(rows["method"]) == {"Wilson"}


def test_a_step_before_the_entry_does_not_count_and_no_step_is_leapt_over():
    assert reached(log("a 09:00 cart", "a 10:00 product", "a 10:01 order_placed", "b 08:00 cart")) == [1, 0, 0]
    # what is done again later does
    assert reached(log("a 09:00 cart", "a 10:00 product", "a 10:01 cart", "a 10:02 order_placed")) == [1, 1, 1]


def test_a_repeated_touch_is_nothing_in_between():
    seven = log(
        "a 09:00 faq", "a 10:00 product", "a 10:01 product", "a 10:02 cart", "a 10:03 cart", "a 10:04 order_placed",
        "a 10:05 product",
    )  # fmt: skip
    assert reached(seven, order="strict") == [1, 1, 1]
    # but to go back is
    back = log("a 10:00 product", "a 10:01 cart", "a 10:02 product", "a 10:03 order_placed")
    assert reached(back, order="strict") == [1, 1, 0]
    assert reached(back) == [1, 1, 1]


def test_the_window_runs_from_the_entry_and_holds_its_last_microsecond():
    at = "2026-03-01 "
    rows = [
        ("in", "1", at + "10:00:00.000000", "product"), ("in", "1", at + "10:30:00", "cart"),
        ("in", "1", at + "12:00:00.000000", "order_placed"),
        ("out", "1", at + "10:00:00.000000", "product"), ("out", "1", at + "10:30:00", "cart"),
        ("out", "1", at + "12:00:00.000001", "order_placed"),
    ]  # fmt: skip
    for order in ("loose", "strict"):
        assert reached(touches(rows), order=order) == [2, 2, 1]
        assert reached(touches(rows), order=order, window_hours=2 + 1 / 3600) == [2, 2, 2]


def test_entries_whose_window_has_not_ended_are_left_out_wholly():
    seven = log(
        "old 10:00 product", "old 10:01 cart",
        "edge 11:00 product",
        "young 11:01 product", "young 11:02 cart", "young 11:03 order_placed",  # converted, and left out as well
        "late 13:30 product",  # after the end of the data
    )  # fmt: skip
    rows = funnel(seven, steps=STEPS, until=datetime(2026, 3, 1, 13), window_hours=2)
    assert rows["reached"].to_list() == [2, 1, 0]
    assert rows["too_young"].to_list() == [1, 1, 1]
    aware = datetime(2026, 3, 1, 14, tzinfo=UTC).astimezone(tz=None)
    assert reached(seven, until=aware) == [3, 2, 1]


def test_ties_come_in_the_order_of_the_steps_or_not_at_all():
    tied = log("a 10:00 product", "a 10:00 cart", "a 10:00 faq", "a 10:05 order_placed")
    assert reached(tied) == [1, 1, 1]
    assert reached(tied, ties="later") == [1, 0, 0]
    # strict: the other touch of that moment lies behind the steps, so before the order
    assert reached(tied, order="strict") == [1, 1, 0]
    assert reached(tied, order="strict", ties="later") == [1, 0, 0]
    # the same cart a minute later serves where ties do not
    assert reached(log("a 10:00 product", "a 10:00 cart", "a 10:01 cart", "a 10:05 order_placed"), ties="later") == [
        1, 1, 1,
    ]  # fmt: skip


def test_once_or_again():
    seven = log(
        "a 08:00 product",
        "a 08:01 product",  # a reload
        "a 09:59 product",  # within two hours of the one before: still the first entry
        "a 12:00 product", "a 12:01 cart",  # two hours and a minute later: a new one
        "a 15:00 product", "b 10:00 product",
    )  # fmt: skip
    steps = ["product", "cart"]
    assert reached(seven, steps) == [2, 0]
    rows = funnel(seven, steps=steps, until=END, window_hours=2, again=True)
    assert rows["reached"].to_list() == [4, 1]
    assert rows["n"].to_list() == [2, 2]  # visitors
    # exactly two hours after the last: within its window, so no entry
    near = log("a 08:00 product", "a 10:00 product", "a 10:01 cart")
    assert reached(near, steps, again=True) == [1, 0]
    assert reached(near, steps, again=True, window_hours=1.99) == [2, 1]


def test_a_later_entry_is_young_though_the_first_is_not():
    rows = log("a 08:00 product", "a 12:00 product", "a 12:01 cart")
    made = funnel(rows, steps=["product", "cart"], until=datetime(2026, 3, 1, 13), window_hours=2, again=True)
    assert made["reached"].to_list() == [1, 0]
    assert made["too_young"].to_list() == [1, 1]


def test_unknown_visitors_are_their_sessions():
    rows = [
        ("session s1", "s1", "10:00", "product"), ("session s2", "s2", "10:01", "cart"),
        ("anna", "s3", "10:00", "product"), ("anna", "s4", "10:01", "cart"),
    ]  # fmt: skip
    assert reached(touches(rows), ["product", "cart"]) == [2, 1]


def test_touches_without_a_time_are_no_steps_and_lie_between_none():
    rows = frame([("a", "1", f"10:0{i}", name) for i, name in enumerate(["product", "return", "cart"])])
    rows["timed"] = [True, False, True]
    assert reached(table(rows), ["product", "cart"], order="strict") == [1, 1]
    with pytest.raises(UsageError, match=r"no timed touch of these data is at 'return'.*cart, product"):
        reached(table(rows), ["product", "return"])


# --- groups


def many(groups: dict[str, tuple[int, int]]) -> list[tuple]:
    """Visitors of each group: how many come to the product, and how many of them to the cart."""
    return [
        (f"{group} {i}", "1", at, what)
        for group, (came, went) in groups.items()
        for i in range(came)
        for at, what in [("10:00", "product"), *([("10:01", "cart")] if i < went else [])]
    ]


def test_by_channel_of_the_entering_touch():
    rows = [("a", "1", "10:00", "product", None, "app"), ("a", "1", "10:01", "cart", None, "web")]
    rows += [("b", "1", "10:00", "product", None, "web"), ("b", "1", "10:00", "product", None, "app")]
    rows += [("c", "1", "10:00", "product", None, "web"), ("c", "1", "10:05", "product", None, "app")]
    rows += [("d", "1", "10:00", "product", None, None)]
    more = [(f"{who}{i}", *rest) for i in range(5) for who, *rest in rows]  # so that no group is under five people
    made = funnel(touches(more), steps=["product", "cart"], until=END, window_hours=2, by="channel")
    found = made.set_index(["group", "step"])["reached"].to_dict()
    # b came through both at one moment: the first by name; c by his first touch; d by none
    assert found == {
        ("app", 1): 10, ("app", 2): 5, ("web", 1): 5, ("web", 2): 0, (NOT_KNOWN, 1): 5, (NOT_KNOWN, 2): 0,
    }  # fmt: skip


def test_by_new_and_returning():
    rows = []
    for i in range(5):
        rows += [
            (f"new {i}", "1", "10:00", "product"), (f"new {i}", "1", "10:01", "order_placed"),
            (f"returning {i}", "1", "09:00", "order_placed"), (f"returning {i}", "1", "10:00", "product"),
            (f"at once {i}", "1", "10:00", "order_placed"), (f"at once {i}", "1", "10:00", "product"),
            (f"session {i}", "1", "10:00", "product"),
        ]  # fmt: skip
    made = funnel(touches(rows), steps=["product", "order_placed"], until=END, window_hours=2, by="new")
    found = made.set_index(["group", "step"])["reached"].to_dict()
    assert found == {
        ("new", 1): 10, ("new", 2): 10, (NOT_KNOWN, 1): 5, (NOT_KNOWN, 2): 0, ("returning", 1): 5, ("returning", 2): 0,
    }  # fmt: skip
    # a second entry after the first order is a returning customer's
    again = [(f"a {i}", "1", at, what) for i in range(5) for at, what in
             [("08:00", "product"), ("08:01", "order_placed"), ("12:00", "product")]]  # fmt: skip
    made = funnel(touches(again), steps=["product", "order_placed"], until=END, window_hours=2, by="new", again=True)
    assert made["group"].to_list() == ["new", "new", "returning", "returning"]
    assert made["reached"].to_list() == [5, 5, 5, 0]


def test_by_given_groups():
    who = pd.DataFrame({"visitor": [f"great {i}" for i in range(9)], "group": "great <b>ones</b>"})
    made = funnel(
        touches(many({"great": (9, 3), "other": (8, 1)})), steps=["product", "cart"], until=END, window_hours=2,
        groups=who,
    )  # fmt: skip
    found = made.set_index(["group", "step"])["reached"].to_dict()
    assert found == {("great <b>ones</b>", 1): 9, ("great <b>ones</b>", 2): 3, (NOT_KNOWN, 1): 8, (NOT_KNOWN, 2): 1}
    none = funnel(touches(many({"a": (9, 3)})), steps=["product", "cart"], until=END, window_hours=2, groups=who[:0])
    assert set(none["group"]) == {NOT_KNOWN}


def test_groups_under_five_people_are_counted_together():
    sizes = {"a": (20, 5), "b": (3, 1), "c": (4, 2), "d": (9, 3)}
    who = pd.DataFrame([(v, v.split(" ")[0]) for v, *_ in many(sizes)], columns=["visitor", "group"]).drop_duplicates()

    def made(sizes):
        rows = funnel(touches(many(sizes)), steps=["product", "cart"], until=END, window_hours=2, groups=who)
        return {g: (int(r["reached"].iloc[0]), int(r["reached"].iloc[1])) for g, r in rows.groupby("group")}

    assert made(sizes) == {"a": (20, 5), "d": (9, 3), SMALL: (7, 3)}
    # one small group alone would be known by subtraction: the next smallest goes with it
    assert made({k: v for k, v in sizes.items() if k != "c"}) == {"a": (20, 5), SMALL: (12, 4)}
    assert made({"b": (3, 1)}) == {"b": (3, 1)}


# --- intervals


def test_with_again_the_interval_counts_visitors():
    """Ten visitors with ten entries each, all or none of which go on: ten independent ones, not a hundred."""
    rows = []
    for v in range(10):
        for day in range(1, 11):
            rows.append((f"v{v}", "1", f"2026-02-{day:02d} 10:00", "product"))
            if v < 5:
                rows.append((f"v{v}", "1", f"2026-02-{day:02d} 10:01", "cart"))
    made = funnel(touches(rows), steps=["product", "cart"], until=END, window_hours=2, again=True)
    row = made.iloc[1]
    assert (row["entered"], row["reached"], row["n"]) == (100, 50, 10)
    # the error of a ratio of sums over ten equal clusters: sqrt(10/9 * 10 * 25) / 100; p(1-p)/error^2 = 9
    assert row["effective"] == pytest.approx(9)
    whole = made.iloc[1]
    assert (row["low"], row["high"]) == (whole["share_low"], whole["share_high"])
    assert row["high"] - row["low"] > 0.5
    # where all go on, the visitors are what it rests on
    all_go = funnel(
        touches([r for r in rows if r[0] < "v5"]), steps=["product", "cart"], until=END, window_hours=2, again=True
    )
    assert all_go["effective"].iloc[1] == 5


def test_clustered_intervals_hold():
    """Visitors with a habit of their own and several entries: the interval holds the truth about 95 times in 100."""
    from cxkit.funnel import _effective, _share

    rng, held, narrow = np.random.default_rng(5), 0, 0
    for _ in range(600):
        entries = rng.geometric(0.3, 150)
        gone = rng.binomial(entries, rng.beta(1, 4, 150))
        sums = [pd.Series([float((a * b).sum())]) for a, b in ((gone, gone), (gone, entries), (entries, entries))]
        part, whole, people = (np.array([float(x)]) for x in (gone.sum(), entries.sum(), 150))
        _, low, high = _share(part, whole, _effective(part, whole, *sums, people), 0.95)
        held += low[0] <= 0.2 <= high[0]
        _, low, high = _share(part, whole, whole, 0.95)
        narrow += low[0] <= 0.2 <= high[0]
    assert 0.92 <= held / 600 <= 0.98
    assert narrow / 600 < 0.9  # entries taken as independent would promise too much


# --- properties, against a funnel by hand in Python


def by_hand(rows, steps, *, until, window, order, ties, again):
    """The furthest step of each entry, as the docstring of `entries.furthest` says it, one visitor after the other."""
    levels, young = [], 0
    rows = [r for r in rows if r[1] <= until]
    for who in sorted({r[0] for r in rows}):
        line = sorted((at, steps.index(w) if w in steps else len(steps), w) for v, at, w in rows if v == who)
        starts, last = [], None
        for at, place, _ in line:
            if place == 0:
                if last is None or (again and at - last > window):
                    starts.append(at)
                last = at
        for start in starts:
            if start + window > until:
                young += 1
                continue
            inside = [t for t in line if start <= t[0] <= start + window]
            levels.append(1 + (_loose if order == "loose" else _strict)(inside, len(steps), ties))
    return [sum(level > k for level in levels) for k in range(len(steps))], young


def _later(at, before, ties):
    return at >= before if ties == "together" else at > before


def _loose(inside, size, ties):
    level, now = 0, inside[0][0]
    while True:
        times = [at for at, place, _ in inside if place == level + 1 and _later(at, now, ties)]
        if level + 1 == size or not times:
            return level
        level, now = level + 1, min(times)


def _strict(inside, size, ties):
    line = [t for i, t in enumerate(inside) if i == 0 or t[2] != inside[i - 1][2]]
    level = 0
    while level + 1 < min(size, len(line)):
        (now, *_), (at, place, _) = line[level], line[level + 1]
        if place != level + 1 or not _later(at, now, ties):
            break
        level += 1
    return level


touch = st.tuples(st.sampled_from("uvw"), st.integers(0, 30), st.sampled_from("abcx"))
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(
    st.lists(touch, min_size=1, max_size=30), st.permutations("abc"), st.sampled_from(["loose", "strict"]),
    st.sampled_from(["together", "later"]), st.booleans(), st.integers(1, 12), st.randoms(use_true_random=False),
)  # fmt: skip
def test_as_by_hand_in_any_order_of_rows(rows, steps, order, ties, again, minutes, random):
    start = pd.Timestamp("2026-03-01")
    timed = [(v, start + timedelta(minutes=m), w) for v, m, w in rows]
    timed += [("z", start, name) for name in "abc"]  # so that every step is known
    until, window = start + timedelta(minutes=25), timedelta(minutes=minutes)
    options = {"order": order, "ties": ties, "again": again}
    expected, young = by_hand(timed, steps, until=until, window=window, **options)
    random.shuffle(timed)
    made = funnel(
        touches([(v, "1", at, w) for v, at, w in timed]), steps=steps, until=until, window_hours=minutes / 60, **options
    )
    assert made["reached"].to_list() == expected
    assert (made["too_young"] == young).all()
    # what comes to a step goes on or is dropped there
    assert (made["reached"].shift(1)[1:] == made["reached"][1:] + made["dropped"][1:]).all()
    assert (made["reached"].diff()[1:] <= 0).all()
    known = made[1:].dropna(subset=["value"])
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()


def test_a_bigger_log_at_random_as_by_hand_and_strict_is_never_above_loose():
    rng = np.random.default_rng(11)
    rows = random_touches(rng, 3000, visitors=120)
    plain = [(v, at, w) for v, at, w in zip(rows["visitor"], rows["occurred_at"], rows["touchpoint"], strict=True)]
    steps, until = ["a", "b", "order_placed", "c"], datetime(2026, 3, 1, 6)
    found = {}
    for order in ("loose", "strict"):
        for ties in ("together", "later"):
            for again in (False, True):
                options = {"order": order, "ties": ties, "again": again}
                made = funnel(table(rows.sample(frac=1, random_state=3)), steps=steps, until=until, window_hours=1,
                              **options)  # fmt: skip
                expected, young = by_hand(plain, steps, until=pd.Timestamp(until), window=timedelta(hours=1), **options)
                assert (made["reached"].to_list(), made["too_young"].iloc[0]) == (expected, young), options
                found[order, ties, again] = np.array(expected)
    for ties in ("together", "later"):
        for again in (False, True):
            assert (found["loose", ties, again] >= found["strict", ties, again]).all()
    for order in ("loose", "strict"):
        assert (found[order, "together", False] >= found[order, "later", False]).all()


def test_groups_sum_to_the_whole():
    rows = random_touches(np.random.default_rng(2), 2000, visitors=200)
    options = {"steps": ["a", "b", "c"], "until": END, "window_hours": 1, "again": True}
    counts = ["entered", "reached", "dropped", "too_young"]
    whole = funnel(table(rows), **options)[counts]
    for by in ("channel", "new"):
        parts = funnel(table(rows), by=by, **options).groupby("step", as_index=False)[counts].sum()[counts]
        pd.testing.assert_frame_equal(parts, whole)


# --- bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": ["product"]}, "a funnel has 2 to 12 steps; found 1"),
        ({"steps": []}, "a funnel has 2 to 12 steps; found 0"),
        ({"steps": list("abcdefghijklm")}, "a funnel has 2 to 12 steps; found 13"),
        ({"steps": "product"}, "must be a list of touchpoints; found the text 'product'"),
        ({"steps": ["product", "cart", "product"]}, "a step may be named once; named twice: product"),
        ({"window_hours": 0}, "window_hours must lie above 0 and at most at 876,000; found 0"),
        ({"window_hours": -2}, "window_hours must lie above 0.*found -2"),
        ({"window_hours": float("nan")}, "window_hours must lie above 0.*found nan"),
        ({"window_hours": 1e9}, "at most at 876,000; found 1000000000.0"),
        ({"order": "any"}, "order 'any' is unknown; valid: loose, strict"),
        ({"ties": "never"}, "ties 'never' is unknown; valid: together, later"),
        ({"by": "age"}, "by 'age' is unknown; valid: None, channel, new"),
        ({"steps": ["product", "Card"]}, "no timed touch of these data is at 'Card'; the nearest.*: cart"),
        ({"steps": ["product", "<b>" + "x" * 300]}, r"at .<b>x{56}….; the nearest that there are: cart, prod"),
        ({"groups": pd.DataFrame({"visitor": ["a"]})}, "groups lacks group; it has visitor"),
        ({"groups": pd.DataFrame({"visitor": ["a", "a"], "group": ["x", "y"]})}, "must hold a visitor once; 1 rows"),
        ({"by": "new", "groups": pd.DataFrame({"visitor": [], "group": []})}, "one way at a time"),
    ],
)  # fmt: skip
def test_settings_are_checked(options, message):
    rows = log("a 10:00 product", "a 10:01 cart")
    with pytest.raises(UsageError, match=message):
        funnel(rows, **{"steps": ["product", "cart"], "until": END, "window_hours": 2} | options)


def test_an_empty_log_says_that_nobody_came():
    for options in ({}, {"by": "channel"}, {"by": "new"}, {"again": True}, {"order": "strict"}):
        rows = funnel(touches([]), steps=STEPS, until=END, window_hours=2, **options)
        assert rows["group"].to_list() == [EVERYBODY] * 3
        assert rows["reached"].to_list() == [0, 0, 0]
        assert rows[["value", "share_of_entered"]].isna().all(axis=None)
        assert set(rows["method"]) == {NOBODY}
    e = conversion(rows)
    assert (e.known, e.method) == (False, NOBODY)
    assert funnel_sentence(rows) == "Nobody came to product whose 2 hours had ended with the data."
    assert "too early to say" in conversion_finding(rows).sentence()
    assert describe_funnel(rows).startswith("No bars")
    assert {t.get_text() for t in plot_funnel(rows).texts} == {"nobody yet"}


def test_all_too_young_is_told():
    rows = funnel(log("a 10:00 product", "a 10:01 cart"), steps=["product", "cart"],
                  until=datetime(2026, 3, 1, 11), window_hours=48)  # fmt: skip
    assert funnel_sentence(rows) == (
        "Nobody came to product whose 2 days had ended with the data. 1 visitor is left out: the 2 days had not "
        "ended with the data."
    )


# --- words and pictures


def demo(**options):
    rows = many({"x": (200, 90)})
    rows += [(f"x {i}", "1", "10:02", "payment_page") for i in range(60)]
    rows += [(f"x {i}", "1", "10:03", "order_placed") for i in range(55)]
    steps = ["product", "cart", "payment_page", "order_placed"]
    return funnel(touches(rows), **{"steps": steps, "until": END, "window_hours": 168} | options)


def test_the_sentence_and_the_finding():
    rows = demo()
    assert funnel_sentence(rows) == (
        "Of 200 visitors at product, 28 % (22–34 %) reach order placed within 7 days. Most are lost between product "
        "and cart: 110 of 200 do not go on (55 %, 48–62 %)."
    )
    finding = conversion_finding(rows)
    assert (finding.id, finding.quadrant()) == ("journey.conversion", "no reference")
    assert finding.sentence() == "28 % of visitors at “product” reach “order placed” within 7 days (22–34 %, n = 200)."
    assert finding.action.startswith("By number most are lost from “product” to “cart”; which touchpoints are weak")
    assert conversion(rows).method == "Wilson"
    with pytest.raises(UsageError, match="holds no group 'great'; it has: everybody"):
        conversion(rows, group="great")


def test_names_from_data_are_no_places_in_a_claim():
    name = "{value} <script>alert(1)</script> $x$ " + "Сторінка_оплати" * 20
    rows = funnel(
        touches([("a", "1", "10:00", "product"), ("a", "1", "10:01", name)]),
        steps=["product", name], until=END, window_hours=2,
    )  # fmt: skip
    sentence = conversion_finding(rows).sentence()
    assert "reach “{value} <script>" in sentence
    assert len(sentence) < 200
    ax = plot_funnel(rows)
    ax.figure.canvas.draw()
    assert all(len(line) <= 24 for t in ax.get_yticklabels() for line in t.get_text().split("\n"))


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (168, "7 days"), (24, "1 day"), (36, "36 hours"), (1, "1 hour"), (0.5, "30 minutes"), (1 / 60, "1 minute"),
        (1 / 3600, "1 second"), (0.0001, "0.36 seconds"), (24 * 365, "365 days"),
    ],
)  # fmt: skip
def test_windows_in_words(hours, words):
    assert window_words(hours) == words


def test_names_in_words():
    assert step_name("payment_page") == "payment page"
    assert len(step_name("x" * 300)) == 40


def test_the_picture():
    rows = demo()
    ax = plot_funnel(rows)
    texts = [t.get_text() for t in ax.texts]
    assert "100 %  (200)" in texts
    assert "28 %  (55)" in texts
    assert "▸ most are lost here: 110 do not go on (55 %)" in texts
    assert "30 do not go on (33 %)" in texts
    assert [t.get_text() for t in ax.get_yticklabels()] == ["product", "cart", "payment page", "order placed"]
    places = [bar.get_y() for bar in ax.patches]
    assert places == sorted(places)
    assert ax.yaxis_inverted()
    assert describe_funnel(rows) == (
        "Bars of the share of 200 visitors that reach each step within 7 days: product 100 %, cart 45 %, payment page "
        "30 %, order placed 28 %."
    )
    assert "200 visitors" in ax.get_xlabel()
    assert "entries" in plot_funnel(demo(again=True)).get_xlabel()


def test_inputs_are_not_changed():
    rows = demo()
    before = rows.copy(deep=True)
    conversion_finding(rows), funnel_sentence(rows), plot_funnel(rows), describe_funnel(rows)
    pd.testing.assert_frame_equal(rows, before)


def test_a_visitor_with_a_hundred_thousand_touches_takes_no_square_of_time():
    n = 100_000
    at = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) * 20, unit="s")
    rows = frame([("robot", "1", "10:00", "product")]).loc[[0] * n].reset_index(drop=True)
    rows["touchpoint"] = np.where(np.arange(n) % 3 == 0, "product", "cart")
    rows["occurred_at"] = at.astype("datetime64[us]")
    started = time.process_time()
    made = funnel(table(rows), steps=["product", "cart"], until=END, window_hours=1 / 3600, again=True)
    assert made["reached"].to_list() == [33_334, 0]
    assert time.process_time() - started < 20


def test_dates_serve_as_until_only_when_they_are_times():
    with pytest.raises(UsageError, match="until must be a time"):
        funnel(log("a 10:00 product"), steps=["product", "cart"], until=date(2026, 3, 8), window_hours=2)
