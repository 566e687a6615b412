"""The HTTP server of the sandbox: one loopback port for all stand-ins, and the faults between them and the client.

The one invariant: whatever goes wrong on purpose goes wrong here, around complete answers, so a stand-in's effects are
the same with and without faults.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from orderctl.sandbox.answer import Answer, Gate, Request, as_json, as_text
from orderctl.sandbox.control import Control
from orderctl.sandbox.faults import BEFORE, Fault, Faults, Plan
from orderctl.sandbox.kuaidi100 import Kuaidi100Gate
from orderctl.sandbox.shopify import ShopifyGate
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.taobao import TaobaoGate
from orderctl.sandbox.taobao_shipping import METHODS
from orderctl.sandbox.world import make_world

HOST = "127.0.0.1"
LARGEST_BODY = 8 * 1024 * 1024
TAOBAO_PATHS = ("/router/rest", "/oauth/authorize", "/oauth/token")


class Server(ThreadingHTTPServer):
    """The listening socket; `sandbox` is what answers, `stopping` ends every deliberate silence."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        super().__init__((HOST, port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    wbufsize = 65_536
    disable_nagle_algorithm = True
    timeout = 120

    def handle_request(self) -> None:
        """Read one request, let the sandbox answer it, and send the answer whole or broken."""
        request = self.read_request()
        if request is None:
            return
        fault, answer = self.server.sandbox.serve_request(request)
        if fault is not None and fault.seconds:
            self.server.stopping.wait(fault.seconds)
        if answer is None:
            self.hang_up()
            return
        cut = len(answer.body) // 2 if fault is not None and fault.kind == "cut_body" else None
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.hang_up()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_request  # noqa: N815 - names of the standard library

    def read_request(self) -> Request | None:
        """Read the request with its body; None if it is not one and the connection must end."""
        length = self.headers.get("Content-Length", "0")
        if (
            "chunked" in self.headers.get("Transfer-Encoding", "")
            or not length.isdigit()
            or int(length) > LARGEST_BODY
        ):
            self.send_error(411 if not length.isdigit() or length == "0" else 413)
            self.close_connection = True
            return None
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        host = self.headers.get("Host") or f"{HOST}:{self.server.server_port}"
        return Request(
            self.command, url.path, dict(parse_qsl(url.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()}, body, f"http://{host}",
        )  # fmt: skip

    def hang_up(self) -> None:
        """End the connection without another word."""
        self.close_connection = True
        with suppress(OSError):  # the client may have been faster
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: requests hold signatures and addresses."""

    @contextmanager
    def broken_pipes_ignored(self) -> Iterator[None]:
        """A client that went away is no error of the server."""
        try:
            yield
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def handle(self) -> None:
        """Serve the connection until it ends."""
        with self.broken_pipes_ignored():
            super().handle()

    def finish(self) -> None:
        """Close the connection."""
        with self.broken_pipes_ignored():
            super().finish()


def broken(answer: Answer, kind: str) -> Answer | None:
    """Give what the client gets to see of an answer after a fault; None if nothing."""
    if kind in ("after_cut", "after_silence"):
        return None
    if kind == "after_5xx":
        return as_text("<html><body><h1>504 Gateway Time-out</h1></body></html>", 504)
    if kind == "garbage":
        rest = answer.body[: len(answer.body) // 3]
        return Answer(answer.status, b"<!-- proxy -->" + rest, answer.media_type)
    return answer


class Sandbox:
    """All stand-ins over one state folder.

    Args:
        state: Folder of the sandbox's own memory; an existing one is continued, its orders are not made anew.
        seed: What decides the orders.
        orders: How many orders there are in the beginning, over all shops.
        faults: Seed of the default mix of faults; None for none. A precise plan is set by `set_faults`.
        fonts: Folder of fonts for the label pictures; None for whatever the system has.
        now: The clock, in epoch seconds.
    """

    def __init__(
        self,
        state: Path,
        *,
        seed: int = 1,
        orders: int = 40,
        faults: int | None = None,
        fonts: Path | None = None,
        now: Callable[[], float] = time.time,
        late_s: int = 0,
    ) -> None:
        self._now = now
        self.store = Store(Path(state) / "sandbox.sqlite3")
        make_world(self.store, seed, orders, int(now()), late_s)
        self._faults = Faults(faults)
        self._taobao = TaobaoGate(self.store, now, METHODS)
        self._shopify = ShopifyGate(self.store, now)
        self._kuaidi100 = Kuaidi100Gate(self.store, now, Path(state) / "labels", fonts)
        self._control = Control(self.store, self._faults, self._shopify)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """Listen on a loopback port (0: any) in a background thread and give the base URL."""
        self._server = Server(port, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return f"http://{HOST}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening and close the state; may be called twice."""
        if self._server is not None and self._thread is not None:
            self._server.stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None
        self.store.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def serve_request(self, request: Request) -> tuple[Fault | None, Answer | None]:
        """Answer one request, with the fault that struck it; no answer means that the connection just ends."""
        if request.path in ("/", "/_books", "/_control"):
            return None, self._own_page(request)
        gate = self._gate(request.path)
        if gate is None:
            return None, as_json({"error": "no stand-in has this path"}, 404)
        operation, subject = gate.operation(request)
        fault = self._faults.draw(operation, request.path, subject, pages=operation in TaobaoGate.pages)
        if fault is not None and fault.kind in BEFORE:
            return fault, self._refused(gate, request, fault)
        if fault is not None and fault.kind in ("duplicate", "shuffle"):
            request = replace(request, disturb=fault.kind)
        answer = gate.answer(request)
        return fault, broken(answer, fault.kind) if fault is not None else answer

    def _refused(self, gate: Gate, request: Request, fault: Fault) -> Answer | None:
        if fault.kind == "cut":
            return None
        if fault.kind == "5xx":
            return as_text("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        return gate.refusal(fault.kind, request)

    def _gate(self, path: str) -> Gate | None:
        if path in TAOBAO_PATHS or path.removeprefix("/taobao") in TAOBAO_PATHS:
            return self._taobao
        if path.startswith("/shopify/"):
            return self._shopify
        if path == "/kuaidi100/label/order" or (
            path.startswith("/kuaidi100/label/") and path.endswith(".png")
        ):
            return self._kuaidi100
        return None

    def _own_page(self, request: Request) -> Answer:
        if request.path == "/":
            return as_json(
                {
                    "taobao": "/taobao",
                    "kuaidi100": "/kuaidi100",
                    "shopify": "/shopify/{shop}",
                    "books": "/_books",
                    "control": "/_control",
                }
            )
        if request.path == "/_books":
            return as_json(self.books(request.query.get("kind")))
        if request.verb != "POST":
            return as_json({"error": "POST a JSON object"}, 405)
        try:
            return as_json(self.control(json.loads(request.body)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return as_json({"error": str(error)}, 400)

    def books(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Give every effect taken, oldest first: ship, amend, waybill, cancel, memo, and refused or repeated attempts."""
        return self.store.books(kind)

    def control(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Do what a control request says; the methods below are its parts. Raises: ValueError."""
        return self._control.apply(wish, self._now())

    def add_orders(
        self, count: int, *, same_recipient_as: str | None = None, shop: str | None = None
    ) -> list[Order]:
        """Let `count` paid orders arrive now."""
        return self._control.add_orders(count, self._now(), same_recipient_as, shop)

    def touch(self, order: str, **changes: Any) -> None:
        """Change one order (platform reference): refund, status, address, memo, note."""
        self._control.touch(order, changes, self._now())

    def set_faults(self, plan: Plan) -> None:
        """Put a plan of faults into force."""
        self._faults.set(plan)

    def expire_tokens(self) -> None:
        """Let every access token expire, apart from Shopify's permanent one."""
        self.control({"expire_tokens": True})

    def set_quota(self, quota: Any) -> None:
        """Set how many Taobao calls are left today, or `{"taobao": n, "kuaidi100": n}`; None lifts the limit."""
        self._control.limit(quota)


def serve(state: Path, port: int = 0, *, ready: Callable[[str], None] | None = None, **options: Any) -> None:
    """Serve until interrupted; `ready` is told the base URL, `options` are those of Sandbox."""
    with Sandbox(state, **options) as sandbox:
        url = sandbox.start(port)
        if ready is not None:
            ready(url)
        threading.Event().wait()
