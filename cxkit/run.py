"""The program: check, run the notebooks, write the report, publish it whole."""

import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from errno import ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING

from cxkit import __version__, publish
from cxkit.client import Client, load_client
from cxkit.errors import DataError, RunError, UsageError
from cxkit.execute import Limits, Outcome, run_notebooks
from cxkit.findings import FAMILIES, IDS, JUDGED_OTHERWISE, is_finding, is_share
from cxkit.parameters import RESERVED, Notebook, choose, read_notebooks, settle
from cxkit.progress import Progress, silent
from cxkit.shown_names import renamed, shown_paths

if TYPE_CHECKING:
    from cxkit.sources import Loaded

PACKAGES = (
    *("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas"),
    *("papermill", "pyarrow", "scikit-learn", "scipy", "seaborn"),
)


@dataclass(frozen=True)
class RunResult:
    """A published run: its folder, its status (done, or partial with --only), its notebooks as in run.json."""

    folder: Path
    status: str
    notebooks: list[dict]


def run_audit(
    client_path: Path,
    *,
    only: Iterable[str] = (),
    parameters: Iterable[tuple[str, str]] = (),
    as_of: str | None = None,
    against: str | None = None,
    expect_until: str | None = None,
    jobs: int = 2,
    out: Path = Path("reports"),
    notebooks_dir: Path | None = None,
    progress: Progress = silent,
) -> RunResult:
    """Audit one client and publish the report under out/<client>/runs; the report before stands until then.

    Raises UsageError (settings, parameters, names; nothing was started), DataError (the gate, or data older than
    `expect_until`), RunError (a notebook failed, another run is under way, the report could not be written).
    """
    notebooks = read_notebooks(notebooks_dir)
    client = load_client(client_path, as_of=as_of)
    check_findings(client)
    chosen = choose(notebooks, only)
    values = settle(notebooks, chosen=chosen, client=client.parameters, command_line=parameters)
    home = out.resolve() / client.slug
    publish.find_earlier(home, against, as_of=None)  # a wrong name ends here, before anything is read
    from cxkit import report  # slow to import

    steps = len(chosen) + 2
    seconds: dict[str, float] = {}
    try:
        with publish.one_run(home):
            progress("checking the data", 0, steps)
            with _timed(seconds, "data"):
                loaded, sheets = read_data(client, as_of=as_of, home=home)
                basis = read_basis(client, loaded)
                check_age(basis, expect_until)
            record = start_record(client, loaded, chosen, values, home=home, against=against) | {"basis": basis}
            record["inputs"] = dict(sorted((loaded.inputs | sheets).items()))
            with publish.workspace(home, record["as_of"]) as folder:
                # From the start: what a notebook has to know beyond client.yml (as_of, against) stands here.
                write_record(folder, record | {"status": "running"})
                with _timed(seconds, "notebooks"):
                    outcomes = _run_chosen(chosen, loaded, values, folder, client, client_path, jobs, progress)
                record["notebooks"] = [_entry(chosen[name], outcomes.get(name)) for name in chosen]
                if any(outcome.status != "done" for outcome in outcomes.values()):
                    raise _failure(outcomes, folder, home, record)
                progress("writing the report", steps - 1, steps)
                record["status"] = "done" if len(chosen) == len(notebooks) else "partial"
                write_record(folder, record)
                with _timed(seconds, "report"):
                    report.write_report(folder, client)
                write_record(folder, record | {"seconds": seconds})
                target = publish.publish(folder, home, whole=record["status"] == "done")
    except OSError as error:
        raise publish.cannot_write(home, error) from error
    progress("done", steps, steps)
    return RunResult(target, record["status"], record["notebooks"])


