"""What a client's files hold: what cannot be read is told with file, place and mend."""

import gzip
import json

import pandas as pd
import pytest
from client_files import COLUMNS, CSV, LINES, of_every_kind, zipped
from sources_client import GOOD, HEADER, ORDERS, adds_up, load_orders, make_client, orders_export, refused, settings

from cxkit import exports, sources
from cxkit.errors import DataError, UsageError
from cxkit.mapping import Reading

FAULTS = {
    "empty": (b"", "it is empty. Ask for the export again."),
    "header only": (HEADER.encode(), "it has a header but no rows."),
    "missing column": (
        b"Order,Customer,Date,Totals,Qty,SKU\n1,a,2024-03-01,1,1,X",
        "no column 'Total', did you mean 'Totals'?",
    ),
    "wrong delimiter": (
        HEADER.replace(",", ";").encode() + b"\n1;2;3;4;5;6",
        'Write tables.orders.delimiter: ";" in client.yml',
    ),
    "column twice": (
        b"Order,Customer,Date,Total,Qty,Qty,SKU\n1,a,2024-03-01,1,1,1,X",
        "'Qty' stands in the header 2 times",
    ),
    "blank names": (b"Order,,Date,Total,Qty,\n1,a,2024-03-01,1,1,X", "and 2 without a name"),
    "encoding": (
        HEADER.encode() + "\n1,Żaneta,2024-03-01,1,1,X\n".encode("cp1250"),
        "byte 36 (0xaf) is not utf-8. Write the file's own",
    ),
    "quotes": (
        HEADER.encode() + b'\n1,"a,2024-03-01,1,1,X\n' + b"2,b,2024-03-01,1,1,X\n" * 9,
        "in record 1 a quotation mark is opened and not closed; it swallows at least 9 lines",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_read_says_what_to_mend(tmp_path, fault):
    content, message = FAULTS[fault]
    client = make_client(tmp_path, settings(orders=orders_export()), orders_csv=content)
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert str(error.value).startswith("table 'orders', file orders.csv: ")
    assert message in str(error.value)


def test_faults_of_all_files_are_told_together(tmp_path):
    customers = {"path": "customers.csv", "columns": {"customer_id": "ID"}}
    client = make_client(
        tmp_path, settings(orders=orders_export(), customers=customers), orders_csv=b"", customers_csv=b"Id\n1\n"
    )
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert "table 'orders', file orders.csv: it is empty" in str(error.value)
    assert "table 'customers', file customers.csv: no column 'ID', did you mean 'Id'?" in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "end", "packed"),
    [("cp1251", "\n", False), ("utf-16", "\r\n", False), ("mac_cyrillic", "\r", True), ("utf-8-sig", "\r\n", True)],
)
def test_encodings_line_ends_and_gzip_read_alike(tmp_path, encoding, end, packed):
    raw = end.join(
        [HEADER, "1,Їжак,2024-03-01,10,1,Ґ" if encoding != "mac_cyrillic" else "1,Їжак,2024-03-01,10,1,Я"]
    ).encode(encoding)
    export = orders_export(encoding=encoding, path="orders.csv.gz" if packed else "orders.csv")
    folder = tmp_path / "клієнт [1] з пробілом"
    folder.mkdir()
    (folder / export["path"]).write_bytes(gzip.compress(raw) if packed else raw)
    loaded = sources.load(make_client(folder, settings(orders=export)))
    assert pd.read_parquet(loaded.tables["orders"]).product_id.tolist() in (["Ґ"], ["Я"])


def test_mixed_line_ends_and_line_breaks_in_cells(tmp_path):
    content = f'{HEADER}\r\n1,"a\nb",2024-03-01,10,1,X\n2,b,2024-03-01,10,1,"Y\r\nZ"\r\n'
    loaded = sources.load(make_client(tmp_path, settings(orders=orders_export()), orders_csv=content))
    assert pd.read_parquet(loaded.tables["orders"]).product_id.tolist() == ["X", "Y\r\nZ"]


