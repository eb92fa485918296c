"""The graph of steps by hand: where boxes stand, which arrows are hidden, and what the caption tells of them."""

from functools import cache

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_touches import random_touches, table, touches
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from cxkit import path_graph, paths
from cxkit.style import theme

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STAGES = ["need", "comparison", "choice", "support"]
OF = {"home": "need", "product": "comparison", "cart": "choice", "chat": "support"}


@pytest.fixture(autouse=True)
def look():
    with plt.rc_context(theme()):
        yield
        plt.close("all")


def moves(visits: dict[tuple[str, ...], int]) -> pd.DataFrame:
    """Transitions of visits, each a sequence of touchpoints made so often."""
    rows = [
        ("v", f"s{number}-{i}", f"10:{minute:02d}", name)
        for number, (names, times) in enumerate(visits.items())
        for i in range(times)
        for minute, name in enumerate(names)
    ]
    return paths.transitions(paths.path_counts(touches(rows)))


def graph(transitions, *, most=20, of=OF, **limits):
    points = path_graph.graph_points(transitions, stage_of=of, stages=STAGES, aside=["support"], most=most)
    edges = path_graph.graph_edges(transitions, points, **limits)
    return points, edges, path_graph.graph_caption(transitions, points, edges, **limits)


HAND = {
    ("home", "product", "cart"): 10,
    ("home", "product", "product", "home"): 4,  # to itself, and back
    ("product", "odd"): 1,
    ("home", "chat", "home"): 2,
}


def test_points_by_eye():
    points, _, _ = graph(moves(HAND))
    assert points.drop(columns=["place", "in_row"]).to_dict("list") == {
        "touchpoint": ["home", "product", "cart", "chat", "odd"],
        "stage": ["need", "comparison", "choice", "support", "(no stage)"],
        "main": [True, True, True, False, False],
        "row": [0, 1, 2, 3, 4],
        "met": [22, 19, 10, 2, 1],
        "begins": [16, 1, 0, 0, 0],
        "leaves": [6, 0, 10, 0, 1],
        "again": [0, 4, 0, 0, 0],
    }


def test_edges_by_eye():
    _, edges, caption = graph(moves(HAND))
    cells = edges.assign(share=(edges["share"] * 37).round(9), of=edges["share_of_origin"].round(4))
    cells = cells[["origin", "follows", "count", "share", "of", "shown", "back"]]
    assert (
        list(cells.itertuples(index=False, name=None))
        == [
            ("home", "product", 14, 14, 0.6364, True, False),
            ("product", "cart", 10, 10, 0.5263, True, False),
            ("product", "home", 4, 4, 0.2105, True, True),
            ("chat", "home", 2, 2, 1.0, True, False),  # from aside: no step back
            ("home", "chat", 2, 2, 0.0909, False, False),
            ("product", "odd", 1, 1, 0.0526, False, False),
        ]
        or edges["count"].sum() != 33
    )
    assert edges["count"].sum() == 33
    assert "Hidden: 2 kinds of step under 10 % of the touches where they begin, or under 0.2 % of all steps;" in caption
    assert "together 8.1 % of all steps. Not drawn: 11 % of all steps, which stay" in caption
    assert "part of the 37 steps" in caption


def test_rarer_touchpoints_are_hidden_and_told():
    transitions = moves(HAND)
    points, edges, caption = graph(transitions, most=2)
    assert points["touchpoint"].tolist() == ["home", "product"]
    assert edges.loc[edges["shown"], "follows"].tolist() == ["product", "home"]
    assert "or at one of 3 rarer touchpoints" in caption
    _, few, _ = graph(transitions, least_share=0.6, least_of_all=0.3)
    assert few["shown"].sum() == 1


