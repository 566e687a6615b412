"""The joining of orders: ours, its floor, and peers doing the same grouping, over `order/1` kept as Parquet.

One order in five has a fellow of the same recipient. People, streets and numbers are made up by hashing.
`pip install duckdb pandas` brings peers that are measured where they are installed. What is counted are the orders.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

NOW = "2026-11-24T05:30:28Z"
_FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = "伟芳娜敏静强磊军洋勇艳杰娟涛明超秀霞平刚桂文辉玲华红鹏慧斌丽"
_PLACES = (
    ("浙江省", "杭州市", "余杭区"), ("上海市", "上海市", "浦东新区"), ("广东省", "深圳市", "南山区"),
    ("江苏省", "苏州市", "吴中区"), ("四川省", "成都市", "武侯区"), ("北京市", "北京市", "朝阳区"),
    ("湖北省", "武汉市", "洪山区"), ("陕西省", "西安市", "雁塔区"), ("山东省", "济南市", "历下区"),
)  # fmt: skip


def _dice(of: pl.Expr, sides: int, seed: int) -> pl.Expr:
    return (of.hash(seed) % sides).cast(pl.Int64)


def _one_of(words: tuple[str, ...] | str, of: pl.Expr, seed: int) -> pl.Expr:
    return _dice(of, len(words), seed).replace_strict(dict(enumerate(words)), return_dtype=pl.String)


def orders(rows: int) -> pl.DataFrame:
    """Make `order/1`: one to three lines each, notes and wishes at some, a slip of the pen at one name in a hundred."""
    at = pl.int_range(rows)
    crowd = max(rows // 12, 1)  # a fifth of the orders fall on these, 2.4 each
    whose = pl.when(_dice(at, 5, 1) == 0).then(_dice(at, crowd, 2)).otherwise(at + crowd)
    frame = pl.select(at=at, person=whose)
    person, at = pl.col("person"), pl.col("at")
    place = _dice(person, len(_PLACES), 3)
    levels = [
        place.replace_strict(dict(enumerate(part)), return_dtype=pl.String)
        for part in zip(*_PLACES, strict=True)
    ]
    slip = pl.when(_dice(at, 100, 4) == 0).then(_one_of(_GIVEN, at, 5)).otherwise(_one_of(_GIVEN, person, 6))
    number = [
        _dice(person, sides, seed).cast(pl.String) for sides, seed in ((999, 7), (40, 8), (4, 9), (3000, 10))
    ]
    word = [_one_of(_GIVEN, person, seed) for seed in (11, 12, 13)]
    sealed = _dice(person, 10, 14) < 4
    proof = pl.concat_str(pl.lit("h:"), person.hash(15))
    phone = pl.concat_str(pl.lit("1380"), _dice(person, 10**7, 16).cast(pl.String).str.zfill(7))
    street = pl.concat_str(
        pl.lit("样例"), word[0], pl.lit("路"), number[0], pl.lit("号示范"), word[1], word[2], pl.lit("家园"),
        number[1], pl.lit("栋"), number[2], pl.lit("单元"), number[3], pl.lit("室"),
    )  # fmt: skip
    recipient = pl.struct(
        name=pl.concat_str(_one_of(_FAMILY, person, 17), slip, _one_of(_GIVEN, person, 18)),
        phone=pl.when(~sealed).then(phone), country=pl.lit("CN"),
        province=levels[0], city=levels[1], district=levels[2], street=pl.when(~sealed).then(street),
        privacy=pl.when(sealed).then(pl.lit("sealed")).otherwise(pl.lit("plain")),
        sealed=pl.when(sealed).then(
            pl.struct(scheme=pl.lit("taobao/oaid"), ref=proof, blob=pl.lit(None, dtype=pl.String))
        ),
        match_kind=pl.when(sealed).then(pl.lit("asked")).otherwise(pl.lit("canonical")), match_key=proof,
    )  # fmt: skip
    wish = pl.struct(
        kind=pl.lit("courier"), value=_one_of(("SF", "ZTO", "YTO"), at, 19), avoid=_dice(at, 4, 20) == 0,
        source=pl.lit("buyer_note"), evidence=pl.lit("样例"),
    )  # fmt: skip
    line = [
        pl.struct(
            line_ref=pl.lit(str(k)), sku=pl.concat_str(pl.lit("SKU-"), _dice(at, 500, 30 + k)), title=pl.lit("样例商品"),
            quantity=_dice(at, 3, 40 + k) + 1, quantity_to_ship=_dice(at, 3, 40 + k) + 1, quantity_refunded=pl.lit(0),
            quantity_shipped=pl.lit(0), unit_price_minor=pl.lit(1990), paid_minor=(_dice(at, 3, 40 + k) + 1) * 1990,
            unit_weight_g=pl.lit(350), refund=pl.lit("none"), kind=pl.lit("goods"),
        )
        for k in range(3)
    ]  # fmt: skip
    minutes = _dice(at, 20 * 1440, 21) * 60
    placed = pl.lit(1_762_000_000) + minutes
    platform = pl.when(sealed).then(pl.lit("taobao")).otherwise(pl.lit("shopify"))
    made = frame.select(
        "at", platform=platform, shop=pl.lit("bench"), platform_ref=at.cast(pl.String), source=pl.lit("bench"),
        order_id=pl.concat_str(platform, pl.lit(":bench:"), at), status=pl.lit("wait_ship"), refund_open=pl.lit(False),
        placed_at=pl.from_epoch(placed).dt.strftime("%Y-%m-%dT%H:%M:%SZ"), observed_at=pl.lit("2026-11-24T00:00:00Z"),
        payment=pl.lit("prepaid"), currency=pl.lit("CNY"), total_minor=pl.lit(1990), due_minor=pl.lit(0),
        buyer_ref=pl.concat_str(pl.lit("b"), "person"), buyer_note=pl.when(_dice(at, 7, 22) == 0).then(pl.lit("麻烦快点发货")),
        recipient=recipient, wishes=pl.when(_dice(at, 10, 23) == 0).then(pl.concat_list(wish)),
        lines=pl.concat_list(line).list.head(_dice(at, 3, 24) + 1),
    )  # fmt: skip
    from orderctl.model.schema import conform

    return conform(made, "order/1")


def kept(path: Path) -> Path:
    """Give the Parquet file with as many orders as the input has rows, made once."""
    rows = int(path.stem.split("-")[1])
    file = path.with_name(f"orders-{rows}.parquet")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(".part")
        orders(rows).write_parquet(beside)
        beside.replace(file)
    return file


def merging_read(path: Path) -> int:
    """Reading the file, and nothing else."""
    return pl.read_parquet(kept(path)).height


def merging_floor(path: Path) -> int:
    """The grouping alone in polars: key, orders, lines and totals; no versions, cap, wishes, reasons, suggestions, ids."""
    recipient = pl.col("recipient").struct
    grouped = (
        pl.read_parquet(kept(path))
        .with_columns(kind=recipient.field("match_kind"), key=recipient.field("match_key"))
        .group_by("shop", "kind", "key")
        .agg(
            pl.struct("order_id", "placed_at", "buyer_note", "recipient").alias("orders"),
            pl.col("lines").explode(),
            pl.col("total_minor").sum(),
        )
    )
    return int(grouped.select(pl.col("orders").list.len().sum()).item())


def _merged(path: Path, **rules: bool) -> int:
    from orderctl.model.facts import Facts
    from orderctl.stages.merge import MergeRules, merge

    found = merge(pl.read_parquet(kept(path)), MergeRules(**rules), Facts(), NOW)  # type: ignore[arg-type]
    return int(found.select(pl.col("orders").list.len().sum()).item())


def merging_joins(path: Path) -> int:
    """Ours without suggestions: versions, key, window, cap, wishes, reasons, ids, problems, whole shipments."""
    return _merged(path, suggest=False)


def merging_whole(path: Path) -> int:
    """Ours in whole, with suggestions."""
    return _merged(path)


def merging_dicts(path: Path) -> int:
    """The floor's work over plain Python dicts."""
    groups: dict[tuple[str, ...], dict[str, object]] = {}
    for order in pl.read_parquet(kept(path)).iter_rows(named=True):
        to = order["recipient"]
        group = groups.setdefault(
            (order["shop"], to["match_kind"], to["match_key"]), {"orders": [], "lines": [], "total": 0}
        )
        group["orders"].append({n: order[n] for n in ("order_id", "placed_at", "buyer_note", "recipient")})  # type: ignore[attr-defined]
        group["lines"].extend(order["lines"])  # type: ignore[attr-defined]
        group["total"] += order["total_minor"]  # type: ignore[operator]
    return sum(len(group["orders"]) for group in groups.values())  # type: ignore[arg-type]


