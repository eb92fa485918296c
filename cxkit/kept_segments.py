"""Which segments stay: customers by the segment of an earlier day, and who of each has ordered since."""

from datetime import date

import ibis
import pandas as pd

from cxkit.buyers import placed_orders
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.retention import compared_groups


def kept_by_segment(named: pd.DataFrame, orders: ibis.Table, *, since: date, as_of: date) -> pd.DataFrame:
    """The share of each segment of the day `since` that ordered after it, up to `as_of`.

    From: `segments.name_segments` of the customers at `since` (so that only what they did until then decides); orders
    (lines). To, by falling share: group (the segment), customers, returned (ordered since), and as
    `retention.compared`. Numbers of segments under five customers are withheld.
    What it cannot show: that the segment is why. Those who came lately and often come again by their nature.
    Raises UsageError where `since` does not lie before `as_of`.
    """
    if since >= as_of:
        raise UsageError(f"a segment's day must lie before the last day that counts; found {since} and {as_of}.")
    totals = placed_orders(orders, as_of=as_of)
    totals = totals.filter(totals.customer_id.notnull(), totals.ordered_on > ibis.literal(since))
    back = collect(totals.select("customer_id").distinct(), order_by="customer_id")["customer_id"]
    people = named[["segment"]].assign(returned=named["customer_id"].isin(set(back)))
    by = people.groupby("segment", sort=True)["returned"]
    frame = by.agg(customers="size", returned="sum").reset_index().rename(columns={"segment": "group"})
    return compared_groups(frame.astype({"customers": "int64", "returned": "int64"}))
