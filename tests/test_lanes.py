"""Text that fits its place, times as a reader takes them in, and what is drawn on a page of lanes."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from cxkit import lanes
from cxkit.lanes import duration_text, fit_text, text_width, wrap_text
from cxkit.style import INK, clean_text, theme

HOSTILE = "<b>$x_1$</b> \\frac{1}{2} & co"


@pytest.fixture
def ax():
    with plt.rc_context(theme()):
        page = lanes.blank_page()
        page.figure.set_dpi(1000)  # as in print: on a screen letters are put on whole pixels
        yield page
    plt.close("all")


def inches(ax, text) -> tuple[float, float, float, float]:
    """Left, upper, right and lower end of a drawn text, in the page's inches."""
    ax.figure.draw_without_rendering()
    box = text.get_window_extent().transformed(ax.transData.inverted())
    return box.x0, min(box.y0, box.y1), box.x1, max(box.y0, box.y1)


def test_the_page_is_a4_in_inches_from_the_upper_left(ax):
    assert ax.figure.get_size_inches() == pytest.approx([11.69, 8.27])
    ax.figure.draw_without_rendering()  # the theme's layout would move it
    assert ax.get_position().bounds == pytest.approx((0, 0, 1, 1))
    width, height = ax.figure.bbox.width, ax.figure.bbox.height
    assert ax.transData.transform((0, 0)) == pytest.approx([0, height])
    assert ax.transData.transform(lanes.A4) == pytest.approx([width, 0])
    given = plt.figure(figsize=lanes.A4).add_axes((0, 0, 1, 1))
    assert lanes.blank_page(given) is given
    assert given.get_ylim() == (8.27, 0)


@pytest.mark.parametrize(("text", "bold"), [("Лояльність", False), ("Weak for certain", True), (HOSTILE, False)])
def test_texts_are_as_wide_as_they_are_drawn(ax, text, bold):
    lanes.write(ax, 1, 1, text, bold=bold)
    left, upper, right, lower = inches(ax, ax.texts[-1])
    assert right - left == pytest.approx(text_width(text, bold=bold), abs=0.03)
    assert (upper + lower) / 2 == pytest.approx(1, abs=0.03)
    assert ax.texts[-1].get_text() == text  # no formula
    assert ax.texts[-1].get_fontsize() >= 9


def test_a_text_that_fits_stays_whole_and_a_longer_one_is_cut():
    assert fit_text("Delivery", text_width("Delivery")) == "Delivery"
    cut = fit_text("Deliveryandpickup", 1.0)
    assert cut.endswith("…")
    assert text_width(cut) <= 1.0 < text_width(f"{'Deliveryandpickup'[: len(cut)]}…")
    assert fit_text("two words", text_width("two …")) == "two…"  # no blank before it
    assert fit_text("a\n\u202eb", 2) == "a b"
    assert fit_text("W", 0.01) == "…"
    assert fit_text("", 1) == ""
    assert fit_text(3.5, 1) == "3.5"
    assert text_width(fit_text("ж" * 300, 2)) <= 2


def test_lines_break_between_words():
    wide = text_width("one two")
    assert wrap_text("one two three", wide, lines=3) == ["one two", "three"]
    assert wrap_text("one two three four five six", wide, lines=2) == ["one two", "three…"]
    assert wrap_text("one", 2, lines=1) == ["one"]
    assert wrap_text("", 2, lines=3) == [""]
    assert wrap_text("one two", wide, lines=3, indent=0.1) == ["one", "two"]


