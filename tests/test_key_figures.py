"""The key figures: those that a director asks for first, each with what it is of and what it is held against."""

from dataclasses import replace

from cxkit import key_figures
from cxkit.estimates import Estimate, unknown, wilson
from cxkit.findings import FAMILIES, IDS, Finding


def finding(id: str, value: float, low: float, high: float, *, target: float | None = 0.0, source: str = ""):
    e = Estimate(value, low, high, 100, "points", 0.95, "by hand")
    return Finding(id, "{value} ({interval}).", e, f"Label of {id}", target=target, target_source=source)


ADVICE = finding(
    "journey.touchpoint.advice", -50, -80, -20, source="the client's other touchpoints (36 comparisons together, Holm)"
)
REPEAT = finding("loyalty.repeat_rate", 0.36, 0.34, 0.38, target=0.40, source="set by the client")
OPEN = finding("loyalty.gini", 0.6, 0.5, 0.7, target=None)


def test_key_figures_begin_with_the_list_and_leave_out_what_is_not_known():
    churn = Finding("loyalty.churn_share", "{value} ({interval}).", unknown("share"), "Churn")
    nps = Finding("feedback.nps", "{value} ({interval}).", Estimate(3, -2, 8, 50, "points", 0.95, "t"), "NPS")
    late = Finding("service.late_share", "{value} ({interval}).", wilson(15, 100), "Late", target=0.05)
    figures = key_figures.key_figures([OPEN, churn, late, nps, REPEAT])
    assert list(figures["id"]) == ["loyalty.repeat_rate", "feedback.nps", "service.late_share", "loyalty.gini"]
    ranked = key_figures.key_figures([finding("quality.refused_share", 1, 0, 2), ADVICE, OPEN])
    assert list(ranked["id"]) == ["loyalty.gini", "quality.refused_share", "journey.touchpoint.advice"]
    assert figures["figure"][1].startswith("Would recommend the shop")
    assert list(figures.loc[2, ["value_text", "target_text", "verdict"]]) == ["15 %", "5.0 %", "strength"]
    assert figures["verdict"][3] == "not judged"


def test_each_figure_says_what_it_is_of_and_whose_the_reference_is():
    told = key_figures.key_figures([REPEAT, ADVICE, OPEN, finding("service.contacts_per_100", 25, 22, 28, target=None)])
    told = told.set_index("id")
    assert told.at["loyalty.repeat_rate", "target_text"] == "0.40 (set by the client)"
    assert told.at["journey.touchpoint.advice", "target_text"] == "0 (the client's other touchpoints)"
    assert told.at["loyalty.gini", "target_text"] == "–"
    assert told.at["service.contacts_per_100", "period"] == "the latest 3 months"
    assert told.at["loyalty.gini", "period"] == "all orders"


def test_how_many_figures_have_nothing_to_be_judged_by():
    assert key_figures.without_target([REPEAT, OPEN]) == "whether 1 of the 2 figures are good or bad"
    assert key_figures.without_target([REPEAT]) == ""


def test_the_lists_name_what_the_kit_has():
    assert set(key_figures.KEY) <= set(IDS)
    assert all(name.endswith(".") or name in IDS for name in key_figures.OF_DATA)
    starts = tuple(key_figures.PERIODS)
    assert all(name.startswith(starts) for name in (*IDS, *(f"{family}." for family in FAMILIES)))


def test_a_forecast_says_how_its_test_came_out():
    value = finding("lifetime.value_per_customer", 756, 585, 927, target=None)
    value = replace(value, claim="{value} ({interval}); a test on the last 26 weeks neither proves nor refutes it.")
    told = key_figures.key_figures([value])["period"][0]
    assert told == "the weeks to come: a forecast; a test neither proves nor refutes it"
