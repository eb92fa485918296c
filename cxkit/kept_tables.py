"""What a notebook leaves in the run's folder: tables of which no spreadsheet runs a cell, read back; and records."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cxkit.privacy import safe_cell
from cxkit.style import clean_text

WHOLE = r"-?[0-9]{1,18}"
NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|inf)"


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """The whole frame in full precision; text that a spreadsheet would run as a formula is made inert."""
    safe = frame.rename(columns=lambda c: safe_cell(clean_text(c)))
    for i, dtype in enumerate(safe.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            safe.isetitem(i, safe.iloc[:, i].astype(object).map(_safe_text))
    path.parent.mkdir(parents=True, exist_ok=True)
    safe.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def read_table(path: Path, *, texts: Sequence[str] = ()) -> pd.DataFrame:
    """The frame that `write_table` wrote: texts as they were, numbers as numbers, missing where a cell is empty.

    A column is one of numbers where all that stands in it are numbers, and of yes/no where all are True or False;
    columns named in `texts`, and those of ids (`customer_id`), stay texts whatever stands in them.
    What is left out: times, which come back as texts; an empty text comes back as missing.
    """
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    raw.columns = [_told(name) for name in raw.columns]
    return raw.assign(**{n: _typed(raw[n], text=n in texts or n.endswith("_id")) for n in raw.columns})


def write_json(path: Path, value: object) -> None:
    """A record of the run's folder, its keys in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _typed(column: pd.Series, *, text: bool) -> pd.Series:
    filled = column[column != ""]
    if not text and len(filled):
        if len(filled) == len(column) and set(filled) <= {"True", "False"}:
            return column == "True"
        if len(filled) == len(column) and filled.str.fullmatch(WHOLE).all():
            return column.astype("int64")
        if filled.str.fullmatch(NUMBER).all():
            return column.where(column != "", "nan").map(float)  # as Python reads it: to the last digit
    return column.map(_told).astype(object).where(column != "", None)


def _told(text: str) -> str:
    """A text without the mark that keeps a spreadsheet from running it."""
    return text[1:] if text.startswith("'") and safe_cell(text[1:]) == text else text


def _safe_text(value: object) -> object:
    # a lone carriage return would end the record: csv quotes it only where it ends lines itself
    return safe_cell(re.sub(r"\r\n?", "\n", value)) if isinstance(value, str) else value
