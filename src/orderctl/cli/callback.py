"""Taking the code of a login: from the address the browser is led to on this machine, or as a person pastes it.

The one invariant: what arrives on the loopback address counts only with the state this login was begun with.
"""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import SplitResult, parse_qsl, urlsplit

from orderctl.model.errors import CannotCreate, Temporary, Unauthorized, UsageError
from orderctl.model.text import Text

HOSTS = frozenset({"127.0.0.1", "localhost"})
CODES = ("code", "spapi_oauth_code")
REQUEST_S = 10.0
PAGE = (
    "<!doctype html><html><head><meta charset=utf-8><title>orderctl</title></head>"
    "<body style='font:1.2em/1.6 sans-serif;margin:15vh auto;max-width:32em'><p>{english}</p><p>{chinese}</p></body></html>"
)
DONE = ("orderctl has the answer. You may close this page and go back to the terminal.",
        "orderctl 已收到授权结果，可以关闭此页，回到终端查看。")  # fmt: skip
FOREIGN = ("This is not the login that orderctl is waiting for.", "这不是 orderctl 正在等待的那次授权。")


def listens(redirect: str) -> bool:
    """Say whether a callback address leads to this machine, so that we can take the answer ourselves."""
    parts = urlsplit(redirect)
    return parts.scheme == "http" and parts.hostname in HOSTS


def wait_for_code(redirect: str, state: str, timeout_s: float) -> str:
    """Listen at `redirect` for the answer to the login begun with `state`; a line on stdin is taken just as well.

    Raises: CannotCreate if the port is taken; Temporary if nothing comes in time; what `parse_code` raises.
    """
    parts = urlsplit(redirect)
    try:
        server = _Server(parts, state)
    except OSError as error:
        raise CannotCreate(
            Text("port {port} cannot be used: {why}", port=parts.port or 80, why=error.strerror)
        ) from error
    end = time.monotonic() + timeout_s
    readers = [server.fileno(), *([] if sys.stdin is None or sys.stdin.closed else [sys.stdin.fileno()])]
    try:
        while server.came is None and (left := end - time.monotonic()) > 0:
            for ready in select.select(readers, [], [], left)[0]:
                if ready == server.fileno():
                    server.handle_request()
                elif line := sys.stdin.readline().strip():
                    return parse_code(line, state)
                else:
                    readers.remove(ready)  # nobody types there
        if server.came is None:
            raise Temporary(
                Text("no answer came within {seconds} seconds", seconds=round(timeout_s)), code="timeout"
            )
        return parse_code(server.came, state)
    finally:
        server.server_close()


def parse_code(text: str, state: str | None) -> str:
    """Give the code in `text`: the code itself, or the whole address the browser was led to.

    Raises: UsageError if there is none; Unauthorized if the platform says no, or the answer belongs to another login.
    """
    text = text.strip()
    if "://" not in text and not text.startswith("?"):
        if not text:
            raise UsageError(Text("no code was given"))
        return text
    query = dict(parse_qsl(urlsplit(text).query))
    if state is not None and query.get("state", state) != state:
        raise Unauthorized(
            Text("the answer belongs to another login"), hint=Text("begin the login anew"), code="state"
        )
    found = _code(query)
    if found is None:
        raise Unauthorized(
            Text("access was not allowed: {code}", code=query.get("error", "-")), code=query.get("error", "")
        )
    return found


def _code(query: Mapping[str, str]) -> str | None:
    return next((query[name] for name in CODES if query.get(name)), None)


class _Server(HTTPServer):
    """Listens on loopback; `came` is the address that answered this login, once it has."""

    def __init__(self, redirect: SplitResult, state: str) -> None:
        self.path = redirect.path or "/"
        self.state = state
        self.came: str | None = None
        super().__init__(("127.0.0.1", redirect.port or 80), _Page)


class _Page(BaseHTTPRequestHandler):
    """One request of the browser."""

    server: _Server
    server_version = "orderctl"
    timeout = REQUEST_S

    def do_GET(self) -> None:
        """Take the answer if it is ours; anything else (a picture for the tab, a stale page) is turned away."""
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        ours = parts.path == self.server.path and query.get("state") == self.server.state
        if ours:
            self.server.came = f"http://127.0.0.1{self.path}"
        english, chinese = DONE if ours else FOREIGN
        body = PAGE.format(english=english, chinese=chinese).encode()
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the address holds the code."""
