"""The workshop's sheets: what is read from them, and that every fault is told with its file, row, column and mend."""

import random
import stat
from datetime import date

import ibis
import openpyxl
import pandas as pd
import pytest
from demo_raw import DEMO

from cxkit import workshop
from cxkit.errors import DataError, UsageError
from cxkit.tables import SHEETS

TOUCHPOINTS = "touchpoint,stage,parent,channel,importance,promise,owner\n"


def write(folder, **sheets):
    """Writes sheets (touchpoints_csv="…", or bytes) under workshop/."""
    (folder / "workshop").mkdir(exist_ok=True)
    for name, content in sheets.items():
        stem, suffix = name.rsplit("_", 1)
        raw = content if isinstance(content, bytes) else content.encode("utf-8")
        (folder / "workshop" / f"{stem}.{suffix}").write_bytes(raw)
    return folder


def told(folder, **more):
    with pytest.raises(DataError) as error:
        workshop.check(folder, **more)
    return str(error.value)


def fault(folder, **sheets):
    return told(write(folder, **sheets))


@pytest.mark.parametrize("name", list(SHEETS))
def test_every_sheet_of_the_demo_is_read_with_its_columns_and_types(name):
    frame = workshop.read_sheet(DEMO, name)
    kinds = {"integer": "float64", "number": "float64", "date": "datetime64[s]"}
    assert {c: str(t) for c, t in frame.dtypes.items()} == {
        c.name: kinds.get(c.type, "str") for c in SHEETS[name].columns.values()
    }
    raw = pd.read_csv(DEMO / "workshop" / f"{name}.csv", dtype=str, keep_default_na=False)
    raw = raw.reindex(columns=list(SHEETS[name].columns), fill_value="")  # a sheet may lack what may stay empty
    assert len(frame) == len(raw)
    for column in SHEETS[name].columns.values():
        assert (frame[column.name].isna() == (raw[column.name] == "")).all()
        if column.type == "text":
            assert frame[column.name].dropna().tolist() == [v for v in raw[column.name] if v]


def test_the_demo_passes_and_its_files_are_told_with_their_hashes():
    hashes = workshop.check(DEMO)
    assert list(hashes) == [f"workshop/{name}.csv" for name in SHEETS]
    assert all(len(value) == 64 for value in hashes.values())


def test_a_changed_sheet_has_another_hash(tmp_path):
    before = workshop.check(write(tmp_path, quotes_csv="touchpoint,quote\na,b\n"))
    after = workshop.check(write(tmp_path, quotes_csv="touchpoint,quote\na,c\n"))
    assert list(before) == list(after) == ["workshop/quotes.csv"]
    assert before != after


def test_without_a_file_or_a_folder_there_are_no_rows(tmp_path):
    frame = workshop.read_sheet(tmp_path, "touchpoints")
    assert frame.empty
    assert list(frame.columns) == list(SHEETS["touchpoints"].columns)
    assert str(frame["importance"].dtype) == "float64"
    assert workshop.check(tmp_path) == {}
    with pytest.raises(UsageError, match="no sheet 'touchpoint', did you mean 'touchpoints'"):
        workshop.read_sheet(tmp_path, "touchpoint")


def test_an_item_that_no_checklist_has_is_told_with_what_was_meant(tmp_path):
    sheet = "item,score,voice\ntrust.16_be_relaible,2,customer\ntrust.99,1,customer\nlunch,4,employee\n"
    said = fault(tmp_path, checklist_csv=sheet)
    near = "row 2, item: 'trust.16_be_relaible' is no item of the checklists, did you mean 'trust.16_be_reliable'?"
    assert f"workshop/checklist.csv: {near}" in said
    assert (
        "row 3, item: 'trust.99' is no item of the checklists; those of trust are trust.01_values to trust.25_" in said
    )
    assert "row 4, item: 'lunch' is no item of the checklists. All stand in the template's worksheet 'items'" in said


def test_faults_of_scores_and_of_items_are_told_together(tmp_path):
    said = fault(tmp_path, checklist_csv="item,score,voice\ntrust.99,5,customer\n,1,customer\nlunch,2,customer,x\n")
    assert "row 2, score: '5' is no whole number from 0 to 4." in said
    assert "row 2, item: 'trust.99' is no item of the checklists" in said
    assert "row 3, item: empty; every row needs it." in said
    assert "row 4: 4 cells" in said


