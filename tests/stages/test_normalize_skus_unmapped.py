"""Articles without a SKU: each once, asked for by what tells it surely, with what it may be."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.facts import DECISIONS, Facts
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.normalizing import skus_unmapped
from orderctl.stages.normalizing.skus_map import ARTICLE, SkuMap
from orderctl.stages.normalizing.skus_tables import parse_map
from orderctl.stages.normalizing.skus_unmapped import (
    all_changes,
    changes,
    to_complete,
    unmapped_articles,
    with_typed,
)
from orderctl.stages.rules.sections.skus import SkusSection
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"
CATALOGUE = [
    {"sku": "TS-BLK-L", "name": "黑色T恤 L"},
    {"sku": "TS-WHT-M", "name": "白色T恤 M"},
    {"sku": "SK-WHT", "name": "白袜"},
    {"sku": "MUG"},
]
RULES = NormalizeRules(skus=SkusSection.model_validate({"catalogue": CATALOGUE}))


def listed(*rows: dict[str, Any], blocks: int = 1) -> pl.DataFrame:
    found = normalize(orders(*rows), RULES, Facts(), NOW)
    size = -(-found.height // blocks)
    return to_complete([unmapped_articles(part)[0] for part in found.iter_slices(size)], RULES.known)


def asked(frame: pl.DataFrame) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if v is not None} for row in frame.select(ARTICLE).to_dicts()]


HERE = {"platform": "shopify", "shop": "main"}


def test_every_article_stands_there_once_with_its_counts_the_most_wanted_first() -> None:
    rows = [
        order("1", lines=[line(merchant_code="A", quantity=2), line(line_ref="2", merchant_code="A")]),
        order("2", lines=[line(merchant_code="B", quantity=9)]),
        order("3", lines=[line(merchant_code="A"), line(line_ref="2", merchant_code="MUG")]),
        order(
            "4", lines=[line(merchant_code="C", quantity_to_ship=0), line(kind="service", merchant_code="D")]
        ),
    ]
    found = listed(*rows)
    assert asked(found) == [HERE | {"merchant_code": "A"}, HERE | {"merchant_code": "B"}]
    assert found.select("orders", "units", "example").rows() == [
        (2, 4, "shopify:main:1"),
        (1, 9, "shopify:main:2"),
    ]
    assert found["sku"].null_count() == 2
    assert_frame_equal(listed(*rows, blocks=3), found)


def test_an_article_is_asked_for_by_what_tells_it_surely() -> None:
    rows = [
        line(line_ref="1", merchant_code="CODE", platform_sku="1"),
        line(line_ref="2", merchant_code="1", platform_sku="2"),
        line(line_ref="3", merchant_code="1", platform_sku="3"),
        line(line_ref="4", merchant_code="1", item_ref="9", spec="red"),
        line(line_ref="5", merchant_code=None, title="hat", spec="red"),
    ]
    assert sorted(map(str, asked(listed(order("1", lines=rows))))) == sorted(
        str(HERE | ids)
        for ids in (
            {"merchant_code": "CODE"},
            {"platform_sku": "2"},
            {"platform_sku": "3"},
            {"item_ref": "9", "spec": "red"},
            {"spec": "red", "title": "hat"},
        )
    )


def test_one_code_of_several_shops_is_one_row_only_for_goods_of_one_description() -> None:
    def two(**elsewhere: Any) -> list[dict[str, str]]:
        one, two = (line(merchant_code="A"), line(merchant_code="A", **elsewhere))
        found = listed(order("1", lines=[one]), order("2", shop="south", lines=[two]))
        return sorted(asked(found), key=str)

    assert two() == [{"merchant_code": "A"}]
    assert two(title="hat") == [HERE | {"merchant_code": "A"}, HERE | {"shop": "south", "merchant_code": "A"}]


def test_the_nearest_skus_come_by_code_and_by_words() -> None:
    rows = [
        line(line_ref="1", merchant_code="TSBLK-L", title="x", spec=None),
        line(line_ref="2", merchant_code=None, title="2026新款T恤男", spec="白色;M"),
        line(line_ref="3", merchant_code=None, title="中筒袜 白", spec="3双装"),
        line(line_ref="4", merchant_code=None, title="ზღვა", spec=None),
    ]
    found = listed(order("1", lines=rows)).sort("about")
    first = dict(found.select("about", "candidate_1").iter_rows())
    assert first == {
        "x": "TS-BLK-L",
        "2026新款T恤男 | 白色;M": "TS-WHT-M",
        "中筒袜 白 | 3双装": "SK-WHT",
        "ზღვა": None,
    }
    assert dict(found.select("about", "pack").iter_rows())["中筒袜 白 | 3双装"] == "3双装"


def test_a_large_catalogue_gives_the_same_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = ["黑色T恤", "白袜", "蓝色马克杯", "龙井茶", "绿色瑜伽垫", "雪松蜡烛"]
    items = [{"sku": f"Z{at}", "name": f"{shapes[at % 6]} {at // 6:03}型"} for at in range(900)]
    known = NormalizeRules(skus=SkusSection.model_validate({"catalogue": items})).known
    rows = [
        line(line_ref=str(at), merchant_code=None, title=f"新款{shapes[at % 6]}", spec=f"{at:03}型")
        for at in range(30)
    ]
    seen = [unmapped_articles(orders(order("1", lines=rows)))[0]]
    all_compared = to_complete(seen, known)
    monkeypatch.setattr(skus_unmapped, "FEW", 100)
    assert to_complete(seen, known)["candidate_1"].equals(all_compared["candidate_1"])
    assert all_compared.filter(pl.col("spec") == "007型")["name_1"].to_list() == ["白袜 007型"]


def test_what_is_completed_is_the_map_and_is_not_listed_again() -> None:
    rows = [
        order("1", lines=[line(merchant_code="A"), line(line_ref="2", merchant_code="1", platform_sku="2")]),
        order("2", lines=[line(merchant_code="1", platform_sku="3"), line(line_ref="2", merchant_code=None)]),
    ]
    found = listed(*rows)
    done = parse_map(found.with_columns(sku=pl.lit("MUG")).cast(pl.String), "skus.csv")
    typed = done.with_columns(pl.col("pieces").cast(pl.String)).drop("_line")
    assert with_typed(found, typed).is_empty()
    assert with_typed(found, typed.head(1)).height == found.height - 1
    rules = NormalizeRules(
        skus=SkusSection.model_validate({"catalogue": CATALOGUE, "map": "skus.csv"}), maps={"skus.csv": done}
    )
    mapped = normalize(orders(*rows), rules, Facts(), NOW)
    assert {one["sku"] for row in mapped["lines"].to_list() for one in row} == {"MUG"}


def test_the_changes_of_a_new_map_are_counted_and_hand_made_matches_stay() -> None:
    def known(*rows: str) -> Any:
        table = pl.read_csv(("sku,merchant_code,pieces\n" + "\n".join(rows)).encode(), infer_schema=False)
        section = SkusSection.model_validate({"map": "t.csv", "merchant_code_is_sku": False})
        return NormalizeRules(skus=section, maps={"t.csv": parse_map(table, "t.csv")}).known

    said = {"subject": "shopify:main:H", "decision": "sku", "payload": '{"sku": "HAND"}', "reason": "r"}
    decisions = pl.DataFrame([said | {"actor": "a", "at": NOW}], schema=DECISIONS)
    batch = orders(
        *(order(code, lines=[line(merchant_code=code, quantity=2)]) for code in "ABCDEH"),
        order("7", lines=[line(merchant_code="B")]),
    )
    before, after = known("A,A,", "B,B,", "C,C,2", "H,H,"), known("A,A,", "X,B,", "C,C,3", "D,D,", "X,H,")
    found = all_changes([changes(part, before, after, decisions) for part in batch.iter_slices(3)])
    assert found.select("change", "code", "before", "after", "orders", "units").rows() == [
        ("other", "B", "B", "X", 2, 3),
        ("other", "C", "C*2", "C*3", 1, 2),
        ("new", "D", None, "D", 1, 2),
    ]
    assert all_changes([changes(batch, before, before, decisions)]).is_empty()
    assert all_changes([]).is_empty()
    assert SkuMap.of([]).look_up(batch.select(pl.lit(None).alias(n) for n in ARTICLE)).height == 1
