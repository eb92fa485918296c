"""What an audit looked at and whom it heard, in sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from cxkit.privacy import LEAST_SHOWN

TABLES = {  # what one row is, in plain words; those that tell most first
    "orders": "order lines",
    "events": "steps of visits",
    "surveys": "answers to surveys",
    "contacts": "contacts with support",
    "searches": "searches",
    "reviews": "reviews",
    "customers": "customers' records",
    "invitations": "invitations to answer",
    "catalogue": "goods of the catalogue",
}
SHEETS = {"swot": "statements", "checklist": "answers to checklists"}  # in which people say what they think
OTHERS = {  # the workshop's other sheets
    "register": "notes of the register",
    "context": "facts from outside",
    "actions": "actions",
    "quotes": "quotes",
    "criteria": "scores of touchpoints",
    "touchpoints": "touchpoints",
    "personas": "texts on personas",
}
ALL = (*SHEETS, *OTHERS)
VOICES = {"customer": "customers", "partner": "partners", "employee": "employees"}


def looked_at(
    basis: Mapping[str, object], accounting: pd.DataFrame | None, sheets: Mapping[str, pd.DataFrame]
) -> list[str]:
    """What the audit rests on, in sentences.

    From: a row of `tables.basis` (customers, orders, first, last); `00_data_quality.accounting` (table, kept; None:
    that notebook was not run, and what was not given is not told); the workshop's sheets by name (`ALL`; those of
    `SHEETS` are counted by voice, the others told where those are empty).
    """
    days = [pd.Timestamp(basis[end]) for end in ("first", "last")]
    if pd.isna(days[0]):
        return ["The data hold no order that counts."]
    first, last = (f"{day.day} {day:%B %Y}" for day in days)
    rows = _kept(accounting)
    missing = [words for name, words in TABLES.items() if rows and not rows.get(name, 0)]
    told = [
        f"The audit rests on {int(basis['orders']):,} orders of {int(basis['customers']):,} customers, placed from "
        f"{first} to {last}.",
    ]
    if missing:
        told.append(f"Not given, and so not looked at: {listed(missing)}.")
    heard = [_heard(sheets[name], words) for name, words in SHEETS.items() if len(sheets.get(name, ()))]
    if heard:
        return [*told, f"Beside the data, people were heard: {'; '.join(heard)}."]
    filled = [f"{words} ({len(sheets[name]):,})" for name, words in OTHERS.items() if len(sheets.get(name, ()))]
    if filled:
        return [*told, f"No statements and no answers to checklists were given; filled in are {listed(filled)}."]
    return [*told, "Nobody was heard beside the data: the workshop's sheets are empty."]


def _kept(accounting: pd.DataFrame | None) -> dict[str, int]:
    """Rows kept by table; empty where nobody counted them."""
    return {} if accounting is None or not len(accounting) else dict(accounting.set_index("table")["kept"])


def rows_read(accounting: pd.DataFrame | None) -> str:
    """How many rows of each table the audit read. From: as `looked_at`."""
    if accounting is None:
        return "How many rows the audit read was not counted: 00_data_quality was not run."
    rows = _kept(accounting)
    read = [f"{int(rows[name]):,} {words}" for name, words in TABLES.items() if rows.get(name, 0)]
    return f"The audit read {listed(read)}." if read else "The audit read no row."


def _heard(sheet: pd.DataFrame, words: str) -> str:
    told, few, most = sheet, [], {}
    if "score" in sheet:  # of a checklist: under five answers of a voice to an item are withheld, and how many they are
        told = sheet[sheet.groupby(["item", "voice"])["voice"].transform("size") >= LEAST_SHOWN]
        heard = set(told["voice"])
        few = [name for voice, name in VOICES.items() if voice in set(sheet["voice"]) - heard]
        most = dict(told.groupby("voice")["item"].value_counts().groupby("voice").max())
    counts = told["voice"].value_counts()
    most = {voice: f", at most {n} to an item" for voice, n in most.items()}
    parts = [f"{counts[voice]:,} of {name}{most.get(voice, '')}" for voice, name in VOICES.items() if voice in counts]
    parts += [f"too few of {listed(few)} to be told"] if few else []
    silent = [name for voice, name in VOICES.items() if voice not in set(sheet["voice"])]
    joined = "; ".join(parts) if most else listed(parts)  # a comma stands within a part
    total = f"{len(told):,} " if len(told) else ""
    return f"{total}{words} ({joined}" + (f"; none of {listed(silent, last='or')})" if silent else ")")


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
