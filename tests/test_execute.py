"""Notebooks side by side, one kernel each."""

import _thread
import json
import sys
import threading
import time
from pathlib import Path

import pytest
from make_notebooks import notebook

from cxkit.execute import Limits, _kernels, run_notebooks
from cxkit.parameters import read_notebooks


def run(folder, out, *, jobs=2, cell_seconds=60, notebook_seconds=60, on_start=str, values=None):
    notebooks = read_notebooks(folder)
    out.mkdir(exist_ok=True)
    ended = []
    outcomes = run_notebooks(
        notebooks,
        parameters={name: {"run_dir": str(out), **(values or {})} for name in notebooks},
        folder=out,
        limits=Limits(cell_seconds, notebook_seconds),
        jobs=jobs,
        started=on_start,
        ended=ended.append,
    )
    assert sorted(o.name for o in ended) == list(outcomes)
    return outcomes


def output(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(o.get("text", "")) for cell in cells for o in cell.get("outputs", []))


def test_notebooks_run_in_their_own_folder_with_this_python_and_the_order_that_after_asks_for(tmp_path):
    book = tmp_path / "мої {зошити}"
    log = "open(f'{run_dir}/log.txt', 'a').write('%s\\n')"
    notebook(book, "00_first", log % "00", "import os, sys; print(os.getcwd(), sys.executable, hash('x'))")
    notebook(book, "01_second", log % "01", "print(words)", parameters='words: str = "none"\n', after=("00_first",))
    outcomes = run(book, tmp_path / "out", values={"words": "з 'лапками' {}"})
    assert [(o.status, o.error) for o in outcomes.values()] == [("done", ""), ("done", "")]
    assert (tmp_path / "out" / "log.txt").read_text() == "00\n01\n"
    first = output(tmp_path / "out" / "00_first.ipynb").split()
    assert " ".join(first[:-2]) == str(book)
    assert first[-2] == sys.executable
    assert output(tmp_path / "out" / "01_second.ipynb") == "з 'лапками' {}\n"


def test_notebooks_that_do_not_read_each_other_run_at_the_same_time(tmp_path):
    wait = (
        "import pathlib, time\nmine, other = pathlib.Path(run_dir, '%s'), pathlib.Path(run_dir, '%s')\n"
        "mine.touch()\nwhile not other.exists(): time.sleep(0.05)"
    )
    notebook(tmp_path, "00_left", wait % ("left", "right"))
    notebook(tmp_path, "01_right", wait % ("right", "left"))
    assert {o.status for o in run(tmp_path, tmp_path / "out", cell_seconds=30).values()} == {"done"}


@pytest.mark.parametrize(("jobs", "own", "threads"), [(1, None, 6), (2, None, 3), (8, None, 1), (2, "5", 5)])
def test_the_kernels_share_the_cores_unless_the_user_says_otherwise(monkeypatch, jobs, own, threads):
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if own:
        monkeypatch.setenv("OMP_NUM_THREADS", own)
    with _kernels(jobs) as kernel:
        assert kernel().kernel_spec.env["OMP_NUM_THREADS"] == str(threads)


@pytest.mark.parametrize("jobs", [1, 2])  # with two, the kernels of those that rest on it have been started ahead
def test_a_failed_notebook_holds_up_those_that_rest_on_it_and_no_others(tmp_path, jobs):
    notebook(tmp_path, "00_bad", "1 + 1", "raise ValueError('first line\\nlast line')")
    notebook(tmp_path, "01_rests", after=("00_bad",))
    notebook(tmp_path, "02_rests_on_that", after=("01_rests",))
    notebook(tmp_path, "03_free", "print('ran')")
    started = []
    outcomes = run(tmp_path, tmp_path / "out", jobs=jobs, on_start=started.append)
    assert [o.status for o in outcomes.values()] == ["failed", "skipped", "skipped", "done"]
    assert (outcomes["00_bad"].cell, outcomes["00_bad"].error) == (4, "ValueError: last line")
    assert started == ["00_bad", "03_free"]
    assert "ValueError" in (tmp_path / "out" / "00_bad.ipynb").read_text()


def test_a_notebook_that_waits_has_its_imports_behind_it_and_no_cell_before_its_turn(tmp_path):
    loaded = "import sys; print(len({'wave', 'mailbox'} & set(sys.modules)))"
    notebook(tmp_path, "00_first", "import time; time.sleep(3); print(time.time())")
    notebook(tmp_path, "01_second", f"import time; print(time.time()); {loaded}", "import wave", after=("00_first",))
    notebook(tmp_path, "02_third", "import no_such_module_at_all")
    outcomes = run(tmp_path, tmp_path / "out")
    ended = float(output(tmp_path / "out" / "00_first.ipynb"))
    begun, modules = output(tmp_path / "out" / "01_second.ipynb").split()
    assert float(begun) >= ended
    assert modules == "1"
    assert outcomes["02_third"].error == "ModuleNotFoundError: No module named 'no_such_module_at_all'"


def test_time_limits_of_a_cell_and_of_a_notebook_and_a_kernel_that_dies(tmp_path):
    notebook(tmp_path, "00_slow_cell", "import time; time.sleep(60)")
    notebook(tmp_path, "01_slow_book", *["import time; time.sleep(1.2)"] * 9)
    notebook(tmp_path, "02_dead", "import os; os._exit(1)")
    begin = time.monotonic()
    outcomes = run(tmp_path, tmp_path / "out", jobs=3, cell_seconds=3, notebook_seconds=8)
    assert time.monotonic() - begin < 30
    assert outcomes["00_slow_cell"].error == "a cell took longer than 3 seconds (limits.cell_seconds in client.yml)"
    assert outcomes["01_slow_book"].error == (
        "the notebook took longer than 8 seconds (limits.notebook_seconds in client.yml)"
    )
    assert outcomes["02_dead"].error == "its kernel died (out of memory, or ended from outside)"


def test_an_interrupted_run_ends_its_kernels(tmp_path):
    notebook(tmp_path, "00_long", "import os; open(f'{run_dir}/pid', 'w').write(str(os.getpid()))", "while True: pass")
    notebook(tmp_path, "01_long", "while True: pass")
    pid = tmp_path / "out" / "pid"

    def interrupt():
        while not (pid.is_file() and pid.read_text()):
            time.sleep(0.05)
        _thread.interrupt_main()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, tmp_path / "out", cell_seconds=300, notebook_seconds=300)  # a busy machine starts slowly
    assert not _alive(int(pid.read_text()))


def _alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.is_file() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
