"""The groups as people: one card a group, filled from data where data speaks and left to the workshop where not."""

from collections.abc import Mapping
from datetime import date

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.style import clean_text, format_ends, format_value, in_quotes

# the fields of a card in their order: key -> what stands beside it
FIELDS = {
    "who": "Who",
    "like": "Like whom",
    "avoids": "Wants to avoid",
    "tasks": "Tasks",
    "channels": "Prefers",
    "categories": "Buys",
    "says": "Says",
    "worth": "Worth",
    "do": "What to do",
}
OPEN = "To be filled in in the workshop."
NOBODY = "nobody yet"
DATA, WORKSHOP, HYPOTHESIS = "data", "workshop", "S4's hypothesis, checked"
PREFERS = ("channel", "payment", "delivery", "part of day", "weekday")
BUYS, ASKS, LOOKS_FOR = "category", "contact reason", "query"
TOLD = 3  # values a field names; the tables hold the rest
QUOTES = 2  # on a card


def contact_traits(contacts: Table, *, as_of: date) -> Table:
    """What each contact was about, in the shape of `profiles.order_traits`.

    From: contacts (contact_id, customer_id, opened_on, reason). To, one row a contact with a reason: customer_id,
    order_id (the contact's number: it stands where an order stands), aspect ("contact reason"), value.
    What is left out: contacts without a customer or a reason, and after `as_of`.
    """
    kept = contacts.filter(
        contacts.opened_on <= ibis.literal(as_of), contacts.customer_id.notnull(), contacts.reason.notnull()
    )
    return kept.select("customer_id", order_id=kept.contact_id, aspect=ibis.literal(ASKS), value=kept.reason)


def query_traits(searches: Table, *, as_of: date, least: int = LEAST_SHOWN) -> Table:
    """What known customers looked for, in the shape of `profiles.order_traits`.

    From: searches (customer_id, session_id where it exists, searched_on, query). To, one row a customer, visit (or
    day) and query: customer_id, order_id (the visit), aspect ("query"), value (the words in small letters).
    What is left out: queries without a customer, after `as_of`, and those that fewer than `least` customers sent: a
    query is free text, and a rare one may tell who sent it.
    """
    kept = searches.filter(searches.searched_on <= ibis.literal(as_of), searches.customer_id.notnull())
    day = kept.customer_id + ibis.literal(" ") + kept.searched_on.cast("string")
    visit = kept.session_id.fill_null(day) if "session_id" in kept.columns else day
    words = kept.query.re_replace(r"\s+", " ").strip().lower()
    rows = kept.select("customer_id", order_id=visit, value=words).filter(ibis._.value.length() > 0).distinct()
    people = rows.group_by("value").aggregate(people=rows.customer_id.nunique())
    often = rows.semi_join(people.filter(people.people >= least), "value")
    return often.select("customer_id", "order_id", aspect=ibis.literal(LOOKS_FOR), value="value")


def with_group(table: Table, groups: pd.DataFrame) -> Table:
    """A table's rows of customers who are in a group, with the column group. From: customer_id; groups."""
    members = groups[["customer_id", "group"]].astype({"customer_id": object, "group": object})
    listed = ibis.memtable(members, schema={"customer_id": "string", "group": "string"})
    return (table.drop("group") if "group" in table.columns else table).join(listed, "customer_id")


