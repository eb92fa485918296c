"""How is a text read as a number? By the declared decimal mark, or not at all."""

import ibis
from ibis.expr.types import Value

_BLANK_IN_NUMBER = "[\u00a0\u2007\u202f]"


def number(raw: Value, decimal: str) -> Value:
    """Text -> number: `1234.5`, `1,234.5`, `1 234.5`, or with a decimal comma `1234,5`, `1.234,5`, `1 234,5`."""
    if raw.type().is_numeric():
        number = raw.cast("float64")
        return finite(number)
    text = raw if raw.type().is_string() else raw.cast("string")
    other = "," if decimal == "." else "."
    tidy = text.re_replace(_BLANK_IN_NUMBER, " ").replace("−", "-")
    mark = "\\" + decimal
    grouped = tidy.re_search(rf"^[+-]?[0-9]{{1,3}}(([ '’][0-9]{{3}})+|(\{other}[0-9]{{3}})+)({mark}[0-9]*)?$")
    joined = grouped.ifelse(tidy.re_replace(rf"[ '’\{other}]", ""), tidy)
    if decimal == ",":
        simple = text.contains(".").ifelse(ibis.null("string"), text.replace(",", "."))
        joined = joined.contains(".").ifelse(ibis.null("string"), joined.replace(",", "."))
    else:
        simple = text
    number = ibis.coalesce(simple.try_cast("float64"), joined.try_cast("float64"))
    return finite(number)


def finite(number: Value) -> Value:
    """The number, null where it is none or infinite: asked by what is true of numbers alone, since DuckDB answers
    isnan and comparisons from a Parquet file's statistics, which leave NaN out."""
    return (number - number == 0).ifelse(number, ibis.null("float64"))
