"""A raw cell's way to a value: its ends stripped as declared, its words mapped, its type."""

import pandas as pd

from cxkit import cells, engine
from cxkit.mapping import Export
from cxkit.tables import TABLES

CON = engine.connect()
CUSTOMERS, SEARCHES = TABLES["customers"].columns, TABLES["searches"].columns


def read(texts, column, **settings):
    export = Export(path=["x.csv"], columns={column.name: "A"}, **settings)
    table = engine.keep_frame(CON, "raw", pd.DataFrame({"raw": texts}), types={"raw": "string"})
    shaped = engine.barrier(table.select(raw=cells.shaped(table.raw, column, export)))
    found = shaped.select(value=cells.value(shaped.raw, column, export)).to_pandas().value
    return [None if pd.isna(value) else value for value in found]


def test_ends_are_stripped_once_and_only_where_declared():
    texts = ["'0017.0", " '17.0 ", "17.00", "'", "x'1", "' 5 .0"]
    assert read(texts, CUSTOMERS["customer_id"]) == [text.strip() for text in texts]
    strips = {"strip_prefix": {"customer_id": "'"}, "strip_suffix": {"customer_id": ".0"}}
    assert read(texts, CUSTOMERS["customer_id"], **strips) == ["0017", "17", "17.00", None, "x'1", "5"]
    special = {"strip_prefix": {"customer_id": "(a|b).*"}}
    assert read(["(a|b).*7", "a7"], CUSTOMERS["customer_id"], **special) == ["7", "a7"]


def test_words_are_mapped_as_they_stand_and_one_mapped_to_nothing_is_blank():
    words = {"values": {"country": {"UA": "Ukraine", "-": ""}}, "lower_case": ["country"]}
    assert read(["UA", "ua", "-", "", "PL"], CUSTOMERS["country"], **words) == ["ukraine", "ua", None, None, "pl"]


def test_yes_no_and_whole_numbers():
    assert read(["Так", "no", "maybe", "1", ""], CUSTOMERS["email_consent"]) == [True, False, None, True, None]
    assert read(["7", "7.0", "7.5", "1e30", "1 000"], SEARCHES["results"]) == [7, 7, None, None, 1000]
