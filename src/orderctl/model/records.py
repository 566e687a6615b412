"""The published contract: what a record of each batch kind holds.

These models are the one source of the JSON Schemas (`orderctl schema`) and of the polars schemas
(`model/schema.py`); bulk work never builds them row by row. Invariants: lists are never null, missing is null
(never "" or 0), ids are text, money is an integer count of minor units, and every instant is RFC 3339 text in
UTC with whole seconds and `Z`, so that the order of texts is the order of times.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
Instant = Annotated[str, Field(pattern=INSTANT, description="RFC 3339, UTC, seconds")]


class Record(BaseModel):
    """Base of every record: unknown keys are kept."""

    model_config = ConfigDict(defer_build=True, extra="allow")


class Param(Record):
    """One named value inside a problem or a decision."""

    name: str
    value: str | None


class Problem(Record):
    """A finding on a row. `message` is the English sentence of `code`; readers see their own language."""

    code: str
    params: list[Param]
    field: str | None
    severity: str = Field(description="info, warn, wait (resolves by itself) or block (needs a person)")
    forceable: bool
    stage: str
    message: str


class Hold(Record):
    """A reason outside the life cycle not to ship now."""

    code: str
    source: str = Field(description="platform, rule or person")
    until: Instant | None
    why: str | None


class Wish(Record):
    """What a note or an option asks for, with the words that say so."""

    kind: str = Field(description="courier, service, ship_on, packaging, card, invoice, call, ...")
    value: str | None
    avoid: bool = Field(description="the wish is not to have it")
    source: str = Field(description="buyer_note, seller_note or option")
    evidence: str


class Sealed(Record):
    """A recipient only the platform can open, as it gave it."""

    scheme: str = Field(description="taobao/oaid, pdd/cipher, ...")
    ref: str | None
    blob: str | None


class Recipient(Record):
    """Who gets the parcel and where."""

    name: str | None
    company: str | None
    phone: str | None
    phone_ext: str | None
    email: str | None
    country: str | None = Field(description="ISO 3166-1 alpha-2")
    province: str | None
    province_code: str | None
    city: str | None
    district: str | None
    town: str | None
    street: str | None
    address_lines: list[str]
    postcode: str | None
    tax_id: str | None
    original: str | None = Field(description="the address as the source wrote it, when it was one text")
    privacy: str = Field(description="plain, masked or sealed")
    sealed: Sealed | None
    match_key: str | None = Field(description="equal keys of equal kind prove the same recipient")
    match_kind: str = Field(description="address_id, index, asked, canonical or none")


class Line(Record):
    """One line of an order."""

    line_ref: str
    sku: str | None = Field(description="ours; null while unmapped")
    platform_sku: str | None
    item_ref: str | None
    merchant_code: str | None = Field(description="the code the seller typed at the platform")
    title: str | None
    spec: str | None
    quantity: int = Field(description="ordered")
    quantity_refunded: int
    quantity_shipped: int
    quantity_to_ship: int
    unit_price_minor: int | None
    paid_minor: int | None = Field(description="whole line after its share of order discounts, no postage")
    unit_weight_g: int | None
    refund: str = Field(description="none, requested, partly or refunded")
    kind: str = Field(description="goods, gift, bundle_part or service")
    parent_line_ref: str | None
    parent_quantity: int | None
    hs_code: str | None
    origin: str | None
    customs_name: str | None
    customs_value_minor: int | None
    goods_traits: list[str]


class OrderHead(Record):
    """Everything of an order but its lines."""

    order_id: str = Field(description="platform:shop:platform_ref")
    platform: str
    shop: str
    platform_ref: str
    source: str | None
    status: str = Field(description="wait_pay, wait_ship, partly_shipped, shipped, completed or closed")
    holds: list[Hold]
    refund_open: bool
    placed_at: Instant | None
    paid_at: Instant | None
    updated_at: Instant | None
    observed_at: Instant | None
    ship_by: Instant | None
    payment: str | None = Field(description="prepaid, cod, deposit or credit")
    currency: str | None = Field(description="ISO 4217")
    goods_minor: int | None
    postage_minor: int | None
    tax_included_minor: int | None
    tax_added_minor: int | None
    adjust_minor: int | None
    discount_seller_minor: int | None
    discount_platform_minor: int | None
    total_minor: int | None
    received_minor: int | None
    due_minor: int | None
    refunded_minor: int | None
    buyer_ref: str | None
    buyer_note: str | None
    seller_note: str | None
    seller_flag: str | None
    recipient: Recipient
    wishes: list[Wish]
    tags: list[str]
    problems: list[Problem]


class Order(OrderHead):
    """`order/1`: one order in our words."""

    schema_: Literal["order/1"] = Field(alias="schema")
    lines: list[Line]


class Raw(Record):
    """`raw/1`: one order as its source gave it."""

    schema_: Literal["raw/1"] = Field(alias="schema")
    platform: str
    shop: str
    platform_ref: str
    format: str = Field(description="selects the mapper: taobao/trade, shopify/graphql, ...")
    observed_at: Instant
    updated_at: Instant | None = Field(description="the source's own time of last change, when it tells")
    source: str | None = Field(description="file name or API method")
    payload: dict[str, JsonValue] = Field(description="as given; JSON text in Parquet and Arrow")
    parts: dict[str, JsonValue] | None = Field(description="further answers; JSON text in Parquet and Arrow")
    facts: dict[str, JsonValue] | None = Field(description="what only the platform can tell")


class ShipmentOrder(OrderHead):
    """An order inside a shipment; `part` of `parts` when its lines go in several shipments."""

    part: int | None
    parts: int | None
    extra: str | None = Field(description="the order's unknown top-level keys, as JSON text")


class ShipmentLine(Line):
    """A line inside a shipment: `quantity` is what this shipment carries, `quantity_ordered` what was ordered."""

    order_id: str
    quantity_ordered: int


class Merge(Record):
    """Why these orders are one shipment."""

    how: str = Field(description="single, merged or suggested")
    key: str | None
    why: str | None
    with_: list[str] = Field(
        alias="with", description="shipments this one could be joined with, never joined by itself"
    )


class Step(Record):
    """One step of the decision trail."""

    step: str
    rule: str | None
    outcome: str | None
    reason: str
    params: list[Param]


class Label(Record):
    """Where a parcel's label comes from."""

    kind: str = Field(description="ours, supplied or sealed")
    media_type: str | None
    width_mm: int | None
    height_mm: int | None
    ref: str | None = Field(description="key in the content store")
    sha256: str | None


