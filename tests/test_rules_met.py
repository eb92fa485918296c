"""How many records each entry of the client's rules meets, and which meet none."""

from sources_client import load_orders

from cxkit import understood
from cxkit.client import load_client

HEADER = "Order,Customer,Date,Total,Qty,SKU,Tags,State"
ROWS = [
    "1,a,2024-03-01,10,1,X,vip,paid",
    "2,b,2024-03-02,20,2,SHIP,,paid",
    "3,c,2024-03-02,30,1,Y,Test 1,Zwrot",
    "4,d,2024-03-02,30,1,Y,old,paid",
]


def test_each_entry_is_counted_and_one_that_meets_nothing_is_told(tmp_path):
    rules = {
        "not_goods": ["SHIP", "CARD100"],
        "leave_out": {"Tags": ["*test*", "old", "*testowe*"]},
        "keep_only": {"State": ["*"]},
        "values": {"status": {"paid": "completed", "Zwrot": "returned", "void": "cancelled", "gone": ""}},
        "columns": {
            **{"order_id": "Order", "customer_id": "Customer", "ordered_at": "Date", "amount": "Total"},
            **{"product_id": "SKU", "status": "State"},
        },
    }
    loaded, orders = load_orders(tmp_path, *ROWS, header=HEADER, **rules)
    account = loaded.accounts["orders"]
    assert account["met"] == {
        "keep_only.State": {"*": 4},
        "leave_out.Tags": {"*test*": 1, "old": 1, "*testowe*": 0},
        "not_goods": {"SHIP": 1, "CARD100": 0},
        "values.status": {"paid": 3, "Zwrot": 1, "void": 0, "gone": 0},
    }
    assert account["notes"][:3] == [
        "leave_out.Tags: '*testowe*' matches no record.",
        "not_goods: 'CARD100' matches no record.",
        "values.status: 'void', 'gone' match no record.",
    ]
    assert orders.order_id.tolist() == ["1"]
    told = understood.rules(load_client(tmp_path).tables, loaded.accounts).meaning.tolist()
    assert told[:3] == [
        "only records whose State is filled (4)",
        "no records whose Tags is *test* (1), old (1), *testowe* (0)",
        "lines that sell nothing, by their product_id: SHIP (1), CARD100 (0)",
    ]
    assert told[-1] == "status: paid = completed (3), Zwrot = returned (1), void = cancelled (0), gone = nothing (0)"


def test_without_rules_nothing_is_told(tmp_path):
    loaded, _ = load_orders(tmp_path, "1,a,2024-03-01,10,1,X,,", header=HEADER)
    assert (loaded.accounts["orders"]["met"], loaded.accounts["orders"]["notes"]) == ({}, [])
