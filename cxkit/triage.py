"""What now, what gradually, what not at all: the rule, and what it says of each item and action."""

import numpy as np
import pandas as pd

from cxkit.causes import possible
from cxkit.certainty import CERTAIN, LIKELY, SAID
from cxkit.impact import UNKNOWN
from cxkit.same_thing import QUADRANTS, split_ids
from cxkit.style import clean_text

NOW, GRADUALLY, EVIDENCE, DROP = "now", "gradually", "evidence first", "drop"
HEADINGS = {
    NOW: "Now",
    GRADUALLY: "Gradually",
    EVIDENCE: "Evidence first: what may come, and whom to ask",
    DROP: "Not at all, or not before there is evidence",
}
COMING = ("opportunity", "threat")
TRIAGED = ("weakness", "opportunity", "threat")  # strengths are kept, not mended
NOT_TO_BE_DONE = "which is not to be done"
GREAT, SMALL = 4, 2  # impact from which on something is urgent, and up to which the greatest effort is not worth it
MOST_EFFORT, GREATEST_EFFORT = 3, 5
ASK = {"customer": "customers", "partner": "partners", "employee": "employees"}
BARE = "one statement alone stands behind it"
RULE = {
    EVIDENCE: "Of an opportunity or a threat: no finding, no quote, no source outside and no second voice stands "
    "behind it yet. What may come is not dropped for that; it is asked after, and no action follows before.",
    DROP: "Of a weakness or an action: no finding, no quote, no source outside and no second voice stands "
    "behind it (no evidence, no action), and it is no possible cause of what is for now "
    "(that is checked with it, gradually); or, "
    f"of an action, it names no item, or takes the greatest effort ({GREATEST_EFFORT} of 5) for an impact of {SMALL} "
    "of 5 or less.",
    NOW: f"The data or the scores are certain of it, or two voices say it; its impact is {GREAT} of 5 or more; and, of "
    f"an action, its effort is at most {MOST_EFFORT} of 5, or not known, it waits for nothing still to be done, and "
    "the audit does not refute the cause that it mends.",
    GRADUALLY: "All else.",
}


def rule() -> pd.DataFrame:
    """The rule as a reader meets it: triage, rule; the first that fits counts."""
    return pd.DataFrame({"triage": list(RULE), "rule": list(RULE.values())})


def triage(items: pd.DataFrame) -> pd.DataFrame:
    """Items with triage (now, gradually, evidence first, drop; empty for strengths, which are kept), why, and pressing
    (yes/no: a weakness for now). A weakness that people alone say and that may be a cause (`causes.possible`) of one
    for now is checked with it: gradually. An opportunity or a threat without evidence is not dropped: evidence first.

    From: items (item, quadrant, voices, supporters, evidence, quotes, sources, impact, certainty, sphere,
    department, said). The rule is `RULE`; what it takes to do something about it and what comes first decides of
    actions alone (`triage_actions`).
    Source: the three heaps are S0's (what to change urgently, what to introduce gradually, what to drop).
    """
    rows = items.to_dict("records")
    told = [_item(row) if row["quadrant"] in TRIAGED else ("", "a strength: keep it so") for row in rows]
    checked = _to_check(items, [name for name, _ in told])
    told = [
        (GRADUALLY, checked[row["item"]]) if name == DROP and row["item"] in checked else (name, why)
        for row, (name, why) in zip(rows, told, strict=True)
    ]
    pressing = [row["quadrant"] == "weakness" and name == NOW for row, (name, _) in zip(rows, told, strict=True)]
    return items.assign(triage=[name for name, _ in told], why=[why for _, why in told], pressing=pressing)


