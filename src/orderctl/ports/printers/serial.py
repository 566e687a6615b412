"""Receipt printers on a serial line, through python-escpos: RS-232, and USB printers that show as `/dev/ttyUSB0`."""

from __future__ import annotations

import errno
import os
import select
import termios
import time
from collections.abc import Callable
from typing import Any

from serial import SerialException  # type: ignore[import-untyped]  # ships no types

from orderctl.ports.printers.conversation import (
    SLOWEST_BYTES_PER_S,
    Conversation,
    check_kind,
    forgetful,
    unreachable,
)
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt
from orderctl.ports.printers.python_escpos import DeviceNotFoundError, Serial

BAUD = 9600
BITS_PER_BYTE = 11


class SerialPrinter:
    """`escpos-serial:/dev/ttyUSB0?baud=9600&flow=rtscts`; `flow` is none, rtscts or xonxoff."""

    def __init__(self, spec: DeviceSpec, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._spec = spec
        self._clock = clock
        self._baud = int(spec.options.get("baud", BAUD))

    def send(self, document: Document, *, title: str) -> Receipt:  # noqa: ARG002 - there is no job to name
        check_kind(self._spec, document)
        printer = self._open()  # held to the end: the library closes the line when this is forgotten
        try:
            pace = min(SLOWEST_BYTES_PER_S, self._baud / BITS_PER_BYTE)
            return Conversation(_Link(printer.device), self._spec, self._clock, pace).print(document.content)
        finally:
            printer.device.close()  # the library's own close waits for ever on a printer that takes no more

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002
        raise forgetful(self._spec)

    def _open(self) -> Any:
        """Open the line for this run alone. Raises Temporary."""
        flow = self._spec.options.get("flow", "none")
        printer: Any = Serial(self._spec.path, baudrate=self._baud, xonxoff=flow == "xonxoff")
        try:
            printer.open()
            line = printer.device
            try:
                line.write_timeout = 0  # a write gives back how much it took
                line.rtscts = flow == "rtscts"
                line.exclusive = True
            except (SerialException, termios.error):
                line.close()
                raise
        except DeviceNotFoundError as error:
            raise unreachable(self._spec, _plain(error.__context__)) from None
        except (SerialException, termios.error) as error:
            raise unreachable(self._spec, _plain(error)) from None
        return printer


class _Link:
    def __init__(self, line: Any) -> None:
        self._line = line

    def write(self, content: bytes, seconds: float) -> int:
        if not select.select([], [self._line.fileno()], [], seconds)[1]:
            raise TimeoutError
        try:
            taken: int = self._line.write(content)
        except SerialException as error:
            raise _plain(error) from None
        return taken

    def read(self, seconds: float) -> bytes:
        self._line.timeout = seconds
        try:
            got: bytes = self._line.read(1)
        except SerialException as error:
            raise _plain(error) from None
        if not got:
            raise TimeoutError
        return got


def _plain(error: BaseException | None) -> OSError:
    """Give the operating system's words where the library keeps them, else its own."""
    number = getattr(error, "errno", None)
    return OSError(number, os.strerror(number)) if number else OSError(errno.EIO, str(error))