def test_an_item_is_known_however_its_name_is_spelt(tmp_path):
    sheet = "item,score,voice\nTrust.16 be-reliable,2,customer\nservice.6_train_staff.measurable,1,employee\n"
    frame = workshop.read_sheet(write(tmp_path, checklist_csv=sheet), "checklist")
    assert frame["item"].tolist() == ["trust.16_be_reliable", "service.6_train_staff.measurable"]


def test_values_are_read_as_people_write_them(tmp_path):
    sheet = (
        "Touchpoint ; STAGE;importance;owner;;\n  Оплата\u00a0; need ;5;'=SUM(A1);;\n\n;;;;;\nmail a@b.ua;need;;;;\n"
    )
    frame = workshop.read_sheet(write(tmp_path, touchpoints_csv=b"\xef\xbb\xbf" + sheet.encode()), "touchpoints")
    assert frame["touchpoint"].tolist() == ["Оплата", "mail [e-mail]"]
    assert frame["importance"].tolist()[0] == 5.0
    assert frame["importance"].isna().tolist() == [False, True]
    assert frame["owner"].tolist()[0] == "=SUM(A1)"  # as it was before a spreadsheet was kept from running it
    assert frame["parent"].isna().all()
    sheet = 'kind,note,date,score\nMystery shop,x,30.06.2026,"3,5"\nwow-example,y,2026-05-01,+2\n'
    frame = workshop.read_sheet(write(tmp_path, register_csv=sheet), "register")
    assert frame["kind"].tolist() == ["mystery_shop", "wow_example"]
    assert frame["date"].tolist() == [pd.Timestamp("2026-06-30"), pd.Timestamp("2026-05-01")]
    assert frame["score"].tolist() == [3.5, 2.0]


def test_formulas_long_names_and_html_are_only_text(tmp_path):
    name, odd = "Дуже" * 75, "<script>alert(1)</script>"
    sheet = f'touchpoint,quote,source\n{name},"=cmd|\' /C calc\'!A0",{odd}\nb,"one\ntwo",+1\n'
    frame = workshop.read_sheet(write(tmp_path, quotes_csv=sheet), "quotes")
    assert frame.loc[0].tolist() == [name, "=cmd|' /C calc'!A0", odd]
    assert frame.loc[1].tolist() == ["b", "one two", "+1"]


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("", "the file is empty; its first row names the columns: touchpoint, criterion, score, voice."),
        ("\n;;\n", "the file is empty"),
        ("touchpoint,score\na,1\n", "it lacks 'criterion'; its first row has 'touchpoint', 'score'."),
        ("touchpoint,criterion,score,Score \na,b,1,2\n", "the column 'score' stands there 2 times; keep one."),
        (
            "touchpoint,criterion,score,voise\na,b,1,customer\n",
            "unknown column 'voise', did you mean 'voice'?; valid are touchpoint, criterion, score, voice.",
        ),
        ("touchpoint,criterion,score\na,b,0\n", "row 2, score: '0' is no number from 1 to 5."),
        ("touchpoint,criterion,score\na,b,nan\n", "row 2, score: 'nan' is no number from 1 to 5."),
        ("touchpoint,criterion,score\na,b,١\n", "row 2, score: '١' is no number from 1 to 5."),
        ("touchpoint,criterion,score\na,b,1e1\n", "row 2, score: '1e1' is no number from 1 to 5."),
        ("touchpoint,criterion,score\n\na,,3\n", "row 3, criterion: empty; every row needs it."),
        (
            "touchpoint,criterion,score,voice\na,b,3,custome\n",
            "row 2, voice: 'custome' is none of customer, partner, employee, did you mean 'customer'?",
        ),
        ("touchpoint,criterion,score\na,b,3,4\n", "row 2: 4 cells, and the first row has 3"),
        ("touchpoint,criterion,score\na,b\n", "row 2: 2 cells, and the first row has 3"),
        ('touchpoint,criterion,score\na,"b,3\n', "it cannot be read from line 2 on (unexpected end of data)."),
        ("touchpoint,criterion,score\na," + "b" * 5001 + ",3\n", "row 2, criterion: 5,001 letters; at most 5,000"),
        (
            "touchpoint,criterion,score\nоплата,b,3\n".encode("cp1251"),
            "it is not UTF-8 (byte 27). Save it in the spreadsheet as “CSV UTF-8”, or as .xlsx.",
        ),
        ("touchpoint,criterion,score\na,b,3\n".encode("utf-16"), "it is no text in UTF-8 (it holds zero bytes)."),
    ],
)
def test_a_fault_names_file_row_column_and_mend(tmp_path, sheet, message):
    said = fault(tmp_path, criteria_csv=sheet)
    assert said.startswith("workshop/criteria.csv: ")
    assert message in said
    with pytest.raises(DataError) as error:
        workshop.read_sheet(tmp_path, "criteria")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "sheet", "message"),
    [
        (
            "swot",
            "statement,quadrant,voice,impact\na,strength,customer,2.5\n",
            "row 2, impact: '2.5' is no whole number",
        ),
        ("swot", "statement,quadrant,voice\na,weak,customer\n", "is none of strength, weakness, opportunity, threat"),
        ("context", "statement,quadrant,source\na,strength,b\n", "row 2, quadrant: 'strength' is none of opportunity,"),
        ("actions", "action,due\na,31.02.2026\n", "'31.02.2026' is no date; write one as 2026-06-30 or 30.06.2026."),
        ("actions", "action,due\na,06/30/2026\n", "'06/30/2026' is no date"),
        ("checklist", "item,score,voice\na,5,customer\n", "row 2, score: '5' is no whole number from 0 to 4."),
    ],
)
def test_each_type_has_its_message(tmp_path, name, sheet, message):
    assert message in fault(tmp_path, **{f"{name}_csv": sheet})


