"""Files and pipes of any size pass in bounded memory; how much is read at a time does not depend on how much there is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ports.batches.conftest import Shelf
from tests.ports.batches.samples import line

SIZES = (16, 96)  # MB
READ = """
import sys
from orderctl.ports.batches import Rejects, open_source, read_blocks, read_raw_blocks
import polars as pl
kind, path = sys.argv[1:]
dtypes = {"sample/one": pl.Struct({"id": pl.String()})}
with open_source(path, block=1 << 20) as source:
    if kind == "raw/1":
        rows = sum(f.height for fs in read_raw_blocks(source, dtypes, Rejects(None)) for f in fs.values())
    else:
        rows = sum(block.frame.height for block in read_blocks(source, [kind], Rejects(None)))
with open("/proc/self/status") as status:  # what getrusage tells may be the peak of the process that started this one
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(rows, peak >> 10)
"""


def repeated(shelf: Shelf, kind: str, form: str, size: int) -> tuple[Path, int]:
    """Write a batch of `size` MB of text, block by block."""
    content = "".join(line(kind, n, x="样" * 300) + "\n" for n in range(500))
    count = (size << 20) // len(content.encode())
    shelf.put("part.jsonl", content)
    frame = shelf.read("part.jsonl", kind)
    name = f"{kind[:3]}-{size}.{form}"
    shelf.write((frame for _ in range(count)), name, kind)
    return shelf.path(name), frame.height * count


def peak(kind: str, path: str, stdin: Path | None = None) -> tuple[int, int]:
    """Read a batch in a process of its own; give the rows and the most memory it had in MB."""
    sink = subprocess.Popen(["cat", str(stdin)], stdout=subprocess.PIPE) if stdin else None
    ran = subprocess.run(
        [sys.executable, "-c", READ, kind, path],
        stdin=sink.stdout if sink else None, capture_output=True, text=True, check=False,
        env={**os.environ, "POLARS_MAX_THREADS": "2"},
    )  # fmt: skip
    if sink and sink.stdout:
        sink.stdout.close()
        sink.wait()
    assert ran.returncode == 0, ran.stderr
    rows, mib = ran.stdout.split()
    return int(rows), int(mib)


@pytest.mark.parametrize(
    ("kind", "form"),
    [("raw/1", "jsonl"), ("order/1", "jsonl.zst"), ("order/1", "arrow")],
)
def test_memory_does_not_grow_with_the_batch(shelf: Shelf, kind: str, form: str) -> None:
    small, rows = repeated(shelf, kind, form, SIZES[0])
    found, least = peak(kind, str(small))
    assert found == rows
    large, rows = repeated(shelf, kind, form, SIZES[1])
    peaks = []
    for found, mib in (peak(kind, str(large)), peak(kind, "-", large)):
        assert found == rows
        peaks.append(mib)
    # six times the batch: what it may take more is less than the batch itself
    assert max(peaks) - least < 60, (least, peaks)
