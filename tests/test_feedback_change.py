"""Differences by period, touchpoint, segment and channel as one family; the course by month."""

from datetime import date

import ibis
import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_answers import SCALES, scored, surveys

from cxkit import feedback
from cxkit import feedback_change as change
from cxkit.answer_sums import MIDDLE
from cxkit.errors import UsageError

DAY = date(2026, 6, 30)
GOOD, BAD = [10.0] * 30 + [7.0] * 10, [0.0] * 30 + [7.0] * 10


def asked(rows: list[dict], **more):
    return feedback.asked(surveys(rows, **more), scales=SCALES)


def test_periods_by_hand():
    rows = scored("nps", GOOD, answered_on="2026-06-01") + scored("nps", BAD, prefix="b", answered_on="2026-05-30")
    rows += scored("nps", [0.0] * 50, prefix="old", answered_on="2025-01-01")
    frame = change.all_differences(change.periods(asked(rows), as_of=DAY, period_days=31))
    assert (frame["value"][0], frame["others"][0], frame["difference"][0]) == (75, -75, 150)
    assert change.change_in_words(frame)[0].startswith("NPS went from −75 to 75: +150 points, ")
    assert change.change_in_words(frame)[0].endswith("rose for certain.")
    only_now = change.all_differences(change.periods(asked(rows[:40]), as_of=DAY, period_days=31))
    assert change.change_in_words(only_now) == ["NPS: too few: under 30 people on a side; no change can be told."]
    with pytest.raises(UsageError, match="period_days must be at least 1; found 0"):
        change.periods(asked(rows), as_of=DAY, period_days=0)
    assert change.change_in_words(change.all_differences())[0].startswith("Nothing lies before this period")


def three_touchpoints() -> list[dict]:
    rows = scored("nps", GOOD, prefix="a", touchpoint="product") + scored(
        "nps", GOOD, prefix="b", touchpoint="Payment page"
    )
    return rows + scored("nps", BAD, prefix="c", touchpoint="advice {x}")


def test_touchpoints_and_their_findings():
    frame = change.all_differences(change.by_touchpoint(asked(three_touchpoints())))
    assert dict(zip(frame["name"], frame["reading"], strict=True)) == {
        "advice {x}": "lower",
        "Payment page": MIDDLE,
        "product": MIDDLE,
    }, "one weak touchpoint lifts no other"
    assert (frame["low"] > 0).sum() == 2, "from the others together they differ for certain"
    words = change.certain_in_words(frame, change.TOUCHPOINT)
    assert words[0].startswith("NPS certainly below the others and the middle one: “advice {x}” (−150 ")
    found = change.touchpoint_findings(frame)
    assert [f.id for f in found] == ["feedback.touchpoint.advice_{x}"]
    told = "NPS of “advice {x}” is −75, of the other touchpoints together 75: a difference of −150 points ("
    assert found[0].sentence().startswith(told)
    assert found[0].sentence().endswith("; over all answers.")
    assert found[0].label == "NPS of “advice {x}” against the other touchpoints"
    (plain,) = change.touchpoint_findings(frame, answers="answers without incentive")
    assert plain.sentence().endswith("; over all answers without incentive.")
    assert [f.quadrant() for f in found] == ["weakness"]
    assert found[0].target_source == "no difference"
    assert found[0].estimate.method.endswith("; 3 comparisons judged together (Holm)")


def test_findings_are_the_three_weakest_touchpoints():
    rows = []
    for k in range(10):  # four weak ones, one strong one
        good = 18 * (k - 4) if 0 <= k - 4 < 1 else {0: 10, 1: 4, 2: 0, 3: 7}.get(k, 60 if k < 9 else 100)
        rows += scored("nps", [10.0] * good + [0.0] * (100 - good), prefix=f"t{k}x", touchpoint=f"t{k}")
    frame = change.all_differences(change.by_touchpoint(asked(rows)))
    assert (frame["reading"] == "lower").sum() > 3
    assert (frame["reading"] == "higher").any()
    found = change.touchpoint_findings(frame)
    assert [f.quadrant() for f in found] == ["weakness"] * 3
    lowest = frame.sort_values("difference")["name"][:3]
    assert [f.id for f in found] == [f"feedback.touchpoint.{name}" for name in lowest]


def test_two_weak_touchpoints_make_no_others_strong():
    rng = np.random.default_rng(1)
    rows = []
    for k in range(8):
        good, bad = (0.3, 0.4) if k < 2 else (0.6, 0.15)
        scores = rng.choice([10.0, 7.0, 0.0], p=[good, 1 - good - bad, bad], size=400)
        rows += scored("nps", list(scores), prefix=f"t{k}x", touchpoint=f"t{k}")
    frame = change.all_differences(change.by_touchpoint(asked(rows))).set_index("name")
    assert list(frame.loc[["t0", "t1"], "reading"]) == ["lower", "lower"]
    assert (frame["low"] > 0).sum() >= 3, "against the others pooled alone they would be higher for certain"
    assert not (frame["reading"] == "higher").any()


def test_of_two_the_middle_says_nothing():
    rows = scored("nps", GOOD, prefix="a", touchpoint="a") + scored("nps", BAD, prefix="b", touchpoint="b")
    assert list(change.all_differences(change.by_touchpoint(asked(rows)))["reading"]) == ["higher", "lower"]


