"""A folder of exports -> a client: its files in place, a commented client.yml, a key, the workshop's sheets."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxkit import inspect_file, plan_warnings, publish, sheet_templates
from cxkit.client import UNKNOWN, load_client
from cxkit.client_text import client_text
from cxkit.currencies import CODES
from cxkit.errors import CxkitError, RunError, UsageError
from cxkit.mapping import known_zone
from cxkit.privacy import load_key, scrub
from cxkit.progress import Progress, silent
from cxkit.shown_names import file_name
from cxkit.style import clean_text

if TYPE_CHECKING:
    from cxkit.proposal import Plan, Proposal

MOST_FILES = 500  # more is no folder of exports
MOST_SHEETS = 30  # worksheets, or files of an archive, that are looked at
NO_EXPORTS = ("__macosx", "thumbs.db", "desktop.ini")  # what systems leave in folders
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)  # what is told of the target, whatever is named
_TAKEN = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # Windows' names of devices
_ODD = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|$\ud800-\udfff]')
_NAME = re.compile(r"[^\W_][\w .-]{0,60}(?<![ .])")


@dataclass(frozen=True)
class Found:
    """What became of one file: its path under exports/, its proposals (one a worksheet), why it is not read."""

    name: str
    proposals: tuple["Proposal", ...]
    why_not: str = ""


def new_client(
    client: str,
    files: Sequence[Path] = (),
    *,
    currency: str | None = None,
    time_zone: str | None = None,
    base: Path = Path("data"),
    reports: Path = Path("reports"),
    progress: Progress = silent,
) -> str:
    """Makes base/<client> from the files that a client sent. To: what was found and what to do next, as text.

    The files are copied byte for byte (folders with what lies in them); the folder appears whole or not at all, and
    nothing is ever overwritten.
    Raises UsageError where the name, the currency or the zone is none, a file is not there, a folder is a client of
    ours, the client exists, or earlier audits of that name were made with a key that is gone; RunError where a file
    cannot be read or written.
    """
    given = _checked(client, currency=currency, time_zone=time_zone)
    target = Path(base) / client
    _check_free(target, Path(reports) / client)
    wanted, passed_over = _gathered(files)
    work = Path(base) / f".new-{os.getpid()}-{client}"
    try:
        (work / "exports").mkdir(parents=True)
        found = list(_looked_at(wanted, work / "exports", progress))
        plan, warnings = _planned(found, passed_over, given, work=work)
        progress("writing client.yml", len(wanted), len(wanted) + 1)
        text = client_text(plan, client=client, unmapped=plan.unmapped)
        (work / "client.yml").write_text(text, encoding="utf-8")
        load_key(work / "private", earlier_audits=False)
        sheet_templates.write_templates(work / "workshop")
        if target.exists():
            target.rmdir()  # empty, or it ends here
        os.rename(work, target)
    except OSError as error:
        where = "" if error.errno in FULL else f" ({error.filename})" if error.filename else ""
        raise RunError(
            f"{target} could not be made: {error.strerror or error}{where}. Nothing of it is left; mend that and start"
            " again."
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress("done", len(wanted) + 1, len(wanted) + 1)
    return "\n".join([*_said(found, plan, target), *warnings, *_next(client, target)])


def _checked(client: str, *, currency: str | None, time_zone: str | None) -> dict[str, str]:
    """The settings that were given. Raises UsageError, all faults together."""
    faults = []
    if _TAKEN.fullmatch(client):
        faults.append(f"{client!r} cannot name a client's folder: Windows keeps that name for a device.")
    elif not _NAME.fullmatch(client) or not client.isprintable():
        faults.append(
            f"{client!r} cannot name a client's folder: letters, digits, blanks, _ . and - are valid, as in"
            " `cxkit new toy-shop exports/`."
        )
    if currency is not None and currency not in CODES:
        faults.append(
            f"--currency {currency!r} is no currency's code (ISO 4217); write three capitals, as UAH, EUR or PLN."
        )
    if time_zone is not None:
        try:
            known_zone(time_zone)
        except ValueError as error:
            faults.append(f"--time-zone: {error}.")
    if faults:
        raise UsageError("\n  ".join(faults))
    return {k: v for k, v in {"currency": currency, "time_zone": time_zone}.items() if v is not None}


def _check_free(target: Path, home: Path) -> None:
    """Raises UsageError where the client's folder holds anything, or its reports have lost their key."""
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        there = "is a client already" if (target / "client.yml").is_file() else "is there already and is not empty"
        raise UsageError(
            f"{target} {there}; nothing in it is changed. Put further files into {target / 'exports'} and map them in"
            f" {target / 'client.yml'} (`cxkit inspect FILE` tells how), or give the new client another name."
        )
    if publish.has_runs(home):
        raise UsageError(
            f"{home} holds audits of a client of this name, made with a key that is gone; a new key would give every"
            f" customer another name in each. Put {target} back from your backup, move {home} away, or give the new"
            " client another name."
        )


