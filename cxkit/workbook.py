"""tables.xlsx: every table of a run on a sheet of its own, the same bytes for the same tables."""

import csv
import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

from cxkit.errors import RunError
from cxkit.privacy import safe_cell
from cxkit.style import clean_text

LIMIT = 100_000  # rows of one sheet; the CSV beside it holds the rest
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
FIXED = datetime(2000, 1, 1)  # no clock: the same tables give the same file
LONGEST_NAME, WIDEST = 31, 48


def sheet_name(name: str, taken: set[str]) -> str:
    """A name that Excel accepts (at most 31 characters, none of []:*?/\\) and that no other sheet has."""
    base = re.sub(r"[\[\]:*?/\\']", " ", clean_text(name)).strip()[:LONGEST_NAME] or "table"
    found, count = base, 1
    while found.lower() in taken:
        count += 1
        end = f" {count}"
        found = base[: LONGEST_NAME - len(end)] + end
    taken.add(found.lower())
    return found


def _typed(rows: list[list[str]], width: int) -> list[bool]:
    """Which columns hold numbers: each cell empty or a number, and one at least a number."""
    columns = [[row[i] for row in rows if i < len(row) and row[i] != ""] for i in range(width)]
    return [bool(c) and all(len(v) <= 17 + 6 and NUMBER.fullmatch(v) for v in c) for c in columns]


def write_workbook(tables_dir: Path, out_xlsx: Path) -> None:
    """Write one sheet for each tables/*.csv, in name order, after a sheet of contents.

    Header rows are frozen, text is text (never a formula), columns of numbers are numbers. A sheet holds at most
    100,000 rows; the contents say where the CSV holds more.
    Raises RunError where a table cannot be read.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    book.properties.creator, book.properties.created, book.properties.modified = "cxkit", FIXED, FIXED
    contents, bold = book.create_sheet("Contents"), Font(bold=True)
    taken = {"contents"}

    def text(sheet, value: str, *, font: Font | None = None) -> WriteOnlyCell:
        cell = WriteOnlyCell(sheet, value=None)
        cell.value = safe_cell(clean_text(value))[:32_767]
        cell.data_type = "s"
        if font:
            cell.font = font
        return cell

    lines = [("Sheet", "Table", "Rows", "Rows here")]
    for path in sorted(tables_dir.glob("*.csv")):
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = list(csv.reader(stream)) or [[]]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RunError(
                f"tables/{path.name} cannot be read for tables.xlsx ({error}); run the notebook again."
            ) from error
        name = sheet_name(path.stem, taken)
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        shown = rows[:LIMIT]
        numeric = _typed(shown, len(header))
        for i, column in enumerate(header):
            widest = max([len(column), *(len(row[i]) for row in shown[:200] if i < len(row))])
            sheet.column_dimensions[get_column_letter(i + 1)].width = min(max(widest + 2, 8), WIDEST)
        sheet.append([text(sheet, column, font=bold) for column in header])
        for row in shown:
            sheet.append(
                [
                    (float(v) if "." in v or "e" in v.lower() else int(v)) if n and v else text(sheet, v) if v else None
                    for v, n in zip(row, numeric, strict=False)
                ]
            )
        lines.append((name, f"tables/{path.name}", len(rows), len(shown)))
    contents.freeze_panes = "A2"
    for letter, width in zip("ABCD", (34, 56, 12, 12), strict=True):
        contents.column_dimensions[letter].width = width
    for number, line in enumerate(lines):
        font = None if number else bold
        contents.append([v if isinstance(v, int) else text(contents, v, font=font) for v in line])
    buffer = io.BytesIO()
    book.save(buffer)
    out_xlsx.write_bytes(_without_clock(buffer.getvalue()))


def _without_clock(content: bytes) -> bytes:
    """The same archive with every time in it fixed (openpyxl writes the time of saving)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                stamp = f"{FIXED.isoformat()}Z".encode()
                data = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            info = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            new.writestr(info, data)
    return out.getvalue()
