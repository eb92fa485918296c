"""Findings by hand: a value with its interval against a target."""

from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding


def finding(id: str, value: float, half: float, *, target: float | None = 0.0, level: float = 0.95, up: bool = True):
    """A finding with the normal interval value ± half at `level`."""
    estimate = Estimate(value, value - half, value + half, 100, "points", level, "by hand")
    return Finding(id=id, claim="{value} ({interval})", estimate=estimate, label=id, target=target, higher_is_better=up)


def nothing(id: str, *, target: float | None = 0.0):
    """A finding of which the data cannot tell."""
    return Finding(id=id, claim="{value}", estimate=unknown("points", n=3), label=id, target=target)


def full(id: str, value: float, *, target: float | None, up: bool = True):
    """A share counted in full."""
    estimate = Estimate(value, value, value, 100, "share", 1.0, "counted in full")
    return Finding(id=id, claim="{value}", estimate=estimate, label=id, target=target, higher_is_better=up)
