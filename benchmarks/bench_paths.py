"""Sessions, transitions and step matrix of 10 million events: ours, plain DuckDB windows, retentioneering 5, pm4py.

Run: python benchmarks/bench_paths.py --peers PYTHON [--events N] [--rounds N] [--large N] [--wait S] [--out FILE]

PYTHON is the interpreter of an environment of its own (python -m venv peers; peers/bin/pip install retentioneering
pm4py): pm4py is AGPL, and neither is ever a dependency of cxkit. Without it only ours and DuckDB run.
In each round every contender in turn starts a process of its own, reads the same Parquet file and makes the same counts
once. Time runs from the call to the frame in memory, imports left out; a ratio is the median of the rounds' ratios, so
that other work on the machine falls on all alike. Peak memory is the whole process's, imports included. All counts are
compared with each other and with those of the generator before anything is written.
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
STEPS = 10
GAP_MINUTES = 30
ENDED, BEGINS, LEAVES = "(visit ended)", "(begins)", "(leaves)"


# --- the data


def make(path: Path, *, events: int, kinds: int = 40, seed: int = 1) -> dict[str, int]:
    """Events of visitors in a mixed order; about 50 events a visitor and 9 a visit, no two of a visitor at one time.

    The gaps of one visit are under 29 minutes, those between visits over 31, so that every rule of 30 minutes gives the
    visits that the column `session` holds. To: the counts of all transitions, by walking the visits as they are made.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    names = np.array([f"touchpoint number {i}" for i in range(kinds)])
    minute, day = 60 * 10**6, 86_400 * 10**6
    truth = np.zeros((kinds + 1, kinds + 1), dtype=np.int64)
    writer, made, visitors, sessions = None, 0, 0, 0
    while made < events:
        n = min(1_000_000, events - made)
        owner = np.sort(rng.integers(0, n // 50, n))
        apart = rng.random(n) < 0.1
        within = np.clip(rng.exponential(minute, n).astype(np.int64), 1, 29 * minute)
        time_ = np.cumsum(np.where(apart, rng.integers(31 * minute, 5 * day, n), within))
        first = np.r_[True, owner[1:] != owner[:-1]]
        time_ = time_ - time_[first][np.cumsum(first) - 1] + np.datetime64("2025-01-01", "us").astype(np.int64)
        begins = first | apart
        kind = (rng.random(n) ** 2 * kinds).astype(np.int64)
        after = np.where(np.r_[begins[1:], True], kinds, np.r_[kind[1:], 0])
        truth += np.bincount(kind * (kinds + 1) + after, minlength=(kinds + 1) ** 2).reshape(truth.shape)
        truth[kinds, :kinds] += np.bincount(kind[begins], minlength=kinds)
        mixed = rng.permutation(n)
        session = sessions + np.cumsum(begins)
        frame = pa.table(
            {
                "visitor": pa.array(np.char.add("c", (visitors + owner).astype(str))[mixed]),
                "session": pa.array(np.char.add("s", session.astype(str))[mixed]),
                "occurred_at": pa.array(time_[mixed].astype("datetime64[us]")),
                "touchpoint": pa.array(names[kind[mixed]]),
            }
        )
        writer = writer or pq.ParquetWriter(path, frame.schema, compression="zstd")
        writer.write_table(frame)
        made, visitors, sessions = made + n, visitors + n // 50, int(session[-1])
    writer.close()
    outer, inner = [*names, BEGINS], [*names, LEAVES]
    found = {key("step", outer[i], inner[j]): int(truth[i, j]) for i, j in zip(*np.nonzero(truth), strict=True)}
    return {name: count for name, count in found.items() if BEGINS not in name or LEAVES not in name}


def real(path: Path) -> int:
    """The click-stream of retentioneering's own shop, from CXKIT_DATA; how many of its touches share their time.

    Rows of one session and time stand in the order of the names, which is ours for touches at one time.
    """
    import pandas as pd

    raw = pd.read_csv(Path(os.environ["CXKIT_DATA"]) / "retentioneering_ecom/ecom.csv.gz", parse_dates=["timestamp"])
    frame = raw.rename(columns={"user_id": "visitor", "session_id": "session", "event": "touchpoint"})
    frame = frame.assign(occurred_at=frame["timestamp"].astype("datetime64[us]"))
    frame = frame.sort_values(["visitor", "occurred_at", "touchpoint"], ignore_index=True)
    frame[["visitor", "session", "occurred_at", "touchpoint"]].to_parquet(path)
    return int(frame.duplicated(["session", "occurred_at"], keep=False).sum())


def key(*parts: object) -> str:
    return " | ".join(str(part) for part in parts)


# --- the contenders: each makes counts from the Parquet file


def ours_sessions(path: Path) -> dict[str, int]:
    """Visits by gap, transitions and step matrix."""
    from cxkit.engine import connect, read_parquet
    from cxkit.paths import path_counts, step_matrix, transitions

    counts = path_counts(read_parquet(connect(), path), gap_minutes=GAP_MINUTES, positions=STEPS)
    return _told(transitions(counts), step_matrix(counts))


def ours_transitions(path: Path) -> dict[str, int]:
    """The visits given, transitions alone."""
    from cxkit.engine import connect, read_parquet
    from cxkit.paths import path_counts, transitions

    return _told(transitions(path_counts(read_parquet(connect(), path))))


def ours_large(path: Path) -> dict[str, int]:
    """As `ours_sessions`, within 2 GB, spilling to the disk."""
    from cxkit.engine import connect, read_parquet
    from cxkit.paths import path_counts, step_matrix, transitions

    with tempfile.TemporaryDirectory(dir=path.parent) as spill:
        con = connect(memory_limit="2GB", temp_directory=Path(spill))
        counts = path_counts(read_parquet(con, path), gap_minutes=GAP_MINUTES, positions=STEPS)
    return _told(transitions(counts), step_matrix(counts))


def _told(steps, matrix=None) -> dict[str, int]:
    found = {key("step", r.origin, r.follows): int(r[3]) for r in steps.itertuples()}
    if matrix is not None:
        found |= {key("at", r.touchpoint, r.position): int(r[3]) for r in matrix.itertuples()}
    return found


def duckdb_sessions(path: Path) -> dict[str, int]:
    """Plain windows over the texts, as a person would write them."""
    return _duckdb(path, "visitor", f"coalesce(occurred_at - before > INTERVAL {GAP_MINUTES} MINUTES, true)")


def duckdb_transitions(path: Path) -> dict[str, int]:
    """Plain windows over the sessions given."""
    import duckdb

    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    found = con.execute(
        f"""WITH ordered AS (
               SELECT touchpoint, lead(touchpoint) OVER w AS follows, lag(touchpoint) OVER w AS before
               FROM read_parquet(?) WINDOW w AS (PARTITION BY session ORDER BY occurred_at, touchpoint))
            SELECT touchpoint, coalesce(follows, '{LEAVES}') AS follows, count(*) AS n FROM ordered GROUP BY ALL
            UNION ALL SELECT '{BEGINS}', touchpoint, count(*) FROM ordered WHERE before IS NULL GROUP BY ALL""",
        [str(path)],
    ).fetchall()
    return {key("step", origin, follows): count for origin, follows, count in found}


def _duckdb(path: Path, who: str, begins: str) -> dict[str, int]:
    import duckdb

    con = duckdb.connect(config={"threads": 2, "memory_limit": "4GB"})
    rows = con.execute(
        f"""WITH looked AS (
               SELECT {who} AS who, occurred_at, touchpoint, lag(occurred_at) OVER w AS before
               FROM read_parquet(?) WINDOW w AS (PARTITION BY {who} ORDER BY occurred_at, touchpoint)),
            numbered AS (
               SELECT who, occurred_at, touchpoint,
                      sum({begins}::INT) OVER (PARTITION BY who ORDER BY occurred_at, touchpoint) AS visit FROM looked),
            stepped AS (
               SELECT touchpoint, row_number() OVER w AS position, lead(touchpoint) OVER w AS follows
               FROM numbered WINDOW w AS (PARTITION BY who, visit ORDER BY occurred_at, touchpoint))
            SELECT touchpoint, coalesce(follows, '{LEAVES}') AS follows, least(position, {STEPS + 1}) AS position,
                   count(*) AS n FROM stepped GROUP BY ALL""",
        [str(path)],
    ).fetchall()
    found: dict[str, int] = {}

    def add(name: str, count: int) -> None:
        found[name] = found.get(name, 0) + count

    visits = sum(count for _, _, position, count in rows if position == 1)
    for position in range(1, STEPS + 1):
        add(key("at", ENDED, position), visits)
    for touchpoint, follows, position, count in rows:
        add(key("step", touchpoint, follows), count)
        if position == 1:
            add(key("step", BEGINS, touchpoint), count)
        if position <= STEPS:
            add(key("at", touchpoint, position), count)
            add(key("at", ENDED, position), -count)
    return found


def retentioneering_sessions(path: Path) -> dict[str, int]:
    import pandas as pd
    from retentioneering.eventstream.eventstream import Eventstream
    from retentioneering.tools.step_matrix import StepMatrix
    from retentioneering.tools.transition_matrix import TransitionMatrix

    frame = pd.read_parquet(path, columns=["visitor", "touchpoint", "occurred_at"])
    schema = {"path_cols": ["visitor"], "event_col": "touchpoint", "timestamp_col": "occurred_at"}
    stream = Eventstream(frame, schema=schema).split_sessions(timeout=f"{GAP_MINUTES}m")
    steps = TransitionMatrix(stream).fit("count", path_col="session_id")
    (matrix,) = StepMatrix(stream).fit(max_steps=STEPS, path_col="session_id")
    names = {"path_start": BEGINS, "path_end": LEAVES}
    found = {
        key("step", names.get(origin, origin), names.get(follows, follows)): int(count)
        for (origin, follows), count in steps.stack().items()
        if count
    }
    visits = int(steps.loc["path_start"].sum())
    for touchpoint, row in matrix.drop(index="path_start").iterrows():
        name = ENDED if touchpoint == "path_end" else touchpoint
        found |= {key("at", name, position): round(row[position] * visits) for position in range(1, STEPS + 1)}
    return found


def pm4py_transitions(path: Path) -> dict[str, int]:
    import pandas as pd
    import pm4py

    frame = pd.read_parquet(path, columns=["session", "touchpoint", "occurred_at"])
    # it sorts for the steps, but not for the first and last touches, which are left out here rather than sort twice
    steps, _, _ = pm4py.discover_dfg(
        frame, activity_key="touchpoint", timestamp_key="occurred_at", case_id_key="session"
    )
    return {key("step", origin, follows): int(count) for (origin, follows), count in steps.items()}


CONTENDERS = {
    "sessions": ["ours_sessions", "duckdb_sessions", "retentioneering_sessions"],
    "transitions": ["ours_transitions", "duckdb_transitions", "pm4py_transitions"],
}
QUESTIONS = {
    "sessions": "Visits by a gap of 30 minutes, transitions and step matrix",
    "transitions": "The visits given, transitions alone",
}
PEERS = ("retentioneering", "pm4py")


# --- one contender in its own process


def run_one(name: str, path: Path, out: Path) -> None:
    """Imports are no part of the work, for anybody; ibis imports at the first connection."""
    if name.startswith("ours"):
        import scipy.special  # noqa: F401  (the intervals' quantiles)

        import cxkit.paths  # noqa: F401
        from cxkit.engine import connect

        connect()
    elif name.startswith("retentioneering"):
        import retentioneering.eventstream.eventstream  # noqa: F401
    elif name.startswith("pm4py"):
        import pm4py  # noqa: F401
    else:
        import duckdb  # noqa: F401
    start, used = time.perf_counter(), time.process_time()
    found = globals()[name](path)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    out.write_text(json.dumps({"counts": found, "told": [seconds, processor, peak_mb()]}), encoding="utf-8")


def started(name: str, path: Path, folder: Path, peers: str | None) -> tuple[dict[str, int], list[float]]:
    """One contender's counts, and its seconds, processor seconds and peak megabytes."""
    python = peers if name.startswith(PEERS) else sys.executable
    out = folder / f"{name}.json"
    environment = {**os.environ, "RETENTIONEERING_NO_TRACK": "1"}
    subprocess.run([python, __file__, "--one", name, path, out], check=True, stdout=subprocess.DEVNULL, env=environment)
    read = json.loads(out.read_text(encoding="utf-8"))
    print(name, "{:.2f} s, {:.2f} s of processor, {:,.0f} MB".format(*read["told"]), flush=True)
    return {name: count for name, count in read["counts"].items() if count}, read["told"]


def agree(name: str, found: dict[str, int], expected: dict[str, int]) -> None:
    """Both hold the same counts. Raises AssertionError with some that differ."""
    differ = sorted(k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k))
    shown = [(k, found.get(k), expected.get(k)) for k in differ[:5]]
    assert not differ, f"{name} differs in {len(differ):,} counts, such as {shown}"


def only(found: dict[str, int], kind: str) -> dict[str, int]:
    return {name: count for name, count in found.items() if name.startswith(kind)}


def between(found: dict[str, int]) -> dict[str, int]:
    """The steps from touchpoint to touchpoint alone."""
    return {name: count for name, count in only(found, "step").items() if not (BEGINS in name or LEAVES in name)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--large", type=int, default=100_000_000, help="events of the run within 2 GB; 0: none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=int, default=0, help="seconds to wait, at most, for a quiet machine each time")
    parser.add_argument("--peers", help="a Python interpreter with retentioneering and pm4py")
    parser.add_argument("--folder", type=Path, help="where the data are made (6 GB for 100 million events)")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "PARQUET", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "paths.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, path, out = arguments.one
        run_one(name, Path(path), Path(out))
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        folder = Path(made)
        path = folder / "events.parquet"
        truth = make(path, events=arguments.events)
        loads = [os.getloadavg()[0]]
        report = {question: compete(question, path, folder, truth, arguments) for question in CONTENDERS}
        loads.append(os.getloadavg()[0])
        large = real_agrees(folder, arguments) if os.environ.get("CXKIT_DATA") else []
        large += in_two_gigabytes(folder, report["sessions"], arguments) if arguments.large else []
    text = as_markdown(report, large, arguments, loads)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


def compete(question: str, path: Path, folder: Path, truth: dict[str, int], arguments: argparse.Namespace) -> dict:
    """Seconds, processor seconds and peak megabytes of every contender, a list of three a round."""
    names = [name for name in CONTENDERS[question] if arguments.peers or not name.startswith(PEERS)]
    results: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(arguments.rounds):  # in turn, so that what else the machine does falls on all alike
        ours: dict[str, int] = {}
        for name in names:
            wait_for_quiet(arguments.wait)
            found, told = started(name, path, folder, arguments.peers)
            results[name].append(told)
            ours = ours or found
            inner = name.startswith("pm4py")
            agree(name, only(found, "step"), between(truth) if inner else truth)
            agree(name, found, between(ours) if inner else ours)
    return results


def real_agrees(folder: Path, arguments: argparse.Namespace) -> list[str]:
    """That all contenders count the same on real data, as lines of the report."""
    path = folder / "real.parquet"
    tied = real(path)
    told = []
    for question in CONTENDERS:
        ours: dict[str, int] = {}
        for name in (n for n in CONTENDERS[question] if arguments.peers or not n.startswith(PEERS)):
            found, _ = started(name, path, folder, arguments.peers)
            ours = ours or found
            agree(name, found, between(ours) if name.startswith("pm4py") else ours)
            told.append(name)
    return [
        "",
        "## The click-stream retentioneering_ecom",
        "",
        f"All counts of {', '.join(told)} are equal, {tied} touches that share their time with another "
        "of their session among them (rows of one time stand in the order of the touchpoints' names).",
    ]


def in_two_gigabytes(folder: Path, small: dict, arguments: argparse.Namespace) -> list[str]:
    """What the large run took, as lines of the report."""
    path = folder / "large.parquet"
    truth = make(path, events=arguments.large, seed=2)
    wait_for_quiet(arguments.wait)
    found, (seconds, processor, peak) = started("ours_large", path, folder, None)
    agree("ours_large", only(found, "step"), truth)
    before = statistics.median(told[0] for told in small["ours_sessions"])
    used = statistics.median(told[1] for told in small["ours_sessions"])
    return [
        "",
        f"## {arguments.large:,} events within an engine limit of 2 GB",
        "",
        f"Visits by gap, transitions and step matrix: {seconds:.1f} s ({processor:.1f} s of processor), peak "
        f"{peak:,.0f} MB; transitions equal those of the generator. Of {arguments.large / arguments.events:.0f} times "
        f"the events it took {seconds / before:.1f} times the seconds ({processor / used:.1f} times of processor).",
    ]


def as_markdown(report: dict, large: list[str], arguments: argparse.Namespace, loads: list[float]) -> str:
    packages = [f"{p} {version(p)}" for p in ("duckdb", "ibis-framework", "pandas", "numpy")]
    if arguments.peers:
        code = f"from importlib.metadata import version; print(', '.join(f'{{p}} {{version(p)}}' for p in {PEERS}))"
        peers = subprocess.run([arguments.peers, "-c", code], check=True, capture_output=True, text=True)
        packages.append(peers.stdout.strip())
    told = f" --peers PYTHON --large {arguments.large}" if arguments.peers else f" --large {arguments.large}"
    lines = [
        "# Paths: sessions, transitions and step matrix, in one run",
        "",
        f"`python benchmarks/bench_paths.py --events {arguments.events} --rounds {arguments.rounds}{told}`",
        "",
        f"{arguments.events:,} events in one Parquet file, 40 touchpoints; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, {', '.join(packages)}. Medians of {arguments.rounds} rounds with the "
        "least and the most in brackets; a ratio is the median of the rounds' ratios; every contender in a process of "
        "its own; reading the file counts, importing does not. All counts of all contenders are equal, and equal to "
        "those of the generator (of pm4py the steps between touchpoints: its first and last touches want sorted "
        f"rows). Load average before they ran: {loads[0]:.1f}, after: {loads[1]:.1f} (one contender alone makes 1 to "
        "2; above that the machine was doing other work). Ours and DuckDB use both cores, the peers mostly one, "
        "so that other work costs ours more.",
    ]
    for question, results in report.items():
        lines += ["", f"## {QUESTIONS[question]}", ""]
        lines += ["| contender | seconds | theirs / ours | processor seconds | theirs / ours | peak MB |"]
        lines += ["|---|---|---|---|---|---|"]
        ours = results[f"ours_{question}"]
        for name, rounds in results.items():
            cells = []
            for kind in (0, 1):
                times, own = [told[kind] for told in rounds], [told[kind] for told in ours]
                ratio = statistics.median(t / o for t, o in zip(times, own, strict=True))
                cells += [f"{statistics.median(times):.2f} ({min(times):.2f}–{max(times):.2f})", f"{ratio:.1f}"]
            lines.append(f"| {name} | {' | '.join(cells)} | {max(told[2] for told in rounds):,.0f} |")
    return "\n".join(lines + large) + "\n"


if __name__ == "__main__":
    main()
