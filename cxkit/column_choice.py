"""Which columns of a file are which of a table's? By their names and by what they hold; two that could be are none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cxkit.column_kinds import ColumnForm, counted, numbers
from cxkit.currencies import KNOWN
from cxkit.meanings import Meaning, key, meanings, metrics_of
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES, Column

NUMERIC = ("integer", "number", "money")
IDS = ("order_id", "customer_id", "product_id", "session_id", "query_id", "contact_id", "survey_id", "referred_by")
LISTED = 40  # values that a column with a list of valid ones may have
UNIQUE = 0.9  # of a unique column's values are different
PERSONAL = {"e-mail": "e-mails", "phone": "phone numbers"}
NO_MEANING = "no meaning found"
LISTED_MONEY = 5  # rows: fewer values that name a currency are chance
EPOCHS = {"epoch_s": 1.0, "epoch_ms": 1e3, "epoch_us": 1e6}
SINCE = {"epoch_s": "seconds", "epoch_ms": "milliseconds", "epoch_us": "microseconds"}
EARLIEST, LATEST = 946_684_800, 1_956_528_000  # 2000 to 2031, in seconds: what lies outside is no time of an export
_OF_TIME = re.compile(r"(?:^|[^a-z])(?:ts|time|timestamp|date|at|on|epoch|unix|when)(?:[^a-z]|$)", re.IGNORECASE)
PLAIN = {"time": "times", "date": "times", "money": "numbers", "number": "numbers", "integer": "whole numbers"}


@dataclass
class Choice:
    """A table's columns among a file's (forms). columns: canonical -> form; told: canonical -> evidence; meant: how the
    name means it; roles: what is aside -> forms; open: canonical -> why nothing was taken; unmapped: raw -> why;
    of_orders: raw columns of a joined file of orders."""

    table: str
    forms: Sequence[ColumnForm]
    columns: dict[str, ColumnForm] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    meant: dict[str, Meaning] = field(default_factory=dict)
    roles: dict[str, list[ColumnForm]] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, str] = field(default_factory=dict)
    of_orders: frozenset[str] = frozenset()


def shown(name: str) -> str:
    """A raw column's name inside a comment: one line, quoted, nothing personal in it."""
    text = clean_text(scrub(name))
    return '"' + (text if len(text) <= 60 else text[:59] + "…") + '"'


def choose(table: str, forms: Sequence[ColumnForm], *, of_orders: Sequence[str] = ()) -> Choice:
    """The columns of one table, as far as names and values tell them; `of_orders`: what stands in a joined file.

    A canonical column takes the one raw column whose name means it and whose values can be it. Where two can, and
    neither an id's name, nor the language, nor equal values settle it, none is taken and both are named.
    """
    choice, known = Choice(table, forms, of_orders=frozenset(of_orders)), meanings(table)
    wanted: dict[str, list[tuple[ColumnForm, Meaning]]] = {}
    for form in sorted(forms, key=lambda f: f.name):  # whatever their order in the file
        meaning = next((known[k] for k in map(key, _readings(form.name)) if k in known), None)
        if form.kind in PERSONAL:
            _aside(
                choice, form, "email" if form.kind == "e-mail" else "phone", f"holds {PERSONAL[form.kind]}: never read"
            )
        elif meaning is None and says_currency(form):
            _aside(choice, form, "currency", "the currency of the money")
        elif meaning is None:
            choice.unmapped[form.name] = NO_MEANING
        elif meaning.why:
            _aside(choice, form, meaning.column, meaning.why)
        elif fault := misfit(TABLES[table].columns[meaning.column], form):
            choice.unmapped[form.name] = f"named as {meaning.column} is, but {fault}"
            choice.open.setdefault(meaning.column, f"{shown(form.name)} is named so, but {fault}")
        else:
            wanted.setdefault(meaning.column, []).append((form, meaning))
    for column, candidates in wanted.items():
        _settle(choice, column, candidates)
    _by_mail(choice)
    _by_epoch(choice)
    _no_row_number(choice)
    _no_other_group(choice)
    return choice


