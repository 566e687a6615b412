"""The folder device, the text of a device, and IPP as bytes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import (
    CannotCreate,
    ConfigError,
    OutcomeUnknown,
    OutputFailed,
    Refused,
    Temporary,
    Unauthorized,
)
from orderctl.ports.printers import PRINTERS, connect, load, parse_device
from orderctl.ports.printers.cups import CupsPrinter
from orderctl.ports.printers.file import FilePrinter
from orderctl.ports.printers.ipp import Operation, Tag, encode, one, parse_answer, parse_media


def document(content: bytes = b"%PDF", name: str = "labels.pdf") -> Any:
    """Give a document of one page of 76x130."""
    return SimpleNamespace(
        name=name, content=content, media_type="application/pdf", width_mm=76, height_mm=130, pages=1
    )


# --- file


def test_every_document_is_a_new_complete_file(tmp_path: Path) -> None:
    device = connect(f"file:{tmp_path}/out/")
    paths = [Path(device.send(document(bytes([n])), title="t").detail) for n in range(3)]
    assert [path.name for path in paths] == ["labels.pdf", "labels-2.pdf", "labels-3.pdf"]
    assert [path.read_bytes() for path in paths] == [b"\0", b"\1", b"\2"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    assert (paths[0].stat().st_mode & 0o777) == 0o666 & ~_umask()


def test_a_path_with_an_ending_is_the_file_itself(tmp_path: Path) -> None:
    assert connect(f"file:{tmp_path}/day.pdf").send(document(), title="t").detail == str(tmp_path / "day.pdf")
    assert connect(f"file:{tmp_path}/day.pdf").send(document(), title="t").detail == str(
        tmp_path / "day-2.pdf"
    )


def test_what_became_of_an_interrupted_send_is_found_by_its_bytes(tmp_path: Path) -> None:
    device = connect(f"file:{tmp_path}")
    assert device.lookup(document(b"a"), title="t") is None
    sent = [device.send(document(content), title="t") for content in (b"a", b"b")]
    assert [device.lookup(document(content), title="t") for content in (b"a", b"b", b"c")] == [*sent, None]


def test_two_at_once_never_share_a_name(tmp_path: Path) -> None:
    device = connect(f"file:{tmp_path}")
    threads = [
        threading.Thread(target=device.send, args=(document(bytes([n])),), kwargs={"title": "t"})
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [bytes([n]) for n in range(16)]


def test_a_file_system_without_hard_links_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    device = connect(f"file:{tmp_path}")
    for content in (b"a", b"b"):
        device.send(document(content), title="t")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "labels.pdf": b"a",
        "labels-2.pdf": b"b",
    }


def test_a_folder_that_cannot_be_and_a_full_disk_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(CannotCreate, match="plain"):
        connect(f"file:{tmp_path}/plain").send(document(), title="t")
    program = (
        "import resource, sys, types; from orderctl.ports.printers import connect;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "d = types.SimpleNamespace(name='labels.pdf', content=b'x' * 5000, media_type='application/pdf');"
        "connect(f'file:{sys.argv[1]}').send(d, title='t')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "full")], capture_output=True, text=True, check=False
    )
    assert OutputFailed.__name__ in ended.stderr
    assert list((tmp_path / "full").iterdir()) == []


def test_killed_at_any_moment_a_name_holds_a_whole_document(tmp_path: Path) -> None:
    program = (
        "import os, sys, types; from orderctl.ports.printers import connect;"
        "d = types.SimpleNamespace(name='labels.pdf', content=b'x' * 4000000, media_type='application/pdf');"
        "print('go', flush=True)\nwhile True: connect(f'file:{sys.argv[1]}').send(d, title='t')"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        threading.Event().wait(0.3)
        process.kill()
    files = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    assert files and all(path.stat().st_size == 4_000_000 for path in files)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


# --- the text of a device


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "path", "options"),
    [
        ("file:out/", "file", "", 0, "out/", {}),
        ("file:/a b/c?d#e", "file", "", 0, "/a b/c?d#e", {}),
        ("escpos-file:/dev/usb/lp0", "escpos-file", "", 0, "/dev/usb/lp0", {}),
        ("cups:label", "cups", "localhost", 631, "label", {}),
        ("cups:label?deadline=5", "cups", "localhost", 631, "label", {"deadline": "5"}),
        ("cups://print.example/label", "cups", "print.example", 631, "label", {}),
        (
            "cups://127.0.0.1:6310/printers/l%20x?media=a_1x2mm",
            "cups",
            "127.0.0.1",
            6310,
            "l x",
            {"media": "a_1x2mm"},
        ),
        ("cups://[::1]:631/label", "cups", "::1", 631, "label", {}),
        ("ipp://label.example/ipp/print", "ipp", "label.example", 631, "ipp/print", {}),
        ("escpos://10.0.0.9", "escpos", "10.0.0.9", 9100, "", {}),
        ("escpos://10.0.0.9:9101?status=no", "escpos", "10.0.0.9", 9101, "", {"status": "no"}),
    ],
)
def test_devices_as_people_write_them(
    text: str, kind: str, host: str, port: int, path: str, options: dict[str, str]
) -> None:
    spec = parse_device(text)
    assert (spec.kind, spec.host, spec.port, spec.path, spec.options) == (kind, host, port, path, options)
    assert spec.text == text


@pytest.mark.parametrize(
    "text",
    ["", "file:", "file", "label", "lpr:x", "cups:", "cups://host", "cups://host:no/q", "cups://h/a/b", "escpos://", "ipp:",
     "escpos://h?stat=no", "cups:q?deadline=soon", "cups:q?deadline=-1", "cups://[::1/q", "FILE:x"],
)  # fmt: skip
def test_nonsense_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_device(text)
    assert text in str(caught.value)


def test_every_registered_backend_is_a_printer() -> None:
    for kind, place in PRINTERS.items():
        module, _, name = place.partition(":")
        found = load(kind)
        assert found is getattr(import_module(module), name)
        assert callable(found.send) and callable(found.lookup)
    with pytest.raises(ConfigError, match="unknown device 'x'"):
        load("x")
    assert isinstance(connect("file:x"), FilePrinter)


# --- IPP


def answer(status: int = 0, *groups: tuple[Tag, dict[str, Any]]) -> bytes:
    """Give the bytes of an answer: the same grammar as a request, status in place of the operation."""
    return encode(status, 1, list(groups))  # type: ignore[arg-type]


def test_a_request_is_the_bytes_of_the_standard() -> None:
    sent = encode(
        Operation.GET_JOBS,
        7,
        [(Tag.OPERATION, {"attributes-charset": one(Tag.CHARSET, "utf-8"), "limit": one(Tag.INTEGER, 3)})],
        b"DATA",
    )
    assert sent == (
        b"\x02\x00\x00\x0a\x00\x00\x00\x07\x01\x47\x00\x12attributes-charset\x00\x05utf-8"
        b"\x21\x00\x05limit\x00\x04\x00\x00\x00\x03\x03DATA"
    )  # fmt: skip


def test_every_kind_of_value_is_read_back() -> None:
    size = {"x-dimension": one(Tag.INTEGER, 7600), "y-dimension": one(Tag.RANGE, (1500, 30000))}
    given = {
        "keywords": one(Tag.KEYWORD, "a", "b"), "yes": one(Tag.BOOLEAN, True, False), "state": one(Tag.ENUM, 9),
        "media-col": one(Tag.COLLECTION, {"media-size": one(Tag.COLLECTION, size), "type": one(Tag.KEYWORD, "x", "y")}),
        "after": one(Tag.TEXT, "样例"), "said": one(Tag.TEXT_LANGUAGE, b"\x00\x02zh\x00\x06" + "样例".encode()),
    }  # fmt: skip
    (found,) = parse_answer(answer(0, (Tag.PRINTER, given))).of(Tag.PRINTER)
    assert found == {
        "keywords": ["a", "b"], "yes": [True, False], "state": [9], "after": ["样例"], "said": ["样例"],
        "media-col": [{"media-size": [{"x-dimension": [7600], "y-dimension": [(1500, 30000)]}], "type": ["x", "y"]}],
    }  # fmt: skip


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_are_an_answer_or_a_value_error(noise: bytes, cut: int) -> None:
    whole = answer(
        0, (Tag.JOB, {"job-id": one(Tag.INTEGER, 1), "c": one(Tag.COLLECTION, {"a": one(Tag.KEYWORD, "b")})})
    )
    for content in (noise, whole[:cut], whole[: cut % len(whole)] + noise):
        try:
            parse_answer(content)
        except ValueError:
            continue


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("om_label-76x130_76x130mm", (76, 130)), ("na_index-4x6_4x6in", (101.6, 152.4)), ("custom_min_25x15mm", (25, 15)),
        ("iso_a4_210x297mm", (210, 297)), ("A4", None), ("Custom.76x130mm", (76, 130)),
    ],
)  # fmt: skip
def test_names_of_papers_tell_their_size(name: str, size: Any) -> None:
    assert parse_media(name) == (None if size is None else pytest.approx(size))


# --- what a CUPS answer means


def queue(**more: Any) -> bytes:
    """Give a healthy queue's answer."""
    about = {
        "printer-state": one(Tag.ENUM, 3), "printer-is-accepting-jobs": one(Tag.BOOLEAN, True),
        "printer-state-reasons": one(Tag.KEYWORD, "none"), "media-supported": one(Tag.KEYWORD, "om_x_76x130mm"), **more,
    }  # fmt: skip
    return answer(0, (Tag.PRINTER, about))