def test_every_share_is_told_once():
    log = table(random_touches(np.random.default_rng(3), 3000, names=[f"t{i}" for i in range(30)]))
    transitions = paths.transitions(paths.path_counts(log))
    _, edges, _ = graph(transitions, of={f"t{i}": STAGES[i % 4] for i in range(25)})
    between = transitions[(transitions["origin"] != "(begins)") & (transitions["follows"] != "(leaves)")]
    again = between.loc[between["origin"] == between["follows"], "count"].sum()
    assert edges["count"].sum() + again == between["count"].sum()
    assert edges["share"].sum() + again / between["count"].sum() == pytest.approx(1)


def boxes(ax) -> list[tuple[float, float, float, float]]:
    found = [p for p in ax.patches if isinstance(p, FancyBboxPatch)]
    return [(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in found]


def test_boxes_and_labels_never_overlap_and_names_fit(monkeypatch):
    monkeypatch.setattr(path_graph, "_wide", cache(path_graph._wide))  # most names begin alike, and measuring is slow
    names = [f"Сторінка оформлення замовлення $x^{i}$ <b>" for i in range(20)] + ["W" * 300, "i" * 300, "a_b" * 30]
    log = table(random_touches(np.random.default_rng(4), 4000, visitors=300, names=names))
    transitions = paths.transitions(paths.path_counts(log))
    points, edges, caption = graph(transitions, of={n: STAGES[i % 2] for i, n in enumerate(names)}, least_share=0.04)
    assert points["in_row"].max() == 4
    ax = path_graph.plot_path_graph(points, edges, caption=caption, names={"need": "Усвідомлення потреби <b>$x$"})
    ax.figure.draw_without_rendering()
    drawn = boxes(ax)
    assert len(drawn) == 20
    inches = ax.transData.inverted()
    places = [t.get_window_extent().transformed(inches).extents for t in ax.texts if t.get_text()]
    for one in drawn:
        assert not any(o != one and o[0] < one[2] and one[0] < o[2] and o[1] < one[3] and one[1] < o[3] for o in drawn)
    for left, bottom, right, top in places:
        low, high = sorted((bottom, top))
        inside = [b for b in drawn if b[0] < right and left < b[2] and b[1] < high and low < b[3]]
        assert not inside or (len(inside) == 1 and inside[0][0] - 0.02 <= left and right <= inside[0][2] + 0.02)
    assert sum(isinstance(p, FancyArrowPatch) for p in ax.patches) == edges["shown"].sum()
    assert min(t.get_fontsize() for t in ax.texts) >= 9
    assert not any(t.get_text().replace(r"\$", "").count("$") for t in ax.texts)


def test_numbers_stand_on_the_arrows():
    points, edges, caption = graph(moves(HAND))
    ax = path_graph.plot_path_graph(points, edges, caption=caption)
    texts = [t.get_text() for t in ax.texts]
    assert {"64 %", "53 %", "21 %", "100 %"} <= set(texts)
    assert "22 · 27 % end" in texts
    assert path_graph.describe_path_graph(points, edges) == (
        "Graph of 5 touchpoints laid out by stage, with arrows for the steps between them. The commonest: home to "
        "product (38 % of the steps), product to cart (27 % of the steps), product to home (11 % of the steps). "
        "Back to an earlier stage go 11 % of the steps."
    )


def test_nothing_and_one_touchpoint():
    for visits, words in (({}, "nothing to show yet"), ({("home",): 3}, "home")):
        points, edges, caption = graph(moves(visits))
        assert caption == "No visit has a second touch, so there are no steps to draw."
        ax = path_graph.plot_path_graph(points, edges, caption=caption)
        assert words in [t.get_text() for t in ax.texts]
        assert "No step is common enough" in path_graph.describe_path_graph(points, edges)


def test_frames_are_not_changed():
    transitions = moves(HAND)
    before = transitions.copy()
    points, edges, caption = graph(transitions)
    kept = points.copy(), edges.copy()
    path_graph.plot_path_graph(points, edges, caption=caption)
    pd.testing.assert_frame_equal(transitions, before)
    pd.testing.assert_frame_equal(points, kept[0])
    pd.testing.assert_frame_equal(edges, kept[1])
