"""A real CUPS and a real virtual printer: sizes, order and barcodes as they arrive, and every fault told truly."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from orderctl.model.errors import OutcomeUnknown, Refused, Temporary
from orderctl.ports.printers import connect, parse_device
from orderctl.ports.printers.cups import CupsPrinter
from orderctl.stages.documents import Document, Label, check_labels, render_labels, render_picklist, to_label
from orderctl.stages.documents.pages import page_sizes

pytestmark = pytest.mark.cups


def label(number: str) -> Label:
    """Give a label without a person."""
    row = {
        "shipment_id": f"s-{number}", "orders": [{"platform_ref": "R1"}], "courier": "sf", "warehouse": "hz", "wave": "1",
        "lines": [{"order_id": "o", "line_ref": "1", "sku": "CUP", "title": "样例商品", "spec": "", "quantity": 2, "kind": "goods"}],
        "recipient": {"name": "样例收件人", "phone": "13800000001", "country": "CN", "province": "浙江省", "city": "杭州市",
                      "address_lines": ["样例路1号"]},
        "parcels": [{"number": number, "lines": [], "sort_code": "571- H12 09"}],
    }  # fmt: skip
    return to_label(row, sender={"name": "样例旗舰店"})


def batch(count: int, size: str = "76x130", first: int = 1) -> tuple[Document, list[str]]:
    """Give a document of `count` labels and its numbers."""
    numbers = [f"SF{number:013d}" for number in range(first, first + count)]
    return render_labels([label(number) for number in numbers], size=size), numbers


@pytest.fixture(params=["76x130", "100x150"])
def size(request: pytest.FixtureRequest) -> str:
    """Each of the two label sizes."""
    return str(request.param)


def test_thirty_labels_arrive_in_order_at_their_size_and_scan(label_printer: Any, size: str) -> None:
    document, numbers = batch(30, size)
    before = len(label_printer.kept)
    receipt = connect(label_printer.device).send(document, title="orderctl batch")
    assert receipt.confirmed == "completed" and receipt.detail.startswith("job ")
    (arrived,) = label_printer.kept[before:]
    width, height = (float(part) for part in size.split("x"))
    assert all(abs(w - width) < 0.5 and abs(h - height) < 0.5 for w, h in page_sizes(arrived))
    check_labels(replace(document, content=arrived), numbers)


def test_a_printer_of_raster_pages_gets_them_in_order_dot_for_dot(raster_printer: Any, size: str) -> None:
    document, numbers = batch(30, size)
    before = len(raster_printer.kept)
    assert connect(raster_printer.device).send(document, title="orderctl raster").confirmed == "completed"
    (arrived,) = raster_printer.kept[before:]
    pages = list(pwg_pages(arrived))
    width, height = (float(part) for part in size.split("x"))
    assert len(pages) == 30
    for number, page in zip(numbers, pages, strict=True):
        assert abs(page.width / 203 * 25.4 - width) < 0.5 and abs(page.height / 203 * 25.4 - height) < 0.5
        assert number in [found.text for found in zxingcpp.read_barcodes(page)]


def test_a_printer_asked_directly_gets_the_same_bytes(label_printer: Any) -> None:
    document, _ = batch(2)
    before = len(label_printer.kept)
    receipt = connect(label_printer.direct).send(document, title="orderctl direct")
    assert receipt.confirmed == "completed"
    assert label_printer.kept[before:] == [document.content]


def test_a_named_paper_is_used_when_it_is_the_documents(label_printer: Any) -> None:
    document, numbers = batch(2)
    before = len(label_printer.kept)
    name = "custom_76x130mm_76x130mm"
    assert (
        connect(f"{label_printer.device}?media={name}").send(document, title="named").confirmed == "completed"
    )
    (arrived,) = label_printer.kept[before:]
    check_labels(replace(document, content=arrived), numbers)
    with pytest.raises(Refused, match="no paper named nonsense"):
        connect(f"{label_printer.device}?media=nonsense").send(document, title="named")
    with pytest.raises(Refused, match=f"{name} is not 100 x 150 mm"):
        connect(f"{label_printer.device}?media={name}").send(batch(1, "100x150")[0], title="named")


@pytest.mark.parametrize("device", ["device", "direct"])
def test_a_paper_the_printer_does_not_have_is_refused_before_anything_is_sent(
    label_printer: Any, device: str
) -> None:
    before = len(label_printer.kept)
    with pytest.raises(Refused, match="no paper of 210 x 297 mm") as caught:
        connect(getattr(label_printer, device)).send(render_picklist([label("SF1")]), title="list")
    assert caught.value.code == "media"
    mixed = replace(batch(1)[0], width_mm=None, height_mm=None)
    with pytest.raises(Refused, match="pages of several sizes"):
        connect(getattr(label_printer, device)).send(mixed, title="mixed")
    assert len(label_printer.kept) == before


def test_out_of_paper_is_named_and_the_job_ends_when_paper_is_back(label_printer: Any) -> None:
    document, _ = batch(1)
    before = len(label_printer.kept)
    label_printer.fault.write_text("media-empty")
    try:
        with pytest.raises(OutcomeUnknown, match="has not ended \\(out of paper\\)"):
            connect(f"{label_printer.device}?deadline=2").send(document, title="empty")
    finally:
        label_printer.fault.unlink()
    wait(lambda: len(label_printer.kept) == before + 1)
    idle(label_printer)


@pytest.mark.parametrize(("word", "said"), [("media-jam", "paper jam"), ("cover-open", "cover open")])
def test_a_jam_or_an_open_cover_repaired_in_time_is_a_finished_job(
    label_printer: Any, word: str, said: str
) -> None:
    assert said
    label_printer.fault.write_text(word)
    repair = threading.Timer(1.5, label_printer.fault.unlink)
    repair.start()
    try:
        receipt = connect(f"{label_printer.device}?deadline=25").send(batch(1)[0], title="jam")
    finally:
        repair.join()
    assert receipt.confirmed == "completed"


def test_a_printer_known_to_be_empty_gets_no_job(label_printer: Any) -> None:
    """The printer itself says so, because an earlier job still waits for paper."""
    document, _ = batch(1)
    before = len(label_printer.kept)
    label_printer.fault.write_text("media-empty")
    try:
        with pytest.raises(OutcomeUnknown):
            connect(f"{label_printer.device}?deadline=2").send(document, title="first")
        with pytest.raises(Temporary, match="out of paper") as caught:
            connect(label_printer.device).send(document, title="second")
        assert caught.value.code == "media-empty"
    finally:
        label_printer.fault.unlink()
    wait(lambda: len(label_printer.kept) == before + 1)
    idle(label_printer)


def test_a_queue_that_rejects_or_is_stopped_gets_no_job(label_printer: Any) -> None:
    document, _ = batch(1)
    before = len(label_printer.kept)
    label_printer.run("cupsreject", label_printer.queue)
    with pytest.raises(Temporary, match="not accepting jobs"):
        connect(label_printer.device).send(document, title="rejected")
    label_printer.run("cupsaccept", label_printer.queue)
    label_printer.run("cupsdisable", "-r", "changing the roll", label_printer.queue)
    with pytest.raises(Temporary, match="stopped \\(changing the roll\\)"):
        connect(label_printer.device).send(document, title="stopped")
    label_printer.run("cupsenable", label_printer.queue)
    assert len(label_printer.kept) == before
    assert connect(label_printer.device).send(document, title="again").confirmed == "completed"


def test_a_queue_stopped_while_the_job_waits_is_unknown_with_the_reason(label_printer: Any) -> None:
    class StoppedInBetween(CupsPrinter):
        def _submit(self, *given: Any) -> int:
            label_printer.run("cupsdisable", "-r", "lunch", label_printer.queue)
            return super()._submit(*given)

    printer = StoppedInBetween(parse_device(f"{label_printer.device}?deadline=2"))
    before = len(label_printer.kept)
    try:
        with pytest.raises(OutcomeUnknown, match=r"paused|lunch"):
            printer.send(batch(1)[0], title="waiting")
    finally:
        label_printer.run("cupsenable", label_printer.queue)
    wait(lambda: len(label_printer.kept) == before + 1)
    idle(label_printer)


def test_a_canceled_job_that_never_began_is_refused(label_printer: Any) -> None:
    class CanceledAtOnce(CupsPrinter):
        def _submit(self, *given: Any) -> int:
            label_printer.run("cupsdisable", label_printer.queue)
            job = super()._submit(*given)
            label_printer.run("cancel", f"{label_printer.queue}-{job}")
            return job

    before = len(label_printer.kept)
    try:
        with pytest.raises(Refused):
            CanceledAtOnce(parse_device(label_printer.device)).send(batch(1)[0], title="canceled")
    finally:
        label_printer.run("cupsenable", label_printer.queue)
    assert len(label_printer.kept) == before


def test_a_canceled_job_that_began_is_unknown(label_printer: Any) -> None:
    class CanceledLater(CupsPrinter):
        def _submit(self, *given: Any) -> int:
            job = super()._submit(*given)
            time.sleep(1.5)
            label_printer.run("cancel", f"{label_printer.queue}-{job}")
            return job

    label_printer.fault.write_text("media-jam")
    try:
        with pytest.raises(OutcomeUnknown):
            CanceledLater(parse_device(f"{label_printer.device}?deadline=10")).send(
                batch(1)[0], title="canceled"
            )
    finally:
        label_printer.fault.unlink()
    idle(label_printer)


def test_a_printer_that_is_gone_leaves_the_job_unknown_and_a_queue_that_is_not_there_refuses(
    label_printer: Any, free_tcp_port: int
) -> None:
    queue = "gone"
    label_printer.run("lpadmin", "-p", queue, "-E", "-v", label_printer.direct, "-m", "everywhere")
    wait(lambda: connect(f"cups://{label_printer.cups}/{queue}") is not None)
    time.sleep(1)
    label_printer.run("lpadmin", "-p", queue, "-v", f"ipp://localhost:{free_tcp_port}/ipp/print")
    device = f"cups://{label_printer.cups}/{queue}?deadline=2"
    try:
        with pytest.raises(OutcomeUnknown, match=r"unavailable|not responding|may not exist"):
            connect(device).send(batch(1)[0], title="gone")
    finally:
        label_printer.run("cancel", "-a", queue)
        label_printer.run("lpadmin", "-x", queue)
    with pytest.raises(Refused, match="no such queue"):
        connect(device).send(batch(1)[0], title="gone")


def test_a_document_the_printer_refused_is_no_print_though_cups_says_completed(
    printer_maker: Callable[..., Any],
) -> None:
    """The queue's driver still sends what the printer took when the queue was made."""
    printer = printer_maker("stale")
    assert connect(printer.device).send(batch(1)[0], title="before").confirmed == "completed"
    printer.restart("image/pwg-raster")
    before = len(printer.kept)
    with pytest.raises((Refused, OutcomeUnknown)):
        connect(f"{printer.device}?deadline=8").send(batch(1)[0], title="stale")
    assert len(printer.kept) == before


