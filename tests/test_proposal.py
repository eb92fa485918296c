import random

import pytest
from column_samples import file_of, forms_of, orders, proposal_of
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.mapping import Export
from cxkit.presets import matches
from cxkit.proposal import propose, raws

N = range(12)
DAYS = [f"2024-03-{10 + i}" for i in N]
IDS = [str(7000 + i) for i in N]
PIECES = [1 + i % 3 for i in N]
SUMS = [f"{10 + 7 * i}.50" for i in N]
NAMES = [f"{first} {last}" for first in ("Ann", "Bob", "Eve") for last in ("Bee", "Cee", "Dee", "Fee")]
MAILS = [f"k{i}@example.com" for i in N]
PHONES = [f"+38067123456{i % 10}" for i in N]
CODES = [f"S-{i:03d}" for i in N]

# header rows of exports seen in public repositories, and what of them is what
SEEN = {
    "superstore": (
        {
            "Row ID": N, "Order ID": [f"CA-2016-{152156 + i // 2}" for i in N], "Order Date": DAYS, "Ship Date": DAYS,
            "Ship Mode": ["Second Class", "First Class"] * 6, "Customer ID": CODES, "Customer Name": NAMES,
            "Segment": ["Consumer", "Corporate"] * 6, "Country": ["United States"] * 12, "Product ID": CODES,
            "Category": ["Furniture", "Technology"] * 6, "Sub-Category": ["Chairs", "Phones"] * 6,
            "Product Name": NAMES, "Sales": SUMS, "Quantity": PIECES, "Discount": ["0.2", "0", "0.45"] * 4,
            "Profit": [f"{v}.25" for v in N],
        },
        "orders",
        {
            "order_id": "Order ID", "ordered_at": "Order Date", "delivery": "Ship Mode", "customer_id": "Customer ID",
            "product_id": "Product ID", "category": "Category", "product": "Product Name", "amount": "Sales",
            "quantity": "Quantity",
        },
    ),
    "polish shop": (
        {
            "Numer zamówienia": CODES, "Data": [f"{13 + i}.03.2024, 10:00:00" for i in N], "Klient": NAMES,
            "Telefon": PHONES, "Email": MAILS, "Dostawa": ["kurier", "paczkomat"] * 6, "Ilość": PIECES,
            "Kwota PLN": SUMS, "Płatność": ["blik", "karta"] * 6, "Status": ["Zrealizowane", "Anulowane"] * 6,
            "Nr przesyłki": CODES,
        },
        "orders",
        {
            "order_id": "Numer zamówienia", "ordered_at": "Data", "customer_id": "Email", "delivery": "Dostawa",
            "quantity": "Ilość", "amount": "Kwota PLN", "payment": "Płatność", "status": "Status",
        },
    ),
    "a warehouse": (
        {
            "order_id": IDS, "customer_id": CODES, "order_date": DAYS, "product_name": NAMES,
            "category": ["Footwear", "Fitness"] * 6, "quantity": PIECES, "total_amount": SUMS,
            "shipping_state": ["TX", "CA"] * 6,
        },
        "orders",
        {
            "order_id": "order_id", "customer_id": "customer_id", "ordered_at": "order_date",
            "product": "product_name", "category": "category", "quantity": "quantity", "amount": "total_amount",
        },
    ),
    "an admin's page": (
        {"ID Замовлення": IDS, "Клієнт": CODES, "Дата замовлення": DAYS, "Сума": SUMS},
        "orders",
        {"order_id": "ID Замовлення", "customer_id": "Клієнт", "ordered_at": "Дата замовлення", "amount": "Сума"},
    ),
    "its customers": (
        {"CUSTOMER_ID": IDS, "FIRST_NAME": NAMES, "LAST_NAME": NAMES, "EMAIL": MAILS, "SIGNUP_DATE": DAYS},
        "customers",
        {"customer_id": "CUSTOMER_ID", "joined_at": "SIGNUP_DATE"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_headers_seen_elsewhere(name):
    columns, table, expected = SEEN[name]
    found = proposal_of(columns)
    assert found.table == table
    assert found.settings["columns"] == expected


def test_an_export_of_order_lines():
    found = proposal_of(orders())
    assert found.table == "orders"
    assert found.settings == {
        "date_format": "%d.%m.%Y %H:%M",
        "columns": {
            "order_id": "Order number",
            "customer_id": "Customer",
            "ordered_at": "Date",
            "amount": {"multiply": ["Quantity", "Unit price"]},
            "quantity": "Quantity",
            "product_id": "SKU",
        },
    }
    assert (
        found.evidence["columns.ordered_at"]
        == '"Date": dd.mm.yyyy hh:mm, 100 % of 12 filled; 12 of them only day first'
    )
    assert found.evidence["columns.amount"] == '"Quantity" × "Unit price": no column has a line\'s total'
    assert found.unmapped == {}


def test_a_file_that_is_nothing_feeds_nothing():
    found = proposal_of({"Latitude": ["1.5", "2.5"], "Longitude": ["3.5", "4.5"]})
    assert (found.table, found.settings) == (None, {})
    assert found.unmapped == {"Latitude": "no meaning found", "Longitude": "no meaning found"}


def test_the_names_of_a_file_decide_where_columns_do_not():
    columns = {"ID": IDS, "Created": DAYS}
    assert proposal_of(columns, "clients.csv").table == "customers"
    assert proposal_of(columns, "export.csv").table is None


def test_a_preset_goes_before_names_and_values():
    columns = {
        "Name": [f"#{1001 + i}" for i in N],
        "Email": MAILS,
        "Created at": [f"{day} 10:00:00 -0500" for day in DAYS],
        "Financial Status": ["paid", "odd word"] * 6,
        "Currency": ["USD"] * 12,
        "Subtotal": SUMS,
        "Total": SUMS,
        "Lineitem name": NAMES,
        "Lineitem quantity": PIECES,
        "Lineitem price": SUMS,
        "Refunded Amount": ["0.00"] * 12,
    }
    match = next(m for m in matches(list(columns)) if m.preset.name == "shopify_orders")
    found = propose(file_of(columns), forms_of(columns), preset=match)
    assert (found.table, found.preset) == ("orders", "shopify_orders")
    assert found.settings["columns"]["order_id"] == "Name"
    assert found.settings["values"]["status"]["odd word"] == "???"
    assert found.settings["values"]["status"]["paid"] == "completed"
    assert found.evidence["columns.ordered_at"].startswith('preset shopify_orders; "Created at": ISO')


def test_the_order_of_columns_makes_no_difference():
    columns = orders(Status=["Виконано", "Скасовано"] * 6, Currency=["UAH"] * 12, Total=SUMS)
    shuffled = list(columns.items())
    random.Random(3).shuffle(shuffled)
    assert proposal_of(dict(shuffled)).settings == proposal_of(columns).settings


WORDS = [
    "Order number",
    "Дата",
    "Сума",
    "Klient",
    "Score",
    "Why?",
    "x",
    "Status",
    "Ціна",
    "Qty",
    "Email",
    "Query",
    "Time",
]
VALUES = [
    "1",
    "2,5",
    "3.75",
    "2024-03-01",
    "01/02/2024",
    "yes",
    "A-1",
    "ann@example.com",
    "",
    "слово",
    "'7.0",
    "NA",
    "85 %",
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_column_is_used_twice_and_what_is_not_open_is_valid(data):
    names = data.draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=7, unique=True))
    columns = {n: data.draw(st.lists(st.sampled_from(VALUES), min_size=6, max_size=6)) for n in names}
    found = proposal_of(columns)
    mapped = [s for s in found.settings.get("columns", {}).values() if isinstance(s, str) and s != "???"]
    assert len(mapped) == len(set(mapped))
    assert set(raws(found.settings)) <= set(names)
    assert set(raws(found.settings)) | set(found.unmapped) >= set(names) if found.table is None else True
    assert not set(mapped) & set(found.unmapped)
    if found.table and "???" not in str(found.settings):
        Export.model_validate({"path": "export.csv", **found.settings})


def test_names_that_any_list_has_name_no_table():
    people = {"id": ["1", "2", "3"], "name": ["Paul", "John", "George"]}
    assert proposal_of(people, "list.csv").table is None
    assert proposal_of(people, "products.csv").table == "catalogue"  # the file's own name says it
    offices = {"id": ["a1", "a2"], "name": ["Office A", "Office B"], "tags": ["x", ""], "url": ["x.nz", "y.nz"],
               "parent": ["p", "q"], "image": ["1.png", "2.png"], "abbreviation": ["A", "B"]}  # fmt: skip
    assert proposal_of(offices, "offices.csv").table is None


def test_a_preset_that_keeps_equal_lines_says_so():
    lines = {"Name": ["#1"] * 3, "Created at": ["2026-01-02 10:00:00 +0200", "", ""], "Currency": ["UAH", "", ""],
             "Lineitem name": ["Cup", "Mug", "Mug"], "Total": ["30.00", "", ""],
             "Lineitem quantity": ["1", "1", "1"]}  # fmt: skip
    found = propose(file_of(lines), forms_of(lines), preset=matches(list(lines))[0])
    assert found.settings["duplicates"] == "keep"
    assert found.evidence["duplicates"] == (
        "preset shopify_orders: equal records are not one; 1 of 3 records seen repeat an earlier one in every column"
    )


def test_orders_with_a_column_of_remarks_are_orders():
    found = proposal_of(orders(Comment=[f"word {i}" for i in range(12)]), "export.csv")
    assert found.table == "orders"
    assert found.others[0][0] == "reviews"
