"""What does the whole journey look like on one page that can hang on a wall: the map, drawn from its figures."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.journey_voices import (
    CURVE,
    STRIP,
    WORDS,
    contact_lane,
    known_metrics,
    quote_lane,
    rate_text,
    satisfaction_lane,
    score_text,
)
from cxkit.lanes import (
    A4,
    FAINT,
    FIRST,
    LEAST_SHOWN,
    LEFT,
    LINE,
    PALE,
    RIGHT,
    badge,
    blank_page,
    box,
    duration_text,
    fit_text,
    hatch,
    label,
    pale,
    rule,
    share_bar,
    text_width,
    wrap_text,
    write,
)
from cxkit.style import GREY, INK, clean_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GO_ON = {"visit_goes_on": "visits", "goes_on": "customers"}
BADGE = 0.19  # inches that a mark on a line of its own takes


def plot_journey_map(
    journey: pd.DataFrame,
    touchpoints: pd.DataFrame,
    *,
    weak: pd.DataFrame | None = None,
    title: str = "The customers’ journey",
    ax: "Axes | None" = None,
) -> "Axes":
    """The journey map on one A4 landscape page: stages as columns, lanes as rows.

    From: `journey_map` (or `join_maps`), `zones.stage_touchpoints`, `weak_points` (what carries a mark and a word;
    None: nothing). Touchpoints are drawn the most met first, as many as fit, the weak ones in any case; how many more
    there are is told. Hatched: no data. Grey: what rests on fewer than 30. `ax`: of a figure of A4 landscape size.
    """
    ax = blank_page(ax)
    if journey.empty:
        write(ax, A4[0] / 2, A4[1] / 2, "nothing to show yet: the map has no stage", size=12, ha="center", color=GREY)
        return ax
    columns, marks = _columns(journey), _marks(weak)
    y = _head(ax, journey, marks, title)
    y = _stage_names(ax, columns, y)
    y = _reached_lane(ax, columns, y)
    below = _lane_heights(columns, marks)
    bottom = A4[1] - 0.2 - 3 * LINE - sum(below.values())
    spare = bottom - y - _needed(columns, touchpoints, marks)
    if spare > 0 and known_metrics(columns):  # room that no touchpoint needs goes to the curve
        below["satisfaction"] += min(spare, 0.9)
        bottom -= min(spare, 0.9)
    y = _touchpoint_lane(ax, columns, touchpoints, marks, y, bottom)
    tops = {}
    for name, height in below.items():
        rule(ax, y, LEFT, RIGHT)
        tops[name], y = y, y + height
    _channel_lane(ax, columns, tops["channels"], below["channels"])
    _going_lane(ax, columns, tops["goes_on"], marks)
    _duration_lane(ax, columns, tops["days"], below["days"])
    satisfaction_lane(ax, columns, tops["satisfaction"], below["satisfaction"], marks)
    contact_lane(ax, columns, tops["contacts"], below["contacts"], marks)
    if "quotes" in tops:
        quote_lane(ax, columns, tops["quotes"], [stage for _, stage in marks])
    _blank_columns(ax, columns, below)
    rule(ax, y, LEFT, RIGHT)
    _foot(ax, journey, weak, y)
    return ax


def _columns(journey: pd.DataFrame) -> list[dict]:
    """One record a stage with its x and width; stages aside stand apart, stages without a touch are narrower."""
    rows = journey.to_dict("records")
    gap = 0.13 if {"main", "aside"} <= set(journey["path"]) else 0.0
    empty = [row["touches"] == 0 for row in rows]
    room, equal = RIGHT - FIRST - gap, (RIGHT - FIRST - gap) / len(rows)
    narrow = [min(max(text_width(clean_text(row["name"]), bold=True) + 0.2, 0.68), equal) for row in rows]
    wide = min((room - sum(np.array(narrow)[empty])) / max(len(rows) - sum(empty), 1), 2.6)
    pitch = [narrow[i] if empty[i] else wide for i in range(len(rows))]
    x = FIRST
    for i, row in enumerate(rows):
        if gap and row["path"] == "aside" and i and rows[i - 1]["path"] == "main":
            x += gap
        silent = not any(np.isfinite(row[metric]) for metric in WORDS)
        row |= {"x": x, "width": pitch[i] - 0.1, "met": row["touches"] > 0}
        row["blank"] = not row["met"] and silent  # hatched as a whole
        x += pitch[i]
    return rows


def _marks(weak: pd.DataFrame | None) -> dict[tuple[str, str], str]:
    """(lane, stage or touchpoint) -> the word."""
    if weak is None:
        return {}
    return {
        (row.lane, row.touchpoint if row.lane == "touchpoint" else row.stage): row.word for row in weak.itertuples()
    }


def _going(columns: list[dict]) -> list[str]:
    return [name for name in GO_ON if any(c[f"{name}_n"] > 0 for c in columns)] or ["goes_on"]


def _lane_heights(columns: list[dict], marks: dict) -> dict[str, float]:
    """How high each lane below the touchpoints is; quotes only where there are some."""
    marked = [any(lane == name for lane, _ in marks) for name in _going(columns)]
    metrics = known_metrics(columns)
    heights = {"channels": 0.41, "goes_on": 0.08 + sum(0.64 if mark else 0.47 for mark in marked), "days": 0.42}
    heights["satisfaction"] = CURVE + 0.08 + STRIP * (len(metrics) - 1) if metrics else 0.36
    heights["contacts"] = 0.39
    if any(isinstance(c["quote_1"], str) for c in columns):
        heights["quotes"] = 0.1 + 2 * LINE
    return heights


def _date(day: object) -> str:
    return "–" if pd.isna(day) else f"{day.day} {day:%B %Y}"


def _head(ax: "Axes", journey: pd.DataFrame, marks: dict, title: str) -> float:
    write(ax, LEFT, 0.4, fit_text(title, RIGHT - LEFT, 17, bold=True), size=17, bold=True)
    write(ax, LEFT, 0.69, fit_text(_headline(journey, marks), RIGHT - LEFT, 10), size=10)
    customers, strangers = (int(journey[name].max()) for name in ("of_customers", "of_unknown_sessions"))
    people = f"{customers:,} customer{'' if customers == 1 else 's'}"
    if strangers:
        people += f" and {strangers:,} visit{'' if strangers == 1 else 's'} of nobody known"
    first, last = _date(journey["since"].min()), _date(journey["to"].max())
    period = first if first == last else f"{first} to {last}"
    basis = f"{people}, {period}. Computed from what they did and said."
    write(ax, LEFT, 0.9, fit_text(basis, RIGHT - LEFT - 2.1), color=GREY)
    return 1.08


def _headline(journey: pd.DataFrame, marks: dict) -> str:
    """What the marks say, with the figures."""
    rows, parts = journey.set_index("stage"), []
    for lane, stage in sorted(marks, key=lambda key: key[0] == "contacts_per_100"):
        if lane == "touchpoint" or stage not in rows.index:
            continue
        row = rows.loc[stage]
        name = clean_text(row["name"])
        if lane in GO_ON:
            parts.append(f"fewest {GO_ON[lane]} go on from {name} ({format_value(row[lane], 'share')})")
        elif lane in WORDS:
            parts.append(f"least content at {name} ({WORDS[lane]} {score_text(row[lane], lane)})")
        else:
            parts.append(f"most contacts from {name} ({rate_text(row[lane])} per 100)")
    sentences = ["; ".join(parts)] if parts else []
    if touchpoints := [fit_text(name, 2.2, 10).replace("_", " ") for lane, name in marks if lane == "touchpoint"]:
        rest = f" and {len(touchpoints) - 3} more" if len(touchpoints) > 3 else ""
        sentences.append(f"weak: {', '.join(touchpoints[:3])}{rest}")
    told = ". ".join(text[:1].upper() + text[1:] for text in sentences)
    return f"{told or 'No stage and no touchpoint stands out beyond chance'}."


def _stage_names(ax: "Axes", columns: list[dict], y: float) -> float:
    from matplotlib.patches import Polygon

    tip, height = 0.06, 0.28
    for c in columns:
        left, right = c["x"], c["x"] + c["width"] + 0.08
        shape = [(left, y), (right, y), (right, y + height), (left, y + height)]
        if c["path"] == "main":  # an arrow: the path leads on
            shape[1:3] = [(right - tip, y), (right, y + height / 2), (right - tip, y + height)]
            shape.append((left + tip, y + height / 2))
        ax.add_patch(Polygon(shape, facecolor=PALE, linewidth=0))
        name = fit_text(c["name"], right - left - tip - 0.04, bold=True)
        write(ax, left + tip + 0.02, y + height / 2, name, bold=True, color=INK if c["met"] else GREY)
    aside = [c for c in columns if c["path"] == "aside"]
    if aside and len(aside) < len(columns):
        write(ax, aside[0]["x"], y - 0.1, fit_text("beside the path", RIGHT - aside[0]["x"]), color=GREY)
    return y + height + 0.03


def _reached_lane(ax: "Axes", columns: list[dict], y: float) -> float:
    label(ax, y + 0.14, "Reached", "customers; below,", "visits of", "nobody known")
    most, floor, high = max([c["customers"] for c in columns] + [1]), y + 0.52, 0.32
    fill = pale("C0", 0.3)
    for c in columns:
        if not c["met"]:
            if not c["blank"]:
                hatch(ax, c["x"], y + 0.06, c["width"], 0.6)
            continue
        tall = high * c["customers"] / most
        box(ax, c["x"], floor - tall, c["width"], tall, fill)
        ax.plot([c["x"], c["x"] + c["width"]], [floor] * 2, color=GREY, linewidth=0.8)
        write(ax, c["x"], floor - tall - 0.1, f"{c['customers']:,}", size=10.5, bold=True)
        if c["unknown_sessions"]:
            text = fit_text(f"{c['unknown_sessions']:,} visits", c["width"] + 0.05)
            write(ax, c["x"], floor + 0.1, text, color=GREY)
    return y + 0.71


def _touchpoint_lane(
    ax: "Axes", columns: list[dict], touchpoints: pd.DataFrame, marks: dict, y: float, bottom: float
) -> float:
    rule(ax, y, LEFT, RIGHT)
    by = "customers" if touchpoints["customers"].sum() > 0 else "unknown_sessions"
    label(ax, y + 0.14, "Touchpoints", "bars: customers" if by == "customers" else "bars: visits", "who met them")
    most = max(touchpoints[by].max() if len(touchpoints) else 1, 1)
    for c in columns:
        rows = touchpoints[touchpoints["stage"] == c["stage"]]
        if rows.empty:
            if not c["blank"]:
                hatch(ax, c["x"], y + 0.07, c["width"], bottom - y - 0.14)
            continue
        _touchpoint_column(ax, c, rows.to_dict("records"), by, most, marks, y + 0.06, bottom - 0.03)
    return bottom


def _touchpoint_record(row: dict, c: dict, marks: dict) -> dict:
    """A touchpoint with what is written (text), its mark (word) and whether the mark has room beside the name."""
    word, text = marks.get(("touchpoint", row["touchpoint"]), ""), clean_text(row["touchpoint"]).replace("_", " ")
    mark = text_width(f"\u25bc {word}", bold=True) + 0.16
    return row | {"word": word, "text": text, "beside": text_width(text, bold=True) + mark <= c["width"] + 0.06}


def _high(row: dict, c: dict, lines: int) -> float:
    used = len(wrap_text(row["text"], c["width"], lines=lines, bold=bool(row["word"])))
    return used * LINE + 0.095 + (BADGE if row["word"] and not row["beside"] else 0)


def _needed(columns: list[dict], touchpoints: pd.DataFrame, marks: dict) -> float:
    """How high the lane must be to hold all touchpoints, names in up to three lines."""
    totals = [0.8]
    for c in columns:
        rows = touchpoints[touchpoints["stage"] == c["stage"]].to_dict("records")
        totals.append(sum(_high(_touchpoint_record(row, c, marks), c, 3) for row in rows) + 0.12)
    return max(totals)


def _touchpoint_column(
    ax: "Axes", c: dict, rows: list[dict], by: str, most: float, marks: dict, y: float, bottom: float
) -> None:
    """One stage's touchpoints: a name and a bar each; a weak one its mark; names wrap where there is room for all."""
    rows = [_touchpoint_record(row, c, marks) for row in rows]
    room = bottom - y
    lines = next((k for k in (3, 2) if sum(_high(row, c, k) for row in rows) <= room), 1)
    # a weak touchpoint is never among those that are only counted
    ranked = sorted(rows, key=lambda row: (not row["word"], -row[by], row["touchpoint"]))
    if sum(_high(row, c, lines) for row in rows) > room:
        used = np.cumsum([_high(row, c, lines) for row in ranked])
        ranked = ranked[: int((used <= room - LINE).sum())]
    for row in sorted(ranked, key=lambda row: (-row[by], row["touchpoint"])):
        for text in wrap_text(row["text"], c["width"], lines=lines, bold=bool(row["word"])):
            write(ax, c["x"], y + LINE / 2, text, bold=bool(row["word"]))
            y += LINE
        fill = "C0" if row["word"] else pale("C0", 0.55)
        box(ax, c["x"], y + 0.005, max(c["width"] * row[by] / most, 0.01), 0.05, fill)
        if row["word"] and row["beside"]:
            badge(ax, c["x"] + c["width"] + 0.06, y - LINE / 2, row["word"], ha="right")
        elif row["word"]:
            badge(ax, c["x"], y + 0.155, row["word"])
            y += BADGE
        y += 0.095
    if len(ranked) < len(rows):
        write(ax, c["x"], y + LINE / 2, fit_text(f"+ {len(rows) - len(ranked)} more", c["width"] + 0.05), color=GREY)


