"""What do a client's files hold? Opens each, checks its header, and brings its records as texts into the engine."""

import codecs
import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO

import ibis
import pandas as pd

from cxkit import engine
from cxkit.errors import DataError
from cxkit.mapping import Export, raw_of

CHUNK = 1 << 20
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
REJECTS = ("line", "error", "message", "text", "breaks")
UNCLOSED = "a quotation mark is opened and not closed"
_ENCODINGS = "cp1251 for Cyrillic, cp1250 for Polish, cp1252 or latin-1 for Western European"


@dataclass(frozen=True)
class Staged:
    """One file's records in the engine: `n` (1 is the first after the header), `row_hash`, then the raw columns.

    rejects: path of a CSV with what was no record of the header's width (line, error, message, text, breaks).
    """

    path: str
    records: ibis.Table
    rejects: Path | None


def sha256(path: Path) -> str:
    """A file's fingerprint."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stage(
    con, files: dict[str, Path], *, table: str, export: Export, names: dict[str, str], folder: Path
) -> list[Staged]:
    """Every file of a table's export as texts in the engine.

    From: `files` (path as client.yml has it -> path), `names` (raw column -> its name in the engine), `folder` for
    temporary Parquet files.
    What is left out: empty lines, which are no records; columns that are not mapped (but `row_hash` covers them).
    Raises DataError with all files' faults together: each with file, column, value and the line of client.yml to mend.
    """
    staged, faults = [], []
    for number, (text, path) in enumerate(files.items()):
        try:
            stem = folder / f"{table}-{number}"
            staged.append(_stage_file(con, text, path, table=table, export=export, names=names, stem=stem))
        except DataError as error:
            faults.append(f"table {table!r}, file {text}: {error}")
    if faults:
        raise DataError("\n".join(faults))
    return staged


def _stage_file(con, text: str, path: Path, *, table: str, export: Export, names: dict, stem: Path) -> Staged:
    if path.suffix.lower() in (".parquet", ".pq"):
        columns = list(engine.parquet_columns(con, path))
        _check_columns(columns, table=table, export=export, names=names)
        records = engine.read_export_parquet(con, path, keep=names)
        if not records.limit(1).count().execute():
            raise DataError("it has columns but no rows. Ask for the export again.")
        return Staged(text, records, None)
    if not re.search(r"\.(csv|tsv|txt)(\.gz)?$", path.name, re.IGNORECASE):
        raise DataError("this format is not read; valid are .csv, .tsv, .txt (also .gz) and .parquet.")
    header = _read_header(path, table=table, export=export)
    _check_columns(header, table=table, export=export, names=names)
    out, rejects = stem.with_suffix(".parquet"), _stage_text(con, path, header, names, table, export, stem)
    _check_quotes(rejects)
    records = engine.read_parquet(con, out)
    if rejects.empty and not records.limit(1).count().execute():
        raise DataError("it has a header but no rows. Ask for the export again.")
    kept = stem.with_suffix(".rejects.csv")
    rejects.to_csv(kept, index=False)
    return Staged(text, records, kept if len(rejects) else None)


def _stage_text(
    con, path: Path, header: list[str], names: dict, table: str, export: Export, stem: Path
) -> pd.DataFrame:
    """The engine reads UTF-8 with one kind of line end; what is anything else is written anew first."""
    source = path
    if not _is_utf8(export.encoding):
        source = stem.with_suffix(".utf8.csv")
        with _opened(path) as raw, source.open("w", encoding="utf-8", newline="") as out:
            for piece in _decoded(raw, table=table, encoding=export.encoding):
                out.write(piece)
    out = stem.with_suffix(".parquet")
    options = {"header": header, "keep": names, "delimiter": export.delimiter}
    try:
        rejects = engine.stage_csv(con, source, out, **options)
        if (rejects.error == "INVALID ENCODING").any():
            with _opened(path) as raw:
                for _ in _decoded(raw, table=table, encoding=export.encoding):
                    pass
        if rejects.empty or not _has_blank_lines(source):
            return rejects
    except engine.Unparsable:
        pass
    # line ends of several kinds, or rejects whose place empty lines blur: read record by record
    plain = stem.with_suffix(".plain.csv")
    rejects = _rewrite(source, plain, table=table, delimiter=export.delimiter, width=len(header))
    engine.stage_csv(con, plain, out, **{**options, "delimiter": ","})
    return rejects


def _rewrite(path: Path, out: Path, *, table: str, delimiter: str, width: int) -> pd.DataFrame:
    """A CSV in one dialect, without empty lines and without the records that have not the header's width."""
    rejects: list[tuple] = []
    line = 0
    with _opened(path) as raw, out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        reader = csv.reader(_lines(raw, table=table), delimiter=delimiter, strict=True)
        csv.field_size_limit(engine.LONGEST_RECORD)
        while True:
            before = reader.line_num
            try:
                record = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                line += 1
                unclosed = "unexpected end of data" in str(error)
                kind = "UNQUOTED VALUE" if unclosed or "expected after" in str(error) else "LINE SIZE OVER MAXIMUM"
                breaks = reader.line_num - before - 1 if unclosed else 0
                rejects.append((line, kind, str(error), "", breaks))
                continue
            if not record:
                continue
            line += 1
            if len(record) == width:
                writer.writerow(record)
            else:
                kind = "MISSING COLUMNS" if len(record) < width else "TOO MANY COLUMNS"
                message = f"Expected Number of Columns: {width} Found: {len(record)}"
                rejects.append((line, kind, message, delimiter.join(record)[:500], 0))
    return pd.DataFrame(rejects, columns=list(REJECTS))


