"""What was looked for as a cause and not found, and what people think may be one."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from cxkit.certainty import SAID
from cxkit.findings import Finding
from cxkit.same_thing import OF_LATE, telling_words
from cxkit.stakes import touchpoints_of
from cxkit.style import clean_text
from cxkit.words import split_words

# how a finding says that late orders are not its cause (`delivery_promises.growth_causes`)
NOT_FOUND = re.compile(r"Late orders do not explain it[^:]*: .*")
COUNTED = "the audit does not find this cause"
WEAKNESS = "weakness"


def refuted(action: object, evidence: Sequence[str], known: Mapping[str, Finding]) -> str:
    """Why an action mends what the audit looked at and did not find to be the cause; empty where it does not.

    From: an action in people's words; the ids of its items' evidence; findings by id. It does where a finding says that
    late orders do not explain it, and the action speaks of late or promised days in words that are not the finding's
    own name.
    """
    for id in evidence:
        told = NOT_FOUND.search(known[id].sentence()) if id in known else None
        own = split_words(id.rpartition(".")[2].replace("_", " "))
        if told and any(word.startswith(OF_LATE) and word not in own for word in split_words(str(action))):
            return f"{COUNTED}: {told[0][:1].lower()}{told[0][1:]}"
    return ""


def possible(items: pd.DataFrame) -> dict[str, list[tuple[str, str]]]:
    """What people alone say that may be a cause of what the data know: item -> (voices, statement), by statement.

    From: items (item, statement, quadrant, certainty, voices, evidence, sphere, department, said). A weakness that is
    said alone stands beside one of the data where both are at one touchpoint, or lie in one sphere and department and
    have a word in common (people's, or of the finding's name). A voice that is in the data's item already says what it
    says there.
    """
    weak = items[items["quadrant"] == WEAKNESS]
    known, said = (weak[(weak["certainty"] == SAID) == alone].to_dict("records") for alone in (False, True))
    found: dict[str, list[tuple[str, str]]] = {}
    for row in known:
        beside = [other for other in said if _near(row, other)]
        told = sorted((other["voices"], clean_text(other["statement"])) for other in beside)
        found |= {row["item"]: told} if told else {}
    return found


def _near(row: Mapping, other: Mapping) -> bool:
    if touchpoints_of(row["evidence"]) & touchpoints_of(other["evidence"]):
        return True
    place = ("sphere", "department")
    if not all(row[name] and row[name] == other[name] for name in place):
        return False
    end = row["item"].split(".", 2)[-1].replace("_", " ")
    return bool(telling_words(f"{end} {row['said']}").keys() & telling_words(other["statement"]).keys())
