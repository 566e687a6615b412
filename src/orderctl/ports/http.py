"""The one place that builds an httpx client and names its failures.

Platforms and couriers describe a `Request` and say with a pure `classify` what an answer means; retries, waits,
deadlines, throttling and transport failures are settled here. The one invariant: a request that changes things is
repeated only when it surely did not happen, so silence after sending is `OutcomeUnknown`, never a second try.

Nothing private leaves through logs or messages: they name operations, hosts and codes, never addresses with
parameters, headers or bodies.
"""

from __future__ import annotations

import itertools
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import tenacity

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.instant import parse_instant, write_instant
from orderctl.model.text import Text
from orderctl.ports.addresses import check_url, is_loopback, with_tls
from orderctl.ports.answers import parse_json as parse_json
from orderctl.ports.answers import retry_after_s as retry_after_s
from orderctl.ports.answers import told_date, told_rate, told_request_id
from orderctl.ports.answers import write_json as write_json
from orderctl.ports.pace import Pace, Shelf

log = logging.getLogger("orderctl.http")
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(
        logging.WARNING
    )  # theirs show addresses with parameters, and headers

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
LIMITS = httpx.Limits(max_connections=128, max_keepalive_connections=128)  # many shops, a few calls each
DEADLINE_S = 120.0
TRIES = 5
WAIT_FIRST_S, WAIT_MAX_S = 0.5, 30.0
BODY_MAX = 32 * 1024 * 1024
REDIRECTS_MAX = 3

Classify = Callable[[int, Mapping[str, str], bytes], PortError | None]


@dataclass(frozen=True)
class Request:
    """One HTTP request, complete and signed.

    `operation` is the name people see. Requests of one `app` and operation share a rate limit: `burst` calls at once,
    then `per_second`, evenly spaced. `limit` names it instead of the operation where the other side counts several
    together. `rate_header` is the header in which answers tell the rate in force, calls a second.
    """

    method: str
    url: str = field(repr=False)
    operation: str
    app: str = field(default="", repr=False)
    limit: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    per_second: float = 10.0
    burst: int = 1
    rate_header: str = ""
    body_max: int = BODY_MAX


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are looked up without regard to case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


def http_failure(status: int, headers: Mapping[str, str], operation: str) -> PortError | None:
    """Say what an HTTP status means by itself, whatever stands in the body; None for 2xx."""
    code = f"http_{status}"
    if 200 <= status < 300:
        return None
    if status in (425, 429):
        wait = retry_after_s(headers)
        return Temporary(
            Text("{operation}: too many calls", operation=operation),
            code=code,
            retry_after_s=1.0 if wait is None else wait,
        )
    if status in (401, 403, 407):
        return Unauthorized(
            Text("{operation}: credentials refused (HTTP {status})", operation=operation, status=status),
            code=code,
        )
    if status >= 500 or status == 408:
        return OutcomeUnknown(
            Text("{operation}: the other side failed (HTTP {status})", operation=operation, status=status),
            code=code,
            retry_after_s=retry_after_s(headers),
        )
    return Refused(
        Text("{operation}: refused (HTTP {status})", operation=operation, status=status), code=code
    )


def unreadable(operation: str) -> OutcomeUnknown:
    """Give the failure of an answer that is cut short or not of the promised form."""
    return OutcomeUnknown(
        Text("{operation}: the answer cannot be read", operation=operation), code="unreadable"
    )


