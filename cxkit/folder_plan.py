"""How do a folder's files fit together? Months of one export, heads beside their lines, one file a table, persons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxkit import common_settings, one_shape
from cxkit.client import UNKNOWN
from cxkit.column_choice import NO_MEANING, choose, shown
from cxkit.column_kinds import ColumnForm, column_forms, counted
from cxkit.presets import load_presets, settings_for
from cxkit.proposed_table import Proposal, by_values, raws, reading, told_settings
from cxkit.sniff import FileForm
from cxkit.tables import TABLES

SHARED = 0.9  # of the lines' order ids must stand among the heads'; of a file's records in another, to be the same
READING = ("encoding", "delimiter", "sheet", "header")
Beside = tuple[dict, dict, list[Path], dict[str, ColumnForm], dict[str, str]]
NO_TABLE = "nothing says which table it feeds"


@dataclass(frozen=True)
class Plan:
    """A folder's client.yml. tables: table -> settings, whose `path` (and join.N.path, and settings["persons"]["path"])
    are the files' paths as they were given, for the caller to replace. evidence: dotted from the top
    ("tables.orders.columns.amount", "currency", "scales.nps", "persons.person"). settings: currency, time_zone ("???"
    where open), scales, persons. left: files that feed nothing, and why. unmapped: table -> raw column, of its own file
    or a joined one -> why it stays out."""

    tables: dict[str, dict]
    evidence: dict[str, str]
    settings: dict
    left: dict[Path, str]
    unmapped: dict[str, dict[str, str]] = field(default_factory=dict)


def plan(proposals: Sequence[Proposal], *, propose: Callable[..., Proposal], currency: str | None = None) -> Plan:
    """All files of a folder -> its client.yml; `propose` proposes anew for several files of one header together.

    `currency`: the client's, where it was given: money in others needs rates.
    """
    left: dict[Path, str] = {}
    tables: dict[str, dict] = {}
    evidence: dict[str, str] = {}
    forms: dict[str, dict[str, ColumnForm]] = {}
    unmapped: dict[str, dict[str, str]] = {}
    for p in (p for p in proposals if not p.form.rows):
        would = f"; with some it would feed {p.table}" if p.table else ""
        left[p.form.path] = f"it has a header but no rows{would}. Ask for the export again"
    groups = _months(sorted((p for p in proposals if p.form.rows), key=lambda p: str(p.form.path)), propose)
    chosen, beside, others = _one_a_table(groups, propose)
    left |= others
    persons: dict[str, Any] = {}
    for table in TABLES:
        if table not in chosen:
            continue
        files, whole = chosen[table]
        settings, told, used, mine, why = _whole_table(whole, files, beside, list(groups.values()))
        settings = dict(settings)
        unmapped[table] = _left_out(settings, mine, why, whole.form)
        own = settings.pop("persons", {})
        if own and not persons:
            persons, evidence["persons.person"] = own, f"preset {whole.preset}"
        paths = list(dict.fromkeys(str(f.form.path) for f in files))
        tables[table] = {"path": paths, **settings}
        evidence |= {f"tables.{table}.{k}": v for k, v in told.items()}
        sheets = list(dict.fromkeys(f.form.sheet for f in files))
        if len(sheets) > 1:
            tables[table]["sheet"], what = sheets, f"{len(sheets)} sheets with the same columns, read in turn"
            evidence[f"tables.{table}.sheet"] = "; ".join([what, *(_again(files) if len(paths) == 1 else [])])
        some = one_shape.only_in_some(files) if len(files) > 1 else {}
        unmapped[table] |= some
        if some:
            told = "; ".join(f"{shown(name)} {where}" for name, where in list(some.items())[: one_shape.SHOWN])
            told = f"{len(paths)} exports, read by the columns that all have; left out: {told}"
            evidence[f"tables.{table}.path"] = told
        elif len(paths) > 1:
            evidence[f"tables.{table}.path"] = "; ".join([f"{len(paths)} files with the same columns", *_again(files)])
        forms[table] = mine
        for path in used:
            left.pop(path, None)
    fed = {Path(path) for export in tables.values() for path in export["path"]}
    left = {path: why for path, why in left.items() if path not in fed}  # one file may feed several tables
    if not persons:
        persons, told = _persons(chosen, forms)
        evidence |= told
    settings, told = common_settings.common(tables, forms, [p for p, _ in groups.values()], currency=currency)
    if persons:
        settings["persons"] = persons
    return Plan(tables, evidence | told, settings, left, unmapped)


def _left_out(settings: dict, mine: dict[str, ColumnForm], why: dict[str, str], form: FileForm) -> dict[str, str]:
    """Every column that the table's settings do not name -> why; those too that have no name, or one twice."""
    used = {*raws(settings), *(part[k] for part in settings.get("join", ()) for k in ("on", "key") if k in part)}
    found = {raw: why.get(raw, NO_MEANING) for raw in mine if raw not in used}
    twice = [name for name in form.names if name and form.names.count(name) > 1]
    found |= dict.fromkeys(twice, "stands in the header more than once, so it cannot be named here")
    return found | {
        f"column {i}": "it has no name in the header, so it cannot be named here: is the header two rows?"
        for i, name in enumerate(form.names, 1)
        if not name
    }


