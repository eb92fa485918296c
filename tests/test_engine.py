"""The one file that names the engine."""

import ibis
import pandas as pd
import pytest

from cxkit import engine, times
from cxkit.errors import DataError


@pytest.fixture
def con(tmp_path):
    return engine.connect(memory_limit="500MB", threads=2, temp_directory=tmp_path / "spill")


def test_nothing_is_loaded_from_the_network(con):
    for name in ("autoinstall_known_extensions", "autoload_known_extensions"):
        assert con.raw_sql(f"SELECT current_setting('{name}')").fetchall() == [(False,)]


def test_collect_orders_and_refuses_what_is_too_large(con):
    table = engine.keep_frame(con, "t", pd.DataFrame({"x": [3, 1, 2]}), types={"x": "int64"})
    assert engine.collect(table, order_by="x").x.tolist() == [1, 2, 3]
    assert engine.collect(table, order_by=[ibis.desc("x")], max_rows=3).x.tolist() == [3, 2, 1]
    with pytest.raises(DataError, match="over 2 rows were asked for at once"):
        engine.collect(table, order_by="x", max_rows=2)


def test_an_empty_frame_keeps_its_types(con):
    table = engine.keep_frame(con, "e", pd.DataFrame({"x": [], "y": []}), types={"x": "int64", "y": "string"})
    assert dict(table.schema().items()) == {"x": ibis.dtype("int64"), "y": ibis.dtype("string")}
    assert engine.collect(table, order_by="x").empty


def test_parquet_goes_out_in_order_and_comes_back(con, tmp_path):
    table = engine.keep_frame(
        con, "p", pd.DataFrame({"n": [2, 1], "x": ["b", "a"]}), types={"n": "int64", "x": "string"}
    )
    path = tmp_path / "it's [1].parquet"
    engine.write_parquet(con, table, path, order_by="n")
    assert pd.read_parquet(path).to_dict("list") == {"x": ["a", "b"]}
    assert engine.parquet_columns(con, path) == {"x": "VARCHAR"}
    assert engine.read_parquet(con, path).count().execute() == 2
    assert engine.read_parquet(con, [path, path]).count().execute() == 4


def test_only_what_may_have_lost_its_order_is_sorted(con, tmp_path):
    place, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    frame = pd.DataFrame({"n": [1, 3, 2], "x": ["a", "c", "b"]})
    kept = engine.keep_frame(con, "k", frame, types={"n": "int64", "x": "string"})
    assert not engine.write_parquet(con, kept, place)  # from no file
    rows = engine.read_parquet(con, place)
    told = rows.filter(rows.n > 0).mutate(x=rows.x.upper())
    assert engine.write_parquet(con, told, out, order_by="n", sorted_already=True)
    assert pd.read_parquet(out).x.tolist() == ["A", "C", "B"]  # as it was told
    engine.write_parquet(con, told, out, order_by="n")
    assert pd.read_parquet(out).x.tolist() == ["A", "B", "C"]
    for mixed in (rows.left_join(kept, "n").select("n", "x"), rows.union(rows, distinct=True), rows.order_by("x")):
        assert not engine.write_parquet(con, mixed, out, order_by="n", sorted_already=True)
        assert pd.read_parquet(out).x.tolist() == ["a", "b", "c"]


def test_what_keeps_its_order_has_the_same_bytes_whatever_the_threads(tmp_path):
    found = []
    for threads in (1, 2, 4, 4):
        con = engine.connect(memory_limit="500MB", threads=threads)
        n = range(400_000)
        engine.keep_frame(
            con, "n", pd.DataFrame({"n": n, "x": [f"{i % 977}" for i in n]}), types={"n": "int64", "x": "string"}
        )
        kept = con.table("n", database=("temp", "main"))
        engine.write_parquet(con, kept, tmp_path / "in.parquet")
        rows = engine.read_parquet(con, tmp_path / "in.parquet")
        rows = rows.filter(rows.n % 11 != 0)
        assert engine.write_parquet(con, rows, tmp_path / "out.parquet", order_by="n", sorted_already=True)
        found.append((tmp_path / "out.parquet").read_bytes())
        assert con.raw_sql("SELECT current_setting('threads')").fetchall() == [(threads,)]
        con.disconnect()
    assert len(set(found)) == 1


def test_the_engine_calls_a_function_once_for_each_text_of_a_batch(con):
    asked = []

    def louder(texts):
        asked.extend(texts)
        return [text + "!" for text in texts]

    frame = pd.DataFrame({"n": [1, 2, 3, 4], "x": ["a", None, "b", "a"]})
    table = engine.keep_frame(con, "c", frame, types={"n": "int64", "x": "string"})
    table = table.mutate(x=engine.by_text(con, "louder", louder)(table.x))
    assert engine.collect(table, order_by="n").x.fillna("").tolist() == ["a!", "", "b!", "a!"]
    assert asked == ["a", "b"]


