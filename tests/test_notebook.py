"""What notebooks call: tables, figures, sentences and findings are shown safely, and the same each time."""

import csv
import json
import re
from datetime import datetime, time
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import small_run
from html_elements import Elements
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from cxkit import findings as findings_file
from cxkit import notebook as kit
from cxkit import style
from cxkit.errors import DataError, UsageError
from cxkit.estimates import Estimate, wilson
from cxkit.findings import Finding
from cxkit.kept_tables import write_table
from cxkit.parts import MIME

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'
FRAME = pd.DataFrame(
    {
        "customer_id": ["a", HOSTILE, "=1+1", "@SUM(A1)"],
        "revenue": [1234.5678, 99.9, np.nan, -3.25],
        "share": [0.4123, 0.0951, 0.05, 1.0],
        "ordered_on": pd.to_datetime(["2026-01-31", "2026-02-01", None, "2026-03-01"]),
    }
)


@pytest.fixture(autouse=True)
def run(tmp_path):
    return small_run.open_small(small_run.client(tmp_path / "client"), tmp_path / "run", "03_loyalty")


def shown(call) -> dict:
    """The one output of a call, as a notebook stores it."""
    InteractiveShell.instance()
    with capture_output() as captured:
        call()
    (output,) = captured.outputs
    return {"data": output.data, "metadata": output.metadata}


def test_a_table_is_read_by_people_and_machines():
    formats = {"revenue": "money", "share": "share", "ordered_on": "date"}
    output = shown(lambda: kit.show_table(FRAME, "customers", caption="Customers by revenue", formats=formats))
    html = output["data"]["text/html"]
    assert "<caption><span>Customers by revenue</span></caption>" in html
    assert '<th scope="col" class="cx-number">Revenue, UAH</th>' in html
    assert '<th scope="row"' in html
    record = output["data"][MIME]
    assert [row[1] for row in record["rows"]] == ["1,235", "100", "–", "−3"]
    assert [row[2] for row in record["rows"]] == ["41 %", "9.5 %", "5.0 %", "100 %"]
    assert [row[3] for row in record["rows"]] == ["2026-01-31", "2026-02-01", "–", "2026-03-01"]
    assert output["data"]["text/plain"] == "Customers by revenue (4 of 4 rows; tables/03_loyalty.customers.csv)"


def test_what_stands_in_data_stays_text():
    html = shown(lambda: kit.show_table(FRAME, "t", caption=HOSTILE, labels={"share": HOSTILE}))["data"]["text/html"]
    reader = Elements(html)
    assert reader.tags <= {"div", "table", "caption", "span", "thead", "tbody", "tr", "th", "td", "p"}
    assert reader.attributes <= {"class", "role", "aria-label", "tabindex", "scope", "style"}
    assert set(re.findall(r'style="([^"]*)"', html)) == {"text-align:left"}  # JupyterLab sets cells to the right
    assert HOSTILE in reader.words


def test_the_whole_table_lies_beside_it_in_full_precision(run):
    long = pd.DataFrame({"customer_id": [f"c{i}" for i in range(25)], "revenue": [i / 7 for i in range(25)]})
    output = shown(lambda: kit.show_table(long, "all", caption="All customers", rows=50))
    assert len(output["data"][MIME]["rows"]) == 10
    assert "10 of 25 rows; the other 15 stand in" in " ".join(Elements(output["data"]["text/html"]).words)
    whole = pd.read_csv(run.tables_dir / "03_loyalty.all.csv")
    assert whole["revenue"].tolist() == long["revenue"].tolist()


