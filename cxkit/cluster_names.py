"""What sets each cluster apart, in numbers, in a picture and in the words that name it."""

from collections.abc import Sequence
from datetime import date
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.cluster_model import LEAST_ORDERS, Model
from cxkit.clusters import fit_centres
from cxkit.privacy import LEAST_SHOWN
from cxkit.scales import FAR_OFF, Scale
from cxkit.stability import nearest
from cxkit.style import GREY, INK, clean_text, folded_text, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOLD_APART = 0.5  # spreads; a smaller difference names nothing
WORDS = 2  # features in a name, where they are enough to tell the clusters apart
VALUE_LETTERS = 24  # of a client's own word, such as a channel's name
UNITS = {"days": "count", "yes/no": "share"}  # how the others are written is told by their own name
MIDDLING = "in the middle in everything"


def fit_model(
    features: pd.DataFrame,
    scaled: pd.DataFrame,
    scales: Sequence[Scale],
    *,
    k: int,
    listed: pd.DataFrame,
    as_of: date,
    seed: int,
) -> Model:
    """The model of k clusters: centres, names and sizes, the most valuable cluster first.

    From: features and scaled features of the customers to cluster (one index, customer_id), the scales, `listed`
    (`features.feature_list`). The order is by mean revenue per customer of those in the cluster.
    """
    centres = fit_centres(scaled, k=k, seed=seed)
    labels = nearest(scaled.to_numpy(dtype=float), centres)
    spent = features["monetary"].loc[scaled.index].to_numpy(dtype=float)
    value = np.array([np.round(spent[labels == c].sum() / max((labels == c).sum(), 1), 6) for c in range(k)])
    order = np.lexsort((*centres.T[::-1], -value))
    sizes = np.bincount(labels, minlength=k)[order]
    names = name_clusters(centres[order], scales, sizes=sizes, listed=listed)
    rows = tuple(tuple(float(v) for v in row) for row in centres[order])
    return Model(
        as_of=as_of.isoformat(),
        seed=seed,
        least_orders=LEAST_ORDERS,
        outlier_limit=FAR_OFF,
        scales=tuple(scales),
        centres=rows,
        names=tuple(names),
        sizes=tuple(int(n) for n in sizes),
    )