def _readings(name: str) -> list[str]:
    """A column's name, without the scale behind it (`Ocena (1-5)`), the end of a path (`session.device.type`)."""
    found = [name, re.sub(r"[\s:]*[(\[]\s*[0-9]+\s*[-–—]\s*[0-9]+\s*[)\]]\s*$", "", name)]
    parts = name.split(".")
    if len(parts) > 2 and all(re.fullmatch(r"\w+", part) for part in parts):
        found.append(".".join(parts[-2:]))
    return list(dict.fromkeys(n for n in found if n))


def says_currency(form: ColumnForm) -> bool:
    """Whether all of a column's values name currencies: codes of ISO 4217 that are known here, words, marks."""
    words = {text.casefold().rstrip(".") for text in counted(form)} if 0 < form.distinct <= 12 else set()
    plain = [w for w in words if len(w) < 3 and w.isalpha() and w not in ("zł", "zl")]  # FR and BR are countries
    return bool(words) and not plain and words <= set(KNOWN) and form.filled >= LISTED_MONEY


def misfit(column: Column, form: ColumnForm) -> str | None:
    """Why a raw column's values cannot be a canonical column's; None where they can."""
    if not form.filled:
        return None if not form.rows else "it is empty"
    kind = form.kind
    if column.type in ("time", "date"):
        return None if kind in ("time", "date") or form.date_formats else f"it holds no times ({form.evidence})"
    if column.type in ("money", "number", "integer"):
        if kind not in NUMERIC or (column.type == "integer" and kind != "integer"):
            return f"it holds no {PLAIN[column.type]} ({form.evidence})"
        return _off_any_scale(column, form) or _a_share(column, form)
    if column.type == "yes/no":
        bits = kind == "integer" and set(counted(form)) <= {"0", "1"}
        return None if kind == "yes/no" or bits else f"it holds no yes and no ({form.evidence})"
    if column.valid:
        return None if kind != "time" and form.distinct <= LISTED else f"it has {form.distinct:,} different values"
    if kind in ("time", "date") or (kind in ("money", "number") and not column.free_text):
        return f"it holds {PLAIN[kind]}"
    if column.name in IDS:
        if any(re.fullmatch(r"[0-9][.,][0-9]+[eE]\+[0-9]+", text) for text in counted(form)):
            return "a spreadsheet has cut its numbers (as in 7.21E+12); ask for the export again"
        if column.name in ("order_id", "contact_id", "session_id", "query_id") and kind == "text":
            return f"it holds no codes ({form.evidence})"
    if column.free_text and column.name != "query" and kind in NUMERIC:
        return f"it holds {PLAIN[kind]}"
    return None


def _off_any_scale(column: Column, form: ColumnForm) -> str | None:
    if column.name not in ("score", "rating", "satisfaction"):
        return None
    found = numbers(form)
    return None if found.min() >= -100 and found.max() <= 100 else "its numbers lie on no scale of answers"


def _a_share(column: Column, form: ColumnForm) -> str | None:
    """Why a column is no money: percentages, and discounts from 0 to 1, are shares."""
    if column.type != "money":
        return None
    if "with %" in form.evidence:
        return "it holds percentages"
    if column.name == "refund" and set(counted(form)) == {"0", "1"}:
        return "it is 0 or 1, a flag"
    found = numbers(form).dropna().abs()
    share = column.name == "discount" and found.max() <= 1 and (found % 1 != 0).any()
    return "all of it lies between 0 and 1: a share, no money" if share else None


def _aside(choice: Choice, form: ColumnForm, role: str, why: str) -> None:
    choice.roles.setdefault(role, []).append(form)
    choice.unmapped[form.name] = why


