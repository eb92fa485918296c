"""One encoding read as another: found by what the name or the mark was meant to be."""

import pytest

from cxkit import misread


@pytest.mark.parametrize(
    ("wanted", "true", "read", "also"),
    [
        ("Data złożenia", "cp1250", "cp1252", ["cp1250", "iso-8859-2"]),
        ("Замовлення", "koi8-u", "cp1251", []),
        ("Замовлення", "cp1251", "latin-1", []),
        ("Zażółć", "utf-8", "cp1250", []),
        ("Größe", "cp1252", "cp1251", ["cp1252", "cp1250", "iso-8859-2"]),
    ],
)
def test_a_name_is_known_by_its_bytes(wanted, true, read, also):
    garbled = wanted.encode(true).decode(read)
    assert misread.likeness(wanted, ["Id", garbled], encoding=read) == (garbled, also or [true])


def test_other_names_are_not():
    assert misread.likeness("Data złożenia", ["Data", "Kwota"], encoding="cp1252") is None
    assert misread.likeness("Date", ["Data"], encoding="cp1252") is None
    assert misread.likeness("złoty", ["Ціна"], encoding="cp1252") is None  # cannot have been read so


def test_a_mark_of_money_is_known_too():
    assert misread.mark("19,90 z³", encoding="cp1252") == ("z³", "zł", "cp1250")
    assert misread.mark("100 грн.", encoding="cp1251") is None
    assert misread.mark("19,90 zł", encoding="cp1250") is None
    assert misread.mark("19,90 pcs", encoding="cp1252") is None
