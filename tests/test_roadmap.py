"""The roadmap: quarters, faults, the smallest change by hand, and the picture."""

from datetime import date

import hand_plan as hand
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxkit import action_sheet
from cxkit.roadmap import (
    INSTEAD,
    NOT_JUDGED,
    describe_roadmap,
    detectable,
    drawn,
    in_words,
    judged_by,
    plan,
    plot_roadmap,
    readable,
)
from cxkit.triage import triage_actions

AS_OF = date(2026, 6, 30)
ROWS = pd.DataFrame({"item": [], "statement": [], "copies": []})


def planned(*rows: dict) -> pd.DataFrame:
    plain = {"items": "i", "department": "site", "owner": "Ann", "effort": np.nan, "due": None, "measure": "a.b"}
    plain |= {"origin": "workshop", "fault": "", "triage": "now", "why": ""}
    plain |= {"impact": 3.0, "stake": np.nan, "waits_for": "", "waits": (), "but": "", "weighed": True}
    frame = pd.DataFrame([{"action": f"a{n}"} | plain | row for n, row in enumerate(rows)], columns=["action", *plain])
    frame = frame.assign(due=pd.to_datetime(frame["due"]))
    drifting = [hand.finding(id, 0.4, 0.3, 0.5) for id in ("service.growing.delivery_delay", "loyalty.top_share")]
    return plan(frame, [hand.finding("a.b", 0.4, 0.3, 0.5), *drifting], as_of=AS_OF)


@pytest.mark.parametrize(
    ("row", "quarter"),
    [
        ({"due": "2026-10-01"}, "2026 Q4"),
        ({"due": "2027-01-31", "triage": "gradually"}, "2027 Q1"),
        ({}, "2026 Q3"),
        ({"triage": "gradually"}, "2026 Q4"),
        ({"due": "2026-10-01", "triage": "drop"}, ""),
        ({"due": "2006-05-01"}, "overdue"),  # a slip of the pen, or not done
    ],
)
def test_quarters(row, quarter):
    assert planned(row)["quarter"][0] == quarter


def test_what_is_overdue_has_a_column_of_its_own_before_the_others():
    told = planned({"due": "2026-10-01"}, {"due": "2006-05-01"}, {"due": "2027-02-01"})
    assert told["quarter"].tolist() == ["overdue", "2026 Q4", "2027 Q1"]
    ticks = [text.get_text() for text in plot_roadmap(told).get_xticklabels()]
    assert ticks == ["overdue", "2026 Q4", "2027 Q1"]
    plt.close("all")


def test_by_quarter_now_first_then_the_workshops_then_by_day():
    rows = [{"triage": "drop"}, {"triage": "gradually"}, {"origin": "finding"}, {"due": "2026-12-01"},
            {"due": "2026-09-01"}]  # fmt: skip
    found = planned(*rows)
    assert found["action"].tolist() == ["a4", "a2", "a3", "a1", "a0"]
    assert found["number"].tolist() == [1, 2, 3, 4, 5]


def test_a_day_that_has_passed_is_told():
    found = planned({"due": "2026-06-29"}, {"due": "2026-06-30"}, {"due": "2026-06-01", "triage": "drop"})
    told = found.set_index("action")["fault"]
    assert told["a0"].startswith("it was due before this audit")
    assert (told["a1"], told["a2"]) == ("", "")
    again = planned({"due": "2026-06-29", "fault": "no measure"})["fault"][0]
    assert again.startswith("no measure; it was due before")


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        # half width 0.1 at 95 %: 2.8016 * sqrt(2) * 0.1 / 1.96 = 0.2021
        (hand.finding("a.b", 0.4, 0.3, 0.5), "20 percentage points"),
        (hand.finding("a.b", 5.0, -5.0, 15.0, unit="points"), "20 percentage points"),
        (hand.finding("a.b", 500, 400, 600, unit="money", currency="UAH"), "200 UAH"),
        (hand.finding("a.b", 0.4, 0.3, 0.5, unit="lift"), "20 percentage points"),
        # a wider interval because much is judged together says as much: z is 2.5758 at 99 %
        (hand.finding("a.b", 0.4, 0.4 - 0.1 * 2.5758 / 1.96, 0.4 + 0.1 * 2.5758 / 1.96, level=0.99),
         "20 percentage points"),
        (hand.finding("a.b", 0.4, 0.4, 0.4, level=1.0), "any change: it is counted in full"),
        (hand.finding("a.b", np.nan, np.nan, np.nan), "too early to say"),
        (hand.finding("a.b", 0.4, 0.395, 0.405), "1.0 percentage points"),
        (hand.finding("feedback.gap.cart", -0.5, -0.6, -0.4, unit="points"), "0.20 points of the scale"),
        (hand.finding("a.b", 40, -60, 140, unit="points"), "200 percentage points"),
        (hand.finding("service.growing.size", 1.7, 1, 3, unit="lift"), f"{NOT_JUDGED}; {INSTEAD}"),
        (hand.finding("loyalty.top_share", 0.6, 0.5, 0.7), NOT_JUDGED),
        (None, ""),
    ],
)  # fmt: skip
def test_the_smallest_change_by_hand(finding, told):
    assert detectable(finding) == told


