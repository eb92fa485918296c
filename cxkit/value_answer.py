"""What today's customers are worth: the answer first, by the way of reckoning that the held-out test leaves."""

import numpy as np
import pandas as pd

from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding
from cxkit.lifetime_value import WEAK
from cxkit.rung_choice import FAILS
from cxkit.style import format_interval, format_value
from cxkit.value_ladder import GOING_BY, LAST_YEAR, LEAST_OBSERVED, MODEL, SUBSCRIPTION

# how to read what a table or a picture shows; said where it was made
READ = {
    "errors": "How to read it: an error of nought is a rung that foretold exactly what came. A rung holds where its "
    "whole interval lies within the tolerance, in purchases as in revenue. The simplest rung that holds is enough: a "
    "dearer one would say the same. The interval knows chance between customers; it cannot know that the weeks held "
    "back were a season of their own.",
    "classes": "How to read it: a total can be right for the wrong customers. Where the marks of a rung lie off what "
    "came for rare and for frequent customers alike, it may serve a budget, not a list of whom to write to.",
    "alive": "How to read it: to the right is a longer silence. The same silence says more of a customer who used to "
    "come often. Who bought once is not in the picture: the model lets nobody leave before he has come back once.",
    "calibration": "How to read it: a point on the line is a group of customers who did what was expected. A point "
    "below it bought less. Many customers are expected to buy hardly at all, so most points lie near the corner.",
    "slipping": "How to read it: at stake is what the customer would bring in the weeks of the horizon if he were "
    "certainly still one. One customer's figure is an expectation: many who are expected to come twice come never, or "
    "many times. The lists serve to choose whom to ask first, not to count on each.",
    "tiers": "How to read it: expected values lie closer together than what will come, since chance is not in them. "
    "The higher the share of the great tier, the more hangs on few.",
    "customers": "Every customer's probability of being still one, expected purchases and value stand, by pseudonym, "
    "in the table of customers beside this page.",
}


def shown_rung(rungs: pd.DataFrame, choice: pd.DataFrame, *, modelled: bool) -> str:
    """The rung by which the base's value is told; an empty text where none can be trusted with it.

    From: `value_ladder.ladder` and `rung_choice.choose_rung` (empty where nothing could be held back); `modelled`:
    whether `lifetime_value.fit_models` gave a model. The rung used there; where that is none of the ladder's, the
    nearest of those not refuted, and where all are refuted, the nearest of all (the smallest larger error of purchases
    and revenue); without a held-out test the model alone, since the other rungs scale up whatever little there is.
    """
    known = rungs.loc[np.isfinite(rungs["value_per_customer"].astype(float)), "rung"]
    if choice.empty:
        return MODEL if modelled and MODEL in set(known) else ""
    tested = choice[choice["rung"].isin(known) & (choice["rung"] != LAST_YEAR)]
    worst = tested[["purchases", "revenue"]].astype(float).abs().max(axis=1, skipna=False).dropna()
    tested = tested.loc[worst.index]
    if len(used := tested[tested["used"].astype(bool)]):
        return str(used["rung"].iloc[0])
    if len(open_ := tested[tested["verdict"] != FAILS]):
        worst = worst[open_.index]
    return str(tested.loc[worst.idxmin(), "rung"]) if len(worst) else ""


def missing_rungs(rungs: pd.DataFrame) -> list[str]:
    """Why rungs cannot be had from these data; a sentence each. From: `value_ladder.ladder`."""
    lacking = rungs[~np.isfinite(rungs["value_per_customer"].astype(float))]
    told = [f"{row.label}: {row.method}" for row in lacking.itertuples()]
    year = rungs[(rungs["rung"] == LAST_YEAR) & rungs["value_per_customer"].notna()]
    told += [f"{row.label} rests on a {row.method}." for row in year.itertuples()]
    return [text if text.endswith(".") else f"{text}." for text in told] or ["Every rung can be had from these data."]