_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def _certificate_refused(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 8:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def transport_failure(error: Exception, operation: str) -> PortError:
    """Say what a failure below HTTP means; `OutcomeUnknown` when the request may have arrived."""
    if _certificate_refused(error):
        return Refused(
            Text("{operation}: the other side's certificate is not trusted", operation=operation),
            code="certificate",
        )
    if isinstance(error, (httpx.LocalProtocolError, UnicodeError)):
        return Unauthorized(
            Text("{operation}: a credential holds characters that HTTP cannot carry", operation=operation),
            code="credential_characters",
        )
    if isinstance(error, _UNSENT):
        return Temporary(Text("{operation}: no connection", operation=operation), code="no_connection")
    if isinstance(error, httpx.TimeoutException):
        return OutcomeUnknown(Text("{operation}: no answer in time", operation=operation), code="timeout")
    return OutcomeUnknown(Text("{operation}: the connection was cut", operation=operation), code="cut")


class Http:
    """HTTP for one run: one connection pool and one set of rate limits for all shops and threads.

    Args:
        now: the instant this object is made at; `instant()` counts on from it.
        rates: a file in which slow rate limits outlive the run; it is shared by all runs that name it.
        transport: stands in for the network in tests.
        monotonic: seconds of a clock that never goes back.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        now: str,
        *,
        rates: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        deadline_s: float = DEADLINE_S,
        tries: int = TRIES,
    ) -> None:
        # Proxies of the environment are honoured, for offices that have no other way out, but never for this machine.
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        self._client = httpx.Client(
            timeout=TIMEOUT,
            limits=LIMITS,
            transport=transport,
            follow_redirects=False,
            mounts=None if transport else direct,
            headers={"User-Agent": "orderctl", "Accept-Encoding": "gzip, deflate"},
        )
        # One pool serves many shops: a cookie of one must never travel with the call of another.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._now = parse_instant(now)
        self._monotonic = monotonic
        self._sleep = sleep
        self._began = monotonic()
        self._deadline_s = deadline_s
        self._tries = tries
        self._shelf = Shelf(rates) if rates else None
        self._paces: dict[tuple[str, str], Pace] = {}
        self._skews: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def instant(self) -> str:
        """Give the present instant: the one this object was made with plus the time since then."""
        return write_instant(self._now + timedelta(seconds=self._monotonic() - self._began))

    def skew_s(self, url: str) -> int | None:
        """Give how many seconds the clock of the host of `url` is ahead of ours; None if it has not answered yet."""
        found = self._skews.get(httpx.URL(url).netloc.decode())
        return None if found is None else round(found)

    def pace(self, request: Request) -> Pace:
        """Give the rate limit a request falls under, made at first use."""
        host, limit = httpx.URL(request.url).host, request.limit or request.operation
        with self._lock:
            pace = self._paces.get((request.app, limit))
            if pace is None:
                name = "\n".join((host, request.app, limit))
                pace = Pace(request.per_second, request.burst, shelf=self._shelf, name=name)
                self._paces[request.app, limit] = pace
            return pace

    def hold(self, request: Request, seconds: float) -> None:
        """Let no request under the same rate limit begin for so many seconds."""
        now = self._seconds()
        self.pace(request).hold(now + seconds, now)

    def _seconds(self) -> float:
        """Give the present moment in seconds since 1970; it never goes back within a run."""
        return self._now.timestamp() + self._monotonic() - self._began

    def call(self, request: Request, *, changes: bool, classify: Classify) -> Answer:
        """Send `request` until it has an answer that `classify` finds nothing wrong with, and give that answer.

        `changes` says whether the request moves the world. `Temporary` failures are repeated with growing random
        waits, or the wait the other side asked for, for up to five tries and two minutes in all. `classify` may
        answer `OutcomeUnknown` for server failures without looking at `changes`: of a request that only reads it
        becomes `Temporary`.

        Raises: Refused, Temporary, Unauthorized, OutcomeUnknown; ConfigError if the address is not allowed.
        """
        check_url(request.url)
        end = self._seconds() + self._deadline_s
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Temporary),
            wait=_wait,
            stop=lambda s: s.attempt_number >= self._tries or self._seconds() + s.upcoming_sleep >= end,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._attempt, request, changes=changes, classify=classify, end=end)

    def download(self, url: str, *, operation: str, body_max: int, near: str) -> Answer:
        """Read a document from an address somebody gave us, without any credential, following few redirects.

        An `http://` address of another machine is read by TLS. Only an aggregator that itself runs on this machine (`near` is its address) may point to this machine.
        Raises: Refused if the address is not allowed; Temporary.
        """
        for _ in range(REDIRECTS_MAX + 1):
            try:
                url = check_url(with_tls(url))
                allowed = is_loopback(near) or not is_loopback(url)
            except (ConfigError, httpx.InvalidURL):
                allowed = False
            if not allowed:
                raise Refused(
                    Text("{operation}: leads to an address that is not allowed", operation=operation),
                    code="address_not_allowed",
                )
            request = Request("GET", url, operation, per_second=20, body_max=body_max)
            answer = self.call(
                request, changes=False, classify=lambda s, h, _: _unless_moved(s, h, operation)
            )
            if answer.status < 300:
                return answer
            url = _joined(url, answer.headers["location"])
        raise Refused(Text("{operation}: redirected too often", operation=operation), code="redirects")

    def _attempt(self, request: Request, *, changes: bool, classify: Classify, end: float) -> Answer:
        pace = self.pace(request)
        now = self._seconds()
        begin = pace.book(now, end)
        if begin > end:
            at = write_instant(self._now + timedelta(seconds=begin - self._now.timestamp() + 1))
            raise Temporary(
                Text(
                    "{operation}: the rate limit leaves no room before {at}",
                    operation=request.operation,
                    at=at,
                ),
                code="rate_limit",
                retry_after_s=begin - now,
            )
        if begin > now:
            self._sleep(begin - now)
        try:
            answer = self._send(request, end)
            pace.learn(told_rate(answer.headers, request.rate_header), self._seconds())
            failure = classify(answer.status, answer.headers, answer.content)
        except (httpx.RequestError, UnicodeError) as error:
            failure = transport_failure(error, request.operation)
        if failure is None:
            pace.faster()
            return answer
        if isinstance(failure, Temporary) and failure.retry_after_s is not None:
            now = self._seconds()
            pace.slower()
            pace.empty(now)
            pace.hold(now + failure.retry_after_s, now)
        if isinstance(failure, OutcomeUnknown) and not changes:
            failure = Temporary(
                failure.text, hint=failure.hint, code=failure.code, retry_after_s=failure.retry_after_s
            )
        raise failure from None  # what httpx says may quote the answer

    def _send(self, request: Request, end: float) -> Answer:
        number = f"{next(self._ids):04x}"
        began = self._monotonic()
        status, theirs = 0, ""
        body = bytearray()
        try:
            with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.content
            ) as response:
                status, theirs = response.status_code, told_request_id(response.headers)
                self._compare(response, began)
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > request.body_max:
                        raise httpx.DecodingError("longer than allowed")
                    if self._seconds() > end:
                        raise httpx.ReadTimeout("deadline")
                return Answer(status, response.headers, bytes(body))
        finally:
            log.debug(
                "http.answer",
                extra={
                    "event": "http.answer",
                    "request": number,
                    "their_request": theirs,
                    "host": httpx.URL(request.url).host,
                    "operation": request.operation,
                    "status": status,
                    "bytes": len(body),
                    "ms": round((self._monotonic() - began) * 1000),
                },
            )

    def _compare(self, response: httpx.Response, began: float) -> None:
        """Note how far the other side's clock is from ours, at the middle of the request; `Date` has whole seconds."""
        date = told_date(response.headers)
        if date is not None:
            middle = self._now + timedelta(seconds=(began + self._monotonic()) / 2 - self._began)
            self._skews[response.url.netloc.decode()] = (date - middle).total_seconds() + 0.5


def _wait(state: tenacity.RetryCallState) -> float:
    """Give the seconds to wait: what the other side asked for, else anything up to a bound that doubles."""
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after_s if isinstance(error, Temporary) else None
    if told is not None:
        return told + random.uniform(0, min(1.0, told / 10))
    return random.uniform(0, min(WAIT_MAX_S, WAIT_FIRST_S * 2 ** (state.attempt_number - 1)))


def _unless_moved(status: int, headers: Mapping[str, str], operation: str) -> PortError | None:
    return (
        None
        if status in (301, 302, 303, 307, 308) and "location" in headers
        else http_failure(status, headers, operation)
    )


def _joined(url: str, location: str) -> str:
    """Give the address a redirect leads to; empty text, which is no allowed address, if it is no address."""
    try:
        return str(httpx.URL(url).join(location))
    except httpx.InvalidURL:
        return ""
