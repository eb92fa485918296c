"""Strengths, weaknesses, opportunities, threats: what the data say and what people say, joined and never averaged."""

import re
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from cxkit.certainty import CERTAIN, LIKELY, SAID, family_of
from cxkit.checklists import FOUND as SCORED
from cxkit.checklists import item_of
from cxkit.findings import IDS, Finding, is_finding
from cxkit.same_thing import APART, GAP, QUADRANTS, TOTALS, by_item, commonest, one_spelling, split_ids, telling_words
from cxkit.spheres import AT_TOUCHPOINTS, sphere_of
from cxkit.stages import name_key
from cxkit.statements import alike, contrary, normal_statement
from cxkit.style import clean_text

OPPOSITE = {"strength": "weakness", "weakness": "strength", "opportunity": "threat", "threat": "opportunity"}
VOICES = ("data", "customer", "partner", "employee")
# what the verdict of a family means for the shop where it is no strength and no weakness of its own
MEANS = {
    ("search.missing", "weakness"): "opportunity",  # customers look for what they could be offered
    ("segments.shrinks", "weakness"): "threat",
    ("segments.grows", "weakness"): "threat",
}
# what tells how well the audit could look, and not how the shop does
OF_THE_AUDIT = ("quality.", "feedback.incentive_bias", "feedback.response_rate")
PARTS = {"service.contact_trend": "service.growing"}  # a total, and the family of what it may grow by
AREAS = frozenset(id.partition(".")[0] for id in IDS)
DATA = ("item", "statement", "quadrant", "voices", "evidence", "certainty", "sphere", "touchpoint")
SAYS = ("statement", "quadrant", "voice", "department", "impact", "confidence", "ids", "touchpoint", "quote", "source",
        "sheet", "copies")  # fmt: skip
ITEMS = ("item", "statement", "quadrant", "voices", "supporters", "evidence", "quotes", "impact", "certainty", "sphere",
         "department", "by_voice", "said", "sources", "confidence", "refuted", "against")  # fmt: skip
MOST_SAID = 5  # wordings of one item that are told
HIDDEN = "a quote, not shown: quotes are not reviewed"


def data_items(findings: Sequence[Finding], certainty: pd.DataFrame) -> pd.DataFrame:
    """What the data say, one row an item: every finding with a verdict, those about one touchpoint as one, and those
    about one item of the checklists.

    From: the findings of a run; `certainty.across_audit` of them. To, in the findings' order: item (the first finding's
    id), statement (its sentence), quadrant, voices (data; of what people scored on checklists theirs), evidence (ids,
    comma between), certainty (the surest of them), sphere, touchpoint (empty where it is about none).
    A weakness is an opportunity where customers look for what is not offered, and a threat where groups of customers
    shrink or grow against the shop. A total that gets worse is evidence of the item of its part, and none of its own,
    where exactly one part gets worse and that is certain: contacts a hundred orders, and the one reason that grows.
    What is left out: findings without a reference, or too early to say, and what tells of the audit itself (rows that
    could not be used, who answers a survey and why): `left_out` counts them.
    """
    sure = dict(zip(certainty["id"], certainty["certainty"], strict=True))
    groups: dict[tuple[str, str], list[Finding]] = {}
    parts = _explained(findings, sure)
    for finding in sorted(findings, key=lambda f: f.id in parts):  # a part goes before what it explains
        verdict = finding.quadrant()
        if verdict in QUADRANTS and not finding.id.startswith(OF_THE_AUDIT):
            about = parts.get(finding.id, finding.id)
            about = _touchpoint(about) if about.startswith(AT_TOUCHPOINTS) else item_of(about) or about
            quadrant = MEANS.get((family_of(finding.id), verdict), verdict)
            groups.setdefault((about, quadrant), []).append(finding)
    rows = [
        {
            "item": members[0].id,
            "statement": members[0].sentence(),
            "quadrant": quadrant,
            "voices": APART.join(_scored_by(members) or ["data"]),
            "evidence": APART.join(f.id for f in members),
            "certainty": CERTAIN if CERTAIN in {sure.get(f.id) for f in members} else LIKELY,
            "sphere": sphere_of([f.id for f in members]),
            "touchpoint": _touchpoint(members[0].id),
        }
        for (_, quadrant), members in groups.items()
    ]
    return pd.DataFrame(rows, columns=list(DATA), dtype=object)


