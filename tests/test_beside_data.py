"""What people score beside what the data say, and the share of orders with a consent to e-mail."""

from dataclasses import replace
from datetime import date

import ibis
import pandas as pd
import pytest
from hand_answers_to_items import answers, items

from cxkit import beside_data as bd
from cxkit import maturity
from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding

ITEMS = items("a.kept", "a.quick", "a.alone", proxy={"a.kept": ("service.late_share", "service.growing"),
                                                     "a.quick": ("service.answered_in_time",)})  # fmt: skip
SCORES = maturity.scores(
    answers([("a.kept", "employee", [4, 4, 3, 4, 4]), ("a.kept", "customer", [0, 1, 0, 1, 0]),
             ("a.quick", "customer", [4, 4, 4, 3, 4]), ("a.alone", "customer", [2, 2, 2, 2, 2])]),
    ITEMS,
)  # fmt: skip


def finding(id: str, value: float, *, target: float | None = None, higher: bool = True) -> Finding:
    estimate = Estimate(value, value - 0.05, value + 0.05, 100, "share", 0.95, "Wilson")
    return Finding(
        id=id, claim="{value}", estimate=estimate, label=f"Label {id}", target=target, higher_is_better=higher
    )


LATE = finding("service.late_share", 0.4, target=0.1, higher=False)
QUICK = finding("service.answered_in_time", 0.9, target=0.8)


def test_people_and_data_that_disagree_come_first():
    frame = bd.beside_data(SCORES, [QUICK, LATE], ITEMS)
    assert frame["finding"].tolist() == ["service.late_share", "service.answered_in_time"]
    assert frame["reading"].tolist() == [bd.DISAGREE, bd.AGREE]
    assert frame["why"].iloc[0] == "employees score it high, customers score it low; the data show a weakness"
    assert frame["number"].iloc[0] == "40 % (35–45 %)"
    said = bd.beside_sentences(frame)
    assert (
        said[0]
        == "2 times a number of this audit speaks to an item that was scored: 1 disagrees, 1 agrees, 0 stay open."
    )
    assert said[1] == "“kept”: employees score it high, customers score it low; the data show a weakness. 40 %"
    long = replace(LATE, claim="{value} are late (all of them). Nobody asks (yet). “So” it is.")
    assert bd.beside_data(SCORES, [long], ITEMS)["told"].tolist() == ["40 % are late (all of them)."]


def test_what_has_no_verdict_stays_open():
    frame = bd.beside_data(SCORES, [finding("service.late_share", 0.4)], ITEMS)
    assert frame[["reading", "why"]].iloc[0].tolist() == [bd.OPEN, "the number has no target"]
    early = bd.beside_data(SCORES, [finding("service.late_share", 0.4, target=0.41)], ITEMS)
    assert early["why"].iloc[0] == "too early to say of the number"


def test_families_speak_by_all_their_members_and_each_once():
    growing = finding("service.growing.delivery", 0.5, target=0.0, higher=False)
    frame = bd.beside_data(SCORES, [growing, growing, LATE, finding("service.growingly.x", 0.1)], ITEMS)
    assert sorted(frame["finding"]) == ["service.growing.delivery", "service.late_share"]


def test_the_unknown_the_withheld_and_the_unscored_stay_out():
    lost = Finding(id="service.late_share", claim="{value}", estimate=unknown("share"), label="Late")
    assert bd.beside_data(SCORES, [lost], ITEMS).empty
    few = maturity.scores(answers([("a.kept", "employee", [4, 4])]), ITEMS)
    nothing = bd.beside_data(few, [LATE], ITEMS)
    assert nothing.empty
    assert bd.beside_sentences(nothing)[0].startswith("No finding of this audit speaks to an item that five people")


def orders(rows):
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_on"])
    frame = frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]), amount=10.0)
    table = ibis.memtable(frame.assign(ordered_at=frame["ordered_on"]))
    return table.mutate(ordered_on=table.ordered_on.cast("date"))


def test_the_share_of_orders_with_a_consent_by_hand():
    # a: 3 orders, agreed; b to e: one each, b agreed; f: not known; an order of a year ago and one of nobody stay out
    rows = [(f"o{i}", who, "2026-06-01") for i, who in enumerate("aaabcdef")]
    rows += [("old", "c", "2025-06-30"), ("none", None, "2026-06-01")]
    known = pd.DataFrame({"customer_id": list("abcdef"), "email_consent": [True, True, False, False, False, None]})
    customers = ibis.memtable(known, schema={"customer_id": "string", "email_consent": "boolean"})
    share = bd.email_consent(orders(rows), customers, as_of=date(2026, 6, 30))
    assert (share.value, share.n) == (pytest.approx(4 / 7), 5)
    squares = (9 + 1) * (3 / 7) ** 2 + 3 * (4 / 7) ** 2
    assert share.high - share.value == pytest.approx(min(2.7764 * (5 / 4 * squares) ** 0.5 / 7, 3 / 7), abs=1e-3)
    assert bd.consent_finding(share).sentence().startswith("57 % of the last 365 days' orders")
    none = bd.email_consent(orders(rows[:2]), customers, as_of=date(2026, 6, 30))
    assert not none.known
