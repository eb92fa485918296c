"""The journey for those who read it: the map in words and as a table, and what the page's tables show."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cxkit.errors import UsageError
from cxkit.journey_readings import leading_metric
from cxkit.lanes import duration_text
from cxkit.style import format_ends, format_value, plain_text

LOOKS = Path(__file__).parent / "journey_tables.yml"
LEAST = 30  # fewer customers or visits tell too little for a sentence
SCORES = {"csat": "CSAT", "nps": "NPS", "ces": "CES"}


@cache
def _looks() -> dict[str, dict]:
    return yaml.safe_load(LOOKS.read_text(encoding="utf-8"))


def look(name: str) -> dict[str, object]:
    """How a table of the page is shown: caption, columns, formats and labels for `notebook.show_table`.

    Raises UsageError on a name that journey_tables.yml does not have.
    """
    if name not in _looks():
        raise UsageError(f"journey_tables.yml has no table {name!r}; it has {', '.join(_looks())}.")
    return dict(_looks()[name])


def map_table(journey: pd.DataFrame) -> pd.DataFrame:
    """The map as a table for people, one row a stage: every number with its interval and n, as text.

    From: `journey_map.journey_map`. To: Stage, Customers, Visits of nobody known, Visits that go on, Customers who go
    on, Time to go on (median), Satisfaction, Contacts per hundred customers.
    """
    metric = leading_metric(journey)
    rows = [
        {
            "Stage": row["name"],
            "Customers": row["customers"],
            "Visits of nobody known": row["unknown_sessions"],
            "Visits that go on": _figure(row, "visit_goes_on", "share"),
            "Customers who go on": _figure(row, "goes_on", "share"),
            "Time to go on, median": _days(row),
            "Satisfaction": _score(row, metric) if metric and np.isfinite(row[metric]) else "–",
            "Contacts per hundred": _figure(row, "contacts_per_100", "points", n=False),
        }
        for row in journey.to_dict("records")
    ]
    return pd.DataFrame(rows)


def _figure(row: dict, name: str, unit: str, *, n: bool = True) -> str:
    """A number with its interval and n; a dash where the data cannot tell."""
    if not np.isfinite(row[name]):
        return "–"
    count = f", n = {int(row[f'{name}_n']):,}" if n else ""
    return f"{format_value(row[name], unit)} ({format_ends(row[f'{name}_low'], row[f'{name}_high'], unit)}{count})"


def _score(row: dict, metric: str) -> str:
    """NPS in whole points, means with one decimal, each with interval and n."""
    digits = 0 if metric == "nps" else 1
    value, low, high = (f"{row[f'{metric}{end}']:.{digits}f}".replace("-", "−") for end in ("", "_low", "_high"))
    ends = f"{low} to {high}" if "−" in low + high else f"{low}–{high}"
    return f"{SCORES[metric]} {value} ({ends}, n = {int(row[f'{metric}_n']):,})"


def _days(row: dict) -> str:
    """The median time with its interval; what has not come yet at the end of the data is said."""
    n = f"n = {int(row['days_n']):,}"
    if not row["days_n"]:
        return "–"
    if not np.isfinite(row["days_median"]):
        return f"fewer than half so far ({n})"
    value, low, high = (duration_text(row[f"days_median{end}"]).replace(" d", " days") for end in ("", "_low", "_high"))
    if not np.isfinite(row["days_median_high"]):
        return f"{value} (end not seen yet, {n})"
    number, _, unit = low.rpartition(" ")
    return f"{value} ({f'{number}–{high}' if high.endswith(f' {unit}') else f'{low} to {high}'}, {n})"


def sentences(journey: pd.DataFrame, marks: pd.DataFrame) -> list[str]:
    """The map in words: where fewest go on, where customers wait longest, where they are least content.

    From: `journey_map.journey_map`, `weak_points`. A stage is called the worst only where it carries a mark; else it is
    said that none stands out.
    """
    marked = dict(zip(marks["lane"], marks["stage"], strict=True))
    found = []
    going = "visit_goes_on" if (journey["visit_goes_on_n"] >= LEAST).sum() > 1 else "goes_on"
    enough = (journey[f"{going}_n"] >= LEAST) & np.isfinite(journey[going])
    known = journey[enough & journey["leads_on"]]
    if len(known) > 1:
        row, whose = known.loc[known[going].idxmin()], "visits" if going == "visit_goes_on" else "customers"
        told = f"{row['name']}: {_figure(row, going, 'share')}"
        sure = marked.get(going) == row["stage"]
        found.append(
            f"Of the {whose} that come to a stage, fewest go on from {told}."
            if sure
            else f"No stage stands out as losing most {whose}; the lowest share goes on from {told}."
        )
    slow = journey[
        journey["leads_on"]
        & (journey["days_n"] >= LEAST)
        & np.isfinite(journey["days_median"])
        & (journey["days_median"] >= 1)
    ]
    if len(slow):
        row = slow.loc[slow["days_median"].idxmax()]
        found.append(f"The longest median time that can be told is that from {row['name']} on: {_days(row)}.")
    metric = leading_metric(journey)
    scored = journey[np.isfinite(journey[metric]) & (journey[f"{metric}_n"] >= LEAST)] if metric else journey[:0]
    if len(scored) > 1:
        row = scored.loc[scored[metric].idxmin()]
        told = f"{row['name']}: {_score(row, metric)}"
        sure = marked.get(metric) == row["stage"]
        found.append(
            f"Customers are least content at {told}."
            if sure
            else f"No stage is least content for certain; the lowest figure stands at {told}."
        )
    return found or ["The data do not tell yet where customers are lost: too few came to two stages or more."]


def describe_map(journey: pd.DataFrame, marks: pd.DataFrame) -> str:
    """What the picture of the map shows, for those who cannot see it. From: `journey_map`, `weak_points`."""
    there = journey[(journey["customers"] > 0) | (journey["unknown_sessions"] > 0)]
    if there.empty:
        return "A journey map without data: no touch of any stage lies in the period."
    weak = [plain_text(name) for name in marks["touchpoint"].dropna()]
    return (
        f"Map of the customers' journey in {len(journey)} stages, of which {len(there)} have data. "
        f"{' '.join(sentences(journey, marks))} Weak for certain: {', '.join(weak) or 'no touchpoint'}."
    )
