"""Which touchpoints matter: what the orders would lose without one, and how customers differ who met it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import holm_levels, p_values
from cxkit.stages import GOAL

REPEAT, NPS = "ordered again", "NPS"
BLOCKS = 200  # customers are dealt into so many groups at most, which the bootstrap draws in their stead
LEAST = 20  # met it, and did not, in strata that hold both
NO_EXPERIMENT = "no experiment: who met it may differ in what the strata do not hold"
ORDERS, RECENT, TENURE, VISITS = (1, 2, 3), (1, 2), (90, 365), (1, 2, 3, 5)  # where strata begin


def removal_effects(
    counts: pd.DataFrame, *, goal: str = GOAL, seed: int, draws: int = 500, level: float = 0.95, most: int = 60
) -> pd.DataFrame:
    """What share of the visits that reach the goal would not, were a touchpoint taken out of the chain of steps.

    From: steps counted (`paths.path_counts`): origin (missing: the visit begins), follows (missing: it ends), count.
    To, the largest first: touchpoint, value (0 to 1), low, high, n (visits), touches (at it), level, method. Empty
    where no visit reaches the goal.
    How: visits as a first-order Markov chain; to take a touchpoint out is to end every visit that would step to it.
    Then the goal is lost by all that pass it: chance to get there times the chance of the goal from there, by the
    chain's own, over the chance of the goal. The goal ends a visit. At most the `most` touchpoints met most are told
    apart, all others are one state. The interval is a percentile bootstrap of the steps from each touchpoint.
    What it cannot show: what customers would do without it; they might take another way. A touchpoint that every order
    has to pass has an effect of 1 by its place, however good it is.
    Source: Anderl, Becker, von Wangenheim & Schumann (2016), IJRM 33(3), 457-474.
    """
    steps = _steps(counts, goal, most)
    columns = ["touchpoint", "value", "low", "high", "n", "touches", "level", "method"]
    if steps is None:
        return pd.DataFrame(columns=columns).astype(dict.fromkeys(("value", "low", "high"), float))
    matrix, names, shown = steps
    rng = np.random.default_rng([seed, len(names)])
    total = matrix.sum(axis=1)
    share = matrix / np.maximum(total, 1)[:, None]
    share[total == 0, -1] = 1.0
    drawn = np.stack([rng.multinomial(int(n), row, size=draws) for n, row in zip(total, share, strict=True)], axis=1)
    drawn = drawn / np.maximum(total, 1)[None, :, None]
    effects = np.concatenate([_effects(part) for part in (share[None], *np.array_split(drawn, max(1, draws // 50)))])
    low, high = np.nanquantile(effects[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
    frame = pd.DataFrame(
        {
            "touchpoint": names, "value": effects[0], "low": np.minimum(low, effects[0]),
            "high": np.maximum(high, effects[0]), "n": int(total[0]), "touches": total[1:].astype("int64"),
            "level": level,
            "method": f"removal from a Markov chain; percentile bootstrap of its steps, {draws:,} draws",
        }
    )  # fmt: skip
    frame = frame[shown].sort_values(["value", "touchpoint"], ascending=[False, True], ignore_index=True)
    return frame[columns]


def _steps(counts: pd.DataFrame, goal: str, most: int) -> tuple[np.ndarray, list[str], np.ndarray] | None:
    """Counts of steps from the begin and each state (rows) to each state, the goal and the end (columns)."""
    steps = counts.groupby(["origin", "follows"], dropna=False, as_index=False)["count"].sum()
    origin, follows = (steps[c].astype(object).where(steps[c].notna(), None) for c in ("origin", "follows"))
    keep = (origin != goal).to_numpy()
    steps = pd.DataFrame({"origin": origin[keep], "follows": follows[keep], "count": steps["count"].to_numpy()[keep]})
    if not len(steps) or not (steps["follows"] == goal).any():
        return None
    met = steps[steps["origin"].notna()].groupby("origin")["count"].sum()
    met = met.rename_axis("name").reset_index().sort_values(["count", "name"], ascending=[False, True])
    names = list(met["name"].iloc[:most])
    rest = len(met) > most
    place = {name: i for i, name in enumerate(names)}
    size = len(names) + rest
    row = [0 if o is None else place.get(o, size - 1) + 1 for o in steps["origin"]]
    column = [size + 1 if f is None else size if f == goal else place.get(f, size - 1) for f in steps["follows"]]
    matrix = np.zeros((size + 1, size + 2))
    np.add.at(matrix, (row, column), steps["count"].to_numpy(dtype=float))
    names += ["all others"] * rest
    return matrix, names, np.arange(size) < size - rest


def _effects(chain: np.ndarray) -> np.ndarray:
    """Removal effects of each state (columns) for chains of probabilities (begin and states x states, goal, end)."""
    size = chain.shape[2] - 2
    # a hair below 1, so that a state which in a draw leads to itself alone can be left
    inner = chain[:, 1:, :size] * (1 - 1e-9)
    passes = np.linalg.inv(np.eye(size) - inner)
    goal = (passes @ chain[:, 1:, size, None])[..., 0]
    visits = (chain[:, :1, :size] @ passes)[:, 0]
    reach = visits / np.diagonal(passes, axis1=1, axis2=2)
    whole = chain[:, 0, size] + (chain[:, 0, :size] * goal).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return reach * goal / whole[:, None]


def repeat_moments(touches: Table, *, until: datetime, after_days: int = 90, goal: str = GOAL) -> Table:
    """Did each customer order again: one moment a customer, `after_days` before the data end.

    From: the touch log; `until`: the end of the data (UTC). To: outcome, customer_id, moment, result (100 or 0: ordered
    in the `after_days` after the moment).
    What is left out: who had not ordered by then. Orders cancelled later are in: they were placed.
    """
    moment = until - timedelta(days=after_days)
    orders = touches.filter(touches.customer_id.notnull(), touches.touchpoint == goal)
    people = orders.group_by("customer_id").aggregate(
        before=(orders.occurred_at < moment).any(),
        result=((orders.occurred_at >= moment) & (orders.occurred_at < until)).any().ifelse(100.0, 0.0),
    )
    people = people.filter(people.before)
    return people.select(
        "customer_id", "result", outcome=ibis.literal(REPEAT), moment=ibis.literal(moment, "timestamp(6)")
    )


def nps_moments(surveys: Table) -> Table:
    """Each NPS answer as a moment. To: outcome, customer_id, moment, result (100 promoter, -100 detractor, else 0)."""
    answers = surveys.filter(surveys.metric == "nps", surveys.customer_id.notnull(), surveys.score.notnull())
    result = ibis.cases((answers.score >= 9, 100.0), (answers.score <= 6, -100.0), else_=0.0)
    return answers.select(
        "customer_id", result=result, outcome=ibis.literal(NPS), moment=answers.answered_at.cast("timestamp(6)")
    )


def met_differences(
    moments: Sequence[Table], touches: Table, *, before_days: int = 90, seed: int, draws: int = 500,
    level: float = 0.95, goal: str = GOAL,
) -> pd.DataFrame:  # fmt: skip
    """How customers who met a touchpoint differ, afterwards, from customers alike who did not. This is no experiment.

    From: `repeat_moments`, `nps_moments`; the touch log. To, by outcome and touchpoint: touchpoint, outcome, value (met
    minus not met, in points: percentage points of those who ordered again, points of NPS), low, high (adjusted for the
    family), error, n, met, not_met (moments in strata that hold both), strata (how many), p, level, reading, method.
    Met: a touch in the `before_days` before the moment. Alike: the same number of orders before (0, 1, 2, 3 and more)
    and of them in the `before_days` (0, 1, 2 and more), the same tenure since the first order (under 90 days, 90 to
    364, a year and more), the same number of visits without an order in the `before_days` (0, 1, 2, 3 or 4, 5 and
    more): a visit with an order stands among the orders, as it tells of another mood than one without. The strata's
    differences are weighted by met * not met / both.
    The interval is normal, its error a bootstrap by customer (beyond 200 customers by 200 random groups of them); all
    differences are a family, whose intervals hold together at `level` (Holm).
    What is left out: unknown visitors; touches without a time of their own; the goal; strata in which all or none met
    it. Unknown where fewer than 20 moments remain on a side.
    What it cannot show: that the touchpoint causes the difference. Who meets it may differ in what no stratum holds,
    as in how lately he ordered.
    Source: Cochran (1954), Biometrics 10(4), 417-451 (weights); Efron & Tibshirani (1993), ch. 13; Wolter (2007),
    Introduction to Variance Estimation, ch. 2 (random groups); Holm (1979).
    Raises UsageError without moments.
    """
    if not moments:
        raise UsageError("met_differences needs moments; found none. Give repeat_moments, nps_moments or both.")
    totals, mets = _met_sums(moments, touches, before_days, goal)
    rows = []
    for number, outcome in enumerate(sorted(totals["outcome"].unique())):
        whole, part = totals[totals["outcome"] == outcome], mets[mets["outcome"] == outcome]
        # one draw a group of customers, the same for all touchpoints
        used = np.unique(whole["block"])
        rng = np.random.default_rng([seed, number])
        drawn = rng.multinomial(len(used), np.full(len(used), 1 / len(used)), size=draws)
        weights = np.vstack([np.ones(len(used)), drawn]).T
        rows += _differences(whole, part, outcome, weights, used)
    frame = pd.DataFrame(rows, columns=["touchpoint", "outcome", "value", "error", "n", "met", "not_met", "strata"])
    p = p_values(frame["value"], frame["error"])
    levels = holm_levels(p, level=level)
    from scipy.special import ndtri

    half = ndtri((1 + levels) / 2) * frame["error"]
    frame = frame.assign(low=frame["value"] - half, high=frame["value"] + half, p=p, level=levels)
    reading = np.select(
        [frame["high"].isna(), frame["low"] > 0, frame["high"] < 0],
        ["too few alike to compare", "higher where met", "lower where met"],
        "no difference told apart",
    )
    method = f"stratified difference, bootstrap by customer ({draws:,} draws, Holm); {NO_EXPERIMENT}"
    frame = frame.assign(reading=reading, method=method).sort_values(["outcome", "touchpoint"], ignore_index=True)
    return frame[
        ["touchpoint", "outcome", "value", "low", "high", "error", "n", "met", "not_met", "strata", "p", "level",
         "reading", "method"]
    ]  # fmt: skip


def _met_sums(
    moments: Sequence[Table], touches: Table, before_days: int, goal: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Moments and results by outcome, stratum and group of customers: of all, and of those who met a touchpoint."""
    columns = ("outcome", "customer_id", "moment", "result")
    every = [m.select(*columns) for m in moments]
    index = ibis.union(*every) if len(every) > 1 else every[0]
    key = ["outcome", "customer_id", "moment"]
    index = index.group_by(key).aggregate(result=index.result.mean())
    past = touches.filter(touches.customer_id.notnull(), touches.timed)
    won = past.filter(past.touchpoint == goal, past.session.notnull()).select(won="session").distinct()
    past = past.left_join(won, past.session == won.won)
    past = past.select("customer_id", "occurred_at", "touchpoint", "session", "won")
    joined = index.join(past, ["customer_id"]).filter(lambda t: t.occurred_at < t.moment)
    joined = joined.mutate(lately=joined.occurred_at >= joined.moment - ibis.interval(days=before_days))
    ordered = joined.touchpoint == goal
    known = joined.group_by(key).aggregate(
        orders=ordered.ifelse(1, 0).sum(),
        recent=(ordered & joined.lately).ifelse(1, 0).sum(),
        first_at=joined.occurred_at.min(where=ordered),
        visits=joined.session.nunique(where=joined.lately & joined.won.isnull()),
    )
    index = index.left_join(known, key).select(*key, "result", "orders", "recent", "first_at", "visits")
    tenure = (index.moment.epoch_seconds() - index.first_at.epoch_seconds()) / 86400
    place = ibis.dense_rank().over(ibis.window(order_by=index.customer_id))
    index = index.select(
        *key, "result", block=place % BLOCKS,
        stratum=_class(index.orders, ORDERS) * 1000 + _class(index.recent, RECENT) * 100 + _class(tenure, TENURE) * 10
        + _class(index.visits, VISITS),
    )  # fmt: skip
    met = joined.filter(joined.lately, joined.touchpoint != goal).select(*key, "touchpoint").distinct()
    met = met.join(index, key)
    cell = ["outcome", "stratum", "block"]
    totals = index.group_by(cell).aggregate(n=index.count(), result=index.result.sum().round(6))
    mets = met.group_by(["touchpoint", *cell]).aggregate(n=met.count(), result=met.result.sum().round(6))
    return collect(totals, order_by=cell), collect(mets, order_by=["touchpoint", *cell])


