"""What was refused, and why: each reason counted, the rows for the client's private folder, the gate."""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import StringValue, Table

from cxkit import engine, misread
from cxkit.columns import Check
from cxkit.privacy import safe_cell, scrub
from cxkit.style import clean_text

SHOWN = 500  # characters of a refused value that are kept
NOTHING = ("null", "none", "nan", "n/a", "nil", "nat", "inf", "#n/a", "undefined")
EXAMPLES = 5  # shapes of values that a note tells
MOST_SUMS = 5  # reasons that a note on money tells
LATE, LATER, HELD = "after as_of", "later than the last sale (as_of: latest)", "refused lines"
SHOWN_EXAMPLES = 3  # records that the gate shows of each reason
RAGGED = {
    "MISSING COLUMNS": "record has fewer cells than the header",
    "TOO MANY COLUMNS": "record has more cells than the header",
    "NO JSON": "record is no JSON",
    "NO JSON OBJECT": "record is no JSON object",
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
        part=held.part if "part" in held.columns else ibis.literal(0),
        number=number,
        n=n,
        file=ibis.cases(*[(number == i, safe_cell(name)) for i, name in enumerate(files)]),
        column=_column(held, checks),
        value=_safe(held.value.left(SHOWN)),
        reason=ibis.cases(*[(held.fault == i, c.reason) for i, c in enumerate(checks)]),
    )
    if torn.rows.empty:
        told = told.mutate(record=told.n)
    else:
        told = _with_torn(con, told, torn)
    engine.write_csv(con, told.order_by(["number", "record", "part"]).select(*_COLUMNS), path)


def _with_torn(con, told: Table, torn: Ragged) -> Table:
    """Adds the torn records; a whole record's number is its place among the whole ones plus the torn before it."""
    rows = torn.rows.sort_values(["number", "record"]).reset_index(drop=True)
    rows["before"] = rows.groupby("number").cumcount() + 1
    rows["after"] = rows.record - rows.before  # whole records that precede it
    steps = rows.groupby(["number", "after"], as_index=False).before.max()
    types = {"number": "int64", "after": "int64", "before": "int64"}
    steps = engine.keep_frame(con, "torn_steps", steps, types=types)
    joined = told.asof_join(steps, on=told.n > steps.after, predicates="number")
    whole = joined.mutate(record=joined.n + joined.before.fill_null(0)).select("number", "part", *_COLUMNS)
    rows = rows.assign(
        column="", part=0, file=rows.file.map(safe_cell), value=rows.value.map(lambda v: safe_cell(v[:SHOWN]))
    )
    kept = engine.keep_frame(con, "torn_rows", rows, types={"number": "int64", "part": "int64", **_COLUMNS})
    return whole.cast({"part": "int64"}).union(kept.select("number", "part", *_COLUMNS))


def _column(held: Table, checks: list[Check]) -> StringValue:
    """The raw column that a row failed on; of an answer, the question's own."""
    columns = ibis.cases(*[(held.fault == i, safe_cell(c.column)) for i, c in enumerate(checks)])
    if "question" not in held.columns:
        return columns
    asked = [i for i, c in enumerate(checks) if not c.column and c.reason.startswith(("question", "score", "metric"))]
    return held.fault.isin(asked).ifelse(_safe(held.question), columns)


def _safe(value: StringValue) -> StringValue:
    """`privacy.safe_cell` for a column."""
    clean = value.re_replace(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "")
    risky = clean.re_search(r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]") & ~clean.re_search(r"^[+-]?[0-9]+([.,][0-9]+)*$")
    return risky.ifelse(ibis.literal("'") + clean, clean)


# what a reason says of a value that can be told by example
FAULTS = (" not readable as ", " is none of ", " in another currency", "another currency's mark", " in two ways ")
FAULTS += (" more than the header: ",)


def pattern_notes(rows: Table, checks: list[Check], *, counts: dict[str, int], table: str) -> list[str]:
    """What the values look like that could not be read (also of those that were left empty), and which values a status
    or metric had that it may not have.

    Digits are told as 9 and letters as a: the patterns, not the values. An example stands by where it holds nothing
    personal.
    """
    notes = []
    for number, check in enumerate(checks):
        unknown = " is none of " in check.reason
        if not any(mark in check.reason for mark in FAULTS) or not counts.get(check.reason):
            continue
        shown = _shapes(rows.filter(rows.fault == number).value, unknown=unknown)
        name = check.reason.split(" ")[0]
        mend = f" Add tables.{table}.values: {{{name}: {{<found>: <valid>}}}} to client.yml." if unknown else ""
        where = f" ({check.column})" if check.column else ""  # of several questions each answer has another column
        notes.append(f"{check.reason}{where}: " + "; ".join(shown) + f".{mend}")
    empty = [name for name in rows.columns if name.startswith("unread_")]
    if empty:
        kept = rows.filter(rows.fault.isnull())
        counted = kept.aggregate(**{name: kept[name].count() for name in empty}).to_pandas().iloc[0]
        for name in empty:
            if counted[name]:
                shown = _shapes(kept.filter(kept[name].notnull())[name], unknown=False)
                notes.append(f"{name.removeprefix('unread_')} not readable, left empty: " + "; ".join(shown) + ".")
    return notes


