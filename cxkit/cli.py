"""The command line: arguments in, exit code out.

Results go to stdout; progress, messages and log to stderr. Whatever is heavy is imported by the command that needs it,
so that `cxkit --help` answers at once.
"""

import logging
import signal
import sys
import threading
import traceback
from datetime import date
from pathlib import Path

import click

from cxkit import __version__
from cxkit.errors import CxkitError, RunError, UsageError

EXIT_CODES = """
\b
Exit codes: 0 done; 1 a notebook failed, or the report could not be written;
2 wrong usage, settings or parameters (nothing was started); 3 the data did
not pass its checks, or is older than expected; 130, 143 interrupted.
"""


class Day(click.ParamType):
    """A day written YYYY-MM-DD, kept as text; `words` are accepted beside it."""

    name = "date"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.words:
            return value
        try:
            if len(value) != len("2026-06-30"):
                raise ValueError
            return date.fromisoformat(value).isoformat()
        except ValueError:
            also = "".join(f", or {word}" for word in self.words)
            self.fail(f"{value!r} is no day; write it as 2026-06-30{also}.", param, ctx)


AS_OF = click.option(
    "--as-of",
    type=Day("latest"),
    metavar="DATE",
    help="Last day that counts (default: as client.yml says); 'latest' is the last day with orders.",
)
OUT = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    metavar="DIR",
    help="Where the reports of all clients lie.",
)
NOTEBOOKS = click.option(
    "--notebooks",
    "notebooks_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the notebooks (default: the kit's own, else notebooks/).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="cxkit")
def cli() -> None:
    """Audit how well a shop serves its customers: exports in, an offline report out."""


@cli.command(short_help="Audit a client: check, run the notebooks, publish the report.", epilog=EXIT_CODES)
@click.argument("client")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Run this notebook and those that it reads; may be repeated, or a list with commas. The report is kept "
    "under runs/, but 'latest' stays at the last whole one.",
)
@click.option(
    "-p",
    "parameters",
    multiple=True,
    nargs=2,
    metavar="NAME VALUE",
    help="Set a notebook's parameter: NAME is 'parameter' (in every notebook that has it) or "
    "'03_loyalty.parameter'. May be repeated; goes before what client.yml says.",
)
@AS_OF
@click.option(
    "--against",
    metavar="RUN|none",
    help="The earlier run that changes are measured against; named and hashed in run.json "
    "(default: the last good one before this as_of).",
)
@click.option(
    "--expect-until",
    type=Day(),
    metavar="DATE",
    help="End with exit code 3 when the last order is older than this day.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    metavar="N",
    help="How many notebooks run side by side.",
)
@OUT
@NOTEBOOKS
def run(client: str, **options: object) -> None:
    """Audit a client: check settings and data, run the notebooks, publish the report.

    CLIENT is a folder under data/ (for example demo), or a path to a client.yml or to its folder. The report goes to
    reports/CLIENT/runs/; the one before stands until the new one is whole.
    """
    from cxkit.client import find_client
    from cxkit.run import describe_result, run_audit

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a kernel that was ended leaves tasks behind
    with _progress() as progress:
        result = run_audit(find_client(client), progress=progress, **options)
    click.echo(describe_result(result))


@cli.command(short_help="Check a client's settings and data; run no notebook.", epilog=EXIT_CODES)
@click.argument("client")
@AS_OF
@OUT
@NOTEBOOKS
def check(client: str, **options: object) -> None:
    """Check a client's settings, parameters, data and workshop's sheets, and print what was kept and refused; no
    notebook is run. Comments that might be quoted are written to the client's private folder.

    CLIENT is a folder under data/ (for example demo), or a path to a client.yml or to its folder.
    """
    from cxkit.client import find_client
    from cxkit.run import check_client

    click.echo(check_client(find_client(client), **options))


@cli.command(short_help="Tell what changed between two audits.", epilog=EXIT_CODES)
@click.argument("client")
@click.argument("earlier", required=False)
@click.argument("later", required=False)
@OUT
def diff(client: str, earlier: str | None, later: str | None, out: Path) -> None:
    """Tell what changed between two published audits of CLIENT: figures, tiers, SWOT items, actions.

    EARLIER and LATER are runs as they are named under reports/CLIENT/runs/ (2026-03-31-1), or `latest`. Without LATER
    it is the last whole run; without EARLIER the last whole run of an earlier day. Nothing is computed anew and
    nothing is written.
    """
    from cxkit.client import find_client, load_client
    from cxkit.diff import diff
    from cxkit.publish import two_runs

    home = out.resolve() / load_client(find_client(client)).slug
    _show(diff(*two_runs(home, earlier, later)))


