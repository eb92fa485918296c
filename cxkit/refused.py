"""What was refused, and why: each reason counted, the rows for the client's private folder, the gate."""

from dataclasses import dataclass
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import StringValue, Table

from cxkit import engine
from cxkit.columns import Check
from cxkit.privacy import safe_cell, scrub

SHOWN = 500  # characters of a refused value that are kept
EXAMPLES = 5
RAGGED = {
    "MISSING COLUMNS": "record has fewer cells than the header",
    "TOO MANY COLUMNS": "record has more cells than the header",
    "UNQUOTED VALUE": "record has a quotation mark inside a cell",
    "LINE SIZE OVER MAXIMUM": f"record is longer than {engine.LONGEST_RECORD:,} bytes",
}
_COLUMNS = {"file": "string", "record": "int64", "column": "string", "value": "string", "reason": "string"}


@dataclass(frozen=True)
class Ragged:
    """The records of one table that were no records of the header's width: file, record, value, reason."""

    rows: pd.DataFrame

    def counts(self) -> dict[str, int]:
        return self.rows.groupby("reason").size().to_dict()


def ragged(files: list[tuple[str, Path | None]]) -> Ragged:
    """The reader's rejects of a table's files. From: (path as in client.yml, CSV of rejects or None) in order."""
    frames = []
    for number, (file, path) in enumerate(files):
        if path is None:
            continue
        found = pd.read_csv(path, dtype={"text": str}, keep_default_na=False)
        reasons = found.error.map(RAGGED).fillna("record cannot be read")
        frames.append(pd.DataFrame({"number": number, "file": file, "record": found.line - 1, "value": found.text}))
        frames[-1]["reason"] = reasons
    empty = pd.DataFrame({c: pd.Series(dtype=t) for c, t in {"number": "int64", **_COLUMNS}.items() if c != "column"})
    return Ragged(pd.concat(frames, ignore_index=True) if frames else empty)


def write_refused(
    con, rows: Table, checks: list[Check], *, files: list[str], torn: Ragged, path: Path, number_bits: int, count: int
) -> None:
    """The refused rows of a table as CSV, in the files' order: file, record (1 is the first after the header, empty
    lines are not counted), column, value, reason. No spreadsheet runs what stands in it.

    From: `rows` with line, fault, value; `checks` by number; what the reader could not take in; `count`, how many
    there are in all.
    """
    if not count:
        path.write_text(",".join(_COLUMNS) + "\n", encoding="utf-8")
        return
    held = rows.filter(rows.fault.notnull())
    n = (held.line & ((1 << number_bits) - 1)).cast("int64")
    number = (held.line >> number_bits).cast("int64")
    told = held.select(
        "line",
        number=number,
        n=n,
        file=ibis.cases(*[(number == i, safe_cell(name)) for i, name in enumerate(files)]),
        column=ibis.cases(*[(held.fault == i, safe_cell(c.column)) for i, c in enumerate(checks)]),
        value=_safe(held.value.left(SHOWN)),
        reason=ibis.cases(*[(held.fault == i, c.reason) for i, c in enumerate(checks)]),
    )
    if torn.rows.empty:
        told = told.mutate(record=told.n)
    else:
        told = _with_torn(con, told, torn)
    engine.write_csv(con, told.order_by(["number", "record"]).select(*_COLUMNS), path)


def _with_torn(con, told: Table, torn: Ragged) -> Table:
    """Adds the torn records; a whole record's number is its place among the whole ones plus the torn before it."""
    rows = torn.rows.sort_values(["number", "record"]).reset_index(drop=True)
    rows["before"] = rows.groupby("number").cumcount() + 1
    rows["after"] = rows.record - rows.before  # whole records that precede it
    steps = rows.groupby(["number", "after"], as_index=False).before.max()
    types = {"number": "int64", "after": "int64", "before": "int64"}
    steps = engine.keep_frame(con, "torn_steps", steps, types=types)
    joined = told.asof_join(steps, on=told.n > steps.after, predicates="number")
    whole = joined.mutate(record=joined.n + joined.before.fill_null(0)).select("number", *_COLUMNS)
    rows = rows.assign(column="", file=rows.file.map(safe_cell), value=rows.value.map(lambda v: safe_cell(v[:SHOWN])))
    kept = engine.keep_frame(con, "torn_rows", rows, types={"number": "int64", **_COLUMNS})
    return whole.union(kept.select("number", *_COLUMNS))