def test_it_is_found_four_times_in_five():
    """The change named is told from none in four of five pairs of audits."""
    rng, error = np.random.default_rng(1), 0.1 / 1.96
    change = 0.2021
    difference = rng.normal(change, error, 20_000) - rng.normal(0, error, 20_000)
    assert np.mean(np.abs(difference) > 1.96 * np.sqrt(2) * error) == pytest.approx(0.8, abs=0.01)


def test_what_is_judged_instead_of_what_moves_by_itself():
    assert judged_by("service.growing.delivery_delay") == "Contacts about delivery delay a hundred orders"
    assert judged_by("service.contact_trend") == "Contacts a hundred orders"
    assert judged_by("lifetime.slipping_share") == ""
    assert judged_by("service.late_share") == ""  # judged itself
    found = planned({"measure": "service.growing.delivery_delay"}, {"measure": "loyalty.top_share"})
    assert found["fault"].tolist() == ["", "no later audit judges its measure"]
    told = readable(found)["seen"]
    assert told[0] == (f"Contacts about delivery delay a hundred orders, {INSTEAD}; the finding itself is {NOT_JUDGED}")
    assert told[1] == f"Label of loyalty.top_share; {NOT_JUDGED}"
    assert in_words(found)[-1] == (
        "The finding behind 2 is not judged from audit to audit, since it moves by itself or is a change already; for "
        "1 of them no other figure is judged instead."
    )


def test_gradually_is_spread_over_three_quarters_by_impact():
    found = planned(*({"triage": "gradually", "impact": float(n)} for n in (1, 2, 3, 4, 5, 5)), {"due": "2026-09-01"})
    told = found.set_index("action")["quarter"]
    assert told[["a4", "a5", "a3", "a2", "a1", "a0"]].tolist() == (["2026 Q4"] * 2 + ["2027 Q1"] * 2 + ["2027 Q2"] * 2)
    assert told["a6"] == "2026 Q3"


def test_what_nobody_weighed_comes_last():
    rows = [{"impact": 3.0, "weighed": False}, {"impact": 2.0}, {"impact": 1.0}]
    told = planned(*(row | {"triage": "gradually"} for row in rows)).set_index("action")["quarter"]
    assert told[["a1", "a2", "a0"]].tolist() == ["2026 Q4", "2027 Q1", "2027 Q2"]


@pytest.mark.parametrize(
    ("ask", "quarter", "by"),
    [
        ({"action": "Read what is said"}, "2026 Q4", "2026-11-01"),
        ({"action": "Mend it"}, "2027 Q2", "2027 Q2"),  # it does not only ask
        ({"action": "Read what is said", "items": "k"}, "2027 Q2", "2027 Q2"),  # of something else
        ({"action": "Read what is said", "items": "feedback.theme.payment"}, "2026 Q4", "2026-11-01"),  # both of paying
        ({"action": "Read what is said", "triage": "now"}, "2026 Q3", "2026 Q3"),  # earlier as it is
        ({"action": "Read what is said", "due": "2027-01-02"}, "2027 Q1", "2027-01-02"),  # somebody set a day
    ],
)
def test_what_only_asks_comes_before_the_day_of_what_it_is_for(ask, quarter, by):
    filler = [{"triage": "gradually", "impact": 5.0, "items": "z"}] * 4
    pay = "i, journey.touchpoint.payment_page"
    found = planned({"due": "2026-11-01", "items": pay}, {"triage": "gradually", "impact": 1.0} | ask, *filler)
    row = found[found["action"] == ask["action"]].iloc[0]
    assert (row["quarter"], row["by"]) == (quarter, by)
    assert quarter != "2026 Q4" or row["number"] < found.loc[found["action"] == "a0", "number"].item()


def test_items_and_actions_for_now_are_told_together():
    items = hand.items([{"item": key, "quadrant": "weakness", "triage": "now"} for key in "ijkl"])
    found = planned({"items": "i, j"}, {"items": "k", "triage": "gradually"})
    assert (
        "Of the 4 items for now 2 have an action for now, 1 an action that comes gradually, 1 none: one action may be "
        "on several items."
    ) in in_words(found, items)
    one = in_words(planned({"items": "i"}), items[:1])
    assert "Of the 1 items for now each has an action for now: one action may be on several items." in one


