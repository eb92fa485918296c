"""The door on a CSV of 1 GB: ours against DuckDB's own COPY (SELECT …casts…) TO a Parquet file, on the same input.

Run: python benchmarks/bench_door.py [--gigabytes N] [--rounds N] [--out FILE]

`duckdb_same_duties` is a second peer: the same duties as ours (every cell checked, refused rows kept with their reason,
duplicates, pseudonyms, fingerprint, the records' order) by hand in DuckDB's SQL, for this one file.

In each round all in turn start a process of their own, with the same engine limits (2 threads, 1 GB), and read the
same file. Time runs from the call to the finished Parquet file, imports left out; a ratio is the median of the rounds'
ratios, so that other work on the machine falls on all alike. Peak memory is the whole process's, imports included.
The Parquet files are compared before anything is written.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb, wait_for_quiet

HERE = Path(__file__).resolve().parent
CONTENDERS = ("duckdb_copy", "duckdb_same_duties", "ours")
COLUMNS = {
    "order_id": "Order number",
    "customer_id": "Customer",
    "ordered_at": "Created at",
    "amount": "Line total",
    "quantity": "Quantity",
    "product_id": "SKU",
    "product": "Product",
    "category": "Category",
    "channel": "Sales channel",
    "status": "Status",
    "discount": "Discount",
    "cost": "Goods cost",
}
STATUS = {"Виконано": "completed", "Повернено": "returned", "Скасовано": "cancelled"}


def make(path: Path, *, size: int, seed: int = 1) -> int:
    """A shop's order lines: about 3 lines an order, 4 orders a customer, three years, 2 % of lines without a customer,
    3 % cancelled. Returns how many lines."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pc

    rng = np.random.default_rng(seed)
    chunk, made = 500_000, 0
    begin = np.datetime64("2023-07-01T00:00:00")
    products = np.array([f"Товар {i} для дітей, колір {i % 7}" for i in range(5000)], dtype=object)
    categories = np.array([f"Category {i}" for i in range(20)], dtype=object)
    channels = np.array(["web", "app", "store", "marketplace"], dtype=object)
    words = np.array(list(STATUS), dtype=object)
    with path.open("wb") as file:
        while file.tell() < size:
            order = np.repeat(np.arange(chunk // 3), 3)
            orders = chunk // 3
            lines = len(order)
            moment = begin + rng.integers(0, 3 * 365 * 86_400, orders)
            customer = np.char.add("K", rng.integers(0, 800_000, orders).astype(str)).astype(object)
            customer[rng.random(orders) < 0.02] = None
            goods = rng.integers(0, 5000, lines)
            price, pieces = rng.integers(100, 50_000, lines) / 100, rng.integers(1, 4, lines)
            status = words[rng.choice(3, orders, p=[0.95, 0.02, 0.03])]
            when = np.char.replace(np.datetime_as_string(moment, unit="s"), "T", " ")
            frame = pa.table(
                {
                    "Order number": pa.array(np.char.add("U-", (made // 3 + order).astype(str))),
                    "Customer": pa.array(customer[order], pa.string()),
                    "Created at": pa.array(when[order]),
                    "Line total": pa.array((price * pieces).round(2)),
                    "Quantity": pa.array(pieces),
                    "SKU": pa.array(np.char.add("P", goods.astype(str))),
                    "Product": pa.array(products[goods]),
                    "Category": pa.array(categories[goods % 20]),
                    "Sales channel": pa.array(channels[rng.integers(0, 4, orders)][order]),
                    "Status": pa.array(status[order]),
                    "Discount": pa.array(np.where(rng.random(lines) < 0.1, 5.5, 0.0)),
                    "Goods cost": pa.array((price * 0.6).round(2)),
                }
            )
            pc.write_csv(frame, file, pc.WriteOptions(include_header=made == 0))
            made += lines
    return made


def client(folder: Path, path: Path):
    """The client whose export the file is."""
    import yaml

    from cxkit.client import load_client

    export = {
        "path": path.name,
        "date_format": "%Y-%m-%d %H:%M:%S",
        "columns": COLUMNS,
        "values": {"status": STATUS},
    }
    settings = {"client": "Bench", "currency": "UAH", "time_zone": "Europe/Kyiv", "tables": {"orders": export}}
    settings["engine"] = {"threads": 2}
    (folder / "client.yml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return load_client(folder)


def ours(folder: Path, path: Path) -> Path:
    from cxkit import sources

    return sources.load(client(folder, path)).tables["orders"]


def duckdb_copy(folder: Path, path: Path) -> Path:
    """As a person would write it who trusts the file: no check, no account, no pseudonyms."""
    import duckdb

    out = folder / "copy.parquet"
    con = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "temp_directory": str(folder / "spill")})
    con.execute("SET TimeZone = 'UTC'")
    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS.values())
    numbers = ", ".join(
        f'CAST("{COLUMNS[name]}" AS DOUBLE) AS {name}' for name in ("amount", "quantity", "discount", "cost")
    )
    plain = ", ".join(
        f'"{COLUMNS[name]}" AS {name}'
        for name in ("order_id", "customer_id", "product_id", "product", "category", "channel")
    )
    status = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in STATUS.items())
    moment = "strptime(\"Created at\", '%Y-%m-%d %H:%M:%S')"
    con.execute(
        f"""COPY (SELECT {plain}, {numbers}, CASE "Status" {status} END AS status,
               timezone('UTC', timezone('Europe/Kyiv', {moment})) AS ordered_at, CAST({moment} AS DATE) AS ordered_on
            FROM read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
                          columns = {{{texts}}}))
            TO '{out}' (FORMAT parquet, COMPRESSION zstd)"""
    )
    return out


def duckdb_same_duties(folder: Path, path: Path) -> Path:
    """As a person would write it who trusts nothing: texts first, each cell tried, what fails kept with its reason,
    equal records once, customers by an HMAC of their ids, the file's SHA-256, the records in their order."""
    import hashlib
    import hmac

    import duckdb
    import pandas as pd

    with path.open("rb") as file:
        (folder / "sha256").write_text(hashlib.file_digest(file, "sha256").hexdigest())
    con = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "temp_directory": str(folder / "spill")})
    con.execute("SET TimeZone = 'UTC'")
    texts = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS.values())
    con.execute(
        f"""COPY (SELECT * FROM read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '"',
                  escape = '"', columns = {{{texts}}}))
            TO '{folder}/texts.parquet' (FORMAT parquet, COMPRESSION lz4)"""
    )
    held = ", ".join(f"nullif(trim(\"{theirs}\"), '') AS {name}" for name, theirs in COLUMNS.items())
    numbers = {name: f"TRY_CAST({name} AS DOUBLE)" for name in ("amount", "quantity", "discount", "cost")}
    moment = "TRY_STRPTIME(ordered_at, '%Y-%m-%d %H:%M:%S')"
    wrong = {
        "no number": " OR ".join(
            f"({n} IS NOT NULL AND ({v} IS NULL OR NOT isfinite({v})))" for n, v in numbers.items()
        ),
        "no time": f"{moment} IS NULL",
        "no order": "order_id IS NULL OR amount IS NULL",
        "no status": f"status IS NOT NULL AND status NOT IN ({', '.join(map(repr, STATUS))})",
    }
    reason = " ".join(f"WHEN {test} THEN '{why}'" for why, test in wrong.items())
    plain = "order_id, customer_id, product_id, product, category, channel"
    status = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in STATUS.items())
    cells = ", ".join(COLUMNS)
    con.execute(
        f"""COPY (SELECT {plain}, {", ".join(f"{v} AS {n}" for n, v in numbers.items())},
                  CASE status {status} END AS status, timezone('UTC', timezone('Europe/Kyiv', {moment})) AS ordered_at,
                  CAST({moment} AS DATE) AS ordered_on, CASE {reason} END AS reason, hash({cells}) AS equal, line
            FROM (SELECT {held}, file_row_number AS line
                  FROM read_parquet('{folder}/texts.parquet', file_row_number = true)))
            TO '{folder}/read.parquet' (FORMAT parquet, COMPRESSION lz4)"""
    )
    read = f"read_parquet('{folder}/read.parquet')"
    con.execute(
        f"""CREATE TABLE again AS SELECT line
            FROM (SELECT line, equal FROM {read}
                  SEMI JOIN (SELECT equal FROM {read} GROUP BY equal HAVING count(*) > 1) USING (equal))
            QUALIFY row_number() OVER (PARTITION BY equal ORDER BY line) > 1"""
    )
    con.execute(
        f"""COPY (SELECT line, coalesce(reason, 'duplicate') AS reason FROM {read}
            WHERE reason IS NOT NULL OR line IN (FROM again)) TO '{folder}/refused.csv'"""
    )
    ids = [
        row[0]
        for row in con.execute(f"SELECT DISTINCT customer_id FROM {read} WHERE customer_id IS NOT NULL").fetchall()
    ]
    told = [hmac.new(b"key", own.encode(), "sha256").hexdigest()[:16] for own in ids]
    con.register("persons", pd.DataFrame({"customer_id": ids, "pseudonym": told}))
    out = folder / "copy.parquet"
    con.execute(
        f"""COPY (SELECT * EXCLUDE (line, reason, equal, pseudonym) REPLACE (pseudonym AS customer_id)
            FROM {read} LEFT JOIN persons USING (customer_id)
            WHERE reason IS NULL AND line NOT IN (FROM again) ORDER BY line)
            TO '{out}' (FORMAT parquet, COMPRESSION zstd)"""
    )
    return out


