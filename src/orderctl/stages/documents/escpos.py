"""ESC/POS: lines, barcodes and pictures to the bytes of a thermal printer, and the same as a picture.

Chinese goes out as two-byte GBK in double-byte mode; a line with a character outside GBK goes out as a picture,
because cheap printers print garbage for the four-byte forms. `¥` becomes the two-byte `￥`. Everything is complete
bytes before anything is sent.

Source: Epson ESC/POS command reference; behaviour of cheap printers as measured with python-escpos 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from orderctl.stages.documents.symbols import code128_modules, qr_modules

WIDTH_DOTS = {58: 384, 80: 576}
CELL_DOTS = 12
LINE_DOTS = 30
_BAND_ROWS = 128
_TWO_BYTE = {"¥": "￥"}


@dataclass(frozen=True)
class Line:
    """A line of text. `size` is 1 or 2 times; `align` is 0 left, 1 centre, 2 right."""

    text: str
    align: Literal[0, 1, 2] = 0
    size: Literal[1, 2] = 1
    bold: bool = False


@dataclass(frozen=True)
class Barcode:
    """Code 128, with its text below."""

    text: str


@dataclass(frozen=True)
class Qr:
    """A QR code."""

    text: str


@dataclass(frozen=True)
class Rule:
    """A line across the paper."""


@dataclass(frozen=True)
class Cut:
    """Feed past the knife and cut."""


Part = Line | Barcode | Qr | Rule | Cut


def encode(parts: Sequence[Part], *, paper_mm: int, fonts: Path, raster: bool) -> bytes:
    """Give the bytes for a printer with paper of 58 or 80 mm.

    Args:
        parts: from top to bottom.
        paper_mm: 58 (384 dots) or 80 (576 dots).
        fonts: folder with the fonts, for lines sent as pictures.
        raster: send everything as pictures: slower, but the same on every printer.
    """
    out = [b"\x1b@", b"\x1c&"]
    for part in parts:
        if isinstance(part, Cut):
            out.append(b"\x1dVB\x03")
        elif raster or (isinstance(part, Line) and not _two_byte(part.text)):
            out.append(_bitmap(draw([part], paper_mm=paper_mm, fonts=fonts)))
        else:
            out.append(_native(part, paper_mm))
    out.append(b"\x1c.")
    return b"".join(out)


def draw(parts: Sequence[Part], *, paper_mm: int, fonts: Path) -> Image.Image:
    """Draw the parts as the printer would print them: black and white, one pixel a dot."""
    width = WIDTH_DOTS[paper_mm]
    paper = Image.new("1", (width, sum(_height(part, width) for part in parts) or 1), 1)
    pen = ImageDraw.Draw(paper)
    pen.fontmode = "1"
    top = 0
    for part in parts:
        if isinstance(part, Line):
            _draw_line(pen, part, top, width, fonts)
        elif isinstance(part, Rule):
            pen.rectangle((0, top + 6, width - 1, top + 7), fill=0)
        elif isinstance(part, Cut):
            for x in range(0, width, 16):
                pen.rectangle((x, top + 35, x + 7, top + 35), fill=0)
        else:
            symbol = _symbol(part, width)
            paper.paste(symbol, ((width - symbol.width) // 2, top + 8))
            if isinstance(part, Barcode):
                _draw_line(pen, Line(part.text, align=1), top + symbol.height + 10, width, fonts)
        top += _height(part, width)
    return paper


def columns(text: str) -> int:
    """Give how many half-width columns the text takes: Chinese characters take two."""
    return sum(1 if character.isascii() else 2 for character in text)


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` columns, at a space where there is one."""
    lines, line = [], ""
    for character in text:
        if columns(line + character) > width:
            head, space, tail = line.rpartition(" ")
            breaks = (
                character.isascii()
                and character != " "
                and space
                and head.strip()
                and columns(tail) < width // 2
            )
            lines.append(head if breaks else line)
            line = tail if breaks else ""
        line += character if line or character != " " else ""
    return [*lines, line]


def _two_byte(text: str) -> bool:
    """Tell whether every character has one byte, or two bytes in GBK."""
    try:
        return all(len(c.encode("gbk")) <= 2 for c in _halfway(text))
    except UnicodeEncodeError:
        return False


def _halfway(text: str) -> str:
    return "".join(_TWO_BYTE.get(character, character) for character in text)


