"""What does a file of JSON hold? Its records, a line or a list member each; nested fields are named by their path."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cxkit import engine
from cxkit.errors import DataError

PARTS = ("string_value", "int_value", "float_value", "double_value")  # of a value in GA4's export
DEEPEST = 40
_WHOLE = re.compile(r"-?[0-9]+\.0+")
_BLANK = " \t\r\n"
_SKIPPED = re.compile(f"[{_BLANK}]*")


def records(text: Iterable[str], *, decimal: str = ".") -> Iterator[tuple[dict | None, str]]:
    """Every record of a JSON file: (record, ""); (None, why) for one that is none: too long, no JSON, no object.

    From: the file's text in pieces: a record a line, records one after another, or one array of them. Numbers become
    texts with the decimal mark given, whole ones without decimals.
    Raises DataError where it is no JSON from there on, with the record's number.
    """
    loads = json.JSONDecoder(parse_float=lambda t: _number(t, decimal), parse_int=str, parse_constant=str)
    pieces = iter(text)
    start = ""
    for piece in pieces:
        start += piece
        if start.strip(_BLANK):
            break
    start = start.lstrip(_BLANK)
    if not start:
        return
    whole = _chained(start, pieces)
    if start[0] == "[":
        yield from _stream(whole, loads, array=True)
        return
    lines = _lines(whole)
    first = next(lines)
    if first is not None and _goes_on(first, loads):
        yield from _stream(_chained(first, _rest(lines)), loads, array=False)
        return
    yield from (_record(line, loads) for line in _chained(first, lines) if line is None or line.strip(_BLANK))


def flat(record: dict, *, wanted: frozenset[str] | None = None) -> dict[str, str | None]:
    """A record's fields by their paths (a.b.c): texts, None where empty.

    A list of {key, value} objects reads as an object, a value given as one of GA4's parts as that part, any other list
    by numbers (items.0.id). From: `wanted`, the paths that are of interest and all that lead to them (`ways`).
    """
    found: dict[str, str | None] = {}
    _flatten(record, "", found, wanted, 0)
    return found


def ways(paths: Iterable[str]) -> frozenset[str]:
    """The paths, and every beginning of each that ends before a dot."""
    return frozenset(p[:i] for p in paths for i in [*(m.start() for m in re.finditer(r"\.", p)), len(p)])


def _flatten(value: Any, path: str, found: dict[str, str | None], wanted: frozenset[str] | None, depth: int) -> None:
    if isinstance(value, list):
        value = _by_key(value) if _is_keyed(value) else {str(i): v for i, v in enumerate(value)}
    if isinstance(value, dict) and path and value and all(k in PARTS or k == "set_timestamp_micros" for k in value):
        filled = [value[k] for k in PARTS if value.get(k) is not None]
        value = filled[0] if len(filled) == 1 else None if not filled else value
    if isinstance(value, dict) and value and depth < DEEPEST:
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            if wanted is None or below in wanted:
                _flatten(inner, below, found, wanted, depth + 1)
        return
    if value is None or value == {}:
        text = None
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if found.get(path) is None:
        found[path] = text or None


def _is_keyed(value: list) -> bool:
    return bool(value) and all(isinstance(v, dict) and v.keys() == {"key", "value"} for v in value)


def _by_key(value: list) -> dict:
    keyed: dict = {}
    for entry in value:
        keyed.setdefault(str(entry["key"]), entry["value"])
    return keyed


def _number(text: str, decimal: str) -> str:
    """A number's text in plain digits: 17850.0 -> 17850, 1.5e3 -> 1500."""
    if "e" in text.lower():
        value = float(text)
        if value in (float("inf"), float("-inf")):
            return text
        text = repr(int(value)) if value.is_integer() else f"{value:.17f}".rstrip("0")
    if _WHOLE.fullmatch(text):
        return text.split(".")[0]
    return text.replace(".", decimal)


def _record(line: str | None, loads: json.JSONDecoder) -> tuple[dict | None, str]:
    if line is None:
        return None, "LINE SIZE OVER MAXIMUM"
    try:
        record = loads.decode(line.strip(_BLANK))
    except (ValueError, RecursionError):
        return None, "NO JSON"
    return (record, "") if isinstance(record, dict) else (None, "NO JSON OBJECT")


def _goes_on(line: str, loads: json.JSONDecoder) -> bool:
    """Whether records are not a line each: the first line holds more than one, or one that does not end in it."""
    try:
        _, end = loads.raw_decode(line)
    except RecursionError:
        return False
    except ValueError:
        return bool(re.fullmatch(r"\{\s*|\{.*[,{\[:]\s*", line, re.DOTALL))
    return bool(line[end:].strip(_BLANK))


def _lines(text: Iterable[str]) -> Iterator[str | None]:
    """Lines, empty ones too; None for one that is longer than a record may be, of which nothing is kept."""
    rest, over = "", False
    for piece in text:
        first, *others = piece.split("\n")
        if not over:
            rest += first
        if len(rest) > engine.LONGEST_RECORD:
            rest, over = "", True
        for other in others:
            yield None if over else rest
            rest, over = (other, False) if len(other) <= engine.LONGEST_RECORD else ("", True)
    if over or rest:
        yield None if over else rest


def _stream(text: Iterable[str], loads: json.JSONDecoder, *, array: bool) -> Iterator[tuple[dict | None, str]]:
    """Records one after another, or the members of a list, with any white space between."""
    pieces = iter(text)
    held, at, number, ended = next(pieces, ""), int(array), 0, False
    while True:
        at = _SKIPPED.match(held, at).end()
        if array and number and held[at : at + 1] == ",":
            at = _SKIPPED.match(held, at + 1).end()
        elif array and held[at : at + 1] == "]":
            _check_end(held[at + 1 :], pieces, number)
            return
        record, end = None, at
        if at < len(held):
            try:
                record, end = loads.raw_decode(held, at)
            except RecursionError:
                raise DataError(f"record {number + 1:,} is nested too deep to be read.") from None
            except ValueError as error:
                if len(held) - at > 2 * engine.LONGEST_RECORD:
                    raise DataError(
                        f"record {number + 1:,} is longer than {engine.LONGEST_RECORD:,} characters, or no JSON"
                        f" ({error}); what is read is a record a line, or one list of records."
                    ) from None
        # a comma or an end must follow within what is held: a number may go on in the next piece
        if end > at and (ended or end + 1 < len(held)):
            number += 1
            if not isinstance(record, dict):
                yield None, "NO JSON OBJECT"
            else:
                yield (None, "LINE SIZE OVER MAXIMUM") if end - at > engine.LONGEST_RECORD else (record, "")
            at = end
            continue
        if ended:
            if at < len(held) or array:
                found = held[at : at + 40]
                raise DataError(
                    f"it ends, or stops being JSON, in record {number + 1:,} ({found!r}). Ask for the file again."
                )
            return
        piece = next(pieces, None)
        ended = piece is None
        # a comma that was passed over stays passed over: `at` is behind it
        held, at = held[at:] + (piece or ""), 0


def _check_end(rest: str, pieces: Iterator[str], number: int) -> None:
    for piece in _chained(rest, pieces):
        if piece.strip(_BLANK):
            raise DataError(f"after its {number:,} records more follows than the end of the list; it is no JSON.")


def _chained(first: str | None, rest: Iterable[str | None]) -> Iterator:
    yield first
    yield from rest


def _rest(lines: Iterator[str | None]) -> Iterator[str]:
    for line in lines:
        if line is None:
            raise DataError(f"a line is longer than {engine.LONGEST_RECORD:,} characters; a record may not be.")
        yield "\n" + line
