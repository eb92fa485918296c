"""The made-up client's surveys, invitations and reviews: means depend on group, touchpoint and service."""

import numpy as np
import pandas as pd

from cxkit.demo_plan import Streams, improved_from, labelled, midnight, pick, read_yaml

DAY = np.timedelta64(86400, "s")
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "csi_item": (1, 5), "expectation": (1, 5), "rating": (1, 5)}
LANGUAGES = ("uk", "pl", "en")
MIDDLE_NPS = 8.3  # the group mean at which csat and ces have their base
# What a comment is about, by the touchpoint that was asked about; elsewhere it is about anything.
THEME_OF = {
    "delivery": "delivery",
    "payment_page": "payment",
    "advice": "advice",
    "packaging": "packaging",
    "support": "support",
}


def surveys(plan: dict, rng: Streams, people: pd.DataFrame, placed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers and invitations after delivered orders (nps, csat, ces), each in order of time.

    To: answers (order, customer, metric, touchpoint, score, comment, incentive, asked, answered, survey (text)) and
    invitations (invited, survey, customer, incentive). Left out: guests (nobody to ask), what falls after the period.
    """
    delivered = placed["delivered"].to_numpy()
    asked_of = np.flatnonzero((placed["row"].to_numpy() >= 0) & ~np.isnat(delivered))
    answers, invited = [], []
    for metric in plan["surveys"]["asked"]:
        one, sent = _ask(plan, rng, people, placed.iloc[asked_of], metric)
        answers.append(one)
        invited.append(sent)
    waves, sent = _waves(plan, rng, people, placed)
    frame = pd.concat([*answers, waves], ignore_index=True)
    frame["item"] = labelled(frame["item"].fillna(-1).astype(int).to_numpy(), list(plan["csi"]["items"]))
    frame["touchpoint"] = labelled(
        frame["touchpoint"].fillna(-1).astype(int).to_numpy(), plan["surveys"]["touchpoints"]
    )
    sent = pd.concat([*invited, sent], ignore_index=True)
    return (
        frame.sort_values(["answered", "survey", "item"], kind="stable", ignore_index=True),
        sent.sort_values(["invited", "survey"], kind="stable", ignore_index=True),
    )


def _ask(
    plan: dict, rng: Streams, people: pd.DataFrame, asked: pd.DataFrame, metric: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rules, n = plan["surveys"], len(asked)
    draw = lambda name: rng(f"survey.{metric}.{name}")  # noqa: E731
    frame = pd.DataFrame({"order": asked["order"].to_numpy(), "customer": asked["customer"].to_numpy()})
    frame["row"], frame["group"], frame["late"] = (asked[c].to_numpy() for c in ("row", "group", "late"))
    frame["touchpoint"] = draw("touchpoint").integers(0, len(rules["touchpoints"]), n)
    frame["incentive"] = draw("incentive").random(n) < rules["incentive"]
    next_day = asked["delivered"].to_numpy().astype("datetime64[D]").astype("datetime64[s]") + DAY
    frame["asked"] = next_day + (10 * 3600 + draw("asked_at").integers(0, 3600, n)).astype("timedelta64[s]")
    wait = 300 + np.floor(40_000 * draw("wait").standard_exponential(n)).astype(np.int64)
    frame["answered"] = frame["asked"].to_numpy() + wait.astype("timedelta64[s]")
    frame["score"] = _scores(plan, people, frame, metric, draw("noise").standard_normal(n))
    chosen = (draw("chosen").random(n) < rules["asked"][metric]) & (frame["asked"] < midnight(plan["last"]) + DAY)
    rate = np.where(frame["incentive"], rules["answered"]["incentive"], rules["answered"]["plain"])
    replied = chosen & (draw("replied").random(n) < rate) & (frame["answered"] < midnight(plan["last"]) + DAY)
    frame["metric"] = metric
    frame["survey"] = metric.upper() + "-" + frame["order"].astype(str)
    comment = replied & (draw("comment").random(n) < rules["comment"])
    content = _content(plan, frame["score"].to_numpy(), metric, draw("mood").random(n))
    frame["comment"] = _comments(plan, people, frame, comment.to_numpy(), content, draw("words").random((n, 4)))
    sent = frame.loc[chosen, ["asked", "survey", "customer", "incentive"]].rename(columns={"asked": "invited"})
    columns = [
        "order",
        "customer",
        "metric",
        "touchpoint",
        "score",
        "comment",
        "incentive",
        "asked",
        "answered",
        "survey",
    ]
    return frame.loc[replied, columns].assign(item=-1), sent


def _scores(plan: dict, people: pd.DataFrame, frame: pd.DataFrame, metric: str, noise: np.ndarray) -> np.ndarray:
    """Rounded normal answers around the mean that group, touchpoint, lateness and a promised discount give."""
    rules = plan["surveys"]
    nps = np.array([g["nps"] for g in plan["groups"].values()])
    if metric == "nps":
        mean = people["attitude"].to_numpy()[frame["row"].to_numpy()].copy()
    else:
        mean = rules["base"][metric] + rules["by_group"][metric] * (nps[frame["group"].to_numpy()] - MIDDLE_NPS)
    names = np.array(rules["touchpoints"])[frame["touchpoint"].to_numpy()]
    weak = np.isin(names, list(plan["touches"]["weak"]))
    if plan["improvement"]:
        mended = np.isin(names, list(plan["improvement"]["weak"])) & (frame["asked"].to_numpy() >= improved_from(plan))
        weak &= ~mended
    mean += np.where(weak, rules["weak"][metric], 0.0)
    mean += np.where(frame["late"], rules["late"][metric], 0.0)
    mean += np.where(frame["incentive"], rules["incentive_bias"][metric], 0.0)
    return np.clip(np.rint(mean + rules["noise"][metric] * noise), *SCALES[metric]).astype(np.int64)


def _content(plan: dict, score: np.ndarray, scale: str, by_chance: np.ndarray) -> np.ndarray:
    """How content a comment sounds, 0 to 1: by its score's place on the scale; by chance where nothing is planted."""
    low, high = SCALES[scale]
    return (score - low) / (high - low) if plan["comments"]["mood"] == "score" else by_chance


def _comments(
    plan: dict, people: pd.DataFrame, frame: pd.DataFrame, here: np.ndarray, content: np.ndarray, u: np.ndarray
) -> np.ndarray:
    """Comments in the customer's language, good or bad as he is content, about the touchpoint or about anything."""
    language = people["language"].cat.codes.to_numpy()[frame["row"].to_numpy()]
    touchpoints = np.array(plan["surveys"]["touchpoints"], dtype=object)[frame["touchpoint"].to_numpy()]
    late = frame["late"].to_numpy()
    themes = [
        "delivery" if late[i] and content[i] < 0.7 else THEME_OF.get(touchpoints[i], "") if here[i] else ""
        for i in range(len(frame))
    ]
    return write_comments(here, content > 0.65, language, themes, u)


def write_comments(
    here: np.ndarray, good: np.ndarray, language: np.ndarray, themes: list[str], u: np.ndarray
) -> np.ndarray:
    """A comment for each row that is to have one (else None), from an opener, a sentence on its theme and a closer."""
    bank = read_yaml("demo_voices.yml")
    every = list(bank["comments"])
    written = np.full(len(here), None, dtype=object)
    for i in np.flatnonzero(here):
        tongue, mood = LANGUAGES[language[i]], "good" if good[i] else "bad"
        theme = themes[i] or every[int(u[i, 0] * len(every))]
        parts = [bank["openers"][tongue], bank["comments"][theme][mood][tongue], bank["closers"][mood][tongue]]
        written[i] = "".join(part[int(x * len(part))] for part, x in zip(parts, u[i, 1:], strict=True))
    return written


def _waves(plan: dict, rng: Streams, people: pd.DataFrame, placed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The satisfaction index: in each wave, what was expected of each item and what was experienced."""
    rules, items = plan["csi"], list(plan["csi"]["items"])
    answers, invited = [], []
    for number, day in enumerate(rules["waves"], start=1):
        draw = lambda name, number=number: rng(f"csi.{number}.{name}")  # noqa: E731
        start = midnight(day) + np.timedelta64(36_000, "s")
        created, row = placed["created"].to_numpy(), placed["row"].to_numpy()
        recent = np.unique(row[(row >= 0) & (created < start) & (created >= start - 182 * DAY)])
        chosen = draw("chosen").random(len(people))[recent] < rules["asked"]
        replied = chosen & (draw("replied").random(len(people))[recent] < rules["answered"])
        asked = start + draw("asked").integers(0, 3600, len(people))[recent].astype("timedelta64[s]")
        wait = draw("wait").integers(600, 500_000, len(people))[recent].astype("timedelta64[s]")
        customer = people["customer"].to_numpy()[recent]
        survey = np.array([f"CSI{number}-{c}" for c in customer], dtype=object)
        invited.append(
            pd.DataFrame({"invited": asked, "survey": survey, "customer": customer, "incentive": False})[chosen]
        )
        noise = draw("noise").standard_normal((len(people), 2 * len(items)))[recent]
        mean = np.array([rules["items"][i] for i in items])
        gap = np.array([rules["gap"].get(i, 0.0) for i in items])
        scores = np.clip(np.rint(np.r_[mean, mean + gap] + rules["noise"] * noise), 1, 5).astype(np.int64)
        who = np.flatnonzero(replied)
        for part, metric in enumerate(("expectation", "csi_item")):
            for j in range(len(items)):
                frame = pd.DataFrame({"order": -1, "customer": customer[who], "metric": metric, "item": j})
                frame["score"], frame["survey"] = scores[who, part * len(items) + j], survey[who]
                frame["asked"], frame["answered"] = asked[who], (asked + wait)[who]
                answers.append(frame.assign(touchpoint=-1, comment=None, incentive=False))
    return pd.concat(answers, ignore_index=True), pd.concat(invited, ignore_index=True)


def reviews(plan: dict, rng: Streams, people: pd.DataFrame, placed: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row a public review, in order of time: rating by group and lateness, of an order's first product.

    To: written, rating, text, product (row of the catalogue), source, customer, replied (empty: never).
    """
    rules = plan["reviews"]
    goods = lines[lines["product"] >= 0].groupby("order_row")["product"].first()
    frame = placed.loc[
        (placed["row"] >= 0) & placed["delivered"].notna(), ["customer", "row", "group", "late", "delivered"]
    ]
    frame["product"] = goods.reindex(frame.index).to_numpy()
    n = len(frame)
    later = rng("review.later").integers(3 * 3600, 10 * 86400, n).astype("timedelta64[s]")
    frame["written"] = frame["delivered"].to_numpy() + later
    nps = np.array([g["nps"] for g in plan["groups"].values()])
    base, slope = plan["surveys"]["base"]["csat"], plan["surveys"]["by_group"]["csat"]
    mean = base + slope * (nps[frame["group"].to_numpy()] - MIDDLE_NPS)
    mean += np.where(frame["late"], plan["surveys"]["late"]["csat"], 0.0)
    noise = plan["surveys"]["noise"]["csat"] * rng("review.noise").standard_normal(n)
    frame["rating"] = np.clip(np.rint(mean + noise), *SCALES["rating"]).astype(np.int64)
    here = (rng("review.here").random(n) < rules["written"]) & (
        frame["written"] < midnight(plan["last"]) + DAY
    ).to_numpy()
    language = people["language"].cat.codes.to_numpy()[frame["row"].to_numpy()]
    themes = np.where(frame["late"], "delivery", "").tolist()
    content = _content(plan, frame["rating"].to_numpy(), "rating", rng("review.mood").random(n))
    frame["text"] = write_comments(here, content > 0.65, language, themes, rng("review.words").random((n, 4)))
    frame["source"] = labelled(
        pick(rng("review.source").random(n), list(rules["sources"].values())), list(rules["sources"])
    )
    wait = rng("review.reply_wait").integers(3600, 5 * 86400, n).astype("timedelta64[s]")
    reply = frame["written"].to_numpy() + wait
    silent = (rng("review.replied").random(n) >= rules["answered"]) | (reply >= midnight(plan["last"]) + DAY)
    frame["replied"] = np.where(silent, np.datetime64("NaT", "s"), reply)
    return frame[here].sort_values(["written", "customer"], kind="stable", ignore_index=True)
