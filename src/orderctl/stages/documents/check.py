"""Look at a finished document the way a scanner does, before it is sent; and draw it for people.

The one invariant: a label document that passes has the right waybill number, readable, on every page.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import zxingcpp
from PIL import Image

from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.stages.documents.data import Document
from orderctl.stages.documents.pages import draw_pages

_DPI = 203
_GAP, _GREY = 12, 160
_THRESHOLD = bytes(0 if value < 128 else 255 for value in range(256))


def check_labels(document: Document, numbers: Sequence[str | None]) -> None:
    """Decode every page at 203 dpi in black and white and compare it with its waybill number.

    Args:
        document: what `render_labels` gave.
        numbers: one for each page; null where the page cannot be judged (a supplied label with no such barcode).

    Raises:
        DataError: a page is missing or does not show its number; names page and number.
    """
    if document.pages != len(numbers):
        raise DataError(
            Text(
                "the document has {pages} pages for {count} waybills",
                pages=document.pages,
                count=len(numbers),
            )
        )
    for page, (number, found) in enumerate(zip(numbers, read_barcodes(document), strict=True), 1):
        if number is not None and number not in found:
            raise DataError(
                Text(
                    "page {page}: the barcode of waybill {number} cannot be read back ({found} found)",
                    page=page, number=number, found=", ".join(found) or Text("nothing"),
                )
            )  # fmt: skip


def read_barcodes(document: Document) -> Iterator[list[str]]:
    """Give the texts of all barcodes of each page, as a 203 dpi thermal printer would show them."""
    for width, height, grey in draw_pages(document.content, _DPI):
        dots = memoryview(grey.translate(_THRESHOLD)).cast("B", (height, width))
        yield [found.text for found in zxingcpp.read_barcodes(dots)]


def render_previews(document: Document, *, dpi: int = 150) -> list[bytes]:
    """Draw every page of a PDF document as PNG."""
    return [_png(page) for page in _pictures(document, dpi)]


def render_sheet(document: Document, *, dpi: int = 150, across: int = 4) -> bytes:
    """Draw all pages of a PDF document as one PNG, side by side on grey, `across` in a row."""
    pages = list(_pictures(document, dpi))
    rows = [pages[start : start + across] for start in range(0, len(pages), across)]
    heights = [max(page.height for page in row) for row in rows]
    width = max(sum(page.width + _GAP for page in row) for row in rows) + _GAP
    sheet = Image.new("L", (width, sum(heights) + _GAP * (len(rows) + 1)), _GREY)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        left = _GAP
        for page in row:
            sheet.paste(page, (left, top))
            left += page.width + _GAP
        top += height + _GAP
    return _png(sheet)


def _pictures(document: Document, dpi: int) -> Iterator[Image.Image]:
    for width, height, grey in draw_pages(document.content, dpi):
        yield Image.frombytes("L", (width, height), grey)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
