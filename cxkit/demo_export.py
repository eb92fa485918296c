"""The raw files as the shop, the help desk and the survey tool export them: their own columns, words and dates."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxkit.demo_orders import PRODUCTS_A_CATEGORY
from cxkit.demo_plan import Streams, labelled
from cxkit.demo_write import Columns, counts, ids, money, soil, stamps, words, yes_no

STATUS = {
    "completed": "Виконано",
    "under_way": "В дорозі",
    "returned": "Повернено",
    "partly_returned": "Частково повернено",
    "cancelled": "Скасовано",
}
BROKEN = ["00.00.0000", "2025-02-30 10:15:00", "#####", "2026-13-01 09:00:00", "вчора"]
FEES = {-1: ("DELIVERY", "Delivery"), -2: ("GIFTWRAP", "Gift wrap")}


def _dirty(plan: dict, rng: Streams, table: str, columns: Columns, time: str) -> Columns:
    n, dirt = len(columns[time]), plan["dirt"]
    return soil(
        columns,
        time=time,
        duplicates=rng(f"{table}.duplicate").random(n) < dirt["duplicates"],
        broken=rng(f"{table}.broken").random(n) < dirt["broken_dates"],
        broken_texts=BROKEN,
    )


def export_catalogue(goods: pd.DataFrame) -> Columns:
    """catalogue.csv: one row a product."""
    return {
        "SKU": words(pd.Categorical(goods["sku"])),
        "Name": words(pd.Categorical(goods["product"])),
        "Section": words(pd.Categorical(goods["category"])),
        "Department": words(pd.Categorical(goods["parent"])),
        "Price": money(goods["price"]),
        "Purchase price": money(goods["cost"]),
    }


def export_orders(plan: dict, rng: Streams, placed: pd.DataFrame, lines: pd.DataFrame, goods: pd.DataFrame) -> Columns:
    """orders.csv: one row an order line, as the shop exports it, with the planted dirt."""
    row = lines["order_row"].to_numpy()
    order = placed.iloc[row]
    product = lines["product"].to_numpy()
    fees = [FEES[code] for code in sorted(FEES)]  # codes -2 and -1 pick from the end
    at = np.where(product < 0, len(goods) + len(fees) + product, product)
    categories = list(plan["categories"])
    columns = {
        "Order number": ids(order["order"], "MA-"),
        "Customer": ids(order["customer"]),
        "Created at": stamps(order["created"]),
        "SKU": words(labelled(at, [*goods["sku"], *(f[0] for f in fees)])),
        "Product": words(pd.Categorical.from_codes(*_unique([*goods["product"], *(f[1] for f in fees)], at))),
        "Category": words(labelled(np.where(product < 0, -1, product // PRODUCTS_A_CATEGORY), categories)),
        "Quantity": counts(lines["quantity"]),
        "Unit price": money(lines["price"]),
        "Discount": money(lines["discount"]),
        "Line total": money(lines["amount"]),
        "Goods cost": money(lines["cost"]),
        "Sales channel": words(order["channel"]),
        "Payment": words(order["payment"]),
        "Delivery": words(order["delivery"]),
        "Status": words(lines["status"], STATUS),
        "Refunded": money(lines["refund"]),
        "Reason": words(lines["reason"]),
        "Promised": stamps(order["promised"]),
        "Delivered": stamps(order["delivered"]),
        "Coupon": words(labelled(np.where(order["coupon"], 0, -1), ["MALIUK10"])),
        "First touch": words(order["first_touch"]),
    }
    return _dirty(plan, rng, "orders", columns, "Created at")


def _unique(labels: list[str], codes: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Codes and labels with no label twice, as a categorical needs them."""
    names = list(dict.fromkeys(labels))
    place = {name: i for i, name in enumerate(names)}
    return np.array([place[label] for label in labels])[codes], names


def export_customers(people: pd.DataFrame, joined: np.ndarray) -> Columns:
    """customers.csv: one row a customer, but for those left out on purpose. `joined`: when each made the account."""
    frame = people.assign(joined=joined)[people["known"].to_numpy()]
    return {
        "ID": ids(frame["customer"]),
        "Registered": stamps(frame["joined"], "%d.%m.%Y %H:%M"),
        "E-mail": _addresses(frame["customer"]),
        "Country": words(frame["country"]),
        "City": words(frame["city"]),
        "Language": words(frame["language"]),
        "Newsletter": yes_no(frame["consent"]),
        "Invited by": ids(frame["referred_by"]),
        "Came by": words(frame["acquisition"]),
        "Cost of winning": money(frame["cost"]),
        "Label": words(labelled(np.where(frame["club"], 0, -1), ["club"])),
    }


def _addresses(numbers: pd.Series) -> pa.Array:
    """E-mail addresses that cannot exist (RFC 2606 keeps example.com free); the kit has to leave them out."""
    return pc.binary_join_element_wise(ids(numbers, "k"), "example.com", "@")
