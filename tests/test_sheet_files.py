"""Files that people saved: every kind of cell of a workbook, and workbooks that are none."""

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cxkit.errors import DataError
from cxkit.sheet_files import read_records
from cxkit.sheet_templates import EXAMPLES, write_templates


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def records_of(path):
    records, odd = read_records(path, name="quotes")
    assert odd == []
    return records


def fault(path):
    with pytest.raises(DataError) as error:
        read_records(path, name="quotes")
    return str(error.value)


def test_cells_are_read_as_people_would_write_them(tmp_path):
    rows = [
        ["a", "b", "c"],
        [],
        [1, 2.5, 3.0],
        [date(2026, 6, 30), datetime(2026, 6, 30, 10, 15), True],
        ["=1+1", "NA", None],
        ["00123", " x ", "#N/A"],
    ]
    path = workbook(tmp_path / "q.xlsx", Sheet1=rows)
    records, odd = read_records(path, name="quotes")
    assert [number for number, _ in odd] == [5, 6], "a formula without its value, and an error: told, never only empty"
    assert records[0] == (1, ["a", "b", "c"])
    assert records[2:4] == [(3, ["1", "2.5", "3"]), (4, ["2026-06-30", "2026-06-30 10:15:00", "true"])]
    assert records[4][0] == 5
    assert records[4][1][1:] == ["NA", ""]
    assert records[4][1][0] in ("", "=1+1")  # never 2 by us: nothing is computed
    assert records[5][1][:2] == ["00123", " x "]


def test_the_worksheet_is_the_one_named_so_or_the_only_one_that_is_filled_in(tmp_path):
    path = workbook(tmp_path / "q.xlsx", Sheet1=[["a"]], Quotes=[["b"]])
    assert records_of(path) == [(1, ["b"])]
    path = workbook(tmp_path / "q.xlsx", Sheet1=[["a"]], Sheet2=[])
    assert records_of(path) == [(1, ["a"])]
    path = workbook(tmp_path / "q.xlsx", Sheet1=[["a"]], Sheet2=[["b"]])
    assert fault(path) == "it holds the worksheets 'Sheet1', 'Sheet2'; name the one that counts 'quotes'."
    assert records_of(workbook(tmp_path / "q.xlsx", Sheet1=[])) == []


HEAD, ROW = ["touchpoint", "quote", "source"], ["payment_page", "It failed.", "survey"]


def test_rows_on_another_worksheet_are_never_lost_without_a_word(tmp_path):
    path = tmp_path / "q.xlsx"
    assert fault(workbook(path, quotes=[HEAD], Sheet1=[HEAD, ROW])) == (
        "the worksheet 'quotes' holds no row, and 'Sheet1' does; delete the one that is empty, and name the other one"
        " 'quotes'."
    )
    for own in ([HEAD], [HEAD, ROW]):
        assert fault(workbook(path, quotes=own, example=[HEAD, list(EXAMPLES["quotes"]), ROW])) == (
            "row 3 of the worksheet 'example' is filled in, and that worksheet is never read; write it into 'quotes',"
            " and leave the example as it was or delete it."
        )
    kept = [HEAD, list(EXAMPLES["quotes"]), [], ["An example, which is not read."]]
    assert records_of(workbook(path, quotes=[HEAD, ROW], example=kept))[1] == (2, ROW)
    assert len(records_of(workbook(path, quotes=[HEAD, ROW], old=[HEAD, ROW], notes=[["x"]]))) == 2


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_template_left_as_it_is_has_no_fault(tmp_path, name):
    write_templates(tmp_path)
    records, odd = read_records(tmp_path / "templates" / f"{name}.xlsx", name=name)
    assert (len(records), odd) == (1, [])


def test_a_hidden_worksheet_is_told(tmp_path):
    book = openpyxl.load_workbook(workbook(tmp_path / "q.xlsx", Sheet1=[HEAD, ROW], quotes=[HEAD, ROW]))
    book["quotes"].sheet_state = "hidden"
    book.save(tmp_path / "q.xlsx")
    assert fault(tmp_path / "q.xlsx") == "the worksheet 'quotes' is hidden; show it if it counts, or delete it."


