from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders
from hand_searches import DAY, searches, table

from cxkit import queries
from cxkit.errors import UsageError

AS_OF = date(2026, 3, 31)
VISITS = [
    ("a", "10:00", "Pram", 0, False),
    ("a", "10:05", "pram  light", 4, False),  # other words within 30 minutes
    ("a", "10:06", "PRAM LIGHT", 4, True),  # the same words in other letters are not said anew
    ("b", "11:00", "pram", 3, True),
    ("b", "11:31", "cot", 3, True),  # 31 minutes later: another matter
    ("c", "12:00", "   ", 9, True),  # no word
    ("d", "13:00", "cot", None, None),  # nothing is known of what came of it
]
EVENTS = {"session_id": "string", "occurred_at": "timestamp(6)", "order_id": "string"}


def events(rows: list[tuple]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=list(EVENTS)).astype(object)
    times = pd.to_datetime(DAY + frame["occurred_at"]).astype("datetime64[us]")
    return ibis.memtable(frame.assign(occurred_at=times), schema=EVENTS)


def rows(log) -> pd.DataFrame:
    return log.order_by("searched_at", "session").to_pandas()


def test_a_log_by_hand():
    log = rows(queries.search_log(searches(VISITS), as_of=AS_OF))
    assert log["query"].fillna("-").to_list() == ["Pram", "pram light", "PRAM LIGHT", "pram", "cot", "-", "cot"]
    assert log["reformulated"].to_list() == [1, 0, 0, 0, 0, 0, 0]
    assert log["next_query"].dropna().to_list() == ["pram light"]
    assert log["nothing"].to_list()[:5] == [1, 0, 0, 0, 0]
    assert pd.isna(log["nothing"].iloc[6])
    assert log["clickable"].to_list() == [0, 1, 1, 1, 1, 1, 0]
    assert log["outcome"].dropna().unique().tolist() == ["nothing found", "something found"]
    assert log["ordered"].isna().all()
    assert log["visitor"].iloc[0] == "session a"


def test_counts_leave_out_robots_and_blank_searches():
    robot = [("r", f"0{i // 60}:{i % 60:02}", f"word {i}") for i in range(101)]
    log = queries.search_log(searches(VISITS + robot), as_of=AS_OF)
    counts = queries.query_counts(log)
    assert counts["query"].to_list() == ["PRAM LIGHT", "Pram", "cot", "pram", "pram light"]
    cot = counts.set_index("query").loc["cot"]
    assert (cot["sent"], cot["sessions"], cot["known"], cot["nothing"], cot["clicked"]) == (2, 2, 1, 0, 1)
    told = queries.account(log).set_index("kind")
    assert told.loc["all searches", "searches"] == 108
    assert told.loc["set aside: visits with over 100 searches (robots)"].to_list() == [101, 1]
    assert told.loc["kept"].to_list() == [6, 3]
    assert "of these: of customers who are known" not in told.index


def test_orders_follow_in_the_same_visit():
    placed = events([("a", "10:05", "o1"), ("b", "11:00", None), ("d", "09:00", "o2")])
    assert queries.order_rule(searches(VISITS), events=placed) == "visit"
    log = rows(queries.search_log(searches(VISITS), as_of=AS_OF, events=placed, rule="visit"))
    assert log["ordered"].to_list() == [1, 1, 0, 0, 0, 0, 0]  # d's order came before the search
    sums = queries.outcome_sums(queries.search_log(searches(VISITS), as_of=AS_OF, events=placed))  # the rule that fits
    after = sums.set_index("measure").loc["order_after"]
    assert (after["part"], after["whole"]) == (1, 3)  # visits, not searches; c said no word


def test_orders_follow_on_the_same_day_where_visits_are_not_logged():
    strangers = events([("x", "10:05", "o1")])
    known = searches(VISITS, customer_id=["anna", "anna", "anna", None, None, None, "bohdan"])
    shop = orders([("1", "anna", "2026-03-01", 10.0), ("2", "bohdan", "2026-03-02", 10.0)])
    assert queries.order_rule(known, events=strangers, orders=shop) == "day"
    assert queries.order_rule(known.drop("customer_id"), events=strangers, orders=shop) is None
    assert queries.order_rule(known) is None
    log = rows(queries.search_log(known, as_of=AS_OF, orders=shop, rule="day"))
    assert log["ordered"].fillna(-1).to_list() == [1, 1, 1, -1, -1, -1, 0]
    assert log["visitor"].to_list()[0] == "anna"


def test_an_unknown_rule_is_refused():
    with pytest.raises(UsageError, match="rule must be visit, day or None; found 'week'"):
        queries.search_log(searches(VISITS), as_of=AS_OF, rule="week")
    with pytest.raises(UsageError, match="rule 'visit' needs the table events, which was not given"):
        queries.search_log(searches(VISITS), as_of=AS_OF, rule="visit")


