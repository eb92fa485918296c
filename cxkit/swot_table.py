"""The SWOT as a reader meets it: a table a quadrant, each item with who says it, what it rests on, what it touches."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxkit.causes import possible
from cxkit.certainty import CERTAIN, SAID
from cxkit.findings import Finding
from cxkit.impact import UNKNOWN
from cxkit.same_thing import split_ids
from cxkit.style import clean_text, format_value

HEADINGS = {
    "strength": "Strengths: what to keep and build on",
    "weakness": "Weaknesses: what to mend",
    "opportunity": "Opportunities: what could be taken up",
    "threat": "Threats: what to be ready for",
}
MOST_TOLD, ROWS_SHOWN = 5, 10  # voices of an item; rows of one table
MOST_CAUSES = 2  # what people say that may be the cause of an item
SURE = {"certain": "certain", "likely": "likely, not certain"}
STATED = "stated in the workshop"
# headings of what the audit lacks -> words that its kind has; the first that fits counts
ABOUT = {
    "What the plan lacks": ("action", "measure", "effort", "setting"),
    "Who was not heard": ("voice", "quadrant", "sphere", "notes"),
}
OTHERWISE = "What the items lack"
LINKS = {"behind": "pages"}  # where the links to the findings stand


def readable(items: pd.DataFrame, findings: Sequence[Finding], *, currency: str) -> pd.DataFrame:
    """Items with the texts of the page: heading (of their quadrant), behind and weight.

    From: `triage.ranked`, with what `impact.weigh` adds; the findings of the run. behind: the voices, how many each and
    how sure the data are (of what comes from outside the source); then the quote, or the finding that people name, or
    that nothing stands behind it; of what they name that says the
    opposite that; then what people alone say that may be a cause of it (`causes.possible`). weight: the
    impact and where it comes from, and the revenue it touches, if known.
    """
    labels = {f.id: clean_text(f.label) for f in findings}
    rows = items.to_dict("records")
    causes = possible(items)
    told = [
        (_who(row), _rests_on(row, labels), _refuted(row, labels), _causes(causes.get(row["item"], []))) for row in rows
    ]
    behind = [". ".join(part for part in parts if part) for parts in told]
    headings = headed(items["quadrant"], HEADINGS)
    return items.assign(heading=headings, behind=behind, weight=[_weight(row, currency) for row in rows])


def headed(groups: pd.Series, headings: Mapping[str, str], *, most: int = ROWS_SHOWN) -> pd.Series:
    """Each group's heading, with how many there are and how many are shown where these are not all."""
    counts = groups.value_counts()
    told = {
        name: f"{headings[name]} ({count})" + (f"; the first {most} are shown" if count > most else "")
        for name, count in counts.items()
        if name in headings
    }
    return groups.map(told)


def faults_readable(lacks: pd.DataFrame) -> pd.DataFrame:
    """What the audit lacks as a reader meets it, in the order of `self_check.faults`: about (the heading), lack (what,
    how many, and where) and then (why, and what mends it); what has the same reason is one row."""
    rows = []
    for (what, why, mend), part in lacks.groupby(["what", "why", "mend"], sort=False):
        count = f" ({len(part)})" if len(part) > 1 else ""
        lack = f"{what[:1].upper()}{what[1:]}{count}: {'; '.join(part['where'])}"
        about = next((heading for heading, words in ABOUT.items() if any(word in what for word in words)), OTHERWISE)
        rows.append((about, lack, f"{why} {mend}"))
    frame = pd.DataFrame(rows, columns=["about", "lack", "then"])
    place = {name: i for i, name in enumerate((OTHERWISE, *ABOUT))}
    return frame.sort_values("about", key=lambda about: about.map(place), kind="stable", ignore_index=True)


def in_words(items: pd.DataFrame) -> str:
    """How many items there are, of whom, in one or two sentences."""
    if not len(items):
        return "Neither the data nor anybody names a strength, a weakness, an opportunity or a threat yet."
    counts = items["quadrant"].value_counts()
    told = ", ".join(f"{name.partition(':')[0].lower()} {counts.get(q, 0)}" for q, name in HEADINGS.items())
    joined = int(items["voices"].str.contains(",").sum())
    sure, unheard = items["certainty"] == CERTAIN, items["voices"] == ""
    by_data = items["voices"].map(lambda voices: "data" in split_ids(voices))
    scores = int((sure & ~by_data).sum())
    said, outside = (int(((items["certainty"] == SAID) & (unheard == nobody)).sum()) for nobody in (False, True))
    scored = f", scores of {scores}" if scores else ""
    from_outside = f", {outside} from outside" if outside else ""
    return (
        f"{len(items)} items ({told}): figures are certain of {int((sure & by_data).sum())}{scored}; {said} are known "
        f"from people alone{from_outside}, and {joined} from more than one voice."
    )


