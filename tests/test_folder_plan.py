from pathlib import Path

from column_samples import file_of, forms_of, orders, proposal_of

from cxkit.presets import matches
from cxkit.proposal import combine, propose

N = range(12)


def with_preset(columns, path):
    return propose(file_of(columns, path), forms_of(columns), preset=matches(list(columns))[0])


def test_months_of_one_export_are_one_table_and_settle_each_others_dates():
    early = orders(Date=[f"0{1 + i % 9}/02/2024" for i in N])  # nothing tells the day from the month
    late = orders(Date=[f"{13 + i}/02/2024" for i in N])
    one, two = proposal_of(early, "2024-02a.csv"), proposal_of(late, "2024-02b.csv")
    assert one.settings["date_format"] == "???"
    plan = combine([two, one])
    assert plan.tables["orders"]["path"] == ["2024-02a.csv", "2024-02b.csv"]
    assert plan.tables["orders"]["date_format"] == "%d/%m/%Y"
    assert plan.evidence["tables.orders.path"].startswith("2 files with the same columns")
    assert plan.left == {}


HEADS = {
    "Order number": [f"A-{i}" for i in range(6)],
    "Customer": [str(7 + i) for i in range(6)],
    "Order date": [f"2024-03-{10 + i}" for i in range(6)],
    "Status": ["Виконано", "Скасовано"] * 3,
}
LINES = {
    "Order": [f"A-{i // 2}" for i in N],
    "SKU": [f"X{i}" for i in N],
    "Quantity": [1 + i % 2 for i in N],
    "Price": [f"{10 + i}.50" for i in N],
}


def test_heads_stand_beside_their_lines():
    plan = combine([proposal_of(HEADS, "orders.csv"), proposal_of(LINES, "lines.csv", delimiter=";")])
    export = plan.tables["orders"]
    assert (export["path"], export["delimiter"]) == (["lines.csv"], ";")
    assert export["join"] == [{"path": "orders.csv", "on": "Order", "key": "Order number"}]
    assert export["columns"] == {
        "order_id": "Order",
        "customer_id": "Customer",
        "ordered_at": "Order date",
        "amount": {"multiply": ["Quantity", "Price"]},
        "quantity": "Quantity",
        "product_id": "SKU",
        "status": "Status",
    }
    assert plan.evidence["tables.orders.join.0.path"] == "6 of 6 order ids of the lines stand in it, each once"
    assert plan.left == {}


def test_money_of_the_heads_is_shared_and_every_column_is_told():
    heads = HEADS | {"Refunded": ["", "3.00"] * 3, "Tax": ["1.00"] * 6, "Mystery": [str(i) for i in range(6)]}
    plan = combine([proposal_of(heads, "orders.csv"), proposal_of(LINES | {"Line no": [1, 2] * 6}, "lines.csv")])
    assert plan.tables["orders"]["columns"]["refund"] == {"share": "Refunded", "by": ["Quantity", "Price"]}
    assert plan.unmapped["orders"] == {
        "Line no": "no meaning found",
        "Tax": "taxes have no column of their own",
        "Mystery": "no meaning found",
    }


def test_columns_without_a_name_are_told():
    found = proposal_of(orders(), names=(*orders(), "", "Twice", "Twice"))
    told = combine([found]).unmapped["orders"]
    assert told["column 7"].startswith("it has no name in the header")
    assert told["Twice"].startswith("stands in the header more than once")


def test_lines_of_other_orders_are_not_joined():
    strange = {**LINES, "Order": [f"B-{i // 2}" for i in N]}
    plan = combine([proposal_of(HEADS, "orders.csv"), proposal_of(strange, "lines.csv")])
    assert "join" not in plan.tables["orders"]
    assert plan.tables["orders"]["columns"]["amount"] == "???"
    assert list(plan.left) == [Path("lines.csv")]


def test_one_file_feeds_a_table_and_the_other_is_told():
    other = {f"{name} ": values for name, values in orders().items() if name != "SKU"}
    plan = combine([proposal_of(orders(), "all.csv"), proposal_of(other, "some.csv")])
    assert plan.tables["orders"]["path"] == ["all.csv"]
    (told,) = plan.left.values()
    assert told.startswith(
        'looks like orders, which all.csv feeds; its columns differ: it lacks "Order number", "Customer"'
    )
    assert told.endswith("the same names in both files and write tables.orders.path: [all.csv, some.csv]")


