"""What stands beside a record before it is read: once per order, shared money, questions; tables checkable by eye."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sources_client import make_client, settings

from cxkit import engine, shaping, sources

HEADER = "Name,Email,Date,Subtotal,Price,Qty"
COLUMNS = {"order_id": "Name", "customer_id": "Email", "ordered_at": "Date", "amount": "Price"}
SHARED = {**COLUMNS, "amount": {"share": "Subtotal", "by": ["Price", "Qty"]}}


def shaped(folder, *rows: str, threads: int = 2, first: str = HEADER, table: str = "orders", **more):
    """The records as they are after shaping, in their order, under the raw columns' own names; and the notes."""
    export = {"path": "a.csv", "columns": COLUMNS, **more}
    client = make_client(folder, settings(**{table: export}), a_csv="\n".join([first, *rows]) + "\n")
    con = engine.connect(threads=threads)
    found = shaping.shape(con, client, table, work=folder)
    frame = engine.collect(found.records, order_by=["line", "part"])
    con.disconnect()
    names = {name: raw for raw, name in found.names.items()}
    return frame.rename(columns=names).astype(object).where(frame.notna().to_numpy(), None), found


def column(frame, name):
    return [None if v is None or pd.isna(v) else v for v in frame[name]]


def test_without_keys_of_its_own_nothing_is_changed(tmp_path):
    frame, found = shaped(tmp_path, "1,a,2024-03-01,,10,1", "1,,,,20,1")
    assert column(frame, "Email") == ["a", None]
    assert frame.part.tolist() == [0, 0]
    assert (found.notes, found.duplicates, found.files) == ([], 0, ["a.csv"])


def test_a_blank_takes_the_first_filled_value_of_its_order(tmp_path):
    """Heads after their lines, orders that lie among each other, blanks of blanks, an order without any."""
    rows = [
        "1,,2024-03-01,,10,1",
        "2,b,2024-03-02,,20,1",
        " 1 ,a,,,30,1",
        "2, ,2024-03-09,,40,1",
        "1,c,,,50,1",
        "3,,2024-03-03,,60,1",
        ",,,,70,1",
        ",d,2024-03-04,,80,1",
    ]
    frame, found = shaped(tmp_path, *rows, once_per_order=["customer_id", "ordered_at"])
    assert column(frame, "Email") == ["a", "b", "a", "b", "c", None, None, "d"]
    days = ["2024-03-01", "2024-03-02", "2024-03-01", "2024-03-09", "2024-03-01", "2024-03-03", None, "2024-03-04"]
    assert column(frame, "Date") == days
    assert found.notes == [
        "once_per_order: blank values took the first filled one of their order: 2 of customer_id, 2 of ordered_at."
    ]


def test_what_a_rule_asks_about_may_stand_once_per_order(tmp_path):
    """A test order is left out with all its lines, though only the first one is tagged."""
    export = {
        "path": "a.csv",
        "columns": COLUMNS,
        "once_per_order": ["customer_id", "ordered_at", "Tags"],
        "leave_out": {"Tags": ["*test*"]},
    }
    rows = ["1,a,2024-03-01,,10,1,vip", "1,,,,20,1,", '2,b,2024-03-02,,30,1,"vip, TEST"', "2,,,,40,1,"]
    text = "\n".join([HEADER + ",Tags", *rows]) + "\n"
    account = sources.load(make_client(tmp_path, settings(orders=export), a_csv=text)).accounts["orders"]
    assert (account["kept"], account["refused"]) == (2, {"left out by leave_out (Tags)": 2})


def test_the_currency_stands_once_per_order_too(tmp_path):
    frame, found = shaped(
        tmp_path,
        "1,a,2024-03-01,UAH,10,1",
        "1,,,,20,1",
        once_per_order=["customer_id"],
        currency_column="Subtotal",
    )
    assert column(frame, "Subtotal") == ["UAH", "UAH"]
    assert "1 of customer_id, 1 of currency_column" in found.notes[0]


