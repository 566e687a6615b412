"""The file itself: what is made, what is refused, what is found out about tampering."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from orderctl.model.errors import CannotCreate, ConfigError, OutputFailed, Temporary
from orderctl.ports.ledger import Ledger
from tests.ledger.samples import NOW, buy, done, label, opened


def change(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_every_commit_is_durable_and_the_file_is_private(tmp_path: Path) -> None:
    with opened(tmp_path / "deep" / "state") as ledger:
        ledger.note("x", NOW)
        connection = ledger._database._connection
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        files = list((tmp_path / "deep" / "state").iterdir())
        assert {f.name for f in files} == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
        assert {f.stat().st_mode & 0o077 for f in files} == {0}


def test_a_newer_file_is_refused_by_name_and_version(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    change(tmp_path, "PRAGMA user_version = 7")
    with pytest.raises(
        ConfigError, match=r"ledger\.db was written by a newer orderctl \(schema 7, this one knows 4\)"
    ):
        Ledger.open(tmp_path / "ledger.db", run_id="r", host="h")


def test_what_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    change(tmp_path, "CREATE TABLE songs (title TEXT)")
    with pytest.raises(ConfigError, match="database of another program"):
        Ledger.open(tmp_path / "ledger.db", run_id="r", host="h")
    (tmp_path / "text.db").write_text("this is a letter, " * 100)
    with pytest.raises(ConfigError, match="damaged or no ledger"):
        Ledger.open(tmp_path / "text.db", run_id="r", host="h")
    assert (tmp_path / "text.db").read_text().startswith("this is a letter")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotCreate, match="folder"):
        Ledger.open(tmp_path / "folder", run_id="r", host="h")
    with pytest.raises(CannotCreate, match="cannot be opened"):
        Ledger.open(tmp_path / "text.db" / "ledger.db", run_id="r", host="h")


def test_a_full_disk_is_said_and_begins_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        pages = ledger._database._connection.execute("PRAGMA page_count").fetchone()[0]
        ledger._database._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputFailed, match="cannot be written"):
            ledger.begin([label(f"S{i}", "J") for i in range(2000)], NOW)
        assert ledger.entries() == []
        ledger._database._connection.execute("PRAGMA max_page_count = 100000")
        assert len(ledger.begin([label("S1", "J")], NOW)) == 1


def test_a_ledger_held_by_another_program_can_be_tried_later(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger._database._connection.execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Temporary, match="held by another program"):
            ledger.note("x", NOW)
        other.close()
        ledger.note("x", NOW)


def test_many_first_runs_at_once_make_one_ledger(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from orderctl.ports.ledger import Ledger; sys.stdin.readline();"
        "l = Ledger.open(pathlib.Path(sys.argv[1]), run_id=sys.argv[2], host='h');"
        "l.note('hello', '2026-11-11T08:00:00Z'); l.close()"
    )
    path = str(tmp_path / "state" / "ledger.db")
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", script, path, f"r{i}"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for i in range(4)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write(b"\n")
        run.stdin.flush()
    assert [run.communicate(timeout=60)[1] for run in runs] == [b""] * 4
    with Ledger.open(Path(path), run_id="r", host="h") as ledger:
        assert sorted(ledger.journal()["run"]) == ["r0", "r1", "r2", "r3"]


TAMPERED = {
    "its lines are not bound": ["DELETE FROM commitment"],
    "nothing of it is live": ["UPDATE effect SET state = 'failed' WHERE key LIKE 'waybill.buy|S1|%'"],
    "more pieces of line o:1 1 are bound": [
        "INSERT INTO shipment (shipment_id, revision, first_at) VALUES ('S9', 1, '')",
        "INSERT INTO commitment VALUES ('o:1', '1', 'sale', 'S9', 5)",
    ],
    "does not tell of every attempt at waybill.buy|S1|sale|1": ["UPDATE effect SET attempts = 2"],
    "does not tell how document.print|S1/1/label|sale|1 came to be": [
        "UPDATE effect SET state = 'unknown' WHERE kind = 'document.print'"
    ],
    "which the ledger does not know": ["DELETE FROM effect WHERE kind = 'document.print'"],
    "events are missing from the journal": [
        "DROP TRIGGER journal_keeps_rows",
        "DELETE FROM journal WHERE seq = 1",
    ],
    "points to nothing in run": ["PRAGMA foreign_keys = OFF", "DELETE FROM run"],
}


@pytest.mark.parametrize(
    ("finding", "statements"), TAMPERED.items(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_tampering_is_found(tmp_path: Path, finding: str, statements: list[str]) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1)), label("S1", "J")], NOW)
        ledger.settle(buy("S1"), done(number="N1"))
        assert ledger.verify() == []
    change(tmp_path, *statements)
    with opened(tmp_path, "r2") as ledger:
        assert any(finding in str(text) for text in ledger.verify()), [str(t) for t in ledger.verify()]


def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for i in range(300):
            ledger.begin([buy(f"S{i}", (f"o:{i}", 1, 1))], NOW)
    path = tmp_path / "ledger.db"
    content = bytearray(path.read_bytes())
    for place in range(4096 * 3, len(content), 4096):
        content[place : place + 1024] = bytes(1024)
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        verify_or_fail(tmp_path)


def verify_or_fail(folder: Path) -> None:
    with opened(folder, "r2") as ledger:
        found = ledger.verify()
        if found:
            raise ConfigError(found[0])
