"""Which customer ids are one person: through the door, on tables checkable by eye."""

import pandas as pd
import pytest
from sources_client import adds_up, make_client, orders_export, refused, settings

from cxkit import sources
from cxkit.errors import DataError

ORDERS_CSV = (
    "Order,Customer,Date,Total,Qty,SKU\n"
    "1,a,2024-03-01,10,1,X\n2,b,2024-03-02,20,2,Y\n3,c,2024-03-05,30,3,X\n4,,2024-03-05,30,3,X\n5,d,2024-03-05,5,1,X\n"
)
PEOPLE_CSV = "ID,City,By\na,Kyiv,\nb,Lviv,c\nd,Odesa,b\na,Kyiv again,\nb,Lviv again,\n"
CUSTOMERS = {
    "path": "customers.csv",
    "columns": {"customer_id": "ID", "city": "City", "referred_by": "By"},
    "max_refused_share": 1.0,
}


def merged(folder, persons_csv: str | bytes, **more):
    wanted = settings(orders=orders_export(), customers=CUSTOMERS)
    wanted["persons"] = {"path": "persons.csv", "id": "id", "person": "who", **more}
    client = make_client(folder, wanted, orders_csv=ORDERS_CSV, customers_csv=PEOPLE_CSV, persons_csv=persons_csv)
    loaded = sources.load(client)
    return loaded, *(pd.read_parquet(loaded.tables[t]) for t in ("orders", "customers"))


def test_ids_of_one_person_are_one_customer_everywhere(tmp_path):
    loaded, orders, customers = merged(tmp_path, "id,who\na,P\nb, P \nc,Q\n,Z\ne,\n")
    a, b, c, nobody, d = orders.customer_id
    assert a == b != c
    assert pd.isna(nobody)
    assert d not in (a, c)
    assert customers.city.tolist() == ["Kyiv", "Odesa"]
    assert customers.customer_id.tolist() == [a, d]
    assert customers.referred_by.iloc[1] == a  # d came by b, who is a
    adds_up(loaded)
    account = loaded.accounts["customers"]
    assert account["refused"] == {
        "customer_id stands in an earlier record": 2,
        "same person as an earlier record (persons)": 1,
    }
    assert account["left_out"] == 1  # by the client's own file
    assert account["merged"] == {"ids": 3, "persons": 2}
    assert loaded.accounts["orders"]["merged"] == {"ids": 4, "persons": 3}
    assert account["notes"][:2] == [
        "3 customer ids are 2 persons (persons.csv).",
        "1 customer ids of customers have no person in persons.csv: each stays its own.",
    ]
    assert "1 records of persons.csv have no id and say nothing." in account["notes"]
    assert "1 records of persons.csv name no person and say nothing." in account["notes"]
    told = refused(loaded, "customers")
    assert told[["record", "value"]].values.tolist() == [["2", "b"], ["4", "a"], ["5", "b"]]


def test_a_person_told_by_an_e_mail_has_no_capitals(tmp_path):
    _, orders, _ = merged(tmp_path, "id,who\na,Ann@X.example\nb,ann@x.example \n", lower_case=True)
    assert orders.customer_id[0] == orders.customer_id[1]
    _, orders, _ = merged(tmp_path / "b", "id,who\na,Ann@X.example\nb,ann@x.example \n")
    assert orders.customer_id[0] != orders.customer_id[1]


def test_an_id_with_two_persons_is_a_fault_told_by_its_records(tmp_path):
    with pytest.raises(DataError) as error:
        merged(tmp_path, "id,who\na,P\nb,P\na,P\ntorn\na,Q\nb,R\nc,Q\nc,q\n")
    assert "persons, file persons.csv: 3 ids have two persons or more (records 1 and 5; records 2 and 6; records 7 and"
    assert "3 ids have two persons or more (records 1 and 5; records 2 and 6; records 7 and 8)" in str(error.value)
    assert "under persons.person in client.yml" in str(error.value)
    _, orders, _ = merged(tmp_path / "b", "id,who\na,P\na,p\n", lower_case=True)
    assert orders.customer_id.nunique() == 4


def test_a_person_who_is_an_id_of_another_is_taken_by_name_and_told(tmp_path):
    """a -> b while b -> c: an id becomes what its own record names, and no further."""
    loaded, orders, _ = merged(tmp_path, "id,who\na,b\nb,c\nc,c\n")
    a, b, c = orders.customer_id[:3]
    assert b == c != a
    assert "1 persons of persons.csv stand there as ids of yet another person." in " ".join(
        loaded.accounts["customers"]["notes"]
    )


def test_the_faults_of_the_persons_file_are_told_with_the_tables(tmp_path):
    with pytest.raises(DataError) as error:
        merged(tmp_path, "nr,whom\n1,2\n")
    assert str(error.value).startswith("persons, file persons.csv: no column 'id'")
    assert "no column 'who', did you mean 'whom'? It is mapped under persons.person" in str(error.value)


def test_each_id_its_own_person(tmp_path):
    """One column for both: nothing is merged."""
    loaded, orders, _ = merged(tmp_path, "id,who\na,P\nb,P\n", person="id")
    assert orders.customer_id.nunique() == 4
    assert loaded.accounts["orders"]["merged"] == {"ids": 4, "persons": 4}


def test_without_a_customers_table(tmp_path):
    wanted = settings(orders=orders_export())
    wanted["persons"] = {"path": "persons.csv", "id": "id", "person": "who"}
    client = make_client(tmp_path, wanted, orders_csv=ORDERS_CSV, persons_csv="id,who\na,P\nb,P\nP,Z\n")
    loaded = sources.load(client)
    assert pd.read_parquet(loaded.tables["orders"]).customer_id.nunique() == 3
    assert "stand there as ids of yet another person" in " ".join(loaded.accounts["orders"]["notes"])
