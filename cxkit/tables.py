"""The canonical tables and the workshop's sheets: names, types, what is required; what counts as an order."""

import re
from dataclasses import dataclass

import ibis

TYPES = ("text", "integer", "number", "money", "time", "date", "yes/no")
COUNTED = ("completed", "returned", "partly_returned")


@dataclass(frozen=True)
class Column:
    """One column: its type, whether a row needs it, its meaning.

    valid: the only values it may have; scale: a number's lowest and highest value; free_text: scrubbed at the door;
    derived: made at the door, never mapped.
    """

    name: str
    type: str
    required: bool
    meaning: str
    valid: tuple[str, ...] = ()
    scale: tuple[float, float] | None = None
    free_text: bool = False
    derived: bool = False


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns, the time that places a row (rows after as_of are refused by it), and the
    local day of that time, made at the door.

    one_of: columns of which a row needs one at least; unique: the column whose values stand in one row only.
    """

    name: str
    row: str
    columns: dict[str, Column]
    time: str | None = None
    one_of: tuple[str, ...] = ()
    unique: str | None = None

    @property
    def day(self) -> str | None:
        """The column with the local day of the table's time: ordered_at -> ordered_on."""
        return f"{self.time.removesuffix('_at')}_on" if self.time else None


def _column(line: str) -> Column:
    """`*name type meaning` -> Column; `*` marks a required one."""
    name, type_, *meaning = line.split(maxsplit=2)
    words = meaning[0] if meaning else name.lstrip("*").replace("_", " ")
    name, required = name.lstrip("*"), name.startswith("*")
    if type_ not in TYPES:
        raise ValueError(f"column {name!r}: type {type_!r} is unknown; valid types: {', '.join(TYPES)}.")
    extra: dict = {"free_text": name in ("comment", "text", "query", "reason"), "derived": name.endswith("_on")}
    if name in ("status", "metric", "quadrant", "voice", "kind", "field"):  # their meaning is the list of what is valid
        extra["valid"] = tuple(re.split(", | or ", words))
    if words.startswith("[") and "]" in words:
        low, high = words[1 : words.index("]")].split("-")
        extra["scale"], words = (float(low), float(high)), words[words.index("]") + 1 :].strip()
    return Column(name, type_, required, words, **extra)


def _table(name: str, row: str, columns: str, **more) -> Table:
    return Table(name, row, {c.name: c for c in map(_column, map(str.strip, columns.strip().splitlines()))}, **more)


