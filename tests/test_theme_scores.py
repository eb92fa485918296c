from datetime import date

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_comments import said

from cxkit import theme_scores as kit
from cxkit.themes import theme_list

matplotlib.use("Agg")
AS_OF = date(2026, 6, 30)


def about(comments: pd.DataFrame, **words: str) -> pd.DataFrame:
    """Mentions by hand: theme="a word that its comments hold"."""
    rows = [(theme, place) for theme, word in words.items() for place, t in enumerate(comments["text"]) if word in t]
    frame = pd.DataFrame(rows, columns=["theme", "comment"]).astype({"theme": object, "comment": "int64"})
    return frame.assign(origin="the kit's list", how="word")


def answers(low: int = 40, high: int = 40, metric: str = "nps") -> pd.DataFrame:
    """Low scores with comments about payment, high ones about price; the scores vary by one."""
    rows = [(f"a{i}", "оплата зависла", metric, 3.0 + i % 2) for i in range(low)]
    rows += [(f"b{i}", "гарна ціна", metric, 9.0 + i % 2) for i in range(high)]
    return said(rows)


def test_scores_by_hand():
    comments = answers()
    frame = kit.theme_scores(comments, about(comments, payment="оплата", price="ціна"))
    assert list(frame.columns) == kit.COLUMNS
    payment, price = frame.itertuples(index=False)
    assert (payment.theme, payment.value, payment.others) == ("payment", pytest.approx(35), pytest.approx(95))
    assert payment.difference == pytest.approx(-60)
    # two independent groups whose scores lie 5 points on either side of their means
    quantile = 2.331  # Student's t of 39 degrees of freedom at 98.75 %: the first of two tests
    assert payment.high + 60 == pytest.approx(quantile * np.sqrt(50 / 39), rel=0.01)
    assert (payment.n, payment.people, payment.reading) == (40, 40, "lower")
    assert price.reading == "higher"
    assert payment.level > 0.95, "two themes are a family"
    told = kit.scores_in_words(frame)
    assert told[0].startswith("Scores are lower for certain where people write about payment (−60 points of 100, ")
    assert told[1].startswith("Scores are higher for certain where people write about price (+60 points of 100, ")


def test_a_theme_is_not_judged_by_the_question_it_is_spoken_of_under():
    rows = [(f"a{i}", "оплата", "csat", 2.0 + i % 2) for i in range(40)]  # CSAT is low for all alike
    rows += [(f"b{i}", "ціна", "csat", 2.0 + i % 2) for i in range(40)]
    rows += [(f"c{i}", "ціна", "nps", 9.0 + i % 2) for i in range(40)]
    comments = said(rows)
    frame = kit.theme_scores(comments, about(comments, payment="оплата"))
    assert frame["value"][0] == pytest.approx(37.5)
    assert frame["others"][0] == pytest.approx((37.5 + 95) / 2)
    assert frame["difference"][0] == pytest.approx(0)
    assert frame["reading"][0] == "too early to say"


def test_what_a_withheld_theme_could_be_worked_out_from_is_withheld_and_no_finding():
    """Three people write of returns: they are withheld, and so is the theme beside them, low for certain as it is."""
    rows = [(f"a{i}", "оплата зависла", "nps", 2.0 + i % 2) for i in range(60)]
    rows += [(f"b{i}", "повернення", "nps", 8.0) for i in range(3)]
    rows += [(f"c{i}", "гарно", "nps", 9.0 + i % 2) for i in range(300)]
    comments = said(rows)
    frame = kit.theme_scores(comments, about(comments, payment="оплата", returns="повернення"))
    assert frame["reading"].tolist() == ["withheld", "withheld"]
    assert kit.theme_findings(frame) == []


def test_who_writes_often_is_one_person():
    once = answers()
    thrice = said(list(once[["who", "text", "metric", "score"]].itertuples(index=False)) * 3)
    one, three = (kit.theme_scores(c, about(c, payment="оплата")) for c in (once, thrice))
    assert three["n"][0] == 3 * one["n"][0]
    assert three["people"][0] == one["people"][0]
    assert three["high"][0] - three["low"][0] == pytest.approx(one["high"][0] - one["low"][0], rel=0.05)


def test_few_people_are_not_judged_and_fewer_not_shown():
    comments = answers(low=29)
    assert kit.theme_scores(comments, about(comments, payment="оплата"))["reading"][0].startswith("too few")
    comments = answers(low=4)
    frame = kit.theme_scores(comments, about(comments, payment="оплата", price="ціна"))
    assert frame["value"].isna().all(), "one alone could be worked out from the other"
    assert "withheld" in set(frame["reading"])
    told = "It is too early to say which themes go with low scores: too few people wrote about any theme."
    assert kit.scores_in_words(frame) == [told]


def test_the_order_of_rows_does_not_matter():
    comments = answers()
    mixed = comments.sample(frac=1, random_state=1, ignore_index=True)
    one, other = (kit.theme_scores(c, about(c, payment="оплата", price="ціна")) for c in (comments, mixed))
    pd.testing.assert_frame_equal(one, other)


