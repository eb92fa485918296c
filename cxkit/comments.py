"""What customers write when asked, in reviews and to the service: one row a comment, cleaned, with its language."""

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.languages import LANGUAGES, NAMES, languages_of
from cxkit.privacy import LEAST_SHOWN, MAY_HOLD_PERSONAL, scrub
from cxkit.style import GREY, INK, clean_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST = 5_000  # letters of a comment that are read
SOURCES = {  # table -> text, score, day, time; its name, and the question whose scale the score has
    "surveys": ("comment", "score", "answered_on", "answered_at", "survey"),
    "reviews": ("text", "rating", "written_on", "written_at", "review"),
    "contacts": ("text", "satisfaction", "opened_on", "opened_at", "contact"),
}
METRIC = {"reviews": "rating", "contacts": "satisfaction"}
FIRST = ("nps", "csat", "ces", "csi_item", "expectation", "rating", "satisfaction")  # whose score a repeated text keeps
NO_WORDS, REPEATED = "no words", "repeated"
COLUMNS = ["who", "said_on", "origin", "metric", "score", "place", "text", "language", "left_out", "cut"]

_PERSONAL = re.compile(MAY_HOLD_PERSONAL)
_TAGS = re.compile(r"<[^<>]{1,300}>")
_LINKS = re.compile(
    r"\]\([^()]{0,500}\)|\b(?:https?|ftp|mailto|javascript|data|vbscript):\S+|\bwww\.\S+", re.IGNORECASE
)
_MARKS = re.compile(r"\[(?:e-mail|phone|card|account)\]")
_WORD = re.compile(r"[^\W\d_]{2,}")


def gather(
    tables: Mapping[str, Table], *, scales: Mapping[str, tuple[float, float]], ces: str = "agree"
) -> pd.DataFrame:
    """Every comment of surveys, reviews and contacts, those of them that there are.

    From: the canonical tables by name; the declared scales; how CES was asked (`effort`: a higher answer is worse). To,
    in order of day, origin, question, person and text: who (customer, else the comment itself), said_on, origin
    (survey, review, contact), metric (nps, csat, …, rating, satisfaction), score (as it was given), place (of the score
    on its scale, 0 the worst and 1 the best answer; NaN without score or scale), text (cleaned), language
    (`languages_of`), left_out ("" where it is read), cut (was it longer than is read).
    Texts come without tags, links, and what the door or `privacy.scrub` takes for e-mails, phones, cards and accounts;
    they are never to be shown on a page. Left out: texts without a word of two letters (no words), and the same text of
    the same customer on the same day (repeated), which stands under several questions where one form asked them
    together: it keeps the score of NPS, else CSAT, else CES. Of a text over 5,000 letters the first 5,000 are read.
    """
    parts = [
        _read(tables[name], name) for name in SOURCES if name in tables and SOURCES[name][0] in tables[name].columns
    ]
    frame = (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["who", *COLUMNS[1:5], "text", "cut"])
    )
    told = {text: clean_comment(text) for text in dict.fromkeys(frame["text"])}
    frame["text"] = frame["text"].map(told).astype(object)
    frame["place"] = _places(frame, scales, ces)
    rank = {metric: i for i, metric in enumerate(FIRST)}
    frame["rank"] = frame["metric"].map(rank).fillna(len(FIRST)).astype("int64")
    keys = ["said_on", "origin", "rank", "metric", "who", "text", "score"]
    frame = frame.sort_values(keys, kind="stable", na_position="last", ignore_index=True)
    nameless = frame["who"].isna()
    wordless = ~frame["text"].map(lambda text: bool(_WORD.search(text))).astype(bool)
    again = frame.duplicated(["who", "said_on", "text"]) & ~nameless & ~wordless
    frame["left_out"] = np.select([wordless, again], [NO_WORDS, REPEATED], "").astype(object)
    frame.loc[nameless, "who"] = [f"comment {i}" for i in np.flatnonzero(nameless)]
    frame["language"] = languages_of(list(frame["text"]))
    return frame[COLUMNS]


def _read(table: Table, name: str) -> pd.DataFrame:
    text, score, day, time, origin = SOURCES[name]
    has = set(table.columns)
    kept = table.filter(table[text].notnull(), table[text].strip() != "")
    said = kept[day] if day in has else kept[time].cast("date")
    frame = collect(
        kept.select(
            who=kept.customer_id if "customer_id" in has else ibis.null("string"),
            said_on=said,
            origin=ibis.literal(origin),
            metric=kept.metric if name == "surveys" else ibis.literal(METRIC[name]),
            score=(kept[score] if score in has else ibis.null("float64")).cast("float64"),
            text=kept[text].substr(0, LONGEST),
            cut=kept[text].length() > LONGEST,
        ),
        order_by=["said_on", "metric", "who", "text", "score"],
    )
    return frame.assign(said_on=pd.to_datetime(frame["said_on"]), who=frame["who"].astype(object))


