"""Times by their formats: local ones, instants, Excel's days, epochs; two ways of reading one are none."""

import pandas as pd

from cxkit import engine, times

CON = engine.connect()
KYIV = "Europe/Kyiv"


def read(values, *formats, zone=KYIV, home=KYIV, type="string"):
    """Each value -> (UTC, local time), "two ways", or None."""
    table = engine.keep_frame(CON, "times", pd.DataFrame({"raw": values}), types={"raw": type})
    readings = {
        f"{k}{i}": v
        for i, f in enumerate(formats)
        for k, v in zip("ul", times.time(table.raw, f, zone=zone, home=home), strict=True)
    }
    parts = engine.barrier(table.mutate(**readings))
    utc, local, two = times.one_of([(parts[f"u{i}"], parts[f"l{i}"]) for i in range(len(formats))])
    frame = parts.select(utc=utc, local=local, two=two).to_pandas()
    return [
        "two ways" if two else None if pd.isna(utc) else (str(utc), str(local))
        for utc, local, two in frame.itertuples(index=False)
    ]


def locals_of(values, *formats, **more):
    return [found if found in (None, "two ways") else found[1] for found in read(values, *formats, **more)]


def test_iso_with_offsets_of_every_form_in_one_column():
    values = [
        "2024-03-01T10:00:00Z", "2024-03-01 10:00 UTC", "2024-03-01T12:00:00+02:00", "2024-03-01 12:00:00 +0200",
        "2024-03-01T12:00:00.000+02", "2024-03-01 12:00", "2024-03-01T06:30:00-03:30",
    ]  # fmt: skip
    assert read(values, "iso") == [("2024-03-01 10:00:00", "2024-03-01 12:00:00")] * len(values)
    assert (
        read(["2024-03-01T10:00:00+99:00", "2024-03-01T10:00:00+15:00", "2024-02-30", "20240301"], "iso") == [None] * 4
    )


def test_offsets_of_every_form_by_a_pattern():
    values = [f"01.03.2024 {t}" for t in ("12:00 +02:00", "12:00 +0200", "12:00 +02", "10:00 Z", "10:00 UTC")]
    assert read(values, "%d.%m.%Y %H:%M %z") == [("2024-03-01 10:00:00", "2024-03-01 12:00:00")] * 5
    assert read(["01.03.2024 12:00 +99:00", "01.03.2024 12:00"], "%d.%m.%Y %H:%M %z") == [None, None]
    named = ["01.03.2024 10:00 UTC", "01.03.2024 11:00 Europe/Warsaw", "01.03.2024 11:00 Nowhere"]
    assert read(named, "%d.%m.%Y %H:%M %Z") == [("2024-03-01 10:00:00", "2024-03-01 12:00:00")] * 2 + [None]


def test_the_clocks_skip_an_hour_and_have_one_twice():
    found = read(["2024-03-31 02:59", "2024-03-31 03:30", "2024-03-31 04:00", "2024-10-27 03:30"], "iso")
    assert [utc for utc, _ in found] == [
        "2024-03-31 00:59:00", "2024-03-31 01:30:00", "2024-03-31 01:00:00", "2024-10-27 01:30:00",
    ]  # fmt: skip


def test_excels_days_with_fractions():
    values = ["45352", "45352.5", "45352,4166666667", "45352.99999999", "43890"]
    assert locals_of(values, "excel") == [
        "2024-03-01 00:00:00", "2024-03-01 12:00:00", "2024-03-01 10:00:00", "2024-03-01 23:59:59.999000",
        "2020-02-29 00:00:00",  # a workbook that counts from 1904 would mean 2024-03-01: nobody can tell
    ]  # fmt: skip
    assert read(["1", "0", "-5", "109575", "1e5", "45 352", "2024-03-01", None], "excel") == [None] * 8
    assert locals_of([45352.25, float("nan"), 1e300], "excel", type="float64") == ["2024-03-01 06:00:00", None, None]


def test_epochs_of_three_units_never_pass_for_one_another():
    values = [
        "1719792000",
        "1719792000.5",
        "1719792000123",
        "1719792000123456",
        "0",
        "1.7e9",
        "45352",
        "17197920001234567890",
    ]
    utc = [found and found[0] for found in read(values, "epoch_s", "epoch_ms", "epoch_us", "excel")]
    assert utc == [
        "2024-07-01 00:00:00", "2024-07-01 00:00:00.500000", "2024-07-01 00:00:00.123000",
        "2024-07-01 00:00:00.123456", None, None, "2024-02-29 22:00:00", None,
    ]  # fmt: skip
    assert read([1719792000, 1719792000123], "epoch_ms", type="int64")[0] is None
    assert read([1719792000.5], "epoch_s", type="float64") == [
        ("2024-07-01 00:00:00.500000", "2024-07-01 03:00:00.500000")
    ]


def test_what_two_formats_read_differently_is_not_read():
    values = ["01/02/2024", "13/02/2024", "02/13/2024", "05/05/2024", "31/31/2024"]
    wanted = ["two ways", "2024-02-13 00:00:00", "2024-02-13 00:00:00", "2024-05-05 00:00:00", None]
    assert locals_of(values, "%d/%m/%Y", "%m/%d/%Y") == wanted
    assert locals_of(values, "%m/%d/%Y", "%d/%m/%Y") == wanted
    assert locals_of(["050624"], "%d%m%y", "excel") == ["two ways"]
    assert locals_of(["2024-03-01T10:00:00Z", "1709287200"], "iso", "epoch_s") == ["2024-03-01 12:00:00"] * 2


def test_years_of_two_digits():
    assert locals_of(["01/02/24", "01/02/2024", "01/02/99"], "%d/%m/%y", "%d/%m/%Y") == [
        "2024-02-01 00:00:00", "2024-02-01 00:00:00", "1999-02-01 00:00:00",
    ]  # fmt: skip
    assert read(["01/02/24"], "%d/%m/%Y") == [None]  # the year 24


def test_an_exports_own_zone_and_the_clients_local_day():
    found = read(["2024-03-01 23:30", "2024-03-01T23:30:00Z"], "iso", zone="UTC")
    assert found == [("2024-03-01 23:30:00", "2024-03-02 01:30:00")] * 2
    assert read(["2024-04-26 00:30"], "iso", zone="Africa/Cairo") == [("2024-04-25 22:30:00", "2024-04-26 01:30:00")]


def test_numbers_that_are_days():
    assert locals_of([20240301.0], "%Y%m%d", type="float64") == ["2024-03-01 00:00:00"]


def test_so_long_after_another_time():
    """Ninety minutes from 2:00 end at 4:30 by the clocks, which skip the hour from three to four."""
    frame = pd.DataFrame({"raw": ["2024-03-31 02:00"] * 5, "minutes": [90.5, 0, -1, 1e300, None]})
    table = engine.keep_frame(CON, "after", frame, types={"raw": "string", "minutes": "float64"})
    utc, _ = times.time(table.raw, "iso", zone=KYIV)
    found = table.select(local=times.after(utc, table.minutes, home=KYIV)[1]).to_pandas().local
    told = [None if pd.isna(local) else str(local) for local in found]
    assert told == ["2024-03-31 04:30:30", "2024-03-31 02:00:00", None, None, None]
