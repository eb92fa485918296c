"""A page of columns and lanes, drawn in inches: text that fits, bars with intervals, hatched gaps, marks and words."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cxkit.style import GREY, INK, LIGHT, clean_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

A4 = (11.69, 8.27)  # landscape, inches
LEFT, FIRST, RIGHT = 0.32, 1.64, A4[0] - 0.32  # where lanes' names begin, where the first column does, where all ends
SMALL = 9.0  # points; no text is smaller
LINE = 0.165  # inches from one line of small text to the next
PALE = "#eef1f4"
HATCH = "#c3c9d0"
FAINT = "#a4abb3"  # what rests on little
LEAST_SHOWN = 30  # what rests on fewer is grey


def blank_page(ax: "Axes | None" = None) -> "Axes":
    """An Axes over a whole A4 landscape page (or the given one), in inches from its upper left corner."""
    import matplotlib.pyplot as plt

    if ax is None:
        figure = plt.figure(figsize=A4)
        figure.set_layout_engine("none")  # the theme's would move what stands at exact places
        ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, A4[0]), ylim=(A4[1], 0))
    ax.set_axis_off()
    return ax


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """How wide a text is in inches, in the font of the pictures."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def fit_text(text: object, width: float, size: float = SMALL, *, bold: bool = False) -> str:
    """A text on one line, cut with … where it is wider than `width` inches."""
    whole = clean_text(text)[:400]
    if text_width(whole, size, bold=bold) <= width:
        return whole
    return whole[: _fitting(whole, width, size, bold=bold, tail="…")].rstrip() + "…"


def _fitting(text: str, width: float, size: float, *, bold: bool, tail: str = "") -> int:
    """How many letters of a text fit, with its tail."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(text[:middle].rstrip() + tail, size, bold=bold) <= width
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def wrap_text(
    text: object, width: float, size: float = SMALL, *, lines: int, bold: bool = False, indent: float = 0.0
) -> list[str]:
    """A text in at most `lines` lines, broken between words, and within a word that is wider than a line; the first
    line is `indent` inches shorter."""
    words, made = clean_text(text)[:2000].split(" "), []
    while words and len(made) < lines:
        room = width if made else width - indent
        line = words.pop(0)
        while words and text_width(f"{line} {words[0]}", size, bold=bold) <= room:
            line = f"{line} {words.pop(0)}"
        if text_width(line, size, bold=bold) > room and len(made) < lines - 1:
            letters = max(_fitting(line, room, size, bold=bold), 1)
            line, rest = line[:letters], line[letters:]
            words[:0] = [rest] if rest else []
        if words and len(made) == lines - 1:
            line = f"{line} {' '.join(words)}"
        made.append(fit_text(line, room, size, bold=bold))
    return made


def write(ax: "Axes", x: float, y: float, text: str, *, size: float = SMALL, bold: bool = False, **more) -> None:
    """A text whose middle lies at height y; text from data is never read as a formula."""
    style = {"va": "center", "ha": "left", "color": INK, "clip_on": False} | more
    ax.text(x, y, text, fontsize=size, fontweight="bold" if bold else "normal", parse_math=False, **style)


def label(ax: "Axes", y: float, name: str, *notes: str) -> None:
    """A lane's name, and under it in grey what its figures are."""
    write(ax, LEFT, y, name, bold=True)
    for number, note in enumerate(notes, start=1):
        write(ax, LEFT, y + number * LINE, note, color=GREY)


def rule(ax: "Axes", y: float, left: float, right: float) -> None:
    """A hairline across the page."""
    ax.plot([left, right], [y, y], color=LIGHT, linewidth=0.7, solid_capstyle="butt", zorder=0.5)


