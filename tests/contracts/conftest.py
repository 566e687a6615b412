from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.world import CASES, World, opened


@pytest.fixture(scope="module", params=CASES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A stand-in and its connector, shared by the tests of a module: each takes orders of its own."""
    with opened(request.param, tmp_path_factory.mktemp("contract") / "world") as one:
        yield one