def _channel_lane(ax: "Axes", columns: list[dict], y: float, height: float) -> None:
    label(ax, y + 0.13, "Channels", "most used first")
    for c in columns:
        if not c["channels"]:
            _nothing(ax, c, y + 0.06, height - 0.12, columns, word="not known")
            continue
        for number, line in enumerate(_some(c["channels"].split(", "), c["width"] + 0.04, lines=2)):
            write(ax, c["x"], y + 0.13 + number * LINE, line)


def _some(names: list[str], width: float, *, lines: int) -> list[str]:
    """As many names as fit in the lines, and how many more there are."""
    names = [clean_text(name).replace("_", " ") for name in names]
    for kept in range(len(names), 0, -1):
        rest = f" +{len(names) - kept}" if kept < len(names) else ""
        made = wrap_text(", ".join(names[:kept]) + rest, width, lines=lines + 1)
        if len(made) <= lines and not any("…" in line for line in made):
            return made
    rest = f" +{len(names) - 1}" if len(names) > 1 else ""
    made = wrap_text(names[0], width - text_width(rest), lines=lines)
    return [*made[:-1], made[-1] + rest]


def _going_lane(ax: "Axes", columns: list[dict], y: float, marks: dict) -> None:
    days, top = columns[0]["within_days"], y + 0.05
    notes = {
        "visit_goes_on": ("Visits go on", "in the same visit"),
        "goes_on": ("Customers go on", f"within {days} days"),
    }
    for name in _going(columns):
        label(ax, top + 0.09, *notes[name])
        for c in columns:
            value, n = c[name], c[f"{name}_n"]
            if not np.isfinite(value):
                _nothing(ax, c, top + 0.02, 0.42, columns, word="–" if name == "visit_goes_on" else "too new")
                continue
            few = n < LEAST_SHOWN
            ink = GREY if few else INK
            write(ax, c["x"], top + 0.09, format_value(value, "share"), size=10.5, bold=not few, color=ink)
            ends = (value, c[f"{name}_low"], c[f"{name}_high"])
            share_bar(ax, c["x"], top + 0.215, c["width"], ends, top=1.0, colour=FAINT if few else "C0")
            write(ax, c["x"], top + 0.34, fit_text(f"n = {n:,}", c["width"] + 0.05), color=GREY)
            if (name, c["stage"]) in marks:
                badge(ax, c["x"], top + 0.52, marks[name, c["stage"]].split(" ")[0])
        top += 0.64 if any(lane == name for lane, _ in marks) else 0.47


