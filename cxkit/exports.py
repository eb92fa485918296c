"""What do a client's files hold? Opens each, checks its columns, and brings its records as texts into the engine."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import ibis
import pandas as pd

from cxkit import containers, delimiters, engine, headings, json_records, text_files, text_rows, workbooks
from cxkit.containers import Source
from cxkit.errors import DataError
from cxkit.mapping import Reading

MOST_FIELDS = 10_000  # of a JSON file, all records together
MOST_REJECTS = 1_000_000
MOST_NAMED = 20  # worksheets or tables in a note


@dataclass(frozen=True)
class Staged:
    """One file's records in the engine: `n` (1 is the first after the header), `row_hash`, then the raw columns.

    rejects: path of a CSV with what was no record (line, error, message, text, breaks; line is the record's number, the
    header's being 1). notes: what is to be said about the file. lacks: mapped columns that none of its records has
    (JSON leaves out what is empty). columns: all that the file has, mapped or not.
    """

    path: str
    records: ibis.Table
    rejects: Path | None
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Entry:
    """One file of one entry of client.yml, on its way in."""

    source: Source
    place: str
    reading: Reading
    names: dict[str, str]
    targets: dict[str, str]
    decimal: str
    stem: Path
    notes: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)


def sha256(path: Path) -> str:
    """A file's fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stage(
    con,
    files: dict[str, Path],
    *,
    place: str,
    reading: Reading,
    names: dict[str, str],
    targets: dict[str, str],
    folder: Path,
    decimal: str = ".",
) -> list[Staged]:
    """Every file of one entry of client.yml as texts in the engine.

    From: `files` (path as client.yml has it -> path), `place` (the entry's key: tables.orders), `reading` (how they are
    to be read), `names` (raw column -> its name in the engine), `targets` (raw column -> the key below `place` that
    names it, for messages), `folder` for temporary Parquet files, `decimal` (the mark that numbers of workbooks and
    JSON become texts with).
    What is left out: empty lines and records of text all of whose cells are blank, which are no records; columns that
    are not mapped (but `row_hash` covers them).
    Raises DataError with all files' faults together: each with file, column, value and the line of client.yml to mend.
    """
    staged, found, entries, sheets = [], {}, [], reading.sheets()
    first: list[str] = []  # the columns of the first of several sheets
    for number, (text, path, sheet) in enumerate((t, p, s) for t, p in files.items() for s in sheets):
        stem, columns = folder / f"{place.replace('.', '-')}-{number}", []
        text = f"{text}, {sheet!r}" if len(sheets) > 1 else text
        try:
            source = containers.look(path, sheet=sheet, beside=sheets)
            entries.append(_Entry(source, place, reading, names, targets, decimal, stem, columns=columns))
            staged.append(_stage_file(con, text, entries[-1]))
        except DataError as error:
            found[text] = str(error)
        first = columns if sheet == sheets[0] else first
        if apart := headings.apart(columns, first, sheet=sheets[0], place=place):
            found[text] = apart
    faults = [f"{called(place)}, file {text}: {told}" for text, told in found.items()]
    if not faults:
        staged, faults = _settle_lacking(staged, entries)
    if faults:
        raise DataError("\n".join(faults))
    return staged


def as_it_lies(
    con, path: Path, *, place: str, reading: Reading, names: dict[str, str], targets: dict[str, str]
) -> tuple[ibis.Table, list[str]] | None:
    """The records of a plain file of text, read when they are asked for (`row_hash` and the raw columns), and all its
    columns; None where the file must be staged. Raises DataError as `stage` does."""
    source = containers.look(path, sheet=None)
    if source.kind != "csv":
        return None
    head = text_files.read_head(source, place=place, reading=reading)
    headings.check(head.names, names=names, place=place, reading=reading, targets=targets)
    if not text_files.ready(source, head, reading=reading):
        return None
    return engine.csv_records(con, path, header=head.names, keep=names, delimiter=reading.delimiter), head.names


def header(path: Path, *, place: str, reading: Reading) -> list[str]:
    """The columns that a file has, in its order (of JSON: the paths of its fields). Raises DataError, naming the file,
    where it cannot be read."""
    try:
        source = containers.look(path, sheet=reading.sheets()[0])
        if source.kind == "csv":
            return text_files.read_head(source, place=place, reading=reading).names
        if source.kind == "jsonl":
            return _fields(source, place=place, reading=reading)
        with TemporaryDirectory(prefix="cxkit-") as folder:
            plain = containers.plain_file(source, Path(folder) / "unpacked")
            if source.kind == "xlsx":
                with workbooks.worksheet(plain, sheet=source.sheet, decimal=".") as (_, rows):
                    return headings.parted(rows, reading.header)[0]
            if source.kind == "duckdb":
                return engine.database_tables(plain)[_table(plain, source.sheet, place)]
            con = engine.connect()
            try:
                return list(engine.parquet_columns(con, plain))
            finally:
                con.disconnect()
    except DataError as error:
        raise DataError(f"{called(place)}, file {path.name}: {error}") from None