def left_out(findings: Sequence[Finding]) -> str:
    """How many findings are in no quadrant, and why, in one sentence; empty where all are."""
    counts = Counter(
        "the audit" if f.quadrant() in QUADRANTS and f.id.startswith(OF_THE_AUDIT) else f.quadrant() for f in findings
    )
    told = [
        f"{counts[verdict]:,} {words}"
        for verdict, words in (
            ("no reference", "have nothing to be judged against (no target of the client's)"),
            ("too early to say", "are too early to say"),
            ("the audit", "tell how well the audit could look, not how the shop does"),
        )
        if counts[verdict]
    ]
    count = sum(n for verdict, n in counts.items() if verdict not in QUADRANTS)
    return f"Of {len(findings):,} findings {count:,} are in no quadrant: {'; '.join(told)}." if told else ""


def retold(findings: Sequence[Finding], data: pd.DataFrame) -> str:
    """Where the weaknesses that the pages name stand in the SWOT, in one sentence that adds up; empty without one.

    From: the findings of the run, `data_items` of them.
    """
    weak = [f.id for f in findings if f.quadrant() == "weakness"]
    side = {id: row.quadrant for row in data.itertuples() for id in split_ids(row.evidence)}
    counts = Counter(side.get(id, "the audit") for id in weak)
    own = sum(split_ids(cell)[0] in weak for cell in data.loc[data["quadrant"] == "weakness", "evidence"])
    places = (("under opportunities", counts["opportunity"]), ("under threats", counts["threat"]),
              ("of the audit itself", counts["the audit"]), ("told with another", counts["weakness"] - own),
              ("here as weaknesses", own))  # fmt: skip
    told = [f"{words} {count:,}" for words, count in places if count]
    return f"The pages name weaknesses {len(weak):,} times: {', '.join(told)}." if weak else ""


def said_items(
    sheet: pd.DataFrame,
    context: pd.DataFrame,
    register_voices: pd.DataFrame | None = None,
    *,
    quotes: pd.DataFrame | None = None,
    actions: pd.DataFrame | None = None,
    reviewed: bool = False,
) -> pd.DataFrame:
    """What people say, one row a statement: the sheets `swot` and `context`, and what registers noted.

    From: the sheets as `workshop.read_sheet` gives them; register_voices: statement, voice, touchpoint, department,
    source (its kind first), and quadrant, kind and score where they are known; quotes: the sheet, which tells a
    quote's touchpoint; actions: the sheet, whose measure tells which finding a statement is about; `reviewed`: whether
    quotes may be shown.
    To: statement, quadrant (of a register's note that takes no side: empty), voice (empty: context), department,
    impact, confidence, ids (of findings, comma between), touchpoint, quote, source, sheet, copies (rows that say the
    same in every cell, which count as one: nobody can tell a second person from a row pasted twice).
    A complaint, or a note scored 2 or less, tells of a weakness; an example of a WOW, or a note scored 4 or more,
    tells of a strength; a competitor's score takes no side.
    """
    spoken = _touchpoints_of_quotes(quotes)
    measured = _measures(actions)
    rows = [
        _said(row, "swot", ids=_ids(row.get("evidence")), measured=measured, spoken=spoken) for row in _records(sheet)
    ]
    rows += [_said(row, "context", ids=[], measured=measured, spoken={}) for row in _records(context)]
    for row in _records(register_voices):
        side = row.get("quadrant") if row.get("quadrant") in QUADRANTS else _side(row)
        rows.append(_said({**row, "quadrant": side}, "register", ids=[], measured={}, spoken={}))
    frame = pd.DataFrame(rows, columns=list(SAYS[:-1]))
    frame = frame.astype({"impact": float, "confidence": float})
    frame = frame.assign(department=one_spelling(frame["department"]))
    frame = frame.groupby(list(SAYS[:-1]), dropna=False, sort=True).size().rename("copies").reset_index()
    return frame if reviewed else frame.assign(quote=frame["quote"].where(frame["quote"] == "", HIDDEN))


