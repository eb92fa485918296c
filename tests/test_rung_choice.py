"""The choice among rungs, from errors by hand; on the demo it is held in test_holdout.py."""

import pandas as pd
import pytest

from cxkit import rung_choice
from cxkit.errors import UsageError
from cxkit.holdout import BY_CLASS


def errors(**values: tuple[float, float, float, float]) -> pd.DataFrame:
    """Totals with errors of purchases and revenue and their standard errors."""
    rows = []
    for rung, (purchases, its, revenue, error) in values.items():
        for measure, value, half in (("purchases", purchases, 1.96 * its), ("revenue", revenue, 1.96 * error)):
            row = {"rung": rung.replace("_", " "), "label": rung, "measure": measure, "value": value}
            rows.append(row | {"low": value - half, "high": value + half, "n": 900, "level": 0.95, "method": "by hand"})
    return pd.DataFrame(rows)


NO_CLASSES = pd.DataFrame(columns=list(BY_CLASS))


def test_the_simplest_that_holds_in_both_is_recommended():
    totals = errors(
        article=(0.3, 0.01, 0.0, 0.01),  # the revenue is right by two wrongs
        historic=(0.02, 0.2, 0.0, 0.01),  # the purchases may be
        cohort=(0.02, 0.01, -0.03, 0.01),
        model=(0.0, 0.01, 0.0, 0.01),
        last_year=(0.0, 0.001, 0.0, 0.001),  # the benchmark is no rung
    )
    choice = rung_choice.choose_rung(totals, NO_CLASSES)
    verdicts = [rung_choice.FAILS, rung_choice.EARLY, rung_choice.HOLDS, rung_choice.HOLDS, rung_choice.HOLDS]
    assert choice["verdict"].to_list() == verdicts
    assert choice["recommended"].to_list() == choice["used"].to_list() == [False, False, True, False, False]
    words = " ".join(rung_choice.choice_in_words(choice, weeks=26))
    assert words.startswith("Each way to reckon it was asked for the last 26 weeks from what lay before them: “what")
    assert "is enough, the simplest shown to lie within 10 % of the purchases" in words
    assert "Refuted: “the average buyer of the last year”." in words


def test_where_all_are_refuted_nothing_is_used():
    choice = rung_choice.choose_rung(errors(article=(0.5, 0.01, 0.5, 0.01), last_year=(0, 0.01, 0, 0.01)), NO_CLASSES)
    assert not choice[["recommended", "used", "best_apart"]].any(axis=None)
    words = rung_choice.choice_in_words(choice, weeks=26)
    assert "none lay within 10 % of the purchases and the revenue that came. Take no total" in words[0]


def test_verdicts_hold_together():
    """An error that alone would be refuted is not where ten are judged at once."""
    alone = errors(article=(0.125, 0.011, 0.0, 0.001))
    many = pd.concat([errors(article=(0.125, 0.011, 0.0, 0.06))] * 5, ignore_index=True)
    assert rung_choice.judge_errors(alone)["verdict"].to_list() == [rung_choice.FAILS, rung_choice.HOLDS]
    judged = rung_choice.judge_errors(many)
    assert set(judged["verdict"]) == {rung_choice.EARLY}
    assert (judged["level"] > 0.95).all()
    with pytest.raises(UsageError, match=r"tolerance is a share between 0 and 1, as 0.1 for 10 %; found 10"):
        rung_choice.judge_errors(alone, tolerance=10)


def test_where_none_holds_the_nearest_is_used_and_not_the_most_naive():
    """With few customers nothing is refuted: then the article's formula, off by 40 %, must not tell the value."""
    totals = errors(article=(0.4, 0.3, 0.1, 0.3), cohort=(0.05, 0.2, -0.1, 0.2), model=(0.02, 0.2, 0.2, 0.2))
    choice = rung_choice.choose_rung(totals, NO_CLASSES)
    assert choice["recommended"].to_list() == [False] * 3
    assert choice["used"].to_list() == [False, True, False]  # its larger error is the smallest
    words = " ".join(rung_choice.choice_in_words(choice, weeks=26))
    assert "none is shown to lie within 10 %" in words
    assert "Of those not refuted, “what customers of the same age brought” was nearest." in words
    assert rung_choice.proof_in_words(choice, "cohort", weeks=26) == (
        "a test on the last 26 weeks neither proves nor refutes it"
    )
    assert "could not be tested" in rung_choice.proof_in_words(choice[:0], "model", weeks=26)


def test_a_rung_that_knows_only_subscribers_is_not_chosen_for_all():
    totals = errors(cohort=(0.3, 0.3, 0.1, 0.3), subscription=(0.0, 0.01, 0.0, 0.01))
    assert rung_choice.choose_rung(totals, NO_CLASSES)["recommended"].to_list() == [False, True]
    some = totals.assign(n=totals["n"].where(totals["rung"] != "subscription", 90))
    choice = rung_choice.choose_rung(some, NO_CLASSES)
    assert not choice["recommended"].any()
    assert choice["used"].to_list() == [True, False]


def test_who_expects_the_same_of_everybody_tells_nobody_apart():
    totals = errors(article=(0.0, 0.01, 0.0, 0.01), cohort=(0.0, 0.01, 0.0, 0.01))
    rows = [
        {"class": name, "rung": rung, "label": rung, "measure": "purchases", "customers": 50,
         "predicted": predicted, "actual": 1.0}
        for rung, predicted in (("article", 1.0), ("cohort", 1.3)) for name in ("0", "1")
    ]  # fmt: skip
    choice = rung_choice.choose_rung(totals, pd.DataFrame(rows, columns=list(BY_CLASS)))
    assert choice["best_apart"].to_list() == [False, True]
