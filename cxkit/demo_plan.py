"""What is planted in the made-up client: the settings of a scenario, and one stream of random numbers a thing drawn."""

import copy
import difflib
import functools
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from importlib import resources

import numpy as np
import pandas as pd
import yaml

from cxkit.errors import UsageError

Streams = Callable[[str], np.random.Generator]


@functools.cache
def read_yaml(name: str) -> dict:
    """A YAML file that lies beside this module, read once: never change what it gives."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # both safe; the one in C is ten times as fast
    return yaml.load(resources.files("cxkit").joinpath(name).read_text(encoding="utf-8"), Loader=loader)


def scenario_plan(scenario: str = "default") -> dict:
    """Everything planted in a scenario: demo.yml with the scenario's keys in place of its own (`a.b`: b within a).

    To: the mapping of demo.yml, and `scenario`, `days` (length of the period), `first` and `last` (dates),
    `improvement` (None, or its date and sizes).
    Raises: UsageError where there is no such scenario.
    """
    plan = copy.deepcopy(read_yaml("demo.yml"))
    scenarios = plan.pop("scenarios")
    if scenario not in scenarios:
        near = difflib.get_close_matches(scenario, scenarios, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no scenario {scenario!r}; there are {', '.join(sorted(scenarios))}.{hint}")
    for key, value in scenarios[scenario].items():
        *path, last = key.split(".")
        place = plan
        for step in path:
            place = place[step]
        place[last] = value
    plan["scenario"] = scenario
    plan["first"], plan["last"] = plan["period"]["first"], plan["period"]["last"]
    plan["days"] = (plan["last"] - plan["first"]).days + 1
    plan.setdefault("improvement", None)
    return plan


def streams(seed: int, chunk: int) -> Streams:
    """Named random streams of one chunk of customers: the same name always gives the same numbers.

    A table or a column more leaves all others as they were, and what is drawn in order of time is the same up to the
    day from which a scenario differs.
    """
    return lambda name: np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(chunk, zlib.crc32(name.encode()))))
    )


def pick(u: np.ndarray, weights: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Codes drawn by uniform numbers `u`: from one set of weights, or for each number from its own row of a matrix."""
    cumulative = np.cumsum(np.atleast_2d(np.asarray(weights, dtype=float)), axis=1)
    cumulative /= cumulative[:, -1:]
    if rows is None:
        return np.searchsorted(cumulative[0, :-1], u, side="right")
    codes = np.zeros(len(u), dtype=np.int64)
    for column in range(cumulative.shape[1] - 1):
        codes += u >= cumulative[rows, column]
    return codes


def labelled(codes: np.ndarray, labels: list[str]) -> pd.Categorical:
    """Codes with their names; a code of -1 is an empty field."""
    return pd.Categorical.from_codes(codes, categories=list(labels))


def group_matrix(plan: dict, key: str) -> tuple[np.ndarray, list[str]]:
    """The groups' weights for a habit (`channel`, `category`…): a row a group, and the labels in order."""
    groups = list(plan["groups"].values())
    labels = list(groups[0][key])
    return np.array([[g[key][label] for label in labels] for g in groups]), labels


def midnight(day: date) -> np.datetime64:
    """The start of a day, to the second."""
    return np.datetime64(day, "s")


def improved_from(plan: dict) -> np.datetime64:
    """The first moment of the planted improvement; without one, the day after the period."""
    improvement = plan["improvement"]
    return midnight(improvement["from"] if improvement else plan["last"] + timedelta(days=1))
