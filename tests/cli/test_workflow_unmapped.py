"""A new seller's way: an export of 2,000 orders and an empty SKU map, to a batch in which all is mapped and joined.

Every step is a real command, typed as the pages say; between them the list is treated as people treat a spreadsheet.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from orderctl.ports.tables.numbered import read_numbered
from orderctl.stages.normalizing.skus_tables import CHINESE
from tests.cli.newshop import Shop, open_shop

NOW = "2026-11-24T01:00:00Z"
CONFIG = """\
state: state
shops:
  tb: {platform: taobao, files: [inbox/Export*.csv]}
  pdd: {platform: pdd, files: [inbox/pdd*.xlsx]}
"""
SKUS = "skus:\n  catalogue: catalogue.xlsx\n"
BUNDLES = """\
  bundles:
    - {sku: SET-TEATIME, parts: [{sku: TEA-A1-50G, share: 60}, {sku: MUG-WHT-350ML, share: 40}]}
    - {sku: SET-DESK, parts: [{sku: PEN-BLK-0.5MM}, {sku: NOTE-BLK-A5}, {sku: MUG-WHT-350ML}]}
"""
Row = dict[str, Any]


@dataclass(frozen=True)
class Seller:
    """Somebody in a folder, with a keyboard and a spreadsheet."""

    folder: Path
    lang: str
    shop: Shop

    def heading(self, name: str) -> str:
        return CHINESE[name] if self.lang == "zh" else name

    def type(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Type a command and give what it wrote to stdout and stderr."""
        env = {**os.environ, "ORDERCTL_LANG": self.lang, "ORDERCTL_NOW": NOW, "USER": "tester"}
        ran = subprocess.run(
            [sys.executable, "-m", "orderctl", *words],
            cwd=self.folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        assert ran.returncode == code, f"{words}: {ran.returncode}\n{ran.stderr}"
        return ran.stdout, ran.stderr

    def rules(self, text: str) -> None:
        (self.folder / "rules.yaml").write_text(text, "utf-8")

    def rows(self, name: str) -> list[Row]:
        return [json.loads(line) for line in (self.folder / name).read_bytes().splitlines()]

    def list_of(self, name: str) -> list[Row]:
        """Open the list: a row per article, under its headings."""
        table = read_numbered(str(self.folder / name))
        return table.drop("_line").to_dicts()

    def answer(self, row: Row) -> None:
        """Write what the seller knows of an article into its row."""
        sku, pieces = self.shop.truth[row[self.heading("about")]]
        row[self.heading("sku")], row[self.heading("pieces")] = sku, str(pieces) if pieces > 1 else None

    def save(self, name: str, rows: Sequence[Row], drop: Sequence[str] = ()) -> None:
        """Save the list, without some columns: as XLSX, or as the CSV a Chinese spreadsheet writes."""
        gone = {self.heading(one) for one in drop}
        names = [one for one in rows[0] if one not in gone]
        if name.endswith(".csv"):
            text = (
                pl.DataFrame(rows, infer_schema_length=None).select(names).write_csv(line_terminator="\r\n")
            )
            (self.folder / name).write_bytes(text.encode("gb18030"))
            return
        with xlsxwriter.Workbook(self.folder / name) as book:
            sheet = book.add_worksheet()
            for at, row in enumerate([names, *([row[one] for one in names] for row in rows)]):
                sheet.write_row(at, 0, row)


@pytest.fixture
def seller(tmp_path: Path, request: pytest.FixtureRequest) -> Seller:
    lang, orders = request.param
    shop = open_shop(tmp_path, orders=orders)
    (tmp_path / "orderctl.yaml").write_text(CONFIG, "utf-8")
    return Seller(tmp_path, lang, shop)


WHOLE = pytest.mark.parametrize("seller", [("zh", 2000)], indirect=True, ids=["zh"])
SMALL = pytest.mark.parametrize("seller", [("en", 240), ("zh", 240)], indirect=True, ids=["en", "zh"])
NORMALIZE = ("normalize", "raw.jsonl", "-o", "orders.jsonl")


def unmapped(seller: Seller) -> int:
    return sum(
        any(p["code"] == "sku_unmapped" for p in row["problems"]) for row in seller.rows("orders.jsonl")
    )


@WHOLE
def test_from_an_export_to_a_batch_that_is_mapped_and_joined(seller: Seller) -> None:
    _, said = seller.type("fetch", "-o", "raw.jsonl")
    assert "2000" in said
    seller.rules(SKUS)
    _, said = seller.type(*NORMALIZE)
    waiting = unmapped(seller)
    assert f"{waiting} 个订单有商品没有 SKU：用 orderctl normalize --unmapped skus.xlsx 列出" in said

    # the first evening: what is certain, by the number of the candidate; rows sorted, columns for the eyes deleted
    seller.type(*NORMALIZE, "--unmapped", "skus.xlsx")
    rows = seller.list_of("skus.xlsx")
    assert {row["商品"] for row in rows} <= set(seller.shop.truth)
    right = 0
    for row in rows:
        sku, pieces = seller.shop.truth[row["商品"]]
        right += row["候选1"] == sku
        if row["候选1"] == sku and pieces == 1:
            row["选用候选"] = "1"
    assert right / len(rows) > 0.95
    packs = {row["商品"] for row in rows if row["疑似装数"]}
    assert {about for about, (_, pieces) in seller.shop.truth.items() if pieces > 1} & {
        r["商品"] for r in rows
    } <= packs
    random.Random(3).shuffle(rows)
    seller.save("skus.xlsx", rows, drop=("where", "example", "candidate_3", "name_3", "score_3"))
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.xlsx")
    assert "在规则的 skus 下写上 map: skus.xlsx" in said
    assert unmapped(seller) == waiting
    seller.rules(SKUS + "  map: skus.xlsx\n")
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.xlsx")
    assert "还没有写" not in said
    assert unmapped(seller) < waiting / 2

    # the second: the rest by hand, saved as CSV by the spreadsheet, whose encoding nobody chose
    rows = seller.list_of("skus.xlsx")
    for row in rows:
        if not row["我方SKU"]:
            seller.answer(row)
    seller.save("skus.csv", rows)
    seller.rules(SKUS + "  map: skus.csv\n")
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.csv")
    assert "2 个 SKU 不在商品目录中：SET-DESK (skus.csv:" in said
    seller.rules(SKUS + BUNDLES + "  map: skus.csv\n")
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.csv")
    assert "0 种商品没有 SKU" in said
    assert "不在商品目录" not in said
    assert unmapped(seller) == 0
    assert pieces_of(seller) == seller.shop.sent

    # joined; suggestions are looked at, one is followed, one refused
    _, said = seller.type("merge", "orders.jsonl", "-o", "shipments.jsonl")
    assert "个发货单可能与其他单同属一人：orderctl view shipments.jsonl" in said
    shown, _ = seller.type(
        "view",
        "shipments.jsonl",
        "-c",
        "id,merging",
        "--where",
        "merge_with is not null",
        "--format",
        "jsonl",
    )
    doubtful = {row["id"]: row["merge_with"].split() for row in map(json.loads, shown.splitlines())}
    pairs = [
        (one, others[0])
        for one, others in doubtful.items()
        if len(others) == 1 and doubtful.get(others[0]) == [one]
    ]
    (pinned, other), (apart, from_it) = pairs[0], next(p for p in pairs if not set(p) & set(pairs[0]))
    was = orders_in(seller)
    seller.type("merge", "--pin", pinned, other, "shipments.jsonl", "--reason", "同一个人")
    seller.type("merge", "--never", apart, from_it, "shipments.jsonl", "--reason", "两家人")
    seller.type("merge", "orders.jsonl", "-o", "shipments.jsonl")
    now = orders_in(seller)
    assert was[pinned] | was[other] in now.values()
    assert {apart, from_it} <= set(now)
    assert not {row["id"] for row in doubtful_rows(seller)} & {apart, from_it}
    assert {one for some in now.values() for one in some} == {one for some in was.values() for one in some}


def pieces_of(seller: Seller) -> dict[str, int]:
    return {
        row["platform_ref"]: sum(line["quantity"] for line in row["lines"])
        for row in seller.rows("orders.jsonl")
    }


def orders_in(seller: Seller) -> dict[str, frozenset[str]]:
    return {
        row["shipment_id"]: frozenset(order["order_id"] for order in row["orders"])
        for row in seller.rows("shipments.jsonl")
    }


def doubtful_rows(seller: Seller) -> list[Row]:
    shown, _ = seller.type(
        "view",
        "shipments.jsonl",
        "-c",
        "id,merging",
        "--where",
        "merge_with is not null",
        "--format",
        "jsonl",
    )
    return [json.loads(line) for line in shown.splitlines()]


def listed(seller: Seller) -> list[Row]:
    seller.type("fetch", "-o", "raw.jsonl")
    seller.rules(SKUS + "  map: skus.xlsx\n")
    seller.type(*NORMALIZE, "--unmapped", "skus.xlsx")
    return seller.list_of("skus.xlsx")


Spoil = Callable[[Seller, list[Row]], tuple[Sequence[Row], Sequence[str]]]


def twice(seller: Seller, rows: list[Row]) -> tuple[Sequence[Row], Sequence[str]]:
    """The same article is answered twice, and differently."""
    seller.answer(rows[0])
    return [*rows, {**rows[0], seller.heading("sku"): "MUG-BLU-350ML"}], ()


def no_number(seller: Seller, rows: list[Row]) -> tuple[Sequence[Row], Sequence[str]]:
    rows[0][seller.heading("choose")] = "7"
    return rows, ()


def no_spec(seller: Seller, rows: list[Row]) -> tuple[Sequence[Row], Sequence[str]]:
    for row in rows:
        seller.answer(row)
    return rows, ("spec",)


def no_item(seller: Seller, rows: list[Row]) -> tuple[Sequence[Row], Sequence[str]]:
    for row in rows:
        seller.answer(row)
    return rows, ("item_ref", "title")


@SMALL
@pytest.mark.parametrize(
    ("spoil", "english", "chinese"),
    [
        (twice, "says otherwise of the same article", "行对同一商品的说法不同"),
        (no_number, "choose: 7 is the number of no candidate", "选用候选：7 不是该行任何候选的序号"),
        (no_spec, "put the column back", "请恢复此列"),
        (no_item, "of which item?", "是哪个商品的规格？"),
    ],
    ids=["twice", "no number", "no spec", "no item"],
)
def test_what_would_map_wrongly_is_refused_and_the_list_stays(
    seller: Seller, spoil: Spoil, english: str, chinese: str
) -> None:
    rows, drop = spoil(seller, listed(seller))
    seller.save("skus.xlsx", rows, drop)
    before = (seller.folder / "skus.xlsx").read_bytes()
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.xlsx", code=78)
    assert (english if seller.lang == "en" else chinese) in said
    assert "skus.xlsx" in said
    assert (seller.folder / "skus.xlsx").read_bytes() == before


@SMALL
def test_a_wrong_sku_and_a_forgotten_number_of_pieces_are_told(seller: Seller) -> None:
    rows = listed(seller)
    pack = next(row for row in rows if seller.shop.truth[row[seller.heading("about")]][1] > 1)
    seller.answer(pack)
    pack[seller.heading("pieces")] = None
    other = next(row for row in rows if row is not pack)
    other[seller.heading("sku")] = "MUG-WHTE-350ML"
    seller.save("skus.xlsx", rows)
    _, said = seller.type(*NORMALIZE, "--unmapped", "skus.xlsx")
    assert "MUG-WHTE-350ML (skus.xlsx:" in said
    assert "-> MUG-WHT-350ML?" in said
    assert (
        "1 complete rows look like packs" if seller.lang == "en" else "1 行已填好的商品像是多件装"
    ) in said
    next_step = "next: fill in sku" if seller.lang == "en" else "下一步：填写“我方SKU”"
    assert next_step in said
