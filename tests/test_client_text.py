"""client.yml as text: what is written is read back, and nobody overlooks what is open."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxkit.client import SCALES, Settings, load_client
from cxkit.client_text import OPTIONAL, TABLE_OPTIONAL, WIDTH, client_text
from cxkit.errors import UsageError
from cxkit.mapping import KINDS, Export, Join, Persons, Question, Reading
from cxkit.settings_file import read_yaml

ROOT = Path(__file__).parents[1]


@dataclass
class Plan:
    """As proposal.Plan."""

    tables: dict = field(default_factory=dict)
    evidence: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    left: dict = field(default_factory=dict)


ORDERS = {
    "path": ["exports/orders.csv"],
    "columns": {"order_id": "No", "ordered_at": "Date", "amount": "Total"},
}
TOLD = {"currency": "UAH", "time_zone": "Europe/Kyiv"}


def read(folder, plan, **more):
    """The plan written and read back."""
    text = client_text(plan, client="Shop", **more)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "client.yml").write_text(text, encoding="utf-8")
    return text, read_yaml(folder / "client.yml", begins="client:")


def lines_of(text, start):
    return [line for line in text.splitlines() if line.lstrip().startswith(start)]


def test_a_whole_plan_loads(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "orders.csv").write_text("No,Date,Total\n", encoding="utf-8")
    read(tmp_path, Plan({"orders": ORDERS}, settings=TOLD))
    client = load_client(tmp_path)
    assert (client.client, client.currency, client.time_zone) == ("Shop", "UAH", "Europe/Kyiv")
    assert client.tables["orders"].columns == ORDERS["columns"]


def test_evidence_stands_behind_its_line_or_above_it(tmp_path):
    evidence = {
        "tables.orders.columns.ordered_at": "ISO with offset, 100 % of 541 rows parse",
        "tables.orders.columns.amount": "money: " + "many words " * 12,
        "tables.orders.encoding": "a guess: 312 words",
        "currency": "a column says UAH in 541 of 541 rows",
    }
    text, _ = read(tmp_path, Plan({"orders": ORDERS}, evidence, TOLD))
    assert re.search(r"^      ordered_at: Date +# ISO with offset, 100 % of 541 rows parse$", text, re.MULTILINE)
    assert re.search(r"^currency: UAH +# a column says UAH in 541 of 541 rows$", text, re.MULTILINE)
    assert re.search(r"^    # encoding: utf-8 +# a guess: 312 words$", text, re.MULTILINE), "what is as by default too"
    before = text.splitlines()[text.splitlines().index("      amount: Total") - 2 :][:2]
    assert before[0].startswith("      # money: many words")
    assert all(len(line) <= WIDTH for line in text.splitlines())


def test_what_is_open_is_marked_and_refused_by_line(tmp_path):
    tables = {"orders": ORDERS | {"date_format": "???", "columns": ORDERS["columns"] | {"amount": "???"}}}
    plan = Plan(tables, {"tables.orders.date_format": "day or month first"}, {"time_zone": "Europe/Kyiv"})
    text, data = read(tmp_path, plan)
    open_lines = [n for n, line in enumerate(text.splitlines(), start=1) if re.search(r": \?\?\?( |$)", line)]
    assert len(open_lines) == 3
    assert all("# <<< FILL IN" in text.splitlines()[n - 1] for n in open_lines)
    assert "<<< FILL IN: day or month first" in text
    assert "wanted is the file's column for amount: money, line total after discount" in " ".join(text.split())
    assert data["currency"] == "???"
    with pytest.raises(UsageError) as told:
        load_client(tmp_path)
    for n in open_lines:
        assert f"line {n}: " in str(told.value)


def test_without_a_file_the_orders_are_to_be_filled_in(tmp_path):
    _, data = read(tmp_path, Plan())
    assert data["tables"]["orders"] == {
        "path": "???",
        "columns": {"order_id": "???", "ordered_at": "???", "amount": "???"},
    }


def test_open_values_name_what_is_valid(tmp_path):
    plan = Plan({"orders": ORDERS | {"values": {"status": {"нове": "???", "ok": "completed"}}}}, settings=TOLD)
    text, data = read(tmp_path, plan)
    assert data["tables"]["orders"]["values"]["status"] == {"нове": "???", "ok": "completed"}
    assert "FILL IN: one of completed, cancelled, returned, partly_returned" in text


def test_what_stays_out_is_told_without_personal_values(tmp_path):
    unmapped = {"Email": "holds e-mails: never read", "a@b.com": "no meaning found", "x\n# y: z": "no meaning found"}
    plan = Plan({"orders": ORDERS}, settings=TOLD, left={Path("exports/n\notes.pdf"): "it is no table"})
    text, data = read(tmp_path, plan, unmapped={"orders": unmapped})
    assert '# left out (holds e-mails: never read): "Email"' in text
    assert '# left out (no meaning found): "[e-mail]", "x # y: z"' in text
    assert "# not read: exports/n otes.pdf: it is no table" in text
    assert "nothing found for: customer_id, quantity" in text
    assert data["tables"] == {"orders": ORDERS}


def test_lines_that_may_be_right_stand_ready(tmp_path):
    share = {"share": "Sub: total", "by": ["Qty", "Unit Price"]}
    evidence = {
        "tables.orders.columns.amount": '"Sub: total", or price and pieces?',
        "tables.orders.columns.amount.ready.0": json.dumps([share, "the order's"]),
        "tables.orders.columns.amount.ready.1": json.dumps(["Line", "a line's"]),
        "tables.orders.leave_out.ready.0": json.dumps([{"Tagi": ["*test*"]}, "perhaps tests: 31 records"]),
    }
    tables = {"orders": ORDERS | {"columns": ORDERS["columns"] | {"amount": "???"}}}
    text, _ = read(tmp_path, Plan(tables, evidence, TOLD))
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("      amount: ???"))
    assert lines[at + 1].startswith('      # amount: {share: "Sub: total", by: [Qty, Unit Price]}  # the order')
    assert lines[at + 2].startswith("      # amount: Line ")
    assert lines_of(text, "# leave_out:") == ['    # leave_out: {Tagi: ["*test*"]}       # perhaps tests: 31 records']
    taken = text.replace(lines[at] + "\n", "").replace(lines[at + 1], lines[at + 1].replace("# amount", "amount", 1))
    assert yaml.safe_load(taken)["tables"]["orders"]["columns"]["amount"] == share


def test_names_in_comments_are_not_broken(tmp_path):
    evidence = {"tables.orders.columns.amount": " ".join(f'"Column number {i} of many"' for i in range(9))}
    text, _ = read(tmp_path, Plan({"orders": ORDERS}, evidence, TOLD))
    assert all(f'"Column number {i} of many"' in text for i in range(9))


def test_a_preset_is_told_once(tmp_path):
    evidence = {f"tables.orders.columns.{name}": "preset shop; codes" for name in ("order_id", "ordered_at")}
    evidence["tables.orders.columns.amount"] = "preset shop"
    text, _ = read(tmp_path, Plan({"orders": ORDERS}, evidence, TOLD))
    assert re.search("  orders: +# one row is an order line; read by the preset shop\n", text)
    assert re.search('      order_id: "No" +# codes\n', text)
    assert "      amount: Total\n" in text


def test_many_columns_that_stay_out_are_counted(tmp_path):
    unmapped = {f"column {i}": "no meaning found" for i in range(500)}
    text, _ = read(tmp_path, Plan({"orders": ORDERS}, settings=TOLD), unmapped={"orders": unmapped})
    assert "and 460 more" in text


def demo_keys():
    return yaml.safe_load((ROOT / "data" / "demo" / "client.yml").read_text(encoding="utf-8"))


def test_every_key_of_the_demo_stands_there(tmp_path):
    text, data = read(tmp_path, Plan({"orders": ORDERS}, settings=TOLD))
    for key in demo_keys():
        assert key in data or lines_of(text, f"# {key}:"), key
    commented = re.findall(r"^# ([a-z_]+):", (ROOT / "data" / "demo" / "client.yml").read_text(encoding="utf-8"), re.M)
    assert {"margin", "themes"} <= set(commented)
    for key in [*commented, *Settings.model_fields]:
        assert key in data or lines_of(text, f"# {key}:"), key
    for key in SCALES:
        assert lines_of(text, f"#   {key}:"), key


def test_every_key_offered_is_one_when_taken_up(tmp_path):
    """`# ` taken away from all of them, the file is a client's."""
    (tmp_path / "exports").mkdir()
    for name in ("orders.csv", "customers.csv"):
        (tmp_path / "exports" / name).write_text("No,Date,Total\n", encoding="utf-8")
    for name in ("logo.svg", "stages.yml", "segments.yml", "themes.yml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    columns = ORDERS["columns"] | {"product_id": "SKU"}
    text, _ = read(tmp_path, Plan({"orders": ORDERS | {"columns": columns}}, settings=TOLD))
    head, body = text.split("\n\n", 1)
    taken = re.sub(rf"^( *)# ((?:  )?(?:[a-z_.]+|03_loyalty):)(?={' '})", r"\1\2", body, flags=re.MULTILINE)
    taken = taken.replace("# scales:", "scales:")
    (tmp_path / "client.yml").write_text(f"{head}\n\n{taken}", encoding="utf-8")
    client = load_client(tmp_path)
    given = client.model_dump(exclude_unset=True)
    assert set(OPTIONAL) <= set(given)
    assert set(client.scales) == set(SCALES)
    assert set(TABLE_OPTIONAL) <= set(client.tables["orders"].model_dump(exclude_unset=True))
    assert client.targets["loyalty.top_share"] == 0.6


ODD = (
    *("yes", "no", "null", "true", "~", "1", "0x1", "1e5", "2024-01-01", "on", "???x", "=", "<<", ".inf", "12:30"),
    *("\x85", "\u2028", "\ufeff", "\U000f0000", "\x00", "Ціна за од.", "x" * 1500, "- a", "? b"),
)
NAMES = st.one_of(
    st.text(min_size=1, max_size=12),
    st.text(alphabet="\"'#:,-?{}[]&*!|>%@` \n\r\t\\~", min_size=1, max_size=6),
    st.sampled_from(ODD),
)
SOME_NAMES = st.lists(NAMES, min_size=1, max_size=2)
NAMED = st.dictionaries(NAMES, NAMES, min_size=1, max_size=3)
SOURCES = st.one_of(
    NAMES,
    st.fixed_dictionaries({"multiply": SOME_NAMES}),
    st.fixed_dictionaries({"after": NAMES, "minutes": NAMES}),
    st.just("???"),
)
TABLE = st.fixed_dictionaries(
    {"path": SOME_NAMES, "columns": st.dictionaries(NAMES, SOURCES, min_size=1, max_size=4)},
    optional={
        "delimiter": NAMES,
        "header": st.lists(st.integers(0, 9), min_size=1, max_size=2),
        "join": st.lists(NAMED, min_size=1, max_size=2),
        "date_format": st.dictionaries(NAMES, SOME_NAMES, min_size=1, max_size=2),
        "questions": st.dictionaries(NAMES, NAMED, min_size=1, max_size=2),
        "values": st.dictionaries(NAMES, st.dictionaries(NAMES, NAMES, max_size=3), min_size=1, max_size=2),
        "rates": st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False) | st.just("???"), max_size=3),
        "keep_only": st.dictionaries(NAMES, st.lists(NAMES, max_size=3), max_size=2),
    },
)


