"""What did people write in the workshop: its sheets read and checked, and the comments that might be quoted."""

import csv
import hashlib
import io
import os
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import ibis
import pandas as pd

from cxkit.checklists import item_names
from cxkit.client import did_you_mean, resolve
from cxkit.engine import collect
from cxkit.errors import DataError, UsageError
from cxkit.privacy import safe_cell, scrub
from cxkit.sheet_evidence import as_ids, is_nothing, read_evidence
from cxkit.sheet_files import read_records
from cxkit.sheet_marks import letters
from cxkit.stages import name_key, read_stages
from cxkit.style import clean_text
from cxkit.tables import SHEETS, Column, Table
from cxkit.words import normal_text

READ, OTHER = (".csv", ".xlsx"), (".xls", ".xlsm", ".xlsb", ".ods", ".tsv")
MOST_LETTERS = 5_000  # of a cell
TOLD = 20  # faults of one sheet that are told; the others are counted
QUOTE_LETTERS = (15, 300)  # shorter says nothing, longer finds no room on a map
CANDIDATES = "quotes_to_review.csv"


def read_sheet(folder: Path, name: str, *, until: date | None = None) -> pd.DataFrame:
    """One sheet of the workshop, as people filled it in, its values checked and its texts cleaned and scrubbed.

    From: the client's folder, with workshop/<name>.csv or .xlsx. To: the columns of SHEETS[name] in their order, one
    row a filled row of the sheet: texts (missing where empty), numbers as floats (NaN), dates as times (NaT). Without
    a file: no rows. A department is spelt as most rows of all sheets spell it. `until`: the last day that counts; notes
    of the register that are dated after it are left out (`later_notes` has them).
    Raises DataError with all faults of the sheet (`check` says which there are); UsageError on a name that is no
    sheet's, and where the sheet is there twice.
    """
    if name not in SHEETS:
        raise UsageError(f"no sheet {name!r}{did_you_mean(name, SHEETS)}; sheets are {', '.join(SHEETS)}.")
    files, _ = _files(Path(folder))
    paths = files.get(name, [])
    if len(paths) > 1:
        raise UsageError(_twice(paths))
    if not paths:
        return _frame(SHEETS[name], {})
    frame, faults = _read(Path(folder), paths[0], SHEETS[name])
    if faults:
        raise DataError(_told(faults))
    if name == "register" and until is not None:
        frame = frame[~(frame["date"] > pd.Timestamp(until))].reset_index(drop=True)
    return _one_spelling(frame, Path(folder), files, name=name)


def later_notes(folder: Path, *, until: date) -> pd.DataFrame:
    """The notes of the register that are dated after the last day that counts, in the sheet's order."""
    frame = read_sheet(folder, "register")
    return frame[frame["date"] > pd.Timestamp(until)].reset_index(drop=True)


def describe_read(folder: Path, hashes: dict[str, str]) -> list[str]:
    """What was read of a workshop, in lines: each sheet with its rows, and those that have none. From: `check`."""
    files, _ = _files(Path(folder))
    rows = {_place(path): len(read_sheet(folder, name)) for name, (path, *_) in files.items()}
    told = [f"{file} ({rows[file]:,} row{'s' * (rows[file] != 1)})" if file in rows else file for file in hashes]
    none = [file for file in rows if not rows[file]]
    empty = [f"  {file} holds no row below its first; is it the file that was filled in?" for file in none]
    return [f"  read beside the exports: {', '.join(told) or 'no sheets of the workshop'}", *empty]


