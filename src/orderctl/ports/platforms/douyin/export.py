"""Douyin shop's order export: one row per child order, yuan, Beijing time.

Whether an amount stands once for the whole order (repeated on each row) or as each row's own share differs with the
columns a seller chose. Both readings are tried; the one under which the order adds up is taken.

Source: headings seen in public parsers.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import BEIJING
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    Entry,
    Mapper,
    count,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    is_set,
    line,
    note,
    payload,
    privacy,
    readable,
    recipient,
    sealed,
    to_ship,
    translate,
    unread,
    with_amounts,
    with_list,
    with_times,
)
from orderctl.model.regions import placed
from orderctl.model.schema import PROBLEM
from orderctl.ports.tables.layout import Layout

FORMAT = "douyin/export-csv"
_ORDER: dict[str, tuple[str, ...]] = {
    "主订单编号": ("主订单号", "父订单编号"),
    "支付方式": (),
    "收件人": ("收货人", "收货人姓名"),
    "收件人手机号": ("手机号", "收货人手机号", "联系电话"),
    "省": ("省份",),
    "市": ("城市",),
    "区": ("区县",),
    "街道": ("街道/镇", "乡镇街道"),
    "详细地址": ("收货地址",),
    "买家留言": ("留言",),
    "商家备注": ("备注",),
    "旗帜颜色": ("旗帜",),
    "订单提交时间": ("下单时间",),
    "支付完成时间": ("支付时间",),
    "订单完成时间": ("完成时间",),
    "订单类型": (),
}
_LINE: dict[str, tuple[str, ...]] = {
    "子订单编号": ("子订单号",),
    "选购商品": ("商品名称",),
    "商品规格": ("规格",),
    "商品数量": ("数量",),
    "商品ID": (),
    "商家编码": ("货号", "商品编码"),
    "商品单价": (),
    "商品金额": ("商品总金额",),
    "订单应付金额": ("应付金额",),
    "运费": ("邮费",),
    "优惠总金额": (),
    "平台优惠": (),
    "商家优惠": (),
    "达人优惠": (),
    "承诺发货时间": ("发货截止时间",),
    "订单状态": (),
    "取消原因": (),
    "售后状态": (),
    "流量来源": (),
    "达人ID": (),
}
LAYOUTS = (
    Layout(
        format=FORMAT,
        platform="douyin",
        columns={**_ORDER, **_LINE},
        needs=("主订单编号", "子订单编号", "选购商品", "订单状态"),
        order="主订单编号",
        ids=("主订单编号", "子订单编号"),
        rows="line",
        codes=("商品ID", "达人ID"),
        times=("订单提交时间", "支付完成时间", "承诺发货时间", "订单完成时间"),
        notes=("买家留言", "商家备注"),
        lines=tuple(_LINE),
        line_id="子订单编号",
    ),
)

STATUS = {
    "待支付": "wait_pay",
    "待付款": "wait_pay",
    "待发货": "wait_ship",
    "备货中": "wait_ship",
    "部分发货": "partly_shipped",
    "已发货": "shipped",
    "已完成": "completed",
    "已关闭": "closed",
    "已取消": "closed",
}
AFTER_SALE = {
    **dict.fromkeys(["无售后", "未售后", "售后关闭", "售后取消", "售后已取消", "退款关闭"], "none"),
    **dict.fromkeys(
        ["售后中", "售后处理中", "待商家处理", "退款中", "待退货", "待买家退货", "待商家收货"], "requested"
    ),
    **dict.fromkeys(["退款成功", "售后完成", "已退款", "已全额退款"], "refunded"),
}
FLAGS = {
    "灰": "grey",
    "紫": "purple",
    "青": "cyan",
    "绿": "green",
    "橙": "orange",
    "红": "red",
    "黄": "yellow",
    "蓝": "blue",
}
_AMOUNTS = {
    "unit": "商品单价",
    "amount": "商品金额",
    "due": "订单应付金额",
    "post": "运费",
    "off": "优惠总金额",
    "by_platform": "平台优惠",
    "by_seller": "商家优惠",
    "by_talent": "达人优惠",
}
_TIMES = {"placed_at": "订单提交时间", "paid_at": "支付完成时间"}
_SIGNS = {"goods": 1, "postage": 1, "seller": -1, "platform": -1, "total": -1}
_MONEY = (
    *("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor", "discount_seller_minor"),
    *("discount_platform_minor", "total_minor", "received_minor", "due_minor"),
)
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per child order, its texts read."""
    found = frame.select("row", source=payload("lines")).filter(pl.col("source").list.len() > 0)
    found = with_amounts(
        found.explode("source").unnest("source"), {name: pl.col(text) for name, text in _AMOUNTS.items()}
    )
    found = with_times(found, {"line_due": pl.col("承诺发货时间")}, BEIJING)
    after = given(pl.col("售后状态"))
    return found.with_columns(
        pieces=count(pl.col("商品数量")),
        theirs=given(pl.col("订单状态")),
        ours=translate(given(pl.col("订单状态")), STATUS),
        strange_after=pl.when(~after.is_in([*AFTER_SALE, "-"])).then(after),
        # a state we do not know is taken for an open request: nothing leaves
        refund=translate(after, AFTER_SALE).fill_null(
            pl.when(after.is_not_null()).then(pl.lit("requested")).otherwise(pl.lit("none"))
        ),
    ).with_columns(quantity=pl.col("pieces").fill_null(0))


