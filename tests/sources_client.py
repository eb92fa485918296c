"""A client in a temporary folder, for the tests of the door."""

import json
from pathlib import Path

import pandas as pd
import yaml

from cxkit import sources
from cxkit.client import Client, load_client

ORDERS = {
    "order_id": "Order",
    "customer_id": "Customer",
    "ordered_at": "Date",
    "amount": "Total",
    "quantity": "Qty",
    "product_id": "SKU",
}
HEADER = "Order,Customer,Date,Total,Qty,SKU"
GOOD = ("1,a,2024-03-01,10,1,X", "2,b,2024-03-02,20,2,Y", "3,a,2024-03-05,30,3,X")


def settings(**tables: dict) -> dict:
    return {"client": "Test", "currency": "UAH", "time_zone": "Europe/Kyiv", "tables": tables}


def orders_export(**more: object) -> dict:
    return {"path": "orders.csv", "columns": dict(ORDERS), "max_refused_share": 1.0, **more}


def make_client(folder: Path, wanted: dict, **files: str | bytes) -> Client:
    """Writes client.yml and the files (name without its dot: orders_csv) and loads the client."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.loads(json.dumps(wanted))  # YAML would write what stands there twice as an alias
    (folder / "client.yml").write_text(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False), encoding="utf-8")
    for name, content in files.items():
        stem, suffix = name.rsplit("_", 1)
        raw = content if isinstance(content, bytes) else content.encode("utf-8")
        (folder / f"{stem}.{suffix}").write_bytes(raw)
    return load_client(folder)


def load_orders(folder: Path, *rows: str, header: str = HEADER, **more: object) -> tuple[sources.Loaded, pd.DataFrame]:
    """One orders.csv of these rows through the door: what was loaded, and the canonical table."""
    client = make_client(folder, settings(orders=orders_export(**more)), orders_csv="\n".join([header, *rows]) + "\n")
    loaded = sources.load(client)
    return loaded, pd.read_parquet(loaded.tables["orders"])


def refused(loaded: sources.Loaded, table: str = "orders") -> pd.DataFrame:
    return pd.read_csv(loaded.refused_dir / f"{table}.csv", dtype=str, keep_default_na=False)


def adds_up(loaded):
    for account in loaded.accounts.values():
        assert account["rows_in"] == account["kept"] + sum(account["refused"].values())
