"""tables.xlsx: what a reader gets back, and the same bytes for the same tables."""

import csv
import re
import zipfile
from pathlib import Path

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from cxkit import style, workbook
from cxkit.privacy import safe_cell
from cxkit.workbook import sheet_name, write_workbook


def write_csv(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def test_a_workbook_has_a_sheet_a_table(tmp_path):
    write_csv(tmp_path / "t", "03_loyalty.cohorts", "cohort,share,n,code\n2026-01,0.125,12,007\n2026-02,,3,008\n")
    write_csv(tmp_path / "t", "00_data_quality.formulas", "'=cmd,b\n'=1+1,=2+2\n<script>,+cmd|x\n")
    write_workbook(tmp_path / "t", tmp_path / "tables.xlsx")
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert book.sheetnames == ["Contents", "00_data_quality.formulas", "03_loyalty.cohorts"]
    sheet = book["03_loyalty.cohorts"]
    assert [[c.value for c in row] for row in sheet.rows] == [
        ["cohort", "share", "n", "code"],
        ["2026-01", 0.125, 12, "007"],
        ["2026-02", None, 3, "008"],
    ]
    assert (sheet.freeze_panes, sheet["A1"].font.bold) == ("A2", True)
    cells = [c for row in book["00_data_quality.formulas"].rows for c in row]
    assert [c.value for c in cells if c.data_type != "s" or c.value.startswith("=")] == []
    assert [c.value for c in book["Contents"][3]] == ["03_loyalty.cohorts", "tables/03_loyalty.cohorts.csv", 2, 2]


def test_a_workbook_tells_no_time(tmp_path):
    write_csv(tmp_path / "t", "a", "x\n1\n")
    write_workbook(tmp_path / "t", tmp_path / "one.xlsx")
    with zipfile.ZipFile(tmp_path / "one.xlsx") as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        told = re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", archive.read("docProps/core.xml").decode())
        assert set(told) == {"2000-01-01T00:00:00Z"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)


@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_workbook_reads_back_what_the_tables_say(tmp_path_factory, rows):
    """As text, or as a number where a whole column holds numbers; the reader is pandas' calamine or openpyxl."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "t").mkdir()
    with (folder / "t" / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([["x", "y", "z"], *rows])
    write_workbook(folder / "t", folder / "a.xlsx")
    sheet = openpyxl.load_workbook(folder / "a.xlsx")["a"]
    for row, written in zip(rows, sheet.iter_rows(min_row=2, max_col=3, max_row=len(rows) + 1), strict=True):
        for text, cell in zip(row, written, strict=True):
            assert cell.data_type in ("s", "n", "inlineStr")
            expected = safe_cell(style.clean_text(text))
            assert cell.value == expected or (cell.value or "") == expected or float(expected) == cell.value


def test_columns_beyond_z_have_two_letters(tmp_path):
    write_csv(tmp_path / "t", "wide", ",".join(f"c{i}" for i in range(30)) + "\n" + ",".join("1" * 30) + "\n")
    write_workbook(tmp_path / "t", tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["wide"]
    assert (sheet["Z1"].value, sheet["AA1"].value, sheet["AD2"].value) == ("c25", "c26", 1)


def test_long_tables_say_where_the_rest_is(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "LIMIT", 2)
    write_csv(tmp_path / "t", "a", "x\n1\n2\n3\n")
    write_workbook(tmp_path / "t", tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert [c.value for c in book["Contents"][2]] == ["a", "tables/a.csv", 3, 2]
    assert book["a"].max_row == 3


def test_a_run_without_tables_has_a_workbook_too(tmp_path):
    write_workbook(tmp_path / "none", tmp_path / "tables.xlsx")
    assert openpyxl.load_workbook(tmp_path / "tables.xlsx").sheetnames == ["Contents"]


@given(st.lists(st.text(min_size=1, max_size=50), max_size=20))
def test_sheet_names_are_valid_and_differ(names):
    taken: set[str] = {"contents"}
    found = [sheet_name(name, taken) for name in names]
    assert all(1 <= len(n) <= 31 and not re.search(r"[\[\]:*?/\\]", n) for n in found)
    assert len({n.lower() for n in found} | {"contents"}) == len(found) + 1
