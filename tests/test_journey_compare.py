from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hand_touches import touches

from cxkit import journey_compare
from cxkit.errors import UsageError
from cxkit.estimates import share_difference
from cxkit.journey_map import journey_map
from cxkit.stages import read_stages

STAGES = read_stages()
END = datetime(2026, 6, 30)
NAMES = ("before", "after")


def journey(*, going: int, customers: int = 100, scores: pd.DataFrame | None = None, **settings) -> pd.DataFrame:
    """All come to product; `going` of them to the cart, a day later and on a visit of its own."""
    rows = []
    for number in range(customers):
        rows.append(
            (f"c{number}", f"s{number}", f"2026-03-01 {number // 60:02}:{number % 60:02}", "product", "comparison")
        )
        if number < going:
            rows.append(
                (f"c{number}", f"t{number}", f"2026-03-02 {number // 60:02}:{number % 60:02}", "cart", "choice")
            )
    return journey_map(touches(rows), stages=STAGES, until=END, scores=scores, **settings)


def scores(value: float, half: float) -> pd.DataFrame:
    rows = [("comparison", "csat", value, value - half, value + half, 80)]
    return pd.DataFrame(rows, columns=["stage", "metric", "value", "low", "high", "n"])


def row(compared: pd.DataFrame, stage: str, measure: str) -> pd.Series:
    return compared[(compared["stage"] == stage) & (compared["measure"] == measure)].iloc[0]


def test_differences_by_hand():
    compared = journey_compare.compare_maps(journey(going=50), journey(going=80), names=NAMES)
    share = row(compared, "comparison", "goes_on")
    assert (share["one"], share["other"], share["one_n"]) == (0.5, 0.8, 100)
    assert share["difference"] == pytest.approx(30)
    # the interval is Newcombe's at the level that Holm gives this member
    own = share_difference(80, 100, 50, 100, level=share["own_level"])
    assert (share["low"], share["high"]) == pytest.approx((own.low, own.high))
    assert share["own_level"] > 0.95
    assert share["reading"] == "more"
    assert row(compared, "choice", "reached")["reading"] == "more"
    assert row(compared, "comparison", "reached")["reading"] == "no difference told apart"  # all, both times
    assert (row(compared, "comparison", "days_median")[["one", "other"]] == 1.0).tolist() == [True, True]


def test_the_other_way_round_every_sign_turns():
    one, other = journey(going=55, scores=scores(3.5, 0.2)), journey(going=70, scores=scores(4.2, 0.3))
    there = journey_compare.compare_maps(one, other, names=NAMES)
    back = journey_compare.compare_maps(other, one, names=NAMES[::-1])
    np.testing.assert_allclose(there["difference"], -back["difference"], atol=1e-9)
    np.testing.assert_allclose(there["low"], -back["high"], atol=1e-9)
    turned = {"more": "less", "less": "more"}
    assert [turned.get(r, r) for r in there["reading"]] == back["reading"].to_list()


def test_a_map_against_itself_differs_nowhere():
    same = journey(going=40, scores=scores(4.0, 0.1))
    compared = journey_compare.compare_maps(same, same, names=NAMES)
    assert set(compared["reading"]) == {"no difference told apart"}
    assert (compared["difference"] == 0).all()


def test_a_reading_is_what_the_interval_says_and_what_holm_says():
    """Two journeys alike, 100 times: some difference is told apart about 5 times in 100 at most."""
    rng = np.random.default_rng(1)
    base, wrong = journey(going=60), 0
    columns = [f"goes_on{end}" for end in ("_low", "_high")]
    for _ in range(100):
        maps = []
        for _ in range(2):
            going = rng.binomial(100, 0.6, 6)
            frame = base.assign(touches=1, customers=100)
            at = frame.index[:6]
            frame.loc[at, "goes_on"], frame.loc[at, "goes_on_n"] = going / 100, 100
            frame.loc[at, columns] = [0.4, 0.8]
            maps.append(frame)
        compared = journey_compare.compare_maps(*maps, names=NAMES)
        sure = compared["reading"].isin(["more", "less"])
        assert (sure == ((compared["low"] > 0) | (compared["high"] < 0))).all()
        wrong += bool(sure.any())
    assert wrong <= 11  # 5 are to be expected at most


