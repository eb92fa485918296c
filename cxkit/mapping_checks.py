"""Does client.yml map to tables and columns that there are? All that is wrong with it is told together."""

import re
from collections.abc import Iterator

from cxkit.client import Client, did_you_mean
from cxkit.errors import UsageError
from cxkit.mapping import DATE_WORDS, After, Constant, Export, Multiply, Shared
from cxkit.settings_file import at_line, key_lines
from cxkit.tables import TABLES, Table

# what a date format may hold; %n (nanoseconds), %c, %x and %X (whatever a locale says) may not
DIRECTIVES = ("%", *"aAbBdfHIjmMpSwyYzZ", *(f"-{letter}" for letter in "dHIjmMSy"))
NEEDS_ITEM = ("csi_item", "expectation")
ANSWER, SAID = ("metric", "score"), ("item", "touchpoint", "survey_id", "comment")


def check_mapping(client: Client) -> None:
    """Raises UsageError where client.yml maps to what is no table or column, or leaves out what a table needs; all
    faults together."""
    faults = []
    for name, export in client.tables.items():
        if name in TABLES:
            faults += _faults(TABLES[name], export)
        else:
            faults.append(f"tables.{name}: unknown table{did_you_mean(name, TABLES)}; valid are {', '.join(TABLES)}.")
    if faults:
        path = client.folder / "client.yml"
        lines = key_lines(path) if path.is_file() else {}
        faults = [at_line(fault, lines) for fault in faults]
        told = faults[0] if len(faults) == 1 else "\n  " + "\n  ".join(faults)
        raise UsageError(f"{client.folder / 'client.yml'}: {told}")


def given(export: Export) -> list[str]:
    """The canonical columns that an export gives: what its questions say of their answers, and the mapped ones."""
    said = [name for name in SAID if any(getattr(q, name) for q in export.questions.values())]
    asked = [*ANSWER, *said] if export.questions else []
    return list(dict.fromkeys([*asked, *export.columns]))


def _faults(table: Table, export: Export) -> Iterator[str]:
    place = f"tables.{table.name}"
    yield from _column_faults(table, export, place)
    yield from _source_faults(table, export, place)
    yield from _question_faults(table, export, place)
    yield from _format_faults(table, export, place)
    yield from _rule_faults(table, export, place)


def _valid(table: Table) -> list[str]:
    return [c.name for c in table.columns.values() if not c.derived]


def _column_faults(table: Table, export: Export, place: str) -> Iterator[str]:
    """Every column that a key names is one of the table's, and mapped; every one that the table needs is there."""
    valid, has = _valid(table), given(export)
    asked = {*export.keep_only, *export.leave_out}
    named = {
        "columns": export.columns,
        "values": export.values,
        "strip_prefix": export.strip_prefix,
        "strip_suffix": export.strip_suffix,
        "lower_case": export.lower_case,
        "once_per_order": export.once_per_order,
        "date_format": export.date_format if isinstance(export.date_format, dict) else (),
    }
    for part, keys in named.items():
        for key in keys:
            if part == "once_per_order" and key in asked:
                continue
            if key not in valid:
                yield f"{place}.{part}.{key}: unknown column{did_you_mean(key, valid)}; valid: {', '.join(valid)}."
            elif part != "columns" and key not in has:
                yield f"{place}.{part}.{key}: the column is not mapped; add it to {place}.columns."
    lacking = [c for c in valid if table.columns[c].required and c not in has]
    if lacking:
        needed, mapped = (", ".join(map(repr, names)) for names in (lacking, has))
        yield f"table {table.name!r} lacks {needed}; it has {mapped}. Map it under {place}.columns."
    if table.one_of and not set(table.one_of) & set(has):
        yield f"table {table.name!r} needs one of {', '.join(table.one_of)}. Map it under {place}.columns."


