"""The stand-in of Douyin: as strict as the platform's documents."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.douyin import Douyin as StandIn
from orderctl.sandbox.douyin.calls import signature
from orderctl.sandbox.standins import StandIn as Protocol
from tests.sandbox.callers import Clock, beijing

FITS: type[Protocol] = StandIn
KEY, SECRET = "7000000000000000001", "a1b2c3d4-0000-1111-2222-fakefakefake"
LIST = (
    '{"combine_status":[{"order_status":"105,2,101"}],"order_asc":true,"order_by":"update_time","page":0,"size":50,'
    '"update_time_end":1763658000,"update_time_start":1763654400}'
)
REMARK = (
    '{"is_add_star":"true","order_id":"6900000000000000001A","remark":"A&B <急> 😀 \\"5折\\"","star":"1"}'
)
DAY = 86_400


@pytest.mark.parametrize(
    ("method", "timestamp", "body", "kind", "expected"),
    [
        ("order.searchList", "1763658001", LIST, "hmac-sha256", "fc9f0d7401b9eda10a938cd0a5dff89129ef97f4873ca90488983ca517394a9d"),
        ("order.searchList", "1763658001", LIST, "", "4aeae35b4964609469f15d6a5cec4637"),
        ("order.addOrderRemark", "2026-11-20 09:30:00", REMARK, "hmac-sha256", "851479a8393e20e70a2a23bb3a270372df3838f65bb99cfc275e8b364c64f4b3"),
        ("order.addOrderRemark", "2026-11-20 09:30:00", REMARK, "md5", "869959ddca0ea3516693db389c8ea0c1"),
        ("logistics.getShopKey", "1763658001", "{}", "hmac-sha256", "93505423c8b551484d7adb217a440e9bd064f000eb3c04ddd411a304ea01c09e"),
    ],
)  # fmt: skip
def test_signature_vectors(method: str, timestamp: str, body: str, kind: str, expected: str) -> None:
    query = {"app_key": KEY, "method": method, "timestamp": timestamp, "v": "2", "sign_method": kind}
    assert signature(SECRET, query, body) == expected
    assert signature(SECRET, query | {"access_token": "any"}, body) == expected


@dataclass
class Caller:
    """An honest client: it signs and asks as the documents say."""

    url: str
    clock: Clock
    http: httpx.Client
    token: str = ""

    def query(self, name: str, text: str, **change: str) -> dict[str, str]:
        query = {
            "method": name, "app_key": KEY, "access_token": self.token, "timestamp": str(int(self.clock())), "v": "2",
            "sign_method": "hmac-sha256", **change,
        }  # fmt: skip
        secret = "sandbox-douyin-secret"
        pairs = {"app_key": query["app_key"], "method": query["method"], "param_json": text}
        pairs |= {"timestamp": query["timestamp"], "v": query["v"]}
        whole = secret + "".join(k + v for k, v in sorted(pairs.items())) + secret
        query["sign"] = hmac.new(secret.encode(), whole.encode(), hashlib.sha256).hexdigest()
        return {k: v for k, v in query.items() if v} | {k: v for k, v in change.items() if k == "sign"}

    def post(self, method: str, text: str, query: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post(
            f"{self.url}/{method.replace('.', '/')}", params=query, content=text.encode(),
            headers={"Content-Type": "application/json;charset=utf-8"},
        )  # fmt: skip
        assert answer.status_code == 200
        return dict(answer.json())

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        text = json.dumps(params, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        found = self.post(method, text, self.query(method, text))
        assert set(found) == {"code", "msg", "sub_code", "sub_msg", "log_id", "data"}
        return found

    def data(self, method: str, **params: Any) -> Any:
        found = self.ask(method, **params)
        assert found["code"] == 10_000, found
        return found["data"]

    def refusal(self, method: str, **params: Any) -> str:
        found = self.ask(method, **params)
        assert found["code"] != 10_000
        return f"{found['code']} {found['sub_code']}"

    def list(self, **params: Any) -> dict[str, Any]:
        window = {"update_time_start": int(self.clock()) - 30 * DAY, "update_time_end": int(self.clock())}
        return dict(self.data("order.searchList", **{**window, "page": 0, "size": 100, **params}))

    def detail(self, ref: str) -> dict[str, Any]:
        return dict(self.data("order.orderDetail", shop_order_id=ref)["shop_order_detail"])

    def ready(self, lines: int = 1) -> dict[str, Any]:
        return next(
            order
            for order in self.list(combine_status=[{"order_status": "2"}])["shop_order_list"]
            if len(order["sku_order_list"]) >= lines
            and all(line["after_sale_info"]["after_sale_status"] == 0 for line in order["sku_order_list"])
            and not any(line["need_serial_number"] for line in order["sku_order_list"])
        )


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", shops=["douyin"], orders=130, now=clock) as running:
        yield running


@pytest.fixture
def douyin(sandbox: Sandbox, clock: Clock, http: httpx.Client) -> Caller:
    caller = Caller(f"{sandbox.start()}/douyin", clock, http)
    caller.token = caller.data("token.create", code="", grant_type="authorization_self", shop_id="10000001")[
        "access_token"
    ]
    return caller


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"method": ""}, "40002 isv.missing-parameter"),
        ({"app_key": "8"}, "40003 isv.app-id-invalid"),
        ({"timestamp": ""}, "40001 isv.missing-parameter"),
        ({"timestamp": "today"}, "40003 isv.timestamp-format-error"),
        ({"timestamp": "1763658001000"}, "40003 isv.timestamp-format-error"),
        ({"v": "1"}, "40004 isv.parameter-invalid"),
        ({"sign": "0" * 64}, "40003 isv.signature-invalid"),
        ({"sign_method": "sha1"}, "40003 isv.signature-invalid"),
        ({"access_token": ""}, "40003 isv.access-token-no-existed"),
        ({"access_token": "somebody-else"}, "40003 isv.access-token-invalid"),
    ],
)
def test_who_may_call(douyin: Caller, change: dict[str, str], expected: str) -> None:
    query = douyin.query("order.orderDetail", "{}", **change)
    found = douyin.post("order.orderDetail", "{}", query)
    assert f"{found['code']} {found['sub_code']}" == expected


def test_the_very_text_is_signed(douyin: Caller) -> None:
    text = '{"shop_order_id":"1"}'
    query = douyin.query("order.orderDetail", text)
    assert douyin.post("order.orderDetail", text, query)["sub_code"] == "isv.parameter-invalid:20001"
    assert douyin.post("order.orderDetail", text + " ", query)["sub_code"] == "isv.signature-invalid"
    assert douyin.post("order.searchList", text, query)["sub_code"] == "isv.parameter-invalid"


@pytest.mark.parametrize(
    ("skew", "allowed"), [(0, True), (590, True), (-590, True), (610, False), (-610, False)]
)
@pytest.mark.parametrize("wall", [True, False])
def test_the_clock_may_differ_by_ten_minutes(douyin: Caller, skew: int, allowed: bool, wall: bool) -> None:
    at = douyin.clock() + skew
    told = beijing(at) if wall else str(int(at))
    query = douyin.query("order.logisticsCompanyList", "{}", timestamp=told)
    assert (douyin.post("order.logisticsCompanyList", "{}", query)["code"] == 10_000) == allowed


def test_methods_that_are_not_there(douyin: Caller) -> None:
    assert douyin.refusal("order.batchDecrypt", cipher_infos=[]) == "30001 isv.app-permissions-insufficient"
    assert douyin.refusal("order.noSuch") == "70000 isp.api-service-off"
    assert douyin.refusal("order.orderDetail", shop_order_id="1", extra=1) == "40004 isv.parameter-invalid"


def test_a_quota(sandbox: Sandbox, douyin: Caller) -> None:
    sandbox.set_quota({"douyin": 1})
    douyin.data("order.logisticsCompanyList")
    assert douyin.refusal("order.logisticsCompanyList") == "60000 isv.traffic-limited"


def test_tokens_of_a_self_use_app(douyin: Caller) -> None:
    asked = {"code": "", "grant_type": "authorization_self", "shop_id": "10000001"}
    first = douyin.data("token.create", **asked)
    assert (first["shop_id"], first["expires_in"]) == (10_000_001, 7 * DAY)
    assert douyin.data("token.create", **asked)["access_token"] == first["access_token"]
    failed = "50001 dop.token-generate-failed:"
    assert douyin.refusal("token.create", **{**asked, "shop_id": "7"}) == failed + "no-authorization"
    assert (
        douyin.refusal("token.create", code="x", grant_type="authorization_code") == failed + "code-invalid"
    )


def test_renewal_follows_the_clock(douyin: Caller, clock: Clock) -> None:
    def refresh(token: str) -> dict[str, Any]:
        return dict(douyin.data("token.refresh", grant_type="refresh_token", refresh_token=token))

    first = douyin.data("token.create", code="", grant_type="authorization_self", shop_id="10000001")
    clock.at += 7 * DAY - 3_700
    assert refresh(first["refresh_token"])["access_token"] == first["access_token"]
    clock.at += 1_000
    second = refresh(first["refresh_token"])
    assert second["access_token"] != first["access_token"]
    clock.at += 3_500
    douyin.data("order.logisticsCompanyList")  # the first token lives an hour more
    clock.at += 200
    assert douyin.refusal("order.logisticsCompanyList") == "40003 isv.access-token-expired"
    clock.at += 7 * DAY
    third = refresh(second["refresh_token"])
    douyin.token = second["access_token"]
    assert douyin.refusal("order.logisticsCompanyList") == "40003 isv.access-token-expired"
    clock.at += 15 * DAY
    expired = douyin.refusal(
        "token.refresh", grant_type="refresh_token", refresh_token=third["refresh_token"]
    )
    assert expired == "50001 dop.token-generate-failed:token-expired"


def test_a_code_works_once_and_for_ten_minutes(douyin: Caller, clock: Clock) -> None:
    def code() -> str:
        answer = douyin.http.get(f"{douyin.url}/authorize?service_id=sandbox-douyin-service&state=s")
        return str(httpx.URL(answer.headers["location"]).params["code"])

    late, used = code(), code()
    douyin.data("token.create", code=used, grant_type="authorization_code")
    failed = "50001 dop.token-generate-failed:"
    assert (
        douyin.refusal("token.create", code=used, grant_type="authorization_code") == failed + "code-invalid"
    )
    clock.at += 601
    assert (
        douyin.refusal("token.create", code=late, grant_type="authorization_code") == failed + "code-expired"
    )
    assert douyin.http.get(f"{douyin.url}/authorize?service_id=other").status_code == 400


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"size": 101}, "isv.parameter-invalid:20008"),
        ({"size": 0}, "isv.parameter-invalid:20008"),
        ({"page": -1}, "isv.parameter-invalid:10035"),
        ({"page": 100}, "isv.parameter-invalid:20013"),
        ({"update_time_start": 0}, "isv.parameter-invalid:20022"),
        ({"update_time_start": None}, "isv.parameter-invalid:20011"),
        ({"update_time_end": 0}, "isv.parameter-invalid"),
        ({"combine_status": [{"order_status": "2"}, {"order_status": "3"}]}, "isv.parameter-invalid:20012"),
        ({"combine_status": [{"order_status": "900"}]}, "isv.parameter-invalid"),
        ({"page": "0"}, "isv.parameter-invalid"),
        ({"order_by": "pay_time"}, "isv.parameter-invalid"),
        ({"cursor": ""}, "isv.parameter-invalid"),
    ],
)
def test_refused_lists(douyin: Caller, params: dict[str, Any], expected: str) -> None:
    window = {
        "update_time_start": int(douyin.clock()) - DAY,
        "update_time_end": int(douyin.clock()),
        "page": 0,
        "size": 100,
    }
    asked = {name: value for name, value in {**window, **params}.items() if value is not None}
    assert douyin.refusal("order.searchList", **asked) == f"40004 {expected}"


def test_pages_count_from_zero_and_hold_every_order_once(douyin: Caller) -> None:
    pages = [douyin.list(page=n, size=50) for n in range(4)]
    assert [len(page["shop_order_list"]) for page in pages] == [50, 50, 30, 0]
    assert {page["total"] for page in pages} == {130}
    found = [order["order_id"] for page in pages for order in page["shop_order_list"]]
    assert len(set(found)) == 130
    ascending = douyin.list(order_by="update_time", order_asc=True)["shop_order_list"]
    times = [order["update_time"] for order in ascending]
    assert times == sorted(times)
    assert times[0] < douyin.list(order_by="update_time")["shop_order_list"][0]["update_time"]


def test_milliseconds_find_nothing(douyin: Caller) -> None:
    found = douyin.list(
        update_time_start=int(douyin.clock() - DAY) * 1000, update_time_end=int(douyin.clock()) * 1000
    )
    assert (found["total"], found["shop_order_list"]) == (0, [])


def test_statuses_are_filtered(douyin: Caller) -> None:
    found = douyin.list(combine_status=[{"order_status": "105,101"}])["shop_order_list"]
    assert {order["order_status"] for order in found} == {105, 101}


def test_ciphertexts_differ_at_every_reading_and_their_indexes_do_not(douyin: Caller, clock: Clock) -> None:
    def read() -> list[str]:
        clock.at += 1
        return [order["encrypt_post_receiver"] for order in douyin.list()["shop_order_list"]]

    first, second = read(), read()
    assert not set(first) & set(second)
    assert [text.split("#")[1] for text in first] == [text.split("#")[1] for text in second]


def test_nothing_private_leaves(douyin: Caller, sandbox: Sandbox) -> None:
    for order in sandbox.store.select("shop = ?", ["douyin-demo"], ""):
        name, mobile, street, *_ = order.body["_person"]
        text = json.dumps(douyin.detail(order.ref), ensure_ascii=False)
        assert not any(secret in text for secret in (name, mobile, street, "_person", "_group"))


def ship(
    douyin: Caller, order: dict[str, Any], number: str = "73100000000001", **more: Any
) -> dict[str, Any]:
    params = {"order_id": order["order_id"], "company_code": "zhongtong", "logistics_code": number, **more}
    return douyin.ask("order.logisticsAdd", **params)


def sub_code(answer: dict[str, Any]) -> str:
    return str(answer["sub_code"]).rpartition(":")[2]


def test_an_order_is_shipped_once(douyin: Caller, sandbox: Sandbox) -> None:
    order = douyin.ready(lines=2)
    assert ship(douyin, order)["data"] == {}
    assert sub_code(ship(douyin, order)) == "60110"
    assert [entry["kind"] for entry in sandbox.books()] == ["ship", "refused"]
    after = douyin.detail(order["order_id"])
    assert (after["order_status"], after["logistics_info"][0]["tracking_no"]) == (3, "73100000000001")
    assert {line["order_status"] for line in after["sku_order_list"]} == {3}
    assert after["update_time"] == int(douyin.clock())


def test_what_may_not_be_shipped(douyin: Caller) -> None:
    expected = {
        1: "60137",
        103: "60137",
        105: "60109",
        4: "60021",
        21: "60068",
        3: "60110",
        5: "60113",
        101: "60110",
    }
    for status, code in expected.items():
        order = douyin.list(combine_status=[{"order_status": str(status)}])["shop_order_list"][0]
        assert sub_code(ship(douyin, order)) == code, status
    order = douyin.ready()
    assert sub_code(ship(douyin, {"order_id": "99"})) == "60033"
    assert sub_code(ship(douyin, order, company_code="")) == "60011"
    assert sub_code(ship(douyin, order, company_code="teleport")) == "60018"
    assert ship(douyin, order, "12")["sub_code"] == "isv.parameter-invalid:60017"


def test_a_refund_is_in_the_way_until_it_is_refused(douyin: Caller, sandbox: Sandbox) -> None:
    order = douyin.ready()
    sandbox.touch(order["order_id"], refund=True)
    assert sub_code(ship(douyin, order)) == "60040"
    assert ship(douyin, order, is_refund_reject="true")["code"] == 10_000
    assert douyin.detail(order["order_id"])["sku_order_list"][0]["after_sale_info"]["after_sale_status"] == 27


def test_a_number_belongs_to_one_recipient(douyin: Caller, sandbox: Sandbox) -> None:
    first = douyin.ready()
    ship(douyin, first)
    same = sandbox.add_orders(1, same_recipient_as=first["order_id"])[0].ref
    assert ship(douyin, {"order_id": same})["code"] == 10_000
    other = sandbox.add_orders(1, shop="douyin-demo")[0].ref
    assert sub_code(ship(douyin, {"order_id": other})) == "70022"


def test_serial_numbers_are_asked_for(douyin: Caller) -> None:
    order = next(o for o in douyin.list()["shop_order_list"] if o["sku_order_list"][0]["need_serial_number"])
    assert sub_code(ship(douyin, order)) == "60056"
    assert ship(douyin, order, serial_number_list=["S1"])["code"] == 10_000


def parcel(number: str, *contents: tuple[str, int]) -> dict[str, Any]:
    info = [{"shipped_order_id": line, "shipped_num": count} for line, count in contents]
    return {"shipped_order_info": info, "logistics_code": number, "company_code": "zhongtong"}


def test_several_parcels_all_or_nothing_and_once_for_a_request(douyin: Caller, sandbox: Sandbox) -> None:
    order = douyin.ready(lines=2)
    one, other = ((line["order_id"], line["item_num"]) for line in order["sku_order_list"][:2])
    packs = [parcel("73100000000001", one), parcel("73100000000002", other)]

    def add(request_id: str, pack_list: list[dict[str, Any]]) -> dict[str, Any]:
        return douyin.ask(
            "order.logisticsAddMultiPack",
            order_id=order["order_id"],
            request_id=request_id,
            pack_list=pack_list,
        )

    assert add("", packs)["sub_code"] == "isv.missing-parameter:50050"
    assert sub_code(add("r0", [packs[0], parcel("12", other)])) == "60017"
    assert sub_code(add("r0", [packs[0], parcel("73100000000002", (one[0], 1))])) == "60110"
    assert sub_code(add("r0", [parcel("73100000000002", ("77", 1))])) == "60102"
    assert sub_code(add("r0", [parcel("73100000000002", (one[0], 0))])) == "60080"
    assert sub_code(add("r0", [])) == "60036"
    assert not sandbox.books("ship")
    told = add("r1", packs)["data"]
    assert [pack["logistics_code"] for pack in told["pack_list"]] == ["73100000000001", "73100000000002"]
    assert add("r1", packs)["data"] == told
    assert sub_code(add("r2", packs)) == "60110"
    assert [len(sandbox.books(kind)) for kind in ("ship", "repeated")] == [2, 1]


def test_a_part_leaves_the_rest_open(douyin: Caller) -> None:
    order = douyin.ready(lines=2)
    line = order["sku_order_list"][0]
    pack = parcel("73100000000001", (line["order_id"], line["item_num"]))
    douyin.data("order.logisticsAddMultiPack", order_id=order["order_id"], request_id="r", pack_list=[pack])
    after = douyin.detail(order["order_id"])
    assert [one["order_status"] for one in after["sku_order_list"][:2]] == [3, 2]
    assert after["order_status"] == 101


def test_several_orders_in_one_parcel(douyin: Caller, sandbox: Sandbox) -> None:
    first = douyin.ready()
    second = douyin.detail(sandbox.add_orders(1, same_recipient_as=first["order_id"])[0].ref)
    stranger = douyin.detail(sandbox.add_orders(1, shop="douyin-demo")[0].ref)

    def add(*orders: dict[str, Any]) -> dict[str, Any]:
        lines = [line for order in orders for line in order["sku_order_list"]]
        info = [{"shipped_order_id": line["order_id"], "shipped_num": line["item_num"]} for line in lines]
        refs = [order["order_id"] for order in orders]
        return douyin.ask(
            "order.logisticsAddSinglePack", order_id_list=refs, shipped_order_info=info, company_code="zhongtong",
            logistics_code="73100000000001", request_id="-".join(refs),
        )  # fmt: skip

    assert sub_code(add(first, stranger)) == "70022"
    assert not sandbox.books("ship")
    assert add(first, second)["data"]["pack_id"]
    assert {entry["subject"] for entry in sandbox.books("ship")} == {first["order_id"], second["order_id"]}


def test_numbers_are_changed(douyin: Caller, sandbox: Sandbox) -> None:
    order = douyin.ready(lines=2)
    params = {"order_id": order["order_id"], "company_code": "zhongtong", "logistics_code": "73100000000009"}
    assert douyin.refusal("order.logisticsEdit", **params) == "50002 isv.business-failed:60036"
    ship(douyin, order)
    douyin.data("order.logisticsEdit", **params)
    douyin.data("order.logisticsEdit", **params)
    assert [entry["kind"] for entry in sandbox.books()][-2:] == ["amend", "repeated"]
    assert (
        douyin.refusal("order.logisticsEditByPack", **params, pack_id="x")
        == "50002 isv.business-failed:60036"
    )
    pack = douyin.detail(order["order_id"])["logistics_info"][0]["delivery_id"]
    douyin.data("order.logisticsEditByPack", **{**params, "logistics_code": "73100000000008"}, pack_id=pack)
    assert douyin.detail(order["order_id"])["logistics_info"][0]["tracking_no"] == "73100000000008"


def test_a_remark_does_not_move_the_order(douyin: Caller, clock: Clock) -> None:
    order = douyin.ready()
    clock.at += 100
    douyin.data(
        "order.addOrderRemark", order_id=order["order_id"], remark="样例备注", is_add_star="true", star="5"
    )
    after = douyin.detail(order["order_id"])
    assert (after["seller_words"], after["seller_remark_stars"]) == ("样例备注", 5)
    assert after["update_time"] == order["update_time"]
    assert (
        douyin.refusal("order.addOrderRemark", order_id=order["order_id"], remark="长" * 61)
        == "40004 isv.parameter-invalid"
    )


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({"memo": "样例"}, False),
        ({"note": "样例"}, False),
        ({"address": True}, False),
        ({"refund": True}, False),
        ({"refund": "12"}, True),
        ({"status": "3"}, True),
        ({"status": "2"}, False),
        ({"stir": "样例"}, True),
    ],
    ids=str,
)
def test_only_the_main_status_moves_an_order(
    douyin: Caller, sandbox: Sandbox, clock: Clock, change: dict[str, Any], moves: bool
) -> None:
    order = next(
        one
        for one in douyin.list(combine_status=[{"order_status": "2"}])["shop_order_list"]
        if len(one["sku_order_list"]) == 1
        and not one["sku_order_list"][0]["after_sale_info"]["after_sale_status"]
    )
    clock.at += 100
    sandbox.touch(order["order_id"], **change)
    after = douyin.detail(order["order_id"])
    assert after["update_time"] == (int(clock()) if moves else order["update_time"])
    found = douyin.list(update_time_start=int(clock()))["shop_order_list"]
    assert [one["order_id"] for one in found] == ([order["order_id"]] if moves else [])


def test_a_churn_moves_orders(douyin: Caller, sandbox: Sandbox, clock: Clock) -> None:
    sandbox.set_churn("douyin-demo", 3)
    clock.at += 100
    douyin.list()
    sandbox.set_churn("douyin-demo", 0)
    assert 1 <= douyin.list(update_time_start=int(clock()))["total"] <= 3


def test_what_the_platforms_own_warehouse_ships(douyin: Caller, sandbox: Sandbox) -> None:
    order = next(
        one for one in douyin.list()["shop_order_list"] if one["sku_order_list"][0]["inventory_list"]
    )
    assert order["order_status"] == 2
    assert sub_code(ship(douyin, order)) == "60116"
    assert [entry["kind"] for entry in sandbox.books()] == ["refused"]


@pytest.mark.parametrize("value", ["true", 1, None, []], ids=str)
def test_the_way_of_a_list_is_a_boolean(douyin: Caller, value: object) -> None:
    window = {"update_time_start": int(douyin.clock()) - DAY, "update_time_end": int(douyin.clock())}
    assert douyin.refusal("order.searchList", **window, order_asc=value) == "40004 isv.parameter-invalid"


def test_a_seal_is_its_recipients_alone(douyin: Caller, sandbox: Sandbox, clock: Clock) -> None:
    standin = StandIn(sandbox.store, clock)
    first = douyin.ready()
    (twin,) = sandbox.add_orders(1, same_recipient_as=first["order_id"])
    (other,) = sandbox.add_orders(1, shop="douyin-demo")
    clock.at += 100
    read_again = douyin.detail(first["order_id"])
    owner = sandbox.store.find("douyin", "douyin-demo", first["order_id"])
    assert owner is not None
    for shown in (first, read_again):
        for seal in (
            shown["encrypt_post_receiver"],
            shown["encrypt_post_tel"],
            shown["post_addr"]["encrypt_detail"],
        ):
            assert standin.unseal(owner, seal) == standin.unseal(twin, seal) is not None
            assert standin.unseal(other, seal) is None
            for wrong in (seal[:-1], seal + "#", seal.replace("1", "2"), seal[1:], seal[:20] + seal[22:]):
                assert wrong == seal or standin.unseal(owner, wrong) is None
    index = first["encrypt_post_receiver"].split("#")[1]
    assert standin.unseal(owner, f"#{index}#{'A' * 32}#1##") is None
    sandbox.touch(owner.ref, address=True)
    moved = sandbox.store.find("douyin", "douyin-demo", owner.ref)
    assert moved is not None
    assert standin.unseal(moved, first["encrypt_post_tel"]) is None


def test_a_closed_authorisation(douyin: Caller, sandbox: Sandbox, http: httpx.Client) -> None:
    sandbox.control({"revoke": {"douyin": True}})
    closed = "30001 dop.authorization-closed"
    assert douyin.refusal("order.orderDetail", shop_order_id="1") == closed
    own = {"code": "", "grant_type": "authorization_self", "shop_id": "10000001"}
    assert douyin.refusal("token.create", **own).startswith("50001")
    sandbox.control({"revoke": {"douyin": False}})
    assert douyin.refusal("order.orderDetail", shop_order_id="1") != closed
    sandbox.control({"revoke": {"douyin": True}})
    page = http.get(f"{douyin.url}/authorize", params={"service_id": "sandbox-douyin-service", "state": "s"})
    code = httpx.URL(page.headers["location"]).params["code"]
    token = douyin.data("token.create", code=code, grant_type="authorization_code")["access_token"]
    douyin.token = token
    assert douyin.list()["total"]
    with pytest.raises(ValueError, match="revoke"):
        sandbox.control({"revoke": {"douyin": "yes"}})


def test_money_adds_up_in_every_order(douyin: Caller) -> None:
    for page in range(2):
        for order in douyin.list(page=page)["shop_order_list"]:
            lines = order["sku_order_list"]
            assert sum(line["pay_amount"] for line in lines) == order["pay_amount"]
            assert sum(line["order_amount"] for line in lines) == order["order_amount"]
            assert all(line["pay_amount"] >= 0 for line in lines)
            off = order["promotion_amount"] - order["modify_amount"]
            assert order["order_amount"] - off == order["pay_amount"]


def test_whatever_comes_is_answered(douyin: Caller) -> None:
    for body in (b"", b"[]", b"\xff", b"null", b'{"page":' + b"9" * 400 + b"}", b"[" * 5_000):
        text = body.decode("utf-8", errors="replace")
        query = douyin.query("order.searchList", text)
        answer = douyin.http.post(f"{douyin.url}/order/searchList", params=query, content=body,
                                  headers={"Content-Type": "application/json"})  # fmt: skip
        assert answer.json()["code"] != 10_000
    assert douyin.http.get(f"{douyin.url}/order/searchList").json()["code"] == 40_002
    plain = douyin.http.post(
        f"{douyin.url}/order/searchList", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert plain.json()["code"] == 40_004
