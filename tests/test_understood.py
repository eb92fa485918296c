import pandas as pd

from cxkit import understood
from cxkit.mapping import Export, Persons

ORDERS = {"order_id": "No", "ordered_at": "Created", "amount": "Total"}


def export(**keys) -> Export:
    return Export.model_validate({"path": "exports/orders.csv", "columns": ORDERS} | keys)


def read(**keys) -> dict:
    return understood.how_read({"orders": export(**keys)}, {"orders": {"rows_in": 7}}).iloc[0].to_dict()


def told(**keys) -> list[str]:
    return understood.rules({"orders": export(**keys)}, {})["meaning"].to_list()


def test_a_plain_file():
    assert read() == {
        "table": "orders",
        "files": "exports/orders.csv",
        "read_as": "CSV with commas, utf-8",
        "numbers": "1,234.50",
        "times": "2026-12-31T14:05:09 (ISO)",
        "rows_in": 7,
    }


def test_files_of_every_kind():
    form = lambda path, **keys: read(path=path, **keys)["read_as"]  # noqa: E731
    assert form("a.csv.gz", delimiter=";", encoding="cp1251") == "CSV with semicolons, gz, cp1251"
    assert form("a.ZIP", sheet="orders.csv", delimiter="\t") == "CSV with tabs, zip, utf-8, orders.csv in it"
    assert form("a.xlsx", sheet="Orders", header=[2, 3]) == "workbook, sheet Orders, header in record 2 and 3"
    assert form("a.txt", header=0, delimiter="~") == "text with '~', utf-8, no header"
    assert form("a.parquet") == "Parquet"
    assert form("a.ndjson.gz") == "JSON lines, gz"
    assert form("a.duckdb", sheet="orders") == "DuckDB, orders in it"
    months = read(path=["a.csv", "b.csv", "c.csv", "d.parquet"])
    assert months["files"] == "a.csv, b.csv and 2 more"
    assert months["read_as"] == "CSV with commas or Parquet, utf-8"


def test_numbers_and_times():
    assert read(decimal=",")["numbers"] == "1 234,50"
    assert read(date_format=["%d.%m.%Y", "excel"])["times"] == "31.12.2026 or Excel's day numbers"
    assert read(date_format={"ordered_at": "epoch_ms"}, time_zone="UTC")["times"] == "milliseconds since 1970; UTC"
    catalogue = {"catalogue": Export.model_validate({"path": "c.csv", "columns": {"product_id": "SKU"}})}
    row = understood.how_read(catalogue, {}).iloc[0]
    assert (row["numbers"], row["times"], row["rows_in"]) == ("none", "none", 0)


def test_an_export_read_as_it_stands_has_no_rule():
    assert told() == []
    assert list(understood.rules({}, {}).columns) == ["table", "rule", "meaning", "rows"]


