"""How is a raw record read? Raw texts -> canonical columns of the right type, and the first fault of each row."""

from dataclasses import dataclass
from functools import reduce
from operator import mul

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from cxkit import engine, numerals, times
from cxkit.client import Client
from cxkit.mapping import Export, Multiply, raw_of
from cxkit.tables import Column
from cxkit.tables import Table as Canonical

PLACES = 4  # of money: a hundredth of the smallest coin, so that 3 × 0.1 is 0.3
YES, NO = ("1", "true", "t", "yes", "y", "так", "да", "tak"), ("0", "false", "f", "no", "n", "ні", "нет", "nie")
SCORED = {"surveys": "score", "reviews": "rating", "contacts": "satisfaction"}


@dataclass(frozen=True)
class Check:
    """A reason to refuse a row: what is told, the raw column, and whether the client's own rule leaves it out."""

    reason: str
    column: str
    by_rule: bool = False


@dataclass(frozen=True)
class Read:
    """One table's rows, read. rows: the canonical columns and `line`, `fault` (the number of the first check that
    failed, or null), `value` (the raw text it failed on), `day` (local day of the row's time), `is_return`,
    `not_read_<column>` (an optional value that could not be read). checks: what the numbers mean."""

    rows: Table
    checks: list[Check]
    not_read: list[str]


def raw_names(export: Export) -> dict[str, str]:
    """The raw columns that an export's mapping names -> their names in the engine."""
    raw = [r for source in export.columns.values() for r in raw_of(source)]
    raw += [export.currency_column] if export.currency_column else []
    return {name: f"r{i}" for i, name in enumerate(dict.fromkeys(raw))}


def read(con, records: Table, *, table: Canonical, export: Export, client: Client, names: dict[str, str]) -> Read:
    """Raw records -> canonical columns, and for each row the first check that it fails.

    From: records with `line`, `is_duplicate`, `row_hash` and the raw columns. The order of the checks: an exact
    duplicate; a required value missing; a currency without a rate; a required value not readable; an unknown status or
    metric; none of the columns of which one is needed; a score off its scale; no goods; an amount not above zero.
    (`door` adds: after as_of; a key that an earlier record has.)
    What is left out: an optional value that cannot be read becomes empty (and is counted), the row stays.
    """
    parsed, has_rate = _parsed(con, records, table=table, export=export, client=client, names=names)
    values = {name: parsed[f"value_{name}"] for name in export.columns}
    texts = {name: parsed[f"text_{name}"] for name in export.columns}
    days = {c[len("local_") :]: parsed[c] for c in parsed.columns if c.startswith("local_")}
    checks: list[tuple[Check, BooleanValue, StringValue]] = []

    def check(reason: str, name: str, fails: BooleanValue, *, text: StringValue | None = None, rule: bool = False):
        raw = " × ".join(raw_of(export.columns[name])) if name in export.columns else name
        shown = texts.get(name, ibis.null("string")) if text is None else text
        checks.append((Check(reason, raw, rule), fails.fill_null(False), shown))

    if export.duplicates == "refuse":
        check("exact duplicate of an earlier record", "", parsed.is_duplicate)
    needed = [n for n, c in table.columns.items() if c.required and not c.derived]
    for name in needed:
        check(f"{name} missing", name, texts[name].isnull())
    if has_rate:
        no_rate = parsed.rate.isnull()
        check("currency without a rate (rates in client.yml)", export.currency_column, no_rate, text=parsed.currency)
    for name in needed:
        if table.columns[name].type != "text":
            check(_not_readable(table.columns[name], export), name, values[name].isnull())
    for name, column in table.columns.items():
        if column.valid and name in values:
            known = values[name].isin(column.valid)
            check(f"{name} is none of {', '.join(column.valid)}", name, ~known)
    if table.one_of:
        given = [values[n] for n in table.one_of if n in values]
        none = reduce(lambda a, b: a & b, [g.isnull() for g in given], ibis.literal(True))
        check(f"none of {', '.join(table.one_of)} is given", "", none)
    not_read = {
        name: texts[name].notnull() & value.isnull()
        for name, value in values.items()
        if not table.columns[name].required and table.columns[name].type != "text"
    }
    scored = SCORED.get(table.name)
    if scored in values:
        off = _off_scale(values, scored, client)
        if table.columns[scored].required:
            check("score off the scale that client.yml declares", scored, off)
        else:
            not_read[scored] = not_read[scored] | off.fill_null(False)
            values[scored] = off.fill_null(False).ifelse(ibis.null("float64"), values[scored])
    if export.not_goods:
        excluded = values["product_id"].isin(export.not_goods)
        check("no goods (not_goods in client.yml)", "product_id", excluded, rule=True)
    is_return = ibis.literal(False)
    if table.name == "orders":
        is_return, amount = _returns(values, export), values["amount"]
        cancelled = (values["status"] == "cancelled").fill_null(False) if "status" in values else ibis.literal(False)
        # a line of 0 that was cancelled sold nothing and says why: service needs it
        check("amount not above zero", "amount", (amount == 0) & (is_return | ~cancelled))
        values |= _order_columns(values)
    fault = ibis.cases(*[(fails, i) for i, (_, fails, _) in enumerate(checks)])
    value = ibis.cases(*[(fails, text) for _, fails, text in checks])
    day = days[table.time].cast("date") if table.time in days else ibis.null("date")
    values |= {table.day: day} if table.time in days else {}
    rows = parsed.select(
        "line",
        fault=fault.cast("int16"),
        value=value,
        day=day,
        is_return=is_return,
        tie=parsed.row_hash,  # settles equal rows whatever their order in the file
        **{name: values[name] for name in table.columns if name in values},
        **{f"not_read_{name}": flag for name, flag in not_read.items()},
    )
    return Read(rows, [c for c, _, _ in checks], list(not_read))


