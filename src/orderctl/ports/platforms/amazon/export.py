"""The order reports of Seller Central, tab-separated, one row per line of an order.

Two kinds are known by their headings: that of unshipped orders (with addresses; it says how many pieces are to be
shipped, and mostly no prices) and that of all orders (with prices and without addresses, names or numbers of lines). The
report of new orders looks like the first, but does not tell what was shipped meanwhile: its orders are held.

Source: headings of reports in public repositories; report types of the SP-API documentation.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.model.mapper import (
    MONEY_FIELDS,
    Mapper,
    count,
    given,
    payload,
    translate,
    with_amounts,
    with_instants,
    yes,
)
from orderctl.ports.platforms.amazon.build import LINES, bad, default_currency, heads_of, lines_of, to_orders
from orderctl.ports.platforms.amazon.marketplaces import BY_DOMAIN
from orderctl.ports.tables.layout import Layout

_PRICES = (
    *(
        "currency",
        "item-price",
        "item-tax",
        "shipping-price",
        "shipping-tax",
        "gift-wrap-price",
        "gift-wrap-tax",
    ),
    *("item-promotion-discount", "ship-promotion-discount"),
)
_PLACE = ("ship-city", "ship-state", "ship-postal-code", "ship-country")
_HEAD = (
    *(
        "purchase-date",
        "promise-date",
        "buyer-email",
        "buyer-phone-number",
        "ship-service-level",
        "recipient-name",
    ),
    *("ship-address-1", "ship-address-2", "ship-address-3", *_PLACE, "ship-phone-number", "sales-channel"),
    *("is-business-order", "is-prime", "payment-method", "cod-collectible-amount", "delivery-instructions"),
    *("order-status", "fulfillment-channel", "last-updated-date", "is-replacement-order"),
)
_LINE = (
    *(
        "order-item-id",
        "sku",
        "asin",
        "product-name",
        "quantity-purchased",
        "quantity-shipped",
        "quantity-to-ship",
    ),
    *("item-status", "gift-wrap-type", "gift-message-text", "ioss-number", "is-buyer-requested-cancellation"),
    *_PRICES,
)
_OTHER_NAMES = {
    "order-id": ("amazon-order-id",),
    "quantity-purchased": ("quantity",),
    "promise-date": ("latest-ship-date",),
    "sales-channel": ("sales_channel",),
    "is-replacement-order": ("replacement-order",),
}
_KEPT_HEAD = (
    *(
        "payments-date",
        "reporting-date",
        "days-past-promise",
        "buyer-name",
        "purchase-order-number",
        "merchant-order-id",
    ),
    *(
        "order-channel",
        "url",
        "delivery-start-date",
        "delivery-end-date",
        "delivery-time-zone",
        "tax-location-code",
    ),
    *(
        "tax-location-city",
        "tax-location-county",
        "tax-location-state",
        "is-sold-by-ab",
        "is-iba",
        "earliest-ship-date",
    ),
    *(
        "earliest-delivery-date",
        "latest-delivery-date",
        "verge-of-cancellation",
        "verge-of-lateshipment",
        "original-order-id",
    ),
    *("buyer-company-name", "is-amazon-invoiced", "vat-exclusive-item-price"),
)
_KEPT_LINE = (
    *(
        "price-designation",
        "promotion-ids",
        "item-promotion-id",
        "ship-promotion-id",
        "signature-confirmation-recommended",
    ),
    *(
        "buyer-requested-cancel-reason",
        "customized-url",
        "customized-page",
        "is-transparency",
        "number-of-items",
        "per-unit-item-taxable-district",
    ),
)


def _layout(form: str, needs: Sequence[str], absent: Sequence[str], line_id: str | None) -> Layout:
    names = ("order-id", *_HEAD, *_LINE, *_KEPT_HEAD, *_KEPT_LINE)
    return Layout(
        format=form,
        platform="amazon",
        columns={name: _OTHER_NAMES.get(name, ()) for name in names},
        needs=needs,
        absent=absent,
        order="order-id",
        ids=tuple(name for name in ("order-id", line_id) if name),
        codes=("sku",),
        rows="line",
        notes=("gift-message-text", "delivery-instructions"),
        lines=(*_LINE, *_KEPT_LINE),
        line_id=line_id,
    )


LAYOUTS = (
    _layout(
        "amazon/export-unshipped",
        ("order-id", "order-item-id", "sku", "quantity-purchased", "ship-service-level", "ship-country"),
        ("order-status",),
        "order-item-id",
    ),
    _layout(
        "amazon/export-all",
        ("order-id", "order-status", "fulfillment-channel", "sku", "quantity-purchased", "item-price"),
        ("order-item-id",),
        None,
    ),
)

STATUS = {
    "pending": "wait_pay",
    **dict.fromkeys(["unshipped", "shipping"], "wait_ship"),
    **dict.fromkeys(["partiallyshipped", "partially shipped"], "partly_shipped"),
    "shipped": "shipped",
    **dict.fromkeys(["cancelled", "canceled", "unfulfillable"], "closed"),
}
_DELIVERED = "shipped - delivered to buyer"


def _head(name: str) -> pl.Expr:
    return given(payload("head").struct.field(name))


def _currencies(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `row`, the marketplace, and the currency: the one of the prices, else that of the marketplace."""
    market = translate(_head("sales-channel").str.to_lowercase(), BY_DOMAIN)
    told = (
        payload("lines")
        .list.eval(given(pl.element().struct.field("currency")))
        .list.drop_nulls()
        .list.first()
    )
    return frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32), marketplace=market).with_columns(
        currency=pl.coalesce(told.str.to_uppercase(), default_currency(pl.col("marketplace")))
    )


