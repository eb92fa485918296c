"""What keeping more customers is worth: profit of a new customer as retention moves, from the client's own figures."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown
from cxkit.findings import Finding, check_claim
from cxkit.kept_customers import NewCustomer
from cxkit.style import GREY, INK, LIGHT, format_interval, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = tuple(range(11))
QUOTED = (0.25, 0.95)  # +25 % to +95 % of profit: Reichheld's later band, of which S2d kept the upper end
QUOTED_POINTS = 5
PERIODS = 6  # of the horizon over which a new customer's profit is summed
DRAWS = 4000
HERE, FAR, NEVER, NOT_KNOWN = "within ten points", "beyond ten points", "cannot be reached here", "not known"
NOT_TOLD_APART = "today's profit is not told apart from nothing"
COLUMNS = ("points", "new_kept", "kept", "profit", "profit_low", "profit_high", "change", "low", "high", "n", "level",
           "method")  # fmt: skip


def customer_profit(
    first: np.ndarray, new_kept: np.ndarray, kept: np.ndarray, left: np.ndarray, won: np.ndarray, *, discount: float,
    periods: int,
) -> np.ndarray:  # fmt: skip
    """What a new customer leaves: first + sum over k of new_kept * kept^(k-1) * left / (1 + discount)^k - won.

    From: first (money of the first period), new_kept (share of new customers who order in the second), kept (share
    kept from each period to the next after it), left (money a kept customer leaves in a period, what keeping costs
    taken off), won (money, cost of winning), discount (a period); k runs from 1 to periods - 1.
    Source: Berger & Nasr (1998), Journal of Interactive Marketing 12(1), 17-30, their first case with a first step of
    its own: where first = left and new_kept = kept it is theirs.
    """
    worth = 1 / (1 + discount)
    later = sum(worth**k * np.asarray(kept, dtype=float) ** (k - 1) for k in range(1, periods))
    return first + new_kept * left * later - won


def _discount(discount_a_year: float, period_days: int) -> float:
    return (1 + discount_a_year) ** (period_days / 365) - 1


def _draws(new: NewCustomer, keeping_cost: float | None, seed: int) -> tuple[np.ndarray, ...]:
    """Draws of first, new_kept, kept, left less the cost of keeping, and won; the first of each the estimate itself."""
    from scipy.special import betaincinv, ndtr, ndtri

    drawn = np.random.default_rng(seed).standard_normal((5, DRAWS))
    if new.together:
        sizes, axes = np.linalg.eigh(np.array(new.together))
        drawn[:4] = axes * np.sqrt(np.maximum(sizes, 0.0)) @ axes.T @ drawn[:4]

    def share(estimate: Estimate, normal: np.ndarray) -> np.ndarray:
        yes = estimate.value * estimate.n
        draws = betaincinv(yes + 0.5, estimate.n - yes + 0.5, ndtr(normal))
        return np.concatenate([[estimate.value], draws])

    def money(estimate: Estimate, normal: np.ndarray) -> np.ndarray:
        if not estimate.known:
            return np.zeros(DRAWS + 1)
        error = (estimate.high - estimate.low) / (2 * ndtri((1 + estimate.level) / 2))
        return estimate.value + error * np.concatenate([[0.0], normal])

    first, left, won = (money(part, drawn[at]) for part, at in ((new.first, 0), (new.left, 3), (new.won, 4)))
    return first, share(new.new_kept, drawn[1]), share(new.kept, drawn[2]), left - (keeping_cost or 0.0), won


def _check(discount_a_year: float, period_days: int, periods: int, keeping_cost: float | None) -> None:
    if not discount_a_year >= 0:
        raise UsageError(f"discount_a_year must be 0 or more, as 0.1; found {discount_a_year:g}.")
    for name, number in (("period_days", period_days), ("periods", periods)):
        if number < 1:
            raise UsageError(f"{name} must be at least 1; found {number}.")
    if keeping_cost is not None and not keeping_cost > 0:
        raise UsageError(f"keeping_cost must be above 0, or None where it is not known; found {keeping_cost:g}.")


def _more(drawn: tuple[np.ndarray, ...], points: np.ndarray | float, settings: dict) -> np.ndarray:
    """The profit of every draw with so many percentage points more of both retentions, neither above 1."""
    first, new_kept, kept, left, won = drawn
    new_kept, kept = (np.minimum(share + points / 100, 1.0) for share in (new_kept, kept))
    return customer_profit(first, new_kept, kept, left, won, **settings)


def _tails(level: float) -> list[float]:
    return [(1 - level) / 2, (1 + level) / 2]


def _sure(today: np.ndarray, level: float) -> bool:
    """Whether today's profit lies above nothing for certain: else no ratio to it means anything."""
    return bool(today[0] > 0 and np.quantile(today[1:], _tails(level)[0]) > 0)


