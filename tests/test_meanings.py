import pytest

from cxkit import meanings as m
from cxkit.tables import TABLES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("InvoiceNo", "invoice number"),
        ("order_id", "Order ID"),
        ("Date of order", "order date"),
        ("№ замовлення", "Номер замовлення"),
        ("Nr zamówienia", "Numer zamowienia"),
        ("Сума, грн", "Сума"),
        ("Кількість товарів", "Кількість товару"),
        ("Tickets", "ticket"),
    ],
)
def test_what_makes_no_difference(one, other):
    assert m.key(one) == m.key(other)


def test_small_words_that_make_a_difference_stay():
    assert m.key("Invited by") != m.key("Invited")
    assert m.key("Вирішити до") != m.key("Вирішити")
    assert m.key("Сума без знижки") != m.key("Сума знижки")


def test_a_phrase_means_one_thing_in_each_table():
    """Within a table's own phrases, within the shared ones, within what is aside: no phrase twice with two meanings."""
    read = m._read()
    groups = {f"tables.{t}": columns for t, columns in read["tables"].items()}
    groups |= {name: read[name] for name in ("shared", "aside", "files", "statuses", "metrics")}
    twice = []
    for group, columns in groups.items():
        seen: dict = {}
        for column, phrases in columns.items():
            for phrase in (p for language in m.LANGUAGES for p in m._split(phrases.get(language, ""))):
                if seen.setdefault(m.key(phrase.lstrip("~")), column) != column:
                    twice.append((group, phrase, column))
    assert twice == []


def test_every_meaning_is_of_a_column_that_can_be_mapped():
    read = m._read()
    for table, columns in read["tables"].items():
        assert set(columns) <= {n for n, c in TABLES[table].columns.items() if not c.derived}
    assert set(read["shared"]) <= {n for t in TABLES.values() for n in t.columns}
    assert all(phrases["why"] for phrases in read["aside"].values())
    assert set(read["files"]) == set(TABLES)


def test_every_column_that_an_export_may_have_is_known_in_four_languages():
    lacks = []
    for table in TABLES.values():
        for name, column in table.columns.items():
            known = {meaning.language for meaning in m.meanings(table.name).values() if meaning.column == name}
            if not column.derived and known != set(m.LANGUAGES):
                lacks.append((table.name, name, known))
    assert lacks == []


def test_a_tables_own_meaning_goes_before_what_is_aside():
    assert m.meanings("catalogue")[m.key("Price")].column == "price"
    assert m.meanings("orders")[m.key("Price")].column == "unit_price"
    assert m.meanings("catalogue")[m.key("Name")].column == "product"
    assert m.meanings("customers")[m.key("Name")].why == "names of people are never read"


def test_the_currency_in_a_name():
    assert m.currency_of("Сума, грн") == "UAH"
    assert m.currency_of("Kwota [PLN]") == "PLN"
    assert m.currency_of("Total") is None
    assert m.currency_of("EUR/USD") is None


@pytest.mark.parametrize(
    ("question", "metrics"),
    [
        ("How likely are you to recommend us to a friend?", ["nps"]),
        ("Чи порекомендуєте ви нас друзям?", ["nps"]),
        ("Jak bardzo jest Pan zadowolony z dostawy?", ["csat"]),
        ("How easy was it to return the goods?", ["ces"]),
        ("On a scale of 0-10, how would you rate the keynote?", []),
    ],
)
def test_what_a_question_asks_for(question, metrics):
    assert m.metrics_of(question) == metrics


def test_words_of_statuses():
    known = m.word_lists("statuses")
    words = {
        "Виконано": "completed",
        "Анульовано": "cancelled",
        "Zwrócone": "returned",
        "Частично возвращён": "partly_returned",
    }
    assert {text: known.get(m.key(text)) for text in words} == words
    assert m.key("В дорозі") not in known
