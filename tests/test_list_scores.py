"""How far the company is as a whole, by hand."""

import numpy as np
import pytest
from hand_answers_to_items import answers, items

from cxkit import list_scores as ls
from cxkit import maturity

ITEMS = items("a.one", "elements.two", "elements.three", sphere={"elements.three": "support"})
TOLD = answers(
    [("a.one", "customer", [1, 2, 1, 2, 1]), ("elements.two", "customer", [3, 3, 4, 4, 4]),
     ("elements.three", "employee", [2, 2, 2, 3, 3, 2]), ("a.one", "partner", [4, 4])]
)  # fmt: skip


def test_means_by_hand_with_the_widest_error():
    frame = ls.list_scores(maturity.scores(TOLD, ITEMS), ITEMS)
    assert frame[["part", "voice", "items", "n"]].to_records(index=False).tolist() == [
        ("all items", "customer", 2, 10), ("all items", "employee", 1, 6), ("A", "customer", 1, 5),
        ("Elements: site", "customer", 1, 5), ("Elements: support", "employee", 1, 6),
    ]  # fmt: skip
    both = frame.iloc[0]
    assert both["mean"] == pytest.approx((1.4 + 3.6) / 2)
    # both items have the variance 0.3: were all answers of the same five people, the error would stay that of one item
    assert both["high"] - both["mean"] == pytest.approx(2.7764 * np.sqrt(0.3 / 5), abs=1e-3)


def test_it_is_said_in_a_sentence():
    told = ls.overall_sentence(ls.list_scores(maturity.scores(TOLD, ITEMS), ITEMS))
    assert told.startswith("Of 0 (not at all) to 4 (fully) the mean score is: customers 2.50 (")
    assert "2 items), employees 2.33 (" in told
    assert "partners" not in told, "two answers are withheld"


def test_nothing_is_told_of_nothing():
    frame = ls.list_scores(maturity.scores(TOLD[:0], ITEMS), ITEMS)
    assert len(frame) == 0
    assert "cannot be told" in ls.overall_sentence(frame)