def _gathered(files: Sequence[Path]) -> tuple[dict[str, Path], dict[str, str]]:
    """The files to copy, by their path under exports/, and what lay there and is no file of the client's.

    Folders are walked; links in them are not followed. Raises UsageError where a file is not there.
    """
    wanted: dict[str, Path] = {}
    passed_over: dict[str, str] = {}
    faults = []
    for given in map(Path, files):
        if given.is_dir():
            clients: list[Path] = []
            inside = [(p, p.relative_to(given)) for p in _walked(given, passed_over, clients)]
            faults += [
                f"the folder {clean_text(path)} is a client of cxkit's own, with its settings and its key; give the"
                f" files that the client sent, as {clean_text(path / 'exports')}."
                for path in clients
            ]
            if not inside and not clients:
                faults.append(f"the folder {given} holds no files.")
        elif given.is_file():
            inside = [(given, Path(given.name))]
        else:
            faults.append(f"there is no file {clean_text(given)}.")
            continue
        for path, place in inside:
            wanted[_free_name(place, wanted)] = path
    if len(wanted) > MOST_FILES:
        faults.append(f"{len(wanted):,} files are too many (at most {MOST_FILES}); give the exports alone.")
    if faults:
        raise UsageError("\n  ".join(faults))
    return wanted, passed_over


def _walked(folder: Path, passed_over: dict[str, str], clients: list[Path]) -> Iterator[Path]:
    """The files in a folder; `clients` takes the folders that are a client of ours, which are not gone through."""
    if (folder / "client.yml").is_file() or (folder / "private" / "key").is_file():
        clients.append(folder)
        return
    if folder.name == "private" and (folder / "key").is_file():
        clients.append(folder.parent)
        return
    for path in sorted(folder.iterdir(), key=lambda p: (p.is_dir(), p.name)):
        if path.name.startswith((".", "~$")) or path.name.lower() in NO_EXPORTS:
            continue
        if path.is_symlink():
            passed_over[clean_text(path.name)] = "a link, which is not followed; give the file itself"
        elif path.is_dir():
            yield from _walked(path, passed_over, clients)
        elif path.is_file():
            yield path
        else:
            passed_over[clean_text(path.name)] = "no plain file"


def _free_name(place: Path, taken: Mapping[str, Path]) -> str:
    """A path under exports/ that client.yml can name, that no other file has, and that holds no e-mail or phone:
    reports name it."""
    parts = [_ODD.sub("_", file_name(part)).strip(" ") or "_" for part in place.parts]
    name, lower = "/".join(parts), {t.lower() for t in taken}
    stem, dot, suffixes = parts[-1].partition(".")
    count = 1
    while name.lower() in lower:
        count += 1
        name = "/".join([*parts[:-1], f"{stem} ({count}){dot}{suffixes}"])
    return name


def _looked_at(wanted: Mapping[str, Path], exports: Path, progress: Progress) -> Iterator[Found]:
    """Each file copied and found out about; the same bytes a second time are not read again."""
    seen: dict[str, str] = {}
    for number, (name, source) in enumerate(wanted.items()):
        progress(f"reading {name}", number, len(wanted) + 1)
        path = exports / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        with path.open("rb") as file:
            mark = hashlib.file_digest(file, "sha256").hexdigest()
        if first := seen.get(mark):
            yield Found(name, (), f"the same bytes as {first}")
            continue
        seen[mark] = name
        yield _proposed(name, path)


def _proposed(name: str, path: Path) -> Found:
    """A file's proposals: one, one for each table that it feeds, or one for each worksheet that is a table."""
    try:
        first = inspect_file.look(path)
    except RunError:  # no room: not the file's fault
        raise
    except CxkitError as error:
        return Found(name, (), str(error).removeprefix(f"{clean_text(path.name)}: "))
    proposals, form = [*first], first[0].form
    for sheet in form.sheets[:MOST_SHEETS]:
        if sheet != form.sheet:
            with contextlib.suppress(CxkitError):  # a worksheet without a table: charts, notes
                proposals += inspect_file.look(path, sheet=sheet)
    return Found(name, tuple(proposals))


def _planned(
    found: Sequence[Found], passed_over: Mapping[str, str], given: Mapping[str, str], *, work: Path
) -> tuple["Plan", list[str]]:
    """The folder's plan, with paths as client.yml has them, and warnings."""
    from cxkit import proposal

    plan = proposal.combine([p for f in found for p in f.proposals], currency=given.get("currency"))
    places = {f"exports/{f.name}": work / "exports" / f.name for f in found}
    names = {str(p): name for name, path in places.items() for p in (path, path.resolve())}
    evidence = {key: _named(text, names) for key, text in plan.evidence.items()}
    settings = {**plan.settings, **given}
    for key, value in given.items():
        told = plan.settings.get(key)
        differs = f"; the files say {told}" if isinstance(told, str) and told not in (UNKNOWN, value) else ""
        evidence[key] = f"as given to cxkit new{differs}"
    left = {Path(names.get(str(path), str(path))): _named(why, names) for path, why in plan.left.items()}
    left |= {Path("exports") / f.name: f.why_not for f in found if f.why_not}
    left |= {Path(name): why for name, why in passed_over.items()}
    tables, settings = _placed(plan.tables, names), _placed(settings, names)
    plan = replace(plan, tables=tables, settings=settings, evidence=evidence, left=left)
    return plan_warnings.warned(plan, {f"exports/{f.name}": f.proposals for f in found})


