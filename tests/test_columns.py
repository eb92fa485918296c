"""How raw texts are read: numbers, times, currencies, statuses, scores."""

from types import SimpleNamespace

import pandas as pd
import pytest
from sources_client import GOOD, HEADER, ORDERS, adds_up, load_orders, make_client, orders_export, refused, settings

from cxkit import columns, engine, sources
from cxkit.errors import DataError
from cxkit.mapping import Export
from cxkit.tables import TABLES


@pytest.mark.parametrize(
    ("decimal", "texts"),
    [
        (".", {"1234.5": 1234.5, '"1,234.5"': 1234.5, " 12 ": 12.0, '"12,5"': None, "nan": None, "1e999": None}),
        (",", {'"1234,5"': 1234.5, '"1.234,5"': 1234.5, "1.234": 1234.0, "12.5": None, '"1 234,5 ₴"': 1234.5}),
    ],
)
def test_numbers_are_read_by_the_declared_mark_or_not_at_all(tmp_path, decimal, texts):
    rows = [f"{n},a,2024-03-01,{text},1,X" for n, text in enumerate(texts)]
    loaded, orders = load_orders(tmp_path, *rows, decimal=decimal)
    assert orders.amount.tolist() == [value for value in texts.values() if value is not None]
    adds_up(loaded)


TIMES = [
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
]


def test_times_without_an_offset_are_the_clients_and_others_their_own(tmp_path):
    rows = [f"{n},a,{text},10,1,X" for n, (text, _, _) in enumerate(TIMES)]
    _, orders = load_orders(tmp_path, *rows, "99,b,2024-12-02,20,2,Y")
    found = {row.order_id: (row.ordered_at, str(row.ordered_on)[:10]) for row in orders.itertuples()}
    for n, (text, utc, day) in enumerate(TIMES):
        assert found.get(str(n)) == ((pd.Timestamp(utc), day) if utc else None), text


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
    for wanted, days in (
        ({"customer_id": "ID"}, None),
        ({"customer_id": "ID", "joined_at": "At"}, ["2024-03-01", ""]),
    ):
        client = make_client(
            tmp_path / str(len(wanted)),
            settings(orders=orders_export(), customers={"path": "customers.csv", "columns": wanted}),
            orders_csv="\n".join([HEADER, *GOOD]),
            customers_csv="ID,At\na,2024-03-01\nb,soon\n",
        )
        frame = pd.read_parquet(sources.load(client).tables["customers"])
        if days is None:
            assert "joined_on" not in frame
        else:
            assert ["" if pd.isna(d) else str(d)[:10] for d in frame["joined_on"]] == days


def test_several_date_formats_and_others_told_by_their_pattern(tmp_path):
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


def test_a_date_that_two_formats_read_differently_is_refused_or_left_empty(tmp_path):
    loaded, orders = load_orders(
        tmp_path,
        "1,a,01/03/2024,10,1,X,01/03/2024",
        "2,a,13/03/2024,10,1,X,04/03/2024",
        "3,a,03/03/2024,10,1,X,03/13/2024",
        header=f"{HEADER},Came",
        columns={**ORDERS, "delivered_at": "Came"},
        date_format=["%d/%m/%Y", "%m/%d/%Y"],
        time_zone="UTC",
    )
    adds_up(loaded)
    account = loaded.accounts["orders"]
    assert account["refused"] == {"ordered_at can be read in two ways (%d/%m/%Y, %m/%d/%Y)": 1}
    assert [str(day)[:10] for day in orders.ordered_on] == ["2024-03-13", "2024-03-03"]
    came = [str(day)[:10] for day in orders.delivered_at]
    assert came == ["NaT", "2024-03-13"]
    assert any("delivered_at" in n and "in two ways" in n and n.startswith("1 values") for n in account["notes"])


