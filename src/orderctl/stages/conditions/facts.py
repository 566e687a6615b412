"""The published table of facts: every name a condition may use, what it holds and where it comes from.

A fact is a column over `shipment/1`. A list fact that is empty is known to be empty; any other fact that is null is
*unknown*. Facts of a merged shipment that each order has for itself (platform, shop, notes) are lists: a comparison
holds when it holds for any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from orderctl.model.instant import FORMAT, parse_instant
from orderctl.model.records import ShipmentLine
from orderctl.model.regions import province_full
from orderctl.model.schema import SHIPMENT, fields
from orderctl.stages.normalizing.wishes import standing

Kind = Literal["text", "texts", "province", "city", "whole", "instant", "flag"]
Known = Literal["merge", "warehouse", "courier"]

DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "province": pl.String(),
    "city": pl.String(),
    "instant": pl.String(),
    "whole": pl.Int64(),
    "flag": pl.Boolean(),
    "texts": pl.List(pl.String()),
}
CITY_ENDING = r"(?:市|地区|盟)$"


@dataclass(frozen=True)
class Moment:
    """The instant a decision is made at and the zone its hours and dates are told in."""

    now: str | None
    zone: str

    @property
    def local(self) -> datetime | None:
        """Give the instant on the wall clock of the zone, or None."""
        return parse_instant(self.now).astimezone(ZoneInfo(self.zone)) if self.now else None


@dataclass(frozen=True)
class Fact:
    """One name: its kind, its column, from which step of routing it is known, and what it means."""

    kind: Kind
    column: Callable[[Moment], pl.Expr]
    en: str
    zh: str
    known: Known = "merge"
    none: int | None = None  # what a missing value is known to be, where it is known

    def read(self, moment: Moment) -> pl.Expr:
        """Give the column over a batch of shipments, in the type of its kind."""
        column = self.column(moment).cast(DTYPES[self.kind])
        return column if self.none is None else column.fill_null(self.none)


def comparable(name: pl.Expr, kind: Kind) -> pl.Expr:
    """Give place names in one form, so that short and full ones are equal (新疆 and 新疆维吾尔自治区, 杭州 and 杭州市)."""
    if kind == "province":
        return province_full(name)
    return name.str.replace(CITY_ENDING, "") if kind == "city" else name


def _own(name: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: pl.col(name)


def _of_recipient(name: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: pl.col("recipient").struct.field(name)


def _each_order(name: str) -> pl.Expr:
    return pl.col("orders").list.eval(pl.element().struct.field(name)).list.drop_nulls()


def _of_orders(*names: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: pl.concat_list([_each_order(n) for n in names])


def _earliest(name: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: _each_order(name).list.min()


def _latest(name: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: _each_order(name).list.max()


def _of_lines(name: str) -> Callable[[Moment], pl.Expr]:
    return lambda _: pl.col("lines").list.eval(pl.element().struct.field(name))


def _wished(kind: str, *, avoid: bool = False) -> Callable[[Moment], pl.Expr]:
    return lambda _: _of_wishes(standing(kind, avoid=avoid))


def _wish_kinds(*, avoid: bool) -> Callable[[Moment], pl.Expr]:
    wish = pl.element().struct
    kinds = wish.field("kind").filter(wish.field("avoid").fill_null(False) == avoid)
    return lambda _: _of_wishes(kinds).list.unique(maintain_order=True)


def _of_wishes(values: pl.Expr) -> pl.Expr:
    one = pl.element().struct.field("wishes").list.eval(values)
    return pl.col("orders").list.eval(one.list.explode(empty_as_null=False)).list.drop_nulls()


def _asked_day(kinds: tuple[str, ...], *, latest: bool) -> Callable[[Moment], pl.Expr]:
    """Give the beginning of the latest day that is asked for, or the last second of the earliest one."""

    def column(moment: Moment) -> pl.Expr:
        days = pl.concat_list([_of_wishes(standing(kind, avoid=False)) for kind in kinds])
        day = days.list.max() if latest else days.list.min()
        start = day.str.to_datetime("%Y-%m-%d", strict=False, time_unit="ms")
        wanted = start if latest else start.dt.offset_by("1d")
        there = wanted.dt.replace_time_zone(moment.zone, ambiguous="earliest", non_existent="null")
        exact = there if latest else there.dt.offset_by("-1s")
        return exact.dt.convert_time_zone("UTC").dt.strftime(FORMAT)

    return column


def _tags(_: Moment) -> pl.Expr:
    of_orders = pl.col("orders").list.eval(
        pl.element().struct.field("tags").list.explode(empty_as_null=False)
    )
    return pl.concat_list(pl.col("tags"), of_orders).list.unique(maintain_order=True)


def _street(_: Moment) -> pl.Expr:
    recipient = pl.col("recipient")
    whole = pl.concat_str(
        [recipient.struct.field("street"), recipient.struct.field("address_lines").list.join(" ")],
        separator=" ",
        ignore_nulls=True,
    ).str.strip_chars()
    return pl.when(whole != "").then(whole)


def _hours_left(moment: Moment) -> pl.Expr:
    if moment.now is None:
        return pl.lit(None, dtype=pl.Int64)
    until = pl.col("ship_by").str.to_datetime(FORMAT, time_unit="ms", strict=False)
    seconds = (until - parse_instant(moment.now).replace(tzinfo=None)).dt.total_seconds()
    return (seconds // 3600).cast(pl.Int64)


def _clock(read: Callable[[datetime], int]) -> Callable[[Moment], pl.Expr]:
    return lambda moment: pl.lit(read(moment.local) if moment.local else None, dtype=pl.Int64)


FACTS: Mapping[str, Fact] = {
    # --- where to
    "country": Fact("text", _of_recipient("country"), "country, ISO 3166-1 alpha-2", "国家（两位代码）"),
    "province": Fact(
        "province",
        _of_recipient("province"),
        "province; short and full names are equal",
        "省份（简称全称均可）",
    ),
    "city": Fact("city", _of_recipient("city"), "city, with or without 市", "城市（可省略“市”）"),
    "district": Fact(
        "text",
        _of_recipient("district"),
        "district or county; asked for by its short or full name",
        "区县（简称全称均可）",
    ),
    "town": Fact(
        "text",
        _of_recipient("town"),
        "town or subdistrict; asked for by its short or full name",
        "乡镇街道（简称全称均可）",
    ),
    "street": Fact("text", _street, "street and further address lines", "详细地址"),
    "postcode": Fact("text", _of_recipient("postcode"), "postcode", "邮编"),
    "privacy": Fact(
        "text", _of_recipient("privacy"), "plain, masked or sealed recipient", "收件信息：明文/脱敏/加密"
    ),
    # --- where from
    "platform": Fact("texts", _of_orders("platform"), "platform of any order", "平台"),
    "shop": Fact("texts", _of_orders("shop"), "shop of any order", "店铺"),
    "payment": Fact(
        "texts", _of_orders("payment"), "prepaid, cod, deposit or credit, of any order", "支付方式"
    ),
    "merge_orders": Fact(
        "whole",
        lambda _: pl.col("orders").list.len().cast(pl.Int64),
        "number of orders in it",
        "合并的订单数",
    ),
    "purpose": Fact("text", _own("purpose"), "sale, resend, exchange or return", "用途"),
    "buyer_orders": Fact(
        "whole",
        _own("buyer_orders"),
        "paid orders of the buyer (one account of one shop) before this, as far as fetch has read them",
        "买家此前的付款订单数（同店同账号，以已抓取的为准）",
    ),
    "buyer_spent_minor": Fact(
        "whole",
        _own("buyer_spent_minor"),
        "what those came to, less refunds, in the currency of the shipment, minor units",
        "买家此前实付金额（分，已减退款）",
    ),
    "buyer_returns": Fact(
        "whole",
        _own("buyer_returns"),
        "how many of those were refunded, wholly or in part, or closed",
        "买家此前退款或关闭的订单数",
    ),
    "tags": Fact("texts", _tags, "tags of the shipment and its orders", "标签"),
    # --- what people wrote
    "note": Fact(
        "texts", _of_orders("buyer_note", "seller_note"), "any buyer or seller note", "任一买家留言或卖家备注"
    ),
    "buyer_note": Fact("texts", _of_orders("buyer_note"), "what the buyer wrote", "买家留言"),
    "seller_note": Fact("texts", _of_orders("seller_note"), "what the seller wrote", "卖家备注"),
    "seller_flag": Fact("texts", _of_orders("seller_flag"), "the seller's flag", "卖家旗标"),
    "wish_courier": Fact(
        "texts",
        _wished("courier"),
        "courier asked for in a note; the seller's word replaces the buyer's",
        "备注想要的快递；卖家备注优先",
    ),
    "avoid_courier": Fact(
        "texts", _wished("courier", avoid=True), "courier a note asks to avoid", "备注不要的快递"
    ),
    "wish_service": Fact("texts", _wished("service"), "service asked for in a note", "备注想要的服务"),
    "wish_delivery": Fact(
        "texts", _wished("delivery"), "where a note wants it left: door, station, ...", "备注想要的投递方式"
    ),
    "wish_packaging": Fact("texts", _wished("packaging"), "packaging asked for in a note", "备注想要的包装"),
    "wish_ship_from": Fact(
        "instant",
        _asked_day(("ship_on", "ship_from"), latest=True),
        "beginning of the day before which a note wants nothing shipped",
        "备注要求最早发货时间",
    ),
    "wish_ship_by": Fact(
        "instant",
        _asked_day(("ship_on", "ship_by"), latest=False),
        "end of the last day on which a note wants it shipped",
        "备注要求最晚发货时间",
    ),
    "wish": Fact(
        "texts", _wish_kinds(avoid=False), "kinds of what notes and options ask for", "备注或选项的各类要求"
    ),
    "avoid": Fact(
        "texts",
        _wish_kinds(avoid=True),
        "kinds of what notes refuse: call, invoice, ...",
        "备注拒绝的各类事项",
    ),
    # --- what is in it
    "sku": Fact("texts", _of_lines("sku"), "SKU of any line", "任一明细的 SKU"),
    "title": Fact("texts", _of_lines("title"), "title of any line", "任一明细的商品标题"),
    "trait": Fact(
        "texts",
        lambda _: pl.col("lines").list.eval(
            pl.element().struct.field("goods_traits").list.explode(empty_as_null=False)
        ),
        "goods trait of any line (liquid, battery, fragile, ...)",
        "任一明细的商品属性",
    ),
    "quantity": Fact(
        "whole",
        lambda _: _of_lines("quantity")(_).list.sum().cast(pl.Int64),
        "pieces in the shipment",
        "总件数",
    ),
    "line_count": Fact(
        "whole", lambda _: pl.col("lines").list.len().cast(pl.Int64), "number of lines", "明细行数"
    ),
    "weight_g": Fact("whole", _own("weight_g"), "weight in grams", "重量（克）"),
    "length_mm": Fact("whole", _own("length_mm"), "length in millimetres", "长（毫米）"),
    "width_mm": Fact("whole", _own("width_mm"), "width in millimetres", "宽（毫米）"),
    "height_mm": Fact("whole", _own("height_mm"), "height in millimetres", "高（毫米）"),
    "volume_cm3": Fact(
        "whole",
        lambda _: pl.col("length_mm") * pl.col("width_mm") * pl.col("height_mm") // 1000,
        "length x width x height in cubic centimetres, rounded down",
        "体积（立方厘米，舍去小数）",
    ),
    # --- what it is worth
    "currency": Fact("text", _own("currency"), "currency, ISO 4217", "币种"),
    "total_minor": Fact("whole", _own("total_minor"), "total in minor units (cents, 分)", "总金额（分）"),
    "collect_minor": Fact(
        "whole",
        _own("collect_minor"),
        "to be collected at the door, minor units; 0: nothing",
        "代收金额（分），无则为 0",
        none=0,
    ),
    "insured_minor": Fact(
        "whole",
        _own("insured_minor"),
        "insured value, minor units; 0: not insured",
        "保价金额（分），不保价为 0",
        none=0,
    ),
    # --- when
    "placed_at": Fact(
        "instant", _earliest("placed_at"), "first order placed; a date means its whole day", "最早下单时间"
    ),
    "paid_at": Fact(
        "instant", _earliest("paid_at"), "first order paid; a date means its whole day", "最早付款时间"
    ),
    "last_placed_at": Fact(
        "instant", _latest("placed_at"), "last order placed; a date means its whole day", "最晚下单时间"
    ),
    "last_paid_at": Fact(
        "instant", _latest("paid_at"), "last order paid; a date means its whole day", "最晚付款时间"
    ),
    "ship_by": Fact(
        "instant", _own("ship_by"), "promised shipping time; a date means its whole day", "承诺发货时间"
    ),
    "ship_by_hours_left": Fact(
        "whole", _hours_left, "whole hours left until ship_by, rounded down", "距承诺发货的整小时数"
    ),
    "now": Fact("instant", lambda m: pl.lit(m.now, dtype=pl.String), "the time of routing", "当前时间"),
    "hour": Fact(
        "whole",
        _clock(lambda t: t.hour),
        "hour of the day of routing, 0 to 23, in `timezone`",
        "当前小时（0–23）",
    ),
    "minute_of_day": Fact(
        "whole",
        _clock(lambda t: t.hour * 60 + t.minute),
        "minutes since midnight in `timezone`: 17:30 is 1050",
        "当日零点起的分钟数（17:30 为 1050）",
    ),
    "weekday": Fact(
        "whole", _clock(lambda t: t.isoweekday()), "weekday of routing, 1 Monday to 7 Sunday", "星期（1–7）"
    ),
    # --- what routing has chosen so far
    "warehouse": Fact("text", _own("warehouse"), "the warehouse chosen", "已选仓库", "warehouse"),
    "courier": Fact("text", _own("courier"), "the courier chosen", "已选快递", "courier"),
    "service": Fact("text", _own("service"), "the courier's service chosen", "已选快递产品", "courier"),
}


@dataclass(frozen=True)
class LineFact:
    """One name inside `any_line`, `all_lines` and `sum_lines`."""

    kind: Kind
    column: Callable[[pl.Expr], pl.Expr]
    en: str
    zh: str


def _field(name: str) -> Callable[[pl.Expr], pl.Expr]:
    return lambda line: line.struct.field(name)


LINE_FACTS: Mapping[str, LineFact] = {
    "sku": LineFact("text", _field("sku"), "our SKU", "SKU"),
    "platform_sku": LineFact("text", _field("platform_sku"), "the platform's SKU", "平台 SKU"),
    "item_ref": LineFact("text", _field("item_ref"), "the platform's item", "平台商品"),
    "merchant_code": LineFact("text", _field("merchant_code"), "the code typed at the platform", "商家编码"),
    "title": LineFact("text", _field("title"), "title", "商品标题"),
    "spec": LineFact("text", _field("spec"), "variant as shown to the buyer", "规格"),
    "kind": LineFact("text", _field("kind"), "goods, gift, bundle_part or service", "类型"),
    "refund": LineFact("text", _field("refund"), "none, requested, partly or refunded", "退款状态"),
    "origin": LineFact("text", _field("origin"), "country of origin", "原产国"),
    "hs_code": LineFact("text", _field("hs_code"), "customs tariff number", "海关编码"),
    "trait": LineFact("texts", _field("goods_traits"), "goods traits", "商品属性"),
    "quantity": LineFact("whole", _field("quantity"), "pieces of the line in this shipment", "件数"),
    "unit_price_minor": LineFact(
        "whole", _field("unit_price_minor"), "price of one, minor units", "单价（分）"
    ),
    "paid_minor": LineFact(
        "whole", _field("paid_minor"), "paid for the whole line, minor units", "实付（分）"
    ),
    "unit_weight_g": LineFact("whole", _field("unit_weight_g"), "weight of one in grams", "单件重量（克）"),
    "weight_g": LineFact(
        "whole",
        lambda line: line.struct.field("unit_weight_g") * line.struct.field("quantity"),
        "weight of the line in grams",
        "整行重量（克）",
    ),
}
HISTORY = ("buyer_orders", "buyer_spent_minor", "buyer_returns")
"""Facts that no batch holds: what is not joined to it (`stages.history`) is unknown."""
_LINE_BASED = {"lines", "sku", "title", "trait", "quantity", "line_count"}
ORDER_OF_STEPS: tuple[Known, ...] = ("merge", "warehouse", "courier")


def known_at(step: Known) -> dict[str, Fact]:
    """Give the facts that are known when `step` has been taken."""
    allowed = ORDER_OF_STEPS[: ORDER_OF_STEPS.index(step) + 1]
    return {name: fact for name, fact in FACTS.items() if fact.known in allowed}


def facts_frame(shipments: pl.DataFrame, names: Iterable[str], moment: Moment) -> pl.DataFrame:
    """Give one narrow column for each fact of `names`, and `lines` when it is among them; rows as in `shipments`.

    A line of which nothing is shipped (refunded, already gone) stays in its shipment, but is no fact of it.
    """
    names = set(names)
    absent = [name for name in HISTORY if name in names and name not in shipments.columns]
    shipments = shipments.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in absent)
    goes = pl.element().filter(pl.element().struct.field("quantity") > 0)
    columns = [
        pl.col("lines") if name == "lines" else FACTS[name].read(moment).alias(name) for name in sorted(names)
    ]
    counted = shipments.with_columns(pl.col("lines").list.eval(goes)) if _LINE_BASED & names else shipments
    return counted.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), *columns)


LINE_FIELD_TYPES = pl.Struct(fields(ShipmentLine)).fields
LINES_DTYPE = SHIPMENT["lines"]
