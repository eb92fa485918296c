"""How the made-up client's tables reach the disk: columns as texts, then CSV (plain or gzipped) or Parquet."""

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Columns = dict[str, pa.Array]
# Local times that the clock of Europe/Kyiv skips or shows twice: nothing is stamped in these hours.
CLOCK_CHANGES = ("2025-03-30", "2025-10-26", "2026-03-29")
PARTS = {"%Y": "Y", "%m": "m", "%d": "d", "%H": "H", "%M": "M", "%S": "S"}


def ids(numbers: np.ndarray, prefix: str = "") -> pa.Array:
    """Numbers as ids with a prefix; a negative number is an empty field."""
    numbers = np.asarray(numbers, dtype=np.int64)
    text = pa.array(numbers, mask=numbers < 0).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "") if prefix else text


def counts(numbers: np.ndarray) -> pa.Array:
    """Whole numbers; NaN is an empty field."""
    numbers = np.asarray(numbers)
    if numbers.dtype.kind == "f":
        empty = np.isnan(numbers)
        numbers = np.where(empty, 0, np.rint(np.where(empty, 0, numbers))).astype(np.int64)
        return pa.array(numbers, mask=empty).cast(pa.string())
    return pa.array(numbers).cast(pa.string())


def money(kopiykas: np.ndarray, decimal: str = ".") -> pa.Array:
    """Kopiykas (integers, or floats with NaN for an empty field) as hryvnias with two decimals; none is negative."""
    values = np.asarray(kopiykas)
    empty = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    whole = np.where(empty, 0, values).astype(np.int64)
    if (whole < 0).any():
        raise ValueError("an amount is below 0; the demo writes refunds as a column of their own.")
    cents = pa.DictionaryArray.from_arrays(pa.array(whole % 100), pa.array([f"{decimal}{c:02d}" for c in range(100)]))
    head = pa.array(whole // 100, mask=empty).cast(pa.string())
    return pc.binary_join_element_wise(head, cents.cast(pa.string()), "")


def words(values: pd.Categorical | pd.Series, names: Mapping[str, str] | None = None) -> pa.Array:
    """A categorical as text, each label by the name that the export has for it."""
    values = values.cat if isinstance(values, pd.Series) else values
    codes = np.asarray(values.codes)
    labels = [names.get(c, c) if names else c for c in values.categories]
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0, type=pa.int32()), pa.array(labels, pa.string())
    )


def texts(values) -> pa.Array:
    """Free texts; None is an empty field."""
    return pa.array(list(values), type=pa.string())


def yes_no(values: np.ndarray, names: tuple[str, str] = ("no", "yes")) -> pa.Array:
    """Yes or no, by the export's own words."""
    codes = pa.array(np.asarray(values).astype(np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(names)))


def stamps(times: np.ndarray, pattern: str = "%Y-%m-%d %H:%M:%S") -> pa.Array:
    """Local times as text, digit by digit (no locale, no time zone data); NaT is an empty field.

    Times within an hour that a clock change skips or repeats are written an hour later.
    """
    times = np.asarray(times, dtype="datetime64[s]")
    empty = np.isnat(times)
    times = np.where(empty, np.datetime64("2000-01-01", "s"), times)
    for day in CLOCK_CHANGES:
        start = np.datetime64(f"{day}T03:00:00")
        times = np.where((times >= start) & (times < start + 3600), times + np.timedelta64(3600, "s"), times)
    days = times.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    second = (times - days).astype(np.int64)
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    fields = {
        "Y": year,
        "m": months.astype(np.int64) % 12 + 1,
        "d": (days - months).astype(np.int64) + 1,
        "H": second // 3600,
        "M": second // 60 % 60,
        "S": second % 60,
    }
    columns, rest = [], pattern
    while rest:
        if rest[:2] in PARTS:
            name, rest = PARTS[rest[:2]], rest[2:]
            columns += [fields[name] // 10**p % 10 + 48 for p in range(3 if name == "Y" else 1, -1, -1)]
        else:
            columns.append(np.full(len(times), ord(rest[0])))
            rest = rest[1:]
    width = len(columns)
    letters = (
        np.ascontiguousarray(np.stack(columns, axis=1).astype(np.uint8))
        if len(times)
        else np.empty((0, width), np.uint8)
    )
    text = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(times), [None, pa.py_buffer(letters.tobytes())])
    text = text.cast(pa.binary()).cast(pa.string())
    return pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), text)


def take(columns: Columns, rows: np.ndarray) -> Columns:
    """The same columns with these rows, in this order."""
    rows = pa.array(np.asarray(rows, dtype=np.int64))
    return {name: values.take(rows) for name, values in columns.items()}


def soil(
    columns: Columns, *, time: str, duplicates: np.ndarray, broken: np.ndarray, broken_texts: list[str]
) -> Columns:
    """Columns with the planted dirt: some times broken, some rows once more, right behind their own."""
    n = len(broken)
    codes = np.where(broken, np.arange(n) % len(broken_texts), -1)
    bad = pa.array(np.array(broken_texts, dtype=object)[codes], type=pa.string())
    columns = columns | {time: pc.if_else(pa.array(broken), bad, columns[time])}
    return take(columns, np.repeat(np.arange(n), 1 + (duplicates & ~broken)))


class Exports:
    """The files of one export folder, each open for as long as chunks of rows come in."""

    def __init__(self, folder: Path, *, format: str, zipped: frozenset[str]):
        self.folder, self.format, self.zipped = folder, format, zipped
        self.open: dict[str, tuple] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def name(self, table: str) -> str:
        """The file's name: orders.csv.gz, customers.csv, orders.parquet."""
        return f"{table}.parquet" if self.format == "parquet" else f"{table}.csv{'.gz' if table in self.zipped else ''}"

    def add(self, table: str, columns: Columns, *, delimiter: str = ",") -> None:
        """Write these rows behind those that the table has already."""
        if self.format == "parquet":
            self._add_parquet(table, columns)
            return
        if table not in self.open:
            raw = (self.folder / self.name(table)).open("wb")
            zipped = gzip.GzipFile("", "wb", 9, raw, 0) if table in self.zipped else raw
            text = io.TextIOWrapper(zipped, encoding="utf-8", newline="", write_through=False)
            writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
            writer.writerow(columns)
            self.open[table] = (writer, [text, raw])
        writer, _ = self.open[table]
        # by way of NumPy: five times as fast as to_pylist
        cells = (v.cast(pa.string()).to_numpy(zero_copy_only=False).tolist() for v in columns.values())
        writer.writerows(zip(*cells, strict=True))

    def _add_parquet(self, table: str, columns: Columns) -> None:
        batch = pa.table({k: v.cast(pa.string()) if pa.types.is_string(v.type) else v for k, v in columns.items()})
        if table not in self.open:
            writer = pq.ParquetWriter(
                self.folder / self.name(table), batch.schema, compression="zstd", store_schema=False
            )
            self.open[table] = (writer, [writer])
        self.open[table][0].write_table(batch)

    def close(self) -> None:
        """Finish all files."""
        for _, files in self.open.values():
            for file in files:
                file.close()
        self.open = {}
