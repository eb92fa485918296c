"""From a pseudonym back to the client's own ids."""

import pandas as pd
import pytest
from sources_client import make_client, orders_export, settings

from cxkit import sources
from cxkit.errors import UsageError
from cxkit.reveal import own_ids

ORDERS_CSV = (
    "Order,Customer,Date,Total,Qty,SKU\n1,a.0,2024-03-01,10,1,X\ntorn\n2,b.0,2024-03-02,20,2,Y\n"
    "3,c.0,2024-03-05,30,3,X\n4,,2024-03-05,30,3,X\n5,b.0,2024-03-05,30,3,X\n6,e.0,2024-03-05,0,3,X\n"
)
WANTED = settings(
    orders=orders_export(strip_suffix={"customer_id": ".0"}),
    customers={"path": "customers.csv", "columns": {"customer_id": "ID", "referred_by": "By"}, "max_refused_share": 1},
)
FILES = {"orders_csv": ORDERS_CSV, "customers_csv": "ID,By\nc,a\na,\n"}


def test_a_pseudonym_is_turned_back_into_every_id_of_the_person(tmp_path):
    wanted = {**WANTED, "persons": {"path": "persons.csv", "id": "id", "person": "who"}}
    client = make_client(tmp_path, wanted, **FILES, persons_csv="id,who\na,P\nb,P\nz,P\n")
    loaded = sources.load(client)
    orders = pd.read_parquet(loaded.tables["orders"])
    before = sorted(p for p in tmp_path.rglob("*"))
    pa, _, pc = orders.customer_id[:3]
    found = own_ids(client, [pc, pa.upper(), pc])
    assert found.values.tolist() == [
        [pc, "orders", "c", "orders.csv", 4],
        [pc, "customers", "c", "customers.csv", 1],
        [pa, "orders", "a", "orders.csv", 1],
        [pa, "orders", "b", "orders.csv", 3],
        [pa, "customers", "a", "customers.csv", 1],
        [pa, "persons", "a", "persons.csv", 1],
        [pa, "persons", "b", "persons.csv", 2],
        [pa, "persons", "z", "persons.csv", 3],
    ]
    assert sorted(p for p in tmp_path.rglob("*")) == before  # nothing is kept


def test_who_is_nobody_is_named_and_no_key_is_made(tmp_path):
    client = make_client(tmp_path, settings(orders=WANTED["tables"]["orders"]), orders_csv=ORDERS_CSV)
    with pytest.raises(UsageError, match=r"there is no key .*key: pseudonyms are made with it"):
        own_ids(client, ["abc"])
    assert not (tmp_path / "private" / "key").exists()
    known = pd.read_parquet(sources.load(client).tables["orders"]).customer_id[0]
    with pytest.raises(UsageError, match=r"nobody in its exports has the pseudonyms nobody2, =y\. Copy them whole"):
        own_ids(client, [known, "nobody2", "=y"])
    assert own_ids(client, [known]).own_id.tolist() == ["a"]


def test_ids_are_told_with_the_capitals_of_the_file(tmp_path):
    export = orders_export(lower_case=["customer_id"])
    customers = {**WANTED["tables"]["customers"], "lower_case": ["customer_id", "referred_by"]}
    rows = "Order,Customer,Date,Total,Qty,SKU\n1,Ann@x.pl,2024-03-01,10,1,X\n2,ANN@x.pl,2024-03-01,10,1,X\n"
    client = make_client(
        tmp_path, settings(orders=export, customers=customers), orders_csv=rows, customers_csv="ID,By\nC,D\n"
    )
    known = pd.read_parquet(sources.load(client).tables["orders"]).customer_id
    assert known.nunique() == 1
    found = own_ids(client, [known[0]])
    assert found[["own_id", "record"]].values.tolist() == [["ANN@x.pl", 2], ["Ann@x.pl", 1]]
    assert found.record.dtype == "int64"
