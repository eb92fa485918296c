"""What does a client's file hold, record by record? Its cells as texts, whatever its kind, for a look at it."""

import codecs
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from cxkit import containers, delimiters, engine
from cxkit.containers import Source
from cxkit.errors import DataError

FIELDS_FROM = 100_000  # records of JSON that its columns are gathered from
BATCH = 10_000


def look(path: Path, *, sheet: str | None = None) -> tuple[Source, tuple[str, ...]]:
    """The data file that a path leads to, and what else a .zip holds: the largest is taken where none is asked for."""
    if path.suffix.lower() != ".zip":
        return containers.look(path, sheet=sheet), ()
    members = _members(path)
    chosen = sheet or (members[0] if len(members) > 1 else None)
    return containers.look(path, sheet=chosen), tuple(members)


def _members(path: Path) -> list[str]:
    """The data files of a .zip, the largest first; none where it cannot be opened (`containers.look` tells why)."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [m for m in archive.infolist() if not m.is_dir() and containers.kind_of(m.filename)]
    except (OSError, zipfile.BadZipFile, ValueError):
        return []
    found = [m for m in found if not containers.is_hidden(m.filename)]
    return [m.filename for m in sorted(found, key=lambda m: (-m.file_size, m.filename))]


@contextmanager
def opened(
    source: Source, *, encoding: str = "utf-8", delimiter: str = ",", fields: Sequence[str] = ()
) -> Iterator[tuple[dict, Iterator[list[str]]]]:
    """What is known of a file before its records (names: its columns, where the kind has them; sheets; chosen), and
    its records as texts, "" for a blank.

    Text and worksheets give every record that is not empty, the header's too; other kinds the records alone. From:
    `fields`, those of JSON where they are known already.
    """
    if source.kind == "csv":
        yield {}, delimiters.read_records(delimiters.lines_of(decoded(source, encoding)), delimiter)
    elif source.kind == "xlsx":
        from cxkit import workbooks

        with _plain(source) as path, workbooks.worksheet(path, sheet=source.sheet, decimal=".") as (book, rows):
            yield {"sheets": book["names"], "chosen": book["chosen"]}, ([c or "" for c in row] for row in rows)
    elif source.kind == "jsonl":
        names = list(fields) or _fields(source, encoding)
        yield {"names": names}, _json_rows(source, encoding, names)
    elif source.kind == "parquet":
        with _plain(source) as path, _parquet(path) as (file, names):
            yield {"names": names}, _parquet_rows(file)
    else:
        with _plain(source) as path, tempfile.TemporaryDirectory(prefix="cxkit-") as folder:
            tables = engine.database_tables(path)
            if not tables or source.sheet not in (None, *tables):
                there = f"{source.sheet!r}; it has {', '.join(map(repr, tables))}. Mend sheet in client.yml."
                raise DataError(f"it has no table {there if tables else 'at all.'}")
            chosen = source.sheet or next(iter(tables))
            out = Path(folder) / "table.parquet"
            engine.stage_database(path, chosen, out, keep={c: f"r{i}" for i, c in enumerate(tables[chosen])})
            with _parquet(out) as (file, staged):
                known = {"names": tables[chosen], "sheets": list(tables), "chosen": chosen}
                yield known, _parquet_rows(file, staged.index("r0") if tables[chosen] else 0)


def decoded(source: Source, encoding: str) -> Iterator[str]:
    """A file's text in pieces; what the encoding does not know is marked by U+FFFD."""
    name = "utf-8-sig" if encoding == "utf-8" else encoding
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    for piece in containers.pieces(source):
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


@contextmanager
def _plain(source: Source) -> Iterator[Path]:
    """The file unpacked, for as long as it is looked at."""
    if not source.packing:
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="cxkit-") as folder:
        yield containers.plain_file(source, Path(folder) / Path(source.name).name)


def _json(source: Source, encoding: str) -> Iterator[dict[str, str]]:
    from cxkit import json_records

    for record, _ in json_records.records(decoded(source, encoding)):
        if record is not None:
            yield {path: text or "" for path, text in json_records.flat(record).items()}


def _fields(source: Source, encoding: str) -> list[str]:
    found: dict[str, None] = {}
    for record in islice(_json(source, encoding), FIELDS_FROM):
        found.update(dict.fromkeys(record))
    return list(found)


def _json_rows(source: Source, encoding: str, names: list[str]) -> Iterator[list[str]]:
    for record in _json(source, encoding):
        yield [record.get(name, "") for name in names]


@contextmanager
def _parquet(path: Path) -> Iterator[tuple[Any, list[str]]]:
    """A Parquet file, opened, and its columns' names."""
    import pyarrow.parquet as pq

    with _damage():
        file = pq.ParquetFile(path)
        names = list(file.schema_arrow.names)
    with file:
        yield file, names


@contextmanager
def _damage() -> Iterator[None]:
    """What is told of a Parquet file whose bytes do not hold what they say."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        told = next(iter(str(error).splitlines()), "")[:200]
        raise DataError(
            f"it cannot be read as Parquet; its bytes are damaged: {told}. Ask for the file again."
        ) from None


def _parquet_rows(file: Any, first: int = 0) -> Iterator[list[str]]:
    """The records of a Parquet file, from its `first` column on."""
    with _damage():
        batches = file.iter_batches(BATCH)
    while True:
        with _damage():
            batch = next(batches, None)
            columns = [[_text(v) for v in column.to_pylist()] for column in batch.columns[first:]] if batch else []
        if batch is None:
            return
        yield from ([*row] for row in zip(*columns, strict=True))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)
