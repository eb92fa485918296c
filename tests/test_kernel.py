"""The kernel that a run starts."""

import subprocess
import sys


def loaded(*modules):
    code = f"import sys; from cxkit.kernel import load; load({list(modules)!r}); print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_modules_are_loaded_and_missing_ones_passed_over():
    assert {"wave", "mailbox"} <= loaded("", "no_such_module_at_all", "wave", "mailbox")


def test_what_stands_behind_a_run_comes_with_it():
    assert {"cxkit.sources", "cxkit.engine", "matplotlib.pyplot", "scipy.special"} <= loaded("cxkit.notebook")


def test_it_loads_nothing_by_itself():
    assert not {"cxkit.notebook", "pandas", "ipykernel"} & loaded()
