"""What values alone do not show of a worksheet: formulas, errors, merged cells, hidden rows."""

import openpyxl
import pytest
import xlsxwriter

from cxkit.sheet_marks import is_hidden, letters, marks


def saved(path, change=None):
    book = openpyxl.Workbook()
    page = book.active
    page.title = "swot"
    for row in (["statement", "impact"], ["a", 5], ["b", 4], ["c", 3]):
        page.append(row)
    if change:
        change(page)
    book.save(path)
    return marks(path, "swot")


def test_a_plain_worksheet_has_none(tmp_path):
    assert saved(tmp_path / "a.xlsx") == []
    assert not is_hidden(tmp_path / "a.xlsx", "swot")
    with pytest.raises(KeyError):
        marks(tmp_path / "a.xlsx", "other")


def test_each_mark_names_its_cell_and_the_mend(tmp_path):
    def change(page):
        page["B2"], page["B3"] = "=2+3", "#N/A"
        page["A4"] = None
        page.merge_cells("A3:A4")
        page.merge_cells("D1:E1")  # empty: nothing is lost
        page.row_dimensions[4].hidden = True
        page.row_dimensions[9].hidden = True  # nothing stands in it

    assert saved(tmp_path / "a.xlsx", change) == [
        (2, "B2 holds a formula that was saved without its value; open and save the file in a spreadsheet, or write the"
            " value."),
        (3, "B3 holds the error #N/A; write what it should be, or empty it."),
        (3, "the cells A3:A4 are merged, and only the first has what they say; unmerge them, and write it in each row"
            " that it holds for."),
        (4, "row 4 is hidden; show it if it counts (or take the filter off), or delete it."),
    ]  # fmt: skip


def test_a_formula_with_its_value_is_read_even_an_empty_text(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        page = book.add_worksheet("swot")
        page.write_formula("A1", "=2+3", None, 5)
        page.write_formula("A2", '=IF(1,"","")', None, "")
    assert [place for place, text in marks(tmp_path / "a.xlsx", "swot") if "A1" in text] == []


def test_letters():
    assert [letters(n) for n in (1, 26, 27, 28, 702, 703)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]