def _lines(raw: IO[bytes], *, table: str) -> Iterator[str]:
    """Physical lines with their ends, of any kind; a line longer than a record may be comes in pieces."""
    rest = ""
    for piece in _decoded(raw, table=table, encoding="utf-8"):
        lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", rest + piece)
        rest = lines.pop()
        if rest == "" and lines and lines[-1].endswith("\r"):
            rest = lines.pop()  # its line feed may begin the next piece
        yield from lines
        if len(rest) > 2 * engine.LONGEST_RECORD:
            raise DataError(f"a line is longer than {engine.LONGEST_RECORD:,} characters; this is no table of text.")
    if rest:
        yield rest


def _read_header(path: Path, *, table: str, export: Export) -> list[str]:
    """The first record's cells, trimmed."""
    with _opened(path) as raw:
        start = b""
        for piece in iter(lambda: raw.read(CHUNK), b""):
            start += piece
            if len(start) > 4 * CHUNK or b"\n" in piece or b"\r" in piece:
                break
    if not start.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise DataError("it is empty. Ask for the export again.")
    decoder = codecs.getincrementaldecoder(_codec(export.encoding))()
    try:
        text = decoder.decode(start)
    except UnicodeDecodeError as error:
        raise _bad_bytes(start[error.start : error.start + 1], error.start, table, export.encoding) from None
    try:
        first = re.split(r"\r\n|\r|\n", text.lstrip("\r\n"), maxsplit=1)[0]
        if first.count('"') % 2:  # a header cell with a line break in it
            first = text.lstrip("\r\n")
        header = next(csv.reader(first.splitlines(keepends=True), delimiter=export.delimiter), [])
    except csv.Error as error:
        raise DataError(f"its header cannot be read: {error}.") from None
    return [cell.strip() for cell in header]


