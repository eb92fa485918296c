import pandas as pd
import pytest

from cxkit import oddities, repeated_money

DAY = pd.Timestamp("2026-06-30")
NO_MOMENT = {
    "orders": 500,
    "at_midnight": 0,
    "at_utc_midnight": 0,
    "on_the_minute": 9,
    "most": 1,
    "at_once_by_chance": 1,
}


def moments(**columns):
    day = pd.date_range("2026-06-01", periods=2)
    return pd.DataFrame({"day": day, "most_at": day + pd.Timedelta(hours=10)} | NO_MOMENT | columns)


def words(*rows):
    columns = ["column", "value", "orders", "first_on", "last_on", "new_by_chance", "gone_by_chance"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(first_on=pd.to_datetime(frame["first_on"]), last_on=pd.to_datetime(frame["last_on"]))


def silences(*starts, days=1):
    first = pd.to_datetime(pd.Series(starts, dtype=object))
    last = first + pd.Timedelta(days=days - 1)
    return pd.DataFrame({"first_day": first, "last_day": last, "days": days, "expected_orders": 40.0, "unusual": True})


def test_a_customer_is_one_row_with_both_shares():
    rows = [("till", "orders", 0.34, 0.02), ("till", "revenue", 0.12, 0.03)]
    found = pd.DataFrame(rows, columns=["customer_id", "measure", "share", "next_share"])
    row = oddities.odd_customers(found).iloc[0]
    assert row["where"] == "customer till"
    assert row["how_much"] == "34 % of customers' orders and 12 % of customers' revenue; the next has at most 3.0 %"
    assert row["ask"].endswith("?")


def test_few_silences_stand_one_by_one_and_many_together():
    row = oddities.odd_silences(silences("2026-03-02", days=12)).iloc[0]
    assert (row["what"], row["where"]) == ("No orders at all", "2026-03-02 to 2026-03-13")
    assert row["how_much"] == "12 days; they usually bring about 40 orders"
    one = oddities.odd_silences(silences("2026-03-02")).iloc[0]
    assert one["where"] == "2026-03-02"
    assert one["how_much"].startswith("1 day;")
    many = oddities.odd_silences(silences("2026-03-02", "2026-03-12", "2026-04-02", "2026-05-02", "2026-06-02"))
    assert many["where"].to_list() == ["2026-03-02; 2026-03-12; 2026-04-02 and 2 more"]
    assert many["how_much"].to_list() == ["5 days in all; they usually bring about 200 orders"]
    assert len(oddities.odd_silences(silences("2026-03-02").assign(unusual=False))) == 0


def odd(*times, direction="more"):
    day = pd.date_range("2026-03-01", periods=len(times))
    orders = [int(100 * t) for t in times]
    return pd.DataFrame({"day": day, "orders": orders, "usual": 100.0, "times": times, "direction": direction})


def test_odd_days_name_their_size_and_many_of_them_the_farthest():
    row = oddities.odd_orders(odd(10.0)).iloc[0]
    assert row["what"] == "Far more orders than that weekday usually brings"
    assert (row["where"], row["how_much"]) == ("2026-03-01", "1,000 orders, 100 are usual (10 times)")
    many = oddities.odd_orders(odd(2.0, 5.0, 3.0, 4.0)).iloc[0]
    assert many["where"] == (
        "2026-03-02 (5 times the usual); 2026-03-04 (4 times the usual); 2026-03-03 (3 times the usual) and 1 more"
    )
    fewer = oddities.odd_orders(odd(0.5, 0.1, 0.3, 0.4, direction="fewer")).iloc[0]
    assert fewer["where"].startswith("2026-03-02 (0.1 times the usual); 2026-03-03")
    assert fewer["how_much"] == "4 days"


def test_a_word_that_ends_where_another_begins_is_one_question():
    found = words(
        ("payment", "card", 900, "2025-01-01", "2026-02-27", 8, 1e-9),
        ("payment", "card online", 400, "2026-03-01", "2026-06-30", 1e-9, 8),
        ("payment", "cash", 900, "2025-01-01", "2026-06-30", 8, 8),
    )
    row = oddities.odd_words(found, as_of=DAY, lately_days=90)
    assert row["what"].to_list() == ["One value ends where another begins"]
    assert row["where"].to_list() == ["payment: card, then card online"]
    assert row["how_much"].to_list() == ["until 2026-02-27 (900 orders), from 2026-03-01 (400 orders)"]


def test_words_that_come_or_go():
    found = words(
        ("channel", "app", 40, "2026-06-01", "2026-06-30", 1e-6, 8),  # new
        ("channel", "kiosk", 40, "2026-01-01", "2026-06-30", 1e-6, 8),  # new half a year ago: no news
        ("delivery", "drone", 3, "2026-06-20", "2026-06-30", 0.4, 8),  # chance
        ("delivery", "courier", 300, "2025-01-01", "2026-04-30", 8, 1e-6),  # gone
        ("status", "returned", 300, "2025-01-01", "2026-06-10", 8, 1e-6),  # too lately to be gone
    )
    rows = oddities.odd_words(found, as_of=DAY, lately_days=90)
    assert rows[["what", "where"]].to_numpy().tolist() == [
        ["A value never seen before", "channel: app"],
        ["A value no longer seen", "delivery: courier"],
    ]
    assert rows["how_much"].to_list() == [
        "first seen 2026-06-01; 40 orders since",
        "last seen 2026-04-30; 300 orders until then",
    ]
    assert len(oddities.odd_words(found, as_of=DAY, lately_days=200)) == 3
    assert len(oddities.odd_words(words(), as_of=DAY, lately_days=90)) == 0


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({}, []),
        ({"at_midnight": [3, 2]}, []),  # 5 of 1,000 are few enough to be chance
        ({"at_midnight": [30, 20]}, ["Part of the orders stand at midnight"]),
        ({"at_midnight": [500, 500]}, ["Orders have a day and no hour"]),
        ({"at_utc_midnight": [500, 500]}, ["Orders have a day and no hour"]),
        ({"most": [40, 1], "at_once_by_chance": [1e-9, 1]}, ["Many orders at one moment"]),
        ({"most": [4, 1], "at_once_by_chance": [1e-9, 1]}, []),
    ],
)
def test_midnights_and_moments(columns, what):
    assert oddities.odd_moments(moments(**columns))["what"].to_list() == what


