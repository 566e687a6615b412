"""Douyin's orders as the API gives them, in our words: entries of the list and answers of the detail call alike.

Amounts are whole fen, times seconds since 1970 (0: did not happen). Which fields come at all depends on what the
platform grants an app, so every one may be missing.

Source: the platform's descriptions of order.searchList and order.orderDetail as collected in the project's fact
sheet, November 2026.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import from_epoch
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    MONEY_FIELDS,
    Entry,
    Mapper,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    note,
    payload,
    privacy,
    recipient,
    texts,
    translate,
    unread,
    with_list,
)
from orderctl.model.regions import placed
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.douyin.lines import LINE, PARCEL, STATUS, fen, gather_lines, read_lines

_REGION = pl.Struct(texts("name id"))
_LABELS = pl.List(pl.Struct(texts("text")))
_TOTAL = pl.Struct(texts("total_amount"))
_ORDER = {
    **texts(
        "order_id order_type order_status main_status create_time pay_time update_time exp_ship_time appointment_ship_time"
        " pay_amount post_amount post_insurance_amount modify_amount packing_amount tax_amount promotion_amount"
        " promotion_shop_amount promotion_platform_amount promotion_talent_amount promotion_pay_amount pay_type"
        " doudian_open_id open_address_id post_receiver post_tel encrypt_post_receiver encrypt_post_tel"
        " mask_post_receiver mask_post_tel buyer_words seller_words seller_remark_stars"
    ),
    "post_addr": pl.Struct(
        {**dict.fromkeys(["province", "city", "town", "street"], _REGION), **texts("detail encrypt_detail")}
    ),
    "mask_post_addr": pl.Struct(texts("detail")),
    "promotion_detail": pl.Struct(
        dict.fromkeys(["shop_discount_detail", "platform_discount_detail", "kol_discount_detail"], _TOTAL)
    ),
    "order_phase_list": pl.List(pl.Struct(texts("pay_success phase_pay_amount"))),
    "logistics_info": pl.List(PARCEL),
    **dict.fromkeys(["shop_order_tag_ui", "user_tag_ui", "address_tag_ui"], _LABELS),
    "sku_order_list": pl.List(LINE),
}
PAY_TYPES = [*"01234578", "9", "12"]
CLOSED_UNSHIPPED = ["4"]
WITHOUT_PARCEL = ["2", "4", "5"]
"""Kinds of orders of which nothing is sent: virtual goods, vouchers of ours and of others."""
FLAGS = {"0": "grey", "1": "purple", "2": "cyan", "3": "green", "4": "orange", "5": "red"}
_AMOUNTS = {
    "total_minor": "pay_amount",
    "postage_minor": "post_amount",
    "insurance": "post_insurance_amount",
    "modified": "modify_amount",
    "packing": "packing_amount",
    "tax": "tax_amount",
    "off": "promotion_amount",
    "off_shop": "promotion_shop_amount",
    "off_platform": "promotion_platform_amount",
    "off_talent": "promotion_talent_amount",
    "off_pay": "promotion_pay_amount",
}
_TIMES = {
    "placed_at": "create_time",
    "paid_at": "pay_time",
    "modified_at": "update_time",
    "order_due": "exp_ship_time",
    "order_appointed": "appointment_ship_time",
}
_SIGNS = {"discount_seller_minor": -1, "discount_platform_minor": -1, "adjust_minor": 1}
_INDEX = r"^[#$]([^#$]+)[#$]"  # what equals for equal texts inside a ciphertext


def _theirs() -> pl.Expr:
    return pl.coalesce(given(payload("order_status")), given(payload("main_status")))


def _detail(name: str) -> pl.Expr:
    return fen(payload("promotion_detail").struct.field(name).struct.field("total_amount"))


def _read(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the orders with their texts read: amounts, times, status, the number of lines."""
    found = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32).set_sorted(),
        theirs=_theirs(),
        pieces=payload("sku_order_list").list.len().fill_null(0),
        bundles_in_all=(pl.col("facts").str.json_path_match("$.bundle_counts") == "all").fill_null(False),
        **{ours: fen(payload(text)) for ours, text in _AMOUNTS.items()},
        **{ours: from_epoch(payload(text)) for ours, text in _TIMES.items()},
    )
    # what we do not know is treated as waiting and held, so that a person looks at it
    return found.with_columns(
        status=translate(pl.col("theirs"), STATUS).fill_null("wait_ship"),
        off_shop=pl.coalesce("off_shop", _detail("shop_discount_detail")),
        off_platform=pl.coalesce("off_platform", _detail("platform_discount_detail")),
        off_talent=pl.coalesce("off_talent", _detail("kol_discount_detail")),
    )


