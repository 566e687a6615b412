"""What documents are made of, and what they are: `Label` in, `Document` out.

A `Label` says all that any document (label, slip, pick list, receipt) tells of one parcel. Its texts are data
only: cleaned of control characters here, passed to templates as JSON, never read as template code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.money import written
from orderctl.model.text import Text
from orderctl.stages.documents.characters import clean
from orderctl.stages.documents.privacy import is_virtual, mask_address, mask_name, mask_phone
from orderctl.stages.documents.words import Language

PDF = "application/pdf"
ESCPOS = "application/vnd.escpos"
SIZES: dict[str, tuple[float, float]] = {
    "76x130": (76, 130), "100x150": (100, 150), "100x180": (100, 180), "a5": (148, 210), "a4": (210, 297)
}  # fmt: skip
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*x\s*(\d+(?:\.\d+)?)\s*(?:mm)?", re.ASCII)


@dataclass(frozen=True)
class Document:
    """Complete bytes for a device. `width_mm` and `height_mm` are null when its pages differ or it has no pages."""

    name: str
    content: bytes
    media_type: str
    width_mm: float | None
    height_mm: float | None
    pages: int

    @property
    def sha256(self) -> str:
        """Give the SHA-256 of the content in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Party(TypedDict):
    """Who sends or receives, as it shall be shown."""

    name: str
    phone: str
    address: str
    postcode: str
    country: str


class Item(TypedDict):
    """Equal goods of one parcel."""

    sku: str
    title: str
    spec: str
    quantity: int
    gift: bool
    location: str


class Note(TypedDict):
    """A remark of buyer or seller; `kind` is buyer or seller."""

    kind: str
    text: str


class Supplied(TypedDict):
    """A label made elsewhere, printed unchanged; sizes in mm may be null for a PDF, which tells its own."""

    content: bytes
    media_type: str
    width_mm: float | None
    height_mm: float | None


class Label(TypedDict):
    """All that documents tell of one parcel. Missing text is "", missing amounts and bytes are null.

    `size` is the paper of a label of our own, `language` that of its words; both null where the run's serve.
    Supplied labels bring their size.
    """

    shipment_id: str
    number: str
    courier: str
    service: str
    sort_code: str
    package_centre: str
    destination: str
    qr: str
    recipient: Party
    sender: Party
    items: list[Item]
    orders: list[str]
    notes: list[Note]
    cards: list[list[str]]
    collect: str
    insured: str
    weight_g: int | None
    parcel: int
    parcels: int
    sequence: int | None
    total: int | None
    position: str
    wave: str
    warehouse: str
    copy: int
    size: str | None
    language: Language | None
    supplied: Supplied | None


def to_label(
    shipment: Mapping[str, Any],
    parcel_index: int = 0,
    *,
    sender: Mapping[str, Any],
    sequence: int | None = None,
    total: int | None = None,
    position: str = "",
    copy: int = 0,
    mask: bool = True,
    locations: Mapping[str, str] | None = None,
    size: str | None = None,
    language: Language | None = None,
    supplied: bytes | None = None,
) -> Label:
    """Give what documents tell of one parcel of a `shipment/1` row.

    Args:
        shipment: the row as a dict.
        parcel_index: position in `parcels`, from 0.
        sender: `name, phone, address` and optionally `country`.
        sequence: place in the run or wave, shown as `12 / 140`; the shipment's own when not given.
        total: how many the run or wave has.
        position: its slot in the sorting wall of its wave.
        copy: 0 for the first print, n for the n-th reprint, which is marked as a copy.
        mask: hide parts of name, phone and address of recipients in China as the waybill standard asks. Say false
            where the courier was told nothing electronically (a local number range): it could not deliver.
        locations: shelf of each SKU.
        size: paper of this label, where it is not that of the run.
        language: of the words on its documents, where it is not that of the run.
        supplied: the bytes of the parcel's label when its `label.kind` is supplied.

    Raises:
        DataError: the parcel needs a supplied label and no bytes were given.
    """
    parcels = shipment["parcels"]
    parcel = parcels[parcel_index]
    recipient = shipment["recipient"]
    domestic = (recipient.get("country") or "CN") == "CN"
    return Label(
        shipment_id=clean(shipment["shipment_id"]),
        number=clean(parcel.get("number")),
        courier=clean(shipment.get("courier")),
        service=clean(shipment.get("service")),
        sort_code=clean(parcel.get("sort_code")),
        package_centre=clean(parcel.get("package_centre")),
        destination=clean(" ".join(_distinct([recipient.get(k) for k in ("province", "city", "district")]))),
        qr=parcel.get("qr") or "",
        recipient=_recipient(recipient, mask=mask and domestic, domestic=domestic),
        sender=Party(
            name=clean(sender.get("name")),
            phone=clean(sender.get("phone")),
            address=clean(sender.get("address")),
            postcode=clean(sender.get("postcode")),
            country="" if domestic else clean(sender.get("country")),
        ),
        items=_items(shipment, parcel, locations or {}),
        orders=[_order_ref(order) for order in shipment["orders"]],
        notes=_notes(shipment["orders"]),
        cards=[_card(card["text"]) for card in shipment.get("cards") or []],
        collect=_amount(shipment.get("collect_minor"), shipment.get("currency")),
        insured=_amount(shipment.get("insured_minor"), shipment.get("currency")),
        weight_g=parcel.get("weight_g") or (shipment.get("weight_g") if len(parcels) == 1 else None),
        parcel=parcel_index + 1,
        parcels=len(parcels),
        sequence=sequence if sequence is not None else shipment.get("sequence"),
        total=total,
        position=clean(position),
        wave=clean(shipment.get("wave")),
        warehouse=clean(shipment.get("warehouse")),
        copy=copy,
        size=size,
        language=language,
        supplied=_supplied(shipment, parcel, supplied),
    )


