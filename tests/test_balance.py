"""Whether one kind of customer orientation is scored above or below the others, by hand."""

import numpy as np
import pandas as pd
import pytest
from hand_answers_to_items import answers, items

from cxkit import balance as b
from cxkit import maturity

KINDS = {"goods": "the goods", "talk": "talking", "ask": "asking"}
ITEMS = items("a.goods", "a.talk", "a.ask", "a.none", kind={"a.goods": "goods", "a.talk": "talk", "a.ask": "ask"})
ONE_SIDED = answers(
    [("a.goods", "customer", [4] * 20), ("a.talk", "customer", [1] * 20), ("a.ask", "customer", [1] * 20),
     ("a.none", "customer", [0] * 20)]
)  # fmt: skip


def told(rows):
    return b.balance(maturity.scores(rows, ITEMS), ITEMS, KINDS)


def test_over_concentration_by_hand():
    frame = told(ONE_SIDED)
    assert frame["kind"].tolist() == ["goods", "ask", "talk"]
    assert frame["apart"].tolist() == pytest.approx([3, -1.5, -1.5])
    # the errors add up as if the same people erred on all: twice that of rounding; the smallest of three
    from scipy.stats import t

    half = t.ppf(1 - 0.05 / 6, 19) * 2 * np.sqrt(1 / 12 / 20)
    assert frame["low"].iloc[0] == pytest.approx(3 - half, abs=1e-3)
    assert frame["verdict"].tolist() == [b.MORE, b.LESS, b.LESS]
    said = b.balance_sentences(frame)
    ends = f"{3 - half:.2f}–{3 + half:.2f}"
    assert said[0] == f"Scored above the others, each group compared with itself: “the goods” by 3 of 4 steps ({ends})."
    assert said[1].startswith("Scored below the others, each group compared with itself: “asking” by 1.50 of 4 steps (")
    assert said[2].endswith("To concentrate on one kind at the others' expense S0 calls a fault.")
    assert "do not say" in said[2], "how well is not how much"
    assert frame[["n", "people"]].to_numpy().tolist() == [[20, 20]] * 3


def test_no_mean_of_the_others_is_told_that_nobody_worked_out():
    """Of two voices one scored a single kind: the rows' means and the difference need not add up."""
    frame = told(pd.concat([ONE_SIDED, answers([("a.talk", "employee", [4] * 9)])]))
    by = frame.set_index("kind")
    assert by.loc["talk", ["mean", "n", "people"]].tolist() == [2.5, 29, 29]
    assert by["apart"]["goods"] == pytest.approx(3), "employees, who scored talking alone, move nothing"
    assert "the mean of the others" not in " ".join(b.balance_sentences(frame))


def test_a_voice_that_scores_low_lowers_no_kind():
    rows = answers([("a.goods", "customer", [1] * 9), ("a.talk", "customer", [1] * 9), ("a.ask", "employee", [4] * 9),
                    ("a.talk", "employee", [4] * 9)])  # fmt: skip
    frame = told(rows)
    assert frame["apart"].abs().max() == 0
    assert set(frame["verdict"]) == {b.EARLY}
    assert b.balance_sentences(frame) == ["No kind is told apart from the others."]


def test_kinds_that_nobody_was_asked_about_are_named():
    said = b.balance_sentences(told(ONE_SIDED[ONE_SIDED["item"] != "a.ask"]))
    assert said[-1].startswith("Nobody was asked about asking; ")
    one = told(ONE_SIDED[:20])
    assert one["verdict"].tolist() == [b.EARLY, b.NOT_ASKED, b.NOT_ASKED]
    assert b.balance_sentences(one)[0].startswith("Too early to say: fewer than two kinds")
    assert b.balance_sentences(told(ONE_SIDED[:0])) == [
        "Too early to say: fewer than two kinds were scored by five people of one voice."
    ]
    few = told(ONE_SIDED.groupby("item").head(3))
    assert set(few["verdict"]) == {b.FEW}
