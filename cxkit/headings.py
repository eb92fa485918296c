"""Which columns does a file have, and do the mapped ones stand among them?"""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import chain

from cxkit import misread
from cxkit.errors import DataError
from cxkit.mapping import Reading

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
Row = Sequence[str | None]


def parted(rows: Iterable[Row], header: tuple[int, ...]) -> tuple[list[str], Iterator[Row]]:
    """The columns' names and the records after them. From: the records that are not empty; which of them, counted from
    1, make up the header (0: none, and the columns are called 1, 2, …).

    Raises DataError where there are not so many records.
    """
    rows = iter(rows)
    if header == (0,):
        first = next(rows, None)
        if first is None:
            raise DataError("it is empty. Ask for the export again.")
        return [str(i + 1) for i in range(len(first))], chain([first], rows)
    heads = []
    for number in range(1, header[-1] + 1):
        row = next(rows, None)
        if row is None and number == 1:
            raise DataError("it is empty. Ask for the export again.")
        if row is None:
            raise DataError(f"its header is said to be record {header[-1]}, but it holds {number - 1} in all.")
        if number in header:
            heads.append(row)
    return joined(heads), rows


def joined(heads: Sequence[Row]) -> list[str]:
    """The names that several header records give: the cells of a column, from top to bottom, with a blank between.

    A heading over several columns stands in the first of them only: an empty cell takes its left neighbour's text where
    both stand over texts of their own further down. The same text is not repeated.
    """
    width = max(map(len, heads))
    cells = [[(c or "").strip() for c in row] + [""] * (width - len(row)) for row in heads]
    below = [[any(row[i] for row in cells[depth + 1 :]) for i in range(width)] for depth in range(len(cells))]
    for row, has in zip(cells, below, strict=True):
        for i in range(1, width):
            if not row[i] and has[i] and has[i - 1]:
                row[i] = row[i - 1]
    return [" ".join(dict.fromkeys(row[i] for row in cells if row[i])) for i in range(width)]


def check(
    header: list[str],
    *,
    place: str,
    reading: Reading,
    names: Iterable[str],
    targets: dict[str, str],
    movable: bool = True,
) -> None:
    """Raises DataError, all faults together, unless every mapped column stands in the header, once. Other columns may
    have the same name, or none. `movable`: another record could be the header."""
    names = list(names)
    lacking = [raw for raw in names if raw not in header]
    if lacking and len(header) == 1:
        counts = {d: header[0].count(d) for d in DELIMITERS if d != reading.delimiter}
        likely = max(counts, key=lambda d: counts[d])
        if counts[likely]:
            shown = "\\t" if likely == "\t" else likely
            raise DataError(
                f"its header is one column ({header[0][:80]!r}) with the delimiter {reading.delimiter!r}; it looks as"
                f' if {DELIMITERS[likely]} parts the cells. Write {place}.delimiter: "{shown}" in client.yml.'
            )
    faults = []
    others = list(misread.ENCODINGS if movable else ())
    for raw in lacking:
        found = misread.likeness(raw, header, encoding=reading.encoding) if movable else None
        others = [o for o in others if found is None or o in found[1]]
        faults.append(missing(raw, header, place=place, target=targets.get(raw, "columns"), found=found and found[0]))
    another = others[:1] if others != list(misread.ENCODINGS) else []
    faults += [
        f"The file looks like {one} read as {reading.encoding}: write {place}.encoding: {one} in client.yml."
        for one in another
    ]
    for raw in names:
        if header.count(raw) > 1:
            faults.append(
                f"the column {raw!r} stands in the header {header.count(raw)} times, so nobody can tell which one is"
                f" meant under {place}.{targets.get(raw, 'columns')}; rename one in the file."
            )
    if faults:
        blank = sum(1 for h in header if not h)
        shown = ", ".join(repr(h) for h in header[:30] if h) + (" …" if len(header) > 30 else "")
        nameless = f" and {blank} without a name" if blank else ""
        elsewhere = (
            f" If the names stand in another record, write its number under {place}.header in client.yml."
            if movable and len(lacking) == len(names) and reading.header == (1,) and not another
            else ""
        )
        raise DataError(" ".join(faults) + f" The header has {shown or 'no named column'}{nameless}.{elsewhere}")


def apart(header: Sequence[str], first: Sequence[str], *, sheet: str | None, place: str) -> str:
    """What is said of a worksheet whose columns are not those of the `first`, `sheet`; "" where they are, in whatever
    order, or where either could not be read."""
    if header is first or not header or not first or sorted(header) == sorted(first):
        return ""
    lacks, more = ([c for c in dict.fromkeys(one) if c not in two] for one, two in ((first, header), (header, first)))
    told = [f"it lacks {', '.join(map(repr, lacks[:10]))}"] if lacks else []
    told += [f"it has {', '.join(map(repr, more[:10]))} besides"] if more else []
    return (
        f"its columns are not those of {sheet!r}, and worksheets read in turn have one header:"
        f" {' and '.join(told) or 'a name stands there more than once'}. Take it out of {place}.sheet in client.yml, or"
        " make the headers one."
    )


def missing(raw: str, header: Sequence[str], *, place: str, target: str, found: str | None = None) -> str:
    """What is said of a mapped column that a file lacks. From: `found`, the column that it is in another encoding."""
    folded = {h.casefold(): h for h in header if h}
    near = get_close_matches(raw.casefold(), list(folded), n=1, cutoff=0.6)
    hint = f", did you mean {folded[near[0]]!r}?" if near else "."
    hint = f"; {found!r} is the same in another encoding." if found else hint
    return f"no column {raw!r}{hint} It is mapped under {place}.{target} in client.yml."
