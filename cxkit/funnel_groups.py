"""Do groups of visitors go on differently: the funnel by segment, channel, new against returning."""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.entries import NOT_KNOWN
from cxkit.estimates import holm_levels, share_difference, wilson_ends
from cxkit.funnel import label, step_name, window_words
from cxkit.style import INK, colours_for, format_ends, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 6  # groups that a reader can tell apart in one picture
FEW = 30  # shares of fewer are drawn hollow
MARKERS = "osD^vP"
COMPARED = (
    "group", "step", "origin", "touchpoint", "reached", "of", "share", "others_share", "value", "low", "high", "n",
    "level", "method", "family", "p", "reading",
)  # fmt: skip


def compare_groups(funnel: pd.DataFrame, *, each_step: bool = False, level: float = 0.95) -> pd.DataFrame:
    """Each group's share against that of all other groups together, as a difference in percentage points.

    From: `funnel` with groups. To, one row a group (and step): group, step, origin (where the share begins: the first
    step, or with `each_step` the step before), touchpoint (where it ends), reached, of, share, others_share, value
    (share - others_share in percentage points), low, high, n (of both sides), level (of this interval), method,
    family (how many comparisons hold together), p, reading (more, fewer, or no difference told apart; not known where
    one side is empty).
    Compared is the way from the first step to the last; with `each_step` every step instead, each as a share of the
    step before. All rows are one family: their readings hold together at `level` (Holm); an interval excludes 0 exactly
    where the reading is more or fewer. p is the error at which the interval would just touch 0.
    What is left out: the group "not known" (it is no group). Fewer than two groups: no rows, and `groups_sentence` says
    so. With `again` one visitor may be in several groups (by the channel of each entry); they count as independent.
    What it cannot show: that the group is the cause. Groups differ in who is in them, and whoever ordered is known more
    often than whoever left: a group of known customers goes on more often than all visitors do.
    Source: Newcombe (1998), Statistics in Medicine 17(8), 873-890, method 10; Holm (1979), Scandinavian Journal of
    Statistics 6(2), 65-70.
    """
    known = funnel[funnel["group"] != NOT_KNOWN].sort_values(["step", "group"])
    last = known["step"].max()
    rows = []
    for step, there in known.groupby("step"):
        if step == 1 or len(there) < 2 or not (each_step or step == last):
            continue
        before = known[known["step"] == (step - 1 if each_step else 1)]
        of = there["reached"].to_numpy() + there["dropped"].to_numpy() if each_step else there["entered"].to_numpy()
        reached = there["reached"].to_numpy()
        effective = there["effective" if each_step else "effective_entered"].to_numpy(float)
        for place, row in enumerate(there.itertuples()):
            others = np.arange(len(there)) != place
            rows.append(
                {
                    "group": row.group, "step": step, "origin": before["touchpoint"].iloc[0],
                    "touchpoint": row.touchpoint, "reached": reached[place], "of": of[place],
                    "share": _ratio(reached[place], of[place]),
                    "others_share": _ratio(reached[others].sum(), of[others].sum()),
                    "n": int(of.sum()), "own": effective[place], "others": effective[others].sum(),
                }
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*COMPARED[:8], "n", "own", "others"])
    frame["p"] = _p_values(*(frame[c].to_numpy(float) for c in ("share", "own", "others_share", "others")))
    # of two groups the second's difference is the first's turned round: one comparison, not two
    twin = frame.groupby("step")["group"].transform("size").eq(2) & frame.duplicated("step")
    frame["level"] = holm_levels(frame["p"].mask(twin).to_numpy(float), level=level)
    frame["level"] = frame["level"].mask(twin).ffill()
    frame["family"] = int(frame["p"].mask(twin).notna().sum())
    gaps = [
        share_difference(r.share * r.own, r.own, r.others_share * r.others, r.others, level=r.level)
        if np.isfinite(r.p)
        else None
        for r in frame.itertuples()
    ]
    for name in ("value", "low", "high"):
        frame[name] = [getattr(gap, name) if gap else np.nan for gap in gaps]
    frame["method"] = "Newcombe; all intervals hold together (Holm)"
    frame["reading"] = [_reading(low, high) for low, high in zip(frame["low"], frame["high"], strict=True)]
    order = frame.assign(known=frame["value"].isna()).sort_values(["step", "known", "value", "group"], kind="stable")
    return order.reset_index(drop=True)[list(COMPARED)]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _p_values(share: np.ndarray, n: np.ndarray, other: np.ndarray, of_other: np.ndarray) -> np.ndarray:
    """The errors of the intervals (Newcombe's) that just touch 0, found by halving; NaN where a side is empty."""
    from scipy.special import ndtr

    swap = share < other
    up, n_up, down, n_down = (
        np.where(swap, b, a) for a, b in ((share, other), (n, of_other), (other, share), (of_other, n))
    )
    # beyond 8 standard errors all are certain, and 1 - p is 1 in floating point
    least, most = np.zeros(len(share)), np.full(len(share), 8.0)
    for _ in range(40):
        z = (least + most) / 2
        level = 2 * ndtr(z) - 1
        low, high = wilson_ends(up * n_up, n_up, level=level)[0], wilson_ends(down * n_down, n_down, level=level)[1]
        touches = up - down <= np.hypot(up - low, high - down)
        least, most = np.where(touches, least, z), np.where(touches, z, most)
    return np.where(np.isfinite(share + other), 2 * ndtr(-most), np.nan)


