"""What is known of each customer: how often, how much, how regularly, what, where and when they order; one row each."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import PLACES
from cxkit.engine import collect
from cxkit.errors import DataError, UsageError
from cxkit.settings_file import read_yaml
from cxkit.tables import TABLES, counted_lines
from cxkit.times import instant, local_time

FEATURES = Path(__file__).parent / "features.yml"
KINDS = ("amount", "count", "number", "share")
UNITS = ("money", "days", "count", "share", "ratio", "points", "yes/no")
KEYS = ("name", "label", "unit", "kind", "of", "definition", "needs", "high", "low")
MOST_CHANNELS = 6
LEAST_CHANNEL = 0.02  # share of orders; a rarer channel has no column
EVENING, NIGHT = (18, 22), (22, 6)  # from, up to (hours of the client's clock)
TIMED = 0.01  # share of orders not at midnight; below it the export has days without times


def feature_list(path: Path = FEATURES) -> pd.DataFrame:
    """The features and what they mean, one row each, in the file's order.

    From: a YAML file as `cxkit/features.yml`, which is the default. To: name, label, unit, kind, of (for shares: the
    column with the number of trials; else ""), definition, needs (table -> columns; "a or b" is one of the two),
    high, low (words). Raises UsageError, naming every fault of the file.
    """
    read = read_yaml(path, begins="`features:`, the list of them").get("features")
    if not isinstance(read, list) or not read or not all(isinstance(entry, dict) for entry in read):
        raise UsageError(f"{path} holds no list `features`; see cxkit/features.yml for its shape.")
    if faults := _faults(read):
        raise UsageError(f"{path}: {'; '.join(faults)}. See cxkit/features.yml for the shape of a feature.")
    return pd.DataFrame([{"of": ""} | entry for entry in read]).reindex(columns=KEYS)


def _faults(entries: list[dict]) -> list[str]:
    faults, names = [], [entry.get("name") for entry in entries]
    valid = {"kind": KINDS, "unit": UNITS}
    for place, entry in enumerate(entries, start=1):
        who = f"feature {entry.get('name', place)!r}"
        faults += [f"{who} lacks {key}" for key in KEYS if key != "of" and not entry.get(key)]
        faults += [f"{who} has the unknown key {k!r}; valid are {', '.join(KEYS)}" for k in entry if k not in KEYS]
        for key, values in valid.items():
            if entry.get(key) and entry[key] not in values:
                faults.append(f"{who} has {key}: {entry[key]!r}; valid are {', '.join(values)}")
        if entry.get("kind") == "share" and entry.get("of") not in names:
            faults.append(f"{who} is a share of {entry.get('of')!r}, which is no feature")
        if names.index(entry.get("name")) != place - 1:
            faults.append(f"{who} stands there twice")
        faults += _strange_needs(who, entry.get("needs"))
    return faults


def _strange_needs(who: str, needs: object) -> list[str]:
    if not needs:
        return []
    if not isinstance(needs, dict) or not all(isinstance(columns, list) for columns in needs.values()):
        return [f"{who} has needs: {needs!r}; write a table and the list of its columns"]
    faults = []
    for table, columns in needs.items():
        if table not in TABLES:
            faults.append(f"{who} needs the table {table!r}; valid are {', '.join(TABLES)}")
            continue
        named = [name for column in columns for name in str(column).split(" or ")]
        faults += [
            f"{who} needs {table}.{name}, which is no column" for name in named if name not in TABLES[table].columns
        ]
    return faults


def customer_features(
    tables: Mapping[str, Table], *, as_of: date, zone: str, channels: Sequence[str] | None = None
) -> Table:
    """Everybody who ordered up to `as_of`, one row each; nothing comes to memory.

    From: orders, and where they are there customers, events, surveys, contacts; `zone`: the client's time zone;
    `channels`: the channels that get a column (those of a saved model), instead of the commonest.
    To: customer_id and the features of features.yml, in its order and by its definitions. One whose table or column is
    missing is not there; the times of day are not there either where the export has days alone.
    The customers are those of `buyers.buyers`, and orders, recency_days and monetary those of `segments.rfm`.
    How: one pass over orders and one over customers; the engine is asked at once for the channels alone, whose names
    the columns bear. Sums of money are rounded and all else is counted, so the order of rows does not matter.
    What is left out: whatever comes after `as_of`; products, categories, visits and contacts of lines and rows without
    a customer. Where an order's lines name several customers the order is the first one's, by id, and the products and
    categories are each line's own customer's. Contacts are taken as known for all of the time that orders are.
    Raises DataError where orders have no customer_id.
    """
    orders = tables["orders"]
    if "customer_id" not in orders.columns:
        raise DataError(
            f"table 'orders' lacks 'customer_id'; it has {', '.join(map(repr, orders.columns))}. Map it under"
            " tables.orders.columns in client.yml."
        )
    orders = orders.filter(orders.ordered_on <= ibis.literal(as_of))
    common, timed = _asked_first(orders, zone=zone)
    channels = common if channels is None else channels if "channel" in orders.columns else []
    placed = _per_order(orders)
    events = _until(tables, "events", as_of, "customer_id", "session_id")
    people = _totals(placed, events, channels=channels, zone=zone if timed else None, as_of=as_of)
    for column, name in (("category", "categories"), ("product_id", "products")):
        if column in orders.columns:
            people = _beside(people, _breadth(orders, column, name))
    if events is not None:
        people = _beside(people, _known_visits(events))
        people = people.mutate(visits_per_order=people.visits.fill_null(0) / people.orders_seen.nullif(0))
    if (contacts := _until(tables, "contacts", as_of, "customer_id")) is not None:
        people = _beside(people, contacts.group_by("customer_id").aggregate(contacts=contacts.count()))
        people = people.mutate(contacts_per_order=people.contacts.fill_null(0) / people.placed)
    if (surveys := _until(tables, "surveys", as_of, "customer_id")) is not None:
        people = _beside(people, _nps(surveys))
    if (customers := _until(tables, "customers", None, "customer_id", "email_consent")) is not None:
        people = _beside(people, _consent(customers))
    if "status" not in orders.columns:
        people = people.drop("placed", "cancelled_share")
    return people.select("customer_id", *_columns(people.columns, channels))


def read_features(
    tables: Mapping[str, Table], *, as_of: date, zone: str, channels: Sequence[str] | None = None
) -> pd.DataFrame:
    """`customer_features` in memory, ordered by customer_id; at most 5 million customers (`engine.collect`)."""
    table = customer_features(tables, as_of=as_of, zone=zone, channels=channels)
    return collect(table, order_by="customer_id")


def _columns(there: Sequence[str], channels: Sequence[str]) -> list[str]:
    """The features that there are, in the list's order."""
    order = []
    for name in feature_list()["name"]:
        order += [f"channel:{c}" for c in channels] if name == "channel" else [name]
    return [name for name in order if name in there]


