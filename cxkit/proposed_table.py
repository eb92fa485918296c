"""What do a table's lines in client.yml say? From the columns that were chosen, each line with its evidence."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cxkit import doubts, order_money, survey_questions, table_settings
from cxkit.client import UNKNOWN
from cxkit.column_choice import NO_MEANING, NUMERIC, Choice, misfit, shown
from cxkit.column_kinds import ColumnForm
from cxkit.presets import Match
from cxkit.sniff import FileForm
from cxkit.tables import TABLES

_PLAIN = {"encoding": "utf-8", "delimiter": ",", "sheet": None, "header": (1,)}


@dataclass(frozen=True)
class Proposal:
    """One file's proposal. table: None where nothing says what the file feeds; others: the next best, with scores.
    settings: as tables.<table> takes them, without `path`; "???" where something is open. evidence: dotted key inside
    settings ("columns.ordered_at", "encoding") -> comment. unmapped: raw column -> why it stays out."""

    form: "FileForm"
    columns: tuple[ColumnForm, ...]
    preset: str | None
    table: str | None
    others: tuple[tuple[str, float], ...]
    settings: dict
    evidence: dict[str, str]
    unmapped: dict[str, str]
    score: float = 0.0
    match: "Match | None" = field(default=None, compare=False, repr=False)


def reading(form: "FileForm") -> tuple[dict[str, Any], dict[str, str]]:
    """How the file is opened, as far as it differs from the usual, and why."""
    found = {k: getattr(form, k) for k, usual in _PLAIN.items() if getattr(form, k) != usual}
    if form.kind != "csv":
        found = {k: v for k, v in found.items() if k not in ("encoding", "delimiter")}
    if "sheet" in found and len(form.sheets) == 1:
        found.pop("sheet")
    settings = {k: (list(v) if len(v) > 1 else v[0]) if k == "header" else v for k, v in found.items()}
    told = {k: form.evidence[k] for k in settings if k in form.evidence}
    for k in told:
        if not form.sure.get(k, True) and "guess" not in told[k]:
            told[k] = f"a guess: {told[k]}"
    return settings, told


def told_settings(choice: Choice) -> tuple[dict[str, Any], dict[str, str]]:
    """A table's settings from its columns, and the evidence by dotted key."""
    table, told = TABLES[choice.table], {}
    asked = survey_questions.questions(choice, told)
    columns: dict[str, Any] = {}
    numeric = [f for n, f in choice.columns.items() if table.columns[n].type in ("money", "number", "integer")]
    if choice.table == "orders":
        numeric += [
            f for role in ("unit_price", "order_total") for f in choice.roles.get(role, ()) if f.kind in NUMERIC
        ]
    decimal = table_settings.decimal_setting(numeric, told)
    mark = decimal.get("decimal", ".") if decimal.get("decimal") != UNKNOWN else "."
    for name, column in table.columns.items():
        if column.derived:
            continue
        if name == "amount" and choice.table == "orders":
            money = order_money.line_money(choice, mark)
            columns[name], told["columns.amount"] = money.source, money.told
            told |= ready("columns.amount", money.ready)
            for raw in money.used:
                choice.unmapped.pop(raw, None)
            if money.source == UNKNOWN:
                own = [choice.columns[name].name] if name in choice.columns else []
                offered = dict.fromkeys(raw for way, _ in money.ready for raw in _named(way))
                free = [raw for raw in offered if choice.unmapped.get(raw) == NO_MEANING]
                choice.unmapped |= dict.fromkeys([*own, *free], "perhaps the amount: see there")
        elif name in choice.columns:
            columns[name], told[f"columns.{name}"] = choice.columns[name].name, choice.told[name]
            if choice.table == "orders" and name in ("discount", "refund", "cost"):
                part = order_money.part(choice, name, mark, amount=money)
                columns[name] = part.source
                told[f"columns.{name}"] += part.told
                told |= ready(f"columns.{name}", part.ready)
                if part.source == UNKNOWN:
                    choice.unmapped[choice.columns[name].name] = f"perhaps the {name}: see there"
        elif (after := _answered_after(choice, name)) is not None:
            columns[name], told[f"columns.{name}"] = after
        elif column.required and not (asked and name in ("metric", "score")):
            columns[name], told[f"columns.{name}"] = UNKNOWN, _nearest(choice, name)
    if table.one_of and not any(n in columns for n in table.one_of):
        columns[table.one_of[0]] = UNKNOWN
        told[f"columns.{table.one_of[0]}"] = f"one of {', '.join(table.one_of)} is needed; no column was found"
    settings: dict[str, Any] = {**decimal, **table_settings.time_settings(choice, told), "columns": columns}
    settings |= {"questions": asked} if asked else {}
    settings |= table_settings.value_settings(choice, told)
    settings |= table_settings.id_settings(choice, told)
    settings |= table_settings.currency_settings(choice, told)
    if choice.table == "orders":
        settings |= table_settings.return_settings(choice, told)
        settings |= table_settings.once_settings(choice, told)
    table_settings.hints(choice, told)
    doubts.settle(choice, settings, told, decimal=mark)
    return settings, told


