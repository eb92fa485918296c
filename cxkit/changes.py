"""This audit's figures against an earlier one's: what is better, what is worse, and what cannot be told."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from cxkit.definitions import same_answers, what_changed
from cxkit.estimates import Estimate, holm_levels
from cxkit.findings import Finding, load
from cxkit.kept_tables import read_table
from cxkit.style import clean_text, format_ends, format_value

BETTER, WORSE, CHANGED, EARLY = "better", "worse", "changed", "too early to say"
SHOWN, NOT = "shown, not judged", "not compared"
VERDICTS = (WORSE, BETTER, CHANGED, EARLY, SHOWN, NOT)  # in the order that a reader meets them
# two families are judged of a pair of audits, the figures and the days since: an error of 2.5 % each, 5 % together
FAMILY_LEVEL = 0.975
COLUMNS = ("id", "label", "then", "now", "difference", "low", "high", "better", "verdict", "why")
MORE = ("unit", "difference_unit", "currency", "then_low", "then_high", "now_low", "now_high", "then_n", "now_n",
        "level", "target_then", "target_now")  # fmt: skip
ONLY_NOW, ONLY_THEN = "only this audit tells it", "only the earlier audit tells it"
WITHHELD = "withheld by the consultant"
DEFINED = "its definition changed"
PARAMETER = "a parameter of its notebook changed, and it may rest on that"
PARAMETERS = re.compile(r"\d\d_\w+\.\w+ was ")
TARGET = "the client's target was"
# figures that move by themselves as the data grow longer, by the beginning of the id: shown and not judged
LONGER = "it moves by itself as the data grow longer"
DRIFTS = {
    "segments.great_share": f"what is spent since ever gathers with the oldest customers: {LONGER}",
    "segments.top_group_share": "the groups are formed anew at each audit",
    "segments.quiet_share": f"more customers have had the time to go quiet: {LONGER}",
    "segments.great_kept": "tiers rest on ranks, and the first audits look at a shorter history",
    "segments.best_change": "it is a change already",
    "segments.shrinks": "it is a change already",
    "segments.grows": "it is a change already",
    "loyalty.known_revenue_share": f"customers become known ones: {LONGER}",
    "loyalty.top_share": f"what is spent since ever gathers with the oldest customers: {LONGER}",
    "loyalty.gini": f"what is spent since ever gathers with the oldest customers: {LONGER}",
    "loyalty.top_profit_share": f"what is spent since ever gathers with the oldest customers: {LONGER}",
    "loyalty.overdue_share": f"more customers have had the time to stay away: {LONGER}",
    "loyalty.churn_share": f"after what silence a customer counts as lapsed is told anew from the data: {LONGER}",
    "loyalty.promoters_refer": f"who has ever sent somebody: {LONGER}",
    "loyalty.loyal_customers_change": "it is a change already",
    "loyalty.lift_goods": f"who is loyal is told from all that came before: {LONGER}",
    "loyalty.lift_categories": f"who is loyal is told from all that came before: {LONGER}",
    "loyalty.lift_revenue": f"who is loyal is told from all that came before: {LONGER}",
    "lifetime.value_per_customer": f"it is of the customers of today, who are older than then: {LONGER}",
    "lifetime.slipping_share": f"more customers have had the time to stay away: {LONGER}",
    "lifetime.held_out_error": "it tells how well the model foretold, not how the shop does",
    "service.contact_trend": "it is a change already",
    "service.growing": "it is a change already",
    "personas.costs": "the groups are formed anew at each audit",
}
# findings of which neither side is the good one
NO_DIRECTION = ("loyalty.referral_lift", "loyalty.five_points", "feedback.incentive_bias", "journey.days")
# families whose findings stand there only where something is certain
CERTAIN_ONLY = ("journey.touchpoint", "feedback.touchpoint", "feedback.theme", "feedback.gap", "search.missing")
CERTAIN_ONLY += ("service.growing", "service.late", "service.returned", "segments.shrinks", "segments.grows")
CERTAIN_ONLY += ("personas.costs", "maturity.gap")
# what is read of an earlier run's tables, where it has them
READ_COLUMNS = {"01_segmentation.customers": ("customer_id", "tier"), "10_swot.actions": ("action", "measure"),
                "10_swot.items": ("item", "statement", "quadrant")}  # fmt: skip
MAPPINGS = ("against", "basis", "inputs", "parameters", "settings", "tables")  # of a run's run.json
NO_LONGER = "; that it is not found any more does not show that it went: see what changed since the earlier audit's day"


def findings_of(run: Path) -> list[Finding]:
    """All findings of a published run, in name order; none where it holds none."""
    return [finding for path in sorted((run / "findings").glob("*.json")) for finding in load(path)]


def withheld_in(run: Path) -> set[str]:
    """The ids that the consultant withheld in a run."""
    paths = sorted((run / "findings" / "withheld").glob("*.json"))
    return {row["id"] for path in paths for row in json.loads(path.read_text(encoding="utf-8"))}


def record_of(run: Path) -> dict:
    """A run's run.json; {} where nobody wrote one (in JupyterLab)."""
    path = run / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def why_damaged(run: Path | None) -> str:
    """Why a published run cannot be compared with: a file that is missing, cut short or of another shape, in words;
    empty where it can, or where there is no run."""
    if run is None:
        return ""
    name = "run.json"
    try:
        record = json.loads((run / name).read_text(encoding="utf-8"))
        date.fromisoformat(record["as_of"])
        day = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9]+", run.name)
        if day and day[1] != record["as_of"]:
            return f"the run {run.name} is damaged: its {name} tells of another day, {record['as_of']}"
        odd = [key for key in MAPPINGS if not isinstance(record.get(key) or {}, dict)]
        if odd:
            return f"the run {run.name} is damaged: in its {name} {odd[0]} is of another shape"
        for path in sorted((run / "findings").glob("*.json")):
            name = f"findings/{path.name}"
            load(path)
        for path in sorted((run / "findings" / "withheld").glob("*.json")):
            name = f"findings/withheld/{path.name}"
            [row["id"] for row in json.loads(path.read_text(encoding="utf-8"))]
        for table, columns in READ_COLUMNS.items():
            name = f"tables/{table}.csv"
            lacking = set(columns) - set(read_table(run / name)) if (run / name).is_file() else set()
            if lacking:
                return f"the run {run.name} is damaged: {name} lacks the column {', '.join(sorted(lacking))}"
    except FileNotFoundError:
        return f"the run {run.name} is damaged: it has no {name}"
    except Exception as error:  # whatever is wrong with a file, it is told by its name
        return f"the run {run.name} is damaged: {name} cannot be read ({type(error).__name__})"
    return ""


