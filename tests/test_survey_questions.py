import pandas as pd
import pytest
from column_samples import proposal_of

from cxkit.survey_questions import scale

DAYS = [f"2024-03-{10 + i}" for i in range(8)]


def test_a_row_a_person():
    found = proposal_of(
        {
            "Submitted at": DAYS,
            "How likely are you to recommend us?": [0, 10, 9, 8, 7, 3, 10, 9],
            "Why?": ["so it is", "good shop", "fine", "ok then", "bad box", "", "", "x y z"],
            "How would you rate the wrapping of it?": [1, 2, 3, 4, 5, 5, 4, 3],
            "Age": [20, 31, 42, 53, 24, 35, 46, 57],
        }
    )
    assert found.table == "surveys"
    assert found.settings["columns"] == {"answered_at": "Submitted at"}
    assert found.settings["questions"] == {
        "How likely are you to recommend us?": {"metric": "nps", "comment": "Why?"},
        "How would you rate the wrapping of it?": {"metric": "???"},
    }
    told = found.evidence["questions.How likely are you to recommend us?.metric"]
    assert told == "8 answers, 0 to 10; its words ask for nps"
    assert found.unmapped == {"Age": "no meaning found"}


def test_words_right_of_a_question_are_its_comment():
    said = ["too slow by two weeks", "", "a bit too dear for me", "ok", "", "it was all I wished for", "", "great"]
    found = proposal_of(
        {
            "Submitted at": DAYS,
            "How likely are you to recommend us?": [0, 10, "", 8, 7, 3, 10, 9],
            "Main reason for your score": ["slow", "", "dear", "", "", "", "", ""],
            "Region": ["North", "South"] * 4,
            "How satisfied were you with the delivery?": [1, 2, 3, 4, 5, 5, 4, 3],
            "Q4": said,
        }
    )
    assert found.settings["questions"] == {
        "How likely are you to recommend us?": {"metric": "nps", "comment": "Main reason for your score"},
        "How satisfied were you with the delivery?": {"metric": "csat", "comment": "Q4"},
    }
    told = found.evidence["questions.How likely are you to recommend us?.comment"]
    assert told.endswith("right of its question; 1 of them without an answer, which are not read")
    assert found.unmapped == {"Region": "no meaning found"}


def test_the_answers_to_another_question_are_no_comment():
    food = ["Give the team a star for it", "Some good, some not so good"] * 4
    asked = {"Submitted at": DAYS, "How likely are you to recommend us?": [0, 10, 9, 8, 7, 3, 10, 9]}
    found = proposal_of({**asked, "How was the food?": food})
    assert found.unmapped == {"How was the food?": "no meaning found"}


def test_a_question_that_asks_for_two_things_is_open():
    found = proposal_of({"Submitted at": DAYS, "Satisfied enough to recommend us?": [1, 5, 4, 3, 2, 5, 5, 4]})
    assert found.settings["questions"]["Satisfied enough to recommend us?"] == {"metric": "???"}


@pytest.mark.parametrize(
    ("low", "high", "what", "expected"),
    [
        (0, 10, "nps", [0, 10]),
        (1, 10, "nps", "???"),  # was 0 on offer?
        (1, 5, "csat", [1, 5]),
        (2, 5, "csat", "???"),
        (1, 7, "ces", [1, 7]),
    ],
)
def test_a_scale_is_told_by_both_of_its_ends(low, high, what, expected):
    answers = pd.Series([low, high] * 20, dtype=float)
    found, told = scale(answers, what)
    assert found == expected
    assert told.startswith(f"{low} to {high} in 40 answers")


def test_a_handful_of_answers_tells_no_scale():
    assert scale(pd.Series([1.0, 5.0]), "csat")[0] == "???"
    assert scale(pd.Series([1.5, 5.0] * 20), "csat")[0] == "???"
    assert scale(pd.Series([], dtype=float), "csat")[0] == "???"
