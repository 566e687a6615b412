"""The courier aggregator: numbers, labels, and what a repeated order costs."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

import orderctl
from orderctl.sandbox import Sandbox
from orderctl.sandbox.kuaidi100.labels import mask_name, mask_phone, render
from orderctl.sandbox.kuaidi100.standin import signature
from orderctl.sandbox.taobao.shipping import PATTERNS
from tests.sandbox.callers import PLAIN, Clock, Kuaidi100, Taobao


def test_published_signature_vector() -> None:
    param = '{"kuaidicom":"yuantong","orderId":"T-1"}'
    assert signature(param, "1700000000000", "demoKey", "demoSecret") == "1F1528CD38A946DCAA4A24607CDAB8E5"


def test_an_order_gives_a_number_and_is_booked(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    answer = kuaidi100.order()
    assert (answer["success"], answer["code"]) == (True, 200)
    data = answer["data"]
    assert re.fullmatch(r"YT\d{13}", data["kuaidinum"])
    assert data["bulkpen"]
    assert data["pkgName"]
    assert not [key for key in data if key.startswith("_")]
    (row,) = sandbox.books("waybill")
    assert (row["subject"], row["number"]) == ("S-1", data["kuaidinum"])
    assert row["detail"]["second"] is False
    assert row["request"]["recMan"]["name"] == "测试甲"


def test_a_repetition_within_48_hours_is_the_first_result(
    kuaidi100: Kuaidi100, sandbox: Sandbox, clock: Clock
) -> None:
    first = kuaidi100.order()["data"]
    clock.at += 47 * 3600
    assert kuaidi100.order(cargo="别的")["data"] == first
    assert [row["number"] for row in sandbox.books("repeated")] == [first["kuaidinum"]]
    assert len(sandbox.books("waybill")) == 1
    clock.at += 2 * 3600
    assert kuaidi100.order()["data"]["kuaidinum"] != first["kuaidinum"]


def test_without_reorder_false_every_call_costs_a_number(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    numbers = {kuaidi100.order(reorder=True)["data"]["kuaidinum"] for _ in range(3)}
    assert len(numbers) == 3
    assert [row["detail"]["second"] for row in sandbox.books("waybill")] == [False, True, True]


def test_children_have_numbers_of_their_own(kuaidi100: Kuaidi100) -> None:
    first = kuaidi100.order(count=3, needChild="1")["data"]
    children = first["childNum"].split(",")
    other = kuaidi100.order(orderId="S-2")["data"]["kuaidinum"]
    assert len({first["kuaidinum"], *children, other}) == 4
    assert all(PATTERNS["YTO"].match(number) for number in children)
    assert kuaidi100.order(count=0, orderId="S-3")["data"] is not None
    assert not kuaidi100.order(count="many", orderId="S-4")["success"]


def test_a_cancelled_number_is_not_given_again(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    first = kuaidi100.order()["data"]["kuaidinum"]
    cancel = {"kuaidicom": "yuantong", "kuaidinum": first, "partnerId": "sandbox-partner"}
    assert kuaidi100.ask("cancel", **cancel)["success"]
    assert not kuaidi100.ask("cancel", **cancel)["success"]
    assert not kuaidi100.ask("cancel", **(cancel | {"kuaidicom": "shunfeng"}))["success"]
    assert kuaidi100.order()["data"]["kuaidinum"] != first
    assert [(row["subject"], row["number"]) for row in sandbox.books("cancel")] == [("S-1", first)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kuaidicom": "nobody"}, 400), ({"kuaidicom": None}, 400), ({"partnerId": "someone"}, 400),
        ({"cargo": None}, 400), ({"printType": "FAX"}, 400), ({"printType": "CLOUD"}, 400), ({"payType": "LATER"}, 400),
        ({"sendMan": None}, 400), ({"recMan": None}, 400), ({"recMan": {"name": "测试甲"}}, 400),
        ({"recMan": {"name": "测**", "mobile": "13800000001", "printAddr": "样例路1号"}}, 400),
        ({"recMan": {"name": "测试甲", "mobile": "*******0001", "printAddr": "样例路1号"}}, 400),
        ({"recMan": {"name": "测试甲", "mobile": "13800000001", "city": "杭州市", "addr": "样例路1号"}}, 400),
        ({"oaid": "1x==", "thirdOrderId": "4012345000000000000"}, 400), ({"oaid": "1x=="}, 400),
    ],
)  # fmt: skip
def test_refusals_issue_nothing(
    kuaidi100: Kuaidi100, sandbox: Sandbox, change: dict[str, Any], code: int
) -> None:
    answer = kuaidi100.order(**change)
    assert (answer["success"], answer["code"], answer["data"]) == (False, code, None)
    assert answer["message"]
    assert not sandbox.books("waybill")
    assert len(sandbox.books("refused")) == 1


def test_signature_clock_key_and_method_are_checked(kuaidi100: Kuaidi100) -> None:
    form = kuaidi100.form("order", PLAIN)

    def code(change: dict[str, str]) -> int:
        return int(kuaidi100.http.post(kuaidi100.url, data=form | change).json()["code"])

    assert code({"sign": form["sign"].lower()}) == 503
    assert code({"param": form["param"] + " "}) == 503
    assert code({"t": "1700000000"}) == 400
    assert code({"key": "other"}) == 601
    assert code({"sign": ""}) == 400
    assert code(kuaidi100.form("interceptOrder", {})) == 400
    assert kuaidi100.http.get(kuaidi100.url, params=form).status_code == 405


def test_balance_runs_out(kuaidi100: Kuaidi100, sandbox: Sandbox) -> None:
    sandbox.set_quota({"kuaidi100": 1})
    first = kuaidi100.order()
    assert first["success"]
    assert kuaidi100.order(orderId="S-2")["code"] == 601
    assert kuaidi100.order()["data"] == first["data"]


def test_numbers_satisfy_the_patterns_of_the_platform(kuaidi100: Kuaidi100) -> None:
    codes = {
        "shunfeng": "SF", "zhongtong": "ZTO", "yuantong": "YTO", "shentong": "STO", "yunda": "YUNDA",
        "jtexpress": "JTSD", "ems": "EMS", "youzhengguonei": "POSTB", "debangkuaidi": "DBKD", "jd": "LE04284890",
    }  # fmt: skip
    seen = set()
    for courier, code in codes.items():
        for serial in range(2):
            number = kuaidi100.order(kuaidicom=courier, orderId=f"{courier}-{serial}")["data"]["kuaidinum"]
            assert PATTERNS[code].match(number), (courier, number)
            seen.add(number)
    assert len(seen) == 20


def test_sealed_recipients_are_asked_of_the_platform(
    kuaidi100: Kuaidi100, taobao: Taobao, sandbox: Sandbox
) -> None:
    one, other = taobao.ready()[:2]
    masked = {
        "name": one["receiver_name"],
        "mobile": one["receiver_mobile"],
        "printAddr": one["receiver_address"],
    }
    sealed = {"oaid": one["oaid"], "thirdOrderId": one["tid_str"], "recMan": masked}
    assert kuaidi100.order(**sealed)["success"]
    assert not kuaidi100.order(**(sealed | {"orderId": "S-2", "thirdOrderId": other["tid_str"]}))["success"]
    (row,) = sandbox.books("waybill")
    assert (row["detail"]["sealed"], row["detail"]["thirdOrderId"]) == (True, one["tid_str"])
    sandbox.touch(one["tid_str"], address=True)
    assert not kuaidi100.order(**(sealed | {"orderId": "S-3"}))["success"]


def picture(kuaidi100: Kuaidi100, address: str) -> Image.Image:
    answer = kuaidi100.http.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert kuaidi100.http.get(address).content == answer.content
    return Image.open(io.BytesIO(answer.content)).convert("L")


@pytest.mark.parametrize("courier", ["yuantong", "zhongtong", "jd", "ems"])
def test_the_label_is_76_by_130_mm_and_scans(kuaidi100: Kuaidi100, courier: str) -> None:
    data = kuaidi100.order(kuaidicom=courier)["data"]
    sheet = picture(kuaidi100, data["label"])
    assert sheet.size == (608, 1040)
    assert set(sheet.tobytes()) == {0, 255}
    (code,) = zxingcpp.read_barcodes(sheet)
    assert (code.format, code.text) == (zxingcpp.BarcodeFormat.Code128, data["kuaidinum"])
    row = sheet.crop((0, 330, 608, 331)).tobytes()
    runs = [len(run) for run in re.findall(rb"\x00+", row)]
    assert runs
    assert all(run % 3 == 0 for run in runs)


@pytest.mark.parametrize("sheet", ["100x150", "100x180"])
def test_larger_sheets_scan_as_well(kuaidi100: Kuaidi100, sheet: str) -> None:
    width, height = sheet.split("x")
    data = kuaidi100.order(width=width, height=height)["data"]
    drawn = picture(kuaidi100, data["label"])
    assert drawn.size == (int(width) * 8, int(height) * 8)
    assert [code.text for code in zxingcpp.read_barcodes(drawn)] == [data["kuaidinum"]]
    assert not kuaidi100.order(width="33", height="44", orderId="S-2")["success"]


def test_chinese_is_set_in_the_given_fonts() -> None:
    fonts = Path(orderctl.__file__).parent / "assets" / "fonts"
    body = {
        "kuaidinum": "YT0000000000001", "bulkpen": "571-A03 101", "pkgName": "样例集散中心", "expressName": "",
        "_courier": "圆通速递", "_sender": PLAIN["sendMan"], "_receiver": PLAIN["recMan"], "_cargo": "棉袜",
        "_remark": "", "_sheet": [76, 130],
    }  # fmt: skip
    one, other = (render(body | {"_courier": name}, fonts) for name in ("圆通速递", "顺丰速运"))
    assert one != other, "both are drawn as the same empty boxes"
    assert one == render(body, fonts)


def test_names_and_numbers_are_masked() -> None:
    assert (mask_name("测试甲"), mask_name("测")) == ("测**", "测*")
    assert mask_phone("13800000001") == "1******0001"
    assert mask_phone("021-55550001") == "********0001"


def test_only_image_orders_have_a_label(kuaidi100: Kuaidi100, url: str) -> None:
    assert "label" not in kuaidi100.order(printType="NON")["data"]
    assert kuaidi100.http.get(f"{url}/kuaidi100/label/NOBODY.png").status_code == 404
