"""TOWS: what joins two items, what does not, and in which order; on items by hand."""

import hand_plan as hand
import pytest

from cxkit.tows import in_words, proposals, short

AT, ABOUT = "journey.touchpoint.cart", "feedback.touchpoint.cart"


def pair(one: dict, other: dict, **more):
    strong = {"item": "s", "quadrant": "strength", "quotes": "Good."}
    opens = {"item": "o", "quadrant": "opportunity", "quotes": "More."}
    return proposals(hand.items([strong | one, opens | other]), **more)


def test_a_touchpoint_joins_and_is_named():
    found = pair({"evidence": "journey.touchpoint.Payment page"}, {"evidence": "feedback.touchpoint.payment_page"})
    assert found["kind"].tolist() == ["SO"]
    assert found["because"][0].startswith("both are about “payment page”; ")
    assert found["joins"][0] == "s, o"


def test_two_words_that_few_others_use_join_and_one_does_not():
    found = pair({"statement": "The night warehouse is quick"}, {"statement": "Rents of warehouses fall at night"})
    assert found["because"][0] == "both speak of “night” and “warehouses”; strength: employee; opportunity: employee"
    assert not len(pair({"statement": "The warehouse is quick"}, {"statement": "Rents of warehouses fall"}))


def test_a_number_that_speaks_of_both_joins():
    found = pair({"evidence": "loyalty.gini, loyalty.repeat_rate"}, {"evidence": "loyalty.repeat_rate"})
    assert found["because"][0].startswith("one number speaks of both; ")


def test_a_topic_joins_the_data_and_what_is_known_outside():
    back = {"item": "service.returned.shoes", "quadrant": "weakness", "evidence": "service.returned.shoes",
            "certainty": "certain", "voices": "data"}  # fmt: skip
    law = {"item": "t", "quadrant": "threat", "statement": "Consumers may send goods back within 14 days",
           "voices": "", "sources": "the law"}  # fmt: skip
    late = back | {"item": "service.late.courier", "evidence": "service.late.courier", "impact": 5.0}
    lockers = law | {"item": "o", "quadrant": "opportunity", "statement": "Parcel lockers reach more villages"}
    found = proposals(hand.items([back, law, late, lockers]))
    assert found["joins"].tolist() == ["service.late.courier, o", "service.returned.shoes, t"]
    assert [text.partition(";")[0] for text in found["because"]] == [
        "both are about how parcels reach customers", "both are about sending goods back"]  # fmt: skip
    assert found["proposal"][0] == (
        "See whether what opens, “Parcel lockers reach more villages”, helps to mend “service.late.courier”; else mend "
        "that first."
    )


@pytest.mark.parametrize("side", [0, 1])
def test_an_item_without_evidence_is_not_joined(side):
    words = [{"statement": "The night warehouse"}, {"statement": "The night warehouse"}]
    words[side]["quotes"] = ""
    assert not len(pair(*words))
    words[side] |= {"voices": "", "sources": "the law"}  # of what comes from outside the source is the evidence
    assert len(pair(*words)) == 1


def test_a_proposal_calls_what_the_data_know_by_its_label():
    one = {"item": AT, "evidence": AT, "certainty": "certain", "statement": "The cart falls short."}
    found = pair(one, {"evidence": ABOUT, "statement": "Carts"}, labels={AT: "The cart: NPS", "o": "x"})
    assert found["proposal"][0] == "Use what is strong, “The cart: NPS”, to take up what opens, “Carts”."


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
    assert in_words(found).startswith("Nothing joins: no strength or weakness that has evidence shares")


def test_the_words_of_the_datas_own_sentence_join_nothing():
    found = pair({"statement": "Revenue of night parcels", "certainty": "certain"}, {"statement": "Night parcels grow"})
    assert not len(found)
    own = pair({"item": "search.missing.balance_bikes", "certainty": "certain"}, {"statement": "Balance of the bikes"})
    assert "both speak of “balance” and “bikes”" in own["because"][0]


def test_a_sphere_alone_joins_nothing_and_is_told():
    assert not len(pair({"sphere": "logistics"}, {"sphere": "logistics"}))
    one, other = {"sphere": "site", "evidence": AT}, {"sphere": "site", "evidence": ABOUT}
    assert pair(one, other, spheres={"site": "Site"})["because"][0].startswith("both are about “cart” (Site); ")
    assert pair(one, other | {"sphere": ""}, spheres={"site": "Site"})["because"][0].startswith(
        "both are about “cart”; "
    )


def test_who_says_each_is_told():
    data = {"evidence": AT, "voices": "data, customer", "certainty": "certain"}
    outside = {"evidence": ABOUT, "voices": "", "sources": "the law"}
    found = pair(data, outside)
    assert found["because"][0].endswith("strength: the data (certain), customer; opportunity: the law")


def test_each_item_once_a_kind_and_the_weightiest_first():
    strong = [{"item": f"s{n}", "quadrant": "strength", "evidence": AT, "impact": float(n)} for n in range(1, 6)]
    weak = [{"item": "w", "quadrant": "weakness", "evidence": AT, "impact": 5.0}]
    outer = [{"item": f"t{n}", "quadrant": "threat", "evidence": ABOUT, "impact": float(n)} for n in range(1, 6)]
    found = proposals(hand.items(strong + weak + outer))
    assert found.groupby("kind").size().to_dict() == {"ST": 3, "WT": 1}
    assert found["joins"].tolist() == ["s5, t5", "s4, t4", "s3, t3", "w, t5"]
    assert found["impact"].tolist() == [10, 8, 6, 10]
    assert in_words(found).endswith(
        "None was found for strengths that take up an opportunity, weaknesses that an opportunity may help to mend, or "
        "has to wait for."
    )


@pytest.mark.parametrize(
    ("heap", "told"),
    [
        ("now", "Mend “Slow” first: it leaves the shop open to “Rivals”."),
        ("gradually", "“Slow” leaves the shop open to “Rivals”: mend it in its turn, as the plan says."),
    ],
)
def test_only_what_is_for_now_is_to_be_mended_first(heap, told):
    at = {"evidence": "journey.touchpoint.cart", "triage": heap}
    rows = [{"item": "w", "quadrant": "weakness", "statement": "Slow"} | at,
            {"item": "t", "quadrant": "threat", "statement": "Rivals"} | at,
            {"item": "o", "quadrant": "opportunity", "statement": "Growth"} | at]  # fmt: skip
    found = proposals(hand.items(rows)).set_index("kind")["proposal"]
    assert found["WT"] == told
    assert found["WO"].endswith("else mend that first.") == (heap == "now")


def test_the_order_of_the_rows_decides_nothing():
    rows = [{"item": f"{q[0]}{n}", "quadrant": q, "evidence": AT} for q in ("strength", "threat") for n in range(4)]
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
    found = pair({"statement": statement, "evidence": AT}, {"evidence": ABOUT})
    assert f"“{told}”" in found["proposal"][0]
