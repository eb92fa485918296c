"""Which ten touchpoints to work on first: how much each matters against how it does, drawn and in words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.stages import name_key
from cxkit.style import GREY, INK, LIGHT, format_value, in_quotes, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORED = ("goes_on", "nps", "csat", "ces", "criteria")
MIDDLE = 3.0  # of 1 to 5: where nobody stated an importance and none can be derived
FIELDS = ("work here first", "keep it up", "mend where weak", "enough as it is")
REPEAT, NPS = "ordered again", "NPS"
TEXT = 9  # points
SEEN = 0.005  # of a scale; what lies closer to the middle is not told as lying below it


def weigh(
    performance: pd.DataFrame, *, touchpoint_map: pd.DataFrame, removal: pd.DataFrame | None = None,
    met: pd.DataFrame | None = None, weights: Mapping[str, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Every touchpoint with how much it matters, how it does, and the score that its place follows from.

    From: `performance.performance`; `stages.touchpoint_map` (stage; stated importance 1 to 5); `removal_effects` and
    `met_differences` of `importance`, where they are to be had; weights: stage -> its weight for a company of this size
    (1 where none is given). To, the first to work on first: rank, touchpoint, stage, stated, removal (0 to 1),
    repeat_difference, repeat_low, repeat_high, nps_difference, nps_low, nps_high (points), derived, importance,
    standing, shortfall, stage_weight, score, certain (weak, strong or empty), measures (how many tell of it), reason.
    score = importance x shortfall x stage_weight; those weak for certain come before all others.
    importance (1 to 5): the mean of the stated one and the derived one, of those there are; 3 where there is neither.
    derived (1 to 5): 1 + 4 x the largest of the removal effect and, where their intervals exclude 0, the differences in
    repeat purchase (as a share) and in NPS (as a share of its 200 points), whatever their sign; a difference not told
    apart from 0 says nothing, so it does not lower it.
    shortfall (0 to 1): how far it lies below the client's middle touchpoint (the median, so that the weak ones do not
    draw the mark down), as a share of the scale, the mean over its measures (those above count 0). standing: the same
    without cutting, so above 0 is better than the middle.
    What is left out: measures that are not judged because they rest on too little (criteria, an opinion, are in), and
    contacts (asks), which are shown in the performance and never scored; a measure without a scale counts 0.
    Source: the question and the rule on company size are S2c's; the formula and the weights' numbers are ours.
    """
    rows = performance[performance["measure"].isin(SCORED)]
    rows = rows[rows["judged"] | (rows["measure"] == "criteria")]
    rows = rows.assign(scaled=rows["scaled"].astype(float).fillna(0.0))  # without a scale its size is not known
    rows = rows.assign(below=(-rows["scaled"]).clip(lower=0))
    sums = rows.groupby("touchpoint", as_index=False).agg(
        standing=("scaled", "mean"), shortfall=("below", "mean"), measures=("measure", "size")
    )
    said = touchpoint_map.assign(key=touchpoint_map["canonical"].map(name_key)).drop_duplicates("key").set_index("key")
    said = said.reindex(sums["touchpoint"].map(name_key))
    frame = sums.assign(stage=said["stage"].to_numpy(), stated=said["importance"].to_numpy(dtype=float))
    effect = {} if removal is None else dict(zip(removal["touchpoint"], removal["value"], strict=True))
    frame["removal"] = frame["touchpoint"].map(effect).astype(float)
    loudest = [frame["removal"]]
    for outcome, name, width in ((REPEAT, "repeat", 100), (NPS, "nps", 200)):
        part = pd.DataFrame(columns=["value", "low", "high"], dtype=float)
        if met is not None and len(met):
            part = met[met["outcome"] == outcome].set_index("touchpoint")[["value", "low", "high"]]
        part = part.reindex(frame["touchpoint"])
        ends = {"value": f"{name}_difference", "low": f"{name}_low", "high": f"{name}_high"}
        frame = frame.assign(**{ends[c]: part[c].to_numpy(dtype=float) for c in ends})
        apart = (frame[f"{name}_low"] > 0) | (frame[f"{name}_high"] < 0)
        loudest.append((frame[f"{name}_difference"].abs() / width).where(apart))
    frame["derived"] = 1 + 4 * pd.concat(loudest, axis=1).max(axis=1, skipna=True)
    frame["importance"] = frame[["stated", "derived"]].mean(axis=1).fillna(MIDDLE)
    frame["stage_weight"] = frame["stage"].map(dict(weights or {})).astype(float).fillna(1.0)
    frame["score"] = frame["importance"] * frame["shortfall"] * frame["stage_weight"]
    weak, strong = (frame["touchpoint"].isin(rows.loc[rows["certain"] == v, "touchpoint"]) for v in ("weak", "strong"))
    frame["certain"] = np.select([weak, strong], ["weak", "strong"], "")
    frame["reason"] = [_reason(row, rows[rows["touchpoint"] == row.touchpoint]) for row in frame.itertuples()]
    frame = frame.assign(later=frame["certain"] != "weak", loss=-frame["score"].round(12))
    frame = frame.sort_values(["later", "loss", "touchpoint"], ignore_index=True)
    return frame.assign(rank=np.arange(1, len(frame) + 1))[
        ["rank", "touchpoint", "stage", "stated", "removal", "repeat_difference", "repeat_low", "repeat_high",
         "nps_difference", "nps_low", "nps_high", "derived", "importance", "standing", "shortfall", "stage_weight",
         "score", "certain", "measures", "reason"]
    ]  # fmt: skip


