"""How raw texts are read: numbers, times, currencies, statuses, scores."""

import pandas as pd
import pytest
from sources_client import GOOD, HEADER, ORDERS, adds_up, load_orders, make_client, orders_export, refused, settings

from cxkit import sources
from cxkit.tables import TABLES


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


DAYS = {  # what an export has in Kyiv -> the local day
    "2024-03-30 23:59:59": "2024-03-30",
    "2024-03-31 00:00:00": "2024-03-31",  # the night when the clocks go forward
    "2024-03-30T22:00:00Z": "2024-03-31",  # 00:00 in winter time
    "2024-03-31T20:59:59Z": "2024-03-31",  # 23:59:59 in summer time
    "2024-03-31T21:00:00Z": "2024-04-01",
    "2024-10-26T20:59:59Z": "2024-10-26",
    "2024-10-26T21:00:00Z": "2024-10-27",  # 00:00 in summer time, in the night when the clocks go back
    "2024-10-27T21:59:59Z": "2024-10-27",  # 23:59:59 in winter time: the day had 25 hours
    "2024-10-27T22:00:00Z": "2024-10-28",
    "2024-10-27T03:30:00+03:00": "2024-10-27",
    "2024-12-31 23:59:59.999999": "2024-12-31",
}
TIMED = {name: table for name, table in TABLES.items() if table.time}


def test_every_table_with_a_time_has_its_local_day(tmp_path):
    wanted, files = {}, {}
    for name, table in TIMED.items():
        others = [c.name for c in table.columns.values() if c.required and not c.derived and c.name != table.time]
        others += [c for c in table.one_of[:1] if c not in others]
        wanted[name] = {"path": f"{name}.csv", "columns": {c: c for c in [table.time, *others]}}
        cell = lambda c, n: "nps" if c == "metric" else str(n + 1)  # noqa: E731
        lines = [",".join([text, *(cell(c, n) for c in others)]) for n, text in enumerate(DAYS)]
        files[f"{name}_csv"] = "\n".join([",".join([table.time, *others]), *lines]) + "\n"
    loaded = sources.load(make_client(tmp_path, settings(**wanted), **files))
    for name, table in TIMED.items():
        frame = pd.read_parquet(loaded.tables[name])
        assert [str(day)[:10] for day in frame[table.day]] == list(DAYS.values()), name
        assert list(frame.columns).index(table.day) == list(frame.columns).index(table.time) + 1
        assert table.day not in loaded.unmapped[name]


def test_the_day_where_midnight_itself_is_skipped(tmp_path):
    """In Cairo the clocks went from 00:00 to 01:00 on 26 April 2024: the day begins at 01:00."""
    rows = ["1,a,2024-04-25T21:59:59Z,10,1,X", "2,a,2024-04-25T22:00:00Z,10,1,X", "3,a,2024-04-26 00:30:00,10,1,X"]
    wanted = {**settings(orders=orders_export()), "time_zone": "Africa/Cairo"}
    loaded = sources.load(make_client(tmp_path, wanted, orders_csv="\n".join([HEADER, *rows]) + "\n"))
    orders = pd.read_parquet(loaded.tables["orders"])
    assert [str(day)[:10] for day in orders.ordered_on] == ["2024-04-25", "2024-04-26", "2024-04-26"]
    assert orders.ordered_at[2] == pd.Timestamp("2024-04-25 22:30")


def test_customers_without_a_time_have_no_day_and_an_unreadable_one_is_empty(tmp_path):
    for columns, days in (
        ({"customer_id": "ID"}, None),
        ({"customer_id": "ID", "joined_at": "At"}, ["2024-03-01", ""]),
    ):
        client = make_client(
            tmp_path / str(len(columns)),
            settings(orders=orders_export(), customers={"path": "customers.csv", "columns": columns}),
            orders_csv="\n".join([HEADER, *GOOD]),
            customers_csv="ID,At\na,2024-03-01\nb,soon\n",
        )
        frame = pd.read_parquet(sources.load(client).tables["customers"])
        if days is None:
            assert "joined_on" not in frame
        else:
            assert ["" if pd.isna(d) else str(d)[:10] for d in frame["joined_on"]] == days


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
        "ordered_at not readable as %d.%m.%Y or %Y-%m-%d %H:%M %z (Date): 2 like '03/04/24'."
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
