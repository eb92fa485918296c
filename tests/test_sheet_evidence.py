"""What a cell of the workshop names: ids however they are spelt, quotes of words, and nothing where it says nothing."""

import pytest

from cxkit.sheet_evidence import as_ids, is_nothing, read_evidence


@pytest.mark.parametrize(
    "text",
    ["-", "—", "?", "...", "n/a", "N/A.", "None", "немає", "Немає доказів", "ні", "нет", "Нет данных", "brak", "Nie ma",
     "nie dotyczy", "так", "Ok", "5", "3 / 5", "✓"],
)  # fmt: skip
def test_what_names_nothing_is_no_quote(text):
    assert read_evidence(text) == (None, "")
    assert as_ids(text) is None


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Service.Late.Courier", "service.late.courier"),
        (" service.late.courier;LOYALTY.Repeat_Rate ", "service.late.courier, loyalty.repeat_rate"),
        ("loyalty.repeat_rate, loyalty.repeat_rate", "loyalty.repeat_rate"),
        ("search.missing.Біговел_дитячий", "search.missing.біговел_дитячий"),
        ("personas.costs.often,_small_orders", "personas.costs.often,_small_orders"),  # an id may hold a comma
        ("said.0123456789", "said.0123456789"),  # nine figures in a row are no phone here
        ("service.returned.cat_2024_01_02_03", "service.returned.cat_2024_01_02_03"),
    ],
)
def test_ids_match_whatever_their_capitals_and_stay_whole(text, ids):
    assert as_ids(text) == ids
    assert read_evidence(text) == (ids, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo.bar", "'foo.bar' is no finding's id. Write an id as the report has it, or the words in which somebody"),
        ("loyalty.repeat_rat", "'loyalty.repeat_rat' is no finding's id, did you mean 'loyalty.repeat_rate'?"),
        (
            "service.lat.courier",
            "'service.lat.courier' is no finding's id; families of that area are service.growing.",
        ),
        ("service.late", "'service.late' is no finding's id; families of that area are service.growing.NAME, "),
        ("loyalty.repeat_rate, loyalty.gin", "'loyalty.gin' is no finding's id, did you mean 'loyalty.gini'?"),
        ("see service.late.courier and others", "'service.late.courier' stands among other words, and would be taken"),
    ],
)
def test_what_looks_like_an_id_and_is_none_is_a_fault(text, said):
    value, fault = read_evidence(text)
    assert value is None
    assert fault.startswith(said)


@pytest.mark.parametrize(
    "text",
    ["Оплата не проходила тричі.", "Tak, brak mi rozmiarów.", "late.", "The shop was late.Very late.", "handbook.pdf",
     "shop.com.ua", "https://shop.ua/page", "No.", "e.g. late"],
)  # fmt: skip
def test_words_are_quotes(text):
    value, fault = read_evidence(text)
    assert fault == ""
    assert value == (None if text == "No." else text)


def test_a_quote_is_scrubbed():
    assert read_evidence("call me on 0671234567") == ("call me on [phone]", "")


def test_nothing_is_told_from_a_word():
    assert is_nothing("–")
    assert not is_nothing("Q2")
    assert not is_nothing("Brak towaru")
