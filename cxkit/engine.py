"""The one file that names the engine (DuckDB): connect, read, write, collect."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import pandas as pd
from ibis.expr.types import BooleanValue, StringValue, Value

from cxkit.errors import DataError, RunError

BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u200b\ufeff"
_KNOWN = {"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP"}
# files that are read once or twice and removed: a large dictionary costs more than it saves
_ON_ITS_WAY = "COMPRESSION lz4, DICTIONARY_SIZE_LIMIT 2000, WRITE_BLOOM_FILTER false"
# what a plan may hold beside the files it reads where rows come as these have them (DuckDB's page "Order Preservation")
_IN_ORDER = {"READ_PARQUET", "PROJECTION", "FILTER", "UNION"}
_VIEWS = count()
AHEAD = "64MB"  # what the engine may have ready before it is asked for
LONGEST_RECORD = 2_000_000  # bytes; a longer one is refused, so that one field cannot fill the memory


class Unparsable(DataError):
    """The engine found no way through a file's records; read record by record they may still be told apart."""


def connect(*, memory_limit: str = "4GB", threads: int = 2, temp_directory: Path | None = None):
    """A connection of its own, which loads nothing from the network and spills to `temp_directory`."""
    settings = {"temp_directory": str(temp_directory)} if temp_directory else {}
    con = ibis.duckdb.connect(
        memory_limit=memory_limit.replace(" ", ""),
        threads=threads,
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
        **settings,
    )
    con.raw_sql("SET TimeZone = 'UTC'")
    return con


def keep_lists(con) -> None:
    """Has a connection compare with the values of a list one by one: the engine would make a join of each list, dozens
    for one record's columns, which took several times as long as the reading itself."""
    con.raw_sql("SET disabled_optimizers = 'in_clause'")


def read_parquet(con, path: Path | Sequence[Path]) -> ibis.Table:
    """A lazy table over one Parquet file, or over several of one shape."""
    files = ", ".join(_text(p) for p in ([path] if isinstance(path, Path) else path))
    return _view(con, f"SELECT * FROM read_parquet([{files}])")


def read_staged(con, path: Path) -> ibis.Table:
    """A file's staged records as a lazy table: `n` is the place in the Parquet file where that has none of its own."""
    if "n" in parquet_columns(con, path):
        return read_parquet(con, path)
    return _view(
        con,
        f"SELECT file_row_number + 1 AS n, * EXCLUDE (file_row_number) FROM read_parquet({_text(path)},"
        " file_row_number = true)",
    )


def without_blank(con, staged: ibis.Table, *, width: int) -> tuple[ibis.Table, int]:
    """A text file's staged records without those all of whose `width` cells are blank, and how many those are.

    The hash of nothing but blanks is one number, so that a file without such records costs a look at one column.
    """
    blank = is_blank(con, staged.row_hash, width=width)
    count = int(staged.filter(blank).count().execute())
    return (staged.filter(~blank) if count else staged), count


def is_blank(con, row_hash: Value, *, width: int) -> BooleanValue:
    """Whether a record's hash is that of nothing but blanks in `width` cells."""
    cells = ", ".join(["NULL::VARCHAR"] * width)
    return row_hash == ibis.literal(con.raw_sql(f"SELECT hash({cells})").fetchall()[0][0], type="uint64")


def parquet_columns(con, path: Path) -> dict[str, str]:
    """The columns of a Parquet file and their types. Raises DataError where it is none."""
    import duckdb

    try:
        rows = con.raw_sql(f"DESCRIBE SELECT * FROM read_parquet({_text(path)})").fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    return {row[0]: row[1] for row in rows}


def csv_records(
    con, path: Path, *, header: Sequence[str], keep: dict[str, str], delimiter: str, encoding: str = "utf-8"
) -> ibis.Table:
    """A CSV's records as texts, a lazy table in the file's order: `row_hash` (over all columns), then the columns in
    `keep` (raw name -> name in the engine). What the reader could not take in, `csv_rejects` tells afterwards."""
    columns = ", ".join(f"{_text(f'c{i}')}: 'VARCHAR'" for i in range(len(header)))
    # in the order of the names, so that the order of the columns does not matter
    every = ", ".join(f"c{i}" for i in sorted(range(len(header)), key=lambda i: header[i]))
    kept = ", ".join(f"c{header.index(raw)} AS {_name(name)}" for raw, name in keep.items())
    con.raw_sql("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    return _view(
        con,
        f"SELECT hash({every}) AS row_hash, {kept} FROM read_csv({_text(path)},"
        f" delim = {_text(delimiter)}, quote = '\"', escape = '\"', header = true, auto_detect = false,"
        f" encoding = {_text(encoding)}, columns = {{{columns}}}, store_rejects = true,"
        f" max_line_size = {LONGEST_RECORD}, compression = {_text('gzip' if path.suffix == '.gz' else 'none')})",
    )


