"""What bad input gets: a clear message, the right exit code, and the last good report still there."""

import contextlib
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from make_client import HEADER, ROWS, make_client, write_orders
from make_notebooks import notebook

from cxkit import cli
from cxkit.parameters import default_folder

REAL = ("00_data_quality", "01_segmentation", "03_loyalty", "11_summary")
all_four = pytest.mark.skipif(
    not all((default_folder() / f"{name}.ipynb").is_file() for name in REAL),
    reason="the four notebooks of the kit are not all there",
)
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and /proc")


@dataclass(frozen=True)
class Shop:
    """A tiny client with a good report, and where everything of it lies."""

    root: Path

    @property
    def client(self) -> Path:
        return self.root / "data" / "tiny" / "client.yml"

    @property
    def home(self) -> Path:
        return self.root / "reports" / "tiny"

    def command(self, *more: str) -> list[str]:
        out, books = self.root / "reports", self.root / "books"
        return ["run", str(self.client), "--out", str(out), "--notebooks", str(books), *more]

    @contextlib.contextmanager
    def start(self, *more: str) -> Iterator[subprocess.Popen]:
        """A run of its own process; a test that fails in the middle does not wait for its end."""
        command = [sys.executable, "-m", "cxkit", *self.command(*more)]
        pipe = subprocess.PIPE
        # a shell in the background passes SIGINT on as ignored; here it is to count
        listen = (lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if os.name == "posix" else None
        options = {"stdout": pipe, "stderr": pipe, "text": True, "cwd": self.root, "preexec_fn": listen}
        with subprocess.Popen(command, **options) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    def report(self) -> dict[str, bytes]:
        """All published files, and what `latest` names."""
        runs = self.home / "runs"
        files = {str(p.relative_to(runs)): p.read_bytes() for p in sorted(runs.rglob("*")) if p.is_file()}
        return files | {"latest": os.readlink(self.home / "latest").encode()}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    root = tmp_path_factory.mktemp("good")
    shop = Shop(root)
    make_client(shop.client.parent)
    notebook(root / "books", "00_first", "print('ran')")
    assert cli.main(shop.command()) == 0
    return shop


@pytest.fixture
def shop(good, tmp_path):
    shutil.copytree(good.root, tmp_path / "shop", symlinks=True)
    return Shop(tmp_path / "shop")


def refused(shop, capsys, code, *parts, arguments=()):
    """Run, and hold the run to its exit code and message, and the report to what it was."""
    before = shop.report()
    assert cli.main(shop.command(*arguments)) == code
    said = capsys.readouterr()
    words = " ".join(said.err.split())
    for part in parts:
        assert part in words, words
    assert "Traceback" not in said.err
    assert said.out == ""
    assert shop.report() == before
    assert not list(shop.home.glob(".tmp-*"))


def orders(shop, rows, **options):
    return write_orders(shop.client.parent, rows, **options)


# What is wrong with the data


def test_an_empty_file(shop, capsys):
    orders(shop, []).write_bytes(b"")
    refused(shop, capsys, 3, "orders", "exports/orders.csv", "empty")


def test_a_header_without_rows(shop, capsys):
    orders(shop, [])
    refused(shop, capsys, 3, "orders", "no rows")


def test_a_missing_column(shop, capsys):
    orders(shop, [row[:3] + row[4:] for row in ROWS], header=HEADER[:3] + HEADER[4:])
    refused(shop, capsys, 3, "orders", "no column 'Total'", "columns.amount in client.yml")


def test_a_wrong_delimiter(shop, capsys):
    orders(shop, ROWS, delimiter=";")
    refused(shop, capsys, 3, "orders", "delimiter")


def test_mixed_date_formats(shop, capsys):
    rows = [(*row[:2], f"15.{index + 1:02d}.2026" if index % 2 else row[2], *row[3:]) for index, row in enumerate(ROWS)]
    orders(shop, rows)
    refused(shop, capsys, 3, "6 of 12", "ordered_at", "max_refused_share")


def test_a_row_dated_2099_is_refused_and_never_followed(shop, capsys):
    far = ("O99", "C1", "2099-01-01", "10.00", "P1")
    orders(shop, [*ROWS, far])
    refused(shop, capsys, 3, "1 of 13", "as_of")
    make_client(shop.client.parent, rows=[*ROWS, far], orders={"max_refused_share": 0.1})
    assert cli.main(shop.command()) == 0
    assert os.readlink(shop.home / "latest") == os.path.join("runs", "2026-06-15-2")


def test_as_of_before_the_first_order(shop, capsys):
    refused(shop, capsys, 3, "2025-12-31", "2026-01-15", arguments=["--as-of", "2025-12-31"])


def test_data_older_than_expected(shop, capsys):
    refused(shop, capsys, 3, "last order is of 2026-06-15", arguments=["--expect-until", "2026-07-01"])


# What is wrong with the settings


def settings(shop, **changes):
    data = yaml.safe_load(shop.client.read_text(encoding="utf-8"))
    shop.client.write_text(yaml.safe_dump({**data, **changes}), encoding="utf-8")


def test_a_client_yml_with_python_in_it(shop, capsys):
    target = shop.root / "made-by-yaml"
    text = shop.client.read_text(encoding="utf-8").replace(
        "client: Tiny Shop", f"client: !!python/object/apply:os.system ['touch {target}']"
    )
    shop.client.write_text(text, encoding="utf-8")
    refused(shop, capsys, 2, "client.yml", "python/object", "plain YAML")
    assert not target.exists()


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "exports/../../../../etc/passwd"])
def test_a_path_that_leaves_the_folder(shop, capsys, path):
    settings(shop, tables={"orders": {"path": path, "columns": {"order_id": "a"}}})
    refused(shop, capsys, 2, "tables.orders.path", "leaves the client's folder")


