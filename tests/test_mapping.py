"""How one table's export is to be read: the keys, what they take, what is told of a wrong one."""

import pytest
from sources_client import ORDERS, make_client, orders_export, settings

from cxkit.errors import UsageError
from cxkit.mapping import After, Constant, Multiply, Shared, raw_of


def test_a_column_is_a_name_a_product_a_constant_a_later_time_or_a_share(tmp_path):
    columns = ORDERS | {
        "amount": {"multiply": ["Price", "Qty"], "minus": "Less"},
        "channel": {"constant": "web"},
        "delivered_at": {"after": "Date", "minutes": "Took"},
        "refund": {"share": "Refunded", "by": ["Price", "Qty"]},
    }
    client = make_client(tmp_path, settings(orders=orders_export(columns=columns)), orders_csv="x\n")
    read = client.tables["orders"].columns
    assert read["amount"] == Multiply(multiply=("Price", "Qty"), minus=("Less",))
    assert read["channel"] == Constant(constant="web")
    assert read["delivered_at"] == After(after="Date", minutes="Took")
    assert read["refund"] == Shared(share="Refunded", by=("Price", "Qty"))
    assert raw_of(read["amount"]) == ("Price", "Qty", "Less")
    off = {"multiply": "Price", "minus": {"share": "Off", "by": "Price"}}
    client = make_client(tmp_path, settings(orders=orders_export(columns=ORDERS | {"amount": off})), orders_csv="x\n")
    off = client.tables["orders"].columns["amount"]
    assert (off.minus, raw_of(off)) == ((Shared(share="Off", by=("Price",)),), ("Price", "Off", "Price"))
    assert raw_of(read["delivered_at"]) == ("Date", "Took")
    assert (raw_of(read["channel"]), raw_of("Date")) == ((), ("Date",))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"columns": ORDERS | {"amount": {"multply": ["a", "b"]}}}, "tables.orders.columns.amount"),
        ({"columns": ORDERS | {"amount": {"multiply": ["a"], "minsu": ["b"]}}}, "unknown key, did you mean 'minus'"),
        (
            {"columns": ORDERS | {"amount": {"multiply": ["a"], "minus": [{"shares": "b"}]}}},
            "unknown key, did you mean 'share'",
        ),
        ({"date_format": "%d.%m"}, "needs a year"),
        ({"date_format": {"ordered_at": ["unix"]}}, "or is one of iso, excel, epoch_s"),
        ({"header": [2, 1]}, "must rise"),
        ({"encoding": "cp9999"}, "the encoding 'cp9999' is unknown"),
        ({"time_zone": "Kyiv"}, "the time zone 'Kyiv' is unknown"),
        ({"join": [{"path": "lines.csv", "on": "Order"}]}, "tables.orders.join.0.path: there is no file 'lines.csv'"),
    ],
)
def test_a_wrong_key_is_named_with_what_is_valid(tmp_path, more, told):
    with pytest.raises(UsageError) as error:
        make_client(tmp_path, settings(orders=orders_export(**more)), orders_csv="x\n")
    assert told in str(error.value)


def test_a_format_is_the_tables_or_the_columns_own(tmp_path):
    formats = {"ordered_at": "%d.%m.%Y", "promised_at": ["iso", "epoch_s"]}
    client = make_client(tmp_path, settings(orders=orders_export(date_format=formats)), orders_csv="x\n")
    orders = client.tables["orders"]
    assert orders.formats("ordered_at") == ("%d.%m.%Y",)
    assert orders.formats("promised_at") == ("iso", "epoch_s")
    assert orders.formats("delivered_at") == ()


def test_lines_to_be_filled_in_are_told_together_with_their_numbers(tmp_path):
    wanted = settings(orders=orders_export(date_format={"ordered_at": "???"}, columns=ORDERS | {"amount": "???"}))
    with pytest.raises(UsageError) as error:
        make_client(tmp_path, wanted | {"currency": "???"}, orders_csv="x\n")
    told = str(error.value)
    assert "3 of its lines are still to be filled in" in told
    assert "line 2: currency" in told
    assert "tables.orders.columns.amount" in told
