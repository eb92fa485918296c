"""What published claims look like beside this client's own figures, and to which of them no data of his can speak."""

from collections.abc import Mapping
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr.types import Table

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, unknown
from cxkit.findings import ARTICLES, CLAIM_COLUMNS, check_claim
from cxkit.others import unit_sums
from cxkit.search import shares
from cxkit.settings_file import read_yaml
from cxkit.share_ratios import both_sides, share_ratios
from cxkit.stages import GOAL, name_key
from cxkit.style import clean_text, format_interval, format_value

CLAIMS = Path(__file__).parent / "claims.yml"
NEEDED = ("id", "claim", "figure", "source", "names", "why", "ask_for", "words")
OPTIONAL = ("group", "told_as", "check", "theirs", "note", "cannot_show", "same_measure", "bound")
CHECKS = ("connected", "mails", "reviews")
OTHERS, BEYOND = "Other claims", "What no data of one company can speak to"
WINDOW_DAYS = 30  # in which contacts before an order count as one chain
LEAST_VISITS = 30  # that came by mail, below which their orders tell nothing
SUPPORT = "support"
MAIL = ("email", "e_mail", "mail", "newsletter", "mailing", "rassylka", "e_mailing")
REVIEWS = ("review", "відгук", "отзыв", "opini", "recenz", "rezension", "bewertung")  # in a touchpoint's name
SAME = ("yes", "near", "no")  # whether ours measures what is claimed
UP_TO = "up to"  # a claim that a lower figure does not speak against
ORIENTATION = {"near": "Not quite the same measure; for orientation", "no": "Not the same measure; for orientation"}
WITHIN = "Ours lies within what is claimed (“up to”)"
NO_CHECK = "cannot be checked here"
READS = {  # what `findings.check_claim` says, as a reader of the summary takes it in
    "their figure lies below our interval": "The published figure lies below what is seen here",
    "their figure lies above our interval": "The published figure lies above what is seen here",
    "their figure lies inside our interval": "The published figure agrees with what is seen here",
}


def read_claims(path: Path | None = None) -> pd.DataFrame:
    """The claims, one row each, in the file's order.

    From: a YAML file as `cxkit/claims.yml`, which is the default. To: id, claim, figure, source (id), title (of the
    source), names (what the article says of where its figure comes from), why, ask_for, words (a list of regular
    expressions), group (heading; missing where no data of a client can speak to it), told_as, check, theirs, note,
    cannot_show, same_measure, bound (missing where the file has none).
    Raises UsageError, naming every fault of the file.
    """
    path = path or CLAIMS
    told = read_yaml(path, begins="`claims:`, the list of them")
    titles, groups = ARTICLES | (told.get("sources") or {}), told.get("groups") or {}
    rows = told.get("claims")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path} holds no list `claims`; see cxkit/claims.yml for its shape.")
    names = [row.get("id") for row in rows]
    faults = [f"the id {name!r} is used twice" for name in sorted({str(n) for n in names if names.count(n) > 1})]
    for place, row in enumerate(rows, start=1):
        label = f"claim {row.get('id') or place!r}"
        faults += [f"{label} lacks {key}" for key in NEEDED if not row.get(key)]
        faults += [f"{label} has the unknown key {key!r}" for key in row if key not in NEEDED + OPTIONAL]
        if row.get("source") not in titles:
            faults.append(f"{label} has the source {row.get('source')!r}; valid: {', '.join(sorted(titles))}")
        if ("told_as" in row or "check" in row) != (row.get("group") in groups):
            faults.append(f"{label} needs a group ({', '.join(groups)}) where it is checked, and none elsewhere")
        if "check" in row and (row["check"] not in CHECKS or not {"theirs", "cannot_show"} <= set(row)):
            faults.append(f"{label} needs check (of {', '.join(CHECKS)}), theirs and cannot_show")
        if ("group" in row) != (row.get("same_measure") in SAME) or row.get("bound", UP_TO) != UP_TO:
            faults.append(f"{label} needs same_measure (of {', '.join(SAME)}) where it is checked; bound is {UP_TO!r}")
    if faults:
        raise UsageError(f"{path}: {'; '.join(faults)}.")
    made = pd.DataFrame(rows, columns=[*NEEDED, *OPTIONAL]).astype(object)
    made = made.where(made.notna(), None)
    return made.assign(title=made["source"].map(titles), group=made["group"].map(groups).astype(object))


