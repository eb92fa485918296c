"""How much faster is one `cxkit run` than the papermill and nbconvert commands for the same notebooks?

    .venv/bin/python benchmarks/bench_run.py [--client data/demo] [--repeats 3]

Both sides run two notebooks at a time, each notebook after those that it reads, on a warm cache of the client's tables,
in turn (ours, theirs, ours, …). Ours checks settings and data, writes the pages, the first page and the workbook, and
publishes; theirs is `papermill` and then `jupyter nbconvert --to html` for each notebook. Medians are compared and
written, with where our time goes, to benchmarks/run.md.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import nbformat

from cxkit.client import find_client
from cxkit.parameters import Notebook, read_notebooks

BIN = Path(sys.executable).parent
RESULT = Path(__file__).with_name("run.md")


def ours(client: Path, out: Path) -> tuple[float, dict]:
    """Seconds of one whole run, and its run.json."""
    begin = time.perf_counter()
    command = [BIN / "cxkit", "run", client, "--jobs", "2", "--out", out, "--against", "none"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    return seconds, json.loads((Path(done.stdout.splitlines()[0]).parent / "run.json").read_text(encoding="utf-8"))


def theirs(client: Path, out: Path, notebooks: dict[str, Notebook]) -> float:
    """Seconds of the papermill and nbconvert commands, two notebooks at a time, in the order that `after` asks for."""
    ended = {name: Event() for name in notebooks}
    out.mkdir()

    def one(notebook: Notebook) -> None:
        for name in notebook.after:
            ended[name].wait()
        target = out / notebook.path.name
        given = ["-p", "client_yml", client, "-p", "run_dir", out]
        papermill = [BIN / "papermill", notebook.path, target, "--cwd", notebook.path.parent, "--no-progress-bar"]
        try:
            subprocess.run([*papermill, *given], check=True, capture_output=True)
            subprocess.run([BIN / "jupyter", "nbconvert", "--to", "html", target], check=True, capture_output=True)
        finally:
            ended[notebook.name].set()

    begin = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:  # in name order, so that nobody waits for one that cannot start
        list(pool.map(one, notebooks.values()))
    return time.perf_counter() - begin


def processor_seconds() -> float:
    """What all ended child processes, and theirs, have used so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kernel_costs(folder: Path, client: Path) -> dict[str, float]:
    """Seconds of a notebook with nothing in it, and of one that only opens the run."""
    from cxkit.execute import Limits, run_notebooks

    opening = f"from cxkit.notebook import open_run\nopen_run({str(client)!r}, {str(folder / 'run')!r}, name='00_bare')"
    seconds = {}
    for label, code in (("a kernel's start and end", "pass"), ("imports and open_run, in it", opening)):
        first = nbformat.v4.new_code_cell("client_yml: str = ''\nrun_dir: str = ''", metadata={"tags": ["parameters"]})
        nb = nbformat.v4.new_notebook(cells=[first, nbformat.v4.new_code_cell(code)])
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nb, folder / "00_bare.ipynb")
        books = read_notebooks(folder)
        (folder / "out").mkdir(exist_ok=True)
        times = []
        for _ in range(3):
            outcomes = run_notebooks(
                books,
                parameters={},
                folder=folder / "out",
                limits=Limits(600, 600),
                jobs=1,
                started=str,
                ended=str,
            )
            assert outcomes["00_bare"].status == "done", outcomes
            times.append(outcomes["00_bare"].seconds)
        seconds[label] = statistics.median(times) - sum(seconds.values())
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", default="data/demo")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    client = find_client(options.client).resolve()
    notebooks = read_notebooks()
    our_times, their_times, our_work, their_work, records = [], [], [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        ours(client, folder / "warm")
        for number in range(options.repeats):
            before = processor_seconds()
            seconds, record = ours(client, folder / "reports")
            our_times.append(seconds)
            records.append(record)
            between = processor_seconds()
            their_times.append(theirs(client, folder / f"peer-{number}", notebooks))
            our_work.append(between - before)
            their_work.append(processor_seconds() - between)
            print(f"{number + 1}: ours {our_times[-1]:.1f} s, theirs {their_times[-1]:.1f} s", file=sys.stderr)
        bare = kernel_costs(folder, client)
    ours_median, theirs_median = statistics.median(our_times), statistics.median(their_times)
    steps = {step: statistics.median(r["seconds"][step] for r in records) for step in records[0]["seconds"]}
    lines = [
        "# One `cxkit run` against the commands",
        "",
        f"`python benchmarks/bench_run.py --client {options.client}`: {len(notebooks)} notebooks, two at a time; "
        f"medians of {options.repeats}; Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "| what | seconds | processor seconds |",
        "|---|---:|---:|",
        f"| `papermill`, then `jupyter nbconvert --to html`, for each notebook | {theirs_median:.1f} "
        f"| {statistics.median(their_work):.1f} |",
        f"| `cxkit run --jobs 2`, pages, workbook and publishing included | {ours_median:.1f} "
        f"| {statistics.median(our_work):.1f} |",
        f"| **times faster** | **{theirs_median / ours_median:.2f}** "
        f"| **{statistics.median(their_work) / statistics.median(our_work):.2f}** |",
        "",
        f"Single runs: ours {_listed(our_times)}; theirs {_listed(their_times)}.",
        "",
        "Where our time goes:",
        "",
        "| step | seconds |",
        "|---|---:|",
        f"| starting the program, checking parameters, publishing | {ours_median - sum(steps.values()):.1f} |",
        f"| the data (hashes and the cache) | {steps['data']:.1f} |",
        f"| the notebooks, two at a time | {steps['notebooks']:.1f} |",
        f"| pages, first page and workbook | {steps['report']:.1f} |",
        "",
        "Of the notebooks' time, one alone on the machine costs before its first cell of work:",
        "",
        "| step | seconds |",
        "|---|---:|",
        *[f"| {label} | {seconds:.1f} |" for label, seconds in bare.items()],
        "",
        "| notebook, beside another | seconds |",
        "|---|---:|",
        *[f"| {name} | {statistics.median(_seconds(record, name) for record in records):.1f} |" for name in notebooks],
        "",
    ]
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


def _seconds(record: dict, name: str) -> float:
    return next(entry["seconds"] for entry in record["notebooks"] if entry["name"] == name)


def _listed(times: list[float]) -> str:
    return ", ".join(f"{seconds:.1f}" for seconds in times)


if __name__ == "__main__":
    main()