def test_the_metric_of_the_page_is_one_that_was_asked():
    rows = asked(scored("csat", [5.0] * 20, touchpoint="a"))
    family = change.all_differences(change.by_touchpoint(rows))
    measures = feedback.measured(feedback.answers(rows), scales=SCALES)
    assert change.main_metric(family, measures) == "csat"
    assert change.main_metric(change.all_differences()) == "nps", "nobody was asked"


def test_a_metric_whose_scale_is_doubted_is_not_compared():
    family = change.all_differences(change.periods(asked([]), as_of=DAY, period_days=31))
    assert change.change_in_words(family, doubted=["csi_item", "nps"]) == ["NPS: too early to say: is the scale right?"]
    words = change.certain_in_words(family, change.TOUCHPOINT, doubted=["nps"])
    assert words == ["Too few answers of which the scale is not doubted to compare by touchpoint."]


def test_segments_and_channels():
    rows = scored("nps", GOOD, order_id="o1") + scored("nps", BAD, prefix="d", order_id="o2")
    groups = pd.DataFrame(
        {"customer_id": [f"{p}{i}" for p in "cd" for i in range(40)], "group": ["one"] * 40 + ["two"] * 40}
    )
    orders = ibis.memtable({"order_id": ["o1", "o1", "o2"], "channel": ["web", "web", "app"]})
    frame = change.all_differences(change.by_segment(asked(rows), groups), change.by_channel(asked(rows), orders))
    assert frame.set_index(["about", "name"])["value"].to_dict() == {
        ("segment", "one"): 75, ("segment", "two"): -75, ("channel of the order", "app"): -75,
        ("channel of the order", "web"): 75,
    }  # fmt: skip
    assert frame["level"].max() == pytest.approx(0.975), "of two that are each other's others one test counts"
    assert list(change.about(frame, change.SEGMENT)["name"]) == ["two", "one"], "the lowest first"


ONE_GROUP = pd.DataFrame({"customer_id": ["a0"], "group": ["x"]})
ONE_CHANNEL = ibis.memtable({"order_id": ["o"], "channel": ["w"]})


@pytest.mark.parametrize(
    "frame",
    [
        change.by_segment(asked(three_touchpoints()), None),
        change.by_segment(asked(three_touchpoints()), ONE_GROUP[:0]),
        change.by_segment(asked(three_touchpoints(), without=("customer_id",)), ONE_GROUP),
        change.by_channel(asked(three_touchpoints()), None),
        change.by_channel(asked(three_touchpoints(), without=("order_id",)), ONE_CHANNEL),
        change.by_touchpoint(asked(three_touchpoints(), without=("touchpoint",))),
        change.by_touchpoint(asked([])),
    ],
)
def test_what_is_not_there_has_no_rows(frame):
    family = change.all_differences(frame)
    assert len(family) == 0
    assert change.certain_in_words(family, change.SEGMENT) == ["Too few answers to compare by segment."]
    assert change.touchpoint_findings(family) == []
    ax = change.plot_differences(change.about(family, change.SEGMENT, metric="nps"), title="x")
    assert ax.texts[0].get_text() == "Too few answers to compare"
    matplotlib.pyplot.close("all")


def test_the_picture_shows_the_ends_of_many():
    rows = [
        row
        for k in range(20)
        for row in scored("nps", GOOD, prefix=f"p{k}x", touchpoint=f"довга назва точки дотику {k:02}")
    ]
    frame = change.all_differences(change.by_touchpoint(asked(rows)))
    ax = change.plot_differences(change.about(frame, change.TOUCHPOINT, metric="nps"), title="NPS")
    assert len(ax.get_yticks()) == 12
    assert change.certain_in_words(frame, change.TOUCHPOINT) == [
        "By touchpoint no score is told apart from the others and the middle one: too early to say."
    ]
    assert change.describe_differences(frame, what=change.TOUCHPOINT).startswith("Dots with intervals around")
    matplotlib.pyplot.close("all")


def test_the_course_by_month():
    rows = scored("nps", GOOD, answered_on="2026-03-05") + scored("nps", GOOD[:5], prefix="f", answered_on="2026-04-05")
    rows += scored("nps", BAD, prefix="b", answered_on="2026-06-05")
    monthly = feedback.measured(feedback.answers(change.by_month(asked(rows)), by=["month"]), scales=SCALES)
    nps = monthly[monthly["measure"] == "nps"]
    assert list(nps["month"]) == ["2026-03", "2026-04", "2026-06"]
    assert np.isnan(nps["value"].iloc[1]), "five people tell no score"
    ax = change.plot_months(monthly, measure="nps", as_of=date(2026, 6, 20))
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert [list(line.get_xdata()) for line in hollow] == [[3]], "June is cut and stands in its own place"
    text = change.describe_months(monthly, measure="nps")
    assert text.startswith("NPS by month with intervals; first 2026-03: 75 (")
    assert (
        change.plot_months(monthly[:0], measure="csat", as_of=DAY).texts[0].get_text()
        == "Too few answers in every month"
    )
    assert change.describe_months(monthly[:0], measure="csat").endswith("too few answers in every month.")
    matplotlib.pyplot.close("all")
