"""What stands out in each group: categories, channels, payment, delivery and times, against all other customers."""

from datetime import date
from textwrap import fill, wrap
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.buyers import NEEDED
from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.heatmap import PALE
from cxkit.privacy import LEAST_SHOWN, withhold_small
from cxkit.share_ratios import both_sides, share_ratios
from cxkit.style import GREY, INK, LIGHT, clean_text, contrast, format_value, plain_text
from cxkit.tables import counted_lines, order_totals
from cxkit.times import instant, local_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# aspect -> its column of orders, and how a group with more of it is told
ASPECTS = {
    "category": ("category", "buys {}"),
    "channel": ("channel", "orders by {}"),
    "payment": ("payment", "pays by {}"),
    "delivery": ("delivery", "delivery by {}"),
    "part of day": ("", "orders {}"),
    "weekday": ("", "orders on a {}"),
}
OTHER_ASPECT = ("", "is about {}")  # reasons of contacts, topics
WHEN = {"morning": "in the morning", "afternoon": "in the afternoon", "evening": "in the evening", "night": "at night"}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
IN_ORDER, TIMES = (*WHEN, *WEEKDAYS), ("part of day", "weekday")  # all else stands by how common it is
OTHER = "other values"  # the rare ones together
MORE, LESS, ALIKE = "more", "less", "not told apart"
NOT_KNOWN, WITHHELD = "not known", "withheld"
METHOD = "ratio from Jeffreys' intervals over customers; all hold together (Holm)"
FEW = f"withheld: fewer than {LEAST_SHOWN} customers in the group, or in one that could be worked out from it"
COLUMNS = (
    "group", "aspect", "value", "orders", "of", "customers", "share", "others", "lift", "low", "high", "level", "n",
    "method", "family", "reading",
)  # fmt: skip


def order_traits(orders: Table, *, as_of: date, zone: str) -> Table:
    """What each counted order was: its categories, channel, payment, delivery, part of the day and weekday.

    From: orders (lines); `zone`: the client's time zone. To, one row an order and distinct value: customer_id,
    order_id, aspect, value. The part of the day is local: morning from 6, afternoon from 12, evening from 18, night
    from 22; an order is placed when its first line is.
    What is left out: what no customer is known of, orders after `as_of`, values that are missing, return-only lines;
    an aspect whose column the orders lack; the part of the day of orders at midnight to the second, since exports that
    hold a day and no time stand there.
    """
    totals = order_totals(orders.select([c for c in NEEDED if c in orders.columns]))
    totals = totals.filter(totals.customer_id.notnull(), totals.ordered_on <= ibis.literal(as_of))
    lines = counted_lines(orders)
    lines = lines.filter(lines.is_sale)
    owners = totals.select("order_id", "customer_id")
    parts = []
    for aspect, (column, _) in ASPECTS.items():
        if column in lines.columns:
            held = lines.filter(lines[column].notnull()).select("order_id", value=lines[column].cast("string"))
            parts.append((aspect, held.distinct().join(owners, "order_id")))
    local = local_time(instant(totals.ordered_at, zone="UTC"), zone=zone)
    hour = local.hour()
    part = ibis.cases((hour < 6, "night"), (hour < 12, "morning"), (hour < 18, "afternoon"), (hour < 22, "evening"),
                      else_="night")  # fmt: skip
    parts.append(("part of day", totals.mutate(value=part).filter(local != local.truncate("D"))))
    day = totals.ordered_on.day_of_week.index()
    names = ibis.cases(*((day == number, name) for number, name in enumerate(WEEKDAYS)))
    parts.append(("weekday", totals.mutate(value=names)))
    shaped = [
        part.select("customer_id", "order_id", aspect=ibis.literal(aspect), value="value") for aspect, part in parts
    ]
    return ibis.union(*shaped)


