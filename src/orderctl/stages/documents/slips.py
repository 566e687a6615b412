"""Packing slips and pick lists: documents of as many pages as they need, numbered within each slip or list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orderctl.assets import FONTS
from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.stages.documents.data import PDF, Document, Label, natural, page_size
from orderctl.stages.documents.pages import page_sizes
from orderctl.stages.documents.printing import check_printable, shown
from orderctl.stages.documents.symbols import code128
from orderctl.stages.documents.typesetting import compile_pdf, template_text
from orderctl.stages.documents.words import WORDS, Language, courier_name

MAX_BARCODE = 20
Stops = Callable[[str, Iterable[str]], Mapping[str, int]]
"""From a warehouse and the shelves of one walk to their order; what is not named comes last."""

_FRAME = """
#import "lib.typ": styled, fill-in
#import "template.typ": {function}
#let data = json("data.json")
#let (width, height) = (data.width_mm * 1mm, data.height_mm * 1mm)
#let margin = if width < 120mm {{ 3mm }} else {{ 9mm }}
#let foot(d) = context {{
  let ends = query(<end>).filter(end => end.location().page() >= here().page())
  let last = if ends.len() > 0 {{ counter(page).at(ends.first().location()).first() }} else {{ 0 }}
  let pages = fill-in(data.words.at(d.lang).page, i: counter(page).get().first(), n: last)
  text(size: 7pt, grid(columns: (1fr, auto), d.said, pages))
}}
#set document(date: none)
#for d in data.rows {{
  page(width: width, height: height, margin: (x: margin, top: margin, bottom: margin + 5mm), footer-descent: 1.5mm, footer: styled(d.lang, foot(d)), styled(d.lang, {{
    counter(page).update(1)
    {call}
    [#metadata(none) <end>]
  }}))
}}
"""


def render_packing_slips(
    labels: Sequence[Label],
    *,
    size: str = "a5",
    language: Language = "zh",
    template: str | None = None,
    source: str = "packing_slip.typ",
    fonts: Path = FONTS,
    name: str = "packing-slips.pdf",
) -> Document:
    """Set one packing slip for each label (a parcel), in order, each beginning on a new page.

    Args:
        labels: what `to_label` gave, at least one. A supplied label gets its slip as any other.
        size: paper; narrow paper has its own table.
        language: of the printed words of labels that have none of their own.
        template: text of a seller's template, or the shipped one.
        source: how messages call that template.
        fonts: folder of fonts and `characters.txt`.
        name: of the document.

    Raises:
        DataError: a name or code has characters the fonts lack; names the shipment.
        ConfigError: the template is wrong; names file and line.
    """
    width_mm, height_mm = page_size(size)
    side_mm = width_mm - 6 if width_mm < 120 else 66.0
    plain: list[Label] = [{**label, "supplied": None} for label in labels]
    check_printable(plain, fonts)
    rows = []
    for label in plain:
        own = label["language"] or language
        texts = shown({**label, "courier": courier_name(label["courier"], own)}, fonts)
        short = 0 < len(label["number"]) <= MAX_BARCODE
        barcode = code128(label["number"], width_mm=side_mm, height_mm=9) if short else None
        rows.append(
            {**texts, "lang": own, "barcode": barcode, "said": f"{label['shipment_id']}  {label['number']}"}
        )
    frame = _FRAME.format(function="slip", call="slip(d, data.words.at(d.lang), width)")
    text = template_text("packing_slip") if template is None else template
    return _document(frame, text, rows, (width_mm, height_mm), source, fonts, name)


def render_picklist(
    labels: Sequence[Label],
    *,
    size: str = "a4",
    language: Language = "zh",
    template: str | None = None,
    source: str = "picklist.typ",
    fonts: Path = FONTS,
    name: str = "picklist.pdf",
    stops: Stops | None = None,
) -> Document:
    """Set the pick list of these parcels: equal goods added up, in the order of the walk, one list for each warehouse and wave.

    Args and Raises as for `render_packing_slips`, and `stops` as for `to_picks`.
    """
    rows = []
    for pick in to_picks(labels, stops):
        _check_picks(pick, labels, fonts)
        said = " ".join(part for part in (pick["warehouse"], pick["wave"]) if part)
        rows.append({**shown({**pick, "said": said}, fonts), "lang": language})
    frame = _FRAME.format(function="picklist", call="picklist(d, data.words.at(d.lang))")
    text = template_text("picklist") if template is None else template
    return _document(frame, text, rows, page_size(size), source, fonts, name)


def to_picks(labels: Sequence[Label], stops: Stops | None = None) -> list[dict[str, Any]]:
    """Add up the goods of parcels by warehouse, wave and SKU.

    Args:
        stops: tells the order in which the shelves of a walk are passed; without it their natural one.

    Returns:
        One dict for each warehouse and wave: `warehouse, wave, wall, rows, shipments, pieces`; a row is an item with
        `positions`, a list of `sequence` (text: the slot of the sorting wall if there is one, `wall` says so, else the
        place in the run) and `quantity`, and `spans`, the same with runs of places that get equally many drawn together.
    """
    picks: dict[tuple[str, str], dict[str, Any]] = {}
    shipments: dict[tuple[str, str], set[str]] = {}
    for place, label in enumerate(labels, 1):
        walk = (label["warehouse"], label["wave"])
        pick = picks.setdefault(
            walk, {"warehouse": walk[0], "wave": walk[1], "rows": {}, "pieces": 0, "wall": False}
        )
        pick["wall"] = pick["wall"] or bool(label["position"])
        shipments.setdefault(walk, set()).add(label["shipment_id"])
        sequence = label["position"] or str(place if label["sequence"] is None else label["sequence"])
        for item in label["items"]:
            key = (item["sku"] or item["title"], "" if item["sku"] else item["spec"], item["gift"])
            row = pick["rows"].setdefault(key, {**item, "quantity": 0, "positions": {}})
            row["quantity"] += item["quantity"]
            row["positions"][sequence] = row["positions"].get(sequence, 0) + item["quantity"]
            pick["pieces"] += item["quantity"]
    for walk, pick in picks.items():
        pick["shipments"] = len(shipments[walk])
        passed = stops(walk[0], {r["location"] for r in pick["rows"].values()} - {""}) if stops else {}
        pick["rows"] = sorted(
            pick["rows"].values(),
            key=lambda r: (
                passed.get(r["location"], len(passed) + 1),
                natural(r["location"]),
                natural(r["sku"]),
                r["title"],
            ),
        )
        for row in pick["rows"]:
            told = sorted(row["positions"].items(), key=lambda pair: natural(pair[0]))
            row["positions"] = [{"sequence": sequence, "quantity": quantity} for sequence, quantity in told]
            row["spans"] = [
                {"sequence": f"{first}–{last}" if first != last else first, "quantity": quantity}
                for first, last, quantity in _spans(told)
            ]
    return [picks[walk] for walk in sorted(picks, key=lambda walk: (natural(walk[0]), natural(walk[1])))]


def _spans(told: Sequence[tuple[str, int]]) -> Iterator[tuple[str, str, int]]:
    """Draw three or more places in a row together that get equally many: (first, last, quantity)."""
    at = 0
    while at < len(told):
        first, quantity = told[at]
        end = at + 1
        while (
            end < len(told)
            and told[end][1] == quantity
            and first.isdecimal()
            and told[end][0] == str(int(first) + end - at)
        ):
            end += 1
        if end - at >= 3:
            yield first, told[end - 1][0], quantity
        else:
            yield from ((sequence, sequence, quantity) for sequence, _ in told[at:end])
        at = end


def _check_picks(pick: Mapping[str, Any], labels: Sequence[Label], fonts: Path) -> None:
    """Only SKUs matter here: nobody's name is on a pick list."""
    walk = (pick["warehouse"], pick["wave"])
    empty = {"name": "", "phone": "", "address": "", "postcode": "", "country": ""}
    nameless = [
        {**label, "recipient": empty, "supplied": None}
        for label in labels
        if (label["warehouse"], label["wave"]) == walk
    ]
    check_printable(nameless, fonts)  # type: ignore[arg-type]


def _document(
    frame: str,
    template: str,
    rows: list[dict[str, Any]],
    size: tuple[float, float],
    source: str,
    fonts: Path,
    name: str,
) -> Document:
    if not rows:
        raise DataError(Text("there is nothing to print"))
    width_mm, height_mm = size
    data = {
        "words": WORDS,
        "width_mm": width_mm,
        "height_mm": height_mm,
        "rows": rows,
    }
    content = compile_pdf(frame, template, data, source=source, fonts=fonts)
    return Document(name, content, PDF, width_mm, height_mm, len(page_sizes(content)))