def csv_rejects(con) -> pd.DataFrame:
    """What the reader could not take in, one row a record: line (its number, the header's being 1), error (the engine's
    name for it), message, text (the record, at most 500 characters), breaks (line breaks inside it)."""
    return con.raw_sql(
        "SELECT line, error, message, left(record, 500) AS text,"
        " length(record) - length(replace(replace(record, chr(10), ''), chr(13), '')) AS breaks FROM ("
        " SELECT line, first(error_type ORDER BY column_idx) AS error, first(error_message ORDER BY column_idx) AS"
        " message, trim(first(csv_line), chr(10) || chr(13)) AS record FROM reject_errors GROUP BY line) ORDER BY line"
    ).df()


def stage_csv(con, path: Path, out: Path, **reading) -> pd.DataFrame:
    """A CSV's records (`csv_records`) in a Parquet file, where `read_staged` counts them. To: `csv_rejects`.

    Raises Unparsable where the file as a whole cannot be parsed (mixed line ends are such a case), DataError where it
    cannot be read, RunError where `out` cannot be written.
    """
    import duckdb

    query = con.compile(csv_records(con, path, **reading))
    try:
        _write(con, f"COPY ({query}) TO {_text(out)} (FORMAT parquet, {_ON_ITS_WAY})", out)
    except duckdb.InvalidInputException as error:
        raise Unparsable(str(error).splitlines()[0]) from None
    return csv_rejects(con)


def batches(con, table: ibis.Table, *, rows: int) -> Iterator:
    """A lazy table as Arrow tables of so many rows (the last has fewer), in its order, while the engine goes on with
    what follows. Raises Unparsable where the engine comes to no end with it."""
    import duckdb
    import pyarrow as pa

    con.raw_sql(f"SET streaming_buffer_size = '{AHEAD}'")
    held: list = []
    try:
        for batch in con.con.sql(con.compile(table)).to_arrow_reader(rows):
            held.append(batch)
            while sum(map(len, held)) >= rows:
                found = pa.Table.from_batches(held)
                held = found.slice(rows).to_batches()
                yield found.slice(0, rows)
        if held:
            yield pa.Table.from_batches(held)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise Unparsable(str(error).splitlines()[0]) from None


def write_parquet(
    con, table: ibis.Table, path: Path, *, order_by: str | Sequence[str] = (), sorted_already: bool = False
) -> bool:
    """A lazy table into a Parquet file; in the order of `order_by`, columns that are then left out. Where the files it
    reads are `sorted_already`, only what may have lost their order since is sorted. To: whether it kept their order."""
    query = con.compile(table)
    kept = _keeps_order(con, query)
    if not order_by:
        _write(con, f"COPY ({query}) TO {_text(path)} (FORMAT parquet, {_ON_ITS_WAY})", path)
        return kept
    keys = ", ".join(_name(key) for key in ([order_by] if isinstance(order_by, str) else order_by))
    order = "" if kept and sorted_already else f" ORDER BY {keys}"
    # one thread alone would part the rows into groups at other places: the same bytes on every machine
    threads = con.raw_sql("SELECT current_setting('threads')").fetchall()[0][0]
    con.raw_sql(f"SET threads = {max(2, threads)}")
    query = f"SELECT * EXCLUDE ({keys}) FROM ({query}){order}"
    _write(con, f"COPY ({query}) TO {_text(path)} (FORMAT parquet, COMPRESSION zstd)", path)
    con.raw_sql(f"SET threads = {threads}")
    return kept


def _keeps_order(con, query: str) -> bool:
    """Whether a query's rows come in the order of the files it reads: nothing is joined or grouped on the way."""
    plan = con.raw_sql(f"EXPLAIN (FORMAT json) {query}").fetchall()[0][1]
    return {"READ_PARQUET"} <= {name.strip() for name in re.findall(r'"name": "([^"]*)"', plan)} <= _IN_ORDER


