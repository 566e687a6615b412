"""JD's words for states and amounts, shared by the two gateways and the export."""

from __future__ import annotations

import polars as pl

STATUS = {
    "NOT_PAY": "wait_pay",
    **dict.fromkeys(["WAIT_SELLER_STOCK_OUT", "WAIT_SELLER_DELIVERY", "LOCKED"], "wait_ship"),
    **dict.fromkeys(["PAUSE", "POP_ORDER_PAUSE", "WAIT_SEND_CODE"], "wait_ship"),
    **dict.fromkeys(["DengDaiChuKu", "DengDaiFaHuo", "ZanTing"], "wait_ship"),
    **dict.fromkeys(["WAIT_GOODS_RECEIVE_CONFIRM", "DengDaiQueRenShouHuo"], "shipped"),
    **dict.fromkeys(["FINISHED_L", "WanCheng"], "completed"),
    **dict.fromkeys(["TRADE_CANCELED", "DELIVERY_RETURN", "PeiSongTuiHuo"], "closed"),
}
LOCKED = "LOCKED"
PAUSED = ("PAUSE", "POP_ORDER_PAUSE", "ZanTing")
OTHER_WAY = "WAIT_SEND_CODE"
RETURNED = ("DELIVERY_RETURN", "PeiSongTuiHuo")
CANCELLED = "TRADE_CANCELED"
ANY_TIME = ("任意时间", "时间不限", "不限")
NO_INVOICE = r"^(?:不需要|不开|无需|不用|无$)"
OPEN = ("wait_pay", "wait_ship", "partly_shipped")
MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor"),
)


def with_money(frame: pl.DataFrame) -> pl.DataFrame:
    """Add every amount of the order.

    `frame` has the amounts as read: `goods`, `postage`, `seller_off`, `seller_gets` (goods after the seller's
    discount), `pays` (what the buyer is asked for), `balance` (of the buyer's account, beside that), `listed` (the
    platform's discounts one by one, null where they are not told), and `cod`, `status`, `paid_at`.

    Whatever lies between what the seller gets and what the buyer pays is the platform's. Where the platform lists its
    discounts and they fit only without the balance, the balance is part of what the buyer pays.
    """
    zero = pl.lit(0, dtype=pl.Int64)
    off = pl.coalesce("seller_off", pl.col("goods") - pl.col("seller_gets"))
    worth = pl.col("goods") + pl.col("postage") - off
    inside = (worth - pl.col("listed") == pl.col("pays")).fill_null(False)
    total = pl.when(inside).then("pays").otherwise(pl.col("pays") + pl.col("balance").fill_null(0))
    gap = worth - total
    sound = (pl.col("goods") - off == pl.coalesce("seller_gets", pl.col("goods") - off)) & (gap >= 0)
    nothing = (pl.col("status") == "wait_pay") | (
        (pl.col("status") == "closed") & pl.col("paid_at").is_null()
    )
    # cash on delivery is received when the order is done
    unpaid = nothing | (pl.col("cod") & (pl.col("status") != "completed"))
    found = frame.with_columns(
        goods_minor=pl.col("goods"),
        postage_minor=pl.col("postage"),
        discount_seller_minor=off,
        discount_platform_minor=pl.when(sound)
        .then(gap)
        .when(gap.is_not_null())
        .then(pl.col("listed").fill_null(0))
        .otherwise("listed"),
        adjust_minor=zero,
        tax_added_minor=zero,
        total_minor=total,
        payment=pl.when("cod").then(pl.lit("cod")).otherwise(pl.lit("prepaid")),
    )
    received = pl.when(unpaid).then(zero).when(pl.col("known")).then("total_minor")
    return found.with_columns(
        received_minor=received,
        due_minor=pl.when(pl.col("status") == "closed")
        .then(zero)
        .otherwise((pl.col("total_minor") - received).clip(lower_bound=0)),
    )
