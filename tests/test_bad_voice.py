"""What customers should not have written: hostile, empty, huge, personal, on the wrong scale, or sent by robots."""

import csv
import re
from datetime import date
from pathlib import Path

import ibis
import nbformat
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from loud_client import PERSONAL, ROBOT_QUERIES, SCALES, loud_client
from test_bad_input import is_formula

from cxkit import answer_checks, comments, engine, queries, query_groups, sources, themes
from cxkit.comment_words import count_words
from cxkit.found_themes import theme_numbers

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PAGES = ("05_feedback", "06_search", "07_service")
AS_OF = date(2026, 6, 30)
OFF_SCALE = "score off the scale that client.yml declares"
EMPTY_WORD = re.compile(r">\s*(nan|NaN|NaT|None|-?inf)\b")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    return loud_client(tmp_path_factory.mktemp("loud") / "loud")


@pytest.fixture(scope="module")
def loaded(client):
    """The loud client, read through the door."""
    return sources.load(client)


@pytest.fixture(scope="module")
def tables(loaded):
    con = engine.connect()
    return {name: engine.read_parquet(con, path) for name, path in loaded.tables.items()}


def secrets_in(text: str) -> list[str]:
    """Which personal data a text tells: as they were written, or their digits alone."""
    close = re.sub(r"[\s()./-]", "", text)
    bare = {secret: re.sub(r"\D", "", secret) for secret in PERSONAL}
    return [s for s, digits in bare.items() if s in text or (len(digits) >= 9 and digits in close)]


def test_secrets_are_told_from_other_texts():
    assert secrets_in("my number is +48-600-700-800") == ["+48 600 700 800"]
    assert secrets_in("write to olena.k@shop.com.ua now") == ["olena.k@shop.com.ua"]
    assert not secrets_in("Доставка: пишіть мені [phone], 600 700")


# At the door


def test_a_score_of_eleven_is_refused_with_its_row_and_counted(loaded):
    account = loaded.accounts["surveys"]
    assert account["refused"] == {OFF_SCALE: 1}
    assert account["rows_in"] == account["kept"] + 1
    rows = pd.read_csv(loaded.refused_dir / "surveys.csv", dtype=str).to_dict("records")
    assert rows == [{"file": "surveys.csv", "record": "121", "column": "score", "value": "11", "reason": OFF_SCALE}]
    assert f"1 {OFF_SCALE}" in answer_checks.refused_in_words(account)


def test_nothing_personal_passes_the_door(loaded):
    """Comments, reviews, messages, queries and reasons are scrubbed before they are written anywhere but private/."""
    read = 0
    for name, path in loaded.tables.items():
        frame = pd.read_parquet(path)
        for column in frame.select_dtypes("str"):
            texts = frame[column].dropna().unique()
            read += len(texts)
            assert not [secret for text in texts for secret in secrets_in(text)], (name, column)
    assert read > 1000
    said = set(pd.read_parquet(loaded.tables["surveys"])["comment"].dropna())
    assert {f"Доставка: пишіть мені {kind}, дякую" for kind in ("[e-mail]", "[phone]", "[account]", "[card]")} <= said


def test_a_comment_of_a_megabyte_is_kept_and_scrubbed_to_its_end(loaded):
    longest = max(pd.read_parquet(loaded.tables["surveys"])["comment"].dropna(), key=len)
    assert len(longest.encode()) > 1_000_000
    assert longest.endswith("посилка [e-mail]")


# Behind it


def test_two_surveys_on_different_scales_in_one_file_are_told_apart(tables):
    found = answer_checks.scale_check(tables["surveys"], {k: tuple(v) for k, v in SCALES.items()})
    fits = found.set_index(["metric", "part"])["fits"]
    assert not fits["nps", "B <script>"]
    assert fits["nps", "A"]
    assert fits["csat", "A"]
    (told,) = answer_checks.scales_in_words(found)
    assert "no answer above 5 of 10 declared" in told


