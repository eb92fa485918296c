"""Notebooks side by side: one thread and one kernel each, in the order that `after` asks for."""

import itertools
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxkit.parameters import Notebook, papermill_path

LONGEST_PLACE = 80  # characters of a folder for sockets; some systems take 104 for the whole path


@dataclass(frozen=True)
class Outcome:
    """How a notebook ended: done, failed, or skipped because one that it reads failed; `error` is one line."""

    name: str
    status: str
    seconds: float
    cell: int | None = None
    error: str = ""


@dataclass(frozen=True)
class Limits:
    """How long one cell and one notebook may take, in seconds."""

    cell_seconds: int
    notebook_seconds: int


class _Gate:
    """Holds a started kernel back until its turn; `seconds` runs from then on."""

    def __init__(self) -> None:
        self.event, self.go, self.begin = threading.Event(), False, 0.0

    def open(self, *, go: bool) -> None:
        self.go, self.begin = go, time.monotonic()
        self.event.set()

    def wait(self, **_notebook: object) -> None:
        self.event.wait()
        if not self.go:
            raise _NotWanted

    def seconds(self) -> float:
        return time.monotonic() - self.begin if self.go else 0.0


class _NotWanted(Exception):
    """The notebook is not to run after all."""


def run_notebooks(
    notebooks: Mapping[str, Notebook],
    *,
    parameters: Mapping[str, Mapping[str, object]],
    folder: Path,
    limits: Limits,
    jobs: int,
    started: Callable[[str], None],
    ended: Callable[[Outcome], None],
) -> dict[str, Outcome]:
    """Run the notebooks into `folder`, at most `jobs` at once, each after those that it reads (of those given).

    With more than one job, the kernels of the next ones are started ahead: most of a notebook's time is its kernel's
    start and its imports, which need no turn. A notebook that fails holds up those that rest on it, and no others.
    Whatever ends this function early (Ctrl-C, SIGTERM) ends the kernels first.
    """
    outcomes: dict[str, Outcome] = {}
    gates = {name: _Gate() for name in notebooks}
    futures: dict[Future[Outcome], str] = {}
    running: set[str] = set()
    ahead = jobs if jobs > 1 else 0

    with _kernels(jobs) as kernel_class, ThreadPoolExecutor(max_workers=jobs + ahead) as pool:

        def submit(notebook: Notebook) -> None:
            values = parameters.get(notebook.name, {})
            future = pool.submit(_run_one, notebook, values, folder, limits, kernel_class, gates[notebook.name])
            futures[future] = notebook.name

        def settle(outcome: Outcome) -> None:
            outcomes[outcome.name] = outcome
            running.discard(outcome.name)
            ended(outcome)

        try:
            while len(outcomes) < len(notebooks):
                waiting = [n for n in notebooks.values() if n.name not in outcomes and n.name not in running]
                for notebook in waiting:
                    name, before = notebook.name, [other for other in notebook.after if other in notebooks]
                    if any(other in outcomes and outcomes[other].status != "done" for other in before):
                        gates[name].open(go=False)
                        settle(Outcome(name, "skipped", 0.0))
                    elif len(running) < jobs and all(other in outcomes for other in before):
                        running.add(name)
                        started(name)
                        gates[name].open(go=True)
                        if name not in futures.values():
                            submit(notebook)
                    elif len(futures) < jobs + ahead and name not in futures.values():
                        submit(notebook)
                if running:
                    finished, _ = wait(futures, timeout=0.5, return_when=FIRST_COMPLETED)  # awake for signals
                    for future in finished:
                        name = futures.pop(future)
                        if name not in outcomes:
                            settle(future.result())
        except BaseException:
            kernel_class.end_all()  # the pool waits for its threads, and they for their kernels
            raise
        finally:
            for gate in gates.values():
                if not gate.event.is_set():
                    gate.open(go=False)
    return {name: outcomes[name] for name in notebooks}