def sound(run: Path | None) -> tuple[Path | None, str]:
    """A run as it is, or None where there is none or it cannot be compared with, and then why (`why_damaged`)."""
    why = why_damaged(run)
    return (None if why else run), why


def compare(
    now: Sequence[Finding],
    then: Sequence[Finding],
    *,
    settings_now: Mapping = {},
    settings_then: Mapping = {},
    withheld: Collection[str] = (),
    level: float = FAMILY_LEVEL,
) -> pd.DataFrame:
    """Every finding of two audits: the difference with its interval, which side is good, and a verdict.

    From: the findings of both audits; both run.json (`definitions.what_changed`); ids that either withholds. To, worst
    news first, else as the findings stand: id, label, then, now (values), difference (now - then; of shares and lifts
    in percentage points), low, high, better (higher, lower, or empty: neither is the good side), verdict (worse,
    better, changed, too early to say, "shown, not judged", "not compared"), why; unit, difference_unit, currency,
    then_low, then_high, now_low, now_high, then_n, now_n, level (of low and high), target_then, target_now (the
    client's own).
    How: both intervals are put together (MOVER) as if the two audits were independent; an interval that its own audit
    had adjusted for its family is first put back to one of its own. All figures that are judged are one family (Holm):
    better, worse and changed are said where the adjusted interval excludes no difference. Its level is 97.5 %, as that
    of the days since (`since.since`): of audits between which nothing changed, at most 5 % call any figure of the two
    families changed (Bonferroni). The two audits share customers and orders, and what is shared is in both figures
    alike: the interval is wider than it need be, never narrower, so that a small change of a figure that rests on all
    the data is found late (`since` looks at the days after the earlier audit alone).
    What is left out: numbers of what is withheld. Not judged: figures that move by themselves as the data grow longer
    (`DRIFTS`), and what is counted in full and so has no chance in it. Not compared: what only one audit tells, and
    what was defined otherwise then; `why` names both.
    Source: Zou & Donner (2008), Statistics in Medicine 27(10), 1693-1702 (MOVER); Holm (1979).
    """
    ours, theirs = ({finding.id: finding for finding in found} for found in (now, then))
    ids = [*ours, *(id for id in theirs if id not in ours)]
    rows = [_row(ours.get(id), theirs.get(id), id in set(withheld), settings_now, settings_then) for id in ids]
    frame = pd.DataFrame(rows, columns=[*COLUMNS, *MORE, "low_half", "high_half"])
    judged = frame["verdict"].eq("").to_numpy()
    gap, down, up = (frame[name].to_numpy(dtype=float) for name in ("difference", "low_half", "high_half"))
    p = np.where(judged, _p_values(gap, down, up), np.nan)
    levels = np.where(judged, holm_levels(p, level=level), np.where(np.isfinite(down), level, np.nan))
    z = _z(np.where(np.isfinite(levels), levels, level))
    spread = down + up > 0  # what is counted in full has no interval
    low, high = np.where(spread, gap - z * down, np.nan), np.where(spread, gap + z * up, np.nan)
    signs = np.select([low > 0, high < 0], [1, -1], 0)
    good = frame["better"].map({"higher": 1, "lower": -1}).fillna(0).to_numpy()
    told = np.select([signs == 0, good == 0, signs == good], [EARLY, CHANGED, BETTER], WORSE)
    frame = frame.assign(
        low=low, high=high, level=levels, verdict=np.where(judged, told, frame["verdict"].to_numpy(dtype=object))
    )
    rank = frame["verdict"].map({verdict: place for place, verdict in enumerate(VERDICTS)})
    frame = frame.assign(rank=rank).sort_values("rank", kind="stable", ignore_index=True)
    return frame[[*COLUMNS, *MORE]]


