"""Signs of one encoding read as another: named where they stand, and not where a language writes so."""

import pandas as pd
import pytest

from cxkit import engine, garbled
from cxkit.tables import TABLES

CON = engine.connect()
UKRAINIAN = ["Підгузки дитячі", "Кіт", "мило", "Сірі туфлі", "СІРІ ТУФЛІ", "СІЛЬ", "їжак"]
POLISH = ["łóżko", "źdźbło", "święta", "wózek"]
WESTERN = ["CAFÉ”", "«CAFÉ»", "été", "MENÜ–KARTE", "MAÇÃ", "Ä…", "JALAPEÑO’S", "œuvre", "ÉÈÊ", "Ångström", "5 °C, 3 m²"]


def told(texts):
    frame = pd.DataFrame({"product": texts, "channel": "web", "order_id": "Ã©"})
    types = dict.fromkeys(frame, "string")
    table = engine.keep_frame(CON, "texts", frame, types=types)
    return garbled.notes(table, TABLES["orders"])


def test_what_people_write_is_not_garbled():
    assert told([*UKRAINIAN, *POLISH, *WESTERN, None, "", "plain"]) == []
    assert told([]) == []


@pytest.mark.parametrize(
    ("texts", "was", "read_as", "said"),
    [
        (UKRAINIAN, "utf-8", "latin-1", "UTF-8 read as Latin-1 or CP1252"),
        (UKRAINIAN, "utf-8", "cp1251", "UTF-8 read as CP1251"),
        (POLISH, "utf-8", "cp1252", "UTF-8 read as Latin-1 or CP1252"),
        (["été", "naïve café"], "utf-8", "cp1252", "UTF-8 read as Latin-1 or CP1252"),
        (["дитяче мило"], "cp1251", "cp1252", "CP1251 read as Latin-1 or CP1252"),
        (POLISH, "cp1250", "utf-8", "hold the replacement character"),
        (["“quoted”"], "cp1252", "latin-1", "hold control characters that no text has"),
    ],
)
def test_each_kind_of_garbling_is_named_with_its_count(texts, was, read_as, said):
    notes = told([text.encode(was).decode(read_as, "replace") for text in texts] + ["plain"])
    assert len(notes) == 1, notes
    assert notes[0].startswith(f"{len(texts)} values of product ")
    assert said in notes[0]
