"""A file through the door before there is a client: what it tells, and what it leaves out."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from cxkit import inspect_file, proposal
from cxkit.trial_run import _shown, is_open, known_part, trial

HEADER = "Order ID,Customer ID,Order date,Product,Quantity,Line total,Currency,Status"
ROWS = [
    f"{i},c{i % 5},2026-03-{i % 27 + 1:02d} 10:0{i % 10}:00,Pram,{i % 3 + 1},{i + 1}.50,UAH,paid" for i in range(40)
]


def tried(path, *rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (found,) = inspect_file.look(path)
    return found, trial(found, proposal.combine([found]))


def test_what_is_kept_and_each_reason_once(tmp_path):
    bad = ["", "40,c1,2026-03-01 10:00:00,Pram,1,free,UAH,paid", *[ROWS[0]] * 9, "41,c1,soon,Pram,1,3.50,UAH,paid"]
    found, told = tried(tmp_path / "orders.csv", *ROWS, *bad)
    assert found.table == "orders"
    assert told[0] == "Trial run: 51 records in, 40 kept, 11 refused."
    assert told[1] == "  9 × exact duplicate of an earlier record"
    shown = told[told.index("The first of them, each reason once at least:") + 1 :]
    assert shown[0].startswith("  record 41, Line total 'free': amount not readable as a number")
    assert shown[-1].startswith("  record 51, Order date 'soon': ordered_at not readable as ")
    assert len(shown) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["orders.csv"], "nothing of it stays"


def test_a_file_without_records_is_not_tried(tmp_path):
    _, told = tried(tmp_path / "orders.csv")
    assert told == ["No trial run: the file holds no records."]


@dataclass
class Form:
    path: Path = Path("x.csv")
    rows: int = 3


@dataclass
class Found:
    table: str | None
    form: Form


@dataclass
class Plan:
    tables: dict


COLUMNS = {"order_id": "a", "ordered_at": "b", "amount": "c"}


@pytest.mark.parametrize(
    ("table", "settings", "lacking"),
    [
        ("orders", {"columns": COLUMNS | {"amount": "???"}}, "amount"),
        ("orders", {"columns": COLUMNS | {"amount": {"multiply": ["Price", "???"]}}}, "amount"),
        ("orders", {"columns": COLUMNS, "date_format": {"ordered_at": ["???"]}}, "date_format"),
        ("orders", {"columns": COLUMNS, "decimal": "???", "encoding": "???"}, "encoding, decimal"),
        ("events", {"columns": {"occurred_at": "a", "touchpoint": "b"}}, "session_id or customer_id"),
        ("surveys", {"columns": {"answered_at": "a"}, "questions": {"Q": {"metric": "???"}}}, "questions"),
        ("surveys", {"columns": {"answered_at": "a", "metric": "m"}}, "score"),
    ],
)
def test_what_a_reading_cannot_do_without_is_named(table, settings, lacking):
    told = trial(Found(table, Form()), Plan({table: settings}))
    assert told == [f"No trial run before these are told in client.yml: {lacking}."]


def test_a_file_that_feeds_nothing_is_not_tried():
    assert trial(Found(None, Form()), Plan({})) == ["No trial run: nothing says which table the file feeds."]


def test_what_is_open_goes_with_what_rests_on_it():
    settings = {
        "path": ["x"],
        "columns": {"order_id": "a", "status": "???", "quantity": "q"},
        "values": {"status": {"paid": "completed"}, "channel": {"x": "???"}},
        "strip_suffix": {"status": ".0", "order_id": ".0"},
        "once_per_order": ["status", "quantity"],
        "rates": {"EUR": 40, "PLN": "???"},
        "keep_only": {"x": "???"},
        "join": [{"path": "y", "on": "a"}],
    }
    assert known_part(settings) == {
        "path": ["x"],
        "columns": {"order_id": "a", "quantity": "q"},
        "strip_suffix": {"order_id": ".0"},
        "once_per_order": ["quantity"],
        "rates": {"EUR": 40},
    }


def test_open_is_open_however_deep():
    assert is_open({"a": [{"b": "???"}]})
    assert is_open({"???": 1})
    assert not is_open({"a": ["???x", 1, None]})


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        ("12.13.2026", "time", "'12.13.2026'"),
        ("olena@x.ua", "id", "(like 'aaaaa@a.aa')"),
        ("Olena Koval", "text", "(like 'aaaaa aaaaa')"),
        ("+380 67 123 45 67", "id", "(like '+999 99 999 99 99')"),
        ("x" * 40, "id", f"(like '{'a' * 30}')"),
        ("a\x1b[31mb", "id", "'a[31mb'"),
    ],
)
def test_a_refused_value_that_may_be_personal_is_a_shape(value, kind, shown):
    assert _shown(value, kind) == shown
