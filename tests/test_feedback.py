"""NPS, CSAT and CES by hand, on real answers, and in words."""

import csv

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_answers import SCALES, scored, surveys
from hypothesis import given
from hypothesis import strategies as st
from real_clients import shared_data
from study import load_study

from cxkit import engine, feedback, sources
from cxkit.client import load_client
from cxkit.errors import UsageError
from cxkit.estimates import Estimate

TEN = [10.0] * 10 + [9.0] * 8 + [8.0] * 4 + [7.0] * 6 + [6.0] * 2 + [3.0] * 6 + [0.0] * 4  # 18 promoters, 12 detractors


def all_measures(table, **more) -> pd.DataFrame:
    return feedback.measured(feedback.answers(feedback.asked(table, scales=SCALES, **more)), scales=SCALES)


def test_nps_by_hand():
    score = feedback.nps(surveys(scored("nps", TEN)), scales=SCALES)
    assert score.value == pytest.approx(100 * (18 - 12) / 40)
    assert (score.n, score.unit) == (40, "points")
    # Bonett & Price: one more on either side of 42, Student's t of 39
    middle = 6 / 42
    half = 2.0227 * np.sqrt((32 / 42 - middle**2) / 42)
    assert (score.low, score.high) == (
        pytest.approx(100 * (middle - half), rel=1e-4),
        pytest.approx(100 * (middle + half), rel=1e-4),
    )


def test_csat_and_ces_by_hand():
    frame = all_measures(
        surveys(
            scored("csat", [5.0] * 10 + [4.0] * 10 + [3.0] * 20)
            + scored("ces", [7.0] * 8 + [5.0] * 10 + [4.0] * 12 + [1.0] * 10)
        )
    )
    got = frame.set_index("measure")
    assert got.loc["csat", "value"] == 20 / 40
    assert got.loc["csat mean", "value"] == pytest.approx(3.75)
    assert got.loc["ces", "value"] == 18 / 40, "4 is the middle of 1 to 7: not above it"
    assert got.loc["ces mean", "value"] == pytest.approx((56 + 50 + 48 + 10) / 40)
    scores = np.repeat([5.0, 4.0, 3.0], [10, 10, 20])
    half = 2.0227 * scores.std(ddof=1) / np.sqrt(40)
    assert got.loc["csat mean", "high"] - got.loc["csat mean", "low"] == pytest.approx(2 * half, rel=1e-4)
    assert (got["effective"] == 40).all()


@pytest.mark.parametrize(
    ("scale", "scores", "share"),
    [((1, 5), [5, 4, 3], 2 / 3), ((1, 7), [7, 6, 5], 2 / 3), ((1, 3), [3, 2, 1], 1 / 3), ((0, 1), [1, 0, 0], 1 / 3),
     ((0, 10), [10, 9, 8], 2 / 3), ((1, 4), [4, 3, 2], 2 / 3)],
)  # fmt: skip
def test_the_two_highest_boxes(scale, scores, share):
    table = surveys(scored("csat", [float(s) for s in scores] * 12))
    assert feedback.csat(table, scales={"csat": scale}).value == pytest.approx(share)


def test_a_scale_without_boxes_has_a_mean_alone():
    table = surveys(scored("csat", [80.0, 90.0] * 20))
    share = feedback.csat(table, scales={"csat": (0, 100)})
    assert not share.known
    assert share.method == "the scale has no boxes to count: the mean alone is told"
    frame = feedback.measured(
        feedback.answers(feedback.asked(table, scales={"csat": (0, 100)})), scales={"csat": (0, 100)}
    )
    assert frame.set_index("measure").loc["csat mean", "value"] == 85


def test_effort_is_turned_round():
    hard = surveys(scored("ces", [7.0] * 30 + [2.0] * 10))  # much effort for most
    assert feedback.ces(hard, scales=SCALES, ces="effort").value == pytest.approx(10 / 40)
    assert feedback.ces(hard, scales=SCALES, ces="agree").value == pytest.approx(30 / 40)
    mean = all_measures(hard, ces="effort").set_index("measure").loc["ces mean", "value"]
    assert mean == pytest.approx(8 - (7 * 30 + 2 * 10) / 40)


