"""Which system wrote this export? The formats that are known, one file each under presets/, and which a header has."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cxkit.errors import UsageError
from cxkit.mapping import Export, Persons, Source, raw_of
from cxkit.settings_file import read_yaml
from cxkit.tables import TABLES, Table

PRESETS = Path(__file__).parent / "presets"
KEYS = ("name", "source", "table", "signature", "also", "settings", "scales", "quirks")
BY_COLUMN = ("values", "strip_prefix", "strip_suffix")  # settings that name canonical columns
LISTS = ("lower_case", "once_per_order")
BY_RAW = ("keep_only", "leave_out", "questions")  # settings that name raw columns
BESIDE = ("columns", "join", "persons", "currency_column")  # settings that say more than client.yml can
_SOURCE = TypeAdapter(Source)


@dataclass(frozen=True)
class Preset:
    """One export format of one system.

    table: what it feeds; None for a file that only stands beside others. signature: the raw columns by which it is
    known; also: what else its files have that reads like a column of ours and is none, so that nobody is asked about
    it, and what a file without a table has. settings: as `tables.<table>` in client.yml without `path`; a column's
    value may be a list of alternatives, the best first; the parts of `join` and `persons` name a preset in place of a
    path. scales: as in client.yml. quirks: what whoever reads such a file should know. source: where the header was
    seen.
    """

    name: str
    table: str | None
    signature: tuple[str, ...]
    settings: dict
    quirks: tuple[str, ...]
    source: str
    scales: dict = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A preset whose whole signature stands in a header, and how many of the columns that it knows do."""

    preset: Preset
    found: int
    of: int


def load_presets() -> dict[str, Preset]:
    """All presets, by name. Raises UsageError, telling every fault of every file, where one is wrong."""
    return dict(_all(PRESETS))


@cache
def _all(folder: Path) -> tuple[tuple[str, Preset], ...]:
    read = {path: read_yaml(path, begins="`name:`, the preset's name") for path in sorted(folder.glob("*.yml"))}
    faults = [fault for path, settings in read.items() for fault in _faults(path, settings)]
    if not faults:
        names = {settings["name"] for settings in read.values()}
        for path, settings in read.items():
            wanted = [part["preset"] for part in _beside(settings.get("settings", {}))]
            faults += [f"{path}: there is no preset {name!r} to stand beside it." for name in set(wanted) - names]
    if faults:
        raise UsageError("\n  ".join(faults))
    return tuple(
        (
            p["name"],
            Preset(
                name=p["name"],
                table=p.get("table"),
                signature=tuple(p["signature"]),
                settings=p.get("settings", {}),
                quirks=tuple(p.get("quirks", ())),
                source=p["source"],
                scales=p.get("scales", {}),
                also=tuple(p.get("also", ())),
            ),
        )
        for p in read.values()
    )


def matches(names: Sequence[str]) -> list[Match]:
    """The presets whose whole signature stands among a file's columns, those of which most columns do first."""
    there = set(names)
    found = []
    for preset in load_presets().values():
        if there.issuperset(preset.signature):
            beside = _from_beside(preset.settings) - set(preset.signature)
            known = {((raw,),) for raw in preset.signature} | set(_known(preset.settings))
            own = [ways for ways in known if not beside.intersection(*ways)]
            have = sum(any(there.issuperset(way) for way in ways) for ways in own)
            found.append(Match(preset, have, len(own)))
    return sorted(found, key=lambda m: (-m.found, -len(m.preset.signature), m.preset.name))


def settings_for(
    match: Match, names: Sequence[str], *, files: Mapping[str, tuple[str, Sequence[str]]] | None = None
) -> dict:
    """A preset's settings for a file with these columns, as `tables.<table>` takes them but for the table's own path.

    From: `files`, once the whole folder is known: preset -> (path for client.yml, the file's columns); None where it is
    not known yet. To: of a column's alternatives the first whose raw columns are all there; what the file lacks is left
    out. The parts of `join` and `persons` name a preset each without `files`; with them a path, and those that no file
    serves are gone, as are the columns that would have come from them.
    """
    settings = dict(match.preset.settings)
    joins, persons, there = list(settings.pop("join", ())), settings.pop("persons", None), set(names)
    if files is None:
        there |= _from_beside(match.preset.settings)
    else:
        joins, there = _joined(joins, there, files)
        persons = _placed(persons, files) if persons else None
    for key, ways in settings.get("columns", {}).items():
        settings["columns"] = {**settings["columns"], key: _first(ways, there)}
    if "currency_column" in settings:
        settings["currency_column"] = _first(settings["currency_column"], there)
    return deepcopy(_fitted({"join": joins, **settings, "persons": persons}, there))


def _joined(
    joins: list[dict], there: set[str], files: Mapping[str, tuple[str, Sequence[str]]]
) -> tuple[list[dict], set[str]]:
    """The joins that files serve, with their paths, and the columns that there are then."""
    kept = []
    for part in joins:
        path, columns = files.get(part["preset"], ("", ()))
        if path and part["on"] in there and part.get("key", part["on"]) in columns:
            there = there | set(columns)
            kept.append({"path": path, **_without_preset(part)})
    return kept, there


def _placed(persons: dict, files: Mapping[str, tuple[str, Sequence[str]]]) -> dict | None:
    """Whose ids are one person, with the file's path; None where no file has both columns."""
    path, columns = files.get(persons["preset"], ("", ()))
    if not path or not {persons["id"], persons["person"]} <= set(columns):
        return None
    return {"path": path, **_without_preset(persons)}


