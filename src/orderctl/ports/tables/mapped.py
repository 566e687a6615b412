"""Any other table of orders, by a column map: which of its columns is which of our fields.

The map becomes a layout like that of a known export, and travels with every record (`payload.map`), so that a batch
of raw records can be read without the file.
"""

from __future__ import annotations

import json
import zoneinfo
from typing import Annotated, Literal

import polars as pl
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orderctl.model.instant import LOCAL_FORMATS, from_local, from_offset
from orderctl.model.mapper import (
    ENVELOPE,
    HOLD,
    LINES,
    MONEY_FIELDS,
    Entry,
    Mapper,
    count,
    exact,
    finding,
    finish,
    given,
    hold,
    line,
    note,
    payload,
    privacy,
    recipient,
    texts,
    to_ship,
    translate,
    unread,
    with_list,
)
from orderctl.model.problem import listed
from orderctl.model.regions import placed, split_addresses
from orderctl.model.schema import PROBLEM
from orderctl.model.text import Text
from orderctl.model.yamlfile import Wrong, load_validated, reject
from orderctl.ports.tables.layout import Layout

FORMAT = "map/1"
Status = Literal["wait_pay", "wait_ship", "partly_shipped", "shipped", "completed", "closed"]
STATUSES: tuple[Status, ...] = ("wait_pay", "wait_ship", "partly_shipped", "shipped", "completed", "closed")
_OPEN = STATUSES[:3]


