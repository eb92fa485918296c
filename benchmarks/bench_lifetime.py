"""Lifetime value at size: fitting BG/NBD against lifetimes and pymc-marketing, and the summary against DuckDB by hand.

Run: python benchmarks/bench_lifetime.py [--rounds N] [--customers N] [--lines N] [--pymc PYTHON] [--wait S]

First: BG/NBD from a frame of x, t_x and T in memory, one row a customer, to the four parameters. Ours groups equal rows
first (in its time, and shown apart). lifetimes gets the same rows (`BetaGeoFitter().fit`). pymc-marketing, where
`--pymc` names a Python that has it, gets flat priors, so that its `map` fit is the maximum of the likelihood; import
and compilation are shown apart: a fit to 1,000 customers, once cold and once warm, and the warm one is taken off.
All three likelihoods are taken by one function at the parameters each has found.

Second: the summary (`purchase_history`) of order lines in one Parquet file against the query by hand; the frames agree.

Each contender in each round starts a process of its own; time runs from the call to the result, imports left out; a
ratio is the median of the rounds' ratios. Peak memory is the whole process's, imports and data included.
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
import warnings
from collections.abc import Callable
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb, wait_for_quiet

HERE = Path(__file__).resolve().parent
AS_OF = date(2026, 6, 30)
SEED = 1
PLANTED = {"r": 0.8, "alpha": 16.0, "a": 1.0, "b": 3.0}  # as in the scenario one_group
DAYS = 546
ASKED = {"lifetimes": 12.0, "pymc": 8.0}
MOST = 1.3  # of the seconds of the query by hand


# --- the data


def make_history(path: Path, *, customers: int, seed: int = SEED) -> None:
    """x, t_x and T in weeks, counted in days, of customers who came evenly over 546 days."""
    import numpy as np

    rng = np.random.default_rng(seed)
    T = rng.integers(0, DAYS, customers)
    rate = rng.gamma(PLANTED["r"], 1 / PLANTED["alpha"], customers) / 7  # a day
    stop = rng.beta(PLANTED["a"], PLANTED["b"], customers)
    x, last, now, active = np.zeros(customers), np.zeros(customers), np.zeros(customers), np.arange(customers)
    while len(active):
        now[active] += rng.standard_exponential(len(active)) / rate[active]
        active = active[now[active] <= T[active]]
        day = np.ceil(now[active])
        x[active] += day > last[active]  # two orders on one day are one purchase
        last[active] = day
        active = active[rng.random(len(active)) >= stop[active]]
    np.savez(path, x=x, t_x=last / 7, T=T / 7)


def timed(work: Callable) -> tuple[object, float, float]:
    """What it gives, its seconds and its processor seconds."""
    start, used = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - start, time.process_time() - used


# --- the fits: each gets the arrays and gives its parameters and what it timed by itself


def ours(x, t_x, T) -> dict:
    import pandas as pd

    from cxkit.bg_nbd import fit_bg_nbd, history_counts

    history = pd.DataFrame({"x": x, "t_x": t_x, "T": T})
    model, seconds, processor = timed(lambda: fit_bg_nbd(history))
    counts, alone, _ = timed(lambda: history_counts(history))
    at = [model.r, model.alpha, model.a, model.b]
    apart = {"grouping alone": alone}
    return {"at": at, "seconds": seconds, "processor": processor, "apart": apart, "rows": len(counts)}


def lifetimes(x, t_x, T) -> dict:
    from lifetimes import BetaGeoFitter

    model, seconds, processor = timed(lambda: BetaGeoFitter().fit(x, t_x, T))
    at = [float(model.params_[name]) for name in PLANTED]
    return {"at": at, "seconds": seconds, "processor": processor, "apart": {}}


def pymc(x, t_x, T) -> dict:
    start = time.perf_counter()
    import pandas as pd
    from pymc_extras.prior import Prior
    from pymc_marketing.clv import BetaGeoModel

    apart = {"import": time.perf_counter() - start}
    frame = pd.DataFrame({"customer_id": range(len(x)), "frequency": x, "recency": t_x, "T": T})

    def fit(rows: pd.DataFrame) -> BetaGeoModel:
        model = BetaGeoModel(model_config={name: Prior("HalfFlat") for name in PLANTED})
        model.fit(data=rows, method="map", progressbar=False)
        return model

    few = frame.head(1000)
    _, apart["1,000 customers, cold"], _ = timed(lambda: fit(few))
    _, warm, warm_processor = timed(lambda: fit(few))
    model, whole, processor = timed(lambda: fit(frame))
    apart |= {"1,000 customers, warm": warm, "all, with it": whole}
    at = [float(model.fit_result[name].to_numpy().ravel()[0]) for name in PLANTED]
    return {"at": at, "seconds": whole - warm, "processor": processor - warm_processor, "apart": apart}


# --- the summaries


def ours_summary(path: Path):
    from cxkit.engine import connect, read_parquet
    from cxkit.purchase_history import purchase_history

    return purchase_history(read_parquet(connect(), path), as_of=AS_OF)


def _duckdb(path: Path, days: str):
    """The summary by hand, from a query of days: customer_id, day, revenue."""
    import duckdb

    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    query = f"""WITH lines AS (
                SELECT * FROM read_parquet(?)
                WHERE status <> 'cancelled' AND customer_id IS NOT NULL AND ordered_on <= DATE '2026-06-30'),
            {days},
            people AS (
                SELECT customer_id, min(day) AS first_on, max(day) AS last_on, count(*) - 1 AS x,
                       sum(revenue) AS revenue, arg_min(revenue, day) AS first_revenue
                FROM days GROUP BY customer_id)
            SELECT customer_id, first_on, x, (last_on - first_on) / 7 AS t_x,
                   (DATE '2026-06-30' - first_on) / 7 AS T,
                   CASE WHEN x > 0 THEN (revenue - first_revenue) / x END AS spend,
                   round(revenue, 4) AS revenue, x + 1 AS purchases
            FROM people ORDER BY customer_id"""
    return con.execute(query, [str(path)]).df()


def by_order_summary(path: Path):
    """By the same rules as ours: an order's refunds lie on its day, and an order without a sale is none."""
    return _duckdb(
        path,
        """orders AS (
                SELECT order_id, min(customer_id) AS customer_id, min(ordered_on) FILTER (amount > 0) AS day,
                       sum(amount - refund) AS revenue
                FROM lines GROUP BY order_id HAVING max(amount) > 0),
            days AS (SELECT customer_id, day, sum(revenue) AS revenue FROM orders GROUP BY customer_id, day)""",
    )


