"""Small files of every format that the door reads, all with the same three order lines, for the tests of the door."""

import datetime
import gzip
import io
import json
import zipfile
from pathlib import Path

from sources_client import GOOD, HEADER

COLUMNS = HEADER.split(",")
LINES = [dict(zip(COLUMNS, row.split(","), strict=True)) for row in GOOD]
CSV = "\n".join([HEADER, *GOOD]) + "\n"


def typed(line: dict[str, str]) -> dict:
    """A line as a workbook or a database has it: numbers and days of their own kind."""
    day = datetime.date.fromisoformat(line["Date"])
    return {**line, "Date": day, "Total": float(line["Total"]), "Qty": int(line["Qty"])}


def workbook(rows: list[list], *, sheets: dict[str, list[list]] | None = None, name: str = "Orders") -> bytes:
    """An .xlsx with these rows, after other worksheets."""
    import xlsxwriter

    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for title, cells in {**(sheets or {}), name: rows}.items():
            sheet = book.add_worksheet(title)
            for number, row in enumerate(cells):
                sheet.write_row(number, 0, row)
    return held.getvalue()


def orders_workbook(**more: dict) -> bytes:
    return workbook([COLUMNS, *(list(typed(line).values()) for line in LINES)], **more)


def parquet() -> bytes:
    import pandas as pd

    held = io.BytesIO()
    pd.DataFrame([typed(line) for line in LINES]).to_parquet(held)
    return held.getvalue()


def database(folder: Path) -> bytes:
    import duckdb

    path = folder / "made.duckdb"
    con = duckdb.connect(str(path))
    con.execute(
        'CREATE TABLE orders ("Order" VARCHAR, Customer VARCHAR, Date DATE, Total DECIMAL(9,2), Qty INT, SKU VARCHAR)'
    )
    con.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", [list(line.values()) for line in LINES])
    con.close()
    return path.read_bytes()


def zipped(**files: bytes | str) -> bytes:
    """A .zip of files (name without its dot: orders_csv)."""
    return archive({".".join(name.rsplit("_", 1)): content for name, content in files.items()})


def archive(files: dict[str, bytes | str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return held.getvalue()


def of_every_kind(folder: Path) -> dict[str, bytes]:
    """File name -> bytes: the same order lines in every format."""
    records = [json.dumps(line) for line in LINES]
    return {
        "orders.csv": CSV.encode(),
        "orders.csv.gz": gzip.compress(CSV.encode(), mtime=0),
        "orders.zip": zipped(orders_csv=CSV),
        "orders.xlsx": orders_workbook(),
        "orders.parquet": parquet(),
        "orders.jsonl": "\n".join(records).encode(),
        "orders.json": f"[{', '.join(records)}]".encode(),
        "orders.duckdb": database(folder),
    }