def test_no_cell_of_a_csv_is_a_formula(run):
    frame = FRAME.rename(columns={"share": "=cmd"})
    shown(lambda: kit.show_table(frame, "t", caption="Customers"))
    with (run.tables_dir / "03_loyalty.t.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert rows[0][2] == "'=cmd"
    assert [row[0] for row in rows[1:]] == ["a", HOSTILE, "'=1+1", "'@SUM(A1)"]
    assert rows[4][1] == "-3.25", "numbers stay numbers"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_a_csv_reads_back_row_for_row(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_table(pd.DataFrame({"text": texts, "n": range(len(texts))}), path)
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    assert [row[1] for row in rows] == [str(i) for i in range(len(texts))]
    assert not [row[0] for row in rows if row[0].lstrip()[:1] in ("=", "@")]


def test_one_small_table_for_each_value_and_the_whole_once(run):
    InteractiveShell.instance()
    cards = pd.DataFrame({"group": ["b", "b", HOSTILE], "label": ["Who", "Says", "Who"], "text": ["1", "2", "=3"]})
    with capture_output() as captured:
        kit.show_each(cards, "cards", by="group", caption="Card of {}", columns=["label", "text"])
    records = [output.data[MIME] for output in captured.outputs]
    assert [record["caption"] for record in records] == ["Card of b", f"Card of {HOSTILE}"]
    assert records[0]["rows"] == [["Who", "1"], ["Says", "2"]]
    assert [record["file"] for record in records] == ["", "tables/03_loyalty.cards.csv"]
    assert len(pd.read_csv(run.tables_dir / "03_loyalty.cards.csv")) == 3
    assert Elements(captured.outputs[1].data["text/html"]).tags <= {"div", "table", "caption", "span", "thead", "tbody",
                                                                    "tr", "th", "td", "p"}  # fmt: skip
    kit.show_each(cards[:0], "none", by="group", caption="{}", columns=["label"])


def test_showing_changes_no_frame():
    before = FRAME.copy(deep=True)
    shown(lambda: kit.show_table(FRAME, "t", caption="Customers"))
    pd.testing.assert_frame_equal(FRAME, before)


def test_a_named_index_becomes_a_column(run):
    frame = pd.DataFrame({"n": [3, 4]}, index=pd.Index(["Toys", "Books"], name="category"))
    record = shown(lambda: kit.show_table(frame, "t", caption="By category"))["data"][MIME]
    assert record["rows"] == [["Toys", "3"], ["Books", "4"]]
    assert (run.tables_dir / "03_loyalty.t.csv").read_text() == "category,n\nToys,3\nBooks,4\n"


def test_chosen_columns_are_shown_with_their_interval(run):
    frame = pd.DataFrame({"month": ["2026-01"], "value": [0.41], "low": [0.39], "high": [0.43], "n": [2310]})
    formats, columns = {"value": "share", "interval": "share"}, ["value", "interval", "n"]
    record = shown(lambda: kit.show_table(frame, "t", caption="Rates", columns=columns, formats=formats))["data"][MIME]
    assert record["rows"] == [["41 %", "39–43 %", "2,310"]]
    assert [c["label"] for c in record["columns"]] == ["Value", "Interval", "n"]
    assert (run.tables_dir / "03_loyalty.t.csv").read_text() == "month,value,low,high,n\n2026-01,0.41,0.39,0.43,2310\n"


def test_claims_travel_between_notebooks(run):
    kit.keep_claims(pd.DataFrame({"claim": ["a"], "ours": [0.4]}), pd.DataFrame({"claim": ["b"], "ours": [0.5]}))
    later = small_run.open_small(run.client, run.run_dir, "11_summary")
    assert later.claims()[["claim", "ours"]].to_dict("records") == [
        {"claim": "a", "ours": 0.4},
        {"claim": "b", "ours": 0.5},
    ]
    assert list(later.claims()) == list(findings_file.CLAIM_COLUMNS)


def test_no_rows_are_said():
    html = shown(lambda: kit.show_table(FRAME.head(0), "t", caption="Nobody"))["data"]["text/html"]
    assert "Nobody: none." in html
    assert "<table" not in html


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "../x"}, "a table named '../x' cannot be a file's name; valid: small letters, digits and _"),
        ({"caption": " "}, "a table without a caption cannot be read"),
        (
            {"formats": {"profit": "money"}},
            "columns, formats, labels or links name profit, which the table lacks; it has customer_id",
        ),
        ({"formats": {"revenue": "euro"}}, "unknown format euro; valid: text, count, share"),
    ],
)
def test_a_table_that_cannot_be_shown_says_why(run, arguments, message):
    arguments = {"name": "t", "caption": "Customers"} | arguments
    with pytest.raises(UsageError) as error:
        kit.show_table(FRAME, arguments.pop("name"), **arguments)
    assert message in str(error.value)
    assert not run.tables_dir.exists()