def test_what_is_shown_of_a_wrong_value_holds_nothing_personal_and_is_short(tmp_path):
    said = fault(tmp_path, quotes_csv="touchpoint,quote,anna@example.com\na,b,c\n")
    assert "unknown column '[e-mail]'" in said
    said = fault(tmp_path, swot_csv=f"statement,quadrant,voice\na,call +380 44 123 45 67 {'x' * 99},customer\n")
    assert "'call [phone] " in said
    assert "380" not in said
    assert "x" * 61 not in said


def test_a_touchpoint_stands_there_once_whatever_its_spelling(tmp_path):
    rows = "Payment page,payment,,,,,\nhome,need,,,,,\npayment-page,payment,,,,,\n"
    said = fault(tmp_path, touchpoints_csv=TOUCHPOINTS + rows)
    assert said == "workshop/touchpoints.csv: row 4, touchpoint: 'payment-page' stands in row 2 already; keep one."


def test_a_touchpoint_cannot_lie_within_itself_and_unknown_parents_may_be_zones(tmp_path):
    rows = "a,need,b,,,,\nb,need,C,,,,\nc,need,a,,,,\nd,need,d,,,,\ne,need,site,,,,\nf,need,a,,,,\n"
    said = fault(tmp_path, touchpoints_csv=TOUCHPOINTS + rows)
    assert "row 2, parent: 'a' in 'b' in 'c' in 'a': a touchpoint cannot lie within itself." in said
    assert "row 5, parent: 'd' in 'd'" in said
    assert said.count("\n") == 2
    deep = "".join(f"t{n},need,t{n + 1},,,,\n" for n in range(3000))
    assert workshop.check(write(tmp_path, touchpoints_csv=TOUCHPOINTS + deep))


def test_a_stage_is_one_of_the_files(tmp_path):
    said = fault(tmp_path, touchpoints_csv=TOUCHPOINTS + "a,Need,,,,,\nb,chioce,,,,,\n")
    assert said.startswith("workshop/touchpoints.csv: row 3, stage: 'chioce' is none of need, information, ")
    assert "did you mean 'choice'?" in said
    assert "(stages:)" in said
    own = tmp_path / "stages.yml"
    own.write_text(
        "stages:\n  - {stage: chioce, name: C, question: q, path: main}\n"
        "  - {stage: need, name: N, question: q, path: main}\n",
        encoding="utf-8",
    )
    assert workshop.check(tmp_path, stages=own)


def test_faults_of_all_files_are_told_together_and_many_are_counted(tmp_path):
    rows = "".join(f"a,b,{n}\n" for n in range(6, 106))
    write(
        tmp_path, criteria_csv="touchpoint,criterion,score\n" + rows, quotes_csv="touchpoint\na\n", quote_csv="x\n1\n"
    )
    said = told(tmp_path)
    assert said.startswith(
        "the workshop's sheets:\n  workshop/quote.csv: no sheet has this name, did you mean 'quotes'?"
    )
    assert "workshop/criteria.csv: row 21, score: '25' is no number" in said
    assert "row 22" not in said
    assert "workshop/criteria.csv: 80 more." in said
    assert "workshop/quotes.csv: it lacks 'quote'; its first row has 'touchpoint'." in said


