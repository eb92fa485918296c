"""The audit checks itself: each fault by hand, and the order in which they are told."""

from datetime import date

import pandas as pd
from hand_findings import finding, nothing

from cxkit import swot
from cxkit.certainty import across_audit
from cxkit.same_thing import by_item
from cxkit.self_check import COLUMNS, faults, faults_in_words, without_evidence

AS_OF = date(2026, 6, 30)
FOUND = [
    finding("journey.touchpoint.cart", -3.0, 1.0),
    finding("loyalty.top_share", 3.0, 1.0),
    nothing("search.no_click"),
]
SWOT = ["statement", "quadrant", "voice", "department", "impact", "confidence", "evidence", "source"]
ACTIONS = ["action", "item", "department", "owner", "effort", "measure", "due"]


def sheet(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=SWOT)
    return frame.astype({"impact": float, "confidence": float}).astype(dict.fromkeys(SWOT[:4] + SWOT[6:], object))


def check(said=(), actions=(), *, outside=(), found=FOUND, sheets=("swot", "context", "actions")) -> pd.DataFrame:
    context = pd.DataFrame(outside, columns=["statement", "quadrant", "source", "date"])
    rows, data = swot.said_items(sheet(list(said)), context), swot.data_items(found, across_audit(found))
    items, placed = swot.join(data, rows), by_item(data, rows)
    done = pd.DataFrame(list(actions)).reindex(columns=ACTIONS).astype(object)
    return faults(items, done, found, sheets, rows=placed, context=context, as_of=AS_OF)


def told(frame: pd.DataFrame, what: str) -> list[tuple[str, str]]:
    return list(frame.loc[frame["what"] == what, ["where", "why"]].itertuples(index=False, name=None))


def test_without_anything_it_says_so():
    frame = check(found=[], sheets=())
    assert list(frame.columns) == list(COLUMNS)
    assert [where for where, _ in told(frame, "a voice is missing")] == ["data", "customer", "partner", "employee"]
    assert told(frame, "a voice is missing")[1][1] == "The sheet swot is not there."
    assert len(told(frame, "a quadrant is empty")) == 4
    assert told(frame, "no action") == [("actions", "The sheet actions is not there, or has no row.")]
    assert len(told(frame, "a sphere that nobody looked at")) == 7
    assert frame.notna().all().all()
    assert (frame != "").all().all()


def test_actions_that_stand_on_nothing():
    frame = check(
        [{"statement": "Chat is slow", "quadrant": "weakness", "voice": "customer", "evidence": "search.no_click"}],
        [{"action": "A new logo"}, {"action": "Fix", "item": "Chat is slw", "measure": "search.no_clicks"},
         {"action": "Mend", "item": "chat IS slow", "measure": "search.no_click"},
         {"action": "Other", "item": "journey.touchpoint.cart", "measure": "loyalty.gini"}],
    )  # fmt: skip
    assert told(frame, "an action without an item") == [
        ("actions: A new logo", "It names no statement and no finding.")
    ]
    assert told(frame, "an action on an item that is none") == [
        ("actions: Fix", "No item of the SWOT is 'Chat is slw', did you mean 'Chat is slow'?")
    ]
    assert told(frame, "a measure that is no finding of this audit") == [
        ("actions: Fix", "'search.no_clicks' is no finding, did you mean 'search.no_click'?"),
        (
            "actions: Other",
            "'loyalty.gini' is a finding of the kit, and this audit has none: not asked, withheld, or not "
            "certain here.",
        ),
    ]
    assert [where for where, _ in told(frame, "an action without a measure")] == ["actions: A new logo"]


def test_items_that_stand_on_nothing():
    frame = check(
        [{"statement": "Dear", "quadrant": "weakness", "voice": "customer", "confidence": 1.0},
         {"statement": "Quick", "quadrant": "strength", "voice": "partner", "evidence": "search.noclick"},
         {"statement": "Kind", "quadrant": "strength", "voice": "partner", "evidence": "They are kind."}],
        outside=[("Births fall", "threat", "statistics", pd.Timestamp("2025-06-29")),
                 ("Lockers", "opportunity", "carriers", pd.Timestamp("2025-06-30"))],
    )  # fmt: skip
    assert [where for where, _ in told(frame, "an item without evidence")] == ["strength: Quick", "weakness: Dear"]
    assert told(frame, "evidence that is no finding of this audit") == [
        ("strength: Quick", "'search.noclick' is no finding, did you mean 'search.no_click'?")
    ]
    assert [where for where, _ in told(frame, "a statement that its speakers doubt")] == ["weakness: Dear"]
    assert [where for where, _ in told(frame, "an old statement about the world outside")] == ["context: Births fall"]
    assert told(frame, "items of no sphere") == [("the SWOT: 2", "Neither a finding nor a department tells it.")]
    assert [where for where, _ in told(frame, "a voice is missing")] == ["employee"]


def test_spheres_departments_and_contradictions():
    one = {"statement": "Dear", "quadrant": "weakness", "voice": "customer", "department": "logistics"}
    frame = check(
        [one, one, {"statement": "Not dear", "quadrant": "strength", "voice": "employee", "department": "logistics"},
         {"statement": "Cart", "quadrant": "weakness", "voice": "customer", "department": "site",
          "evidence": "journey.touchpoint.cart"}],
        [{"action": "Mend", "item": "journey.touchpoint.cart", "measure": "journey.touchpoint.cart"}],
    )  # fmt: skip
    assert told(frame, "one voice for a whole sphere") == [("Relations, loyalty and value", "Only data speaks of it.")]
    looked = dict(told(frame, "a sphere that nobody looked at"))
    assert set(looked) == {
        "Positioning and advertising",
        "Product and assortment",
        "Support",
        "Company, culture and data",
    }
    assert told(frame, "a department without an action") == [("logistics", "No action on any of its weaknesses (1).")]
    assert told(frame, "a contradiction") == [("weakness: Dear", "The opposite is said of the same: Not dear")]
    assert told(frame, "rows written twice")[0][0] == "the sheets: 1"


def test_findings_without_a_verdict_are_no_look_at_a_sphere():
    frame = check(found=[nothing("search.no_click")])
    assert dict(told(frame, "a sphere that nobody looked at"))["Site and app"] == (
        "No finding of it has a verdict, of 1; nobody says a word."
    )


def test_in_words():
    assert faults_in_words(check()[:0]).startswith("The audit found no fault in itself")
    frame = check([{"statement": "Dear", "quadrant": "weakness", "voice": "customer"}], [{"action": "A new logo"}])
    assert faults_in_words(frame).startswith("What the audit lacks: a voice is missing (2); ")


def test_what_has_no_evidence():
    context = pd.DataFrame(
        [("Births fall", "threat", "statistics", None)], columns=["statement", "quadrant", "source", "date"]
    )
    rows = swot.said_items(sheet([{"statement": "Dear", "quadrant": "weakness", "voice": "customer"}]), context)
    items = swot.join(swot.data_items(FOUND, across_audit(FOUND)), rows)
    (bare,) = without_evidence(items, FOUND)
    assert items.set_index("item").loc[bare, "statement"] == "Dear"
