"""How one feature of a customer becomes a number to cluster on: transformed, shrunken where it is a share, scaled."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from cxkit.errors import UsageError

KINDS = ("amount", "count", "number", "share")
MOST_UNKNOWN = 0.2  # share of customers; a feature unknown for more is left out
FAR_OFF = 5.0  # spreads from the centre; beyond it a customer is set apart
SURE = 0.01  # of the test that customers differ in a share, over all shares together
ALIKE = 0.8  # rank correlation from which two features are called alike
_QUARTILES_APART = 1.3489795003921634  # of the standard normal distribution


@dataclass(frozen=True)
class Scale:
    """How a column of the features' table is scaled: z = (t - centre) / spread.

    t is ln x (kind amount), ln(1 + x) (count), x (number), or for a share the shrunken share
    (x * of + weight * base) / (of + weight), where `of` names the column with the number of trials, `base` is what all
    customers together have, and `weight` how many trials of `base` each customer's own are mixed with.
    """

    feature: str
    kind: str
    centre: float
    spread: float
    of: str = ""
    base: float = 0.0
    weight: float = 0.0


def fit_scales(
    features: pd.DataFrame, *, chosen: Sequence[str], listed: pd.DataFrame
) -> tuple[tuple[Scale, ...], pd.DataFrame]:
    """The scales of the chosen features over these customers, and which features cannot serve, with the reason.

    From: features (a row a customer), the chosen names (a family such as `channel` stands for all of its
    columns, `channel:app` …), `listed`: name, kind, of (`features.feature_list`). To: scales in the order chosen;
    left_out: feature, reason. A feature is left out that the data lack, that is unknown for more than a fifth of the
    customers, or the same for all; a share also where customers differ by no more than chance gives them: with two
    orders each, half of all customers have a share of 0 or 1 of anything, and that is no trait of theirs.

    Amounts and counts are taken in logarithms; centre and spread are the median and the distance of the quartiles, as a
    normal distribution's standard deviation, so that a few extreme customers move neither. The spread of a share is
    how far customers differ once chance is taken out, so a share that tells little weighs little; the columns of a
    family weigh together as one feature.
    Source: overdispersion of shares: Tarone (1979), Biometrika 66(3), 585-590; its size and the shrinkage: Kleinman
    (1973), JASA 68(341), 46-54.
    Raises UsageError where a chosen name is in no list.
    """
    rules = listed.set_index("name")
    for name in chosen:
        if name not in rules.index:
            near = get_close_matches(name, rules.index, n=1)
            hint = f"; did you mean {near[0]!r}" if near else ""
            raise UsageError(f"no feature {name!r}{hint}? Features are {', '.join(rules.index)}.")
    scales: list[Scale] = []
    left_out: list[dict] = []
    families = {name: [c for c in features.columns if c == name or c.startswith(f"{name}:")] for name in chosen}
    shares = sum(len(columns) for name, columns in families.items() if rules.loc[name, "kind"] == "share")
    for name, columns in families.items():
        if not columns:
            left_out.append({"feature": name, "reason": "the client's data do not hold it"})
            continue
        rule, made = rules.loc[name], []
        for column in columns:
            scale = (
                _fit_share(features, column, of=rule["of"], sure=SURE / shares)
                if rule["kind"] == "share"
                else _fit_number(features[column], column, rule["kind"])
            )
            if isinstance(scale, str):
                left_out.append({"feature": column, "reason": scale})
            else:
                made.append(scale)
        if len(made) > 1:  # one feature in several columns weighs as one
            together = float(np.sqrt(sum(scale.spread**2 for scale in made)))
            made = [Scale(**{**vars(scale), "spread": _kept(together)}) for scale in made]
        scales += made
    return tuple(scales), pd.DataFrame(left_out, columns=["feature", "reason"])


def _fit_number(values: pd.Series, column: str, kind: str) -> Scale | str:
    t = _transformed(values.to_numpy(dtype=float, na_value=np.nan), kind)
    if reason := _too_little(t):
        return reason
    t = t[np.isfinite(t)]
    low, centre, high = np.quantile(t, [0.25, 0.5, 0.75])
    spread = (high - low) / _QUARTILES_APART
    if spread <= 1e-9 * max(1.0, abs(centre)):  # more than half of the customers have one value
        spread = float(t.std())
    return Scale(column, kind, _kept(centre), _kept(spread))


def _fit_share(features: pd.DataFrame, column: str, *, of: str, sure: float) -> Scale | str:
    from scipy.special import ndtri

    x = features[column].to_numpy(dtype=float, na_value=np.nan)
    n = features[of].to_numpy(dtype=float, na_value=np.nan)
    t = np.where((x >= 0) & (x <= 1) & (n > 0), x, np.nan)
    if reason := _too_little(t):
        return reason
    there = np.isfinite(t)
    x, n = t[there] * n[there], n[there]
    trials, customers = n.sum(), len(n)
    base = x.sum() / trials
    scatter = np.square(x - n * base) / (base * (1 - base))
    z = (scatter.sum() - trials) / np.sqrt(2 * (n * (n - 1)).sum()) if (n > 1).any() else 0.0
    if z < -ndtri(sure):
        return "customers differ in it by no more than chance"
    free = customers - 1
    alike = ((scatter / n).sum() - free) / (trials - np.square(n).sum() / trials - free)
    alike = min(max(alike, 1e-6), 1 - 1e-6)  # correlation of two orders of one customer
    spread = np.sqrt(alike * base * (1 - base))
    return Scale(column, "share", _kept(base), _kept(spread), of, _kept(base), _kept((1 - alike) / alike))


def _too_little(t: np.ndarray) -> str:
    unknown = ~np.isfinite(t)
    if not len(t) or unknown.mean() > MOST_UNKNOWN:
        return f"unknown for {unknown.mean():.0%} of the customers" if len(t) else "there are no customers"
    known = t[~unknown]
    if known.max() - known.min() <= 1e-9 * max(1.0, abs(known.max())):
        return "the same for all customers"
    return ""


def _transformed(x: np.ndarray, kind: str) -> np.ndarray:
    """A number as it is scaled; NaN where it lies outside its kind's range."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "amount":
            return np.where((x > 0) & np.isfinite(x), np.log(x), np.nan)
        if kind == "count":
            return np.where((x >= 0) & np.isfinite(x), np.log1p(x), np.nan)
    return np.where(np.isfinite(x), x, np.nan)


