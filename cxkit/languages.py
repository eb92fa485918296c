"""In which language was it written: Ukrainian, Russian, Polish, English, or another one."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cxkit.words import normal_text, split_words

LANGUAGES = ("uk", "ru", "pl", "en")
NAMES = {"uk": "Ukrainian", "ru": "Russian", "pl": "Polish", "en": "English", "other": "another language",
         "unknown": "too short to tell"}  # fmt: skip
ONE_ALPHABET = {"cyrillic": ("uk", "ru"), "latin": ("pl", "en")}
LONG_ENOUGH = {"cyrillic": (6, 40), "latin": (3, 16)}  # words, letters: then the model is asked among many languages
SURELY_LONG = {"cyrillic": (12, 80), "latin": (6, 30)}  # then what it tells helps to tell the others
SURE = 0.7  # of the model, between the two languages of one alphabet
MOSTLY = 0.8  # of the texts that a word stands in: then it is a word of their language
CUT = 2000  # letters of a text that are looked at

_CYRILLIC, _LATIN, _LETTER = re.compile("[Ѐ-ӿ]"), re.compile("[A-Za-zÀ-ɏ]"), re.compile(r"[^\W\d_]")
_LETTERS = {  # of texts in lower case
    "uk": re.compile("[іїєґ]|(?<=[бпвмфркд])['’ʼ](?=[яюєї])|(?:ння|ття|нню|ттю|\\w\\wвся)\\b"),
    "ru": re.compile(r"[ыэъё]|(?:[иое]е|и[июя]|тся|лся|[еи]шь)\b|\w{3}ой\b"),
    "pl": re.compile("[ąćęłńśźż]"),
    "cyrillic": re.compile("[ўђјљњћџѓќѕәғқңөұүһ]"),  # of other languages
    "latin": re.compile("[àâäáãåæçèéêëìíîïñòôöõøœùúûüýÿßčďěňřšťůžğışțăőű]"),
}
_OTHERS = {
    "cyrillic": ("be", "bg", "kk", "mk", "sr"),
    "latin": ("cs", "de", "es", "fi", "fr", "hr", "hu", "it", "lt", "lv", "nl", "pt", "ro", "sk", "sl", "sv", "tr"),
}
# Small words that stand in one of the two languages of an alphabet alone (not: не, для, до, без; do, on, my)
_SMALL = {
    "uk": "та що як це від й щоб дуже але або ще вже коли який немає чи зі із ви ми він вона треба є було",
    "ru": "и что как это от чтобы очень но или еще уже когда который нет ли из вы мы он она надо было есть",
    "pl": "i w z na nie jest sie ze dla od po czy jak ale bardzo co to bylo mam moje przy przez juz tylko brak lub",
    "en": "the and of is was for with not in it to you i no very all this that are have at when where too",
}


def languages_of(texts: Sequence[str]) -> list[str]:
    """Each text's language: uk, ru, pl, en, other, or unknown (no letters; too short, and nothing decides).

    Letters that only one language has decide first (і ї є ґ; ы э ъ ё; ą ć ę ł), and endings that Ukrainian has and
    Russian has not, or the other way (-ння, -ое, -ия, -лся), then small words; of long texts a
    model of character sequences, among many languages. Of the rest, where half of a text's words stand in texts told so
    far, it is in their language; else the model tells it, between the two of its alphabet where it is short, if it is
    sure (in Cyrillic each is as likely beforehand as the texts told by letters are; English has no letters that would
    tell it). Of a text the first 2,000 letters are looked at. Source of the model: Lui & Baldwin (2012), langid.py: An
    Off-the-shelf Language Identification Tool, ACL 2012 demos, 25-30 (the package py3langid).
    """
    distinct = {text: str(text)[:CUT].lower() for text in texts}
    told = {text: _by_letters(low) for text, low in distinct.items()}
    before = {k: 1 + sum(v == k for v in told.values()) for k in LANGUAGES}
    told |= {t: _by_model(distinct[t], before) for t, k in told.items() if not k and _is_long(distinct[t], SURELY_LONG)}
    votes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for text, language in told.items():
        if language in (*LANGUAGES, "other"):
            for word in set(split_words(distinct[text])):
                votes[word][language] += 1
    theirs = {w: k for w, v in votes.items() for k in (*LANGUAGES, "other") if v.get(k, 0) >= MOSTLY * sum(v.values())}
    for text, language in told.items():
        if not language:
            told[text] = _by_company(distinct[text], theirs) or _by_model(distinct[text], before)
    return [told[text] for text in texts]


def word_languages(
    texts: Sequence[str], counts: Sequence[int] | None = None, *, languages: Sequence[str] | None = None
) -> dict[str, str]:
    """Each word's language, one for all texts, so that a word has one stem.

    From: texts, how often each was written (once, where nothing is given), and their languages where `languages_of` has
    told them already. To: normal word -> uk, ru, pl or en, in
    order of the alphabet: the language of most of the texts that it stands in. A word of texts in no known language
    goes to the likelier one of its alphabet, by its letters, or by the model and the texts that are told.
    """
    found = languages_of(texts) if languages is None else languages
    sums: dict[str, float] = defaultdict(float)
    votes: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    weights = [1] * len(texts) if counts is None else list(counts)
    left: dict[str, float] = defaultdict(float)
    for text, language, weight in zip(texts, found, weights, strict=True):
        if language in LANGUAGES:
            sums[language] += weight
            for word in dict.fromkeys(split_words(text)):
                votes[word][language] += weight
        else:
            left[text] += weight
    for text in sorted(left):
        for word in dict.fromkeys(split_words(text)):
            if not votes.get(word):
                votes[word] = {_by_habit(word, sums): 1.0}
    return {w: max(LANGUAGES, key=lambda k, v=votes[w]: v.get(k, 0.0)) for w in sorted(votes)}


def _by_habit(word: str, sums: dict[str, float]) -> str:
    alphabet = "cyrillic" if _CYRILLIC.search(word) else "latin"
    two = ONE_ALPHABET[alphabet]
    for language in two:
        if language in _LETTERS and _LETTERS[language].search(word):
            return language
    return _weighed(word, two, {k: 1 + sums.get(k, 0.0) for k in two})[0]


def _alphabet(text: str) -> str:
    return "cyrillic" if len(_CYRILLIC.findall(text)) >= len(_LATIN.findall(text)) else "latin"


def _by_letters(text: str) -> str:
    """The language that letters or small words tell; nothing where they do not."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return "unknown"
    if 2 * (len(_CYRILLIC.findall(text)) + len(_LATIN.findall(text))) < letters:
        return "other"
    two = ONE_ALPHABET[alphabet := _alphabet(text)]
    marks = [len(_LETTERS[k].findall(text)) if k in _LETTERS else 0 for k in two]
    foreign = len(_LETTERS[alphabet].findall(text))
    if marks[0] != marks[1] and max(marks) > foreign:
        return two[marks[1] > marks[0]]
    words = normal_text(text).split()
    small = [sum(w in _small(k) for w in words) for k in two]
    if not foreign and small[0] != small[1] and max(small) >= (2 if _is_long(text) else 1):
        return two[small[1] > small[0]]
    return ""


