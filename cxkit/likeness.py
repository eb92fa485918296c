"""Is a group of customers like one of the personas that somebody has in mind, by signs that the data can tell?"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.errors import UsageError
from cxkit.estimates import holm_levels, p_values
from cxkit.heatmap import draw_heat_map
from cxkit.privacy import LEAST_SHOWN
from cxkit.settings_file import read_yaml
from cxkit.style import INK, clean_text, folded_text, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERSONAS = Path(__file__).parent / "personas.yml"
SIDES = ("high", "low")
FOR, AGAINST, UNDECIDED, NOT_KNOWN = "for", "against", "undecided", "not known"
LEAST_TOLD = 0.56  # of pairs: below it a difference is too small to be a sign of anything
NONE = "none of them"
METHOD = "probability of superiority, Newcombe (2006) method 5"


def read_personas(path: Path | None = None) -> pd.DataFrame:
    """The personas and their signs, one row a sign.

    From: a YAML file as `cxkit/personas.yml`, which is the default. To: persona, wants, feature, side (high or low),
    why. Raises UsageError, naming every fault of the file.
    """
    path = path or PERSONAS
    read = read_yaml(path, begins="`personas:`, the list of them").get("personas")
    if not isinstance(read, list) or not read or not all(isinstance(p, dict) for p in read):
        raise UsageError(f"{path} holds no list `personas`; see cxkit/personas.yml for its shape.")
    faults, rows = [], []
    for place, persona in enumerate(read, start=1):
        name, signs = clean_text(persona.get("name") or ""), persona.get("signs")
        label = f"persona {name or place!r}"
        faults += [f"{label} lacks {key}" for key in ("name", "wants", "signs") if not persona.get(key)]
        faults += [f"{label} has the unknown key {k!r}" for k in persona if k not in ("name", "wants", "signs")]
        signs = signs if isinstance(signs, list) and all(isinstance(sign, dict) for sign in signs) else []
        if len(signs) < 2:
            faults.append(f"{label} has {len(signs)} signs; one alone tells nobody from others, give it two at least")
        for sign in signs:
            if set(sign) != {"feature", "side", "why"} or sign["side"] not in SIDES:
                faults.append(f"{label} has the sign {sign}; write feature, side (high or low) and why")
                continue
            rows.append((name, clean_text(persona.get("wants")), str(sign["feature"]), sign["side"], str(sign["why"])))
    frame = pd.DataFrame(rows, columns=["persona", "wants", "feature", "side", "why"])
    for name, feature in frame.loc[frame.duplicated(["persona", "feature"]), ["persona", "feature"]].itertuples(
        index=False
    ):
        faults.append(f"{name!r} has two signs of {feature!r}")
    names = [clean_text(p.get("name") or "") for p in read]
    faults += [f"the persona {name!r} stands there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise UsageError(f"{path}: {'; '.join(faults)}.")
    return frame


def signs(
    features: pd.DataFrame, groups: pd.DataFrame, personas: pd.DataFrame, *, level: float = 0.95,
    least: float = LEAST_TOLD,
) -> pd.DataFrame:  # fmt: skip
    """Each sign of each persona held against each group.

    From: features (customer_id and columns of features.yml), groups (customer_id, group), `read_personas`. To, one row
    a group, persona and sign: group, persona, wants, feature, side, why, value with low, high, n (customers of the
    group and of the others of whom the feature is known), level, method; verdict (for, against, undecided, not known).
    value is the probability of superiority: of all pairs of a customer of the group and one of another group, the
    share in which the first has more of the feature; equal ones count half. 0.5 is no difference. It does not hang on
    the unit, on a few huge customers, or on the feature's shape.
    A sign is for or against the persona where the interval lies on one side of 0.5, adjusted (Holm) over all groups and
    features, and the value is at least `least` (or at most 1 - `least`): in a large shop each difference is certain.
    What is left out: a feature that the data lack, or that is known of fewer than 5 in the group or the others (not
    known). What it cannot show: groups that were made from these features differ in them by making.
    Source: Vargha & Delaney (2000), Journal of Educational and Behavioral Statistics 25(2), 101-132 (the measure, and
    0.56 for a small difference); Newcombe (2006), Statistics in Medicine 25(4), 559-573 (interval).
    Raises UsageError where `least` does not lie between 0.5 and 1.
    """
    if not 0.5 <= least < 1:
        raise UsageError(f"least must lie between 0.5 (no difference) and 1; found {least}.")
    wanted = list(dict.fromkeys(personas["feature"]))
    there = features[["customer_id", *(name for name in wanted if name in features)]]
    joined = groups[["customer_id", "group"]].merge(there, on="customer_id", how="left")
    names = sorted(joined["group"].unique())
    pairs = pd.DataFrame(
        [(name, feature, *_more(joined, name, feature)) for name in names for feature in wanted],
        columns=["group", "feature", "value", "one", "other"],
    ).astype({"group": object, "feature": object, "value": float, "one": float, "other": float})
    one, other = (np.where(pairs["value"].notna(), pairs[c], np.nan) for c in ("one", "other"))
    error = np.sqrt(_variance(np.full(len(pairs), 0.5), one, other))
    levels = holm_levels(p_values(pairs["value"].to_numpy(float), error, reference=0.5), level=level)
    low, high = _ends(pairs["value"].to_numpy(float), one, other, levels)
    n = (pairs["one"] + pairs["other"]).astype("int64")
    pairs = pairs.assign(low=low, high=high, n=n, level=levels, method=METHOD).drop(columns=["one", "other"])
    table = (
        pd.DataFrame({"group": names}, dtype=object)
        .merge(personas, how="cross")
        .merge(pairs, on=["group", "feature"], how="left")
    )
    above = (table["low"] > 0.5) & (table["value"] >= least)
    below = (table["high"] < 0.5) & (table["value"] <= 1 - least)
    agrees = above.where(table["side"] == "high", below)
    contradicts = below.where(table["side"] == "high", above)
    verdict = np.select([table["value"].isna(), agrees, contradicts], [NOT_KNOWN, FOR, AGAINST], UNDECIDED)
    return table.assign(verdict=verdict)


def _more(joined: pd.DataFrame, group: str, feature: str) -> tuple[float, int, int]:
    """In what share of pairs one of the group has more of a feature than one of the others; how many of both."""
    if feature not in joined:
        return np.nan, 0, 0
    values = pd.to_numeric(joined[feature], errors="coerce").to_numpy(float)
    inside, known = (joined["group"] == group).to_numpy(), np.isfinite(values)
    one, other = int((inside & known).sum()), int((~inside & known).sum())
    if min(one, other) < LEAST_SHOWN:
        return np.nan, one, other
    ranks = pd.Series(values[known]).rank().to_numpy()[inside[known]]
    return float((ranks.sum() - one * (one + 1) / 2) / (one * other)), one, other


def _variance(share: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The variance of the share of pairs where it is truly `share` (Newcombe's method 5); at 0.5 it is Wilcoxon's."""
    half = (one + other) / 2 - 1
    return share * (1 - share) * (1 + half * ((1 - share) / (2 - share) + share / (1 + share))) / (one * other)


