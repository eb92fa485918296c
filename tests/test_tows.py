"""TOWS: what joins two items, what does not, and in which order; on items by hand."""

import hand_plan as hand
import pytest

from cxkit.tows import in_words, proposals, short


def pair(one: dict, other: dict, **more):
    strong, opens = {"item": "s", "quadrant": "strength"}, {"item": "o", "quadrant": "opportunity"}
    return proposals(hand.items([strong | one, opens | other]), **more)


def test_a_touchpoint_joins_and_is_named():
    found = pair({"evidence": "journey.touchpoint.Payment page"}, {"evidence": "feedback.touchpoint.payment_page"})
    assert found["kind"].tolist() == ["SO"]
    assert found["because"][0].startswith("both are about payment_page; ")
    assert found["joins"][0] == "s, o"


def test_a_word_that_few_others_use_joins():
    found = pair({"statement": "The warehouse is quick"}, {"statement": "Rents of warehouses fall"})
    assert found["because"][0] == "both speak of “warehouses”; strength: employee; opportunity: employee"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Quick parcels", "Cheap rents"),  # nothing in common
        ("Customers are loyal", "More customers come"),  # what everything is about
        ("This is so with them", "This was so with those"),  # stop words and short ones
    ],
)
def test_what_has_nothing_in_common_is_not_joined(one, other):
    found = pair({"statement": one}, {"statement": other})
    assert not len(found)
    assert in_words(found).startswith("No strength or weakness has a touchpoint, a word or a sphere in common")


def test_the_words_of_the_datas_own_sentence_join_nothing():
    found = pair({"statement": "Revenue of parcels", "certainty": "certain"}, {"statement": "Parcels grow"})
    assert not len(found)
    own = pair({"item": "search.missing.balance_bikes", "certainty": "certain"}, {"statement": "Balance is in fashion"})
    assert "both speak of “balance”" in own["because"][0]


def test_a_sphere_joins_but_not_the_whole_company():
    found = pair({"sphere": "logistics"}, {"sphere": "logistics"}, spheres={"logistics": "Logistics"})
    assert found["because"][0].startswith("both lie in Logistics; ")
    assert not len(pair({"sphere": "company"}, {"sphere": "company"}))
    assert not len(pair({"sphere": ""}, {"sphere": ""}))


def test_who_says_each_is_told():
    data = {"sphere": "site", "voices": "data, customer", "certainty": "certain"}
    outside = {"sphere": "site", "voices": "", "sources": "the law"}
    found = pair(data, outside)
    assert found["because"][0].endswith("strength: the data (certain), customer; opportunity: the law")


def test_each_item_once_a_kind_and_the_weightiest_first():
    strong = [{"item": f"s{n}", "quadrant": "strength", "sphere": "site", "impact": float(n)} for n in range(1, 6)]
    weak = [{"item": "w", "quadrant": "weakness", "sphere": "site", "impact": 5.0}]
    outer = [{"item": f"t{n}", "quadrant": "threat", "sphere": "site", "impact": float(n)} for n in range(1, 6)]
    found = proposals(hand.items(strong + weak + outer))
    assert found.groupby("kind").size().to_dict() == {"ST": 3, "WT": 1}
    assert found["joins"].tolist() == ["s5, t5", "s4, t4", "s3, t3", "w, t5"]
    assert found["impact"].tolist() == [10, 8, 6, 10]
    assert in_words(found).endswith(
        "None was found for strengths that take up an opportunity, weaknesses that stand in an opportunity's way."
    )


def test_the_order_of_the_rows_decides_nothing():
    rows = [{"item": f"{q[0]}{n}", "quadrant": q, "sphere": "site"} for q in ("strength", "threat") for n in range(4)]
    assert proposals(hand.items(rows)).equals(proposals(hand.items(rows[::-1])))


def test_nothing_of_nothing():
    assert list(proposals(hand.items([{"item": "s", "quadrant": "strength"}]))["kind"]) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("36 % come back (35–38 %, n = 2).", "36 % come back"),
        ("Bikes: 100 % find nothing (96–100 %). If visits ended so, more.", "Bikes: 100 % find nothing"),
        ("Contacts about “late” grew", "Contacts about ‘late’ grew"),
        ("It costs 3.5 a day", "It costs 3.5 a day"),
        ("{braces} stay", "{braces} stay"),
    ],
)
def test_a_statement_in_a_sentence(statement, told):
    assert short(statement) == told
    found = pair({"statement": statement, "sphere": "site"}, {"sphere": "site"})
    assert f"“{told}”" in found["proposal"][0]
