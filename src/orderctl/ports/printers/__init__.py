"""The printer backends, by the word before the colon of a device. To add one: its file and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.ports.printers.port import DeviceSpec

if TYPE_CHECKING:
    from orderctl.ports.printers.port import Printer

PRINTERS = {
    "file": "orderctl.ports.printers.file:FilePrinter",
    "cups": "orderctl.ports.printers.cups:CupsPrinter",
    "ipp": "orderctl.ports.printers.cups:IppPrinter",
    "escpos": "orderctl.ports.printers.socket:SocketPrinter",
    "escpos-file": "orderctl.ports.printers.escpos_file:EscposFilePrinter",
}
PORTS = {"cups": 631, "ipp": 631, "escpos": 9100}
OPTIONS = {"cups": {"media", "deadline"}, "ipp": {"media", "deadline"}, "escpos": {"status", "deadline"}}


def parse_device(text: str) -> DeviceSpec:
    """Read a device as it is written in configuration and on the command line.

    `file:PATH`, `cups:QUEUE`, `cups://HOST:631/QUEUE?media=NAME`, `ipp://HOST:631/ipp/print`, `escpos://HOST:9100`,
    `escpos-file:PATH`. Options behind `?`: `media` (name of a paper), `deadline` (seconds to wait for the end of a
    job), `status=no` (a receipt printer that never answers). Raises: ConfigError.
    """
    kind, colon, rest = text.strip().partition(":")
    if kind not in PRINTERS or not colon or not rest.strip("/"):
        known = ", ".join(PRINTERS)
        raise ConfigError(Text("unknown device '{device}' (known: {known})", device=text, known=known))
    if kind not in PORTS:
        return DeviceSpec(kind, text, path=rest)
    try:
        url = urlsplit(text.strip() if rest.startswith("//") else f"{kind}://localhost/{rest}")
        host, port = url.hostname or "", url.port or PORTS[kind]
    except ValueError:
        raise ConfigError(Text("device '{device}' is no proper address", device=text)) from None
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    path = unquote(url.path).strip("/").removeprefix("printers/" if kind == "cups" else "")
    if not host or (kind == "cups" and (not path or "/" in path)):
        raise ConfigError(Text("device '{device}' is no proper address", device=text))
    if unknown := set(options) - OPTIONS[kind]:
        known = ", ".join(sorted(OPTIONS[kind]))
        raise ConfigError(
            Text(
                "device '{device}': unknown option '{option}' (known: {known})",
                device=text, option=min(unknown), known=known,
            )
        )  # fmt: skip
    if not options.get("deadline", "1").isascii() or not options.get("deadline", "1").isdigit():
        raise ConfigError(Text("device '{device}': deadline is a whole number of seconds", device=text))
    return DeviceSpec(kind, text, host, port, path, options)


def load(kind: str) -> type[Printer]:
    """Give the backend's class, to be called with a `DeviceSpec`. Raises: ConfigError for an unknown kind."""
    if kind not in PRINTERS:
        raise ConfigError(
            Text("unknown device '{device}' (known: {known})", device=kind, known=", ".join(PRINTERS))
        )
    module, _, name = PRINTERS[kind].partition(":")
    found: type[Printer] = getattr(import_module(module), name)
    return found


def connect(text: str) -> Printer:
    """Give the printer a device text names, ready to send. Raises: ConfigError."""
    spec = parse_device(text)
    make: type = load(spec.kind)
    printer: Printer = make(spec)
    return printer
