"""What orders hold that chance does not explain: a customer unlike all others, words that come or go, many orders at
one moment, prices and pieces far off."""

from datetime import date
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd

from cxkit.buyers import NEEDED, PLACES, customer_totals
from cxkit.engine import collect
from cxkit.tables import counted_lines, order_totals

BY_CHANCE = 0.01  # how many calls of one kind a whole period may have by chance
LARGE_SHARE = 0.10  # of orders or revenue: from here on one customer weighs
TIMES_THE_NEXT = 3  # and is unlike the others where he has so many times the share of the largest below it
LEAST_CUSTOMERS = 50
WORDS = ("status", "channel", "payment", "delivery")
MOST_WORDS = 100  # a column with more different values is no list of words
EMPTY = "(empty)"
GONE_DAYS = 30  # a word is gone when it has been silent for so long
OPEN_SECONDS = 4 * 3600  # a day's orders at their densest: all within four hours
LEAST_AT_ONCE = 5
FAR = 10  # so many times the usual price or pieces are far off
LEAST_LINES = 5  # of a product, for its median price to mean anything
LEAST_BELOW = 10  # lines far below the usual price


def dominant_customers(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Customers with at least a tenth of all customers' orders or revenue who are unlike every other.

    To, the larger share first: customer_id, measure (orders, revenue), share, next_share (the largest share below a
    tenth). Unlike is who has three times that share or more; below fifty customers nobody is judged.
    What is left out: orders without a customer.
    """
    totals = customer_totals(orders, as_of=as_of).filter(ibis._.customer_id.notnull())
    sums = totals.aggregate(
        customers=totals.count(), orders=totals.orders.sum(), revenue=totals.revenue.sum().round(PLACES)
    )
    whole = collect(sums, order_by="customers").iloc[0]
    found = []
    for measure in ("orders", "revenue"):
        if whole["customers"] < LEAST_CUSTOMERS or not (whole[measure] or 0) > 0:
            continue
        ranked = totals.mutate(rank=ibis.row_number().over(order_by=[ibis.desc(measure), "customer_id"]))
        top = collect(ranked.filter(ranked["rank"] < 2 / LARGE_SHARE), order_by="rank")
        share = top[measure] / whole[measure]
        others = share[share < LARGE_SHARE].max()
        large = (share >= LARGE_SHARE) & (share >= TIMES_THE_NEXT * others)  # false where there are no others
        rows = pd.DataFrame({"customer_id": top["customer_id"], "share": share})[large]
        found.append(rows.assign(measure=measure, next_share=others))
    columns = ["customer_id", "measure", "share", "next_share"]
    frame = pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
    return frame.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def words_seen(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Every value of status, channel, payment and delivery: since when, until when, and whether chance explains it.

    To: column, value ("(empty)" where nothing stands), orders, days (on which it was seen), first_on, last_on,
    new_by_chance, gone_by_chance (how many values of these columns would begin so late, or end so early, by chance).
    Were a value spread at random over the orders, it would be seen in the share s of them that were placed since its
    first day with the chance s^k, k the number of its orders; k is here the number of its days, which is less, so that
    one customer's many orders count once a day. The chance is multiplied by the number of values and of both ends.
    What is left out: columns with over a hundred different values. Cancelled orders are in.
    """
    lines = orders.filter(orders.ordered_on <= ibis.literal(as_of))
    per_day = lines.group_by("ordered_on").aggregate(orders=lines.order_id.nunique())
    daily = collect(per_day, order_by="ordered_on")
    days, counts = pd.to_datetime(daily["ordered_on"]), daily["orders"].cumsum().to_numpy()
    frames = [_spans(lines, column) for column in WORDS if column in lines.columns]
    columns = ["column", "value", "orders", "days", "first_on", "last_on"]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    frame = frame.assign(**{c: pd.to_datetime(frame[c]) for c in ("first_on", "last_on")})
    if frame.empty:
        return frame.assign(new_by_chance=pd.Series(dtype=float), gone_by_chance=pd.Series(dtype=float))
    before = np.concatenate([[0], counts])[days.searchsorted(frame["first_on"])]
    until = counts[days.searchsorted(frame["last_on"])]
    tests, seen = 2 * len(frame), frame["days"].to_numpy(dtype=float)
    return frame.assign(
        new_by_chance=tests * (1 - before / counts[-1]) ** seen, gone_by_chance=tests * (until / counts[-1]) ** seen
    )


def _spans(lines: ibis.Table, column: str) -> pd.DataFrame:
    """One column's values: column, value, orders, days, first_on, last_on; none where they are no list of words."""
    named = lines.mutate(value=lines[column].cast("string").fill_null(EMPTY))
    sums = named.group_by("value").aggregate(
        orders=named.order_id.nunique(),
        days=named.ordered_on.nunique(),
        first_on=named.ordered_on.min(),
        last_on=named.ordered_on.max(),
    )
    frame = collect(sums.order_by("value").limit(MOST_WORDS + 1), order_by="value")
    frame = frame.sort_values(["orders", "value"], ascending=[False, True])
    frame.insert(0, "column", column)
    return frame[:0] if len(frame) > MOST_WORDS else frame


def moments(orders: ibis.Table, *, as_of: date, time_zone: str) -> pd.DataFrame:
    """Each day's orders at midnight, and the second of the day with most orders.

    To, by day: day, orders, at_midnight (local), at_utc_midnight, on_the_minute (orders whose time has no seconds),
    most (orders at one second), most_at (local time, the first such second), at_once_by_chance (how many such seconds
    the whole period would have by chance, were each day's orders spread at random over four hours; where no time has
    seconds, minutes take their place).
    """
    totals = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    totals = totals.filter(totals.ordered_on <= ibis.literal(as_of)).mutate(at=totals.ordered_at.truncate("s"))
    each = totals.group_by("ordered_on", "at").aggregate(orders=totals.count())
    early = each.orders * 10**11 - each.at.epoch_seconds()  # the earliest of those with most orders
    by_day = each.group_by(day="ordered_on").aggregate(
        orders=each.orders.sum(),
        first_at=each["at"].min(),
        at_first=each.orders.argmin(each["at"]),
        at_utc_midnight=each.orders.sum(where=each["at"] == each["at"].truncate("D")).fill_null(0),
        on_the_minute=each.orders.sum(where=each["at"].second() == 0).fill_null(0),
        most=each.orders.max(),
        most_at=each["at"].argmax(early),
    )
    frame = collect(by_day, order_by="day")
    zone = ZoneInfo(time_zone)
    day = pd.to_datetime(frame["day"])
    midnight = day.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    at_midnight = (frame["first_at"] == midnight.dt.tz_localize(None)).to_numpy()
    local = pd.to_datetime(frame["most_at"]).dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    frame = frame.assign(day=day, at_midnight=np.where(at_midnight, frame["at_first"], 0), most_at=local)
    columns = ["day", "orders", "at_midnight", "at_utc_midnight", "on_the_minute", "most", "most_at"]
    return frame[columns].assign(at_once_by_chance=_at_once(frame))


def _at_once(frame: pd.DataFrame) -> np.ndarray:
    """How often a whole period would have so many orders at one moment; 1 where that moment is midnight."""
    from scipy.special import pdtrc

    if frame.empty:
        return np.empty(0)
    step = 60 if frame["on_the_minute"].sum() >= 0.99 * frame["orders"].sum() else 1
    most = frame["most"].to_numpy(dtype=float)
    rest = frame["orders"].to_numpy(dtype=float)
    chance = OPEN_SECONDS / step * pdtrc(most - 1, rest * step / OPEN_SECONDS) * len(frame)
    local = frame["most_at"]
    return np.where(local == local.dt.normalize(), 1.0, chance)


def far_off(orders: ibis.Table, *, as_of: date) -> pd.DataFrame:
    """Order lines whose price or pieces are far from the usual.

    To, one row a measure and direction with any: measure (price, pieces), direction (more, fewer), lines, of (lines
    judged), farthest (the value farthest off), usual (for it), product_id, day (of that line).
    A price (amount by piece) is far off at ten times the median of its product's lines or a tenth of it, in products
    of at least five lines; where this shop's prices lie wide about their medians, further out than one line in a
    hundred such shops would lie. Far below it, ten lines are needed. Pieces are far off at ten times what 99 of 100
    lines have at most.
    What is left out: cancelled lines; without product and pieces there is nothing to judge.
    """
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines.ordered_on <= ibis.literal(as_of))
    found = []
    if "quantity" in lines.columns:
        lines = lines.filter(lines.quantity > 0)
        if "product_id" in lines.columns:
            found += _far_prices(lines)
        found += _far_pieces(lines)
    columns = ["measure", "direction", "lines", "of", "farthest", "usual", "product_id", "day"]
    return pd.DataFrame(found, columns=columns)


