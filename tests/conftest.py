"""What holds for all tests.

Property tests have no deadline, since a busy machine is no fault of the code. Pictures need no screen, and none stays
open.
"""

import sys

import matplotlib
import pytest
from hypothesis import settings

settings.register_profile("kit", deadline=None)
settings.load_profile("kit")


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    matplotlib.use("Agg")
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
