"""The door: raw exports in, canonical tables out, every row kept or refused."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import BooleanValue, Table

from cxkit import (
    columns,
    engine,
    garbled,
    last_day,
    one_pass,
    order_notes,
    privacy,
    refused,
    repeated_money,
    returns,
    rules_met,
    scrubbed,
    shaping,
)
from cxkit import persons as merging
from cxkit.client import Client
from cxkit.columns import Check
from cxkit.errors import DataError, RunError
from cxkit.mapping import Export
from cxkit.settings_file import key_lines, lines_told
from cxkit.tables import TABLES


@dataclass
class Entry:
    """One table on its way through the door. in_order: its rows lie in the order of the files' records. whole: its
    canonical file, where one pass made it."""

    files: list[str]
    checks: list[Check]
    not_read: dict[str, str]
    torn: refused.Ragged
    rows: Table
    seen: dict[str, int]
    in_order: bool
    whole: Path | None = None
    merged: dict[str, int] = field(default_factory=dict)
    met: dict[str, dict[str, int]] = field(default_factory=dict)
    left: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def pass_through(con, client: Client, *, as_of: date | None, key: bytes, work: Path, out: Path) -> tuple[date, dict]:
    """Reads every declared table and writes what is kept to out/<table>.parquet, what is refused to out/refused/.

    To: the day that counts as the last, and an account a table: rows_in, kept, netted, refused (reason -> count),
    left_out (how many of the refused the client's own rules leave out), seen (what the raw rows held), filled (of the
    kept rows, by mapped column, before returns are netted; a status that is not given is completed, so it is filled),
    merged (ids -> persons, where persons are declared), met (rule -> entry -> records), not_read (file ->
    its columns that nothing names), notes.
    Raises DataError with the faults of all files together; where the gate closes; where as_of is before the first
    order.
    """
    told: dict[str, str] = {}
    try:
        return _pass(con, client, as_of=as_of, key=key, told=told, work=work, out=out, at_once=True)
    except _LookAgain:
        return _pass(con, client, as_of=as_of, key=key, told=told, work=work, out=out, at_once=False)


class _LookAgain(Exception):
    """A table that was read in one go has rows to refuse all the same."""


def _pass(
    con, client: Client, *, as_of: date | None, key: bytes, told: dict[str, str], work: Path, out: Path, at_once: bool
) -> tuple[date, dict]:
    people = dict.fromkeys(merging.PEOPLE, partial(_pseudonyms, told, key=key))
    entries, faults = {}, []
    persons, persons_notes = None, []
    try:
        persons, persons_notes = merging.read(con, client, work=work)
    except DataError as error:
        faults.append(str(error))
    for table in client.tables:
        try:
            entries[table] = (
                enter_at_once(con, client, table, as_of=as_of, people=people, told=told, work=work) if at_once else None
            ) or enter(con, client, table, persons=persons, work=work)
        except DataError as error:
            faults.append(str(error))
    path = client.folder / "client.yml"
    lines = key_lines(path) if path.is_file() else {}
    if faults:
        raise DataError(lines_told("\n".join(faults), lines))
    settled, note = last_day.settle({t: e.rows for t, e in entries.items()}, as_of)
    _place_in_time(con, entries, settled, by_rule=as_of is not None)
    accounts = {table: _account(entry, client.tables[table]) for table, entry in entries.items()}
    if any(entry.whole and accounts[table]["refused"] for table, entry in entries.items()):
        raise _LookAgain
    for table, account in accounts.items():
        if account["refused"].get(refused.LATER):
            account["notes"] += _later_notes(entries[table], table, settled)
    merged = [table for table, entry in entries.items() if entry.merged]
    if merged:
        accounts["customers" if "customers" in merged else merged[0]]["notes"] += persons_notes
    if "orders" in entries and note:
        accounts["orders"]["notes"].insert(0, note)
    (out / "refused").mkdir(parents=True)
    for table, entry in entries.items():
        refused.write_refused(
            con,
            entry.rows,
            entry.checks,
            files=entry.files,
            torn=entry.torn,
            path=out / "refused" / f"{table}.csv",
            number_bits=shaping.NUMBER_BITS,
            count=sum(accounts[table]["refused"].values()),
        )
        accounts[table]["notes"] += refused.pattern_notes(
            entry.rows, entry.checks, counts=accounts[table]["refused"], table=table
        )
        accounts[table]["notes"] += _money_refused(entry, currency=client.currency)
    allowed = {t: client.tables[t].max_refused_share for t in entries}
    shown = refused.examples(out / "refused", accounts, allowed)
    faults = refused.gate(
        accounts,
        allowed,
        folder=client.private / "refused",
        lines=lines,
        examples=shown,
        rules={table: {c.reason for c in entry.checks if c.by_rule} for table, entry in entries.items()},
        latest=as_of is None,
        encodings={table: client.tables[table].encoding for table in entries},
    )
    if faults:
        raise DataError("\n".join(faults))
    _leave(con, client, entries, accounts, told=told, key=key, out=out)
    return settled, accounts


def enter_at_once(
    con, client: Client, table: str, *, as_of: date | None, people: dict, told: dict[str, str], work: Path
) -> Entry | None:
    """As `enter`, with the canonical table written in the same pass (customers are pseudonyms in it); None where the
    file needs more than one look."""
    if not one_pass.may(client, table):
        return None
    engine.keep_lists(con)
    known = len(told)
    found = one_pass.read(con, client, table, as_of=as_of, people=people, path=work / f"{table}.whole.parquet")
    if found is None or scrubbed.words(con, found.rows, TABLES[table])[1]:
        return None
    files = list(client.files(table))
    entry = Entry(files, found.read.checks, found.read.not_read, refused.ragged([]), found.rows, {}, True, found.path)
    entry.met, entry.left = found.met, {files[0]: found.left} if found.left else {}
    entry.notes = rules_met.notes(entry.met)
    customers = None if known else len(told)  # all that were told are this table's own: no need to count them
    entry.seen = {"exact_duplicates": 0, **_seen(found.rows, table, prefix=_prefix(client), customers=customers)}
    return entry


def enter(con, client: Client, table: str, *, persons: Table | None, work: Path) -> Entry:
    """Reads one table's files; its rows lie in a Parquet file of the work folder.

    Where `persons` are given, customer_id and referred_by are the person and `own_…` what the export has.
    """
    shaped = shaping.shape(con, client, table, work=work)
    read = columns.read(
        shaped.records, table=TABLES[table], export=client.tables[table], client=client, names=shaped.names
    )
    rows = read.rows if persons is None else merging.merge(read.rows, persons)
    path = work / f"{table}.read.parquet"
    in_order = engine.write_parquet(con, rows, path) and shaped.in_order
    rows, notes = scrubbed.words(con, engine.read_parquet(con, path), TABLES[table])
    checks = [
        replace(c, column=f"{c.column} of {shaped.beside[c.column]}") if c.column in shaped.beside else c
        for c in read.checks
    ]
    notes = shaped.notes + notes
    entry = Entry(shaped.files, checks, read.not_read, shaped.torn, rows, {}, in_order, notes=notes)
    export = client.tables[table]
    entry.met = rules_met.met(shaped.records, table=TABLES[table], export=export, names=shaped.names)
    entry.left = shaped.left
    if table == "orders":
        of_order = shaping.order_of(shaped.records, export, shaped.names)
        entry.notes += repeated_money.off(shaped.records, of_order, export, shaped.names)
    entry.notes += rules_met.notes(entry.met)
    entry.seen = {"exact_duplicates": shaped.duplicates, **_seen(rows, table, prefix=_prefix(client))}
    if persons is not None and client.persons:
        sound = rows.filter(rows.fault.isnull())
        entry.merged, notes = merging.told(sound, persons, table=table, path=client.persons.path)
        entry.notes += notes
    return entry


def _prefix(client: Client) -> str:
    """What an order's number begins with when it marks a return; empty where nothing does."""
    marks = client.tables["orders"].returns if "orders" in client.tables else None
    return marks.order_id_prefix if marks else ""


