"""tables.xlsx: every table of a run on a sheet of its own, the same bytes for the same tables.

Written as the plain XML that the format is (ECMA-376, part 1), because that takes a tenth of the time that openpyxl
takes, holds no clock, and cannot hold a formula.
"""

import csv
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from cxkit.errors import RunError
from cxkit.privacy import safe_cell
from cxkit.style import clean_text

LIMIT = 100_000  # rows of one sheet; the CSV beside it holds the rest
# at most 15 digits are told apart by a spreadsheet; longer ones, and those led by 0, are codes
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,3})?")
LONGEST_NAME, LONGEST_TEXT, WIDEST = 31, 32_767, 48
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" '
    'fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" '
    'xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


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
    names, sheets, taken = ["Contents"], [], {"contents"}
    contents = []
    for path in sorted(tables_dir.glob("*.csv")):
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = list(csv.reader(stream)) or [[]]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RunError(
                f"tables/{path.name} cannot be read for tables.xlsx ({error}); run the notebook again."
            ) from error
        names.append(sheet_name(path.stem, taken))
        sheets.append(_sheet(header, rows[:LIMIT]))
        contents.append([names[-1], f"tables/{path.name}", str(len(rows)), str(min(len(rows), LIMIT))])
    sheets.insert(0, _sheet(["Sheet", "Table", "Rows", "Rows here"], contents))
    with zipfile.ZipFile(out_xlsx, "w") as archive:
        for name, text in _files(names, sheets):
            info = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, text.encode("utf-8"))


def _files(names: Sequence[str], sheets: Sequence[str]) -> Iterable[tuple[str, str]]:
    """The workbook's files: what they are, how they hang together, the styles, the sheets."""
    numbers = range(1, len(sheets) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{TYPE}.worksheet+xml"/>' for i in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
        'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/><Override PartName="/xl/styles.xml" '
        f'ContentType="{TYPE}.styles+xml"/>{kinds}</Types>',
    )
    yield (
        "_rels/.rels",
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    listed = "".join(
        f'<sheet name={quoteattr(n)} sheetId="{i}" r:id="rId{i}"/>' for i, n in zip(numbers, names, strict=True)
    )
    yield (
        "xl/workbook.xml",
        f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{related}<Relationship Id="rId{len(sheets) + 1}" '
        f'Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    )
    yield "xl/styles.xml", STYLES
    for i, sheet in zip(numbers, sheets, strict=True):
        yield f"xl/worksheets/sheet{i}.xml", sheet


def _sheet(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    width = len(header)
    letters = [_letters(i) for i in range(width)]
    numeric = [_is_numeric([row[i] for row in rows if i < len(row) and row[i]]) for i in range(width)]
    lines = ["".join(_text(f"{letter}1", value, style=1) for letter, value in zip(letters, header, strict=True))]
    for number, row in enumerate(rows, start=2):
        cells = [
            f'<c r="{letter}{number}"><v>{value}</v></c>' if is_number else _text(f"{letter}{number}", value)
            for letter, is_number, value in zip(letters, numeric, row, strict=False)
            if value
        ]
        lines.append("".join(cells))
    sizes = [max([len(header[i]), *(len(row[i]) for row in rows[:200] if i < len(row))]) for i in range(width)]
    columns = "".join(
        f'<col min="{i}" max="{i}" width="{min(max(size + 2, 8), WIDEST)}" customWidth="1"/>'
        for i, size in enumerate(sizes, start=1)
    )
    data = "".join(f'<row r="{number}">{line}</row>' for number, line in enumerate(lines, start=1))
    columns = f"<cols>{columns}</cols>" if columns else ""
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
        f'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>{columns}'
        f"<sheetData>{data}</sheetData></worksheet>"
    )


def _is_numeric(values: Sequence[str]) -> bool:
    """Whether a column holds numbers: one at least, and nothing else."""
    return bool(values) and all(NUMBER.fullmatch(value) for value in values)


def _text(place: str, value: str, *, style: int = 0) -> str:
    shown = escape(safe_cell(clean_text(value))[:LONGEST_TEXT])
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


def _letters(index: int) -> str:
    """0 -> A, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
