"""The first sentences of the summary: what matters most in short labels, and what the actions for now lack."""

from collections.abc import Iterable

import pandas as pd

from cxkit.heard import listed
from cxkit.style import clean_text, in_quotes

# a weakness's or threat's id, or the family that it begins with -> its short label; {} is the place, kind or goods
SHORT = {
    "journey.touchpoint": "customers are lost at {}",
    "feedback.touchpoint": "answers are bad at {}",
    "feedback.gap": "less is met than was expected of {}",
    "feedback.theme": "who writes about {} scores low",
    "search.missing": "{} is looked for and not found",
    "service.late": "orders by {} come late",
    "service.growing": "contacts about {} grow",
    "service.returned": "{} is sent back",
    "service.contact_trend": "contacts a hundred orders grow",
    "service.late_share": "orders come late",
    "loyalty.repeat_rate": "few customers order again",
    "loyalty.top_share": "revenue rests on few customers",
    "lifetime.slipping_share": "customers who came back before slip away",
}


def answer(matters: pd.DataFrame) -> str:
    """What matters most, in one sentence; empty where nothing does.

    From: `summary.what_matters` (what, quadrant, finding), or its table as it is read again. To: its short labels in
    its order, those of one kind together; a strength, and what has no short label, by its own name.
    """
    told: dict[str, list[str]] = {}
    for row in matters[["what", "quadrant", "finding"]].to_dict("records"):
        family, _, name = _family(row["finding"], row["quadrant"])
        short = SHORT.get(family, "{}")
        told.setdefault(short, []).append(in_quotes(name if family and "{}" in short else row["what"]))
    parts = [short.format(listed(_once(names))) if "{}" in short else short for short, names in told.items()]
    return f"What matters most: {'; '.join(parts)}." if parts else ""


def _family(finding: object, quadrant: str) -> tuple[str, str, str]:
    """The key of `SHORT` that fits, and what the id names besides; empty where none does."""
    if quadrant == "strength" or not isinstance(finding, str):
        return "", "", ""
    family, dot, name = finding.rpartition(".")
    return (finding, "", "") if finding in SHORT else (family, dot, name) if family in SHORT else ("", "", "")


def _once(names: Iterable[str]) -> list[str]:
    return [clean_text(name) for name in dict.fromkeys(names)]


def beside_in_words(beside: pd.DataFrame) -> str:
    """The first three of what else is to be done now, with who and by when. From: `to_do_beside`."""
    told = [f"{row.action.rstrip('.')} ({row.who}; by {row.due})" for row in beside.head(3).itertuples()]
    more = [f"{len(beside) - 3} more stand below"] if len(beside) > 3 else []
    return f"Besides: {'; '.join([*told, *more])}." if told else ""


def lacks(now: pd.DataFrame, budget: float | None) -> str:
    """What the actions for now lack before anybody can begin: a person, an effort, a budget.

    From: rows of `10_swot.actions` (owner, effort); the client's budget for the plan. To: how a sentence goes on.
    """
    if not len(now):
        return ""
    empty = {name: int(now[name].isna().sum()) for name in ("owner", "effort") if name in now}
    words = {"owner": "have nobody", "effort": "no stated effort"}
    told = [f"{count} {words[name]}" for name, count in empty.items() if count]
    told += ["no budget is stated"] if budget is None else []
    return f": {', '.join(told)}" if told else ""