def _fitted(settings: dict, there: set[str]) -> dict:
    """The settings without what rests on raw columns that are not there, and without parts that are empty then."""
    fitted = dict(settings)
    if fitted.get("currency_column") not in there:
        fitted.pop("currency_column", None)
    columns = {n: v for n, v in settings.get("columns", {}).items() if v is not None}
    fitted["columns"] = columns
    for key in BY_COLUMN:
        fitted[key] = {n: v for n, v in settings.get(key, {}).items() if n in columns}
    for key in LISTS:
        fitted[key] = [n for n in settings.get(key, ()) if n in columns]
    for key in BY_RAW:
        fitted[key] = {raw: v for raw, v in settings.get(key, {}).items() if raw in there}
    if isinstance(settings.get("date_format"), dict):
        fitted["date_format"] = {n: v for n, v in settings["date_format"].items() if n in columns}
    if "product_id" not in columns:
        fitted.pop("not_goods", None)
    return {key: value for key, value in fitted.items() if value not in ({}, [], None)}


def _first(value: Any, there: set[str]) -> Any:
    """The first of a column's alternatives whose raw columns are all there; None where none is."""
    ways = value if isinstance(value, list) else [value]
    return next((way for way in ways if there.issuperset(_needed(way))), None)


def _needed(way: Any) -> tuple[str, ...]:
    """The raw columns that one way of filling a column needs."""
    return raw_of(_SOURCE.validate_python(way))


def _known(settings: dict) -> Iterable[tuple[tuple[str, ...], ...]]:
    """What a preset looks for in a file: for each part the ways in which raw columns can fill it."""
    for value in [*settings.get("columns", {}).values(), settings.get("currency_column", [])]:
        ways = tuple(filter(None, map(_needed, value if isinstance(value, list) else [value])))
        if ways:
            yield ways


def known_columns(preset: Preset) -> set[str]:
    """Every raw column that a preset names, in whatever part of it."""
    ways = {raw for found in _known(preset.settings) for way in found for raw in way}
    ruled = {raw for key in BY_RAW for raw in preset.settings.get(key, ())}
    keys = {part[key] for part in _beside(preset.settings) for key in ("on", "key", "id", "person") if key in part}
    return {*preset.signature, *preset.also, *ways, *ruled, *keys}


def _from_beside(settings: dict) -> set[str]:
    """The columns that the files to be joined may have, as far as their presets say."""
    presets = [load_presets()[part["preset"]] for part in settings.get("join", ())]
    mapped = {raw for p in presets for ways in _known(p.settings) for way in ways for raw in way}
    return mapped | {raw for p in presets for raw in (*p.signature, *p.also)}


def _beside(settings: dict) -> list[dict]:
    """The parts of the settings that name other presets."""
    return [*settings.get("join", ()), *([settings["persons"]] if "persons" in settings else [])]


def _faults(path: Path, p: dict) -> list[str]:
    """What is wrong with a preset's file."""
    faults = [f"unknown key {key!r}; valid are {', '.join(KEYS)}" for key in p if key not in KEYS]
    faults += [f"{key} is missing" for key in ("name", "source", "signature") if not p.get(key)]
    if p.get("name", path.stem) != path.stem:
        faults.append(f"name is {p['name']!r} and the file's {path.stem!r}; make them one")
    for key in ("signature", "also", "quirks"):
        if not (isinstance(p.get(key, []), list) and all(isinstance(text, str) for text in p.get(key, []))):
            faults.append(f"{key} is to be a list of texts")
    table, settings = p.get("table"), p.get("settings") or {}
    if table is not None and table not in TABLES:
        faults.append(f"unknown table {table!r}; valid are {', '.join(TABLES)}, or null")
    elif not isinstance(settings, dict) or (table is None and settings):
        faults.append("settings is to be what tables.<table> takes; without a table there are none")
    elif table is not None:
        faults += _setting_faults(TABLES[table], settings)
    return [f"{path}: {fault}." for fault in faults]


def _setting_faults(table: Table, settings: dict) -> list[str]:
    """What is wrong with a preset's settings: each alternative has to be one that client.yml takes."""
    columns, valid = settings.get("columns") or {}, [c.name for c in table.columns.values() if not c.derived]
    faults = [f"columns.{name}: {table.name} has no such column" for name in columns if name not in valid]
    for key in (*BY_COLUMN, *LISTS):
        faults += [f"{key}.{name}: the column is not mapped" for name in settings.get(key, ()) if name not in columns]
    for column, words in settings.get("values", {}).items():
        allowed = table.columns[column].valid if column in valid else ()
        wrong = sorted(set(words.values()) - set(allowed)) if allowed else []
        faults += [f"values.{column}: {word!r} is not valid" for word in wrong]
    plain = {key: value for key, value in settings.items() if key not in BESIDE}
    plain["join"] = [{"path": "x", **_without_preset(part)} for part in settings.get("join", ())]
    ways = {name: value if isinstance(value, list) else [value] for name, value in columns.items()}
    try:
        for i in range(max(map(len, ways.values()), default=0)):
            chosen = {name: way[min(i, len(way) - 1)] for name, way in ways.items()}
            Export.model_validate({"path": "x", **plain, "columns": chosen})
        if "persons" in settings:
            Persons.model_validate({"path": "x", **_without_preset(settings["persons"])})
    except ValidationError as error:
        faults += [f"settings.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return faults


def _without_preset(part: dict) -> dict:
    return {key: value for key, value in part.items() if key != "preset"}