def test_what_was_scrubbed_and_signs_alone_are_counted_apart():
    said = [
        "[phone]",
        "[phone] / [account]",
        "🎉🎉🎉",
        "?!",
        "  ",
        "коляска [e-mail]",
        "[gift] card",
        "123",
        "..." * 99 + "cot",
    ]
    log = queries.search_log(searches([("a", f"10:0{i}", text) for i, text in enumerate(said)]), as_of=AS_OF)
    assert queries.query_counts(log)["query"].to_list() == ["123", "[gift] card"]  # mail [e-mail] is no good
    assert queries.next_wordings(log)["next_query"].to_list() == ["123"]
    assert queries.account(log)[["kind", "searches"]].to_dict("split")["data"] == [
        ["all searches", 9],
        ["set aside: without a word (blank, or signs alone)", 4],
        ["set aside: nothing but personal data, taken out", 2],
        ["kept", 3],
        ["of these: personal data taken out, their words left aside", 1],
    ]


def test_a_visit_is_the_customers_day_where_the_export_names_none():
    log = searches(VISITS[:2], customer_id=["anna", "anna"]).drop("session_id")
    made = rows(queries.search_log(log, as_of=AS_OF))
    assert made["session"].to_list() == ["anna 2026-03-01"] * 2
    assert made["reformulated"].to_list() == [1, 0]
    alone = rows(queries.search_log(log.drop("customer_id"), as_of=AS_OF))
    assert alone["session"].nunique() == 2
    assert alone["reformulated"].isna().all()


def test_long_and_late_searches():
    long = [("a", "10:00", "x" * 1_000_000), ("b", "2026-04-01 10:00", "pram")]
    log = queries.search_log(searches(long), as_of=AS_OF)
    assert rows(log)["query"].to_list() == ["x" * queries.LONGEST]
    told = queries.account(log).set_index("kind")["searches"]
    assert told["of these: longer than 200 letters, and read so far"] == 1


def test_which_wording_leads_to_which():
    steps = queries.next_wordings(queries.search_log(searches(VISITS), as_of=AS_OF))
    assert steps.to_dict("records") == [
        {"query": "Pram", "next_query": "pram light", "sessions": 1, "found_next": 1, "nothing_first": 1}
    ]


def test_sums_are_those_of_a_plain_reading_in_any_order():
    rng = np.random.default_rng(4)
    n = 600
    made = pd.DataFrame(
        {
            "session_id": [f"s{i}" for i in rng.integers(0, 150, n)],
            "customer_id": [None if i % 3 else f"c{i % 20}" for i in rng.integers(0, 60, n)],
            "query": rng.choice(["pram", "cot", "bib", "doll"], n),
            "results": rng.choice([0, 3, None], n, p=[0.2, 0.7, 0.1]),
            "clicked": rng.choice([True, False, None], n, p=[0.5, 0.4, 0.1]),
            "device": rng.choice(["mobile", "desktop"], n),
            "searched_at": pd.Timestamp("2026-03-01") + pd.to_timedelta(rng.integers(0, 20 * 24 * 60, n), unit="min"),
        }
    )
    sums = queries.outcome_sums(queries.search_log(table(made), as_of=AS_OF), by="device")
    again = queries.outcome_sums(
        queries.search_log(table(made.sample(frac=1, random_state=1)), as_of=AS_OF), by="device"
    )
    pd.testing.assert_frame_equal(sums, again)
    for device, group in made.groupby("device"):
        known = group[group["results"].notna()]
        row = sums[(sums["device"] == device) & (sums["measure"] == "nothing_found")].iloc[0]
        assert (row["part"], row["whole"]) == ((known["results"] == 0).sum(), len(known))
        some = group[(group["results"].fillna(1) > 0) & group["clicked"].notna()]
        row = sums[(sums["device"] == device) & (sums["measure"] == "no_click")].iloc[0]
        assert (row["part"], row["whole"]) == ((~some["clicked"].astype(bool)).sum(), len(some))


def test_demand_counts_visits_among_all():
    log = queries.search_log(searches(VISITS), as_of=AS_OF)
    names = pd.DataFrame({"query": ["Pram", "pram", "pram light", "PRAM LIGHT"], "need": "pram"})
    demand = queries.demand_sums(queries.with_names(log, names, column="need"), by="need", among=log)
    row = demand.iloc[0]
    assert (row["searches"], row["sessions"], row["whole"], row["units"]) == (4, 2, 3, 3)
    assert queries.period(log) == (date(2026, 3, 1), date(2026, 3, 1))


def test_nothing_at_all():
    log = queries.search_log(searches(VISITS), as_of=date(2025, 1, 1))
    assert queries.period(log) is None
    assert len(queries.query_counts(log)) == len(queries.next_wordings(log)) == len(queries.outcome_sums(log)) == 0
    assert queries.account(log)["searches"].to_list() == [0, 0]
    assert len(queries.offered(None)) == 0


def test_what_is_offered():
    catalogue = ibis.memtable(
        {"product": ["Bib", "Cot"], "category": ["Feeding", None], "parent_category": ["Baby", "Baby"]}
    )
    found = queries.offered(catalogue)
    assert list(found["kind"] + ": " + found["name"]) == [
        "category: Baby",
        "category: Feeding",
        "product: Bib",
        "product: Cot",
    ]
