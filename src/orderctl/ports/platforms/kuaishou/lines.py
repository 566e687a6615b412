"""The lines of Kuaishou's orders, in our words: the one article an order is about, and what is sent along."""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import LINES, count, given, line, texts, to_ship, translate
from orderctl.ports.platforms.kuaishou.meaning import REFUND_ENDED, REFUND_OPEN, REFUND_WAYS

ITEM = pl.Struct(texts("itemId skuId skuNick goodsCode skuDesc itemTitle num originalPrice price"))
SUB = pl.Struct(
    {
        "subOrderBaseInfo": pl.Struct(texts("oid status")),
        "subOrderItemInfo": ITEM,
        "subOrderDeliveryInfo": pl.Struct(texts("deliveryNum")),
    }
)
REFUND = pl.Struct(texts("refundId refundStatus handlingWay"))
REFUND_WORDS = {
    **{str(state): "requested" for state in REFUND_OPEN},
    **{str(state): "none" for state in REFUND_ENDED},
    "60": "refunded",
}
STATUS = {
    "10": "wait_pay",
    "30": "wait_ship",
    "40": "shipped",
    "50": "shipped",
    "70": "completed",
    "80": "closed",
}
OTHER_WAYS = {"3": "exchange", "4": "reship", "5": "repair"}
_GONE = ("shipped", "completed")
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")


def fen(text: pl.Expr) -> pl.Expr:
    """Read a whole number of fen; null where it is missing or none."""
    clean = text.str.strip_chars()
    return pl.when(clean.str.contains(r"^-?[0-9]{1,15}$")).then(clean).cast(pl.Int64, strict=False)


def asked(frame: pl.DataFrame, refunds: pl.Expr) -> pl.DataFrame:
    """Give a row per order that has requests for refund: what they come to, and what is strange or to be told of them.

    The list holds the latest request alone; of several, an open one counts first. An exchange or a repair is no
    refund; a state or a way we do not know is taken for an open request: nothing leaves.
    """
    found = frame.select("row", refund=refunds).filter(pl.col("refund").list.len() > 0)
    found = found.explode("refund").unnest("refund")
    way, state = given(pl.col("handlingWay")), given(pl.col("refundStatus"))
    other = way.is_in(list(OTHER_WAYS)).fill_null(False)
    word = translate(state, REFUND_WORDS)
    known_ways = [*OTHER_WAYS, *(str(known) for known in REFUND_WAYS)]
    judged = found.select(
        "row",
        meant=pl.when(other).then(pl.lit("none")).otherwise(word.fill_null("requested")),
        strange=pl.when(word.is_null()).then(state.fill_null("?")).when(~way.is_in(known_ways)).then(way),
        tag=pl.when(other & (word == "requested"))
        .then(translate(way, OTHER_WAYS))
        .when(~other & (state == "12"))
        .then(pl.lit("refund_refused")),
    )
    meant = pl.col("meant")
    return judged.group_by("row", maintain_order=True).agg(
        asked=pl.when((meant == "requested").any())
        .then(pl.lit("requested"))
        .when((meant == "refunded").any())
        .then(pl.lit("refunded"))
        .otherwise(pl.lit("none")),
        strange_refund=pl.col("strange").drop_nulls().first(),
        refund_tags=pl.col("tag").drop_nulls().unique(maintain_order=True),
    )  # fmt: skip


def _item(item: pl.Expr) -> dict[str, pl.Expr]:
    field = item.struct.field
    return {
        "platform_sku": _number(field("skuId")),
        "item_ref": _number(field("itemId")),
        "merchant_code": pl.coalesce(given(field("skuNick")), given(field("goodsCode"))),
        "title": given(field("itemTitle")),
        "spec": given(field("skuDesc")),
    }


def _number(text: pl.Expr) -> pl.Expr:
    """Give an id; 0 means that there is none."""
    clean = given(text)
    return pl.when(clean != "0").then(clean)


def main_lines(item: pl.Expr) -> pl.Expr:
    """Build the line of the article an order is about, as a list of one, or of none where there is no article.

    Needs the columns `platform_ref status refund quantity left paid unit`: `left` are the pieces that left before.
    """
    quantity, status, refund = pl.col("quantity"), pl.col("status"), pl.col("refund")
    refunded = pl.when(refund == "refunded").then(quantity).otherwise(0)
    shipped = pl.when(status.is_in(_GONE)).then(quantity).otherwise("left")
    ours = line(
        line_ref=pl.col("platform_ref"),
        **_item(item),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, status.is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.col("paid"),
        refund=refund,
    )
    nothing = pl.lit([], dtype=LINES)
    return pl.when(item.is_not_null()).then(pl.concat_list(ours).cast(LINES)).otherwise(nothing)


def sub_lines(frame: pl.DataFrame, subs: pl.Expr) -> pl.DataFrame:
    """Give a row per order that has gifts or parts: `subs` in our words, and the findings over them.

    Each has a number of its own, by which the platform is told of it. What costs nothing is a gift; of what costs
    something nobody says which share of the order it is.
    """
    found = frame.select("row", order_status="status", order_refund="refund", sub=subs).filter(
        pl.col("sub").list.len() > 0
    )
    found = found.explode("sub").unnest("sub").with_columns(place=pl.int_range(1, pl.len() + 1).over("row"))
    item = pl.col("subOrderItemInfo")
    own = given(pl.col("subOrderBaseInfo").struct.field("status"))
    before = count(pl.col("subOrderDeliveryInfo").struct.field("deliveryNum")).fill_null(0)
    found = found.with_columns(
        pieces=count(item.struct.field("num")),
        unit=fen(item.struct.field("price")),
        own=own,
        # a part goes the way of its order unless it says otherwise; what we do not know stays here and is told
        state=translate(own, STATUS).fill_null(pl.col("order_status")),
        before=before,
    ).with_columns(quantity=pl.col("pieces").fill_null(0), gift=(pl.col("unit") == 0).fill_null(False))
    quantity = pl.col("quantity")
    refunded = pl.when(pl.col("order_refund") == "refunded").then(quantity).otherwise(0)
    shipped = (
        pl.when(pl.col("state").is_in(_GONE))
        .then(quantity)
        .otherwise(pl.min_horizontal(quantity, pl.col("before")))
    )
    goes = pl.col("state").is_in(_OPEN) & (pl.col("order_status") != "closed")
    ours = line(
        line_ref=pl.coalesce(
            given(pl.col("subOrderBaseInfo").struct.field("oid")),
            pl.lit("gift-") + pl.col("place").cast(pl.String),
        ),
        **_item(item),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, goes),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.when("gift").then(0),
        refund=pl.col("order_refund"),
        kind=pl.when("gift").then(pl.lit("gift")).otherwise(pl.lit("goods")),
    )
    strange = pl.when(~own.is_in(list(STATUS))).then(own)
    return found.select(
        "row", ours.alias("sub"), strange=strange, bad=pl.col("pieces").is_null(), shipped=shipped > 0
    ).group_by("row", maintain_order=True).agg(
        subs=pl.col("sub"),
        strange_sub=pl.col("strange").drop_nulls().first(),
        bad_sub=pl.col("bad").any(),
    ).with_columns(pl.col("subs").cast(LINES))  # fmt: skip
