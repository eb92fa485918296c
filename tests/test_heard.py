"""What was looked at and who was heard, in sentences."""

import pandas as pd

from cxkit import heard
from cxkit.tables import SHEETS, TABLES

BASIS = {"orders": 9030, "customers": 3992, "first": pd.Timestamp("2025-01-01"), "last": pd.Timestamp("2026-06-30")}


def test_what_was_looked_at_names_what_was_not_given_and_who_was_silent():
    accounting = pd.DataFrame({"table": ["orders", "events"], "kept": [14772, 119291]})
    sheets = {"swot": pd.DataFrame({"voice": ["customer", "customer", "employee"]}), "checklist": pd.DataFrame()}
    told = heard.looked_at(BASIS, accounting, sheets)
    assert told[0] == (
        "The audit rests on 9,030 orders of 3,992 customers, placed from 1 January 2025 to 30 June 2026."
    )
    assert told[1].startswith("Not given, and so not looked at: answers to surveys, contacts with support")
    assert told[2] == (
        "Beside the data, people were heard: 3 statements (2 of customers and 1 of employees; none of partners)."
    )
    assert heard.looked_at(BASIS, accounting, {})[2].startswith("Nobody was heard")
    scored = pd.DataFrame({"voice": ["customer"] * 6 + ["employee"], "item": ["a"] * 5 + ["b", "a"], "score": 1.0})
    assert heard.looked_at(BASIS, accounting, {"checklist": scored})[2] == (
        "Beside the data, people were heard: 5 answers to checklists (5 of customers, at most 5 to an item; too few of "
        "employees to be told; none of partners)."
    )
    assert heard.rows_read(accounting) == "The audit read 14,772 order lines and 119,291 steps of visits."
    assert heard.looked_at(BASIS | {"first": None}, accounting, {}) == ["The data hold no order that counts."]


def test_an_audit_without_its_first_page_does_not_say_what_was_not_given():
    assert heard.looked_at(BASIS, None, {}) == [
        "The audit rests on 9,030 orders of 3,992 customers, placed from 1 January 2025 to 30 June 2026.",
        "Nobody was heard beside the data: the workshop's sheets are empty.",
    ]
    assert heard.rows_read(None) == "How many rows the audit read was not counted: 00_data_quality was not run."


def test_sheets_that_are_filled_in_are_not_called_empty():
    sheets = {"actions": pd.DataFrame({"action": ["a", "b"]}), "context": pd.DataFrame({"statement": ["c"]})}
    assert heard.looked_at(BASIS, None, sheets)[1] == (
        "No statements and no answers to checklists were given; filled in are facts from outside (1) and actions (2)."
    )


def test_the_lists_name_what_the_kit_has():
    assert set(heard.TABLES) == set(TABLES)
    assert set(heard.ALL) == set(SHEETS)
