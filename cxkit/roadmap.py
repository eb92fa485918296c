"""When is what done, by whom, and how will it be seen: quarters, measures, and the change that could be detected."""

import textwrap
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cxkit.changes import DRIFTS
from cxkit.findings import Finding
from cxkit.group_table import nothing_to_show
from cxkit.impact import PERCENT, points_are
from cxkit.same_thing import split_ids
from cxkit.since import FAMILY_OF, MEASURES
from cxkit.stakes import touchpoints_of
from cxkit.style import GREY, INK, LIGHT, clean_text, format_value, plain_text
from cxkit.topics import topics_of
from cxkit.triage import DROP, GRADUALLY, NOW

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POWER, LEVEL = 0.8, 0.95
WORKSHOP = "workshop"  # where an action comes from; the others findings propose
WAIT = {NOW: 1, GRADUALLY: 2}  # quarters after the audit's last day, where no day is set
SPREAD = 3  # quarters over which what is gradual and has no day is spread, the greatest impact first
NOT_JUDGED = "not judged from audit to audit"
INSTEAD = "judged over the days after this audit against as many before"
TO_KNOW = ("Read ", "Find out ", "Look ", "Decide ", "See ", "Ask ")  # how findings' actions begin that only ask
TOO_EARLY = "it is due before what it waits for"
NOBODY = "no department"
LATER = "later"
OVERDUE = "overdue"  # instead of a quarter
MOST_QUARTERS = 4
LETTERS, MOST_LINES = 80, 3  # of all lines of the picture beside each other; of an action
MOST_IN_CELL = 4  # actions of a department in a quarter that are written out; the others are counted in place
COLUMNS = ("action", "items", "department", "owner", "effort", "due", "quarter", "measure", "detectable", "triage",
           "fault")  # fmt: skip


def plan(actions: pd.DataFrame, findings: Sequence[Finding], *, as_of: date) -> pd.DataFrame:
    """The actions as they travel: who does what until when, and how it will be seen.

    From: `triage.triage_actions`; the findings of the run. To, by quarter, in it now first, then by day: number (of the
    picture), action, items, department, owner, effort, due, quarter (2026 Q3, or overdue), measure, detectable,
    triage, fault, why, after (the actions that it waits for), but (what of the audit speaks against it), origin,
    seen_by (what is measured, in words), by (the due day, else the quarter).
    The quarter is that of the due day; without one the quarter after the audit for now, and for gradually the three
    after that, a third each, by impact, then by the revenue touched, but none before the quarter after that of what it
    waits for; what is dropped has none. A due day before the audit's last day is a fault, and so are one before that of
    what it waits for, and a measure that no later audit judges.
    """
    rows = zip(actions.to_dict("records"), _places(actions), strict=True)
    made = actions.assign(after=actions["waits_for"], quarter=[_quarter(row, as_of, place) for row, place in rows])
    made = made.assign(quarter=_in_turn(made), ahead_of=_ahead_of(made))
    ahead = made["ahead_of"].notna()
    made["quarter"] = [_quarter({"triage": NOW, "due": day}, as_of, 0) if pd.notna(day) else quarter
                       for day, quarter in zip(made["ahead_of"], made["quarter"], strict=True)]  # fmt: skip
    past = made["due"].notna() & (made["due"] < pd.Timestamp(as_of)) & (made["triage"] != DROP)
    made = made.assign(by=made["due"].dt.strftime("%Y-%m-%d").where(made["due"].notna(), made["quarter"]))
    made["by"] = made["by"].mask(ahead, made["ahead_of"].dt.strftime("%Y-%m-%d"))
    made = _with_fault(made, past, "it was due before this audit: take it out where it is done, else set a new day")
    made = _with_fault(made, _too_early(made), TOO_EARLY)
    known = {f.id: f for f in findings}
    measures = [known.get(id) for id in made["measure"]]
    blind = [f is not None and bool(drift(f.id)) and not judged_by(f.id) for f in measures]
    made = _with_fault(made, pd.Series(blind, index=made.index, dtype=bool), "no later audit judges its measure")
    seen_by = [clean_text(judged_by(f.id) or f.label) if f else "nothing yet" for f in measures]
    made = made.assign(detectable=[detectable(f) for f in measures], seen_by=seen_by)
    heap = made["triage"].map({NOW: 0, GRADUALLY: 1, DROP: 2})
    proposed = (made["origin"] != WORKSHOP).astype(int).mask(ahead, -1)  # what is read first stands first
    ranked = made.assign(
        heap=heap.mask(ahead, 0), proposed=proposed, dropped=heap == 2, on_time=made["quarter"] != OVERDUE
    )
    ranked = ranked.sort_values(
        ["dropped", "on_time", "quarter", "heap", "proposed", "due", "action"], kind="stable", na_position="last"
    )
    ranked = ranked.assign(number=range(1, len(ranked) + 1))
    return ranked[["number", *COLUMNS, "why", "after", "but", "origin", "seen_by", "by"]].reset_index(drop=True)


