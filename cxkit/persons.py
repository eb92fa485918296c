"""Which customer ids are one person? The file that client.yml names under persons, and the tables under it."""

from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit import engine, exports, joins, refused
from cxkit.client import Client
from cxkit.errors import DataError

PEOPLE = ("customer_id", "referred_by")
SHOWN = 5  # faulty ids that are told by their records


def read(con, client: Client, *, work: Path) -> tuple[Table | None, list[str]]:
    """The persons file as the engine's table: own (an id), person, n (its record). None where client.yml names none.

    To: the table, an id a row, and what is to be said of the file.
    What is left out: records without an id or without a person.
    Raises DataError where the file cannot be read, or an id has two persons.
    """
    wanted = client.persons
    if wanted is None or client.persons_file is None:
        return None, []
    names = {wanted.id: "own", wanted.person: "person"} if wanted.id != wanted.person else {wanted.id: "own"}
    targets = {wanted.person: "person", wanted.id: "id"}
    (staged,) = exports.stage(
        con,
        {wanted.path: client.persons_file},
        place="persons",
        reading=wanted,
        names=names,
        targets=targets,
        folder=work,
    )
    raw = staged.records
    person = joins.key_text(raw[names.get(wanted.person, "own")])
    person = person.lower() if wanted.lower_case else person
    held = raw.select("n", own=joins.key_text(raw.own), person=person)
    named = held.filter(held.own.notnull() & held.person.notnull())
    pairs = named.group_by(["own", "person"]).agg(n=named.n.min())
    pairs = con.create_table("persons_named", pairs, temp=True, overwrite=True)
    torn = refused.ragged([(wanted.path, staged.rejects)])
    _check_one_person(pairs, torn, path=wanted.path)
    notes = joins.file_notes([staged]) + _file_notes(held, pairs, torn, path=wanted.path)
    return pairs, notes


def _check_one_person(pairs: Table, torn: refused.Ragged, *, path: str) -> None:
    """Told by records: an id is personal."""
    twice = pairs.group_by("own").agg(persons=pairs.count(), first=pairs.n.min(), last=pairs.n.max())
    twice = twice.filter(twice.persons > 1)
    number = int(twice.count().execute())
    if not number:
        return
    found = engine.collect(twice.order_by("first").limit(SHOWN), order_by="first")
    records = sorted(torn.rows.record)
    told = "; ".join(f"records {_record(row.first, records)} and {_record(row.last, records)}" for row in _rows(found))
    more = " …" if number > SHOWN else ""
    raise DataError(
        f"persons, file {path}: {number:,} ids have two persons or more ({told}{more}). An id is of one person: keep"
        " one of these records in the file, or name another column under persons.person in client.yml."
    )


def _rows(found: pd.DataFrame):
    return found.astype({"first": int, "last": int}).itertuples()


def _record(n: int, torn: list[int]) -> int:
    """A whole record's number, the torn ones before it counted."""
    for record in torn:
        n += record <= n
    return n


def _file_notes(held: Table, pairs: Table, torn: refused.Ragged, *, path: str) -> list[str]:
    notes = []
    blank = held.aggregate(
        rows=held.count(),
        no_id=held.own.isnull().ifelse(1, 0).sum().fill_null(0),
        nobody=(held.own.notnull() & held.person.isnull()).ifelse(1, 0).sum().fill_null(0),
    )
    blank = blank.to_pandas().iloc[0]
    if blank.no_id:
        notes.append(f"{int(blank.no_id):,} records of {path} have no id and say nothing.")
    if blank.nobody:
        notes.append(f"{int(blank.nobody):,} records of {path} name no person and say nothing.")
    named = pairs.select(of="own", whose="person")
    onward = pairs.inner_join(named, pairs.person == named.of)
    onward = int(onward.filter(onward.whose != onward.of).select("of").distinct().count().execute())
    if onward:
        notes.append(
            f"{onward:,} persons of {path} stand there as ids of yet another person. Each id became the person that its"
            " own record names, and no further: where ids and persons are of one kind, name the last person in each"
            " record."
        )
    lost = torn.counts()
    if lost:
        told = ", ".join(f"{count:,} × {reason}" for reason, count in sorted(lost.items()))
        notes.append(f"of {path}, records could not be read, and their ids stay their own: {told}.")
    return notes


def merge(rows: Table, persons: Table) -> Table:
    """Rows whose customer_id and referred_by are the person; `own_customer_id` and `own_referred_by` keep the ids."""
    for name in PEOPLE:
        if name in rows.columns:
            named = persons.select(merged_id="own", merged_person="person")
            joined = rows.left_join(named, rows[name] == named.merged_id)
            rows = joined.mutate(
                **{f"own_{name}": joined[name], name: ibis.coalesce(joined.merged_person, joined[name])}
            ).drop("merged_id", "merged_person")
    return rows


def told(rows: Table, persons: Table, *, table: str, path: str) -> tuple[dict[str, int], list[str]]:
    """How many ids of a table's rows became how many persons, and what is to be said of it.

    From: rows (not refused) as `merge` left them. To: ids, persons; notes. Rows without a customer are left out.
    """
    if "own_customer_id" not in rows.columns:
        return {}, []
    pairs = rows.filter(rows.own_customer_id.notnull()).select("own_customer_id", "customer_id").distinct()
    named = persons.select(merged_id="own")
    known = pairs.left_join(named, pairs.own_customer_id == named.merged_id)
    counted = known.aggregate(
        ids=known.count(),
        persons=known.customer_id.nunique(),
        unknown=known.merged_id.isnull().ifelse(1, 0).sum().fill_null(0),
    )
    counted = counted.to_pandas().iloc[0]
    ids, merged, unknown = (int(counted[name]) for name in ("ids", "persons", "unknown"))
    notes = [f"{ids:,} customer ids are {merged:,} persons ({path})."]
    if unknown:
        notes.append(f"{unknown:,} customer ids of {table} have no person in {path}: each stays its own.")
    return {"ids": ids, "persons": merged}, notes
