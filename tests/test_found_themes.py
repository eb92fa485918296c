import numpy as np
import pandas as pd
import pytest
from hand_comments import said
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import found_themes as kit
from cxkit.comment_words import count_words

TOPICS = [
    "кур'єр посилка доставка запізнилася чекали",
    "оплата картка платіж помилка списали",
    "розмір взуття маленьке велике обмін",
]


def comments(n: int, *, apart: bool = True, seed: int = 1):
    """Comments of four words of one topic each, or of any topics."""
    rng = np.random.default_rng(seed)
    banks = [t.split() for t in TOPICS]
    every = [w for bank in banks for w in bank]
    rows = []
    for i in range(n):
        bank = banks[i % len(banks)] if apart else every
        rows.append((f"p{i}", " ".join(rng.choice(bank, size=4, replace=False))))
    return said(rows)


def test_planted_topics_are_found():
    frame = comments(160)
    counts, words = count_words(frame)
    numbers = kit.theme_numbers(frame, counts, words, seed=1)
    row = numbers.set_index("language").loc["uk"]
    assert row["themes"] == 3
    assert row["agreement"] > row["chance"] + kit.ABOVE_CHANCE
    rows = np.flatnonzero((frame["language"] == "uk").to_numpy())
    shares = kit.components(counts, words, rows, k=3, seed=1)
    best, truth = shares.argmax(axis=1), rows % 3
    assert all(len(set(best[truth == t])) == 1 for t in range(3))
    assert shares.sum(axis=1).max() <= 1.001
    assert shares.max(axis=1).min() > 0.5


def test_words_that_do_not_go_together_make_no_theme():
    frame = comments(160, apart=False)
    counts, words = count_words(frame)
    numbers = kit.theme_numbers(frame, counts, words, seed=1)
    row = numbers.set_index("language").loc["uk"]
    assert (row["themes"], row["reading"]) == (0, "no stable themes")
    assert np.isfinite(row["agreement"])


def test_few_comments_are_not_looked_into():
    frame = comments(kit.LEAST_COMMENTS - 1)
    counts, words = count_words(frame)
    numbers = kit.theme_numbers(frame, counts, words, seed=1)
    assert set(numbers["reading"]) == {"under 150 comments"}
    assert not len(kit.theme_numbers(frame[:0], counts[:0], words, seed=1))


def test_a_language_of_few_among_many_is_not_looked_into():
    frame = comments(160).assign(language="ru")
    many = said([(f"q{i}", "Усе добре, дякую") for i in range(3100)]).assign(language="uk")
    frame = pd.concat([frame, many], ignore_index=True)
    counts, words = count_words(frame)
    numbers = kit.theme_numbers(frame, counts, words, seed=1).set_index("language")
    assert numbers.loc["ru", ["themes", "reading"]].to_list() == [0, "under 5 % of all comments"]


def test_hundred_times_the_same_comment():
    frame = said([(f"p{i}", "Дуже добре, дякую вам") for i in range(150)])
    counts, words = count_words(frame)
    assert kit.theme_numbers(frame, counts, words, seed=1)["themes"].tolist() == [0]


def test_rows_of_the_matrix_have_length_one():
    from scipy import sparse

    counts = sparse.csr_matrix(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=np.float32))
    matrix = kit.text_matrix(counts, ["доставк", "оплат", "я"])
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1)).A1
    assert lengths == pytest.approx([1, 1, 0])
    assert matrix.shape[1] == 3 + 6 + 4 + 1


@given(st.integers(2, 6), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_agreement_is_one_with_itself_in_any_order_and_lies_between_0_and_1(k, seed):
    rng = np.random.default_rng(seed)
    one = np.array([rng.permutation(30)[:10] for _ in range(k)])
    other = np.array([rng.permutation(30)[:10] for _ in range(k)])
    assert kit.agreement(one, one[rng.permutation(k)]) == pytest.approx(1)
    assert 0 <= kit.agreement(one, other) <= 1
    assert kit.agreement(one, other) == pytest.approx(kit.agreement(other, one))


def test_agreement_by_hand():
    one, other = np.array([[1, 2], [3, 4]]), np.array([[3, 5], [1, 2]])
    # the first pair is alike; of the second the leading word, and then one of three
    assert kit.agreement(one, other) == pytest.approx((1 + (1 + 1 / 3) / 2) / 2)


def test_shuffled_words_keep_how_long_comments_are_at_most():
    from scipy import sparse

    counts = sparse.random(40, 12, density=0.3, format="csr", random_state=1, dtype=np.float32).sign().tocsr()
    dealt = kit.shuffled(counts, np.random.default_rng(1))
    assert (dealt.sum(axis=1) <= counts.sum(axis=1)).all()
    assert set(np.unique(dealt.toarray())) <= {0.0, 1.0}


def test_the_same_seed_gives_the_same():
    frame = comments(120)
    counts, words = count_words(frame)
    one, other = (kit.components(counts, words, np.arange(120), k=3, seed=4) for _ in range(2))
    assert (one == other).all()