def _check_columns(header: list[str], *, table: str, export: Export, names: dict[str, str]) -> None:
    """Every mapped column stands in the header, once."""
    lacking = [raw for raw in names if raw not in header]
    if lacking and len(header) == 1:
        counts = {d: header[0].count(d) for d in DELIMITERS if d != export.delimiter}
        likely = max(counts, key=lambda d: counts[d])
        if counts[likely]:
            shown = "\\t" if likely == "\t" else likely
            raise DataError(
                f"its header is one column ({header[0][:80]!r}) with the delimiter {export.delimiter!r}; it looks as if"
                f' {DELIMITERS[likely]} parts the cells. Write tables.{table}.delimiter: "{shown}" in client.yml.'
            )
    targets = mapped_to(export)
    faults = []
    for raw in lacking:
        folded = {h.casefold(): h for h in header if h}
        near = get_close_matches(raw.casefold(), list(folded), n=1, cutoff=0.6)
        hint = f", did you mean {folded[near[0]]!r}?" if near else "."
        faults.append(f"no column {raw!r}{hint} It is mapped under tables.{table}.{targets[raw]} in client.yml.")
    for raw in names:
        if header.count(raw) > 1:
            faults.append(
                f"the column {raw!r} stands in the header {header.count(raw)} times, so nobody can tell which one is"
                f" meant under tables.{table}.{targets[raw]}; rename one in the file."
            )
    if faults:
        blank = sum(1 for h in header if not h)
        shown = ", ".join(repr(h) for h in header[:30] if h) + (" …" if len(header) > 30 else "")
        nameless = f" and {blank} without a name" if blank else ""
        raise DataError(" ".join(faults) + f" The header has {shown or 'no named column'}{nameless}.")


def mapped_to(export: Export) -> dict[str, str]:
    """Raw column -> the key of client.yml that names it."""
    targets: dict[str, str] = {}
    for name, source in export.columns.items():
        for raw in raw_of(source):
            targets.setdefault(raw, f"columns.{name}")
    if export.currency_column:
        targets.setdefault(export.currency_column, "currency_column")
    return targets


def _check_quotes(rejects: pd.DataFrame) -> None:
    """A quotation mark that is never closed swallows the records after it: nothing after it can be trusted."""
    swallowing = rejects[(rejects.breaks > 0) & rejects.error.isin(["UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM"])]
    if len(swallowing):
        first = swallowing.iloc[0]
        raise DataError(
            f"in record {int(first.line) - 1} {UNCLOSED}; it swallows at least {int(first.breaks)} lines after it."
            " Mend the record, or export again with quotation marks inside cells doubled."
        )


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _codec(encoding: str) -> str:
    return "utf-8-sig" if _is_utf8(encoding) else encoding


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's bytes, unpacked. Raises DataError where it cannot be unpacked or read."""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"it cannot be unpacked: {error}. Ask for the file again.") from None
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror or error}.") from None


def _decoded(raw: IO[bytes], *, table: str, encoding: str) -> Iterator[str]:
    """A file's text in pieces. Raises DataError at the first byte that the encoding does not know."""
    decoder = codecs.getincrementaldecoder(_codec(encoding))()
    done = 0
    for piece in iter(lambda: raw.read(CHUNK), b""):
        waiting = len(decoder.getstate()[0])
        try:
            yield decoder.decode(piece)
        except UnicodeDecodeError as error:
            raise _bad_bytes(
                error.object[error.start : error.end], done - waiting + error.start, table, encoding
            ) from None
        done += len(piece)
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _bad_bytes(error.object[error.start : error.end], done, table, encoding) from None


def _bad_bytes(found: bytes, place: int, table: str, encoding: str) -> DataError:
    return DataError(
        f"byte {place:,} (0x{found[:1].hex()}) is not {encoding}. Write the file's own encoding under"
        f" tables.{table}.encoding in client.yml: often {_ENCODINGS}."
    )


def _has_blank_lines(path: Path) -> bool:
    """Whether an empty line may stand in the file (a line break in a cell followed by another counts too)."""
    last = b"\n"
    with _opened(path) as raw:
        for piece in iter(lambda: raw.read(CHUNK), b""):
            if re.search(rb"\n\r?\n|\r\r", last + piece):
                return True
            last = piece[-2:]
    return False
