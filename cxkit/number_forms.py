"""How are a column's numbers written? The decimal mark, thousands, marks of a currency, percent: by values alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# unmistakable ones alone, since this is a guess (`12 ft` may be feet); one that several currencies share names none
MARKS = {
    "UAH": ("₴", "грн", "uah"),
    "PLN": ("zł", "zl", "pln"),
    "EUR": ("€", "eur"),
    "GBP": ("£", "gbp"),
    "USD": ("usd", "us$"),
    "CZK": ("kč", "czk"),
    "HUF": ("huf",),
    "RON": ("ron",),
    "RUB": ("₽", "руб", "rub"),
    "KZT": ("₸", "kzt"),
    "CHF": ("chf",),
    "SEK": ("sek",),
    "BRL": ("r$", "brl"),
    "TRY": ("₺",),
    "$": ("$",),  # what several currencies share is told as it stands
    "KR": ("kr",),
}
_MARKS = {mark: code for code, marks in MARKS.items() for mark in marks}
_MARK = "|".join(re.escape(m) for m in sorted(_MARKS, key=len, reverse=True))
_MARKED = re.compile(rf"^([+-]?) ?({_MARK})?\.? ?([+-]?[0-9][0-9 .,'’]*?|[+-]?[.,][0-9]+) ?({_MARK})?\.?( ?%)?$", re.I)
_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
_GROUPED = {
    mark: re.compile(rf"[+-]?[0-9]{{1,3}}(([ '’][0-9]{{3}})+|(\{other}[0-9]{{3}})+)(\{mark}[0-9]*)?$")
    for mark, other in ((".", ","), (",", "."))
}


@dataclass(frozen=True)
class NumberForm:
    """readable: how many values are numbers by `decimal`. decimal: "." or ",", None where nothing decides; open: both
    are possible and read some value differently. whole: all are whole numbers. places: the share of values with two
    decimals. marks: currency -> values. dot_zero: all end in .0. zeros: values with a leading zero, as codes have."""

    readable: int
    decimal: str | None
    open: bool
    against: int
    whole: bool
    places: float
    negative: int
    percent: int
    marks: dict[str, int]
    dot_zero: bool
    zeros: int


def bare(text: str) -> tuple[str, str | None, bool]:
    """A text -> (the number in it as it is written, the currency of its mark or None, whether it is a percentage)."""
    tidy = re.sub("[\u00a0\u2007\u202f]", " ", text).replace("−", "-").strip()
    if _PLAIN.match(tidy):
        return tidy, None, False
    found = _MARKED.match(tidy)
    if not found or (found[2] and found[4]):
        return tidy, None, False
    mark = found[2] or found[4]
    return found[1] + found[3].strip(), _MARKS[mark.lower()] if mark else None, bool(found[5])


def number(text: str, decimal: str) -> float | None:
    """A number as the door reads it by this decimal mark; None where it is none."""
    other = "," if decimal == "." else "."
    if _GROUPED[decimal].match(text):
        text = re.sub(rf"[ '’\{other}]", "", text)
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    value = float(text) if _PLAIN.match(text) else None
    return value if value is not None and abs(value) != float("inf") else None


def number_form(counts: Mapping[str, int]) -> NumberForm:
    """How the numbers among a column's values (text -> how often) are written."""
    by = {".": 0, ",": 0}
    both, differ, negative, percent, two, zeros = 0, 0, 0, 0, 0, 0
    marks: dict[str, int] = {}
    whole, dot_zero = True, True
    for raw, n in counts.items():
        text, mark, is_percent = bare(raw)
        point, comma = number(text, "."), number(text, ",")
        if point is None and comma is None:
            continue
        value = point if point is not None else comma
        if point is not None and comma is not None:
            both, differ = both + n, differ + n * (point != comma)
        else:
            by["." if point is not None else ","] += n
        negative += n * (value < 0)
        percent += n * is_percent
        two += n * bool(re.search(r"[.,][0-9]{2}$", text))
        zeros += n * bool(re.match("0[0-9]", text))
        whole, dot_zero = whole and value == int(value), dot_zero and text.endswith((".0", ",0"))
        if mark:
            marks[mark] = marks.get(mark, 0) + n
    # a few strays against hundreds are slips of the keyboard; one against another decides nothing
    most, least = max(by.values()), min(by.values())
    decimal = max(by, key=by.__getitem__) if most > 20 * least else None
    readable = both + (by[decimal] if decimal else most)
    if not readable:
        whole = dot_zero = False
    return NumberForm(
        readable,
        decimal,
        decimal is None and bool(differ or most),
        least,
        whole and not (decimal is None and differ),
        two / readable if readable else 0.0,
        negative,
        percent,
        marks,
        dot_zero,
        zeros,
    )
