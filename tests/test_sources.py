"""From exports to tables: every row kept or refused with a reason, and messages that say what to mend."""

import gzip
import json
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sources_client import HEADER, ORDERS, load_orders, make_client, orders_export, refused, settings

from cxkit import door, sources
from cxkit.errors import DataError, UsageError

GOOD = ("1,a,2024-03-01,10,1,X", "2,b,2024-03-02,20,2,Y", "3,a,2024-03-05,30,3,X")


def adds_up(loaded):
    for account in loaded.accounts.values():
        assert account["rows_in"] == account["kept"] + sum(account["refused"].values())


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


def test_each_kind_of_dirt_is_refused_with_its_own_reason(tmp_path):
    loaded, _ = load_orders(
        tmp_path,
        *GOOD,
        GOOD[0],
        ",a,2024-03-01,10,1,X",
        "5,a,soon,10,1,X",
        "6,a,2024-03-01,ten,1,X",
        "7,a,2024-03-01,10,1,POST",
        "8,a,2024-03-01,0,1,X",
        "9,a,2024-03-01",
        "10,a,2024-03-01,10,1,X,more",
        "11,,2024-03-01,10,1,X",
        "12,a,2024-03-01,10,many,X",
        not_goods=["POST"],
    )
    adds_up(loaded)
    found = {(r.record, r.column, r.value): r.reason for r in refused(loaded).itertuples()}
    assert found == {
        ("4", "", ""): "exact duplicate of an earlier record",
        ("5", "Order", ""): "order_id missing",
        ("6", "Date", "soon"): "ordered_at not readable as ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)",
        ("7", "Total", "ten"): "amount not readable as a number with the decimal mark '.'",
        ("8", "SKU", "POST"): "no goods (not_goods in client.yml)",
        ("9", "Total", "0"): "amount not above zero",
        ("10", "", "9,a,2024-03-01"): "record has fewer cells than the header",
        ("11", "", "10,a,2024-03-01,10,1,X,more"): "record has more cells than the header",
    }
    account = loaded.accounts["orders"]
    assert account["rows_in"] == 13
    assert "1 values of quantity not readable; left empty." in account["notes"]
    assert any(n.startswith("1 lines without a customer") for n in account["notes"])
    assert account["seen"] == {"exact_duplicates": 1, "returns": 0, "without_customer": 1, "customers": 2}


def test_the_record_number_counts_torn_records_and_skips_empty_lines(tmp_path):
    loaded, _ = load_orders(tmp_path, "torn", "", GOOD[0], "torn,too", "", "9,a,2024-03-01,bad,1,X", GOOD[1])
    assert refused(loaded)[["record", "value"]].values.tolist() == [["1", "torn"], ["3", "torn,too"], ["4", "bad"]]
    assert loaded.accounts["orders"]["rows_in"] == 5


def test_duplicates_may_be_kept(tmp_path):
    loaded, orders = load_orders(tmp_path, GOOD[0], GOOD[0], duplicates="keep")
    assert len(orders) == 2
    assert loaded.accounts["orders"]["seen"]["exact_duplicates"] == 1


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1234.5", ".", 1234.5),
        ('"1,234.5"', ".", 1234.5),
        ("1 234.5", ".", 1234.5),
        ("1\u202f234.5", ".", 1234.5),
        ('"1234,5"', ",", 1234.5),
        ('"1.234,5"', ",", 1234.5),
        ('"1 234,5"', ",", 1234.5),
        ("1.234", ",", 1234.0),
        (" 12 ", ".", 12.0),
        ("12.5", ",", None),
        ('"12,5"', ".", None),
        ("nan", ".", None),
        ("inf", ".", None),
        ("1e999", ".", None),
        ("12 34", ".", None),
    ],
)
def test_numbers_are_read_by_the_declared_mark_or_not_at_all(tmp_path, text, decimal, value):
    loaded, orders = load_orders(tmp_path, f"1,a,2024-03-01,{text},1,X", GOOD[1], decimal=decimal)
    assert orders.amount.tolist() == ([] if value is None else [value]) + [20.0]
    adds_up(loaded)


