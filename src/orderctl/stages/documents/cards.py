"""Cards for the parcel: the words of buyers and sellers, each card on a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orderctl.assets import FONTS
from orderctl.model.errors import DataError
from orderctl.model.text import Text
from orderctl.stages.documents.characters import irreplaceable
from orderctl.stages.documents.data import PDF, Document, Label, page_size
from orderctl.stages.documents.pages import page_sizes
from orderctl.stages.documents.printing import shown, unprintable
from orderctl.stages.documents.typesetting import compile_pdf, template_text
from orderctl.stages.documents.words import WORDS, Language

_FRAME = """
#import "lib.typ": styled
#import "template.typ": card
#let data = json("data.json")
#let (width, height) = (data.width_mm * 1mm, data.height_mm * 1mm)
#let (margin, foot) = (calc.min(12mm, width / 8), 6mm)
#set document(date: none)
#for d in data.rows {
  page(
    width: width, height: height, margin: (x: margin, top: margin, bottom: margin + foot), footer-descent: 3mm,
    footer: styled(d.lang, text(size: 5.5pt, align(right, d.said))),
    styled(d.lang, card(d, data.words.at(d.lang), width - 2 * margin, height - 2 * margin - foot)),
  )
}
"""


def render_cards(
    labels: Sequence[Label],
    *,
    size: str = "100x150",
    language: Language = "zh",
    template: str | None = None,
    source: str = "card.typ",
    fonts: Path = FONTS,
    name: str = "cards.pdf",
) -> Document:
    """Set every card of every parcel, in order, each beginning on a new page; parcels without cards have none.

    A page names its parcel in small type, so that the card finds it.

    Args: as for `render_packing_slips`.

    Raises:
        DataError: there is no card, or one has letters the fonts lack; names the shipment.
        ConfigError: the template is wrong; names file and line.
    """
    width_mm, height_mm = page_size(size)
    for row, field, characters in find_unprintable_cards(labels, fonts=fonts):
        why = Text("the fonts lack {characters} in {field}", characters=characters, field=field)
        raise unprintable(labels[row], why)
    rows = [
        {
            "lang": label["language"] or language,
            "said": " ".join(str(part) for part in (label["sequence"], label["shipment_id"]) if part),
            "copy": label["copy"],
            "lines": shown(lines, fonts),
        }
        for label in labels
        for lines in label["cards"]
    ]
    if not rows:
        raise DataError(Text("there is nothing to print"))
    data = {"words": WORDS, "width_mm": width_mm, "height_mm": height_mm, "rows": rows}
    text = template_text("card") if template is None else template
    content = compile_pdf(_FRAME, text, data, source=source, fonts=fonts)
    return Document(name, content, PDF, width_mm, height_mm, len(page_sizes(content)))


def find_unprintable_cards(labels: Sequence[Label], *, fonts: Path = FONTS) -> list[tuple[int, str, str]]:
    """Give (row, field, characters) wherever a card has letters the fonts lack: it would be spoiled."""
    found = []
    for row, label in enumerate(labels):
        for number, lines in enumerate(label["cards"]):
            if lacking := irreplaceable("".join(lines), fonts):
                found.append((row, f"cards.{number}", "".join(sorted(lacking))))
    return found
