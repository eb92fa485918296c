"""Records of every kind of file as texts, for a look at them."""

import gzip
import json
import zipfile

import duckdb
import pandas as pd
import pytest
import xlsxwriter

from cxkit.errors import DataError
from cxkit.file_rows import look, opened

ROWS = [["1", "Anna Żak", "1.5"], ["2", "", "2"]]


def read(path, *, sheet=None, **reading):
    source, _ = look(path, sheet=sheet)
    with opened(source, **reading) as (known, rows):
        return known, list(rows)


def test_text_packed_or_not(tmp_path):
    raw = "id;name;n\r\n1;Anna Żak;1.5\r\n\r\n2;;2\r\n".encode("cp1250")
    (tmp_path / "a.csv").write_bytes(raw)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(raw))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", raw)
    for name in ("a.csv", "a.csv.gz", "a.zip"):
        known, rows = read(tmp_path / name, encoding="cp1250", delimiter=";")
        assert (known, rows) == ({}, [["id", "name", "n"], *ROWS])


def test_what_no_encoding_knows_is_marked(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a\n\xff\n")
    assert read(tmp_path / "a.csv")[1] == [["a"], ["\ufffd"]]


def test_the_largest_file_of_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("small.csv", "a\n1\n")
        archive.writestr("large.csv", "a,b\n1,2\n3,4\n")
        archive.writestr("__MACOSX/x.csv", "x" * 99)
        archive.writestr("read.me", "x" * 99)
    source, members = look(tmp_path / "a.zip")
    assert (source.member, members) == ("large.csv", ("large.csv", "small.csv"))
    assert look(tmp_path / "a.zip", sheet="small.csv")[0].member == "small.csv"


def test_a_worksheet(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("empty")
        sheet = book.add_worksheet("orders")
        for n, row in enumerate([["id", "name", "n"], [1, "Anna Żak", 1.5], [2, "", 2]]):
            sheet.write_row(n, 0, row)
    known, rows = read(tmp_path / "a.xlsx")
    assert (known["sheets"], known["chosen"]) == (["empty", "orders"], "orders")
    assert [r[:3] for r in rows] == [["id", "name", "n"], *ROWS]


def test_json_with_nested_fields(tmp_path):
    records = [{"id": 1, "who": {"name": "Anna Żak"}, "n": 1.5}, {"id": 2, "n": 2.0, "late": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(r) for r in records), encoding="utf-8")
    known, rows = read(tmp_path / "a.jsonl")
    assert known == {"names": ["id", "who.name", "n", "late"]}
    assert rows == [["1", "Anna Żak", "1.5", ""], ["2", "", "2", "true"]]


def test_parquet(tmp_path):
    frame = pd.DataFrame({"id": [1, 2], "n": [1.5, 2.0], "at": pd.to_datetime(["2024-01-01 10:00", None])})
    frame.to_parquet(tmp_path / "a.parquet")
    known, rows = read(tmp_path / "a.parquet")
    assert known == {"names": ["id", "n", "at"]}
    assert rows == [["1", "1.5", "2024-01-01 10:00:00"], ["2", "2", ""]]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more PAR1")
    with pytest.raises(DataError, match="Parquet"):
        read(tmp_path / "b.parquet")


def test_duckdb(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as con:
        con.execute("CREATE TABLE orders AS SELECT 1 AS id, 'Anna Żak' AS name; CREATE TABLE other (x INT)")
    known, rows = read(tmp_path / "a.duckdb", sheet="orders")
    assert known == {"names": ["id", "name"], "sheets": ["orders", "other"], "chosen": "orders"}
    assert rows == [["1", "Anna Żak"]]
    with pytest.raises(DataError, match="it has no table 'x'; it has 'orders', 'other'"):
        read(tmp_path / "a.duckdb", sheet="x")


def test_a_parquet_file_whose_bytes_are_damaged(tmp_path):
    path, told = tmp_path / "a.parquet", set()
    pd.DataFrame({"a": ["x", "y"] * 20, "b": [1.5] * 40}).to_parquet(path)
    whole = path.read_bytes()
    for place in range(4, len(whole) - 8, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read(path)
        except DataError as error:
            told.add(str(error).split(":")[0])
    assert told == {"it cannot be read as Parquet; its bytes are damaged"}