def apart(centres: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """How far each centre lies from the middle of all clustered customers, in spreads (clusters x features)."""
    weights = np.asarray(sizes, dtype=float)
    return centres - (weights / max(weights.sum(), 1)) @ centres


def name_clusters(
    centres: np.ndarray, scales: Sequence[Scale], *, sizes: np.ndarray, listed: pd.DataFrame
) -> list[str]:
    """A name for each cluster from what sets it apart most, in words; no two alike.

    The two largest differences of at least half a spread, one a family; more where two clusters would have one name.
    """
    gaps = np.round(apart(np.asarray(centres, dtype=float), sizes), 1)  # so that a hair's breadth changes no name
    ranked = [_words(row, scales, listed) for row in gaps]
    longest = max((len(words) for words in ranked), default=0)
    length = [min(WORDS, len(words)) for words in ranked]
    names = [_joined(words, n) for words, n in zip(ranked, length, strict=True)]
    while twice := [i for i, name in enumerate(names) if names.count(name) > 1 and length[i] < len(ranked[i])]:
        for i in twice:
            length[i] = min(length[i] + 1, longest)
            names[i] = _joined(ranked[i], length[i])
    return [f"{name} ({names[:i].count(name) + 1})" if names.count(name) > 1 else name for i, name in enumerate(names)]


def _joined(words: list[str], n: int) -> str:
    name = ", ".join(words[:n]) or MIDDLING
    return name[:1].upper() + name[1:]


def _words(gaps: np.ndarray, scales: Sequence[Scale], listed: pd.DataFrame) -> list[str]:
    """The features that set a cluster apart, the farthest first, much before little; one a family."""
    rules, told, words = listed.set_index("name"), set(), []
    order = sorted(range(len(scales)), key=lambda j: (-abs(gaps[j]), gaps[j] < 0, j))
    for j in order:
        family, _, value = scales[j].feature.partition(":")
        if abs(gaps[j]) < TOLD_APART or family in told:
            continue
        if value and gaps[j] < 0 and any(s.feature.startswith(f"{family}:") and gaps[i] >= TOLD_APART
                                         for i, s in enumerate(scales)):  # fmt: skip
            continue  # "often by app" says more than "seldom by web"
        told.add(family)
        phrase = rules.loc[family, "high" if gaps[j] > 0 else "low"]
        words.append(phrase.replace("{value}", plain_text(value, width=VALUE_LETTERS)))
    return words


def differences(model: Model, *, listed: pd.DataFrame) -> pd.DataFrame:
    """How far each cluster lies from the middle, a row a cluster and feature: group, feature, label, difference
    (spreads: for amounts and counts the quartiles' distance as a normal distribution's standard deviation, for shares
    how far customers differ, chance and the family taken together), customers."""
    gaps = apart(np.array(model.centres), np.array(model.sizes))
    rules = listed.set_index("name")
    rows = [
        {"group": name, "feature": s.feature, "label": feature_label(s.feature, rules), "difference": float(gaps[i, j]),
         "customers": model.sizes[i]}
        for i, name in enumerate(model.names)
        for j, s in enumerate(model.scales)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def middles(
    features: pd.DataFrame, groups: pd.DataFrame, model: Model, *, listed: pd.DataFrame, currency: str = ""
) -> pd.DataFrame:
    """What the customers of each group have of the features that it was found by, in the features' own units.

    From: features indexed by customer_id; customer_id, group; the model. To: feature (its label), a column a group with
    the median, or of shares the mean, as text; groups of under five customers are left out.
    """
    joined = features.join(groups.set_index("customer_id")["group"])
    sizes = joined["group"].value_counts()
    names, rules = [n for n in model.names if sizes.get(n, 0) >= LEAST_SHOWN], listed.set_index("name")
    rows = []
    for s in model.scales:
        unit = rules.loc[s.feature.partition(":")[0], "unit"]
        row = {"feature": feature_label(s.feature, rules)}
        for name in names:
            values = joined.loc[joined["group"] == name, s.feature].astype(float)
            number = values.mean() if s.kind == "share" else values.median()
            row[name] = format_value(number, UNITS.get(unit, unit), currency)
        rows.append(row)
    return pd.DataFrame(rows, columns=["feature", *names])


def feature_label(feature: str, rules: pd.DataFrame) -> str:
    """A feature's label for readers; `channel:app` -> "Orders by app". From: the features' list, indexed by name."""
    family, _, value = feature.partition(":")
    return clean_text(rules.loc[family, "label"].replace("{value}", value))


def feature_table(
    features: pd.DataFrame, *, listed: pd.DataFrame, chosen: Sequence[str] = (), currency: str = ""
) -> pd.DataFrame:
    """What is known of the customers: feature, label, definition, known (share of the customers), middle (the median
    with its unit), used (yes: groups are looked for in it). From: features (a row a customer),
    `features.feature_list`, the names of those chosen, which stand first."""
    rules, rows = listed.set_index("name"), []
    for column in features.columns:
        family = column.partition(":")[0]
        if family in rules.index:
            unit = rules.loc[family, "unit"]
            middle = format_value(features[column].astype(float).median(), UNITS.get(unit, unit), currency)
            rows.append(
                {
                    "feature": column,
                    "label": feature_label(column, rules),
                    "definition": rules.loc[family, "definition"],
                    "known": float(features[column].notna().mean()) if len(features) else np.nan,
                    "middle": f"{middle} days" if unit == "days" else middle,
                    "used": "yes" if family in chosen else "",
                }
            )
    frame = pd.DataFrame(rows, columns=["feature", "label", "definition", "known", "middle", "used"])
    return frame.sort_values("used", ascending=False, kind="stable", ignore_index=True)


def plot_differences(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`differences` as a heat map, clusters by features: above the middle in the accent colour, below it grey.

    Each cell carries its number with its sign, so that no colour has to be read.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.patches import Rectangle

    groups, labels = list(dict.fromkeys(table["group"])), list(dict.fromkeys(table["label"]))
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, 0.55 * len(groups) + 1.9))
    cells = table.set_index(["group", "label"])["difference"]
    more = LinearSegmentedColormap.from_list("more", ["#ffffff", to_hex("C0")])
    for row, group in enumerate(groups):
        for column, label in enumerate(labels):
            value = float(cells[group, label])
            size = min(abs(value) / 2.5, 0.55)  # never so dark that ink could not be read on it
            fill = to_hex(more(size)) if value > 0 else to_hex((1 - 0.45 * size,) * 3)
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=fill, edgecolor="white", linewidth=1))
            strong = abs(round(value, 1)) >= TOLD_APART  # rounded as for the names, so that both say the same
            ax.text(column, row, f"{value:+.1f}".replace("-", "−"), ha="center", va="center", fontsize=9,
                    color=INK if strong else GREY, fontweight="bold" if strong else "normal")  # fmt: skip
    ax.set(
        xlim=(-0.5, len(labels) - 0.5), ylim=(len(groups) - 0.5, -0.5), title="How far each group lies from the middle"
    )
    room = max(7, 62 // len(labels)) if labels else 1  # letters a column holds
    ax.set_xticks(
        range(len(labels)),
        ["\n".join(wrap(plain_text(label, width=40), room, break_long_words=False)) for label in labels],
    )
    ax.set_yticks(range(len(groups)), [folded_text(name) for name in groups])
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def describe_differences(table: pd.DataFrame) -> str:
    """What `plot_differences` shows, for those who cannot see it."""
    far = table.loc[table.groupby("group", sort=False)["difference"].idxmax()]
    told = [f"{r.group}: most above the middle in {r.label} ({r.difference:+.1f})" for r in far.itertuples()]
    return "Heat map of groups by features. " + "; ".join(told).replace("-", "−") + "."
