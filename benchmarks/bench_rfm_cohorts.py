"""RFM and cohort retention on 10 million order lines: ours, a hand-written DuckDB query, lifetimes, plain pandas.

Run: python benchmarks/bench_rfm_cohorts.py [--lines N] [--rounds N] [--out FILE]   (needs `pip install lifetimes`)

In each round every contender in turn starts a process of its own, reads the same Parquet file and makes the same frame
once. Time runs from the call to the frame in memory, imports left out; a ratio is the median of the rounds' ratios, so
that other work on the machine falls on all alike. Peak memory is the whole process's, imports included. The frames are
compared before anything is written.
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
from datetime import date
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb

AS_OF = date(2026, 6, 30)
MONTHS = 36
HERE = Path(__file__).resolve().parent


# --- the data


def make(path: Path, *, lines: int, seed: int = 1) -> None:
    """Order lines as they are after the door: about 3 lines an order, 4 orders a customer, 3 years, 3 % cancelled,
    2 % of lines without a customer, 4 % with a refund. A customer has at most one order a day, so that counting orders
    (ours) and counting days (lifetimes) must agree."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    chunk = min(lines, 1_000_000)
    writer, made, customer, order = None, 0, 0, 0
    begin = np.datetime64(AS_OF) - 365 * 3
    while made < lines:
        people = max(1, chunk // 12)
        first = rng.integers(0, 365 * 3, people)
        counts = rng.geometric(1 / 4, people)
        owner = np.repeat(np.arange(people), counts)
        day = first[owner] + np.where(np.r_[True, owner[1:] != owner[:-1]], 0, rng.geometric(1 / 90, len(owner)))
        # gaps add up within a customer
        later = np.where(np.r_[True, owner[1:] != owner[:-1]], 0, day - first[owner])
        total = np.cumsum(later)
        starts = np.r_[0, np.cumsum(counts)[:-1]]
        day = first[owner] + total - total[starts][owner]
        keep = day < 365 * 3
        owner, day = owner[keep], day[keep]
        number = order + np.arange(len(owner))
        cancelled, nobody = rng.random(len(owner)) < 0.03, rng.random(len(owner)) < 0.02
        rows = np.repeat(np.arange(len(owner)), rng.integers(1, 6, len(owner)))[: lines - made]
        amount = rng.integers(100, 50_000, len(rows)) / 100
        moment = begin + day.astype("timedelta64[D]")
        names = np.char.add("k", np.char.zfill((customer + owner).astype(str), 12)).astype(object)
        names[nobody] = None
        frame = pa.table(
            {
                "order_id": pa.array(np.char.add("order-", number.astype(str))[rows]),
                "customer_id": pa.array(names[rows], pa.string()),
                "ordered_at": pa.array(moment[rows] + rng.integers(0, 86_400, len(rows)).astype("timedelta64[s]")),
                "ordered_on": pa.array(moment[rows]).cast(pa.date32()),
                "amount": pa.array(amount),
                "quantity": pa.array(rng.integers(1, 4, len(rows)).astype(float)),
                "product_id": pa.array(np.char.add("p", rng.integers(0, 5000, len(rows)).astype(str))),
                "category": pa.array(np.char.add("category ", rng.integers(0, 20, len(rows)).astype(str))),
                "status": pa.array(np.where(cancelled, "cancelled", "completed")[rows]),
                "refund": pa.array(np.where(rng.random(len(rows)) < 0.04, amount, 0.0)),
            }
        )
        writer = writer or pq.ParquetWriter(path, frame.schema, compression="zstd")
        writer.write_table(frame)
        made, customer, order = made + len(rows), customer + people, order + len(number)
    writer.close()


# --- the contenders: each makes a frame from the Parquet file


def ours_rfm(path: Path):
    from cxkit.engine import connect, read_parquet
    from cxkit.segments import rfm

    return rfm(read_parquet(connect(), path), as_of=AS_OF)


def ours_cohorts(path: Path):
    from cxkit.cohorts import cohorts
    from cxkit.engine import connect, read_parquet

    return cohorts(read_parquet(connect(), path), as_of=AS_OF)


def _duckdb(path: Path, query: str):
    import duckdb

    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    return con.execute(query, [str(path)]).df()


COUNTED = "status <> 'cancelled' AND customer_id IS NOT NULL AND ordered_on <= DATE '2026-06-30'"


def duckdb_rfm(path: Path):
    """As a person would write it in one step."""
    return _duckdb(
        path,
        f"""SELECT customer_id,
               date_diff('day', max(ordered_on) FILTER (amount > 0), DATE '2026-06-30') AS recency_days,
               count(DISTINCT order_id) FILTER (amount > 0) AS frequency, round(sum(amount - refund), 4) AS monetary
            FROM read_parquet(?) WHERE {COUNTED}
            GROUP BY customer_id HAVING count(*) FILTER (amount > 0) > 0 ORDER BY customer_id""",
    )


def duckdb_rfm_two_steps(path: Path):
    """By order first, then by customer: no distinct count."""
    return _duckdb(
        path,
        f"""WITH per_order AS (
               SELECT order_id, min(customer_id) AS customer_id, min(ordered_on) FILTER (amount > 0) AS ordered_on,
                      max(CASE WHEN amount > 0 THEN 1 ELSE 0 END) AS is_order, sum(amount - refund) AS revenue
               FROM read_parquet(?) WHERE {COUNTED} GROUP BY order_id)
            SELECT customer_id, date_diff('day', max(ordered_on), DATE '2026-06-30') AS recency_days,
                   CAST(sum(is_order) AS BIGINT) AS frequency, round(sum(revenue), 4) AS monetary
            FROM per_order GROUP BY customer_id HAVING sum(is_order) > 0 ORDER BY customer_id""",
    )


def lifetimes_rfm(path: Path):
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    frame = pd.read_parquet(path, columns=["customer_id", "ordered_on", "amount", "refund", "status"])
    frame = frame[(frame["status"] != "cancelled") & frame["customer_id"].notna()]
    frame = frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]), revenue=frame["amount"] - frame["refund"])
    summary = summary_data_from_transaction_data(
        frame, "customer_id", "ordered_on", monetary_value_col="revenue", observation_period_end=AS_OF.isoformat(),
        include_first_transaction=True,
    )  # fmt: skip
    # its columns in our terms: T - recency is the time since the last order, the mean times the count is the sum
    return pd.DataFrame(
        {
            "recency_days": (summary["T"] - summary["recency"]).astype("int64"),
            "frequency": summary["frequency"].astype("int64"),
            "monetary": (summary["monetary_value"] * summary["frequency"]).round(4),
        }
    ).rename_axis("customer_id").reset_index().sort_values("customer_id", ignore_index=True)  # fmt: skip


