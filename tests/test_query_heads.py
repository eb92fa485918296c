import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit import query_heads
from cxkit.words import split_words


def read(text: str, language: str) -> query_heads.Reading:
    words = split_words(text)
    return query_heads.read_query(words, stems={}, languages=dict.fromkeys(words, language))


@pytest.mark.parametrize(
    ("text", "language", "head"),
    [
        ("bottle warmer for travel", "en", "warmer"),
        ("white rubber boots size 38", "en", "boots"),
        ("running shoes men", "en", "shoes"),
        ("headphones noise cancelling", "en", "noise"),
        ("set of towels", "en", "towels"),
        ("дощовик для коляски", "uk", "дощовик"),
        ("дерев'яна лава", "uk", "лава"),
        ("комплект постільної білизни", "uk", "білизни"),
        ("детское автокресло", "ru", "автокресло"),
        ("Samsung телефон", "uk", "телефон"),
        ("wózek spacerowy", "pl", "wozek"),
        ("elektroniczna niania z kamerą", "pl", "niania"),
        ("для дома", "ru", "дома"),
        ("4 л", "uk", ""),
        ("", "uk", ""),
    ],
)
def test_heads(text, language, head):
    assert read(text, language).head == head


def test_sizes_narrow_nothing_down():
    found = read("підгузки розмір 4", "uk")
    assert (found.head, found.narrowing, found.measures) == ("підгузки", frozenset(), frozenset({"розмір", "4"}))


def test_misspelt_words_meet():
    assert query_heads.near("autokrslo", "autokreslo")
    assert query_heads.near("коляска", "коялска")
    assert not query_heads.near("plate", "plane")  # five letters, another one in place of one
    assert not query_heads.near("jacket", "packet")  # first letters are seldom wrong
    assert not query_heads.near("iphone13", "iphone14")


def test_roots_and_small_things():
    assert query_heads.same_root("зерн", "зернов")
    assert query_heads.same_root("wooden", "wood")
    assert not query_heads.same_root("електричн", "електронн")
    assert query_heads.diminutive("зонт", "зонтик")
    assert not query_heads.diminutive("кав", "кавоварк")


def test_languages_of_short_queries():
    texts = [
        "rowerek biegowy",
        "wózek dziecięcy",
        "wooden toys",
        "wet wipes",
        "laktator",
        "дитяча коляска",
        "бутылка",
        "їжа",
        "milk",
        "ubranka",
    ]
    found = query_heads.spoken(query_heads.words_of(texts), [9, 9, 1, 1, 5, 9, 1, 1, 1, 9], texts=texts)
    assert {found[w] for w in ("rowerek", "dzieciecy", "laktator")} == {"pl"}
    assert {found[w] for w in ("wooden", "toys", "wet", "wipes")} == {"en"}
    assert {found[w] for w in ("дитяча", "їжа")} == {"uk"}
    assert found["бутылка"] == "ru"


@given(st.lists(st.text(max_size=30), max_size=5))
def test_words_are_those_of_split_words(texts):
    assert query_heads.words_of(texts) == [split_words(text) for text in texts]


@given(st.text(max_size=30), st.text(max_size=30))
def test_whether_two_ask_for_the_same_hangs_on_no_order(one, other):
    first, second = read(one, "en"), read(other, "en")
    assert query_heads.same(first, first)
    assert query_heads.same(first, second) == query_heads.same(second, first)
