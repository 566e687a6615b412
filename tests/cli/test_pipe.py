"""One pipe or seven files, the first time or the third: the same bytes, and the world moves once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import FILES, FINE, LABELS, STEPS, Desk, lines_to_tell, opened, shipped_lines

PIPE = (
    " | tee {0}raw.jsonl | orderctl normalize | tee {0}orders.jsonl | orderctl merge | tee {0}shipments.jsonl"
)
PIPE += " | orderctl route | tee {0}routed.jsonl | orderctl print --device file:out/labels.pdf"
PIPE += " | tee {0}printed.jsonl | orderctl ship | tee {0}shipped.jsonl | orderctl report"
SAME = [*(f"{name}.jsonl" for name in FILES.values()), "out/labels.pdf", "report.txt"]


def by_pipe(desk: Desk, source: str = "orderctl fetch", prefix: str = "") -> bytes:
    """Run everything as one pipe, with a copy of what flows between the commands."""
    ran = desk.shell(source + PIPE.format(prefix))
    assert ran.code in FINE, ran.err
    assert "Traceback" not in ran.err
    return ran.out


def bytes_of(desk: Desk, prefix: str = "") -> dict[str, bytes]:
    return {name: desk.path(name if "/" in name else prefix + name).read_bytes() for name in SAME}


@pytest.fixture(scope="module")
def piped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk where the whole pipe has run once."""
    with opened(tmp_path_factory.mktemp("piped") / "desk") as desk:
        desk.path("report.txt").write_bytes(by_pipe(desk))
        yield desk


def test_files_give_the_bytes_of_the_pipe(piped: Desk, tmp_path: Path) -> None:
    with opened(tmp_path / "desk") as desk:
        desk.steps("fetch", "ship")
        ran = desk.run("report", "shipped.jsonl", "-o", "report.txt")
        assert ran.code in FINE, ran.err
        assert bytes_of(desk) == bytes_of(piped)
        assert shipped_lines(desk.sandbox.books()) == shipped_lines(piped.sandbox.books())


def test_what_the_pipe_did_is_whole(piped: Desk) -> None:
    books = piped.sandbox.books()
    assert Counter(b["kind"] for b in books).keys() == {"ship", "waybill"}
    rows = piped.rows("shipped.jsonl")
    sent = [row for row in rows if row["parcels"][0]["number"]]
    assert len(sent) > 8
    assert {row["issuer"] for row in sent} == {"kuaidi100", "range-la"}
    assert piped.pages() == [p["number"] for row in sent for p in row["parcels"]]
    assert shipped_lines(books) == lines_to_tell(sent)
    assert any(len(row["orders"]) > 1 for row in sent)
    report = piped.path("report.txt").read_text("utf-8")
    assert report.strip()
    assert "测" not in report


@pytest.mark.parametrize("how", ["pipe", "files"])
def test_the_same_raw_records_again_move_nothing(piped: Desk, how: str) -> None:
    before, books = bytes_of(piped), piped.sandbox.books()
    if how == "pipe":
        again = by_pipe(piped, "cat raw.jsonl", "again-")
        piped.path("again-report.txt").write_bytes(again)
    else:
        shutil.copyfile(piped.path("raw.jsonl"), piped.path("again-raw.jsonl"))
        names = [f"again-{FILES[step]}.jsonl" for step in STEPS]
        for step, source, target in zip(STEPS[1:], names, names[1:], strict=False):
            ran = piped.run(step, source, "-o", target, *(LABELS if step == "print" else ()))
            assert ran.code in FINE, ran.err
        piped.run("report", names[-1], "-o", "again-report.txt")
    after = bytes_of(piped, "again-")
    # after `merge` the shipments carry the courier they are bound to by now; from `route` on nothing differs
    assert {name for name in SAME if before[name] != after[name]} <= {"shipments.jsonl"}
    assert piped.sandbox.books() == books
    assert [file.name for file in piped.path("out").glob("[!.]*")] == ["labels.pdf"]


def test_fetching_again_is_harmless(piped: Desk) -> None:
    books, pages = piped.sandbox.books(), piped.pages()
    ran = piped.shell("orderctl fetch --since 2026-11-01T00:00:00Z" + PIPE.format("later-"))
    assert ran.code in FINE, ran.err
    assert Counter(b["kind"] for b in piped.sandbox.books()) == Counter(b["kind"] for b in books)
    assert piped.pages() == pages


def test_an_empty_batch_goes_through_every_command(desk: Desk) -> None:
    ran = desk.shell(": " + PIPE.format(""))
    assert (ran.code, ran.err.count("Traceback")) == (0, 0), ran.err
    assert [desk.path(f"{name}.jsonl").read_bytes() for name in FILES.values()] == [b""] * 6
    assert not desk.path("out").exists()


def test_parquet_and_arrow_between_the_commands_change_nothing(routed: Path, tmp_path: Path) -> None:
    shutil.copytree(routed, tmp_path / "desk")
    with opened(tmp_path / "desk") as desk:
        expected = desk.path("routed.jsonl").read_bytes()
        ran = desk.shell(
            "orderctl normalize raw.jsonl -o o.parquet && orderctl merge o.parquet --format arrow"
            " | orderctl route --format arrow | orderctl route -o twice.jsonl.zst && zstd -dc < twice.jsonl.zst"
            if shutil.which("zstd")
            else "orderctl normalize raw.jsonl -o o.parquet && orderctl merge o.parquet --format arrow"
            " | orderctl route --format arrow | orderctl route"
        )
        assert ran.code in FINE, ran.err
        assert ran.out == expected
