"""A file of delimited text: nothing in it is passed over without a word."""

import pandas as pd
import pytest

from cxkit import containers, engine, text_files
from cxkit.errors import DataError
from cxkit.mapping import Reading

HEAD = "Order,Customer\n1,a\n"


def read(folder, text: str, **reading):
    """The orders kept, and (line, reason) of what was not."""
    path = folder / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    told = {"place": "tables.orders", "reading": Reading(**reading)}
    source = containers.look(path)
    head = text_files.read_head(source, **told)
    con = engine.connect()
    out, rejects = text_files.stage(con, source, head, keep={head.names[0]: "r0"}, stem=folder / "orders", **told)
    return pd.read_parquet(out).r0.tolist(), rejects[["line", "error"]].values.tolist()


@pytest.fixture
def short(monkeypatch):
    """A record may have 2,000 letters, and the engine's buffers are as much smaller."""
    monkeypatch.setattr(engine, "LONGEST_RECORD", 2_000)


@pytest.mark.usefixtures("short")
def test_a_quotation_mark_that_is_not_closed_ends_the_reading_however_much_it_swallows(tmp_path):
    for lines in (3, 100, 20_000):
        with pytest.raises(DataError, match="in record 2 a quotation mark is opened and not closed; it swallows"):
            read(tmp_path, HEAD + '2,"b\n' + "3,c\n" * lines)


@pytest.mark.usefixtures("short")
def test_a_stray_quotation_mark_is_refused_alone(tmp_path):
    for lines in (3, 20_000):
        kept, rejects = read(tmp_path, HEAD + '2,"b"c\n' + "3,c\n" * lines + '4,"d"e\n')
        assert len(kept) == 1 + lines
        assert rejects == [[3, "UNQUOTED VALUE"], [4 + lines, "UNQUOTED VALUE"]]


def test_a_line_longer_than_a_buffer_ends_the_reading(tmp_path):
    with pytest.raises(DataError, match="line 3 is longer than 2,000,000 characters"):
        read(tmp_path, HEAD + "2," + "x" * 9_000_000 + "\n3,c\n")


def test_what_stands_above_the_header_is_cut_off_whatever_the_encoding(tmp_path):
    text = 'Report, "May"\n\n\nOrder;"Cust\nomer"\n1;a\n2;b\n'
    assert read(tmp_path, text, header=[2], delimiter=";")[0] == ["1", "2"]
    assert read(tmp_path, "\n\n" + HEAD)[0] == ["1"]
    assert read(tmp_path, "1|a\r2|b\r", header=[0], delimiter="|")[0] == ["1", "2"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_utf16_under_another_name_is_told(encoding):
    with pytest.raises(DataError, match=f"it looks like {encoding}, not cp1251"):
        list(text_files.decoded([HEAD.encode(encoding)], place="tables.orders", encoding="cp1251"))
