"""Which columns of a survey hold answers, to which question, and on which scale do the answers lie?"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cxkit.client import UNKNOWN
from cxkit.column_choice import NO_MEANING, Choice, asked, shown
from cxkit.column_kinds import ColumnForm, counted, numbers
from cxkit.meanings import metrics_of

ENDS = {(0, 10), (1, 10), (1, 5), (1, 7), (0, 5), (1, 3), (1, 4), (0, 100), (1, 100)}  # scales that are asked on
HIGHEST = {"nps": 10, "csat": 10, "ces": 7, "csi_item": 10}
SENTENCE = 4  # words
_ASKS = re.compile(  # what a name has that asks for words
    r"comment|why\b|reason|open.?ended|verbatim|please (?:tell|explain|specify)|other \(please|feedback|improve"
    r"|комент|чому|причин|поясн|почему|коммент|komentarz|dlaczego|uzasadn|powód|uwagi",
    re.IGNORECASE,
)
LEAST = 30  # answers: fewer may have missed an end of their scale


def questions(choice: Choice, told: dict[str, str]) -> dict[str, dict[str, Any]]:
    """A survey with a row a person: raw column -> what it asks; the metric is "???" where its wording names none."""
    found: dict[str, dict[str, Any]] = {}
    forms = asked(choice)
    for form in forms:
        metrics, top = metrics_of(form.name), numbers(form).max()
        fits = [m for m in metrics if top <= HIGHEST[m]]
        question: dict[str, Any] = {"metric": fits[0] if len(fits) == 1 else UNKNOWN}
        low, high = int(numbers(form).min()), int(top)
        what = f"{form.filled:,} answers, {low} to {high}"
        if len(fits) == 1:
            told[f"questions.{form.name}.metric"] = f"{what}; its words ask for {fits[0]}"
        else:
            open_ = "its words do not say: nps, csat or ces? Take it out if none"
            told[f"questions.{form.name}.metric"] = f"{what}; {open_}"
        found[form.name] = question
        choice.unmapped.pop(form.name, None)
    comment = choice.columns.get("comment")
    for question, words in _words_to(choice, forms).items():
        found[question]["comment"] = words.name
        answered = next(f for f in forms if f.name == question).sample.astype(object) != ""
        alone = int(((words.sample.astype(object) != "") & ~answered).sum())
        what = f"; {alone:,} of them without an answer, which are not read" if alone else ""
        told[f"questions.{question}.comment"] = f"{shown(words.name)}: {words.evidence}; right of its question{what}"
        choice.unmapped.pop(words.name, None)
        if words is comment:  # the words to one question, not to all of them
            choice.told.pop("comment")
            del choice.columns["comment"]
    return found


def _words_to(choice: Choice, questions: Sequence[ColumnForm]) -> dict[str, ColumnForm]:
    """Question -> the column of words right of it: the first up to the next question that nothing else wants."""
    comment, asked = choice.columns.get("comment"), {f.name for f in questions}
    found: dict[str, ColumnForm] = {}
    question = None
    for form in choice.forms:
        if form.name in asked:
            question = form.name
        elif question is not None and question not in found:
            free = form is comment or choice.unmapped.get(form.name, "").startswith((NO_MEANING, "could be comment"))
            if free and (form is comment or _is_said(form)):
                found[question] = form
    return found


def _is_said(form: ColumnForm) -> bool:
    """Whether a column holds what people wrote: by a name that asks for it, or sentences under a name that asks for
    nothing else."""
    if form.kind in ("text", "category") and _ASKS.search(form.name):
        return True
    if form.kind != "text" or "?" in form.name:
        return False
    counts = counted(form)
    return sum(n for text, n in counts.items() if len(text.split()) >= SENTENCE) >= form.filled / 2 > 0


def scale(values, what: str) -> tuple[list[int] | str, str]:
    """The scale on which answers lie, by the lowest and the highest given; "???" where an end may not have been given.

    From: numbers, and the metric. Answers of 1 to 10 to an NPS question are told and left open: its scale is 0 to 10.
    """
    given = values.dropna()
    if given.empty or not (given == given.round()).all():
        return UNKNOWN, "no whole numbers among the answers"
    low, high = int(given.min()), int(given.max())
    told = f"{low} to {high} in {len(given):,} answers"
    if (low, high) in ENDS and len(given) >= LEAST and (what != "nps" or (low, high) == (0, 10)):
        return [low, high], told
    if what == "nps" and (low, high) == (1, 10):
        return UNKNOWN, f"{told}, none 0: [1, 10] if it was asked so, else [0, 10]"
    return UNKNOWN, f"{told}: what were the lowest and the highest possible answer?"


def scales(settings: Mapping[str, Any], table: str, forms: Mapping[str, ColumnForm]) -> dict[str, tuple[Any, str]]:
    """The scales of a table's scores: metric -> (scale or "???", evidence)."""
    columns = settings.get("columns", {})
    if table in ("reviews", "contacts"):
        name = "rating" if table == "reviews" else "satisfaction"
        form = forms.get(columns.get(name)) if isinstance(columns.get(name), str) else None
        return {name: scale(numbers(form, settings.get("decimal")), name)} if form is not None and form.filled else {}
    if table != "surveys":
        return {}
    found: dict[str, tuple[Any, str]] = {}
    for raw, question in settings.get("questions", {}).items():
        if question["metric"] != UNKNOWN and raw in forms and question["metric"] not in found:
            found[question["metric"]] = scale(numbers(forms[raw]), question["metric"])
    metric, score = (forms.get(n) if isinstance(n := columns.get(c), str) else None for c in ("metric", "score"))
    if metric is not None and score is not None:
        means = settings.get("values", {}).get("metric", {})
        said = metric.sample.astype(object).map(lambda text: means.get(text, text.lower()))
        for word in sorted(set(said) & {"nps", "csat", "ces", "csi_item", "expectation"}):
            found[word] = scale(numbers(score, settings.get("decimal"))[(said == word).to_numpy()], word)
    return found
