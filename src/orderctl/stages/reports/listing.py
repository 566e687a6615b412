"""The unified list: orders and shipments of all shops in the same few columns, for looking, choosing and counting.

Besides the columns of the batch there are computed ones (`COMPUTED`), the same for both kinds. Invariant: unless
unmasked, no column that is shown holds a whole name, phone or address; what is looked for is looked for in what is
shown. Only conditions in SQL and sorting see the true values.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from orderctl.model.money import exponents
from orderctl.model.problem import Severity, has_severity, sentence
from orderctl.model.text import Locale
from orderctl.stages.reports.material import Material
from orderctl.stages.reports.words import decimal_text

DEFAULT = (
    *("id", "platform", "shop", "state", "name", "place", "items", "total", "currency"),
    *("courier", "numbers", "findings"),
)
SEARCHED = (*DEFAULT, "buyer_note", "seller_note", "wished")
"""Where a text is looked for besides the columns chosen: as they are shown, so with nobody in them."""

COMPUTED: dict[str, str] = {
    "id": "shipment or order id",
    "order_ids": "the orders, blanks between them",
    "platform": "platform",
    "shop": "shop",
    "status": "life cycle at the platform",
    "state": "shipped, printed, ready, waiting, blocked or empty",
    "severity": "of the worst problem: block, wait, warn or info",
    "codes": "codes of the problems that block or wait",
    "findings": "the problems as sentences in the reader's language",
    "remarks": "the mere remarks as sentences, suggestions to merge among them",
    "risk": "risk score of the audit, 0 to 100",
    "name": "recipient's name",
    "phone": "recipient's phone",
    "address": "province to street",
    "place": "province and city",
    "country": "ISO 3166-1 alpha-2",
    "province": "recipient's province",
    "city": "recipient's city",
    "district": "recipient's district",
    "items": "SKU and quantity of every line",
    "pieces": "sum of the quantities",
    "total": "total_minor in units of the currency, exact",
    "freight": "freight_minor in units of its currency, exact",
    "weight_kg": "weight, exact",
    "order_count": "how many orders",
    "parcel_count": "how many parcels",
    "numbers": "waybill numbers",
    "merge_how": "single, merged or suggested",
    "merge_why": "why it is joined or not",
    "merge_with": "shipments it may belong with, blanks between them",
    "wished": "what notes and options ask for",
    "pin_courier": "courier a person pinned",
    "pin_service": "service a person pinned",
    "pin_warehouse": "warehouse a person pinned",
    "pin_reason": "why a person pinned it",
    "placed_at": "when the first order was placed",
    "paid_at": "when the first order was paid",
    "buyer_note": "buyer's notes",
    "seller_note": "seller's notes",
}
ALIASES: dict[str, tuple[str, ...]] = {
    "merging": ("merge_how", "merge_why", "merge_with", "order_count"),
    "routing": ("warehouse", "courier", "service", "freight", "freight_currency", "weight_kg"),
    "pinned": ("pin_courier", "pin_service", "pin_warehouse", "pin_reason"),
    "person": ("name", "phone", "address"),
    "notes": ("buyer_note", "seller_note", "wished", "tags"),
    "times": ("placed_at", "paid_at", "ship_by"),
    "trouble": ("state", "risk", "findings", "remarks"),
}
"""Names for several columns at once."""

PERSONAL = ("recipient", "orders", "extra", "wishes", "buyer_ref")
"""Columns that hold a person's data as they are; shown only when unmasked."""

TOTAL = pl.Decimal(20, 3)
_PLACE = ("province", "city")
_ADDRESS = (*_PLACE, "district", "town", "street")
_ROUTED = ("warehouse", "courier", "service", "account", "issuer", "wave", "freight_currency")
_TOLD = ("courier", "service", "warehouse", "packaging", "ship_on", "ship_by", "ship_from")
_JOINED = ("merge_how", "merge_why", "merge_with")
_PINNED = ALIASES["pinned"]
_MOBILE = r"1[3-9]\d{9}"


