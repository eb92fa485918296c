"""From exports to tables: kept and refused are what came in; a reading is reused until something changes."""

import json
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sources_client import GOOD, HEADER, adds_up, load_orders, make_client, orders_export, refused, settings

from cxkit import sources
from cxkit.errors import UsageError


def test_good_rows_become_the_canonical_table(tmp_path):
    loaded, orders = load_orders(tmp_path, *GOOD)
    adds_up(loaded)
    assert loaded.accounts["orders"]["kept"] == 3
    assert loaded.as_of == date(2024, 3, 5)
    assert orders.amount.tolist() == [10, 20, 30]
    assert orders.customer_id.nunique() == 2
    assert not {"a", "b"} & set(orders.customer_id)
    assert orders.ordered_at.tolist()[0] == pd.Timestamp("2024-02-29 22:00")  # midnight in Kyiv
    assert [str(d)[:10] for d in orders.ordered_on] == ["2024-03-01", "2024-03-02", "2024-03-05"]
    assert orders.status.tolist() == ["completed"] * 3
    assert orders.refund.tolist() == [0, 0, 0]
    assert "product" in loaded.unmapped["orders"]
    assert "contacts" in loaded.missing
    assert list(loaded.inputs) == ["orders.csv"]


def test_latest_is_the_last_day_with_a_sale(tmp_path):
    loaded, _ = load_orders(tmp_path, *GOOD, "4,a,2024-03-09,-30,-3,X")
    assert loaded.as_of == date(2024, 3, 5)
    assert loaded.accounts["orders"]["refused"] == {"later than the last sale (as_of: latest)": 1}
    assert loaded.accounts["orders"]["left_out"] == 1


def test_the_gate_bears_an_earlier_day(tmp_path):
    """Most rows lie after it; the two unreadable ones are judged by all rows, not by the few before it."""
    rows = [f"{n},c{n},2024-0{3 if n < 5 else 4}-01,10,1,X" for n in range(40)]
    bad = ["90,a,soon,10,1,X", "91,a,later,10,1,X"]
    client = make_client(
        tmp_path,
        settings(orders=orders_export(max_refused_share=0.05)),
        orders_csv="\n".join([HEADER, *rows, *bad]) + "\n",
    )
    account = sources.load(client, as_of="2024-03-01").accounts["orders"]
    assert (account["rows_in"], account["kept"], account["refused"]["after as_of"]) == (42, 5, 35)
    assert any("1 of the shape 'aaaa'" in note for note in account["notes"])


def test_a_wrong_mapping_is_told_whole(tmp_path):
    export = orders_export(columns={"order_id": "Order", "amout": "Total", "ordered_at": "Date"}, not_goods=["POST"])
    client = make_client(tmp_path, settings(orders=export, ordrs=export), orders_csv=HEADER)
    with pytest.raises(UsageError) as error:
        sources.load(client)
    told = str(error.value)
    assert "tables.orders.columns.amout: unknown column, did you mean 'amount'?" in told
    assert (
        "table 'orders' lacks 'amount'; it has 'order_id', 'amout', 'ordered_at'. Map it under tables.orders.columns."
        in told
    )
    assert "tables.ordrs: unknown table, did you mean 'orders'?" in told
    assert "tables.orders.not_goods: it names product_id values" in told