def check_findings(client: Client) -> None:
    """Raise UsageError where client.yml sets a target for, or withholds, what is no finding of the kit."""
    faults = []
    for key in ("targets", "withhold"):
        for name in getattr(client, key):
            if not is_finding(name):
                near = get_close_matches(name, [*IDS, *FAMILIES], n=1)
                meant = f", did you mean {near[0]!r}?" if near else "."
                faults.append(f"{client.folder / 'client.yml'}: {key}.{name}: no such finding{meant}")
    for name, target in client.targets.items():
        if rule := JUDGED_OTHERWISE.get(name, JUDGED_OTHERWISE.get(name.rpartition(".")[0])):
            faults.append(f"{client.folder / 'client.yml'}: targets.{name}: {rule} and take no target; leave it out.")
        if is_share(name) and not 0 <= target <= 1:
            faults.append(
                f"{client.folder / 'client.yml'}: targets.{name}: {target:g} is no share; write 40 % as 0.40."
            )
    if faults:
        families = ", ".join(f"{family}.NAME" for family in FAMILIES)
        raise UsageError("\n".join([*faults, f"Findings are {', '.join(IDS)}, {families}."]))


def read_data(client: Client, *, as_of: str | None, home: Path) -> tuple["Loaded", dict[str, str]]:
    """Reads the client's exports and checks what people wrote. To: the tables; the workshop's sheets and the client's
    own files of stages, segments and themes, path -> SHA-256.

    Raises DataError with the faults of the exports and of the sheets together; UsageError where client.yml or one of
    those files is wrong.
    """
    from cxkit import exports, segment_names, sources, themes, workshop  # slow to import

    faults, loaded, sheets = [], None, {}
    segment_names.segment_names(client.segments_file)
    themes.theme_list(client.themes_file)
    try:
        sheets = workshop.check(client.folder, stages=client.stages_file)
    except DataError as error:
        faults.append(str(error))
    try:
        loaded = sources.load(client, as_of=as_of, earlier_audits=publish.has_runs(home))
    except DataError as error:
        faults.append(str(error))
    if faults or loaded is None:
        raise DataError("\n".join(faults))
    own = {client.stages: client.stages_file, client.segments: client.segments_file, client.themes: client.themes_file}
    return loaded, sheets | {text: exports.sha256(path) for text, path in own.items() if text and path}


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - begin, 3)


def read_basis(client: Client, loaded: "Loaded") -> dict | None:
    """How many customers and orders the report rests on, and their first and last day; None without orders."""
    import pandas as pd

    from cxkit import engine, tables

    if "orders" not in loaded.tables:
        return None
    con = engine.connect(memory_limit=client.engine.memory_limit, threads=client.engine.threads)
    row = engine.collect(tables.basis(engine.read_parquet(con, loaded.tables["orders"])), order_by="orders").iloc[0]
    days = {name: None if pd.isna(row[name]) else str(row[name])[:10] for name in ("first", "last")}
    return {"customers": int(row["customers"]), "orders": int(row["orders"]), **days}


def check_age(basis: Mapping[str, object] | None, expect_until: str | None) -> None:
    """Raise DataError when the last counted order is older than `expect_until` (a day as text)."""
    if expect_until is None:
        return
    if basis is None:
        raise DataError(f"--expect-until {expect_until}: there is no table 'orders' to tell the data's age by.")
    if basis["last"] is None or basis["last"] < expect_until:
        raise DataError(
            f"the data are older than expected: the last order is of {basis['last']}, and orders up to {expect_until} "
            "were expected. Ask for a fresh export, or give an earlier --expect-until. The last report is untouched."
        )


def start_record(
    client: Client,
    loaded: "Loaded",
    chosen: Mapping[str, Notebook],
    values: Mapping[str, Mapping[str, object]],
    *,
    home: Path,
    against: str | None,
) -> dict:
    """What run.json says before any notebook has run; the same for the same data, settings and packages."""
    as_of = loaded.as_of.isoformat()
    earlier = publish.find_earlier(home, against, as_of=as_of)
    return {
        "status": "running",
        "client": client.client,
        "slug": client.slug,
        "as_of": as_of,
        "seed": client.seed,
        "tables": loaded.accounts,
        "inputs": loaded.inputs,
        "settings": renamed(client.settings(), shown_paths(client.tables, client.persons)),
        "parameters": {
            name: {p.name: p.default for p in notebook.parameters if p.name not in RESERVED} | values[name]
            for name, notebook in chosen.items()
        },
        "versions": versions(),
        "against": asdict(earlier) if earlier else None,
        "not_assessed": not_assessed(chosen, loaded),
    }