def listed(frame: pl.DataFrame, kind: str, locale: Locale) -> pl.DataFrame:
    """Give a batch `order/1` or `shipment/1` with the computed columns beside its own; rows stay in order."""
    own = _of_shipments(frame) if kind == "shipment/1" else _of_orders(frame)
    recipient = pl.col("recipient").struct
    return own.with_columns(
        *(recipient.field(c) for c in ("name", "phone", "country", "province", "city", "district")),
        place=_joined(*(recipient.field(c) for c in _PLACE)),
        address=_joined(
            *(recipient.field(c) for c in _ADDRESS), recipient.field("address_lines").list.join(" ")
        ),
        severity=pl.coalesce(
            pl.when(has_severity(s)).then(pl.lit(s)) for s in ("block", "wait", "warn", "info")
        ),
        items=_items(),
        pieces=pl.col("lines").list.eval(pl.element().struct.field("quantity")).list.sum(),
        total=decimal_text(pl.col("total_minor"), exponents(pl.col("currency"))).cast(TOTAL),
        freight=decimal_text(pl.col("freight_minor"), exponents(pl.col("freight_currency"))).cast(TOTAL),
        weight_kg=decimal_text(pl.col("weight_g"), pl.lit(3)).cast(TOTAL),
        findings=_sentences(frame["problems"], ("block", "wait", "warn"), locale),
        remarks=_sentences(frame["problems"], ("info",), locale),
        risk=_risk(),
    )


def _of_shipments(frame: pl.DataFrame) -> pl.DataFrame:
    states = Material(frame, "UTC").states.select("state", "codes", "numbers").with_columns(_blank_to_null())
    merge = pl.col("merge").struct
    return frame.with_columns(
        *states,
        id="shipment_id",
        order_ids=_of_each("order_id").list.join(" "),
        **{c: _of_each(c).list.unique().list.sort().list.join(" ") for c in ("platform", "shop", "status")},
        **{c: _of_each(c).list.min() for c in ("placed_at", "paid_at")},
        **{c: _of_each(c).list.join(" / ") for c in ("buyer_note", "seller_note")},
        order_count=pl.col("orders").list.len().cast(pl.Int64),
        parcel_count=pl.col("parcels").list.len().cast(pl.Int64),
        merge_how=merge.field("how"),
        merge_why=merge.field("why"),
        merge_with=merge.field("with").list.join(" "),
        wished=_of_each("wishes").list.eval(pl.element().list.explode()).pipe(_wished),
        **_pins(),
    ).with_columns(_blank_to_null("buyer_note", "seller_note", "merge_with", "wished"))


def _pins() -> dict[str, pl.Expr]:
    """Give what people pinned, as the trail of decisions tells it."""
    step = pl.element().struct

    def told(name: str) -> pl.Expr:
        is_it = (step.field("step") == name) & (step.field("reason") == "pinned")
        return pl.col("decision").list.eval(step.field("params").filter(is_it)).list.first()

    def param(params: pl.Expr, name: str) -> pl.Expr:
        return params.list.eval(step.field("value").filter(step.field("name") == name)).list.first()

    courier, warehouse = told("courier"), told("warehouse")
    return {
        "pin_courier": pl.when(courier.is_not_null()).then("courier"),
        "pin_service": pl.when(courier.is_not_null()).then("service"),
        "pin_warehouse": pl.when(warehouse.is_not_null()).then("warehouse"),
        "pin_reason": pl.coalesce(param(courier, "pinned_why"), param(warehouse, "pinned_why")),
    }