def base_value(
    rungs: pd.DataFrame, rung: str, total: Estimate | None, *, customers: int, margin_share: float | None, factor: float
) -> Estimate:
    """What all customers known today bring in the horizon by one rung: margin or revenue, discounted.

    From: `value_ladder.ladder`; `total`: `lifetime_value.total_value`, taken where the rung is the model; `factor`:
    `lifetime_value.present_factor`, since the other rungs say not exactly when money comes. To: Estimate, unit money.
    """
    if not rung:
        return unknown("money", n=customers, method="no way of reckoning could be held against what came")
    if rung == MODEL and total is not None:
        return total
    row = rungs[rungs["rung"] == rung].iloc[0]
    people = int(row["n"]) if rung == SUBSCRIPTION else customers
    times = people * factor * (1.0 if margin_share is None else margin_share)
    ends = (float(row[name] * times) for name in ("value_per_customer", "low", "high"))
    return Estimate(*ends, people, "money", float(row["level"]), str(row["method"]))


def base_in_words(base: Estimate, *, rung: str, weeks: float, unit: str, discount_a_year: float, currency: str) -> str:
    """The answer first: what a customer is worth, and all of them. From: `base_value`; `unit`: margin or revenue."""
    if not base.known:
        return f"What the customers known today will bring is too early to say: {base.method}."
    off = f", discounted at {format_value(discount_a_year, 'share')} a year" if discount_a_year else ""
    who = "subscriber" if rung == SUBSCRIPTION else "customer known today"
    each = _each(base)
    chance = "and the customers' own chance" if rung == MODEL else "not how chance will turn out"
    return (
        f"A {who} is expected to bring {format_value(each.value, 'money', currency)} of {unit} in the next {weeks:g} "
        f"weeks ({format_interval(each, currency)}, n = {base.n:,}), going by {GOING_BY[rung]}; all together "
        f"{format_value(base.value, 'money', currency)}{off}. The interval holds how well the mean is known, {chance}."
    )


def _each(base: Estimate) -> Estimate:
    """What all bring together, a customer."""
    n = max(base.n, 1)
    return Estimate(base.value / n, base.low / n, base.high / n, base.n, "money", base.level, base.method)


def range_in_words(values: dict[str, Estimate], choice: pd.DataFrame, *, unit: str, currency: str) -> list[str]:
    """How far apart the ways lie that the test does not refute, where none was shown to hold; else nothing.

    From: `base_values`, `rung_choice.choose_rung`; `unit`: margin or revenue.
    """
    open_ = choice[(choice["verdict"] != FAILS) & choice[["purchases", "revenue"]].notna().all(axis=1)]
    if choice["recommended"].any():
        return []
    each = sorted(_each(values[rung]).value for rung in open_["rung"] if rung in values and values[rung].known)
    if len(each) < 2:
        return []
    ends = (format_value(end, "money", currency) for end in (each[0], each[-1]))
    return [f"The ways that the test does not refute put a customer's {unit} between {' and '.join(ends)}."]


def base_values(
    rungs: pd.DataFrame, total: Estimate | None, *, customers: int, margin_share: float | None, factor: float
) -> dict[str, Estimate]:
    """`base_value` by each rung that has a figure for all customers. From: as there."""
    told = {"customers": customers, "margin_share": margin_share, "factor": factor}
    known = rungs[rungs["value_per_customer"].notna() & ~rungs["rung"].isin([LAST_YEAR, SUBSCRIPTION])]
    return {rung: base_value(rungs, rung, total, **told) for rung in known["rung"]}


def model_in_words(
    base: Estimate,
    total: Estimate | None,
    tied: Estimate,
    expected: float | None,
    *,
    rung: str,
    unit: str,
    currency: str,
) -> list[str]:
    """What the model of single customers puts the whole at, where the base was told by another rung, and why.

    From: `base_value`, `lifetime_value.total_value`, `lifetime_value.independence` and `independence_expected`. The
    lists of customers add up to this number. The reason is given where the data show it: spend that goes with
    frequency, which the model does not know. Nothing where there is no other number.
    """
    if total is None or rung == MODEL or not base.known:
        return []
    why = ""
    if tied.known and expected is not None and abs(tied.value - expected) >= WEAK:
        if total.value < base.value and tied.low > expected:
            why = ", for one because frequent buyers spend more at a time than it lets them"
        elif total.value > base.value and tied.high < expected:
            why = ", for one because frequent buyers spend less at a time than it lets them"
    return [
        f"The model of single customers, to which the lists below add up, puts the whole at "
        f"{format_value(total.value, 'money', currency)} of {unit} ({format_interval(total, currency)}){why}."
    ]


