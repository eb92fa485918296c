"""A small SWOT by hand, with the columns of `swot.join` and `stakes.weigh`."""

import pandas as pd

from cxkit.estimates import Estimate
from cxkit.findings import Finding

TEXTS = ("said", "quotes", "sources", "department", "evidence", "voices", "by_voice", "against", "sphere")


def items(rows: list[dict]) -> pd.DataFrame:
    """Items (item, quadrant and what else is said of them); else said by one voice, impact 3, and nothing at stake."""
    filled = []
    for row in rows:
        voices = row.get("voices", "employee")
        known = {"statement": row["item"], "impact": 3.0, "impact_from": "stated in the workshop", "certainty": "said"}
        known |= {"supporters": len(voices.split(", ")), "voices": voices, "stake": float("nan")}
        known |= {"stake_share": float("nan"), "at_stake": "no number stands behind it", "confidence": float("nan")}
        known |= {"by_voice": ", ".join(f"{voice} 1" for voice in voices.split(", ") if voice)}
        filled.append(dict.fromkeys(TEXTS, "") | known | row)
    return pd.DataFrame(filled)


def finding(id: str, value: float, low: float, high: float, *, unit: str = "share", **more) -> Finding:
    estimate = Estimate(value, low, high, 100, unit, more.pop("level", 0.95), "by hand")
    return Finding(id=id, claim="It is {value} ({interval}).", estimate=estimate, label=f"Label of {id}", **more)


def sheet(rows: list[dict]) -> pd.DataFrame:
    """The sheet `actions` as `workshop.read_sheet` gives it."""
    frame = pd.DataFrame(rows, columns=["action", "item", "department", "owner", "effort", "measure", "due", "after"])
    texts = dict.fromkeys(("action", "item", "department", "owner", "measure", "after"), "str")
    return frame.astype(texts | {"effort": float}).assign(due=pd.to_datetime(frame["due"]))
