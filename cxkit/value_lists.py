"""What the base is worth by the rung that holds, who is worth most, and who slips away: the page's answers."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit import tiers
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, ratio_of_sums, unknown
from cxkit.findings import Finding
from cxkit.group_table import GIVEN_BACK, given_back
from cxkit.heatmap import draw_heat_map
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import format_interval, format_value
from cxkit.value_ladder import LABELS, LAST_YEAR, MODEL, SUBSCRIPTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOP = 0.2  # who is of the top fifth by spend so far has much to take away
PURCHASES = ((2, 2, "2"), (3, 3, "3"), (4, 6, "4–6"), (7, np.inf, "7 and more"))
SILENCE = ((0, 4, "up to 4"), (4, 8, "4–8"), (8, 13, "8–13"), (13, 26, "13–26"), (26, 52, "26–52"))
SILENCE += ((52, np.inf, "over 52"),)
FEW = 20  # people; the number of a cell that rests on fewer is grey


def best_customers(values: pd.DataFrame, n: int) -> pd.DataFrame:
    """The `n` customers who are expected to bring most, the best first.

    From: `lifetime_value.customer_values`. To: customer_id, purchases (so far), revenue (so far), p_alive,
    expected_purchases, value (in the horizon).
    Raises UsageError where `n` is below 1.
    """
    if n < 1:
        raise UsageError(f"the list of best customers holds at least 1; found {n}.")
    ranked = values.sort_values(["value", "customer_id"], ascending=[False, True], ignore_index=True).head(n)
    ranked = ranked.assign(purchases=ranked["x"].astype("int64") + 1)
    return ranked[["customer_id", "purchases", "revenue", "p_alive", "expected_purchases", "value"]]


def slipping_away(values: pd.DataFrame, *, likely_gone: float) -> pd.DataFrame:
    """Customers who brought much and probably buy no more; those with most to lose first.

    From: `lifetime_value.customer_values`; `likely_gone`: below this probability of being alive somebody counts as
    likely gone. To: customer_id, purchases, revenue (so far), silent_weeks (since the last purchase), p_alive, at_stake
    (what he would bring in the horizon if he were certainly still a customer).
    The rule: of the top fifth by revenue so far (equal revenue stays below the border), and p_alive below
    `likely_gone`.
    What it cannot show: customers with one purchase. The model lets nobody leave before he has come back once, so all
    of them count as alive; that they rarely return shows in what is expected of them.
    Raises UsageError where `likely_gone` is not between 0 and 1.
    """
    gone = _likely_gone(values, likely_gone)
    spent = values["revenue"].to_numpy(dtype=float)
    border = np.sort(spent)[int(np.ceil(round(len(spent) * (1 - TOP), 6))) - 1] if len(spent) else np.inf
    some = values[gone & (spent > border)]
    alive = some["p_alive"].to_numpy(dtype=float)
    stake = np.divide(some["value"].to_numpy(dtype=float), alive, out=np.zeros(len(some)), where=alive > 0)
    some = some.assign(
        purchases=some["x"].astype("int64") + 1,
        silent_weeks=(some["T"] - some["t_x"]).round(1),
        at_stake=stake.round(4),
    )
    some = some.sort_values(["at_stake", "customer_id"], ascending=[False, True], ignore_index=True)
    return some[["customer_id", "purchases", "revenue", "silent_weeks", "p_alive", "at_stake"]]


def _likely_gone(values: pd.DataFrame, likely_gone: float) -> np.ndarray:
    if not 0 < likely_gone < 1:
        raise UsageError(f"likely_gone is a probability between 0 and 1, as 0.5; found {likely_gone}.")
    return values["p_alive"].to_numpy(dtype=float) < likely_gone


def slipping_in_words(slipping: pd.DataFrame, *, likely_gone: float, weeks: float, currency: str, unit: str) -> str:
    """How many good customers probably left, and what is at stake. From: `slipping_away`; `unit`: margin or revenue.

    The sum alone is told where they are at least five.
    """
    chance = format_value(likely_gone, "share")
    top = format_value(TOP, "share")
    who = f"customers of the top {top} by spend so far are still customers with a probability below {chance}"
    if not len(slipping):
        return f"No {who}."
    if len(slipping) < LEAST_SHOWN:
        return f"Fewer than {LEAST_SHOWN} {who}; what they spent is not told."
    spent, stake = (format_value(float(slipping[name].sum()), "money", currency) for name in ("revenue", "at_stake"))
    return (
        f"{len(slipping):,} {who}. They spent {spent} so far; were all of them still customers, they would bring "
        f"{stake} of {unit} in the next {weeks:g} weeks."
    )


def slipping_share(values: pd.DataFrame, *, likely_gone: float, level: float = 0.95) -> Estimate:
    """What share of all revenue so far came from customers who are likely gone.

    From, what it cannot show and Raises: as `slipping_away`, without the border by spend. To: Estimate, unit share, n
    customers. The probabilities are taken as known.
    """
    gone = _likely_gone(values, likely_gone)
    revenue = values["revenue"].to_numpy(dtype=float)
    if given_back(revenue):
        return unknown("share", n=len(values), level=level, method=GIVEN_BACK)
    return ratio_of_sums(np.where(gone, revenue, 0.0), revenue, level=level)


def alive_grid(values: pd.DataFrame) -> pd.DataFrame:
    """How likely customers still buy, by how often they bought and how long they have been silent.

    From: `lifetime_value.customer_values`. To: purchases, silent_weeks (names of classes), customers, p_alive (mean);
    both NaN where there are one to four customers. Customers with one purchase are left out: the model cannot tell who
    of them is gone.
    """
    bought = values["x"].to_numpy(dtype=float) + 1
    silent = (values["T"] - values["t_x"]).to_numpy(dtype=float)
    alive = values["p_alive"].to_numpy(dtype=float)
    rows = []
    for least, most, name in PURCHASES:
        for after, until, weeks in SILENCE:
            inside = (bought >= least) & (bought <= most) & (silent <= until) & ((silent > after) | (after == 0))
            customers = int(inside.sum())
            shown = float(np.sort(alive[inside]).mean()) if customers >= LEAST_SHOWN else np.nan
            rows.append({"purchases": name, "silent_weeks": weeks, "customers": customers, "p_alive": shown})
    grid = pd.DataFrame(rows)
    return grid.assign(customers=grid["customers"].where(grid["p_alive"].notna() | (grid["customers"] == 0)))


def plot_alive(grid: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`alive_grid` as a heat map; grey numbers rest on few customers, empty cells on fewer than five."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.0))[1] if ax is None else ax
    shape = (len(PURCHASES), len(SILENCE))
    alive = grid["p_alive"].to_numpy(dtype=float).reshape(shape)
    few = (grid["customers"].fillna(0).to_numpy(dtype=float) < FEW).reshape(shape)
    texts = [[format_value(value, "share") if np.isfinite(value) else "" for value in row] for row in alive]
    names = {"rows": [name for *_, name in PURCHASES], "columns": [name for *_, name in SILENCE]}
    draw_heat_map(ax, alive, texts, faint=few, top=1.0, **names)
    ax.set(xlabel="Weeks since the last purchase", ylabel="Purchases", title="Probability of being still a customer")
    return ax


def describe_alive(grid: pd.DataFrame) -> str:
    """What `plot_alive` shows, for those who cannot see it."""
    known = grid.dropna(subset=["p_alive"])
    if known.empty:
        return "Too few customers came back to show how likely they still buy."
    parts = []
    for name, rows in known.groupby("purchases", sort=False):
        first, last = rows.iloc[0], rows.iloc[-1]
        text = f"{name} purchases, silent {first['silent_weeks']} weeks: {format_value(first['p_alive'], 'share')}"
        if len(rows) > 1:
            text += f"; silent {last['silent_weeks']}: {format_value(last['p_alive'], 'share')}"
        parts.append(text)
    return f"Heat map of the mean probability of being still a customer. {'. '.join(parts)}."


def one_timers_in_words(values: pd.DataFrame, *, weeks: float) -> str:
    """How many customers bought once, and what is expected of them: of those the model cannot say who is gone."""
    once = values[values["x"] == 0]
    if len(once) < LEAST_SHOWN:
        return f"Fewer than {LEAST_SHOWN} customers bought only once."
    each = format_value(float(np.sort(once["expected_purchases"].to_numpy()).mean()), "count")
    return (
        f"{len(once):,} of {len(values):,} customers bought once. The model cannot say who of them is gone for good; "
        f"it expects {each} purchases of each in the next {weeks:g} weeks on average."
    )


def value_tiers(values: pd.DataFrame, *, shares: tuple[float, ...] = tiers.ARTICLE_SHARES) -> pd.DataFrame:
    """Customers in three tiers by what they are expected to bring, and what each tier brings of the whole.

    From: `lifetime_value.customer_values`; `shares`: as `tiers.tiers`. To: tier, customers, share_of_customers, value,
    share_of_value with low, high, n, level, method; value_from (the lowest in the tier), value_per_customer.
    The rest as `tiers.tiers`. The expected values are taken as known: they lie closer together than what will come.
    """
    ranked = values.assign(monetary=values["value"], frequency=values["x"] + 1)
    table = tiers.tiers(ranked, shares=shares)
    table = table.drop(columns=["article_share", "orders_per_customer", "bought_once"])
    return table.rename(columns=lambda name: name.replace("revenue", "value"))


def slipping_finding(estimate: Estimate | None, *, likely_gone: float) -> Finding:
    """lifetime.slipping_share: how much of the past revenue lies with customers likely gone.

    From: `slipping_share`; None where the model cannot be fitted.
    """
    return Finding(
        id="lifetime.slipping_share",
        claim="{value} of all revenue so far came from customers who came back at least once and still buy with a "
        f"probability below {format_value(likely_gone, 'share')} ({{interval}}).",
        estimate=estimate or unknown("share", method="no model tells who is likely gone"),
        label="Share of past revenue from customers likely gone",
        higher_is_better=False,
        evidence=("slipping_away",),
        action="Ask the customers of the list of those slipping away why, those with most at stake first, before "
        "offering anything.",
    )


def shown_rung(rungs: pd.DataFrame, choice: pd.DataFrame, *, modelled: bool) -> str:
    """The rung by which the base's value is told; an empty text where none can be trusted with it.

    From: `value_ladder.ladder` and `holdout.choose_rung` (empty where nothing could be held back); `modelled`: whether
    `lifetime_value.fit_models` gave a model. The rung used there (recommended, or the simplest not refuted); where all
    are refuted, the one whose larger error (of purchases and of revenue) is the smallest; without a held-out test the
    model alone, since the other rungs scale up whatever little there is.
    """
    known = rungs.loc[np.isfinite(rungs["value_per_customer"].astype(float)), "rung"]
    if choice.empty:
        return MODEL if modelled and MODEL in set(known) else ""
    tested = choice[choice["rung"].isin(known) & (choice["rung"] != LAST_YEAR)]
    worst = tested[["purchases", "revenue"]].astype(float).abs().max(axis=1, skipna=False).dropna()
    used = tested.loc[worst.index][tested.loc[worst.index, "used"].astype(bool)]
    if len(used):
        return str(used["rung"].iloc[0])
    return str(tested.loc[worst.idxmin(), "rung"]) if len(worst) else ""


def is_recommended(choice: pd.DataFrame, rung: str) -> bool:
    """Whether the rung was shown to hold, and is the simplest that was. From: `holdout.choose_rung`."""
    return bool(choice.loc[choice["rung"] == rung, "recommended"].any())


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
        return unknown("money", n=customers, method="no rung of the ladder could be held against what came")
    if rung == MODEL and total is not None:
        return total
    row = rungs[rungs["rung"] == rung].iloc[0]
    people = int(row["n"]) if rung == SUBSCRIPTION else customers
    times = people * factor * (1.0 if margin_share is None else margin_share)
    ends = (float(row[name] * times) for name in ("value_per_customer", "low", "high"))
    return Estimate(*ends, people, "money", float(row["level"]), str(row["method"]))


def base_in_words(base: Estimate, *, rung: str, weeks: float, unit: str, discount_a_year: float, currency: str) -> str:
    """The answer first: what the base is worth, by which rung. From: `base_value`; `unit`: margin or revenue."""
    if not base.known:
        return f"What the customers known today will bring is too early to say: {base.method}."
    off = f", discounted at {format_value(discount_a_year, 'share')} a year" if discount_a_year else ""
    who = "subscribers" if rung == SUBSCRIPTION else "customers known today"
    return (
        f"The {base.n:,} {who} are expected to bring {format_value(base.value, 'money', currency)} of {unit} in the "
        f"next {weeks:g} weeks ({format_interval(base, currency)}){off}, by the rung “{LABELS[rung]}”."
    )


def model_in_words(base: Estimate, total: Estimate | None, *, rung: str, unit: str, currency: str) -> list[str]:
    """What the model of single customers puts the whole at, where the base was told by another rung; none else.

    From: `base_value`, `lifetime_value.total_value`. The lists of customers add up to this number.
    """
    if total is None or rung == MODEL or not base.known:
        return []
    return [
        f"The model that tells customers apart puts the whole at {format_value(total.value, 'money', currency)} of "
        f"{unit} ({format_interval(total, currency)}); the lists of customers below add up to that."
    ]


def horizon_in_words(history: pd.DataFrame, *, weeks: float) -> str:
    """Whether the horizon lies within what the data have ever shown. From: `purchase_history.purchase_history`."""
    seen = float(history["T"].max()) if len(history) else 0.0
    if weeks <= seen:
        return f"Customers have been watched for up to {seen:,.0f} weeks; the horizon of {weeks:g} weeks is no longer."
    return (
        f"Nobody has been watched for longer than {seen:,.0f} weeks; what is told of the horizon of {weeks:g} weeks "
        "beyond that is extrapolated."
    )


def value_finding(base: Estimate, *, rung: str, weeks: float, unit: str, holds: bool) -> Finding:
    """lifetime.value_per_customer: what one customer brings on average. From: `base_value`."""
    n = max(base.n, 1)
    each = Estimate(base.value / n, base.low / n, base.high / n, base.n, "money", base.level, base.method)
    proof = "which held in the weeks held back" if holds else "which is not proven by weeks held back"
    return Finding(
        id="lifetime.value_per_customer",
        claim=f"A customer known today is expected to bring {{value}} of {unit} in the next {weeks:g} weeks on average "
        f"({{interval}}), by the rung “{LABELS.get(rung, rung)}”, {proof}.",
        estimate=each,
        label=f"Expected {unit} per customer in the next {weeks:g} weeks",
        evidence=("ladder", "held_out"),
        action="Hold what winning and keeping customers costs against this; a new customer may bring less than those "
        "known.",
    )


def held_out_finding(judged: pd.DataFrame, *, rung: str, weeks: int) -> Finding:
    """lifetime.held_out_error: how far the rung's revenue lay from what came. From: `holdout.judge_errors`."""
    rows = judged[(judged["rung"] == rung) & (judged["measure"] == "revenue")]
    if len(rows) and np.isfinite(rows["low"].iloc[0]):
        row = rows.iloc[0]
        ends = (float(row[name]) for name in ("value", "low", "high"))
        error = Estimate(*ends, int(row["n"]), "lift", float(row["level"]), str(row["method"]))
    else:
        why = str(rows["method"].iloc[0]) if len(rows) else "no rung could be held against weeks held back"
        error = unknown("lift", n=int(rows["n"].iloc[0]) if len(rows) else 0, method=why)
    return Finding(
        id="lifetime.held_out_error",
        claim=f"For the {weeks} weeks held back the rung “{LABELS.get(rung, rung)}” foretold a revenue that differs by "
        "{value} from what came ({interval}).",
        estimate=error,
        label=f"Error of the value told for {weeks} weeks held back",
        evidence=("held_out",),
    )
