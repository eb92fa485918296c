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
ACTIONS = ["action", "item", "department", "owner", "effort", "measure", "due", "after"]


def sheet(rows: list[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows).reindex(columns=SWOT)
    return frame.astype({"impact": float, "confidence": float}).astype(dict.fromkeys(SWOT[:4] + SWOT[6:], object))


def check(
    said=(), actions=(), *, outside=(), found=FOUND, sheets=("swot", "context", "actions"), notes=None, **more
) -> pd.DataFrame:
    context = pd.DataFrame(outside, columns=["statement", "quadrant", "source", "date"])
    rows, data = swot.said_items(sheet(list(said)), context, notes), swot.data_items(found, across_audit(found))
    items, placed = swot.join(data, rows), by_item(data, rows)
    done = pd.DataFrame(list(actions)).reindex(columns=ACTIONS).astype(object)
    urgent = more.pop("urgent", None)
    items = items if urgent is None else items.assign(triage=["now" if i in urgent else "" for i in items["item"]])
    return faults(items, done, found, sheets, rows=placed, context=context, as_of=AS_OF, **more)


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
    assert told(frame, "one voice for a whole sphere") == [
        ("Relations, loyalty and value", "Only the data speak of it.")
    ]
    looked = dict(told(frame, "a sphere that nobody looked at"))
    assert set(looked) == {
        "Positioning and advertising",
        "Product and assortment",
        "Support",
        "Company, culture and data",
    }
    assert told(frame, "a department without an action") == [("logistics", "No action on any of its weaknesses (1).")]
    assert told(frame, "a contradiction") == [("weakness: Dear", "The opposite is said of the same: Not dear.")]
    assert told(frame, "rows written twice")[0][0] == "the sheets: 1"


def test_a_contradiction_is_told_first_and_what_is_refuted_is_named():
    frame = check([{"statement": "Best cart", "quadrant": "strength", "voice": "employee",
                    "evidence": "journey.touchpoint.cart"}])  # fmt: skip
    assert frame["what"][0] == "a contradiction"
    assert told(frame, "an item without evidence") == [
        ("strength: Best cart", "What it names says the opposite: journey.touchpoint.cart.")
    ]


def test_a_denial_in_one_quadrant_is_a_contradiction_told_once():
    said = [{"statement": f"Customers {word}trust the reviews", "quadrant": "weakness", "voice": "customer"}
            for word in ("", "dis")]  # fmt: skip
    ((where, why),) = told(check(said), "a contradiction")
    assert {where.removeprefix("weakness: "), why.removeprefix("Another denies it: ").rstrip(".")} == {
        "Customers trust the reviews", "Customers distrust the reviews"}  # fmt: skip


def test_the_order_of_the_sheet_decides_nothing():
    rows = [{"action": f"{letter} new logo"} for letter in "BCA"]
    assert check(actions=rows).equals(check(actions=rows[::-1]))


def test_actions_written_twice_are_counted():
    row = {"action": "Mend", "item": "journey.touchpoint.cart", "measure": "journey.touchpoint.cart"}
    frame = check(actions=[row] * 3)
    assert told(frame, "rows written twice") == [("the sheets: 2", "They repeat another row and count once.")]


def test_an_action_against_the_data_and_one_whose_turn_is_not_clear():
    but = {"but": "the audit does not find this cause: x.", "after_fault": "after 'y'…"}
    plan = pd.DataFrame([{"action": "Mend"} | but, {"action": "Keep", "but": "", "after_fault": ""}])
    plan = plan.reindex(columns=[*ACTIONS, "items", "but", "after_fault"]).assign(items="")
    waits = check(planned=plan.assign(why=["", "waits for “Mend”, which is not to be done"]))
    assert told(waits, "an action whose turn is not clear")[0] == (
        "actions: Keep", "Waits for “Mend”, which is not to be done."
    )  # fmt: skip
    frame = check(planned=plan)
    assert told(frame, "an action on a cause that the audit does not find") == [
        ("actions: Mend", "The audit does not find this cause: x.")
    ]
    assert told(frame, "an action whose turn is not clear") == [("actions: Mend", "After 'y'….")]


def test_an_opportunity_is_an_opportunity():
    whys = [why for _, why in told(check(found=[]), "a quadrant is empty")]
    assert whys[2] == "Nobody names an opportunity, and the data show none."


def test_a_measure_that_is_judged_by_another_figure_is_no_fault():
    found = [finding("service.contact_trend", 3.0, 1.0, up=False)]
    frame = check(actions=[{"action": "Mend", "item": "service.contact_trend", "measure": "service.contact_trend"}],
                  found=found)  # fmt: skip
    assert not told(frame, "a measure that no later audit judges")


def test_a_plan_that_nobody_took_or_weighed_or_can_judge():
    found = [*FOUND, finding("loyalty.gini", 3.0, 1.0)]
    cart, top = "journey.touchpoint.cart", "loyalty.top_share"
    done = [{"action": "Mend", "item": cart, "measure": cart, "effort": 2.0, "owner": "Ann"},
            {"action": "Keep", "item": top, "measure": top, "owner": " "}]  # fmt: skip
    plan = pd.DataFrame(done).reindex(columns=ACTIONS).assign(triage="now")
    frame = check(actions=done, urgent=(cart, top), found=found, planned=plan)
    assert told(frame, "actions for now whose effort nobody knows") == [
        ("the plan: 1 of 2 actions for now", "Nobody has said what they would take.")
    ]
    assert told(frame, "actions that nobody has taken") == [("the plan: 1 of 2 actions", "Nobody is named for them.")]
    ((where, why),) = told(frame, "a measure that no later audit judges")
    assert where == "loyalty.top_share: 1 action"
    assert why.startswith("It is shown and not judged from audit to audit: what is spent since ever")
    plan = pd.DataFrame(done).reindex(columns=ACTIONS).assign(items=[f"{cart}, {top}", ""])
    whole = check(actions=done[:1], urgent=(cart, top), found=found, planned=plan)
    assert not told(whole, "actions for now whose effort nobody knows")
    assert told(whole, "actions that nobody has taken")[0][0] == "the plan: 1 of 2 actions"
    assert not told(check(actions=done[:1], found=found), "actions that nobody has taken")


def test_who_scored_a_sphere_on_a_checklist_speaks_of_it():
    said = [{"statement": "Dear", "quadrant": "weakness", "voice": "employee", "department": "logistics"}]
    scores = {"sphere": ["logistics"], "customer": [2.0], "partner": [float("nan")], "employee": [3.0]}
    alone = ("Logistics", "Only employees speak of it.")
    assert alone in [(name[:9], why) for name, why in told(check(said), "one voice for a whole sphere")]
    heard = told(check(said, scored=pd.DataFrame(scores)), "one voice for a whole sphere")
    assert alone not in [(name[:9], why) for name, why in heard]


def test_settings_that_the_plan_needs():
    frame = check(settings={"product_control": "partly", "budget": None})
    assert told(frame, "a setting that the plan needs") == [
        ("client.yml, strategy: budget", "What the plan may cost is not known.")
    ]
    assert not told(check(), "a setting that the plan needs")


def test_notes_that_join_nothing_are_counted():
    notes = pd.DataFrame({"statement": ["Lost", "Ring", "An idea"], "voice": "customer", "score": None,
                          "kind": ["complaint", "complaint", "employee_idea"],
                          "touchpoint": ["cart", "door", "cart"]})  # fmt: skip
    assert told(check(notes=notes), "notes that join nothing") == [
        ("the register: 2 of 3 notes", "They join no item, and are left out of the SWOT; 1 of them take no side.")
    ]
    assert not told(check(notes=notes[:1]), "notes that join nothing")


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