def _reading(low: float, high: float) -> str:
    if np.isnan(low):
        return "not known"
    return "more" if low > 0 else "fewer" if high < 0 else "no difference told apart"


def groups_sentence(compared: pd.DataFrame) -> str:
    """What `compare_groups` found, in words: the groups told apart, at most five, the greatest difference first."""
    if compared.empty:
        return "There are no two groups to compare."
    pairs = compared.groupby("step")["group"].transform("size").eq(2)  # the other of two says the same turned round
    certain = compared[(compared["reading"] == "more") | (~pairs & (compared["reading"] == "fewer"))]
    certain = certain.iloc[(-certain["value"].abs()).argsort(kind="stable")]
    if certain.empty:
        return "No group can be told apart from the others: every difference could be chance."
    parts = []
    for row in certain.head(5).itertuples():
        share, rest = (format_value(v, "share") for v in (row.share, row.others_share))
        gap = f"{format_value(abs(row.value), 'points')} percentage points {row.reading}"
        ends = sorted((abs(row.low), abs(row.high)))
        parts.append(
            f"{step_name(row.group)} from {step_name(row.origin)} to {step_name(row.touchpoint)}: {share} against "
            f"{rest} ({gap}, {format_ends(*ends, 'points')})"
        )
    more = f"; {len(certain) - 5} more stand in the table" if len(certain) > 5 else ""
    level = f"{100 * _joint(compared):g} %"
    return f"Told apart from all others, all together at {level}: {'; '.join(parts)}{more}."


def groups_sentences(compared: Mapping[str, pd.DataFrame]) -> list[str]:
    """`groups_sentence` of several comparisons, each led by what it compares. From: a name -> `compare_groups`."""
    led = {name: groups_sentence(frame) for name, frame in compared.items()}
    return [f"By {name}: {text[:1].lower()}{text[1:]}" for name, text in led.items()]


def _joint(compared: pd.DataFrame) -> float:
    """The level at which the family holds together: Holm divides its error among all members for the smallest p."""
    known = compared[compared["p"].notna()]
    return round(1 - (1 - known["level"].max()) * int(known["family"].iloc[0]), 10)


