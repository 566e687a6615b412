"""A real CUPS scheduler and a real virtual IPP printer in a private folder, for tests marked `cups`.

Both run as ordinary processes on loopback and are ended by their process id.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = ("cupsd", "lpadmin", "ippeveprinter", "dbus-daemon")
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

CUPSD = """
Listen 127.0.0.1:{port}
Listen {folder}/run/cups.sock
Browsing No
WebInterface No
DefaultAuthType None
DefaultEncryption Never
ErrorPolicy stop-printer
PreserveJobHistory Yes
IdleExitTimeout 0
MaxLogSize 0
LogLevel info
<Location />
  Order allow,deny
  Allow from 127.0.0.1
</Location>
<Policy default>
  <Limit All>
    Order allow,deny
    Allow from 127.0.0.1
  </Limit>
</Policy>
"""

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/></policy></busconfig>
"""

MARGINS = "".join(f" MEMBER integer media-{side}-margin 0" for side in ("bottom", "left", "right", "top"))

PRINTER = """
ATTR collection media-col-database {sizes}
ATTR collection media-col-default {first}
ATTR collection media-col-ready {ready}
ATTR collection media-size-supported {plain}
ATTR keyword media-supported {names}
ATTR keyword media-default {default}
ATTR keyword media-ready {ready_names}
ATTR keyword output-bin-supported face-up
ATTR keyword output-bin-default face-up
ATTR integer media-bottom-margin-supported 0
ATTR integer media-left-margin-supported 0
ATTR integer media-right-margin-supported 0
ATTR integer media-top-margin-supported 0
ATTR resolution printer-resolution-supported 203dpi
ATTR resolution printer-resolution-default 203dpi
ATTR resolution pwg-raster-document-resolution-supported 203dpi
ATTR keyword pwg-raster-document-type-supported black_1,sgray_8
ATTR keyword pwg-raster-document-sheet-back normal
ATTR keyword print-color-mode-supported bi-level,monochrome
ATTR keyword print-color-mode-default monochrome
ATTR mimeMediaType document-format-supported {formats}
"""

COMMAND = """#!/bin/sh
n=$(ls {kept} | wc -l)
if [ -e {fault} ]; then
  word=$(cat {fault})
  echo "STATE: +$word" >&2
  while [ -e {fault} ]; do sleep 0.1; done
  echo "STATE: -$word" >&2
fi
cp "$1" {kept}/$(printf %04d $n).part
mv {kept}/$(printf %04d $n).part {kept}/$(printf %04d $n)
"""


