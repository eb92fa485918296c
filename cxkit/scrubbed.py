"""Which texts lose e-mails, phones and cards at the door? What people wrote, and the shop's own words."""

import ibis
from ibis.expr.types import Table

from cxkit import engine, privacy
from cxkit.column_choice import IDS
from cxkit.tables import Table as Canonical

MOST = 50_000_000  # different texts of a column that may hold something personal
# goods, pages and campaigns bear long numbers of their own: of figures, only those led by a plus are phones there
NUMBERED = ("product", "category", "parent_category", "touchpoint", "source", "first_touch")


def words_of(table: Canonical) -> list[str]:
    """The columns that hold words of the shop's, such as channel and payment: no ids, no lists of valid words, no free
    text."""
    return [
        name
        for name, column in table.columns.items()
        if column.type == "text" and not (column.valid or column.free_text or column.derived or name in IDS)
    ]


def free_text(con, rows: Table, table: Canonical) -> Table:
    """The rows with what people wrote scrubbed; only texts that may hold something personal leave the engine for it."""
    for name in (n for n, c in table.columns.items() if c.free_text and n in rows.columns):
        risky = rows.filter(rows[name].re_search(privacy.MAY_HOLD_PERSONAL)).select(own=rows[name]).distinct()
        rows, _ = _replaced(con, rows, risky, name, f"scrubbed_{table.name}_{name}")
    return rows


def words(con, rows: Table, table: Canonical) -> tuple[Table, list[str]]:
    """The rows with the shop's words scrubbed, and what is to be said of it: a phone under `channel` is a column taken
    for the wrong one, and stands in the report otherwise.

    From: rows that lie in a file, whose columns cost little to go through one by one.
    """
    notes = []
    for name in (n for n in words_of(table) if n in rows.columns):
        marks = privacy.MAY_BE_MARKED
        # kept, or the engine would look for the signs in every row before it makes them different ones
        every = engine.keep(con, f"different_{table.name}_{name}", rows.select(own=rows[name]).distinct())
        risky = every.filter(every.own.re_search(marks if name in NUMBERED else privacy.MAY_HOLD_PERSONAL))
        rows, count = _replaced(con, rows, risky, name, f"words_{table.name}_{name}")
        if count:
            what = "1 value holds" if count == 1 else f"{count:,} values hold"
            notes.append(
                f"{name}: {what} what looks like an e-mail, a phone or a card's number; its kind stands there instead"
                f" ([phone]). Is this the column for {name}?"
            )
    return rows, notes


def _replaced(con, rows: Table, risky: Table, name: str, kept_as: str) -> tuple[Table, int]:
    """The rows with the texts of one column scrubbed, and how many different ones were."""
    scrub = privacy.scrub_marked if name in NUMBERED else privacy.scrub
    found = engine.collect(risky, order_by="own", max_rows=MOST)
    found["scrubbed"] = [scrub(text) for text in found.own]
    found = found[found.own != found.scrubbed]
    if found.empty:
        return rows, 0
    number = len(found)
    found = engine.keep_frame(con, kept_as, found, types={"own": "string", "scrubbed": "string"})
    joined = rows.left_join(found, rows[name] == found.own)
    return joined.mutate(**{name: ibis.coalesce(joined.scrubbed, joined[name])}).drop("own", "scrubbed"), number
