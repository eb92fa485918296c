"""A workbook's rows as texts, written as JSON to standard output: a program of its own, run by `workbooks`.

The reader holds a worksheet whole, and a small file can be made that needs all the memory there is; what happens in
here stays in here. Rests on nothing of cxkit's.
"""

import datetime
import json
import sys
from decimal import Decimal

MOST_MEMORY = 3 << 30  # bytes; a full worksheet (a million rows) of 12 columns takes one GiB
BATCH = 2000


def cell_text(cell: object, *, decimal: str = ".") -> str | None:
    """A cell as a text: a number that is whole without decimals, a time as ISO 8601, an empty cell as None."""
    if cell is None or isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, (int, float)):
        return number_text(cell, decimal=decimal)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, datetime.timedelta):
        seconds = cell.days * 86400 + cell.seconds
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return cell.isoformat() if isinstance(cell, (datetime.date, datetime.time)) else str(cell)


def number_text(number: float, *, decimal: str = ".") -> str:
    """A number in plain digits, with the decimal mark of the export; no .0 where it is whole."""
    if isinstance(number, float) and not number.is_integer():
        text = repr(number)
        return (f"{Decimal(text):f}" if "e" in text else text).replace(".", decimal)
    return str(int(number))


def main(path: str, sheet: str, decimal: str) -> None:
    """Writes a line with the worksheets' names and the chosen one's number, then lines with rows."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

    book = load_workbook(path)
    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    names = [s.name for s in sheets]
    shown = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    chosen, rows = None, None
    for name in [sheet] if sheet else [*shown, *(n for n in names if n not in shown)]:
        found = book.get_sheet_by_name(name) if name in names else None
        if found is not None and (sheet or found.end):
            chosen, rows = name, found
            break
    print(json.dumps({"names": names, "chosen": chosen}))
    batch = []
    for row in rows.iter_rows() if rows else ():
        cells = [cell_text(cell, decimal=decimal) for cell in row]
        if any(cells):
            batch.append(cells)
        if len(batch) == BATCH:
            print(json.dumps(batch))
            batch = []
    if batch:
        print(json.dumps(batch))
    print("[]")  # the whole worksheet was read


if __name__ == "__main__":
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    except (ImportError, ValueError, OSError):  # not on every system
        pass
    main(*sys.argv[1:])
