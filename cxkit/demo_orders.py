"""The made-up client's customers, goods and orders: BG/NBD (or renewals) for when, Gamma-Gamma for how much."""

import numpy as np
import pandas as pd

from cxkit.demo_plan import Streams, group_matrix, improved_from, labelled, midnight, pick, read_yaml

DAY = np.timedelta64(86400, "s")
PRODUCTS_A_CATEGORY = 30
# First orders by weekday (Monday first) and month: a busy Sunday and Monday, a busy November and December.
WEEKDAYS = np.array([1.15, 1.0, 0.95, 0.95, 0.9, 0.95, 1.1])
MONTHS = np.array([0.85, 0.9, 1.0, 0.95, 1.0, 0.9, 0.85, 1.0, 1.1, 1.05, 1.3, 1.35])


def catalogue(plan: dict) -> pd.DataFrame:
    """The shop's goods: thirty a category, prices evenly spaced on a logarithmic scale.

    To: sku (text), product, category, parent, price and cost in kopiykas. The same for every seed.
    """
    words = read_yaml("demo_texts.yml")["catalogue"]
    rows = []
    for c, (category, facts) in enumerate(plan["categories"].items()):
        prices = np.exp(np.linspace(np.log(facts["low"]), np.log(facts["high"]), PRODUCTS_A_CATEGORY))
        nouns = words["nouns"][category]
        for j, price in enumerate(prices):
            brand, make = words["brands"][(c + 5 * j) % len(words["brands"])], words["makes"][j // len(nouns)]
            name = f"{brand} {nouns[j % len(nouns)]} {make}"
            kopiykas = round(price) * 100 - 10
            cost = round(kopiykas * facts["cost"])
            rows.append((f"{category[:2].upper()}{c:02d}-{j + 1:03d}", name, category, facts["parent"], kopiykas, cost))
    return pd.DataFrame(rows, columns=["sku", "product", "category", "parent", "price", "cost"])


def customers(plan: dict, rng: Streams, *, first_id: int, count: int) -> pd.DataFrame:
    """One row a customer, in order of the first order's day.

    To: customer (integer id), group (code), first_day (from the period's first, integer), the customer's own purchase
    rate a week, dropout probability, order value's scale (`mean_value`, kopiykas) and mean NPS (`attitude`), country,
    city, language, consent, referred_by (id or -1), acquisition (label), cost (kopiykas), label, known (False: left out
    of the customers' file on purpose).
    """
    groups = list(plan["groups"].values())
    group = pick(rng("customer.group").random(count), [g["share"] for g in groups])
    first_day = np.sort(_first_days(plan, rng("customer.first_day").random(count)))
    rate, dropout, mean_value = np.empty(count), np.empty(count), np.empty(count)
    for code, facts in enumerate(groups):
        here = np.flatnonzero(group == code)
        draw = rng(f"customer.traits.{code}")
        buys, spend = facts["purchases"], facts["spend"]
        if "rate" in buys:  # the same for everybody
            rate[here], dropout[here], mean_value[here] = buys["rate"], buys["dropout"], spend["mean"] * 100.0
            continue
        if "every_days" in buys:
            rate[here], dropout[here] = 7 / buys["every_days"], draw.beta(buys["alpha"], buys["beta"], len(here))
        else:
            rate[here] = draw.standard_gamma(buys["r"], len(here)) / buys["alpha"]
            dropout[here] = draw.beta(buys["a"], buys["b"], len(here))
        scale = (spend["q"] - 1) * spend["mean"] * 100.0
        mean_value[here] = scale / draw.standard_gamma(spend["q"], len(here))
    frame = pd.DataFrame({"customer": first_id + np.arange(count), "group": group, "first_day": first_day})
    frame["rate"], frame["dropout"], frame["mean_value"] = rate, dropout, mean_value
    nps = np.array([g["nps"] for g in groups])
    frame["attitude"] = nps[group] + plan["attitude_sd"] * rng("customer.attitude").standard_normal(count)
    return _describe(plan, rng, frame)


def _first_days(plan: dict, u: np.ndarray) -> np.ndarray:
    days = pd.date_range(plan["first"], periods=plan["days"], freq="D")
    weights = np.ones(len(days))
    if plan["seasonal"]:
        weights = WEEKDAYS[days.day_of_week.to_numpy()] * MONTHS[days.month.to_numpy() - 1]
    return pick(u, weights)


def _describe(plan: dict, rng: Streams, frame: pd.DataFrame) -> pd.DataFrame:
    """Where customers live, what they speak, how they came, who sent them."""
    count = len(frame)
    countries = plan["countries"]
    country = pick(rng("customer.country").random(count), [c["share"] for c in countries.values()])
    city, language = np.empty(count, dtype=object), np.empty(count, dtype=object)
    u_city, u_language = rng("customer.city").random(count), rng("customer.language").random(count)
    for code, facts in enumerate(countries.values()):
        here = country == code
        names, spoken = np.array(facts["cities"], dtype=object), np.array(list(facts["language"]), dtype=object)
        city[here] = names[pick(u_city[here], np.arange(len(names), 0, -1))]
        language[here] = spoken[pick(u_language[here], list(facts["language"].values()))]
    frame["country"] = labelled(country, list(countries))
    frame["city"], frame["language"] = pd.Categorical(city), pd.Categorical(language, categories=["uk", "pl", "en"])
    frame["consent"] = rng("customer.consent").random(count) < plan["consent"]
    frame["club"] = rng("customer.club").random(count) < plan["club"]
    frame["known"] = rng("customer.known").random(count) >= plan["dirt"]["unknown_customers"]

    rules = plan["referrals"]
    referred = rng("customer.referred").random(count) < rules["share"]
    referred[0] = False  # nobody came before the first
    weight = np.cumsum(np.where(frame["attitude"] >= rules["promoter_mean"], rules["weight"], 1.0))
    position = np.arange(count)
    before = np.maximum(position - 1, 0)
    sender = np.searchsorted(weight, rng("customer.sender").random(count) * weight[before], side="right")
    sender = np.minimum(sender, before)
    frame["referred_by"] = np.where(referred, frame["customer"].to_numpy()[sender], -1)
    sources = plan["acquisition"]
    source = pick(rng("customer.acquisition").random(count), [s["share"] for s in sources.values()])
    names = [*sources, "referral"]
    costs = np.array([*(s["cost"] for s in sources.values()), rules["cost"]])
    source = np.where(referred, len(sources), source)
    frame["acquisition"], frame["cost"] = labelled(source, names), costs[source] * 100
    return frame


def orders(plan: dict, rng: Streams, people: pd.DataFrame, *, first_number: int) -> pd.DataFrame:
    """One row an order, in order of time, with its habits and its service.

    To: order (integer), customer (or -1: a guest), row (of `people`, or -1), group, nth (1 the first), created,
    value (kopiykas aimed at), channel, payment, delivery, first_touch, coupon (yes/no), cancelled (yes/no), promised,
    delivered (empty: not yet), late (yes/no).
    A cancelled order is no draw of the purchase process: it stands some minutes before the order that took its place.
    """
    who, day, nth = _purchases(plan, rng, people)
    guests = round(plan["dirt"]["guests"] * len(people))
    group_share = [g["share"] for g in plan["groups"].values()]
    guest_group = pick(rng("guest.group").random(guests), group_share)
    group = np.concatenate([people["group"].to_numpy()[who], guest_group])
    who = np.concatenate([who, np.full(guests, -1)])
    day = np.concatenate([day, rng("guest.day").integers(0, plan["days"], guests)])
    nth = np.concatenate([nth, np.ones(guests, dtype=np.int64)])
    order = np.lexsort((who, day))
    who, day, nth, group = who[order], day[order], nth[order], group[order]

    n = len(who)
    weights = np.array([plan["hours"][g["hours"]] for g in plan["groups"].values()])
    hour = pick(rng("order.hour").random(n), weights, group)
    second = rng("order.second").integers(0, 3600, n)
    created = midnight(plan["first"]) + day * DAY + (hour * 3600 + second).astype("timedelta64[s]")
    value = _values(plan, rng, people, who, group, nth)

    again = rng("order.cancelled").random(n) < plan["service"]["cancelled"] / (1 - plan["service"]["cancelled"])
    earlier = rng("order.cancelled_before").integers(180, 2400, n).astype("timedelta64[s]")
    failed = np.maximum(created - earlier, midnight(plan["first"]))[again]
    frame = pd.DataFrame(
        {"row": who, "group": group, "nth": nth, "created": created, "value": value, "cancelled": False}
    )
    habits = [("channel", None), ("payment", None), ("delivery", None)]
    for key, _ in habits:
        matrix, labels = group_matrix(plan, key)
        frame[key] = labelled(pick(rng(f"order.{key}").random(n), matrix, group), labels)
    frame["coupon"] = rng("order.coupon").random(n) < np.array([g["coupon"] for g in plan["groups"].values()])[group]
    tries = frame[again].assign(created=failed, cancelled=True)
    frame = pd.concat([frame, tries], ignore_index=True).sort_values(
        ["created", "row"], kind="stable", ignore_index=True
    )
    frame["order"] = first_number + np.arange(len(frame))
    ids = people["customer"].to_numpy()
    frame["customer"] = np.where(frame["row"] >= 0, ids[frame["row"].to_numpy()], -1)
    came = np.where(frame["row"] >= 0, people["acquisition"].cat.codes.to_numpy()[frame["row"].to_numpy()], -1)
    frame["first_touch"] = labelled(came, list(people["acquisition"].cat.categories))
    return _deliver(plan, rng, frame)


def _purchases(plan: dict, rng: Streams, people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, days and numbers of all orders. A repeat order falls on the day after the one before it at the earliest."""
    first, rate, dropout = (people[c].to_numpy() for c in ("first_day", "rate", "dropout"))
    if every := next(iter(plan["groups"].values()))["purchases"].get("every_days"):
        return _renewals(plan["days"], every, rng("purchase.gone"), first, dropout)
    alive, day = np.arange(len(people)), first.copy()
    weeks = np.zeros(len(people))
    gap, gone = rng("purchase.gap"), rng("purchase.gone")
    rows, days, numbers = [alive], [first], [np.ones(len(people), dtype=np.int64)]
    nth = 1
    while len(alive):
        nth += 1
        weeks[alive] += gap.standard_exponential(len(alive)) / rate[alive]
        due = first[alive] + np.ceil(np.minimum(weeks[alive] * 7, 10_000)).astype(np.int64)
        day[alive] = np.maximum(due, day[alive] + 1)
        bought = alive[day[alive] < plan["days"]]
        rows.append(bought)
        days.append(day[bought])
        numbers.append(np.full(len(bought), nth))
        alive = bought[gone.random(len(bought)) >= dropout[bought]]
    return np.concatenate(rows), np.concatenate(days), np.concatenate(numbers)


def _renewals(
    days: int, every: int, gone: np.random.Generator, first: np.ndarray, dropout: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_purchases`, of subscribers: an order every `every` days, until one stops instead of renewing."""
    alive, due, nth = np.arange(len(first)), first, 1
    rows, at, numbers = [], [], []
    while len(alive):
        rows.append(alive)
        at.append(due[alive])
        numbers.append(np.full(len(alive), nth))
        due, nth = due + every, nth + 1
        alive = alive[due[alive] < days]
        alive = alive[gone.random(len(alive)) >= dropout[alive]]
    return np.concatenate(rows), np.concatenate(at), np.concatenate(numbers)


def _values(
    plan: dict, rng: Streams, people: pd.DataFrame, who: np.ndarray, group: np.ndarray, nth: np.ndarray
) -> np.ndarray:
    """What each order is worth, in kopiykas: gamma around its customer's mean (a guest's is his group's)."""
    groups = list(plan["groups"].values())
    shape = np.array([g["spend"]["p"] for g in groups], dtype=float)[group]
    mean = np.array([g["spend"]["mean"] * 100.0 for g in groups])[group]
    mean = np.where(who >= 0, people["mean_value"].to_numpy()[who], mean)
    value = rng("order.value").standard_gamma(shape) / shape * mean
    return value * np.where(nth >= plan["lift"]["from_order"], plan["lift"]["value"], 1.0)


def _deliver(plan: dict, rng: Streams, frame: pd.DataFrame) -> pd.DataFrame:
    """Promised and actual delivery; what is not delivered by the end of the period is empty."""
    service, n = plan["service"], len(frame)
    methods = list(frame["delivery"].cat.categories)
    method = frame["delivery"].cat.codes.to_numpy()
    late = np.array([service["late"][m] for m in methods])[method]
    if plan["improvement"]:
        better = np.array([(service["late"] | plan["improvement"]["late"])[m] for m in methods])[method]
        late = np.where(frame["created"] >= improved_from(plan), better, late)
    is_late = rng("delivery.late").random(n) < late
    start = frame["created"].to_numpy().astype("datetime64[D]")
    promised = start + np.array([service["promise_days"][m] for m in methods])[method]
    behind = 1 + pick(rng("delivery.days_late").random(n), [0.45, 0.25, 0.15, 0.10, 0.05])
    ahead = (rng("delivery.early").random(n) < 0.35) & (promised > start)
    arrived = promised + np.where(is_late, behind, -ahead.astype(np.int64))
    hours = rng("delivery.second").integers(9 * 3600, 20 * 3600, n).astype("timedelta64[s]")
    delivered = np.maximum(
        arrived.astype("datetime64[s]") + hours, frame["created"].to_numpy() + np.timedelta64(2400, "s")
    )
    is_late &= delivered.astype("datetime64[D]") > promised
    open_yet = (delivered >= midnight(plan["last"]) + DAY) | frame["cancelled"].to_numpy()
    frame["promised"] = promised.astype("datetime64[s]") + np.timedelta64(20 * 3600, "s")
    frame["delivered"] = np.where(open_yet, np.datetime64("NaT", "s"), delivered)
    frame["late"] = is_late
    return frame


def order_lines(plan: dict, rng: Streams, placed: pd.DataFrame, goods: pd.DataFrame) -> pd.DataFrame:
    """One row an order line, an order's lines together: goods, prices, coupon, returns. Money in kopiykas.

    To: order_row (of `placed`), product (row of `goods`, or -1 delivery, -2 gift wrap), quantity, price, discount,
    amount (quantity × price − discount), cost, status, refund, reason. An order never has one product on two lines.
    """
    lines = _split(plan, rng, placed)
    order_row, category = lines["order_row"].to_numpy(), lines["category"].to_numpy()
    unit = lines["listed"].to_numpy() / lines["quantity"].to_numpy()
    low, high = (np.log([f[k] * 100.0 for f in plan["categories"].values()])[category] for k in ("low", "high"))
    place = (np.log(unit) - low) / (high - low) * (PRODUCTS_A_CATEGORY - 1) + 1.5 * rng("line.product").standard_normal(
        len(lines)
    )
    lines["product"] = category * PRODUCTS_A_CATEGORY + np.clip(np.rint(place), 0, PRODUCTS_A_CATEGORY - 1).astype(
        np.int64
    )
    key = order_row * len(goods) + lines["product"].to_numpy()
    unique, where = np.unique(key, return_inverse=True)
    quantity = np.bincount(where, lines["quantity"]).astype(np.int64)
    listed = np.bincount(where, lines["listed"])
    frame = pd.DataFrame({"order_row": unique // len(goods), "product": unique % len(goods), "quantity": quantity})
    frame["price"] = np.maximum(np.rint(listed / quantity), 1).astype(np.int64)
    coupon = placed["coupon"].to_numpy()[frame["order_row"].to_numpy()]
    gross = frame["price"] * frame["quantity"]
    frame["discount"] = np.where(coupon, np.rint(gross * 0.1), 0).astype(np.int64)
    frame["amount"] = gross - frame["discount"]
    share = np.array([f["cost"] for f in plan["categories"].values()])[
        frame["product"].to_numpy() // PRODUCTS_A_CATEGORY
    ]
    frame["cost"] = np.rint(gross * share * (0.94 + 0.12 * rng("line.cost").random(len(frame)))).astype(np.int64)
    frame = _return(plan, rng, placed, frame)
    return _add_services(plan, rng, placed, frame)


def _split(plan: dict, rng: Streams, placed: pd.DataFrame) -> pd.DataFrame:
    """An order's goods over its lines, and its value over its goods."""
    lift, group = plan["lift"], placed["group"].to_numpy()
    loyal = placed["nth"].to_numpy() >= lift["from_order"]
    mean = np.array([g["goods"] for g in plan["groups"].values()])[group] * np.where(loyal, lift["goods"], 1.0)
    goods = 1 + rng("order.goods").poisson(mean - 1)
    count = 1 + rng("order.lines").binomial(goods - 1, 0.6)
    order_row = np.repeat(np.arange(len(placed)), count)
    start = np.cumsum(count) - count
    extra = goods - count
    at = np.repeat(start, extra) + np.floor(rng("line.extra").random(extra.sum()) * np.repeat(count, extra)).astype(
        np.int64
    )
    quantity = 1 + np.bincount(at, minlength=len(order_row))
    matrix, _ = group_matrix(plan, "category")
    category = pick(rng("line.category").random(len(order_row)), matrix, group[order_row])
    new = np.where(loyal, lift["new_category_after"], lift["new_category_before"])[order_row]
    stays = rng("line.new_category").random(len(order_row)) >= new
    category = np.where(stays, category[start][order_row], category)
    weight = rng("line.weight").standard_gamma(4.0, len(order_row)) * quantity
    whole = np.bincount(order_row, weight)[order_row]
    factor = np.where(placed["coupon"], 1 / 0.9, 1.0)
    listed = (placed["value"].to_numpy() * factor)[order_row] * weight / whole
    return pd.DataFrame({"order_row": order_row, "quantity": quantity, "category": category, "listed": listed})


def _return(plan: dict, rng: Streams, placed: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Status, refund and reason of each line: what was cancelled, sent back whole, or sent back in part."""
    service, n = plan["service"], len(lines)
    names = list(plan["categories"])
    category = lines["product"].to_numpy() // PRODUCTS_A_CATEGORY
    row = lines["order_row"].to_numpy()
    cancelled = placed["cancelled"].to_numpy()[row]
    arrived = ~np.isnat(placed["delivered"].to_numpy())[row]
    back = (rng("line.return").random(n) < np.array([service["returned"][c] for c in names])[category]) & arrived
    part = back & (rng("line.return_part").random(n) < 0.5) & (lines["quantity"].to_numpy() > 1)
    wear = np.array([plan["categories"][c]["parent"] == "Wear" for c in names])[category]
    reasons = sorted(
        {*service["cancel_reasons"], *service["return_reasons"]["wear"], *service["return_reasons"]["other"]}
    )
    u_return, u_cancel = rng("line.return_reason").random(n), rng("order.cancel_reason").random(len(placed))
    reason = np.full(n, -1)
    for here, rule, u in (
        (back & wear, service["return_reasons"]["wear"], u_return),
        (back & ~wear, service["return_reasons"]["other"], u_return),
        (cancelled, service["cancel_reasons"], u_cancel[row]),
    ):
        codes = np.array([reasons.index(r) for r in rule])
        reason[here] = codes[pick(u[here], list(rule.values()))]
    one = np.rint(lines["amount"].to_numpy() / lines["quantity"].to_numpy()).astype(np.int64)
    lines["refund"] = np.where(part, one, np.where(back, lines["amount"].to_numpy(), 0))
    state = np.select([cancelled, part, back, ~arrived], [3, 2, 1, 4], 0)
    lines["status"] = labelled(state, ["completed", "returned", "partly_returned", "cancelled", "under_way"])
    lines["reason"] = labelled(reason, reasons)
    return lines


def _add_services(plan: dict, rng: Streams, placed: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Lines that are no goods, at the end of their order: a delivery fee, a gift wrap."""
    fees = []
    for code, name, low, high in ((-1, "delivery_lines", 60, 121), (-2, "giftwrap_lines", 40, 61)):
        rows = np.flatnonzero(rng(f"order.{name}").random(len(placed)) < plan["dirt"][name])
        price = rng(f"order.{name}.price").integers(low, high, len(placed))[rows] * 100
        state = np.where(placed["cancelled"].to_numpy()[rows], 3, 0)
        fee = pd.DataFrame(
            {"order_row": rows, "product": code, "quantity": 1, "price": price, "discount": 0, "amount": price}
        )
        fee["cost"], fee["refund"] = price, 0
        fee["status"] = labelled(state, list(lines["status"].cat.categories))
        fee["reason"] = labelled(np.full(len(rows), -1), list(lines["reason"].cat.categories))
        fees.append(fee)
    both = pd.concat([lines, *fees], ignore_index=True)
    return both.sort_values("order_row", kind="stable", ignore_index=True)
