"""Receipt printers on the network (port 9100): ask first, send in one go, ask for proof at the end.

A socket takes bytes even when nobody prints them: a write that succeeds proves nothing. So paper and cover are asked
before, and the document ends with a question the printer answers only after everything before it. The invariant:
an error before the first byte of the document is `Temporary`; from then on, without the answer, `OutcomeUnknown`.

Source: Epson ESC/POS command reference (DLE EOT, GS r, GS a); bits as in its tables.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

ESCPOS = "application/vnd.escpos"
CONNECT_S = 5.0
STATUS_S = 2.0
DEADLINE_S = 30.0
SLOWEST_BYTES_PER_S = 2000
CHUNK = 16 * 1024

_QUIET = b"\x1da\x00"  # no unasked status: its bytes look like answers
_ASK_PRINTER, _ASK_PAPER = b"\x10\x04\x01", b"\x10\x04\x04"
_ASK_PROOF = b"\x1dr\x01"
_OFFLINE, _PAPER_END, _PAPER_NEAR_END = 0x08, 0x60, 0x0C
_PROOF_PAPER_END = 0x0C


class SocketPrinter:
    """`escpos://HOST:9100`. With `?status=no` a printer that never answers: then all it ever gives is "spooled"."""

    def __init__(self, spec: DeviceSpec, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._clock = clock
        self._answers = spec.options.get("status", "yes") != "no"

    def send(self, document: Document, *, title: str) -> Receipt:  # noqa: ARG002 - there is no job to name
        if document.media_type != ESCPOS:
            raise Refused(
                self._said(Text("it takes ESC/POS, not {kind}", kind=document.media_type)), code="format"
            )
        try:
            link = socket.create_connection((self._spec.host, self._spec.port), CONNECT_S)
        except OSError as error:
            reason = Text("no connection ({reason})", reason=error.strerror or type(error).__name__)
            raise Temporary(self._said(reason), code="unreachable") from None
        with link:
            near_end = self._check_ready(link) if self._answers else False
            self._write(link, _QUIET + document.content + (_ASK_PROOF if self._answers else b""))
            if not self._answers:
                return Receipt("spooled", "no answer asked for")
            self._await_proof(link, len(document.content))
        return Receipt("completed", "paper near end" if near_end else "answered")

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002
        raise OutcomeUnknown(self._said(Text("a receipt printer remembers nothing; look at the paper")))

    def _check_ready(self, link: socket.socket) -> bool:
        """Ask printer and paper; tell whether the paper is near its end. Raises Temporary: nothing was sent yet."""
        printer = self._status(link, _ASK_PRINTER)
        paper = self._status(link, _ASK_PAPER)
        if paper & _PAPER_END == _PAPER_END:
            raise Temporary(self._said(Text("out of paper")), code="media-empty")
        if printer & _OFFLINE:
            raise Temporary(
                self._said(Text("offline: cover open, error or switched off by hand")), code="offline"
            )
        return paper & _PAPER_NEAR_END == _PAPER_NEAR_END

    def _status(self, link: socket.socket, question: bytes) -> int:
        """Give one status byte; only bytes with the fixed bits of such an answer count."""
        try:
            link.sendall(question)
            answer = self._read(link, lambda byte: byte & 0x93 == 0x12, STATUS_S)
        except TimeoutError:
            hint = Text("if this printer never answers, write the device with ?status=no")
            raise Temporary(
                self._said(Text("no answer to a status request")), hint=hint, code="silent"
            ) from None
        except OSError as error:
            reason = Text("no connection ({reason})", reason=error.strerror or type(error).__name__)
            raise Temporary(self._said(reason), code="unreachable") from None
        return answer

    def _write(self, link: socket.socket, content: bytes) -> None:
        """Send everything on one connection. Temporary if not one byte was taken."""
        sent, limit = 0, self._limit(len(content))
        end = self._clock() + limit
        try:
            while sent < len(content):
                link.settimeout(max(0.01, end - self._clock()))
                sent += link.send(content[sent : sent + CHUNK])
        except OSError as error:
            reason = (
                "timed out" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
            )
            text = self._said(
                Text(
                    "the connection broke after {sent} of {total} bytes ({reason})",
                    sent=sent,
                    total=len(content),
                    reason=reason,
                )
            )
            if sent == 0:
                raise Temporary(text, code="connection") from None
            raise OutcomeUnknown(text, code="connection", hint=_LOOK) from None

    def _await_proof(self, link: socket.socket, size: int) -> None:
        """Wait for the answer to the last question. Raises OutcomeUnknown without it."""
        try:
            status = self._read(link, lambda byte: byte & 0x90 == 0, self._limit(size))
        except TimeoutError:
            text = Text("it took everything but did not confirm the end")
            raise OutcomeUnknown(self._said(text), code="unconfirmed", hint=_LOOK) from None
        except OSError:
            text = Text("it closed the connection without confirming the end")
            raise OutcomeUnknown(self._said(text), code="connection", hint=_LOOK) from None
        if status & _PROOF_PAPER_END == _PROOF_PAPER_END:
            raise OutcomeUnknown(
                self._said(Text("the paper ended while printing")), code="media-empty", hint=_LOOK
            )

    def _read(self, link: socket.socket, wanted: Callable[[int], bool], seconds: float) -> int:
        """Give the next byte that is such an answer, passing over unasked four-byte status blocks."""
        end, skip = self._clock() + seconds, 0
        while True:
            link.settimeout(max(0.01, end - self._clock()))
            got = link.recv(1)
            if not got:
                raise ConnectionResetError(0, "closed")
            byte = got[0]
            if skip:
                skip -= 1
            elif wanted(byte):
                return byte
            elif byte & 0x93 == 0x10:
                skip = 3
            if self._clock() >= end:
                raise TimeoutError

    def _limit(self, size: int) -> float:
        given = self._spec.options.get("deadline")
        return float(given) if given else DEADLINE_S + size / SLOWEST_BYTES_PER_S

    def _said(self, text: Text) -> Text:
        return Text("printer {device}: {reason}", device=self._spec.text, reason=text)


_LOOK = Text("look at the paper before printing again")