def test_files_that_are_no_tables_are_left_alone_and_other_tables_are_not(tmp_path):
    write(tmp_path, wall_jpg=b"\xff\xd8", notes_docx=b"PK")
    for name in (".~lock.swot.csv#", "~$swot.xlsx", ".swot.csv"):
        (tmp_path / "workshop" / name).write_bytes(b"\x00")
    assert workshop.check(tmp_path) == {}
    said = fault(tmp_path, swot_ods=b"x", touchpoints2_xlsx=b"x")
    assert "workshop/swot.ods: .ods is not read; save it as swot.xlsx." in said
    assert "workshop/touchpoints2.xlsx: no sheet has this name, did you mean 'touchpoints'?" in said
    assert "Rename the file, or take it out of workshop/." in said


def test_a_sheet_that_is_there_twice_is_nobodys_guess(tmp_path):
    write(tmp_path, quotes_csv="touchpoint,quote\na,b\n", quotes_xlsx=b"x")
    with pytest.raises(UsageError, match=r"workshop/quotes\.csv and workshop/quotes\.xlsx are one sheet; keep the one"):
        workshop.read_sheet(tmp_path, "quotes")
    assert "are one sheet" in told(tmp_path)


def test_a_name_in_capitals_is_the_sheets(tmp_path):
    write(tmp_path, Quotes_CSV="touchpoint,quote\na,b\n")
    assert len(workshop.read_sheet(tmp_path, "quotes")) == 1
    assert list(workshop.check(tmp_path)) == ["workshop/Quotes.CSV"]


def test_no_link_leads_out_and_a_folder_is_no_sheet(tmp_path):
    (tmp_path / "elsewhere.csv").write_text("touchpoint,quote\na,b\n", encoding="utf-8")
    (tmp_path / "shop/workshop/swot.csv").mkdir(parents=True)
    (tmp_path / "shop/workshop/quotes.csv").symlink_to(tmp_path / "elsewhere.csv")
    said = told(tmp_path / "shop")
    assert "'workshop/quotes.csv' leaves the client's folder" in said
    assert "there is no file 'workshop/swot.csv'" in said
    (tmp_path / "other").mkdir()
    (tmp_path / "other/workshop").write_text("x", encoding="utf-8")
    assert "workshop is a file; the sheets lie in a folder of that name." in told(tmp_path / "other")


ANSWERS = [  # touchpoint, metric, score, comment
    ("delivery", "nps", 0.0, "Late again, and nobody told us."),
    ("delivery", "nps", 10.0, "It came sooner than promised."),
    ("delivery", "nps", 5.0, "Neither good nor bad, I think."),
    ("delivery", "nps", 1.0, "Write to anna@example.com please."),
    ("delivery", "csat", 5.0, "It came sooner than promised."),
    ("delivery", "nps", 9.0, "ok"),
    ("delivery", "nps", 9.0, "x" * 301),
    ("delivery", "nps", 9.0, None),
    ("product", "csat", 1.0, "The toy is broken, again."),
    (None, "nps", 7.0, "I buy nappies here each month."),
]


def surveys(rows=ANSWERS):
    frame = pd.DataFrame(rows, columns=["touchpoint", "metric", "score", "comment"])
    return ibis.memtable(
        frame, schema={"touchpoint": "string", "metric": "string", "score": "float64", "comment": "string"}
    )


def test_candidates_are_the_least_and_the_most_content_in_turn_scrubbed_and_each_once():
    found = workshop.quote_candidates(surveys())
    assert found.values.tolist() == [
        ["delivery", "nps", 0.0, "Late again, and nobody told us."],
        ["delivery", "csat", 5.0, "It came sooner than promised."],
        ["delivery", "nps", 1.0, "Write to [e-mail] please."],
        ["delivery", "nps", 5.0, "Neither good nor bad, I think."],
        ["product", "csat", 1.0, "The toy is broken, again."],
        ["", "nps", 7.0, "I buy nappies here each month."],
    ]
    few = workshop.quote_candidates(surveys(), most_per_touchpoint=2)
    assert few["score"].tolist() == [0.0, 5.0, 1.0, 7.0]


