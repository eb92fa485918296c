"""The door: which day counts as the last, what repeats, who is unknown."""

from datetime import date

import pandas as pd
import pytest
from sources_client import GOOD, HEADER, load_orders, make_client, orders_export, settings

from cxkit import order_notes, sources
from cxkit.errors import DataError, UsageError


def test_a_row_dated_2099_is_refused_and_never_followed(tmp_path):
    rows = [f"{i},a,2024-03-{1 + i % 28:02d},10,1,X" for i in range(200)]
    loaded, _ = load_orders(tmp_path, *rows, "999,a,2099-01-01,10,1,X")
    assert loaded.as_of == date(2024, 3, 28)
    assert loaded.accounts["orders"]["refused"] == {"after as_of": 1}
    assert loaded.accounts["orders"]["left_out"] == 0
    assert loaded.accounts["orders"]["notes"][0].startswith(
        "as_of is 2024-03-28, the last day with orders: 1 rows stand"
    )


def test_rows_after_a_set_as_of_are_left_out_without_closing_the_gate(tmp_path):
    client = make_client(
        tmp_path, settings(orders=orders_export(max_refused_share=0.05)), orders_csv="\n".join([HEADER, *GOOD])
    )
    loaded = sources.load(client, as_of="2024-03-01")
    assert (loaded.as_of, loaded.accounts["orders"]["kept"]) == (date(2024, 3, 1), 1)
    assert loaded.accounts["orders"]["refused"] == {"after as_of": 2}
    assert loaded.accounts["orders"]["left_out"] == 2  # by a rule of the client's
    with pytest.raises(DataError, match="as_of 2023-01-01 is before the first order, which is of 2024-03-01"):
        sources.load(client, as_of="2023-01-01")
    with pytest.raises(UsageError, match="'2023-02-30' is no date"):
        sources.load(client, as_of="2023-02-30")


def test_what_comes_within_a_year_after_the_last_sale_is_left_out_and_told(tmp_path):
    contacts = {"path": "contacts.csv", "columns": {"contact_id": "ID", "opened_at": "At"}, "max_refused_share": 0.3}
    days = ["2024-03-01", "2024-03-06", "2024-04-01", "2025-03-06", "2025-03-07"]
    client = make_client(
        tmp_path,
        settings(orders=orders_export(max_refused_share=0.0), contacts=contacts),
        orders_csv="\n".join([HEADER, *GOOD, "3,a,2024-03-09,-30,-3,X"]),
        contacts_csv="ID,At\n" + "".join(f"{i},{day}\n" for i, day in enumerate(days)),
    )
    loaded = sources.load(client)
    assert loaded.as_of == date(2024, 3, 5)
    assert loaded.accounts["orders"]["kept"] == 3
    assert (
        "1 return lies after 2024-03-05, the last day with a sale (until 2024-03-09): left out, and no fault. To count"
        " it, set as_of to that day in client.yml." in loaded.accounts["orders"]["notes"]
    )
    account = loaded.accounts["contacts"]
    assert account["refused"] == {"later than the last sale (as_of: latest)": 3, "after as_of": 1}
    assert (account["kept"], account["left_out"]) == (1, 3)  # the one of over a year later is a fault
    assert any(note.startswith("3 records lie after 2024-03-05") for note in account["notes"])
    assert sources.load(client, as_of="2025-03-07").accounts["contacts"]["kept"] == 5


def test_duplicates_may_be_kept(tmp_path):
    loaded, orders = load_orders(tmp_path, GOOD[0], GOOD[0], duplicates="keep")
    assert len(orders) == 2
    assert loaded.accounts["orders"]["seen"]["exact_duplicates"] == 1


def test_orphans_are_kept_and_told_and_a_customer_given_twice_is_refused(tmp_path):
    customers = {"path": "customers.csv", "columns": {"customer_id": "ID", "city": "City"}, "max_refused_share": 1}
    client = make_client(
        tmp_path,
        settings(orders=orders_export(), customers=customers),
        orders_csv="\n".join([HEADER, *GOOD]),
        customers_csv="ID,City\na,Kyiv\na,Lviv\n",
    )
    loaded = sources.load(client)
    assert loaded.accounts["orders"]["kept"] == 3
    assert "1 lines name 1 customers whom the table customers lacks; kept." in loaded.accounts["orders"]["notes"]
    assert loaded.accounts["customers"]["refused"] == {"customer_id stands in an earlier record": 1}
    orders, known = (pd.read_parquet(loaded.tables[t]) for t in ("orders", "customers"))
    assert orders.customer_id[0] == known.customer_id[0]


def test_orders_without_a_column_of_customers_say_what_cannot_be_told(tmp_path):
    own = orders_export()
    own["columns"].pop("customer_id")
    loaded = sources.load(make_client(tmp_path, settings(orders=own), orders_csv="\n".join([HEADER, *GOOD]) + "\n"))
    assert loaded.accounts["orders"]["notes"] == [order_notes.NO_CUSTOMERS]
    assert "tables.orders.columns.customer_id" in order_notes.NO_CUSTOMERS
