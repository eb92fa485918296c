from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_orders import orders, random_orders, table

from cxkit import new_and_known
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown

DAY = date(2026, 3, 31)


def test_by_hand():
    lines = [
        ("1", "anna", "2026-01-05", 10.0),
        ("2", "anna", "2026-01-05", 5.0),  # the same day: still new
        ("3", "anna", "2026-01-06", 20.0),
        ("4", "anna", "2026-03-06", 7.0),
        ("5", "bohdan", "2026-03-10", 3.0),
        ("6", None, "2026-03-11", 100.0),
    ]
    shop = orders(lines, refund=[0.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    frame = new_and_known.new_and_known(shop, as_of=DAY, burn_in_days=30)
    assert frame["month"].dt.month.to_list() == [1, 2, 3]
    assert frame["new_orders"].to_list() == [2, 0, 1]
    assert frame["known_orders"].to_list() == [1, 0, 1]
    assert frame["new_revenue"].to_list() == [15.0, 0.0, 3.0]
    assert frame["known_revenue"].to_list() == [18.0, 0.0, 7.0]
    assert frame["guest_revenue"].to_list() == [0.0, 0.0, 100.0]
    assert frame["n"].to_list() == [1, 0, 2]
    assert frame["value"].isna().all()  # fewer than five customers
    assert frame["settled"].to_list() == [False, False, True]  # 30 days after 5 January is 4 February


def test_money_adds_up_and_the_share_is_the_ratio_of_sums():
    raw = random_orders(np.random.default_rng(4), 400)
    as_of = date(2026, 1, 31)
    frame = new_and_known.new_and_known(table(raw), as_of=as_of, burn_in_days=0)
    inside = raw[raw["ordered_on"] <= pd.Timestamp(as_of)]
    assert frame["new_revenue"].sum() + frame["known_revenue"].sum() == pytest.approx(inside["amount"].sum())
    first = inside.groupby("customer_id")["ordered_on"].transform("min")
    known = inside[inside["ordered_on"] > first]["amount"].sum()
    share, change = new_and_known.known_share(table(raw), as_of=as_of, months=13, burn_in_days=0)
    assert share.value == pytest.approx(known / inside["amount"].sum())
    assert share.n == inside["customer_id"].nunique()
    last, early = frame.iloc[-6:], frame.iloc[:6]
    gap = [f["known_revenue"].sum() / (f["known_revenue"].sum() + f["new_revenue"].sum()) for f in (last, early)]
    assert change.value == pytest.approx(100 * (gap[0] - gap[1]))
    assert new_and_known.trend(change) == "rises"
    assert "may be the data's begin" in new_and_known.known_in_words(share, change)[-1]


def test_the_order_of_rows_does_not_matter():
    raw = random_orders(np.random.default_rng(4), 200)
    shops = [table(frame) for frame in (raw, raw.sample(frac=1, random_state=2))]
    one, other = (new_and_known.new_and_known(shop, as_of=date(2026, 1, 31)) for shop in shops)
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    one, other = (new_and_known.known_share(shop, as_of=date(2026, 1, 31)) for shop in shops)
    assert one == other


def test_too_short():
    shop = orders([("1", "anna", "2026-03-05", 10.0)])
    share, change = new_and_known.known_share(shop, as_of=DAY)
    assert share.method == change.method == "no whole month begins 90 days or more after the data do"
    assert "too early to say" in new_and_known.known_in_words(share, change)[0]
    assert new_and_known.new_and_known(shop, as_of=date(2026, 3, 20)).empty
    share, change = new_and_known.known_share(shop, as_of=date(2026, 4, 30), burn_in_days=0)
    assert not share.known


def test_settings_are_checked():
    shop = orders([("1", "anna", "2026-03-05", 10.0)])
    with pytest.raises(UsageError, match="burn_in_days must be 0 or more; found -1"):
        new_and_known.new_and_known(shop, as_of=DAY, burn_in_days=-1)
    with pytest.raises(UsageError, match="months must be at least 2; found 1"):
        new_and_known.known_share(shop, as_of=DAY, months=1)


def test_from_whom_the_shop_lives():
    change = Estimate(-3.0, -5.0, -1.0, 90, "points", 0.95, "x")
    told = {
        "from the customers it has": Estimate(0.7, 0.6, 0.8, 90, "share", 0.95, "x"),
        "from new customers": Estimate(0.3, 0.2, 0.4, 90, "share", 0.95, "x"),
        "too close": Estimate(0.5, 0.4, 0.6, 90, "share", 0.95, "x"),
    }
    for words, share in told.items():
        texts = new_and_known.known_in_words(share, change)
        assert words in texts[0]
        assert texts[1].endswith("−3 percentage points (−5.00 to −1.00): falls.")
    assert "too early to say (no)" in new_and_known.known_in_words(share, unknown("points", method="no"))[1]
    finding = new_and_known.known_finding(told["from new customers"])
    assert "S2" not in finding.action
    assert finding.sentence().startswith("Customers who had bought before bring 30 % of what customers spend")


def test_the_picture_and_its_words():
    import matplotlib

    matplotlib.use("Agg")
    frame = new_and_known.new_and_known(table(random_orders(np.random.default_rng(4), 200)), as_of=date(2026, 1, 31))
    ax = new_and_known.plot_new_and_known(frame)
    assert ax.get_ylim() == (0, 1)
    assert "hollow" in ax.get_xlabel()
    assert new_and_known.describe_new_and_known(frame).endswith(
        f"{frame['value'].iloc[-1]:.0%} in 2026-01.".replace("%", " %")
    )
    new_and_known.plot_new_and_known(frame[:0])
    assert "no month can be judged yet" in new_and_known.describe_new_and_known(frame[:0])
    matplotlib.pyplot.close("all")
