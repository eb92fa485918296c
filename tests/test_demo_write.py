"""Columns as texts: money, times, empty fields, dirt; files with fixed line ends."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit.demo_write import Exports, counts, ids, money, soil, stamps, texts, words, yes_no


@given(st.lists(st.datetimes(pd.Timestamp("2024-01-01"), pd.Timestamp("2027-01-01")), min_size=1, max_size=20))
def test_stamps_are_what_strftime_says(times):
    times = [t.replace(microsecond=0) for t in times]
    times = [t for t in times if not (t.hour == 3 and t.month in (3, 10) and t.day >= 25)]
    array = np.array(times, dtype="datetime64[s]")
    for pattern in ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S"):
        assert stamps(array, pattern).to_pylist() == [t.strftime(pattern) for t in times]


def test_stamps_leave_the_hours_of_the_clock_changes_free():
    odd = np.array(
        ["2025-03-30T03:15", "2025-10-26T03:59:59", "2025-03-30T02:59:59", "2025-03-31T03:15"], "datetime64[s]"
    )
    assert stamps(odd, "%d.%m %H:%M").to_pylist() == ["30.03 04:15", "26.10 04:59", "30.03 02:59", "31.03 03:15"]
    assert stamps(np.array(["NaT"], dtype="datetime64[s]")).to_pylist() == [None]


@given(st.lists(st.integers(0, 10**9), max_size=20))
def test_money_is_exact(kopiykas):
    expected = [f"{k // 100}.{k % 100:02d}" for k in kopiykas]
    assert money(np.array(kopiykas, dtype=np.int64)).to_pylist() == expected
    assert money(np.array(kopiykas, dtype=np.int64), ",").to_pylist() == [e.replace(".", ",") for e in expected]


def test_money_below_zero_is_an_error():
    with pytest.raises(ValueError, match="an amount is below 0"):
        money(np.array([1, -1]))


def test_empty_fields_are_empty():
    assert ids(np.array([7, -1]), "MA-").to_pylist() == ["MA-7", None]
    assert ids(np.array([7, -1])).to_pylist() == ["7", None]
    assert counts(np.array([2.0, np.nan])).to_pylist() == ["2", None]
    assert money(np.array([150.0, np.nan])).to_pylist() == ["1.50", None]
    assert words(pd.Categorical(["a", None]), {"a": "А"}).to_pylist() == ["А", None]
    assert texts(["x", None]).to_pylist() == ["x", None]
    assert yes_no(np.array([True, False])).to_pylist() == ["yes", "no"]


def test_soil_repeats_right_behind_and_breaks_only_what_is_not_repeated():
    columns = {"t": texts(["1", "2", "3"]), "v": texts(["a", "b", "c"])}
    dirty = soil(
        columns,
        time="t",
        duplicates=np.array([True, False, True]),
        broken=np.array([False, True, True]),
        broken_texts=["?", "!"],
    )
    assert dirty["t"].to_pylist() == ["1", "1", "!", "?"]
    assert dirty["v"].to_pylist() == ["a", "a", "b", "c"]
    assert columns["t"].to_pylist() == ["1", "2", "3"]


@pytest.mark.parametrize("zipped", [True, False])
def test_csv_has_one_line_end_and_one_header(tmp_path, zipped):
    exports = Exports(tmp_path, format="csv", zipped=frozenset({"orders"} if zipped else ()))
    for value in ("а,б", 'say "c"'):
        exports.add("orders", {"id": ids(np.array([1])), "text": texts([value])})
    exports.close()
    data = (tmp_path / exports.name("orders")).read_bytes()
    data = gzip.decompress(data) if zipped else data
    assert data.decode("utf-8") == 'id,text\n1,"а,б"\n1,"say ""c"""\n'


def test_parquet_grows_by_chunks(tmp_path):
    import pyarrow.parquet as pq

    exports = Exports(tmp_path, format="parquet", zipped=frozenset({"orders"}))
    for label in ("a", "b"):
        exports.add("orders", {"word": words(pd.Categorical([label]))})
    exports.close()
    assert exports.name("orders") == "orders.parquet"
    assert pq.read_table(tmp_path / "orders.parquet")["word"].cast(pa.string()).to_pylist() == ["a", "b"]
