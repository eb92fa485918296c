"""Which groups the plan is made for: the clusters where they are real, else the tiers; and their names from audit to
audit."""

from datetime import date
from pathlib import Path

import pandas as pd

from cxkit.cluster_model import BOUGHT_ONCE, LEAST_ORDERS, NOT_KNOWN, OUTLIER, Model, load_model, score
from cxkit.cluster_moves import carry_names, match, why_no_match
from cxkit.cluster_names import fit_model
from cxkit.clusters import LEAST_CUSTOMERS, Verdict
from cxkit.errors import DataError
from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.kept_tables import read_table
from cxkit.scales import FAR_OFF, Scale, far_off, fit_scales, scale
from cxkit.style import clean_text, format_value

WHY = {
    "": "bought more than once and is placed by habits",
    BOUGHT_ONCE: "one order so far: no habit to be seen in it",
    NOT_KNOWN: "a chosen feature is unknown",
    OUTLIER: f"farther than {FAR_OFF:g} spreads from the middle in an amount; would draw a group to itself",
}
MODEL = "models/01_segmentation.json"
GROUPS = "tables/01_segmentation.groups.csv"
ASK_FOR = (
    "Orders over a longer time, or columns that tell how people buy: channel, discount, payment, category. Other "
    "habits can be chosen by the parameter cluster_features."
)


def set_aside(features: pd.DataFrame, scales: tuple[Scale, ...]) -> pd.Series:
    """Why a customer is not clustered: "Bought once", "Not placed", "Set apart", or an empty text who is.

    From: features (a row a customer, with orders), and the scales. To: texts, the same index.
    """
    scaled = scale(features, scales)
    why = pd.Series("", index=features.index, dtype=object)
    why = why.mask(far_off(scaled, scales), OUTLIER).mask(scaled.isna().any(axis=1), NOT_KNOWN)
    return why.mask(features["orders"] < LEAST_ORDERS, BOUGHT_ONCE)


def aside_table(aside: pd.Series) -> pd.DataFrame:
    """How many customers are clustered and how many are set aside, with the reason: group, customers, reason."""
    counts = aside.value_counts().reindex(list(WHY), fill_value=0)
    groups = ["Clustered", *list(WHY)[1:]]
    return pd.DataFrame({"group": groups, "customers": counts.to_numpy(), "reason": list(WHY.values())})


def find_model(
    features: pd.DataFrame,
    clear: pd.DataFrame,
    scales: tuple[Scale, ...],
    verdict: Verdict,
    *,
    listed: pd.DataFrame,
    as_of: date,
    seed: int,
) -> Model | None:
    """The model of the groups, or None where the verdict is that there are none. From: as `cluster_names.fit_model`."""
    if not verdict.real:
        return None
    return fit_model(features, clear, scales, k=verdict.k, listed=listed, as_of=as_of, seed=seed)


def why_tiers(verdict: Verdict) -> str:
    """Why the plan is made for tiers, in a sentence."""
    return f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}: {'; '.join(verdict.reasons)}."


def plan_groups(features: pd.DataFrame, model: Model | None, tier: pd.DataFrame) -> pd.DataFrame:
    """Everybody's group: by the model where the clusters are real, else the tier.

    From: features indexed by customer_id; `tiers.tier_of` (customer_id, tier). To: customer_id, group, by customer_id.
    """
    if model is None:
        return tier.rename(columns={"tier": "group"})[["customer_id", "group"]].sort_values("customer_id")
    return score(features, model).rename_axis("customer_id").reset_index().sort_values("customer_id", ignore_index=True)


def earlier_model(folder: Path | None) -> tuple[Model | None, str]:
    """The model that an earlier run saved, or None; and why it cannot be read, where it is damaged."""
    path = folder / MODEL if folder else None
    try:
        return (load_model(path) if path and path.is_file() else None), ""
    except DataError as error:
        return None, str(error).replace(str(path), f"{folder.name}/{MODEL}")


def why_not_then(model: Model | None) -> str:
    """Why today's groups are compared with none of an earlier date."""
    if model is None:
        return "There are no groups by habit to compare."
    return "At the earlier date there were too few customers, or a habit could not be told apart from chance then."


def keep_names(found: Model | None, old: Model | None) -> tuple[Model | None, list[str]]:
    """The groups found now, under the names of the earlier audit where they are the same; what is to be told of it."""
    if found is None or old is None:
        return found, []
    if why := why_no_match(found, old):
        return found, [f"The groups have new names: {why}."]
    return carry_names(found, old), [f"Groups that the audit of {old.as_of} found too keep their names."]


def other_model(
    model: Model | None, old: Model | None, features: pd.DataFrame, *, listed: pd.DataFrame, as_of: date
) -> Model | None:
    """What today's groups are compared with: the earlier audit's, or, where there is none on the same features, as many
    groups of the customers as they were at `as_of`. From: as `found_then`."""
    if model is None:
        return None
    if old is not None and not why_no_match(model, old):
        return old
    return found_then(features, model, listed=listed, as_of=as_of)