def test_a_lone_cell_far_away_does_not_fill_the_memory(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "touchpoint"
    book.active["XFD1048576"] = "far"
    book.save(tmp_path / "q.xlsx")
    assert "a worksheet reaches to row 1,048,576 and column 16,384; delete the empty rows" in fault(tmp_path / "q.xlsx")


def test_a_far_row_matters_only_where_a_cell_stands_in_it(tmp_path):
    """LibreOffice leaves an empty last row; a cell without a place of its own stands in its row."""
    sound = zipfile.ZipFile(workbook(tmp_path / "sound.xlsx", Sheet1=[["a", "b", "c"]]))
    for row, message in (
        (b'<row r="1048576"></row>', ""),
        (b'<row r="1048576"><c><v>1</v></c></row>', "reaches to row 1,048,576 and column 3"),
    ):
        with zipfile.ZipFile(tmp_path / "q.xlsx", "w") as packed:
            for name in sound.namelist():
                packed.writestr(name, sound.read(name).replace(b"</sheetData>", row + b"</sheetData>"))
        if message:
            assert message in fault(tmp_path / "q.xlsx")
        else:
            assert records_of(tmp_path / "q.xlsx") == [(1, ["a", "b", "c"])]


def test_what_is_no_workbook_is_told(tmp_path):
    path = tmp_path / "q.xlsx"
    for content in (b"", b"touchpoint,quote\n", b"\xd0\xcf\x11\xe0" + b"x" * 600, b"PK\x05\x06" + b"\0" * 18):
        path.write_bytes(content)
        assert "it cannot be read as .xlsx" in fault(path)
        assert "Take a password off, and save it anew as .xlsx." in fault(path)


def test_a_huge_file_is_no_sheet(tmp_path):
    path = tmp_path / "q.csv"
    path.write_bytes(b"x" * 10_000_001)
    assert fault(path) == "it holds over 10 MB; a sheet is what people filled in."
    path = tmp_path / "q.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"\0" * 250_000_000)
    assert path.stat().st_size < 1_000_000
    assert "it is too large when unpacked" in fault(path)


def read_or_refused(path, *, words):
    message = ""
    try:
        records, _ = read_records(path, name="quotes")
    except DataError as error:
        records, message = [], str(error)
    assert not message or any(word in message for word in words)
    assert all(isinstance(cell, str) for _, cells in records for cell in cells)


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_broken_workbook_ends_in_a_message(tmp_path, data):
    """Bytes of a sound workbook changed or cut: read, or refused, and nothing else."""
    sound = workbook(tmp_path / "sound.xlsx", Sheet1=[["touchpoint", "quote"], ["a", "b"]]).read_bytes()
    names = zipfile.ZipFile(io.BytesIO(sound)).namelist()
    which = data.draw(st.sampled_from(names))
    at, noise = data.draw(st.integers(0, 400)), data.draw(st.binary(min_size=0, max_size=8))
    with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(tmp_path / "q.xlsx", "w") as new:
        for name in names:
            content = old.read(name)
            new.writestr(name, content[:at] + noise + content[at + len(noise) :] if name == which else content)
    if data.draw(st.booleans()):
        raw = (tmp_path / "q.xlsx").read_bytes()
        (tmp_path / "q.xlsx").write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    read_or_refused(tmp_path / "q.xlsx", words=("cannot be read", "reaches to", "worksheets"))


@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "ignore"))))
def test_whatever_a_csv_holds_it_is_read_or_refused(tmp_path, content):
    (tmp_path / "q.csv").write_bytes(content)
    read_or_refused(tmp_path / "q.csv", words=("UTF-8", "cannot be read from line"))


@pytest.mark.parametrize("first", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n'])
def test_the_line_by_which_spreadsheets_tell_the_separator_is_no_header(tmp_path, first):
    path = tmp_path / "quotes.csv"
    path.write_text(f"{first}touchpoint;quote\npayment;too slow\n", encoding="utf-8")
    assert [row for row in records_of(path) if row[1]] == [(2, ["touchpoint", "quote"]), (3, ["payment", "too slow"])]


def test_cells_apart_by_tabs_are_told(tmp_path):
    path = tmp_path / "quotes.csv"
    path.write_text("touchpoint\tquote\npayment\ttoo slow\n", encoding="utf-8")
    assert fault(path) == (
        "its cells are apart by tabs, and commas or semicolons are read. Save it in the spreadsheet as “CSV UTF-8”, or"
        " as .xlsx."
    )