def most_to_pay(
    new: NewCustomer, *, discount_a_year: float, period_days: int, seed: int, periods: int = PERIODS,
    keeping_cost: float | None = None, level: float = 0.95,
) -> Estimate:  # fmt: skip
    """What may be paid at most to win a customer: the profit over the horizon before the cost of winning.

    From and interval: as `profit_by_retention`. To: Estimate (money), n as there; unknown where a part is.
    Raises UsageError as `profit_by_retention`.
    """
    _check(discount_a_year, period_days, periods, keeping_cost)
    if new.missing:
        return unknown("money", n=new.n, level=level, method=new.missing)
    drawn = _draws(new, keeping_cost, seed)
    settings = {"discount": _discount(discount_a_year, period_days), "periods": periods}
    before = _more((*drawn[:4], 0 * drawn[4]), 0.0, settings)
    low, high = np.quantile(before[1:], _tails(level))
    value = float(before[0])
    return Estimate(value, min(float(low), value), max(float(high), value), new.n, "money", level, f"{DRAWS:,} draws")


def profit_by_retention(
    new: NewCustomer, *, discount_a_year: float, period_days: int, seed: int, periods: int = PERIODS,
    keeping_cost: float | None = None, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """What a new customer leaves over the horizon, now and with 1 to 10 more kept of every 100 in each period.

    From: `NewCustomer`, the discount rate a year, how long a period is and how many the horizon has, what keeping a
    customer costs in a period (money, taken off each period after the first; None: not known). To, one row a step:
    points (0 to 10 percentage points, added to both retentions, neither above 1), new_kept and kept (the two), profit
    with profit_low, profit_high (money a new customer), change (against 0 points; 0.5 is +50 %) with low, high, n
    (customers of the less certain retention), level, method. NaN where both retentions would exceed 1; the change is
    NaN too where today's profit is not told apart from nothing, since then no ratio to it means anything.
    Intervals: percentiles of 4,000 seeded draws: both retentions ~ beta(kept + 1/2, lost + 1/2) (Jeffreys), money
    normal with its own error, drawn as they go together (a normal copula); the same draw at every step.
    What it rests on: after the second period new customers are kept and buy as all others do, the same share in every
    period. In truth those who stay long are kept better, and more points of retention have a price of their own.
    Without a margin (revenue instead) it is revenue that is told. Empty where a part other than `won` is unknown.
    Source: `customer_profit`; the question is S2d's; Reichheld & Sasser (1990), Harvard Business Review 68(5), 105-111.
    Raises UsageError on a negative discount, a cost not above 0, or where `period_days` or `periods` is below 1.
    """
    _check(discount_a_year, period_days, periods, keeping_cost)
    if new.missing:
        return pd.DataFrame(columns=list(COLUMNS))
    drawn = _draws(new, keeping_cost, seed)
    settings = {"discount": _discount(discount_a_year, period_days), "periods": periods}
    today = _more(drawn, 0.0, settings)
    sure, rows = _sure(today, level), []
    for points in POINTS:
        row = dict.fromkeys(COLUMNS, np.nan) | {"points": points, "n": new.n, "level": level}
        row["method"] = f"{DRAWS:,} draws of both retentions, the margins and the cost"
        shares = [min(float(share.value) + points / 100, 1.0) for share in (new.new_kept, new.kept)]
        if min(new.new_kept.value, new.kept.value) + points / 100 > 1 + 1e-9:
            rows.append(row | {"method": "more than all customers cannot be kept"})
            continue
        then = _more(drawn, points, settings)
        low, high = np.quantile(then[1:], _tails(level))
        row |= {"new_kept": shares[0], "kept": shares[1], "profit": then[0], "profit_low": low, "profit_high": high}
        if sure:
            change = then / today - 1
            low, high = np.quantile(change[1:], _tails(level))
            row |= {"change": change[0], "low": min(low, change[0]), "high": max(high, change[0])}
        else:
            row["method"] += f"; {NOT_TOLD_APART}, so no share of it is told"
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def change_at(table: pd.DataFrame, *, points: int = QUOTED_POINTS) -> Estimate:
    """The change of profit with so many points more retention. From: `profit_by_retention`. To: Estimate (lift)."""
    rows = table[table["points"] == points]
    if not len(rows):
        return unknown("lift", method="how many are kept or what a customer leaves is not known")
    row = rows.iloc[0]
    if not np.isfinite(row["low"]):
        return unknown("lift", n=int(row["n"]), level=float(row["level"]), method=str(row["method"]))
    numbers = (float(row[name]) for name in ("change", "low", "high"))
    return Estimate(*numbers, int(row["n"]), "lift", float(row["level"]), str(row["method"]))


def points_needed(
    new: NewCustomer, *, discount_a_year: float, period_days: int, seed: int, periods: int = PERIODS,
    keeping_cost: float | None = None, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """How many points of retention the quoted +25 % and +95 % of profit would take here, and whether they can be had.

    From: as `profit_by_retention`. To, two rows: target (0.25, 0.95), points with low, high (percentage points; where
    no retention suffices, NaN, or a high end without end), most (the change if everybody were kept), n, level, method,
    reading (within ten points, beyond ten points, cannot be reached here, not known).
    Source: Reichheld & Sasser (1990) print 25 to 85 % for five points; 95 % is Reichheld's later figure, and S2d kept
    it alone. Their example halves a loss of 10 % a year: where few are kept, five points do far less.
    Raises UsageError as `profit_by_retention`.
    """
    _check(discount_a_year, period_days, periods, keeping_cost)
    names = ["target", "points", "low", "high", "most", "n", "level", "method", "reading"]
    if new.missing:
        rows = [{"target": target, "n": 0, "level": level, "reading": NOT_KNOWN} for target in QUOTED]
        return pd.DataFrame(rows).reindex(columns=names).assign(method=new.missing)
    drawn = _draws(new, keeping_cost, seed)
    settings = {"discount": _discount(discount_a_year, period_days), "periods": periods}
    room = 100 * (1 - np.minimum(drawn[1], drawn[2]))
    today, all_kept = (_more(drawn, points, settings) for points in (0.0, room))
    most, sure, rows = all_kept / today - 1, _sure(today, level), []
    for target in QUOTED:
        low, high = np.zeros_like(room), room.copy()
        for _ in range(50):  # profit rises with retention: halved until nothing is left between
            middle = (low + high) / 2
            enough = _more(drawn, middle, settings) >= (1 + target) * today
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        points = np.where(most >= target, high, np.inf)
        ends = np.quantile(points[1:], _tails(level), method="nearest")
        reading = NEVER if np.isinf(points[0]) else HERE if points[0] <= POINTS[-1] else FAR
        row = {"target": target, "points": points[0], "low": min(ends[0], points[0]), "high": max(ends[1], points[0])}
        row |= {"most": most[0], "reading": reading}
        if not sure:
            row |= dict.fromkeys(("points", "low", "high", "most"), np.nan) | {"reading": NOT_KNOWN}
        elif reading == NEVER:
            row["points"] = np.nan
        rows.append(row | {"n": new.n, "level": level})
    return pd.DataFrame(rows).assign(method=f"{DRAWS:,} draws" if sure else NOT_TOLD_APART)[names]


def _told(estimate: Estimate, currency: str = "") -> str:
    """A value with its interval and n in brackets."""
    ends = format_interval(estimate, currency)
    return f"{format_value(estimate.value, estimate.unit, currency)} ({ends}, n = {estimate.n:,})"


def economics_in_words(
    new: NewCustomer, table: pd.DataFrame, needed: pd.DataFrame, most: Estimate, *, period_days: int,
    margin_known: bool, periods: int = PERIODS, keeping_cost: float | None = None, currency: str = "",
) -> list[str]:  # fmt: skip
    """What retention is worth here, in sentences. From: `NewCustomer`, `profit_by_retention`, `points_needed`,
    `most_to_pay`."""
    if new.missing:
        return [f"What keeping more customers is worth: too early to say ({new.missing})."]
    leaves = "{} above the goods' costs" if margin_known else "{} of revenue (no margin is known)"
    first, left = (leaves.format(_told(estimate, currency)) for estimate in (new.first, new.left))
    texts = [
        f"In the first {period_days} days a new customer leaves {first}; of the new customers {_told(new.new_kept)} "
        f"order in the {period_days} days after these.",
        f"Of all customers of one period of {period_days} days {_told(new.kept)} order in the next one; whoever does "
        f"leaves {left} in it.",
    ]
    if keeping_cost:
        cost = format_value(keeping_cost, "money", currency)
        texts.append(f"Keeping a customer costs {cost} in a period, which is taken off.")
    whole = f"{format_value(most.value, 'money', currency)} ({format_interval(most, currency)})"
    horizon = f"Over {periods} periods of {period_days} days a new customer leaves {whole} before the cost of winning"
    texts.append(
        f"{horizon}; what of it may be paid to win one is not known without a margin."
        if not margin_known
        else f"{horizon}: the most that may be paid to win one."
        if most.value > 0
        else f"{horizon}: no price of winning one pays."
    )
    now, five = table.iloc[0], change_at(table)
    if new.won.known:
        rest = format_value(now["profit"], "money", currency)
        texts.append(f"Winning one costs {_told(new.won, currency)}; after it {rest} are left.")
    else:
        texts.append("What winning a customer costs is not known and is left out: all profits are too large by it.")
    more = f"{QUOTED_POINTS} percentage points more retention"
    texts.append(
        f"With {more} the profit changes by {format_value(five.value, 'lift')} ({format_interval(five)})."
        if five.known
        else f"What {more} change: not told ({five.method})."
    )
    low, high = (format_value(end, "lift") for end in QUOTED)
    texts.append(f"Quoted for as many points is {low} to {high} (S2d, which keeps the upper end of Reichheld's band).")
    return texts + [_needed_in_words(row) for row in needed.itertuples()]


def _needed_in_words(row: tuple) -> str:
    target = format_value(row.target, "lift")
    if row.reading == NEVER:
        return (
            f"{target} of profit cannot be reached here: if all were kept it would be {format_value(row.most, 'lift')}."
        )
    if row.reading == NOT_KNOWN:
        return f"What {target} of profit would take is not known ({row.method})."
    ends = f"{format_value(row.low, 'points')} to {format_value(row.high, 'points')}"
    ends = ends.replace("–", "not at all")
    return f"{target} of profit takes {format_value(row.points, 'points')} points more ({ends}): {row.reading}."


def claims_checked(table: pd.DataFrame) -> pd.DataFrame:
    """S2d's +95 % beside this client's own. From: `profit_by_retention`. To: as `findings.check_claim`, one row."""
    row = check_claim(
        "Retaining 5 % of customers raises profit by up to 95 % (Reichheld & Sasser, 1990, print 25 to 85 % for 5 "
        "points more; 95 % is Reichheld's later figure)",
        source="S2d",
        theirs=QUOTED[1],
        ours=change_at(table),
        cannot_show="Ours takes 5 percentage points of retention from period to period, after the first the same "
        "margin in each, and no price of the points; theirs is the upper end over several industries, with horizons of "
        "their own.",
    )
    return pd.DataFrame([row])


def retention_findings(new: NewCustomer, table: pd.DataFrame, *, period_days: int) -> list[Finding]:
    """loyalty.period_retention and loyalty.five_points. From: `NewCustomer`, `profit_by_retention`."""
    return [
        Finding(
            id="loyalty.period_retention",
            claim=f"{{value}} of the customers of one period of {period_days} days order in the next one too "
            "({interval}).",
            estimate=new.kept,
            label=f"Customers kept from one period of {period_days} days to the next",
            evidence=("profit_by_retention",),
        ),
        Finding(
            id="loyalty.five_points",
            claim=f"With {QUOTED_POINTS} percentage points more retention a new customer's profit changes by {{value}} "
            "({interval}).",
            estimate=change_at(table),
            label=f"Profit of a new customer with {QUOTED_POINTS} points more retention",
            evidence=("profit_by_retention",),
            action="Pay for keeping customers at most what these points bring, and measure whether they come.",
        ),
    ]


def plot_profit(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`profit_by_retention` as the change of profit by points, with its band and the quoted 25 to 95 % at 5 points."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 3.6))[1] if ax is None else ax
    known = table[table["change"].notna()]
    ax.vlines(QUOTED_POINTS, *QUOTED, color=GREY, linewidth=7, alpha=0.45)
    ax.annotate(
        "quoted for 5 points (S2d):\n+25 to +95 %", (QUOTED_POINTS, QUOTED[1]), (-10, 0), textcoords="offset points",
        ha="right", va="top", color=GREY, fontsize=9,
    )  # fmt: skip
    at, low, high = (known[name].astype(float) for name in ("points", "low", "high"))
    ax.fill_between(at, low, high, color=LIGHT, linewidth=0)
    ax.plot(at, known["change"].astype(float), marker="o", color="C0")
    if len(known):
        last = known.iloc[-1]
        ax.annotate(
            format_value(last["change"], "lift"), (last["points"], last["change"]), (8, 0), textcoords="offset points",
            va="center", color=INK,
        )  # fmt: skip
    else:
        ax.annotate("not known here", (0, 0), (4, 6), textcoords="offset points", color=GREY)
    ax.set_xticks(POINTS, ["today", *(f"+{points}" for points in POINTS[1:])])
    ax.set_xlim(-0.4, POINTS[-1] + 1)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_formatter(lambda share, _: format_value(round(share, 6), "lift"))
    ax.set(
        xlabel="Percentage points more retention",
        ylabel="Change of a new customer's profit",
        title="What retention is worth",
    )
    return ax


def describe_profit(table: pd.DataFrame) -> str:
    """What `plot_profit` shows, for those who cannot see it."""
    known = table[table["change"].notna()]
    quoted = "A bar at 5 points marks the +25 to +95 % that is quoted (S2d keeps its upper end)."
    if not len(known):
        return f"The change of a new customer's profit with more retention is not known here. {quoted}"
    last = known.iloc[-1]
    return (
        "Line of the change of a new customer's profit with more retention: "
        f"{format_value(last['change'], 'lift')} with {last['points']:.0f} points more. {quoted}"
    )
