"""The laws of the pure stages, with the recorded orders of every platform under the example rules.

Normalizing twice is once, whatever form the batch takes between; the order of rows, the cut into blocks and the number
of threads do not show in the outcome; and no stage touches what it was given.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from orderctl.cli.mapping import order_blocks
from orderctl.model.facts import COMMITMENTS, DECISIONS, Facts
from orderctl.model.schema import conform
from orderctl.ports import batches
from orderctl.stages.merge import merge
from orderctl.stages.normalize import normalize
from orderctl.stages.reports import REPORTS, Material, find
from orderctl.stages.route import route
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from tests.ports.platforms.golden import NOW, ROOT, orders, sources
from tests.properties.damage import templates

FORMS = sorted(sources())
LATER = "2026-11-25T02:00:00Z"
BETWEEN = ("orders.jsonl", "orders.jsonl.zst", "orders.parquet", "orders.arrow")
COPIES = 20


@cache
def book() -> RuleBook:
    path = ROOT / "rules.example.yaml"
    return parse(path.read_text("utf-8"), source=str(path))


@cache
def recorded() -> pl.DataFrame:
    """The orders of all formats as their mappers give them."""
    return pl.concat([orders(form) for form in FORMS]).unique("order_id", maintain_order=True)


@cache
def facts() -> Facts:
    """Facts that touch some of the recorded orders: lines on their way, findings let pass, a pin."""
    ids = recorded()["order_id"].to_list()
    lines = recorded().filter(pl.col("lines").list.len() > 0).select("order_id", "lines").explode("lines")
    bound = lines.unnest("lines").gather_every(9).filter(pl.col("quantity") > 0)
    commitments = bound.select(
        "order_id", "line_ref", "quantity", shipment_id=pl.concat_str(pl.lit("S-"), "order_id")
    )
    decisions = [
        *({"subject": one, "decision": "force", "payload": '{"code": "total_mismatch"}'} for one in ids[::7]),
        *({"subject": one, "decision": "never_merge", "payload": None} for one in ids[::11]),
        *({"subject": one, "decision": "pin", "payload": '{"courier": "SF"}'} for one in ids[::13]),
    ]
    return Facts(
        commitments=pl.DataFrame(commitments.to_dicts(), schema=COMMITMENTS),
        decisions=pl.DataFrame([row | {"at": NOW} for row in decisions], schema=DECISIONS),
        key=b"key",
    )


@cache
def normalized() -> pl.DataFrame:
    return normalize(recorded(), book().normalize, facts(), LATER)


@cache
def merged() -> pl.DataFrame:
    return merge(normalized(), book().rules.merge, facts(), LATER)


@cache
def routed() -> pl.DataFrame:
    return route(merged(), book(), facts(), LATER)


def written(frame: pl.DataFrame, path: Path, kind: str) -> Path:
    batches.write_batch(iter([frame]), str(path), kind=kind, format=batches.format_of(str(path), None))
    return path


def through(path: Path) -> pl.DataFrame:
    """Normalize a file as the command does."""
    rejects = batches.Rejects(None)
    with batches.open_source(str(path)) as source:
        found = pl.concat(list(order_blocks(source, rejects, book(), facts(), LATER)))
    assert rejects.count == 0, rejects.first
    return found


@pytest.mark.parametrize("form", FORMS)
def test_normalizing_twice_is_once_whatever_stands_between(form: str, tmp_path: Path) -> None:
    raw = conform(sources()[form](), "raw/1")
    once = through(written(raw, tmp_path / "raw.jsonl", "raw/1"))
    assert once.height == raw.height > 0
    assert_frame_equal(through(written(raw, tmp_path / "raw.parquet", "raw/1")), once)
    for name in BETWEEN:
        again = through(written(once, tmp_path / name, "order/1"))
        assert_frame_equal(again, once)
        assert again.write_json() == once.write_json()


@settings(max_examples=6)
@given(st.randoms(use_true_random=False), st.integers(30, 400))
def test_neither_the_order_of_rows_nor_the_cut_into_blocks_shows_in_normalized_orders(
    chance: random.Random, size: int
) -> None:
    places = list(range(recorded().height))
    chance.shuffle(places)
    mixed = recorded()[places]
    blocks = [mixed.slice(at, size) for at in range(0, mixed.height, size)]
    found = pl.concat([normalize(block, book().normalize, facts(), LATER) for block in blocks])
    assert_frame_equal(found, normalized()[places])


@settings(max_examples=6)
@given(st.randoms(use_true_random=False), st.integers(30, 400))
def test_neither_the_order_of_rows_nor_the_cut_into_blocks_shows_in_routed_shipments(
    chance: random.Random, size: int
) -> None:
    places = list(range(merged().height))
    chance.shuffle(places)
    mixed = merged()[places]
    blocks = [mixed.slice(at, size) for at in range(0, mixed.height, size)]
    found = pl.concat([route(block, book(), facts(), LATER) for block in blocks])
    assert_frame_equal(found, routed()[places])


def test_routing_twice_is_once() -> None:
    assert_frame_equal(route(routed(), book(), facts(), LATER), routed())


def bytes_of(frame: pl.DataFrame) -> bytes:
    """Everything a frame holds, so that a change in place shows, also one in memory that copies share."""
    out = io.BytesIO()
    frame.write_ipc(out)
    return out.getvalue()


def reported(name: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: find(name)[1].make(Material(frame, "Asia/Shanghai"))


def to_normalized(frame: pl.DataFrame) -> pl.DataFrame:
    return normalize(frame, book().normalize, facts(), LATER)


def to_routed(frame: pl.DataFrame) -> pl.DataFrame:
    return route(frame, book(), facts(), LATER)


STAGES: dict[str, tuple[Callable[[], pl.DataFrame], Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "normalize": (recorded, to_normalized),
    "normalize again": (normalized, to_normalized),
    "route": (merged, to_routed),
    "route again": (routed, to_routed),
    **{f"report {name}": (routed, reported(name)) for name in REPORTS},
}


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_changes_its_input(name: str) -> None:
    source, run = STAGES[name]
    given_frame, tables = source(), (facts().commitments, facts().decisions)
    before = [given_frame.schema, *map(bytes_of, (given_frame, *tables))]
    first = run(given_frame)
    assert [given_frame.schema, *map(bytes_of, (given_frame, *tables))] == before
    assert_frame_equal(run(given_frame), first)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some thousand raw orders of many platforms."""
    path = tmp_path_factory.mktemp("threads") / "raw.jsonl"
    made = [template.made(number)[0] for number in range(COPIES) for template in templates()]
    path.write_text("".join(line + "\n" for line in made), "utf-8")
    return path


