"""What would the door make of a file as it is proposed to be read? A reading in a folder that goes again."""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN, load_client
from cxkit.client_text import client_text
from cxkit.errors import CxkitError
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES

if TYPE_CHECKING:
    from cxkit.proposal import Plan, Proposal
    from cxkit.sources import Loaded

FIRST_REFUSED, LOOKED_AT = 5, 100_000
LONGEST_VALUE = 30  # letters; a longer value is told by its shape
PERSONAL = ("e-mail", "phone", "text")  # kinds of columns whose values are never shown
STAND_INS = {"currency": "XXX", "time_zone": "UTC"}  # where they are not known
LAST_DAY = "2100-01-01"  # as_of of a table without a time
_GROUPS = ("columns", "questions", "rates", "scales")  # an open part of these goes alone
_BY_COLUMN = ("values", "strip_prefix", "strip_suffix", "date_format")  # keys that name mapped columns
_LISTS = ("lower_case", "once_per_order")


def trial(found: "Proposal", plan: "Plan") -> list[str]:
    """What came of the file's records, as lines: counts, reasons, notes, the first refused ones.

    From: the file's proposal and the plan made of it alone. What is still open and not required is left out; currency
    and time zone, where unknown, have stand-ins, since no reading rests on them.
    """
    table = found.table
    if not found.form.rows:
        return ["No trial run: the file holds no records."]
    if table is None or table not in plan.tables:
        return ["No trial run: nothing says which table the file feeds."]
    lacking = _lacking(table, plan.tables[table])
    if lacking:
        return [f"No trial run before these are told in client.yml: {', '.join(lacking)}."]
    with tempfile.TemporaryDirectory(prefix="cxkit-") as work:
        folder = Path(work).resolve() / "trial"
        try:
            loaded = _passed(found, plan, folder)
        except CxkitError as error:
            told = scrub(str(error).replace(f"{folder}{os.sep}", ""))
            return ["Trial run: the file does not pass as it is proposed to be read.", *_indented(told)]
        return _outcome(found, loaded)


def _lacking(table: str, settings: Mapping) -> list[str]:
    """What a reading cannot do without and that is still open."""
    needed = [name for name, c in TABLES[table].columns.items() if c.required and not c.derived]
    given = known_part(settings)
    if "questions" in settings:
        needed = [name for name in needed if name not in ("metric", "score")]
        needed += [] if given.get("questions") else ["questions"]
    lacking = [name for name in needed if name not in {*given.get("columns", {}), *given}]
    one_of = TABLES[table].one_of
    if one_of and not set(one_of) & set(given.get("columns", {})):
        lacking.append(" or ".join(one_of))
    open_keys = ("encoding", "delimiter", "sheet", "header", "decimal", "date_format")
    return lacking + [key for key in open_keys if is_open(settings.get(key))]


def _passed(found: "Proposal", plan: "Plan", folder: Path) -> "Loaded":
    from dataclasses import replace

    from cxkit import sources

    folder.mkdir()
    name = "file" + re.search(r"(\.\w{1,8}){0,2}$", found.form.path.name).group()
    try:
        os.link(found.form.path.resolve(), folder / name)
    except OSError:  # another file system
        shutil.copyfile(found.form.path, folder / name)
    table = {**known_part(plan.tables[found.table]), "path": [name], "max_refused_share": 1.0}
    given: dict[str, Any] = {"scales": known_part(plan.settings).get("scales", {})}
    for key, instead in STAND_INS.items():
        value = plan.settings.get(key)
        given[key] = instead if value is None or is_open(value) else value
    if given["currency"] == STAND_INS["currency"]:
        table = {key: value for key, value in table.items() if key not in ("currency_column", "rates")}
    text = client_text(replace(plan, tables={found.table: table}, settings=given, evidence={}, left={}), client="trial")
    if not TABLES[found.table].time:
        text = text.replace("as_of: latest", f'as_of: "{LAST_DAY}"', 1)
    (folder / "client.yml").write_text(text, encoding="utf-8")
    return sources.load(load_client(folder))


def _outcome(found: "Proposal", loaded: "Loaded") -> list[str]:
    import pandas as pd

    account = loaded.accounts[found.table]
    refused = sum(account["refused"].values())
    rows_in = f"{account['rows_in']:,} record{'' if account['rows_in'] == 1 else 's'} in"
    lines = [f"Trial run: {rows_in}, {account['kept']:,} kept, {refused:,} refused."]
    by_count = sorted(account["refused"].items(), key=lambda item: (-item[1], item[0]))
    lines += [f"  {count:,} × {clean_text(reason)}" for reason, count in by_count]
    lines += [f"  {scrub(clean_text(note))}" for note in account["notes"]]
    if refused:
        path = loaded.refused_dir / f"{found.table}.csv"
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=LOOKED_AT)
        again = rows["reason"].duplicated()  # the first of each reason, then whatever comes first
        rows = pd.concat([rows[~again], rows[again]]).head(FIRST_REFUSED).sort_index()
        kinds = {clean_text(c.name): c.kind for c in found.columns}
        lines.append("The first of them, each reason once at least:" if len(rows) > 1 else "The refused record:")
        for row in rows.itertuples():
            column = clean_text(row.column)
            value = f", {scrub(column)} {_shown(row.value, kinds.get(column, 'text'))}" if column and row.value else ""
            lines.append(f"  record {row.record}{value}: {row.reason}")
    return lines


def _shown(value: str, kind: str) -> str:
    """A refused value, or its shape where it might be personal."""
    value = clean_text(value)
    if kind not in PERSONAL and len(value) <= LONGEST_VALUE and scrub(value) == value and "@" not in value:
        return repr(value)
    shape = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", value))
    return f"(like {shape[:LONGEST_VALUE]!r})"


def known_part(settings: Mapping) -> dict:
    """Settings of a table without what is still to be filled in, and without what rests on that."""
    known: dict[str, Any] = {}
    for key, value in settings.items():
        if key in _GROUPS and isinstance(value, Mapping):
            known[key] = {name: part for name, part in value.items() if not is_open(part)}
        elif key == "values":
            known[key] = {c: {k: v for k, v in words.items() if not is_open(v)} for c, words in value.items()}
        elif key != "join" and not is_open(value):
            known[key] = value
    if mapped := known.get("columns"):
        for key in _BY_COLUMN:
            if isinstance(known.get(key), Mapping):
                known[key] = {name: part for name, part in known[key].items() if name in mapped}
        for key in _LISTS:
            if key in known:
                known[key] = [name for name in known[key] if name in mapped]
    return {key: value for key, value in known.items() if value not in ({}, [])}


def is_open(value: Any) -> bool:
    """Whether a value, or a part of it, is still to be filled in."""
    if isinstance(value, Mapping):
        return any(key == UNKNOWN or is_open(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return any(map(is_open, value))
    return value == UNKNOWN


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]
