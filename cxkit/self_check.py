"""The audit checks itself: a voice that is missing, an item without evidence, an action without an item."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

from cxkit.changes import DRIFTS
from cxkit.client import did_you_mean
from cxkit.findings import IDS, Finding, is_finding
from cxkit.roadmap import judged_by
from cxkit.same_thing import APART, QUADRANTS, keys_of, split_ids
from cxkit.spheres import read_spheres, sphere_of
from cxkit.style import clean_text
from cxkit.swot import VOICES
from cxkit.triage import NOT_TO_BE_DONE

COLUMNS = ("what", "where", "why", "mend")
ASKED = {"data": "an export of the tables that are missing", "customer": "interviews or the sheet swot",
         "partner": "a talk with carriers and makers", "employee": "a workshop with each department"}  # fmt: skip
OLD = timedelta(days=365)  # a statement about the world outside that is older is looked at again
BAD = ("weakness", "threat")
NOW = "now"  # as `triage` names what is urgent
# keys of client.yml's strategy that a plan needs -> what cannot be said without them
SETTINGS = {
    "product_control": "Which strategy fits cannot be said: how far the goods are in the shop's hands is not stated.",
    "budget": "What the plan may cost is not known.",
}


def faults(
    items: pd.DataFrame,
    actions: pd.DataFrame,
    findings: Sequence[Finding],
    sheets_present: Collection[str],
    *,
    rows: pd.DataFrame | None = None,
    context: pd.DataFrame | None = None,
    as_of: date | None = None,
    planned: pd.DataFrame | None = None,
    settings: Mapping[str, object] | None = None,
    scored: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What is missing from the audit, or stands on nothing; no rows where all is well.

    From: `swot.join` (after `triage.triage`: what is for now, too); the sheet `actions` (action, item, department,
    measure, … as people wrote it); the findings of the run; the names of the sheets that people filled in; rows:
    `same_thing.by_item`; context: the sheet, and `as_of`, the last day that counts; planned: the whole plan
    (`action_sheet.link`; without it the sheet is the plan); settings: client.yml's `strategy`, as a mapping;
    scored: the checklists' items (sphere, and a score by voice: `09_maturity.items`), which are voices in a sphere too.
    To, the gravest first: what (the kind of fault), where (a sheet and its statement, an item or a sphere), why, mend.
    Source: all voices, each sphere, and no change without analysis: S0.
    """
    rows = pd.DataFrame({"item": [], "statement": [], "copies": []}) if rows is None else rows
    plan = actions if planned is None else planned
    found = [
        *_contradictions(items),
        *_voices(items, sheets_present),
        *_without_effort(plan),
        *_unjudged(plan, findings),
        *_against_the_data(plan),
        *_turns(plan),
        *_nobody(plan),
        *_settings(settings),
        *_actions(items, actions, [f.id for f in findings], rows),
        *_evidence(items, findings, rows),
        *_unjoined(rows),
        *_spheres(items, findings, _answered(scored)),
        *_unanswered(items, actions, rows),
        *_doubtful(items, rows, actions),
        *_old(context, as_of),
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def faults_in_words(found: pd.DataFrame) -> str:
    """How many faults there are, by kind, in one sentence. From: `faults`."""
    if not len(found):
        return "The audit found no fault in itself: all voices speak, all items have evidence, all actions an item."
    counts = found["what"].value_counts(sort=False)
    return "What the audit lacks: " + "; ".join(f"{what} ({n:,})" for what, n in counts.items()) + "."


def _voices(items: pd.DataFrame, sheets: Collection[str]) -> list[tuple]:
    heard = {voice for cell in items["voices"] for voice in cell.split(APART)}
    why = "The sheet swot is not there." if "swot" not in sheets else "No item of the SWOT has this voice."
    return [
        ("a voice is missing", voice, "No finding has a verdict." if voice == "data" else why,
         f"Ask for {ASKED[voice]}: without it the audit is one-sided (S0).")
        for voice in VOICES if voice not in heard
    ] + [
        ("a quadrant is empty", quadrant, f"Nobody names {_a(quadrant)}, and the data show none.",
         "Ask for it in the workshop." if quadrant in ("strength", "weakness") else "Fill in the sheet context.")
        for quadrant in QUADRANTS if quadrant not in set(items["quadrant"])
    ]  # fmt: skip


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _contradictions(items: pd.DataFrame) -> list[tuple]:
    """Each pair once, told of the weakness or threat; of two in one quadrant, of the first."""
    words, side = (dict(zip(items["item"], items[name], strict=True)) for name in ("statement", "quadrant"))
    found, told = [], set()
    for item in sorted(items.itertuples(), key=lambda i: i.quadrant not in BAD):
        others = [key for key in split_ids(item.against) if frozenset((key, item.item)) not in told]
        told |= {frozenset((key, item.item)) for key in others}
        same = [key for key in others if side[key] == item.quadrant]
        other = [key for key in others if key not in same]
        for keys, how in ((other, "The opposite is said of the same"), (same, "Another denies it")):
            if keys:
                why = f"{how}: {'; '.join(words[key].rstrip('.') for key in keys)}."
                found.append(("a contradiction", f"{item.quadrant}: {item.statement}", why,
                              "Find out who means what; neither is averaged away."))  # fmt: skip
    return found


def _without_effort(plan: pd.DataFrame) -> list[tuple]:
    """The actions for now of which nobody said what they take: the same count as the plan's own sentence has."""
    if "triage" not in plan.columns:
        return []
    urgent = plan[plan["triage"] == NOW]
    bare = int(pd.to_numeric(urgent["effort"]).isna().sum())
    if not bare:
        return []
    where = f"the plan: {bare:,} of {_counted(len(urgent), 'action')} for now"
    return [("actions for now whose effort nobody knows", where,
             "Nobody has said what they would take.",
             "Let a department say how much work it is (1 to 5) before anybody promises a day.")]  # fmt: skip


def _unjudged(plan: pd.DataFrame, findings: Sequence[Finding]) -> list[tuple]:
    """Measures that no later audit judges, nor another figure in their place: nobody sees whether an action helped."""
    found, labels = [], {f.id: clean_text(f.label) for f in findings}
    for measure, part in plan[plan["measure"].notna()].groupby("measure", sort=True):
        why = next((text for start, text in DRIFTS.items() if f"{measure}.".startswith(f"{start}.")), "")
        if why and not judged_by(measure):
            where = f"{labels.get(measure, measure)}: {_counted(len(part), 'action')}"
            mend = "Name a level of the latest months beside it: a share, or a number a hundred orders."
            found.append(("a measure that no later audit judges", where,
                          f"It is shown and not judged from audit to audit: {why}.", mend))  # fmt: skip
    return found


def _against_the_data(plan: pd.DataFrame) -> list[tuple]:
    """Actions that mend what the audit looked at and did not find to be the cause."""
    buts = plan["but"] if "but" in plan else pd.Series("", index=plan.index)
    return [
        ("an action on a cause that the audit does not find", f"actions: {clean_text(action)}",
         f"{but[:1].upper()}{but[1:].rstrip('.')}.", "Look for the cause first; then say what mends it.")
        for action, but in sorted(zip(plan["action"], buts, strict=True)) if but
    ]  # fmt: skip


def _turns(plan: pd.DataFrame) -> list[tuple]:
    """Actions that wait for what is none, or is not to be done, or for each other."""
    faults = plan["after_fault"] if "after_fault" in plan else pd.Series("", index=plan.index)
    whys = plan["why"] if "why" in plan else pd.Series("", index=plan.index)
    faults = faults.where((faults != "") | ~whys.str.endswith(NOT_TO_BE_DONE), whys)
    return [
        ("an action whose turn is not clear", f"actions: {clean_text(action)}",
         f"{fault[:1].upper()}{fault[1:].rstrip('.?')}{'?' if fault.endswith('?') else '.'}",
         "Name in the column after an action or a statement as it stands in the sheets; of a circle leave one out.")
        for action, fault in sorted(zip(plan["action"], faults, strict=True)) if fault
    ]  # fmt: skip


def _nobody(plan: pd.DataFrame) -> list[tuple]:
    none = ~plan["owner"].map(lambda name: isinstance(name, str) and bool(name.strip()))
    if not none.any():
        return []
    return [("actions that nobody has taken", f"the plan: {int(none.sum()):,} of {_counted(len(plan), 'action')}",
             "Nobody is named for them.",
             "Let each department take them, change them, or throw them out.")]  # fmt: skip


def _settings(settings: Mapping[str, object] | None) -> list[tuple]:
    return [
        ("a setting that the plan needs", f"client.yml, strategy: {key}", why, "State it; it may be changed later.")
        for key, why in SETTINGS.items() if settings is not None and settings.get(key) is None
    ]  # fmt: skip


def _unjoined(rows: pd.DataFrame) -> list[tuple]:
    """Notes of the register that are about no item: nothing of them is in the plan."""
    if "sheet" not in rows:
        return []
    notes = rows[rows["sheet"] == "register"]
    lost = notes[notes["item"] == ""]
    if not len(lost):
        return []
    no_side = int((lost["quadrant"] == "").sum())
    why = f"They join no item, and are left out of the SWOT; {no_side:,} of them take no side." if no_side else (
        "They join no item, and are left out of the SWOT.")  # fmt: skip
    return [("notes that join nothing", f"the register: {len(lost):,} of {_counted(_said_once(notes), 'note')}", why,
             "Read them, and write what they show into the sheet swot.")]  # fmt: skip


def _said_once(rows: pd.DataFrame) -> int:
    """How many rows there are before one that names several items was told of each."""
    return len(rows.drop(columns="item").drop_duplicates())


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"


def _actions(items: pd.DataFrame, actions: pd.DataFrame, known: Sequence[str], rows: pd.DataFrame) -> list[tuple]:
    if not len(actions):
        return [("no action", "actions", "The sheet actions is not there, or has no row.",
                 "Let each department say what it would change, with whom and until when (S0).")]  # fmt: skip
    found = []
    actions = actions.drop_duplicates().sort_values("action", kind="stable")  # not in the order of the sheet
    for row, keys in zip(actions.to_dict("records"), keys_of(actions["item"], items, rows), strict=True):
        where = f"actions: {clean_text(row['action'])}"
        if not isinstance(row["item"], str):
            found.append(("an action without an item", where, "It names no statement and no finding.",
                          "No evidence, no action (S0): name what it mends, or drop it."))  # fmt: skip
        elif not keys:
            near = did_you_mean(row["item"], [*items["statement"], *items["item"]])
            found.append(("an action on an item that is none", where,
                          f"No item of the SWOT is {clean_text(row['item'])!r}{near or '.'}",
                          "Write the statement as in the sheet swot, or a finding's id."))  # fmt: skip
        measure = row.get("measure")
        if isinstance(measure, str) and measure not in known:
            found.append(("a measure that is no finding of this audit", where, _unknown(measure, known),
                          "Name a finding that this audit has, so that the next one can compare."))  # fmt: skip
        elif not isinstance(measure, str):
            found.append(("an action without a measure", where, "Nothing will show whether it helped.",
                          "Name the finding that is to move."))  # fmt: skip
    return found


def _unknown(id: str, known: Sequence[str]) -> str:
    if is_finding(id):
        return f"{id!r} is a finding of the kit, and this audit has none: not asked, withheld, or not certain here."
    return f"{id!r} is no finding{did_you_mean(id, known) or did_you_mean(id, IDS) or '.'}"


def without_evidence(items: pd.DataFrame, findings: Sequence[Finding]) -> list[str]:
    """The keys of items behind which nothing stands: no finding of the audit and no quote.

    From: `swot.join`, the findings of the run. What comes from outside (no voice) has its source for evidence.
    """
    known = {f.id for f in findings}
    return [
        item.item
        for item in items.itertuples()
        if not known & set(split_ids(item.evidence)) and not item.quotes and (item.voices or not item.sources)
    ]


def _evidence(items: pd.DataFrame, findings: Sequence[Finding], rows: pd.DataFrame) -> list[tuple]:
    known, bare = [f.id for f in findings], set(without_evidence(items, findings))
    labels = {f.id: clean_text(f.label) for f in findings}
    named = rows.groupby("item")["ids"].agg(list) if "ids" in rows else {}
    found = []
    for item in items.itertuples():
        where = f"{item.quadrant}: {item.statement}"
        found += [
            ("evidence that is no finding of this audit", where, _unknown(id, known),
             "Mend the id in the sheet swot, or take it out.")
            for id in split_ids(item.evidence) if id not in known
        ]  # fmt: skip
        if item.item in bare:
            cells = named.get(item.item, [])
            kept = split_ids(item.evidence)
            refuted = dict.fromkeys(id for cell in cells for id in split_ids(cell) if id not in kept)
            told = "; ".join(labels.get(id, id) for id in refuted)
            why = f"What it names says the opposite: {told}." if refuted else (
                "No finding and no quote stands behind it.")  # fmt: skip
            found.append(("an item without evidence", where, why,
                          "Name a finding's id or a quote in the sheet swot; no evidence, no action."))  # fmt: skip
    return found


def _answered(scored: pd.DataFrame | None) -> dict[str, set[str]]:
    """Which voices answered the checklists' items of a sphere: sphere -> voices."""
    found: dict[str, set[str]] = {}
    for row in () if scored is None else scored.to_dict("records"):
        found.setdefault(row["sphere"], set()).update(voice for voice in VOICES[1:] if pd.notna(row.get(voice)))
    return found


def _spheres(items: pd.DataFrame, findings: Sequence[Finding], scored: Mapping[str, set[str]]) -> list[tuple]:
    found = []
    for sphere in read_spheres().itertuples():
        inside = items[items["sphere"] == sphere.sphere]
        voices = {voice for cell in inside["voices"] for voice in cell.split(APART) if voice}
        if not len(inside):
            numbers = sum(sphere_of([f.id]) == sphere.sphere for f in findings)
            why = f"No finding of it has a verdict, of {numbers:,}; nobody says a word." if numbers else ""
            found.append(("a sphere that nobody looked at", sphere.name, why or "No finding and no statement is of it.",
                          "Ask for statements and data about it: an audit covers each sphere (S0)."))  # fmt: skip
        elif len(voices | scored.get(sphere.sphere, set())) == 1:
            found.append(("one voice for a whole sphere", sphere.name, _alone(next(iter(voices), "")),
                          "Ask the others: what one side sees, another may not."))  # fmt: skip
    if lost := int(((items["sphere"] == "") & (items["voices"] != "")).sum()):  # the world outside has none
        found.append(("items of no sphere", f"the SWOT: {lost:,}", "Neither a finding nor a department tells it.",
                      "Fill in the column department of the sheet swot."))  # fmt: skip
    return found


def _alone(voice: str) -> str:
    return "Only the data speak of it." if voice == "data" else f"Only {voice or 'employee'}s speak of it."


def _unanswered(items: pd.DataFrame, actions: pd.DataFrame, rows: pd.DataFrame) -> list[tuple]:
    """Departments that have weaknesses and no action on any of them."""
    done = {key for keys in keys_of(actions["item"], items, rows) for key in keys}
    weak = items[items["quadrant"].isin(BAD[:1]) & (items["department"] != "")]
    return [
        ("a department without an action", str(department), f"No action on any of its weaknesses ({len(part):,}).",
         "Let the department say what it would change (S0: each one brainstorms).")
        for department, part in weak.groupby("department", sort=True) if len(actions) and not set(part["item"]) & done
    ]  # fmt: skip


def _doubtful(items: pd.DataFrame, rows: pd.DataFrame, actions: pd.DataFrame) -> list[tuple]:
    found = [
        ("a statement that its speakers doubt", f"{item.quadrant}: {item.statement}", "Their confidence is 1 of 5.",
         "Ask again, or look for a number.")
        for item in items[items["confidence"] == 1].itertuples()
    ]  # fmt: skip
    again = int((rows.drop(columns="item").drop_duplicates()["copies"] - 1).sum()) + int(actions.duplicated().sum())
    if again:
        found.append(("rows written twice", f"the sheets: {again:,}", "They repeat another row and count once.",
                      "If several people said it, say so in the column source."))  # fmt: skip
    return found


def _old(context: pd.DataFrame | None, as_of: date | None) -> list[tuple]:
    if context is None or as_of is None or not len(context):
        return []
    days = pd.to_datetime(context["date"])
    old = context[days < pd.Timestamp(as_of) - OLD]
    return [
        ("an old statement about the world outside", f"context: {clean_text(row.statement)}",
         f"It is of {pd.Timestamp(row.date):%Y-%m-%d}, more than a year before the last day that counts.",
         "Look whether it still holds.")
        for row in old.itertuples()
    ]  # fmt: skip
