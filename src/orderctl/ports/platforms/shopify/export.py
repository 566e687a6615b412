"""The order export of Shopify's admin: one row per line, order columns only in an order's first row.

It has no numbers of lines and no quantities after returns. A line is called by its goods, never by its place: an edited
order has other lines at its places, and what is on its way must not pass for something else. Which discounts the
amount of the code holds, and whether prices contain the tax, the file does not say: the reading under which the order
adds up is taken.

Source: shopify.dev, "Exporting orders"; files in public repositories.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    MONEY_FIELDS,
    WISH,
    Entry,
    Mapper,
    count,
    finding,
    finish,
    first_balanced,
    given,
    hold,
    line,
    note,
    payload,
    recipient,
    to_ship,
    translate,
    unread,
    wish,
    with_amounts,
    with_instants,
    with_list,
)
from orderctl.model.regions import placed, province_of_code
from orderctl.model.schema import PROBLEM
from orderctl.ports.platforms.shopify.mapper import FAMILY_FIRST
from orderctl.ports.tables.layout import Layout

FORMAT = "shopify/export-csv"
_HEAD = (
    *("Name", "Id", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Currency"),
    *(
        "Subtotal",
        "Shipping",
        "Taxes",
        "Total",
        "Discount Code",
        "Discount Amount",
        "Shipping Method",
        "Created at",
    ),
    *("Shipping Name", "Shipping Street", "Shipping Address1", "Shipping Address2", "Shipping Company"),
    *("Shipping City", "Shipping Zip", "Shipping Province", "Shipping Country", "Shipping Phone"),
    *(
        "Shipping Province Name",
        "Notes",
        "Note Attributes",
        "Cancelled at",
        "Payment Method",
        "Refunded Amount",
    ),
    *("Outstanding Balance", "Tags", "Risk Level", "Phone", "Duties", "Source"),
)
_LINE = (
    *("Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem sku", "Lineitem requires shipping"),
    *(
        "Lineitem fulfillment status",
        "Lineitem discount",
        "Lineitem compare at price",
        "Lineitem taxable",
        "Vendor",
    ),
)
_OTHER_NAMES = {"Cancelled at": ("Canceled at",)}
_BILLING = (
    "Name",
    "Street",
    "Address1",
    "Address2",
    "Company",
    "City",
    "Zip",
    "Province",
    "Country",
    "Phone",
)
_KEPT = (
    *(f"Billing {part}" for part in (*_BILLING, "Province Name")),
    *(f"Tax {n} {part}" for n in range(1, 6) for part in ("Name", "Value")),
    *("Accepts Marketing", "Payment Reference", "Payment References", "Payment ID", "Employee", "Location"),
    *("Device ID", "Receipt Number", "Payment Terms Name", "Next Payment Due At"),
)
LAYOUTS = (
    Layout(
        format=FORMAT,
        platform="shopify",
        columns={name: _OTHER_NAMES.get(name, ()) for name in (*_HEAD, *_LINE, *_KEPT)},
        needs=("Name", "Financial Status", "Lineitem name", "Lineitem quantity", "Total"),
        order="Name",
        ids=("Name", "Id"),
        rows="line",
        notes=("Notes", "Note Attributes"),
        lines=_LINE,
        first_row_ref="Id",
    ),
)

FINANCIAL = {
    **dict.fromkeys(["refunded", "voided", "expired"], "closed"),
    **dict.fromkeys(["pending", "partially_paid"], "wait_pay"),
    **dict.fromkeys(["paid", "partially_refunded", "authorized"], "wait_ship"),
}
FULFILLMENT = {
    "fulfilled": "shipped",
    "partial": "partly_shipped",
    **dict.fromkeys(["unfulfilled", "restocked", "scheduled", "on_hold", "pending"], "wait_ship"),
}
_LINE_STATES = ("fulfilled", "pending", "partial", "unfulfilled", "not_eligible", "restocked")
_OPEN = ("wait_pay", "wait_ship", "partly_shipped")
_AMOUNTS = {
    "postage_minor": "Shipping",
    "taxes": "Taxes",
    "total_minor": "Total",
    "code_discount": "Discount Amount",
    "refunded_minor": "Refunded Amount",
    "due_minor": "Outstanding Balance",
    "duties": "Duties",
}
_TIMES = {"placed_at": "Created at", "paid_at": "Paid at", "cancelled": "Cancelled at"}
_SIGNS = {"tax_added_minor": 1, "discount_seller_minor": -1}


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Give a row per line with its place in the order, its texts read."""
    found = frame.select("row", "currency", "status", source=payload("lines")).filter(
        pl.col("source").list.len() > 0
    )
    found = found.explode("source").unnest("source")
    read = {"unit": "Lineitem price", "discount": "Lineitem discount"}
    found = with_amounts(found, {name: pl.col(text) for name, text in read.items()}, pl.col("currency"))
    return found.with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row"),
        goods=_goods(),
        pieces=count(pl.col("Lineitem quantity")),
        state=given(pl.col("Lineitem fulfillment status")).str.to_lowercase(),
    ).with_columns(
        quantity=pl.col("pieces").fill_null(0), twin=pl.int_range(1, pl.len() + 1).over("row", "goods")
    )