def _lines(orders: Table) -> Table:
    """The order lines that count, and beside them the cancelled ones (is_gone), which count in nothing but `placed`."""
    lines = counted_lines(orders).mutate(is_gone=ibis.literal(False))
    if "status" not in orders.columns:
        return lines
    gone = orders.filter(orders.status == "cancelled", orders.amount > 0)
    nothing = {"is_sale": ibis.literal(False), "revenue": ibis.literal(0.0), "amount": ibis.literal(0.0)}
    gone = gone.mutate(is_gone=ibis.literal(True), **({"refund": ibis.literal(0.0)} | nothing))
    return lines.union(gone.select(*lines.columns))


def _per_order(orders: Table) -> Table:
    """One row an order; ordered_on is null where no sale line counts (cancelled as a whole, or a return alone)."""
    there = set(orders.columns)
    lines = _lines(orders)
    counts = ~lines.is_gone
    measures = {
        # as `buyers.buyers` has it: lines that do not count say nothing of whose the order is
        "owner": lines.customer_id.min(where=counts),
        "canceller": lines.customer_id.min(where=lines.is_gone),
        "counted": counts.any(),
        "gone": lines.is_gone.any(),
        "ordered_on": lines.ordered_on.min(where=lines.is_sale),
        "ordered_at": lines.ordered_at.min(where=lines.is_sale),
        "amount": lines.amount.sum(),
        "revenue": lines.revenue.sum(),
    }
    if "channel" in there:
        measures["channel"] = lines.channel.min(where=lines.is_sale)
    if there & {"discount", "coupon"}:
        cheaper = lines.discount.fill_null(0.0) > 0 if "discount" in there else ibis.literal(False)
        cheaper = (cheaper | lines.coupon.notnull()) if "coupon" in there else cheaper
        measures["discounted"] = (cheaper & lines.is_sale).any()
    if there & {"refund", "status"}:
        back = lines.status.isin(["returned", "partly_returned"]).fill_null(False)
        measures["returned"] = ((back | (lines.refund.fill_null(0.0) > 0)) & counts).any()
    if "product_id" in there:
        measures["products"] = lines.product_id.nunique(where=lines.is_sale)
    made = lines.group_by("order_id").aggregate(**measures)
    whose = made.counted.ifelse(made.owner, made.canceller)
    return made.mutate(customer_id=whose, gone=made.gone & made.ordered_on.isnull()).drop("owner", "canceller")


