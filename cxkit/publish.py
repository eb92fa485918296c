"""Where a client's reports lie, and how a run becomes the report: all of it or nothing.

reports/<client>/.lock            held by the one run that is under way
reports/<client>/.tmp-…           the run under way; what a killed one left is removed by the next
reports/<client>/runs/<as_of>-<n> whole runs, never changed again
reports/<client>/latest           a link to the last whole run (a file with its path where links are not to be had)
reports/<client>/failed           the last run that failed, for whoever looks for the reason
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxkit.errors import RunError, UsageError

RUN_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-(\d+)")


@contextmanager
def one_run(home: Path) -> Iterator[None]:
    """Hold the lock of a client's reports, and remove what killed runs left there.

    The lock belongs to the process: it is free again however that one ended.
    Raises RunError when another run holds it, or when the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(home / ".lock", timeout=0)
    try:
        (home / "runs").mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise RunError(
            f"another run of {home.name!r} is under way (it holds {home / '.lock'}). "
            "Wait until it has ended, or give another folder with --out. The last report is untouched."
        ) from None
    except OSError as error:
        raise cannot_write(home, error) from error
    try:
        for left in home.glob(".tmp-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


def cannot_write(home: Path, error: OSError) -> RunError:
    """The error to show when the report cannot be written: what happened, where, and that nothing is lost."""
    what = error.strerror or str(error)
    where = error.filename or home
    return RunError(
        f"the report could not be written: {what} ({where}). Make room or mend the folder, or give another with --out. "
        f"The last report under {home} is untouched."
    )


@contextmanager
def workspace(home: Path, as_of: str) -> Iterator[Path]:
    """A temporary folder for one run; whatever of it was not published or kept is removed."""
    folder = home / f".tmp-{as_of}-{_next_number(home, as_of)}"
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, home: Path, *, whole: bool) -> Path:
    """Move a finished run to runs/<as_of>-<n>; a whole one becomes `latest`, in one step. To its new place."""
    target = home / "runs" / folder.name.removeprefix(".tmp-")
    folder.rename(target)
    if whole:
        _point(home / "latest", target)
    return target


def keep_failed(folder: Path, home: Path) -> Path:
    """Put a failed run where its notebooks can be read; it takes the place of the failed run before it."""
    target = home / "failed"
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)
    return target


def _point(link: Path, target: Path) -> None:
    beside = link.with_name(".latest-next")
    beside.unlink(missing_ok=True)
    try:
        beside.symlink_to(Path("runs") / target.name, target_is_directory=True)
    except OSError:  # no links on this file system, or no right to make them (Windows)
        beside.write_text(f"runs/{target.name}\n", encoding="utf-8")
    os.replace(beside, link)


def latest(home: Path) -> Path | None:
    """The folder that `latest` names, or None before the first whole run."""
    link = home / "latest"
    if link.is_file():
        return home / link.read_text(encoding="utf-8").strip()
    return link.resolve() if link.is_dir() else None


def _next_number(home: Path, as_of: str) -> int:
    numbers = [number for day, number in map(_name_of, _runs(home)) if day == as_of]
    return max(numbers, default=0) + 1


def _runs(home: Path) -> list[Path]:
    """The published runs, oldest as_of first, then by number."""
    folder = home / "runs"
    found = [p for p in folder.iterdir() if RUN_NAME.fullmatch(p.name)] if folder.is_dir() else []
    return sorted(found, key=_name_of)


def _name_of(run: Path) -> tuple[str, int]:
    day, number = RUN_NAME.fullmatch(run.name).groups()
    return day, int(number)


def has_runs(home: Path) -> bool:
    """Whether this client was audited before."""
    return bool(_runs(home))


LATEST = "latest"  # the last whole run, where a run is named
# what of an earlier run is read: its findings, models, groups and customers, and what followed from them
READ = ("findings/*.json", "findings/withheld/*.json", "models/*.json", "tables/01_segmentation.groups.csv")
READ += ("tables/01_segmentation.customers.csv", "tables/10_swot.items.csv", "tables/10_swot.actions.csv")
READ_RECORD = ("basis", "inputs", "parameters", "settings")  # of its run.json: what its figures rest on


