"""One page for the client's director: what matters most, where it happens, and what to do now."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxkit.findings import FAMILIES, Finding
from cxkit.heard import VOICES, listed
from cxkit.journey_readings import leading_metric
from cxkit.key_figures import OF_DATA
from cxkit.short_answer import lacks
from cxkit.style import clean_text, format_interval, format_value

MOST = 5  # findings that matter: as many as a head holds
CERTAIN, LIKELY, SAID = "certain", "likely", "said"  # how sure, the surest first
SURE = {CERTAIN: "certain", LIKELY: "likely", SAID: "said by people, not measured"}
KINDS = ("weakness", "threat", "opportunity", "strength")  # a strength matters where nothing else is left to say
NOW = "now"
TO_DO = ("action", "who", "due", "measure", "planned", "items", "effort", "quarter")
PLANNED = ("todo", "when", "who", "action")
# how `passed.orders_that_passed` says what revenue cannot: the visits that never came to an order
LOST = re.compile(r"([\d,]+) of ([\d,]+) such visits ended without an order")
SEEN = re.compile(r"visits are known of (\d+) of the 12 months")
COMPARES = {  # what a finding about a touchpoint compares, where the map of the journey compares stages
    "feedback.gap": "what customers experienced against what they had expected",
    "journey.touchpoint": "one touchpoint against the others",
    "feedback.touchpoint": "one touchpoint against the others",
}


def what_matters(
    items: pd.DataFrame | None,
    findings: Sequence[Finding],
    actions: pd.DataFrame | None = None,
    *,
    most: int = MOST,
) -> pd.DataFrame:
    """What matters most, at most `most` rows.

    From: `10_swot.items` (None: that notebook was not run, and what the findings say is ranked alone); the audit's
    findings; `10_swot.actions`. To: item, what (the finding's label, else the statement), told (its first sentence,
    with the number, else the statement), quadrant, certainty, sure (in words), voices (in words), impact, stake
    (money), stake_share, lost (of a touchpoint: visits that passed it and ended without an order, in words, else
    missing), todo (the plan's first action for it, those of now before others, else what the finding proposes), when
    (heap and day or quarter), who (owner and department; missing where nothing is planned), action (as the plan words
    it, or missing), finding (the id of the finding behind it, or missing).
    Ranked: what asks for a decision (weakness, threat, opportunity) before strengths; among these by certainty, then by
    impact, then by what is at stake, as the plan ranks them, then by how many of the data, customers, partners and
    employees say so.
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
        "money": -rows["stake"].fillna(0),
        "many": -rows["sides"],
        "more": -rows["supporters"].fillna(0),
    }
    ranked = rows.assign(**order).sort_values([*order, "item"], kind="stable")
    more = ranked.groupby("subject", sort=False)["item"].transform("size") - 1
    kind = ranked["subject"].isin(FAMILIES) & (more > 0)
    ranked["what"] += np.where(kind, " (and " + more.astype(str) + " more of this kind)", "")
    ranked["told"] += np.where(kind, " And " + more.astype(str) + " more of this kind.", "")
    ranked = ranked.drop_duplicates("subject").head(most).reset_index(drop=True)
    planned = [_planned(row, actions, known.get(row["finding"])) for row in ranked.to_dict("records")]
    for place, name in enumerate(PLANNED):
        ranked[name] = pd.Series([plan[place] for plan in planned], dtype=object)
    return ranked.drop(columns=[*order, "sides", "subject"])


def _planned(row: Mapping, actions: pd.DataFrame | None, finding: Finding | None) -> tuple[str | None, ...]:
    """What is to be done about a matter, when, by whom, and as the plan words it (`PLANNED`)."""
    if actions is not None and "items" in actions:
        named = actions["items"].map(lambda keys: row["item"] in _parts(keys)).astype(bool)
        mine = actions[named & (actions["triage"] != "drop")]
        if len(mine):
            first = mine.sort_values("triage", key=lambda heap: heap != NOW, kind="stable").iloc[0]
            heap = first["triage"]
            when = ", ".join(part for part in (heap, _until(first)) if part)
            return _action(first, row["what"]), when, _who(first), first["action"]
    return (clean_text(finding.action) if finding and finding.action else "–"), "not planned", None, None


def _action(row: Mapping, label: str) -> str:
    """An action without the name of the thing that it is for, which stands beside it."""
    return clean_text(row["action"]).removeprefix(f"{label}: ")


def _until(row: Mapping) -> str:
    """The day by which an action is due, else its quarter, else nothing."""
    told = [row.get(name) for name in ("due", "quarter")]
    return next((str(day)[:10] for day in told if pd.notna(day) and day), "")