def duckdb_cohorts(path: Path):
    """As a person would write it: distinct months, the first of each customer, a join."""
    return _duckdb(
        path,
        f"""WITH months AS (
               SELECT DISTINCT customer_id, year(ordered_on) * 12 + month(ordered_on) - 1 AS number
               FROM read_parquet(?) WHERE {COUNTED} AND amount > 0),
            firsts AS (SELECT customer_id, min(number) AS first FROM months GROUP BY customer_id)
            SELECT first, number - first AS month, count(*) AS active FROM months JOIN firsts USING (customer_id)
            GROUP BY ALL ORDER BY ALL""",
    )


def duckdb_cohorts_bitmap(path: Path):
    """The month bitmap by hand."""
    import numpy as np
    import pandas as pd

    found = _duckdb(
        path,
        f"""WITH bits AS (
               SELECT bit_or(1::BIGINT << ((year(ordered_on) - 2023) * 12 + month(ordered_on) - 1)) AS months
               FROM read_parquet(?) WHERE {COUNTED} AND amount > 0 GROUP BY customer_id)
            SELECT months, count(*) AS customers FROM bits GROUP BY months ORDER BY months""",
    )
    months, customers = found["months"].to_numpy("int64"), found["customers"].to_numpy("int64")
    seen = (months[:, None] >> np.arange(MONTHS + 7)) & 1 == 1
    first = seen.argmax(axis=1)
    row, number = np.nonzero(seen)
    table = np.zeros((MONTHS + 7, MONTHS + 7), dtype="int64")
    np.add.at(table, (first[row], number - first[row]), customers[row])
    cohort, month = np.nonzero(table)
    return pd.DataFrame({"first": 2023 * 12 + cohort, "month": month, "active": table[cohort, month]})


def pandas_cohorts(path: Path):
    import pandas as pd

    frame = pd.read_parquet(path, columns=["customer_id", "ordered_on", "amount", "status"])
    frame = frame[(frame["status"] != "cancelled") & frame["customer_id"].notna() & (frame["amount"] > 0)]
    day = pd.to_datetime(frame["ordered_on"])
    frame = frame.assign(number=day.dt.year * 12 + day.dt.month - 1)
    frame["first"] = frame.groupby("customer_id")["number"].transform("min")
    frame["month"] = frame["number"] - frame["first"]
    counts = frame.groupby(["first", "month"])["customer_id"].nunique()
    return counts.rename("active").reset_index()


