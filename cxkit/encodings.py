"""Which encoding is a file in? What its bytes allow, and among that what its words look like."""

import codecs
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from cxkit.settings_file import read_yaml

# one byte a letter; the log of how common each is among exports (an order, not a count)
LEGACY = {
    "cp1252": 0.0,
    "cp1251": 0.0,
    "cp1250": -0.5,
    "iso-8859-2": -3.0,
    "latin-1": -3.0,
    "koi8-u": -3.0,
    "mac-roman": -5.0,
    "cp866": -6.0,
    "cp850": -6.0,
    "cp852": -6.0,
}
LONE_RETURNS = 8.0  # what line ends of old Macintoshes add to mac-roman
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
MOST_WORDS = 300  # distinct ones that are weighed
GATHERED = 20_000  # distinct words that are kept while the file is read
SURE = 12.0  # log of the odds against the next encoding that reads other text
ONE_WORD = 12.0  # no single word says more than this for or against an encoding: it may be garbled itself
LEARNT = 20  # letters of a language's words from which on their neighbours count more than their shares
FAR = 10.0  # log of the odds at which a word is taken to be of another encoding than its file
COMMON = ("uk", "ru", "pl", "en", "de", "fr", "es", "pt")
_WORD = re.compile(rb"[0-9A-Za-z']{0,20}[\x80-\xff][0-9A-Za-z'\x80-\xff]{0,30}")
_LEADS = bytes(range(0xC2, 0xF5))
_ASCII = (
    "e 10 a 9 i 8 n 7 o 7 r 6.5 s 6 t 6 l 4.5 d 4 u 4 c 3.5 m 3 p 2.8 k 2.5 z 2 g 2 h 2 v 1.7 w 1.5 y 1.5 b 1.7 f 1"
)
_ASCII += " j 0.7 q 0.3 x 0.3 ' 0.1"
_FOREIGN = "áàâãäåæçèéêëíìîïñòóôõöøùúûüýąćčđęěğńňłřśşšťůźżžőűăőß"  # in names of other countries
_MARKS = dict.fromkeys("–’“”„«»€№…\xa0", math.log(2e-3)) | dict.fromkeys("—‘£°©®™§²³½×•·¼±µºª", math.log(3e-4))
_BESIDE_NUMBERS = "€£№§"


@dataclass(frozen=True)
class Encoding:
    """A file's encoding, as client.yml names it; what it rests on; whether nothing else comes into question."""

    name: str
    evidence: str
    sure: bool
    notes: tuple[str, ...] = ()


def find_encoding(pieces: Callable[[], Iterable[bytes]]) -> Encoding:
    """The encoding of a file's bytes, which `pieces` gives from the start each time it is called.

    Sure are a byte-order mark, UTF-8 (other text is hardly ever valid UTF-8), and UTF-16 by its zero bytes. One byte a
    letter is a guess: the encodings that allow all bytes are weighed by how likely the words with such bytes are in
    eighteen languages.
    """
    start = next(iter(pieces()), b"")
    for mark, name in BOMS.items():
        if start.startswith(mark) and start[:4] != codecs.BOM_UTF32_LE:
            bad, notes = (_utf8(pieces)[1:]) if name == "utf-8" else (0, ())
            return Encoding(name, "a byte-order mark at the start", not bad, notes)
    wide = _utf16(start)
    if wide:
        return Encoding(wide, f"every {'first' if wide[-2] == 'b' else 'second'} byte is 0, as in UTF-16", True)
    letters, bad, notes = _utf8(pieces)
    if not letters and not bad:
        return Encoding("utf-8", "nothing but ASCII, the same in all encodings", True, notes)
    if bad * 5 <= letters:
        count = f"{letters:,} character{'s' if letters > 1 else ''} beyond ASCII"
        told = f"{count} in UTF-8" + (
            f", but {bad:,} place{'s' if bad > 1 else ''} that {'are' if bad > 1 else 'is'} not" if bad else ""
        )
        return Encoding("utf-8", told, letters >= 2 and not bad, notes)
    return _legacy(pieces)


