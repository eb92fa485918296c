from pathlib import Path

import yaml

from cxkit import words
from cxkit.languages import LANGUAGES, languages_of, word_languages


def bank(name: str) -> dict:
    return yaml.safe_load((Path(words.__file__).parent / name).read_text(encoding="utf-8"))


def demo_rows() -> list[tuple[str, str]]:
    """Comments and messages of the made-up client, with the language that they were written in."""
    voices = bank("demo_voices.yml")
    moods = [parts for theme in voices["comments"].values() for parts in theme.values()] + list(
        voices["contacts"].values()
    )
    return [(text, k) for parts in moods for k, texts in parts.items() for text in texts]


def test_letters_decide_first():
    texts = ["Дякую, її", "Это был подъезд", "zażółć gęślą", "the parcel came late, and nobody told us", "Чудова річ"]
    assert languages_of(texts) == ["uk", "ru", "pl", "en", "uk"]


def test_other_languages_and_what_cannot_be_told():
    texts = [
        "Livraison en retard de trois jours, aucun message",
        "très bien",
        "日本語のテキスト",
        "Lieferung war schnell, danke schön",
    ]
    assert languages_of(texts) == ["other"] * 4
    assert languages_of(["", "4", "!!! 😀", "0-13"]) == ["unknown"] * 4


def test_small_words_decide_without_letters():
    assert languages_of(["Все добре, але дорого", "Хорошо, но дорого", "szybko i tanio", "good for the money"]) == [
        "uk", "ru", "pl", "en"
    ]  # fmt: skip


def test_short_texts_go_with_the_texts_that_share_their_words():
    texts = ["дитяча коляска", "Це дуже гарна дитяча коляска, її вже купили"]
    assert languages_of(texts) == ["uk", "uk"]


def test_the_demo_clients_comments_are_told():
    rows = demo_rows()
    found = languages_of([text for text, _ in rows])
    wrong = [(text, told, k) for (text, k), told in zip(rows, found, strict=True) if told != k]
    assert len(wrong) <= 0.02 * len(rows), wrong


RUSSIAN = """Быстрая доставка, все отлично.|Очень вежливый курьер.|Цены выше, чем в других магазинах.
|Качество игрушки отличное.|Деньги вернули только через месяц.|Сайт работает медленно, корзина пропала.
|Коляска сломалась через неделю.|Подгузники закончились, а новых нет.|Не советую, обманули с размером.
|Посылку привезли на три дня позже, чем обещали.|Товар соответствует описанию.|Вкусное пюре, ребенку понравилось.
|Большой выбор обуви.|Хорошее качество за свои деньги.|Приложение зависает.|Замок сломался.|Дорого за такое качество.
|Заказываю здесь не первый год.|Где мой заказ, который вы обещали?|Обещали перезвонить и не перезвонили."""


def test_ukrainian_without_its_letters_is_not_read_as_russian():
    ukrainian = [text for text, k in demo_rows() if k == "uk"]
    hard = ["Знижка не спрацювала.", "Оплата не проходить.", "Замовляю не вперше. Оплата не проходить."]
    found = languages_of([*ukrainian, *hard])
    assert "ru" not in found
    assert found[-3:] == ["uk"] * 3


def test_russian_in_a_mostly_ukrainian_log_stays_russian():
    russian = RUSSIAN.replace("\n", "").split("|")
    ukrainian = [text for text, k in demo_rows() if k == "uk"]
    found = languages_of(ukrainian + russian)[len(ukrainian) :]
    assert found.count("ru") >= 17, dict(zip(russian, found, strict=True))
    assert found.count("uk") <= 1


def test_a_word_has_one_language_that_of_most_of_its_texts():
    texts = ["мій sorter дуже гарний", "sorter drewniany jest śliczny", "sorter", "piękny sorter"]
    found = word_languages(texts)
    assert found["sorter"] == "pl"
    assert word_languages(texts, [90, 1, 1, 1])["sorter"] == "uk"
    assert set(found.values()) <= set(LANGUAGES)
    assert list(found) == sorted(found)


def test_words_of_the_demo_client_are_told():
    rows = demo_rows()
    found = word_languages([text for text, _ in rows])
    written: dict[str, set[str]] = {}
    for text, k in rows:
        for word in words.split_words(text):
            written.setdefault(word, set()).add(k)
    wrong = [w for w, k in found.items() if k not in written[w] and not w.isdigit()]
    assert len(wrong) <= 0.02 * len(found), wrong


def test_languages_told_already_are_taken_as_they_are():
    assert word_languages(["bébé", "bébé"], languages=["pl", "other"])["bebe"] == "pl"


def test_nothing_and_the_order_of_texts():
    assert languages_of([]) == []
    assert word_languages([]) == {}
    texts = [*[text for text, _ in demo_rows()][:60], "коляска", "buggy", "коляска"]
    backwards = languages_of(texts[::-1])[::-1]
    assert backwards == languages_of(texts)
    assert word_languages(texts) == word_languages(texts[::-1])


def test_a_megabyte_is_looked_at_from_its_beginning():
    assert languages_of(["Дуже гарна їжа " * 70_000]) == ["uk"]
