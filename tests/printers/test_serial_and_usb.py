"""Receipt printers on a serial line (a real pty) and on USB (no bus here: a stand-in for the library's transport)."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from escpos.exceptions import DeviceNotFoundError
from serial import Serial
from usb.core import NoBackendError, USBError, USBTimeoutError

from orderctl.model.errors import ConfigError, OutcomeUnknown, Refused, Temporary
from orderctl.ports.printers import connect, parse_device
from orderctl.ports.printers.usb import UsbPrinter

GOOD, NEAR_END, PAPER_END, OFFLINE = 0x12, 0x1E, 0x72, 0x1A
USB = "escpos-usb:04b8:0202"


def receipt(content: bytes = b"\x1b@hello\n", media_type: str = "application/vnd.escpos") -> Any:
    """Give a document without a person."""
    return SimpleNamespace(
        name="receipt.escpos", content=content, media_type=media_type, width_mm=None, height_mm=None, pages=1
    )


class Wire:
    """The printer's end of a serial line."""

    def __init__(self, end: int, kept: bytearray) -> None:
        self.end = end
        self.kept = kept

    def take(self, wanted: bytes) -> None:
        """Read until the bytes end with `wanted`."""
        while not bytes(self.kept).endswith(wanted):
            if not select.select([self.end], [], [], 10)[0]:
                raise TimeoutError
            self.kept += os.read(self.end, 4096)

    def say(self, *answers: int) -> None:
        os.write(self.end, bytes(answers))

    def answer(self, *statuses: int) -> None:
        """Answer the status questions, one byte each."""
        for number, status in zip((b"\x01", b"\x04"), statuses, strict=True):
            self.take(b"\x10\x04" + number)
            self.say(status)


@contextmanager
def printer(behave: Callable[[Wire], None]) -> Iterator[tuple[str, bytearray]]:
    """Plug in a printer that behaves so; gives its device and what it received."""
    end, ours = os.openpty()
    kept, failed = bytearray(), []

    def live() -> None:
        try:
            behave(Wire(end, kept))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield f"escpos-serial:{os.ttyname(ours)}", kept
    finally:
        thread.join()
        for handle in (end, ours):
            try:
                os.close(handle)
            except OSError as error:
                assert error.errno == errno.EBADF, "a printer that was pulled out has closed it"
    assert not failed


def good(it: Wire) -> None:
    """Print everything and say so."""
    it.answer(GOOD, GOOD)
    it.take(b"\x1dr\x01")
    it.say(0)


# --- serial


def test_a_receipt_goes_out_unchanged_and_is_confirmed() -> None:
    document = receipt(
        b"\x1b@\x1c&" + "样例".encode("gbk") + b"\r\n\x03\x04\x11\x13\x1a\x7f" + bytes(range(256)) * 40
    )
    with printer(good) as (device, kept):
        assert connect(f"{device}?baud=115200").send(document, title="t").confirmed == "completed"
    assert bytes(kept) == b"\x10\x04\x01\x10\x04\x04" + b"\x1da\x00" + document.content + b"\x1dr\x01"


@pytest.mark.parametrize("flow", ["none", "rtscts", "xonxoff"])
def test_the_line_is_set_as_asked(flow: str) -> None:
    seen: list[Any] = []

    def behave(it: Wire) -> None:
        it.answer(GOOD, NEAR_END)
        seen.append(termios.tcgetattr(it.end))
        it.take(b"\x1dr\x01")
        it.say(3)

    with printer(behave) as (device, _):
        assert (
            connect(f"{device}?baud=19200&flow={flow}").send(receipt(), title="t").detail == "paper near end"
        )
    incoming, _, control, _, speed, *_ = seen[0]
    assert speed == termios.B19200
    assert (bool(control & termios.CRTSCTS), bool(incoming & termios.IXON)) == (
        flow == "rtscts",
        flow == "xonxoff",
    )


@pytest.mark.parametrize(
    ("statuses", "code"), [((GOOD, PAPER_END), "media-empty"), ((OFFLINE, GOOD), "offline")]
)
def test_no_paper_or_an_open_cover_is_told_before_anything_is_sent(
    statuses: tuple[int, int], code: str
) -> None:
    with printer(lambda it: it.answer(*statuses)) as (device, kept), pytest.raises(Temporary) as caught:
        connect(device).send(receipt(), title="t")
    assert caught.value.code == code and b"hello" not in kept


def test_a_silent_printer_gets_nothing_unless_told_so() -> None:
    with (
        printer(lambda it: it.take(b"\x10\x04\x01")) as (device, kept),
        pytest.raises(Temporary, match="no answer to a status request") as caught,
    ):
        connect(device).send(receipt(), title="t")
    assert "status=no" in str(caught.value.hint) and b"hello" not in kept
    with printer(lambda it: it.take(b"hello\n")) as (device, kept):
        assert connect(f"{device}?status=no").send(receipt(), title="t").confirmed == "spooled"
    assert bytes(kept) == b"\x1da\x00\x1b@hello\n"


