"""The program: one audit from exports to a published report."""

import json
import re
import shutil

import pytest
from make_client import COLUMNS, ROWS, make_client
from make_notebooks import notebook

from cxkit import segment_names
from cxkit.errors import DataError, RunError, UsageError
from cxkit.run import check_client, render_lone, run_audit

OPEN = (
    "from cxkit.notebook import keep_findings, open_run, say, show_table\n"
    "run = open_run(client_yml, run_dir, name='{}')"
)
SHOW = (
    "import pandas as pd\n"
    "show_table(pd.DataFrame({'customers': [4], 'note': ['=1+1']}), 'counts', caption='Customers', "
    "formats={'customers': 'count', 'note': 'text'})\n"
    "say(f'As of {run.as_of}, within {within_days} days.')"
)
FIND = (
    "from cxkit.estimates import wilson\nfrom cxkit.findings import Finding\n"
    "keep_findings(Finding('tiny.share', '{value} come back ({interval}).', wilson(40, 100), 'Come back'))"
)
TELL = "import json; print(json.load(open(f'{run_dir}/run.json'))['as_of'])"
DAYS = "within_days: int = 90  # how long\n"


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Three quick notebooks, one of which needs a table that the tiny client has not."""
    folder = tmp_path_factory.mktemp("books")
    notebook(folder, "00_first", TELL)
    notebook(folder, "05_voices", "raise RuntimeError('never run')", needs=("surveys",), after=("00_first",))
    notebook(folder, "11_last", "print(within_days)", parameters=DAYS, needs=(), after=("00_first", "05_voices"))
    return folder


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """One quick notebook."""
    folder = tmp_path_factory.mktemp("book")
    notebook(folder, "00_first", TELL)
    return folder


@pytest.fixture
def client(tmp_path):
    return make_client(tmp_path / "data" / "tiny")


@pytest.mark.parametrize("key", ["targets", "withhold"])
def test_a_misspelt_finding_is_refused(client, book, key):
    client.write_text(
        client.read_text(encoding="utf-8") + f"\n{key}: {{loyalty.ginni: {1 if key == 'targets' else 'x'}}}\n"
    )
    with pytest.raises(UsageError, match=rf"{key}.loyalty.ginni: no such finding, did you mean 'loyalty.gini'\?"):
        audit(client, book)
    with pytest.raises(UsageError, match=r"Findings are quality\.odd_things, quality\.refused_share, "):
        check_client(client, notebooks_dir=book)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("journey.touchpoint.cart", "touchpoints are judged against the client's others"),
        ("segments.shrinks.champions", "segments are judged against their size at the earlier date"),
    ],
)
def test_what_is_judged_otherwise_takes_no_target(client, book, name, why):
    client.write_text(client.read_text(encoding="utf-8") + f"\ntargets: {{{name}: 1}}\n")
    with pytest.raises(UsageError, match=f"targets.{name}: {why}.* take no target; leave it out"):
        audit(client, book)


def test_a_target_that_is_no_share_is_refused(client, book):
    client.write_text(client.read_text(encoding="utf-8") + "\ntargets: {loyalty.repeat_rate: 40}\n")
    with pytest.raises(UsageError, match=r"targets\.loyalty\.repeat_rate: 40 is no share; write 40 % as 0\.40\."):
        audit(client, book)


def audit(client, books, **options):
    return run_audit(client, notebooks_dir=books, out=client.parents[2] / "reports", **options)


def record(result):
    return json.loads((result.folder / "run.json").read_text(encoding="utf-8"))


def printed(result, name):
    cells = json.loads((result.folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", [])).split()


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_is_published_whole(client, books):
    seen = []
    result = audit(client, books, progress=lambda text, done, total: seen.append((text, done, total)))
    home = client.parents[2] / "reports" / "tiny"
    assert result.status == "done"
    assert result.folder == home / "runs" / "2026-06-15-1" == (home / "latest").resolve()
    assert {"index.html", "00_first.html", "00_first.ipynb", "11_last.html", "tables.xlsx", "run.json"} <= {
        p.name for p in result.folder.iterdir()
    }
    run = record(result)
    assert (run["status"], run["client"], run["slug"], run["as_of"]) == ("done", "Tiny Shop", "tiny", "2026-06-15")
    assert run["tables"]["orders"]["rows_in"] == run["tables"]["orders"]["kept"] == 12
    assert run["basis"] == {"customers": 4, "orders": 12, "first": "2026-01-15", "last": "2026-06-15"}
    assert list(run["inputs"]) == ["exports/orders.csv"]
    assert re.fullmatch("[0-9a-f]{64}", run["inputs"]["exports/orders.csv"])
    assert (run["seed"], run["against"], run["settings"]["currency"]) == (1, None, "UAH")
    assert {"cxkit", "python", "duckdb", "pandas"} <= set(run["versions"])
    assert [(n["name"], n["status"]) for n in run["notebooks"]] == [
        ("00_first", "done"),
        ("05_voices", "not assessed"),
        ("11_last", "done"),
    ]
    assert str(client.parents[2]) not in json.dumps(run)
    assert seen[0] == ("checking the data", 0, 5)
    assert seen[-1] == ("done", 5, 5)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_notebook_without_its_table_is_not_run_and_what_to_ask_for_is_said(client, books):
    result = audit(client, books)
    rows = record(result)["not_assessed"]
    assert rows[0]["notebook"] == "05_voices"
    assert rows[0]["what"] == "What does 05_voices ask?"
    assert rows[0]["why"] == "the table surveys is missing"
    assert rows[0]["ask_for"]
    whys = [row["why"] for row in rows]
    assert whys.count("the table surveys is missing") == 1
    assert "the table contacts is missing" in whys
    page = (result.folder / "index.html").read_text(encoding="utf-8")
    assert rows[0]["ask_for"] in page


def test_the_same_data_and_settings_give_the_same_bytes(tmp_path):
    book = tmp_path / "books"
    notebook(book, "00_first", OPEN.format("00_first"), SHOW, FIND, parameters=DAYS)
    trees = []
    for place, jobs in (("one", 1), ("another place", 2)):
        client = make_client(tmp_path / place / "data" / "tiny")
        private = client.parent / "private"
        private.mkdir(mode=0o700)
        (private / "key").write_text("0123456789abcdef" * 4 + "\n")
        trees.append(tree(audit(client, book, jobs=jobs).folder))
    records = [json.loads(t.pop("run.json")) for t in trees]
    assert trees[0] == trees[1]
    for run in records:
        assert set(run.pop("seconds")) == {"data", "notebooks", "report"}
        assert all(entry.pop("seconds") >= 0 for entry in run["notebooks"])
    assert records[0] == records[1]
    assert "As of 15 June 2026, within 90 days." in trees[0]["00_first.html"].decode()
    assert str(tmp_path).encode() not in b"".join(trees[0].values())


def test_a_failed_notebook_leaves_the_report_before_it(client, book, tmp_path):
    before = audit(client, book)
    bytes_before = tree(before.folder.parent)
    broken = tmp_path / "broken"
    notebook(broken, "00_first", "1 + 1", "raise ValueError('no such thing\\nthe last line')")
    notebook(broken, "03_rests", after=("00_first",))
    with pytest.raises(RunError) as error:
        audit(client, broken)
    message = str(error.value)
    kept = client.parents[2] / "reports" / "tiny" / "failed"
    assert "notebook 00_first failed in cell [4]: ValueError: the last line" in message
    assert f"see it with its error: {kept / '00_first.ipynb'}" in message
    assert "not run, because they rest on it: 03_rests" in message
    assert f"the last report is untouched: {before.folder / 'index.html'}" in message
    assert "ValueError" in (kept / "00_first.ipynb").read_text(encoding="utf-8")
    assert json.loads((kept / "run.json").read_text(encoding="utf-8"))["status"] == "failed"
    assert tree(before.folder.parent) == bytes_before
    assert not list(kept.parent.glob(".tmp-*"))


def test_parameters_reach_the_notebook_in_their_order(client, books):
    make_client(client.parent, parameters={"11_last": {"within_days": 60}})
    assert printed(audit(client, books), "11_last") == ["60"]
    result = audit(client, books, parameters=[("within_days", "45")])
    assert printed(result, "11_last") == ["45"]
    assert record(result)["parameters"]["11_last"] == {"within_days": 45}


def test_nothing_is_started_on_a_wrong_parameter_name_or_earlier_run(client, books):
    for options, message in (
        ({"parameters": [("within_day", "45")]}, "Did you mean 'within_days'"),
        ({"only": ["11_lst"]}, "Did you mean '11_last'"),
        ({"against": "2025-01-01-1"}, "there are: no runs yet"),
    ):
        with pytest.raises(UsageError, match=message):
            audit(client, books, **options)
    assert not (client.parents[2] / "reports").exists()
    assert not (client.parent / "private").exists()


def test_as_of_reaches_the_notebooks_and_names_the_run(client, book):
    result = audit(client, book, as_of="2026-04-30")
    assert result.folder.name == "2026-04-30-1"
    assert printed(result, "00_first") == ["2026-04-30"]
    assert record(result)["basis"]["last"] == "2026-04-15"


def test_only_runs_what_the_notebook_reads_and_leaves_latest_alone(client, books):
    whole = audit(client, books)
    part = audit(client, books, only=["00_first"])
    assert part.status == record(part)["status"] == "partial"
    assert [n["name"] for n in part.notebooks] == ["00_first"]
    assert (part.folder.parents[1] / "latest").resolve() == whole.folder
    assert audit(client, books, only=["11_last"]).status == "done"  # it reads all the others


def test_the_earlier_run_is_named_and_hashed(client, book):
    earlier = audit(client, book, as_of="2026-04-30")
    later = record(audit(client, book))["against"]
    assert (later["run"], later["as_of"]) == (earlier.folder.name, "2026-04-30")
    assert re.fullmatch("[0-9a-f]{64}", later["sha256"])
    assert record(audit(client, book, against="none"))["against"] is None


def test_data_older_than_expected_end_the_run(client, book):
    message = r"the last order is of 2026-06-15, and orders up to 2026-07-01 were expected"
    with pytest.raises(DataError, match=message):
        audit(client, book, expect_until="2026-07-01")
    assert audit(client, book, expect_until="2026-06-15").status == "done"


def test_a_lost_key_is_an_error_once_there_are_audits(client, book):
    before = audit(client, book)
    (client.parent / "private" / "key").unlink()
    with pytest.raises(UsageError, match="key"):
        audit(client, book)
    assert (before.folder.parents[1] / "latest").resolve() == before.folder
    assert not (client.parent / "private" / "key").exists()


def test_check_tells_what_was_kept_and_refused_and_what_would_not_run(client, books):
    rows = [("O90", "C1", "2026-05-01", "no number", "P1")]
    make_client(client.parent, rows=[*ROWS, *rows], orders={"max_refused_share": 0.2})
    text = check_client(client, notebooks_dir=books, out=client.parents[2] / "reports")
    assert "Tiny Shop: settings and data passed their checks; as of 2026-06-15" in text
    assert "orders: 13 rows in, 12 kept, 1 refused" in text
    assert "05_voices would not run: the table surveys is missing. Ask for" in text
    assert not (client.parents[2] / "reports").exists()


def write_sheet(client, name, text):
    (client.parent / "workshop").mkdir(exist_ok=True)
    (client.parent / "workshop" / name).write_text(text, encoding="utf-8")


def test_the_sheets_and_the_stages_are_inputs_and_a_change_of_them_shows(client, book):
    stages = "stages:\n  - {stage: need, name: Need, question: q, path: main}\n"
    (client.parent / "stages.yml").write_text(stages, encoding="utf-8")
    make_client(client.parent, stages="stages.yml")
    write_sheet(client, "touchpoints.csv", "touchpoint,stage\nhome,need\n")
    before = record(audit(client, book))["inputs"]
    assert list(before) == ["exports/orders.csv", "stages.yml", "workshop/touchpoints.csv"]
    write_sheet(client, "touchpoints.csv", "touchpoint,stage\nhome,Need\n")
    after = record(audit(client, book))["inputs"]
    assert [name for name in after if after[name] != before[name]] == ["workshop/touchpoints.csv"]
    (client.parent / "stages.yml").write_text(stages + "# ours\n", encoding="utf-8")
    assert record(audit(client, book))["inputs"]["stages.yml"] != before["stages.yml"]


def test_faults_of_sheets_and_exports_end_the_run_together_before_any_kernel(client, book):
    make_client(client.parent, rows=[*ROWS, *[("O9", "C1", "soon", "5", "P1")] * 9])
    write_sheet(client, "touchpoints.csv", "touchpoint,stage\nhome,nowhere\n")
    write_sheet(client, "quote.csv", "x\n")
    for ask in (audit, lambda c, b: check_client(c, notebooks_dir=b, out=c.parents[2] / "reports")):
        with pytest.raises(DataError) as error:
            ask(client, book)
        said = str(error.value)
        assert "workshop/quote.csv: no sheet has this name, did you mean 'quotes'?" in said
        assert "workshop/touchpoints.csv: row 2, stage: 'nowhere' is none of need, information," in said
        assert "table 'orders': 9 of 21 records refused" in said
        assert error.value.exit_code == 3
    assert not list((client.parents[2] / "reports" / "tiny" / "runs").iterdir())


def test_a_wrong_stages_file_is_a_wrong_setting(client, book):
    (client.parent / "stages.yml").write_text("stages: []\n", encoding="utf-8")
    make_client(client.parent, stages="stages.yml")
    with pytest.raises(UsageError, match=r"stages\.yml"):
        audit(client, book)


def test_the_clients_own_segments_are_checked_before_a_run_and_are_an_input(client, book):
    make_client(client.parent, segments="ours.yml")
    kits = segment_names.NAMES.read_text(encoding="utf-8")
    (client.parent / "ours.yml").write_text(kits, encoding="utf-8")
    assert "ours.yml" in record(audit(client, book))["inputs"]
    (client.parent / "ours.yml").write_text(kits.replace("recency: [5]", "recency: [4, 5]"), encoding="utf-8")
    for ask in (audit, lambda c, b: check_client(c, notebooks_dir=b, out=c.parents[2] / "reports")):
        with pytest.raises(UsageError, match=r"ours\.yml: 411 is in New and Promising; 412 is in") as error:
            ask(client, book)
        assert error.value.exit_code == 2


def test_check_leaves_a_list_of_comments_to_choose_quotes_from(client, books):
    exports = client.parent / "exports"
    said = "2026-06-01,nps,2,delivery,Write to a@b.ua please mend it\n"
    (exports / "surveys.csv").write_text("At,M,S,About,C\n" + said, encoding="utf-8")
    columns = {"answered_at": "At", "metric": "M", "score": "S", "touchpoint": "About", "comment": "C"}
    orders = {"path": "exports/orders.csv", "columns": COLUMNS}
    surveys = {"path": "exports/surveys.csv", "columns": columns}
    make_client(client.parent, tables={"orders": orders, "surveys": surveys})
    text = check_client(client, notebooks_dir=books, out=client.parents[2] / "reports")
    path = client.parent / "private" / "quotes_to_review.csv"
    assert f"comments to choose from (1): {path}" in text
    assert "would be shown with `quotes: reviewed` in client.yml" in text
    assert "read beside the exports: no sheets of the workshop" in text
    assert (
        path.read_text(encoding="utf-8-sig").splitlines()[1]
        == 'delivery,Write to [e-mail] please mend it,"survey, nps 2"'
    )
    assert path.parent.stat().st_mode & 0o777 == 0o700
    write_sheet(client, "quotes.csv", path.read_text(encoding="utf-8-sig"))
    make_client(client.parent, tables={"orders": orders, "surveys": surveys}, quotes="reviewed")
    text = check_client(client, notebooks_dir=books, out=client.parents[2] / "reports")
    assert "read beside the exports: workshop/quotes.csv" in text
    assert "those that you copy to workshop/quotes.csv are shown" in text


def test_a_lone_notebook_becomes_a_page(client, books, tmp_path):
    executed = tmp_path / "11_last.ipynb"
    shutil.copyfile(audit(client, books).folder / "11_last.ipynb", executed)
    assert render_lone(executed) == tmp_path / "11_last.html"
    assert "Title of 11_last" in (tmp_path / "11_last.html").read_text(encoding="utf-8")
    with pytest.raises(RunError):
        render_lone(books / "11_last.ipynb", tmp_path / "unrun.html")
    assert not (tmp_path / "unrun.html").exists()
    with pytest.raises(UsageError, match="there is no notebook"):
        render_lone(tmp_path / "none.ipynb")
