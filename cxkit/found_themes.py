"""Themes that comments show by themselves: words that go together, and how many such themes hold when comments vary."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxkit.privacy import LEAST_SHOWN

MOST, SAMPLE = 12, 1_200  # themes; comments of a language that their number is chosen on
LEAST_COMMENTS, LEAST_SHARE = 150, 0.05  # of a language, and of all comments: below either none are looked for
SUBSAMPLES, KEPT_SHARE, TOP = 3, 0.8, 10  # drawings; share of the comments in each; words of a theme that are compared
LEADING = 5  # words of a theme, of which a comment about it holds one at least
AGREED = 0.5  # the least agreement of the top words, and
ABOVE_CHANCE = 0.15  # how far above that of comments whose words were shuffled
LETTERS = 4  # of the pieces of words that link forms of one root
ROUNDS, QUICK_ROUNDS, PRECISION = 40, 12, 1e-3  # of a fit; of the many fits that the number is chosen by


def text_matrix(counts, stems: Sequence[str]):
    """Comments as rows of weighted stems and pieces of stems, each row of length 1.

    From: a sparse matrix, comments by stems (1 where it stands there); the stems. To: a sparse matrix, first the stems,
    then their pieces of four letters, which link forms of one root (доставка, доставили). Both halves weigh alike; a
    term weighs less the more comments hold it. Source: Spärck Jones (1972), Journal of Documentation 28(1), 11-21.
    """
    from scipy import sparse

    pieces: dict[str, int] = {}
    rows, columns = [], []
    for i, text in enumerate(stems):
        padded = f" {text} "
        for piece in dict.fromkeys(padded[j : j + LETTERS] for j in range(max(len(padded) - LETTERS + 1, 1))):
            rows.append(i)
            columns.append(pieces.setdefault(piece, len(pieces)))
    holds = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(stems), len(pieces)))
    whole = sparse.hstack([_weighted(counts), _weighted((counts @ holds).sign())], format="csr", dtype=np.float32)
    whole.data *= np.float32(np.sqrt(0.5))
    return whole


def _weighted(counts):
    from scipy import sparse

    n, held = counts.shape[0], np.asarray((counts != 0).sum(axis=0)).ravel()
    weighted = counts @ sparse.diags((np.log((1 + n) / (1 + held)) + 1).astype(np.float32))
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (sparse.diags((1 / np.where(length > 0, length, 1)).astype(np.float32)) @ weighted).tocsr()


def start(matrix, *, most: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The leading singular vectors of a matrix, from which fits with any number of themes up to `most` begin."""
    from sklearn.utils.extmath import randomized_svd

    return randomized_svd(matrix, n_components=most, n_iter=3, random_state=seed)


