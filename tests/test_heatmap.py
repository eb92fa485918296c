"""A heat map by hand: every cell's colour and words."""

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from cxkit.heatmap import PALE, draw_heat_map
from cxkit.style import GREY, INK, contrast, theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ACCENT = "#0b6e4f"


@pytest.fixture(autouse=True)
def accent():
    with plt.rc_context(theme(ACCENT)):
        yield
        plt.close("all")


def draw(values, **options):
    """The axes of a map whose cells are called a1, a2, …, b1, ...; a row a letter."""
    values = np.array(values, dtype=float).reshape(len(values), -1)
    rows = [chr(97 + row) for row in range(values.shape[0])]
    columns = [str(1 + column) for column in range(values.shape[1])]
    texts = [[row + column for column in columns] for row in rows]
    return draw_heat_map(plt.figure().add_subplot(), values, texts, rows=rows, columns=columns, **options)


def words(ax) -> dict[str, str]:
    """Each cell's text and its colour."""
    return {text.get_text(): to_hex(text.get_color()) for text in ax.texts}


def fills(ax) -> list[str]:
    return [to_hex(patch.get_facecolor()) for patch in ax.patches]


def test_cells_go_from_pale_to_the_accent():
    ax = draw([[0, 2], [-1, 4]])
    first, half, below, top = fills(ax)
    assert (first, top) == (PALE, ACCENT)
    assert below == PALE, "what lies below zero is no paler than zero"
    assert contrast(ACCENT, "#ffffff") > contrast(half, "#ffffff") > contrast(PALE, "#ffffff")
    assert [(t.get_text(), t.get_position()) for t in ax.texts] == [
        ("a1", (0, 0)), ("a2", (1, 0)), ("b1", (0, 1)), ("b2", (1, 1)),
    ]  # fmt: skip
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2"]
    assert ax.get_ylim() == (1.5, -0.5), "the first row stands on top"


def test_the_scale_ends_where_the_caller_says():
    assert fills(draw([[2]], top=4)) == [fills(draw([[2, 4]]))[0]]
    assert fills(draw([[9]], top=4)) == [ACCENT]


def test_what_cannot_be_observed_is_hatched_and_says_nothing():
    ax = draw([[0, 1]], hatched=[[True, False]])
    assert [patch.get_hatch() for patch in ax.patches] == ["////", None]
    assert list(words(ax)) == ["a2"]


def test_a_cell_without_a_value_stays_white():
    ax = draw([[np.nan, 1]])
    assert fills(ax) == ["#ffffff", ACCENT]
    assert list(words(ax)) == ["a1", "a2"]
    assert fills(draw([[np.nan]])) == ["#ffffff"]
    assert fills(draw([[0.0, 0.0]])) == [PALE, PALE]


def test_cells_that_rest_on_little_are_grey_where_grey_can_be_read():
    ax = draw([[0, 1], [0, 1]], faint=[[True, True], [False, False]])
    assert words(ax) == {"a1": GREY, "a2": "#ffffff", "b1": INK, "b2": "#ffffff"}
    # on the dark cell grey could not be read: there the slant tells it
    assert {t.get_text(): t.get_style() for t in ax.texts} == {
        "a1": "italic", "a2": "italic", "b1": "normal", "b2": "normal",
    }  # fmt: skip


@given(st.floats(0, 1), st.booleans())
def test_text_is_in_the_ink_that_can_be_read(value, faint):
    """Between pale and dark neither ink nor white reaches 4.5; there black or white does."""
    ax = draw([[value, 1]], faint=[[faint, False]])
    fill, ink = fills(ax)[0], words(ax)["a1"]
    plt.close(ax.figure)
    assert contrast(ink, fill) >= 4.5


def test_nothing_to_show_is_said():
    assert list(words(draw_heat_map(plt.figure().add_subplot(), np.empty((0, 0)), [], rows=[], columns=[]))) == [
        "nothing to show yet"
    ]
