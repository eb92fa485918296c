"""Do two people say the same: statements of a workshop, in four languages, compared by their words."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from cxkit.languages import languages_of
from cxkit.words import normal_text, split_words, stem, stop_words

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ALIKE = 0.7  # cosine of letter groups from which two statements of one language say the same
LIKE_WORD = 0.4  # the same of two words
LETTERS = str.maketrans("0123456789", "ghijklmnop")
SHORT = 3  # letters: shorter words are alike only where they are the same
GROUPS = (3, 4)  # letters in a row that are compared
BLOCK = 256  # statements compared with all others at once
DENYING = (
    "not no never without cannot cant dont doesnt didnt isnt arent wasnt werent wont couldnt shouldnt nobody nothing"
    " none lack lacks"
    " не ні ніколи без немає нема ніхто нічого жодного нет никогда нету никто ничего"
    " nie nigdy bez brak brakuje nikt nic zadnego"
)
NOT = frozenset(DENYING.split())
# what begins a word and denies the rest of it: dissatisfied, незадоволені, niezadowoleni, неудобный
WITHIN = ("un", "dis", "in", "im", "ir", "il", "non", "не", "nie", "без", "bez")
LEAST_REST, ENDING = 4, 3  # letters of what is denied; last letters in which it may differ from the other's word
# in the lists of stop words, and a statement turns on them: early and late, more and less, good and bad
TURNING = (
    "early before after above below under more few fewer enough little good better best well"
    " після перед більше менше краще добре раньше после больше меньше лучше хорошо przed wiecej dobrze"
)
TELLING = frozenset(TURNING.split())


def normal_statement(text: str) -> str:
    """A statement as it is compared: its words in their normal spelling; where it has none, its signs."""
    return normal_text(text) or " ".join(str(text).split())


def statement_key(text: str, quadrant: str) -> str:
    """`said.` and a short hash of a statement's normal words and its quadrant: the same in every audit.

    In letters alone: nine figures in a row are scrubbed as a phone where the key stands in a sheet.
    """
    return f"said.{hashlib.sha256(f'{normal_statement(text)}|{quadrant}'.encode()).hexdigest()[:10].translate(LETTERS)}"


def denies(text: str) -> bool:
    """Whether a statement denies something (an odd number of words such as not, без, nie)."""
    return sum(word.replace("'", "") in NOT for word in split_words(text)) % 2 == 1


def contrary(one: str, other: str) -> bool:
    """Whether of two statements alike in their words one denies what the other says: with a word such as not, or within
    a word whose rest is the other's word (satisfied, dissatisfied). Both ways at once are none."""
    ours, theirs = (normal_text(text).split() for text in (one, other))
    within = sum(_denied(a, theirs) for a in set(ours) - set(theirs))
    within += sum(_denied(b, ours) for b in set(theirs) - set(ours))
    return (denies(one) + denies(other) + within) % 2 == 1


def _denied(word: str, others: Sequence[str]) -> bool:
    """Whether a word is the negation of one of the others: its rest behind the prefix begins as that does."""
    rests = [word[len(start) :] for start in WITHIN if word.startswith(start)]
    return any(
        rest[: max(LEAST_REST, len(rest) - ENDING)] == other[: max(LEAST_REST, len(rest) - ENDING)]
        and abs(len(rest) - len(other)) <= ENDING
        for rest in rests
        if len(rest) >= LEAST_REST
        for other in others
    )


def alike(texts: Sequence[str], *, least: float = ALIKE) -> list[dict[int, float]]:
    """Which of the texts are alike in their words: for each text, the places of those like it -> how alike (to 1).

    From: texts in any order. The same normal words are 1 whatever the language. Else both have to be in one language
    (or too short to tell); the cosine of their letter groups has to be `least` or more (groups of three and four
    letters of the words' stems, each counted once, words that say nothing left out); and not both may have a word
    that nothing in the other is like: `slow to Poland` and `slow to Ukraine` are two things. To: a list as long as
    `texts`, each without itself; alike is mutual, and depends neither on the order nor on what else was written, but
    for the languages of short texts.
    What it cannot show: the same said in other words, or in another language.
    Source: cosine of character n-grams: Damashek (1995), Science 267(5199), 843-848.
    """
    plain = [normal_statement(text) for text in texts]
    kinds = sorted(set(plain))
    near = _near(kinds, dict(zip(kinds, languages_of(kinds), strict=True)), least)
    where: dict[str, list[int]] = {}
    for place, text in enumerate(plain):
        where.setdefault(text, []).append(place)
    return [
        {p: 1.0 for p in where[text] if p != place} | {p: c for other, c in near[text].items() for p in where[other]}
        for place, text in enumerate(plain)
    ]


def _near(kinds: list[str], languages: dict[str, str], least: float) -> dict[str, dict[str, float]]:
    """Different normal texts that are alike, both ways."""
    found: dict[str, dict[str, float]] = {text: {} for text in kinds}
    stems = {text: _stems(text, languages[text]) for text in kinds}
    unit = _unit_rows([frozenset().union(*map(_groups, stems[text])) for text in kinds])
    for start in range(0, len(kinds), BLOCK):
        cosines = np.round((unit[start : start + BLOCK] @ unit.T).toarray(), 9)
        for row, other in np.argwhere(cosines >= least):
            one, two = kinds[start + row], kinds[other]
            told = {languages[one], languages[two]} - {"unknown"}
            if one != two and len(told) < 2 and not _each_says_more(stems[one], stems[two]):
                found[one][two] = float(cosines[row, other])
    return found


def _unit_rows(sets: list[frozenset[str]]) -> "csr_array":
    """Sets as rows of length 1, one column a member, in the order of the alphabet."""
    from scipy.sparse import csr_array

    column = {name: i for i, name in enumerate(sorted(frozenset().union(*sets)))}
    places = [column[name] for members in sets for name in sorted(members)]
    ends = np.cumsum([0, *map(len, sets)])
    weights = np.repeat([len(members) ** -0.5 if members else 0.0 for members in sets], np.diff(ends))
    return csr_array((weights, places, ends), shape=(len(sets), max(len(column), 1)))


def _stems(text: str, language: str) -> frozenset[str]:
    """The stems of a statement's telling words; of one that has none, of all its words."""
    words = split_words(text)
    small = stop_words()
    telling = [w for w in words if (w not in small or w in TELLING) and w.replace("'", "") not in NOT]
    return frozenset(stem(word, language) for word in telling or words)


@lru_cache(maxsize=1 << 16)
def _groups(stem: str) -> frozenset[str]:
    padded = f" {stem} "
    return frozenset(padded[i : i + n] for n in GROUPS for i in range(max(len(padded) - n + 1, 1)))


def _each_says_more(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether each of both has a word that none of the other's is like."""
    ours, theirs = one - other, other - one
    return bool(ours and theirs) and all(
        any(not any(_like(a, b) for b in there) for a in here) for here, there in ((ours, other), (theirs, one))
    )


@lru_cache(maxsize=1 << 18)
def _like(one: str, other: str) -> bool:
    if min(len(one), len(other)) < SHORT or (one + other).isdigit():
        return one == other
    a, b = _groups(one), _groups(other)
    return len(a & b) >= LIKE_WORD * (len(a) * len(b)) ** 0.5
