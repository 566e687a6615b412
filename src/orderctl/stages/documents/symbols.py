"""Code 128 and QR as drawings whose bars fall on printer dots, and as rows of modules.

At 203 dpi a dot is 0.125 mm. Bars are separate rectangles, each 0.1 dot narrower on both sides, because some
renderers blacken every dot a filled path touches and two-dot bars then no longer scan; QR cells are not shrunk,
gaps between them do the same harm. Both measured with three renderers and two decoders.
"""

from __future__ import annotations

from typing import TypedDict

import zxingcpp

from orderctl.model.errors import DataError
from orderctl.model.text import Text

DOT_MM = 0.125
QUIET_MODULES = {"code128": 10, "qr": 4}


class Symbol(TypedDict):
    """One barcode as SVG text, its size with quiet zones in mm, and the printed dots of a module."""

    svg: str
    width_mm: float
    height_mm: float
    dots: int


def code128(text: str, *, width_mm: float, height_mm: float) -> Symbol:
    """Draw `text` as Code 128 in at most `width_mm` with quiet zones: 3 dots a module, 2 if it must.

    Raises:
        DataError: the text is empty, not ASCII, or too long for the width.
    """
    bars = code128_modules(text)
    quiet = QUIET_MODULES["code128"]
    modules = len(bars) + 2 * quiet
    for dots in (3, 2):
        if modules * dots * DOT_MM <= width_mm:
            break
    else:
        raise DataError(
            Text("number {number} is too long for a barcode of {width} mm", number=text, width=width_mm)
        )
    height = round(height_mm / DOT_MM)
    rects = "".join(
        f'<rect x="{(quiet + start) * dots + 0.1:g}" y="0" width="{length * dots - 0.2:g}" height="{height}"/>'
        for start, length in _runs(bars)
    )
    return _symbol(rects, modules * dots, height, dots)


def qr(text: str, *, side_mm: float) -> Symbol:
    """Draw `text` as QR level M in at most `side_mm` with quiet zone: 4 dots a module, 3 if it must.

    Raises:
        DataError: the text does not fit.
    """
    rows = qr_modules(text)
    quiet = QUIET_MODULES["qr"]
    modules = len(rows) + 2 * quiet
    for dots in (4, 3):
        if modules * dots * DOT_MM <= side_mm:
            break
    else:
        raise DataError(
            Text("a QR code of {count} characters does not fit in {side} mm", count=len(text), side=side_mm)
        )
    rects = "".join(
        f'<rect x="{(quiet + start) * dots}" y="{(quiet + y) * dots}" width="{length * dots}" height="{dots}"/>'
        for y, row in enumerate(rows)
        for start, length in _runs(row)
    )
    return _symbol(rects, modules * dots, modules * dots, dots)


def code128_modules(text: str) -> list[bool]:
    """Give the modules of the shortest Code 128 of `text`, true for black, without quiet zones."""
    if not text or not text.isascii() or not text.isprintable():
        raise DataError(Text("{number} cannot be written as Code 128", number=text))
    return _modules(text, zxingcpp.BarcodeFormat.Code128)[0]


def qr_modules(text: str) -> list[list[bool]]:
    """Give the rows of the QR symbol of `text`, level M, true for black, without quiet zone."""
    try:
        return _modules(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    except ValueError:
        raise DataError(Text("{count} characters are too many for a QR code", count=len(text))) from None


def _modules(text: str, kind: zxingcpp.BarcodeFormat, **options: str) -> list[list[bool]]:
    image = zxingcpp.create_barcode(text, kind, **options).to_image(scale=1, add_quiet_zones=False)
    height, width = image.shape
    flat = memoryview(image).tobytes()  # type: ignore[arg-type]  # its types do not tell that it is a buffer
    return [[value < 128 for value in flat[y * width : (y + 1) * width]] for y in range(height)]


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Give start and length of every run of black modules."""
    runs: list[tuple[int, int]] = []
    for x, black in enumerate(row):
        if black and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif black:
            runs.append((x, 1))
    return runs


def _symbol(rects: str, width: int, height: int, dots: int) -> Symbol:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return Symbol(svg=f"{head}{rects}</svg>", width_mm=width * DOT_MM, height_mm=height * DOT_MM, dots=dots)
