"""The workshop's actions joined to the items that ask for them, and the sheet that goes back to be filled in."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.causes import refuted
from cxkit.client import did_you_mean
from cxkit.dependence import waits
from cxkit.findings import Finding
from cxkit.same_thing import APART, commonest, keys_of, one_spelling, split_ids
from cxkit.spheres import sphere_of
from cxkit.style import clean_text
from cxkit.tables import SHEETS
from cxkit.triage import MOST_EFFORT

WORKSHOP, FINDING = "workshop", "finding"  # where an action comes from
SCRUBBED = re.compile(r"(?:\[[^\[\]]*\]\s*)+")  # what scrubbing leaves of an e-mail or a phone
# words of a finding's action that stand for what its page tells, unless the action quotes its name
POINTING = re.compile(r"^[^“]*\b(?:it|these|this|there is)\b[^“]*$")
TAKEN_UP = ("weakness", "opportunity")  # what an action is proposed for
COLUMNS = ("action", "items", "item", "department", "owner", "effort", "due", "after", "measure", "origin", "but",
           "fault")  # fmt: skip


def link(sheet: pd.DataFrame, items: pd.DataFrame, findings: Sequence[Finding], *, rows: pd.DataFrame) -> pd.DataFrame:
    """The actions of the workshop with the items that they are for, and those that the findings propose.

    From: the sheet `actions`; items (item, statement, quadrant, evidence, sphere, department); the findings of the run;
    `same_thing.by_item`: which statement of the workshop belongs to which item.
    To: action, items (keys, with commas), item (what the sheet says), department, owner, effort, due, after (what the
    sheet says), measure, origin (workshop or finding), but (that the audit does not find the cause that it mends, or
    empty: `causes.refuted`), waits and after_fault (`dependence.waits`), fault (what is wrong with the row, or empty).
    Rows of the sheet that are the same in every cell are one.
    An action of the sheet belongs to an item by its key, a finding's id, or the words of a statement
    (`same_thing.keys_of`); it may name several keys, as `to_sheet` writes them. A weakness or opportunity that has
    evidence and no action yet, or none that takes less than much effort (over 3 of 5) and mends a cause that the audit
    does not refute, gets the action that its first finding names, with nobody to do it, in the department that people
    name most for such things: the workshop names who, and when. Of two that would read alike, or where one says it or
    these of what its page tells, each tells what it is about.
    """
    known = {f.id: f for f in findings}
    sheet = sheet.drop_duplicates(ignore_index=True)
    meant = keys_of(sheet["item"], items, rows)
    made = [_from_sheet(row, keys, items, known) for row, keys in zip(sheet.to_dict("records"), meant, strict=True)]
    sound = (row for row in made if not row["effort"] > MOST_EFFORT and not row["but"])
    done = {key for row in sound for key in split_ids(row["items"])}
    departments = _departments([*items["department"], *sheet["department"]])
    for row in items.to_dict("records"):
        if row["item"] not in done and row["quadrant"] in TAKEN_UP:
            made += _from_finding(row, known, departments)
    frame = waits(pd.DataFrame(_told_apart(made), columns=list(COLUMNS)), items, rows)
    frame = frame.assign(department=one_spelling(frame["department"]))
    both = zip(frame["fault"], frame["after_fault"], strict=True)
    return frame.assign(
        effort=pd.to_numeric(frame["effort"]),
        due=pd.to_datetime(frame["due"]).astype("datetime64[s]"),
        fault=["; ".join(filter(None, told)) for told in both],
    )


def to_sheet(actions: pd.DataFrame) -> pd.DataFrame:
    """The sheet `actions` with exactly its columns, to be edited in a spreadsheet and saved as workshop/actions.xlsx.

    From: `link`. Days are texts such as 2026-10-01; what is not known is empty. Of an action that a finding proposes
    `item` is its key, so that it finds its item again.
    """
    due = pd.to_datetime(actions["due"])
    effort = [f"{value:g}" if np.isfinite(value) else None for value in actions["effort"].astype(float)]
    made = actions.assign(due=due.dt.strftime("%Y-%m-%d").astype(object).where(due.notna(), None), effort=effort)
    # text, and for a reader of tables numbers all the same where every row has one
    return made[list(SHEETS["actions"].columns)].astype(object).where(lambda f: f.notna(), None)


def faults(actions: pd.DataFrame) -> pd.DataFrame:
    """The rows of the sheet in which something is wrong: action, fault. From: `link`."""
    return actions.loc[actions["fault"] != "", ["action", "fault"]].reset_index(drop=True)


def _from_sheet(row: dict, meant: list[str], items: pd.DataFrame, known: dict[str, Finding]) -> dict:
    asked = row["item"] if isinstance(row["item"], str) else ""
    found = meant
    wrong = []
    if not asked:
        wrong.append("it names no item: nothing says that it is needed")
    elif not found:
        near = did_you_mean(asked, [*items["statement"], *items["item"]])
        wrong.append(f"item {clean_text(asked)[:80]!r} is neither a statement of this audit nor a finding's id{near}")
    measure = row["measure"].strip() if isinstance(row["measure"], str) else ""
    if not measure:
        wrong.append("no measure: no finding will show whether it worked")
    elif measure not in known:
        near = did_you_mean(measure, known)
        wrong.append(f"measure {clean_text(measure)[:80]!r} is no finding of this audit{near}")
    told = {name: row[name] for name in ("action", "item", "department", "owner", "effort", "due", "after")}
    if isinstance(row["owner"], str) and SCRUBBED.fullmatch(row["owner"].strip()):
        told["owner"] = None
        wrong.append("its owner was an e-mail or a phone, which no report keeps: write a name or a role")
    evidence = [id for cell in items.loc[items["item"].isin(found), "evidence"] for id in split_ids(cell)]
    return told | {"items": APART.join(dict.fromkeys(found)), "measure": measure, "origin": WORKSHOP,
                   "but": refuted(row["action"], evidence, known), "fault": "; ".join(wrong)}  # fmt: skip


def _departments(named: Sequence[object]) -> dict[str, str]:
    """A sphere -> the department that people name most for it."""
    counts = Counter(name for name in named if isinstance(name, str) and name)
    found: dict[str, str] = {}
    for name in commonest(counts):
        if sphere := sphere_of(department=name):
            found.setdefault(sphere, name)
    return found


def _from_finding(row: dict, known: dict[str, Finding], departments: dict[str, str]) -> list[dict]:
    """The action that an item's first finding with one proposes, as a list of one or none."""
    named = [known[id] for id in split_ids(row["evidence"]) if id in known and known[id].action]
    if not named:
        return []
    first = named[0]
    empty = {"owner": None, "effort": np.nan, "due": pd.NaT, "after": None, "but": "", "fault": ""}
    department = row["department"] or departments.get(row["sphere"])
    return [{"action": clean_text(first.action), "items": row["item"], "item": row["item"], "department": department,
             "measure": first.id, "origin": FINDING, "about": clean_text(first.label), **empty}]  # fmt: skip


def _told_apart(made: list[dict]) -> list[dict]:
    """Proposals in the same words, or that say `it` of what their page tells, say what they are about."""
    counts = Counter(row["action"] for row in made)
    return [row | {"action": f"{row['action'].rstrip('.')} ({row['about']})."} if row["origin"] == FINDING
            and (counts[row["action"]] > 1 or POINTING.search(row["action"])) else row for row in made]  # fmt: skip
