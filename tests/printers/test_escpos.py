"""Receipt printers: real listeners on loopback that behave as printers do on bad days."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.ports.printers import connect

GOOD, NEAR_END, PAPER_END, OFFLINE = 0x12, 0x1E, 0x72, 0x1A


def receipt(content: bytes = b"\x1b@hello\n") -> Any:
    """Give a document without a person."""
    return SimpleNamespace(
        name="receipt.escpos",
        content=content,
        media_type="application/vnd.escpos",
        width_mm=None,
        height_mm=None,
        pages=1,
    )


class Printer:
    """One printer: answers DLE EOT and GS r as told, and keeps what it got."""

    def __init__(self, link: socket.socket, kept: bytearray) -> None:
        self.link = link
        self.kept = kept

    def take(self, wanted: bytes) -> None:
        """Read until the bytes end with `wanted`."""
        while not bytes(self.kept).endswith(wanted):
            got = self.link.recv(65536)
            if not got:
                raise ConnectionError
            self.kept += got

    def answer(self, *statuses: int) -> None:
        """Answer the status questions, one byte each."""
        for number, status in zip((b"\x01", b"\x04"), statuses, strict=False):
            self.take(b"\x10\x04" + number)
            self.link.sendall(bytes([status]))

    def reset(self) -> None:
        """Cut the line as a crash does."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()


@contextmanager
def printer(behave: Callable[[Printer], None]) -> Iterator[tuple[str, bytearray]]:
    """Listen, and behave so on the first connection; gives the device and what was received."""
    kept = bytearray()
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            link, _ = server.accept()
            with link:
                link.settimeout(10)
                try:
                    behave(Printer(link, kept))
                    done.wait(10)
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"escpos://127.0.0.1:{server.getsockname()[1]}", kept
        finally:
            done.set()
            thread.join()


def good(it: Printer) -> None:
    """Print everything and say so."""
    it.answer(GOOD, GOOD)
    it.take(b"\x1dr\x01")
    it.link.sendall(b"\x00")


def test_a_printer_that_confirms_the_end_has_printed_unchanged_bytes() -> None:
    with printer(good) as (device, kept):
        document = receipt(b"\x1b@\x1c&" + "样例".encode("gbk") + b"\n" + bytes(range(256)) * 40)
        assert connect(device).send(document, title="t").confirmed == "completed"
    assert bytes(kept) == b"\x10\x04\x01\x10\x04\x04" + b"\x1da\x00" + document.content + b"\x1dr\x01"


def test_paper_near_its_end_prints_and_is_told() -> None:
    def behave(it: Printer) -> None:
        it.answer(GOOD, NEAR_END)
        it.take(b"\x1dr\x01")
        it.link.sendall(b"\x03")

    with printer(behave) as (device, _):
        assert connect(device).send(receipt(), title="t").detail == "paper near end"


@pytest.mark.parametrize(
    ("statuses", "code"),
    [((GOOD, PAPER_END), "media-empty"), ((OFFLINE, GOOD), "offline"), ((OFFLINE, PAPER_END), "media-empty")],
)
def test_no_paper_or_an_open_cover_is_told_before_anything_is_sent(
    statuses: tuple[int, int], code: str
) -> None:
    with printer(lambda it: it.answer(*statuses)) as (device, kept), pytest.raises(Temporary) as caught:
        connect(device).send(receipt(), title="t")
    assert caught.value.code == code and b"hello" not in kept


def test_a_printer_that_never_answers_gets_nothing_unless_told_so() -> None:
    with (
        printer(lambda it: it.take(b"\x04")) as (device, kept),
        pytest.raises(Temporary, match="no answer to a status request") as caught,
    ):
        connect(device).send(receipt(), title="t")
    assert "status=no" in str(caught.value.hint) and b"hello" not in kept
    with printer(lambda it: it.take(b"hello\n")) as (device, kept):
        assert connect(f"{device}?status=no").send(receipt(), title="t").confirmed == "spooled"
    assert bytes(kept) == b"\x1da\x00\x1b@hello\n"


def test_a_refused_connection_and_an_unknown_host_are_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for device in (f"escpos://127.0.0.1:{port}", "escpos://printer.invalid"):
        with pytest.raises(Temporary, match="no connection"):
            connect(device).send(receipt(), title="t")


def test_a_line_cut_before_the_document_is_temporary() -> None:
    def behave(it: Printer) -> None:
        it.take(b"\x10\x04\x01")
        it.reset()

    with printer(behave) as (device, kept), pytest.raises(Temporary):
        connect(device).send(receipt(), title="t")
    assert b"hello" not in kept


