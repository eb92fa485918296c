import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_comments import said

from cxkit import themes as kit
from cxkit.comment_words import count_words
from cxkit.errors import UsageError
from cxkit.found_themes import theme_numbers

matplotlib.use("Agg")

DELIVERY = ["Доставка запізнилася", "Paczka przyszła późno", "The courier was late"]
PAYMENT = ["Оплата не пройшла", "Не прошла оплата", "Płatność nie przeszła"]
ROWS = [
    *[(f"d{i}", text) for i, text in enumerate(DELIVERY * 5)],
    *[(f"p{i}", text) for i, text in enumerate(PAYMENT * 2)],
    *[(f"b{i}", "Доставка швидка, але ціна висока") for i in range(5)],
    *[(f"n{i}", "Усе добре, дякую") for i in range(7)],
]
KIT = "delivery, payment, price, assortment, site and app, support, packaging, advice, quality, returns"


def write(tmp_path, text: str):
    path = tmp_path / "themes.yml"
    path.write_text(text, encoding="utf-8")
    return path


def found(rows=ROWS, listed=None):
    frame = said(rows)
    counts, words = count_words(frame)
    numbers = theme_numbers(frame, counts, words, seed=1)
    listed = kit.theme_list() if listed is None else listed
    mentions = kit.find_themes(frame, counts, words, listed=listed, numbers=numbers, seed=1)
    return frame, kit.theme_table(frame, counts, words, mentions), mentions, numbers


def test_the_kits_list_covers_four_languages():
    listed = kit.theme_list()
    assert ", ".join(dict.fromkeys(listed["theme"])) == KIT
    assert set(listed["origin"]) == {"cxkit"}
    texts = ["Кур'єр запізнився", "Курьер опоздал", "Kurier się spóźnił", "The courier was late"]
    assert kit.themes_said(texts, listed) == [["delivery"]] * 4
    assert kit.themes_said(["Центр міста", "Płaszcz", "платье красивое"], listed) == [[], [], []]
    patient = ["Терпляче пояснили все", "Терпеливо объяснили", "Cierpliwie wyjaśnili", "They explained it patiently"]
    assert kit.themes_said(patient, listed) == [["support"]] * 4
    clear = ["Зрозумілі пояснення від лікаря", "Jasne wyjaśnienia lekarza", "Clear explanations"]
    assert kit.themes_said(clear, listed) == [["advice"]] * 3, "what is explained in an article is advice"


def test_themes_by_the_words_of_the_list():
    _, table, mentions, _ = found()
    told = table.set_index("theme")
    assert told["comments"].drop(kit.NO_THEME).to_dict() == {"delivery": 20, "payment": 6, "price": 5}
    assert told.loc[kit.NO_THEME, "comments"] == 7
    assert told.loc["delivery", "value"] == pytest.approx(20 / 33)
    assert (told["low"] < told["value"]).all()
    assert (told["value"] < told["high"]).all()
    assert (told["n"] == 33).all()
    assert set(mentions["how"]) == {"word"}
    assert table["theme"].iloc[-1] == kit.NO_THEME
    assert told.loc["price", "words"].split(", ")[0] in ("швидка", "ціна", "висока")


def test_words_and_numbers_of_few_people_are_withheld():
    rows = [*[(f"d{i}", "Доставка вчасна") for i in range(20)], ("a", "Оплата Коваленко"), ("b", "Оплата Коваленко")]
    _, table, _, _ = found([*rows, *[(f"n{i}", "Усе добре") for i in range(9)]])
    payment = table.set_index("theme").loc["payment"]
    assert np.isnan(payment["value"])
    assert payment["words"] == ""
    assert "коваленко" not in " ".join(table["words"]).lower()
    hidden = table["value"].isna()
    assert hidden.sum() > 1, "one alone could be worked out from the rest"


