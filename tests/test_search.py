from datetime import date

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_searches import many, orders_of, table

from cxkit import queries, search

matplotlib.use("Agg")
AS_OF = date(2026, 6, 30)
PLAN = [("pram", 300, 0.1, 0.2), ("cot", 200, 0.3, 0.1), ("bike", 100, 1.0, 0.05)]


def logged(plan=PLAN, **columns):
    made = many(plan).assign(**columns)
    return queries.search_log(table(made), as_of=AS_OF, events=orders_of(made), rule="visit")


def sums(rows: list[tuple]) -> pd.DataFrame:
    """Units with (part, whole) each, as `queries.outcome_sums` sums them."""
    part, whole = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    total = {"part": part.sum(), "whole": whole.sum(), "squares": part.sum(), "part_sq": (part**2).sum()}
    total |= {"cross": (part * whole).sum(), "whole_sq": (whole**2).sum(), "units": len(rows)}
    return pd.DataFrame([{"measure": "nothing_found", "all": "all"} | total])


def test_shares_by_hand():
    found = search.overview(queries.outcome_sums(logged())).set_index("measure")
    assert found.loc["nothing_found", "value"] == pytest.approx((30 + 60 + 100) / 600)
    assert found.loc["no_click", "value"] == 0
    assert found.loc["reformulated", "value"] == 0
    assert found.loc["order_after", "value"] == pytest.approx((60 + 20 + 5) / 600)
    assert found.loc["nothing_found", ["n", "visitors"]].to_list() == [600, 600]
    assert search.estimate(found.reset_index(), "order_after").known


def test_visitors_are_the_units():
    single = search.shares(sums([(i % 2, 1) for i in range(100)])).iloc[0]
    alike = search.shares(sums([(10 * (i % 2), 10) for i in range(10)])).iloc[0]
    assert single["value"] == alike["value"] == 0.5
    assert single["n"] == alike["n"] == 100
    assert alike["high"] - alike["low"] > 2 * (single["high"] - single["low"])
    # all came out alike: as uncertain as if each visitor had searched once
    none = search.shares(sums([(0, 10)] * 10)).iloc[0]
    assert none["high"] == pytest.approx(3.8416 / (10 + 3.8416), rel=1e-3)
    assert np.isnan(search.shares(sums([(3, 7)])).iloc[0]["low"])


def test_a_share_is_covered():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        whole = rng.integers(1, 6, 120)
        lean = rng.beta(2, 8, 120)
        one = search.shares(sums(list(zip(rng.binomial(whole, lean), whole, strict=True)))).iloc[0]
        inside += one["low"] <= 0.2 <= one["high"]
    assert 0.92 <= inside / 200 <= 0.98


def test_what_is_not_known_says_what_lacks():
    made = many(PLAN).drop(columns=["results", "clicked"])
    log = queries.search_log(table(made), as_of=AS_OF)
    found = search.overview(queries.outcome_sums(log))
    assert found["measure"].to_list() == list(search.LABELS)
    assert search.estimate(found, "nothing_found").method == "not known: how many results each search showed"
    finding = search.search_findings(found)[0]
    assert "how many results each search showed" in finding.sentence()
    assert "21 %" not in " ".join(search.in_words(found, search.shares(queries.outcome_sums(log, by="outcome"))))
    ax = search.plot_shares(found)
    assert ax.texts[0].get_text() == "not known (n = 0)"
    matplotlib.pyplot.close(ax.figure)


def test_the_answer_in_words():
    log = logged()
    found = search.overview(queries.outcome_sums(log))
    by_outcome = search.shares(queries.outcome_sums(log, by="outcome"))
    first, second = search.in_words(found, by_outcome)
    assert first.startswith("32 % of searches find nothing (28–35 %); of those that find something, 0 % are left")
    assert second.startswith("Visits in which a search found something end with an order in ")
    assert "those in which one found nothing in " in second
    empty = search.overview(queries.outcome_sums(queries.search_log(table(many(PLAN)), as_of=date(2020, 1, 1))))
    assert search.in_words(empty, by_outcome[:0]) == [
        "Nothing can be told of the searches: there are too few, or nothing is known of what came of them."
    ]
    assert search.describe_shares(empty) == "No share of the searches is known."


