"""Where does a report say what an article claims, and does the source stand beside it?"""

import re
from html.parser import HTMLParser

import pandas as pd

BLOCKS = {"tr", "p", "li", "figcaption", "h1", "h2", "h3", "h4", "caption", "dd", "th", "td"}
HIDDEN = {"style", "script", "svg", "title"}


class _Texts(HTMLParser):
    """The texts of a page, one a row or paragraph; a table's row is one text, its columns' headings before it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts, self.rows, self.hidden, self.parts, self.head = [], 0, 0, [], ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.hidden += tag in HIDDEN
        if tag == "tr" or (tag in BLOCKS and not self.rows):
            self._end()
        self.rows += tag == "tr"
        self.head = "" if tag == "table" else self.head
        alt = dict(attrs).get("alt")
        if tag == "img" and alt:
            self.texts.append(_plain(alt))

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN
        self.rows -= tag == "tr"
        if tag == "thead":
            self.head = self.texts[-1] if self.texts else ""
        elif tag == "tr" and self.head:
            self.parts.insert(0, f"{self.head} | ")
        if tag == "tr" or (tag in BLOCKS and not self.rows):
            self._end()

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)

    def _end(self) -> None:
        text = _plain(" ".join(self.parts))
        self.texts += [text] if text else []
        self.parts = []


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u2060", "").replace("\u00a0", " ")).strip()


def texts(html: str) -> list[str]:
    """The rows and paragraphs of a page as plain texts, and what its pictures say to those who cannot see them."""
    reader = _Texts()
    reader.feed(html)
    reader.close()
    return reader.texts


def unsourced(html: str, claims: pd.DataFrame) -> list[tuple[str, str]]:
    """What a page says of a claim without the claim's source in the same row or paragraph: (claim, text).

    From: `claims.read_claims` (words, source). The source is its id (S2d), which a wider one (S2) stands in for.
    """
    found = []
    for text in texts(html):
        for claim in claims.itertuples():
            sources = {claim.source, claim.source[:2]}
            beside = any(re.search(rf"\b{source}\b", text) for source in sources)
            if any(re.search(word, text) for word in claim.words) and not beside:
                found.append((claim.id, text))
    return found
