"""Segments at two dates by the same cut points: by hand, against a plain reference, laws, words and pictures."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_customers import random_people
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import segment_change as change
from cxkit import segments, style
from cxkit.errors import UsageError
from cxkit.group_table import WITHHELD
from cxkit.segment_names import segment_names

# one customer of each segment, by scores 5 = best: recency, frequency, monetary
OF = {"Champions": (5, 5, 5), "Loyal": (5, 5, 1), "New": (5, 1, 1), "At risk": (1, 3, 1), "Hibernating": (1, 1, 1)}


@pytest.fixture(autouse=True)
def _theme():
    with matplotlib.rc_context(style.theme()):
        yield


def date_of(**sizes):
    """Customers by segment, as `name_segments` leaves them; a segment's size, or the numbers of its customers."""
    rows = []
    for name, who in sizes.items():
        segment = name.replace("_", " ")
        r, f, m = OF[segment]
        for number in range(who) if isinstance(who, int) else who:
            rows.append(
                (f"{name}{number:05d}" if isinstance(who, int) else f"c{number:05d}", 6 - r, f, m, r, f, m, segment)
            )
    columns = ["customer_id", "recency_days", "frequency", "monetary", "recency_score", "frequency_score",
               "monetary_score", "segment"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def test_two_dates_by_hand():
    # a hundred customers stay; sixty of the hundred that were Champions are At risk now
    then = date_of(Champions=range(100), New=range(100, 200))
    now = date_of(Champions=range(40), At_risk=range(40, 100), New=range(100, 200))
    table = change.segment_sizes_then_and_now(then, now)
    assert list(table.columns) == [
        "segment", "customers_then", "customers_now", "share_then", "share_now", "change", "low", "high", "n", "level",
        "method", "reading",
    ]  # fmt: skip
    assert list(table["segment"]) == list(segment_names().sort_values("place")["segment"].unique())
    rows = table.set_index("segment")
    best = rows.loc["Champions"]
    assert (best["customers_then"], best["customers_now"], best["share_then"], best["share_now"]) == (100, 40, 0.5, 0.2)
    assert best["change"] == pytest.approx(-30)
    assert (best["reading"], rows.loc["At risk", "reading"]) == ("shrinks", "grows")
    # 60 of 200 changed by -1: the error is that of a mean, sqrt(0.3 * 0.7 / 199); two members, Holm: 0.05 / 3
    error = 100 * np.sqrt(0.3 * 0.7 / 199)
    assert rows.loc["New", ["change", "low", "high"]].to_list() == [0, 0, 0]  # nobody came or went, nobody was added
    assert rows.loc["New", "reading"] == "not told apart"
    levels = sorted(rows.loc[["Champions", "At risk", "New"], "level"])
    assert levels == pytest.approx([0.95, 1 - 0.05 / 2, 1 - 0.05 / 3])
    from scipy.special import ndtri

    for name in ("Champions", "At risk"):
        z = ndtri((1 + rows.loc[name, "level"]) / 2)
        assert rows.loc[name, "high"] - rows.loc[name, "change"] == pytest.approx(z * error)
    assert rows.loc["Loyal", "method"] == "nobody at one date"
    assert set(table["n"]) == {200}


def test_the_error_agrees_with_resampling_the_customers():
    rng = np.random.default_rng(3)
    n, names = 1500, np.array(list(OF))
    was, now_in = rng.integers(0, 5, n), rng.integers(0, 5, n)
    now_in = np.where(rng.random(n) < 0.7, was, now_in)
    here = rng.random(n) < 0.8  # the others are no customers now, or were none then
    there = ~here | (rng.random(n) < 0.9)

    def table(rows):
        frames = []
        for mask, place in ((there, was), (here, now_in)):
            who = [i for i, row in enumerate(rows) if mask[row]]
            segment = names[place[rows[who]]]
            parts = {s.replace(" ", "_"): [w for w, x in zip(who, segment, strict=True) if x == s] for s in OF}
            frames.append(date_of(**parts))
        return change.segment_sizes_then_and_now(*frames).set_index("segment")

    found = table(np.arange(n))
    drawn = np.array([table(rng.integers(0, n, n)).loc[list(OF), "change"] for _ in range(60)])
    for place, name in enumerate(OF):
        from scipy.special import ndtri

        half = (found.loc[name, "high"] - found.loc[name, "low"]) / 2
        error = half / ndtri((1 + found.loc[name, "level"]) / 2)
        # sixty draws tell an error up to about a tenth
        assert error == pytest.approx(drawn[:, place].std(ddof=1), rel=0.35)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_laws_of_the_change(seed):
    rng = np.random.default_rng(seed)
    before, after = random_people(seed, n=600), random_people(seed + 1, n=700)
    after = after.assign(customer_id=[f"c{i:04d}" for i in rng.choice(900, 700, replace=False)])
    cuts = segments.cut_points(before)
    then, now = (segments.name_segments(segments.score_rfm(f, cuts=cuts)) for f in (before, after))
    table = change.segment_sizes_then_and_now(then, now)
    if table["customers_then"].notna().all():
        assert (table["customers_then"].sum(), table["customers_now"].sum()) == (600, 700)
        assert table["change"].sum() == pytest.approx(0, abs=1e-9)
    # the order of rows changes nothing
    mixed = [frame.sample(frac=1, random_state=seed) for frame in (then, now)]
    pd.testing.assert_frame_equal(change.segment_sizes_then_and_now(*mixed), table)
    # turned round, each change has the other sign
    back = change.segment_sizes_then_and_now(now, then)
    np.testing.assert_allclose(back["change"], -table["change"])
    np.testing.assert_allclose(back["low"], -table["high"])
    # certain is what leaves out 0
    certain = table["reading"] != "not told apart"
    assert (certain == ((table["low"] > 0) | (table["high"] < 0))).all()
    # the same date twice is no change
    same = change.segment_sizes_then_and_now(then, then)
    assert (same["change"].dropna() == 0).all()
    assert set(same["reading"]) == {"not told apart"}


def test_no_change_is_called_where_there_is_none():
    """Customers drawn at both dates from the same shop: over 120 shops a change is called in under 5 % and a bit."""
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(120):
        parts = [
            {name.replace(" ", "_"): list(np.flatnonzero(draw == i)) for i, name in enumerate(OF)}
            for draw in rng.choice(5, (2, 400), p=[0.1, 0.1, 0.2, 0.2, 0.4])
        ]
        table = change.segment_sizes_then_and_now(date_of(**parts[0]), date_of(**parts[1]))
        called += (table["reading"] != "not told apart").any()
    assert called <= 120 * 0.05 + 2 * np.sqrt(120 * 0.05 * 0.95)


def test_small_segments_are_withheld_at_both_dates():
    then = date_of(Champions=60, New=40, Loyal=8, At_risk=9)
    now = date_of(Champions=70, New=30, Loyal=3, At_risk=20)
    table = change.segment_sizes_then_and_now(then, now).set_index("segment")
    # at the later date Loyal is small, and At risk is what could be subtracted with it
    hidden = table.loc[["Loyal", "At risk"]]
    assert hidden.drop(columns=["n", "level", "method", "reading"]).isna().all(axis=None)
    assert set(hidden["method"]) == {WITHHELD}
    assert set(hidden["reading"]) == {"not told apart"}
    assert table.loc["Champions", "customers_now"] == 70
    told = change.best_change(then, now)
    assert not told.known  # the change of Loyal could be subtracted
    assert "Withheld, so that nothing is told of under 5 people: Loyal, At risk." in change.describe_segment_change(
        table.reset_index(), days=90
    )
    ax = change.plot_segment_change(table.reset_index(), days=90)
    assert [t.get_text() for t in ax.texts].count("withheld") == 2


def test_nobody_at_one_date_or_at_both():
    someone = date_of(Champions=20, New=30)
    for then, now in ((someone[:0], someone), (someone, someone[:0]), (someone[:0], someone[:0])):
        table = change.segment_sizes_then_and_now(then, now)
        assert table["low"].isna().all()
        assert set(table["reading"]) == {"not told apart"}
        assert change.describe_segment_change(table, days=30).endswith("No change can be told apart from chance.")
        ax = change.plot_segment_change(table, days=30)
        assert [t.get_text() for t in ax.texts] == ["nothing to show yet"]
        assert change.change_findings(table, days=30) == []
        finding = change.best_change_finding(change.best_change(then, now), days=30)
        assert "nan" not in finding.sentence()


# --- the same cut points


def test_two_sets_of_cut_points_are_refused():
    before, after = random_people(1), random_people(2).assign(monetary=lambda f: f["monetary"] * 3)
    then, now = (segments.name_segments(segments.score_rfm(f)) for f in (before, after))
    with pytest.raises(UsageError) as fault:
        change.segment_sizes_then_and_now(then, now)
    assert str(fault.value).startswith("the two dates are scored by different cut points: of ")
    assert str(fault.value).endswith("Score both with cuts=cut_points(then).")
    one, other = date_of(New=9), date_of(New=9)
    with pytest.raises(UsageError, match=r"of monetary, 1 scores 1 and 2\. Score"):
        change.segment_sizes_then_and_now(one, other.assign(monetary_score=2))
    with pytest.raises(UsageError, match=r"of monetary, 1 scores 1 and 7 scores 0\. Score"):
        change.segment_sizes_then_and_now(one, other.assign(monetary_score=0, monetary=7.0))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="recency_score"), "the customers lack recency_score; take those of segments.name_"),
        (lambda f: pd.concat([f, f[:1]]), "a customer stands there twice at one date"),
        (lambda f: f.assign(segment="Ours"), "the names know no segment Ours; they know Champions, Loyal"),
    ],
)
def test_customers_are_checked(spoil, message):
    frame = date_of(New=9)
    with pytest.raises(UsageError) as fault:
        change.segment_sizes_then_and_now(frame, spoil(frame))
    assert message in str(fault.value)


