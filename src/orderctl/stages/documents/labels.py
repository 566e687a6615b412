"""Waybill labels: one PDF, one page for each label, in the order of the list.

Our own labels are set from the template; supplied ones are placed on a page of exactly their size, unscaled. A
seller's template that makes more or fewer pages than labels is refused, so page i always is label i.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, UnidentifiedImageError

from orderctl.assets import FONTS
from orderctl.model.errors import ConfigError, DataError
from orderctl.model.text import Text
from orderctl.stages.documents.characters import irreplaceable, printable
from orderctl.stages.documents.data import PDF, Document, Label, Supplied, page_size
from orderctl.stages.documents.symbols import code128, qr
from orderctl.stages.documents.typesetting import NoRoom, compile_pdf, count_pages, template_text
from orderctl.stages.documents.words import WORDS, Language, courier_name

MM_PER_POINT = 25.4 / 72
TOLERANCE_MM = 1.0
_STRICT = ("number", "sort_code", "package_centre", "destination")

_MAIN = """
#import "lib.typ": styled
#import "template.typ": label
#let data = json("data.json")
#set document(date: none)
#show: styled.with(data.lang)
#for d in data.labels {
  let (width, height) = (d.width_mm * 1mm, d.height_mm * 1mm)
  page(width: width, height: height, margin: 0mm, {
    if d.file != none { image(d.file, width: width, height: height, fit: "stretch", scaling: "pixelated") }
    else { label(d, data.words, width, height) }
  })
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
        size: of our own labels; supplied ones keep theirs.
        language: of the printed words.
        template: text of a seller's template, or the shipped one.
        source: how messages call that template.
        fonts: folder of fonts and `characters.txt`.
        name: of the document.

    Raises:
        DataError: a label cannot be printed; names its shipment and why. `find_unprintable` tells all beforehand.
        ConfigError: the template is wrong; names file and line.
    """
    if not labels:
        raise DataError(Text("there is no label to print"))
    files: dict[str, bytes] = {}
    pages = [_page(label, row, page_size(size), language, fonts, files) for row, label in enumerate(labels)]
    data = {"lang": language, "words": WORDS[language], "labels": pages}
    try:
        content = compile_pdf(
            _MAIN, template_text("label") if template is None else template, data, source=source, fonts=fonts, files=files
        )
    except NoRoom as full:
        raise _unprintable(labels[full.row], Text("its {field} does not fit on the label", field=full.field)) from None
    if count_pages(content) != len(labels):
        raise ConfigError(
            Text(
                "{source}: the template makes {pages} pages of {labels} labels",
                source=source, pages=count_pages(content), labels=len(labels),
            )
        )  # fmt: skip
    sizes = {(page["width_mm"], page["height_mm"]) for page in pages}
    width_mm, height_mm = sizes.pop() if len(sizes) == 1 else (None, None)
    return Document(name, content, PDF, width_mm, height_mm, len(labels))


def label_size(label: Label, size: str) -> tuple[float, float]:
    """Give width and height in mm of the page a label needs, so that labels can be grouped by paper."""
    return page_size(size) if label["supplied"] is None else _supplied_size(label, label["supplied"])


def find_unprintable(labels: Sequence[Label], *, fonts: Path = FONTS) -> list[tuple[int, str, str]]:
    """Give (row, field, characters) wherever a name, address or code has characters the fonts lack."""
    found = []
    for row, label in enumerate(labels):
        fields = {key: str(label[key]) for key in _STRICT}  # type: ignore[literal-required]
        fields |= {f"recipient.{key}": str(value) for key, value in label["recipient"].items()}
        fields |= {f"items.{i}.sku": item["sku"] for i, item in enumerate(label["items"])}
        fields |= {f"orders.{i}": ref for i, ref in enumerate(label["orders"])}
        for field, text in fields.items() if label["supplied"] is None else ():
            if lacking := irreplaceable(text, fonts):
                found.append((row, field, "".join(sorted(lacking))))
    return found


def check_printable(labels: Sequence[Label], fonts: Path) -> None:
    """Raise DataError naming shipment, field and characters at the first text that would print wrongly."""
    for row, field, characters in find_unprintable(labels, fonts=fonts):
        raise _unprintable(
            labels[row], Text("the fonts lack {characters} in {field}", characters=characters, field=field)
        )


def shown(value: Any, fonts: Path) -> Any:
    """Give `value` with every text inside made printable; bytes are left out."""
    if isinstance(value, str):
        return printable(value, fonts)
    if isinstance(value, Mapping):
        return {key: shown(part, fonts) for key, part in value.items() if not isinstance(part, bytes)}
    if isinstance(value, list):
        return [shown(part, fonts) for part in value]
    return value


def _page(
    label: Label, row: int, size: tuple[float, float], language: Language, fonts: Path, files: dict[str, bytes]
) -> dict[str, Any]:
    """Give the template's data of one label; a supplied one puts its bytes into `files`."""
    if (supplied := label["supplied"]) is not None:
        width_mm, height_mm = _supplied_size(label, supplied)
        file = f"supplied-{row}.{'pdf' if supplied['media_type'] == PDF else 'png'}"
        files[file] = supplied["content"]
        return {"file": file, "width_mm": width_mm, "height_mm": height_mm}
    check_printable([label], fonts)
    width_mm, height_mm = size
    wide = width_mm > 90
    try:
        barcode = code128(label["number"], width_mm=width_mm - 4, height_mm=13.5 if wide else 11.5)
        qr_code = qr(label["qr"], side_mm=32 if wide else 25) if label["qr"] else None
    except DataError as error:
        raise _unprintable(label, error.text) from None
    drawn = {
        "file": None, "row": row, "width_mm": width_mm, "height_mm": height_mm, "barcode": barcode, "qr_code": qr_code,
    }  # fmt: skip
    texts = shown({**label, "courier": courier_name(label["courier"], language)}, fonts)
    return {**texts, **drawn}


