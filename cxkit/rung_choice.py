"""Which rung of the ladder is enough: the simplest one shown to have foretold the weeks held back."""

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import holm_levels, p_values
from cxkit.holdout import MEASURES, ORDER, class_errors
from cxkit.style import format_value
from cxkit.value_ladder import ARTICLE, GOING_BY, LAST_YEAR, SUBSCRIPTION

HOLDS, FAILS, EARLY = "holds", "does not hold", "too early to say"
ALIKE = (ARTICLE, LAST_YEAR)  # the same for every customer: they tell nobody apart


def judge_errors(totals: pd.DataFrame, *, tolerance: float = 0.1) -> pd.DataFrame:
    """Each rung's errors with a verdict: within `tolerance` (0.1 is 10 %) of what came, or not.

    From: `holdout.held_out`, its first frame. To: the same rows with verdict ("holds": all the interval lies within the
    tolerance; "does not hold": wholly outside; else "too early to say"); low, high and level so that all verdicts hold
    together (Holm over all errors, each held against the border of the tolerance that it lies nearest to).
    Raises UsageError where the tolerance is not between 0 and 1.
    """
    if not 0 < tolerance < 1:
        raise UsageError(f"tolerance is a share between 0 and 1, as 0.1 for 10 %; found {tolerance}.")
    from scipy.special import ndtri

    frame = totals.reset_index(drop=True).copy()
    value, low, high, level = (frame[name].to_numpy(dtype=float) for name in ("value", "low", "high", "level"))
    if frame.empty:
        return frame.assign(verdict=pd.Series(dtype=object))
    error = (high - low) / 2 / ndtri((1 + level) / 2)
    joint = holm_levels(p_values(np.abs(value) - tolerance, error), level=float(level[0]))
    half = ndtri((1 + joint) / 2) * error
    low, high = value - half, value + half
    inside, outside = (low > -tolerance) & (high < tolerance), (low > tolerance) | (high < -tolerance)
    verdict = np.select([inside, outside], [HOLDS, FAILS], EARLY)
    return frame.assign(low=low, high=high, level=joint, verdict=verdict)


def choose_rung(totals: pd.DataFrame, by_class: pd.DataFrame, *, tolerance: float = 0.1) -> pd.DataFrame:
    """The simplest rung that holds, in purchases and in revenue alike.

    From: `holdout.held_out`. To, the simplest first and the benchmark last: rung, label, purchases, revenue (errors,
    each with _low and _high as `judge_errors`), verdict (that of both: a rung whose revenue is right only because too
    many purchases of too little value were foretold does not hold), class_error (of purchases, see
    `holdout.class_errors`), recommended (the simplest that holds; none where none does), used (the recommended one,
    else of those that are not refuted the one whose larger error is the smallest: unproven; none where all are
    refuted), best_apart (the smallest class_error: the one that tells customers apart).
    The benchmark is none of the three. The subscription's rung is not compared in telling apart, nor chosen where it
    knows only some of the customers; a rung that expects the same of everybody tells nobody apart.
    Raises UsageError as `judge_errors`.
    """
    judged = judge_errors(totals, tolerance=tolerance)
    off = class_errors(by_class).set_index("rung")["purchases"]
    rows = []
    for rung in [rung for rung in ORDER if rung in set(judged["rung"])]:
        part = judged[judged["rung"] == rung].set_index("measure")
        verdicts = set(part["verdict"])
        verdict = FAILS if FAILS in verdicts else HOLDS if verdicts == {HOLDS} else EARLY
        row = {"rung": rung, "label": part["label"].iloc[0], "n": int(part["n"].max())}
        for measure in MEASURES:
            ends = ((measure, "value"), (f"{measure}_low", "low"), (f"{measure}_high", "high"))
            row |= {name: float(part.loc[measure, field]) for name, field in ends}
        rows.append(row | {"verdict": verdict, "class_error": float(off.get(rung, np.nan))})
    errors = [f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high")]
    frame = pd.DataFrame(rows, columns=["rung", "label", "n", *errors, "verdict", "class_error"])
    for_all = (frame["rung"] != LAST_YEAR) & (frame["n"] == frame["n"].max())
    worst = frame[list(MEASURES)].astype(float).abs().max(axis=1, skipna=False)
    holds, open_ = (for_all & worst.notna() & (frame["verdict"] == verdict) for verdict in (HOLDS, EARLY))
    recommended = holds & (holds.cumsum() == 1)
    nearest = open_ & (worst == worst[open_].min())
    used = recommended if recommended.any() else nearest & (nearest.cumsum() == 1)
    apart = frame["class_error"].astype(float).where(~frame["rung"].isin([*ALIKE, SUBSCRIPTION]))
    frame = frame.assign(recommended=recommended, used=used, best_apart=apart.notna() & (apart == apart.min()))
    return frame.drop(columns="n")


def choice_in_words(choice: pd.DataFrame, *, weeks: int, tolerance: float = 0.1) -> list[str]:
    """Which way of reckoning is enough, and why, in sentences for who has not read of the ladder.

    From: `choose_rung`, with the same tolerance; `weeks`: held back. The errors themselves stand in the table.
    """
    if not choice[list(MEASURES)].notna().all(axis=1).any():
        return ["No way of reckoning could be tested on weeks that have passed."]
    within = f"within {format_value(tolerance, 'share')} of the purchases and the revenue that came"
    asked = f"Each way to reckon it was asked for the last {weeks} weeks from what lay before them"
    taken, steps = choice[choice["used"]], choice[choice["rung"] != LAST_YEAR]
    refuted = steps[steps["verdict"] == FAILS]
    if choice["recommended"].any():
        words = [f"{asked}: {_ways(taken)} is enough, the simplest shown to lie {within}."]
    elif len(taken):
        words = [f"{asked}: none is shown to lie {within}. Of those not refuted, {_ways(taken)} was nearest."]
    else:
        words = [f"{asked}: none lay {within}. Take no total from this page as a plan."]
    if len(refuted):
        words.append(f"Refuted: {_ways(refuted)}.")
    return words


def _ways(rows: pd.DataFrame) -> str:
    return "; ".join(f"“{GOING_BY[rung]}”" for rung in rows["rung"])


def proof_in_words(choice: pd.DataFrame, rung: str, *, weeks: int) -> str:
    """How a rung came out of the test on the last `weeks`, as the end of a sentence. From: `choose_rung`."""
    row = choice[choice["rung"] == rung]
    if row.empty or row[list(MEASURES)].isna().any(axis=None):
        return "which could not be tested on weeks that have passed"
    what = {HOLDS: "bears it out", FAILS: "refutes it", EARLY: "neither proves nor refutes it"}
    return f"a test on the last {weeks} weeks {what[row['verdict'].iloc[0]]}"


def apart_in_words(choice: pd.DataFrame) -> list[str]:
    """Which rung tells frequent from rare customers best; nothing where none can be compared. From: `choose_rung`."""
    best = choice[choice["best_apart"]]
    if best.empty:
        return []
    return [
        f"Frequent and rare customers are told apart best by {best['label'].iloc[0]}: its errors in the classes"
        f" come to {format_value(best['class_error'].iloc[0], 'share')} of the purchases made."
    ]
