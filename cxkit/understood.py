"""How a client's exports were understood: what each file is, what was done to it by rule, what each column holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from cxkit import delimiters
from cxkit.mapping import DATE_WORDS, After, Constant, Export, Multiply, Persons, Reading, Shared
from cxkit.shown_names import renamed, shown_paths
from cxkit.tables import TABLES

NAMED = 10  # columns that were not read
SHOWN = 6  # words of a value map, codes of a rule
FORMATS = {
    ".csv": "CSV",
    ".tsv": "TSV",
    ".txt": "text",
    ".parquet": "Parquet",
    ".xlsx": "workbook",
    ".xls": "workbook",
    ".json": "JSON",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".duckdb": "DuckDB",
    ".db": "DuckDB",
}
PLAIN = ("CSV", "TSV", "text")  # what has cells between marks, in an encoding
MARKS = {**delimiters.CALLED, " ": "blanks"}
WORDS = dict(
    zip(
        DATE_WORDS,
        (
            "2026-12-31T14:05:09 (ISO)",
            "Excel's day numbers",
            "seconds since 1970",
            "milliseconds since 1970",
            "microseconds since 1970",
        ),
        strict=True,
    )
)
EXAMPLE = datetime(2026, 12, 31, 14, 5, 9)


def how_read(exports: Mapping[str, Export], accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """One row a table: table, files, read_as (format, cells, encoding, sheet, header), numbers, times, rows_in.

    From: the client's tables as client.yml maps them; `Loaded.accounts`. Formats of times are shown by an
    example, with the zone where it is not the client's.
    """
    rows = [
        {
            "table": name,
            "files": renamed(_few(export.path), shown_paths(exports)),
            "read_as": _form(export, export.path),
            "numbers": _numbers(export, name),
            "times": _times(export, name),
            "rows_in": accounts.get(name, {}).get("rows_in", 0),
        }
        for name, export in exports.items()
    ]
    return pd.DataFrame(rows, columns=["table", "files", "read_as", "numbers", "times", "rows_in"])


def _few(texts: Sequence[str], *, most: int = 2) -> str:
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _form(reading: Reading, paths: Sequence[str]) -> str:
    """What a file is: `CSV with semicolons, gz, cp1251`."""
    kinds = []
    for path in paths:
        inner, _, packed = path.rpartition(".")
        packed = packed.lower() if packed.lower() in ("gz", "zip") else ""
        suffix = "." + (inner if packed else path).rpartition(".")[2].lower()
        kind = FORMATS.get(suffix, "CSV" if packed == "zip" else suffix.removeprefix(".").upper())
        marks = f" with {MARKS.get(reading.delimiter, repr(reading.delimiter))}" if kind in PLAIN else ""
        kinds.append(f"{kind}{marks}, {packed}" if packed else f"{kind}{marks}")
    form = " or ".join(dict.fromkeys(kinds))
    parts = [form]
    if form.split(" ")[0] in PLAIN:
        parts.append(reading.encoding)
    if reading.sheet:
        names, several = ", ".join(filter(None, reading.sheets())), len(reading.sheets()) > 1
        parts.append(f"sheet{'s' * several} {names}" if form == "workbook" else f"{names} in it")
    if reading.header == (0,):
        parts.append("no header")
    elif reading.header != (1,):
        parts.append(f"header in record {' and '.join(map(str, reading.header))}")
    return ", ".join(parts)


def _numbers(export: Export, table: str) -> str:
    mapped = [TABLES[table].columns[c].type for c in export.columns if c in TABLES[table].columns]
    if not {"money", "number", "integer"} & set(mapped) and not export.questions:
        return "none"
    return {".": "1,234.50", ",": "1 234,50"}[export.decimal]


def _times(export: Export, table: str) -> str:
    timed = [c for c in export.columns if c in TABLES[table].columns and TABLES[table].columns[c].type == "time"]
    if not timed:
        return "none"
    formats = list(dict.fromkeys(f for column in timed for f in export.formats(column) or ("iso",)))
    return " or ".join(_example(f) for f in formats) + (f"; {export.time_zone}" if export.time_zone else "")


def _example(pattern: str) -> str:
    return WORDS.get(pattern) or EXAMPLE.strftime(pattern)


def rules(
    exports: Mapping[str, Export], accounts: Mapping[str, Mapping], *, persons: Persons | None = None
) -> pd.DataFrame:
    """What client.yml says is to be done to the records, besides taking columns as they are.

    To: table, rule (the key of client.yml), meaning, rows (records or ids that it met; missing where that is not
    counted).
    """
    rows = []
    for name, export in exports.items():
        account = accounts.get(name, {})
        refused, met = account.get("refused", {}), account.get("met", {})
        rows += [(name, key, meaning, _met(refused, key, of)) for key, of, meaning in _rules(export, met)]
    if persons:
        merged = [accounts.get(name, {}).get("merged") or {} for name in exports]
        ids, people = max(((m.get("ids", 0), m.get("persons", 0)) for m in merged), default=(0, 0))
        told = f"{persons.id} of one {persons.person} in {persons.path} are one person"
        told += ", whatever its capitals" if persons.lower_case else ""
        told += f": {ids:,} ids are {people:,} persons" if ids else ""
        rows.append(("all", "persons", told, ids or None))
    frame = pd.DataFrame(renamed(rows, shown_paths(exports, persons)), columns=["table", "rule", "meaning", "rows"])
    return frame.assign(rows=frame["rows"].astype("Int64"))


def _met(refused: Mapping[str, int], key: str, of: str) -> int | None:
    """How many records a rule left out: the reasons name the key, and the column where it has one."""
    reasons = [reason for reason in refused if f"{key} " in f"{reason} " and (not of or f"({of})" in reason)]
    return sum(refused[reason] for reason in reasons) if key in ("not_goods", "keep_only", "leave_out") else None


def _rules(export: Export, met: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, str]]:
    """Key, column and meaning of each rule of one table. From: `met`, rule -> entry -> records (`Loaded.accounts`)."""

    def counted(rule: str, entries: Sequence[str], shown: Sequence[str] | None = None) -> str:
        numbers = met.get(rule, {})
        told = [
            f"{s} ({numbers[e]:,})" if e in numbers else s
            for e, s in zip(entries, shown or _told(entries), strict=True)
        ]
        return _codes(told)

    found = [("join", "", _joined(j)) for j in export.join]
    found += [
        ("keep_only", c, f"only records whose {c} is {counted(f'keep_only.{c}', p)}")
        for c, p in export.keep_only.items()
    ]
    found += [
        ("leave_out", c, f"no records whose {c} is {counted(f'leave_out.{c}', p)}") for c, p in export.leave_out.items()
    ]
    if export.not_goods:
        found.append(
            ("not_goods", "", f"lines that sell nothing, by their product_id: {counted('not_goods', export.not_goods)}")
        )
    if export.returns:
        found.append(("returns", "", f"an order number beginning with {export.returns.order_id_prefix} is a return"))
    if export.once_per_order:
        found.append(
            ("once_per_order", "", f"given once an order, and true of all its lines: {_codes(export.once_per_order)}")
        )
    found += [("questions", "", f"a record becomes an answer to each of {len(export.questions)} questions")] * bool(
        export.questions
    )
    found += [("columns", "", told) for c, source in export.columns.items() if (told := _made(c, source))]
    found += [
        ("values", "", f"{c}: {counted(f'values.{c}', list(words), _words(words))}")
        for c, words in export.values.items()
    ]
    found += [("strip_prefix", "", f"{c} without the leading {mark}") for c, mark in export.strip_prefix.items()]
    found += [("strip_suffix", "", f"{c} without the final {mark}") for c, mark in export.strip_suffix.items()]
    found += [("lower_case", "", f"capitals make no difference in {_codes(export.lower_case)}")] * bool(
        export.lower_case
    )
    if export.rates:
        rates = ", ".join(f"{name} × {rate:g}" for name, rate in export.rates.items())
        found.append(("rates", "", f"money in the currency that {export.currency_column} names: {rates}"))
    if export.duplicates == "keep":
        found.append(("duplicates", "", "records that repeat another in every column are kept"))
    return found


def _joined(join) -> str:
    key = f"{join.on} = {join.key}" if join.key and join.key != join.on else join.on
    return f"beside each record, what {join.path} ({_form(join, [join.path])}) has for its {key}"


def _codes(texts: Sequence[str]) -> str:
    named = _told(texts)
    more = f" and {len(named) - SHOWN:,} more" if len(named) > SHOWN else ""
    return ", ".join(named[:SHOWN]) + more


def _told(texts: Sequence[str]) -> list[str]:
    return ["blank" if t == "" else "filled" if t == "*" else t for t in texts]


def _words(words: Mapping[str, str]) -> list[str]:
    return [f"{theirs} = {ours or 'nothing'}" for theirs, ours in words.items()]


def _made(column: str, source: object) -> str:
    """How a column is made that is no raw column as it stands; empty for one that is."""
    if isinstance(source, str):
        return ""
    return f"{column} = {_source(source)}"


def _source(source: object) -> str:
    """A column's source in words."""
    if isinstance(source, Multiply):
        return " × ".join(source.multiply) + "".join(f" − {_source(part)}" for part in source.minus)
    if isinstance(source, Constant):
        return f"{source.constant} in every row"
    if isinstance(source, After):
        return f"{source.after} + {source.minutes} minutes"
    if isinstance(source, Shared):
        by = " × ".join(source.by)
        return f"the order's {source.share}, shared over its lines " + (f"by {by}" if by else "in equal parts")
    return str(source)


