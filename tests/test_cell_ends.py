"""Blanks at the ends of a batch's texts: found by their bytes, trimmed as the engine trims."""

import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit import cell_ends, engine

PLAIN = [["a", None, "b"], [None, None], [], ["п", "ч", "Р", "Я", "я"], ["«x»", "a b", "№1", "5 ₴"], ["日本", "😀"]]


@pytest.mark.parametrize("texts", PLAIN)
def test_texts_without_blanks_are_handed_back_as_they_are(texts):
    column = pa.array(texts, pa.string())
    assert cell_ends.trimmed(column) is column


@pytest.mark.parametrize("blank", engine.BLANKS)
def test_every_blank_is_found_at_either_end_and_inside_it_stays(blank):
    for text in (f"a{blank}", f"{blank}a", f"{blank}a{blank}"):
        assert cell_ends.trimmed(pa.array([None, "x", text, None], pa.string())).to_pylist() == [None, "x", "a", None]
    assert cell_ends.trimmed(pa.array([f"a{blank}b"], pa.string())).to_pylist() == [f"a{blank}b"]
    assert cell_ends.trimmed(pa.array(["a", blank, ""], pa.string())).to_pylist() == ["a", None, None]


def test_a_part_of_an_array_is_judged_by_itself():
    whole = pa.array([" a", "b", "c "], pa.string())
    assert cell_ends.trimmed(whole.slice(1, 1)).to_pylist() == ["b"]
    assert cell_ends.trimmed(whole.slice(2, 1)).to_pylist() == ["c"]
    assert cell_ends.trimmed(pa.array(["a "], pa.large_string())).to_pylist() == ["a"]


letters = st.one_of(
    st.sampled_from([*engine.BLANKS, "a", "п", "Р", "€", "«", "😀", "\u2008", "\ufefe"]), st.characters()
)
CON = engine.connect(threads=1)


@given(st.lists(st.one_of(st.none(), st.text(letters, max_size=4)), max_size=6))
def test_whatever_the_texts_it_leaves_what_the_engine_leaves(texts):
    texts = [text if text is None else text.replace("\0", "").encode("utf-8", "ignore").decode() for text in texts]
    held = ibis.memtable({"n": range(len(texts)), "text": texts}, schema={"n": "int64", "text": "string"})
    known = CON.to_pyarrow(held.select("n", text=engine.plain(held.text)).order_by("n"))
    assert cell_ends.trimmed(pa.array(texts, pa.string())).to_pylist() == known["text"].to_pylist()