def _by_company(text: str, theirs: dict[str, str]) -> str:
    """The language of the texts that at least half of the words stand in; nothing where the words differ."""
    words = [w for w in split_words(text) if not w.isdigit()]
    known = [theirs[w] for w in words if w in theirs]
    found = {k: known.count(k) for k in (*LANGUAGES, "other") if k in known}
    best = max(found, key=found.get, default="")
    return best if best and 2 * found[best] >= len(words) and found[best] > len(known) - found[best] else ""


def _by_model(text: str, before: Mapping[str, float]) -> str:
    two = ONE_ALPHABET[alphabet := _alphabet(text)]
    if _is_long(text):
        language = _model((*two, *_OTHERS[alphabet])).classify(text)[0]
        return language if language in two else "other"
    words = normal_text(text).split()
    if _LETTERS[alphabet].search(text):
        return "other" if len(words) > 1 else "unknown"
    language, sure = _weighed(" ".join(words), two, before)
    return language if sure >= SURE else "unknown"


def _weighed(text: str, two: tuple[str, str], before: Mapping[str, float]) -> tuple[str, float]:
    likely = {k: p * (before[k] if "uk" in two else 1) for k, p in _model(two).rank(text)}
    best = max(two, key=lambda k: likely[k])
    return best, likely[best] / sum(likely.values())


def _is_long(text: str, least: Mapping[str, tuple[int, int]] = LONG_ENOUGH) -> bool:
    words, letters = least[_alphabet(text)]
    return len(text.split()) >= words and len(_LETTER.findall(text)) >= letters


@lru_cache(maxsize=4)
def _small(language: str) -> frozenset[str]:
    other = next(k for two in ONE_ALPHABET.values() if language in two for k in two if k != language)
    return frozenset(_SMALL[language].split()) - frozenset(_SMALL[other].split())


@lru_cache(maxsize=4)
def _model(languages: tuple[str, ...]):
    """The model, held to some languages; it is read once."""
    import copy

    model = copy.copy(_whole_model())
    model.set_languages(list(languages))
    return model


@lru_cache(maxsize=1)
def _whole_model():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
