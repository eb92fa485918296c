"""Notebooks side by side: one thread and one kernel each, in the order that `after` asks for."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxkit.parameters import Notebook, papermill_path


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

    A notebook that fails holds up those that rest on it, and no others. Whatever ends this function early (Ctrl-C,
    SIGTERM) ends the kernels first.
    """
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[Outcome], str] = {}
    with _kernels() as kernel_class, ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while len(outcomes) < len(notebooks):
                for notebook in notebooks.values():
                    before = [name for name in notebook.after if name in notebooks]
                    if notebook.name in outcomes or notebook.name in running.values():
                        continue
                    if any(name in outcomes and outcomes[name].status != "done" for name in before):
                        _settle(outcomes, Outcome(notebook.name, "skipped", 0.0), ended)
                    elif all(name in outcomes for name in before) and len(running) < jobs:
                        started(notebook.name)
                        values = parameters.get(notebook.name, {})
                        running[pool.submit(_run_one, notebook, values, folder, limits, kernel_class)] = notebook.name
                if running:
                    finished, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)  # awake for signals
                    for future in finished:
                        del running[future]
                        _settle(outcomes, future.result(), ended)
        except BaseException:
            kernel_class.end_all()  # the pool waits for its threads, and they for their kernels
            raise
    return {name: outcomes[name] for name in notebooks}


def _settle(outcomes: dict[str, Outcome], outcome: Outcome, ended: Callable[[Outcome], None]) -> None:
    outcomes[outcome.name] = outcome
    ended(outcome)


def _run_one(
    notebook: Notebook, values: Mapping[str, object], folder: Path, limits: Limits, kernel_class: type
) -> Outcome:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import execute_notebook
    from papermill.exceptions import PapermillExecutionError

    begin = time.monotonic()

    def seconds_for(_cell: object) -> float:
        return max(0.1, min(limits.cell_seconds, begin + limits.notebook_seconds - time.monotonic()))

    cell, error = None, ""
    try:
        execute_notebook(
            papermill_path(notebook.path),
            papermill_path(folder / notebook.path.name),
            parameters=dict(values),
            progress_bar=False,
            # never cwd=, which would change the folder of the whole process under the other threads
            resources={"metadata": {"path": str(notebook.path.parent)}},
            kernel_manager_class=kernel_class,
            timeout_func=seconds_for,
            shutdown_kernel="immediate",
        )
    except PapermillExecutionError as failure:
        cell = failure.exec_count
        last = (failure.evalue.strip().splitlines() or [""])[-1]
        error = f"{failure.ename}: {last}" if last else failure.ename
    except CellTimeoutError:
        whole = time.monotonic() - begin >= limits.notebook_seconds
        key = "notebook_seconds" if whole else "cell_seconds"
        thing = "the notebook" if whole else "a cell"
        error = f"{thing} took longer than {getattr(limits, key)} seconds (limits.{key} in client.yml)"
    except DeadKernelError:
        error = "its kernel died (out of memory, or ended from outside)"
    except Exception as failure:  # whatever ends one notebook is told, and leaves the others alone
        error = f"{type(failure).__name__}: {failure}"
    status = "failed" if error else "done"
    return Outcome(notebook.name, status, round(time.monotonic() - begin, 3), cell, error)


@contextmanager
def _kernels() -> Iterator[type]:
    """The class of kernels of this run: of this very Python, on an encrypted line, ended when the run ends.

    It is made here because jupyter_client is slow to import.
    """
    import logging

    import zmq
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    lock, live, closed = threading.Lock(), set(), threading.Event()

    class Kernel(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            # Not the installed kernelspec: one of the same name in the user's home may start another Python.
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
                metadata={"supported_encryption": ["curve"]},
                # sets of text in the same order in every run
                env={"PYTHONHASHSEED": "0"},
            )

        def _transport_encryption_default(self) -> str:
            return "auto" if zmq.has("curve") else "disabled"

        async def _async_post_start_kernel(self, **kw: object) -> None:
            await super()._async_post_start_kernel(**kw)
            with lock:
                live.add(self.provisioner.process)
                if closed.is_set():
                    self.provisioner.process.kill()

        post_start_kernel = _async_post_start_kernel

        @staticmethod
        def end_all() -> None:
            closed.set()
            with lock:
                for process in live:
                    process.kill()

    log = logging.getLogger("papermill")
    before = log.level
    log.setLevel(logging.CRITICAL)  # what went wrong is told once, by the run
    try:
        yield Kernel
    finally:
        Kernel.end_all()
        log.setLevel(before)
