"""How far a run is, on stderr."""

from cxkit.progress import bar, lines, silent


def test_plain_lines(capsys):
    with lines() as show:
        show("checking the data", 0, 3)
        show("done", 3, 3)
    said = capsys.readouterr()
    assert said.err == "[0/3] checking the data\n[3/3] done\n"
    assert said.out == ""


def test_a_line_that_is_rewritten_and_goes(capsys):
    with bar() as show:
        show("running 00_first", 1, 3)
        show("done", 3, 3)
    said = capsys.readouterr()
    assert "1/3 running 00_first" in said.err
    assert "\n" not in said.err
    assert said.out == ""


def test_programs_hear_nothing(capsys):
    silent("checking the data", 0, 3)
    assert capsys.readouterr() == ("", "")
