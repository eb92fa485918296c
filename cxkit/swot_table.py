"""The SWOT as a reader meets it: a table a quadrant, each item with who says it, what it rests on, what is at stake."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.findings import Finding
from cxkit.same_thing import split_ids
from cxkit.style import clean_text, format_value

HEADINGS = {
    "strength": "Strengths: what to keep and build on",
    "weakness": "Weaknesses: what to mend",
    "opportunity": "Opportunities: what could be taken up",
    "threat": "Threats: what to be ready for",
}
SURE = {"certain": "certain", "likely": "likely, not certain"}
STATED = "stated in the workshop"


def readable(items: pd.DataFrame, findings: Sequence[Finding], *, currency: str) -> pd.DataFrame:
    """Items with the texts of the page: heading (of their quadrant), who, rests_on, weight.

    From: `triage.ranked`, with what `stakes.weigh` adds; the findings of the run. who: the voices, how many each, and
    how sure the data are; of what comes from outside the source. rests_on: the findings by their labels, else the
    quote, else that nothing does. weight: the impact and where it comes from, and what is at stake, if known.
    """
    labels = {f.id: clean_text(f.label) for f in findings}
    rows = items.to_dict("records")
    return items.assign(
        heading=items["quadrant"].map(HEADINGS),
        who=[_who(row) for row in rows],
        rests_on=[_rests_on(row, labels) for row in rows],
        weight=[_weight(row, currency) for row in rows],
    )


def in_words(items: pd.DataFrame) -> str:
    """How many items there are, of whom, in one or two sentences."""
    if not len(items):
        return "Neither the data nor anybody names a strength, a weakness, an opportunity or a threat yet."
    counts = items["quadrant"].value_counts()
    told = ", ".join(f"{name.partition(':')[0].lower()} {counts.get(q, 0)}" for q, name in HEADINGS.items())
    joined = int(items["voices"].str.contains(",").sum())
    certain = int((items["certainty"] == "certain").sum())
    said = int((items["certainty"] == "said").sum())
    return (
        f"{len(items)} items ({told}): the data are certain of {certain}, {said} are known from people alone, and "
        f"{joined} from more than one voice."
    )


def people(items: pd.DataFrame) -> pd.DataFrame:
    """What people say of the items that the data know: statement, said, quotes, by_voice; only those with any."""
    spoken = items[(items["certainty"] != "said") & ((items["said"] != "") | (items["quotes"] != ""))]
    return spoken[["statement", "said", "quotes", "by_voice"]].reset_index(drop=True)


def _who(row: dict) -> str:
    if not row["voices"]:
        return f"from outside: {clean_text(row['sources'])}" if row["sources"] else "nobody is named"
    people = [part for part in split_ids(row["by_voice"]) if not part.startswith("data ")]
    data = [f"the data ({SURE[row['certainty']]})"] if row["certainty"] in SURE else []
    return "; ".join([*data, ", ".join(people)] if people else data)


def _rests_on(row: dict, labels: dict[str, str]) -> str:
    known = [labels[id] for id in split_ids(row["evidence"]) if id in labels]
    quotes = [f"“{clean_text(quote)}”" for quote in row["quotes"].split(" · ") if quote]
    if not known and not quotes:
        return "its source" if not row["voices"] and row["sources"] else "the statement alone"
    return "; ".join([*known, *quotes])


def _weight(row: dict, currency: str) -> str:
    if row["quadrant"] == "strength":
        return "kept"
    impact = f"{row['impact']:g} of 5" + (", as stated" if row["impact_from"] == STATED else "")
    if not np.isfinite(row["stake"]):
        return impact if row["impact_from"] == STATED else f"{impact}, not weighed: {row['at_stake']}"
    money = format_value(row["stake"], "money", currency)
    return f"{impact}; {money} at stake, {format_value(row['stake_share'], 'share')} of a year's revenue"
