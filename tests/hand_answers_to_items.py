"""Answers to items of the checklists, by hand."""

import pandas as pd

from cxkit.checklists import COLUMNS
from cxkit.tables import SHEETS


def answers(rows: list[tuple]) -> pd.DataFrame:
    """Rows (item, voice, scores) or (item, voice, scores, department), one answer a score, as the sheet is read."""
    told = []
    for item, voice, scores, *department in rows:
        told += [(item, float(score), voice, *(department or [None]), None) for score in scores]
    frame = pd.DataFrame(told, columns=list(SHEETS["checklist"].columns))
    return frame.astype({"score": float, "item": "str", "voice": "str", "department": "str", "evidence": "str"})


def items(*names: str, **more: dict) -> pd.DataFrame:
    """Items `list.id`, answered by all voices; `more`: column -> {item: value}."""
    rows = []
    for item in names:
        row = dict.fromkeys(COLUMNS, "")
        row |= {"item": item, "list": item.split(".")[0], "list_name": item.split(".")[0].title(), "sphere": "site"}
        row |= {"name": item.split(".")[1].replace("_", " "), "text": f"{item} is done", "origin": "S2b"}
        row |= {"answered_by": ("customer", "partner", "employee"), "evidence": "a look", "proxy": ()}
        rows.append(row | {column: told[item] for column, told in more.items() if item in told})
    return pd.DataFrame(rows, columns=COLUMNS)
