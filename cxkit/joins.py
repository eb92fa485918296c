"""Which other file's columns stand beside a record? Files joined to a table's own: the first record with its key."""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path

from ibis.expr.types import StringValue, Table, Value

from cxkit import columns, engine, exports, numerals, refused
from cxkit.client import Client
from cxkit.errors import DataError
from cxkit.exports import Staged
from cxkit.mapping import Export


@dataclass(frozen=True)
class Other:
    """A joined file. on: the raw column that names its records; key: what its own is called in the engine; taken: the
    raw columns it gives -> their names in the engine."""

    staged: Staged
    on: str
    key: str
    taken: dict[str, str]


def stage(con, client: Client, table: str, *, names: dict[str, str], folder: Path) -> tuple[list[Staged], list[Other]]:
    """A table's own files and the joined ones as texts in the engine.

    A raw column is looked for in the own files first, then in the joined ones in their order; what is nowhere is told
    as lacking in the own.
    Raises DataError with the faults of all these files together.
    """
    export, place = client.tables[table], f"tables.{table}"
    targets = columns.mapped_to(export)
    homes = _homes(client, table, names)
    faults: list[str] = []
    others: list[Other] = []
    own = []
    try:
        wanted = {raw: name for raw, name in names.items() if homes.get(raw, -1) < 0}
        files = client.files(table)
        told = {"targets": targets, "folder": folder, "decimal": export.decimal}
        own = exports.stage(con, files, place=place, reading=export, names=wanted, **told)
    except DataError as error:
        faults.append(str(error))
    for i, ((text, path), join) in enumerate(zip(_joined(client, table), export.join, strict=True)):
        if homes.get(join.on, -1) >= i:
            there = ", ".join([*export.path, *[j.path for j in export.join[:i]]])
            faults.append(f"{place}.join.{i}.on: no column {join.on!r} in {there}; it stands in a file joined later.")
            continue
        taken = {raw: name for raw, name in names.items() if homes.get(raw) == i}
        key = join.key or join.on
        wanted = {**taken, key: taken.get(key, f"key{i}")}
        told = {**targets, key: "key" if join.key else "on"}
        try:
            (staged,) = exports.stage(
                con,
                {text: path},
                place=f"{place}.join.{i}",
                reading=join,
                names=wanted,
                targets=told,
                folder=folder,
                decimal=export.decimal,
            )
            others.append(Other(staged, join.on, wanted[key], taken))
        except DataError as error:  # what is mapped is mapped under the table, wherever it stands
            faults.append(str(error).replace(f"{place}.join.{i}.columns.", f"{place}.columns."))
    if faults:
        raise DataError("\n".join(faults))
    return own, others


def _joined(client: Client, table: str) -> list[tuple[str, Path]]:
    """The joined files; the same one may be joined twice by different keys."""
    found = client.joined(table)
    return [(j.path, found[j.path]) for j in client.tables[table].join]


def _homes(client: Client, table: str, names: dict[str, str]) -> dict[str, int]:
    """Where each raw column stands: -1 in the table's own files, else the number of the joined file."""
    export: Export = client.tables[table]
    if not export.join:
        return {}
    faults: list[str] = []
    headers: list[tuple[int, list[str]]] = []
    own = [(-1, path, f"tables.{table}", export) for path in client.files(table).values()]
    others = [
        (i, path, f"tables.{table}.join.{i}", export.join[i]) for i, (_, path) in enumerate(_joined(client, table))
    ]
    for number, path, place, reading in own + others:
        try:
            headers.append((number, exports.header(path, place=place, reading=reading)))
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    homes: dict[str, int] = {}
    for number, header in headers:  # the own files come first
        for raw in names:
            if raw in header:
                homes.setdefault(raw, number)
    return homes


def join(con, records: Table, other: Other, *, on: str, name: str) -> tuple[Table, list[str]]:
    """Records with the columns of a joined file beside them: of its first record with the same key (the blanks around
    both are no part of it); null where there is none.

    From: `on`, the records' own key in the engine; `name`, for the tables that are kept meanwhile.
    To: the records, and what is to be said of them.
    """
    held = other.staged.records
    held = held.select("n", key_text=key_text(held[other.key]), **{n: held[n] for n in other.taken.values()})
    held = held.filter(held.key_text.notnull())
    several = held.group_by("key_text").agg(count=held.count(), n=held.n.min())
    firsts = held.semi_join(several, ["key_text", "n"]).drop("n")
    firsts = con.create_table(f"joined_{name}", firsts, temp=True, overwrite=True)
    keyed = records.mutate(own_key=key_text(records[on]))
    joined = keyed.left_join(firsts, keyed.own_key == firsts.key_text)
    notes = _notes(keyed, joined, firsts, held.semi_join(several.filter(several["count"] > 1), "key_text"), other)
    return joined.drop("own_key", "key_text"), notes


def _notes(keyed: Table, joined: Table, firsts: Table, several: Table, other: Other) -> list[str]:
    """Records without a partner, keys that stand several times, keys that nobody names, records that cannot be read."""
    path = other.staged.path
    notes = file_notes([other.staged])
    lone = joined.key_text.isnull()
    counted = joined.aggregate(
        rows=joined.count(),
        lone=lone.ifelse(1, 0).sum().fill_null(0),
        blank=joined.own_key.isnull().ifelse(1, 0).sum().fill_null(0),
    )
    counted = counted.to_pandas().iloc[0]
    if counted.lone:
        blank = f" ({int(counted.blank):,} of them have no {other.on})" if counted.blank else ""
        notes.append(
            f"{path} has no record for {int(counted.lone):,} of {int(counted.rows):,} records{blank}: what it would"
            " give stays empty."
        )
    taken = list(other.taken.values())
    if taken:
        differing = [
            (several[n].min() != several[n].max()) | (several[n].count().between(1, several.count() - 1)) for n in taken
        ]
        apart = several.group_by("key_text").agg(differs=reduce(or_, [d.fill_null(False) for d in differing]))
        number = int(apart.filter(apart.differs).count().execute())
        if number:
            notes.append(
                f"{number:,} values of {other.on} stand in several records of {path} with different content: the first"
                " record counts."
            )
    unnamed = int(firsts.anti_join(keyed, firsts.key_text == keyed.own_key).count().execute())
    if unnamed:
        notes.append(f"{unnamed:,} of {int(firsts.count().execute()):,} keys of {path} are named by no record.")
    torn = refused.ragged([(path, other.staged.rejects)]).counts()
    if torn:
        told = ", ".join(f"{count:,} × {reason}" for reason, count in sorted(torn.items()))
        notes.append(f"of {path}, records could not be read and give nothing: {told}.")
    return notes


def file_notes(staged: list[Staged]) -> list[str]:
    """What is to be said of files as such."""
    return [f"{s.path}: {note}" for s in staged for note in s.notes]


def key_text(raw: Value) -> StringValue:
    """A raw key as a text: without the blanks around it; a whole number (Parquet has such) without its .0."""
    return engine.plain(numerals.as_text(raw))
