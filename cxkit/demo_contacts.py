"""The made-up client's help desk: contacts by reason, one of which grows month by month."""

import numpy as np
import pandas as pd

from cxkit.demo_plan import Streams, improved_from, labelled, midnight, pick, read_yaml

DAY = np.timedelta64(86400, "s")
HOURS = [0, 0, 0, 0, 0, 0, 0, 2, 5, 9, 10, 10, 9, 8, 8, 8, 7, 6, 6, 5, 4, 3, 1, 0]


def contact_rates(plan: dict, created: np.ndarray) -> np.ndarray:
    """The expected contacts of an order by reason (columns), before its group's factor; one grows by the month."""
    rules = plan["contacts"]
    months = (created.astype("datetime64[M]") - np.datetime64(plan["first"], "M")).astype(np.int64)
    total = (np.datetime64(plan["last"], "M") - np.datetime64(plan["first"], "M")).astype(np.int64)
    rates = np.tile(np.array(list(rules["rates"].values())), (len(created), 1))
    for reason, (low, high) in rules["growing"].items():
        rates[:, list(rules["rates"]).index(reason)] = low + (high - low) * months / total
    return rates


def contacts(
    plan: dict, rng: Streams, people: pd.DataFrame, placed: pd.DataFrame, *, first_number: int
) -> pd.DataFrame:
    """One row a contact, in order of time; open ones lack their answer or solution.

    To: contact (integer), opened, customer, order (integers), channel, reason (categoricals), text, first_answer,
    solved, promised_answer, promised_solution, satisfaction (NaN: not rated), cost (kopiykas).
    """
    rules, reasons = plan["contacts"], list(plan["contacts"]["rates"])
    end = midnight(plan["last"]) + DAY
    own = placed[placed["row"] >= 0]
    created, n = own["created"].to_numpy(), len(own)
    factor = np.array([g["contacts"] for g in plan["groups"].values()])[own["group"].to_numpy()]
    share = np.array([g["share"] for g in plan["groups"].values()])
    rates = contact_rates(plan, created) * (factor / _mean_factor(plan, share))[:, None]
    lag = np.array([rules["lag_days"][r] for r in reasons])
    days = lag + np.floor(rng("contact.lag").random((n, len(reasons))) * (1 + lag)).astype(np.int64)
    second = pick(rng("contact.hour").random(n * len(reasons)), HOURS).reshape(n, -1) * 3600
    second += rng("contact.second").integers(0, 3600, (n, len(reasons)))
    opened = (
        created.astype("datetime64[D]").astype("datetime64[s]")[:, None] + days * DAY + second.astype("timedelta64[s]")
    )
    opened = np.maximum(opened, created[:, None] + np.timedelta64(600, "s"))
    if plan["improvement"]:
        for reason, rate in plan["improvement"]["contacts"].items():
            column = reasons.index(reason)
            better = rate * (factor / _mean_factor(plan, share))
            rates[:, column] = np.where(opened[:, column] >= improved_from(plan), better, rates[:, column])
    where, what = np.nonzero(rng("contact.happens").random((n, len(reasons))) < rates)
    frame = pd.DataFrame({"opened": opened[where, what], "reason": what, "from": where})
    frame = frame.sort_values(["opened", "from", "reason"], kind="stable", ignore_index=True)
    again = frame[rng("contact.again").random(len(frame)) < rules["repeats"]].copy()
    wait = rng("contact.again_wait").integers(20, 72, len(again)) * np.timedelta64(3600, "s")
    again["opened"] = again["opened"].to_numpy() + wait
    frame = pd.concat([frame, again], ignore_index=True).sort_values(["opened", "from", "reason"], kind="stable")
    frame = frame[frame["opened"] < end].reset_index(drop=True)
    frame["contact"] = first_number + np.arange(len(frame))
    for name in ("customer", "order", "row"):
        frame[name] = own[name].to_numpy()[frame["from"].to_numpy()]
    return _handle(plan, rng, people, frame, reasons, end)


def _mean_factor(plan: dict, share: np.ndarray) -> float:
    """Mean of the groups' contact factors by size, so that the rates hold for customers' first orders as a whole."""
    return float(share @ np.array([g["contacts"] for g in plan["groups"].values()]) / share.sum())


def _handle(
    plan: dict, rng: Streams, people: pd.DataFrame, frame: pd.DataFrame, reasons: list[str], end: np.datetime64
) -> pd.DataFrame:
    """Channel, words, answer, solution, rating and cost of each contact."""
    rules, n = plan["contacts"], len(frame)
    channels = list(rules["channel"])
    channel = pick(rng("contact.channel").random(n), list(rules["channel"].values()))
    opened = frame["opened"].to_numpy()
    mean = np.array([rules["answer_hours"][c] for c in channels])[channel] * 3600
    answer = opened + (20 + np.floor(rng("contact.answer").standard_exponential(n) * mean)).astype("timedelta64[s]")
    solve = np.floor(rng("contact.solve").standard_exponential(n) * rules["solve_hours"] * 3600).astype(np.int64)
    solved = answer + (60 + solve).astype("timedelta64[s]")
    never = np.datetime64("NaT", "s")
    frame["first_answer"] = np.where(answer < end, answer, never)
    frame["solved"] = np.where(solved < end, solved, never)
    for key in ("answer", "solution"):
        frame[f"promised_{key}"] = opened + rules["promised_hours"][key] * np.timedelta64(3600, "s")
    rating = np.clip(np.rint(4.1 - solve / 86400 * 0.4 + 0.8 * rng("contact.rating").standard_normal(n)), 1, 5)
    rated = (rng("contact.rated").random(n) < rules["rated"]) & (solved < end)
    frame["satisfaction"] = np.where(rated, rating, np.nan)
    frame["cost"] = np.array([rules["cost"][c] for c in channels])[channel] * 100
    bank = read_yaml("demo_voices.yml")
    language = people["language"].cat.codes.to_numpy()[frame["row"].to_numpy()]
    u = rng("contact.words").random((n, 3))
    texts, reason = [], frame["reason"].to_numpy()
    for i in range(n):
        tongue = ("uk", "pl", "en")[language[i]]
        opener, words, tail = (
            bank["openers"][tongue],
            bank["contacts"][reasons[reason[i]]][tongue],
            bank["personal"][tongue],
        )
        text = opener[int(u[i, 0] * len(opener))] + words[int(u[i, 1] * len(words))]
        personal = u[i, 2] / rules["personal"]  # below 1 for the share that is to have one
        texts.append(text + tail[int(personal * len(tail))] if personal < 1 else text)
    frame["text"] = texts
    frame["channel"], frame["reason"] = labelled(channel, channels), labelled(reason, reasons)
    return frame