def _seen(rows: Table, table: str, *, prefix: str, customers: int | None = None) -> dict[str, int]:
    """What the raw rows held, before anything was refused; `customers`, where their number is known already."""
    if table != "orders":
        return {}
    found = {"returns": rows.is_return.ifelse(1, 0).sum()}
    if prefix:
        found["marked_as_returns"] = rows.order_id.startswith(prefix).ifelse(1, 0).sum()
    if "customer_id" in rows.columns:
        found["without_customer"] = rows.customer_id.isnull().ifelse(1, 0).sum()
        found |= {"customers": rows.customer_id.nunique()} if customers is None else {}
    counted = rows.aggregate(**found).to_pandas().iloc[0]
    seen = {name: int(counted[name] or 0) for name in found}  # a sum over no rows is None
    return seen if customers is None or "customer_id" not in rows.columns else {**seen, "customers": customers}


def _place_in_time(con, entries: dict[str, Entry], as_of: date, *, by_rule: bool) -> None:
    """Refuses rows after as_of, then rows whose key an earlier row has. Where `latest` follows the sales, what is no
    sale and lies within a year after the last one is left out by rule: it has come, and the audit's days are over."""
    for table, entry in entries.items():
        rows, time, unique = entry.rows, TABLES[table].time, TABLES[table].unique
        if time and not by_rule and "orders" in entries:
            entry.checks.append(Check(refused.LATER, time, True))
            soon = rows.day <= ibis.literal(as_of + timedelta(days=last_day.LONG_GAP_DAYS))
            rows = _refuse_late(rows, as_of, len(entry.checks) - 1, only=soon & (rows.is_return | (table != "orders")))
        if time:
            entry.checks.append(Check(refused.LATE, time, by_rule))
            rows = _refuse_late(rows, as_of, len(entry.checks) - 1)
        if unique and f"own_{unique}" in rows.columns:
            rows = _refuse_repeats(con, entry, rows, table, key=f"own_{unique}", shown=unique)
            same = "same person as an earlier record (persons)"
            rows = _refuse_repeats(con, entry, rows, table, key=unique, shown=unique, reason=same, by_rule=True)
        elif unique:
            rows = _refuse_repeats(con, entry, rows, table, key=unique, shown=unique)
        entry.rows = engine.barrier(rows)