def called(place: str) -> str:
    """What an entry of client.yml is called in a message: tables.orders -> table 'orders'."""
    parts = place.split(".")
    if parts[0] != "tables" or len(parts) < 2:
        return place
    return f"table {parts[1]!r}" + (f", {'.'.join(parts[2:])}" if parts[2:] else "")


def _stage_file(con, text: str, entry: _Entry) -> Staged:
    kind = entry.source.kind
    if entry.reading.header != (1,) and kind not in ("csv", "xlsx"):
        raise DataError(f"its columns have their own names. Take {entry.place}.header out of client.yml.")
    entry.notes.extend(entry.source.notes)
    lacks: tuple[str, ...] = ()
    rejects = pd.DataFrame(columns=list(text_files.REJECTS))
    width = 0
    if kind == "csv":
        out, rejects, width = _stage_text(con, entry)
    elif kind == "xlsx":
        out = _stage_workbook(entry)
    elif kind == "jsonl":
        out, rejects, lacks = _stage_json(entry)
    else:
        out = _stage_typed(con, entry)
    staged = engine.read_staged(con, out)
    if width:
        staged, blank = engine.without_blank(con, staged, width=width)
        what = "1 record is" if blank == 1 else f"{blank:,} records are"
        entry.notes.extend([f"{what} blank in every cell: left out, as empty lines are."] if blank else [])
    if rejects.empty and not staged.limit(1).count().execute():
        raise DataError("it has a header but no rows. Ask for the export again.")
    kept = entry.stem.with_suffix(".rejects.csv")
    rejects.to_csv(kept, index=False)
    return Staged(text, staged, kept if len(rejects) else None, tuple(entry.notes), lacks, tuple(entry.columns))


def _check(entry: _Entry, columns: list[str]) -> None:
    entry.columns.extend(columns)
    movable = entry.source.kind in ("csv", "xlsx")
    told = {"place": entry.place, "reading": entry.reading, "targets": entry.targets}
    headings.check(columns, names=entry.names, movable=movable, **told)


def _stage_text(con, entry: _Entry) -> tuple[Path, pd.DataFrame, int]:
    """The staged file, what was no record, and how many columns there are."""
    head = text_files.read_head(entry.source, place=entry.place, reading=entry.reading)
    _check(entry, head.names)
    out, rejects = text_files.stage(
        con, entry.source, head, place=entry.place, reading=entry.reading, keep=entry.names, stem=entry.stem
    )
    found = rejects.message[rejects.error == "TOO MANY COLUMNS"].str.extract(r"Found: (\d+)", expand=False)
    told = delimiters.wider_told(found.dropna().astype(int), width=len(head.names), mark=entry.reading.delimiter)
    entry.notes.extend([told] if told else [])
    return out, rejects, len(head.names)


def _stage_workbook(entry: _Entry) -> Path:
    plain = containers.plain_file(entry.source, entry.stem.with_suffix(".unpacked"))
    out = entry.stem.with_suffix(".parquet")
    with workbooks.worksheet(plain, sheet=entry.source.sheet, decimal=entry.decimal) as (book, rows):
        columns, rows = headings.parted(rows, entry.reading.header)
        _check(entry, columns)
        _tell_others(entry, "worksheets", book["names"], book["chosen"])
        # in the order of the names, so that the order of the columns does not matter
        every = sorted(range(len(columns)), key=lambda i: columns[i])
        taken = [columns.index(raw) for raw in entry.names]
        texts = (("\x1f".join(row[i] or "" for i in every), [row[i] for i in taken]) for row in rows)
        text_rows.write(texts, out, columns=entry.names.values())
    return out