def page_size(size: str) -> tuple[float, float]:
    """Give width and height in mm of `76x130`, `a4` or any `WIDTHxHEIGHT` from 20 to 2000 mm. Raises ConfigError."""
    if size.lower() in SIZES:
        return SIZES[size.lower()]
    found = _SIZE.fullmatch(size.lower())
    sides = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not all(20 <= side <= 2000 for side in sides):
        raise ConfigError(Text("unknown paper size {size}; write it as 76x130, a5 or a4", size=size))
    return sides


def _recipient(recipient: Mapping[str, Any], *, mask: bool, domestic: bool) -> Party:
    name, phone = clean(recipient.get("name")), clean(recipient.get("phone"))
    extension = clean(recipient.get("phone_ext"))
    parts = [recipient.get(key) for key in ("province", "city", "district", "town", "street")]
    lines = [clean(part) for part in (*_distinct(parts), *recipient["address_lines"])]
    if domestic:
        address = "".join(dict.fromkeys(line for line in lines if line))
    else:
        local = ("address_lines", "street", "town", "district", "city", "province")
        pieces = [
            recipient["address_lines"] if key == "address_lines" else [recipient.get(key)] for key in local
        ]
        address = ", ".join(dict.fromkeys(clean(p) for piece in pieces for p in piece if p))
    if company := clean(recipient.get("company")):
        name = f"{name} ({company})" if name and not mask else name or company
    if mask:
        name, address = mask_name(name), mask_address(address)
        phone = phone if is_virtual(phone, extension) else mask_phone(phone)
    return Party(
        name=name,
        phone=f"{phone}-{extension}" if extension else phone,
        address=address,
        postcode=clean(recipient.get("postcode")),
        country="" if domestic else clean(recipient.get("country")),
    )


def _distinct(parts: Sequence[str | None]) -> list[str]:
    """Drop what is missing and a city that only repeats its province (北京市 北京市)."""
    return list(dict.fromkeys(part for part in parts if part))


def _items(
    shipment: Mapping[str, Any], parcel: Mapping[str, Any], locations: Mapping[str, str]
) -> list[Item]:
    """Add up equal goods of the parcel, sorted by shelf; a sole parcel without lines of its own carries all."""
    carried = {(line["order_id"], line["line_ref"]): line["quantity"] for line in parcel["lines"]}
    whole = not carried and len(shipment["parcels"]) == 1
    found: dict[tuple[str, str, str, bool], Item] = {}
    for line in shipment["lines"]:
        quantity = line["quantity"] if whole else carried.get((line["order_id"], line["line_ref"]), 0)
        if quantity <= 0 or line.get("kind") == "service":
            continue
        sku = clean(line.get("sku") or line.get("merchant_code") or line.get("platform_sku"))
        title, spec, gift = clean(line.get("title")), clean(line.get("spec")), line.get("kind") == "gift"
        key = (sku, "", "", gift) if sku else ("", title, spec, gift)
        item = found.setdefault(
            key,
            Item(sku=sku, title=title, spec=spec, quantity=0, gift=gift, location=clean(locations.get(sku))),
        )
        item["quantity"] += quantity
    return sorted(
        found.values(), key=lambda item: (natural(item["location"]), natural(item["sku"]), item["title"])
    )


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Give a sort key that puts A-2 before A-10, and missing text last."""
    if not text:
        return ((2, 0, ""),)
    pieces = "".join(c if c.isdecimal() else f"\0{c}\0" for c in text).split("\0")
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece)


def _notes(orders: Sequence[Mapping[str, Any]]) -> list[Note]:
    pairs = [("buyer", o.get("buyer_note")) for o in orders] + [
        ("seller", o.get("seller_note")) for o in orders
    ]
    told = dict.fromkeys((kind, clean(text)) for kind, text in pairs)
    return [Note(kind=kind, text=text) for kind, text in told if text]


def _card(text: str) -> list[str]:
    """Give the lines of a card, without empty ones around them."""
    return "\n".join(clean(line) for line in text.split("\n")).strip("\n").split("\n")


def _order_ref(order: Mapping[str, Any]) -> str:
    ref = clean(order["platform_ref"])
    part, parts = order.get("part"), order.get("parts") or 1
    return f"{ref} ({part}/{parts})" if part and parts > 1 else ref


def _amount(minor: int | None, currency: str | None) -> str:
    if not minor:
        return ""
    return (
        f"¥{written(minor, currency)}"
        if currency in (None, "CNY")
        else f"{currency} {written(minor, currency)}"
    )


def _supplied(
    shipment: Mapping[str, Any], parcel: Mapping[str, Any], content: bytes | None
) -> Supplied | None:
    label = parcel.get("label")
    if label is None or label["kind"] == "ours":
        return None
    if content is None:
        raise DataError(
            Text("shipment {shipment}: its supplied label is not at hand", shipment=shipment["shipment_id"])
        )
    return Supplied(
        content=content,
        media_type=label.get("media_type") or "",
        width_mm=label.get("width_mm"),
        height_mm=label.get("height_mm"),
    )
