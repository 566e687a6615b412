"""Whatever a client with good credentials asks for, it gets a well-formed answer, and the books stay true.

The requests are signed with the stand-ins' own functions: signatures have tests of their own.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.sandbox import Sandbox
from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.douyin import calls as douyin
from orderctl.sandbox.douyin import tokens as douyin_tokens
from orderctl.sandbox.jd import login as jd_tokens
from orderctl.sandbox.jd.standin import signature as jd_signature
from orderctl.sandbox.kuaishou import calls as kuaishou
from orderctl.sandbox.kuaishou import tokens as kuaishou_tokens
from orderctl.sandbox.pdd import calls as pdd
from orderctl.sandbox.pdd import tokens as pdd_tokens
from orderctl.sandbox.store import Order
from tests.sandbox.callers import Clock, beijing

CLOCK = Clock()
SHOPS = ["jd", "pdd", "douyin", "kuaishou", "amazon"]
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
WORDS = st.sampled_from([
    "", "0", "1", "-1", "9" * 25, "true", "YT9700000000001", "2026-11-18 00:00:00", "2026-11-18T00:00:00Z", "ALL", "UPS",
    "yuantong", "463", "orderId", "nomore", "2,105", "10000001",
])  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**64)
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=9)
)
VALUES = st.recursive(
    LEAVES, lambda x: st.lists(x, max_size=3) | st.dictionaries(WORDS, x, max_size=3), max_leaves=5
)
AMAZON = {"x-amz-access-token": ""}


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(Path(folder), shops=SHOPS, orders=160, now=CLOCK) as sandbox,
    ):
        form = {
            "grant_type": "refresh_token", "refresh_token": "Atzr|sandbox-refresh",
            "client_id": "amzn1.application-oa2-client.sandbox", "client_secret": "amzn1.oa2-cs.v1.sandbox-secret",
        }  # fmt: skip
        answer = send(sandbox, "POST", "/amazon/auth/o2/token", FORM, urlencode(form).encode())
        AMAZON["x-amz-access-token"] = json.loads(answer.body)["access_token"]
        yield sandbox


def send(world: Sandbox, verb: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _, answer = world.serve_request(Request(verb, parts.path, query, headers, body, "http://127.0.0.1"))
    assert answer is not None
    return answer


def refs(world: Sandbox, shop: str) -> list[str]:
    return [order.ref for order in world.store.select("shop = ?", (shop,), "ORDER BY id")][:12]


def filled(names: str, orders: list[str], *more: str) -> st.SearchStrategy[dict[str, Any]]:
    """Give arguments under known names: any value, or a number of an order, or one that often fits."""
    good = st.sampled_from([*orders, *more]) if orders else WORDS
    return st.dictionaries(st.sampled_from(names.split()), VALUES | good, max_size=7)


def ordered(order: Order) -> Counter[str]:
    """How many pieces of each line an order has, by the lines' names in the books."""
    body, found = order.body, Counter[str]()
    if order.platform == "jd":
        for item in body["itemInfoList"]:
            found[item["_line"]] += int(item["itemTotal"])
    elif order.platform == "douyin":
        found.update({line["order_id"]: line["item_num"] for line in body["sku_order_list"]})
    elif order.platform == "kuaishou":
        found[order.ref] = body["orderItemInfo"]["num"]
        for sub in body["subOrderInfo"]:
            found[str(sub["subOrderBaseInfo"]["oid"])] = sub["subOrderItemInfo"]["num"]
    elif order.platform == "pdd":
        found.update({"1": body["item_list"][0]["goods_count"], "gift": 1})
    else:
        found.update({line["id"]: line["quantity"] for line in body["lines"]})
    return found


