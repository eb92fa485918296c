"""How are a column's dates and times written? Which formats read them, and which of two nothing decides between."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_CLOCK = r"(?:(?P<gap>T| )(?P<hour>[0-9]{1,2}):(?P<min>[0-9]{2})(?P<sec>:[0-9]{2})?(?P<frac>\.[0-9]{1,6})?)?"
_END = r"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?$"
_NUMERIC = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<sep>[-./])(?P<b>[0-9]{1,2})(?P=sep)(?P<c>[0-9]{1,4})(?P<comma>,?)" + _CLOCK + _END
)
_NAMED = re.compile(
    r"(?:(?P<d1>[0-9]{1,2})(?P<s1>[ -])(?P<m1>[A-Za-z]{3,9})(?P<s2>[ -])(?P<y1>[0-9]{4})"
    r"|(?P<m2>[A-Za-z]{3,9}) (?P<d2>[0-9]{1,2})(?P<s3>,?) (?P<y2>[0-9]{4}))(?P<comma>,?)" + _CLOCK + _END
)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?)?$"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_LONG = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DIGITS = {"epoch_s": (1e9, 2.2e9), "epoch_ms": (1e12, 2.2e12), "epoch_us": (1e15, 2.2e15)}
SHOWN = {
    "%d": "dd",
    "%m": "mm",
    "%Y": "yyyy",
    "%y": "yy",
    "%H": "hh",
    "%I": "hh",
    "%M": "mm",
    "%S": "ss",
    "%p": "am/pm",
}
SHOWN |= {"%b": "Mon", "%B": "Month", "%f": "ffffff", "%z": "offset"}


@dataclass(frozen=True)
class TimeForm:
    """formats: as date_format takes them ("iso" among them), the commonest first. ambiguous: the formats of which
    nothing says which is meant; they are none of `formats`. readable: values that some format reads; day_first,
    month_first: values that prove an order of day and month. clock, zoned: values with a time of day, an offset."""

    readable: int
    formats: tuple[str, ...]
    ambiguous: tuple[str, ...]
    day_first: int
    month_first: int
    clock: int
    zoned: int


def shown(pattern: str) -> str:
    """A format as people write it: %d.%m.%Y %H:%M -> dd.mm.yyyy hh:mm."""
    return re.sub("%[A-Za-z]", lambda found: SHOWN.get(found.group(), found.group()), pattern)


def time_form(counts: Mapping[str, int]) -> TimeForm:
    """How the times among a column's values (text -> how often) are written.

    What is left out: months' names of other languages than English; the door does not read them. Numbers (epochs,
    Excel's days) are no times by themselves: `number_times` tells what they would be; only epochs among other times are
    taken for times.
    """
    sure: Counter[str] = Counter()
    epochs: Counter[str] = Counter()
    either: dict[tuple[str, str], list[int]] = {}  # the two orders' formats -> values: either, day first, month first
    clock = zoned = 0
    for text, n in counts.items():
        if _ISO.match(text):
            if not _real(int(text[:4]), int(text[5:7]), int(text[8:10])):
                continue
            sure["iso"] += n
            clock, zoned = clock + n * (len(text) > 10), zoned + n * bool(re.search(r":.*(Z|UTC|[+-][0-9:]+)$", text))
            continue
        found = _NUMERIC.match(text) or _NAMED.match(text)
        read = _patterns(found) if found else ()
        if not found and text.isdecimal() and (word := number_times({text: n})) in DIGITS:
            epochs[word] += n
        if not read:
            continue
        clock, zoned = clock + n * bool(found["hour"]), zoned + n * bool(found["zone"])
        if len(read) == 1:
            sure[read[0]] += n
        else:
            day, month, fits = read
            tally = either.setdefault((day, month), [0, 0, 0])
            tally[{"either": 0, "day": 1, "month": 2}[fits]] += n
    day_first, month_first = (sum(tally[i] for tally in either.values()) for i in (1, 2))
    if sure or either:  # beside other times; a column of nothing else is one of numbers
        sure += epochs
    total = sum(sum(tally) for tally in either.values())
    ambiguous: tuple[str, ...] = ()
    readable = sum(sure.values())
    if either and bool(day_first) != bool(month_first):
        for (day, month), tally in either.items():
            sure[day if day_first else month] += sum(tally)
        readable += total
    elif either:
        widest = max(either, key=lambda pair: (sum(either[pair]), pair))
        ambiguous, readable = widest, readable + total
    formats = tuple(f for f, _ in sorted(sure.items(), key=lambda item: (-item[1], item[0])))
    found = TimeForm(readable, formats, ambiguous, day_first, month_first, clock, zoned)
    return _which_end(counts, found)


def _which_end(counts: Mapping[str, int], found: TimeForm) -> TimeForm:
    """The form of dates of three parts with two digits each: 26-01-15 may have its year at either end.

    The year is taken to be the last part where the first differs at least twice as much as it, or reads as no year of
    a real day; where the first alone can be it, it is the first; else nothing decides.
    """
    short = {text: match for text in counts if (match := _NUMERIC.match(text)) and _is_short(match)}
    first = {text: _year_first(match) for text, match in short.items()}
    if not short or not all(first.values()):
        return found
    last = {text: _patterns(match) for text, match in short.items()}
    years, ends = ({match[part] for match in short.values()} for part in ("a", "c"))
    if all(last.values()) and len(years) >= 2 * len(ends):
        return found
    tally: Counter[str] = Counter()
    for text, pattern in first.items():
        tally[pattern] += counts[text]
    unread = sum(counts[text] for text, read in last.items() if not read)
    readable = found.readable + unread
    rest = tuple(f for f in found.formats if "%y" not in f)
    if unread:
        return TimeForm(readable, (*tally, *rest), (), 0, 0, found.clock, found.zoned)
    others = found.ambiguous or tuple(f for f in found.formats if "%y" in f)[:1]
    ways = (max(sorted(tally), key=tally.__getitem__), *others)
    return TimeForm(readable, rest, ways, 0, 0, found.clock, found.zoned)


def _is_short(match: re.Match) -> bool:
    return bool(match["a"]) and len(match["a"]) == len(match["c"]) == 2


def _year_first(match: re.Match) -> str:
    """The format that reads a short date with its year in front; "" where that is no real day."""
    if not _real(2000 + int(match["a"]), int(match["b"]), int(match["c"])):
        return ""
    part = match.groupdict()
    return f"%y{match['sep']}%m{match['sep']}%d{part['comma']}{_clock(part)}"


def number_times(counts: Mapping[str, int]) -> str | None:
    """The one way in which all of a column's numbers can be times: epoch_s, …, "excel", "%Y%m%d", or None."""
    texts = list(counts)
    if not texts:
        return None
    if all(re.fullmatch("[0-9]{8}", t) and _real(int(t[:4]), int(t[4:6]), int(t[6:])) for t in texts):
        return "%Y%m%d"
    if all(re.fullmatch(r"[0-9]{10,16}(\.[0-9]+)?", t) for t in texts):
        values = [float(t) for t in texts]
        return next((word for word, (low, high) in DIGITS.items() if low <= min(values) and max(values) < high), None)
    if all(re.fullmatch(r"[0-9]{5}([.,][0-9]+)?", t) for t in texts):
        values = [float(t.replace(",", ".")) for t in texts]
        return "excel" if min(values) >= 32_874 and max(values) < 55_000 else None  # 1990 to 2050
    return None