def quotes_by_group(quotes: pd.DataFrame, surveys: Table, groups: pd.DataFrame) -> pd.DataFrame:
    """Which of the reviewed quotes a group's customers wrote, each quote at the group that wrote it most often.

    From: the workshop's sheet `quotes` (quote, touchpoint; read and found fit to be shown), surveys (customer_id,
    comment), groups. To, by group: group, quote, touchpoint, customers (of the group who wrote these words). The quote
    stands with the group the largest share of whose commenting customers wrote it, and only on its card.
    What is left out: comments that nobody reviewed; quotes whose words no comment has (they were changed, or were said
    elsewhere: they are on no card), groups of fewer than 5 customers. What it cannot show: what the group thinks; a
    quote is one voice.
    """
    columns = {"group": object, "quote": object, "touchpoint": object, "customers": "int64"}
    nothing = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    if not len(quotes) or not {"comment", "customer_id"} <= set(surveys.columns):
        return nothing
    words = quotes.assign(key=[clean_text(text) for text in quotes["quote"]]).drop_duplicates("key")
    said = with_group(surveys.filter(surveys.comment.notnull()), groups)
    said = said.mutate(key=said.comment.re_replace(r"\s+", " ").strip())
    all_people = said.group_by("group").aggregate(people=said.customer_id.nunique())
    counted = said.filter(said.key.isin(list(words["key"]))).group_by("group", "key")
    counted = counted.aggregate(customers=ibis._.customer_id.nunique())
    found = collect(counted.join(all_people, "group"), order_by=["group", "key"])
    sizes = groups.groupby("group").size()
    found = found[found["group"].map(sizes) >= LEAST_SHOWN]
    found = found.assign(rate=found["customers"] / found["people"])
    found = found.sort_values(["rate", "customers", "group"], ascending=[False, False, True], kind="stable")
    found = found.drop_duplicates("key").merge(words[["key", "quote", "touchpoint"]], on="key")
    found = found.sort_values(["group", "customers", "quote"], ascending=[True, False, True], ignore_index=True)
    return found[list(columns)] if len(found) else nothing


def place_sheet(sheet: pd.DataFrame, names: list[str], likened: pd.DataFrame | None) -> pd.DataFrame:
    """The workshop's sheet `personas` with the card that each row stands on (column card; missing: on none).

    From: the sheet (group, field, text, voice, source), the groups' names, `likeness.likened`. A row names a group, or
    a persona that groups are likened to; then it stands on the card of each of them. Capitals and blanks make no
    difference.
    """
    cards: dict[str, list[str]] = {}
    if likened is not None:
        for row in likened.itertuples():
            cards.setdefault(_key(row.likened_to), []).append(row.group)
    cards |= {_key(name): [name] for name in names}
    placed = sheet.assign(card=[cards.get(_key(name), [None]) for name in sheet["group"]])
    return placed.explode("card", ignore_index=True)


def strangers(placed: pd.DataFrame) -> list[str]:
    """The names in the sheet `personas` that are no group's and no persona's that a group is likened to."""
    return sorted({clean_text(name) for name in placed.loc[placed["card"].isna(), "group"]})


def _key(name: object) -> str:
    return " ".join(clean_text(name).replace("_", " ").replace("-", " ").casefold().split())


def cards(
    sizes: pd.DataFrame, *, likened: pd.DataFrame | None = None, traits: pd.DataFrame | None = None,
    reasons: pd.DataFrame | None = None, queries: pd.DataFrame | None = None, scores: pd.DataFrame | None = None,
    quotes: pd.DataFrame | None = None, costs: pd.DataFrame | None = None, sheet: pd.DataFrame | None = None,
    currency: str = "",
) -> pd.DataFrame:  # fmt: skip
    """One card a group, nine rows each: what is known of it, and where it is known from.

    From: sizes (group, customers and, where they exist, share_of_customers, share_of_revenue, revenue_per_customer,
    orders_per_customer, median_recency_days); `likeness.likened`; `profiles.trait_lifts` of orders, of contacts
    (`contact_traits`) and of queries (`query_traits`); `satisfaction.scores` by group; `quotes_by_group`;
    `cost_to_serve.cost_to_serve`; `place_sheet`. What is None was not assessed. To: group, field, label, text, source
    (data, workshop, both, or nobody yet), in the order of `sizes` and of FIELDS.
    Only what is told apart for certain from the other groups is named, with both shares; a number that is the same
    for everybody describes nobody. What nobody knows says that it is to be filled in in the workshop. A group whose
    numbers are withheld has a card from the workshop alone.
    Raises UsageError where two groups have one name.
    """
    if sizes["group"].duplicated().any():
        twice = sorted(sizes.loc[sizes["group"].duplicated(), "group"].unique())
        raise UsageError(f"a card belongs to one group; there twice: {', '.join(map(clean_text, twice))}.")
    rows = []
    for row in sizes.to_dict("records"):
        group, known = row["group"], {"who": _who(row)}
        if _number(row, "customers") is not None:
            known |= {
                "like": _like(group, likened),
                "avoids": _standing_out(reasons, group, (ASKS,), "contacts"),
                "tasks": _standing_out(queries, group, (LOOKS_FOR,), "searches"),
                "channels": _standing_out(traits, group, PREFERS, "orders"),
                "categories": _standing_out(traits, group, (BUYS,), "orders"),
                "says": _says(group, scores, quotes),
                "worth": _worth(row, costs, currency),
            }
        for field, label in FIELDS.items():
            said = _from_sheet(sheet, group, field)
            texts = {HYPOTHESIS if field == "like" else DATA: known.get(field, ""), WORKSHOP: said}
            texts = {source: text for source, text in texts.items() if text}
            rows.append((group, field, label, " ".join(texts.values()) or OPEN, " and ".join(texts) or NOBODY))
    return pd.DataFrame(rows, columns=["group", "field", "label", "text", "source"])


