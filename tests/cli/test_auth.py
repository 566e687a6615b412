"""Letting orderctl into a shop: on loopback, pasted, refused; and what is told of tokens without showing them."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from tests.cli.desk import Desk, Ran, opened

DAY = 86_400.0


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk whose Taobao shop is let in by a login, and never was."""
    with opened(tmp_path_factory.mktemp("auth") / "desk") as desk:
        found = yaml.safe_load(desk.path("orderctl.yaml").read_text("utf-8"))
        del found["shops"]["tb-demo"]["settings"]["session"]
        desk.configure(shops=found["shops"])
        yield desk


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def login(desk: Desk, *more: str) -> tuple[subprocess.Popen[bytes], str]:
    """Begin a login; give it and the address it tells to open."""
    process = desk.start("auth", "login", "tb-demo", "--log-format", "json", *more, stdin=subprocess.PIPE)
    assert process.stderr is not None
    line = process.stderr.readline()
    assert b'"auth.open"' in line, line
    return process, json.loads(line)["url"]


def ended(process: subprocess.Popen[bytes], typed: bytes = b"") -> Ran:
    out, err = process.communicate(typed, timeout=60)
    return Ran(process.returncode, out, err.decode())


def test_the_answer_is_taken_on_loopback(shut: Desk) -> None:
    port = free_port()
    back = f"http://127.0.0.1:{port}/callback"
    process, url = login(shut, "--redirect", back)
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(f"http://127.0.0.1:{port}/favicon.ico").status_code == 404
        foreign = browser.get(back, params={"code": "stolen", "state": "of another login"})
        assert (foreign.status_code, "not the login" in foreign.text) == (404, True)
        page = browser.get(url, follow_redirects=True)
    assert page.status_code == 200
    assert "close this page" in page.text
    assert "可以关闭此页" in page.text
    ran = ended(process)
    assert ran.code == 0, ran.err
    status = shut.run("auth", "status", "tb-demo")
    assert status.code == 0
    assert b"tb-demo: the token of 2026-11-18T11:06:40Z is good until 2027-11-18T11:06:40Z" in status.out
    assert not secrets_of(shut) & set(status.out.decode().split())
    assert shut.run("fetch", "--shop", "tb-demo", "-o", "raw.jsonl").code == 0


def secrets_of(desk: Desk) -> set[str]:
    """The tokens the platform gave out."""
    return {str(token) for (token,) in desk.sandbox.store.rows("SELECT token FROM tokens")}


@pytest.mark.parametrize("how", ["code", "address", "option"])
def test_the_answer_may_be_pasted(shut: Desk, how: str) -> None:
    process, url = login(shut)
    code = httpx.get(url, trust_env=False).text.split("<code>")[1].split("</code>")[0]
    state = httpx.URL(url).params["state"]
    address = f"https://shop.example/back?state={state}&code={code}"
    if how == "option":
        ended(process)
        ran = shut.run("auth", "login", "tb-demo", "--code", address)
    else:
        ran = ended(process, (code if how == "code" else address).encode() + b"\n")
    assert ran.code == 0, ran.err
    assert "granted" in ran.err


def test_a_pasted_line_ends_the_listening(shut: Desk) -> None:
    process, url = login(shut, "--redirect", f"http://localhost:{free_port()}/")
    away = httpx.get(url, trust_env=False, follow_redirects=False).headers["location"]
    ran = ended(process, away.encode() + b"\n")
    assert ran.code == 0, ran.err
    assert "granted anew" in ran.err


def test_what_is_no_answer(shut: Desk) -> None:
    process, _ = login(shut)
    assert ended(process, b"https://shop.example/?state=other&code=x\n").code == 77
    process, url = login(shut)
    state = httpx.URL(url).params["state"]
    refused = ended(process, f"https://shop.example/?state={state}&error=access_denied\n".encode())
    assert (refused.code, "access_denied" in refused.err) == (77, True)
    process, _ = login(shut)
    assert ended(process).code == 2
    process, _ = login(shut, "--redirect", f"http://127.0.0.1:{free_port()}/", "--timeout", "1")
    late = process.wait(30)
    process.communicate()
    assert late == 75
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = shut.run("auth", "login", "tb-demo", "--redirect", f"http://127.0.0.1:{port}/")
    assert (ran.code, f"port {port}" in ran.err) == (73, True)


def test_who_needs_no_login_is_told_what_to_do_instead(shut: Desk) -> None:
    ran = shut.run("auth", "login", "sf-demo")
    assert (ran.code, "set token" in ran.one_message()) == (2, True)
    ran = shut.run("auth", "status")
    assert (
        ran.out.decode().splitlines()[1]
        == "sf-demo: needs no login: its token is a setting, or made when needed"
    )
    assert shut.run("auth", "status", "nowhere").code == 2


def test_renewing_is_told_from_a_new_login(shut: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    assert shut.run("auth", "refresh", "tb-demo").code == 0
    keep(shut, access_token="a", expires_at="2026-11-19T00:00:00Z")
    ran = shut.run("auth", "refresh", "tb-demo")
    assert (ran.code, "orderctl auth" in ran.one_message()) == (77, True)
    line = shut.run("auth", "status", "tb-demo").out.decode()
    assert "cannot be renewed: before that, orderctl auth login tb-demo" in line
    shut.clock.at += DAY
    ran = shut.run("auth", "status", "tb-demo", env={"ORDERCTL_LANG": "zh"})
    assert (ran.code, "已于 2026-11-19T00:00:00Z 到期" in ran.out.decode()) == (77, True)
    keep(shut, access_token="a", refresh_token="b", expires_at="2026-11-19T00:00:00Z")
    assert shut.run("auth", "status", "tb-demo").code == 0
    shut.clock.at -= DAY


def keep(desk: Desk, **token: Any) -> None:
    """Keep a token as a connector would."""
    from orderctl.ports.ledger import Ledger
    from tests.cli.desk import KEY

    with Ledger.open(
        desk.path("state") / "ledger.db", run_id=f"keep-{len(token)}", host="h", key=KEY
    ) as ledger:
        ledger.save_token("tb-demo", token, "2026-11-18T11:06:40Z")