def test_where_the_moments_lie():
    row = oddities.odd_moments(moments(most=[40, 1], at_once_by_chance=[1e-9, 1])).iloc[0]
    assert (row["where"], row["how_much"]) == ("2026-06-01 10:00:00 (40 orders)", "on 1 day")
    row = oddities.odd_moments(moments(at_utc_midnight=[500, 500])).iloc[0]
    assert row["ask"].startswith("In which time zone")
    assert len(oddities.odd_moments(moments()[:0])) == 0


def test_lines_far_off():
    far = pd.DataFrame(
        [("price", "more", 3, 900, 1990.0, 19.9, "A-1", DAY), ("pieces", "more", 1, 900, 5000.0, 4.0, "", DAY)],
        columns=["measure", "direction", "lines", "of", "farthest", "usual", "product_id", "day"],
    )
    rows = oddities.odd_lines(far)
    assert rows["what"].to_list() == ["Prices far above the usual", "Pieces far above the usual"]
    assert rows["where"].to_list() == ["product A-1, 2026-06-30", "2026-06-30"]
    assert rows["how_much"].to_list() == [
        "3 of 900 lines; the farthest 1,990, where 19.9 is usual",
        "1 of 900 lines; the farthest 5,000, where 4 is usual",
    ]


def test_what_the_door_noted():
    accounts = {
        "surveys": {"notes": ["4 values of comment hold the replacement character."]},
        "orders": {
            "notes": ["172 lines without a customer.", "as_of is 2026-06-30: 3 rows stand alone on later days."]
        },
    }
    rows = oddities.odd_reading(accounts)
    assert rows["what"].to_list() == ["Orders of days far ahead", "Garbled letters"]
    assert rows["how_much"].to_list()[0] == "as_of is 2026-06-30: 3 rows stand alone on later days"
    assert rows["where"].to_list() == ["ordered_at", "surveys"]


def test_nothing_odd_is_said_with_what_was_looked_for():
    none = oddities.together(oddities.odd_customers(pd.DataFrame(columns=["customer_id"])))
    assert list(none.columns) == oddities.COLUMNS
    few = oddities.describe_oddities(none, orders=1200, columns=["order_id", "channel"])
    assert few == (
        "Nothing looks odd in 1,200 orders. Looked for: days without orders, days unlike their weekday, values of "
        "channel that come or go, times at midnight or many at one second, days ahead and garbled letters."
    )
    one = oddities.together(oddities.odd_orders(odd(10.0)))
    all_ = oddities.describe_oddities(one, orders=9, columns=["customer_id", "quantity", "product_id"])
    assert all_.startswith("One thing looks odd and is to be asked about in 9 orders.")
    assert "one customer with a large share, times" in all_
    assert "prices, pieces, days ahead" in all_


def test_the_finding_counts_them():
    none, two = oddities.together(), oddities.together(*[oddities.odd_orders(odd(10.0))] * 2)
    finding = oddities.odd_things_finding(two, orders=9000)
    assert finding.sentence() == "2 things look odd in the 9,000 orders; ask about each."
    assert (finding.id, finding.quadrant()) == ("quality.odd_things", "no reference")
    assert (
        oddities.odd_things_finding(two[:1], orders=9).sentence() == "1 thing looks odd in the 9 orders; ask about it."
    )
    finding = oddities.odd_things_finding(none, orders=9000)
    assert finding.sentence() == "Nothing looks odd in the 9,000 orders."
    assert finding.action == ""


def test_an_orders_money_on_its_lines_is_asked_about():
    notes = [
        "amount: Total is the same on all lines of 30 of 30 orders of several lines. If it is the whole order's, …",
        "refund is above the line's amount on 2 of 3 lines that have one: is it the whole order's?",
    ]
    rows = oddities.odd_reading({"orders": {"notes": notes}})
    assert rows["what"].to_list() == ["One sum on all lines of an order", "More given back than was paid for"]
    assert rows["where"].to_list() == ["amount", "refund"]
    assert all(words in repeated_money.REPEATED + repeated_money.ABOVE for words in oddities.ORDERS_OWN)
