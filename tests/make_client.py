"""A tiny client for tests of the program: a dozen order lines and a client.yml."""

import csv
from pathlib import Path

import yaml

HEADER = ("Order", "Customer", "Date", "Total", "Product")
ROWS = tuple(
    (f"O{number:02d}", f"C{number % 4}", f"2026-{1 + number // 2:02d}-15", f"{100 + 7 * number}.50", f"P{number % 3}")
    for number in range(12)
)
COLUMNS = {
    "order_id": "Order",
    "customer_id": "Customer",
    "ordered_at": "Date",
    "amount": "Total",
    "product_id": "Product",
}


def write_orders(folder: Path, rows=ROWS, *, header=HEADER, delimiter: str = ",") -> Path:
    """Write exports/orders.csv."""
    path = folder / "exports" / "orders.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def make_client(folder: Path, *, rows=ROWS, orders: dict | None = None, **settings: object) -> Path:
    """Write a client's folder; `orders` adds to tables.orders, `settings` to client.yml. To the path of client.yml."""
    write_orders(folder, rows)
    data = {
        "client": "Tiny Shop",
        "currency": "UAH",
        "time_zone": "Europe/Kyiv",
        "tables": {"orders": {"path": "exports/orders.csv", "columns": COLUMNS, **(orders or {})}},
        **settings,
    }
    path = folder / "client.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
