"""What a finished PDF looks like: its page sizes, its pages as pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]  # ships no types

from orderctl.model.errors import DataError
from orderctl.model.text import Text

_MM_PER_POINT = 25.4 / 72


def page_sizes(pdf: bytes) -> list[tuple[float, float]]:
    """Give width and height in mm of every page. Raises DataError when it is no readable PDF."""
    document = _opened(pdf)
    try:
        return [(page.get_width() * _MM_PER_POINT, page.get_height() * _MM_PER_POINT) for page in document]
    finally:
        document.close()


def draw_pages(pdf: bytes, dpi: int) -> Iterator[tuple[int, int, bytes]]:
    """Give width, height and grey values (0 black, one byte a pixel) of each page."""
    document = _opened(pdf)
    try:
        for page in document:
            bitmap = page.render(scale=dpi / 72, grayscale=True)
            rows = memoryview(bitmap.buffer).cast("B")
            width, stride = bitmap.width, bitmap.stride
            grey = b"".join(bytes(rows[y * stride : y * stride + width]) for y in range(bitmap.height))
            yield width, bitmap.height, grey
    finally:
        document.close()


def _opened(pdf: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        raise DataError(Text("this is no readable PDF")) from None
