import os
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import segments
from cxkit.errors import UsageError
from cxkit.findings import judge
from cxkit.style import format_value

DAY = date(2026, 6, 30)


def people(recency, frequency, monetary):
    ids = [f"c{i:04d}" for i in range(len(recency))]
    return pd.DataFrame(
        {"customer_id": ids, "recency_days": recency, "frequency": frequency, "monetary": np.asarray(monetary, float)}
    )


def random_people(seed, n=300):
    rng = np.random.default_rng(seed)
    return people(rng.integers(0, 500, n), rng.geometric(0.6, n), rng.integers(1, 40_000, n) / 100)


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
    assert segments.tiers(empty)["customers"].sum() == 0
    assert not segments.great_share_finding(segments.tiers(empty)).estimate.known
    assert not segments.quiet_share_finding(named).estimate.known
    assert segments.claims_checked(empty).iloc[0]["n"] == 0


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
    segments.tiers(frame)
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


# --- names


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
    assert set(shown.loc[["At risk", "Loyal"], "method"]) == {segments.WITHHELD}
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


def test_small_tiers_are_withheld():
    # two who spent much, and two borders that fall among the equal
    table = segments.tiers(people(range(40), [1] * 40, [5] * 38 + [50] * 2)).set_index("tier")
    assert table.loc[["great", "indifferent"], ["customers", "revenue", "bought_once"]].isna().all(axis=None)
    finding = segments.great_share_finding(table.reset_index())
    assert finding.sentence().endswith(f": too early to say (n = 40; {segments.WITHHELD}).")


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


# --- tiers


def test_tiers_by_hand():
    frame = people(range(80), [1] * 56 + [2] * 24, [1] * 56 + [4] * 16 + [20] * 8)
    great, good, indifferent = segments.tiers(frame).to_dict("records")
    assert [t["tier"] for t in (great, good, indifferent)] == ["great", "good", "indifferent"]
    assert [t["customers"] for t in (great, good, indifferent)] == [8, 16, 56]
    assert [t["article_share"] for t in (great, good, indifferent)] == [0.10, 0.20, 0.70]
    assert [t["revenue"] for t in (great, good, indifferent)] == [160, 64, 56]
    assert great["share_of_revenue"] == pytest.approx(80 / 140)
    assert (great["revenue_from"], indifferent["bought_once"], great["bought_once"]) == (20, 1.0, 0.0)


def test_equal_customers_stay_in_one_tier():
    frame = people(range(200), [1] * 200, [1] * 100 + [5] * 90 + [50] * 10)
    split = segments.tiers(frame).set_index("tier")["customers"]
    # the 140th customer spent 5 like 89 others: all of them stay in the lower tier
    assert split.to_dict() == {"great": 10, "good": 0, "indifferent": 190}
    assert segments.tiers(people(range(9), [1] * 9, [7] * 9)).set_index("tier")["customers"]["indifferent"] == 9


def test_where_all_spent_the_same_nobody_stands_above_the_others():
    table = segments.tiers(people(range(60), [1] * 60, [7] * 60))
    finding = segments.great_share_finding(table)
    assert finding.sentence() == (
        "Share of revenue from the great tier: too early to say (n = 60; no customer stands above the others)."
    )
    assert np.isnan(finding.estimate.value)
    assert judge(finding.estimate, 0.3, higher_is_better=False) == "too early to say"
    assert segments.describe_segments(table) == (
        "Bars of the share of customers and of revenue by tier. "
        "The indifferent tier is 100 % of customers and brings 100 % of revenue."
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.01, 1 / 3, 41.5]))
def test_laws_of_tiers(seed, rate):
    frame = random_people(seed, n=int(np.random.default_rng(seed).integers(60, 300)))
    tiers = segments.tiers(frame)
    assert tiers["customers"].sum() == len(frame)
    assert tiers["share_of_revenue"].sum() == pytest.approx(1)
    scaled = segments.tiers(frame.assign(monetary=frame["monetary"] * rate).sample(frac=1, random_state=1))
    assert scaled["customers"].to_list() == tiers["customers"].to_list()
    numbers = ["share_of_revenue", "low", "high", "bought_once"]
    np.testing.assert_allclose(scaled[numbers].to_numpy(float), tiers[numbers].to_numpy(float), atol=1e-9)


def test_shares_of_tiers_are_checked():
    with pytest.raises(UsageError, match="three positive numbers that add up to 1"):
        segments.tiers(random_people(1), shares=(0.7, 0.2, 0.2))


def test_the_articles_tiers_are_quoted_and_never_a_target():
    frame = random_people(5)
    table = segments.tiers(frame)
    claim = segments.claims_checked(frame).iloc[0]
    assert (claim["theirs"], claim["n"]) == ("70 %", 300)
    assert claim["ours"] == format_value((frame["frequency"] == 1).mean(), "share")
    assert "S3" in claim["source"]
    finding = segments.great_share_finding(table)
    assert (finding.id, finding.target, finding.quadrant()) == ("segments.great_share", None, "no reference")
    assert finding.sentence().startswith("The 10 % of customers who spent most bring ")


# --- pictures


def test_pictures_show_what_the_frames_say(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    scored = segments.score_rfm(random_people(6))
    frame = segments.segment_table(segments.name_segments(scored))
    tiers = segments.tiers(scored)
    before = frame.copy()
    pictures = {
        "grid": segments.plot_score_grid(segments.score_grid(scored), currency="UAH"),
        "segments": segments.plot_segments(frame),
        "tiers": segments.plot_tiers(tiers),
    }
    pd.testing.assert_frame_equal(frame, before)
    texts = {name: [t.get_text() for t in ax.texts] for name, ax in pictures.items()}
    size = segments.score_grid(scored)["customers"].max()
    assert any(text.startswith(f"{size}\n") for text in texts["grid"])
    assert [t.get_text() for t in pictures["segments"].get_yticklabels()] == list(frame["segment"])
    assert texts["tiers"][:3] == ["10 %", "20 %", "70 %"]
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