def merging_duckdb(path: Path) -> int:
    """The floor's work in duckdb."""
    import duckdb

    duckdb.sql(
        f"""create table found as
            select shop, recipient.match_kind, recipient.match_key, sum(total_minor),
                   list({{order_id: order_id, placed_at: placed_at, note: buyer_note, recipient: recipient}}) as orders,
                   flatten(list(lines))
            from read_parquet('{kept(path)}') group by all"""
    )
    return int(duckdb.sql("select sum(len(orders)) from found").fetchall()[0][0])


def merging_pandas(path: Path) -> int:
    """The floor's work in pandas."""
    import pandas as pd

    frame = pd.read_parquet(
        kept(path),
        columns=["order_id", "placed_at", "shop", "buyer_note", "recipient", "lines", "total_minor"],
    )
    to = frame["recipient"]
    frame["kind"], frame["key"] = to.map(lambda r: r["match_kind"]), to.map(lambda r: r["match_key"])
    parts = dict.fromkeys(("order_id", "placed_at", "buyer_note", "recipient", "lines"), list)
    found = frame.groupby(["shop", "kind", "key"], sort=False).agg({**parts, "total_minor": "sum"})
    found["lines"] = found["lines"].map(lambda lines: [one for part in lines for one in part])
    return int(found["order_id"].map(len).sum())