def columns_read(exports: Mapping[str, Export], accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """Every column that was read, the least filled first: table, column, made_from, meaning, filled.

    filled: the share of kept rows that hold something there (`Loaded.accounts`); missing where it is not known.
    """
    rows = []
    for name, export in exports.items():
        filled = accounts.get(name, {}).get("filled", {})
        asked = {f"{q.metric}": raw for raw, q in export.questions.items()}
        sources = {c: _source(s) for c, s in export.columns.items()}
        sources |= {"score": _codes(list(asked.values()))} if asked else {}
        rows += [
            (name, column, made, TABLES[name].columns[column].meaning, filled.get(column))
            for column, made in sources.items()
            if column in TABLES[name].columns
        ]
    frame = pd.DataFrame(rows, columns=["table", "column", "made_from", "meaning", "filled"])
    frame = frame.assign(filled=frame["filled"].astype(float))
    return frame.sort_values("filled", kind="stable", ignore_index=True)


def columns_left(accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """The files' columns that nothing names: table, file, number, columns (at most ten named).

    From: `Loaded.accounts`.
    """
    rows = [
        (
            table,
            path,
            len(names),
            ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if names[NAMED:] else ""),
        )
        for table, account in sorted(accounts.items())
        for path, names in account.get("not_read", {}).items()
    ]
    return pd.DataFrame(rows, columns=["table", "file", "number", "columns"])


def describe_read(read: pd.DataFrame, columns: pd.DataFrame, *, time_zone: str) -> str:
    """What was read, in a few sentences. From: `how_read`, `columns_read`; the client's time zone."""
    verb = "was" if len(read) == 1 else "were"
    first = (
        f"{_count(len(read), 'table')} {verb} read from the client's files: {read['rows_in'].sum():,} rows, "
        f"{_count(len(columns), 'column')}. Times that name no zone are those of {time_zone}."
    )
    half = columns[columns["filled"] < 0.5]
    if columns["filled"].isna().all():
        return first
    if half.empty:
        return f"{first} No column is empty in more than half of its rows."
    named = [f"{row.table}.{row.column}" for row in half.head(3).itertuples()]
    more = f" and {len(half) - 3:,} more" if len(half) > 3 else ""
    verb = "is" if len(half) == 1 else "are"
    return f"{first} {len(half):,} of the columns {verb} empty in more than half of the rows: {', '.join(named)}{more}."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
