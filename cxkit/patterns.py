"""Which records do the client's own rules (`keep_only`, `leave_out`) leave out? By patterns of raw columns."""

from collections.abc import Sequence
from functools import reduce

import ibis
from ibis.expr.types import BooleanValue, Value

from cxkit import engine, numerals


def matches(raw: Value, patterns: Sequence[str]) -> BooleanValue:
    """Whether a raw value is one of these: compared trimmed, capitals ignored; `*` at either end stands for anything,
    `*` alone for any value, an empty pattern for a blank one."""
    text = engine.plain(numerals.as_text(raw)).fill_null("").lower()
    exact = [p for p in patterns if not (p.startswith("*") or p.endswith("*"))]
    found = [text.isin([ibis.literal(p.strip()).lower() for p in exact])] if exact else []
    for pattern in patterns:
        part = ibis.literal(pattern.strip("*")).lower()
        if pattern and not pattern.strip("*"):
            found.append(text != "")
        elif pattern.startswith("*") and pattern.endswith("*"):
            found.append(text.contains(part))
        elif pattern.startswith("*"):
            found.append(text.endswith(part))
        elif pattern.endswith("*"):
            found.append(text.startswith(part))
    return reduce(lambda a, b: a | b, found)
