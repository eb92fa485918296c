"""Actions and their items, and the whole round trip: run, workbook, a spreadsheet, the workshop, the next run."""

from dataclasses import replace
from pathlib import Path

import hand_plan as hand
import openpyxl
import pandas as pd
import pytest

from cxkit import kept_tables, triage, workbook, workshop
from cxkit.action_sheet import FINDING, WORKSHOP, link, to_sheet
from cxkit.tables import SHEETS

FINDINGS = [
    hand.finding("journey.touchpoint.cart", -9, -12, -6, unit="points", action="Mend carts."),
    hand.finding("loyalty.repeat_rate", 0.3, 0.2, 0.4, action="Plan returns."),
    hand.finding("loyalty.gini", 0.3, 0.2, 0.4),
]
ITEMS = hand.items(
    [
        {"item": "journey.touchpoint.cart", "quadrant": "weakness", "evidence": "journey.touchpoint.cart, loyalty.gini",
         "statement": "cart falls short.", "sphere": "logistics", "certainty": "certain", "voices": "data"},
        {"item": "said.1", "quadrant": "weakness", "statement": "Дзвінки будять дітей", "department": "delivery"},
        {"item": "loyalty.repeat_rate", "quadrant": "opportunity", "evidence": "loyalty.repeat_rate"},
        {"item": "loyalty.gini", "quadrant": "strength", "evidence": "loyalty.gini"},
    ]
)  # fmt: skip
NO_ROWS = pd.DataFrame({"statement": [], "item": []})


def linked(*rows: dict, said: pd.DataFrame = NO_ROWS) -> pd.DataFrame:
    return link(hand.sheet(list(rows)), ITEMS, FINDINGS, rows=said)


@pytest.mark.parametrize(
    ("item", "keys"),
    [
        ("said.1", "said.1"),
        ("дзвінки  будять дітей.", "said.1"),
        ("journey.touchpoint.cart", "journey.touchpoint.cart"),
        ("loyalty.gini", "loyalty.gini"),
        ("cart falls short.", "journey.touchpoint.cart"),
        ("said.1, loyalty.repeat_rate", "said.1, loyalty.repeat_rate"),
        ("their own words", "said.1"),
    ],
)
def test_an_action_finds_its_item(item, keys):
    said = pd.DataFrame({"statement": ["Their own words"], "item": ["said.1"]})
    found = linked({"action": "a", "item": item, "measure": "loyalty.gini"}, said=said).iloc[0]
    assert (found["items"], found["origin"], found["fault"]) == (keys, WORKSHOP, "")


def test_what_is_wrong_is_told_with_what_is_near():
    told = linked({"action": "a", "item": "cart fals short", "measure": "loyalty.repeat_rat"}, {"action": "b"})["fault"]
    assert "item 'cart fals short' is neither a statement of this audit nor a finding's id, did you mean" in told[0]
    assert "measure 'loyalty.repeat_rat' is no finding of this audit, did you mean 'loyalty.repeat_rate'?" in told[0]
    assert told[1] == (
        "it names no item: nothing says that it is needed; no measure: no finding will show whether it worked"
    )


def test_findings_propose_what_nobody_does_yet():
    found = linked({"action": "a", "item": "said.1", "department": "logistics"})
    made = found[found["origin"] == FINDING].set_index("items")
    assert made.index.tolist() == ["journey.touchpoint.cart", "loyalty.repeat_rate"]  # no strength, nothing only said
    assert made.loc["loyalty.repeat_rate", "action"] == "Plan returns."
    assert made.loc["journey.touchpoint.cart", "measure"] == "journey.touchpoint.cart"
    # the department that people name for the sphere of logistics; nobody names one for the other
    assert made.loc["journey.touchpoint.cart", "department"] in ("delivery", "logistics")
    assert made["owner"].isna().all()
    assert "journey.touchpoint.cart" not in linked({"action": "a", "item": "loyalty.gini, journey.touchpoint.cart"})[
        lambda f: f["origin"] == FINDING]["items"].tolist()  # fmt: skip


def test_an_action_of_much_effort_does_not_hide_the_findings_own():
    row = {"action": "a", "item": "journey.touchpoint.cart", "measure": "loyalty.gini"}
    for effort, own in ((3, False), (4, True), (None, False)):
        made = linked(row | {"effort": effort})
        assert ("Mend carts." in made["action"].tolist()) == own


def test_what_the_audit_refutes_does_not_hide_the_findings_own():
    claim = "Contacts grow {value}. Late orders do not explain it: their share changed by −16 % a year."
    grows = replace(hand.finding("service.growing.delivery_delay", 1, 0.5, 2, action="Read messages."), claim=claim)
    items = hand.items([{"item": grows.id, "quadrant": "weakness", "evidence": grows.id, "certainty": "certain"}])
    made = link(hand.sheet([{"action": "Tell of a late parcel", "item": grows.id, "effort": 1}]), items, [grows],
                rows=NO_ROWS).set_index("action")  # fmt: skip
    assert made["but"]["Tell of a late parcel"].startswith("the audit does not find this cause: late orders do not")
    assert made["but"]["Read messages."] == ""


def test_departments_are_one_whatever_their_capitals_and_a_scrubbed_owner_is_nobody():
    plain = {"item": "said.1", "measure": "loyalty.gini", "department": "site"}
    made = linked(plain | {"action": "a", "department": "Site", "owner": "[e-mail]"},
                  plain | {"action": "b", "owner": "Ann"}, plain | {"action": "c"})  # fmt: skip
    assert made["department"].tolist()[:3] == ["site"] * 3
    assert made["owner"].isna().tolist()[:3] == [True, False, True]
    assert made["fault"].tolist()[:3] == [
        "its owner was an e-mail or a phone, which no report keeps: write a name or a role",
        "",
        "",
    ]


def test_rows_that_are_the_same_are_one():
    row = {"action": "a", "item": "said.1", "measure": "loyalty.gini"}
    assert (linked(row, row, row | {"owner": "Ann"})["origin"] == WORKSHOP).sum() == 2


def test_proposals_in_the_same_words_say_what_they_are_about():
    alike = [replace(finding, action="Mend carts.") for finding in FINDINGS]
    made = link(hand.sheet([]), ITEMS, alike, rows=NO_ROWS)["action"].tolist()
    assert made == ["Mend carts (Label of journey.touchpoint.cart).", "Mend carts (Label of loyalty.repeat_rate)."]


def test_a_proposal_that_says_it_names_what_it_means():
    odd = replace(FINDINGS[1], action="Decide whether to offer it.")
    made = link(hand.sheet([]), ITEMS, [odd], rows=NO_ROWS)["action"].tolist()
    assert made == ["Decide whether to offer it (Label of loyalty.repeat_rate)."]
    named = replace(odd, action="See why “Shoes” comes back, and mend it.")
    assert link(hand.sheet([]), ITEMS, [named], rows=NO_ROWS)["action"][0] == named.action


def test_no_sheet_no_items_no_error():
    assert linked()["origin"].tolist() == [FINDING, FINDING]
    assert not len(link(hand.sheet([]), ITEMS[:0], [], rows=NO_ROWS))
    assert list(to_sheet(link(hand.sheet([]), ITEMS[:0], [], rows=NO_ROWS)).columns) == list(SHEETS["actions"].columns)


def test_the_round_trip(tmp_path: Path):
    """tables.xlsx -> its worksheet edited and saved as workshop/actions.xlsx -> the next run reads it."""
    first = linked(
        {"action": "=SUM(A1)", "item": "said.1", "department": "logistics", "owner": "Олена", "effort": 2,
         "measure": "loyalty.gini", "due": "2026-10-01", "after": "Second, with a comma"},
        {"action": "Second, with a comma", "item": "Дзвінки будять дітей", "measure": "loyalty.gini"},
    )  # fmt: skip
    kept_tables.write_table(to_sheet(first), tmp_path / "tables/10_swot.actions_sheet.csv")
    workbook.write_workbook(tmp_path / "tables", tmp_path / "tables.xlsx")
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    page = book["10_swot.actions_sheet"]
    assert [cell.value for cell in page[1]] == list(SHEETS["actions"].columns)
    assert page["A2"].value == "'=SUM(A1)"  # no spreadsheet runs it
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    page["D4"], page["E4"], page["G4"] = "Тарас", 3, pd.Timestamp("2026-11-15").to_pydatetime()
    for name in book.sheetnames:
        if name != page.title:
            del book[name]
    (tmp_path / "workshop").mkdir()
    book.save(tmp_path / "workshop/actions.xlsx")
    assert list(workshop.check(tmp_path)) == ["workshop/actions.xlsx"]
    read = workshop.read_sheet(tmp_path, "actions")
    assert read["action"].tolist()[:2] == ["=SUM(A1)", "Second, with a comma"]
    again = link(read, ITEMS, FINDINGS, rows=NO_ROWS)
    assert again["items"].tolist() == first["items"].tolist()
    assert again["origin"].unique().tolist() == [WORKSHOP]  # what findings proposed is the workshop's now
    assert again["due"].tolist()[0] == pd.Timestamp("2026-10-01")
    assert again["after"].tolist()[0] == "Second, with a comma"
    assert again["waits"].tolist()[:2] == first["waits"].tolist()[:2] == [(1,), ()]
    taken = again.iloc[2]
    assert (taken["owner"], taken["effort"], taken["due"]) == ("Тарас", 3.0, pd.Timestamp("2026-11-15"))
    assert set(triage.triage_actions(again, triage.triage(ITEMS))["triage"]) <= {"now", "gradually", "drop"}
    assert to_sheet(again)["item"].tolist() == to_sheet(first)["item"].tolist()
