"""What happens at each stage of the journey: who gets there, who goes on, how long it takes, how content they are."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pandas as pd

from cxkit.engine import collect
from cxkit.errors import UsageError
from cxkit.estimates import Estimate, cluster_error, wilson, wilson_ends
from cxkit.stages import GOAL
from cxkit.survival import survival_quantiles

METRICS = ("csat", "nps", "ces")
ENDS = ("", "_low", "_high", "_n")
SUPPORT = "support"
ASKED = "evaluation"  # the stage to which customers come by being asked
MINUTES_A_DAY = 1440
GOING = ("goes_on", "goes_on_low", "goes_on_high", "goes_on_n", "days_q25", "days_median", "days_median_low",
         "days_median_high", "days_q75", "days_n")  # fmt: skip
# what the maps of one journey have in common
SHARED = ("until", "within_days", "level", "of_customers", "of_unknown_sessions", "since", "to")


def journey_map(
    touches: ibis.Table,
    *,
    stages: pd.DataFrame,
    until: datetime,
    within_days: int = 30,
    only: Sequence[str] = (),
    scores: pd.DataFrame | None = None,
    quotes: pd.DataFrame | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """The figures of the journey map, one row a stage in its order; a stage without a touch stays, with 0.

    From: touches; `stages.read_stages`; `until`: the end of the data (UTC; touches after it are left out);
    `only`: the stages to keep, for a map of a part (their figures are those of the whole map); scores: frame stage,
    metric (nps, csat, ces), value, low, high, n; quotes: frame stage, quote, as they may be shown.
    To: position, stage, name, path; touchpoints (how many), channels (text, the most used first); customers reached,
    unknown_sessions reached (nobody known), touches;
    goes_on: of customers whose first touch at the stage lies at least `within_days` before `until`, the share with a
    touch at a later main stage within `within_days` of it (Wilson); missing, as the days, where none is in the data;
    visit_goes_on: of visits that touch the stage, the share that get to a later main stage in the same visit, or, at
    the stage that holds the order, place it (Wilson's interval with the n that visits of as many strangers would need,
    a visitor's visits being alike); missing where no visit of anybody got further: what follows is no visit;
    days_q25, days_median, days_q75: days from a customer's first touch at the stage to his first at a later main stage
    after it, by a survival estimate, those who did not get there censored at `until`; days_n;
    leads_on (yes/no: a main stage with data, and more than evaluation, comes later: who has his parcel and answers no
    survey is not lost);
    nps, csat, ces from `scores`; contacts (support asked by customers whose last touch at a main stage before was
    here) and contacts_per_100 customers reached (missing where nobody known asked at all); quote_1, quote_2;
    of_customers, of_unknown_sessions (at any stage), since, to (local days of the first and last touch), until,
    within_days, level. Shares, medians, scores and contacts_per_100 have further columns _low, _high, _n.
    What is left out: touches without a stage, though a contact without one is a contact; of all that needs a time,
    touches that have none (`timed` false);
    customers too young for the window (left out of goes_on, not lost). To get to a stage aside (support, return) is no
    progress, so there and at the last main stage nobody goes on. Durations are cut to whole minutes under a day, to
    whole hours above, and counted in the engine. Somebody who comes straight to a later stage and never to this one is
    no customer of this one; a later stage can be reached without those between.
    Source: Wilson (1927), JASA 22(158), 209-212; for clustered shares Korn & Graubard (1998), Survey Methodology
    24(2), 193-201, with Wilson's interval; Brookmeyer & Crowley (1982), Biometrics 38(1), 29-41; contacts: Garwood
    (1936), Biometrika 28(3/4), 437-442, scaled by the spread between customers.
    Raises UsageError where `only` names a stage that is none, or until, a window or a level makes no sense.
    """
    _check(stages, only, until, within_days, level)
    end = until.astimezone(UTC).replace(tzinfo=None) if until.tzinfo else until
    every = _placed(touches, stages, end)
    log = every.filter(every["place"] >= 0)
    main = list(np.flatnonzero(stages["path"] == "main"))
    frame = stages[["stage", "name", "path"]].reset_index(drop=True)
    frame.insert(0, "position", np.arange(1, len(frame) + 1))
    frame = frame.join(_reached(log, len(frame)))
    met = (frame["touches"] > 0) & (frame["path"] == "main") & (frame["stage"] != ASKED)
    frame["leads_on"] = [bool(met[place:].any()) and frame["path"][place - 1] == "main" for place in frame["position"]]
    frame = frame.join(_customers_go_on(log, main, frame["customers"], end, within_days, level).reindex(frame.index))
    frame = frame.join(_visits_go_on(log, main, level).reindex(frame.index))
    for name in ("goes_on_n", "visit_goes_on_n", "days_n"):
        frame[name] = frame[name].fillna(0).astype("int64")
    for metric in METRICS:
        frame = frame.join(_scored(scores, metric, frame["stage"]))
    frame = frame.join(_contacts(every, frame["customers"].where(frame["path"] == "main", 0), level))
    for number in (1, 2):
        frame[f"quote_{number}"] = _quoted(quotes, number, frame["stage"])
    frame = frame.assign(**_basis(log), until=pd.Timestamp(end), within_days=within_days, level=level)
    return frame[frame["stage"].isin(only)].reset_index(drop=True) if only else frame


def _check(stages: pd.DataFrame, only: Sequence[str], until: datetime, within_days: int, level: float) -> None:
    valid = stages["stage"].to_list()
    if unknown := ", ".join(repr(name) for name in only if name not in valid):
        raise UsageError(f"only names {unknown}, which is no stage; valid are {', '.join(valid)}.")
    if not isinstance(until, datetime):
        raise UsageError(f"until must be a time (the end of the data, UTC); found {until!r}.")
    if within_days < 1:
        raise UsageError(f"within_days must be at least 1; found {within_days}.")
    if not 0 < level < 1:
        raise UsageError(f"level lies between 0 and 1; found {level}.")


def _placed(touches: ibis.Table, stages: pd.DataFrame, end: datetime) -> ibis.Table:
    """Touches with the place of their stage (0: the first, -1: none) and its rank (the same, but -1 for one aside)."""
    log = touches.filter(touches.occurred_at <= ibis.literal(end, "timestamp(6)"))
    place = ibis.cases(*((log.stage == name, number) for number, name in enumerate(stages["stage"])), else_=-1)
    aside = log.stage.isin(stages.loc[stages["path"] != "main", "stage"].to_list())
    return log.mutate(place=place.cast("int32"), rank=aside.ifelse(-1, place).cast("int32"))


def _basis(log: ibis.Table) -> dict[str, object]:
    found = log.aggregate(
        of_customers=log.customer_id.nunique(),
        of_unknown_sessions=log.visitor.nunique(where=log.customer_id.isnull()),
        since=log.occurred_on.min(),
        to=log.occurred_on.max(),
    )
    row = collect(found, order_by="of_customers").iloc[0]
    days = {name: pd.Timestamp(row[name]) for name in ("since", "to")}
    return {name: int(row[name]) for name in ("of_customers", "of_unknown_sessions")} | days


def _reached(log: ibis.Table, count: int) -> pd.DataFrame:
    numbers = log.group_by("place").aggregate(
        touchpoints=log.touchpoint.nunique(),
        customers=log.customer_id.nunique(),
        unknown_sessions=log.visitor.nunique(where=log.customer_id.isnull()),
        touches=log.count(),
    )
    frame = collect(numbers, order_by="place").set_index("place").reindex(range(count)).fillna(0).astype("int64")
    used = log.filter(log.channel.notnull()).group_by("place", "channel").aggregate(touches=ibis._.count())
    ranked = collect(used, order_by=["place", ibis.desc("touches"), "channel"])
    channels = {place: ", ".join(rows["channel"]) for place, rows in ranked.groupby("place")}
    frame.insert(1, "channels", [channels.get(place, "") for place in frame.index])
    return frame


def _first_and_next(log: ibis.Table, keys: list[str], main: list[int], *, goal: bool = False) -> ibis.Table:
    """A row a customer (or visit): first_k, his first touch at stage k, and next_k, the first at a later main stage
    from then on (touches at one instant are in the order of their stages); `goal`: or the first order, there too."""
    firsts = log.group_by(keys).aggregate(
        **{f"first_{k}": log.occurred_at.min(where=log["rank"] == k) for k in main[:-1]}
    )
    both = log.join(firsts, keys)
    begins = {f"first_{k}": both[f"first_{k}"].max() for k in main[:-1]}
    follows = {}
    for k in main[:-1]:
        further = both["rank"] > k
        if goal:
            further |= (both["rank"] == k) & (both.touchpoint == GOAL)
        follows[f"next_{k}"] = both.occurred_at.min(where=further & (both.occurred_at >= both[f"first_{k}"]))
    return both.group_by(keys).aggregate(**begins, **follows).cache()


def _customers_go_on(log, main: list[int], reached: pd.Series, end: datetime, days: int, level: float) -> pd.DataFrame:
    if len(main) < 2:
        return pd.DataFrame(columns=GOING, dtype="float64")
    wide = _first_and_next(log.filter(log.timed, log["rank"] >= 0, log.customer_id.notnull()), ["customer_id"], main)
    window, last_entry = ibis.interval(days=days), end - timedelta(days=days)
    parts = []
    for k in main[:-1]:
        here = wide.filter(wide[f"first_{k}"].notnull())
        first, follows = here[f"first_{k}"], here[f"next_{k}"]
        seconds = follows.fill_null(ibis.literal(end, "timestamp(6)")).epoch_seconds() - first.epoch_seconds()
        minutes = (seconds < 60 * MINUTES_A_DAY).ifelse(seconds // 60, seconds // 3600 * 60)
        here = here.select(
            place=ibis.literal(int(k), "int32"),
            minutes=minutes.cast("int64"),
            observed=follows.notnull(),
            old=first <= ibis.literal(last_entry, "timestamp(6)"),
            gone=(follows <= first + window).fill_null(False),
        )
        parts.append(here.group_by(here.columns).aggregate(count=ibis._.count()))
    counts = ibis.union(*parts) if len(parts) > 1 else parts[0]
    rows = {}
    for k, found in collect(counts, order_by=["place", "minutes", "observed", "old", "gone"]).groupby("place"):
        if not reached[[later for later in main if later > k]].any():
            continue  # the data hold nothing later
        weights, old = found["count"].to_numpy(), found["old"].to_numpy(dtype=bool)
        gone, observed = (found[name].to_numpy(dtype=bool) for name in ("gone", "observed"))
        share = wilson(int(weights[old & gone].sum()), int(weights[old].sum()), level=level)
        lasted = found["minutes"].to_numpy() / MINUTES_A_DAY
        quarter, median, rest = survival_quantiles(lasted, observed, weights=weights, q=(0.25, 0.5, 0.75), level=level)
        rows[k] = _fields("goes_on", share) | _fields("days_median", median)
        rows[k] |= {"days_q25": quarter.value, "days_q75": rest.value, "days_n": int(weights.sum())}
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=GOING).astype("float64")


def _fields(name: str, estimate: Estimate) -> dict[str, float]:
    return {f"{name}{part}": getattr(estimate, part[1:] or "value") for part in ENDS}


def _visits_go_on(log: ibis.Table, main: list[int], level: float) -> pd.DataFrame:
    columns = [f"visit_goes_on{part}" for part in ENDS]
    if len(main) < 2:
        return pd.DataFrame(columns=columns, dtype="float64")
    seen = log.filter(log.timed, log["rank"] >= 0, log.session.notnull())
    wide = _first_and_next(seen, ["visitor", "session"], main, goal=True)
    sums = {}
    for k in main[:-1]:
        sums |= {f"whole_{k}": wide[f"first_{k}"].count(), f"part_{k}": wide[f"next_{k}"].count()}
    people = wide.group_by("visitor").aggregate(**sums)
    totals = {}
    for k in main[:-1]:
        part, whole = people[f"part_{k}"], people[f"whole_{k}"]
        totals |= {f"part_{k}": part.sum(), f"whole_{k}": whole.sum(), f"part_sq_{k}": (part * part).sum()}
        totals |= {f"cross_{k}": (part * whole).sum(), f"whole_sq_{k}": (whole * whole).sum()}
        totals |= {f"clusters_{k}": (whole > 0).sum()}
    row = collect(people.aggregate(**totals), order_by="part_" + str(main[0])).iloc[0].fillna(0)
    names = ("part", "whole", "part_sq", "cross", "whole_sq", "clusters")
    part, whole, part_sq, cross, whole_sq, clusters = (
        np.array([float(row[f"{name}_{k}"]) for k in main[:-1]]) for name in names
    )
    reach = seen.aggregate(last=seen["rank"].max(), goal=seen["rank"].max(where=seen.touchpoint == GOAL))
    reach = collect(reach, order_by="last").iloc[0].fillna(-1)
    further = [k < reach["last"] or k == reach["goal"] for k in main[:-1]]
    whole = np.where(further, whole, 0.0)
    low, high = _visit_ends(part, whole, part_sq, cross, whole_sq, clusters, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
    return pd.DataFrame(dict(zip(columns, (share, low, high, whole), strict=True)), index=main[:-1])


def _visit_ends(part, whole, part_sq, cross, whole_sq, clusters, *, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of shares of visits from sums over visitors: Wilson's, with as many visits as strangers would need."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part / whole
        error = cluster_error(part_sq, cross, whole_sq, whole, share, clusters)
        # how many visits of strangers would tell as much: by the ratio of the two variances, and by what t has to be
        # wider for few visitors; where the spread tells nothing (all or none go on), as many as there are visitors
        worth = share * (1 - share) / error**2 * whole / (whole - 1) * (_t(whole, level) / _t(clusters, level)) ** 2
        worth = np.minimum(np.where((error > 0) & np.isfinite(worth), worth, clusters), whole)
        return wilson_ends(share * worth, worth, level=level)


def _t(n: np.ndarray, level: float) -> np.ndarray:
    """Student's t for a mean of n."""
    from scipy.special import stdtrit

    return stdtrit(np.maximum(n - 1, 1), (1 + level) / 2)


def _contacts(log: ibis.Table, customers: pd.Series, level: float) -> pd.DataFrame:
    """contacts and contacts_per_100 (with interval and n) of each stage, by where the customer stood before."""
    known = log.filter(log.timed, log.customer_id.notnull())
    # however the workshop's sheet spells it
    asked = (known.origin == "contacts") & (known.touchpoint.strip().lower() == SUPPORT)
    known = known.mutate(asked=asked.ifelse(1, 0))
    people = known.filter(known.asked == 1).select("customer_id").distinct()
    known = known.semi_join(people, "customer_id")
    own = {"group_by": "customer_id", "order_by": ["occurred_at", "asked", "rank"]}
    known = known.mutate(turn=ibis.row_number().over(**own))
    # turn and rank in one number, so that the latest touch at a main stage is a running maximum
    size = len(customers)
    stood = (known["rank"] >= 0).ifelse(known.turn * size + known["rank"], ibis.null("int64"))
    known = known.mutate(stood=stood.max().over(**own, rows=(None, -1)) % size)
    each = known.filter(known.asked == 1).group_by("stood", "customer_id").aggregate(contacts=ibis._.count())
    sums = each.group_by("stood").aggregate(contacts=each.contacts.sum(), squares=(each.contacts * each.contacts).sum())
    sums = collect(sums, order_by="stood")
    found = sums.dropna(subset="stood").set_index("stood").reindex(customers.index).fillna(0).astype("float64")
    count, n = found["contacts"].to_numpy(), customers.to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = count / n
        spread = (found["squares"].to_numpy() - n * rate**2) / np.maximum(n - 1, 1) / rate
        low, high = _poisson_ends(count, np.maximum(np.where(np.isfinite(spread), spread, 1.0), 1.0), level)
        low, high = 100 * low / n, 100 * high / n
    told = (n > 0) & (len(sums) > 0)  # without a contact of anybody, nobody kept a record of them
    rate, low, high = (np.where(told, ends, np.nan) for ends in (100 * rate, low, high))
    columns = [f"contacts_per_100{part}" for part in ENDS]
    frame = pd.DataFrame(dict(zip(columns, (rate, low, high, customers), strict=True)), index=customers.index)
    frame.insert(0, "contacts", count.astype("int64"))
    return frame


def _poisson_ends(count: np.ndarray, spread: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of a count's interval (Garwood's, exact for Poisson), widened where single customers hold many."""
    from scipy.special import gammaincinv

    error, worth = 1 - level, count / spread
    low = np.where(worth > 0, gammaincinv(np.maximum(worth, 1e-9), error / 2), 0.0)
    return spread * low, spread * gammaincinv(worth + 1, 1 - error / 2)


def _scored(scores: pd.DataFrame | None, metric: str, stages: pd.Series) -> pd.DataFrame:
    columns, names = ["value", "low", "high", "n"], [f"{metric}{part}" for part in ENDS]
    if scores is None or not len(scores):
        found = pd.DataFrame(np.nan, index=stages.index, columns=names)
    else:
        rows = scores[(scores["metric"] == metric) & scores["stage"].notna()].set_index("stage")[columns]
        found = rows.reindex(stages).set_axis(names, axis=1).set_index(stages.index).astype("float64")
    return found.assign(**{f"{metric}_n": found[f"{metric}_n"].fillna(0).astype("int64")})


def _quoted(quotes: pd.DataFrame | None, number: int, stages: pd.Series) -> pd.Series:
    if quotes is None or not len(quotes):
        return pd.Series(None, index=stages.index, dtype=object)
    said = quotes.dropna(subset=["stage", "quote"])
    rows = said[said.groupby("stage").cumcount() == number - 1].set_index("stage")["quote"]
    return stages.map(rows).astype(object).where(lambda text: text.notna(), None)


def join_maps(*maps: pd.DataFrame) -> pd.DataFrame:
    """Maps of parts of one journey as one map: start small, and let the map grow.

    From: `journey_map`, each with some of the stages. To: the stages of all of them in order, each once.
    Source: S4 (start with one part of the process, work it out, and the map grows step by step).
    Raises UsageError where the maps rest on other data or settings, where two of them give the same stage other figures
    or put two stages in one place, and where there is no map.
    """
    if not maps:
        raise UsageError("there is no map to join; give at least one.")
    joined = pd.concat([frame for frame in maps if len(frame)] or [maps[0]], ignore_index=True)
    mend = "Maps that join rest on the same data, stages and settings; to see two side by side, use compare_maps."
    for name in SHARED:
        if len(found := joined[name].unique()) > 1:
            raise UsageError(f"the maps differ in {name}: {', '.join(str(value) for value in found)}. {mend}")
    joined = joined.drop_duplicates(ignore_index=True)
    if twice := sorted(set(joined.loc[joined["stage"].duplicated(), "stage"])):
        raise UsageError(f"two maps give other figures for {', '.join(twice)}. {mend}")
    if len(both := joined.loc[joined["position"].duplicated(keep=False), "stage"]):
        raise UsageError(f"two maps put other stages in one place: {', '.join(sorted(both))}. {mend}")
    return joined.sort_values("position", ignore_index=True)
