"""A large plain file in one pass: what comes of it is what the long way makes of it."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sources_client import GOOD, HEADER, make_client, orders_export, refused, settings

from cxkit import door, one_pass, sources

STATUS = {"Виконано": "completed", "Скасовано": "cancelled"}


def client(folder, *rows, engine=None, tables=None, **more):
    wanted = settings(orders=orders_export(**more), **(tables or {}))
    wanted |= {"engine": engine} if engine else {}
    found = make_client(folder, wanted, orders_csv="\n".join([HEADER, *rows]) + "\n")
    (folder / "private").mkdir(mode=0o700, exist_ok=True)
    (folder / "private" / "key").write_text("ab" * 32 + "\n", encoding="ascii")
    return found


@pytest.fixture
def whole(monkeypatch):
    """The tables that one pass made; every file is large enough for it."""
    made, read = [], one_pass.read

    def told(con, client, table, **more):
        found = read(con, client, table, **more)
        made.extend([table] if found else [])
        return found

    monkeypatch.setattr(one_pass, "LEAST_BYTES", 0)
    monkeypatch.setattr(one_pass, "read", told)
    return made


def both(folder, monkeypatch, rows, **more):
    """What the one way and the other leave: the canonical table, the accounts, the refused rows, the last day."""
    found = []
    for name, least in (("at_once", 0), ("long", 1 << 60)):
        monkeypatch.setattr(one_pass, "LEAST_BYTES", least)
        loaded = sources.load(client(folder / name, *rows, **more))
        accounts = json.dumps(loaded.accounts, ensure_ascii=False, sort_keys=True)
        found.append((pd.read_parquet(loaded.tables["orders"]), accounts, refused(loaded), loaded.as_of))
    (one, two) = found
    pd.testing.assert_frame_equal(one[0], two[0])
    pd.testing.assert_frame_equal(one[2], two[2])
    assert one[1] == two[1]
    assert one[3] == two[3]


def test_a_plain_file_is_read_in_one_pass_and_nothing_differs(tmp_path, monkeypatch, whole):
    both(tmp_path, monkeypatch, [*GOOD, "4,,2024-03-05, 7 ,1,Y", '5,b,2024-03-05,"1,200.50",,'])
    assert whole == ["orders"]


DIRTY = {
    "a repeated record": GOOD[0],
    "no number": "9,a,2024-03-05,ten,1,X",
    "no time": "9,a,soon,10,1,X",
    "no order": ",a,2024-03-05,10,1,X",
    "nothing at all": ",,,,,",
    "a value left empty": "9,a,2024-03-05,10,many,X",
    "a return": "9,a,2024-03-05,-10,-1,X",
    "nothing sold": "9,a,2024-03-05,0,1,X",
    "another currency": "9,a,2024-03-05,10 USD,1,X",
    "a short record": "9,a,2024-03-05",
    "a long record": "9,a,2024-03-05,10,1,X,more",
    "line ends of two kinds": "9,a,2024-03-05,10,1,X\r",
    "a quotation mark inside a cell": '9,a,2024-03-05,10,1,"X" Y',
    "a day far ahead": "9,a,2099-03-05,10,1,X",
}


@pytest.mark.parametrize("row", DIRTY.values(), ids=DIRTY)
def test_what_needs_a_second_look_takes_the_long_way(tmp_path, monkeypatch, whole, row):
    both(tmp_path, monkeypatch, [*GOOD, row])
    assert whole == (["orders"] if row == DIRTY["a day far ahead"] else [])  # told by all days together


def test_a_row_after_a_set_as_of_takes_the_long_way(tmp_path, whole):
    loaded = sources.load(client(tmp_path, *GOOD), as_of="2024-03-01")
    assert (loaded.accounts["orders"]["kept"], loaded.accounts["orders"]["left_out"]) == (1, 2)
    assert not whole


BLANK_ENDS = ["4, a\u00a0,2024-03-05,\u00a07 , 1, Y", "5 ,b,2024-03-05,10,1,\u200b", '6,b,2024-03-05,10,1,"Z\n"']


def test_blanks_around_texts_and_numbers_need_no_second_look(tmp_path, monkeypatch, whole):
    columns = {"order_id": "Order", "customer_id": "Customer", "ordered_at": "Date", "amount": "Total"}
    columns |= {"quantity": "Qty", "product": "SKU"}
    both(tmp_path, monkeypatch, [*GOOD, *BLANK_ENDS], columns=columns)
    assert whole == ["orders"]
    loaded = sources.load(client(tmp_path / "at_once", *GOOD, *BLANK_ENDS, columns=columns))
    kept = pd.read_parquet(loaded.tables["orders"])
    assert kept.order_id.tolist()[-3:] == ["4", "5", "6"]
    assert kept["product"].fillna("nothing").tolist()[-3:] == ["Y", "nothing", "Z"]
    assert kept.customer_id.iloc[-3] == kept.customer_id.iloc[0]


def test_a_needed_text_of_blanks_alone_is_told_by_the_long_way(tmp_path, monkeypatch, whole):
    both(tmp_path, monkeypatch, [*GOOD, "\u00a0,a,2024-03-05,10,1,X"])
    assert whole == []


def test_a_mark_of_returns_is_found_behind_blanks(tmp_path, monkeypatch, whole):
    both(tmp_path, monkeypatch, [*GOOD, " C4,a,2024-03-05,10,1,X"], returns={"order_id_prefix": "C"})
    assert whole == []


def test_an_earlier_reading_is_met_without_a_pass_and_another_file_is_not(tmp_path, whole):
    first = sources.load(client(tmp_path, *GOOD))
    again = sources.load(client(tmp_path, *GOOD))
    assert (again.tables, again.inputs, whole) == (first.tables, first.inputs, ["orders"])
    other = sources.load(client(tmp_path, *GOOD[:-1]))
    assert other.inputs != first.inputs
    assert other.tables != first.tables
    assert whole == ["orders"] * 2


def test_the_entries_of_values_are_counted_as_they_stand_in_the_file(tmp_path, monkeypatch, whole):
    columns = {"order_id": "Order", "ordered_at": "Date", "amount": "Total", "status": "SKU"}
    rows = ["1,a,2024-03-01,10,1,Виконано", "2,b,2024-03-02,20,2, Скасовано", "3,b,2024-03-02,20,2,completed"]
    both(tmp_path, monkeypatch, rows, columns=columns, values={"status": {**STATUS, "Новий": "completed"}})
    assert whole == ["orders"]
    loaded = sources.load(client(tmp_path / "at_once", *rows, columns=columns, values={"status": STATUS}))
    assert loaded.accounts["orders"]["met"] == {"values.status": {"Виконано": 1, "Скасовано": 1}}


def test_words_that_hold_a_phone_take_the_long_way(tmp_path, monkeypatch):
    columns = {"order_id": "Order", "ordered_at": "Date", "amount": "Total", "channel": "SKU"}
    both(tmp_path, monkeypatch, ["1,a,2024-03-01,10,1,+380 67 123 45 67", *GOOD[1:]], columns=columns)


def test_customers_whom_another_table_lacks_are_told_by_their_own_ids(tmp_path, monkeypatch, whole):
    customers = {"path": "customers.csv", "columns": {"customer_id": "ID"}}
    for name in ("at_once", "long"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "customers.csv").write_text("ID\nA\nc\n", encoding="utf-8")
    both(tmp_path, monkeypatch, GOOD, tables={"customers": customers})
    assert whole == ["orders"]
    told = sources.load(client(tmp_path / "at_once", *GOOD, tables={"customers": customers})).accounts["orders"][
        "notes"
    ]
    assert "3 lines name 2 customers whom the table customers lacks; kept." in told
    assert any(note.startswith("1 of these customers differ from one that it has in capitals alone") for note in told)


cell = st.sampled_from(["", " ", "a", "ß", "10", "-3", "1 200,5", "2024-03-05", "x\u00a0", "_1", "NaN", "1e3"])
row = st.tuples(*[st.one_of(st.just(good), st.just(good), cell) for good in GOOD[1].split(",")])


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(row, min_size=1, max_size=4))
def test_whatever_the_cells_both_ways_leave_the_same(tmp_path_factory, monkeypatch, rows):
    both(tmp_path_factory.mktemp("any"), monkeypatch, [*GOOD, *(",".join(cells) for cells in rows)])


def test_many_rows_leave_the_same_bytes_whatever_the_threads(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(one_pass, "GROUP_ROWS", 10_000)
    rows = [
        f"{i // 3},k{i * 7919 % 5000},2024-03-{1 + i % 28:02d},{i % 900 + 1}.5,{i % 3 + 1},P{i}" for i in range(99_000)
    ]
    bytes_ = []
    for threads in (1, 2, 4, 2):
        folder = tmp_path / f"t{len(bytes_)}"
        bytes_.append(sources.load(client(folder, *rows, engine={"threads": threads})).tables["orders"].read_bytes())
    assert whole == ["orders"] * 4
    assert len(set(bytes_)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"once_per_order": ["customer_id"]},
        {"leave_out": {"SKU": "X"}},
        {"not_goods": ["P"]},
        {"columns": {"order_id": "Order", "ordered_at": "Date", "amount": {"multiply": ["Total", "Qty"]}}},
        {"columns": {"order_id": "Order", "ordered_at": "Date", "amount": "Total", "reason": "SKU"}},
    ],
)
def test_what_a_record_alone_does_not_tell_is_never_read_in_one_pass(tmp_path, monkeypatch, more):
    monkeypatch.setattr(one_pass, "LEAST_BYTES", 0)
    assert one_pass.may(client(tmp_path / "plain", *GOOD), "orders")
    assert not one_pass.may(client(tmp_path / "more", *GOOD, **more), "orders")


def test_a_small_file_is_not_worth_it(tmp_path):
    assert not one_pass.may(client(tmp_path, *GOOD), "orders")


def test_each_customer_gets_one_pseudonym():
    told = {}
    names = door._pseudonyms(told, ["a", "b", "a"], key=b"k")
    assert names[0] == names[2] != names[1]
    assert door._pseudonyms(told, ["b"], key=b"k") == [names[1]]
    assert set(told) == {"a", "b"}