def _source_faults(table: Table, export: Export, place: str) -> Iterator[str]:
    """What a column is made of suits its type."""
    for column, source in export.columns.items():
        if column not in _valid(table):
            continue
        kind, allowed = table.columns[column].type, table.columns[column].valid
        at = f"{place}.columns.{column}"
        if isinstance(source, Multiply) and kind not in ("money", "number"):
            yield f"{at}: only numbers are multiplied; it is {kind}."
        if isinstance(source, Multiply) and export.values.get(column):
            yield f"{place}.values.{column}: a product takes no values; map them to a column of their own."
        if isinstance(source, After) and kind != "time":
            yield f"{at}: only a time is so long after another; it is {kind}."
        if isinstance(source, Multiply) and table.name != "orders" and any(isinstance(p, Shared) for p in source.minus):
            yield f"{at}.minus: only money of orders is shared out over their lines."
        if isinstance(source, Shared) and (table.name != "orders" or kind not in ("money", "number")):
            yield f"{at}: only money of orders is shared out over their lines."
        words = export.values.get(column, {})
        if isinstance(source, Constant) and allowed:
            word = words.get(source.constant, source.constant.lower())
            if word not in allowed:
                yield f"{at}: {source.constant!r} unknown{did_you_mean(word, allowed)}; valid are {', '.join(allowed)}."
    for column, words in export.values.items():
        allowed = table.columns[column].valid if column in _valid(table) else ()
        wrong = sorted({word for word in words.values() if word} - set(allowed)) if allowed else []
        if wrong:
            yield f"{place}.values.{column}: {', '.join(map(repr, wrong))} unknown; valid are {', '.join(allowed)}."
    for column in export.lower_case:
        if column in _valid(table) and table.columns[column].type != "text":
            yield f"{place}.lower_case: {column} is no text; it is {table.columns[column].type}."


def _question_faults(table: Table, export: Export, place: str) -> Iterator[str]:
    """A wide survey: each question has a metric, and what belongs to one answer is not mapped for all."""
    if export.questions and table.name != "surveys":
        yield f"{place}.questions: they belong to surveys only."
        return
    metrics = table.columns["metric"].valid if export.questions else ()
    for raw, question in export.questions.items():
        at = f"{place}.questions.{raw}"
        if question.metric not in metrics:
            yield (
                f"{at}.metric: {question.metric!r} unknown{did_you_mean(question.metric, metrics)}; valid are"
                f" {', '.join(metrics)}."
            )
        elif question.metric in NEEDS_ITEM and not question.item and "item" not in export.columns:
            yield f"{at}: {question.metric} needs the item that was asked about; add {at}.item."
    both = [c for c in ANSWER if export.questions and c in export.columns]
    both += ["comment"] if len(export.questions) > 1 and "comment" in export.columns else []
    for column in both:
        where = "comment of the question that it belongs to" if column == "comment" else "questions"
        yield f"{place}.columns.{column}: it is told by {place}.questions; take it out here (see {where})."


def _format_faults(table: Table, export: Export, place: str) -> Iterator[str]:
    """Formats are of times, and hold nothing that the engine does not know."""
    by_column = export.date_format if isinstance(export.date_format, dict) else {"": export.date_format}
    for column, formats in by_column.items():
        at = f"{place}.date_format" + (f".{column}" if column else "")
        if column in _valid(table) and table.columns[column].type not in ("time", "date"):
            yield f"{at}: {column} is no time; it is {table.columns[column].type}."
        for pattern in formats:
            found = [] if pattern in DATE_WORDS else re.findall("%(-?.?)", pattern)
            wrong = [f"%{mark}" for mark in found if mark not in DIRECTIVES]
            if wrong:
                yield (
                    f"{at}: {pattern!r} holds {', '.join(wrong)}; known are %d %m %Y %y %b %B %H %I %p %M %S %f %z %Z"
                    " %a %A %j."
                )


def _rule_faults(table: Table, export: Export, place: str) -> Iterator[str]:
    """The rules: of orders, with the columns that they need, and patterns that can match."""
    orders_only = {"returns": export.returns, "not_goods": export.not_goods, "once_per_order": export.once_per_order}
    wrong = [key for key, value in orders_only.items() if value]
    if table.name != "orders" and wrong:
        yield f"{place}: {' and '.join(wrong)} {'belongs' if wrong == ['once_per_order'] else 'belong'} to orders only."
    elif export.not_goods and "product_id" not in export.columns:
        yield f"{place}.not_goods: it names product_id values; map product_id under {place}.columns."
    if export.rates and not export.currency_column:
        yield f"{place}.rates: say which column holds the currency in {place}.currency_column."
    for key, rules in {"keep_only": export.keep_only, "leave_out": export.leave_out}.items():
        for raw, wanted in rules.items():
            if not wanted:
                yield f"{place}.{key}.{raw}: no pattern; write at least one."
            for pattern in wanted:
                if "*" in pattern.strip("*"):
                    yield f"{place}.{key}.{raw}: in {pattern!r} a * stands inside; it may stand at either end only."