def ready(place: str, ways: Sequence[tuple[Any, str]]) -> dict[str, str]:
    """What a line may say, for client_text to write as comments: place.ready.N -> the value and why, as JSON."""
    return {f"{place}.ready.{i}": json.dumps(way, ensure_ascii=False) for i, way in enumerate(ways)}


def _answered_after(choice: Choice, name: str) -> tuple[dict[str, str], str] | None:
    """The time of a contact's first answer where the file has the minutes until it."""
    minutes = [f for f in choice.roles.get("answer_minutes", ()) if f.kind in NUMERIC]
    opened = choice.columns.get("opened_at")
    if choice.table != "contacts" or name != "first_answer_at" or opened is None or len(minutes) != 1:
        return None
    choice.unmapped.pop(minutes[0].name, None)
    told = f"{shown(minutes[0].name)}: {minutes[0].evidence}, in minutes by its name"
    return {"after": opened.name, "minutes": minutes[0].name}, told


def _nearest(choice: Choice, name: str) -> str:
    """What is told of a required column that was not found."""
    if name in choice.open:
        return choice.open[name]
    column = TABLES[choice.table].columns[name]
    kinds = {"time": ("time", "date"), "money": NUMERIC, "number": NUMERIC}.get(column.type, ("id", "category"))
    near = [f.name for f in choice.forms if f.kind in kinds and f.name in choice.unmapped]
    what = {"time": "no column of times", "money": "no column of money", "number": "no column of numbers"}
    none = what.get(column.type, "no column")
    if near:
        return f"{none} is named so; perhaps {', '.join(shown(n) for n in near[:3])}"
    return f"{none} that could be it was found"


def by_values(table: str, name: str, form: ColumnForm) -> str:
    """What a raw column's values say of its use as a canonical one."""
    fault = misfit(TABLES[table].columns[name], form)
    return f"but {fault}" if fault else f"{shown(form.name)}: {form.evidence}"


def _named(source: Any) -> list[str]:
    if isinstance(source, dict):
        return [raw for key, part in source.items() if key != "constant" for raw in _named(part)]
    if isinstance(source, list | tuple):
        return [raw for part in source for raw in _named(part)]
    return [source] if source != UNKNOWN else []


def raws(settings: dict) -> list[str]:
    """The raw columns that a table's settings name, but for those that are open."""
    found: list[str] = []
    for source in settings.get("columns", {}).values():
        found += _named(source)
    for raw, question in settings.get("questions", {}).items():
        found += [raw, *([question["comment"]] if "comment" in question else [])]
    found += [*settings.get("keep_only", {}), *settings.get("leave_out", {})]
    return list(dict.fromkeys(found + ([c] if (c := settings.get("currency_column")) not in (None, UNKNOWN) else [])))
