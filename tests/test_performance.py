import ibis
import numpy as np
import pandas as pd
import pytest

from cxkit import performance

TYPES = {"customer_id": "string", "session": "string", "occurred_at": "timestamp", "touchpoint": "string"}
DAY = pd.Timestamp("2026-05-04")


def log(rows: list[tuple]) -> ibis.Table:
    """Rows (customer, visit, minutes since midnight, touchpoint)."""
    frame = pd.DataFrame(rows, columns=list(TYPES))
    frame["occurred_at"] = DAY + pd.to_timedelta(frame["occurred_at"], unit="min")
    frame = frame.astype({"customer_id": object, "session": object})
    frame = frame.where(frame.notna(), None).assign(timed=True)
    return ibis.memtable(frame, schema=TYPES | {"timed": "boolean"})


def shares(rows: list[tuple], **settings: object) -> dict[str, tuple[float, int, int]]:
    frame = performance.going_on(log(rows), **settings)
    return {row.touchpoint: (row.value, row.n, row.units) for row in frame.itertuples()}


SEVEN = [
    ("anna", "1", 0, "home"), ("anna", "1", 1, "product"), ("anna", "1", 2, "product"),
    (None, "2", 0, "home"), (None, "2", 5, "product"), (None, "2", 6, "home"),
    ("anna", None, 9, "delivery"),
]  # fmt: skip


def test_visits_go_on_by_hand():
    # product: twice in visit 1, the second time last; once in visit 2, where home is last
    assert shares(SEVEN) == {"home": (pytest.approx(2 / 3), 3, 2), "product": (pytest.approx(2 / 3), 3, 2)}


def test_a_visit_that_reaches_the_goal_went_on_from_all_before_it():
    rows = [("a", "1", 0, "cart"), ("a", "1", 1, "order_placed"), ("a", "1", 2, "thanks"), ("b", "2", 0, "cart")]
    assert shares(rows) == {"cart": (0.5, 2, 2)}, "what comes after the order does not count, nor the order itself"


def test_touches_at_one_time_are_put_in_the_journeys_order():
    rows = [("a", "1", 0, "home"), ("a", "1", 0, "cart"), ("b", "2", 0, "cart"), ("b", "2", 1, "home")]
    assert shares(rows)["home"] == (0.0, 2, 2), "by name: home is last in both"
    assert shares(rows, order=["home", "cart"]) == {"cart": (0.5, 2, 2), "home": (0.5, 2, 2)}
    assert shares(rows[::-1], order=["home", "cart"])["home"] == (0.5, 2, 2)


def test_asking_looks_at_the_next_touch_of_the_customer():
    rows = [
        ("a", None, 0, "delivery"), ("a", None, 10, "support"), ("a", None, 20, "delivery"),
        ("a", None, 20 + 8 * 1440, "support"),  # too late
        ("b", None, 0, "delivery"), ("b", None, 5, "home"), ("b", None, 6, "support"), (None, "9", 0, "home"),
    ]  # fmt: skip
    frame = performance.asking(log(rows)).set_index("touchpoint")
    assert frame["value"].to_dict() == {"delivery": pytest.approx(1 / 3), "home": 1.0}
    assert frame.loc["delivery", "units"] == 2


def walks(seed: int, *, visits: int = 1000, weak: dict[str, float] | None = None) -> ibis.Table:
    """Visits that go on from each of eight touchpoints with one chance, but for the weak ones."""
    rng = np.random.default_rng([11, seed])
    names = np.array([f"page {letter}" for letter in "abcdefgh"])
    chance = np.array([(weak or {}).get(name, 0.8) for name in names])
    rows, alive, step = [], np.arange(visits), 0
    while len(alive):
        at = rng.integers(0, 8, len(alive))
        rows += [(None, f"v{v}", step, names[k]) for v, k in zip(alive, at, strict=True)]
        alive = alive[rng.random(len(alive)) < chance[at]]
        step += 1
    return log(rows)


def test_a_weak_touchpoint_is_found_and_its_others_are_not_called_strong():
    found = performance.performance(performance.going_on(walks(1, weak={"page c": 0.5, "page d": 0.5})))
    assert set(found.loc[found["certain"] == "weak", "touchpoint"]) == {"page c", "page d"}
    assert not (found["certain"] == "strong").any(), "they lie above the others only because two are weak"
    assert (found["low"] > 0).any()