def _parsed(
    con, records: Table, *, table: Canonical, export: Export, client: Client, names: dict[str, str]
) -> tuple[Table, bool]:
    """The records with text_, value_ and (of times) local_ columns, the currency and its rate, each computed once."""
    keep = ["line", "is_duplicate", "row_hash"]
    places = [(name, i, raw) for name, source in export.columns.items() for i, raw in enumerate(raw_of(source))]
    shaped = {f"raw_{n}_{i}": _shaped(records[names[raw]], table.columns[n], export) for n, i, raw in places}
    if export.currency_column:
        shaped["currency"] = engine.plain(_as_text(records[names[export.currency_column]])).upper()
    # views of their own, so that the engine does not compute a text again for each of its uses
    texts = engine.barrier(con, records.select(*keep, **shaped))
    columns: dict[str, Value] = {"rate": _rate(texts.currency, export, client)} if export.currency_column else {}
    for name, source in export.columns.items():
        column = table.columns[name]
        raws = [texts[f"raw_{name}_{i}"] for i in range(len(raw_of(source)))]
        columns[f"text_{name}"] = reduce(lambda a, b: a + " × " + b, [_as_text(r) for r in raws])
        if isinstance(source, Multiply):
            value = reduce(mul, [numerals.number(r, export.decimal) for r in raws])
        elif column.type in ("time", "date"):
            utc, columns[f"local_{name}"] = times.time(
                raws[0], export.formats(name), zone=export.time_zone or client.time_zone
            )
            value = utc if column.type == "time" else columns[f"local_{name}"].cast("date")
        else:
            value = _value(raws[0], column, export)
        if column.type == "money":
            value = (value * columns["rate"] if export.currency_column else value).round(PLACES)
        columns[f"value_{name}"] = value
    kept = [*keep, "currency"] if export.currency_column else keep
    return engine.barrier(con, texts.select(*kept, **columns)), bool(export.currency_column)


def _as_text(raw: Value) -> StringValue:
    return raw if raw.type().is_string() else raw.cast("string")


def _shaped(raw: Value, column: Column, export: Export) -> Value:
    """A raw text trimmed, without its suffix, null where empty; other types (Parquet has them) as they are."""
    if not raw.type().is_string():
        return raw if not (column.type == "text" or column.valid) else raw.cast("string")
    text = engine.plain(raw)
    suffix = export.strip_suffix.get(column.name)
    if suffix:
        text = text.endswith(suffix).ifelse(text.left(text.length() - len(suffix)), text).nullif("")
    return text


def _value(raw: Value, column: Column, export: Export) -> Value:
    """One column's value by its type, after the mapping of `values`."""
    mapping = export.values.get(column.name, {})
    if mapping:
        raw = ibis.cases(*[(_as_text(raw) == old, new) for old, new in mapping.items()], else_=_as_text(raw))
    if column.type in ("number", "money"):
        return numerals.number(raw, export.decimal)
    if column.type == "integer":
        number = numerals.number(raw, export.decimal)
        return (number == number.floor()).ifelse(number, ibis.null("float64")).cast("int64")
    if column.type == "yes/no":
        if raw.type().is_boolean():
            return raw
        word = _as_text(raw).lower()
        return ibis.cases((word.isin(YES), True), (word.isin(NO), False))
    if column.valid:
        word = raw.lower()
        return word.isin(column.valid).ifelse(word, raw)
    return raw


def _rate(currency: StringValue, export: Export, client: Client) -> Value:
    """What one unit of the row's currency is in the client's; null for a currency without a rate or none at all."""
    rates = {**{code.upper(): rate for code, rate in export.rates.items()}, client.currency: 1.0}
    return ibis.cases(*[(currency == code, rate) for code, rate in rates.items()], else_=ibis.null("float64"))


def _off_scale(values: dict[str, Value], scored: str, client: Client) -> BooleanValue:
    """Whether a score lies outside its declared scale; a metric without a scale is not checked."""
    score = values[scored]
    if scored != "score":
        low, high = client.scales.get(scored, (float("-inf"), float("inf")))
        return ~score.between(low, high)
    tests = [((values["metric"] == metric) & ~score.between(*scale)) for metric, scale in client.scales.items()]
    return reduce(lambda a, b: a | b, tests, ibis.literal(False))


def _returns(values: dict[str, Value], export: Export) -> BooleanValue:
    """Whether an order line takes goods or money back: marked by its order's number, or negative."""
    marks = [values["amount"] < 0]
    if "quantity" in values:
        marks.append(values["quantity"] < 0)
    if export.returns:
        marks.append(values["order_id"].startswith(export.returns.order_id_prefix))
    return reduce(lambda a, b: a | b, [m.fill_null(False) for m in marks])


def _order_columns(values: dict[str, Value]) -> dict[str, Value]:
    """The columns that every order line has after the door, mapped or not: status, refund."""
    status = values["status"].fill_null("completed") if "status" in values else ibis.literal("completed")
    refund = values["refund"].abs() if "refund" in values else ibis.null("float64")
    # a line said to be returned, without a sum, was given back whole
    whole = (status == "returned").ifelse(values["amount"], 0.0)
    return {"status": status, "refund": refund.fill_null(whole)}


def _not_readable(column: Column, export: Export) -> str:
    if column.type in ("time", "date"):
        valid = " or ".join(export.formats(column.name)) or "ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)"
        return f"{column.name} not readable as {valid}"
    return f"{column.name} not readable as a number with the decimal mark {export.decimal!r}"