def test_what_detractors_talk_about():
    rows = [(f"a{i}", "оплата" if i < 30 else "різне", "nps", 2.0) for i in range(60)]
    rows += [(f"b{i}", "оплата" if i < 6 else "ціна", "nps", 10.0) for i in range(60)]
    rows += [(f"c{i}", "оплата", "nps", 7.0) for i in range(50)]  # passives
    rows += [(f"d{i}", "оплата", "csat", 1.0) for i in range(50)]  # another question
    comments = said(rows)
    frame = kit.detractors_talk(comments, about(comments, payment="оплата", price="ціна", other="різне"))
    assert list(frame["theme"]) == ["payment", "other", "price"] or list(frame["theme"])[-1] == "price"
    payment = frame.set_index("theme").loc["payment"]
    assert payment[["value", "others", "difference"]].tolist() == pytest.approx([50, 10, 40])
    assert payment["reading"] == "higher"
    told = kit.talk_in_words(frame)
    assert "payment (50 % of their comments, 10 % of those of promoters)" in told[0]
    assert told[1] == "Promoters talk more about price (90 % of their comments, 0 % of those of detractors)."
    ax = kit.plot_talk(frame)
    assert ax.get_xlabel().endswith(" (n = 60)"), "all rows are of the same comments: said once"
    assert not any("n =" in text.get_text() for text in ax.texts)
    assert kit.describe_talk(frame).startswith("Dots with intervals around no difference, one a theme. Detractors")


def test_no_nps_tells_nothing_of_detractors():
    comments = answers(metric="csat")
    frame = kit.detractors_talk(comments, about(comments, payment="оплата"))
    told = (
        "It is too early to say what detractors talk about more than promoters: fewer than 30 people on a side wrote."
    )
    assert kit.talk_in_words(frame) == [told]
    kit.plot_talk(frame)


def grown(months: int = 13) -> pd.DataFrame:
    """Twenty comments a month, of which those about delivery rise from 2 to 14."""
    days = pd.date_range("2025-06-15", periods=months, freq="MS")
    rows = [
        (f"p{m}-{i}", "доставка" if i < 2 + m else "ціна", "nps", 8.0, day)
        for m, day in enumerate(days)
        for i in range(20)
    ]
    return said(rows)


def test_a_growing_theme_is_told():
    comments = grown()
    mentions = about(comments, delivery="доставка", price="ціна")
    months = kit.theme_months(comments, mentions, as_of=AS_OF)
    first = months[months["name"] == "delivery"].iloc[1]
    assert (first["count"], first["orders"], first["squares"], first["whole"]) == (3, 20, 3, True)
    assert months.groupby("name")["whole"].agg(lambda w: list(w[:1])).tolist() == [[False], [False]]
    assert not months.loc[months["month"] > "2026-06-01", "whole"].any(), "a month that as_of cuts is not whole"
    frame = kit.theme_trends(months).set_index("theme")
    assert frame.loc["delivery", "verdict"] == "grows"
    assert frame.loc["price", "verdict"] == "falls"
    told = kit.trends_in_words(frame.reset_index())
    assert told[0].startswith("The share of comments about delivery grows for certain: +")


def test_five_weeks_tell_no_trend():
    comments = grown(2)
    frame = kit.theme_trends(kit.theme_months(comments, about(comments, delivery="доставка"), as_of=AS_OF))
    assert kit.trends_in_words(frame) == ["No theme grows or falls for certain: too few whole months."]


def test_findings_are_of_listed_themes_that_are_certain():
    comments = answers()
    scores = kit.theme_scores(comments, about(comments, payment="оплата", price="ціна"))
    assert list(scores["reading"]) == ["lower", "higher"]
    (finding,) = kit.theme_findings(scores)  # what customers like is told by the page, and no finding
    assert finding.evidence == ("theme_scores",)
    found = scores.assign(origin="found")
    assert kit.theme_findings(found) == []
    assert finding.id == "feedback.theme.payment"
    assert finding.quadrant() == "weakness"
    assert finding.sentence().startswith(
        "Who writes about payment scores lower than who writes about anything else: −60 points of 100 ("
    )
    assert finding.action == "Read what is said about payment, and mend the first thing named."
    assert kit.theme_findings(scores[:0]) == []


def test_hostile_names_stay_text():
    comments = answers()
    scores = kit.theme_scores(comments, about(comments, **{"{x} $y$ <b>": "оплата"}))
    assert "{x} $y$ <b>" in kit.theme_findings(scores)[0].sentence()
    kit.plot_theme_scores(scores).get_figure().canvas.draw()


def test_quotes_stand_under_their_theme():
    quotes = pd.DataFrame(
        {
            "touchpoint": ["x"] * 4,
            "quote": ["Оплата зависла", "Кур'єр запізнився, +380 44 123 45 67", "Усе гарно", "Paczka za późno"],
            "source": ["nps 3", None, "", "csat 2"],
        }
    )
    frame = kit.theme_quotes(quotes, listed=theme_list())
    assert frame.to_numpy().tolist() == [
        ["delivery", "Кур'єр запізнився, [phone]", ""],
        ["delivery", "Paczka za późno", "csat 2"],
        ["payment", "Оплата зависла", "nps 3"],
    ]
    assert not len(kit.theme_quotes(quotes[:0], listed=theme_list()))


def test_nothing_to_judge():
    comments = said([])
    mentions = about(comments)
    for made in (kit.theme_scores, kit.detractors_talk):
        assert not len(made(comments, mentions))
    months = kit.theme_months(comments, mentions, as_of=AS_OF)
    assert kit.trends_in_words(kit.theme_trends(months)) == [
        "No theme grows or falls for certain: too few whole months."
    ]
    empty = kit.theme_scores(comments, mentions)
    assert kit.describe_theme_scores(empty).endswith("too few people wrote about any theme.")
    kit.plot_theme_scores(empty)
    assert kit.theme_findings(empty) == []


def test_comments_without_scores():
    comments = said([(f"p{i}", "оплата", "nps", None) for i in range(40)])
    frame = kit.theme_scores(comments, about(comments, payment="оплата"))
    assert frame["value"].isna().all()
    assert kit.scores_in_words(frame)[0].startswith("It is too early to say")
