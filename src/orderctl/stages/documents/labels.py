"""Waybill labels: one PDF, one page for each label, in the order of the list.

Our own labels are set from the template, each on its own paper or the run's; supplied ones are placed on a page of
exactly their size, unscaled. A seller's template that makes more or fewer pages than labels is refused, so page i
always is label i.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from orderctl.assets import FONTS
from orderctl.model.errors import ConfigError, DataError
from orderctl.model.text import Text
from orderctl.stages.documents.data import PDF, Document, Label, Supplied, page_size
from orderctl.stages.documents.pages import page_sizes
from orderctl.stages.documents.printing import check_printable, shown, unprintable
from orderctl.stages.documents.symbols import code128, qr
from orderctl.stages.documents.typesetting import NoRoom, compile_pdf, template_text
from orderctl.stages.documents.words import WORDS, Language, courier_name

TOLERANCE_MM = 1.0
TOLERANCE_RATIO = 0.02

_MAIN = """
#import "lib.typ": styled
#import "template.typ": label
#let data = json("data.json")
#set document(date: none)
#for d in data.labels {
  let (width, height) = (d.width_mm * 1mm, d.height_mm * 1mm)
  page(width: width, height: height, margin: 0mm, styled(d.lang, {
    if d.file != none { image(d.file, width: width, height: height, fit: "stretch", scaling: "pixelated") }
    else { label(d, data.words.at(d.lang), width, height) }
  }))
}
"""


def render_labels(
    labels: Sequence[Label],
    *,
    size: str = "76x130",
    language: Language = "zh",
    template: str | None = None,
    source: str = "label.typ",
    fonts: Path = FONTS,
    name: str = "labels.pdf",
) -> Document:
    """Set labels as one PDF, page i being label i.

    Args:
        labels: what `to_label` gave, at least one.
        size: of our own labels that have none of their own; supplied ones keep theirs.
        language: of the printed words of labels that have none of their own.
        template: text of a seller's template, or the shipped one.
        source: how messages call that template.
        fonts: folder of fonts and `characters.txt`.
        name: of the document.

    Raises:
        DataError: a label cannot be printed; names its shipment and why. `find_faults` tells all beforehand.
        ConfigError: the template is wrong; names file and line.
    """
    if not labels:
        raise DataError(Text("there is no label to print"))
    files: dict[str, bytes] = {}
    pages = [_page(label, row, size, language, fonts, files) for row, label in enumerate(labels)]
    try:
        content = _set(pages, files, template, source, fonts)
    except NoRoom as full:
        raise _no_room(labels[full.row], full) from None
    sizes = {(page["width_mm"], page["height_mm"]) for page in pages}
    width_mm, height_mm = sizes.pop() if len(sizes) == 1 else (None, None)
    return Document(name, content, PDF, width_mm, height_mm, len(labels))


def find_faults(
    labels: Sequence[Label],
    *,
    size: str = "76x130",
    language: Language = "zh",
    template: str | None = None,
    source: str = "label.typ",
    fonts: Path = FONTS,
) -> list[tuple[int, Text]]:
    """Give (row, why) of every label `render_labels` would stop at, so that the others can be printed.

    Args and ConfigError as for `render_labels`.
    """
    faults: dict[int, Text] = {}
    files: dict[str, bytes] = {}
    pages: dict[int, dict[str, Any]] = {}
    for row, label in enumerate(labels):
        try:
            pages[row] = _page(label, row, size, language, fonts, files)
        except DataError as error:
            faults[row] = error.text
    while pages:
        try:
            _set(list(pages.values()), files, template, source, fonts)
            break
        except NoRoom as full:
            faults[full.row] = _no_room(labels[full.row], full).text
            del pages[full.row]
    return sorted(faults.items())


def label_size(label: Label, size: str) -> tuple[float, float]:
    """Give width and height in mm of the page a label needs, so that labels can be grouped by paper."""
    if label["supplied"] is not None:
        return _supplied_size(label, label["supplied"])
    return page_size(label["size"] or size)


def _set(
    pages: list[dict[str, Any]],
    files: Mapping[str, bytes],
    template: str | None,
    source: str,
    fonts: Path,
) -> bytes:
    """Give the PDF of these pages; a template that makes another number of pages is wrong."""
    text = template_text("label") if template is None else template
    data = {"words": WORDS, "labels": pages}
    content = compile_pdf(_MAIN, text, data, source=source, fonts=fonts, files=files)
    if (made := len(page_sizes(content))) != len(pages):
        raise ConfigError(
            Text(
                "{source}: the template makes {pages} pages of {labels} labels",
                source=source, pages=made, labels=len(pages),
            )
        )  # fmt: skip
    return content


def _page(
    label: Label,
    row: int,
    size: str,
    language: Language,
    fonts: Path,
    files: dict[str, bytes],
) -> dict[str, Any]:
    """Give the template's data of one label; a supplied one puts its bytes into `files`."""
    width_mm, height_mm = label_size(label, size)
    language = label["language"] or language
    if (supplied := label["supplied"]) is not None:
        file = f"supplied-{row}.{'pdf' if supplied['media_type'] == PDF else 'png'}"
        files[file] = supplied["content"]
        return {"file": file, "lang": language, "width_mm": width_mm, "height_mm": height_mm}
    check_printable([label], fonts)
    wide = width_mm > 90
    try:
        barcode = code128(label["number"], width_mm=width_mm - 4, height_mm=13.5 if wide else 11.5)
        qr_code = qr(label["qr"], side_mm=36 if wide else 29) if label["qr"] else None
    except DataError as error:
        raise unprintable(label, error.text) from None
    drawn = {
        "file": None, "lang": language, "row": row, "width_mm": width_mm, "height_mm": height_mm, "barcode": barcode, "qr_code": qr_code,
    }  # fmt: skip
    texts = shown({**label, "courier": courier_name(label["courier"], language)}, fonts)
    return {**texts, **drawn}


def _supplied_size(label: Label, supplied: Supplied) -> tuple[float, float]:
    """Give the size in mm at which a supplied label is printed at 100 %, checked against what it says of itself."""
    width_mm, height_mm = supplied["width_mm"], supplied["height_mm"]
    is_pdf = supplied["media_type"] == PDF
    try:
        own = page_sizes(supplied["content"]) if is_pdf else [_png_size(supplied["content"])]
    except (DataError, OSError):
        raise unprintable(
            label, Text("its supplied label is no readable {kind}", kind=supplied["media_type"])
        ) from None
    if len(own) != 1:
        raise unprintable(label, Text("its supplied label has {count} pages", count=len(own)))
    own_width, own_height = own[0]
    if width_mm is None or height_mm is None:
        if not is_pdf:
            raise unprintable(label, Text("its supplied picture comes without a size in mm"))
        return round(own_width, 1), round(own_height, 1)
    if is_pdf:
        fits = abs(own_width - width_mm) <= TOLERANCE_MM and abs(own_height - height_mm) <= TOLERANCE_MM
    else:
        fits = abs(own_width / own_height * height_mm / width_mm - 1) <= TOLERANCE_RATIO
    if not fits:
        said = Text("{width} x {height} mm", width=f"{width_mm:g}", height=f"{height_mm:g}")
        raise unprintable(label, Text("its supplied label would have to be scaled to {size}", size=said))
    return (round(own_width, 1), round(own_height, 1)) if is_pdf else (float(width_mm), float(height_mm))


def _png_size(content: bytes) -> tuple[float, float]:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        return float(picture.width), float(picture.height)


def _no_room(label: Label, full: NoRoom) -> DataError:
    return unprintable(label, Text("its {field} does not fit on the label", field=full.field))
