"""The made-up client's workshop: the sheets that customers, partners and employees filled in."""

import csv
from pathlib import Path

import numpy as np

from cxkit.demo_plan import Streams, read_yaml

ROUNDS = ("checklist", "checklist_online")  # each with its own random numbers: one more leaves the others as they were
ALIKE = 2.3  # the mean of every item where nothing is planted


def write_workshop(folder: Path, rng: Streams, *, planted: bool = True) -> None:
    """Write all sheets of the workshop as CSV (an .xlsx would hold the clock).

    The same for every scenario; not `planted`: everybody scores every item of the checklists alike.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = read_yaml("demo_workshop.yml")
    for name, sheet in facts["sheets"].items():
        _write(folder / f"{name}.csv", sheet["columns"], sheet["rows"])
    rows = [row for name in ROUNDS for row in checklist(facts[name], rng(f"workshop.{name}"), planted=planted)]
    _write(folder / "checklist.csv", ["item", "score", "voice", "department", "evidence"], rows)


def checklist(facts: dict, draw: np.random.Generator, *, planted: bool = True) -> list[list]:
    """One row an answer: every person of a voice that has a mean answers the item, around that mean."""
    rows = []
    for item, means in facts["items"].items():
        for voice in (voice for voice in facts["people"] if voice in means):
            people, mean = facts["people"][voice], means[voice] if planted else ALIKE
            scores = np.clip(np.rint(mean + facts["spread"] * draw.standard_normal(people)), 0, 4).astype(int)
            for number, score in enumerate(scores.tolist()):
                staff = voice == "employee"
                department = facts["departments"][number % len(facts["departments"])] if staff else ""
                written = facts.get("evidence", {}).get(item, []) if staff else []
                rows.append([item, score, voice, department, written[number] if number < len(written) else ""])
    return rows


def _write(path: Path, columns: list[str], rows: list[list]) -> None:
    wrong = [row for row in rows if len(row) != len(columns)]
    if wrong:
        raise ValueError(f"sheet {path.stem!r} has {len(columns)} columns; this row has {len(wrong[0])}: {wrong[0]}")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
