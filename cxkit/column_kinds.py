"""What does each column of a file hold? Its kind, how its numbers and times are written, and the evidence for it."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cxkit import number_forms, time_forms

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

NO_VALUE = ("na", "n/a", "nan", "null", "none", "nil", "#n/a", "-", "—", "–")  # what systems write for nothing
YES_NO = frozenset(["yes", "y", "true", "t", "no", "n", "false", "f", "так", "ні", "да", "нет", "tak", "nie"])
MOST = 0.9  # of the values must read as a kind
MONEY_PLACES = 0.8  # of the numbers have two decimals
LISTED = 50  # different values that a category may have

_EMAIL = re.compile(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;.]{2,}$")
_PHONE = re.compile(r"(?=.{7,24}$)'?(\+|\(|0)[0-9][0-9 ()./-]{5,}$|\([0-9]{2,4}\) ?[0-9][0-9 -]+$")
_CODE = re.compile(r"[#'A-Za-zА-Яа-яІіЇїЄєҐґ0-9_./:|+=-]*[0-9][#'A-Za-zА-Яа-яІіЇїЄєҐґ0-9_./:|+=-]*$")
_LONG_CODE = re.compile(r"(?=.*[0-9])[0-9a-zA-Z_-]{16,}$")


@dataclass(frozen=True)
class ColumnForm:
    """One column of a sample. kind: empty, yes/no, integer, number, money, time, date, id, category, text, e-mail or
    phone. readable: filled values that read as this kind. decimal: the decimal mark that its numbers tell.
    date_formats: what reads its times ("iso" among them; of an integer or a number, what would if it were a time).
    ambiguous: formats, or decimal marks, between which nothing decides. proves: what its dates prove to come first:
    "day", "month", or "both", which is a mixture. marks: currency -> values that name it. sample: the
    values, trimmed, as categories."""

    name: str
    kind: str
    rows: int
    filled: int
    distinct: int
    readable: int
    decimal: str | None = None
    date_formats: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    evidence: str = ""
    proves: str = ""
    marks: "Mapping[str, int]" = field(default_factory=dict, compare=False)
    sample: "pd.Series | None" = field(default=None, compare=False, repr=False)


def column_forms(sample: "pd.DataFrame") -> list[ColumnForm]:
    """Each column's form, from a sample of texts with "" for a blank. Evidence holds patterns and counts, no values."""
    return [_form(str(name), sample.iloc[:, i]) for i, name in enumerate(sample.columns)]


def counted(form: ColumnForm) -> dict[str, int]:
    """A column's values that are filled: text -> how often, the commonest first, equals by their text."""
    import numpy as np

    texts = form.sample.cat.categories
    counts = np.bincount(form.sample.cat.codes, minlength=len(texts)).tolist()
    found = {str(text): n for text, n in zip(texts, counts, strict=True) if n and text != ""}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def numbers(form: ColumnForm, decimal: str | None = None) -> "pd.Series":
    """A column's numbers by its decimal mark (or the one given); not a number where a value is none."""
    import numpy as np
    import pandas as pd

    mark = decimal or form.decimal or "."
    read = [number_forms.number(number_forms.bare(text)[0], mark) for text in form.sample.cat.categories]
    each = np.array([np.nan if number is None else number for number in read], dtype=float)
    return pd.Series(each[form.sample.cat.codes], index=form.sample.index, name=form.sample.name)


def _form(name: str, column: "pd.Series") -> ColumnForm:
    texts = column.fillna("").astype(str).str.strip().astype("category").reset_index(drop=True)
    bare = ColumnForm(name, "empty", len(texts), 0, 0, 0, evidence="no value in any record", sample=texts)
    counts = counted(bare)
    said = {text: n for text, n in counts.items() if text.lower() not in NO_VALUE}
    filled, blank_words = sum(counts.values()), sum(counts.values()) - sum(said.values())
    if not said:
        return bare if not counts else _made(bare, counts, "text", filled, "only words that stand for no value")
    made = _told(bare, counts, said)
    if blank_words:
        made = _made(
            made, counts, made.kind, made.readable, f"{made.evidence}; {_count(blank_words)} say NA or the like"
        )
    return made


def _made(form: ColumnForm, counts: dict[str, int], kind: str, readable: int, evidence: str, **more) -> ColumnForm:
    kept = {f: getattr(form, f) for f in form.__dataclass_fields__}
    found = {"filled": sum(counts.values()), "distinct": len(counts), "readable": readable}
    return ColumnForm(**{**kept, **found, "kind": kind, "evidence": evidence, **more})