def test_what_is_no_parquet_is_told(con, tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("no", encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.parquet cannot be read as Parquet"):
        engine.parquet_columns(con, path)


def test_a_csv_is_staged_as_texts_with_its_torn_records_beside(con, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,"x\ny",3\n4,5\n6,7,8\n1,"x\ny",3\n', encoding="utf-8")
    rejects = engine.stage_csv(
        con, path, tmp_path / "o.parquet", header=["a", "b", "c"], keep={"b": "r0", "a": "r1"}, delimiter=","
    )
    assert rejects[["line", "error", "text"]].values.tolist() == [[3, "MISSING COLUMNS", "4,5"]]
    staged = engine.collect(engine.read_staged(con, tmp_path / "o.parquet"), order_by="n")
    assert staged[["n", "r0", "r1"]].values.tolist() == [[1, "x\ny", "1"], [2, "7", "6"], [3, "x\ny", "1"]]
    assert staged.row_hash[0] == staged.row_hash[2] != staged.row_hash[1]


def test_the_clocks_skipped_hour_moves_on_and_the_double_one_is_the_second(con):
    texts = ["2024-03-31 03:30:00", "2024-10-27 03:30:00", "2024-07-01 00:00:00", "x"]
    table = engine.keep_frame(con, "z", pd.DataFrame({"t": texts}), types={"t": "string"})
    local = times.parse_time(table.t, "%Y-%m-%d %H:%M:%S")
    moment = times.instant(local, zone="Europe/Kyiv")
    found = table.select(
        "t", utc=times.local_time(moment, zone="UTC"), back=times.local_time(moment, zone="Europe/Kyiv")
    )
    frame = engine.collect(found, order_by="t").set_index("t").loc[texts]
    assert frame.utc.tolist()[:3] == [
        pd.Timestamp(t) for t in ("2024-03-31 01:30", "2024-10-27 01:30", "2024-06-30 21:00")
    ]
    assert frame.back.tolist()[:3] == [
        pd.Timestamp(t) for t in ("2024-03-31 04:30", "2024-10-27 03:30", "2024-07-01 00:00")
    ]
    assert frame.utc.isna().tolist() == [False, False, False, True]


def test_blanks_of_every_kind_are_trimmed(con):
    texts = ["\u00a0 a b\u202f\t", " \n ", "\ufeffx"]
    table = engine.keep_frame(con, "b", pd.DataFrame({"n": [1, 2, 3], "t": texts}), types={"n": "int64", "t": "string"})
    found = engine.collect(table.select("n", t=engine.plain(table.t)), order_by="n").t
    assert found[0] == "a b"
    assert pd.isna(found[1])
    assert found[2] == "x"


def test_records_keep_their_order_and_number_whatever_the_threads(tmp_path):
    """Enough of them for several threads, torn ones and line breaks in cells among them."""
    path, found = tmp_path / "a.csv", []
    with path.open("w", encoding="utf-8") as file:
        file.write("a,b\n")
        for i in range(400_000):
            file.write(f"{i}\n" if i % 50_000 == 7 else f'{i},"line\n{"x" * (i % 40)}"\n')
    for threads in (1, 4):
        con = engine.connect(threads=threads)
        out = tmp_path / f"{threads}.parquet"
        rejects = engine.stage_csv(con, path, out, header=["a", "b"], keep={"a": "r0"}, delimiter=",")
        records = engine.read_staged(con, out)
        moved = records.filter(
            records.r0.cast("int64") != records.n - 1 + (records.r0.cast("int64") + 49_992) // 50_000
        )
        assert moved.count().execute() == 0
        found.append((records.count().execute(), rejects.line.tolist()))
        con.disconnect()
    assert found[0] == found[1]
    assert found[0][0] == 400_000 - 8
    assert found[0][1] == [i + 2 for i in range(7, 400_000, 50_000)]


def test_blanks_around_letters_of_several_parts_and_around_nothing(con):
    texts = ["a\u0301\u200b", "\r\nx\r\n", "\U0001f468\u200d\U0001f469 ", "\r\n", "\U0001f1fa\U0001f1e6", " \u200bй"]
    frame = pd.DataFrame({"n": range(len(texts)), "t": texts})
    table = engine.keep_frame(con, "l", frame, types={"n": "int64", "t": "string"})
    found = engine.collect(table.select("n", t=engine.plain(table.t)), order_by="n").t
    assert [None if pd.isna(t) else t for t in found] == [text.strip(engine.BLANKS) or None for text in texts]


def test_batches_have_the_rows_that_were_asked_for_in_their_order(con, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("n,t\n" + "".join(f"{i},x\n" for i in range(10_001)), encoding="utf-8")
    records = engine.csv_records(con, path, header=["n", "t"], keep={"n": "r0"}, delimiter=",")
    found = list(engine.batches(con, records, rows=3000))
    assert [len(batch) for batch in found] == [3000, 3000, 3000, 1001]
    assert [n for batch in found for n in batch["r0"].to_pylist()] == [str(i) for i in range(10_001)]
    assert engine.csv_rejects(con).empty


def test_batches_of_what_has_no_end_are_unparsable(con, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"n,t\n1,x\n2,y\r3,z\r\n" * 50)
    records = engine.csv_records(con, path, header=["n", "t"], keep={"n": "r0"}, delimiter=",")
    with pytest.raises(engine.Unparsable):
        list(engine.batches(con, records, rows=10))
