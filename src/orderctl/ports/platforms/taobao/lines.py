"""The lines of Taobao's trades, in our words."""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import count, given, line, texts, to_ship, translate, with_amounts, with_times, yes

LINE = pl.Struct(
    texts(
        "oid oid_str title num_iid sku_id outer_iid outer_sku_id sku_properties_name num price payment"
        " divide_order_fee part_mjz_discount discount_fee adjust_fee refund_status status delivery_time is_free_gift"
    )
)
_GONE = ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED")
_CLOSED = ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO")
REFUND = {
    "NO_REFUND": "none",
    "CLOSED": "none",  # the request was withdrawn
    "SUCCESS": "refunded",
    "WAIT_SELLER_AGREE": "requested",
    "WAIT_BUYER_RETURN_GOODS": "requested",
    "WAIT_SELLER_CONFIRM_GOODS": "requested",
    "SELLER_REFUSE_BUYER": "requested",
}
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_AMOUNTS = {
    "unit": "price",
    "share": "divide_order_fee",
    "alone": "payment",
    "share_of_discount": "part_mjz_discount",
    "line_discount": "discount_fee",
    "line_adjust": "adjust_fee",
}


def read_lines(frame: pl.DataFrame, orders: pl.Expr) -> pl.DataFrame:
    """Give a row per line: the text fields, what is read of them, and what the line must know of its trade."""
    named = frame.filter(pl.col("pieces") > 0).select(
        *("row", "platform_ref", "total_minor", "postage_minor", "pieces"),
        trade_status="status",
        source=orders,
    )
    found = named.explode("source").unnest("source")
    found = with_amounts(found, {name: pl.col(text) for name, text in _AMOUNTS.items()})
    found = with_times(found, {"line_due": pl.col("delivery_time")}, BEIJING)
    asked = given(pl.col("refund_status"))
    refund = translate(asked, REFUND)
    closed = pl.col("status").is_in(_CLOSED).fill_null(False)
    return found.with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row"),
        pieces_read=count(pl.col("num")),
        is_gone=pl.col("status").is_in(_GONE).fill_null(False),
        strange_refund=pl.when(refund.is_null()).then(asked),
        # an answer we do not know is taken for an open request: nothing leaves
        refunded=pl.when(closed)
        .then(pl.lit("refunded"))
        .when(asked.is_not_null())
        .then(refund.fill_null("requested"))
        .otherwise(pl.lit("none")),
    ).with_columns(quantity=pl.col("pieces_read").fill_null(0))


def _paid() -> tuple[pl.Expr, pl.Expr]:
    """What was paid for a line: (its share, whether all shares of the trade are known).

    The only line of a trade is said to cost the whole payment, postage included: that is taken off.
    """
    alone = pl.col("alone") - pl.col("share_of_discount").fill_null(0)
    value = pl.coalesce("share", alone)
    with_postage = (pl.col("pieces") == 1) & (value == pl.col("total_minor"))
    paid = pl.when(with_postage).then(value - pl.col("postage_minor").fill_null(0)).otherwise(value)
    told = pl.col("share").is_not_null()
    adds_up = paid.sum().over("row") == (
        pl.col("total_minor") - pl.col("postage_minor").fill_null(0)
    ).first().over("row")
    return paid, told | adds_up


def gather_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per trade: its `lines` in our words, and the sums and findings over them."""
    paid, known = _paid()
    refunded = pl.when(pl.col("refunded") == "refunded").then("quantity").otherwise(0)
    shipped = pl.when("is_gone").then("quantity").otherwise(0)
    # a line without a number has that of the only line of a trade, or its place: as in the back office's files
    placed = pl.concat_str("platform_ref", pl.col("place").cast(pl.String), separator="-")
    unnumbered = pl.when(pl.col("pieces") == 1).then("platform_ref").otherwise(placed)
    ours = line(
        line_ref=pl.coalesce(given(pl.col("oid_str")), given(pl.col("oid")), unnumbered),
        platform_sku=given(pl.col("sku_id")),
        item_ref=given(pl.col("num_iid")),
        merchant_code=pl.coalesce(given(pl.col("outer_sku_id")), given(pl.col("outer_iid"))),
        title=given(pl.col("title")),
        spec=given(pl.col("sku_properties_name")),
        quantity=pl.col("quantity"),
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(pl.col("quantity"), refunded, shipped, pl.col("trade_status").is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.when(known).then(paid),
        refund=pl.col("refunded"),
        kind=pl.when(yes(pl.col("is_free_gift"))).then(pl.lit("gift")).otherwise(pl.lit("goods")),
    )
    lacking = {
        f"bad_{ours}": given(pl.col(_AMOUNTS[read])).is_not_null() & pl.col(read).is_null()
        for ours, read in (("unit_price_minor", "unit"), ("paid_minor", "share"))
    }
    rows = lines.select(
        *("row", "line_due", "line_discount", "line_adjust", "strange_refund"),
        ours.alias("line"),
        price=pl.col("unit") * pl.col("pieces_read"),
        asks=pl.col("refunded") == "requested",
        partial=pl.col("status") == "SELLER_CONSIGNED_PART",
        bad_quantity=pl.col("pieces_read").is_null(),
        **lacking,
    )
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        goods_sum=pl.when(pl.col("price").null_count() == 0).then(pl.col("price").sum()),
        discount_sum=pl.col("line_discount").sum(),
        adjust_sum=pl.col("line_adjust").sum(),
        due=pl.col("line_due").min(),
        strange_refund=pl.col("strange_refund").drop_nulls().first(),
        refund_open=pl.col("asks").any(),
        partial=pl.col("partial").any(),
        **{name: pl.col(name).any() for name in ("bad_quantity", *lacking)},
    )
