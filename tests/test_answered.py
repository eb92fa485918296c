"""Who answered the checklists, and who did not."""

from pathlib import Path
from types import SimpleNamespace

import nbformat
import pandas as pd
import pytest
from demo_raw import DEMO
from hand_answers_to_items import answers, items

from cxkit import answered as an
from cxkit import maturity, workshop
from cxkit.estimates import Estimate
from cxkit.findings import Finding

ITEMS = items("a.one", "a.two", "b.three", answered_by={"b.three": ("employee",)})
TOLD = answers(
    [
        ("a.one", "customer", [1, 2, 3, 2, 1]), ("a.one", "employee", [4, 4, 4, 3, 3, 2], "support"),
        ("a.one", "employee", [1, 1, 2, 1, 1, 2], "site"), ("a.two", "customer", [1, 2]),
    ]
)  # fmt: skip


def test_coverage_by_hand():
    frame = an.coverage(maturity.scores(TOLD, ITEMS), ITEMS).set_index("list")
    assert frame.loc["a"].to_dict() == {
        "list_name": "A", "items": 2, "answered": 1, "customer": 1, "partner": 0, "employee": 1, "withheld": 1,
        "unheard": 2, "unanswered": "",
    }  # fmt: skip
    assert frame.loc["b", ["answered", "unheard", "unanswered"]].tolist() == [0, 0, "b.three"]
    whom = an.unheard_items(maturity.scores(TOLD, ITEMS), ITEMS)
    assert whom["unheard"].tolist() == ["partner", "partner, employee"]
    assert whom["heard"].tolist() == ["customer, employee", "customer"]


def test_departments_by_hand():
    frame = an.departments(TOLD).set_index("department")
    assert frame["people"].to_dict() == {"site": 6, "support": 6}
    assert frame["mean"].round(3).to_dict() == {"site": 1.333, "support": 3.333}
    assert (frame["low"] < frame["mean"]).all()


def test_the_order_of_the_sheet_changes_not_one_bit_of_departments():
    sheet = workshop.read_sheet(DEMO, "checklist")
    for seed in range(5):
        mixed = an.departments(sheet.sample(frac=1, random_state=seed))
        pd.testing.assert_frame_equal(an.departments(sheet), mixed, check_exact=True)


def test_a_small_department_is_withheld_with_one_from_which_it_could_be_worked_out():
    more = answers([("a.one", "employee", [0, 0], "finance"), ("a.one", "employee", [3], None)])
    frame = an.departments(pd.concat([TOLD, more], ignore_index=True)).set_index("department")
    assert frame.loc[["finance", "not stated"], ["people", "mean", "low"]].isna().all(axis=None)
    # three people together are under five: a third group goes with them
    assert frame["mean"].notna().sum() == 1


def test_it_is_said_in_words():
    covered = an.coverage(maturity.scores(TOLD, ITEMS), ITEMS)
    told = " ".join(an.coverage_sentences(covered, an.departments(TOLD)))
    assert "1 of 3 items has at least 5 answers of one voice." in told
    assert "Not heard: partners." in told
    assert "1 item has a voice of under 5 answers, which is withheld." in told
    assert "Employees of 2 departments answered." in told
    few = an.coverage_sentences(covered, an.departments(answers([("a.one", "employee", [1, 2], "site")])))
    assert few[-1] == "Employees of 1 department answered, each of too few people to be shown apart."


def test_what_to_ask_names_the_items_and_not_their_qualities():
    known = items("b.one", "b.two", "b.three", "b.four", "b.four.sure", part_of={"b.four.sure": "b.four"})
    frame = an.to_ask(an.coverage(maturity.scores(TOLD[:0], known), known), known)
    assert frame.iloc[0].tolist() == ["B", 5, "one; two; three, and 1 more"]


