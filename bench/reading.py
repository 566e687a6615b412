"""Raw JSON lines to `order/1`: ours in whole and in parts, and peers that make the same rows of the same lines.

The peers map and write; they have no quarantine, no SKUs, no notes, no addresses and no audit. So `map` is what is to
be compared with them, and `whole` what a user waits for. A test holds their rows equal, byte for byte of each value.
`pip install -e '.[bench]'` brings duckdb; jq is measured where it is on the path.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from bench.data import write

NOW = "2026-11-24T05:30:28Z"
RULES = Path(__file__).parent.parent / "rules.example.yaml"
PROVINCES = {
    "浙江省": ("浙江省", "ZJ"), "上海": ("上海市", "SH"), "广东省": ("广东省", "GD"), "四川省": ("四川省", "SC"),
    "新疆维吾尔自治区": ("新疆维吾尔自治区", "XJ"), "北京": ("北京市", "BJ"),
}  # fmt: skip
FLAGS = ("grey", "red", "yellow", "green", "blue", "purple")
NO_RECIPIENT = dict.fromkeys(
    [
        "name",
        "company",
        "phone",
        "phone_ext",
        "email",
        "country",
        "province",
        "province_code",
        "city",
        "district",
        "town",
        "street",
        "address_lines",
        "postcode",
        "tax_id",
        "original",
        "privacy",
        "sealed",
        "match_key",
        "match_kind",
    ]
)
NO_CUSTOMS = {
    **dict.fromkeys(("parent_line_ref", "parent_quantity", "hs_code", "origin", "customs_name", "customs_value_minor")),
    "goods_traits": [],
}  # fmt: skip


INPUTS = {"taobao": "raw", "shopify": "shopify"}
"""The files of raw records that cases read, by the first word of their names."""


def input_of(path: Path, platform: str) -> Path:
    """Give the input of a platform of as many rows as `path` has, made once."""
    rows = path.stem.rsplit("-", 1)[1]
    own = path.with_name(f"{platform}-{rows}.jsonl")
    write(own, int(rows))
    return own


def _floor(path: Path) -> int:
    import simdjson

    parser, rows = simdjson.Parser(), 0
    with path.open("rb") as lines:
        for line in lines:
            parser.parse(line)["platform_ref"]
            rows += 1
    return rows


def taobao_floor(path: Path) -> int:
    """Simdjson parses every line of Taobao's trades, and nothing else: no reader can be cheaper."""
    return _floor(input_of(path, "raw"))


def shopify_floor(path: Path) -> int:
    """The same of Shopify's orders."""
    return _floor(input_of(path, "shopify"))


def _written(
    frames: Iterable[pl.DataFrame], target: Path, form: Literal["jsonl", "parquet"] = "jsonl"
) -> int:
    from orderctl.ports import batches

    rows = 0

    def counted() -> Iterator[pl.DataFrame]:
        nonlocal rows
        for frame in frames:
            rows += frame.height
            yield frame

    batches.write_batch(counted(), str(target), kind="order/1", format=form)
    return rows


def _map(path: Path) -> int:
    from orderctl.cli.mapping import mapped_blocks
    from orderctl.ports import batches

    with batches.open_source(str(path)) as source:
        return _written(mapped_blocks(source, batches.Rejects(None)), path.with_suffix(".mapped"))


def _whole(path: Path, form: Literal["jsonl", "parquet"]) -> int:
    from orderctl.cli.mapping import order_blocks
    from orderctl.model.facts import Facts
    from orderctl.ports import batches
    from orderctl.stages.rules.parse import parse

    book = parse(RULES.read_text("utf-8"))
    with batches.open_source(str(path)) as source:
        blocks = order_blocks(source, batches.Rejects(None), book, Facts(), NOW)
        return _written(blocks, path.with_suffix(f".orders.{form}"), form)


def taobao_map(path: Path) -> int:
    """Ours without the stage: read with quarantine, map, JSON lines out."""
    return _map(input_of(path, "raw"))


def taobao_whole(path: Path) -> int:
    """Ours: all of `normalize` by the example rules, JSON lines out."""
    return _whole(input_of(path, "raw"), "jsonl")


def taobao_parquet(path: Path) -> int:
    """Ours: all of `normalize`, Parquet out."""
    return _whole(input_of(path, "raw"), "parquet")


def shopify_map(path: Path) -> int:
    """Ours without the stage."""
    return _map(input_of(path, "shopify"))