def test_messages():
    table = surveys(scored("nps", TEN))
    with pytest.raises(UsageError, match=r"from 0 \(or 1\) to 10; scales.nps in client.yml is \[0, 5\]"):
        feedback.asked(table, scales={"nps": (0, 5)})
    with pytest.raises(UsageError, match="ces is 'hard'; valid: agree, ease, effort"):
        feedback.asked(table, scales=SCALES, ces="hard")
    with pytest.raises(UsageError, match="'mean' is no measure; valid: nps, csat"):
        feedback.estimate(all_measures(table), "mean")
    score = feedback.nps(table, scales={})
    assert not score.known
    assert score.method == "no scale is declared: write scales.nps: [lowest, highest] in client.yml"


def test_no_verdict_below_thirty_people():
    few = feedback.nps(surveys(scored("nps", TEN[:29])), scales=SCALES)
    assert (few.known, few.n, few.method) == (False, 29, "fewer than 30 people answered")
    often = surveys(scored("nps", TEN[:20]) * 3)
    assert not feedback.nps(often, scales=SCALES).known, "sixty answers of twenty people"
    assert feedback.estimate(all_measures(surveys([])), "nps").method == "nobody was asked"


def test_who_answers_often_counts_once():
    once, thrice = (all_measures(surveys(scored("nps", TEN) * times)) for times in (1, 3))
    assert thrice["value"][0] == once["value"][0]
    assert (thrice["n"][0], thrice["people"][0]) == (120, 40)
    assert thrice["effective"][0] == pytest.approx(39), "40 people, one degree of freedom less"
    width = [f["high"][0] - f["low"][0] for f in (once, thrice)]
    assert width[1] == pytest.approx(width[0], rel=0.02)


def test_answers_without_a_customer_are_people_of_their_own():
    rows = scored("nps", TEN)
    named = feedback.nps(surveys(rows), scales=SCALES)
    nameless = [row | {"customer_id": None} for row in rows]
    assert feedback.nps(surveys(nameless), scales=SCALES) == named
    assert feedback.nps(surveys(rows, without=("customer_id",)), scales=SCALES) == named


@given(st.integers(2, 400), st.floats(0, 1), st.floats(0, 1))
def test_the_interval_holds_the_score_and_stays_on_its_scale(n, p, rest):
    d = (1 - p) * rest
    low, high = feedback.nps_ends(np.array([p]), np.array([d]), np.array([n]))
    assert -1 <= low[0] <= p - d <= high[0] <= 1
    assert low[0] < high[0], "however one-sided the answers, the interval has a width"


def test_the_interval_holds_its_level_where_walds_does_not():
    found = load_study("nps_coverage").coverage(30)
    assert found["ours"].min() >= 0.93
    assert 0.94 <= found["ours"].mean() <= 0.98
    assert found["wald"].min() < 0.2


def test_by_a_column():
    rows = scored("nps", TEN, touchpoint="product") + scored("nps", TEN[:35], prefix="d", touchpoint="support")
    sums = feedback.answers(feedback.asked(surveys([*rows, {"score": 9.0}]), scales=SCALES), by=["touchpoint"])
    frame = feedback.measured(sums, scales=SCALES)
    assert list(frame["touchpoint"]) == ["product", "support"]
    assert list(frame["n"]) == [40, 35], "an answer about nothing is left out"