def _discounts() -> dict[str, pl.Expr]:
    """Choose what the overlapping amounts mean: the reading under which the order adds up.

    What the talent bears (the presenter of the goods) is the seller's as little as what the platform bears, and stands
    with that. The change of a price is told beside prices that hold it already, or do not; packing and freight
    insurance are paid with the goods, or apart.
    """
    off, shop = pl.col("off"), pl.col("off_shop")
    platform = pl.coalesce("off_platform", pl.when(off == 0).then(0)) + pl.col("off_talent").fill_null(0)
    by_rest = off - platform
    seller = pl.coalesce(pl.when(shop + platform == off).then(shop), by_rest, shop)
    modified, packing = pl.col("modified").fill_null(0), pl.col("packing").fill_null(0)
    insurance = pl.col("insurance").fill_null(0)
    adjusts = (modified + packing, packing, modified, modified + packing + insurance, packing + insurance)
    readings = [
        {"discount_seller_minor": borne, "discount_platform_minor": platform, "adjust_minor": adjust}
        for borne in (seller, seller - pl.col("off_pay").fill_null(0))
        for adjust in adjusts
    ]
    rest = pl.col("total_minor") - pl.col("goods_minor") - pl.col("postage_minor") - pl.col("tax_added_minor")
    return first_balanced(rest, readings, _SIGNS)


def _phases_paid() -> pl.Expr:
    """Give what was paid of a presale in steps; null where no step is told."""
    paid = payload("order_phase_list").list.eval(
        pl.when(pl.element().struct.field("pay_success").str.to_lowercase().is_in(["true", "1"])).then(
            fen(pl.element().struct.field("phase_pay_amount"))
        )
    )
    return pl.when(payload("order_phase_list").list.len() > 0).then(paid.list.sum())


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    """Add every amount of the order; `frame` has the texts read as numbers and the sums over the lines."""
    frame = frame.with_columns(
        goods_minor=pl.col("goods_sum"), tax_added_minor=pl.col("tax").fill_null(0)
    ).with_columns(**_discounts())
    total, status, theirs = pl.col("total_minor"), pl.col("status"), pl.col("theirs")
    is_cod = ((given(payload("pay_type")) == "0") & (total > 0) & (status != "wait_pay")).fill_null(False)
    is_cod &= pl.col("paid_at").is_null()
    deposit = (theirs == "103").fill_null(False)
    unpaid = (status == "wait_pay") | (theirs.is_in(CLOSED_UNSHIPPED) & pl.col("paid_at").is_null())
    received = (
        pl.when(deposit).then(_phases_paid())
        .when(is_cod).then(pl.when(status == "completed").then(total).otherwise(0))
        .when(unpaid).then(0)
        .when(theirs.is_in(list(STATUS))).then(total)
    )  # fmt: skip
    return frame.with_columns(
        received_minor=received,
        due_minor=pl.when(status == "closed").then(0).otherwise((total - received).clip(lower_bound=0)),
        payment=pl.when(is_cod)
        .then(pl.lit("cod"))
        .when(deposit)
        .then(pl.lit("deposit"))
        .otherwise(pl.lit("prepaid")),
    )