def _run_one(
    notebook: Notebook, values: Mapping[str, object], folder: Path, limits: Limits, kernel_class: type, gate: _Gate
) -> Outcome:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    def seconds_for(_cell: object) -> float:
        return max(0.1, min(limits.cell_seconds, limits.notebook_seconds - gate.seconds()))

    cell, error = None, ""
    try:
        execute_notebook(
            papermill_path(notebook.path),
            papermill_path(folder / notebook.path.name),
            parameters=dict(values),
            progress_bar=False,
            # never cwd=, which would change the folder of the whole process under the other threads
            resources={"metadata": {"path": str(notebook.path.parent)}},
            kernel_manager_class=kernel_class.loading(notebook.imports),
            on_notebook_start=gate.wait,
            timeout_func=seconds_for,
            shutdown_kernel="immediate",
        )
    except _NotWanted:
        return Outcome(notebook.name, "skipped", 0.0)
    except PapermillExecutionError as failure:
        cell = failure.exec_count
        last = (failure.evalue.strip().splitlines() or [""])[-1]
        error = f"{failure.ename}: {last}" if last else failure.ename
    except CellTimeoutError:
        whole = gate.seconds() >= limits.notebook_seconds
        key = "notebook_seconds" if whole else "cell_seconds"
        thing = "the notebook" if whole else "a cell"
        error = f"{thing} took longer than {getattr(limits, key)} seconds (limits.{key} in client.yml)"
    except DeadKernelError:
        error = "its kernel died (out of memory, or ended from outside)"
    except Exception as failure:  # whatever ends one notebook is told, and leaves the others alone
        error = f"{type(failure).__name__}: {failure}"
    status = "failed" if error else "done"
    return Outcome(notebook.name, status, round(gate.seconds(), 3), cell, error)


@contextmanager
def _kernels(jobs: int) -> Iterator[type]:
    """The class of kernels of this run: of this very Python, on sockets of our own, ended when the run ends.

    `jobs` of them share the cores: with more threads than cores, sums would wait for each other.

    It is made here because jupyter_client is slow to import.
    """
    import zmq
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    lock, live, closed, numbers = threading.Lock(), [], threading.Event(), itertools.count(1)
    place = tempfile.TemporaryDirectory(prefix="cxkit-")
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // jobs))
    own_sockets = hasattr(socket, "AF_UNIX") and sys.platform != "win32" and len(place.name) <= LONGEST_PLACE

    class Kernel(AsyncKernelManager):
        preload: tuple[str, ...] = ()

        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            number = next(numbers)
            self.connection_file = f"{place.name}/{number}.json"
            if own_sockets:
                # Files in a folder of our own: a TCP port that was free when it was chosen may be taken when the
                # kernel gets to it (it then hangs), and is open to everybody on the machine.
                self.transport, self.ip = "ipc", f"{place.name}/{number}"
            elif zmq.has("curve"):
                self.transport_encryption = "auto"

        @classmethod
        def loading(cls, modules: tuple[str, ...]) -> type:
            return type("Kernel", (cls,), {"preload": modules})

        @property
        def kernel_spec(self) -> KernelSpec:
            # Not the installed kernelspec: one of the same name in the user's home may start another Python.
            return KernelSpec(
                argv=[sys.executable, "-m", "cxkit.kernel", ",".join(self.preload), "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
                metadata={"supported_encryption": ["curve"]},
                # sets of text in the same order in every run
                env={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": threads},
            )

        async def _async_post_start_kernel(self, **kw: object) -> None:
            await super()._async_post_start_kernel(**kw)
            with lock:
                live.append(self.provisioner.process)
                if closed.is_set():
                    self.provisioner.process.kill()

        post_start_kernel = _async_post_start_kernel

        @staticmethod
        def end_all() -> None:
            closed.set()
            with lock:
                for process in live:
                    process.kill()
                    process.wait()

    log = logging.getLogger("papermill")
    before = log.level
    log.setLevel(logging.CRITICAL)  # what went wrong is told once, by the run
    try:
        yield Kernel
    finally:
        Kernel.end_all()
        place.cleanup()
        log.setLevel(before)
