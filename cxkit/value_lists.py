"""Who is worth most, who slips away, and how the value to come is spread: the lists made of customers' values."""

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
from cxkit.style import format_value

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
        label="Share of past revenue from customers slipping away",
        higher_is_better=False,
        evidence=("slipping_away",),
        action="Ask the customers of the list of those slipping away why, those with most at stake first, before "
        "offering anything.",
    )