def test_where_all_are_alike_few_are_called():
    """Twenty shops whose touchpoints are alike: the family of eight is called in about one."""
    called = 0
    for seed in range(20):
        found = performance.performance(performance.going_on(walks(seed, visits=300)))
        assert found["judged"].all()
        called += bool(((found["low"] > 0) | (found["high"] < 0)).any())
    assert called <= 4


def scored(values: dict[str, float], *, error: float = 0.1, customers: int = 200, metric: str = "csat") -> pd.DataFrame:
    """Scores of touchpoints as `satisfaction.scores` gives them."""
    frame = pd.DataFrame({"touchpoint": list(values), "value": list(values.values())})
    others = (frame["value"].sum() - frame["value"]) / (len(frame) - 1)
    return frame.assign(
        metric=metric, low=frame["value"] - 2 * error, high=frame["value"] + 2 * error, n=customers + 20,
        customers=customers, error=error, others=others, difference=frame["value"] - others, difference_error=error,
        scale_low=1.0, scale_high=5.0, unit="points", level=0.95,
    )  # fmt: skip


def test_holm_over_the_whole_family():
    scores = scored({"a": 3.6, "b": 4.0, "c": 4.0, "d": 4.02})
    found = performance.performance(None, scores).set_index("touchpoint")
    from scipy.stats import t

    p = {name: 2 * t.sf(abs(found.loc[name, "difference"]) / 0.1, 199) for name in "abcd"}
    assert found["p"].to_dict() == pytest.approx(p)
    smallest = min(p, key=p.get)
    assert smallest == "a"
    half = t.ppf(1 - 0.05 / 4 / 2, 199) * 0.1
    assert found.loc["a", "high"] - found.loc["a", "difference"] == pytest.approx(half)
    assert found["certain"].to_dict() == {"a": "weak", "b": "", "c": "", "d": ""}
    assert found.loc["a", "scaled"] == pytest.approx(-0.1), "0.4 below the middle one on a scale of 4"


def test_too_few_are_not_judged():
    scores = pd.concat([scored({"a": 1.5, "b": 4.0, "c": 4.0}), scored({"tiny": 1.0, "x": 4.0}, customers=29)])
    found = performance.performance(None, scores).set_index("touchpoint")
    assert not found.loc["tiny", "judged"]
    assert np.isnan(found.loc["tiny", "p"])
    assert found.loc["tiny", "certain"] == ""
    assert found.loc["a", "certain"] == "weak"
    most = performance.performance(None, scored(dict.fromkeys("abcde", 4.0)), most=2)
    assert most["judged"].sum() == 2


def test_criteria_are_shown_and_never_certain():
    criteria = pd.DataFrame({"touchpoint": ["Page A", "page-a", "other"], "criterion": "clear", "score": [1, 2, 5]})
    found = performance.performance(performance.going_on(walks(3)), None, criteria)
    rows = found[found["measure"] == "criteria"].set_index("touchpoint")
    assert rows["value"].to_dict() == {"other": 5.0, "page a": 1.5}, "under the name that the visits have"
    assert rows.loc["page a", "others"] == 5
    assert (rows["certain"] == "").all()
    assert not rows["judged"].any()
    assert rows.loc["page a", "said"] == "criteria scored in the workshop 1.5 of 5, elsewhere 5.0"


def test_criteria_by_touchpoint_and_criterion():
    rows = [
        ("Page A", "Clear", 1),
        ("page-a", "clear ", 2),
        ("page a", "quick", 3),
        ("other", "clear", 5),
        ("other", "fair", 4),
    ]
    criteria = pd.DataFrame(rows, columns=["touchpoint", "criterion", "score"])
    table = performance.criteria_table(criteria)
    assert list(table.columns) == ["touchpoint", "Clear", "Fair", "Quick", "all_criteria", "scores"]
    assert table["touchpoint"].tolist() == ["Page A", "other"]  # the lowest mean first
    assert table["Clear"].tolist() == [1.5, 5.0]
    assert table[["Fair", "Quick"]].isna().to_numpy().tolist() == [[True, False], [False, True]]
    assert table["all_criteria"].tolist() == [2.0, 4.5]
    assert table["scores"].tolist() == [3, 2]
    assert list(performance.criteria_table(criteria, most=1).columns)[1:-2] == ["Clear"]
    assert len(performance.criteria_table(criteria.head(0))) == 0
    ours = performance.criteria_table(criteria.assign(criterion="scores"))
    assert list(ours.columns) == ["touchpoint", "Scores", "all_criteria", "scores"]


def test_nothing_gives_an_empty_frame():
    for nothing in (None, scored({}).astype({"value": float})):
        found = performance.performance(None, nothing)
        assert len(found) == 0
        assert {"touchpoint", "measure", "certain", "low", "high", "p", "said"} <= set(found.columns)
    assert performance.performance_findings(found) == []


