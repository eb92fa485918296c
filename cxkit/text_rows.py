"""Rows of texts -> a Parquet file of the shape that the door reads on, a batch at a time."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from cxkit.errors import RunError

BATCH_ROWS, BATCH_LETTERS = 20_000, 16_000_000


def write(rows: Iterable[tuple[str, list[str | None]]], out: Path, *, columns: Iterable[str]) -> int:
    """Writes `n` (1, 2, …), `row_hash` and `columns`; holds a batch in memory at most. To: how many rows there were.

    From: rows as (the whole record as one text, which tells equal ones; the values in the columns' order).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(columns)
    schema = pa.schema([("n", pa.int64()), ("row_hash", pa.uint64()), *((c, pa.string()) for c in columns)])
    done, letters = 0, 0
    hashes: list[int] = []
    values: list[list[str | None]] = []

    def flush() -> None:
        nonlocal done, letters
        numbers = pa.array(range(done + 1, done + len(values) + 1), pa.int64())
        texts = [pa.array([row[i] for row in values], pa.string()) for i in range(len(columns))]
        writer.write_table(pa.table([numbers, pa.array(hashes, pa.uint64()), *texts], schema=schema))
        done, letters = done + len(values), 0
        hashes.clear()
        values.clear()

    try:
        with pq.ParquetWriter(out, schema, compression="lz4") as writer:
            for whole, row in rows:
                hashes.append(int.from_bytes(blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).digest()))
                values.append([_clean(text) for text in row])
                letters += sum(len(text) for text in row if text)
                if len(values) == BATCH_ROWS or letters > BATCH_LETTERS:
                    flush()
            flush()
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror or error}. Free the disk.") from None
    return done


def _clean(text: str | None) -> str | None:
    """Half a letter (a lone surrogate, which JSON can hold) becomes the replacement character: no file takes it."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
