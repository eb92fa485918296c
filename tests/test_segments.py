import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_customers import people, random_people
from hand_orders import orders, random_orders, table
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import segments
from cxkit.errors import UsageError
from cxkit.findings import judge
from cxkit.group_table import WITHHELD
from cxkit.segment_names import segment_names

DAY = date(2026, 6, 30)


# --- RFM by hand


def test_rfm_by_hand():
    lines = [
        ("1", "anna", "2026-06-01", 100.0),
        ("1", "anna", "2026-06-01", 50.0),  # a second line of the same order
        ("2", "anna", "2026-06-20", 30.0),
        ("3", "anna", "2026-06-20", 5.0),  # a second order on one day counts in RFM
        ("4", "bohdan", "2026-06-30", 80.0),
        ("5", None, "2026-06-10", 70.0),  # nobody's
        ("6", "celina", "2026-07-01", 60.0),  # after as_of
        ("7", "dmytro", "2026-06-01", 40.0),  # cancelled
        ("8", "anna", "2026-06-25", 0.0),  # a return that matched no sale
        ("9", "eva", "2026-06-25", 0.0),  # eva only returned
    ]
    refund = [0, 10.0, 0, 0, 0, 0, 0, 0, 7.0, 12.0]
    status = ["completed"] * 7 + ["cancelled", "returned", "returned"]
    frame = segments.rfm(orders(lines, refund=refund, status=status), as_of=DAY)
    assert frame.to_dict("records") == [
        {"customer_id": "anna", "recency_days": 10, "frequency": 3, "monetary": 168.0},
        {"customer_id": "bohdan", "recency_days": 0, "frequency": 1, "monetary": 80.0},
    ]


def test_rfm_of_nobody_is_empty_and_nothing_breaks():
    empty = segments.rfm(orders([("1", None, "2026-06-01", 5.0)]), as_of=DAY)
    assert len(empty) == 0
    named = segments.name_segments(segments.score_rfm(empty))
    assert segments.segment_table(named)["customers"].sum() == 0
    assert not segments.quiet_share_finding(named).estimate.known


def test_rfm_does_not_depend_on_the_order_of_lines():
    frame = random_orders(np.random.default_rng(4), 200)
    one = segments.rfm(table(frame), as_of=DAY)
    other = segments.rfm(table(frame.sample(frac=1, random_state=1)), as_of=DAY)
    pd.testing.assert_frame_equal(one, other)


# --- scores


def test_fifths_by_hand():
    scored = segments.score_rfm(people(range(10, 110, 10), range(1, 11), range(10, 0, -1)))
    assert list(scored["recency_score"]) == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]  # the latest is the best
    assert list(scored["frequency_score"]) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert list(scored["rfm"])[::9] == ["515", "151"]


def test_one_time_buyers_all_score_one():
    frequency = [1] * 70 + [2] * 20 + [3] * 10
    scored = segments.score_rfm(people(range(100), frequency, range(100)))
    # seven in ten ordered once: the cuts are 1, 1, 1, 2
    assert list(segments.cut_points(scored).loc["frequency"]) == [1, 1, 1, 2]
    assert scored.groupby("frequency")["frequency_score"].unique().map(list).to_dict() == {1: [1], 2: [4], 3: [5]}


def test_all_alike_and_one_alone():
    alike = segments.score_rfm(people([5] * 12, [2] * 12, [9.99] * 12))
    assert set(alike["rfm"]) == {"511"}
    assert list(segments.score_rfm(people([400], [3], [1e6]))["rfm"]) == ["511"]


def test_scoring_does_not_change_its_argument():
    frame = random_people(1)
    before = frame.copy()
    segments.name_segments(segments.score_rfm(frame))
    pd.testing.assert_frame_equal(frame, before)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1 / 3, 41.5, 1e6]))
def test_laws_of_scores(seed, rate):
    frame = random_people(seed, n=int(np.random.default_rng(seed).integers(1, 120)))
    scored = segments.score_rfm(frame)
    # the currency changes no score
    in_money = segments.score_rfm(frame.assign(monetary=frame["monetary"] * rate))
    assert list(in_money["rfm"]) == list(scored["rfm"])
    # nor does the order of rows
    shuffled = segments.score_rfm(frame.sample(frac=1, random_state=seed)).sort_index()
    assert list(shuffled["rfm"]) == list(scored["rfm"])
    # equal values score the same, better ones never less
    for measure, score in (("frequency", "frequency_score"), ("monetary", "monetary_score")):
        assert scored.groupby(measure)[score].nunique().max() == 1
        assert scored.sort_values(measure)[score].is_monotonic_increasing
    assert scored.sort_values("recency_days")["recency_score"].is_monotonic_decreasing