def versions() -> dict[str, str]:
    """The versions that numbers may depend on."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"cxkit": __version__, "python": platform.python_version(), **packages}


def not_run(notebooks: Mapping[str, Notebook], missing: Iterable[str]) -> list[dict]:
    """The notebooks that cannot run for want of a table: rows with notebook, what, why, ask_for."""
    from cxkit import quality

    rows = []
    for notebook in notebooks.values():
        lacking = [name for name in notebook.needs if name in set(missing)]
        if lacking:
            many = len(lacking) > 1
            why = f"the table{'s' if many else ''} {' and '.join(lacking)} {'are' if many else 'is'} missing"
            ask_for = "; ".join(quality.not_assessed(lacking, {})["ask_for"])
            what = notebook.question or notebook.title
            rows.append({"notebook": notebook.name, "what": what, "why": why, "ask_for": ask_for})
    return rows


def not_assessed(notebooks: Mapping[str, Notebook], loaded: "Loaded") -> list[dict]:
    """What a run cannot answer, why, and what to ask the client for: rows with notebook, what, why, ask_for.

    First the notebooks that cannot run, then what other missing tables and optional columns leave open, then the
    tables that are there and that no page asks.
    """
    from cxkit import quality

    told = {name for notebook in notebooks.values() for name in notebook.needs}
    others = quality.not_assessed([name for name in loaded.missing if name not in told], loaded.unmapped)
    unread = quality.not_asked([name for name in loaded.tables if name not in told])
    unread = unread[~unread["notebook"].isin(set(notebooks))]  # a page that does not need it may read it all the same
    return [*not_run(notebooks, loaded.missing), *others.to_dict("records"), *unread.to_dict("records")]


def write_record(folder: Path, record: Mapping[str, object]) -> None:
    """Write run.json."""
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")


def _run_chosen(
    chosen: Mapping[str, Notebook],
    loaded: "Loaded",
    values: Mapping[str, Mapping[str, object]],
    folder: Path,
    client: Client,
    client_path: Path,
    jobs: int,
    progress: Progress,
) -> dict[str, Outcome]:
    fit = {name: notebook for name, notebook in chosen.items() if not set(notebook.needs) & set(loaded.missing)}
    where = {"client_yml": str(Path(client_path).resolve()), "run_dir": str(folder)}
    steps, running, ended = len(chosen) + 2, [], [1 + len(chosen) - len(fit)]

    def on_start(name: str) -> None:
        running.append(name)
        progress("running " + ", ".join(running), ended[0], steps)

    def on_end(outcome: Outcome) -> None:
        ended[0] += 1
        if outcome.name in running:
            running.remove(outcome.name)
        progress(f"{outcome.name} {outcome.status} ({outcome.seconds:.1f} s)", ended[0], steps)

    return run_notebooks(
        fit,
        parameters={name: {**values[name], **where} for name in fit},
        folder=folder,
        limits=Limits(client.limits.cell_seconds, client.limits.notebook_seconds),
        jobs=jobs,
        started=on_start,
        ended=on_end,
    )


def _entry(notebook: Notebook, outcome: Outcome | None) -> dict:
    entry = {"name": notebook.name, "title": notebook.title, "question": notebook.question}
    if outcome is None:
        return entry | {"status": "not assessed", "seconds": 0.0}
    return entry | {"status": outcome.status, "seconds": outcome.seconds}


def _failure(outcomes: Mapping[str, Outcome], folder: Path, home: Path, record: dict) -> RunError:
    """The error to show when notebooks failed; the run is kept under failed/, the last report stays as it is."""
    failed = [outcome for outcome in outcomes.values() if outcome.status == "failed"]
    skipped = [outcome.name for outcome in outcomes.values() if outcome.status == "skipped"]
    if any(os.strerror(ENOSPC) in outcome.error for outcome in failed):
        return publish.cannot_write(home, OSError(ENOSPC, os.strerror(ENOSPC)))  # keeping the run would fill the disk
    with suppress(OSError):
        write_record(folder, record | {"status": "failed"})
    kept = publish.keep_failed(folder, home)
    lines = []
    for outcome in failed:
        cell = f" in cell [{outcome.cell}]" if outcome.cell else ""
        lines.append(f"notebook {outcome.name} failed{cell}: {outcome.error}")
        lines.append(f"  see it with its error: {kept / (outcome.name + '.ipynb')}")
    if skipped:
        lines.append(f"  not run, because they rest on it: {', '.join(skipped)}")
    before = publish.latest(home)
    lines.append(f"  the last report is untouched: {before / 'index.html' if before else 'there is none yet'}")
    return RunError("\n".join(lines))


def render_lone(notebook: Path, out: Path | None = None) -> Path:
    """An executed notebook as one HTML page, without a run. To the page's path.

    Raises UsageError where there is no such notebook, RunError where one of its cells failed or was not run.
    """
    from cxkit import report

    if not notebook.is_file():
        raise UsageError(f"there is no notebook {notebook}; give the path of an executed .ipynb file.")
    target = out or notebook.with_suffix(".html")
    target.parent.mkdir(parents=True, exist_ok=True)
    report.render_notebook(notebook, target)
    return target


def write_quote_candidates(client: Client, loaded: "Loaded") -> list[str]:
    """Writes the comments that might be quoted into the private folder, for the consultant to read. To: what to say."""
    from cxkit import engine, workshop

    if "surveys" not in loaded.tables:
        return []
    con = engine.connect(memory_limit=client.engine.memory_limit, threads=client.engine.threads)
    tables = {name: engine.read_parquet(con, path) for name, path in loaded.tables.items()}
    candidates = workshop.quote_candidates(tables["surveys"], tables.get("reviews"))
    if candidates.empty:
        return []
    path = workshop.write_candidates(candidates, client.private)
    shown = "are shown" if client.quotes == "reviewed" else "would be shown with `quotes: reviewed` in client.yml"
    return [
        f"  comments to choose from ({len(candidates)}): {path}",
        f"    those that you copy to workshop/quotes.csv {shown}; take out what tells who said it",
    ]


def describe_result(result: RunResult) -> str:
    """What the program prints of a run: the first page's path, then one line for each notebook."""
    width = max(len(entry["name"]) for entry in result.notebooks)
    lines = [str(result.folder / "index.html")]
    for entry in result.notebooks:
        seconds = f"{entry['seconds']:6.1f} s" if entry["status"] == "done" else ""
        lines.append(f"  {entry['name']:<{width}}  {entry['status']:<12} {seconds}".rstrip())
    if result.status == "partial":
        lines.append("  partial: other notebooks were not asked for, so 'latest' stays at the last whole report")
    return "\n".join(lines)


