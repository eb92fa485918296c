"""A matrix drawn as a heat map that carries its numbers; what cannot be observed is hatched, never shown as zero."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cxkit.style import GREY, INK, contrast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = "#f3f6f8"


def draw_heat_map(
    ax: "Axes",
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    hatched: np.ndarray | None = None,
    faint: np.ndarray | None = None,
    top: float | None = None,
) -> "Axes":
    """One cell a value, from pale (0) to the accent colour (`top`, or the largest value), with its text in it.

    From: values (rows x columns; NaN stays white), texts of the same shape, the names of rows and columns;
    hatched: cells that cannot be observed; faint: cells that rest on little, whose text is slanted, and grey where grey
    can be read.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.patches import Rectangle

    values = np.asarray(values, dtype=float)
    if not values.size:
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)
        return ax
    hatched = np.zeros(values.shape, dtype=bool) if hatched is None else np.asarray(hatched, dtype=bool)
    faint = np.zeros(values.shape, dtype=bool) if faint is None else np.asarray(faint, dtype=bool)
    highest = top or (np.nanmax(values) if np.isfinite(values).any() else 1.0) or 1.0
    colours = LinearSegmentedColormap.from_list("accent", [PALE, to_hex("C0")])
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            fill = to_hex(colours(min(max(value / highest, 0.0), 1.0))) if np.isfinite(value) else "#ffffff"
            corner = (column - 0.5, row - 0.5)
            if hatched[row, column]:
                ax.add_patch(Rectangle(corner, 1, 1, facecolor="white", edgecolor="#c3c9d0", hatch="////", linewidth=0))
                continue
            ax.add_patch(Rectangle(corner, 1, 1, facecolor=fill, edgecolor="white", linewidth=1))
            # on a middling fill neither ink nor white reaches 4.5 : 1; black or white then does
            ink = INK if contrast(INK, fill) >= 4.5 else max("#ffffff", "#000000", key=lambda c: contrast(c, fill))
            # grey only where it can be read: on a dark cell the text stays white, so the slant has to tell it
            ink = GREY if faint[row, column] and contrast(GREY, fill) >= 4.5 else ink
            ax.text(column, row, texts[row][column], ha="center", va="center", color=ink, fontsize=9,
                    style="italic" if faint[row, column] else "normal")  # fmt: skip
    ax.set(xlim=(-0.5, values.shape[1] - 0.5), ylim=(values.shape[0] - 0.5, -0.5))
    ax.set_xticks(range(values.shape[1]), columns)
    ax.set_yticks(range(values.shape[0]), rows)
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax
