"""Triage: each side of each border of the rule, on items by hand."""

import hand_plan as hand
import pandas as pd

from cxkit.triage import RULE, heaped, heaps, ranked, rule, triage, triage_actions

SURE = {"item": "i", "quadrant": "weakness", "certainty": "certain", "voices": "data", "impact": 4.0, "evidence": "x.y"}


def actions(*rows: dict) -> pd.DataFrame:
    plain = {"items": "i", "effort": float("nan"), "due": None, "measure": "", "waits": (), "but": ""}
    frame = pd.DataFrame([{"action": f"a{n}"} | plain | row for n, row in enumerate(rows)], columns=["action", *plain])
    return frame.assign(due=pd.to_datetime(frame["due"]))


def heap(row: dict, act: dict | None = None) -> tuple[str, str]:
    """Of an item; with an action, of the action."""
    items = triage(hand.items([SURE | row]))
    found = (items if act is None else triage_actions(actions(act), items)).iloc[0]
    return found["triage"], found["why"]


def test_now_needs_to_be_sure_great_and_easy():
    assert heap({}) == ("now", "the data are certain, its impact is 4 of 5")
    assert heap({}, {}) == ("now", "the data are certain, its impact is 4 of 5, its effort is not known yet")
    assert heap({}, {"effort": 3.0})[0] == "now"
    assert heap({}, {"effort": 4.0}) == ("gradually", "its effort is 4 of 5, more than 3")
    assert (
        heap({"impact": 3.0}, {"effort": 4.0})[1]
        == "its impact is 3 of 5, less than 4, its effort is 4 of 5, more than 3"
    )
    assert heap({"impact": 3.5}) == ("gradually", "its impact is 3.5 of 5, less than 4")
    assert heap({"certainty": "likely"}) == ("gradually", "the data are not certain, and one voice alone says it")


def test_two_voices_are_as_good_as_the_data():
    said = {"certainty": "said", "evidence": "", "impact": 5.0}
    assert heap(said | {"voices": "customer, employee"})[0] == "now"
    assert heap(said | {"voices": "data, customer", "certainty": "likely"})[1].startswith("2 voices say it")
    # two people of one voice are evidence, and still one voice
    assert heap(said | {"voices": "customer", "supporters": 2})[0] == "gradually"


def test_no_evidence_no_action():
    alone = {"certainty": "said", "evidence": "", "voices": "employee", "impact": 5.0}
    assert heap(alone) == ("drop", "one statement alone stands behind it: no action before there is evidence")
    assert heap(alone | {"quotes": "It failed."})[0] == "gradually"
    outside = alone | {"voices": "", "sources": "the law", "quadrant": "threat"}
    assert heap(outside) == ("gradually", "the data are not certain, and a source outside alone says it")
    assert heap(outside | {"sources": ""})[0] == "evidence first"


def test_what_may_come_is_not_dropped_for_want_of_evidence():
    alone = {"certainty": "said", "evidence": "", "voices": "employee", "impact": 4.0, "quadrant": "threat"}
    asked = "one statement alone stands behind it: ask customers and partners, or look for a source"
    assert heap(alone) == ("evidence first", asked)
    assert heap(alone | {"quadrant": "opportunity"})[0] == "evidence first"
    assert heap(alone | {"quotes": "It failed."})[0] == "gradually"
    assert heap(alone, {"effort": 1.0})[0] == "drop"  # no action before


def test_a_possible_cause_of_what_is_for_now_is_checked_with_it():
    place = {"sphere": "logistics", "department": "logistics"}
    late = SURE | place | {"item": "service.late.courier", "statement": "Courier is late."}
    alone = place | {"item": "said.x", "statement": "Couriers are told too late", "quadrant": "weakness",
                     "voices": "partner"}  # fmt: skip
    found = triage(hand.items([late, alone])).set_index("item").loc["said.x"]
    assert (found["triage"], found["pressing"]) == ("gradually", False)
    assert found["why"].endswith("it may be a cause of “Courier is late” and is checked with that")
    assert triage(hand.items([late | {"impact": 2.0}, alone]))["triage"].tolist() == ["gradually", "drop"]


def test_strengths_stand_the_surest_first():
    rows = [{"item": "b", "impact": 4.0}, {"item": "a", "certainty": "likely"}, {"item": "c", "certainty": "certain"}]
    found = ranked(triage(hand.items([row | {"quadrant": "strength"} for row in rows])))
    assert found["item"].tolist() == ["c", "a", "b"]


def test_the_greatest_effort_for_little_is_dropped():
    assert heap({"impact": 2.0}, {"effort": 5.0}) == ("drop", "the greatest effort for an impact of 2 of 5")
    assert heap({"impact": 2.0}, {"effort": 4.0})[0] == "gradually"
    assert heap({"impact": 3.0}, {"effort": 5.0})[0] == "gradually"


