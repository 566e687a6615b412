"""A raw file with one line in a hundred damaged, in every way: each line costs at most itself, whatever the size.

ORDERCTL_DAMAGE_MB asks for a larger file (`make damage`: 1000).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.properties.damage import BAD, DAMAGES, GOOD, NOTHING, Line, lines, read_orders, shown, write

SIZE_MB = int(os.environ.get("ORDERCTL_DAMAGE_MB") or 24)
CEILING_MB = 800  # of any size of file; two idle cores read further ahead than busy ones
RUN = """
import sys
from orderctl.cli.main import run
code = run(sys.argv[2:])
with open("/proc/self/status") as status, open(sys.argv[1], "w") as told:
    told.write(next(line.split()[1] for line in status if line.startswith("VmHWM")))
sys.exit(code)
"""


class Ran:
    """What `normalize` made of a file: exit code, stderr, seconds of CPU and wall, the most memory in MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "rules.yaml").write_text("{}\n")
        began, before = time.monotonic(), os.times()
        files = ["raw.jsonl", "--rules", "rules.yaml", "--rejects", "rejects.jsonl", "-o", "orders.jsonl"]
        ran = subprocess.run(
            [sys.executable, "-c", RUN, "peak", "normalize", *files], cwd=folder, capture_output=True, text=True,
            check=False, env={**os.environ, "POLARS_MAX_THREADS": "2"},
        )  # fmt: skip
        after = os.times()
        self.wall_s = time.monotonic() - began
        self.cpu_s = (
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        self.code, self.err = ran.returncode, ran.stderr
        self.peak_mb = int((folder / "peak").read_text()) >> 10


def check(folder: Path, given: Iterator[Line]) -> Counter[str]:
    """Compare what came out with what went in, line by line; give how many lines had each fate."""
    orders = read_orders(folder / "orders.jsonl")
    with (folder / "rejects.jsonl").open("rb") as told:
        rejects = iter([(r["line"], r["source"], r["reason"], r["text"]) for r in map(orjson.loads, told)])
    fates: Counter[str] = Counter()
    for number, line in enumerate(given, 1):
        fates[line.fate] += 1
        if line.fate == NOTHING:
            continue
        if line.fate == BAD:
            at, source, reason, text = next(rejects)
            assert (at, source) == (number, "raw.jsonl"), (
                f"{line.kind}: not the next reject but {at}: {reason}"
            )
            assert 5 < len(reason) < 200, line.kind
            assert "样例" not in reason
            assert line.text.decode("utf-8", "backslashreplace").startswith(text[:1000].removesuffix("\r")), (
                line.kind
            )
            continue
        found: dict[str, Any] = next(orders)
        expected = json.loads(line.expected)
        assert found["order_id"] == expected["order_id"], f"{number}: {line.kind}"
        if line.fate == GOOD:
            assert shown(found) == expected, f"{number}: {line.kind}"
    assert next(rejects, None) is None
    assert next(orders, None) is None
    return fates


@pytest.mark.parametrize("every", [100, 4])
def test_each_line_costs_at_most_itself(tmp_path: Path, every: int) -> None:
    size = (SIZE_MB if every == 100 else min(SIZE_MB, 6)) << 20
    write(tmp_path / "raw.jsonl", size, every=every)
    ran = Ran(tmp_path)
    fates = check(tmp_path, lines(size, every=every))
    assert ran.code == 3, ran.err
    assert f"{fates[BAD]} records rejected" in ran.err
    (count,) = re.findall(r"(\d+) orders:", ran.err)
    assert int(count) == sum(fates.values()) - fates[BAD] - fates[NOTHING]
    assert ran.peak_mb < CEILING_MB, ran.peak_mb
    for name in ("raw.jsonl", "orders.jsonl", "rejects.jsonl"):
        (tmp_path / name).unlink()
    print(
        f"\n{size >> 20} MB, one line in {every} damaged: {dict(fates)}; "
        f"{ran.wall_s:.1f} s, {ran.cpu_s:.1f} s of CPU, at most {ran.peak_mb} MB of memory"
    )


def test_every_kind_of_damage_is_there() -> None:
    kinds = Counter(line.kind for line in lines(6 << 20, every=4))
    assert kinds.keys() - {""} == DAMAGES.keys()
    one_in = Counter(bool(line.kind) for line in islice(lines(1 << 40), 50_000))
    assert 0.008 < one_in[True] / one_in.total() < 0.012