def trait_lifts(traits: Table, groups: pd.DataFrame, *, level: float = 0.95, most_values: int = 12) -> pd.DataFrame:
    """How much more or less often a value stands in a group's orders than in those of all other groups.

    From: `order_traits`, or any traits of their shape (reasons of contacts: the contact in place of the order); groups:
    customer_id, group (a customer in one group; whoever is in none is left out).
    To, one row a group, aspect and value: group, aspect, value, orders (the group's with that value), of (its orders of
    which the aspect is known), customers (who placed them), share (orders / of), others (the same share of all other
    groups together), lift (share / others - 1), low, high, level (of this interval), n (customers of both sides),
    method, family (how many comparisons hold together), reading (more, less, not told apart; not known where a side has
    no orders; withheld). Groups stand by size, aspects in the order of `ASPECTS`, values by how common they are.
    All rows are one family: their readings hold together at `level` (Holm), and an interval excludes 0 exactly where
    the reading is more or less. Of two groups the second's lift is the first's turned round: one comparison.
    An aspect has at most `most_values` values; rarer ones, and those of fewer than five customers, are "other values".
    Customers are the units, since one customer's orders are alike (`share_ratios`).
    What is left out: the numbers of groups under five customers, and of the next smallest, so that nobody subtracts.
    What it cannot show: what the group's customers want; they choose among what they are offered.
    Source: the question is S1's; the sources of the intervals stand at `share_ratios`.
    Raises UsageError where groups lack a column or hold a customer twice, and on settings that make no sense.
    """
    if most_values < 2:
        raise UsageError(f"most_values must be at least 2; found {most_values}.")
    members = _members(groups)
    sizes = members.groupby("group").size().rename("size").reset_index()
    names = list(sizes.sort_values(["size", "group"], ascending=[False, True])["group"])
    of, counts = _counts(traits, members, names, most_values)
    if counts.empty or len(names) < 2:
        return pd.DataFrame(columns=COLUMNS)
    frames = []
    for aspect, part in of.groupby("aspect"):
        frames += _aspect_sides(part, counts[counts["aspect"] == aspect], names)
    cells = pd.concat(frames, ignore_index=True)
    cells["rank"] = cells["group"].map({name: i for i, name in enumerate(names)})
    cells = cells.sort_values(["rank", "place"], ignore_index=True)
    hidden = _hidden(cells)
    once = cells["place"] if len(names) == 2 else cells.index.to_series()
    found = share_ratios(cells, judged=~hidden.to_numpy(), once=once.to_numpy(), level=level)
    cells = cells.assign(lift=found["ratio"] - 1, low=found["low"] - 1, high=found["high"] - 1, level=found["level"])
    cells["n"] = (cells["people"] + cells["rest_people"]).astype("int64")
    readings = [hidden, cells["low"].isna(), cells["low"] > 0, cells["high"] < 0]
    cells["reading"] = np.select(readings, [WITHHELD, NOT_KNOWN, MORE, LESS], ALIKE)
    cells["method"] = np.where(hidden, FEW, METHOD)
    for name in ("orders", "of", "customers"):
        cells[name] = cells[name].astype("Int64")
    told = ["orders", "of", "customers", "share", "others"]
    cells[told] = cells[told].mask(hidden)
    return cells.assign(family=found["family"])[list(COLUMNS)]


def _members(groups: pd.DataFrame) -> pd.DataFrame:
    if missing := [name for name in ("customer_id", "group") if name not in groups]:
        found = ", ".join(map(str, groups.columns)) or "no column"
        raise UsageError(f"groups lacks {', '.join(missing)}; it has {found}. It needs customer_id and group.")
    known = groups.dropna(subset=["customer_id", "group"])[["customer_id", "group"]].astype(str).astype(object)
    if known["customer_id"].duplicated().any():
        twice = known.loc[known["customer_id"].duplicated(), "customer_id"]
        raise UsageError(
            f"a customer is in one group; {twice.nunique():,} stand there twice, one is {twice.iloc[0]!r}."
        )
    return known


def _told_apart(counted: pd.DataFrame, most: int) -> pd.DataFrame:
    """Under which name each value is told (the commonest of an aspect under their own), and its place in the table."""
    ranked = counted.sort_values(["orders", "value"], ascending=[False, True])
    rank = ranked.groupby("aspect").cumcount()
    many = ranked["aspect"].map(ranked.groupby("aspect").size()) > most
    own = (rank < np.where(many, most - 1, most)) & (ranked["customers"] >= LEAST_SHOWN)
    order = (
        ranked["value"].map({value: i for i, value in enumerate(IN_ORDER)}).where(ranked["aspect"].isin(TIMES), rank)
    )
    ranked = ranked.assign(told=ranked["value"].where(own, OTHER), order=order.where(own, np.inf))
    ranked = ranked.sort_values("order", kind="stable")
    aspects = [*ASPECTS, *sorted(set(ranked["aspect"]) - set(ASPECTS))]
    aspect = ranked["aspect"].map({aspect: i for i, aspect in enumerate(aspects)})
    ranked["place"] = ranked.groupby([aspect, ranked["order"]]).ngroup()
    return ranked[["aspect", "value", "told", "place"]].reset_index(drop=True)