def data_checks(log: Table | None, *, level: float = 0.95) -> dict[str, Estimate]:
    """What the log of touches says of the claims that no earlier notebook checks: check -> Estimate.

    From: `touches.touch_log`, or None where there is none. To: `connected_share`, `mail_ratio`, `review_share`;
    `connected_all`: the share of connected orders among all, those before which nothing was seen counted in.
    """
    if log is None:
        why = "there is no table of visits"
        return {
            name: unknown("ratio" if name == "mails" else "share", level=level, method=why)
            for name in sorted((*CHECKS, "connected_all"))
        }
    return {
        "connected": connected_share(log, level=level),
        "connected_all": connected_share(log, unseen=True, level=level),
        "mails": mail_ratio(log, level=level),
        "reviews": review_share(log, level=level),
    }


def connected_share(log: Table, *, days: int = WINDOW_DAYS, unseen: bool = False, level: float = 0.95) -> Estimate:
    """Share of orders that at least two kinds of contact came before, within `days`.

    From: `touches.touch_log`. A kind of contact is where a visit came from (source, else channel), or support asked.
    To: Estimate, unit share, n orders; customers are the units.
    What is left out: orders of nobody known, orders in the first `days` of the visits' record (what came before is not
    seen), and, unless `unseen`, orders that no visit or question of the customer is known before.
    """
    known = log.filter(log.customer_id.notnull(), log.timed)
    placed = known.filter(known.touchpoint == GOAL).select("customer_id", ordered_at="occurred_at")
    placed = placed.distinct()
    kind = ibis.cases((known.touchpoint == SUPPORT, SUPPORT), else_=known.source.fill_null(known.channel))
    met = known.mutate(kind=kind).filter(
        ((known.origin == "events") & (known.touchpoint != GOAL))
        | ((known.origin == "contacts") & (known.touchpoint == SUPPORT))
    )
    begin = met.filter(met.origin == "events").occurred_at.min() + ibis.interval(days=days)
    met = met.select("customer_id", "occurred_at", "kind", first=begin.as_scalar()).filter(ibis._.kind.notnull())
    window = ibis.interval(days=days)
    both = placed.join(met, "customer_id")
    both = both.filter(
        both.ordered_at >= both.first,
        both.occurred_at <= both.ordered_at,
        both.occurred_at >= both.ordered_at - window,
    )
    each = both.group_by("customer_id", "ordered_at").aggregate(kinds=both.kind.nunique())
    if unseen:
        every = placed.cross_join(met.aggregate(begin=met.first.min()))
        every = every.filter(every.ordered_at >= every.begin).select("customer_id", "ordered_at")
        each = every.left_join(each, ["customer_id", "ordered_at"]).select("customer_id", "ordered_at", "kinds")
        each = each.mutate(kinds=each.kinds.fill_null(0))
    cells = each.group_by("customer_id").aggregate(
        part=(each.kinds > 1).ifelse(1, 0).sum(), whole=each.count(), squares=(each.kinds > 1).ifelse(1, 0).sum()
    )
    return _share(cells, "customer_id", level, none="no visit of a known customer before an order")


def review_share(log: Table, *, level: float = 0.95) -> Estimate:
    """Share of visits with an order that opened reviews before it.

    From: `touches.touch_log`. Reviews are touchpoints whose name says so. To: Estimate, unit share, n visits with an
    order; visitors are the units. Unknown where no touchpoint is known as reviews.
    """
    visits = log.filter(log.session.notnull(), log.origin == "events")
    names = collect(visits.select("touchpoint").distinct(), order_by="touchpoint", max_rows=100_000)["touchpoint"]
    read = [name for name in names if any(word in name_key(name) for word in REVIEWS)]
    if not read:
        return unknown("share", level=level, method="no touchpoint of the visits is known as reviews")
    goal = visits.touchpoint == GOAL
    ends = visits.group_by("visitor", "session").aggregate(
        ordered_at=visits.occurred_at.max(where=goal),
        read_at=visits.occurred_at.min(where=visits.touchpoint.isin(read)),
    )
    ends = ends.filter(ends.ordered_at.notnull())
    had = (ends.read_at <= ends.ordered_at).fill_null(False).ifelse(1, 0)
    cells = ends.group_by("visitor").aggregate(part=had.sum(), whole=ends.count(), squares=had.sum())
    return _share(cells, "visitor", level, none="no visit with an order")