def box(ax: "Axes", x: float, y: float, width: float, height: float, colour: object, **more) -> None:
    """A filled rectangle from its upper left corner."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, linewidth=0, **more))


def hatch(
    ax: "Axes", x: float, y: float, width: float, height: float, *, word: str = "no data", zorder: float = 1
) -> None:
    """A hatched field: here the data tell nothing. The word stands in it where there is room."""
    box(ax, x, y, width, height, "white", hatch="////", hatchcolor=HATCH, zorder=zorder)
    room = text_width(word) + 0.08
    if word and room <= width and height >= 0.2:
        box(ax, x + (width - room) / 2, y + height / 2 - 0.09, room, 0.18, "white", zorder=zorder + 0.1)
        write(ax, x + width / 2, y + height / 2, word, ha="center", color=GREY)


def badge(ax: "Axes", x: float, y: float, word: str, *, ha: str = "left") -> float:
    """A mark with its word, white on dark, that shows without colour; returns how wide it is."""
    from matplotlib.patches import FancyBboxPatch

    text = f"\u25bc {word}"
    width = text_width(text, bold=True) + 0.1
    left = x - width if ha == "right" else x
    shape = FancyBboxPatch(
        (left + 0.03, y - 0.05), width - 0.06, 0.1, boxstyle="round,pad=0.035", facecolor=INK, linewidth=0, zorder=4
    )
    ax.add_patch(shape)
    write(ax, left + width / 2, y, text, bold=True, ha="center", color="white", zorder=5)
    return width


def side_badge(ax: "Axes", cell: dict, y: float, word: str) -> None:
    """A mark at the right of a cell (x, width); of its word, the first part where the whole has no room."""
    short = word if text_width(f"\u25bc {word}", bold=True) + 0.1 <= cell["width"] - 0.42 else word.split(" ")[0]
    badge(ax, cell["x"] + cell["width"] + 0.05, y, short, ha="right")


def share_bar(ax: "Axes", x: float, y: float, width: float, ends: Sequence[float], *, top: float, colour: str) -> None:
    """A bar of value (of value, low, high) on a pale track that ends at `top`, its interval as a dark line.

    An interval that runs beyond the track is cut at its end.
    """
    value, low, high = (float(np.clip(end / top, 0, 1)) for end in ends)
    box(ax, x, y - 0.04, width, 0.08, PALE, zorder=1)
    box(ax, x, y - 0.04, width * value, 0.08, colour, zorder=2)
    ax.plot([x + width * low, x + width * high], [y, y], color=INK, linewidth=1.4, solid_capstyle="butt", zorder=3)


def point_strip(
    ax: "Axes", x: float, y: float, width: float, ends: Sequence[float], *, span: tuple[float, float], colour: str
) -> None:
    """A point with its interval on a hairline that runs over `span`."""
    places = [x + width * (end - span[0]) / (span[1] - span[0]) for end in ends]
    ax.plot([x, x + width], [y, y], color=LIGHT, linewidth=0.8, zorder=1)
    ax.plot(places[1:], [y, y], color=INK, linewidth=1.2, solid_capstyle="butt", zorder=2)
    ax.plot(places[:1], [y], "o", color=colour, markersize=4, zorder=3)


def pale(colour: object, share: float = 0.25) -> str:
    """A colour mixed with white, of which it keeps a `share`."""
    from matplotlib.colors import to_hex, to_rgb

    return to_hex([1 - share * (1 - part) for part in to_rgb(colour)])


def duration_text(days: float) -> str:
    """A time as a reader takes it in: under 1 min, minutes, hours or days; a dash where it is not known."""
    if not np.isfinite(days):
        return "–"
    minutes = round(days * 1440, 6)  # 13 minutes are a little less than 13 as a share of a day
    hours = minutes / 60
    if minutes < 1:
        return "< 1 min"
    if minutes < 59.5:
        return f"{minutes:.0f} min"
    if hours < 23.5:
        return f"{hours:.1f} h" if hours < 9.95 else f"{hours:.0f} h"
    return f"{days:.1f} d" if days < 9.95 else f"{days:,.0f} d"
