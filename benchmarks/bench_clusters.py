"""Choosing the number of clusters against scikit-learn's MiniBatchKMeans, and scoring 10 million customers.

Run: python benchmarks/bench_clusters.py [--rounds N] [--scored N] [--wait S] [--folder FOLDER] [--out FILE]

First: k from 2 to 10 over six features. Ours (`clusters.choose`) gives silhouettes, stability, the comparison with data
without groups and a verdict. The peer is what tutorials do at this size: for each k MiniBatchKMeans on all rows and
`silhouette_score` on 10,000 of them, no stability, no comparison. In each round both in turn start a process of their
own and read the same Parquet file. Time runs from the frame in memory to the k chosen, imports and reading left out;
a ratio is the median of the rounds' ratios, so that other work on the machine falls on both alike. Peak memory is the
whole process's, imports and the rows included.

Second: the groups of customers scored inside the engine from one Parquet file of features, counted, and written to
another; a process each. What is written is held against `cluster_model.score` on every hundredth customer.
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
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb, wait_for_quiet

HERE = Path(__file__).resolve().parent
SIZES = {100_000: 2.0, 1_000_000: 8.0}  # customers -> how many times faster ours is to be
MOST_MB = 1000  # 1 GB, in megabytes as the table shows them
MOST = 10
SEED = 1
SAMPLE = 10_000


# --- the data


def make_rows(path: Path, *, customers: int, seed: int = SEED) -> None:
    """Scaled features of customers in five groups that overlap a little, of unequal size and spread."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1.6, (5, 6))
    group = rng.choice(5, customers, p=[0.4, 0.25, 0.15, 0.12, 0.08])
    rows = centres[group] + rng.normal(size=(customers, 6)) * np.linspace(0.5, 0.9, 5)[group, None]
    ids = np.char.add("c", np.arange(customers).astype(str))
    columns = {f"feature_{j}": np.round(rows[:, j], 9) for j in range(6)}
    pq.write_table(pa.table({"customer_id": ids, **columns}), path, compression="zstd")


def make_features(path: Path, *, customers: int, seed: int = SEED) -> None:
    """Features in their own units, two in five customers with one order, one value in fifty unknown; in parts."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    writer = None
    for start in range(0, customers, 1_000_000):
        n = min(1_000_000, customers - start)
        orders = rng.geometric(0.6, n)
        columns = {
            "order_value": np.exp(rng.normal(6, 0.8, n)),
            "recency_days": rng.integers(0, 700, n).astype(float),
            "median_gap_days": np.exp(rng.normal(3.5, 0.9, n)),
            "gap_variation": rng.gamma(2, 0.35, n),
            "channel:app": rng.binomial(orders, 0.35) / orders,
            "evening_share": rng.binomial(orders, 0.25) / orders,
        }
        unknown = {name: np.where(rng.random(n) < 0.02, np.nan, x) for name, x in columns.items()}
        ids = np.char.add("c", np.char.zfill((start + np.arange(n)).astype(str), 9))
        frame = pa.table({"customer_id": ids, "orders": orders, **unknown})
        writer = writer or pq.ParquetWriter(path, frame.schema, compression="zstd")
        writer.write_table(frame)
    writer.close()


def made_model():
    """Five clusters over these six features."""
    import numpy as np

    from cxkit.cluster_model import Model
    from cxkit.scales import Scale

    scales = (
        Scale("order_value", "amount", 6.0, 0.8), Scale("recency_days", "count", 5.5, 0.9),
        Scale("median_gap_days", "amount", 3.5, 0.9), Scale("gap_variation", "number", 0.6, 0.45),
        Scale("channel:app", "share", 0.35, 0.2, "orders", 0.35, 4.0),
        Scale("evening_share", "share", 0.25, 0.15, "orders", 0.25, 7.0),
    )  # fmt: skip
    centres = np.random.default_rng(SEED).normal(0, 1, (5, 6)).round(9).tolist()
    names = tuple(f"group {i}" for i in range(5))
    return Model("2026-06-30", SEED, 2, 4.0, scales, tuple(map(tuple, centres)), names, (0,) * 5)


# --- the contenders: each gets a path and gives what it found


def ours(rows) -> dict:
    from cxkit.clusters import choose

    table, verdict = choose(rows, seed=SEED, most=MOST)
    return {"k": int(verdict.k), "found": verdict.sentence, "tried": len(table)}


def sklearn(rows) -> dict:
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import silhouette_score

    values = rows.to_numpy()
    found = {}
    for k in range(2, MOST + 1):
        labels = MiniBatchKMeans(k, random_state=SEED).fit(values).labels_
        found[k] = float(silhouette_score(values, labels, sample_size=SAMPLE, random_state=SEED))
    best = max(found, key=found.get)
    return {"k": best, "found": f"silhouette {found[best]:.2f}", "tried": len(found)}


def counted(path: Path, out: Path) -> dict:  # noqa: ARG001
    """Customers of each group, in the engine."""
    from cxkit.cluster_model import score_table
    from cxkit.engine import collect, connect, read_parquet

    table = score_table(read_parquet(connect(), path), made_model())
    frame = collect(table.group_by("group").aggregate(customers=table.count()), order_by="group")
    return dict(zip(frame["group"], frame["customers"].astype(int).tolist(), strict=True))


def written(path: Path, out: Path) -> dict:
    """customer_id and group of all into a Parquet file."""
    from cxkit.cluster_model import score_table
    from cxkit.engine import connect, read_parquet, write_parquet

    con = connect()
    table = score_table(read_parquet(con, path), made_model())
    write_parquet(con, table.select("customer_id", "group"), out)
    return {"bytes": out.stat().st_size}


def checked(path: Path, out: Path) -> dict:
    """Every hundredth customer's group as `score` gives it, beside the written one."""
    from cxkit.cluster_model import score
    from cxkit.engine import collect, connect, read_parquet

    con = connect()
    few = [t.filter(t.customer_id.endswith("00")) for t in (read_parquet(con, path), read_parquet(con, out))]
    features, groups = (collect(t, order_by="customer_id") for t in few)
    same = score(features, made_model()).to_numpy() == groups["group"].to_numpy()
    return {"customers": len(features), "same": int(same.sum())}


