"""What is not known of answers, whether the scale is right, which change they could show."""

import numpy as np
import pytest
from hand_answers import SCALES, scored, surveys
from scipy.special import stdtrit

from cxkit import answer_checks as checks
from cxkit import feedback


def readings(rows: list[dict], scales=SCALES, **more) -> dict:
    frame = checks.scale_check(surveys(rows, **more), scales)
    return {(row.metric, row.part): (row.fits, row.reading) for row in frame.itertuples()}


def test_a_scale_whose_top_nobody_gave_is_doubted():
    told = readings(scored("csat", [1.0, 3.0, 5.0] * 10), {"csat": (1, 10)})
    assert told == {("csat", "2026"): (False, "no answer above 5 of 10 declared: is the scale right?")}
    assert readings(scored("csat", [5.0] * 29), {"csat": (1, 10)})["csat", "2026"] == (True, "too few answers to tell")
    assert readings(scored("csat", [1.0, 5.0] * 15))["csat", "2026"][0]


def test_a_scale_from_nought_that_was_asked_from_one():
    told = readings(scored("nps", [1.0] * 12 + [10.0] * 30))
    assert told["nps", "2026"] == (False, "no answer of 0, and 12 of 1: is the scale right?")
    assert readings(scored("nps", [1.0] * 9 + [10.0] * 30))["nps", "2026"][0], "nine of 1 prove nothing"
    declared = readings(scored("nps", [1.0] * 12 + [10.0] * 30), {"nps": (1, 10)})["nps", "2026"]
    assert declared == (True, "nothing speaks against it; asked from 1: there are no zeros")


def test_an_undeclared_scale_says_what_to_write():
    told = readings(scored("ces", [1.0, 6.0] * 20), {})
    assert told["ces", "2026"] == (
        False,
        "not declared: write scales.ces: [lowest, highest] in client.yml (answers from 1 to 6 were found)",
    )


def test_surveys_are_looked_at_alone_where_there_are_few():
    rows = scored("csat", [5.0] * 30, survey_id="one") + scored("csat", [10.0] * 30, survey_id="two")
    told = readings(rows, {"csat": (1, 10)})
    assert [told["csat", name][0] for name in ("one", "two")] == [False, True]
    many = [row | {"survey_id": f"s{i}"} for i, row in enumerate(scored("csat", [5.0] * 40))]
    assert list(readings(many)) == [("csat", "2026")]
    assert list(readings(many, without=("survey_id",))) == [("csat", "2026")]


def test_scales_in_words():
    frame = checks.scale_check(surveys(scored("csat", [5.0] * 40)), {"csat": (1, 7)})
    assert checks.scales_in_words(frame) == ["CSAT, 2026: no answer above 5 of 7 declared: is the scale right?"]
    fine = checks.scale_check(surveys(scored("csat", [5.0] * 40)), SCALES)
    assert checks.scales_in_words(fine)[0].startswith("The answers that were kept fit the scale")
    assert checks.scales_in_words(fine[:0]) == ["No answer with a score was found."]


def test_nothing_rests_on_a_doubted_scale():
    rows = scored("nps", [1.0, 3.0, 5.0] * 20, survey_id="B") + scored("nps", [0.0, 10.0] * 30, survey_id="A")
    table = surveys(rows + scored("csat", [5.0] * 40, survey_id="A") + scored("ces", [1.0, 7.0] * 20, survey_id="A"))
    scales = {"nps": (0, 10), "csat": (1, 5)}
    check = checks.scale_check(table, scales)
    assert checks.doubted(check) == ["nps"], "an undeclared scale has words of its own"
    assert checks.doubt_in_words(check) == [
        "NPS: too early to say: is the scale right? Its answers do not fit the declared scale (B: no answer above 5 of"
        " 10 declared; no answer of 0, and 20 of 1), so no comparison or finding rests on them, and a number of theirs"
        " below may be wrong."
    ]
    sure = checks.without_doubted(table, check)
    assert sorted(sure.metric.execute().unique()) == ["ces", "csat"]
    assert checks.sure_scales(scales, check) == {"csat": (1, 5)}
    measures = feedback.measured(feedback.answers(feedback.asked(table, scales=scales)), scales=scales)
    nps, csat, _ = feedback.score_findings(measures, doubted=["nps"])
    assert nps.sentence().startswith("NPS: too early to say (n = 120; is the scale right?")
    assert csat.estimate.known
    fine = check[check["metric"] == "csat"]
    assert checks.without_doubted(table, fine) is table
    assert checks.doubt_in_words(fine) == []


