"""What do the names of columns mean? Phrases of four languages (meanings.yml) against a header's words."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cxkit.settings_file import read_yaml
from cxkit.tables import TABLES
from cxkit.words import normal_text, stem

FILE = Path(__file__).parent / "meanings.yml"
LANGUAGES = ("en", "uk", "ru", "pl")
CURRENCIES = {
    "uah": "UAH", "грн": "UAH", "гривень": "UAH", "гривні": "UAH", "pln": "PLN", "zl": "PLN", "złotych": "PLN",
    "eur": "EUR", "евро": "EUR", "євро": "EUR", "usd": "USD", "gbp": "GBP", "rub": "RUB", "руб": "RUB", "czk": "CZK",
}  # fmt: skip
_SIGNS = {"₴": " uah ", "€": " eur ", "£": " gbp ", "zł": " zl ", "№": " no ", "#": " no "}
NUMBERS = ("no", "nr", "num", "number", "numer", "номер", "ном", "n")
IDS = ("id", "ід", "ид", "identifier", "identyfikator", "ідентифікатор", "идентификатор")
_SAME = dict.fromkeys(NUMBERS, "no") | dict.fromkeys(IDS, "id")
SMALL = (  # words that make no difference; by, to, do, до and their like do: invited by, answer by
    "a an the of for and in on at w we z ze na dla i od po przy у в на з із зі для за та і й по с со к от и при utc gmt"
)


@dataclass(frozen=True)
class Meaning:
    """What a phrase means in a table: a canonical column, or a name under `aside` (then `why` says why it stays out).
    weak: the phrase says little by itself. rank: how early it stands in its list. own: said of this table alone."""

    column: str
    language: str
    weak: bool
    own: bool
    rank: int
    why: str = ""


def key(name: str) -> tuple[str, ...]:
    """A name as it is compared: its words' stems, in order of the alphabet, without what makes no difference."""
    text = re.sub(r"(?<=[a-zа-яіїє])(?=[A-ZА-ЯІЇЄ])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    words = [w for w in normal_text(text).split() if w not in CURRENCIES]
    kept = [w for w in words if w not in _small()] or words
    return tuple(sorted({_stem(_SAME.get(w, w)) for w in kept}))


def _stem(word: str) -> str:
    if re.search("[а-яіїєґ]", word):
        return stem(word, "uk")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@cache
def _small() -> frozenset[str]:
    return frozenset(SMALL.split())


def currency_of(name: str) -> str | None:
    """The currency that a column's name names: `Сума, грн` -> UAH."""
    text = name
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    found = {CURRENCIES[w] for w in normal_text(text).split() if w in CURRENCIES}
    return found.pop() if len(found) == 1 else None


@cache
def meanings(table: str) -> dict[tuple[str, ...], Meaning]:
    """Key of a phrase -> what it means in this table."""
    read, found = _read(), {}
    for column, phrases in read["tables"][table].items():
        _take(found, column, phrases, own=True)
    for column in TABLES[table].columns:
        if column in read["shared"]:
            _take(found, column, read["shared"][column], own=False)
    for role, phrases in read["aside"].items():
        _take(found, role, phrases, own=False, why=phrases["why"])
    return found


@cache
def word_lists(section: str) -> dict[tuple[str, ...], str]:
    """Key of a phrase -> the word of ours it stands for, of `files`, `statuses` or `metrics`."""
    found: dict[tuple[str, ...], str] = {}
    for word, phrases in _read()[section].items():
        for phrase in (p for language in LANGUAGES for p in _split(phrases.get(language, ""))):
            found.setdefault(key(phrase), word)
    return found


@cache
def question_words() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Metric -> keys of phrases, one of which stands whole in a question that asks for it."""
    return {
        metric: tuple(key(p) for language in LANGUAGES for p in _split(phrases.get(language, "")))
        for metric, phrases in _read()["questions"].items()
    }


def metrics_of(question: str) -> list[str]:
    """The metrics that a question's wording may ask for."""
    words = set(key(question))
    return [m for m, keys in question_words().items() if any(words.issuperset(k) for k in keys)]


def _split(phrases: str) -> list[str]:
    return [p.strip() for p in phrases.split(",") if p.strip()]


def _take(found: dict, column: str, phrases: dict[str, str], *, own: bool, why: str = "") -> None:
    for language in LANGUAGES:
        for rank, phrase in enumerate(_split(phrases.get(language, ""))):
            meaning = Meaning(column, language, phrase.startswith("~"), own, rank, why)
            found.setdefault(key(phrase.lstrip("~")), meaning)


@cache
def _read() -> dict:
    return read_yaml(FILE, begins="`files:`, what the names of files say")