# --- findings


def test_more_and_fewer_of_the_best():
    then = date_of(Champions=range(100), New=range(100, 200))
    now = date_of(Champions=range(60), Loyal=range(60, 70), At_risk=range(70, 100), New=range(100, 200))
    told = change.best_change(then, now)
    # thirty left the best segments (ten went from one to the other), nobody came
    assert (told.value, told.n, told.unit) == (-30, 200, "count")
    assert (told.low, told.high) == (
        pytest.approx(-30 - 1.96 * np.sqrt(30), abs=1e-3),
        pytest.approx(-19.265, abs=1e-3),
    )
    finding = change.best_change_finding(told, days=180)
    assert (finding.id, finding.quadrant()) == ("segments.best_change", "no reference")
    assert finding.sentence() == (
        "There are 30 fewer customers in the best segments than 180 days ago, by the same cut points (change −40.7 to "
        "−19.3, n = 200)."
    )
    more = change.best_change_finding(change.best_change(now, then), days=180)
    assert more.sentence().startswith("There are ")
    assert "There are 30 more customers" in more.sentence()
    assert not change.best_change(then, then).known  # nobody came or left


def test_only_what_shrinks_for_certain_is_a_finding():
    then = date_of(Champions=range(100), At_risk=range(100, 200), New=range(200, 300), Loyal=range(300, 310))
    now = date_of(Champions=range(40), At_risk=range(140, 200), New=range(230, 300), Loyal=range(302, 310),
                  Hibernating=[*range(40, 140), *range(200, 230), 300, 301])  # fmt: skip
    table = change.segment_sizes_then_and_now(then, now)
    found = {f.id: f for f in change.change_findings(table, days=90)}
    assert list(found) == ["segments.shrinks.champions", "segments.shrinks.new", "segments.shrinks.at_risk"]
    assert [f.quadrant() for f in found.values()] == ["weakness", "no reference", "strength"]
    best = found["segments.shrinks.champions"]
    assert best.sentence().startswith(
        "The segment “Champions” was 32 % of customers 90 days ago and is 13 % now: −19.4 percentage p"
    )
    assert best.target_source == "no change (5 comparisons hold together, Holm)"
    assert change.describe_segment_change(table, days=90) == (
        "Shares of customers by segment, 90 days ago and now, by the same cut points. Shrunk for certain: Champions "
        "from 32 % to 13 %; New from 32 % to 23 %; At risk from 32 % to 19 %. Grown for certain: Hibernating from 0 % "
        "to 43 %."
    )


