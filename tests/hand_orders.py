"""Small order tables by hand, as they are after the door."""

from datetime import date, timedelta

import ibis
import pandas as pd

COLUMNS = ("order_id", "customer_id", "ordered_on", "amount")
LINES = [  # three purchases of Anna, one of Bohdan
    ("1", "anna", "2026-06-01", 10.0),
    ("2", "anna", "2026-06-01", 5.0),  # the same day is one purchase
    ("3", "anna", "2026-06-11", 10.0),
    ("4", "anna", "2026-06-20", 10.0),
    ("5", "bohdan", "2026-06-25", 7.0),
    ("6", None, "2026-06-25", 7.0),
    ("7", "celina", "2026-06-25", 7.0),  # cancelled
]
STATUS = ["completed"] * 6 + ["cancelled"]
ODD_SHOPS = {
    "no orders": [],
    "one order": [("1", "anna", "2026-06-01", 10.0)],
    "nobody named": [(str(i), None, f"2026-0{i}-15", 10.0) for i in range(1, 7)],
    "one day": [(str(i), f"c{i}", "2026-05-15", 10.0) for i in range(60)],
    "nobody came back": [(str(i), f"c{i}", str(date(2026, 1, 1) + timedelta(days=i)), 10.0) for i in range(60)],
    "everybody came back": [(f"{i}{d}", f"c{i}", f"2026-05-{d + i % 9:02d}", 10.0) for i in range(60) for d in (1, 15)],
    "all alike": [(f"{i}{d}", f"c{i}", f"2026-05-{d:02d}", 10.0) for i in range(60) for d in (1, 15)],
}


def orders(lines: list[tuple], **columns: object) -> ibis.Table:
    """Lines (order_id, customer_id, day, amount), further columns by name; refund 0 and completed where not said."""
    frame = pd.DataFrame(lines, columns=COLUMNS).assign(**({"refund": 0.0, "status": "completed"} | columns))
    return table(frame)


def table(frame: pd.DataFrame) -> ibis.Table:
    """A frame with ordered_on (text or time) as a table with the types of the canonical orders."""
    times = pd.to_datetime(frame["ordered_on"])
    types = {"order_id": "string", "customer_id": "string", "ordered_on": "date", "ordered_at": "timestamp"}
    types |= {"amount": "float64", "refund": "float64", "status": "string"}
    types |= {name: kind for name, kind in (("quantity", "float64"), ("category", "string")) if name in frame}
    frame = frame.assign(ordered_on=times.dt.date, ordered_at=times)
    return ibis.memtable(frame[list(types)], schema=types)


def random_orders(rng, customers: int, *, days: int = 400, first: str = "2025-01-01") -> pd.DataFrame:
    """A shop of customers who order at random: a frame with one to three lines an order, quantity and category."""
    counts = rng.geometric(0.5, customers)
    order = pd.DataFrame({"customer_id": [f"c{i:05d}" for i in range(customers)]}).loc[lambda f: f.index.repeat(counts)]
    order = order.assign(
        order_id=[f"o{i}" for i in range(len(order))],
        ordered_on=pd.Timestamp(first) + pd.to_timedelta(rng.integers(0, days, len(order)), unit="D"),
    )
    order = order.reset_index(drop=True)
    lines = order.loc[order.index.repeat(rng.integers(1, 4, len(order)))].reset_index(drop=True)
    return lines.assign(
        amount=rng.integers(100, 90_000, len(lines)) / 100,
        refund=0.0,
        status="completed",
        quantity=rng.integers(1, 4, len(lines)).astype(float),
        category=rng.choice(["toys", "books", "clothes"], len(lines)),
    )