def test_an_unknown_key_and_an_unknown_parameter(shop, capsys):
    settings(shop, curency="UAH")
    refused(shop, capsys, 2, "curency", "did you mean 'currency'?")
    make_client(shop.client.parent, parameters={"00_first": {"days": 3}})
    refused(shop, capsys, 2, "client.yml, parameters.00_first.days: 00_first has no such parameter")


# What is wrong with the place


def test_a_file_in_the_way_of_the_report(shop, capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")
    place = str(tmp_path / "file" / "reports")
    refused(shop, capsys, 1, "the report could not be written: Not a directory", place, arguments=["--out", place])


@contextlib.contextmanager
def small_disk(folder, size):
    """A tmpfs of `size`; skips where mounting is not allowed."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


needs_mount = pytest.mark.skipif(shutil.which("mount") is None or os.name != "posix", reason="no mount here")


@needs_mount
def test_a_full_disk_and_a_disk_that_cannot_be_written(shop, capsys):
    shutil.move(shop.home, shop.root / "kept")
    with small_disk(shop.root / "reports", "400k"):
        shutil.copytree(shop.root / "kept", shop.home, symlinks=True)
        full = ("the report could not be written: No space left on device", "The last report", "is untouched")
        notebook(shop.root / "books", "00_first", "open(f'{run_dir}/large', 'w').write('x' * 2_000_000)")
        refused(shop, capsys, 1, *full)
        notebook(shop.root / "books", "00_first", "print('x' * 2_000_000)")
        refused(shop, capsys, 1, *full)
        subprocess.run(["mount", "-o", "remount,ro", shop.root / "reports"], check=True)
        refused(shop, capsys, 1, "the report could not be written: Read-only file system")


# What happens in the middle


LONG = (
    "import os, time\nopen('{started}', 'w').write(str(os.getpid()))\nwhile os.path.exists('{hold}'): time.sleep(0.02)"
)


@pytest.fixture
def long_run(shop):
    """A shop whose notebook tells its kernel's number and goes on while the file `hold` is there."""
    notebook(shop.root / "books", "00_first", LONG.format(started=shop.root / "started", hold=shop.root / "hold"))
    (shop.root / "hold").touch()
    return shop


def kernel(shop):
    """The kernel's process, once the notebook is in the middle."""
    started = shop.root / "started"
    return _within(120, lambda: int(started.read_text()) if started.is_file() and started.read_text() else None)


def is_gone(pid):
    return _within(
        10, lambda: not Path(f"/proc/{pid}/cmdline").is_file() or not Path(f"/proc/{pid}/cmdline").read_bytes()
    )


def _within(seconds, look):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {seconds} s")


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_the_middle_and_a_second_run_meanwhile(long_run, number, code, capsys):
    before = long_run.report()
    with long_run.start() as first:
        pid = kernel(long_run)
        assert cli.main(long_run.command()) == 1
        assert "another run of 'tiny' is under way" in capsys.readouterr().err
        first.send_signal(number)
        out, err = first.communicate(timeout=30)
    assert first.returncode == code
    assert out == ""
    assert "the last report is untouched" in err
    assert "Traceback" not in err
    assert is_gone(pid)
    assert long_run.report() == before
    assert not list(long_run.home.glob(".tmp-*"))


@posix
def test_a_run_that_is_killed_publishes_nothing_and_the_next_one_works(long_run):
    before = long_run.report()
    with long_run.start() as first:
        pid = kernel(long_run)
        first.kill()
    assert is_gone(pid)  # it notices by itself that its parent is gone
    assert long_run.report() == before
    assert len(list(long_run.home.glob(".tmp-*"))) == 1
    (long_run.root / "hold").unlink()
    assert cli.main(long_run.command()) == 0
    assert not list(long_run.home.glob(".tmp-*"))
    assert os.readlink(long_run.home / "latest") == os.path.join("runs", "2026-06-15-2")


@posix
def test_a_kernel_that_is_killed_fails_its_notebook(long_run):
    before = long_run.report()
    with long_run.start() as first:
        os.kill(kernel(long_run), signal.SIGKILL)
        _, err = first.communicate(timeout=30)
    assert first.returncode == 1
    assert "notebook 00_first failed: its kernel died" in err
    assert f"see it with its error: {long_run.home / 'failed' / '00_first.ipynb'}" in err
    assert long_run.report() == before


# Odd data through the kit's own notebooks


def real_run(client, only=()):
    """The published folder and its pages, after `cxkit run` over the kit's own notebooks, or those of `only`."""
    folder = client.parents[2]
    command = [sys.executable, "-m", "cxkit", "run", str(client), "--out", str(folder / "reports")]
    command += [part for name in only for part in ("--only", name)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    index, latest = Path(done.stdout.splitlines()[0]), folder / "reports" / client.parent.name / "latest"
    assert only or index == latest.resolve() / "index.html"
    pages = {p.stem: p.read_text(encoding="utf-8") for p in index.parent.glob("*.html")}
    assert set(pages) >= {"index", *(only or REAL)}
    for name, page in pages.items():
        assert not re.search(r">\s*(nan|NaN|NaT|None|-?inf)\b", page), name
    return index.parent, pages


@all_four
def test_one_order_only(tmp_path):
    _, pages = real_run(make_client(tmp_path / "data" / "tiny", rows=ROWS[:1]))
    assert "too early to say" in pages["03_loyalty"].lower()


@all_four
def test_one_customer_only(tmp_path):
    """On the pages about customers; the others have nothing that one order only would not show them."""
    client = make_client(tmp_path / "data" / "tiny", rows=[(row[0], "C1", *row[2:]) for row in ROWS])
    _, pages = real_run(client, only=("01_segmentation", "03_loyalty", "04_lifetime_value"))
    assert "too early to say" in pages["03_loyalty"].lower()


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may run a cell: a text, not a number, that starts as formulas do."""
    try:
        float(cell)
    except ValueError:
        return cell.lstrip()[:1] in tuple("=+-@") or cell[:1] in ("\t", "\r")
    return False


def test_formulas_are_told_from_numbers():
    assert all(map(is_formula, ["=1+1", "+cmd", "-cmd", "@SUM(1)", "\tx", "\rx", " =1", "-"]))
    assert not any(map(is_formula, ["", "-5.2", "+3", "1e-05", "'=1+1", "a=b", "a-b"]))


@all_four
def test_equal_amounts_hostile_text_and_a_path_with_blanks_and_cyrillic_letters(tmp_path):
    name = "Tiny <script>alert(0)</script> Shop"
    client = make_client(tmp_path / "мій магазин № 1" / "data" / "дитячий одяг", client=name)
    formula, markup = '=HYPERLINK("http://evil.example")', "<img src=x onerror=alert(1)>"
    rows = []
    for n in range(60):
        day = f"2026-{1 + n % 6:02d}-{1 + n % 28:02d}"
        customer = f"<script>alert({n % 9})</script>"
        rows.append((f"O{n:03d}", customer, day, "100.00", f"P{n % 4}", formula if n % 2 else markup, "@SUM(1+1)"))
    rows.append(("O060", "C1", "2026-06-29", "=9*9", "P1", formula, "toys"))  # refused, and kept with its value
    write_orders(client.parent, rows, header=(*HEADER, "Name", "Group"))
    data = yaml.safe_load(client.read_text(encoding="utf-8"))
    data["tables"]["orders"]["columns"] |= {"product": "Name", "category": "Group"}
    client.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    latest, pages = real_run(client)
    for page in pages.values():
        assert "<script" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;alert(0)" in pages["index"]
    cells = []
    for table in [*(latest / "tables").glob("*.csv"), *client.parent.glob("private/refused/*.csv")]:
        with table.open(encoding="utf-8", newline="") as file:
            cells += [(table.name, cell) for row in csv.reader(file) for cell in row]
    assert [where for where in cells if is_formula(where[1])] == []
    assert ("orders.csv", "'=9*9") in cells, "what would be a formula is there, as text"