def test_scores_by_their_ends():
    compared = journey_compare.compare_maps(
        journey(going=50, scores=scores(3.0, 0.3)), journey(going=50, scores=scores(4.0, 0.4)), names=NAMES
    )
    csat = row(compared, "comparison", "csat")
    assert csat["difference"] == pytest.approx(1.0)
    half = csat["high"] - 1.0
    # sqrt(0.3^2 + 0.4^2) = 0.5 at 95 %, wider for the family
    assert half > 0.5
    assert csat["low"] == pytest.approx(1.0 - half)
    assert csat["reading"] == "more"


def test_what_one_map_lacks_is_not_told_apart():
    compared = journey_compare.compare_maps(journey(going=50, scores=scores(3.0, 0.3)), journey(going=50), names=NAMES)
    csat = row(compared, "comparison", "csat")
    assert csat["one"] == 3.0
    assert np.isnan(csat["other"])
    assert (csat["reading"], np.isnan(csat["difference"])) == ("not known", True)
    assert "use" not in set(compared["stage"])  # no figure in either


def test_a_median_time_whose_end_is_not_seen_is_not_compared():
    one = journey(going=50)
    compared = journey_compare.compare_maps(one.assign(days_median_high=np.inf), journey(going=90), names=NAMES)
    assert row(compared, "comparison", "days_median")["reading"] == "not known"


def test_maps_of_a_part_compare_where_they_meet():
    compared = journey_compare.compare_maps(
        journey(going=50, only=("comparison",)), journey(going=50), names=("part", "whole")
    )
    assert set(compared["stage"]) == {"comparison"}


@pytest.mark.parametrize(
    ("one", "other", "names", "message"),
    [
        ({}, {}, ("a", "a"), "the two maps need names of their own; found 'a' twice"),
        ({"within_days": 7}, {}, NAMES, "two maps compare where within_days is one; found 7 and 30"),
        ({"only": ("comparison",)}, {"only": ("choice",)}, NAMES, "no stage in common: comparison; choice"),
    ],
)
def test_what_cannot_be_compared_is_told(one, other, names, message):
    with pytest.raises(UsageError, match=message):
        journey_compare.compare_maps(journey(going=5, **one), journey(going=5, **other), names=names)


def test_the_words_for_those_who_cannot_see_it():
    compared = journey_compare.compare_maps(journey(going=50), journey(going=80), names=NAMES)
    told = journey_compare.describe_comparison(compared)
    assert told.startswith("After against before: ")
    assert "Comparison +30.0 points (customers go on)" in told
    same = journey_compare.compare_maps(journey(going=50), journey(going=50), names=NAMES)
    assert journey_compare.describe_comparison(same).startswith("After against before: no difference is told apart (")
    assert "neither has a figure" in journey_compare.describe_comparison(same[:0])


def test_the_picture_marks_what_is_told_apart(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    one = journey(going=50, scores=scores(3.0, 0.3))
    names = ("<b>$x$</b> очень длинное название первого сегмента, которое не помещается", "after")
    compared = journey_compare.compare_maps(one, journey(going=80), names=names)
    ax = journey_compare.plot_map_comparison(compared, title="Two halves of the year")
    texts = [t.get_text() for t in ax.texts]
    assert "▲ +30.0" in texts
    assert "Two halves of the year" in texts
    assert min(t.get_fontsize() for t in ax.texts) >= 9
    assert tuple(ax.figure.get_size_inches()) == (11.69, 8.27)
    ax.figure.savefig(tmp_path / "one.png")
    matplotlib.pyplot.close(ax.figure)
    ax = journey_compare.plot_map_comparison(compared[:0])
    assert [t.get_text() for t in ax.texts] == ["nothing to compare: no figure"]
    matplotlib.pyplot.close(ax.figure)
