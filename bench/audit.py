"""The audit over orders held as Parquet: ours, which is a second `normalize`, and a few of its checks row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from bench.reading import NOW, RULES, input_of, taobao_parquet


def kept(path: Path) -> Path:
    """Give normalized trades as Parquet, made once."""
    orders = input_of(path, "raw").with_suffix(".orders.parquet")
    if not orders.exists():
        taobao_parquet(path)
    return orders


def audit_read(path: Path) -> int:
    """The floor: the orders are read."""
    return pl.read_parquet(kept(path)).height


def audit_again(path: Path) -> int:
    """Ours: every check anew, with SKUs, notes and addresses looked at again."""
    from orderctl.model.facts import Facts
    from orderctl.stages.normalize import normalize
    from orderctl.stages.rules.parse import parse

    rules, rows = parse(RULES.read_text("utf-8")).normalize, 0
    orders = pl.read_parquet(kept(path))
    for some in orders.iter_slices(20_000):
        rows += normalize(some, rules, Facts(), NOW).height
    return rows


def audit_dicts(path: Path) -> int:
    """Nine of the checks in plain Python, row by row, stopping at none."""
    return sum(
        1 for order in pl.read_parquet(kept(path)).iter_rows(named=True) if _checked(order) is not None
    )


def _checked(order: dict[str, Any]) -> list[str]:
    to, lines = order["recipient"], order["lines"]
    terms = ("goods_minor", "postage_minor", "tax_added_minor", "adjust_minor")
    off = ("discount_seller_minor", "discount_platform_minor")
    live = any(line["quantity_to_ship"] > 0 for line in lines)
    sums = [order[name] for name in (*terms, *off, "total_minor")]
    found = {
        "no_lines": not lines,
        "recipient_incomplete": live
        and not (to["province"] and to["city"] and (to["street"] or to["sealed"])),
        "sku_unmapped": live and any(line["sku"] is None for line in lines),
        "refund_open": live
        and (order["refund_open"] or any(line["refund"] == "requested" for line in lines)),
        "not_paid": live and order["status"] == "wait_pay" and order["payment"] not in ("cod", "credit"),
        "held": live and any(hold["until"] is None or hold["until"] > NOW for hold in order["holds"]),
        "total_unverifiable": live and None in sums,
        "total_mismatch": live
        and None not in sums
        and sum(order[n] for n in terms) - sum(order[n] for n in off) != order["total_minor"],
        "nothing_to_ship": bool(lines) and not live,
    }
    return [code for code, there in found.items() if there]
