from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import yaml
from hand_touches import touches

from cxkit.errors import UsageError
from cxkit.journey_map import journey_map
from cxkit.journey_readings import weak_points
from cxkit.journey_table import LOOKS, describe_map, look, map_table, sentences
from cxkit.parts import FORMATS
from cxkit.stages import read_stages

STAGES = read_stages()
END = datetime(2026, 6, 30)


def journey(*, customers: int = 40, scores: pd.DataFrame | None = None) -> pd.DataFrame:
    """Everybody comes to product; all but ten go on to the cart, and every second of these orders."""
    rows = []
    for number in range(customers):
        who, day = f"c{number:02}", f"2026-04-01 {number // 60:02}:{number % 60:02}"
        rows.append((who, f"s{number}", f"{day}:00", "product", "comparison"))
        if number >= 10:
            rows.append((who, f"s{number}", f"{day}:20", "cart", "choice"))
        if number >= 10 and number % 2:
            rows.append((who, f"s{number}", f"{day}:40", "order_placed", "payment"))
            rows.append(
                (who, None, f"2026-04-{4 + number % 3:02} {number // 60:02}:{number % 60:02}", "delivery", "delivery")
            )
    return journey_map(touches(rows), stages=STAGES, until=END, scores=scores)


def no_marks() -> pd.DataFrame:
    return pd.DataFrame({"lane": [], "stage": [], "touchpoint": [], "word": []}, dtype=object)


def test_the_table_tells_every_number_with_its_interval_and_n():
    table = map_table(journey()).set_index("Stage")
    assert table.loc["Comparison", "Visits that go on"] == "75 % (60–86 %, n = 40)"  # Wilson, by hand: 30 of 40
    assert table.loc["Choice", "Customers who go on"].startswith("50 % (")
    assert table.loc["Use", "Visits that go on"] == "–"
    assert table.loc["Payment", "Time to go on, median"].startswith("4.0 days (")
    assert table.loc["Comparison", "Time to go on, median"].startswith("< 1 min (")
    assert table.loc["Need", "Customers"] == 0


def test_a_stage_is_named_worst_only_where_it_carries_a_mark():
    figures = journey(customers=400)
    marks = weak_points(figures)
    assert any("fewest go on from Choice" in s or "fewest go on from Payment" in s for s in sentences(figures, marks))
    assert "No stage stands out as losing most visits" in " ".join(sentences(figures, no_marks()))


def test_the_least_content_stage_is_told_with_its_score():
    rows = [("comparison", 4.2, 4.0, 4.4, 90), ("choice", 3.1, 2.9, 3.3, 80)]
    scores = pd.DataFrame(rows, columns=["stage", "value", "low", "high", "n"]).assign(metric="csat")
    figures = journey(scores=scores)
    told = " ".join(sentences(figures, weak_points(figures)))
    assert "Customers are least content at Choice: CSAT 3.1 (2.9–3.3, n = 80)." in told
    assert map_table(figures).set_index("Stage").loc["Choice", "Satisfaction"] == "CSAT 3.1 (2.9–3.3, n = 80)"
    below = figures.assign(
        csat=np.nan, nps=np.where(figures["stage"] == "choice", -12.4, np.nan), nps_low=-20.6, nps_high=-4.4, nps_n=70
    )
    assert "NPS −12 (−21 to −4, n = 70)" in map_table(below).set_index("Stage").loc["Choice", "Satisfaction"]


def test_what_has_not_come_yet_is_said():
    figures = journey()
    open_end = figures.assign(days_median_high=np.inf)
    assert "end not seen yet" in map_table(open_end).set_index("Stage").loc["Payment", "Time to go on, median"]
    never = figures.assign(days_median=np.nan)
    assert "fewer than half so far" in map_table(never).set_index("Stage").loc["Payment", "Time to go on, median"]


def test_too_few_to_tell_is_said():
    few = journey(customers=12)
    assert sentences(few, no_marks()) == [
        "The data do not tell yet where customers are lost: too few came to two stages or more."
    ]


def test_the_words_for_those_who_cannot_see_the_map():
    marks = pd.concat([no_marks(), pd.DataFrame([{"lane": "touchpoint", "touchpoint": "$cart", "word": "weak"}])])
    text = describe_map(journey(), marks)
    assert text.startswith("Map of the customers' journey in 10 stages, of which 4 have data. ")
    assert text.endswith(r"Weak for certain: \$cart.")
    empty = journey_map(touches([]), stages=STAGES, until=END)
    assert describe_map(empty, no_marks()) == "A journey map without data: no touch of any stage lies in the period."


def test_every_look_fits_a_table():
    for name in yaml.safe_load(LOOKS.read_text(encoding="utf-8")):
        shown = look(name)
        assert set(shown) <= {"caption", "columns", "formats", "labels"}, name
        assert shown["caption"]
        assert set(shown.get("formats", {}).values()) <= set(FORMATS), name
    with pytest.raises(UsageError, match=r"has no table 'funel'; it has touches"):
        look("funel")