def test_a_server_that_is_gone_is_temporary(free_tcp_port: int) -> None:
    for device in (f"cups://127.0.0.1:{free_tcp_port}/label", f"ipp://127.0.0.1:{free_tcp_port}/ipp/print"):
        with pytest.raises(Temporary, match=f"no connection to 127.0.0.1:{free_tcp_port}"):
            connect(device).send(batch(1)[0], title="gone")


def test_a_job_can_be_looked_up_by_its_title(label_printer: Any) -> None:
    document, _ = batch(1)
    printer = connect(label_printer.device)
    sent = printer.send(document, title="job-4711")
    assert printer.lookup(document, title="job-4711") == sent
    with pytest.raises(OutcomeUnknown):
        printer.lookup(document, title="job-47")


def test_titles_and_sizes_reach_the_printer_as_sent_even_in_chinese(label_printer: Any) -> None:
    assert connect(label_printer.device).send(batch(1)[0], title="面单 1/2").confirmed == "completed"


@pytest.fixture
def free_tcp_port() -> int:
    """A port nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(ready: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.1)


def idle(printer: Any) -> None:
    """Wait until the queue has nothing left to do."""
    wait(lambda: not printer.run("lpstat", "-o", printer.queue).stdout.strip())


def pwg_pages(content: bytes) -> Iterator[Image.Image]:
    """Read PWG raster (PWG 5102.4): pages of run-length coded lines."""
    assert content[:4] == b"RaS2"
    at = 4
    while at < len(content):
        header = content[at : at + 1796]
        at += 1796
        width, height, _, _, bits, per_line = struct.unpack_from(">IIIIII", header, 372)
        rows = b""
        while len(rows) < per_line * height:
            repeat, at = content[at] + 1, at + 1
            line = b""
            unit = max(1, bits // 8)
            while len(line) < per_line:
                count, at = content[at], at + 1
                if count < 128:
                    line += content[at : at + unit] * (count + 1)
                    at += unit
                else:
                    line += content[at : at + unit * (257 - count)]
                    at += unit * (257 - count)
            rows += line * repeat
        if bits == 1:
            yield Image.frombytes(
                "1", (width, height), bytes(~b & 0xFF for b in rows), "raw", "1", per_line
            ).convert("L")
        else:
            picture = Image.frombytes("L", (width, height), rows, "raw", "L", per_line)
            yield picture.point(lambda value: 255 if value >= 128 else 0)


def test_the_reader_of_raster_pages_reads_a_known_page() -> None:
    header = bytearray(1796)
    struct.pack_into(">IIIIII", header, 372, 8, 2, 0, 1, 1, 1)
    (page,) = pwg_pages(b"RaS2" + bytes(header) + b"\x01\x00\xf0")
    assert page.size == (8, 2) and page.tobytes() == (b"\0" * 4 + b"\xff" * 4) * 2
