"""The same orders by API and by export file, normalized, and what differs between the two, field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from orderctl.model.facts import Facts
from orderctl.stages.merge import MergeRules, merge
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.ports.platforms.golden import NOW, ROOT, to_orders

Order = Mapping[str, Any]
Law = Callable[[Order, Order], bool]
UNLIKE = {"source", "observed_at", "extra", "problems", "schema"}
"""Where and when an order was read, and what was found in it: never the same by two ways."""
EMPTY = (None, [], "none", 0, False)
DOC = ROOT / "docs" / "platforms.md"


def by_ref(raw: pl.DataFrame) -> dict[str, Order]:
    """Give the orders of raw records through mapper and `normalize`, by the platform's number."""
    found = normalize(to_orders(raw), NormalizeRules(), Facts(), NOW)
    return {row["platform_ref"]: row for row in found.iter_rows(named=True)}


def flat(order: Order) -> dict[str, Any]:
    """Give every leaf of an order by its path: of lines with their place, of holds and wishes with their kind."""
    found: dict[str, Any] = {}

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else key, inner)
        elif name == "lines":
            for at, inner in enumerate(value):
                walk(f"lines[{at}]", inner)
        elif name == "holds":
            for inner in value:
                found[f"holds[{inner['code']}]"] = inner["code"]
                found[f"holds[{inner['code']}].until"] = inner["until"]
        elif name == "wishes":
            for at, inner in enumerate(value):
                before = sum(wish["kind"] == inner["kind"] for wish in value[:at])
                found[f"wishes.{inner['kind']}[{before}]"] = inner["value"]
        else:
            found[name] = value

    walk("", {key: value for key, value in order.items() if key not in UNLIKE})
    return found


def differing(api: Order, file: Order) -> dict[str, list[tuple[Any, Any]]]:
    """Give by path (`lines[1].title` is `lines.title`) what differs, as (the API's, the file's)."""
    ours, theirs = flat(api), flat(file)
    found: dict[str, list[tuple[Any, Any]]] = {}
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            path = re.sub(r"\[[^]]*\]", "", name)
            found.setdefault(path, []).append((ours.get(name), theirs.get(name)))
    return found


def documented(platform: str) -> tuple[set[str], set[str]]:
    """Give what docs/platforms.md says a platform's file lacks, and what it tells otherwise: paths in backticks."""
    cells = [line.split("|")[1:-1] for line in DOC.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = {row[0].replace("`", "").strip(): row[1:] for row in cells if len(row) == 3}
    lacking, otherwise = (set(re.findall(r"`([^`]+)`", cell)) for cell in rows[platform])
    return lacking, otherwise


def check_pair(
    api: Mapping[str, Order],
    file: Mapping[str, Order],
    *,
    platform: str,
    otherwise: Mapping[str, Law],
    only_in_file: set[str],
) -> None:
    """Compare orders field by field: what differs is empty in the file and listed, or told otherwise by a law.

    Args:
        api: the orders by the API, by number.
        file: the same by the file.
        platform: whose list in docs/platforms.md is to be exactly what was found.
        otherwise: by path the law that holds between an order by the API and the same by the file.
        only_in_file: paths that the file tells and the API does not.
    """
    assert api.keys() == file.keys()
    everywhere, _ = documented("all")
    lacking, listed = documented(platform)
    assert listed == otherwise.keys()
    seen: set[str] = set()
    for ref, ours in api.items():
        for path, values in differing(ours, file[ref]).items():
            seen.add(path)
            for by_api, by_file in values:
                where = (ref, path, by_api, by_file)
                if path in otherwise:
                    assert otherwise[path](ours, file[ref]), where
                elif not (path in only_in_file and by_api in EMPTY):
                    assert path in lacking | everywhere, where
                    assert by_file in EMPTY or path == "recipient.privacy", where
    assert lacking | otherwise.keys() | only_in_file <= seen


def merged(*batches: pl.DataFrame) -> dict[str, list[tuple[str, int]]]:
    """Give what the shipments of all batches together carry of each order: line and quantity."""
    found = normalize(pl.concat([to_orders(raw) for raw in batches]), NormalizeRules(), Facts(), NOW)
    carried: dict[str, list[tuple[str, int]]] = {}
    for row in merge(found, MergeRules(), Facts(), NOW).iter_rows(named=True):
        for line in row["lines"]:
            if line["quantity"]:
                carried.setdefault(line["order_id"], []).append((line["line_ref"], line["quantity"]))
    return {order: sorted(lines) for order, lines in carried.items()}