def found_then(features: pd.DataFrame, model: Model, *, listed: pd.DataFrame, as_of: date) -> Model | None:
    """The groups that as many clusters in the same features give at an earlier date; whether they were real then is
    not asked.

    From: the features of that date, indexed by customer_id; the model of today. To: a model; None where there were too
    few customers, or a feature could not serve then.
    """
    again = features[features["orders"] >= LEAST_ORDERS]
    chosen = list(dict.fromkeys(s.feature.partition(":")[0] for s in model.scales))
    scales, _ = fit_scales(again, chosen=chosen, listed=listed)
    clear = again[set_aside(again, scales) == ""] if scales else again[:0]
    if len(clear) < LEAST_CUSTOMERS or {s.feature for s in scales} != {s.feature for s in model.scales}:
        return None
    return fit_model(
        again, scale(clear, scales), scales, k=len(model.names), listed=listed, as_of=as_of, seed=model.seed
    )


def matched(model: Model, other: Model) -> pd.DataFrame:
    """Which group of today is which of the other model, for readers: group, then, customers, customers_then, reading.

    Groups of today first, in their order; `then` and `customers_then` are empty where there was none like it, and the
    other way round.
    """
    sizes, before = dict(zip(model.names, model.sizes, strict=True)), dict(zip(other.names, other.sizes, strict=True))
    pairs = match(model, other)
    reading = [
        "the same group" if row.new and row.old else ("new" if row.new else "no longer found")
        for row in pairs.itertuples()
    ]
    return pd.DataFrame(
        {
            "group": pairs["new"],
            "then": pairs["old"],
            "customers": pairs["new"].map(sizes),
            "customers_then": pairs["old"].map(before),
            "distance": pairs["distance"],
            "margin": pairs["margin"],
            "reading": reading,
        }
    )


def in_words(pairs: pd.DataFrame, *, other: Model, audited: bool) -> str:
    """How many groups were found at the other date too. From: `matched`; whether the other model is an audit's."""
    ours = pairs[pairs["group"].notna()]
    same = int((ours["reading"] == "the same group").sum())
    when = (
        f"in the audit of {other.as_of}"
        if audited
        else f"among the customers as they were on {other.as_of}, cut into as many by the same habits,"
    )
    if same == len(ours):
        return f"All {same} groups were found {when} too."
    lost = ", ".join(f"“{name}”" for name in ours.loc[ours["reading"] == "new", "group"])
    return f"{same} of {len(ours)} groups were found {when} too; not {lost}."


def channels(features: pd.DataFrame) -> list[str]:
    """The channels that have a column, for `features.read_features` at another date."""
    return [column.partition(":")[2] for column in features.columns if column.startswith("channel:")]


def groups_then(folder: Path | None, features: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Who was in which group at the earlier date: customer_id, group.

    From: the earlier audit's folder, or None; the features of the earlier date, indexed by customer_id. Where the audit
    kept its groups and knew this model's names, it is taken at its word; else today's model places the customers as
    they were then, so that who moved, moved, and not the borders.
    """
    path = folder / GROUPS if folder else None
    if path and path.is_file():
        kept = read_table(path, texts=["customer_id", "group"])
        if set(kept["group"]) & set(model.names):
            return kept
    wanted = {"orders", *(s.feature for s in model.scales), *(s.of for s in model.scales if s.of)}
    # what nobody had then (no times of the day in the export) is unknown: such customers are "Not placed"
    features = features.reindex(columns=[*features.columns, *sorted(wanted - set(features.columns))])
    return plan_groups(features, model, tier=pd.DataFrame())


def top_group_finding(sizes: pd.DataFrame, model: Model | None) -> list[Finding]:
    """segments.top_group_share: what the group by habit brings that brings most. From: `group_table.group_table`.

    None where the plan is made for tiers (segments.great_share tells of those), or the group is withheld.
    """
    rows = sizes[sizes["group"].isin(model.names)] if model else sizes[:0]
    rows = rows.dropna(subset=["low"]).sort_values("share_of_revenue", ascending=False, kind="stable")
    found = []
    for row in rows.head(1).itertuples():
        name = clean_text(row.group).replace("{", "{{").replace("}", "}}")
        estimate = Estimate(row.share_of_revenue, row.low, row.high, int(row.n), "share", row.level, row.method)
        found.append(
            Finding(
                id="segments.top_group_share",
                claim=f"{len(model.names)} groups by habit are told from data without groups; “{name}”, "
                f"{format_value(row.share_of_customers, 'share')} of the customers, bring {{value}} of what all spent "
                "({interval}).",
                estimate=estimate,
                label="Share of revenue from the strongest group by habit",
                higher_is_better=False,  # the more hangs on one group, the more is lost with it
                evidence=("group_sizes",),
                action="Make a plan of its own for this group; see its card among the personas.",
            )
        )
    return found
