"""What k-means does to groups that are not round: two moons, for the student."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.clusters import fit_labels
from cxkit.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 600
MARKS = ("o", "s", "^", "v", "D", "P", "X", "*", "<", ">")


def two_moons(*, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points on two half circles, one inside the other's bend (rows x 2), and which half circle each is on (0 or 1)."""
    from sklearn.datasets import make_moons

    return make_moons(POINTS, noise=0.07, random_state=seed)


def moons_table(*, seed: int) -> pd.DataFrame:
    """The moons as customers with two habits, fit for `clusters.choose`."""
    points, _ = two_moons(seed=seed)
    return pd.DataFrame(points, columns=["one", "other"], index=[f"c{i:03d}" for i in range(len(points))])


def plot_moons(*, k: int, seed: int, ax: "Axes | None" = None) -> "Axes":
    """The moons as k-means divides them into `k`: a mark a group, those on the wrong side of an eye's border are grey.

    Grey: a point whose group has most of its points on the other moon.
    """
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(5.6, 3.2))[1] if ax is None else ax
    points, moon = two_moons(seed=seed)
    label = fit_labels(points, k=k, seed=seed)
    for group in range(k):
        inside = label == group
        own = int(moon[inside].mean() > 0.5)
        for right in (True, False):
            shown = inside & ((moon == own) == right)
            ax.plot(*points[shown].T, MARKS[group % len(MARKS)], markersize=4, alpha=0.8,
                    color=("C0", "C1")[own] if right else GREY)  # fmt: skip
    ax.set(xticks=[], yticks=[], title=f"Two moons, cut into {k} by k-means")
    ax.set_aspect("equal")
    return ax


def describe_moons(*, k: int, seed: int) -> str:
    """What `plot_moons` shows: how many points lie in a group that is mostly the other moon's."""
    points, moon = two_moons(seed=seed)
    label = fit_labels(points, k=k, seed=seed)
    wrong = sum(min((moon[label == g] == 0).sum(), (moon[label == g] == 1).sum()) for g in range(k))
    return (
        f"Two moons cut into {k} by k-means: {wrong / len(points):.0%} of the points are grouped with the other moon."
    )
