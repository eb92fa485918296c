"""The tables' contract in code, and what counts as an order."""

from datetime import date
from pathlib import Path

import ibis
import pandas as pd

from cxkit.tables import SHEETS, TABLES, TYPES, counted_lines, order_totals

LINES = pd.DataFrame(
    [
        ("1", "a", "2024-01-02", 10.0, 2.0, 0.0, "completed", "X"),
        ("1", "a", "2024-01-01", 20.0, 1.0, 5.0, "partly_returned", "Y"),
        ("2", "a", "2024-02-01", 30.0, 1.0, 0.0, "cancelled", "X"),
        ("3", None, "2024-02-02", 40.0, 1.0, 40.0, "returned", "X"),
        ("C9", "a", "2024-02-03", 0.0, 0.0, 7.0, "returned", "Z"),
    ],
    columns=["order_id", "customer_id", "ordered_at", "amount", "quantity", "refund", "status", "product_id"],
).assign(ordered_at=lambda f: pd.to_datetime(f.ordered_at), ordered_on=lambda f: f.ordered_at.dt.date)


def test_every_table_and_sheet_is_there_with_known_types():
    assert list(TABLES) == [
        "orders", "customers", "events", "surveys", "reviews", "contacts", "searches", "invitations", "catalogue",
    ]  # fmt: skip
    assert list(SHEETS) == [
        "swot", "touchpoints", "criteria", "checklist", "actions", "register", "context", "quotes", "personas",
    ]  # fmt: skip
    for table in [*TABLES.values(), *SHEETS.values()]:
        assert {c.type for c in table.columns.values()} <= set(TYPES)
        assert table.time is None or table.columns[table.time].type == "time"
        assert table.unique is None or table.columns[table.unique].required
        assert set(table.one_of) <= set(table.columns)
    assert [c.name for c in TABLES["orders"].columns.values() if c.required] == [
        "order_id",
        "ordered_at",
        "ordered_on",
        "amount",
    ]
    assert SHEETS["checklist"].columns["score"].scale == (0, 4)
    assert [c.name for t in TABLES.values() for c in t.columns.values() if c.free_text] == [
        "reason", "comment", "text", "reason", "text", "query",
    ]  # fmt: skip


def test_every_time_that_places_a_row_has_its_local_day_behind_it():
    days = {name: table.day for name, table in TABLES.items()}
    assert days == {
        "orders": "ordered_on",
        "customers": "joined_on",
        "events": "occurred_on",
        "surveys": "answered_on",
        "reviews": "written_on",
        "contacts": "opened_on",
        "searches": "searched_on",
        "invitations": "invited_on",
        "catalogue": None,
    }
    derived = [c for t in TABLES.values() for c in t.columns.values() if c.derived]
    assert [c.name for c in derived] == [day for day in days.values() if day]
    for table in TABLES.values():
        if table.time:
            time, day = table.columns[table.time], table.columns[table.day]
            assert list(table.columns).index(day.name) == list(table.columns).index(time.name) + 1
            assert (day.type, day.derived, day.required) == ("date", True, time.required)


def test_where_the_meaning_is_a_list_only_its_words_are_valid():
    assert TABLES["orders"].columns["status"].valid == ("completed", "cancelled", "returned", "partly_returned")
    assert TABLES["surveys"].columns["metric"].valid == ("nps", "csat", "ces", "csi_item", "expectation")
    assert SHEETS["swot"].columns["quadrant"].valid == ("strength", "weakness", "opportunity", "threat")
    assert SHEETS["context"].columns["quadrant"].valid == ("opportunity", "threat")
    assert SHEETS["criteria"].columns["voice"].valid == ("customer", "partner", "employee")
    assert len(SHEETS["register"].columns["kind"].valid) == 6


def test_no_canonical_column_holds_names_or_addresses():
    names = {c for t in TABLES.values() for c in t.columns}
    assert not names & {"email", "phone", "name", "first_name", "last_name", "address", "ip"}


def test_cancelled_lines_do_not_count_and_a_lone_return_is_no_sale():
    counted = counted_lines(ibis.memtable(LINES)).order_by("order_id").to_pandas()
    assert counted.order_id.tolist() == ["1", "1", "3", "C9"]
    assert counted.is_sale.tolist() == [True, True, True, False]
    assert counted.revenue.sum() == 10 + 15 + 0 - 7


def test_an_order_is_its_lines():
    totals = order_totals(ibis.memtable(LINES)).order_by("order_id").to_pandas().set_index("order_id")
    assert totals.index.tolist() == ["1", "3"]
    first = totals.loc["1"]
    assert (first.amount, first.refund, first.revenue, first.quantity, first.products) == (30, 5, 25, 3, 2)
    assert first.ordered_at == pd.Timestamp("2024-01-01")
    assert pd.Timestamp(first.ordered_on).date() == date(2024, 1, 1)
    assert pd.isna(totals.loc["3"].customer_id)
    assert totals.loc["3"].revenue == 0


def test_bare_orders_are_complete_ones():
    bare = ibis.memtable(LINES[["order_id", "customer_id", "ordered_at", "ordered_on", "amount"]])
    assert order_totals(bare).count().execute() == 3
    assert "quantity" not in order_totals(bare).columns


def test_the_page_of_the_tables_names_every_column():
    page = (Path(__file__).parents[1] / "docs/tables.md").read_text(encoding="utf-8")
    missing = [f"{t.name}.{c}" for t in [*TABLES.values(), *SHEETS.values()] for c in t.columns if c not in page]
    assert missing == []
