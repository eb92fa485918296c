"""What a query asks for and what it only says about it: the head word, and the words that narrow it down."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cxkit.languages import word_languages
from cxkit.words import one_edit, split_words, stop_words

ONE_LANGUAGE = 0.9  # of the Latin words that are told: then a shop's Latin words are all of it
ASKED = 2_000  # of the commonest texts: their languages are asked of the model
_PREPOSITIONS = (
    "with for and of in on by without from to under over at against like vs or для з із зі без на від до під у в по при"
    " над про та і й или из с со от к под и за об dla z ze bez na od do pod w we po przy nad i lub oraz o za"
)
_MEASURES = (
    "size sizes stage pack packs pcs pc inch inches piece pieces month months year years kg g mg ml l cm mm m gb tb w v"
    " розмір розміру розміри шт штук кг г мл л см мм м літр літри місяць місяців рік роки років"
    " размер размера размеры лет год года месяц месяцев литр литра rozmiar rozmiary rozmiarze szt sztuk cal cali"
    " miesiac miesiecy rok lata lat litr litry litrow"
)
# English words that follow what they narrow down: for whom it is, its colour
_BEHIND = (
    "men mens man women womens woman ladies girls girl boys boy kids kid children adults toddler toddlers unisex sale"
    " cheap new large small big mini black white red blue green grey gray pink brown beige purple yellow orange gold"
    " silver navy teal clear"
)
# words for several of a thing: what they hold is looked for
_SETS = (
    "set sets pair pairs bundle collection комплект комплекти комплекты набір набори набор наборы пара пари пары"
    " упаковка zestaw zestawy komplet komplety para pary opakowanie"
)
_GOODS = "ring rings shed overall overalls miss pan"  # in lists of stop words, and goods
_NO_FEATURES = "lighting bedding flooring shelving clothing earring ring wedding string spring awning"
PREPOSITIONS, MEASURES, BEHIND, SETS, GOODS, NO_FEATURES = (
    frozenset(words.split()) for words in (_PREPOSITIONS, _MEASURES, _BEHIND, _SETS, _GOODS, _NO_FEATURES)
)
DIMINUTIVES = re.compile("^(и?ч?ик|оч?к|еч?к|очок|еньк|ен|i?cz?yk|ik|[oe]cz?k|k|к)$")
_ADJECTIVES = {
    "uk": re.compile(
        r"(ий|ій|ого|ої|ому|ою|их|ими|[гкх]і)$|[сц]ьк(а|е|і|у)$|[бвгджзклмпрстфхцчшщь']н(а|е|і|у)$|[оеє]в(а|е|і)$"
        r"|(яч|юч|уч|ач|щ)(а|е|і)$|[аяо]т(а|е|і)$|ян(а|у)$|(ян|ан|он|ен|їн|ин)(е|і)$|(ш|ж|г|л|х)е$"
    ),
    "ru": re.compile(
        r"[^аеиоуыэюя](ый|ой|ая|яя|ое|ее|ые|ого|его|ому|ему|ых|ую|юю)$|(?<!н)(ие)$|[кгхшжщчн](ий|ими|их)$|[оеё]в(ый|ая|ое|ые)$"
    ),
    "pl": re.compile(
        r"(ow|[scz]k|czn|[^aeiouy]n|jn|an|on|en|in|ac|ec|liw|at|l|r|w|st|b|d|p)(y|ego|ej|ych|ymi|ym)$"
        r"|(ow|[sc]k|czn|jn|[bdgjlmprstwz]n|an|on|liw|ac|ec)a$|([^aeiouyi]n|an|on|en|ow|l|r|k|g|sz|liw|ac|ec|wsz)e$"
        r"|(sk|ck)i(e|ego|ej|ch)?$|(n|k|g)ie?go$|iej$"
    ),
}


# spellings that one of the two has and the other hardly ever
_ENGLISH = re.compile(
    r"th|sh|ck(?![iaeouy])|oo|ee|ea|ou|oa|oi|ai|ay|ey|ph|wh|qu|gh|x|v|bb|dd|ff|gg|ll|mm|pp|rr|ss|tt|[^u]s\b|ing\b|ed\b"
    r"|[ai]ble\b|[kgp]e\b|ight|tion"
)
_POLISH = re.compile(
    r"cz|sz|rz|dz|[aeiouy]j|j[aeou]|ni[aeo]|[sc]k[iae]\b|ow[yae]\b|k[iae]\b|[^aeiou]n[yae]\b|cj|zn|ch[aey]\b|prz|[lrn]k[aio]|ego\b|wy"
    r"|[ptk]y\b|ik\b"
)


_POLISH_LETTERS = re.compile("[ąćęłńśźż]")
_OTHER_LETTERS = re.compile(r"(?![a-zЀ-ӿó])[^\W\d_]")


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Each text's words (`words.split_words`), every distinct one looked at once."""
    known: dict[str, list[str]] = {}
    for text in texts:
        for token in text.split():
            if token not in known:
                known[token] = split_words(token)
    return [[word for token in text.split() for word in known[token]] for text in texts]


