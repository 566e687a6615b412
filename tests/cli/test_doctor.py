"""What doctor tells of shops: credentials, clock, token, grants, quota; each in a line of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from orderctl.ports.ledger import Ledger
from orderctl.sandbox import Sandbox
from tests.cli.desk import KEY, Desk, Ran, opened


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk in the present: the clocks of platforms are compared with the machine's."""
    with opened(tmp_path_factory.mktemp("doctor") / "desk") as desk:
        desk.sandbox.stop()
        desk.sandbox = Sandbox(desk.folder / "today", orders=20, now=time.time)
        desk.url = desk.sandbox.start()
        desk.configure()
        yield desk


def examine(desk: Desk, *words: str, **how: str | None) -> tuple[Ran, dict[str, str]]:
    ran = desk.run("doctor", *words, env={"ORDERCTL_NOW": None, **how})
    lines = [line.split("  ", 1) for line in ran.out.decode().splitlines()]
    return ran, {rest.split(":", 1)[0]: f"{mark} {rest.split(':', 1)[1].strip()}" for mark, rest in lines}


def test_a_sound_shop(here: Desk) -> None:
    ran, said = examine(here)
    assert ran.code == 0, (said, ran.err)
    assert said["shops.tb-demo"] == "ok taobao accepts the credentials, its shop is 2200000000001"
    assert said["shops.tb-demo.clock"].startswith("ok agrees")
    assert said["shops.tb-demo.token"].startswith("ok")
    assert said["shops.sf-demo.grants"] == "ok nothing is missing"
    assert said["shops.sf-demo.quota"].startswith("ok left: ")
    for secret in ("sandbox-taobao-secret", "sandbox-taobao-session", "shpat_sandbox"):
        assert secret not in ran.out.decode() + ran.err


def test_a_clock_that_is_wrong(here: Desk) -> None:
    wrong = (datetime.now(UTC) - timedelta(seconds=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    ran, said = examine(here, ORDERCTL_NOW=wrong)
    assert ran.code == 78
    slow = int(said["shops.sf-demo.clock"].split("clock is ")[1].split(" s slow")[0])
    assert 195 <= slow <= 230
    ran, said = examine(here, ORDERCTL_NOW=wrong, ORDERCTL_LANG="zh")
    assert "本机时钟慢" in said["shops.tb-demo.clock"]


def test_credentials_that_are_wrong(here: Desk) -> None:
    found = yaml.safe_load(here.path("orderctl.yaml").read_text("utf-8"))
    found["shops"]["tb-demo"]["settings"]["app_secret"] = "another"
    here.configure(shops=found["shops"])
    ran, said = examine(here)
    here.configure()
    assert ran.code == 77
    assert said["shops.tb-demo"].startswith("-- ")
    assert said["shops.tb-demo.clock"].startswith("ok")  # it answered, so the clocks can be compared
    assert "shops.tb-demo.token" not in said
    assert said["shops.sf-demo"].startswith("ok")


@pytest.mark.parametrize(
    ("days", "renewable", "code", "expected"),
    [
        (300, False, 0, "ok good until"),
        (1, False, 77, "-- good until"),
        (1, True, 0, "renewed without you"),
        (-1, False, 77, "-- "),
    ],
)
def test_a_token_that_ends(here: Desk, days: int, renewable: bool, code: int, expected: str) -> None:
    found = yaml.safe_load(here.path("orderctl.yaml").read_text("utf-8"))
    del found["shops"]["tb-demo"]["settings"]["session"]
    here.configure(shops={"tb-demo": found["shops"]["tb-demo"]})
    ends = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    token = {"access_token": "sandbox-taobao-session", "expires_at": ends}
    if renewable:
        token["refresh_token"] = "sandbox-taobao-refresh"
    path = Path(here.path("state")) / "ledger.db"
    with Ledger.open(path, run_id=f"keep-{days}-{renewable}", host="h", key=KEY) as ledger:
        ledger.save_token("tb-demo", token, ends)
    ran, said = examine(here)
    here.configure()
    assert ran.code == code, (said, ran.err)
    assert expected in said["shops.tb-demo.token"]
