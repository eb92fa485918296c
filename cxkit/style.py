"""How numbers and pictures look: number formats, palette, theme."""

import math

from cxkit.estimates import Estimate


def format_value(value: float, unit: str, currency: str = "") -> str:
    """A number as a reader sees it: percent without decimals from 10 % on and with one below; money with thousands
    separated; lifts with their sign."""
    if not math.isfinite(value):
        return "–"
    if unit in ("share", "lift"):
        percent = 100 * value
        text = f"{percent:,.0f}" if abs(percent) >= 9.95 or percent == 0 else f"{percent:.1f}"
        sign = "+" if unit == "lift" and value > 0 else ""
        return f"{sign}{text} %".replace("-", "−")
    digits = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}".replace("-", "−")
    suffix = {"money": f" {currency}", "days": " days"}.get(unit, "")
    return (text + suffix).rstrip()


def format_interval(estimate: Estimate, currency: str = "") -> str:
    """Both ends of an estimate's interval: `39–43 %`."""
    low, high = (format_value(end, estimate.unit, currency) for end in (estimate.low, estimate.high))
    units = [u for u in (" %", " days", f" {currency}") if u.strip()]
    unit_text = next((u for u in units if low.endswith(u) and high.endswith(u)), "")
    if unit_text:
        low = low[: -len(unit_text)]
    joint = " to " if estimate.unit == "lift" or "−" in low + high else "–"
    return f"{low}{joint}{high}"
