"""What a cell of the workshop names: findings by their ids, items by their keys, or words that somebody said."""

import re

from cxkit.client import did_you_mean
from cxkit.findings import FAMILIES, IDS, is_finding
from cxkit.privacy import scrub
from cxkit.words import normal_text

AREAS = frozenset(id.partition(".")[0] for id in (*IDS, *FAMILIES))
KEY = re.compile(r"said\.[0-9a-f]{10}")  # of an item that people alone stand behind
LIKE_AN_ID = re.compile(r"[A-Za-z]{2,}(?:\.[\w,]+)+")
APART = r"[,;\s]+"
ELSEWHERE = "pdf doc docx xls xlsx csv txt ppt pptx png jpg jpeg html htm md com net org eu ua pl uk de io"
NAMED_ELSEWHERE = frozenset(ELSEWHERE.split())  # a file or a page is no misspelt id
LETTERS = 3  # fewer say nothing
# what people write where they have nothing to name
EMPTY = (
    "n a|na|no|none|nothing|nil|not known|unknown|tbd|no evidence|no data|no source|yes"
    "|немає|нема|ні|нічого|невідомо|немає даних|немає доказів|так"
    "|нет|нету|ничего|неизвестно|нет данных|нет доказательств|да"
    "|brak|nie ma|nie|nic|nieznane|brak danych|brak dowodów|nie dotyczy|nd|tak"
)
NOTHING = frozenset({"", *map(normal_text, EMPTY.split("|"))})


def is_nothing(text: str) -> bool:
    """Whether a cell names nothing: signs alone (a dash, a question mark), `n/a`, `немає`, `нет`, `brak`."""
    return normal_text(text) in NOTHING


def as_ids(text: str) -> str | None:
    """The ids of findings and keys of items that a cell consists of, spelt as the kit spells them; None: it does not.

    `Service.Late.Courier; loyalty.repeat_rate` -> `service.late.courier, loyalty.repeat_rate`. Nothing of an id is
    scrubbed: its figures are no phone.
    """
    parts = _parts(text.casefold())
    return ", ".join(dict.fromkeys(parts)) if parts and all(map(_is_id, parts)) else None


def read_evidence(text: str) -> tuple[str | None, str]:
    """What a cell `evidence` says, and what is wrong with it: ids as the kit spells them, or scrubbed words.

    To: (ids or words; None where it names nothing), fault. A fault: what looks like an id and is none, and an id among
    words, which would be taken for a quote.
    """
    if (ids := as_ids(text)) is not None:
        return ids, ""
    parts = _parts(text)
    wrong = next((p for p in parts if not _is_id(p.casefold())), "")
    if all(_looks_like_id(part) for part in parts):
        return None, (
            f"{scrub(wrong)[:60]!r} is no finding's id{_meant(wrong.casefold())} Write an id as the report has it, or"
            " the words in which somebody said it."
        )
    named = [p.strip(".()“”\"'") for p in re.split(APART, text)]
    named = [p for p in named if _looks_like_id(p) and _is_id(p.casefold())]
    if named:
        return None, (
            f"{named[0]!r} stands among other words, and would be taken for a quote; write the id alone, and the words"
            " into a row of their own."
        )
    quoted = not is_nothing(text) and sum(c.isalpha() for c in text) >= LETTERS
    return scrub(text) if quoted else None, ""


def _parts(text: str) -> list[str]:
    """A cell's parts; a finding of the client's own may hold a comma, and never a blank or a semicolon."""
    text = text.strip()
    whole = is_finding(text.casefold()) and not re.search(r"[;\s]", text)
    return [text] if whole else [part for part in re.split(APART, text) if part]


def _meant(wrong: str) -> str:
    """What a misspelt id may mean: one of a family's members has a name of the client's own."""
    families = [family for family in FAMILIES if family.startswith(f"{wrong.partition('.')[0]}.")]
    if families and (wrong.count(".") > 1 or wrong in families):
        return f"; families of that area are {', '.join(f'{family}.NAME' for family in families)}."
    return did_you_mean(wrong, IDS) or "."


def _is_id(part: str) -> bool:
    return bool(KEY.fullmatch(part)) or is_finding(part)


def _looks_like_id(part: str) -> bool:
    first, dot, rest = part.casefold().partition(".")
    if first in AREAS:
        return bool(dot and rest)
    return bool(LIKE_AN_ID.fullmatch(part)) and rest.rpartition(".")[2] not in NAMED_ELSEWHERE