def _utf16(start: bytes) -> str | None:
    """UTF-16 without a byte-order mark: digits, blanks and line ends have a zero byte beside them, always the same."""
    start = start[: 1 << 16]
    start = start[: len(start) // 2 * 2]
    even, odd = start[0::2].count(0), start[1::2].count(0)
    low, high = sorted((even, odd))
    if high < 2 or high * 20 < len(start) // 2 or low * 10 > high:
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    text = start.decode(name, errors="replace")
    return name if text.count("\ufffd") <= 1 and text.isprintable() | (len(re.findall(r"[\r\n\t]", text)) > 0) else None


def _utf8(pieces: Callable[[], Iterable[bytes]]) -> tuple[int, int, tuple[str, ...]]:
    """Characters beyond ASCII, places that are no UTF-8, and what is odd about the text all the same."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    letters = bad = told = twice = 0
    for piece in pieces():
        if piece.isascii():
            bad += decoder.decode(piece).startswith("\ufffd")
            continue
        letters += len(piece) - len(piece.translate(None, _LEADS))
        bad += decoder.decode(piece).count("\ufffd")
        told += piece.count(b"\xef\xbf\xbd")
        twice += len(
            re.findall(rb"\xc3[\x82-\x91]\xc2[\x80-\xbf]|(?:\xd0\xa0|\xd0\xa1)(?:\xd1\x93|\xc2[\xa0-\xbf])", piece)
        )
    bad += decoder.decode(b"", final=True).count("\ufffd")
    notes = []
    if told:
        notes.append(f"{told:,} replacement characters (U+FFFD): what stood there was lost before the export.")
    if twice > 2:
        notes.append(f"{twice:,} places look like UTF-8 that was read as another encoding before the export (Ã©, Ð¡).")
    return letters, max(bad - told, 0), tuple(notes)


def _legacy(pieces: Callable[[], Iterable[bytes]]) -> Encoding:
    """One byte a letter: what the words look like."""
    words: Counter[bytes] = Counter()
    found: set[int] = set()
    breaks: Counter[str] = Counter()
    for piece in pieces():
        found |= set(piece)
        breaks["lf"] += piece.count(b"\n")
        breaks["cr"] += piece.count(b"\r")
        if len(words) < GATHERED:
            words.update(_WORD.findall(piece))
    high = bytes(sorted(b for b in found if b >= 0x80))
    allowed = [name for name in LEGACY if _decodes(high, name)]
    lone = breaks["cr"] and not breaks["lf"]
    priors = {n: LEGACY[n] + (LONE_RETURNS if lone and n == "mac-roman" else 0.0) for n in allowed}
    picked = [word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]]
    scores = _scores(picked, priors)
    ranked = sorted(allowed, key=lambda n: (-scores[n], list(LEGACY).index(n)))
    best = ranked[0]
    same = [n for n in ranked[1:] if high.decode(n) == high.decode(best)]
    other = next((n for n in ranked[1:] if n not in same), None)
    sure = other is None or scores[best] - scores[other] >= SURE
    script = "Cyrillic" if re.search("[а-яєіїґ]", high.decode(best), re.IGNORECASE) else "accented"
    count = f"{len(words):,}{'+' if len(words) >= GATHERED else ''} word{'s' if len(words) > 1 else ''}"
    count += f" with {script} letters"
    told = ("" if sure else "a guess: ") + count + (f"; {best} before {other}" if other else "")
    told += f"; {' and '.join(same)} would read the same" if same else ""
    return Encoding(best, told, sure, _foreign(words, picked, best))


def _foreign(words: Counter[bytes], picked: list[bytes], name: str) -> tuple[str, ...]:
    """Words that hold what no text in this encoding has, or that another one reads far better: they are of another
    one, and stay as they are."""
    odd = {word for word in words if re.search("[\x80-\x9f]", word.decode(name))}
    likely = {n: {w: max(_likely(w.decode(n))) for w in picked if _decodes(w, n)} for n in LEGACY}
    best = {w: max(likely, key=lambda n: likely[n].get(w, -math.inf)) for w in picked}
    odd |= {w for w in picked if likely[best[w]][w] - likely[name][w] > FAR}
    if not odd:
        return ()
    others = Counter(best[w] for w in sorted(odd) if w in best and best[w] != name)
    like = f", most like {others.most_common(1)[0][0]}" if others else ""
    count = sum(words[word] for word in odd)
    what = "1 word looks" if count == 1 else f"{count:,} words look"
    return (f"{what} like bytes of another encoding{like}; what they say is lost where they are read.",)


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def _scores(words: list[bytes], priors: dict[str, float]) -> dict[str, float]:
    """The log of how likely the words are in each encoding, up to what is common to all."""
    totals = dict(priors)
    languages = _languages()
    tables = {name: [_likely(word.decode(name)) for word in words] for name in priors}
    if not words:
        return totals
    # the likeliest language of each encoding; a word of another language costs a little
    told: dict[str, list[float]] = {}
    for name, rows in tables.items():
        options = []
        for place, language in enumerate(languages):
            rare = 0.0 if language in COMMON else -1.5
            options.append([max(row[place], max(row) - 3.0) for row in rows] + [rare])
        told[name] = max(options, key=sum)
        totals[name] += told[name].pop()
    for place in range(len(words)):
        best = max(rows[place] for rows in told.values())
        for name, rows in told.items():
            totals[name] += max(rows[place], best - ONE_WORD) - best
    return totals


@lru_cache(maxsize=50_000)
def _likely(word: str) -> tuple[float, ...]:
    """The log of how likely a word is in each language."""
    runs, marks = _parts(word)
    shared = sum(_case(run) for run in runs)
    shared += sum(_MARKS.get(c, math.log(1e-8 if "\x80" <= c <= "\x9f" else 1e-6)) for c in marks)
    for before, mark, after in zip(f" {word}", word, f"{word[1:]} ", strict=False):
        if mark in marks:
            shared += _place(_is_letter(before), mark, _is_letter(after))
    shared += math.log(0.02) * len(re.findall(r"[^\W\d_](?=\d)|\d(?=[^\W\d_])", word))
    return tuple(shared + sum(model(run.lower()) for run in runs) for model in _languages().values())


def _parts(word: str) -> tuple[list[str], str]:
    """A word's runs of letters, and what is neither letter nor digit."""
    apart = "".join(c if _is_letter(c) or c == "'" else " " for c in word).split()
    runs = [run for run in (part.strip("'") for part in apart) if run]
    return runs, "".join(c for c in word if not _is_letter(c) and c != "'" and not "0" <= c <= "9")


def _is_letter(c: str) -> bool:
    return c.isalpha() and c not in "ªºµ"


def _place(before: bool, mark: str, after: bool) -> float:
    """Marks inside words are rare, an apostrophe apart; a currency stands beside a number."""
    if mark == "’":
        return 1.5 if before and after else 0.0
    if before and after:
        return math.log(0.02 if mark == "\xa0" else 1e-3)
    return math.log(0.02) if mark in _BESIDE_NUMBERS and (before or after) else 0.0


def _case(run: str) -> float:
    """Capitals stand at the start, or everywhere."""
    letters = run.replace("'", "")
    if letters.islower() or letters[1:].islower() or len(letters) == 1:
        return 0.0 if letters.islower() else -0.7
    if letters.isupper():
        return -2.0
    return -2.0 * sum(a.islower() and b.isupper() for a, b in pairwise(letters)) - 3.0


def _model(letters: dict[str, float], words: list[str]) -> Callable[[str], float]:
    """How likely a run of letters is in one language: by which letters follow each other in its words, and where those
    do not tell, by how common each letter is."""
    latin = not re.search("[а-я]", "".join(letters))
    shares = dict.fromkeys(_FOREIGN, 0.001) | _shares(_ASCII) if latin else {"'": 0.1}
    shares |= letters
    whole = sum(shares.values())
    pairs = Counter(a + b for w in words for a, b in pairwise(f" {w} "))
    firsts = Counter(a for w in words for a in f" {w}")

    @lru_cache(maxsize=20_000)
    def log_of(pair: str) -> float:
        share = 0.12 if pair[1] == " " else shares.get(pair[1], 0.0) / whole or 1e-7
        return math.log((pairs[pair] + LEARNT * share) / (firsts[pair[0]] + LEARNT))

    return lambda run: sum(log_of(a + b) for a, b in pairwise(f" {run} "))


def _shares(text: str) -> dict[str, float]:
    parts = text.split()
    return {c: float(n) for c, n in zip(parts[::2], parts[1::2], strict=True)}


@lru_cache(maxsize=1)
def _languages() -> dict[str, Callable[[str], float]]:
    page = read_yaml(Path(__file__).with_name("encodings.yml"), begins="uk:")
    return {name: _model(_shares(part["letters"]), part["words"].split()) for name, part in page.items()}
