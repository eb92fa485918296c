"""A picture as SVG: the same bytes for the same picture, small, and without what a machine leaves behind."""

import io
import re
import warnings
from typing import TYPE_CHECKING

from cxkit.style import FIGURE_FONTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETAILED = 2000  # from so many points on, a scatter is stored as pixels inside the SVG


def svg_text(figure: "Figure") -> str:
    """A figure as SVG text, whose bytes depend on the picture alone."""
    import matplotlib

    for axes in figure.axes:
        for collection in axes.collections:
            if len(collection.get_offsets()) > DETAILED:
                collection.set_rasterized(True)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "cxkit", "svg.fonttype": "none"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # an empty box stands for the sign
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    return _compact(buffer.getvalue())


def _compact(svg: str) -> str:
    """The same picture with shorter coordinates (a thousandth of a point; it also hides the last digits in which
    machines differ), one font for all its text, and without comments, metadata and indentation."""
    svg = re.sub(r"(?s)<!--.*?-->|<metadata>.*?</metadata>|<!DOCTYPE.*?>", "", svg)
    svg = svg.replace("stroke-linecap: butt}", f"stroke-linecap: butt}}text{{font-family: {FIGURE_FONTS}}}", 1)

    def tag(match: re.Match) -> str:
        text = match[0].replace("font-family: 'DejaVu Sans'; ", "")
        text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", text)
        return re.sub(r"-?\b\d+\.\d{4,}\b", lambda m: f"{float(m[0]):.3f}".rstrip("0").rstrip("."), text)

    # only inside tags: what a label says stays as it is
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"<[^>]*>", tag, svg))
