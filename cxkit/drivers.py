"""Which items drive the overall score: relative weights with their intervals, beside how well each item does."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import Estimate, holm_levels, unknown
from cxkit.style import GREY, INK, LIGHT, clean_text, format_ends, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_COMPLETE = 100  # people who answered every item and the overall score
DRAWS = 1000
MOST_PEOPLE = 20_000  # on whom the interval is drawn; of more, a sample by the seed
FEW = f"fewer than {LEAST_COMPLETE} people answered every item and the overall score"
TOLD, NOT_TOLD, EARLY = "tells the score", "not told apart from chance", "too early to say"
OUTCOMES = ("csat", "nps")
COLUMNS = ["item", "experience", "weight", "low", "high", "share", "n", "unit", "level", "method", "reading"]
METHOD = f"relative weights (Johnson), percentile bootstrap by customer, {DRAWS:,} draws"


def complete_answers(items: pd.DataFrame, asked: Table) -> tuple[pd.DataFrame, str]:
    """What each customer experienced of every item, beside the same customer's overall score.

    From: `expectations.item_answers`; `feedback.asked`. To: one row a customer, ordered by who: a column an item (mean
    experience), overall (the customer's mean CSAT, or NPS score of 0 to 10); and which of the two it is: of the one
    that more customers gave. Items that fewer than half of those who were asked of any answered are left out.
    What is left out: customers who lack an item or the overall score, and answers without a customer.
    """
    experienced = items.dropna(subset=["experience"])
    wide = experienced.pivot_table(index="who", columns="item", values="experience", aggfunc="mean", sort=True)
    wide = wide.loc[:, wide.notna().mean() >= 0.5].dropna() if len(wide) else wide
    best, outcome = wide[:0].assign(overall=0.0), OUTCOMES[0]
    if "customer_id" not in asked.columns or not wide.shape[1]:
        return best, outcome
    named = asked.filter(asked.customer_id.notnull(), asked.metric.isin(OUTCOMES))
    means = collect(
        named.group_by("metric", "who").aggregate(overall=named.score.mean().round(6)), order_by=["metric", "who"]
    )
    for metric in OUTCOMES:
        scores = means[means["metric"] == metric].set_index("who")["overall"]
        both = wide.join(scores, how="inner").sort_index()
        if len(both) > len(best):
            best, outcome = both, metric
    return best, outcome


def relative_weights(answers: pd.DataFrame) -> pd.Series:
    """How much of the variance of `overall` each other column tells: weights that sum to R2.

    From: `complete_answers`. To: item -> weight (0 to 1). The items are turned into the uncorrelated ones nearest to
    them; a weight is the sum of the squared paths from an item over those to the score. Items of no spread weigh 0.
    Source: Johnson (2000), Multivariate Behavioral Research 35(1), 1-19, eq. for epsilon; reviewed by Tonidandel &
    LeBreton (2011), Journal of Business and Psychology 26(1), 1-9.
    """
    x = answers.drop(columns="overall").to_numpy(dtype=float)
    weights = _weights(x[None], answers["overall"].to_numpy(dtype=float)[None])[0]
    return pd.Series(weights, index=answers.columns.drop("overall"), name="weight")


def _weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`relative_weights` of many samples at once. From: x (samples, people, items), y (samples, people)."""
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    spread_x, spread_y = np.sqrt((x**2).sum(axis=1)), np.sqrt((y**2).sum(axis=1))
    some = spread_x > 1e-12
    x = np.where(some[:, None, :], x / np.where(some, spread_x, 1.0)[:, None, :], 0.0)
    y = np.where(spread_y[:, None] > 1e-12, y / np.where(spread_y > 1e-12, spread_y, 1.0)[:, None], 0.0)
    correlations = np.einsum("bni,bnj->bij", x, x)
    with_score = np.einsum("bni,bn->bi", x, y)
    values, vectors = np.linalg.eigh(correlations)
    root = np.sqrt(np.maximum(values, 0.0))
    inverse = np.where(root > 1e-6, 1 / np.where(root > 1e-6, root, 1.0), 0.0)
    paths = np.einsum("bik,bk,bjk->bij", vectors, root, vectors)
    nearest = np.einsum("bik,bk,bjk,bj->bi", vectors, inverse, vectors, with_score)
    return np.einsum("bij,bj->bi", paths**2, nearest**2)


def r_squared(answers: pd.DataFrame, *, level: float = 0.95) -> Estimate:
    """How much of the overall score's variance all items together tell.

    From: `complete_answers`. To: Estimate (share, n people) with the interval from the noncentral F distribution: it
    meets 0 exactly where the F test of all items together does not tell them apart from chance. It takes the items as
    fixed, which answers are not, so its width is approximate. Unknown below 100 people.
    Source: Steiger & Fouladi (1992), Behavior Research Methods 24(4), 581-582; Smithson (2001), Educational
    and Psychological Measurement 61(4), 605-632 (R2 of fixed items).
    """
    n, k = len(answers), answers.shape[1] - 1
    if n < LEAST_COMPLETE or k < 1:
        return unknown("share", n=n, level=level, method=FEW)
    from scipy.special import ncfdtr

    value = float(min(relative_weights(answers).sum(), 1.0))
    if value > 1 - 1e-9 or answers["overall"].nunique() < 2:
        return unknown("share", n=n, level=level, method="the score is told by an item alone, or does not vary")
    f = value / k / ((1 - value) / (n - k - 1))
    ends = []
    for tail in ((1 + level) / 2, (1 - level) / 2):
        least, most = 0.0, 4.0 * (n * value / (1 - value) + 50)
        if ncfdtr(k, n - k - 1, 0.0, f) <= tail:
            ends.append(0.0)
            continue
        for _ in range(80):
            middle = (least + most) / 2
            above = ncfdtr(k, n - k - 1, middle, f) > tail
            least, most = (middle, most) if above else (least, middle)
        ends.append(least / (least + n))
    return Estimate(value, min(ends[0], value), max(ends[1], value), n, "share", level, "noncentral F, approximate")


def drivers(answers: pd.DataFrame, *, seed: int, level: float = 0.95) -> pd.DataFrame:
    """Each item's relative weight with its interval, beside what was experienced of it; the heaviest first.

    From: `complete_answers`. To: item, experience (mean), weight, low, high, share (of R2), n (people), unit (share),
    level, method, reading. An item tells the score where its weight lies certainly above that of a column of chance
    drawn for the test (one-sided; all items together: Holm), and nothing is told where the interval of R2
    meets 0, or below 100 people: too early to say.
    Source: as `relative_weights`; the interval and the test against a random column: Tonidandel, LeBreton & Johnson
    (2009), Psychological Methods 14(4), 387-399. What it cannot show: that a better item would raise the score.
    """
    n, names = len(answers), list(answers.columns.drop("overall"))
    fit = r_squared(answers, level=level)
    answers = answers.sort_index()
    means = answers[names].mean().to_numpy(dtype=float)
    blank = dict.fromkeys(("weight", "low", "high", "share"), np.nan)
    frame = pd.DataFrame({"item": [clean_text(name) for name in names], "experience": means, **blank}).assign(
        n=n, unit="share", level=level, method=FEW if n < LEAST_COMPLETE else fit.method, reading=EARLY
    )
    if not fit.known:
        return frame.assign(experience=means if n >= 5 else np.nan)[COLUMNS]
    weight = relative_weights(answers).to_numpy()
    draws, p = _draws(answers, np.random.default_rng([seed, 5]))
    levels = holm_levels(p, level=level)
    tails = (1 - level) / 2
    low, high = np.quantile(draws, tails, axis=0), np.quantile(draws, 1 - tails, axis=0)
    above = (p <= 1 - levels) & (fit.low > 0)
    reading = np.where(above, TOLD, NOT_TOLD) if fit.low > 0 else EARLY
    frame = frame.assign(weight=weight, low=np.minimum(low, weight), high=np.maximum(high, weight))
    frame = frame.assign(share=weight / weight.sum(), method=METHOD, reading=reading)
    return frame.sort_values(["weight", "item"], ascending=[False, True], ignore_index=True)[COLUMNS]


def _draws(answers: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap weights, and each item's one-sided p of lying above a random column that stands beside the items."""
    if len(answers) > MOST_PEOPLE:
        answers = answers.iloc[np.sort(rng.choice(len(answers), MOST_PEOPLE, replace=False))]
    x, y = answers.drop(columns="overall").to_numpy(dtype=float), answers["overall"].to_numpy(dtype=float)
    n, k = x.shape
    weights, gaps = [], []
    chunk = max(1, min(DRAWS, int(4_000_000 / (n * (k + 1)))))
    for begin in range(0, DRAWS, chunk):
        size = min(chunk, DRAWS - begin)
        take = rng.integers(0, n, (size, n))
        chance = rng.standard_normal((size, n, 1))
        weights.append(_weights(x[take], y[take]))
        both = _weights(np.concatenate([x[take], chance], axis=2), y[take])
        gaps.append(both[:, :k] - both[:, k:])
    gap = np.concatenate(gaps)
    return np.concatenate(weights), ((gap <= 0).sum(axis=0) + 1) / (DRAWS + 1)


def drivers_in_words(frame: pd.DataFrame, fit: Estimate, *, outcome: str) -> list[str]:
    """What the items tell of the overall score, with R2; which tell it for certain; or that nothing can be told."""
    name = outcome.upper()
    if not fit.known:
        return [f"What drives {name} is too early to say (n = {fit.n:,}; {fit.method})."]
    r2 = f"{format_value(fit.value, 'share')} ({format_ends(fit.low, fit.high, 'share')}, n = {fit.n:,})"
    said = [f"All items together tell {r2} of the variance of {name}."]
    told = frame[frame["reading"] == TOLD]
    if fit.low <= 0:
        return [*said, "That meets nothing at all: the items' weights cannot be told apart, too early to say."]
    if not len(told):
        return [*said, "No single item is told apart from chance: too early to say."]
    names = [
        f"{clean_text(row.item)} ({format_value(row.weight, 'share')}, {format_ends(row.low, row.high, 'share')})"
        for row in told.itertuples()
    ]
    said.append(f"Told apart from chance, with the variance that each tells: {', '.join(names)}.")
    weak = told[told["experience"] < frame["experience"].mean()]
    if len(weak):
        below = ", ".join(clean_text(item) for item in weak["item"])
        said.append(f"Of these, experienced worse than the items' mean: {below}.")
    return said


def plot_drivers(frame: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`drivers` as importance against performance, the crosshair at the means: below right is where to begin.

    Grey: not told apart from chance.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(7.2, 4.4))[1] if ax is None else ax
    ax.set_title("How much an item tells, and how well it does")
    shown = frame[np.isfinite(frame["weight"].to_numpy(dtype=float))].reset_index(drop=True)
    if not len(shown):
        ax.annotate("Too early to say", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
        ax.set_axis_off()
        return ax
    size = 100 * shown[["weight", "low", "high"]].to_numpy(dtype=float)
    ax.axvline(size[:, 0].mean(), color=LIGHT, linewidth=1)
    ax.axhline(shown["experience"].mean(), color=LIGHT, linewidth=1)
    told = (shown["reading"] == TOLD).to_numpy()
    for mark, colour in ((told, "C0"), (~told, GREY)):
        ax.hlines(shown["experience"][mark], size[mark, 1], size[mark, 2], color=colour, linewidth=1.2)
        ax.plot(size[mark, 0], shown["experience"][mark], "o", color=colour, markersize=7)
    ax.set_xlim(0, 1.75 * max(size[:, 2].max(), 1e-3))  # room for the names
    _name_points(ax, shown, told)
    ax.set(xlabel="Variance of the overall score that the item tells, % (95 % interval)", ylabel="Experience, mean")
    return ax


def _name_points(ax: "Axes", shown: pd.DataFrame, told: np.ndarray) -> None:
    """Names at the right end, at the height of their points; one above the other where two would meet."""
    order = np.argsort(shown["experience"].to_numpy(), kind="stable")
    values = shown["experience"].to_numpy(dtype=float)[order]
    spread = max(float(np.ptp(values)), 0.05)
    gap = spread / 12
    places = values.copy()
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    for i, place in zip(order, places, strict=True):
        ax.annotate(
            plain_text(shown["item"].iloc[i], width=24), (0.99, place), xycoords=("axes fraction", "data"),
            ha="right", va="center", color=INK if told[i] else GREY,
        )  # fmt: skip
    ax.set_ylim(values.min() - 0.15 * spread, places.max() + 0.15 * spread)


def describe_drivers(frame: pd.DataFrame, fit: Estimate, *, outcome: str) -> str:
    """What `plot_drivers` shows, for those who cannot see it."""
    return f"Items by weight and experience. {' '.join(drivers_in_words(frame, fit, outcome=outcome))}"