_ALL = (
    _table(
        "orders",
        "an order line",
        """
        *order_id text the order's number
        customer_id text pseudonym of the customer; null: kept for revenue, left out of what is per customer
        *ordered_at time when it was ordered, UTC
        *ordered_on date the local day of ordered_at in the client's time zone
        *amount money line total after discount, before returns; above 0, or 0 on a return-only line
        quantity number pieces; 0 on a return-only line
        product_id text the product's code
        product text the product's name
        category text category
        channel text web, app, store, marketplace …
        payment text way of payment
        delivery text way of delivery
        discount money discount given on the line
        cost money what the line's goods cost the shop
        status text completed, cancelled, returned or partly_returned
        refund money what was given back for the line; 0 where nothing
        reason text why it was cancelled or returned
        promised_at time when it was promised to arrive, UTC
        delivered_at time when it arrived, UTC
        coupon text coupon used
        first_touch text touchpoint that brought the customer to this order
        """,
        time="ordered_at",
    ),
    _table(
        "customers",
        "a customer",
        """
        *customer_id text pseudonym of the customer
        joined_at time when the account was made, UTC
        joined_on date the local day of joined_at in the client's time zone
        country text country
        city text city
        language text language
        email_consent yes/no agreed to e-mails
        referred_by text pseudonym of the customer who brought this one
        acquisition_channel text channel that won the customer
        acquisition_cost money what winning the customer cost
        groups text the client's own labels
        """,
        time="joined_at",
        unique="customer_id",
    ),
    _table(
        "events",
        "a touch on site, in app or mail",
        """
        session_id text the visit, as the export calls it
        customer_id text pseudonym of the customer
        *occurred_at time when it happened, UTC
        *occurred_on date the local day of occurred_at in the client's time zone
        *touchpoint text where the customer met the shop
        channel text channel
        device text device
        source text where the visit came from
        order_id text the order that the touch belongs to
        query_id text the query that the touch belongs to
        """,
        time="occurred_at",
        one_of=("session_id", "customer_id"),
    ),
    _table(
        "surveys",
        "one answer to one question",
        """
        *answered_at time when it was answered, UTC
        *answered_on date the local day of answered_at in the client's time zone
        *metric text nps, csat, ces, csi_item or expectation
        *score number on the scale that client.yml declares
        customer_id text pseudonym of the customer
        order_id text the order that was asked about
        survey_id text the survey or its wave
        item text the item that csi_item and expectation ask about
        touchpoint text the touchpoint that was asked about
        comment text free text, scrubbed
        incentive yes/no something was given for answering
        asked_at time when the question was sent, UTC
        """,
        time="answered_at",
    ),
    _table(
        "reviews",
        "a public review",
        """
        *written_at time when it was written, UTC
        *written_on date the local day of written_at in the client's time zone
        rating number on the scale that client.yml declares
        text text free text, scrubbed
        product_id text the product's code
        category text category
        source text where it stands
        customer_id text pseudonym of the customer
        answered_at time when the shop answered, UTC
        """,
        time="written_at",
    ),
    _table(
        "contacts",
        "a ticket or conversation",
        """
        *contact_id text the ticket's number
        *opened_at time when it was opened, UTC
        *opened_on date the local day of opened_at in the client's time zone
        customer_id text pseudonym of the customer
        order_id text the order it is about
        channel text channel
        reason text reason
        text text free text, scrubbed
        first_answer_at time first answer, UTC
        solved_at time solved, UTC
        promised_answer_at time promised time of the first answer, UTC
        promised_solution_at time promised time of the solution, UTC
        satisfaction number on the scale that client.yml declares
        cost money what handling it cost
        """,
        time="opened_at",
        unique="contact_id",
    ),
    _table(
        "searches",
        "a query sent",
        """
        *searched_at time when it was sent, UTC
        *searched_on date the local day of searched_at in the client's time zone
        *query text the words, scrubbed
        session_id text the visit
        customer_id text pseudonym of the customer
        query_id text the query's number
        results integer how many results were shown
        clicked yes/no a result was clicked
        device text device
        """,
        time="searched_at",
        one_of=("session_id", "customer_id"),
    ),
    _table(
        "invitations",
        "somebody asked to answer",
        """
        *invited_at time when the question was sent, UTC
        *invited_on date the local day of invited_at in the client's time zone
        survey_id text the survey or its wave
        customer_id text pseudonym of the customer
        incentive yes/no something was promised for answering
        """,
        time="invited_at",
    ),
    _table(
        "catalogue",
        "a product",
        """
        *product_id text the product's code
        product text the product's name
        category text category
        parent_category text the category above it
        price money price
        cost money what it costs the shop
        """,
        unique="product_id",
    ),
)

