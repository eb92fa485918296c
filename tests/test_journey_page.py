"""The hero picture: nothing overlaps, nothing leaves the page, no text is small, whatever the data."""

from datetime import datetime

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_touches import touches

from cxkit.journey_map import journey_map
from cxkit.journey_page import plot_journey_map
from cxkit.journey_readings import weak_points
from cxkit.lanes import A4
from cxkit.stages import read_stages
from cxkit.style import theme
from cxkit.zones import stage_touchpoints

matplotlib.use("Agg")

STAGES = read_stages()
END = datetime(2026, 6, 30)
WORDS = ["Сторінка оформлення замовлення з дуже довгою назвою", "x" * 300, "$x^2$ <b>bold</b>_{a", "payment_page"]


def shop(names: int, visitors: int = 90) -> list[tuple]:
    """Visitors, a third of them nobody known, who walk through touchpoints of five stages."""
    rng = np.random.default_rng(7)
    stages = ["need", "information", "comparison", "choice", "payment"]
    known = [(WORDS[i % 4] + (f" {i}" if i > 3 else ""), stages[min(i * 5 // names, 4)]) for i in range(names)]
    rows = []
    for visitor in range(visitors):
        at = pd.Timestamp("2026-03-01") + pd.Timedelta(hours=int(rng.integers(0, 1500)))
        for k in sorted(rng.integers(0, names, 5)):
            who = f"session s{visitor}" if visitor % 3 == 0 else f"c{visitor}"
            rows.append((who, f"s{visitor}", at, *known[k], rng.choice(["мобільний застосунок магазину", "web"])))
            at += pd.Timedelta(minutes=int(rng.integers(1, 3000)))
    return rows


def scores() -> pd.DataFrame:
    rows = [("choice", "nps", -20.0, -60.0, 30.0, 12), ("payment", "nps", 40.0, 30.0, 50.0, 120)]
    rows += [("comparison", "nps", 60.0, 55.0, 65.0, 120), ("use", "csat", 4.0, 3.9, 4.1, 50)]
    rows += [("need", "nps", np.nan, np.nan, np.nan, 4)]
    return pd.DataFrame(rows, columns=["stage", "metric", "value", "low", "high", "n"])


def quotes() -> pd.DataFrame:
    said = "Дуже довгий відгук клієнта про те, як усе було незручно. " * 4
    return pd.DataFrame(
        [(s, said) for s in ("need", "choice", "payment", "use", "support")], columns=["stage", "quote"]
    )


def drawn(rows: list[tuple], *, weak: tuple = (), only: tuple = (), full: bool = False):
    log = touches(rows)
    more = {"scores": scores(), "quotes": quotes()} if full else {}
    journey = journey_map(log, stages=STAGES, until=END, only=only, **more)
    points = stage_touchpoints(log, stages=STAGES, until=END)
    with matplotlib.rc_context(theme()):
        ax = plot_journey_map(journey, points, weak=weak_points(journey, touchpoints=weak))
        ax.figure.set_dpi(288)  # on a coarse screen letters are set to whole pixels, and wider than in print
        ax.figure.canvas.draw()
    return ax


def boxes(ax) -> list[tuple[str, object]]:
    drawer = ax.figure.canvas.get_renderer()
    return [(t.get_text(), t.get_window_extent(drawer)) for t in ax.texts if t.get_text().strip()]


CASES = {
    "forty": {"rows": shop(40), "weak": (f"{WORDS[0]} 12", "payment_page"), "full": True},
    "four": {"rows": shop(4), "weak": ("payment_page",)},
    "one": {"rows": [("c1", "s1", "10:00", "product", "comparison")]},
    "unmapped": {"rows": [("c1", "s1", "10:00", "product", None)]},
    "strangers": {"rows": [(f"session s{i}", f"s{i}", f"10:{i:02}", "home", "need") for i in range(40)]},
    "part": {"rows": shop(40), "only": ("choice", "payment")},
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_overlaps_and_nothing_leaves_the_page(case):
    ax = drawn(**CASES[case])
    placed = boxes(ax)
    page = ax.figure.bbox
    for text, box in placed:
        assert box.x0 >= 0, text
        assert box.x1 <= page.x1, text
        assert box.y0 >= 0, text
        assert box.y1 <= page.y1, text
    for i, (text, box) in enumerate(placed):
        for other, near in placed[i + 1 :]:
            # a line's box is as high as its tallest letters, so lines may touch by a few pixels
            across = min(box.x1, near.x1) - max(box.x0, near.x0)
            down = min(box.y1, near.y1) - max(box.y0, near.y0)
            assert across <= 3 or down <= 8, (text, other)
    assert min(t.get_fontsize() for t in ax.texts) >= 9
    assert tuple(ax.figure.get_size_inches()) == A4
    matplotlib.pyplot.close(ax.figure)


def test_weak_points_carry_a_mark_and_a_word_and_what_is_not_drawn_is_told():
    ax = drawn(**CASES["forty"])
    texts = [t.get_text() for t in ax.texts]
    assert texts.count("▼ weak") == 2  # though many touchpoints of the stage are not drawn
    assert sum(t.startswith("+ ") and t.endswith(" more") for t in texts) >= 2
    assert "too few" in texts  # withheld, which is not the same as no data
    assert any(t.startswith("Weak: ") or "Weak: " in t for t in texts)
    matplotlib.pyplot.close(ax.figure)


def test_the_page_says_whom_it_rests_on_and_what_is_missing():
    ax = drawn([("c1", "s1", "10:00", "product", "comparison")])
    texts = [t.get_text() for t in ax.texts]
    assert "1 customer, 1 March 2026. Computed from what they did and said." in texts
    assert "No stage and no touchpoint stands out beyond chance." in texts
    assert "no data: no survey asked about a touchpoint" in texts
    assert texts.count("no data") == 9  # each of the other stages, once
    matplotlib.pyplot.close(ax.figure)


def test_hostile_names_are_written_as_they_are():
    ax = drawn([("c1", "s1", "10:00", "$x$ <b>", "comparison")])
    assert "$x$ <b>" in [t.get_text() for t in ax.texts]
    matplotlib.pyplot.close(ax.figure)


def test_a_map_without_a_stage_is_no_picture_of_nothing():
    journey = journey_map(touches([("c1", "s1", "10:00", "a", "need")]), stages=STAGES, until=END)
    ax = plot_journey_map(journey[:0], pd.DataFrame())
    assert [t.get_text() for t in ax.texts] == ["nothing to show yet: the map has no stage"]
    matplotlib.pyplot.close(ax.figure)


def test_the_same_map_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        ax = drawn(shop(6) if name == "a" else shop(6)[::-1], full=True)
        with matplotlib.rc_context({"svg.hashsalt": "cxkit", "svg.fonttype": "none"}):
            ax.figure.savefig(tmp_path / f"{name}.svg", metadata={"Date": None})
        matplotlib.pyplot.close(ax.figure)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
