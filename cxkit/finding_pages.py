"""On which page of the report does a finding stand: the links from what follows to what it rests on."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cxkit.findings import load

APART = " "  # between addresses: no id holds a blank


def pages_of(run_dir: Path) -> dict[str, str]:
    """A finding's id -> its address: its notebook, and its row there (`07_service#service.late.courier`).

    From: a run's folder. What is left out: what the consultant withheld, which has no row.
    """
    paths = sorted((run_dir / "findings").glob("*.json"))
    return {finding.id: f"{path.stem}#{finding.id}" for path in paths for finding in load(path)}


def addresses(cells: Iterable[Iterable[str]], pages: Mapping[str, str]) -> list[str]:
    """For each cell's ids their addresses, one a page (its first), with a blank between; empty where none is known.

    From: ids; `pages_of`. `notebook.show_each` and `show_table` take them as a column (`links`).
    """
    told = []
    for ids in cells:
        found: dict[str, str] = {}
        for id in ids:
            if id in pages:
                found.setdefault(pages[id].partition("#")[0], pages[id])
        told.append(APART.join(found.values()))
    return told
