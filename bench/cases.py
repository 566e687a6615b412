"""What is measured: each case reads the same file and does the work its name says. One process a case."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import cast

PEERS = {"cpca": "addresses_cpca", "jionlp": "addresses_jionlp"}
"""Parsers of addresses that are measured where they are installed."""
MERGERS = {"duckdb": "merging_duckdb", "pandas": "merging_pandas"}
"""Engines that group orders and are measured where they are installed."""
NOW = "2026-11-24T05:30:28Z"
RULES = Path(__file__).parent.parent / "rules.example.yaml"


def scan_ndjson(path: Path) -> int:
    """Polars' own JSONL reader with the mapper's nested type: the trap this project avoids."""
    import polars as pl

    from orderctl.ports.platforms.formats import mappers

    schema = {"platform_ref": pl.String(), "payload": mappers()["taobao/trade"].dtype}
    frame = pl.scan_ndjson(path, schema=schema).collect()
    return frame.height


def read_only(path: Path) -> int:
    """Our block reader: slices, text leaves, quarantine; no mapping."""
    from orderctl.ports import batches
    from orderctl.ports.platforms.formats import mappers

    dtypes = {name: mapper.dtype for name, mapper in mappers().items()}
    with batches.open_source(str(path)) as source:
        blocks = batches.read_raw_blocks(source, dtypes, batches.Rejects(None))
        return sum(frame.height for frames in blocks for frame in frames.values())


def _kept(path: Path, ending: str, change: Callable[[int, str], str]) -> Path:
    """Give a copy of the input with changed lines, made once."""
    kept = path.with_suffix(ending)
    if not kept.exists():
        with path.open(encoding="utf-8") as lines, kept.open("w", encoding="utf-8") as sink:
            sink.writelines(change(n, line) for n, line in enumerate(lines))
    return kept


def read_spoiled(path: Path) -> int:
    """The same with one line in a thousand cut short: a slice that fails is read line by line."""
    return read_only(_kept(path, ".spoiled", lambda n, line: line[:999] + "\n" if n % 1000 == 7 else line))


def read_facts(path: Path) -> int:
    """The same with facts from the platform, as most trades have them."""
    facts = '"facts":{"same_recipient":"0123456789abcdef"}}'
    return read_only(_kept(path, ".facts", lambda _, line: line.replace('"facts":null}', facts)))


def read_foreign(path: Path) -> int:
    """The same as another program writes it, with spaces: every envelope is opened by itself."""
    return read_only(_kept(path, ".foreign", lambda _, line: line.replace('"schema":', '"schema": ', 1)))


def _shipments(path: Path):  # type: ignore[no-untyped-def]
    """Give routed input: made once, kept as Parquet beside the raw file."""
    import polars as pl

    from orderctl.cli.mapping import order_blocks
    from orderctl.model.facts import Facts
    from orderctl.ports import batches
    from orderctl.stages.merge import merge
    from orderctl.stages.rules.parse import parse

    kept = path.with_suffix(".shipments.parquet")
    if not kept.exists():
        book = parse(RULES.read_text("utf-8"))
        with batches.open_source(str(path)) as source:
            orders = pl.concat(order_blocks(source, batches.Rejects(None), book, Facts(), NOW))
        merge(orders, book.merge, Facts(), NOW).write_parquet(kept)
    return pl.read_parquet(kept)


def merge_orders(path: Path) -> int:
    """`merge` of all orders, held in memory."""
    import polars as pl

    from orderctl.model.facts import Facts
    from orderctl.stages.merge import merge
    from orderctl.stages.merging.versions import take_apart
    from orderctl.stages.rules.parse import parse

    orders = take_apart(_shipments(path))
    book = parse(RULES.read_text("utf-8"))
    found = merge(orders, book.merge, Facts(), NOW)
    return int(found.select(pl.col("orders").list.len().sum()).item())


def merge_dicts(path: Path) -> int:
    """The grouping alone, over plain Python dicts: key, orders, lines and totals."""
    from orderctl.stages.merging.versions import take_apart

    groups: dict[tuple[object, ...], dict[str, object]] = {}
    rows = take_apart(_shipments(path)).to_dicts()
    for order in rows:
        to = order["recipient"]
        key = (order["shop"], to["match_kind"], to["match_key"] or order["order_id"])
        group = groups.setdefault(key, {"orders": [], "lines": [], "total": 0})
        group["orders"].append(order)  # type: ignore[attr-defined]
        group["lines"].extend(order["lines"])  # type: ignore[attr-defined]
        group["total"] += order["total_minor"]  # type: ignore[operator]
    return len(rows)


def help_text(path: Path) -> int:  # noqa: ARG001
    """`orderctl --help`."""
    from orderctl.cli.main import run

    return run(["--help"])


def bare_python(path: Path) -> int:  # noqa: ARG001
    """An interpreter that does nothing."""
    return 0


# By name, so that a case imports nothing it does not measure.
GROUPS: dict[str, list[str]] = {
    "raw trades of Taobao to orders": [
        *("taobao_floor", "read_only", "taobao_map", "taobao_whole", "taobao_parquet"),
        *("taobao_dicts", "taobao_json", "scan_ndjson"),
        *(["taobao_duckdb"] if find_spec("duckdb") else []),
        *(["taobao_jq"] if which("jq") else []),
    ],
    "raw orders of Shopify to orders": [
        *("shopify_floor", "shopify_map", "shopify_whole", "shopify_parquet", "shopify_dicts"),
    ],
    "audit": ["audit_read", "audit_again", "audit_dicts"],
    "quarantine": ["read_only", "read_spoiled", "read_facts", "read_foreign"],
    "orders to shipments": ["merge_orders", "merge_dicts"],
    "merge": [
        "merging_floor",
        "merging_joins",
        "merging_whole",
        "merging_dicts",
        *(c for p, c in MERGERS.items() if find_spec(p)),
    ],
    "route": [
        *("routing_floor", "routing_whole", "routing_dicts"),
        *(["routing_duckdb"] if find_spec("duckdb") else []),
    ],
    "route: growth with rules": ["routing_10", "routing_100", "routing_1000"],
    "first match, 200 rules": ["match_blocks", "match_chain", "match_python"],
    "words in notes": ["words_any", "words_extract", "words_columns"],
    "wishes in notes": [
        *("wishes_any", "wishes_50", "wishes_500", "wishes_python", "wishes_regex"),
        *(["wishes_aho"] if find_spec("ahocorasick") else []),
    ],
    "amounts (counted: those read exactly)": ["money_minor", "money_decimal", "money_float"],
    "addresses": [
        *("addresses_regex", "addresses_split", "addresses_settled"),
        *(c for p, c in PEERS.items() if find_spec(p)),
    ],
    "stock dealt out": ["stock_made", "stock_greedy", "stock_lines"],
    "start": ["bare_python", "help_text"],
}


OWN = {
    "addresses": "bench.addresses",
    "merging": "bench.merging",
    "routing": "bench.routing",
    "audit": "bench.audit",
    "stock": "bench.stock",
    "taobao": "bench.reading",
    "shopify": "bench.reading",
}
"""Where cases stand, by the first word of their names; the others stand here or among the parts."""
WITHOUT_INPUT = (
    *("merge", "route", "route: growth with rules", "addresses", "words in notes", "wishes in notes"),
    *("first match, 200 rules", "stock dealt out", "start"),
)
"""Groups that make their own input, or need none."""
GROWTH = (
    "taobao_whole",
    "shopify_whole",
    "audit_again",
    "wishes_500",
    "addresses_settled",
    "merging_whole",
    "routing_whole",
)
"""Cases whose cost per row is told for growing inputs."""


def case(name: str) -> Callable[[Path], int]:
    """Give a case by its name."""
    where = OWN.get(name.split("_", maxsplit=1)[0], "bench.parts")
    found = globals().get(name) or getattr(import_module(where), name)
    return cast(Callable[[Path], int], found)


if __name__ == "__main__":
    sys.stderr.write(f"{case(sys.argv[1])(Path(sys.argv[2]))}\n")
