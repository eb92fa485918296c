"""What is looked for: wordings of one thing under one name, things by need, needs by department."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxkit.privacy import LEAST_SHOWN
from cxkit.query_heads import Reading, read_query, same, same_root, spoken, told_by_spelling, words_of
from cxkit.words import normal_text, word_forms

MOST = 100  # departments
FAR = 0.7  # mean distance (1 - likeness) up to which things share a department
CLOSE = 0.05  # likeness from which a rare thing joins a department
COMPARED = 2_000  # things compared with one another; rarer ones join the department that they are most like
OWN_SHARE = 0.02  # of the searches for a thing: a narrowing word that so many use makes a need of its own
ALWAYS = 0.9  # of the visitors who look for a thing: then a word belongs to its name
LEAST_LINKS, LIFT = 5, 3.0  # visits from one thing to another, and how many times as many as by chance
LATIN = ("pl", "en")
OTHERS = "(other)"
KINDS = ("as it is", "case, accents or signs", "blanks", "word order", "misspelt", "plural, case or small words")
WORDING = ("query", "sent", "visitors", "key", "label", "kind", "head", "thing", "narrowing",
           "language", "head_language")  # fmt: skip


def wordings(counts: pd.DataFrame) -> pd.DataFrame:
    """Each distinct wording with its normal form, in the order of the wordings.

    From: query, sent, visitors (`queries.query_counts`). To: query, sent, visitors, key (the stems in order of the
    alphabet, numbers and sizes; equal keys are one wording), label (the commonest wording of its key), kind (how it
    differs from the label: one of `KINDS`), head and narrowing (stems, see `query_heads.read_query`), thing (the head
    as a word), language (of most of its words; empty: none known), head_language (of its thing; empty where its
    spelling does not tell it).
    How: letters made one, stop words left out, words cut to stems, words with one letter wrong mended where the right
    word is ten times as common (`words.word_forms`), blanks in other places (book shelf, bookshelf) mended to the
    commoner form.
    """
    frame = counts[["query", "sent", "visitors"]].sort_values("query", ignore_index=True)
    texts, sent = list(frame["query"]), [int(n) for n in frame["sent"]]
    words = words_of(texts)
    languages = spoken(words, sent, texts=texts)
    often: Counter[str] = Counter()
    for row, times in zip(words, sent, strict=True):
        for word in row:
            often[word] += times
    forms = word_forms(often, languages)
    stems = dict(zip(forms["word"], forms["stem"], strict=True))
    typos = forms[forms["kind"] == "typo"].set_index("word")["form_of"].to_dict()
    mended = [[typos.get(word, word) for word in row] for row in words]
    readings = [read_query(row, stems=stems, languages=languages) for row in mended]
    readings = _joined_up(readings, frame["visitors"].to_numpy())
    frame["key"] = [_key(reading, row) for reading, row in zip(readings, words, strict=True)]
    frame["head"] = [reading.head for reading in readings]
    frame["thing"] = [reading.thing for reading in readings]
    frame["narrowing"] = [" ".join(sorted(reading.narrowing)) for reading in readings]
    told = told_by_spelling(words, sent, texts=texts, languages=languages)
    frame["language"] = [_language(row, told) for row in words]
    frame["head_language"] = [told.get(thing, "") for thing in frame["thing"]]
    ranked = frame.assign(place=np.arange(len(frame))).sort_values(
        ["visitors", "sent", "query"], ascending=[False, False, True]
    )
    first = ranked.groupby("key", sort=False)["place"].first()
    right = frame["key"].map(first).to_numpy(dtype="int64") if len(frame) else np.array([], dtype="int64")
    frame["label"] = frame["query"].to_numpy()[right] if len(frame) else pd.Series(dtype=object)
    frame["kind"] = [_kind(words[i], words[j], texts[i] == texts[j], typos) for i, j in enumerate(right)]
    return frame[list(WORDING)]


def _joined_up(readings: list[Reading], visitors: np.ndarray) -> list[Reading]:
    """Wordings of the same letters with blanks elsewhere read as the commonest of them."""
    order = sorted(range(len(readings)), key=lambda i: (-visitors[i], readings[i].joined, i))
    first: dict[tuple, Reading] = {}
    for i in order:
        first.setdefault((readings[i].joined, readings[i].measures), readings[i])
    return [first[r.joined, r.measures] if r.joined else r for r in readings]


def _language(words: Sequence[str], languages: Mapping[str, str]) -> str:
    found = [languages[word] for word in words if word in languages and word[0].isalpha()]
    return max(sorted(set(found)), key=found.count) if found else ""


def _key(reading: Reading, words: Sequence[str]) -> str:
    return " ".join([*sorted(reading.stems), *sorted(reading.measures)]) or " ".join(words)


def _kind(one: list[str], label: list[str], equal: bool, typos: dict[str, str]) -> str:
    if equal:
        return KINDS[0]
    if one == label:
        return KINDS[1]
    if "".join(one) == "".join(label):
        return KINDS[2]
    if sorted(one) == sorted(label):
        return KINDS[3]
    return KINDS[4] if typos.keys() & set(one) else KINDS[5]


def merged(words: pd.DataFrame) -> pd.DataFrame:
    """What was taken for one wording, told as such: label, wordings (how many), sent, merged (the others, the commonest
    first, those of at least five visitors), and how many were merged by each of `KINDS`; the most merged first.

    From: `wordings`. Labels of under five visitors are left out.
    """
    several = words[words.groupby("key")["query"].transform("size") > 1]
    rows = []
    for _, group in several.groupby("key", sort=True):
        ranked = group.sort_values(["visitors", "query"], ascending=[False, True])
        if ranked["visitors"].iloc[0] < LEAST_SHOWN:
            continue
        others = ranked[ranked["query"] != ranked["label"]]
        shown = list(others.loc[others["visitors"] >= LEAST_SHOWN, "query"])
        few = len(others) - len(shown)
        told = "; ".join(shown[:6] + ([f"… and {few + len(shown[6:]):,} rarer"] if few or shown[6:] else []))
        kinds = Counter(others["kind"])
        why = ", ".join(f"{kind} ({kinds[kind]})" for kind in KINDS if kinds[kind])
        rows.append((ranked["label"].iloc[0], len(group), int(group["sent"].sum()), told, why))
    frame = pd.DataFrame(rows, columns=["label", "wordings", "sent", "merged", "why"])
    return frame.sort_values(["wordings", "sent", "label"], ascending=[False, False, True], ignore_index=True)


def same_need(pairs: Sequence[tuple[str, str]]) -> list[bool]:
    """For each pair of queries, whether they ask for the same goods, by the words alone (`query_heads.same`).

    What it cannot do: synonyms (sofa, couch); those a log may show, by visits that go from one to the other.
    """
    texts = [text for pair in pairs for text in pair]
    words = words_of(texts)
    languages = spoken(words, [1] * len(texts), texts=texts)
    forms = word_forms(Counter(w for row in words for w in row), languages)
    stems = dict(zip(forms["word"], forms["stem"], strict=True))
    read = [read_query(row, stems=stems, languages=languages) for row in words]
    return [same(one, other) for one, other in zip(read[::2], read[1::2], strict=True)]


def group_queries(words: pd.DataFrame, steps: pd.DataFrame | None = None, *, most: int = MOST) -> pd.DataFrame:
    """Each wording's need and department, with the customers' own words as names.

    From: `wordings`; steps: `queries.next_wordings`, so that things that visits go between share a department.
    To, in the order of the wordings: query, visitors, sent, head (the thing looked for), language, need, department
    (the names; missing where fewer than five visitors used the words: see below), need_key, department_key.
    A need is a thing with the commonest of the words that narrow it down, where at least five visitors and a fiftieth
    of those who look for the thing use it (winter boots, rubber boots), or the thing alone. A department holds things
    that are alike: by their words, by parts of their words, and by visits that go on from one to the other (at least
    five, three times as many as by chance: stroller, pram). Things join by average linkage up to a mean distance of
    0.7; where that leaves more than `most`, the largest stay, and the others join the one they are most like, or
    "other".
    The name of a need is its commonest wording of at least five visitors, that of a department its one or two commonest
    things.
    What it cannot do: tell two meanings of one word apart, or find synonyms that no visit shows.
    Source: average linkage, Sokal & Michener (1958), University of Kansas Science Bulletin 38, 1409-1438.
    """
    columns = ["query", "visitors", "sent", "head", "thing", "narrowing", "language", "head_language"]
    frame = words[columns].sort_values("query", ignore_index=True)
    frame["need_key"] = _needs(frame)
    frame["department_key"] = frame["head"].map(_departments(frame, words, steps, most))
    shown = frame[frame["visitors"] >= LEAST_SHOWN].sort_values(["visitors", "query"], ascending=[False, True])
    frame["need"] = frame["need_key"].map(shown.drop_duplicates("need_key").set_index("need_key")["query"])
    frame["department"] = frame["department_key"].map(_department_names(frame))
    frame["language"] = _languages(frame)
    return frame.drop(columns=["narrowing", "thing", "head_language"]).astype({"need": object, "department": object})


def _languages(frame: pd.DataFrame) -> pd.Series:
    """Each wording's language: that of its thing, else of most of its words; in Latin letters that of more than half of
    its department's visitors, where there is one, since a short word's spelling tells little."""
    own, known = frame["head_language"], frame[frame["head_language"].isin(LATIN)]
    sums = known.groupby(["department_key", "head_language"])["visitors"].sum().reset_index()
    whole = sums.groupby("department_key")["visitors"].transform("sum")
    most = sums[(2 * sums["visitors"] > whole) & (sums["department_key"] != OTHERS)]
    around = frame["department_key"].map(most.set_index("department_key")["head_language"])
    alone = own.where(own != "", frame["language"])
    return around.where(around.notna() & alone.isin(["", *LATIN]), alone)


def _needs(frame: pd.DataFrame) -> list[str]:
    """The head, and the commonest of the words that narrow it down where it is common enough."""
    rows = list(
        zip(frame["head"], (words.split() for words in frame["narrowing"]), frame["visitors"].tolist(), strict=True)
    )
    whole: Counter[str] = Counter()
    times: dict[str, Counter[str]] = {}
    for head, words, visitors in rows:
        whole[head] += visitors
        for word in words:
            times.setdefault(head, Counter())[word] += visitors
    main: dict[str, dict[str, str]] = {}
    for head, counts in times.items():
        least = max(LEAST_SHOWN, OWN_SHARE * whole[head])
        for word in sorted((w for w in counts if counts[w] >= least), key=lambda w, c=counts: (-c[w], w)):
            kept = main.setdefault(head, {})
            kept[word] = next((k for k, v in kept.items() if k == v and same_root(k, word)), word)
    keys = []
    for head, words, _ in rows:
        known = main.get(head)
        common = [word for word in words if word in known] if known else []
        own = min(common, key=lambda w, h=head: (-times[h][w], w)) if common else None
        keys.append(head if own is None else f"{head} + {known[own]}")
    return keys


def _departments(frame: pd.DataFrame, words: pd.DataFrame, steps: pd.DataFrame | None, most: int) -> dict[str, str]:
    """Each head's department: the name of its largest head."""
    sizes: Counter[str] = Counter()
    for head, visitors in zip(frame["head"], frame["visitors"].tolist(), strict=True):
        sizes[head] += visitors
    order = sorted(sizes, key=lambda head: (-sizes[head], head))
    heads = {head: i for i, head in enumerate(order)}
    if len(heads) < 2:
        return {head: head for head in heads}
    rows = _vectors(frame, heads)
    compared = min(len(heads), COMPARED)
    weight = np.array([sizes[head] for head in order], dtype=float)
    group = _joined(rows[:compared], _links(words, steps, heads, weight, compared))
    held = np.bincount(group, weights=weight[:compared])
    first = pd.Series(np.arange(compared)).groupby(group).min()  # the largest head of each
    ranked = sorted(first.index, key=lambda g: (-held[g], first[g]))
    kept = ranked if len(ranked) <= most and compared == len(heads) else ranked[: most - 1]
    place = np.full(len(heads), -1)
    place[:compared] = pd.Series(group).map({g: i for i, g in enumerate(kept)}).fillna(-1).to_numpy("int64")
    if (place < 0).any():
        place = _attached(rows, place, weight)
    names = [order[first[g]] for g in kept]
    return {head: names[place[i]] if place[i] >= 0 else OTHERS for head, i in heads.items()}