def test_a_file_that_feeds_nothing_is_told():
    plan = combine([proposal_of({"Latitude": ["1.5"], "Longitude": ["2.5"]}, "map.csv")])
    assert (plan.tables, plan.left) == ({}, {Path("map.csv"): "nothing says which table it feeds"})


def test_nothing_at_all():
    plan = combine([])
    assert (plan.tables, plan.left) == ({}, {})
    assert (plan.settings["currency"], plan.settings["time_zone"]) == ("???", "???")


def test_the_currency_by_a_column_a_name_or_a_mark():
    assert combine([proposal_of(orders(Currency=["PLN"] * 12))]).settings["currency"] == "PLN"
    named = {**orders(), "Ціна, грн": orders()["Unit price"]}
    del named["Unit price"]
    assert combine([proposal_of(named)]).settings["currency"] == "UAH"
    marked = combine([proposal_of({**HEADS, "Line total": [f"{i},50 zł" for i in range(6)]})])
    assert (marked.settings["currency"], marked.tables["orders"]["decimal"]) == ("PLN", ",")
    assert combine([proposal_of({**HEADS, "Line total": [f"${i}.50" for i in range(6)]})]).settings["currency"] == "???"


def test_several_currencies_are_open_and_so_are_their_rates():
    plan = combine([proposal_of(orders(Currency=["UAH", "PLN"] * 6))])
    assert plan.settings["currency"] == "???"
    assert plan.evidence["currency"] == "PLN, UAH stand in the files"
    assert plan.tables["orders"]["currency_column"] == "Currency"
    assert plan.tables["orders"]["rates"] == {"PLN": "???", "UAH": "???"}


def test_the_time_zone_is_asked_for_even_where_every_time_has_an_offset():
    assert combine([proposal_of(orders())]).evidence["time_zone"].startswith("no file says which clock")
    zoned = orders(Date=[f"2024-03-{10 + i} 10:00:00 +0200" for i in N])
    plan = combine([proposal_of(zoned)])
    assert plan.settings["time_zone"] == "???"
    assert plan.evidence["time_zone"].startswith("every time has an offset")


def test_scales_by_metric():
    answers = {
        "Answered": [f"2024-03-{10 + i % 10}" for i in range(80)],
        "Metric": ["nps", "csat"] * 40,
        "Score": [v for i in range(40) for v in (i % 11, 1 + i % 4)],
        "Customer": [str(7 + i) for i in range(80)],
    }
    plan = combine([proposal_of(answers, "survey.csv")])
    assert plan.settings["scales"] == {"nps": [0, 10], "csat": [1, 4]}
    assert plan.evidence["scales.nps"] == "0 to 10 in 40 answers"


def test_orders_by_email_meet_customers_by_id():
    mails = [f"k{i}@example.com" for i in N]
    clients = {"Customer ID": [str(7 + i) for i in N], "Email": mails, "City": ["Kyiv", "Lviv"] * 6}
    bought = {k: v for k, v in orders().items() if k != "Customer"} | {"Email": mails}
    plan = combine([proposal_of(clients, "clients.csv"), proposal_of(bought, "sales.csv")])
    assert plan.settings["persons"] == {
        "path": "clients.csv",
        "id": "Customer ID",
        "person": "Email",
        "lower_case": True,
    }
    assert plan.tables["orders"]["lower_case"] == ["customer_id"]
    assert plan.evidence["persons.person"] == "orders tell customers by e-mail, this file has both"


def test_a_second_id_of_the_same_people():
    clients = {
        "customer_id": [str(i) for i in N],
        "customer_unique_id": [f"p{i // 2}x" for i in N],
        "City": ["Kyiv"] * 12,
    }
    plan = combine([proposal_of(clients, "clients.csv")])
    assert plan.settings["persons"] == {"path": "clients.csv", "id": "customer_id", "person": "customer_unique_id"}


