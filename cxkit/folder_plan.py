"""How do a folder's files fit together? Months of one export, heads beside their lines, one file a table, persons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxkit import survey_questions
from cxkit.client import UNKNOWN
from cxkit.column_choice import choose, shown
from cxkit.column_kinds import ColumnForm, column_forms, counted
from cxkit.meanings import currency_of
from cxkit.presets import settings_for
from cxkit.proposed_table import Proposal, by_values, raws, reading, told_settings
from cxkit.tables import TABLES

SHARED = 0.9  # of the lines' order ids must stand among the heads'
READING = ("encoding", "delimiter", "sheet", "header")
Beside = tuple[dict, dict, list[Path], dict[str, ColumnForm]]
NO_TABLE = "nothing says which table it feeds"
ONLY_BESIDE = "serves only beside another file, which is not here"


@dataclass(frozen=True)
class Plan:
    """A folder's client.yml. tables: table -> settings, whose `path` (and join.N.path, and settings["persons"]["path"])
    are the files' paths as they were given, for the caller to replace. evidence: dotted from the top
    ("tables.orders.columns.amount", "currency", "scales.nps", "persons.person"). settings: currency, time_zone ("???"
    where open), scales, persons. left: files that feed nothing, and why."""

    tables: dict[str, dict]
    evidence: dict[str, str]
    settings: dict
    left: dict[Path, str]


def plan(proposals: Sequence[Proposal], *, propose: Callable[..., Proposal]) -> Plan:
    """All files of a folder -> its client.yml; `propose` proposes anew for several files of one header together."""
    left: dict[Path, str] = {}
    tables: dict[str, dict] = {}
    evidence: dict[str, str] = {}
    forms: dict[str, dict[str, ColumnForm]] = {}
    groups = _months(sorted(proposals, key=lambda p: str(p.form.path)), propose)
    chosen, beside, others = _one_a_table(groups)
    left |= others
    persons: dict[str, Any] = {}
    for table in TABLES:
        if table not in chosen:
            continue
        files, whole = chosen[table]
        settings, told, used, mine = _whole_table(whole, files, beside, list(groups.values()))
        settings = dict(settings)
        own = settings.pop("persons", {})
        if own and not persons:
            persons, evidence["persons.person"] = own, f"preset {whole.preset}"
        tables[table] = {"path": [str(f.form.path) for f in files], **settings}
        evidence |= {f"tables.{table}.{k}": v for k, v in told.items()}
        if len(files) > 1:
            evidence[f"tables.{table}.path"] = f"{len(files)} files with the same columns"
        forms[table] = mine
        for path in used:
            left.pop(path, None)
    fed = {Path(path) for export in tables.values() for path in export["path"]}
    left = {path: why for path, why in left.items() if path not in fed}  # one file may feed several tables
    if not persons:
        persons, told = _persons(chosen, forms)
        evidence |= told
    settings, told = _whole(tables, forms, [p for p, _ in groups.values()])
    if persons:
        settings["persons"] = persons
    return Plan(tables, evidence | told, settings, left)


def _months(
    proposals: Sequence[Proposal], propose: Callable[..., Proposal]
) -> dict[tuple, tuple[Proposal, list[Proposal]]]:
    """Files with one header, read in one way -> a proposal from all their records, and the files."""
    groups: dict[tuple, list[Proposal]] = {}
    for p in proposals:
        one = (p.form.names, p.form.kind, p.preset, *(getattr(p.form, k) for k in READING))
        groups.setdefault(one, []).append(p)
    found = {}
    for one, files in groups.items():
        whole = files[0]
        if len(files) > 1:
            whole = propose(whole.form, _together(files), preset=whole.match)
        found[one] = (whole, files)
    return found


def _together(files: Sequence[Proposal]) -> list[ColumnForm]:
    """The columns of several files with one header, as of one file."""
    import pandas as pd

    frames = [pd.concat([c.sample.astype(object) for c in p.columns], axis=1) for p in files]
    joined = pd.concat(frames, ignore_index=True)
    joined.columns = [c.name for c in files[0].columns]
    return column_forms(joined)


def _one_a_table(groups: dict) -> tuple[dict, list, dict[Path, str]]:
    """The group of files that feeds each table, those that may stand beside, and what is left with the reason."""
    chosen: dict[str, tuple[list, Any]] = {}
    beside, left = [], {}
    ranked = sorted(groups.values(), key=lambda g: (_open(g[0]), -g[0].score, -g[0].form.rows, str(g[0].form.path)))
    for whole, files in ranked:
        if whole.table is None:
            beside.append((whole, files))
            why = (
                f"preset {whole.preset}: serves only beside another file, which is not here"
                if whole.preset
                else NO_TABLE
            )
            left |= {f.form.path: why + _hint(whole) for f in files}
        elif whole.table in chosen:
            beside.append((whole, files))
            first = chosen[whole.table][0][0].form.path
            left |= {
                f.form.path: f"looks like {whole.table}, which {first.name} feeds; its columns differ" for f in files
            }
        else:
            chosen[whole.table] = (files, whole)
    return chosen, beside, left


def _open(proposal: Proposal) -> int:
    """How many of the required columns are open."""
    return sum(source == UNKNOWN for source in proposal.settings.get("columns", {}).values())


def _hint(proposal: Proposal) -> str:
    near = [t for t, s in proposal.others[:1] if s >= 0.1]
    return f" (nearest: {near[0]}, but too little of it is here)" if near and not proposal.preset else ""


def _whole_table(whole: Proposal, files: list[Proposal], beside: list, groups: list) -> Beside:
    """A table's settings with the files beside it: what its preset names, or lines beside their orders' heads.

    To: settings, evidence, the paths used, the forms of all columns by raw name.
    """
    mine = {c.name: c for c in whole.columns}
    if whole.match is not None:
        return _resolved(whole, groups, mine)
    if whole.table == "orders":
        joined = _with_heads(whole, files, beside)
        if joined is not None:
            return joined
    return whole.settings, whole.evidence, [], mine


def _resolved(whole: Proposal, groups: Sequence[tuple], mine: dict) -> Beside:
    """A preset's settings with the folder's files in place of the presets that it names.

    What the values said beside the preset stays. A required column that a file would bring which is not here is open.
    """
    files = {w.preset: w for w, those in groups if w.preset and len(those) == 1}
    names, before = list(whole.form.names), settings_for(whole.match, list(whole.form.names))
    named = {name: (name, list(w.form.names)) for name, w in files.items()}  # the presets' names in place of paths
    settings = settings_for(whole.match, names, files=named)
    found = {k: v for k, v in whole.settings.items() if k not in ("join", "persons", "columns") and v != before.get(k)}
    settings, told = {**settings, **found}, dict(whole.evidence)
    used = []

    def placed(part: dict) -> dict:
        form = files[part["path"]].form
        used.append(form.path)
        return {**part, "path": str(form.path), **reading(form)[0]}

    joins = list(settings.pop("join", ()))
    for i, part in enumerate(joins):
        mine = {**{c.name: c for c in files[part["path"]].columns}, **mine}
        told[f"join.{i}.path"] = f"preset {part['path']}"
    settings = {"join": [placed(part) for part in joins], **settings} if joins else settings
    if "persons" in settings:
        settings["persons"] = placed(settings["persons"])
    for name, raw in settings["columns"].items():
        if told.get(f"columns.{name}") == f"preset {whole.preset}" and isinstance(raw, str) and raw in mine:
            told[f"columns.{name}"] += f"; {by_values(whole.table, name, mine[raw])}"
    for name, column in TABLES[whole.table].columns.items():
        lacks = (
            column.required and not column.derived and name not in settings["columns"] and "questions" not in settings
        )
        if lacks:
            settings["columns"][name] = UNKNOWN
            told[f"columns.{name}"] = (
                f"preset {whole.preset}: a column that is not here, or stands in a file that is not"
            )
    return settings, told, used, mine


def _with_heads(whole: Proposal, files: Sequence[Proposal], beside: list) -> tuple[dict, dict, list[Path], dict] | None:
    """Order lines beside their orders' heads: two files that share the orders' numbers, which one of them repeats.

    The lines' file is the table's own; the heads' is joined. None where no such pair is here.
    """
    for other, theirs in beside:
        if other.table not in (None, "orders") or len(files) > 1 or len(theirs) > 1 or other.match is not None:
            continue
        one, two = choose("orders", whole.columns), choose("orders", other.columns)
        pair = [c.columns.get("order_id") for c in (one, two)]
        if any(form is None or not form.filled for form in pair):
            continue
        alone = [form.distinct >= 0.999 * form.filled for form in pair]
        if alone[0] == alone[1] or not (whole.form.whole and other.form.whole):
            continue
        heads, lines = (whole, other) if alone[0] else (other, whole)
        head, line = (pair[0], pair[1]) if alone[0] else (pair[1], pair[0])
        shared = set(counted(line)) & set(counted(head))
        if len(shared) < SHARED * line.distinct or not _sells(lines.columns):
            continue
        both = _beside(lines.columns, line, heads.columns, head)
        settings, told = told_settings(choose("orders", both))
        read, said = reading(lines.form)
        at, _ = reading(heads.form)
        join = {
            "path": str(heads.form.path),
            "on": line.name,
            **({"key": head.name} if head.name != line.name else {}),
            **at,
        }
        told["join.0.path"] = f"{len(shared):,} of {line.distinct:,} order ids of the lines stand in it, each once"
        files[:] = [next(p for p in (*files, *theirs) if p.form is lines.form)]
        return (
            {**read, "join": [join], **settings},
            said | told,
            [heads.form.path, lines.form.path],
            {c.name: c for c in both},
        )
    return None


def _sells(columns: Sequence[ColumnForm]) -> bool:
    """Whether a file holds what was sold: a product, or pieces, and money."""
    choice = choose("orders", columns)
    goods = {"product_id", "product", "quantity"} & set(choice.columns)
    return bool(goods) and bool("amount" in choice.columns or choice.roles.get("unit_price"))


def _beside(
    lines: Sequence[ColumnForm], line: ColumnForm, heads: Sequence[ColumnForm], head: ColumnForm
) -> list[ColumnForm]:
    """The columns of lines with those of their heads beside them; a name that both have is the lines'."""
    import pandas as pd

    mine = pd.DataFrame({c.name: c.sample.astype(object) for c in lines})
    names = [c.name for c in heads if c.name not in mine and c is not head]
    theirs = pd.DataFrame({c.name: c.sample.astype(object) for c in heads if c.name in names})
    theirs.index = head.sample.astype(object)
    joined = theirs.reindex(mine[line.name])
    for name in names:
        mine[name] = joined[name].fillna("").to_numpy()
    return column_forms(mine)