@pytest.mark.parametrize("bins", [1, 10])
def test_bins_have_bounds(bins):
    with pytest.raises(UsageError, match=f"bins must lie between 2 and 9; found {bins}"):
        segments.score_rfm(random_people(1), bins=bins)


# --- the client's own cut points, and another date's


def test_own_cut_points_take_the_place_of_fifths():
    frame = people([0, 30, 31, 400], [1, 2, 3, 9], [10, 500, 501, 9000])
    fifths = segments.cut_points(frame)
    cuts = segments.own_cuts(fifths, recency=[30, 90, 180, 365], monetary=(100, 500, 1000, 5000))
    assert cuts.loc["frequency"].to_list() == fifths.loc["frequency"].to_list()
    scored = segments.score_rfm(frame, cuts=cuts)
    assert list(scored["recency_score"]) == [5, 5, 4, 1]  # a value on a cut point belongs below it
    assert list(scored["monetary_score"]) == [1, 2, 3, 5]
    assert list(scored["frequency_score"]) == list(segments.score_rfm(frame)["frequency_score"])
    assert fifths.equals(segments.cut_points(frame))


def test_another_dates_cut_points_give_everybody_the_score_he_would_have_had():
    then, now = random_people(1), random_people(2)
    cuts = segments.cut_points(then)
    assert list(segments.score_rfm(then, cuts=cuts)["rfm"]) == list(segments.score_rfm(then)["rfm"])
    both = segments.score_rfm(pd.concat([then, now]), cuts=cuts)["rfm"]
    assert list(both) == [*segments.score_rfm(then)["rfm"], *segments.score_rfm(now, cuts=cuts)["rfm"]]


def test_faults_of_own_cut_points_are_told_together():
    cuts = segments.cut_points(random_people(1))
    with pytest.raises(UsageError) as fault:
        segments.own_cuts(cuts, recency=[30, 90, 180], frequency=[1, 2, 2, 3], monetary=[1, 2, "x", 4])
    assert str(fault.value) == (
        "cut points: recency needs 4 numbers; found [30, 90, 180]; frequency must rise from 0 or above, no number "
        "twice; found [1, 2, 2, 3]; monetary needs 4 numbers; found [1, 2, 'x', 4]. Leave a measure empty to cut it "
        "into equal parts."
    )
    for wrong in ([True, 2, 3, 4], [1, 2, 3, float("nan")], [1, 2, 3, float("inf")], [-1, 2, 3, 4], [4, 3, 2, 1]):
        with pytest.raises(UsageError, match="cut points: recency"):
            segments.own_cuts(cuts, recency=wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.drop(index="monetary"), "the cut points lack monetary; take those of cut_points, or own_cuts"),
        (lambda c: c * np.nan, "the cut points of recency_days are no numbers: [nan, nan, nan, nan]. With nobody"),
        (lambda c: c[[4, 3, 2, 1]], "the cut points of recency_days must rise; found ["),
        (lambda c: c[[]], "a measure has 1 to 8 cut points; found 0"),
    ],
)
def test_cut_points_are_checked(change, message):
    frame = random_people(1)
    with pytest.raises(UsageError) as fault:
        segments.score_rfm(frame, cuts=change(segments.cut_points(frame)))
    assert message in str(fault.value)


def test_the_last_days_alone_by_hand():
    shop = orders(
        [("1", "anna", "2026-06-01", 5.0), ("2", "anna", "2026-06-30", 7.0), ("3", "bohdan", "2026-05-31", 9.0)]
    )
    assert segments.rfm(shop, as_of=DAY, days=30).to_dict("records") == [
        {"customer_id": "anna", "recency_days": 0, "frequency": 2, "monetary": 12.0}
    ]
    assert len(segments.rfm(shop, as_of=DAY, days=31)) == 2
    assert list(segments.rfm(shop, as_of=DAY, days=1)["monetary"]) == [7.0]
    with pytest.raises(UsageError, match="days must be 1 or more; found 0"):
        segments.rfm(shop, as_of=DAY, days=0)


# --- names


