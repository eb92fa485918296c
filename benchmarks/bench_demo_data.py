"""How much memory a made-up client of a million customers takes (the other benchmarks' input)."""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULT = Path(__file__).with_suffix("").with_name("demo_data.md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    customers = parser.parse_args().customers
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "client"
        command = ["cxkit", "demo-data", "--customers", str(customers), "--format", "parquet"]
        begin = time.monotonic()
        subprocess.run([sys.executable, "-m", *command, "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - begin
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6
    peak = used.ru_maxrss / 1024  # Linux counts kilobytes
    RESULT.write_text(
        f"# A made-up client of {customers:,} customers\n\n"
        f"`python benchmarks/bench_demo_data.py --customers {customers}`\n\n"
        f"`{' '.join(command)}`: peak memory {peak:,.0f} MB, {seconds:,.0f} s "
        f"({used.ru_utime + used.ru_stime:,.0f} s of processor time), {size:,.0f} MB written. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}.\n",
        encoding="utf-8",
    )
    print(RESULT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
