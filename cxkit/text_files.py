"""What does a file of delimited text hold? Decodes it, finds its header, brings its records into the engine."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cxkit import containers, engine, headings
from cxkit.containers import CHUNK, Source
from cxkit.errors import DataError
from cxkit.mapping import Reading

REJECTS = ("line", "error", "message", "text", "breaks")
UNCLOSED = "a quotation mark is opened and not closed"
_ENCODINGS = "cp1251 for Cyrillic, cp1250 for Polish, cp1252 or latin-1 for Western European"


@dataclass(frozen=True)
class Head:
    """The columns' names. starts: the character at which the records begin; plain: the header is the first line, as
    the engine takes it for granted; end: how its line ends."""

    names: list[str]
    starts: int
    plain: bool
    end: str


def read_head(source: Source, *, place: str, reading: Reading) -> Head:
    """The header of a text file. Raises DataError where there is none, or the text is no text."""
    if reading.delimiter in '"\r\n\x00':
        raise DataError(f"{reading.delimiter!r} cannot part cells. Write another {place}.delimiter in client.yml.")
    taken, first, last = 0, None, ""

    def fed() -> Iterator[str]:
        nonlocal taken, first, last
        for last in lines(decoded(containers.pieces(source), place=place, encoding=reading.encoding)):
            taken += len(last)
            first = last if first is None else first
            yield last

    csv.field_size_limit(engine.LONGEST_RECORD)
    try:
        records = (row for row in csv.reader(fed(), delimiter=reading.delimiter) if row)
        names, _ = headings.parted(records, reading.header)
    except csv.Error as error:
        raise DataError(f"its header cannot be read: {error}.") from None
    nameless = reading.header == (0,)
    end = re.search(r"[\r\n]*$", last)[0] or "\n"
    plain = reading.header == (1,) and bool(first and first.strip("\r\n"))
    return Head(names, 0 if nameless else taken, plain, end)


def ready(source: Source, head: Head, *, reading: Reading) -> bool:
    """Whether the engine may read a text file as it lies there, or it must be written anew first."""
    return not (source.packing or not head.plain or not _is_utf8(reading.encoding) or _has_endless_line(source.path))


def stage(
    con, source: Source, head: Head, *, place: str, reading: Reading, keep: dict[str, str], stem: Path
) -> tuple[Path, pd.DataFrame]:
    """A text file's records in a Parquet file, and what was no record of the header's width (`engine.stage_csv`).

    The engine reads UTF-8 with a header in the first line and one kind of line end; what is otherwise is written anew
    first. Raises DataError where a quotation mark is never closed.
    """
    path = source.path
    if source.packing or not head.plain or not _is_utf8(reading.encoding):
        path = stem.with_suffix(".utf8.csv")
        _recode(source, path, head, place=place, reading=reading)
    out = stem.with_suffix(".parquet")
    options = {"header": head.names, "keep": keep, "delimiter": reading.delimiter}
    rejects = None
    try:
        if _has_endless_line(path):
            raise engine.Unparsable
        found = engine.stage_csv(con, path, out, **options)
        if (found.error == "INVALID ENCODING").any():
            for _ in decoded(containers.pieces(source), place=place, encoding=reading.encoding):
                pass
        if found.empty or not (_has_blank_lines(path) or _may_have_swallowed(found, path)):
            rejects = found
    except engine.Unparsable:
        pass
    if rejects is None:
        # line ends of several kinds, a line without an end, or rejects whose place empty lines blur: record by record
        plain = stem.with_suffix(".plain.csv")
        rejects = _rewrite(path, plain, place=place, delimiter=reading.delimiter, width=len(head.names))
        engine.stage_csv(con, plain, out, **{**options, "delimiter": ","})
    _check_quotes(rejects)
    return out, rejects


def decoded(pieces: Iterable[bytes], *, place: str, encoding: str) -> Iterator[str]:
    """A file's text in pieces. Raises DataError at the first byte that the encoding does not know."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if _is_utf8(encoding) else encoding)()
    done = 0
    for piece in pieces:
        waiting = len(decoder.getstate()[0])
        if not done:
            _check_zeros(piece[:CHUNK], place=place, encoding=encoding)
        try:
            yield decoder.decode(piece)
        except UnicodeDecodeError as error:
            at = done - waiting + error.start
            raise _bad_bytes(error.object[error.start : error.end], at, place, encoding) from None
        except UnicodeError as error:
            raise DataError(f"it is not {encoding}: {error}. Mend {place}.encoding in client.yml.") from None
        done += len(piece)
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _bad_bytes(error.object[error.start : error.end], done, place, encoding) from None
    except UnicodeError as error:
        raise DataError(f"it is not {encoding}: {error}. Mend {place}.encoding in client.yml.") from None


