"""Response rates by hand; what a promised reward does to the answers."""

from datetime import date

import matplotlib
import numpy as np
import pytest
from hand_answers import SCALES, invitations, scored, surveys

from cxkit import feedback, response
from cxkit.estimates import wilson

DAY = date(2026, 6, 30)


def asked_and_answered(n: int = 40, answered: int = 10, *, day: str = "2026-06-01", flag: bool = False):
    sent = [(day, f"NPS-{i}", f"c{i}", flag) for i in range(n)]
    given = [
        {"score": 9.0, "customer_id": f"c{i}", "survey_id": f"NPS-{i}", "incentive": flag} for i in range(answered)
    ]
    return sent, given


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([True, False, None], "answers without incentive"),
        ([False, None], ""),
        ([None, None], ""),
        ([True, True], "answers that were rewarded, there being no others"),
    ],
)
def test_which_answers_the_scores_rest_on(flags, words):
    table = surveys([{"score": 9.0, "incentive": flag} for flag in flags])
    assert response.which_answers(feedback.asked(table, scales=SCALES)) == words
    assert response.which_answers(surveys([{"score": 9.0}], without=("incentive",))) == ""


def test_rates_by_hand():
    sent, given = asked_and_answered()
    rewarded, replies = asked_and_answered(20, 15, day="2026-05-03", flag=True)
    sent += [(d, s.replace("NPS", "CES"), c, f) for d, s, c, f in rewarded]
    later = {"metric": "ces", "answered_on": "2026-05-03"}
    given += [row | later | {"survey_id": row["survey_id"].replace("NPS", "CES")} for row in replies]
    rates = response.response_rates(invitations(sent), surveys(given), as_of=DAY)
    got = {(r.about, r.name): (r.invited, r.answered, r.value) for r in rates.itertuples()}
    assert got["all invitations", "all invitations"] == (60, 25, 25 / 60)
    assert got["survey", "NPS"] == (40, 10, 0.25)
    assert got["survey", "CES"] == (20, 15, 0.75)
    assert got["incentive", "with incentive"] == (20, 15, 0.75)
    assert got["incentive", "without incentive"] == (40, 10, 0.25)
    assert got["month", "2026-05"] == (20, 15, 0.75)
    assert set(rates["method"]) == {"Wilson, people as units; matched by survey and customer"}
    one = rates[rates["name"] == "NPS"].iloc[0]
    plain = wilson(10, 40)
    assert one["low"] == pytest.approx(plain.low, abs=0.005), "each was invited once: Wilson, with Student's t"
    assert one["high"] >= plain.high
    assert response.rates_in_words(rates)[0] == "42 % of all invitations are answered (28–57 %, n = 60)."
    assert response.response_rate(rates).n == 60
    assert "42 % of invitations" in response.response_finding(response.response_rate(rates)).sentence()


def test_fresh_invitations_are_left_out():
    sent, given = asked_and_answered()
    fresh = [("2026-06-25", f"NPS-9{i}", f"d{i}", False) for i in range(30)]
    rates = response.response_rates(invitations(sent + fresh), surveys(given), as_of=DAY)
    assert rates["invited"].iloc[0] == 40, "the last seven days may still be answered"
    assert response.response_rates(invitations(sent + fresh), surveys(given), as_of=date(2026, 7, 2))["n"].iloc[0] == 70


def test_invitations_from_before_the_export_of_answers_are_left_out():
    sent, given = asked_and_answered()
    older = [("2026-05-01", f"NPS-8{i}", f"e{i}", False) for i in range(30)]
    answers = surveys([row | {"answered_on": "2026-06-01"} for row in given])
    assert response.response_rates(invitations(sent + older), answers, as_of=DAY)["n"].iloc[0] == 40
    none = response.response_rates(invitations(sent), surveys([]), as_of=DAY)
    assert "nobody was invited while answers were recorded" in response.rates_in_words(none)[0]


def test_how_answers_find_their_invitations():
    sent, given = asked_and_answered()
    assert response.matched_by(invitations(sent), surveys(given)) == response.BOTH
    assert response.matched_by(invitations(sent, without=("customer_id",)), surveys(given)) == response.SURVEY
    wave = [(d, "wave 1", c, f) for d, _, c, f in sent]
    assert response.matched_by(invitations(wave, without=("customer_id",)), surveys(given)) == response.COUNTED
    strangers = [row | {"survey_id": "other"} for row in given]
    assert response.matched_by(invitations(sent), surveys(strangers)) == response.COUNTED
    assert response.matched_by(invitations(sent, without=("survey_id",)), surveys(given)) == response.COUNTED


