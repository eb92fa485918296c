"""How does a raw cell become a value? Trimmed, without what client.yml strips, by the type of its column."""

import re
from functools import reduce

import ibis
from ibis.expr.types import StringValue, Value

from cxkit import engine, numerals
from cxkit.mapping import After, Export, Multiply, Source
from cxkit.tables import Column

YES, NO = ("1", "true", "t", "yes", "y", "так", "да", "tak"), ("0", "false", "f", "no", "n", "ні", "нет", "nie")
_BLANKS = f"[{engine.BLANKS}]*"


def shaped(raw: Value, column: Column, export: Export) -> Value:
    """A raw value as its column takes it: a text trimmed, without its prefix and suffix, null where nothing is left or
    `values` says that it means nothing; other types (Parquet has them) as they are, unless a text is wanted."""
    words = export.values.get(column.name, {})
    if raw.type().is_string():
        text = engine.plain(raw)
        prefix, suffix = export.strip_prefix.get(column.name), export.strip_suffix.get(column.name)
        ends = [f"^{re.escape(prefix)}{_BLANKS}"] if prefix else []
        ends += [f"{_BLANKS}{re.escape(suffix)}$"] if suffix else []
        text = text.re_replace("|".join(ends), "").nullif("") if ends else text
    elif column.type == "text" or words:
        text = numerals.as_text(raw).nullif("")
    else:
        return raw
    nothing = [old for old, new in words.items() if not new]
    return text.isin(nothing).ifelse(ibis.null("string"), text) if nothing else text


def mapped(raw: Value, column: Column, export: Export) -> Value:
    """A shaped value after the mapping of `values`."""
    words = [(old, new) for old, new in export.values.get(column.name, {}).items() if new]
    if not words:
        return raw
    text = numerals.as_text(raw)
    return text.cases(*words, else_=text)


def value(raw: Value, column: Column, export: Export, *, known: Value | None = None) -> Value:
    """The value of a column that is neither money nor a time, null where the text is none. From: `known`, what
    `numerals.simple` made of a number's text."""
    raw = mapped(raw, column, export)
    if column.type == "number":
        return numerals.number(raw, export.decimal, percent=True, known=known)
    if column.type == "integer":
        return numerals.whole(numerals.number(raw, export.decimal, known=known))
    if column.type == "yes/no":
        if raw.type().is_boolean():
            return raw
        word = numerals.as_text(raw).lower()
        return ibis.cases((word.isin(YES), True), (word.isin(NO), False))
    if column.valid:
        word = raw.lower()
        return word.isin(column.valid).ifelse(word, raw)
    return raw.lower() if column.name in export.lower_case else raw


def shown(source: Source, held: list[Value]) -> StringValue:
    """What is shown of the raw cells: `12 × 3 − 5`; null where one is empty, but for what is only taken off."""
    texts = [numerals.as_text(raw) for raw in held]
    whole = len(source.multiply) if isinstance(source, Multiply) else len(texts)
    shown = reduce(lambda a, b: a + (" + " if isinstance(source, After) else " × ") + b, texts[:whole])
    return reduce(lambda a, b: a + (ibis.literal(" − ") + b).fill_null(""), texts[whole:], shown)