def test_a_parquet_file_with_nan_is_refused_by_the_row(tmp_path):
    """pandas would have written it as null; pyarrow and others do not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = {
        "Order": [f"o{i}" for i in range(100)],
        "Customer": ["c1"] * 100,
        "Date": ["2026-01-05"] * 100,
        "Qty": [1.0] * 100,
        "SKU": [f"s{i}" for i in range(100)],
        "Total": [float("nan") if i < 20 else 5.0 for i in range(100)],
    }
    pq.write_table(pa.table(table), tmp_path / "orders.parquet")
    client = make_client(tmp_path, settings(orders=orders_export(path="orders.parquet", max_refused_share=0.5)))
    loaded = sources.load(client)
    assert pd.read_parquet(loaded.tables["orders"]).amount.tolist() == [5.0] * 80


def test_parquet_reads_as_csv_does(tmp_path):
    frame = pd.DataFrame(
        {
            "Order": ["1", "2"],
            "Customer": ["a", None],
            "Date": pd.to_datetime(["2024-03-01 01:00", "2024-03-02 00:00"]),
            "Total": [10.5, 20.0],
            "Qty": [1, 2],
            "SKU": ["X", "Y"],
        }
    )
    (tmp_path / "p").mkdir()
    frame.to_parquet(tmp_path / "p" / "orders.parquet")
    client = make_client(tmp_path / "p", settings(orders=orders_export(path="orders.parquet")))
    by_parquet = pd.read_parquet(sources.load(client).tables["orders"])
    _, by_csv = load_orders(tmp_path / "c", "1,a,2024-03-01 01:00,10.5,1,X", "2,,2024-03-02,20,2,Y")
    pd.testing.assert_frame_equal(by_parquet.drop(columns="customer_id"), by_csv.drop(columns="customer_id"))


KINDS = ("csv", "csv.gz", "zip", "xlsx", "parquet", "jsonl", "json", "duckdb")


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory):
    return of_every_kind(tmp_path_factory.mktemp("kinds"))


def test_the_same_lines_read_alike_from_every_format(tmp_path, every_kind):
    """One table of eight files, each with the same three lines."""
    names = [f"orders.{kind}" for kind in KINDS]
    for name in names:
        (tmp_path / name).write_bytes(every_kind[name])
        assert exports.header(tmp_path / name, place="tables.orders", reading=Reading()) == COLUMNS
    client = make_client(tmp_path, settings(orders=orders_export(path=names, duplicates="keep")))
    loaded = sources.load(client)
    adds_up(loaded)
    orders = pd.read_parquet(loaded.tables["orders"])
    assert orders[["order_id", "amount", "quantity", "product_id"]].values.tolist() == [
        ["1", 10.0, 1.0, "X"],
        ["2", 20.0, 2.0, "Y"],
        ["3", 30.0, 3.0, "X"],
    ] * len(KINDS)
    hours = ["2024-02-29 22", "2024-03-01 22", "2024-03-04 22"]
    assert orders.ordered_at.dt.strftime("%Y-%m-%d %H").tolist() == hours * len(KINDS)


def test_a_preamble_and_two_header_records(tmp_path):
    head = 'Report of March;;\n\n"Order";Sum;\n;net;gross\n'
    columns = {"order_id": "Order", "customer_id": "Sum net", "ordered_at": "Sum gross", "amount": {"constant": "5"}}
    for body in ("1;a;2024-03-01\n2;b;2024-03-02\n", "1;a;2024-03-01\r\n2;b;2024-03-02\n\n3;c\n"):
        export = orders_export(header=[2, 3], delimiter=";", columns=columns)
        client = make_client(tmp_path / str(len(body)), settings(orders=export), orders_csv=head + body)
        loaded = sources.load(client)
        adds_up(loaded)
        assert pd.read_parquet(loaded.tables["orders"]).order_id.tolist() == ["1", "2"]
    assert refused(loaded).values.tolist() == [
        ["orders.csv", "3", "", "3;c", "record has fewer cells than the header"],
    ]


def test_a_file_without_a_header_has_numbers_for_names(tmp_path):
    columns = {name: str(i + 1) for i, name in enumerate(ORDERS)}
    client = make_client(
        tmp_path, settings(orders=orders_export(header=0, columns=columns)), orders_csv="\n".join(GOOD)
    )
    loaded = sources.load(client)
    assert loaded.accounts["orders"]["rows_in"] == 3
    assert pd.read_parquet(loaded.tables["orders"]).order_id.tolist() == ["1", "2", "3"]


def test_json_leaves_out_what_is_empty(tmp_path):
    """A field that one file of several lacks is empty there and told; one that none has is a fault."""
    lines = [json.dumps({**line, "Coupon": "x"} if i else line) for i, line in enumerate(LINES)]
    export = orders_export(path=["a.jsonl", "b.jsonl"], columns={**ORDERS, "coupon": "Coupon"})
    client = make_client(tmp_path, settings(orders=export), a_jsonl=lines[0], b_jsonl="\n".join(lines[1:]) + "\nx\n")
    loaded = sources.load(client)
    adds_up(loaded)
    assert pd.read_parquet(loaded.tables["orders"]).coupon.fillna("").tolist() == ["", "x", "x"]
    assert "a.jsonl: none of its records has 'Coupon'; left empty." in loaded.accounts["orders"]["notes"]
    assert refused(loaded)[["file", "record"]].values.tolist() == [["b.jsonl", "3"]]
    (tmp_path / "b.jsonl").write_text(lines[0].replace("SKU", "Sku"))
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert str(error.value).count("no column 'Coupon'. It is mapped under tables.orders.columns.coupon") == 2
    assert "no column 'SKU'" not in str(error.value)  # a.jsonl has it


def test_numbers_of_json_and_workbooks_need_no_decimal_mark(tmp_path):
    """1.234 under a declared comma would be 1234 in a text; a number of JSON is a number."""
    line = {**LINES[0], "Total": 1.234, "Order": 17850.0, "Qty": "1,5"}
    client = make_client(
        tmp_path, settings(orders=orders_export(path="orders.jsonl", decimal=",")), orders_jsonl=json.dumps(line)
    )
    orders = pd.read_parquet(sources.load(client).tables["orders"])
    assert orders[["order_id", "amount", "quantity"]].values.tolist() == [["17850", 1.234, 1.5]]


@pytest.mark.parametrize(
    ("name", "content", "more", "message"),
    [
        ("a.duckdb", "orders.duckdb", {"sheet": "x"}, "it has no table 'x'; it has 'orders'. Mend tables.orders.sheet"),
        ("a.jsonl", "orders.jsonl", {"header": 2}, "its columns have their own names. Take tables.orders.header out"),
        ("a.jsonl", b"a,b\n1,2\n", {}, "none of its 2 lines is a record of JSON"),
        ("a.json", b"[]", {}, "it holds no records"),
        (
            "a.csv",
            CSV.encode("utf-16-le"),
            {},
            "it looks like utf-16-le, not utf-8. Write tables.orders.encoding",
        ),
        ("a.csv", bytes(99) + b"x", {}, "it is full of zero bytes, so it is no text"),
        ("a.csv", CSV.encode(), {"delimiter": '"'}, "cannot part cells. Write another tables.orders.delimiter"),
        ("a.csv", CSV.encode() + b"\xff", {"encoding": "idna"}, "is not idna"),
        ("a.csv", b"x" * 5_000_000, {}, "line 1 is longer than 2,000,000 characters; it is no table of text"),
        ("a.csv", b"a\n", {"header": 3}, "its header is said to be record 3, but it holds 1 in all"),
    ],
)
def test_what_cannot_be_read_from_other_formats(tmp_path, every_kind, name, content, more, message):
    (tmp_path / name).write_bytes(every_kind[content] if isinstance(content, str) else content)
    client = make_client(tmp_path, settings(orders=orders_export(path=name, **more)))
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert str(error.value).startswith(f"table 'orders', file {name}: ")
    assert message in str(error.value)
    assert "Traceback" not in str(error.value)


def test_a_zip_tells_what_was_not_read(tmp_path):
    client = make_client(tmp_path, settings(orders=orders_export(path="o.zip")), o_zip=zipped(o_csv=CSV, read_md="x"))
    notes = sources.load(client).accounts["orders"]["notes"]
    assert "o.zip: of the files in o.zip only o.csv was read, not 'read.md'." in notes


def test_numbers_of_parquet_that_are_ids(tmp_path):
    frame = pd.DataFrame({**{c: [line[c] for line in LINES] for c in COLUMNS}, "Order": [17850.0, 17851.0, 17852.0]})
    frame["Total"] = [10.25, 20, 30]
    (tmp_path / "p").mkdir()
    frame.to_parquet(tmp_path / "p" / "orders.parquet")
    client = make_client(tmp_path / "p", settings(orders=orders_export(path="orders.parquet")))
    orders = pd.read_parquet(sources.load(client).tables["orders"])
    assert orders.order_id.tolist() == ["17850", "17851", "17852"]


def test_a_field_longer_than_a_record_may_be_is_refused_alone(tmp_path):
    long = "x" * 3_000_000
    loaded, orders = load_orders(tmp_path / "c", GOOD[0], f"2,{long},2024-03-02,20,2,Y", GOOD[2])
    adds_up(loaded)
    assert orders.order_id.tolist() == ["1", "3"]
    lines = "\n".join(json.dumps({**line, "Customer": long} if i == 1 else line) for i, line in enumerate(LINES))
    client = make_client(tmp_path / "j", settings(orders=orders_export(path="orders.jsonl")), orders_jsonl=lines)
    loaded = sources.load(client)
    adds_up(loaded)
    assert loaded.accounts["orders"]["refused"] == {"record is longer than 2,000,000 bytes": 1}


@pytest.mark.parametrize("ends", ["", "99;\n"])  # a torn record has the file read record by record
def test_blank_records_of_text_are_left_out_and_told(tmp_path, ends):
    head, *rest = CSV.splitlines()
    blank = "," * head.count(",")
    text = "\n".join([head, blank, *rest, *[blank] * 29, ",".join(['""'] * (len(blank) + 1)), ""]) + ends
    client = make_client(tmp_path, settings(orders=orders_export(path="o.csv", max_refused_share=0.5)), o_csv=text)
    account = sources.load(client).accounts["orders"]
    assert (account["kept"], account["rows_in"]) == (len(LINES), len(LINES) + bool(ends))
    assert "o.csv: 31 records are blank in every cell: left out, as empty lines are." in account["notes"]
    assert "exact duplicate" not in account["refused"]


def test_a_decimal_comma_without_quotation_marks_is_told(tmp_path):
    text = "".join(f"{line},50\n" if n else f"{line}\n" for n, line in enumerate(CSV.splitlines()))
    client = make_client(tmp_path, settings(orders=orders_export(path="o.csv")), o_csv=text)
    with pytest.raises(DataError, match=r"3 records have 1 cell more than the header: a decimal comma \(12,50\)"):
        sources.load(client)


def test_several_worksheets_are_read_in_turn_with_one_header(tmp_path):
    rows = [line.split(",") for line in GOOD]
    frames = [pd.DataFrame([row], columns=HEADER.split(",")) for row in rows]
    with pd.ExcelWriter(tmp_path / "o.xlsx", engine="xlsxwriter") as book:
        frames[0].to_excel(book, sheet_name="Jan", index=False)
        frames[1][frames[1].columns[::-1]].to_excel(book, sheet_name="Feb", index=False)  # their order says nothing
        frames[2].assign(Bad="").to_excel(book, sheet_name="Mar", index=False)
        frames[2].drop(columns="Total").to_excel(book, sheet_name="Apr", index=False)
    client = make_client(tmp_path, settings(orders=orders_export(path="o.xlsx", sheet=["Feb", "Jan"])))
    loaded = sources.load(client)
    assert loaded.accounts["orders"]["kept"] == 2
    notes = " ".join(loaded.accounts["orders"]["notes"])
    assert "o.xlsx, 'Feb': of its worksheets only 'Feb', 'Jan' were read here, not 'Mar', 'Apr'." in notes
    client = make_client(tmp_path, settings(orders=orders_export(path="o.xlsx", sheet=["Jan", "Mar", "Apr", "May"])))
    with pytest.raises(DataError) as error:
        sources.load(client)
    told = str(error.value)
    apart = "its columns are not those of 'Jan', and worksheets read in turn have one header:"
    assert f"file o.xlsx, 'Mar': {apart} it has 'Bad' besides. Take it out of tables.orders.sheet" in told
    assert f"file o.xlsx, 'Apr': {apart} it lacks 'Total'." in told
    assert "file o.xlsx, 'May': it has no worksheet 'May'" in told
    assert "'Jan': " not in told


def test_a_worksheet_is_named_once(tmp_path):
    with pytest.raises(UsageError, match="'Jan' stands in it twice; name each once"):
        make_client(tmp_path, settings(orders=orders_export(path="o.xlsx", sheet=["Jan", "Jan"])))


def test_a_refused_record_of_a_worksheet_names_it(tmp_path):
    good = pd.DataFrame([line.split(",") for line in GOOD], columns=HEADER.split(","))
    with pd.ExcelWriter(tmp_path / "o.xlsx", engine="xlsxwriter") as book:
        good.to_excel(book, sheet_name="Jan", index=False)
        good.assign(Date="soon").head(1).to_excel(book, sheet_name="Feb", index=False)
    export = orders_export(path="o.xlsx", sheet=["Jan", "Feb"], max_refused_share=0.9)
    loaded = sources.load(make_client(tmp_path, settings(orders=export)))
    assert [(row.file, row.record) for row in refused(loaded, "orders").itertuples()] == [("o.xlsx, 'Feb'", "1")]


def test_worksheets_and_tables_that_were_not_read_are_told(tmp_path):
    frame = pd.DataFrame(LINES)
    with pd.ExcelWriter(tmp_path / "o.xlsx") as book:
        frame.to_excel(book, sheet_name="Jan", index=False)
        frame.to_excel(book, sheet_name="Feb", index=False)
    for sheet in ({}, {"sheet": "Jan"}):
        client = make_client(tmp_path, settings(orders=orders_export(path="o.xlsx", **sheet)))
        notes = sources.load(client).accounts["orders"]["notes"]
        assert "o.xlsx: of its worksheets only 'Jan' was read here, not 'Feb'." in notes