@dataclass(frozen=True)
class Earlier:
    """The earlier run that changes are measured against: its name, its as_of, the hash of what is read from it; and the
    whole runs before it (of each as_of the last) that courses are drawn over, name -> hash."""

    run: str
    as_of: str
    sha256: str
    before: dict[str, str]


def find_earlier(home: Path, against: str | None, *, as_of: str | None) -> Earlier | None:
    """The run to measure changes against: the one named, or the last whole one whose as_of is before this one.

    None for 'none', or when there is no such run. `as_of` None only checks the name.
    Raises UsageError with the list when the one named is not there, or is not of an earlier day.
    """
    if against == "none":
        return None
    runs = {p.name: p for p in _runs(home)}
    if against is not None:
        if against not in runs:
            there = ", ".join(runs) or "no runs yet"
            raise UsageError(
                f"--against {against}: no such run under {home / 'runs'}; there are: {there}; or say none."
            )
        if as_of is not None and _name_of(runs[against])[0] >= as_of:
            raise UsageError(
                f"--against {against}: it is no earlier audit, as this one's last day is {as_of}; name a run of a day"
                f" before it ({', '.join(n for n, p in runs.items() if _name_of(p)[0] < as_of) or 'there is none'}), or"
                " say none."
            )
        return _describe(runs[against])
    before = [p for p in whole_runs(home) if as_of is not None and _name_of(p)[0] < as_of]
    return _describe(before[-1]) if before else None


def whole_runs(home: Path) -> list[Path]:
    """The published runs of all notebooks, oldest as_of first, then by number."""
    return [p for p in _runs(home) if _record(p).get("status") == "done"]


def two_runs(home: Path, earlier: str | None, later: str | None) -> tuple[Path, Path]:
    """The two runs to compare: those named; without a later one the last whole run, without an earlier one the last
    whole run before it that has an earlier as_of (else the one before it).

    `latest` names the last whole run; it, named alone, is the later one. Raises UsageError, with the list of runs,
    where a name is none of them, both are the same, the earlier one's as_of is after the later one's, or there are no
    two.
    """
    runs = {p.name: p for p in _runs(home)}
    there = f"Runs under {home / 'runs'}: {', '.join(runs) or 'none yet'}."
    whole = whole_runs(home)
    if LATEST in (earlier, later) and not whole:
        raise UsageError(f"{LATEST}: there is no whole run. {there}")
    earlier, later = (whole[-1].name if name == LATEST else name for name in (earlier, later))
    if later is None and earlier is not None and whole and earlier == whole[-1].name:
        earlier, later = None, earlier  # one name, and nothing after it: what changed until then is asked
    for name in (earlier, later):
        if name is not None and name not in runs:
            raise UsageError(f"{name}: no such run. {there}")
    last = runs[later] if later else whole[-1] if whole else None
    sooner = [p for p in whole if last and _name_of(p) < _name_of(last)]
    other_days = [p for p in sooner if _name_of(p)[0] < _name_of(last)[0]]
    first = runs[earlier] if earlier else (other_days or sooner or [None])[-1]
    if first is None or last is None:
        raise UsageError(f"two whole runs are needed to compare. {there} Run the next audit, or name two runs.")
    if _name_of(first) >= _name_of(last):
        raise UsageError(f"{first.name} does not lie before {last.name}: give the earlier run first. {there}")
    return first, last


def _record(run: Path) -> dict:
    try:
        return json.loads((run / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _describe(run: Path) -> Earlier:
    days = {_name_of(p)[0]: p for p in whole_runs(run.parents[1]) if _name_of(p)[0] < _name_of(run)[0]}
    return Earlier(run.name, _name_of(run)[0], _hash(run), {p.name: _hash(p) for p in days.values()})


def _hash(run: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for place in READ for p in run.glob(place)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    told = {name: _record(run).get(name) for name in READ_RECORD}
    digest.update(json.dumps(told, sort_keys=True).encode())
    return digest.hexdigest()
