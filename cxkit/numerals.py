"""How is a text read as a number, or as money? By the declared decimal mark and currency, or not at all."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

import ibis
from ibis.expr.types import ArrayValue, BooleanValue, StringValue, Value

from cxkit.currencies import KNOWN, codes_by_mark, marks_of

_BLANK_IN_NUMBER = "[\u00a0\u2007\u2009\u202f]"
_MARK = r"[\p{L}\p{Sc}]{0,9}"
_MARKED = rf"^([+-]?) ?({_MARK})\.? ?([+-]?) ?([0-9.,](?:[0-9 .,'’]*[0-9.,])?) ?({_MARK})\.?$"
_BOOKED = rf"^({_MARK}\.? ?)\(([^()+-]+)\)( ?{_MARK}\.?)$"
_WHOLE = 2**53  # up to here a number of 64 bits holds every whole one


def simple(raw: Value, decimal: str) -> Value:
    """A text that is a number without thousands and marks, as nearly every one is -> the number; it may be infinite."""
    return raw.cast("float64") if raw.type().is_numeric() else _plain(as_text(raw), decimal).try_cast("float64")


def number(raw: Value, decimal: str, *, percent: bool = False, known: Value | None = None) -> Value:
    """Text -> number: `1234.5`, `1,234.5`, `1 234.5`, or with a decimal comma `1234,5`, `1.234,5`, `1 234,5`; with
    `percent` also `85 %`, which is 85. Null where it is none of these.

    From: `known`, what `simple` made of it: a column of a query of its own, so that it is computed once.
    """
    known = simple(raw, decimal) if known is None else known
    if raw.type().is_numeric():
        return finite(known)
    tidy = _tidy(as_text(raw))
    if percent:
        tidy = tidy.re_replace(" ?%$", "")
    # the engine computes the second part only for texts that need it
    return ibis.cases((known - known == 0, known), (raw.notnull(), finite(_grouped(tidy, decimal).try_cast("float64"))))


def marked(raw: Value, *, known: Value | None = None) -> StringValue:
    """A text that is no plain number -> what `money` needs of it: `-1234,5|zł|` (the number, the marks before and
    after); null where it is plain (`known`: what `simple` made of it), or no number with marks. `(12.50)` is -12.50, as
    bookkeepers write it."""
    if raw.type().is_numeric():
        return ibis.null("string")
    if known is not None:
        return (known - known == 0).ifelse(ibis.null("string"), marked(raw))
    text = as_text(raw)
    odd = text.re_search("[^0-9.,eE+-]").ifelse(text, ibis.null("string"))
    packed = _tidy(odd).lower().replace("|", "/").re_replace(_BOOKED, r"-\1\2\3").re_replace(_MARKED, r"\1\3\4|\2|\5")
    return packed.re_extract(r"^[^|]+\|[^|]*\|[^|]*$", 0).nullif("")


def money(
    plain: Value,
    marked: StringValue,
    decimal: str,
    *,
    currency: str,
    codes: Sequence[str] = (),
    row_code: StringValue | None = None,
) -> tuple[Value, BooleanValue]:
    """(amount, whether it bears another currency's mark): a plain number, or `1 234,56 zł`, `₴ 100`, `USD 5`.

    From: columns of a view of their own (as expressions they would be computed again and again): a text's `number` and
    what `marked` made of it. The mark must be of `currency`; where `row_code` tells each row's currency (one of
    `codes`), of that one.
    """
    parts = marked.split("|")
    if row_code is None:
        right = _both(parts, ["", *marks_of(currency)])
    else:  # code and mark are one word
        words = [f"{code} {mark}" for code in codes for mark in ("", *marks_of(code))]
        right = reduce(and_, [(row_code + " " + parts[place]).isin(words) for place in (1, 2)])
    # as cases, since the engine computes what several expressions share for every row, but not inside a case
    odd = plain.isnull() & marked.notnull()
    value = ibis.cases((plain.notnull(), plain), (odd & right, number(parts[0], decimal)))
    return value, odd.ifelse(_both(parts, ["", *KNOWN]) & ~right, False)


def _both(parts: ArrayValue, valid: Sequence[str]) -> BooleanValue:
    return parts[1].isin(valid) & parts[2].isin(valid)


def currency_code(text: StringValue, codes: Sequence[str]) -> StringValue:
    """A cell that tells a currency (PLN, zł, `12,50 zł`) -> its code in `codes`; the cell itself, in capitals, where it
    is none of them. A mark that several of them share ($ of USD and CAD) is none."""
    mark = text.lower().re_replace(r"[0-9 .,'’()+\-−%\x{00a0}\x{2007}\x{2009}\x{202f}]", "")
    return mark.cases(*codes_by_mark(codes).items(), else_=text.upper())


def finite(number: Value) -> Value:
    """The number, null where it is none or infinite: asked by what is true of numbers alone, since DuckDB answers
    isnan and comparisons from a Parquet file's statistics, which leave NaN out."""
    return (number - number == 0).ifelse(number, ibis.null("float64"))


def whole(number: Value) -> Value:
    """The number as an integer, null where it is not whole or larger than a number of 64 bits tells apart."""
    near = number.try_cast("int64")
    sound = (near.cast("float64") == number) & (number.abs() < _WHOLE)
    return sound.ifelse(near, ibis.null("int64"))


def as_text(raw: Value) -> StringValue:
    """Any raw value as a text; of a number that is whole, without decimals: 17850.0 is 17850."""
    kind = raw.type()
    if kind.is_string():
        return raw
    if kind.is_floating() or kind.is_decimal():
        number = raw.cast("float64")
        return ibis.coalesce(whole(number).cast("string"), finite(number).cast("string"))
    return raw.cast("string")


def _tidy(text: StringValue) -> StringValue:
    return text.re_replace(_BLANK_IN_NUMBER, " ").replace("−", "-")


def _plain(text: StringValue, decimal: str) -> StringValue:
    """The text where it may be a number without thousands, with a point; null where it cannot be."""
    odd = text.contains("_")  # the engine takes 1_000 for a number
    if decimal == ",":
        return (odd | text.contains(".")).ifelse(ibis.null("string"), text.replace(",", "."))
    return odd.ifelse(ibis.null("string"), text)


def _grouped(tidy: StringValue, decimal: str) -> StringValue:
    """As `_plain`, its thousands parted by blanks, apostrophes or the other mark, in threes after the first."""
    mark, other = "\\" + decimal, "\\" + ("," if decimal == "." else ".")
    parted = "|".join(rf"({by}[0-9]{{3}})+" for by in (" ", "['’]", other))
    grouped = tidy.re_search(rf"^[+-]?[1-9][0-9]{{0,2}}({parted})({mark}[0-9]*)?$")
    return _plain(grouped.ifelse(tidy.re_replace(rf"[ '’{other}]", ""), tidy), decimal)
