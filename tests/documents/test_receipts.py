"""Receipts: the bytes, read back by a small reader of our own, say what the label says."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orderctl.assets import FONTS
from orderctl.model.errors import ConfigError, DataError
from orderctl.stages.documents import Label, render_receipt, render_receipt_preview
from orderctl.stages.documents.escpos import Barcode, Cut, Line, Qr, columns, encode, wrap


@dataclass
class Paper:
    """What a printer would have done with the bytes."""

    lines: list[str] = field(default_factory=list)
    barcodes: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    pictures: list[Image.Image] = field(default_factory=list)
    cuts: int = 0
    chinese: bool = False


def read(stream: bytes) -> Paper:
    """Read ESC/POS bytes by the command tables; an unknown command is an error."""
    paper, at, text, stored = Paper(), 0, b"", b""
    while at < len(stream):
        two, arguments = stream[at : at + 2], stream[at + 2 :]
        if two == b"\x1b@":
            at += 2
        elif two in (b"\x1c&", b"\x1c."):
            paper.chinese = two == b"\x1c&"
            at += 2
        elif two in (b"\x1ba", b"\x1bE", b"\x1d!", b"\x1c!", b"\x1dh", b"\x1dw", b"\x1dH"):
            at += 3
        elif two == b"\x1dV":
            assert arguments[0] == 0x42
            paper.cuts += 1
            at += 4
        elif two == b"\x1dk":
            assert arguments[0] == 73
            paper.barcodes.append(code128_text(arguments[2 : 2 + arguments[1]]))
            at += 4 + arguments[1]
        elif two == b"\x1d(":
            size = arguments[1] + 256 * arguments[2]
            body = arguments[3 : 3 + size]
            assert arguments[0:1] == b"k" and body[0:1] == b"1"
            if body[1:2] == b"P":
                stored = body[3:]
            elif body[1:2] == b"Q":
                paper.codes.append(stored.decode())
            at += 5 + size
        elif stream[at : at + 3] == b"\x1dv0":
            across, rows = arguments[2] + 256 * arguments[3], arguments[4] + 256 * arguments[5]
            bits = bytes(~b & 0xFF for b in arguments[6 : 6 + across * rows])
            paper.pictures.append(Image.frombytes("1", (across * 8, rows), bits))
            at += 8 + across * rows
        elif stream[at : at + 1] == b"\n":
            assert paper.chinese or text.isascii()
            paper.lines.append(text.decode("gbk"))
            text, at = b"", at + 1
        else:
            assert stream[at] >= 0x20, f"unknown command {stream[at : at + 4]!r}"
            text, at = text + stream[at : at + 1], at + 1
    return paper


def code128_text(data: bytes) -> str:
    """Read the data of GS k: sets B and C."""
    text, at, current = "", 0, ""
    while at < len(data):
        if data[at : at + 1] == b"{" and data[at + 1 : at + 2] in (b"B", b"C"):
            current, at = chr(data[at + 1]), at + 2
        elif data[at : at + 2] == b"{{":
            text, at = text + "{", at + 2
        elif current == "C":
            text, at = f"{text}{data[at]:02d}", at + 1
        else:
            assert current == "B"
            text, at = text + chr(data[at]), at + 1
    return text


@pytest.mark.parametrize("paper_mm", [58, 80])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_receipt_says_everything_within_the_paper(
    paper_mm: int, language: Any, make: Callable[..., Label]
) -> None:
    label = make(sequence=12, total=140, collect_minor=12800, mask=False, locations={"CUP-BLUE-001": "A-1"})
    document = render_receipt([label, label], paper_mm=paper_mm, language=language)
    paper = read(document.content)
    width = 32 if paper_mm == 58 else 48
    assert all(columns(line) <= width for line in paper.lines)
    said = "".join(paper.lines).replace(" ", "")
    for word in (
        "样例旗舰店",
        "12/140",
        "2000000000000000001",
        "样例收件人",
        "13800000001",
        "A-1CUP-BLUE-001",
        "x2",
        "￥128.00",
    ):
        assert word in said
    assert "样例路1号3号楼201室" in said
    assert paper.barcodes == ["SF0000000000001"] * 2 and paper.codes == ["demo-qr-content"] * 2
    assert paper.cuts == document.pages == 2 and not paper.pictures
    assert (document.media_type, document.width_mm) == ("application/vnd.escpos", None)


def test_rare_characters_go_out_as_a_picture_of_their_line_only(make: Callable[..., Label]) -> None:
    paper = read(render_receipt([make(mask=False, recipient={"name": "㐂样例"})]).content)
    assert len(paper.pictures) == 1 and paper.pictures[0].width == 576
    assert "㐂" not in "".join(paper.lines) and "样例旗舰店" in "".join(paper.lines)
    assert paper.pictures[0].getcolors() is not None and len(paper.pictures[0].getcolors() or []) == 2


def test_a_receipt_of_pictures_is_the_preview_dot_for_dot_and_scans(make: Callable[..., Label]) -> None:
    label = make(sequence=3)
    paper = read(render_receipt([label], raster=True).content)
    assert not paper.lines and paper.cuts == 1
    whole = Image.new("1", (576, sum(p.height for p in paper.pictures)), 1)
    top = 0
    for picture in paper.pictures:
        whole.paste(picture, (0, top))
        top += picture.height
    preview = Image.open(io.BytesIO(render_receipt_preview([label])))
    assert whole.tobytes() == preview.crop((0, 0, 576, whole.height)).tobytes()
    assert {b.text for b in zxingcpp.read_barcodes(whole.convert("L"))} == {
        "SF0000000000001",
        "demo-qr-content",
    }
    assert all(p.height <= 128 for p in paper.pictures)


def test_a_number_too_long_for_the_paper_becomes_a_qr_code(make: Callable[..., Label]) -> None:
    label = make("JDVC00000000004-1-1-", parcel={"qr": None})
    narrow, wide = (read(render_receipt([label], paper_mm=width).content) for width in (58, 80))
    assert narrow.codes == ["JDVC00000000004-1-1-"] and not narrow.barcodes
    assert wide.barcodes == ["JDVC00000000004-1-1-"] and not wide.codes


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=24))
def test_any_number_survives_the_barcode_command(text: str) -> None:
    assert read(encode([Barcode(text)], paper_mm=80, fonts=FONTS, raster=False)).barcodes == [text]


@given(st.text("样例a1 ，é¥{", max_size=30))
def test_any_line_survives_as_text(text: str) -> None:
    paper = read(encode([Line(text), Cut()], paper_mm=80, fonts=FONTS, raster=False))
    assert paper.lines == [text.replace("¥", "￥")]


@given(st.text("样例 abc,，1-", max_size=80), st.integers(8, 48))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_the_commands_are_those_of_a_known_library() -> None:
    from escpos.printer import Dummy

    logging.getLogger("escpos").setLevel(logging.CRITICAL)
    theirs = Dummy()
    theirs.qr("demo-qr-content", native=True, size=6, ec=1)
    ours = encode([Qr("demo-qr-content")], paper_mm=80, fonts=FONTS, raster=False)
    for command in (
        b"\x1d(k\x04\x001A2\x00",
        b"\x1d(k\x03\x001C\x06",
        b"\x1d(k\x12\x001P0demo-qr-content",
        b"\x1d(k\x03\x001Q0",
    ):
        assert command in theirs.output and command in ours
    theirs = Dummy()
    theirs.barcode("{BSF0{C" + "\x00" * 6, "CODE128", function_type="B", check=False)
    assert b"\x1dkI\x0d{BSF0{C" + b"\x00" * 6 in theirs.output
    assert b"\x1dkI\x0d{BSF0{C" + b"\x00" * 6 in encode(
        [Barcode("SF0000000000000")], paper_mm=80, fonts=FONTS, raster=False
    )


def test_wrong_paper_and_names_the_font_lacks_are_named(make: Callable[..., Label]) -> None:
    with pytest.raises(ConfigError, match="58 or 80 mm wide, not 57"):
        render_receipt([make()], paper_mm=57)
    with pytest.raises(DataError, match="s-SF0000000000001, parcel 1: the fonts lack"):
        render_receipt([make(mask=False, recipient={"name": "샘플"})])
    with pytest.raises(DataError, match="nothing to print"):
        render_receipt([])
