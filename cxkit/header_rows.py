"""Which record names the columns? The first as wide as the table whose cells are no values like those below it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LOOKED_AT = 30  # records that may stand above the header
MOST_ROWS = 4  # of a header
TYPED = 0.8  # share of a column's values of one kind that makes it a column of that kind
_SCALE = re.compile(r"\d{1,3}\s?[-–—]\s?\d{1,3}")  # below a survey's question
_KINDS = {
    "address": re.compile(r"https?://\S+|(?:\d{1,3}\.){3}\d{1,3}"),
    "number": re.compile(r"[-+(]?\s*[$€£¥₴₽]?\s?\d[\d\s.,'’\u00a0\u202f]*\s?(?:%|[^\w\s]|[A-Za-zł₴грн.]{1,4})?\)?"),
    "time": re.compile(
        r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T ,].*)?|\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]m)?"
        r"|\d{1,2}[- .]?[^\W\d]{3,9}\.?[- .,]{1,2}\d{2,4}(?:[ ,].*)?|[^\W\d]{3,9}\.? \d{1,2},? \d{4}(?:[ ,].*)?"
        r"|[A-Z][a-z]{2},? \d{1,2} .*\d{4}.*",
        re.IGNORECASE,
    ),
    "e-mail": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "code": re.compile(r"(?=\S*\d\S*\d)(?=\S{4,}$)[#\w/.-]+"),
}


@dataclass(frozen=True)
class Header:
    """The records that name the columns, counted from 1 (0: none), what that rests on, and whether it is plain."""

    records: tuple[int, ...]
    evidence: str
    sure: bool
    notes: tuple[str, ...] = ()


def find_header(records: Sequence[Sequence[str]]) -> Header:
    """The header of a table, from its first records (at least the first hundred, where it has so many)."""
    rows = [[c.strip() for c in r] for r in records]
    if not rows:
        return Header((1,), "a guess: there are no records", False)
    top = _top(rows)
    head, body = rows[top], rows[top + 1 :]
    above = (f"{top} record{'s' if top > 1 else ''} above the header: left out.",) if top else ()
    if not body:
        return Header((top + 1,), "a guess: there is nothing below it", False, above)
    votes = _votes(head, body)
    if votes < 0 and not top:
        told = "the first record holds values like those below it"
        return Header((0,), told if votes <= -2 else f"a guess: {told}", votes <= -2, ("It has no header row.",))
    last = _last(rows, top)
    told = f"record {top + 1} holds names" if last == top else f"records {top + 1} to {last + 1} hold names"
    kinds = sum(k not in ("", "text") for k in _column_kinds(rows[last + 1 :], len(head)))
    told += f", and {kinds} of {len(head)} columns below hold numbers, times or codes" if kinds else ""
    sure = votes >= 1 and last == top
    notes = (*above, f"{last - top + 1} header rows: their cells are joined.") if last > top else above
    return Header(tuple(range(top + 1, last + 2)), told if sure else f"a guess: {told}", sure, notes)


def kind_of(cell: str) -> str:
    """What a cell looks like: number, time, e-mail, address, code, text; nothing for a blank."""
    if not cell:
        return ""
    return next((kind for kind, rule in _KINDS.items() if rule.fullmatch(cell)), "text")


def _top(rows: list[list[str]]) -> int:
    """The first record as wide as the table: with most of its cells filled."""
    body = rows[len(rows) // 3 :]
    width = Counter(len(r) for r in body).most_common(1)[0][0]
    filled = sorted(sum(map(bool, r)) for r in body if len(r) == width and any(r))
    usual = filled[len(filled) // 2] if filled else width
    for number, row in enumerate(rows[:LOOKED_AT]):
        if len(row) == width and sum(map(bool, row)) >= max(1, 0.6 * min(usual, width)):
            return next((i for i in range(number) if len(rows[i]) > 1 and _plain(rows[i]) and not _plain(row)), number)
    return 0


def _plain(row: list[str]) -> bool:
    """Whether a record has texts only."""
    return all(kind_of(c) in ("", "text") for c in row)


def _votes(head: list[str], body: list[list[str]]) -> float:
    """Above 0: the record names the columns below it; below 0: it is one of the records."""
    votes = 0.0
    for place, kind in enumerate(_column_kinds(body, len(head))):
        cell, values = head[place], [r[place] for r in body if place < len(r) and r[place]]
        own = kind_of(cell)
        if not own or not values:
            continue
        if own == "text":
            repeated = cell in values and len(values) > 1
            votes += 1 if kind != "text" else (-1 if repeated else 0.1 if len(set(values)) < len(values) / 2 else 0)
        elif own == kind:
            votes -= 0 if re.fullmatch(r"(?:19|20)\d\d", cell) else 1
        elif own not in ("code", "time") and kind == "text":
            votes -= 0.5
    return votes


def _column_kinds(body: list[list[str]], width: int) -> list[str]:
    """What most values of each column look like."""
    kinds = []
    for place in range(width):
        found = Counter(kind_of(r[place]) for r in body if place < len(r) and r[place])
        kind, count = found.most_common(1)[0] if found else ("", 0)
        kinds.append(kind if count >= TYPED * sum(found.values()) else "text")
    return kinds


def _last(rows: list[list[str]], top: int) -> int:
    """The last record of the header: below the first, records without one value in the columns that hold values, with
    blanks where headings are merged."""
    last = top
    while last + 1 < min(len(rows) - 1, top + MOST_ROWS):
        upper, row, body = rows[last], rows[last + 1], rows[last + 2 :]
        kinds = _column_kinds(body, len(row))
        typed = [p for p, k in enumerate(kinds) if k not in ("", "text") and _mostly_filled(body, p)]
        blanks = max(sum(not c for c in upper), sum(not c for c in row))
        if len(row) != len(rows[top]) or len(typed) < 2 or blanks < len(row) / 3:
            break
        again = any(c and any(p < len(r) and c == r[p] for r in body) for p, c in enumerate(row))
        if again or not _plain([c for c in row if not _SCALE.fullmatch(c)]):
            break
        last += 1
    return last if last > top else _grouped(rows, top)


def _grouped(rows: list[list[str]], top: int) -> int:
    """As `_last`, where no column below holds values that tell: the first record has a heading over several columns,
    the next names these and no others, further ones fill less than half, and every record below is filled in."""
    head, width = rows[top], len(rows[top])
    over = {p for p in range(width) if not head[p] or (p + 1 < width and not head[p + 1])}
    last = top
    while last + 1 < min(len(rows) - 1, top + MOST_ROWS):
        row, body = rows[last + 1], rows[last + 2 :]
        named = {p for p, c in enumerate(row) if c}
        below = named == over if last == top else len(named) < width / 2
        again = any(p < len(r) and row[p] == r[p] for p in named for r in body)
        if len(row) != width or not head[0] or not named or not below or again or not _plain(row):
            break
        last += 1
    filled = all(len(r) == width and all(r) for r in rows[last + 1 :])
    return last if filled and over and len(over) < width else top


def _mostly_filled(body: list[list[str]], place: int) -> bool:
    filled = sum(place < len(r) and bool(r[place]) for r in body)
    return filled >= len(body) / 2