@pytest.mark.parametrize(
    ("text", "utc", "day"),
    [
        ("2024-03-01T10:00:00Z", "2024-03-01 10:00", "2024-03-01"),
        ("2024-03-01 23:30:00+00:00", "2024-03-01 23:30", "2024-03-02"),
        ("2024-03-01T01:00:00+0200", "2024-02-29 23:00", "2024-03-01"),
        ("2024-03-01 01:00", "2024-02-29 23:00", "2024-03-01"),
        ("2024-03-01 12:00:00.25", "2024-03-01 10:00:00.25", "2024-03-01"),
        ("2024-03-31 03:30:00", "2024-03-31 01:30", "2024-03-31"),  # skipped by the clocks: an hour on
        ("2024-10-27 03:30:00", "2024-10-27 01:30", "2024-10-27"),  # comes twice: the second
        ("0024-03-01", None, None),
        ("2024-02-30", None, None),
        ("20240301", None, None),
    ],
)
def test_times_without_an_offset_are_the_clients_and_others_their_own(tmp_path, text, utc, day):
    _, orders = load_orders(tmp_path, f"1,a,{text},10,1,X", "2,b,2024-12-02,20,2,Y")
    orders = orders[orders.order_id == "1"]
    assert orders.ordered_at.tolist() == ([pd.Timestamp(utc)] if utc else [])
    assert [str(d)[:10] for d in orders.ordered_on] == ([day] if day else [])


def test_several_date_formats_are_tried_in_order_and_others_told_by_their_pattern(tmp_path):
    loaded, orders = load_orders(
        tmp_path,
        "1,a,01.03.2024,10,1,X",
        "2,a,2024-03-02 10:00 +0200,10,1,X",
        "3,a,03/04/24,10,1,X",
        "4,a,04/04/24,10,1,X",
        date_format=["%d.%m.%Y", "%Y-%m-%d %H:%M %z"],
    )
    assert orders.ordered_at.tolist() == [pd.Timestamp("2024-02-29 22:00"), pd.Timestamp("2024-03-02 08:00")]
    assert (
        "ordered_at not readable as %d.%m.%Y or %Y-%m-%d %H:%M %z (Date): 99/99/99 2 times (as '03/04/24')."
        in loaded.accounts["orders"]["notes"]
    )


def test_an_unknown_status_names_the_valid_ones_and_the_line_to_add(tmp_path):
    columns = {**ORDERS, "status": "Status"}
    rows = ["1,a,2024-03-01,10,1,X,paid", "2,b,2024-03-02,20,2,Y,Completed", "3,b,2024-03-02,20,2,Y,odd"]
    loaded, orders = load_orders(
        tmp_path, *rows, header=f"{HEADER},Status", columns=columns, values={"status": {"paid": "completed"}}
    )
    assert orders.status.tolist() == ["completed", "completed"]
    assert loaded.accounts["orders"]["notes"] == [
        "status is none of completed, cancelled, returned, partly_returned (Status): 'odd' 1 times."
        " Add tables.orders.values: {status: {<found>: <valid>}} to client.yml."
    ]


def test_currencies_need_a_rate(tmp_path):
    rows = [
        "1,a,2024-03-01,10,1,X,UAH",
        "2,b,2024-03-02,20,2,Y,pln",
        "3,b,2024-03-02,20,2,Y,EUR",
        "4,b,2024-03-02,9,2,Y,",
    ]
    loaded, orders = load_orders(
        tmp_path, *rows, header=f"{HEADER},Currency", currency_column="Currency", rates={"PLN": 10.3}
    )
    assert orders.amount.tolist() == [10.0, 206.0]
    assert refused(loaded)[["record", "value", "reason"]].values.tolist() == [
        ["3", "EUR", "currency without a rate (rates in client.yml)"],
        ["4", "", "currency without a rate (rates in client.yml)"],
    ]


def test_a_row_dated_2099_is_refused_and_never_followed(tmp_path):
    rows = [f"{i},a,2024-03-{1 + i % 28:02d},10,1,X" for i in range(200)]
    loaded, _ = load_orders(tmp_path, *rows, "999,a,2099-01-01,10,1,X")
    assert loaded.as_of == date(2024, 3, 28)
    assert loaded.accounts["orders"]["refused"] == {"after as_of": 1}
    assert loaded.accounts["orders"]["notes"][0].startswith(
        "as_of is 2024-03-28, the last day with orders: 1 rows stand"
    )


@pytest.mark.parametrize(
    ("days", "rows", "last"),
    [
        (["2024-01-01"], [1], "2024-01-01"),
        (["2024-01-01", "2024-03-01"], [1, 1], "2024-03-01"),
        (["2024-01-01", "2024-03-01"], [1000, 1], "2024-01-01"),
        (["2024-01-01", "2024-01-20"], [1000, 1], "2024-01-20"),
        (["2024-01-01", "2099-01-01"], [3, 1], "2024-01-01"),
        (["2020-01-01", "2024-01-01"], [3, 4], "2024-01-01"),
        (["2024-01-01", "2024-04-01", "2025-01-01"], [1000, 5, 1], "2024-01-01"),
    ],
)
def test_which_day_latest_follows(days, rows, last):
    counts = pd.DataFrame({"day": [date.fromisoformat(d) for d in days], "rows": rows})
    assert door.followed(counts) == date.fromisoformat(last)


