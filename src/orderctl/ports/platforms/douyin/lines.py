"""The lines of Douyin's orders, in our words. Amounts are whole fen, times seconds since 1970."""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import from_epoch
from orderctl.model.mapper import count, given, line, texts, to_ship, translate

LINE = pl.Struct(
    texts(
        "order_id product_id_str product_id product_name sku_id code out_sku_id out_product_id item_num origin_amount"
        " sum_amount pay_amount post_amount order_status exp_ship_time appointment_ship_time pre_sale_type"
        " given_product_type need_serial_number"
    )
    | {
        "spec": pl.List(pl.Struct(texts("name value"))),
        "after_sale_info": pl.Struct(texts("after_sale_status refund_status")),
        "bundle_sku_info": pl.List(pl.Struct(texts("product_id sku_id code product_name item_num"))),
    }
)
PARCEL = pl.Struct(
    texts("tracking_no delivery_id")
    | {"product_info": pl.List(pl.Struct(texts("sku_order_id product_count")))}
)
STATUS = {
    **dict.fromkeys(["1", "103"], "wait_pay"),
    **dict.fromkeys(["2", "105"], "wait_ship"),
    "101": "partly_shipped",
    "3": "shipped",
    "5": "completed",
    **dict.fromkeys(["4", "21", "22", "39"], "closed"),
}
"""105 is paid and not released yet; 21, 22, 39 are paid back before shipping, after it, after receipt."""
AFTER_SALE = {
    "0": "none",
    **dict.fromkeys(["6", "7", "11"], "requested"),
    **dict.fromkeys(["12", "51", "53"], "refunded"),
    **dict.fromkeys(["27", "28", "29"], "none"),  # refused, failed, or withdrawn
    **dict.fromkeys(["13", "14"], "none"),  # an exchange: what was bought stays sold
}
REFUND = {"0": "none", "1": "requested", "3": "refunded", "4": "none"}
_GONE = ("3", "5", "22", "39")
_CLOSED = ("4", "21", "22", "39")
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_AMOUNTS = {"unit": "origin_amount", "price": "sum_amount", "pay": "pay_amount", "post": "post_amount"}


def fen(text: pl.Expr) -> pl.Expr:
    """Read whole fen; null where there is no such number."""
    return text.cast(pl.Int64, strict=False)


def code(text: pl.Expr) -> pl.Expr:
    """Give a code; the platform writes none as nothing or as 0."""
    found = given(text)
    return pl.when(found != "0").then(found)


def read_parcels(frame: pl.DataFrame, parcels: pl.Expr) -> pl.DataFrame:
    """Give how much of each line is in parcels: (`row`, `line_ref`, `sent`)."""
    found = frame.select("row", parcel=parcels).filter(pl.col("parcel").list.len() > 0)
    items = found.explode("parcel").select("row", item=pl.col("parcel").struct.field("product_info"))
    items = items.filter(pl.col("item").list.len() > 0).explode("item").unnest("item")
    return (
        items.filter(given(pl.col("sku_order_id")).is_not_null())
        .group_by("row", line_ref="sku_order_id")
        .agg(sent=count(pl.col("product_count")).fill_null(0).sum())
    )


def read_lines(frame: pl.DataFrame, lines: pl.Expr, parcels: pl.Expr) -> pl.DataFrame:
    """Give a row per line: the text fields, what is read of them, and what the line must know of its order."""
    named = frame.filter(pl.col("pieces") > 0).select(
        *("row", "total_minor", "postage_minor", "bundles_in_all"), order_state="status", source=lines
    )
    place = pl.int_range(1, pl.len() + 1).over("row").cast(pl.String)
    found = named.explode("source").unnest("source")
    found = found.with_columns(line_ref=pl.coalesce(given(pl.col("order_id")), place))
    found = found.join(
        read_parcels(frame, parcels), on=["row", "line_ref"], how="left", maintain_order="left"
    )
    told = pl.col("after_sale_info").struct
    after, refund = given(told.field("after_sale_status")), given(told.field("refund_status"))
    read = (
        pl.when(after.is_not_null()).then(translate(after, AFTER_SALE)).otherwise(translate(refund, REFUND))
    )
    asked = after.is_not_null() | refund.is_not_null()
    closed = pl.col("order_status").is_in(_CLOSED).fill_null(False)
    return found.with_columns(
        **{ours: fen(pl.col(theirs)) for ours, theirs in _AMOUNTS.items()},
        due=from_epoch(pl.col("exp_ship_time")),
        appointed=from_epoch(pl.col("appointment_ship_time")),
        pieces_read=count(pl.col("item_num")),
        is_gift=(pl.col("given_product_type") == "FREE").fill_null(False),
        gone=pl.col("order_status").is_in(_GONE).fill_null(False),
        strange_refund=pl.when(asked & read.is_null()).then(pl.coalesce(after, refund)),
        strange_status=pl.when(~pl.col("order_status").is_in(list(STATUS))).then(pl.col("order_status")),
        # an answer we do not know is taken for an open request: nothing leaves
        refund=pl.when(closed)
        .then(pl.lit("refunded"))
        .when(asked)
        .then(read.fill_null("requested"))
        .otherwise(pl.lit("none")),
    ).with_columns(quantity=pl.col("pieces_read").fill_null(0))


