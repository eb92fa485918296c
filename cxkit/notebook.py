"""What a notebook calls: open the run, show tables, figures and sentences, keep findings.

Everything shown is the same bytes for the same data: no clock, no random ids, no folder of the machine.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from cxkit import findings as findings_file
from cxkit import style
from cxkit.errors import DataError, UsageError
from cxkit.findings import Finding
from cxkit.kept_tables import read_table, write_json, write_table
from cxkit.parts import (
    MIME,
    VERDICT_WORDS,
    check_name,
    clean_text,
    finding_record,
    findings_record,
    part,
    table_record,
)
from cxkit.pictures import svg_text

if TYPE_CHECKING:
    import ibis
    from matplotlib.axes import Axes

    from cxkit.client import Client
    from cxkit.sources import Loaded

ROWS_SHOWN = 10
WIDE = 8  # inches; a wider picture is printed on a landscape page of its own


@dataclass
class Run:
    """One notebook's place in a run: the client's settings, the tables, and the folder where results go."""

    client: "Client"
    loaded: "Loaded"
    run_dir: Path
    name: str
    missing: list[dict] = field(default_factory=list)

    @property
    def as_of(self) -> date:
        """The last day that counts."""
        return self.loaded.as_of

    @property
    def currency(self) -> str:
        """The client's one currency."""
        return self.client.currency

    @property
    def seed(self) -> int:
        """The seed of everything random."""
        return self.client.seed

    @property
    def targets(self) -> Mapping[str, float]:
        """The client's own targets: a finding's id -> a number."""
        return self.client.targets

    @property
    def tables_dir(self) -> Path:
        """Where whole tables go."""
        return self.run_dir / "tables"

    @property
    def earlier_dir(self) -> Path | None:
        """The folder of the earlier run that changes are measured against; None where the runner named none."""
        against = _record(self.run_dir / "run.json").get("against")
        return self.run_dir.parent / "runs" / against["run"] if against else None

    @cached_property
    def connection(self) -> object:
        """The engine, connected on first use."""
        from cxkit import engine

        settings = self.client.engine
        return engine.connect(memory_limit=settings.memory_limit, threads=settings.threads)

    def table(self, name: str) -> "ibis.Table":
        """A canonical table, lazy. Raises UsageError where the client has none."""
        from cxkit import engine

        if name not in self.loaded.tables:
            there = ", ".join(sorted(self.loaded.tables)) or "no table"
            raise UsageError(
                f"{self.name} asks for the table {name!r}, which this client has not; it has {there}. "
                f"Map it under tables.{name} in client.yml, or guard the cell with run.has({name!r})."
            )
        return engine.read_parquet(self.connection, self.loaded.tables[name])

    def tables(self, *names: str) -> dict[str, "ibis.Table"]:
        """Those of the named canonical tables that the client has."""
        return {name: self.table(name) for name in names if self.has(name)}

    def sheet(self, name: str) -> pd.DataFrame:
        """A sheet of the workshop, empty where nobody has filled one in: quotes only where they are reviewed, notes
        only up to the last day that counts.

        Raises DataError on its faults.
        """
        from cxkit.workshop import read_sheet

        sheet = read_sheet(self.client.folder, name, until=self.as_of)
        return sheet[:0] if name == "quotes" and self.client.quotes != "reviewed" else sheet

    def until(self, *, days_before: int = 0) -> datetime:
        """The moment at which the last day that counts ends (or an earlier day), UTC: what comes later is not known."""
        day = self.as_of + timedelta(days=1 - days_before)
        return datetime.combine(day, time(), ZoneInfo(self.client.time_zone)).astimezone(UTC).replace(tzinfo=None)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the client's data hold a table, and in it each of the optional columns."""
        if table not in self.loaded.tables:
            return False
        return not set(columns) & set(self.loaded.unmapped.get(table, ()))

    def keep_table(self, frame: pd.DataFrame, name: str) -> None:
        """Write a whole frame to tables/<notebook>.<name>.csv without showing it: lists of customers, to act upon."""
        write_table(frame, self.tables_dir / f"{self.name}.{check_name(name, what='a table named')}.csv")

    def kept_table(self, notebook: str, name: str, *, texts: Sequence[str] = ()) -> pd.DataFrame | None:
        """What an earlier notebook left in tables/<notebook>.<name>.csv, or None. `texts`: see `read_table`."""
        path = self.tables_dir / f"{check_name(notebook, what='a notebook')}.{check_name(name, what='a table')}.csv"
        return read_table(path, texts=texts) if path.is_file() else None

    def claims(self) -> pd.DataFrame:
        """The published claims that this and the earlier notebooks of the run checked, in name order."""
        paths = sorted((self.run_dir / "claims").glob("*.json"))
        rows = [row for path in paths for row in json.loads(path.read_text(encoding="utf-8"))]
        return pd.DataFrame(rows, columns=list(findings_file.CLAIM_COLUMNS))

    def findings(self) -> list[Finding]:
        """What this and the earlier notebooks of the run found, in name order, without what was withheld.

        Raises UsageError where none has been run into this folder yet.
        """
        paths = sorted((self.run_dir / "findings").glob("*.json"))
        if not paths:
            raise UsageError(
                f"{self.name} reads what the notebooks before it found, and {self.run_dir.name} holds no findings yet. "
                "Run those notebooks first, in the order of their numbers, or the whole audit with cxkit run."
            )
        return [finding for path in paths for finding in findings_file.load(path)]


