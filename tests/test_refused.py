"""What was refused, and why: every row with its record, value and reason."""

import pandas as pd
import pytest
from sources_client import GOOD, HEADER, adds_up, load_orders, make_client, orders_export, refused, settings

from cxkit import refused as refused_rows
from cxkit import sources
from cxkit.errors import DataError
from cxkit.settings_file import key_lines


def test_each_kind_of_dirt_is_refused_with_its_own_reason(tmp_path):
    loaded, _ = load_orders(
        tmp_path,
        *GOOD,
        GOOD[0],
        ",a,2024-03-01,10,1,X",
        "5,a,soon,10,1,X",
        "6,a,2024-03-01,ten,1,X",
        "7,a,2024-03-01,10,1,POST",
        "8,a,2024-03-01,0,1,X",
        "9,a,2024-03-01",
        "10,a,2024-03-01,10,1,X,more",
        "11,,2024-03-01,10,1,X",
        "12,a,2024-03-01,10,many,X",
        not_goods=["POST"],
    )
    adds_up(loaded)
    found = {(r.record, r.column, r.value): r.reason for r in refused(loaded).itertuples()}
    assert found == {
        ("4", "", ""): "exact duplicate of an earlier record",
        ("5", "Order", ""): "order_id missing",
        ("6", "Date", "soon"): "ordered_at not readable as ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)",
        ("7", "Total", "ten"): "amount not readable as a number with the decimal mark '.'",
        ("8", "SKU", "POST"): "no goods (not_goods in client.yml)",
        ("9", "Total", "0"): "amount not above zero",
        ("10", "", "9,a,2024-03-01"): "record has fewer cells than the header",
        ("11", "", "10,a,2024-03-01,10,1,X,more"): "record has more cells than the header",
    }
    account = loaded.accounts["orders"]
    assert (account["rows_in"], account["left_out"]) == (13, 1)  # the client's rule leaves out the post
    assert "1 values of quantity not readable; left empty." in account["notes"]
    assert any(n.startswith("1 lines without a customer") for n in account["notes"])
    assert account["seen"] == {"exact_duplicates": 1, "returns": 0, "without_customer": 1, "customers": 2}


def test_the_record_number_counts_torn_records_and_skips_empty_lines(tmp_path):
    loaded, _ = load_orders(tmp_path, "torn", "", GOOD[0], "torn,too", "", "9,a,2024-03-01,bad,1,X", GOOD[1])
    assert refused(loaded)[["record", "value"]].values.tolist() == [["1", "torn"], ["3", "torn,too"], ["4", "bad"]]
    assert loaded.accounts["orders"]["rows_in"] == 5


def test_several_files_are_one_table_and_each_names_its_refused_rows(tmp_path):
    client = make_client(
        tmp_path,
        settings(orders=orders_export(path=["a.csv", "b.csv"])),
        a_csv="\n".join([HEADER, *GOOD]),
        b_csv="SKU,Order,Customer,Date,Total,Qty\nX,1,a,2024-03-01,10,1\nX,9,a,never,10,1",
    )
    loaded = sources.load(client)
    assert refused(loaded)[["file", "record", "reason"]].values.tolist() == [
        ["b.csv", "1", "exact duplicate of an earlier record"],
        ["b.csv", "2", "ordered_at not readable as ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)"],
    ]


def test_the_gate_counts_the_reasons_the_commonest_first_and_leaves_the_rows_to_look_at(tmp_path):
    rows = [*GOOD, "4,a,bad,1,1,X", "5,a,worse,1,1,X", "6,a,2024-03-01,0,1,X"]
    client = make_client(
        tmp_path, settings(orders=orders_export(max_refused_share=0.05)), orders_csv="\n".join([HEADER, *rows])
    )
    with pytest.raises(DataError) as error:
        sources.load(client)
    told = str(error.value)
    assert "table 'orders': 3 of 6 records refused (50.0 %); 5 % are allowed." in told
    assert told.index("2 × ordered_at not readable") < told.index("1 × amount not above zero")
    assert "raise tables.orders.max_refused_share" in told
    assert len(pd.read_csv(tmp_path / "private/refused/orders.csv")) == 3
    assert not list((tmp_path / "private/cache").iterdir())


def test_hostile_text_passes_as_data_and_runs_nowhere(tmp_path):
    loaded, orders = load_orders(tmp_path, "1,<script>,2024-03-01,10,1,=1+1", "2,b,=cmd(),10,1,X")
    assert orders.product_id.tolist() == ["=1+1"]
    assert orders.customer_id.str.fullmatch("[a-z2-7]{13}").all()
    assert refused(loaded).value.tolist() == ["'=cmd()"]


