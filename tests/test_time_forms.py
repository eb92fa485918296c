from datetime import datetime

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxkit import engine, times
from cxkit.time_forms import number_times, shown, time_form


def form(*texts):
    return time_form(dict.fromkeys(texts, 1))


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (("2024-03-01", "2024-03-01 10:00:00"), ("iso",)),
        (("2025-01-05 10:00:00 -0500",), ("iso",)),
        (("31.01.2024 7:05",), ("%d.%m.%Y %H:%M",)),
        (("1/31/24",), ("%m/%d/%y",)),
        (("11/21/2019 2:30:36 PM",), ("%m/%d/%Y %I:%M:%S %p",)),
        (("2024/1/5",), ("%Y/%m/%d",)),
        (("5 Jan 2024 10:00",), ("%d %b %Y %H:%M",)),
        (("January 5, 2024",), ("%B %d, %Y",)),
        (("31.01.2024 10:00:00 +02:00",), ("%d.%m.%Y %H:%M:%S %z",)),
    ],
)
def test_the_format_of_times(texts, formats):
    found = form(*texts)
    assert (found.formats, found.ambiguous, found.readable) == (formats, (), len(texts))


def test_one_day_past_the_twelfth_tells_the_order_of_all():
    found = form("01/02/2024", "02/02/2024", "13/02/2024")
    assert found.formats == ("%d/%m/%Y",)
    assert (found.day_first, found.month_first) == (1, 0)


def test_days_up_to_the_twelfth_tell_nothing():
    found = form("01/02/2024", "02/03/2024")
    assert found.formats == ()
    assert found.ambiguous == ("%d/%m/%Y", "%m/%d/%Y")
    assert found.readable == 2


def test_both_orders_in_one_column_are_open():
    found = form("13/02/2024", "02/13/2024")
    assert found.ambiguous
    assert (found.day_first, found.month_first) == (1, 1)


def test_a_year_of_two_digits_may_stand_at_either_end():
    found = form("26-01-15", "26-02-20", "25-12-28")
    assert found.formats == ()
    assert found.ambiguous == ("%y-%m-%d", "%d-%m-%y")
    assert (found.readable, found.day_first) == (3, 0)  # so that it proves nothing for another column
    clocked = form("06-01-05 10:00", "07-02-03 11:00")
    assert clocked.ambiguous == ("%y-%m-%d %H:%M", "%d-%m-%y %H:%M", "%m-%d-%y %H:%M")


def test_days_that_differ_more_than_years_stand_first():
    assert form("13-01-26", "14-02-26", "15-03-26", "16-03-25").formats == ("%d-%m-%y",)
    assert form("01/31/26", "02/28/26").formats == ("%m/%d/%y",)  # no month beyond the twelfth
    assert form("15.01.99", "16.01.99").formats == ("%d.%m.%y",)


def test_a_first_part_that_is_no_day_is_the_year():
    assert form("99-12-28", "98-11-27").formats == ("%y-%m-%d",)


def test_no_dates():
    assert form("30.02.2024", "2024-13-01", "1.2.3", "32/32/2024", "10:00").readable == 0


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1704067200", "1704067260"), "epoch_s"),
        (("1704067200000",), "epoch_ms"),
        (("1704067200000000",), "epoch_us"),
        (("45292", "45292.5"), "excel"),
        (("20240101", "20241231"), "%Y%m%d"),
        (("20241301",), None),
        (("17850", "1"), None),
        ((), None),
    ],
)
def test_numbers_that_could_be_times(texts, expected):
    assert number_times(dict.fromkeys(texts, 1)) == expected


def test_epochs_among_other_times_are_times_and_alone_are_numbers():
    assert form("2024-12-10T00:01:29.378Z", "1733788800000").formats == ("epoch_ms", "iso")
    assert form("1733788800000").readable == 0


def test_formats_as_people_write_them():
    assert shown("%d.%m.%Y %H:%M") == "dd.mm.yyyy hh:mm"
    assert shown("%m/%d/%y %I:%M:%S %p") == "mm/dd/yy hh:mm:ss am/pm"


PATTERNS = ["%d.%m.%Y %H:%M", "%m/%d/%Y", "%d-%m-%y", "%y-%m-%d", "%Y/%m/%d %H:%M:%S", "%d %b %Y", "%m/%d/%Y %I:%M %p"]


@given(st.sampled_from(PATTERNS), st.lists(st.datetimes(datetime(2001, 1, 1), datetime(2068, 1, 1)), min_size=1))
def test_what_a_pattern_wrote_the_format_that_is_found_reads(pattern, times):
    found = form(*(t.strftime(pattern) for t in times))
    assert found.readable == len({t.strftime(pattern) for t in times})
    assert pattern in (*found.formats, *found.ambiguous)


def test_the_door_reads_what_is_proposed():
    con = engine.connect()
    texts = [(datetime(2024, 3, 25, 14, 5).strftime(pattern), pattern) for pattern in PATTERNS]
    for text, pattern in texts:
        found = form(text)
        assert pattern in (found.formats or found.ambiguous)
        read = con.execute(times.parse_time(ibis.literal(text), pattern))
        assert (read.year, read.month, read.day) == (2024, 3, 25)