def _shapes(values: StringValue, *, unknown: bool) -> list[str]:
    """The commonest shapes of some values (of unknown words: the words), each with its count."""
    held = values.name("value").as_table()
    shape = held.value if unknown else held.value.re_replace(r"[0-9]", "9").re_replace(r"\p{L}", "a")
    shapes = held.group_by(shape=shape.left(30)).agg(count=held.count(), example=held.value.min())
    found = engine.collect(shapes, order_by=[ibis.desc("count"), "shape"], max_rows=10_000_000).head(EXAMPLES)
    return [_shown(shape, example, count, unknown) for shape, count, example in found.itertuples(index=False)]


def _shown(shape: str, example: str, count: int, unknown: bool) -> str:
    harmless = len(example) <= 30 and scrub(example) == example and "@" not in example
    if unknown:
        return f"{example!r} {count:,} times" if harmless else f"a long value {count:,} times"
    # a word where a number or a time should stand may be somebody's name, out of a cell that slipped
    named = re.search(r"[^\W\d_]{4}", example) and example.lower() not in NOTHING
    return f"{count:,} like {example!r}" if harmless and not named else f"{count:,} of the shape {shape!r}"


def examples(folder: Path, accounts: dict[str, dict], allowed: dict[str, float]) -> dict[str, dict[str, list[str]]]:
    """Of the tables that the gate stops: reason -> up to three refused records, each as
    `orders.csv, record 4, column 'Date': 'soon'`, in the files' order.

    From: `folder` with what `write_refused` wrote. What is left out: the values of customers' ids, and what `scrub`
    finds personal.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for table, account in accounts.items():
        if _passes(account, allowed[table]):
            continue
        told = found.setdefault(table, {})
        wanted = {reason: min(SHOWN_EXAMPLES, count) for reason, count in account["refused"].items()}
        csv.field_size_limit(2 * engine.LONGEST_RECORD)
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                shown = told.setdefault(row["reason"], [])
                if len(shown) < wanted.get(row["reason"], 0):
                    shown.append(_example(row))
                    if all(len(told.get(reason, [])) == count for reason, count in wanted.items()):
                        break
    return found


def _example(row: dict[str, str]) -> str:
    value = clean_text(scrub(row["value"]))
    of_time = " not readable as " in row["reason"] and " as a number" not in row["reason"]
    if of_time and value != clean_text(row["value"]) and not re.search(r"[^\W\d]|@", row["value"]):
        digits = re.sub(r"\d", "9", clean_text(row["value"]))  # milliseconds look like a phone's number
        value = f"{digits[:40]} ({sum(c.isdigit() for c in digits)} digits)"
    value = value[:57] + "…" if len(value) > 58 else value
    personal = row["reason"].startswith(("customer_id", "referred_by"))
    shown = " (a customer's id)" if personal and value else f": {value!r}" if value else ""
    column = f", column {clean_text(row['column'])!r}" if row["column"] else ""
    return f"{clean_text(row['file'])}, record {row['record']}{column}{shown}"


def _passes(account: dict, allowed: float) -> bool:
    refused = sum(account["refused"].values()) - account["left_out"]
    share = refused / account["rows_in"] if account["rows_in"] else 0.0
    return bool(share <= allowed and account["kept"])


def gate(
    accounts: dict[str, dict],
    allowed: dict[str, float],
    *,
    folder: Path,
    lines: dict[str, int] | None = None,
    examples: dict[str, dict[str, list[str]]] | None = None,
    rules: Mapping[str, Collection[str]] | None = None,
    latest: bool = False,
    encodings: Mapping[str, str] | None = None,
) -> list[str]:
    """The tables of which too many rows were refused, each with its reasons counted, the commonest first; beside each
    reason some records, and the key of client.yml to change with its line.

    From: `folder`, where the refused rows can be looked at; `lines` (settings_file.key_lines of client.yml); `examples`
    (what the function of that name found); `rules`, table -> the reasons that are the client's own rules; `latest`,
    whether the last day that counts is that of the orders; `encodings`, of the tables' files. What the client's own
    rules leave out (`left_out`: no goods; after an as_of that was set) does not count as refused. A table whose rows
    lie after an as_of that failed orders gave is not judged by it.
    """
    faults = []
    adrift = latest and "orders" in accounts and not _passes(accounts["orders"], allowed["orders"])
    for table, account in accounts.items():
        if _passes(account, allowed[table]):
            continue
        if adrift and table != "orders" and {LATE, LATER} & set(account["refused"]):
            account = _without_late(account)
            if not account["rows_in"] or _passes(account, allowed[table]):
                faults.append(
                    f"table {table!r}: not judged, since orders failed, whose last day is as_of. Mend them first."
                )
                continue
        refused, rows_in = sum(account["refused"].values()) - account["left_out"], account["rows_in"]
        own = (rules or {}).get(table, ()) if refused else ()
        reasons = sorted(account["refused"].items(), key=lambda item: (-item[1], item[0]))
        told = ""
        for reason, n in reasons:
            if reason in own:
                continue
            shown = (examples or {}).get(table, {}).get(reason, [])
            told += f"\n    {n:,} × {reason}"
            told += "".join(f"\n        {line}" for line in shown)
            mend = _misread(reason, shown, table, (encodings or {}).get(table, ""))
            told += f"\n        {mend}" if (mend := mend or _mend(reason, table, lines or {})) else ""
        told += "".join(f"\n    {note}" for note in account["notes"] if any(mark in note for mark in (*FAULTS, HELD)))
        left = [f"{n:,} × {reason}" for reason, n in reasons if reason in own]
        told += f"\n    Not counted, since client.yml's own rules leave them out: {'; '.join(left)}." if left else ""
        share = refused / rows_in if rows_in else 0.0
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


# how a reason begins or what it holds -> the key of client.yml to look at; {name}: the reason's first word
_MENDS = (
    (" in two ways ", "date_format.{name}"),
    (" not readable as a number", "decimal"),
    (" not readable as ", "date_format.{name}"),
    (" in another currency", "currency_column"),
    ("another currency's mark", "currency_column"),
    ("currency without a rate", "rates"),
    (" is none of ", "values.{name}"),
    ("score off the scale", "/scales"),
    ("left out by keep_only", "keep_only"),
    ("left out by leave_out", "leave_out"),
    ("no goods", "not_goods"),
    ("exact duplicate", "duplicates"),
    ("question not answered", "questions"),
    ("same person", "/persons"),
    ("after as_of", "/as_of"),
    ("than the header", "delimiter"),
    ("none of ", "columns"),
    ("amount not above zero", "columns.amount"),
    (" missing", "columns.{name}"),
    (" stands in an earlier record", "columns.{name}"),
)


def _mend(reason: str, table: str, lines: dict[str, int]) -> str:
    """Which key of client.yml a reason asks about, and its line; of one that is not there, where it belongs."""
    key = next((key for mark, key in _MENDS if mark in reason), "")
    if not key or not lines:
        return ""
    key = key.format(name=reason.split(" ")[0])
    key = key[1:] if key.startswith("/") else f"tables.{table}.{key}"
    above = key
    while above not in lines and "." in above:
        above = above.rpartition(".")[0]
    if above not in lines:
        return f"client.yml: add {key}."
    if above == f"tables.{table}":
        return f"client.yml, line {lines[above]}: add {key.removeprefix(f'{above}.')} under {above}."
    return f"client.yml, line {lines[above]}: {above}."


def _misread(reason: str, examples: list[str], table: str, encoding: str) -> str:
    """What to mend where amounts bear a mark that another encoding reads as a currency's."""
    if not encoding or " not readable as a number" not in reason:
        return ""
    for example in examples:
        if found := misread.mark(example.rpartition("': '")[2].rstrip("'"), encoding=encoding):
            stands, meant, other = found
            return f"client.yml: {stands!r} is {meant!r} in {other}: write tables.{table}.encoding: {other}."
    return ""