def _lines(base: pl.DataFrame) -> pl.DataFrame:
    items = base.select("row", own="currency", closed=pl.col("status") == "closed", item=payload("lines"))
    items = items.explode("item").drop_nulls("item")
    if not items.height:
        return LINES.to_frame()
    items = items.unnest("item").with_columns(place=pl.int_range(1, pl.len() + 1).over("row"))
    same = pl.col("currency").is_null() | (pl.col("currency").str.to_uppercase() == pl.col("own"))
    prices = _PRICES[1:]
    read = {f"m_{name}": pl.when(same).then(given(pl.col(name))) for name in prices}
    items = with_amounts(items, read, pl.col("own"))
    ordered, gone = count(pl.col("quantity-purchased")), count(pl.col("quantity-shipped"))
    whole = pl.col("item-status").str.to_lowercase().str.starts_with("shipped").fill_null(False)
    item_gone = pl.coalesce(gone, pl.when(whole).then(ordered))
    dropped = (
        pl.col("item-status").str.to_lowercase().is_in(["cancelled", "canceled"]) | pl.col("closed")
    ).fill_null(False)
    priced = pl.col("m_item-price").is_not_null()

    def known(*names: str) -> pl.Expr:
        """Give a sum of the line's money; unknown where the line has no price at all."""
        return pl.when(priced).then(pl.sum_horizontal([pl.col(f"m_{name}").fill_null(0) for name in names]))

    off, shipping_off = (known(f"{kind}-promotion-discount").abs() for kind in ("item", "ship"))
    unread = [given(pl.col(name)).is_not_null() & pl.col(f"m_{name}").is_null() for name in prices]
    wrap, text = given(pl.col("gift-wrap-type")), given(pl.col("gift-message-text"))
    return lines_of(
        items,
        row=pl.col("row"),
        line_ref=pl.coalesce(given(pl.col("order-item-id")), pl.col("place").cast(pl.String)),
        sku=given(pl.col("sku")),
        asin=given(pl.col("asin")),
        title=given(pl.col("product-name")),
        ordered=ordered,
        shipped=item_gone,
        left=pl.coalesce(count(pl.col("quantity-to-ship")), pl.when(dropped).then(0)),
        goods=pl.col("m_item-price"),
        postage=known("shipping-price") - shipping_off,
        postage_off=shipping_off,
        fees=known("gift-wrap-price"),
        tax=known("item-tax", "shipping-tax", "gift-wrap-tax"),
        discount=off,
        is_gift=wrap.is_not_null() | text.is_not_null(),
        gift_message=text,
        gift_wrap=wrap,
        ioss=given(pl.col("ioss-number")),
        cancel_asked=yes(pl.col("is-buyer-requested-cancellation")),
        bad_amount=pl.any_horizontal(unread),
        bad_quantity=ordered.is_null(),
    )


