"""What in a file could be meant otherwise than by its names? Said in client.yml's lines, never settled silently."""

import json
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from cxkit.client import UNKNOWN
from cxkit.column_choice import NUMERIC, Choice, choose, shown
from cxkit.column_kinds import ColumnForm, counted, numbers
from cxkit.meanings import key, word_lists
from cxkit.privacy import scrub
from cxkit.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

ASKED = ("customer_id", "refund", "status")  # whose absence changes every number: open where two columns could be them
NOTHING = ("it is empty", "it is 0 or 1, a flag")  # why a column is not taken that nobody needs to be asked for
OPTIONAL = "take this line away where none is it"
LEAST = 5  # orders, or records: fewer prove nothing
CHANCE = 0.001  # how likely chance alone may make all orders' lines alike, at most
RISES = 1.15  # times the median of orders with fewer lines: sums of orders rise with their lines
MANY = 20  # amounts: with fewer, one may be the sum of the others by chance
CENT = 0.015
TOTALS = frozenset(
    ("total", "totals", "grand total", "subtotal", "sum", "разом", "всього", "усього", "підсумок", "загалом", "сума",
     "итого", "всего", "итог", "сумма", "suma", "razem", "ogółem", "łącznie", "podsumowanie", "summe", "gesamt")
)  # fmt: skip
TRUE = frozenset(("1", "yes", "y", "true", "t", "так", "да", "tak"))
FALSE = frozenset(("0", "no", "n", "false", "f", "ні", "нет", "nie"))
_FLAGS = {  # what a yes says of the order
    "returned": re.compile("refund|return|chargeback|поверн|возвра|zwrot|zwróc", re.IGNORECASE),
    "cancelled": re.compile("cancel|void|скас|відмін|анул|отмен|annul|anul|storn", re.IGNORECASE),
}


def settle(
    choice: Choice,
    settings: dict[str, Any],
    told: dict[str, str],
    *,
    decimal: str | None = None,
    known: Collection[str] = (),
) -> None:
    """Writes into a table's settings and evidence what is in doubt: columns that two raw ones could be, statuses beside
    the status, rows of totals. `known`: raw columns that a preset knows; what they mean is not asked."""
    columns = settings["columns"]
    for name in ASKED:
        if name in choice.open and name not in columns and not choice.open[name].endswith(NOTHING):
            columns[name], told[f"columns.{name}"] = UNKNOWN, f"{choice.open[name]}; {OPTIONAL}"
    if choice.table != "orders":
        return
    _statuses(choice, columns, told, known)
    out, why = total_rows(choice, decimal)
    if not why:
        return
    more = [told.get("leave_out", "")]
    if out:
        settings["leave_out"] = {**settings.get("leave_out", {}), **out}
        ready = [json.loads(told.pop(place)) for place in sorted(told) if place.startswith("leave_out.ready.")]
        more = [f"perhaps also {json.dumps(rule, ensure_ascii=False)} ({text})" for rule, text in ready]
    told["leave_out"] = "; ".join(filter(None, (why, *more)))


def beside_preset(
    choice: Choice,
    settings: dict[str, Any],
    told: dict[str, str],
    *,
    known: Collection[str],
    decimal: str | None = None,
) -> None:
    """As `settle`, for a file that a preset reads: of the columns that the preset does not know, those that could be
    what it maps are told, those that could be the customer, the refund or the status where it maps none are asked for.

    From: the preset's choice of columns and settings; `known`, the raw columns that it knows.
    """
    columns = settings["columns"]
    new = choose(choice.table, [f for f in choice.forms if f.name not in known and f.filled])
    choice.open = {name: why for name, why in new.open.items() if name not in columns}
    for name, form in new.columns.items():
        if new.meant[name].weak or form.kind == "e-mail":
            continue
        if name in columns:
            choice.unmapped[form.name] = f"could be {name}, for which the preset takes another"
            told[f"columns.{name}"] += f". LOOK: {shown(form.name)} could be it too, and the preset does not know it"
        elif name in ASKED:
            choice.open[name] = f"{shown(form.name)} could be it, and the preset does not know it"
            choice.unmapped[form.name] = f"perhaps the {name}: see there"
        else:
            choice.unmapped[form.name] = f"could be {name}; the preset does not know it"
    settle(choice, settings, told, decimal=decimal, known=known)