_open: list[Run] = []  # the run of this kernel; one notebook, one kernel


def open_run(client_yml: str | Path, run_dir: str | Path, name: str) -> Run:
    """Open a notebook's run: load the client's settings and tables, set the theme of the pictures.

    From: `client_yml` and `run_dir`, relative to the notebook's folder or absolute; `name`: the notebook's own
    (`03_loyalty`). Where `run_dir` holds a run.json, its `as_of` counts (the runner may have been told another day).
    Raises UsageError and DataError as the settings and the sources do, UsageError where the folder is another client's.
    """
    import matplotlib

    from cxkit.client import load_client
    from cxkit.sources import load

    folder = Path(run_dir)
    check_name(name, what="the notebook's name")
    told = _record(folder / "run.json").get("as_of")
    client = load_client(Path(client_yml), as_of=told)
    run = Run(client=client, loaded=load(client, as_of=told), run_dir=folder, name=name)
    folder.mkdir(parents=True, exist_ok=True)
    if told is None:
        _claim_folder(folder, client)
    (folder / "not_assessed" / f"{name}.json").unlink(missing_ok=True)
    matplotlib.rcParams.update(style.theme(client.colour))
    _open[:] = [run]
    return run


def _record(path: Path) -> dict:
    """run.json, which the runner writes before the first notebook; {} where nobody did."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _claim_folder(folder: Path, client: "Client") -> None:
    """A folder that no runner made belongs to one client: a summary must not mix two clients' findings."""
    mark = folder / ".client"
    if mark.is_file() and (owner := mark.read_text(encoding="utf-8").strip()) != client.slug:
        raise UsageError(
            f"{folder.name} holds the results of the client {owner!r}, and this is {client.slug!r}. Give each client a "
            "run_dir of its own, or empty the folder."
        )
    mark.write_text(f"{client.slug}\n", encoding="utf-8")


def current_run() -> Run:
    """The run that this kernel opened. Raises UsageError before `open_run`."""
    if not _open:
        raise UsageError('no run is open; start with run = open_run(client_yml, run_dir, name="03_loyalty").')
    return _open[0]


