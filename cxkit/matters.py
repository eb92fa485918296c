"""What the summary says matters most, as the overview's head needs it."""

from pathlib import Path

from cxkit.kept_tables import read_table
from cxkit.short_answer import answer

TILES = 5
MATTERS = "11_summary.matters"  # the table in which the summary keeps what matters most
# a matter that no figure stands behind, as a tile
SAID = {"value_text": "said, not measured", "interval_text": "", "n_text": "", "against": "", "rule": ""}
SAID |= {"notebook": "", "id": ""}
SAID |= {"low": None, "high": None, "value": None, "unit": "", "target": None, "level_text": "100 %"}


def matters(run_dir: Path, names: list[str], found: list[dict]) -> list[dict]:
    """What the summary says matters most, in its order, so that the overview names the same: findings as records.

    From: the run's folder; the notebooks that are done; the findings of all pages. A matter that people alone name
    has a record without a number. Empty where the summary did not run.
    """
    path = run_dir / "tables" / f"{MATTERS}.csv"
    if MATTERS.partition(".")[0] not in names or not path.is_file():
        return []
    known, told = {f["id"]: f for f in found}, []
    for row in read_table(path, texts=["item", "what", "quadrant", "finding"]).to_dict("records"):
        record = known.get(row["finding"]) or {**SAID, "label": row["what"], "verdict": row["quadrant"]}
        told.append(record | {"verdict_text": str(row["quadrant"]).capitalize()})
    return told[:TILES]


def in_short(run_dir: Path, names: list[str]) -> dict[str, str]:
    """The summary's answer (text) and the page that gives it (href); empty where the summary did not run, or has none.

    From: the run's folder; the notebooks that are done.
    """
    page, path = MATTERS.partition(".")[0], run_dir / "tables" / f"{MATTERS}.csv"
    if page not in names or not path.is_file():
        return {}
    text = answer(read_table(path, texts=["what", "quadrant", "finding"]))
    return {"text": text, "href": f"{page}.html"} if text else {}
