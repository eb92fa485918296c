"""What a benchmark needs that runs its contenders in processes of their own: a quiet machine, the peak of memory."""

import resource
import sys
import time
from pathlib import Path


def peak_mb() -> float:
    """The most memory this process has held. Linux's ru_maxrss also remembers the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def wait_for_quiet(seconds: int) -> None:
    """Waits, at most so long, until the processors were nine tenths idle for 3 s (on Linux; elsewhere not at all)."""
    stat, end = Path("/proc/stat"), time.monotonic() + seconds
    while stat.exists() and time.monotonic() < end:
        one = [int(number) for number in stat.read_text().splitlines()[0].split()[1:]]
        time.sleep(3)
        other = [int(number) for number in stat.read_text().splitlines()[0].split()[1:]]
        if other[3] - one[3] >= 0.9 * (sum(other) - sum(one)):
            return