def test_what_waits_comes_after_what_it_waits_for():
    rows = [{"triage": "gradually", "waits": (1,), "waits_for": "a1"}, {"due": "2027-02-01"},
            {"waits": (0,), "triage": "gradually", "waits_for": "a0"},
            {"due": "2026-09-01", "waits": (1,), "waits_for": "a1"}]  # fmt: skip
    found = planned(*rows).set_index("action")
    assert found["quarter"][["a0", "a1", "a2", "a3"]].tolist() == ["2027 Q2", "2027 Q1", "2027 Q3", "2026 Q3"]
    assert found["fault"]["a3"] == "it is due before what it waits for"
    assert (found["fault"][["a0", "a1", "a2"]] == "").all()
    dropped = planned({"due": "2027-02-01", "triage": "drop"}, {"due": "2026-09-01", "waits": (0,), "waits_for": "a0"})
    assert (dropped["fault"] == "").all()  # nobody is late for what is not to be done
    who = readable(planned(*rows)).set_index("action")["who"]
    assert who["a0"] == "Ann (site); gradually, by 2027 Q2; after “a1”"
    assert who["a3"].endswith("; after “a1” (it is due before what it waits for)")


def test_what_the_audit_says_against_an_action_stands_at_it():
    told = readable(planned({"action": "Tell of late parcels", "but": "the audit does not find this cause: x."}))
    assert told["what"][0] == "1. Tell of late parcels. But the audit does not find this cause: x."


def test_a_full_cell_counts_the_rest_by_their_numbers():
    found = planned(*({"due": "2026-09-01"} for _ in range(7)))
    ax = plot_roadmap(found)
    assert [text.get_text() for text in ax.texts][-1] == "and 3 more (5, 6, 7)"
    assert len(ax.texts) == 5
    assert "a6" in describe_roadmap(found)
    plt.close("all")


def test_in_words():
    told = in_words(planned({}, {"owner": None, "origin": "finding", "measure": ""}, {"triage": "drop", "owner": None}))
    assert told == [
        "3 actions: 2 of the workshop, 1 that findings propose.",
        "By the rule: 2 now, 0 gradually, 1 not at all.",
        "Of the 2 for now, nobody has said what effort 2 of them would take, and 1 has nobody to do it yet.",
        "1 of all to be done has nobody to do them yet.",
        "1 cannot be seen in the next audit: no finding is their measure.",
    ]
    assert in_words(planned()) == ["No action is named yet, neither by the workshop nor by a finding."]


def test_as_a_reader_meets_it():
    told = readable(planned({"action": "Mend it"}, {"owner": None, "department": None, "measure": ""}))
    assert told["what"].tolist() == ["1. Mend it", "2. a1"]
    assert told["who"].tolist() == ["Ann (site); now, by 2026 Q3", "nobody yet; now, by 2026 Q3"]
    assert told["seen"].tolist() == [
        "Label of a.b; the next audit can tell a change of 20 percentage points or more",
        "nothing yet",
    ]
    assert readable(planned({"triage": "drop"}))["who"][0] == "Ann (site); not at all"
    assert told["when"].tolist() == ["2026 Q3"] * 2


def test_the_picture():
    rows = [{"action": "Mend the page $x$ at once"}, {"department": None, "owner": None, "due": "2028-01-01"},
            {"department": "<logistics>", "triage": "gradually", "due": "2026-12-01"}, {"triage": "drop"},
            {"origin": "finding", "triage": "gradually"}]  # fmt: skip
    found = planned(*rows)
    assert drawn(found)["action"].tolist() == ["Mend the page $x$ at once", "a2", "a4", "a1"]
    ax = plot_roadmap(found)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["<logistics>", "site", "no department"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2026 Q3", "2026 Q4", "2027 Q1", "later"]
    assert len(ax.texts) == 4
    ax.get_figure().canvas.draw()
    assert "2028 Q1: a1 (no department, now)" in describe_roadmap(found)
    plot_roadmap(planned())
    assert describe_roadmap(planned()) == "Actions by quarter and department. No action is planned."
    plt.close("all")


def test_no_action_at_all():
    nothing = planned({})[:0]
    assert in_words(nothing) == ["No action is named yet, neither by the workshop nor by a finding."]
    bare = action_sheet.link(hand.sheet([]), hand.items([{"item": "x", "quadrant": "strength"}])[:0], [], rows=ROWS)
    bare = triage_actions(bare, hand.items([{"item": "x", "quadrant": "strength"}])[:0])
    assert not len(plan(bare, [], as_of=AS_OF))