def _counts(traits: Table, members: pd.DataFrame, names: list[str], most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of equal customers, which hold all that follows and are few however many customers there are.

    To: c customers of a group with n orders of which the aspect is known (aspect, group, n, c); and those of them with
    x of these orders that hold a value (place, aspect, value, group, n, x, c).
    """
    number = members["group"].map({name: i for i, name in enumerate(names)})
    numbered = members.assign(member=np.arange(len(members)), group=number)
    known = ibis.memtable(numbered, schema={"customer_id": "string", "group": "int16", "member": "int32"})
    rows = traits.join(known, "customer_id")
    # numbers in place of texts: of millions of customers this is the largest table that there is
    rows = rows.select("member", "group", "aspect", "value", order=rows.order_id.hash()).cache()
    found = rows.group_by("aspect", "value").aggregate(orders=rows.count(), customers=rows.member.nunique())
    values = _told_apart(collect(found, order_by=["aspect", "value"]), most)
    told = ibis.memtable(values, schema={"aspect": "string", "value": "string", "told": "string", "place": "int32"})
    rows = rows.join(told, ["aspect", "value"]).select("member", "group", "aspect", "place", "order")
    known = rows.select("member", "group", "aspect", "order").distinct()
    everybody = known.group_by("member", "group", "aspect").aggregate(n=known.count())
    rows = rows.distinct()
    held = rows.group_by("member", "aspect", "place").aggregate(x=rows.count()).join(everybody, ["member", "aspect"])
    of = everybody.group_by("aspect", "group", "n").aggregate(c=everybody.count())
    counts = held.group_by("aspect", "place", "group", "n", "x").aggregate(c=held.count())
    counts = collect(counts, order_by=["place", "group", "n", "x"])
    names_of = values.drop_duplicates("place").set_index("place")["told"]
    return collect(of, order_by=["aspect", "group", "n"]), counts.assign(value=counts["place"].map(names_of))


def _aspect_sides(of: pd.DataFrame, counts: pd.DataFrame, names: list[str]) -> list[pd.DataFrame]:
    """One aspect's rows of `share_ratios.both_sides`, a frame a value with the groups in it."""
    frames = []
    for (aspect, place, value), found in counts.groupby(["aspect", "place", "value"]):
        met = (
            found.groupby(["group", "n"])["c"].sum().reindex(pd.MultiIndex.from_frame(of[["group", "n"]]), fill_value=0)
        )
        none = of.assign(x=0, c=of["c"] - met.to_numpy())
        cells = pd.concat([found[["group", "n", "x", "c"]], none[none["c"] > 0]]).rename(columns={"group": "g"})
        sides = both_sides(cells.sort_values(["g", "n", "x"]), groups=len(names))
        frames.append(sides.assign(group=names, aspect=aspect, place=place, value=value))
    return frames


def _hidden(cells: pd.DataFrame) -> pd.Series:
    """Which rows are of a group that is withheld: under five customers of whom the aspect is known."""
    sizes = cells.drop_duplicates(["aspect", "group"])[["aspect", "group", "people"]]
    parts = [part.assign(hidden=withhold_small(part, count="people", least=LEAST_SHOWN)["people"].isna())
             for _, part in sizes.groupby("aspect")]  # fmt: skip
    return cells.merge(pd.concat(parts), on=["aspect", "group"], how="left")["hidden"]


def _strength(lifts: pd.DataFrame) -> pd.Series:
    """How far the near end of each interval lies from 0, on the logarithm; 0 where nothing is told apart."""
    with np.errstate(divide="ignore"):
        ends = np.log1p(lifts[["low", "high"]].astype(float)).abs().min(axis=1)
    return ends.where(lifts["reading"].isin([MORE, LESS]), 0.0).round(9)


def _shown(lifts: pd.DataFrame, most_values: int, most_groups: int) -> pd.DataFrame:
    """The rows that a picture shows: the first groups, and the values that stand out most in one of them."""
    rows = lifts[lifts["group"].isin(lifts["group"].drop_duplicates().head(most_groups))]
    rows = rows.assign(strength=_strength(rows))
    best = rows.groupby(["aspect", "value"], sort=False).agg({"strength": "max", "orders": "sum"})
    chosen = best[best["strength"] > 0] if (best["strength"] > 0).any() else best
    kept = chosen.sort_values(["strength", "orders"], ascending=False, kind="stable").head(most_values)
    return rows[pd.MultiIndex.from_frame(rows[["aspect", "value"]]).isin(kept.index)]


def words_table(lifts: pd.DataFrame, *, most: int = 4) -> pd.DataFrame:
    """What stands out for certain in each group, in words: group, words. From: `trait_lifts`."""
    names = list(lifts["group"].drop_duplicates())
    return pd.DataFrame({"group": names, "words": [in_words(lifts, name, most=most) for name in names]})


def plot_profile(
    lifts: pd.DataFrame, *, most_values: int = 30, most_groups: int = 8, ax: "Axes | None" = None
) -> "Axes":
    """Each group's share of orders by value; for certain more than the others' in the accent colour, less in grey.

    From: `trait_lifts`. Drawn are the largest groups and the values that stand out most in one of them; how many are
    not drawn is told below. Where nothing is told apart, the commonest are drawn. Hatched: withheld, or no orders.
    """
    import matplotlib.pyplot as plt

    rows = _shown(lifts, most_values, most_groups)
    groups = list(rows["group"].drop_duplicates())
    lines: list[tuple[str, str | None]] = []
    for aspect, part in rows.groupby("aspect", sort=False):
        lines += [(aspect, None), *((aspect, value) for value in part["value"].drop_duplicates())]
    names, turned = _headings(groups)
    head = 2.0 if turned else 0.2 * max((name.count("\n") + 1 for name in names), default=1)
    ax = plt.subplots(figsize=(7.2, 0.25 * max(len(lines), 3) + head + 1.1))[1] if ax is None else ax
    if rows.empty:
        ax.set(xlim=(0, 1), ylim=(0, 1))
        ax.set_axis_off()
        ax.text(0.5, 0.5, "nothing to show yet", ha="center", va="center", color=GREY)
        return ax
    cells = {(row["group"], row["aspect"], row["value"]): row for row in rows.to_dict("records")}
    for y, (aspect, value) in enumerate(lines):
        for x, group in enumerate(groups if value is not None else []):
            _draw_cell(ax, x, y, cells[group, aspect, value])
    ax.set(xlim=(-0.5, len(groups) - 0.5), ylim=(len(lines) - 0.5, -0.5))
    ax.xaxis.tick_top()
    ax.set_xticks(range(len(groups)), names, rotation=90 if turned else 0, fontsize=9)
    words = [plain_text(_words(value), width=26) if value is not None else aspect for aspect, value in lines]
    ax.set_yticks(range(len(lines)), [f"{word[:1].upper()}{word[1:]}" for word in words], fontsize=9)
    for label, (_, value) in zip(ax.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if value is None else "normal")
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set_title("What each group orders, where and when", pad=12)
    ax.set_xlabel(_foot(lifts, rows), fontsize=9, loc="left")
    return ax


def _headings(groups: list[str]) -> tuple[list[str], bool]:
    """The groups' names for the columns: on lines of their own where the words are short enough, else turned."""
    width = int(5.0 / max(len(groups), 1) * 72 / 6.2)  # characters of 9 pt that a column holds
    level = [wrap(clean_text(group), width, break_long_words=False) for group in groups]
    if all(len(lines) <= 4 and max(map(len, lines), default=0) <= width for lines in level):
        return ["\n".join(plain_text(line) for line in lines) for lines in level], False
    lines = [wrap(clean_text(group), 22, max_lines=2, placeholder="…") for group in groups]
    return ["\n".join(plain_text(line) for line in part) for part in lines], True


def _draw_cell(ax: "Axes", x: int, y: int, row: dict) -> None:
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.patches import Rectangle

    corner = (x - 0.5, y - 0.5)
    if row["reading"] in (WITHHELD, NOT_KNOWN):
        ax.add_patch(Rectangle(corner, 1, 1, facecolor="white", edgecolor=LIGHT, hatch="////", linewidth=0))
        return
    mark, colour = "", PALE
    if row["reading"] in (MORE, LESS):
        mark, dark = ("\u25b2 ", to_hex("C0")) if row["reading"] == MORE else ("\u25bc ", "#b4bac1")
        # four times as often, or as seldom, for certain is as dark as it gets
        depth = 0.4 + 0.6 * min(row["strength"] / np.log(4), 1.0)
        colour = to_hex(LinearSegmentedColormap.from_list("depth", ["#ffffff", dark])(depth))
    ink = INK if contrast(INK, colour) >= 4.5 else max("#ffffff", "#000000", key=lambda c: contrast(c, colour))
    ax.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", linewidth=1))
    text = mark + format_value(row["share"], "share")
    ax.text(x, y, text, ha="center", va="center", fontsize=9, color=ink if mark else GREY)


def _foot(lifts: pd.DataFrame, rows: pd.DataFrame) -> str:
    certain = lifts.loc[lifts["reading"].isin([MORE, LESS]), ["aspect", "value"]].drop_duplicates()
    left = len(certain) - len(certain.merge(rows[["aspect", "value"]].drop_duplicates()))
    groups = lifts["group"].nunique() - rows["group"].nunique()
    text = "Share of the group's orders. \u25b2 more, \u25bc less often than in the orders of all others, for certain ("
    text += f"{lifts['family'].iloc[0]:,} comparisons hold together)."
    if rows["reading"].isin([WITHHELD, NOT_KNOWN]).any():
        text += f" Hatched: no orders, or withheld (under {LEAST_SHOWN} customers)."
    more = [f"{left} more of the values that stand out"] * (left > 0) + [f"{groups} of the groups"] * (groups > 0)
    return fill(f"{text} Not drawn: {' and '.join(more)}." if more else text, 68)


def _words(value: str) -> str:
    """A value as a reader sees it: `cash_on_delivery` is cash on delivery."""
    return clean_text(value).replace("_", " ")


def describe_profile(lifts: pd.DataFrame, *, most_groups: int = 8) -> str:
    """What `plot_profile` shows, for those who cannot see it: of each group what stands out most."""
    groups = list(lifts["group"].drop_duplicates())
    if not groups:
        return "Nothing to show: there are no two groups with orders to compare."
    parts = [f"{_words(group)}: {in_words(lifts, group, most=2)}" for group in groups[:most_groups]]
    return f"Heat map of the shares of orders by what was ordered, where and when. {'; '.join(parts)}."


def in_words(lifts: pd.DataFrame, group: str, *, most: int = 6) -> str:
    """What stands out for certain in a group, in words: at most `most` values, at most two an aspect, the furthest from
    the others first; where nothing is more, what is less.

    From: `trait_lifts`. Example: orders by app (93 % of orders, others 4.3 %), in the evening (42 %, others 14 %).
    Raises UsageError where no such group is in the table.
    """
    rows = lifts[lifts["group"] == group]
    if rows.empty:
        found = ", ".join(map(repr, lifts["group"].drop_duplicates())) or "none"
        raise UsageError(f"no group {group!r} in the profiles; there are: {found}.")
    if (rows["reading"] == WITHHELD).all():
        return f"withheld, so that nothing is told of under {LEAST_SHOWN} people"
    rows = rows.assign(strength=_strength(rows))
    rows = rows[rows["value"] != OTHER].sort_values("strength", ascending=False, kind="stable")
    for reading, lead in ((MORE, ""), (LESS, "less often than others: ")):
        found = rows[rows["reading"] == reading]
        found = found[found.groupby("aspect").cumcount() < 2].head(most)
        if len(found):
            told, last = [], ""
            for row in found.to_dict("records"):
                verb, rest = ASPECTS.get(row["aspect"], OTHER_ASPECT)[1].split(" ", 1)
                phrase = rest.format(WHEN.get(row["value"], _words(row["value"])))
                share, others = (format_value(row[name], "share") for name in ("share", "others"))
                of = "" if told else " of orders"
                told.append(f"{'' if verb == last else verb + ' '}{phrase} ({share}{of}, others {others})")
                last = verb
            return lead + ", ".join(told)
    return "nothing is told apart from the other groups"
