from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, Kuaidi100, Shopify, Taobao


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", orders=130, now=clock) as running:
        yield running


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    return sandbox.start()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def taobao(url: str, clock: Clock, http: httpx.Client) -> Taobao:
    return Taobao(f"{url}/taobao/router/rest", clock, http)


@pytest.fixture
def shopify(url: str, http: httpx.Client) -> Shopify:
    return Shopify(f"{url}/shopify/sf-demo", http)


@pytest.fixture
def kuaidi100(url: str, clock: Clock, http: httpx.Client) -> Kuaidi100:
    return Kuaidi100(f"{url}/kuaidi100/label/order", clock, http)
