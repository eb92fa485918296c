from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import cohorts

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
    curve = cohorts.plot_retention_curve(cohorts.retention_curve(frame))
    for number, axes in enumerate((ax, curve)):
        axes.figure.savefig(tmp_path / f"{number}.png")
        matplotlib.pyplot.close(axes.figure)
