"""What is to be said of the order lines that were kept: what was netted, who is unknown."""

import pandas as pd
from ibis.expr.types import Table

from cxkit import engine

NO_CUSTOMERS = "no column of customers is mapped (tables.orders.columns.customer_id): nothing is told per customer."


def by_own_ids(con, rows: Table, told: dict[str, str]) -> Table:
    """Rows whose customers are pseudonyms, with the ids that they were."""
    if "customer_id" not in rows.columns:
        return rows
    frame = pd.DataFrame({"own": list(told), "pseudonym": list(told.values())})
    ids = engine.keep_frame(con, "own_ids", frame, types={"own": "string", "pseudonym": "string"})
    return rows.left_join(ids, rows.customer_id == ids.pseudonym).drop("customer_id").rename(customer_id="own")


def notes(kept: dict[str, Table], counts: dict[str, int]) -> list[str]:
    """What is to be said about the order lines that were kept."""
    found = []
    if counts:
        found.append(
            f"{counts['returns']:,} lines are returns or cancellations: {counts['netted']:,} were netted against"
            f" earlier sales, {counts['left']:,} found no sale for all they give back and stay as returns of their"
            " customer."
        )
    orders = kept["orders"]
    if "customer_id" not in orders.columns:
        return [*found, NO_CUSTOMERS]
    nobody = int(orders.customer_id.isnull().sum().execute() or 0)
    if nobody:
        found.append(f"{nobody:,} lines without a customer: kept for revenue, left out of what is per customer.")
    if "customers" in kept:
        strangers = orders.filter(orders.customer_id.notnull()).anti_join(kept["customers"], "customer_id")
        told = (
            strangers.aggregate(lines=strangers.count(), customers=strangers.customer_id.nunique()).to_pandas().iloc[0]
        )
        if told.lines:
            found.append(
                f"{told.lines:,} lines name {told.customers:,} customers whom the table customers lacks; kept."
            )
            known = kept["customers"].select(known=kept["customers"].customer_id.lower()).distinct()
            named = strangers.select("customer_id").distinct()
            alike = int(named.semi_join(known, named.customer_id.lower() == known.known).count().execute())
            if alike:
                found.append(
                    f"{alike:,} of these customers differ from one that it has in capitals alone: write lower_case:"
                    " [customer_id] under orders and customers."
                )
    return found