def _months(
    proposals: Sequence[Proposal], propose: Callable[..., Proposal]
) -> dict[tuple, tuple[Proposal, list[Proposal]]]:
    """Files with one header, read in one way -> a proposal from all their records, and the files; sheets of one file
    with one header count as one file."""
    groups: dict[tuple, list[Proposal]] = {}
    for sheets in _sheets_together(proposals):
        for p in sheets[:1]:
            names = tuple(s.form.sheet for s in sheets)
            groups.setdefault((*_alike(p), names), []).extend(sheets)
    found = {}
    for one, files in groups.items():
        whole = files[0]
        if len(files) > 1:
            whole = propose(whole.form, _together(files), preset=whole.match)
        found[one] = (whole, files)
    return found


def _alike(p: Proposal) -> tuple:
    """What files must have in common to be read by one entry of client.yml, but for the sheet."""
    return (p.form.names, p.form.kind, p.preset, *(getattr(p.form, k) for k in READING if k != "sheet"))


def _sheets_together(proposals: Sequence[Proposal]) -> list[list[Proposal]]:
    """The proposals of each file, those of its sheets together that have one header. Where one sheet holds what others
    do, each stays alone: which of them is meant nobody can tell."""
    found: dict[tuple, list[Proposal]] = {}
    for p in proposals:
        found.setdefault((p.form.path, *_alike(p)), []).append(p)
    return [part for sheets in found.values() for part in ([[p] for p in sheets] if _twice(sheets) else [sheets])]


def _twice(sheets: Sequence[Proposal]) -> bool:
    return len(sheets) > 1 and bool(_again(sheets, least=SHARED))


def _together(files: Sequence[Proposal]) -> list[ColumnForm]:
    """The columns of several files with one header, as of one file."""
    import pandas as pd

    frames = [pd.concat([c.sample.astype(object) for c in p.columns], axis=1) for p in files]
    joined = pd.concat(frames, ignore_index=True)
    joined.columns = [c.name for c in files[0].columns]
    return column_forms(joined)