def lines(text: Iterable[str]) -> Iterator[str]:
    """Physical lines with their ends, of any kind. Raises DataError at a line that no record can be so long as."""
    rest, number = "", 0
    for piece in text:
        found = re.split(r"(?<=\n)|(?<=\r)(?!\n)", rest + piece)
        rest = found.pop()
        if rest == "" and found and found[-1].endswith("\r"):
            rest = found.pop()  # its line feed may begin the next piece
        yield from found
        number += len(found)
        if len(rest) > 2 * engine.LONGEST_RECORD:
            longest = f"{engine.LONGEST_RECORD:,} characters"
            raise DataError(
                f"line {number + 1:,} is longer than {longest}; it is no table of text, or a field is broken."
            )
    if rest:
        yield rest


def _recode(source: Source, out: Path, head: Head, *, place: str, reading: Reading) -> None:
    """The text as UTF-8, unpacked, with a header in its first line."""
    skip = 0 if head.plain else head.starts
    with out.open("w", encoding="utf-8", errors="replace", newline="") as file:
        if not head.plain:
            file.write(reading.delimiter.join(["y" if reading.delimiter == "x" else "x"] * len(head.names)) + head.end)
        for piece in decoded(containers.pieces(source), place=place, encoding=reading.encoding):
            file.write(piece[skip:])
            skip -= min(skip, len(piece))


def _rewrite(path: Path, out: Path, *, place: str, delimiter: str, width: int) -> pd.DataFrame:
    """A CSV in one dialect, without empty lines and without the records that have not the header's width."""
    rejects: list[tuple] = []
    line = 0
    with path.open("rb") as raw, out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        text = decoded(iter(lambda: raw.read(CHUNK), b""), place=place, encoding="utf-8")
        reader = csv.reader(lines(text), delimiter=delimiter, strict=True)
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
                breaks = max(0, reader.line_num - before - 1)
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


def _check_quotes(rejects: pd.DataFrame) -> None:
    """A quotation mark that is never closed swallows the records after it: nothing after it can be trusted."""
    swallowing = rejects[(rejects.breaks > 0) & rejects.error.isin(["UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM"])]
    if len(swallowing):
        first = swallowing.iloc[0]
        raise DataError(
            f"in record {int(first.line) - 1} {UNCLOSED}; it swallows at least {int(first.breaks)} lines after it."
            " Mend the record, or export again with quotation marks inside cells doubled."
        )


def _may_have_swallowed(rejects: pd.DataFrame, path: Path) -> bool:
    """Whether a quotation mark that is not closed may have taken more lines than the engine's buffer holds: of these
    it says nothing."""
    torn = rejects.error.isin(["UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM"]) & (rejects.breaks == 0)
    return bool(torn.any()) and path.stat().st_size > 2 * engine.LONGEST_RECORD


def _is_utf8(encoding: str) -> bool:
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def _check_zeros(start: bytes, *, place: str, encoding: str) -> None:
    """Bytes of zero by the dozen are UTF-16 under another name, or no text at all."""
    name = codecs.lookup(encoding).name
    if name.startswith(("utf-16", "utf-32")) or start.count(0) <= len(start) // 20:
        return
    likely = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    if not likely and max(start[0::2].count(0), start[1::2].count(0)) > 0.9 * start.count(0):
        likely = "utf-16-le" if start[1::2].count(0) > start[0::2].count(0) else "utf-16-be"
    if likely:
        raise DataError(f"it looks like {likely}, not {encoding}. Write {place}.encoding: {likely} in client.yml.")
    raise DataError("it is full of zero bytes, so it is no text, whatever its name says. Ask for the export again.")


def _bad_bytes(found: bytes, where: int, place: str, encoding: str) -> DataError:
    return DataError(
        f"byte {where:,} (0x{found[:1].hex()}) is not {encoding}. Write the file's own encoding under"
        f" {place}.encoding in client.yml: often {_ENCODINGS}."
    )


def _has_blank_lines(path: Path) -> bool:
    """Whether an empty line may stand in the file (a line break in a cell followed by another counts too)."""
    last = b"\n"
    with path.open("rb") as raw:
        for piece in iter(lambda: raw.read(CHUNK), b""):
            if re.search(rb"\n\r?\n|\r\r", last + piece):
                return True
            last = piece[-2:]
    return False


def _has_endless_line(path: Path) -> bool:
    """Whether some line is longer than five megabytes: the engine passes over one that its buffer does not hold,
    without a word. A megabyte of every four is looked at."""
    with path.open("rb") as raw:
        for start in range(0, path.stat().st_size, 4 * CHUNK):
            raw.seek(start)
            piece = raw.read(CHUNK)
            if len(piece) == CHUNK and b"\n" not in piece and b"\r" not in piece:
                return True
    return False
