"""Can a file be read in one go? A large plain file that needs no second look becomes its canonical table at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path

import ibis
import numpy as np
from ibis.expr.types import BooleanValue, Table

from cxkit import cell_ends, columns, engine, exports, rules_met
from cxkit.client import Client
from cxkit.columns import Read
from cxkit.errors import DataError, RunError
from cxkit.mapping import Export
from cxkit.tables import TABLES
from cxkit.tables import Table as Canonical

LEAST_BYTES = 50_000_000  # a smaller file is read in a few seconds whichever way
GROUP_ROWS = 250_000  # of the canonical file: what is held at a time
# the longer a column's list of different values grows, the less it saves: ids are written as they are
_PARQUET = {"compression": "zstd", "dictionary_pagesize_limit": 1 << 19, "store_schema": False}


@dataclass(frozen=True)
class Whole:
    """A table read in one go. path: its canonical file. rows: the same as `columns.read` leaves rows, none with a
    fault. read: the checks that they passed. met: as `rules_met.met`. left: the file's columns that nothing names."""

    path: Path
    rows: Table
    read: Read
    met: dict[str, dict[str, int]]
    left: list[str]


def may(client: Client, table: str) -> bool:
    """Whether a table's rows follow each from its own record: one large file, nothing joined, shared out or asked, no
    rule that leaves records out, no free text, no key that stands once."""
    export, canonical = client.tables[table], TABLES[table]
    files = list(client.files(table).values())
    by_rule = export.keep_only or export.leave_out or export.not_goods
    several = export.join or export.once_per_order or export.questions or export.sheet or client.persons
    return (
        len(files) == 1
        and files[0].stat().st_size >= LEAST_BYTES
        and not (by_rule or several or canonical.unique)
        and all(isinstance(source, str) for source in export.columns.values())
        and not any(canonical.columns[name].free_text for name in export.columns)
    )


def read(
    con,
    client: Client,
    table: str,
    *,
    as_of: date | None,
    people: dict[str, Callable[[list[str]], list[str]]],
    path: Path,
) -> Whole | None:
    """Reads a table's file once and writes its canonical table to `path`; None where the door must look again.

    From: `as_of`, the last day, where it is set; `people`, columns of customers -> what makes their pseudonyms.
    What needs a second look: a record that the reader, or any check, refuses; a value left empty as it cannot be read;
    a return; a row after `as_of`; a blank record; one that another repeats; a file that must be written anew first.
    """
    export, canonical = client.tables[table], TABLES[table]
    names = columns.raw_names(export)
    (file,) = client.files(table).values()
    try:
        told = {"place": f"tables.{table}", "targets": columns.mapped_to(export)}
        found = exports.as_it_lies(con, file, reading=export, names=names, **told)
        if found is None:
            return None
        records, header = found
        flags = rules_met.flags(records, table=canonical, export=export, names=names)
        rows = _rows(records, flags.values(), canonical, export, client, names)
        odd = _odd(rows.rows, rows, as_of) | engine.is_blank(con, rows.rows.tie, width=len(header))
        ends = dict.fromkeys(_texts(canonical, export), cell_ends.trimmed)
        counts = _write(con, rows.rows, odd, canonical, ends, people, path)
        if counts is None or len(engine.csv_rejects(con)):
            return None
    except DataError:
        return None  # the long way tells what is wrong, and where
    met = rules_met.counts_by_rule(flags, counts)
    return Whole(path, _as_read(con, path, rows, canonical), rows, met, sorted({c for c in header if c} - set(names)))


def _rows(
    records: Table, flags: Iterable[BooleanValue], canonical: Canonical, export: Export, client: Client, names: dict
) -> Read:
    """The records as `columns.read` reads them, with the flags beside them as met_0, met_1, …; texts as they stand."""
    whole = records.mutate(
        line=ibis.literal(0, type="int64"),
        part=ibis.literal(0),
        is_duplicate=ibis.literal(False),
        **{f"met_{i}": flag for i, flag in enumerate(flags)},
    )
    as_they_are = [*_texts(canonical, export), *_figures(canonical, export)]
    return columns.read(whole, table=canonical, export=export, client=client, names=names, as_they_are=as_they_are)