def test_every_rule_in_words():
    assert told(keep_only={"Kind": ["sale", "*"]}) == ["only records whose Kind is sale, filled"]
    assert told(leave_out={"Tags": ["*test*", ""]}) == ["no records whose Tags is *test*, blank"]
    assert told(not_goods=["DELIVERY"]) == ["lines that sell nothing, by their product_id: DELIVERY"]
    assert told(returns={"order_id_prefix": "C"}) == ["an order number beginning with C is a return"]
    assert told(once_per_order=["customer_id"]) == ["given once an order, and true of all its lines: customer_id"]
    assert told(values={"status": {"done": "completed"}}) == ["status: done = completed"]
    assert told(strip_prefix={"order_id": "'"}, strip_suffix={"customer_id": ".0"}) == [
        "order_id without the leading '",
        "customer_id without the final .0",
    ]
    assert told(lower_case=["customer_id"]) == ["capitals make no difference in customer_id"]
    assert told(currency_column="Cur", rates={"USD": 41.5}) == ["money in the currency that Cur names: USD × 41.5"]
    assert told(duplicates="keep") == ["records that repeat another in every column are kept"]
    join = {"path": "orders.csv", "on": "No", "key": "Id", "delimiter": ";"}
    assert told(join=[join]) == ["beside each record, what orders.csv (CSV with semicolons, utf-8) has for its No = Id"]
    amount = lambda source: told(columns=ORDERS | {"amount": source})  # noqa: E731
    assert amount({"multiply": ["Price", "Pieces"], "minus": ["Off"]}) == ["amount = Price × Pieces − Off"]
    assert amount({"share": "Paid", "by": ["Price"]}) == ["amount = the order's Paid, shared over its lines by Price"]
    assert amount({"share": "Paid"}) == ["amount = the order's Paid, shared over its lines in equal parts"]
    assert amount({"constant": "5"}) == ["amount = 5 in every row"]
    assert told(columns=ORDERS | {"delivered_at": {"after": "Created", "minutes": "Took"}}) == [
        "delivered_at = Created + Took minutes"
    ]
    many = told(not_goods=list("abcdefgh"))
    assert many == ["lines that sell nothing, by their product_id: a, b, c, d, e, f and 2 more"]


def test_rules_say_how_many_records_they_met():
    accounts = {
        "orders": {
            "refused": {"no goods (not_goods in client.yml)": 4, "left out by leave_out (Tags)": 2, "no date": 9},
            "merged": {"ids": 12, "persons": 5},
        }
    }
    exports = {"orders": export(not_goods=["X"], leave_out={"Tags": "x", "Kind": "y"}, duplicates="keep")}
    persons = Persons(path="people.csv", id="Id", person="Mail", lower_case=True)
    frame = understood.rules(exports, accounts, persons=persons)
    assert frame["rule"].to_list() == ["leave_out", "leave_out", "not_goods", "duplicates", "persons"]
    assert frame["rows"].to_list() == [2, 0, 4, pd.NA, 12]
    assert frame["meaning"].iloc[-1] == (
        "Id of one Mail in people.csv are one person, whatever its capitals: 12 ids are 5 persons"
    )


def test_the_least_filled_columns_come_first():
    accounts = {"orders": {"rows_in": 10, "filled": {"order_id": 1.0, "ordered_at": 1.0, "amount": 0.4}}}
    exports = {"orders": export()}
    frame = understood.columns_read(exports, accounts)
    assert frame[["column", "made_from", "filled"]].to_numpy().tolist() == [
        ["amount", "Total", 0.4],
        ["order_id", "No", 1.0],
        ["ordered_at", "Created", 1.0],
    ]
    sentence = understood.describe_read(understood.how_read(exports, accounts), frame, time_zone="Europe/Kyiv")
    assert sentence == (
        "1 table was read from the client's files: 10 rows, 3 columns. Times that name no zone are those of "
        "Europe/Kyiv. 1 of the columns is empty in more than half of the rows: orders.amount."
    )


def test_a_survey_of_questions_names_its_score():
    survey = {
        "path": "s.csv",
        "columns": {"answered_at": "When"},
        "questions": {"Q1": {"metric": "nps"}, "Q2": {"metric": "csat"}},
    }
    exports = {"surveys": Export.model_validate(survey)}
    frame = understood.columns_read(exports, {})
    assert frame.set_index("column")["made_from"].to_dict() == {"answered_at": "When", "score": "Q1, Q2"}
    assert understood.rules(exports, {})["meaning"].to_list() == ["a record becomes an answer to each of 2 questions"]


def test_columns_that_nothing_was_read_from():
    many = [f"c{i:02}" for i in range(12)]
    left = understood.columns_left({"orders": {"not_read": {"a.csv": ["Notes"], "b.csv": many}}, "surveys": {}})
    assert left.values.tolist() == [
        ["orders", "a.csv", 1, "Notes"],
        ["orders", "b.csv", 12, ", ".join(many[:10]) + " and 2 more"],
    ]