def lists_in_words(choice: pd.DataFrame, total: Estimate | None) -> list[str]:
    """What the test said of the model that the lists of customers rest on, where that limits their use.

    From: `rung_choice.choose_rung`, `lifetime_value.total_value` (None: no model, so no lists). Nothing where the test
    does not refute the model.
    """
    if total is None:
        return []
    tested = choice[(choice["rung"] == MODEL) & choice[["purchases", "revenue"]].notna().all(axis=1)]
    if tested.empty:
        return ["The model of single customers could not be tested on weeks that have passed: its lists are untested."]
    if tested["verdict"].iloc[0] == FAILS:
        return [
            "The test refutes the model of single customers here: read its lists as an order of customers, not as "
            "amounts."
        ]
    return []


def horizon_in_words(history: pd.DataFrame, *, weeks: float) -> str:
    """How much of what is foretold lies beyond anything observed. From: `purchase_history.purchase_history`."""
    if len(history) < LEAST_OBSERVED:
        return f"Fewer than {LEAST_OBSERVED} customers have been watched: all that is foretold is extrapolated."
    ages = np.sort(history["T"].to_numpy(dtype=float))
    oldest = ages[-LEAST_OBSERVED]
    beyond = float(np.clip(ages + weeks - oldest, 0, weeks).mean() / weeks)
    return (
        f"{format_value(beyond, 'share')} of the weeks foretold lie beyond what was observed (more than {oldest:,.0f} "
        f"weeks after a first purchase, where fewer than {LEAST_OBSERVED} customers have come so far): there the "
        "figure is extrapolated."
    )


def value_finding(base: Estimate, *, rung: str, weeks: float, unit: str, proof: str) -> Finding:
    """lifetime.value_per_customer: what one customer brings on average.

    From: `base_value`; `proof`: `rung_choice.proof_in_words`.
    """
    return Finding(
        id="lifetime.value_per_customer",
        claim=f"A customer known today is expected to bring {{value}} of {unit} in the next {weeks:g} weeks on average "
        f"({{interval}}), going by {GOING_BY.get(rung, '')}; {proof}.",
        estimate=_each(base),
        label=f"Expected {unit} per customer in the next {weeks:g} weeks",
        evidence=("ladder", "held_out"),
        action="Hold what winning and keeping customers costs against this; a new customer may bring less than those "
        "known.",
    )


def held_out_finding(judged: pd.DataFrame, *, rung: str, weeks: int) -> Finding:
    """lifetime.held_out_error: how far the rung's revenue lay from what came. From: `rung_choice.judge_errors`."""
    rows = judged[(judged["rung"] == rung) & (judged["measure"] == "revenue")]
    if len(rows) and np.isfinite(rows["low"].iloc[0]):
        row = rows.iloc[0]
        ends = (float(row[name]) for name in ("value", "low", "high"))
        error = Estimate(*ends, int(row["n"]), "lift", float(row["level"]), str(row["method"]))
    else:
        why = (
            str(rows["method"].iloc[0])
            if len(rows)
            else "no way of reckoning could be tested on weeks that have passed"
        )
        error = unknown("lift", n=int(rows["n"].iloc[0]) if len(rows) else 0, method=why)
    return Finding(
        id="lifetime.held_out_error",
        claim=f"Asked for the last {weeks} weeks from what lay before them, the same way of reckoning foretold a "
        "revenue that differs by {value} from what came ({interval}).",
        estimate=error,
        label=f"Error of the value told for {weeks} weeks held back",
        evidence=("held_out",),
    )
