"""The stand-in of JD is as strict as the platform: signatures, clock, token, arguments, windows, pages, states."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from orderctl.sandbox import Sandbox
from tests.sandbox.callers import Clock, beijing

SECRET = "sandbox-jd-secret"
LIST = "jingdong.pop.order.search"
DETAIL = "jingdong.pop.order.get"
SHIP = "jingdong.pop.order.shipment"
UPDATE = "360buy.order.sop.waybill.update"
DAY = 86_400


def md5(signed: dict[str, str]) -> str:
    text = "".join(key + value for key, value in sorted(signed.items()) if value)
    return hashlib.md5(f"{SECRET}{text}{SECRET}".encode()).hexdigest().upper()


@dataclass
class Caller:
    """An honest client, written from the platform's documents."""

    url: str
    clock: Clock
    http: httpx.Client
    token: str = "sandbox-jd-token"
    last: dict[str, Any] = field(default_factory=dict)

    def params(self, method: str, **arguments: Any) -> dict[str, str]:
        return {
            "method": method, "app_key": "sandbox-jd-app", "access_token": self.token, "v": "2.0",
            "timestamp": f"{beijing(self.clock())}.000+0800",
            "360buy_param_json": json.dumps(arguments, ensure_ascii=False),
        }  # fmt: skip

    def post(self, params: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post(
            f"{self.url}/routerjson", data={**params, "sign": params.get("sign") or md5(params)}
        )
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method and give what stands in its envelope, or the error."""
        ((root, inside),) = self.post(self.params(method, **arguments)).items()
        spelled = method.replace(".", "_") + "_responce"
        if method.startswith("360buy."):
            spelled = method.removeprefix("360buy.").replace(".", "_") + "_response"
        assert root in (spelled, "error_response")
        return dict(inside)

    def window(self, **more: Any) -> dict[str, Any]:
        return {
            "start_date": beijing(self.clock() - 5 * DAY), "end_date": beijing(self.clock()), "order_state": "ALL",
            "optional_fields": "orderId,orderState,modified,itemInfoList,consigneeInfo", "page": "1", "page_size": "100",
            **more,
        }  # fmt: skip

    def orders(self, **more: Any) -> list[dict[str, Any]]:
        return list(self.ask(LIST, **self.window(**more))["searchorderinfo_result"]["orderInfoList"])

    def rest(
        self, verb: str, path: str, query: dict[str, str] | None = None, body: Any = None, **more: str
    ) -> httpx.Response:
        text = json.dumps(body) if body is not None else ""
        headers = {
            "X-JOS-App-Key": "sandbox-jd-app", "X-JOS-Access-Token": self.token,
            "X-JOS-Timestamp": str(int(self.clock() * 1000)),
        }  # fmt: skip
        signed = {**headers, **(query or {}), **({"body": text} if text not in ("", "{}") else {})}
        parts = path.split("/")
        signed |= {"orderId": parts[2]} if len(parts) > 2 else {}
        headers |= {
            "X-JOS-Sign": md5(signed),
            "X-JOS-Request-Identity": "vender",
            "Content-Type": "application/json",
        }
        address = f"{self.url}/rest/sp-order/v0{path}" + (f"?{urlencode(query)}" if query else "")
        return self.http.request(verb, address, headers=headers | more, content=text.encode())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path, shops=["jd"], orders=130, now=clock) as running:
        yield running


@pytest.fixture
def jd(world: Sandbox, clock: Clock) -> Iterator[Caller]:
    with httpx.Client(timeout=10) as client:
        yield Caller(f"{world.start()}/jd", clock, client)


def code(answer: dict[str, Any]) -> str:
    return str(answer["error_response"]["code"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"method": ""}, "14"), ({"method": "jingdong.nothing"}, "15"), ({"app_key": ""}, "20"), ({"app_key": "x"}, "21"),
        ({"timestamp": ""}, "7"), ({"timestamp": "yesterday"}, "8"), ({"timestamp": "2020-01-01 00:00:00"}, "8"),
        ({"v": ""}, "4"), ({"v": "1.0"}, "5"), ({"access_token": ""}, "18"), ({"access_token": "x"}, "19"),
        ({"360buy_param_json": "[]"}, "63"), ({"360buy_param_json": "{"}, "63"), ({"sign": "0" * 32}, "12"),
        ({"sign_method": "md5"}, "50"), ({"method": "jingdong.pop.order.notPayOrderInfo"}, "24"),
    ],
)  # fmt: skip
def test_system_parameters_are_checked(jd: Caller, change: dict[str, str], expected: str) -> None:
    assert code(jd.post(jd.params(LIST, **jd.window()) | change)) == expected


def test_a_missing_signature(jd: Caller) -> None:
    answer = jd.http.post(f"{jd.url}/routerjson", data=jd.params(LIST))
    assert code(answer.json()) == "11"


def test_both_forms_of_time_and_both_ways_to_call(jd: Caller, clock: Clock) -> None:
    params = jd.params(LIST, **jd.window()) | {"timestamp": beijing(clock() + 300), "format": "json"}
    answer = jd.http.get(f"{jd.url}/routerjson", params=params | {"sign": md5(params)})
    assert "jingdong_pop_order_search_responce" in answer.json()
    late = jd.params(LIST, **jd.window()) | {"timestamp": beijing(clock() + 400)}
    assert code(jd.post(late)) == "8"


@pytest.mark.parametrize(
    "change",
    [
        {"page_size": "101"}, {"page": "0"}, {"page": ""}, {"optional_fields": ""}, {"optional_fields": "orderId,price"},
        {"order_state": "SENT"}, {"start_date": "2026-11-01"}, {"pageSize": "50"},
        {"start_date": "2026-09-01 00:00:00"}, {"end_date": "2026-11-01 00:00:00"},
    ],
)  # fmt: skip
def test_arguments_are_checked(jd: Caller, change: dict[str, str]) -> None:
    assert jd.ask(LIST, **jd.window(**change))["code"] == "62"


def test_lists_by_creation_and_by_change(jd: Caller, world: Sandbox, clock: Clock) -> None:
    refs = [order["orderId"] for page in ("1", "2") for order in jd.orders(page=page)]
    assert len(set(refs)) == 130
    changes = [order["modified"] for order in jd.orders()]
    assert changes == sorted(changes)
    assert [o["modified"] for o in jd.orders(sortType="1")] == sorted(
        (o["modified"] for o in [*jd.orders(), *jd.orders(page="2")]), reverse=True
    )[:100]
    clock.at += 5 * DAY
    world.touch(refs[0], memo="改好了")
    fresh = {"start_date": beijing(clock() - 60)}
    assert [order["orderId"] for order in jd.orders(**fresh)] == [refs[0]]
    assert jd.orders(**fresh, dateType="1") == []
    clock.at += 100 * DAY
    early = jd.window(start_date=beijing(clock() - 100 * DAY), end_date=beijing(clock() - 99 * DAY))
    assert jd.ask(LIST, **early)["code"] == "62"
    assert jd.ask(LIST, **early, dateType="1")["searchorderinfo_result"]["orderTotal"] == 0


def test_only_fields_that_are_asked_for_and_nothing_of_the_platforms_own(jd: Caller) -> None:
    for order in jd.orders():
        assert set(order) == {"orderId", "orderState", "modified", "itemInfoList", "consigneeInfo"}
        assert not any(name.startswith("_") for item in order["itemInfoList"] for name in item)
        assert "*" in order["consigneeInfo"]["fullname"]
        assert order["consigneeInfo"]["fullAddress"].endswith("***")


def test_pages_beyond_a_hundred_are_empty(jd: Caller) -> None:
    result = jd.ask(LIST, **jd.window(page="101", page_size="1"))["searchorderinfo_result"]
    assert (result["orderTotal"], result["orderInfoList"]) == (130, [])


def test_municipalities_have_their_district_in_the_citys_place(jd: Caller) -> None:
    there = [order["consigneeInfo"] for order in jd.orders()]
    shanghai = next(one for one in there if one["province"] == "上海")
    assert (shanghai["city"], shanghai["county"], shanghai["town"]) == ("浦东新区", "陆家嘴街道", "")
    assert any(one["province"] == "新疆" for one in there)


def test_ciphertexts_instead_of_masks(jd: Caller) -> None:
    found = jd.ask("jingdong.pop.order.enSearch", **jd.window())["searchorderinfo_result"]["orderInfoList"]
    assert all(order["consigneeInfo"]["fullname"].startswith("AV") for order in found)
    assert len({order["consigneeInfo"]["fullname"] for order in found}) > 50


def test_one_order(jd: Caller) -> None:
    ref = jd.orders()[0]["orderId"]
    found = jd.ask(DETAIL, order_id=ref, optional_fields="orderId,venderId")["orderDetailInfo"]
    assert found["orderInfo"] == {"orderId": ref, "venderId": "10000001"}
    missing = jd.ask(DETAIL, order_id="1", optional_fields="orderId")["orderDetailInfo"]
    assert missing["apiResult"]["success"] is False


def test_a_token_that_only_reads(jd: Caller) -> None:
    jd.token = "sandbox-jd-readonly"
    assert len(jd.orders()) == 100
    assert jd.ask(SHIP, orderId="1", logiCoprId="467", logiNo="1")["code"] == "24"
    assert jd.rest("POST", "/orders/1/shipments", body={}).status_code == 403


def test_tokens_and_quota_run_out(jd: Caller, world: Sandbox) -> None:
    world.set_quota({"jd": 1})
    jd.orders()
    assert jd.ask(LIST, **jd.window())["code"] == "2"
    assert jd.rest("GET", "/carriers").status_code == 429
    world.set_quota({"jd": None})
    world.expire_tokens()
    assert jd.ask(LIST, **jd.window())["code"] == "19"
    assert jd.rest("GET", "/carriers").status_code == 401


def of_state(world: Sandbox, state: str) -> str:
    orders = world.store.select("status = ?", [state], "ORDER BY number")
    return next(o.ref for o in orders if not o.body["_parts"] and not o.body["storeOrder"])


def shipped(jd: Caller, ref: str, number: str = "73100000000001", courier: str = "1499") -> dict[str, Any]:
    return dict(jd.ask(SHIP, orderId=ref, logiCoprId=courier, logiNo=number)["sopjosshipment_result"])


def test_an_order_leaves_once(jd: Caller, world: Sandbox) -> None:
    ref = of_state(world, "WAIT_SELLER_STOCK_OUT")
    assert shipped(jd, ref)["success"] is True
    again = shipped(jd, ref)
    assert (again["success"], again["chineseErrCode"]) == (False, "订单状态不正确，订单已出库")
    (entry,) = world.books("ship")
    body = world.store.select("ref = ?", [ref], "")[0].body
    assert sum(unit["quantity"] for unit in entry["detail"]["lines"]) == sum(
        int(i["itemTotal"]) for i in body["itemInfoList"]
    )
    assert len(world.books("refused")) == 1


@pytest.mark.parametrize(
    ("state", "number", "courier", "words"),
    [
        ("LOCKED", "73100000000001", "1499", "锁定"), ("TRADE_CANCELED", "73100000000001", "1499", "取消"),
        ("POP_ORDER_PAUSE", "73100000000001", "1499", "暂停"), ("FINISHED_L", "73100000000001", "1499", "已出库"),
        ("WAIT_SELLER_STOCK_OUT", "123", "1499", "运单号"), ("WAIT_SELLER_STOCK_OUT", "73100000000001", "9", "物流公司"),
        ("WAIT_SELLER_STOCK_OUT", "73100000000001", "1499|467", "数量不一致"),
        ("WAIT_SELLER_STOCK_OUT", "73100000000001,73100000000001", "1499", "重复"),
    ],
)  # fmt: skip
def test_what_cannot_leave(
    jd: Caller, world: Sandbox, state: str, number: str, courier: str, words: str
) -> None:
    result = shipped(jd, of_state(world, state), number, courier)
    assert result["success"] is False
    assert words in result["chineseErrCode"]
    assert world.books("ship") == []
    assert len(world.books("refused")) == 1


def test_a_number_belongs_to_one_recipient(jd: Caller, world: Sandbox) -> None:
    first, second = (order.ref for order in world.add_orders(2, shop="jd-demo"))
    (twin,) = world.add_orders(1, same_recipient_as=f"jd-demo:{first}")
    assert shipped(jd, first)["success"] is True
    assert "运单号" in shipped(jd, second)["chineseErrCode"]
    assert shipped(jd, twin.ref)["success"] is True


def test_couriers_and_numbers_in_one_text(jd: Caller, world: Sandbox) -> None:
    ref = of_state(world, "WAIT_SELLER_STOCK_OUT")
    assert shipped(jd, ref, "73100000000001,73100000000002|SF0000000000003", "1499|467")["success"] is True
    found = jd.ask(DETAIL, order_id=ref, optional_fields="orderId,waybill,logisticsId")["orderDetailInfo"][
        "orderInfo"
    ]
    assert (found["logisticsId"], found["waybill"]) == (
        "1499|467",
        "73100000000001,73100000000002|SF0000000000003",
    )


def test_numbers_are_corrected_after_shipping_only(jd: Caller, world: Sandbox) -> None:
    ref = of_state(world, "WAIT_SELLER_STOCK_OUT")
    change = {"order_id": ref, "logistics_id": "467", "waybill": "SF0000000000009"}
    assert jd.ask(UPDATE, **change)["result"]["success"] is False
    shipped(jd, ref)
    assert jd.ask(UPDATE, **change) == {"code": "0", "vender_id": "10000001", "order_id": ref}
    assert jd.ask(UPDATE, **change)["result"]["success"] is False
    (entry,) = world.books("amend")
    assert (entry["number"], entry["detail"]["before"]) == ("SF0000000000009", ["73100000000001"])


def test_the_sp_api_checks_its_headers(jd: Caller) -> None:
    assert jd.rest("GET", "/carriers").json()["success"] is True
    for name, value, status in (
        ("X-JOS-Sign", "0" * 32, 400), ("X-JOS-Timestamp", "1", 400), ("X-JOS-App-Key", "x", 400),
        ("X-JOS-Request-Identity", "buyer", 400),
    ):  # fmt: skip
        answer = jd.rest("GET", "/carriers", **{name: value})
        assert answer.status_code == status, name
        assert answer.json()["errorList"][0]["code"]
    assert jd.rest("GET", "/nothing").status_code == 404
    assert jd.rest("GET", "/order-oaid-addresses").json()["errorList"][0]["code"] == "99904030005"


def test_the_sp_api_lists_the_same_orders(jd: Caller, clock: Clock) -> None:
    query = {
        "startTime": str(int(clock() - 5 * DAY) * 1000), "endTime": str(int(clock()) * 1000), "orderStatus": "ALL",
        "page": "2", "pageSize": "100", "sortBy": "modifiedTime", "sortOrder": "ASC", "scopeSet": "consigneeInfo",
    }  # fmt: skip
    found = jd.rest("GET", "/orders", query).json()
    assert found["paginationData"]["totalItems"] == 130
    assert [str(o["orderId"]) for o in found["data"]] == [o["orderId"] for o in jd.orders(page="2")]
    assert all("consigneeInfo" in o and "skuItemInfoList" not in o for o in found["data"])
    for change in (
        {"sortBy": "x"},
        {"pageSize": "101"},
        {"startTime": "1"},
        {"colour": "x"},
        {"orderStatus": "x"},
    ):
        assert jd.rest("GET", "/orders", query | change).status_code == 400


def test_parts_leave_by_the_sp_api_and_show_in_the_classic_gateway(jd: Caller, world: Sandbox) -> None:
    orders = world.store.select("status = 'WAIT_SELLER_STOCK_OUT'", [], "ORDER BY number")
    ref = next(o.ref for o in orders if len(o.body["itemInfoList"]) == 3)
    items = jd.rest("GET", f"/orders/{ref}", {"scopeSet": "skuItemInfoList"}).json()["data"][
        "skuItemInfoList"
    ]

    def part(item: dict[str, Any], count: int, number: str) -> httpx.Response:
        goods = [{"skuId": item["skuId"], "skuUuid": item["skuUuid"], "skuNum": count}]
        package = {"companyId": 1499, "waybillCode": number, "outboundGoodsFacetDTOList": goods}
        told = {"orderShipmentDTO": {"orderId": int(ref), "packageInfoList": [package]}}
        return jd.rest("POST", f"/orders/{ref}/shipments", body=told)

    assert part(items[0], items[0]["num"], "73100000000001").json()["success"] is True
    assert part(items[0], 1, "73100000000002").json()["success"] is False
    shown = jd.ask(DETAIL, order_id=ref, optional_fields="orderId,orderState,partialLogisticsInfoModel")
    info = shown["orderDetailInfo"]["orderInfo"]
    assert info["orderState"] == "WAIT_SELLER_STOCK_OUT"
    assert [one["waybillId"] for one in info["partialLogisticsInfoModel"]] == ["73100000000001"]
    assert shipped(jd, ref, "73100000000003")["success"] is False
    for item, number in zip(items[1:], ("73100000000004", "73100000000005"), strict=True):
        assert part(item, item["num"], number).json()["success"] is True
    assert world.store.select("ref = ?", [ref], "")[0].status == "WAIT_GOODS_RECEIVE_CONFIRM"


def test_who_shares_a_recipient(jd: Caller, world: Sandbox) -> None:
    (first, other) = world.add_orders(2, shop="jd-demo")
    (twin,) = world.add_orders(1, same_recipient_as=f"jd-demo:{first.ref}")
    pairs = [{"orderId": int(o.ref), "oaid": o.body["consigneeInfo"]["oaid"]} for o in (first, other, twin)]
    found = jd.rest("POST", "/merge-delivery-groups", body={"mergeDeliveryGroupList": pairs}).json()["data"]
    assert sorted(sorted(group["mergeOrderIdList"]) for group in found) == sorted(
        [sorted([int(first.ref), int(twin.ref)]), [int(other.ref)]]
    )
    pairs[0]["oaid"] = "x"
    refused = jd.rest("POST", "/merge-delivery-groups", body={"mergeDeliveryGroupList": pairs})
    assert refused.json()["success"] is False


def test_a_remark_is_a_change(jd: Caller, world: Sandbox) -> None:
    ref = of_state(world, "WAIT_SELLER_STOCK_OUT")
    told = {"orderVenderRemarkDTO": {"orderId": int(ref), "flag": 1, "remark": "加急"}}
    assert jd.rest("PUT", f"/orders/{ref}/vender-remarks", body=told).json()["success"] is True
    assert [entry["subject"] for entry in world.books("memo")] == [ref]


def test_a_month_has_so_many_renewals(jd: Caller, clock: Clock, world: Sandbox) -> None:
    asked = {
        "app_key": "sandbox-jd-app", "response_type": "code", "redirect_uri": "http://127.0.0.1/x", "state": "s",
        "scope": "snsapi_base",
    }  # fmt: skip
    key = {"app_key": "sandbox-jd-app", "app_secret": SECRET}

    def last_hour_of_a_login() -> dict[str, str]:
        answer = jd.http.get(f"{jd.url}/oauth2/to_login", params=asked)
        given = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        trade = {**key, "grant_type": "authorization_code", "code": given}
        token = jd.http.get(f"{jd.url}/oauth2/access_token", params=trade).json()
        world.store.write(
            "UPDATE tokens SET expires = ? WHERE token = ?", (clock.at + 3600, token["refresh_token"])
        )
        return {**key, "grant_type": "refresh_token", "refresh_token": token["refresh_token"]}

    def renew() -> dict[str, Any]:
        return dict(jd.http.get(f"{jd.url}/oauth2/refresh_token", params=last_hour_of_a_login()).json())

    assert all("access_token" in renew() for _ in range(10))
    assert renew()["code"] == "7"
    world.control({"renewals": {"jd": 11}})
    assert "access_token" in renew()
    assert renew()["code"] == "7"
    world.control({"renewals": {"jd": None}})
    assert renew()["code"] == "7"
    clock.at += 31 * DAY
    assert "access_token" in renew()


def test_the_login(jd: Caller, clock: Clock) -> None:
    asked = {
        "app_key": "sandbox-jd-app", "response_type": "code", "redirect_uri": "http://127.0.0.1/x", "state": "s",
        "scope": "snsapi_base",
    }  # fmt: skip
    answer = jd.http.get(f"{jd.url}/oauth2/to_login", params=asked)
    given = parse_qs(urlsplit(answer.headers["location"]).query)
    key = {"app_key": "sandbox-jd-app", "app_secret": SECRET}
    trade = {**key, "grant_type": "authorization_code", "code": given["code"][0]}
    token = jd.http.get(f"{jd.url}/oauth2/access_token", params=trade).json()
    jd.token = token["access_token"]
    assert len(jd.orders()) == 100
    assert "code" in jd.http.get(f"{jd.url}/oauth2/access_token", params=trade).json()  # once only
    renew = {**key, "grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    assert jd.http.get(f"{jd.url}/oauth2/refresh_token", params=renew).json()["code"] == "6"  # too early
    clock.at += token["expires_in"] - 3600
    fresh = jd.http.get(f"{jd.url}/oauth2/refresh_token", params=renew).json()
    assert fresh["access_token"] != token["access_token"]
    clock.at += 31 * DAY
    late = renew | {"refresh_token": fresh["refresh_token"]}
    assert jd.http.get(f"{jd.url}/oauth2/refresh_token", params=late).json()["code"] == "5"
    assert (
        jd.http.get(f"{jd.url}/oauth2/refresh_token", params=renew | {"app_secret": "x"}).json()["code"]
        == "1"
    )