def _row(
    now: Finding | None, then: Finding | None, hidden: bool, settings_now: Mapping, settings_then: Mapping
) -> dict:
    """One figure, its half widths in units of the normal's; verdict is empty where it is to be judged."""
    one = now or then
    row = {"id": one.id, "label": clean_text(one.label), "unit": one.estimate.unit, "currency": one.currency}
    row |= {"better": _good_side(one), "verdict": NOT, "why": WITHHELD}
    if hidden:
        return row
    for name, finding in (("then", then), ("now", now)):
        row |= _numbers(name, finding) if finding else {}
    if sheet := same_answers(one.id, settings_now, settings_then):
        return row | {"why": f"both audits read the same sheet, {sheet}: what was asked once cannot have changed"}
    if now is None or then is None:
        why = ONLY_NOW if now else f"{ONLY_THEN}{NO_LONGER if _seldom(one.id) else ''}"
        return row | {"why": why}
    why = _targets(now, then)
    if not (now.estimate.known and then.estimate.known):
        early = [f"{name}: {clean_text(f.estimate.method)}" for name, f in (("then", then), ("now", now))
                 if not f.estimate.known]  # fmt: skip
        return row | {"verdict": EARLY, "why": "; ".join([*early, *why])}
    if changed := what_changed(now, then, settings_now=settings_now, settings_then=settings_then):
        was = clean_text(then.label)
        row |= {"label": row["label"] if was == row["label"] else f"{row['label']}; then: {was}"}
        measure = _seldom(one.id) and all(text.startswith("it was “") for text in changed)
        kind = "each audit found it by another measure" if measure else DEFINED
        kind = PARAMETER if all(PARAMETERS.match(text) for text in changed) else kind
        return row | {"why": "; ".join([f"{kind}: {'; '.join(changed)}", *why])}
    size = 100 if row["unit"] in ("share", "lift") else 1
    row |= {"difference": size * (now.estimate.value - then.estimate.value)}
    row |= {"difference_unit": "points" if size == 100 else row["unit"]}
    (now_down, now_up), (then_down, then_up) = _halves(now.estimate), _halves(then.estimate)
    row |= {
        "low_half": size * float(np.hypot(now_down, then_up)),
        "high_half": size * float(np.hypot(now_up, then_down)),
    }
    drift = next((text for start, text in DRIFTS.items() if f"{one.id}.".startswith(f"{start}.")), "")
    if now.estimate.level == then.estimate.level == 1:
        drift = "counted in full in both audits: there is no chance in it"
    return row | {"verdict": SHOWN if drift else "", "why": "; ".join([*filter(None, [drift]), *why])}


def _seldom(id: str) -> bool:
    """Whether a finding stands there only where it is certain."""
    return any(id.startswith(f"{family}.") for family in CERTAIN_ONLY)


def _numbers(name: str, finding: Finding) -> dict:
    e = finding.estimate
    own = finding.target if finding.target_source == "set by the client" else np.nan
    return {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high, f"{name}_n": e.n, f"target_{name}": own}


def _good_side(finding: Finding) -> str:
    if any(f"{finding.id}.".startswith(f"{start}.") for start in NO_DIRECTION):
        return ""
    return "higher" if finding.higher_is_better else "lower"


def _targets(now: Finding, then: Finding) -> list[str]:
    """That the client's own target is another one than then: the verdict of the audits may differ by that alone."""
    ours, theirs = (f.target if f.target_source == "set by the client" else None for f in (now, then))
    if ours == theirs:
        return []
    was, is_ = ("none" if t is None else format_value(t, now.estimate.unit, now.currency) for t in (theirs, ours))
    return [f"{TARGET} {was}, is {is_}"]


def _z(level: np.ndarray | float) -> np.ndarray:
    from scipy.special import ndtri  # scipy.stats takes two seconds to import

    return ndtri((1 + np.asarray(level, dtype=float)) / 2)


