"""What a file is, and how its bytes are got at: packed files, wrong names, files made to fill a disk."""

import gzip
import io
import zipfile
from collections import deque

import pytest
from client_files import CSV, archive, orders_workbook, zipped

from cxkit import containers
from cxkit.errors import DataError


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path, **more):
    return b"".join(containers.pieces(containers.look(path, **more))).decode()


def test_gzip_and_zip_give_the_file_in_them(tmp_path):
    assert read(put(tmp_path, "orders.csv", CSV)) == CSV
    assert read(put(tmp_path, "orders.csv.GZ", gzip.compress(CSV.encode()))) == CSV
    source = containers.look(put(tmp_path, "o.zip", archive({"экспорт/orders.csv": CSV, "__MACOSX/orders.csv": "x"})))
    assert (source.kind, source.packing, source.member, source.notes) == ("csv", "zip", "экспорт/orders.csv", ())
    out = containers.plain_file(source, tmp_path / "plain")
    assert out.read_text() == CSV


def test_of_several_files_in_a_zip_one_is_named_and_the_others_are_told(tmp_path):
    path = put(tmp_path, "o.zip", zipped(a_csv=CSV, b_csv="x", read_md="y"))
    with pytest.raises(DataError, match=r"it holds 2 data files \('a.csv', 'b.csv'\). Name the one that is meant"):
        containers.look(path)
    with pytest.raises(DataError, match=r"it holds no file 'c.csv', but 'a.csv', 'b.csv'"):
        containers.look(path, sheet="c.csv")
    source = containers.look(path, sheet="a.csv")
    assert (source.member, source.sheet) == ("a.csv", None)
    assert source.notes == ("of the files in o.zip only a.csv was read, not 'b.csv', 'read.md'.",)


def test_a_zipped_workbook_takes_the_sheet_as_its_worksheet(tmp_path):
    source = containers.look(put(tmp_path, "o.zip", zipped(orders_xlsx=orders_workbook())), sheet="Orders")
    assert (source.kind, source.sheet) == ("xlsx", "Orders")


XLSX = orders_workbook()
NAMED_WRONG = {
    "a.csv": {
        b"": "it is empty",
        b"\xef\xbb\xbf\r\n": "it is empty",
        XLSX: "is named .csv, but is a workbook or a .zip",
        gzip.compress(b"a"): "is named .csv, but is packed (gzip): add .gz to its name",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "is an old or a locked Excel workbook: name it .xls",
        b"SQLite format 3\x00": "is an SQLite database",
        b"%PDF-1.7": "is a PDF: ask for the export as .csv or .xlsx",
        b" <!DOCTYPE html><html>": "is a web page (HTML)",
        b"PAR1\x15\x04": "is a Parquet file: name it .parquet",
    },
    "a.xls": {b"<html><table>": "is a web page (HTML). Open it in a spreadsheet", b"<?xml version='1.0'?>": "is XML"},
    "a.xlsx": {b"a,b\n1,2": "is no workbook. If it is text, name it .csv"},
    "a.parquet": {b"a,b\n1,2": "is no Parquet file"},
    "a.db": {b"SQLite format 3\x00": "SQLite", b"a,b\n1,2\n3": "is no DuckDB file"},
    "a.gz": {b"\x1f\x8b": "this format is not read; valid are .csv"},
    "a.csv.gz": {b"a,b": "it cannot be unpacked", gzip.compress(b"a,b" * 999)[:-9]: "it cannot be unpacked"},
    "a.docx": {b"PK": "this format is not read"},
    "a.zip": {
        b"a,b": "it cannot be unpacked",
        XLSX: "it is an .xlsx named .zip",
        zipped(): "it holds no file that is read",
        zipped(a_zip=b"x", b_gz=b"y"): "it holds a packed file again ('a.zip', 'b.gz'). Unpack it.",
        zipped(a_md="x"): "it holds no file that is read, but 'a.md'",
        archive({"../a.csv": CSV}): "the name '../a.csv' in it leads out of the archive",
        archive({"/a.csv": CSV}): "leads out of the archive",
        archive({"..\\a.csv": CSV}): "leads out of the archive",
        archive({"c:/a.csv": CSV}): "leads out of the archive",
    },
}


@pytest.mark.parametrize(("name", "number"), [(n, i) for n, cases in NAMED_WRONG.items() for i in range(len(cases))])
def test_what_a_file_is_not_is_told(tmp_path, name, number):
    content, message = list(NAMED_WRONG[name].items())[number]
    with pytest.raises(DataError) as error:
        containers.look(put(tmp_path, name, content))
    assert message in str(error.value)


def test_a_folder_and_a_sheet_of_no_workbook_are_told(tmp_path):
    with pytest.raises(DataError, match="it is a folder"):
        containers.look(tmp_path)
    with pytest.raises(DataError, match="it has no sheets, but sheet asks for 'x'"):
        containers.look(put(tmp_path, "a.csv", CSV), sheet="x")


def test_a_locked_zip_is_told(tmp_path):
    locked = bytearray(zipped(a_csv=CSV))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    with pytest.raises(DataError, match=r"'a.csv' in it is locked with a password"):
        containers.look(put(tmp_path, "a.zip", bytes(locked)))


def _bomb(size: int) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed, packed.open("a.csv", "w") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return held.getvalue()


@pytest.mark.parametrize("name", ["a.zip", "a.csv.gz"])
def test_what_unpacks_without_end_is_left_early_whatever_it_says_of_its_size(tmp_path, monkeypatch, name):
    monkeypatch.setattr(containers, "MOST_UNPACKED", 20 << 20)
    packed = bytearray(_bomb(64 << 20)) if name == "a.zip" else gzip.compress(bytes(64 << 20))
    if name == "a.zip":  # the size that the archive states is a lie
        stated = packed.index(b"PK\x01\x02") + 24
        packed[stated : stated + 4] = (9).to_bytes(4, "little")
    source = containers.Source(put(tmp_path, name, bytes(packed)), "csv", name.rsplit(".")[-1], "a.csv")
    seen = []
    with pytest.raises(DataError, match="such a file is made to fill a disk and is not read"):
        deque(map(seen.append, map(len, containers.pieces(source))), maxlen=0)
    assert sum(seen) <= 21 << 20


def test_a_large_file_that_packs_as_exports_do_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MOST_UNPACKED", 1000)
    text = "".join(f"{i * 7919 % 1000},{i}\n" for i in range(5000))
    assert read(put(tmp_path, "a.csv.gz", gzip.compress(text.encode()))) == text
