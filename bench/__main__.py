"""`python -m bench [--rows N] [--rounds N] [--group WORD]`: interleaved rounds, medians, ratios to the first of a group.

Absolute times say little on a shared machine; read the ratios. CPU is user plus system of the whole process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.cases import GROUPS
from bench.data import write


class Run(NamedTuple):
    """One process: seconds of CPU and of wall, peak memory in MiB, what it counted."""

    cpu_s: float
    wall_s: float
    peak_mib: float
    rows: str


def measure(case: str, path: Path) -> Run:
    """Run one case in a fresh interpreter."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.cases", case, str(path)], stdout=subprocess.DEVNULL, stderr=told
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read().decode()
    if child.returncode:
        raise SystemExit(f"{case} failed:\n{text}")
    return Run(
        used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024, text.split()[-1]
    )


def compare(title: str, names: list[str], path: Path, rounds: int) -> None:
    """Print a table: each case against the first."""
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for name in names:
        measure(name, path)  # warms the file cache and makes what is made once
    for _ in range(rounds):
        for name in names:
            runs[name].append(measure(name, path))
    print(f"\n{title}\n{'':16}{'CPU ratio':>10}{'wall ratio':>11}{'peak MiB':>10}{'counted':>9}")
    first = runs[names[0]]
    base_cpu = statistics.median(r.cpu_s for r in first)
    base_wall = statistics.median(r.wall_s for r in first)
    for name in names:
        cpu = statistics.median(r.cpu_s for r in runs[name]) / base_cpu
        wall = statistics.median(r.wall_s for r in runs[name]) / base_wall
        peak = statistics.median(r.peak_mib for r in runs[name])
        print(f"{name:16}{cpu:>10.2f}{wall:>11.2f}{peak:>10.0f}{runs[name][0].rows:>9}", flush=True)


def main() -> None:
    """Make the input, then measure group by group."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--group", default="")
    asked = parser.parse_args()
    path = Path("build/bench") / f"raw-{asked.rows}.jsonl"
    write(path, asked.rows)
    size = path.stat().st_size
    print(
        f"{asked.rows} raw orders, {size >> 20} MiB, {os.cpu_count()} cores, medians of {asked.rounds} interleaved rounds"
    )
    for title, cases in GROUPS.items():
        if asked.group in title:
            compare(title, cases, path, asked.rounds)


if __name__ == "__main__":
    main()
