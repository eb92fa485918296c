"""What parts the cells of a text file? Tried out on its first records: the right one gives records of one width."""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

USUAL = (",", ";", "\t", "|")
RARE = ("^", "~", "¦", "\x01", "\x1f")
CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
TRIED = 300  # records
SURE = 0.25  # how far before the next one
LONGEST = 2_000_000  # letters of a cell, as the door takes them
_PARTED = re.compile(r"\S[,;|\t]\S")
_NUMBER = re.compile(r"[-+]?\d{1,3}(?:[., \u00a0]?\d{3})*(?:[.,]\d+)?|[-+]?\d+[.,]\d+")
_SEP = re.compile(r"sep=(.)$", re.IGNORECASE)


@dataclass(frozen=True)
class Delimiter:
    """What parts a file's cells, what that rests on, and whether nothing else comes into question."""

    mark: str
    evidence: str
    sure: bool
    notes: tuple[str, ...] = ()


def find_delimiter(text: str) -> Delimiter:
    """What parts the cells of a text that ends with a whole line."""
    lines = [line for line in re.split(r"\r\n|\r|\n", text[:10_000]) if line.strip()]
    first = lines[0] if lines else ""
    declared = _SEP.match(first.strip('"'))
    if declared or first.lower() == "sep=\t":
        mark = declared[1] if declared else "\t"
        return Delimiter(mark, f"the first line says so ({first.strip()!r})", True, ("Its first line is sep=.",))
    scores = {mark: _score(text, mark) for mark in (*USUAL, *(m for m in RARE if m in text))}
    ranked = sorted(scores, key=lambda m: -scores[m])
    best, other = ranked[:2]
    if scores[best] <= 0:
        return Delimiter(",", "a guess: every record is one cell", False, _wrapped(text))
    rows = list(_first(text, best))
    width, count = _commonest(rows)
    sure = scores[best] - max(scores[other], 0.0) >= SURE and count >= 0.8 * len(rows)
    told = f"{count:,} of the first {len(rows):,} records have {width} cells"
    return Delimiter(best, told if sure else f"a guess: {told}", sure, _apostrophes(rows))


def read_records(lines: Iterable[str], mark: str) -> Iterator[list[str]]:
    """Records that are no empty lines; what no reader takes is passed over, as the door tells it."""
    csv.field_size_limit(LONGEST)
    reader = csv.reader(lines, delimiter=mark)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if record:
            yield record


def wider_told(widths: Iterable[int], *, width: int, mark: str) -> str:
    """What records with more cells than the header have in common, in words; empty where there are none.

    From: how many cells each of the records has whose width is not the header's; the header's; what parts the cells.
    """
    counts = Counter(w - width for w in widths if w > width)
    if not counts:
        return ""
    more, count = max(counts.items(), key=lambda item: (item[1], -item[0]))
    cells = "1 cell" if more == 1 else f"{more} cells"
    told = f"{count:,} record{' has' if count == 1 else 's have'} {cells} more than the header"
    stands = (
        "a decimal comma (12,50), or a comma in a text," if mark == "," else f"{CALLED.get(mark, repr(mark))} in a text"
    )
    return f"{told}: {stands} without quotation marks?"


def lines_of(pieces: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, of any kind; one that is longer than a record may be comes in parts."""
    rest = ""
    for piece in pieces:
        rest += piece
        if rest.count("\r") != rest.count("\r\n"):
            lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", rest)
            rest = lines.pop()
            if not rest and lines and lines[-1].endswith("\r"):
                rest = lines.pop()  # its line feed may begin the next piece
        else:
            *whole, rest = rest.split("\n")
            lines = [line + "\n" for line in whole]
        yield from lines
        if len(rest) > 2 * LONGEST:
            yield rest
            rest = ""
    if rest:
        yield rest


def _first(text: str, mark: str) -> list[list[str]]:
    rows = []
    for record in read_records(lines_of([text]), mark):
        rows.append(record)
        if len(rows) >= TRIED:
            break
    return rows


def _commonest(rows: list[list[str]]) -> tuple[int, int]:
    """The commonest width of the records that have more than one cell, and how many have it."""
    widths = Counter(len(r) for r in rows if len(r) > 1)
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))


def _score(text: str, mark: str) -> float:
    """How well a mark parts a text: most records of one width, the first among them, quotation marks at the ends of
    cells only; at most 0 where it does not."""
    rows = _first(text, mark)
    width, count = _commonest(rows)
    if width < 2 or count < len(rows) / 2:
        return 0.0
    share = count / len(rows)
    cells = [c for r in rows for c in r]
    torn = sum(c.count('"') % 2 for c in cells) / len(cells)
    head = next(r for r in rows if len(r) == width)
    joined = sum(bool(_PARTED.search(c)) and not _NUMBER.fullmatch(c) for c in cells) / len(cells)
    late = min(rows.index(head), 5) / 5
    names = sum(bool(re.search(r"[^\W\d]", c)) and len(c) <= 80 for c in head) / width
    return share + 0.1 * names - 0.3 * late - min(2 * torn, 0.5) - 0.5 * joined + 0.03 * math.log2(width)


def _wrapped(text: str) -> tuple[str, ...]:
    rows = [r[0] for r in _first(text, "\x00") if r]
    for mark in USUAL:
        counts = {r.count(mark) for r in rows[1:]}
        if len(rows) > 2 and rows[0].count(mark) and counts == {rows[0].count(mark)}:
            return (
                f"Every record is one cell in quotation marks that holds {CALLED[mark]}: it was written as CSV twice."
                " Ask for the export again.",
            )
    return ()


def _apostrophes(rows: list[list[str]]) -> tuple[str, ...]:
    cells = [c.strip() for r in rows[1:] for c in r if c.strip()]
    quoted = sum(len(c) > 1 and c[0] == c[-1] == "'" for c in cells)
    if cells and quoted > len(cells) / 2:
        return ("Cells stand in apostrophes ('a'), which count as part of the value.",)
    return ()
