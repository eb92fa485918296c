"""Why searches find nothing: goods that are not offered, misspellings, the rest, counted by hand."""

from datetime import date

import pytest
from hand_searches import many, orders_of, table

from cxkit import failed_searches, missing_goods, queries, query_groups

AS_OF = date(2026, 6, 30)
PLAN = [
    ("підгузки", 300, 0.03, 0.2),
    ("автокрісло", 190, 0.02, 0.2),
    ("біговел", 90, 1.0, 0.05),
    ("радіоняня", 20, 1.0, 0.1),
    ("автокрсло", 12, 1.0, 0.0),  # a misspelling
]


def test_what_the_failed_searches_were_for():
    made = many(PLAN)
    log = queries.search_log(table(made), as_of=AS_OF, events=orders_of(made), rule="visit")
    words = query_groups.wordings(queries.query_counts(log))
    groups = query_groups.group_queries(words)
    found = missing_goods.missing_goods(log, groups)
    kinds = failed_searches.failed(log, failed_searches.causes(groups, found, words)).set_index("why")
    lost = (made["results"] == 0).sum()
    gone = made["query"].isin(["біговел", "радіоняня"]).sum()
    assert kinds.loc["goods that are not offered", "value"] == pytest.approx(gone / lost)
    assert kinds.loc["misspellings", "value"] == pytest.approx(12 / lost)
    assert (kinds["low"] < kinds["value"]).all()
    assert kinds["value"].sum() == pytest.approx(1)
    assert failed_searches.counted(kinds.reset_index(), "misspellings") == 12
    told = failed_searches.in_words(kinds.reset_index())
    assert told.startswith("Of the searches that find nothing, 81 % are for goods that")
    assert failed_searches.in_words(kinds.iloc[:0].reset_index()).startswith("Why searches find nothing cannot")
