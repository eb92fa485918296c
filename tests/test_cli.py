"""The command line: what it says, where it says it, with which exit code."""

import os
import subprocess
import sys

import pytest
from make_client import make_client
from make_notebooks import notebook

from cxkit import __version__, cli, run
from cxkit.errors import DataError, RunError, UsageError


@pytest.fixture
def shop(tmp_path):
    """A tiny client and one quick notebook; to the arguments that name them."""
    notebook(tmp_path / "books", "00_first", "print(days)", parameters="days: int = 90  # how long\n")
    client = make_client(tmp_path / "data" / "tiny")
    return [str(client), "--out", str(tmp_path / "reports"), "--notebooks", str(tmp_path / "books")]


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (
            [],
            [
                "run",
                "check",
                "new",
                "diff",
                "inspect",
                "reveal",
                "render",
                "demo-data",
                "Exit codes: 0 done",
                "130, 143 interrupted",
            ],
        ),
        (
            ["run"],
            ["--only", "-p NAME VALUE", "--as-of", "--against", "--expect-until", "--jobs", "--out", "CLIENT is"],
        ),
        (["check"], ["no notebook is run", "--as-of"]),
        (["new"], ["FILES", "--currency", "--time-zone", "Nothing is overwritten", "??? in client.yml"]),
        (["diff"], ["EARLIER", "LATER", "--out", "nothing is written"]),
        (["inspect"], ["FILE", "--sheet", "no personal values are shown"]),
        (["reveal"], ["PSEUDONYM...", "Nothing is stored"]),
        (["render"], ["NOTEBOOK", "offline HTML page"]),
        (
            ["demo-data"],
            ["--customers", "--seed", "--out", "csv|parquet", "default|one_group|subscription|null|improved"],
        ),
    ],
)
def test_every_command_has_help(command, parts, capsys):
    assert cli.main([*command, "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for part in parts:
        assert part in words


def test_python_m_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "cxkit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"cxkit, version {__version__}\n"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from cxkit import cli; cli.main(['run', '--help']); print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "click" in loaded
    assert not loaded & {"pandas", "numpy", "ibis", "papermill", "nbformat", "pydantic", "duckdb", "matplotlib", "yaml"}


def test_results_go_to_stdout_and_progress_to_stderr(shop, capsys, tmp_path):
    assert cli.main(["run", *shop]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == str(tmp_path / "reports" / "tiny" / "runs" / "2026-06-15-1" / "index.html")
    assert lines[1].split()[:2] == ["00_first", "done"]
    assert len(lines) == 2
    assert said.err.splitlines()[:2] == ["[0/3] checking the data", "[1/3] running 00_first"]
    assert said.err.splitlines()[-2:] == ["[2/3] writing the report", "[3/3] done"]


def test_a_partial_run_says_so(shop, capsys, tmp_path):
    notebook(tmp_path / "books", "01_second")
    assert cli.main(["run", *shop, "--only", "00_first"]) == 0
    assert "'latest' stays at the last whole report" in capsys.readouterr().out


def test_check_prints_the_accounting(shop, capsys):
    assert cli.main(["check", *shop]) == 0
    assert "orders: 12 rows in, 12 kept, 0 refused" in capsys.readouterr().out


def test_parameters_of_two_values(shop, capsys, tmp_path):
    assert cli.main(["run", *shop, "-p", "days", "7", "-p", "00_first.days", "8"]) == 0
    assert "8" in (tmp_path / "reports" / "tiny" / "latest" / "00_first.ipynb").read_text(encoding="utf-8")
    capsys.readouterr()
    assert cli.main(["run", *shop, "-p", "days", "07x"]) == 2
    assert capsys.readouterr().err == "cxkit: -p days 07x: '07x' is no whole number; 00_first declares `days: int`.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "No such command 'dance'"),
        (["run"], "Missing argument 'CLIENT'"),
        (["run", "demo", "--as-of", "30.06.2026"], "'30.06.2026' is no day; write it as 2026-06-30, or latest."),
        (["run", "demo", "--expect-until", "2026-02-30"], "'2026-02-30' is no day; write it as 2026-06-30."),
        (["run", "demo", "--jobs", "0"], "0 is not in the range 1<=x<=64"),
        (["run", "demo", "-p", "days"], "requires 2 arguments"),
        (
            ["demo-data", "--out", "x", "--scenario", "odd"],
            "'odd' is not one of 'default', 'one_group', 'subscription'",
        ),
        (["check", "nobody"], "no client 'nobody'"),
        (["reveal", "nobody", "abc"], "no client 'nobody'"),
        (["reveal", "demo"], "Missing argument 'PSEUDONYM...'"),
        (["inspect", "gone.csv"], "gone.csv is no file."),
        (["new", "../up"], "'../up' cannot name a client's folder"),
        (["new", "shop", "gone.csv", "--currency", "euro"], "--currency 'euro' is no currency's code"),
        (["new", "shop", "gone.csv"], "there is no file gone.csv."),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert message in " ".join(said.err.split())
    assert said.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("the key is wrong."), 2, "cxkit: the key is wrong.\n"),
        (DataError("too many refused."), 3, "cxkit: too many refused.\n"),
        (RunError("a notebook failed."), 1, "cxkit: a notebook failed.\n"),
        (KeyboardInterrupt(), 130, "cxkit: interrupted; the last report is untouched.\n"),
        (
            PermissionError(13, "Permission denied", "/x"),
            1,
            "cxkit: could not read or write: Permission denied (/x).\n",
        ),
    ],
)
def test_every_error_has_its_exit_code_and_no_traceback(error, code, message, shop, capsys, monkeypatch):
    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(run, "run_audit", fail)
    assert cli.main(["run", *shop]) == code
    assert capsys.readouterr().err.lstrip("\n") == message


