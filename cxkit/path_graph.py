"""The steps between touchpoints as a picture: touchpoints laid out by stage, arrows as wide as the steps are many."""

from collections.abc import Collection, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.style import GREY, INK, LIGHT, PALETTE, clean_text, format_value, plain_text, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEGINS, LEAVES = "(begins)", "(leaves)"  # as `paths.transitions` calls the visit's begin and end
NO_STAGE = "(no stage)"
IN_ROW = 4  # boxes side by side; more of one stage stand in further rows
LABELLED = 10  # arrows that carry their number
BACK = PALETTE[3]  # the colour of arrows to an earlier stage, which are dashed too
# inches
WIDTH, MARGIN, BOX, TALL, BETWEEN, EDGE = 7.2, 1.12, 1.34, 0.56, 0.66, 0.2


def graph_points(
    transitions: pd.DataFrame,
    *,
    stage_of: Mapping[str, str],
    stages: Sequence[str],
    aside: Collection[str] = (),
    most: int = 20,
) -> pd.DataFrame:
    """The touchpoints of the graph and where each stands.

    From: `paths.transitions`; the stage of each touchpoint; the stages' keys in order, and which of them lie aside (to
    leave them is no step back). To, by stage and the most met first: touchpoint, stage ("(no stage)": unmapped), main
    (no: aside, or no stage), row, place (0, 1, … from the left), in_row (how many stand there), met (steps to it, the
    first touches counted in), begins (visits that begin there), leaves (visits that end there), again (steps from it to
    itself).
    What is left out: touchpoints beyond the `most` met; `graph_edges` counts their steps among the hidden ones.
    """
    points = transitions[transitions["follows"] != LEAVES]
    met = points.groupby("follows")["count"].sum().rename("met").rename_axis("touchpoint").reset_index()
    met = met.sort_values(["met", "touchpoint"], ascending=[False, True], ignore_index=True).head(most)

    def counted(rows: pd.DataFrame, side: str) -> np.ndarray:
        return rows.groupby(side)["count"].sum().reindex(met["touchpoint"], fill_value=0).to_numpy("int64")

    rank = {stage: number for number, stage in enumerate(dict.fromkeys(stages))}
    own = [stage_of.get(name) for name in met["touchpoint"]]
    frame = met.assign(
        stage=pd.Series([stage if stage in rank else NO_STAGE for stage in own], dtype=object),
        begins=counted(transitions[transitions["origin"] == BEGINS], "follows"),
        leaves=counted(transitions[transitions["follows"] == LEAVES], "origin"),
        again=counted(transitions[transitions["origin"] == transitions["follows"]], "origin"),
        rank=[rank.get(stage, len(rank)) for stage in own],
    )
    frame = frame.sort_values(["rank", "met", "touchpoint"], ascending=[True, False, True], ignore_index=True)
    number = frame.groupby("rank").cumcount()
    rows = (frame["rank"] * len(frame) + number // IN_ROW).rank(method="dense").astype("int64") - 1
    frame = frame.assign(row=rows, place=number % IN_ROW)
    frame["in_row"] = frame.groupby("row")["row"].transform("size")
    frame["main"] = ~frame["stage"].isin([*aside, NO_STAGE])
    columns = ["touchpoint", "stage", "main", "row", "place", "in_row", "met", "begins", "leaves", "again"]
    return frame[columns]


def graph_edges(
    transitions: pd.DataFrame, points: pd.DataFrame, *, least_share: float = 0.1, least_of_all: float = 0.002
) -> pd.DataFrame:
    """The steps from one touchpoint to another, and which of them the graph shows.

    From: `paths.transitions`, `graph_points`. To, the most first: origin, follows, count, share (of all steps between
    touchpoints), share_of_origin (of all touches at origin), shown (yes/no: at least `least_share` of the touches at
    origin and `least_of_all` of all steps, and both touchpoints in `points`), back (yes/no: to a touchpoint of an
    earlier stage, both stages being on the main path).
    What is left out: the visits' begins and ends, and steps from a touchpoint to itself; `share` counts the latter in.
    """
    between = _between(transitions)
    edges = between[between["origin"] != between["follows"]]
    rank = {name: number for number, name in enumerate(dict.fromkeys(points["stage"]))}
    main = points[points["main"]].set_index("touchpoint")["stage"].map(rank)
    drawn = [edges[side].isin(points["touchpoint"]) for side in ("origin", "follows")]
    share = edges["count"] / max(int(between["count"].sum()), 1)
    edges = edges[["origin", "follows", "count", "share_of_origin"]].assign(
        share=share,
        shown=drawn[0] & drawn[1] & (edges["share_of_origin"] >= least_share) & (share >= least_of_all),
        back=edges["follows"].map(main) < edges["origin"].map(main),
    )
    edges = edges.sort_values(["count", "origin", "follows"], ascending=[False, True, True], ignore_index=True)
    return edges[["origin", "follows", "count", "share", "share_of_origin", "shown", "back"]]


def _between(transitions: pd.DataFrame) -> pd.DataFrame:
    return transitions[(transitions["origin"] != BEGINS) & (transitions["follows"] != LEAVES)]


def graph_caption(
    transitions: pd.DataFrame,
    points: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    least_share: float = 0.1,
    least_of_all: float = 0.002,
) -> str:
    """How to read the graph and what it leaves out, with the shares.

    From: `paths.transitions`, `graph_points`, and `graph_edges` with the same limits.
    """
    between = _between(transitions)
    total = int(between["count"].sum())
    if not total:
        return "No visit has a second touch, so there are no steps to draw."
    again = int(between.loc[between["origin"] == between["follows"], "count"].sum())
    hidden = edges[~edges["shown"]]
    others = transitions.loc[transitions["follows"] != LEAVES, "follows"].nunique() - len(points)
    rarer = f", or at one of {others:,} rarer touchpoints" if others else ""
    return (
        f"An arrow is as wide as its part of the {total:,} steps; its number is the share of the touches where it "
        "begins that go on to where it ends. In a box: touches, and the share of them that end the visit. Hidden: "
        f"{len(hidden):,} kinds of step under {format_value(least_share, 'share')} of the touches where they begin, or "
        f"under {format_value(least_of_all, 'share')} of all steps{rarer}; together "
        f"{format_value(hidden['count'].sum() / total, 'share')} of all steps. Not drawn: "
        f"{format_value(again / total, 'share')} of all steps, which stay at the same touchpoint. Dashed: back to an "
        "earlier stage."
    )


def plot_path_graph(
    points: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    caption: str,
    names: Mapping[str, str] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """`graph_points` and `graph_edges` as a graph: the stages from top to bottom, arrows as wide as their share.

    caption: `graph_caption`, which stands below. names: the stages' names by key. In each box: the touchpoint, how
    often it was met, and the share of its touches after which the visit ends.
    """
    import matplotlib.pyplot as plt

    rows = int(points["row"].max()) + 1 if len(points) else 1
    lines = wrap(clean_text(caption), 98)
    foot = 0.19 * len(lines) + 0.1
    height = rows * (TALL + BETWEEN) + EDGE + foot
    ax = plt.subplots(figsize=(WIDTH, height + EDGE + 0.5))[1] if ax is None else ax
    ax.set(xlim=(0, WIDTH), ylim=(height, -EDGE), xticks=[], yticks=[])
    ax.set_aspect("equal")
    for side in ax.spines.values():
        side.set_visible(False)
    centre = {row.touchpoint: _centre(row) for row in points.itertuples()}
    _draw_stages(ax, points, names or {})
    taken = [(x - BOX / 2, y - TALL / 2, x + BOX / 2, y + TALL / 2) for x, y in centre.values()]
    shown = edges[edges["shown"]]
    widest = float(shown["share"].max()) if len(shown) else 1.0
    ports = _ports(shown, centre)
    for number, edge in enumerate(shown.iloc[::-1].itertuples()):
        curve = _curve(*ports[edge.Index], *(centre[n] for n in (edge.origin, edge.follows)))
        _draw_arrow(ax, curve, width=0.8 + 3.7 * edge.share / widest, back=edge.back, above=number)
    for row in points.itertuples():
        _draw_box(ax, row, *centre[row.touchpoint])
    for edge in shown.head(LABELLED).itertuples():
        curve = _curve(*ports[edge.Index], *(centre[n] for n in (edge.origin, edge.follows)))
        _label(ax, curve, format_value(edge.share_of_origin, "share"), taken)
    if points.empty:
        ax.text(WIDTH / 2, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)
    ax.text(0, height - foot + 0.1, "\n".join(lines).replace("$", r"\$"), va="top", fontsize=9, color=GREY)
    ax.set_title("How the visits go from touchpoint to touchpoint")
    return ax


def _centre(row) -> tuple[float, float]:
    """Where a box stands: the boxes of a row share its width."""
    cell = (WIDTH - MARGIN) / row.in_row
    # every other row is moved a little, so that an arrow over two rows does not run behind the box between
    shift = 0.0 if row.in_row == IN_ROW else (0.16 if row.row % 2 else -0.16) * (cell - BOX)
    return MARGIN + (row.place + 0.5) * cell + shift, BETWEEN / 2 + row.row * (TALL + BETWEEN) + TALL / 2


def _draw_stages(ax: "Axes", points: pd.DataFrame, names: Mapping[str, str]) -> None:
    """The name of each stage at the left, and a hairline above it."""
    for number, (stage, rows) in enumerate(points.groupby("stage", sort=False)["row"]):
        top = int(rows.min()) * (TALL + BETWEEN)
        if number:
            ax.plot([0, WIDTH], [top, top], color=LIGHT, linewidth=0.8, zorder=0.5)
        name = wrap(clean_text(names.get(stage, stage)), 13, max_lines=3, placeholder=" …") or [""]
        ax.text(0, top + BETWEEN / 2 + TALL / 2, "\n".join(name).replace("$", r"\$"), va="center", fontsize=9,
                weight="bold", color=GREY, zorder=0.6)  # fmt: skip


def _draw_box(ax: "Axes", row, x: float, y: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - BOX / 2, y - TALL / 2)
    ax.add_patch(
        FancyBboxPatch(corner, BOX, TALL, boxstyle="round,pad=0,rounding_size=0.07", facecolor="white",
                       edgecolor="C0", linewidth=1.2, zorder=50)
    )  # fmt: skip
    ends = format_value(row.leaves / max(row.met, 1), "share")
    name = "\n".join(_box_name(row.touchpoint)).replace("$", r"\$")
    ax.text(x, y - 0.1, name, ha="center", va="center", fontsize=9, color=INK, zorder=51, linespacing=1.05)
    ax.text(x, y + TALL / 2 - 0.05, f"{_short_count(row.met)} · {ends} end", ha="center", va="bottom", fontsize=9,
            color=GREY, zorder=51)  # fmt: skip


def _box_name(name: object) -> list[str]:
    """A touchpoint's name on at most two lines of a box; broken at blanks where there are any."""
    rest, lines = spoken(clean_text(name))[:80], []
    while rest and len(lines) < 2:
        cut = len(rest)
        while cut > 1 and _wide(rest[:cut]) > BOX - 0.14:
            cut -= 1
        if cut < len(rest):
            mark = max(rest.rfind(" ", 0, cut + 1), *(rest.rfind(m, 0, cut) + 1 for m in "_-"))
            cut = mark if mark > cut // 3 else cut
        lines.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    if rest:
        while _wide(lines[-1] + "…") > BOX - 0.14:
            lines[-1] = lines[-1][:-1].rstrip()
        lines[-1] += "…"
    return lines


def _wide(text: str) -> float:
    """How many inches a text of 9 pt takes; a little more than its outline, since screens round each letter."""
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    return 1.08 * float(TextPath((0, 0), text.replace("$", r"\$"), size=9).get_extents().x1) / 72


def _short_count(number: int) -> str:
    return f"{number:,}" if number < 1_000_000 else f"{number / 1e6:.1f} M"


def _sides(start: tuple[float, float], end: tuple[float, float]) -> tuple[int, int]:
    """At which side of its boxes an arrow leaves and arrives: 1 the lower one, -1 the upper one. Within a row, arrows
    to the right run below the boxes, those to the left above them."""
    if abs(end[1] - start[1]) < 1e-9:
        return (1, 1) if end[0] > start[0] else (-1, -1)
    return (1, -1) if end[1] > start[1] else (-1, 1)


def _ports(shown: pd.DataFrame, centre: Mapping[str, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """How far from the middle of its boxes each arrow leaves and arrives, so that arrows of one side stand apart."""
    ends: dict[tuple, list[tuple[float, int, int]]] = {}
    for edge in shown.itertuples():
        start, end = centre[edge.origin], centre[edge.follows]
        leaves, arrives = _sides(start, end)
        ends.setdefault((edge.origin, leaves), []).append((end[0], edge.Index, 0))
        ends.setdefault((edge.follows, arrives), []).append((start[0], edge.Index, 1))
    found: dict[int, list[float]] = {index: [0.0, 0.0] for index in shown.index}
    for arrows in ends.values():
        arrows.sort()
        for number, (_, index, which) in enumerate(arrows):
            found[index][which] = (number + 0.5 - len(arrows) / 2) * min(0.84 * BOX / len(arrows), 0.26)
    return {index: (one, other) for index, (one, other) in found.items()}


def _curve(leave: float, arrive: float, start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """Four points of a Bézier curve from box to box."""
    (one, other), (x1, y1), (x2, y2) = _sides(start, end), start, end
    x1, y1, x2, y2 = x1 + leave, y1 + one * TALL / 2, x2 + arrive, y2 + other * TALL / 2
    reach = min(0.28 + 0.06 * abs(x2 - x1), BETWEEN) if one == other else min(max(abs(y2 - y1) * 0.45, 0.24), 0.6)
    return np.array([(x1, y1), (x1, y1 + one * reach), (x2, y2 + other * reach), (x2, y2)])


def _draw_arrow(ax: "Axes", curve: np.ndarray, *, width: float, back: bool, above: int) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    path = Path(curve, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    ax.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle=f"-|>,head_length={3.5 + 0.6 * width:.2f},head_width={1.6 + 0.6 * width:.2f}",
            color=BACK if back else "C0", alpha=0.75, linewidth=width, linestyle=(0, (3, 1.2)) if back else "solid",
            mutation_scale=1, shrinkA=0, shrinkB=0, zorder=2 + above / 1000, capstyle="butt",
        )
    )  # fmt: skip


def _label(ax: "Axes", curve: np.ndarray, text: str, taken: list[tuple]) -> None:
    """Writes an arrow's number on it, at the first place where it covers nothing; none free: it is left out."""
    wide, tall = _wide(text) + 0.06, 0.18
    for t in (0.25, 0.18, 0.32, 0.4, 0.48, 0.56, 0.64, 0.72):  # near its beginning, which the number is a share of
        x, y = (np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])[:, None] * curve).sum(axis=0)
        own = (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)
        if all(own[0] > b[2] or own[2] < b[0] or own[1] > b[3] or own[3] < b[1] for b in taken):
            taken.append(own)
            ax.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, zorder=60,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9})  # fmt: skip
            return


def describe_path_graph(points: pd.DataFrame, edges: pd.DataFrame) -> str:
    """What `plot_path_graph` shows, for those who cannot see it."""
    text = f"Graph of {len(points)} touchpoints laid out by stage, with arrows for the steps between them."
    shown = edges[edges["shown"]]
    if shown.empty:
        return f"{text} No step is common enough to be drawn."
    parts = [
        f"{plain_text(e.origin)} to {plain_text(e.follows)} ({format_value(e.share, 'share')} of the steps)"
        for e in shown.head(3).itertuples()
    ]
    back = edges.loc[edges["back"], "share"].sum()
    text = f"{text} The commonest: {', '.join(parts)}."
    return f"{text} Back to an earlier stage go {format_value(back, 'share')} of the steps."