def test_a_reading_is_reused_until_something_changes(tmp_path):
    loaded, _ = load_orders(tmp_path, *GOOD)
    path = loaded.tables["orders"]
    made = path.stat().st_mtime_ns
    again, _ = load_orders(tmp_path, *GOOD)
    assert (again.tables["orders"], path.stat().st_mtime_ns) == (path, made)
    client = make_client(tmp_path, settings(orders=orders_export()))
    assert sources.load(client, as_of="2024-03-05").tables["orders"] == path  # what latest came to
    changed, orders = load_orders(tmp_path, *GOOD, "4,d,2024-03-05,1,1,X")
    assert len(orders) == 4
    assert path.exists()  # a run that began with it may still be under way
    load_orders(tmp_path, *GOOD, "5,d,2024-03-05,1,1,X")
    assert not path.exists()
    assert len(list((tmp_path / "private/cache").iterdir())) == 2
    changed.tables["orders"].write_bytes(b"torn")
    mended, orders = load_orders(tmp_path, *GOOD, "4,d,2024-03-05,1,1,X")
    assert len(orders) == 4
    adds_up(mended)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    first, _ = load_orders(tmp_path / "a", *GOOD, "torn", "5,z,2024-03-01,-3,1,X")
    (tmp_path / "b/private").mkdir(parents=True)
    (tmp_path / "b/private/key").write_bytes((tmp_path / "a/private/key").read_bytes())
    second, _ = load_orders(tmp_path / "b", *GOOD, "torn", "5,z,2024-03-01,-3,1,X")
    assert first.tables["orders"].read_bytes() == second.tables["orders"].read_bytes()
    assert first.accounts == second.accounts
    assert json.dumps(first.accounts)


def test_a_lost_key_is_an_error_where_earlier_readings_are(tmp_path):
    loaded, _ = load_orders(tmp_path, *GOOD)
    (tmp_path / "private/key").unlink()
    with pytest.raises(UsageError, match="is gone, but earlier audits of this client were made with it"):
        load_orders(tmp_path, *GOOD)
    assert loaded.tables["orders"].exists()


def test_a_disk_that_takes_no_more_is_a_run_error_and_leaves_nothing_half_made(tmp_path):
    rows = [f"{i},{i},2024-03-01,{i}.5,1,{i * 7919 % 100003}" for i in range(1, 20_000)]
    make_client(tmp_path, settings(orders=orders_export()), orders_csv="\n".join([HEADER, *rows]))
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from cxkit import client, errors, sources\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n    sources.load(client.load_client(Path(sys.argv[1])))\n"
        "except errors.RunError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert "cannot be written" in done.stdout, done.stderr
    assert not list((tmp_path / "private/cache").iterdir())


CELLS = st.sampled_from(
    [
        "",
        "a",
        "b",
        "2024-03-01",
        "2024-03-02 10:00",
        "01.02.2024",
        "10",
        "-4",
        "0",
        "x",
        '"',
        "=1",
        "2099-01-01",
        "\n",
        "1,5",
        "Ї",
    ]
)


RECORD = st.lists(CELLS, min_size=1, max_size=8)


def _quoted(record):
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in record)


# few examples of many rows: each goes through the whole door
@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORD, min_size=5, max_size=40))
def test_whatever_the_dirt_kept_and_refused_are_what_came_in(tmp_path_factory, records):
    rows = [*GOOD, *(_quoted(r) for r in records)]
    loaded, orders = load_orders(tmp_path_factory.mktemp("dirt"), *rows)
    account = loaded.accounts["orders"]
    assert account["rows_in"] == len(rows)
    adds_up(loaded)
    assert len(refused(loaded)) == sum(account["refused"].values())
    assert len(orders) == account["kept"] - account["netted"]
    assert (orders.refund >= 0).all()
    assert ((orders.amount > 0) | (orders.refund > 0)).all()


LINES = st.builds(
    lambda order, customer, day, amount, sku: f"{order},{customer},2024-03-{day:02d},{amount},{amount // 5},{sku}",
    st.integers(1, 5),
    st.sampled_from(["a", "b", ""]),
    st.integers(1, 9),
    st.sampled_from([5, 10, 15, -5, -10]),
    st.sampled_from(["X", "Y", ""]),
)


@hypothesis_settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), lines=st.lists(LINES, min_size=10, max_size=40))
def test_the_order_of_the_rows_does_not_matter(tmp_path_factory, data, lines):
    lines = [*GOOD, *lines]
    folder = tmp_path_factory.mktemp("order")
    first, orders = load_orders(folder, *lines)
    second, shuffled = load_orders(folder, *data.draw(st.permutations(lines)))
    key = list(orders.columns)
    pd.testing.assert_frame_equal(
        orders.sort_values(key, ignore_index=True), shuffled.sort_values(key, ignore_index=True)
    )
    assert first.accounts["orders"]["refused"] == second.accounts["orders"]["refused"]
