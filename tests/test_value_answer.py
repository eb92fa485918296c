"""The answer of the page by hand: which way tells the value, and how it is said."""

import numpy as np
import pandas as pd
import pytest

from cxkit import value_answer
from cxkit.estimates import Estimate
from cxkit.rung_choice import EARLY


def rungs(**known: float) -> pd.DataFrame:
    """A ladder with these values per customer; the interval reaches a tenth to both sides."""
    named = {"article": np.nan, "historic": np.nan, "cohort": np.nan, "model": np.nan, "last year": np.nan}
    rows = [
        {"rung": rung, "label": rung, "value_per_customer": value, "low": 0.9 * value, "high": 1.1 * value, "n": 50,
         "level": 0.95, "method": "by hand"}
        for rung, value in (named | {name.replace("_", " "): value for name, value in known.items()}).items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def choice(rows: list[tuple]) -> pd.DataFrame:
    """`rung_choice.choose_rung` by hand: rung, purchases, revenue (errors), recommended, used; none refuted."""
    return pd.DataFrame(rows, columns=["rung", "purchases", "revenue", "recommended", "used"]).assign(verdict=EARLY)


LADDER = rungs(article=100.0, historic=90.0, cohort=80.0, model=70.0, last_year=95.0)


def test_the_rung_that_is_used_tells_the_value():
    tested = choice([("article", 0.3, 0.3, False, False), ("cohort", 0.05, 0.02, True, True)])
    assert value_answer.shown_rung(LADDER, tested, modelled=True) == "cohort"


def test_where_all_are_refuted_the_nearest_tells_it_and_never_the_benchmark():
    tested = choice(
        [("article", 0.9, 0.1, False, False), ("model", -0.3, 0.2, False, False), ("last year", 0.0, 0.0, False, False)]
    )
    assert value_answer.shown_rung(LADDER, tested, modelled=True) == "model"


def test_without_a_test_the_model_alone_tells_it():
    """A history of five weeks: scaled up to a year, the other rungs tell tales."""
    assert value_answer.shown_rung(LADDER, choice([]), modelled=True) == "model"
    assert value_answer.shown_rung(LADDER, choice([]), modelled=False) == ""
    assert value_answer.shown_rung(rungs(), choice([]), modelled=True) == ""


def test_a_rung_whose_error_is_not_known_tells_nothing():
    """Nobody bought in the weeks held back, or more was given back than kept."""
    tested = choice([("article", np.nan, np.nan, False, True), ("cohort", 0.02, np.nan, False, False)])
    assert value_answer.shown_rung(LADDER, tested, modelled=True) == ""


def test_the_base_is_worth_its_customers_times_margin_times_discount():
    base = value_answer.base_value(LADDER, "cohort", None, customers=50, margin_share=0.5, factor=0.9)
    assert (base.value, base.low, base.high) == pytest.approx((1800.0, 1620.0, 1980.0))
    assert (base.n, base.unit) == (50, "money")
    revenue = value_answer.base_value(LADDER, "cohort", None, customers=50, margin_share=None, factor=1.0)
    assert revenue.value == pytest.approx(4000.0)


TOTAL = Estimate(3000.0, 2500.0, 3600.0, 50, "money", 0.95, "prediction: parameters and chance")
TOLD = {"weeks": 52, "unit": "margin", "discount_a_year": 0.1, "currency": "zł"}
WORDS = {"unit": "margin", "currency": "zł"}


def test_lists_of_a_refuted_or_untested_model_say_so():
    row = {"rung": "model", "purchases": 0.2, "revenue": 0.1, "verdict": "does not hold"}
    (refuted,) = value_answer.lists_in_words(pd.DataFrame([row]), TOTAL)
    assert refuted.startswith("The test refutes the model of single customers here: read its lists as an order")
    (untested,) = value_answer.lists_in_words(pd.DataFrame([row | {"revenue": np.nan}]), TOTAL)
    assert untested.endswith("its lists are untested.")
    assert value_answer.lists_in_words(pd.DataFrame([row | {"verdict": "too early to say"}]), TOTAL) == []
    assert value_answer.lists_in_words(pd.DataFrame([row]), None) == []


def test_the_model_tells_its_own_total_and_why_it_lies_elsewhere():
    tied = Estimate(0.33, 0.29, 0.37, 900, "ratio", 0.95, "Spearman")
    assert value_answer.base_value(LADDER, "model", TOTAL, customers=50, margin_share=0.5, factor=0.9) == TOTAL
    assert value_answer.model_in_words(TOTAL, TOTAL, tied, 0.1, rung="model", **WORDS) == []
    assert value_answer.model_in_words(TOTAL, None, tied, 0.1, rung="cohort", **WORDS) == []
    more = Estimate(3500.0, 3000.0, 4000.0, 50, "money", 0.95, "by age")
    (text,) = value_answer.model_in_words(more, TOTAL, tied, 0.1, rung="cohort", **WORDS)
    assert "puts the whole at 3,000 zł of margin (2,500–3,600 zł), for one because frequent buyers spend more" in text
    (text,) = value_answer.model_in_words(more, TOTAL, tied, 0.3, rung="cohort", **WORDS)  # as the model lets them
    assert text.endswith("(2,500–3,600 zł).")


def test_the_answer_first():
    text = value_answer.base_in_words(TOTAL, rung="model", **TOLD)
    assert text.startswith(
        "A customer known today is expected to bring 60 zł of margin in the next 52 weeks (50–72 zł, n = 50), going by "
        "a model of how often each one comes and when he stops; all together 3,000 zł, discounted at 10 % a year. "
    )
    assert text.endswith("how well the mean is known, and the customers' own chance.")
    other = value_answer.base_in_words(TOTAL, rung="cohort", **(TOLD | {"discount_a_year": 0.0}))
    assert "discounted" not in other
    assert "going by what customers of the same age brought" in other
    assert other.endswith("how well the mean is known, not how chance will turn out.")
    nothing = value_answer.base_value(LADDER, "", None, customers=9, margin_share=None, factor=1.0)
    assert value_answer.base_in_words(nothing, rung="", **TOLD) == (
        "What the customers known today will bring is too early to say: no way of reckoning could be held against what "
        "came."
    )


def test_where_nothing_is_proven_the_range_of_what_is_not_refuted_is_told():
    ways = value_answer.base_values(LADDER, TOTAL, customers=50, margin_share=0.5, factor=1.0)
    assert set(ways) == {"article", "historic", "cohort", "model"}
    open_ = choice([("article", 0.3, 0.3, False, False), ("cohort", 0.05, 0.02, False, True), ("model", 0, 0, 0, 0)])
    open_ = open_.astype({"recommended": bool, "used": bool})
    (text,) = value_answer.range_in_words(ways, open_, **WORDS)
    assert text == "The ways that the test does not refute put a customer's margin between 40 zł and 60 zł."
    refuted = open_.assign(verdict=["does not hold", EARLY, "does not hold"])
    assert value_answer.range_in_words(ways, refuted, **WORDS) == []  # one is left
    assert value_answer.range_in_words(ways, open_.assign(recommended=[False, True, False]), **WORDS) == []


def test_the_nearest_of_those_not_refuted_stands_in_for_one_that_has_no_figure():
    tested = choice([("historic", 0, 0.01, False, False), ("cohort", 0.3, 0.1, False, False)])
    tested = tested.assign(verdict=["does not hold", EARLY])
    assert value_answer.shown_rung(LADDER, tested, modelled=False) == "cohort"


def test_rungs_that_cannot_be_had_say_why():
    told = value_answer.missing_rungs(rungs(article=1.0, historic=1.0, cohort=1.0, last_year=2.0))
    assert told == ["model: by hand.", "last year rests on a by hand."]
    assert value_answer.missing_rungs(rungs(article=1.0, historic=1.0, cohort=1.0, model=1.0)) == [
        "last year: by hand."
    ]


def test_what_lies_beyond_the_oldest_ages_is_told():
    history = pd.DataFrame({"T": [50.0] * 30 + [0.0] * 30})
    assert value_answer.horizon_in_words(history, weeks=50).startswith("50 % of the weeks foretold lie beyond")
    assert "more than 50 weeks after a first purchase" in value_answer.horizon_in_words(history, weeks=50)
    assert value_answer.horizon_in_words(history[:29], weeks=26).startswith("Fewer than 30 customers")


def test_the_finding_tells_a_customers_share_of_the_base_and_whether_it_was_proven():
    finding = value_answer.value_finding(TOTAL, rung="model", weeks=52, unit="margin", proof="a test bears it out")
    assert (finding.estimate.value, finding.estimate.low) == (60.0, 50.0)
    assert finding.sentence().endswith("and when he stops; a test bears it out.")
    other = value_answer.value_finding(TOTAL, rung="model", weeks=52, unit="margin", proof="a test refutes it")
    assert "a test refutes it" in other.sentence()
    nothing = value_answer.base_value(LADDER, "", None, customers=0, margin_share=None, factor=1.0)
    early = value_answer.value_finding(nothing, rung="", weeks=52, unit="revenue", proof="a test refutes it")
    assert "too early to say (" in early.sentence()


def test_the_finding_of_the_error_or_why_there_is_none():
    row = {"rung": "model", "measure": "revenue", "value": -0.11, "low": -0.2, "high": -0.02, "n": 900, "level": 0.95}
    judged = pd.DataFrame([row | {"method": "ratio of sums"}])
    finding = value_answer.held_out_finding(judged, rung="model", weeks=26)
    assert "differs by −11 % from what came (−20 to −2.0 %, n = 900)" in finding.sentence()
    unknown = value_answer.held_out_finding(judged.assign(low=np.nan), rung="model", weeks=26)
    assert "too early to say (n = 900; ratio of sums)" in unknown.sentence()
    untested = value_answer.held_out_finding(judged[:0], rung="", weeks=26)
    assert "too early to say (no way of reckoning could be tested on weeks that have passed)" in untested.sentence()
