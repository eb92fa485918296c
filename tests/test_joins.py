"""Files joined to a table's own: whose columns they are, which record counts, what is said of the rest."""

import pandas as pd
import pytest
from sources_client import make_client, settings

from cxkit import engine, shaping
from cxkit.errors import DataError

LINES = "order,goods,price\n"
HEADS = "order,who,at\n"
COLUMNS = {"order_id": "order", "customer_id": "who", "ordered_at": "at", "amount": "price"}


def joined(folder, files: dict[str, str | bytes], *, threads: int = 2, **more):
    client = make_client(folder, settings(orders={"path": "lines.csv", "columns": COLUMNS, **more}), **files)
    con = engine.connect(threads=threads)
    try:
        found = shaping.shape(con, client, "orders", work=folder)
        frame = engine.collect(found.records, order_by="line")
    finally:
        con.disconnect()
    frame = frame.rename(columns={name: raw for raw, name in found.names.items()}).astype(object)
    return frame.where(frame.notna().to_numpy(), None), found.notes


def test_the_first_record_with_the_key_stands_beside(tmp_path):
    """Blank keys on both sides, keys with blanks around them, a key twice, a key that nobody names."""
    files = {
        "lines_csv": LINES + "1,A,10\n 2 ,B,20\n1,C,30\n,D,40\n9,E,50\n3,F,60\n",
        "heads_csv": HEADS + "2,b,d2\n1,a,d1\n1,x,d1\n,n,d0\n3,c,d3\n3,c,d3\n8,h,d8\n",
    }
    frame, notes = joined(tmp_path, files, join=[{"path": "heads.csv", "on": "order"}])
    assert frame.who.tolist() == ["a", "b", "a", None, None, "c"]
    assert frame["at"].tolist() == ["d1", "d2", "d1", None, None, "d3"]
    assert notes == [
        "heads.csv has no record for 2 of 6 records (1 of them have no order): what it would give stays empty.",
        "1 values of order stand in several records of heads.csv with different content: the first record counts.",
        "1 of 4 keys of heads.csv are named by no record.",
    ]


def test_a_file_is_joined_by_what_one_before_it_gave(tmp_path):
    files = {
        "lines_csv": LINES + "1,A,10\n2,B,20\n",
        "heads_csv": "no,client,at\n1,k1,d1\n2,k2,d2\n",
        "people_csv": "client;who\nk2;b\nk1;a\n",
    }
    join = [{"path": "heads.csv", "on": "order", "key": "no"}, {"path": "people.csv", "on": "client", "delimiter": ";"}]
    frame, notes = joined(tmp_path, files, join=join)
    assert (frame.who.tolist(), frame["at"].tolist(), notes) == (["a", "b"], ["d1", "d2"], [])
    with pytest.raises(DataError, match=r"tables.orders.join.0.on: no column 'client' in lines.csv; it stands in a"):
        joined(tmp_path, files, join=join[::-1])


def test_a_column_of_both_is_the_tables_own(tmp_path):
    files = {"lines_csv": "order,price,at\n1,10,own\n", "heads_csv": HEADS + "1,a,theirs\n"}
    frame, _ = joined(tmp_path, files, join=[{"path": "heads.csv", "on": "order"}])
    assert frame["at"].tolist() == ["own"]


def test_records_that_repeat_are_told_by_the_tables_own_file(tmp_path):
    """Two equal lines stay equal, whatever stands beside them."""
    files = {"lines_csv": LINES + "1,A,10\n1,A,10\n1,A,11\n", "heads_csv": HEADS + "1,a,d\n"}
    frame, _ = joined(tmp_path, files, join=[{"path": "heads.csv", "on": "order"}])
    assert frame.is_duplicate.tolist() == [False, True, False]


def test_what_is_nowhere_and_what_cannot_be_read_is_told_together(tmp_path):
    files = {"lines_csv": LINES + "1,A,10\n", "heads_csv": "order,who\n1,a\n"}
    with pytest.raises(DataError, match=r"table 'orders', file lines.csv: no column 'at'"):
        joined(tmp_path, files, join=[{"path": "heads.csv", "on": "order"}])
    with pytest.raises(DataError, match=r"table 'orders', join.0, file heads.csv: no column 'nr'.*join.0.key"):
        joined(tmp_path, {**files, "heads_csv": HEADS + "1,a,d\n"}, join=[
            {"path": "heads.csv", "on": "order", "key": "nr"}])  # fmt: skip
    with pytest.raises(DataError) as error:
        joined(tmp_path, {"lines_csv": b"", "heads_csv": b""}, join=[{"path": "heads.csv", "on": "order"}])
    assert "lines.csv" in str(error.value)
    assert "heads.csv" in str(error.value)


def test_torn_records_of_a_joined_file_are_told(tmp_path):
    files = {"lines_csv": LINES + "1,A,10\n", "heads_csv": HEADS + "1,a\n1,b,d\n"}
    frame, notes = joined(tmp_path, files, join=[{"path": "heads.csv", "on": "order"}])
    assert frame.who.tolist() == ["b"]
    assert notes == [
        "of heads.csv, records could not be read and give nothing: 1 × record has fewer cells than the header."
    ]


def test_a_parquet_file_with_numbers_for_keys(tmp_path):
    pd.DataFrame({"order": [1.0, 2.0], "who": ["a", "b"], "at": ["d", "e"]}).to_parquet(tmp_path / "heads.parquet")
    frame, _ = joined(
        tmp_path, {"lines_csv": LINES + "2,A,1\n1,B,2\n"}, join=[{"path": "heads.parquet", "on": "order"}]
    )
    assert frame.who.tolist() == ["b", "a"]


def test_the_same_whatever_the_threads(tmp_path):
    lines = "".join(f"{i % 700},g{i},{i}\n" for i in range(5000))
    heads = "".join(f"{i % 650},w{i},d{i % 3}\n" for i in range(2000))
    found, join = [], [{"path": "heads.csv", "on": "order"}]
    for threads in (1, 2):
        files = {"lines_csv": LINES + lines, "heads_csv": HEADS + heads}
        found.append(joined(tmp_path / str(threads), files, threads=threads, join=join))
    pd.testing.assert_frame_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert found[0][0].who[:3].tolist() == ["w0", "w1", "w2"]
