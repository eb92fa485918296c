"""What holds for all of a client's tables? Currency and rates, time zone, scales, from what the tables' columns say."""

from typing import Any

from cxkit import survey_questions
from cxkit.client import UNKNOWN
from cxkit.column_choice import shown
from cxkit.column_kinds import ColumnForm, counted
from cxkit.meanings import currency_of
from cxkit.proposed_table import raws
from cxkit.table_settings import code_of
from cxkit.tables import TABLES

SHARED = ("$", "KR")  # marks of several currencies


def common(
    tables: dict[str, dict], forms: dict[str, dict[str, ColumnForm]], proposals: list, *, currency: str | None = None
) -> tuple[dict, dict]:
    """Currency, time zone and scales of the whole client, with the evidence for each.

    From: the tables' settings, into which the rates go that money in other currencies needs; their columns by raw
    name; the files' proposals; `currency`: the client's, where it was given.
    """
    told: dict[str, str] = {}
    settings: dict[str, Any] = {}
    settings["currency"], told["currency"] = _currency(tables, forms)
    own = currency or settings["currency"]
    for table, export in tables.items():
        codes = _codes(table, export, forms[table], own)
        foreign = sorted(code for code in codes if code != own)
        if not foreign or "currency_column" not in export or (own == UNKNOWN and len(foreign) == 1):
            continue
        export["rates"] = dict.fromkeys(foreign, UNKNOWN)
        for code in foreign:
            told[f"tables.{table}.rates.{code}"] = (
                f"what one {code} in {own} is"
                if own != UNKNOWN
                else (f"what one {code} in the client's currency is; if it is the client's own, take this line out")
            )
    times = [
        forms[t][raw]
        for t, export in tables.items()
        for name, raw in export.get("columns", {}).items()
        if isinstance(raw, str) and raw in forms[t] and TABLES[t].columns[name].type == "time" and forms[t][raw].filled
    ]
    settings["time_zone"] = UNKNOWN
    told["time_zone"] = "no file says which clock its times are of; write one as Europe/Kyiv"
    if times and all(f.evidence.endswith("with an offset") for f in times):
        told["time_zone"] = "every time has an offset; the zone is still needed to tell on which local day it was"
    settings["scales"] = {}
    for table, export in tables.items():
        for metric, (scale, why) in survey_questions.scales(export, table, forms[table]).items():
            settings["scales"][metric], told[f"scales.{metric}"] = scale, why
    for proposal in proposals:  # what a preset says of a scale is said of the question, not of the answers seen
        for metric, scale in getattr(proposal.match and proposal.match.preset, "scales", {}).items():
            if proposal.table in tables:
                settings["scales"][metric], told[f"scales.{metric}"] = scale, f"preset {proposal.preset}"
    return settings, told


def _currency(tables: dict[str, dict], forms: dict[str, dict[str, ColumnForm]]) -> tuple[str, str]:
    """The client's currency, where columns of currency, marks in the money and names of columns all say one."""
    said: dict[str, list[str]] = {}
    for table, export in tables.items():
        for code, where in _codes(table, export, forms[table], None).items():
            said.setdefault(code, []).append(f"{shown(where)} of {table}")
    shared = sorted(set(said) & set(SHARED))
    if len(said) == 1 and not shared:
        code, where = next(iter(said.items()))
        return code, f"{code} by {', '.join(dict.fromkeys(where))}"
    if said:
        names = sorted(set(said) - set(shared))
        mark = f"; {', '.join(shared)} of several currencies" if shared else ""
        return UNKNOWN, (f"{', '.join(names)} stand in the files" if names else "no code of a currency") + mark
    return UNKNOWN, "no column, name or mark says which currency the money is in; write one as UAH"


def _codes(table: str, export: dict, forms: dict[str, ColumnForm], own: str | None) -> dict[str, str]:
    """The currencies that a table's money is in -> the column that says so."""
    found: dict[str, str] = {}
    column = export.get("currency_column")
    if column in forms and not forms[column].marks:
        found = {code_of(word, own): column for word in counted(forms[column])}
    for raw in _money_raws(table, export):
        form = forms.get(raw)
        named = [code] if (code := currency_of(raw)) else []
        for code in (*(form.marks if form is not None else ()), *named):
            found.setdefault(code_of(code, own), raw)
    return found


def _money_raws(table: str, export: dict) -> list[str]:
    """The raw columns of a table that hold money."""
    columns = export.get("columns", {})
    money = {n: s for n, s in columns.items() if TABLES[table].columns[n].type == "money"}
    pieces = columns.get("quantity")
    return [raw for raw in raws({"columns": money}) if raw != pieces]
