from datetime import date

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hand_searches import many, orders_of, table

from cxkit import missing_goods, queries, query_groups

matplotlib.use("Agg")
AS_OF = date(2026, 6, 30)
PLAN = [
    ("підгузки", 300, 0.03, 0.2),
    ("дитяче автокрісло", 100, 0.0, 0.2),
    ("автокрісло", 90, 0.02, 0.2),
    ("біговел", 90, 1.0, 0.05),
    ("радіоняня", 20, 1.0, 0.1),
    ("автокрсло", 12, 1.0, 0.0),  # a misspelling
    ("дощовик", 6, 0.8, 0.0),  # too few to be certain
    ("електричний велосипед", 60, 1.0, 0.0),  # no such bicycle
    ("дитячий велосипед", 200, 0.0, 0.2),
    ("рідкість", 3, 1.0, 0.0),
    ("каляскам", 30, 1.0, 0.0),  # a misspelling of another form
    ("коляска трость", 20, 0.0, 0.2),
    ("дитяча коляска", 40, 0.0, 0.2),
    ("{value}", 40, 1.0, 0.1),
]


def judged(plan, **columns):
    made = many(plan).assign(**columns)
    log = queries.search_log(table(made), as_of=AS_OF, events=orders_of(made), rule="visit")
    groups = query_groups.group_queries(query_groups.wordings(queries.query_counts(log)), queries.next_wordings(log))
    return missing_goods.missing_goods(log, groups)


@pytest.fixture(scope="module")
def found():
    return judged(PLAN)


def test_what_is_missing_and_what_is_not(found):
    reading = found.set_index("name")["reading"]
    assert reading["біговел"] == reading["радіоняня"] == reading["електричний велосипед"] == "missing"
    assert reading["{value}"] == "missing"
    assert reading["підгузки"] == reading["велосипед"] == reading["дитячий велосипед"] == "found"
    assert reading["дощовик"] == "too early to say"
    assert "рідкість" not in reading.index
    assert found["reading"].to_list()[:4] == ["missing"] * 4  # missing goods stand first
    assert found["orders_a_year"].dropna().is_monotonic_decreasing
    assert (found.loc[found["reading"] == "missing", "low"] > 0.5).all()
    assert found["family"].nunique() == 1


def test_orders_that_it_might_bring(found):
    row = found.set_index("name").loc["біговел"]
    made = many(PLAN)
    good = made[made["results"] > 0]
    base = good["ordered"].mean()
    assert row["found_conversion"] == pytest.approx(base)
    assert row["sessions_a_year"] == pytest.approx(90 * 365.25 / 60)
    mine = made.loc[made["query"] == "біговел", "ordered"].mean()
    assert row["orders_a_year"] == pytest.approx(90 * 365.25 / 60 * (base - mine))
    assert row["orders_low"] < row["orders_a_year"] < row["orders_high"]


def test_a_misspelling_is_no_missing_good(found):
    got = found.set_index("name")
    assert got.loc["каляскам", "reading"] == "a misspelling of what is found"
    assert got.loc["каляскам", "meant"] == "коляска"


def test_findings_and_words(found):
    made = missing_goods.missing_findings(found)
    assert made[0].id == "search.missing.біговел"
    assert {f.quadrant() for f in made} == {"weakness"}
    assert made[0].sentence().startswith("біговел: 100 % of the searches for it find nothing (9")
    assert "orders a year more (" in made[0].sentence()
    first, second = missing_goods.in_words(found)
    assert first.startswith("Looked for and not offered, for certain: 4 things, above all біговел (90 visits, 100 % of")
    assert first.count(" visits, ") == 3
    few = missing_goods.in_words(found.head(2).assign(sessions=1))[0]
    assert few.startswith("Looked for and not offered, for certain: біговел (1 visit, ")
    assert "there would be " in second
    none = found[found["reading"] != "missing"]
    assert missing_goods.in_words(none) == ["Of nothing that customers look for is it certain that it is not offered."]
    assert missing_goods.in_words(found[:0])[0].startswith("Whether goods are missing cannot be told")
    assert missing_goods.missing_findings(none) == []


def test_orders_that_may_be_none_are_not_promised(found):
    row = found[found["reading"] == "missing"].iloc[0]
    told = [missing_goods._if_found("it", row.mask(row.index == "orders_low", -14.2))]
    for most in (1.2, -1.0):
        row = pd.Series({"orders_a_year": most, "orders_low": -2.0, "orders_high": most})
        told.append(missing_goods._if_found("it", row))
    assert told[0].startswith("Whether offering it would bring orders cannot be told: at most ")
    assert told[1].endswith("cannot be told: at most 1 order a year")
    assert told[2].endswith("cannot be told")
    rows = missing_goods.shown(found.assign(orders_low=-3.0))
    assert rows["orders_between"].str.startswith("0–").all()


def test_at_most_three_findings(found):
    made = missing_goods.missing_findings(found)
    assert len(made) == 3
    assert [f.estimate.n for f in made] == [90, 60, 40]


def test_braces_in_a_query_are_no_places(found):
    said = [finding.sentence() for finding in missing_goods.missing_findings(found)]
    assert [one for one in said if one.startswith("{value}: 100 % of")]


def test_pictures(found):
    ax = missing_goods.plot_missing(found)
    assert ax.texts[0].get_text().startswith("90 visits\n")
    assert "біговел 100 %" in missing_goods.describe_missing(found)
    matplotlib.pyplot.close(ax.figure)
    ax = missing_goods.plot_missing(found[:0])
    assert ax.texts[0].get_text() == "nothing to show yet"
    assert missing_goods.describe_missing(found[:0]) == "Nothing is certain to be missing."
    matplotlib.pyplot.close(ax.figure)


@pytest.mark.parametrize("lacking", [["results", "clicked"], ["clicked"]])
def test_columns_that_lack(lacking):
    made = many(PLAN).drop(columns=lacking)
    log = queries.search_log(table(made), as_of=AS_OF)
    groups = query_groups.group_queries(query_groups.wordings(queries.query_counts(log)))
    got = missing_goods.missing_goods(log, groups)
    if "results" in lacking:
        assert len(got) == 0
    else:
        assert got["reading"].eq("missing").sum() == 4
        assert np.isnan(got["orders_a_year"]).all()
        assert "orders a year" not in missing_goods.missing_findings(got)[0].sentence()
        assert len(missing_goods.in_words(got)) == 1


def test_what_is_found_is_never_missing():
    seen = [("біговел", 5, 0.4), ("вішак", 17, 0.0), ("гойдалка", 40, 0.4), ("диван", 40, 0.2), ("зошит", 8, 0.3)]
    got = judged([(*row, 0.1) for row in seen] + [("підгузки", 100, 0.0, 0.2)])
    assert len(got) == 6
    assert not (got["reading"] == "missing").any()
