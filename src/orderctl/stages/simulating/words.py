"""The tables of a simulation for people: headings, exact decimals, names instead of codes."""

from __future__ import annotations

import polars as pl

from orderctl.model.money import exponents
from orderctl.model.table import Table
from orderctl.model.text import Locale, Text
from orderctl.stages.reports.words import decimal_text, name_of
from orderctl.stages.simulating.tables import PINNED, TITLES

HEADINGS: dict[str, str] = {
    "what": "Shipments",
    "old": "Before",
    "new": "After",
    "difference": "Difference",
    "currency": "Currency",
    "currency_old": "Currency before",
    "shipments": "Shipments",
    "changed": "What changes",
    "freight_old": "Freight before",
    "freight_new": "Freight after",
    "share": "Difference %",
    "days_old": "Days before",
    "days_new": "Days after",
    "difference_days": "Difference",
    "unknown": "Unknown",
    "share_old": "Share before %",
    "share_new": "Share after %",
    "only_old": "Priced only before",
    "only_old_money": "their freight",
    "only_new": "Priced only after",
    "only_new_money": "their freight",
    "rule_old": "Rule before",
    "rule_new": "Rule after",
    "tariff_old": "Tariff before",
    "tariff_new": "Tariff after",
    "zone_old": "Zone before",
    "zone_new": "Zone after",
    "courier": "Courier",
    "service": "Service",
    "warehouse": "Warehouse",
    "shipments_old": "Before",
    "shipments_new": "After",
    "shipment_id": "Shipment",
    "at": "Judged at",
    "warehouse_old": "Warehouse before",
    "warehouse_new": "Warehouse after",
    "courier_old": "Courier before",
    "courier_new": "Courier after",
    "service_old": "Service before",
    "service_new": "Service after",
    "billed_old_kg": "Billed kg before",
    "billed_new_kg": "Billed kg after",
}
_OF_TABLE = {("rules", "changed"): "Changed"}
WHAT: dict[str, str] = {
    "shipments": "all",
    "no_courier": "without a courier",
    "no_warehouse": "without a warehouse",
    "unpriced": "without freight",
    "held": "held",
    "another_courier": "with another courier",
    "split": "split",
    "parcels": "parcels",
    "out_of_stock": "waiting for stock",
    "warehouse_full": "waiting for a warehouse with room",
}
PARTS: dict[str, str] = {
    "warehouse": "warehouse",
    "courier": "courier",
    "service": "service",
    "account": "account",
    "issuer": "issuer",
    "template": "label",
    "hold": "hold",
    "freight": "freight",
}
_MONEY_IN = {"freight_old_minor": "currency_old"}
_PAIRS = ("service", "warehouse", "zone", "tariff", "billed")


def to_table(name: str, frame: pl.DataFrame, locale: Locale, *, for_eyes: bool = False) -> Table:
    """Give a table for people; `for_eyes` puts names for codes and leaves out columns that say nothing here."""
    if for_eyes:
        frame = frame.drop(_idle(frame)).with_columns(_named(frame, locale))
    cells = [(column, *_cell(frame, column)) for column in frame.columns]
    shown = frame.select(expr.alias(title) for _, expr, title in cells)
    decimals = frozenset(title for column, _, title in cells if title != column)
    headings = {c: Text(_OF_TABLE.get((name, c), HEADINGS[c])).render(locale) for c in shown.columns}
    return Table(name, Text(TITLES[name]).render(locale), shown, headings, decimals)


def _cell(frame: pl.DataFrame, column: str) -> tuple[pl.Expr, str]:
    value = pl.col(column)
    if column.endswith("_minor"):
        own = _MONEY_IN.get(column, "currency")
        currency = own if own in frame.columns else "currency"
        title = column.removesuffix("_minor")
        return decimal_text(
            value, exponents(pl.col(currency))
        ), f"{title}_money" if title in frame.columns else title
    if column.endswith("_permille"):
        return decimal_text(value, pl.lit(1)), column.removesuffix("_permille")
    if column.endswith("_hundredths"):
        return decimal_text(value, pl.lit(2)), column.removesuffix("_hundredths")
    if column.endswith("_g"):
        return decimal_text(value, pl.lit(3)), column.removesuffix("_g") + "_kg"
    return value, column


def _named(frame: pl.DataFrame, locale: Locale) -> list[pl.Series]:
    found = []
    for column in frame.columns:
        if column in ("courier", "courier_old", "courier_new"):
            found.append(_said(frame[column], {}, locale, courier=True))
        elif column == "what":
            found.append(_said(frame[column], WHAT, locale))
        elif column in ("rule_old", "rule_new"):
            found.append(_said(frame[column], {PINNED: PINNED}, locale))
        elif column == "changed" and frame.schema[column] == pl.String:
            found.append(_said(frame[column], PARTS, locale))
    return found


def _said(codes: pl.Series, words: dict[str, str], locale: Locale, *, courier: bool = False) -> pl.Series:
    """Put words in the place of codes, each different one looked at once; codes may be several, commas between."""

    def one(code: str) -> str:
        if courier:
            return name_of("courier", code, locale)
        parts = code.split(", ") if all(p in words for p in code.split(", ")) else [code]
        return ", ".join(Text(words[p]).render(locale) if p in words else p for p in parts)

    said = {code: one(code) for code in codes.drop_nulls().unique().to_list()}
    return codes.replace_strict(said, default=None, return_dtype=pl.String)


def _idle(frame: pl.DataFrame) -> list[str]:
    """Name the columns that tell a reader nothing here: pairs that are alike everywhere, counts that are all 0."""
    names = set(frame.columns)
    found = []
    if "currency_old" in names and frame.select(_alike("currency_old", "currency")).item():
        found.append("currency_old")
    for name in _PAIRS if "shipment_id" in names else ():
        pair = [f"{name}_{side}" + ("_g" if name == "billed" else "") for side in ("old", "new")]
        if name == "zone" or frame.select(_alike(*pair)).item():
            found += pair
    for name in ("only_old", "only_new"):
        if name in names and not frame[name].sum():
            found += [name, f"{name}_minor"]
    found += [
        c for c in ("service", "warehouse_old", "warehouse_new") if c in names and frame[c].count() == 0
    ]
    return list(dict.fromkeys(found))


def _alike(one: str, other: str) -> pl.Expr:
    return pl.col(one).eq_missing(pl.col(other)).all()