def _again(files: Sequence[Proposal], *, least: float = 0.0) -> list[str]:
    """What files with one header repeat of each other: exports that overlap by over a share of `least`, or one export
    with its times rewritten.

    What is left out: files of which only a sample was seen; records whose times alone tell them apart.
    """
    import pandas as pd

    told, whole, timeless, several = [], set(), set(), len({p.form.path for p in files}) > 1
    for p in files:
        if not p.form.whole:
            continue
        frame = pd.DataFrame({c.name: c.sample.astype(object) for c in p.columns})
        rest = frame[[c.name for c in p.columns if c.kind not in ("time", "date")]]
        rows, others = (pd.util.hash_pandas_object(f, index=False) for f in (frame, rest))
        same, alike = rows.isin(whole).sum(), others.isin(timeless).sum()
        one, what = (p.form.path.name, "file") if several else (repr(p.form.sheet), "sheet")
        if same > least * len(rows):
            told.append(f"{same:,} of {len(rows):,} records of {one} stand in an earlier {what} too")
        elif alike >= SHARED * len(rows) and others.nunique() >= SHARED * len(rows):
            where = f"{one} stand in an earlier {what} but for their times"
            told.append(f"{alike:,} of {len(rows):,} records of {where}: one export twice?")
        whole |= set(rows)
        timeless |= set(others)
    return told


def _one_a_table(groups: dict, propose: Callable[..., Proposal]) -> tuple[dict, list, dict[Path, str]]:
    """The group of files that feeds each table, those that may stand beside, and what is left with the reason."""
    chosen: dict[str, tuple[list, Any]] = {}
    beside, left = [], {}
    ranked = sorted(groups.values(), key=lambda g: (_open(g[0]), -g[0].score, -g[0].form.rows, str(g[0].form.path)))
    for whole, files in ranked:
        if whole.table is None:
            beside.append((whole, files))
            why = _serves(whole.preset, {w.preset for w, _ in ranked}) if whole.preset else NO_TABLE + _hint(whole)
            left |= {f.form.path: why for f in files}
        elif whole.table in chosen:
            first = chosen[whole.table]
            if both := one_shape.merged(first[::-1], (whole, files), propose):
                chosen[whole.table] = both[::-1]
                continue
            beside.append((whole, files))
            left |= {f.form.path: one_shape.difference(first[0][0], f) for f in files}
        else:
            chosen[whole.table] = (files, whole)
    return chosen, beside, left


def _open(proposal: Proposal) -> int:
    """How many of the required columns are open."""
    return sum(source == UNKNOWN for source in proposal.settings.get("columns", {}).values())


def _hint(proposal: Proposal) -> str:
    near = [t for t, s in proposal.others[:1] if s >= 0.1]
    return f" (nearest: {near[0]}, but too little of it is here)" if near else ""


def _serves(name: str, here: set[str | None]) -> str:
    """Why a file that feeds no table by itself, as its preset says, is not read."""
    hosts = []
    for host in load_presets().values():
        parts = [*host.settings.get("join", ()), host.settings.get("persons", {})]
        hosts += [host.name] if any(part.get("preset") == name for part in parts) else []
    if not hosts:
        return f"preset {name}: no table needs it"
    absent = "" if here.intersection(hosts) else ", which is not here"
    return f"preset {name}: serves only beside {' or '.join(hosts)}{absent}"


def _whole_table(whole: Proposal, files: list[Proposal], beside: list, groups: list) -> Beside:
    """A table's settings with the files beside it: what its preset names, or lines beside their orders' heads.

    To: settings, evidence, the paths used, the forms of all columns by raw name, why columns stay out.
    """
    mine = {c.name: c for c in whole.columns}
    if whole.match is not None:
        return _resolved(whole, groups, mine)
    if whole.table == "orders":
        joined = _with_heads(whole, files, beside)
        if joined is not None:
            return joined
    return whole.settings, whole.evidence, [], mine, whole.unmapped


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
    asked = {name: raw for name, raw in whole.settings["columns"].items() if name not in before["columns"]}
    settings["columns"] = {**settings["columns"], **asked}
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
    why = dict.fromkeys(mine, f"preset {whole.preset} has no use for it") | whole.unmapped
    return settings, told, used, mine, why


def _with_heads(whole: Proposal, files: list[Proposal], beside: list) -> Beside | None:
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
        mine = {c.name for c in lines.columns}
        choice = choose("orders", both, of_orders=[c.name for c in both if c.name not in mine])
        settings, told = told_settings(choice)
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
            choice.unmapped,
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
