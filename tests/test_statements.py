"""Do two people say the same: pairs in four languages, nonsense, and any order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit.statements import ALIKE, alike, contrary, denies, normal_statement, statement_key

SAME = [
    ("Courier deliveries are late too often", "Deliveries by courier are too often late"),
    ("Couriers are late", "The courier is always late"),
    ("The payment page loses buyers", "We lose buyers at the payment page"),
    ("Answers in the chat are slow", "The chat answers slowly"),
    ("Сторінка оплати губить покупців", "На сторінці оплати губимо покупців"),
    ("Кур'єри запізнюються", "КУР`ЄР часто запізнюється!!"),
    ("Курьеры опаздывают", "Курьер всегда опаздывает"),
    ("Доставка слишком долгая", "Очень долгая доставка"),
    ("Porady o rozmiarach są niejasne", "Niejasna porada o rozmiarach"),
    ("Kurierzy się spóźniają", "Kurier często się spoznia"),
]
OTHER = [
    ("Packages arrive damaged", "Packages arrive early"),
    ("Prices are better than elsewhere", "Prices are higher than elsewhere"),
    ("Courier deliveries are late too often", "Courier deliveries are expensive"),
    ("The payment page loses buyers", "The product page loses buyers"),
    ("Delivery to Poland is slow", "Delivery to Ukraine is slow"),
    ("Support answers within 2 hours", "Support answers within 2 days"),
    ("Сторінка оплати губить покупців", "Сторінка товару губить покупців"),
    ("Широкий вибір іграшок", "Широкий вибір книжок"),
    ("Курьеры опаздывают", "Курьеры грубят"),
    ("Удобный поиск на сайте", "Удобная оплата на сайте"),
    ("Strona płatności zawiesza się", "Strona główna zawiesza się"),
    ("Duży wybór zabawek", "Duży wybór książek"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one, other):
    (near, back) = alike([one, other])
    assert near[1] == back[0] >= ALIKE


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_thing_in_nearly_the_same_words(one, other):
    assert alike([one, other]) == [{}, {}]


def test_languages_stay_apart_unless_the_words_are_the_same():
    ukrainian, russian = "Дуже повільна доставка, чекали тиждень", "Очень медленная доставка, ждали неделю"
    assert alike([ukrainian, russian]) == [{}, {}]
    assert alike(["Чат!", "чат", "chat"]) == [{1: 1.0}, {0: 1.0}, {}]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("Customers are satisfied with delivery", "Customers are dissatisfied with delivery", True),
        ("People trust us", "People distrust us", True),
        ("Orders are complete", "Orders are incomplete", True),
        ("Зручний сайт", "Незручний сайт", True),
        ("Клієнти задоволені", "Клієнт незадоволений", True),
        ("Клиенты довольны", "Клиенты недовольны", True),
        ("Klienci są zadowoleni", "Klienci są niezadowoleni", True),
        ("Couriers are late", "Couriers are never late", True),
        ("Customers are not satisfied", "Customers are dissatisfied", False),  # both deny it
        ("Couriers are late", "The courier is always late", False),
        ("The inside is worn", "The side is worn", True),  # so it is: what looks denied is not joined
        ("Import costs much", "Port costs much", True),
        ("Nie ma", "Ma", True),
    ],
)
def test_a_denial_within_a_word(one, other, told):
    assert contrary(one, other) == contrary(other, one) == told


def test_what_is_denied():
    assert denies("The chat never answers")
    assert not denies("The chat answers")
    assert not denies("Nobody never answers")
    assert denies("Немає таблиці розмірів")
    assert denies("Bez zwrotów")
    assert denies("They don't answer")


def test_signs_alone_are_compared_as_they_are():
    assert alike(["!!!", " !!! ", "…", ""]) == [{1: 1.0}, {0: 1.0}, {}, {}]
    assert alike([]) == []
    assert alike(["😀", "a" * 5_000, "а" * 5_000]) == [{}, {}, {}]


def test_a_key_is_of_the_words_and_the_quadrant():
    one, other = (statement_key(text, "weakness") for text in ("The  payment page!", "the Payment-page"))
    assert one == other == "said.pmolepmjkj"
    assert statement_key("the payment page", "strength") != one
    assert statement_key("!!!", "weakness") != statement_key("-", "weakness")
    assert normal_statement(" ?! ") == "?!"


TEXTS = st.lists(st.sampled_from([t for pair in SAME + OTHER for t in pair]) | st.text(max_size=12), max_size=12)


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_alike_is_mutual_and_the_order_decides_nothing(texts, random):
    near = alike(texts)
    assert all(near[j][i] == cosine for i, found in enumerate(near) for j, cosine in found.items())
    order = list(range(len(texts)))
    random.shuffle(order)
    again = alike([texts[i] for i in order])
    assert [{order[j]: c for j, c in found.items()} for found in again] == [near[i] for i in order]


def test_a_key_holds_no_figures_that_could_be_a_phone():
    keys = [statement_key(f"statement {n}", "weakness") for n in range(300)]
    assert len(set(keys)) == 300
    assert all(key.removeprefix("said.").isalpha() for key in keys)
