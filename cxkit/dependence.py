"""Which action waits for which: what the sheet names as going before it, what is no action, who waits in a circle."""

import re
from collections.abc import Sequence

import pandas as pd

from cxkit.client import did_you_mean
from cxkit.same_thing import keys_of, split_ids
from cxkit.statements import normal_statement
from cxkit.style import clean_text

SHOWN = 80  # letters of an unknown name


def waits(actions: pd.DataFrame, items: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Actions with waits (the places of the rows that go before it, in order) and after_fault (or an empty text).

    From: actions (action, items, after: as the sheet has it, or missing), numbered from 0; items and rows as
    `same_thing.keys_of` takes them. `after` names actions by their words, or statements, items' keys or finding ids,
    which mean all other actions on these; several stand with semicolons between them.
    What is left out: names that are nothing (a fault, with what is near); who waits in a circle waits for none of it (a
    fault that names the circle).
    """
    own = [normal_statement(text) for text in actions["action"]]
    on = [set(split_ids(cell)) for cell in actions["items"]]
    names = [*actions["action"], *items["statement"], *items["item"]]
    found, faults = [], []
    for place, after in enumerate(actions["after"]):
        before, wrong = set(), []
        for name in _names(after, own, items, rows):
            there = _meant(name, own, on, items, rows)
            before |= there - {place} or there  # who names its own item means the others on it
            wrong += [] if there else [_unknown(name, names, items, rows)]
        found.append(before)
        faults.append(wrong)
    kept = _without_circles(found, faults, list(actions["action"]))
    return actions.assign(waits=[tuple(sorted(places)) for places in kept],
                          after_fault=["; ".join(wrong) for wrong in faults])  # fmt: skip


def _names(after: object, own: Sequence[str], items: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """The names in a cell: the whole of it where that is one, else its parts."""
    if not isinstance(after, str) or not after.strip():
        return []
    if normal_statement(after) in own or keys_of([after], items, rows)[0]:
        return [after]
    return [part.strip() for part in re.split(r"[;\n]", after) if part.strip()]


def _meant(name: str, own: Sequence[str], on: list[set[str]], items: pd.DataFrame, rows: pd.DataFrame) -> set[int]:
    """The places of the actions that a name means."""
    said = {place for place, text in enumerate(own) if text == normal_statement(name)}
    keys = set(keys_of([name], items, rows)[0])
    return said or {place for place, its in enumerate(on) if its & keys}


def _unknown(name: str, names: Sequence[str], items: pd.DataFrame, rows: pd.DataFrame) -> str:
    shown = repr(clean_text(name)[:SHOWN])
    if keys_of([name], items, rows)[0]:
        return f"after {shown}: no action is for it, so there is nothing to wait for"
    return f"after {shown} is neither an action nor a statement of this audit{did_you_mean(name, names)}"


def _without_circles(found: list[set[int]], faults: list[list[str]], actions: list[str]) -> list[set[int]]:
    """For whom each action waits, without those who wait for it in turn; adds the circles to the faults."""
    reach = [_reached(found, place) for place in range(len(found))]
    kept = []
    for place, before in enumerate(found):
        circle = {other for other in reach[place] if place in reach[other]}
        kept.append(before - circle)
        if circle:
            told = ", then ".join(f"“{clean_text(actions[at])}”" for at in _round(found, circle))
            faults[place].append(f"waits in a circle: {told}. None of them can begin")
    return kept


def _reached(found: list[set[int]], start: int) -> set[int]:
    """All that an action waits for, and what that waits for in turn."""
    seen: set[int] = set()
    left = list(found[start])
    while left:
        if (place := left.pop()) not in seen:
            seen.add(place)
            left += found[place]
    return seen


def _round(found: list[set[int]], circle: set[int]) -> list[int]:
    """One way round a circle, from what goes first to what waits for it, and back to the first."""
    path = [min(circle)]
    while path.count(path[-1]) < 2:
        path.append(min(found[path[-1]] & circle))
    return path[path.index(path[-1]) :][::-1]
