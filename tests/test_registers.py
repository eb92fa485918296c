"""What people noticed, counted and brought in as voices."""

from datetime import date

import pandas as pd
from demo_raw import DEMO

from cxkit import registers as r
from cxkit import workshop
from cxkit.style import clean_text


def register(*rows):
    names = ["kind", "note", "date", "touchpoint", "department", "competitor", "score"]
    frame = pd.DataFrame([(*row, *[None] * (7 - len(row))) for row in rows], columns=names)
    return frame.astype({"date": "datetime64[s]", "score": float})


NOTES = register(
    ("complaint", "Late again", "2026-05-01", "delivery", "logistics", None, 1.0),
    ("complaint", "late  AGAIN", "2026-05-03", "Delivery", "Logistics", None, 2.0),
    ("mystery_shop", "Late again", "2026-05-02", "delivery", None, None, None),
    ("competitor", "Quicker", None, None, None, "a rival", 5.0),
)


def test_counts_by_hand():
    frame = r.counts(NOTES)
    assert frame[["kind", "touchpoint", "department", "n"]].to_records(index=False).tolist() == [
        ("mystery_shop", "delivery", "not stated", 1),
        ("complaint", "delivery", "logistics", 2),
        ("competitor", "not stated", "not stated", 1),
    ]
    assert frame["score"].tolist()[1:] == [1.5, 5.0]
    assert frame["scored"].tolist() == [0, 2, 1]


def test_by_touchpoint_the_most_noticed_first():
    frame = r.by_place(NOTES, place="touchpoint")
    assert frame["touchpoint"].tolist() == ["delivery", "not stated"]
    assert list(frame.columns) == ["touchpoint", "mystery_shop", "complaint", "competitor", "notes"]
    assert frame["notes"].tolist() == [3, 1]


def test_touchpoints_are_shown_without_the_marks_of_ids():
    rows = register(("complaint", "Twice paid", "2026-05-01", "payment_page", "e_shop", None, 1.0))
    assert r.by_place(rows, place="touchpoint")["touchpoint"].tolist() == ["payment page"]
    assert r.notes(rows, customers=True)["touchpoint"].tolist() == ["payment page"]
    assert r.as_voices(rows)["touchpoint"].tolist() == ["payment_page"]  # whose key it is


def test_the_same_words_of_one_voice_are_one_statement():
    frame = r.as_voices(NOTES)
    assert frame["statement"].tolist() == ["Late again", "Late again", "Quicker"]
    assert frame["voice"].tolist() == ["customer", "employee", "employee"]
    assert frame["quadrant"].isna().all()
    assert frame["source"].tolist() == ["complaint, 2026-05-01", "mystery shop, 2026-05-02", "competitor, a rival"]
    assert frame["touchpoint"].tolist() == ["delivery", "delivery", None]


def test_customers_words_stay_out_where_nobody_has_read_them():
    assert r.notes(NOTES, customers=False)["kind"].tolist() == ["mystery shop", "competitor"]
    assert r.notes(NOTES, customers=True)["note"].tolist() == ["Late again", "late AGAIN", "Late again", "Quicker"]


def test_it_is_said_in_words():
    said = r.register_sentences(NOTES)
    assert said[0] == "4 notes: mystery shops 1, complaints 2, competitors 1."
    assert said[1] == "Most noticed: delivery (3 notes)."
    assert said[2] == "None of: employees' ideas, interviews, examples of WOW."
    assert r.register_sentences(NOTES[:0]) == ["Nobody has written down what was noticed."]


def test_notes_of_a_later_day_are_counted_and_named():
    end = date(2026, 4, 30)
    assert r.later_sentence(NOTES[:0], as_of=end) == ""
    left = "dated after the last day that counts (2026-04-30) and left out: "
    assert r.later_sentence(NOTES[:1], as_of=end) == f"1 note is {left}complaint 2026-05-01."
    assert r.later_sentence(NOTES[:3], as_of=end) == (
        f"3 notes are {left}complaint 2026-05-01, mystery shop 2026-05-02, complaint 2026-05-03."
    )
    many = pd.concat([NOTES[:3]] * 3)
    assert r.later_sentence(many, as_of=end).endswith("mystery shop 2026-05-02, mystery shop 2026-05-02 and 4 more.")


def test_an_empty_register():
    nothing = NOTES[:0]
    assert r.counts(nothing).empty
    assert r.as_voices(nothing).empty
    assert r.by_place(nothing, place="department").empty
    assert r.notes(nothing, customers=True).empty


def test_every_kind_of_the_sheet_has_a_voice_and_the_demo_has_all():
    from cxkit.tables import SHEETS

    assert set(r.VOICE) == set(r.WORDS) == set(SHEETS["register"].columns["kind"].valid)
    demo = workshop.read_sheet(DEMO, "register")
    assert len(r.as_voices(demo)) == len(demo) == r.counts(demo)["n"].sum() == len(r.notes(demo, customers=True))


def test_a_note_on_a_competitor_says_whose():
    told = r.notes(NOTES.assign(competitor=[None, "", None, "a  <b>rival</b>"]), customers=True)
    assert told["competitor"].tolist() == [None, None, None, clean_text("a  <b>rival</b>")]
