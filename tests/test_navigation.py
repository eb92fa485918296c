from datetime import date

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_searches import many, orders_of, table

from cxkit import navigation, queries, query_groups

matplotlib.use("Agg")
AS_OF = date(2026, 6, 30)
PLAN = [
    ("glass bottle", 120, 0.0, 0.2),
    ("plastic bottle", 80, 0.1, 0.1),
    ("plastic botttle", 6, 1.0, 0.0),  # misspelt, and finds nothing
    ("plastic botle", 1, 1.0, 0.0),
    ("plastic bottel", 1, 1.0, 0.0),
    ("baby monitor", 60, 1.0, 0.0),
    ("stroller", 50, 1.0, 0.0),
    ("pram", 40, 0.0, 0.2),
    ("my own name", 2, 0.0, 0.0),
]


@pytest.fixture(scope="module")
def shop():
    made = many(PLAN)
    # twelve visits went on from a stroller, which finds nothing, to a pram
    more = made[made["query"] == "stroller"].head(12)
    more = more.assign(query="pram", results=4, searched_at=more["searched_at"] + pd.Timedelta(minutes=2))
    made = pd.concat([made, more], ignore_index=True)
    log = queries.search_log(table(made), as_of=AS_OF, events=orders_of(made), rule="visit")
    counts, steps = queries.query_counts(log), queries.next_wordings(log)
    words = query_groups.wordings(counts)
    return log, counts, steps, words, query_groups.group_queries(words, steps)


def test_the_menu_by_hand(shop):
    log, *_, groups = shop
    needs = navigation.menu(log, groups).set_index("need")
    assert list(needs.index) == ["glass bottle", "plastic bottle", "baby monitor", "pram", "stroller"]
    row = needs.loc["plastic bottle"]
    assert (row["wordings"], row["sessions"], row["searches"], row["n"]) == (4, 88, 88, 360)
    assert row["value"] == pytest.approx(88 / 360)
    assert row["low"] < row["value"] < row["high"]
    assert row["nothing"] == pytest.approx(16 / 88)
    assert row["conversion"] == pytest.approx(8 / 88)
    assert needs.loc["baby monitor", "nothing_low"] > 0.9
    assert needs.loc["baby monitor", "department"] == "baby monitor"


def test_two_levels(shop):
    log, *_, groups = shop
    needs, departments = navigation.menu(log, groups), navigation.menu(log, groups, by="department")
    table_ = navigation.two_levels(needs, departments).set_index("department")
    assert table_.loc["bottle", "needs"] == "glass bottle; plastic bottle"
    assert table_["needs"].iloc[0] == "glass bottle; plastic bottle"  # the most wanted stands first
    short = navigation.two_levels(needs, departments, most=1).set_index("department")
    assert short.loc["bottle", "needs"] == "glass bottle; … and 1 more"
    told = navigation.in_words(needs, departments)
    assert told.startswith("Told apart: 5 needs in 3 departments. Most looked for: bottle (58 % of visits, ")
    one = navigation.in_words(needs[:1], departments[:1])
    assert one.startswith("Told apart: 1 need in 1 department. ")
    assert set(table_["language"]) == {"English"}


def test_the_languages_of_a_department():
    groups = pd.DataFrame({"language": ["uk", "ru", "pl", ""], "visitors": [50, 30, 9, 99]}).assign(need="коляска")
    assert navigation._spoken_by(groups, "need").to_dict() == {"коляска": "Ukrainian, Russian"}


def test_what_fewer_than_five_visitors_wrote_is_never_shown(shop):
    log, counts, steps, words, groups = shop
    frames = [navigation.menu(log, groups), navigation.menu(log, groups, by="department")]
    frames += [navigation.synonyms_to_add(words, counts, steps), navigation.misspelt(words, counts)]
    assert not any(frame.astype(str).apply(lambda c: c.str.contains("my own name")).any(axis=None) for frame in frames)


def test_the_catalogue_by_that_name(shop):
    log, *_, groups = shop
    needs = navigation.menu(log, groups)
    offered = pd.DataFrame(
        {"kind": ["category", "product", "product"], "name": ["Bottles", "mini pram", "pram raincover"]}
    )
    found = navigation.in_catalogue(needs, groups, offered).set_index("need")["catalogue"]
    assert found["glass bottle"] == navigation.CATEGORY
    assert found["pram"] == navigation.PRODUCT
    assert found["baby monitor"] == navigation.NO_NAME
    ukrainian = offered.assign(name=["Пляшечки", "коляска", "дощовик для коляски"])
    assert set(navigation.in_catalogue(needs, groups, ukrainian)["catalogue"]) == {navigation.NOT_ASSESSABLE}
    assert set(navigation.in_catalogue(needs, groups, offered[:0])["catalogue"]) == {navigation.NOT_ASSESSABLE}