def _texts(canonical: Canonical, export: Export) -> list[str]:
    """The columns of texts that are trimmed after the engine: nothing that it does with them asks what their ends are.
    What is left out: those in which client.yml names words, or what stands before or after them."""
    named = {*export.values, *export.strip_prefix, *export.strip_suffix, *(["order_id"] if export.returns else [])}
    columns_ = [canonical.columns[name] for name in export.columns if name not in named]
    return [c.name for c in columns_ if c.type == "text" and not c.valid]


def _figures(canonical: Canonical, export: Export) -> list[str]:
    """The numbers and times, which are read with blanks around them as without, or else are odd."""
    named = {*export.values, *export.strip_prefix, *export.strip_suffix}
    kinds = ("money", "number", "integer", "time", "date")
    return [name for name in export.columns if name not in named and canonical.columns[name].type in kinds]


def _odd(rows: Table, read: Read, as_of: date | None) -> BooleanValue:
    """Which rows are no plain ones."""
    late = (rows.day > ibis.literal(as_of)).fill_null(False) if as_of else ibis.literal(False)
    return reduce(
        or_, [rows[f"not_read_{name}"] for name in read.not_read], rows.fault.notnull() | rows.is_return | late
    )


def _write(
    con, rows: Table, odd: BooleanValue, canonical: Canonical, ends: dict, people: dict, path: Path
) -> list[int] | None:
    """The canonical columns into a Parquet file. From: `ends` and `people`, columns -> what makes of their texts what
    is written. To: how many records each flag meets; None where a row is odd or repeats another, or there is none."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    kept = [name for name in canonical.columns if name in rows.columns]
    needed = {name for name in ends if canonical.columns[name].required or name in canonical.one_of}
    flags = [name for name in rows.columns if name.startswith("met_")]
    counts, ties, writer = np.zeros(len(flags), dtype=int), [], None
    try:
        # written by a thread beside, so that the engine's own go on meanwhile
        with ThreadPoolExecutor(1) as beside:
            written: list[Future] = []
            for batch in engine.batches(con, rows.select(*kept, *flags, "tie", odd=odd), rows=GROUP_ROWS):
                if pc.any(batch["odd"]).as_py():
                    return None
                counts += np.array([pc.sum(batch[name]).as_py() or 0 for name in flags], dtype=int)
                ties.append(batch["tie"].to_numpy())
                batch = batch.select(kept)
                writer = writer or pq.ParquetWriter(path, batch.schema, **_PARQUET)
                if written and not written.pop().result():
                    return None
                written.append(beside.submit(_put, writer, batch, ends, needed, people))
            if written and not written.pop().result():
                return None
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}. Free the disk.") from None
    finally:
        if writer:
            writer.close()
    return counts.tolist() if ties and not _repeated(np.concatenate(ties)) else None


def _put(writer, batch, ends: dict, needed: set[str], people: dict[str, Callable[[list[str]], list[str]]]) -> bool:
    """A batch into the file, its texts trimmed, its customers as pseudonyms; False where a needed text is blank."""
    batch = batch.combine_chunks()  # pages end where pieces end, and how these lie the threads decide
    for place, name in enumerate(batch.column_names):
        if name in ends:
            trimmed = ends[name](batch[name].chunk(0))
            if name in needed and trimmed.null_count > batch[name].null_count:
                return False
            batch = batch.set_column(place, name, trimmed)
        if name in people:
            batch = batch.set_column(place, name, engine.answered(people[name], batch[name]))
    writer.write_table(batch)
    return True


def _repeated(numbers: np.ndarray) -> bool:
    numbers.sort()
    return bool((numbers[1:] == numbers[:-1]).any())


def _as_read(con, path: Path, read: Read, canonical: Canonical) -> Table:
    """The canonical file's rows with what `columns.read` has beside the columns, of which every row's is the same."""
    rows = engine.read_staged(con, path)
    nothing = {"fault": "int16", "value": "string"}
    return rows.rename(line="n").mutate(
        part=ibis.literal(0),
        **{name: ibis.null(kind) for name, kind in nothing.items()},
        day=rows[canonical.day] if canonical.day in rows.columns else ibis.null("date"),
        is_return=ibis.literal(False),
        **{f"not_read_{name}": ibis.literal(False) for name in read.not_read},
    )
