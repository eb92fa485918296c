"""What of a plan must not be taken on trust: made of small files, seen in what `cxkit new` writes and prints."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from cxkit import new_client, sources
from cxkit.client import load_client
from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml

GIVEN = {"currency": "UAH", "time_zone": "Europe/Kyiv"}


def lines(month, **more):
    """A month of orders, two lines each."""
    rows = [
        {
            "order_id": f"A{month}{i:03d}",
            "customer_id": f"c{i % 11}",
            "created_at": f"2026-{month:02d}-{i % 27 + 1:02d} 10:{i % 60:02d}:00",
            "product_id": f"S{(i * 2 + k) % 17}",
            "quantity": k + 1,
            "amount": round(10.5 + i * 3.7 % 91 + k, 2),
        }
        for i in range(20)
        for k in range(2)
    ]
    return pd.DataFrame(rows).assign(**more)


def made(folder, name, content):
    """The client of one file: what was printed, client.yml, its tables."""
    if isinstance(content, pd.DataFrame):
        content = content.to_csv(index=False)
    if content:
        (folder / name).write_text(content, encoding="utf-8")
    told = new_client.new_client("shop", [Path(name)], **GIVEN)
    path = folder / "data" / "shop" / "client.yml"
    return told, path.read_text(encoding="utf-8"), read_yaml(path, begins="client:")["tables"]


def book_of(folder, name, sheets):
    """A workbook, or a .zip of CSVs, with these sheets."""
    if name.endswith(".xlsx"):
        with pd.ExcelWriter(folder / name, engine="xlsxwriter") as book:
            for sheet, frame in sheets.items():
                frame.to_excel(book, sheet_name=sheet, index=False)
            pd.DataFrame({"Remark": ["hello", "bye"]}).to_excel(book, sheet_name="Notes", index=False)
            pd.DataFrame().to_excel(book, sheet_name="Empty", index=False)
    else:
        with zipfile.ZipFile(folder / name, "w") as packed:
            for sheet, frame in sheets.items():
                packed.writestr(sheet, frame.to_csv(index=False))


@pytest.mark.parametrize("name", ["m.xlsx", "m.zip"])
def test_several_sheets_of_one_header_are_read_in_turn(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    names = ["Jan", "Feb"] if name == "m.xlsx" else ["1.csv", "2.csv"]
    book_of(tmp_path, name, {sheet: lines(month) for month, sheet in enumerate(names, start=1)})
    told, text, tables = made(tmp_path, name, "")
    assert tables["orders"]["path"] == f"exports/{name}"
    assert tables["orders"]["sheet"] == names
    assert "# 2 sheets with the same columns, read in turn" in text
    assert told.count("orders: 40 records; 6 columns mapped") == 2
    if name == "m.xlsx":
        assert "'Notes': 2 records; not read: nothing says which table it feeds" in told
        assert "not read: 1 more of its 4 is empty, or no table" in told
    loaded = sources.load(load_client(tmp_path / "data" / "shop"))
    assert loaded.accounts["orders"]["kept"] == 80
    notes = " ".join(loaded.accounts["orders"]["notes"])
    read = "of its worksheets only 'Jan', 'Feb' were read here, not 'Notes', 'Empty'." if name == "m.xlsx" else ""
    assert notes.count(read or "never said") == bool(read)
    assert ("only" in notes) == bool(read)


@pytest.mark.parametrize("name", ["m.xlsx", "m.zip"])
def test_sheets_that_hold_the_same_records_are_asked_for(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    first, second = names = ["Jan", "Copy"] if name == "m.xlsx" else ["1.csv", "2.csv"]
    book_of(tmp_path, name, dict.fromkeys(names, lines(1)))
    told, text, tables = made(tmp_path, name, "")
    assert tables["orders"]["sheet"] == "???"
    assert f"{first!r}, {second!r} have the same columns, but hold the same records" in text
    assert f"# not read: exports/{name}, {second!r}: the same columns as {first!r}: which one is meant?" in text
    assert f"{second!r}: 40 records; not read: the same columns as {first!r}: which one is meant?" in told


def test_a_sheet_that_another_table_reads_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    goods = {"SKU": [f"S{i}" for i in range(17)], "Product name": [f"Toy {i}" for i in range(17)]}
    with pd.ExcelWriter("b.xlsx", engine="xlsxwriter") as book:
        lines(1).to_excel(book, sheet_name="Orders", index=False)
        pd.DataFrame({**goods, "Category": "a", "Price": range(17)}).to_excel(book, sheet_name="Goods", index=False)
    told, text, tables = made(tmp_path, "b.xlsx", "")
    assert {name: table["sheet"] for name, table in tables.items()} == {"orders": "Orders", "catalogue": "Goods"}
    assert "not read" not in told + text


def test_a_status_that_looks_personal_is_not_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status = ["completed"] * 30 + ["olena.koval@gmail.com"] * 5 + ["+380671234567"] * 5
    told, text, tables = made(tmp_path, "o.csv", lines(1, status=status))
    assert tables["orders"]["columns"]["status"] == "status"
    for found in (told, text):
        assert "gmail" not in found
        assert "38067" not in found
    assert "orders: status: 2 of its values look like e-mails or phones and are not written here: is it a" in told


def test_a_question_that_holds_a_phone_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = "How likely are you to recommend us? Call +380671234567"
    frame = pd.DataFrame({"Date": [f"2026-01-{i % 27 + 1:02d}" for i in range(40)], "Customer": range(40)})
    told, _, tables = made(tmp_path, "nps.csv", frame.assign(**{asked: [i % 11 for i in range(40)]}))
    if "questions" in tables["surveys"]:
        assert "surveys: 1 question holds an e-mail or a phone: keep client.yml as private as the exports." in told
    assert "38067" not in told


def test_a_decimal_comma_without_quotation_marks_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head, *rows = lines(1).to_csv(index=False).splitlines()
    text = "\n".join([head, *(row.replace(".", ",") if "." in row else f"{row},00" for row in rows)]) + "\n"
    told, text, tables = made(tmp_path, "o.csv", text)
    assert tables["orders"]["delimiter"] == "???"
    assert "',' parts 0 of 40 records as it parts the header; 40 records have 1 cell more than the header" in text
    assert "40 records have 1 cell more than the header: a decimal comma (12,50), or a comma in a text," in told
    with pytest.raises(UsageError, match=r"tables\.orders\.delimiter"):
        sources.check_mapping(load_client(tmp_path / "data" / "shop"))
