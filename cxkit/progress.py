"""How far a run is, on stderr: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]  # what happens now, steps done, steps in all


def silent(text: str, done: int, total: int) -> None:
    """Says nothing: for callers that are programs."""


@contextmanager
def lines() -> Iterator[Progress]:
    """One line for each thing that happens."""

    def show(text: str, done: int, total: int) -> None:
        print(f"[{done}/{total}] {text}", file=sys.stderr, flush=True)

    yield show


@contextmanager
def bar() -> Iterator[Progress]:
    """One line that is rewritten; it disappears at the end, so that only results stay."""
    from tqdm import tqdm

    with tqdm(
        total=1, file=sys.stderr, leave=False, dynamic_ncols=True, bar_format="{bar:20} {n}/{total} {desc}"
    ) as line:

        def show(text: str, done: int, total: int) -> None:
            line.total, line.n = total, done
            line.set_description_str(text)

        yield show