# --- one contender in its own process


def run_one(name: str, path: Path, out: Path) -> None:
    """Imports, and for the choice of k the reading too, are no part of the work."""
    import pandas as pd
    import sklearn.cluster
    import sklearn.metrics
    import sklearn.mixture  # noqa: F401

    if name in ("ours", "sklearn"):
        import_module("cxkit.clusters")
        given = (pd.read_parquet(path).set_index("customer_id"),)
    else:
        import_module("cxkit.cluster_model")
        import_module("cxkit.engine").connect()
        given = (path, path.with_name("groups.parquet"))
    start, used = time.perf_counter(), time.process_time()
    found = globals()[name](*given)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    out.write_text(json.dumps({"found": found, "told": [seconds, processor, peak_mb()]}), encoding="utf-8")


def started(name: str, path: Path, wait: int) -> tuple[dict, list[float]]:
    """What one contender found, and its seconds, processor seconds and peak megabytes."""
    wait_for_quiet(wait)
    out = path.with_name(f"{name}.json")
    subprocess.run([sys.executable, __file__, "--one", name, path, out], check=True, stdout=subprocess.DEVNULL)
    read = json.loads(out.read_text(encoding="utf-8"))
    print(name, "{:.2f} s, {:.2f} s of processor, {:,.0f} MB".format(*read["told"]), read["found"], flush=True)
    return read["found"], read["told"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scored", type=int, default=10_000_000, help="customers scored in the engine")
    parser.add_argument("--wait", type=int, default=0, help="seconds to wait, at most, for a quiet machine each time")
    parser.add_argument("--folder", type=Path, help="where the data are made (1 GB)")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "PARQUET", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "clusters.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, path, out = arguments.one
        run_one(name, Path(path), Path(out))
        return
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        path = Path(made) / "customers.parquet"
        chosen = {customers: compete(path, customers, arguments) for customers in SIZES}
        scored = score_all(path, arguments)
    loads.append(os.getloadavg()[0])
    text = as_markdown(chosen, scored, arguments, loads)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


def compete(path: Path, customers: int, arguments: argparse.Namespace) -> dict:
    """What both found, and what it took, a list of three a round."""
    make_rows(path, customers=customers)
    found, told = {}, {"ours": [], "sklearn": []}
    for _ in range(arguments.rounds):  # in turn, so that what else the machine does falls on both alike
        for name in told:
            now, took = started(name, path, arguments.wait)
            assert found.setdefault(name, now) == now, f"{name} found {now}, and {found[name]} before"
            told[name].append(took)
    assert all(f["tried"] == MOST - 1 for f in found.values()), found
    return {"found": found, "told": told}


def score_all(path: Path, arguments: argparse.Namespace) -> dict:
    make_features(path, customers=arguments.scored)
    size = path.stat().st_size / 1e6
    told: dict[str, list] = {"counted": [], "written": []}
    for _ in range(arguments.rounds):
        for name in told:
            found, took = started(name, path, arguments.wait)
            told[name].append(took)
            if name == "counted":
                counts = found
    sample, _ = started("checked", path, 0)
    assert sample["same"] == sample["customers"] > 0, sample
    assert sum(counts.values()) == arguments.scored, counts
    return {"told": told, "counts": counts, "sample": sample, "size": size}


def middle(rounds: list[list[float]], kind: int) -> str:
    numbers = [told[kind] for told in rounds]
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f}–{max(numbers):.2f})"


