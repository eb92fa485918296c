"""What would the same procedure find where there are no groups: data with the same features and none."""

import numpy as np

RIDGE = 1e-6  # least eigenvalue of the correlations: two equal features would leave none


def without_groups(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows drawn from a Gaussian copula: each column's own values and their rank correlations, and no groups.

    From: values (rows x columns, no NaN). To: an array of the same shape; each column holds the same values in another
    order, so that its distribution, gaps and ties are kept to the last value. What is left out: any dependence that
    rank correlations do not tell, which is what groups are made of.
    To shuffle each column by itself would be too easy a null: any correlated cloud beats it.
    Source: Gaussian copula: Nelsen (2006), An Introduction to Copulas, 2nd ed., ch. 2; the normal correlation of a
    rank correlation, 2 sin(pi r / 6): Kruskal (1958), JASA 53(284), 814-861.
    """
    rows, columns = values.shape
    if columns == 1:
        # the copula of one column is the column itself; drawn anew it varies as another sample would
        return values[rng.integers(0, rows, rows)]
    ranks = np.column_stack([_mid_ranks(values[:, j]) for j in range(columns)])
    with np.errstate(divide="ignore", invalid="ignore"):  # a column of one value correlates with nothing
        together = np.nan_to_num(np.corrcoef(ranks, rowvar=False))
    np.fill_diagonal(together, 1.0)
    normal = 2 * np.sin(np.pi / 6 * together)
    roots, axes = np.linalg.eigh(normal)
    mix = axes * np.sqrt(np.maximum(roots, RIDGE))
    drawn = rng.standard_normal((rows, columns)) @ mix.T
    made = np.empty_like(values)
    for j in range(columns):
        made[np.argsort(drawn[:, j], kind="stable"), j] = np.sort(values[:, j])
    return made


def _mid_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the middle of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
