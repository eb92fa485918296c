"""Who answered the checklists, and what did nobody answer? By list, by voice, by department."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cxkit.checklists import SCALE, VOICES
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.sheet_evidence import as_ids
from cxkit.style import clean_text

NOT_STATED = "not stated"
NAMED = 3  # items that a sentence names


def coverage(scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """How much of each checklist was answered, and by whom.

    From: `maturity.scores`, `checklists.read_checklists`. To, in the order of the lists: list, list_name, items,
    answered (items of which a voice is shown), customer, partner, employee (items that each answered, shown), withheld
    (items of which a voice has under 5 answers), unheard (answered items that lack a voice which ought to be asked),
    unanswered (items that nobody answered, comma-separated).
    """
    known, cells = items.set_index("item"), scores.set_index(["item", "voice"])
    shown = cells["mean"].notna().unstack("voice").reindex(known.index)[list(VOICES)]
    withheld = cells["withheld"].unstack("voice").reindex(known.index)[list(VOICES)]
    touched = shown | withheld
    asked = pd.DataFrame({voice: known["answered_by"].map(lambda who, v=voice: v in who) for voice in VOICES})
    unheard = touched.any(axis=1) & (asked & ~touched).any(axis=1)
    rows = []
    for key, part in known.groupby("list", sort=False):
        here = part.index
        nobody = part.loc[~touched.loc[here].any(axis=1)]
        rows.append(
            {"list": key, "list_name": part["list_name"].iloc[0], "items": len(part),
             "answered": int(shown.loc[here].any(axis=1).sum())}
            | {voice: int(shown.loc[here, voice].sum()) for voice in VOICES}
            | {"withheld": int(withheld.loc[here].any(axis=1).sum()), "unheard": int(unheard.loc[here].sum()),
               "unanswered": ", ".join(nobody.index)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def departments(answers: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """How each department's employees score, over the items that they answered.

    From: the sheet `checklist`. To, by name: department, people (the most answers that one item has), items, mean with
    low and high. The sheet names no people, so nobody knows which answers are one person's: the interval is as wide as
    any such dependence can make it (the mean of the items' own errors).
    What is left out: other voices. Departments of under 5 people are withheld, and with them the smallest other one
    where they could be worked out from all employees.
    """
    from scipy.special import stdtrit

    staff = answers[(answers["voice"] == "employee") & answers["score"].notna()]
    staff = staff.assign(department=[_named(name) for name in staff["department"]])
    staff = staff.sort_values(["department", "item", "score"])  # a sum's last digits hang on its order
    cells = staff.groupby(["department", "item"])["score"].agg(n="size", mean="mean", variance="var").reset_index()
    cells["error"] = np.sqrt(cells["variance"].clip(lower=1 / 12) / cells["n"])
    by = cells.groupby("department")
    frame = by.agg(people=("n", "max"), items=("item", "size"), mean=("mean", "mean"), error=("error", "mean"))
    half = stdtrit(np.maximum(frame["people"] - 1, 1), (1 + level) / 2) * frame["error"]
    frame["low"], frame["high"] = (frame["mean"] - half).clip(SCALE[0]), (frame["mean"] + half).clip(upper=SCALE[1])
    frame = frame.reset_index()[["department", "people", "items", "mean", "low", "high"]]
    return withhold_small(frame, count="people")


def _named(department: object) -> str:
    return clean_text(department) if isinstance(department, str) and department else NOT_STATED


def coverage_sentences(coverage: pd.DataFrame, departments: pd.DataFrame) -> list[str]:
    """How much was answered, in words."""
    items, answered = int(coverage["items"].sum()), int(coverage["answered"].sum())
    have = "item has" if items == 1 else "items has" if answered == 1 else "items have"
    told = [f"{answered} of {items} {have} at least {LEAST_SHOWN} answers of one voice."]
    heard = [voice for voice in VOICES if coverage[voice].sum()]
    silent = [voice for voice in VOICES if not coverage[voice].sum()]
    if answered:
        counts = ", ".join(f"{voice}s {int(coverage[voice].sum())}" for voice in heard)
        told.append(f"Items answered, by voice: {counts}.")
        told += [f"Not heard: {' and '.join(f'{voice}s' for voice in silent)}."] if silent else []
    if few := int(coverage["withheld"].sum()):
        have = "item has" if few == 1 else "items have"
        told.append(f"{few} {have} a voice of under {LEAST_SHOWN} answers, which is withheld.")
    named = departments[departments["department"] != NOT_STATED]
    if len(named):
        shown = int(named["people"].notna().sum())
        few = "each" if not shown else f"{len(named) - shown}"
        hidden = f", {few} of too few people to be shown apart" if shown < len(named) else ""
        told.append(f"Employees of {len(named)} department{'s' * (len(named) != 1)} answered{hidden}.")
    return told


def rests_on(answers: pd.DataFrame) -> pd.DataFrame:
    """What the page rests on, in words: rests_on, one row. From: the sheet `checklist`."""
    given = answers[answers["score"].notna()]
    most = given.groupby("voice")["item"].value_counts().groupby("voice").max()
    parts = [f"{n if (n := most[v]) >= LEAST_SHOWN else f'under {LEAST_SHOWN}'} {v}s" for v in VOICES if v in most]
    told = (
        f"{len(given):,} answer{'s' * (len(given) != 1)} to checklists; to an item at most {_and(parts)}"
        if parts
        else "no answer to a checklist"
    )
    return pd.DataFrame({"rests_on": [told]})


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def unanswered(coverage: pd.DataFrame) -> tuple[str, str]:
    """What nobody answered: (what, why), as a page says it; empty texts where every item has an answer.

    From: `coverage`. Checklists that nobody answered at all are named.
    """
    counts = coverage["unanswered"].map(lambda names: len(names.split(", ")) if names else 0)
    if not counts.sum():
        return "", ""
    whole = coverage.loc[counts == coverage["items"], ["list_name", "items"]].itertuples()
    named = [f"{row.list_name} ({row.items})" for row in whole]
    them, are = ("it", "is") if counts.sum() == 1 else ("them", "are")
    why = f"Nobody answered {them}{'; of these checklists not one item: ' if named else ''}{', '.join(named)}."
    return f"how far {counts.sum()} of the {coverage['items'].sum()} items of the checklists {are} done", why


def unheard_items(scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Items that somebody answered and somebody else ought to: item, name, heard, unheard (voices, comma-separated)."""
    there = scores[scores["withheld"] | (scores["n"] > 0)].groupby("item")["voice"].agg(set)
    rows = []
    for item in items[items["item"].isin(there.index)].itertuples():
        lacking = [voice for voice in item.answered_by if voice not in there[item.item]]
        if lacking:
            heard = [voice for voice in VOICES if voice in there[item.item]]
            rows.append((item.item, item.name, ", ".join(heard), ", ".join(lacking)))
    return pd.DataFrame(rows, columns=["item", "name", "heard", "unheard"])


def stated_evidence(answers: pd.DataFrame, scores: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """What people wrote as evidence, each text once and without who said it: item, name, evidence, times.

    These are people's own words: only what a person has read and found fit (`quotes: reviewed`) may be shown; how many
    there are may (`evidence_why`). From: the answers; `maturity.scores`; `read_checklists`.
    What is left out: the words of a group whose mean of the item is withheld.
    """
    there = scores[~scores["withheld"].astype(bool) & (scores["n"] > 0)][["item", "voice"]].drop_duplicates()
    told = answers[answers["evidence"].notna()].merge(there, on=["item", "voice"])
    told = told.assign(evidence=[clean_text(text) for text in told["evidence"]])
    counted = told.groupby(["item", "evidence"]).size().rename("times").reset_index()
    frame = items[["item", "name"]].merge(counted, on="item")
    return frame[frame["evidence"] != ""].reset_index(drop=True)[["item", "name", "evidence", "times"]]


def evidence_named(stated: pd.DataFrame, findings: Iterable[Finding]) -> pd.DataFrame:
    """`stated_evidence` with the numbers that it names by their ids under the names by which readers know them."""
    label = {finding.id: clean_text(finding.label) for finding in findings}
    told = [
        ", ".join(label.get(id, f"{id} (not found in this audit)") for id in ids.split(", "))
        if (ids := as_ids(text)) is not None
        else text
        for text in stated["evidence"]
    ]
    return stated.assign(evidence=told)


def evidence_why(stated: pd.DataFrame) -> str:
    """Why words that nobody has read are not shown, and how many items have them. From: `stated_evidence`."""
    items = stated["item"].nunique()
    are = "item, and it is" if items == 1 else "items, and they are"
    return f"Evidence was written down for {items} {are} shown only when a person has read the words."


def to_ask(coverage: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Which items nobody answered, list by list: list_name, items (how many), unanswered (names, the first ones).

    From: `coverage`, `read_checklists`. What is left out: lists that were answered in full; the names beyond the first
    three, and those of the qualities that an item is also asked of. `coverage` holds all items.
    """
    name, rows = items[items["part_of"] == ""].set_index("item")["name"], []
    for row in coverage[coverage["unanswered"] != ""].itertuples():
        names = [name[item] for item in row.unanswered.split(", ") if item in name.index]
        more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
        rows.append((row.list_name, len(row.unanswered.split(", ")), "; ".join(names[:NAMED]) + more))
    return pd.DataFrame(rows, columns=["list_name", "items", "unanswered"])