def test_rows_after_a_set_as_of_are_left_out_without_closing_the_gate(tmp_path):
    client = make_client(
        tmp_path, settings(orders=orders_export(max_refused_share=0.05)), orders_csv="\n".join([HEADER, *GOOD])
    )
    loaded = sources.load(client, as_of="2024-03-01")
    assert (loaded.as_of, loaded.accounts["orders"]["kept"]) == (date(2024, 3, 1), 1)
    assert loaded.accounts["orders"]["refused"] == {"after as_of": 2}
    with pytest.raises(DataError, match="as_of 2023-01-01 is before the first order, which is of 2024-03-01"):
        sources.load(client, as_of="2023-01-01")
    with pytest.raises(UsageError, match="'2023-02-30' is no date"):
        sources.load(client, as_of="2023-02-30")


def test_the_gate_counts_the_reasons_the_commonest_first_and_leaves_the_rows_to_look_at(tmp_path):
    rows = [*GOOD, "4,a,bad,1,1,X", "5,a,worse,1,1,X", "6,a,2024-03-01,0,1,X"]
    client = make_client(
        tmp_path, settings(orders=orders_export(max_refused_share=0.05)), orders_csv="\n".join([HEADER, *rows])
    )
    with pytest.raises(DataError) as error:
        sources.load(client)
    told = str(error.value)
    assert "table 'orders': 3 of 6 records refused (50.0 %); 5 % are allowed." in told
    assert told.index("2 × ordered_at not readable") < told.index("1 × amount not above zero")
    assert "raise tables.orders.max_refused_share" in told
    assert len(pd.read_csv(tmp_path / "private/refused/orders.csv")) == 3
    assert not list((tmp_path / "private/cache").iterdir())


