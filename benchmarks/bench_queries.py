"""Grouping 100,000 distinct queries against scikit-learn's MiniBatchKMeans on their TF-IDF matrix.

Run: python benchmarks/bench_queries.py [--rounds N] [--queries N] [--wait S] [--out FILE]

Ours: from the wordings as they were typed to needs and departments with names: words made one, languages, stems,
misspellings, heads, departments (`query_groups.wordings`, `query_groups.group_queries`). The peer: one
`MiniBatchKMeans(100).fit` on the TF-IDF matrix of the same wordings, made before the clock starts: of words and their
runs of three letters, which is what ours works with, and of words alone. In each round all in turn start a process of
their own; imports, the model of languages and reading are left out; peak memory is the whole process's.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from processes import peak_mb, wait_for_quiet

HERE = Path(__file__).resolve().parent
SEED, K = 1, 100
MOST_TIMES, MOST_MB = 3.0, 1500
CONTENDERS = {
    "ours": "ours: from typed wordings to named needs and departments",
    "grouped": "ours: the grouping alone, from wordings that are read",
    "parts": "MiniBatchKMeans on TF-IDF of words and their runs of three letters",
    "words": "MiniBatchKMeans on TF-IDF of words",
}


def make_queries(path: Path, *, queries: int) -> None:
    """Distinct queries of one to four words of two alphabets, common words common (Zipf); one in fifty misspelt."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(SEED)
    latin = sorted({_made(rng) for _ in range(7000)})[:6000]
    letters = str.maketrans("bcdfghklmnprstvzaeiou", "бцдфгхклмнпрствзаеиоу")
    banks = [latin, [word.translate(letters) for word in rng.permutation(latin)]]
    chance = 1 / np.arange(1, 6001) ** 0.9
    chance /= chance.sum()
    found: set[str] = set()
    while len(found) < queries:
        bank = banks[rng.integers(2)]
        words = [bank[i] for i in rng.choice(6000, rng.choice([1, 2, 3, 4], p=[0.15, 0.4, 0.3, 0.15]), p=chance)]
        text = " ".join(words)
        if rng.random() < 0.02:
            cut = int(rng.integers(1, len(text)))
            text = text[:cut] + text[cut + 1 :]
        found.add(text)
    times = rng.geometric(0.3, queries)
    pd.DataFrame({"query": sorted(found), "sent": times, "visitors": times}).to_parquet(path)


def _made(rng) -> str:
    syllables = ["bcdfghklmnprstvz"[rng.integers(16)] + "aeiou"[rng.integers(5)] for _ in range(rng.integers(2, 5))]
    return "".join(syllables) + "bcdfghklmnprstvz"[rng.integers(16)]


def run_one(name: str, path: Path, out: Path) -> None:
    import pandas as pd
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    from cxkit import languages, query_groups, words

    frame = pd.read_parquet(path)
    if name in ("ours", "grouped"):
        languages.languages_of(["abc abc abc", "abc"])  # reads the model of languages
        words.stop_words()
        read = query_groups.wordings(frame) if name == "grouped" else None
        start, used = time.perf_counter(), time.process_time()
        groups = query_groups.group_queries(query_groups.wordings(frame) if read is None else read)
        found = int(groups["department_key"].nunique())
    else:
        analyser = {"analyzer": _words_and_parts} if name == "parts" else {}
        rows = TfidfVectorizer(**analyser).fit_transform(frame["query"])
        start, used = time.perf_counter(), time.process_time()
        found = int(MiniBatchKMeans(K, random_state=SEED).fit(rows).labels_.max()) + 1
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    out.write_text(json.dumps({"found": found, "told": [seconds, processor, peak_mb()]}), encoding="utf-8")


def _words_and_parts(text: str) -> list[str]:
    words = text.split()
    return words + [f" {word} "[i : i + 3] for word in words for i in range(len(word))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--wait", type=int, default=0, help="seconds to wait, at most, for a quiet machine each time")
    parser.add_argument("--one", nargs=3, metavar=("NAME", "PARQUET", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=HERE / "queries.md", help="where the result is written")
    arguments = parser.parse_args()
    if arguments.one:
        name, path, out = arguments.one
        run_one(name, Path(path), Path(out))
        return
    loads, told = [os.getloadavg()[0]], {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory() as made:
        path, out = Path(made) / "queries.parquet", Path(made) / "out.json"
        make_queries(path, queries=arguments.queries)
        for _ in range(arguments.rounds):  # in turn, so that what else the machine does falls on all alike
            for name in told:
                wait_for_quiet(arguments.wait)
                subprocess.run([sys.executable, __file__, "--one", name, path, out], check=True)
                read = json.loads(out.read_text(encoding="utf-8"))
                print(
                    name, "{:.2f} s, {:.2f} s of processor, {:,.0f} MB".format(*read["told"]), read["found"], flush=True
                )
                told[name].append(read["told"])
    loads.append(os.getloadavg()[0])
    text = as_markdown(told, arguments, loads)
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


def middle(numbers: list[float]) -> str:
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f}–{max(numbers):.2f})"


def as_markdown(told: dict, arguments: argparse.Namespace, loads: list[float]) -> str:
    packages = ", ".join(f"{p} {version(p)}" for p in ("scikit-learn", "scipy", "pandas", "numpy"))
    lines = [
        "# Queries: grouping them against k-means",
        "",
        f"`python benchmarks/bench_queries.py --rounds {arguments.rounds} --queries {arguments.queries}`",
        "",
        f"{os.cpu_count()} cores, Python {platform.python_version()}, {packages}. {arguments.queries:,} distinct "
        f"queries. Medians of {arguments.rounds} rounds with the least and the most in brackets; a ratio is the median "
        f"of the rounds' ratios. Load average before: {loads[0]:.1f}, after: {loads[1]:.1f} (above 2 the machine was "
        "doing other work). The peer's matrix is made before its clock starts; ours reads the words within its own. "
        f"Target: ours takes at most {MOST_TIMES:.0f} times one fit on the matrix of words and parts, and at most "
        f"{MOST_MB:,} MB.",
        "",
        "| contender | seconds | ours / theirs | processor seconds | ours / theirs | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, label in CONTENDERS.items():
        ratios = [
            statistics.median(o[kind] / t[kind] for o, t in zip(told["ours"], told[name], strict=True))
            for kind in (0, 1)
        ]
        seconds, processor = (middle([one[kind] for one in told[name]]) for kind in (0, 1))
        peak = max(one[2] for one in told[name])
        lines.append(f"| {label} | {seconds} | {ratios[0]:.2f} | {processor} | {ratios[1]:.2f} | {peak:,.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
