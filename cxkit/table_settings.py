"""How are a table's columns to be read? Formats, decimal mark, ids, statuses, currency, each with its evidence."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cxkit import doubts, time_forms
from cxkit.client import UNKNOWN
from cxkit.column_choice import IDS, Choice, shown
from cxkit.column_kinds import ColumnForm, counted, numbers
from cxkit.currencies import MARKS, codes_by_mark, marks_of
from cxkit.meanings import key, word_lists
from cxkit.privacy import scrub
from cxkit.style import clean_text
from cxkit.tables import TABLES

ALWAYS = 0.99  # of an id's values end, or begin, alike
ONCE = 0.95  # of the orders with several lines
LEAST = 5  # orders of several lines, returns
SHOWN_CODES = 12
BARE = 0.3  # of the lines may have codes without a digit; where more have, that is how codes are here
_TEST = re.compile(r"(?:^|[^a-zа-яіїє])(?:tests?|testow\w*|testing|тест|тестов\w*)(?:$|[^a-zа-яіїє])", re.IGNORECASE)
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
                iso = form.evidence.startswith("ISO")  # among others: an export put together from two
                ways = [f'[iso, "{f}"]' if iso else f'"{f}"' for f in form.ambiguous]
                told[f"date_format.{name}"] = f"{shown(form.name)}: {' or '.join(ways)}? {form.evidence}"
        elif form.date_formats and form.date_formats != ("iso",):
            formats[name] = form.date_formats[0] if len(form.date_formats) == 1 else list(form.date_formats)
            told[f"date_format.{name}"] = f"{shown(form.name)}: {form.evidence}{doubts.swapped_dates(form)}"
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
        if zeros >= ALWAYS * form.filled or doubts.some_end_in_zero(counts):
            settings.setdefault("strip_suffix", {})[name] = ".0"
            told[f"strip_suffix.{name}"] = (
                f"{zeros:,} of {form.filled:,} end in .0, as whole numbers of a spreadsheet do"
                + doubts.one_id_twice(counts)
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


def code_of(word: str, own: str | None = None) -> str:
    """What currency a word names: a code, `грн.`, `€`; the word itself where none is known. `own`: the client's, whose
    marks ($) may be others' too."""
    mark = word.casefold().strip().rstrip(".")
    if own is not None and mark in marks_of(own):
        return own
    return codes_by_mark(MARKS).get(mark, word.upper())


def currency_settings(choice: Choice, told: Told) -> dict[str, Any]:
    """The column that names each row's currency; of money in which each amount bears its mark, the money itself."""
    forms = choice.roles.get("currency", [])
    money = [f for n, f in choice.columns.items() if TABLES[choice.table].columns[n].type == "money"]
    money += [f for role in ("unit_price", "order_total") for f in choice.roles.get(role, ())]
    forms = [f for f in forms if f.filled]
    if not money and choice.table != "orders":
        return {}
    if not forms:
        several = [f for f in money if len(f.marks) > 1]
        if not several:
            return {}
        all_ = [f for f in several if sum(f.marks.values()) == f.filled]
        marks = "; ".join(f"{shown(f.name)}: " + _counted(f.marks) for f in several[:3])
        told["currency_column"] = f"several currencies beside the amounts: {marks}"
        return {"currency_column": all_[0].name if all_ else UNKNOWN}
    if any(_different(forms[0], f) for f in forms[1:]):
        told["currency_column"] = " and ".join(shown(f.name) for f in forms) + " could each be it"
        return {"currency_column": UNKNOWN}
    for form in forms[:1]:
        choice.unmapped.pop(form.name, None)
    words = Counter()
    for word, n in counted(forms[0]).items():
        words[f"{clean_text(word)[:20]}" + (f" = {code}" if (code := code_of(word)) != word.upper() else "")] += n
    told["currency_column"] = f"{shown(forms[0].name)}: {_counted(words)}"
    return {"currency_column": forms[0].name}


def _different(one: ColumnForm, other: ColumnForm) -> bool:
    return bool((one.sample.astype(object) != other.sample.astype(object)).any())


def _counted(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(ranked) - 8:,} more" if len(ranked) > 8 else ""
    return ", ".join(f"{scrub(c)} ({n:,})" for c, n in ranked[:8]) + more