CONTENDERS = {
    "rfm": [ours_rfm, duckdb_rfm, duckdb_rfm_two_steps, lifetimes_rfm],
    "cohorts": [ours_cohorts, duckdb_cohorts, duckdb_cohorts_bitmap, pandas_cohorts],
}


# --- one contender in its own process


def run_one(name: str, path: Path, out: Path) -> None:
    contender = globals()[name]
    if name.startswith("ours"):  # importing is no part of the work, for anybody; ibis imports at the first connection
        import cxkit.cohorts
        import cxkit.segments  # noqa: F401
        from cxkit.engine import connect

        connect()
    elif name.startswith("lifetimes"):
        import lifetimes.utils  # noqa: F401
    else:
        import duckdb  # noqa: F401
        import pandas  # noqa: F401
    start, used = time.perf_counter(), time.process_time()
    frame = contender(path)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    peak = peak_mb()
    if "cohort" in frame:
        frame = frame[(frame["active"] > 0).fillna(False)]
        number = frame["cohort"].dt.year * 12 + frame["cohort"].dt.month - 1
        frame = frame.assign(first=number)[["first", "month", "active"]]
    frame.to_parquet(out)
    print(json.dumps([seconds, processor, peak]))


def agree(frames: dict) -> None:
    """All frames hold the same numbers, whatever their types. Raises AssertionError with the first that does not."""
    import numpy as np

    ours, *others = frames
    for other in others:
        assert len(frames[ours]) == len(frames[other]), f"{other}: {len(frames[other])} rows, not {len(frames[ours])}"
        for column in frames[ours]:
            one, two = frames[ours][column].to_numpy(), frames[other][column].to_numpy()
            same = (one == two).all() if one.dtype == object else np.allclose(one.astype(float), two.astype(float), rtol=1e-9, atol=2e-3)  # fmt: skip  # noqa: E501
            assert same, f"{other} differs from ours in {column}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "PARQUET", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "rfm_cohorts.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, path, out = arguments.one
        run_one(name, Path(path), Path(out))
        return
    import pandas as pd

    report = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.parquet"
        make(path, lines=arguments.lines)
        load_before = os.getloadavg()[0]
        for question, contenders in CONTENDERS.items():
            results = {c.__name__: {"seconds": [], "processor": [], "peak_mb": 0.0} for c in contenders}
            for _ in range(arguments.rounds):  # in turn, so that what else the machine does falls on all alike
                for name, result in results.items():
                    command = [sys.executable, __file__, "--one", name, path, Path(folder) / f"{name}.parquet"]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    seconds, processor, peak = json.loads(done.stdout.splitlines()[-1])
                    result["seconds"].append(seconds)
                    result["processor"].append(processor)
                    result["peak_mb"] = max(result["peak_mb"], peak)
                    print(name, f"{seconds:.2f} s, {processor:.2f} s of processor, {peak:,.0f} MB", flush=True)
            frames = {name: pd.read_parquet(Path(folder) / f"{name}.parquet") for name in results}
            if "customer_id" in frames[contenders[0].__name__]:
                frames = {name: frame.astype({"customer_id": object}) for name, frame in frames.items()}
            agree(frames)
            report.append((question, results, len(next(iter(frames.values())))))
    text = as_markdown(report, arguments, load_before)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


def as_markdown(report: list, arguments: argparse.Namespace, load: float) -> str:
    packages = ", ".join(f"{p} {version(p)}" for p in ("duckdb", "ibis-framework", "pandas", "numpy", "lifetimes"))
    lines = [
        "# RFM and cohort retention, in one run",
        "",
        f"`python benchmarks/bench_rfm_cohorts.py --lines {arguments.lines} --rounds {arguments.rounds}`",
        "",
        f"{arguments.lines:,} order lines in one Parquet file; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {packages}. Medians of {arguments.rounds} rounds with the least and the most in "
        "brackets; a ratio is the median of the rounds' ratios; every contender in a process of its own; all frames "
        f"agree. Load average before they ran: {load:.1f} (well above 0: the machine was doing other work). Ours and "
        "DuckDB use both cores, lifetimes and pandas one.",
    ]
    for question, results, rows in report:
        ours = results[f"ours_{question}"]
        lines += ["", f"## {question}: {rows:,} rows", ""]
        lines += ["| contender | seconds | theirs / ours | processor seconds | theirs / ours | peak MB |"]
        lines += ["|---|---|---|---|---|---|"]
        for name, result in results.items():
            cells = []
            for kind in ("seconds", "processor"):
                times = result[kind]
                ratio = statistics.median(t / o for t, o in zip(times, ours[kind], strict=True))
                cells += [f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})", f"{ratio:.2f}"]
            lines.append(f"| {name} | {' | '.join(cells)} | {result['peak_mb']:,.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
