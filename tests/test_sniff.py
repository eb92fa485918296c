"""What a file is: whole files of every kind, small enough to be checked by eye."""

import gzip
import os
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from real_clients import NEEDS

from cxkit import exports
from cxkit.errors import CxkitError, DataError
from cxkit.mapping import Reading
from cxkit.sniff import FileForm, sample, sniff

DATA = Path(os.environ.get("CXKIT_DATA", "")) if os.environ.get("CXKIT_DATA") else None
PL = "Zamówienie;Data;Wartość;Miasto\r\nA-1;31.12.2024;1 250,50;Łódź\r\nA-2;01.01.2025;99,00;Gdańsk\r\n"

TWO_ROWS = "Person,Start Date,How satisfied?,,Age\n,,Response,Other,\n1,2024-01-01,5,,28\n2,2024-01-02,4,x,35\n"


def made(folder, raw: str | bytes, *, name: str = "orders.csv") -> FileForm:
    path = folder / name
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return sniff(path)


def test_a_whole_form(tmp_path):
    form = made(tmp_path, PL.encode("cp1250"))
    assert form == FileForm(
        path=tmp_path / "orders.csv",
        kind="csv",
        sheet=None,
        sheets=(),
        encoding="cp1250",
        delimiter=";",
        header=(1,),
        names=("Zamówienie", "Data", "Wartość", "Miasto"),
        rows=2,
        whole=True,
        evidence={
            "encoding": "4 words with accented letters; cp1250 before iso-8859-2",
            "delimiter": "3 of the first 3 records have 4 cells",
            "header": "record 1 holds names, and 2 of 4 columns below hold numbers, times or codes",
        },
        sure={"encoding": True, "delimiter": True, "header": True},
        notes=(),
    )
    frame = sample(form)
    assert frame.to_dict("list") == {
        "Zamówienie": ["A-1", "A-2"],
        "Data": ["31.12.2024", "01.01.2025"],
        "Wartość": ["1 250,50", "99,00"],
        "Miasto": ["Łódź", "Gdańsk"],
    }


def test_the_door_reads_the_same_names(tmp_path):
    for number, raw in enumerate(
        (
            PL.encode("cp1250"),
            PL.encode("utf-16"),
            b"Report\n\nid,name\n1,x\n2,y\n",
            b"1,english,a\n2,german,b\n",
            TWO_ROWS.encode(),
        )
    ):
        form = made(tmp_path, raw, name=f"{number}.csv")
        reading = Reading(delimiter=form.delimiter, encoding=form.encoding, header=form.header)
        assert exports.header(form.path, place="tables.orders", reading=reading) == list(form.names), number


def test_no_header_gives_numbers(tmp_path):
    form = made(tmp_path, "1,english,5\n2,german,6\n")
    assert (form.header, form.names, form.rows) == ((0,), ("1", "2", "3"), 2)
    assert sample(form)["2"].tolist() == ["english", "german"]


def test_two_header_rows_are_joined(tmp_path):
    form = made(tmp_path, TWO_ROWS)
    assert form.header == (1, 2)
    assert form.names == ("Person", "Start Date", "How satisfied? Response", "How satisfied? Other", "Age")
    assert len(sample(form)) == form.rows == 2


def test_names_that_cannot_be_mapped_are_told_and_left_out(tmp_path):
    form = made(tmp_path, "id,,name,name\n1,2,x,y\n2,3,z,w\n")
    assert form.notes == (
        "1 of 4 columns has no name; it cannot be mapped.",
        "These names stand in the header more than once, so they cannot be mapped: 'name'.",
    )
    assert list(sample(form).columns) == ["id"]


def test_ragged_records_and_open_quotation_marks_are_told(tmp_path):
    form = made(tmp_path, "id,name\n1,x\n2\n3,y,z\n4,w\n")
    assert (form.rows, form.notes) == (
        4,
        (
            "2 of 4 records have more or fewer cells than the header; such are refused.",
            "1 record has 1 cell more than the header: a decimal comma (12,50), or a comma in a text, without quotation"
            " marks?",
        ),
    )
    assert sample(form)["id"].tolist() == ["1", "4"]
    form = made(tmp_path, "id,name\n1,x\n" + '2,"y\n' + "3,z\n" * 200)
    assert form.notes == ("1 cell holds over 50 line breaks: a quotation mark may be opened and not closed.",)


def test_blank_records_are_told(tmp_path):
    assert made(tmp_path, "id,name\n1,x\n,\n,\n\n2,y\n").notes == (
        "2 of 4 records are blank in every cell: left out, as empty lines are.",
    )


def test_a_sample_is_evenly_spaced_and_the_same_each_time(tmp_path):
    form = made(tmp_path, "id,x\n" + "".join(f"{i},a\n" for i in range(1000)))
    few = sample(form, most=100)
    assert few["id"].astype(int).tolist() == list(range(0, 1000, 16))
    pd.testing.assert_frame_equal(few, sample(form, most=100))
    assert len(sample(form, most=1000)) == 1000
    assert len(sample(form, most=999)) == 500


def test_only_a_header(tmp_path):
    form = made(tmp_path, "Email,Klaviyo ID,First Name\n")
    assert (form.names, form.rows, form.sure["header"]) == (("Email", "Klaviyo ID", "First Name"), 0, False)
    assert sample(form).shape == (0, 3)