def detectable(finding: Finding | None, *, power: float = POWER, level: float = LEVEL) -> str:
    """The smallest change of a measure that the next audit would probably (`power`) tell from none, in words.

    From: the finding that is the measure. Two audits of like size, each with half width h of its interval, whose
    quantile is z: the standard error of the difference is sqrt(2) h / z, and the change is that times the sum of the
    quantiles of (1 + level) / 2 and of `power` (1.96 + 0.84), told with two figures. Empty where there is no finding. A
    figure that moves by itself as the data grow longer (`changes.DRIFTS`) is not judged from audit to audit: that is
    said, and whether `since` judges another instead.
    What it leaves out: that two audits share customers and orders, which makes the difference of them surer, and
    that figures since ever change slowly.
    Source: Cohen (1988), Statistical power analysis, 2nd ed., ch. 2.
    """
    from scipy.special import ndtri

    if finding is None:
        return ""
    e = finding.estimate
    if drift(finding.id):
        return f"{NOT_JUDGED}; {INSTEAD}" if judged_by(finding.id) else NOT_JUDGED
    if not e.known:
        return "too early to say"
    if e.level == 1:
        return "any change: it is counted in full"
    error = np.sqrt(2) * (e.high - e.low) / 2 / ndtri((1 + e.level) / 2)
    change = float(error * (ndtri((1 + level) / 2) + ndtri(power)))
    change *= 100 if e.unit in ("share", "lift") else 1
    digits = 1 - int(np.floor(np.log10(change))) if change > 0 else 0
    change = round(change, digits)
    if e.unit in ("share", "lift", "points"):
        return f"{change:,.{max(digits, 0)}f} {points_are(finding) if e.unit == 'points' else PERCENT}"
    return format_value(change, e.unit, finding.currency)


def drift(id: str) -> str:
    """Why a figure is not judged from audit to audit; empty where it is. From: a finding's id."""
    return next((why for start, why in DRIFTS.items() if f"{id}.".startswith(f"{start}.")), "")


def judged_by(id: str) -> str:
    """The figure that `since` judges in place of one that is not judged from audit to audit, in words; empty where none
    does, or none need. From: a finding's id."""
    if not drift(id):
        return ""
    for measure, families in FAMILY_OF.items():
        for start in (family.partition("{")[0] for family in families.split(",")):
            if id.startswith(start):
                return MEASURES[measure][1].format(id.removeprefix(start).replace("_", " "))
    return next((every for every, _, _, _, ids in MEASURES.values() if id in ids.split(",")), "")


def in_words(planned: pd.DataFrame, items: pd.DataFrame | None = None) -> list[str]:
    """How many actions there are, of whom, and what is missing. From: `plan`; the items (`triage.triage`), so that
    items for now and actions for now are told together."""
    kept = planned[planned["triage"] != DROP]
    if not len(planned):
        return ["No action is named yet, neither by the workshop nor by a finding."]
    own = int((planned["origin"] == WORKSHOP).sum())
    text = [f"{len(planned)} actions: {own} of the workshop, {len(planned) - own} that findings propose."]
    counts = [f"{int((planned['triage'] == name).sum())} {words}" for name, words in
              ((NOW, "now"), (GRADUALLY, "gradually"), (DROP, "not at all"))]  # fmt: skip
    text.append(f"By the rule: {', '.join(counts)}.")
    if len(now := planned[planned["triage"] == NOW]):
        unknown, nobody = int(now["effort"].isna().sum()), int(now["owner"].isna().sum())
        text.append(f"Of the {len(now)} for now, nobody has said what effort {unknown or 'none'} of them would take, "
                    f"and {nobody or 'none'} {'have' if nobody > 1 else 'has'} nobody to do it yet.")  # fmt: skip
    if items is not None and (urgent := set(items.loc[items["triage"] == NOW, "item"])):
        text.append(_reconciled(urgent, planned))
    if nobody := int(kept["owner"].isna().sum()):
        text.append(f"{nobody} of all to be done {'has' if nobody == 1 else 'have'} nobody to do them yet.")
    if unseen := int((kept["detectable"] == "").sum()):
        text.append(f"{unseen} cannot be seen in the next audit: no finding is their measure.")
    if drifting := int(kept["detectable"].str.startswith(NOT_JUDGED).sum()):
        lost = int((kept["detectable"] == NOT_JUDGED).sum())
        text.append(f"The finding behind {drifting} is {NOT_JUDGED}, since it moves by itself or is a change already; "
                    f"for {lost or 'none'} of them no other figure is judged instead.")  # fmt: skip
    return text