def _number(row: Mapping, name: str) -> float | None:
    value = row.get(name)
    return None if value is None or pd.isna(value) else float(value)


def _who(row: Mapping) -> str:
    customers = _number(row, "customers")
    if customers is None:
        return f"Under {LEAST_SHOWN} people, or a group from which such a one could be worked out: withheld."
    text = f"{customers:,.0f} customers"
    if (share := _number(row, "share_of_customers")) is not None:
        text += f", {format_value(share, 'share')} of all"
    parts = []
    if (orders := _number(row, "orders_per_customer")) is not None:
        parts.append("1 order each" if orders == 1 else f"{format_value(orders, 'count')} orders each")
    if (days := _number(row, "median_recency_days")) is not None:
        parts.append(f"half of them have ordered within the last {days:,.0f} days")
    return f"{text}; {', '.join(parts)}." if parts else f"{text}."


def _like(group: str, likened: pd.DataFrame | None) -> str:
    mine = likened[likened["group"] == group] if likened is not None else ()
    if not len(mine):
        return ""
    found = mine.iloc[0]
    name, near = clean_text(found["likened_to"]), clean_text(found["nearest"])
    nearest = "" if name == near else f"; the nearest is {near}"
    lead = f"Like {name}" if name.startswith("none ") else name.capitalize()  # a cell never begins with None
    return f"{lead}{nearest}: {found['reason']}."


def _standing_out(lifts: pd.DataFrame | None, group: str, aspects: tuple[str, ...], of: str) -> str:
    """What is told apart as more in a group, the largest difference of shares first, with both shares.

    Of several aspects the most telling value each, of one aspect its three most telling values.
    """
    if lifts is None or not len(lifts):
        return ""
    rows = lifts[(lifts["group"] == group) & lifts["aspect"].isin(aspects) & (lifts["reading"] == "more")]
    rows = rows[~rows["value"].isin(("other", "other values"))]
    rows = rows.assign(gap=rows["share"] - rows["others"])
    rows = rows.sort_values(["gap", "aspect", "value"], ascending=[False, True, True], kind="stable")
    rows = (rows.drop_duplicates("aspect") if len(aspects) > 1 else rows).head(TOLD)
    texts = []
    for row in rows.itertuples():
        name = f"{row.aspect} {in_quotes(row.value)}" if len(aspects) > 1 else clean_text(row.value).replace("_", " ")
        whole = "" if texts else f" of {of}"
        texts.append(f"{name} {format_value(row.share, 'share')}{whole} (others {format_value(row.others, 'share')})")
    text = ", ".join(texts)
    return f"{text[:1].upper()}{text[1:]}." if texts else ""


def _says(group: str, scores: pd.DataFrame | None, quotes: pd.DataFrame | None) -> str:
    texts = []
    if scores is not None and len(scores):
        rows = scores[(scores["group"] == group) & scores["value"].notna() & scores["metric"].isin(("nps", "csat"))]
        for row in rows.itertuples():
            value, low, high = (_points(number, row.metric) for number in (row.value, row.low, row.high))
            scale = f" of {row.scale_high:g}" if row.metric == "csat" and pd.notna(row.scale_high) else ""
            joint = " to " if "−" in low + high else "–"
            texts.append(f"{row.metric.upper()} {value}{scale} ({low}{joint}{high}, n = {row.n:,}).")
    if quotes is not None:
        texts += [f"“{clean_text(q)}”" for q in quotes.loc[quotes["group"] == group, "quote"].head(QUOTES)]
    return " ".join(texts)