def test_no_evidence_no_action_however_easy():
    alone = {"certainty": "said", "evidence": "", "voices": "employee", "impact": 5.0}
    assert heap(alone, {"effort": 1.0})[0] == "drop"


def test_strengths_are_kept():
    assert heap({"quadrant": "strength"}) == ("", "a strength: keep it so")


def test_pressing_are_the_weaknesses_for_now_whatever_their_effort():
    rows = [SURE, SURE | {"item": "o", "quadrant": "opportunity"}, SURE | {"item": "k", "impact": 2.0}]
    found = triage(hand.items(rows))
    assert found["pressing"].tolist() == [True, False, False]
    assert found["triage"].tolist() == ["now", "now", "gradually"]
    acted = triage_actions(actions({"effort": 5.0}, {"effort": 2.0}), found)
    assert acted["triage"].tolist() == ["gradually", "now"]  # effort decides of the action alone


def of_actions(*acts: dict, rows: list[dict] | None = None) -> pd.DataFrame:
    return triage_actions(actions(*acts), hand.items(rows or [SURE]))


def test_an_action_that_nothing_asks_for_is_dropped():
    found = of_actions({"items": ""}, {"items": "gone"}, {})
    assert found["triage"].tolist() == ["drop", "drop", "now"]
    assert found["why"][0] == "no item of this audit asks for it (no evidence, no action)"


def test_an_action_is_as_urgent_as_the_most_urgent_of_its_items():
    rows = [SURE, SURE | {"item": "k", "impact": 1.0}]
    found = of_actions({"items": "k, i"}, {"items": "k"}, {"items": "k", "effort": 5.0}, rows=rows)
    assert found["triage"].tolist() == ["now", "gradually", "drop"]
    assert found["impact"].tolist() == [4.0, 1.0, 1.0]
    assert pd.isna(of_actions({"items": "gone"})["impact"][0])


def test_an_action_waits_for_what_the_sheet_names_and_for_no_day():
    found = of_actions({"due": "2026-09-01"}, {"due": "2026-10-01"}, {"waits": (1, 0)})
    assert found["triage"].tolist() == ["now", "now", "gradually"]
    assert found["waits_for"].tolist() == ["", "", "a1; a0"]
    assert found["why"][2] == "waits for “a1” and “a0”"


def test_who_waits_for_what_is_dropped_is_told_so():
    rows = [SURE, SURE | {"item": "k", "impact": 1.0}]
    found = of_actions({"items": "k", "effort": 5.0}, {"waits": (0,)}, {"items": "k", "waits": (1,)}, rows=rows)
    assert found["triage"].tolist() == ["drop", "gradually", "gradually"]
    assert found["why"][1] == "waits for “a0”, which is not to be done"
    assert found["why"][2] == "its impact is 1 of 5, less than 4"  # it is not urgent anyway


def test_what_mends_a_refuted_cause_is_not_for_now():
    found = of_actions({"but": "the audit does not find this cause: …"}, {})
    assert found["triage"].tolist() == ["gradually", "now"]
    assert found["why"][0].startswith("the audit does not find this cause")


def test_ranked_and_counted():
    rows = [SURE | {"item": "b", "impact": 4.0}, SURE | {"item": "a", "impact": 4.0, "stake": 5.0}]
    rows += [SURE | {"item": "c", "impact": 5.0}, SURE | {"item": "d", "impact": 1.0}]
    rows += [SURE | {"item": "s", "quadrant": "strength"}]
    found = ranked(triage(hand.items(rows)))
    assert found["item"].tolist() == ["s", "c", "a", "b", "d"]
    assert heaps(found) == (
        "Of 4 weaknesses, opportunities and threats: 3 to be done now, 1 gradually, 0 to be asked after first, "
        "0 not at all."
    )
    told = heaped(found)
    assert told["item"].tolist() == ["c", "a", "b", "d"]
    assert told["heap"].tolist() == ["Now"] * 3 + ["Gradually"]


def test_the_rule_is_told_as_it_is_used():
    assert rule()["triage"].tolist() == ["evidence first", "drop", "now", "gradually"]
    assert "4 of 5 or more" in RULE["now"]


def test_nothing_of_nothing():
    empty = triage(hand.items([SURE])[:0])
    assert not len(triage_actions(actions(), empty))
    assert heaps(empty).startswith("Of 0 weaknesses")
    assert not len(heaped(ranked(empty)))


def test_of_no_action_the_texts_are_texts():
    found = triage_actions(actions(), hand.items([SURE]))
    assert not len(found)
    assert not found["why"].str.endswith("x").any()
