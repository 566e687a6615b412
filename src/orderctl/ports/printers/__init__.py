"""The printer backends, by the word before the colon of a device. To add one: its file and one line here."""

from __future__ import annotations

import re
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
    "escpos-serial": "orderctl.ports.printers.serial:SerialPrinter",
    "escpos-usb": "orderctl.ports.printers.usb:UsbPrinter",
    "escpos-file": "orderctl.ports.printers.escpos_file:EscposFilePrinter",
}
EXTRAS = {"escpos-serial": "serial", "escpos-usb": "usb"}
PORTS = {"cups": 631, "ipp": 631, "escpos": 9100}
OPTIONS = {
    "cups": {"media", "deadline"},
    "ipp": {"media", "deadline"},
    "escpos": {"status", "deadline"},
    "escpos-serial": {"status", "deadline", "baud", "flow"},
    "escpos-usb": {"status", "deadline", "in", "out"},
}
VALUES = {
    "media": r".+", "deadline": r"\d{1,6}", "status": "yes|no", "baud": r"[1-9]\d{2,6}", "flow": "none|rtscts|xonxoff",
    "in": "[89][0-9a-f]", "out": "0?[0-9a-f]",
}  # fmt: skip
USB_IDS = re.compile("[0-9a-f]{4}:[0-9a-f]{4}", re.IGNORECASE)


def parse_device(text: str) -> DeviceSpec:
    """Read a device as it is written in configuration and on the command line.

    `file:PATH`, `cups:QUEUE`, `cups://HOST:631/QUEUE?media=NAME`, `ipp://HOST:631/ipp/print`, `escpos://HOST:9100`,
    `escpos-serial:/dev/ttyUSB0?baud=9600`, `escpos-usb:VENDOR:PRODUCT`, `escpos-file:PATH`. Options behind `?`:
    `media` (name of a paper), `deadline` (seconds to wait for the end of a job), `status=no` (a receipt printer that
    never answers), `baud`, `flow` (none, rtscts, xonxoff), `in` and `out` (USB endpoints). Raises: ConfigError.
    """
    kind, colon, rest = text.strip().partition(":")
    if kind not in PRINTERS or not colon or not rest.strip("/"):
        known = ", ".join(PRINTERS)
        raise ConfigError(Text("unknown device '{device}' (known: {known})", device=text, known=known))
    if kind not in OPTIONS:  # the name of a file may hold anything
        return DeviceSpec(kind, text, path=rest)
    if kind in PORTS:
        host, port, path, query = _address(kind, text, rest)
    else:
        path, _, query = rest.partition("?")
        host, port = "", 0
        if not path or (kind == "escpos-usb" and not USB_IDS.fullmatch(path)):
            raise _improper(text)
    return DeviceSpec(kind, text, host, port, path, _options(kind, text, query))


def load(kind: str) -> type[Printer]:
    """Give the backend's class, to be called with a `DeviceSpec`.

    Raises: ConfigError for an unknown kind, or one whose library is not installed.
    """
    if kind not in PRINTERS:
        raise ConfigError(
            Text("unknown device '{device}' (known: {known})", device=kind, known=", ".join(PRINTERS))
        )
    module, _, name = PRINTERS[kind].partition(":")
    try:
        found: type[Printer] = getattr(import_module(module), name)
    except ModuleNotFoundError:
        if kind not in EXTRAS:
            raise
        text = Text("{kind}: needs orderctl's extra '{extra}'", kind=kind, extra=EXTRAS[kind])
        hint = Text("pip install 'orderctl[{extra}]'", extra=EXTRAS[kind])
        raise ConfigError(text, hint=hint) from None
    return found


def _address(kind: str, text: str, rest: str) -> tuple[str, int, str, str]:
    """Give host, port, path and query of a printer that is reached over the network."""
    try:
        url = urlsplit(text.strip() if rest.startswith("//") else f"{kind}://localhost/{rest}")
        host, port = url.hostname or "", url.port or PORTS[kind]
    except ValueError:
        raise _improper(text) from None
    path = unquote(url.path).strip("/").removeprefix("printers/" if kind == "cups" else "")
    if not host or (kind == "cups" and (not path or "/" in path)):
        raise _improper(text)
    return host, port, path, url.query


def _options(kind: str, text: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := set(options) - OPTIONS[kind]:
        known = ", ".join(sorted(OPTIONS[kind]))
        raise ConfigError(
            Text(
                "device '{device}': unknown option '{option}' (known: {known})",
                device=text, option=min(unknown), known=known,
            )
        )  # fmt: skip
    for name, value in options.items():
        if not re.fullmatch(VALUES[name], value, re.ASCII | re.IGNORECASE):
            raise ConfigError(
                Text("device '{device}': {option} cannot be '{value}'", device=text, option=name, value=value)
            )
    return options


def _improper(text: str) -> ConfigError:
    return ConfigError(Text("device '{device}' is no proper address", device=text))


def connect(text: str) -> Printer:
    """Give the printer a device text names, ready to send. Raises: ConfigError."""
    spec = parse_device(text)
    make: type = load(spec.kind)
    printer: Printer = make(spec)
    return printer
