"""A study's functions, for the few of its made-up clients that the tests draw."""

import importlib.util
from pathlib import Path
from types import ModuleType

STUDIES = Path(__file__).parents[1] / "studies"


def load_study(name: str) -> ModuleType:
    """studies/<name>.py as a module of its own; its functions run in this process."""
    spec = importlib.util.spec_from_file_location(name, STUDIES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
