"""Themes of 200,000 comments, all steps, beside one fit of scikit-learn's NMF with 20 components on the same matrix.

Run: python benchmarks/bench_themes.py [--comments N] [--rounds N] [--wait S] [--out FILE]

Ours begins with the texts: their languages, words, stems, how many themes hold in each language, the themes and their
table. The other one gets the matrix of stems and pieces of all comments ready made, and fits once with scikit-learn's
defaults. In each round both start a process of their own; imports and the making of comments are left out of the time.
A ratio is the median of the rounds' ratios of processor seconds, so that other work on the machine falls on both alike.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb, wait_for_quiet

HERE = Path(__file__).resolve().parent
LANGUAGES, SHARES = ("uk", "pl", "en"), (0.6, 0.25, 0.15)
RARE = 6_000  # made-up words, some of which most people use


def made(n: int, *, seed: int = 1):
    """Comments of the demo client's words: six in ten of one theme, two of any, two of a long tail of made-up words."""
    import numpy as np
    import pandas as pd
    import yaml

    rng = np.random.default_rng(seed)
    bank = yaml.safe_load((HERE.parent / "cxkit" / "demo_voices.yml").read_text(encoding="utf-8"))["comments"]
    letters = {"uk": "абвгдеєжзиіклмнопрстуфхцчшюя", "pl": "abcdefgijklłmnoprsśtuwyzż", "en": "abcdefghiklmnoprstuvwy"}
    texts = np.empty(n, dtype=object)
    language = rng.choice(len(LANGUAGES), size=n, p=SHARES)
    for code, name in enumerate(LANGUAGES):
        themes = [
            [w for mood in parts.values() for text in mood[name] for w in text.split()] for parts in bank.values()
        ]
        every = np.array([w for words in themes for w in words], dtype=object)
        tail = np.array(
            ["".join(rng.choice(list(letters[name]), size=rng.integers(4, 11))) for _ in range(RARE)], object
        )
        weight = 1 / np.arange(2, RARE + 2)
        for i in np.flatnonzero(language == code):
            theme = np.array(themes[rng.integers(len(themes))], dtype=object)
            long = rng.integers(4, 24)
            kind = rng.random(long)
            words = np.where(kind < 0.6, rng.choice(theme, long), rng.choice(every, long))
            some = kind > 0.8
            words[some] = tail[rng.choice(RARE, size=int(some.sum()), p=weight / weight.sum())]
            texts[i] = " ".join(words)
    who = np.char.add("c", rng.integers(0, n * 2 // 3, size=n).astype(str)).astype(object)
    return pd.DataFrame({"who": who, "text": texts})


def ours(comments) -> str:
    from cxkit.comment_words import count_words
    from cxkit.found_themes import theme_numbers
    from cxkit.languages import languages_of
    from cxkit.themes import find_themes, theme_list, theme_table

    comments = comments.assign(language=languages_of(list(comments["text"])))
    counts, words = count_words(comments)
    numbers = theme_numbers(comments, counts, words, seed=1)
    mentions = find_themes(comments, counts, words, listed=theme_list(), numbers=numbers, seed=1)
    table = theme_table(comments, counts, words, mentions)
    return f"{len(table) - 1} themes; {', '.join(f'{r.language} {r.themes}' for r in numbers.itertuples())} found"


def matrix_of(comments):
    import numpy as np

    from cxkit.comment_words import count_words
    from cxkit.found_themes import stem_counts, text_matrix
    from cxkit.languages import languages_of

    comments = comments.assign(language=languages_of(list(comments["text"])))
    counts, words = count_words(comments)
    return text_matrix(*stem_counts(counts, words, np.arange(len(comments))))


def sklearn_nmf(matrix) -> str:
    import warnings

    from sklearn.decomposition import NMF

    warnings.simplefilter("ignore")
    model = NMF(n_components=20, random_state=1)
    model.fit(matrix)
    return f"{matrix.shape[0]:,} x {matrix.shape[1]:,}, {matrix.nnz:,} entries, {model.n_iter_} iterations"


def run_one(name: str, n: int) -> None:
    import sklearn.decomposition  # noqa: F401

    comments = made(n)
    work = matrix_of(comments) if name == "sklearn_nmf" else comments
    before = peak_mb()
    start, used = time.perf_counter(), time.process_time()
    told = globals()[name](work)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(f"{seconds}\t{processor}\t{peak_mb()}\t{before}\t{told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comments", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--wait", type=int, default=0, help="seconds to wait, at most, for a quiet machine each time")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "themes.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        run_one(arguments.one, arguments.comments)
        return
    results: dict[str, list[list[str]]] = {"ours": [], "sklearn_nmf": []}
    for _ in range(arguments.rounds):
        for name, rounds in results.items():
            wait_for_quiet(arguments.wait)
            command = [sys.executable, __file__, "--one", name, "--comments", str(arguments.comments)]
            one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            out = subprocess.run(command, check=True, capture_output=True, text=True, env=one_thread).stdout
            rounds.append(out.strip().split("\t"))
            print(name, *rounds[-1], flush=True)
    text = as_markdown(results, arguments)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


def as_markdown(results: dict[str, list[list[str]]], arguments: argparse.Namespace) -> str:
    packages = ", ".join(
        f"{p} {version(p)}" for p in ("scikit-learn", "scipy", "numpy", "py3langid", "snowballstemmer")
    )
    lines = [
        "# Themes of comments, in one run",
        "",
        f"`python benchmarks/bench_themes.py --comments {arguments.comments} --rounds {arguments.rounds}`",
        "",
        f"{arguments.comments:,} made-up comments in three languages; {os.cpu_count()} cores, one thread, Python"
        f" {platform.python_version()}, {packages}. Medians of {arguments.rounds} rounds with the least and the most;"
        " the ratio is the median of the rounds' ratios of processor seconds. Ours is everything from the texts to the"
        " table of themes; scikit-learn's is one fit with 20 components and its defaults on the ready matrix.",
        "",
        "| | seconds | processor seconds | ours / theirs | peak MB (before the work) | |",
        "|---|---|---|---|---|---|",
    ]
    for name, rounds in results.items():
        seconds, processor = ([float(r[i]) for r in rounds] for i in (0, 1))
        theirs = [float(r[1]) for r in results["sklearn_nmf"]]
        ratio = statistics.median(p / t for p, t in zip(processor, theirs, strict=True))
        peak, before = (max(float(r[i]) for r in rounds) for i in (2, 3))
        spans = [f"{statistics.median(t):.1f} ({min(t):.1f}–{max(t):.1f})" for t in (seconds, processor)]
        lines.append(f"| {name} | {' | '.join(spans)} | {ratio:.2f} | {peak:,.0f} ({before:,.0f}) | {rounds[0][4]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