def spoken(words: Sequence[Sequence[str]], counts: Sequence[int], *, texts: Sequence[str]) -> dict[str, str]:
    """Each word's language: uk, ru, pl or en.

    From: `words_of` the texts; how often each was written; the texts. How: `languages.word_languages` of the commonest
    texts, but short Latin ones are told by their spelling; what neither tells is in the language of most others of its
    alphabet. A query of two words says little to a model of characters: without this, English words of a Polish shop
    would be taken for Polish.
    """
    common = sorted(range(len(texts)), key=lambda i: (-counts[i], texts[i]))[:ASKED]
    told = word_languages([texts[i] for i in common], [counts[i] for i in common])
    votes = _votes(words, counts, texts)
    english, polish = (sum(abs(v) for v in votes.values() if v * side > 0) for side in (1, -1))
    sums = Counter(told[w] for i in common for w in words[i] if w in told and _is_cyrillic(w))
    rest = "ru" if sums["ru"] > sums["uk"] else "uk"
    languages = {}
    for word in dict.fromkeys(w for row in words for w in row):
        if _is_cyrillic(word):
            languages[word] = told.get(word) or (
                "uk" if set(word) & set("іїє") else "ru" if set(word) & set("ыэъ") else rest
            )
        elif votes[word] or english != polish:
            languages[word] = "en" if (votes[word] or english - polish) > 0 else "pl"
        else:
            languages[word] = told.get(word, "en")
    return languages


def told_by_spelling(
    words: Sequence[Sequence[str]], counts: Sequence[int], *, texts: Sequence[str], languages: Mapping[str, str]
) -> dict[str, str]:
    """Of `spoken` the words whose spelling, or that of what they stand beside, tells the language, and no numbers; all
    words where nine in ten Latin ones that are told are of one language."""
    votes = _votes(words, counts, texts)
    sides = [sum(abs(v) for v in votes.values() if v * side > 0) for side in (1, -1)]
    alone = max(sides) >= ONE_LANGUAGE * sum(sides)
    return {w: k for w, k in languages.items() if w[:1].isalpha() and (alone or _is_cyrillic(w) or votes[w])}


def _votes(words: Sequence[Sequence[str]], counts: Sequence[int], texts: Sequence[str]) -> Counter[str]:
    """How many searches more are spelt as English than as Polish, of each Latin word."""
    votes: Counter[str] = Counter()
    for text, row, weight in zip(texts, words, counts, strict=True):
        latin = [word for word in row if "a" <= word[0] <= "z"]
        if latin and (side := _spelt(text.lower(), " ".join(latin))):
            for word in set(latin):
                votes[word] += side * weight
    return votes


def _spelt(low: str, plain: str) -> int:
    """Whether a Latin text is spelt as English (1), as Polish (-1), or as neither."""
    if not low.isascii():
        if _POLISH_LETTERS.search(low):
            return -1
        if _OTHER_LETTERS.search(low):
            return 0
    score = len(_ENGLISH.findall(plain)) - len(_POLISH.findall(plain))
    return (score > 0) - (score < 0)


class Reading(NamedTuple):
    """A query as it is understood: stems in their order, the head's stem, stems of words that narrow it down, the words
    without blanks (pillow case, pillowcase), measures and numbers, whether it is English, the head as a word."""

    stems: tuple[str, ...]
    head: str
    narrowing: frozenset[str]
    joined: str
    measures: frozenset[str]
    english: bool
    thing: str


def read_query(words: Sequence[str], *, stems: Mapping[str, str], languages: Mapping[str, str]) -> Reading:
    """From: a query's words (`words.split_words`); each normal word's stem and language. To: its Reading.

    The head is what is looked for. In English it is the last word before a preposition (bottle warmer for travel: a
    warmer), behind which may stand a colour or for whom it is; in Ukrainian, Russian and Polish the first that is no
    adjective (wózek spacerowy; дощовик для коляски). Words in another alphabet than the rest are brands and no heads.
    Numbers, sizes and units narrow nothing down: they choose among goods of one kind.
    What it cannot do: it knows endings and places, not meanings; an ending shared by nouns and adjectives may mislead.
    """
    kept, cut, stop = [], None, stop_words()
    for word in words:
        if word in PREPOSITIONS:
            if cut is None and any(not _is_measure(w) and w not in SETS for w in kept):
                cut = len(kept)
        elif word not in stop or word in GOODS or len(words) == 1:
            kept.append(word)
    plain = [w for w in kept if not _is_measure(w)]
    phrase = [w for w in kept[:cut] if not _is_measure(w)] or plain
    english = _is_english(plain, languages)
    head = _head(phrase, languages, english=english)
    own = tuple(stems.get(w, w) for w in plain)
    head_stem = stems.get(head, head)
    return Reading(
        own,
        head_stem,
        frozenset(own) - {head_stem},
        "".join(plain),
        frozenset(w for w in kept if _is_measure(w)),
        english,
        head,
    )


