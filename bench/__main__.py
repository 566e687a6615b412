"""`python -m bench [--rows N] [--rounds N] [--group WORD]`: interleaved rounds, medians, ratios to the first of a group.

`python -m bench --growth 100000,300000,1000000` tells the cost of a row as the input grows. Absolute times say little on a shared machine; read the ratios. CPU is user plus system of the whole process.
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

from bench.cases import GROUPS, GROWTH, WITHOUT_INPUT
from bench.data import write
from bench.reading import INPUTS, input_of


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
    print(
        f"\n{title}\n{'':20}{'rows/s':>10}{'CPU us/row':>12}{'CPU ratio':>11}{'wall ratio':>12}{'peak MiB':>10}"
    )
    first = middle(runs[names[0]])
    for name in names:
        run = middle(runs[name])
        rows = max(int(run.rows), 1)
        print(
            f"{name:20}{rows / run.wall_s:>10.0f}{run.cpu_s / rows * 1e6:>12.1f}{run.cpu_s / first.cpu_s:>11.2f}"
            f"{run.wall_s / first.wall_s:>12.2f}{run.peak_mib:>10.0f}",
            flush=True,
        )


def middle(runs: list[Run]) -> Run:
    """Give the medians of some runs of one case."""
    cpu, wall, peak = (statistics.median(values) for values in list(zip(*runs, strict=True))[:3])
    return Run(cpu, wall, peak, runs[0].rows)


def growth(sizes: list[int], word: str) -> None:
    """Print the cost of a row of each case, in turn for every size of input."""
    print(f"CPU us/row, start-up included\n{'':20}" + "".join(f"{size:>12}" for size in sizes) + "   MiB")
    for name in (name for name in GROWTH if word in name):
        runs = []
        for size in sizes:
            path = Path("build/bench") / f"raw-{size}.jsonl"
            family = name.split("_", maxsplit=1)[0]
            if family in INPUTS:
                input_of(path, INPUTS[family])
            else:
                measure(name, path)  # makes what is made once
            runs.append(measure(name, path))
        costs = [run.cpu_s / int(run.rows) * 1e6 for run in runs]
        peaks = " ".join(f"{run.peak_mib:.0f}" for run in runs)
        print(f"{name:20}" + "".join(f"{cost:>12.1f}" for cost in costs) + f"   {peaks}", flush=True)


def main() -> None:
    """Make the input, then measure group by group."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--group", default="", help="only groups, or cases of growth, whose name has this in it"
    )
    parser.add_argument("--growth", metavar="SIZES", help="numbers of rows, separated by commas")
    asked = parser.parse_args()
    if asked.growth:
        growth([int(size) for size in asked.growth.split(",")], asked.group)
        return
    path = Path("build/bench") / f"raw-{asked.rows}.jsonl"
    print(f"{asked.rows} orders, {os.cpu_count()} cores, medians of {asked.rounds} interleaved rounds")
    for title, cases in GROUPS.items():
        if asked.group in title:
            if title not in WITHOUT_INPUT:
                write(path, asked.rows)
            compare(title, cases, path, asked.rounds)


if __name__ == "__main__":
    main()
