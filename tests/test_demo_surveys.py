"""Surveys, invitations, reviews: means by group and touchpoint, bias of promised discounts, gaps to expectation."""

import numpy as np
import pandas as pd
import pytest
from demo_raw import clean, groups, orders, raw, truth

from cxkit.demo import draw
from cxkit.demo_plan import read_yaml, scenario_plan

SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "csi_item": (1, 5), "expectation": (1, 5)}
WEAK = ["advice", "payment_page"]


def answers(metric: str) -> pd.DataFrame:
    frame = clean("surveys", "Answered")
    frame = frame[frame["Question"] == metric]
    late = orders()["delivered"].str[:10] > orders()["promised"].str[:10]
    return frame.assign(
        score=frame["Answer"].astype(int), late=frame["Order"].map(late), group=frame["Customer"].map(groups())
    )


def test_scores_stay_on_their_scales():
    frame = raw("surveys")
    for metric, (low, high) in SCALES.items():
        scores = frame.loc[frame["Question"] == metric, "Answer"].astype(int)
        assert len(scores) > 900, metric
        assert low <= scores.min() <= low + 1, metric
        assert scores.max() == high, metric


@pytest.mark.parametrize("metric", ["nps", "csat", "ces"])
def test_weak_touchpoints_lateness_and_discounts_move_the_answers(metric):
    frame, planted = answers(metric), truth()["surveys"]
    weak = frame["About"].isin(WEAK)
    rooms = {"weak": weak, "late": frame["late"] == True, "incentive_bias": frame["Discount promised"] == "yes"}  # noqa: E712
    for name, here in rooms.items():
        gap = frame.loc[here, "score"].mean() - frame.loc[~here, "score"].mean()
        size = planted[name][metric]
        assert np.sign(gap) == np.sign(size)
        assert 0.35 * abs(size) < abs(gap) < 1.35 * abs(size), name  # the scale's end takes some of it


@pytest.mark.parametrize("metric", ["nps", "csat", "ces"])
def test_both_weak_touchpoints_have_the_lowest_means(metric):
    means = answers(metric).groupby("About")["score"].mean()
    assert set(means.nsmallest(2).index) == set(WEAK)


def test_groups_answer_the_nps_in_the_planted_order():
    means = answers("nps").groupby("group")["score"].mean()
    planted = pd.Series({name: facts["nps"] for name, facts in truth()["groups"].items()})
    assert means.idxmax() == planted.idxmax()
    assert means.idxmin() == planted.idxmin()
    assert np.corrcoef(means.sort_index(), planted.sort_index())[0, 1] > 0.9


def test_response_rates_are_the_planted_ones():
    sent, planted = raw("invitations"), truth()["surveys"]["answered"]
    replied = sent["Survey"].isin(raw("surveys")["Survey"])
    after_order = ~sent["Survey"].str.startswith("CSI")
    for promised, key in (("yes", "incentive"), ("no", "plain")):
        here = after_order & (sent["Discount promised"] == promised)
        assert replied[here].mean() == pytest.approx(planted[key], abs=0.03)
    assert (sent.loc[after_order, "Discount promised"] == "yes").mean() == pytest.approx(0.25, abs=0.02)


def test_nobody_answers_before_being_asked_or_after_the_period():
    frame = clean("surveys", "Answered")
    assert (frame["time"] >= pd.to_datetime(frame["Sent"])).all()
    assert frame["time"].max() < pd.Timestamp("2026-07-01")
    first = frame.merge(orders()[["delivered"]], left_on="Order", right_index=True)
    assert (first["Sent"] > first["delivered"]).all()


def test_delivery_falls_short_of_what_was_expected():
    frame = clean("surveys", "Answered").query("Item != ''").assign(score=lambda f: f["Answer"].astype(int))
    means = frame.groupby(["Item", "Question"])["score"].mean().unstack()
    gap = means["csi_item"] - means["expectation"]
    planted = truth()["csi"]
    for item in planted["items"]:
        assert gap[item] == pytest.approx(planted["gap"].get(item, 0), abs=0.15), item


def test_comments_speak_three_languages_and_of_their_touchpoint():
    frame = raw("surveys")
    words = frame.loc[frame["Comment"] != "", "Comment"]
    after_order = ~frame["Question"].isin(["csi_item", "expectation"])
    assert (frame.loc[after_order, "Comment"] != "").mean() == pytest.approx(truth()["surveys"]["comment"], abs=0.03)
    assert words.str.contains("[іїєґ]").any()
    assert words.str.contains("[ąęłńśźż]").any()
    assert words.str.contains(r"\bthe\b").any()
    bad = frame.query("About == 'payment_page' and Question == 'csat' and Comment != '' and Answer in ['1', '2']")[
        "Comment"
    ]
    assert bad.str.contains("плат|карт|płatno|kart|pay|card|charged|кошик", case=False).mean() > 0.5


def test_reviews_are_of_what_was_bought():
    frame = raw("reviews")
    bought = set(zip(raw("orders")["Customer"], raw("orders")["SKU"], strict=True))
    assert set(zip(frame["Customer"], frame["SKU"], strict=True)) <= bought
    assert frame["Stars"].isin(list("12345")).all()
    assert 500 < len(frame) < 1100
    catalogue = raw("catalogue").set_index("SKU")["Section"]
    assert (frame["SKU"].map(catalogue) == frame["Section"]).all()


def test_null_s_answers_depend_on_nothing():
    made = draw(scenario_plan("null"), seed=6)
    frame = made["answers"].query("metric == 'nps'")
    late = frame["order"].map(made["placed"].set_index("order")["late"]).astype(bool)
    for here in (frame["touchpoint"].isin(WEAK), late, frame["incentive"].astype(bool)):
        a, b = frame.loc[here, "score"], frame.loc[~here, "score"]
        assert abs(a.mean() - b.mean()) < 3.3 * np.hypot(a.std() / len(a) ** 0.5, b.std() / len(b) ** 0.5)


def test_null_s_comments_tell_nothing_of_the_score():
    bank = read_yaml("demo_voices.yml")["comments"]
    bad = {text for theme in bank.values() for texts in theme["bad"].values() for text in texts}
    for scenario, apart in (("default", True), ("null", False)):
        frame = draw(scenario_plan(scenario), seed=6)["answers"].query("metric == 'nps' and comment.notna()")
        sounds_bad = np.array([any(text in said for text in bad) for said in frame["comment"]])
        a, b = frame.loc[sounds_bad, "score"], frame.loc[~sounds_bad, "score"]
        assert (abs(a.mean() - b.mean()) > 3.3 * np.hypot(a.std() / len(a) ** 0.5, b.std() / len(b) ** 0.5)) == apart
