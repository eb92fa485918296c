"""Damaged files of every format: read, or told in words of ours, never with a traceback; no record goes astray."""

import contextlib
import random

import pandas as pd
import pytest
from client_files import COLUMNS, of_every_kind
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sources_client import adds_up, make_client, orders_export
from sources_client import settings as client_settings

from cxkit import engine, exports, sources
from cxkit.errors import CxkitError
from cxkit.mapping import Reading

EXAMPLES = {"csv": 30, "csv.gz": 15, "zip": 15, "xlsx": 8, "parquet": 25, "jsonl": 30, "json": 20, "duckdb": 10}
PLACE = "tables.orders"


def mutated(whole: bytes, seed: int, kind: int) -> bytes:
    """Bytes changed, cut out, doubled, put in, swapped; or the file cut off."""
    rng = random.Random(seed)
    held = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2, 5, 40])):
        at = rng.randrange(len(held) + 1)
        end = min(len(held), at + rng.choice([1, 1, 4, 30]))
        if kind == 0:
            held[at:end] = rng.randbytes(end - at)
        elif kind == 1:
            del held[at:end]
        elif kind == 2:
            held[at:at] = held[at:end] * rng.choice([1, 3])
        elif kind == 3:
            held[at:at] = rng.choice(
                [b'"', b"\n", b"\r", b",", b"\x00", b"\xff\xfe", b"{", b"]", b"\xef\xbb\xbf", b"'"]
            )
        else:
            del held[at:]
    return bytes(held)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return of_every_kind(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def con():
    return engine.connect()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_damaged_files_are_staged_or_told(tmp_path, files, con, kind):
    """Every line of a text is a record kept or one refused; of other formats what was read can be read on."""
    path = tmp_path / f"orders.{kind}"
    names = {raw: f"r{i}" for i, raw in enumerate(COLUMNS)}
    told = {"place": PLACE, "names": names, "targets": {}, "folder": tmp_path}

    @settings(
        max_examples=EXAMPLES[kind],
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32), st.integers(0, 4))
    def mutate(seed, how):
        content = mutated(files[path.name], seed, how)
        path.write_bytes(content)
        try:
            exports.header(path, place=PLACE, reading=Reading())
            (staged,) = exports.stage(con, {path.name: path}, reading=Reading(), **told)
        except CxkitError as error:
            if path.name not in str(error):
                raise AssertionError(f"the file is not named: {error}") from None
            return
        kept = len(staged.records.to_pandas())
        refused = len(pd.read_csv(staged.rejects)) if staged.rejects else 0
        if kind == "jsonl":
            lines = [line for line in content.decode("utf-8-sig").split("\n") if line.strip(" \t\r\n")]
            assert kept + refused == len(lines)
        assert kept + refused > 0

    mutate()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_damaged_files_through_the_door(tmp_path, files, kind):
    name = f"orders.{kind}"
    (tmp_path / name).write_bytes(b"x")
    client = make_client(tmp_path, client_settings(orders=orders_export(path=name)))
    for content in (mutated(files[name], 7, 0), files[name][:8] + random.Random(1).randbytes(400)):
        (tmp_path / name).write_bytes(content)
        with contextlib.suppress(CxkitError):
            adds_up(sources.load(client))