def _line() -> pl.Expr:
    """Build one line of ours of a child order."""
    quantity = pl.col("quantity")
    back = (pl.col("refund") == "refunded") | (pl.col("ours") == "closed").fill_null(False)
    refunded = pl.when(back).then(quantity).otherwise(0)
    shipped = (
        pl.when(pl.col("ours").is_in(["shipped", "completed"]).fill_null(False)).then(quantity).otherwise(0)
    )
    return line(
        line_ref=given(pl.col("子订单编号")),
        item_ref=given(pl.col("商品ID")),
        merchant_code=given(pl.col("商家编码")),
        title=given(pl.col("选购商品")),
        spec=given(pl.col("商品规格")),
        quantity=quantity,
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, refunded, shipped, pl.lit(True)),
        unit_price_minor=pl.coalesce("unit", pl.when(quantity == 1).then("amount")),
        paid_minor=pl.col("due") - pl.col("post").fill_null(0),  # taken back where it is the whole order's
        refund=pl.when(back).then(pl.lit("refunded")).otherwise("refund"),
    )


def _gathered(lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines`, and each amount as the first row's (`_one`) and as the sum (`_all`)."""
    by_unit = pl.col("unit") * pl.col("pieces")
    plain = pl.coalesce(by_unit, "amount")
    bad = {
        f"bad_{ours}": given(pl.col(_AMOUNTS[read])).is_not_null() & pl.col(read).is_null()
        for ours, read in {
            "lines.unit_price_minor": "unit", "goods_minor": "amount", "total_minor": "due", "postage_minor": "post",
            "discount_seller_minor": "by_seller", "discount_platform_minor": "by_platform",
        }.items()
    }  # fmt: skip
    waits = pl.col("ours").is_in(_OPEN).fill_null(True) & (pl.col("refund") != "refunded")
    rows = lines.select(
        "row", "line_due", "refund", "theirs", "ours", "strange_after",
        *("due", "post", "off", "by_platform", "by_seller", "by_talent"),
        line=_line(), plain=plain, times=pl.coalesce(by_unit, pl.col("amount") * pl.col("pieces")),
        waiting_due=pl.when(waits).then("line_due"),
        bad_due=is_set(pl.col("承诺发货时间")) & pl.col("line_due").is_null(),
        bad_quantity=pl.col("pieces").is_null(), **bad,
    )  # fmt: skip
    doubled = ("due", "post", "off", "by_platform", "by_seller", "by_talent")
    states = pl.col("ours")
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        rows=pl.len(),
        plain=pl.when(pl.col("plain").null_count() == 0).then(pl.col("plain").sum()),
        times=pl.when(pl.col("times").null_count() == 0).then(pl.col("times").sum()),
        **{f"{n}_one": pl.col(n).first() for n in doubled},
        **{f"{n}_all": pl.when(pl.col(n).null_count() == 0).then(pl.col(n).sum()) for n in doubled},
        refund_open=(pl.col("refund") == "requested").any(),
        strange=pl.col("theirs").filter(states.is_null()).first(),
        strange_after=pl.col("strange_after").drop_nulls().first(),
        live=states.filter(states != "closed").drop_nulls().unique(),
        # of an order that waits for nothing more any promise is shown
        ship_by=pl.coalesce(pl.col("waiting_due").min(), pl.col("line_due").min()),
        unread_due=pl.col("bad_due").any(),
        partly=(states == "partly_shipped").any(),
        **{n: pl.col(n).any() for n in ("bad_quantity", *bad)},
    )


def _status() -> pl.Expr:
    """Tell the order's state from its rows': what is closed does not count while anything else is alive."""
    live = pl.col("live")

    def has(name: str) -> pl.Expr:
        return live.list.contains(pl.lit(name))

    gone = has("shipped") | has("completed")
    return (
        pl.when(has("wait_pay")).then(pl.lit("wait_pay"))
        .when(has("partly_shipped") | (has("wait_ship") & gone)).then(pl.lit("partly_shipped"))
        .when(has("wait_ship") | pl.col("strange").is_not_null()).then(pl.lit("wait_ship"))
        .when(has("shipped")).then(pl.lit("shipped"))
        .when(has("completed")).then(pl.lit("completed"))
        .otherwise(pl.lit("closed"))
    )  # fmt: skip


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    readings = []
    for each in ("one", "all"):
        for goods in ("plain", "times"):
            talent = pl.col(f"by_talent_{each}").fill_null(0)
            borne = pl.col(f"by_platform_{each}")  # by others than the seller: the presenter, too
            shared = pl.coalesce(
                pl.col(f"by_seller_{each}"), pl.col(f"off_{each}") - borne.fill_null(0) - talent
            )
            readings.append(
                {
                    "goods": pl.col(goods),
                    "postage": pl.col(f"post_{each}"),
                    "seller": shared,
                    "platform": borne + talent,
                    "total": pl.col(f"due_{each}"),
                }
            )  # fmt: skip
    # nothing balances: an amount that is the same on every row was repeated, else it was divided
    same = pl.col("due_one") * pl.col("rows") == pl.col("due_all")
    chosen = first_balanced(pl.lit(0, dtype=pl.Int64), readings, _SIGNS)
    odd = pl.sum_horizontal([chosen[n] * s for n, s in _SIGNS.items()]) != 0
    total = pl.when(odd & ~same).then("due_all").otherwise(chosen["total"])
    found = frame.with_columns(
        goods_minor=chosen["goods"],
        postage_minor=chosen["postage"],
        discount_seller_minor=chosen["seller"],
        discount_platform_minor=chosen["platform"],
        total_minor=total,
        adjust_minor=pl.lit(0, dtype=pl.Int64),
        tax_added_minor=pl.lit(0, dtype=pl.Int64),
    )
    cod = (pl.col("payment") == "cod") & (pl.col("status") != "completed")
    received = pl.when((pl.col("status") == "wait_pay") | cod).then(0).when(_paid()).then("total_minor")
    return found.with_columns(
        received_minor=received,
        due_minor=pl.when(pl.col("status") == "closed").then(0).otherwise(pl.col("total_minor") - received),
    )


def _paid() -> pl.Expr:
    return pl.col("paid_at").is_not_null() | pl.col("status").is_in(
        ["shipped", "completed", "wait_ship", "partly_shipped"]
    )


def _recipients(frame: pl.DataFrame) -> pl.Series:
    where = frame.select(province=_head("省"), city=_head("市"), district=_head("区"), town=_head("街道"))
    name, phone, street = (given(_head(n)) for n in ("收件人", "收件人手机号", "详细地址"))
    hidden = privacy(name, phone, street)
    ours = recipient(
        name=readable(name),
        phone=readable(phone),
        country=pl.lit("CN"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=readable(street),
        privacy=hidden,
        sealed=pl.when(hidden == "sealed").then(
            sealed("douyin/cipher", name=name, phone=phone, address=street)
        ),
    )
    return frame.select("payload").hstack(placed(where)).select(recipient=ours)["recipient"]


def _problems(lines: pl.DataFrame) -> list[Entry]:
    flag = given(_head("旗帜颜色")).str.strip_suffix("色")
    bad = [n for n in lines.columns if n.startswith("bad_")]
    fields = {"bad_quantity": "lines.quantity"}
    return [
        *unread("time_unreadable", {name: (_head(text), name) for name, text in _TIMES.items()}),
        (pl.col("unread_due"), finding("time_unreadable", "ship_by")),
        *[(pl.col(n), finding("amount_unreadable", fields.get(n, n.removeprefix("bad_")))) for n in bad],
        (pl.col("strange").is_not_null(), finding("unknown_value", "订单状态", pl.col("strange"))),
        (
            pl.col("strange_after").is_not_null(),
            finding("unknown_value", "售后状态", pl.col("strange_after")),
        ),
        (~flag.is_in([*FLAGS, "-", "无"]), finding("unknown_value", "旗帜颜色", flag)),
    ]


def _settled_lines() -> pl.Expr:
    """Give the lines, without payments where only the order's is known, and with nothing to ship of an order that is over."""
    line = pl.element().struct
    unpaid = line.with_fields(paid_minor=pl.lit(None, dtype=pl.Int64))
    over = line.with_fields(quantity_to_ship=pl.lit(0, dtype=pl.Int64))
    shared = (pl.col("rows") == 1) | (pl.col("total_minor") == pl.col("due_all")).fill_null(False)
    told = pl.when(shared).then("lines").otherwise(pl.col("lines").list.eval(unpaid))
    return pl.when(pl.col("status").is_in(_OPEN)).then(told).otherwise(told.list.eval(over))


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = frame.select(*ENVELOPE, "payload", row=pl.int_range(pl.len(), dtype=pl.UInt32))
    base = with_times(base, {name: _head(text) for name, text in _TIMES.items()}, BEIJING)
    lines = _gathered(_lines(base))
    cod = _head("支付方式").str.contains("货到付款", literal=True).fill_null(False)
    flag = given(_head("旗帜颜色")).str.strip_suffix("色")
    known = base.join(lines, on="row", how="left", maintain_order="left").with_columns(
        status=_status(), payment=pl.when(cod).then(pl.lit("cod")).otherwise(pl.lit("prepaid"))
    )
    known = _money(known).with_columns(
        _recipients(base),
        platform_ref=pl.coalesce(given(_head("主订单编号")), "platform_ref"),
        lines=_settled_lines(),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund_open").fill_null(False),
        buyer_note=note(_head("买家留言")),
        seller_note=note(_head("商家备注")),
        seller_flag=pl.coalesce(translate(flag, FLAGS), pl.when(flag != "无").then(flag)),
    )
    holds = [
        (pl.col("strange").is_not_null(), hold("unknown_status", pl.col("strange"))),
        (pl.col("partly"), hold("shipped_quantity_unknown", "部分发货")),
    ]
    known = with_list(known, "holds", holds, HOLD)
    return finish(with_list(known, "problems", _problems(lines), PROBLEM))


MAPPER = Mapper(
    FORMAT,
    pl.Struct(
        {
            "head": pl.Struct(dict.fromkeys(_ORDER, pl.String())),
            "lines": pl.List(pl.Struct(dict.fromkeys(_LINE, pl.String()))),
        }
    ),
    _to_orders,
    _MONEY,
)
