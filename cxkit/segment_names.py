"""Which combination of RFM scores has which name: the list in segments.yml, read and checked."""

from collections import defaultdict
from itertools import product
from pathlib import Path

import pandas as pd
import yaml

from cxkit.errors import UsageError

NAMES = Path(__file__).parent / "segments.yml"
SCORES = ("recency", "frequency", "monetary")
PARTS = 5  # the names are written for scores 1 to 5


def segment_names(path: Path = NAMES) -> pd.DataFrame:
    """The named segments, one row a combination of scores.

    From: a YAML file as `cxkit/segments.yml`, which is the default. To: rfm, segment, place (0 is the best), quiet
    (used to order and have gone quiet), meaning, action. Raises UsageError as `check_names` does.
    """
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    segments = read.get("segments") if isinstance(read, dict) else None
    if not isinstance(segments, list):
        raise UsageError(f"{path} holds no list `segments`; see cxkit/segments.yml for its shape.")
    check_names(segments, where=str(path))
    rows = [
        {
            "rfm": code,
            "segment": s["name"],
            "place": place,
            "quiet": s.get("quiet", False),
            "meaning": s["meaning"],
            "action": s["action"],
        }
        for place, s in enumerate(segments)
        for code in _combinations(s)
    ]
    return pd.DataFrame(rows).sort_values("rfm", ignore_index=True)


def check_names(segments: list[dict], *, where: str) -> None:
    """Raises UsageError, naming every fault, unless each combination of scores lies in exactly one segment.

    Also where `quiet` is neither true nor false, or true of no segment. `where` names the file in the message.
    """
    faults = []
    for place, segment in enumerate(segments, start=1):
        lacking = [key for key in ("name", "meaning", "action", "where") if not segment.get(key)]
        wrong = [box for box in segment.get("where") or [] if set(box) != set(SCORES)]
        if lacking:
            faults.append(f"segment {place} lacks {', '.join(lacking)}")
        if wrong:
            faults.append(f"segment {place} has a line under `where` without exactly {', '.join(SCORES)}: {wrong[0]}")
        if not isinstance(quiet := segment.get("quiet", False), bool):
            faults.append(f"segment {place} has quiet: {quiet!r}; write true or false")
    if not any(segment.get("quiet") for segment in segments):
        faults.append("no segment has quiet: true")
    if not faults:
        holders = defaultdict(list)
        for segment in segments:
            for code in _combinations(segment):
                holders[code].append(segment["name"])
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


def _combinations(segment: dict) -> list[str]:
    return [
        "".join(map(str, scores)) for box in segment["where"] for scores in product(*(box[name] for name in SCORES))
    ]