SHARES = {
    "by what they cost": (["1,a,d,90,10,1", "1,a,d,,20,4"], [10, 80]),
    "the last takes the rest": (["1,a,d,100,1,1", "1,b,d,,1,1", "1,c,d,,1,1"], [33.3333, 33.3333, 33.3334]),
    "a gift weighs nothing": (["1,a,d,100,1,1", "1,a,d,,2,1", "1,a,d,,0,1"], [33.3333, 66.6667, 0]),
    "all gifts: equal": (["1,a,d,10,0,1", "1,a,d,,0,1"], [5, 5]),
    "one without a price: equal": (["1,a,d,10,9,1", "1,a,d,,,1"], [5, 5]),
    "one line": (["1,a,d,10,,"], [10]),
    "the head comes last": (["1,a,d,,1,1", "2,a,d,,5,1", "1,a,d,30,2,1", "2,a,d,7,5,1"], [10, 3.5, 20, 3.5]),
    "money given back": (["1,a,d,-30,10,1", "1,a,d,,20,1"], [-10, -20]),
    "all lines below zero": (["1,a,d,-30,10,-1", "1,a,d,,20,-1"], [-10, -20]),
    "a discount among the lines": (["1,a,d,80,100,1", "1,a,d,,-20,1"], [100, -20]),
    "both signs, far off: equal": (["1,a,d,80,100,1", "1,a,d,,-99,1"], [40, 40]),
    "both signs, to nothing: equal": (["1,a,d,80,100,1", "1,a,d,,-100,1"], [40, 40]),
    "nothing to share": (["1,a,d,0,100,1", "1,a,d,,100,1"], [0, 0]),
    "no money": (["1,a,d,,100,1", "1,a,d,x,100,1"], [None, None]),
    "with the currency's mark": (["1,a,d,₴ 30,10 грн.,1", '1,a,d,,"20.00",1'], [10, 20]),
    "another currency's": (["1,a,d,30 zł,10,1"], [None]),
    "given twice alike": (["1,a,d,9,1,1", "1,b,d,9,2,1"], [3, 6]),
    "given twice, unlike": (["1,a,d,9,1,1", "1,b,d,99,2,1"], [3, 6]),
    "a repeated record gets nothing": (["1,a,d,9,1,1", "1,a,d,9,1,1", "1,a,d,,2,1"], [3, None, 6]),
}


def test_an_orders_money_is_shared_out(tmp_path):
    """All cases in one file, the orders' numbers with the case's before them."""
    rows = [f"{case[0]}{i}{row}" for i, (case, (rows, _)) in enumerate(SHARES.items()) for row in rows]
    frame, _ = shaped(tmp_path, *rows, columns=SHARED)
    found = iter(column(frame, "shared_amount"))
    assert {case: [next(found) for _ in rows] for case, (rows, _) in SHARES.items()} == {
        case: parts for case, (_, parts) in SHARES.items()
    }


def test_a_line_without_an_order_has_no_part(tmp_path):
    frame, found = shaped(tmp_path, ",a,d,9,1,1", "1,a,d,9,1,1", columns=SHARED)
    assert column(frame, "shared_amount") == [None, 9]
    assert len(found.notes) == 1


def test_repeated_records_that_are_kept_get_their_part(tmp_path):
    frame, _ = shaped(tmp_path, "1,a,d,9,1,1", "1,a,d,9,1,1", columns=SHARED, duplicates="keep")
    assert column(frame, "shared_amount") == [4.5, 4.5]


def test_sharing_says_what_rests_on_it(tmp_path):
    rows = ["1,a,d,10,0,1", "1,a,d,,0,1", "2,a,d,9,1,1", "2,a,d,8,1,1", "3,a,d,,1,1"]
    _, found = shaped(tmp_path, *rows, columns=SHARED)
    assert found.notes == [
        "amount is the money of 2 orders (Subtotal) shared out over their 4 lines in proportion to Price × Qty.",
        "amount: in 1 orders of several lines all lines got equal parts: what is said per product rests on that.",
        "amount: in 1 orders Subtotal differs from line to line; the first filled value was taken for the whole order."
        " If it is a line's own money, map it without share.",
        "amount: 1 orders have no Subtotal, so their lines have none.",
    ]


MONEY = st.integers(-(10**9), 10**9).map(lambda cents: cents / 100)
LINES = st.lists(st.tuples(st.integers(1, 6), st.integers(-3, 100), st.integers(0, 3)), min_size=1, max_size=30)


@hypothesis_settings(max_examples=6, deadline=None)
@given(money=st.tuples(*[MONEY] * 6), lines=LINES)
def test_the_parts_of_an_order_add_up_to_its_money(tmp_path_factory, money, lines):
    seen: set[int] = set()
    rows = []
    for i, (order, price, pieces) in enumerate(lines):
        rows.append(f"{order},c{i},d,{'' if order in seen else money[order - 1]},{price},{pieces}")
        seen.add(order)
    frame, _ = shaped(tmp_path_factory.mktemp("share"), *rows, columns=SHARED)
    sums = frame.assign(amount=frame.shared_amount.astype(float)).groupby("Name").amount.sum()
    assert sums.to_dict() == pytest.approx({str(o): money[o - 1] for o in seen}, abs=1e-6)


WIDE = {"columns": {"answered_at": "At", "customer_id": "Who"}, "table": "surveys"}
QUESTIONS = {
    "Recommend?": {"metric": "nps", "comment": "Why?"},
    "Happy?": {"metric": "csi_item", "item": "Price", "touchpoint": "checkout"},
}