def _points(number: float, metric: str) -> str:
    """NPS in whole points, CSAT with one decimal, with a true minus sign."""
    text = f"{number:.0f}" if metric == "nps" else f"{number:.1f}"
    return ("0" if text == "-0" else text).replace("-", "−")


def _worth(row: Mapping, costs: pd.DataFrame | None, currency: str) -> str:
    texts = []
    money, share = _number(row, "revenue_per_customer"), _number(row, "share_of_revenue")
    if money is not None:
        texts.append(f"{format_value(money, 'money', currency)} of revenue each so far")
    if share is not None:
        low, high = _number(row, "low"), _number(row, "high")
        ends = f" ({format_ends(low, high, 'share')})" if low is not None and high is not None else ""
        texts.append(f"{format_value(share, 'share')} of all revenue{ends}")
    text = ", ".join(texts)
    mine = costs[costs["group"] == row["group"]] if costs is not None else ()
    if len(mine) and pd.notna(mine.iloc[0]["share"]):
        cost = mine.iloc[0]
        eaten = f"discounts, returns and contacts take {format_value(cost['share'], 'share')} of the {cost['of']}"
        eaten += f" ({format_ends(cost['low'], cost['high'], 'share')}): {cost['verdict']}"
        text += f"{'; ' if text else ''}{eaten}"
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _from_sheet(sheet: pd.DataFrame | None, card: str, field: str) -> str:
    if sheet is None or not len(sheet):
        return ""
    rows = sheet[(sheet["card"] == card) & (sheet["field"] == field)]
    texts = []
    for row in rows.itertuples():
        about = ", ".join(clean_text(t) for t in (row.voice, row.source) if isinstance(t, str) and t)
        texts.append(f"“{clean_text(row.text)}”{f' ({about})' if about else ''}.")
    return " ".join(texts)


def open_fields(cards: pd.DataFrame) -> pd.DataFrame:
    """What is left to the workshop: group, fields (labels of the empty fields of its card). From: `cards`."""
    empty = cards[cards["source"] == NOBODY]
    fields = empty.groupby("group", sort=False)["label"].agg(", ".join).rename("fields").reset_index()
    return fields


def known_groups(groups: pd.DataFrame | None) -> pd.DataFrame:
    """The groups that an earlier notebook kept, in the order of customer_id; without any: a frame of nobody.

    From, To: customer_id, group. Raises UsageError where a column is missing or a customer is in two groups.
    """
    if groups is None:
        return pd.DataFrame({"customer_id": pd.Series(dtype=object), "group": pd.Series(dtype=object)})
    if not {"customer_id", "group"} <= set(groups.columns):
        raise UsageError(f"groups have the columns customer_id and group; found {', '.join(map(str, groups.columns))}.")
    if groups["customer_id"].duplicated().any():
        raise UsageError("a customer is in one group; some stand in the groups twice. Run 01_segmentation again.")
    return groups[["customer_id", "group"]].sort_values("customer_id", ignore_index=True)


def group_sizes(groups: pd.DataFrame) -> pd.DataFrame:
    """How many are in each group, the largest first, small ones withheld: group, customers, share_of_customers."""
    counted = groups.groupby("group").size().rename("customers").reset_index()
    counted = counted.sort_values(["customers", "group"], ascending=[False, True], ignore_index=True)
    shares = counted.assign(share_of_customers=counted["customers"] / max(len(groups), 1))
    return withhold_small(shares, count="customers", least=LEAST_SHOWN)


def asked_sentences(reasons: pd.DataFrame | None, queries: pd.DataFrame | None) -> list[str]:
    """What stands out in the groups' contacts and searches, in words; that nothing does, or that nothing is known.

    From: `profiles.trait_lifts` of `contact_traits` and of `query_traits`; None where the data lack them.
    """
    texts = []
    for lifts, aspect, of, what in ((reasons, ASKS, "contacts", "reason for contact"),
                                    (queries, LOOKS_FOR, "searches", "query")):  # fmt: skip
        if lifts is None or aspect not in set(lifts["aspect"]):
            texts.append(f"What the {of} of each group are about was not compared: the data do not say.")
            continue
        found = [(g, _standing_out(lifts, g, (aspect,), of)) for g in dict.fromkeys(lifts["group"])]
        told = [f"{clean_text(group)}: {text}" for group, text in found if text]
        texts += told or [f"No {what} is told apart in one group from the others, all compared together."]
    return texts