def test_the_clients_own_names_everywhere():
    own = segment_names().assign(
        segment=lambda n: np.where(n["rfm"].str[0] > "2", "Here", "Away"), place=lambda n: (n["rfm"].str[0] < "3") * 1,
        quiet=lambda n: n["rfm"].str[0] < "3", meaning="m", action="a",
    )  # fmt: skip
    named = segments.name_segments(segments.score_rfm(random_people(1)), names=own)
    table = segments.segment_table(named, names=own)
    assert set(table["segment"]) == {"Here", "Away"}
    assert set(table["meaning"] + table["action"]) == {"ma"}
    away = named.loc[named["segment"] == "Away", "monetary"].sum()
    share = segments.quiet_share_finding(named, names=own).estimate.value
    assert share == pytest.approx(away / named["monetary"].sum())
    with pytest.raises(UsageError, match="the names know no segment Away, Here; they know Champions, Loyal"):
        segments.segment_table(named)


def test_names_for_fifths_do_not_fit_quarters():
    scored = segments.score_rfm(random_people(2), bins=9)
    with pytest.raises(UsageError, match="no segment is named for the scores"):
        segments.name_segments(scored)


# --- the table of segments


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_nothing_is_lost_between_customers_and_segments(seed):
    named = segments.name_segments(segments.score_rfm(random_people(seed, n=3000)))
    frame = segments.segment_table(named)
    assert not frame["customers"].between(1, 4).any()  # so none is withheld
    assert frame["customers"].sum() == len(named)
    assert frame["orders"].sum() == named["frequency"].sum()
    assert frame["revenue"].sum() == pytest.approx(named["monetary"].sum())
    assert frame["share_of_customers"].sum() == pytest.approx(1)
    assert frame["share_of_revenue"].sum() == pytest.approx(1)
    assert frame["revenue"].is_monotonic_decreasing
    known = frame.dropna(subset=["low"])
    assert known["share_of_revenue"].between(known["low"], known["high"]).all()
    assert len(frame) == 10


def test_the_best_segment_by_hand():
    named = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(10)],
            "recency_days": range(10),
            "frequency": [5] * 5 + [1] * 5,
            "monetary": [90.0] * 5 + [10.0] * 5,
            "segment": ["Champions"] * 5 + ["New"] * 5,
        }
    )
    frame = segments.segment_table(named)
    best = frame.iloc[0]
    assert (best["segment"], best["customers"], best["orders"], best["revenue"]) == ("Champions", 5, 25, 450)
    assert (best["share_of_revenue"], best["orders_per_customer"], best["median_recency_days"]) == (0.9, 5, 2)


def of_segments(**sizes):
    """Customers who spent 10 each, by segment."""
    names = [name.replace("_", " ") for name, size in sizes.items() for _ in range(size)]
    return people(range(len(names)), [2] * len(names), [10.0] * len(names)).assign(segment=names)


