"""What is an item about, narrower than its sphere: sending goods back, how parcels reach customers, paying, sizes."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from cxkit.errors import UsageError
from cxkit.settings_file import read_yaml
from cxkit.words import normal_text

TOPICS = Path(__file__).parent / "topics.yml"
KEYS = ("topic", "name", "findings", "words")


def topics_of(ids: Sequence[str] = (), *, said: str = "", path: Path | None = None) -> dict[str, str]:
    """The topics of an item: key -> name, in the file's order.

    From: the findings behind it, and what people say of it. A finding has a topic by the beginning of its id, words by
    the beginnings of words. `path`: a YAML file as `cxkit/topics.yml`, which is the default.
    Source: ours.
    Raises UsageError where the file is no list of topics.
    """
    spoken = f" {normal_text(said)}"
    return {
        topic: name
        for topic, name, findings, words in _read(path or TOPICS)
        if any(f"{id}.".startswith(f"{begin}.") for id in ids for begin in findings)
        or any(all(f" {word}" in spoken for word in begin.split()) for begin in words)
    }


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...]:
    rows = read_yaml(path, begins="`topics:` and a list of topics").get("topics")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and set(row) == set(KEYS) for row in rows):
        raise UsageError(f"{path}: `topics` is a list; each of its parts has exactly {', '.join(KEYS)}.")
    return tuple(
        (row["topic"], row["name"], tuple(row["findings"]), tuple(normal_text(word) for word in row["words"]))
        for row in rows
    )
