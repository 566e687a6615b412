"""From figures to a table for people: headings in the reader's language, exact decimals instead of minor units.

The figures themselves (`goods_minor`, `weight_g`, `share_permille`) stay as they are in JSON Lines.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from string import Formatter

import polars as pl

from orderctl.model.couriers import courier_name
from orderctl.model.money import exponents
from orderctl.model.problem import KINDS
from orderctl.model.regions import PROVINCES
from orderctl.model.table import Table
from orderctl.model.text import Locale, Text

HEADINGS: dict[str, str] = {
    "platform": "Platform",
    "shop": "Shop",
    "courier": "Courier",
    "couriers": "Courier",
    "service": "Service",
    "warehouse": "Warehouse",
    "country": "Country",
    "province": "Province",
    "sku": "SKU",
    "code": "Code",
    "product": "Product",
    "day": "Day",
    "state": "State",
    "status": "Status",
    "severity": "Severity",
    "stage": "Step",
    "meaning": "Meaning",
    "example": "Example",
    "id": "Id",
    "order_id": "Order",
    "order_ids": "Orders",
    "shipment_id": "Shipment",
    "placed_at": "Placed",
    "paid_at": "Paid",
    "ship_by": "Ship by",
    "currency": "Currency",
    "orders": "Orders",
    "shipments": "Shipments",
    "parcels": "Parcels",
    "pieces": "Pieces",
    "numbers": "Waybill numbers",
    "total": "Total",
    "goods": "Goods value",
    "freight": "Freight",
    "freight_currency": "Freight in",
    "unpriced": "Without freight",
    "weight_kg": "Weight kg",
    "printed": "Printed",
    "shipped": "Shipped",
    "waiting": "Waiting",
    "blocked": "Blocked",
    "share": "Share %",
    "codes": "Problems",
    "findings": "Problems",
    "name": "Recipient",
    "phone": "Phone",
    "address": "Address",
    "place": "Place",
    "city": "City",
    "district": "District",
    "items": "Items",
    "rows": "Rows",
    "order_count": "Orders",
    "parcel_count": "Parcels",
    "merge_how": "Joined",
    "merge_why": "Why",
    "merge_with": "May belong with",
    "wished": "Asked for",
    "tags": "Tags",
    "risk": "Risk",
    "remarks": "Remarks",
    "buyer_note": "Buyer's note",
    "seller_note": "Seller's note",
}
PLATFORMS: dict[str, str] = {
    "taobao": "Taobao",
    "tmall": "Tmall",
    "pdd": "Pinduoduo",
    "douyin": "Douyin",
    "jd": "JD.com",
    "kuaishou": "Kuaishou",
    "xiaohongshu": "Xiaohongshu",
    "shopify": "Shopify",
    "amazon": "Amazon",
}
WORDS: dict[str, str] = {
    "shipped": "sent",
    "printed": "label printed",
    "ready": "ready",
    "waiting": "waiting",
    "blocked": "blocked",
    "empty": "nothing to ship",
    "block": "blocks",
    "wait": "waits",
    "wait_pay": "to be paid",
    "wait_ship": "to be shipped",
    "partly_shipped": "partly shipped",
    "completed": "completed",
    "closed": "closed",
}
HOW: dict[str, str] = {"single": "alone", "merged": "joined", "suggested": "alone, perhaps not rightly"}
WHY: dict[str, str] = {
    "same_recipient": "the same recipient",
    "same_buyer_address": "the same buyer and address",
    "same_buyer": "the same buyer",
    "pinned": "a person said so",
    "no_other": "nobody else to join",
    "unpaid": "not paid",
    "refund": "a refund is open",
    "held": "on hold",
    "blocked": "a problem needs a person",
    "waiting": "a problem that passes",
    "presale": "on pre-sale, or the others are",
    "platform_forbids": "the platform forbids it",
    "cod": "paid at the door",
    "no_currency": "the currency is missing",
    "wishes_conflict": "its own wishes contradict each other",
    "split": "the rest of an order that is on its way",
    "no_key": "nothing proves who gets it",
    "no_buyer": "no buyer is told",
    "other_shop": "one recipient, but another shop",
    "other_currency": "one recipient, but another currency",
    "other_payment": "one recipient, but another payment",
    "other_wish": "one recipient, but another wish",
    "other_note": "one recipient, but another note",
    "outside_window": "one recipient, but too late",
    "parcel_full": "one recipient, but the parcel is full",
    "printed": "one recipient, but that parcel is closed",
    "committed": "on its way: it stays where it is",
    "never": "a person keeps it apart",
    "pin_forbidden": "a person pinned it, but platform, proof, currency or payment are in the way",
    "nothing": "nothing is left to ship",
}
"""How and why orders are joined or not, in words for people."""

_WORDS_OF = {"platform": PLATFORMS, "merge_how": HOW, "merge_why": WHY}
NAMED = (
    *("platform", "courier", "couriers", "province", "state", "status", "severity"),
    *("merge_how", "merge_why"),
)
_LATIN = {p.full: p.latin for p in PROVINCES}
_CURRENCY_OF = {"freight_minor": "freight_currency"}


def decimal_text(amount: pl.Expr, exponent: pl.Expr) -> pl.Expr:
    """Write whole minor units as exact decimal text with `exponent` decimals: 1234 and 2 -> "12.34"."""
    digits = amount.abs().cast(pl.String).str.zfill(exponent + 1)
    whole = digits.str.head(digits.str.len_chars().cast(pl.Int64) - exponent)
    sign = pl.when(amount < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    point = pl.when(exponent > 0).then(pl.lit(".")).otherwise(pl.lit(""))
    return pl.concat_str(sign, whole, point, digits.str.slice(digits.str.len_chars() - exponent))


def name_of(column: str, code: str, locale: Locale) -> str:
    """Give what people call a code: the platform, courier, province, state; the code itself when it has no name.

    Where a cell holds several codes, blanks between them, each is named.
    """
    if column == "province":
        return _LATIN.get(code, code) if locale == "en" else code
    return ", ".join(_name(column, one, locale) for one in code.split(" "))


def _name(column: str, code: str, locale: Locale) -> str:
    if column in ("courier", "couriers"):
        return courier_name(code, locale)
    words = _WORDS_OF.get(column, WORDS)
    return Text(words[code]).render(locale) if code in words else code


def to_table(name: str, title: str, frame: pl.DataFrame, locale: Locale, *, for_eyes: bool = False) -> Table:
    """Give a report as a table for people.

    Args:
        name: of the report.
        title: its English title.
        frame: as the report made it.
        locale: the reader's language.
        for_eyes: for reading, not for working on: names instead of codes, and without columns that say nothing
            here (a freight currency that is that of the goods, shipments without freight when there are none).
    """
    shown, decimals = with_decimals(frame)
    if "severity" in frame.columns:
        shown = shown.with_columns(meaning=_named(shown["code"], lambda code: _meaning(code, locale)))
    if for_eyes:
        shown = with_names(shown, locale).drop(_idle(frame))
    return Table(name, Text(title).render(locale), shown, headings_of(shown, locale), decimals)


def headings_of(frame: pl.DataFrame, locale: Locale) -> dict[str, str]:
    """Give the headings of the columns that have one."""
    return {c: Text(HEADINGS[c]).render(locale) for c in frame.columns if c in HEADINGS}


def with_names(frame: pl.DataFrame, locale: Locale) -> pl.DataFrame:
    """Put the names of platforms, couriers, provinces and states in the place of their codes."""
    named = [c for c in NAMED if c in frame.columns]
    return frame.with_columns(_named(frame[c], partial(name_of, c, locale=locale)).alias(c) for c in named)


def with_decimals(frame: pl.DataFrame) -> tuple[pl.DataFrame, frozenset[str]]:
    """Give `frame` with its minor units, grams and thousandths as decimal text, and the names of those columns."""
    named = [(column, *_decimal(column)) for column in frame.columns]
    decimals = frozenset(name for column, _, name in named if name != column)
    return frame.select(expr.alias(name) for _, expr, name in named), decimals


def _decimal(column: str) -> tuple[pl.Expr, str]:
    value = pl.col(column)
    if column.endswith("_minor"):
        currency = pl.col(_CURRENCY_OF.get(column, "currency"))
        return decimal_text(value, exponents(currency)), column.removesuffix("_minor")
    if column == "weight_g":
        return decimal_text(value, pl.lit(3)), "weight_kg"
    if column == "share_permille":
        return decimal_text(value, pl.lit(1)), "share"
    return value, column


def _named(codes: pl.Series, say: Callable[[str], str]) -> pl.Series:
    """Put words in the place of codes, each different code looked at once."""
    words = {code: say(code) for code in codes.drop_nulls().unique().to_list()}
    return codes.replace_strict(words, default=None, return_dtype=pl.String)


def _meaning(code: str, locale: Locale) -> str:
    """Say what a problem code means, its parameters left open, and what to do about it."""
    kind = KINDS.get(code)
    if kind is None:
        return code
    left_open = {hole: "…" for _, hole, _, _ in Formatter().parse(kind.sentence) if hole}
    said = Text(kind.sentence, **left_open).render(locale)
    return f"{said}: {Text(kind.advice).render(locale)}" if kind.advice else said


def _idle(frame: pl.DataFrame) -> list[str]:
    """Name the columns that tell a reader nothing in this report."""
    if "freight_currency" not in frame.columns:
        return []
    same = frame.select((pl.col("freight_currency").eq_missing(pl.col("currency"))).all()).item()
    idle = ["freight_currency"] if same else []
    return [*idle, "unpriced"] if "unpriced" in frame.columns and not frame["unpriced"].sum() else idle
