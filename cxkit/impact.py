"""How much an item matters: the share of a year's revenue that it touches, times how far it falls short."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxkit.findings import Finding
from cxkit.same_thing import split_ids

SHARES = ((0.10, 5), (0.05, 4), (0.02, 3), (0.005, 2))  # from this product on: impact
LEAST_IMPACT, NOT_WEIGHED = 1, 3
STATED, UNKNOWN = "stated in the workshop", "not weighed"
FROM_FAULT = "from the revenue it touches and the size of the fault"
# findings whose orders each met the fault itself, not only the place where it happens: they count whole
WHOLE = ("service.late", "service.late_share", "service.returned", "service.returned_share", "service.cancelled_share")
WHOLE += ("segments", "search.missing", "search.nothing_found", "lifetime.slipping_share", "loyalty.overdue_share")
WHOLE += ("loyalty.repeat_rate",)
PERCENT, NPS, OF_SCALE, OF_100 = "percentage points", "NPS points", "points of the scale", "points of 100"
SCALES = {PERCENT: 100.0, NPS: 200.0, OF_SCALE: 4.0, OF_100: 100.0}  # from end to end; marks are of five
ON_A_SCALE = ("feedback.gap", "feedback.csat", "feedback.ces", "maturity")


def weigh(items: pd.DataFrame, found: pd.DataFrame, findings: Sequence[Finding]) -> pd.DataFrame:
    """Items with stake, stake_share, at_stake (how it was found), fault_size (0 to 1), impact (1 to 5), impact_from.

    From: items (item, evidence, impact: the median that the workshop stated, or missing); `stakes.stakes`; the findings
    of the run. The impact is what was stated, but where the data are certain at least what follows from them: one low
    mark hides no certain fault. Without a stated one it follows from the share of the year's revenue that the item
    touches times the size of the fault (`shortfall`, the largest of its findings): from 10 % on 5, from 5 % 4, from 2 %
    3, from 0.5 % 2, below 1; else 3, and "not weighed". Borders are cxkit's.
    """
    gone = ["stake", "stake_share", "at_stake", "fault_size", "impact_from"]
    both = items.drop(columns=gone, errors="ignore")
    its = found.set_index("item").reindex(both["item"])
    stated = pd.to_numeric(both["impact"], errors="coerce").to_numpy(dtype=float)
    share = its["stake_share"].to_numpy(dtype=float)
    known = {f.id: f for f in findings}
    size = np.array([_largest(ids, known) for ids in both["evidence"]], dtype=float)
    weight = share * size
    sized = np.select([weight >= border for border, _ in SHARES], [impact for _, impact in SHARES], LEAST_IMPACT)
    more = np.isfinite(weight) & (both["certainty"] == "certain").to_numpy() & (sized > stated)
    stated = np.where(more, np.nan, stated)
    impact = np.where(np.isfinite(stated), stated, np.where(np.isfinite(weight), sized, NOT_WEIGHED))
    source = np.where(np.isfinite(stated), STATED, np.where(np.isfinite(weight), FROM_FAULT, UNKNOWN))
    return both.assign(
        impact=impact,
        impact_from=source.astype(object),
        stake=its["stake"].to_numpy(dtype=float),
        stake_share=share,
        fault_size=np.where(np.isfinite(share), size, np.nan),
        at_stake=its["how"].to_numpy(dtype=object),
    )


def shortfall(finding: Finding) -> float:
    """The size of a fault, 0 to 1: how far the figure lies from its reference, as a part of its scale.

    1 where each order that is counted met the fault itself (`WHOLE`). Of shares and of growth the distance itself, at
    most 1 (a growth of 100 % counts whole); of points the distance over the scale from end to end (NPS 200, shares and
    indices 100, marks of five 4); of other units the distance over the reference. NaN where there is no reference.
    """
    if _starts(finding.id, WHOLE):
        return 1.0
    e, reference = finding.estimate, finding.target
    if reference is None or not e.known:
        return float("nan")
    unit = {"share": 1.0, "lift": 1.0, "points": SCALES[points_are(finding)]}
    scale = unit.get(e.unit, abs(float(reference)))
    return min(abs(e.value - reference) / scale, 1.0) if scale else float("nan")


def points_are(finding: Finding) -> str:
    """Which points a finding in points counts: percentage points, NPS points, points of the scale, points of 100."""
    for text in (finding.label, finding.claim):
        if "NPS" in text or "Net Promoter" in text:
            return NPS
        if "go on" in text or "goes on" in text or "percentage point" in text:
            return PERCENT
        if "CSAT" in text or "CES" in text:
            return OF_SCALE
    if _starts(finding.id, ON_A_SCALE):
        return OF_SCALE
    return OF_100 if "of 100" in finding.claim else PERCENT


def _largest(evidence: object, known: Mapping[str, Finding]) -> float:
    """The largest fault of an item's findings; NaN where none has a size."""
    sizes = [shortfall(known[id]) for id in split_ids(evidence) if id in known]
    return max((size for size in sizes if np.isfinite(size)), default=float("nan"))


def _starts(id: str, starts: Sequence[str]) -> bool:
    return any(f"{id}.".startswith(f"{start}.") for start in starts)