def _recipients(frame: pl.DataFrame) -> pl.Series:
    address = payload("post_addr").struct
    names = {"province": "province", "city": "city", "district": "town", "town": "street"}
    where = frame.select(
        **{ours: given(address.field(theirs).struct.field("name")) for ours, theirs in names.items()}
    )
    name = pl.coalesce(given(payload("post_receiver")), given(payload("mask_post_receiver")))
    phone = pl.coalesce(given(payload("post_tel")), given(payload("mask_post_tel")))
    street = pl.coalesce(
        given(address.field("detail")), given(payload("mask_post_addr").struct.field("detail"))
    )
    virtual = r"^(1\d{10})-(\d{1,6})$"  # a number for this order only, with its extension
    ciphers = {
        "name": given(payload("encrypt_post_receiver")),
        "phone": given(payload("encrypt_post_tel")),
        "address": given(address.field("encrypt_detail")),
    }
    plain = given(payload("post_receiver")).is_not_null() & given(address.field("detail")).is_not_null()
    shut = ~plain & pl.any_horizontal([c.is_not_null() for c in ciphers.values()])
    blob = pl.struct([cipher.alias(part) for part, cipher in ciphers.items()]).struct.json_encode()
    key, kind = _match(ciphers)
    ours = recipient(
        name=name,
        phone=pl.coalesce(phone.str.extract(virtual, 1), phone),
        phone_ext=phone.str.extract(virtual, 2),
        country=pl.lit("CN"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=street,
        privacy=pl.when(shut).then(pl.lit("sealed")).otherwise(privacy(name, phone, street)),
        sealed=pl.when(shut).then(
            pl.struct(scheme=pl.lit("douyin/cipher"), ref=pl.lit(None, dtype=pl.String), blob=blob)
        ),
        match_key=key,
        match_kind=kind,
    )
    return frame.select("payload").hstack(placed(where)).select(recipient=ours)["recipient"]


def _match(ciphers: dict[str, pl.Expr]) -> tuple[pl.Expr, pl.Expr]:
    """Give the key that proves the same recipient, and its kind: the platform's, else the indexes of ciphertexts.

    Indexes are of the detailed address only, so the regions above it belong to the key.
    """
    ours = given(payload("open_address_id"))
    regions = [
        payload("post_addr").struct.field(part).struct.field("id").fill_null("")
        for part in ("province", "city", "town", "street")
    ]
    indexes = [cipher.str.extract(_INDEX, 1) for cipher in ciphers.values()]
    made = pl.concat_str([*indexes, *regions], separator="|")  # null if an index is missing
    kind = (
        pl.when(ours.is_not_null()).then(pl.lit("address_id"))
        .when(made.is_not_null()).then(pl.lit("index"))
        .otherwise(pl.lit("none"))
    )  # fmt: skip
    return pl.coalesce(ours, made), kind


def _tags() -> pl.Expr:
    labels = [
        payload(name).list.eval(given(pl.element().struct.field("text"))).fill_null([])
        for name in ("shop_order_tag_ui", "user_tag_ui", "address_tag_ui")
    ]
    ours = [
        pl.when(pl.col(name).fill_null(False))
        .then(pl.lit([name]))
        .otherwise(pl.lit([], dtype=pl.List(pl.String)))
        for name in ("presale", "serial_number")
    ]
    return pl.concat_list(*labels, *ours).list.drop_nulls().list.unique(maintain_order=True)


def _holds() -> list[Entry]:
    kind = given(payload("order_type"))
    theirs, until = pl.col("theirs"), pl.max_horizontal("order_appointed", "line_appointed")
    return [
        (~theirs.is_in(list(STATUS)).fill_null(False), hold("unknown_status", theirs)),
        (theirs == "105", hold("risk_review", "105")),
        (theirs == "103", hold("presale", "103")),
        (kind.is_in(WITHOUT_PARCEL), hold("no_parcel", kind)),
        (until.is_not_null(), hold("scheduled", "appointment_ship_time", until)),
        (pl.col("unclear"), hold("shipped_quantity_unknown", "101")),
    ]


def _problems(lines: pl.DataFrame) -> list[Entry]:
    names = {
        **{n: n for n in ("total_minor", "postage_minor")},
        "insurance": "adjust_minor",
        "modified": "adjust_minor",
        "packing": "adjust_minor",
        "tax": "tax_added_minor",
        "off": "discount_seller_minor",
        "off_shop": "discount_seller_minor",
        "off_platform": "discount_platform_minor",
        "off_talent": "discount_platform_minor",
        "off_pay": "discount_platform_minor",
    }
    bad: dict[str, pl.Expr] = {}
    for read, ours in names.items():
        text = given(payload(_AMOUNTS[read]))
        bad[ours] = bad.get(ours, pl.lit(False)) | (text.is_not_null() & pl.col(read).is_null())
    times = {
        ours: (payload(_TIMES[read]), read)
        for ours, read in {
            "placed_at": "placed_at",
            "paid_at": "paid_at",
            "updated_at": "modified_at",
            "ship_by": "order_due",
        }.items()
    }
    theirs, flag, pay = pl.col("theirs"), given(payload("seller_remark_stars")), given(payload("pay_type"))
    unread_lines = [name for name in lines.columns if name.startswith("bad_")]
    strange = {
        "strange_status": "lines.order_status",
        "strange_refund": "lines.refund",
        "strange_kind": "lines.given_product_type",
    }
    return [
        *[(where, finding("amount_unreadable", ours)) for ours, where in bad.items()],
        *unread("time_unreadable", times),
        *[(pl.col(n), finding("amount_unreadable", "lines." + n.removeprefix("bad_"))) for n in unread_lines],
        (~theirs.is_in(list(STATUS)).fill_null(False), finding("unknown_value", "status", theirs)),
        (~flag.is_in(list(FLAGS)), finding("unknown_value", "seller_remark_stars", flag)),
        (~pay.is_in(PAY_TYPES), finding("unknown_value", "pay_type", pay)),
        *[
            (pl.col(n).is_not_null(), finding("unknown_value", field, pl.col(n)))
            for n, field in strange.items()
        ],
    ]


def _orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = _read(frame)
    lines = gather_lines(read_lines(base, payload("sku_order_list"), payload("logistics_info")))
    flag = given(payload("seller_remark_stars"))
    known = _money(base.join(lines, on="row", how="left", maintain_order="left")).with_columns(
        _recipients(base),
        platform_ref=pl.coalesce(given(payload("order_id")), "platform_ref"),
        currency=pl.lit("CNY"),
        refund_open=pl.col("refund_open").fill_null(False),
        updated_at=pl.coalesce("modified_at", "updated_at"),
        ship_by=pl.coalesce("due", "order_due"),
        buyer_ref=given(payload("doudian_open_id")),
        buyer_note=note(payload("buyer_words")),
        seller_note=note(payload("seller_words")),
        seller_flag=pl.coalesce(translate(flag, FLAGS), flag),
        tags=_tags(),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    return finish(with_list(known, "problems", _problems(lines), PROBLEM))


ORDER = Mapper(
    "douyin/order",
    pl.Struct(_ORDER),
    _orders,
    tuple(name for name in MONEY_FIELDS if name not in ("tax_included_minor", "refunded_minor")),
)