def _paid() -> pl.Expr:
    """What was paid for a line without postage; null where the shares do not add up to the order.

    A line's payment holds its share of the postage.
    """
    postage = pl.col("postage_minor").fill_null(0)
    goods = pl.col("total_minor") - postage
    payments = pl.col("pay").sum().over("row")
    bare = pl.col("pay") - pl.col("post").fill_null(0)
    known = (pl.col("pay").null_count() == 0).over("row")
    return (
        pl.when(~known).then(None)
        .when(bare.sum().over("row") == goods).then(bare)
        .when(payments == goods).then("pay")
    )  # fmt: skip


def _ours(lines: pl.DataFrame) -> pl.DataFrame:
    """Give (`row`, `lines`): one line of ours for each of theirs, or one for each part of a bundle.

    A part carries what the platform must be told: its bundle, and how many of these are left. What was paid for the
    part alone nobody says.
    """
    inside = pl.col("bundle_sku_info")
    lines = lines.with_columns(paid=_paid(), part=pl.when(inside.list.len() > 0).then(inside))
    found = lines.explode("part").with_columns(part_no=pl.int_range(1, pl.len() + 1).over("row", "line_ref"))
    part, is_part = pl.col("part").struct, pl.col("part").is_not_null()
    bundles = pl.col("quantity")
    in_part = count(part.field("item_num")).fill_null(0)
    in_all = pl.when("bundles_in_all").then(in_part).otherwise(in_part * bundles)
    quantity = pl.when(is_part).then(in_all).otherwise(bundles)
    sent = pl.min_horizontal(pl.col("sent").fill_null(0), bundles)
    part_sent = pl.when(bundles > 0).then(quantity * sent // bundles).otherwise(0)
    refunded = pl.when(pl.col("refund") == "refunded").then(quantity).otherwise(0)
    shipped = pl.when("gone").then(quantity).when(is_part).then(part_sent).otherwise(sent)

    def either(inside: pl.Expr, alone: pl.Expr) -> pl.Expr:
        return pl.when(is_part).then(inside).otherwise(alone)

    ours = line(
        line_ref=either(pl.format("{}:{}", "line_ref", "part_no"), pl.col("line_ref")),
        platform_sku=either(code(part.field("sku_id")), code(pl.col("sku_id"))),
        item_ref=either(
            code(part.field("product_id")),
            pl.coalesce(code(pl.col("product_id_str")), code(pl.col("product_id"))),
        ),
        merchant_code=either(
            code(part.field("code")),
            pl.coalesce([code(pl.col(n)) for n in ("code", "out_sku_id", "out_product_id")]),
        ),
        title=either(given(part.field("product_name")), given(pl.col("product_name"))),
        spec=either(
            pl.lit(None), given(pl.col("spec").list.eval(pl.element().struct.field("value")).list.join(";"))
        ),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, pl.col("order_state").is_in(_OPEN)),
        unit_price_minor=either(pl.lit(None), pl.when("is_gift").then(0).otherwise("unit")),
        paid_minor=either(pl.lit(None), pl.col("paid")),
        refund=pl.col("refund"),
        kind=pl.when(is_part).then(pl.lit("bundle_part"))
        .when("is_gift").then(pl.lit("gift"))
        .otherwise(pl.lit("goods")),
        parent_line_ref=pl.when(is_part).then("line_ref"),
        parent_quantity=pl.when(is_part).then(pl.when(sent < bundles).then(bundles - sent).otherwise(bundles)),
    )  # fmt: skip
    return found.select("row", line=ours).group_by("row", maintain_order=True).agg(lines=pl.col("line"))


def gather_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the sums and findings over them."""
    by_unit = pl.col("unit") * pl.col("pieces_read")
    waits = (
        (pl.col("quantity") > pl.col("sent").fill_null(0))
        & ~pl.col("gone")
        & (pl.col("refund") != "refunded")
    )
    unread = {
        f"bad_{ours}": given(pl.col(_AMOUNTS[read])).is_not_null() & pl.col(read).is_null()
        for ours, read in {"unit_price_minor": "unit", "paid_minor": "pay"}.items()
    }
    rows = lines.select(
        *("row", "strange_refund", "strange_status", "refund"),
        price=pl.when("is_gift").then(0).otherwise(pl.coalesce("price", by_unit)),
        due=pl.when(waits).then("due"),
        appointed=pl.when(waits).then("appointed"),
        unclear=(pl.col("order_status") == "101") & pl.col("sent").is_null(),
        presale=pl.col("pre_sale_type").is_in(["1", "2"]),
        serial_number=pl.col("need_serial_number").str.to_lowercase().is_in(["true", "1"]),
        strange_kind=pl.when(~pl.col("given_product_type").is_in(["", "FREE", "MASTER"])).then(
            pl.col("given_product_type")
        ),
        bad_quantity=pl.col("pieces_read").is_null(),
        **unread,
    )
    sums = rows.group_by("row", maintain_order=True).agg(
        goods_sum=pl.when(pl.col("price").null_count() == 0).then(pl.col("price").sum()),
        due=pl.col("due").min(),
        line_appointed=pl.col("appointed").max(),
        refund_open=(pl.col("refund") == "requested").any(),
        **{n: pl.col(n).drop_nulls().first() for n in ("strange_refund", "strange_status", "strange_kind")},
        **{n: pl.col(n).any() for n in ("unclear", "presale", "serial_number", "bad_quantity", *unread)},
    )
    return sums.join(_ours(lines), on="row", how="left", maintain_order="left")