def _named(text: str, names: Mapping[str, str]) -> str:
    for path in sorted(names, key=len, reverse=True):
        text = text.replace(path, names[path])
    return text


def _placed(value: Any, names: Mapping[str, str]) -> Any:
    """The same settings with each file's path as client.yml is to have it."""
    if isinstance(value, Mapping):
        placed = {key: _placed(part, names) for key, part in value.items()}
        if isinstance(placed.get("path"), list) and len(placed["path"]) == 1:
            placed["path"] = placed["path"][0]
        return placed
    if isinstance(value, list | tuple):
        return [_placed(part, names) for part in value]
    return names.get(str(value), value) if isinstance(value, str | Path) else value


def _said(found: Sequence[Found], plan: "Plan", target: Path) -> list[str]:
    """What was found, a line or two a file."""
    lines = [f"{target} is made."]
    left = {path.as_posix(): clean_text(why) for path, why in plan.left.items()}
    read = _paths([plan.tables, plan.settings])
    unread: list[str] = []
    for f in found:
        name = f"exports/{f.name}"
        alone = len({p.form.sheet for p in f.proposals}) == 1
        told = []
        for p in f.proposals if name in read else ():
            why = left.get(place := plan_warnings.unread_place(name, p.form.sheet or ""), "")
            told.append(_one_line(p, alone=alone, why_not=why))
            told += [note for note in p.form.notes if " more than the header: " in note and not why]
            unread.append(place)
        told += [f"not read: {why}"] if (why := left.pop(name, "")) else []
        told += [f"not read: {why}"] if (why := left.pop(f"{name}, the rest", "")) else []
        lines += [f"  {clean_text(f.name)}", *(line for text in told for line in _wrapped(text))]
    for path, why in ((path, why) for path, why in left.items() if path not in unread):
        lines += [f"  {clean_text(path)}", *_wrapped(f"not read: {why}")]
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=" " * 6, subsequent_indent=" " * 8, break_on_hyphens=False)


def _paths(settings: Any) -> set[str]:
    """Every path that settings name."""
    if isinstance(settings, Mapping):
        own = settings.get("path", ())
        return ({own} if isinstance(own, str) else {*own}).union(*map(_paths, settings.values()))
    return set().union(*map(_paths, settings)) if isinstance(settings, list | tuple) else set()


def _one_line(p: "Proposal", *, alone: bool, why_not: str = "") -> str:
    """A proposal in a line: the table, the records, the preset, what of its form is a guess."""
    form = p.form
    sheet = f"{clean_text(form.sheet)!r}: " if form.sheet and len(form.sheets) > 1 else ""
    count = _counted(form.rows, "record")
    if why_not:
        return f"{sheet}{count}; not read: {why_not}"
    if not form.rows and not alone:
        return f"{sheet}no records; feeds nothing"
    if p.table is None:
        use = "stands beside another table's records" if alone else "feeds nothing"
        return f"{sheet}{count}; {use}"
    mapped = sum(source != UNKNOWN for source in p.settings.get("columns", {}).values())
    told = [f"{sheet}{p.table}: {count}; {_counted(mapped, 'column')} mapped"]
    told += [_counted(len(questions), "question")] if (questions := p.settings.get("questions")) else []
    told += [f"preset {p.preset}"] if p.preset else []
    unsure = [key for key, sure in form.sure.items() if not sure and (alone or key != "sheet")]
    guesses = [
        f"{key} {re.sub(r'[(),]+', ' ', str(getattr(form, key))).strip()}" for key in unsure if key != "delimiter"
    ]
    guesses += ["delimiter"] if "delimiter" in unsure else []
    return "; ".join([*told, *(["a guess: " + ", ".join(guesses)] if guesses else [])])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _next(client: str, target: Path) -> list[str]:
    """What is still open, as `check` would tell it, and the commands to go on with."""
    from cxkit import sources

    file, still, first = target / "client.yml", [], "read {file}: each line tells what it rests on"
    try:
        sources.check_mapping(load_client(target))
    except UsageError as error:
        told = scrub(str(error)).splitlines()
        still = [f"{'  ' if line.startswith('  ') else ''}{clean_text(line)}" for line in told]
        first = "write a value over each ??? in {file}; the comment there tells what was found"
        if UNKNOWN not in str(error):
            first = "mend {file} as told above"
    shown = f"'{client}'" if " " in client else client
    steps = [first.format(file=file), f"cxkit check {shown}", f"cxkit run {shown}"]
    return [
        *(["", *still] if still else []),
        "",
        "Next:",
        *(f"  {number}. {step}" for number, step in enumerate(steps, start=1)),
        f"The workshop's sheets to fill in, all optional: {target / 'workshop' / sheet_templates.READ_ME}",
        f"Keep a copy of {target / 'private' / 'key'}: customers' pseudonyms rest on it.",
    ]
