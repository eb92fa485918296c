"""The kernel that a run starts: it loads what its notebook imports before the first cell is sent.

`python -m cxkit.kernel MODULES -f FILE`: MODULES parted by commas. A kernel that is started while earlier notebooks run
has its imports behind it when its turn comes. The notebook's own import lines stay what counts: they find the modules
loaded, or fail as they would anywhere.
"""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

# what cxkit.notebook loads when a run is opened and its first picture drawn
BEHIND = {"cxkit.notebook": ("cxkit.sources", "cxkit.engine", "matplotlib.pyplot", "scipy.special")}


def load(modules: list[str]) -> None:
    """Import modules, and what comes with them; one that is not there is passed over."""
    for name in modules:
        for module in (name, *BEHIND.get(name, ())):
            with suppress(Exception):
                import_module(module)


if __name__ == "__main__":
    # as ipykernel's own launcher: the notebook's folder comes back once the kernel runs
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    modules = sys.argv.pop(1).split(",")

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize()
    load(modules)  # once the sockets are there
    app.start()