def test_a_record_of_several_questions_becomes_a_record_an_answer(tmp_path):
    rows = ["d1,a,9,4,nice", "d2,b,,5,", "d2,b,,5,"]
    frame, found = shaped(tmp_path, *rows, first="At,Who,Recommend?,Happy?,Why?", questions=QUESTIONS, **WIDE)
    assert frame.part.tolist() == [1, 2, 1, 2, 1, 2]
    assert column(frame, "Who") == ["a", "a", "b", "b", "b", "b"]
    assert column(frame, "q_metric") == ["nps", "csi_item"] * 3
    assert column(frame, "q_item") == [None, "Price"] * 3
    assert column(frame, "q_touchpoint") == [None, "checkout"] * 3
    assert column(frame, "q_survey_id") == [None] * 6
    assert column(frame, "q_score") == ["9", "4", None, "5", None, "5"]
    assert column(frame, "q_comment") == ["nice", None, None, None, None, None]
    assert frame.is_duplicate.tolist() == [False] * 4 + [True] * 2
    assert found.notes == ["each record holds the answers to 2 questions: a row an answer."]


def test_parquet_of_several_types(tmp_path):
    frame = pd.DataFrame({"At": ["d"], "Who": [7], "Recommend?": [9], "Happy?": ["4"], "Why?": ["x"]})
    frame.to_parquet(tmp_path / "a.parquet")
    found, _ = shaped(tmp_path, questions=QUESTIONS, path="a.parquet", **WIDE)
    assert column(found, "q_score") == ["9", "4"]
    orders = pd.DataFrame({"Name": [1, 1, 2], "Email": ["a", None, "b"], "Date": ["d", None, "d"]})
    orders.assign(Subtotal=[30.0, None, 5.0], Price=[1.0, 2.0, 1.0], Qty=[1, 1, 1]).to_parquet(tmp_path / "o.parquet")
    found, _ = shaped(tmp_path, path="o.parquet", columns=SHARED, once_per_order=["customer_id"])
    assert column(found, "Email") == ["a", "a", "b"]
    assert column(found, "shared_amount") == [10, 20, 5]


def test_orders_that_lie_in_two_files_and_the_same_bytes_whatever_the_threads(tmp_path):
    rows = [f"{i % 97},{'a' if i < 97 else ''},d,{i if i < 97 else ''},{i % 7},{i % 3}" for i in range(3000)]
    found = []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        (folder / "b.csv").write_text("\n".join([HEADER, *rows[1500:]]) + "\n", encoding="utf-8")
        more = {"columns": SHARED, "once_per_order": ["customer_id"], "duplicates": "keep"}
        frame, _ = shaped(folder, *rows[:1500], threads=threads, **more, path=["a.csv", "b.csv"])
        found.append(frame)
    pd.testing.assert_frame_equal(*found)
    assert set(column(found[0], "Email")) == {"a"}
    sums = found[0].groupby("Name").shared_amount.sum()
    assert {int(k): v for k, v in sums.items()} == pytest.approx({i: float(i) for i in range(97)})


OFF = {"multiply": ["Price", "Qty"], "minus": [{"share": "Subtotal", "by": ["Price", "Qty"]}]}


def loaded_orders(folder, *rows, amount):
    export = {"path": "a.csv", "columns": {**COLUMNS, "amount": amount}, "max_refused_share": 1.0}
    text = "\n".join([HEADER, *rows]) + "\n"
    loaded = sources.load(make_client(folder, settings(orders=export), a_csv=text))
    return loaded.accounts["orders"], pd.read_parquet(loaded.tables["orders"])


def test_an_orders_discount_is_taken_off_its_lines_once(tmp_path):
    """Order 1: 10 of 100 off, by what the lines cost; order 2 has none; order 3's cannot be read; order 4 is free."""
    rows = [
        "1,a,2024-03-01,10,20,1",
        "1,a,2024-03-01,10,40,2",
        "2,b,2024-03-02,,5,1",
        "3,c,2024-03-03,some,5,1",
        "4,d,2024-03-03,10,3.33,1",
        "4,d,2024-03-03,10,6.67,1",
    ]
    account, orders = loaded_orders(tmp_path, *rows, amount=OFF)
    assert orders[["order_id", "amount"]].to_numpy().tolist() == [["1", 18.0], ["1", 72.0], ["2", 5.0]]
    assert account["refused"] == {
        "amount not above zero": 2,
        "amount not readable as a number with the decimal mark '.'": 1,
    }
    assert account["notes"][:3] == [
        "what minus takes off amount is the money of 2 orders (Subtotal) shared out over their 4 lines in"
        " proportion to Price × Qty.",
        "what minus takes off amount: 1 orders have no Subtotal, so nothing is taken off.",
        "what minus takes off amount: in 1 orders Subtotal is not readable as money, so their lines have no amount.",
    ]


def test_a_sale_of_which_too_much_is_taken_off_is_no_return(tmp_path):
    rows = ["1,a,2024-03-01,100,20,1", "2,b,2024-03-02,,5,1", "3,c,2024-03-02,,5,-1"]
    account, orders = loaded_orders(tmp_path, *rows, amount={"multiply": ["Price", "Qty"], "minus": "Subtotal"})
    assert account["refused"] == {"amount is below zero: minus takes off more than the product is": 1}
    assert account["seen"]["returns"] == 1
    assert orders.order_id.tolist() == ["2", "3"]