def test_a_clients_own_list(tmp_path):
    path = write(tmp_path, "themes:\n  Доставка: [достав*]\n  cross-border: [kurier, courier]\n")
    listed = kit.theme_list(path)
    assert listed.to_numpy().tolist() == [
        ["Доставка", "достав", True, "themes.yml"],
        ["cross-border", "kurier", False, "themes.yml"],
        ["cross-border", "courier", False, "themes.yml"],
    ]
    _, table, _, _ = found(listed=listed)
    told = table.set_index("theme")
    assert told.loc["Доставка", "comments"] == 10
    assert told.loc["cross-border", "comments"] == 5
    assert set(table["origin"]) == {"the client's list", ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "themen: {}",
            "holds the key 'themen'; it is to hold `themes:`, a list of words for each theme, and nothing else",
        ),
        ("themes: []", r"holds \[\] under `themes`"),
        (
            "themes: {price: cheap}",
            r"the theme 'price' holds 'cheap'; give a list of 1 to 500 words, as price: \[delivery",
        ),
        ("themes: {price: []}", "the theme 'price' holds an empty list"),
        (
            "themes: {price: [low price]}",
            "the theme 'price' has the word 'low price'; a word is one word of two letters",
        ),
        ("themes: {price: ['*']}", r"has the word '\*'"),
        ("themes: {price: ['ab*c']}", r"has the word 'ab\*c'"),
        ("themes: {price: [12]}", "has the word '12'"),
        ("themes: {price: [cheap], Price: [dear]}", "the theme 'Price' has no name of its own"),
        ("themes: {'': [cheap]}", "has no name of its own"),
    ],
)
def test_faults_of_a_list_are_named(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as told:
        kit.theme_list(write(tmp_path, text))
    assert "themes.yml" in str(told.value)


def test_too_many_themes_and_no_file(tmp_path):
    many = "themes:\n" + "\n".join(f"  t{i}: [word{chr(97 + i % 26)}]" for i in range(61))
    with pytest.raises(UsageError, match="names 61 themes"):
        kit.theme_list(write(tmp_path, many))
    with pytest.raises(UsageError, match="there is no file"):
        kit.theme_list(tmp_path / "none.yml")


def test_themes_on_no_list_stand_by_their_own_words():
    rng = np.random.default_rng(1)
    banks = [
        "розмір маленьке взуття тісне черевики",
        "квіти аромат троянда букет гарний",
        "доставка кур'єр посилка чекали вчасно",
    ]
    rows = [(f"p{i}", " ".join(rng.choice(banks[i % 3].split(), size=4, replace=False))) for i in range(180)]
    _, table, mentions, numbers = found(rows)
    own = table[table["origin"] == "found"]
    assert len(own) == 2
    assert all(name.startswith("uk: ") for name in own["theme"])
    assert {w for name in own["theme"] for w in name[4:].split(", ")} <= set(" ".join(banks).split())
    assert list(kit.found_table(table)["theme"]) == list(own["theme"])
    delivery = mentions[mentions["theme"] == "delivery"]
    assert set(delivery["how"]) == {"word", "company"} or len(delivery) == 60
    assert set(delivery["comment"]) == set(range(2, 180, 3)), "what goes with the words of a theme joins it"
    words = kit.themes_in_words(table, numbers)
    assert words[0].startswith("Of 180 comments most are about delivery (33 % of them, ")
    assert not any("on no list" in text for text in words)
    told = kit.found_in_words(table)
    assert told.startswith("2 more themes stand on no list: words that go together in the comments, as uk: ")
    none = kit.found_in_words(table[table["origin"] != "found"])
    assert none == "The comments show no theme of their own beside those of the list."


def test_how_people_begin_is_no_theme():
    rng = np.random.default_rng(1)
    said_ = ["доставка кур'єр посилка", "оплата картка платіж", "ціна знижка акція", "упаковка коробка плівка"]
    rows = []
    for i in range(240):
        about = " ".join(rng.choice(said_[i % 4].split(), size=2, replace=False))
        rows.append((f"p{i}", ("Двоє дітей, купуємо часто, постійні клієнти. " if (i // 4) % 2 else "") + about))
    listed = kit.theme_list()
    frame = said(rows)
    counts, words = count_words(frame)
    numbers = pd.DataFrame({"language": ["uk"], "themes": [5]})
    mentions = kit.find_themes(frame, counts, words, listed=listed, numbers=numbers, seed=1)
    assert set(mentions["theme"]) == {"delivery", "payment", "price", "packaging"}
    fewer = listed[listed["theme"] == "delivery"]
    mentions = kit.find_themes(frame, counts, words, listed=fewer, numbers=numbers, seed=1)
    assert any("дітей" in name for name in mentions["theme"]), "beside one listed theme alone it cannot be told"


def test_the_kits_words_count_for_nothing_in_other_languages():
    rows = [(f"p{i}", "Le service arrive en retard et le site est très mal indiqué") for i in range(8)]
    _, table, _, _ = found(rows)
    assert table["theme"].tolist() == [kit.NO_THEME]


def test_hostile_comments_name_no_theme():
    rows = [(f"p{i}", "=HYPERLINK(x) <script>доставка</script> $x^2$ [a](javascript:b)") for i in range(6)]
    _, table, _, _ = found(rows)
    assert table.set_index("theme").loc["delivery", "comments"] == 6
    kit.plot_themes(table).get_figure().canvas.draw()
    assert "<" not in " ".join(table["words"])


def test_nothing_to_tell():
    _, table, _, numbers = found([])
    assert table["theme"].tolist() == [kit.NO_THEME]
    assert kit.themes_in_words(table, numbers) == [
        "No theme was found in the comments: none of them holds a word of the list."
    ]
    assert kit.describe_themes(table) == "No theme was found in the comments."
    kit.plot_themes(table)


def test_unstable_languages_are_told():
    numbers = pd.DataFrame({"language": ["uk", "pl"], "reading": ["no stable themes", "hold"]})
    _, table, _, _ = found()
    assert kit.themes_in_words(table, numbers)[-1] == (
        "No themes of their own hold when comments are left out, in: Ukrainian."
    )


def test_pictures_of_long_names():
    _, table, _, _ = found()
    table.loc[0, "theme"] = "Дуже довга назва теми, яку хтось справді написав у свій список $тем$"
    ax = kit.plot_themes(table)
    ax.get_figure().canvas.draw()
    assert len(ax.get_yticklabels()) == len(table)
