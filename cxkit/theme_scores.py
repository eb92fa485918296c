"""Which themes go with low and with high scores, what detractors talk about, and which themes grow."""

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.answer_sums import HIGHER, LOWER, judged
from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.others import SUMS, against_others
from cxkit.privacy import scrub, withhold_small
from cxkit.rate_trends import trends
from cxkit.satisfaction import DETRACTOR, PROMOTER
from cxkit.stages import name_key
from cxkit.style import GREY, INK, clean_text, folded_text, format_ends, format_value
from cxkit.themes import themes_said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHOD = "linearised by customer, Student's t"
MOST_SHOWN = 14  # rows of a picture
MOST_QUOTES = 2  # of a theme
COLUMNS = ["theme", "origin", "value", "others", "difference", "low", "high", "n", "people", "unit", "level", "method",
           "reading"]  # fmt: skip


def theme_scores(comments: pd.DataFrame, mentions: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The score that goes with comments about each theme, beside all comments about anything else.

    From: `comments.readable`; `themes.find_themes`. To, the lowest difference first: theme, origin, value (mean place
    of the scores on their scales, 0 the worst and 100 the best answer), others (of all other comments), difference,
    low, high, n (comments about it), people, unit (points of 100), level, method, reading (higher, lower, too early to
    say, too few: under 30 people on a side).
    How: the difference is that of scores less the mean of all comments to the same question, so that a theme which is
    spoken of under one question more than under another is not judged by the question. All themes are one family
    (Holm); who wrote several times is one person for the error, also where he stands on both sides.
    What is left out: comments without a score, or to a question whose scale is not declared. What it cannot show: that
    the theme made the score.
    Source: as `others.against_others` and `answer_sums.judged`.
    """
    known = comments["place"].notna().to_numpy()
    points = 100 * comments["place"].to_numpy(dtype=float)
    usual = pd.Series(points).groupby(comments["metric"].to_numpy()).transform("mean").to_numpy(dtype=float)
    rows = []
    for theme, origin, inside in _each_theme(comments, mentions):
        row = _apart(np.round(points - usual, 6), inside, comments["who"], known)
        value, others = (points[known & side].mean() if (known & side).any() else np.nan for side in (inside, ~inside))
        rows.append(row | {"name": theme, "origin": origin, "value": value, "others": others})
    return _told(rows, about="theme", level=level)


def detractors_talk(comments: pd.DataFrame, mentions: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """What share of detractors' comments is about each theme, beside that of promoters.

    From: `comments.readable`; `themes.find_themes`. To: as `theme_scores`, the themes that detractors speak of more
    first: value (of 100 comments of detractors), others (of promoters), difference in percentage points.
    What is left out: comments to other questions than NPS or without a scale, and those of passives (7, 8).
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54 (who is a detractor).
    """
    nps = (comments["metric"] == "nps").to_numpy()
    score = comments["score"].to_numpy(dtype=float)
    told = nps & comments["place"].notna().to_numpy()
    low, high = told & (score <= DETRACTOR), told & (score >= PROMOTER)
    rows = []
    for theme, origin, inside in _each_theme(comments, mentions):
        row = _apart(100.0 * inside, low, comments["who"], low | high)
        rows.append(row | {"name": theme, "origin": origin})
    return _told(rows, about="detractors", level=level)[::-1].reset_index(drop=True)


def _each_theme(comments: pd.DataFrame, mentions: pd.DataFrame):
    for theme, rows in mentions.groupby("theme", sort=True):
        inside = np.zeros(len(comments), dtype=bool)
        inside[rows["comment"].to_numpy()] = True
        yield theme, rows["origin"].iloc[0], inside


def _apart(x: np.ndarray, inside: np.ndarray, who: pd.Series, used: np.ndarray) -> dict:
    """The mean of x inside and outside, and their difference with its error, people being the units."""
    codes = pd.factorize(who[used])[0]
    x, inside = x[used], inside[used]
    people = int(codes.max(initial=-1)) + 1
    sides = []
    for here in (inside, ~inside):
        part = np.bincount(codes[here], weights=x[here], minlength=people)
        whole = np.bincount(codes[here], minlength=people).astype(float)
        sides.append((part, whole, float((x[here] ** 2).sum())))
    part_all, whole_all = sides[0][0] + sides[1][0], sides[0][1] + sides[1][1]
    rows = []
    for number, (part, whole, squares) in enumerate(sides):
        first = (whole > 0) & ((sides[0][1] == 0) | (number == 0))
        sums = (part.sum(), whole.sum(), squares, part @ part, part @ whole, whole @ whole, part @ part_all,
                part @ whole_all, whole @ part_all, whole @ whole_all, (whole > 0).sum(), first.sum())  # fmt: skip
        rows.append(dict(zip(SUMS, map(float, np.round(sums, 4)), strict=True)) | {"side": number})
    found = against_others(pd.DataFrame(rows)).iloc[0]
    return {
        "value": found["value"], "others": found["others"], "difference": found["difference"],
        "error": found["difference_error"], "n": int(found["n"]), "people": int(found["units"]),
        "people_others": int(rows[1]["units"]),
    }  # fmt: skip


def _told(rows: list[dict], *, about: str, level: float) -> pd.DataFrame:
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    # each theme is a question of its own to `judged`, so that two themes are never taken for each other's others
    frame = pd.DataFrame(rows).assign(about=about, unit="points", method=METHOD)
    found = judged(frame.assign(metric=frame["name"]), level=level)
    found = found.assign(theme=frame["name"], origin=frame["origin"])[COLUMNS]
    found = withhold_small(found.assign(people=found["people"].astype("int64")), count="people")
    found.loc[found["people"].isna(), "reading"] = "withheld"  # the small ones, and what they could be worked out from
    order = found["difference"].round(6).fillna(np.inf)
    return found.assign(order=order).sort_values(["order", "theme"], ignore_index=True).drop(columns="order")


def theme_months(comments: pd.DataFrame, mentions: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """How many of each month's comments are about each theme.

    From: `comments.readable`; `themes.find_themes`. To, every theme and month, ordered: name (the theme), month, count,
    squares (summed over people), customers, orders (all comments of the month, as `rate_trends.trends` calls them),
    whole (the month ended by `as_of`, and is not the first, which the export may cut).
    """
    if not len(comments):
        return pd.DataFrame(columns=["name", "month", "count", "squares", "customers", "orders", "whole"])
    month = comments["said_on"].dt.to_period("M").dt.to_timestamp()
    months = pd.date_range(month.min(), month.max(), freq="MS")
    every = month.value_counts().reindex(months, fill_value=0)
    said = mentions.assign(
        month=month.to_numpy()[mentions["comment"]], who=comments["who"].to_numpy()[mentions["comment"]]
    )
    cells = said.groupby(["theme", "month", "who"]).size().rename("count").reset_index()
    cells = cells.assign(squares=cells["count"] ** 2, customers=1)
    index = pd.MultiIndex.from_product([sorted(mentions["theme"].unique()), months], names=["name", "month"])
    sums = cells.groupby(["theme", "month"])[["count", "squares", "customers"]].sum()
    frame = sums.rename_axis(["name", "month"]).reindex(index, fill_value=0).reset_index()
    ends = frame["month"] + pd.offsets.MonthEnd(0)
    whole = (ends <= pd.Timestamp(as_of)) & (frame["month"] > months[0])
    frame["orders"] = frame["month"].map(every).astype("int64")
    return frame.assign(whole=whole & (frame["orders"] > 0))


def theme_trends(months: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """By how much the share of comments about each theme grows a year, all themes judged together.

    From: `theme_months`. To: as `rate_trends.trends`, whose rates are of a hundred comments here: theme, months, n
    (comments about it in whole months), first, last, value, low, high, level, method, verdict.
    """
    found = trends(months, level=level).rename(columns={"name": "theme"})
    return found[["theme", "months", "n", "first", "last", "value", "low", "high", "level", "method", "verdict"]]


def theme_findings(scores: pd.DataFrame) -> list[Finding]:
    """feedback.theme.<theme>: the themes of the list that go with lower scores for certain.

    From: `theme_scores`. Themes that were found in the comments are words that go together; until a person has named
    them (in the client's list) nothing can be done about them, and they are no findings.
    """
    found = []
    certain = scores["reading"].eq(LOWER) & (scores["origin"] != "found")
    for row in scores[certain].itertuples(index=False):
        name = clean_text(row.theme)
        ends = (float(row.difference), float(row.low), float(row.high))
        found.append(
            Finding(
                id=f"feedback.theme.{name_key(name.replace(',', ''))}",
                claim=f"Who writes about {_braces(name)} scores lower than who writes about"
                " anything else: {value} points of 100 ({interval}).",
                estimate=Estimate(*ends, int(row.n), "points", float(row.level), row.method),
                label=f"Scores with comments about {name}",
                target=0.0,
                target_source="the comments about anything else",
                evidence=("theme_scores",),
                action=f"Read what is said about {name}, and mend the first thing named.",
            )
        )
    return found


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def scores_in_words(scores: pd.DataFrame) -> list[str]:
    """Which themes go with lower and which with higher scores, in sentences. From: `theme_scores`."""
    told = []
    for reading, word in ((LOWER, "lower"), (HIGHER, "higher")):
        rows = scores[scores["reading"] == reading].sort_values("difference", ascending=reading == LOWER)
        if len(rows):
            parts = [f"{clean_text(r.theme)} ({_signed(r.difference)} points of 100, {_ends(r)}, n = {r.n:,.0f})"
                     for r in rows.itertuples(index=False)]  # fmt: skip
            told.append(f"Scores are {word} for certain where people write about {'; '.join(parts)}.")
    judged_ = scores["low"].notna().sum()
    if not told:
        why = "the intervals of all themes meet no difference" if judged_ else "too few people wrote about any theme"
        return [f"It is too early to say which themes go with low scores: {why}."]
    return told


def talk_in_words(talk: pd.DataFrame) -> list[str]:
    """What detractors and what promoters talk about more, in sentences. From: `detractors_talk`."""
    told = []
    for reading, who, other in ((HIGHER, "Detractors", "promoters"), (LOWER, "Promoters", "detractors")):
        rows = talk[talk["reading"] == reading]
        own, theirs = ("value", "others") if reading == HIGHER else ("others", "value")
        shares = [[format_value(v / 100, "share") for v in rows[side]] for side in (own, theirs)]
        parts = [
            f"{clean_text(theme)} ({one} of their comments, {two} of those of {other})"
            for theme, one, two in zip(rows["theme"], *shares, strict=True)
        ]
        told += [f"{who} talk more about {'; '.join(parts)}."] if parts else []
    if told:
        return told
    few = not talk["low"].notna().any()
    why = "fewer than 30 people on a side wrote" if few else "no theme's interval lies on one side"
    return [f"It is too early to say what detractors talk about more than promoters: {why}."]


def trends_in_words(trends: pd.DataFrame) -> list[str]:
    """Which themes grow or fall, in sentences. From: `theme_trends`."""
    told = [
        f"The share of comments about {clean_text(r.theme)} {r.verdict} for certain: {format_value(r.value, 'lift')} a"
        f" year ({format_ends(r.low, r.high, 'lift')}, n = {r.n:,.0f})."
        for r in trends[trends["verdict"].isin(["grows", "falls"])].itertuples(index=False)
    ]
    if told:
        return told
    why = "no theme's share can be told from one that stays" if trends["low"].notna().any() else "too few whole months"
    return [f"No theme grows or falls for certain: {why}."]


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + format_value(value, "points")


def _ends(row) -> str:
    return format_ends(row.low, row.high, "points")


def plot_theme_scores(scores: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Differences of `theme_scores` with their intervals; grey: not told apart."""
    label, title = "Points of 100 above or below other comments", "Scores by what the comment is about"
    return _draw(scores, ax, label=label, title=title)


def plot_talk(talk: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """Differences of `detractors_talk` with their intervals; grey: not told apart."""
    label, title = "Of 100 comments: detractors' less promoters'", "What detractors talk about more than promoters"
    return _draw(talk, ax, label=label, title=title)


def _draw(rows: pd.DataFrame, ax: "Axes | None", *, label: str, title: str) -> "Axes":
    import matplotlib.pyplot as plt

    shown = rows[rows["low"].notna()]
    if len(shown) > MOST_SHOWN:
        shown = pd.concat([shown[: MOST_SHOWN // 2], shown[-(MOST_SHOWN // 2) :]])
    ax = plt.subplots(figsize=(7.2, 0.4 * max(len(shown), 1) + 1.4))[1] if ax is None else ax
    ax.set_title(title)
    if not len(shown):
        ax.set_axis_off()
        ax.text(0.5, 0.5, "too few people to compare", ha="center", va="center", color=GREY, transform=ax.transAxes)
        return ax
    alike = shown["n"].nunique() == 1  # all rows are of the same comments: said once
    label = f"{label} (n = {shown['n'].iloc[0]:,.0f})" if alike else label
    for y, row in enumerate(shown.itertuples(index=False)):
        certain = row.reading in (LOWER, HIGHER)
        ax.hlines(y, row.low, row.high, color=INK if certain else GREY, linewidth=1.4)
        ax.plot(row.difference, y, "o", color="C0" if certain else GREY, markersize=7)
        text = _signed(row.difference) + ("" if alike else f"  (n = {row.n:,.0f})")
        ax.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", color=INK if certain else GREY)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(shown)), [folded_text(name) for name in shown["theme"]])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel=label)
    return ax


def describe_theme_scores(scores: pd.DataFrame) -> str:
    """The picture of `plot_theme_scores` in words."""
    return f"Dots with intervals around no difference, one a theme. {' '.join(scores_in_words(scores))}"


def describe_talk(talk: pd.DataFrame) -> str:
    """The picture of `plot_talk` in words."""
    return f"Dots with intervals around no difference, one a theme. {' '.join(talk_in_words(talk))}"


def theme_quotes(quotes: pd.DataFrame, *, listed: pd.DataFrame) -> pd.DataFrame:
    """Reviewed quotes that hold a word of each theme of the list: theme, quote, source; at most two a theme.

    From: `run.sheet("quotes")`, which is empty unless a person has read them; `themes.theme_list`. A quote stands under
    the first theme of the list that it tells.
    """
    texts = [clean_text(scrub(str(q))) for q in quotes["quote"]] if "quote" in quotes.columns else []
    sources = [clean_text(s) for s in quotes["source"].fillna("")] if "source" in quotes.columns else [""] * len(texts)
    rows = [
        (told[0], text, source)
        for text, source, told in zip(texts, sources, themes_said(texts, listed), strict=True)
        if told
    ]
    frame = pd.DataFrame(rows, columns=["theme", "quote", "source"]).drop_duplicates(["theme", "quote"])
    place = {theme: i for i, theme in enumerate(dict.fromkeys(listed["theme"]))}
    frame = frame.assign(place=frame["theme"].map(place)).sort_values("place", kind="stable")
    return frame.groupby("theme", sort=False).head(MOST_QUOTES).drop(columns="place").reset_index(drop=True)