def _refuse_late(rows: Table, as_of: date, check: int, *, only: BooleanValue | bool = True) -> Table:
    late = (rows.fault.isnull() & (rows.day > ibis.literal(as_of)) & only).fill_null(False)
    number = ibis.literal(check).cast("int16")
    return rows.mutate(fault=late.ifelse(number, rows.fault), value=late.ifelse(rows.day.cast("string"), rows.value))


def _later_notes(entry: Entry, table: str, as_of: date) -> list[str]:
    """What lies after the last sale: how much, and until when."""
    checks = [i for i, check in enumerate(entry.checks) if check.reason == refused.LATER]
    later = entry.rows.filter(entry.rows.fault.isin(checks))
    found = later.aggregate(count=later.count(), last=later.day.max()).to_pandas().iloc[0]
    what = "return" if table == "orders" else "record"
    one = found["count"] == 1
    return [
        f"{found['count']:,} {what}{'' if one else 's'} {'lies' if one else 'lie'} after {as_of}, the last day with a"
        f" sale (until {pd.Timestamp(found['last']).date()}): left out, and no fault. To count"
        f" {'it' if one else 'them'}, set as_of to that day in client.yml."
    ]


def _refuse_repeats(
    con, entry: Entry, rows: Table, table: str, *, key: str, shown: str, reason: str = "", by_rule: bool = False
) -> Table:
    """Rows whose key an earlier kept row has get a fault; the value told is the export's own."""
    entry.checks.append(Check(reason or f"{shown} stands in an earlier record", shown, by_rule))
    kept = rows.filter(rows.fault.isnull() & rows[key].notnull())
    found = shaping.repeats(con, f"repeats_{table}_{key}", kept.select("line", key), [key], first=key)
    rows = shaping.marked(rows, found, "repeated")
    number = ibis.literal(len(entry.checks) - 1).cast("int16")
    value = rows[f"own_{shown}"] if f"own_{shown}" in rows.columns else rows[shown]
    return rows.mutate(
        fault=rows.repeated.ifelse(number, rows.fault), value=rows.repeated.ifelse(value, rows.value)
    ).drop("repeated")


def _account(entry: Entry, export: Export) -> dict:
    """How many rows came in, were kept, were refused for which reason, and how many of these by the client's rules."""
    rows = entry.rows
    filled = {f"filled_{name}": rows[name].count() for name in columns.given(export)}
    flags = {name: rows[f"not_read_{name}"].ifelse(1, 0).sum() for name in entry.not_read}
    counted = engine.collect(rows.group_by("fault").agg(count=rows.count(), **flags, **filled), order_by="fault")
    whole = {
        int(r.fault): int(r.count_)
        for r in counted.rename(columns={"count": "count_"}).dropna(subset="fault").itertuples()
    }
    kept = counted[counted.fault.isna()]
    reasons: dict[str, int] = dict(entry.torn.counts())
    for number, count in whole.items():
        reasons[entry.checks[number].reason] = reasons.get(entry.checks[number].reason, 0) + count
    notes = list(entry.notes)
    for name, told in entry.not_read.items():
        if len(kept) and (unread := int(kept[name].iloc[0])):
            notes.append(f"{unread:,} values of {told}; left empty.")
    number = int(kept["count"].sum())
    return {
        "rows_in": int(counted["count"].sum()) + len(entry.torn.rows),
        "kept": number,
        "netted": 0,
        "refused": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "left_out": sum(count for number, count in whole.items() if entry.checks[number].by_rule),
        "seen": entry.seen,
        "filled": {n.removeprefix("filled_"): float(kept[n].iloc[0] / number) for n in filled} if number else {},
        "merged": entry.merged,
        "met": entry.met,
        "not_read": entry.left,
        "notes": notes,
    }


