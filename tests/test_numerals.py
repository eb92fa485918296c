"""Numbers and money, by the declared decimal mark and currency: read right, or not at all."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cxkit import engine, numerals
from cxkit.currencies import codes_by_mark, marks_of

CON = engine.connect()


def read(texts, decimal, *, currency="PLN", percent=False, type="string"):
    """text -> (number, amount, whether it is in another currency)"""
    table = engine.keep_frame(CON, "texts", pd.DataFrame({"raw": texts}), types={"raw": type})
    parts = table.mutate(number=numerals.number(table.raw, decimal, percent=percent), marked=numerals.marked(table.raw))
    parts = engine.barrier(parts)
    amount, other = numerals.money(parts.number, parts.marked, decimal, currency=currency)
    frame = parts.select("number", amount=amount, other=other).to_pandas()
    plain = frame.astype(object).where(frame.notna(), None)
    return list(plain.itertuples(index=False, name=None))


POINT = {
    "1234.5": 1234.5,
    "1,234.5": 1234.5,
    "1 234.5": 1234.5,
    "1\u00a0234\u202f567": 1_234_567.0,
    "1'234.50": 1234.5,
    "−12": -12.0,
    "1.5e3": 1500.0,
    "00012": 12.0,
    ".5": 0.5,
    "1,234": 1234.0,
    "12,5": None,
    "0,123": None,  # no thousands begin with a nought: a decimal comma
    "1.234.567,89": None,
    "1 234'567": None,
    "12 34": None,
    "1,23,456": None,
    "1_000": None,
    "0x10": None,
    "٣٤": None,
    "--5": None,
    "1e999": None,
    "nan": None,
    "12.-": None,
    "85 %": None,
}
COMMA = {"1.234.567,89": 1_234_567.89, "1,5e3": 1500.0, "0,123": 0.123, "12.5": None, "1,234,5": None, ",5": 0.5}


@pytest.mark.parametrize(("decimal", "wanted"), [(".", POINT), (",", COMMA)])
def test_numbers(decimal, wanted):
    assert {t: n for t, (n, _, _) in zip(wanted, read(list(wanted), decimal), strict=True)} == wanted


def test_a_percentage_is_a_number_but_no_money():
    assert read(["85 %", "85%", "8,5 %"], ",", percent=True) == [(85.0,) * 2 + (False,)] * 2 + [(8.5, 8.5, False)]
    assert read(["85 %"], ",") == [(None, None, False)]


MONEY = {
    "1 234,56 zł": (1234.56, False),
    "-1\u00a0234,5\u00a0zł": (-1234.5, False),
    "zł 5": (5.0, False),
    "PLN 1.234,50": (1234.5, False),
    "-zł5": (-5.0, False),
    "zł-5": (-5.0, False),
    "(12,50)": (-12.5, False),
    "(12,50 zł)": (-12.5, False),
    "zł (12,50)": (-12.5, False),
    "(-5)": (None, False),
    "-(5)": (None, False),
    "₴ 100": (None, True),
    "100 грн.": (None, True),
    "5 €": (None, True),
    "$5.00 USD": (None, True),
    "USD 5 zł": (None, True),
    "5 pcs": (None, False),
    "12,-": (None, False),
    "zł": (None, False),
    "5 zł zł": (None, False),
    "5|zł|": (None, False),
    "a|b|c": (None, False),
    "12.50 zł": (None, False),
}


def test_money_bears_its_own_currencys_mark_or_is_not_read():
    found = {text: row[1:] for text, row in zip(MONEY, read(list(MONEY), ","), strict=True)}
    assert found == MONEY


def test_a_mark_of_several_currencies_is_the_clients_own():
    assert [row[1:] for row in read(["$ 5", "kr 5", "C$5"], ".", currency="CAD")] == [
        (5, False),
        (None, True),
        (5, False),
    ]
    assert read(["5 XAF"], ".", currency="XAF") == [(None, 5.0, False)]
    assert codes_by_mark(["USD", "CAD"]).get("$") is None
    assert marks_of("uah")[:2] == ("uah", "₴")


def test_a_cell_that_tells_a_currency():
    cells = ["PLN", "pln", "zł", "12,50 zł", "₴", "грн.", "$", "EUR", "5"]
    table = engine.keep_frame(CON, "codes", pd.DataFrame({"raw": cells}), types={"raw": "string"})
    found = table.select(code=numerals.currency_code(table.raw, ["PLN", "UAH", "USD", "CAD"])).to_pandas().code
    assert found.tolist() == ["PLN", "PLN", "PLN", "PLN", "UAH", "UAH", "$", "EUR", "5"]


def test_whole_numbers_become_texts_without_decimals():
    for kind in ("float64", "decimal(12, 2)"):
        table = engine.keep_frame(CON, "ids", pd.DataFrame({"raw": [17850.0, 0.5, -3.0]}), types={"raw": "float64"})
        assert table.select(t=numerals.as_text(table.raw.cast(kind))).to_pandas().t.tolist() == ["17850", "0.5", "-3"]
    big = engine.keep_frame(CON, "big", pd.DataFrame({"raw": [1e300, float("nan")]}), types={"raw": "float64"})
    assert big.select(t=numerals.as_text(big.raw)).to_pandas().t.fillna("").tolist() == ["1e+300", ""]
    assert big.select(n=numerals.whole(big.raw)).to_pandas().n.isna().all()


@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20))
@hypothesis_settings(max_examples=8, deadline=None)
def test_what_is_written_with_thousands_and_a_mark_is_read_back(cents):
    texts = [f"{n / 100:,.2f}".replace(",", " ").replace(".", ",") + " zł" for n in cents]
    assert [round(amount * 100) for _, amount, _ in read(texts, ",")] == cents
