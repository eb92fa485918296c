import numpy as np
import pandas as pd
from hand_comments import said

from cxkit import comment_words as kit


def test_words_by_hand():
    rows = [(f"p{i % 6}", "Łóżeczko, łóżeczko! bardzo ładne, 2 sztuki") for i in range(7)]
    frame = said([*rows, ("q", "ładne łóżeczka")])
    counts, words = kit.count_words(frame)
    told = words.set_index("word")
    assert list(words["word"]) == sorted(words["word"])
    assert counts.shape == (8, len(words))
    assert set(np.unique(counts.toarray())) == {0.0, 1.0}, "a word stands in a comment or not, however often"
    assert told.loc["lozeczko", ["spelling", "comments", "people"]].tolist() == ["łóżeczko", 7, 6]
    assert told.loc["lozeczko", "stem"] == told.loc["lozeczka", "stem"]
    assert told.loc["lozeczko", ["shown", "content"]].tolist() == [True, True]
    assert told.loc["lozeczka", ["shown", "content"]].tolist() == [False, True], "one person used it"
    assert told.loc["bardzo", ["shown", "content"]].tolist() == [True, False], "a stop word"
    assert told.loc["2", ["shown", "content"]].tolist() == [False, False], "a number is never shown"


def test_people_not_comments_make_a_word_shown():
    frame = said([("anna", "секретне слово") for _ in range(20)])
    assert not kit.count_words(frame)[1]["shown"].any()


def test_spoken_words_set_their_comments_apart():
    frame = said(
        [(f"a{i}", "доставка запізнилася знову") for i in range(6)]
        + [(f"b{i}", "знову доставка, знову ціна") for i in range(6)]
        + [("c", "запізнилася пані Коваленко")]
    )
    counts, words = kit.count_words(frame)
    inside = np.arange(len(frame)) < 6
    assert kit.spoken_words(counts, words, inside, frame["who"])[:1] == ["запізнилася"]
    every = kit.spoken_words(counts, words, ~inside, frame["who"])
    assert len(every) < kit.MOST_WORDS
    assert "коваленко" not in every, "one person's word is not shown"
    assert kit.spoken_words(counts, words, inside & False, frame["who"]) == []


def test_small_words_of_other_languages_say_nothing():
    frame = said([(f"p{i}", "les prix sont très élevés pour des produits de qualité moyenne") for i in range(6)])
    assert set(frame["language"]) == {"other"}
    told = kit.count_words(frame)[1].set_index("word")
    assert told.loc[["prix", "eleves"], "content"].all()
    assert not told.loc[["les", "sont", "pour", "tres"], "content"].any()


def test_no_comments():
    counts, words = kit.count_words(said([]))
    assert counts.shape == (0, 0)
    assert not len(words)
    assert kit.spoken_words(counts, words, np.zeros(0, bool), pd.Series([], dtype=object)) == []