@lru_cache(maxsize=1 << 16)
def _is_measure(word: str) -> bool:
    return word in MEASURES or word[:1].isdigit() or (len(word) < 6 and any(c.isdigit() for c in word))


def _head(phrase: Sequence[str], languages: Mapping[str, str], *, english: bool) -> str:
    phrase = [w for w in phrase if w not in SETS] or phrase
    if len(phrase) < 2:
        return phrase[0] if phrase else ""
    cyrillic = [w for w in phrase if _is_cyrillic(w)]
    if cyrillic and len(cyrillic) < len(phrase):  # the rest is a brand
        return _head(cyrillic, languages, english=False)
    if english:
        return next((w for w in reversed(phrase) if not _is_feature(w)), phrase[-1])
    return next((w for w in phrase if not is_adjective(w, languages.get(w, ""))), phrase[-1])


def _is_english(words: Sequence[str], languages: Mapping[str, str]) -> bool:
    found = [languages.get(w, "") for w in words if not _is_cyrillic(w)]
    return len(found) == len(words) and found.count("en") >= found.count("pl")


@lru_cache(maxsize=1 << 16)
def _is_feature(word: str) -> bool:
    """English: what may follow the head (white, men, noise cancelling, waterproof)."""
    ends = (
        (word.endswith("ing") and len(word) > 5)
        or word.endswith(("proof", "less"))
        or (word[-2:] == "ed" and len(word) > 5)
    )
    return word in BEHIND or (ends and word not in NO_FEATURES)


def _is_cyrillic(word: str) -> bool:
    return "Ѐ" <= word[:1] <= "ӿ"


@lru_cache(maxsize=1 << 16)
def is_adjective(word: str, language: str) -> bool:
    """Whether a word ends as adjectives of its language do, as far as endings tell."""
    found = _ADJECTIVES.get(language)
    return bool(found and len(word) > 3 and found.search(word))


def near(one: str, other: str) -> bool:
    """Whether two stems may be one word misspelt: one edit, the same first letter, at least five letters.

    Another letter in place of one needs six: shorter words that differ so are mostly two words (стіл, стіл; plate,
    plane). Source: Damerau (1964), CACM 7(3); that first letters are seldom wrong: Pollock & Zamora (1984), CACM 27(4).
    """
    if one[:1] != other[:1] or any(c.isdigit() for c in one + other):
        return False
    least = 6 if len(one) == len(other) and sorted(one) != sorted(other) else 5
    return max(len(one), len(other)) >= least and one_edit(one, other)


def same_root(one: str, other: str) -> bool:
    """Whether two stems of words that narrow down are of one root: one begins with the other (зерн, зернов; wood,
    wooden), or they share five letters and three quarters of the shorter (расклад-н, расклад-ыв)."""
    short, long = sorted((one.replace("'", ""), other.replace("'", "")), key=len)
    if len(short) >= 3 and long.startswith(short) and len(long) - len(short) <= 4:
        return True
    shared = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return shared >= 5 and 4 * shared >= 3 * len(short)


def diminutive(one: str, other: str) -> bool:
    """Whether one stem is the other with a suffix that makes it small (зонт, зонтик; ламп, лампочк)."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and long.startswith(short) and bool(DIMINUTIVES.match(long[len(short) :]))


def same(one: Reading, other: Reading) -> bool:
    """Whether two queries ask for the same: the rule that `query_groups.same_need` and the groups rest on.

    The same stems in any order; or the same letters with blanks elsewhere; or the same head, and the words that narrow
    the one down are among those of the other (a narrower way of asking for it). Words meet by stem, by one misspelt
    letter, or, those that narrow down, by root. Two queries with one head and words of their own on both sides ask for
    two things (winter boots, rubber boots).
    """
    if not one.stems or not other.stems:
        return one == other
    if sorted(one.stems) == sorted(other.stems) or one.joined == other.joined:
        return True
    if min(len(one.joined), len(other.joined)) >= 6 and near(one.joined, other.joined):
        return True
    few, many = sorted((one, other), key=lambda r: len(r.stems))
    heads = few.head == many.head or near(few.head, many.head) or diminutive(few.head, many.head)
    if heads:
        return _all_in(sorted(few.narrowing), sorted(many.narrowing), root=True)
    # the same words in other forms, whichever comes last; or more features behind what was asked for (headphones …)
    alike = len(few.stems) == len(many.stems) or (many.english and len(few.stems) > 1 and many.stems[0] == few.head)
    return alike and _all_in(few.stems, many.stems, root=len(few.stems) > 1)


def _all_in(few: Sequence[str], many: Sequence[str], *, root: bool) -> bool:
    left = list(many)
    for word in few:
        match = next((w for w in left if w == word), None)
        match = match or next((w for w in left if near(w, word) or (root and same_root(w, word))), None)
        if match is None:
            return False
        left.remove(match)
    return True