def clean_comment(text: str) -> str:
    """A comment on one line without tags, links and personal data, as far as these can be told."""
    plain = html.unescape(text) if "&" in text else text
    if "<" in plain:
        plain = _TAGS.sub(" ", plain)
    if ":" in plain or "www" in plain.lower():
        plain = _LINKS.sub(" ", plain)
    if _PERSONAL.search(plain):
        plain = scrub(plain)
    return clean_text(_MARKS.sub(" ", plain))


def _places(frame: pd.DataFrame, scales: Mapping[str, tuple[float, float]], ces: str) -> pd.Series:
    low = frame["metric"].map(lambda m: scales.get(m, (np.nan, np.nan))[0]).astype(float)
    high = frame["metric"].map(lambda m: scales.get(m, (np.nan, np.nan))[1]).astype(float)
    place = (frame["score"].astype(float) - low) / (high - low)
    return place.mask((frame["metric"] == "ces") & (ces == "effort"), 1 - place)


def account(gathered: pd.DataFrame, tables: Mapping[str, Table]) -> pd.DataFrame:
    """What became of the answers, reviews and contacts on the way to comments that are read.

    From: `gather`, and the tables it had. To, one row an origin: origin, rows (of the table), empty (without a text),
    no_words, repeated, cut (longer than is read; they are among the comments), comments (read), people (their authors).
    """
    rows = []
    for name, (text, _, _, _, origin) in SOURCES.items():
        if name in tables:
            here = gathered[gathered["origin"] == origin]
            read = here[here["left_out"] == ""]
            whole = int(tables[name].count().execute()) if text in tables[name].columns else 0
            left = [int((here["left_out"] == reason).sum()) for reason in (NO_WORDS, REPEATED)]
            rows.append(
                (origin, whole, whole - len(here), *left, int(read["cut"].sum()), len(read), read["who"].nunique())
            )
    return pd.DataFrame(rows, columns=["origin", "rows", "empty", "no_words", "repeated", "cut", "comments", "people"])


def account_in_words(account: pd.DataFrame) -> list[str]:
    """What was read and what was left out, in sentences. From: `account`."""
    if not account["comments"].sum():
        return ["Nobody wrote a comment that could be read: the column of comments is empty, or holds no words."]
    told = []
    for r in account.itertuples(index=False):
        share = format_value(r.comments / r.rows, "share") if r.rows else ""
        told.append(
            f"{r.comments:,} of {r.rows:,} rows of {r.origin}s ({share}) hold a comment, by {r.people:,} people."
        )
    left = {"no_words": "held no words", "repeated": "stood there twice (one form, several questions)",
            "cut": f"were cut after {LONGEST:,} letters"}  # fmt: skip
    counts = {words: int(account[name].sum()) for name, words in left.items()}
    rest = [f"{n:,} {words}" for words, n in counts.items() if n]
    return told + ([f"Of the texts, {'; '.join(rest)}."] if rest else [])


def readable(gathered: pd.DataFrame) -> pd.DataFrame:
    """The comments that are read: those that nothing leaves out, renumbered. From: `gather`."""
    return gathered[gathered["left_out"] == ""].reset_index(drop=True)


def language_shares(comments: pd.DataFrame) -> pd.DataFrame:
    """In which languages comments are written: language, comments, people, share (of the comments); languages of fewer
    than five people stand together with those that could not be told. From: `readable`."""
    counts = comments.groupby("language").agg(comments=("who", "size"), people=("who", "nunique"))
    few = counts.index[(counts["people"] < LEAST_SHOWN)]
    names = comments["language"].where(~comments["language"].isin(few), "unknown")
    counts = (
        comments.assign(language=names).groupby("language").agg(comments=("who", "size"), people=("who", "nunique"))
    )
    order = [k for k in (*LANGUAGES, "other", "unknown") if k in counts.index]
    counts = counts.loc[order].sort_values("comments", ascending=False, kind="stable")
    frame = counts.assign(share=counts["comments"] / max(len(comments), 1)).reset_index()
    return frame.assign(language=frame["language"].map(NAMES))


def plot_languages(shares: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`language_shares` as bars, each with its share and number."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 0.42 * max(len(shares), 1) + 0.9))[1] if ax is None else ax
    ax.set_axis_off()
    if not len(shares):
        ax.text(0.5, 0.5, "no comments", ha="center", va="center", color=GREY, transform=ax.transAxes)
        return ax
    ax.barh(range(len(shares)), shares["share"], color="C0", height=0.6)
    for i, r in enumerate(shares.itertuples(index=False)):
        ax.text(-0.01, i, r.language, ha="right", va="center", color=INK)
        ax.text(r.share + 0.01, i, f"{format_value(r.share, 'share')}  ({r.comments:,})", va="center", color=INK)
    ax.set(xlim=(-0.3, max(shares["share"].max() + 0.2, 0.5)), ylim=(len(shares) - 0.4, -0.6))
    ax.set_title("Languages of the comments")
    return ax


def describe_languages(shares: pd.DataFrame) -> str:
    """The picture of `plot_languages` in words."""
    if not len(shares):
        return "There are no comments to tell a language of."
    told = ", ".join(f"{r.language} {format_value(r.share, 'share')}" for r in shares.itertuples(index=False))
    return f"Bars of the languages of the comments: {told}."
