"""Which sphere of the company is it about: a finding, a touchpoint or a department of the workshop."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml
from cxkit.words import normal_text

SPHERES = Path(__file__).parent / "spheres.yml"
KEYS = ("sphere", "name", "origin", "findings", "departments", "touchpoints")
AT_TOUCHPOINTS = ("journey.touchpoint.", "feedback.touchpoint.")
WHOLE = 3  # letters: a beginning so short is a whole word (it, hr)


def read_spheres(path: Path | None = None) -> pd.DataFrame:
    """The spheres in the order in which they are told. From: a YAML file as `cxkit/spheres.yml`, which is the default.

    To: sphere (key), name, origin (S2d: the article's five elements; cxkit: ours).
    Source: an audit of each sphere is S0's, the five elements are S2d's.
    Raises UsageError, naming the fault: a key too many or too few, a sphere twice, a beginning that two spheres claim.
    """
    return pd.DataFrame([{key: row[key] for key in KEYS[:3]} for row in _read(path or SPHERES)])


def sphere_of(ids: Sequence[str] = (), *, touchpoint: str = "", department: str = "", path: Path | None = None) -> str:
    """The sphere of a finding (the first of `ids` that has one), else of a touchpoint, else of a department.

    What lies at a touchpoint has the touchpoint's sphere; where its name tells none, that of the department which owns
    it. To: the sphere's key, or an empty text where nothing tells it.
    """
    places = path or SPHERES
    at = [id.split(".", 2)[2] for id in ids if id.startswith(AT_TOUCHPOINTS)]
    found = [_by_words(name, "touchpoints", places) for name in at]
    found += [_by_words(department, "departments", places)] if at else []
    found += [_by_id(id, places) for id in ids]
    found += [_by_words(touchpoint, "touchpoints", places), _by_words(department, "departments", places)]
    return next((sphere for sphere in found if sphere), "")


def _by_id(id: str, path: Path) -> str:
    fits = [(begin, sphere) for begin, sphere in _beginnings("findings", path) if f"{id}.".startswith(f"{begin}.")]
    return max(fits, key=lambda fit: len(fit[0]), default=("", ""))[1]


def _by_words(text: str, kind: str, path: Path) -> str:
    spoken = f" {normal_text(text)} "
    fits = [
        (begin, sphere)
        for begin, sphere in _beginnings(kind, path)
        if (f" {begin} " if len(begin) <= WHOLE else f" {begin}") in spoken
    ]
    return max(fits, key=lambda fit: len(fit[0]), default=("", ""))[1]


@lru_cache(maxsize=16)
def _beginnings(kind: str, path: Path) -> tuple[tuple[str, str], ...]:
    plain = str if kind == "findings" else normal_text
    return tuple((plain(begin), row["sphere"]) for row in _read(path) for begin in row[kind])


@lru_cache(maxsize=4)
def _read(path: Path) -> list[dict]:
    rows = read_yaml(path, begins="`spheres:` and a list of spheres").get("spheres")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(row) == set(KEYS) for row in rows):
        raise UsageError(f"{path}: `spheres` is a list; each of its parts has exactly {', '.join(KEYS)}.")
    names = [row["sphere"] for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{path}: the sphere {twice[0]!r} stands there twice; keep one.")
    for kind in KEYS[3:]:
        claimed: dict[str, str] = {}
        for row in rows:
            for begin in map(str, row[kind]):
                if begin in claimed:
                    raise UsageError(
                        f"{path}: {kind} {begin!r} stands under {claimed[begin]} and {row['sphere']}; keep one."
                    )
                claimed[begin] = row["sphere"]
    return rows
