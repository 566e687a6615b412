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
from orderctl.ports.printers.file import LIST, FilePrinter
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
    assert visible(tmp_path / "out") == sorted(paths)
    assert (paths[0].stat().st_mode & 0o777) == 0o666 & ~_umask()


def test_a_path_with_an_ending_is_the_file_itself(tmp_path: Path) -> None:
    assert connect(f"file:{tmp_path}/day.pdf").send(document(), title="t").detail == str(tmp_path / "day.pdf")
    assert connect(f"file:{tmp_path}/day.pdf").send(document(), title="t").detail == str(
        tmp_path / "day-2.pdf"
    )


def test_an_interrupted_send_is_found_by_its_job_whatever_its_bytes(tmp_path: Path) -> None:
    device = connect(f"file:{tmp_path}")
    assert device.lookup(document(b"a"), title="job a") is None
    sent = [device.send(document(c.encode()), title=f"job {c}") for c in "ab"]
    assert [device.lookup(document(b"changed"), title=f"job {c}") for c in "abc"] == [*sent, None]
    (tmp_path / "labels.pdf").unlink()  # a gap in the series
    assert device.lookup(document(b"changed"), title="job b") == sent[1]
    assert device.lookup(document(b"b"), title="job c") is None, (
        "another job's file, though it looks the same"
    )


def test_a_file_that_was_taken_away_was_there(tmp_path: Path) -> None:
    device = connect(f"file:{tmp_path}")
    Path(device.send(document(), title="job a").detail).unlink()
    with pytest.raises(OutcomeUnknown, match="job a' was there or about to be") as caught:
        device.lookup(document(), title="job a")
    assert caught.value.code == "gone"
    assert device.lookup(document(), title="job b") is None


@pytest.mark.parametrize(
    "fault",
    [OSError(95, "Operation not supported"), OSError(28, "No space left on device"), AttributeError()],
)
def test_without_attributes_the_bytes_tell_and_else_the_list(tmp_path: Path, fault: Exception) -> None:
    def fail(*_: object) -> None:
        raise fault

    device = FilePrinter(parse_device(f"file:{tmp_path}"), set_attribute=fail)
    sent = device.send(document(b"a"), title="job a")
    assert device.lookup(document(b"a"), title="job a") == sent
    with pytest.raises(OutcomeUnknown):
        device.lookup(document(b"changed"), title="job a")
    assert device.lookup(document(b"changed"), title="job b") is None


def test_a_list_cut_by_a_crash_loses_no_later_job(tmp_path: Path) -> None:
    (tmp_path / LIST).write_bytes(b'\n"orderctl 2026/lab')
    device = connect(f"file:{tmp_path}")
    Path(device.send(document(), title='a "job"\n样例').detail).unlink()
    with pytest.raises(OutcomeUnknown):
        device.lookup(document(), title='a "job"\n样例')
    assert device.lookup(document(), title="orderctl 2026/lab") is None


def test_a_folder_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(OutcomeUnknown, match="Not a directory"):
        connect(f"file:{tmp_path}/plain").lookup(document(), title="t")


KILLED = """
import os, signal, sys, types
from orderctl.ports.printers import connect
device, seen = connect(f"file:{sys.argv[1]}"), []
def hook(event, arguments):
    if event in ("open", "os.link", "os.remove", "os.setxattr", "os.chmod", "fcntl.flock", "tempfile.mkstemp"):
        seen.append(event)
        if len(seen) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
d = types.SimpleNamespace(name="labels.pdf", content=b"x" * 100000, media_type="application/pdf")
device.send(d, title="warm up")
sys.addaudithook(hook)
device.send(d, title="job")
os.kill(os.getpid(), signal.SIGKILL)  # the last moment: after the file, before anyone was told
"""


def test_killed_at_every_step_the_lookup_never_lets_it_happen_twice(tmp_path: Path) -> None:
    said: list[str] = []
    for step in range(1, 40):
        folder = tmp_path / str(step)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(step)], check=False)
        assert ended.returncode == -9
        there = (folder / "labels-2.pdf").exists()
        device = connect(f"file:{folder}")
        said.append(verdict(device, folder, there=there))
        device.send(document(b"next"), title="next")
        assert not [path for path in folder.iterdir() if path.suffix == ".part"], (
            "a dead run's file is removed"
        )
        if said[-1] == "there" and said[-3:].count("there") == 3:
            break
    order = ["absent", "unknown", "there"]
    assert [answer for answer in order if answer in said] == order
    assert said == sorted(said, key=order.index), "first surely not, then perhaps for an instant, then surely"
    assert said.count("unknown") <= 3, "the list is on disk, the folder synced, two names tried"


def verdict(device: Any, folder: Path, *, there: bool) -> str:
    """Say what `lookup` says, with other bytes than were sent, and check that it stays true if the file is taken."""
    try:
        found = device.lookup(document(b"rows changed since"), title="job")
    except OutcomeUnknown:
        assert not there
        return "unknown"
    assert (found is not None) == there
    if not there:
        return "absent"
    kept = (folder / "labels-2.pdf").rename(folder / "taken")
    with pytest.raises(OutcomeUnknown):
        device.lookup(document(b"x" * 100000), title="job")
    kept.rename(folder / "labels-2.pdf")
    return "there"


def test_a_living_runs_half_written_file_is_left_alone(tmp_path: Path) -> None:
    other = connect(f"file:{tmp_path}")

    def meanwhile(*_: object) -> None:
        (part,) = {path for path in tmp_path.iterdir() if path.suffix == ".part"} - mine
        other.send(document(b"other"), title="other")
        assert part.exists()

    mine = {tmp_path / name for name in (".orderctl-notes.part", ".labels.pdf.part")}
    for path in mine:
        path.write_text("a person's")
    FilePrinter(parse_device(f"file:{tmp_path}"), set_attribute=meanwhile).send(document(b"first"), title="t")
    assert (tmp_path / "labels-2.pdf").read_bytes() == b"first"
    assert set(tmp_path.iterdir()) - set(visible(tmp_path)) == {tmp_path / LIST, *mine}


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
    assert sorted(path.read_bytes() for path in visible(tmp_path)) == [bytes([n]) for n in range(16)]


def test_a_file_system_without_hard_links_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    device = connect(f"file:{tmp_path}")
    for content in (b"a", b"b"):
        device.send(document(content), title="t")
    assert {path.name: path.read_bytes() for path in visible(tmp_path)} == {
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
    files = visible(tmp_path)
    assert files and all(path.stat().st_size == 4_000_000 for path in files)


def visible(folder: Path) -> list[Path]:
    """Give the files a person sees."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


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