def test_what_holds_no_words_is_left_out_and_what_is_too_long_is_cut(tables):
    gathered = comments.gather(tables, scales={k: tuple(v) for k, v in SCALES.items()})
    account = comments.account(gathered, tables).set_index("origin")
    told = account[["empty", "no_words", "repeated", "comments"]].sum(axis=1)
    assert list(told) == list(account["rows"]), "every row is accounted for"
    assert (account["no_words"] > 0).all()
    assert account["cut"].sum() == gathered["cut"].sum() == 1
    assert gathered["text"].str.len().max() <= comments.LONGEST
    read = comments.readable(gathered)["text"]
    assert not read.str.contains(r"<script|javascript:|evil\.example").any()


@pytest.mark.parametrize("text", [None, "", "🎉🎉🎉", "?!", "5"])
def test_comments_without_a_word_leave_nothing_to_read_and_say_so(text):
    kinds = {"answered_on": "date", "metric": "string", "score": "float64", "comment": "string"}
    rows = [(date(2026, 6, 1 + i), "nps", float(i), text) for i in range(10)]
    surveys = ibis.memtable(pd.DataFrame(rows, columns=list(kinds)), schema=kinds)
    gathered = comments.gather({"surveys": surveys}, scales={"nps": (0, 10)})
    account = comments.account(gathered, {"surveys": surveys})
    assert "Nobody wrote a comment that could be read" in comments.account_in_words(account)[0]
    read = comments.readable(gathered)
    counts, words = count_words(read)
    numbers = theme_numbers(read, counts, words, seed=1)
    said = themes.find_themes(read, counts, words, listed=themes.theme_list(), numbers=numbers, seed=1)
    assert (len(read), len(said)) == (0, 0)


def test_robots_do_not_search(tables):
    log = queries.search_log(tables["searches"], as_of=AS_OF)
    account = queries.account(log).set_index("kind")["searches"]
    (robots,) = (kind for kind in account.index if "robots" in kind)
    assert account[robots] == ROBOT_QUERIES
    counts = queries.query_counts(log)
    assert not counts["query"].str.contains("cheap pills").any()
    assert counts["query"].str.len().max() <= queries.LONGEST


def test_what_was_scrubbed_or_holds_no_word_is_nothing_that_is_looked_for(tables):
    log = queries.search_log(tables["searches"], as_of=AS_OF)
    words = query_groups.wordings(queries.query_counts(log))
    groups = query_groups.group_queries(words, queries.next_wordings(log))
    named = {*groups["need"].dropna(), *groups["department"].dropna()}
    assert not [name for name in named if re.search(r"\[(phone|e-mail|card|account)\]|🎉", name)]


# On the pages


def shown_by(name: str, client, run_dir: Path) -> list[dict]:
    """What a notebook's cells show for a client; its code runs in this process, and an error in a cell is one here."""
    InteractiveShell.instance()
    names, shown = {}, []
    for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            with capture_output() as captured:
                exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names.update(client_yml=str(client.folder / "client.yml"), run_dir=str(run_dir))
            shown += [output.data for output in captured.outputs]
    return shown


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("name", PAGES)
def test_the_page_stands_and_shows_nothing_hostile_or_personal(client, tmp_path, name):
    if not (NOTEBOOKS / f"{name}.ipynb").is_file():
        pytest.skip(f"{name} is not there yet")
    shown = shown_by(name, client, tmp_path / "run")
    assert len(shown) > 5
    for output in shown:
        page = output.get("text/html", "") + output.get("image/svg+xml", "")
        assert not re.search(r"<script|<img src=x|href=.?javascript:", page, re.IGNORECASE)
        assert not EMPTY_WORD.search(page), page[:500]
        assert not secrets_in(page)
        assert output["text/plain"].strip(), "an empty sentence"
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert {"tables", "findings"} <= {path.parent.name for path in files}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not secrets_in(text), path.name
        if path.suffix == ".csv":
            rows = csv.reader(text.splitlines(keepends=True))
            assert [cell for row in rows for cell in row if is_formula(cell)] == [], path.name