_ALL_SHEETS = (
    _table(
        "swot",
        "a statement",
        """
        *statement text
        *quadrant text strength, weakness, opportunity or threat
        *voice text customer, partner or employee
        department text
        impact integer [1-5] how much it matters
        confidence integer [1-5] how sure the speaker is
        evidence text a finding's id, or a quote
        source text
        """,
    ),
    _table(
        "touchpoints",
        "a touchpoint",
        """
        *touchpoint text
        *stage text
        parent text the touchpoint it is part of
        channel text
        importance integer [1-5] how much it decides
        promise text what the shop promises there
        owner text
        """,
    ),
    _table(
        "criteria",
        "a score for a touchpoint",
        """
        *touchpoint text
        *criterion text
        *score number [1-5] how well it is met
        voice text customer, partner or employee
        """,
    ),
    _table(
        "checklist",
        "an answer to an item",
        """
        *item text
        *score integer [0-4] how far it is done
        *voice text customer, partner or employee
        department text
        evidence text
        """,
    ),
    _table(
        "actions",
        "something to do",
        """
        *action text
        item text a SWOT statement or a finding's id
        department text
        owner text
        effort integer [1-5] how much work
        measure text the finding that will show it
        due date
        after text what must be done before: actions or statements, with semicolons
        """,
    ),
    _table(
        "register",
        "something noticed",
        """
        *kind text mystery_shop, employee_idea, interview, complaint, competitor or wow_example
        *note text
        date date
        touchpoint text
        department text
        competitor text
        score number [1-5] 1 bad, 5 good
        """,
    ),
    _table(
        "context",
        "an opportunity or a threat from outside",
        """
        *statement text
        *quadrant text opportunity or threat
        *source text
        date date
        """,
    ),
    _table(
        "quotes",
        "what a customer said, read and found fit to be shown",
        """
        *touchpoint text
        *quote text the words; nothing in them tells who said them
        source text where it was said
        """,
    ),
    _table(
        "personas",
        "something said of a group of customers",
        """
        *group text the group, or the persona of personas.yml that it is likened to
        *field text avoids, tasks, says or do
        *text text the words
        voice text customer, partner or employee
        source text
        """,
    ),
)

TABLES: dict[str, Table] = {t.name: t for t in _ALL}
SHEETS: dict[str, Table] = {t.name: t for t in _ALL_SHEETS}


def counted_lines(orders: ibis.Table) -> ibis.Table:
    """The order lines that count: all but cancelled ones.

    From: orders. To: the same columns and `is_sale` (yes/no): false on a return-only line, whose refund belongs to
    its customer. Where they are missing `status` (completed) and `refund` (0) are added; `revenue` = amount - refund.
    """
    if "status" not in orders.columns:
        orders = orders.mutate(status=ibis.literal("completed"))
    if "refund" not in orders.columns:
        orders = orders.mutate(refund=ibis.literal(0.0))
    kept = orders.filter(orders.status.fill_null("completed") != "cancelled")
    return kept.mutate(is_sale=kept.amount > 0, revenue=kept.amount - kept.refund.fill_null(0.0))


def order_totals(orders: ibis.Table) -> ibis.Table:
    """One row a counted order: one that has a sale line which is not cancelled.

    From: orders. To: order_id, customer_id, ordered_on, ordered_at (its first line's), amount, refund, revenue
    (money), quantity, products (distinct product_id); the last two where the columns exist.
    An order whose lines name several customers is the first one's, in the order of their ids. Return-only lines
    with the order's own id lower its revenue; others are left out: they are no order (`counted_lines` has them).
    """
    lines = counted_lines(orders)
    measures = {
        "customer_id": lines.customer_id.min(),
        "ordered_on": lines.ordered_on.min(where=lines.is_sale),
        "ordered_at": lines.ordered_at.min(where=lines.is_sale),
        "amount": lines.amount.sum(),
        "refund": lines.refund.fill_null(0.0).sum(),
        "revenue": lines.revenue.sum(),
    }
    if "quantity" in lines.columns:
        measures["quantity"] = lines.quantity.sum()
    if "product_id" in lines.columns:
        measures["products"] = lines.product_id.nunique(where=lines.is_sale)
    totals = lines.group_by("order_id").aggregate(**measures, _sales=lines.is_sale.sum())
    return totals.filter(totals["_sales"] > 0).drop("_sales")


def basis(orders: ibis.Table) -> ibis.Table:
    """What a report rests on, in one row: customers and counted orders, the first and the last day with one.

    From: orders. To: customers, orders (counts), first, last (dates; null without an order).
    """
    totals = order_totals(orders)
    return totals.aggregate(
        customers=totals.customer_id.nunique(),
        orders=totals.count(),
        first=totals.ordered_on.min(),
        last=totals.ordered_on.max(),
    )
