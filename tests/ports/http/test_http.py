"""The HTTP port: what a failure means, what is repeated, how long is waited, what never leaves."""

from __future__ import annotations

import gzip
import itertools
import logging
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.addresses import check_url
from orderctl.ports.answers import told_request_id
from orderctl.ports.http import (
    LIMITS,
    Http,
    Request,
    http_failure,
    parse_json,
    retry_after_s,
    unreadable,
    write_json,
)
from tests.ports.http.clock import NOW, Clock, http_over

REQUEST = Request("POST", "https://shop.example.com/api", "op", headers={"X-Token": "geheim"}, content=b"{}")
SECRET = "PLANTED-SECRET-7731"


class Server:
    """A real server on this machine that answers `{}`, notes who asked, and how many at once."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, slow_s: float = 0.0) -> None:
        self.seen: list[str] = []
        self.open = self.most = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with server._lock:
                    server.open += 1
                    server.most = max(server.most, server.open)
                super().handle()
                with server._lock:
                    server.open -= 1

            def do_GET(self) -> None:
                server.seen.append(self.path)
                time.sleep(slow_s)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


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
def test_a_credential_http_cannot_carry(token: str) -> None:
    with Server() as server, Http(NOW) as http:
        request = Request("GET", server.url, "op", headers={"Authorization": token})
        with pytest.raises(Unauthorized) as caught:
            http.call(request, changes=True, classify=classify)
    assert token not in str(caught.value)
    assert not server.seen


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


def sent_by(http: Http, url: str) -> None:
    http.call(Request("GET", url, "op", per_second=1000, burst=100), changes=False, classify=classify)


def test_a_call_has_a_timeout_for_every_phase() -> None:
    seen: list[dict[str, float]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, content=b"{}")

    http, _ = http_over(handler)
    http.call(REQUEST, changes=False, classify=classify)
    assert seen == [{"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 30.0}]


def test_connections_are_limited() -> None:
    """However many threads ask: here more than there may be connections."""
    most = LIMITS.max_connections
    assert most is not None
    with Server(slow_s=0.02) as server, Http(NOW) as http:
        with ThreadPoolExecutor(most + 30) as pool:
            list(pool.map(lambda _: sent_by(http, server.url), range(2 * most)))
        assert len(server.seen) == 2 * most
        assert 2 <= server.most <= most


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with Server(tls=self_signed(tmp_path)) as server, Http(NOW) as http:
        with pytest.raises(Refused) as caught:
            sent_by(http, f"https://localhost:{server.port}/")
        assert caught.value.code == "certificate"
        assert not server.seen


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's half of TLS, with a certificate it made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_no_redirect_is_followed_with_credentials() -> None:
    visited: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        visited.append(str(request.url))
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.com/take"})

    http, _ = http_over(handler)
    with pytest.raises(Refused):
        http.call(REQUEST, changes=False, classify=classify)
    assert visited == [REQUEST.url]


def test_a_small_answer_that_unpacks_to_a_huge_one_is_given_up() -> None:
    bomb = gzip.compress(b"{" + b" " * 60_000_000)
    request = Request("GET", "https://shop.example.com/api", "op", body_max=1_000_000)
    http, _ = http_over(answers(200, bomb, Content_Encoding="gzip"), tries=1)
    with pytest.raises(Temporary) as caught:
        http.call(request, changes=False, classify=classify)
    assert caught.value.code == "cut"


def test_a_log_of_a_call_names_it_on_both_sides(caplog: pytest.LogCaptureFixture) -> None:
    http, _ = http_over(answers(200, X_Amzn_RequestId="0a1b-2c"))
    with caplog.at_level(logging.DEBUG, logger="orderctl.http"):
        for _ in range(2):
            http.call(REQUEST, changes=False, classify=classify)
    first, second = (vars(r) for r in caplog.records)
    assert first["request"] != second["request"]
    assert (first["their_request"], first["operation"], first["status"]) == ("0a1b-2c", "op", 200)


@pytest.mark.parametrize("odd", ["令牌", "a b", "x" * 200, "<script>"])
def test_a_request_id_that_is_none_is_not_logged(odd: str) -> None:
    assert told_request_id({"x-request-id": odd}) == ""


# --- rate limits


def test_a_burst_goes_out_at_once_and_then_waits_for_tokens() -> None:
    http, clock = http_over(answers(200))
    request = Request("GET", "https://shop.example.com/api", "op", per_second=0.5, burst=5)
    for _ in range(5):
        http.call(request, changes=False, classify=classify)
    assert clock.at == 0
    http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(2)


def test_operations_and_apps_have_buckets_of_their_own() -> None:
    http, clock = http_over(answers(200))
    for app, operation in itertools.product("ab", "cd"):
        request = Request("GET", "https://shop.example.com/", operation, app=app, per_second=0.1)
        http.call(request, changes=False, classify=classify)
    assert clock.at == 0
    http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(10)


def test_a_limit_joins_operations_that_are_counted_together() -> None:
    http, clock = http_over(answers(200))
    for operation in ("c", "d"):
        request = Request("GET", "https://shop.example.com/", operation, limit="all", per_second=0.1)
        http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(10)


def test_the_rate_is_learned_from_the_answers() -> None:
    http, clock = http_over(answers(200, X_Limit="0.25"))
    request = Request("GET", "https://shop.example.com/", "op", per_second=10, rate_header="x-limit")
    for _ in range(3):
        http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(8, abs=0.2)


@pytest.mark.parametrize("odd", ["", "soon", "-1", "0", "nan", "inf", "1;2"])
def test_a_rate_nobody_can_read_changes_nothing(odd: str) -> None:
    http, clock = http_over(answers(200, X_Limit=odd))
    request = Request("GET", "https://shop.example.com/", "op", per_second=10, rate_header="x-limit")
    for _ in range(3):
        http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(0.2)


def test_too_many_calls_empties_the_bucket() -> None:
    turns = iter([200, 429, 200])
    http, clock = http_over(lambda _: httpx.Response(next(turns), content=b"{}"))
    request = Request("GET", "https://shop.example.com/", "op", per_second=0.05, burst=20)
    http.call(request, changes=False, classify=classify)
    http.call(request, changes=False, classify=classify)
    assert clock.at == pytest.approx(20)  # nineteen tokens were left, as far as we knew


def test_a_wait_that_is_too_long_says_until_when() -> None:
    http, clock = http_over(answers(429))
    request = Request("GET", "https://shop.example.com/", "op", per_second=0.0056, burst=20)
    with pytest.raises(Temporary) as caught:
        http.call(request, changes=False, classify=classify)
    assert caught.value.code == "rate_limit"
    assert caught.value.retry_after_s == pytest.approx(1 / 0.0056, abs=3)
    assert "op: the rate limit leaves no room before 2026-11-18T11:09:39Z" in str(caught.value)
    assert clock.at < 5


def test_a_slow_bucket_is_remembered_by_the_next_run(tmp_path: Path) -> None:
    request = Request("GET", "https://shop.example.com/", "op", app=SECRET, per_second=0.0056, burst=20)
    for calls in (20, 1):
        http, _ = http_over(answers(200), rates=tmp_path / "rates.json")
        if calls == 1:
            with pytest.raises(Temporary):
                http.call(request, changes=False, classify=classify)
            break
        for _ in range(calls):
            http.call(request, changes=False, classify=classify)
    assert SECRET not in (tmp_path / "rates.json").read_text()


def test_the_other_clock_is_compared_with_ours() -> None:
    http, clock = http_over(answers(200, Date="Wed, 18 Nov 2026 11:07:40 GMT"))
    assert http.skew_s(REQUEST.url) is None
    clock.at += 20
    http.call(REQUEST, changes=False, classify=classify)
    assert http.skew_s(REQUEST.url) == 40
    assert http.skew_s("https://elsewhere.example.com/") is None


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 11:07:40 GMT"])
def test_a_date_nobody_can_read_says_nothing(date: str) -> None:
    http, _ = http_over(answers(200, Date=date))
    http.call(REQUEST, changes=False, classify=classify)
    assert http.skew_s(REQUEST.url) is None


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
