"""The key figures: those that a director asks for first, each with what it is of and what it is held against."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

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
    assert told.at["service.contacts_per_100", "base"] == "contacts of the latest 3 whole months"
    assert told.at["loyalty.gini", "base"] == "all customers"


def test_how_many_figures_have_nothing_to_be_judged_by():
    assert key_figures.without_target([REPEAT, OPEN]) == "whether 1 of the 2 figures are good or bad"
    assert key_figures.without_target([REPEAT]) == ""


def test_the_lists_name_what_the_kit_has():
    assert set(key_figures.KEY) <= set(IDS)
    assert all(name.endswith(".") or name in IDS for name in key_figures.OF_DATA)
    starts = tuple(key_figures.BASES)
    assert all(name.startswith(starts) for name in (*IDS, *(f"{family}." for family in FAMILIES)))


def test_a_forecast_says_how_its_test_came_out():
    value = finding("lifetime.value_per_customer", 756, 585, 927, target=None)
    value = replace(value, claim="{value} ({interval}); a test on the last 26 weeks neither proves nor refutes it.")
    told = key_figures.key_figures([value])["base"][0]
    assert told == "all customers; the figure is a forecast; a test neither proves nor refutes it"


NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def stored_figures() -> dict[str, tuple[int, str]]:
    """id -> n and what it counts, of the key figures that the stored summary shows, in the list's order."""
    cells = json.loads((NOTEBOOKS / "11_summary.ipynb").read_text(encoding="utf-8"))["cells"]
    data = (o.get("data", {}) for cell in cells for o in cell.get("outputs", []))
    told = (record for d in data for record in d.values() if isinstance(record, dict))
    table = next(r for r in told if r.get("file") == "tables/11_summary.key_figures.csv")
    rows = zip(key_figures.KEY, table["rows"], strict=True)
    return {id: (int(row[3].replace(",", "")), row[4]) for id, row in rows}


@pytest.fixture(scope="module")
def counted(loaded_demo):
    """id -> what the words say that n counts, counted from the made-up client's tables alone."""
    folder, end = loaded_demo.tables, pd.Timestamp(loaded_demo.as_of)
    orders, surveys, searches, contacts = (
        pd.read_parquet(folder[name]) for name in ("orders", "surveys", "searches", "contacts")
    )
    sold = orders[orders["status"] != "cancelled"].assign(day=lambda o: pd.to_datetime(o["ordered_on"]))
    first = sold.groupby("customer_id")["day"].min()
    in_90_days = (first >= sold["day"].min() + pd.Timedelta(days=90)) & (first <= end - pd.Timedelta(days=90))
    times = sold.groupby("order_id")[["promised_at", "delivered_at"]].max()
    days = times.apply(
        lambda c: c.dt.tz_localize("UTC").dt.tz_convert("Europe/Kyiv").dt.tz_localize(None).dt.floor("D")
    )
    free = surveys.loc[~surveys["incentive"].astype(bool), "metric"].value_counts()
    return {
        "loyalty.repeat_rate": int(in_90_days.sum()),  # seen for 90 days before and after
        "loyalty.known_revenue_share": sold.loc[sold["day"] > end - pd.Timedelta(days=365), "customer_id"].nunique(),
        "lifetime.value_per_customer": sold["customer_id"].nunique(),
        "feedback.nps": free["nps"],
        "feedback.csat": free["csat"],
        "search.nothing_found": len(searches),
        "service.contacts_per_100": int((pd.to_datetime(contacts["opened_on"]) >= "2026-04-01").sum()),
        "service.late_share": int((times["delivered_at"].notna() | (days["promised_at"] <= end)).sum()),
        "service.returned_share": len(sold),
    }


def test_each_key_figures_n_is_the_count_of_what_its_words_name(counted):
    shown = stored_figures()
    assert set(counted) == set(key_figures.KEY) - {"journey.conversion"}  # a funnel's entries: test_funnel
    assert {id: shown[id][0] for id in counted} == counted
    assert {id: words.partition(";")[0] for id, (_, words) in shown.items()} == {
        "loyalty.repeat_rate": "new customers who were seen for long enough",
        "loyalty.known_revenue_share": "customers who bought in the last 365 days",
        "lifetime.value_per_customer": "all customers",
        "journey.conversion": "visitors who entered",
        "feedback.nps": "answers without incentive",
        "feedback.csat": "answers without incentive",
        "search.nothing_found": "all searches",
        "service.contacts_per_100": "contacts of the latest 3 whole months",
        "service.late_share": "orders that were due",
        "service.returned_share": "order lines sold",
    }