def shopify_whole(path: Path) -> int:
    """Ours: all of `normalize`, JSON lines out."""
    return _whole(input_of(path, "shopify"), "jsonl")


def shopify_parquet(path: Path) -> int:
    """Ours: all of `normalize`, Parquet out."""
    return _whole(input_of(path, "shopify"), "parquet")


def minor(text: str) -> int:
    """Read an amount with two decimals."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int((cents + "00")[:2])


def utc(text: str) -> str:
    """Give a wall clock of Beijing as an instant."""
    at = datetime.fromisoformat(text + "+08:00").timestamp()
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def trade_order(raw: dict[str, Any]) -> dict[str, Any]:
    """Make `order/1` of a trade by hand, for trades such as the input has."""
    trade = raw["payload"]
    total, postage = minor(trade["payment"]), minor(trade["post_fee"])
    province, code = PROVINCES[trade["receiver_state"]]
    ref = trade["tid_str"]
    return {
        "schema": "order/1", "order_id": f"taobao:{raw['shop']}:{ref}", "platform": "taobao", "shop": raw["shop"],
        "platform_ref": ref, "source": raw["source"], "status": "wait_ship", "holds": [], "refund_open": False,
        "placed_at": utc(trade["created"]), "paid_at": utc(trade["pay_time"]), "updated_at": utc(trade["modified"]),
        "observed_at": raw["observed_at"], "ship_by": None, "payment": "prepaid", "currency": "CNY",
        "goods_minor": minor(trade["total_fee"]), "postage_minor": postage, "tax_included_minor": None, "tax_added_minor": 0,
        "adjust_minor": minor(trade["adjust_fee"]), "discount_seller_minor": minor(trade["discount_fee"]),
        "discount_platform_minor": 0, "total_minor": total, "received_minor": total, "due_minor": 0, "refunded_minor": None,
        "buyer_ref": trade["buyer_open_uid"], "buyer_note": trade["buyer_message"] or None,
        "seller_note": trade["seller_memo"] or None, "seller_flag": FLAGS[trade["seller_flag"]],
        "recipient": {
            **NO_RECIPIENT, "name": trade["receiver_name"], "phone": trade["receiver_mobile"], "country": "CN",
            "province": province, "province_code": code, "city": trade["receiver_city"], "district": trade["receiver_district"],
            "town": trade["receiver_town"], "street": trade["receiver_address"], "address_lines": [],
            "postcode": None if trade["receiver_zip"] == "000000" else trade["receiver_zip"], "privacy": "sealed",
            "sealed": {"scheme": "taobao/oaid", "ref": trade["oaid"], "blob": None}, "match_kind": "none",
        },
        "wishes": [], "tags": [], "problems": [],
        "lines": [
            {
                "line_ref": str(x["oid"]), "sku": None, "platform_sku": x["sku_id"], "item_ref": str(x["num_iid"]),
                "merchant_code": x["outer_sku_id"], "title": x["title"], "spec": x["sku_properties_name"], "quantity": x["num"],
                "quantity_refunded": 0, "quantity_shipped": 0, "quantity_to_ship": x["num"], "unit_price_minor": minor(x["price"]),
                "paid_minor": minor(x["divide_order_fee"]), "unit_weight_g": None, "refund": "none", "kind": "goods", **NO_CUSTOMS,
            }
            for x in trade["orders"]["order"]
        ],
    }  # fmt: skip


def node_order(raw: dict[str, Any]) -> dict[str, Any]:
    """Make `order/1` of an order of Shopify by hand, for orders such as the input has."""
    node = raw["payload"]
    ref, to = node["legacyResourceId"], node["shippingAddress"]

    def bag(found: dict[str, Any], name: str) -> int:
        return minor(found[name]["shopMoney"]["amount"])

    total, received = bag(node, "totalPriceSet"), bag(node, "totalReceivedSet")
    service, items = node["shippingLine"]["title"], node["lineItems"]["nodes"]
    return {
        "schema": "order/1", "order_id": f"shopify:{raw['shop']}:{ref}", "platform": "shopify", "shop": raw["shop"],
        "platform_ref": ref, "source": raw["source"], "status": "wait_ship", "holds": [], "refund_open": False,
        "placed_at": node["processedAt"], "paid_at": node["transactions"][0]["processedAt"], "updated_at": node["updatedAt"],
        "observed_at": raw["observed_at"], "ship_by": None, "payment": "prepaid", "currency": node["currencyCode"],
        "goods_minor": sum(bag(x, "originalUnitPriceSet") * x["quantity"] for x in items),
        "postage_minor": bag(node, "totalShippingPriceSet"), "tax_included_minor": 0, "tax_added_minor": bag(node, "totalTaxSet"),
        "adjust_minor": bag(node, "totalTipReceivedSet"), "discount_seller_minor": bag(node, "totalDiscountsSet"),
        "discount_platform_minor": 0, "total_minor": total, "received_minor": received, "due_minor": total - received,
        "refunded_minor": bag(node, "totalRefundedSet"), "buyer_ref": node["customer"]["id"].rsplit("/", 1)[1],
        "buyer_note": node["note"] or None, "seller_note": None, "seller_flag": None,
        "recipient": {
            **NO_RECIPIENT, "name": to["name"], "company": to["company"], "phone": to["phone"] or node["phone"],
            "email": node["email"], "country": to["countryCodeV2"], "province": to["province"], "province_code": to["provinceCode"],
            "city": to["city"], "street": to["address1"], "address_lines": [x for x in (to["address2"],) if x],
            "postcode": to["zip"], "privacy": "plain", "match_kind": "none",
        },
        "wishes": [{"kind": "service", "value": node["shippingLine"]["code"], "avoid": False, "source": "option", "evidence": service}],
        "tags": node["tags"], "problems": [],
        "lines": [
            {
                "line_ref": x["id"].rsplit("/", 1)[1], "sku": None, "platform_sku": x["variant"]["id"].rsplit("/", 1)[1],
                "item_ref": x["product"]["id"].rsplit("/", 1)[1], "merchant_code": x["sku"], "title": x["title"],
                "spec": x["variantTitle"], "quantity": x["quantity"], "quantity_refunded": 0, "quantity_shipped": 0,
                "quantity_to_ship": x["quantity"], "unit_price_minor": bag(x, "originalUnitPriceSet"),
                "paid_minor": bag(x, "discountedTotalSet"), "unit_weight_g": None, "refund": "none", "kind": "goods", **NO_CUSTOMS,
            }
            for x in items
        ],
    }  # fmt: skip


def _dicts(path: Path, make: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    import orjson

    rows = 0
    with path.open("rb") as lines, path.with_suffix(".dicts").open("wb") as sink:
        for line in lines:
            sink.write(orjson.dumps(make(orjson.loads(line))) + b"\n")
            rows += 1
    return rows


def taobao_dicts(path: Path) -> int:
    """Orjson and plain Python, row by row: the rows of `map`, without quarantine."""
    return _dicts(input_of(path, "raw"), trade_order)


def shopify_dicts(path: Path) -> int:
    """Orjson and plain Python, row by row: the rows of `map`, without quarantine."""
    return _dicts(input_of(path, "shopify"), node_order)


def taobao_json(path: Path) -> int:
    """The standard library's JSON and plain Python, row by row."""
    source, rows = input_of(path, "raw"), 0
    with (
        source.open(encoding="utf-8") as lines,
        source.with_suffix(".json").open("w", encoding="utf-8") as sink,
    ):
        for line in lines:
            sink.write(json.dumps(trade_order(json.loads(line)), ensure_ascii=False) + "\n")
            rows += 1
    return rows


