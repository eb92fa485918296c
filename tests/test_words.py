import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import words

TEXTS = st.text(max_size=40) | st.text(alphabet="аіїєґёйщьы'’ʼ\"`AŁąéß½ﬁİ\u0301 -_.№²", max_size=30)

# forms of one word, by people's judgement
ALIKE = {
    "uk": [
        "іграшка іграшки іграшок іграшкою іграшці",
        "підгузок підгузки підгузків",
        "коляска коляски колясок колясці",
        "дерев'яні деревяний дерев'яних",
        "якість якості якістю",
        "картка картку картці карток",
        "зимовий зимова зимові зимових зимового",
        "комбінезон комбінезони комбінезонів",
        "проблема проблеми проблем",
        "запах запаху запахом",
        "набір набори наборів",
        "акція акції акцій",
        "олівець олівці олівців",
        "автокрісло автокрісла автокрісел",
        "взуття взуттям",
    ],
    "ru": [
        "игрушка игрушки игрушек игрушкой",
        "подгузник подгузники подгузников",
        "коляска коляски колясок",
        "деревянный деревянная деревянных",
        "зимний зимняя зимние",
        "полотенце полотенца полотенец",
        "проблема проблемы проблем",
        "смесь смеси",
        "отзыв отзывы",
        "дорого дорогой дорогая",
    ],
    "pl": [
        "zabawka zabawki zabawek zabawkę zabawce",
        "pielucha pieluchy pieluch",
        "wózek wózki wózków wozek",
        "butelka butelki butelek",
        "płatność płatności",
        "paczka paczki paczek paczce",
        "drewniane drewniana drewnianych",
        "rozmiar rozmiary rozmiarów rozmiarze",
        "but buty butów",
        "jakość jakości",
    ],
    "en": [
        "nappy nappies",
        "bottle bottles",
        "toy toys",
        "child children",
        "baby's baby babies",
        "delivery deliveries",
    ],
}
APART = {
    "uk": "коляска книга картка ціна кіт сумка суміш акція чек чекала взуття кубик кубок розмір серветка сервіс",
    "ru": "коляска книга картон карта цена сумка смесь скидка обувь платье платеж",
    "pl": "zabawka wózek but butelka karta kartka paczka płatność cena książka plecak",
    "en": "nappy bottle toy child delivery price package",
}


@pytest.mark.parametrize(("language", "forms"), [(k, forms) for k, rows in ALIKE.items() for forms in rows])
def test_forms_of_one_word_have_one_stem(language, forms):
    found = {word: words.stem(word, language) for word in words.split_words(forms)}
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("language", APART)
def test_other_words_keep_stems_of_their_own(language):
    found = [words.stem(word, language) for word in words.split_words(APART[language])]
    assert len(set(found)) == len(found), found


def test_words_with_digits_and_of_no_language_stay_as_they_are():
    assert words.stem("d3", "en") == "d3"
    assert words.stem("0", "uk") == "0"
    assert words.stem("livraisons", "fr") == "livraisons"


@given(st.text(alphabet="абвгдеєжзиіїйклмнопрстуфхцчшщьюяabcdefgklmnoprstuwyz'", min_size=1, max_size=15))
@settings(deadline=None, max_examples=200)
def test_a_word_always_has_a_stem(word):
    for normal in words.split_words(word):
        for language in ("uk", "ru", "pl", "en"):
            assert words.stem(normal, language)


def test_normal_text_by_hand():
    assert words.normal_text("ЁЛКА, ґанок — Łódź «naïve»!") == "елка ганок lodz naive"
    assert words.normal_text("Дерев’яні дерев`яні дерев\"яні дерев'яні") == " ".join(["дерев'яні"] * 4)
    assert words.normal_text("й ї Й Ї") == "й ї й ї"
    assert words.normal_text("  2в1\u200b ISOFIX® 50% № 4 ") == "2в1 isofix 50 no 4"
    assert words.normal_text("'так' '' _a_ 😀 \ufe0f") == "так a"
    assert words.normal_text("") == words.normal_text("!!! 😀") == ""


@given(TEXTS)
@settings(deadline=None, max_examples=300)
def test_what_is_normal_stays_so_and_splits_into_its_words(text):
    normal = words.normal_text(text)
    assert words.normal_text(normal) == normal
    assert words.split_words(normal) == normal.split()
    assert words.split_words(text) == normal.split()


def test_stop_words_leave_out_numbers_and_sizes():
    stops = words.stop_words()
    assert {"i", "the", "та", "и", "dla", "będzie".replace("ę", "e"), "дякую", "прошу", "please"} <= stops
    told = [
        "4",
        "xl",
        "ml",
        "кг",
        "два",
        "перший",
        "first",
        "size",
        "small",
        "довго",
        "рано",
        "brak",
        "dwa",
        "problem",
        "order",
        "день",
    ]
    assert not {words.normal_text(w) for w in told} & stops
    assert all(words.normal_text(w) == w for w in stops)


def test_word_forms_tell_what_was_merged_and_how():
    counts = {
        "коляска": 100,
        "коляски": 30,
        "колясок": 3,
        "коляка": 2,
        "коялска": 1,
        "коляска2": 1,
        "візок": 50,
        "4": 60,
    }
    counts |= {"торти": 90, "шорти": 2, "візак": 1}
    frame = words.word_forms(counts, dict.fromkeys(counts, "uk"))
    told = frame.set_index("word")
    assert list(frame["count"]) == sorted(counts.values(), reverse=True)
    assert list(told.loc[["коляска", "коляски", "колясок"], "kind"]) == ["same", "plural_or_case", "plural_or_case"]
    assert list(told.loc[["коляка", "коялска", "візак"], "kind"]) == ["typo"] * 3
    assert list(told.loc[["коляка", "коялска"], "form_of"]) == ["коляска"] * 2
    assert told.loc["коляка", "stem"] == told.loc["коляска", "stem"]
    assert told.loc["коляска2", "kind"] == "same", "a word with a digit is no misspelling"
    assert told.loc["шорти", "kind"] == "same", "the first letter makes another word"


def test_a_common_word_is_no_misspelling_of_a_commoner_one():
    frame = words.word_forms({"кубик": 50, "кубок": 20}, {"кубик": "uk", "кубок": "uk"})
    assert list(frame["kind"]) == ["same", "same"]


def test_word_forms_of_nothing_and_in_any_order():
    assert list(words.word_forms({}, {}).columns) == ["word", "count", "stem", "form_of", "kind"]
    counts = {"toy": 5, "toys": 5, "tois": 1, "bottle": 40, "botle": 1, "bottles": 4}
    languages = dict.fromkeys(counts, "en")
    one = words.word_forms(counts, languages)
    other = words.word_forms(dict(reversed(counts.items())), languages)
    pd.testing.assert_frame_equal(one, other)
    assert dict(zip(one["word"], one["form_of"], strict=True))["botle"] == "bottle"


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("коляска", "коляка", True),
        ("коляска", "коляскаа", True),
        ("коляска", "калясках", False),
        ("коляска", "коялска", True),
        ("коляска", "каляска", True),
        ("коляска", "коляска", False),
        ("toy", "otys", False),
        ("a", "", True),
    ],
)
def test_one_edit(one, other, near):
    assert words.one_edit(one, other) is near
    assert words.one_edit(other, one) is near
