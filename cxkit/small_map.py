"""The journey on half a page: a row a stage with who comes, who goes on, how content they are, and what is weak."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.journey_readings import leading_metric
from cxkit.journey_voices import WORDS, score_text
from cxkit.lanes import (
    FAINT,
    LEAST_SHOWN,
    LINE,
    badge,
    box,
    fit_text,
    hatch,
    pale,
    point_strip,
    rule,
    share_bar,
    text_width,
    write,
)
from cxkit.style import GREY, INK, clean_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.2  # inches, as every picture of a page
# where each column begins; what stands out comes first, since a phone shows the left half
STAGE, WEAK, REACHED, GOING, CONTENT = 0.0, 1.06, 3.72, 4.92, 6.06
TEXT, BAR, HIGH, HEAD, MOST_MARKS = 0.44, 0.66, 0.19, 0.39, 3  # a figure has TEXT inches, then its bar BAR
NPS_SPAN = (-100.0, 100.0)


def figures(journey: pd.DataFrame) -> pd.DataFrame:
    """`journey_map` as its file gives it back, fit to be drawn: what is empty throughout are numbers of which none is
    known (of a shop with orders alone, nearly all)."""
    return journey.astype({name: float for name in journey.columns if journey[name].isna().all()})


def plot_small_map(
    journey: pd.DataFrame,
    touchpoints: pd.DataFrame,
    *,
    weak: pd.DataFrame | None = None,
    scales: Mapping[str, tuple[float, float]] = {},
    ax: "Axes | None" = None,
) -> "Axes":
    """The journey map small: stages from top to bottom, four figures each.

    From: `journey_map` (as kept by the journey's notebook), `zones.stage_touchpoints`, `journey_readings.weak_points`.
    `scales`: of the client's surveys, lowest and highest answer (NPS runs from −100 to 100 whatever they are).
    Hatched: no data. Grey: what rests on fewer than 30. A mark says where a figure is the worst of all stages, or a
    touchpoint weak, for certain. `ax`: 7.2 inches wide and as high as `map_height`.
    """
    import matplotlib.pyplot as plt

    rows, high = journey.to_dict("records"), map_height(journey, touchpoints, weak)
    if ax is None:
        figure = plt.figure(figsize=(WIDTH, high))
        figure.set_layout_engine("none")  # the theme's would move what stands at exact places
        ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(high, 0))
    ax.set_axis_off()
    if not rows:
        write(ax, WIDTH / 2, high / 2, "nothing to show yet: the map has no stage", ha="center", color=GREY)
        return ax
    going, metric, y = _going(journey), leading_metric(journey), HEAD
    span = _span(journey, metric, scales)
    _heads(ax, going, metric, span, int(journey["within_days"].iloc[0]))
    marks = stage_marks(journey, touchpoints, weak)
    for row in rows:
        rule(ax, y, 0.0, WIDTH)
        _row(ax, row, y, most=max(journey["customers"].max(), 1), going=going, metric=metric, span=span)
        for number, line in enumerate(_lines(marks[row["stage"]])):
            x = WEAK
            for name, word in line:
                x = _mark(ax, name, word, x, y + HIGH / 2 + number * 1.15 * LINE)
        if row["path"] == "aside" and not marks[row["stage"]]:
            write(ax, WEAK, y + HIGH / 2, "beside the path", color=GREY)
        y += _row_height(marks[row["stage"]])
    rule(ax, y, 0.0, WIDTH)
    return ax


def map_height(journey: pd.DataFrame, touchpoints: pd.DataFrame, weak: pd.DataFrame | None) -> float:
    """How high the picture is in inches, at `plot_small_map`'s width."""
    if not len(journey):
        return 1.0
    return HEAD + sum(map(_row_height, stage_marks(journey, touchpoints, weak).values())) + 0.05


def stage_marks(
    journey: pd.DataFrame, touchpoints: pd.DataFrame, weak: pd.DataFrame | None
) -> dict[str, list[tuple[str, str]]]:
    """What is marked at each stage of the map: stage -> (what, word), weak touchpoints first. From: `plot_small_map`.

    A touchpoint that is weak and belongs to no stage of the map is left out.
    """
    marks: dict[str, list[tuple[str, str]]] = {stage: [] for stage in journey["stage"]}
    if weak is None:
        return marks
    of = dict(zip(touchpoints["touchpoint"], touchpoints["stage"], strict=True))
    for row in weak.itertuples():
        stage = of.get(row.touchpoint) if row.lane == "touchpoint" else row.stage
        if stage in marks:
            marks[stage].append((clean_text(row.touchpoint or "").replace("_", " "), row.word))
    return {stage: sorted(found, key=lambda mark: not mark[0]) for stage, found in marks.items()}


def describe_small_map(journey: pd.DataFrame, touchpoints: pd.DataFrame, *, weak: pd.DataFrame | None = None) -> str:
    """What `plot_small_map` shows, for those who cannot see it."""
    if not len(journey):
        return "The customers' journey: nothing to show yet, the map has no stage."
    marks, names = stage_marks(journey, touchpoints, weak), dict(zip(journey["stage"], journey["name"], strict=True))
    told = [
        f"{clean_text(names[stage])}: {', '.join(f'{name} {word}'.strip() for name, word in found)}"
        for stage, found in marks.items()
        if found
    ]
    begin = f"The customers' journey in {len(journey)} stages, from {clean_text(journey['name'].iloc[0])} on. "
    return begin + (f"Marked: {'; '.join(told)}." if told else "No stage and no touchpoint stands out beyond chance.")


def _going(journey: pd.DataFrame) -> str:
    return "visit_goes_on" if (journey["visit_goes_on_n"] > 0).sum() > 1 else "goes_on"


def _span(journey: pd.DataFrame, metric: str | None, scales: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Lowest and highest that the leading metric can be; without a declared scale, that its intervals reach."""
    if metric is None or metric == "nps":
        return NPS_SPAN
    ends = journey[f"{metric}_low"].min(), journey[f"{metric}_high"].max()
    low, high = (float(end) for end in scales.get(metric) or ends)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _row_height(marks: list) -> float:
    return HIGH + 1.15 * LINE * max(len(_lines(marks)) - 1, 0)


def _lines(marks: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The marks of a stage, as many on a line as there is room for."""
    lines: list[list[tuple[str, str]]] = []
    left = 0.0
    for name, word in _shown(marks):
        wide = _mark_width(name, word)
        if not lines or wide > left:
            lines.append([])
            left = REACHED - WEAK - 0.1
        lines[-1].append((name, word))
        left -= wide + 0.1
    return lines


def _mark_width(name: str, word: str) -> float:
    badge_width = text_width(f"\u25bc {word}", bold=True) + 0.17 if word else 0.0
    return badge_width + text_width(name)


def _shown(marks: list[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(marks) - MOST_MARKS
    return marks if more <= 0 else [*marks[: MOST_MARKS - 1], (f"+ {more + 1} more", "")]


def _heads(ax: "Axes", going: str, metric: str | None, span: tuple[float, float], days: int) -> None:
    on = ("Visits go on", "in the same visit") if going == "visit_goes_on" else ("Go on", f"within {days} days")
    content = (f"Content: {WORDS[metric]}", f"of {span[0]:g} to {span[1]:g}") if metric else ("", "")
    heads = {STAGE: ("Stage", ""), REACHED: ("Customers", "who came here"), GOING: on, CONTENT: content}
    for x, (name, note) in (heads | {WEAK: ("What stands out", "for certain")}).items():
        write(ax, x, 0.1, name, bold=True)
        write(ax, x, 0.1 + LINE, note.replace("-", "−"), color=GREY)


def _row(
    ax: "Axes", row: dict, y: float, *, most: float, going: str, metric: str | None, span: tuple[float, float]
) -> None:
    """One stage's figures: each a text, and beside it its bar."""
    met, text = row["touches"] > 0, y + HIGH / 2
    name = fit_text(row["name"], WEAK - STAGE - 0.08, bold=True)
    write(ax, STAGE, text, name, bold=True, color=INK if met else GREY)
    silent = metric is None or not np.isfinite(row[metric])
    if not met:
        wide = (CONTENT - 0.1 if not silent else WIDTH) - REACHED
        hatch(ax, REACHED, text - 0.1, wide, 0.2)  # so high that its word finds room
    else:
        write(ax, REACHED, text, f"{int(row['customers']):,}")
        box(ax, REACHED + TEXT, text - 0.04, max(BAR * row["customers"] / most, 0.01), 0.08, pale("C0", 0.4))
        _ends(ax, row, going, GOING, text)
    if not silent:
        few = row[f"{metric}_n"] < LEAST_SHOWN
        write(ax, CONTENT, text, score_text(row[metric], metric), color=GREY if few else INK)
        ends = tuple(float(np.clip(row[f"{metric}{end}"], *span)) for end in ("", "_low", "_high"))
        point_strip(ax, CONTENT + TEXT, text, BAR, ends, span=span, colour=FAINT if few else "C0")
    elif met and metric is not None:
        write(ax, CONTENT, text, "not asked", color=GREY)


def _ends(ax: "Axes", row: dict, going: str, x: float, text: float) -> None:
    if not np.isfinite(row[going]):
        write(ax, x, text, "–", color=GREY)
        return
    few = row[f"{going}_n"] < LEAST_SHOWN
    write(ax, x, text, format_value(row[going], "share"), color=GREY if few else INK)
    ends = (row[going], row[f"{going}_low"], row[f"{going}_high"])
    share_bar(ax, x + TEXT, text, BAR, ends, top=1.0, colour=FAINT if few else "C0")


def _mark(ax: "Axes", name: str, word: str, x: float, y: float) -> float:
    """A mark with its word, and beside it what it is of; returns where the next begins."""
    end = x + _mark_width(name, word)
    x += badge(ax, x, y, word) + 0.07 if word else 0.0
    write(ax, x, y, fit_text(name, REACHED - x - 0.1), color=INK)
    return end + 0.1
