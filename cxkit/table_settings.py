"""How are a table's columns to be read? Formats, decimal mark, ids, statuses, currency, each with its evidence."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cxkit import time_forms
from cxkit.client import UNKNOWN
from cxkit.column_choice import IDS, Choice, shown
from cxkit.column_kinds import ColumnForm, counted, numbers
from cxkit.meanings import key, word_lists
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES

ALWAYS = 0.99  # of an id's values end, or begin, alike
ONCE = 0.95  # of the orders with several lines
LEAST = 5  # orders of several lines, returns
# what an order has once, not each of its lines
OF_THE_ORDER = ("customer_id", "ordered_at", "channel", "payment", "delivery", "status", "promised_at", "delivered_at",
                "coupon", "first_touch")  # fmt: skip

Told = dict[str, str]


def time_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """date_format and time_zone of a table's times."""
    table = TABLES[choice.table]
    times = {n: f for n, f in choice.columns.items() if table.columns[n].type in ("time", "date")}
    proven = _proven(choice.forms)
    formats: dict[str, Any] = {}
    for name, form in times.items():
        if form.ambiguous:
            same = [f for f in form.ambiguous if _order(f) in proven] if not form.proves else []
            if len(same) == 1:
                formats[name] = same[0]
                told[f"date_format.{name}"] = (
                    f"{time_forms.shown(same[0])}, as {proven[_order(same[0])]} of this file proves"
                )
            else:
                formats[name] = UNKNOWN
                told[f"date_format.{name}"] = (
                    f"{shown(form.name)}: " + " or ".join(f'"{f}"' for f in form.ambiguous) + f"? {form.evidence}"
                )
        elif form.date_formats and form.date_formats != ("iso",):
            formats[name] = form.date_formats[0] if len(form.date_formats) == 1 else list(form.date_formats)
            told[f"date_format.{name}"] = f"{shown(form.name)}: {form.evidence}"
    settings: dict[str, Any] = {}
    if formats:
        alike = len(formats) == len(times) and len({str(f) for f in formats.values()}) == 1
        if alike:
            first = table.time if table.time in formats else next(iter(formats))
            told["date_format"] = told.pop(f"date_format.{first}")
            for name in formats:
                told.pop(f"date_format.{name}", None)
        settings["date_format"] = next(iter(formats.values())) if alike else formats
    if times and all(re.search(r"\b(UTC|GMT)\b", form.name) for form in times.values()):
        settings["time_zone"] = "UTC"
        told["time_zone"] = "the names of the columns say UTC"
    return settings


def _order(pattern: str) -> tuple[str, str, bool]:
    """What a column proves for its file's others: day or month first, behind which sign, with years of two digits."""
    return pattern[1:2], pattern[2:3], "%y" in pattern


def _proven(forms: Sequence[ColumnForm]) -> dict[tuple[str, str, bool], str]:
    """The orders of day and month that some column of the file proves -> that column."""
    found: dict[tuple[str, str, bool], str] = {}
    for form in forms:
        for pattern in form.date_formats if form.proves in ("day", "month") else ():
            if pattern[:2] in ("%d", "%m"):
                found.setdefault(_order(pattern), shown(form.name))
    return found


def decimal_setting(forms: Sequence[ColumnForm], told: Told) -> dict[str, Any]:
    """The decimal mark of the columns that are read as numbers."""
    marks = {f.name: f.decimal for f in forms if f.decimal}
    found = set(marks.values())
    unclear = [f for f in forms if f.ambiguous and f.kind in ("integer", "number", "money")]
    if len(found) > 1:
        by = {m: next(n for n, mark in marks.items() if mark == m) for m in sorted(found)}
        told["decimal"] = f"{shown(by[','])} has a comma, {shown(by['.'])} a point: one export has one mark"
        return {"decimal": UNKNOWN}
    if not found and unclear:
        told["decimal"] = f"{shown(unclear[0].name)}: {unclear[0].evidence}"
        return {"decimal": UNKNOWN}
    if found == {","}:
        first = next(f for f in forms if f.decimal)
        told["decimal"] = f"{shown(first.name)}: {first.evidence}"
        return {"decimal": ","}
    return {}


def id_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """What is cut from ids, and whose capitals make no difference."""
    settings: dict[str, Any] = {}
    for name, form in choice.columns.items():
        if name not in IDS or not form.filled:
            continue
        counts = counted(form)
        zeros = sum(n for text, n in counts.items() if re.search(r"[0-9]\.0$", text))
        if zeros >= ALWAYS * form.filled:
            settings.setdefault("strip_suffix", {})[name] = ".0"
            told[f"strip_suffix.{name}"] = (
                f"{zeros:,} of {form.filled:,} end in .0, as whole numbers of a spreadsheet do"
            )
        led = sum(n for text, n in counts.items() if text.startswith("'"))
        if led >= ALWAYS * form.filled:
            settings.setdefault("strip_prefix", {})[name] = "'"
            told[f"strip_prefix.{name}"] = (
                f"{led:,} of {form.filled:,} begin with an apostrophe, as texts of a spreadsheet do"
            )
        if form.kind == "e-mail":
            settings.setdefault("lower_case", []).append(name)
            told["lower_case"] = "e-mails: capitals make no difference"
    return settings


