"""What looks odd in a client's data, in words: what, where, how much, and what to ask the client."""

from collections.abc import Iterable, Mapping

import pandas as pd

from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.style import format_value

COLUMNS = ["what", "where", "how_much", "ask", "kind"]
LISTED = 3  # days that stand one by one; more of them are one row
BY_CHANCE = 0.01
GONE_DAYS = 30
NEAR_DAYS = 7  # a word that begins so soon after another ends may be its new name
ALL = 0.99  # nearly all of the orders
LEAST_AT_MIDNIGHT = 10
DENSE = 5  # midnight may have so many times the orders of another second
ALONE = "stand alone on later days"  # what the door notes of days far after the others
GARBLED = ("look like", "replacement character", "control characters")  # what the door notes of broken encodings


# what the door notes of an order's money that stands on its lines
ORDERS_OWN = {
    "is the same on all lines of": (
        "One sum on all lines of an order",
        "Is this the line's money or the whole order's? The order's is shared out over its lines (share).",
    ),
    "is above the line's amount on": (
        "More given back than was paid for",
        "Is the refund the whole order's, or does it hold the delivery's cost?",
    ),
}


def _frame(rows: Iterable[tuple[str, str, str, str]], kind: str) -> pd.DataFrame:
    return pd.DataFrame([(*row, kind) for row in rows], columns=COLUMNS, dtype=object)


