"""Product, interaction or WOW: which strategy the gaps and the client's own means speak for, and what it risks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.findings import Finding
from cxkit.group_table import legend_below, nothing_to_show
from cxkit.same_thing import split_ids
from cxkit.style import GREY, INK, LIGHT, clean_text, folded_text, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRODUCT, INTERACTION, WOW, EARLY = "product", "interaction", "WOW", "too early to say"
COSTLY = "personas.costs."
GOODS = ("product",)
CONTACT = ("positioning", "site", "support", "logistics")
NEITHER = ("relations", "company")  # whether goods or contacts cause them nobody knows
CONTACT_YEARS = 2  # S0: tone and skills change within one to two years
SPHERES = {PRODUCT: GOODS, INTERACTION: CONTACT, WOW: (*GOODS, *CONTACT)}
OF_PAGE = "the items of this page"
WHETHER = "Whether these are the ones whom the shop does not want to serve at any price is not known."
NOTHING_PRESSES = "Nothing presses in what it changes."
OURS, FILL_IN = "cxkit", "client.yml, strategy:"
MEANING = {
    PRODUCT: "Product strategy: better goods than competitors have, in quality, price and use.",
    INTERACTION: "Interaction strategy: deal better with customers, before, at and after the order; the goods stay.",
    WOW: "WOW strategy: the goods and how customers are dealt with together exceed what they expect.",
    EARLY: "Too early to say which strategy fits.",
}
HORIZON = {
    PRODUCT: "A product strategy takes years; the source's example took twelve.",
    INTERACTION: "Tone and skills of those who deal with customers change within one to two years (S0, not verified).",
    WOW: "WOW rests on both others, so it takes as long as the slower of them, and is kept up for good.",
}
RISK = {
    PRODUCT: "Who looks at the goods alone may lose touch with those who buy them: keep measuring what they say.",
    INTERACTION: "Who looks at contacts with customers alone may miss that the goods get worse, or follow every answer "
    "and forget what the shop stands for: keep returns and what is said of the goods in sight.",
    WOW: "It is the hardest to reach, and what exceeded expectations once is expected the next time.",
}
SIZES = {
    "small": "a small or new shop wins most at the early touches: site, ways of contact, how those who answer speak.",
    "medium": "a shop of medium size wins most by keeping customers: programmes, offers, regular letters.",
    "large": "a large, known shop's small flaws are covered by its name; that does not mend them.",
}
CONTROL = {
    "none": "the goods cannot be changed by the shop",
    "partly": "the goods are partly in the shop's hands",
    "full": "the goods are wholly in the shop's hands",
}
GAPS = ("sphere", "name", "weaknesses", "pressing", "strengths", "opportunities", "threats", "stake", "worst")
ASPECTS = ("aspect", "text", "source", "heading")
HERE, NEITHER_SIDE = "What it means here", "Counts for neither side"
HEADINGS = {
    True: "What it means here: what presses, and what is done first",
    False: "What it asks for, and what it risks",
}


def gaps(items: pd.DataFrame, *, spheres: Mapping[str, str]) -> pd.DataFrame:
    """What stands in each sphere, in the order of `spheres` (key -> name); those of no item have zeros.

    From: `triage.triage` of the items (quadrant, sphere, stake, pressing, impact, statement). To: sphere, name,
    weaknesses, pressing (those that are sure and great enough for now), strengths, opportunities, threats (counts),
    stake (the largest of a weakness there; stakes overlap and are not added up), worst (the statement of the weakness
    with the largest impact, then stake).
    """
    rows = []
    for sphere, name in spheres.items():
        here = items[items["sphere"] == sphere]
        weak = here[here["quadrant"] == "weakness"]
        ranked = weak.sort_values(["pressing", "impact", "stake", "item"], ascending=[False, False, False, True])
        rows.append(
            {
                "sphere": sphere,
                "name": name,
                "weaknesses": len(weak),
                "pressing": int(weak["pressing"].sum()),
                "strengths": int((here["quadrant"] == "strength").sum()),
                "opportunities": int((here["quadrant"] == "opportunity").sum()),
                "threats": int((here["quadrant"] == "threat").sum()),
                "stake": weak["stake"].max(),
                "worst": ranked["statement"].iloc[0] if len(weak) else "",
            }
        )
    return pd.DataFrame(rows, columns=list(GAPS))


def choose(found: pd.DataFrame, *, control: str | None, horizon: float | None = None) -> tuple[str, list[str]]:
    """The strategy that the gaps speak for (product, interaction, WOW, or too early to say), and the reasons.

    From: `gaps`; `control` over the goods (none, partly, full; None: not stated) and the `horizon` in years, as
    client.yml states them. The rule, ours after S0 (relations with customers count for
    neither side): without control, or with more that presses in the dealings than in
    the goods, interaction; with full control and more that presses in the goods, product, if there is time for it;
    with part of it, product only where nothing presses in the dealings; WOW where nothing presses and both have a
    strength. Else it is too early to say.
    Source: S0 names the three strategies and whom each suits.
    """
    goods, contact = (found[found["sphere"].isin(names)] for names in (GOODS, CONTACT))
    product, dealings = int(goods["pressing"].sum()), int(contact["pressing"].sum())
    told = [
        _pressing_in_words(goods, "in goods and assortment"),
        _pressing_in_words(contact, "in how customers are dealt with"),
    ]
    counted = int(found[["weaknesses", "strengths"]].to_numpy().sum())
    if control is None:
        why = "How far the goods are in the shop's hands is not stated (product_control in client.yml)."
        return EARLY, [why, *told]
    hands = f"By client.yml {CONTROL[control]}."
    if not counted:
        return EARLY, [hands, "Neither a strength nor a weakness is known yet."]
    if control == "none":
        return INTERACTION, [f"{hands} What is left to it is how it deals with customers.", *told]
    if not product and not dealings:
        if goods["strengths"].sum() and contact["strengths"].sum():
            return WOW, [
                hands,
                "Nothing presses, and both the goods and how customers are dealt with have strengths to build on.",
                *told,
            ]
        return EARLY, [
            hands,
            "Nothing presses, and it is not shown that both the goods and how customers are dealt with are strong.",
            *told,
        ]
    short = horizon is not None and horizon <= CONTACT_YEARS
    if control == "full" and product > dealings and not short:
        return PRODUCT, [hands, *told, "More presses in the goods than in how customers are dealt with."]
    if control == "partly" and product and not dealings:
        return PRODUCT, [hands, *told, "Nothing presses in how customers are dealt with."]
    reasons = [hands, *told]
    if product > dealings:
        late = f"within the stated {_years(horizon)} a product strategy does not show" if short else (
            "a better product is only partly the shop's to make")  # fmt: skip
        reasons.append(f"More presses in the goods, but {late}: begin with how customers are dealt with.")
    return INTERACTION, reasons


def told(
    chosen: tuple[str, list[str]],
    found: pd.DataFrame,
    *,
    settings: Mapping[str, object],
    size: str | None = None,
    items: pd.DataFrame | None = None,
    planned: pd.DataFrame | None = None,
    costly: str = "",
    revenue: float = float("nan"),
    currency: str = "",
) -> pd.DataFrame:
    """What the strategy asks for and risks: aspect, text, source (S0 …, client.yml, the data), heading (of the table).

    From: `choose`; `gaps`; the client's `strategy` settings and company `size`; the items (`triage.triage`) and the
    plan (`roadmap.plan`), so that each pressing weakness stands with its first action and quarter; `costly`: what the
    data say of the group that costs most to serve (a finding's sentence, or nothing); `revenue` of a year. What is not
    filled in is asked for by its key. Aspects: what it means here, what counts for neither side, horizon, what speaks
    against it, risk, customers at any price, who costs most to serve, exceptional gestures, budget, company size, what
    comes after; `in_words` tells the strategy itself and its reasons.
    """
    strategy, rows = chosen[0], []
    if strategy != EARLY:
        rows += [(HERE, text, OF_PAGE) for text in _means(SPHERES[strategy], items, planned)]
        rows += [(NEITHER_SIDE, text, OF_PAGE) for text in _means(NEITHER, items, planned, none="")]
        rows += [("Horizon", _horizon(strategy, settings.get("horizon_years")), "S0; client.yml")]
        rows += [("What speaks against it", text, OF_PAGE) for text in _against(strategy, found)]
        rows += [("Risk", RISK[strategy], "S0")]
    rows += [("Customers at any price?", _customers(settings.get("not_customers")), "S2d, S4; client.yml")]
    if costly:
        rows += [("Who costs most to serve", f"{clean_text(costly)} {WHETHER}", "the data")]
    gestures = _gestures(settings.get("gesture_budget"), revenue, currency)
    rows += [("Exceptional gestures", gestures, "S2d; client.yml")]
    rows += [("Budget", _budget(settings.get("budget"), revenue, currency), "client.yml")]
    rows += [
        (
            "Company size",
            f"S2c says, not verified: {SIZES[size]}" if size else "Not stated: company_size in client.yml.",
            "S2c; client.yml",
        )
    ]
    if strategy in (INTERACTION, PRODUCT):
        after = (
            "When nothing presses any more, neither in the goods nor in how customers are dealt with, WOW can "
            "be thought of, not before."
        )
        rows += [("What comes after", after, "S0")]
    headed = [(*row, HEADINGS[row[0] in (HERE, NEITHER_SIDE)]) for row in rows]
    return pd.DataFrame(headed, columns=list(ASPECTS))


def in_words(chosen: tuple[str, list[str]]) -> str:
    """The strategy and the reasons for it. From: `choose`."""
    strategy, reasons = chosen
    return f"{MEANING[strategy]} {' '.join(reasons)}"


def costly_sentence(findings: Sequence[Finding]) -> str:
    """What the data say of the groups that cost more to serve than the others; empty where none does for certain."""
    costly = [f for f in findings if f.id.startswith(COSTLY) and f.quadrant() == "weakness"]
    return costly[0].sentence() if costly else ""


def plot_gaps(found: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`gaps`: weaknesses to the left (pressing ones dark), strengths to the right, a row a sphere.

    The client's colour stands for neither: a green bar would be read as good."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax = plt.subplots(figsize=(7.2, 0.5 * max(len(found), 1) + 1.6))[1] if ax is None else ax
    if not len(found) or not found[["weaknesses", "strengths"]].to_numpy().sum():
        nothing_to_show(ax)
        return ax
    place = np.arange(len(found))
    pressing, others = found["pressing"], found["weaknesses"] - found["pressing"]
    ax.barh(place, -pressing, color=INK, label="weaknesses that press")
    ax.barh(
        place,
        -others,
        left=-pressing,
        facecolor="white",
        edgecolor=INK,
        hatch="//",
        linewidth=0.6,
        label="other weaknesses",
    )
    ax.barh(place, found["strengths"], color=LIGHT, edgecolor=GREY, linewidth=0.6, label="strengths")
    ax.axvline(0, color=INK, linewidth=0.9)
    for y, row in zip(place, found.itertuples(), strict=True):
        for x, count, side in ((-row.weaknesses, row.weaknesses, "right"), (row.strengths, row.strengths, "left")):
            if count:
                ax.annotate(str(count), (x, y), xytext=(-4 if side == "right" else 4, 0), ha=side, va="center",
                            textcoords="offset points")  # fmt: skip
        if not row.weaknesses + row.strengths:
            ax.annotate("none known", (0, y), xytext=(6, 0), textcoords="offset points", va="center", color=GREY)
    ax.set_yticks(place, [folded_text(name) for name in found["name"]])
    ax.tick_params(axis="y", length=0)
    widest = max(int(found[["weaknesses", "strengths"]].to_numpy().max()), 1) * 1.15
    ax.set(ylim=(len(found) - 0.4, -0.6), xlim=(-widest, widest), xlabel="Number of items")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(x):g}"))
    ax.set_title("Weaknesses and strengths by sphere")
    legend_below(ax)
    return ax


def describe_gaps(found: pd.DataFrame) -> str:
    """What `plot_gaps` shows, for those who cannot see it."""
    parts = [
        f"{clean_text(row['name'])}: weaknesses {row['weaknesses']}, of them pressing {row['pressing']}, "
        f"strengths {row['strengths']}"
        for row in found.to_dict("records")
    ]
    return f"Weaknesses and strengths by sphere. {'; '.join(parts)}."


def _pressing_in_words(part: pd.DataFrame, where: str) -> str:
    pressing, weak = int(part["pressing"].sum()), int(part["weaknesses"].sum())
    if not weak:
        return f"No weakness is known {where}."
    named = "; ".join(part.loc[part["pressing"] > 0, "name"])
    many = f"Of {weak} weaknesses {where} {pressing or 'none'}" if weak > 1 else f"The one weakness {where}"
    verb = ("press" if pressing > 1 else "presses") if weak > 1 or pressing else "does not press"
    return f"{many} {verb}{f' ({named})' * bool(named)}."


def _horizon(strategy: str, years: object) -> str:
    stated = (
        f" The stated horizon is {_years(years)}." if years else " How long there is, is not stated (horizon_years)."
    )
    late = strategy in (PRODUCT, WOW) and bool(years) and float(years) <= CONTACT_YEARS
    return HORIZON[strategy] + stated + (" That is too short to see it through." if late else "")


def _years(years: object) -> str:
    return f"{float(years):g} year{'' if float(years) == 1 else 's'}"


def _against(strategy: str, found: pd.DataFrame) -> list[str]:
    """The pressing weaknesses that the strategy does not touch, or that the choice does not even weigh."""
    names = {PRODUCT: CONTACT, INTERACTION: GOODS}.get(strategy, ())
    left = found[found["sphere"].isin((*names, *NEITHER)) & (found["pressing"] > 0)]
    texts = [
        f"{row['name']} has {row['pressing']} pressing weakness{'es' if row['pressing'] > 1 else ''} that "
        f"{'this choice neither touches nor weighs' if row['sphere'] in NEITHER else 'it does not touch'}: "
        f"{'the worst is ' if row['pressing'] > 1 else ''}“{clean_text(row['worst']).rstrip('.')}”."
        for row in left.to_dict("records")
    ]
    return texts or ["No pressing weakness lies outside it."]


def _customers(not_customers: object) -> str:
    rule = "Putting customers first does not mean to be right by everybody at any price."
    who = f"Not served at any price are: {clean_text(not_customers)}." if not_customers else (
        "Who is not a customer of the shop is still to be said (not_customers).")  # fmt: skip
    return f"{rule} {who}"


def _means(
    spheres: Sequence[str], items: pd.DataFrame | None, planned: pd.DataFrame | None, *, none: str = NOTHING_PRESSES
) -> list[str]:
    """The pressing weaknesses of some spheres, the weightiest first, each with its first action and when."""
    if items is None:
        return []
    mine = items[items["pressing"].astype(bool) & items["sphere"].isin(spheres)]
    mine = mine.sort_values(["impact", "stake", "item"], ascending=[False, False, True])
    told = [f"{clean_text(row.statement).rstrip('.')}. {_first_action(row.item, planned)}" for row in mine.itertuples()]
    return told or [none] * bool(none)


def _first_action(item: str, planned: pd.DataFrame | None) -> str:
    """What is done first about an item, and by when. The plan is in order already."""
    if planned is not None:
        for row in planned[planned["quarter"] != ""].itertuples():
            if item in split_ids(row.items):
                return f"To do: {clean_text(row.action).rstrip('.')} ({row.triage}, by {row.by})."
    return "No action is named for it yet."


def _gestures(budget: object, revenue: float, currency: str) -> str:
    if budget is None:
        return "No budget is stated (gesture_budget): without one a gesture that should be rare becomes a running loss."
    if not budget:
        return "None: the budget stated is nothing."
    return (f"At most {_money(budget, revenue, currency)}. Gestures are rare and told; work that loses money every "
            "day ruins a firm.")  # fmt: skip


def _budget(budget: object, revenue: float, currency: str) -> str:
    return "Not stated (budget): what the actions may cost a year." if budget is None else (
        f"{_money(budget, revenue, currency)} for all actions of the plan.")  # fmt: skip


def _money(amount: object, revenue: float, currency: str) -> str:
    share = f", {format_value(float(amount) / revenue, 'share')} of a year's revenue" if revenue > 0 else ""
    return f"{format_value(float(amount), 'money', currency)} a year{share}"
