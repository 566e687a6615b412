"""Output appears complete or not at all, and a failure is told as what it is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from orderctl.model.errors import CannotCreate, DataError, OutputFailed
from orderctl.model.text import Text
from orderctl.ports.batches import FORMATS, format_of, write_batch
from orderctl.ports.batches.write import even, replacing
from tests.ports.batches.conftest import Shelf
from tests.ports.batches.samples import line

ENDINGS = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet", "arrow"]
FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def frame(shelf: Shelf) -> pl.DataFrame:
    shelf.put("plain.jsonl", [line("order/1", n) for n in range(50)])
    return shelf.read("plain.jsonl", "order/1")


class Broken(RuntimeError):
    pass


def breaking(frame: pl.DataFrame, error: BaseException) -> Iterator[pl.DataFrame]:
    yield frame
    raise error


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "error", [DataError(Text("x")), Broken("x"), KeyboardInterrupt(), OSError(5, "lost")]
)
def test_what_breaks_while_rows_are_made_is_told_as_it_is(
    tmp_path: Path, frame: pl.DataFrame, ending: str, error: BaseException
) -> None:
    target = tmp_path / f"batch.{ending}"
    target.write_text("as it was")
    expected = OutputFailed if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        write_batch(breaking(frame, error), str(target), kind="order/1", format=format_of(str(target), None))
    assert target.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_device_is_told(frame: pl.DataFrame, form: str) -> None:
    before = FULL.stat()
    with pytest.raises(OutputFailed, match="No space left"):
        write_batch([frame] * 400, str(FULL), kind="order/1", format=form)  # type: ignore[arg-type]
    assert FULL.is_char_device()
    assert FULL.stat().st_rdev == before.st_rdev


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, frame: pl.DataFrame, ending: str, shelf: Shelf
) -> None:
    """The limit on a file's size is the disk that any user can fill."""
    noisy = frame.with_columns(buyer_note=pl.col("order_id").map_elements(_noise, return_dtype=pl.String))
    noisy.write_parquet(shelf.path("noisy"))
    target = tmp_path / f"batch.{ending}"
    target.write_text("as it was")
    code = f"""
import resource, signal, polars as pl
from orderctl.model.errors import OutputFailed
from orderctl.ports.batches import format_of, write_batch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
frame = pl.read_parquet({str(shelf.path("noisy"))!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_batch([frame], {str(target)!r}, kind="order/1", format=format_of({str(target)!r}, None))
except OutputFailed as error:
    print(error.hint)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "make room" in ran.stdout, ran.stderr
    assert target.read_text() == "as it was"
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def _noise(_: str) -> str:
    return os.urandom(600).hex()


@pytest.mark.parametrize("form", FORMATS)
def test_stdout_gets_nothing_until_all_is_known(frame: pl.DataFrame, form: str) -> None:
    code = f"""
import sys, polars as pl
from orderctl.ports.batches import write_batch
from orderctl.model.schema import empty
def frames():
    yield empty("order/1")
    raise RuntimeError("broken")
try:
    write_batch(frames(), "-", kind="order/1", format={form!r})
except RuntimeError:
    sys.exit(9)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ran.returncode == 9, ran.stderr
    assert ran.stdout == b""


def test_a_reader_that_went_away_is_a_broken_pipe(frame: pl.DataFrame, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def read_little() -> None:
        with fifo.open("rb") as stream:
            stream.read(10)

    reader = threading.Thread(target=read_little)
    reader.start()
    with pytest.raises(BrokenPipeError):
        write_batch([frame] * 200, str(fifo), kind="order/1", format="jsonl")
    reader.join()
    assert fifo.is_fifo()


def test_a_named_pipe_gets_the_bytes_of_a_file(frame: pl.DataFrame, tmp_path: Path) -> None:
    fifo, got = tmp_path / "fifo", io.BytesIO()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.write(fifo.read_bytes()))
    reader.start()
    write_batch([frame], str(fifo), kind="order/1", format="arrow")
    reader.join()
    write_batch([frame], str(tmp_path / "file"), kind="order/1", format="arrow")
    assert got.getvalue() == (tmp_path / "file").read_bytes()


def test_a_link_stays_a_link_and_a_private_file_private(frame: pl.DataFrame, tmp_path: Path) -> None:
    real, link = tmp_path / "deep" / "real.jsonl", tmp_path / "link.jsonl"
    real.parent.mkdir()
    real.write_text("")
    real.chmod(0o600)
    link.symlink_to(real)
    write_batch([frame], str(link), kind="order/1", format="jsonl")
    assert link.is_symlink()
    assert real.read_text().count("\n") == frame.height
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["nowhere/batch.jsonl", "x" * 300])
def test_a_place_that_cannot_be_is_told(frame: pl.DataFrame, tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotCreate, match="cannot create"):
        write_batch([frame], str(tmp_path / name), kind="order/1", format="jsonl")
    assert not list(tmp_path.iterdir())


def test_a_directory_is_no_output(frame: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(CannotCreate):
        write_batch([frame], str(tmp_path), kind="order/1", format="jsonl")


def test_replacing_keeps_the_old_content_until_the_end(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with replacing(target) as sink:
        sink.write(b"new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("sizes", [[], [0], [1], [7, 0, 1], [3, 3, 3], [10], [1] * 10, [25, 1]])
def test_frames_are_dealt_evenly(sizes: list[int]) -> None:
    whole = pl.DataFrame({"n": range(sum(sizes))}, schema={"n": pl.Int64})
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    found = list(even((whole[a : a + size] for a, size in zip(starts, sizes, strict=True)), 4))
    assert [f.height for f in found] == [4] * (whole.height // 4) + (
        [whole.height % 4] if whole.height % 4 else []
    )
    assert pl.concat([whole.clear(), *found]).equals(whole)