def test_one_touchpoint_alone_is_not_judged():
    found = performance.performance(performance.going_on(log([("a", f"{i}", 0, "home") for i in range(300)])))
    assert found["value"].tolist() == [0.0]
    assert not found["judged"].any()


def test_in_words():
    visits = performance.performance(performance.going_on(walks(2, weak={"page c": 0.5}))).set_index("touchpoint")
    said = visits.loc["page c", "said"]
    assert said.startswith(f"{100 * visits.loc['page c', 'value']:.0f} % of touches go on (")
    assert said.endswith(f"elsewhere {100 * visits.loc['page c', 'others']:.0f} %")
    csat = performance.performance(None, scored({"a": 3.0, "b": 4.1}, error=0.05)).iloc[0]
    assert csat["said"] == "CSAT 3.0 of 5 (2.9–3.1), elsewhere 4.1"
    assert csat["said_middle"].endswith("at the middle touchpoint 3.5") or csat["said_middle"].endswith("3.6")
    nps = scored({"a": -12.0, "b": 30.0}, error=5, metric="nps").assign(scale_low=-100.0, scale_high=100.0)
    assert performance.performance(None, nps)["said"][0] == "NPS −12 (−22 to −2), elsewhere 30"


def test_findings_are_of_what_is_certain_and_of_the_first():
    hostile = "<b>{value}</b> {x}"
    found = performance.performance(None, scored({hostile: 3.0, "b": 4.0, "c": 4.0, "d": 4.0, "e": 4.02}, error=0.2))
    findings = performance.performance_findings(found, first=["c"])
    assert [f.id for f in findings] == ["journey.touchpoint.c", f"journey.touchpoint.{hostile}"]
    assert findings[0].quadrant() == "too early to say"
    weak = next(f for f in findings if hostile in f.id)
    assert weak.quadrant() == "weakness"
    assert weak.sentence().startswith(
        f"CSAT at “{hostile}” is 3.0 of 5, at the other touchpoints 4.0: a difference of "
    )
    assert weak.target_source == "the client's other touchpoints (5 comparisons hold together, Holm)"
    assert weak.estimate.unit == "points"


def test_shuffled_rows_change_nothing():
    table = walks(5, visits=200)
    shuffled = ibis.memtable(table.to_pandas().sample(frac=1, random_state=1), schema=table.schema())
    pd.testing.assert_frame_equal(performance.going_on(table), performance.going_on(shuffled))


def test_a_finding_stands_on_its_surest_measure_and_names_the_others():
    """Visits tell page c apart far more surely than the answers, which lie further below on their scale."""
    going = performance.going_on(walks(1, visits=2000, weak={"page_c": 0.6, "page c": 0.6}))
    names = [f"page {letter}" for letter in "abcdefgh"]
    scores = scored({name: 2.0 if name == "page c" else 4.0 for name in names}, error=0.3, customers=60)
    found = performance.performance(going, scores)
    rows = found[found["touchpoint"] == "page c"].set_index("measure")
    assert list(rows["certain"]) == ["weak", "weak"]
    assert rows.loc["goes_on", "p"] < rows.loc["csat", "p"]
    assert rows.loc["csat", "scaled"] < rows.loc["goes_on", "scaled"]
    (finding,) = performance.performance_findings(found)
    row = rows.loc["goes_on"]
    assert finding.estimate.value == row["difference"]
    assert (finding.estimate.low, finding.estimate.high, finding.estimate.n) == (row["low"], row["high"], row["n"])
    sentence = finding.sentence()
    levels = [f"{100 * row[name]:.0f}" for name in ("value", "others")]
    assert sentence.startswith(
        f"Of 100 touches at “page c” {levels[0]} go on, at the other touchpoints {levels[1]}: a difference of −"
    )
    assert sentence.endswith(f", n = {row['n']:,}). It lies below them for certain by CSAT too.")
    assert finding.label == "Touches at “page c” that go on, against the other touchpoints"


def test_names_are_shown_with_blanks_and_ids_keep_theirs():
    found = performance.performance(None, scored({"payment_page": 3.0, "b": 4.0, "c": 4.0, "d": 4.0}))
    (finding,) = performance.performance_findings(found)
    assert finding.id == "journey.touchpoint.payment_page"
    assert "_" not in finding.sentence() + finding.label + finding.action
    assert finding.action == "Find out what stops customers at “payment page”, mend it, and measure again."
