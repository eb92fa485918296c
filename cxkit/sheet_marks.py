"""What a worksheet's cells hide from whoever reads their values alone: formulas, errors, merged cells, hidden rows."""

import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

Marks = list[tuple[int, str]]  # each with its row as a spreadsheet counts
MERGED = re.compile(r"([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})")


def is_hidden(path: Path, title: str) -> bool:
    """Whether a workbook's worksheet is hidden. Raises KeyError where there is none of this title."""
    with zipfile.ZipFile(path) as packed:
        return _sheets(packed)[title].get("state", "visible") != "visible"


def marks(path: Path, title: str) -> Marks:
    """What of a worksheet would be lost or taken wrongly when its values are read, each with its row and the mend.

    From: the file (.xlsx) and the worksheet's title. To, by rows: formulas that were saved without a value, errors
    (#N/A), merged cells of which only the first has the text, rows that are hidden and filled in.
    What it cannot show: a value that whoever wrote the file saved beside a formula without computing it.
    Raises KeyError, zipfile.BadZipFile or ElementTree.ParseError where it is no such workbook.
    """
    found: Marks = []
    filled: set[str] = set()
    number, at = 0, 0
    with zipfile.ZipFile(path) as packed, packed.open(_part(packed, title)) as file:
        for event, element in ElementTree.iterparse(file, events=("start", "end")):
            name = _name(element)
            if event == "start" and name == "row":
                number, at = int(element.get("r", number + 1)), 0
            elif event == "end" and name == "c":
                at = _column(element.get("r", "")) or at + 1
                place = element.get("r") or f"{letters(at)}{number}"
                value = "".join(part.text or "" for part in element.iter() if _name(part) in ("v", "t"))
                formula = any(_name(part) == "f" for part in element)
                filled |= {place} if value.strip() or formula else set()
                found += [(number, text) for text in _cell_marks(place, element.get("t", "n"), value, formula)]
            elif event == "end" and name == "row":
                hidden = element.get("hidden") in ("1", "true")
                if hidden and filled & {f"{letters(column)}{number}" for column in range(1, at + 1)}:
                    found.append((number, f"row {number} is hidden; show it if it counts (or take the filter off), or"
                                          " delete it."))  # fmt: skip
                element.clear()
            elif event == "end" and name == "mergeCell":
                found += _merged(element.get("ref", ""), filled)
    return sorted(found)


def letters(column: int) -> str:
    """A column's letters, as a spreadsheet counts from 1: 28 is AB."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _cell_marks(place: str, kind: str, value: str, formula: bool) -> list[str]:
    if kind == "e":
        return [f"{place} holds the error {value[:20]}; write what it should be, or empty it."]
    if formula and not value and kind != "str":  # an empty text is a value too
        return [f"{place} holds a formula that was saved without its value; open and save the file in a spreadsheet, or"
                " write the value."]  # fmt: skip
    return []


def _merged(ref: str, filled: set[str]) -> Marks:
    place = MERGED.fullmatch(ref)
    if not place or place[1] + place[2] not in filled:
        return []
    return [(int(place[2]), f"the cells {ref} are merged, and only the first has what they say; unmerge them, and write"
                            " it in each row that it holds for.")]  # fmt: skip


def _sheets(packed: zipfile.ZipFile) -> dict[str, ElementTree.Element]:
    book = ElementTree.fromstring(packed.read("xl/workbook.xml"))
    return {sheet.get("name", ""): sheet for sheet in book.iter() if _name(sheet) == "sheet"}


def _part(packed: zipfile.ZipFile, title: str) -> str:
    """Where in the file a worksheet stands."""
    sheet = _sheets(packed)[title]
    id = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))
    target = {link.get("Id"): link.get("Target", "") for link in links}[id]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _name(element: ElementTree.Element) -> str:
    """An element's name without its namespace, of which there are two kinds of workbooks."""
    return element.tag.rpartition("}")[2]


def _column(place: str) -> int:
    number = 0
    for letter in re.match(r"[A-Z]{0,3}", place)[0]:
        number = 26 * number + ord(letter) - 64
    return number
