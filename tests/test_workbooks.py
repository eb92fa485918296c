"""What a workbook's worksheet holds: cells as texts, which worksheet, and what cannot be read."""

import datetime

import pandas as pd
import pytest
from client_files import COLUMNS, orders_workbook, workbook
from sources_client import adds_up, make_client, orders_export, settings

from cxkit import sources, workbook_cells, workbooks
from cxkit.errors import DataError


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", None),
        ("007", "007"),
        (" a\nb ", " a\nb "),
        (17850.0, "17850"),
        (-3, "-3"),
        (1e20, "100000000000000000000"),
        (1234.5, "1234,5"),
        (1.5e-7, "0,00000015"),
        (True, "true"),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (datetime.datetime(2024, 3, 1, 10, 5), "2024-03-01 10:05:00"),
        (datetime.time(10, 5), "10:05:00"),
        (datetime.timedelta(hours=42, minutes=5), "42:05:00"),
    ],
)
def test_a_cell_is_a_text(cell, text):
    assert workbook_cells.cell_text(cell, decimal=",") == text


def rows(path, sheet=None):
    return list(workbooks.rows_as_texts(path, sheet=sheet))


def test_the_first_worksheet_with_anything_in_it_or_the_named_one(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook([["a"], [], [1]], sheets={"Empty": [], "First": [["x"]]}))
    assert rows(path) == [["x"]]
    assert rows(path, "Orders") == [["a"], ["1"]]  # an empty row is no record
    with pytest.raises(DataError, match=r"it has no worksheet 'Order'; it has 'Empty', 'First', 'Orders'. Mend sheet"):
        rows(path, "Order")
    path.write_bytes(workbook([]))
    with pytest.raises(DataError, match="none of its worksheets holds anything"):
        rows(path)


@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95])
def test_a_damaged_workbook_is_told(tmp_path, cut):
    path = tmp_path / "a.xlsx"
    whole = orders_workbook()
    path.write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(DataError, match=r"it cannot be read as a workbook: .*Save it anew as .xlsx, or as .csv"):
        rows(path)


def test_a_lone_cell_in_the_farthest_corner_does_not_fill_the_memory(tmp_path):
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Order")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(DataError, match="it needs more than 3 GB of memory to be opened"):
        rows(path)


def test_a_workbook_is_read_whatever_stands_above_and_beside_the_table(tmp_path):
    """A title, an empty row, two header rows, a second worksheet; numbers with a declared decimal comma."""
    when = datetime.datetime(2024, 3, 1, 10, 5)
    head = [["Orders of March"], [], ["Order", "", "Sum", "Sum", ""], ["No", "Client", "net", "gross", ""]]
    cells = [["007", "a", 10.25, 1234.567, "note"], [17850, "b", when, 3, ""]]
    raw = workbook([*head, *cells, []], sheets={"Front page": []})
    export = orders_export(
        path="orders.xlsx",
        header=[2, 3],
        decimal=",",
        columns={"order_id": "Order No", "customer_id": "Order Client", "ordered_at": "Sum net", "amount": "Sum gross"},
    )
    loaded = sources.load(make_client(tmp_path, settings(orders=export), orders_xlsx=raw))
    adds_up(loaded)
    assert loaded.accounts["orders"]["rows_in"] == 2
    orders = pd.read_parquet(loaded.tables["orders"])  # the first line's time is a number
    assert orders[["order_id", "amount"]].values.tolist() == [["17850", 3.0]]


def test_the_columns_order_makes_no_difference(tmp_path):
    """Equal lines are told apart by all their cells, in whatever order the columns stand."""
    cells = [["1", "a", "2024-03-01", 10, 1, "X", "n"], ["1", "a", "2024-03-01", 10, 1, "X", "m"]]
    found = []
    for turn in (1, -1):
        raw = workbook([[*COLUMNS, "Note"][::turn], *[row[::turn] for row in [*cells, cells[0]]]])
        client = make_client(tmp_path / str(turn), settings(orders=orders_export(path="orders.xlsx")), orders_xlsx=raw)
        loaded = sources.load(client)
        assert loaded.accounts["orders"]["refused"] == {"exact duplicate of an earlier record": 1}
        found.append(pd.read_parquet(loaded.tables["orders"]).drop(columns="customer_id"))
    pd.testing.assert_frame_equal(*found)