def as_markdown(chosen: dict, scored: dict, arguments: argparse.Namespace, loads: list[float]) -> str:
    packages = [f"{p} {version(p)}" for p in ("scikit-learn", "duckdb", "ibis-framework", "pandas", "numpy")]
    lines = [
        "# Clusters: choosing their number, and scoring 10 million customers",
        "",
        f"`python benchmarks/bench_clusters.py --rounds {arguments.rounds} --scored {arguments.scored}`",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(packages)}. Medians of "
        f"{arguments.rounds} rounds with the least and the most in brackets; a ratio is the median of the rounds' "
        "ratios; every contender in a process of its own, whose peak memory counts imports and data in. Load average "
        f"before they ran: {loads[0]:.1f}, after: {loads[1]:.1f} (one contender alone makes 1 to 2; above that the "
        "machine was doing other work).",
        "",
        f"## k from 2 to {MOST}, six features",
        "",
        "Ours: silhouette, stability, data without groups, a second method, verdict, on a sample by customers' ids. "
        f"scikit-learn: MiniBatchKMeans on all rows and a silhouette on {SAMPLE:,} of them for each k, nothing else. "
        "From the frame in memory to the k chosen; reading and importing left out. The full silhouette is quadratic "
        "and was not run.",
        "",
        "| customers | contender | k | seconds | theirs / ours | target | processor seconds | theirs / ours | peak MB |"
        "\n|---|---|---|---|---|---|---|---|---|",
    ]
    for customers, result in chosen.items():
        for name, rounds in result["told"].items():
            ratios = [
                statistics.median(t[kind] / o[kind] for t, o in zip(rounds, result["told"]["ours"], strict=True))
                for kind in (0, 1)
            ]
            target = f"at most {MOST_MB:,} MB" if name == "ours" else f"at least {SIZES[customers]:.0f}"
            lines.append(
                f"| {customers:,} | {name} | {result['found'][name]['k']} | {middle(rounds, 0)} | {ratios[0]:.1f} | "
                f"{target} | {middle(rounds, 1)} | {ratios[1]:.1f} | {max(t[2] for t in rounds):,.0f} |"
            )
    for customers, result in chosen.items():
        lines += ["", f"Found of {customers:,}: " + "; ".join(f"{n}: {f['found']}" for n, f in result["found"].items())]
    sample = scored["sample"]
    lines += [
        "",
        f"## {arguments.scored:,} customers scored in the engine",
        "",
        f"Six features, five clusters, from a Parquet file of {scored['size']:,.0f} MB; reading counts. The groups of "
        f"{sample['same']:,} of {sample['customers']:,} customers (every hundredth) are those of `score`.",
        "",
        "| what | seconds | processor seconds | peak MB |",
        "|---|---|---|---|",
    ]
    for name, label in (("counted", "customers of each group"), ("written", "customer_id and group into Parquet")):
        rounds = scored["told"][name]
        lines.append(f"| {label} | {middle(rounds, 0)} | {middle(rounds, 1)} | {max(t[2] for t in rounds):,.0f} |")
    told = ", ".join(f"{group} {n:,}" for group, n in scored["counts"].items())
    return "\n".join([*lines, "", f"Counted: {told}."]) + "\n"


if __name__ == "__main__":
    main()
