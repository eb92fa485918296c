"""How do two journeys differ, stage by stage: two segments or two periods side by side on the same map."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import Estimate, holm_levels, share_difference, wilson_ends
from cxkit.lanes import (
    A4,
    FAINT,
    FIRST,
    LEAST_SHOWN,
    LEFT,
    LINE,
    PALE,
    RIGHT,
    blank_page,
    box,
    duration_text,
    fit_text,
    hatch,
    label,
    pale,
    rule,
    text_width,
    wrap_text,
    write,
)
from cxkit.style import GREY, INK, LIGHT, clean_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# measure -> unit, the lane's name and what its figures are
MEASURES = {
    "reached": ("share", "Reached", "of all customers"),
    "visit_goes_on": ("share", "Visits go on", "in the same visit"),
    "goes_on": ("share", "Customers go on", "in the window"),
    "days_median": ("days", "Time to go on", "half have by then"),
    "csat": ("points", "Satisfaction", "CSAT"),
    "nps": ("points", "Recommending", "NPS"),
    "ces": ("points", "Ease", "CES"),
    "contacts_per_100": ("points", "Contacts", "per 100 customers"),
}
ASKED = ("reached", "csat", "nps", "ces")  # where a stage without a figure lacks data; else there can be none
EXACT = ("reached", "goes_on")  # shares of independent customers, whose counts are known
SIDES = ("one", "other")
VALUE, GAP = 0.57, 0.7  # inches: of a cell, what its figure and its difference take
READINGS = ("more", "less", "no difference told apart", "not known")


def compare_maps(
    one: pd.DataFrame, other: pd.DataFrame, *, names: tuple[str, str], level: float = 0.95
) -> pd.DataFrame:
    """Two maps side by side, with the differences that hold together.

    From: two frames of `journey_map` with the same stages (what stands in one alone, or has
    no figure in either, is left out); names: what each is
    (two segments, two periods). To, one row a stage and measure that either has: position, stage, name, path, measure
    (reached, the share of all customers of that map; visit_goes_on, goes_on, days_median, csat, nps, ces,
    contacts_per_100), unit, one, other, each with _low, _high, _n; difference (other - one; of shares in percentage
    points), low, high, reading (the other has more, less, no difference told apart, or not known), one_name,
    other_name, own_level (of the difference's interval), level.
    The differences are a family: a reading is more or less where Holm's procedure says so, and the interval of each is
    the one that it needs to say it. What is left out: that the same customers may stand in both (two periods share
    them), so that the difference is better known than is said here. Differences of times are never told apart below
    the step that times are cut to (a minute, an hour from a day on).
    Source: Newcombe (1998), Statistics in Medicine 17(8), 873-890, method 10, and for all but shares of customers its
    general form, Zou & Donner (2008), Statistics in Medicine 27(10), 1693-1702, the ends moved in proportion to the
    normal quantile; Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    Raises UsageError where the names are one, no stage is common, or the maps were made with other settings.
    """
    first, last = (clean_text(name) for name in names)
    if first == last:
        raise UsageError(f"the two maps need names of their own; found {first!r} twice.")
    for setting in ("within_days", "level"):
        found = sorted({*one[setting], *other[setting]})
        if len(found) > 1:
            raise UsageError(f"two maps compare where {setting} is one; found {found[0]} and {found[1]}.")
    both = one.merge(other[["stage"]], on="stage")["stage"].to_list()
    if not both:
        raise UsageError(
            f"the two maps have no stage in common: {', '.join(one['stage']) or 'none'}; "
            f"{', '.join(other['stage']) or 'none'}."
        )
    maps = [_with_reached(frame.set_index("stage").loc[both], level) for frame in (one, other)]
    rows = []
    for stage in both:
        for measure, (unit, *_) in MEASURES.items():
            figures = [_figure(frame.loc[stage], measure) for frame in maps]
            if any(np.isfinite(f["value"]) for f in figures):
                row = maps[0].loc[stage]
                place = {"position": row["position"], "stage": stage, "name": row["name"], "path": row["path"]}
                rows.append(place | {"measure": measure, "unit": unit, "figures": figures})
    base = float(one["level"].iloc[0])
    p_values = np.array([_p_value(row["measure"], *row["figures"], base) for row in rows], dtype=float)
    levels = holm_levels(p_values, level=level)
    made = []
    for row, own in zip(rows, levels, strict=True):
        figures = row.pop("figures")
        gap = _difference(row["measure"], *figures, own, base)
        sides = {
            f"{side}{'' if end == 'value' else f'_{end}'}": number
            for side, figure in zip(SIDES, figures, strict=True)
            for end, number in figure.items()
        }
        made.append(row | sides | {"difference": gap[0], "low": gap[1], "high": gap[2], "own_level": own})
    columns = ["position", "stage", "name", "path", "measure", "unit"]
    columns += [f"{side}{end}" for side in SIDES for end in ("", "_low", "_high", "_n")]
    frame = pd.DataFrame(made, columns=[*columns, "difference", "low", "high", "own_level"])
    reading = np.select([frame["low"] > 0, frame["high"] < 0, frame["difference"].notna()], READINGS[:3], READINGS[3])
    return frame.assign(reading=reading, one_name=first, other_name=last, level=level)


def _with_reached(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    n = frame["of_customers"].astype(float)
    low, high = wilson_ends(frame["customers"], n, level=level)
    return frame.assign(
        reached=(frame["customers"] / n.where(n > 0)).where(frame["touches"] > 0),
        reached_low=low, reached_high=high, reached_n=frame["of_customers"], days_median_n=frame["days_n"],
    )  # fmt: skip


def _figure(row: pd.Series, measure: str) -> dict[str, float]:
    figure = {end: float(row[measure if end == "value" else f"{measure}_{end}"]) for end in ("value", "low", "high")}
    return figure | {"n": int(row[f"{measure}_n"])}


def _counts(figure: dict) -> tuple[int, int]:
    return round(figure["value"] * figure["n"]), figure["n"]


def _sides(measure: str, one: dict, other: dict) -> tuple[float, float, float]:
    """other - one, and how far its interval runs down and up at the level of the two (Zou & Donner)."""
    times = 100.0 if MEASURES[measure][0] == "share" else 1.0
    gap = other["value"] - one["value"]
    down = np.hypot(other["value"] - other["low"], one["high"] - one["value"])
    up = np.hypot(other["high"] - other["value"], one["value"] - one["low"])
    if measure == "days_median":  # what times are cut to
        step = 1 / 24 if max(one["value"], other["value"]) >= 1 else 1 / 1440
        down, up = max(down, step), max(up, step)
    return times * gap, times * float(down), times * float(up)


def _known(*figures: dict) -> bool:
    return bool(np.isfinite([figure[end] for figure in figures for end in ("value", "low", "high")]).all())


def _difference(measure: str, one: dict, other: dict, own: float, base: float) -> tuple[float, float, float]:
    """other - one with its interval at the level `own`, from intervals at the level `base`."""
    from scipy.special import ndtri

    if not _known(one, other):
        return np.nan, np.nan, np.nan
    if measure in EXACT:
        gap: Estimate = share_difference(*_counts(other), *_counts(one), level=own)
        return gap.value, gap.low, gap.high
    gap, down, up = _sides(measure, one, other)
    wider = float(ndtri((1 + own) / 2) / ndtri((1 + base) / 2))
    return gap, gap - wider * down, gap + wider * up


def _p_value(measure: str, one: dict, other: dict, base: float) -> float:
    """Two-sided: 1 - the level at which the interval just reaches nought; NaN where there is no difference to tell."""
    from scipy.special import ndtr, ndtri

    if not _known(one, other):
        return np.nan
    if measure in EXACT:
        low, high = 0.0, 8.0
        for _ in range(30):  # the interval grows with the normal quantile z
            z = (low + high) / 2
            inside = _excludes_zero(measure, one, other, float(1 - 2 * ndtr(-z)), base)
            low, high = (z, high) if inside else (low, z)
        return float(2 * ndtr(-high)) if low > 0 else 1.0
    gap, down, up = _sides(measure, one, other)
    side = down if gap > 0 else up
    if gap == 0:
        return 1.0
    return float(2 * ndtr(-abs(gap) / side * ndtri((1 + base) / 2))) if side > 0 else 0.0


def _excludes_zero(measure: str, one: dict, other: dict, level: float, base: float) -> bool:
    _, low, high = _difference(measure, one, other, level, base)
    return low > 0 or high < 0


def plot_map_comparison(
    comparison: pd.DataFrame, *, title: str = "Two journeys on one map", ax: "Axes | None" = None
) -> "Axes":
    """`compare_maps` on one A4 landscape page: stages as columns, measures as lanes; of each the first map's figure
    (grey), the other's (accent), and under them the difference with its interval about nought.

    A difference told apart carries a mark. Hatched: neither has data. `ax`: of a figure of A4 landscape size.
    """
    ax = blank_page(ax)
    if comparison.empty:
        write(ax, A4[0] / 2, A4[1] / 2, "nothing to compare: no figure", size=12, ha="center", color=GREY)
        return ax
    measures = [m for m in MEASURES if m in set(comparison["measure"])]
    columns = _columns(comparison)
    _head(ax, comparison, title)
    for c in columns:
        box(ax, c["x"], 1.08, c["width"] + 0.06, 0.28, PALE)
        write(ax, c["x"] + 0.06, 1.22, fit_text(c["name"], c["width"] - 0.04, bold=True), bold=True)
    height = min((A4[1] - 0.2 - 2 * LINE - 1.42) / len(measures), 0.9)
    y = 1.42
    for measure in measures:
        rows = comparison[comparison["measure"] == measure].set_index("stage")
        _lane(ax, columns, measure, rows, y, height)
        y += height
        rule(ax, y, LEFT, RIGHT)
    _foot(ax, comparison, y)
    return ax


def _columns(comparison: pd.DataFrame) -> list[dict]:
    stages = comparison.drop_duplicates("stage").sort_values("position")[["stage", "name"]].to_dict("records")
    pitch = min((RIGHT - FIRST) / len(stages), 2.6)
    return [c | {"x": FIRST + i * pitch, "width": pitch - 0.1} for i, c in enumerate(stages)]


def _head(ax: "Axes", comparison: pd.DataFrame, title: str) -> None:
    write(ax, LEFT, 0.4, fit_text(title, RIGHT - LEFT, 17, bold=True), size=17, bold=True)
    write(ax, LEFT, 0.69, fit_text(describe_comparison(comparison, most=3), RIGHT - LEFT, 10), size=10)
    x = LEFT
    for side, colour in (("one", FAINT), ("other", "C0")):
        box(ax, x, 0.86, 0.16, 0.08, colour)
        name = fit_text(comparison[f"{side}_name"].iloc[0], 4.0, bold=True)
        write(ax, x + 0.23, 0.9, name, bold=True)
        x += 0.23 + text_width(name, bold=True) + 0.3
    write(ax, x, 0.9, "differences: the second minus the first", color=GREY)


def _lane(ax: "Axes", columns: list[dict], measure: str, rows: pd.DataFrame, y: float, height: float) -> None:
    unit, name, note = MEASURES[measure]
    top_line = y + (height - 2 * LINE - 0.02) / 2
    label(ax, top_line, name, note, "difference" + (", points" if unit == "share" else ""))
    ends = rows[[f"{side}{end}" for side in SIDES for end in ("", "_high")]].to_numpy(dtype=float)
    low = rows[["one", "other", "one_low", "other_low"]].to_numpy(dtype=float)
    spread = rows[["low", "high"]].to_numpy(dtype=float)
    top = 1.0 if unit == "share" else max(np.nanmax(np.where(np.isfinite(ends), ends, np.nan)), 1e-9)
    floor = min(0.0, float(np.nanmin(np.where(np.isfinite(low), low, np.nan))))
    reach = max(np.nanmax(np.abs(spread)), 1e-9) if np.isfinite(spread).any() else 1.0
    for c in columns:
        if c["stage"] not in rows.index:
            if measure in ASKED:
                hatch(ax, c["x"], y + 0.06, c["width"], height - 0.12)
            else:
                write(ax, c["x"], top_line, "–", color=GREY)
            continue
        row = rows.loc[c["stage"]]
        for number, side in enumerate(SIDES):
            _value(ax, c, row, side, measure, top_line + number * LINE, (floor, top))
        _gap(ax, c, row, measure, top_line + 0.02 + 2 * LINE, reach)


def _value(ax: "Axes", c: dict, row: pd.Series, side: str, measure: str, y: float, span: tuple[float, float]) -> None:
    value, n = row[side], row[f"{side}_n"]
    if not np.isfinite(value):
        write(ax, c["x"], y, "no data", color=GREY)
        return
    few = n < LEAST_SHOWN
    write(ax, c["x"], y, fit_text(_text(value, measure), VALUE), color=GREY if few else INK)
    x, wide = c["x"] + VALUE, c["width"] - VALUE

    def at(end: float) -> float:
        return x + wide * float(np.clip((end - span[0]) / (span[1] - span[0]), 0, 1))

    box(ax, x, y - 0.035, wide, 0.07, PALE, zorder=1)
    left, right = sorted((at(0.0), at(value)))
    box(ax, left, y - 0.035, right - left, 0.07, FAINT if side == "one" else pale("C0", 0.5) if few else "C0", zorder=2)
    ends = [row[f"{side}_low"], row[f"{side}_high"]]
    if np.isfinite(ends[0]):
        ax.plot([at(ends[0]), at(ends[1])], [y, y], color=INK, linewidth=1.2, solid_capstyle="butt", zorder=3)


def _gap(ax: "Axes", c: dict, row: pd.Series, measure: str, y: float, reach: float) -> None:
    if not np.isfinite(row["difference"]):
        return
    sure = row["reading"] in READINGS[:2]
    mark = {"more": "\u25b2 ", "less": "\u25bc "}.get(row["reading"], "")
    text = mark + _text(row["difference"], measure, signed=True)
    write(ax, c["x"], y, fit_text(text, GAP, bold=sure), bold=sure, color=INK if sure else GREY)
    middle, half = c["x"] + (c["width"] + GAP) / 2, (c["width"] - GAP) / 2
    if half < 0.08:
        return
    ax.plot([middle - half, middle + half], [y, y], color=LIGHT, linewidth=0.8, zorder=1)
    ax.plot([middle] * 2, [y - 0.06, y + 0.06], color=GREY, linewidth=0.8, zorder=1)
    places = [middle + half * row[end] / reach for end in ("low", "high", "difference")]
    ax.plot(places[:2], [y, y], color=INK if sure else GREY, linewidth=1.2, solid_capstyle="butt", zorder=2)
    ax.plot(places[2:], [y], "o", color="C0" if sure else FAINT, markersize=3.5, zorder=3)


def _text(value: float, measure: str, *, signed: bool = False) -> str:
    """A figure as the page shows it; a signed one with its plus, shares then in percentage points."""
    if measure == "days_median":
        text = duration_text(abs(value) if signed else value)
        if signed and abs(value) < 1 / 1440:
            return "0"
        return f"{'−' if value < 0 else '+'}{text}" if signed else text
    if MEASURES[measure][0] == "share" and not signed:
        return format_value(value, "share")
    digits = 0 if measure == "nps" or abs(value) >= 99.5 else 1
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return "0" if not text.strip("+-0.") else text.replace("-", "−")


def describe_comparison(comparison: pd.DataFrame, *, most: int = 6) -> str:
    """Which differences are told apart, in words; the largest against their intervals first.

    From: `compare_maps`; `most`: how many are told.
    """
    if comparison.empty:
        return "Two journeys were to be compared, but neither has a figure."
    one, other = (clean_text(comparison[f"{side}_name"].iloc[0]) for side in ("one", "other"))
    against = f"{other[:1].upper()}{other[1:]} against {one}"
    sure = comparison[comparison["reading"].isin(READINGS[:2])]
    known = int(comparison["difference"].notna().sum())
    if sure.empty:
        return f"{against}: no difference is told apart ({known} compared together)."
    near = sure[["low", "high"]].abs().min(axis=1)
    ranked = sure.assign(clear=(near / (sure["high"] - sure["low"])).fillna(0).round(9))
    ranked = ranked.sort_values(["clear", "position", "measure"], ascending=[False, True, True])
    parts = []
    for row in ranked.head(most).to_dict("records"):
        points = " points" if row["unit"] == "share" else ""
        lane = MEASURES[row["measure"]]
        text = f"{clean_text(row['name'])} {_text(row['difference'], row['measure'], signed=True)}{points}"
        parts.append(f"{text} ({lane[2] if row['unit'] == 'points' else lane[1].lower()})")
    more = f", and {len(ranked) - most} more" if len(ranked) > most else ""
    return f"{against}: {'; '.join(parts)}{more}."


def _foot(ax: "Axes", comparison: pd.DataFrame, y: float) -> None:
    known = int(comparison["difference"].notna().sum())
    text = (
        f"\u25b2 \u25bc: told apart from nought, all {known} differences holding together at "
        f"{format_value(comparison['level'].iloc[0], 'share')} (Holm). Dark lines: intervals. Hatched: no data; –: "
        f"there can be none. Pale: fewer than {LEAST_SHOWN}. The data do not say what made the difference."
    )
    for number, line in enumerate(wrap_text(text, RIGHT - LEFT - 0.15, lines=2)):
        write(ax, LEFT, y + 0.13 + number * LINE, line, color=GREY)