def test_a_workbook(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        for name in ("March", "April"):
            sheet = book.add_worksheet(name)
            for n, row in enumerate([["Sales of the shop"], ["id", "total"], [1, 2.5], [2, 10]]):
                sheet.write_row(n, 0, row)
    form = sniff(tmp_path / "a.xlsx")
    assert (form.kind, form.sheet, form.sheets, form.header, form.names) == (
        "xlsx",
        "March",
        ("March", "April"),
        (2,),
        ("id", "total"),
    )
    assert form.evidence["sheet"] == "a guess: the first worksheet that is filled in of 2"
    assert sample(form).to_dict("list") == {"id": ["1", "2"], "total": ["2.5", "10"]}
    form = sniff(tmp_path / "a.xlsx", sheet="April")
    assert (form.sheet, form.sure["sheet"]) == ("April", True)
    with pytest.raises(DataError, match="no worksheet 'May'"):
        sniff(tmp_path / "a.xlsx", sheet="May")


def test_json_and_packed_files(tmp_path):
    form = made(tmp_path, '{"id": 1, "a": {"b": "x"}}\n{"id": 2}\n', name="a.jsonl")
    assert (form.kind, form.names, form.rows) == ("jsonl", ("id", "a.b"), 2)
    assert sample(form)["a.b"].tolist() == ["x", ""]
    form = made(tmp_path, gzip.compress(PL.encode("cp1250")), name="a.csv.gz")
    assert (form.encoding, form.rows, sample(form)["Miasto"].tolist()) == ("cp1250", 2, ["Łódź", "Gdańsk"])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", PL)
        archive.writestr("b.csv", "x\n1\n")
    form = sniff(tmp_path / "a.zip")
    assert (form.sheet, form.sheets) == ("a.csv", ("a.csv", "b.csv"))
    assert form.evidence["sheet"] == "a guess: the largest file of 2"
    assert len(sample(form)) == 2


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"\xef\xbb\xbf\n\n", "it is empty"),
        ("a.pdf", b"%PDF-1.4", "this format is not read"),
        ("a.xls", b"<html><table>", "is a web page"),
        ("a.csv", b"PK\x03\x04rest", "is a workbook or a .zip"),
        ("a.csv", bytes(range(256)) * 40, "so it is no text"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, raw, told):
    with pytest.raises(DataError, match=told):
        made(tmp_path, raw, name=name)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.one_of(st.binary(max_size=300), st.text(alphabet='ab1;,\t"\n\r é', max_size=200).map(str.encode)))
def test_any_bytes_give_a_form_or_a_named_error(tmp_path, raw):
    try:
        form = made(tmp_path, raw)
        assert len(sample(form)) <= form.rows
    except CxkitError:
        pass


BAD = {
    "bad.csv": ("utf-8", ",", (1,), 2),
    "blank-cells.csv": ("utf-8", ",", (1,), 2),
    "blank-headers.csv": ("utf-8", ",", (1,), 3),
    "blank-rows-multiple.csv": ("utf-8", ",", (1,), 3),
    "blank-rows.csv": ("utf-8", ",", (1,), 3),
    "bom.csv": ("utf-8", ",", (1,), 2),
    "capital-invalid.csv": ("utf-8", ",", (1,), 3),
    "delimiter.csv": ("utf-8", ";", (1,), 2),
    "doublequote.csv": ("utf-8", ",", (1,), 17),
    "duplicate-headers.csv": ("utf-8", ",", (1,), 5),
    "duplicate-rows.csv": ("utf-8", ",", (1,), 3),
    "encoding-issue-274.csv": ("utf-8", ",", (1,), 17),
    "invalid.csv": ("utf-8", ",", (1,), 4),
    "issue-1009-semicolon.csv": ("utf-8", ";", (1,), 2),
    "latin1.csv": ("cp1252", ",", (1,), 2),
    "skip-rows-before-headers.csv": ("utf-8", ",", (2,), 2),
    "table-unicode-headers.csv": ("utf-8", ",", (1,), 2),
    "without-headers.csv": ("utf-8", ",", (0,), 2),
}


@pytest.mark.skipif(DATA is None, reason=NEEDS)
@pytest.mark.parametrize("name", BAD)
def test_broken_files_that_others_collected(name):
    form = sniff(DATA / "bad_csv_frictionless" / name)
    assert (form.encoding, form.delimiter, form.header, len(form.names)) == BAD[name]


@pytest.mark.skipif(DATA is None, reason=NEEDS)
def test_real_exports():
    form = sniff(DATA / "nps_fr" / "nps.csv")
    assert form.encoding == "latin-1"
    assert any("another encoding, most like cp850" in note for note in form.notes)
    form = sniff(DATA / "rfm_joaolcorreia" / "sample-orders.csv")
    assert (form.encoding, form.rows, form.sure["encoding"]) == ("mac-roman", 5009, True)
    form = sniff(DATA / "vendor_formats" / "surveymonkey_condensed_2row_header_FIXTURE.csv")
    assert (form.header, form.rows) == ((1, 2), 2)
    assert sniff(DATA / "wands_queries" / "query.csv").delimiter == "\t"


def test_one_column_without_a_name_is_told_as_one(tmp_path):
    (tmp_path / "a.csv").write_text("Order,,Total\n1,x,10\n2,y,20\n", encoding="utf-8")
    assert "1 of 3 columns has no name; it cannot be mapped." in sniff(tmp_path / "a.csv").notes
    (tmp_path / "b.csv").write_text("Order,,\n1,x,10\n2,y,20\n", encoding="utf-8")
    assert "2 of 3 columns have no name; they cannot be mapped." in sniff(tmp_path / "b.csv").notes