def _nothing(ax: "Axes", c: dict, y: float, height: float, columns: list[dict], *, word: str = "–") -> None:
    """A cell without a figure: a dash where there can be none (aside, or the path ends), a word where the stage has
    touches but none of this kind, hatched where it has none at all."""
    main = [other for other in columns if other["path"] == "main"]
    if not c["met"]:
        if not c["blank"]:
            hatch(ax, c["x"], y, c["width"], height)
    elif c["path"] == "aside" or (main and c is main[-1]):
        write(ax, c["x"], y + 0.07, "–", color=GREY)
    else:
        write(ax, c["x"], y + 0.07, fit_text(word, c["width"] + 0.05), color=GREY)


def _duration_lane(ax: "Axes", columns: list[dict], y: float, height: float) -> None:
    label(ax, y + 0.13, "Time to go on", "half; ¼ to ¾")
    for c in columns:
        if c["days_n"] == 0:
            _nothing(ax, c, y + 0.06, height - 0.12, columns, word="not known")
            continue
        few = c["days_n"] < LEAST_SHOWN
        text = duration_text(c["days_median"]) if np.isfinite(c["days_median"]) else "not yet"
        write(ax, c["x"], y + 0.13, text, size=10.5, bold=not few, color=GREY if few else INK)
        first, last = (duration_text(c[name]) if np.isfinite(c[name]) else "?" for name in ("days_q25", "days_q75"))
        number, _, unit = first.rpartition(" ")
        if first == last:
            between = "" if first == "?" else first
        else:
            between = f"{number if last.endswith(f' {unit}') else first} – {last}"
        write(ax, c["x"], y + 0.13 + LINE, fit_text(between, c["width"] + 0.05), color=GREY)