def draw(label: str):
    axes = plt.subplots()[1]
    axes.plot([1, 2, 3], [1, 4, 9])
    axes.set_title(style.plain_text(label))
    return axes


def test_a_figure_is_the_same_bytes_each_time(run):
    first, second = (shown(lambda: kit.show_figure(draw("Orders"), "orders", alt="Orders rise.")) for _ in range(2))
    assert first == second
    svg = first["data"]["image/svg+xml"]
    assert svg == (run.run_dir / "figures" / "03_loyalty.orders.svg").read_text(encoding="utf-8")
    assert "<metadata" not in svg
    assert first["metadata"]["image/svg+xml"]["alt"] == first["data"]["text/plain"] == "Orders rise."
    assert plt.get_fignums() == []


def test_labels_are_cleaned():
    assert style.plain_text("a\u202eb\x00c\n d\u2066") == "abc d"
    assert style.plain_text("$1 or $2") == r"\$1 or \$2"
    assert style.plain_text("x" * 80, width=10) == "x" * 9 + "…"


def test_a_figure_without_alt_text_is_refused():
    with pytest.raises(UsageError, match="has no alt text; say in alt="):
        kit.show_figure(draw("x"), "f", alt=" ")
    plt.close("all")


def test_a_wide_picture_is_marked_for_a_landscape_page(run):
    axes = plt.subplots(figsize=(11.69, 8.27))[1]
    record = shown(lambda: kit.show_figure(axes, "map", alt="A map."))["data"][kit.MIME]
    assert record == {"kind": "figure", "alt": "A map.", "file": "figures/03_loyalty.map.svg", "wide": True}
    assert (run.run_dir / record["file"]).is_file()


def test_the_last_day_ends_in_the_clients_zone(run):
    assert str(run.client.time_zone) == "Europe/Kyiv"
    assert run.until() == datetime.combine(run.as_of, time(21))  # in summer Kyiv is three hours before UTC
    assert run.until(days_before=180) == datetime(2026, 1, 1, 22)


def test_a_target_for_a_stage_that_is_none_is_told(run):
    run.client.targets["journey.stage.chioce"] = 0.5
    stage = Finding("journey.stage.choice", "{value} go on ({interval}).", wilson(41, 100), "Choice")
    kit.keep_findings(stage)
    (told,) = json.loads((run.run_dir / "not_assessed" / "03_loyalty.json").read_text(encoding="utf-8"))
    assert told["what"] == "the finding journey.stage.chioce"
    assert "of its kind there are journey.stage.choice" in told["why"]


REPEAT = Finding("loyalty.repeat_rate", "{value} come back ({interval}).", wilson(41, 100), "Repeat rate")
GOODS = Finding(
    "loyalty.lift_goods", "{value} more ({interval}).", Estimate(0.4, 0.2, 0.6, 9, "lift", 0.95, "b"), "More goods"
)


def test_a_sentence_is_paragraph_and_text():
    output = shown(lambda: kit.say("Orders rose by 3 %.", REPEAT))
    assert output["data"]["text/plain"] == "Orders rose by 3 %. 41 % come back (32–51 %, n = 100)."
    assert Elements(shown(lambda: kit.say(HOSTILE))["data"]["text/html"]).tags == {"p"}


def test_a_withheld_finding_is_not_said():
    plain = shown(lambda: kit.say(GOODS))["data"]["text/plain"]
    assert plain == "More goods: withheld by the consultant (the sample was drawn from one town only)."


def test_findings_are_kept_with_target_and_without_the_withheld(run):
    money = Finding("loyalty.monthly", "{value}", Estimate(10.0, 9.0, 11.0, 50, "money", 0.95, "b"), "Monthly")
    output = shown(lambda: kit.keep_findings(REPEAT, [money, GOODS]))
    kept = findings_file.load(run.run_dir / "findings" / "03_loyalty.json")
    assert [(f.id, f.target, f.target_source, f.currency) for f in kept] == [
        ("loyalty.repeat_rate", 0.35, "set by the client", ""),
        ("loyalty.monthly", None, "", "UAH"),
    ]
    withheld = json.loads((run.run_dir / "findings" / "withheld" / "03_loyalty.json").read_text())
    assert withheld == [
        {"id": "loyalty.lift_goods", "label": "More goods", "reason": "the sample was drawn from one town only"}
    ]
    everything = json.dumps(output) + "".join(p.read_text() for p in (run.run_dir / "findings").rglob("*.json"))
    assert "+40 %" not in everything
    assert "Too early to say" in output["data"]["text/html"]


