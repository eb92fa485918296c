from datetime import date

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxkit import touches
from cxkit.errors import UsageError
from cxkit.stages import GOAL, touchpoint_map

DAY = "2026-05-04 "
EVENT = {"session_id": "string", "customer_id": "string", "occurred_at": "timestamp", "touchpoint": "string"}


def events(*rows: tuple, **columns: object) -> ibis.Table:
    """Rows (session, customer, time of the day, touchpoint)."""
    frame = pd.DataFrame(rows, columns=list(EVENT)).assign(**columns)
    frame["occurred_at"] = pd.to_datetime(DAY + frame["occurred_at"], format="ISO8601")
    return ibis.memtable(
        frame.astype(object).where(frame.notna(), None), schema=EVENT | dict.fromkeys(columns, "string")
    )


def orders(*rows: tuple) -> ibis.Table:
    """Rows (order, customer, time, amount, status, refund, delivered)."""
    types = {"order_id": "string", "customer_id": "string", "ordered_at": "timestamp", "amount": "float64"}
    types |= {"status": "string", "refund": "float64", "delivered_at": "timestamp"}
    frame = pd.DataFrame(rows, columns=list(types))
    for name in ("ordered_at", "delivered_at"):
        frame[name] = pd.to_datetime(frame[name])
    frame = frame.assign(channel="web", delivery="courier").astype(object)
    return ibis.memtable(frame.where(frame.notna(), None), schema=types | {"channel": "string", "delivery": "string"})


def log_of(tables: dict, *, zone: str = "Europe/Kyiv", most: int = 60, most_touches: int = 1000) -> tuple:
    gathered = touches.gather(tables)
    names = touches.names(gathered, touchpoint_map(), most=most)
    robots = touches.robots(gathered, most_touches=most_touches)
    log = touches.touch_log(gathered, names=names, robots=robots, zone=zone)
    frame = log.order_by(["occurred_at", "touchpoint"]).to_pandas()
    return frame, touches.account(log, names=names, robots=robots).set_index("what")["count"], names


def test_offline_and_online_stand_in_one_line():
    tables = {
        "events": events(("s1", None, "10:00", "home"), ("s1", "anna", "10:01", "Product Page")),
        "orders": orders(("1", "anna", DAY + "12:00", 9.0, "completed", 0.0, "2026-05-06 12:00")),
        "contacts": ibis.memtable(
            {"contact_id": ["t"], "customer_id": ["anna"], "opened_at": [pd.Timestamp("2026-05-05")],
             "solved_at": [pd.Timestamp("2026-05-07")], "channel": ["phone"]}
        ),
        "surveys": ibis.memtable(
            {"customer_id": ["anna"] * 2, "answered_at": [pd.Timestamp("2026-05-08")] * 2, "metric": ["nps", "csat"]}
        ),
        "reviews": ibis.memtable({"customer_id": ["anna"], "written_at": [pd.Timestamp("2026-05-09")]}),
    }  # fmt: skip
    frame, counts, _ = log_of(tables)
    assert list(frame["touchpoint"]) == [
        "home", "product_page", GOAL, "support", "delivery", "support_solved", "survey_answered", "review_written",
    ]  # fmt: skip
    assert set(frame["visitor"]) == {"anna"}, "she logged in on the way: the session is hers from its first touch on"
    assert list(frame["stage"])[:4] == ["need", "comparison", "payment", "support"]
    assert list(frame["channel"])[2:5] == ["web", "phone", "courier"]
    assert frame["session"].notna().sum() == 2
    assert counts["touches in the log"] == 8


def test_visitors_without_a_name_are_their_sessions():
    frame, counts, _ = log_of({"events": events(("s1", None, "10:00", "home"), ("s2", None, "10:00", "home"))})
    assert list(frame["visitor"]) == ["session s1", "session s2"]
    assert frame["customer_id"].isna().all()
    assert (counts["customers"], counts["visits"], counts["of them visits of nobody known"]) == (0, 2, 2)


def test_a_session_of_two_customers_is_two_visits():
    frame, *_ = log_of(
        {
            "events": events(
                ("s1", "anna", "10:00", "home"), ("s1", "bo", "10:01", "home"), ("s1", None, "10:02", "home")
            )
        }
    )
    assert sorted(zip(frame["visitor"], frame["session"], strict=True)) == [
        ("anna", "s1 anna"), ("bo", "s1 bo"), ("session s1 ", "s1 "),
    ]  # fmt: skip


def test_a_visit_ends_after_a_gap_of_over_thirty_minutes():
    rows = [
        (None, "anna", "10:00:00", "home"),
        (None, "anna", "10:30:00", "search"),  # 30 minutes to the point: the same visit
        (None, "anna", "11:00:00.000001", "product"),  # a millionth of a second more
        (None, "anna", "11:00:00.000001", "cart"),
        (None, "bo", "10:10:00", "home"),
    ]
    frame, *_ = log_of({"events": events(*rows)})
    assert frame.groupby("session")["touchpoint"].agg(list).to_dict() == {
        "anna #1": ["home", "search"], "anna #2": ["cart", "product"], "bo #1": ["home"],
    }  # fmt: skip


