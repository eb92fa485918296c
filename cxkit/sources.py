"""A client's exports -> canonical tables and the rows that were refused; kept until an input or a setting changes."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from filelock import FileLock

from cxkit import __version__, exports, privacy, shown_names
from cxkit.client import Client, parse_day
from cxkit.errors import DataError, RunError, UsageError
from cxkit.mapping_checks import check_mapping, given
from cxkit.tables import TABLES

MOST_MEMORY = 1_000_000_000
FORMAT = 8  # of the cache; raised when what the door does changes within a version


@dataclass(frozen=True)
class Loaded:
    """A client's canonical tables, and what came of every row that came in.

    tables: name -> Parquet file. accounts: name -> rows_in, kept, netted (of the kept: returns that went into the
    sales they take back), refused {reason: count}, seen (what the raw rows held), notes. as_of: the last day that
    counts, in the client's zone. inputs: path as in client.yml -> SHA-256; without the e-mails and phones that file
    names hold, as in the accounts. unmapped: name -> optional columns that are not mapped. missing: tables not
    declared. refused_dir: the private folder with the refused rows.
    """

    tables: dict[str, Path]
    accounts: dict[str, dict]
    as_of: date
    inputs: dict[str, str]
    unmapped: dict[str, list[str]]
    missing: list[str]
    refused_dir: Path


def load(client: Client, *, as_of: str | date | None = None, earlier_audits: bool = False) -> Loaded:
    """Reads a client's exports through their mapping, or takes what an earlier reading of the same bytes left.

    From: the client; `as_of` takes the place of client.yml's (a day, or latest); `earlier_audits`: the caller knows of
    audits of this client, so that a lost key is an error and not a new key.
    To: `Loaded`. rows_in = kept + refused, always, for each table.
    Raises UsageError where the mapping is wrong, DataError where the data do not pass (all faults together), RunError
    where the private folder cannot be written.
    """
    check_mapping(client)
    day = _day(as_of, client)
    try:
        return _load(client, day, earlier_audits=earlier_audits)
    except OSError as error:
        place = error.filename or client.private
        raise RunError(f"{place}: {error.strerror or error}. Free the disk, or mend the rights to it.") from None


def _load(client: Client, day: date | None, *, earlier_audits: bool) -> Loaded:
    files = {text: path for table in client.tables for text, path in client.files(table).items()}
    files |= {text: path for table in client.tables for text, path in client.joined(table).items()}
    files |= {client.persons.path: client.persons_file} if client.persons else {}
    cache = client.private / "cache"
    earlier = earlier_audits or any(cache.glob("*/loaded.json"))
    key = privacy.load_key(client.private, earlier_audits=earlier)
    cache.mkdir(exist_ok=True)
    # beside the reading, which need not wait where nothing lies there that it might find
    with ThreadPoolExecutor(1) as beside:
        marks = beside.submit(lambda: {text: exports.sha256(path) for text, path in sorted(files.items())})
        name = partial(_cache_name, client, marks, key)
        found = _find(cache, name, day)
        if found is None:
            with FileLock(client.private / "cache.lock"):
                found = _find(cache, name, day) or _build(client, cache, name, day, key=key)
        inputs = marks.result()
    _show_refused(found, client.private / "refused")
    kept = json.loads((found / "loaded.json").read_text(encoding="utf-8"))
    shown = shown_names.shown_paths(client.tables, client.persons)
    return Loaded(
        tables={table: found / f"{table}.parquet" for table in client.tables},
        accounts=shown_names.accounts(kept["accounts"], shown),
        as_of=date.fromisoformat(kept["as_of"]),
        inputs={shown.get(text, text): mark for text, mark in inputs.items()},
        unmapped={table: _unmapped(client, table) for table in client.tables},
        missing=[table for table in TABLES if table not in client.tables],
        refused_dir=client.private / "refused",
    )


def _day(as_of: str | date | None, client: Client) -> date | None:
    """The day that was asked for; None is `latest`."""
    wanted = client.as_of if as_of is None else as_of
    if wanted == "latest":
        return None
    try:
        return parse_day(wanted)
    except ValueError as error:
        raise UsageError(f"as_of: {error}.") from None


def _unmapped(client: Client, table: str) -> list[str]:
    mapped = given(client.tables[table])
    return [c.name for c in TABLES[table].columns.values() if not c.derived and c.name not in mapped]


def _cache_name(client: Client, marks: Future[dict[str, str]], key: bytes) -> str:
    """A name that changes with any input's bytes, with how they are read, with the key, with cxkit's version."""
    settings = client.settings()
    parts = {name: settings[name] for name in ("tables", "persons", "time_zone", "currency", "scales")}
    parts |= {
        "inputs": marks.result(),
        "version": __version__,
        "format": FORMAT,
        "key": hashlib.sha256(key).hexdigest(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _find(cache: Path, name: Callable[[], str], day: date | None) -> Path | None:
    """A whole reading for that day; for `latest`, one that followed the data to its day."""
    if not any(cache.glob("*/loaded.json")):
        return None
    for found in sorted(cache.glob(f"{name()}-{day or '*'}")):
        try:
            kept = json.loads((found / "loaded.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        whole = all((found / file).is_file() and (found / file).stat().st_size == size for file, size in kept["sizes"])
        if whole and (day is not None or kept["followed"]):
            return found
    return None


def _build(client: Client, cache: Path, name: Callable[[], str], day: date | None, *, key: bytes) -> Path:
    """Reads everything into a temporary folder beside, then renames it; older readings go. Under the cache's lock."""
    from cxkit import door, engine

    for stale in cache.glob(".tmp-*"):
        shutil.rmtree(stale, ignore_errors=True)
    work = cache / f".tmp-{os.getpid()}"
    out = work / "out"
    out.mkdir(parents=True)
    con = engine.connect(
        memory_limit=_memory(client.engine.memory_limit), threads=client.engine.threads, temp_directory=work / "spill"
    )
    try:
        settled, accounts = door.pass_through(con, client, as_of=day, key=key, work=work, out=out)
        con.disconnect()
        files = sorted(p for p in out.rglob("*") if p.is_file())
        kept = {
            "as_of": settled.isoformat(),
            "followed": day is None,
            "accounts": accounts,
            "sizes": [[p.relative_to(out).as_posix(), p.stat().st_size] for p in files],
        }
        text = json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True)
        (out / "loaded.json").write_text(text + "\n", encoding="utf-8")
        final = cache / f"{name()}-{settled}"
        shutil.rmtree(final, ignore_errors=True)  # one that was not whole
        os.replace(out, final)
    except DataError:
        if (out / "refused").is_dir():
            _show_refused(out, client.private / "refused")
        raise
    finally:
        with contextlib.suppress(Exception):
            con.disconnect()
        shutil.rmtree(work, ignore_errors=True)
    # the reading before this one stays: a run that began with it may still be under way
    others = sorted((p for p in cache.iterdir() if p != final), key=lambda p: p.stat().st_mtime)
    for older in others[:-1]:
        shutil.rmtree(older, ignore_errors=True)
    return final


def _memory(limit: str) -> str:
    """The client's limit, or less: the door sorts and joins on disk, and 10 million lines were no slower with 1 GB."""
    size = float(limit.rstrip("MGiB ")) * (1e9 if "G" in limit else 1e6)
    return limit if size < MOST_MEMORY else f"{MOST_MEMORY // 1_000_000}MB"


def _show_refused(reading: Path, shown: Path) -> None:
    """The refused rows of a reading, where the consultant looks for them; the stamp tells whose they are."""
    stamp = shown / ".reading"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == reading.name:
        return
    shown.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    fresh = {p.name: p for p in (reading / "refused").glob("*.csv")}
    for old in shown.glob("*.csv"):
        if old.name not in fresh:
            old.unlink()
    for name, path in fresh.items():
        part = shown / f".{name}.{os.getpid()}"
        shutil.copyfile(path, part)
        os.replace(part, shown / name)
    if reading.name != "out":  # of a reading that failed nothing else is kept
        stamp.write_text(reading.name, encoding="utf-8")
