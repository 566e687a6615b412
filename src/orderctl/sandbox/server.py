"""The HTTP server of the sandbox: one loopback port for all stand-ins, and the faults between them and the client.

The one invariant: whatever goes wrong on purpose goes wrong here, around complete answers, so a stand-in's effects are
the same with and without faults.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from orderctl.sandbox.answer import Answer, Request, as_json, as_text
from orderctl.sandbox.control import Control
from orderctl.sandbox.faults import BEFORE, Fault, Faults, Plan
from orderctl.sandbox.standins import COURIERS, PLATFORMS, Carrier, Gate, Shop, StandIn, choose, load
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.world import World

HOST = "127.0.0.1"
LARGEST_BODY = 8 * 1024 * 1024
OWN_PATHS = frozenset({"/", "/_books", "/_config", "/_control", "/_events"})


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
            client=self.client_address[0],
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
        state: Folder of the sandbox's own memory; an existing one is continued: its shops and orders are not made anew.
        shops: Names of shops or platforms, or "all"; None for the shops of the demonstration. Couriers are always there.
        seed: What decides the orders.
        orders: How many orders there are in the beginning, over all shops.
        faults: Seed of the default mix of faults; None for none. A precise plan is set by `set_faults`.
        fonts: Folder of fonts for the label pictures; None for whatever the system has.
        now: The clock, in epoch seconds.
        late_s: How long the platforms' own background jobs are behind, for the awkward orders that wait for one.

    Raises: ValueError for an unknown shop.
    """

    def __init__(
        self,
        state: Path,
        *,
        shops: Sequence[str] | None = None,
        seed: int = 1,
        orders: int = 40,
        faults: int | None = None,
        fonts: Path | None = None,
        now: Callable[[], float] = time.time,
        late_s: int = 0,
    ) -> None:
        choose(shops)  # before anything is written
        self._now = now
        self.store = Store(Path(state) / "sandbox.sqlite3")
        known = self.store.get("world")
        if known is None:
            self.store.put("late_s", late_s)
        chosen = choose(known.get("shops") if known else shops)
        standins: dict[str, StandIn] = {name: load(PLATFORMS[name])(self.store, now) for name in chosen}
        self._world = World(self.store, standins, [shop for some in chosen.values() for shop in some])
        self._carriers: list[Carrier] = [
            load(where)(self.store, now, folder=Path(state), fonts=fonts, unseal=self._world.unseal)
            for where in COURIERS.values()
        ]
        self._gates: list[Gate] = [*standins.values(), *self._carriers]
        self._world.begin(seed, orders, int(now()))
        self._faults = Faults(faults)
        self._control = Control(self._world, self._faults, self._gates)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def shops(self) -> list[Shop]:
        """The shops there are."""
        return list(self._world.shops.values())

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
        if request.path in OWN_PATHS:
            return None, self._own_page(request)
        gate = next((gate for gate in self._gates if gate.serves(request.path)), None)
        if gate is None:
            return None, as_json({"error": "no stand-in has this path"}, 404)
        operation, subject = gate.operation(request)
        fault = self._faults.draw(operation, request.path, subject, pages=operation in gate.pages)
        if fault is not None and fault.kind in BEFORE:
            return fault, self._refused(gate, request, fault)
        if fault is not None and fault.kind in ("duplicate", "shuffle"):
            request = replace(request, disturb=fault.kind)
        answer = gate.answer(request)
        if operation in gate.lists:
            self._control.stir(gate, self._now())
        return fault, broken(answer, fault.kind) if fault is not None else answer

    def _refused(self, gate: Gate, request: Request, fault: Fault) -> Answer | None:
        if fault.kind == "cut":
            return None
        if fault.kind == "5xx":
            return as_text("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
        return gate.refusal(fault.kind, request)

    def _own_page(self, request: Request) -> Answer:
        if request.path == "/":
            names = {gate.name: f"/{gate.name}" for gate in self._gates}
            return as_json({**names, **{path[2:]: path for path in sorted(OWN_PATHS - {"/"})}})
        if request.path == "/_books":
            return as_json(self.books(request.query.get("kind"), request.query.get("shop")))
        if request.path == "/_config":
            text = yaml.safe_dump(self.config(request.base_url), allow_unicode=True, sort_keys=False)
            return as_text(text, media_type="application/yaml;charset=utf-8")
        if request.verb != "POST" and request.path == "/_control":
            return as_json({"error": "POST a JSON object"}, 405)
        try:
            if request.path == "/_events":
                found = self.events(request.query.get("shop"), read_instant(request.query.get("since", "0")))
                lines = [json.dumps(event, ensure_ascii=False) + "\n" for event in found]
                return as_text("".join(lines), media_type="application/jsonl;charset=utf-8")
            return as_json(self.control(json.loads(request.body)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return as_json({"error": str(error)}, 400)

    def config(self, url: str) -> dict[str, Any]:
        """Give what an orderctl.yaml says of this sandbox at `url`: every shop, and who issues labels."""
        shops = {}
        for shop in self.shops:
            standin = self._world.standins[shop.platform]
            shops[shop.name] = {
                "platform": shop.platform, "base_url": url + standin.path(shop), "settings": standin.settings(shop),
            }  # fmt: skip
        return {"shops": shops, "issuers": {one.name: one.issuer(url) for one in self._carriers}}

    def books(self, kind: str | None = None, shop: str | None = None) -> list[dict[str, Any]]:
        """Give every effect taken, oldest first: ship, amend, waybill, cancel, memo, and refused or repeated attempts."""
        return self.store.books(kind, shop)

    def events(self, shop: str | None = None, since: float = 0) -> list[dict[str, Any]]:
        """Give the push messages about orders changed since an epoch second, of one shop or of all.

        Each is a line of the file that `orderctl fetch --events` reads; platforms that do not push have none.
        """
        return list(self._world.events(shop, since))

    def control(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Do what a control request says; the methods below are its parts. Raises: ValueError."""
        return self._control.apply(wish, self._now())

    def add_orders(
        self, count: int, *, same_recipient_as: str | None = None, shop: str | None = None
    ) -> list[Order]:
        """Let `count` paid orders arrive now."""
        return self._world.add_orders(count, int(self._now()), like=same_recipient_as, shop=shop)

    def touch(self, order: str, **changes: Any) -> None:
        """Change one order (platform reference): refund, status, address, memo, note, stir."""
        self._world.touch(order, changes, self._now())

    def set_faults(self, plan: Plan) -> None:
        """Put a plan of faults into force."""
        self._faults.set(plan)

    def expire_tokens(self, of: str | None = None) -> None:
        """Let every access token expire (those that ever do), or those of one shop or platform."""
        self.control({"expire_tokens": of or True})

    def set_quota(self, quota: Any) -> None:
        """Set how many calls everybody has left, or `{"NAME": n}` those of one stand-in; None lifts the limit."""
        self.control({"quota": quota})

    def set_churn(self, shop: str, per_call: int) -> None:
        """Let so many orders of a shop change after each page read at its platform, from now on; 0 ends it."""
        self.control({"churn": {"shop": shop, "per_call": per_call}})


def read_instant(text: str) -> float:
    """Read epoch seconds, or an instant with its zone (`2026-11-18T01:30:00Z`). Raises: ValueError."""
    try:
        return float(text)
    except ValueError:
        found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return found.timestamp()


def serve(state: Path, port: int = 0, *, ready: Callable[[str], None] | None = None, **options: Any) -> None:
    """Serve until interrupted; `ready` is told the base URL, `options` are those of Sandbox."""
    with Sandbox(state, **options) as sandbox:
        url = sandbox.start(port)
        if ready is not None:
            ready(url)
        while True:
            time.sleep(1)  # not forever: a signal that another thread was given does not wake this one
