"""How is a text read as a time? By the declared formats, or as ISO 8601; with the zone it is of."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from operator import or_

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import BooleanValue, StringValue, TimestampValue, Value

from cxkit import numerals

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


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, pattern: str) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime_zoned(text: str, pattern: str) -> dt.Timestamp("UTC"): ...


@ibis.udf.scalar.builtin(name="timezone")
def _to_zoned(zone: str, local: dt.timestamp) -> dt.Timestamp("UTC"): ...


@ibis.udf.scalar.builtin(name="timezone")
def _to_local(zone: str, instant: dt.Timestamp("UTC")) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(name="epoch_us")
def microseconds(time: dt.timestamp) -> dt.int64:
    """Microseconds since 1970 began."""


@ibis.udf.scalar.builtin(name="make_timestamp")
def _at_microseconds(microseconds: dt.int64) -> dt.timestamp:
    """The time so many microseconds after 1970 began."""


def parse_time(text: StringValue, pattern: str) -> TimestampValue:
    """Text -> time by a strptime pattern, null where it does not fit; with %z or %Z an instant, else a local time."""
    zoned = "%z" in pattern or "%Z" in pattern
    return (_try_strptime_zoned if zoned else _try_strptime)(text, pattern)


def instant(local: TimestampValue, *, zone: str) -> TimestampValue:
    """A zone's local time -> the instant it is. A time that the clocks skip moves on by the hour skipped; one that
    comes twice is the second (winter time)."""
    return _to_zoned(zone, local)


def local_time(instant: TimestampValue, *, zone: str) -> TimestampValue:
    """An instant -> the zone's local time, without a zone."""
    return _to_local(zone, instant)


def simple(raw: Value, pattern: str) -> Value:
    """A text -> its local time, where the pattern is of times without an offset; else the raw value, which `time` reads
    as well."""
    if not raw.type().is_string() or pattern in ("iso", "excel", *_UNITS) or "%z" in pattern or "%Z" in pattern:
        return raw
    return parse_time(raw, pattern)


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
    later = _at_microseconds(microseconds(utc) + (sound * 60_000_000).round().cast("int64"))
    return _sound(later, local_time(instant(later, zone="UTC"), zone=home))


def _placed(time: Value, zone: str, home: str) -> tuple[Value, Value]:
    """An instant, or a local time of `zone` -> (UTC, local time in `home`)."""
    if time.type().timezone:
        return local_time(time, zone="UTC"), local_time(time, zone=home)
    moment = instant(time, zone=zone)
    return local_time(moment, zone="UTC"), time if zone == home else local_time(moment, zone=home)


def _read(raw: Value, pattern: str, zone: str, home: str) -> tuple[Value, Value]:
    """A raw value by one format -> (UTC, local time in `home`)."""
    if pattern in _UNITS:
        unit = _UNITS[pattern]
        low, high = (seconds * (1_000_000 // unit) for seconds in _SECONDS)
        time = _at_microseconds(_between(_count(raw), low, high, unit))
        return _placed(instant(time, zone="UTC"), zone, home)
    if pattern == "excel":  # a thousandth of a second is the finest that its fractions of a day are meant to tell
        days = _between(_count(raw) - _EPOCH_DAY, *(day - _EPOCH_DAY for day in _DAYS), 86_400_000)
        return _placed(_at_microseconds(days * 1_000), zone, home)
    text = numerals.as_text(raw)
    if pattern == "iso":
        return _iso(text, zone, home)
    if pattern.endswith("%z"):  # the engine knows offsets in figures alone
        text = text.re_replace("(?i)(Z|UTC|GMT)$", "+00")
        text = text.re_search(f"{_FIGURES}$").ifelse(text, ibis.null("string"))
    return _placed(parse_time(text, pattern), zone, home)


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