def test_an_unknown_status_names_the_valid_ones_and_the_line_to_add(tmp_path):
    columns = {**ORDERS, "status": "Status"}
    rows = ["1,a,2024-03-01,10,1,X,paid", "2,b,2024-03-02,20,2,Y,Completed", "3,b,2024-03-02,20,2,Y,odd"]
    loaded, orders = load_orders(
        tmp_path, *rows, header=f"{HEADER},Status", columns=columns, values={"status": {"paid": "completed"}}
    )
    assert orders.status.tolist() == ["completed", "completed"]
    assert loaded.accounts["orders"]["notes"] == [
        "status is none of completed, cancelled, returned, partly_returned (Status): 'odd' 1 times."
        " Add tables.orders.values: {status: {<found>: <valid>}} to client.yml.",
        "refused lines whose amount could be read hold 20 UAH (status is none of completed, cancelled, returned,"
        " partly_returned).",
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


def test_an_answer_that_says_na_is_a_question_without_an_answer(tmp_path):
    surveys = {"path": "surveys.csv", "columns": {"answered_at": "At", "metric": "M", "score": "S"}}
    wanted = {**settings(surveys=surveys), "scales": {"nps": [0, 10]}}
    rows = "".join(
        f"2024-03-0{i + 1},nps,{said}\n" for i, said in enumerate(["9", "NA", "n/a", "-", " — ", "0", "None"])
    )
    loaded = sources.load(make_client(tmp_path, wanted, surveys_csv=f"At,M,S\n{rows}"))
    assert pd.read_parquet(loaded.tables["surveys"]).score.tolist() == [9, 0]
    account = loaded.accounts["surveys"]
    assert account["refused"] == {"question not answered: it says NA, N/A, - or the like": 5}
    assert account["left_out"] == 5  # the gate of 5 % stays open
    torn = make_client(tmp_path / "torn", wanted, surveys_csv=f"At,M,S\n{rows}2024-03-09,nps,nine\n")
    with pytest.raises(DataError, match="1 of 8 records refused"):
        sources.load(torn)


def rows_of(table: str, header: list[str], *records: tuple, types: str = "string", **export) -> tuple:
    """Hand-made records, read by `columns.read`: (canonical rows, each row's reason or None, how many unread)."""
    export = Export(path=["x.csv"], **export)
    names = columns.raw_names(export)
    frame = pd.DataFrame(records, columns=header).rename(columns=names)
    frame = frame.assign(line=range(len(frame)), part=frame.get("part", 0), row_hash=0, is_duplicate=False)
    kinds = {"line": "int64", "part": "int64", "row_hash": "uint64", "is_duplicate": "boolean"}
    kinds = {name: kinds.get(name, "float64" if name.startswith("shared_") else types) for name in frame}
    held = engine.keep_frame(CON, "records", frame, types=kinds)
    client = SimpleNamespace(currency="PLN", time_zone="Europe/Warsaw", scales={"nps": (0, 10), "rating": (1, 5)})
    found = columns.read(held, table=TABLES[table], export=export, client=client, names=names)
    rows = found.rows.order_by(["line", "part"]).to_pandas()
    reasons = [None if pd.isna(fault) else found.checks[int(fault)].reason for fault in rows.fault]
    return rows, reasons, {name: int(rows[f"not_read_{name}"].sum()) for name in found.not_read}


CON = engine.connect()
ORDER = {"order_id": "No", "ordered_at": "At", "amount": "Sum"}


def test_every_raw_column_that_a_key_names_is_brought_in_with_its_key():
    export = Export(
        path=["x.csv"],
        columns={
            "order_id": "No",
            "amount": {"multiply": ["Price", "Qty"], "minus": ["Less"]},
            "refund": {"share": "Back", "by": ["Price"]},
            "delivered_at": {"after": "At", "minutes": "Took"},
            "channel": {"constant": "web"},
        },
        currency_column="Cur",
        questions={"Q1": {"metric": "nps", "comment": "Why"}},
        keep_only={"State": ["paid"]},
        leave_out={"Tags": ["test"], "No": ["0"]},
        join=[{"path": "y.csv", "on": "Client", "key": "ID"}],
    )
    assert list(columns.raw_names(export)) == [
        "No", "Price", "Qty", "Less", "Back", "At", "Took", "Cur", "Q1", "Why", "State", "Tags", "Client",
    ]  # fmt: skip
    targets = columns.mapped_to(export)
    assert (targets["Less"], targets["Took"], targets["Why"]) == (
        "columns.amount", "columns.delivered_at", "questions.Q1.comment",
    )  # fmt: skip
    assert (targets["No"], targets["Tags"], targets["Client"]) == ("columns.order_id", "leave_out.Tags", "join.0.on")
    assert list(columns.raw_names(export).values()) == [f"r{i}" for i in range(13)]


def test_records_that_the_clients_rules_leave_out():
    header = ["No", "At", "Sum", "Tags", "State"]
    tags = ["TEST order", "vip", "", "my Gift Card", " wholesale ", "retail", "a test"]
    records = [(str(n), "2024-03-01", "5", tag, "Paid") for n, tag in enumerate(tags)]
    records += [("8", "2024-03-01", "5", "vip", "voided"), ("9", "soon", "5", "vip", " ")]
    rules = {"leave_out": {"Tags": ["test*", "*gift*", "wholesale"]}, "keep_only": {"State": ["paid", "author*"]}}
    _, reasons, _ = rows_of("orders", header, *records, columns=ORDER, **rules)
    out = "left out by leave_out (Tags)"
    state = "left out by keep_only (State)"
    assert reasons == [out, None, None, out, out, None, None, state, state]
    _, reasons, _ = rows_of("orders", header, *records[1:3], columns=ORDER, leave_out={"Tags": [""]})
    assert reasons == [None, out]
    _, reasons, _ = rows_of("orders", header, *records[1:3], columns=ORDER, leave_out={"Tags": ["*"]})
    assert reasons == [out, None]


def test_a_product_less_others_a_constant_and_a_later_time():
    made = {
        **ORDER,
        "amount": {"multiply": ["Price", "Qty"], "minus": ["Less"]},
        "channel": {"constant": "web"},
        "delivered_at": {"after": "At", "minutes": "Took"},
    }
    header = ["No", "At", "Price", "Qty", "Less", "Took"]
    records = [
        ("1", "31.03.2024 01:30", "10,50 zł", "2", "1", "90"),
        ("2", "31.03.2024 01:30", "10,50", "2", "", ""),
        ("3", "31.03.2024 01:30", "10,50 €", "2", "", "-4"),
        ("4", "31.03.2024 01:30", "10,50", "", "1", "soon"),
        ("5", "31.03.2024 01:30", "10,50", "2", "one", "1"),
    ]
    formats = {"ordered_at": "%d.%m.%Y %H:%M"}
    rows, reasons, unread = rows_of("orders", header, *records, columns=made, decimal=",", date_format=formats)
    assert rows.amount.tolist()[:2] == [20, 21]
    assert reasons[:2] == [None, None]
    assert reasons[2].startswith("amount is in another currency")
    assert reasons[3] == "amount missing"
    assert reasons[4].startswith("amount not readable as a number with the decimal mark")
    assert rows.value.fillna("").tolist()[2:] == ["10,50 € × 2", "", "10,50 × 2 − one"]
    assert rows.channel.tolist() == ["web"] * 5
    assert str(rows.delivered_at[0]) == "2024-03-31 02:00:00"  # an hour and a half of real time, not of the clock's
    assert unread["delivered_at"] == 2


def test_ids_as_they_stand_but_for_what_is_declared():
    header, made = ["No", "At", "Sum", "Client"], {**ORDER, "customer_id": "Client"}
    records = [
        ("'0017", "2024-03-01", "5", "17850.0"),
        ("''8", "2024-03-01", "5", "Ann@Shop.UA"),
        ("'", "2024-03-01", "5", "guest"),
    ]
    rows, _, _ = rows_of("orders", header, *records, columns=made)
    assert rows.order_id.tolist() == ["'0017", "''8", "'"]
    assert rows.customer_id.tolist() == ["17850.0", "Ann@Shop.UA", "guest"]
    more = {"strip_prefix": {"order_id": "'"}, "strip_suffix": {"customer_id": ".0"}, "lower_case": ["customer_id"]}
    more["values"] = {"customer_id": {"guest": ""}}
    rows, reasons, _ = rows_of("orders", header, *records, columns=made, **more)
    assert rows.order_id.tolist()[:2] == ["0017", "'8"]
    assert rows.customer_id.fillna("").tolist() == ["17850", "ann@shop.ua", ""]
    assert reasons == [None, None, "order_id missing"]


def test_types_of_a_parquet_file():
    numbers = [(17850.0, 20240301.0, 12.5), (17851.5, 20240302.0, float("nan")), (1e300, 20240303.0, 1e30)]
    rows, reasons, _ = rows_of(
        "orders", ["No", "At", "Sum"], *numbers, types="float64", columns=ORDER, date_format="%Y%m%d"
    )
    assert rows.order_id.tolist() == ["17850", "17851.5", "1e+300"]
    assert [str(day)[:10] for day in rows.ordered_on] == ["2024-03-01", "2024-03-02", "2024-03-03"]
    assert reasons[0] is None
    assert reasons[1] == "amount missing"
    found, _, unread = rows_of(
        "searches",
        ["At", "Q", "S", "N"],
        ("2024-03-01", "q", "s", "1e30"),
        ("2024-03-01", "q", "s", "7"),
        columns={"searched_at": "At", "query": "Q", "session_id": "S", "results": "N"},
    )
    assert found.results.isna().tolist() == [True, False]
    assert unread["results"] == 1


def test_money_marks_and_the_currency_column_agree_or_the_row_is_refused():
    header = ["No", "At", "Sum", "Cur", "Back"]
    sums = [
        ("12 zł", "PLN"),
        ("$12.00 USD", "USD"),
        ("12", "$"),
        ("12 zł", "USD"),
        ("12", "EUR"),
        ("12", ""),
        ("1", "zł"),
    ]
    records = [(str(n), "2024-03-01", total, code, "3 €" if n == 0 else "") for n, (total, code) in enumerate(sums)]
    made = {"columns": {**ORDER, "refund": "Back"}, "currency_column": "Cur", "rates": {"USD": 4}}
    rows, reasons, unread = rows_of("orders", header, *records, **made)
    no_rate = "currency without a rate (rates in client.yml)"
    contrary = "amount bears another currency's mark than the currency_column tells"
    assert reasons == [None, None, None, contrary, no_rate, no_rate, None]
    assert rows.amount.tolist()[:3] == [12, 48, 48]
    assert unread == {"refund": 0, "other_refund": 1}


def test_answers_to_questions_take_the_place_of_columns():
    asked = {
        "How likely?": {"metric": "nps", "survey_id": "w1", "comment": "Why"},
        "Site": {"metric": "csi_item", "item": "site"},
    }
    header = ["At", "Wave", "How likely?", "Why", "Site", "part"]
    header += [f"q_{c}" for c in ("metric", "item", "touchpoint", "survey_id", "comment", "score")]
    base = ("2024-03-01", "2", "9", "good", "")
    records = [
        (*base, 1, "nps", None, None, "w1", "good", "9"),
        (*base, 2, "csi_item", "site", None, None, None, " "),
        (*base, 2, "csi_item", "site", None, " ", None, "5 %"),
        (*base, 1, "nps", None, None, "w1", None, "11"),
    ]
    rows, reasons, _ = rows_of(
        "surveys", header, *records, questions=asked, columns={"answered_at": "At", "survey_id": "Wave"}
    )
    assert reasons == [None, "question not answered", None, "score off the scale that client.yml declares"]
    assert rows.metric.tolist() == ["nps", "csi_item", "csi_item", "nps"]
    assert rows.score.tolist()[0] == 9
    assert rows.survey_id.tolist() == ["w1", "2", "2", "w1"]
    assert rows.question.tolist() == ["How likely?", "Site", "Site", "How likely?"]
    assert rows.comment.tolist()[0] == "good"


def test_shared_money_comes_as_a_number():
    made = {**ORDER, "amount": {"share": "Sum"}}
    rows, reasons, _ = rows_of(
        "orders", ["No", "At", "shared_amount"], ("1", "2024-03-01", 3.3333), ("1", "2024-03-01", None), columns=made
    )
    assert rows.amount.tolist()[0] == 3.3333
    assert reasons == [None, "amount missing"]


def test_a_score_off_an_optional_scale_is_left_empty_and_told():
    found = rows_of(
        "reviews",
        ["At", "Stars"],
        ("2024-03-01", "7"),
        ("2024-03-01", "x"),
        columns={"written_at": "At", "rating": "Stars"},
    )
    rows, reasons, unread = found
    assert rows.rating.isna().all()
    assert (reasons, unread) == ([None, None], {"rating": 1, "rating_off": 1})
