"""What stands in a file that people filled in: a .csv or .xlsx -> its rows as texts, whatever somebody saved."""

import csv
import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd

from cxkit.errors import DataError
from cxkit.sheet_marks import Marks, is_hidden, marks
from cxkit.sheet_templates import EXAMPLES
from cxkit.stages import name_key
from cxkit.style import clean_text
from cxkit.tables import SHEETS

MOST_BYTES, MOST_CELLS = 10_000_000, 2_000_000  # people fill the sheets in: more is a mistake
Records = list[tuple[int, list[str]]]  # each with its row as a spreadsheet counts


def read_records(path: Path, *, name: str) -> tuple[Records, Marks]:
    """The file's rows, the first with the names of the columns, and what of them cannot be read as it is meant
    (`sheet_marks.marks`). `name`: the sheet's, which a workbook may hold among others.

    A .csv is UTF-8, with or without a byte-order mark, with commas or semicolons between the cells (whichever its first
    row has more of). Of an .xlsx the values count, as they were when it was saved; no formula is run.
    Raises DataError where it cannot be read, with the mend; also where it is hidden, where the worksheet `example` was
    filled in, and where the sheet's own worksheet is empty and another one is not.
    """
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"it holds over {MOST_BYTES // 1_000_000} MB; a sheet is what people filled in.")
    return (_csv_records(path), []) if path.suffix.lower() == ".csv" else _workbook_records(path, name)


def _csv_records(path: Path) -> Records:
    raw = path.read_bytes()
    advice = "Save it in the spreadsheet as “CSV UTF-8”, or as .xlsx."
    if b"\0" in raw:
        raise DataError(f"it is no text in UTF-8 (it holds zero bytes). {advice}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"it is not UTF-8 (byte {error.start}). {advice}") from None
    # what spreadsheets write above the header to say what stands between the cells; its row stays, an empty one
    text = re.sub(r"\A[\"']?sep=[,;\t]?[\"']?[,;]*(?=\r?\n)", "", text, flags=re.IGNORECASE)
    header = next((line for line in text.splitlines() if line.strip(" ,;\t")), text)
    if "\t" in header and "," not in header and ";" not in header:
        raise DataError(f"its cells are apart by tabs, and commas or semicolons are read. {advice}")
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(enumerate(reader, start=1))
    except csv.Error as error:
        raise DataError(
            f"it cannot be read from line {reader.line_num} on ({error}). A quotation mark inside a cell is written"
            " twice, and each that is opened is closed."
        ) from None


def _workbook_records(path: Path, name: str) -> tuple[Records, Marks]:
    """The rows of a workbook's worksheet: the one named as the sheet, else the only one that is filled in."""
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 20 * MOST_BYTES:
                raise DataError("it is too large when unpacked; a sheet is what people filled in.")
            for entry in packed.namelist():
                if entry.lower().endswith(".xml"):  # wherever a workbook keeps its worksheets
                    _check_size(packed.read(entry))
        found = pd.read_excel(path, sheet_name=None, header=None, dtype=object, na_filter=False, engine="calamine")
        pages = {title: _rows(frame) for title, frame in found.items() if len(frame)}
        title = _chosen(pages, name)
        hidden, odd = (is_hidden(path, title), marks(path, title)) if title is not None else (False, [])
    except DataError:
        raise
    except Exception as error:  # whatever a broken workbook makes of the reader
        raise DataError(
            f"it cannot be read as .xlsx ({type(error).__name__}). Take a password off, and save it anew as .xlsx."
        ) from None
    if hidden:
        raise DataError(f"the worksheet {clean_text(title)!r} is hidden; show it if it counts, or delete it.")
    return pages.get(title, []), odd


def _chosen(pages: dict[str, Records], name: str) -> str | None:
    """The title of the worksheet that counts; None where nothing is filled in."""
    named = [title for title in pages if name_key(title) == name]
    if not named and len(pages) > 1:
        titles = ", ".join(repr(clean_text(title)) for title in pages)
        raise DataError(f"it holds the worksheets {titles}; name the one that counts {name!r}.")
    title = named[0] if named else next(iter(pages), None)
    for other, rows in pages.items():
        if other == title or not (given := _filled_in(rows, name)):
            continue
        if name_key(other) == "example":
            raise DataError(
                f"{given[0]} of the worksheet 'example' is filled in, and that worksheet is never read; write it into"
                f" {clean_text(title)!r}, and leave the example as it was or delete it."
            )
        if not _filled_in(pages[title], name):
            raise DataError(
                f"the worksheet {clean_text(title)!r} holds no row, and {clean_text(other)!r} does; delete the one that"
                f" is empty, and name the other one {name!r}."
            )
    return title


def _filled_in(rows: Records, name: str) -> list[str]:
    """The rows below a sheet's header down to the first empty one (`row 2`), without the example that the template
    has; none where the header is another one."""
    rows = [(number, [clean_text(cell) for cell in cells]) for number, cells in rows]
    start = next((place for place, (_, cells) in enumerate(rows) if any(cells)), len(rows))
    header = {name_key(cell) for cell in rows[start][1]} if rows[start:] else set()
    if not {column.name for column in SHEETS[name].columns.values() if column.required} <= header:
        return []
    shown, found = [str(value) for value in EXAMPLES[name]], []
    for number, cells in rows[start + 1 :]:
        if not any(cells):
            break
        found += [f"row {number}"] if [cell for cell in cells if cell] != [text for text in shown if text] else []
    return found


def _rows(frame: pd.DataFrame) -> Records:
    return [(n, [_as_text(cell) for cell in cells]) for n, cells in enumerate(frame.values.tolist(), start=1)]


def _check_size(worksheet: bytes) -> None:
    """A lone cell in the farthest corner would make the reader hold the billions between."""
    rows, columns = 1, 1
    unnamed = re.search(rb"""<(\w+:)?c(?![^<>]*\br\s*=)[\s/>]""", worksheet)  # cells that their row alone places
    refs = set(re.findall(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,9})["']""", worksheet))
    for letters, digits in refs if unnamed else [ref for ref in refs if ref[0]]:
        place = 0
        for letter in letters.upper():
            place = 26 * place + letter - 64
        rows, columns = max(rows, int(digits)), max(columns, place)
    if rows * columns > MOST_CELLS:
        raise DataError(
            f"a worksheet reaches to row {rows:,} and column {columns:,}; delete the empty rows and columns after the"
            " last that is filled in."
        )


def _as_text(cell: object) -> str:
    """A workbook's cell as people would write it."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == datetime.min.time() else cell.isoformat(" ")
    if isinstance(cell, float):
        return f"{cell:.15g}" if cell == cell else ""
    return "" if cell is None else str(cell)
