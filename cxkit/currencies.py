"""Which marks stand beside an amount of which currency? zł, ₴, грн., $ and the codes of ISO 4217."""

from collections.abc import Iterable

# folded: small letters, no dot at the end. A mark may be of several currencies ($, kr): the client's settings decide
_MARKS = {
    "UAH": "₴ грн гривня гривні гривень",
    "PLN": "zł zl złoty złote złotych",
    "EUR": "€ eu€ euro євро евро",
    "USD": "$ us$ дол",
    "GBP": "£ gb£",
    "RUB": "₽ руб р rur",
    "BYN": "br byr",
    "KZT": "₸ тг тенге",
    "CZK": "kč kc",
    "HUF": "ft",
    "RON": "lei leu",
    "MDL": "lei leu",
    "BGN": "лв lv",
    "GEL": "₾",
    "CHF": "fr sfr",
    "SEK": "kr",
    "NOK": "kr",
    "DKK": "kr",
    "ISK": "kr",
    "TRY": "₺ tl",
    "ILS": "₪",
    "INR": "₹ rs",
    "JPY": "¥ 円",
    "CNY": "¥ 元 rmb",
    "KRW": "₩",
    "BRL": "r$",
    "MXN": "$ mx$",
    "CAD": "$ c$ ca$",
    "AUD": "$ a$ au$",
    "NZD": "$ nz$",
    "SGD": "$ s$",
    "HKD": "$ hk$",
    "AED": "د.إ dh dhs",
    "ZAR": "r",
}
MARKS: dict[str, tuple[str, ...]] = {code: (code.lower(), *marks.split()) for code, marks in _MARKS.items()}
KNOWN = tuple(sorted({mark for marks in MARKS.values() for mark in marks}))


def marks_of(code: str) -> tuple[str, ...]:
    """The marks that an amount of this currency may bear; its code alone where no other is known."""
    return MARKS.get(code.upper(), (code.lower(),))


def codes_by_mark(codes: Iterable[str]) -> dict[str, str]:
    """Mark -> code, among these currencies. What is left out: marks that several of them share."""
    found: dict[str, list[str]] = {}
    for code in dict.fromkeys(code.upper() for code in codes):
        for mark in marks_of(code):
            found.setdefault(mark, []).append(code)
    return {mark: one[0] for mark, one in found.items() if len(one) == 1}
