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
# ISO 4217, list one, without metals, funds and codes for tests; some of countries that have the euro now
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED
VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CODES = frozenset(_CODES.split())
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