def by_day_summary(path: Path):
    """Days at once: the same here, where an order has one day; not where its refund comes on a line of a later day."""
    return _duckdb(
        path,
        """days AS (
                SELECT customer_id, ordered_on AS day, sum(amount - refund) AS revenue
                FROM lines GROUP BY customer_id, ordered_on HAVING max(amount) > 0)""",
    )


# --- one contender in its own process


def run_one(name: str, path: Path, out: Path) -> None:
    """What it found goes to `out`: a line of JSON, and for a summary a Parquet file beside it."""
    warnings.simplefilter("ignore")
    if name.endswith("_summary"):
        for module in ("duckdb", "pandas", "cxkit.purchase_history"):
            import_module(module)
        import_module("cxkit.engine").connect()
        frame, seconds, processor = timed(lambda: globals()[name](path))
        peak = peak_mb()
        frame.to_parquet(out.with_suffix(".parquet"))
        found = {"seconds": seconds, "processor": processor, "peak": peak, "rows": len(frame)}
    else:
        import numpy as np

        modules = {"ours": ("cxkit.bg_nbd", "scipy.optimize", "scipy.special"), "lifetimes": ("lifetimes",)}
        for module in modules.get(name, ()):
            import_module(module)
        arrays = np.load(path)
        found = globals()[name](*(arrays[c] for c in ("x", "t_x", "T"))) | {"peak": peak_mb()}
    out.write_text(json.dumps(found), encoding="utf-8")


def started(name: str, path: Path, *, python: str = sys.executable, wait: int = 0) -> dict:
    """What one contender found."""
    wait_for_quiet(wait)
    out = path.with_name(f"{name}.json")
    subprocess.run([python, __file__, "--one", name, path, out], check=True, stdout=subprocess.DEVNULL)
    found = json.loads(out.read_text(encoding="utf-8"))
    print(name, found, flush=True)
    return found


def fits(folder: Path, arguments: argparse.Namespace) -> dict[str, list[dict]]:
    """Every contender's rounds, with the log-likelihood at what it found."""
    import numpy as np
    import pandas as pd

    from cxkit.bg_nbd import _judge, history_counts

    path = folder / "history.npz"
    make_history(path, customers=arguments.customers)
    pythons = {"ours": sys.executable, "lifetimes": sys.executable}
    if arguments.pymc:
        pythons["pymc"] = arguments.pymc
    told: dict[str, list[dict]] = {name: [] for name in pythons}
    for _ in range(arguments.rounds):  # in turn, so that what else the machine does falls on all alike
        for name, rounds in told.items():
            rounds.append(started(name, path, python=pythons[name], wait=arguments.wait))
    judge = _judge(history_counts(pd.DataFrame(dict(np.load(path)))))
    for rounds in told.values():
        for found in rounds:
            found["likelihood"] = judge(np.array(found["at"]))[0]
    return told


def summaries(folder: Path, arguments: argparse.Namespace) -> dict[str, list[dict]]:
    """All contenders' rounds; their frames agree."""
    import numpy as np
    import pandas as pd
    from bench_rfm_cohorts import make

    path = folder / "orders.parquet"
    make(path, lines=arguments.lines)
    told: dict[str, list[dict]] = {"ours_summary": [], "by_order_summary": [], "by_day_summary": []}
    for _ in range(arguments.rounds):
        for name, rounds in told.items():
            rounds.append(started(name, path, wait=arguments.wait))
    one, *others = (pd.read_parquet(folder / f"{name}.parquet") for name in told)
    for other in others:
        assert list(one["customer_id"]) == list(other["customer_id"])
        assert (pd.to_datetime(one["first_on"]) == pd.to_datetime(other["first_on"])).all()
        for column in ("x", "t_x", "T", "spend", "revenue", "purchases"):
            mine, theirs = one[column].astype(float), other[column].astype(float)
            assert np.allclose(mine, theirs, rtol=1e-9, atol=2e-4, equal_nan=True), f"the summaries differ in {column}"
    return told


