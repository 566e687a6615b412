"""A stock dealt out under two rules: what is counted is what `route` does, whatever has begun."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import polars as pl
import pytest

from orderctl.model.facts import COMMITMENTS, RESERVED
from orderctl.model.schema import conform
from orderctl.stages.route import route
from orderctl.stages.rules.parse import parse
from orderctl.stages.simulating.dealing import COUNTED, SPLITS, splits
from orderctl.stages.simulating.tables import NAMES, TITLES
from orderctl.stages.simulating.words import WHAT, to_table
from tests.stages.allocating.test_allocating import NOW, SPLIT, WHOLE, goods, merged, stock
from tests.stages.samples import codes, order


def asked(table: pl.DataFrame) -> dict[str, tuple[int, int]]:
    return {what: (old, new) for what, old, new in table.select("what", "old", "new").iter_rows()}


def wanting(*wants: dict[str, int]) -> pl.DataFrame:
    rows = [
        order(str(n), lines=[goods(str(at), sku, k) for at, (sku, k) in enumerate(want.items())])
        for n, want in enumerate(wants)
    ]
    return merged(*rows)


def test_what_is_split_and_what_waits_is_counted_before_and_after() -> None:
    rows = wanting({"TEA": 1, "CUP": 1}, {"TEA": 1}, {"MAT": 1})
    held = stock(("hz", "TEA", 2), ("gz", "CUP", 1))
    found = splits(rows, parse(WHOLE), parse(SPLIT), held, NOW)
    assert found.schema == SPLITS
    assert asked(found) == {
        "shipments": (3, 4), "split": (0, 1), "parcels": (3, 4), "out_of_stock": (2, 1), "warehouse_full": (0, 0),
    }  # fmt: skip
    assert found["difference"].to_list() == [1, 1, 1, -1, 0]
    full = parse(WHOLE + "allocation: {capacity: {hz: 0}}\n")
    assert asked(splits(rows, parse(WHOLE), full, held, NOW))["warehouse_full"] == (0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_the_counts_are_those_of_route(seed: int) -> None:
    random = Random(seed)
    rows = wanting(
        *(
            {sku: random.randint(1, 2) for sku in random.sample(["A", "B", "C"], random.randint(1, 3))}
            for _ in range(20)
        )
    )
    held = stock(*((house, sku, random.randint(0, 8)) for house in ("hz", "gz", "cd") for sku in "ABC"))
    old, new = parse(WHOLE), parse(SPLIT)
    found = asked(splits(rows, old, new, held, NOW))
    for side, book in enumerate((old, new)):
        out = route(rows, book, held, NOW).to_dicts()
        assert found["shipments"][side] == len(out)
        assert found["out_of_stock"][side] == sum("out_of_stock" in codes(row) for row in out)
        parts = {s["outcome"] for row in out for s in row["decision"] if s["step"] == "split"}
        assert found["split"][side] == len(parts)
    again = route(rows, new, held, NOW)
    assert asked(splits(again, old, new, held, NOW)) == found, "parts that nobody began are one again"


def test_what_has_begun_does_not_bind_but_what_others_took_is_gone() -> None:
    rows = wanting({"TEA": 1}, {"TEA": 1})
    held = stock(("hz", "TEA", 2))
    own = rows["shipment_id"][0]
    begun = {"shipment_id": own, "order_id": "t:main:0", "line_ref": "0", "quantity": 1, "warehouse": "gz"}
    taken = [(own, "hz", "TEA", 1, None), ("S-ELSEWHERE", "hz", "TEA", 1, None)]
    facts = replace(
        held,
        commitments=pl.DataFrame([begun], schema=COMMITMENTS),
        reserved=pl.DataFrame(taken, schema=RESERVED, orient="row"),
    )
    found = asked(splits(conform(rows, "shipment/1"), parse(WHOLE), parse(WHOLE), facts, NOW))
    assert found["out_of_stock"] == (1, 1)


def test_the_table_is_written_in_both_languages() -> None:
    found = splits(wanting({"TEA": 1}), parse(WHOLE), parse(SPLIT), stock(("hz", "TEA", 1)), NOW)
    assert set(NAMES) == set(TITLES)
    assert set(COUNTED) <= set(WHAT)
    assert to_table("splits", found, "zh", for_eyes=True).frame["what"].to_list()[1:3] == ["拆单", "包裹"]
