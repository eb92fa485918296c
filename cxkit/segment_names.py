"""Which combination of RFM scores has which name: segments.yml, or the client's own list, read and checked."""

from collections import defaultdict
from itertools import product
from pathlib import Path

import pandas as pd

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml
from cxkit.stages import name_key
from cxkit.style import clean_text

NAMES = Path(__file__).parent / "segments.yml"
SCORES = ("recency", "frequency", "monetary")
PARTS = 5  # the names are written for scores 1 to 5
TEXTS = ("name", "meaning", "action")
MARKS = ("quiet", "best")
LONGEST_NAME = 60  # characters


def segment_names(path: Path | None = None) -> pd.DataFrame:
    """The named segments, one row a combination of scores.

    From: a YAML file as `cxkit/segments.yml`, which is the default. To: rfm, segment, key (the name made plain: what a
    finding's id ends with), place (0 is the best), quiet (used to order and have gone quiet), best (those to have more
    of: the segments so marked, the first where none is), meaning, action.
    Raises UsageError as `check_names` does, and where the file is no plain YAML.
    """
    path = path or NAMES
    read = read_yaml(path, begins="`segments:`, the list of them")
    segments = read.get("segments")
    if not isinstance(segments, list) or not segments:
        raise UsageError(f"{path} holds no list `segments`; see cxkit/segments.yml for its shape.")
    if unknown := sorted(str(key) for key in read if key != "segments"):
        raise UsageError(f"{path}: unknown keys: {', '.join(unknown)}; valid is segments.")
    check_names(segments, where=str(path))
    marked = any(s.get("best") for s in segments)
    rows = [
        {
            "rfm": code,
            "segment": clean_text(s["name"]),
            "key": name_key(clean_text(s["name"])),
            "place": place,
            "quiet": s.get("quiet", False),
            "best": s.get("best", False) if marked else place == 0,
            "meaning": clean_text(s["meaning"]),
            "action": clean_text(s["action"]),
        }
        for place, s in enumerate(segments)
        for code in _combinations(s)
    ]
    return pd.DataFrame(rows).sort_values("rfm", ignore_index=True)


def check_names(segments: list[dict], *, where: str) -> None:
    """Raises UsageError, naming every fault, unless each combination of scores lies in exactly one segment.

    Also where a segment is half written, has the name of another, where `quiet` or `best` is neither true nor false,
    or `quiet` true of no segment. `where` names the file in the message.
    """
    faults = [fault for place, segment in enumerate(segments, start=1) for fault in _shape_faults(segment, place)]
    if not faults:
        faults = _twice(segments)
        if not any(segment.get("quiet") for segment in segments):
            faults.append("no segment has quiet: true")
        holders = defaultdict(list)
        for segment in segments:
            for code in _combinations(segment):
                holders[code].append(clean_text(segment["name"]))
        every = ["".join(map(str, scores)) for scores in product(range(1, PARTS + 1), repeat=3)]
        if gaps := [code for code in every if code not in holders]:
            faults.append(f"in no segment: {', '.join(gaps)}")
        faults += [f"{code} is in {' and '.join(names)}" for code, names in sorted(holders.items()) if len(names) > 1]
        if strange := sorted(set(holders) - set(every)):
            faults.append(f"no such scores with {PARTS} parts: {', '.join(strange)}")
    if faults:
        raise UsageError(
            f"{where}: {'; '.join(faults)}. Each combination of recency, frequency and monetary score (1 to {PARTS}) "
            "must lie in exactly one segment, and the segments of customers gone quiet be marked; mend the lists under "
            "`where`, or `quiet`."
        )


def _shape_faults(segment: object, place: int) -> list[str]:
    """What is wrong with one segment by itself; its combinations can be read where nothing is."""
    if not isinstance(segment, dict):
        return [f"segment {place} is no list of keys: {str(segment)[:60]!r}"]
    lacking = [key for key in (*TEXTS, "where") if not segment.get(key)]
    faults = [f"segment {place} lacks {', '.join(lacking)}"] if lacking else []
    valid = (*TEXTS, *MARKS, "where")
    faults += [
        f"segment {place} has the unknown key {str(key)!r}; valid are {', '.join(valid)}"
        for key in segment
        if key not in valid
    ]
    for key in TEXTS:
        if segment.get(key) and not (isinstance(segment[key], str) and clean_text(segment[key])):
            faults.append(f"segment {place} has {key}: {str(segment[key])[:60]!r}; write a text")
    if len(str(segment.get("name", ""))) > LONGEST_NAME:
        faults.append(f"segment {place}: a name has at most {LONGEST_NAME} characters")
    for key in MARKS:
        if not isinstance(mark := segment.get(key, False), bool):
            faults.append(f"segment {place} has {key}: {mark!r}; write true or false")
    boxes = segment.get("where") or []
    if not isinstance(boxes, list) or len(boxes) > PARTS**3:
        return [*faults, f"segment {place}: `where` is a list of at most {PARTS**3} lines"]
    for box in boxes:
        if not isinstance(box, dict) or set(box) != set(SCORES):
            shown = str(box)[:80]
            faults.append(f"segment {place} has a line under `where` without exactly {', '.join(SCORES)}: {shown}")
            continue
        for name, values in box.items():
            fit = isinstance(values, list) and all(type(v) is int and 1 <= v <= 9 for v in values)
            if not fit or not values or len(set(values)) < len(values):
                faults.append(
                    f"segment {place} has {name}: {str(values)[:60]}; write scores from 1 to {PARTS} in brackets, "
                    "each once"
                )
    return faults


def _twice(segments: list[dict]) -> list[str]:
    """The names that two segments share, however they are spelt."""
    places = defaultdict(list)
    for place, segment in enumerate(segments, start=1):
        places[name_key(clean_text(segment["name"]))].append(place)
    return [
        f"segments {' and '.join(map(str, at))} have the same name, {clean_text(segments[at[0] - 1]['name'])!r}"
        for at in places.values()
        if len(at) > 1
    ]


def _combinations(segment: dict) -> list[str]:
    return [
        "".join(map(str, scores)) for box in segment["where"] for scores in product(*(box[name] for name in SCORES))
    ]