def test_a_printer_that_stops_reading_is_unknown_after_the_deadline() -> None:
    with (
        printer(lambda it: it.answer(GOOD, GOOD)) as (device, _),
        pytest.raises(OutcomeUnknown, match=r"after [1-9]\d* of \d+ bytes \(timed out"),
    ):
        connect(f"{device}?deadline=1").send(receipt(b"x" * 2_000_000), title="t")


def test_a_printer_pulled_out_in_the_middle_is_unknown_and_before_it_temporary() -> None:
    def in_the_middle(it: Wire) -> None:
        it.answer(GOOD, GOOD)
        it.kept += os.read(it.end, 100)
        os.close(it.end)

    def before(it: Wire) -> None:
        it.take(b"\x10\x04\x01")
        os.close(it.end)

    with (
        printer(in_the_middle) as (device, _),
        pytest.raises(OutcomeUnknown, match=r"after [1-9]\d* of 2\d+ bytes"),
    ):
        connect(device).send(receipt(b"x" * 2_000_000), title="t")
    with printer(before) as (device, kept), pytest.raises(Temporary, match="no connection"):
        connect(device).send(receipt(), title="t")
    assert b"hello" not in kept


def test_everything_taken_but_no_confirmation_is_unknown() -> None:
    def silent(it: Wire) -> None:
        it.answer(GOOD, GOOD)
        it.take(b"\x1dr\x01")

    with printer(silent) as (device, kept), pytest.raises(OutcomeUnknown, match="did not confirm the end"):
        connect(f"{device}?deadline=1").send(receipt(), title="t")
    assert b"hello" in kept