def _display(record: dict, plain: str, html: str = "", **more: object) -> None:
    """One output: the record for the report, HTML for JupyterLab, a short text for terminals and nbval."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    if not InteractiveShell.initialized():
        print(plain)
        return
    bundle = {"text/plain": plain, MIME: record, **({"text/html": html} if html else {}), **more}
    metadata = {"image/svg+xml": {"alt": plain}} if "image/svg+xml" in bundle else {}
    display(bundle, raw=True, metadata=metadata)


def show_table(
    frame: pd.DataFrame,
    name: str,
    *,
    caption: str,
    columns: Sequence[str] = (),
    formats: Mapping[str, str] = {},
    labels: Mapping[str, str] = {},
    links: Mapping[str, str] = {},
    rows: int = ROWS_SHOWN,
) -> None:
    """Show the first rows of a frame, and write the whole of it to tables/<notebook>.<name>.csv.

    From: a tidy frame, already in the order in which it is to be read; a named index becomes columns.
    `columns`: the ones to show where not all (`interval` stands for `low` and `high`); `formats`: column -> text,
    count, share, money, lift, days, ratio, points, date or month, where its name does not say it; `labels`: column ->
    heading; `links`: as `table_record`. At most 10 rows are shown, and how many more the file holds is said.
    Raises UsageError on a name, caption, format or link that does not fit.
    """
    run = current_run()
    file = f"tables/{run.name}.{check_name(name, what='a table named')}.csv"
    whole = frame.reset_index() if any(n is not None for n in frame.index.names) else frame
    told = {"caption": caption, "file": file, "currency": run.currency, "rows": min(rows, ROWS_SHOWN)}
    record = table_record(whole, columns=columns, formats=formats, labels=labels, links=links, **told)
    write_table(whole, run.run_dir / file)
    plain = f"{record['caption']} ({len(record['rows'])} of {record['total']:,} rows; {file})"
    _display(record, plain, part("table", record))


def show_each(
    frame: pd.DataFrame, name: str, *, by: str, caption: str, columns: Sequence[str],
    labels: Mapping[str, str] = {}, links: Mapping[str, str] = {},
) -> None:  # fmt: skip
    """Show one small table for each value of the column `by`, in the frame's order, and write the whole frame once.

    `caption`: what one table is; {} in it stands for the value. Else as `show_table`.
    """
    file = f"tables/{current_run().name}.{check_name(name, what='a table named')}.csv"
    write_table(frame, current_run().run_dir / file)
    last = frame[by].iloc[-1] if len(frame) else None  # the file is named once, under the last
    for value, rows in frame.groupby(by, sort=False):
        told = {"caption": caption.replace("{}", clean_text(value)), "file": file if value == last else ""}
        record = table_record(
            rows, columns=columns, labels=labels, links=links, currency=current_run().currency, **told
        )
        count = f"{len(record['rows'])} row{'s' * (len(record['rows']) != 1)}"
        _display(record, f"{record['caption']} ({count}; {file})", part("table", record))


def show_figure(ax: "Axes", name: str, *, alt: str) -> None:
    """Show the picture that an Axes belongs to, and write it to figures/<notebook>.<name>.svg; the figure is closed.

    `alt` says what the picture shows (its finding), for those who cannot see it. The SVG's bytes depend on the
    picture alone.
    Raises UsageError on a name that does not fit or an empty alt text.
    """
    import matplotlib.pyplot as plt

    run = current_run()
    file = f"figures/{run.name}.{check_name(name, what='a figure named')}.svg"
    alt = clean_text(alt)
    if not alt:
        raise UsageError(f"the figure {name!r} has no alt text; say in alt='…' what the picture shows.")
    figure = ax.get_figure(root=True)
    wide = bool(figure.get_figwidth() > WIDE)
    svg = svg_text(figure)
    plt.close(figure)
    path = run.run_dir / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg, encoding="utf-8")
    _display(
        {"kind": "figure", "alt": alt, "file": file} | ({"wide": True} if wide else {}), alt, **{"image/svg+xml": svg}
    )


def say(*sentences: str | Finding) -> None:
    """A paragraph of sentences that carry numbers; a Finding gives its own sentence, unless it is withheld."""
    texts = []
    for sentence in sentences:
        if isinstance(sentence, Finding) and sentence.id in current_run().client.withhold:
            reason = current_run().client.withhold[sentence.id]
            texts.append(f"{clean_text(sentence.label)}: withheld by the consultant ({clean_text(reason)}).")
        else:
            texts.append(clean_text(sentence.sentence() if isinstance(sentence, Finding) else sentence))
    record = {"kind": "say", "sentences": texts}
    _display(record, " ".join(texts), part("sentences", record))


def not_assessed(what: str, *, why: str, ask_for: str) -> None:
    """Say that something was not assessed, why, and what to ask the client for; the page and the index repeat it."""
    run = current_run()
    record = {"what": clean_text(what), "why": clean_text(why), "ask_for": clean_text(ask_for)}
    run.missing.append(record)
    write_json(run.run_dir / "not_assessed" / f"{run.name}.json", run.missing)
    shown = {"kind": "not_assessed", **record}
    _display(shown, f"Not assessed: {record['what']}. {record['why']} {record['ask_for']}", part("not_assessed", shown))


def _settle(finding: Finding, run: Run) -> Finding:
    """The finding with the client's own target and currency, where it has none yet."""
    if finding.target is None and finding.id in run.targets:
        finding = replace(finding, target=float(run.targets[finding.id]), target_source="set by the client")
    if finding.estimate.unit == "money" and not finding.currency:
        finding = replace(finding, currency=run.currency)
    return finding


