"""The way of a picker, against one who walks it bin by bin; bins from tables and lists; mistakes in the rules."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import polars as pl
import pytest

from orderctl.model.errors import ConfigError
from orderctl.model.facts import STOCK
from orderctl.stages.documents.data import natural
from orderctl.stages.documents.slips import to_picks
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.waves import Path
from orderctl.stages.waves.path import read_code, read_codes, walked
from tests.stages.waves.shop import CATALOGUE, COURIERS, SHELVES, batch, book, many, shipment, told, waved


def walk_by_hand(codes: list[str]) -> list[str]:
    """Walk zone by zone, aisle by aisle, every other aisle that is visited backwards."""
    parts = {code: tuple(natural(p) for p in code.split("-")) for code in codes}
    passed: list[str] = []
    for zone in sorted({p[0] for p in parts.values()}):
        aisles = sorted({p[1] for p in parts.values() if p[0] == zone})
        for turn, aisle in enumerate(aisles):
            bays = sorted({p[2] for p in parts.values() if p[:2] == (zone, aisle)}, reverse=turn % 2 == 1)
            for bay in bays:
                here = [c for c, p in parts.items() if p[:3] == (zone, aisle, bay)]
                passed += sorted(here, key=lambda c: parts[c][3])
    return passed


@pytest.mark.parametrize("seed", range(5))
def test_the_walk_is_that_of_one_who_walks_it(seed: int) -> None:
    random = Random(seed)
    codes = [
        f"{random.choice('AB')}-{random.randint(1, 12)}-{random.randint(1, 30)}-{random.randint(1, 3)}"
        for _ in range(40)
    ]
    assert walked(read_codes(codes, Path()), Path())["location"].to_list() == walk_by_hand(
        [*dict.fromkeys(codes)]
    )


def test_codes_are_read_by_their_parts_or_by_an_expression() -> None:
    assert read_code("A-03-12", Path()) == ("A", "03", "12", None)
    assert read_code("A-03-12-2", Path()) == ("A", "03", "12", "2")
    assert read_code("A-03", Path()) == read_code("A03", Path()) == (None, "A", "03", None)
    assert read_code("样例架", Path()) == (None, None, "样例架", None)
    own = Path(code=r"^(?P<zone>[0-9])(?P<aisle>[0-9]{2})(?P<bay>[0-9]+)$")
    assert read_code("10312", own) == ("1", "03", "12", None)
    assert read_code("elsewhere", own) == (None, None, "elsewhere", None)


def test_straight_walks_never_turn() -> None:
    codes = ["A-1-1", "A-1-9", "A-2-1", "A-2-10", "A-2-9"]
    way = walked(read_codes(codes, Path()), Path(shape="straight"))["location"].to_list()
    assert way == ["A-1-1", "A-1-9", "A-2-1", "A-2-9", "A-2-10"]


def test_single_lines_are_in_the_order_of_the_walk_and_of_the_pick_list() -> None:
    rules = book("waves: {rules: [{name: all, kind: single_line, capacity: {shipments: 20}}]}")
    rows = [r for r in waved(many(8), rules) if r["wave"] and told(r)["rule"] == "all"]
    assert len(rows) > 30
    for wave in {r["wave"] for r in rows}:
        members = sorted((r for r in rows if r["wave"] == wave), key=lambda r: r["sequence"])
        shelves = [SHELVES[r["lines"][0]["sku"]] for r in members]
        stops = rules.shelves().stops(members[0]["warehouse"], shelves)
        assert all(stops[a] <= stops[b] for a, b in pairwise(shelves))
        items = [
            {
                "sku": r["lines"][0]["sku"],
                "title": "",
                "spec": "",
                "quantity": 1,
                "gift": False,
                "location": s,
            }
            for r, s in zip(members, shelves, strict=True)
        ]
        labels = [
            {
                "shipment_id": r["shipment_id"],
                "warehouse": "hz",
                "wave": wave,
                "sequence": r["sequence"],
                "position": "",
            }
            | {"items": [item]}
            for r, item in zip(members, items, strict=True)
        ]
        (pick,) = to_picks(labels, rules.shelves().stops)  # type: ignore[arg-type]
        walk = [row["location"] for row in pick["rows"]]
        assert walk == [s for s, _ in sorted(stops.items(), key=lambda pair: pair[1])]
        firsts = [int(row["positions"][0]["sequence"]) for row in pick["rows"]]
        assert firsts == sorted(firsts)


def test_runs_of_places_that_get_equally_many_are_drawn_together() -> None:
    item = {"sku": "A", "title": "", "spec": "", "gift": False, "location": "A-1"}
    labels = [
        {
            "shipment_id": str(n),
            "warehouse": "",
            "wave": "w",
            "sequence": n,
            "position": "",
            "items": [item | {"quantity": q}],
        }
        for n, q in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 1), (9, 1), (10, 1), (11, 1)]
    ]
    (pick,) = to_picks(labels)  # type: ignore[arg-type]
    assert [(s["sequence"], s["quantity"]) for s in pick["rows"][0]["spans"]] == [
        ("1–3", 1), ("4", 2), ("5", 2), ("6", 1), ("9–11", 1),
    ]  # fmt: skip


def test_the_bin_of_the_warehouse_goes_before_one_of_all_and_that_before_the_catalogue() -> None:
    waves = """