def stopped(folder, *rows, **more):
    """What is told where the gate closes."""
    client = make_client(
        folder, settings(orders=orders_export(max_refused_share=0.0, **more)), orders_csv="\n".join([HEADER, *rows])
    )
    with pytest.raises(DataError) as error:
        sources.load(client)
    return client, str(error.value)


def test_the_gate_shows_records_and_the_line_of_client_yml(tmp_path):
    rows = [*GOOD, "4,a,bad,1,1,X", "5,a,worse,1,1,X", "6,a,worst,1,1,X", "7,a,odd,1,1,X", "8,a,2024-03-01,1.5.2,1,X"]
    client, _ = stopped(tmp_path, *rows, decimal=".")
    counts = {
        "ordered_at not readable as ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)": 4,
        "amount not readable as a number with the decimal mark '.'": 1,
    }
    accounts = {"orders": {"rows_in": 8, "kept": 3, "refused": counts, "left_out": 0, "notes": []}}
    shown = refused_rows.examples(client.private / "refused", accounts, {"orders": 0.0})
    lines = key_lines(client.folder / "client.yml")
    told = refused_rows.gate(accounts, {"orders": 0.0}, folder=client.private, lines=lines, examples=shown)[0]
    assert "4 × ordered_at not readable" in told
    assert "orders.csv, record 4, column 'Date': 'bad'" in told
    assert "record 6" in told
    assert "record 7" not in told  # three are enough
    assert f"client.yml, line {lines['tables.orders']}: add date_format.ordered_at under tables.orders." in told
    assert f"client.yml, line {lines['tables.orders.decimal']}: tables.orders.decimal." in told
    assert refused_rows.examples(tmp_path, accounts, {"orders": 1.0}) == {}


def test_nothing_personal_and_nothing_hostile_is_shown_of_a_record(tmp_path):
    path = tmp_path / "customers.csv"
    rows = [
        ["c.csv", "1", "Mail", "ann@shop.ua", "customer_id stands in an earlier record"],
        ["c.csv", "2", "At\x1b[31m", "call +380 67 123 45 67\nnow \u202eevil", "joined_at not readable as iso"],
        ["c.csv", "3", "", "x" * 100, "record cannot be read"],
    ]
    pd.DataFrame(rows, columns=["file", "record", "column", "value", "reason"]).to_csv(path, index=False)
    counts = {row[4]: 1 for row in rows}
    accounts = {"customers": {"rows_in": 3, "kept": 0, "refused": counts, "left_out": 0, "notes": []}}
    shown = refused_rows.examples(tmp_path, accounts, {"customers": 0.05})["customers"]
    assert list(shown.values()) == [
        ["c.csv, record 1, column 'Mail' (a customer's id)"],
        ["c.csv, record 2, column 'At[31m': 'call [phone] now evil'"],
        [f"c.csv, record 3: '{'x' * 57}…'"],
    ]


def test_values_left_empty_are_told_by_their_shape(tmp_path):
    rows = ["1,a,2024-03-01,10,1 pcs,X", "2,a,2024-03-01,10,22 pcs,X", "3,a,2024-03-01,10,1,X"]
    loaded, orders = load_orders(tmp_path, *rows)
    assert orders.quantity.isna().sum() == 2
    notes = loaded.accounts["orders"]["notes"]
    assert "2 values of quantity not readable; left empty." in notes
    assert "quantity not readable, left empty: 1 like '1 pcs'; 1 like '22 pcs'." in notes


def orders_stopped(folder, *rows, header=HEADER, files=None, **more):
    """What is told where the gate closes over orders and the tables beside them."""
    wanted = settings(orders=orders_export(**{"max_refused_share": 0.0, **more}), **(files or {}))
    extra = {f"{name}_csv": text for name, text in EXTRA.items() if name in wanted["tables"]}
    client = make_client(folder, wanted, orders_csv="\n".join([header, *rows]) + "\n", **extra)
    with pytest.raises(DataError) as error:
        sources.load(client)
    return client, str(error.value)


EXTRA = {"customers": "ID,Joined\na,2024-01-01\nb,2024-02-01\n"}
CUSTOMERS = {"path": "customers.csv", "columns": {"customer_id": "ID", "joined_at": "Joined"}}


def test_tables_after_the_day_of_failed_orders_are_not_judged(tmp_path):
    rows = ["1,a,2024-03-01,1.234.5,1,X", "2,b,2024-03-01,2.2.2,1,X"]
    _, told = orders_stopped(tmp_path, *rows, files={"customers": CUSTOMERS})
    assert "2 × amount not readable as a number" in told
    assert "table 'customers': not judged, since orders failed, whose last day is as_of." in told
    assert "after as_of" not in told


