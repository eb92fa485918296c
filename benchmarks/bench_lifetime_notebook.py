"""The whole of 04_lifetime_value on a million customers: how long, and how much memory its kernel takes.

Run: python benchmarks/bench_lifetime_notebook.py [--customers N] [--folder DIR]   (Linux only)

The made-up client is written as Parquet, then `cxkit run --only 04_lifetime_value --jobs 1` audits it as its user
would. Peak memory is the most that each process has held (VmHWM), looked at four times a second: the notebook's kernel,
imports counted in, and the command itself, which reads the exports.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOTEBOOK = "04_lifetime_value"
ASKED_MB = 1536


def parents() -> dict[int, int]:
    """Each process and the one that started it."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return found


def descends(process: int, ancestor: int, of: dict[int, int]) -> bool:
    while process in of and process != ancestor:
        process = of[process]
    return process == ancestor


def watched(command: list[str], most: dict[str, float]) -> None:
    """Runs the command; `most` takes the peak memory in MB of the command and of the largest kernel it started."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        of = parents()
        for process in of:
            try:
                lines = Path(f"/proc/{process}/status").read_text().splitlines()
                words = Path(f"/proc/{process}/cmdline").read_text()
            except OSError:
                continue
            peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
            if process == running.pid:
                most["command"] = max(most.get("command", 0.0), peak)
            elif "cxkit.lifetime_value" in words and descends(process, running.pid, of):
                most["kernel"] = max(most.get("kernel", 0.0), peak)
        time.sleep(0.25)
    if running.returncode:
        sys.exit(f"{' '.join(command)} ended with {running.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the data are made (1 GB)")
    arguments = parser.parse_args()
    cxkit = [sys.executable, "-m", "cxkit"]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as made:
        client, reports, most = Path(made) / "client", Path(made) / "reports", {}
        size = ["--customers", str(arguments.customers), "--seed", "1", "--format", "parquet", "--scenario", "default"]
        subprocess.run([*cxkit, "demo-data", *size, "--out", client], check=True, stdout=subprocess.DEVNULL)
        run = [*cxkit, "run", str(client / "client.yml"), "--only", NOTEBOOK, "--jobs", "1", "--out", str(reports)]
        watched(run, most)
        record = json.loads(next(reports.glob("*/runs/*/run.json")).read_text(encoding="utf-8"))
    seconds = next(n["seconds"] for n in record["notebooks"] if n["name"] == NOTEBOOK)
    lines = record["tables"]["orders"]["rows_in"]
    packages = ", ".join(f"{p} {version(p)}" for p in ("duckdb", "ibis-framework", "pandas", "numpy", "scipy"))
    text = f"""# The whole of {NOTEBOOK} on {arguments.customers:,} customers

`python benchmarks/bench_lifetime_notebook.py --customers {arguments.customers}`

{os.cpu_count()} cores, Python {platform.python_version()}, {packages}. One run; load average before it: {load:.1f}
(above 0.5 the machine was doing other work). {lines:,} order lines, engine limit 4 GB.

| what | figure | asked |
|---|---|---|
| the notebook, from kernel start to its last cell, seconds | {seconds:.0f} | |
| peak memory of its kernel, MB | {most["kernel"]:,.0f} | at most {ASKED_MB:,} |
| peak memory of the command, which reads the exports, MB | {most["command"]:,.0f} | |
"""
    print(text)
    (HERE / "lifetime_notebook.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
