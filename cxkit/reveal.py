"""Who is behind a pseudonym? The client's own ids, read from the exports again; nothing of it is kept."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from ibis.expr.types import Table

from cxkit import door, engine, persons, privacy, shaping, sources
from cxkit.client import Client
from cxkit.errors import UsageError
from cxkit.tables import TABLES

MOST_CUSTOMERS = 50_000_000
COLUMNS = {"pseudonym": "string", "table": "string", "own_id": "string", "file": "string", "record": "int64"}
MEMORY = "1GB"


def own_ids(client: Client, pseudonyms: Sequence[str]) -> pd.DataFrame:
    """All ids of the client's that the pseudonyms stand for: personal data, to be shown to nobody who may not see them.

    To: pseudonym, table, own_id, file, record: a row for each id in each table that has it (customers and who referred
    them), with the first record that names it, refused or not; and for each in the persons file, under the table
    "persons". In the order of the pseudonyms asked for.
    Raises UsageError where the key is gone (none is made anew), or where a pseudonym is nobody's, naming it; DataError
    where the exports cannot be read.
    """
    wanted = list(dict.fromkeys(str(p).strip().lower() for p in pseudonyms))
    sources.check_mapping(client)
    if not (client.private / "key").is_file():
        raise UsageError(
            f"there is no key {client.private / 'key'}: pseudonyms are made with it, and only with the same one can"
            " they be turned back. Put it back from your backup."
        )
    key = privacy.load_key(client.private, earlier_audits=True)
    with TemporaryDirectory(prefix=".reveal-", dir=client.private) as folder:
        con = engine.connect(memory_limit=MEMORY, threads=client.engine.threads, temp_directory=Path(folder) / "spill")
        try:
            found = _found(con, client, wanted, key=key, work=Path(folder))
        finally:
            con.disconnect()
    unknown = [p for p in wanted if p not in set(found.pseudonym)]
    if unknown:
        several = len(unknown) > 1
        raise UsageError(
            f"{client.slug}: nobody in its exports has the pseudonym{'s' if several else ''} {', '.join(unknown)}. Copy"
            f" {'them' if several else 'it'} whole (13 letters and digits) from a report on these exports and this key."
        )
    place = {p: i for i, p in enumerate(wanted)}
    tables = {name: i for i, name in enumerate([*TABLES, "persons"])}
    order = found.assign(of=found.pseudonym.map(place), at=found.table.map(tables))
    order = order.sort_values(["of", "at", "own_id", "record"], kind="stable").astype({"record": "int64"})
    return order[list(COLUMNS)].reset_index(drop=True)


def _found(con, client: Client, wanted: list[str], *, key: bytes, work: Path) -> pd.DataFrame:
    merged, _ = persons.read(con, client, work=work)
    frames = []
    for table in client.tables:
        entry, rows = _people(con, client, table, merged, work=work)
        for name in persons.PEOPLE:
            if name in rows.columns:
                ids = rows.filter(rows[name].notnull())
                ids = ids.select("line", own_id=ids[f"in_file_{name}"], person=ids[name])
                ids = ids.group_by(["own_id", "person"]).agg(line=ids.line.min())
                frames.append(_asked(ids, wanted, key=key).assign(table=table))
                frames[-1]["file"] = [entry.files[line >> shaping.NUMBER_BITS] for line in frames[-1].line]
                frames[-1]["record"] = _records(frames[-1].line, entry)
    if merged is not None and client.persons:
        ids = merged.select(own_id="own", person="person", line="n")
        held = _asked(ids, wanted, key=key)
        frames.append(held.assign(table="persons", file=client.persons.path, record=held.line))
    if not frames:
        return pd.DataFrame(columns=[*COLUMNS])
    every = pd.concat([f[list(COLUMNS)] for f in frames], ignore_index=True)
    # who is a customer and referred another stands there once
    return every.sort_values("record", kind="stable").drop_duplicates(["pseudonym", "table", "own_id"])


def _people(con, client: Client, table: str, merged: Table | None, *, work: Path) -> tuple[door.Entry, Table]:
    """A table's rows with the persons that they are of, and beside each the id with the capitals that the file has."""
    export = client.tables[table]
    folded = [name for name in persons.PEOPLE if name in export.lower_case]
    plain = export.model_copy(update={"lower_case": tuple(c for c in export.lower_case if c not in folded)})
    plain = client.model_copy(update={"tables": {**client.tables, table: plain}})
    entry = door.enter(con, plain, table, persons=None, work=work)
    held = [name for name in persons.PEOPLE if name in entry.rows.columns]
    rows = entry.rows.mutate(**{f"in_file_{name}": entry.rows[name] for name in held})
    rows = rows.mutate(**{name: rows[name].lower() for name in held if name in folded})
    return entry, rows if merged is None else persons.merge(rows, merged)


def _asked(ids: Table, wanted: list[str], *, key: bytes) -> pd.DataFrame:
    """The ids whose person has one of the pseudonyms: own_id, line, pseudonym."""
    people = engine.collect(ids.select("person").distinct(), order_by="person", max_rows=MOST_CUSTOMERS).person
    named = {person: privacy.pseudonym(person, key=key) for person in people}
    asked = {person: p for person, p in named.items() if p in set(wanted)}
    found = engine.collect(ids.filter(ids.person.isin(list(asked))), order_by=["own_id", "person"])
    return found.assign(pseudonym=found.person.map(asked), line=found.line.astype("int64"))


def _records(lines: pd.Series, entry: door.Entry) -> list[int]:
    """The records' numbers in their files: those that could not be read are counted too."""
    torn = entry.torn.rows
    found = []
    for line in lines:
        record = line & ((1 << shaping.NUMBER_BITS) - 1)
        for other in sorted(torn.record[torn.number == line >> shaping.NUMBER_BITS]):
            record += other <= record
        found.append(record)
    return found