def test_counted_where_they_cannot_be_matched():
    sent, given = asked_and_answered()
    rates = response.response_rates(invitations(sent, without=("survey_id",)), surveys(given), as_of=DAY)
    assert list(rates["about"]) == ["all invitations", "month"]
    assert (rates["invited"][0], rates["answered"][0], rates["value"][0]) == (40, 10, 0.25)
    assert "counted, not matched" in rates["method"][0]
    more = [row | {"customer_id": f"x{i}"} for i, row in enumerate(given * 5)]
    rates = response.response_rates(invitations(sent, without=("survey_id",)), surveys(more), as_of=DAY)
    assert np.isnan(rates["value"][0])
    assert rates["method"][0].startswith("more answers than invitations")
    assert "cannot be told" in response.rates_in_words(rates)[0]


def test_who_is_invited_often_counts_once():
    sent, given = asked_and_answered()
    often = [(d, f"{s}-{k}", c, f) for d, s, c, f in sent for k in range(4)]
    replies = [row | {"survey_id": f"{row['survey_id']}-{k}"} for row in given for k in range(4)]
    once, four = (
        response.response_rates(invitations(i), surveys(s), as_of=DAY) for i, s in ((sent, given), (often, replies))
    )
    assert four["n"][0] == 160
    assert four["people"][0] == 40
    assert four["high"][0] - four["low"][0] == pytest.approx(once["high"][0] - once["low"][0], rel=0.03)


def test_nobody_was_invited():
    rates = response.response_rates(invitations([]), surveys([]), as_of=DAY)
    assert not response.response_rate(rates).known
    assert "fewer than 30 invitations" in response.response_finding(response.response_rate(rates)).sentence()
    assert response.rates_in_words(rates)
    assert response.plot_rates(rates).texts[0].get_text() == "No rate can be told"
    matplotlib.pyplot.close("all")


def promised() -> list[dict]:
    plain = scored("nps", [10.0] * 20 + [0.0] * 20, incentive=False)
    return plain + scored("nps", [10.0] * 35 + [7.0] * 5, prefix="p", incentive=True)


def test_what_a_promise_does():
    table = feedback.asked(surveys(promised()), scales=SCALES)
    effect = response.incentive_effect(table)
    assert list(effect["name"]) == ["with incentive"]
    assert (effect["value"][0], effect["others"][0], effect["difference"][0]) == (87.5, 0, 87.5)
    assert effect["reading"][0] == "higher"
    (words,) = response.incentive_in_words(effect)
    assert words.startswith("NPS: 87.5 and 0 with and without a promised reward, for certain higher: 87.5 points")
    (found,) = response.incentive_finding(effect)
    assert (found.id, found.quadrant()) == ("feedback.incentive_bias", "weakness")
    assert found.target_source == "no difference"
    assert found.estimate.method.endswith("; 1 comparisons judged together (Holm)")


def test_a_promise_that_lowers_scores_is_a_weakness_too():
    turned = [row | {"incentive": not row["incentive"]} for row in promised()]
    (found,) = response.incentive_finding(response.incentive_effect(feedback.asked(surveys(turned), scales=SCALES)))
    assert found.estimate.value == -87.5
    assert found.quadrant() == "weakness"


def test_answers_without_a_promise():
    rows = promised()
    table = feedback.asked(surveys(rows), scales=SCALES)
    assert response.without_incentive(table).count().execute() == 40
    unsaid = [row | {"incentive": None} for row in rows]
    assert response.without_incentive(feedback.asked(surveys(unsaid), scales=SCALES)).count().execute() == 80
    bare = feedback.asked(surveys(rows, without=("incentive",)), scales=SCALES)
    assert response.without_incentive(bare).count().execute() == 80
    effect = response.incentive_effect(bare)
    assert len(effect) == 0
    assert response.incentive_finding(effect) == []
    assert "cannot be told: of no answer is it known" in response.incentive_in_words(effect)[0]


def test_few_answers_on_one_side():
    rows = scored("nps", [10.0] * 40, incentive=False) + scored("nps", [0.0] * 10, prefix="p", incentive=True)
    effect = response.incentive_effect(feedback.asked(surveys(rows), scales=SCALES))
    assert response.incentive_in_words(effect) == ["NPS: too few answers on one side to compare."]
    (found,) = response.incentive_finding(effect)
    assert not found.estimate.known
    assert "too early to say" in found.sentence()