def _halves(e: Estimate) -> tuple[float, float]:
    """How far an interval reaches below and above its value, in units of the normal's at its own level."""
    z = float(_z(e.level))
    return ((e.value - e.low) / z, (e.high - e.value) / z) if np.isfinite(z) else (0.0, 0.0)


def _p_values(gap: np.ndarray, down: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Two-sided: at which level the interval would just reach no difference."""
    from scipy.special import ndtr

    toward = np.where(gap > 0, down, up)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 1.0, 2 * ndtr(-np.abs(gap) / toward))


def shown(changes: pd.DataFrame) -> pd.DataFrame:
    """`compare` as a reader sees it, one row a figure: Figure, Then, Now, Difference (with its interval), Verdict, Why,
    all as texts. What is not compared has no difference."""
    rows = [
        {
            "Figure": row["label"],
            "Then": _value(row["then"], row["unit"], row["currency"]),
            "Now": _value(row["now"], row["unit"], row["currency"]),
            "Difference": difference_text(row),
            "Verdict": row["verdict"],
            "Why": row["why"] or "",
        }
        for row in changes.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["Figure", "Then", "Now", "Difference", "Verdict", "Why"])


def _value(value: float, unit: str, currency: str) -> str:
    return "–" if value is None or not np.isfinite(value) else format_value(value, unit, str(currency or ""))


def difference_text(row: Mapping) -> str:
    """`+3.1 points (1.0 to 5.2)`; a dash where nothing is compared. From: a row of `compare` or `since.since`."""
    if not np.isfinite(row["difference"]):
        return "–"
    unit, currency = row["difference_unit"], str(row.get("currency") or "")
    text = format_value(row["difference"], unit, currency)
    text = f"+{text}" if row["difference"] > 0 and not text.startswith("+") else text
    ends = format_ends(row["low"], row["high"], unit, currency)
    word = " points" if unit == "points" else ""
    return f"{text}{word} ({ends})" if ends != "–" else f"{text}{word}"


def between(now: Path, then: Path | None, *, level: float = FAMILY_LEVEL) -> pd.DataFrame:
    """`compare` of two runs' folders, the later one first; no rows where there is no earlier one."""
    if then is None:
        return compare([], [])
    return compare(
        findings_of(now), findings_of(then), settings_now=record_of(now), settings_then=record_of(then),
        withheld=withheld_in(now) | withheld_in(then), level=level,
    )  # fmt: skip


def day_of(run: Path | None) -> date | None:
    """The last day that counted in a run; None where there is no run, or nobody wrote it down."""
    told = record_of(run).get("as_of") if run else None
    return date.fromisoformat(told) if told else None


def is_judged(changes: pd.DataFrame) -> pd.Series:
    """Which rows of `compare` were judged together: what an audit could not tell has no difference, and was not."""
    there = np.isfinite(changes["difference"].astype(float))
    return there & changes["verdict"].isin([WORSE, BETTER, CHANGED, EARLY])


def in_words(changes: pd.DataFrame, *, since: str = "the earlier audit") -> list[str]:
    """What changed against the earlier audit, in sentences. From: `compare`; `since`: what it is called."""
    if not len(changes):
        return ["There is no earlier audit to compare with; the next one can be held against this one."]
    early, judged = int((is_judged(changes) & (changes["verdict"] == EARLY)).sum()), int(is_judged(changes).sum())
    if not judged:
        return [f"No figure can be compared with {since}."]
    told = [_told(changes, verdict, f"{verdict.capitalize()} for certain") for verdict in (WORSE, BETTER, CHANGED)]
    told = [sentence for sentence in told if sentence]
    if not told:
        told = [f"Of {_figures(judged)} compared with {since} none changed for certain."]
    else:
        told = [f"Compared with {since}: {_figures(judged)}, judged together.", *told]
    if early and len(told) > 1:
        told.append(f"Of the other {early if early > 1 else 'one'} it is too early to say.")
    defined = int(changes["why"].astype(str).str.startswith((DEFINED, PARAMETER)).sum())
    if defined:
        are = "is" if defined == 1 else "are"
        told.append(f"{_figures(defined)} {are} defined otherwise than then and not compared: the table says how.")
    return told


def _told(changes: pd.DataFrame, verdict: str, word: str) -> str:
    rows = changes[changes["verdict"] == verdict].to_dict("records")
    parts = [f"{row['label']}, {_value(row['then'], row['unit'], row['currency'])} then and "
             f"{_value(row['now'], row['unit'], row['currency'])} now" for row in rows]  # fmt: skip
    return f"{word}: {'; '.join(parts)}." if parts else ""


def _figures(count: int) -> str:
    return f"{count} figure" if count == 1 else f"{count} figures"
