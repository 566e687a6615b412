"""The column maps that ship for other programs: several platforms in one file, optional columns, and what was not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderctl.assets import COLUMN_MAPS
from orderctl.model.errors import ConfigError
from orderctl.ports.platforms import NAMES
from orderctl.ports.platforms.formats import layouts
from orderctl.ports.tables.exports import Exported, read_export
from orderctl.ports.tables.layout import Layout
from orderctl.ports.tables.mapped import parse_column_map
from tests.ports.platforms.golden import to_orders

NOW = "2026-11-18T11:00:00Z"
MAPS = sorted(COLUMN_MAPS.glob("*.yaml"))
JUSHUITAN = """\
内部订单号,线上订单号,店铺,平台,订单状态,下单时间,付款日期,应付金额,运费,收货人,手机,省份,城市,区县,地址,卖家备注,商品编码,商品名称,颜色规格,数量,单价,标签
100001,4012345678900000001,样例旗舰店,天猫,已付款待审核,2026-11-18 09:00:00,2026-11-18 09:01:00,109.00,5.00,测试甲,13800000001,浙江省,杭州市,余杭区,样例路1号,发顺丰,TS-BLK-L,纯棉T恤,黑色;L,2,49.00,急
100001,4012345678900000001,样例旗舰店,天猫,已付款待审核,2026-11-18 09:00:00,2026-11-18 09:01:00,109.00,5.00,测试甲,13800000001,浙江省,杭州市,余杭区,样例路1号,发顺丰,SK-WHT,中筒棉袜,白色,1,6.00,急
100002,261118-000000000000002,样例杂货铺,拼多多,已取消,2026-11-18 09:30:00,,9.90,0.00,测试乙,13800000002,上海,上海市,浦东新区,样例路2号,,SK-WHT,中筒棉袜,白色,1,9.90,
100003,X-3,样例小店,某平台,新状态,2026-11-18 09:40:00,2026-11-18 09:41:00,9.90,0.00,测试丙,13800000003,上海,上海市,浦东新区,样例路3号,,SK-WHT,中筒棉袜,白色,1,9.90,
"""
KUAIDIZHUSHOU = """\
订单编号,平台,店铺名称,买家昵称,收件人,手机,省,市,区,详细地址,宝贝标题,销售属性,数量,买家留言,付款时间
261118-000000000000002,拼多多,样例杂货铺,测**,测试乙,13800000002,上海,上海市,浦东新区,样例路2号,中筒棉袜,白色,1,周末送,2026-11-18 09:31:00
"""


def shipped() -> list[Layout]:
    return [*layouts(), *(parse_column_map(path.read_text("utf-8"), path.name) for path in MAPS)]


def read(path: Path, text: str) -> Exported:
    path.write_text(text, "gb18030")
    return read_export([path], layouts=shipped(), shop_of=lambda _, label: str(label), now=NOW)


def test_orders_of_several_platforms_keep_their_own(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", JUSHUITAN)
    orders = to_orders(found.raw).sort("platform_ref", descending=True)
    assert found.rejects == []
    assert orders.select("order_id", "status", "total_minor").rows() == [
        ("jushuitan:样例小店:X-3", "wait_ship", 990),
        ("taobao:样例旗舰店:4012345678900000001", "wait_ship", 10900),
        ("pdd:样例杂货铺:261118-000000000000002", "closed", 990),
    ]
    taobao = orders.row(1, named=True)
    assert [(line["sku"], line["quantity"], line["unit_price_minor"]) for line in taobao["lines"]] == [
        ("TS-BLK-L", 2, 4900), ("SK-WHT", 1, 600),
    ]  # fmt: skip
    assert taobao["recipient"]["street"] == "样例路1号"
    assert taobao["seller_note"] == "发顺丰"
    assert orders.row(0, named=True)["holds"][0]["code"] == "unknown_status"


def test_it_says_which_columns_it_did_not_understand(tmp_path: Path) -> None:
    notes = [str(note) for note in read(tmp_path / "a.csv", JUSHUITAN).notes]
    assert any("2 columns are kept, but not understood: 内部订单号, 标签" in note for note in notes)


def test_columns_the_file_lacks_are_null(tmp_path: Path) -> None:
    order = to_orders(read(tmp_path / "b.csv", KUAIDIZHUSHOU).raw).row(0, named=True)
    assert order["order_id"] == "pdd:样例杂货铺:261118-000000000000002"
    assert (order["total_minor"], order["placed_at"], order["seller_note"]) == (None, None, None)
    assert order["buyer_note"] == "周末送"


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_each_shipped_map_is_valid_and_names_platforms_we_know(path: Path) -> None:
    layout = parse_column_map(path.read_text("utf-8"), path.name)
    assert set(layout.platforms.values()) <= set(NAMES)
    assert layout.settings["name"] == path.stem
    assert {"ref", "shop"} <= set(layout.needs)


def test_no_export_of_a_platform_is_taken_for_another_programs(tmp_path: Path) -> None:
    """The maps are tried last; what a platform's own layout knows stays with it."""
    export = "商品,订单号,订单状态,商品总价(元),用户实付金额(元),商品数量(件),收货人,商品id,店铺,平台\n袜子,261101-1,待发货,1.00,1.00,1,测**,600000000001,样例,拼多多\n"
    assert read(tmp_path / "c.csv", export).raw["format"].to_list() == ["pdd/export-csv"]


def test_needs_must_be_fields_with_columns() -> None:
    text = MAPS[0].read_text("utf-8").replace("needs: [ref,", "needs: [reff,")
    with pytest.raises(ConfigError) as caught:
        parse_column_map(text, "m.yaml")
    assert "reff" in str(caught.value)
