"""How is a raw record read? Raw texts -> canonical columns of the right type, and the first fault of each row."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import and_, mul, or_, sub

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from cxkit import cells, engine, numerals, patterns, times
from cxkit.client import Client
from cxkit.column_kinds import NO_VALUE
from cxkit.mapping import After, Constant, Export, Multiply, Shared, Source, raw_of
from cxkit.mapping_checks import ANSWER, SAID, given
from cxkit.tables import Column
from cxkit.tables import Table as Canonical

PLACES = 4  # of money: a hundredth of the smallest coin, so that 3 × 0.1 is 0.3
LEAST_MONEY = 0.005  # of a price less an order's discount, shared out in parts of 1/10,000
SCORED = {"surveys": "score", "reviews": "rating", "contacts": "satisfaction"}
_OTHER = "is in another currency (tell it by currency_column, and its rate in rates)"
_BELOW = "is below zero: minus takes off more than the product is"
_CONTRARY = "bears another currency's mark than the currency_column tells"
_TOLD = {
    "iso": "ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)",
    "excel": "a day as Excel counts them (46203.5)",
    "epoch_s": "seconds since 1970 (1782828300)",
    "epoch_ms": "milliseconds since 1970 (1782828300000)",
    "epoch_us": "microseconds since 1970 (1782828300000000)",
}


@dataclass(frozen=True)
class Check:
    """A reason to refuse a row: what is told, the raw column (empty: the row's own, in `question`, or none), and
    whether the client's own rule leaves the row out."""

    reason: str
    column: str
    by_rule: bool = False


@dataclass(frozen=True)
class Read:
    """One table's rows, read. rows: the canonical columns and `line`, `part`, `fault` (the number of the first check
    that failed, or null), `value` (the raw text it failed on), `question` (the raw column of the row's question, where
    there are questions), `day` (local day of the row's time), `is_return`, `not_read_<name>` (an optional value that
    could not be read), `unread_<column>` (its raw text). checks: what the numbers mean. not_read: name -> what is to be
    told of these values (`f"{n:,} values of {told}"`)."""

    rows: Table
    checks: list[Check]
    not_read: dict[str, str]


def mapped_to(export: Export) -> dict[str, str]:
    """Every raw column that an export's mapping names -> the key of client.yml (under the table) that names it first.

    What is left out: the keys of joined files (`join.<n>.key`), which are columns of those files alone.
    """
    named = [(raw, f"columns.{name}") for name, source in export.columns.items() for raw in raw_of(source)]
    named += [(export.currency_column, "currency_column")] if export.currency_column else []
    for raw, question in export.questions.items():
        named += [(raw, f"questions.{raw}")]
        named += [(question.comment, f"questions.{raw}.comment")] if question.comment else []
    named += [(raw, f"keep_only.{raw}") for raw in export.keep_only]
    named += [(raw, f"leave_out.{raw}") for raw in export.leave_out]
    named += [(join.on, f"join.{i}.on") for i, join in enumerate(export.join)]
    targets: dict[str, str] = {}
    for raw, key in named:
        targets.setdefault(raw, key)
    return targets


def raw_names(export: Export) -> dict[str, str]:
    """Every raw column that an export's mapping names -> its name in the engine (r0, r1, …)."""
    return {raw: f"r{i}" for i, raw in enumerate(mapped_to(export))}


def read(
    records: Table,
    *,
    table: Canonical,
    export: Export,
    client: Client,
    names: dict[str, str],
    as_they_are: Collection[str] = (),
) -> Read:
    """Raw records -> canonical columns, and for each row the first check that it fails.

    From: records with `line`, `part`, `is_duplicate`, `row_hash`, the raw columns under `names`, shared money as
    `shared_<column>`, answers as `q_<column>`, and `met_…`, which stays; `as_they_are`, columns that the caller trims.
    The order of the checks: an exact duplicate; the client's own rules; a question without an answer; a required value
    missing; a currency without a rate; a required value of another currency, to be read in two ways, not readable; an
    unknown status or metric; none of the columns of which one is needed; a score off its scale; no goods; an amount not
    above zero. (`door` adds: after as_of; a key that an earlier record has.)
    What is left out: an optional value that cannot be read becomes empty (and is counted), the row stays.
    """
    raws = _raws(records, table=table, export=export, names=names, as_they_are=as_they_are)
    parsed, odd = _parsed(records, raws, table=table, export=export, client=client, names=names)
    mapped = given(export)
    values = {name: parsed[f"value_{name}"] for name in mapped}
    texts = {name: parsed[f"text_{name}"] for name in mapped}
    checks: list[tuple[Check, BooleanValue, StringValue]] = []

    def check(reason: str, name: str, fails: BooleanValue, *, text: StringValue | None = None, rule: bool = False):
        raw = _shown_raw(name, export) if name in values else name
        shown = texts.get(name, ibis.null("string")) if text is None else text
        checks.append((Check(reason, raw, rule), fails.fill_null(False), shown))

    if export.duplicates == "refuse":
        check("exact duplicate of an earlier record", "", parsed.is_duplicate)
    for key, raw, _ in _rules(export):
        text = parsed[f"text of {raw}"]
        check(f"left out by {key} ({raw})", raw, parsed[f"{key} {raw}"], text=text, rule=True)
    if export.questions:
        check("question not answered", "score", texts["score"].isnull(), rule=True)
    scored = SCORED.get(table.name)
    if scored in values and table.columns[scored].required:
        nothing = values[scored].isnull() & texts[scored].lower().isin(NO_VALUE)
        check("question not answered: it says NA, N/A, - or the like", scored, nothing, rule=True)
    needed = [n for n, c in table.columns.items() if c.required and not c.derived]
    for name in needed:
        check(f"{name} missing", name, texts[name].isnull())
    if export.currency_column:
        no_rate = parsed.rate.isnull()
        check("currency without a rate (rates in client.yml)", export.currency_column, no_rate, text=parsed.currency)
    for name in needed:
        for flag, told in odd[name].items():
            check(f"{name} {told}", name, parsed[flag])
        if table.columns[name].type != "text":
            check(_not_readable(table.columns[name], export), name, values[name].isnull())
    for name, column in table.columns.items():
        if column.valid and name in values:
            known = values[name].isin(column.valid)
            check(f"{name} is none of {', '.join(column.valid)}", name, ~known)
    if table.one_of:
        found = [values[n] for n in table.one_of if n in values]
        none = reduce(and_, [g.isnull() for g in found], ibis.literal(True))
        check(f"none of {', '.join(table.one_of)} is given", "", none)
    not_read: dict[str, tuple[BooleanValue, str]] = {}
    optional = [n for n in values if not table.columns[n].required and table.columns[n].type != "text"]
    for name in optional:
        flags = {flag: parsed[flag].fill_null(False) for flag in odd[name]}
        plain = reduce(and_, [~f for f in flags.values()], texts[name].notnull() & values[name].isnull())
        not_read[name] = plain, f"{name} not readable"
        not_read |= {flag: (flags[flag], f"{name} of which each {told}") for flag, told in odd[name].items()}
    if scored in values:
        off = _off_scale(values, scored, client).fill_null(False)
        if table.columns[scored].required:
            check("score off the scale that client.yml declares", scored, off)
        else:
            not_read[f"{scored}_off"] = off, f"{scored} off the scale that client.yml declares"
            values[scored] = off.ifelse(ibis.null("float64"), values[scored])
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
    day = parsed[f"local_{table.time}"].cast("date") if table.time in values else ibis.null("date")
    values |= {table.day: day} if table.time in values else {}
    asked = [(parsed.part == i, raw) for i, raw in enumerate(export.questions, 1)]
    rows = parsed.select(
        "line",
        "part",
        *[name for name in parsed.columns if name.startswith("met_")],
        fault=fault.cast("int16"),
        value=value,
        day=day,
        is_return=is_return,
        tie=parsed.row_hash,  # settles equal rows whatever their order in the file
        **({"question": ibis.cases(*asked)} if asked else {}),
        **{name: values[name] for name in table.columns if name in values},
        **{f"not_read_{name}": flag for name, (flag, _) in not_read.items()},
        **{f"unread_{n}": not_read[n][0].ifelse(texts[n], ibis.null("string")) for n in optional},
    )
    return Read(rows, [c for c, _, _ in checks], {name: told for name, (_, told) in not_read.items()})


def _parsed(
    records: Table, raws: dict, *, table: Canonical, export: Export, client: Client, names: dict[str, str]
) -> tuple[Table, dict[str, dict[str, str]]]:
    """The records with text_, value_ and (of times) local_ columns, the currency and its rate, what the rules say, each
    computed once; and of each column the flags beside it with what they tell (another currency, two ways)."""
    keep = ["line", "part", "is_duplicate", "row_hash", *[name for name in records.columns if name.startswith("met_")]]
    shaped = {f"raw_{name}_{i}": raw for name, cells_ in raws.items() for i, raw in enumerate(cells_)}
    for key, raw, wanted in _rules(export):
        held = records[names[raw]]
        found = patterns.matches(held, wanted)
        shaped[f"{key} {raw}"] = found if key == "leave_out" else ~found
        shaped[f"text of {raw}"] = numerals.as_text(held)
    codes = [client.currency, *(code.upper() for code in export.rates)]
    if export.currency_column:
        text = engine.plain(numerals.as_text(records[names[export.currency_column]]))
        shaped["currency"] = numerals.currency_code(text, codes)
    # queries of their own, so that the engine does not compute a text again for each of its uses
    texts = engine.barrier(records.select(*keep, **shaped))
    numbers = {"money", "number", "integer"}
    simple: dict[str, Value] = {}
    for name in raws:
        column, source = table.columns[name], export.columns.get(name, "")
        for i, raw in enumerate(texts[f"raw_{name}_{i}"] for i in range(len(raws[name]))):
            raw = raw if isinstance(source, Multiply) else cells.mapped(raw, column, export)
            if isinstance(source, Multiply) or column.type in numbers:
                simple[f"simple_{name}_{i}"] = numerals.simple(raw, export.decimal)
            elif column.type in ("time", "date") and i == 0:
                for j, pattern in enumerate(_formats(name, export) or ("iso",)):
                    simple[f"simple_{name}_{j}"] = times.simple(raw, pattern)
    texts = engine.barrier(texts.mutate(**simple)) if simple else texts
    steps: dict[str, Value] = {}
    for name in raws:
        column, source = table.columns[name], export.columns.get(name, "")
        held = [texts[f"raw_{name}_{i}"] for i in range(len(raws[name]))]
        if column.type == "money" or isinstance(source, Multiply):
            for i, raw in enumerate(held):
                raw = raw if isinstance(source, Multiply) else cells.mapped(raw, column, export)
                known = texts[f"simple_{name}_{i}"]
                steps[f"number_{name}_{i}"] = numerals.number(raw, export.decimal, known=known)
                steps[f"marked_{name}_{i}"] = numerals.marked(raw, known=known)
        elif column.type in ("time", "date"):
            zone = export.time_zone or client.time_zone
            for i, pattern in enumerate(_formats(name, export) or ("iso",)):
                steps[f"utc_{name}_{i}"], steps[f"local_{name}_{i}"] = times.time(
                    texts[f"simple_{name}_{i}"], pattern, zone=zone, home=client.time_zone
                )
    texts = engine.barrier(texts.mutate(**steps)) if steps else texts
    coins = {"export": export, "currency": client.currency, "codes": codes}
    less = [name for name in raws if getattr(export.columns.get(name), "minus", ())]
    money = {
        f"{part}_{name}_{i}": value
        for name in less
        for i, pair in enumerate(_money(texts, name, len(raws[name]), **coins))
        for part, value in zip(("money", "foreign"), pair, strict=True)
    }
    # a product less others is used in a dozen places, and the product in each of them several times
    texts = engine.barrier(texts.mutate(**money)) if less else texts
    row_code = texts.currency if export.currency_column else None
    columns: dict[str, Value] = {"rate": _rate(texts.currency, export, client)} if export.currency_column else {}
    odd: dict[str, dict[str, str]] = {name: {} for name in raws}
    for name in raws:
        column, source = table.columns[name], export.columns.get(name, "")
        held = [texts[f"raw_{name}_{i}"] for i in range(len(raws[name]))]
        columns[f"text_{name}"] = cells.shown(source, held)
        if f"number_{name}_0" in steps:
            if name in less:
                read = [(texts[f"money_{name}_{i}"], texts[f"foreign_{name}_{i}"]) for i in range(len(held))]
            else:
                read = _money(texts, name, len(held), **coins)
            value, other = _product(source, held, read)
            value = value if row_code is None or column.type != "money" else value * columns["rate"]
            value = numerals.finite(value) if isinstance(source, Multiply) or row_code is not None else value
            columns[f"value_{name}"] = value.round(PLACES) if column.type == "money" else value
            if column.type == "money":
                columns[f"other_{name}"] = other
                odd[name] = {f"other_{name}": _OTHER if row_code is None else _CONTRARY}
            if column.type == "money" and isinstance(source, Multiply) and source.minus:
                # a sale of which more is taken off than it is worth is no return
                whole = reduce(mul, [number for number, _ in read[: len(source.multiply)]])
                columns[f"below_{name}"] = (whole >= 0) & (value <= -LEAST_MONEY)
                value = columns[f"below_{name}"].ifelse(ibis.null("float64"), value)
                value = ((whole >= 0) & (value.abs() < LEAST_MONEY)).ifelse(0.0, value)  # what rounding leaves
                columns[f"value_{name}"] = value.round(PLACES)
                odd[name][f"below_{name}"] = _BELOW
        elif f"utc_{name}_0" in steps:
            formats = _formats(name, export) or ("iso",)
            readings = [(texts[f"utc_{name}_{i}"], texts[f"local_{name}_{i}"]) for i in range(len(formats))]
            utc, local, two_ways = times.one_of(readings)
            if isinstance(source, After):
                utc, local = times.after(utc, numerals.number(held[1], export.decimal), home=client.time_zone)
            columns[f"value_{name}"] = utc if column.type == "time" else local.cast("date")
            columns[f"local_{name}"] = local
            if len(formats) > 1:
                columns[f"two_{name}"] = two_ways
                odd[name] = {f"two_{name}": f"can be read in two ways ({', '.join(formats)})"}
        else:
            known = texts[f"simple_{name}_0"] if f"simple_{name}_0" in simple else None
            columns[f"value_{name}"] = cells.value(held[0], column, export, known=known)
    kept = [*keep, *[name for name in shaped if not name.startswith("raw_")]]
    return engine.barrier(texts.select(*kept, **columns)), odd


def _rules(export: Export) -> list[tuple[str, str, tuple[str, ...]]]:
    """(keep_only or leave_out, raw column, patterns), in the order of client.yml."""
    rules = {"keep_only": export.keep_only, "leave_out": export.leave_out}
    return [(key, raw, wanted) for key, part in rules.items() for raw, wanted in part.items()]


def _raws(
    records: Table, *, table: Canonical, export: Export, names: dict[str, str], as_they_are: Collection[str]
) -> dict[str, list[Value]]:
    """The raw cells that each canonical column is made of, as the column takes them."""
    found = {}
    for name in given(export):
        column, source = table.columns[name], export.columns.get(name)
        if isinstance(source, Constant):
            raws = [ibis.literal(source.constant)]
        elif isinstance(source, Shared):
            raws = [records[f"shared_{name}"]]
        elif isinstance(source, Multiply):
            raws = [records[names[raw]] for raw in source.multiply]
            raws += [
                records[f"shared_{name}_{i}" if isinstance(part, Shared) else names[part]]
                for i, part in enumerate(source.minus)
            ]
        else:
            raws = [records[names[raw]] for raw in raw_of(source)] if source else []
        found[name] = raws if name in as_they_are else [cells.shaped(raw, column, export) for raw in raws]
        if export.questions and name in (*ANSWER, *SAID):  # what a question says comes before what the record says
            told = cells.shaped(records[f"q_{name}"], column, export)
            found[name] = [ibis.coalesce(told, *found[name]) if found[name] else told]
    return found


def _money(
    texts: Table, name: str, cells_: int, *, export: Export, currency: str, codes: list[str]
) -> list[tuple[Value, BooleanValue]]:
    """Each of a column's cells as a number of money, and whether it bears another currency's mark."""
    row_code = texts.currency if export.currency_column else None
    options = {"currency": currency, "codes": codes, "row_code": row_code}
    return [
        numerals.money(texts[f"number_{name}_{i}"], texts[f"marked_{name}_{i}"], export.decimal, **options)
        for i in range(cells_)
    ]


def _product(source: Source, held: list[Value], read: list[tuple[Value, BooleanValue]]) -> tuple[Value, BooleanValue]:
    """The number, or a product of numbers less others, of which a blank one is 0; whether any bears another currency's
    mark."""
    whole = len(source.multiply) if isinstance(source, Multiply) else 1
    numbers = [number for number, _ in read]
    less = [raw.isnull().ifelse(0.0, number) for raw, number in zip(held[whole:], numbers[whole:], strict=True)]
    return reduce(sub, less, reduce(mul, numbers[:whole])), reduce(or_, [other for _, other in read])


def _formats(name: str, export: Export) -> tuple[str, ...]:
    """The formats of a time; one that is so long after another and has none of its own is read as the other is."""
    source = export.columns.get(name)
    if isinstance(source, After) and isinstance(export.date_format, dict) and name not in export.date_format:
        name = next((n for n, s in export.columns.items() if s == source.after), name)
    return export.formats(name)


def _rate(currency: StringValue, export: Export, client: Client) -> Value:
    """What one unit of the row's currency is in the client's; null for a currency without a rate or none at all."""
    rates = {**{code.upper(): rate for code, rate in export.rates.items()}, client.currency: 1.0}
    return currency.cases(*rates.items(), else_=ibis.null("float64"))


def _off_scale(values: dict[str, Value], scored: str, client: Client) -> BooleanValue:
    """Whether a score lies outside its declared scale; a metric without a scale is not checked."""
    score = values[scored]
    if scored != "score":
        low, high = client.scales.get(scored, (float("-inf"), float("inf")))
        return ~score.between(low, high)
    tests = [((values["metric"] == metric) & ~score.between(*scale)) for metric, scale in client.scales.items()]
    return reduce(or_, tests, ibis.literal(False))


def _returns(values: dict[str, Value], export: Export) -> BooleanValue:
    """Whether an order line takes goods or money back: marked by its order's number, or negative."""
    marks = [values["amount"] < 0]
    if "quantity" in values:
        marks.append(values["quantity"] < 0)
    if export.returns:
        marks.append(values["order_id"].startswith(export.returns.order_id_prefix))
    return reduce(or_, [m.fill_null(False) for m in marks])


def _order_columns(values: dict[str, Value]) -> dict[str, Value]:
    """The columns that every order line has after the door, mapped or not: status, refund."""
    status = values["status"].fill_null("completed") if "status" in values else ibis.literal("completed")
    refund = values["refund"].abs() if "refund" in values else ibis.null("float64")
    # a line said to be returned, without a sum, was given back whole
    whole = (status == "returned").ifelse(values["amount"], 0.0)
    return {"status": status, "refund": refund.fill_null(whole)}


def _shown_raw(name: str, export: Export) -> str:
    """The raw column that a canonical one is read from, as messages name it; empty where each row has its own."""
    if export.questions and name in ANSWER:
        return ""
    source = export.columns.get(name, "")
    if isinstance(source, Multiply):
        return " − ".join([" × ".join(source.multiply), *(raw_of(part)[0] for part in source.minus)])
    return (" + " if isinstance(source, After) else " × ").join(raw_of(source)) if source else ""


def _not_readable(column: Column, export: Export) -> str:
    if column.type in ("time", "date"):
        formats = [_TOLD.get(f, f) for f in _formats(column.name, export) or ("iso",)]
        return f"{column.name} not readable as {' or '.join(formats)}"
    return f"{column.name} not readable as a number with the decimal mark {export.decimal!r}"
