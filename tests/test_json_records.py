"""What a file of JSON holds: its records, and their fields by path."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import engine, json_records
from cxkit.errors import DataError

RECORDS = [{"a": 1, "b": {"c": "x,]}{["}}, {"a": 2.50, "b": {"c": None}}, {"a": True, "b": []}]
FLAT = [{"a": "1", "b.c": "x,]}{["}, {"a": "2.5", "b.c": None}, {"a": "true", "b": None}]


def read(text, *, size=7, **more):
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    return [json_records.flat(r) if r is not None else why for r, why in json_records.records(pieces, **more)]


WRITTEN = {
    "lines": "\n".join(map(json.dumps, RECORDS)),
    "lines ended by \\r\\n, with empty ones": "\n\r\n".join(map(json.dumps, RECORDS)) + "\r\n\r\n",
    "one list": json.dumps(RECORDS),
    "a list over several lines": "\n " + json.dumps(RECORDS, indent=2) + "\n",
    "records over several lines": "\n".join(json.dumps(r, indent=2) for r in RECORDS),
    "records one after another": "".join(map(json.dumps, RECORDS)),
    "lines ended by \\r": "\r".join(map(json.dumps, RECORDS)),
}


@pytest.mark.parametrize("how", WRITTEN)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_records_are_read_however_they_are_written(how, size):
    assert read(WRITTEN[how], size=size) == FLAT


def test_a_line_that_is_no_record_is_refused_alone():
    text = '{"a": 1}\n{"a": 2\n[3]\nnonsense\n{"a": 4}'
    assert read(text) == [{"a": "1"}, "NO JSON", "NO JSON OBJECT", "NO JSON", {"a": "4"}]
    assert read('[{"a": 1}, 2, {"a": 3}]') == [{"a": "1"}, "NO JSON OBJECT", {"a": "3"}]
    assert read("Order,Total\n1,2\n") == ["NO JSON", "NO JSON"]
    assert read("") == read("[]") == read(" \n ") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"a": 1}, {"a": ', "it ends, or stops being JSON, in record 2 "),
        ('[{"a": 1}, oops, {"a": 3}]', "it ends, or stops being JSON, in record 2 "),
        ('[{"a": 1}', "it ends, or stops being JSON, in record 2 "),
        ('[{"a": 1}] {"a": 2}', "after its 1 records more follows"),
        ("[" * 100_000, "record 1 is nested too deep"),
    ],
)
def test_a_list_that_breaks_off_is_told(text, message):
    with pytest.raises(DataError, match=message):
        read(text, size=1000)


def test_a_record_longer_than_any_may_be_fills_no_memory(monkeypatch):
    monkeypatch.setattr(engine, "LONGEST_RECORD", 100)
    long = json.dumps({"a": "x" * 200})
    assert read('{"a": 1}\n' + long + '\n{"a": 2}') == [{"a": "1"}, "LINE SIZE OVER MAXIMUM", {"a": "2"}]
    assert read(f'[{long[:150]}"}}, {{"a": 2}}]', size=1000) == ["LINE SIZE OVER MAXIMUM", {"a": "2"}]
    with pytest.raises(DataError, match="record 1 is longer than 100 characters, or no JSON"):
        read('[{"a": "' + "x" * 1000)


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"user.name": "a", "user": {"mail": "b"}}, {"user.name": "a", "user.mail": "b"}),
        ({"items": [{"id": 1}, {"id": 2}]}, {"items.0.id": "1", "items.1.id": "2"}),
        ({"a": {}, "b": [], "c": ""}, {"a": None, "b": None, "c": None}),
        (
            {"p": [{"key": "page", "value": {"string_value": "/x"}}, {"key": "n", "value": {"int_value": "5"}}]},
            {"p.page": "/x", "p.n": "5"},
        ),
        (
            {"p": [{"key": "page", "value": {"string_value": None, "int_value": 7, "float_value": None}}]},
            {"p.page": "7"},
        ),
        ({"p": {"string_value": None}, "q": {"string_value": "a", "int_value": 1}}, None),
        ({"p": [{"key": "a", "value": "b"}, {"key": "c", "value": "d", "more": 1}]}, None),
    ],
)
def test_fields_by_their_paths(value, fields):
    found = json_records.flat(next(json_records.records([json.dumps(value)]))[0])
    if fields is None:
        fields = (
            {"p": None, "q.string_value": "a", "q.int_value": "1"}
            if "q" in value
            else {"p.0.key": "a", "p.0.value": "b", "p.1.key": "c", "p.1.value": "d", "p.1.more": "1"}
        )
    assert found == fields


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("17850.0", "17850"),
        ("1.50", "1,50"),
        ("1.5e3", "1500"),
        ("1e-3", "0,001"),
        ("1" * 30, "1" * 30),
        ("1e999", "1e999"),
    ],
)
def test_numbers_become_texts_with_the_declared_mark(number, text):
    assert read(f'{{"a": {number}}}', decimal=",") == [{"a": text}]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("ab.", min_size=1, max_size=3), values, max_size=4), st.integers(1, 30))
def test_what_is_asked_for_is_what_is_there(record, size):
    """A field is the same whether all are read or only the wanted ones, and wherever the file is cut."""
    text = json.dumps(record)
    (found,) = read(f"[{text}]", size=size)
    assert [found] == read(text, size=size)
    for path, value in found.items():
        again = next(json_records.records([text]))[0]
        assert json_records.flat(again, wanted=json_records.ways([path]))[path] == value