# --- the report


def middle(numbers: list[float]) -> str:
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f}–{max(numbers):.2f})"


def ratio(rounds: list[dict], ours: list[dict], kind: str) -> float:
    return statistics.median(t[kind] / o[kind] for t, o in zip(rounds, ours, strict=True))


def as_markdown(told: dict, summed: dict, arguments: argparse.Namespace, loads: list[float]) -> str:
    packages = [f"{p} {version(p)}" for p in ("lifetimes", "scipy", "duckdb", "ibis-framework", "pandas", "numpy")]
    if arguments.pymc:
        ask = "from importlib.metadata import version as v; print(f\"pymc-marketing {v('pymc-marketing')}\")"
        done = subprocess.run([arguments.pymc, "-c", ask], check=True, capture_output=True, text=True)
        packages.append(done.stdout.strip())
    options = f"--rounds {arguments.rounds} --customers {arguments.customers} --lines {arguments.lines}"
    lines = [
        "# Lifetime value: BG/NBD against lifetimes and pymc-marketing, the summary against DuckDB by hand",
        "",
        f"`python benchmarks/bench_lifetime.py {options}{' --pymc PYTHON' if arguments.pymc else ''}`",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(packages)}. Medians of "
        f"{arguments.rounds} rounds with the least and the most in brackets; a ratio is the median of the rounds' "
        "ratios; every contender in a process of its own, whose peak memory counts imports and data in. Load average "
        f"before they ran: {loads[0]:.1f}, after: {loads[1]:.1f} (one contender alone makes 1 to 2; above that the "
        "machine was doing other work).",
        "",
        f"## BG/NBD, {arguments.customers:,} customers ({told['ours'][0]['rows']:,} different histories)",
        "",
        "From x, t_x and T in memory to the parameters, standard errors included in ours. Log-likelihoods by one "
        "function at what each found: less than ours means further from the maximum.",
        "",
        "| contender | seconds | theirs / ours | asked | processor seconds | theirs / ours | log-likelihood "
        "| less than ours by | r, alpha, a, b | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    best = told["ours"][0]["likelihood"]
    for name, rounds in told.items():
        asked = f"at least {ASKED[name]:.0f}" if name in ASKED else ""
        at = ", ".join(f"{v:.4f}" for v in rounds[0]["at"])
        lines.append(
            f"| {name} | {middle([f['seconds'] for f in rounds])} | {ratio(rounds, told['ours'], 'seconds'):.1f} "
            f"| {asked} | {middle([f['processor'] for f in rounds])} "
            f"| {ratio(rounds, told['ours'], 'processor'):.1f} "
            f"| {rounds[0]['likelihood']:.4f} | {best - rounds[0]['likelihood']:.4f} | {at} "
            f"| {max(f['peak'] for f in rounds):,.0f} |"
        )
    lines += ["", "Shown apart, in seconds:"]
    for name, rounds in told.items():
        for part in rounds[0]["apart"]:
            lines.append(f"- {name}, {part}: {middle([f['apart'][part] for f in rounds])}")
    lines += [
        "",
        f"## The summary of {arguments.lines:,} order lines: {summed['ours_summary'][0]['rows']:,} customers",
        "",
        "`by_order`: a query by hand by the same rules (an order's refunds lie on the day of the order). `by_day`: a "
        "shorter one that takes days at once, which gives the same where no refund stands on a line of a later day.",
        "",
        "| contender | seconds | ours / theirs | asked | processor seconds | ours / theirs | peak MB |",
        "|---|---|---|---|---|---|---|",
    ]
    mine = summed["ours_summary"]
    for name, rounds in summed.items():
        asked = f"at most {MOST}" if name == "by_order_summary" else ""
        lines.append(
            f"| {name.removesuffix('_summary')} | {middle([f['seconds'] for f in rounds])} "
            f"| {ratio(mine, rounds, 'seconds'):.2f} | {asked} | {middle([f['processor'] for f in rounds])} "
            f"| {ratio(mine, rounds, 'processor'):.2f} | {max(f['peak'] for f in rounds):,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--pymc", default="", metavar="PYTHON", help="a Python that has pymc-marketing")
    parser.add_argument("--wait", type=int, default=0, help="seconds to wait, at most, for a quiet machine each time")
    parser.add_argument("--folder", type=Path, help="where the data are made (1 GB)")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "DATA", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "lifetime.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, path, out = arguments.one
        run_one(name, Path(path), Path(out))
        return
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        told = fits(Path(made), arguments)
        summed = summaries(Path(made), arguments)
    loads.append(os.getloadavg()[0])
    text = as_markdown(told, summed, arguments, loads)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
