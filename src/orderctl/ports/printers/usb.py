"""Receipt printers on USB, through python-escpos: for printers without a device file of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from usb.core import NoBackendError, USBError, USBTimeoutError  # type: ignore[import-untyped]  # ships no types

from orderctl.model.errors import Temporary
from orderctl.model.text import Text
from orderctl.ports.printers.conversation import Conversation, check_kind, forgetful, said
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt
from orderctl.ports.printers.python_escpos import DeviceNotFoundError, Usb

IN, OUT = "82", "01"
_READ_BYTES = 512  # a whole packet at any speed: the bus refuses to cut one


class UsbPrinter:
    """`escpos-usb:04b8:0202` (vendor and product), `?in=82&out=01` for other endpoints."""

    def __init__(
        self,
        spec: DeviceSpec,
        *,
        transport: Callable[..., Any] = Usb,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._transport = transport
        self._clock = clock

    def send(self, document: Document, *, title: str) -> Receipt:  # noqa: ARG002 - there is no job to name
        check_kind(self._spec, document)
        printer = self._open()
        try:
            return Conversation(_Link(printer), self._spec, self._clock).print(document.content)
        finally:
            printer.close()

    def lookup(self, document: Document, *, title: str) -> Receipt | None:  # noqa: ARG002
        raise forgetful(self._spec)

    def _open(self) -> Any:
        """Find the printer and take it. Raises Temporary."""
        vendor, product = (int(part, 16) for part in self._spec.path.split(":"))
        ends = {"in_ep": IN, "out_ep": OUT} | {
            f"{k}_ep": v for k, v in self._spec.options.items() if k in ("in", "out")
        }
        printer = self._transport(vendor, product, **{name: int(end, 16) for name, end in ends.items()})
        try:
            printer.open()
        except NoBackendError:
            hint = Text("install libusb (Debian: apt install libusb-1.0-0)")
            raise Temporary(
                said(self._spec, Text("this machine has no libusb")), hint=hint, code="libusb"
            ) from None
        except DeviceNotFoundError as error:
            why = error.__context__
            if isinstance(why, USBError):
                reason = Text("no connection ({reason})", reason=why.strerror or type(why).__name__)
                raise Temporary(said(self._spec, reason), code="unreachable") from None
            raise Temporary(
                said(self._spec, Text("it is not plugged in or switched off")), code="unreachable"
            ) from None
        return printer


class _Link:
    def __init__(self, printer: Any) -> None:
        self._printer = printer

    def write(self, content: bytes, seconds: float) -> int:
        try:
            taken: int = self._printer.device.write(self._printer.out_ep, content, _milliseconds(seconds))
        except USBTimeoutError:
            raise TimeoutError from None
        return taken

    def read(self, seconds: float) -> bytes:
        try:
            got = bytes(self._printer.device.read(self._printer.in_ep, _READ_BYTES, _milliseconds(seconds)))
        except USBTimeoutError:
            raise TimeoutError from None
        if not got:
            raise TimeoutError
        return got


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))  # zero would wait for ever
