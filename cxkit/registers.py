"""What did people notice? Mystery shops, employees' ideas, interviews, complaints, competitors, examples of WOW."""

from datetime import date

import pandas as pd

from cxkit.stages import name_key
from cxkit.style import clean_text

# whose voice a note is: who tries the shop or watches competitors for the company speaks as the company does
VOICE = {
    "mystery_shop": "employee",
    "employee_idea": "employee",
    "interview": "customer",
    "complaint": "customer",
    "competitor": "employee",
    "wow_example": "customer",
}
KINDS = tuple(VOICE)
WORDS = {
    "mystery_shop": "mystery shops",
    "employee_idea": "employees' ideas",
    "interview": "interviews",
    "complaint": "complaints",
    "competitor": "competitors",
    "wow_example": "examples of WOW",
}
NOWHERE = "not stated"
NAMED = 5  # notes of a later day that a sentence names
COUNTS = ["kind", "touchpoint", "department", "n", "score", "scored"]
VOICES = ["statement", "quadrant", "voice", "touchpoint", "department", "source", "score"]


def counts(register: pd.DataFrame) -> pd.DataFrame:
    """How many notes of each kind there are on each touchpoint and department.

    From: the workshop's sheet `register`. To, by kind, touchpoint and department: kind, touchpoint, department (each
    "not stated" where the sheet names none; spellings apart in capitals or blanks are one), n (notes), score (mean of
    those scored), scored (how many are).
    """
    if not len(register):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COUNTS})
    rows = _placed(register)
    found = rows.groupby(["kind", "touchpoint", "department"], sort=False).agg(
        n=("note", "size"), score=("score", "mean"), scored=("score", "count")
    )
    order = pd.CategoricalDtype(KINDS, ordered=True)
    found = found.reset_index().astype({"kind": order}).sort_values(["kind", "touchpoint", "department"])
    return found.astype({"kind": object}).reset_index(drop=True)[COUNTS]


def by_place(register: pd.DataFrame, *, place: str) -> pd.DataFrame:
    """Notes of each kind, one row a touchpoint or department: the most noticed first, "not stated" last.

    From: the sheet `register`; `place`: touchpoint or department. To: place, one column a kind that there is, notes.
    """
    rows = _placed(register)
    table = pd.crosstab(rows[place], rows["kind"]).reindex(columns=[k for k in KINDS if (rows["kind"] == k).any()])
    table.columns.name = None
    table.index = table.index.map(_shown)
    table = table.assign(notes=table.sum(axis=1)).reset_index()
    order = table.assign(last=table[place] == NOWHERE, size=-table["notes"])
    return order.sort_values(["last", "size", place], ignore_index=True).drop(columns=["last", "size"])


def as_voices(register: pd.DataFrame) -> pd.DataFrame:
    """The register as statements that a SWOT can take in, one row a note, the same words of one voice once.

    From: the sheet `register`. To, in the sheet's order: statement (the note), quadrant (missing: a note takes no side,
    people do), voice (by kind), touchpoint, department (None where the sheet names none), source (the kind, the
    competitor, the day), score.
    A mystery shop and a look at a competitor are the company's own voice: no customer said them.
    """
    rows = []
    for row in register.itertuples():
        kind = name_key(row.kind)
        source = [kind.replace("_", " "), *(clean_text(t) for t in (row.competitor,) if isinstance(t, str) and t)]
        source += [] if pd.isna(row.date) else [f"{row.date:%Y-%m-%d}"]
        places = [clean_text(t) if isinstance(t, str) and t else None for t in (row.touchpoint, row.department)]
        rows.append((clean_text(row.note), None, VOICE[kind], *places, ", ".join(source), row.score))
    frame = pd.DataFrame(rows, columns=VOICES, dtype=object).astype({"score": float})
    words = frame["statement"].map(lambda text: " ".join(text.casefold().split()))
    return frame[~frame.assign(words=words).duplicated(["voice", "words"])].reset_index(drop=True)