def _statuses(choice: Choice, columns: dict[str, Any], told: dict[str, str], known: Collection[str]) -> None:
    """Flags and second columns of statuses: status is open where none is mapped, else its line tells of them."""
    found = [one for one in other_statuses(choice) if one[0].name not in known]
    if not found:
        return
    for form, _, said in found:
        choice.unmapped[form.name] = f"perhaps a status: {said}"
    said = "; ".join(f"{shown(form.name)}: {text}" for form, _, text in found)
    if columns.get("status", UNKNOWN) != UNKNOWN:
        told["columns.status"] += f". LOOK: not counted: {said}"
    else:
        before = told.get("columns.status", "").removesuffix(f"; {OPTIONAL}")
        columns["status"] = UNKNOWN
        told["columns.status"] = "; ".join(
            filter(None, (before, said, "else every line counts as completed; take this line away where that is right"))
        )
        for i, (form, means, _) in enumerate(found):
            words = json.dumps(means, ensure_ascii=False)
            told[f"columns.status.ready.{i}"] = json.dumps(
                [form.name, f"with values: {{status: {words}}}"], ensure_ascii=False
            )
    for form, means, _ in found:
        gone = [text for text, word in means.items() if word == "cancelled"]
        if gone:
            taken = sum(place.startswith("leave_out.ready.") for place in told)
            told[f"leave_out.ready.{taken}"] = json.dumps(
                [{form.name: gone}, "cancelled: left out, and not counted as cancelled either"], ensure_ascii=False
            )


def other_statuses(choice: Choice) -> list[tuple[ColumnForm, dict[str, str], str]]:
    """Columns that no status is read from, and that say of some records that they were cancelled or returned.

    To: the column, its words -> statuses (as far as known), and what is to be said of it. A flag that is never raised
    says nothing.
    """
    used, found = {f.name for f in choice.columns.values()}, []
    known = word_lists("statuses")
    valid = TABLES["orders"].columns["status"].valid
    for form in choice.forms:
        if form.name in used or not form.filled or form.distinct > 12 or scrub(form.name) != form.name:
            continue
        counts = counted(form)
        lower = {text: text.lower() for text in counts}
        flag = next((word for word, sign in _FLAGS.items() if sign.search(form.name)), "")
        if flag and set(lower.values()) <= TRUE | FALSE:
            raised = sum(n for text, n in counts.items() if lower[text] in TRUE)
            if raised:
                means = {text: flag if lower[text] in TRUE else "completed" for text in counts}
                found.append((form, means, f"{flag} in {raised:,} of {form.filled:,} records"))
            continue
        means = {text: lower[text] if lower[text] in valid else known.get(key(text), UNKNOWN) for text in counts}
        bad = {text: n for text, n in counts.items() if means[text] not in ("completed", UNKNOWN)}
        read = sum(n for text, n in counts.items() if means[text] != UNKNOWN)
        if bad and read >= form.filled / 2 and form.kind not in NUMERIC:
            words = ", ".join(f"{shown(text)} ({n:,})" for text, n in list(bad.items())[:5])
            found.append((form, means, f"it says {words}"))
    return found


def total_rows(choice: Choice, decimal: str | None = None) -> tuple[dict[str, list[str]], str]:
    """Rows of totals among the order lines: (leave_out that takes them away, what they are); ({}, "") without any.

    A row of totals has a word for it as its order's number, or an amount that is the sum of all others'.
    """
    order = choice.columns.get("order_id")
    if order is None or not order.filled:
        return {}, ""
    counts, out, why = counted(order), [], []
    words = [text for text in counts if text.strip(" :.").lower() in TOTALS]
    if words and sum(any(c.isdigit() for c in text) for text in counts) >= len(counts) / 2:
        out += words
        said = ", ".join(f"{shown(text)} ({counts[text]:,})" for text in words)
        why.append(f"rows of totals, no orders, by their {shown(order.name)}: {said}")
    orders = order.sample.astype(object)
    sums = [choice.columns.get("amount"), *choice.roles.get("order_total", ())]
    for form in (f for f in sums if f is not None and f.kind in NUMERIC):
        values = numbers(form, decimal)
        row = _sum_of_others(values[~orders.isin(out)])
        if row is None:
            continue
        text = orders[row]
        why.append(f"one {shown(form.name)} is the sum of all the others: a row of totals, no order")
        if counts.get(text) == 1 and scrub(text) == text and "*" not in text:
            out.append(text)
        else:
            why[-1] += f" ({shown(order.name)} {shown(text) if text else 'blank'}); leave it out by another column"
    return ({order.name: out} if out else {}), "; ".join(why)