@dataclass
class VirtualPrinter:
    """One virtual printer and the queue in front of it."""

    queue: str
    device: str
    direct: str
    port: int
    folder: Path
    cups: str
    restart: Callable[[str], None]
    fault: Path = field(init=False)

    def __post_init__(self) -> None:
        self.fault = self.folder / "fault"

    @property
    def kept(self) -> list[bytes]:
        """Give every document the printer received, in order."""
        return [path.read_bytes() for path in sorted((self.folder / "kept").iterdir())]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of CUPS against the private server."""
        return subprocess.run(
            command,
            env={**os.environ, "CUPS_SERVER": self.cups},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture(scope="session")
def cups_programs() -> dict[str, str]:
    """Give the paths of the programs; tests without them were skipped by their marker."""
    return {name: str(shutil.which(name, path=SYSTEM_PATH)) for name in PROGRAMS}


@pytest.fixture(scope="session")
def cups_folder() -> Iterator[Path]:
    """A folder with a short path: it holds sockets. Ordinary users and `lp` must reach it."""
    folder = Path(tempfile.mkdtemp(prefix="oc-cups-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cupsd(cups_programs: dict[str, str], cups_folder: Path) -> Iterator[str]:
    """A running scheduler; gives `host:port`."""
    root, port = cups_folder / "cups", free_port()
    for name in ("etc/ppd", "run/certs", "cache", "spool/tmp", "log"):
        (root / name).mkdir(parents=True)
    user = "lp" if os.geteuid() == 0 else _user()
    files = {
        "ServerRoot": "etc", "StateDir": "run", "CacheDir": "cache", "RequestRoot": "spool", "TempDir": "spool/tmp",
        "ServerKeychain": "etc", "AccessLog": "log/access", "ErrorLog": "log/error", "PageLog": "log/page",
    }  # fmt: skip
    lines = [f"{key} {root / value}" for key, value in files.items()]
    group = "lp" if os.geteuid() == 0 else _group()
    lines += [f"User {user}", f"Group {group}", f"SystemGroup {_group()}", "FileDevice Yes"]
    (root / "files.conf").write_text("\n".join(lines) + "\n")
    (root / "cupsd.conf").write_text(CUPSD.format(port=port, folder=root))
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            shutil.chown(path, "lp", "lp")
    command = [cups_programs["cupsd"], "-c", str(root / "cupsd.conf"), "-s", str(root / "files.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True, timeout=20)
    with running([*command, "-f"], root / "log" / "out"):
        wait_for(lambda: _listens(port), "cupsd")
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def bus(cups_programs: dict[str, str], cups_folder: Path) -> Iterator[str]:
    """A private message bus: the virtual printer wants one even when it announces nothing."""
    path = cups_folder / "bus"
    config = cups_folder / "bus.conf"
    config.write_text(BUS.format(path=path))
    with running(
        [cups_programs["dbus-daemon"], "--nofork", f"--config-file={config}"], cups_folder / "bus.log"
    ):
        wait_for(path.exists, "dbus-daemon")
        yield f"unix:path={path}"


@pytest.fixture(scope="session")
def printer_maker(
    cups_programs: dict[str, str], cups_folder: Path, cupsd: str, bus: str
) -> Iterator[Callable[..., VirtualPrinter]]:
    """A function that starts a virtual printer with its queue: `make(name, formats=...)`."""
    with contextlib.ExitStack() as stack:

        def make(
            name: str, formats: str = "application/pdf,image/pwg-raster,application/octet-stream"
        ) -> VirtualPrinter:
            folder, port = cups_folder / name, free_port()
            for part in ("kept", "spool"):
                (folder / part).mkdir(parents=True)
            started = [cups_programs["ippeveprinter"], "-r", "off", "-n", "localhost", "-p", str(port)]
            started += ["-d", str(folder / "spool"), "-k", "-vv", "-a", str(folder / "printer.conf")]
            started += ["-c", str(folder / "command"), name]
            alive = stack.enter_context(contextlib.ExitStack())

            def start(formats: str) -> None:
                """Start the printer, ending the one that ran before; `formats` are what it takes now."""
                alive.close()
                write_printer(folder, formats)
                alive.enter_context(running(started, folder / "log", {"DBUS_SYSTEM_BUS_ADDRESS": bus}))
                wait_for(lambda: _listens(port), "ippeveprinter")

            start(formats)
            device = f"cups://{cupsd}/{name}"
            made = VirtualPrinter(
                name, device, f"ipp://localhost:{port}/ipp/print", port, folder, cupsd, start
            )
            added = made.run(
                "lpadmin", "-p", name, "-E", "-v", f"ipp://localhost:{port}/ipp/print", "-m", "everywhere"
            )
            assert added.returncode == 0, added.stderr
            ppd = cups_folder / "cups" / "etc" / "ppd" / f"{name}.ppd"
            wait_for(
                lambda: ppd.exists() and "*PageSize" in ppd.read_text(errors="replace"), "the queue's driver"
            )
            return made

        yield make


@pytest.fixture(scope="session")
def label_printer(printer_maker: Callable[..., VirtualPrinter]) -> VirtualPrinter:
    """A label printer that takes PDF."""
    return printer_maker("label")


@pytest.fixture(scope="session")
def raster_printer(printer_maker: Callable[..., VirtualPrinter]) -> VirtualPrinter:
    """A label printer that takes raster pages only, as most do."""
    return printer_maker("raster", formats="image/pwg-raster,application/octet-stream")


def write_printer(folder: Path, formats: str) -> None:
    """Write what the virtual printer says of itself, and the command that keeps what it gets and plays faults."""
    sizes = [(10000, 15000), (7600, 13000)]
    names = "om_label-100x150_100x150mm,om_label-76x130_76x130mm"

    def size(x: int | str, y: int | str, kind: str = "integer") -> str:
        return f"{{ MEMBER collection media-size {{ MEMBER {kind} x-dimension {x} MEMBER {kind} y-dimension {y} }}{MARGINS} }}"

    custom = size("2500-10800", "1500-30000", "rangeOfInteger")
    (folder / "printer.conf").write_text(
        PRINTER.format(
            sizes=",".join([*(size(*s) for s in sizes), custom]),
            first=size(*sizes[0]), ready=",".join(size(*s) for s in sizes),
            plain=",".join(f"{{ MEMBER integer x-dimension {x} MEMBER integer y-dimension {y} }}" for x, y in sizes),
            names=f"{names},custom_min_25x15mm,custom_max_108x300mm", default="om_label-100x150_100x150mm",
            ready_names=names, formats=formats,
        )
    )  # fmt: skip
    command = folder / "command"
    command.write_text(COMMAND.format(kept=folder / "kept", fault=folder / "fault"))
    command.chmod(0o755)


@contextlib.contextmanager
def running(command: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program until the block ends; end it by its own id."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(environment or {})})
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait until something is true, or fail naming it."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what} did not start"
        time.sleep(0.05)


def free_port() -> int:
    """Give a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _group() -> str:
    import grp

    return grp.getgrgid(os.getgid()).gr_name
