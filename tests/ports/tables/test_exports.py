"""Recognising exports, and accounting for every row of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.schema import RAW
from orderctl.model.text import sentences
from orderctl.ports.platforms.formats import layouts
from orderctl.ports.tables import exports, gather, sheets, xlsx
from orderctl.ports.tables.exports import Exported, read_blocks, read_export
from orderctl.ports.tables.mapped import parse_column_map
from tests.ports.platforms.golden import NOW, ROOT, to_orders

PDD = "商品,订单号,订单状态,商品总价(元),用户实付金额(元),商品数量(件),收货人,商品id"
MINIMAL = "name: m\nplatform: own\ncurrency: CNY\norder: {ref: 订单号, status: {value: wait_ship}}\nline: {quantity: 数量}\n"


def read(*paths: Path, layout: object = None) -> Exported:
    known = [layout] if layout else layouts()
    return read_export(list(paths), layouts=known, shop_of=lambda platform, label: label or platform, now=NOW)  # type: ignore[arg-type]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def pdd_row(ref: str, title: str = "袜子") -> str:
    return f"{title},{ref},待发货,1.00,1.00,1,测**,600000000001"


@pytest.mark.parametrize("armour", ["{}", '"=""{}"""', "'{}", "{}\t", "\t{}", '"\u00a0{} "', '="{}"'])
def test_numbers_come_out_of_their_armour(tmp_path: Path, armour: str) -> None:
    ref = "261101-100000000000001"
    found = read(write(tmp_path / "a.csv", PDD + "\n" + pdd_row(armour.format(ref)) + "\n"))
    assert found.raw["platform_ref"].to_list() == [ref]


def test_every_row_is_a_record_a_reject_or_counted(tmp_path: Path) -> None:
    rows = [
        pdd_row("1"),
        pdd_row("2.61E+14"),
        ",,,,,,,",
        "合计,,,9.00,9.00,,,",
        pdd_row(""),
        pdd_row("3") + ",,more",
        pdd_row("4"),
    ]
    found = read(write(tmp_path / "a.csv", "\n".join([PDD, *rows]) + "\n"))
    assert found.raw["platform_ref"].to_list() == ["1", "4"]
    assert [(r["line"], str(r["reason"])[:20]) for r in found.rejects] == [
        (3, "a number has lost di"), (6, "the row names no ord"), (7, "there are more cells"),
    ]  # fmt: skip
    assert any("1 rows of totals" in str(note) for note in found.notes)