def _money_refused(entry: Entry, *, currency: str) -> list[str]:
    """What the order lines hold that are neither kept nor left out by rule, nor stand there twice."""
    lost = [i for i, c in enumerate(entry.checks) if not c.by_rule and "duplicate" not in c.reason]
    if "is_return" not in entry.rows.columns or "amount" not in entry.rows.columns or not lost:
        return []
    rows = entry.rows.filter(entry.rows.fault.isin(lost) & (entry.rows.amount > 0))
    cents = (rows.amount * 100).round(0).try_cast("int64")  # sums of whole numbers are the same in any order
    sums = engine.collect(rows.group_by("fault").agg(cents=cents.sum()), order_by="fault").dropna()
    note = refused.money_note(
        {entry.checks[int(r.fault)].reason: float(r.cents) / 100 for r in sums.itertuples()}, currency=currency
    )
    return [note] if note else []


def _leave(
    con,
    client: Client,
    entries: dict[str, Entry],
    accounts: dict[str, dict],
    *,
    told: dict[str, str],
    key: bytes,
    out: Path,
) -> None:
    """Writes the canonical tables: returns netted, customers as pseudonyms, free text scrubbed."""
    kept = {t: e.rows.filter(e.rows.fault.isnull()) for t, e in entries.items()}
    if "orders" in kept:
        sold = kept["orders"]
        kept["orders"], counts = returns.settle(con, kept["orders"], prefix=_prefix(client))
        accounts["orders"]["netted"] = counts.get("netted", 0)
        known = (
            {**kept, "orders": order_notes.by_own_ids(con, kept["orders"], told)}
            if entries["orders"].whole and "customers" in kept
            else kept
        )
        accounts["orders"]["notes"] += order_notes.notes(known, counts)
        accounts["orders"]["notes"] += repeated_money.notes(sold, client.tables["orders"])
    if "surveys" in kept:
        accounts["surveys"]["notes"] += _scale_notes(kept["surveys"], client)
    pseudonym = engine.by_text(con, "pseudonym", partial(_pseudonyms, told, key=key))
    for table, rows in kept.items():
        accounts[table]["notes"] += garbled.notes(rows, TABLES[table])
        if entries[table].whole:
            entries[table].whole.replace(out / f"{table}.parquet")
            continue
        rows = rows.mutate(**{name: pseudonym(rows[name]) for name in merging.PEOPLE if name in rows.columns})
        rows = scrubbed.free_text(con, rows, TABLES[table])
        rows = rows.select("line", "part", *[c for c in TABLES[table].columns if c in rows.columns])
        path = out / f"{table}.parquet"
        engine.write_parquet(con, rows, path, order_by=["line", "part"], sorted_already=entries[table].in_order)
    if len(set(told.values())) < len(told):
        raise RunError("two customers got one pseudonym, a chance of one in millions; make a new key in private/key.")


def _scale_notes(surveys: Table, client: Client) -> list[str]:
    """Answers of a metric without a scale cannot be checked against it."""
    counts = engine.collect(surveys.group_by("metric").agg(answers=surveys.count()), order_by="metric")
    return [
        f"{row.answers:,} answers of {row.metric} have no scale under scales in client.yml: not checked."
        for row in counts.itertuples()
        if row.metric not in client.scales
    ]


def _pseudonyms(told: dict[str, str], ids: list[str], *, key: bytes) -> list[str]:
    """The pseudonyms of customers' own ids; each is made once and kept in `told`."""
    found = list(map(told.get, ids))  # among millions, to look is what costs: once each
    fresh = [own for own, name in zip(ids, found, strict=True) if name is None]
    made = privacy.pseudonyms(fresh, key=key)
    told.update(zip(fresh, made, strict=True))
    rest = iter(made)
    return [name or next(rest) for name in found]