def notes(register: pd.DataFrame, *, customers: bool) -> pd.DataFrame:
    """The notes themselves, by kind, the latest first: kind, note, touchpoint, department, competitor, date, score.

    competitor: its name where the note names one, cleaned of marks as all free words; else None.

    `customers`: whether those that hold customers' words (interviews, complaints, examples of WOW) are among them;
    these are quotes, and only what a person has read and found fit may be shown.
    """
    rows = _placed(register)
    rows = rows[customers | (rows["kind"].map(VOICE) != "customer")]
    rows = rows.astype({"kind": pd.CategoricalDtype(KINDS, ordered=True)})
    rows["day"] = -rows["date"].astype("datetime64[s]").astype("int64").where(rows["date"].notna(), 0)
    rows = rows.sort_values(["kind", "day", "note"], ignore_index=True).astype({"kind": object})
    words = {kind: kind.replace("_", " ") for kind in KINDS}
    rows = rows.assign(kind=rows["kind"].map(words), note=[clean_text(note) for note in rows["note"]])
    rows["touchpoint"] = rows["touchpoint"].map(_shown)
    rivals = [clean_text(t) if isinstance(t, str) and t else None for t in rows["competitor"]]
    rows["competitor"] = pd.Series(rivals, index=rows.index, dtype=object)
    return rows[["kind", "note", "touchpoint", "department", "competitor", "date", "score"]]


def register_sentences(register: pd.DataFrame) -> list[str]:
    """How much was noticed, of what kind and where, in words."""
    if not len(register):
        return ["Nobody has written down what was noticed."]
    rows = _placed(register)
    kinds = [f"{WORDS[kind]} {n}" for kind in KINDS if (n := int((rows["kind"] == kind).sum()))]
    told = [f"{len(rows)} note{'s' * (len(rows) != 1)}: {', '.join(kinds)}."]
    places = by_place(register, place="touchpoint")
    places = places[places["touchpoint"] != NOWHERE]
    if len(places):
        most = places[places["notes"] == places["notes"].max()]
        times = int(most["notes"].iloc[0])
        told.append(f"Most noticed: {', '.join(most['touchpoint'].head(3))} ({times} note{'s' * (times != 1)} each)."
                    if len(most) > 1 else
                    f"Most noticed: {most['touchpoint'].iloc[0]} ({times} note{'s' * (times != 1)}).")  # fmt: skip
    lacking = [WORDS[kind] for kind in KINDS if not (rows["kind"] == kind).any()]
    return [*told, *([f"None of: {', '.join(lacking)}."] if lacking else [])]


def later_sentence(later: pd.DataFrame, *, as_of: date) -> str:
    """Which notes an audit of an earlier day leaves out, in one sentence; empty without one.

    From: `workshop.later_notes`; the last day that counts.
    """
    if not len(later):
        return ""
    rows = later.assign(kind=later["kind"].map(name_key)).sort_values(["date", "kind"], kind="stable")
    named = [f"{row.kind.replace('_', ' ')} {row.date:%Y-%m-%d}" for row in rows.head(NAMED).itertuples()]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    count = "1 note is" if len(rows) == 1 else f"{len(rows):,} notes are"
    return f"{count} dated after the last day that counts ({as_of}) and left out: {', '.join(named)}{more}."


def _shown(place: str) -> str:
    """A touchpoint as a reader knows it: `payment_page` is a payment page."""
    return place.replace("_", " ")


def _placed(register: pd.DataFrame) -> pd.DataFrame:
    """The register with plain kinds, and one spelling of each touchpoint and department (the first in the sheet)."""
    rows = register.assign(kind=register["kind"].map(name_key))
    for place in ("touchpoint", "department"):
        spelt = rows[place].map(lambda text: clean_text(text) if isinstance(text, str) and text else NOWHERE)
        first = dict(zip(spelt.map(name_key)[::-1], spelt[::-1], strict=True))
        rows[place] = spelt.map(name_key).map(first).astype(object)
    return rows
