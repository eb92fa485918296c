import matplotlib
import numpy as np
import pytest

from cxkit import journey_voices as voices
from cxkit.lanes import blank_page

matplotlib.use("Agg")
NONE = float("nan")


def column(place: int, **figures: object) -> dict:
    """A stage's record as the page has it; what is not given is not known."""
    record = {"stage": f"s{place}", "name": f"Stage {place}", "path": "main", "position": place, "blank": False}
    record |= {"x": 1.7 + place, "width": 0.9, "quote_1": None, "quote_2": None}
    for metric in voices.WORDS:
        record |= {metric: NONE, f"{metric}_low": NONE, f"{metric}_high": NONE, f"{metric}_n": 0}
    return record | figures


def scored(place: int, metric: str, value: float, half: float, n: int = 80, **more: object) -> dict:
    ends = {metric: value, f"{metric}_low": value - half, f"{metric}_high": value + half, f"{metric}_n": n}
    return column(place, **ends, **more)


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [(-27.3, "nps", "−27"), (-0.3, "nps", "0"), (4.06, "csat", "4.1"), (5.0, "ces", "5.0")],
)
def test_scores_as_a_reader_sees_them(value, metric, text):
    assert voices.score_text(value, metric) == text


def test_rates_as_a_reader_sees_them():
    assert [voices.rate_text(rate) for rate in (0.0, 9.94, 9.96, 1234.0)] == ["0.0", "9.9", "10", "1,234"]


def test_the_metric_known_at_most_stages_comes_first():
    columns = [scored(0, "nps", 10, 5), scored(1, "nps", 10, 5), scored(2, "csat", 4, 0.1)]
    assert voices.known_metrics(columns) == ["nps", "csat"]
    assert voices.known_metrics([column(0)]) == []


def test_the_curve_breaks_where_nobody_was_asked():
    columns = [scored(0, "csat", 4.0, 0.1), scored(1, "csat", 3.0, 0.1), column(2), scored(3, "csat", 4.0, 0.1, n=5)]
    columns.append(scored(4, "csat", 3.5, 0.2, path="aside"))
    ax = blank_page()
    voices.satisfaction_lane(ax, columns, 2.0, 0.9, {("csat", "s1"): "least content"})
    texts = [t.get_text() for t in ax.texts]
    assert texts.count("no data") == 1
    assert "▼ least content" in texts
    assert {"4.0", "3.0", "3.5", "n = 5"} <= set(texts)
    # from the first stage to the second there is a line, and over the gap none
    joined = [line.get_xdata() for line in ax.lines if line.get_linewidth() == 1.6 and len(line.get_xdata()) > 1]
    assert [list(np.round(x, 2)) for x in joined] == [[2.15, 3.15]]
    matplotlib.pyplot.close(ax.figure)


def test_four_quotes_at_most_those_of_marked_stages_before_others():
    columns = [column(i, quote_1=f"quote {i}", quote_2=f"more {i}") for i in range(6)]
    ax = blank_page()
    voices.quote_lane(ax, columns, 2.0, ["s5"])
    said = [t.get_text() for t in ax.texts if "“" in t.get_text()]
    assert said == ["“quote 0”", "“quote 1”", "“quote 2”", "“quote 5”"]
    matplotlib.pyplot.close(ax.figure)
    ax = blank_page()
    voices.quote_lane(ax, columns[:1], 2.0, [])
    assert [t.get_text() for t in ax.texts if "“" in t.get_text()] == ["“quote 0”", "“more 0”"]
    matplotlib.pyplot.close(ax.figure)


def test_without_a_contact_the_lane_says_so():
    rates = {f"contacts_per_100{end}": NONE for end in ("", "_low", "_high")}
    ax = blank_page()
    voices.contact_lane(ax, [column(i, contacts=0, contacts_per_100_n=9, **rates) for i in range(5)], 2.0, 0.4, {})
    assert "no data: no contact of a known customer" in [t.get_text() for t in ax.texts]
    matplotlib.pyplot.close(ax.figure)