def _supplied_size(label: Label, supplied: Supplied) -> tuple[float, float]:
    """Give the size in mm at which a supplied label is printed at 100 %, checked against what it says of itself."""
    width_mm, height_mm = supplied["width_mm"], supplied["height_mm"]
    try:
        own = _pdf_size(supplied["content"]) if supplied["media_type"] == PDF else _png_size(supplied["content"])
    except (pypdfium2.PdfiumError, UnidentifiedImageError, OSError):
        raise _unprintable(label, Text("its supplied label is no readable {kind}", kind=supplied["media_type"])) from None
    if own is None:
        raise _unprintable(label, Text("its supplied label has more than one page"))
    if width_mm is None or height_mm is None:
        if supplied["media_type"] != PDF:
            raise _unprintable(label, Text("its supplied picture comes without a size in mm"))
        return round(own[0], 1), round(own[1], 1)
    stretched = own[0] / own[1] * height_mm / width_mm
    if supplied["media_type"] == PDF:
        fits = abs(own[0] - width_mm) <= TOLERANCE_MM and abs(own[1] - height_mm) <= TOLERANCE_MM
    else:
        fits = abs(stretched - 1) <= 0.02
    if not fits:
        said = Text("{width} x {height} mm", width=f"{width_mm:g}", height=f"{height_mm:g}")
        raise _unprintable(label, Text("its supplied label would have to be scaled to {size}", size=said))
    return float(width_mm), float(height_mm)


def _pdf_size(content: bytes) -> tuple[float, float] | None:
    """Give the page's size in mm; null when there is not exactly one page."""
    document = pypdfium2.PdfDocument(content)
    try:
        if len(document) != 1:
            return None
        width, height = document[0].get_size()
        return width * MM_PER_POINT, height * MM_PER_POINT
    finally:
        document.close()


def _png_size(content: bytes) -> tuple[float, float]:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        return float(picture.width), float(picture.height)


def _unprintable(label: Label, why: Text) -> DataError:
    return DataError(Text("shipment {shipment}, parcel {parcel}: {why}", shipment=label["shipment_id"], parcel=label["parcel"], why=why))
