"""How many go on from step to step, and where they are lost: the funnel over declared steps."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.entries import EVERYBODY, furthest
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, unknown, wilson_ends
from cxkit.findings import Finding
from cxkit.privacy import LEAST_SHOWN
from cxkit.style import GREY, INK, clean_text, format_ends, format_value, plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL = f"groups under {LEAST_SHOWN} people"
NOBODY = "nobody there whose window has ended"


def funnel(
    touches: Table,
    *,
    steps: Sequence[str],
    until: datetime,
    window_hours: float,
    order: str = "loose",
    ties: str = "together",
    again: bool = False,
    by: str | None = None,
    groups: pd.DataFrame | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Of those who come to the first step, how many reach each further one within a window.

    From: `touches.touch_log`; the settings are those of `entries.furthest`, where their meaning stands: who enters,
    again or once, the window, loose or strict order, ties, groups.
    To, one row a group and step: group ("everybody" where none are asked for), step (1, 2, …), touchpoint, entered
    (entries at step 1 whose window has ended), reached, value, low, high (reached as a share of those who reached the
    step before; NaN at the first step), n (how many independent ones that share rests on: those at the step before,
    with `again` the visitors behind them), share_of_entered, share_low, share_high, dropped (reached the step before
    and not this), too_young, effective and effective_entered (what the two intervals rest on after clustering), level,
    method, and the settings order, ties, again, window_hours.
    What is left out wholly: entries whose window ends after `until`, too_young counts them; those who had reached the
    last step by then are left out as well: to keep them alone would flatter. Groups in which fewer than 5 people came
    to the first step are counted together, with the next smallest while they are together fewer.
    Where nobody entered, `reached` is 0 and the shares are NaN, which `method` says.
    Intervals are Wilson's; with `again` Wilson's with the effective n that the visitors' clusters leave (at most the
    entries; the number of visitors where all or none go on).
    Source: the clusters: Cochran (1977), Sampling Techniques, 3rd ed., ch. 6; the effective n: Korn & Graubard (1998),
    Survey Methodology 24(2), 193-201.
    Raises UsageError as `entries.furthest`.
    """
    settings = {"order": order, "ties": ties, "again": again, "window_hours": window_hours}
    entries = furthest(touches, steps=steps, until=until, by=by, groups=groups, **settings)
    counts = _counts(entries, len(steps), again=again)
    return _frame(counts, list(steps), again=again, level=level).assign(
        **settings | {"window_hours": float(window_hours)}
    )


def _counts(entries: Table, size: int, *, again: bool) -> pd.DataFrame:
    """One row a group: young, n_1, n_2, … (entries at each step); with `again` sums over visitors as well."""
    reached = {f"n_{k}": ((entries.ended == 1) & (entries.level >= k)).ifelse(1, 0).sum() for k in range(1, size + 1)}
    keys = ["group", "visitor"] if again else ["group"]
    table = entries.group_by(keys).aggregate(young=(1 - entries.ended).sum(), **reached)
    if again:
        sums = {name: table[name].sum() for name in ("young", *reached)}
        for k in range(1, size + 1):
            own, last = table[f"n_{k}"].cast("float64"), table[f"n_{max(k - 1, 1)}"].cast("float64")
            sums |= {f"square_{k}": (own * own).sum(), f"last_{k}": (own * last).sum()}
            sums |= {f"entered_{k}": (own * table.n_1).sum(), f"people_{k}": (table[f"n_{k}"] > 0).ifelse(1, 0).sum()}
        table = table.group_by("group").aggregate(**sums)
    return collect(table, order_by="group")