def _vectors(frame: pd.DataFrame, heads: dict[str, int]):
    """A row a head: itself, the words that narrow it down, and the threes of letters it is made of; of length 1."""
    import scipy.sparse as sp

    whole, names = Counter(frame["head"]), list(frame["head"])
    columns: dict[str, int] = {}
    place, column, value = [], [], []
    for head, words in zip(names, frame["narrowing"], strict=True):
        for word in words.split():
            place.append(heads[head])
            column.append(columns.setdefault(word, len(columns)))
            value.append(0.5 / whole[head])
    seen = np.bincount(column, minlength=len(columns)).astype(float)
    seen += [whole[word] for word in columns]
    rare = np.sqrt(np.log((1 + len(names)) / (1 + seen)) + 1)
    value = list(np.array(value) * rare[column]) if column else []
    for head, i in heads.items():
        own = [columns.setdefault(head, len(columns))]
        own += [columns.setdefault("~" + part, len(columns)) for part in _threes(head)]
        place += [i] * len(own)
        column += own
        value += [1.0, *[max(len(head), 1) ** -0.5] * (len(own) - 1)]
    found = sp.csr_matrix((value, (place, column)), shape=(len(heads), len(columns)))
    return sp.diags(1 / np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())) @ found


def _threes(word: str) -> list[str]:
    """A word's runs of three letters, its ends marked by blanks."""
    return [f" {word} "[i : i + 3] for i in range(len(word))]