def _asked_first(orders: Table, *, zone: str) -> tuple[list[str], bool]:
    """The channels that get a column, by name; whether orders have a time of day."""
    lines = counted_lines(orders)
    by_channel = {"channel": lines.channel.min(where=lines.is_sale)} if "channel" in lines.columns else {}
    sold = lines.group_by("order_id").aggregate(
        customer_id=lines.customer_id.min(), ordered_at=lines.ordered_at.min(where=lines.is_sale), **by_channel
    )
    sold = sold.filter(sold.customer_id.notnull(), sold.ordered_at.notnull())
    at = _clock(sold.ordered_at, zone)
    by = sold.channel if by_channel else ibis.null("string")
    sold = sold.mutate(channel=by, timed=(at != at.truncate("D")).cast("int64"))
    counted = collect(
        sold.group_by("channel").aggregate(orders=sold.count(), timed=sold.timed.sum()), order_by="channel"
    )
    orders_all, timed = counted["orders"].sum(), counted["timed"].sum()
    kept = counted[counted["channel"].notna() & (counted["orders"] >= LEAST_CHANNEL * orders_all)]
    kept = kept.sort_values(["orders", "channel"], ascending=[False, True]).head(MOST_CHANNELS)
    return sorted(kept["channel"]), bool(timed > 0 and timed >= TIMED * orders_all)


def _clock(instants: ibis.expr.types.TimestampValue, zone: str) -> ibis.expr.types.TimestampValue:
    """The client's clock at these instants (UTC, without a zone)."""
    return local_time(instant(instants, zone="UTC"), zone=zone)


