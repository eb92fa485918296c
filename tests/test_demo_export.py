"""The raw files look as a shop's, a help desk's and a survey tool's do, and the kit's door reads them as planted."""

import pandas as pd
import pytest
from demo_raw import DEMO, raw, truth

from cxkit.client import load_client
from cxkit.demo_export import BROKEN, STATUS


def test_columns_are_the_shop_s_own_and_not_the_kit_s():
    canonical = {"order_id", "customer_id", "ordered_at", "amount", "touchpoint", "occurred_at", "score", "reason"}
    for table in ("orders", "customers", "events", "surveys", "contacts", "searches", "reviews", "invitations"):
        assert not canonical & set(raw(table).columns), table


def test_every_status_has_its_word_and_its_mapping():
    client = load_client(DEMO)
    assert set(raw("orders")["Status"]) == set(STATUS.values())
    assert set(client.tables["orders"].values["status"]) == set(STATUS.values())


def test_no_broken_date_is_a_date_in_any_of_the_formats():
    for pattern in ("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "ISO8601"):
        assert pd.to_datetime(pd.Series(BROKEN), format=pattern, errors="coerce").isna().all()


def test_the_door_keeps_and_refuses_as_planted(loaded_demo):
    planted = truth()["dirt"]
    assert str(loaded_demo.as_of) == "2026-06-30"
    assert loaded_demo.missing == []
    for table, account in loaded_demo.accounts.items():
        assert account["rows_in"] == account["kept"] + sum(account["refused"].values()) == len(raw(table)), table
    refused = loaded_demo.accounts["orders"]["refused"]
    n = loaded_demo.accounts["orders"]["rows_in"]
    assert sum(refused.values()) / n < 0.05
    reasons = {"duplicate": planted["duplicates"], "not readable": planted["broken_dates"], "no goods": None}
    for word, share in reasons.items():
        count = sum(v for k, v in refused.items() if word in k)
        assert count > 50, word
        assert share is None or count / n == pytest.approx(share, abs=0.003), word
    for table in ("customers", "catalogue", "reviews", "invitations"):
        assert loaded_demo.accounts[table]["refused"] == {}, table
    for table in ("events", "searches", "surveys", "contacts"):
        assert 0 < sum(loaded_demo.accounts[table]["refused"].values()) / len(raw(table)) < 0.02, table


def test_the_door_tells_of_unknown_customers(loaded_demo):
    notes = " ".join(loaded_demo.accounts["orders"]["notes"])
    assert "without a customer" in notes
    assert "customers lacks" in notes


def test_no_address_reaches_a_canonical_table(loaded_demo):
    for name, path in loaded_demo.tables.items():
        frame = pd.read_parquet(path)
        texts = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
        for column in texts:
            assert not frame[column].astype(str).str.contains("example.com", regex=False).any(), (name, column)
