"""The workshop's sheets: their columns, values and voices are what tables.py asks for."""

import pandas as pd
import pytest
from demo_raw import DEMO, clean

from cxkit import balance, maturity
from cxkit.checklists import kind_names, read_checklists
from cxkit.demo_plan import read_yaml, streams
from cxkit.demo_workshop import checklist, write_workshop
from cxkit.findings import is_finding
from cxkit.tables import SHEETS


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_a_sheet_has_the_columns_and_values_of_tables(name):
    frame = pd.read_csv(DEMO / "workshop" / f"{name}.csv", dtype=str, keep_default_na=False)
    columns = SHEETS[name].columns
    assert list(frame.columns) == list(columns)
    assert len(frame) > 3
    for column in columns.values():
        values = frame[column.name]
        filled = values[values != ""]
        assert len(filled) == len(values) or not column.required, column.name
        if column.valid:
            assert set(filled) <= set(column.valid)
        if column.scale:
            assert pd.to_numeric(filled).between(*column.scale).all()
        if column.type == "date":
            assert pd.to_datetime(filled, format="%Y-%m-%d").notna().all()


def test_all_three_voices_speak_and_in_three_languages():
    frame = pd.read_csv(DEMO / "workshop" / "swot.csv")
    assert set(frame["voice"]) == {"customer", "partner", "employee"}
    assert frame["statement"].str.contains("[іїєґ]").any()
    assert frame["statement"].str.contains("[ąęłńśźż]").any()


def test_touchpoints_of_the_events_are_all_in_the_sheet():
    sheet = set(pd.read_csv(DEMO / "workshop" / "touchpoints.csv")["touchpoint"])
    assert set(read_yaml("demo.yml")["touches"]["next"]) <= sheet
    assert set(pd.read_csv(DEMO / "workshop" / "criteria.csv")["touchpoint"]) <= sheet


def test_quotes_are_whole_comments_of_the_demo_in_three_languages():
    sheet = pd.read_csv(DEMO / "workshop" / "quotes.csv")
    assert set(sheet["touchpoint"]) == {"advice", "payment_page", "delivery", "product", "support"}
    kind, score = zip(*sheet["source"].str.removeprefix("survey, ").str.split(" "), strict=True)
    quoted = sheet.assign(Question=kind, Answer=score).rename(columns={"touchpoint": "About", "quote": "Comment"})
    answers = clean("surveys", "Answered")[["About", "Comment", "Question", "Answer"]].drop_duplicates()
    assert len(quoted.merge(answers)) == len(quoted)
    for letters in ("[іїєґ]", "[ąęłńśźż]", "^[A-Za-z .]+$"):
        assert sheet["quote"].str.contains(letters).any()


def test_actions_are_measured_by_findings_of_the_journey():
    measures = set(pd.read_csv(DEMO / "workshop" / "actions.csv")["measure"].dropna())
    assert {"journey.touchpoint.payment_page", "journey.touchpoint.advice"} <= measures


def test_what_sheets_name_by_an_id_is_a_finding_of_the_kit():
    named = [*pd.read_csv(DEMO / "workshop" / "actions.csv")["measure"].dropna()]
    evidence = pd.read_csv(DEMO / "workshop" / "swot.csv")["evidence"].dropna()
    named += [text for text in evidence if " " not in text]
    assert len(named) > 7
    assert [id for id in named if not is_finding(id)] == []


def test_every_voice_answers_every_item_of_the_checklist():
    facts = read_yaml("demo_workshop.yml")["checklist"]
    rows = checklist(facts, streams(1, 0)("workshop.checklist"))
    frame = pd.DataFrame(rows, columns=list(SHEETS["checklist"].columns))
    table = frame.groupby(["item", "voice"]).size().unstack()
    assert (table[list(facts["people"])] == list(facts["people"].values())).all(axis=None)
    means = frame.groupby(["item", "voice"])["score"].mean().unstack()
    planted = pd.DataFrame(facts["items"]).T
    assert (means - planted).abs().max(axis=None) < 1.1
    apart = (means["employee"] - means["customer"]).nlargest(2).index
    assert set(apart) == {"trust.16_be_reliable", "trust.07_exceed_expectations"}


def test_who_was_asked_online_answers_every_item_and_nobody_else_does():
    """Voices without a mean are not asked, evidence stands beside the first employees' scores."""
    facts = read_yaml("demo_workshop.yml")["checklist_online"]
    known = read_checklists().set_index("item")
    assert set(facts["items"]) <= set(known.index)
    rows = checklist(facts, streams(1, 0)("workshop.checklist_online"))
    frame = pd.DataFrame(rows, columns=list(SHEETS["checklist"].columns))
    counts = frame.groupby(["item", "voice"]).size()
    asked = {(item, voice): facts["people"][voice] for item, means in facts["items"].items() for voice in means}
    assert counts.to_dict() == asked
    assert all(set(means) <= set(known.loc[item, "answered_by"]) for item, means in facts["items"].items())
    written = frame[frame["evidence"] != ""]
    assert set(written["voice"]) == {"employee"}
    assert written.groupby("item")["evidence"].agg(list).to_dict() == facts["evidence"]


def test_one_kind_of_orientation_is_planted_and_where_nothing_is_nothing_is_told(tmp_path):
    write_workshop(tmp_path, streams(1, 0))
    items, kinds = read_checklists(), kind_names()
    told = maturity.scores(pd.read_csv(tmp_path / "checklist.csv", dtype={"score": float}), items)
    verdicts = balance.balance(told, items, kinds).set_index("kind")["verdict"]
    assert verdicts["product_quality"] == balance.MORE
    assert set(verdicts.drop("product_quality")) == {balance.EARLY}
    write_workshop(tmp_path, streams(1, 0), planted=False)
    told = maturity.scores(pd.read_csv(tmp_path / "checklist.csv", dtype={"score": float}), items)
    assert set(balance.balance(told, items, kinds)["verdict"]) == {balance.EARLY}
    assert set(maturity.gaps(told)["verdict"]) == set(maturity.standing(told)["verdict"]) == {maturity.EARLY}


def test_a_row_with_a_field_too_many_is_an_error(tmp_path, monkeypatch):
    wrong = {"sheets": {"swot": {"columns": ["statement"], "rows": [["a", "b"]]}}}
    monkeypatch.setattr("cxkit.demo_workshop.read_yaml", lambda _: wrong)
    with pytest.raises(ValueError, match=r"sheet 'swot' has 1 columns; this row has 2"):
        write_workshop(tmp_path, streams(1, 0))
