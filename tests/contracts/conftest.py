from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.world import CLIENTS, World, opened


@pytest.fixture(scope="module", params=CLIENTS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stand-in and its connector, shared by the tests of a module: each takes orders of its own."""
    with opened(request.param, tmp_path_factory.mktemp(request.param) / "world") as one:
        yield one
