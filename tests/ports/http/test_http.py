"""The HTTP port: what a failure means, what is repeated, how long is waited, what never leaves."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.addresses import check_url
from orderctl.ports.http import (
    Request,
    http_failure,
    parse_json,
    retry_after_s,
    unreadable,
    write_json,
)
from orderctl.ports.pace import Pace
from tests.ports.http.rehearsal import NOW, Clock, http_over, world

REQUEST = Request("POST", "https://shop.example.com/api", "op", headers={"X-Token": "geheim"}, content=b"{}")
SECRET = "PLANTED-SECRET-7731"


def classify(status: int, headers: Mapping[str, str], body: bytes) -> PortError | None:
    failure = http_failure(status, headers, "op")
    if failure is None and not body.startswith(b"{"):
        return unreadable("op")
    return failure


def raises(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


def answers(status: int, content: bytes = b"{}", **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, content=content, headers=sent)


FAULTS: list[tuple[str, Callable[[httpx.Request], httpx.Response], type[PortError], type[PortError]]] = [
    ("no connection", raises(httpx.ConnectError("refused")), Temporary, Temporary),
    ("connect timeout", raises(httpx.ConnectTimeout("slow")), Temporary, Temporary),
    ("pool timeout", raises(httpx.PoolTimeout("busy")), Temporary, Temporary),
    ("read timeout", raises(httpx.ReadTimeout("slow")), Temporary, OutcomeUnknown),
    ("write timeout", raises(httpx.WriteTimeout("slow")), Temporary, OutcomeUnknown),
    ("cut", raises(httpx.ReadError("reset")), Temporary, OutcomeUnknown),
    ("cut while sending", raises(httpx.WriteError("reset")), Temporary, OutcomeUnknown),
    ("no answer", raises(httpx.RemoteProtocolError("gone")), Temporary, OutcomeUnknown),
    ("429", answers(429), Temporary, Temporary),
    ("500", answers(500), Temporary, OutcomeUnknown),
    ("503", answers(503, Retry_After="1"), Temporary, OutcomeUnknown),
    ("504", answers(504), Temporary, OutcomeUnknown),
    ("408", answers(408), Temporary, OutcomeUnknown),
    ("garbage", answers(200, b"<html>"), Temporary, OutcomeUnknown),
    ("broken gzip", answers(200, b"no gzip", Content_Encoding="gzip"), Temporary, OutcomeUnknown),
    ("401", answers(401), Unauthorized, Unauthorized),
    ("403", answers(403), Unauthorized, Unauthorized),
    ("400", answers(400), Refused, Refused),
    ("404", answers(404), Refused, Refused),
    ("redirect", answers(302, Location="https://elsewhere.example.com/"), Refused, Refused),
]


@pytest.mark.parametrize(
    ("handler", "reading", "changing"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
@pytest.mark.parametrize("changes", [False, True])
def test_a_fault_has_one_meaning(
    handler: Callable[[httpx.Request], httpx.Response], reading: type, changing: type, changes: bool
) -> None:
    calls = []

    def counted(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return handler(request)

    http, _ = http_over(counted)
    with pytest.raises(PortError) as caught:
        http.call(REQUEST, changes=changes, classify=classify)
    assert type(caught.value) is (changing if changes else reading)
    assert len(calls) == (5 if isinstance(caught.value, Temporary) else 1)


@pytest.mark.parametrize("changes", [False, True])
def test_what_surely_did_not_happen_is_tried_again(changes: bool) -> None:
    script = [raises(httpx.ConnectError("refused")), answers(429, Retry_After="3"), answers(200, b'{"ok":1}')]
    turns = iter(script)

    def handler(request: httpx.Request) -> httpx.Response:
        return next(turns)(request)

    http, clock = http_over(handler)
    assert http.call(REQUEST, changes=changes, classify=classify).content == b'{"ok":1}'
    assert next(turns, None) is None
    assert any(3 <= wait <= 3.5 for wait in clock.slept)


def test_waits_are_random_and_bounded() -> None:
    firsts = set()
    for _ in range(20):
        http, clock = http_over(answers(500))
        with pytest.raises(Temporary):
            http.call(REQUEST, changes=False, classify=classify)
        assert all(0 <= wait <= 30 for wait in clock.slept)
        firsts.add(round(clock.slept[0], 6))
    assert len(firsts) > 10


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    http, clock = http_over(answers(429, Retry_After="86400"))
    with pytest.raises(Temporary) as caught:
        http.call(REQUEST, changes=False, classify=classify)
    assert caught.value.retry_after_s == 86400
    assert sum(clock.slept) < 1


def test_after_being_told_to_wait_nobody_else_calls_either() -> None:
    http, clock = http_over(answers(429, Retry_After="86400"))
    for _ in range(2):
        with pytest.raises(Temporary):
            http.call(REQUEST, changes=False, classify=classify)
    assert sum(clock.slept) < 1


def test_an_endless_answer_ends_with_the_deadline() -> None:
    def drip(clock: Clock) -> Any:
        while True:
            clock.at += 50
            yield b"x"

    http, clock = http_over(lambda _: httpx.Response(200, content=drip(clock)))
    with pytest.raises(Temporary):
        http.call(REQUEST, changes=False, classify=classify)
    assert clock.at <= 300


def test_an_answer_longer_than_allowed_is_given_up() -> None:
    request = Request("GET", "https://shop.example.com/api", "op", body_max=10)
    http, _ = http_over(answers(200, b"{" + b" " * 100), tries=1)
    with pytest.raises(Temporary):
        http.call(request, changes=False, classify=classify)


@pytest.mark.parametrize(
    "url", ["https://a.example.com/x", "http://127.0.0.1:8/x", "http://localhost/x", "http://[::1]:9/"]
)
def test_allowed_addresses(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example.com/",
        "ftp://a.example.com/",
        "https://me:pw@a.example.com/",
        "",
        "https://",
        "http://127.0.0.1.example.com/",
    ],
)
def test_addresses_that_are_not_allowed(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url)
    assert "pw" not in str(caught.value)


def test_cookies_of_one_shop_never_travel() -> None:
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, content=b"{}", headers={"Set-Cookie": "a=b; Path=/"})

    http, _ = http_over(handler)
    for _ in range(2):
        http.call(REQUEST, changes=False, classify=classify)
    assert seen == [None, None]


def test_a_download_carries_nothing_and_follows_only_allowed_addresses() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert "x-token" not in request.headers
        if request.url.path == "/a":
            return httpx.Response(302, headers={"Location": "/b"})
        if request.url.path == "/evil":
            return httpx.Response(302, headers={"Location": "http://127.0.0.1:631/"})
        return httpx.Response(200, content=b"picture")

    http, _ = http_over(handler)
    base = "https://labels.example.com"
    found = http.download(f"{base}/a", operation="label", body_max=100, near=base)
    assert found.content == b"picture"
    for path in ("/evil",):
        with pytest.raises(Refused):
            http.download(base + path, operation="label", body_max=100, near=base)
    with pytest.raises(Refused):
        http.download("http://127.0.0.1/label", operation="label", body_max=100, near=base)
    assert (
        http.download(
            "http://127.0.0.1:1/l", operation="label", body_max=100, near="http://127.0.0.1:1"
        ).status
        == 200
    )


@pytest.mark.parametrize(
    "url",
    ["", "http://a.example.com:port/", "https://u:p@a.example.com/", "file:///etc/hostname", "label.png"],
)
def test_nonsense_addresses_of_downloads(url: str) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(Refused):
        http.download(url, operation="label", body_max=100, near="https://a.example.com")


def test_a_redirect_to_nonsense() -> None:
    http, _ = http_over(answers(302, Location="http://a.example.com:port/"))
    with pytest.raises((Refused, Temporary)):
        http.download("https://a.example.com/", operation="label", body_max=100, near="https://a.example.com")


def test_endless_redirects_end() -> None:
    http, _ = http_over(answers(302, Location="/again"))
    with pytest.raises(Refused):
        http.download("https://a.example.com/", operation="label", body_max=100, near="https://a.example.com")


def test_nothing_private_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, content=SECRET.encode(), headers={"X-Echo": SECRET})

    request = Request(
        "POST",
        f"https://a.example.com/?q={SECRET}",
        "op",
        app=SECRET,
        headers={"T": SECRET},
        content=SECRET.encode(),
    )
    http, _ = http_over(handler)
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused) as caught:
        http.call(request, changes=False, classify=classify)
    shown = "".join(
        [caplog.text, str(caught.value), repr(caught.value), caught.value.render("zh"), repr(request)]
    )
    assert SECRET not in shown
    assert "http.answer" in caplog.text


@pytest.mark.parametrize("token", ["令牌", "a\nb", "a\r\nX: y"])
def test_a_credential_http_cannot_carry(token: str, tmp_path: Path) -> None:
    with world(tmp_path, orders=3) as rehearsal:
        request = Request("GET", rehearsal.url, "op", headers={"Authorization": token})
        with pytest.raises(Unauthorized) as caught:
            rehearsal.http.call(request, changes=True, classify=classify)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
        ({"retry-after": "Wed, 18 Nov 2026 11:07:00 GMT", "date": "Wed, 18 Nov 2026 11:06:40 GMT"}, 20),
        ({"retry-after": "Wed, 18 Nov 2026 11:07:00 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_the_pace_is_smooth_whoever_calls() -> None:
    pace, begun = Pace(10), []
    threads = [
        threading.Thread(target=lambda: begun.extend(pace.book(0.0, 1e9) for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(at for at in begun if at is not None)
    assert len(ordered) == 80
    assert all(b - a == pytest.approx(0.1) for a, b in itertools.pairwise(ordered))


def test_the_pace_learns_and_recovers() -> None:
    pace = Pace(10)
    pace.slower()
    assert pace.interval == pytest.approx(0.2)
    for _ in range(40):
        pace.faster()
    assert pace.interval == pytest.approx(0.1)
    for _ in range(40):
        pace.slower()
    assert pace.interval <= 10


def test_a_full_pace_books_nothing_it_cannot_keep() -> None:
    pace = Pace(1)
    assert pace.book(0, 0.5) == 0
    assert pace.book(0, 0.5) is None
    assert pace.book(0, 5) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_json_is_read_and_written_exactly(value: dict[str, Any]) -> None:
    assert parse_json(write_json(value).encode()) == value


@pytest.mark.parametrize(
    "number", ["4012345678901234567", "25.10", "1980.0", "0.1", "123456789012345678901234567890"]
)
def test_numbers_keep_their_digits(number: str) -> None:
    assert write_json(parse_json(b'{"a":' + number.encode() + b"}")) == '{"a":' + number + "}"


def test_raw_control_characters_in_notes_are_read() -> None:
    assert parse_json(b'{"note":"a\tb\x01"}') == {"note": "a\tb\x01"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe{}", b"null", b'{"a":1}x'])
def test_what_is_no_object(content: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(content)


def test_the_present_counts_on_from_the_beginning() -> None:
    http, clock = http_over(answers(200))
    clock.at += 61.5
    assert http.instant() == "2026-11-18T11:07:41Z"
    assert NOW == "2026-11-18T11:06:40Z"
