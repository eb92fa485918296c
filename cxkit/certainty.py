"""How sure is a finding when it is one of many: every verdict of an audit judged together."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.findings import FAMILIES, JUDGED_OTHERWISE, Finding

CERTAIN, LIKELY, SAID = "certain", "likely", "said"
COLUMNS = ("id", "family", "p", "judged", "certainty")


def family_of(id: str) -> str:
    """The family that a finding belongs to (`journey.touchpoint`), or an empty text where it stands alone."""
    return next((family for family in FAMILIES if id.startswith(f"{family}.")), "")


def across_audit(findings: Sequence[Finding], *, level: float = 0.95) -> pd.DataFrame:
    """How sure each verdict is when all verdicts of the audit are to hold together.

    From: the findings of a run. To, one row a finding, in their order: id, family (empty where it stands alone), p
    (two-sided, adjusted within its family; NaN where nothing was judged), judged (yes/no: it has a reference and the
    data could tell), certainty: `certain` (it would hold even though so much was judged), `likely` (its own interval
    excludes the reference, the audit-wide one does not), or an empty text (no verdict).

    How: p comes from the interval itself, taken as normal on the side towards the reference: z is the level's own
    quantile times |value - reference| / |value - end towards the reference|. A family's members have wider intervals
    (their level lies above `level`): their p is multiplied by (1 - level) / (1 - their level), which is Holm's factor,
    and none is smaller than that of a member with a smaller p of its own. What was counted in full (level 1) is
    certain and needs no share of the error.
    The error is divided evenly among all places: findings judged alone, the client's own targets among them, and the
    families of the areas that the audit has findings of, whether a family found anything or not. A place of one finding
    that is rejected hands its share on to all others (Holm); that of a family does not, since its other members may
    still be wrong. So the chance that anything is called certain that is not so is at most 1 - level, however the
    findings hang together.
    What is left out: members of a family that are no finding (not told apart from the others) lend no share.
    Source: Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70; handing on shares: Bretz, Maurer, Brannath &
    Posch (2009), Statistics in Medicine 28(4), 586-604.
    """
    rows = [(f.id, family_of(f.id) if _by_family(f) else "", *_chance(f, level)) for f in findings]
    frame = pd.DataFrame(rows, columns=["id", "family", "p", "excludes", "full"])
    frame = frame.astype({"id": str, "family": str, "p": float, "excludes": bool, "full": bool})
    frame = frame.assign(p=_in_order(frame))
    tested = frame["p"].notna() & ~frame["full"]
    alone = tested & (frame["family"] == "")
    left = max(int(alone.sum()) + len(judged_families(findings)), 1)
    for p in sorted(frame.loc[alone, "p"]):
        if p > (1 - level) / left:
            break
        left = max(left - 1, 1)  # its share goes to those that are left
    error = (1 - level) / left
    sure = frame["excludes"] & (frame["full"] | (frame["p"] <= error))
    certainty = np.select([sure, frame["excludes"]], [CERTAIN, LIKELY], "")
    return frame.assign(judged=frame["p"].notna(), certainty=certainty)[list(COLUMNS)]


def judged_families(findings: Sequence[Finding]) -> list[str]:
    """The families that are judged together in the areas that an audit has findings of, found or not."""
    areas = {f.id.partition(".")[0] for f in findings}
    return [family for family in FAMILIES if family in JUDGED_OTHERWISE and family.partition(".")[0] in areas]


def _by_family(finding: Finding) -> bool:
    """Whether a finding was judged with its family; one with a target of the client's was judged by itself."""
    return family_of(finding.id) in JUDGED_OTHERWISE


def _chance(finding: Finding, level: float) -> tuple[float, bool, bool]:
    """p adjusted within the family (NaN: not judged), whether the interval excludes the reference, counted in full."""
    from scipy.special import ndtr, ndtri

    estimate, reference = finding.estimate, finding.target
    if not estimate.known or reference is None:
        return np.nan, False, False
    excludes = not estimate.low <= reference <= estimate.high
    if estimate.level == 1:
        return float(not excludes), excludes, True
    distance = abs(estimate.value - reference)
    half = estimate.value - estimate.low if reference < estimate.value else estimate.high - estimate.value
    if distance == 0:
        return 1.0, excludes, False
    z = ndtri((1 + estimate.level) / 2) * distance / half if half > 0 else np.inf
    factor = max((1 - level) / (1 - estimate.level), 1.0)
    return float(min(2 * ndtr(-z) * factor, 1.0)), excludes, False


def _in_order(frame: pd.DataFrame) -> pd.Series:
    """p such that within a family none is smaller than that of a member further from its reference."""
    members = frame["family"] != ""
    ordered = frame[members].sort_values(["family", "p", "id"], kind="stable")
    return frame["p"].where(~members, ordered.groupby("family")["p"].cummax())