def _frame(counts: pd.DataFrame, steps: list[str], *, again: bool, level: float) -> pd.DataFrame:
    if counts.empty:
        empty = dict.fromkeys([c for c in counts.columns if c != "group"], 0)
        counts = pd.DataFrame([{"group": EVERYBODY} | empty])
    counts = _small_together(counts, "people_1" if again else "n_1")
    rows = []
    for k, name in enumerate(steps, 1):
        there, before, entered = (counts[f"n_{j}"].to_numpy(float) for j in (k, max(k - 1, 1), 1))
        people = counts[f"people_{max(k - 1, 1)}"].to_numpy(float) if again else before
        effective, effective_entered = before, entered
        if again:
            own, last = counts[f"square_{k}"], counts[f"last_{k}"]
            effective = _effective(there, before, own, last, counts[f"square_{max(k - 1, 1)}"], people)
            all_people = counts["people_1"].to_numpy(float)
            effective_entered = _effective(there, entered, own, counts[f"entered_{k}"], counts["square_1"], all_people)
        share, low, high = _share(there, before, effective, level) if k > 1 else np.full((3, len(counts)), np.nan)
        of_all = _share(there, entered, effective_entered, level)
        if k == 1:  # all who entered have entered: nothing is estimated
            of_all = np.where(entered > 0, 1.0, np.nan)[None].repeat(3, axis=0)
        method = "Wilson with the visitors' effective n" if again else "Wilson"
        rows.append(
            pd.DataFrame(
                {
                    "group": counts["group"], "step": k, "touchpoint": name, "entered": entered.astype("int64"),
                    "reached": there.astype("int64"), "value": share, "low": low, "high": high,
                    "n": people.astype("int64"), "share_of_entered": of_all[0], "share_low": of_all[1],
                    "share_high": of_all[2], "dropped": (before - there).astype("int64"),
                    "too_young": counts["young"].astype("int64"), "effective": effective,
                    "effective_entered": effective_entered, "level": level,
                    "method": np.where(before > 0, method, NOBODY),
                }
            )
        )  # fmt: skip
    return pd.concat(rows).sort_values(["group", "step"], kind="stable", ignore_index=True)