def run_one(name: str, folder: Path, path: Path) -> None:
    if name == "ours":  # importing is no part of the work, for either; ibis imports at the first connection
        from cxkit import door, sources  # noqa: F401
        from cxkit.engine import connect

        connect()
    else:
        import duckdb  # noqa: F401
    start, used = time.perf_counter(), time.process_time()
    out = globals()[name](folder, path)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(json.dumps([seconds, processor, peak_mb(), str(out)]))


def agree(found: dict[str, str]) -> None:
    """All files hold the same orders. Raises AssertionError with the first column that differs."""
    import duckdb

    sums = (
        "count(*), round(sum(amount), 2), round(sum(quantity), 2), round(sum(discount), 2), round(sum(cost), 2),"
        " count(DISTINCT order_id), count(DISTINCT customer_id), count(DISTINCT product), min(ordered_at),"
        " max(ordered_at), count(DISTINCT ordered_on), count(*) FILTER (status = 'cancelled')"
    )
    con = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    rows = {name: con.execute(f"SELECT {sums} FROM '{path}'").fetchone() for name, path in found.items()}
    first, *others = rows.values()
    assert all(other == first for other in others), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files are made; a temporary folder unless given")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "FOLDER", "CSV"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "door.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, folder, path = arguments.one
        run_one(name, Path(folder), Path(path))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as kept:
        path = Path(kept) / "orders.csv"
        lines = make(path, size=int(arguments.gigabytes * 1e9))
        size = path.stat().st_size
        wait_for_quiet(60)
        load = os.getloadavg()[0]
        results = {name: {"seconds": [], "processor": [], "peak_mb": 0.0} for name in CONTENDERS}
        for number in range(arguments.rounds):
            found = {}
            for name, result in results.items():
                folder = Path(kept) / f"{name}-{number}"
                folder.mkdir()
                os.link(path, folder / path.name)
                command = [sys.executable, __file__, "--one", name, folder, folder / path.name]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                seconds, processor, peak, found[name] = json.loads(done.stdout.splitlines()[-1])
                result["seconds"].append(seconds)
                result["processor"].append(processor)
                result["peak_mb"] = max(result["peak_mb"], peak)
                print(name, f"{seconds:.1f} s, {processor:.1f} s of processor, {peak:,.0f} MB", flush=True)
            agree(found)
    text = as_markdown(results, arguments, load, lines, size)
    print(text)
    before = arguments.out.read_text(encoding="utf-8") if arguments.out.is_file() else ""
    by_hand = before[before.index("\n## ") :] if "\n## " in before else ""  # where the time goes: measured apart
    arguments.out.write_text(text + by_hand, encoding="utf-8")


