"""Row-wise commands stream: whatever the size of file or pipe, memory stays where it is.

ORDERCTL_BIG_MB=1024 runs the same with a gigabyte.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import Desk, opened

BIG_MB = int(os.environ.get("ORDERCTL_BIG_MB") or 100)
CEILING_MB = (
    640  # measured: 390 to 480 for 60 and 200 MB, 420 for 1.1 GB; 100 MB at once would be above a gigabyte
)


def grow(source: Path, target: Path, key: bytes) -> int:
    """Repeat the records of a file under ever new ids until it is big; give their number."""
    lines = source.read_bytes().splitlines()
    mark, size, count = b'"' + key + b'":"', 0, 0
    with target.open("wb") as sink:
        while size < BIG_MB << 20:
            prefix = mark + str(count).encode() + b"-"
            block = b"\n".join(line.replace(mark, prefix, 1) for line in lines) + b"\n"
            size += sink.write(block)
            count += len(lines)
    return count


def ended(process: subprocess.Popen[bytes]) -> tuple[int, int, str]:
    """Wait; give exit code, the most memory it ever had in MB, and stderr."""
    assert process.stderr is not None
    err = process.stderr.read().decode()
    process.stderr.close()
    if process.stdout is not None:
        process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_maxrss >> 10, err


@pytest.fixture(scope="module")
def hall(routed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("hall") / "desk"
    shutil.copytree(routed, folder)
    with opened(folder) as desk:
        yield desk
    for big in folder.glob("big*"):
        big.unlink()


def test_normalize_streams_a_file_and_a_pipe(hall: Desk) -> None:
    count = grow(hall.path("raw.jsonl"), hall.path("big.jsonl"), b"platform_ref")
    code, used, err = ended(hall.start("normalize", "big.jsonl", "-o", "big-file.jsonl"))
    assert (code, err.startswith(f"orderctl normalize: {count} orders")) == (0, True), err
    assert used < CEILING_MB
    with (
        hall.path("big-pipe.jsonl").open("wb") as sink,
        subprocess.Popen(["cat", hall.path("big.jsonl")], stdout=subprocess.PIPE) as cat,
    ):
        process = hall.start("normalize", stdin=cat.stdout, stdout=sink)
        assert cat.stdout is not None
        cat.stdout.close()
        code, used, err = ended(process)
    assert code == 0, err
    assert used < CEILING_MB
    assert (
        subprocess.run(
            ["cmp", hall.path("big-file.jsonl"), hall.path("big-pipe.jsonl")], check=False
        ).returncode
        == 0
    )


def test_route_streams(hall: Desk) -> None:
    count = grow(hall.path("shipments.jsonl"), hall.path("big.jsonl"), b"shipment_id")
    code, used, err = ended(hall.start("route", "big.jsonl", "-o", "big-routed.jsonl"))
    assert (code, err.startswith(f"orderctl route: {count} shipments")) == (0, True), err
    assert used < CEILING_MB