def test_groups_are_held_against_the_others():
    made = many(PLAN)
    device = np.where(made["query"] == "bike", "desktop", "mobile")
    found = search.compare(queries.outcome_sums(logged(device=device), by="device"), by="device")
    assert list(found["measure"].unique()) == list(search.LABELS)
    pair = found[found["measure"] == "nothing_found"].set_index("device")
    assert pair.loc["desktop", "value"] == pytest.approx(100 * (1 - 90 / 500))
    assert pair["reading"].to_dict() == {"desktop": "more", "mobile": "fewer"}
    assert pair["level"].nunique() == 1  # two groups, one comparison
    told = search.compared_in_words(found, by="device")
    assert "searches that find nothing (desktop 100 %, the others 18 %; difference " in told
    assert told.count("searches that find nothing") == 1
    same = search.compare(queries.outcome_sums(logged(), by="device"), by="device")
    assert search.compared_in_words(same, by="device") == "There are no two devices to compare."
    alike = found.assign(reading=search.ALIKE)
    assert search.compared_in_words(alike, by="device") == "No device is told apart from the others."


def test_of_few_visitors_there_is_no_verdict():
    plan = [("pram", 400, 0.1, 0.2), ("cot", 29, 1.0, 0.0)]
    device = np.repeat(["mobile", "desktop"], [400, 29])
    found = search.compare(queries.outcome_sums(logged(plan, device=device), by="device"), by="device")
    assert set(found["reading"]) == {"too few: under 30 visitors"}
    assert found[["low", "high"]].isna().all(axis=None)
    assert (found["family"] == 0).all()
    assert search.compared_in_words(found, by="device") == "No device is told apart from the others."


def test_actions_name_what_is_listed():
    assert not [told for told in search.actions().values() if "listed" in told or "synonym" in told]
    some = search.actions(synonyms=2, misspelt=1)
    assert some["nothing_found"].endswith(
        "1 search failed for them. Add the synonyms listed here, once read, to the search."
    )
    assert "pairs of wordings listed here" in some["reformulated"]


def test_small_groups_are_withheld():
    device = ["watch"] * 3 + ["mobile"] * 297 + ["desktop"] * 300
    found = search.compare(queries.outcome_sums(logged(device=device), by="device"), by="device")
    small = found[found["device"] == "watch"]
    assert (small["reading"] == "withheld").all()
    assert small[["share", "others", "value", "low"]].isna().all(axis=None)
    assert (small["n"] == 0).all()


def test_months_and_their_course():
    made = many([("pram", 900, 0.0, 0.1)], days=240)
    month = made["searched_at"].dt.month
    lost = np.arange(len(made)) % 20 < month  # from one in twenty in January to eight
    made = made.assign(results=np.where(lost, 0, 5))
    log = queries.search_log(table(made), as_of=date(2026, 8, 20))
    months = search.by_month(queries.outcome_sums(log, by="month"), first=date(2026, 1, 1), last=date(2026, 8, 20))
    nothing = months[months["measure"] == "nothing_found"]
    assert nothing["complete"].to_list() == [True] * 7 + [False]
    trends = search.month_trends(months).set_index("measure")
    assert trends.loc["nothing_found", "reading"] == "rises"
    assert trends.loc["nothing_found", "n"] == 7
    assert trends.loc["nothing_found", "low"] < 30 < trends.loc["nothing_found", "high"]  # 5 points a month, six steps
    assert trends[["low", "high"]].abs().max(axis=None) <= 100
    assert np.isnan(trends.loc["order_after", "value"])
    assert "searches that find nothing rise by " in search.trends_in_words(trends.reset_index())
    ax = search.plot_months(months)
    assert "rise by" in search.describe_months(months, trends.reset_index())
    matplotlib.pyplot.close(ax.figure)


def test_too_few_months_for_a_course():
    log = logged()
    months = search.by_month(queries.outcome_sums(log, by="month"), first=date(2026, 1, 1), last=AS_OF)
    told = search.trends_in_words(search.month_trends(months))
    assert told == "There are too few full months for a course (at least 4 are needed)."
    assert search.describe_months(months[:0], search.month_trends(months[:0])) == "No month's shares are known."
    for ax in (search.plot_months(months[:0]), search.plot_shares(search.overview(queries.outcome_sums(log))[:0])):
        assert ax.texts[0].get_text() == "nothing to show yet"
        matplotlib.pyplot.close(ax.figure)


def test_no_rows_to_compare():
    found = search.compare(queries.outcome_sums(logged(device=None), by="device"), by="device")
    assert len(found) == 0
    assert search.compared_in_words(found, by="device") == "There are no two devices to compare."
