"""The named errors: one exit code each, and never raised without a word."""

import ast
import importlib
from pathlib import Path

import pytest

from cxkit import errors

PACKAGE = Path(errors.__file__).parent
NAMES = ("UsageError", "DataError", "RunError")


@pytest.mark.parametrize(("error", "code"), [(errors.RunError, 1), (errors.UsageError, 2), (errors.DataError, 3)])
def test_every_error_has_its_exit_code(error, code):
    with pytest.raises(errors.CxkitError) as caught:
        raise error("the key is wrong.")
    assert caught.value.exit_code == code
    assert str(caught.value) == "the key is wrong."


def test_errors_of_single_modules_are_one_of_the_three():
    for path in PACKAGE.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and path.stem != "errors" and not node.name.startswith("_"):
                made = getattr(importlib.import_module(f"cxkit.{path.stem}"), node.name)
                named = tuple(getattr(errors, name) for name in NAMES)
                assert not issubclass(made, Exception) or issubclass(made, named), f"{path.stem}.{node.name}"


def raised() -> list[tuple[str, ast.Call]]:
    """Every `raise` of a named error in the package, and where."""
    found = []
    for path in sorted(PACKAGE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and getattr(getattr(node.exc, "func", node.exc), "id", "") in NAMES:
                found.append((f"{path.name}:{node.lineno}", node.exc))
    return found


def test_an_error_says_something_and_shouts_at_nobody():
    everything = raised()
    assert {call.func.id for _, call in everything if isinstance(call, ast.Call)} == set(NAMES)
    for where, call in everything:
        assert isinstance(call, ast.Call), f"{where} raises without a message"
        assert len(call.args) == 1, f"{where} raises without a message"
        literals = [n.value for n in ast.walk(call) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not any("!" in text for text in literals), where