def _amount(name: str) -> str:
    return f"cast(cast({name} as decimal(17, 2)) * 100 as bigint)"


_DUCKDB_LINE = "oid BIGINT, title VARCHAR, num_iid BIGINT, sku_id VARCHAR, outer_sku_id VARCHAR, sku_properties_name VARCHAR, num BIGINT, price VARCHAR, divide_order_fee VARCHAR"
_DUCKDB_TRADE = (
    "tid_str VARCHAR, created VARCHAR, pay_time VARCHAR, modified VARCHAR, payment VARCHAR, total_fee VARCHAR, post_fee VARCHAR,"
    " discount_fee VARCHAR, adjust_fee VARCHAR, buyer_open_uid VARCHAR, buyer_message VARCHAR, seller_memo VARCHAR, seller_flag"
    " VARCHAR, receiver_name VARCHAR, receiver_mobile VARCHAR, receiver_state VARCHAR, receiver_city VARCHAR, receiver_district"
    " VARCHAR, receiver_town VARCHAR, receiver_address VARCHAR, receiver_zip VARCHAR, oaid VARCHAR,"
    f' orders STRUCT("order" STRUCT({_DUCKDB_LINE})[])'
)


def taobao_duckdb(path: Path) -> int:
    """Duckdb's reader with the types given, most columns of an order, JSON lines out, without quarantine."""
    import duckdb

    source = input_of(path, "raw")
    instants = ", ".join(
        f"strftime(cast(payload.{theirs} as timestamp) - interval 8 hour, '%Y-%m-%dT%H:%M:%SZ') as {ours}"
        for ours, theirs in (("placed_at", "created"), ("paid_at", "pay_time"), ("updated_at", "modified"))
    )
    amounts = ", ".join(
        f"{_amount('payload.' + theirs)} as {ours}"
        for ours, theirs in (
            *(("total_minor", "payment"), ("goods_minor", "total_fee"), ("postage_minor", "post_fee")),
            *(
                ("discount_seller_minor", "discount_fee"),
                ("adjust_minor", "adjust_fee"),
                ("received_minor", "payment"),
            ),
        )
    )
    (told,) = (
        duckdb.connect()
        .execute(
            f"""copy (
            select 'order/1' as schema, 'taobao:' || shop || ':' || payload.tid_str as order_id, platform, shop,
                payload.tid_str as platform_ref, source, 'wait_ship' as status, observed_at, {instants}, {amounts},
                payload.buyer_open_uid as buyer_ref, nullif(payload.buyer_message, '') as buyer_note,
                nullif(payload.seller_memo, '') as seller_note, payload.seller_flag as seller_flag,
                struct_pack(name := payload.receiver_name, phone := payload.receiver_mobile, country := 'CN',
                    province := payload.receiver_state, city := payload.receiver_city, district := payload.receiver_district,
                    town := payload.receiver_town, street := payload.receiver_address, privacy := 'sealed',
                    sealed := struct_pack(scheme := 'taobao/oaid', ref := payload.oaid)) as recipient,
                list_transform(payload.orders."order", lambda x: struct_pack(line_ref := cast(x.oid as varchar),
                    platform_sku := x.sku_id, item_ref := cast(x.num_iid as varchar), merchant_code := x.outer_sku_id,
                    title := x.title, spec := x.sku_properties_name, quantity := x.num, quantity_to_ship := x.num,
                    unit_price_minor := {_amount("x.price")}, paid_minor := {_amount("x.divide_order_fee")},
                    refund := 'none', kind := 'goods')) as lines
            from read_json('{source}', format = 'newline_delimited', columns = {{platform: 'VARCHAR', shop: 'VARCHAR',
                source: 'VARCHAR', observed_at: 'VARCHAR', payload: 'STRUCT({_DUCKDB_TRADE})'}})
        ) to '{source.with_suffix(".duckdb")}' (format json)"""
        )
        .fetchall()[0]
    )
    return int(told)