def _class(value: ibis.expr.types.NumericColumn, begins: Sequence[int]) -> ibis.expr.types.IntegerColumn:
    """How many of the borders a number has reached; 0 where it is missing."""
    return sum(((value >= border).fill_null(False).ifelse(1, 0) for border in begins), ibis.literal(0))


def _differences(
    whole: pd.DataFrame, part: pd.DataFrame, outcome: str, weights: np.ndarray, used: np.ndarray
) -> list[tuple]:
    """The stratified difference of every touchpoint, and its spread over the draws (columns of `weights` from 1)."""
    strata = np.unique(whole["stratum"])

    def grid(frame: pd.DataFrame, column: str) -> np.ndarray:
        made = np.zeros((len(strata), len(used)))
        at = (np.searchsorted(strata, frame["stratum"]), np.searchsorted(used, frame["block"]))
        np.add.at(made, at, frame[column].to_numpy(dtype=float))
        return made @ weights

    n, result = grid(whole, "n"), grid(whole, "result")
    rows = []
    for touchpoint, here in part.groupby("touchpoint"):
        n1, r1 = grid(here, "n"), grid(here, "result")
        n0, r0 = n - n1, result - r1
        both = (n1 > 0) & (n0 > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(both, n1 * n0 / n, 0.0)
            gap = np.where(both, r1 / n1 - r0 / n0, 0.0)
            values = (weight * gap).sum(axis=0) / weight.sum(axis=0)
        first = both[:, 0]
        met, not_met = (round(counts[first, 0].sum()) for counts in (n1, n0))
        error = float(np.nanstd(values[1:], ddof=1)) if min(met, not_met) >= LEAST else np.nan
        known = np.isfinite(error) and error > 0
        pair = (float(values[0]), error) if known else (np.nan, np.nan)
        rows.append((touchpoint, outcome, *pair, met + not_met, met, not_met, int(first.sum())))
    return rows
