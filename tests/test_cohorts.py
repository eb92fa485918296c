from datetime import date

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import cohorts
from cxkit.errors import UsageError

LINES = [
    ("1", "anna", "2026-01-05", 10.0),
    ("2", "anna", "2026-03-05", 10.0),
    ("3", "anna", "2026-03-06", 10.0),  # twice in a month is active once
    ("4", "bohdan", "2026-01-31", 10.0),
    ("5", "bohdan", "2026-02-01", 10.0),
    ("6", "celina", "2026-03-31", 10.0),
    ("7", None, "2026-02-01", 10.0),
    ("8", "anna", "2026-04-02", 10.0),
    ("9", "dmytro", "2026-02-10", 10.0),  # cancelled: dmytro is no customer
]
STATUS = ["completed"] * 8 + ["cancelled"]


def cells(frame):
    return {
        (f"{row.cohort:%m}", row.month): None if pd.isna(row.active) else int(row.active) for row in frame.itertuples()
    }


def test_cohorts_by_hand():
    frame = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 30))
    assert cells(frame) == {
        ("01", 0): 2, ("01", 1): 1, ("01", 2): 1, ("01", 3): 1,
        ("02", 0): 0, ("02", 1): 0, ("02", 2): 0,
        ("03", 0): 1, ("03", 1): 0,
        ("04", 0): 0,
    }  # fmt: skip
    assert frame["observable"].all()
    assert frame.groupby("cohort")["customers"].first().to_list() == [2, 0, 1, 0]


def test_the_month_that_as_of_cuts_is_not_observable_and_never_zero():
    frame = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 29))
    april = pd.to_datetime(frame["cohort"]).dt.month + frame["month"] == 4
    assert (frame["observable"] == ~april).all()
    assert frame.loc[april, "active"].isna().all()
    assert frame.loc[~april, "active"].notna().all()
    shares = cohorts.retention(frame)
    assert shares.loc[april, ["value", "low", "high"]].isna().all(axis=None)
    assert cohorts.retention_curve(frame)["month"].to_list() == [0, 1, 2]


def test_orders_after_as_of_are_not_seen():
    frame = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 2, 28))
    assert cells(frame) == {("01", 0): 2, ("01", 1): 1, ("02", 0): 0}