def _of_orders(frame: pl.DataFrame) -> pl.DataFrame:
    kept = (
        pl.element()
        .filter(pl.element().struct.field("severity").is_in(["block", "wait"]))
        .struct.field("code")
    )
    state = (
        pl.when(has_severity("block"))
        .then(pl.lit("blocked"))
        .when(has_severity("wait"))
        .then(pl.lit("waiting"))
        .when(pl.col("status").is_in(["shipped", "completed"]))
        .then(pl.lit("shipped"))
        .when(pl.col("status") == "closed")
        .then(pl.lit("empty"))
        .otherwise(pl.lit("ready"))
    )
    left = pl.element().struct
    grams = left.field("unit_weight_g") * left.field("quantity_to_ship")
    of_lines = pl.col("lines").list.eval(pl.when(left.field("quantity_to_ship") > 0).then(grams).otherwise(0))
    one = pl.lit(1, dtype=pl.Int64)
    return frame.with_columns(
        *(pl.lit(None, dtype=pl.String).alias(c) for c in (*_ROUTED, *_JOINED, *_PINNED, "numbers")),
        freight_minor=pl.lit(None, dtype=pl.Int64),
        weight_g=pl.when(of_lines.list.len() > of_lines.list.drop_nulls().list.len())
        .then(None)
        .otherwise(of_lines.list.sum()),
        order_count=one,
        parcel_count=one,
        wished=_wished(pl.col("wishes")),
        id="order_id",
        order_ids="order_id",
        state=state,
        codes=pl.col("problems").list.eval(kept).list.unique().list.sort().list.join(" "),
    ).with_columns(_blank_to_null("codes", "wished"))


def _blank_to_null(*names: str) -> pl.Expr:
    text = pl.col(*names) if names else pl.col(pl.String)
    return pl.when(text != "").then(text)


def _of_each(name: str) -> pl.Expr:
    return pl.col("orders").list.eval(pl.element().struct.field(name)).list.drop_nulls()


def _joined(*parts: pl.Expr) -> pl.Expr:
    text = pl.concat_str(parts, separator=" ", ignore_nulls=True).str.strip_chars()
    return pl.when(text != "").then(text)


def _items() -> pl.Expr:
    line = pl.element().filter(pl.element().struct.field("quantity") > 0).struct
    described = pl.concat_str(line.field("title"), line.field("spec"), separator=" | ", ignore_nulls=True)
    described = pl.when(described != "").then(described)
    name = pl.coalesce(line.field("sku"), line.field("merchant_code"), described, line.field("platform_sku"))
    text = pl.concat_str(name.fill_null("?"), pl.lit("×"), line.field("quantity"))
    return pl.col("lines").list.eval(text).list.join(", ")


def _wished(wishes: pl.Expr) -> pl.Expr:
    """Write wishes as `courier SF, no courier YTO, card`; the words of cards and the like stay where they are."""
    wish = pl.element().struct
    value = pl.when(wish.field("kind").is_in(_TOLD)).then(wish.field("value"))
    denied = pl.when(wish.field("avoid").fill_null(False)).then(pl.lit("no"))
    text = pl.concat_str(denied, wish.field("kind"), value, separator=" ", ignore_nulls=True)
    return wishes.list.eval(text).list.unique(maintain_order=True).list.join(", ")


def _risk() -> pl.Expr:
    problem = pl.element().struct
    param = problem.field("params").list.eval(
        pl.when(pl.element().struct.field("name") == "score").then(pl.element().struct.field("value"))
    )
    score = pl.when(problem.field("code") == "risk").then(param.list.drop_nulls().list.first())
    return pl.col("problems").list.eval(score.cast(pl.Int64, strict=False)).list.max()


def _sentences(problems: pl.Series, severities: Sequence[Severity], locale: Locale) -> pl.Series:
    """Write the problems of some severities of each row, each different one put into words once."""
    rows = (
        problems.to_frame("problem")
        .with_row_index("row")
        .filter(pl.col("problem").list.len() > 0)
        .explode("problem")
    )
    told = rows.filter(pl.col("problem").struct.field("severity").is_in(severities))
    keys = told.select("row", key=pl.col("problem").struct.json_encode())
    words = {key: sentence(json.loads(key), locale) for key in keys["key"].unique().to_list()}
    said = keys.with_columns(pl.col("key").replace_strict(words, return_dtype=pl.String))
    whole = said.group_by("row").agg(pl.col("key").unique(maintain_order=True).str.join("; "))
    index = pl.DataFrame({"row": pl.arange(len(problems), dtype=pl.UInt32, eager=True)})
    return index.join(whole, on="row", how="left", maintain_order="left")["key"]