def test_candidates_do_not_depend_on_the_order_of_the_rows():
    rows = [(f"t{n % 3}", "csat", float(n % 5), f"A comment of a customer, {n % 17}") for n in range(200)]
    shuffled = random.Random(1).sample(rows, len(rows))
    one, other = (workshop.quote_candidates(surveys(r), most_per_touchpoint=4) for r in (rows, shuffled))
    pd.testing.assert_frame_equal(one, other)
    assert one.groupby("touchpoint").size().tolist() == [4, 4, 4]


def test_reviews_are_candidates_of_no_touchpoint_and_a_table_may_lack_them():
    said = pd.DataFrame({"rating": [1.0, None], "text": ["The box came crushed.", "All well packed and clean."]})
    found = workshop.quote_candidates(surveys(ANSWERS[:1]), ibis.memtable(said))
    assert found["metric"].tolist() == ["nps", "rating", "rating"]
    assert found["touchpoint"].tolist() == ["delivery", "", ""]
    bare = ibis.memtable(pd.DataFrame({"metric": ["nps"], "score": [1.0]}))
    empty = workshop.quote_candidates(bare, ibis.memtable(pd.DataFrame({"rating": [1.0]})))
    assert (list(empty.columns), len(empty)) == (["touchpoint", "metric", "score", "quote"], 0)


def test_the_list_is_the_consultants_alone_and_no_spreadsheet_runs_it(tmp_path):
    rows = [("=1+1", "nps", 3.0, "@SUM(A1:A9) nothing works"), ("Оплата", "rating", None, "-- so it went, sadly")]
    candidates = pd.DataFrame(rows, columns=["touchpoint", "metric", "score", "quote"])
    private = tmp_path / "shop" / "private"
    path = workshop.write_candidates(candidates, private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"\xef\xbb\xbftouchpoint,quote,source\r\n'=1+1,")
    assert [p.name for p in private.iterdir()] == ["quotes_to_review.csv"]
    private.chmod(0o750)
    workshop.write_candidates(candidates, private)
    assert stat.S_IMODE(private.stat().st_mode) == 0o750
    # copied as it is, it is the sheet: the marks against formulas come off again
    write(tmp_path, quotes_csv=path.read_bytes())
    sheet = workshop.read_sheet(tmp_path, "quotes")
    assert sheet["quote"].tolist() == ["@SUM(A1:A9) nothing works", "-- so it went, sadly"]
    assert sheet["source"].tolist() == ["survey, nps 3", "review, rating"]


def test_what_a_workbook_hides_is_told_once_by_its_cell(tmp_path):
    path = tmp_path / "workshop" / "swot.xlsx"
    path.parent.mkdir()
    book = openpyxl.Workbook()
    page = book.active
    for row in (["statement", "quadrant", "voice", None], ["=A9", "weakness", "customer", None],
                ["b", "weakness", "customer", "withdrawn"]):  # fmt: skip
        page.append(row)
    book.save(path)
    with pytest.raises(DataError) as error:
        workshop.check(tmp_path)
    assert str(error.value).splitlines()[1:] == [
        "  workshop/swot.xlsx: A2 holds a formula that was saved without its value; open and save the file in a"
        " spreadsheet, or write the value.",
        "  workshop/swot.xlsx: D3 stands under no heading and would be lost; name the column, or empty it.",
    ]


def test_evidence_is_an_id_or_words_or_nothing(tmp_path):
    head = "statement,quadrant,voice,evidence,department,source\n"
    rows = "a,weakness,customer,-,n/a,?\nb,weakness,customer,Service.LATE.Courier,site,Q2\nc,weakness,customer,brak,,\n"
    frame = workshop.read_sheet(write(tmp_path, swot_csv=head + rows), "swot")
    assert frame["evidence"].isna().tolist() == [True, False, True]
    assert frame["evidence"][1] == "service.late.courier"
    assert frame["department"].isna().tolist() == frame["source"].isna().tolist() == [True, False, True]
    said = fault(tmp_path, swot_csv=head + "a,weakness,customer,loyalty.repeat_rat,,\n")
    assert said.startswith(
        "workshop/swot.csv: row 2, evidence: 'loyalty.repeat_rat' is no finding's id, did you mean 'loyalty.repeat_rate"
    )
    said = fault(tmp_path, swot_csv=head, context_csv="statement,quadrant,source\na,threat,-\n")
    assert said == "workshop/context.csv: row 2, source: empty; every row needs it."