def test_overview_by_hand():
    rows = scored("nps", [9.0, 8.0, 7.0], incentive=True, comment="добре")
    rows += [
        {"score": 9.0, "customer_id": "c0", "incentive": False},
        {"score": None, "customer_id": "c9", "comment": ""},
    ]
    rows += [{"score": 1.0}]
    (row,) = checks.overview(surveys(rows)).itertuples()
    assert (row.answers, row.without_score, row.people) == (5, 1, 4)
    assert row.often_share == 1 / 4
    assert row.without_customer_share == 1 / 6
    assert row.comment_share == 3 / 6
    assert row.incentive_share == 3 / 4
    assert row.incentive_unknown_share == pytest.approx(2 / 6)
    bare = checks.overview(surveys(rows, without=("incentive", "comment", "customer_id", "survey_id")))
    assert bare["people"][0] == 5
    assert np.isnan(bare["incentive_share"][0])
    assert len(checks.overview(surveys([]))) == 0


def test_refused_in_words():
    account = {"rows_in": 1000, "refused": {"score missing": 342, "exact duplicate of an earlier record": 2}}
    assert checks.refused_in_words(account) == (
        "Of 1,000 rows of the export of answers, 344 were refused: 342 score missing; "
        "2 exact duplicate of an earlier record."
    )
    many = {"rows_in": 383, "refused": {"score off the scale that client.yml declares": 191}}
    assert "look like a survey on another one" in checks.refused_in_words(many)
    assert checks.refused_in_words({"rows_in": 1, "refused": {}}) == "The one row of the export of answers was kept."
    one = {"rows_in": 3, "refused": {"score missing": 1}}
    assert checks.refused_in_words(one).endswith("of answers, 1 was refused: 1 score missing.")
    assert checks.refused_in_words(one | {"rows_in": 1}) == (
        "The export of answers has one row, which was refused: 1 score missing."
    )
    assert checks.refused_in_words({"rows_in": 5, "refused": {}}) == "All 5 rows of the export of answers were kept."


def test_the_smallest_change_is_lehrs():
    rows = scored("nps", [10.0] * 50 + [0.0] * 50) + scored("csat", [5.0] * 60 + [1.0] * 40)
    measures = feedback.measured(feedback.answers(feedback.asked(surveys(rows), scales=SCALES)), scales=SCALES)
    frame = checks.smallest_change(measures).set_index("measure")
    z = stdtrit(99, 0.975) + stdtrit(99, 0.8)
    assert frame.loc["nps", "smallest_change"] == pytest.approx(z * np.sqrt(2) * 100 / np.sqrt(99))
    assert frame.loc["csat", "smallest_change"] == pytest.approx(100 * z * np.sqrt(2 * 0.6 * 0.4 / 99))
    # Lehr: n = 16 s^2 / d^2 at 80 %
    assert pytest.approx(16 * 100**2 / frame.loc["nps", "smallest_change"] ** 2, rel=0.05) == 100
    assert frame.loc[["nps", "csat"], "score"].tolist() == ["NPS", "CSAT"]
    assert frame.loc[["nps", "csat"], "now"].tolist() == ["0", "60 %"]
    assert len(checks.smallest_change(measures[:0])) == 0
    alike = feedback.measured(
        feedback.answers(feedback.asked(surveys(scored("nps", [10.0] * 40)), scales=SCALES)), scales=SCALES
    )
    assert checks.smallest_change(alike)["smallest_change"].isna().all(), "all answers alike tell no spread"