def test_a_reset_in_a_large_document_is_unknown() -> None:
    def behave(it: Printer) -> None:
        it.answer(GOOD, GOOD)
        it.kept += it.link.recv(2000)
        it.reset()

    with printer(behave) as (device, _), pytest.raises(OutcomeUnknown, match=r"after [1-9]\d* of \d+ bytes"):
        connect(device).send(receipt(b"x" * 20_000_000), title="t")


def test_a_printer_that_stops_reading_is_unknown_after_the_deadline() -> None:
    with (
        printer(lambda it: it.answer(GOOD, GOOD)) as (device, _),
        pytest.raises(OutcomeUnknown, match="timed out"),
    ):
        connect(f"{device}?deadline=1").send(receipt(b"x" * 20_000_000), title="t")


def test_everything_taken_but_no_confirmation_is_unknown() -> None:
    def silent(it: Printer) -> None:
        it.answer(GOOD, GOOD)
        it.take(b"\x1dr\x01")

    def closing(it: Printer) -> None:
        silent(it)
        it.link.close()

    for behave, said in ((silent, "did not confirm the end"), (closing, "without confirming the end")):
        with printer(behave) as (device, kept), pytest.raises(OutcomeUnknown, match=said):
            connect(f"{device}?deadline=1").send(receipt(), title="t")
        assert b"hello" in kept


def test_paper_that_ends_while_printing_is_unknown() -> None:
    def behave(it: Printer) -> None:
        it.answer(GOOD, GOOD)
        it.take(b"\x1dr\x01")
        it.link.sendall(b"\x0c")

    with printer(behave) as (device, _), pytest.raises(OutcomeUnknown, match="the paper ended"):
        connect(device).send(receipt(), title="t")


def test_unasked_status_bytes_are_no_answer() -> None:
    unasked = b"\x10\x00\x00\x00"  # automatic status: four bytes, of which the last three look like a proof

    def behave(it: Printer) -> None:
        it.link.sendall(unasked)
        it.answer(GOOD, GOOD)
        it.take(b"hello\n")
        it.link.sendall(unasked)
        it.take(b"\x1dr\x01")

    with printer(behave) as (device, _), pytest.raises(OutcomeUnknown, match="did not confirm"):
        connect(f"{device}?deadline=1").send(receipt(), title="t")


def test_only_receipts_are_taken_and_nothing_can_be_looked_up(tmp_path: Path) -> None:
    pdf = receipt()
    pdf.media_type = "application/pdf"
    for device in ("escpos://127.0.0.1:1", f"escpos-file:{tmp_path}"):
        with pytest.raises(Refused, match="takes ESC/POS, not application/pdf"):
            connect(device).send(pdf, title="t")
    with pytest.raises(OutcomeUnknown):
        connect("escpos://127.0.0.1:1").lookup(receipt(), title="t")


def test_a_device_file_gets_the_bytes_and_confirms_nothing_more(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sent = connect(f"escpos-file:{pipe}").send(receipt(), title="t")
        assert (sent.confirmed, os.read(reader, 100)) == ("spooled", b"\x1b@hello\n")
    finally:
        os.close(reader)
    with pytest.raises(Temporary, match="0 of 8 bytes"):  # nobody reads any more
        connect(f"escpos-file:{pipe}").send(receipt(), title="t")
    with pytest.raises(Temporary, match=r"0 of 8 bytes written \(No such file"):
        connect("escpos-file:/dev/orderctl-no-such-printer").send(receipt(), title="t")
    with pytest.raises(Temporary, match="No space left"):
        connect("escpos-file:/dev/full").send(receipt(), title="t")


def test_a_device_file_that_goes_away_in_the_middle_is_unknown(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    leave = threading.Timer(0.3, os.close, (reader,))
    leave.start()
    with pytest.raises(OutcomeUnknown, match=r"[1-9]\d* of 20000000 bytes"):
        connect(f"escpos-file:{pipe}").send(receipt(b"x" * 20_000_000), title="t")
    leave.join()


def test_an_ordinary_path_keeps_receipts_as_files(tmp_path: Path) -> None:
    device = connect(f"escpos-file:{tmp_path}/out/r.escpos")
    assert device.send(receipt(), title="t").detail.endswith("r.escpos")
    assert device.send(receipt(b"two"), title="t").detail.endswith("r-2.escpos")
    assert (tmp_path / "out" / "r.escpos").read_bytes() == b"\x1b@hello\n"
    assert device.lookup(receipt(b"two"), title="t") is not None
    assert device.lookup(receipt(b"three"), title="another") is None