def piped(folder: Path, source: Path, threads: int) -> dict[str, list[str]]:
    """Run normalize, merge and route in a process each; give the lines each of them wrote."""
    found: dict[str, list[str]] = {}
    for step in ("normalize", "merge", "route"):
        target = folder / f"{step}-{threads}-{source.stem}.jsonl"
        ran = subprocess.run(
            [sys.executable, "-m", "orderctl", step, str(source), "--rules", str(ROOT / "rules.example.yaml"), "-o", str(target)],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "POLARS_MAX_THREADS": str(threads), "ORDERCTL_NOW": LATER, "ORDERCTL_STATE": "state"},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        found[step], source = target.read_text("utf-8").splitlines(), target
    return found


def test_neither_threads_nor_the_order_of_lines_show_in_what_the_commands_write(raw: Path) -> None:
    alone = piped(raw.parent, raw, 1)
    assert piped(raw.parent, raw, 4) == alone
    lines = raw.read_text("utf-8").splitlines()
    assert len(alone["normalize"]) == len(lines) > 1_000
    random.Random(5).shuffle(lines)
    mixed = raw.with_name("mixed.jsonl")
    mixed.write_text("".join(line + "\n" for line in lines), "utf-8")
    other = piped(raw.parent, mixed, 3)
    assert sorted(other["normalize"]) == sorted(alone["normalize"])
    assert [json.loads(line)["order_id"] for line in other["normalize"]] == [
        ":".join(json.loads(line)[name] for name in ("platform", "shop", "platform_ref")) for line in lines
    ]
    for step in ("merge", "route"):
        assert other[step] == alone[step]