FAULTS = {
    "empty": (b"", "it is empty. Ask for the export again."),
    "header only": (HEADER.encode(), "it has a header but no rows."),
    "missing column": (
        b"Order,Customer,Date,Totals,Qty,SKU\n1,a,2024-03-01,1,1,X",
        "no column 'Total', did you mean 'Totals'?",
    ),
    "wrong delimiter": (
        HEADER.replace(",", ";").encode() + b"\n1;2;3;4;5;6",
        'Write tables.orders.delimiter: ";" in client.yml',
    ),
    "column twice": (
        b"Order,Customer,Date,Total,Qty,Qty,SKU\n1,a,2024-03-01,1,1,1,X",
        "'Qty' stands in the header 2 times",
    ),
    "blank names": (b"Order,,Date,Total,Qty,\n1,a,2024-03-01,1,1,X", "and 2 without a name"),
    "encoding": (
        HEADER.encode() + "\n1,Żaneta,2024-03-01,1,1,X\n".encode("cp1250"),
        "byte 36 (0xaf) is not utf-8. Write the file's own",
    ),
    "quotes": (
        HEADER.encode() + b'\n1,"a,2024-03-01,1,1,X\n' + b"2,b,2024-03-01,1,1,X\n" * 9,
        "in record 1 a quotation mark is opened and not closed; it swallows at least 9 lines",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_cannot_be_read_says_what_to_mend(tmp_path, fault):
    content, message = FAULTS[fault]
    client = make_client(tmp_path, settings(orders=orders_export()), orders_csv=content)
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert str(error.value).startswith("table 'orders', file orders.csv: ")
    assert message in str(error.value)


def test_faults_of_all_files_are_told_together(tmp_path):
    customers = {"path": "customers.csv", "columns": {"customer_id": "ID"}}
    client = make_client(
        tmp_path, settings(orders=orders_export(), customers=customers), orders_csv=b"", customers_csv=b"Id\n1\n"
    )
    with pytest.raises(DataError) as error:
        sources.load(client)
    assert "table 'orders', file orders.csv: it is empty" in str(error.value)
    assert "table 'customers', file customers.csv: no column 'ID', did you mean 'Id'?" in str(error.value)


@pytest.mark.parametrize(
    ("encoding", "end", "packed"),
    [("cp1251", "\n", False), ("utf-16", "\r\n", False), ("mac_cyrillic", "\r", True), ("utf-8-sig", "\r\n", True)],
)
def test_encodings_line_ends_and_gzip_read_alike(tmp_path, encoding, end, packed):
    raw = end.join(
        [HEADER, "1,Їжак,2024-03-01,10,1,Ґ" if encoding != "mac_cyrillic" else "1,Їжак,2024-03-01,10,1,Я"]
    ).encode(encoding)
    export = orders_export(encoding=encoding, path="orders.csv.gz" if packed else "orders.csv")
    folder = tmp_path / "клієнт [1] з пробілом"
    folder.mkdir()
    (folder / export["path"]).write_bytes(gzip.compress(raw) if packed else raw)
    loaded = sources.load(make_client(folder, settings(orders=export)))
    assert pd.read_parquet(loaded.tables["orders"]).product_id.tolist() in (["Ґ"], ["Я"])


def test_mixed_line_ends_and_line_breaks_in_cells(tmp_path):
    content = f'{HEADER}\r\n1,"a\nb",2024-03-01,10,1,X\n2,b,2024-03-01,10,1,"Y\r\nZ"\r\n'
    loaded = sources.load(make_client(tmp_path, settings(orders=orders_export()), orders_csv=content))
    assert pd.read_parquet(loaded.tables["orders"]).product_id.tolist() == ["X", "Y\r\nZ"]


def test_hostile_text_passes_as_data_and_runs_nowhere(tmp_path):
    loaded, orders = load_orders(tmp_path, "1,<script>,2024-03-01,10,1,=1+1", "2,b,=cmd(),10,1,X")
    assert orders.product_id.tolist() == ["=1+1"]
    assert orders.customer_id.str.fullmatch("[a-z2-7]{13}").all()
    assert refused(loaded).value.tolist() == ["'=cmd()"]


def test_parquet_reads_as_csv_does(tmp_path):
    frame = pd.DataFrame(
        {
            "Order": ["1", "2"],
            "Customer": ["a", None],
            "Date": pd.to_datetime(["2024-03-01 01:00", "2024-03-02 00:00"]),
            "Total": [10.5, 20.0],
            "Qty": [1, 2],
            "SKU": ["X", "Y"],
        }
    )
    (tmp_path / "p").mkdir()
    frame.to_parquet(tmp_path / "p" / "orders.parquet")
    client = make_client(tmp_path / "p", settings(orders=orders_export(path="orders.parquet")))
    by_parquet = pd.read_parquet(sources.load(client).tables["orders"])
    _, by_csv = load_orders(tmp_path / "c", "1,a,2024-03-01 01:00,10.5,1,X", "2,,2024-03-02,20,2,Y")
    pd.testing.assert_frame_equal(by_parquet.drop(columns="customer_id"), by_csv.drop(columns="customer_id"))


def test_several_files_are_one_table_and_each_names_its_refused_rows(tmp_path):
    client = make_client(
        tmp_path,
        settings(orders=orders_export(path=["a.csv", "b.csv"])),
        a_csv="\n".join([HEADER, *GOOD]),
        b_csv="SKU,Order,Customer,Date,Total,Qty\nX,1,a,2024-03-01,10,1\nX,9,a,never,10,1",
    )
    loaded = sources.load(client)
    assert refused(loaded)[["file", "record", "reason"]].values.tolist() == [
        ["b.csv", "1", "exact duplicate of an earlier record"],
        ["b.csv", "2", "ordered_at not readable as ISO 8601 (2026-06-30 or 2026-06-30 14:05:00)"],
    ]


def test_orphans_are_kept_and_told_and_a_customer_given_twice_is_refused(tmp_path):
    customers = {"path": "customers.csv", "columns": {"customer_id": "ID", "city": "City"}, "max_refused_share": 1}
    client = make_client(
        tmp_path,
        settings(orders=orders_export(), customers=customers),
        orders_csv="\n".join([HEADER, *GOOD]),
        customers_csv="ID,City\na,Kyiv\na,Lviv\n",
    )
    loaded = sources.load(client)
    assert loaded.accounts["orders"]["kept"] == 3
    assert "1 lines name 1 customers whom the table customers lacks; kept." in loaded.accounts["orders"]["notes"]
    assert loaded.accounts["customers"]["refused"] == {"customer_id stands in an earlier record": 1}
    orders, known = (pd.read_parquet(loaded.tables[t]) for t in ("orders", "customers"))
    assert orders.customer_id[0] == known.customer_id[0]


def test_scores_off_their_scale_are_refused_and_comments_scrubbed(tmp_path):
    surveys = {
        "path": "surveys.csv",
        "columns": {"answered_at": "At", "metric": "M", "score": "S", "comment": "C"},
        "max_refused_share": 1,
    }
    wanted = {**settings(surveys=surveys), "scales": {"nps": [0, 10]}}
    client = make_client(
        tmp_path, wanted, surveys_csv="At,M,S,C\n2024-03-01,NPS,10,mail a@b.ua\n2024-03-01,nps,11,\n2024-03-01,ces,9,\n"
    )
    loaded = sources.load(client)
    answers = pd.read_parquet(loaded.tables["surveys"])
    assert answers.comment[0] == "mail [e-mail]"
    assert answers.metric.tolist() == ["nps", "ces"]
    assert loaded.accounts["surveys"]["refused"] == {"score off the scale that client.yml declares": 1}
    assert loaded.accounts["surveys"]["notes"] == [
        "1 answers of ces have no scale under scales in client.yml: not checked."
    ]


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
    assert not path.exists()
    assert len(list((tmp_path / "private/cache").iterdir())) == 1
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
