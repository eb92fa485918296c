"""What is a client's file? Its kind, sheet, encoding, delimiter and header row, found out from its bytes."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from cxkit import containers, delimiters, encodings, file_rows, header_rows, headings
from cxkit.containers import Source
from cxkit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

MOST = 50_000  # records of a sample
START = 1 << 20  # letters that the delimiter and the header are found in
TRIED = 300  # records that the header is found in
_NO_TEXT = re.compile("[\\x00\\x02-\\x08\\x0e-\\x1e\\x7f]")  # 1 and 1f part the cells of some
MOST_BREAKS = 50  # lines of a cell, as comments have them


@dataclass(frozen=True)
class FileForm:
    """What a file is, found out from its bytes.

    kind: csv, xlsx, parquet, jsonl or duckdb. sheet: the chosen one of `sheets`, None where there is nothing to choose.
    header: the records that name the columns, as client.yml takes them (0: none). names: the columns as
    `exports.header` gives them. rows: records after the header, without those that are blank in
    every cell. whole: a sample holds them all. evidence and sure:
    by key (sheet, encoding, delimiter, header): what a choice rests on, and whether nothing else comes into question.
    notes: what is odd about the file.
    """

    path: Path
    kind: str
    sheet: str | None
    sheets: tuple[str, ...]
    encoding: str
    delimiter: str
    header: tuple[int, ...]
    names: tuple[str, ...]
    rows: int
    whole: bool
    evidence: dict[str, str] = field(default_factory=dict)
    sure: dict[str, bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sniff(path: Path, *, sheet: str | None = None) -> FileForm:
    """What a file is. Raises DataError where it cannot be read at all."""
    path = Path(path)
    source, members = file_rows.look(path, sheet=sheet)
    evidence, sure, notes = {}, {}, list(source.notes)
    encoding, delimiter = "utf-8", ","
    if source.kind in ("csv", "jsonl"):
        found = encodings.find_encoding(lambda: containers.pieces(source))
        encoding, evidence["encoding"], sure["encoding"] = found.name, found.evidence, found.sure
        notes += found.notes
    if source.kind == "csv":
        start = _start(source, encoding)
        _check_text(start)
        mark = delimiters.find_delimiter(start)
        delimiter, evidence["delimiter"], sure["delimiter"] = mark.mark, mark.evidence, mark.sure
        notes += mark.notes
    with file_rows.opened(source, encoding=encoding, delimiter=delimiter) as (known, records):
        first = list(islice(records, TRIED))
        if "names" in known:
            header, names = (1,), known["names"]
        elif not first:
            raise DataError("it is empty. Ask for the export again.")
        else:
            head = header_rows.find_header(first)
            header, evidence["header"], sure["header"] = head.records, head.evidence, head.sure
            notes += head.notes
            names, rest = headings.parted(first, header)
            first = list(rest)
        rows, faults = _counted(chain(first, records), len(names), delimiter if source.kind == "csv" else "")
    inside = len(members) < 2 and "sheets" in known  # of a .zip with several files, the file is what is chosen
    sheets, chosen = (tuple(known["sheets"]), known["chosen"]) if inside else (members, source.member)
    if len(sheets) > 1:
        evidence["sheet"] = f"chosen of {len(sheets)}" if sheet else f"a guess: {_sheet_told(source, sheets)}"
        sure["sheet"] = sheet is not None
    return FileForm(
        path=path,
        kind=source.kind,
        sheet=chosen if len(sheets) > 1 else None,
        sheets=sheets if len(sheets) > 1 else (),
        encoding=encoding,
        delimiter=delimiter,
        header=header,
        names=tuple(names),
        rows=rows,
        whole=rows <= MOST,
        evidence=evidence,
        sure=sure,
        notes=(*notes, *faults, *_name_faults(names)),
    )


def sample(form: FileForm, *, most: int = MOST) -> "pd.DataFrame":
    """The file's columns as texts, "" for a blank: at most `most` records, evenly spaced in the file's order.

    What is left out: records that have not the header's width or are blank; columns without a name or with a name
    that stands there twice, which cannot be mapped.
    """
    import pandas as pd

    step, kept, width = 1, [], len(form.names)
    source = containers.look(form.path, sheet=form.sheet)
    reading = {"encoding": form.encoding, "delimiter": form.delimiter, "fields": form.names}
    with file_rows.opened(source, **reading) as (known, records):
        above = 0 if "names" in known else form.header[-1]
        for number, record in enumerate(islice(records, above, None)):
            if number % step or len(record) != width or not any(record):
                continue
            if len(kept) >= most:
                kept, step = kept[::2], step * 2
                if number % step:
                    continue
            kept.append(record)
    counts = Counter(form.names)
    places = [i for i, name in enumerate(form.names) if name and counts[name] == 1]
    columns = {form.names[i]: [r[i].strip() if i < len(r) else "" for r in kept] for i in places}
    return pd.DataFrame(columns, dtype=str)


def _start(source: Source, encoding: str) -> str:
    """The beginning of a file's text, up to a line's end where there is more."""
    text = ""
    for piece in file_rows.decoded(source, encoding):
        text += piece
        if len(text) > START:
            end = max(text.rfind("\n", 0, START), text.rfind("\r", 0, START))
            return text[: end + 1] if end > 0 else text[:START]
    return text


def _check_text(start: str) -> None:
    """Raises DataError where so many characters are none that a text has that the file is none."""
    odd = len(_NO_TEXT.findall(start))
    if odd > len(start) / 20:
        raise DataError(
            f"{100 * odd / len(start):.0f} % of it are control characters, so it is no text, whatever its"
            " name says. Ask for the export again."
        )


def _counted(records: Iterable[list[str]], width: int, mark: str) -> tuple[int, list[str]]:
    """How many records there are that are not blank, and what is wrong with some of them."""
    rows = blank = long = 0
    ragged: Counter[int] = Counter()
    for record in records:
        if not any(record):
            blank += 1
            continue
        rows += 1
        if len(record) != width:
            ragged[len(record)] += 1
        if sum(map(len, record)) > 4 * MOST_BREAKS:
            long += any(cell.count("\n") > MOST_BREAKS for cell in record)
    notes = []
    if ragged:
        notes.append(
            f"{ragged.total():,} of {rows:,} records have more or fewer cells than the header; such are refused."
        )
        told = delimiters.wider_told(ragged.elements(), width=width, mark=mark)
        notes += [told] if told else []
    if blank:
        notes.append(f"{blank:,} of {rows + blank:,} records are blank in every cell: left out, as empty lines are.")
    if long:
        what = "1 cell holds" if long == 1 else f"{long:,} cells hold"
        notes.append(f"{what} over {MOST_BREAKS} line breaks: a quotation mark may be opened and not closed.")
    return rows, notes


def _name_faults(names: Sequence[str]) -> list[str]:
    blank = sum(not name for name in names)
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    told = "has no name; it cannot" if blank == 1 else "have no name; they cannot"
    notes = [f"{blank} of {len(names)} columns {told} be mapped."] if blank else []
    if twice:
        shown = ", ".join(map(repr, twice[:5])) + (" …" if len(twice) > 5 else "")
        notes.append(f"These names stand in the header more than once, so they cannot be mapped: {shown}.")
    return notes


def _sheet_told(source: Source, sheets: Sequence[str]) -> str:
    what = (
        "largest file" if source.packing == "zip" and source.member in sheets else "first worksheet that is filled in"
    )
    return f"the {what} of {len(sheets)}"