def join(data: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """The SWOT: one row an item, what the data and what people say joined, contradictions named.

    From: `data_items`, `said_items`. To, by quadrant, the surest and the most supported first: item (a key that stays
    the same from audit to audit: the finding's id, or `said.` and a hash of the words), statement, quadrant, voices (of
    data, customer, partner, employee; comma between), supporters (statements joined, and 1 for the data), evidence
    (finding ids, comma between), quotes, impact (median of those stated; NaN), certainty (certain, likely, said),
    sphere, department (the one named most), by_voice (how many of each), said (people's words), sources, confidence
    (median of those stated), against (items that say the opposite of the same thing: strength and weakness,
    opportunity and threat; they share a finding of which both speak, a touchpoint that the data judge, or their words;
    and statements of one quadrant alike but that one denies what the other says), refuted (findings that people name as
    evidence and whose verdict is the opposite: no evidence for what they say).
    """
    rows = by_item(data, said)
    rows = rows[rows["item"] != ""]
    facts = {row["item"]: row for row in data.to_dict("records")}
    people = dict(list(rows.groupby("item", sort=True)))
    sides = {(id, fact["quadrant"]): key for key, fact in facts.items() for id in split_ids(fact["evidence"])}
    items = [_item(key, facts.get(key), people.get(key, rows[:0]), sides) for key in sorted({*facts, *people})]
    frame = pd.DataFrame(items, columns=list(ITEMS))
    frame["against"] = _against(frame, facts, people)
    place = {name: i for i, name in enumerate((*QUADRANTS, CERTAIN, LIKELY, SAID))}
    order = pd.DataFrame({"q": frame["quadrant"].map(place), "c": frame["certainty"].map(place),
                          "s": -frame["supporters"].astype(int), "item": frame["item"]})  # fmt: skip
    return frame.loc[order.sort_values(["q", "c", "s", "item"]).index].reset_index(drop=True)


def _scored_by(findings: Sequence[Finding]) -> list[str]:
    """The voices whose scores findings tell, as their claims name them, and not the data's; none where they rest on
    data."""
    claims = [f.claim for f in findings if f.id.startswith(SCORED)]
    return [v for v in VOICES[1:] if any(f"{v}s" in claim for claim in claims)]


def _explained(findings: Sequence[Finding], sure: dict[str, str]) -> dict[str, str]:
    """A total that got worse -> the one part that did; of several, or where it is not certain, none."""
    worse = {f.id for f in findings if f.quadrant() == "weakness"}
    found = {total: [id for id in sorted(worse) if family_of(id) == family] for total, family in PARTS.items()}
    return {total: part[0] for total, part in found.items()
            if total in worse and len(part) == 1 and sure.get(part[0]) == CERTAIN}  # fmt: skip


def _touchpoint(id: str) -> str:
    return id.split(".", 2)[2] if id.startswith((*AT_TOUCHPOINTS, GAP)) else ""


def _records(frame: pd.DataFrame | None) -> list[dict]:
    """Rows as plain values: missing texts empty, missing numbers NaN."""
    if frame is None or not len(frame):
        return []
    plain = frame.astype(object).where(frame.notna(), None)
    return plain.to_dict("records")


def _said(row: dict, sheet: str, *, ids: list[str], measured: dict, spoken: dict) -> dict:
    statement, evidence = clean_text(row.get("statement") or ""), row.get("evidence") or ""
    quote = "" if ids else clean_text(evidence)
    ids = [*ids, *(id for id in measured.get(normal_statement(statement), []) if id not in ids)]
    touchpoint = name_key(row.get("touchpoint") or "") or spoken.get(normal_statement(quote), "")
    return {
        "statement": statement,
        "quadrant": row.get("quadrant") or "",
        "voice": row.get("voice") or "",
        "department": clean_text(row.get("department") or ""),
        "impact": row.get("impact"),
        "confidence": row.get("confidence"),
        "ids": APART.join(ids),
        "touchpoint": touchpoint if statement else "",
        "quote": quote,
        "source": clean_text(row.get("source") or ""),
        "sheet": sheet,
    }


def _ids(evidence: object) -> list[str]:
    """The finding ids that a cell names, also misspelt ones; none where it is a quote."""
    text = str(evidence or "").strip()
    # an id may hold a comma, and never a blank or a semicolon
    parts = [text] if is_finding(text) and not re.search(r"[;\s]", text) else re.split(r"[,;\s]+", text)
    meant = [part for part in parts if part]
    return list(dict.fromkeys(meant)) if meant and all(_looks_like_id(part) for part in meant) else []


def _looks_like_id(text: str) -> bool:
    return text.partition(".")[0] in AREAS and "." in text


def _touchpoints_of_quotes(quotes: pd.DataFrame | None) -> dict[str, str]:
    rows = sorted((normal_statement(r["quote"] or ""), name_key(r["touchpoint"] or "")) for r in _records(quotes))
    return dict(reversed(rows))


def _measures(actions: pd.DataFrame | None) -> dict[str, list[str]]:
    """Statement, in its normal words -> the findings by which the actions on it are measured, where these are about one
    thing (a touchpoint, a reason): that NPS is to move does not say what the statement is about."""
    found: dict[str, set[str]] = {}
    for row in _records(actions):
        if row.get("item") and row.get("measure"):
            found.setdefault(normal_statement(row["item"]), set()).update(filter(family_of, _ids(row["measure"])))
    return {text: sorted(ids) for text, ids in found.items()}


def _side(row: dict) -> str:
    """The quadrant of a register's note: by its kind (else the first word of its source), or by its score."""
    kind, score = row.get("kind") or name_key(str(row.get("source") or "").partition(",")[0]), row.get("score")
    if kind in ("complaint", "wow_example"):
        return "weakness" if kind == "complaint" else "strength"
    if kind == "competitor" or score is None:
        return ""
    return "weakness" if score <= 2 else "strength" if score >= 4 else ""


def _item(key: str, fact: dict | None, rows: pd.DataFrame, sides: dict[tuple[str, str], str]) -> dict:
    """One row of the SWOT from its data and the people who say it; sides: (finding, quadrant) -> the data's item."""
    quadrant = fact["quadrant"] if fact else rows["quadrant"].iloc[0]
    sheets = rows[rows["sheet"] != "register"]
    texts = Counter(sheets["statement"])
    spoken = commonest(texts)
    ids = split_ids(fact["evidence"]) if fact else []
    named = commonest(Counter(i for cell in rows["ids"] for i in split_ids(cell)))
    ids += [id for id in named if id not in ids and (id, OPPOSITE[quadrant]) not in sides
            and not (fact and _of_another(id, key, sides.get((id, quadrant))))]  # fmt: skip
    voices = Counter(rows.loc[rows["voice"].isin(VOICES[1:]), "voice"])
    if fact and fact["voices"] == "data":
        voices["data"] = len(split_ids(fact["evidence"]))
    heard = [voice for voice in VOICES if voices[voice] or (fact and voice in split_ids(fact["voices"]))]
    department = _first(sheets["department"]) or _first(rows["department"])
    touchpoint = fact["touchpoint"] if fact else _first(rows["touchpoint"])
    statement = fact["statement"] if fact else spoken[0]
    others = [text for text in spoken if text != statement]
    told = others[:MOST_SAID] + ([f"and {len(others) - MOST_SAID:,} more"] if len(others) > MOST_SAID else [])
    quotes = sorted({q for q in rows["quote"] if q})
    return {
        "item": key,
        "statement": statement,
        "quadrant": quadrant,
        "voices": APART.join(heard),
        "supporters": len(rows) + bool(fact),
        "evidence": APART.join(ids),
        "quotes": " · ".join(quotes),
        "impact": float(rows["impact"].median()),
        "certainty": fact["certainty"] if fact else SAID,
        "sphere": (fact["sphere"] if fact else "") or sphere_of(ids, touchpoint=touchpoint, department=department),
        "department": department,
        "by_voice": APART.join(f"{voice} {voices[voice]}" for voice in VOICES if voices[voice]),
        "said": " · ".join(told),
        "sources": "; ".join(sorted({s for s in rows["source"] if s})),
        "confidence": float(rows["confidence"].median()),
        "refuted": APART.join(id for id in named if id not in ids and (id, OPPOSITE[quadrant]) in sides),
    }  # fmt: skip


def _of_another(id: str, key: str, owner: str | None) -> bool:
    """Whether a finding that people name belongs to another item of the same family, or is the total of this one."""
    return (owner not in (None, key) and family_of(id) == family_of(key) != "") or key.startswith(
        TOTALS.get(id, "no finding")
    )


def _first(texts: pd.Series) -> str:
    return next(iter(commonest(Counter(texts[texts != ""]))), "")


def _named_by_words(rows: pd.DataFrame) -> list[str]:
    """The findings that statements name and speak of: at a touchpoint, or with a word in common. An id in the sheet's
    cell alone does not make a statement the opposite of what the finding says: it may be of other customers."""
    named = [(id, row.statement) for row in rows.itertuples() for id in split_ids(row.ids)]
    return sorted({id for id, text in named if _touchpoint(id) or (
        telling_words(id.split(".", 2)[-1].replace("_", " ")).keys() & telling_words(text).keys())})  # fmt: skip


def _against(items: pd.DataFrame, facts: dict, people: dict) -> list[str]:
    """For each item the keys of those that say the opposite of the same thing."""
    quadrant = dict(zip(items["item"], items["quadrant"], strict=True))
    about: dict[tuple[str, str], set[str]] = {}
    judged = {fact["touchpoint"] for fact in facts.values()} - {""}
    texts: list[str] = []
    owners: list[str] = []
    for item in items.itertuples():
        rows = people.get(item.item)
        places = {facts[item.item]["touchpoint"]} if item.item in facts else set()
        places |= set(rows["touchpoint"]) & judged if rows is not None else set()
        ids = [*split_ids(item.evidence), *(_named_by_words(rows) if rows is not None else [])]
        for thing in [("id", id) for id in ids] + [("at", place) for place in places - {""}]:
            about.setdefault(thing, set()).add(item.item)
        for text in sorted(set(rows["statement"])) if rows is not None else []:
            texts.append(text)
            owners.append(item.item)
    found: dict[str, set[str]] = {item: set() for item in items["item"]}
    pairs = [(a, b) for group in about.values() for a in group for b in group]
    near = [(i, j) for i, others in enumerate(alike(texts)) for j in others]
    pairs += [(owners[i], owners[j]) for i, j in near]
    denied = {(owners[i], owners[j]) for i, j in near if owners[i] != owners[j] and contrary(texts[i], texts[j])}
    for a, b in pairs:
        if quadrant[b] == OPPOSITE[quadrant[a]] or (quadrant[b] == quadrant[a] and (a, b) in denied):
            found[a].add(b)
            found[b].add(a)
    return [APART.join(sorted(found[item])) for item in items["item"]]
