"""Small tables of answers by hand, as they are after the door."""

import ibis
import pandas as pd

TYPES = {"answered_at": "timestamp", "answered_on": "date", "metric": "string", "score": "float64"}
TYPES |= dict.fromkeys(("customer_id", "order_id", "survey_id", "item", "touchpoint", "comment"), "string")
TYPES |= {"incentive": "boolean"}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "csi_item": (1, 5), "expectation": (1, 5)}


def surveys(rows: list[dict], *, without: tuple[str, ...] = ()) -> ibis.Table:
    """Answers; what a row does not say is null, its day 2026-06-01 and its metric nps; columns in `without` are not."""
    types = {name: kind for name, kind in TYPES.items() if name not in without}
    frame = pd.DataFrame(rows, columns=[name for name in TYPES if name != "answered_at"]).astype(object)
    frame["answered_on"] = frame["answered_on"].fillna("2026-06-01")
    frame["metric"] = frame["metric"].fillna("nps")
    frame["answered_at"] = pd.to_datetime(frame["answered_on"])
    frame["answered_on"] = frame["answered_at"].dt.date
    frame = frame.where(frame.notna(), None)
    frame["score"] = frame["score"].astype(float)
    return ibis.memtable(frame[list(types)], schema=types)


def scored(metric: str, scores: list[float], *, prefix: str = "c", **more: object) -> list[dict]:
    """One answer a customer: c0, c1, …"""
    return [{"metric": metric, "score": s, "customer_id": f"{prefix}{i}"} | more for i, s in enumerate(scores)]


def invitations(rows: list[tuple], *, without: tuple[str, ...] = ()) -> ibis.Table:
    """Rows (day, survey, customer, incentive)."""
    types = {"invited_on": "date", "survey_id": "string", "customer_id": "string", "incentive": "boolean"}
    frame = pd.DataFrame(rows, columns=list(types)).astype(object)
    frame["invited_on"] = pd.to_datetime(frame["invited_on"]).dt.date
    types = {name: kind for name, kind in types.items() if name not in without}
    return ibis.memtable(frame.where(frame.notna(), None)[list(types)], schema=types)