def hints(choice: Choice, told: Told) -> None:
    """What no setting is proposed for, but whoever fills in client.yml should see: records that may be tests, lines
    that may be no goods, as lines ready to be taken; records that repeat an earlier one."""
    if choice.table == "orders":
        _tests(choice, told)
        _no_goods(choice, told)
    if repeated := repeats(choice.forms):
        told["duplicates"] = repeated


def _tests(choice: Choice, told: Told) -> None:
    """Records that a word marks as tests: tags, statuses, channels; not what is sold, and no free text."""
    sold = [choice.columns[n].name for n in ("product", "product_id", "category") if n in choice.columns]
    found: dict[str, list[str]] = {}
    lines, total = [], None
    for form in choice.forms:
        if form.name in sold or form.kind not in ("category", "text", "id") or scrub(form.name) != form.name:
            continue
        counts = counted(form)
        if form.kind != "category" and max(map(len, counts), default=99) > 40:
            continue
        tests = {text: n for text, n in counts.items() if _TEST.search(text)}
        if not tests or sum(tests.values()) > form.rows / 4:
            continue
        word = next((w for w in ("test", "тест") if all(w in t.lower() for t in tests)), None)
        hit = [t for t in counts if word and word in t.lower()]
        exact = [t for t in tests if scrub(t) == t][:SHOWN_CODES]
        found[form.name] = [f"*{word}*"] if word and len(hit) == len(tests) else exact
        those = form.sample.astype(object).isin(list(tests))
        total = those if total is None else total | those
        lines.append(f"{sum(tests.values()):,} by {shown(form.name)}")
    if found:
        told["leave_out"] = f"perhaps tests: {', '.join(lines)}"
        told["leave_out.ready.0"] = json.dumps(
            [found, f"perhaps tests: {int(total.sum()):,} records"], ensure_ascii=False
        )


def _no_goods(choice: Choice, told: Told) -> None:
    """Codes of lines that sell nothing, by the words for it in their names or categories, or by having no digit."""
    goods, about = choice.columns.get("product_id"), [choice.columns.get(n) for n in ("product", "category")]
    about = [f for f in about if f is not None and f.filled]
    words = word_lists("no_goods")

    def says(text: str) -> str:
        own = set(key(text))
        return next((word for phrase, word in words.items() if own.issuperset(phrase)), "")

    meant = {f.name: {text: word for text in counted(f) if (word := says(text))} for f in about}
    if goods is None or not goods.filled:
        for form in about:
            if found := [t for t in meant[form.name] if scrub(t) == t and "*" not in t][:SHOWN_CODES]:
                what = ", ".join(f"{shown(t)} ({counted(form)[t]:,})" for t in found)
                told["leave_out.ready.1"] = json.dumps(
                    [{form.name: found}, f"perhaps no goods: {what}"], ensure_ascii=False
                )
                return
        return
    codes, counts = goods.sample.astype(object), counted(goods)
    odd: dict[str, str] = {}
    for form in about:
        texts = form.sample.astype(object)
        those = texts.isin(list(meant[form.name])) & (codes != "")
        for code, text in dict(zip(codes[those], texts[those], strict=True)).items():
            odd.setdefault(code, meant[form.name][text])
    bare = {text: n for text, n in counts.items() if not any(c.isdigit() for c in text)}
    if goods.kind in ("id", "category") and sum(bare.values()) <= BARE * goods.filled and len(bare) < len(counts) / 2:
        odd = dict.fromkeys(bare, "a code without a digit") | odd
    odd = {code: why for code, why in odd.items() if scrub(code) == code and code != ""}
    if odd and sum(counts[c] for c in odd) < goods.filled / 2:
        ranked = sorted(odd, key=lambda code: (-counts[code], code))[:SHOWN_CODES]
        what = ", ".join(f"{clean_text(c)[:30]} ({counts[c]:,}: {odd[c]})" for c in ranked)
        told["not_goods"] = f"perhaps no goods: {what}"
        told["not_goods.ready.0"] = json.dumps([ranked, told["not_goods"]], ensure_ascii=False)


def repeats(forms: Sequence[ColumnForm]) -> str:
    """How many of the records seen repeat an earlier one; "" where none does."""
    import pandas as pd

    if not forms or not forms[0].rows:
        return ""
    again = pd.DataFrame({i: f.sample.astype(object) for i, f in enumerate(forms)}).duplicated().sum()
    return f"{again:,} of {forms[0].rows:,} records seen repeat an earlier one in every column" if again else ""
