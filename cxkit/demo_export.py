"""The raw files as the shop, the help desk and the survey tool export them: their own columns, words and dates."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxkit.demo_orders import PRODUCTS_A_CATEGORY
from cxkit.demo_plan import Streams, labelled
from cxkit.demo_write import Columns, counts, ids, money, soil, stamps, take, texts, words, yes_no

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


def export_events(
    plan: dict, rng: Streams, visits: pd.DataFrame, touches: pd.DataFrame, queries: pd.DataFrame
) -> Columns:
    """events.csv: one row a touch, as the analytics tool exports it, in order of time."""
    visit = visits.iloc[touches["visit"].to_numpy()]
    asked = np.full(len(touches), -1)
    asked[queries["touch"].to_numpy()] = queries["query"].to_numpy()
    placed = np.where(touches["touchpoint"] == "order_placed", visit["order"], -1)
    columns = {
        "Visit": ids(visit["session"], "v"),
        "Client ID": ids(visit["customer"]),
        "Time": stamps(touches["time"], "%Y-%m-%dT%H:%M:%S"),
        "Page": words(touches["touchpoint"]),
        "Platform": yes_no(visit["app"], ("web", "app")),
        "Device": words(visit["device"]),
        "Source": words(visit["source"]),
        "Transaction": ids(placed, "MA-"),
        "Query no": ids(asked, "q"),
    }
    order = np.argsort(touches["time"].to_numpy(), kind="stable")
    return _dirty(plan, rng, "events", take(columns, order), "Time")


def export_searches(
    plan: dict, rng: Streams, visits: pd.DataFrame, touches: pd.DataFrame, queries: pd.DataFrame
) -> Columns:
    """searches.csv: one row a query, in order of time."""
    touch = touches.iloc[queries["touch"].to_numpy()]
    visit = visits.iloc[touch["visit"].to_numpy()]
    columns = {
        "Time": stamps(touch["time"], "%Y-%m-%dT%H:%M:%S"),
        "Query no": ids(queries["query"], "q"),
        "Query": texts(queries["text"]),
        "Visit": ids(visit["session"], "v"),
        "Client ID": ids(visit["customer"]),
        "Hits": counts(queries["results"]),
        "Clicked": yes_no(queries["clicked"], ("false", "true")),
        "Device": words(visit["device"]),
    }
    order = np.argsort(touch["time"].to_numpy(), kind="stable")
    return _dirty(plan, rng, "searches", take(columns, order), "Time")


def export_surveys(plan: dict, rng: Streams, answers: pd.DataFrame) -> Columns:
    """surveys.csv: one row an answer, as the survey tool exports it."""
    columns = {
        "Answered": stamps(answers["answered"]),
        "Question": words(pd.Categorical(answers["metric"])),
        "Answer": counts(answers["score"]),
        "Survey": texts(answers["survey"]),
        "Customer": ids(answers["customer"]),
        "Order": ids(answers["order"], "MA-"),
        "Item": words(answers["item"]),
        "About": words(answers["touchpoint"]),
        "Comment": texts(answers["comment"].where(answers["comment"].notna(), None)),
        "Discount promised": yes_no(answers["incentive"]),
        "Sent": stamps(answers["asked"]),
    }
    return _dirty(plan, rng, "surveys", columns, "Answered")


def export_invitations(sent: pd.DataFrame) -> Columns:
    """invitations.csv: one row a person asked to answer."""
    return {
        "Sent": stamps(sent["invited"]),
        "Survey": texts(sent["survey"]),
        "Customer": ids(sent["customer"]),
        "Discount promised": yes_no(sent["incentive"]),
    }


def export_reviews(written: pd.DataFrame, goods: pd.DataFrame) -> Columns:
    """reviews.csv: one row a public review."""
    product = written["product"].to_numpy().astype(np.int64)
    return {
        "Date": stamps(written["written"], "%d.%m.%Y %H:%M"),
        "Stars": counts(written["rating"]),
        "Review": texts(written["text"]),
        "SKU": words(labelled(product, list(goods["sku"]))),
        "Section": words(pd.Categorical(goods["category"].to_numpy()[product])),
        "Site": words(written["source"]),
        "Customer": ids(written["customer"]),
        "Our reply": stamps(written["replied"], "%d.%m.%Y %H:%M"),
    }


def export_contacts(plan: dict, rng: Streams, opened: pd.DataFrame) -> Columns:
    """contacts.csv: one row a ticket, as the help desk exports it (semicolons, decimal commas, day first)."""
    clock = "%d.%m.%Y %H:%M:%S"
    columns = {
        "Ticket": ids(opened["contact"], "T-"),
        "Opened": stamps(opened["opened"], clock),
        "Customer": ids(opened["customer"]),
        "Order": ids(opened["order"], "MA-"),
        "Channel": words(opened["channel"]),
        "Reason": words(opened["reason"]),
        "Message": texts(opened["text"]),
        "First reply": stamps(opened["first_answer"], clock),
        "Solved": stamps(opened["solved"], clock),
        "Reply due": stamps(opened["promised_answer"], clock),
        "Solution due": stamps(opened["promised_solution"], clock),
        "Rating": counts(opened["satisfaction"].to_numpy()),
        "Cost": money(opened["cost"], decimal=","),
    }
    return _dirty(plan, rng, "contacts", columns, "Opened")