def _goods() -> pl.Expr:
    """Give the goods of a line by SKU and name, without the colon that parts a line from what it is made into."""
    told = [given(pl.col("Lineitem sku")), given(pl.col("Lineitem name"))]
    return given(pl.concat_str(told, separator=" ", ignore_nulls=True)).str.replace_all(
        ":", "-", literal=True
    )


def _line_ref() -> pl.Expr:
    """Call a line by its goods, several of the same by their number as well; by its place where it tells nothing."""
    several = pl.format("{} #{}", "goods", "twin")
    ref = pl.when(pl.col("twin") > 1).then(several).otherwise("goods")
    return pl.when(pl.col("goods").is_null()).then(pl.col("place").cast(pl.String)).otherwise(ref)


def _gathered(lines: pl.DataFrame) -> pl.DataFrame:
    quantity, full = pl.col("quantity"), pl.col("unit") * pl.col("pieces")
    service = (pl.col("Lineitem requires shipping").str.to_lowercase() == "false").fill_null(False)
    shipped = pl.when(pl.col("state") == "fulfilled").then(quantity).otherwise(0)
    returned = pl.lit(0, dtype=pl.Int64)  # the file does not tell
    ours = line(
        line_ref=_line_ref(),
        merchant_code=given(pl.col("Lineitem sku")),
        title=given(pl.col("Lineitem name")),
        quantity=quantity,
        quantity_refunded=returned,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(quantity, returned, shipped, pl.col("status").is_in(_OPEN) & ~service),
        unit_price_minor=pl.col("unit"),
        paid_minor=full - pl.col("discount").fill_null(0),  # taken back where the order has other discounts
        kind=pl.when(service).then(pl.lit("service")).otherwise(pl.lit("goods")),
    )
    rows = lines.select(
        "row",
        line=ours,
        full=full,
        discount="discount",
        bad_quantity=pl.col("pieces").is_null(),
        bad_unit=given(pl.col("Lineitem price")).is_not_null() & pl.col("unit").is_null(),
        partial=pl.col("state") == "partial",
        strange=pl.when(~pl.col("state").is_in(_LINE_STATES)).then("state"),
    )
    return rows.group_by("row", maintain_order=True).agg(
        lines=pl.col("line"),
        goods_minor=pl.when(pl.col("full").null_count() == 0).then(pl.col("full").sum()),
        line_discounts=pl.col("discount").sum(),
        bad_quantity=pl.col("bad_quantity").any(),
        bad_unit=pl.col("bad_unit").any(),
        partial=pl.col("partial").any(),
        strange=pl.col("strange").drop_nulls().first(),
    )


