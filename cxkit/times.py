"""How is a text read as a time? By the declared formats, or as ISO 8601; with the zone it is of."""

import ibis
from ibis.expr.types import Value

from cxkit import engine

_ZONE = r" ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_ISO = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?({_ZONE})?)?$"
_OFFSET = rf":[0-9]{{2}}(\.[0-9]+)?{_ZONE}$"


def time(raw: Value, formats: tuple[str, ...], *, zone: str) -> tuple[Value, Value]:
    """A raw time -> (UTC without a zone, the client's local time). Without an offset it is the client's local time.

    Years before 1900 and after 2199 are not read: they are two-digit years or slips of the keyboard.
    """
    if raw.type().is_timestamp() and raw.type().timezone:
        return _sound(engine.local_time(raw, zone="UTC"), engine.local_time(raw, zone=zone))
    if raw.type().is_timestamp() or raw.type().is_date():
        local = raw.cast("timestamp")
        return _sound(engine.local_time(engine.instant(local, zone=zone), zone="UTC"), local)
    text = raw if raw.type().is_string() else raw.cast("string")
    if formats:
        readings = [engine.parse_time(text, pattern) for pattern in formats]
        instants = [r if r.type().timezone else engine.instant(r, zone=zone) for r in readings]
        locals_ = [engine.local_time(r, zone=zone) if r.type().timezone else r for r in readings]
        utc, local = engine.local_time(ibis.coalesce(*instants), zone="UTC"), ibis.coalesce(*locals_)
        return _sound(utc, local)
    iso = text.re_search(_ISO).ifelse(text, ibis.null("string"))
    has_offset = iso.re_search(_OFFSET)
    local = has_offset.ifelse(ibis.null("string"), iso).try_cast("timestamp")
    zoned = iso.re_replace(" ?(Z|UTC)$", "+00").re_replace(" ([+-][^ ]*)$", r"\1")
    moment = has_offset.ifelse(zoned, ibis.null("string")).try_cast("timestamp('UTC')")
    utc = engine.local_time(ibis.coalesce(moment, engine.instant(local, zone=zone)), zone="UTC")
    return _sound(utc, ibis.coalesce(local, engine.local_time(moment, zone=zone)))


def _sound(utc: Value, local: Value) -> tuple[Value, Value]:
    sound = local.year().between(1900, 2199)
    return sound.ifelse(utc, ibis.null("timestamp")), sound.ifelse(local, ibis.null("timestamp"))
