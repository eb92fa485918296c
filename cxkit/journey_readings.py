"""What the journey map says: which points carry a mark, and what is found of its stages."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.journey_map import ENDS, METRICS
from cxkit.style import clean_text


def weak_points(journey: pd.DataFrame, *, touchpoints: Sequence[str] = ()) -> pd.DataFrame:
    """Where the map carries a mark and a word.

    From: `journey_map` or `join_maps`; touchpoints: those that are weak for certain (priorities). To: lane (goes_on,
    visit_goes_on, contacts_per_100, the metric of satisfaction, or touchpoint), stage, touchpoint, word.
    A stage is marked in a lane where its figure is the worst of all stages and its interval lies wholly beyond the
    intervals of all others; satisfaction goes by the metric known at most stages; who goes on by visits where they are
    known, else by customers (who are known by an order, so that few are lost before it).
    It says where the figure is worst, not that it is bad for such a stage: stages differ by nature.
    """
    rows = [("touchpoint", None, name, "weak") for name in touchpoints]
    going = "visit_goes_on" if (journey["visit_goes_on_n"] > 0).sum() > 1 else "goes_on"
    lanes = [(going, "fewest go on", 1), ("contacts_per_100", "most contacts", -1)]
    if metric := leading_metric(journey):
        lanes.append((metric, "least content", 1))
    for lane, word, sign in lanes:
        known = journey[journey[[lane, f"{lane}_low", f"{lane}_high"]].notna().all(axis=1)]
        known = (known[known["leads_on"]] if lane == going else known).reset_index(drop=True)
        if len(known) < 2:
            continue
        worst = (sign * known[lane]).idxmin()
        near, far = (f"{lane}_high", f"{lane}_low")[::sign]
        if (sign * known.drop(index=worst)[far] > sign * known.at[worst, near]).all():
            rows.append((lane, known.at[worst, "stage"], None, word))
    return pd.DataFrame(rows, columns=["lane", "stage", "touchpoint", "word"], dtype=object)


def leading_metric(journey: pd.DataFrame) -> str | None:
    """The metric of satisfaction known at most stages (of several csat, then nps, then ces), or None."""
    known = {metric: int(journey[metric].notna().sum()) for metric in METRICS}
    best = max(known, key=known.get)
    return best if known[best] else None


def map_findings(journey: pd.DataFrame) -> list[Finding]:
    """journey.stage.<stage> (share that goes on) and journey.days.<stage> (median days).

    From: `journey_map`. They have no reference: only the client's own target can judge a stage, stages differing by
    nature.
    What is left out: stages that lead on to nothing but evaluation, and those without a customer old enough; of the
    days, stages that half leave within a day.
    """
    found = []
    for row in journey[journey["leads_on"]].to_dict("records"):
        name, level = clean_text(row["name"]), row["level"]
        days = "1 day" if row["within_days"] == 1 else f"{row['within_days']} days"
        said = name.replace("{", "{{").replace("}", "}}")  # a claim's own places stand in braces
        if row["goes_on_n"] > 0:
            share = _estimate(row, "goes_on", "share", row["goes_on_n"], level, "Wilson")
            found.append(
                Finding(
                    id=f"journey.stage.{row['stage']}",
                    claim=f"{{value}} of the customers who come to the stage {said} go on to a later one within {days} "
                    "({interval}).",
                    estimate=share,
                    label=f"{name}: customers who go on within {days}",
                    evidence=("journey_map",),
                )
            )
        if row["days_n"] > 0 and not row["days_median"] < 1:
            method = "Brookmeyer & Crowley" if row["days_median"] > 0 else "fewer than half have gone on by the end"
            method = "how long at most cannot be seen yet" if np.isinf(row["days_median_high"]) else method
            median = _estimate(row, "days_median", "days", row["days_n"], level, method)
            found.append(
                Finding(
                    id=f"journey.days.{row['stage']}",
                    claim=f"Half of the customers who come to the stage {said} have gone on after {{value}} "
                    "({interval}).",
                    estimate=median,
                    label=f"{name}: days until half of the customers go on",
                    higher_is_better=False,
                    evidence=("journey_map",),
                )
            )
    return found


def _estimate(row: dict, name: str, unit: str, n: int, level: float, method: str) -> Estimate:
    return Estimate(*(float(row[f"{name}{part}"]) for part in ENDS[:3]), int(n), unit, level, method)