def check_client(
    client_path: Path, *, as_of: str | None = None, out: Path = Path("reports"), notebooks_dir: Path | None = None
) -> str:
    """Check settings, parameters and data; no notebook is run. To the text that tells what was kept and refused.

    Raises UsageError and DataError as a run does.
    """
    from cxkit.workshop import describe_read

    notebooks = read_notebooks(notebooks_dir)
    client = load_client(client_path, as_of=as_of)
    check_findings(client)
    settle(notebooks, chosen=notebooks, client=client.parameters)
    loaded, sheets = read_data(client, as_of=as_of, home=out.resolve() / client.slug)
    lines = [f"{client.client}: settings and data passed their checks; as of {loaded.as_of}"]
    for table, account in loaded.accounts.items():
        refused = sum(account["refused"].values())
        lines.append(f"  {table}: {account['rows_in']:,} rows in, {account['kept']:,} kept, {refused:,} refused")
        by_count = sorted(account["refused"].items(), key=lambda item: (-item[1], item[0]))
        lines += [f"    {count:,} × {reason}" for reason, count in by_count]
        lines += [f"    {note}" for note in account["notes"]]
    if any(account["refused"] for account in loaded.accounts.values()):
        lines.append(f"  refused rows, each with its reason: {loaded.refused_dir}")
    lines += describe_read(client.folder, sheets)
    lines += write_quote_candidates(client, loaded)
    if loaded.missing:
        lines.append(f"  tables not given: {', '.join(loaded.missing)}")
    for row in not_run(notebooks, loaded.missing):
        lines.append(f"  {row['notebook']} would not run: {row['why']}. Ask for {row['ask_for']}.")
    return "\n".join(lines)