def test_synonyms_to_add(shop):
    _, counts, steps, words, _ = shop
    found = navigation.synonyms_to_add(words, counts, steps)
    assert found[["wording", "find_instead", "sessions", "value", "n"]].to_dict("records") == [
        {"wording": "stroller", "find_instead": "pram", "sessions": 12, "value": 1.0, "n": 50}
    ]
    wrong = navigation.misspelt(words, counts)
    assert wrong.to_dict("records") == [
        {
            "right": "plastic bottle",
            "wordings": 3,
            "searches": 8,
            "nothing": 8,
            "visitors": 8,
            "missed": "plastic botttle; rarer: a letter left out, letters swapped",
        }
    ]
    told = navigation.synonyms_in_words(found, wrong)
    assert "most often pram instead of stroller (12 visits)." in told
    assert told.startswith("1 wording finds little though the same visits then find by other words")
    assert "8 searches found nothing for a misspelling; written right, 1 wording finds something." in told
    none = navigation.synonyms_in_words(found[:0], wrong[:0])
    assert none == "No wording was found that would find under another name, and no misspelling of the kind."


def test_pictures(shop):
    log, *_, groups = shop
    departments = navigation.menu(log, groups, by="department")
    ax = navigation.plot_menu(departments)
    assert any("100 % find nothing" in text.get_text() for text in ax.texts)
    assert "Most of their searches find nothing: baby monitor" in navigation.describe_menu(departments)
    matplotlib.pyplot.close(ax.figure)
    ax = navigation.plot_menu(departments[:0])
    assert ax.texts[0].get_text() == "nothing to show yet"
    assert navigation.describe_menu(departments[:0]).startswith("Nothing was looked for by enough")
    matplotlib.pyplot.close(ax.figure)


def test_nothing_was_searched(shop):
    log, *_, groups = shop
    empty = log.filter(log.query == "no such thing")
    needs, departments = navigation.menu(empty, groups), navigation.menu(empty, groups, by="department")
    assert len(needs) == len(departments) == len(navigation.two_levels(needs, departments)) == 0
    assert navigation.in_words(needs, departments) == "No wording was used by enough visitors to be told."
    counts, steps = queries.query_counts(empty), queries.next_wordings(empty)
    words = query_groups.wordings(counts)
    assert len(navigation.synonyms_to_add(words, counts, steps)) == len(navigation.misspelt(words, counts)) == 0


def test_results_that_are_not_known():
    log = queries.search_log(table(many(PLAN).drop(columns=["results", "clicked"])), as_of=AS_OF)
    groups = query_groups.group_queries(query_groups.wordings(queries.query_counts(log)))
    needs = navigation.menu(log, groups)
    assert np.isnan(needs["nothing"]).all()
    assert np.isnan(needs["conversion"]).all()
    ax = navigation.plot_menu(needs, by="need")
    assert "find nothing" not in ax.texts[0].get_text()
    matplotlib.pyplot.close(ax.figure)


def test_the_language_of_a_need_is_that_of_its_department():
    rows = [("fotel", "pl", "pl", 77), ("fotel", "en", "en", 39), ("milk", "", "pl", 21), ("milk", "en", "en", 16)]
    rows += [("pram", "", "", 8), ("seat", "en", "en", 90), ("vitamin", "", "en", 23), ("vitamin", "pl", "pl", 34)]
    rows += [("коляска", "uk", "uk", 50), ("коляска", "ru", "ru", 9)]
    frame = pd.DataFrame(rows, columns=["department_key", "head_language", "language", "visitors"])
    told = ["pl", "pl", "en", "en", "", "en", "pl", "pl", "uk", "ru"]  # nothing tells what a pram is
    assert query_groups._languages(frame).to_list() == told


def test_a_word_that_no_spelling_tells():
    for texts, told in ((["fotelik", "krople witamina d3", "pram"], {"pl"}), (["pram", "night nappies"], {"en"})):
        counts = pd.DataFrame({"query": texts, "sent": 9, "visitors": 9})
        assert set(query_groups.wordings(counts)["language"]) == told  # where all others are of one language
