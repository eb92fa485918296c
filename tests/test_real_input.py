"""The door held against real exports (with CXKIT_DATA=…; skipped without)."""

import json
import os
import subprocess
import sys
from datetime import date

import pandas as pd
import pytest
from html_elements import Elements
from real_clients import NEEDS, online_retail, rfm_joaolcorreia, shared_data

from cxkit import sources

pytestmark = pytest.mark.skipif(not os.environ.get("CXKIT_DATA"), reason=NEEDS)


@pytest.fixture(scope="module")
def uci(tmp_path_factory):
    home = tmp_path_factory.mktemp("uci") / "data"
    home.mkdir()
    loaded = sources.load(online_retail(home))
    return loaded, pd.read_parquet(loaded.tables["orders"])


def test_every_line_of_online_retail_is_accounted_for(uci):
    loaded, orders = uci
    account = loaded.accounts["orders"]
    assert account["rows_in"] == 541_909
    assert account["kept"] + sum(account["refused"].values()) == 541_909
    assert account["seen"]["marked_as_returns"] == 9_288
    assert account["seen"]["customers"] == 4_372
    assert account["seen"]["without_customer"] == 135_080
    assert account["seen"]["exact_duplicates"] == 5_268
    assert account["refused"]["exact duplicate of an earlier record"] == 5_268
    assert len(orders) == account["kept"] - account["netted"]
    assert loaded.as_of == date(2011, 12, 9)


def test_no_money_of_online_retail_is_lost_in_the_netting(uci):
    loaded, orders = uci
    raw = pd.read_csv(shared_data() / "uci_online_retail/online_retail.csv.gz", dtype=str, keep_default_na=False)
    raw = raw.drop_duplicates()
    from cxkit.client import load_client

    rules = load_client(loaded.refused_dir.parents[1]).tables["orders"]
    raw = raw[~raw.StockCode.isin(rules.not_goods)]
    money = (raw.Quantity.astype(float) * raw.UnitPrice.astype(float)).round(4)
    assert (orders.amount - orders.refund).sum() == pytest.approx(money.sum(), abs=0.01)
    assert orders.amount.sum() == pytest.approx(money[money > 0].sum(), abs=0.01)
    assert orders.refund.min() == 0
    assert set(orders.status) == {"completed", "returned", "partly_returned"}
    assert orders[orders.status == "completed"].refund.sum() == 0


def test_the_refused_rows_of_online_retail_name_the_records(uci):
    loaded, _ = uci
    refused = pd.read_csv(loaded.refused_dir / "orders.csv", dtype=str, keep_default_na=False)
    assert len(refused) == sum(loaded.accounts["orders"]["refused"].values())
    raw = pd.read_csv(shared_data() / "uci_online_retail/online_retail.csv.gz", dtype=str, keep_default_na=False)
    posted = refused[refused.value == "POST"]
    assert (raw.StockCode.iloc[posted.record.astype(int) - 1] == "POST").all()


def test_online_retail_from_the_command_to_its_pages(uci, tmp_path):
    """The whole audit of what was read above: every line is told of, the pages name the customers that it rests on."""
    home = uci[0].refused_dir.parents[1]
    command = [sys.executable, "-m", "cxkit", "run", str(home / "client.yml"), "--out", str(tmp_path / "reports")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    latest = tmp_path / "reports" / "online-retail" / "latest"
    assert done.stdout.splitlines()[0] == str(latest.resolve() / "index.html")
    run = json.loads((latest / "run.json").read_text(encoding="utf-8"))
    account = run["tables"]["orders"]
    assert (run["status"], account["rows_in"]) == ("done", 541_909)
    assert account["kept"] + sum(account["refused"].values()) == 541_909
    told = {notebook["name"]: notebook["status"] for notebook in run["notebooks"]}
    lacking = {"05_feedback", "06_search"}  # nobody was asked, and no search was logged
    assert {name for name, status in told.items() if status == "not assessed"} == lacking
    assert {told[name] for name in set(told) - lacking} == {"done"}
    assert run["basis"]["customers"] == 4_334
    pages = {page.stem: Elements(page.read_text(encoding="utf-8")).text for page in latest.glob("*.html")}
    assert set(pages) == {"index", *set(told) - lacking}
    assert "541,909" in pages["00_data_quality"]
    assert [name for name, text in pages.items() if "4,334 customers" not in text] == ["09_maturity"]
    assert "no answer to a checklist" in pages["09_maturity"]  # it rests on what people answered


def test_mac_roman_with_lone_carriage_returns(tmp_path):
    loaded = sources.load(rfm_joaolcorreia(tmp_path))
    account = loaded.accounts["orders"]
    assert (account["rows_in"], account["kept"], account["seen"]["customers"]) == (5_009, 5_009, 793)
    orders = pd.read_parquet(loaded.tables["orders"])
    assert orders.order_id.nunique() == 5_009
    assert orders.customer_id.nunique() == 793
    assert {str(orders.ordered_on.min())[:10], str(orders.ordered_on.max())[:10]} == {"2011-01-04", "2014-12-31"}
