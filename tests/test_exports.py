"""What a client's files hold: what cannot be read is told with file, place and mend."""

import gzip

import pandas as pd
import pytest
from sources_client import HEADER, load_orders, make_client, orders_export, settings

from cxkit import sources
from cxkit.errors import DataError

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
