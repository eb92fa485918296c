"""How content are they at each stage, how often do they ask, and what do they say: lanes of the journey's page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cxkit.lanes import (
    FAINT,
    FIRST,
    LEAST_SHOWN,
    LEFT,
    LINE,
    RIGHT,
    badge,
    fit_text,
    hatch,
    label,
    pale,
    point_strip,
    share_bar,
    side_badge,
    text_width,
    wrap_text,
    write,
)
from cxkit.style import GREY, INK, LIGHT, clean_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = {"csat": "CSAT", "nps": "NPS", "ces": "CES"}
CURVE, STRIP = 0.8, 0.185  # inches: the curve's lane, and that of each further metric


def known_metrics(columns: list[dict]) -> list[str]:
    """The metrics of satisfaction that there are, the one known at most stages first."""
    count = {m: sum(bool(np.isfinite(c[m])) for c in columns) for m in WORDS}
    return sorted((m for m in WORDS if count[m]), key=lambda m: (-count[m], list(WORDS).index(m)))


def satisfaction_lane(ax: "Axes", columns: list[dict], y: float, height: float, marks: dict) -> None:
    """The leading metric as a curve, the others as points on strips, all with their intervals."""
    metrics = known_metrics(columns)
    if not metrics:
        label(ax, y + 0.17, "Satisfaction")
        hatch(
            ax,
            FIRST,
            y + 0.06,
            RIGHT - FIRST,
            height - 0.12,
            word="no data: no survey asked about a touchpoint",
            zorder=1.5,
        )
        return
    label(ax, y + 0.14, "Satisfaction", WORDS[metrics[0]])
    for c in columns:
        if not any(np.isfinite(c[m]) for m in metrics) and not c["blank"]:
            withheld = any(c[f"{m}_n"] > 0 for m in metrics)
            hatch(ax, c["x"], y + 0.07, c["width"], height - 0.14, word="too few" if withheld else "no data")
    curve = height - 0.08 - STRIP * (len(metrics) - 1)
    _curve(ax, columns, metrics[0], marks, y, curve)
    for number, metric in enumerate(metrics[1:]):
        _strips(ax, columns, metric, y + curve + 0.06 + STRIP * number)


def _strips(ax: "Axes", columns: list[dict], metric: str, middle: float) -> None:
    write(ax, LEFT, middle, WORDS[metric], color=GREY)
    ends = [c[f"{metric}{end}"] for c in columns for end in ("", "_low", "_high")]
    ends = [end for end in ends if np.isfinite(end)]
    span = (min(ends), max(ends)) if min(ends) < max(ends) else (min(ends) - 1, max(ends) + 1)
    for c in columns:
        if not np.isfinite(c[metric]):
            continue
        few = c[f"{metric}_n"] < LEAST_SHOWN
        write(ax, c["x"], middle, score_text(c[metric], metric), color=GREY if few else INK)
        if np.isfinite(c[f"{metric}_low"]):
            ends = [c[f"{metric}{end}"] for end in ("", "_low", "_high")]
            place = (c["x"] + 0.38, middle, c["width"] - 0.4)
            point_strip(ax, *place, ends, span=span, colour=FAINT if few else "C0")


def score_text(value: float, metric: str) -> str:
    """NPS in whole points, means with one decimal, with a true minus sign."""
    text = f"{value:.0f}" if metric == "nps" else f"{value:.1f}"
    return ("0" if text == "-0" else text).replace("-", "−")


def _curve(ax: "Axes", columns: list[dict], metric: str, marks: dict, y: float, height: float) -> None:
    """The leading metric as a curve over the main path with its intervals, stages aside as points of their own."""
    known = [c for c in columns if np.isfinite(c[metric])]
    ends = [c[f"{metric}{end}"] for c in known for end in ("", "_low", "_high") if np.isfinite(c[f"{metric}{end}"])]
    low, high = min(ends), max(ends)
    low, high = (low - 1, high + 1) if low == high else (low, high)
    top, floor = y + 0.28, y + height - 0.2

    def at(value: float) -> float:
        return floor - (floor - top) * (value - low) / (high - low)

    from matplotlib.ticker import MaxNLocator

    last = np.inf
    for tick in MaxNLocator(3, steps=[1, 2, 5, 10], min_n_ticks=1).tick_values(low, high):
        if low <= tick <= high and abs(at(tick) - last) >= LINE:
            last = at(tick)
            write(ax, FIRST - 0.08, at(tick), score_text(tick, metric), color=GREY, ha="right")
            for c in columns:
                if np.isfinite(c[metric]):
                    ax.plot([c["x"], c["x"] + c["width"]], [at(tick)] * 2, color=LIGHT, linewidth=0.7, zorder=0.6)
    run: list[dict] = []
    for c in [*columns, None]:
        joins = c is not None and np.isfinite(c[metric]) and (not run or c["path"] == run[-1]["path"] == "main")
        if not joins and run:
            x = [r["x"] + r["width"] / 2 for r in run]
            if all(np.isfinite(r[f"{metric}_low"]) for r in run):
                lows, highs = ([at(r[f"{metric}{end}"]) for r in run] for end in ("_low", "_high"))
                ax.fill_between(x, lows, highs, color=pale("C0", 0.14), linewidth=0, zorder=1)
            ax.plot(x, [at(r[metric]) for r in run], color="C0", linewidth=1.6, zorder=2)
            run = []
        if c is not None and np.isfinite(c[metric]):
            run.append(c)
    for c in columns:
        x = c["x"] + c["width"] / 2
        if not np.isfinite(c[metric]):
            continue
        few = c[f"{metric}_n"] < LEAST_SHOWN
        colour = FAINT if few else "C0"
        spread = [c[f"{metric}_low"], c[f"{metric}_high"]] if np.isfinite(c[f"{metric}_low"]) else [c[metric]] * 2
        ax.plot([x, x], [at(end) for end in spread], color=INK, linewidth=1.2, solid_capstyle="butt", zorder=3)
        ax.plot([x], [at(c[metric])], "o", color=colour, markersize=5, zorder=4)
        over = at(spread[1]) - 0.1
        score, ink = score_text(c[metric], metric), GREY if few else INK
        write(ax, x, over, score, size=10.5, bold=not few, ha="center", color=ink)
        write(ax, x, y + height - 0.08, f"n = {c[f'{metric}_n']:,}", ha="center", color=GREY)
        if (metric, c["stage"]) in marks:
            _curve_badge(ax, c, marks[metric, c["stage"]], y)


def _curve_badge(ax: "Axes", c: dict, word: str, y: float) -> None:
    wide = text_width(f"\u25bc {word}", bold=True) + 0.1
    badge(ax, c["x"] + (c["width"] - wide) / 2, y + 0.11, word)


def contact_lane(ax: "Axes", columns: list[dict], y: float, height: float, marks: dict) -> None:
    """How many contacts come from each stage, as bars with their intervals on one scale."""
    label(ax, y + 0.13, "Contacts", "per 100 customers")
    if not any(c["contacts"] > 0 for c in columns):
        hatch(
            ax, FIRST, y + 0.05, RIGHT - FIRST, height - 0.1, word="no data: no contact of a known customer", zorder=1.5
        )
        return
    top = max([c["contacts_per_100_high"] for c in columns if np.isfinite(c["contacts_per_100_high"])], default=1.0)
    for c in columns:
        value, lane = c["contacts_per_100"], "contacts_per_100"
        if not np.isfinite(value):
            if c["path"] == "aside":
                write(ax, c["x"], y + 0.13, "–", color=GREY)
            elif not c["blank"]:
                hatch(ax, c["x"], y + 0.05, c["width"], height - 0.1)
            continue
        few = c[f"{lane}_n"] < LEAST_SHOWN
        write(ax, c["x"], y + 0.13, rate_text(value), size=10.5, bold=not few, color=GREY if few else INK)
        if (lane, c["stage"]) in marks:
            side_badge(ax, c, y + 0.13, marks[lane, c["stage"]])
        ends = (value, c[f"{lane}_low"], c[f"{lane}_high"])
        share_bar(ax, c["x"], y + 0.27, c["width"], ends, top=top, colour=FAINT if few else "C0")


def rate_text(value: float) -> str:
    """Contacts per hundred: one decimal below ten."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def quote_lane(ax: "Axes", columns: list[dict], y: float, first: Sequence[str]) -> None:
    """What customers say, side by side over the whole page, each after its stage's name: at most four, those of the
    stages `first` (the marked ones) before others."""
    label(ax, y + 0.14, "In their words")
    speaking = [c for c in columns if isinstance(c["quote_1"], str)]
    chosen = sorted(speaking, key=lambda c: (c["stage"] not in first, c["position"]))[:4]
    chosen = [(c, c["quote_1"]) for c in sorted(chosen, key=lambda c: c["position"])]
    if len(chosen) <= 2:
        chosen = [(c, c[name]) for c, _ in chosen for name in ("quote_1", "quote_2") if isinstance(c[name], str)]
    wide = (RIGHT - FIRST) / len(chosen)
    for number, (c, said) in enumerate(chosen):
        quote = f"“{clean_text(said)}”"
        x = FIRST + number * wide
        ax.plot([x, x], [y + 0.06, y + 0.05 + 2 * LINE], color="C0", linewidth=1.2, solid_capstyle="butt")
        name = fit_text(c["name"], wide / 2, bold=True)
        write(ax, x + 0.08, y + 0.14, name, bold=True)
        lines = wrap_text(quote, wide - 0.18, lines=2, indent=text_width(name, bold=True) + 0.07)
        for row, line in enumerate(lines):
            indent = 0 if row else text_width(name, bold=True) + 0.07
            write(ax, x + 0.08 + indent, y + 0.14 + row * LINE, line, style="italic")