def _share(cells: Table, unit: str, level: float, *, none: str) -> Estimate:
    sums = unit_sums(cells.mutate(all=ibis.literal("all")), by="all", unit=unit)
    if not len(sums):
        return unknown("share", level=level, method=none)
    row = shares(sums, level=level).iloc[0]
    if not pd.notna(row["low"]):
        return unknown("share", n=int(row["n"]), level=level, method=str(row["method"]))
    ends = (float(row[name]) for name in ("value", "low", "high"))
    return Estimate(*ends, int(row["n"]), "share", level, str(row["method"]))


def mail_ratio(log: Table, *, level: float = 0.95) -> Estimate:
    """How many times as often a visit that came by e-mail has an order as a visit that came otherwise.

    From: `touches.touch_log`. To: Estimate, unit ratio, n visits; visitors are the units.
    What is left out: visits of which it is not known where they came from. Unknown below 30 visits by e-mail.
    Source: as `share_ratios.share_ratios`.
    """
    told = log.filter(log.session.notnull(), log.origin == "events")
    sources = collect(
        told.filter(told.source.notnull()).select("source").distinct(), order_by="source", max_rows=100_000
    )
    mail = [name for name in sources["source"] if name_key(name) in MAIL]
    if not mail:
        return unknown("ratio", level=level, method="no visit is known to have come by e-mail")
    visits = told.group_by("visitor", "session").aggregate(
        source=told.source.min(), ordered=(told.touchpoint == GOAL).ifelse(1, 0).max()
    )
    visits = visits.filter(visits.source.notnull()).mutate(g=ibis._.source.isin(mail).ifelse(1, 0))
    people = visits.group_by("visitor", "g").aggregate(n=visits.count(), x=visits.ordered.sum())
    counts = collect(people.group_by("g", "n", "x").aggregate(c=people.count()), order_by=["g", "n", "x"])
    total = int((counts["n"] * counts["c"]).sum())
    if (counts["n"] * counts["c"])[counts["g"] == 1].sum() < LEAST_VISITS or counts["g"].nunique() < 2:
        return unknown("ratio", n=total, level=level, method=f"fewer than {LEAST_VISITS} visits came by e-mail")
    sides = both_sides(counts, groups=2)
    row = share_ratios(sides, judged=sides.index == 1, once=sides.index.to_numpy(), level=level).iloc[1]
    made = Estimate(*(float(row[end]) for end in ("ratio", "low", "high")), total, "ratio", level, "from two intervals")
    return made if made.known else unknown("ratio", n=total, level=level, method="too few orders to compare")


def checked(listed: pd.DataFrame, kept: pd.DataFrame, checks: Mapping[str, Estimate]) -> pd.DataFrame:
    """Every claim beside what the client's data say, in the order of the list.

    From: `read_claims`, the claims that earlier notebooks kept (`Run.claims`), `data_checks`. To: group, the columns of
    `findings.check_claim` (source: id, title and whom it names), quoted (the claim with its source as one text), told
    (ours with interval and n), says (what the comparison says and what it cannot show; what stands in the row above is
    not said again), checked (yes/no), why, ask_for (where it is not).
    A claim that a notebook keeps and the list does not hold stands at the end, under "Other claims".
    """
    rows, used = [], set()
    for claim in listed.to_dict("records"):
        source = f"{claim['source']}: {claim['title']}, {claim['names']}"
        found = _found(claim, kept, checks)
        used |= {row["claim"] for row in found}
        rows += [_row(claim | row, source) for row in found or [{}]]
    for row in kept[~kept["claim"].isin(used)].to_dict("records"):
        rows.append(_row({"group": OTHERS, "why": "", "ask_for": "", "note": None, **row}, row["source"]))
    columns = ["group", *CLAIM_COLUMNS, "same_measure", "bound", "quoted", "told", "says", "checked", "why", "ask_for"]
    frame = pd.DataFrame(rows, columns=columns)
    again = frame["checked"] & frame["cannot_show"].eq(frame["cannot_show"].shift())
    brief = [f"{_held(row)}. What it cannot show: as above." for row in frame.to_dict("records")]
    return frame.assign(says=frame["says"].mask(again, pd.Series(brief, dtype=object)))


