"""How reports name a client's files: made-up names, and one client whose files are named after people."""

from pathlib import Path

import pandas as pd
import pytest
from sources_client import GOOD, HEADER, make_client, orders_export, settings

from cxkit import run, sources
from cxkit.mapping import Export
from cxkit.shown_names import accounts, file_name, renamed, shown_paths
from cxkit.understood import how_read


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("exports/orders_2026-01-01_2026-06-30.csv", "exports/orders_2026-01-01_2026-06-30.csv"),
        ("olena@shop.ua.csv", "personal.csv"),
        ("of olena.k@shop.com.ua (2).csv.gz", "of personal (2).csv.gz"),
        ("mail@x.ua/+380 67 123 45 67.xlsx", "personal/personal.xlsx"),
    ],
)
def test_mails_and_phones_in_names(name, shown):
    assert file_name(name) == shown


def test_two_files_never_share_a_name():
    columns = {"customer_id": "ID"}
    exports = {
        "orders": Export(path=["a@x.ua.csv", "b@x.ua.csv", "personal.csv"], columns=columns),
        "customers": Export(path=["people.csv"], columns=columns, join=[{"path": "c@x.ua.csv", "on": "ID"}]),
    }
    shown = shown_paths(exports)
    assert shown == {
        "a@x.ua.csv": "personal (2).csv",
        "b@x.ua.csv": "personal (3).csv",
        "c@x.ua.csv": "personal (4).csv",
    }
    assert renamed({"c@x.ua.csv": ["of c@x.ua.csv", 1]}, shown) == {"personal (4).csv": ["of personal (4).csv", 1]}
    assert how_read(exports, {}).files.tolist() == ["personal (2).csv, personal (3).csv and 1 more", "people.csv"]


def test_notes_tell_no_mail_of_a_worksheet():
    told = accounts({"orders": {"notes": ["o.xlsx: of its worksheets only 'a@x.ua' was read here."], "kept": 3}}, {})
    assert told == {"orders": {"notes": ["o.xlsx: of its worksheets only 'personal' was read here."], "kept": 3}}


def test_nothing_that_a_report_is_made_of_names_the_person(tmp_path):
    export = orders_export(path="olena@shop.ua.xlsx", join=[{"path": "ivan@shop.ua.csv", "on": "Customer"}])
    with pd.ExcelWriter(tmp_path / "olena@shop.ua.xlsx", engine="xlsxwriter") as book:
        frame = pd.DataFrame([line.split(",") for line in GOOD], columns=HEADER.split(","))
        frame.assign(More=1).to_excel(book, sheet_name="Orders", index=False)
        frame.to_excel(book, sheet_name="petro@shop.ua", index=False)
    (tmp_path / "ivan@shop.ua.csv").write_text("Customer,Other\na,1\n", encoding="utf-8")
    client = make_client(tmp_path, settings(orders=export))
    loaded = sources.load(client)
    record = run.start_record(client, loaded, {}, {}, home=tmp_path / "reports", against=None)
    assert set(record["inputs"]) == {"personal.xlsx", "personal.csv"}
    assert "personal.xlsx: of its worksheets only 'Orders' was read here, not 'personal'." in str(record["tables"])
    assert "@" not in str(record)
    assert Path(client.files("orders")["olena@shop.ua.xlsx"]).is_file()