def _reason(row: object, measures: pd.DataFrame) -> str:
    """Why a touchpoint stands where it stands, in words with their numbers; what is certain with the surest first."""
    ordered = measures.assign(size=-measures["below"]).sort_values(["size", "measure"], kind="stable")
    sure = ordered["certain"] == "weak"
    parts = ["; ".join(ordered[sure].sort_values("p", kind="stable")["said"])] if sure.any() else []
    rest = ordered.loc[~sure & (ordered["below"] >= SEEN), "said_middle"]
    if len(rest):
        parts.append(("Also: " if parts else "Not for certain: ") + "; ".join(rest))
    if not parts:
        parts.append(
            f"Nothing measured lies {format_value(SEEN, 'share')} of its scale or more below the middle touchpoint"
        )
    matters = [f"importance {row.stated:g} of 5 as stated"] if np.isfinite(row.stated) else []
    if np.isfinite(row.removal):
        matters.append(f"{format_value(row.removal, 'share')} of the orders of visits pass it (model)")
    for name, text in (("repeat", "ordered again"), ("nps", "NPS")):
        value, low, high = (getattr(row, f"{name}_{end}") for end in ("difference", "low", "high"))
        if low > 0 or high < 0:
            size, side = format_value(abs(value), "points"), "higher" if value > 0 else "lower"
            matters.append(f"{text}: {size} points {side} among those who met it (no experiment)")
    parts.append("; ".join(matters) or "importance neither stated nor derived")
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "."


def priorities(weighed: pd.DataFrame, *, most: int = 10) -> pd.DataFrame:
    """The touchpoints to work on first, at most `most`.

    From, To: `weigh`, the first rows of it. What is left out: touchpoints less than half a percent of a scale below the
    middle one: of them there is nothing to tell.
    Source: S2c (start with ten main points).
    """
    return weighed[(weighed["shortfall"] >= SEEN) | (weighed["certain"] == "weak")].head(most).reset_index(drop=True)


SIZES = {
    "small": "a small company: the first stages and support count more",
    "medium": "a middle-sized company: what keeps customers after the order counts more",
    "large": "a large company, of which small flaws are forgiven: all stages count the same",
}


def sentences(weighed: pd.DataFrame, *, size: str | None = None) -> list[str]:
    """What follows from `weigh`, in words: what is weak for certain and why, and what the company's size changes."""
    if weighed.empty:
        return ["No touchpoint can be judged: nothing was measured about any of them."]
    weak = weighed[weighed["certain"] == "weak"]
    told = []
    for row in weak.head(3).itertuples():
        loudest, *others = row.reason.split(". ")[0].split("; ")
        more = f", and by {len(others)} more measure{'s' * (len(others) > 1)}" if others else ""
        told.append(f"{in_quotes(row.touchpoint)} is weak for certain: {loudest}{more}.")
    if len(weak) > 3:
        told.append(f"{len(weak) - 3} more are weak for certain; the table names them.")
    if weak.empty:
        told.append("No touchpoint is weak for certain: every difference could be chance.")
    if size:
        told.append(f"Weighed as for {SIZES[size]} (S2c; the weights' numbers are ours).")
    return told


