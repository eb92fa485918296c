"""Whether one kind of customer orientation is minded at the expense of others, by hand."""

import numpy as np
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
    assert said[0].startswith(
        "Too much on one kind, which S0 calls a fault: the goods 4.0 of 4, the mean of the others 1.0 (difference 3, "
    )
    assert said[1].startswith("Neglected: asking 1.0 of 4, the mean of the others 2.5 (difference −1.50, ")


def test_a_voice_that_scores_low_lowers_no_kind():
    rows = answers([("a.goods", "customer", [1] * 9), ("a.talk", "customer", [1] * 9), ("a.ask", "employee", [4] * 9),
                    ("a.talk", "employee", [4] * 9)])  # fmt: skip
    frame = told(rows)
    assert frame["apart"].abs().max() == 0
    assert set(frame["verdict"]) == {b.EARLY}
    assert "none ruled out" in b.balance_sentences(frame)[0]


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
