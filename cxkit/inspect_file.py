"""What is this file? Its form, columns and meaning as found out, and what the door would refuse; told on a page."""

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.errors import DataError, UsageError
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES
from cxkit.trial_run import trial

if TYPE_CHECKING:
    from cxkit.proposal import Plan, Proposal

WIDTH, NAME_WIDTH = 100, 38
KINDS = {"csv": "text with delimiters", "xlsx": "a workbook", "jsonl": "JSON", "duckdb": "a DuckDB file"}

_OPTION = {
    "but sheet asks for": "but --sheet asks for",
    "Take that line out of client.yml.": "Leave --sheet out.",
    "Mend sheet in client.yml.": "Give one of these as --sheet.",
    "Name the one that is meant: sheet in client.yml.": "Give the one that is meant as --sheet.",
}


def look(path: Path, *, sheet: str | None = None) -> tuple["Proposal", ...]:
    """What a file is and how it would be read: form, columns, preset, proposal.

    To: one proposal; several where presets know the file as the source of several tables, as when searches and the
    events that follow stand in one file.
    Raises UsageError where there is no such file; DataError, naming the file, where it cannot be read at all.
    """
    from cxkit import column_kinds, presets, proposal, sniff

    path = Path(path)
    if not path.is_file():
        what = "a folder; give its files one by one, or all to `cxkit new`" if path.is_dir() else "no file"
        raise UsageError(f"{path} is {what}.")
    try:
        form = sniff.sniff(path, sheet=sheet)
        columns = column_kinds.column_forms(sniff.sample(form))
    except DataError as error:
        raise DataError(f"{clean_text(path.name)}: {_of_option(str(error)) if sheet else error}") from None
    found: dict[str | None, presets.Match] = {}
    for match in presets.matches(form.names):
        if not found or match.preset.table is not None:
            found.setdefault(match.preset.table, match)
    known = [found[table] for table in (None, *TABLES) if table in found] or [None]
    return tuple(proposal.propose(form, columns, preset=match) for match in known)


def _of_option(told: str) -> str:
    """What is said of `sheet` in client.yml, said of the option --sheet."""
    for setting, option in _OPTION.items():
        told = told.replace(setting, option)
    return told


def inspect(path: Path, *, sheet: str | None = None) -> str:
    """What `cxkit inspect` prints of a file: at most 100 columns wide, without personal values.

    Raises as `look`.
    """
    from cxkit import proposal

    found = look(path, sheet=sheet)
    plan = proposal.combine(found)
    passed = [text for one in found for text in [*([f"As {one.table}:"] if found[1:] else []), *trial(one, plan)]]
    told = [line for text in passed for line in _wrapped(text, indent=len(text) - len(text.lstrip()) + 2)]
    return "\n".join(line.rstrip() for line in [*_form(found, plan), "", *_columns(found), "", *told])


def _form(found: Sequence["Proposal"], plan: "Plan") -> list[str]:
    """The file as a whole."""
    form = found[0].form
    rows, columns = (
        f"{n:,} {what}{'' if n == 1 else 's'}" for n, what in ((form.rows, "record"), (len(form.names), "column"))
    )
    kind = KINDS.get(form.kind, form.kind)
    title = f"{clean_text(form.path.name)}: {kind}, {rows}, {columns}"
    told = [("preset", _preset(one), "") for one in found]
    if form.sheet or form.sheets:
        others = ", ".join(clean_text(s) for s in form.sheets if s != form.sheet)
        told.append(
            ("sheet", clean_text(form.sheet or ""), _because(form, "sheet", others and f"not read here: {others}"))
        )
    if form.kind == "csv":
        told.append(("encoding", form.encoding, _because(form, "encoding")))
        delimiter = {"\t": "tab", " ": "blank"}.get(form.delimiter, form.delimiter)
        told.append(("delimiter", delimiter, _because(form, "delimiter")))
    if form.kind in ("csv", "xlsx"):
        header = ", ".join(map(str, form.header)) if form.header != (0,) else "none"
        told.append(("header row", header, _because(form, "header")))
    marks = [("decimal mark", one.settings.get("decimal", "."), one.evidence.get("decimal", "")) for one in found]
    told += dict.fromkeys([*marks, *(line for one in found for line in _date_formats(one))])
    told += [("feeds", one.table or "nothing that was recognised", _others(one)) for one in found]
    known = {key: plan.settings.get(key, UNKNOWN) for key in ("currency", "time_zone")}
    told += [(key, value, plan.evidence.get(key, "")) for key, value in known.items() if value != UNKNOWN]
    if still := [f"--{key.replace('_', '-')}" for key, value in known.items() if value == UNKNOWN]:
        told.append(("not told", f"{' and '.join(still)} of `cxkit new`", "no file says it"))
    lines = [title, "=" * min(_width(title), WIDTH), ""]
    for name, value, why in told:
        lines += _wrapped(f"{name:<13} {value}{f' ({why})' if why else ''}", indent=14)
    notes = dict.fromkeys([*form.notes, *(quirk for one in found for quirk in _quirks(one))])
    return [*lines, *(line for note in notes for line in _wrapped(f"{'note':<13} {note}", indent=14))]


def _because(form: Any, key: str, more: str = "") -> str:
    """What a choice rests on; said to be a guess where something else comes into question."""
    why = form.evidence.get(key, "")
    guess = "a guess" if form.sure.get(key) is False and "guess" not in why else ""
    return "; ".join(part for part in (guess, why, more) if part)