def write_csv(con, table: ibis.Table, path: Path) -> None:
    """A lazy table into a UTF-8 CSV file with a header, in its order."""
    _write(con, f"COPY ({con.compile(table)}) TO {_text(path)} (FORMAT csv, HEADER true)", path)


def _write(con, query: str, path: Path) -> None:
    """Runs a COPY. Raises RunError where the disk is full or the memory too small."""
    import duckdb

    try:
        con.raw_sql(query)
    except duckdb.OutOfMemoryException as error:
        raise RunError(
            f"the engine needs more memory or disk for {path.name}: {str(error).splitlines()[0]} Raise"
            " engine.memory_limit in client.yml, or free the disk."
        ) from None
    except duckdb.IOException as error:
        reason = "the disk is full" if "No space left" in str(error) else str(error).splitlines()[0]
        raise RunError(f"{path} cannot be written: {reason}.") from None


def keep_frame(con, name: str, frame: pd.DataFrame, *, types: dict[str, str]) -> ibis.Table:
    """A small frame as a table of the connection, with the types stated (an empty frame has none of its own)."""
    import pyarrow as pa

    schema = ibis.schema(types)
    arrow = pa.Table.from_pandas(frame[list(types)], schema=schema.to_pyarrow(), preserve_index=False)
    con.con.register("cxkit_frame", arrow)
    try:
        return _kept(con, name, "SELECT * FROM cxkit_frame")
    finally:
        con.con.unregister("cxkit_frame")


def keep(con, name: str, table: ibis.Table) -> ibis.Table:
    """A lazy table as a table of the connection."""
    return _kept(con, name, con.compile(table))


def _kept(con, name: str, query: str) -> ibis.Table:
    """What ibis's create_table does, in a third of its time."""
    con.raw_sql(f"CREATE OR REPLACE TEMP TABLE {_name(name)} AS {query}")
    return con.table(name, database=("temp", "main"))


def collect(table: ibis.Table, *, order_by: str | Sequence[str], max_rows: int = 5_000_000) -> pd.DataFrame:
    """The only way into memory: a table's rows in a stated order.

    Raises DataError where there are more than `max_rows`: aggregate in the engine first.
    """
    keys = [order_by] if isinstance(order_by, str) else list(order_by)
    frame = table.order_by(keys).limit(max_rows + 1).to_pandas()
    if len(frame) > max_rows:
        raise DataError(
            f"over {max_rows:,} rows were asked for at once; the limit guards the memory. Aggregate before collecting,"
            " or raise max_rows where the machine can hold them."
        )
    return frame


def by_text(con, name: str, function: Callable[[list[str]], list[str]]) -> Callable[[StringValue], StringValue]:
    """A function from texts to texts for the engine to call: to join with its answers would lose the rows' order."""
    con.con.create_function(name, partial(answered, function), ["VARCHAR"], "VARCHAR", type="arrow")
    return ibis.udf.scalar.builtin(name=name, signature=((dt.string,), dt.string))(lambda text: text)


def answered(function: Callable[[list[str]], list[str]], texts):
    """A function's answers to an Arrow column of texts, each different one asked once."""
    import pyarrow as pa

    each = texts.combine_chunks().dictionary_encode()
    return pa.array(function(each.dictionary.to_pylist()), pa.string()).take(each.indices)


def barrier(table: ibis.Table) -> ibis.Table:
    """The same table as a query of its own inside those that use it: its columns are computed once, however often they
    are used after it."""
    return table.view()


@ibis.udf.scalar.builtin(name="trim")
def _trim(text: str, blanks: str) -> str: ...


@ibis.udf.scalar.builtin(name="ord")
def _code(text: str) -> int: ...


@ibis.udf.scalar.builtin(name="array_extract")
def _letter(text: str, place: int) -> str: ...


@ibis.udf.agg.builtin(name="bit_or")
def bit_or(bits: dt.int64) -> dt.int64:
    """All bits that are set in any row of a group."""


@ibis.udf.scalar.builtin(name="hash")
def hash_of(text: str) -> dt.uint64:
    """A number of 64 bits for a text, the same within one engine; two texts share one by chance alone."""


@ibis.udf.scalar.builtin(name="epoch_us")
def microseconds(time: dt.timestamp) -> dt.int64:
    """Microseconds since 1970 began."""