def _reconciled(urgent: set[str], planned: pd.DataFrame) -> str:
    """Items for now beside actions for now, since one action may be on several items and an item may have none."""
    now = planned[planned["triage"] == NOW]
    met = {key for cell in now["items"] for key in split_ids(cell)} & urgent
    later = {key for cell in planned.loc[planned["triage"] == GRADUALLY, "items"] for key in split_ids(cell)}
    left = urgent - met
    parts = [f"{len(left & later)} an action that comes gradually"] * bool(left & later)
    parts += [f"{len(left - later)} none"] * bool(left - later)
    have = f"{len(met) if left else 'each'} {'has' if len(met) == 1 or not left else 'have'} an action for now"
    return f"Of the {len(urgent)} items for now {', '.join([have, *parts])}: one action may be on several items."


def readable(planned: pd.DataFrame) -> pd.DataFrame:
    """The plan as a reader meets it: what (number and action), who (owner, department, heap, quarter), seen (measure
    and smallest change), when (its quarter, as a heading), with all columns of `plan`."""
    rows = planned.to_dict("records")
    return planned.assign(
        what=[_what(row) for row in rows],
        who=[_who(row) for row in rows],
        seen=[_seen(row) for row in rows],
        when=[row["quarter"] or "Not at all" for row in rows],
    )


def drawn(planned: pd.DataFrame) -> pd.DataFrame:
    """What the picture shows: all that is planned; what is dropped stands in the table alone."""
    return planned[planned["triage"].isin([NOW, GRADUALLY])]


