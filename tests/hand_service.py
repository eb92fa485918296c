"""Small tables of contacts and orders by hand, as they are after the door."""

import ibis
import pandas as pd

CONTACT_TYPES = dict.fromkeys(("contact_id", "customer_id", "order_id", "channel", "reason", "text"), "string")
CONTACT_TYPES |= {"opened_at": "timestamp", "opened_on": "date"}
CONTACT_TYPES |= dict.fromkeys(
    ("first_answer_at", "solved_at", "promised_answer_at", "promised_solution_at"), "timestamp"
)
CONTACT_TYPES |= {"cost": "float64", "satisfaction": "float64"}
ORDER_TYPES = dict.fromkeys(
    ("order_id", "customer_id", "category", "channel", "payment", "delivery", "status", "reason"), "string"
)
ORDER_TYPES |= {"ordered_at": "timestamp", "ordered_on": "date", "promised_at": "timestamp"}
ORDER_TYPES |= {"delivered_at": "timestamp", "amount": "float64", "refund": "float64", "cost": "float64"}


def contacts(rows: list[dict] | pd.DataFrame) -> ibis.Table:
    """Contacts with the columns named in the rows; opened_at is a text or a time."""
    frame = pd.DataFrame(rows)
    if "contact_id" not in frame:
        frame["contact_id"] = [f"t{i:06d}" for i in range(len(frame))]
    frame["opened_at"] = (
        pd.to_datetime(frame["opened_at"], format="ISO8601") if "opened_at" in frame else pd.to_datetime([])
    )
    frame["opened_on"] = frame["opened_at"].dt.normalize()
    return _table(frame, CONTACT_TYPES)


def orders(rows: list[dict] | pd.DataFrame) -> ibis.Table:
    """Order lines with the columns named in the rows; completed, 100 a line and nothing refunded where not said."""
    frame = pd.DataFrame(rows)
    if "order_id" not in frame:
        frame["order_id"] = [f"o{i:06d}" for i in range(len(frame))]
    for name, value in (("customer_id", None), ("status", "completed"), ("amount", 100.0), ("refund", 0.0)):
        if name not in frame:
            frame[name] = value
    frame["ordered_at"] = (
        pd.to_datetime(frame["ordered_at"], format="ISO8601") if "ordered_at" in frame else pd.to_datetime([])
    )
    frame["ordered_on"] = frame["ordered_at"].dt.normalize()
    return _table(frame, ORDER_TYPES)


def _table(frame: pd.DataFrame, types: dict[str, str]) -> ibis.Table:
    frame = frame.reset_index(drop=True)
    kept = {name: kind for name, kind in types.items() if name in frame}
    for name, kind in kept.items():
        if kind in ("timestamp", "date"):
            frame[name] = pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[us]")
        elif kind == "string":
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        else:
            frame[name] = frame[name].astype(float)
    return ibis.memtable(frame[list(kept)], schema=kept)


def steady(months: int, *, orders_a_month: int = 100, first: str = "2025-01-01") -> pd.DataFrame:
    """Orders spread over the days of some months: a frame of order_id, customer_id (one each), ordered_at."""
    rows = []
    for start in pd.date_range(first, periods=months, freq="MS"):
        days = start.days_in_month
        rows += [start + pd.Timedelta(days=i * days // orders_a_month, hours=12) for i in range(orders_a_month)]
    n = len(rows)
    return pd.DataFrame(
        {"order_id": [f"o{i:06d}" for i in range(n)], "customer_id": [f"c{i:06d}" for i in range(n)],
         "ordered_at": rows}
    )  # fmt: skip


def asked(orders: pd.DataFrame, *, every: int, reason: str = "late", days: int = 0) -> pd.DataFrame:
    """A contact about every so many-th order, some days after it."""
    rows = orders.iloc[::every]
    return pd.DataFrame(
        {"customer_id": rows["customer_id"], "order_id": rows["order_id"], "reason": reason,
         "opened_at": rows["ordered_at"] + pd.Timedelta(days=days)}
    )  # fmt: skip
