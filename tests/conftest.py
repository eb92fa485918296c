"""What holds for all tests.

Property tests have no deadline, since a busy machine is no fault of the code. Pictures need no screen, and none stays
open.
"""

import shutil
import sys
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings

settings.register_profile("kit", deadline=None)
settings.load_profile("kit")

DEMO = Path(__file__).parents[1] / "data" / "demo"


@pytest.fixture(scope="session")
def loaded_demo(tmp_path_factory):
    """The demo client through the door, in a folder of its own: for tests that only read it, so once for all files."""
    from cxkit.client import load_client
    from cxkit.sources import load

    folder = tmp_path_factory.mktemp("clients") / "demo"
    shutil.copytree(DEMO, folder, ignore=shutil.ignore_patterns("cache*", "refused"))
    return load(load_client(folder / "client.yml"))


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    matplotlib.use("Agg")
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
