"""The made-up client's sessions: a Markov chain over touchpoints with planted weak points, and its queries."""

import numpy as np
import pandas as pd

from cxkit.demo_plan import Streams, improved_from, labelled, midnight, pick, read_yaml

DAY = np.timedelta64(86400, "s")
NIGHT = np.timedelta64(3 * 3600, "s")  # the improvement reaches sessions at 3 o'clock, so that none straddles it
ORDER_PLACED = "order_placed"


def go_on(plan: dict, *, improved: bool = False) -> dict[str, float]:
    """The probability that a session goes on from each touchpoint."""
    rules = plan["touches"]
    chances = {t: rules["weak"].get(t, rules["go_on"]) for t in rules["next"]}
    return chances | (plan["improvement"]["weak"] if improved and plan["improvement"] else {})


def chain(plan: dict, *, improved: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The Markov chain: entry probabilities, steps (a row a touchpoint; last column: the order), chance of an order.

    The chance of an order from each touchpoint solves h = P h + r (P: steps among touchpoints, r: steps to the order).
    """
    names = list(plan["touches"]["next"])
    stays = go_on(plan, improved=improved)
    steps = np.zeros((len(names), len(names) + 1))
    for i, name in enumerate(names):
        for to, share in plan["touches"]["next"][name].items():
            steps[i, len(names) if to == ORDER_PLACED else names.index(to)] = stays[name] * share
    entry = np.array([plan["touches"]["entry"].get(name, 0.0) for name in names])
    chance = np.linalg.solve(np.eye(len(names)) - steps[:, :-1], steps[:, -1])
    return entry, steps, chance


def conversion(plan: dict, *, improved: bool = False) -> float:
    """The share of sessions that end with an order."""
    entry, _, chance = chain(plan, improved=improved)
    return float(entry @ chance)


def _conditioned(plan: dict, *, improved: bool, won: bool) -> tuple[np.ndarray, np.ndarray]:
    """The chain given how it ends (Doob's h-transform): entry, and steps with the end as last column.

    Sessions of both kinds, mixed as the chain mixes them, are sessions of the chain itself; so orders can be given
    (they come from the purchase process) and their sessions still follow the chain.
    """
    entry, steps, chance = chain(plan, improved=improved)
    end = chance if won else 1 - chance
    last = steps[:, -1] if won else 1 - steps.sum(axis=1)
    inner = np.column_stack([steps[:, :-1] * end, last]) / end[:, None]
    first = entry * end
    return first / first.sum(), inner


def sessions(
    plan: dict, rng: Streams, people: pd.DataFrame, placed: pd.DataFrame, *, first_number: int
) -> pd.DataFrame:
    """One row a session, in order of time: those that end with an order on site or in the app, and those that do not.

    To: session (integer), time (the order's time, or the start), won (yes/no), improved (yes/no), order (or -1),
    customer (or -1: a visitor), language, app (yes/no), device, source.
    Left out: what came before `touches.from`, orders of the marketplace and the stores, cancelled tries.
    """
    rules = plan["touches"]
    start = midnight(rules["from"])
    here = placed["channel"].isin(["app", "web"]) & ~placed["cancelled"] & (placed["created"].to_numpy() >= start)
    bought = placed[here.to_numpy()]
    share = conversion(plan)
    lost = round(len(bought) * (1 - share) / share)
    anchor = rng("session.anchor").integers(0, max(len(bought), 1), lost)
    length = int((midnight(plan["last"]) + DAY - start) / DAY)
    shift = np.rint(20 * rng("session.shift").standard_normal(lost)).astype(np.int64)
    day = (bought["created"].to_numpy()[anchor].astype("datetime64[D]") - start.astype("datetime64[D]")).astype(
        np.int64
    )
    inside = (day + shift >= 0) & (day + shift < length)
    day += np.where(inside, shift, 0)  # so visits have the orders' own course, up to both ends of the period
    group = bought["group"].to_numpy()[anchor]
    hours = np.array([plan["hours"][g["hours"]] for g in plan["groups"].values()])
    second = pick(rng("session.hour").random(lost), hours, group) * 3600 + rng("session.second").integers(0, 3600, lost)
    frame = pd.DataFrame({"time": start + day * DAY + second.astype("timedelta64[s]"), "won": False, "order": -1})
    known = rng("session.known").random(lost) < rules["known"]
    frame["customer"] = np.where(known, bought["customer"].to_numpy()[anchor], -1)
    frame["row"] = np.where(known, bought["row"].to_numpy()[anchor], -1)
    frame["app"] = rng("session.app").random(lost) < rules["app"]
    wins = pd.DataFrame({"time": bought["created"].to_numpy(), "won": True, "order": bought["order"].to_numpy()})
    wins["customer"], wins["row"] = bought["customer"].to_numpy(), bought["row"].to_numpy()
    wins["app"] = (bought["channel"] == "app").to_numpy()
    frame = pd.concat([frame, wins], ignore_index=True).sort_values(["time", "won"], kind="stable", ignore_index=True)
    frame["improved"] = frame["time"].to_numpy() >= improved_from(plan) + NIGHT
    if plan["improvement"]:  # better sites need fewer visits for an order
        after = conversion(plan, improved=True)
        kept = (1 - after) / after / ((1 - share) / share)
        stays = frame["won"] | ~frame["improved"] | (rng("session.thinned").random(len(frame)) < kept)
        frame = frame[stays].reset_index(drop=True)
    n = len(frame)
    frame["session"] = first_number + np.arange(n)
    frame["source"] = labelled(
        pick(rng("session.source").random(n), list(rules["sources"].values())), list(rules["sources"])
    )
    names = ["mobile", "desktop", "tablet"]
    weights = np.array([[rules["devices"][k].get(d, 0.0) for d in names] for k in ("web", "app")])
    frame["device"] = labelled(
        pick(rng("session.device").random(n), weights, frame["app"].to_numpy().astype(int)), names
    )
    spoken = people["language"].cat.codes.to_numpy()
    stranger = spoken[rng("session.stranger").integers(0, len(people), n)]
    frame["language"] = np.where(frame["row"] >= 0, spoken[frame["row"].to_numpy()], stranger)
    return frame


def events(plan: dict, rng: Streams, visits: pd.DataFrame) -> pd.DataFrame:
    """One row a touch, sessions together and in order: the chain walked until each session has ended.

    To: visit (row of `visits`), touchpoint (categorical), time. Gaps between touches are 3 s to 10 min; a session
    with an order ends at the order's time.
    """
    names = list(plan["touches"]["next"])
    size = len(names)
    kinds = [_conditioned(plan, improved=i, won=w) for w in (False, True) for i in (False, True)]
    kind = visits["won"].to_numpy().astype(int) * 2 + visits["improved"].to_numpy().astype(int)
    n = len(visits)
    state = pick(rng("touch.entry").random(n), np.array([k[0] for k in kinds]), kind)
    table = np.concatenate([k[1] for k in kinds])
    alive = np.arange(n)
    who, where, step = [], [], 0
    while len(alive):
        who.append(alive)
        where.append(state[alive])
        state[alive] = pick(rng(f"touch.step.{step}").random(len(alive)), table, kind[alive] * size + state[alive])
        alive = alive[state[alive] < size]
        step += 1
    won = np.flatnonzero(visits["won"].to_numpy())
    order = np.concatenate([np.full(len(w), i) for i, w in enumerate(who)] + [np.full(len(won), step)])
    visit = np.concatenate([*who, won])
    touch = np.concatenate([*where, np.full(len(won), size)])
    place = np.lexsort((order, visit))
    visit, touch = visit[place], touch[place]
    first = np.diff(visit, prepend=-1) != 0
    gap = np.minimum(3 + np.floor(45 * rng("touch.gap").standard_exponential(len(visit))), 600).astype(np.int64)
    gap[first] = 0
    total = np.cumsum(gap)
    begun = total[first][visit]
    last = total[np.diff(visit, append=n) != 0][visit]
    offset = np.where(visits["won"].to_numpy()[visit], total - last, total - begun)
    time = visits["time"].to_numpy()[visit] + offset.astype("timedelta64[s]")
    frame = pd.DataFrame({"visit": visit, "touchpoint": labelled(touch, [*names, ORDER_PLACED]), "time": time})
    return frame[frame["time"] < midnight(plan["last"]) + DAY].reset_index(drop=True)


def searches(
    plan: dict, rng: Streams, visits: pd.DataFrame, touches: pd.DataFrame, *, first_number: int
) -> pd.DataFrame:
    """One row a query: every touch of the search. A session looks for one thing, in the words of its language.

    To: query (integer id), touch (row of `touches`), text, results, clicked (the next touch is a product), topic.
    """
    facts, bank = plan["topics"], read_yaml("demo_texts.yml")["queries"]
    topics = [*facts["missing"], *facts["found"]]
    lost = np.array([*facts["missing"].values(), *facts["found"].values()])
    won = lost * np.where(np.arange(len(topics)) < len(facts["missing"]), facts["missing_in_orders"], 1.0)
    ends = visits["won"].to_numpy().astype(int)
    topic_of = pick(rng("search.topic").random(len(visits)), np.array([lost, won]), ends)
    touchpoint = touches["touchpoint"].to_numpy()
    rows = np.flatnonzero(touchpoint == "search")
    visit = touches["visit"].to_numpy()
    n = len(rows)
    topic, language = topic_of[visit[rows]], visits["language"].to_numpy()[visit[rows]]
    u = rng("search.words").random(n)
    odd = rng("search.misspelt").random(n) < facts["nothing_found"]
    at = rng("search.misspelt_at").random(n)
    found = 3 + np.floor(38 * rng("search.results").random(n)).astype(np.int64)
    missing = topic < len(facts["missing"])
    odd &= ~missing
    texts = []
    for i in range(n):
        variants = bank[topics[topic[i]]][("uk", "pl", "en")[language[i]]]
        text = variants[int(u[i] * len(variants))]
        cut = 1 + int(at[i] * (len(text) - 2))
        texts.append(text[:cut] + text[cut + 1 :] if odd[i] else text)
    after = np.minimum(rows + 1, len(touches) - 1)
    follows = (visit[after] == visit[rows]) & (touchpoint[after] == "product") & (after > rows)
    results = np.where(missing | odd, 0, found)
    frame = pd.DataFrame({"query": first_number + np.arange(n), "touch": rows, "text": texts, "results": results})
    frame["clicked"] = follows & (results > 0)
    frame["topic"] = labelled(topic, topics)
    return frame