def check(folder: Path, *, stages: Path | None = None) -> dict[str, str]:
    """Checks all sheets of a client's workshop. To: file (`workshop/swot.csv`) -> its SHA-256, in order.

    From: the client's folder; `stages`: the file of the stages (default: the kit's), which touchpoints may have.
    What is no fault: a parent that is no row of its own (a zone such as site). What is not looked at: files that are
    no tables (photographs, notes).
    Raises DataError with all faults of all files: a name that is no sheet's; a file that cannot be read; columns that
    are missing, unknown or there twice; values that are missing, unknown or off their scale; a touchpoint twice, within
    itself or at no stage. Raises UsageError where the stages' file is wrong.
    """
    valid = list(read_stages(stages)["stage"])
    files, faults = _files(Path(folder))
    hashes = {}
    for name, paths in files.items():
        faults += [_twice(paths)] if len(paths) > 1 else []
        for path in paths:
            found = _read(Path(folder), path, SHEETS[name], stages=valid)[1]
            faults += [*found[:TOLD], *([f"{_place(path)}: {len(found) - TOLD:,} more."] if len(found) > TOLD else [])]
            if not found:
                hashes[_place(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    if faults:
        raise DataError(_told(faults))
    return hashes


def quote_candidates(
    surveys: ibis.Table, reviews: ibis.Table | None = None, *, most_per_touchpoint: int = 10
) -> pd.DataFrame:
    """Comments from which a consultant may choose what is quoted, the least and the most content ones in turn.

    From: surveys (metric, score; touchpoint and comment where they exist), reviews (text and rating where they
    exist). To: touchpoint (empty where nobody said), metric (rating in reviews), score (on its own scale), quote
    (scrubbed once more). How content: the place of the score among all of its metric with a comment.
    What is left out: comments of under 15 letters or over 300; the same words about the same touchpoint again (the
    least content answer stays); what goes beyond `most_per_touchpoint`. Ties are settled by a hash of the words, so
    that neither the order of the rows nor the alphabet decides.
    """
    nothing = {"touchpoint": "string", "metric": "string", "score": "float64", "quote": "string"}
    parts = []
    if "comment" in surveys.columns:
        about = surveys.touchpoint if "touchpoint" in surveys.columns else ibis.null("string")
        parts.append(surveys.select(touchpoint=about, metric="metric", score="score", quote="comment"))
    if reviews is not None and "text" in reviews.columns:
        rating = reviews.rating if "rating" in reviews.columns else ibis.null("float64")
        whole = ibis.literal("rating")
        parts.append(reviews.select(touchpoint=ibis.null("string"), metric=whole, score=rating, quote="text"))
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype="float64" if t == "float64" else "str") for c, t in nothing.items()})
    rows = [p.select(**{name: p[name].cast(type_) for name, type_ in nothing.items()}) for p in parts]
    rows = ibis.union(*rows) if len(rows) > 1 else rows[0]
    rows = rows.filter(rows.quote.length().between(*QUOTE_LETTERS)).mutate(touchpoint=rows.touchpoint.fill_null(""))
    by_score = ibis.window(group_by="metric", order_by="score")
    place = (ibis.percent_rank().over(by_score) + ibis.cume_dist().over(by_score)) / 2  # equal scores share the middle
    rows = rows.mutate(place=place, mark=rows.quote.hexdigest())
    again = ibis.row_number().over(group_by=["touchpoint", "quote"], order_by=["place", "metric", "score"])
    rows = rows.mutate(again=again).filter(ibis._.again == 0)
    rows = rows.mutate(
        low=ibis.row_number().over(group_by="touchpoint", order_by=["place", "mark"]),
        high=ibis.row_number().over(group_by="touchpoint", order_by=[ibis.desc("place"), ibis.desc("mark")]),
    )
    rows = rows.mutate(turn=ibis.least(2 * rows.low, 2 * rows.high + 1))
    rows = rows.filter(rows.turn < most_per_touchpoint).mutate(nowhere=rows.touchpoint == "")
    frame = collect(rows, order_by=["nowhere", "touchpoint", "turn"])[list(nothing)]
    return frame.assign(quote=[scrub(clean_text(text)) for text in frame["quote"]])


