"""Receipts for thermal printers: one for each parcel, cut after each, as complete ESC/POS bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from orderctl.assets import FONTS
from orderctl.model.errors import ConfigError, DataError
from orderctl.model.text import Text
from orderctl.stages.documents.characters import printable
from orderctl.stages.documents.data import ESCPOS, Document, Item, Label
from orderctl.stages.documents.escpos import (
    CELL_DOTS,
    WIDTH_DOTS,
    Barcode,
    Cut,
    Line,
    Part,
    Qr,
    Rule,
    barcode_dots,
    columns,
    draw,
    encode,
    wrap,
)
from orderctl.stages.documents.printing import check_printable
from orderctl.stages.documents.words import WORDS, Language, courier_name


def render_receipt(
    labels: Sequence[Label],
    *,
    paper_mm: int = 80,
    language: Language = "zh",
    raster: bool = False,
    fonts: Path = FONTS,
    name: str = "receipt.escpos",
) -> Document:
    """Give the ESC/POS bytes of one receipt for each label, each cut off.

    Args:
        labels: what `to_label` gave, at least one.
        paper_mm: 58 or 80.
        language: of the printed words.
        raster: send pictures instead of text, for printers without a Chinese font.
        fonts: folder of fonts and `characters.txt`.
        name: of the document.

    Raises:
        DataError: a name or code has characters the fonts lack; names the shipment.
        ConfigError: the paper is neither 58 nor 80 mm.
    """
    parts = _all_parts(labels, paper_mm, language, fonts)
    content = encode(parts, paper_mm=paper_mm, fonts=fonts, raster=raster)
    return Document(name, content, ESCPOS, None, None, len(labels))


def render_receipt_preview(
    labels: Sequence[Label], *, paper_mm: int = 80, language: Language = "zh", fonts: Path = FONTS
) -> bytes:
    """Give a PNG of the receipts as they would come out, one pixel a dot. Args and Raises as `render_receipt`."""
    buffer = io.BytesIO()
    draw(_all_parts(labels, paper_mm, language, fonts), paper_mm=paper_mm, fonts=fonts).save(buffer, "PNG")
    return buffer.getvalue()


def _all_parts(labels: Sequence[Label], paper_mm: int, language: Language, fonts: Path) -> list[Part]:
    if paper_mm not in WIDTH_DOTS:
        raise ConfigError(Text("receipt paper is 58 or 80 mm wide, not {width}", width=paper_mm))
    if not labels:
        raise DataError(Text("there is nothing to print"))
    plain: list[Label] = [{**label, "supplied": None} for label in labels]
    check_printable(plain, fonts)
    width = WIDTH_DOTS[paper_mm] // CELL_DOTS
    return [part for label in plain for part in _receipt(label, width, language, fonts)]


def _receipt(label: Label, width: int, language: Language, fonts: Path) -> list[Part]:
    language = label["language"] or language
    words = WORDS[language]
    parts: list[Part] = [
        Line(text, 1, 2, bold=True) for text in wrap(printable(label["sender"]["name"], fonts), width // 2)
    ]
    parts.append(Line(words["slip"] + (f" {words['copy']}" if label["copy"] else ""), 1))
    parts += [*_position(label, words), Rule()]
    recipient = label["recipient"]
    courier = " ".join(part for part in (courier_name(label["courier"], language), label["service"]) if part)
    place = " ".join(
        part for part in (recipient["address"], recipient["postcode"], recipient["country"]) if part
    )
    facts = (
        ("order", ", ".join(label["orders"])), ("courier", courier), ("waybill", label["number"]),
        ("recipient", f"{recipient['name']} {recipient['phone']}".strip()), ("address", place),
        ("collect", label["collect"]),
    )  # fmt: skip
    for word, value in facts:
        parts += [
            Line(text)
            for text in wrap(f"{words[word]}{words['gap']}{printable(value, fonts)}", width)
            if value
        ]
    parts.append(Rule())
    for item in label["items"]:
        parts += _item(item, words, width, fonts)
    pieces = sum(item["quantity"] for item in label["items"])
    total = f"{words['kinds'].format(n=len(label['items']))}  {words['pieces'].format(n=pieces)}"
    parts += [Rule(), Line(_apart(words["total"], total, width), bold=True)]
    for note in label["notes"]:
        parts += [
            Line(text)
            for text in wrap(f"{words[note['kind']]}{words['gap']}{printable(note['text'], fonts)}", width)
        ]
    fits = not label["number"] or barcode_dots(label["number"], width * CELL_DOTS) is not None
    if label["number"]:
        parts.append(Barcode(label["number"]) if fits else Line(label["number"], 1))
    if scanned := label["qr"] or ("" if fits else label["number"]):
        parts.append(Qr(scanned))
    return [*parts, Cut()]


def _position(label: Label, words: dict[str, str]) -> list[Part]:
    """Give the place in the run, and which parcel of several this is."""
    parts: list[Part] = []
    if label["sequence"] is not None:
        of = "" if label["total"] is None else f" / {label['total']}"
        parts.append(Line(f"{label['sequence']}{of}", 1, 2, bold=True))
    if label["parcels"] > 1:
        parts.append(Line(words["parcel"].format(k=label["parcel"], n=label["parcels"]), 1, bold=True))
    return parts


def _item(item: Item, words: dict[str, str], width: int, fonts: Path) -> list[Part]:
    """Give SKU and quantity on one line, what it is on the next ones."""
    gift = f"[{words['gift']}] " if item["gift"] else ""
    shelf = f"{item['location']} " if item["location"] else ""
    head = printable(f"{gift}{shelf}{item['sku'] or item['title']}", fonts)
    count = f"x{item['quantity']}"
    *above, last = wrap(head, width - columns(count) - 1)
    rest = " ".join(part for part in (item["title"] if item["sku"] else "", item["spec"]) if part)
    told = [Line(f"  {text}") for text in wrap(printable(rest, fonts), width - 2)] if rest else []
    return [*(Line(text, bold=True) for text in above), Line(_apart(last, count, width), bold=True), *told]


def _apart(left: str, right: str, width: int) -> str:
    """Set two texts at both ends of a line."""
    return left + " " * max(1, width - columns(left) - columns(right)) + right