def test_small_segments_are_withheld_with_what_could_be_subtracted(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    named = of_segments(Champions=30, Loyal=9, At_risk=3)
    frame = segments.segment_table(named)
    assert set(named["segment"]) < set(frame["segment"])
    shown = frame.set_index("segment")
    numbers = shown.select_dtypes("number").drop(columns=["n", "level"])
    # without Loyal, At risk would be what is missing in the sum
    assert numbers.loc[["At risk", "Loyal"]].isna().all(axis=None)
    assert set(shown.loc[["At risk", "Loyal"], "method"]) == {WITHHELD}
    assert shown.loc["Champions", "revenue"] == 300
    assert shown.loc["New", "customers"] == 0  # nobody is nobody to protect
    assert set(frame["segment"].tail(2)) == {"At risk", "Loyal"}
    assert segments.describe_segments(frame) == (
        "Bars of the share of customers and of revenue by segment. Champions are 71 % of customers and bring 71 % of "
        "revenue. Withheld, so that nothing is told of under 5 people: Loyal, At risk."
    )
    ax = segments.plot_segments(frame)
    assert [t.get_text() for t in ax.texts].count("withheld") == 4
    assert ax.get_ylim()[0] > len(frame) - 1 + 0.2 > ax.get_ylim()[1]  # the last row stands in the picture
    ax.figure.savefig(tmp_path / "withheld.png")
    matplotlib.pyplot.close(ax.figure)


# --- customers gone quiet


def test_quiet_share_by_hand():
    named = of_segments(Champions=50, Cannot_lose=20, At_risk=10, Hibernating=20)
    estimate = segments.quiet_share(named)
    assert (estimate.value, estimate.n) == (pytest.approx(0.3), 100)
    assert 0.2 < estimate.low < 0.3 < estimate.high < 0.4
    finding = segments.quiet_share_finding(named)
    assert finding.id == "segments.quiet_share"
    assert finding.sentence().startswith(
        "30 % of what all customers spent was spent by customers who used to order and have gone quiet ("
    )
    assert judge(estimate, 0.1, higher_is_better=finding.higher_is_better) == "weakness"


def test_nobody_gone_quiet_is_no_share_of_nothing():
    for few in (0, 4):
        estimate = segments.quiet_share(of_segments(Champions=50, At_risk=few))
        assert (estimate.known, estimate.method) == (False, "fewer than 5 customers have gone quiet")


def test_the_grid_holds_every_customer_and_empty_cells():
    scored = segments.score_rfm(random_people(3, n=100))
    grid = segments.score_grid(scored)
    assert len(grid) == 25
    assert grid["customers"].sum() == len(scored)
    assert grid["customers"].between(1, 4).any()
    assert (grid["monetary_mean"].isna() == (grid["customers"] < 5)).all()


def test_the_grid_shows_no_money_of_few():
    import matplotlib

    matplotlib.use("Agg")
    scored = people([1] * 5 + [2] * 4, [1] * 9, [20.0] * 9).assign(
        recency_score=[5] * 5 + [1] * 4, frequency_score=[5] * 5 + [1] * 4
    )
    grid = segments.score_grid(scored)
    ax = segments.plot_score_grid(grid, currency="UAH")
    assert sorted(t.get_text() for t in ax.texts if t.get_text() != "–") == ["5\n20 UAH", "<5"]
    matplotlib.pyplot.close(ax.figure)
    few = segments.describe_grid(segments.score_grid(scored.tail(4)))
    assert "Most customers, under 5, have recency 1" in few


# --- pictures


def test_pictures_show_what_the_frames_say(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    scored = segments.score_rfm(random_people(6))
    frame = segments.segment_table(segments.name_segments(scored))
    before = frame.copy()
    pictures = {
        "grid": segments.plot_score_grid(segments.score_grid(scored), currency="UAH"),
        "segments": segments.plot_segments(frame),
    }
    pd.testing.assert_frame_equal(frame, before)
    texts = {name: [t.get_text() for t in ax.texts] for name, ax in pictures.items()}
    size = segments.score_grid(scored)["customers"].max()
    assert any(text.startswith(f"{size}\n") for text in texts["grid"])
    assert [t.get_text() for t in pictures["segments"].get_yticklabels()] == list(frame["segment"])
    for name, ax in pictures.items():
        ax.figure.savefig(tmp_path / f"{name}.png")
        assert ax.get_title() or ax.get_title(loc="left")  # where the theme puts it
        assert ax.get_xlabel()
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
        matplotlib.pyplot.close(ax.figure)


# --- published


@pytest.fixture(scope="module")
def published():
    folder = os.environ.get("CXKIT_DATA")
    if not folder:
        pytest.skip("CXKIT_DATA is not set: the published RFM table of rfm_joaolcorreia cannot be compared")
    folder = Path(folder) / "rfm_joaolcorreia"
    # Mac Roman bytes, lone carriage returns, m/d/yy
    sales = pd.read_csv(folder / "sample-orders.csv", encoding="mac_roman", lineterminator="\r")
    lines = sales.assign(
        order_id=sales["order_id"],
        customer_id=sales["customer"].str.strip(),
        ordered_on=pd.to_datetime(sales["order_date"], format="%m/%d/%y"),
        amount=sales["grand_total"].astype(float),
        refund=0.0,
        status="completed",
    )
    ours = segments.rfm(table(lines), as_of=date(2014, 12, 31))
    theirs = pd.read_csv(folder / "rfm-table.csv", encoding="mac_roman")
    return ours.set_index("customer_id"), theirs.set_index("customer")


def test_rfm_agrees_with_the_published_table_for_all_793(published):
    ours, theirs = published
    assert len(ours) == len(theirs) == 793
    theirs = theirs.reindex(ours.index)
    assert (ours["recency_days"] == theirs["recency"]).all()
    assert (ours["frequency"] == theirs["frequency"]).all()
    assert (ours["monetary"] == theirs["monetary_value"]).all()


def test_quartiles_agree_with_the_published_ones(published):
    ours, theirs = published
    cuts = segments.cut_points(ours, bins=4)
    assert cuts.loc["recency_days"].to_list() == [30, 75, 183]
    assert cuts.loc["frequency"].to_list() == [5, 6, 8]
    assert cuts.loc["monetary"].to_list() == [1145, 2257, 3784]
    scored, theirs = segments.score_rfm(ours, bins=4), theirs.reindex(ours.index)
    # their best is 1, ours is 4
    for score, quartile in (("recency", "R"), ("frequency", "F"), ("monetary", "M")):
        assert (5 - scored[f"{score}_score"] == theirs[f"{quartile}_Quartile"]).all()