def test_a_clients_own_names_in_findings():
    own = segment_names().replace({"segment": {"Champions": "Наші {люди} $x$"}, "key": {"champions": "наші_люди"}})
    then = date_of(Champions=range(100), New=range(100, 200))
    now = date_of(Champions=range(40), New=range(40, 200))
    then, now = (f.replace({"segment": {"Champions": "Наші {люди} $x$"}}) for f in (then, now))
    table = change.segment_sizes_then_and_now(then, now, names=own)
    (finding,) = change.change_findings(table, days=90, names=own)
    assert finding.id == "segments.shrinks.наші_люди"
    assert finding.sentence().startswith("The segment “Наші {люди} $x$” was 50 % of customers")
    ax = change.plot_segment_change(table, days=90)
    ax.figure.canvas.draw()


# --- the picture


@pytest.mark.parametrize("rows", [1, 10])
def test_nothing_overlaps_in_the_picture(rows):
    before, after = random_people(1, n=600), random_people(2, n=700).iloc[100:]
    cuts = segments.cut_points(before)
    then, now = (segments.name_segments(segments.score_rfm(f, cuts=cuts)) for f in (before, after))
    table = change.segment_sizes_then_and_now(then, now)
    kept = table.copy()
    table = table.assign(segment=[f"Дуже довга назва сегмента номер {i}" for i in range(10)]).head(rows)
    ax = change.plot_segment_change(table, days=180)
    ax.figure.canvas.draw()
    texts = [t.get_window_extent() for t in [*ax.texts, *ax.get_yticklabels()]]
    assert not any(a.overlaps(b) for i, a in enumerate(texts) for b in texts[i + 1 :])
    assert all(t.x0 >= 0 and t.x1 <= ax.figure.bbox.x1 + 1 for t in texts)
    assert ax.get_legend().get_window_extent().y1 < ax.xaxis.label.get_window_extent().y0
    assert ax.get_xlabel()
    assert min(t.get_fontsize() for t in ax.texts) >= 9
    pd.testing.assert_frame_equal(change.segment_sizes_then_and_now(then, now), kept)
