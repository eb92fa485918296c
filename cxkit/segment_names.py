"""Which combination of RFM scores has which name: the list in segments.yml, read and checked."""

from collections import defaultdict
from itertools import product
from pathlib import Path

import pandas as pd
import yaml

from cxkit.errors import UsageError

NAMES = Path(__file__).parent / "segments.yml"
SCORES = ("recency", "frequency", "monetary")


def segment_names(path: Path | None = None, *, bins: int = 5) -> pd.DataFrame:
    """The named segments, one row a combination of scores: rfm, segment, place (0 is the best), meaning, action.

    From: a YAML file as `cxkit/segments.yml`, which is the default. Raises UsageError as `check_names` does.
    """
    path = path or NAMES
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    segments = read.get("segments") if isinstance(read, dict) else None
    if not isinstance(segments, list):
        raise UsageError(f"{path} holds no list `segments`; see cxkit/segments.yml for its shape.")
    check_names(segments, bins=bins, where=str(path))
    rows = [
        {"rfm": code, "segment": s["name"], "place": place, "meaning": s["meaning"], "action": s["action"]}
        for place, s in enumerate(segments)
        for code in _combinations(s)
    ]
    return pd.DataFrame(rows).sort_values("rfm", ignore_index=True)


def check_names(segments: list[dict], *, bins: int = 5, where: str = "the segments") -> None:
    """Raises UsageError, naming every fault, unless each combination of scores lies in exactly one segment."""
    faults = []
    for place, segment in enumerate(segments, start=1):
        lacking = [key for key in ("name", "meaning", "action", "where") if not segment.get(key)]
        wrong = [box for box in segment.get("where") or [] if set(box) != set(SCORES)]
        if lacking:
            faults.append(f"segment {place} lacks {', '.join(lacking)}")
        if wrong:
            faults.append(f"segment {place} has a line under `where` without exactly {', '.join(SCORES)}: {wrong[0]}")
    if not faults:
        holders = defaultdict(list)
        for segment in segments:
            for code in _combinations(segment):
                holders[code].append(segment["name"])
        every = ["".join(map(str, scores)) for scores in product(range(1, bins + 1), repeat=3)]
        if gaps := [code for code in every if code not in holders]:
            faults.append(f"in no segment: {', '.join(gaps)}")
        faults += [f"{code} is in {' and '.join(names)}" for code, names in sorted(holders.items()) if len(names) > 1]
        if strange := sorted(set(holders) - set(every)):
            faults.append(f"no such scores with {bins} parts: {', '.join(strange)}")
    if faults:
        raise UsageError(
            f"{where}: {'; '.join(faults)}. Each combination of recency, frequency and monetary score (1 to {bins}) "
            "must lie in exactly one segment; mend the lists under `where`."
        )


def _combinations(segment: dict) -> list[str]:
    return [
        "".join(map(str, scores)) for box in segment["where"] for scores in product(*(box[name] for name in SCORES))
    ]