def _told(bare: ColumnForm, counts: dict[str, int], said: dict[str, int]) -> ColumnForm:
    """The form of a column that holds something: what most of its values are."""
    total = sum(said.values())

    def made(kind: str, readable: int, evidence: str, **more) -> ColumnForm:
        return _made(bare, counts, kind, readable, evidence, **more)

    mails = sum(n for text, n in said.items() if _EMAIL.match(text.lstrip("'")))
    if mails >= MOST * total:
        return made("e-mail", mails, f"e-mails, {_share(mails, total)}")
    phones = sum(n for text, n in said.items() if _PHONE.match(text) and _digits(text) >= 7)
    abroad = all(text.lstrip("'").startswith("+") for text in said)
    if (
        phones >= MOST * total
        and (abroad or not _is_code(said))
        and not all(re.fullmatch("0[.,]?[0-9]*", t) for t in said)
    ):
        return made("phone", phones, f"phone numbers, {_share(phones, total)}")
    if {t.lower() for t in said} <= YES_NO:
        return made("yes/no", total, "yes or no: " + ", ".join(sorted({t.lower() for t in said})))
    times = time_forms.time_form(said)
    if times.readable >= MOST * total:
        return made(
            "time" if times.clock else "date",
            times.readable,
            _time_evidence(times, total),
            date_formats=() if times.ambiguous else times.formats,
            ambiguous=times.ambiguous,
            proves={(True, False): "day", (False, True): "month", (True, True): "both"}.get(
                (times.day_first > 0, times.month_first > 0), ""
            ),
        )
    figures = number_forms.number_form(said)
    if figures.readable >= MOST * total and not (figures.whole and figures.zeros > 0.05 * total):
        return _figures(made, figures, said, total)
    return _words(made, said, total)


def _figures(made, figures: number_forms.NumberForm, said: dict[str, int], total: int) -> ColumnForm:
    """The form of a column of numbers."""
    codes = figures.marks
    kind = "integer" if figures.whole else "number"
    if codes or (not figures.whole and figures.places >= MONEY_PLACES):
        kind = "money"
    told = [f"{'whole numbers' if figures.whole else 'numbers'}, {_share(figures.readable, total)}"]
    if figures.dot_zero:
        told.append("all written with .0")
    if figures.decimal:
        told.append(
            f"decimal mark {figures.decimal!r}" + (f" ({_count(figures.against)} against it)" * (figures.against > 0))
        )
    if figures.open:
        told.append("nothing says whether the point or the comma is the decimal mark")
    if figures.negative:
        told.append(f"{_count(figures.negative)} negative")
    if figures.percent:
        told.append(f"{_count(figures.percent)} with %")
    if codes:
        told.append(
            "marks of " + ", ".join(f"{c} ({_count(n)})" for c, n in sorted(codes.items(), key=lambda i: (-i[1], i[0])))
        )
    as_time = time_forms.number_times(said)
    return made(
        kind,
        figures.readable,
        "; ".join(told),
        decimal=figures.decimal,
        ambiguous=(".", ",") if figures.open else (),
        date_formats=(as_time,) if as_time else (),
        marks=codes,
    )


def _words(made, said: dict[str, int], total: int) -> ColumnForm:
    """The form of a column of codes, categories or words."""
    distinct = len(said)
    if _is_code(said):
        return made("id", total, f"codes, {_count(distinct)} different in {_count(total)}")
    few = distinct <= LISTED and distinct <= max(total / 2, 1) and max(len(t) for t in said) <= 60
    if few:
        return made("category", total, f"{_count(distinct)} different value{'s' * (distinct != 1)} in {_count(total)}")
    return made("text", total, f"words, {_count(distinct)} different in {_count(total)}")


def _is_code(said: dict[str, int]) -> bool:
    """Whether the values are codes: no blanks, digits in them, and of few shapes or long and arbitrary."""
    total = sum(said.values())
    codes = {text: n for text, n in said.items() if _CODE.match(text) and len(text) <= 80}
    if sum(codes.values()) < MOST * total:
        return False
    if sum(n for text, n in codes.items() if _LONG_CODE.match(text)) >= MOST * total:
        return True
    shapes: dict[str, int] = {}
    for text, n in codes.items():
        shape = re.sub("[0-9]+", "9", re.sub("[^0-9#'_./:|+=-]+", "A", text))
        shapes[shape] = shapes.get(shape, 0) + n
    return sum(sorted(shapes.values())[-4:]) >= 0.8 * total


def _time_evidence(times: time_forms.TimeForm, total: int) -> str:
    what = " and ".join("ISO" if f == "iso" else time_forms.shown(f) for f in times.formats[:3])
    told = [f"{what}, {_share(times.readable, total)}" if what else f"dates, {_share(times.readable, total)}"]
    if times.ambiguous:
        both = " or ".join(time_forms.shown(f) for f in times.ambiguous)
        if times.ambiguous[0].startswith("%y"):
            told.append(f"{both}: nothing says which end is the year")
        elif times.day_first:
            told.append(
                f"{both}: {_count(times.day_first)} only day first, {_count(times.month_first)} only month first"
            )
        else:
            told.append(f"{both}: every day and month is 12 at most, so nothing decides")
    elif times.day_first or times.month_first:
        side = "day" if times.day_first else "month"
        told.append(f"{_count(times.day_first or times.month_first)} of them only {side} first")
    if times.zoned:
        told.append("with an offset" if times.zoned == times.readable else f"{_count(times.zoned)} with an offset")
    return "; ".join(told)


def _digits(text: str) -> int:
    return sum(c.isdigit() for c in text)


def _count(n: int) -> str:
    return f"{n:,}"


def _share(part: int, total: int) -> str:
    share = 100 * part / total
    rounded = "100 %" if part == total else f"{min(share, 99.9):.1f} %"
    return f"{rounded} of {_count(total)} filled"
