"""A receipt printer as a device file (`/dev/usb/lp0`), or its bytes kept in ordinary files.

A device file gives no answers, so all it confirms is "spooled"; an ordinary path behaves like the `file` device.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from orderctl.model.errors import OutcomeUnknown, Temporary
from orderctl.model.text import Text
from orderctl.ports.printers.conversation import check_kind, forgetful, said
from orderctl.ports.printers.file import FilePrinter
from orderctl.ports.printers.port import DeviceSpec, Document, Receipt


class EscposFilePrinter:
    """`escpos-file:PATH`. Below /dev a missing path means a printer that is not plugged in."""

    def __init__(self, spec: DeviceSpec) -> None:
        self._spec = spec
        self._path = Path(spec.path).expanduser()
        self._files = FilePrinter(spec)

    def send(self, document: Document, *, title: str) -> Receipt:
        check_kind(self._spec, document)
        return self._write(document.content) if self._is_device() else self._files.send(document, title=title)

    def lookup(self, document: Document, *, title: str) -> Receipt | None:
        if self._is_device():
            raise forgetful(self._spec)
        return self._files.lookup(document, title=title)

    def _is_device(self) -> bool:
        try:
            mode = self._path.stat().st_mode
        except FileNotFoundError:
            return self._path.is_relative_to("/dev")
        return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)

    def _write(self, content: bytes) -> Receipt:
        """Write everything at once; before the first byte a failure is Temporary, after it unknown."""
        sent = 0
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                os.set_blocking(handle, True)
                while sent < len(content):
                    sent += os.write(handle, content[sent:])
            finally:
                os.close(handle)
        except OSError as error:
            text = Text(
                "{sent} of {total} bytes written ({reason})",
                sent=sent,
                total=len(content),
                reason=error.strerror,
            )
            if sent == 0:
                raise Temporary(said(self._spec, text), code="device") from None
            hint = Text("look at the paper before printing again")
            raise OutcomeUnknown(said(self._spec, text), code="device", hint=hint) from None
        return Receipt("spooled", f"{sent} bytes")