def check_books(world: Sandbox, shop: str) -> None:
    """No piece was shipped more often than it was ordered."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in world.books("ship", shop):
        for line in entry["detail"]["lines"]:
            assert line["quantity"] > 0
            told[entry["subject"]][str(line["line"])] += line["quantity"]
    for ref, pieces in told.items():
        (order,) = world.store.select("shop = ? AND ref = ?", (shop, ref), "")
        assert pieces <= ordered(order), ref


JD = (
    "start_date end_date order_state optional_fields page page_size sortType dateType order_id orderId logiCoprId logiNo"
    " logistics_id waybill installId source_id"
)


@given(data=st.data(), method=st.sampled_from([
    "jingdong.pop.order.search", "jingdong.pop.order.enSearch", "jingdong.pop.order.get", "jingdong.pop.order.shipment",
    "360buy.order.sop.waybill.update", "jingdong.seller.vender.info.get", "jingdong.fce.alpha.getVenderCarrier",
]))  # fmt: skip
def test_jd_classic(world: Sandbox, data: st.DataObject, method: str) -> None:
    found = data.draw(filled(JD, refs(world, "jd-demo"), "463", "YT9700000000001", "ALL", "orderId,modified"))
    params = {
        "method": method, "app_key": jd_tokens.APP_KEY, "access_token": jd_tokens.TOKEN, "v": "2.0",
        "timestamp": beijing(CLOCK()), "360buy_param_json": json.dumps(found),
    }  # fmt: skip
    params["sign"] = jd_signature(params)
    answer = send(world, "POST", "/jd/routerjson", FORM, urlencode(params).encode())
    assert answer.status == 200
    assert len(json.loads(answer.body)) == 1
    check_books(world, "jd-demo")


@given(
    data=st.data(),
    tail=st.sampled_from(["/shipments", "/vender-remarks", ""]),
    verb=st.sampled_from(["POST", "PUT", "GET"]),
)
def test_jd_rest(world: Sandbox, data: st.DataObject, tail: str, verb: str) -> None:
    ref = data.draw(st.sampled_from(refs(world, "jd-demo")))
    package = data.draw(filled("companyId waybillCode shipmentId outboundGoodsFacetDTOList", [], "463"))
    goods = data.draw(filled("skuUuid skuNum skuId", []))
    told = data.draw(
        st.sampled_from([
            {"orderShipmentDTO": {"orderId": int(ref), "packageInfoList": [package]}},
            {"orderShipmentDTO": {"orderId": ref, "packageInfoList": [{**package, "outboundGoodsFacetDTOList": [goods]}]}},
            {"orderVenderRemarkDTO": {"orderId": ref, **package}}, {"orderShipmentDTO": package}, package,
        ])
    )  # fmt: skip
    body = json.dumps(told)
    stamp = str(int(CLOCK() * 1000))
    signed = {
        "X-JOS-App-Key": jd_tokens.APP_KEY,
        "X-JOS-Access-Token": jd_tokens.TOKEN,
        "X-JOS-Timestamp": stamp,
    }
    sign = jd_signature(signed | {"orderId": ref, "body": "" if body == "{}" else body})
    headers = {name.lower(): value for name, value in signed.items()} | JSON
    headers |= {"x-jos-sign": sign, "x-jos-request-identity": "vender"}
    answer = send(world, verb, f"/jd/rest/sp-order/v0/orders/{ref}{tail}", headers, body.encode())
    assert answer.status in (200, 400, 404)
    assert "success" in json.loads(answer.body)
    check_books(world, "jd-demo")


DOUYIN = (
    "page size order_by order_asc create_time_start create_time_end update_time_start update_time_end combine_status"
    " shop_order_id order_id order_id_list company_code logistics_code request_id pack_list shipped_order_info pack_id"
    " is_refund_reject remark star is_add_star"
)


@given(data=st.data(), method=st.sampled_from([
    "order.searchList", "order.orderDetail", "order.logisticsAdd", "order.logisticsAddMultiPack",
    "order.logisticsAddSinglePack", "order.logisticsEdit", "order.logisticsEditByPack", "order.addOrderRemark",
]))  # fmt: skip
def test_douyin(world: Sandbox, data: st.DataObject, method: str) -> None:
    orders = refs(world, "douyin-demo")
    found = data.draw(filled(DOUYIN, orders, "yuantong", "YT9700000000002", "k1"))
    if data.draw(st.booleans()):
        line = {"shipped_order_id": data.draw(st.sampled_from(orders)), "shipped_num": data.draw(VALUES)}
        found |= {
            "pack_list": [{"shipped_order_info": [line], "logistics_code": "YT9700000000003", "company_code": "yuantong"}],
            "shipped_order_info": [line, line], "order_id_list": [line["shipped_order_id"]] * 2, "request_id": "k2",
            "company_code": "yuantong", "logistics_code": "YT9700000000003",
        }  # fmt: skip
    access = world.store.get(douyin_tokens.PAIR)[0]
    query = {
        "method": method, "app_key": douyin_tokens.APP_KEY, "access_token": access, "v": "2",
        "timestamp": str(int(CLOCK())), "sign_method": "hmac-sha256",
    }  # fmt: skip
    body = json.dumps(found)
    query["sign"] = str(douyin.signature(douyin_tokens.APP_SECRET, query, body))
    url = f"/douyin/{method.replace('.', '/')}?{urlencode(query)}"
    answer = send(world, "POST", url, JSON, body.encode())
    assert answer.status == 200
    assert {"code", "sub_code", "data"} <= set(json.loads(answer.body))
    check_books(world, "douyin-demo")


KUAISHOU = (
    "orderViewStatus queryType beginTime endTime pageSize sort cpsType cursor oid orderId refundId expressNo expressCode"
    " logisticsId note flag mainOrderId deliveryItemInfoList deliveryStatus"
)
KS_VERBS = {"open.order.cursor.list": "GET", "open.order.detail": "GET"}


@given(data=st.data(), method=st.sampled_from([
    "open.order.cursor.list", "open.order.detail", "open.seller.order.goods.deliver", "open.order.goods.split.deliver",
    "open.seller.order.goods.logistics.append", "open.seller.order.logistics.update", "open.seller.order.note.add",
]))  # fmt: skip
def test_kuaishou(world: Sandbox, data: st.DataObject, method: str) -> None:
    oids = [int(ref) for ref in refs(world, "kuaishou-demo")]
    found = data.draw(filled(KUAISHOU, [], "YT9700000000004", "6"))
    for name in ("oid", "orderId", "mainOrderId"):
        if name in found and data.draw(st.booleans()):
            found[name] = data.draw(st.sampled_from(oids))
    if "expressCode" in found and data.draw(st.booleans()):
        found |= {"expressCode": 6, "expressNo": "YT9700000000004"}
    params = {
        "method": method, "appkey": kuaishou_tokens.APP_KEY, "access_token": kuaishou_tokens.ACCESS_TOKEN,
        "version": "1", "timestamp": str(int(CLOCK() * 1000)), "signMethod": "MD5", "param": json.dumps(found),
    }  # fmt: skip
    params["sign"] = str(kuaishou.signature(params, kuaishou_tokens.SIGN_SECRET))
    path, verb = f"/kuaishou/{method.replace('.', '/')}", KS_VERBS.get(method, "POST")
    url = f"{path}?{urlencode(params)}" if verb == "GET" else path
    answer = send(world, verb, url, FORM, b"" if verb == "GET" else urlencode(params).encode())
    assert answer.status == 200
    assert "result" in json.loads(answer.body)
    check_books(world, "kuaishou-demo")


PDD = (
    "start_confirm_at end_confirm_at start_updated_at end_updated_at order_status refund_status page page_size order_sn"
    " order_sns logistics_id tracking_number redelivery_type extra_track_list extra_track_type note tag tag_name"
    " is_lucky_flag use_has_next trade_type"
)
PDD_NAMES = {
    "pdd.logistics.online.send": ("order_sn", "logistics_id", "tracking_number", "redelivery_type"),
    "pdd.order.upload.extra.logistics": ("order_sn", "extra_track_list", "extra_track_type"),
}


@given(data=st.data(), method=st.sampled_from([
    "pdd.order.list.get", "pdd.order.number.list.increment.get", "pdd.order.information.get", "pdd.order.status.get",
    "pdd.order.note.update", "pdd.logistics.online.send", "pdd.order.upload.extra.logistics",
]))  # fmt: skip
def test_pdd(world: Sandbox, data: st.DataObject, method: str) -> None:
    found = data.draw(filled(PDD, [], "85", "YT9700000000005", "2"))
    if method in PDD_NAMES and data.draw(st.booleans()):
        parcel = data.draw(filled("shipping_id tracking_number", [], "85", "YT9700000000006"))
        found = {
            "order_sn": data.draw(st.sampled_from(refs(world, "pdd-demo"))), "logistics_id": 85,
            "tracking_number": "YT9700000000005", "redelivery_type": data.draw(st.sampled_from([1, 2, None])),
            "extra_track_type": 1, "extra_track_list": json.dumps([parcel]),
        }  # fmt: skip
        found = {name: found[name] for name in PDD_NAMES[method]}
    params = {
        **found, "type": method, "client_id": pdd_tokens.CLIENT_ID, "data_type": "JSON",
        "access_token": pdd_tokens.first_token("pdd-demo"), "timestamp": str(int(CLOCK())),
    }  # fmt: skip
    signed = {name: pdd.signed_text(value) for name, value in params.items() if value is not None}
    body = json.dumps({**params, "sign": pdd.signature(signed, pdd_tokens.CLIENT_SECRET)})
    answer = send(world, "POST", "/pdd/api/router", JSON, body.encode())
    assert answer.status == 200
    assert len(json.loads(answer.body)) == 1
    check_books(world, "pdd-demo")


DETAIL = "packageReferenceId carrierCode carrierName shippingMethod trackingNumber shipDate shipFromSupplySourceId orderItems"
QUERY = (
    "createdAfter createdBefore lastUpdatedAfter lastUpdatedBefore marketplaceIds fulfillmentStatuses fulfilledBy"
    " maxResultsPerPage paginationToken includedData CreatedAfter MarketplaceIds OrderStatuses NextToken AmazonOrderIds"
)


@given(data=st.data())
def test_amazon_confirmations(world: Sandbox, data: st.DataObject) -> None:
    ref = data.draw(st.sampled_from(refs(world, "amazon-demo")))
    item = data.draw(filled("orderItemId quantity transparencyCodes", []))
    detail = {
        "packageReferenceId": "1", "carrierCode": "UPS", "trackingNumber": "1Z1", "shipDate": "2026-11-18T00:00:00Z",
        "orderItems": [item], **data.draw(filled(DETAIL, [], "1", "UPS")),
    }  # fmt: skip
    told = data.draw(
        st.sampled_from([{"marketplaceId": "ATVPDKIKX0DER", "packageDetail": detail}, detail, [detail]])
    )
    url = f"/amazon/orders/v0/orders/{ref}/shipmentConfirmation"
    answer = send(world, "POST", url, AMAZON | JSON, json.dumps(told).encode())
    assert answer.status in (204, 400, 404)
    check_books(world, "amazon-demo")


@given(data=st.data(), path=st.sampled_from(["2026-01-01/orders", "v0/orders", "v0/orders/x/orderItems"]))
def test_amazon_queries(world: Sandbox, data: st.DataObject, path: str) -> None:
    query = data.draw(
        st.dictionaries(st.sampled_from(QUERY.split()), WORDS | st.text(max_size=12), max_size=4)
    )
    answer = send(world, "GET", f"/amazon/orders/{path}?{urlencode(query)}", dict(AMAZON), b"")
    assert answer.status in (200, 400, 403, 429)
    assert json.loads(answer.body)


@given(body=VALUES)
def test_amazon_restricted_tokens(world: Sandbox, body: Any) -> None:
    told = json.dumps({"restrictedResources": [body]} if not isinstance(body, list) else body).encode()
    answer = send(world, "POST", "/amazon/tokens/2021-03-01/restrictedDataToken", AMAZON | JSON, told)
    assert answer.status in (201, 400, 403, 429)