waves:
  bins:
    - {sku: SKU-01, warehouse: wlmq, location: Z-9}
    - {sku: SKU-01, location: Y-9}
    - {sku: SKU-02, location: Q10, zone: cold, aisle: "1", bay: "7"}
    - {sku: SKU-02, location: Q9, zone: cold, aisle: "1", bay: "8"}
  rules: [{name: all, by: [zone]}]
"""
    rules = book(waves)
    assert [rules.shelves().of(w)["SKU-01"] for w in ("wlmq", "hz", None)] == ["Z-9", "Y-9", "Y-9"]
    assert rules.shelves().of("hz")["SKU-03"] == SHELVES["SKU-03"]
    rows = [
        shipment("1", {"SKU-01": 1}),
        shipment("2", {"SKU-01": 1}, province="新疆"),
        shipment("3", {"SKU-02": 1}),
    ]
    assert [told(r)["zone"] for r in waved(batch(rows), rules)] == ["Y", "Z", "cold"]
    assert rules.shelves().stops("hz", ["Q9", "Q10"]) == {"Q10": 1, "Q9": 2}


def test_stock_that_names_its_bins_goes_before_the_catalogue_and_after_the_rules() -> None:
    rows = [
        ("hz", "SKU-01", "M-2", 0),
        ("hz", "SKU-01", "M-10", 5),
        ("hz", "SKU-01", "M-9", 5),
        ("hz", "SKU-02", "M-1", 3),
    ]
    made = [dict(zip(("warehouse", "sku", "location", "quantity"), row, strict=True)) for row in rows]
    stock = pl.DataFrame(made, schema=STOCK)
    rules = book("waves: {bins: [{sku: SKU-02, location: N-1}], rules: [{name: all}]}")
    shelves = rules.shelves(stock).of("hz")
    assert [shelves[s] for s in ("SKU-01", "SKU-02", "SKU-03")] == ["M-9", "M-1", SHELVES["SKU-03"]]
    assert rules.shelves(stock).of("wlmq")["SKU-02"] == "N-1"
    assert rules.shelves().of("hz")["SKU-02"] == "N-1"


def test_a_table_of_bins_has_chinese_or_english_headings_and_tells_its_mistakes() -> None:
    text = CATALOGUE + COURIERS + "waves: {bins: bins.csv, rules: [{name: all}]}"
    table = pl.DataFrame(
        {"商品编码": ["SKU-01", "SKU-02"], "仓库": ["hz", ""], "货位": ["X-1", ""], "备注": ["", ""]}
    )
    rules = parse(text, tables=lambda _: table)
    assert (
        rules.shelves().of("hz")["SKU-01"] == "X-1"
        and rules.shelves().of("hz")["SKU-02"] == SHELVES["SKU-02"]
    )
    for wrong, said in (
        (pl.DataFrame({"sku": ["A"]}), "location"),
        (pl.DataFrame({"sku": [None], "location": ["A-1"]}), "bins.csv:2:1"),
    ):
        with pytest.raises(ConfigError, match=said):
            parse(text, tables=lambda _, w=wrong: w)


@pytest.mark.parametrize(
    ("waves", "said"),
    [
        ("rules: []", "must not be empty"),
        ("rules: [{name: a}, {name: a}]", "two rules"),
        ("rules: [{name: a, by: [cutoff]}]", "waves.cutoffs"),
        ("rules: [{name: a, by: [size]}]", "waves.sizes"),
        ("cutoffs: {SF: '25:00'}, rules: [{name: a}]", "time of day"),
        ("path: {code: '('}, rules: [{name: a}]", "regular expression"),
        ("path: {code: '(?P<shelf>x)'}, rules: [{name: a}]", "zone"),
        ("rules: [{name: a, kind: hot}]", "single_sku"),
        ("rules: [{name: a, when: {curier: SF}}]", "courier"),
    ],
)
def test_mistakes_are_told_with_their_place(waves: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as told_of:
        parse(f"waves: {{{waves}}}")
    assert "rules.yaml:1:" in str(told_of.value)


def test_what_no_rule_takes_has_a_wave_of_its_own_and_says_so() -> None:
    rules = book("waves: {rules: [{name: hot, kind: single_sku, at_least: 3}]}")
    rows = waved(batch([shipment("1", {"SKU-01": 1}), shipment("2", {"SKU-02": 1})]), rules)
    assert [(r["wave"], r["sequence"], told(r)["reason"]) for r in rows] == [
        ("20261124-hz-01", 1, "no_match"), ("20261124-hz-01", 2, "no_match"),
    ]  # fmt: skip


def test_a_rule_that_cannot_be_judged_is_passed_over_and_named() -> None:
    rules = book("waves: {rules: [{name: light, when: {weight_g: {lte: 500}}}, {name: all}]}")
    rows = waved(batch([shipment("1", {"SKU-01": 1}, weight_g=None), shipment("2", {"SKU-01": 1})]), rules)
    assert [(told(r)["rule"], told(r).get("passed_over")) for r in rows] == [
        ("all", "light"),
        ("light", None),
    ]


def test_a_cutoff_that_is_over_is_tomorrows_and_its_wave_comes_later() -> None:
    rules = book("waves: {cutoffs: {SF: '15:30', ZTO: '17:30'}, rules: [{name: all, by: [cutoff]}]}")
    rows = [shipment("1", {"SKU-01": 1}, total_minor=20_000), shipment("2", {"SKU-01": 1})]
    early = waved(batch(rows), rules)
    assert [(told(r)["cutoff"], r["wave"][-2:]) for r in early] == [("15:30", "01"), ("17:30", "02")]
    late = waved(batch(rows), rules, now="2026-11-24T08:00:00Z")
    assert [(told(r)["cutoff"], r["wave"][-2:]) for r in late] == [("15:30 +1", "02"), ("17:30", "01")]


def test_a_shipment_with_more_than_a_wave_may_hold_is_a_wave_of_its_own() -> None:
    rules = book("waves: {rules: [{name: all, capacity: {pieces: 5}}]}")
    rows = waved(batch(shipment(str(n), {"SKU-01": q}) for n, q in enumerate((1, 9, 1))), rules)
    assert [told(r)["of"] for r in sorted(rows, key=lambda r: r["wave"])].count("1") == 1
    assert {r["shipment_id"]: told(r)["of"] for r in rows}["S-1"] == "1"