def _status(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `status` and `payment`; what we do not know is treated as waiting and held."""
    method = _head("Payment Method").str.to_lowercase()
    cod = method.str.contains("cash on delivery", literal=True).fill_null(False)
    financial = translate(_word("Financial Status").fill_null("paid"), FINANCIAL).fill_null("wait_ship")
    shipping = translate(_word("Fulfillment Status").fill_null("unfulfilled"), FULFILLMENT).fill_null(
        "wait_ship"
    )
    closed = given(_head("Cancelled at")).is_not_null() | (financial == "closed")
    status = (
        pl.when(closed).then(pl.lit("closed"))
        .when((financial == "wait_pay") & ~cod & (shipping != "shipped")).then(pl.lit("wait_pay"))
        .otherwise(shipping)
    )  # fmt: skip
    return frame.with_columns(
        status=status, payment=pl.when(cod).then(pl.lit("cod")).otherwise(pl.lit("prepaid"))
    )


def _word(name: str) -> pl.Expr:
    return given(_head(name)).str.to_lowercase().str.replace_all(" ", "_", literal=True)


def _money(frame: pl.DataFrame) -> pl.DataFrame:
    taxes, code, by_line = (
        pl.col("taxes"),
        pl.col("code_discount").fill_null(0),
        pl.col("line_discounts").fill_null(0),
    )
    nothing = pl.lit(0, dtype=pl.Int64)
    readings = [
        {"tax_added_minor": tax + pl.col("duties").fill_null(0), "discount_seller_minor": off}
        for tax in (taxes, nothing)
        for off in (code, code + by_line)
    ]
    rest = pl.col("total_minor") - pl.col("goods_minor") - pl.col("postage_minor")
    chosen = first_balanced(rest, readings, _SIGNS)
    received = pl.col("total_minor") - pl.col("due_minor")
    told = (pl.col("status") != "closed") | (_word("Financial Status") == "refunded")
    frame = frame.with_columns(
        **chosen,
        adjust_minor=nothing,
        discount_platform_minor=nothing,
        received_minor=pl.when(told).then(received),
    ).with_columns(
        tax_included_minor=pl.when(taxes > 0)
        .then(taxes - pl.col("tax_added_minor").clip(upper_bound=taxes))
        .otherwise(taxes)
    )
    unpaid = pl.element().struct.with_fields(paid_minor=pl.lit(None, dtype=pl.Int64))
    known = (pl.col("discount_seller_minor") == by_line).fill_null(False)
    lines = pl.when(known).then("lines").otherwise(pl.col("lines").list.eval(unpaid))
    return frame.with_columns(lines=lines)


def _recipients(frame: pl.DataFrame) -> pl.Series:
    country = given(_head("Shipping Country")).str.to_uppercase()
    is_cn, code = country == "CN", given(_head("Shipping Province"))
    nothing = pl.lit(None, dtype=pl.String)
    name = given(_head("Shipping Province Name"))
    china = placed(
        frame.select(
            province=pl.when(is_cn).then(pl.coalesce(province_of_code(code), name, code)),
            city=pl.when(is_cn).then(_head("Shipping City")),
            district=nothing,
            town=nothing,
        )
    )
    called = given(_head("Shipping Name"))
    # given name and family name with a blank between, also where people write the family name first and no blank
    two = r"^(\S+) (\S+)$"
    asian = called.str.contains(two) & called.str.contains(FAMILY_FIRST)
    phone = pl.coalesce(given(_head("Shipping Phone")), given(_head("Phone")))
    extension = r"(?i)\s*(?:ext\.?|x)\s*(\d{1,6})$"
    ours = recipient(
        name=pl.when(asian)
        .then(pl.concat_str(called.str.extract(two, 2), called.str.extract(two, 1)))
        .otherwise(called),
        company=given(_head("Shipping Company")),
        phone=phone.str.replace(extension, ""),
        phone_ext=phone.str.extract(extension, 1),
        email=given(_head("Email")),
        country=country,
        province=pl.when(is_cn).then("province").otherwise(name),
        province_code=pl.when(is_cn).then("province_code").otherwise(code.str.replace(r"^[A-Z]{2}-", "")),
        city=pl.when(is_cn).then("city").otherwise(given(_head("Shipping City"))),
        district=pl.col("district"),
        street=pl.coalesce(given(_head("Shipping Address1")), given(_head("Shipping Street"))),
        address_lines=pl.concat_list(
            pl.when(given(_head("Shipping Address1")).is_not_null()).then(given(_head("Shipping Address2")))
        ).list.drop_nulls(),
        postcode=given(_head("Shipping Zip")),
    )
    return frame.select("payload").hstack(china).select(recipient=ours)["recipient"]


def _holds() -> list[Entry]:
    financial, shipping = _word("Financial Status"), _word("Fulfillment Status")
    return [
        (_head("Payment Method").str.contains("(?i)bogus"), hold("test", _head("Payment Method"))),
        (~financial.is_in(list(FINANCIAL)), hold("unknown_status", financial)),
        (~shipping.is_in(list(FULFILLMENT)), hold("unknown_status", shipping)),
        (shipping == "on_hold", hold("on_hold", shipping)),
        (shipping == "scheduled", hold("scheduled", shipping)),
        (_word("Risk Level") == "high", hold("risk", _head("Risk Level"))),
        (pl.col("partial"), hold("shipped_quantity_unknown", "partial")),
        # the quantities are those ordered: what was given back is not taken off
        ((pl.col("refunded_minor") > 0) & pl.col("status").is_in(_OPEN), hold("refunded_quantity_unknown", financial)),
    ]  # fmt: skip


def _problems() -> list[Entry]:
    ours = {"taxes": "tax_added_minor", "code_discount": "discount_seller_minor", "duties": "tax_added_minor"}
    financial, shipping = _word("Financial Status"), _word("Fulfillment Status")
    found = [unread("amount_unreadable", {ours.get(n, n): (_head(text), n)}) for n, text in _AMOUNTS.items()]
    times = {n: (_head(text), n) for n, text in _TIMES.items() if n != "cancelled"}
    return [
        *[entry for entries in found for entry in entries],
        *unread("time_unreadable", times),
        (pl.col("bad_quantity"), finding("amount_unreadable", "lines.quantity")),
        (pl.col("bad_unit"), finding("amount_unreadable", "lines.unit_price_minor")),
        (~financial.is_in(list(FINANCIAL)), finding("unknown_value", "Financial Status", financial)),
        (~shipping.is_in(list(FULFILLMENT)), finding("unknown_value", "Fulfillment Status", shipping)),
        (
            pl.col("strange").is_not_null(),
            finding("unknown_value", "Lineitem fulfillment status", pl.col("strange")),
        ),
    ]


def _wishes(frame: pl.DataFrame) -> pl.DataFrame:
    method = given(_head("Shipping Method"))
    frame = with_list(frame, "wishes", [(method.is_not_null(), wish("service", method, method))], WISH)
    pair = pl.element().str.strip_chars()
    key, value = pair.str.extract(r"^([^:]+):", 1), pair.str.extract(r"^[^:]+:\s*(.+)$", 1)
    shown = pl.when(~key.str.starts_with("_") & value.is_not_null()).then(wish("attribute", value, pair))
    typed = _head("Note Attributes").str.split("\n").list.eval(shown).list.drop_nulls().fill_null([])
    return frame.with_columns(wishes=pl.concat_list("wishes", typed))


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    base = frame.select(
        *ENVELOPE,
        "payload",
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        currency=given(_head("Currency")).str.to_uppercase(),
    )
    base = with_amounts(_status(base), {n: _head(text) for n, text in _AMOUNTS.items()}, pl.col("currency"))
    base = with_instants(base, {n: _head(text) for n, text in _TIMES.items()})
    known = _money(
        base.join(_gathered(_lines(base)), on="row", how="left", maintain_order="left")
    ).with_columns(
        _recipients(base),
        refund_open=pl.lit(False),
        platform_ref=pl.coalesce(given(_head("Id")), "platform_ref"),
        buyer_note=note(_head("Notes")),
        tags=given(_head("Tags")).str.split(",").list.eval(given(pl.element())).list.drop_nulls(),
    )
    known = with_list(known, "holds", _holds(), HOLD)
    return finish(_wishes(with_list(known, "problems", _problems(), PROBLEM)))


MAPPER = Mapper(
    FORMAT,
    pl.Struct(
        {
            "head": pl.Struct(dict.fromkeys(_HEAD, pl.String())),
            "lines": pl.List(pl.Struct(dict.fromkeys(_LINE, pl.String()))),
        }
    ),
    _to_orders,
    MONEY_FIELDS,
)