def _named(texts: list[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(texts) - LISTED:,} more" if len(texts) > LISTED else ""
    return "; ".join(texts[:LISTED]) + more


def odd_customers(found: pd.DataFrame) -> pd.DataFrame:
    """From: `unusual.dominant_customers`. To: what, where, how_much, ask, kind; one row a customer."""
    rows = []
    for customer, mine in found.groupby("customer_id", sort=False):
        shares = [f"{format_value(r.share, 'share')} of customers' {r.measure}" for r in mine.itertuples()]
        nxt = format_value(mine["next_share"].max(), "share")
        rows.append(
            (
                "One customer is unlike all others",
                f"customer {customer}",
                f"{' and '.join(shares)}; the next has at most {nxt}",
                "Is this a company, a till, a test account, or what is written where the customer is not known?",
            )
        )
    return _frame(rows, "customers")


def odd_silences(gaps: pd.DataFrame) -> pd.DataFrame:
    """From: `rhythm.gaps`. To: as `odd_customers`; a run of days each, one row for all where there are many."""
    silent = gaps[gaps["unusual"]].sort_values("first_day", kind="stable")
    ask = "Was the shop closed, or does the export lack these days?"
    spans = [
        f"{r.first_day:%Y-%m-%d}" + (f" to {r.last_day:%Y-%m-%d}" if r.days > 1 else "") for r in silent.itertuples()
    ]
    much = [
        f"{_days(r.days)}; they usually bring about {max(r.expected_orders, 1):,.0f} orders"
        for r in silent.itertuples()
    ]
    if len(spans) > LISTED:
        days, missed = int(silent["days"].sum()), silent["expected_orders"].sum()
        return _frame(
            [
                (
                    f"{len(spans):,} times no orders at all",
                    _named(spans),
                    f"{_days(days)} in all; they usually bring about {missed:,.0f} orders",
                    ask,
                )
            ],
            "silences",
        )
    return _frame([("No orders at all", s, m, ask) for s, m in zip(spans, much, strict=True)], "silences")


def _days(number: int) -> str:
    return f"{number:,} day" + ("s" if number != 1 else "")


def odd_orders(odd: pd.DataFrame) -> pd.DataFrame:
    """From: `rhythm.odd_days`. To: as `odd_customers`; a day each, one row a direction where there are many."""
    rows = []
    for direction, ask in {
        "more": "What happened: a campaign, a holiday, or an import that ran twice?",
        "fewer": "What happened: a fault of the site, a holiday, or an export cut short?",
    }.items():
        days = odd[odd["direction"] == direction]
        what = f"Far {direction} orders than that weekday usually brings"
        told = [
            (f"{r.day:%Y-%m-%d}", f"{r.orders:,} orders, {r.usual:,.0f} are usual ({r.times:.2g} times)")
            for r in days.itertuples()
        ]
        if len(told) > LISTED:
            farthest = days.sort_values(["times", "day"], ascending=[direction == "fewer", True], kind="stable")
            where = [f"{r.day:%Y-%m-%d} ({r.times:.2g} times the usual)" for r in farthest.itertuples()]
            rows.append((what, _named(where), f"{len(told):,} days", ask))
        else:
            rows += [(what, day, much, ask) for day, much in told]
    return _frame(rows, "days")


def odd_words(words: pd.DataFrame, *, as_of: pd.Timestamp, lately_days: int) -> pd.DataFrame:
    """From: `unusual.words_seen`. To: as `odd_customers`; values first seen in the last `lately_days` days, gone for
    30 days or more, or ending where another begins; only what chance does not explain."""
    last = pd.Timestamp(as_of)
    begins = words[words["new_by_chance"] < BY_CHANCE]
    ends = words[(words["gone_by_chance"] < BY_CHANCE) & (words["last_on"] <= last - pd.Timedelta(days=GONE_DAYS))]
    rows, renamed = [], set()
    for old in ends.itertuples():
        apart = (begins["first_on"] - old.last_on).dt.days
        heirs = begins[(begins["column"] == old.column) & (apart.abs() <= NEAR_DAYS)]
        if len(heirs) == 1 and (new := heirs.iloc[0])["value"] != old.value:
            renamed |= {(old.column, old.value), (old.column, new["value"])}
            rows.append(
                (
                    "One value ends where another begins",
                    f"{old.column}: {old.value}, then {new['value']}",
                    f"until {old.last_on:%Y-%m-%d} ({old.orders:,} orders), from {new['first_on']:%Y-%m-%d} "
                    f"({new['orders']:,} orders)",
                    "Is it the same under a new name? Then map both to one word under values in client.yml.",
                )
            )
    lately = begins[begins["first_on"] > last - pd.Timedelta(days=lately_days)]
    for new in lately.itertuples():
        if (new.column, new.value) not in renamed:
            much = f"first seen {new.first_on:%Y-%m-%d}; {new.orders:,} orders since"
            ask = "What is it, and does it take the place of another?"
            rows.append(("A value never seen before", f"{new.column}: {new.value}", much, ask))
    for old in ends.itertuples():
        if (old.column, old.value) not in renamed:
            much = f"last seen {old.last_on:%Y-%m-%d}; {old.orders:,} orders until then"
            ask = "Was it given up, renamed, or is it no longer exported (or not yet, as returns are)?"
            rows.append(("A value no longer seen", f"{old.column}: {old.value}", much, ask))
    return _frame(rows, "words")


def odd_moments(moments: pd.DataFrame) -> pd.DataFrame:
    """From: `unusual.moments`. To: as `odd_customers`; orders at midnight, and many at one second."""
    from scipy.special import pdtrc

    total = int(moments["orders"].sum())
    if not total:
        return _frame([], "times")
    rows, slot = [], 60 if moments["on_the_minute"].sum() >= ALL * total else 1
    expected = total * DENSE * slot / 86_400
    places = {"at_midnight": "00:00:00", "at_utc_midnight": "00:00:00 of another time zone (UTC)"}
    for column, place in places.items():
        number = int(moments[column].sum())
        if number < LEAST_AT_MIDNIGHT or pdtrc(number - 1, expected) >= BY_CHANCE:
            continue
        share = f"{number:,} orders ({format_value(number / total, 'share')}) at {place}"
        if number >= ALL * total:
            what = "Orders have a day and no hour"
            ask = "Can the export give the time of day? Without it nothing is said of hours, or of what came first."
        else:
            what = "Part of the orders stand at midnight"
            ask = "Are these orders of another source, which gives the day alone?"
        if column == "at_utc_midnight":
            ask = "In which time zone are the export's times? Mend time_zone in client.yml where it is another."
        rows.append((what, "ordered_at", share, ask))
        break  # where the client's own zone is UTC, both are the same
    if moments["at_midnight"].sum() < ALL * total and moments["at_utc_midnight"].sum() < ALL * total:
        many = moments[(moments["at_once_by_chance"] < BY_CHANCE) & (moments["most"] >= 5)]
        many = many.sort_values(["most", "day"], ascending=[False, True], kind="stable")
        where = [f"{r.most_at:%Y-%m-%d %H:%M:%S} ({r.most:,} orders)" for r in many.itertuples()]
        if where:
            ask = "Were these orders imported, or entered by hand later? Then their times are not the customers'."
            rows.append(("Many orders at one moment", _named(where), f"on {_days(len(where))}", ask))
    return _frame(rows, "times")


def odd_lines(far: pd.DataFrame) -> pd.DataFrame:
    """From: `unusual.far_off`. To: as `odd_customers`; a row a measure and direction."""
    asks = {
        "price": "Is a decimal mark misread, is the price of a pack or of another currency, or was it a gift?",
        "pieces": "Is it a wholesale order, a slip of the hand, or a measure (grams, centimetres)?",
    }
    rows = []
    for r in far.itertuples():
        what = {"price": "Prices", "pieces": "Pieces"}[r.measure]
        side = {"more": "above", "fewer": "below"}[r.direction]
        product = f"product {r.product_id}, " if r.product_id else ""
        much = f"{r.lines:,} of {r.of:,} lines; the farthest {_plain(r.farthest)}, where {_plain(r.usual)} is usual"
        rows.append((f"{what} far {side} the usual", f"{product}{r.day:%Y-%m-%d}", much, asks[r.measure]))
    return _frame(rows, "lines")


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:,.3g}"