def test_a_presets_files_stand_beside_each_other():
    items = {
        "order_id": [f"o{i // 2}" for i in N],
        "order_item_id": [1 + i % 2 for i in N],
        "product_id": [f"p{i}" for i in N],
        "seller_id": ["s1"] * 12,
        "price": [f"{i}.50" for i in N],
        "freight_value": ["1.00"] * 12,
    }
    heads = {
        "order_id": [f"o{i}" for i in range(6)],
        "customer_id": [f"c{i}" for i in range(6)],
        "order_status": ["delivered"] * 6,
        "order_purchase_timestamp": ["2018-05-21 01:15:00"] * 6,
        "order_approved_at": ["2018-05-21 06:15:00"] * 6,
        "order_delivered_carrier_date": [""] * 6,
        "order_delivered_customer_date": [""] * 6,
        "order_estimated_delivery_date": ["2018-06-03"] * 6,
    }
    both = combine([with_preset(items, "items.csv"), with_preset(heads, "heads.csv")])
    assert both.tables["orders"]["join"] == [{"path": "heads.csv", "on": "order_id"}]
    assert both.tables["orders"]["columns"]["ordered_at"] == "order_purchase_timestamp"
    assert both.evidence["tables.orders.join.0.path"] == "preset olist_orders"
    assert both.left == {}
    alone = combine([with_preset(items, "items.csv")])
    assert alone.tables["orders"]["columns"]["ordered_at"] == "???"
    assert "join" not in alone.tables["orders"]
    only_heads = combine([with_preset(heads, "heads.csv")])
    assert list(only_heads.left) == [Path("heads.csv")]


def test_one_file_may_feed_two_tables():
    hits = {
        "action_name": ["click", "", "click", ""] * 3,
        "query_id": [f"q{i}" for i in N],
        "client_id": [f"c{i}" for i in N],
        "query_response_id": [f"r{i}" for i in N],
        "user_query": ["", "red shoes", "", "blue hat"] * 3,
        "timestamp": ["2024-12-10T00:01:29.378Z"] * 12,
    }
    file, forms = file_of(hits, "ubi.ndjson"), forms_of(hits)
    both = [propose(file, forms, preset=m) for m in matches(list(hits))]
    assert {p.table for p in both} == {"events", "searches"}
    plan = combine(both)
    assert (plan.tables["events"]["path"], plan.tables["searches"]["path"]) == (["ubi.ndjson"], ["ubi.ndjson"])
    assert plan.left == {}


def test_a_header_without_rows_waits_for_its_rows():
    """Mapped as it stands it would end every reading."""
    empty = {name: [] for name in HEADS}
    plan = combine([proposal_of(orders(), "2026-01.csv"), proposal_of(empty, "2026-02.csv")])
    assert plan.tables["orders"]["path"] == ["2026-01.csv"]
    assert list(plan.left) == [Path("2026-02.csv")]
    assert plan.left[Path("2026-02.csv")].startswith("it has a header but no rows")


def test_a_file_of_a_preset_says_which_file_it_waits_for():
    there = {"order_id": ["o1"], "customer_id": ["c1"], "order_status": ["delivered"],
             "order_purchase_timestamp": ["2018-01-10 10:00:00"],
             "order_estimated_delivery_date": ["2018-01-20 00:00:00"]}  # fmt: skip
    told = combine([with_preset(there, "heads.csv")]).left[Path("heads.csv")]
    assert told == "preset olist_orders: serves only beside olist_order_items or olist_order_reviews, which is not here"
    sellers = {"seller_id": ["s1"], "seller_zip_code_prefix": ["1"], "seller_city": ["x"], "seller_state": ["SP"]}
    assert combine([with_preset(sellers, "s.csv")]).left[Path("s.csv")] == "preset olist_sellers: no table needs it"


def test_files_that_repeat_each_other_are_told():
    """Overlapping exports, and one export twice with its times written in another way."""
    first = orders(Comment=[f"word {i}" for i in N])
    half = {name: values[6:] for name, values in first.items()}
    path = combine([proposal_of(first, "a.csv"), proposal_of(half, "b.csv")]).evidence["tables.orders.path"]
    assert path == "2 files with the same columns; 6 of 6 records of b.csv stand in an earlier file too"
    again = {**first, "Date": [f"2024-03-{20 + i // 2 % 8} 10:0{i // 2 % 10}" for i in N]}
    path = combine([proposal_of(first, "a.csv"), proposal_of(again, "b.csv")]).evidence["tables.orders.path"]
    assert path.endswith("12 of 12 records of b.csv stand in an earlier file but for their times: one export twice?")
    other = {**again, "Comment": [f"another {i}" for i in N]}
    path = combine([proposal_of(first, "a.csv"), proposal_of(other, "b.csv")]).evidence["tables.orders.path"]
    assert path == "2 files with the same columns"
