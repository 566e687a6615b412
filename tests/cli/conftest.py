from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import Desk, opened


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a world of its own."""
    with opened(tmp_path / "desk") as one:
        yield one


@pytest.fixture(scope="session")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a desk that has come as far as `route`; to be copied, never changed."""
    folder = tmp_path_factory.mktemp("routed") / "desk"
    with opened(folder) as one:
        one.steps("fetch", "route")
    return folder