def _far_prices(lines: ibis.Table) -> list[dict]:
    priced = lines.filter(lines.product_id.notnull()).mutate(price=lines.amount / lines.quantity)
    usual = priced.group_by("product_id").aggregate(usual=priced.price.median(), sold=priced.count())
    priced = priced.join(usual.filter(usual.sold >= LEAST_LINES), "product_id")
    more = priced.mutate(off=priced.price / priced.usual)
    fewer = priced.mutate(off=priced.usual / priced.price)
    found = []
    for direction, off in {"more": more, "fewer": fewer}.items():
        whole = off.aggregate(lines=off.count(), inner=off.off.quantile(0.75), outer=off.off.quantile(0.95))
        row = collect(whole, order_by="lines").iloc[0]
        if row["lines"]:
            least = _least(int(row["lines"]), np.log(max(row["inner"], 1.0)), np.log(max(row["outer"], 1.0)))
            found += _farthest(off, priced, measure="price", direction=direction, value="price", least=least)
    # a line for next to nothing weighs nothing; many of them are a fault or a habit
    return [row for row in found if row["direction"] == "more" or row["lines"] >= LEAST_BELOW]


def _least(lines: int, inner: float, outer: float) -> float:
    """How far off the usual a price must be: ten times, and beyond what this shop's own prices reach by chance.

    From: the logarithms of the ratios that 75 and 95 of 100 lines stay below. Their tail goes on as an exponential; up
    to one line in twenty may be wrong without hiding the others.
    """
    decay = (outer - inner) / np.log(0.25 / 0.05)
    reach = outer + decay * max(np.log(0.05 * lines / BY_CHANCE), 0.0)
    return max(FAR, float(np.exp(min(reach, 50.0))))