def _without_late(account: dict) -> dict:
    """An account without the rows that lie after as_of."""
    by_rule = account["refused"].get(LATER, 0)
    late = account["refused"].get(LATE, 0) + by_rule
    rest = {reason: n for reason, n in account["refused"].items() if reason not in (LATE, LATER)}
    left = {"rows_in": account["rows_in"] - late, "left_out": account["left_out"] - by_rule}
    return {**account, **left, "refused": rest, "kept": account["kept"] or late}


def money_note(sums: Mapping[str, float], *, currency: str) -> str:
    """What the refused order lines hold whose amount could be read. From: reason -> sum of their amounts."""
    found = sorted(((n, reason) for reason, n in sums.items() if round(n)), key=lambda one: (-abs(one[0]), one[1]))
    if not found:
        return ""
    if len(found) == 1:
        return f"{HELD} whose amount could be read hold {found[0][0]:,.0f} {currency} ({found[0][1]})."
    told = "; ".join(f"{n:,.0f} ({reason})" for n, reason in found[:MOST_SUMS])
    more = f"; {len(found) - MOST_SUMS} more reasons" if len(found) > MOST_SUMS else ""
    whole = sum(n for n, _ in found)
    return f"{HELD} whose amount could be read hold {whole:,.0f} {currency}: {told}{more}."