def test_no_orders_no_cohorts():
    frame = cohorts.cohorts(orders([("1", None, "2026-02-01", 10.0)]), as_of=date(2026, 2, 28))
    assert len(frame) == 0
    assert len(cohorts.retention(frame)) == 0
    assert len(cohorts.retention_curve(frame)) == 0


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Cohorts the plain pandas way."""
    days = frame[["customer_id", "ordered_on"]].drop_duplicates()
    number = days["ordered_on"].dt.year * 12 + days["ordered_on"].dt.month - 1
    first = number.groupby(days["customer_id"]).transform("min")
    table = pd.DataFrame({"cohort": first, "month": number - first, "customer_id": days["customer_id"]})
    return table.groupby(["cohort", "month"])["customer_id"].nunique()


@pytest.mark.parametrize("days", [30, 400, 60 * 30, 61 * 31, 130 * 31])
def test_cohorts_against_a_plain_reading(days):
    """Up to 60 months fit one whole number; 130 need three."""
    frame = random_orders(np.random.default_rng(days), 300, days=days, first="2015-03-01")
    last = frame["ordered_on"].max()
    as_of = (last + pd.offsets.MonthEnd(0)).date()
    ours = cohorts.cohorts(table(frame), as_of=as_of)
    number = ours["cohort"].dt.year * 12 + ours["cohort"].dt.month - 1
    ours = ours.set_index([number.rename("number"), "month"])["active"]
    expected = plain(frame).reindex(ours.index, fill_value=0)
    assert (ours == expected).all()
    assert ours.sum() == plain(frame).sum()


def test_the_order_of_rows_does_not_matter():
    frame = random_orders(np.random.default_rng(2), 200)
    one, other = (cohorts.cohorts(table(f), as_of=date(2026, 3, 15)) for f in (frame, frame.sample(frac=1)))
    pd.testing.assert_frame_equal(one, other)


def test_retention_by_hand():
    frame = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 30))
    shares = cohorts.retention(frame).set_index(["cohort", "month"])
    january = shares.loc[pd.Timestamp("2026-01-01")]
    assert january["value"].to_list() == [1, 0.5, 0.5, 0.5]
    # Wilson for one of two
    assert january[["low", "high"]].iloc[1].to_list() == pytest.approx([0.0945, 0.9055], abs=1e-4)
    assert shares.loc[pd.Timestamp("2026-02-01"), "value"].isna().all()  # nobody came in February
    curve = cohorts.retention_curve(frame).set_index("month")
    assert curve["customers"].to_dict() == {0: 3, 1: 3, 2: 2, 3: 2}
    assert curve["active"].to_dict() == {0: 3, 1: 1, 2: 1, 3: 1}
    assert curve["cohorts"].to_dict() == {0: 2, 1: 2, 2: 1, 3: 1}


def test_pictures_hatch_what_cannot_be_observed(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    frame = cohorts.cohorts(table(random_orders(np.random.default_rng(2), 300)), as_of=date(2026, 2, 3))
    shares = cohorts.retention(frame)
    ax = cohorts.plot_retention(shares, months=20)
    hatched = sum(patch.get_hatch() is not None for patch in ax.patches)
    seen = shares[shares["observable"] & (shares["month"] >= 1)]
    columns = shares["month"].max()
    assert len(ax.texts) == len(seen)
    assert hatched == shares["cohort"].nunique() * columns - len(seen)
    assert ax.get_yticklabels()[0].get_text() == f"2025-01  ({shares['customers'].iloc[0]})"
    ax.figure.savefig(tmp_path / "retention.png")
    matplotlib.pyplot.close(ax.figure)


def later(frame):
    return {
        (f"{row.cohort:%m}", row.month): None if pd.isna(row.later) else int(row.later) for row in frame.itertuples()
    }


def test_in_that_month_or_later_by_hand():
    frame = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 30), look_ahead=1)
    # anna ordered in March and April, bohdan in February alone; after April nothing can be seen
    assert later(frame) == {
        ("01", 0): 2, ("01", 1): 2, ("01", 2): 1, ("01", 3): None,
        ("02", 0): 0, ("02", 1): 0, ("02", 2): None,
        ("03", 0): 1, ("03", 1): None,
        ("04", 0): None,
    }  # fmt: skip
    # on the last day but one April is not over: March then has no whole month after it
    cut = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 29), look_ahead=1)
    assert later(cut)[("01", 2)] is None
    assert later(cut)[("01", 1)] == 2  # though anna's order of April counts as later
    # in that month or the one after: anna's order of April does not count for February
    seen = frame[frame["later_observable"] & (frame["customers"] > 0)]
    soon = {(f"{row.cohort:%m}", row.month): row.soon for row in seen.itertuples()}
    assert soon == {("01", 0): 2, ("01", 1): 2, ("01", 2): 1, ("03", 0): 1}
    assert (frame["soon"].isna() == ~frame["later_observable"]).all()
    assert (frame["look_ahead"] == 1).all()
    three = cohorts.cohorts(orders(LINES, status=STATUS), as_of=date(2026, 4, 30))
    assert [place for place, number in later(three).items() if number is not None] == [("01", 0)]
    with pytest.raises(UsageError, match="look_ahead must be at least 1; found 0"):
        cohorts.cohorts(orders(LINES), as_of=date(2026, 4, 30), look_ahead=0)


def test_later_never_rises_and_holds_the_active():
    frame = cohorts.cohorts(table(random_orders(np.random.default_rng(5), 300)), as_of=date(2026, 1, 31))
    seen = frame[frame["later_observable"]]
    assert (seen["later"] >= seen["soon"]).all()
    assert (seen["soon"] >= seen["active"]).all()
    for _, rows in seen.groupby("cohort"):
        assert rows["later"].is_monotonic_decreasing
        assert rows["later"].iloc[0] == rows["customers"].iloc[0]


def test_groups_add_up_to_all():
    shop = table(random_orders(np.random.default_rng(6), 200))
    ids = sorted(set(shop.customer_id.execute()))
    groups = ibis.memtable(
        pd.DataFrame({"customer_id": ids, "group": ["a" if i % 3 else "b" for i in range(len(ids))]})
    )
    day = date(2026, 1, 31)
    whole = cohorts.active_months(shop, as_of=day)
    parts = cohorts.active_months(shop, as_of=day, groups=groups)
    assert whole["customers"].sum() == parts["customers"].sum() > 190
    grids = [cohorts.cohort_grid(part, as_of=day) for _, part in parts.groupby("group")]
    total = cohorts.cohort_grid(whole, as_of=day)
    for name in ("customers", "active", "later"):
        added = sum(grid.set_index(["cohort", "month"])[name].fillna(0).astype(int) for grid in grids)
        assert (added == total.set_index(["cohort", "month"])[name].fillna(0).astype(int)).all()


def test_the_calendar_by_hand():
    frame = cohorts.calendar_retention(orders(LINES, status=STATUS), as_of=date(2026, 4, 30))
    before, ever = (frame[frame["of"] == name] for name in (cohorts.BEFORE, cohorts.EVER))
    assert before["month"].dt.month.to_list() == [2, 3, 4]
    assert before["customers"].to_list() == [2, 1, 2]  # anna and bohdan; bohdan; anna and celina
    assert before["active"].to_list() == [1, 0, 1]
    assert ever["customers"].to_list() == [2, 2, 3]
    assert ever["active"].to_list() == [1, 1, 1]
    assert before["value"].to_list() == [0.5, 0, 0.5]
    cut = cohorts.calendar_retention(orders(LINES, status=STATUS), as_of=date(2026, 4, 29))
    april = cut["month"].dt.month == 4
    assert cut.loc[april, ["active", "value", "low", "high"]].isna().all(axis=None)
    assert (cut["observable"] == ~april).all()


def test_the_calendar_in_words_and_against_the_year_before():
    lines = [(f"{who}{day}", f"c{who}", day, 5.0) for who in range(100) for day in ("2025-03-05", "2026-03-05")]
    lines += [(f"a{who}", f"c{who}", "2025-04-05", 5.0) for who in range(20)]
    lines += [(f"b{who}", f"c{who}", "2026-04-05", 5.0) for who in range(60)]
    told = cohorts.calendar_in_words(cohorts.calendar_retention(orders(lines), as_of=date(2026, 4, 30)))
    assert told[0] == (
        "In 2026-04, the last whole month, 60 % of those who ordered in the month before (50–69 %, n = 100) and 60 % "
        "of all who had ordered before (50–69 %, n = 100) ordered."
    )
    assert told[1].startswith("Against 2025-04, the share of the month before's customers is higher (40 percentage")
    early = cohorts.calendar_retention(orders(LINES), as_of=date(2026, 1, 31))
    assert cohorts.calendar_in_words(early) == ["No whole month with customers known before it can be observed yet."]
    assert cohorts.describe_calendar(early).endswith("can be observed yet.")


@pytest.mark.parametrize("lines", [[], [("1", None, "2026-02-01", 10.0)], LINES])
def test_the_calendars_picture(lines):
    ax = cohorts.plot_calendar(cohorts.calendar_retention(orders(lines), as_of=date(2026, 4, 30)))
    ax.figure.canvas.draw()
    assert len(ax.texts) == (2 if lines == LINES else 1)  # the lines' names, or that there is nothing
    plt.close(ax.figure)
