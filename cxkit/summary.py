"""One page for the client's director: what was looked at, what matters most, what to do now, the key figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxkit.findings import FAMILIES, IDS, Finding
from cxkit.style import clean_text, format_interval, format_value

MOST = 5  # findings that matter: as many as a head holds
MOST_STRENGTHS = 2
CERTAIN, LIKELY, SAID = "certain", "likely", "said"  # how sure, the surest first
SURE = {CERTAIN: "certain", LIKELY: "likely", SAID: "said by people, not measured"}
KINDS = ("weakness", "threat", "opportunity", "strength")  # a strength matters where nothing else is left to say
NOW = "now"
# one figure a question, in the order in which a director asks
KEY = {  # a finding's id -> what it is called where its own label needs a word that not everybody knows
    "loyalty.repeat_rate": "",
    "loyalty.known_revenue_share": "",
    "lifetime.value_per_customer": "",
    "journey.conversion": "",
    "feedback.nps": "Would recommend the shop, less those who would not (NPS, −100 to 100)",
    "feedback.csat": "Satisfied, of those who were asked (CSAT)",
    "search.nothing_found": "",
    "service.contacts_per_100": "Contacts with support, a hundred orders",
    "service.late_share": "",
    "service.returned_share": "",
}
# what says something of the data or of the measuring, and not of the shop
OF_DATA = ("quality.", "feedback.incentive_bias", "feedback.response_rate", "lifetime.held_out_error")
TABLES = {  # what one row is, in plain words; those that tell most first
    "orders": "order lines",
    "events": "steps of visits",
    "surveys": "answers to surveys",
    "contacts": "contacts with support",
    "searches": "searches",
    "reviews": "reviews",
    "customers": "customers' records",
    "invitations": "invitations to answer",
    "catalogue": "goods of the catalogue",
}
SHEETS = {"swot": "statements", "checklist": "answers to checklists"}
VOICES = {"customer": "customers", "partner": "partners", "employee": "employees"}


def looked_at(basis: Mapping[str, object], accounting: pd.DataFrame, sheets: Mapping[str, pd.DataFrame]) -> list[str]:
    """What the audit rests on, in sentences.

    From: a row of `tables.basis` (customers, orders, first, last); `00_data_quality.accounting` (table, kept); the
    workshop's sheets by name (those of `SHEETS` are counted by voice).
    """
    days = [pd.Timestamp(basis[end]) for end in ("first", "last")]
    if pd.isna(days[0]):
        return ["The data hold no order that counts."]
    first, last = (f"{day.day} {day:%B %Y}" for day in days)
    rows = accounting.set_index("table")["kept"]
    read = [f"{int(rows[name]):,} {words}" for name, words in TABLES.items() if rows.get(name, 0)]
    missing = [words for name, words in TABLES.items() if not rows.get(name, 0)]
    told = [
        f"The audit rests on {int(basis['orders']):,} orders of {int(basis['customers']):,} customers, placed from "
        f"{first} to {last}.",
        f"It read {_list(read)}.",
    ]
    if missing:
        told.append(f"Not given, and so not looked at: {_list(missing)}.")
    heard = [_heard(sheets[name], words) for name, words in SHEETS.items() if len(sheets.get(name, ()))]
    if heard:
        return [*told, f"Beside the data, people were heard: {'; '.join(heard)}."]
    return [*told, "Nobody was heard beside the data: the workshop's sheets are empty."]


def _heard(sheet: pd.DataFrame, words: str) -> str:
    counts = sheet["voice"].value_counts()
    parts = [f"{counts[voice]:,} of {name}" for voice, name in VOICES.items() if counts.get(voice, 0)]
    silent = [name for voice, name in VOICES.items() if not counts.get(voice, 0)]
    return f"{len(sheet):,} {words} ({_list(parts)}" + (f"; none of {_list(silent, last='or')})" if silent else ")")


def _list(words: Sequence[str], *, last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def what_matters(items: pd.DataFrame | None, findings: Sequence[Finding], *, most: int = MOST) -> pd.DataFrame:
    """What matters most, at most `most` rows.

    From: `10_swot.items` (None: that notebook was not run, and what the findings say is ranked alone); the audit's
    findings. To: item, what (the finding's label, else the statement), quadrant, certainty, sure (in words), voices
    (in words), impact, stake (money), stake_share, finding (the id of the finding behind it, or missing).
    Ranked: what asks for a decision (weakness, threat, opportunity) before strengths; among these by certainty, then by
    impact, then by how many of the data, customers, partners and employees say so, then by what is at stake.
    What is left out: what is dropped by the triage; what says something of the data and not of the shop; of several
    about one touchpoint, or of one family of findings (goods looked for and not offered), all but the first, which
    says how many more there are.
    """
    known = {finding.id: finding for finding in findings}
    rows = _from_findings(findings) if items is None else _from_items(items, known)
    order = {
        "kind": rows["quadrant"] == "strength",
        "sureness": rows["certainty"].map({CERTAIN: 0, LIKELY: 1}).fillna(2),
        "weight": -rows["impact"].fillna(3),
        "many": -rows["sides"],
        "money": -rows["stake"].fillna(0),
        "more": -rows["supporters"].fillna(0),
    }
    ranked = rows.assign(**order).sort_values([*order, "item"], kind="stable")
    more = ranked.groupby("subject", sort=False)["item"].transform("size") - 1
    kind = ranked["subject"].isin(FAMILIES) & (more > 0)
    ranked["what"] += np.where(kind, " (and " + more.astype(str) + " more of this kind)", "")
    ranked = ranked.drop_duplicates("subject").head(most).reset_index(drop=True)
    return ranked.drop(columns=[*order, "sides", "subject"])


def _from_items(items: pd.DataFrame, known: Mapping[str, Finding]) -> pd.DataFrame:
    rows = []
    for row in items.to_dict("records"):
        ids = [id for id in _parts(row.get("evidence")) if id in known]
        first = known.get(str(row["item"])) or (known[ids[0]] if ids else None)
        if row.get("triage") == "drop" or row["quadrant"] not in KINDS or str(row["item"]).startswith(OF_DATA):
            continue
        rows.append(
            {
                "item": str(row["item"]),
                "what": clean_text(first.label if first else row["statement"]),
                "quadrant": row["quadrant"],
                "certainty": row["certainty"],
                "sure": SURE.get(row["certainty"], "–"),
                "voices": _voices(row),
                "sides": len(_parts(row.get("voices"))),
                "impact": row.get("impact"),
                "stake": row.get("stake"),
                "stake_share": row.get("stake_share"),
                "supporters": row.get("supporters"),
                "finding": first.id if first else None,
                "subject": _subject(str(row["item"])),
            }
        )
    return _matter(rows)


def _from_findings(findings: Sequence[Finding]) -> pd.DataFrame:
    """Without the joined items: what is judged, the first of each area before its second."""
    sides = [[f for f in findings if f.quadrant() == side] for side in ("weakness", "strength")]
    judged = [f for f in sides[0] + sides[1] if not f.id.startswith(OF_DATA)]
    areas = pd.Series([f.id.partition(".")[0] for f in judged], dtype=object)
    rows = [
        {
            "item": f.id,
            "what": clean_text(f.label),
            "quadrant": f.quadrant(),
            "certainty": LIKELY,
            "sure": SURE[LIKELY],
            "voices": "the data",
            "sides": 1,
            "supporters": -turn * len(judged) - place,
            "finding": f.id,
            "subject": _subject(f.id),
        }
        for place, (f, turn) in enumerate(zip(judged, areas.groupby(areas).cumcount(), strict=True))
    ]
    return _matter(rows)


def _matter(rows: list[dict]) -> pd.DataFrame:
    columns = ["item", "what", "quadrant", "certainty", "sure", "voices", "impact", "stake", "stake_share"]
    frame = pd.DataFrame(rows, columns=[*columns, "sides", "supporters", "finding", "subject"])
    return frame.astype(dict.fromkeys(["impact", "stake", "stake_share", "sides", "supporters"], "float64"))


def _subject(item: str) -> str:
    """What two items are both about: journey.touchpoint.advice and feedback.touchpoint.advice are about advice, two
    goods looked for and not offered about what is not offered."""
    family = next((name for name in FAMILIES if item.startswith(f"{name}.")), "")
    return item.removeprefix(f"{family}.") if family.endswith(".touchpoint") else family or item


def _parts(text: object) -> list[str]:
    return [part.strip() for part in str(text).split(",") if part.strip()] if isinstance(text, str) else []


def _voices(row: Mapping) -> str:
    named = {"data": "the data"} | VOICES
    words = [named.get(voice, voice) for voice in _parts(row.get("voices"))]
    return _list(words) if words else "–"


def findings_behind(matters: pd.DataFrame, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that stand behind what matters, in its order; where none does, the first key figures.

    From: `what_matters`, the audit's findings.
    """
    known = {finding.id: finding for finding in findings}
    behind = [known[id] for id in matters["finding"].dropna() if id in known]
    return behind or [known[id] for id in key_figures(findings)["id"].head(MOST)]


def matters_in_words(matters: pd.DataFrame, items: pd.DataFrame | None, findings: Sequence[Finding]) -> list[str]:
    """How sure what matters is, and what is done well, in sentences. From: as `what_matters`."""
    if not len(matters):
        open_ = sum(f.quadrant() == "no reference" for f in findings)
        text = "Nothing in these data is told apart from its reference: neither a weakness nor a strength."
        more = f"{open_} figures have no target: once the client states his own, they are judged, too."
        return [text, more] if open_ else [text]
    counts = matters["certainty"].value_counts()
    told = []
    if items is not None:
        told.append(_sure_sentence(counts, len(matters)))
        said = matters[matters["finding"].isna()]
        if len(said):
            told.append(f"Behind {_list([f'“{what}”' for what in said['what']])} stands no figure of the data.")
    shown = set(matters["finding"])
    strengths = [f for f in findings if f.quadrant() == "strength" and not f.id.startswith(OF_DATA)]
    well = [clean_text(f.sentence()) for f in strengths if f.id not in shown][:MOST_STRENGTHS]
    if well:
        told.append(f"What is judged a strength: {' '.join(well)}")
    return told


def _sure_sentence(counts: pd.Series, of: int) -> str:
    parts = [f"{counts[name]} {'is' if counts[name] == 1 else 'are'} {SURE[name]}" for name in SURE if name in counts]
    if len(parts) == 1:
        return (
            f"All {of} that matter most are {SURE[counts.index[0]]}."
            if of > 1
            else f"The one that matters {parts[0][2:]}."
        )
    return f"Of the {of} that matter most, {_list(parts)}."


def to_do_now(actions: pd.DataFrame | None, findings: Sequence[Finding]) -> pd.DataFrame:
    """What to do now, in the plan's order.

    From: `10_swot.actions` (action, owner, department, due, measure, detectable, triage; None: that notebook was not
    run, and nothing is to be done now); the audit's findings. To: action, who (owner, else department), due, measure
    (the label of the finding that will show it, and from what change on the next audit would).
    """
    if actions is None:
        return pd.DataFrame(columns=["action", "who", "due", "measure"])
    labels = {finding.id: clean_text(finding.label) for finding in findings}
    now = actions[actions["triage"] == NOW].reset_index(drop=True)
    seen = now["measure"].map(labels)
    change = now["detectable"].map(lambda text: f" (seen from {text} on)" if isinstance(text, str) and text else "")
    told = {
        "action": now["action"].map(clean_text),
        "who": now["owner"].fillna(now["department"]).fillna("nobody yet"),
        "due": now["due"].map(lambda day: "not set" if pd.isna(day) else str(day)[:10]),
        "measure": (seen + change).fillna("nothing yet: name a finding as its measure"),
    }
    return pd.DataFrame(told)


def to_do_in_words(actions: pd.DataFrame | None) -> str:
    """How many actions are for now, how many come gradually and how many are dropped.

    From: `10_swot.actions` (None: that notebook was not run)."""
    if actions is None:
        return "What to do now was not weighed: the findings were not made into a plan."
    if not len(actions):
        return "No action has been proposed yet: the workshop's sheet of actions is empty."
    counts = actions["triage"].value_counts()
    words = {"now": "to do now", "gradually": "to do gradually", "drop": "to drop"}
    parts = [f"{counts.get(name, 0)} {word}" for name, word in words.items()]
    what = "1 action was" if len(actions) == 1 else f"{len(actions)} actions were"
    return f"{what} proposed: {_list(parts)}."


def key_figures(findings: Sequence[Finding]) -> pd.DataFrame:
    """The key figures, one a question, then all others, those of single stages, groups and reasons last.

    From: the audit's findings. To: figure (its label), value_text, interval_text, n, target_text, verdict, and for a
    computer: id, value, low, high, unit, level, target. What could not be told is left out.
    """
    place = {id: number for number, id in enumerate(KEY)}
    single = {id: len(KEY) for id in IDS if not id.startswith(OF_DATA)}
    known = [f for f in findings if f.estimate.known]
    known = sorted(known, key=lambda f: (single | place).get(f.id, len(KEY) + 1))
    rows = [
        {
            "figure": KEY.get(f.id) or clean_text(f.label),
            "value_text": format_value(f.estimate.value, f.estimate.unit, f.currency),
            "interval_text": "counted in full" if f.estimate.level == 1 else format_interval(f.estimate, f.currency),
            "n": f.estimate.n,
            "target_text": "–" if f.target is None else format_value(f.target, f.estimate.unit, f.currency),
            "verdict": "not judged" if f.quadrant() == "no reference" else f.quadrant(),
            "id": f.id,
            **{name: getattr(f.estimate, name) for name in ("value", "low", "high", "unit", "level")},
            "target": f.target,
        }
        for f in known
    ]
    columns = ["figure", "value_text", "interval_text", "n", "target_text", "verdict", "id", "value", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "unit", "level", "target"])


def open_questions(run_dir: Path) -> pd.DataFrame:
    """What the audit as a whole could not assess: what, why, ask_for; each once.

    From: the run's folder (run.json and not_assessed/*.json).
    """
    paths = sorted((run_dir / "not_assessed").glob("*.json"))
    rows = [row for path in paths for row in json.loads(path.read_text(encoding="utf-8"))]
    record = run_dir / "run.json"
    told = json.loads(record.read_text(encoding="utf-8")).get("not_assessed", []) if record.is_file() else []
    frame = pd.DataFrame([*told, *rows], columns=["what", "why", "ask_for"])
    return frame.drop_duplicates(ignore_index=True)