def _ends(value: np.ndarray, one: np.ndarray, other: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shares that the value does not contradict: where its distance is z standard errors, found by halving."""
    from scipy.special import ndtri

    z = ndtri((1 + levels) / 2)
    ends = []
    for limit in (0.0, 1.0):
        inner, outer = value.copy(), np.full(len(value), limit)
        for _ in range(60):
            middle = (inner + outer) / 2
            inside = np.abs(middle - value) <= z * np.sqrt(_variance(middle, one, other))
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        ends.append(np.where(np.isnan(value) | np.isnan(one), np.nan, inner))
    return ends[0], ends[1]


def likeness(signs: pd.DataFrame) -> pd.DataFrame:
    """How far each group is like each persona, and which one it is likened to.

    From: `signs`. To, one row a group and persona, the nearest of a group first: group, persona, wants, signs (how
    many), in_favour, against, undecided, not_known, fit (in_favour less against, by the signs that are known), strength
    (how far on the mean of the known signs the group leans the persona's way, -1 to 1), likened_to (the same for all
    rows of a group), reason.
    The rule: a group is likened to the persona with the greatest fit, then the greatest strength, of which at least two
    signs and more than half of those known are told apart in favour and none against; else to none of them.
    """
    way = np.where(signs["side"] == "high", 1.0, -1.0)
    scored = signs.assign(lean=way * (2 * signs["value"] - 1), known=signs["verdict"] != NOT_KNOWN)
    rows = []
    for (group, persona), part in scored.groupby(["group", "persona"], sort=True):
        counts = part["verdict"].value_counts()
        favour, against, known = int(counts.get(FOR, 0)), int(counts.get(AGAINST, 0)), int(part["known"].sum())
        rows.append(
            {
                "group": group,
                "persona": persona,
                "wants": part["wants"].iloc[0],
                "signs": len(part),
                "in_favour": favour,
                "against": against,
                "undecided": int(counts.get(UNDECIDED, 0)),
                "not_known": len(part) - known,
                "fit": (favour - against) / known if known else np.nan,
                "strength": part["lean"].mean(),
                "fits": favour >= 2 and 2 * favour > known and not against,
            }
        )
    columns = [
        "group",
        "persona",
        "wants",
        "signs",
        "in_favour",
        "against",
        "undecided",
        "not_known",
        "fit",
        "strength",
    ]
    table = pd.DataFrame(rows, columns=[*columns, "fits"])
    order = ["group", "fits", "fit", "strength", "persona"]
    table = table.sort_values(order, ascending=[True, False, False, False, True], kind="stable", ignore_index=True)
    best = table.groupby("group")["persona"].first().where(table.groupby("group")["fits"].first().astype(bool), NONE)
    table = table.assign(likened_to=table["group"].map(best).astype(object))
    return table.assign(reason=[_reason(row) for row in table.itertuples()]).drop(columns="fits")


def _reason(row) -> str:
    known = row.signs - row.not_known
    if not known:
        return "none of its signs is known"
    texts = [f"{row.in_favour} of {known} signs told apart in favour", f"{row.against or 'none'} against"]
    texts += [f"{row.undecided} undecided"] if row.undecided else []
    texts += [f"{row.not_known} not known"] if row.not_known else []
    return ", ".join(texts)


def likened(table: pd.DataFrame) -> pd.DataFrame:
    """One row a group: group, likened_to, reason (of the nearest persona), nearest. From: `likeness`."""
    first = table.drop_duplicates("group").rename(columns={"persona": "nearest"})
    return first[["group", "likened_to", "nearest", "reason", "fit"]].reset_index(drop=True)


def in_words(signs: pd.DataFrame, *, labels: Mapping[str, str]) -> pd.DataFrame:
    """The signs as a reader sees them: group, persona, sign (which feature, much or little, and why), pairs, verdict.

    From: `signs`; `labels`: feature -> its label (features.yml). pairs: in how many of 100 pairs one of the group has
    more of it, with the interval.
    """
    side = signs["side"].map({"high": "much", "low": "little"})
    name = signs["feature"].map(lambda feature: labels.get(feature, feature.replace("_", " ")))
    numbers = zip(signs["value"], signs["low"], signs["high"], strict=True)
    pairs = [
        f"{100 * v:.0f} of 100 ({100 * low:.0f}–{100 * high:.0f})" if v == v else NOT_KNOWN for v, low, high in numbers
    ]
    sign = name + " (" + side + "): " + signs["why"]
    return signs[["group", "persona"]].assign(sign=sign, pairs=pairs, verdict=signs["verdict"])


def plot_likeness(table: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`likeness` as a heat map: signs in favour and against, for each group and persona; the likened one is framed."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    groups, personas = sorted(table["group"].unique()), list(dict.fromkeys(sorted(table["persona"])))
    ax = plt.subplots(figsize=(7.2, max(0.5 * len(groups) + 1.3, 1.9)))[1] if ax is None else ax
    cells = table.set_index(["group", "persona"])
    rows = [[cells.loc[(group, persona)] for persona in personas] for group in groups]
    fit = np.array([[max(cell["fit"], 0.0) for cell in row] for row in rows], dtype=float)
    texts = [[_cell(cell) for cell in row] for row in rows]
    draw_heat_map(
        ax, fit.reshape(len(groups), len(personas)), texts, top=1.0,
        rows=[folded_text(name) for name in groups],
        columns=["\n".join(plain_text(name, width=34).split(" ", 1)) for name in personas],
    )  # fmt: skip
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if cell["likened_to"] == personas[x]:
                ax.add_patch(Rectangle((x - 0.46, y - 0.42), 0.92, 0.84, fill=False, edgecolor=INK, linewidth=1.8))
    ax.xaxis.tick_top()
    ax.set_title("Signs for and against each persona", pad=12)
    return ax


def _cell(cell: pd.Series) -> str:
    known = cell["signs"] - cell["not_known"]
    return f"{cell['in_favour']} of {known} for\n{cell['against'] or 'none'} against" if known else NOT_KNOWN


def describe_likeness(table: pd.DataFrame) -> str:
    """What `plot_likeness` shows, for those who cannot see it."""
    rows = likened(table)
    texts = [f"{clean_text(r.group)}: {r.likened_to} ({r.reason})" for r in rows.itertuples() if r.likened_to != NONE]
    none = [clean_text(r.group) for r in rows.itertuples() if r.likened_to == NONE]
    texts += [f"like none of them: {', '.join(none)}"] if none else []
    return f"Table of signs for and against each persona, by group. {'; '.join(texts) or 'No group'}."