def test_rejects_name_file_line_reason_and_a_bounded_text(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.csv", PDD + "\n" + pdd_row("2.61E+14", "长" * 5000) + "\n"))
    (row,) = found.rejects
    assert set(row) == {"source", "line", "reason", "text"}
    assert row["source"] == str(tmp_path / "a.csv")
    assert len(str(row["text"])) == 2000


def test_bytes_that_are_no_text_reject_their_row_only(tmp_path: Path) -> None:
    lines = [
        PDD.encode("gbk"),
        pdd_row("1").encode("gbk"),
        pdd_row("2").encode("gbk") + b",\xff\xff",
        pdd_row("3").encode("gbk"),
    ]
    path = tmp_path / "a.csv"
    path.write_bytes(b"\n".join(lines))
    found = read(path)
    assert found.raw["platform_ref"].to_list() == ["1", "3"]
    assert [r["line"] for r in found.rejects] == [3]


def test_columns_nobody_understands_are_kept_and_named(tmp_path: Path) -> None:
    found = read(write(tmp_path / "a.csv", PDD + ",新列,新列\n" + pdd_row("1") + ",x,y\n"))
    assert any("新列" in str(note) for note in found.notes)
    head = json.loads(found.raw["payload"][0])["head"]
    assert sorted(v for k, v in head.items() if k.startswith("新列")) == ["x", "y"]


def test_headings_are_found_in_any_order_width_and_case(tmp_path: Path) -> None:
    text = "用户实付金额（元）, 订单编号 ,订单状态\t,商品总价,商品数量\n5.00,77,待发货,5.00,1\n"
    found = read(write(tmp_path / "a.csv", text))
    assert found.raw["format"].to_list() == ["pdd/export-csv"]
    assert to_orders(found.raw)["total_minor"].to_list() == [500]


def test_unknown_headings_name_the_file_and_what_was_seen(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: .*foo, bar") as failure:
        read(write(tmp_path / "a.csv", "foo,bar\n1,2\n"))
    assert "--column-map" in failure.value.render()


def test_the_shop_is_told_by_its_name_in_the_file(tmp_path: Path) -> None:
    head = "订单编号,订单状态,收货地址,总金额,店铺名称"
    rows = [
        "1,交易成功,浙江省 杭州市 余杭区 样例路,1.00,甲店",
        "2,交易成功,浙江省 杭州市 余杭区 样例路,1.00,乙店",
    ]
    found = read(write(tmp_path / "a.csv", "\n".join([head, *rows])))
    assert found.raw["shop"].to_list() == ["甲店", "乙店"]


def test_overlapping_files_count_an_order_once_as_the_newest_has_it(tmp_path: Path) -> None:
    head = "订单编号,订单状态,收货地址,总金额"
    old = write(tmp_path / "z.csv", f"{head}\n1,买家已付款，等待卖家发货,x,1.00\n")
    new = write(tmp_path / "a.csv", f"{head}\n1,交易成功,x,1.00\n")
    os.utime(old, (1_790_000_000, 1_790_000_000))
    os.utime(new, (1_790_000_100, 1_790_000_100))
    for paths in ((old, new), (new, old)):
        found = read(*paths)
        assert to_orders(found.raw)["status"].to_list() == ["completed"]
        assert any("newest" in str(note) for note in found.notes)


def test_a_file_is_observed_when_it_was_written_but_never_later_than_now(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", PDD + "\n" + pdd_row("1") + "\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert read(path).raw["observed_at"].to_list() == ["2023-11-14T22:13:20Z"]
    os.utime(path, (2_000_000_000, 2_000_000_000))
    assert read(path).raw["observed_at"].to_list() == [NOW]


def test_rows_of_one_order_may_stand_in_two_files(tmp_path: Path) -> None:
    head = "主订单编号,子订单编号,选购商品,商品数量,商品单价,订单应付金额,订单状态"
    one = write(tmp_path / "1.csv", f"{head}\n10,11,袜子,1,1.00,1.00,待发货\n10,12,帽子,1,2.00,2.00,待发货\n")
    two = write(tmp_path / "2.csv", f"{head}\n10,12,帽子,1,2.00,2.00,待发货\n10,13,鞋,1,3.00,3.00,待发货\n")
    order = to_orders(read(one, two).raw).row(0, named=True)
    assert sorted(line["line_ref"] for line in order["lines"]) == ["11", "12", "13"]


def test_orders_of_shopify_with_one_name_are_not_thrown_together(tmp_path: Path) -> None:
    head = "Name,Financial Status,Total,Currency,Lineitem quantity,Lineitem name,Lineitem price,Id"
    rows = [
        "#1,paid,1.00,EUR,1,a,1.00,77",
        "#1,,,,1,b,0.00,",
        "",
        "#1,paid,1.00,EUR,1,c,1.00,78",
        "#1,,,,1,d,0.00,",
    ]
    found = to_orders(read(write(tmp_path / "a.csv", "\n".join([head, *rows]) + "\n")).raw)
    assert [(r["platform_ref"], len(r["lines"])) for r in found.iter_rows(named=True)] == [
        ("77", 2),
        ("78", 2),
    ]


def test_an_export_of_shopify_without_ids_goes_by_its_names(tmp_path: Path) -> None:
    head = "Name,Financial Status,Total,Currency,Lineitem quantity,Lineitem name,Lineitem price"
    found = read(
        write(
            tmp_path / "a.csv",
            f"{head}\n#1,paid,1.00,EUR,1,a,1.00\n#1,,,,1,b,0.00\n#2,paid,1.00,EUR,1,a,1.00\n",
        )
    )
    assert found.raw["platform_ref"].to_list() == ["1", "2"]


def test_a_workbook_of_a_platform_is_read_like_its_csv(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, PDD.split(","))
        sheet.write_row(1, 0, ["袜子", "261101-1", "待发货", 1025.8, 1025.8, 2, "测**", 600000000001])
    order = to_orders(read(tmp_path / "a.xlsx").raw).row(0, named=True)
    assert (order["total_minor"], order["lines"][0]["quantity"]) == (102580, 2)
    assert order["lines"][0]["item_ref"] == "600000000001"


def test_numbers_a_spreadsheet_rounded_and_formulas_without_result_are_rejected(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["订单号", "数量", "没人要的列"])
        sheet.write_row(1, 0, [4012345678901234567, 1])
        sheet.write_string(2, 0, "4012345678901234567")
        sheet.write_formula(2, 1, "=1+1", None, "")
        sheet.write_string(3, 0, "4012345678901234568")
        sheet.write_number(3, 1, 1)
        sheet.write_formula(3, 2, "=1+1", None, "")
    found = read(tmp_path / "a.xlsx", layout=parse_column_map(MINIMAL, "m.yaml"))
    assert [(r["line"], str(r["reason"])[:12]) for r in found.rejects] == [
        (2, "a number has"),
        (3, "a formula ha"),
    ]
    assert found.raw["platform_ref"].to_list() == ["4012345678901234568"]


def test_a_large_export_passes_in_blocks(tmp_path: Path) -> None:
    count = 150_000
    body = "\n".join(pdd_row(str(n), "一双" * 20) for n in range(count))
    path = write(tmp_path / "a.csv", PDD + "\n" + body + "\n")
    parts = list(read_blocks([path], layouts=layouts(), shop_of=lambda platform, label: "s1", now=NOW))
    sizes = [p.raw.height for p in parts if p.raw.height]
    assert len(sizes) > 1
    assert sum(sizes) == count


def test_reading_twice_gives_the_same_bytes() -> None:
    folder = ROOT / "tests" / "ports" / "platforms"
    paths = [folder / "taobao" / n for n in ("ExportOrderList.csv", "ExportOrderDetailList.csv")]
    first, second = read(*paths), read(*reversed(paths))
    assert first.raw.schema == RAW
    assert read(*paths).raw.equals(first.raw)
    assert second.raw.sort("platform_ref")["payload"].equals(first.raw.sort("platform_ref")["payload"])


def test_the_example_map_reads_its_example_and_mistakes_are_placed() -> None:
    layout = parse_column_map((ROOT / "column-map.example.yaml").read_text(), "column-map.example.yaml")
    assert layout.platform == "wholesale"
    with pytest.raises(ConfigError) as failure:
        parse_column_map(
            "name: M\nplatform: y\nzone: Mars\norder:\n  ref: a\n  statsu: b\nline: {quantity: q}\n", "m.yaml"
        )
    places = re.findall(r"m\.yaml:(\d+):\d+", str(failure.value))
    assert places == ["1", "3", "5", "6"]
    assert "did you mean 'status'" in str(failure.value)


@pytest.mark.parametrize(
    ("settings", "cells", "total", "placed"),
    [
        ("currency: EUR\ndecimal: ','", ["1.234,50", "2026-11-02 10:00:00"], 123450, "2026-11-02T02:00:00Z"),
        ("currency: CNY\nmoney: minor", ["123450", "2026-11-02 10:00:00"], 123450, "2026-11-02T02:00:00Z"),
        ("currency: JPY\nzone: Asia/Tokyo", ["1980", "2026-11-02 09:00:00"], 1980, "2026-11-02T00:00:00Z"),
        ("currency: CNY\ntime_formats: ['%d/%m/%Y']", ["1.00", "02/11/2026"], 100, "2026-11-01T16:00:00Z"),
        ("currency: CNY", ["1.00", "2026-11-02T10:00:00-05:00"], 100, "2026-11-02T15:00:00Z"),
    ],
)
def test_a_map_tells_how_money_and_times_are_written(
    tmp_path: Path, settings: str, cells: list[str], total: int, placed: str
) -> None:
    text = (
        f"name: m\nplatform: own\n{settings}\n"
        "order: {ref: Number, status: {value: wait_ship}, total: Total, placed_at: At}\nline: {quantity: Pieces}\n"
    )
    body = 'Number;Total;At;Pieces\n1;"{}";"{}";1\n'.format(*cells)
    order = to_orders(read(write(tmp_path / "a.csv", body), layout=parse_column_map(text, "m.yaml")).raw).row(
        0, named=True
    )
    assert (order["total_minor"], order["placed_at"]) == (total, placed)
    assert order["problems"] == []


def test_files_of_different_maps_may_share_a_batch(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "订单号,数量\n1,2\n")
    one = read(path, layout=parse_column_map(MINIMAL, "m.yaml")).raw
    two = read(path, layout=parse_column_map(MINIMAL.replace("CNY", "EUR"), "m.yaml")).raw
    assert to_orders(pl.concat([one, two, one]))["currency"].to_list() == ["CNY", "EUR", "CNY"]


def test_every_sentence_has_its_chinese() -> None:
    known = sentences("zh")
    for module in (exports, gather, sheets, xlsx):
        source = Path(str(module.__file__)).read_text()
        for template in re.findall(r'Text\(\s*"((?:[^"\\]|\\.)+)"', source):
            assert template in known, template
