"""The workshop's templates: nothing in them is taken for data, and what people fill in is read."""

import re
import shutil
import zipfile

import pandas as pd
import pytest

from cxkit import sheet_templates, workshop
from cxkit.checklists import read_checklists
from cxkit.errors import DataError
from cxkit.tables import SHEETS


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """A client's folder with its templates, and nothing filled in."""
    client = tmp_path_factory.mktemp("client")
    sheet_templates.write_templates(client / "workshop")
    return client


def test_every_sheet_is_there_as_workbook_and_as_csv(templates):
    there = {p.name for p in (templates / "workshop" / "templates").iterdir()}
    assert there == {f"{n}{end}" for n in SHEETS for end in (".xlsx", ".csv", "_example.csv")}


def test_nothing_of_the_templates_is_read(templates):
    assert workshop.check(templates) == {}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_template_left_as_it_is_holds_no_row(templates, suffix, tmp_path):
    (tmp_path / "workshop").mkdir()
    for name in SHEETS:
        shutil.copy(templates / "workshop" / "templates" / f"{name}{suffix}", tmp_path / "workshop")
    assert list(workshop.check(tmp_path)) == [f"workshop/{name}{suffix}" for name in SHEETS]
    for name, sheet in SHEETS.items():
        frame = workshop.read_sheet(tmp_path, name)
        assert list(frame.columns) == list(sheet.columns)
        assert frame.empty


def test_an_example_copied_by_mistake_is_a_fault(templates, tmp_path):
    (tmp_path / "workshop").mkdir()
    shutil.copy(templates / "workshop" / "templates" / "swot_example.csv", tmp_path / "workshop")
    with pytest.raises(DataError, match=r"workshop/swot_example\.csv: no sheet has this name"):
        workshop.check(tmp_path)


def test_every_example_is_a_valid_row(templates, tmp_path):
    (tmp_path / "workshop").mkdir()
    for name in SHEETS:
        source = templates / "workshop" / "templates" / f"{name}_example.csv"
        shutil.copy(source, tmp_path / "workshop" / f"{name}.csv")
    workshop.check(tmp_path)
    for name in SHEETS:
        row = workshop.read_sheet(tmp_path, name)
        assert len(row) == 1
        assert row.notna().all(axis=1).all() or name == "register"  # which has a competitor or a touchpoint


def test_lists_are_offered_for_choices_and_scales(templates):
    with zipfile.ZipFile(templates / "workshop" / "templates" / "swot.xlsx") as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
    lists = re.findall(r'type="list".*?<formula1>"(.*?)"</formula1>', page)
    assert lists == ["strength,weakness,opportunity,threat", "customer,partner,employee", "1,2,3,4,5", "1,2,3,4,5"]
    with zipfile.ZipFile(templates / "workshop" / "templates" / "touchpoints.xlsx") as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<formula1>"need,information,comparison,' in page


def test_the_items_of_the_checklists_are_offered_with_what_they_ask(templates):
    path = templates / "workshop" / "templates" / "checklist.xlsx"
    known = read_checklists()
    with zipfile.ZipFile(path) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
    assert f"<formula1>items!$A$2:$A${len(known) + 1}</formula1>" in page
    frame = pd.read_excel(path, sheet_name="items", engine="calamine")
    assert frame["item"].tolist() == known["item"].tolist()
    assert frame["what is true when it is fully done"].tolist() == known["text"].tolist()
    assert frame.columns[-1].startswith("score: 0 not at all, 1 begun")


def test_the_same_bytes_each_time(templates, tmp_path):
    for path in sheet_templates.write_templates(tmp_path / "workshop"):
        there = templates / path.relative_to(tmp_path)
        assert path.read_bytes() == there.read_bytes(), path.name


def test_the_page_beside_them_names_every_sheet(templates):
    told = (templates / "workshop" / "READ_ME.txt").read_text(encoding="utf-8")
    assert all(f"  {name} " in told for name in SHEETS)
    assert "never read" in told