def not_weighed(items: pd.DataFrame) -> str:
    """How many weaknesses, opportunities and threats nobody has weighed, in words; empty where all are.

    From: `impact.weigh`.
    """
    rows = items[items["quadrant"] != "strength"]
    count = int((rows["impact_from"] == UNKNOWN).sum())
    return f"how much {count} of {len(rows)} weaknesses, opportunities and threats matter" if count else ""


def people(items: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """What people say of that which the data know too: statement (the data's), said (their words, whose, from where).

    From: the items; `same_thing.by_item`. At most five voices of an item are told; register notes are among them.
    """
    found = []
    for item in items[items["certainty"] != "said"].itertuples():
        texts = [_spoken(row) for row in rows[rows["item"] == item.item].itertuples()]
        told = list(dict.fromkeys(texts))
        more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
        if told:
            found.append((item.statement, "; ".join([*told[:MOST_TOLD], *more])))
    return pd.DataFrame(found, columns=["statement", "said"])


def _spoken(row: object) -> str:
    whose = ", ".join(part for part in (row.voice, row.source) if part)
    return f"“{clean_text(row.statement)}” ({whose})" if whose else f"“{clean_text(row.statement)}”"


def filled(sheets: Mapping[str, pd.DataFrame]) -> list[str]:
    """The names of the workshop's sheets in which somebody wrote something."""
    return [name for name, sheet in sheets.items() if len(sheet)]


def _who(row: dict) -> str:
    if not row["voices"]:
        return f"From outside: {clean_text(row['sources'])}" if row["sources"] else "Nobody is named"
    people = [_counted(part) for part in split_ids(row["by_voice"]) if not part.startswith("data ")]
    heard = split_ids(row["voices"])
    scored = [f"{name}s" for name in heard if name != "data"]
    # what is judged from figures and not from the data is what people scored on checklists
    whose = "the data" if "data" in heard else f"the scores of {' and '.join(', '.join(scored).rsplit(', ', 1))}"
    judged = [f"{whose} ({SURE[row['certainty']]})"] if row["certainty"] in SURE else []
    text = ", ".join([*judged, *people])
    return text[:1].upper() + text[1:]


def _counted(voice: str) -> str:
    """`customer 2` -> 2 customers."""
    name, _, count = voice.rpartition(" ")
    return f"{'one' if count == '1' else count} {name}{'' if count == '1' else 's'}"


def _rests_on(row: dict, labels: dict[str, str]) -> str:
    """What stands behind an item besides the sentence itself."""
    known = [labels[id] for id in split_ids(row["evidence"]) if id in labels] if row["certainty"] == SAID else []
    quotes = [f"“{clean_text(quote)}”" for quote in row["quotes"].split(" · ") if quote]
    if row.get("refuted"):
        return "; ".join(quotes)
    if row["certainty"] == SAID and not known and not quotes:
        return "No number and no quote stands behind it" if row["voices"] or not row["sources"] else ""
    return "; ".join([*(f"Number: {label}" for label in known), *quotes])


def _refuted(row: dict, labels: dict[str, str]) -> str:
    """The findings that people name for an item and that do not bear it out."""
    named = [labels.get(id, id) for id in split_ids(row.get("refuted", ""))]
    return f"The number that they name says the opposite: {'; '.join(named)}" if named else ""


def _causes(found: list[tuple[str, str]]) -> str:
    """What people say that may be why, and who; no more than two of them."""
    told = [
        f"A possible cause, said by {_people(voices)}: “{text.rstrip('.')}”" for voices, text in found[:MOST_CAUSES]
    ]
    return ". ".join(told)


def _people(voices: str) -> str:
    return " and ".join(f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in split_ids(voices))


def _weight(row: dict, currency: str) -> str:
    if row["quadrant"] == "strength":
        return "to be kept"
    impact = f"{row['impact']:g} of 5" + (", as stated" if row["impact_from"] == STATED else "")
    if not np.isfinite(row["stake"]):
        return impact if row["impact_from"] == STATED else f"{impact}, not weighed: {row['at_stake']}"
    money, share = format_value(row["stake"], "money", currency), format_value(row["stake_share"], "share")
    verb = "might bring" if row["quadrant"] == "opportunity" else "revenue it touches:"
    return f"{impact}; {verb} {money}, {share} of a year's revenue ({row['at_stake']})"
