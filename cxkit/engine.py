"""The one file that names the engine (DuckDB): connect, read, write, collect."""

from collections.abc import Sequence
from pathlib import Path

import ibis
import ibis.expr.datatypes as dt
import pandas as pd

from cxkit.errors import DataError, RunError

BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u200b\ufeff"
_BLANK_ENDS = f"^[{BLANKS}]|[{BLANKS}]$"
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


def read_parquet(con, path: Path | Sequence[Path]) -> ibis.Table:
    """A lazy table over one Parquet file, or over several of one shape."""
    files = ", ".join(_text(p) for p in ([path] if isinstance(path, Path) else path))
    return _view(con, f"SELECT * FROM read_parquet([{files}])")


def read_export_parquet(con, path: Path, *, keep: dict[str, str]) -> ibis.Table:
    """A client's Parquet file as `stage_csv` leaves a CSV: `n`, `row_hash`, then `keep`, with the file's own types."""
    columns = ", ".join(f"{_name(raw)} AS {_name(name)}" for raw, name in keep.items())
    every = ", ".join(_name(c) for c in sorted(parquet_columns(con, path)))
    return _view(
        con,
        f"SELECT file_row_number + 1 AS n, hash({every}) AS row_hash, {columns}"
        f" FROM read_parquet({_text(path)}, file_row_number = true)",
    )


def parquet_columns(con, path: Path) -> dict[str, str]:
    """The columns of a Parquet file and their types. Raises DataError where it is none."""
    import duckdb

    try:
        rows = con.raw_sql(f"DESCRIBE SELECT * FROM read_parquet({_text(path)})").fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    return {row[0]: row[1] for row in rows}


def stage_csv(
    con,
    path: Path,
    out: Path,
    *,
    header: Sequence[str],
    keep: dict[str, str],
    delimiter: str,
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """A CSV's records as texts in a Parquet file: `n` (counted from 1, in the file's order), `row_hash` (over all
    columns), then the columns in `keep` (raw name -> name in the Parquet file).

    To: what the reader could not take in, one row a record: line (its number, the header's being 1), error (the
    engine's name for it), message, text (the record, at most 500 characters), breaks (line breaks inside it).
    Raises Unparsable where the file as a whole cannot be parsed (mixed line ends are such a case), DataError where it
    cannot be read, RunError where `out` cannot be written.
    """
    import duckdb

    columns = ", ".join(f"{_text(f'c{i}')}: 'VARCHAR'" for i in range(len(header)))
    # in the order of the names, so that the order of the columns does not matter
    every = ", ".join(f"c{i}" for i in sorted(range(len(header)), key=lambda i: header[i]))
    kept = ", ".join(f"c{header.index(raw)} AS {_name(name)}" for raw, name in keep.items())
    con.raw_sql("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    query = (
        f"COPY (SELECT row_number() OVER () AS n, hash({every}) AS row_hash, {kept} FROM read_csv({_text(path)},"
        f" delim = {_text(delimiter)}, quote = '\"', escape = '\"', header = true, auto_detect = false,"
        f" encoding = {_text(encoding)}, columns = {{{columns}}}, store_rejects = true,"
        f" max_line_size = {LONGEST_RECORD}, compression = {_text('gzip' if path.suffix == '.gz' else 'none')}))"
        f" TO {_text(out)} (FORMAT parquet, COMPRESSION lz4)"
    )
    try:
        _write(con, query, out)
    except duckdb.InvalidInputException as error:
        raise Unparsable(str(error).splitlines()[0]) from None
    return con.raw_sql(
        "SELECT line, error, message, left(record, 500) AS text,"
        " length(record) - length(replace(replace(record, chr(10), ''), chr(13), '')) AS breaks FROM ("
        " SELECT line, first(error_type ORDER BY column_idx) AS error, first(error_message ORDER BY column_idx) AS"
        " message, trim(first(csv_line), chr(10) || chr(13)) AS record FROM reject_errors GROUP BY line) ORDER BY line"
    ).df()


def write_parquet(con, table: ibis.Table, path: Path, *, order_by: str | None = None) -> None:
    """A lazy table into a Parquet file; sorted by `order_by`, a column that is then left out."""
    query = con.compile(table)
    if order_by:
        query = f"SELECT * EXCLUDE ({_name(order_by)}) FROM ({query}) ORDER BY {_name(order_by)}"
    packing = "zstd" if order_by else "lz4"  # what is not sorted is on its way only
    _write(con, f"COPY ({query}) TO {_text(path)} (FORMAT parquet, COMPRESSION {packing})", path)


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
    return con.create_table(name, arrow, temp=True, overwrite=True)


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


def barrier(con, table: ibis.Table) -> ibis.Table:
    """The same table as a view of its own: its columns are computed once, however often they are used after it."""
    return _view(con, con.compile(table))


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, pattern: str) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime_zoned(text: str, pattern: str) -> dt.Timestamp("UTC"): ...


@ibis.udf.scalar.builtin(name="timezone")
def _to_zoned(zone: str, local: dt.timestamp) -> dt.Timestamp("UTC"): ...


@ibis.udf.scalar.builtin(name="timezone")
def _to_local(zone: str, instant: dt.Timestamp("UTC")) -> dt.timestamp: ...


@ibis.udf.scalar.builtin(name="trim")
def _trim(text: str, blanks: str) -> str: ...


@ibis.udf.agg.builtin(name="bit_or")
def bit_or(bits: dt.int64) -> dt.int64:
    """All bits that are set in any row of a group."""


@ibis.udf.scalar.builtin(name="hash")
def hash_of(text: str) -> dt.uint64:
    """A number of 64 bits for a text, the same within one engine; two texts share one by chance alone."""


@ibis.udf.scalar.builtin(name="epoch_us")
def microseconds(time: dt.timestamp) -> dt.int64:
    """Microseconds since 1970 began."""


def plain(text: ibis.expr.types.StringValue) -> ibis.expr.types.StringValue:
    """A text without the blanks around it, of any kind; null where nothing is left."""
    # most texts have none, and to look is several times quicker than to trim
    return text.re_search(_BLANK_ENDS).ifelse(_trim(text, BLANKS), text).nullif("")


def parse_time(text: ibis.expr.types.StringValue, pattern: str) -> ibis.expr.types.TimestampValue:
    """Text -> time by a strptime pattern, null where it does not fit; with %z an instant, else a local time."""
    return (_try_strptime_zoned if "%z" in pattern else _try_strptime)(text, pattern)


def instant(local: ibis.expr.types.TimestampValue, *, zone: str) -> ibis.expr.types.TimestampValue:
    """A zone's local time -> the instant it is. A time that the clocks skip moves on by the hour skipped; one that
    comes twice is the second (winter time)."""
    return _to_zoned(zone, local)


def local_time(instant: ibis.expr.types.TimestampValue, *, zone: str) -> ibis.expr.types.TimestampValue:
    """An instant -> the zone's local time, without a zone."""
    return _to_local(zone, instant)


def _text(value: str | Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _view(con, query: str) -> ibis.Table:
    """A query of ours as a lazy table; the view's name is a running number of the connection."""
    number = con.raw_sql("SELECT count(*) FROM duckdb_views() WHERE view_name LIKE 'cxkit_%'").fetchall()[0][0]
    con.raw_sql(f"CREATE TEMP VIEW cxkit_{number} AS {query}")
    return con.table(f"cxkit_{number}")
