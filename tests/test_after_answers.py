"""Small answers and orders worked out by eye."""

from datetime import date

import ibis
import pandas as pd
import pytest
from hand_service import orders

from cxkit import after_answers as module
from cxkit.after_answers import after_answers, after_answers_in_words
from cxkit.shares_apart import FEW, LESS, MORE

AS_OF = date(2025, 12, 31)
SCALES = {"nps": (0, 10), "csat": (1, 5)}


def surveys(rows: list[tuple]) -> ibis.Table:
    """From: customer, day, metric, score, and where wanted whether something was promised."""
    names = ["customer_id", "answered_on", "metric", "score", "incentive"][: len(rows[0])]
    frame = pd.DataFrame(rows, columns=names)
    frame["answered_on"] = pd.to_datetime(frame["answered_on"])
    return ibis.memtable(frame).cast({"answered_on": "date"} | {"score": "float64"})


def placed(rows: list[tuple]) -> ibis.Table:
    return orders([{"customer_id": who, "ordered_at": day} for who, day in rows])


def crowd(*, good_back: int, other_back: int, of: int = 60) -> tuple[ibis.Table, ibis.Table]:
    """`of` promoters and as many others, of whom so many order again two weeks after their answer in May."""
    people = [(f"p{i:02d}", 10, i < good_back) for i in range(of)] + [
        (f"q{i:02d}", 3, i < other_back) for i in range(of)
    ]
    said = surveys([(who, "2025-05-10", "nps", score) for who, score, _ in people])
    bought = [(who, "2025-05-01") for who, _, _ in people] + [(who, "2025-05-24") for who, _, back in people if back]
    return said, placed(bought)


def test_the_content_come_back_more_often():
    row = after_answers(*crowd(good_back=45, other_back=15), as_of=AS_OF, scales=SCALES).iloc[0]
    assert (row["metric"], row["value"], row["others"], row["n"]) == ("nps", 0.75, 0.25, 60)
    assert row["difference"] == pytest.approx(50)
    assert row["difference_low"] < 50 < row["difference_high"]
    assert row["verdict"] == MORE


def test_the_other_way_round_and_no_difference():
    assert after_answers(*crowd(good_back=10, other_back=50), as_of=AS_OF, scales=SCALES)["verdict"].tolist() == [LESS]
    alike = after_answers(*crowd(good_back=30, other_back=30), as_of=AS_OF, scales=SCALES)
    assert after_answers_in_words(alike)[0].startswith(
        "After an NPS answer of 9 or 10 customers order again within 90 days neither more nor less often for certain: "
        "50 % (n = 60), after any other answer 50 % (difference in points: −"
    )


def test_only_orders_of_later_days_within_the_window_count(monkeypatch):
    monkeypatch.setattr("cxkit.shares_apart.LEAST_UNITS", 1)
    monkeypatch.setattr("cxkit.privacy.LEAST_SHOWN", 1)
    said = surveys([(f"c{i}", "2025-05-10", "csat", score) for i, score in enumerate([5] * 6 + [2] * 6)])
    days = ["2025-05-10", "2025-05-11", "2025-08-08", "2025-08-09", "2025-05-09", "2026-01-02"]
    row = after_answers(said, placed([(f"c{i}", day) for i, day in enumerate(days)]), as_of=AS_OF, scales=SCALES).iloc[
        0
    ]
    assert (row["metric"], row["count"], row["n"]) == ("csat", 2, 6)  # the next day, and the ninetieth


def test_what_is_not_over_is_nobodys_or_was_rewarded_is_left_out():
    said, bought = crowd(good_back=45, other_back=15)
    rows = said.execute().assign(incentive=False)
    late = rows.head(5).assign(answered_on=pd.Timestamp("2025-10-03"))  # 89 days before the end
    unknown = rows.head(5).assign(customer_id=None)
    rewarded = rows.head(5).assign(incentive=True)
    more = pd.concat([rows, late, unknown, rewarded]).astype({"answered_on": "datetime64[us]", "customer_id": object})
    more["customer_id"] = more["customer_id"].where(more["customer_id"].notna(), None)
    more = ibis.memtable(more).cast({"answered_on": "date"})
    assert after_answers(more, bought, as_of=AS_OF, scales=SCALES)["n"].tolist() == [60]


def test_few_answers_are_too_early_and_none_are_no_row():
    few = after_answers(*crowd(good_back=6, other_back=3, of=10), as_of=AS_OF, scales=SCALES)
    assert few["verdict"].tolist() == [FEW]
    assert after_answers_in_words(few) == [
        "Whether customers order again more often after an NPS answer of 9 or 10 is too early to say."
    ]
    said, bought = crowd(good_back=6, other_back=3, of=10)
    assert list(after_answers(said.drop("customer_id"), bought, as_of=AS_OF, scales=SCALES).columns) == list(
        module.AFTER
    )
    assert len(after_answers(said, bought, as_of=AS_OF, scales={"ces": (1, 7)})) == 0
    assert after_answers_in_words(after_answers(said, bought, as_of=AS_OF, scales={})) == []


def test_nothing_old_enough_and_another_scale_are_no_row():
    said, bought = crowd(good_back=45, other_back=15)
    assert len(after_answers(said, bought, as_of=date(2025, 6, 1), scales=SCALES)) == 0
    assert len(after_answers(said, bought, as_of=AS_OF, scales={"nps": (0, 5)})) == 0


def test_arguments_stay_as_they_were():
    said, bought = crowd(good_back=6, other_back=3, of=10)
    before = said.execute(), bought.execute()
    after_answers(said, bought, as_of=AS_OF, scales=SCALES)
    for table, frame in zip((said, bought), before, strict=True):
        pd.testing.assert_frame_equal(table.execute(), frame)