def test_the_clients_own_rules_are_told_apart_from_faults(tmp_path):
    rows = [*GOOD, "4,a,2024-03-01,1,1,POST", "5,a,2024-03-01,2,1,POST", "6,a,bad,1,1,X"]
    client, told = orders_stopped(tmp_path, *rows, not_goods=["POST"])
    lines = key_lines(client.folder / "client.yml")
    assert told.index("1 × ordered_at not readable") < told.index("Not counted, since client.yml's own rules leave")
    assert "leave them out: 2 × no goods (not_goods in client.yml)." in told
    assert f"client.yml, line {lines['tables.orders']}: add date_format.ordered_at under tables.orders." in told


def test_a_key_that_stands_is_named_alone_with_its_line(tmp_path):
    client, told = orders_stopped(tmp_path, "1,a,bad,1,1,X", date_format="%d.%m.%Y")
    line = key_lines(client.folder / "client.yml")["tables.orders.date_format"]
    assert f"client.yml, line {line}: tables.orders.date_format.\n" in told


def test_a_columns_line_is_told_where_the_file_lacks_it(tmp_path):
    client, told = orders_stopped(tmp_path, "1,a,2024-03-01,1,1,X", header=HEADER.replace("Total", "Sum"))
    line = key_lines(client.folder / "client.yml")["tables.orders.columns.amount"]
    assert f"It is mapped under tables.orders.columns.amount in client.yml, line {line}." in told


def test_the_money_of_refused_lines_is_told(tmp_path):
    rows = [
        *GOOD,
        GOOD[0],
        "4,a,bad,11.40,1,X",
        "5,a,2024-03-01,5.5,1,POST",
        "6,a,worse,100,1,X",
        "7,a,2024-03-01,ten,1,X",
    ]
    loaded, _ = load_orders(tmp_path, *rows, not_goods=["POST"])
    assert (
        "refused lines whose amount could be read hold 111 UAH (ordered_at not readable as ISO 8601 (2026-06-30 or"
        " 2026-06-30 14:05:00))." in loaded.accounts["orders"]["notes"]
    )


def test_times_that_look_like_phones_are_told_by_their_shape(tmp_path):
    _, told = orders_stopped(tmp_path, "1,a,1709251200000,1,1,X", "2,a,+380671234567,1,1,X")
    assert "record 1, column 'Date': '9999999999999 (13 digits)'" in told
    assert "[phone]" not in told


def test_a_mark_in_another_encoding_is_known(tmp_path):
    text = "\n".join([HEADER, "1,a,2024-03-01,19.90 zł,1,X"]).encode("cp1250")
    wanted = settings(orders=orders_export(max_refused_share=0.0, encoding="cp1252")) | {"currency": "PLN"}
    with pytest.raises(DataError) as error:
        sources.load(make_client(tmp_path, wanted, orders_csv=text))
    assert "client.yml: 'z³' is 'zł' in cp1250: write tables.orders.encoding: cp1250." in str(error.value)


def test_a_joined_column_is_named_with_its_file(tmp_path):
    columns = {"order_id": "Order", "customer_id": "Customer", "ordered_at": "Day", "amount": "Total"}
    export = orders_export(columns=columns, join=[{"path": "heads.csv", "on": "Order"}])
    client = make_client(
        tmp_path,
        settings(orders=export),
        orders_csv=f"{HEADER}\n1,a,x,10,1,X\n2,b,x,10,1,X\n",
        heads_csv="Order,Day,By\n1,2024-03-01,Ann\n2,soon,Bob\n",
    )
    loaded = sources.load(client)
    assert refused(loaded)[["record", "column", "value"]].values.tolist() == [["2", "Day of heads.csv", "soon"]]
    assert loaded.accounts["orders"]["not_read"] == {"heads.csv": ["By"], "orders.csv": ["Date", "Qty", "SKU"]}


def test_customers_that_differ_in_capitals_alone_are_told(tmp_path):
    rows = ["1,A,2024-03-01,10,1,X", "2,b,2024-03-01,10,1,X", "3,z,2024-03-01,10,1,X"]
    wanted = settings(orders=orders_export(), customers=CUSTOMERS)
    client = make_client(tmp_path, wanted, orders_csv="\n".join([HEADER, *rows]), customers_csv=EXTRA["customers"])
    notes = sources.load(client).accounts["orders"]["notes"]
    assert notes[-2:] == [
        "2 lines name 2 customers whom the table customers lacks; kept.",
        "1 of these customers differ from one that it has in capitals alone: write lower_case: [customer_id] under"
        " orders and customers.",
    ]
