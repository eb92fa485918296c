"""Which words stand in which comments, who used them, and which of them set some comments apart."""

import re
from collections import Counter

import numpy as np
import pandas as pd

from cxkit.languages import word_languages
from cxkit.privacy import LEAST_SHOWN
from cxkit.words import foreign_stop_words, split_words, stem, stop_words

MOST_WORDS = 3  # that set some comments apart
_ENDS = re.compile(r"^[^\w]+|[^\w]+$")


def count_words(comments: pd.DataFrame):
    """Which words stand in which comments.

    From: comments with text, language and who. To: a sparse matrix (comments by words, 1 where the word stands there),
    and the words in order: word, spelling (as most write it, in lower case), language, stem, comments, people (who used
    it), shown (may it stand on a page: five people used it, and it holds no digit), content (neither a stop word nor a
    number, two letters at least).
    """
    from scipy import sparse

    texts = list(comments["text"])
    told, places, split, written = {}, {}, {}, Counter()
    for text in dict.fromkeys(texts):
        pieces = text.lower().split()
        written.update(pieces)
        for piece in pieces:
            if piece not in split:
                split[piece] = [places.setdefault(w, len(places)) for w in split_words(piece)]
        told[text] = sorted({place for piece in pieces for place in split[piece]})
    lengths = np.fromiter((len(told[t]) for t in texts), dtype=np.int64, count=len(texts))
    columns = np.fromiter((c for t in texts for c in told[t]), dtype=np.int64, count=int(lengths.sum()))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    names = sorted(places)
    rank = np.empty(len(names), dtype=np.int64)
    rank[[places[w] for w in names]] = np.arange(len(names))
    counts = sparse.csr_matrix((np.ones(len(columns), np.float32), rank[columns], starts), (len(texts), len(names)))
    counts.sort_indices()
    languages = word_languages(texts, languages=list(comments["language"])) if names else {}
    stops = stop_words()
    alone = [(written[piece], _ENDS.sub("", piece), its[0]) for piece, its in split.items() if len(its) == 1]
    best = {place: spelling for _, spelling, place in sorted(alone)}
    spelt = [best.get(places[w], w) for w in names]
    frame = pd.DataFrame({"word": names, "spelling": spelt, "language": [languages.get(w, "") for w in names]})
    frame = frame.astype(object)
    frame["stem"] = [stem(w, k) for w, k in zip(frame["word"], frame["language"], strict=True)]
    known = np.asarray(counts.sum(axis=0)).ravel().astype("int64")
    frame["comments"] = known
    frame["people"] = users(counts, comments["who"])
    digits = np.array([any(c.isdigit() for c in w) for w in names], dtype=bool)
    frame["shown"] = (frame["people"] >= LEAST_SHOWN) & ~digits
    abroad = np.asarray(counts[(comments["language"] == "other").to_numpy()].sum(axis=0)).ravel()
    foreign = foreign_stop_words() if abroad.any() else frozenset()
    small = [w in stops or (many and w in foreign) for w, many in zip(names, 2 * abroad > known, strict=True)]
    frame["content"] = ~digits & ~np.array(small, dtype=bool) & np.array([len(w) > 1 for w in names], dtype=bool)
    return counts, frame


def users(counts, who: pd.Series) -> np.ndarray:
    """How many people stand behind each column of a matrix of comments. From: the matrix; who wrote each comment."""
    from scipy import sparse

    codes, people = pd.factorize(who)
    if len(people) == len(who):
        return np.asarray((counts != 0).sum(axis=0)).ravel().astype("int64")
    join = sparse.csr_matrix((np.ones(len(who), np.float32), (codes, np.arange(len(who)))), (len(people), len(who)))
    return np.asarray(((join @ counts) != 0).sum(axis=0)).ravel().astype("int64")


def spoken_words(counts, words: pd.DataFrame, inside: np.ndarray, who: pd.Series) -> list[str]:
    """The three words that set some comments apart from the rest most, the commonest form of each stem.

    From: `count_words`; inside: which comments; who wrote each. To: words that stand there oftener than elsewhere, that
    at least five people used there, those that tell most first.
    """
    inside = np.asarray(inside, dtype=bool)
    if not inside.any() or not len(words):
        return []
    here = np.asarray(counts[inside].sum(axis=0)).ravel()
    people = users(counts[inside], who[inside])
    usable = (words["shown"] & words["content"]).to_numpy() & (people >= LEAST_SHOWN)
    everywhere = words["comments"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = (here / inside.sum()) / (everywhere / max(len(inside), 1))
        weight = np.where(usable, here * np.log(np.maximum(lift, 1e-9)), 0.0)
    found: dict[tuple[str, str], str] = {}
    stems = list(zip(words["language"], words["stem"], strict=True))
    by_stem: dict[tuple[str, str], float] = {}
    for i in np.flatnonzero(weight > 0):
        by_stem[stems[i]] = by_stem.get(stems[i], 0.0) + float(np.round(weight[i], 6))
    spelt = words["spelling"].to_numpy()
    for i in sorted(np.flatnonzero(usable), key=lambda i: (-here[i], i)):
        if stems[i] in by_stem:
            found.setdefault(stems[i], spelt[i])
    order = sorted(found, key=lambda s: (-by_stem[s], found[s]))
    return [found[s] for s in order[:MOST_WORDS]]
