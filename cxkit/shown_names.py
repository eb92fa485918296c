"""How may a report name a client's files? As client.yml does, but for the e-mails and phones in their names."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from cxkit.mapping import Export, Persons

_SUFFIX = "(?:csv|tsv|txt|xls|parquet|pq|json|ndjson|duckdb|db|gz|zip)"
_PERSONAL = re.compile(rf"[\w.+-]+[@＠][\w-]+(?:\.(?!{_SUFFIX}\w*\b)[\w-]+)*|\+\d[\d -]{{8,}}\d")


def file_name(path: str) -> str:
    """A file's path with "personal" in place of e-mails and of phones led by a plus.

    What is left out: people's names, which nothing tells from other words, and bare figures, which are days mostly.
    """
    return _PERSONAL.sub("personal", path)


def shown_paths(exports: Mapping[str, Export], persons: Persons | None = None) -> dict[str, str]:
    """The paths of client.yml that hold an e-mail or a phone -> what reports name them: each another name."""
    every = dict.fromkeys(_paths(exports, persons))
    taken, shown = {path for path in every if file_name(path) == path}, {}
    for path in every:
        if path in taken:
            continue
        name = file_name(path)
        plain, suffixes, count = PurePosixPath(name), "".join(PurePosixPath(name).suffixes), 1
        while name in taken:
            count += 1
            name = str(plain.with_name(f"{plain.name.removesuffix(suffixes)} ({count}){suffixes}"))
        taken.add(name)
        shown[path] = name
    return shown


def _paths(exports: Mapping[str, Export], persons: Persons | None) -> Iterator[str]:
    for export in exports.values():
        yield from export.path
    for export in exports.values():
        yield from (join.path for join in export.join)
    yield from [persons.path] if persons else []


def renamed(value: Any, shown: Mapping[str, str]) -> Any:
    """What JSON takes, with every path of `shown` renamed wherever it stands in a text."""
    if not shown:
        return value
    text = json.dumps(value, ensure_ascii=False)
    for path in sorted(shown, key=len, reverse=True):
        text = text.replace(
            json.dumps(path, ensure_ascii=False)[1:-1], json.dumps(shown[path], ensure_ascii=False)[1:-1]
        )
    return json.loads(text)


def accounts(told: Mapping[str, dict], shown: Mapping[str, str]) -> dict[str, dict]:
    """The door's accounts as reports may tell them: files renamed, and no e-mail or phone in a note (a worksheet may be
    named after one)."""
    found = renamed(told, shown)
    return {t: {**a, "notes": [file_name(note) for note in a.get("notes", [])]} for t, a in found.items()}
