"""Garbage in each place where something is read or written: one clear message, the right exit code, no traceback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.desk import FINE, LABELS, Desk, opened

GARBAGE = {
    "folder": (66, "folder: is a directory, not a batch"),
    "missing.jsonl": (66, "missing.jsonl: No such file or directory"),
    "picture.png": (65, "picture.png: is a PNG image, not a batch"),
    "utf16.jsonl": (65, "utf16.jsonl: is UTF-16 text, not a batch"),
    "half.jsonl": (65, "half.jsonl: none of its 1 lines is a record"),
    "prose.txt": (65, "prose.txt: none of its 2 lines is a record"),
    "schema.jsonl": (65, "schema.jsonl: holds records of the unknown schema order/9"),
    "torn.jsonl.gz": (65, "torn.jsonl.gz: breaks off or is damaged after line"),
}
READERS = {
    "normalize": "raw", "merge": "orders", "route": "shipments", "print": "routed", "ship": "routed",
    "report": "routed", "view": "routed", "explain": "routed",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(routed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk as far as `route`, with garbage lying about."""
    folder = tmp_path_factory.mktemp("place") / "desk"
    shutil.copytree(routed, folder)
    with opened(folder) as desk:
        line = desk.path("orders.jsonl").read_bytes().splitlines()[0]
        desk.path("folder").mkdir()
        desk.path("picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40))
        desk.path("utf16.jsonl").write_text('{"schema":"order/1"}\n', "utf-16")
        desk.path("half.jsonl").write_bytes(line[: len(line) // 2])
        desk.path("prose.txt").write_text("nothing\nof ours\n")
        desk.path("schema.jsonl").write_text('{"schema":"order/9","order_id":"a:b:1"}\n')
        ran = desk.run("merge", "orders.jsonl", "-o", "torn.jsonl.gz")
        assert ran.code == 0, ran.err
        desk.path("torn.jsonl.gz").write_bytes(desk.path("torn.jsonl.gz").read_bytes()[:-200])
        yield desk


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("command", ["normalize", "print", "explain"])
def test_garbage_instead_of_a_batch(place: Desk, command: str, garbage: str) -> None:
    before = place.sandbox.books()
    ran = place.run(command, *(("S1",) if command == "explain" else ()), garbage)
    code, words = GARBAGE[garbage]
    assert ran.code == code
    assert ran.out == b""
    assert words in ran.one_message()
    assert place.sandbox.books() == before


@pytest.mark.parametrize("command", ["merge", "route", "ship", "report", "view"])
def test_garbage_on_stdin(place: Desk, command: str) -> None:
    ran = place.run(command, stdin=place.path("picture.png").read_bytes())
    assert (ran.code, ran.out) == (65, b"")
    assert "stdin: is a PNG image" in ran.one_message()


@pytest.mark.parametrize("command", ["merge", "print"])
def test_a_batch_of_another_kind(place: Desk, command: str) -> None:
    ran = place.run(command, "raw.jsonl")
    assert ran.code == 65
    assert "this command takes" in ran.one_message()


def test_half_a_line_at_the_end_is_rejected_and_the_rest_goes_on(place: Desk) -> None:
    place.path("cut.jsonl").write_bytes(place.path("orders.jsonl").read_bytes()[:-300])
    ran = place.run("merge", "cut.jsonl", "--rejects", "rejects.jsonl", "-o", "cut-merged.jsonl")
    assert ran.code == 3
    assert "1 records rejected" in ran.err
    whole = len(place.path("orders.jsonl").read_bytes().splitlines())
    (reject,) = place.rows("rejects.jsonl")
    assert (reject["line"], place.path("rejects.jsonl").stat().st_mode & 0o777) == (whole, 0o600)
    assert sum(len(row["orders"]) for row in place.rows("cut-merged.jsonl")) == whole - 1


@pytest.mark.parametrize(
    ("words", "env", "code", "message"),
    [
        (("route", "shipments.jsonl", "--rules", "typo.yaml"), {}, 78, "typo.yaml:3:27: unknown fact 'wieght_g' (did you mean 'weight_g'?)"),
        (("route", "shipments.jsonl", "--rules", "missing.yaml"), {}, 66, "missing.yaml: No such file or directory"),
        (("route", "shipments.jsonl", "--rules", "folder"), {}, 66, "folder: Is a directory"),
        (("route", "shipments.jsonl", "--rules", "picture.png"), {}, 78, "picture.png: is not UTF-8 text"),
        (("route", "shipments.jsonl", "--rules", "utf16.jsonl"), {}, 78, "utf16.jsonl: is not UTF-8 text"),
        (("merge", "orders.jsonl", "--facts", "picture.png"), {}, 78, "picture.png: is not UTF-8 text"),
        (("merge", "orders.jsonl", "--facts", "prose.txt"), {}, 65, "prose.txt: is no facts/1 file"),
        (("fetch",), {"ORDERCTL_CONFIG": "typo.conf"}, 78, "typo.conf:2:9: unknown field 'platfrom' (did you mean 'platform'?)"),
        (("fetch",), {"ORDERCTL_CONFIG": "missing.conf"}, 66, "missing.conf: No such file or directory"),
        (("fetch",), {"ORDERCTL_CONFIG": "picture.png"}, 78, "picture.png: is not UTF-8 text"),
        (("fetch", "--shop", "nowhere"), {}, 2, "no shop nowhere in the configuration"),
        (("merge", "orders.jsonl", "--state", "prose.txt"), {}, 73, "cannot create the state directory prose.txt"),
        (("merge", "orders.jsonl", "--state", "noledger"), {}, 78, "is damaged or no ledger"),
        (("merge", "orders.jsonl"), {"ORDERCTL_KEY": "short"}, 78, "the key in ORDERCTL_KEY is none"),
        (("merge", "orders.jsonl", "--now", "yesterday"), {}, 2, "give an instant such as"),
        (("merge", "orders.jsonl", "--format", "xml"), {}, 2, "--format xml: give one of jsonl, arrow, parquet"),
        (("merge", "orders.jsonl", "-o", "missing/out.jsonl"), {}, 73, "cannot create missing/out.jsonl"),
        (("merge", "orders.jsonl", "-o", "folder"), {}, 73, "cannot create folder"),
        (("print", "routed.jsonl", "--device", "nowhere"), {}, 78, "no device nowhere in the configuration"),
        (("print", "routed.jsonl", "--device", "fax:1"), {}, 78, "unknown device 'fax:1'"),
        (("print", "routed.jsonl", "--document", "poem"), {}, 2, "unknown document poem"),
        (("explain", "S1", "routed.jsonl"), {}, 65, "has no order or shipment S1"),
        (("ledger", "show", "S1"), {}, 65, "the ledger knows nothing of S1"),
        (("ledger", "resolve", "S1", "--as", "done", "--reason", "seen"), {}, 2, "nothing waits under S1"),
        (("mrege",), {}, 2, "unknown command mrege (did you mean merge?)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)  # fmt: skip
def test_garbage_elsewhere(
    place: Desk, words: tuple[str, ...], env: dict[str, str | None], code: int, message: str
) -> None:
    place.path("typo.yaml").write_text(
        "couriers:\n  - name: light\n    when: { province: 浙江, wieght_g: { lt: 5 } }\n    use: { courier: ZTO }\n"
    )
    place.path("typo.conf").write_text("shops:\n  tb: { platfrom: taobao }\n")
    place.path("noledger").mkdir(exist_ok=True)
    (place.path("noledger") / "ledger.db").write_bytes(b"this is no database " * 300)
    before = place.sandbox.books()
    ran = place.run(*words, env=env)
    assert ran.code == code, ran.err
    assert ran.out == b""
    if code == 78 and message.startswith("typo."):
        assert message in ran.err
    else:
        assert message in ran.one_message()
    assert place.sandbox.books() == before


def test_an_unknown_option_is_named(place: Desk) -> None:
    ran = place.run("merge", "orders.jsonl", "--rejcts", "x")
    assert ran.code == 2
    assert "--rejects" in ran.err


@pytest.mark.parametrize(
    ("secret", "code"), [("${NO_SUCH_VARIABLE}", 78), ("file:nowhere", 78), ("wrong", 77)]
)
def test_a_secret_that_is_missing_or_wrong_stops_its_shop_only(place: Desk, secret: str, code: int) -> None:
    config = yaml.safe_load(place.path("orderctl.yaml").read_text("utf-8"))
    config["shops"]["sf-demo"]["settings"]["token"] = secret
    place.path("secret.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    ran = place.run("fetch", "--since", "2026-11-01T00:00:00Z", env={"ORDERCTL_CONFIG": "secret.yaml"})
    assert ran.code == code, ran.err
    assert {row["shop"] for row in ran.rows} == {"tb-demo", "sf-cny"}
    problem, summary = ran.err.splitlines()
    assert "sf-demo" in problem
    assert summary.endswith("orders from 2 shops")


def test_a_platform_that_is_down_is_temporary(place: Desk) -> None:
    with socket.socket() as nobody:  # bound, never listening: refuses
        nobody.bind(("127.0.0.1", 0))
        text = place.path("orderctl.yaml").read_text("utf-8")
        there = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        place.path("down.yaml").write_text(text.replace(place.url, there), "utf-8")
        ran = place.run("fetch", "--shop", "tb-demo", env={"ORDERCTL_CONFIG": "down.yaml"})
    assert (ran.code, ran.out) == (75, b"")
    assert ran.err.splitlines()[0].endswith("no connection")


# --- outputs that take no more


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.is_char_device(), reason="/dev/full is a Linux device")


@needs_full
@pytest.mark.parametrize(
    "words",
    [
        "merge orders.jsonl", "report routed.jsonl", "view routed.jsonl", "schema order", "config show", "merge --help",
        "--help", "--version", "completion bash", "print routed.jsonl --device file:out --dry-run",
    ],
)  # fmt: skip
def test_a_full_disk_behind_stdout(place: Desk, words: str) -> None:
    with FULL.open("wb") as full:
        ran = place.run(*words.split(), stdout=full)
    assert ran.code == 74
    assert "writing to stdout failed: No space left on device" in ran.one_message()


@needs_full
def test_a_device_as_output_is_written_to_and_stays(place: Desk) -> None:
    ran = place.run("merge", "orders.jsonl", "-o", str(FULL))
    assert ran.code == 74
    assert "No space left on device" in ran.one_message()
    assert FULL.is_char_device()


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 KiB."""
    disk = tmp_path / "tiny"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.getuid() != 0 or mount is None:
        pytest.skip("only root may mount a small disk")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=96k", "none", disk], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("this machine lets nobody mount a disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_leaves_no_half_file(place: Desk, tiny: Path) -> None:
    (tiny / "out.jsonl").write_text("as it was\n")
    (tiny / "ballast").write_bytes(bytes(80 << 10))
    for target in ("out.jsonl", "new.jsonl"):
        ran = place.run("merge", "orders.jsonl", "-o", str(tiny / target))
        assert ran.code == 74
        assert "No space left on device" in ran.one_message()
    assert (tiny / "out.jsonl").read_text() == "as it was\n"
    assert {f.name for f in tiny.iterdir()} == {"out.jsonl", "ballast"}


def test_labels_for_a_full_disk_are_printed_once_there_is_room(
    routed: Path, tmp_path: Path, tiny: Path
) -> None:
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        (tiny / "ballast").write_bytes(bytes(80 << 10))
        full = desk.run("print", "routed.jsonl", "--device", f"file:{tiny}", "-o", "printed.jsonl")
        assert full.code == 74, full.err
        assert "No space left on device" in full.one_message()
        assert list(tiny.glob("*.pdf")) == []
        (tiny / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=4m", tiny], check=True)
        books = desk.sandbox.books()
        room = desk.run("print", "routed.jsonl", "--device", f"file:{tiny}", "-o", "printed.jsonl")
        assert room.code in FINE, room.err
        assert desk.sandbox.books() == books
        assert [f.name for f in tiny.glob("*.pdf")] == ["labels.pdf"]
        assert desk.run("ledger", "pending").code == 0


# --- printers that are not there


def test_a_printer_that_is_not_there_costs_no_second_number(routed: Path, tmp_path: Path) -> None:
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            there = f"cups://127.0.0.1:{nobody.getsockname()[1]}/queue?media=iso_a7_74x105mm"
            ran = desk.run("print", "routed.jsonl", "--device", there, "-o", "printed.jsonl")
        assert ran.code == 75, ran.err
        assert len(ran.err.splitlines()) <= 4  # one line for each job, one summary
        assert "no connection" in ran.err
        assert {
            p["code"] for row in desk.rows("printed.jsonl") for p in row["problems"] if p["stage"] == "print"
        } == {"print_later"}
        nowhere = desk.run(
            "print", "routed.jsonl", "--device", "file:/proc/nowhere/labels.pdf", "-o", "p.jsonl"
        )
        assert nowhere.code == 73, nowhere.err
        assert "/proc/nowhere" in nowhere.one_message()
        bought = [b for b in desk.sandbox.books() if b["kind"] == "waybill"]
        desk.steps("print", "print")
        assert [b for b in desk.sandbox.books() if b["kind"] == "waybill"] == bought
        numbers = [p["number"] for row in desk.rows("printed.jsonl") for p in row["parcels"] if p["number"]]
        assert desk.pages() == numbers


def test_another_printer_never_prints_what_the_first_one_may_have(routed: Path, tmp_path: Path) -> None:
    """An interrupted job is asked after where it was sent, whatever device the next run names, and wherever it is run."""
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        desk.path("out").mkdir()
        process = desk.start("print", "routed.jsonl", *LABELS, "-o", "printed.jsonl")
        while not list(desk.path("out").glob("*.pdf")):  # placed, and the ledger most likely not told yet
            assert process.poll() is None
            time.sleep(0.0005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        ran = desk.run(
            "print", str(desk.path("routed.jsonl")), "--device", "file:labels.pdf", "-o", "printed.jsonl",
            cwd=elsewhere, env={"ORDERCTL_CONFIG": str(desk.path("orderctl.yaml")), "ORDERCTL_STATE": str(desk.path("state"))},
        )  # fmt: skip
        assert ran.code in FINE, ran.err
        assert list(elsewhere.glob("*.pdf")) == []
        assert len(desk.pages()) == len(set(desk.pages())) > 0