@cli.command(short_help="Make a client from the folder of exports they sent.", epilog=EXIT_CODES)
@click.argument("client")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--currency", metavar="CODE", help="The one currency of all money, as UAH, EUR or PLN.")
@click.option("--time-zone", metavar="ZONE", help="The shop's own time zone, as Europe/Kyiv or Europe/Warsaw.")
def new(client: str, files: tuple[Path, ...], **options: str | None) -> None:
    """Make data/CLIENT from FILES (exports, or folders of them): client.yml with what was found out about each file,
    the files as they are, a key for pseudonyms, the workshop's sheets to fill in. Nothing is overwritten.

    What the files do not tell says ??? in client.yml; `cxkit check` names those lines and reads nothing before all
    are filled in.
    """
    from cxkit.new_client import new_client

    with _progress() as progress:
        told = new_client(client, files, progress=progress, **options)
    _show(told)


@cli.command(short_help="Find out what a file is and how it would be read.", epilog=EXIT_CODES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sheet", metavar="NAME", help="The worksheet, the file in a .zip, or the table of a DuckDB file.")
def inspect(file: Path, sheet: str | None) -> None:
    """Find out what FILE is: format, encoding, header, each column's type and meaning, and what the door would
    refuse. Nothing is written, and no personal values are shown."""
    from cxkit.inspect_file import inspect

    _show(inspect(file, sheet=sheet))


@cli.command(short_help="Tell a customer's own id by the pseudonym.", epilog=EXIT_CODES)
@click.argument("client")
@click.argument("pseudonyms", nargs=-1, required=True, metavar="PSEUDONYM...")
def reveal(client: str, pseudonyms: tuple[str, ...]) -> None:
    """Tell the own ids behind PSEUDONYMs, from the client's raw files and with the client's key. Nothing is stored.

    CLIENT is a folder under data/ (for example demo), or a path to a client.yml or to its folder.
    """
    from cxkit.client import find_client, load_client
    from cxkit.reveal import own_ids
    from cxkit.style import clean_text

    found = own_ids(load_client(find_client(client)), pseudonyms)
    click.echo("cxkit: what follows is personal data: keep it out of reports, tickets and mails.", err=True)
    cells = [tuple(found.columns), *found.itertuples(index=False, name=None)]
    rows = [[clean_text(cell) for cell in row] for row in cells]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    _show("\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows))


@cli.command(short_help="Turn an executed notebook into a page of our report.", epilog=EXIT_CODES)
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The HTML file (default: beside the notebook)."
)
def render(notebook: Path, out: Path | None) -> None:
    """Turn an executed NOTEBOOK.ipynb into one offline HTML page, without a run."""
    from cxkit.run import render_lone

    click.echo(str(render_lone(notebook, out)))


@cli.command("demo-data", short_help="Make the made-up client's data.", epilog=EXIT_CODES)
@click.option(
    "--customers", type=click.IntRange(1), default=4000, show_default=True, metavar="N", help="How many customers."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="S", help="The random seed: same seed, same bytes."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder to write into.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the exports.",
)
@click.option(
    "--scenario",
    type=click.Choice(["default", "one_group", "subscription", "null", "improved"]),
    default="default",
    show_default=True,
    help="Which truths are planted.",
)
def demo_data(customers: int, seed: int, out: Path, format_: str, scenario: str) -> None:
    """Make the made-up client: exports, workshop sheets, client.yml, and truth.yml that says what was planted."""
    from cxkit import demo

    demo.make(out, customers=customers, seed=seed, format=format_, scenario=scenario)
    click.echo(str(out))


def _show(text: str) -> None:
    """Text on stdout; letters that the terminal has none for become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, errors="replace").decode(encoding, errors="replace"))


def _progress():
    """A bar on a terminal, plain lines elsewhere; both on stderr."""
    from cxkit.progress import bar, lines

    return bar() if sys.stderr.isatty() else lines()


def _stop(number: int, _frame: object) -> None:
    """SIGTERM becomes an exception, so that whatever is open is closed; a second one changes nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(arguments: list[str] | None = None) -> int:
    """Run the program; every way out has its exit code, and no CxkitError shows a traceback."""
    # jsonschema, which nbformat loads, would spend a second on building a grammar of web addresses that nobody asks for
    sys.modules.setdefault("rfc3987_syntax", None)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        code = cli.main(args=arguments, prog_name="cxkit", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except CxkitError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return UsageError.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; the last report is untouched.", 130)
    except SystemExit as stop:
        return _fail("ended by a signal; the last report is untouched.", stop.code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _fail(f"could not read or write: {error.strerror or error}{where}.", RunError.exit_code)
    except Exception as error:
        traceback.print_exc()
        return _fail(f"unexpected {type(error).__name__}: {error}. Please report it with the lines above.", 1)


def _fail(message: str, code: int) -> int:
    click.echo(f"cxkit: {message}", err=True)
    return code
