"""Mapping tables, scopes and cuts: which entry wins, and how a mistake in a spreadsheet is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.facts import Facts
from orderctl.ports.tables.numbered import read_numbered
from orderctl.stages.normalize import normalize
from orderctl.stages.normalizing.skus_parts import bundles_frame
from orderctl.stages.normalizing.skus_tables import LINE, parse_bundles, parse_map
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.skus import Bundle
from tests.stages.samples import line, order, orders

NOW = "2026-11-24T00:00:00Z"


def book_of(rules: str, **files: str) -> RuleBook:
    """Read rules that name tables; `files` gives their text, `_` in a name is its point."""
    texts = {name.replace("_", "."): text for name, text in files.items()}

    def table(name: str) -> pl.DataFrame:
        frame = pl.read_csv(texts[name].encode(), infer_schema=False)
        return frame.with_columns(pl.int_range(2, frame.height + 2).alias(LINE))

    return parse(rules, "rules.yaml", table, texts.__getitem__)


def skus_of(book: RuleBook, *rows: dict[str, Any]) -> list[str | None]:
    batch = orders(*(order(str(at), lines=[row]) for at, row in enumerate(rows)))
    return [row["lines"][0]["sku"] for row in normalize(batch, book.normalize, Facts(), NOW).to_dicts()]


def test_the_narrowest_scope_wins_wherever_it_stands() -> None:
    entries = [
        ({}, "ALL"),
        ({"platform": "shopify"}, "PLATFORM"),
        ({"shop": "main"}, "SHOP"),
        ({"platform": "shopify", "shop": "main"}, "BOTH"),
    ]
    for at in range(len(entries)):
        texts = [
            f"  - {{match: {{merchant_code: X{''.join(f', {k}: {v}' for k, v in scope.items())}}}, sku: {sku}}}\n"
            for scope, sku in entries[: at + 1]
        ]
        for some in (texts, texts[::-1]):
            book = parse("skus:\n  map:\n" + "".join(some))
            assert skus_of(book, line(merchant_code="X")) == [entries[at][1]]


def test_texts_are_cut_only_when_the_article_is_unknown_as_it_is() -> None:
    book = parse(
        "skus:\n"
        "  catalogue: [{sku: A}, {sku: TB-B}]\n"
        "  map: [{match: {merchant_code: C}, sku: MAPPED}]\n"
        "  cut:\n"
        "    - {field: merchant_code, pattern: '^TB-'}\n"
        "    - {field: merchant_code, pattern: '#.*$', shop: other}\n"
    )
    codes = ["TB-A", "TB-B", "TB-C", "C", " A ", "A#1", "TB-"]
    assert skus_of(book, *(line(merchant_code=code) for code in codes)) == [
        "A", "TB-B", "MAPPED", "MAPPED", "A", None, None,
    ]  # fmt: skip
    elsewhere = normalize(
        orders(order("1", shop="other", lines=[line(merchant_code="A#1")])), book.normalize, Facts(), NOW
    )
    assert elsewhere["lines"][0][0]["sku"] == "A"
    assert elsewhere["lines"][0][0]["merchant_code"] == "A#1"


def test_a_table_is_a_map_whatever_the_order_of_its_rows() -> None:
    rows = [
        "P,,,,,T shirt,",
        "I,,,900,,,",
        "IS,,,900,red,,2",
        "CODE,,X,,,,",
        "SKU,4300,,,,,",
        ",,,,,not done yet,",
        "SCOPED,4300,,,,,",
    ]
    head = "sku,platform_sku,merchant_code,item_ref,spec,title_pattern,pieces,for the eyes\n"
    for some in (rows[:-1], rows[-2::-1]):
        book = book_of("skus: {map: skus.csv, merchant_code_is_sku: false}", skus_csv=head + "\n".join(some))
        assert skus_of(
            book,
            line(platform_sku="4300", merchant_code="X"),
            line(merchant_code="X", item_ref="900"),
            line(item_ref="900", spec="red", title="T shirt"),
            line(item_ref="900", title="T shirt"),
            line(title="a T shirt"),
            line(title="a"),
        ) == ["SKU", "CODE", "IS", "I", "P", None]


def test_entries_and_files_stand_in_one_map() -> None:
    book = book_of(
        "skus:\n  map:\n    - {match: {spec: a}, sku: FIRST}\n    - file: skus.csv\n    - file: more.yaml\n",
        skus_csv="sku,spec\nNEVER,a\nTABLE,b\n",
        more_yaml="map:\n- match: {spec: [b, c]}\n  sku: YAML\n  pieces: 3\n",
    )
    assert skus_of(book, line(spec="a"), line(spec="b"), line(spec="c")) == ["FIRST", "TABLE", "YAML"]


def test_chinese_headings_and_quoted_formulas_are_understood() -> None:
    table = "我方SKU,规格,件数,备注\nA,'-红色,2.0,x\n"
    found = parse_map(pl.read_csv(table.encode(), infer_schema=False), "skus.csv")
    assert found.select("sku", "spec", "pieces").rows() == [("A", "-红色", 2)]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("code\nA\n", "skus.csv: has no column sku"),
        ("sku,colour\nA,red\n", "skus.csv: has none of the columns merchant_code, platform_sku"),
        ("sku,spec\n,\nA,\n", "skus.csv:3:1: the row says nothing of what A looks like"),
        ("spec,pieces,sku\na,0,A\n", "skus.csv:2:2: pieces: 0 is no whole number"),
        ("spec,pieces,sku\na,1.5,A\n", "skus.csv:2:2: pieces: 1.5 is no whole number"),
        ("sku,platform_sku\nA,4.3E+12\n", "skus.csv:2:2: platform_sku: 4.3E+12 has lost its digits"),
        ("sku,title_pattern\nA,(\n", "skus.csv:2:2: title_pattern: ( is no regular expression"),
        ("sku,spec\nA,a\nB,b\nC,a\n", "skus.csv:4:1: C: line 2 says otherwise of the same article"),
    ],
)
def test_mistakes_in_a_table_are_told_with_their_place(table: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        book_of("skus: {map: skus.csv}", skus_csv=table)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("skus: {map: [{match: {spec: a}, sku: A, peices: 2}]}", "rules.yaml:1:41: unknown field 'peices'"),
        ("skus: {map: [{sku: A}]}", "rules.yaml:1:14: an entry has match and sku"),
        ("skus: {bundles: [{sku: A, parts: [{sku: B}]}, {sku: B, parts: [{sku: C}]}]}", "rules.yaml:1:17: B: a bundle"),
        ("skus: {map: inner.yaml}", "inner.yaml:1:14: a file of entries names no further files"),
        ("skus: {map: bad.yaml}", "bad.yaml:1:8: an entry has match and sku"),
    ],
)  # fmt: skip
def test_mistakes_in_yaml_are_told_with_their_place(rules: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        book_of(rules, inner_yaml="map: [{file: more.yaml}]", bad_yaml="map: [ {match: {spec: a}} ]")
    assert str(caught.value).startswith(told)


def test_bundles_may_be_a_table() -> None:
    table = "sku,part,pieces,share\nSET,TEA,,70\nSET,CUP,2,30\nTWO,TEA,2,\n"
    found = parse_bundles(pl.read_csv(table.encode(), infer_schema=False), "bundles.csv")
    same = [
        {"sku": "SET", "parts": [{"sku": "TEA", "share": 70}, {"sku": "CUP", "pieces": 2, "share": 30}]},
        {"sku": "TWO", "parts": [{"sku": "TEA", "pieces": 2}]},
    ]
    assert_frame_equal(found, bundles_frame([Bundle.model_validate(one) for one in same]))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("SET,,1,", "bundles.csv:2:2: part is missing"),
        ("SET,A,x,", "bundles.csv:2:3: pieces: x is no whole number"),
        ("SET,A,1,\nSET,A,1,", "bundles.csv:2:1: SET: a part stands there twice"),
        ("SET,A,1,5\nSET,B,1,", "bundles.csv:2:1: SET: give every part a share, or none"),
    ],
)
def test_mistakes_in_a_table_of_bundles_are_told_with_their_place(rows: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        book_of("skus: {bundles: bundles.csv}", bundles_csv=f"sku,part,pieces,share\n{rows}\n")
    assert str(caught.value).startswith(told)


def test_files_are_read_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "skus.csv"
    path.write_bytes("我的商品\r\n\r\nsku;spec\r\nA;红\r\n;\r\nB;'=1\r\n".encode("gb18030"))
    found = read_numbered(str(path))
    assert found.rows() == [("A", "红", 4), ("B", "'=1", 6)]
    pl.DataFrame({"sku": ["A"], "spec": ["红"]}).write_parquet(tmp_path / "skus.parquet")
    assert read_numbered(str(tmp_path / "skus.parquet")).rows() == [("A", "红", 1)]


def test_a_workbook_that_rounded_an_id_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "skus.xlsx"
    frame = pl.DataFrame({"sku": ["A"], "platform_sku": [1_234_567_890_123_456_789]})
    frame.write_excel(path)
    with pytest.raises(DataError, match=r"skus\.xlsx:2:2: a number has lost digits"):
        read_numbered(str(path))


def test_a_candidate_is_chosen_by_its_number() -> None:
    table = "我方SKU,选用候选,候选1,候选2,商家编码\n,1,A,B,X\n,２,A,B,Y\nC,,A,B,Z\n,1.0,D,,V\n,,A,B,W\n"
    found = parse_map(pl.read_csv(table.encode(), infer_schema=False), "skus.csv")
    assert found.select("sku", "merchant_code").rows() == [("A", "X"), ("B", "Y"), ("C", "Z"), ("D", "V")]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("sku,choose,candidate_1,title\n,2,A,x\n", "skus.csv:2:2: choose: 2 is the number of no candidate"),
        (
            "sku,选用候选,candidate_1,title\n,ja,A,x\n",
            "skus.csv:2:2: 选用候选: ja is the number of no candidate",
        ),
        ("sku,choose,candidate_1,title\nB,1,A,x\n", "candidate 1 is chosen, but B is typed as the SKU"),
        ("sku,about,spec\nA,hat | red,red\n", "skus.csv:2:3: red: of which item?"),
        ("sku,about,item_ref\nA,hat | red,1\n", "skus.csv: has no column spec"),
    ],
)
def test_a_list_that_would_match_otherwise_than_was_meant_is_refused(table: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_map(pl.read_csv(table.encode(), infer_schema=False), "skus.csv")
    assert told in caught.value.render()
