"""Clients over the shared real data; a test that needs them skips, saying so, where CXKIT_DATA is not set."""

import os
import shutil
from pathlib import Path

import pytest

from cxkit.client import Client, load_client

NEEDS = "CXKIT_DATA is not set: no real data to read (see data/online-retail/client.yml)"

RFM_JOAOLCORREIA = """\
client: RFM sample
currency: USD
time_zone: UTC
as_of: 2014-12-31
tables:
  orders:
    path: ${CXKIT_DATA}/rfm_joaolcorreia/sample-orders.csv
    encoding: mac_roman      # lone carriage returns end its lines, too
    date_format: "%m/%d/%y"
    columns: {order_id: order_id, customer_id: customer, ordered_at: order_date, amount: grand_total}
"""

RETENTIONEERING_ECOM = """\
client: Click-stream sample
currency: EUR
time_zone: UTC
tables:
  events:
    path: ${CXKIT_DATA}/retentioneering_ecom/ecom.csv.gz
    columns: {session_id: session_id, customer_id: user_id, occurred_at: timestamp, touchpoint: event,
              channel: platform, source: acquisition_channel}
    duplicates: keep     # two touches may fall on one second
"""


def shared_data() -> Path:
    """The folder of the shared data; skips the test where there is none."""
    if not os.environ.get("CXKIT_DATA"):
        pytest.skip(NEEDS)
    return Path(os.environ["CXKIT_DATA"])


def online_retail(folder: Path) -> Client:
    """UCI Online Retail by the committed client.yml, its private files in `folder`."""
    shared_data()
    home = folder / "online-retail"
    home.mkdir()
    shutil.copyfile(Path(__file__).parents[1] / "data/online-retail/client.yml", home / "client.yml")
    return load_client(home)


def rfm_joaolcorreia(folder: Path) -> Client:
    """The orders behind a published RFM table of 793 customers."""
    shared_data()
    home = folder / "rfm-sample"
    home.mkdir()
    (home / "client.yml").write_text(RFM_JOAOLCORREIA, encoding="utf-8")
    return load_client(home)


def retentioneering_ecom(folder: Path) -> Client:
    """A made-up shop's click-stream of 600 users, events alone."""
    shared_data()
    home = folder / "ecom"
    home.mkdir()
    (home / "client.yml").write_text(RETENTIONEERING_ECOM, encoding="utf-8")
    return load_client(home)