def _persons(chosen: dict, forms: dict[str, dict[str, ColumnForm]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Which ids are one person: the customers' file where it has a second id, or an e-mail that orders are told by."""
    if "customers" not in chosen or len(chosen["customers"][0]) > 1:
        return {}, {}
    whole = chosen["customers"][1]
    choice = choose("customers", whole.columns)
    own = choice.columns.get("customer_id")
    if own is None or own.kind == "e-mail":
        return {}, {}
    at, _ = reading(whole.form)
    found = {"path": str(whole.form.path), "id": own.name}
    second = choice.roles.get("person_id", [])
    if len(second) == 1 and 0 < second[0].distinct < own.distinct:
        told = f"{own.distinct:,} ids of {second[0].distinct:,} persons by {shown(second[0].name)}"
        return {**found, "person": second[0].name, **at}, {"persons.person": told}
    mails = [f for f in choice.roles.get("email", []) if f.kind == "e-mail"]
    by_mail = [t for t, cols in forms.items() if any(_mapped_mail(f, chosen[t][1]) for f in cols.values())]
    if len(mails) == 1 and by_mail:
        told = f"{', '.join(by_mail)} tell customers by e-mail, this file has both"
        return {**found, "person": mails[0].name, "lower_case": True, **at}, {"persons.person": told}
    return {}, {}


def _mapped_mail(form: ColumnForm, whole: Proposal) -> bool:
    return form.kind == "e-mail" and whole.settings.get("columns", {}).get("customer_id") == form.name


def _whole(tables: dict[str, dict], forms: dict[str, dict[str, ColumnForm]], proposals: list) -> tuple[dict, dict]:
    """Currency, time zone and scales of the whole client, with the evidence for each."""
    told: dict[str, str] = {}
    settings: dict[str, Any] = {}
    settings["currency"], told["currency"] = _currency(tables, forms)
    for table, export in tables.items():
        column = export.get("currency_column")
        if column is None:
            continue
        codes = [code.upper() for code in counted(forms[table][column])]
        foreign = sorted({c for c in codes if c != settings["currency"]})
        if len(set(codes)) > 1:
            export["rates"] = dict.fromkeys(foreign, UNKNOWN)
            told |= {f"tables.{table}.rates.{c}": f"what one {c} is in the client's currency" for c in foreign}
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
        column = export.get("currency_column")
        if column is not None:
            for code in counted(forms[table][column]):
                said.setdefault(code.upper(), []).append(f"{shown(column)} of {table}")
        for raw in _money_raws(table, export):
            form = forms[table].get(raw)
            for code in {*(form.marks if form is not None else ()), *([c] if (c := currency_of(raw)) else [])}:
                said.setdefault(code, []).append(f"{shown(raw)} of {table}")
    if len(said) == 1 and "?" not in said:
        code, where = next(iter(said.items()))
        return code, f"{code} by {', '.join(dict.fromkeys(where))}"
    if said:
        names = sorted(code for code in said if code != "?")
        mark = "; a mark that several currencies share ($, kr)" if "?" in said else ""
        return UNKNOWN, (f"{', '.join(names)} stand in the files" if names else "no code of a currency") + mark
    return UNKNOWN, "no column, name or mark says which currency the money is in; write one as UAH"


def _money_raws(table: str, export: dict) -> list[str]:
    """The raw columns of a table that hold money."""
    columns = export.get("columns", {})
    money = {n: s for n, s in columns.items() if TABLES[table].columns[n].type == "money"}
    pieces = columns.get("quantity")
    return [raw for raw in raws({"columns": money}) if raw != pieces]
