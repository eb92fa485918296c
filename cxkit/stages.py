"""The stages of the journey, and which touchpoint belongs to which: stages.yml, and above it the workshop's sheet."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml

STAGES = Path(__file__).parent / "stages.yml"
GOAL = "order_placed"  # the touch that a shop works towards
# touchpoints of the log's own making, whose names stay as they are however a sheet spells them
OWN = (GOAL, "delivery", "cancellation", "return", "support", "support_solved", "survey_answered", "review_written")
SIZES = ("small", "medium", "large")
KEYS = ("stage", "name", "question", "path", "origin", "weights", "touchpoints")
SHEET = ("touchpoint", "stage", "parent", "channel", "importance", "promise", "owner")


def name_key(name: object) -> str:
    """What makes two spellings of a touchpoint one: `Payment page`, `payment-page` and `payment_page` are."""
    return re.sub(r"[\s_\-]+", "_", str(name).strip().casefold())


def read_stages(path: Path | None = None) -> pd.DataFrame:
    """The stages in order, one row each.

    From: a YAML file as `cxkit/stages.yml`, which is the default. To: stage (key), name, question, path (main or
    aside), origin, weight_small, weight_medium, weight_large.
    Source: the five buying stages are S2c's (need, information, comparison, choice, evaluation).
    Raises UsageError, naming every fault of the file.
    """
    rows = [
        {k: s[k] for k in ("stage", "name", "question", "path")}
        | {"origin": s.get("origin", "client")}
        | {f"weight_{size}": float((s.get("weights") or {}).get(size, 1.0)) for size in SIZES}
        for s in _read(path or STAGES)[0]
    ]
    return pd.DataFrame(rows)


def touchpoint_map(path: Path | None = None, sheet: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which touchpoint belongs to which stage, one row a touchpoint.

    From: the stages' file (default: ours) and the workshop's sheet `touchpoints`, which goes before it.
    To: touchpoint, key (its spelling made plain), canonical (the name that the log uses: what exports call the order
    is order_placed), stage, parent (the zone it is part of), channel, importance (1 to 5 or missing), promise, owner,
    mapped_by (sheet or stages).
    Raises UsageError where the sheet names a stage that is none, or a touchpoint lies within itself.
    """
    stages, orders = _read(path or STAGES)
    valid = [s["stage"] for s in stages]
    rows = [(name, name, s["stage"]) for s in stages for name in s.get("touchpoints") or []]
    known = {name_key(name): stage for name, _, stage in rows}
    rows += [(name, GOAL, known[GOAL]) for name in orders if name_key(name) not in known and GOAL in known]
    frame = pd.DataFrame(rows, columns=["touchpoint", "canonical", "stage"]).assign(mapped_by="stages")
    if sheet is not None and len(sheet):
        frame = pd.concat([_from_sheet(sheet, valid, {name_key(name) for name in orders}), frame], ignore_index=True)
    frame = frame.assign(key=frame["touchpoint"].map(name_key))
    frame = frame.drop_duplicates("key", keep="first", ignore_index=True)
    return frame.reindex(columns=["touchpoint", "key", "canonical", "stage", *SHEET[2:], "mapped_by"]).astype(
        {"importance": "float64", "parent": object, "channel": object, "promise": object, "owner": object}
    )


def strangers(sheet: pd.DataFrame, touchpoint_map: pd.DataFrame, met: Iterable[str]) -> list[str]:
    """The touchpoints that people scored or quoted and that nobody has met: misspelt, or without a touch in the data.

    From: a sheet with touchpoint; `touchpoint_map`; `met`: the touchpoints of the log.
    """
    known = {name_key(name) for name in met} | set(touchpoint_map.loc[touchpoint_map["mapped_by"] == "sheet", "key"])
    return sorted({str(name) for name in sheet["touchpoint"] if name_key(name) not in known})


def with_stage(frame: pd.DataFrame, touchpoint_map: pd.DataFrame) -> pd.DataFrame:
    """A frame with a column touchpoint, as people write them, and the stage of each (missing: unmapped)."""
    known = touchpoint_map.set_index("key")["stage"]
    return frame.assign(stage=frame["touchpoint"].map(name_key).map(known).astype(object))


def _from_sheet(sheet: pd.DataFrame, valid: list[str], orders: set[str]) -> pd.DataFrame:
    faults = []
    given = sheet.reindex(columns=SHEET).assign(mapped_by="sheet")
    given["stage"] = given["stage"].map(name_key)
    for row in given[~given["stage"].isin(valid)].itertuples():
        faults.append(f"touchpoint {row.touchpoint!r} has the stage {row.stage!r}")
    parents = {name_key(r.touchpoint): name_key(r.parent) for r in given.itertuples() if isinstance(r.parent, str)}
    for start in parents:
        above, seen = parents.get(start), {start}
        while above in parents and above not in seen:
            seen.add(above)
            above = parents[above]
        if above == start:
            faults.append(f"touchpoint {start!r} lies within itself, by its parents")
    if faults:
        raise UsageError(
            f"workshop/touchpoints: {'; '.join(faults)}. Valid stages are {', '.join(valid)}; mend the sheet, or give"
            " the client stages of its own (stages: in client.yml)."
        )
    keys = given["touchpoint"].map(name_key)
    own = keys.where(~keys.isin(orders), GOAL)
    return given.assign(canonical=given["touchpoint"].mask(own.isin(OWN), own))


def _read(path: Path) -> tuple[list[dict], list[str]]:
    """The stages and the names of the order in a stages' file. Raises UsageError, naming every fault."""
    read = read_yaml(path, begins="`stages:`, the list of them")
    stages = read.get("stages")
    if not isinstance(stages, list) or not stages or not all(isinstance(s, dict) for s in stages):
        raise UsageError(f"{path} holds no list `stages`; see cxkit/stages.yml for its shape.")
    faults, seen, owner = [], set(), {}
    for place, s in enumerate(stages, start=1):
        label = f"stage {s.get('stage', place)!r}"
        faults += [f"{label} lacks {key}" for key in ("stage", "name", "question", "path") if not s.get(key)]
        faults += [f"{label} has the unknown key {k!r}; valid are {', '.join(KEYS)}" for k in s if k not in KEYS]
        if s.get("path") not in ("main", "aside"):
            faults.append(f"{label} has path: {s.get('path')!r}; write main or aside")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", str(s.get("stage"))):
            faults.append(f"{label}: a stage's key has small letters, digits and _ (at most 40)")
        if s.get("stage") in seen:
            faults.append(f"{label} stands there twice")
        seen.add(s.get("stage"))
        weights = s.get("weights") or {}
        if not isinstance(weights, dict) or not all(
            k in SIZES and isinstance(v, int | float) and not isinstance(v, bool) and 0 < v <= 10
            for k, v in weights.items()
        ):
            faults.append(f"{label}: weights are above 0, at most 10, for {', '.join(SIZES)}; found {weights!r}")
        for name in s.get("touchpoints") or []:
            if (other := owner.setdefault(name_key(name), s.get("stage"))) != s.get("stage"):
                faults.append(f"the touchpoint {name!r} stands in {other!r} and in {s.get('stage')!r}")
    orders = read.get("order_placed") or []
    if not isinstance(orders, list):
        faults.append(f"order_placed is a list of names; found {orders!r}")
    if unknown := sorted(set(read) - {"stages", "order_placed"}):
        faults.append(f"unknown keys: {', '.join(map(str, unknown))}; valid are stages, order_placed")
    if faults:
        raise UsageError(f"{path}: {'; '.join(faults)}.")
    return stages, [str(name) for name in orders]
