"""The clusters of an audit as a file: their names, centres and scales, by which customers are scored and matched."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
from ibis.expr.types import FloatingValue, Table

from cxkit.errors import DataError, UsageError
from cxkit.scales import KINDS, Scale, far_off, scale
from cxkit.style import clean_text

BOUGHT_ONCE, NOT_KNOWN, OUTLIER = "Bought once", "Not placed", "Set apart"  # groups that are no cluster
LEAST_ORDERS = 2  # who bought once is a group of their own: one order shows no habit
ASIDE = (BOUGHT_ONCE, NOT_KNOWN, OUTLIER)
VERSION = 1
# scores are compared in whole parts of a spread: numpy and an engine may differ in a logarithm's last digit, whole
# numbers up to 2^53 add up to the same in any order
PARTS = 2.0**20
TO_WHOLE = 1.5 * 2.0**52  # what a float is rounded by when this is added: at that size all are whole
WIDEST = 1e9  # spreads; no centre lies farther off, and whole parts of it still fit
LARGEST_FILE = 5_000_000  # bytes


@dataclass(frozen=True)
class Model:
    """Clusters as they were found at one date; with it any customer of any date is scored.

    as_of: the day of the audit (2026-06-30). least_orders: customers with fewer orders are "Bought once".
    outlier_limit: spreads from the middle beyond which a customer is "Set apart". scales: how each feature is scaled.
    centres: a row a cluster, in scaled units, in the order of the scales. names, sizes (customers): a cluster each.
    """

    as_of: str
    seed: int
    least_orders: int
    outlier_limit: float
    scales: tuple[Scale, ...]
    centres: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]
    sizes: tuple[int, ...]


# --- the file


def save_model(model: Model, path: Path) -> None:
    """Write a model as JSON: the same model, the same bytes. Raises UsageError where it is none that could be read."""
    clusters = zip(model.names, model.sizes, model.centres, strict=False)
    told = {
        "version": VERSION,
        **{key: getattr(model, key) for key in ("as_of", "seed", "least_orders", "outlier_limit")},
        "scales": [asdict(s) for s in model.scales],
        "clusters": [{"name": name, "size": size, "centre": list(centre)} for name, size, centre in clusters],
    }
    faults = _faults(told)
    if len({len(model.names), len(model.sizes), len(model.centres)}) > 1:
        faults.append(f"{len(model.names)} names, {len(model.sizes)} sizes, {len(model.centres)} centres: one each")
    if faults:
        raise UsageError(f"the model cannot be saved: {'; '.join(faults)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def load_model(path: Path) -> Model:
    """The model that `save_model` wrote, checked key by key: a file is data from outside.

    Raises DataError naming the file, every key at fault, what stands there and what is valid.
    """
    mend = "Take the file of an earlier run, or run 01_segmentation anew, which writes it."
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST_FILE:
            raise ValueError(f"it has {len(raw):,} bytes; a model has under {LARGEST_FILE:,}")
        told = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except OSError as fault:
        raise DataError(f"the model {path} cannot be read: {fault.strerror or fault}. {mend}") from None
    except (ValueError, RecursionError) as fault:
        raise DataError(f"{path} is no model: {_short(str(fault), 200)}. {mend}") from None
    if faults := _faults(told):
        raise DataError(f"{path} is no model: {'; '.join(faults[:8])}. {mend}")
    kinds = {f.name: f.type for f in fields(Scale)}
    scales = [Scale(**{k: float(v) if kinds[k] is float else v for k, v in row.items()}) for row in told["scales"]]
    clusters = told["clusters"]
    return Model(
        told["as_of"], told["seed"], told["least_orders"], float(told["outlier_limit"]), tuple(scales),
        tuple(tuple(float(x) for x in c["centre"]) for c in clusters),
        tuple(c["name"] for c in clusters), tuple(c["size"] for c in clusters),
    )  # fmt: skip


def _once(pairs: list[tuple[str, object]]) -> dict:
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"the key {_short(twice[0])!r} stands twice")
    return dict(pairs)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} stands in it; only finite numbers are valid")


def _short(value: object, width: int = 60) -> str:
    text = clean_text(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def _number(value: object, low: float = -math.inf, high: float = math.inf) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and low <= value <= high  # NaN fails; a whole number of a thousand digits is no float


def _whole(value: object, low: int) -> bool:
    return isinstance(value, int) and _number(value, low, 2**63 - 1)


def _name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 500 and bool(clean_text(value))


def _day(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


HEAD = {
    "version": (lambda v: v == VERSION and _whole(v, 1), f"{VERSION}, the version that this cxkit reads"),
    "as_of": (_day, "a day such as 2026-06-30"),
    "seed": (lambda v: _whole(v, 0), "a whole number from 0 on"),
    "least_orders": (lambda v: _whole(v, 1), "a whole number from 1 on"),
    "outlier_limit": (lambda v: _number(v, 1e-6, WIDEST), "a number above 0"),
    "scales": (lambda v: isinstance(v, list) and v, "a list of one scale or more"),
    "clusters": (lambda v: isinstance(v, list) and v, "a list of one cluster or more"),
}
SCALE = {
    "feature": (lambda v: isinstance(v, str) and 0 < len(v) <= 10_000, "a feature's name"),
    "kind": (lambda v: v in KINDS, ", ".join(KINDS)),
    "centre": (_number, "a finite number"),
    "spread": (lambda v: _number(v, 1e-9), "a finite number above 0"),
    "of": (lambda v: v == "" or _name(v), "a column's name, or empty"),
    "base": (lambda v: _number(v, 0, 1), "a number from 0 to 1"),
    "weight": (lambda v: _number(v, 0), "a finite number from 0 on"),
}
CLUSTER = {
    "name": (lambda v: _name(v) and v not in (BOUGHT_ONCE, NOT_KNOWN, OUTLIER),
             f"a name other than {BOUGHT_ONCE!r}, {NOT_KNOWN!r}, {OUTLIER!r}"),
    "size": (lambda v: _whole(v, 0), "a whole number from 0 on"),
    "centre": (lambda v: isinstance(v, list) and all(_number(x, -WIDEST, WIDEST) for x in v),
               "a list of finite numbers"),
}  # fmt: skip
Rules = dict[str, tuple[Callable[[object], object], str]]


def _faults(told: object) -> list[str]:
    """What is wrong with the JSON of a model, a sentence a fault; the keys first, since all else hangs on them."""
    faults = _row_faults(told, HEAD, "the file")
    if faults:
        return faults
    for key, rules in (("scales", SCALE), ("clusters", CLUSTER)):
        for number, row in enumerate(told[key]):
            faults += _row_faults(row, rules, f"{key}[{number}]")
    if faults:
        return faults
    scales, clusters = told["scales"], told["clusters"]
    for number, row in enumerate(scales):
        if (row["kind"] == "share") != bool(row["of"]):
            faults.append(f"scales[{number}].of is {row['of']!r}; a share, and nothing else, has the column it is of")
    for number, row in enumerate(clusters):
        if len(row["centre"]) != len(scales):
            faults.append(f"clusters[{number}].centre has {len(row['centre'])} numbers; valid: {len(scales)}, as many "
                          "as scales")  # fmt: skip
    for key, names in (("feature", [s["feature"] for s in scales]), ("name", [c["name"] for c in clusters])):
        faults += [f"the {key} {_short(n)!r} stands twice" for n in sorted({n for n in names if names.count(n) > 1})]
    return faults


def _row_faults(row: object, rules: Rules, where: str) -> list[str]:
    if not isinstance(row, dict):
        return [f"{where} is {_short(repr(row))}; valid: the keys {', '.join(rules)}"]
    place = "" if rules is HEAD else f"{where}."
    faults = [f"{where} lacks {key!r}" for key in rules if key not in row]
    faults += [f"{where} has the unknown key {_short(key)!r}; valid: {', '.join(rules)}"
               for key in sorted(row.keys() - rules)]  # fmt: skip
    return faults + [
        f"{place}{key} is {_short(repr(row[key]))}; valid: {valid}"
        for key, (fits, valid) in rules.items()
        if key in row and not fits(row[key])
    ]


# --- scoring


def score(features: pd.DataFrame, model: Model) -> pd.Series:
    """Each customer's group: the name of the nearest cluster, "Bought once", "Not placed" or "Set apart".

    From: features (a row a customer) with orders and the columns of the model's scales. To: texts, the same index.
    How: fewer than `least_orders` orders: bought once. Else, where the orders or a feature are unknown (missing,
    infinite, or no possible value of its kind): not placed. Else, farther off than the model's limit in an amount, a
    count or a number: set apart. Else the cluster whose centre is nearest; of two as near, the first.
    Raises DataError where a column is missing or holds no numbers.
    """
    _check_columns(features.columns, model)
    for name in _needed(model):
        kind = features[name].dtype
        if not pd.api.types.is_numeric_dtype(kind) and features[name].notna().any():
            raise DataError(_no_numbers(name, str(kind)))
    orders = features["orders"].to_numpy(dtype=float, na_value=np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        parts = _whole_parts(scale(features, model.scales))
        rows = parts.to_numpy()
        near = np.stack([_likeness([rows[:, j] for j in range(rows.shape[1])], c) for c in _centres(model)], axis=1)
    known = np.isfinite(orders) & (orders >= 1) & parts.notna().all(axis=1).to_numpy()
    far = far_off(parts, model.scales, limit=_limit(model)).to_numpy()
    once = (orders >= 1) & (orders < model.least_orders)
    place = np.where(once, -1, np.where(~known, -2, np.where(far, -3, near.argmax(axis=1))))
    names = np.array([*model.names, OUTLIER, NOT_KNOWN, BOUGHT_ONCE], dtype=object)
    return pd.Series(names[place], index=features.index, name="group", dtype=object)


def score_table(features: Table, model: Model) -> Table:
    """As `score`, inside the engine: the table of features with the column `group`; nothing comes into memory.

    It is equal to `score` row by row: both hold whole numbers against each other (see `PARTS`).
    Raises DataError where a column is missing or holds no numbers.
    """
    _check_columns(features.columns, model)
    for name in _needed(model):
        kind = features[name].type()
        if not (kind.is_numeric() or kind.is_boolean() or kind.is_null()):
            raise DataError(_no_numbers(name, str(kind)))
    # in steps, so that the engine computes each number once
    columns = [c for c in features.columns if c != "group"]
    scaled = {f"_z{i}": _scaled(features, s) for i, s in enumerate(model.scales)}
    table = features.select(*columns, _orders=_float(features["orders"]), **scaled)
    parts = [table[name] for name in scaled]
    open_ended = [p.abs() for p, s in zip(parts, model.scales, strict=True) if s.kind != "share"]
    near = {f"_c{i}": _likeness(parts, c) for i, c in enumerate(_centres(model))}
    far = ibis.greatest(*open_ended) > _limit(model) if open_ended else ibis.literal(False)
    known = ibis.and_(table["_orders"] >= 1, *[p.notnull() for p in parts]).fill_null(False)
    best = ibis.greatest(*near.values())
    table = table.select(*columns, "_orders", _far=far, _known=known, _best=best, **near)
    group = ibis.cases(
        ((table["_orders"] >= 1) & (table["_orders"] < model.least_orders), BOUGHT_ONCE),
        (~table["_known"], NOT_KNOWN),
        (table["_far"], OUTLIER),
        *[(table[c] >= table["_best"], name) for c, name in zip(list(near)[:-1], model.names, strict=False)],
        else_=model.names[-1],
    )
    return table.select(*columns, group=group)


def _needed(model: Model) -> list[str]:
    return list(dict.fromkeys(["orders", *(s.feature for s in model.scales), *(s.of for s in model.scales if s.of)]))


def _check_columns(columns: object, model: Model) -> None:
    there = list(columns)
    if missing := [name for name in _needed(model) if name not in there]:
        raise DataError(
            f"the features lack {', '.join(repr(_short(m)) for m in missing)}, which the model of {model.as_of} scores "
            f"by; they have {', '.join(repr(_short(c)) for c in there[:20])}. Give the tables and columns that these "
            "features need, or find the clusters anew without them."
        )


def _no_numbers(name: str, kind: str) -> str:
    return f"the feature {_short(name)!r} holds {kind}; a feature holds numbers. Take it from `customer_features`."


def _centres(model: Model) -> list[list[float]]:
    return [[_whole_parts(x) for x in centre] for centre in model.centres]


def _limit(model: Model) -> float:
    return _whole_parts(model.outlier_limit)


def _likeness(parts: list, centre: list[float]) -> "np.ndarray | FloatingValue":
    """z c - c c / 2, which is the greater, the nearer z is to the centre c; the same steps for numpy and the engine."""
    total = parts[0] * centre[0]
    for part, x in zip(parts[1:], centre[1:], strict=True):
        total = total + part * x
    return total - sum(x * x for x in centre) / 2


def _whole_parts(z: "float | np.ndarray | FloatingValue") -> "float | np.ndarray | FloatingValue":
    """Spreads in whole parts, to the nearest; by sums alone, which are the same everywhere (a floor may be cast)."""
    return z * PARTS + TO_WHOLE - TO_WHOLE


def _float(column: ibis.expr.types.Column) -> FloatingValue:
    """A column of numbers as floats; null where it is infinite or NaN, whose difference with itself is not 0.

    DuckDB answers isnan(x), isinf(x) and x < infinity from a Parquet file's statistics, which leave NaN out.
    """
    x = column.cast("float64")
    return (x - x == 0).ifelse(x, ibis.null("float64"))


def _scaled(features: Table, s: Scale) -> FloatingValue:
    """`scales.scale` inside the engine, in whole parts of a spread; null where the feature is unknown."""
    x, nothing = _float(features[s.feature]), ibis.null("float64")
    if s.kind == "share":
        n = _float(features[s.of])
        t = (((x >= 0) & (x <= 1) & (n > 0)).ifelse(x, nothing) * n + s.weight * s.base) / (n + s.weight)
    elif s.kind == "amount":
        t = (x > 0).ifelse(x, nothing).ln()
    elif s.kind == "count":
        t = ((x >= 0).ifelse(x, nothing) + 1).ln()
    else:
        t = x
    return _whole_parts((t - s.centre) / s.spread)
