"""Which segments stay: the segment of an earlier day, and who ordered since."""

from datetime import date

import pandas as pd
import pytest
from hand_orders import orders

from cxkit import retention, segments
from cxkit.errors import UsageError
from cxkit.kept_segments import kept_by_segment

SINCE, AS_OF = date(2026, 3, 31), date(2026, 6, 30)


def shop():
    """Ten regulars, of whom nine order after SINCE; ten who came once, of whom one does; cancelled orders are none."""
    lines = [(f"{who}-{n}", f"{who}", f"2026-03-{10 + n}", 10.0) for who in range(10) for n in range(3)]
    lines += [(f"{who}-0", f"{who}", "2026-01-10", 10.0) for who in range(10, 20)]
    lines += [(f"{who}-9", f"{who}", "2026-04-01", 10.0) for who in (*range(9), 10)]
    lines += [("19-9", "19", "2026-07-01", 10.0), ("18-9", "18", "2026-03-31", 10.0)]
    return orders(lines)


def named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(segment=(frame["frequency"] >= 3).map({True: "regular", False: "once"}))


def test_who_ordered_since_is_counted_and_compared():
    then = named(segments.rfm(shop(), as_of=SINCE))
    found = kept_by_segment(then, shop(), since=SINCE, as_of=AS_OF).set_index("group")
    assert list(found.index) == ["regular", "once"]
    assert found.loc["regular", ["customers", "returned"]].to_list() == [10, 9]
    assert found.loc["once", ["customers", "returned"]].to_list() == [10, 1]
    assert found["reading"].to_list() == [retention.MORE, retention.FEWER]
    assert found.loc["regular", "difference"] == pytest.approx(80)


def test_small_segments_are_withheld_and_an_empty_day_gives_an_empty_table():
    then = named(segments.rfm(shop(), as_of=SINCE))
    few = then.assign(segment=["few"] * 4 + ["most"] * (len(then) - 4))
    found = kept_by_segment(few, shop(), since=SINCE, as_of=AS_OF)
    assert found["customers"].isna().all()  # the other could be worked out from it
    none = then[:0]
    empty = kept_by_segment(none, shop(), since=SINCE, as_of=AS_OF)
    assert empty.empty
    assert retention.plot_repeat_by(empty, title="x") is not None


def test_the_day_must_lie_before_the_last():
    with pytest.raises(UsageError, match=r"must lie before the last day that counts; found 2026-06-30 and 2026-06-30"):
        kept_by_segment(pd.DataFrame(), shop(), since=AS_OF, as_of=AS_OF)
