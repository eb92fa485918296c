"""How long do customers wait for an answer and for a solution, and is what was promised kept?"""

from datetime import datetime
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.estimates import Estimate
from cxkit.findings import Finding
from cxkit.group_table import legend_below, nothing_to_show
from cxkit.pareto import NOT_GIVEN, OTHERS, with_names
from cxkit.privacy import LEAST_SHOWN
from cxkit.shares_apart import FEW, LESS, share_of, shares_apart
from cxkit.style import clean_text, folded_text, format_ends, format_value
from cxkit.survival import kaplan_meier, survival_quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALL = "all channels"
STEPS = {"answer": "first_answer_at", "solution": "solved_at"}
PROMISES = {"answer": "promised_answer_at", "solution": "promised_solution_at"}
WORDS = {"answer": "first answer", "solution": "solution"}
PRACTICES = (("answer", 6.0, "S2b (7): where a day was promised, they called in six hours"),
             ("answer", 24.0, "S2b (7): a day is what they promised"),
             ("solution", 48.0, "S2b (16): where forty-eight hours are said, forty-eight hours it is"))  # fmt: skip


def waits(contacts: Table, *, until: datetime) -> pd.DataFrame:
    """How many contacts waited how long, by channel; the open ones until the last moment that is known.

    From: contacts with opened_at, first_answer_at, solved_at (those that exist), channel; `until`: the end of the last
    day, UTC. To, counted and ordered: step (answer, solution), channel, minutes (rounded), done (no: still open),
    contacts, people (known customers, each contact without one counted by itself).
    What is left out: contacts whose answer or solution stands before their beginning (`strange_times` counts them).
    """
    if "channel" not in contacts.columns:
        contacts = contacts.mutate(channel=ibis.null("string"))
    named = with_names(contacts, "channel", name="channel_name")
    end = ibis.literal(until)
    parts = []
    for step, column in STEPS.items():
        if column not in contacts.columns:
            continue
        done_at = (named[column] < end).ifelse(named[column], ibis.null("timestamp"))
        rows = named.mutate(done_at=done_at)
        rows = rows.filter(rows.opened_at < end, rows.done_at.isnull() | (rows.done_at >= rows.opened_at))
        seconds = rows.done_at.fill_null(end).delta(rows.opened_at, unit="second")
        cells = rows.group_by(
            channel=rows.channel_name, minutes=((seconds + 30) // 60).cast("int64"), done=rows.done_at.notnull()
        ).aggregate(contacts=rows.count())
        parts.append(collect(cells, order_by=["channel", "minutes", "done"]).assign(step=step))
    names = ["step", "channel", "minutes", "done", "contacts"]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def strange_times(contacts: Table) -> dict[str, int]:
    """How many contacts were answered or solved before they began: they are left out. To: step -> count, where any."""
    found = {}
    for step, column in STEPS.items():
        if column in contacts.columns:
            wrong = contacts.filter(contacts[column] < contacts.opened_at)
            count = int(collect(wrong.aggregate(n=wrong.count()), order_by="n")["n"].iloc[0])
            found |= {step: count} if count else {}
    return found


def waiting_times(waits: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """By when a quarter, half and three quarters have their answer and their solution, in hours, by channel.

    From: `waits`. To, first all channels together, then by name: step, channel, quarter, value (half), low, high (of
    half), three_quarters (hours; NaN where it has not come to so many yet), n (contacts), open (of them), level,
    method (Kaplan-Meier). Open ones are counted in as waiting on. Channels of fewer than 5 contacts are left out.
    """
    rows = []
    for step in [s for s in STEPS if s in set(waits["step"])]:
        own = waits[waits["step"] == step]
        names = sorted(set(own["channel"]))
        for name in [ALL, *(names if len(names) > 1 else [])]:
            part = own if name == ALL else own[own["channel"] == name]
            if part["contacts"].sum() < LEAST_SHOWN:
                continue
            times, done = part["minutes"].to_numpy(float) / 60, part["done"].to_numpy(bool)
            quarter, half, most = survival_quantiles(times, done, weights=part["contacts"].to_numpy(float), level=level)
            rows.append(
                {
                    "step": step,
                    "channel": name,
                    "quarter": quarter.value,
                    "value": half.value,
                    "low": half.low,
                    "high": half.high,
                    "three_quarters": most.value,
                    "n": int(part["contacts"].sum()),
                    "open": int(part.loc[~part["done"].astype(bool), "contacts"].sum()),
                    "level": level,
                    "method": half.method,
                }
            )
    return pd.DataFrame(rows, columns=list(TIMES))


TIMES = ("step", "channel", "quarter", "value", "low", "high", "three_quarters", "n", "open", "level", "method")


def times_shown(times: pd.DataFrame) -> pd.DataFrame:
    """`waiting_times` as a reader meets it, in texts: step, channel, quarter, half, span (the interval of half),
    three_quarters; n, open."""
    spans = [span_text(*ends) for ends in zip(times["low"], times["high"], strict=True)]
    texts = {name: times[name].map(time_text) for name in ("quarter", "three_quarters")}
    shown = times.assign(step=times["step"].map(WORDS), half=times["value"].map(time_text), span=spans, **texts)
    return shown[["step", "channel", "quarter", "half", "span", "three_quarters", "n", "open"]]


def practices(waits: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """The share answered or solved within the times that S2b names: quoted practice, no target.

    From: `waits`. To: step (in words), within_hours, value, low, high, n, level, method, source.
    """
    rows = []
    for step, hours, source in PRACTICES:  # in the words of the article, not as a target
        part = waits[waits["step"] == step]
        if not len(part):
            continue
        times, done = part["minutes"].to_numpy(float) / 60, part["done"].to_numpy(bool)
        curve = kaplan_meier(times, done, weights=part["contacts"].to_numpy(float), level=level)
        before = curve[curve["time"] <= hours]
        share, low, high = (1 - before[["survival", "high", "low"]].iloc[-1]) if len(before) else (0.0, np.nan, np.nan)
        method = "Kaplan-Meier, log(-log)" if np.isfinite(low) else "all or none, or nothing known by then: no interval"
        told = {"value": share, "low": low, "high": high, "n": int(part["contacts"].sum())}
        about = {"step": WORDS[step], "within_hours": hours}
        rows.append({**about, **told, "level": level, "method": method, "source": source})
    return pd.DataFrame(rows, columns=list(PRACTICE))


PRACTICE = ("step", "within_hours", "value", "low", "high", "n", "level", "method", "source")


def promised(contacts: Table, *, step: str, until: datetime) -> Table:
    """Contacts with a promised time and `in_time`: yes where it was kept, no where it passed, null where it is not due.

    From: contacts with the columns of the step (answer or solution; no rows where they lack one). An open contact whose
    promised time has passed is broken; one whose promised time is still to come is left out.
    """
    done, promise = STEPS[step], PROMISES[step]
    if not {done, promise} <= set(contacts.columns):
        contacts = contacts.mutate(**dict.fromkeys((done, promise), ibis.null("timestamp")))
    end = ibis.literal(until)
    rows = contacts.filter(contacts[promise].notnull(), contacts.opened_at < end)
    kept = rows[done].notnull() & (rows[done] < end) & (rows[done] <= rows[promise])
    due = (rows[promise] < end) | kept
    return rows.mutate(in_time=due.ifelse(kept, ibis.null("boolean")))


def not_yet_due(promised: Table) -> int:
    """How many contacts are left out since their promised time is still to come. From: `promised`."""
    rows = promised.filter(promised.in_time.isnull())
    return int(collect(rows.aggregate(n=rows.count()), order_by="n")["n"].iloc[0])


def in_time_share(promised: Table, *, level: float = 0.95) -> Estimate:
    """The share of contacts answered (solved) by the time that was promised. From: `promised`."""
    return share_of(promised, part="in_time", level=level)


def in_time_by_channel(answers: Table, solutions: Table, *, level: float = 0.95) -> pd.DataFrame:
    """The share in time by channel, answers and solutions judged together. From: `promised` of both. To: as
    `shares_apart.shares_apart`, aspect being "answered in time" or "solved in time"."""
    parts = [
        shares_apart(table, part="in_time", aspects={"channel": word}, families=2, level=level)
        for table, word in ((answers, "answered in time"), (solutions, "solved in time"))
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def in_time_finding(share: Estimate, *, step: str) -> Finding:
    """service.answered_in_time, service.solved_in_time. From: `in_time_share`."""
    done = {"answer": "answered", "solution": "solved"}[step]
    return Finding(
        id=f"service.{done}_in_time",
        claim=f"{{value}} of contacts are {done} by the time that was promised ({{interval}}).",
        estimate=share,
        label=f"Contacts {done} in time",
        evidence=("in_time",),
        action="Promise what can be kept, and keep it: first in the channel that falls short for certain.",
    )


def short_in_words(in_time: pd.DataFrame) -> str:
    """Which channels fall short of the promised time for certain, the furthest first. From: `in_time_by_channel`."""
    judged = int(in_time["verdict"].ne(FEW).sum())
    if not judged:
        return "Whether a channel falls short of the promised time is too early to say: too few customers to compare."
    short = in_time[(in_time["verdict"] == LESS) & ~in_time["name"].isin([NOT_GIVEN, OTHERS])]
    told = [
        f"by {clean_text(row.name)} {format_value(row.value, 'share')} are {row.aspect} "
        f"({format_ends(row.low, row.high, 'share')}), elsewhere {format_value(row.others, 'share')}"
        for row in short.sort_values(["difference", "aspect", "name"]).itertuples(index=False)
    ]
    if not told:
        return f"No channel falls short of the promised time for certain, of {judged} comparisons together."
    return f"What falls short for certain ({judged} comparisons together): {'; '.join(told)}."


def describe_in_time(in_time: pd.DataFrame) -> str:
    """What `shares_apart.plot_apart` shows of `in_time_by_channel`, for those who cannot see it."""
    return f"Shares done in time by channel, with intervals. {short_in_words(in_time)}"


def time_text(hours: float) -> str:
    """`24 minutes`, `5.2 hours`, `3.1 days`; a dash where it is not known."""
    if not np.isfinite(hours):
        return "–"
    for size, word, most in ((1 / 60, "minutes", 1), (1, "hours", 48), (24, "days", np.inf)):
        if hours < most:
            number = hours / size
            text = f"{number:.0f}" if word == "minutes" or number >= 9.95 else f"{number:.1f}"
            return f"{text} {word.removesuffix('s') if text == '1' else word}"
    raise AssertionError


def span_text(low: float, high: float) -> str:
    """`22 to 26 minutes`: an interval of times."""
    first, last = time_text(low), time_text(high)
    if not np.isfinite(high):
        return f"at least {first}" if np.isfinite(low) else "–"
    if first == last:
        return first
    number, _, word = first.partition(" ")
    return f"{number} to {last}" if word.rstrip("s") == last.partition(" ")[2].rstrip("s") else f"{first} to {last}"


def waits_in_words(times: pd.DataFrame) -> list[str]:
    """How long half wait for the answer and the solution, and the slowest channel. From: `waiting_times`."""
    texts = []
    for step in [s for s in STEPS if s in set(times["step"])]:
        own = times[times["step"] == step]
        row = own.iloc[0]
        if not np.isfinite(row["value"]):
            texts.append(f"How long customers wait for the {WORDS[step]} is too early to say: {row['method']}.")
            continue
        text = (
            f"Half of contacts have their {WORDS[step]} after {time_text(row['value'])} "
            f"({span_text(row['low'], row['high'])}, n = {row['n']:,})"
        )
        channels = own[own["channel"] != ALL].sort_values(["value", "channel"], ascending=[False, True])
        if len(channels) and channels["low"].iloc[0] > row["high"]:
            slow = channels.iloc[0]
            text += f"; by {clean_text(slow['channel'])} after {time_text(slow['value'])}"
            text += f" ({span_text(slow['low'], slow['high'])})"
        texts.append(f"{text}.")
    return texts or [f"How long customers wait cannot be told: it is known of fewer than {LEAST_SHOWN} contacts."]


def promises_in_words(share: Estimate, *, step: str, left_out: int = 0) -> str:
    """Whether the promised time is kept. From: `in_time_share`, `not_yet_due`."""
    done = {"answer": "answered", "solution": "solved"}[step]
    if not share.known:
        return f"Whether contacts are {done} in time is too early to say: {share.method}."
    text = (
        f"{format_value(share.value, 'share')} of contacts are {done} by the time that was promised "
        f"({format_ends(share.low, share.high, 'share')}, n = {share.n:,})"
    )
    return f"{text}; {left_out:,} open ones are not due yet and left out." if left_out else f"{text}."


def plot_waits(times: pd.DataFrame, *, ax: "Axes | None" = None) -> "Axes":
    """`waiting_times` on a scale of factors: half of contacts (a point with its interval), the middle half as a bar;
    answers and solutions in two colours."""
    import matplotlib.pyplot as plt

    shown = times[times["value"].notna()]
    names = list(dict.fromkeys(shown["channel"]))
    ax = plt.subplots(figsize=(7.2, 0.6 * max(len(names), 1) + 1.4))[1] if ax is None else ax
    if not len(shown):
        nothing_to_show(ax)
        return ax
    least = 1 / 60
    for step, colour, shift in (("answer", "C0", -0.17), ("solution", "C1", 0.17)):
        part = shown[shown["step"] == step]
        if not len(part):
            continue
        y = np.array([names.index(name) for name in part["channel"]]) + shift
        most = part["three_quarters"].fillna(part["value"])
        ax.hlines(y, np.maximum(part["quarter"], least), np.maximum(most, least), color=colour, linewidth=7, alpha=0.3)
        high = np.where(np.isfinite(part["high"]), part["high"], part["value"])
        ax.hlines(y, np.maximum(part["low"], least), np.maximum(high, least), color=colour, linewidth=2)
        ax.plot(np.maximum(part["value"], least), y, "o", color=colour, markersize=6,
                label=f"{WORDS[step].capitalize()}: half, and the middle half")  # fmt: skip
    ax.set_xscale("log")
    left, right = shown["quarter"].min(), shown[["three_quarters", "value"]].max().max()
    ticks = [t for t in TICKS if max(left, least) / 4 <= t[0] <= right * 4] or [TICKS[0]]
    ax.set_xticks([hours for hours, _ in ticks], [word for _, word in ticks])
    ax.minorticks_off()
    ax.set_yticks(range(len(names)), [folded_text(name) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(len(names) - 0.4, -0.6), title="How long customers wait")
    legend_below(ax)
    return ax


TICKS = ((1 / 60, "1 min"), (5 / 60, "5 min"), (0.25, "15 min"), (1.0, "1 h"), (4.0, "4 h"), (24.0, "1 day"),
         (72.0, "3 days"), (168.0, "1 week"), (720.0, "30 days"), (4380.0, "half a year"))  # fmt: skip


def describe_waits(times: pd.DataFrame) -> str:
    """What `plot_waits` shows, for those who cannot see it."""
    return f"How long contacts wait by channel, half of them and the middle half. {' '.join(waits_in_words(times))}"