def masked(frame: pl.DataFrame) -> pl.DataFrame:
    """Hide persons: of a name the first character stays, of a phone the last four, of an address the place."""
    hide: dict[str, Callable[[pl.Expr], pl.Expr]] = {
        "name": lambda text: text.str.head(1) + "**",
        "phone": lambda text: (
            pl.lit("***")
            + pl.when(text.str.len_chars() > 7)
            .then(text.str.tail(4))
            .when(text.is_not_null())
            .then(pl.lit(""))
        ),
        "address": lambda text: text.str.extract(r"^(\S+(?: \S+)?)", 1) + " ***",
        "buyer_note": _without_phones,
        "seller_note": _without_phones,
        "findings": _without_phones,
        "remarks": _without_phones,
    }
    return frame.with_columns(hide[c](pl.col(c)).alias(c) for c in frame.columns if c in hide)


def _without_phones(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_MOBILE, "***")


def containing(rows: pl.DataFrame, shown: pl.DataFrame, text: str) -> pl.DataFrame:
    """Keep the rows of which a cell that is shown contains `text`, or their ids or waybill numbers do.

    Four digits are also looked for at the end of the phone number, which is as much of it as anybody sees.

    Args:
        rows: as `listed` gives them.
        shown: the same rows as they are shown, all columns text.
    """
    wanted = text.lower()
    cells = [pl.col(name).str.to_lowercase().str.contains(wanted, literal=True) for name in shown.columns]
    hit = shown.select(hit=pl.any_horizontal(cells).fill_null(False))["hit"] if cells else None
    ids = rows.select("id", "order_ids", "numbers").select(
        pl.any_horizontal(pl.all().str.to_lowercase().str.contains(wanted, literal=True)).fill_null(False)
    )
    found = ids.to_series() if hit is None else hit | ids.to_series()
    if len(text) == PHONE_TAIL and text.isdecimal():
        tail = pl.col("phone").str.replace_all(r"\D", "").str.tail(PHONE_TAIL)
        found = found | rows.select((tail == text).fill_null(False)).to_series()
    return rows.filter(found)


PHONE_TAIL = 4


def flat(frame: pl.DataFrame, *, for_eyes: bool = False) -> pl.DataFrame:
    """Give every column as text, whole numbers or nulls, as a table holds them.

    Lists become JSON; `for_eyes` they are written as one reads them: `number: ZT1, weight_g: 120; number: ZT2`.
    """
    return frame.with_columns(
        _read_aloud(frame[name]) if for_eyes and dtype.is_nested() else _flat(name, dtype)
        for name, dtype in frame.schema.items()
    )


def _read_aloud(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, [_told(value) or None for value in column.to_list()], dtype=pl.String)


def _told(value: Any) -> str:
    """Write nested data for reading, what holds nothing left out."""
    if isinstance(value, dict):
        parts = [(key, _told(inner), isinstance(inner, list | dict)) for key, inner in value.items()]
        return ", ".join(f"{k}: [{text}]" if nested else f"{k}: {text}" for k, text, nested in parts if text)
    if isinstance(value, list):
        parts_of = [text for text in map(_told, value) if text]
        return ("; " if any(isinstance(one, dict) for one in value) else ", ").join(parts_of)
    return "" if value is None else str(value)


def _flat(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if isinstance(dtype, pl.List | pl.Struct):
        encoded = (
            pl.struct(value.alias("x")).struct.json_encode().str.strip_prefix('{"x":').str.strip_suffix("}")
        )
        return pl.when(value.is_not_null()).then(encoded).alias(name)
    return value if dtype.is_integer() else value.cast(pl.String)