def _settle(choice: Choice, column: str, candidates: list[tuple[ColumnForm, Meaning]]) -> None:
    """The one of a canonical column's candidates, or none."""
    level = min((m.weak, not m.own) for _, m in candidates)
    best = [(f, m) for f, m in candidates if (m.weak, not m.own) == level]
    if len(best) > 1 and column in IDS:
        named = [(f, m) for f, m in best if {"id", "no", "code", "sku", "код", "kod"} & set(key(f.name))]
        best = named or best
    if len(best) > 1 and all(_same(best[0][0], f) for f, _ in best[1:]):
        best = best[:1]
    rest = [f for f, _ in candidates if f is not best[0][0] or len(best) > 1]
    if len(best) > 1:
        both = " and ".join(shown(f.name) for f, _ in best)
        choice.open[column] = f"{both} could each be it"
        for form in rest:
            choice.unmapped[form.name] = f"could be {column}, as {len(rest) - 1} other{'s' * (len(rest) > 2)} could"
        return
    form, meaning = best[0]
    choice.open.pop(column, None)
    choice.columns[column], choice.meant[column] = form, meaning
    choice.told[column] = f"{shown(form.name)}: {form.evidence}"
    if column == "customer_id" and _are_names(form):
        choice.told[column] += "; words, not codes: two people of one name would be one customer"
    for other in rest:
        choice.unmapped[other.name] = f"could be {column}, which {shown(form.name)} is"


def _same(one: ColumnForm, other: ColumnForm) -> bool:
    return one.filled > 0 and bool((one.sample.astype(object) == other.sample.astype(object)).all())


def _by_mail(choice: Choice) -> None:
    """Customers who are told apart by nothing but an e-mail are told by it; it becomes a pseudonym at the door."""
    mails = choice.roles.get("email", [])
    named = choice.columns.get("customer_id")
    needs = "customer_id" in TABLES[choice.table].columns and (named is None or _are_names(named))
    if (
        needs
        and "customer_id" not in choice.open
        and len(mails) == 1
        and (mails[0].kind == "e-mail" or not mails[0].rows)
    ):
        form = mails[0]
        choice.columns["customer_id"] = form
        choice.meant["customer_id"] = Meaning("customer_id", "", True, False, 0)
        choice.told["customer_id"] = (
            f"{shown(form.name)}: {form.evidence}; no other id of customers here. It becomes a pseudonym at the door"
        )
        choice.unmapped.pop(form.name, None)
        if named is not None:
            choice.unmapped[named.name] = "words such as names; the e-mail tells customers apart"


def _by_epoch(choice: Choice) -> None:
    """The time that a table cannot be without, where no name says it: the one column of figures that are sensible times
    since 1970. Ten figures (seconds) may be anything, and need a name with a word of time in it."""
    import pandas as pd

    table = TABLES[choice.table]
    time = table.time
    if time is None or not table.columns[time].required or time in choice.columns or time in choice.open:
        return
    found = []
    for form in choice.forms:
        word = form.date_formats[0] if form.kind in ("integer", "number") and form.date_formats else ""
        if choice.unmapped.get(form.name) != NO_MEANING or word not in EPOCHS or form.filled < 0.9 * form.rows:
            continue
        values = numbers(form).dropna() / EPOCHS[word]
        sensible = values.min() >= EARLIEST and values.max() <= LATEST and form.distinct >= form.filled / 2
        if sensible and (word != "epoch_s" or _OF_TIME.search(form.name)):
            found.append((form, word, pd.to_datetime([values.min(), values.max()], unit="s")))
    if len(found) != 1:
        for form, _, (first, last) in found:
            choice.unmapped[form.name] = f"could be {time}, as others could: {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return
    form, word, (first, last) = found[0]
    choice.columns[time], choice.meant[time] = form, Meaning(time, "", True, False, 0)
    days = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    choice.told[time] = f"{shown(form.name)}: {form.evidence}; by its values {SINCE[word]} since 1970: {days}"
    choice.unmapped.pop(form.name)


