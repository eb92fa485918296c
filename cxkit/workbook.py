"""tables.xlsx: every table of a run on a sheet of its own, the same bytes for the same tables."""

import csv
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cxkit.errors import RunError
from cxkit.privacy import safe_cell
from cxkit.style import clean_text

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

LIMIT = 100_000  # rows of one sheet; the CSV beside it holds the rest
# at most 15 digits are told apart by a spreadsheet; longer ones, and those led by 0, are codes
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,3})?")
LONGEST_NAME, LONGEST_TEXT, WIDEST = 31, 32_767, 48
MADE = datetime(2000, 1, 1)  # the file's date; the clock is never asked


def sheet_name(name: str, taken: set[str]) -> str:
    """A name that Excel accepts (at most 31 characters, none of []:*?/\\) and that no other sheet has."""
    base = re.sub(r"[\[\]:*?/\\']", " ", clean_text(name)).strip()[:LONGEST_NAME].strip() or "table"
    found, count = base, 1
    while found.lower() in taken:
        count += 1
        end = f" {count}"
        found = base[: LONGEST_NAME - len(end)] + end
    taken.add(found.lower())
    return found


def write_workbook(tables_dir: Path, out_xlsx: Path) -> None:
    """Write one sheet for each tables/*.csv, in name order, after a sheet of contents.

    Header rows are frozen; columns whose every cell is a number are numbers, all else is text, never a formula. A
    sheet holds at most 100,000 rows; the contents say where the CSV holds more.
    Raises RunError where a table cannot be read.
    """
    import xlsxwriter

    contents, sheets, taken = [], [], {"contents"}
    for path in sorted(tables_dir.glob("*.csv")):
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = list(csv.reader(stream)) or [[]]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RunError(
                f"tables/{path.name} cannot be read for tables.xlsx ({error}); run the notebook again."
            ) from error
        name = sheet_name(path.stem, taken)
        sheets.append((name, header, rows[:LIMIT]))
        contents.append([name, f"tables/{path.name}", str(len(rows)), str(min(len(rows), LIMIT))])
    with xlsxwriter.Workbook(out_xlsx, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": MADE})
        bold = book.add_format({"bold": True})
        contents_header = ["Sheet", "Table", "Rows", "Rows here"]
        for name, header, rows in [("Contents", contents_header, contents), *sheets]:
            _fill(book.add_worksheet(name), header, rows, bold)


def _fill(sheet: "Worksheet", header: Sequence[str], rows: Sequence[Sequence[str]], bold: "Format") -> None:
    sheet.freeze_panes(1, 0)
    for place, title in enumerate(header):
        cells = [row[place] if place < len(row) else "" for row in rows]
        sheet.write_string(0, place, _text(title), bold)
        numeric = _is_numeric([cell for cell in cells if cell])
        for number, cell in enumerate(cells, start=1):
            if cell and numeric:
                sheet.write_number(number, place, float(cell))
            elif cell:
                sheet.write_string(number, place, _text(cell))
        widest = max(map(len, [title, *cells[:200]]))
        sheet.set_column(place, place, min(max(widest + 2, 8), WIDEST))


def _is_numeric(values: Sequence[str]) -> bool:
    """Whether a column holds numbers: one at least, and nothing else."""
    return bool(values) and all(NUMBER.fullmatch(value) for value in values)


def _text(value: str) -> str:
    return safe_cell(clean_text(value))[:LONGEST_TEXT]
