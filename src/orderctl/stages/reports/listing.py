"""The unified list: orders and shipments of all shops in the same few columns, for looking, choosing and counting.

Besides the columns of the batch there are computed ones (`COMPUTED`), the same for both kinds. Invariant: unless
unmasked, no column that is shown holds a whole name, phone or address; choosing and sorting see the true values.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl

from orderctl.model.money import exponents
from orderctl.model.problem import has_severity, sentence
from orderctl.model.text import Locale
from orderctl.stages.reports.material import Material
from orderctl.stages.reports.words import decimal_text

DEFAULT = (
    *("id", "platform", "shop", "state", "name", "place", "items", "total", "currency"),
    *("courier", "numbers", "findings"),
)
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
    "numbers": "waybill numbers",
    "placed_at": "when the first order was placed",
    "paid_at": "when the first order was paid",
    "buyer_note": "buyer's notes",
    "seller_note": "seller's notes",
}
PERSONAL = ("recipient", "orders", "extra", "wishes", "buyer_ref")
"""Columns that hold a person's data as they are; shown only when unmasked."""

TOTAL = pl.Decimal(20, 3)
_PLACE = ("province", "city")
_ADDRESS = (*_PLACE, "district", "town", "street")
_ROUTED = ("warehouse", "courier", "service", "account", "issuer", "wave")
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
        findings=_findings(frame["problems"], locale),
    )


def _of_shipments(frame: pl.DataFrame) -> pl.DataFrame:
    states = Material(frame, "UTC").states.select("state", "codes", "numbers").with_columns(_blank_to_null())
    return frame.with_columns(
        *states,
        id="shipment_id",
        order_ids=_of_each("order_id").list.join(" "),
        **{c: _of_each(c).list.unique().list.sort().list.join(" ") for c in ("platform", "shop", "status")},
        **{c: _of_each(c).list.min() for c in ("placed_at", "paid_at")},
        **{c: _of_each(c).list.join(" / ") for c in ("buyer_note", "seller_note")},
    ).with_columns(_blank_to_null("buyer_note", "seller_note"))


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
    return frame.with_columns(
        *(pl.lit(None, dtype=pl.String).alias(c) for c in (*_ROUTED, "numbers")),
        id="order_id",
        order_ids="order_id",
        state=state,
        codes=pl.col("problems").list.eval(kept).list.unique().list.sort().list.join(" "),
    ).with_columns(_blank_to_null("codes"))


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
    name = pl.coalesce(
        line.field("sku"), line.field("merchant_code"), line.field("platform_sku"), line.field("title")
    )
    text = pl.concat_str(name.fill_null("?"), pl.lit("×"), line.field("quantity"))
    return pl.col("lines").list.eval(text).list.join(", ")


def _findings(problems: pl.Series, locale: Locale) -> pl.Series:
    """Write the problems of each row but mere remarks, each different one put into words once."""
    rows = (
        problems.to_frame("problem")
        .with_row_index("row")
        .filter(pl.col("problem").list.len() > 0)
        .explode("problem")
    )
    told = rows.filter(pl.col("problem").struct.field("severity") != "info")
    keys = told.select("row", key=pl.col("problem").struct.json_encode())
    words = {key: sentence(json.loads(key), locale) for key in keys["key"].unique().to_list()}
    said = keys.with_columns(pl.col("key").replace_strict(words, return_dtype=pl.String))
    whole = said.group_by("row").agg(pl.col("key").unique(maintain_order=True).str.join("; "))
    index = pl.DataFrame({"row": pl.arange(len(problems), dtype=pl.UInt32, eager=True)})
    return index.join(whole, on="row", how="left", maintain_order="left")["key"].alias("findings")


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
    }
    return frame.with_columns(hide[c](pl.col(c)).alias(c) for c in frame.columns if c in hide)


def _without_phones(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(_MOBILE, "***")


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Give every column as text, whole numbers or nulls, as a table for people holds them; lists become JSON."""
    return frame.with_columns(_flat(name, dtype) for name, dtype in frame.schema.items())


def _flat(name: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if isinstance(dtype, pl.List | pl.Struct):
        encoded = (
            pl.struct(value.alias("x")).struct.json_encode().str.strip_prefix('{"x":').str.strip_suffix("}")
        )
        return pl.when(value.is_not_null()).then(encoded).alias(name)
    return value if dtype.is_integer() else value.cast(pl.String)