@pytest.mark.parametrize("word", ["Лояльність", "supercalifragilistic", "WWWWWW"])
@pytest.mark.parametrize("short", [0.001, 0.02, 0.1])
def test_a_word_a_little_wider_than_its_line_loses_no_letter(word, short):
    wide = text_width(word) - short
    made = wrap_text(word, wide, lines=3)
    assert "".join(made) == word
    assert len(made) == 2
    assert all(made)
    assert all(text_width(line) <= wide for line in made)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.sampled_from("abcWl.… жщЇłŃ$<&\n\u202e"), max_size=120),
    width=st.floats(0.2, 3),
    lines=st.integers(1, 4),
    bold=st.booleans(),
    indent=st.sampled_from([0.0, 0.1, 0.4]),
)
def test_any_text_fits_its_lines(text, width, lines, bold, indent):
    whole, indent = clean_text(text), min(indent, width - 0.2)
    made = wrap_text(text, width, lines=lines, bold=bold, indent=indent)
    assert 1 <= len(made) <= lines
    for number, line in enumerate(made):
        assert text_width(line, bold=bold) <= width - (0 if number else indent) + 1e-9
    told = "".join(made).replace(" ", "")
    plain = whole.replace(" ", "")
    # all of it is told, or its last line is cut
    assert told == plain or (len(made) == lines and made[-1].endswith("…") and plain.startswith(told[:-1]))
    if not whole:
        assert made == [""]


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (0, "< 1 min"), (0.99, "< 1 min"), (1, "1 min"), (13, "13 min"), (59, "59 min"), (60, "1.0 h"), (90, "1.5 h"),
        (594, "9.9 h"), (598, "10 h"), (1380, "23 h"), (1439, "1.0 d"), (1440, "1.0 d"), (36 * 60, "1.5 d"),
        (9.9 * 1440, "9.9 d"), (9.96 * 1440, "10 d"), (1234 * 1440, "1,234 d"), (np.nan, "–"), (np.inf, "–"),
    ],
)  # fmt: skip
def test_durations_as_a_reader_takes_them_in(minutes, told):
    assert duration_text(minutes / 1440) == told


def test_whole_minutes_are_themselves():
    assert [duration_text(k / 1440) for k in range(1, 60)] == [f"{k} min" for k in range(1, 60)]


def test_bars_keep_to_their_track(ax):
    lanes.share_bar(ax, 2, 1, 4, (0.5, 0.4, 1.7), top=1.0, colour="C0")
    track, bar = ax.patches
    assert (track.get_width(), bar.get_width()) == (4, 2)
    assert ax.lines[0].get_xdata() == pytest.approx([3.6, 6])
    lanes.share_bar(ax, 2, 1, 4, (5, 0, 20), top=10, colour="C0")
    assert ax.patches[-1].get_width() == 2


def test_points_stand_where_their_figure_lies_in_the_span(ax):
    lanes.point_strip(ax, 2, 1, 4, (0, -10, 10), span=(-20, 20), colour="C0")
    rail, interval, point = (list(line.get_xdata()) for line in ax.lines)
    assert (rail, interval, point) == ([2, 6], [3, 5], [4])


def test_marks_carry_a_word_and_stay_in_their_cell(ax):
    wide = lanes.badge(ax, 3, 1, "weak")
    left, _, right, _ = inches(ax, ax.texts[-1])
    assert ax.texts[-1].get_text() == "▼ weak"
    assert 3 < left < right < 3 + wide
    lanes.badge(ax, 3, 1, "weak", ha="right")
    assert inches(ax, ax.texts[-1])[2] < 3
    for width, word in ((3.0, "▼ fewest go on"), (1.4, "▼ fewest")):
        lanes.side_badge(ax, {"x": 1, "width": width}, 1, "fewest go on")
        assert ax.texts[-1].get_text() == word
        assert inches(ax, ax.texts[-1])[2] < 1 + width + 0.05


def test_what_the_data_do_not_tell_is_hatched_with_a_word_where_there_is_room(ax):
    lanes.hatch(ax, 1, 1, 2, 0.5)
    assert ax.patches[0].get_hatch()
    assert ax.texts[-1].get_text() == "no data"
    left, upper, right, lower = inches(ax, ax.texts[-1])
    assert 1 < left < right < 3
    assert 1 < upper < lower < 1.5
    lanes.hatch(ax, 1, 1, 0.3, 0.5)
    lanes.hatch(ax, 1, 1, 2, 0.1)
    lanes.hatch(ax, 1, 1, 2, 0.5, word="")
    assert len(ax.texts) == 1


def test_a_lanes_name_and_what_its_figures_are(ax):
    lanes.label(ax, 2, "Reached", "customers;", "visits")
    assert [t.get_text() for t in ax.texts] == ["Reached", "customers;", "visits"]
    boxes = [inches(ax, text) for text in ax.texts]
    assert all(above[3] <= below[1] for above, below in pairwise(boxes))
    assert all(box[2] < lanes.FIRST for box in boxes)


@pytest.mark.usefixtures("ax")
def test_pale_colours_are_mixed_with_white():
    assert lanes.pale("#000000", 0.25) == "#bfbfbf"
    assert lanes.pale(INK, 1) == INK
    assert lanes.pale("C0") != lanes.pale("C1")
