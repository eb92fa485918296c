import ibis
import numpy as np
import pandas as pd
import pytest

from cxkit import satisfaction
from cxkit.errors import UsageError
from cxkit.stages import touchpoint_map

SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
TYPES = {"touchpoint": "string", "metric": "string", "score": "float64", "customer_id": "string"}


def answers(rows: list[tuple], types: dict | None = None) -> ibis.Table:
    """Rows (touchpoint, metric, score, customer)."""
    frame = pd.DataFrame(rows, columns=list(TYPES))
    frame = frame.astype(object).where(frame.notna(), None)
    types = types or TYPES
    return ibis.memtable(frame[list(types)], schema=types)


def rows_of(metric: str, touchpoint: str, scores: list[float], prefix: str = "c") -> list[tuple]:
    return [(touchpoint, metric, score, f"{prefix}{i}") for i, score in enumerate(scores)]


def test_scores_by_hand():
    rows = rows_of("nps", "product", [10, 9, 8, 7, 6, 0, 9, 10]) + rows_of("nps", "support", [6, 6, 10, 8, 7], "d")
    rows += rows_of("csat", "product", [5, 4, 3, 4, 5])
    rows += [("product", "csi_item", 3, "c1"), (None, "nps", 9, "c1")]
    frame = satisfaction.scores(answers(rows), scales=SCALES)
    assert list(frame["metric"] + " " + frame["touchpoint"]) == ["nps product", "nps support", "csat product"]
    product, support, csat = (row for row in frame.itertuples())
    assert product.value == pytest.approx(100 * (4 - 2) / 8)
    assert (product.n, product.customers) == (8, 8)
    assert product.others == pytest.approx(support.value) == pytest.approx(-20)
    assert product.difference == pytest.approx(45)
    # of independent answers: Student's t of the mean
    points = np.array([100, 100, 0, 0, -100, -100, 100, 100])
    assert product.error == pytest.approx(points.std(ddof=1) / np.sqrt(8))
    assert csat.value == pytest.approx(4.2)
    assert (csat.scale_low, csat.scale_high) == (1, 5)
    assert np.isnan(csat.others), "there is nothing to compare it with"
    assert csat.high <= 5, "an interval stays on the scale"


def test_who_answers_often_counts_once_for_the_error():
    one = rows_of("csat", "product", [5, 4, 3, 4, 5, 2])
    error = satisfaction.scores(answers(one), scales=SCALES)["error"][0]
    thrice = satisfaction.scores(answers(one * 3), scales=SCALES)
    assert thrice["error"][0] == pytest.approx(error)
    assert (thrice["n"][0], thrice["customers"][0]) == (18, 6)


def test_answers_without_a_customer_are_people_of_their_own():
    rows = [("product", "csat", score, None) for score in (5, 4, 3, 4, 5)]
    frame = satisfaction.scores(answers(rows), scales=SCALES)
    assert (frame["customers"][0], frame["n"][0]) == (5, 5)
    nameless = satisfaction.scores(answers(rows, {k: v for k, v in TYPES.items() if k != "customer_id"}), scales=SCALES)
    assert nameless["value"][0] == frame["value"][0]


def test_groups_under_five_people_are_withheld_and_cannot_be_worked_out():
    rows = rows_of("csat", "product", [5] * 9 + [1]) + rows_of("csat", "search", [4, 5] * 3, "d")
    rows += rows_of("csat", "advice", [1, 1, 1, 1], "e")
    frame = satisfaction.scores(answers(rows), scales=SCALES).set_index("touchpoint")
    assert frame.loc[["advice", "search"], ["value", "low", "others"]].isna().all(axis=None)
    assert frame.loc["advice", "n"] == 0
    assert frame.loc["advice", "method"].startswith("withheld")
    assert frame.loc["product", "value"] == pytest.approx(4.6)
    assert np.isnan(frame.loc["product", "others"]), "what is withheld is in nobody's others"


def test_stages_are_scored_as_touchpoints_are():
    rows = rows_of("nps", "Payment page", [1, 2, 3, 9, 10]) + rows_of("nps", "home", [9, 9, 10, 8, 3], "d")
    named = satisfaction.asked_about(answers(rows), touchpoint_map=touchpoint_map())
    frame = satisfaction.scores(named, by="stage", scales=SCALES)
    assert set(frame["stage"]) == {"payment", "need"}
    assert satisfaction.scores(named, scales=SCALES).columns[0] == "touchpoint"


def test_touchpoints_get_the_name_that_the_log_has():
    rows = [(name, "csat", 4, "c") for name in ("Payment-Page", "My own", "my_own", None)]
    names = pd.DataFrame({"name": ["my own"], "touchpoint": ["my own page"], "stage": ["use"], "grouped": [False]})
    named = satisfaction.asked_about(answers(rows), touchpoint_map=touchpoint_map(), names=names)
    frame = named.to_pandas().sort_values("touchpoint")
    assert frame["touchpoint"].tolist()[:3] == ["my own page", "my own page", "payment_page"]
    assert frame["stage"].tolist()[:3] == ["use", "use", "payment"]
    assert len(frame) == 4
    assert frame["touchpoint"].isna().sum() == 1


def test_nps_needs_its_scale():
    with pytest.raises(UsageError, match=r"scales.nps in client.yml is \[1, 5\]"):
        satisfaction.scores(answers(rows_of("nps", "product", [5] * 5)), scales={"nps": (1, 5)})


def test_a_metric_without_a_scale_is_told_without_ends():
    frame = satisfaction.scores(answers(rows_of("ces", "product", [5, 6, 7, 3, 2])), scales={})
    assert frame["value"][0] == pytest.approx(4.6)
    assert np.isnan(frame["scale_high"][0])
    assert frame["high"][0] > frame["value"][0]


def test_no_answers_give_an_empty_frame_with_its_columns():
    frame = satisfaction.scores(answers([]), scales=SCALES)
    assert len(frame) == 0
    assert {"touchpoint", "metric", "value", "low", "high", "n", "customers", "error"} <= set(frame.columns)


def test_intervals_hold():
    """Forty samples of customers with habits of their own, who answer one to three times: about 38 hold."""
    held = 0
    for seed in range(40):
        rng = np.random.default_rng([5, seed])
        habit, times = rng.normal(0, 0.5, 80), rng.integers(1, 4, 80)
        rows = [
            ("product", "csat", 4 + habit[c] + rng.normal(0, 0.7), f"c{c}") for c in range(80) for _ in range(times[c])
        ]
        row = satisfaction.scores(answers(rows), scales={}).iloc[0]
        held += row["low"] <= 4 <= row["high"]
    assert held >= 34