def fields(weighed: pd.DataFrame) -> pd.DataFrame:
    """In which of four fields each touchpoint lies. From: `weigh`. To: touchpoint, field, in the same order.

    The borders are the client's own: as good as the middle touchpoint (standing 0), and the mean importance. Fields:
    work here first (matters more, does worse), keep it up (more, better), mend where weak (less, worse), enough as it
    is (less, better).
    Source: Martilla & James (1977), Journal of Marketing 41(1), 77-79; the names are ours.
    """
    above, better = weighed["importance"] >= weighed["importance"].mean(), weighed["standing"] >= 0
    names = np.select([above & ~better, above & better, ~above & ~better], FIELDS[:3], FIELDS[3])
    return weighed[["touchpoint"]].assign(field=names)


def plot_importance_performance(weighed: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Touchpoints by how they do (across) and how much they matter (up), in four named fields. From: `weigh`.

    Names stand where they do not touch each other, the first ranks before the others; how many did not fit is said
    under the picture. Weak and strong for certain have marks of their own.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 5.4))[1] if ax is None else ax
    ax.set_title("How much each touchpoint matters, and how it does")
    if not len(weighed):
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)
        return ax
    x, y = weighed["standing"].to_numpy(dtype=float), weighed["importance"].to_numpy(dtype=float)
    wide = max(np.abs(x).max() * 0.12, 0.02)
    ax.set(xlim=(min(x.min(), 0) - 2 * wide, max(x.max(), 0) + 2 * wide), ylim=(0.5, 5.5), yticks=range(1, 6))
    ax.axvline(0, color=GREY, linewidth=0.8, zorder=1)
    ax.axhline(y.mean(), color=GREY, linewidth=0.8, zorder=1)
    ax.xaxis.set_major_formatter(lambda share, _: format_value(round(share, 6), "lift"))
    marks = {"weak": ("v", "C0", "C0", "weak for certain"), "strong": ("^", "white", "C0", "strong for certain"),
             "": ("o", "white", GREY, "not told apart, or not for certain")}  # fmt: skip
    for certain, (mark, fill, edge, label) in marks.items():
        here = (weighed["certain"] == certain).to_numpy()
        if here.any():
            ax.plot(x[here], y[here], mark, markerfacecolor=fill, markeredgecolor=edge, markersize=8, label=label)
    ax.set_ylabel("How much it matters (1 to 5)")
    corners = {FIELDS[0]: (0, 1), FIELDS[1]: (1, 1), FIELDS[2]: (0, 0), FIELDS[3]: (1, 0)}
    for name, (right, top) in corners.items():
        ax.annotate(
            name, (right, top), (-6 if right else 6, -6 if top else 6), xycoords="axes fraction", color=GREY,
            textcoords="offset points", ha="right" if right else "left", va="top" if top else "bottom", weight="bold",
        )  # fmt: skip
    below = "How it does against the client's middle touchpoint (share of the scale)"
    ax.set_xlabel(below)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.75 / ax.figure.get_figheight()), ncols=3, handletextpad=0.2)
    missing = _write_names(ax, weighed, x, y)
    if missing:
        ax.set_xlabel(f"{below}\n{missing} of {len(x)} names did not fit; the table has them all")
    return ax