def _from_items(items: pd.DataFrame, known: Mapping[str, Finding]) -> pd.DataFrame:
    rows = []
    for row in items.to_dict("records"):
        ids = [id for id in _parts(row.get("evidence")) if id in known]
        first = known.get(str(row["item"])) or (known[ids[0]] if ids else None)
        waits = row.get("triage") in ("drop", "evidence first")
        if waits or row["quadrant"] not in KINDS or str(row["item"]).startswith(OF_DATA):
            continue
        rows.append(
            {
                "item": str(row["item"]),
                "what": clean_text(first.label if first else row["statement"]),
                "told": _first(first) if first else clean_text(row["statement"]),
                "quadrant": row["quadrant"],
                "certainty": row["certainty"],
                "sure": SURE.get(row["certainty"], "–"),
                "voices": _voices(row),
                "sides": len(_parts(row.get("voices"))),
                "impact": row.get("impact"),
                "stake": row.get("stake"),
                "stake_share": row.get("stake_share"),
                "lost": _lost(row.get("at_stake")),
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
            "told": _first(f),
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
    columns = [
        "item",
        "what",
        "told",
        "quadrant",
        "certainty",
        "sure",
        "voices",
        "impact",
        "stake",
        "stake_share",
        "lost",
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "sides", "supporters", "finding", "subject"])
    kinds = dict.fromkeys(["impact", "stake", "stake_share", "sides", "supporters"], "float64") | {"lost": "object"}
    return frame.astype(kinds)


def _lost(how: object) -> str | None:
    """The visits that passed a touchpoint and ended without an order, of how many, and in which time."""
    found, seen = LOST.search(str(how)), SEEN.search(str(how))
    if not found:
        return None
    time = f" of the {seen.group(1)} months seen" if seen else ""
    return f"{found.group(1)} of {found.group(2)} visits{time} ended without an order"


def _first(finding: Finding) -> str:
    """A finding's first sentence, which holds its number."""
    return re.split(r"(?<=[a-z)])\.\s+(?=[A-Z])", clean_text(finding.sentence()), maxsplit=1)[0].rstrip(".") + "."


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
    return listed(words) if words else "–"


def shown(matters: pd.DataFrame, *, currency: str) -> pd.DataFrame:
    """What matters, and beside it in words: how_sure (and who says so), touches (of a touchpoint the visits that ended
    without an order, since the orders that passed it came through; else revenue, and its share), due (heap, day or
    quarter, and who).

    From: `what_matters`; the client's currency.
    """
    rows = [
        {
            "how_sure": f"{row['sure']}: {row['voices']}",
            "touches": row["lost"]
            if isinstance(row["lost"], str)
            else _touches(row["stake"], row["stake_share"], currency),
            "due": f"{row['when']}: {row['who']}" if isinstance(row["who"], str) else row["when"],
        }
        for row in matters.to_dict("records")
    ]
    words = pd.DataFrame(rows, columns=["how_sure", "touches", "due"], index=matters.index, dtype=object)
    return pd.concat([matters, words], axis=1)


def _touches(stake: float, share: float, currency: str) -> str:
    if not np.isfinite(stake):
        return "it cannot be said"
    part = f" ({format_value(share, 'share')} of a year's)" if np.isfinite(share) else ""
    return f"revenue: {format_value(stake, 'money', currency)}{part}"


def people_apart(
    gaps: pd.DataFrame | None, beside: pd.DataFrame | None, findings: Sequence[Finding], *, most: int = 1
) -> list[str]:
    """Where employees and customers see two companies, and a number of the audit speaks: at most `most` sentences.

    From: `09_maturity.gaps`, `09_maturity.beside_data` (None: that notebook was not run); the audit's findings.
    First where employees score high and customers low, then by the size of the gap.
    """
    if gaps is None or beside is None or not len(gaps) or not len(beside):
        return []
    known = {finding.id: finding for finding in findings}
    apart = gaps[gaps["verdict"].isin(["employees see more", "customers see more"])]
    rows = beside[(beside["reading"] == "disagree") & beside["finding"].isin(known)]
    rows = rows.merge(apart[["item", "gap"]], on="item")
    split = rows["why"].str.contains("score it high, ", regex=False) & rows["why"].str.contains("customers")
    rows = rows.assign(split=~split, far=-rows["gap"].abs()).sort_values(["split", "far", "item"], kind="stable")
    return [
        f"People and data side by side: on “{row.name_}” employees give {format_value(row.employee, 'points')} of 4, "
        f"customers {format_value(row.customer, 'points')}; the data say: {_first(known[row.finding])}"
        for row in rows.drop_duplicates("item").rename(columns={"name": "name_"}).head(most).itertuples()
    ]


def beside_map(matters: pd.DataFrame, journey: pd.DataFrame, where: pd.DataFrame, marks: pd.DataFrame) -> list[str]:
    """Why the map of the journey marks nothing where something that matters happens, a sentence a matter.

    From: `what_matters`; `02_journey.journey_map` (stage, name, csat …) and `stage_touchpoints` (stage, touchpoint);
    `journey_readings.weak_points`.
    """
    stage_of, name_of = where.set_index("touchpoint")["stage"], journey.set_index("stage")["name"]
    marked = set(marks["stage"].dropna()) | set(marks["touchpoint"].dropna().map(stage_of))
    metric, told = leading_metric(journey), []
    for row in matters[matters["finding"].notna()].itertuples():
        family, _, touchpoint = row.finding.rpartition(".")
        stage = stage_of.get(touchpoint) if family in COMPARES else None
        if stage is None or stage in marked or stage not in name_of.index:
            continue
        level = journey.set_index("stage").at[stage, metric] if metric else np.nan
        score = f" ({metric.upper()} {format_value(level, 'points')} there)" if np.isfinite(level) else ""
        told.append(
            f"The map marks nothing at {clean_text(name_of[stage])}, though “{row.what}” is among what matters most: "
            f"the map holds each stage against the other stages{score}, the finding {COMPARES[family]}."
        )
    return told


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
            told.append(f"Behind {listed([f'“{what}”' for what in said['what']])} stands no figure of the data.")
    shown = set(matters["finding"])
    strengths = [f for f in findings if f.quadrant() == "strength" and not f.id.startswith(OF_DATA)]
    well = [f for f in strengths if f.id not in shown]
    if well:
        one = well[0]
        figure = format_value(one.estimate.value, one.estimate.unit, one.currency)
        interval = format_interval(one.estimate, one.currency)
        told.append(f"Judged a strength: {clean_text(one.label)} ({figure}, {interval}).")
    return told


def _sure_sentence(counts: pd.Series, of: int) -> str:
    parts = [f"{counts[name]} {'is' if counts[name] == 1 else 'are'} {SURE[name]}" for name in SURE if name in counts]
    if len(parts) == 1:
        return (
            f"All {of} that matter most are {SURE[counts.index[0]]}."
            if of > 1
            else f"The one that matters {parts[0][2:]}."
        )
    return f"Of the {of} that matter most, {listed(parts)}."


def to_do_now(actions: pd.DataFrame | None, findings: Sequence[Finding]) -> pd.DataFrame:
    """What to do now, in the plan's order.

    From: `10_swot.actions` (action, owner, department, due, quarter, measure, detectable, triage; None: that notebook
    was not run, and nothing is to be done now); the audit's findings. To: action, who (owner and department), due (day,
    else quarter), measure (the label of the finding that will show it, and which change the next audit can tell),
    planned (the action as the plan words it), and as they stand there items, effort, quarter.
    """
    if actions is None:
        return pd.DataFrame(columns=list(TO_DO), dtype=object)
    labels = {finding.id: clean_text(finding.label) for finding in findings}
    rows = actions[actions["triage"] == NOW].to_dict("records")
    told = [
        {
            "action": _action(row, labels.get(row["measure"], "")),
            "who": _who(row),
            "due": _until(row) or "not set",
            "measure": _measured(row, labels),
            "planned": row["action"],
            **{name: row.get(name) for name in ("items", "effort", "quarter")},
        }
        for row in rows
    ]
    return pd.DataFrame(told, columns=list(TO_DO), dtype=object)


def to_do_beside(to_do: pd.DataFrame, matters: pd.DataFrame) -> pd.DataFrame:
    """What is to be done now and does not stand beside what matters most. From, To: `to_do_now`; `what_matters`."""
    above = set(matters["action"].dropna())
    return to_do[~to_do["planned"].isin(above)].reset_index(drop=True)


def _who(row: Mapping) -> str:
    owner, department = (clean_text(row[name]) if pd.notna(row[name]) else "" for name in ("owner", "department"))
    return f"{owner or 'nobody yet'} ({department})" if department else owner or "nobody yet"


def _measured(row: Mapping, labels: Mapping[str, str]) -> str:
    if row["measure"] not in labels:
        return "nothing yet: name a finding as its measure"
    change = row.get("detectable")
    if not isinstance(change, str) or not change:
        return labels[row["measure"]]
    seen = f"the next audit can tell a change of {change} or more" if change[0].isdigit() else change
    return f"{labels[row['measure']]}; {seen}"


def to_do_in_words(actions: pd.DataFrame | None, matters: pd.DataFrame, *, budget: float | None = None) -> str:
    """How many actions are for now and what they lack, how many come gradually and how many are dropped, and where
    those of now stand.

    From: `10_swot.actions` (None: that notebook was not run); `what_matters`; the client's budget for the plan.
    """
    if actions is None:
        return "What to do now was not weighed: the findings were not made into a plan."
    if not len(actions):
        return "No action has been proposed yet: the workshop's sheet of actions is empty."
    counts, of = actions["triage"].value_counts(), len(actions)
    now = actions[actions["triage"] == NOW]
    later = f"{counts.get('gradually', 0)} gradually and {counts.get('drop', 0)} to drop"
    told = f"{len(now)} for now{lacks(now, budget)}. Of {of} proposed the others are {later}."
    above = int(now["action"].isin(set(matters["action"].dropna())).sum())
    rest = len(now) - above
    if not above:
        return told
    if not rest:
        return f"{told} {'That for now stands' if above == 1 else f'The {above} for now stand'} in the table above."
    stand = f"{above} of the {len(now)} {'stands' if above == 1 else 'stand'}"
    return f"{told} {stand} in the table above, the other{'' if rest == 1 else 's'} here."


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
