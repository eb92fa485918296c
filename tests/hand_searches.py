"""Small logs of searches by hand, as they are after the door."""

from collections.abc import Sequence

import ibis
import pandas as pd

TYPES = {
    "searched_at": "timestamp(6)",
    "searched_on": "date",
    "query": "string",
    "session_id": "string",
    "customer_id": "string",
    "results": "int64",
    "clicked": "boolean",
    "device": "string",
}
ROW = ("session_id", "time", "query", "results", "clicked")
DAY = "2026-03-01 "


def searches(rows: Sequence[tuple], **columns: object) -> ibis.Table:
    """Rows (session, time, query[, results[, clicked]]); more columns by name; a time alone is on 2026-03-01."""
    padded = [(*row, *(5, True)[len(row) - 3 :]) for row in rows]
    made = pd.DataFrame(padded, columns=ROW).astype(object)
    at = [pd.Timestamp(t if "-" in t else DAY + t) for t in made.pop("time")]
    at = pd.Series(at, index=made.index, dtype="datetime64[us]")
    return table(made.assign(searched_at=at, customer_id=None, device="mobile").assign(**columns))


def table(made: pd.DataFrame) -> ibis.Table:
    """A frame as a table with the types of the canonical searches; columns that it lacks stay away."""
    types = {name: kind for name, kind in TYPES.items() if name in made or name == "searched_on"}
    made = made.assign(searched_on=pd.to_datetime(made["searched_at"]).dt.date)
    plain = made[list(types)].astype({c: object for c, kind in types.items() if kind != "timestamp(6)"})
    return ibis.memtable(plain.where(plain.notna(), None), schema=types)


def many(plan: Sequence[tuple], *, first: str = "2026-01-01", days: int = 60) -> pd.DataFrame:
    """Visits of one search each: (query, visits, share that finds nothing, share with an order), spread over the days.

    To: the columns of the searches and ordered (yes/no): whether the visit ends with an order.
    """
    rows = []
    for query, visits, nothing, ordered in plan:
        for i in range(visits):
            lost = i < round(nothing * visits)
            won = (i * 7) % visits < round(ordered * visits)
            rows.append((f"{query} {i}", query, 0 if lost else 8, not lost, won, i % days))
    made = pd.DataFrame(rows, columns=["session_id", "query", "results", "clicked", "ordered", "day"])
    at = pd.Timestamp(first) + pd.to_timedelta(made.pop("day"), unit="D") + pd.Timedelta(hours=12)
    return made.assign(searched_at=at.astype("datetime64[us]"), customer_id=None, device="mobile")


def orders_of(made: pd.DataFrame) -> ibis.Table:
    """Events that name an order for the visits of `many` that end with one, a minute after the search."""
    types = {"session_id": "string", "occurred_at": "timestamp(6)", "order_id": "string"}
    order = made["session_id"].where(made["ordered"]).astype(object)
    at = made["searched_at"] + pd.Timedelta(minutes=1)
    frame = pd.DataFrame({"session_id": made["session_id"], "occurred_at": at, "order_id": order})
    return ibis.memtable(frame.where(frame.notna(), None), schema=types)