def _preset(found: "Proposal") -> str:
    match = found.match
    if match is None:
        return found.preset or "none known by this header"
    whole = "sure" if match.found == match.of else "its signature is there"
    return f"{match.preset.name}, {whole}: {match.found} of the {match.of} columns that it knows"


def _quirks(found: "Proposal") -> tuple[str, ...]:
    return found.match.preset.quirks if found.match else ()


def _others(found: "Proposal") -> str:
    more = ", ".join(f"{table} {score:.2g}" for table, score in found.others[:3])
    told = found.evidence.get("table", "")
    return "; ".join(part for part in (told, more and f"next best: {more}") if part)


def _date_formats(found: "Proposal") -> list[tuple[str, str, str]]:
    """The times' formats: one line for all, or one a column; ambiguity named."""
    given = found.settings.get("date_format")
    if isinstance(given, Mapping):
        return [
            ("date format", f"{name}: {_listed(value)}", found.evidence.get(f"date_format.{name}", ""))
            for name, value in given.items()
        ]
    if given is None:
        times = [c for c in found.columns if c.kind in ("time", "date") and c.date_formats]
        return [("date format", _listed(times[0].date_formats), "")] if times else []
    return [("date format", _listed(given), found.evidence.get("date_format", ""))]


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _columns(found: Sequence["Proposal"]) -> list[str]:
    """One line a column, its evidence below."""
    form, columns, meaning = found[0].form, found[0].columns, _meanings(found)
    looked_at = max((c.rows for c in columns), default=0)
    lines = [_row("column", "type", "filled", "distinct", "read as"), "-" * WIDTH]
    if looked_at < form.rows:
        lines.insert(0, f"From {looked_at:,} of the {form.rows:,} records, evenly spaced:")
    for column in columns:
        read_as = ", ".join(meaning.get(column.name, ())) or "-"
        lines += _named_row(
            column.name, column.kind, f"{_percent(column.filled, column.rows)} %", f"{column.distinct:,}", read_as
        )
        why = found[0].unmapped.get(column.name, "") if read_as == "-" else ""
        why = "" if why.startswith("preset ") else why  # the same for all that a preset does not know
        asked = found[0].evidence.get(f"questions.{column.name}.metric", "")
        told = "; ".join(part for part in (why, column.evidence, asked) if part)
        lines += _wrapped(f"    {told}", indent=4) if told else []
    known = {c.name for c in columns}
    lines += [line for name in form.names if name not in known for line in _named_row(name, "", "", "", "-")]
    for one in found:
        for name, source in one.settings.get("columns", {}).items():
            if source == UNKNOWN:
                told = one.evidence.get(f"columns.{name}", "nothing in the file says which column it is")
                lines += _wrapped(f"??? {name}: {told}", indent=4)
    return lines


def _named_row(name: str, *cells: str) -> list[str]:
    """A column's line; a long name has lines of its own."""
    shown = scrub(clean_text(name)) or "(no name)"
    if _width(shown) <= NAME_WIDTH:
        return [_row(shown, *cells)]
    return [*_wrapped(shown, indent=2), _row("", *cells)]


def _meanings(found: Sequence["Proposal"]) -> dict[str, list[str]]:
    """Raw column -> what it is read as, by each proposal."""
    meaning: dict[str, dict[str, None]] = {}
    for settings in (one.settings for one in found):
        for name, source in settings.get("columns", {}).items():
            parts = source if isinstance(source, Mapping) else {"": source}
            for kind, raws in parts.items():
                mark = f" ({kind})" if isinstance(source, Mapping) else ""
                for raw in raws if isinstance(raws, list | tuple) else [raws]:
                    raw = raw["share"] if isinstance(raw, Mapping) else raw
                    if kind != "constant":
                        meaning.setdefault(str(raw), {})[f"{name}{mark}"] = None
        for raw, question in settings.get("questions", {}).items():
            meaning.setdefault(raw, {})[f"an answer: {question.get('metric', '')}".rstrip(": ")] = None
            if comment := question.get("comment"):
                meaning.setdefault(comment, {})["comment"] = None
        if raw := settings.get("currency_column"):
            meaning.setdefault(raw, {})["currency"] = None
        for key in ("keep_only", "leave_out"):
            for raw in settings.get(key, {}):
                meaning.setdefault(raw, {})[key] = None
    return {raw: list(names) for raw, names in meaning.items()}


def _row(*cells: str) -> str:
    return " ".join(_fit(cell, width) for cell, width in zip(cells, (NAME_WIDTH, 9, 7, 9, 33), strict=True))


def _fit(text: str, width: int) -> str:
    """A cell of a fixed width on the screen: wide letters take two places, marks none."""
    if _width(text) > width:
        while _width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _wrapped(text: str, *, indent: int) -> list[str]:
    """A text on lines of at most 100 columns, the later ones indented."""
    lead = re.match(" *", text).group()
    words = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)
    return textwrap.wrap(words, WIDTH, subsequent_indent=" " * indent or lead, break_on_hyphens=False) or [""]


def _percent(part: int, whole: int) -> str:
    share = 100 * part / whole if whole else 0
    return "<1" if 0 < share < 1 else ">99" if 99 < share < 100 else f"{share:.0f}"