def _totals(placed: Table, events: Table | None, *, channels: Sequence[str], zone: str | None, as_of: date) -> Table:
    """One row a buyer: what is summed over orders. As `buyers.buyers`, the refunds of returns alone counted in."""
    placed = placed.filter(placed.customer_id.notnull())
    before = placed.ordered_on.lag().over(ibis.window(group_by="customer_id", order_by="ordered_on"))
    placed = placed.mutate(gap=placed.ordered_on.delta(before, unit="day").cast("int64"))
    is_order, apart = placed.ordered_on.notnull(), (placed.gap > 0).fill_null(False)

    def times(condition: ibis.expr.types.BooleanValue) -> ibis.expr.types.IntegerScalar:
        return (condition & is_order).fill_null(False).cast("int64").sum()

    counts = {}
    if zone:
        hour = _clock(placed.ordered_at, zone).hour()
        counts["evening_share"] = times(hour.between(EVENING[0], EVENING[1] - 1))
        counts["night_share"] = times((hour >= NIGHT[0]) | (hour < NIGHT[1]))
    counts |= {f"{name}_share": times(placed[name]) for name in ("discounted", "returned") if name in placed.columns}
    counts |= {f"channel:{channel}": times(placed.channel == channel) for channel in channels}
    more = {}
    if "products" in placed.columns:
        known = is_order & (placed.products > 0)
        more = {"products_in": placed.products.sum(where=known), "products_of": times(known)}
    if events is not None:
        first, last = events.occurred_on.min().as_scalar(), events.occurred_on.max().as_scalar()
        more["orders_seen"] = times((placed.ordered_on >= first) & (placed.ordered_on <= last))
    made = placed.group_by("customer_id").aggregate(
        orders=placed.ordered_on.count(),
        cancelled=placed.gone.cast("int64").sum(),
        first_on=placed.ordered_on.min(),
        last_on=placed.ordered_on.max(),
        monetary=placed.revenue.sum().round(PLACES),
        amount=placed.amount.sum().round(PLACES),
        gaps=apart.sum(),
        gap=placed.gap.sum(where=apart),
        gap_squared=(placed.gap * placed.gap).sum(where=apart),
        median_gap_days=placed.gap.median(where=apart),
        **counts,
        **more,
    )
    made = made.filter(made.orders > 0)
    made = made.mutate(placed=made.orders + made.cancelled)
    # in whole numbers, so that the order of rows cannot matter
    scatter = (made.gap_squared * made.gaps - made.gap * made.gap) / (made.gaps * (made.gaps - 1)).nullif(0)
    day = ibis.literal(as_of)
    columns = {
        "recency_days": day.delta(made.last_on, unit="day").cast("int64"),
        "tenure_days": day.delta(made.first_on, unit="day").cast("int64"),
        "order_value": made.amount / made.orders,
        "cancelled_share": made.cancelled / made.placed,
        "gap_variation": scatter.sqrt() * made.gaps / made.gap,
        **{name: made[name] / made.orders for name in counts},
    }
    if "products" in placed.columns:
        columns["products_per_order"] = made.products_in / made.products_of.nullif(0)
    return made.mutate(**columns)


def _breadth(orders: Table, column: str, name: str) -> Table:
    """One row a customer: how many different values of the column they bought."""
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale, lines.customer_id.notnull(), lines[column].notnull())
    pairs = lines.select("customer_id", column).distinct()
    return pairs.group_by("customer_id").aggregate(**{name: pairs.count()})


def _until(tables: Mapping[str, Table], table: str, as_of: date | None, *columns: str) -> Table | None:
    """A table's rows up to `as_of`; None where the table or a column is missing."""
    rows = tables.get(table)
    if rows is None or set(columns) - set(rows.columns):
        return None
    return rows if as_of is None else rows.filter(rows[TABLES[table].day] <= ibis.literal(as_of))


def _known_visits(events: Table) -> Table:
    """One row a customer: visits (those in which the customer was known)."""
    known = events.filter(events.customer_id.notnull(), events.session_id.notnull())
    known = known.select("customer_id", "session_id").distinct()
    return known.group_by("customer_id").aggregate(visits=known.count())


def _nps(surveys: Table) -> Table:
    """One row a customer who answered: nps_mean."""
    rows = surveys.filter(surveys.metric == "nps")
    made = rows.group_by("customer_id").aggregate(total=rows.score.sum().round(PLACES), n=rows.score.count())
    return made.select("customer_id", nps_mean=made.total / made.n.nullif(0))


def _consent(customers: Table) -> Table:
    """One row a customer: email_consent (1, 0, or null where it is not told)."""
    agreed = customers.email_consent.cast("int64").max().cast("float64")
    return customers.group_by("customer_id").aggregate(email_consent=agreed)


def _beside(people: Table, more: Table) -> Table:
    """The customers with the columns of another table beside theirs; null where it knows nothing of them."""
    joined = people.left_join(more, "customer_id")
    return joined.select(*people.columns, *[c for c in more.columns if c != "customer_id"])