def test_keys_and_ids_of_actions_stay_whole_and_an_owner_is_a_name(tmp_path):
    head = "action,item,measure,owner\n"
    row = "call 0671234567,said.0123456789,Service.Returned.cat_2024_01_02_03,Head of support\n"
    frame = workshop.read_sheet(write(tmp_path, actions_csv=head + row + "b,call 0671234567 back,,\n"), "actions")
    assert frame["action"][0] == "call [phone]"
    assert frame["item"].tolist() == ["said.0123456789", "call [phone] back"]
    assert frame["measure"][0] == "service.returned.cat_2024_01_02_03"
    said = fault(tmp_path, actions_csv=head + "a,,,ann.smith@shop.ua\nb,,,Ann 0671234567\n")
    mend = "an e-mail or a number is no owner; write a name or a role (Head of support)."
    assert f"workshop/actions.csv: row 2, owner: '[e-mail]': {mend}" in said
    assert f"workshop/actions.csv: row 3, owner: 'Ann [phone]': {mend}" in said
    assert "ann.smith" not in said


def test_departments_are_one_whatever_their_capitals_in_all_sheets(tmp_path):
    """Spelt as most rows of all sheets spell them; of equally many the first by name."""
    swot = (
        "statement,quadrant,voice,department\na,weakness,customer,SITE\nb,weakness,customer,Site\nc,threat,partner,\n"
    )
    actions = "action,department\nx,site\ny,site\nz,Customer care\n"
    register = "kind,note,department\ncomplaint,n,Customer-Care\n"
    write(tmp_path, swot_csv=swot, actions_csv=actions, register_csv=register)
    assert workshop.read_sheet(tmp_path, "swot")["department"].fillna("").tolist() == ["site", "site", ""]
    assert workshop.read_sheet(tmp_path, "actions")["department"].tolist() == ["site", "site", "Customer care"]
    assert workshop.read_sheet(tmp_path, "register")["department"].tolist() == ["Customer care"]
    write(tmp_path, actions_csv="action,department\nx,site,too many\n")  # its faults are told by check
    assert workshop.read_sheet(tmp_path, "swot")["department"].fillna("").tolist() == ["SITE", "SITE", ""]


def test_scores_of_the_register_lie_between_1_and_5(tmp_path):
    for score in ("85", "11", "-3", "0"):
        said = fault(tmp_path, register_csv=f"kind,note,score\ncomplaint,x,{score}\n")
        assert said == f"workshop/register.csv: row 2, score: '{score}' is no number from 1 to 5."


def test_notes_of_a_later_day_are_left_out_of_an_earlier_audit(tmp_path):
    notes = "kind,note,date\ncomplaint,a,2026-03-31\ncomplaint,b,2026-04-01\ncomplaint,c,\ncomplaint,d,2031-01-01\n"
    write(tmp_path, register_csv=notes)
    end = date(2026, 3, 31)
    assert workshop.read_sheet(tmp_path, "register", until=end)["note"].tolist() == ["a", "c"]
    assert workshop.later_notes(tmp_path, until=end)["note"].tolist() == ["b", "d"]
    assert len(workshop.read_sheet(tmp_path, "register")) == 4


def test_the_rows_read_of_each_sheet_are_told_and_those_that_have_none(tmp_path):
    swot = "statement,quadrant,voice\na,threat,partner\n"
    write(tmp_path, swot_csv=swot, quotes_csv="touchpoint,quote\n", actions_csv="action\nx\ny\n")
    assert workshop.describe_read(tmp_path, workshop.check(tmp_path) | {"stages.yml": "ab"}) == [
        "  read beside the exports: workshop/swot.csv (1 row), workshop/actions.csv (2 rows), workshop/quotes.csv (0"
        " rows), stages.yml",
        "  workshop/quotes.csv holds no row below its first; is it the file that was filled in?",
    ]
    assert workshop.describe_read(tmp_path / "none", {}) == ["  read beside the exports: no sheets of the workshop"]


def test_a_dash_is_nothing_in_any_column_and_no_statement(tmp_path):
    head = "action,item,measure,owner,effort,due,after\n"
    frame = workshop.read_sheet(write(tmp_path, actions_csv=head + "a,-,n/a,?,-,-,-\n"), "actions")
    assert frame.iloc[0].drop("action").isna().all()
    said = fault(tmp_path, actions_csv=head, swot_csv="statement,quadrant,voice\n-,weakness,customer\n")
    assert said == "workshop/swot.csv: row 2, statement: empty; every row needs it."
