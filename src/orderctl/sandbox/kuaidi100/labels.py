"""Draws the label picture the aggregator returns: at 203 dpi, one dot one pixel, black or white.

The one invariant: the bars of the number are whole dots (3 per module) with their quiet zone, so the picture scans
when printed at 100 %.
"""

from __future__ import annotations

import io
import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst
import zxingcpp
from PIL import Image

SHEETS = ("76x130", "100x150", "100x180")
"""Width and height in millimetres; the layout is made for the first and enlarged for the others."""
DOTS_PER_MM = 8
MODULE_DOTS = 3
BAR_TOP, BAR_DOTS = 272, 120

PAGE = """
#let d = json(bytes(sys.inputs.label))
#set page(width: d.width * 1mm, height: d.height * 1mm, margin: 0mm)
#set text(font: ("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
  "Droid Sans Fallback", "Libertinus Serif"), size: 9pt, lang: "zh", cjk-latin-spacing: none)
#set par(leading: 0.45em)
#let at(x, y, w, h, body) = place(top + left, dx: x * 1mm, dy: y * 1mm, box(width: w * 1mm, height: h * 1mm,
  clip: true, body))
#let scaled(body) = place(top + left, dx: (d.width - 76 * d.factor) * 0.5mm, scale(d.factor * 100%,
  origin: top + left, box(width: 76mm, height: 130mm, body)))
#let rule(y) = place(top + left, dx: 2mm, dy: y * 1mm, line(length: 72mm, stroke: 0.25mm))
#scaled[
#at(3, 3.5, 40, 8, text(size: 15pt, stroke: 0.4pt, d.courier))
#at(46, 3.5, 27, 7, align(right, text(size: 8pt)[已验视 已实名 \\ #d.service]))
#rule(12)
#at(3, 15, 70, 11, text(size: 25pt, stroke: 0.7pt, d.sort))
#rule(26)
#at(3, 27.5, 70, 5, text(size: 10pt)[集包地 #d.centre])
#rule(32.5)
#at(2, 50, 72, 5, align(center, text(size: 12pt, tracking: 0.6pt, d.number)))
#rule(56)
#at(3, 58, 8, 8, text(size: 17pt, stroke: 0.5pt)[收])
#at(12, 58, 61, 19.5, text(size: if d.address.len() > 120 { 9.5pt } else { 11.5pt }, stroke: 0.2pt)[#d.name #h(3mm) #d.phone \\ #d.address])
#rule(78)
#at(3, 80, 8, 8, text(size: 14pt)[寄])
#at(12, 80, 61, 11, text(size: 8.5pt)[#d.from_name #h(3mm) #d.from_phone \\ #d.from_address])
#rule(92)
#at(3, 94, 70, 10, text(size: 9pt)[内件：#d.cargo])
#rule(106)
#at(3, 108, 70, 10, text(size: 9pt)[#d.remark])
#at(3, 121, 70, 6, text(size: 8pt)[样张 SPECIMEN · 签收人：#h(22mm) 日期：])
]
"""


@lru_cache(maxsize=4)
def fonts_in(folder: Path | None) -> typst.Fonts:
    """Give the fonts of a folder, or those of the system; looking for them costs more than drawing."""
    if folder is None:
        return typst.Fonts()
    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])


def mask_name(name: str) -> str:
    """Hide all but the first character."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def mask_phone(phone: str) -> str:
    """Hide six digits of a mobile number, or all but the last four of anything else."""
    return f"{phone[0]}******{phone[-4:]}" if len(phone) == 11 else "*" * max(len(phone) - 4, 0) + phone[-4:]


def render(body: dict[str, Any], fonts: Path | None) -> bytes:
    """Draw the label of one issued waybill. Gives a PNG of 8 dots a millimetre (76 x 130: 608 x 1040), 1 bit each."""
    width, height = body["_sheet"]
    factor = min(width / 76, height / 130)
    sender, receiver = body["_sender"], body["_receiver"]
    words = {
        "width": width, "height": height, "factor": factor,
        "courier": body["_courier"], "service": body["expressName"] or "标准快递", "sort": body["bulkpen"],
        "centre": body["pkgName"], "number": body["kuaidinum"], "name": mask_name(receiver["name"]),
        "phone": mask_phone(receiver.get("mobile") or receiver.get("tel", "")), "address": receiver["printAddr"],
        "from_name": mask_name(sender["name"]), "from_phone": mask_phone(sender.get("mobile") or sender.get("tel", "")),
        "from_address": sender["printAddr"], "cargo": body["_cargo"], "remark": body["_remark"],
    }  # fmt: skip
    page = typst.compile(
        PAGE.encode(), format="png", ppi=DOTS_PER_MM * 25.4, sys_inputs={"label": json.dumps(words)},
        font_paths=fonts_in(fonts),
    )  # fmt: skip
    picture = (
        Image.open(io.BytesIO(page)).convert("L").crop((0, 0, width * DOTS_PER_MM, height * DOTS_PER_MM))
    )
    bars = bars_of(body["kuaidinum"], picture.width)
    picture.paste(bars, ((picture.width - bars.width) // 2, int(BAR_TOP * factor)))
    out = io.BytesIO()
    picture.point(lambda grey: 255 if grey > 127 else 0).convert("1").save(out, "PNG", dpi=(203.2, 203.2))
    return out.getvalue()


def bars_of(number: str, room: int) -> Image.Image:
    """Draw a number as Code 128, three dots a module, with ten modules of silence on both sides if `room` dots hold them."""
    code = zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.Code128)
    row = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False)).convert("L")
    width = row.width * MODULE_DOTS
    bars = row.crop((0, 0, row.width, 1)).resize((width, BAR_DOTS), Image.Resampling.NEAREST)
    quiet = min(10 * MODULE_DOTS, (room - width) // 2)
    sheet = Image.new("L", (width + 2 * quiet, BAR_DOTS), 255)
    sheet.paste(bars, (quiet, 0))
    return sheet


def stored(path: Path, body: dict[str, Any], fonts: Path | None) -> bytes:
    """Give the picture kept at `path`, drawing it at its first use."""
    if path.exists():
        return path.read_bytes()
    picture = render(body, fonts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as beside:
        beside.write(picture)
    Path(beside.name).replace(path)
    return picture