def job(state: int, message: str = "", **more: Any) -> bytes:
    """Give a job's answer."""
    about = {
        "job-id": one(Tag.INTEGER, 5),
        "job-state": one(Tag.ENUM, state),
        "job-printer-state-message": one(Tag.TEXT, message),
    }
    return answer(0, (Tag.JOB, {**about, **more}))


class Server:
    """A CUPS of answers: one for each operation; a callable may raise."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"printer": queue(), "print": job(5), "job": job(9), "jobs": answer(), **answers}
        self.asked: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        self.asked.append(content)
        names = {0x0B: "printer", 0x02: "print", 0x09: "job", 0x0A: "jobs"}
        given = self.answers[names[content[3]]]
        if isinstance(given, Exception):
            raise given
        if isinstance(given, int):
            return httpx.Response(given, content=b"<html>")
        return httpx.Response(200, content=given)

    def printer(self) -> CupsPrinter:
        clock = iter(range(0, 100000, 10))
        return CupsPrinter(
            parse_device("cups:label?deadline=30"),
            transport=httpx.MockTransport(self),
            clock=lambda: next(clock),
            sleep=lambda _: None,
        )

    @property
    def printed(self) -> int:
        return sum(content[3] == 2 for content in self.asked)


def test_a_queue_whose_printer_cannot_be_asked_has_only_spooled() -> None:
    for uri in ("usb://X/Y", "socket://10.0.0.1:9100", "dnssd://x"):
        server = Server(printer=queue(**{"device-uri": one(Tag.URI, uri)}))
        assert server.printer().send(document(), title="t").confirmed == "spooled"


def test_what_is_sent_is_the_exact_size_in_order_and_unscaled() -> None:
    server = Server()
    server.printer().send(document(b"%PDF-the-bytes"), title="面单")
    (sent,) = [content for content in server.asked if content[3] == 2]
    assert sent.endswith(b"\x03%PDF-the-bytes")
    said = parse_answer(sent)
    (head,), (asked,) = said.of(Tag.OPERATION), said.of(Tag.JOB)
    assert str(head["job-name"][0]).startswith("面单 #") and head["document-format"] == ["application/pdf"]
    assert asked["media-col"] == [{"media-size": [{"x-dimension": [7600], "y-dimension": [13000]}]}]
    assert asked["print-scaling"] == ["none"] and asked["page-delivery"] == ["same-order-face-up"]
    assert asked["outputorder"] == ["normal"] and asked["copies"] == [1]


def test_bytes_for_a_raw_queue_go_out_raw() -> None:
    server = Server()
    raw = document(b"\x1b@", "receipt.escpos")
    raw.media_type = "application/vnd.escpos"
    server.printer().send(raw, title="t")
    (sent,) = [content for content in server.asked if content[3] == 2]
    assert b"application/vnd.cups-raw" in sent and b"media-col" not in sent


@pytest.mark.parametrize(
    ("answers", "error", "printed"),
    [
        ({"printer": httpx.ConnectError("x")}, Temporary, 0),
        ({"printer": httpx.ReadTimeout("x")}, Temporary, 0),
        ({"printer": b"no ipp"}, Temporary, 0),
        ({"printer": 500}, Temporary, 0),
        ({"printer": 401}, Unauthorized, 0),
        ({"printer": 404}, Refused, 0),
        ({"printer": answer(0x0406)}, Refused, 0),
        ({"printer": queue(**{"printer-state": one(Tag.ENUM, 5)})}, Temporary, 0),
        ({"printer": queue(**{"media-supported": one(Tag.KEYWORD, "om_x_100x150mm")})}, Refused, 0),
        ({"print": httpx.ConnectError("x")}, Temporary, 1),
        ({"print": httpx.ReadTimeout("x")}, OutcomeUnknown, 1),
        ({"print": httpx.WriteError("x")}, OutcomeUnknown, 1),
        ({"print": httpx.RemoteProtocolError("x")}, OutcomeUnknown, 1),
        ({"print": b"cut"}, OutcomeUnknown, 1),
        ({"print": 502}, OutcomeUnknown, 1),
        ({"print": answer(0)}, OutcomeUnknown, 1),
        ({"print": answer(0x0506)}, Temporary, 1),
        ({"print": answer(0x040B)}, Refused, 1),
        ({"print": answer(0x0403)}, Unauthorized, 1),
        ({"job": job(5)}, OutcomeUnknown, 1),
        ({"job": job(9, "Unable to add document to print job.")}, OutcomeUnknown, 1),
        ({"job": job(7, "canceled by user", **{"time-at-processing": one(Tag.INTEGER, 5)})}, OutcomeUnknown, 1),
        ({"job": job(7)}, Refused, 1),
        ({"job": job(8, **{"time-at-processing": one(Tag.INTEGER, 5)})}, OutcomeUnknown, 1),
        ({"job": httpx.ReadTimeout("x")}, OutcomeUnknown, 1),
        ({"job": b"noise"}, OutcomeUnknown, 1),
        ({"job": answer(0x0406)}, OutcomeUnknown, 1),
    ],
)  # fmt: skip
def test_every_fault_gets_the_error_that_says_what_to_do_next(
    answers: dict[str, Any], error: type[Exception], printed: int
) -> None:
    server = Server(**answers)
    with pytest.raises(error) as caught:
        server.printer().send(document(), title="t")
    assert type(caught.value) is error and server.printed == printed
