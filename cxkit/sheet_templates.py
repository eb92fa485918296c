"""The workshop's sheets to be filled in: each as .xlsx and .csv, with an example that nobody takes for data."""

import csv
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cxkit.checklists import read_checklists, scale_words
from cxkit.stages import read_stages
from cxkit.tables import SHEETS, Column, Table

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook

ROWS = 2_000  # so many rows of a worksheet have drop-down lists
ITEMS = "items"  # the worksheet with the items of the checklists, beside the sheet `checklist`
MADE = datetime(2000, 1, 1)  # the files' date; the clock is never asked
READ_ME = "READ_ME.txt"
# one row a sheet, in the order of its columns; the example of `swot` and that of `actions` belong together
EXAMPLES = {
    "swot": ("The payment page loses buyers", "weakness", "customer", "site", 5, 4, "It failed twice.", "interviews"),
    "touchpoints": ("payment_page", "payment", "checkout", "web", 5, "paid in one minute", "finance"),
    "criteria": ("payment_page", "simple", 2, "customer"),
    "checklist": ("trust.02_flawless_service", 2, "employee", "support", "two complaints a week"),
    "actions": (
        "Rewrite the payment page and test it with ten customers",
        "The payment page loses buyers",
        "site",
        "Product owner of the site",
        3,
        "journey.touchpoint.payment_page",
        "2026-10-01",
        "Ask ten customers what stops them",
    ),
    "register": ("mystery_shop", "The courier rang two hours late", "2026-05-14", "delivery", "logistics", "", 2),
    "context": ("More villages get parcel lockers", "opportunity", "the carriers' public reports", "2026-03-01"),
    "quotes": ("payment_page", "The payment failed three times.", "survey, nps 3"),
    "personas": ("business mum", "avoids", "Waiting for the courier half the evening", "customer", "interviews"),
}  # fmt: skip


def write_templates(workshop: Path) -> list[Path]:
    """Writes every sheet of the workshop as .xlsx and .csv under workshop/templates, where nothing is read, and
    workshop/READ_ME.txt that says what to do. To: the files, in order.

    A .csv holds the names of the columns alone; its example stands in <sheet>_example.csv beside it. A workbook holds
    the worksheet to be filled in, with drop-down lists, and a worksheet `example`, which is never read. So a sheet that
    is copied to workshop/ and left as it is holds no row.
    """
    folder = Path(workshop) / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    stages = tuple(read_stages()["stage"])
    written = []
    for name, sheet in SHEETS.items():
        for stem, rows in {name: [], f"{name}_example": [EXAMPLES[name]]}.items():
            path = folder / f"{stem}.csv"
            with path.open(
                "w", encoding="utf-8-sig", newline=""
            ) as file:  # the mark tells spreadsheets that it is UTF-8
                csv.writer(file, lineterminator="\r\n").writerows([list(sheet.columns), *rows])
            written.append(path)
        written.append(folder / f"{name}.xlsx")
        _write_workbook(written[-1], sheet, stages)
    written.append(Path(workshop) / READ_ME)
    written[-1].write_text(read_me(), encoding="utf-8", newline="\r\n")
    return written


def read_me() -> str:
    """What to do with the templates."""
    width = max(map(len, SHEETS))
    sheets = "\n".join(f"  {name:<{width}}  one row is {sheet.row}" for name, sheet in SHEETS.items())
    return f"""The workshop's sheets

1. Take the sheet that you need from templates/: the .xlsx (it has drop-down lists), or the .csv.
2. Fill it in. Its worksheet `example`, or <sheet>_example.csv, shows a row; it is never read.
3. Save it here, beside this file, under its own name: swot.xlsx or swot.csv, not both.
4. `cxkit check CLIENT` looks at every cell and tells all that is wrong at once.

All sheets are optional. What stands in templates/ is never read. What each column means: docs/tables.md.

{sheets}
"""


def _write_workbook(path: Path, sheet: Table, stages: tuple[str, ...]) -> None:
    from io import BytesIO

    import xlsxwriter

    made = BytesIO()  # in memory, so that a full disk is an OSError and none of the writer's own
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(made, options) as book:
        book.set_properties({"created": MADE})
        _fill_in_worksheet(book, sheet, stages)
        _example_worksheet(book, sheet, stages)
        if sheet.name == "checklist":
            _items_worksheet(book)
    path.write_bytes(made.getvalue())


