"""Receipt printers on the network (port 9100)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from orderctl.ports.printers.conversation import Conversation, check_kind, forgetful, unreachable
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

CONNECT_S = 5.0


class SocketPrinter:
    """`escpos://HOST:9100`. With `?status=no` a printer that never answers."""

    def __init__(self, spec: DeviceSpec, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._clock = clock

    def send(self, document: Document, *, title: str) -> Receipt:  # noqa: ARG002 - there is no job to name
        check_kind(self._spec, document)
        try:
            line = socket.create_connection((self._spec.host, self._spec.port), CONNECT_S)
        except OSError as error:
            raise unreachable(self._spec, error) from None
        with line:
            return Conversation(_Link(line), self._spec, self._clock).print(document.content)

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002
        raise forgetful(self._spec)


class _Link:
    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def write(self, content: bytes, seconds: float) -> int:
        self._line.settimeout(seconds)
        return self._line.send(content)

    def read(self, seconds: float) -> bytes:
        self._line.settimeout(seconds)
        got = self._line.recv(64)
        if not got:
            raise ConnectionResetError(0, "closed")
        return got