def test_no_printer_no_line_and_a_busy_one_are_temporary(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    for path, why in (("/dev/orderctl-no-such-line", "No such file"), (f"{tmp_path}/plain", "no connection")):
        with pytest.raises(Temporary, match=f"{path}.*{why}"):
            connect(f"escpos-serial:{path}").send(receipt(), title="t")
    with (
        printer(lambda it: None) as (device, kept),
        Serial(device.partition(":")[2], exclusive=True),
        pytest.raises(Temporary, match="temporarily unavailable"),
    ):
        connect(device).send(receipt(), title="t")
    assert not kept


def test_only_receipts_are_taken_and_nothing_can_be_looked_up() -> None:
    for device in ("escpos-serial:/dev/orderctl-no-such-line", USB):
        with pytest.raises(Refused, match="takes ESC/POS, not application/pdf"):
            connect(device).send(receipt(media_type="application/pdf"), title="t")
        with pytest.raises(OutcomeUnknown, match="look at the paper"):
            connect(device).lookup(receipt(), title="t")


# --- USB


class Bus:
    """A stand-in for the library's transport: `script` gives what each call on the bus does."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.kept = bytearray()
        self.made: Any = None
        self.closed = False

    def __call__(self, vendor: int, product: int, *, in_ep: int, out_ep: int) -> Bus:
        self.made, self.in_ep, self.out_ep, self.device = (
            (vendor, product, in_ep, out_ep),
            in_ep,
            out_ep,
            self,
        )
        return self

    def open(self) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed = True

    def step(self) -> Any:
        done = self.script.pop(0)
        if isinstance(done, Exception):
            raise done
        return done

    def write(self, end: int, content: bytes, milliseconds: int) -> int:
        assert end == self.out_ep and milliseconds > 0
        done = self.step()
        taken = min(len(content), done)
        self.kept += content[:taken]
        return taken

    def read(self, end: int, size: int, milliseconds: int) -> Any:
        assert end == self.in_ep and size >= 512 and milliseconds > 0, "a packet is never cut"
        return self.step()


READY = (3, [GOOD], 3, [GOOD])
STALL = USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT)
GONE = USBError("No such device (it may have been disconnected)", -4, errno.ENODEV)


def send(bus: Bus, content: bytes = b"\x1b@hello\n", device: str = USB) -> Any:
    try:
        return UsbPrinter(parse_device(device), transport=bus).send(receipt(content), title="t")
    finally:
        assert bus.closed


def test_a_receipt_goes_over_the_bus_in_whole_packets_and_is_confirmed() -> None:
    content = bytes(range(256)) * 200
    bus = Bus(*READY, 64, 16384, 16384, 100000, 100000, [0x10, 0, 0, 0, 0])
    assert send(bus, content).confirmed == "completed"
    assert bytes(bus.kept) == b"\x10\x04\x01\x10\x04\x04\x1da\x00" + content + b"\x1dr\x01"
    assert bus.made == (0x04B8, 0x0202, 0x82, 0x01)
    other = Bus(8)
    assert send(other, b"hello", f"{USB}?in=81&out=03&status=no").confirmed == "spooled"
    assert other.made[2:] == (0x81, 0x03)


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ((STALL,), Temporary, "no answer to a status request"),
        ((3, STALL), Temporary, "no answer to a status request"),
        ((3, GONE), Temporary, "no connection .No such device"),
        ((3, [GOOD], 3, [PAPER_END]), Temporary, "out of paper"),
        ((3, [OFFLINE], 3, [GOOD]), Temporary, "offline"),
        ((*READY, STALL), Temporary, "after 0 of 14 bytes .timed out"),
        ((*READY, GONE), Temporary, "after 0 of 14 bytes .No such device"),
        ((*READY, 5, GONE), OutcomeUnknown, "after 5 of 14 bytes .No such device"),
        ((*READY, 5, STALL), OutcomeUnknown, "after 5 of 14 bytes .timed out"),
        ((*READY, 64, STALL), OutcomeUnknown, "did not confirm the end"),
        ((*READY, 64, GONE), OutcomeUnknown, "without confirming the end"),
        ((*READY, 64, [0x0C]), OutcomeUnknown, "the paper ended"),
    ],
)
def test_before_the_first_byte_temporary_and_after_it_unknown(
    script: tuple[Any, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        send(Bus(*script))
    assert type(caught.value) is error and USB in str(caught.value)


def test_a_printer_that_is_not_there_is_temporary_and_named() -> None:
    with pytest.raises(Temporary, match=f"printer {USB}: (it is not plugged in|this machine has no libusb)"):
        connect(USB).send(
            receipt(), title="t"
        )  # the library's own transport, on whatever bus this machine has
    for fault, why in (
        (
            USBError("Access denied (insufficient permissions)", -3, errno.EACCES),
            "no connection .Access denied",
        ),
        (AssertionError("not found"), "it is not plugged in or switched off"),
        (NoBackendError("No backend available"), "this machine has no libusb"),
    ):
        with pytest.raises(Temporary, match=f"printer {USB}: {why}"):
            UsbPrinter(parse_device(USB), transport=Absent(fault)).send(receipt(), title="t")


class Absent:
    """The library's transport when there is no printer: its own error around the cause, or a bus without a library."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def __call__(self, *_: object, **__: object) -> Absent:
        return self

    def open(self) -> None:
        try:
            raise self.fault
        except (AssertionError, USBError):
            raise DeviceNotFoundError("Unable to open USB printer") from None


# --- both


@pytest.mark.parametrize(
    ("text", "path", "options"),
    [
        ("escpos-serial:/dev/ttyUSB0", "/dev/ttyUSB0", {}),
        ("escpos-serial:/dev/ttyUSB0?baud=9600&status=no", "/dev/ttyUSB0", {"baud": "9600", "status": "no"}),
        ("escpos-usb:04b8:0202", "04b8:0202", {}),
        ("escpos-usb:04B8:0E15?in=81&out=3", "04B8:0E15", {"in": "81", "out": "3"}),
    ],
)
def test_devices_as_people_write_them(text: str, path: str, options: dict[str, str]) -> None:
    spec = parse_device(text)
    assert (spec.kind, spec.host, spec.path, spec.options, spec.text) == (
        text.partition(":")[0], "", path, options, text
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["escpos-serial:", "escpos-serial:?baud=9600", "escpos-serial:/dev/x?baud=fast", "escpos-serial:/dev/x?baud=0",
     "escpos-serial:/dev/x?flow=maybe", "escpos-serial:/dev/x?speed=1", "escpos-usb:", "escpos-usb:04b8", "escpos-usb:4b8:0202",
     "escpos-usb:04b8:0202?in=02", "escpos-usb:04b8:02g2", "escpos-usb:04b8:0202?status=perhaps"],
)  # fmt: skip
def test_nonsense_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_device(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(("kind", "module"), [("serial:/dev/x", "serial"), ("usb:04b8:0202", "usb")])
def test_a_missing_library_is_named_by_its_extra(kind: str, module: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None; from orderctl.ports.printers import connect\n"
        f"try: connect('escpos-{kind}')\nexcept Exception as error: print(type(error).__name__, error.render())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == (
        f"ConfigError escpos-{module}: needs orderctl's extra '{module}' (pip install 'orderctl[{module}]')\n"
    )


def test_the_library_leaves_nothing_behind(tmp_path: Path) -> None:
    program = f"from orderctl.ports.printers import connect; connect({USB!r})"
    environment = {k: v for k, v in os.environ.items() if k != "ESCPOS_CAPABILITIES_PICKLE_DIR"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert (ended.stdout, ended.stderr, list(tmp_path.iterdir())) == (b"", b"", [])
