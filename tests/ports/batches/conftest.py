from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl
import pytest

from orderctl.ports.batches import Rejects, open_source, read_whole, write_batch


class Shelf:
    """Writes and reads batches in one folder, and keeps what the last reading rejected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rejects = Rejects(None)

    def path(self, name: str) -> Path:
        return self.folder / name

    def put(self, name: str, content: bytes | str | Iterable[str]) -> Path:
        if not isinstance(content, bytes | str):
            content = "".join(line + "\n" for line in content)
        self.path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def read(self, name: str, *kinds: str, block: int = 1 << 20) -> pl.DataFrame:
        rejects = self.path("rejects.jsonl")
        rejects.unlink(missing_ok=True)
        self.rejects = Rejects(rejects)
        with open_source(str(self.path(name)), block=block) as source:
            return read_whole(source, kinds or ["order/1", "shipment/1", "raw/1"], self.rejects).frame

    def write(self, frames: Iterable[pl.DataFrame], name: str, kind: str) -> bytes:
        form = "parquet" if name.endswith(".parquet") else "arrow" if name.endswith(".arrow") else "jsonl"
        write_batch(frames, str(self.path(name)), kind=kind, format=form)  # type: ignore[arg-type]
        return self.path(name).read_bytes()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf"))


Cut = Callable[[pl.DataFrame, int], list[pl.DataFrame]]


@pytest.fixture(scope="session")
def cut() -> Cut:
    """Cut a frame into frames of some rows."""
    return lambda frame, rows: [frame[i : i + rows] for i in range(0, frame.height, rows)]