@settings(max_examples=60)
@given(tables=st.dictionaries(st.sampled_from(["orders", "events", "surveys"]), TABLE, min_size=1), note=NAMES)
@example(tables={"orders": {"path": ["a"], "columns": {"x" * 1500: {"share": "???", "by": []}}}}, note="a\nb: c # d")
def test_whatever_columns_are_called_they_are_read_back(tables, note, tmp_path_factory):
    evidence = {f"tables.{t}.columns.{c}": note for t, table in tables.items() for c in table["columns"]}
    evidence |= {f"tables.{t}.{key}": note for t in tables for key in ("encoding", "join.0", "join.0.path", "path")}
    plan = Plan(tables, evidence, TOLD, {Path("exports") / "a": note})
    folder = tmp_path_factory.getbasetemp() / "hostile"
    unmapped = {t: {note: note} for t in tables}
    _, data = read(folder, plan, unmapped=unmapped)
    assert data["tables"] == tables


@pytest.fixture
def blocks(tmp_path):
    """The examples of docs/exports.md."""
    page, found = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8"), []
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        (tmp_path / "block.yml").write_text(block, encoding="utf-8")
        found.append(read_yaml(tmp_path / "block.yml", begins="a key"))
    return found


def test_the_page_on_exports_shows_every_key_and_each_is_valid(blocks):
    shown = set()
    for block in blocks:
        if "persons" in block:
            assert set(Persons.model_validate(block["persons"]).model_dump(exclude_unset=True)) == set(
                Persons.model_fields
            ) - set(Reading.model_fields)
        else:
            Export.model_validate({"path": "x", "columns": ORDERS["columns"], **block})
            shown |= set(block)
    assert shown == set(Export.model_fields)


def test_the_page_on_exports_shows_every_kind_of_column(blocks):
    kinds = {k for b in blocks for source in b.get("columns", {}).values() if isinstance(source, dict) for k in source}
    assert kinds == {key for kind in KINDS.values() for key in kind.model_fields}
    joins = {key for b in blocks for part in b.get("join", ()) for key in part}
    assert joins >= set(Join.model_fields) - set(Reading.model_fields)
    questions = {key for b in blocks for question in b.get("questions", {}).values() for key in question}
    assert questions == set(Question.model_fields)