def plain(text: StringValue) -> StringValue:
    """A text without the blanks around it, of any kind; null where nothing is left."""
    # most texts have none, and to look at both ends is several times quicker than to trim, or to search by a pattern;
    # an empty text has no letter (-1), and 32 stands for all codes up to the blank's, so that the list is short
    odd = [32, *(ord(blank) for blank in BLANKS if ord(blank) > 32)]
    at_an_end = [ibis.greatest(_code(end), 32).isin(odd) for end in (text, _letter(text, -1))]
    trimmed = _trim(text, BLANKS).nullif("")
    return ibis.cases(*[(found, trimmed) for found in at_an_end], else_=text)


def _text(value: str | Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _view(con, query: str) -> ibis.Table:
    """A query of ours as a lazy table; the view's name is a running number."""
    number = next(_VIEWS)
    con.raw_sql(f"CREATE TEMP VIEW cxkit_{number} AS {query}")
    return con.table(f"cxkit_{number}")


def stage_parquet(con, path: Path, out: Path, *, keep: dict[str, str]) -> None:
    """A client's Parquet file as `stage_csv` leaves a CSV, with the file's own types where the door knows them.

    Raises DataError where it cannot be read.
    """
    source = f"read_parquet({_text(path)}, file_row_number = true)"
    _stage_typed(con, source, parquet_columns(con, path), out, number="file_row_number + 1", keep=keep)


def database_tables(path: Path) -> dict[str, list[str]]:
    """The tables of a DuckDB file (views are none) and their columns; those outside `main` as schema.table."""
    with _attached(path) as con:
        return {table: list(columns) for table, (_, columns) in _client_tables(con).items()}


def stage_database(path: Path, table: str, out: Path, *, keep: dict[str, str]) -> None:
    """A table of a DuckDB file as `stage_parquet` leaves a Parquet file, in the order of its rows."""
    with _attached(path) as con:
        source, columns = _client_tables(con)[table]
        _stage_typed(con, source, columns, out, number="row_number() OVER ()", keep=keep)


@contextmanager
def _attached(path: Path) -> Iterator:
    """A connection of its own to a client's DuckDB file: what is damaged in it damages no other."""
    import duckdb

    con = connect(memory_limit="1GB")
    try:
        try:
            con.raw_sql(f"ATTACH {_text(path)} AS client (TYPE duckdb, READ_ONLY)")
            yield con
        except duckdb.Error as error:
            raise DataError(f"it cannot be read as a DuckDB file: {str(error).splitlines()[0][:200]}") from None
    finally:
        con.disconnect()


def _client_tables(con) -> dict[str, tuple[str, dict[str, str]]]:
    """Each table's place in SQL, and its columns with their types."""
    rows = con.raw_sql(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() SEMI JOIN (SELECT schema_name,"
        " table_name FROM duckdb_tables() WHERE database_name = 'client') USING (schema_name, table_name)"
        " WHERE database_name = 'client' ORDER BY schema_name <> 'main', schema_name, table_name, column_index"
    ).fetchall()
    tables: dict[str, tuple[str, dict[str, str]]] = {}
    for schema, table, column, kind in rows:
        shown = table if schema == "main" else f"{schema}.{table}"
        tables.setdefault(shown, (f"client.{_name(schema)}.{_name(table)}", {}))[1][column] = kind
    return tables


def _stage_typed(con, source: str, columns: dict[str, str], out: Path, *, number: str, keep: dict[str, str]) -> None:
    import duckdb

    every = ", ".join(_name(c) for c in sorted(columns))
    kept = ", ".join(f"{_known(_name(raw), columns[raw])} AS {_name(name)}" for raw, name in keep.items())
    query = f"SELECT {number} AS n, hash({every}) AS row_hash, {kept} FROM {source}"
    try:
        _write(con, f"COPY ({query}) TO {_text(out)} (FORMAT parquet, {_ON_ITS_WAY})", out)
    except duckdb.Error as error:
        raise DataError(f"its bytes are damaged: {str(error).splitlines()[0][:200]}. Ask for the file again.") from None


def _known(column: str, kind: str) -> str:
    """A column as a type that the door knows: numbers that a float would blur, and all others, as texts."""
    if kind in _KNOWN or kind.startswith("TIMESTAMP WITH"):
        return column
    if kind.startswith("TIMESTAMP"):
        return f"{column}::TIMESTAMP"
    if kind.startswith("DECIMAL") and not kind.endswith(",0)"):
        return f"{column}::DOUBLE"
    return f"coalesce(try(decode({column})), {column}::VARCHAR)" if kind == "BLOB" else f"{column}::VARCHAR"
