"""Words that customers write: one spelling, one stem for the forms of a word, and which forms and misspellings meet."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

KINDS = ("same", "plural_or_case", "typo")
LEAST_TYPO_LETTERS = 5  # of the right word: in shorter ones one letter makes another word
FIRST_LETTER_SURE = 7  # letters: in shorter words the first letter is taken for right (шорти, торти)
COMMONER = 10  # times: a word so much rarer than its neighbour is taken for a misspelling of it
POLITE = (
    "please thanks thank hello hi regards дякую дякуємо спасибі привіт вітаю ласка прошу благодарю спасибо привет"
    " здравствуйте пожалуйста чесно кажучи честно говоря honest honestly"
    " szczerze mowiac dziekuje dziekujemy prosze witam czesc pozdrawiam dzien dobry"
)  # fmt: skip
# In the lists of stop words, but they tell what is looked for or what went wrong: numbers, sizes, order, time, goods.
MEANING = (
    "one two three four five six seven eight nine ten twelve twenty first second third fourth half full next back big"
    " small large thin thick long high low mini plus tv case cases room rooms novel computer page pages site"
    " website web order orders ordered ordering help problem problems change changes new newest old young cry clear"
    " open close turn show top bottom front side end call bill work works working worked fire system text"
    " words wonder face fill number numbers later late soon quickly slightly microsoft kind mug"
    " keys tip tips sent received different wrong"
    " ml mg kg cm mm km gr xl s m l d b c man men member members home homepage state part parts point points less"
    " один одна два дві двох три чотири п'ять шість сім вісім дев'ять десять перший другий третій рік років року день"
    " довго пізніше раніше рано час часу високий низький великий мало багато відсотків людина"
    " две двух четыре пять шесть семь восемь девять первый второй третий год года году лет день дня дней долго позже"
    " время времени много процентов человек jeden jedna dwa dwie trzy raz lat roku rok duzo malo nowe czasu"
)  # fmt: skip

_KEPT = frozenset("йїў")  # letters of their own, not letters with an accent
_OTHER_LETTERS = str.maketrans({"ґ": "г", "ł": "l", "đ": "d", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe"})
_APOSTROPHES = re.compile("[’ʼ`´‘′＇ʹ\u02bb]")
_QUOTED = re.compile(r'(?<=[бпвмфркдтзсгхжчшщнл])["*](?=[яюєї])')  # дерев"яні, as keyboards without ' write it
_APART = re.compile(r"[^\w']+|_+|(?<!\w)'+|'+(?!\w)")
_CYRILLIC = re.compile("[а-яєіїґў]")


class _Accents(dict):
    """One character -> what stands for it; each looked up once."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        if unicodedata.category(letter) == "Mn":
            plain = ""
        elif letter in _KEPT:
            plain = letter
        else:
            parts = unicodedata.normalize("NFD", letter)
            plain = unicodedata.normalize("NFC", "".join(c for c in parts if unicodedata.category(c) != "Mn"))
        self[code] = plain
        return plain


_ACCENTS = _Accents()


def normal_text(text: str) -> str:
    """A text as it is compared: lower case, without accents, ё as е, ґ as г, words apart by one space.

    Compatibility forms are made one (NFKC); й and ї stay, as they are letters of their own; of signs only an apostrophe
    inside a word stays, however it was written. What is normal already is unchanged.
    """
    found = _once(str(text))
    while (again := _once(found)) != found:
        found = again
    return found


def _once(text: str) -> str:
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = _QUOTED.sub("'", _APOSTROPHES.sub("'", text))
    text = text.translate(_ACCENTS).translate(_OTHER_LETTERS)
    return " ".join(_APART.sub(" ", text).split())


def split_words(text: str) -> list[str]:
    """The words of a text, in their normal spelling; an apostrophe inside a word is part of it."""
    return [word for piece in str(text).split() for word in _piece_words(piece)]