def _fill_in_worksheet(book: "Workbook", sheet: Table, stages: tuple[str, ...]) -> None:
    """The worksheet that people fill in: named columns, lists to choose from, a word of help at each cell."""
    needed = book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8edf2"})
    optional = book.add_format({"bottom": 1, "bg_color": "#f4f6f8"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    page = book.add_worksheet(sheet.name)
    page.freeze_panes(1, 0)
    for place, column in enumerate(sheet.columns.values()):
        page.write_string(0, place, column.name, needed if column.required else optional)
        page.set_column(place, place, _width(sheet, place), day if column.type == "date" else None)
        page.data_validation(1, place, ROWS, place, _validation(sheet.name, column, stages))


def _validation(sheet: str, column: Column, stages: tuple[str, ...]) -> dict:
    """What a spreadsheet lets people choose or write in a column, and what it tells them there."""
    must = "Needed in every row. " if column.required else "May stay empty. "
    told = {"input_title": column.name, "input_message": (must + _wanted(column, stages))[:255]}
    if sheet == "checklist" and column.name == "item":
        wrong = {"error_title": "item", "error_message": f"An item of the worksheet {ITEMS!r}."}
        return told | {"validate": "list", "source": f"={ITEMS}!$A$2:$A${len(read_checklists()) + 1}"} | wrong
    if choice := _choice(column, stages):
        # a score may lie between the steps of its scale, and a client may have stages of its own
        strict = column.type != "number" and column.name != "stage"
        wrong = {"error_title": column.name, "error_message": f"One of {', '.join(map(str, choice))}."[:255]}
        return told | {"validate": "list", "source": list(choice), "show_error": strict} | wrong
    if column.type == "date":
        bounds = {"criteria": "between", "minimum": datetime(1900, 1, 1), "maximum": datetime(2199, 12, 31)}
        return told | bounds | {"validate": "date", "show_error": False}
    return told | {"validate": "any"}


def _choice(column: Column, stages: tuple[str, ...]) -> tuple:
    if column.scale:
        return tuple(range(int(column.scale[0]), int(column.scale[1]) + 1))
    return stages if column.name == "stage" else column.valid


def _wanted(column: Column, stages: tuple[str, ...]) -> str:
    """What stands in a column, in words."""
    words = column.meaning[:1].upper() + column.meaning[1:]
    if column.scale:
        return f"{words}: {column.scale[0]:g} to {column.scale[1]:g}."
    if column.name == "stage":
        return f"One of {', '.join(stages)}."
    if column.valid:
        return f"One of {', '.join(column.valid)}."
    return f"{words}, as 2026-06-30." if column.type == "date" else f"{words}."


def _example_worksheet(book: "Workbook", sheet: Table, stages: tuple[str, ...]) -> None:
    """A filled row and what the columns mean, on a worksheet of their own, which is not read."""
    bold, grey = book.add_format({"bold": True}), book.add_format({"italic": True, "font_color": "#646c76"})
    page = book.add_worksheet("example")
    for place, (name, value) in enumerate(zip(sheet.columns, EXAMPLES[sheet.name], strict=True)):
        page.write_string(0, place, name, bold)
        page.write(1, place, value, grey)
        page.set_column(place, place, _width(sheet, place))
    page.write_string(
        3, 0, f"An example, which is not read. What you fill in stands in the worksheet {sheet.name!r}.", bold
    )
    for row, column in enumerate(sheet.columns.values(), start=5):
        page.write_string(row, 0, column.name, bold if column.required else None)
        page.write_string(row, 1, "needed" if column.required else "optional")
        page.write_string(row, 2, _wanted(column, stages))


def _items_worksheet(book: "Workbook") -> None:
    """What may stand in the column item: each with what it asks, of whom, and what counts as evidence; never read."""
    bold, wrapped = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
    page = book.add_worksheet(ITEMS)
    page.freeze_panes(1, 1)
    items = read_checklists().assign(answered_by=lambda frame: [", ".join(who) for who in frame["answered_by"]])
    titles = {"list_name": "list", "text": "what is true when it is fully done"}
    shown = {"item": 40, "list_name": 22, "text": 70, "answered_by": 28, "evidence": 50}
    for place, (name, width) in enumerate(shown.items()):
        page.set_column(place, place, width)
        page.write_string(0, place, titles.get(name, name), bold)
        for row, value in enumerate(items[name], start=1):
            page.write_string(row, place, value, wrapped)
    words = [f"{score} {word}" for score, word in enumerate(scale_words())]
    page.write_string(0, len(shown), f"score: {', '.join(words)}", bold)


def _width(sheet: Table, place: int) -> int:
    name = list(sheet.columns)[place]
    return min(max(len(name), len(str(EXAMPLES[sheet.name][place]))) + 3, 48)
