"""What do comments talk about: themes by the words of a list, and themes that the comments themselves show."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.answer_sums import effective, share_ends
from cxkit.comment_words import count_words, spoken_words
from cxkit.errors import UsageError
from cxkit.estimates import cluster_error
from cxkit.found_themes import components
from cxkit.languages import NAMES, languages_of
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.settings_file import read_yaml
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value
from cxkit.words import normal_text, split_words, stem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THEMES = Path(__file__).parent / "themes.yml"
MOST_THEMES, MOST_SEEDS = 60, 500
MOSTLY = 0.5  # of what a comment says, that it is about a found theme; of these, that hold words of a listed one
EVEN = 1 / 3  # of the comments of a found theme: where no theme of the list has more, it goes with all of them
NO_THEME = "no theme"
MOST_SHOWN = 15  # bars of a picture
SHAPE = "`themes:`, a list of words for each theme"


def theme_list(path: Path | None = None) -> pd.DataFrame:
    """The themes to look for and the words that tell them.

    From: a YAML file as `cxkit/themes.yml`, which is the default. To, in the file's order: theme, seed (in its normal
    spelling), prefix (whether all words that begin so count), origin (cxkit, or the file's name).
    Raises UsageError naming the file, the theme, what was found and what is valid.
    """
    file = Path(path) if path is not None else THEMES
    read = read_yaml(file, begins=SHAPE)
    unknown = [key for key in read if key != "themes"]
    listed = read.get("themes")
    if unknown or not isinstance(listed, dict) or not listed:
        found = f"the key {unknown[0]!r}" if unknown else f"{listed!r} under `themes`"
        raise UsageError(f"{file} holds {clean_text(found)}; it is to hold {SHAPE}, and nothing else.")
    if len(listed) > MOST_THEMES:
        raise UsageError(f"{file} names {len(listed)} themes; a list that people can read has at most {MOST_THEMES}.")
    rows, names = [], {}
    for name, seeds in listed.items():
        theme = clean_text(name)
        if not theme or normal_text(theme) in names:
            raise UsageError(f"{file}: the theme {theme!r} has no name of its own; name each theme once.")
        names[normal_text(theme)] = theme
        rows += [(theme, *seed) for seed in _seeds(file, theme, seeds)]
    frame = pd.DataFrame(rows, columns=["theme", "seed", "prefix"])
    return frame.assign(origin="cxkit" if path is None else clean_text(file.name))


def _seeds(file: Path, theme: str, seeds: object) -> list[tuple[str, bool]]:
    if not isinstance(seeds, list) or not seeds or len(seeds) > MOST_SEEDS:
        what = "an empty list" if seeds == [] else f"{len(seeds)} words" if isinstance(seeds, list) else repr(seeds)
        raise UsageError(
            f"{file}: the theme {theme!r} holds {clean_text(what)[:80]}; give a list of 1 to {MOST_SEEDS} words, as"
            f" {theme}: [delivery, courier*]."
        )
    told = []
    for seed in seeds:
        text = str(seed).strip()
        words = split_words(text.removesuffix("*"))
        prefix = text.endswith("*")
        if not isinstance(seed, str) or len(words) != 1 or len(words[0]) < 2 + prefix or "*" in text[:-1]:
            raise UsageError(
                f"{file}: the theme {theme!r} has the word {clean_text(seed)[:60]!r}; a word is one word of two letters"
                " or more (three before a *), and * stands at its end only."
            )
        told.append((words[0], prefix))
    return list(dict.fromkeys(told))


def seeded(words: pd.DataFrame, listed: pd.DataFrame):
    """Which words tell which theme of the list: a sparse matrix, words by themes (in the order of the list).

    From: words of `count_words`; `theme_list`. A seed with a star tells all words that begin with it; any other one all
    words of its stem in their own language.
    """
    from scipy import sparse

    themes = list(dict.fromkeys(listed["theme"]))
    places = {theme: i for i, theme in enumerate(themes)}
    whole: dict[tuple[str, str], set[int]] = {}
    starts: dict[str, set[int]] = {}
    for row in listed.itertuples(index=False):
        if row.prefix:
            starts.setdefault(row.seed, set()).add(places[row.theme])
        else:
            for language in ("uk", "ru", "pl", "en"):
                whole.setdefault((language, stem(row.seed, language)), set()).add(places[row.theme])
    lengths = sorted({len(s) for s in starts})
    rows, columns = [], []
    for i, (word, language, root) in enumerate(zip(words["word"], words["language"], words["stem"], strict=True)):
        found = set(whole.get((language, root), ()))
        for n in lengths:
            found |= starts.get(word[:n], set())
        rows += [i] * len(found)
        columns += sorted(found)
    return sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(words), len(themes)))


def themes_said(texts: Sequence[str], listed: pd.DataFrame) -> list[list[str]]:
    """The themes of the list that each text tells, in the list's order. From: texts; `theme_list`."""
    names = list(dict.fromkeys(listed["theme"]))
    languages = languages_of(list(texts))
    frame = pd.DataFrame({"text": list(texts), "language": languages, "who": range(len(languages))})
    counts, words = count_words(frame)
    said = (counts @ seeded(words, listed)).toarray() > 0
    return [[name for name, told in zip(names, row, strict=True) if told] for row in said]


def find_themes(
    comments: pd.DataFrame, counts, words: pd.DataFrame, *, listed: pd.DataFrame, numbers: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Which comment is about which theme.

    From: `comments.readable`; `comment_words.count_words`; `theme_list`; `found_themes.theme_numbers`. To, ordered:
    theme (its name), origin (the kit's or the client's list, or found), comment (its place in `comments`), how: word
    (it holds a word of the list), company (it holds none of any theme, and more than half of what it says goes with
    words that stand with that theme's), found.
    The name of a found theme is its language and its leading words ("uk: …"); those of two languages are not joined.
    How: a theme that the comments show by themselves joins one of the list where more than half of its comments hold
    words of that one. The others stand by their own words; more than half of what a comment says must go with them, and
    at least five people must have said it. What is left out: words that go with every theme (how people begin or end:
    "not my first order"): more than half of the comments with them hold words of the list, and no theme of the list is
    in more than a third.
    """
    from scipy import sparse

    themes = list(dict.fromkeys(listed["theme"]))
    tell = seeded(words, listed)
    said = counts @ tell
    if len(listed) and listed["origin"].iloc[0] == "cxkit":  # in other languages its Latin words mean something else
        latin = sparse.diags(words["word"].str.isascii().to_numpy(dtype=np.float32))
        abroad = sparse.diags((comments["language"] == "other").to_numpy(dtype=np.float32))
        said = said - abroad @ counts @ latin @ tell
        said.eliminate_zeros()
    said = said.tocoo()
    parts = [pd.DataFrame({"theme": [themes[j] for j in said.col], "comment": said.row, "how": "word"})]
    spoken = np.zeros(len(comments), dtype=bool)
    spoken[said.row] = True
    holds = (said.tocsr() > 0).astype(np.float32)
    for row in numbers[numbers["themes"] > 0].itertuples(index=False):
        rows = np.flatnonzero((comments["language"] == row.language).to_numpy())
        shares = components(counts, words, rows, k=int(row.themes), seed=seed)
        for j in range(shares.shape[1]):
            mostly = rows[shares[:, j] > MOSTLY]
            about = np.asarray(holds[mostly].sum(axis=0)).ravel()
            if len(mostly) and about.max(initial=0) > MOSTLY * len(mostly):
                rest = mostly[~spoken[mostly]]
                parts.append(pd.DataFrame({"theme": themes[int(about.argmax())], "comment": rest, "how": "company"}))
            elif len(mostly) and spoken[mostly].mean() > MOSTLY and about.max() <= EVEN * len(mostly):
                continue
            elif comments["who"].iloc[mostly].nunique() >= LEAST_SHOWN:
                inside = np.zeros(len(comments), dtype=bool)
                inside[mostly] = True
                its = ", ".join(clean_text(w) for w in spoken_words(counts, words, inside, comments["who"]))
                name = f"{row.language}: {its}"
                parts += [pd.DataFrame({"theme": name, "comment": mostly, "how": "found"})] if its else []
    frame = pd.concat(parts, ignore_index=True).drop_duplicates(["theme", "comment"])
    origin = "the client's list" if len(listed) and listed["origin"].iloc[0] != "cxkit" else "the kit's list"
    frame["origin"] = np.where(frame["how"] == "found", "found", origin)
    frame = frame[["theme", "origin", "comment", "how"]].astype({"comment": "int64"})
    return frame.sort_values(["theme", "comment"], kind="stable", ignore_index=True)


def theme_table(
    comments: pd.DataFrame, counts, words: pd.DataFrame, mentions: pd.DataFrame, *, level: float = 0.95
) -> pd.DataFrame:
    """How many comments are about each theme.

    From: `comments.readable`, `count_words`, `find_themes`. To, the commonest first: theme, origin, words (those that
    set its comments apart, from five people on), comments, people, value (share of all comments), low, high, n
    (all comments), level, method. A comment may be about several themes; a last row `no theme` counts the rest. Rows of
    under five people are withheld. The interval takes a person who wrote several times for one.
    """
    rows, n = [], len(comments)
    who = pd.factorize(comments["who"])[0]
    wrote = np.bincount(who) if n else np.zeros(0)
    themes = mentions.drop_duplicates("theme")[["theme", "origin"]]
    rest = np.setdiff1d(np.arange(n), mentions["comment"].to_numpy())
    groups = dict(list(mentions.groupby("theme")["comment"])) | {NO_THEME: pd.Series(rest, dtype="int64")}
    for theme, origin in [*themes.itertuples(index=False), (NO_THEME, "")]:
        inside = np.zeros(n, dtype=bool)
        inside[groups[theme].to_numpy()] = True
        part = np.bincount(who[inside], minlength=len(wrote)).astype(float)
        its = ", ".join(spoken_words(counts, words, inside, comments["who"])) if origin else ""
        share = inside.sum() / n if n else np.nan
        error = cluster_error(part @ part, part @ wrote, wrote @ wrote, n, share, len(wrote)) if n else np.nan
        rows.append((theme, origin, its, int(inside.sum()), int((part > 0).sum()), share, float(error)))
    frame = pd.DataFrame(rows, columns=["theme", "origin", "words", "comments", "people", "value", "error"])
    people = np.full(len(frame), len(wrote))
    spread = frame["value"] * (1 - frame["value"])
    low, high = share_ends(
        frame["value"], effective(frame["error"], spread, np.full(len(frame), n), people), people, level=level
    )
    frame = frame.assign(low=low, high=high, n=n, level=level, method="Wilson, people as units").drop(columns="error")
    frame = frame.assign(last=frame["theme"] == NO_THEME)
    frame = frame.sort_values(["last", "comments", "theme"], ascending=[True, False, True], ignore_index=True)
    held = withhold_small(frame.drop(columns="last"), count="people")
    return held.assign(words=held["words"].where(held["value"].notna() | (n == 0), ""))


def themes_in_words(table: pd.DataFrame, numbers: pd.DataFrame) -> list[str]:
    """What comments talk about most of the themes of the list, in sentences.

    From: `theme_table`; `found_themes.theme_numbers`.
    """
    known = table[(table["theme"] != NO_THEME) & table["value"].notna()]
    if not len(known):
        return ["No theme was found in the comments: none of them holds a word of the list."]
    listed, told = known[known["origin"] != "found"], []
    if len(listed):
        told.append(f"Of {int(listed['n'].iloc[0]):,} comments most are about {_shares(listed)}.")
    rest = table[(table["theme"] == NO_THEME) & table["value"].notna()]
    told += [f"{format_value(r.value, 'share')} are about none of the themes." for r in rest.itertuples(index=False)]
    unstable = [NAMES.get(k, k) for k in numbers.loc[numbers["reading"] == "no stable themes", "language"]]
    if unstable:
        told.append(f"No themes of their own hold when comments are left out, in: {', '.join(unstable)}.")
    return told


def found_table(table: pd.DataFrame) -> pd.DataFrame:
    """The themes that comments show by themselves, on no list. From: `theme_table`, whose columns it has."""
    return table[table["origin"] == "found"].reset_index(drop=True)


def found_in_words(table: pd.DataFrame) -> str:
    """What themes stand on no list, in a sentence. From: `theme_table`."""
    found = found_table(table)
    found = found[found["value"].notna()]
    if not len(found):
        return "The comments show no theme of their own beside those of the list."
    many = "1 more theme stands" if len(found) == 1 else f"{len(found)} more themes stand"
    return f"{many} on no list: words that go together in the comments, as {_shares(found)}."


def _shares(rows: pd.DataFrame) -> str:
    parts = [
        f"{clean_text(r.theme)} ({format_value(r.value, 'share')} of them, {format_ends(r.low, r.high, 'share')})"
        for r in rows[:3].itertuples(index=False)
    ]
    return ", then ".join(parts)


def plot_themes(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`theme_table` as bars with their intervals; themes of the list in colour, found ones and the rest grey."""
    import matplotlib.pyplot as plt

    known = table[table["value"].notna() & table["comments"].gt(0)]
    shown = pd.concat([known[known["theme"] != NO_THEME][:MOST_SHOWN], known[known["theme"] == NO_THEME]])
    ax = plt.subplots(figsize=(7.2, 0.36 * max(len(shown), 1) + 1.3))[1] if ax is None else ax
    if not len(shown):
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no theme was found", ha="center", va="center", color=GREY, transform=ax.transAxes)
        return ax
    listed = shown["origin"].str.endswith("list").to_numpy()
    value, low, high = (100 * shown[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
    places = np.arange(len(shown))
    for part, colour, label in ((listed, "C0", "On the list"), (~listed, GREY, "Found in the comments, and the rest")):
        if part.any():
            ax.barh(places[part], value[part], color=colour, alpha=0.75, height=0.62, label=label)
    ax.hlines(places, low, high, color=INK, linewidth=1.4)
    for y, end, share in zip(places, high, shown["value"], strict=True):
        ax.annotate(format_value(share, "share"), (end, y), xytext=(5, 0), textcoords="offset points", va="center")
    ax.set_yticks(places, [folded_text(name) for name in shown["theme"]])
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1.15 * max(high.max(), 1)), ylim=(len(shown) - 0.4, -0.6), xlabel="Share of comments, %")
    ax.set_title("What comments are about")
    if listed.any() and not listed.all():
        ax.get_figure().legend(loc="outside lower left", ncols=2)
    return ax


def describe_themes(table: pd.DataFrame) -> str:
    """The picture of `plot_themes` in words."""
    known = table[table["value"].notna() & table["comments"].gt(0)]
    if not len(known):
        return "No theme was found in the comments."
    told = "; ".join(
        f"{clean_text(r.theme)} {format_value(r.value, 'share')}" for r in known[:6].itertuples(index=False)
    )
    return f"Bars of the share of comments about each theme, with intervals: {told}."