def _native(part: Line | Barcode | Qr | Rule, paper_mm: int) -> bytes:
    if isinstance(part, Line):
        look = b"\x1ba%c\x1bE%c\x1d!%c\x1c!%c" % (
            part.align,
            part.bold,
            (part.size - 1) * 0x11,
            (part.size - 1) * 0x0C,
        )
        return look + _halfway(part.text).encode("gbk") + b"\n"
    if isinstance(part, Rule):
        return b"\x1ba\x00\x1bE\x00\x1d!\x00\x1c!\x00" + b"-" * (WIDTH_DOTS[paper_mm] // CELL_DOTS) + b"\n"
    if isinstance(part, Barcode):
        code, _ = _code128(part.text)
        dots = barcode_dots(part.text, WIDTH_DOTS[paper_mm]) or 2
        return b"\x1ba\x01\x1dh\x60\x1dw%c\x1dH\x02\x1dkI%c" % (dots, len(code)) + code + b"\n"
    data = part.text.encode()
    store = b"\x1d(k%c%c1P0" % ((len(data) + 3) % 256, (len(data) + 3) // 256) + data
    module = b"\x1d(k\x03\x001C%c" % _qr_dots(part.text, WIDTH_DOTS[paper_mm])
    return b"\x1ba\x01\x1d(k\x04\x001A2\x00" + module + b"\x1d(k\x03\x001E1" + store + b"\x1d(k\x03\x001Q0\n"


def barcode_dots(text: str, width: int) -> int | None:
    """Give the dots of a module, 3 or 2, at which the barcode fits in `width` dots with quiet zones; null if none."""
    modules = 11 * _code128(text)[1] + 2 + 20
    return next((dots for dots in (3, 2) if modules * dots <= width), None)


def _code128(text: str) -> tuple[bytes, int]:
    """Give the data of GS k and the number of symbols with start, check and stop: set C for digits, B for the rest."""
    data, symbols, current = b"", 3, b""
    for run in re.findall(r"\d{4,}|(?:(?!\d{4}).)+", text):
        odd = len(run) % 2 if run[:4].isdecimal() and len(run) >= 4 else len(run)
        for code, piece in ((b"{B", run[:odd]), (b"{C", run[odd:])):
            if not piece:
                continue
            symbols += (bool(current) and code != current) + (
                len(piece) if code == b"{B" else len(piece) // 2
            )
            data += b"" if code == current else code
            pairs = (int(piece[i : i + 2]) for i in range(0, len(piece), 2))
            data += piece.encode("ascii").replace(b"{", b"{{") if code == b"{B" else bytes(pairs)
            current = code
    return data, symbols


def _qr_dots(text: str, width: int) -> int:
    """Give the dots of a module, at most 6, at which the QR code fits in `width` dots with its quiet zone."""
    return max(3, min(6, width // (len(qr_modules(text)) + 8)))


def _bitmap(picture: Image.Image) -> bytes:
    """Give the picture as GS v 0 bands, because printers buffer few rows; a black dot is a set bit."""
    bands = []
    for top in range(0, picture.height, _BAND_ROWS):
        rows = min(_BAND_ROWS, picture.height - top)
        inverted = bytes(~byte & 0xFF for byte in picture.crop((0, top, picture.width, top + rows)).tobytes())
        across = picture.width // 8
        bands.append(
            b"\x1ba\x00\x1dv0\x00%c%c%c%c" % (across % 256, across // 256, rows % 256, rows // 256) + inverted
        )
    return b"".join(bands)


def _height(part: Part, width: int) -> int:
    if isinstance(part, Line):
        return LINE_DOTS * part.size
    if isinstance(part, Rule):
        return 14
    if isinstance(part, Cut):
        return 72
    return _symbol(part, width).height + (16 if isinstance(part, Qr) else 16 + LINE_DOTS)


def _symbol(part: Barcode | Qr, width: int) -> Image.Image:
    if isinstance(part, Qr):
        dots = _qr_dots(part.text, width)
        rows, scale = qr_modules(part.text), (dots, dots)
    else:
        rows, scale = [code128_modules(part.text)], (barcode_dots(part.text, width) or 2, 96)
    small = Image.new("1", (len(rows[0]), len(rows)), 1)
    small.putdata([0 if black else 1 for row in rows for black in row])
    return small.resize((small.width * scale[0], small.height * scale[1]), Image.Resampling.NEAREST)


def _draw_line(pen: ImageDraw.ImageDraw, line: Line, top: int, width: int, fonts: Path) -> None:
    """Draw text in the printer's columns: Chinese characters in two each, words of other letters within theirs."""
    cell = CELL_DOTS * line.size
    left = (width - columns(line.text) * cell) * line.align // 2
    for run in re.findall(r"[!-~]+|.", line.text):
        taken = columns(run) * cell
        size = 2 * cell - 2 * line.size
        font = _font(fonts, run, size)
        while font.getlength(run) > taken:
            size -= 1
            font = _font(fonts, run, size)
        start = left + (0 if run.isascii() else (taken - int(font.getlength(run))) // 2)
        for shift in range(line.bold * line.size + 1):
            pen.text((start + shift, top + 2 * cell), run, fill=0, font=font, anchor="ls")
        left += taken


def _font(fonts: Path, text: str, size: int) -> ImageFont.FreeTypeFont:
    european = all(0xC0 <= ord(character) <= 0x52F for character in text)
    return _load(fonts / ("NotoSans-Regular.ttf" if european else "NotoSansSC-Regular.ttf"), size)


@cache
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)
