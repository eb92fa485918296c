"""What client.yml maps to: every fault of it told together."""

import pytest
from sources_client import ORDERS, make_client, orders_export, settings

from cxkit.errors import UsageError
from cxkit.mapping_checks import check_mapping, given

AT = {"answered_at": "At"}


def faults(folder, **tables):
    client = make_client(folder, settings(**tables), x_csv="a\n", orders_csv="a\n")
    try:
        check_mapping(client)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"strip_prefix": {"order_id": "'"}, "lower_case": ["customer_id"], "once_per_order": ["customer_id"]}, ""),
        ({"lower_case": ["ordered_at"]}, "tables.orders.lower_case: ordered_at is no text; it is time."),
        ({"lower_case": ["coupon"]}, "tables.orders.lower_case.coupon: the column is not mapped"),
        ({"strip_prefix": {"ordr_id": "x"}}, "strip_prefix.ordr_id: unknown column, did you mean 'order_id'?"),
        ({"once_per_order": ["channel"]}, "tables.orders.once_per_order.channel: the column is not mapped"),
        ({"date_format": {"amount": "iso"}}, "tables.orders.date_format.amount: amount is no time; it is money."),
        ({"date_format": {"promised_at": "iso"}}, "date_format.promised_at: the column is not mapped"),
        ({"date_format": "%d.%m.%Y %K %n"}, "holds %K, %n; known are %d %m"),
        ({"date_format": "%d.%-m.%m.%y %-I:%M %p"}, ""),
        ({"columns": ORDERS | {"status": {"constant": "paid"}}}, "columns.status: 'paid' unknown; valid are completed"),
        ({"columns": ORDERS | {"status": {"constant": "paid"}}, "values": {"status": {"paid": "completed"}}}, ""),
        ({"columns": ORDERS | {"status": "S"}, "values": {"status": {"odd": ""}}}, ""),
        ({"columns": ORDERS | {"product": {"share": "Sum"}}}, "columns.product: only money of orders is shared out"),
        ({"columns": ORDERS | {"channel": {"multiply": ["a"]}}}, "columns.channel: only numbers are multiplied"),
        (
            {"columns": ORDERS | {"amount": {"multiply": ["a"]}}, "values": {"amount": {"free": "0"}}},
            "values.amount: a product takes no values",
        ),
        (
            {"columns": ORDERS | {"coupon": {"after": "a", "minutes": "b"}}},
            "columns.coupon: only a time is so",
        ),
        ({"leave_out": {"Tags": []}}, "tables.orders.leave_out.Tags: no pattern"),
        ({"keep_only": {"Tags": ["a*b"]}}, "keep_only.Tags: in 'a*b' a * stands inside"),
        ({"questions": {"Q": {"metric": "nps"}}}, "tables.orders.questions: they belong to surveys only"),
        ({"rates": {"EUR": 45}}, "tables.orders.rates: say which column holds the currency"),
    ],
)
def test_keys_of_orders(tmp_path, more, told):
    found = faults(tmp_path, orders=orders_export(**more))
    assert told in found if told else not found, found


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"questions": {"Q": {"metric": "nps"}}, "columns": AT}, ""),
        (
            {"questions": {"Q": {"metric": "npss"}}, "columns": AT},
            "Q.metric: 'npss' unknown, did you mean 'nps'",
        ),
        ({"questions": {"Q": {"metric": "csi_item"}}, "columns": AT}, "questions.Q: csi_item needs the item"),
        ({"questions": {"Q": {"metric": "csi_item", "item": "site"}}, "columns": AT}, ""),
        ({"questions": {"Q": {"metric": "nps"}}, "columns": AT | {"score": "S"}}, "columns.score: it is told by"),
        ({"columns": AT}, "table 'surveys' lacks 'metric', 'score'; it has 'answered_at'"),
        ({"columns": AT | {"metric": {"constant": "NPS"}, "score": "S"}}, ""),
        (
            {"columns": AT | {"metric": "M", "score": "S"}, "once_per_order": ["score"]},
            "once_per_order belongs",
        ),
        (
            {"questions": {q: {"metric": "nps"} for q in "QR"}, "columns": AT | {"comment": "C"}},
            "columns.comment: it is told by tables.surveys.questions",
        ),
    ],
)
def test_keys_of_surveys(tmp_path, more, told):
    found = faults(tmp_path, surveys={"path": "x.csv", **more})
    assert told in found if told else not found, found


def test_faults_of_several_tables_are_told_together(tmp_path):
    found = faults(tmp_path, orders=orders_export(lower_case=["amount"]), surveys={"path": "x.csv", "columns": AT})
    assert "tables.orders.lower_case" in found
    assert "table 'surveys' lacks" in found


def test_what_an_export_gives(tmp_path):
    asked = {"Q": {"metric": "nps", "comment": "Why"}, "R": {"metric": "csi_item", "item": "site"}}
    wanted = settings(surveys={"path": "x.csv", "columns": AT, "questions": asked})
    client = make_client(tmp_path, wanted, x_csv="a\n")
    assert given(client.tables["surveys"]) == ["metric", "score", "item", "comment", "answered_at"]
