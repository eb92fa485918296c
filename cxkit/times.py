"""How is a text read as a time? By the declared formats, or as ISO 8601; with the zone it is of."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from operator import or_

import ibis
from ibis.expr.types import BooleanValue, StringValue, Value

from cxkit import engine, numerals

_FIGURES = "[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?"  # no place on earth is further from UTC
_ZONE = f" ?(Z|UTC|{_FIGURES})"
_ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?({_ZONE})?)?$"
_OFFSET = rf":[0-9]{{2}}(\.[0-9]+)?{_ZONE}$"
_YEARS = (1900, 2199)
# seconds from 1990 to 2200: counted in seconds, milliseconds or microseconds, no number is two of them
_SECONDS = (631_152_000, 7_258_118_400)
_UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}  # microseconds
_DAYS, _EPOCH_DAY = (32_874, 109_575), 25_569  # Excel's days from 1990 to 2200; its number of 1970-01-01
_MOST_MINUTES = 10 * 366 * 24 * 60


def simple(raw: Value, pattern: str) -> Value:
    """A text -> its local time, where the pattern is of times without an offset; else the raw value, which `time` reads
    as well."""
    if not raw.type().is_string() or pattern in ("iso", "excel", *_UNITS) or "%z" in pattern or "%Z" in pattern:
        return raw
    return engine.parse_time(raw, pattern)


def time(raw: Value, pattern: str, *, zone: str, home: str | None = None) -> tuple[Value, Value]:
    """A raw time -> (UTC without a zone, the local time in `home`), null where it is none.

    From: `pattern` as client.yml has it (%d.%m.%Y, iso, excel, epoch_s …); `zone`, whose local time one without an
    offset is; `home`, the client's (the same where None). Years before 1900 and after 2199 are not read: they are
    two-digit years or slips of the keyboard. Numbers are times from 1990 on.
    """
    home = home or zone
    if raw.type().is_timestamp() or raw.type().is_date():
        zoned = raw.type().is_timestamp() and raw.type().timezone
        return _sound(*_placed(raw if zoned else raw.cast("timestamp"), zone, home))
    return _sound(*_read(raw, pattern, zone, home))


def one_of(readings: Sequence[tuple[Value, Value]]) -> tuple[Value, Value, BooleanValue]:
    """What several formats read -> (UTC, local time, whether two of them read it differently: then it is not read)."""
    utc, local = (ibis.coalesce(*parts) for parts in zip(*readings, strict=True))
    pairs = [(a != b).fill_null(False) for (a, _), (b, _) in combinations(readings, 2)]
    two_ways = reduce(or_, pairs, ibis.literal(False))
    if not pairs:
        return utc, local, two_ways
    nothing = ibis.null("timestamp")
    return two_ways.ifelse(nothing, utc), two_ways.ifelse(nothing, local), two_ways


def after(utc: Value, minutes: Value, *, home: str) -> tuple[Value, Value]:
    """(UTC, local time in `home`) so many minutes after a time; null where they are below zero or over ten years."""
    sound = minutes.between(0, _MOST_MINUTES).ifelse(minutes, ibis.null("float64"))
    later = engine.at_microseconds(engine.microseconds(utc) + (sound * 60_000_000).round().cast("int64"))
    return _sound(later, engine.local_time(engine.instant(later, zone="UTC"), zone=home))


def _placed(time: Value, zone: str, home: str) -> tuple[Value, Value]:
    """An instant, or a local time of `zone` -> (UTC, local time in `home`)."""
    if time.type().timezone:
        return engine.local_time(time, zone="UTC"), engine.local_time(time, zone=home)
    moment = engine.instant(time, zone=zone)
    return engine.local_time(moment, zone="UTC"), time if zone == home else engine.local_time(moment, zone=home)


def _read(raw: Value, pattern: str, zone: str, home: str) -> tuple[Value, Value]:
    """A raw value by one format -> (UTC, local time in `home`)."""
    if pattern in _UNITS:
        unit = _UNITS[pattern]
        low, high = (seconds * (1_000_000 // unit) for seconds in _SECONDS)
        time = engine.at_microseconds(_between(_count(raw), low, high, unit))
        return _placed(engine.instant(time, zone="UTC"), zone, home)
    if pattern == "excel":  # a thousandth of a second is the finest that its fractions of a day are meant to tell
        days = _between(_count(raw) - _EPOCH_DAY, *(day - _EPOCH_DAY for day in _DAYS), 86_400_000)
        return _placed(engine.at_microseconds(days * 1_000), zone, home)
    text = numerals.as_text(raw)
    if pattern == "iso":
        return _iso(text, zone, home)
    if pattern.endswith("%z"):  # the engine knows offsets in figures alone
        text = text.re_replace("(?i)(Z|UTC|GMT)$", "+00")
        text = text.re_search(f"{_FIGURES}$").ifelse(text, ibis.null("string"))
    return _placed(engine.parse_time(text, pattern), zone, home)


def _iso(text: StringValue, zone: str, home: str) -> tuple[Value, Value]:
    """Times with an offset and times without one, in one column."""
    iso = text.re_search(_ISO).ifelse(text, ibis.null("string"))
    has_offset = iso.re_search(_OFFSET)
    utc, local = _placed(has_offset.ifelse(ibis.null("string"), iso).try_cast("timestamp"), zone, home)
    zoned = iso.re_replace(" ?(Z|UTC)$", "+00").re_replace(" ([+-][^ ]*)$", r"\1")
    utc_told, local_told = _placed(
        has_offset.ifelse(zoned, ibis.null("string")).try_cast("timestamp('UTC')"), zone, home
    )
    return ibis.coalesce(utc, utc_told), ibis.coalesce(local, local_told)


def _count(raw: Value) -> Value:
    """A number of days or seconds, with a point or a comma before its fraction."""
    if raw.type().is_numeric():
        return numerals.finite(raw.cast("float64"))
    text = numerals.as_text(raw)
    plain = text.re_search(r"^[0-9]{5,16}([.,][0-9]*)?$").ifelse(text.replace(",", "."), ibis.null("string"))
    return plain.try_cast("float64")


def _between(count: Value, low: float, high: float, parts: int) -> Value:
    """A count that lies from `low` to below `high`, times `parts`, as a whole number; null outside."""
    inside = (count >= low) & (count < high)
    return (inside.ifelse(count, ibis.null("float64")) * parts).round().cast("int64")


def _sound(utc: Value, local: Value) -> tuple[Value, Value]:
    sound = local.year().between(*_YEARS)
    return sound.ifelse(utc, ibis.null("timestamp")), sound.ifelse(local, ibis.null("timestamp"))