def _safe(value: StringValue) -> StringValue:
    """`privacy.safe_cell` for a column."""
    clean = value.re_replace(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "")
    risky = clean.re_search(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]") & ~clean.re_search(r"^[+-]?[0-9]+([.,][0-9]+)*$")
    return risky.ifelse(ibis.literal("'") + clean, clean)


FAULTS = (" not readable as ", " is none of ")  # what a reason says of a value that can be told by example


def pattern_notes(rows: Table, checks: list[Check], *, counts: dict[str, int], table: str) -> list[str]:
    """What the values look like that could not be read, and which values a status or metric had that it may not have.

    Digits are told as 9 and letters as a: the patterns, not the values. An example stands by where it holds nothing
    personal.
    """
    notes = []
    for number, check in enumerate(checks):
        readable, unknown = (mark in check.reason for mark in FAULTS)
        if not (readable or unknown) or not counts.get(check.reason):
            continue
        held = rows.filter(rows.fault == number)
        shape = held.value.re_replace(r"[0-9]", "9").re_replace(r"\p{L}", "a") if readable else held.value
        shapes = held.group_by(shape=shape.left(30)).agg(count=held.count(), example=held.value.min())
        found = engine.collect(shapes, order_by=[ibis.desc("count"), "shape"], max_rows=10_000_000).head(EXAMPLES)
        if found.empty:
            continue
        shown = [
            _shown(row.shape, row.example, row.count_, unknown)
            for row in found.rename(columns={"count": "count_"}).itertuples()
        ]
        name = check.reason.split(" ")[0]
        mend = f" Add tables.{table}.values: {{{name}: {{<found>: <valid>}}}} to client.yml." if unknown else ""
        notes.append(f"{check.reason} ({check.column}): " + "; ".join(s for s in shown if s) + f".{mend}")
    return notes


def _shown(shape: str, example: str, count: int, unknown: bool) -> str:
    harmless = len(example) <= 30 and scrub(example) == example and "@" not in example
    if unknown:
        return f"{example!r} {count:,} times" if harmless else f"a long value {count:,} times"
    return f"{count:,} like {example!r}" if harmless else f"{count:,} of the shape {shape}"


def gate(accounts: dict[str, dict], allowed: dict[str, float], *, folder: Path) -> list[str]:
    """The tables of which too many rows were refused, each with its reasons counted, the commonest first.

    What the client's own rules leave out (`left_out`: no goods; after an as_of that was set) does not count as refused.
    """
    faults = []
    for table, account in accounts.items():
        refused = sum(account["refused"].values()) - account["left_out"]
        rows_in = account["rows_in"]
        share = refused / rows_in if rows_in else 0.0
        if share <= allowed[table] and account["kept"]:
            continue
        reasons = sorted(account["refused"].items(), key=lambda item: (-item[1], item[0]))
        told = "".join(f"\n    {n:,} × {reason}" for reason, n in reasons)
        told += "".join(f"\n    {note}" for note in account["notes"] if any(mark in note for mark in FAULTS))
        what = (
            f"{refused:,} of {rows_in:,} records refused ({100 * share:.1f} %); {100 * allowed[table]:g} % are allowed"
            if share > allowed[table]
            else f"none of {rows_in:,} records was kept"
        )
        faults.append(
            f"table {table!r}: {what}.{told}\n    Each stands with its reason in {folder / f'{table}.csv'}. Mend the"
            f" export or its mapping under tables.{table} in client.yml, or raise tables.{table}.max_refused_share."
        )
    return faults