def _write_names(ax: "Axes", weighed: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> int:
    """Writes names beside their points where they touch nothing, in the order of the rows; how many did not fit."""
    ax.figure.draw_without_rendering()  # so that the layout, and with it the size of the axes, is known
    scale = 72 / ax.figure.dpi
    area = ax.get_window_extent()
    points = (ax.transData.transform(np.column_stack([x, y])) - [area.x0, area.y0]) * scale
    size = (area.width * scale, area.height * scale)
    taken = [(px - 6, py - 6, px + 6, py + 6) for px, py in points]
    for name, (right, top) in zip(FIELDS, ((0, 1), (1, 1), (0, 0), (1, 0)), strict=True):
        wide, left, bottom = _width(name, 10, bold=True) + 12, 0.0, 0.0
        left, bottom = (size[0] - wide if right else 0.0), (size[1] - 20 if top else 0.0)
        taken.append((left, bottom, left + wide, bottom + 20))
    cross_x, cross_y = (ax.transData.transform((0, y.mean())) - [area.x0, area.y0]) * scale
    lines = [(cross_x - 1, 0, cross_x + 1, size[1]), (0, cross_y - 1, size[0], cross_y + 1)]
    missing = 0
    for number, row in enumerate(weighed.itertuples()):
        text = plain_text(row.touchpoint, width=26)
        weak = row.certain == "weak"
        box = _free(points[number], _width(text, TEXT, bold=weak), size, taken, lines, own=number)
        if box is None:
            missing += 1
            continue
        px, py = points[number]
        near = np.clip(px, box[0], box[2]), np.clip(py, box[1], box[3])
        far = np.hypot(near[0] - px, near[1] - py) > 9
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        taken.append(box)
        if far:  # a hairline to its point, over which no later name is written
            taken += [(a - 2, b - 2, a + 2, b + 2) for a, b in _along((px, py), middle)]
        ax.annotate(
            text, (x[number], y[number]), (middle[0] - px, middle[1] - py), ha="center",
            textcoords="offset points", va="center", fontsize=TEXT, color=INK, weight="bold" if weak else "normal",
            arrowprops={"arrowstyle": "-", "color": LIGHT, "shrinkA": 0, "shrinkB": 4} if far else None,
            in_layout=False, zorder=3,
        )  # fmt: skip
    return missing


def _width(text: str, size: float, *, bold: bool = False) -> float:
    """A text's width in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text or "i", size=size, prop=font).get_extents().width) + 3


def _along(start: tuple, end: tuple) -> list[tuple[float, float]]:
    return [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in np.linspace(0.1, 1, 40)]


def _free(
    point: np.ndarray, wide: float, size: tuple, taken: list[tuple], lines: list[tuple], *, own: int
) -> tuple | None:
    """The nearest place for a name around its point that lies in the picture and on nothing; None where there is none.

    From: all in points; taken: boxes that neither the name nor its hairline may touch (but for its `own` mark); lines:
    boxes that the hairline may cross.
    """
    high = TEXT * 1.35
    every = np.array([*taken, *lines])
    others = np.array([box for number, box in enumerate(taken) if number != own] or [(-1, -1, -1, -1)])
    for distance in (8, 12, 18, 26, 36, 48, 62, 78, 96, 116):
        for angle in np.radians([0, 180, 90, 270, 35, 145, 325, 215, 60, 120, 300, 240]):
            cx = point[0] + np.cos(angle) * (distance + wide / 2)
            cy = point[1] + np.sin(angle) * (distance + high / 2)
            box = (cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2)
            if box[0] < 2 or box[1] < 2 or box[2] > size[0] - 2 or box[3] > size[1] - 2:
                continue
            apart = (
                (box[0] >= every[:, 2]) | (box[2] <= every[:, 0]) | (box[1] >= every[:, 3]) | (box[3] <= every[:, 1])
            )
            if not apart.all():
                continue
            line = _along(tuple(point), (cx, cy)) if distance > 8 else []
            if any(
                ((a > others[:, 0]) & (a < others[:, 2]) & (b > others[:, 1]) & (b < others[:, 3])).any()
                for a, b in line
            ):
                continue
            return box
    return None


def describe_importance_performance(weighed: pd.DataFrame) -> str:
    """What `plot_importance_performance` shows, for those who cannot see it."""
    if not len(weighed):
        return "No touchpoint could be placed by importance and performance."
    where = fields(weighed)
    parts = []
    for field in FIELDS:
        names = [plain_text(name) for name in where.loc[where["field"] == field, "touchpoint"]]
        told = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        parts.append(f"{field}: {told or 'none'}")
    weak = [plain_text(name) for name in weighed.loc[weighed["certain"] == "weak", "touchpoint"]]
    said = f"Weak for certain: {', '.join(weak)}." if weak else "None is weak for certain."
    return f"Touchpoints by how much they matter and how they do, in four fields. {'; '.join(parts)}. {said}"
