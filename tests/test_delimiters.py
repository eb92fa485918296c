"""What parts the cells, from small texts."""

import pytest

from cxkit.delimiters import find_delimiter, lines_of, read_records, wider_told

ROWS = [
    ["Order", "Name", "Total"],
    ["1", "Cup, blue", "1,50"],
    ["2", "Plate; large", "12,00"],
    ["3", "Fork | steel", "1 200,75"],
    ["4", "Spoon", "3,10"],
]


def written(mark: str, rows=ROWS) -> str:
    quoted = lambda c: f'"{c}"' if mark in c else c  # noqa: E731
    return "".join(mark.join(map(quoted, row)) + "\r\n" for row in rows)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^", "~"])
def test_the_mark_that_gives_records_of_one_width(mark):
    found = find_delimiter(written(mark))
    assert found.mark == mark
    assert found.evidence.endswith("5 of the first 5 records have 3 cells")


def test_decimal_commas_do_not_part_cells():
    rows = "".join(f"{i};{i},50;{i},25\n" for i in range(1, 30))
    assert find_delimiter(rows).mark == ";"
    assert find_delimiter("id;price;weight\n" + rows).mark == ";"
    assert find_delimiter("id;price;weight\n" + rows).sure


def test_the_first_line_may_say_it():
    found = find_delimiter("sep=;\r\na,1;b\r\n1,5;2\r\n")
    assert (found.mark, found.sure, found.notes) == (";", True, ("Its first line is sep=.",))
    assert find_delimiter("sep=\t\na\tb\n").mark == "\t"


def test_a_preamble_and_ragged_records_do_not_confuse():
    text = "Report of sales, all shops\nMade by: someone, somewhere\n" + written(";") + "5;short\n6;a;b;c;d\n"
    assert find_delimiter(text).mark == ";"


def test_one_column_is_a_guess():
    found = find_delimiter("email\na@b.c\nd@e.f\n")
    assert (found.mark, found.sure, found.evidence) == (",", False, "a guess: every record is one cell")


def test_commas_in_most_sentences_are_a_guess_at_most():
    text = "comment\n" + "Good, fast\nBad\nNice, cheap\n" * 9
    assert not find_delimiter(text).sure


def test_records_quoted_as_a_whole_are_named():
    found = find_delimiter('"a,b,c"\n"1,2,3"\n"4,5,6"\n')
    assert "written as CSV twice" in found.notes[0]


def test_apostrophes_are_named():
    assert "Cells stand in apostrophes" in find_delimiter("a,b\n'x','y'\n'z','w'\n").notes[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_keep_their_ends_wherever_the_text_is_cut(end):
    text = end.join(["a,b", '1,"x', 'y"', "2,z", ""])
    for size in range(1, len(text) + 1):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        records = list(read_records(lines_of(pieces), ","))
        assert [len(r) for r in records] == [2, 2, 2], size
        assert "".join(lines_of(pieces)) == text


def test_empty_lines_are_no_records_and_faults_are_passed_over():
    assert list(read_records(["a,b\n", "\n", "1,2\n"], ",")) == [["a", "b"], ["1", "2"]]
    huge = "x" * 2_100_000
    assert list(read_records(["a,b\n", f"1,{huge}\n", "2,y\n"], ","))[-1] == ["2", "y"]


def test_records_with_more_cells_than_the_header():
    assert wider_told([3, 3, 4, 1], width=2, mark=",") == (
        "2 records have 1 cell more than the header: a decimal comma (12,50), or a comma in a text, without quotation"
        " marks?"
    )
    assert wider_told([4], width=2, mark=";") == (
        "1 record has 2 cells more than the header: semicolons in a text without quotation marks?"
    )
    assert wider_told([1], width=2, mark=";") == ""