def odd_reading(accounts: Mapping[str, Mapping]) -> pd.DataFrame:
    """What the door noted: orders on later days that stand alone, an order's money on each of its lines, and texts of
    a broken encoding.

    From: `Loaded.accounts`. To: as `odd_customers`.
    """
    rows = []
    for note in accounts.get("orders", {}).get("notes", []):
        for words, (what, ask) in ORDERS_OWN.items():
            if words in note:
                rows.append((what, note.split(" ")[0].rstrip(":"), note.rstrip("."), ask))
        if ALONE in note:
            ask = "Are these days real? Then set as_of in client.yml; else mend the dates where the export is made."
            rows.append(("Orders of days far ahead", "ordered_at", note.rstrip("."), ask))
    for table, account in sorted(accounts.items()):
        for note in account.get("notes", []):
            if any(words in note for words in GARBLED):
                ask = "Which encoding does the export have? Send it again in UTF-8, if the source can write it."
                rows.append(("Garbled letters", table, note.rstrip("."), ask))
    return _frame(rows, "reading")


def together(*frames: pd.DataFrame) -> pd.DataFrame:
    """All oddities in one frame, in the order given."""
    return pd.concat([f for f in frames if len(f)] or [_frame([], "")], ignore_index=True)


def describe_oddities(found: pd.DataFrame, *, orders: int, columns: Iterable[str]) -> str:
    """How many things look odd, and what was looked for; what lacks its columns is not looked for, and said.

    From: `together`; orders: how many were looked at; columns: of the table orders.
    """
    has = set(columns)
    looked = ["days without orders", "days unlike their weekday"]
    looked += ["one customer with a large share"] if "customer_id" in has else []
    named = [c for c in ("status", "channel", "payment", "delivery") if c in has]
    looked += [f"values of {_listed(named)} that come or go"] if named else []
    looked += ["times at midnight or many at one second"]
    looked += ["prices"] if {"quantity", "product_id"} <= has else []
    looked += ["pieces"] if "quantity" in has else []
    looked += ["sums that repeat or exceed a line"] if {"amount", "discount", "refund"} & has else []
    looked += ["days ahead", "garbled letters"]
    number = len(found)
    first = {0: "Nothing looks odd", 1: "One thing looks odd and is to be asked about"}.get(
        number, f"{number:,} things look odd and are to be asked about"
    )
    return f"{first} in {orders:,} orders. Looked for: {_listed(looked)}."


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def odd_things_finding(found: pd.DataFrame, *, orders: int) -> Finding:
    """quality.odd_things: how many things are to be asked about before the rest is believed. From: `together`."""
    number = float(len(found))
    claim = {0: "Nothing looks odd in the {n} orders.", 1: "{value} thing looks odd in the {n} orders; ask about it."}
    return Finding(
        id="quality.odd_things",
        claim=claim.get(len(found), "{value} things look odd in the {n} orders; ask about each."),
        estimate=Estimate(number, number, number, orders, "count", 1.0, "counted in full"),
        label="Things that look odd",
        higher_is_better=False,
        evidence=("oddities",),
        action="Ask the client what lies behind each before anything that rests on it is believed." if number else "",
    )