def as_markdown(results: dict, arguments: argparse.Namespace, load: float, lines: int, size: int) -> str:
    packages = ", ".join(f"{p} {version(p)}" for p in ("duckdb", "ibis-framework", "pyarrow"))
    text = [
        "# The door on one large CSV, in one run",
        "",
        f"`python benchmarks/bench_door.py --gigabytes {arguments.gigabytes:g} --rounds {arguments.rounds}`",
        "",
        f"{lines:,} order lines of {len(COLUMNS)} columns in a CSV of {size / 1e9:.2f} GB; {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {packages}. Medians of {arguments.rounds} rounds with the least and the "
        "most in brackets; a ratio is the median of the rounds' ratios; each in a process of its own, 2 threads, 1 GB "
        f"for the engine; all files hold the same orders. Load average before they ran: {load:.1f} (well above 0: the "
        "machine was doing other work).",
        "",
        "`duckdb_copy`, DuckDB's own `COPY`, casts and writes; ours also refuses what does not pass and tells why, "
        "looks for duplicates, makes pseudonyms, gives the file its fingerprint and keeps the order of the records. "
        "`duckdb_same_duties` does these too, by hand in SQL for this one file. The file is one that ours reads in one "
        "pass (`cxkit/one_pass.py`): none of its records is refused, a return or a repetition.",
        "",
        "| contender | seconds | ours / theirs | processor seconds | ours / theirs | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        cells = []
        for kind in ("seconds", "processor"):
            times = result[kind]
            ratios = [o / t for o, t in zip(results["ours"][kind], times, strict=True)]
            cells += [f"{statistics.median(times):.1f} ({min(times):.1f}–{max(times):.1f})"]
            cells += [f"{statistics.median(ratios):.2f}"]
        text.append(f"| {name} | {' | '.join(cells)} | {result['peak_mb']:,.0f} |")
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    main()
