"""What would the same procedure find where there are no groups: data with the same features and none."""

import numpy as np

RIDGE = 1e-6  # least eigenvalue of the correlations: two equal features would leave none
ROUNDS = 10  # of bringing the rank correlations to those of the data
LEAST_DRAWN = 8_000  # rows that a round is judged by, so that chance in drawing them moves little
MOST = 0.9999  # a correlation of 1 leaves nothing to draw


def latent_correlation(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The correlations of the normal variables behind a Gaussian copula that has the data's rank correlations.

    From: values (rows x columns, no NaN). To: a matrix, columns x columns.
    Where values are tied (counts, shares of few orders), cutting the normal variables into steps weakens their
    rank correlation, so data drawn with the usual 2 sin(pi r / 6) would be less correlated than these, and any cloud in
    steps would seem to hold groups. So the correlations are raised until drawn data have those of the data.
    Source: the start: Kruskal (1958), JASA 53(284), 814-861; matching by correction: Cario & Nelson (1997), Modeling
    and generating random vectors with arbitrary marginal distributions (NORTA).
    """
    asked = _rank_correlation(values)
    latent = 2 * np.sin(np.pi / 6 * asked)
    many = np.tile(values, (-(-LEAST_DRAWN // len(values)), 1))
    noise = rng.standard_normal(many.shape)
    for _ in range(ROUNDS):
        found = _rank_correlation(_drawn(many, latent, noise))
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(np.abs(found) > 0.02, asked / found, 1.0)  # what is next to nothing is left alone
        latent = np.clip(latent * np.clip(step, 0.5, 2.0), -MOST, MOST)
        np.fill_diagonal(latent, 1.0)
    return latent


def without_groups(values: np.ndarray, rng: np.random.Generator, *, latent: np.ndarray | None = None) -> np.ndarray:
    """Rows drawn from a Gaussian copula: each column's own values and their rank correlations, and no groups.

    From: values (rows x columns, no NaN); `latent`: `latent_correlation` of them, where it is known already.
    To: an array of the same shape; each column holds the same values in another order, so that its distribution, gaps
    and ties are kept to the last value. What is left out: any dependence that rank correlations do not tell, which is
    what groups are made of.
    To shuffle each column by itself would be too easy a null: any correlated cloud beats it.
    Source: Gaussian copula: Nelsen (2006), An Introduction to Copulas, 2nd ed., ch. 2.
    """
    rows, columns = values.shape
    if columns == 1:
        # the copula of one column is the column itself; drawn anew it varies as another sample would
        return values[rng.integers(0, rows, rows)]
    latent = latent_correlation(values, rng) if latent is None else latent
    return _drawn(values, latent, rng.standard_normal(values.shape))


def _drawn(values: np.ndarray, latent: np.ndarray, noise: np.ndarray) -> np.ndarray:
    roots, axes = np.linalg.eigh(latent)
    mix = axes * np.sqrt(np.maximum(roots, RIDGE))
    drawn = noise @ mix.T
    made = np.empty_like(values)
    for j in range(values.shape[1]):
        made[np.argsort(drawn[:, j], kind="stable"), j] = np.sort(values[:, j])
    return made


def _rank_correlation(values: np.ndarray) -> np.ndarray:
    """Spearman's rank correlations; a column of one value correlates with nothing."""
    ranks = np.column_stack([_mid_ranks(values[:, j]) for j in range(values.shape[1])])
    with np.errstate(divide="ignore", invalid="ignore"):
        together = np.nan_to_num(np.atleast_2d(np.corrcoef(ranks, rowvar=False)))
    np.fill_diagonal(together, 1.0)
    return together


def _mid_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the middle of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