def test_headline_words_and_picture():
    matplotlib.use("Agg")
    rows = scored("nps", TEN, incentive=False) + scored("nps", [10.0] * 30, prefix="p", incentive=True)
    table = feedback.asked(surveys(rows), scales=SCALES)
    plain, everyone = (
        feedback.measured(feedback.answers(t), scales=SCALES) for t in (table.filter(~table.incentive), table)
    )
    index = Estimate(73.2, 72.5, 74.0, 357, "points", 0.95, "weighted")
    frame = feedback.headline(plain, everyone, csi=index)
    assert list(frame["label"]) == ["NPS", "NPS", "Satisfaction index (CSI)"]
    words = feedback.headline_in_words(frame)
    assert words[0].startswith("NPS: 15 (")
    assert "n = 40) of answers without incentive, 51.4 (" in words[0]
    assert words[1].startswith("Satisfaction index (CSI): 73.2 (72.5–74.0, n = 357)")
    ax = feedback.plot_headline(frame)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["NPS", "", "Satisfaction index (CSI)"]
    same = feedback.headline(plain, plain)
    assert list(same["answers"]) == ["all answers"]
    nothing = feedback.headline(plain[:0], plain[:0])
    assert feedback.headline_in_words(nothing) == ["Nobody was asked for NPS, CSAT or CES."]
    assert feedback.plot_headline(nothing).texts[0].get_text() == "Too few answers to tell"
    few = all_measures(surveys(scored("nps", TEN[:7])))
    assert feedback.headline_in_words(feedback.headline(few, few)) == [
        "NPS: too early to say (n = 7; fewer than 30 people answered)."
    ]
    assert feedback.describe_headline(frame).startswith("Dots with intervals. NPS:")
    matplotlib.pyplot.close("all")


def test_findings():
    (found,) = feedback.score_findings(all_measures(surveys(scored("nps", TEN))), answers="answers without incentive")
    assert found.id == "feedback.nps"
    assert found.sentence().startswith("The Net Promoter Score is 15 points (answers without incentive; ")


PREPBENCH = """\
client: Sudzilla
currency: GBP
time_zone: Europe/London
scales: {{nps: [0, 10]}}
tables:
  surveys:
    path: ${{CXKIT_DATA}}/prepbench_nps/{file}
    date_format: ["%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f"]
    columns: {{answered_at: Timestamp, metric: "{asks}", score: "{asks}", comment: "...why?"}}
    values: {{metric: {{{every}}}}}
"""


@pytest.mark.parametrize("file", ["input_01.csv", "input_02.csv"])
def test_a_published_score_comes_out_of_both_its_files(file, tmp_path):
    shared_data()
    asks = "On a scale of 0-10, how would you rate Sudzilla?"
    every = ", ".join(f'"{score}": nps' for score in range(11))
    home = tmp_path / "sudzilla"
    home.mkdir()
    (home / "client.yml").write_text(PREPBENCH.format(file=file, asks=asks, every=every), encoding="utf-8")
    loaded = sources.load(load_client(home))
    table = engine.read_parquet(engine.connect(), loaded.tables["surveys"])
    score = feedback.nps(table, scales={"nps": (0, 10)})
    assert (round(score.value, 1), score.n) == (-35.9, 39)
    assert -61 < score.low < score.high < -7


NPS_FR = """\
client: Jardinerie
currency: EUR
time_zone: Europe/Paris
scales: {nps: [1, 10], csat: [1, 10]}
tables:
  surveys:
    path: answers.csv
    max_refused_share: 0.2
    columns: {answered_at: day, metric: metric, score: score, customer_id: id, comment: text}
"""


def test_french_answers_on_one_to_ten(tmp_path):
    source = shared_data() / "nps_fr" / "nps.csv"
    home = tmp_path / "jardinerie"
    home.mkdir()
    (home / "client.yml").write_text(NPS_FR, encoding="utf-8")
    raw = pd.read_csv(source, encoding="latin-1")
    long = raw.melt(
        id_vars=["id", "explication"], value_vars=["nps", "satisfaction"], var_name="metric", value_name="score"
    )
    long = long.assign(metric=long["metric"].replace("satisfaction", "csat"), day="2020-01-15").rename(
        columns={"explication": "text"}
    )
    long.to_csv(home / "answers.csv", index=False, quoting=csv.QUOTE_ALL)
    client = load_client(home)
    loaded = sources.load(client)
    table = engine.read_parquet(engine.connect(), loaded.tables["surveys"])
    expected = raw["nps"].dropna()
    score = feedback.nps(table, scales=client.scales)
    assert score.value == pytest.approx(100 * ((expected >= 9).mean() - (expected <= 6).mean()), abs=0.2)
    assert score.n == pytest.approx(len(expected), abs=25)  # exact duplicates are refused
    assert score.high - score.low < 3