def _flat(findings: Iterable[Finding | Iterable[Finding]]) -> list[Finding]:
    return [f for item in findings for f in ([item] if isinstance(item, Finding) else item)]


def keep_findings(*findings: Finding | Iterable[Finding], caption: str = "What was found here") -> None:
    """Write the notebook's findings to findings/<notebook>.json and show them with their verdicts in words.

    From: findings, or lists of them; the client's own targets and currency are filled in where a finding has none.
    What the consultant withholds goes without its number to findings/withheld/<notebook>.json, with the reason.
    Raises DataError on an id used twice.
    """
    run = current_run()
    settled = [_settle(finding, run) for finding in _flat(findings)]
    _tell_unmade({f.id for f in settled}, run)
    kept = [f for f in settled if f.id not in run.client.withhold]
    withheld = [
        {"id": f.id, "label": clean_text(f.label), "reason": clean_text(run.client.withhold[f.id])}
        for f in settled
        if f.id in run.client.withhold
    ]
    try:
        findings_file.save(kept, run.run_dir / "findings" / f"{run.name}.json")
    except ValueError as error:
        raise DataError(f"{run.name}: {error}") from error
    hidden = run.run_dir / "findings" / "withheld" / f"{run.name}.json"
    if withheld:
        write_json(hidden, withheld)
    else:
        hidden.unlink(missing_ok=True)
    _show(kept, withheld, caption, kept_here=True)


def _tell_unmade(made: set[str], run: Run) -> None:
    """A target for, or the withholding of, a stage or touchpoint that this audit has no finding of: told, not lost."""
    kinds = {id.rpartition(".")[0] for id in made} & set(findings_file.FAMILIES)
    for id in sorted({*run.targets, *run.client.withhold} - made):
        if id.startswith(tuple(f"{kind}." for kind in kinds)):
            near = sorted(other for other in made if id.startswith(f"{other.rpartition('.')[0]}."))
            why = f"client.yml names it, and no such finding was made; of its kind there are {', '.join(near)}."
            not_assessed(f"the finding {id}", why=why, ask_for="Mend the name in client.yml, or take it out.")


def keep_claims(*claims: pd.DataFrame) -> None:
    """Write the published claims that a notebook checked to claims/<notebook>.json; the summary shows them.

    From: frames with the columns of `findings.check_claim`.
    """
    run = current_run()
    rows = [row for frame in claims for row in frame.astype(object).where(frame.notna(), None).to_dict("records")]
    write_json(run.run_dir / "claims" / f"{run.name}.json", rows)


def show_findings(*findings: Finding | Iterable[Finding], caption: str) -> None:
    """Show findings of the run with their verdicts in words, weaknesses first, without keeping them again."""
    ranked = sorted(_flat(findings), key=lambda finding: findings_file.VERDICTS.index(finding.quadrant()))
    _show(ranked, [], caption, kept_here=False)


def _show(findings: list[Finding], withheld: list[dict], caption: str, *, kept_here: bool) -> None:
    rows = [finding_record(finding, notebook=current_run().name) for finding in findings]
    record = findings_record(rows, withheld=withheld, caption=caption, kept=kept_here)
    lines = [f"{row['sentence']} {VERDICT_WORDS[row['verdict']]}." for row in rows]
    lines += [f"{row['label']}: withheld by the consultant." for row in withheld]
    _display(record, "\n".join(lines) or "No findings.", part("findings", record))