@lru_cache(maxsize=1 << 18)
def _piece_words(piece: str) -> tuple[str, ...]:
    return tuple(normal_text(piece).split())


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Words that say nothing of the matter, of the four languages, in their normal spelling.

    What is left out: numbers, sizes and other words that customers look for goods with. Source: the lists of the
    package stop-words (Ukrainian, Russian, Polish, English), and words of courtesy.
    """
    import stop_words as lists

    names = ("ukrainian", "russian", "polish", "english")
    every = [w for name in names for w in lists.get_stop_words(name)]
    normal = {normal_text(w) for w in [*every, *POLITE.split()]}
    kept = {normal_text(w) for w in MEANING.split()}
    return frozenset(w for w in normal - kept if w and " " not in w and not any(c.isdigit() for c in w))


@lru_cache(maxsize=1)
def foreign_stop_words() -> frozenset[str]:
    """As `stop_words`, of all the other languages that the package has a list of."""
    import stop_words as lists

    every = (normal_text(w) for name in sorted(lists.AVAILABLE_LANGUAGES) for w in lists.get_stop_words(name))
    return frozenset(w for w in every if w)


# Endings of Ukrainian nouns, adjectives and verbs, and how many letters must stay before them. Longest first.
_UK_SHORT = (  # three letters stay before these
    "ого ього ому ьому ими іми ями ами ією ої ьої єї ою ею єю ий ій ія ії ію їй их іх ів їв ей ам ах у ю а я о е є и і"
    " ї ь й"
)
_UK_LONG = (  # four
    "ят ям ях ом ем єм им ім ати яти ити іти ути али яли или іли ала яла ила іла ало яло ило іло ав яв ив ал ил ать ять"
    " ить уть ють їть ете єте ите їте емо ємо имо їмо еш єш иш їш"
)
_UK_ENDINGS = sorted(
    [*((e, 3) for e in _UK_SHORT.split()), *((e, 4) for e in _UK_LONG.split())], key=lambda pair: (-len(pair[0]), pair)
)
_AGAIN = (("ам", 3), ("ах", 3), *((e, 4) for e in ("ят", "ям", "ях", "ом", "ем", "єм", "им", "ім", "ів", "ал", "ил")))
_ODD = {"дорого": "дорог", "смесь": "смес", "смесью": "смес"}  # that the rules would cut too short
_ENGLISH = {"children": "child", "feet": "foot", "teeth": "tooth", "men": "man", "women": "woman", "mice": "mouse",
            "kids": "kid", "shoes": "shoe", "knives": "knife", "shelves": "shelf", "people": "person"}  # fmt: skip


@lru_cache(maxsize=1 << 18)
def stem(word: str, language: str) -> str:
    """What the forms of a word have in common: its stem. From: a word in its normal spelling, and its language.

    Russian, Polish and English: Snowball (Polish endings are given their accents back first). Ukrainian: the longest
    ending of a list is cut, in the way of a light stemmer. Then, in the Slavic languages, what changes inside a word is
    made one: the fleeting vowel of іграшок, автокресел, zabawek; ц for к (картці, paczce); і for о (якість, якості).
    What is left out: forms of one word by other rules (друг, друзі), and words of one root (дитина, дитячий).
    Words with a digit are their own stem. Source: Porter's Snowball; Savoy (2006), Light Stemming Approaches for the
    French, Portuguese, German and Hungarian Languages, ACM SAC, 1031-1035, for the idea.
    """
    if any(c.isdigit() for c in word) or language not in ("uk", "ru", "pl", "en"):
        return word
    if language == "en":
        bare = re.sub(r"'s?$", "", word).replace("'", "")
        return _snowball("english").stemWord(_ENGLISH.get(bare, bare)) or word
    bare = word.replace("'", "")
    if bare in _ODD:
        return _ODD[bare]
    if language == "uk":
        return _settled(_ukrainian(bare)) or word
    if language == "ru":
        russian = _snowball("russian").stemWord
        return _settled(russian(russian(bare))) or word  # twice: проблема -> проблем -> пробл, as проблем itself
    return _settled(_polish(bare)) or word


@lru_cache(maxsize=3)
def _snowball(name: str):
    import snowballstemmer

    return snowballstemmer.stemmer(name)


def _ukrainian(word: str) -> str:
    if len(word) > 5 and word.endswith(("ся", "сь")):
        word = word[:-2]
    first = _cut(word, _UK_ENDINGS)
    if first.endswith("ен") and word.endswith(("ення", "енню")):  # замовлення: its plural is замовлень
        return first
    return _cut(first, _AGAIN)  # проблем is a form of проблема, and ends as one of стіл does


def _cut(word: str, endings) -> str:
    for ending, least in endings:
        stays = len(word) - len(ending)
        if stays >= least and word.endswith(ending) and re.search("[аеєиіїоуюя]", word[:stays]):
            return word[:stays]
    return word


_ACCENTED_ENDS = (("osci", "ości"), ("osc", "ość"), ("iow", "iów"), ("ow", "ów"), ("ac", "ać"), ("ic", "ić"),
                  ("yc", "yć"))  # fmt: skip


def _polish(word: str) -> str:
    for plain, written in _ACCENTED_ENDS:
        if word.endswith(plain) and len(word) > len(plain) + 2:
            word = word[: -len(plain)] + written
            break
    return _snowball("polish").stemWord(word).translate(_ACCENTS).replace("ł", "l")


_VOWEL = "аеєиіїоуюяыэaeiouy"
_FLEETING = re.compile(rf"(?<=[^{_VOWEL}])(?:(?:о|е|ie?|e)([кцkc])|е(л))$")
_SOFTENED = re.compile(rf"(?<=[^{_VOWEL}])[цc]$")
_CLOSED = re.compile(rf"і([^{_VOWEL}]|ст)$")


def _settled(found: str) -> str:
    """A stem with what changes inside a word made one."""
    found = found.rstrip("ьй").replace("ь", "")
    if len(found) >= 5 and found.endswith("rz"):
        found = found[:-1]
    if len(found) >= 4 and found[-1] == found[-2]:
        found = found[:-1]
    shorter = _FLEETING.sub(r"\1\2", found)
    if len(shorter) >= 4 and re.search(f"[{_VOWEL}]", shorter):
        found = shorter
    if len(found) >= 4:
        found = _SOFTENED.sub(lambda m: "к" if m.group() == "ц" else "k", found)
        found = _CLOSED.sub(r"о\1", found)
    return found


def word_forms(counts: Mapping[str, int], languages: Mapping[str, str]) -> pd.DataFrame:
    """Which words are forms or misspellings of one another, told as such.

    From: how often each word (normal spelling) was written; each word's language (`languages.word_languages`).
    To, the commonest first: word, count, stem, form_of (the commonest word of that stem), kind: same (it is that word),
    plural_or_case (another form with its stem), typo. A typo lies within one edit (a letter left out, put in, another
    one, or two swapped) of a word, or of the stem of a word, of at least five letters that is at least ten times as
    common; it takes that word's stem. What is left out: words with a digit are never typos, nor are two edits told; a
    wrong first letter is told only in words of at least seven.
    Source of the one edit: Damerau (1964), Communications of the ACM 7(3), 171-176.
    """
    order = sorted(counts, key=lambda w: (-counts[w], w))
    stems = {w: stem(w, languages.get(w, "")) for w in order}
    mended = _typos(order, counts, stems)
    stems.update({word: stems[right] for word, right in mended.items()})
    first: dict[str, str] = {}
    for word in order:
        if word not in mended:
            first.setdefault(stems[word], word)
    rows = [
        (w, int(counts[w]), stems[w], first[stems[w]],
         "typo" if w in mended else "same" if first[stems[w]] == w else "plural_or_case")
        for w in order
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["word", "count", "stem", "form_of", "kind"])


def _typos(order: list[str], counts: Mapping[str, int], stems: Mapping[str, str]) -> dict[str, str]:
    """Misspelt word -> the commonest right word within one edit."""
    by_stem: dict[str, int] = {}
    for word in order:
        by_stem[stems[word]] = by_stem.get(stems[word], 0) + counts[word]
    rarest, most = min(counts.values(), default=0), max(by_stem.values(), default=0)
    spelt = {w: w for w in order if _may_be_right(w) and counts[w] >= COMMONER * rarest}
    heads = {s: w for w in reversed(order) if _may_be_right(s := stems[w]) and by_stem[s] >= COMMONER * rarest}
    near_words, near_stems, found = _neighbourhood(spelt), _neighbourhood(heads), {}
    for word in order:
        if len(word) < LEAST_TYPO_LETTERS - 1 or any(c.isdigit() for c in word):
            continue
        own = by_stem[stems[word]]
        if COMMONER * own > most:
            continue
        right = [spelt[w] for w in _neighbours(word, near_words, counts, COMMONER * counts[word])]
        right += [heads[s] for s in _neighbours(stems[word], near_stems, by_stem, COMMONER * own)]
        right = [w for w in right if stems[w] != stems[word] and by_stem[stems[w]] >= COMMONER * own]
        if right:
            found[word] = min(right, key=lambda w: (-counts[w], w))
    return {word: right for word, right in found.items() if right not in found}


def _may_be_right(word: str) -> bool:
    return len(word) >= LEAST_TYPO_LETTERS and not any(c.isdigit() for c in word)


def _without_one(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


def _neighbourhood(words) -> dict[str, list[str]]:
    """What is left of each word without one letter -> the words; so that neighbours are found without comparing all."""
    left: dict[str, list[str]] = {}
    for word in sorted(words):
        for rest in sorted({word} | _without_one(word)):
            left.setdefault(rest, []).append(word)
    return left


def _neighbours(word: str, left: dict[str, list[str]], counts: Mapping[str, int], least: int) -> list[str]:
    near = {other for rest in {word} | _without_one(word) for other in left.get(rest, ()) if counts[other] >= least}
    alike = (w for w in near if w[0] == word[0] or min(len(w), len(word)) >= FIRST_LETTER_SURE)
    return sorted(w for w in alike if one_edit(word, w))


def one_edit(one: str, other: str) -> bool:
    """Does one letter left out, put in or changed, or two neighbours swapped, make one word of the other?"""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])