def test_what_is_no_longer_withheld_leaves_no_trace(run):
    shown(lambda: kit.keep_findings(GOODS))
    shown(lambda: kit.keep_findings(REPEAT))
    assert not (run.run_dir / "findings" / "withheld" / "03_loyalty.json").exists()


def test_an_id_used_twice_is_refused():
    with pytest.raises(
        DataError, match=r"03_loyalty: a finding's id must be its own; used twice: loyalty\.repeat_rate"
    ):
        kit.keep_findings(REPEAT, REPEAT)


def test_a_later_notebook_reads_what_earlier_ones_found(run):
    shown(lambda: kit.keep_findings(REPEAT, GOODS))
    later = small_run.open_small(run.client, run.run_dir, "11_summary")
    assert [f.id for f in later.findings()] == ["loyalty.repeat_rate"]


def test_a_summary_opened_alone_says_what_to_run_first(run):
    with pytest.raises(UsageError, match=r"holds no findings yet\. Run those notebooks first"):
        run.findings()
    assert run.claims().empty


def test_a_folder_belongs_to_one_client(tmp_path):
    (tmp_path / ".client").write_text("shop\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds the results of the client 'shop', and this is 'other'"):
        kit._claim_folder(tmp_path, SimpleNamespace(slug="other"))
    kit._claim_folder(tmp_path, SimpleNamespace(slug="shop"))


def test_missing_data_are_told_on_the_page(run):
    assert run.has("orders")
    assert run.has("orders", "amount")
    assert not run.has("orders", "channel")
    assert not run.has("contacts")
    with capture_output():
        kit.not_assessed("Repeat rate by channel", why="No channel.", ask_for="Ask for channel in orders.")
        kit.not_assessed("Reasons of contact", why="No contacts.", ask_for="Ask for the help desk's export.")
    assert json.loads((run.run_dir / "not_assessed" / "03_loyalty.json").read_text()) == [
        {
            "what": "Repeat rate by channel",
            "why": "No channel.",
            "ask_for": "Ask for channel in orders.",
        },
        {
            "what": "Reasons of contact",
            "why": "No contacts.",
            "ask_for": "Ask for the help desk's export.",
        },
    ]


def test_a_table_that_is_not_there_says_how_to_go_on(run):
    with pytest.raises(UsageError) as error:
        run.table("contacts")
    assert str(error.value) == (
        "03_loyalty asks for the table 'contacts', which this client has not; it has orders. "
        "Map it under tables.contacts in client.yml, or guard the cell with run.has('contacts')."
    )


def test_nothing_is_shown_before_a_run_is_open(monkeypatch):
    monkeypatch.setattr(kit, "_open", [])
    with pytest.raises(UsageError, match="no run is open; start with run = open_run"):
        kit.show_table(FRAME, "t", caption="x")


def test_a_real_run_opens_on_a_client(tmp_path):
    small_run.client(tmp_path / "client")
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "run.json").write_text('{"as_of": "2026-03-31"}')
    run = kit.open_run(tmp_path / "client" / "client.yml", run_dir, name="03_loyalty")
    assert (run.as_of.isoformat(), run.currency, run.seed) == ("2026-03-31", "UAH", 1)
    assert run.targets["loyalty.repeat_rate"] == 0.35
    assert "ordered_on" in run.table("orders").columns
    assert not run.has("orders", "channel")
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"][0] == "#0b6e4f"


def test_a_lone_terminal_gets_the_short_text(monkeypatch, capsys):
    monkeypatch.setattr(InteractiveShell, "initialized", staticmethod(lambda: False))
    kit.say("Orders rose.")
    assert capsys.readouterr().out == "Orders rose.\n"


def test_the_run_knows_its_folders(run):
    assert run.tables_dir == Path(run.run_dir) / "tables"
