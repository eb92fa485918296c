"""The committed demo as its raw files say it, read with pandas alone: for the tests that look for the planted truth."""

import functools
from pathlib import Path

import pandas as pd
import yaml

DEMO = Path(__file__).parents[1] / "data" / "demo"
CLOCK = {"contacts": "%d.%m.%Y %H:%M:%S", "reviews": "%d.%m.%Y %H:%M", "customers": "%d.%m.%Y %H:%M"}


@functools.cache
def truth() -> dict:
    return yaml.safe_load((DEMO / "truth.yml").read_text(encoding="utf-8"))


def raw(name: str, folder: Path = DEMO) -> pd.DataFrame:
    """An export, all text, as it lies there."""
    path = next((folder / "exports").glob(f"{name}.csv*"))
    return pd.read_csv(path, dtype=str, keep_default_na=False, sep=";" if name == "contacts" else ",")


@functools.cache
def clean(name: str, time: str) -> pd.DataFrame:
    """An export without duplicates and broken dates, its time parsed."""
    frame = raw(name).drop_duplicates()
    frame["time"] = pd.to_datetime(frame[time], format=CLOCK.get(name, "ISO8601"), errors="coerce")
    return frame[frame["time"].notna()].reset_index(drop=True)


@functools.cache
def lines() -> pd.DataFrame:
    """Order lines that are goods of orders not cancelled, with each order's group and number for its customer."""
    frame = clean("orders", "Created at")
    frame = frame[~frame["SKU"].isin(["DELIVERY", "GIFTWRAP"]) & (frame["Status"] != "Скасовано")]
    frame = frame.assign(amount=frame["Line total"].astype(float), goods=frame["Quantity"].astype(int))
    frame["group"] = frame["Customer"].map(groups())
    first = frame.groupby("Order number").agg(customer=("Customer", "first"), time=("time", "min")).sort_values("time")
    frame["nth"] = frame["Order number"].map(first.groupby("customer").cumcount() + 1)
    return frame


@functools.cache
def groups() -> pd.Series:
    """Each customer's planted group."""
    frame = pd.read_csv(DEMO / "truth_customers.csv.gz", dtype={"customer": str})
    return frame.set_index("customer")["group"]


@functools.cache
def orders() -> pd.DataFrame:
    """One row an order of a customer: group, nth, time, goods, categories, amount and its habits."""
    frame = lines()[lines()["Customer"] != ""]
    return frame.groupby("Order number").agg(
        customer=("Customer", "first"),
        group=("group", "first"),
        nth=("nth", "first"),
        time=("time", "min"),
        goods=("goods", "sum"),
        categories=("Category", "nunique"),
        amount=("amount", "sum"),
        channel=("Sales channel", "first"),
        payment=("Payment", "first"),
        delivery=("Delivery", "first"),
        coupon=("Coupon", "first"),
        promised=("Promised", "first"),
        delivered=("Delivered", "first"),
    )