def _share(part, whole, effective, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
    low, high = wilson_ends(share * effective, effective, level=level)
    return share, np.minimum(low, share), np.maximum(high, share)


def _effective(part, whole, part_sq, cross, whole_sq, people) -> np.ndarray:
    """How many independent ones a share of clustered entries rests on: at most the entries themselves."""
    part_sq, cross, whole_sq = (a.to_numpy(float) for a in (part_sq, cross, whole_sq))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
        error = cluster_error(part_sq, cross, whole_sq, whole, share, people)
        found = np.where(error > 0, share * (1 - share) / np.square(error), people)
    return np.where(people > 1, np.minimum(found, whole), people)


def _small_together(counts: pd.DataFrame, people: str) -> pd.DataFrame:
    """Groups under five people as one, so that nobody can be found in it or by subtraction."""
    size = counts[people].to_numpy()
    small = size < LEAST_SHOWN
    if len(counts) < 2 or not small.any():
        return counts
    for row in np.argsort(size, kind="stable"):
        if size[small].sum() >= LEAST_SHOWN:
            break
        small[row] = True
    joined = counts[small].drop(columns="group").sum().to_frame().T.astype(counts.dtypes.drop("group"))
    rest = counts[~small]
    return pd.concat([rest, joined.assign(group=SMALL)], ignore_index=True)[counts.columns]


def only_group(funnel: pd.DataFrame, group: str = EVERYBODY) -> pd.DataFrame:
    """One group's rows, a row a step. Raises UsageError on a group that the funnel does not hold."""
    rows = funnel[funnel["group"] == group]
    if rows.empty:
        valid = ", ".join(clean_text(g)[:40] for g in funnel["group"].unique()[:10])
        raise UsageError(f"the funnel holds no group {clean_text(group)!r}; it has: {valid}.")
    return rows.sort_values("step", ignore_index=True)


def conversion(funnel: pd.DataFrame, *, group: str = EVERYBODY) -> Estimate:
    """The share of those who came to the first step that reach the last one within the window.

    From: `funnel`. To: Estimate; n counts the entries, or with `again` the visitors behind them.
    Raises UsageError on a group that the funnel does not hold.
    """
    rows = only_group(funnel, group)
    last, n = rows.iloc[-1], int(rows["n"].iloc[0])
    if not last["entered"]:
        return unknown("share", n=0, level=float(last["level"]), method=NOBODY)
    numbers = (float(last[name]) for name in ("share_of_entered", "share_low", "share_high"))
    method = str(rows["method"].iloc[0])
    return Estimate(*numbers, n, "share", float(last["level"]), method)


def conversion_finding(funnel: pd.DataFrame, *, group: str = EVERYBODY) -> Finding:
    """journey.conversion: how many of those who come to the first step reach the last. From: `funnel`."""
    rows = only_group(funnel, group)
    first, last = (f"“{step_name(rows['touchpoint'].iloc[end])}”" for end in (0, -1))
    within, who = window_words(rows["window_hours"].iloc[0]), _who(rows)
    claim = f"{{value}} of {who} at {_braced(first)} reach {_braced(last)} within {within} ({{interval}})."
    action = ""
    if (worst := _worst(rows)) is not None:
        one, other = (f"“{step_name(rows['touchpoint'].iloc[k])}”" for k in (worst - 1, worst))
        action = (
            f"By number most are lost from {one} to {other}; which touchpoints are weak, the list to work on tells."
        )
    return Finding(
        id="journey.conversion",
        claim=claim,
        estimate=conversion(funnel, group=group),
        label=f"{who.capitalize()} at {first} who reach {last} within {within}",
        evidence=("funnel",),
        action=action,
    )


def funnel_sentence(funnel: pd.DataFrame, *, group: str = EVERYBODY) -> str:
    """The funnel in words: how many get to the end, where most are lost, how many are not judged yet."""
    rows = only_group(funnel, group)
    first, last = (step_name(rows["touchpoint"].iloc[end]) for end in (0, -1))
    entered, young = int(rows["entered"].iloc[0]), int(rows["too_young"].iloc[0])
    within = window_words(rows["window_hours"].iloc[0])
    left = (
        f"{_number(young, rows)} {'are' if young > 1 else 'is'} left out: the {within} had not ended with the data."
        if young
        else ""
    )
    if not entered:
        return f"Nobody came to {first} whose {within} had ended with the data. {left}".strip()
    e = conversion(funnel, group=group)
    reach = f"{format_value(e.value, 'share')} ({format_ends(e.low, e.high, 'share')}) reach {last}"
    texts = [f"Of {_number(entered, rows)} at {first}, {reach} within {within}."]
    if (worst := _worst(rows)) is not None:
        one, other = (step_name(rows["touchpoint"].iloc[k]) for k in (worst - 1, worst))
        row = rows.iloc[worst]
        before, lost = int(row["reached"] + row["dropped"]), 1 - row["value"]
        ends = format_ends(1 - row["high"], 1 - row["low"], "share")
        texts.append(
            f"Most are lost between {one} and {other}: {int(row['dropped']):,} of {before:,} do not go on "
            f"({format_value(lost, 'share')}, {ends})."
        )
    return " ".join([*texts, left]).strip()


def step_name(touchpoint: str) -> str:
    """A touchpoint as a reader sees it: `payment_page` is payment page; at most 40 characters."""
    text = clean_text(touchpoint).replace("_", " ")
    return text if len(text) <= 40 else text[:39].rstrip() + "…"


def window_words(hours: float) -> str:
    """A window in the unit that suits it: `30 minutes`, `1 hour`, `36 hours`, `7 days`."""
    for size, unit in ((24.0, "day"), (1.0, "hour"), (1 / 60, "minute"), (1 / 3600, "second")):
        number = round(hours / size, 6)
        if number >= 1 and (number == int(number) or unit == "second"):
            return f"{number:,.6g} {unit}{'' if number == 1 else 's'}"
    return f"{hours * 3600:.6g} seconds"


def _braced(name: str) -> str:
    """A name from data inside a claim, whose braces are places."""
    return name.replace("{", "{{").replace("}", "}}")


def _who(rows: pd.DataFrame) -> str:
    return "entries" if rows["again"].iloc[0] else "visitors"


def _number(number: int, rows: pd.DataFrame) -> str:
    """`1 visitor`, `2,310 visitors`, `12 entries`."""
    if number == 1:
        return "1 entry" if rows["again"].iloc[0] else "1 visitor"
    return f"{number:,} {_who(rows)}"


def _worst(rows: pd.DataFrame) -> int | None:
    """The place of the step before which most are lost (the first of equals); None where nobody is."""
    dropped = rows["dropped"].to_numpy()
    return int(dropped.argmax()) if dropped.max() > 0 else None


def plot_funnel(funnel: pd.DataFrame, *, group: str = EVERYBODY, ax: "Axes | None" = None) -> "Axes":
    """One group's steps as bars with intervals, in order, as shares of those who entered; between them the loss.

    From: `funnel`. The greatest loss is told in ink, the others in grey. Several groups: `funnel_groups.plot_groups`.
    """
    import matplotlib.pyplot as plt

    rows = only_group(funnel, group)
    ax = plt.subplots(figsize=(7.2, 0.66 * len(rows) + 1.3))[1] if ax is None else ax
    entered, worst = int(rows["entered"].iloc[0]), _worst(rows)
    place, share = np.arange(len(rows)), rows["share_of_entered"].fillna(0.0).to_numpy()
    high = np.fmax(share, rows["share_high"].to_numpy())
    ax.barh(place, share, height=0.46, color="C0")
    for colour, width in (("white", 3.6), (INK, 1.4)):  # the white edge shows the line inside the bar as well
        ax.hlines(place[1:], rows["share_low"][1:], rows["share_high"][1:], color=colour, linewidth=width)
    for y, row in zip(place, rows.itertuples(), strict=True):
        text = f"{format_value(row.share_of_entered, 'share')}  ({row.reached:,})" if entered else "nobody yet"
        ax.annotate(text, (high[y], y), (7, 0), textcoords="offset points", va="center", color=INK if entered else GREY)
        if y and row.dropped:
            lost = f"{row.dropped:,} do not go on ({format_value(1 - row.value, 'share')})"
            most = y == worst
            ax.annotate(
                f"▸ most are lost here: {lost}" if most else lost, (0, y - 0.5), (4, 0), textcoords="offset points",
                va="center", fontsize=9, color=INK if most else GREY, fontweight="bold" if most else "normal",
            )  # fmt: skip
    ax.set_yticks(place, [label(name) for name in rows["touchpoint"]])
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1.3), ylim=(len(rows) - 0.6, -0.5), title=f"How many go on within {_within(rows)}")
    ax.set_xticks(np.linspace(0, 1, 5), [f"{share:.0f} %" for share in np.linspace(0, 100, 5)])
    interval = f"{100 * rows['level'].iloc[0]:g} % interval"
    ax.set_xlabel(f"Share of {_number(entered, rows)} at the first step (line: {interval})")
    return ax


def _within(rows: pd.DataFrame) -> str:
    strict = ", nothing in between" if rows["order"].iloc[0] == "strict" else ""
    return window_words(rows["window_hours"].iloc[0]) + strict


def label(touchpoint: str, *, most_lines: int = 2) -> str:
    """A touchpoint beside an axis, on a line or two of at most 22 letters."""
    lines = wrap(step_name(touchpoint), 22, break_on_hyphens=False) or ["(no name)"]
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], lines[most_lines - 1][:21] + "…"]
    return "\n".join(plain_text(line) for line in lines)


def describe_funnel(funnel: pd.DataFrame, *, group: str = EVERYBODY) -> str:
    """What `plot_funnel` shows, for those who cannot see it."""
    rows = only_group(funnel, group)
    if not rows["entered"].iloc[0]:
        return "No bars: nobody came to the first step whose window had ended with the data."
    parts = [f"{step_name(r.touchpoint)} {format_value(r.share_of_entered, 'share')}" for r in rows.itertuples()]
    return (
        f"Bars of the share of {_number(int(rows['entered'].iloc[0]), rows)} that reach each step within "
        f"{_within(rows)}: {', '.join(parts)}."
    )