def _status_of_lines() -> pl.Expr:
    """Tell the status by what is left to be shipped, where the report says that."""
    line = pl.element().struct
    left = payload("lines").list.eval(count(line.field("quantity-to-ship"))).list.sum()
    gone = payload("lines").list.eval(count(line.field("quantity-shipped"))).list.sum()
    return (
        pl.when((left == 0) & (gone > 0)).then(pl.lit("shipped"))
        .when(gone > 0).then(pl.lit("partly_shipped"))
        .when(_head("ship-country").is_not_null() | (left > 0)).then(pl.lit("wait_ship"))
    )  # fmt: skip


def _unshipped(frame: pl.DataFrame) -> pl.DataFrame:
    told = (
        payload("lines")
        .list.eval(given(pl.element().struct.field("quantity-to-ship")).is_not_null())
        .list.all()
    )
    unknown = pl.when(~told.fill_null(False)).then(pl.lit("shipped-unknown"))
    base = _currencies(frame).with_columns(
        word=pl.lit(None, dtype=pl.String), status=_status_of_lines(), channel=pl.lit("MFN"), unknown=unknown
    )
    return _orders(frame, base)


def _all(frame: pl.DataFrame) -> pl.DataFrame:
    word = _head("order-status")
    lower = word.str.to_lowercase()
    status = (
        pl.when(lower == _DELIVERED).then(pl.lit("completed"))
        .when(lower.str.starts_with("shipped - ")).then(pl.lit("shipped"))
        .otherwise(translate(lower, STATUS))
    )  # fmt: skip
    base = _currencies(frame).with_columns(
        word=word, status=status, channel=_head("fulfillment-channel"), unknown=pl.lit(None, dtype=pl.String)
    )
    return _orders(frame, base)


def _orders(frame: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    times = {
        "placed_at": _head("purchase-date"),
        "updated": _head("last-updated-date"),
        "ship_by": _head("promise-date"),
    }
    amounts = {"cod": _head("cod-collectible-amount")}
    base = with_instants(with_amounts(base, amounts, pl.col("currency")), times)
    foreign = (_head("sales-channel").str.to_lowercase() == "non-amazon").fill_null(False)
    flags = {"is-business-order": "business", "is-prime": "prime", "is-replacement-order": "replacement"}
    programs = [pl.when(yes(_head(name))).then(pl.lit(program)) for name, program in flags.items()]
    heads = heads_of(
        base,
        word=pl.col("word"),
        status=pl.col("status"),
        channel=pl.col("channel"),
        by_amazon=pl.col("channel").str.to_lowercase().is_in(["afn", "amazon"]).fill_null(False) | foreign,
        marketplace=pl.col("marketplace"),
        currency=pl.col("currency"),
        cod=pl.col("cod"),
        pay_method=_head("payment-method"),
        service=_head("ship-service-level"),
        email=_head("buyer-email"),
        name=_head("recipient-name"),
        line1=_head("ship-address-1"),
        line2=_head("ship-address-2"),
        line3=_head("ship-address-3"),
        city=_head("ship-city"),
        state=_head("ship-state"),
        postcode=_head("ship-postal-code"),
        country=_head("ship-country"),
        phone=pl.coalesce(_head("ship-phone-number"), _head("buyer-phone-number")),
        instruction=payload("head").struct.field("delivery-instructions"),
        programs=pl.concat_list(*programs, "unknown").list.drop_nulls(),
        **{name: pl.col(name) for name in times},
        bad_amounts=bad(amounts),
        bad_times=bad(times),
    )
    return to_orders(frame, heads, _lines(base))


_DTYPE = pl.Struct(
    {
        "head": pl.Struct(dict.fromkeys(_HEAD, pl.String())),
        "lines": pl.List(pl.Struct(dict.fromkeys(_LINE, pl.String()))),
    }
)
_TOLD = tuple(
    name for name in MONEY_FIELDS if name not in ("total_minor", "received_minor", "refunded_minor")
)
UNSHIPPED = Mapper("amazon/export-unshipped", _DTYPE, _unshipped, _TOLD)
ALL = Mapper("amazon/export-all", _DTYPE, _all, _TOLD)