def fit_themes(matrix, *, k: int, began: tuple, rounds: int = ROUNDS) -> tuple[np.ndarray, np.ndarray]:
    """A matrix as the product of two without negative numbers: comments by themes, and themes by terms.

    Source: Lee & Seung (1999), Nature 401, 788-791; the start: Boutsidis & Gallopoulos (2008), Pattern Recognition
    41(4), 1350-1362.
    """
    import warnings

    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    left, right = _positive(*began, k=k, mean=float(matrix.mean()))
    model = NMF(n_components=k, init="custom", solver="cd", max_iter=rounds, tol=PRECISION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        left = model.fit_transform(matrix, W=left, H=right)
    return left, model.components_


def _positive(u: np.ndarray, s: np.ndarray, v: np.ndarray, *, k: int, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """NNDSVDa: each pair of singular vectors by its positive or its negative part, what is nought by a small number."""
    left, right = np.empty((len(u), k), np.float32), np.empty((k, v.shape[1]), np.float32)
    for j in range(k):
        x, y = u[:, j], v[j]
        best = None
        for sign in (1, -1) if j else (1 if x.sum() >= 0 else -1,):
            a, b = np.maximum(sign * x, 0), np.maximum(sign * y, 0)
            size = np.linalg.norm(a) * np.linalg.norm(b)
            if best is None or size > best[0] + 1e-9:
                best = (size, a / max(np.linalg.norm(a), 1e-12), b / max(np.linalg.norm(b), 1e-12))
        scale = np.sqrt(s[j] * best[0])
        left[:, j], right[j] = scale * best[1], scale * best[2]
    for part in (left, right):
        part[part < 1e-6] = mean
    return left, right


def top_terms(components: np.ndarray, terms: int) -> np.ndarray:
    """The leading terms of each theme among the first `terms` columns (the stems), the heaviest first."""
    heavy = np.round(components[:, :terms], 5)
    return np.argsort(-heavy, axis=1, kind="stable")[:, :TOP]


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """How alike the leading terms of two fits are, themes matched as well as can be: 1 where they are the same.

    From: two of `top_terms`. How: the average Jaccard likeness of the first t terms, t from 1 to 10, so that the order
    counts. Source: Greene, O'Callaghan & Cunningham (2014), ECML PKDD, LNCS 8724, 498-513.
    """
    from scipy.optimize import linear_sum_assignment

    likeness = np.zeros((len(one), len(other)))
    for t in range(1, one.shape[1] + 1):
        for i, a in enumerate(one):
            first = set(a[:t].tolist())
            for j, b in enumerate(other):
                shared = len(first.intersection(b[:t].tolist()))
                likeness[i, j] += shared / (2 * t - shared)
    rows, columns = linear_sum_assignment(-likeness)
    return float(likeness[rows, columns].mean() / max(one.shape[1], 1))


def stabilities(counts, stems: Sequence[str], *, seed: int) -> pd.DataFrame:
    """How well each number of themes holds when comments are left out, beside comments whose words were shuffled.

    From: comments by stems, drawn beforehand if they are many. To: themes (2 to 12), agreement (mean over three
    drawings of 80 % of the comments, against all), chance (the same after the words of all comments were dealt anew, so
    that nothing goes together), holds (agreement of 0.5 or more, and 0.15 or more above chance).
    Source: as `agreement`; the shuffled comments as a reference: Tibshirani, Walther & Hastie (2001), JRSS B 63(2).
    """
    random = np.random.default_rng(seed)
    most = min(MOST, counts.shape[0] // 20, counts.shape[1] // 5)
    numbers = [k for k in (2, 3, 4, 5, 6, 8, 10, 12) if k <= most]
    if not numbers:
        return pd.DataFrame({"themes": [], "agreement": [], "chance": [], "holds": []}).astype({"holds": bool})
    found = _agreements(counts, stems, numbers, random)
    chance = _agreements(shuffled(counts, random), stems, numbers, random)
    frame = pd.DataFrame({"themes": numbers, "agreement": found, "chance": chance})
    return frame.assign(holds=(frame["agreement"] >= AGREED) & (frame["agreement"] >= frame["chance"] + ABOVE_CHANCE))


def _agreements(counts, stems: Sequence[str], numbers: Sequence[int], random: np.random.Generator) -> list[float]:
    matrix, n, most = text_matrix(counts, stems), counts.shape[0], max(numbers)
    draws = [np.sort(random.choice(n, size=round(KEPT_SHARE * n), replace=False)) for _ in range(SUBSAMPLES)]
    seeds = [int(s) for s in random.integers(2**31, size=SUBSAMPLES + 1)]
    begun = start(matrix, most=most, seed=seeds[0])
    parts = [(matrix[rows], start(matrix[rows], most=most, seed=s)) for rows, s in zip(draws, seeds[1:], strict=True)]
    told = []
    for k in numbers:
        whole = top_terms(fit_themes(matrix, k=k, began=begun, rounds=QUICK_ROUNDS)[1], len(stems))
        others = [top_terms(fit_themes(part, k=k, began=b, rounds=QUICK_ROUNDS)[1], len(stems)) for part, b in parts]
        told.append(float(np.round(np.mean([agreement(whole, other) for other in others]), 3)))
    return told


def shuffled(counts, random: np.random.Generator):
    """The same words dealt anew to the comments, each of which keeps how many it has (one that it is dealt twice
    counts once)."""
    from scipy import sparse

    dealt = random.permutation(counts.indices)
    again = sparse.csr_matrix((np.ones(len(dealt), np.float32), dealt, counts.indptr), counts.shape)
    again.sum_duplicates()
    return again.sign()


def best_number(stabilities: pd.DataFrame) -> int:
    """The number of themes that lies farthest above chance, of those that hold; 0 where none does."""
    held = stabilities[stabilities["holds"]]
    if not len(held):
        return 0
    above = (held["agreement"] - held["chance"]).round(3)
    return int(held["themes"].to_numpy()[int(np.argmax(above.to_numpy()))])


def stem_counts(counts, words: pd.DataFrame, rows: np.ndarray):
    """Comments of one language by stems: a sparse matrix (1 where one of the stem's words stands there), and the stems.

    From: `comment_words.count_words`; which comments. What is left out: stop words, numbers, and stems that fewer than
    five of these comments hold.
    """
    from scipy import sparse

    use = np.flatnonzero((words["content"] & words["shown"]).to_numpy())
    codes, stems = pd.factorize(words["stem"].to_numpy()[use], sort=True)
    join = sparse.csr_matrix((np.ones(len(use), np.float32), (np.arange(len(use)), codes)), (len(use), len(stems)))
    held = (counts[rows][:, use] @ join).sign().tocsr()
    often = np.asarray(held.sum(axis=0)).ravel() >= LEAST_SHOWN
    return held[:, often].tocsr(), [s for s, keep in zip(stems, often, strict=True) if keep]


def theme_numbers(comments: pd.DataFrame, counts, words: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """How many themes the comments of each language show by themselves.

    From: `comments.readable`; `comment_words.count_words`. To, one row a language, the commonest first: language (its
    code), comments, people, words (that the themes are looked for in), drawn (comments that the number was chosen on),
    themes (0: none holds), agreement, chance (as `stabilities`), reading.
    What is left out: languages that could not be told, and those with fewer than 150 comments or less than 5 % of all:
    in so few a handful of texts in a wrongly told language would make a theme.
    """
    rows = []
    for language in sorted(set(comments["language"]) - {"unknown"}):
        here = np.flatnonzero((comments["language"] == language).to_numpy())
        people = comments["who"].iloc[here].nunique()
        if len(here) < LEAST_COMMENTS:
            rows.append((language, len(here), people, 0, 0, 0, np.nan, np.nan, f"under {LEAST_COMMENTS} comments"))
            continue
        if len(here) < LEAST_SHARE * len(comments):
            few = f"under {100 * LEAST_SHARE:.0f} % of all comments"
            rows.append((language, len(here), people, 0, 0, 0, np.nan, np.nan, few))
            continue
        random = np.random.default_rng(seed)
        drawn = here if len(here) <= SAMPLE else np.sort(random.choice(here, size=SAMPLE, replace=False))
        held, stems = stem_counts(counts, words, drawn)
        tried = stabilities(held, stems, seed=seed)
        k = best_number(tried)
        best = tried[tried["themes"] == k] if k else tried.sort_values("agreement", kind="stable").tail(1)
        agreed, chance = (best[name].max() if len(best) else np.nan for name in ("agreement", "chance"))
        reading = "hold when comments are left out" if k else "no stable themes"
        rows.append((language, len(here), people, len(stems), len(drawn), k, agreed, chance, reading))
    columns = ["language", "comments", "people", "words", "drawn", "themes", "agreement", "chance", "reading"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["comments", "language"], ascending=[False, True], ignore_index=True)


def components(counts, words: pd.DataFrame, rows: np.ndarray, *, k: int, seed: int) -> np.ndarray:
    """How strongly each of some comments belongs to each of k themes: comments by themes, each row summing to 1, then 0
    for themes of whose five leading words a comment holds none (a fit also has themes that take what is left over)."""
    held, stems = stem_counts(counts, words, rows)
    matrix = text_matrix(held, stems)
    left, right = fit_themes(matrix, k=k, began=start(matrix, most=k, seed=seed))
    strength = left * np.linalg.norm(right, axis=1)
    whole = strength.sum(axis=1, keepdims=True)
    known = np.asarray(held.sum(axis=1)).ravel()[:, None] > 0
    shares = np.divide(strength, whole, out=np.zeros_like(strength), where=known & (whole > 0))
    for j, leading in enumerate(top_terms(right, len(stems))[:, :LEADING]):
        shares[np.asarray(held[:, leading].sum(axis=1)).ravel() == 0, j] = 0
    return np.round(shares, 4)
