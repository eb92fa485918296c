"""The notebooks, run as JupyterLab runs them, give the outputs that they are committed with (nbval)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_notebooks_give_the_outputs_they_are_committed_with():
    """One after another, as each rests on those before it; beside the other tests, as one core would wait else."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "notebooks",
        "--nbval-lax",
        "--nbval-current-env",
        "-p",
        "no:xdist",
        "-q",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    print(done.stdout.splitlines()[-1])