def plot_groups(funnel: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Each step's share of those at the step before, a point with its interval for each group; last, the whole way.

    From: `funnel` with groups. At most six groups, those with most entries; how many are not drawn is told below.
    Hollow points rest on fewer than 30.
    """
    import matplotlib.pyplot as plt
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    sizes = funnel[funnel["step"] == 1].sort_values(["entered", "group"], ascending=[False, True])
    groups, left = sizes["group"].to_list()[:MOST], max(len(sizes) - MOST, 0)
    steps = funnel.drop_duplicates("step").sort_values("step")["touchpoint"].to_list()
    ways = [*pairwise(steps)]
    ways += [(steps[0], steps[-1])] if len(steps) > 2 else []
    each = min(max(0.17 * len(groups) + 0.22, 0.5), 8.2 / len(ways))
    ax = plt.subplots(figsize=(7.2, each * len(ways) + 1.5))[1] if ax is None else ax
    colours, hollow = colours_for(groups), False
    for number, group in enumerate(groups):
        rows = funnel[funnel["group"] == group].sort_values("step")
        drawn = rows[["value", "low", "high"]].to_numpy(float)[1:]
        base = (rows["reached"] + rows["dropped"]).to_numpy()[1:]
        if len(steps) > 2:
            drawn = np.vstack([drawn, rows[["share_of_entered", "share_low", "share_high"]].to_numpy(float)[-1]])
            base = np.append(base, rows["entered"].iloc[0])
        y = np.arange(len(ways)) + (number - (len(groups) - 1) / 2) * 0.72 / max(len(groups), 1)
        colour, marker = colours[group], MARKERS[number]
        ax.hlines(y, drawn[:, 1], drawn[:, 2], color=colour, linewidth=1.4)
        name = f"{plain_text(step_name(group), width=32)} ({rows['entered'].iloc[0]:,})"
        solid = base >= FEW
        hollow = hollow or bool((~solid & np.isfinite(drawn[:, 0])).any())
        for shown, fill in ((solid, colour), (~solid, "white")):
            ax.plot(drawn[shown, 0], y[shown], marker, color=colour, markerfacecolor=fill, markersize=6, clip_on=False)
        ax.plot([], [], marker, color=colour, markersize=6, label=name)
    if not funnel["entered"].max():
        ax.text(0.5, 0.5, "nobody entered yet", ha="center", va="center", transform=ax.transAxes, color=INK)
    if len(steps) > 2:
        ax.axhline(len(ways) - 1.5, color=INK, linewidth=0.6)
    names = [f"{label(one, most_lines=1)}\n→ {label(other, most_lines=1)}" for one, other in ways]
    ax.set_yticks(range(len(ways)), names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, None), ylim=(len(ways) - 0.5, -0.5))
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    told = [f"hollow: of fewer than {FEW}"] if hollow else []
    told += [f"{left} smaller groups are not drawn"] if left else []
    below = f"\n({'; '.join(told)})" if told else ""
    within = window_words(funnel["window_hours"].iloc[0])
    ax.set(xlabel=f"Share that goes on{below}", title=f"Who goes on within {within}")
    # centred on the picture, not on the axes, beside which names may be long; so many inches below the axes
    down = ax.transAxes + ScaledTranslation(0, -0.72 if told else -0.55, ax.figure.dpi_scale_trans)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2,
        bbox_transform=blended_transform_factory(ax.figure.transFigure, down),
    )  # fmt: skip
    return ax


def describe_groups(funnel: pd.DataFrame) -> str:
    """What `plot_groups` shows, for those who cannot see it."""
    last = funnel[funnel["step"] == funnel["step"].max()].sort_values(["entered", "group"], ascending=[False, True])
    shown = last[last["entered"] > 0].head(MOST)
    if shown.empty:
        return "No points: nobody came to the first step whose window had ended with the data."
    parts = [f"{step_name(r.group)} {format_value(r.share_of_entered, 'share')}" for r in shown.itertuples()]
    return f"Points with intervals of the share that goes on, step by step, by group. All the way: {', '.join(parts)}."
