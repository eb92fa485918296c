"""The made-up client as a whole: same arguments, same bytes; scenarios; size; chunks; what is refused."""

import errno
import filecmp
import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from demo_raw import DEMO, raw

from cxkit import demo
from cxkit.client import load_client
from cxkit.errors import RunError, UsageError

TABLES = ["catalogue", "contacts", "customers", "events", "invitations", "orders", "reviews", "searches", "surveys"]
SHEETS = ["actions", "checklist", "context", "criteria", "personas", "quotes", "register", "swot", "touchpoints"]


def files(folder: Path) -> dict[str, Path]:
    """What the command makes; an audit leaves more in the private folder."""
    found = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: p for name, p in found.items() if not name.startswith("private/") or name == "private/key"}


def content(path: Path) -> bytes:
    """A file's bytes; of a gzipped one what is in it, since other builds of zlib pack it otherwise."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> dict[str, Path]:
    """Each scenario with 600 customers."""
    made = {}
    for scenario in ("default", "improved", "one_group", "subscription", "null"):
        made[scenario] = tmp_path_factory.mktemp(scenario) / "client"
        demo.make(made[scenario], customers=600, scenario=scenario)
    return made


def test_the_committed_demo_is_what_the_command_makes(tmp_path):
    demo.make(tmp_path / "demo")
    made, committed = files(tmp_path / "demo"), files(DEMO)
    assert made.keys() == committed.keys()
    assert [name for name in made if content(made[name]) != content(committed[name])] == []


def test_the_committed_demo_is_small_and_whole():
    assert sum(path.stat().st_size for path in files(DEMO).values()) <= 6_000_000
    assert sorted(p.name.split(".")[0] for p in (DEMO / "exports").iterdir()) == TABLES
    assert sorted(p.stem for p in (DEMO / "workshop").iterdir()) == SHEETS
    assert re.fullmatch("[0-9a-f]{64}\n", (DEMO / "private" / "key").read_text())


def test_gzipped_exports_hold_neither_clock_nor_name():
    for path in files(DEMO).values():
        if path.suffix == ".gz":
            head = path.read_bytes()[:10]
            assert head[3] == 0, "a file name or comment is in the header"
            assert head[4:8] == b"\0\0\0\0", "a time is in the header"


def test_same_arguments_same_bytes_and_another_seed_another_client(tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        demo.make(tmp_path / name, customers=150, seed=seed)
    one, again, other = (files(tmp_path / name) for name in ("one", "again", "other"))
    assert all(filecmp.cmp(one[name], again[name], shallow=False) for name in one)
    assert content(one["exports/orders.csv.gz"]) != content(other["exports/orders.csv.gz"])


def test_numpy_s_global_random_state_is_neither_used_nor_changed(tmp_path):
    np.random.seed(5)  # noqa: NPY002 - the point of the test
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    demo.make(tmp_path / "one", customers=50)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("scenario", ["default", "improved", "one_group", "subscription", "null"])
def test_every_scenario_is_a_client_that_loads(small, scenario):
    client = load_client(small[scenario])
    assert client.name == "Malyatko"
    assert sorted(client.tables) == TABLES
    for table, export in client.tables.items():
        header = set(raw(table, small[scenario]).columns)
        assert set(export.columns.values()) <= header, table
    stated = yaml.safe_load((small[scenario] / "truth.yml").read_text(encoding="utf-8"))
    assert stated["scenario"] == scenario
    assert stated["expected"]


def test_improved_is_default_until_its_date(small):
    day = str(demo.scenario_plan("improved")["improvement"]["from"])
    clocks = {
        "orders": "Created at",
        "events": "Time",
        "searches": "Time",
        "surveys": "Answered",
        "contacts": "Opened",
        "reviews": "Date",
        "invitations": "Sent",
        "customers": None,
        "catalogue": None,
    }
    changed = []
    for table, column in clocks.items():
        was, now = raw(table, small["default"]), raw(table, small["improved"])
        if column is None:
            pd.testing.assert_frame_equal(was, now)
            continue
        iso = lambda f, c=column: f[c].str.replace(r"^(\d\d)\.(\d\d)\.(\d{4})", r"\3-\2-\1", regex=True)  # noqa: E731
        broken = ~iso(was).str.match(r"20\d\d-(0[1-9]|1[0-2])-\d\d[T ]") | (iso(was) == "2025-02-30 10:15:00")
        early = iso(was)[~broken & (iso(was) >= day)].index.min()  # files are in order of time
        late = iso(now)[iso(now).str.match(r"20\d\d-(0[1-9]|1[0-2])-\d\d[T ]") & (iso(now) >= day)].index.min()
        assert early == late
        assert early > 0.5 * len(was)
        pd.testing.assert_frame_equal(was.iloc[:early], now.iloc[:early])
        if not was.iloc[early:].equals(now.iloc[early:]):
            changed.append(table)
    assert {"orders", "events", "surveys", "contacts"} <= set(changed)


def test_several_chunks_are_one_client(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CHUNK", 200)
    demo.make(tmp_path / "many", customers=500)
    people, orders = raw("customers", tmp_path / "many"), raw("orders", tmp_path / "many")
    known = pd.read_csv(tmp_path / "many" / "truth_customers.csv.gz", dtype=str)
    assert len(known) == known["customer"].nunique() == 500
    assert set(people["ID"]) <= set(known["customer"])
    assert set(orders["Customer"]) - {""} <= set(known["customer"])
    owners = orders[orders["Customer"] != ""].groupby("Order number")["Customer"].nunique()
    assert owners.max() == 1, "two chunks gave two customers the same order number"
    for table, column in (("events", "Visit"), ("searches", "Query no"), ("contacts", "Ticket")):
        frame = raw(table, tmp_path / "many")
        clients = frame.groupby(column)["Client ID" if table != "contacts" else "Customer"].nunique()
        assert clients.max() == 1, table
    assert len(raw("catalogue", tmp_path / "many")) == len(raw("catalogue"))


def test_the_first_chunk_does_not_depend_on_those_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "CHUNK", 200)
    demo.make(tmp_path / "one", customers=200)
    demo.make(tmp_path / "two", customers=400)
    one, two = (raw("orders", tmp_path / name) for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two.iloc[: len(one)])


def test_parquet_holds_the_same_as_csv(tmp_path):
    demo.make(tmp_path / "csv", customers=200)
    demo.make(tmp_path / "parquet", customers=200, format="parquet")
    for table in TABLES:
        frame = pq.read_table(tmp_path / "parquet" / "exports" / f"{table}.parquet").to_pandas()
        text = raw(table, tmp_path / "csv")
        assert list(frame.columns) == list(text.columns)
        assert (frame.astype(object).where(frame.notna(), "").to_numpy() == text.to_numpy()).all(), table
    assert sorted(load_client(tmp_path / "parquet").tables) == TABLES


def test_references_hold_apart_from_the_planted_dirt():
    stated = yaml.safe_load((DEMO / "truth.yml").read_text(encoding="utf-8"))["dirt"]
    people, orders = raw("customers"), raw("orders")
    ids, numbers = set(people["ID"]), set(orders["Order number"])
    buyers = set(orders["Customer"]) - {""}
    unknown = buyers - ids
    assert ids <= buyers
    assert len(unknown) / len(buyers) == pytest.approx(stated["unknown_customers"], abs=0.005)
    for table, column in (("events", "Client ID"), ("searches", "Client ID"), ("surveys", "Customer")):
        assert set(raw(table)[column]) - {""} <= buyers, table
    for table in ("contacts", "reviews", "invitations"):
        assert set(raw(table)["Customer"]) <= buyers, table
    for table, column in (("events", "Transaction"), ("surveys", "Order"), ("contacts", "Order")):
        assert set(raw(table)[column]) - {""} <= numbers, table
    assert set(people["Invited by"]) - {""} <= buyers
    assert set(orders["SKU"]) - {"DELIVERY", "GIFTWRAP"} <= set(raw("catalogue")["SKU"])
    assert set(raw("reviews")["SKU"]) <= set(raw("catalogue")["SKU"])
    events, searches = raw("events"), raw("searches")
    assert set(events["Query no"]) - {""} == set(searches["Query no"])
    assert set(searches["Visit"]) <= set(events["Visit"])
    assert set(raw("surveys")["Survey"]) <= set(raw("invitations")["Survey"])


def test_nothing_in_it_is_hostile():
    for name, path in files(DEMO).items():
        text = content(path).decode("utf-8")
        assert "\r" not in text, name
        assert "<" not in text or name == "client.yml", name
        assert not re.search(r"(^|[,;\"])[=@\t]", text, re.MULTILINE), name
        assert not re.search(r"javascript:|https?://", text), name
    addresses = re.findall(r"[\w.]+@[\w.]+", "".join(content(p).decode() for p in files(DEMO).values()))
    assert addresses
    assert {a.split("@")[1].rstrip(".") for a in addresses} == {"example.com"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"scenario": "nul"},
            "no scenario 'nul'; there are default, improved, null, one_group, subscription. Did you mean 'null'?",
        ),
        ({"format": "xlsx"}, "no format 'xlsx'; there are csv and parquet."),
        ({"customers": 0}, "--customers must be 1 or more; found 0."),
        ({"seed": -1}, "--seed must be 0 or more; found -1."),
    ],
)
def test_wrong_arguments_are_named(tmp_path, arguments, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        demo.make(tmp_path / "demo", **arguments)
    assert not (tmp_path / "demo").exists()


def test_another_client_s_folder_is_left_alone(tmp_path):
    settings = (DEMO / "client.yml").read_text(encoding="utf-8")  # a consultant copied the example
    (tmp_path / "client.yml").write_text(settings, encoding="utf-8")
    with pytest.raises(UsageError, match=r"no demo-data left there; give --out a new or an empty folder\."):
        demo.make(tmp_path, customers=10)
    assert [p.name for p in tmp_path.iterdir()] == ["client.yml"]
    with pytest.raises(UsageError, match="is a file"):
        demo.make(tmp_path / "client.yml", customers=10)


def test_an_older_demo_is_replaced(tmp_path):
    demo.make(tmp_path / "demo", customers=20)
    demo.make(tmp_path / "demo", customers=20, format="parquet")
    assert sorted(p.suffix for p in (tmp_path / "demo" / "exports").iterdir()) == [".parquet"] * len(TABLES)


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "demo" / "exports"))

    monkeypatch.setattr(demo, "write_workshop", full)
    with pytest.raises(RunError, match=r"exports cannot be written: No space left on device\. Make room or give --out"):
        demo.make(tmp_path / "demo", customers=5)
    assert not (tmp_path / "demo" / "client.yml").exists()


@pytest.mark.parametrize("scenario", ["default", "null"])
@pytest.mark.parametrize("customers", [1, 2, 7])
def test_a_handful_of_customers_is_a_client_too(tmp_path, scenario, customers):
    demo.make(tmp_path / "few", customers=customers, scenario=scenario)
    assert raw("orders", tmp_path / "few")["Customer"].nunique() >= customers
    assert sorted(load_client(tmp_path / "few").tables) == TABLES