def plot_roadmap(planned: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """The `drawn` part of `plan`: a row a department, a column a quarter; full points are now, hollow ones
    gradually; what nobody is named for is grey. Of a department's actions in a quarter four are written out, and the
    others are counted by their numbers."""
    import matplotlib.pyplot as plt

    shown = drawn(planned)
    shown = shown.assign(department=shown["department"].fillna(NOBODY).map(clean_text))
    quarters = _columns(shown["quarter"])
    shown = shown.assign(quarter=shown["quarter"].where(shown["quarter"].isin(quarters), LATER))
    cells = {(d, q): rows for (d, q), rows in shown.groupby(["department", "quarter"])}
    departments = sorted(shown["department"].unique(), key=lambda name: (name == NOBODY, name))
    width = LETTERS // max(len(quarters), 1) - 3
    texts = {row.number: _folded(f"{row.number} {row.action}", width) for row in shown.itertuples()}
    more = {place: _more(cells[place]["number"]) for place in cells}
    cells = {place: rows[:MOST_IN_CELL] for place, rows in cells.items()}
    heights = {d: max(sum(len(texts[n]) + 0.5 for n in cells[d, q]["number"]) + 1.5 * bool(more[d, q])
                      for q in quarters if (d, q) in cells) for d in departments}  # of the fullest cell  # fmt: skip
    total = sum(heights.values()) + 0.5 * len(departments)
    ax = plt.subplots(figsize=(7.2, 0.165 * total + 1.2))[1] if ax is None else ax
    if not len(shown):
        nothing_to_show(ax)
        return ax
    top, middles = 0.0, []
    for department in departments:
        ax.axhline(top, color=LIGHT, linewidth=0.8)
        for column, quarter in enumerate(quarters):
            y = top + 0.5
            for row in cells.get((department, quarter), shown[:0]).itertuples():
                lines = texts[row.number]
                face = "C0" if row.triage == NOW else "white"
                colour = INK if isinstance(row.owner, str) and row.owner else GREY
                ends = column + 0.03 * len(quarters) / 2, column + 0.06 * len(quarters) / 2
                ax.plot(ends[0], y + 0.5, "o", markersize=6, markerfacecolor=face, markeredgecolor="C0")
                ax.text(ends[1], y, "\n".join(lines), va="top", fontsize=9, linespacing=1.1, color=colour)
                y += len(lines) + 0.5
            if more.get((department, quarter)):
                left = column + 0.06 * len(quarters) / 2
                ax.text(left, y, more[department, quarter], va="top", fontsize=9, color=GREY)
        middles.append(top + 0.9)
        top += heights[department] + 0.5
    for column in range(1, len(quarters)):
        ax.axvline(column, color=LIGHT, linewidth=0.8)
    ax.set(xlim=(0, len(quarters)), ylim=(top, 0))
    ax.set_yticks(middles, [plain_text(name, width=18) for name in departments])
    ax.set_xticks([column + 0.5 for column in range(len(quarters))], quarters)
    ax.tick_params(length=0, axis="both")
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.set_xlabel("● now · ○ gradually · in grey: nobody to do it yet", color=GREY)
    for tick in ax.get_xticklabels():
        tick.set_color(INK)
    ax.set_title("What is done when, by department")
    return ax


def describe_roadmap(planned: pd.DataFrame) -> str:
    """What `plot_roadmap` shows, for those who cannot see it."""
    shown = drawn(planned)
    told = []
    for quarter, rows in shown.groupby("quarter"):
        parts = [f"{clean_text(r.action)} ({clean_text(r.department) if isinstance(r.department, str) else NOBODY},"
                 f" {r.triage})" for r in rows.itertuples()]  # fmt: skip
        told.append(f"{quarter}: {'; '.join(parts)}")
    return f"Actions by quarter and department. {'. '.join(told) or 'No action is planned'}."


def _more(numbers: pd.Series) -> str:
    """How many actions of a cell are not written out, by their numbers in the table."""
    rest = list(numbers)[MOST_IN_CELL:]
    return f"and {len(rest)} more ({', '.join(map(str, rest))})" if rest else ""


def _with_fault(made: pd.DataFrame, where: pd.Series, told: str) -> pd.DataFrame:
    both = made["fault"].astype(object).where(made["fault"] == "", made["fault"].astype(object) + "; ") + told
    return made.assign(fault=made["fault"].mask(where, both))


def _seen(row: dict) -> str:
    if row["detectable"][:1].isdigit():
        return f"{row['seen_by']}; the next audit can tell a change of {row['detectable']} or more"
    if row["detectable"].startswith(NOT_JUDGED) and INSTEAD in row["detectable"]:
        return f"{row['seen_by']}, {INSTEAD}; the finding itself is {NOT_JUDGED}"
    return "; ".join(part for part in (row["seen_by"], row["detectable"]) if part)


def _what(row: dict) -> str:
    """An action with its number, and what of the audit speaks against it."""
    but = f" But {row['but'].rstrip('.')}." if row["but"] else ""
    action = clean_text(row["action"])
    return f"{row['number']}. {action.rstrip('.') + '.' if but else action}{but}"


def _who(row: dict) -> str:
    owner = clean_text(row["owner"]) if isinstance(row["owner"], str) and row["owner"] else "nobody yet"
    department = f" ({clean_text(row['department'])})" if isinstance(row["department"], str) else ""
    when = f"{row['triage']}, by {row['by']}" if row["quarter"] else "not at all"
    early = f" ({TOO_EARLY})" if TOO_EARLY in row["fault"] else ""
    after = f"; after “{row['after']}”{early}" if row["after"] else ""
    return f"{owner}{department}; {when}{after}"


def _places(actions: pd.DataFrame) -> list[int]:
    """Of what is gradual and has no day, which of the following quarters: a third each, the greatest impact first, and
    what nobody weighed last: its 3 of 5 is no impact that anybody knows."""
    waiting = actions[(actions["triage"] == GRADUALLY) & actions["due"].isna()]
    order = waiting.sort_values(
        ["weighed", "impact", "stake", "action"], ascending=[False, False, False, True], kind="stable"
    ).index
    place = {label: rank * SPREAD // len(order) for rank, label in enumerate(order)}
    return [place.get(label, 0) for label in actions.index]


def _ahead_of(made: pd.DataFrame) -> pd.Series:
    """Of what has no day, waits for nothing and is to read, to find out, to look at or to decide: the first day of an
    action on the same item, touchpoint or topic, before which it must be known; NaT where none is, or none is earlier
    than its own quarter."""
    dated = [row for row in made.to_dict("records") if pd.notna(row["due"]) and row["triage"] != DROP
             and row["quarter"] != OVERDUE]  # fmt: skip
    days = []
    for row in made.to_dict("records"):
        asks = pd.isna(row["due"]) and not row["waits"] and clean_text(row["action"]).startswith(TO_KNOW)
        mine = _about(row["items"]) if asks and row["triage"] != DROP else set()
        days.append(min((other["due"] for other in dated if other["quarter"] <= row["quarter"]
                         and mine & _about(other["items"])), default=pd.NaT))  # fmt: skip
    return pd.to_datetime(pd.Series(days, index=made.index, dtype="datetime64[ns]"))


def _about(items: object) -> set[str]:
    """The items of an action, the touchpoints that they lie at, and what they are about (`topics.yml`)."""
    points = touchpoints_of(items)
    return {*split_ids(items), *points, *topics_of(split_ids(items), said=" ".join(sorted(points)).replace("_", " "))}


def _quarter(row: dict, as_of: date, place: int) -> str:
    if row["triage"] == DROP:
        return ""
    if pd.notna(row["due"]):
        if row["due"] < pd.Timestamp(as_of):
            return OVERDUE
        return _named(pd.Timestamp(row["due"]).to_period("Q"))
    wait = WAIT.get(row["triage"])
    return _named(pd.Timestamp(as_of).to_period("Q") + wait + place) if wait else ""


def _in_turn(made: pd.DataFrame) -> list[str]:
    """The quarters, in which what has no day comes after what it waits for; nobody waits in a circle."""
    quarters = list(made["quarter"])
    free = [pd.isna(due) and quarter != "" for due, quarter in zip(made["due"], quarters, strict=True)]
    for _ in quarters:  # a chain is at most as long as the plan
        before = list(quarters)
        for place, waits in enumerate(made["waits"]):
            ends = [quarters[at] for at in waits if quarters[at] not in ("", OVERDUE)]
            if free[place] and ends and quarters[place] <= max(ends):
                quarters[place] = _named(_period(max(ends)) + 1)
        if quarters == before:
            break
    return quarters


def _too_early(made: pd.DataFrame) -> pd.Series:
    """Whether an action has a day before that, or the quarter, of what it waits for."""
    told = []
    for row in made.to_dict("records"):
        before = [made.iloc[at] for at in row["waits"] if made["triage"].iloc[at] != DROP]
        days = any(other["due"] > row["due"] for other in before)
        later = any(pd.isna(other["due"]) and OVERDUE != row["quarter"] < other["quarter"] for other in before)
        told.append(pd.notna(row["due"]) and row["triage"] != DROP and (days or later))
    return pd.Series(told, index=made.index, dtype=bool)


def _period(quarter: str) -> pd.Period:
    return pd.Period(quarter.replace(" ", ""), freq="Q")


def _named(quarter: pd.Period) -> str:
    return f"{quarter.year} Q{quarter.quarter}"


def _columns(quarters: pd.Series) -> list[str]:
    """The quarters that have a column: from the first to the last, empty ones too; what is overdue stands before them,
    what is far ahead under later."""
    named = sorted({*quarters} - {OVERDUE})
    if OVERDUE in set(quarters):
        return [OVERDUE, *_columns(quarters[quarters != OVERDUE])]
    if not named:
        return []
    periods = [_period(name) for name in named]
    whole = [_named(q) for q in pd.period_range(periods[0], periods[-1], freq="Q")]
    return whole if len(whole) <= MOST_QUARTERS else [*whole[: MOST_QUARTERS - 1], LATER]


def _folded(text: str, width: int) -> list[str]:
    """A text on at most three lines of a column."""
    lines = textwrap.wrap(clean_text(text), max(width, 12), max_lines=MOST_LINES, placeholder="…")
    return [plain_text(line) for line in lines]