def _no_row_number(choice: Choice) -> None:
    """Leaves out a weakly named id of orders that differs on every line, though lines share customer and time."""
    import pandas as pd

    order, weak = choice.columns.get("order_id"), getattr(choice.meant.get("order_id"), "weak", False)
    beside = [choice.columns.get(n) for n in ("customer_id", "ordered_at")]
    if choice.table != "orders" or order is None or not weak or None in beside or order.distinct < order.filled:
        return
    frame = pd.DataFrame({i: f.sample.astype(object) for i, f in enumerate(beside)})
    again = int(frame[(frame != "").all(axis=1)].duplicated().sum())
    if again >= 0.05 * max(order.filled, 1):
        del choice.columns["order_id"]
        choice.open["order_id"] = (
            f"{shown(order.name)} is another on every line, though {again:,} lines share customer and time with one"
            " before"
        )
        choice.unmapped[order.name] = "may be the number of the line, not of the order"


def _no_other_group(choice: Choice) -> None:
    """Leaves out a weakly named category of goods that the goods do not settle: it may group customers."""
    import pandas as pd

    group, weak = choice.columns.get("category"), getattr(choice.meant.get("category"), "weak", False)
    goods = choice.columns.get("product_id") or choice.columns.get("product")
    if choice.table != "orders" or group is None or not weak:
        return
    settled = 0.0
    if goods is not None and group.filled:
        frame = pd.DataFrame({"of": goods.sample.astype(object), "group": group.sample.astype(object)})
        settled = float((frame[(frame != "").all(axis=1)].groupby("of")["group"].nunique() == 1).mean())
    if not settled >= UNIQUE:
        del choice.columns["category"]
        choice.unmapped[group.name] = "may be a group of customers: one product has several of it, or none is named"


def _are_names(form: ColumnForm) -> bool:
    """Whether a column that names customers holds words, as names are, and no codes."""
    counts = counted(form)
    return form.kind in ("text", "category") and sum(n for t, n in counts.items() if " " in t) >= form.filled / 2 > 0


def missing(choice: Choice) -> list[str]:
    """The required columns that were not found; of orders, money that can be reckoned is found."""
    table = TABLES[choice.table]
    lacking = [n for n, c in table.columns.items() if c.required and not c.derived and n not in choice.columns]
    priced = choice.roles.get("unit_price") and "quantity" in choice.columns
    if choice.table == "orders" and (choice.roles.get("order_total") or priced):
        lacking = [n for n in lacking if n != "amount"]
    if choice.table == "surveys" and asked(choice):
        lacking = [n for n in lacking if n not in ("metric", "score")]
    return lacking


def asked(choice: Choice) -> list[ColumnForm]:
    """The columns of a survey with a row a person that hold the answers to a question each."""
    if choice.table != "surveys" or "metric" in choice.columns:
        return []
    used = {form.name for c, form in choice.columns.items() if c != "score"}
    free = {name for name, why in choice.unmapped.items() if why == NO_MEANING}
    return [f for f in choice.forms if f.name not in used and _is_question(f, f.name in free)]


def _is_question(form: ColumnForm, free: bool) -> bool:
    sentence = "?" in form.name or len(form.name.split()) >= 4
    if form.kind != "integer" or not (metrics_of(form.name) or (free and sentence)):
        return False
    held = numbers(form)
    return bool(0 <= held.min() <= held.max() <= 10)


def score(choice: Choice, *, named: bool) -> float:
    """How well a table takes a file: what it explains of the columns, what of the required ones it finds."""
    weight = {(False, True): 1.0, (False, False): 0.6, (True, True): 0.4, (True, False): 0.4}
    found = sum(weight[(m.weak, m.own)] for m in choice.meant.values())
    found += 0.8 * len(asked(choice)) + 0.3 * bool(choice.roles.get("unit_price") and choice.table == "orders")
    table = TABLES[choice.table]
    required = [n for n, c in table.columns.items() if c.required and not c.derived]
    share = 1 - len(missing(choice)) / len(required) if required else 1.0
    lacks_one = table.one_of and not any(n in choice.columns for n in table.one_of)
    explained = found / max(sum(bool(f.filled or not f.rows) for f in choice.forms), 1)
    points = explained * (0.25 + 0.75 * share) * (0.6 if lacks_one else 1.0) + 0.25 * named
    unique = choice.columns.get(table.unique) if table.unique else None
    if unique is not None and unique.filled and unique.distinct < UNIQUE * unique.filled:
        points *= 0.3
    return round(points, 3)