def _real(year: int, month: int, day: int) -> bool:
    try:
        return 1900 <= datetime(year, month, day).year <= 2199
    except ValueError:
        return False


def _patterns(found: re.Match) -> tuple[str, ...]:
    """What reads one value: (the format,) or (day first, month first, "day", "month" or "either"); () for no date."""
    part = found.groupdict()
    tail = part["comma"] + _clock(part)
    if part.get("a") is None:
        return _named(part, tail)
    a, b, c, sep = part["a"], part["b"], part["c"], part["sep"]
    if len(a) == 4:
        return (f"%Y{sep}%m{sep}%d{tail}",) if len(c) <= 2 and _real(int(a), int(b), int(c)) else ()
    if len(a) > 2 or len(c) not in (2, 4):
        return ()
    year = int(c) if len(c) == 4 else 2000 + int(c)
    y = "%Y" if len(c) == 4 else "%y"
    day, month = f"%d{sep}%m{sep}{y}{tail}", f"%m{sep}%d{sep}{y}{tail}"
    by_day, by_month = _real(year, int(b), int(a)), _real(year, int(a), int(b))
    if by_day and by_month:
        return day, month, "either"
    return (day, month, "day" if by_day else "month") if by_day or by_month else ()


def _named(part: Mapping[str, str | None], tail: str) -> tuple[str, ...]:
    first = part["d1"] is not None
    name, day, year = (part["m1"], part["d1"], part["y1"]) if first else (part["m2"], part["d2"], part["y2"])
    word = name.lower()
    month = _LONG.index(word) + 1 if word in _LONG else _MONTHS.index(word) + 1 if word in _MONTHS else 0
    if not month or not _real(int(year), month, int(day)):
        return ()
    m = "%b" if word in _MONTHS else "%B"
    return (f"%d{part['s1']}{m}{part['s2']}%Y{tail}" if first else f"{m} %d{part['s3']} %Y{tail}",)


def _clock(part: Mapping[str, str | None]) -> str:
    if part["hour"] is None:
        return ""
    half = part["half"]
    pattern = part["gap"] + ("%I:%M" if half else "%H:%M") + (":%S" if part["sec"] else "")
    pattern += ".%f" if part["frac"] else ""
    pattern += (" " if half.startswith(" ") else "") + "%p" if half else ""
    if part["zone"]:
        pattern += (" " if part["zone"].startswith(" ") else "") + "%z"
    return pattern