def _blank_columns(ax: "Axes", columns: list[dict], below: dict[str, float]) -> None:
    """Stages of which the data tell nothing at all: hatched from the first lane to the last."""
    top = 1.08 + 0.28 + 0.09
    bottom = A4[1] - 0.2 - 3 * LINE - below.get("quotes", 0.0) - 0.06
    for c in columns:
        if c["blank"]:
            hatch(ax, c["x"], top, c["width"], bottom - top)


def _foot(ax: "Axes", journey: pd.DataFrame, weak: pd.DataFrame | None, y: float) -> None:
    days, level = journey["within_days"].iloc[0], journey["level"].iloc[0]
    parts = [
        "To go on is to reach a later stage of the path; a visit also goes on by placing the order. Dark lines are "
        f"{format_value(level, 'share')} intervals. Customers count from their first touch at a stage, if it is {days} "
        "days old or more. Time: half of them have gone on by then; below, a quarter and three quarters (?: not yet). "
        f"Contacts stand at the stage that customers came from. Hatched: no data. Grey: fewer than {LEAST_SHOWN}.",
    ]
    if weak is not None and len(weak):
        parts.append(
            "\u25bc: certain by its interval; a stage so marked comes last of all, which need not be bad of its kind."
        )
    for number, line in enumerate(wrap_text(" ".join(parts), RIGHT - LEFT - 0.15, lines=3)):
        write(ax, LEFT, y + 0.12 + number * LINE, line, color=GREY)