def taobao_jq(path: Path) -> int:
    """The program jq: a third of the columns, JSON lines out; its numbers are doubles, so ids are taken from texts."""
    source = input_of(path, "raw")
    target = source.with_suffix(".jq")
    with target.open("wb") as sink:
        subprocess.run(["jq", "-c", _JQ, str(source)], stdout=sink, check=True)
    with target.open("rb") as lines:
        return sum(1 for _ in lines)


_JQ = """
def minor: tonumber * 100 | round;
def instant: strptime("%Y-%m-%d %H:%M:%S") | mktime - 28800 | todate;
.shop as $shop | .observed_at as $observed | .payload | {
  schema: "order/1", order_id: ("taobao:" + $shop + ":" + .tid_str), platform: "taobao", shop: $shop, platform_ref: .tid_str,
  status: "wait_ship", placed_at: (.created | instant), paid_at: (.pay_time | instant), updated_at: (.modified | instant),
  observed_at: $observed, total_minor: (.payment | minor), goods_minor: (.total_fee | minor), postage_minor: (.post_fee | minor),
  buyer_ref: .buyer_open_uid, buyer_note: .buyer_message, seller_note: .seller_memo,
  recipient: {name: .receiver_name, phone: .receiver_mobile, province: .receiver_state, city: .receiver_city,
    district: .receiver_district, town: .receiver_town, street: .receiver_address, sealed: {ref: .oaid}},
  lines: [.orders.order[] | {line_ref: (.oid | tostring), platform_sku: .sku_id, merchant_code: .outer_sku_id, title, quantity: .num,
    unit_price_minor: (.price | minor), paid_minor: (.divide_order_fee | minor)}]
}"""