def test_an_order_that_an_event_shows_counts_once():
    shown = events(("s1", "anna", "11:59", "purchase"), ("s2", "bo", "11:59", "purchase"), order_id=["1", None])
    placed = orders(
        ("1", "anna", DAY + "12:00", 9.0, "completed", 0.0, None),
        ("2", "bo", DAY + "12:00", 9.0, "completed", 0.0, None),
    )
    frame, counts, _ = log_of({"events": shown, "orders": placed})
    assert list(frame["visitor"]) == ["anna", "bo", "bo"], "bo's event names no order, so it cannot be told"
    assert counts["orders that an event shows already, counted once"] == 1


def test_cancellations_and_returns_have_no_time_of_their_own():
    placed = orders(
        ("1", "anna", DAY + "12:00", 9.0, "cancelled", 0.0, None),
        ("2", "anna", DAY + "13:00", 9.0, "completed", 0.0, "2026-05-06"),
        ("2", "anna", DAY + "13:00", 5.0, "returned", 5.0, "2026-05-06"),
        ("3", "anna", DAY + "14:00", 0.0, "returned", 9.0, None),  # a return-only line is no order
        ("4", None, DAY + "15:00", 9.0, "completed", 0.0, None),  # nobody's journey
    )
    frame, *_ = log_of({"orders": placed})
    found = frame[["touchpoint", "order_id", "timed"]].to_numpy().tolist()
    assert found == [
        ["cancellation", "1", False], [GOAL, "1", True], [GOAL, "2", True],
        ["delivery", "2", True], ["return", "2", False],
    ]  # fmt: skip


def test_the_day_is_the_clients_own():
    frame, *_ = log_of({"events": events(("s1", None, "21:30", "home"))}, zone="Europe/Kyiv")
    assert str(frame["occurred_on"][0])[:10] == "2026-05-05"


def test_a_robot_is_set_aside_and_told():
    rows = [("r", None, "10:00", "home")] * 11 + [("s", None, "10:00", "home")] * 10
    frame, counts, _ = log_of({"events": events(*rows)}, most_touches=10)
    assert set(frame["session"]) == {"s"}
    assert counts["set aside: visits with more touches than a person makes"] == 11


def test_too_many_touchpoints_are_grouped_by_a_stated_rule():
    rows = [(f"s{i}", None, "10:00", f"page {i:04}") for i in range(50)]
    rows += [("a", None, "10:00", "page 0007"), ("b", None, "10:00", "faq")]
    frame, counts, names = log_of({"events": events(*rows)}, most=3)
    assert frame["touchpoint"].value_counts().to_dict() == {touches.OTHERS: 49, "page 0007": 2, "faq": 1}
    assert counts["names grouped as other touchpoints"] == 49
    assert names["touches"].sum() == 52


def test_names_are_only_text():
    odd = ["<script>alert(1)</script>", "Сторінка оплати" * 20, "=HYPERLINK(1)", "a\u202eb", "$x^2$"]
    frame, counts, _ = log_of({"events": events(*[("s", None, "10:00", name) for name in odd])})
    assert counts["touches without a stage (unmapped)"] == 5
    assert "ab" in set(frame["touchpoint"]), "marks that turn the direction of writing are taken out"


def test_a_period_ends_with_its_last_day():
    days = ibis.memtable({"occurred_on": [date(2026, 5, d) for d in (1, 2, 3, 4, 5)]})
    found = touches.in_period(days, last=date(2026, 5, 4), days=2).to_pandas()["occurred_on"]
    assert sorted(str(d)[:10] for d in found) == ["2026-05-03", "2026-05-04"]


def test_one_customer_to_follow_by_eye():
    rows = [("s1", "anna", "10:00", "home"), ("s1", "anna", "10:01", "cart"), ("s2", "bo", "10:00", "home"),
            ("s2", "bo", "10:01", "faq"), ("s2", "bo", "10:02", "home"), ("s3", None, "10:00", "home")]  # fmt: skip
    gathered = touches.gather({"events": events(*rows)})
    names, robots = touches.names(gathered, touchpoint_map()), touches.robots(gathered)
    log = touches.touch_log(gathered, names=names, robots=robots, zone="UTC")
    followed = touches.one_customer(log)
    assert followed["touchpoint"].tolist() == ["home", "faq", "home"]
    assert followed["visit"].tolist() == [1, 1, 1]
    assert followed["since_first"].tolist() == [pd.Timedelta(minutes=m) for m in (0, 1, 2)]
    assert not {"session", "occurred_at", "customer_id"} & set(followed), "nobody can be told by it"
    assert touches.one_customer(log, most=2)["touchpoint"].tolist() == ["home", "cart"]
    assert touches.one_customer(log, most=1).empty


