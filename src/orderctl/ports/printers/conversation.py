"""How to print on a receipt printer that can answer: ask first, send in one go, ask for proof at the end.

A line takes bytes even when nobody prints them: a write that succeeds proves nothing. So paper and cover are asked
before, and the document ends with a question the printer answers only after everything before it. The invariant:
an error before the first byte of the document is `Temporary`; from then on, without the answer, `OutcomeUnknown`.

Source: Epson ESC/POS command reference (DLE EOT, GS r, GS a); bits as in its tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.model.text import Text
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt

ESCPOS = "application/vnd.escpos"
STATUS_S = 2.0
DEADLINE_S = 30.0
SLOWEST_BYTES_PER_S = 2000.0
CHUNK = 16 * 1024
PACKET = 64  # what a USB printer takes whole or not at all

_QUIET = b"\x1da\x00"  # no unasked status: its bytes look like answers
_ASK_PRINTER, _ASK_PAPER = b"\x10\x04\x01", b"\x10\x04\x04"
_ASK_PROOF = b"\x1dr\x01"
_OFFLINE, _PAPER_END, _PAPER_NEAR_END = 0x08, 0x60, 0x0C
_PROOF_PAPER_END = 0x0C
_LOOK = Text("look at the paper before printing again")


class Link(Protocol):
    """An open line to a printer. Both calls raise OSError, TimeoutError when the seconds are over."""

    def write(self, content: bytes, seconds: float) -> int:
        """Hand over the beginning of `content`, at least one byte; give how many. An error: not one was taken."""
        ...

    def read(self, seconds: float) -> bytes:
        """Give what the printer sent, at least one byte."""
        ...


class Conversation:
    """Prints documents over a link. `?status=no` is for a printer that never answers: then all is "spooled"."""

    def __init__(
        self,
        link: Link,
        spec: DeviceSpec,
        clock: Callable[[], float],
        bytes_per_s: float = SLOWEST_BYTES_PER_S,
    ) -> None:
        self._link = link
        self._spec = spec
        self._clock = clock
        self._pace = bytes_per_s
        self._heard = b""

    def print(self, content: bytes) -> Receipt:
        """Print one document; raises what `Printer.send` may raise."""
        answers = self._spec.options.get("status", "yes") != "no"
        near_end = self._check_ready() if answers else False
        self._write(_QUIET + content + (_ASK_PROOF if answers else b""))
        if not answers:
            return Receipt("spooled", "no answer asked for")
        self._await_proof(len(content))
        return Receipt("completed", "paper near end" if near_end else "answered")

    def _check_ready(self) -> bool:
        """Ask printer and paper; tell whether the paper is near its end. Raises Temporary: nothing was sent yet."""
        printer = self._status(_ASK_PRINTER)
        paper = self._status(_ASK_PAPER)
        if paper & _PAPER_END == _PAPER_END:
            raise Temporary(said(self._spec, Text("out of paper")), code="media-empty")
        if printer & _OFFLINE:
            text = Text("offline: cover open, error or switched off by hand")
            raise Temporary(said(self._spec, text), code="offline")
        return paper & _PAPER_NEAR_END == _PAPER_NEAR_END

    def _status(self, question: bytes) -> int:
        """Give one status byte; only bytes with the fixed bits of such an answer count."""
        try:
            while question:
                question = question[self._link.write(question, STATUS_S) :]
            return self._read(lambda byte: byte & 0x93 == 0x12, STATUS_S)
        except TimeoutError:
            hint = Text("if this printer never answers, write the device with ?status=no")
            text = said(self._spec, Text("no answer to a status request"))
            raise Temporary(text, hint=hint, code="silent") from None
        except OSError as error:
            raise unreachable(self._spec, error) from None

    def _write(self, content: bytes) -> None:
        """Send everything in one go. Temporary if not one byte was taken."""
        sent, end = 0, self._clock() + self._limit(len(content))
        try:
            while sent < len(content):
                piece = content[sent : sent + (CHUNK if sent else PACKET)]
                sent += self._link.write(piece, max(0.01, end - self._clock()))
        except OSError as error:
            text = Text(
                "the connection broke after {sent} of {total} bytes ({reason})",
                sent=sent,
                total=len(content),
                reason="timed out" if isinstance(error, TimeoutError) else _reason(error),
            )
            if sent == 0:
                raise Temporary(said(self._spec, text), code="connection") from None
            raise OutcomeUnknown(said(self._spec, text), code="connection", hint=_LOOK) from None

    def _await_proof(self, size: int) -> None:
        """Wait for the answer to the last question. Raises OutcomeUnknown without it."""
        try:
            status = self._read(lambda byte: byte & 0x90 == 0, self._limit(size))
        except TimeoutError:
            text = Text("it took everything but did not confirm the end")
            raise OutcomeUnknown(said(self._spec, text), code="unconfirmed", hint=_LOOK) from None
        except OSError:
            text = Text("it closed the connection without confirming the end")
            raise OutcomeUnknown(said(self._spec, text), code="connection", hint=_LOOK) from None
        if status & _PROOF_PAPER_END == _PROOF_PAPER_END:
            text = Text("the paper ended while printing")
            raise OutcomeUnknown(said(self._spec, text), code="media-empty", hint=_LOOK)

    def _read(self, wanted: Callable[[int], bool], seconds: float) -> int:
        """Give the next byte that is such an answer, passing over unasked four-byte status blocks."""
        end, skip = self._clock() + seconds, 0
        while True:
            if not self._heard:
                self._heard = self._link.read(max(0.01, end - self._clock()))
            byte, self._heard = self._heard[0], self._heard[1:]
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
        return float(given) if given else DEADLINE_S + size / self._pace


def check_kind(spec: DeviceSpec, document: Document) -> None:
    """Raise Refused for anything but ESC/POS."""
    if document.media_type != ESCPOS:
        text = Text("it takes ESC/POS, not {kind}", kind=document.media_type)
        raise Refused(said(spec, text), code="format")


def unreachable(spec: DeviceSpec, error: OSError) -> Temporary:
    """Give the error for a line that could not be opened or broke before the document."""
    return Temporary(said(spec, Text("no connection ({reason})", reason=_reason(error))), code="unreachable")


def forgetful(spec: DeviceSpec) -> OutcomeUnknown:
    """Give the answer of every receipt printer to what became of an earlier job."""
    return OutcomeUnknown(said(spec, Text("a receipt printer remembers nothing; look at the paper")))


def said(spec: DeviceSpec, text: Text) -> Text:
    """Put the printer's name before what there is to say of it."""
    return Text("printer {device}: {reason}", device=spec.text, reason=text)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