def _far_pieces(lines: ibis.Table) -> list[dict]:
    whole = lines.aggregate(lines=lines.count(), usual=lines.quantity.quantile(0.99))
    row = collect(whole, order_by="lines").iloc[0]
    if row["lines"] < 100:
        return []
    usual = max(float(row["usual"]), 1.0)
    named = lines if "product_id" in lines.columns else lines.mutate(product_id=ibis.literal(""))
    off = named.mutate(off=named.quantity / usual, usual=ibis.literal(usual))
    return _farthest(off, lines, measure="pieces", direction="more", value="quantity", least=FAR)


def _farthest(
    off: ibis.Table, judged: ibis.Table, *, measure: str, direction: str, value: str, least: float
) -> list[dict]:
    """The lines at `least` times the usual or more as one row; none where there are none. `off`: how many times."""
    far = off.filter(off.off >= least)
    worst = far.mutate(rank=ibis.row_number().over(order_by=[ibis.desc("off"), "order_id", "product_id"]))
    rows = collect(worst.filter(worst["rank"] < 1), order_by="rank")
    if rows.empty:
        return []
    sums = collect(far.aggregate(lines=far.count()), order_by="lines").iloc[0]
    of = collect(judged.aggregate(lines=judged.count()), order_by="lines").iloc[0]
    first = rows.iloc[0]
    return [
        {
            "measure": measure,
            "direction": direction,
            "lines": int(sums["lines"]),
            "of": int(of["lines"]),
            "farthest": float(first[value]),
            "usual": float(first["usual"]),
            "product_id": first["product_id"],
            "day": pd.Timestamp(first["ordered_on"]),
        }
    ]
