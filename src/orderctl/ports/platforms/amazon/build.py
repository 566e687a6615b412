"""What an Amazon order says, whichever way it was told, in our words.

Readers (both versions of the API, the reports of the back office) give two frames, HEADS and LINES; all meaning is
here, so the same order comes out the same whichever way it came.

Two readings are nowhere promised and therefore judged by the total: whether prices hold the tax, and whether a
discount's own tax was taken off. Where no reading adds up the tax terms stay unknown; nothing is forced to fit.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    Entry,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    line,
    note,
    recipient,
    to_ship,
    translate,
    wish,
    with_list,
)
from orderctl.model.regions import placed, province_of_code
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.amazon.marketplaces import MARKETPLACES, TAX_ON_TOP

TEXTS = pl.List(pl.String())
HEAD_TEXTS = (
    *("ref", "word", "channel", "marketplace", "currency", "pay_method", "service"),
    *("email", "name", "company", "line1", "line2", "line3", "city", "district", "town", "state", "postcode"),
    *("country", "phone", "tax_id", "instruction", "drop_off"),
)
"""Texts as written; `word` is the status, `channel` who fulfils."""
HEAD_TIMES = ("placed_at", "updated", "ship_by", "starts_at", "label_from")
HEAD_AMOUNTS = ("total", "cod", "whole_goods", "whole_postage", "whole_fees", "whole_tax", "whole_discount")
"""Minor units; `whole_*` are told of the whole order and outweigh the sums over its lines."""
HEADS = pl.Schema(
    {
        **dict.fromkeys(HEAD_TEXTS, pl.String()),
        **dict.fromkeys(HEAD_TIMES, pl.String()),
        **dict.fromkeys(HEAD_AMOUNTS, pl.Int64()),
        "status": pl.String(),
        "by_amazon": pl.Boolean(),
        "programs": TEXTS,
        "bad_amounts": TEXTS,
        "bad_times": TEXTS,
    }
)
SUMMED = ("postage", "postage_off", "fees", "tax", "tax_off", "discount")
LINE_AMOUNTS = ("goods", "unit", *SUMMED)
"""Minor units of the whole line, but for `unit`. `postage` is after its discount `postage_off`, `fees` is wrapping and
what else is added, `tax_off` is the tax of discounts where it is told apart, `discount` is that of the goods."""
LINES = pl.Schema(
    {
        "row": pl.UInt32(),
        **dict.fromkeys(
            ("line_ref", "sku", "asin", "title", "gift_message", "gift_wrap", "ioss"), pl.String()
        ),
        **dict.fromkeys(("ordered", "shipped", "left"), pl.Int64()),
        **dict.fromkeys(LINE_AMOUNTS, pl.Int64()),
        **dict.fromkeys(("is_gift", "cancel_asked", "bad_amount", "bad_quantity"), pl.Boolean()),
        "traits": TEXTS,
    }
)

SELLER, AMAZON = ("mfn", "merchant"), ("afn", "amazon")
OPEN = ("wait_ship", "partly_shipped")
COD = r"(?i)^cod$|cash.?on.?delivery"
HELD = {
    # Amazon sells the label for these: it confirms the shipment itself, and another label breaks the programme
    "prime": "platform_label",
    "ship-plus": "platform_label",
    "easy-ship": "platform_label",
    "in-store-pick-up": "no_parcel",
    "regulated": "regulated",
    "invoice-missing": "invoice_missing",
    "shipped-unknown": "shipped_quantity_unknown",
}
"""Programmes and flags of an order that forbid shipping it like any other."""
_EXTENSION = r"(?i)\s*(?:ext\.?|x)\s*(\d{1,8})$"


def default_currency(marketplace: pl.Expr) -> pl.Expr:
    """Give the currency of a marketplace, for orders that carry no money yet."""
    return translate(marketplace, {place.id: place.currency for place in MARKETPLACES.values()})


def to_orders(raw: pl.DataFrame, heads: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Make `order/1` of HEADS, one row per row of `raw` and in its order, and LINES, which name their `row`."""
    known = heads.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)).hstack(
        raw.select(*ENVELOPE, "facts")
    )
    known = known.with_columns(
        told_status=pl.col("status"),
        status=pl.col("status").fill_null("wait_ship"),
        is_cod=(pl.col("pay_method").str.contains(COD).fill_null(False) | (pl.col("cod") > 0)).fill_null(
            False
        ),
    )
    known = _money(known.join(_gathered(known, lines), on="row", how="left", maintain_order="left"))
    past = ~pl.col("status").is_in(["wait_pay", "closed"])
    known = known.with_columns(
        _recipients(known),
        platform_ref=pl.coalesce("ref", "platform_ref"),
        # when it was paid nobody tells: it had to be before the order could leave Pending
        paid_at=pl.when(past & ~pl.col("is_cod")).then("placed_at"),
        updated_at=pl.coalesce("updated", "updated_at"),
        payment=pl.when("is_cod").then(pl.lit("cod")).otherwise(pl.lit("prepaid")),
        refund_open=pl.col("cancel_asked").fill_null(False),
        buyer_ref=pl.col("email").str.to_lowercase(),
        buyer_note=note(pl.col("instruction")),
        tags=_tags(),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    known = with_list(known, "problems", _problems(), PROBLEM)
    return finish(_wishes(known, lines))


def _unit_price(goods: pl.Expr, quantity: pl.Expr) -> pl.Expr:
    """Give the price of one piece out of that of the line; null where it does not divide to the last cent."""
    pieces = quantity.clip(lower_bound=1)
    return pl.when((quantity > 0) & (goods % pieces == 0)).then(goods // pieces)


def _gathered(known: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Give a row per order: its `lines` in our words, and the sums over them."""
    mine = lines.join(
        known.select("row", "status", "by_amazon", "whole_discount"),
        on="row",
        how="left",
        maintain_order="left",
    )
    quantity, shipped = pl.col("ordered").fill_null(0), pl.col("shipped").fill_null(0)
    left = pl.col("left").fill_null((quantity - shipped).clip(lower_bound=0))
    # units that are neither shipped nor to be shipped were cancelled
    gone = (quantity - shipped - left).clip(lower_bound=0)
    asked = pl.col("cancel_asked").fill_null(False) & pl.col("status").is_in(OPEN)
    goes = pl.col("status").is_in(OPEN) & ~pl.col("by_amazon").fill_null(False)
    full = pl.coalesce(
        "goods", pl.col("unit") * (pl.col("ordered") - gone), pl.when(pl.col("ordered") == 0).then(0)
    )
    # a discount told of the order alone has shares in its lines that nobody tells
    share = pl.coalesce("discount", pl.when(pl.col("whole_discount").fill_null(0) == 0).then(0))
    ours = line(
        line_ref=pl.col("line_ref"),
        platform_sku=pl.col("asin"),
        merchant_code=pl.col("sku"),
        title=pl.col("title"),
        quantity=quantity,
        quantity_refunded=gone,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, gone, shipped, goes),
        unit_price_minor=pl.coalesce("unit", _unit_price(pl.col("goods"), quantity)),
        paid_minor=full - share,
        refund=pl.when(asked).then(pl.lit("requested"))
        .when((gone > 0) & (gone >= quantity) | (pl.col("ordered") == 0)).then(pl.lit("refunded"))
        .when(gone > 0).then(pl.lit("partly")).otherwise(pl.lit("none")),
        goods_traits=pl.col("traits").fill_null([]),
    )  # fmt: skip
    rows = mine.select(
        "row", *SUMMED, line=ours, full=full, asked=asked,
        gift=pl.col("is_gift"), transparency=pl.col("traits").list.contains("transparency"), ioss=pl.col("ioss").is_not_null(),
        bad_amount="bad_amount", bad_quantity="bad_quantity", priced=full.is_not_null(),
    )  # fmt: skip
    every = pl.col("priced").all()
    sums = [pl.when(every).then(pl.col(name).sum()).alias(name) for name in SUMMED]
    flags = {
        "cancel_asked": "asked",
        **{n: n for n in ("gift", "transparency", "ioss", "bad_amount", "bad_quantity")},
    }
    return rows.group_by("row", maintain_order=True).agg(
        *sums,
        lines=pl.col("line"),
        goods=pl.when(every & pl.col("full").is_not_null().any()).then(pl.col("full").sum()),
        **{name: pl.col(theirs).fill_null(False).any() for name, theirs in flags.items()},
    )


def _money(known: pl.DataFrame) -> pl.DataFrame:
    """Add the money of the order. A pending order has none, and nothing is made up for it."""
    priced = pl.coalesce("whole_goods", "goods").is_not_null()
    nothing = pl.when(priced).then(pl.lit(0, dtype=pl.Int64))
    shipping_off = pl.col("postage_off").fill_null(0)
    known = known.with_columns(
        total_minor=pl.col("total"),
        goods_minor=pl.coalesce("whole_goods", "goods"),
        postage_minor=pl.coalesce(pl.col("whole_postage") - shipping_off, "postage", nothing),
        adjust_minor=pl.coalesce("whole_fees", "fees", nothing),
        discount_seller_minor=pl.coalesce(pl.col("whole_discount") - shipping_off, "discount", nothing),
        discount_platform_minor=nothing,  # who bears a promotion is not told: all of it counts as the seller's
        taxes=pl.coalesce("whole_tax", "tax", nothing),
        off=pl.coalesce("tax_off", nothing),
    )
    rest = (
        pl.col("total")
        - pl.col("goods_minor")
        - pl.col("postage_minor")
        - pl.col("adjust_minor")
        + pl.col("discount_seller_minor")
    )
    on_top = pl.col("marketplace").is_in(TAX_ON_TOP).fill_null(False)
    taxes, none = pl.col("taxes"), pl.col("taxes") * 0
    added = (taxes - pl.col("off"), taxes, none)
    first = pl.when(on_top).then(added[0]).otherwise(none)
    readings = [{"tax_added_minor": value} for value in (first, *added)]
    chosen = first_balanced(rest, readings, {"tax_added_minor": 1})["tax_added_minor"]
    fits = pl.any_horizontal([(value == rest).fill_null(False) for value in added])
    clear = fits | (taxes == 0) | pl.col("total").is_null()
    known = known.with_columns(tax_added_minor=pl.when(clear).then(chosen)).with_columns(
        tax_included_minor=pl.when(pl.col("tax_added_minor").is_not_null()).then(
            pl.when(pl.col("tax_added_minor") == 0).then(taxes - pl.col("off")).otherwise(0)
        ),
    )
    due = (
        pl.when(pl.col("status") == "wait_pay").then("total")
        .when((pl.col("status") != "closed") & pl.col("is_cod")).then(pl.coalesce("cod", "total"))
        .when((pl.col("status") != "closed") & pl.col("total").is_not_null()).then(0)
    )  # fmt: skip
    paid = ~pl.col("status").is_in(["wait_pay", "closed"])
    return known.with_columns(due_minor=due, received_minor=pl.when(paid).then(pl.col("total") - due))


def _recipients(known: pl.DataFrame) -> pl.Series:
    is_cn = pl.col("country") == "CN"
    nothing = pl.lit(None, dtype=pl.String)
    at_home = placed(
        known.select(
            province=pl.when(is_cn).then(pl.coalesce(province_of_code(pl.col("state")), "state")),
            city=pl.when(is_cn).then("city"),
            district=pl.when(is_cn).then("district"),
            town=nothing,
        )
    ).select(pl.all().name.prefix("cn_"))
    lines = pl.concat_list("line1", "line2", "line3").list.drop_nulls()
    somewhere = pl.any_horizontal(pl.col("city", "state", "postcode", "country").is_not_null())
    covered = pl.any_horizontal(pl.col("name", "line1", "phone").str.contains(r"\*").fill_null(False))
    withheld = (pl.col("name").is_null() & (lines.list.len() == 0) & somewhere) | covered
    code = pl.when(pl.col("state").str.contains(r"^[A-Z]{2,3}$")).then("state")
    ours = recipient(
        name=pl.col("name"),
        company=pl.col("company"),
        phone=pl.col("phone").str.replace(_EXTENSION, ""),
        phone_ext=pl.col("phone").str.extract(_EXTENSION, 1),
        email=pl.col("email"),
        country=pl.col("country").str.to_uppercase(),
        province=pl.when(is_cn).then("cn_province").otherwise("state"),
        province_code=pl.when(is_cn).then("cn_province_code").otherwise(code),
        city=pl.when(is_cn).then("cn_city").otherwise("city"),
        district=pl.when(is_cn).then("cn_district").otherwise("district"),
        town=pl.col("town"),
        street=lines.list.first(),
        address_lines=lines.list.slice(1),
        postcode=pl.col("postcode"),
        tax_id=pl.col("tax_id"),
        privacy=pl.when(withheld).then(pl.lit("masked")).otherwise(pl.lit("plain")),
    )
    return known.hstack(at_home).select(recipient=ours)["recipient"]


def _holds() -> list[Entry]:
    channel = pl.col("channel").str.to_lowercase()
    waits = pl.col("status").is_in(["wait_pay", *OPEN])
    ours = waits & ~pl.col("by_amazon").fill_null(False)
    early = pl.any_horizontal(pl.col("programs").list.contains(name) for name in ("preorder", "backorder"))
    sandbox = pl.col("facts").str.json_path_match("$.sandbox") == "true"
    return [
        (sandbox, hold("test", "sandbox")),
        (pl.col("told_status").is_null(), hold("unknown_status", pl.col("word"))),
        (~channel.is_in([*SELLER, *AMAZON]), hold("unknown_status", pl.col("channel"))),
        (pl.col("by_amazon"), hold("fulfilled_by_platform", pl.col("channel"))),
        *[(ours & pl.col("programs").list.contains(name), hold(code, name)) for name, code in HELD.items()],
        (
            ours & early & pl.col("starts_at").is_not_null(),
            hold("presale", "earliest ship date", pl.col("starts_at")),
        ),
        (
            ours & pl.col("label_from").is_not_null(),
            hold("scheduled", "labelPrintingWindow", pl.col("label_from")),
        ),
    ]


def _problems() -> list[Entry]:
    channel = pl.col("channel").str.to_lowercase()
    amounts = {"total": "total_minor", "cod": "due_minor", "whole_goods": "goods_minor", "whole_postage": "postage_minor",
               "whole_fees": "adjust_minor", "whole_tax": "tax_added_minor", "whole_discount": "discount_seller_minor"}  # fmt: skip
    times = {"placed_at": "placed_at", "updated": "updated_at", "ship_by": "ship_by"}
    return [
        *[
            (pl.col("bad_amounts").list.contains(n), finding("amount_unreadable", ours))
            for n, ours in amounts.items()
        ],
        *[
            (pl.col("bad_times").list.contains(n), finding("time_unreadable", ours))
            for n, ours in times.items()
        ],
        (pl.col("bad_amount"), finding("amount_unreadable", "lines.unit_price_minor")),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (
            pl.col("told_status").is_null(),
            finding("unknown_value", "status", pl.col("word")),
        ),
        (~channel.is_in([*SELLER, *AMAZON]), finding("unknown_value", "fulfilledBy", pl.col("channel"))),
    ]


def _tags() -> pl.Expr:
    found = {
        "gift": "gift",
        "cod": "is_cod",
        "transparency": "transparency",
        "ioss": "ioss",
        "cancel-requested": "cancel_asked",
    }
    more = [pl.when(pl.col(flag).fill_null(False)).then(pl.lit(tag)) for tag, flag in found.items()]
    return pl.concat_list(pl.col("programs").fill_null([]), *more).list.drop_nulls().list.unique().list.sort()


def _wishes(known: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add what the buyer chose and wrote: the service, where to leave it, cards, wrapping; and numbers for customs."""
    said = {
        "service": (pl.col("service").str.to_lowercase(), pl.col("service")),
        "drop_off": (pl.col("drop_off"), pl.col("drop_off")),
    }
    of_order = [
        known.filter(value.is_not_null()).select("row", wishes=wish(kind, value, seen))
        for kind, (value, seen) in said.items()
    ]
    per_line = {"card": "gift_message", "packaging": "gift_wrap", "ioss": "ioss"}
    of_lines = [
        lines.filter(pl.col(name).is_not_null())
        .select("row", wishes=wish(kind, pl.col(name), pl.col(name)))
        .unique(maintain_order=True)
        for kind, name in per_line.items()
    ]
    found = pl.concat([*of_order, *of_lines]).group_by("row", maintain_order=True).agg("wishes")
    return known.join(found, on="row", how="left", maintain_order="left")


def heads_of(frame: pl.DataFrame, **values: pl.Expr) -> pl.DataFrame:
    """Give HEADS of `frame`; what is not given is null."""
    return _columns(frame, HEADS, values)


def lines_of(frame: pl.DataFrame, **values: pl.Expr) -> pl.DataFrame:
    """Give LINES of `frame`; what is not given is null."""
    return _columns(frame, LINES, values)


def _columns(frame: pl.DataFrame, schema: pl.Schema, values: dict[str, pl.Expr]) -> pl.DataFrame:
    unknown = values.keys() - schema.keys()
    assert not unknown, unknown
    nothing = pl.lit(None)
    return frame.select(values.get(name, nothing).cast(dtype).alias(name) for name, dtype in schema.items())


def bad(sources: dict[str, pl.Expr]) -> pl.Expr:
    """Name the columns that could not be read although their source has a text."""
    names = [
        pl.when(given(text).is_not_null() & pl.col(name).is_null()).then(pl.lit(name))
        for name, text in sources.items()
    ]
    return pl.concat_list(names).list.drop_nulls()