def _links(
    words: pd.DataFrame, steps: pd.DataFrame | None, heads: dict[str, int], weight: np.ndarray, compared: int
) -> np.ndarray:
    """How large a part of the visits that go on from the rarer of two heads goes to, or comes from, the other."""
    links = np.zeros((compared, compared))
    if steps is None or not len(steps):
        return links
    of = {query: heads[head] for query, head in zip(words["query"], words["head"], strict=True)}
    ends = pd.DataFrame({"a": steps["query"].map(of), "b": steps["next_query"].map(of), "n": steps["sessions"]})
    ends = ends.dropna().astype("int64")
    ends = ends[(ends["a"] < compared) & (ends["b"] < compared)]
    np.add.at(links, (ends["a"].to_numpy(), ends["b"].to_numpy()), ends["n"].to_numpy(dtype=float))
    both = links + links.T
    np.fill_diagonal(both, np.diag(links))
    going, often = both.sum(axis=1), weight[:compared] / (weight.sum() or 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_chance = (np.outer(going, often) + np.outer(often, going)) / 2
        share = both / np.minimum.outer(going, going)
    told = (both >= LEAST_LINKS) & (both >= LIFT * by_chance)
    np.fill_diagonal(told, False)
    return np.where(told, np.minimum(share, 1.0), 0.0)


def _joined(rows, links: np.ndarray) -> np.ndarray:
    """The number of each head's group, by average linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    alike = np.maximum((rows @ rows.T).toarray(), links)
    far = np.round(np.clip(1 - alike, 0, None), 9)  # so that ties are ties
    np.fill_diagonal(far, 0)
    return fcluster(linkage(squareform(far, checks=False), "average"), FAR, "distance") - 1


def _attached(rows, place: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Heads without a department join the one whose heads together are most like them."""
    import scipy.sparse as sp

    inside = np.flatnonzero(place >= 0)
    size = (place.max() + 1, len(place))
    centres = sp.csr_matrix((np.maximum(weight[inside], 1), (place[inside], inside)), shape=size) @ rows
    centres = sp.diags(1 / np.sqrt(np.asarray(centres.multiply(centres).sum(axis=1)).ravel())) @ centres
    outside = np.flatnonzero(place < 0)
    found = place.copy()
    for start in range(0, len(outside), 10_000):  # so that it stays small in memory
        some = outside[start : start + 10_000]
        alike = np.round((rows[some] @ centres.T).toarray(), 9)
        best = alike.argmax(axis=1)
        found[some] = np.where(alike[np.arange(len(some)), best] > CLOSE, best, -1)
    return found


def _department_names(frame: pd.DataFrame) -> dict[str, str]:
    """Each department's one or two commonest things, by words of at least five visitors."""
    shown = frame[(frame["visitors"] >= LEAST_SHOWN) & (frame["department_key"] != OTHERS)]
    sizes = shown.groupby(["department_key", "head"])["visitors"].sum().reset_index()
    sizes = sizes.sort_values(["department_key", "visitors", "head"], ascending=[True, False, True])
    tops = {}
    for key, group in sizes.groupby("department_key", sort=True):
        tops[key] = list(group[group["visitors"] >= 0.3 * group["visitors"].iloc[0]]["head"].head(2))
    named = shown[shown["head"].isin([head for top in tops.values() for head in top])]
    of_head: dict[str, list] = {}
    for row in named.itertuples():
        of_head.setdefault(row.head, []).append(row)
    name = {head: _thing_name(rows) for head, rows in of_head.items()}
    return {OTHERS: OTHERS} | {key: " / ".join(dict.fromkeys(name[h] for h in top)) for key, top in tops.items()}


def _thing_name(rows: list) -> str:
    """The thing as it is mostly written, with the words that nearly all use for it (balance bike; but: bottle)."""
    ranked = sorted(rows, key=lambda row: (-row.visitors, row.query))
    times: Counter[str] = Counter()
    things: Counter[str] = Counter()
    for row in ranked:
        things[row.thing] += row.visitors
        for word in row.narrowing.split():
            times[word] += row.visitors
    whole = sum(things.values())
    always = {word for word in times if times[word] >= ALWAYS * whole}
    plain = (row.query for row in ranked if set(row.narrowing.split()) == always)
    if always and (name := next(plain, None)):
        return name
    thing = min(things, key=lambda word: (-things[word], word))
    written = (word for row in ranked for word in row.query.split() if normal_text(word) == thing)
    return next(written, thing or ranked[0].query)  # of numbers and sizes alone