class _Strict(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class Constant(_Strict):
    """The same value in every row, where the file has no column for it."""

    value: str


Column = str | list[str] | Constant
"""A heading, several headings of which the file has one, or a constant."""


class OrderColumns(_Strict):
    """Columns about the whole order."""

    ref: Column = Field(description="the order's number at its platform")
    platform: Column | None = Field(None, description="the file's word for the platform, see `platforms`")
    shop: Column | None = Field(None, description="the shop, by the `name` it has in the configuration")
    status: Column
    placed_at: Column | None = None
    paid_at: Column | None = None
    updated_at: Column | None = None
    ship_by: Column | None = None
    payment: Column | None = Field(None, description="prepaid, cod, deposit or credit")
    currency: Column | None = None
    goods: Column | None = None
    postage: Column | None = None
    tax_included: Column | None = None
    tax_added: Column | None = None
    adjust: Column | None = None
    discount_seller: Column | None = None
    discount_platform: Column | None = None
    total: Column | None = None
    received: Column | None = None
    due: Column | None = None
    refunded: Column | None = None
    buyer_ref: Column | None = None
    buyer_note: Column | None = None
    seller_note: Column | None = None
    seller_flag: Column | None = None
    tags: Column | None = Field(None, description="separated by commas")
    name: Column | None = None
    company: Column | None = None
    phone: Column | None = None
    phone_ext: Column | None = None
    email: Column | None = None
    country: Column | None = Field(None, description="two letters (ISO 3166-1)")
    province: Column | None = None
    city: Column | None = None
    district: Column | None = None
    town: Column | None = None
    street: Column | None = None
    street2: Column | None = None
    address: Column | None = Field(None, description="a Chinese address in one text, in place of its parts")
    postcode: Column | None = None
    tax_id: Column | None = None


class LineColumns(_Strict):
    """Columns about one line of an order."""

    ref: Column | None = Field(None, description="the line's number; by default its place in the order")
    sku: Column | None = Field(None, description="our own SKU")
    merchant_code: Column | None = None
    platform_sku: Column | None = None
    item_ref: Column | None = None
    title: Column | None = None
    spec: Column | None = None
    quantity: Column
    quantity_refunded: Column | None = None
    quantity_shipped: Column | None = None
    unit_price: Column | None = None
    paid: Column | None = None
    weight_g: Column | None = None


def _zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        reject(Wrong(Text("there is no time zone '{zone}'", zone=name)))
    return name


class ColumnMap(_Strict):
    """How to read one kind of table."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    platform: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    rows: Literal["order", "line"] = Field("order", description="whether a row is an order or a line of one")
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    money: Literal["major", "minor"] = Field("major", description="yuan and euros, or fen and cents")
    decimal: Literal[".", ","] = "."
    time_formats: list[str] = []
    statuses: dict[str, Status] = {}
    platforms: dict[str, str] = Field({}, description="the file's words for platforms, in files of several")
    needs: list[str] = Field(
        [],
        description="the fields (order.x as `x`, line.x as `line.x`) such a file is known by; all by default",
    )
    order: OrderColumns
    line: LineColumns

    @model_validator(mode="after")
    def _is_whole(self) -> ColumnMap:
        if self.currency is None and self.order.currency is None:
            reject(Wrong(Text("name the currency, or the column it stands in")))
        for name in self.needs:
            part, field = (self.line, name[5:]) if name.startswith("line.") else (self.order, name)
            if not isinstance(getattr(part, field, None), (str, list)):
                reject(Wrong(Text("needs: the map names no column for '{name}'", name=name)))
        return self


_ORDER_KEYS = tuple(OrderColumns.model_fields)
_LINE_KEYS = tuple(f"line.{name}" for name in LineColumns.model_fields)
_IDS = ("ref", "line.ref")
_CODES = ("line.platform_sku", "line.item_ref")
_TIMES = ("placed_at", "paid_at", "updated_at", "ship_by")
_NOTES = ("buyer_note", "seller_note")
_MONEY = tuple(name.removesuffix("_minor") for name in MONEY_FIELDS)


def parse_column_map(text: str, source: str) -> Layout:
    """Read a column map. Raises: ConfigError with file, line and column of every mistake."""
    found = load_validated(text, source, ColumnMap)
    parts = [("", found.order), ("line.", found.line)]
    given_ = {
        prefix + name: getattr(part, name) for prefix, part in parts for name in type(part).model_fields
    }
    columns = {k: [v] if isinstance(v, str) else v for k, v in given_.items() if isinstance(v, (str, list))}
    return Layout(
        format=FORMAT,
        platform=found.platform,
        columns=columns,
        own_names=False,
        needs=tuple(found.needs or columns),  # a heading of several is enough
        order="ref",
        ids=tuple(k for k in _IDS if k in columns),
        codes=tuple(k for k in _CODES if k in columns),
        times=tuple(k for k in _TIMES if k in columns),
        notes=tuple(k for k in _NOTES if k in columns),
        rows=found.rows,
        lines=_LINE_KEYS,
        line_id="line.ref" if "line.ref" in columns else None,
        shop="shop" if "shop" in columns else None,
        platforms=found.platforms,
        constants={k: v.value for k, v in given_.items() if isinstance(v, Constant)},
        settings={
            "name": found.name,
            "zone": found.zone,
            "currency": found.currency or "",
            "money": found.money,
            "decimal": found.decimal,
            "time_formats": "\n".join(found.time_formats),
            "statuses": json.dumps(found.statuses, ensure_ascii=False, sort_keys=True),
        },
    )


def _head(name: str) -> pl.Expr:
    return payload("head").struct.field(name)


def _reader(settings: dict[str, str]) -> tuple[pl.Expr, list[str]]:
    """Give the currency column and the forms of times of one map."""
    fixed = settings["currency"] or None
    currency = pl.coalesce(given(_head("currency")).str.to_uppercase(), pl.lit(fixed, dtype=pl.String))
    return currency, [f for f in settings["time_formats"].split("\n") if f] + list(LOCAL_FORMATS)


def _amount(text: pl.Expr, settings: dict[str, str]) -> pl.Expr:
    shown = given(text)
    if settings["money"] == "minor":
        whole = shown.str.replace_all(r"[\s,]", "").str.extract(r"^([-+]?[0-9]{1,18})(?:\.0+)?$", 1)
        return whole.cast(pl.Int64, strict=False)
    if settings["decimal"] == ",":
        shown = shown.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return exact(shown, pl.col("currency"))


def _time(text: pl.Expr, zone: str, forms: list[str]) -> pl.Expr:
    return pl.coalesce(from_local(text, zone, forms), from_offset(text))


def _lines(frame: pl.DataFrame, settings: dict[str, str]) -> pl.DataFrame:
    """Give a row per order: its `lines`, and whether any number in them could not be read."""
    row = pl.struct(_head(key).alias(key) for key in _LINE_KEYS)
    source = pl.coalesce(payload("lines"), listed([row]))
    found = frame.select("row", "currency", "status", source=source).explode("source").unnest("source")

    def cell(name: str) -> pl.Expr:
        return pl.col(f"line.{name}")

    found = found.with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row").cast(pl.String),
        read=count(cell("quantity")),
        unit=_amount(cell("unit_price"), settings),
        paid=_amount(cell("paid"), settings),
        refunded=count(cell("quantity_refunded")),
        shipped=count(cell("quantity_shipped")),
    ).with_columns(quantity=pl.col("read").fill_null(0))
    all_gone = pl.col("status").is_in(["shipped", "completed"])
    shipped = pl.when(all_gone).then("quantity").otherwise(pl.col("shipped").fill_null(0))
    refunded = pl.col("refunded").fill_null(0)
    ours = line(
        line_ref=pl.coalesce(given(cell("ref")), "place"),
        sku=given(cell("sku")),
        platform_sku=given(cell("platform_sku")),
        item_ref=given(cell("item_ref")),
        merchant_code=given(cell("merchant_code")),
        title=given(cell("title")),
        spec=given(cell("spec")),
        quantity=pl.col("quantity"),
        quantity_refunded=refunded,
        quantity_shipped=shipped,
        quantity_to_ship=to_ship(pl.col("quantity"), refunded, shipped, pl.col("status").is_in(_OPEN)),
        unit_price_minor=pl.col("unit"),
        paid_minor=pl.col("paid"),
        unit_weight_g=count(cell("weight_g")),
        refund=pl.when(refunded == 0).then(pl.lit("none"))
        .when(refunded >= pl.col("quantity")).then(pl.lit("refunded")).otherwise(pl.lit("partly")),
    )  # fmt: skip
    texts_of = {"unit_price_minor": ("unit_price", "unit"), "paid_minor": ("paid", "paid"),
                "quantity_refunded": ("quantity_refunded", "refunded"), "quantity_shipped": ("quantity_shipped", "shipped")}  # fmt: skip
    bad = {
        f"bad_{n}": given(cell(text)).is_not_null() & pl.col(read).is_null()
        for n, (text, read) in texts_of.items()
    }
    rows = found.select("row", ours.alias("lines"), bad_quantity=pl.col("read").is_null(), **bad)
    flags = [pl.col(n).any() for n in ("bad_quantity", *bad)]
    return rows.group_by("row", maintain_order=True).agg(pl.col("lines"), *flags)


def _recipients(frame: pl.DataFrame) -> pl.Series:
    cells = {n: given(_head(n)) for n in OrderColumns.model_fields if n not in _NOTES}
    parts = ("province", "city", "district", "town")
    found = frame.select(cells[n].alias(n) for n in (*parts, "address", "country"))
    whole = split_addresses(found["address"]).select(pl.all().name.prefix("in_"))
    chinese = found["country"].fill_null("CN").str.to_uppercase().is_in(["CN", "中国"])
    apart = placed(found.select(pl.when(chinese).then(pl.col(n)).alias(n) for n in parts))
    base = found.hstack(apart.select(pl.all().name.prefix("cn_"))).hstack(whole)
    base = base.hstack(frame.select("payload")).with_columns(chinese.alias("chinese"))
    one_text = pl.col("address").is_not_null()

    def level(name: str) -> pl.Expr:
        told = (
            pl.when("chinese")
            .then(f"cn_{name}")
            .otherwise(name if name in parts else pl.lit(None, pl.String))
        )
        return pl.when(one_text).then(f"in_{name}").otherwise(told)

    hidden = privacy(cells["name"], cells["phone"], cells["street"], cells["address"])
    country = pl.when("chinese").then(pl.lit("CN")).otherwise(pl.col("country").str.to_uppercase())
    ours = recipient(
        **{n: cells[n] for n in ("name", "company", "phone", "phone_ext", "email", "tax_id")},
        country=country,
        **{n: level(n) for n in (*parts, "province_code")},
        street=pl.when(one_text).then("in_street").otherwise(cells["street"]),
        address_lines=pl.concat_list(cells["street2"]).list.drop_nulls(),
        postcode=pl.coalesce(cells["postcode"], "in_postcode"),
        original=cells["address"],
        privacy=hidden,
    )
    return base.select(recipient=ours)["recipient"]


def _problems(lines: pl.DataFrame) -> list[Entry]:
    word = given(_head("status"))
    fields = {n: f"lines.{n.removeprefix('bad_')}" for n in lines.columns if n.startswith("bad_")}
    payment = given(_head("payment"))
    return [
        *unread("amount_unreadable", {f"{n}_minor": (_head(n), f"{n}_minor") for n in _MONEY}),
        *unread("time_unreadable", {n: (_head(n), n) for n in _TIMES}),
        *[(pl.col(n), finding("amount_unreadable", ours)) for n, ours in fields.items()],
        (pl.col("known").is_null(), finding("unknown_value", "status", word)),
        (
            ~payment.is_in(["prepaid", "cod", "deposit", "credit"]),
            finding("unknown_value", "payment", payment),
        ),
    ]


def _one_map(frame: pl.DataFrame, settings: dict[str, str]) -> pl.DataFrame:
    currency, forms = _reader(settings)
    words = {**{s: s for s in STATUSES}, **json.loads(settings["statuses"])}
    base = frame.select(
        *(n for n in ENVELOPE if n != "updated_at"),
        "payload",
        "row",
        currency=currency,
        known=translate(given(_head("status")), words),
    )
    base = base.with_columns(
        # what the map does not know is treated as waiting and held, so that a person looks at it
        pl.col("known").fill_null("wait_ship").alias("status"),
        *(_amount(_head(n), settings).alias(f"{n}_minor") for n in _MONEY),
        *(_time(given(_head(n)), settings["zone"], forms).alias(n) for n in _TIMES),
    )  # fmt: skip
    lines = _lines(base, settings)
    known = base.join(lines, on="row", how="left", maintain_order="left").with_columns(
        _recipients(base),
        platform_ref=pl.coalesce(given(_head("ref")).str.strip_prefix("#"), "platform_ref"),
        refund_open=pl.lit(False),
        payment=given(_head("payment")),
        **{n: given(_head(n)) for n in ("buyer_ref", "seller_flag")},
        **{n: note(_head(n)) for n in _NOTES},
        tags=given(_head("tags")).str.split(",").list.eval(given(pl.element())).list.drop_nulls(),
    )
    held = [(pl.col("known").is_null(), hold("unknown_status", given(_head("status"))))]
    known = with_list(known, "holds", held, HOLD)
    return finish(
        with_list(known, "problems", _problems(lines), PROBLEM).with_columns(pl.col("lines").cast(LINES))
    )


def _to_orders(frame: pl.DataFrame) -> pl.DataFrame:
    numbered = frame.with_row_index("row")
    parts, places = [], []
    for settings in numbered.select(payload("map")).unique(maintain_order=True).to_series():
        part = numbered.filter(payload("map") == pl.lit(settings, dtype=_MAP))
        parts.append(_one_map(part, settings))
        places.append(part["row"])
    if not parts:
        return finish(frame.select(*ENVELOPE))
    orders = pl.concat(parts).with_columns(pl.concat(places).alias("row"))
    return orders.sort("row").drop("row")


_MAP = pl.Struct(texts("name zone currency money decimal time_formats statuses"))
MAPPER = Mapper(
    FORMAT,
    pl.Struct(
        {
            "head": pl.Struct(dict.fromkeys((*_ORDER_KEYS, *_LINE_KEYS), pl.String())),
            "lines": pl.List(pl.Struct(dict.fromkeys(_LINE_KEYS, pl.String()))),
            "map": _MAP,
        }
    ),
    _to_orders,
    MONEY_FIELDS,
)