def _kept(value: float) -> float:
    """As the model's file keeps it, so that a saved model is the model."""
    return float(f"{value:.12g}")


def scale(features: pd.DataFrame, scales: Sequence[Scale]) -> pd.DataFrame:
    """Customers in scaled units: the same index, a column a feature; NaN where a feature is unknown."""
    columns = {}
    for s in scales:
        x = features[s.feature].to_numpy(dtype=float, na_value=np.nan)
        if s.kind == "share":
            n = features[s.of].to_numpy(dtype=float, na_value=np.nan)
            x = np.where((x >= 0) & (x <= 1) & (n > 0) & np.isfinite(n), x, np.nan)
            t = (x * n + s.weight * s.base) / (n + s.weight)
        else:
            t = _transformed(x, s.kind)
        columns[s.feature] = (t - s.centre) / s.spread
    return pd.DataFrame(columns, index=features.index)


def far_off(scaled: pd.DataFrame, scales: Sequence[Scale], *, limit: float = FAR_OFF) -> pd.Series:
    """Which customers lie more than `limit` spreads from the middle in an amount, count or number.

    Such customers would draw a cluster's centre to themselves; they are set apart and told. A share cannot be far off.
    """
    open_ended = [s.feature for s in scales if s.kind != "share"]
    return (scaled[open_ended].abs() > limit).any(axis=1)


def alike(features: pd.DataFrame, *, columns: Sequence[str]) -> pd.DataFrame:
    """Pairs of features that rank the customers nearly alike: one, other, rank_correlation (Spearman's), n.

    From: features as they are (a share mixed with the shop's own would hang on the number of orders), and which columns
    to compare; each pair over the customers in whom both are known. To: the closest pairs first. Two such features
    count one thing twice. Columns of one family (channel:web, channel:app) are no pair.
    """
    values = features[list(columns)].astype(float)
    matrix, known = values.corr(method="spearman").to_numpy(), values.notna().astype(int).to_numpy()
    both, names = known.T @ known, list(columns)
    rows = [
        {"one": names[i], "other": names[j], "rank_correlation": float(matrix[i, j]), "n": int(both[i, j])}
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(matrix[i, j]) >= ALIKE and names[i].split(":")[0] != names[j].split(":")[0]
    ]
    frame = pd.DataFrame(rows, columns=["one", "other", "rank_correlation", "n"])
    return frame.sort_values("rank_correlation", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def alike_in_words(pairs: pd.DataFrame) -> str:
    """Which of the compared features nearly say the same, in a sentence. From: `alike`."""
    if pairs.empty:
        return f"No two of these habits rank the customers nearly alike (rank correlation {ALIKE:.1f} or more)."
    told = "; ".join(
        f"{r.one} and {r.other} (rank correlation {r.rank_correlation:.2f}, n = {r.n:,})" for r in pairs.itertuples()
    ).replace("-", "−")
    return f"These rank the customers nearly alike and count one thing twice: {told}. Leave one of each pair out."