def test_evidence_stands_without_who_said_it_and_is_made_plain():
    hostile = ["=HYPERLINK(1)\u202e", "<script>x</script>", None, "=HYPERLINK(1)", " "]
    told = TOLD[:5].assign(evidence=hostile)
    frame = an.stated_evidence(told, maturity.scores(told, ITEMS), ITEMS)
    assert list(frame.columns) == ["item", "name", "evidence", "times"]
    assert dict(zip(frame["evidence"], frame["times"], strict=True)) == {"<script>x</script>": 1, "=HYPERLINK(1)": 2}
    assert an.evidence_why(frame) == (
        "Evidence was written down for 1 item, and it is shown only when a person has read the words."
    )


def test_numbers_named_as_evidence_stand_under_the_names_that_readers_know():
    told = TOLD[:5].assign(evidence=["service.late_share, loyalty.gini", "a handbook", None, None, None])
    stated = an.stated_evidence(told, maturity.scores(told, ITEMS), ITEMS)
    late = Finding("service.late_share", "{value}", Estimate(0.1, 0.0, 0.2, 9, "share", 0.95, "Wilson"), "Late orders")
    frame = an.evidence_named(stated, [late])
    assert frame["evidence"].tolist() == ["a handbook", "Late orders, loyalty.gini (not found in this audit)"]


def test_the_evidence_of_a_withheld_group_is_never_among_it():
    told = TOLD.assign(evidence=[f"words {row}" for row in range(len(TOLD))])
    frame = an.stated_evidence(told, maturity.scores(told, ITEMS), ITEMS)
    assert set(frame["item"]) == {"a.one"}, "of a.two two customers told, which is withheld"
    assert len(frame) == 17


@pytest.mark.parametrize("quotes", ["none", "reviewed"])
def test_the_notebook_shows_evidence_only_when_a_person_has_read_it(quotes):
    cells = nbformat.read(Path(__file__).parents[1] / "notebooks" / "09_maturity.ipynb", 4).cells
    cell = next(cell.source for cell in cells if "answered.stated_evidence" in cell.source)
    told, shown, open_ = TOLD.assign(evidence="I, Olena of Lviv, waited"), [], []
    names = {"answered": an, "answers": told, "scores": maturity.scores(told, ITEMS), "items": ITEMS}
    names |= {"run": SimpleNamespace(client=SimpleNamespace(quotes=quotes), findings=list)}
    names |= {"show_table": lambda frame, *_, **__: shown.append(frame)}
    names |= {"not_assessed": lambda *_, **told: open_.append(told)}
    exec(cell, names)
    assert (len(shown), len(open_)) == ((1, 0) if quotes == "reviewed" else (0, 1))
    assert "Olena" not in str(open_)


def test_an_empty_sheet():
    scores = maturity.scores(TOLD[:0], ITEMS)
    assert an.departments(TOLD[:0]).empty
    assert an.unheard_items(scores, ITEMS).empty
    assert an.stated_evidence(TOLD[:0], scores, ITEMS).empty
    said = an.coverage_sentences(an.coverage(scores, ITEMS), an.departments(TOLD[:0]))
    assert said == ["0 of 3 items have at least 5 answers of one voice."]


def test_what_the_page_rests_on_counts_answers_and_people():
    rows = [("customer", "a.one")] * 6 + [("customer", "a.two")] * 5 + [("employee", "a.one")] * 3
    given = pd.DataFrame(rows, columns=["voice", "item"]).assign(score=2.0)
    (told,) = an.rests_on(given)["rests_on"]
    assert told == "14 answers to checklists; to an item at most 6 customers and under 5 employees"
    assert an.rests_on(given[:0])["rests_on"].tolist() == ["no answer to a checklist"]


def test_what_nobody_answered_is_counted_and_whole_checklists_are_named():
    covered = pd.DataFrame(
        {"list_name": ["Trust", "Service"], "items": [3, 2], "unanswered": ["trust.a", "service.a, service.b"]}
    )
    what, why = an.unanswered(covered)
    assert what == "how far 3 of the 5 items of the checklists are done"
    assert why == "Nobody answered them; of these checklists not one item: Service (2)."
    one = ("how far 1 of the 3 items of the checklists is done", "Nobody answered it.")
    assert an.unanswered(covered[:1]) == one
    assert an.unanswered(covered.assign(unanswered="")) == ("", "")