def test_new_customers_and_those_who_had_ordered_before():
    placed = orders(
        ("1", "anna", "2026-04-30 12:00", 9.0, "completed", 0.0, None),
        ("2", "anna", "2026-05-04 12:00", 9.0, "completed", 0.0, None),
        ("3", "bo", "2026-05-04 13:00", 9.0, "completed", 0.0, None),
        ("4", "bo", "2026-05-05 13:00", 9.0, "completed", 0.0, None),
    )
    gathered = touches.gather({"orders": placed, "events": events(("s", None, "10:00", "home"))})
    names, robots = touches.names(gathered, touchpoint_map()), touches.robots(gathered)
    log = touches.touch_log(gathered, names=names, robots=robots, zone="UTC")
    parts = touches.by_experience(log, last=date(2026, 5, 5), days=2)
    assert [sorted(part.to_pandas()["order_id"]) for part in parts] == [["3", "4"], ["2"]]


def test_a_table_that_begins_late_does_not_cover_the_days_before():
    days = [("events", date(2026, 5, 20)), ("orders", date(2026, 1, 1)), ("orders", date(2026, 5, 30))]
    log = ibis.memtable(
        pd.DataFrame(days, columns=["origin", "occurred_on"]), schema={"origin": "string", "occurred_on": "date"}
    )
    late = touches.not_covered(log, last=date(2026, 5, 31), days=31)
    assert [(row.origin, str(row.first_on)[:10]) for row in late.itertuples()] == [("events", "2026-05-20")]
    assert touches.not_covered(log, last=date(2026, 5, 31), days=12).empty
    assert touches.not_covered(log, last=date(2026, 5, 31), days=19).empty, "a week without a touch is no gap yet"


def test_new_and_returning_as_groups_for_the_funnel():
    placed = orders(
        ("1", "anna", "2026-04-30 12:00", 9.0, "completed", 0.0, None),
        ("2", "anna", "2026-05-04 12:00", 9.0, "completed", 0.0, None),
        ("3", "bo", "2026-05-04 13:00", 9.0, "completed", 0.0, None),
    )
    gathered = touches.gather({"orders": placed})
    names, robots = touches.names(gathered, touchpoint_map()), touches.robots(gathered)
    log = touches.touch_log(gathered, names=names, robots=robots, zone="UTC")
    groups = touches.experience(log, last=date(2026, 5, 5), days=2)
    assert dict(zip(groups["visitor"], groups["group"], strict=True)) == {"anna": "returning", "bo": "new"}


def test_what_a_reader_must_know_is_told_before_the_map():
    rows = [("s", None, "10:00", "home")] * 8 + [("s", None, "10:00", "zoo")] * 2
    assert touches.warnings(log_of({"events": events(*rows)})[1].reset_index().pipe(whole)) == [
        "Mind: 20 % of the touches belong to no stage and are missing from the map."
    ]
    assert touches.warnings(log_of({"events": events(*rows[:8])})[1].reset_index().pipe(whole)) == []
    assert touches.warnings(log_of({})[1].reset_index().pipe(whole)) == []


def whole(counts: pd.DataFrame) -> pd.DataFrame:
    """The account with `of` as the touches of the log, which the tests' helper leaves out."""
    return counts.assign(of=counts.set_index("what")["count"]["touches in the log"])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: touches.gather({}, gap_minutes=0), "gap_minutes must be at least 1; found 0"),
        (lambda: touches.robots(touches.gather({}), most_touches=0), "most_touches must be at least 2"),
        (lambda: touches.names(touches.gather({}), touchpoint_map(), most=0), "most_touchpoints must be at least 2"),
        (lambda: touches.in_period(touches.gather({}), last=date(2026, 5, 5), days=0), "found period_days 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(call, told):
    with pytest.raises(UsageError, match=told):
        call()


def test_no_table_gives_an_empty_log():
    frame, counts, _ = log_of({})
    assert frame.empty
    assert counts.fillna(0).eq(0).all()


@settings(deadline=None, max_examples=15)
@given(st.permutations(range(7)))
def test_the_order_of_the_rows_does_not_matter(order):
    rows = [
        (None, "anna", "10:00", "home"), (None, "anna", "10:00", "cart"), ("s", "anna", "10:05", "cart"),
        (None, "anna", "10:45", "home"), ("s", None, "10:01", "Home"), ("t", None, "10:01", "zoo"),
        (None, "bo", "10:00", "ZOO"),
    ]  # fmt: skip
    one, counts, _ = log_of({"events": events(*rows)})
    other, again, _ = log_of({"events": events(*[rows[i] for i in order])})
    by = list(one.columns)
    pd.testing.assert_frame_equal(one.sort_values(by, ignore_index=True), other.sort_values(by, ignore_index=True))
    pd.testing.assert_series_equal(counts, again)


@pytest.mark.parametrize("column", ["channel", "source", "order_id"])
def test_columns_that_an_export_lacks_are_empty(column):
    frame, *_ = log_of({"events": events(("s1", None, "10:00", "home"))})
    assert frame[column].isna().all()