def test_an_unexpected_error_asks_to_be_reported(shop, capsys, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(run, "check_client", fail)
    assert cli.main(["check", *shop]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith(
        "cxkit: unexpected ZeroDivisionError: division by zero. Please report it with the lines above.\n"
    )


def test_demo_data_makes_a_client_that_passes_its_checks(tmp_path, capsys, monkeypatch):
    out = tmp_path / "data" / "small"
    assert cli.main(["demo-data", "--customers", "200", "--seed", "7", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert (out / "client.yml").is_file()
    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "books", "03_loyalty", parameters="within_days: int = 90\n")
    assert cli.main(["check", "small", "--notebooks", "books"]) == 0
    assert "Malyatko: settings and data passed their checks" in capsys.readouterr().out


ORDERS = "Order number,Customer ID,Order date,Line total\n" + "".join(
    f"A{i},c{i % 7},2026-03-{i % 27 + 1:02d} 10:00:00,{i + 1}.50\n" for i in range(40)
)


def test_from_an_export_to_its_check_and_back_to_an_own_id(tmp_path, capsys, monkeypatch):
    """As the consultant goes: inspect, new, check, reveal."""
    import pandas as pd

    from cxkit import sources
    from cxkit.client import load_client

    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "books", "00_first")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    assert cli.main(["inspect", "orders.csv"]) == 0
    assert "Trial run: 40 records in, 40 kept, 0 refused." in capsys.readouterr().out
    assert cli.main(["new", "shop", "orders.csv", "--currency", "UAH"]) == 0
    said = capsys.readouterr()
    assert "time_zone" in said.out
    assert said.err.splitlines()[0] == "[0/2] reading orders.csv"
    assert cli.main(["check", "shop", "--notebooks", "books"]) == 2
    assert "1 of its lines is still to be filled in" in capsys.readouterr().err
    settings = tmp_path / "data" / "shop" / "client.yml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace("time_zone: ???", "time_zone: UTC"), encoding="utf-8"
    )
    assert cli.main(["check", "shop", "--notebooks", "books"]) == 0
    assert "orders: 40 rows in, 40 kept, 0 refused" in capsys.readouterr().out
    assert cli.main(["new", "shop", "orders.csv"]) == 2
    assert "is a client already; nothing in it is changed" in capsys.readouterr().err
    pseudonym = pd.read_parquet(sources.load(load_client(tmp_path / "data" / "shop")).tables["orders"]).customer_id[0]
    assert cli.main(["reveal", "shop", pseudonym]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split() == ["pseudonym", "table", "own_id", "file", "record"]
    assert said.out.splitlines()[1].split()[:3] == [pseudonym, "orders", "c0"]
    assert said.err == "cxkit: what follows is personal data: keep it out of reports, tickets and mails.\n"


def test_a_terminal_without_the_letters_gets_question_marks(tmp_path):
    (tmp_path / "замовлення.csv").write_text(ORDERS, encoding="utf-8")
    env = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "cxkit", "inspect", "замовлення.csv"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"??????????.csv: ")


def test_two_runs_are_compared_and_a_wrong_name_lists_the_runs(shop, capsys):
    client, *out = shop[:3]
    for day in ("2026-03-31", "2026-06-30"):
        assert cli.main(["run", *shop, "--as-of", day]) == 0
    capsys.readouterr()
    assert cli.main(["diff", client, *out]) == 0
    assert "2026-06-30-1 against 2026-03-31-1" in capsys.readouterr().out
    assert cli.main(["diff", client, "2026-01-01-1", *out]) == 2
    assert "2026-01-01-1: no such run. Runs under" in capsys.readouterr().err
