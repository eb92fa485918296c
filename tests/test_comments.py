import matplotlib
import pandas as pd
import pytest
from hand_comments import SCALES, reviews, surveys

from cxkit import comments

matplotlib.use("Agg")
DAY = "2026-03-01"


def gathered(rows: list[tuple], **more) -> pd.DataFrame:
    return comments.gather({"surveys": surveys(rows)}, scales=SCALES, **more)


def test_comments_by_hand():
    tables = {
        "surveys": surveys(
            [
                (DAY, "nps", 9, "anna", "Швидка доставка, дякую"),
                (DAY, "csat", 5, "anna", "Швидка доставка, дякую"),  # one form, two questions
                ("2026-03-02", "csat", 5, "anna", "Швидка доставка, дякую"),  # another day
                (DAY, "nps", 0, "bohdan", None),
                (DAY, "nps", 0, "celina", "  "),
                (DAY, "nps", 3, None, "😀 !!!"),
                (DAY, "nps", 3, None, "Zła obsługa"),
                (DAY, "nps", 3, None, "Zła obsługa"),  # two people: nobody knows that they are one
            ]
        ),
        "reviews": reviews([("2026-03-05 10:00", 2, "The parcel was late")]),
    }
    frame = comments.gather(tables, scales=SCALES)
    assert list(frame.columns) == comments.COLUMNS
    read = comments.readable(frame)
    assert list(read["metric"]) == ["nps", "nps", "nps", "csat", "rating"]
    anna = read[read["who"] == "anna"].iloc[0]
    assert (anna["place"], anna["language"], anna["origin"]) == (0.9, "uk", "survey")
    assert read["who"].nunique() == 4
    assert read.iloc[-1][["place", "language", "origin"]].tolist() == [0.25, "en", "review"]
    told = comments.account(frame, tables)
    assert told.set_index("origin").loc["survey"].tolist() == [8, 2, 1, 1, 0, 4, 3]
    assert told.set_index("origin").loc["review"].tolist() == [1, 0, 0, 0, 0, 1, 1]
    words = comments.account_in_words(told)
    assert words[0] == "4 of 8 rows of surveys (50 %) hold a comment, by 3 people."
    assert words[-1] == "Of the texts, 1 held no words; 1 stood there twice (one form, several questions)."


def test_effort_is_turned_round():
    rows = [(DAY, "ces", 7, "anna", "Дуже важко")]
    assert gathered(rows)["place"][0] == 1
    assert gathered(rows, ces="effort")["place"][0] == 0


def test_a_question_without_a_scale_has_no_place():
    frame = comments.gather({"surveys": surveys([(DAY, "csat", 4, "anna", "Добре, що є")])}, scales={})
    assert frame["place"].isna().all()
    assert len(comments.readable(frame)) == 1


@pytest.mark.parametrize(
    "rows", [[], [(DAY, "nps", 9, "anna", None)], [(DAY, "nps", None, None, "👍👍👍")]], ids=["none", "empty", "emoji"]
)
def test_no_comment_at_all_is_told(rows):
    tables = {"surveys": surveys(rows)}
    frame = comments.gather(tables, scales=SCALES)
    read = comments.readable(frame)
    assert not len(read)
    told = comments.account_in_words(comments.account(frame, tables))
    assert told == ["Nobody wrote a comment that could be read: the column of comments is empty, or holds no words."]
    shares = comments.language_shares(read)
    assert comments.describe_languages(shares) == "There are no comments to tell a language of."
    comments.plot_languages(shares)


def test_no_table_and_no_column_of_comments():
    assert not len(comments.gather({}, scales=SCALES))
    bare = surveys([(DAY, "nps", 9, "anna", "так")]).drop("comment")
    frame = comments.gather({"surveys": bare}, scales=SCALES)
    assert not len(frame)
    assert comments.account(frame, {"surveys": bare})["comments"].tolist() == [0]


def test_a_comment_of_a_megabyte_is_cut_and_told():
    tables = {"surveys": surveys([(DAY, "nps", 1, "anna", "дуже погано " * 90_000)])}
    frame = comments.gather(tables, scales=SCALES)
    assert len(frame["text"][0]) <= comments.LONGEST
    told = comments.account_in_words(comments.account(frame, tables))
    assert told[-1] == "Of the texts, 1 were cut after 5,000 letters."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<script>alert('x')</script> Добре", "alert('x') Добре"),
        ("&lt;b&gt;Добре&lt;/b&gt;", "Добре"),
        ("[сюди](javascript:alert(1)) Добре", "[сюди]( Добре"),
        ("дивіться https://example.com/a?b=1 тут", "дивіться тут"),
        ("price:high, mailto:a@b.cd", "price:high,"),
        ("www.example.com погано", "погано"),
        ('=HYPERLINK("http://x.y","так")', '=HYPERLINK("'),
        ("Мій телефон +380 44 123 45 67, пишіть на olena@example.com", "Мій телефон , пишіть на"),
        ("proszę dzwonić +48 22 123 45 67", "proszę dzwonić"),
        ("konto PL61 1090 1014 0000 0712 1981 2874 zwrot", "konto zwrot"),
        ("карта 4111 1111 1111 1111 списали", "карта списали"),
        ("a\u202eb\u0000c\nd", "abc d"),
    ],
)
def test_comments_are_cleaned(text, left):
    assert comments.clean_comment(text) == left


def test_the_order_of_rows_does_not_matter():
    rows = [(DAY, "nps", i % 11, f"c{i % 7}" if i % 3 else None, f"коментар {i % 5} про доставку") for i in range(40)]
    pd.testing.assert_frame_equal(gathered(rows), gathered(rows[::-1]))


def test_languages_of_few_people_are_not_told_apart():
    frame = pd.DataFrame({"language": ["uk"] * 6 + ["pl"] * 5, "who": [f"a{i}" for i in range(6)] + ["b"] * 5})
    shares = comments.language_shares(frame)
    assert shares["language"].tolist() == ["Ukrainian", "too short to tell"]
    assert shares["share"].sum() == pytest.approx(1)
    assert comments.describe_languages(shares).startswith("Bars of the languages of the comments: Ukrainian 55 %")
    comments.plot_languages(shares)