def write_candidates(candidates: pd.DataFrame, private: Path) -> Path:
    """Writes `quote_candidates` to quotes_to_review.csv in the client's private folder, for the consultant alone.

    The file has the columns of the sheet `quotes`, so that the rows that may be shown can be copied there. No
    spreadsheet runs what stands in it; nobody else may read it.
    """
    kinds = ["review, rating" if metric == "rating" else f"survey, {metric}" for metric in candidates["metric"]]
    scores = ["" if pd.isna(score) else f" {score:g}" for score in candidates["score"]]
    source = [kind + score for kind, score in zip(kinds, scores, strict=True)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(SHEETS["quotes"].columns)
    for row in zip(candidates["touchpoint"], candidates["quote"], source, strict=True):
        writer.writerow([safe_cell(cell) for cell in row])
    private = Path(private)
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = private / f".{CANDIDATES}.{os.getpid()}"
    part.unlink(missing_ok=True)
    made = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(made, "wb") as file:
        file.write(text.getvalue().encode("utf-8-sig"))  # the mark tells spreadsheets that it is UTF-8
    os.replace(part, private / CANDIDATES)
    return private / CANDIDATES


def _files(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """The files of each sheet, by the sheets' order, and what is to be said of files that are no sheet's."""
    place, files, faults = folder / "workshop", {}, []
    if place.exists() and not place.is_dir():
        return {}, [f"{place} is a file; the sheets lie in a folder of that name."]
    for path in sorted(place.iterdir()) if place.is_dir() else []:
        name, suffix = path.stem.lower(), path.suffix.lower()
        if path.name.startswith((".", "~$")) or suffix not in (*READ, *OTHER):
            continue  # what systems and open spreadsheets leave there; what is no table
        if name not in SHEETS:
            faults.append(
                f"{_place(path)}: no sheet has this name{did_you_mean(name, SHEETS)}; sheets are {', '.join(SHEETS)},"
                " each .csv or .xlsx. Rename the file, or take it out of workshop/."
            )
        elif suffix in OTHER:
            faults.append(f"{_place(path)}: {suffix} is not read; save it as {name}.xlsx.")
        else:
            files.setdefault(name, []).append(path)
    return {name: files[name] for name in SHEETS if name in files}, faults


def _read(
    folder: Path, path: Path, table: Table, *, stages: list[str] | None = None
) -> tuple[pd.DataFrame | None, list[str]]:
    """One file as its sheet's frame, and its faults."""
    try:
        file = resolve(f"workshop/{path.name}", folder=folder, key="workshop")
        records, odd = read_records(file, name=table.name)
    except UsageError as error:
        return None, [str(error)]
    except (DataError, OSError) as error:
        return None, [f"{_place(path)}: {getattr(error, 'strerror', None) or error}"]
    plain = {cell: clean_text(cell) for _, cells in records for cell in cells}  # most cells say what others said
    records = [(number, [plain[cell] for cell in cells]) for number, cells in records]
    records = [(number, cells) for number, cells in records if any(cells)]
    if not records:
        return None, [f"{_place(path)}: {text}" for _, text in odd] or [
            f"{_place(path)}: the file is empty; its first row names the columns: {', '.join(table.columns)}."
        ]
    names, faults = _header(records[0][1], table)
    headed, marked = not faults, {number for number, _ in odd}
    faults += [text for _, text in odd]
    values: dict[str, list] = {name: [] for name in names.values()}
    width = len(records[0][1])
    known: dict[tuple[str, str], tuple[object, str]] = {}
    read: list[int] = []
    for number, cells in records[1:]:
        if len(cells) < width or any(cells[width:]):
            faults.append(
                f"row {number}: {len(cells)} cells, and the first row has {width}; a text with the mark between the"
                " cells in it stands in quotation marks."
            )
            continue
        read.append(number)
        for at, name in names.items():
            if (name, cells[at]) not in known:
                known[name, cells[at]] = _value(cells[at], table.columns[name])
            value, fault = known[name, cells[at]]
            values[name].append(value)
            lost = number in marked and not cells[at]  # what is told of the row already says why
            faults += [f"row {number}, {name}: {fault}"] if fault and not lost else []
        faults += [f"{letters(at + 1)}{number} stands under no heading and would be lost; name the column, or empty it."
                   for at in range(width) if headed and cells[at] and not records[0][1][at]]  # fmt: skip
    if not faults and table.name == "touchpoints":
        faults = _touchpoint_faults(values, read, stages)
    if table.name == "checklist" and "item" in values:
        faults += _item_faults(values, read)
    return _frame(table, values) if not faults else None, [f"{_place(path)}: {fault}" for fault in faults]


def _one_spelling(frame: pd.DataFrame, folder: Path, files: dict[str, list[Path]], *, name: str) -> pd.DataFrame:
    """The sheet with each department spelt as most rows of all sheets spell it; of equally many the first by name."""
    if "department" not in frame or not frame["department"].notna().any():
        return frame
    spelt = Counter(frame["department"].dropna())
    for other, paths in files.items():
        if other != name and "department" in SHEETS[other].columns:
            there = _read(folder, paths[0], SHEETS[other])[0]  # one with faults says nothing here: `check` tells them
            spelt.update([] if there is None else there["department"].dropna())
    shown: dict[str, str] = {}
    for department in sorted(spelt, key=lambda text: (-spelt[text], text)):
        shown.setdefault(name_key(department), department)
    return frame.assign(department=frame["department"].map(lambda text: shown[name_key(text)], na_action="ignore"))


def _header(cells: list[str], table: Table) -> tuple[dict[int, str], list[str]]:
    """The place of each column that the sheet has, and the faults of its first row."""
    given = [name_key(cell) for cell in cells]
    faults, valid = [], list(table.columns)
    for name in dict.fromkeys(name for name in given if name and given.count(name) > 1):
        faults.append(f"the column {name[:60]!r} stands there {given.count(name)} times; keep one.")
    for name in dict.fromkeys(name for name in given if name and name not in valid):
        near = did_you_mean(name, valid)
        faults.append(
            f"unknown column {scrub(name)[:60]!r}{near}; valid are {', '.join(valid)}. Rename it or take it out."
        )
    lacking = [name for name, column in table.columns.items() if column.required and name not in given]
    if lacking:
        has = ", ".join(repr(scrub(name)[:60]) for name in given if name)
        faults.append(f"it lacks {', '.join(map(repr, lacking))}; its first row has {has}.")
    return {at: name for at, name in enumerate(given) if name in valid and given.index(name) == at}, faults


def _value(text: str, column: Column) -> tuple[object, str]:
    """A cell's value by its column's type, and what is wrong with it."""
    if text.startswith("'") and safe_cell(text[1:]) == text:
        text = text[1:]  # the mark that keeps a spreadsheet from running it
    shown = repr(scrub(text)[:60])
    said = column.required and column.name not in ("source", "department")  # there a "yes" may be what was said
    blank = not normal_text(text) if said else is_nothing(text)
    if not text or (blank and not column.valid and column.name != "evidence"):
        return None, "empty; every row needs it." if column.required else ""
    if column.valid:
        near = did_you_mean(name_key(text), column.valid)
        return (
            (name_key(text), "")
            if name_key(text) in column.valid
            else (None, f"{shown} is none of {', '.join(column.valid)}{near or '.'}")
        )
    if column.type in ("integer", "number"):
        low, high = column.scale or (float("-inf"), float("inf"))
        whole = "whole " if column.type == "integer" else ""
        scale = f" from {low:g} to {high:g}" if column.scale else ""
        plain = text.replace(",", ".", 1)
        number = float(plain) if re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", plain) else None
        sound = number is not None and low <= number <= high and (not whole or number == int(number))
        return (number, "") if sound else (None, f"{shown} is no {whole}number{scale}.")
    if column.type == "date":
        return _day(text, shown)
    if len(text) > MOST_LETTERS:
        return None, f"{len(text):,} letters; at most {MOST_LETTERS:,} are read."
    return _words(text, column.name)


def _words(text: str, column: str) -> tuple[str | None, str]:
    """What people wrote, scrubbed; ids of findings and keys of items as the kit spells them, whole."""
    if column == "evidence":
        return read_evidence(text)
    if column in ("item", "measure"):
        return as_ids(text) or scrub(text), ""
    if column == "owner" and scrub(text) != text:
        told = f"{scrub(text)[:60]!r}: an e-mail or a number is no owner; write a name or a role (Head of support)."
        return None, told
    return scrub(text), ""


def _day(text: str, shown: str) -> tuple[date | None, str]:
    """A day written 2026-06-30 or 30.06.2026."""
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            day = datetime.strptime(text, pattern).date()
        except ValueError:
            continue
        if 1900 <= day.year <= 2199:
            return day, ""
    return None, f"{shown} is no date; write one as 2026-06-30 or 30.06.2026."


def _touchpoint_faults(values: dict[str, list], rows: list[int], stages: list[str] | None) -> list[str]:
    """A touchpoint twice, at a stage that is none, or within itself by its parents."""
    faults, first = [], {}
    for row, name, stage in zip(rows, values["touchpoint"], values["stage"], strict=True):
        if name_key(name) in first:
            faults.append(
                f"row {row}, touchpoint: {name[:60]!r} stands in row {first[name_key(name)]} already; keep one."
            )
        first.setdefault(name_key(name), row)
        if stages is not None and name_key(stage) not in stages:
            near = did_you_mean(name_key(stage), stages)
            faults.append(
                f"row {row}, stage: {stage[:60]!r} is none of {', '.join(stages)}{near or '.'} Stages of the client's"
                " own are named in client.yml (stages:)."
            )
    above = {
        name_key(name): name_key(parent)
        for name, parent in zip(values["touchpoint"], values.get("parent", []), strict=False)
        if parent
    }
    done: set[str] = set()
    for start in above:
        chain, at = {}, start  # a dict keeps the order
        while at in above and at not in done and at not in chain:
            chain[at], at = None, above[at]
        done |= chain.keys()
        if at in chain:
            circle = list(chain)[list(chain).index(at) :]
            shown = " in ".join(repr(name[:60]) for name in [*circle[:5], *(["…"] if circle[5:] else []), at])
            faults.append(f"row {first[at]}, parent: {shown}: a touchpoint cannot lie within itself.")
    return faults


def _item_faults(values: dict[str, list], rows: list[int]) -> list[str]:
    """An item that no checklist has; those that are only spelt otherwise are written as the checklists have them."""
    valid = {name_key(item): item for item in item_names()}
    near: dict[str, str] = {}  # a misspelt item stands there once for each who answered it
    faults = []
    for row, item in zip(rows, values["item"], strict=True):
        if item is not None and (key := name_key(item)) not in valid:
            near.setdefault(key, did_you_mean(key, valid) or _items_like(key, list(valid.values())))
            faults.append(f"row {row}, item: {item[:60]!r} is no item of the checklists{near[key]}")
    values["item"] = [item and valid.get(name_key(item), item) for item in values["item"]]
    return faults


def _items_like(key: str, items: list[str]) -> str:
    """Where the items are to be found, and the ends of the list that was meant."""
    meant = [item for item in items if item.startswith(f"{key.partition('.')[0]}.")]
    own = f"; those of {key.partition('.')[0]} are {meant[0]} to {meant[-1]}" if meant else ""
    return f"{own}. All stand in the template's worksheet 'items' and in docs/maturity.md."


def _frame(table: Table, values: dict[str, list]) -> pd.DataFrame:
    """The sheet's frame: every column of the table, in its order."""
    rows = max((len(column) for column in values.values()), default=0)
    made = {}
    for name, column in table.columns.items():
        given = values.get(name, [None] * rows)
        kind = {"integer": "float64", "number": "float64", "date": "datetime64[s]"}.get(column.type, "str")
        made[name] = pd.Series(given, dtype=kind)
    return pd.DataFrame(made)


def _place(path: Path) -> str:
    return f"workshop/{clean_text(path.name)}"


def _twice(paths: list[Path]) -> str:
    return f"{' and '.join(_place(path) for path in paths)} are one sheet; keep the one that counts."


def _told(faults: list[str]) -> str:
    return faults[0] if len(faults) == 1 else "the workshop's sheets:\n  " + "\n  ".join(faults)