def _sum_of_others(values: "pd.Series") -> Any:
    """The place of the one value that is the sum of all the others; None where none is, or where there are few."""
    filled = values.dropna()
    if len(filled) < MANY:
        return None
    those = filled[((2 * filled - filled.sum()).abs() <= CENT + 1e-9 * filled.abs().sum()) & (filled > 0)]
    return those.index[0] if len(those) == 1 else None


def equality(choice: Choice, total: ColumnForm, decimal: str | None) -> tuple[str, str]:
    """Whether sums that are the same on every line of an order prove to be the order's: "sure", "guess" or "nothing",
    and why.

    Lines of one price repeat as well as sums of orders do. Sums of orders rise with the number of lines; lines' own
    money does not, and stands in orders of one line too.
    """
    import pandas as pd

    order = choice.columns["order_id"].sample.astype(object)
    frame = pd.DataFrame({"order": order, "value": numbers(total, decimal)})
    grouped = frame[(frame["order"] != "") & frame["value"].notna()].groupby("order")["value"]
    orders = pd.DataFrame({"lines": grouped.size(), "value": grouped.first()})
    one, several = orders[orders["lines"] == 1]["value"], orders[orders["lines"] > 1]
    alike = float((several["value"].value_counts(normalize=True) ** 2).sum())
    if not len(several) or alike ** len(several) > CHANCE or alike > 0.5:
        return "nothing", "nearly all orders have one and the same, so their lines would repeat it anyway"
    if len(one) >= LEAST:
        if several["value"].median() >= RISES * one.median():
            return "sure", "and more than that of orders with one line"
        if several["value"].isin(set(one)).mean() >= 0.5:
            return "nothing", "orders of one line show the same sums, so it may be the line's"
        return "guess", "though no more than that of orders with one line"
    two, more = several[several["lines"] == 2]["value"], several[several["lines"] > 2]["value"]
    if len(two) >= LEAST and len(more) >= LEAST and more.median() >= RISES * two.median():
        return "sure", "and rises with the number of lines"
    return "guess", "lines of one price would repeat theirs too"


def some_end_in_zero(counts: Mapping[str, int]) -> bool:
    """Whether ids are whole numbers of which some end in .0, as where a column with blanks went through a table of
    numbers: 17.0 and 17 are one."""
    whole = [text for text in counts if re.fullmatch(r"[0-9]+(\.0)?", text)]
    some = any(text.endswith(".0") for text in whole)
    return some and (len(whole) == len(counts) or bool(one_id_twice(counts)))


def one_id_twice(counts: Mapping[str, int]) -> str:
    """How many ids stand there with .0 and without; "" where none does."""
    both = sum(text.endswith(".0") and text[:-2] in counts for text in counts)
    return f"; {both:,} ids stand there with it and without" if both else ""


def swapped_dates(form: ColumnForm) -> str:
    """A warning where a spreadsheet may have swapped day and month; "" without that sign.

    It takes a text for a date where it can: days up to the 12th become real dates, the month for the day, and the
    others stay texts.
    """
    if form.proves not in ("day", "month") or "iso" not in form.date_formats:
        return ""
    days, texts = [], 0
    for text, n in counted(form).items():
        if found := re.match(r"[0-9]{4}-[0-9]{2}-([0-9]{2})", text):
            days.append(int(found[1]))
        elif found := re.match(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./][0-9]{2,4}", text):
            if max(int(found[1]), int(found[2])) <= 12:
                return ""
            texts += n
    if not texts or len(days) < LEAST or max(days) > 12:
        return ""
    return (
        ". LOOK: all real dates have days up to 12, all texts days over 12: a spreadsheet has probably swapped day and"
        " month in the real dates; ask for the export as CSV"
    )
