"""Previews: sample parcels that try a template hard, and the command that shows them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from orderctl.model.errors import ConfigError
from orderctl.stages.documents import (
    check_labels,
    find_faults,
    find_unprintable,
    render_labels,
    render_previews,
    render_receipt_preview,
    render_sheet,
    sample_labels,
)
from orderctl.stages.documents.pages import page_sizes


def test_the_samples_are_the_hard_cases_and_all_print() -> None:
    plain, long, many, abroad, collect = labels = sample_labels()
    assert plain["recipient"]["phone"].count("*") > 3, "masked as in daily use"
    assert len(long["recipient"]["address"]) > 50 and {note["kind"] for note in long["notes"]} == {
        "buyer",
        "seller",
    }
    assert len(many["items"]) == 30
    assert abroad["recipient"]["country"] == "US" and not abroad["sort_code"]
    assert collect["collect"] and (collect["parcel"], collect["parcels"]) == (2, 2)
    for size in ("76x130", "100x150"):
        assert find_faults(labels, size=size) == find_unprintable(labels) == []
        check_labels(render_labels(labels, size=size), [label["number"] for label in labels])
    assert {label["size"] for label in sample_labels("100x150")} == {"100x150"}
    assert sample_labels() == labels and len({label["number"] for label in labels}) == 5


def test_a_sheet_shows_every_page_dot_for_dot() -> None:
    document = render_labels(sample_labels(), size="76x130")
    sheet = Image.open(io.BytesIO(render_sheet(document, dpi=100, across=3)))
    pages = [Image.open(io.BytesIO(page)) for page in render_previews(document, dpi=100)]
    width, height = pages[0].size
    for number, page in enumerate(pages):
        left, top = 12 + number % 3 * (width + 12), 12 + number // 3 * (height + 12)
        assert sheet.crop((left, top, left + width, top + height)).tobytes() == page.tobytes()
    assert sheet.size == (3 * width + 4 * 12, 2 * height + 3 * 12)


def run(folder: Path, *words: str, lang: str = "en") -> subprocess.CompletedProcess[str]:
    """Run `orderctl templates` in a folder of its own."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("ORDERCTL_")}
    homes = {"XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder), "ORDERCTL_LANG": lang}
    return subprocess.run(
        [sys.executable, "-m", "orderctl", "templates", *words],
        cwd=folder, env={**known, **homes}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("document", "size"),
    [
        ("label", "100x150"),
        ("packing-slip", "a5"),
        ("picklist", "a4"),
        ("card", "100x150"),
        ("receipt", "58"),
    ],
)
def test_a_document_as_picture_as_it_prints_and_page_by_page(
    document: str, size: str, tmp_path: Path
) -> None:
    printed = "p.escpos" if document == "receipt" else "p.pdf"
    for output in ("p.png", printed, "pages/"):
        ran = run(tmp_path, "preview", "--document", document, "--size", size, "-o", output)
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
        assert f"{document}: " in ran.stderr and f" pages on {size} in {output}" in ran.stderr
    found = sorted((tmp_path / "pages").iterdir())
    for picture in (tmp_path / "p.png", *found):
        with Image.open(picture) as opened:
            assert opened.format == "PNG" and min(opened.size) > 300
    content = (tmp_path / printed).read_bytes()
    if document == "receipt":
        assert content.startswith(b"\x1b@") and len(found) == 5
        assert (tmp_path / "p.png").read_bytes() == render_receipt_preview(sample_labels(), paper_mm=58)
    else:
        assert len(page_sizes(content)) == len(found) > (0 if document in ("picklist", "card") else 4)


def test_a_template_of_ones_own_is_previewed_and_its_errors_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.typ").write_text("#let label(d, words, width, height) = [#words.to #d.number]")
    (tmp_path / "bad.typ").write_text("#let label(d, words, width, height) = {\n  d.nmuber\n}")
    assert (
        run(tmp_path, "preview", "--template", "mine.typ", "--language", "en", "-o", "a.pdf").returncode == 0
    )
    (tmp_path / "orderctl.yaml").write_text(
        "print: {templates: {label: mine.typ}, language: en, size: 100x150}\n"
    )
    assert run(tmp_path, "preview", "--size", "76x130", "-o", "b.pdf").returncode == 0
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    ran = run(tmp_path, "preview", "--template", "bad.typ", "-o", "c.pdf")
    assert ran.returncode == 78 and 'bad.typ:2:5: dictionary does not contain key "nmuber"' in ran.stderr
    assert not (tmp_path / "c.pdf").exists()
    listed = run(tmp_path, "list")
    assert listed.stdout.splitlines()[2].split() == ["label", "100x150", "mine.typ"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-o", "x.jpg"], 2, "not for label"),
        (["--document", "receipt", "-o", "x.pdf"], 2, "not for receipt"),
        (["--document", "poster", "-o", "x.png"], 2, "unknown document poster"),
        (["--document", "receipt", "--size", "76x130", "-o", "x.png"], 2, "give 58 or 80"),
        (["--document", "receipt", "--template", "x.typ", "-o", "x.png"], 2, "no template file"),
        (["--language", "fr", "-o", "x.png"], 2, "give zh or en"),
        (["--size", "tiny", "-o", "x.png"], 78, "unknown paper size"),
        (["--template", "none.typ", "-o", "x.png"], 66, "none.typ"),
        (["-o", "-"], 2, "not for label"),
        ([], 2, "output"),
        (["-o", "plain/x/"], 73, "plain"),
    ],
)
def test_what_cannot_be_previewed_is_said_and_nothing_is_written(
    words: list[str], code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("x")
    ran = run(tmp_path, "preview", *words)
    assert ran.returncode == code and said in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr and [path.name for path in tmp_path.iterdir()] == ["plain"]


def test_the_list_speaks_the_readers_language(tmp_path: Path) -> None:
    english, chinese = (run(tmp_path, "list", lang=lang) for lang in ("en", "zh"))
    assert english.stdout.split()[:3] == ["Document", "Paper", "Template"]
    assert [line.split()[0] for line in english.stdout.splitlines()[2:]] == [
        "label", "packing-slip", "picklist", "card", "receipt"
    ]  # fmt: skip
    assert "单据" in chinese.stdout and "自带" in chinese.stdout


def test_a_sample_on_paper_that_is_none_is_an_error() -> None:
    with pytest.raises(ConfigError):
        render_labels(sample_labels("huge"))