def _stage_json(entry: _Entry) -> tuple[Path, pd.DataFrame, tuple[str, ...]]:
    out = entry.stem.with_suffix(".parquet")
    wanted, found, rejects = json_records.ways(entry.names), set(), []

    def rows() -> Iterator[tuple[str, list[str | None]]]:
        for number, (record, fault) in enumerate(_json(entry.source, entry.place, entry.reading, entry.decimal), 1):
            if record is not None:
                fields = json_records.flat(record, wanted=wanted)
                found.update(fields)
                whole = json.dumps(record, sort_keys=True, ensure_ascii=False)
                yield whole, [fields.get(raw) for raw in entry.names]
                continue
            rejects.append((number + 1, fault, "", "", 0))
            if len(rejects) > MOST_REJECTS:
                raise DataError(f"over {MOST_REJECTS:,} of its records are no JSON. Ask for the export again.")

    count = text_rows.write(rows(), out, columns=entry.names.values())
    if not count:
        raise DataError(
            f"none of its {len(rejects):,} lines is a record of JSON." if rejects else "it holds no records."
        )
    entry.columns.extend(sorted(found)[:MOST_FIELDS])
    lacks = tuple(raw for raw in entry.names if raw not in found)
    return out, pd.DataFrame(rejects, columns=list(text_files.REJECTS)), lacks


def _stage_typed(con, entry: _Entry) -> Path:
    """A Parquet or DuckDB file, which has types of its own."""
    plain = containers.plain_file(entry.source, entry.stem.with_suffix(".unpacked"))
    out = entry.stem.with_suffix(".parquet")
    if entry.source.kind == "duckdb":
        table = _table(plain, entry.source.sheet, entry.place)
        tables = engine.database_tables(plain)
        _check(entry, tables[table])
        _tell_others(entry, "tables", list(tables), table)
        engine.stage_database(plain, table, out, keep=entry.names)
    else:
        _check(entry, list(engine.parquet_columns(con, plain)))
        engine.stage_parquet(con, plain, out, keep=entry.names)
    return out


def _tell_others(entry: _Entry, what: str, names: list[str], chosen: str) -> None:
    """A note of the worksheets or tables that were passed over."""
    read = [name for name in entry.reading.sheets() if name] or [chosen]
    others = [repr(n) for n in names if n not in read]
    if others and chosen == read[0]:
        more = f" and {len(others) - MOST_NAMED:,} more" if len(others) > MOST_NAMED else ""
        shown, were = ", ".join(others[:MOST_NAMED]), "was" if len(read) == 1 else "were"
        entry.notes.append(f"of its {what} only {', '.join(map(repr, read))} {were} read here, not {shown}{more}.")


def _table(path: Path, sheet: str | None, place: str) -> str:
    """The table of a DuckDB file that is meant: the named one, else the only one."""
    tables = list(engine.database_tables(path))
    shown = ", ".join(map(repr, tables[:20])) + (" …" if len(tables) > 20 else "")
    if not tables:
        raise DataError("it holds no tables (views are not read). Ask for the file again.")
    if sheet is not None and sheet not in tables:
        raise DataError(f"it has no table {sheet!r}; it has {shown}. Mend {place}.sheet in client.yml.")
    if sheet is None and len(tables) > 1:
        raise DataError(f"it holds {len(tables)} tables ({shown}). Name the one that is meant: {place}.sheet.")
    return sheet or tables[0]


def _json(source: Source, place: str, reading: Reading, decimal: str = ".") -> Iterator[tuple[dict | None, str]]:
    text = text_files.decoded(containers.pieces(source), place=place, encoding=reading.encoding)
    return json_records.records(text, decimal=decimal)


def _fields(source: Source, *, place: str, reading: Reading) -> list[str]:
    """The paths of a JSON file's fields, in the order of their first record."""
    found: dict[str, None] = {}
    for record, _ in _json(source, place, reading):
        found.update(dict.fromkeys(json_records.flat(record or {})))
        if len(found) > MOST_FIELDS:
            break
    return list(found)


def _settle_lacking(staged: list[Staged], entries: list[_Entry]) -> tuple[list[Staged], list[str]]:
    """JSON leaves out what is empty: a column that another file of the entry has is empty here, and that is told. One
    that no file has is a fault of each."""
    nowhere = [raw for raw in staged[0].lacks if all(raw in s.lacks for s in staged)]
    settled, faults = [], []
    for one, entry in zip(staged, entries, strict=True):
        if nowhere:
            has = _fields(entry.source, place=entry.place, reading=entry.reading)
            told = {"place": entry.place, "reading": entry.reading, "targets": entry.targets}
            try:
                headings.check(has, names=nowhere, movable=False, **told)
            except DataError as error:
                faults.append(f"{called(entry.place)}, file {one.path}: {error}")
        empty = [raw for raw in one.lacks if raw not in nowhere]
        note = f"none of its records has {', '.join(map(repr, empty))}; left empty."
        settled.append(replace(one, notes=(*one.notes, note)) if empty else one)
    return settled, faults