def _found(claim: Mapping, kept: pd.DataFrame, checks: Mapping[str, Estimate]) -> list[dict]:
    if claim["check"]:
        theirs = {"theirs": float(claim["theirs"]), "ours": checks[claim["check"]]}
        cannot = claim["cannot_show"].strip() + _unseen(checks.get(f"{claim['check']}_all"))
        return [check_claim(claim["claim"], source="S2", cannot_show=cannot, **theirs)]
    if not claim["told_as"]:
        return []
    return kept[kept["claim"].str.startswith(claim["told_as"])].to_dict("records")


def _unseen(every: Estimate | None) -> str:
    if every is None or not every.known:
        return ""
    share = f"{format_value(every.value, every.unit)} ({format_interval(every)}, n = {every.n:,})"
    return f" Orders before which nothing was seen are left out; with them it is {share}."


def _row(claim: Mapping, source: str) -> dict:
    """One claim as it is shown; what no data speak to keeps the article's figure and dashes."""
    read = claim.get("reading") or ""
    known = bool(read) and not read.startswith(NO_CHECK)
    ours = f"{claim['ours']} ({claim['interval']}, n = {int(claim['n']):,})" if known else "–"
    says = ". ".join(part.rstrip(".") for part in (_held(claim), claim.get("cannot_show"), claim["note"]) if part)
    missing = _capital(read.removeprefix(f"{NO_CHECK}:").strip())
    why = " ".join(part for part in (f"{missing}." if missing and not known else claim["why"], claim["note"]) if part)
    named = {name: claim.get(name) for name in ("claim", "theirs", "ours", "interval", "n", "reading", "cannot_show")}
    named["theirs"] = named["theirs"] if read else claim["figure"]
    return {
        "group": claim["group"],
        **named,
        "same_measure": claim.get("same_measure") or "no",
        "bound": claim.get("bound"),
        "source": clean_text(source),
        "quoted": clean_text(f"{claim['claim']}. Source: {source}."),
        "told": ours,
        "says": f"{says}." if says else "",
        "checked": known,
        "why": "" if known else why,
        "ask_for": "" if known else claim["ask_for"],
    }


def _held(claim: Mapping) -> str:
    """What the comparison says: a verdict only where both measure the same."""
    read, same = str(claim.get("reading") or ""), claim.get("same_measure") or "no"
    within = claim.get("bound") == UP_TO and not read.endswith("below our interval") and "our interval" in read
    if not read or read.startswith(NO_CHECK):
        return ""
    told = [WITHIN if within else _read(read)] if within or same == "yes" or "too early" in read else []
    return ". ".join([*told, *([ORIENTATION[same]] if same != "yes" else [])])


def _read(reading: str) -> str:
    return READS.get(reading) or _capital(reading)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def spoken_to(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims that the data speak to. From, To: as `checked`."""
    return claims[claims["checked"]].reset_index(drop=True).astype({"n": "int64"})


def not_spoken_to(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims that the data cannot speak to: those that could be checked first, under the heading of their group.

    From, To: as `checked`; what no data of one company can speak to has a group of its own.
    """
    rest = claims[~claims["checked"]]
    rest = rest.sort_values("group", key=lambda names: names.isna(), kind="stable", ignore_index=True)
    return rest.assign(group=rest["group"].fillna(BEYOND))


def claims_in_words(claims: pd.DataFrame) -> str:
    """How many of the claims these data speak to, and how they come out, in one sentence. From: `checked`."""
    told = spoken_to(claims)
    if not len(told):
        return f"To none of the {len(claims)} published claims do these data speak."
    same = told[told["same_measure"] == "yes"]
    alike = int(same["reading"].str.contains("inside|as the article says", regex=True).sum())
    early = int(same["reading"].str.contains("too early", regex=False).sum())
    counts = {"like what is seen here": alike, "unlike it": len(same) - alike - early, "too early to say": early}
    parts = [f"{count} {'is' if count == 1 else 'are'} {words}" for words, count in counts.items() if count]
    rest = len(told) - len(same)
    parts += [f"{rest} {'measures' if rest == 1 else 'measure'} not the same, for orientation"] if rest else []
    return f"These data speak to {len(told)} of the {len(claims)} published claims: {', '.join(parts)}."