class ParcelLine(Record):
    """How many of a line lie in a parcel."""

    order_id: str
    line_ref: str
    quantity: int


class Tracking(Record):
    """What the courier last said of a parcel."""

    state: str
    at: Instant | None
    detail: str | None


class Parcel(Record):
    """One parcel; the first of a shipment is the mother."""

    parcel_no: int
    number: str | None
    lines: list[ParcelLine]
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    sort_code: str | None
    package_centre: str | None
    qr: str | None
    label: Label | None
    tracking: Tracking | None


class Printed(Record):
    """One document printed for one parcel."""

    document: str
    parcel_no: int
    copy_: int = Field(alias="copy")
    revision: int
    device: str
    at: Instant
    confirmed: str = Field(description="spooled, completed or scanned")


class Shipped(Record):
    """What a platform was told of one order and parcel."""

    order_id: str
    parcel_no: int
    at: Instant
    state: str
    detail: str | None


class Card(Record):
    """Words that are printed on a card for the parcel."""

    rule: str
    text: str = Field(description="the words, line by line")
    order_id: str | None = Field(description="the order that asked for them, if one did")


class Shipment(Record):
    """`shipment/1`: one dispatch to one recipient from one warehouse by one courier account."""

    schema_: Literal["shipment/1"] = Field(alias="schema")
    shipment_id: str
    purpose: str = Field(description="sale, resend, exchange or return")
    orders: list[ShipmentOrder]
    lines: list[ShipmentLine]
    recipient: Recipient
    currency: str | None
    total_minor: int | None
    collect_minor: int | None = Field(description="to be collected at the door")
    insured_minor: int | None
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    ship_by: Instant | None = Field(description="the earliest promise among its orders")
    merge: Merge
    warehouse: str | None
    courier: str | None
    service: str | None
    account: str | None
    issuer: str | None = Field(description="who gives the number, apart from who carries")
    template: str | None
    freight_minor: int | None
    freight_currency: str | None
    decision: list[Step]
    wave: str | None
    sequence: int | None
    parcels: list[Parcel]
    printed: list[Printed]
    shipped: list[Shipped]
    cards: list[Card]
    tags: list[str]
    problems: list[Problem]


MODELS: dict[str, type[Record]] = {"raw/1": Raw, "order/1": Order, "shipment/1": Shipment}
