"""The made-up client's workshop: the sheets that customers, partners and employees filled in."""

import csv
from pathlib import Path

import numpy as np

from cxkit.demo_plan import Streams, read_yaml


def write_workshop(folder: Path, rng: Streams) -> None:
    """Write all sheets of the workshop as CSV (an .xlsx would hold the clock). The same for every scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = read_yaml("demo_workshop.yml")
    for name, sheet in facts["sheets"].items():
        _write(folder / f"{name}.csv", sheet["columns"], sheet["rows"])
    _write(
        folder / "checklist.csv",
        ["item", "score", "voice", "department", "evidence"],
        checklist(facts["checklist"], rng),
    )


def checklist(facts: dict, rng: Streams) -> list[list]:
    """One row an answer: every person of every voice answers every item, around the item's mean for that voice."""
    rows = []
    draw = rng("workshop.checklist")
    for item, means in facts["items"].items():
        for voice, people in facts["people"].items():
            scores = np.clip(np.rint(means[voice] + facts["spread"] * draw.standard_normal(people)), 0, 4).astype(int)
            for number, score in enumerate(scores.tolist()):
                department = facts["departments"][number % len(facts["departments"])] if voice == "employee" else ""
                rows.append([item, score, voice, department, ""])
    return rows


def _write(path: Path, columns: list[str], rows: list[list]) -> None:
    wrong = [row for row in rows if len(row) != len(columns)]
    if wrong:
        raise ValueError(f"sheet {path.stem!r} has {len(columns)} columns; this row has {len(wrong[0])}: {wrong[0]}")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
