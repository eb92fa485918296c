"""What of a plan must a person look at? Worksheets that are not read, values that look personal, records that the
delimiter does not part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.privacy import scrub
from cxkit.style import clean_text

if TYPE_CHECKING:
    from cxkit.proposal import Plan, Proposal

SHOWN_SHEETS = 12
PARTED = 0.5  # of a file's records must have the header's width


def warned(plan: "Plan", proposals: Mapping[str, Sequence["Proposal"]]) -> tuple["Plan", list[str]]:
    """The plan with what must not be taken on trust open or told, and warnings to print.

    From: the plan, its paths as client.yml has them; path -> what was proposed for the file, one a worksheet or more.
    A worksheet (a file of an archive, a table of a database) that nothing reads is named under `left`; where it has
    the same columns as one that is read, which one is meant is open. A value that looks like an e-mail or a phone is
    not written as a key. Where most records have not the header's width, the delimiter is open.
    """
    plan = replace(plan, tables={t: dict(s) for t, s in plan.tables.items()}, evidence=dict(plan.evidence))
    plan = replace(plan, left={**plan.left, **_unread(plan, proposals)})
    _unparted(plan, proposals)
    return plan, _personal(plan)


def unread_place(path: str, sheet: str) -> str:
    """What a worksheet that is not read is called under `left`."""
    return f"{path}, {sheet!r}"


def _unread(plan: "Plan", proposals: Mapping[str, Sequence["Proposal"]]) -> dict[Path, str]:
    left: dict[Path, str] = {}
    read = set(_places([plan.tables, plan.settings]))
    for path, found in proposals.items():
        forms = {p.form.sheet: p for p in found if p.form.rows and p.form.sheet is not None}
        mine = {sheet: p for sheet, p in forms.items() if (path, sheet) in read}
        if not mine:
            continue
        for first, p in mine.items():
            alike = [s for s, other in forms.items() if s not in mine and other.form.names == p.form.names]
            for sheet in alike:
                why = f"the same columns as {clean_text(first)!r}: which one is meant?"
                left[Path(unread_place(path, sheet))] = why
            if alike:
                _ask_sheet(plan, path, first, alike)
        for sheet, p in forms.items():
            if sheet not in mine:
                table = f"looks like {p.table}" if p.table else "nothing says which table it feeds"
                left.setdefault(Path(unread_place(path, sheet)), table)
        some = found[0].form.sheets
        if more := len(set(some) - {p.form.sheet for p in found}):
            told = f"{more:,} more of its {len(some):,} {'is' if more == 1 else 'are'} empty, or no table"
            left[Path(f"{path}, the rest")] = told
    return left


def _ask_sheet(plan: "Plan", path: str, first: str, alike: Sequence[str]) -> None:
    """Leaves open which of several worksheets with the same columns is meant."""
    names = [repr(clean_text(name)) for name in (first, *alike)]
    more = f" and {len(names) - SHOWN_SHEETS} more" if len(names) > SHOWN_SHEETS else ""
    for table, settings in plan.tables.items():
        if (path, first) in set(_places({k: settings.get(k) for k in ("path", "sheet")})):
            settings["sheet"] = UNKNOWN
            plan.evidence[f"tables.{table}.sheet"] = (
                f"{', '.join(names[:SHOWN_SHEETS])}{more} have the same columns, but hold the same records, or their"
                " headers stand at different places: write the name of the one that is meant, or a list of names to"
                " read them in turn"
            )


def _places(value: Any) -> Iterator[tuple[str, str | None]]:
    """Every file and worksheet that settings read."""
    if isinstance(value, Mapping):
        paths = value.get("path") or ()
        for path in [paths] if isinstance(paths, str) else paths:
            for sheet in sheets if isinstance(sheets := value.get("sheet"), list | tuple) else [sheets]:
                yield path, sheet
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _places(part)


def _unparted(plan: "Plan", proposals: Mapping[str, Sequence["Proposal"]]) -> None:
    """Leaves the delimiter open where most of a file's records have not the header's width."""
    for table, settings in plan.tables.items():
        for path, _ in _places({"path": settings.get("path")}):
            for p in proposals.get(path, ()):
                held = max((c.rows for c in p.columns), default=0)
                if p.form.kind == "csv" and p.form.whole and held < PARTED * p.form.rows:
                    told = next((n for n in reversed(p.form.notes) if "than the header" in n), "")
                    settings["delimiter"] = UNKNOWN
                    plan.evidence[f"tables.{table}.delimiter"] = (
                        f"{p.form.delimiter!r} parts {held:,} of {p.form.rows:,} records as it parts the header; {told}"
                        " Ask for the export with semicolons, or with texts and numbers in quotation marks"
                    )


def _personal(plan: "Plan") -> list[str]:
    """Takes what looks personal out of the values that are to be mapped; to: what is to be said."""
    warnings = []
    for table, settings in plan.tables.items():
        values = settings.get("values")
        if isinstance(values, Mapping):
            kept = {c: {k: v for k, v in words.items() if scrub(str(k)) == str(k)} for c, words in values.items()}
            for column, words in values.items():
                if count := len(words) - len(kept[column]):
                    looks = f"{count:,} of its values {'looks' if count == 1 else 'look'} like e-mails or phones"
                    key = f"tables.{table}.columns.{column}"
                    told = f"{looks} and {'is' if count == 1 else 'are'} not written here: is it a {column}?"
                    plan.evidence[key] = "; ".join(filter(None, (plan.evidence.get(key), told)))
                    warnings.append(f"{table}: {column}: {told}")
            settings["values"] = {column: words for column, words in kept.items() if words}
            if not settings["values"]:
                del settings["values"]
        named = [raw for raw in settings.get("questions", {}) if scrub(raw) != raw]
        if named:
            what = "1 question holds" if len(named) == 1 else f"{len(named):,} questions hold"
            told = f"{what} an e-mail or a phone: keep client.yml as private as the exports"
            key = f"tables.{table}.questions"
            plan.evidence[key] = "; ".join(filter(None, (plan.evidence.get(key), told)))
            warnings.append(f"{table}: {told}.")
    return warnings