def triage_actions(actions: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Actions with triage, why, waits_for (the actions that it waits for, or an empty text), impact and stake (the
    greatest of its items), and weighed (whether anything or anybody weighs one of its items).

    From: actions (`action_sheet.link`: action, items, effort, waits, but), items as `triage` takes them. An action is
    as urgent as the most urgent of its items with its own effort. It waits for those that the sheet names in `after`,
    and for no other: a day alone makes none wait.
    """
    known = {row["item"]: row for row in items.to_dict("records")}
    rows = actions.to_dict("records")
    first = [_action(row, known) for row in rows]
    waits = [[(clean_text(rows[at]["action"]), first[at][0]) for at in row["waits"]] for row in rows]
    told = [_in_turn(*judged, before, row["but"]) for judged, before, row in zip(first, waits, rows, strict=True)]
    of = [[known[key] for key in split_ids(row["items"]) if key in known] for row in rows]
    most = {name: [max((_number(item.get(name)) for item in its), default=np.nan, key=_or_least) for its in of]
            for name in ("impact", "stake")}  # fmt: skip
    weighed = [any(item.get("impact_from") != UNKNOWN for item in its) for its in of]
    waited = ["; ".join(text for text, _ in before) for before in waits]
    found = actions.assign(
        triage=[name for name, _ in told], why=[why for _, why in told], waits_for=waited, weighed=weighed, **most
    )
    return found.astype(dict.fromkeys(("triage", "why", "waits_for"), object))  # texts, of no action too


def ranked(items: pd.DataFrame) -> pd.DataFrame:
    """Items by quadrant, what is to be done now first, then by impact, by stake, and by key; strengths the surest
    first, since nobody weighs them. From: `triage`."""
    place = {name: rank for rank, name in enumerate((*QUADRANTS, *HEADINGS, "", CERTAIN, LIKELY, SAID))}
    sure = items["certainty"].map(place).where(items["quadrant"] == "strength", 0)
    keys = items.assign(_quadrant=items["quadrant"].map(place), _heap=items["triage"].map(place), _sure=sure)
    order = keys.sort_values(
        ["_quadrant", "_heap", "_sure", "impact", "stake", "item"],
        ascending=[True, True, True, False, False, True], kind="stable",
    )  # fmt: skip
    return items.loc[order.index].reset_index(drop=True)


def heaped(items: pd.DataFrame) -> pd.DataFrame:
    """Items in their heaps, the most urgent first: with heap (its heading); strengths are left out.

    From: `ranked`.
    """
    order = {name: rank for rank, name in enumerate(HEADINGS)}
    rows = items[items["triage"] != ""].assign(heap=items["triage"].map(HEADINGS))
    rows = rows.assign(_rank=rows["triage"].map(order))
    return rows.sort_values(["_rank", "impact", "stake", "item"], ascending=[True, False, False, True], kind="stable",
                            ignore_index=True).drop(columns="_rank")  # fmt: skip


def heaps(items: pd.DataFrame) -> str:
    """How many items stand in which heap, in one sentence. From: `triage`."""
    counts = items["triage"].value_counts()
    words = {NOW: "to be done now", GRADUALLY: "gradually", EVIDENCE: "to be asked after first", DROP: "not at all"}
    told = [f"{counts.get(name, 0)} {how}" for name, how in words.items()]
    return f"Of {int(counts.drop('', errors='ignore').sum())} weaknesses, opportunities and threats: {', '.join(told)}."


def _item(row: dict) -> tuple[str, str]:
    """The heap of an item, and why."""
    impact, count = _number(row["impact"]), _count(row.get("voices"))
    certain = row.get("certainty") == "certain"
    outside = not count and _text(row.get("sources"))  # of what the sheet context says, the source is the evidence
    backed = _text(row.get("evidence")) or _text(row.get("quotes")) or outside
    if not (backed or count > 1 or _number(row.get("supporters")) > 1):
        if row["quadrant"] in COMING:
            return EVIDENCE, f"{BARE}: {_whom_to_ask(row)}"
        return DROP, f"{BARE}: no action before there is evidence"
    surely = "the data are certain" if "data" in _text(row.get("voices")) else "the scores are certain"
    sure = surely if certain else f"{count} voices say it" if count > 1 else ""
    worth = f"its impact is {impact:g} of 5"
    if sure and impact >= GREAT:
        return NOW, f"{sure}, {worth}"
    alone = "one voice alone says it" if count == 1 else "a source outside alone says it"
    doubts = ["" if sure else f"the data are not certain, and {alone}"]
    doubts += ["" if impact >= GREAT else f"{worth}, less than {GREAT}"]
    return GRADUALLY, ", ".join(doubt for doubt in doubts if doubt)


def _whom_to_ask(row: dict) -> str:
    """Whom to ask after what one statement alone says: those who have not spoken."""
    spoken = [voice.strip() for voice in _text(row.get("voices")).split(",")]
    others = [many for voice, many in ASK.items() if voice not in spoken]
    return f"ask {' and '.join((', '.join(others[:-1]), others[-1])) if others[1:] else 'again'}, or look for a source"


def _to_check(items: pd.DataFrame, heaps: list[str]) -> dict[str, str]:
    """What people alone say that may be the cause of a weakness for now: item -> why it is checked with that."""
    now = dict(zip(items["item"], heaps, strict=True))
    keys = {(row.quadrant, clean_text(row.statement)): row.item for row in items.itertuples()}
    words = dict(zip(items["item"], items["statement"], strict=True))
    return {
        keys["weakness", text]: f"{BARE}; it may be a cause of “{clean_text(words[item]).rstrip('.')}” and is checked "
        "with that"
        for item, told in possible(items).items() if now[item] == NOW
        for _, text in told
    }  # fmt: skip


def _with_effort(row: dict, effort: float) -> tuple[str, str]:
    """The heap of an action for one item, before it is asked what it waits for."""
    (heap, why), impact = _item(row), _number(row["impact"])
    if heap in (DROP, EVIDENCE):
        return DROP, f"{BARE}: no action before there is evidence"
    if effort >= GREATEST_EFFORT and impact <= SMALL:
        return DROP, f"the greatest effort for an impact of {impact:g} of 5"
    easy = f"its effort is {effort:g} of 5" if np.isfinite(effort) else "its effort is not known yet"
    if effort > MOST_EFFORT:
        return GRADUALLY, f"{f'{why}, ' * (heap == GRADUALLY)}{easy}, more than {MOST_EFFORT}"
    return heap, f"{why}, {easy}" if heap == NOW else why


def _action(row: dict, known: dict[str, dict]) -> tuple[str, str]:
    """The heap of an action before it is asked what it waits for."""
    items = [known[key] for key in split_ids(row["items"]) if key in known]
    if not items:
        return DROP, "no item of this audit asks for it (no evidence, no action)"
    judged = [_with_effort(item, _number(row["effort"])) for item in items]
    return min(judged, key=lambda told: (NOW, GRADUALLY, DROP).index(told[0]))


def _in_turn(heap: str, why: str, before: list[tuple[str, str]], but: str) -> tuple[str, str]:
    """The heap of an action when it is asked what goes before it, and whether its cause is the audit's; and why."""
    if heap != NOW:
        return heap, why
    gone = " and ".join(f"“{text}”{f', {NOT_TO_BE_DONE}' * (name == DROP)}" for text, name in before)
    return (GRADUALLY, f"waits for {gone}") if gone else (GRADUALLY, but) if but else (heap, why)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float, np.number)) else float("nan")


def _or_least(value: float) -> float:
    return value if np.isfinite(value) else -np.inf


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _count(voices: object) -> int:
    return len({voice.strip() for voice in _text(voices).split(",") if voice.strip()})