def return_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """The letters in front of an order's number that mark a return: those of (nearly) all its negative lines."""
    order, pieces = choice.columns.get("order_id"), choice.columns.get("quantity")
    by = pieces if pieces is not None else choice.columns.get("amount")
    if order is None or by is None:
        return {}
    texts, values = order.sample.astype(object), numbers(by)
    prefix = texts.str.extract(r"^([A-Za-zА-Яа-яІЇЄҐіїєґ]{1,4}-?)[0-9]{3,}$")[0]
    plain = texts.str.fullmatch("[0-9]{3,}").fillna(False)
    for letters, n in Counter(prefix.dropna()).most_common(3):
        those = prefix == letters
        if n >= LEAST and plain.sum() > n and (values[those] < 0).mean() >= ALWAYS:
            share = (values[those] < 0).mean()
            told["returns.order_id_prefix"] = f"{n:,} lines; {share:.0%} of them have a negative {shown(by.name)}"
            return {"returns": {"order_id_prefix": letters}}
    return {}


def value_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """What the words of a status or a metric mean; "???" for a word that is none of ours."""
    found: dict[str, dict[str, str]] = {}
    for name, section in (("status", "statuses"), ("metric", "metrics")):
        form = choice.columns.get(name)
        if form is None or not form.filled:
            continue
        known, valid = word_lists(section), TABLES[choice.table].columns[name].valid
        means = {text: known.get(key(text), UNKNOWN) for text in counted(form) if text.lower() not in valid}
        if means:
            found[name] = means
            open_ = [text for text, word in means.items() if word == UNKNOWN]
            for text in means:
                told[f"values.{name}.{text}"] = f"{counted(form)[text]:,} rows"
            told[f"values.{name}"] = f"{shown(form.name)}: {len(means) - len(open_)} of {len(means)} words are known"
    return {"values": found} if found else {}


def once_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """The columns that stand on an order's first line only."""
    import pandas as pd

    order = choice.columns.get("order_id")
    if order is None:
        return {}
    found, several_orders = [], 0
    for name in OF_THE_ORDER:
        form = choice.columns.get(name)
        if form is None or not form.filled or form.filled == form.rows:
            continue
        frame = pd.DataFrame({"order": order.sample.astype(object), "filled": form.sample.astype(object) != ""})
        counts = frame[frame["order"] != ""].groupby("order")["filled"].agg(["size", "sum", "first"])
        several = counts[(counts["size"] > 1) & (counts["sum"] > 0)]
        several_orders = len(several)
        first = (several["first"] & (several["sum"] == 1)).mean() if len(several) else 0.0
        if first >= ONCE:
            found.append(name)
            told[f"once_per_order.{name}"] = (
                f"{shown(form.name)} stands on the first line alone in {first:.0%} of {len(several):,} orders"
            )
    if len(found) == 1 and not several_orders >= LEAST:
        told.pop(f"once_per_order.{found.pop()}")  # one column, in a handful of orders, may be blank by chance
    if found:
        told["once_per_order"] = "; ".join(told.pop(f"once_per_order.{name}") for name in found)
    return {"once_per_order": found} if found else {}


def currency_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """The column that names each row's currency, where every row that counts has one."""
    forms = choice.roles.get("currency", [])
    money = any(c.type == "money" and n in choice.columns for n, c in TABLES[choice.table].columns.items())
    if len(forms) != 1 or not forms[0].filled or not (money or choice.table == "orders"):
        return {}
    codes = counted(forms[0])
    if not all(re.fullmatch("[A-Za-z]{3}", code) for code in codes):
        return {}
    choice.unmapped.pop(forms[0].name, None)
    told["currency_column"] = f"{shown(forms[0].name)}: " + ", ".join(
        f"{c.upper()} ({n:,})" for c, n in list(codes.items())[:8]
    )
    return {"currency_column": forms[0].name}


def hints(choice: Choice, told: Told) -> None:
    """What no setting is proposed for, but whoever fills in client.yml should see: codes that may be no goods, records
    that repeat an earlier one."""
    import pandas as pd

    goods = choice.columns.get("product_id")
    if choice.table == "orders" and goods is not None and goods.kind == "id":
        counts = counted(goods)
        odd = {text: n for text, n in counts.items() if not any(c.isdigit() for c in text)}
        if odd and sum(odd.values()) <= 0.1 * goods.filled:
            told["not_goods"] = "codes without a digit, perhaps no goods: " + ", ".join(
                f"{clean_text(scrub(text))[:30]} ({n:,})" for text, n in list(odd.items())[:12]
            )
    if choice.forms and choice.forms[0].rows:
        again = pd.DataFrame({i: f.sample.astype(object) for i, f in enumerate(choice.forms)}).duplicated().sum()
        if again:
            told["duplicates"] = (
                f"{again:,} of {choice.forms[0].rows:,} records seen repeat an earlier one in every column"
            )
