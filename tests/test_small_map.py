"""The small map: nothing overlaps, nothing leaves the picture, and it says what the large one says."""

from datetime import datetime

import matplotlib
import pandas as pd
import pytest
from hand_touches import touches
from test_journey_page import STAGES, scores, shop

from cxkit.journey_map import journey_map
from cxkit.journey_readings import weak_points
from cxkit.kept_tables import read_table, write_table
from cxkit.small_map import (
    MOST_MARKS,
    WIDTH,
    _lines,
    describe_small_map,
    figures,
    map_height,
    plot_small_map,
    stage_marks,
)
from cxkit.style import theme
from cxkit.zones import stage_touchpoints

matplotlib.use("Agg")

END = datetime(2026, 6, 30)


def parts(rows: list[tuple], *, weak: tuple = (), full: bool = False, only: tuple = ()):
    log = touches(rows)
    journey = journey_map(log, stages=STAGES, until=END, only=only, scores=scores() if full else None)
    return journey, stage_touchpoints(log, stages=STAGES, until=END), weak_points(journey, touchpoints=weak)


def drawn(journey, where, weak):
    with matplotlib.rc_context(theme()):
        ax = plot_small_map(journey, where, weak=weak)
        ax.figure.set_dpi(288)
        ax.figure.canvas.draw()
    return ax


def test_a_map_of_which_hardly_anything_is_known_comes_back_from_its_file(tmp_path):
    """Of a shop with orders alone most columns are empty, and an empty column comes back without numbers."""
    journey, where, weak = parts([("c1", "s1", "10:00", "product", "comparison")])
    path = tmp_path / "02_journey.journey_map.csv"
    write_table(journey.assign(visit_goes_on=float("nan"), goes_on=float("nan"), nps=float("nan")), path)
    back = figures(read_table(path, texts=["stage", "name", "path"]))
    assert back["goes_on"].dtype == float
    assert [text.get_text() for text in drawn(back, where, weak).texts].count("–") >= 1


NAMES = ("Сторінка оформлення замовлення з дуже довгою назвою 12", "payment_page", "x" * 300)
CASES = {
    "forty": {"rows": shop(40), "weak": NAMES, "full": True},
    "four": {"rows": shop(4), "weak": ("payment_page",)},
    "one": {"rows": [("c1", "s1", "10:00", "product", "comparison")]},
    "strangers": {"rows": [(f"session s{i}", f"s{i}", f"10:{i:02}", "home", "need") for i in range(40)]},
    "part": {"rows": shop(40), "only": ("choice", "payment")},
}


@pytest.mark.parametrize("case", CASES)
def test_texts_keep_apart_and_stay_inside(case):
    journey, where, weak = parts(**CASES[case])
    ax = drawn(journey, where, weak)
    drawer = ax.figure.canvas.get_renderer()
    boxes = [(t.get_text(), t.get_window_extent(drawer)) for t in ax.texts if t.get_text().strip()]
    page = ax.figure.bbox
    for i, (text, one) in enumerate(boxes):
        assert page.x0 - 1 <= one.x0, text
        assert one.x1 <= page.x1 + 1, text
        assert page.y0 - 1 <= one.y0, text
        assert one.y1 <= page.y1 + 1, text
        for other_text, other in boxes[i + 1 :]:
            across = min(one.x1, other.x1) - max(one.x0, other.x0)
            down = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert across <= 2 or down <= 2, (text, other_text)
    assert min(t.get_fontsize() for t in ax.texts) >= 9
    assert tuple(ax.figure.get_size_inches()) == pytest.approx((WIDTH, map_height(journey, where, weak)))


def test_the_kept_tables_draw_the_same_picture(tmp_path):
    journey, where, weak = parts(shop(40), weak=("payment_page",), full=True)
    write_table(journey, tmp_path / "j.csv")
    write_table(where, tmp_path / "w.csv")
    kept = read_table(tmp_path / "j.csv", texts=["stage"]), read_table(tmp_path / "w.csv", texts=["touchpoint"])
    again = drawn(*kept, weak_points(kept[0], touchpoints=("payment_page",)))
    told = [[t.get_text() for t in ax.texts] for ax in (drawn(journey, where, weak), again)]
    assert told[0] == told[1]


def test_as_many_marks_stand_on_a_line_as_there_is_room_for():
    short, long = [("advice", "weak"), ("", "fewest go on")], [("payment page", "weak"), ("", "least content")]
    assert _lines(short) == [short]
    assert _lines(long) == [long[:1], long[1:]]
    assert _lines([]) == []


def test_marks_stand_at_their_stage_weak_touchpoints_first():
    journey, where, weak = parts(shop(4), weak=("payment_page",), full=True)
    marks = stage_marks(journey, where, weak)
    stage = where.loc[where["touchpoint"] == "payment_page", "stage"].iloc[0]
    assert marks[stage][0] == ("payment page", "weak")
    assert list(marks) == list(journey["stage"])
    assert not any(stage_marks(journey, where, None).values())
    strange = pd.DataFrame([("touchpoint", None, "of no stage", "weak")], columns=weak.columns)
    assert not any(stage_marks(journey, where, strange).values())


def test_more_marks_than_fit_are_counted():
    journey, where, _ = parts(shop(40))
    stage = where["stage"].iloc[0]
    names = where.loc[where["stage"] == stage, "touchpoint"]
    assert len(names) > MOST_MARKS
    ax = drawn(journey, where, weak_points(journey, touchpoints=list(names)))
    assert f"+ {len(names) - MOST_MARKS + 1} more" in [t.get_text() for t in ax.texts]


def test_no_stage_is_said_and_the_words_tell_what_is_marked():
    journey, where, weak = parts(shop(4), weak=("payment_page",), full=True)
    ax = drawn(journey[:0], where[:0], None)
    assert [t.get_text() for t in ax.texts] == ["nothing to show yet: the map has no stage"]
    assert "payment page weak" in describe_small_map(journey, where, weak=weak)
    assert "stands out" in describe_small_map(journey, where)
    assert "no stage" in describe_small_map(journey[:0], where[:0])
