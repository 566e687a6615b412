"""Reading from the Shopify stand-in: real GraphQL with the platform's limits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.shopify.search import to_sql
from tests.sandbox.callers import Clock, Shopify

PAGE = """
query OrderPage($first: Int!, $after: String, $filter: String) {
  orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id legacyResourceId name test createdAt processedAt updatedAt closedAt cancelledAt cancelReason
      displayFinancialStatus displayFulfillmentStatus returnStatus requiresShipping taxesIncluded
      currencyCode presentmentCurrencyCode email phone note tags poNumber sourceName customerLocale
      customAttributes { key value }
      totalPriceSet { ...Bag } currentTotalPriceSet { ...Bag } totalReceivedSet { ...Bag } totalRefundedSet { ...Bag }
      totalShippingPriceSet { ...Bag } totalDiscountsSet { ...Bag } totalTaxSet { ...Bag }
      totalTipReceivedSet { ...Bag } originalTotalDutiesSet { ...Bag } paymentGatewayNames
      shippingAddress { firstName lastName name company address1 address2 city province provinceCode zip country
                        countryCodeV2 phone }
      shippingLine { title code carrierIdentifier }
      transactions(first: 10) { kind status processedAt amountSet { ...Bag } }
      lineItems(first: 30) {
        pageInfo { hasNextPage }
        nodes { id sku title variantTitle quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
                originalUnitPriceSet { ...Bag } discountedTotalSet { ...Bag } customAttributes { key value }
                variant { id barcode } }
      }
      fulfillments(first: 10) { id status createdAt trackingInfo { company number url } }
    }
  }
}
fragment Bag on MoneyBag { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
"""


def pages(shopify: Shopify, first: int = 25, filter: str | None = None) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        found = shopify.data(PAGE, first=first, after=after, filter=filter)["orders"]
        nodes += found["nodes"]
        if not found["pageInfo"]["hasNextPage"]:
            return nodes
        assert len(found["nodes"]) == first
        after = found["pageInfo"]["endCursor"]


def test_the_whole_order_query_pages_through_everything(shopify: Shopify) -> None:
    orders = pages(shopify, first=20)
    assert len(orders) == len({order["id"] for order in orders}) == len(shopify.names())
    moments = [order["updatedAt"] for order in orders]
    assert moments == sorted(moments)


def test_every_awkward_case_is_there(shopify: Shopify) -> None:
    orders = pages(shopify)
    assert {order["displayFinancialStatus"] for order in orders} >= {
        "PAID", "PENDING", "REFUNDED", "PARTIALLY_REFUNDED", "AUTHORIZED",
    }  # fmt: skip
    assert {order["displayFulfillmentStatus"] for order in orders} >= {
        "UNFULFILLED", "FULFILLED", "PARTIALLY_FULFILLED", "ON_HOLD", "SCHEDULED",
    }  # fmt: skip
    assert any(order["test"] for order in orders)
    assert any(order["cancelledAt"] for order in orders)
    assert any(order["shippingAddress"] is None for order in orders)
    assert any(order["lineItems"]["pageInfo"]["hasNextPage"] for order in orders)
    assert any(order["currencyCode"] != order["presentmentCurrencyCode"] for order in orders)
    addresses = [order["shippingAddress"] for order in orders if order["shippingAddress"]]
    assert {address["countryCodeV2"] for address in addresses} == {"US", "DE", "JP", "CN"}
    assert any((order["note"] or "").startswith("=cmd|") for order in orders)
    assert addresses[0] == addresses[1]
    assert any(line["currentQuantity"] < line["quantity"] for o in orders for line in o["lineItems"]["nodes"])


def minor(order: dict[str, Any], name: str) -> Decimal:
    return Decimal(order[name]["shopMoney"]["amount"])


def test_amounts_are_decimal_text_and_add_up(shopify: Shopify) -> None:
    for order in pages(shopify):
        if order["lineItems"]["pageInfo"]["hasNextPage"]:
            continue
        goods = sum(
            Decimal(line["discountedTotalSet"]["shopMoney"]["amount"]) for line in order["lineItems"]["nodes"]
        )
        parts = goods - minor(order, "totalDiscountsSet") + minor(order, "totalShippingPriceSet")
        parts += minor(order, "totalTaxSet") + minor(order, "totalTipReceivedSet")
        if order["originalTotalDutiesSet"]:
            parts += minor(order, "originalTotalDutiesSet")
        assert minor(order, "totalPriceSet") == parts
        assert "." in order["totalPriceSet"]["shopMoney"]["amount"]
        yen = order["totalPriceSet"]["presentmentMoney"]
        assert yen["currencyCode"] != "JPY" or "." not in yen["amount"]


def test_an_order_discount_is_spread_over_the_lines_to_the_last_cent(shopify: Shopify) -> None:
    query = """{ orders(first: 50, sortKey: CREATED_AT) { nodes { discountCodes totalDiscountsSet { ...Bag }
        lineItems(first: 40) { nodes { quantity originalUnitPriceSet { ...Bag } discountedTotalSet { ...Bag }
          discountAllocations { allocatedAmountSet { ...Bag } } product { id } variant { id } } } } } }
        fragment Bag on MoneyBag { shopMoney { amount } }"""
    counts = []
    for order in shopify.data(query)["orders"]["nodes"]:
        lines = order["lineItems"]["nodes"]
        shares = [minor(one, "allocatedAmountSet") for line in lines for one in line["discountAllocations"]]
        assert sum(shares) == minor(order, "totalDiscountsSet")
        assert bool(shares) == bool(order["discountCodes"])
        for line in lines:
            assert minor(line, "discountedTotalSet") == line["quantity"] * minor(line, "originalUnitPriceSet")
            assert line["product"]["id"].startswith("gid://shopify/Product/")
        counts.append(len(shares))
    assert max(counts) > 1


def test_cash_on_delivery_is_pending_at_its_gateway(shopify: Shopify) -> None:
    (order,) = [
        order
        for order in pages(shopify, first=20)
        if "Cash on Delivery (COD)" in order["paymentGatewayNames"]
    ]
    assert order["displayFinancialStatus"] == "PENDING"
    assert minor(order, "totalReceivedSet") == 0
    assert [one["status"] for one in order["transactions"]] == ["PENDING"]


def test_the_rest_of_many_lines_comes_by_inner_cursor(shopify: Shopify) -> None:
    query = """query($id: ID!, $after: String) { order(id: $id) { lineItems(first: 30, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { id } } } }"""
    order = next(order for order in pages(shopify) if order["lineItems"]["pageInfo"]["hasNextPage"])
    first = shopify.data(query, id=order["id"])["order"]["lineItems"]
    rest = shopify.data(query, id=order["id"], after=first["pageInfo"]["endCursor"])["order"]["lineItems"]
    assert not rest["pageInfo"]["hasNextPage"]
    assert len({node["id"] for node in first["nodes"] + rest["nodes"]}) == 35


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ orders(first: 2) { nodes { id nmae } } }", "undefinedField"),
        ("{ orders(first: 2, colour: 1) { nodes { id } } }", None),
        ("{ orders(first: 2) { nodes { id }", None),
        ("{ orders { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 251) { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 0) { nodes { id } } }", "BAD_REQUEST"),
        ("{ orders(first: 2, sortKey: WEATHER) { nodes { id } } }", None),
        ("{ orders(first: 5) { nodes { lineItems { nodes { id } } } } }", "BAD_REQUEST"),
        ("query($n: Int!) { orders(first: $n) { nodes { id } } }", "BAD_REQUEST"),
        ("{ order(id: 5, colour: 1) { id } }", None),
        ("query A { shop { id } } query B { shop { id } }", None),
    ],
)
def test_wrong_queries_are_top_level_errors_with_http_200(
    shopify: Shopify, query: str, code: str | None
) -> None:
    answer = shopify.ask(query)
    assert "data" not in answer or answer["data"] is None
    assert answer["errors"][0]["message"]
    assert code is None or answer["errors"][0]["extensions"]["code"] == code


def test_cursor_belongs_to_its_sort_key(shopify: Shopify) -> None:
    query = "query($k: OrderSortKeys, $a: String) { orders(first: 2, sortKey: $k, after: $a) { pageInfo { endCursor } } }"
    cursor = shopify.data(query, k="UPDATED_AT")["orders"]["pageInfo"]["endCursor"]
    assert shopify.data(query, k="UPDATED_AT", a=cursor)["orders"]["pageInfo"]["endCursor"] != cursor
    for key, text in (("CREATED_AT", cursor), ("UPDATED_AT", "nonsense")):
        assert "Invalid cursor" in shopify.ask(query, k=key, a=text)["errors"][0]["message"]


def test_backwards_and_reversed_pages(shopify: Shopify) -> None:
    query = """query($l: Int, $f: Int, $r: Boolean, $b: String) { orders(last: $l, first: $f, reverse: $r, before: $b,
        sortKey: CREATED_AT) { nodes { name } pageInfo { hasPreviousPage startCursor } } }"""
    names = shopify.names()
    last = shopify.data(query, l=3)["orders"]
    assert [node["name"] for node in last["nodes"]] == names[-3:]
    assert last["pageInfo"]["hasPreviousPage"]
    before = shopify.data(query, l=2, b=last["pageInfo"]["startCursor"])["orders"]
    assert [node["name"] for node in before["nodes"]] == names[-5:-3]
    assert [node["name"] for node in shopify.data(query, f=2, r=True)["orders"]["nodes"]] == names[:-3:-1]


def test_version_is_told_and_expired_ones_fall_forward(shopify: Shopify) -> None:
    for asked, served in (("2026-10", "2026-10"), ("2025-01", "2025-10"), ("unstable", "unstable")):
        shopify.version = asked
        assert shopify.post("{ shop { id } }").headers["X-Shopify-API-Version"] == served
    for asked in ("2031-01", "2026-11", "latest"):
        shopify.version = asked
        assert shopify.post("{ shop { id } }").status_code == 404


def test_token_is_checked(shopify: Shopify) -> None:
    shopify.token = "shpat_wrong"
    answer = shopify.post("{ shop { id } }")
    assert answer.status_code == 401
    assert isinstance(answer.json()["errors"], str)


def test_client_credentials_last_a_day_in_their_shop(
    shopify: Shopify, clock: Clock, sandbox: Sandbox
) -> None:
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "wrong"}
    where = f"{shopify.url}/admin/oauth/access_token"
    assert shopify.http.post(where, data=form).status_code == 401
    form["client_secret"] = "sandbox-client-secret"
    assert shopify.http.post(where, data=form | {"grant_type": "password"}).status_code == 400
    answer = shopify.http.post(where, data=form).json()
    assert answer["expires_in"] == 86_399
    shopify.token = answer["access_token"]
    assert shopify.post("{ shop { id } }").status_code == 200
    other = Shopify(shopify.url.replace("sf-demo", "sf-cny"), shopify.http, token=shopify.token)
    assert other.post("{ shop { id } }").status_code == 401
    clock.at += 86_400
    assert shopify.post("{ shop { id } }").status_code == 401
    shopify.token = shopify.http.post(where, json=form).json()["access_token"]
    assert shopify.post("{ shop { id } }").status_code == 200
    sandbox.expire_tokens()
    assert shopify.post("{ shop { id } }").status_code == 401


def test_shops_differ(shopify: Shopify) -> None:
    query = "{ shop { id name myshopifyDomain currencyCode ianaTimezone } }"
    other = Shopify(shopify.url.replace("sf-demo", "sf-cny"), shopify.http)
    one, two = shopify.data(query)["shop"], other.data(query)["shop"]
    assert (one["currencyCode"], one["ianaTimezone"]) == ("USD", "America/New_York")
    assert (two["currencyCode"], two["myshopifyDomain"]) == ("CNY", "sf-cny.myshopify.com")
    assert one["id"] != two["id"]
    assert "要顺丰" in {order["note"] for order in pages(other)}
    assert Shopify(shopify.url + "x", shopify.http).post(query).status_code == 404


def test_a_query_over_a_thousand_points_is_refused(shopify: Shopify) -> None:
    error = shopify.ask(PAGE, first=100)["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] > error["extensions"]["maxCost"] == 1000


def test_the_bucket_empties_and_fills(shopify: Shopify, clock: Clock) -> None:
    cost = shopify.ask(PAGE, first=25)["extensions"]["cost"]
    assert 0 < cost["actualQueryCost"] < cost["requestedQueryCost"] <= 1000
    assert cost["throttleStatus"]["maximumAvailable"] == 2000
    assert cost["throttleStatus"]["currentlyAvailable"] == 2000 - cost["actualQueryCost"]
    for _ in range(20):
        answer = shopify.ask(PAGE, first=25)
        if "errors" in answer:
            break
    assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
    cost = answer["extensions"]["cost"]
    assert cost["actualQueryCost"] is None
    status = cost["throttleStatus"]
    clock.at += (cost["requestedQueryCost"] - status["currentlyAvailable"]) / status["restoreRate"]
    assert "errors" not in shopify.ask(PAGE, first=25)


def test_filters(shopify: Shopify) -> None:
    everything = shopify.names()
    assert set(shopify.names("status:cancelled")) | set(shopify.names("status:open")) == set(everything)
    assert shopify.names("name:#1003") == shopify.names("name:1003") == ["#1003"]
    assert shopify.names("name:#1003 OR name:#1001") == ["#1001", "#1003"]
    assert set(shopify.names("-name:#1003")) == set(everything) - {"#1003"}
    assert set(shopify.names("NOT (name:#1003 OR name:#1001)")) == set(everything) - {"#1003", "#1001"}
    assert set(shopify.names("financial_status:pending,refunded")) < set(everything)
    assert shopify.names("name:#1003 AND name:#1001") == []
    assert shopify.names("fulfillment_status:shipped test:false")
    number = shopify.data("{ orders(first: 1, sortKey: CREATED_AT) { nodes { legacyResourceId } } }")
    assert shopify.names(f"id:{number['orders']['nodes'][0]['legacyResourceId']}") == ["#1001"]


def test_time_filters_need_quotes(shopify: Shopify) -> None:
    orders = pages(shopify)
    moment = orders[5]["updatedAt"]
    later = {order["name"] for order in orders if order["updatedAt"] > moment}
    assert set(shopify.names(f"updated_at:>'{moment}'")) == later
    assert set(shopify.names(f'updated_at:<="{moment}"')) == {order["name"] for order in orders} - later
    assert set(shopify.names(f"updated_at:>{moment}")) == {order["name"] for order in orders}
    offset = "2026-11-18T08:00:00+08:00"
    assert (
        to_sql(f"updated_at:>='{offset}'", "UTC")[1]
        == to_sql("updated_at:>='2026-11-18T00:00:00Z'", "UTC")[1]
    )


def test_misspelt_filters_return_everything_with_a_warning(shopify: Shopify) -> None:
    for filter in ("updatedat:>'2026-01-01'", "financial_status:payed", "fulfilment_status:unfulfilled"):
        query = "query($f: String) { orders(first: 250, query: $f, sortKey: CREATED_AT) { nodes { name } } }"
        answer = shopify.ask(query, f=filter)
        assert len(answer["data"]["orders"]["nodes"]) == len(shopify.names())
        assert answer["extensions"]["search"][0]["warnings"]


def test_counts(shopify: Shopify) -> None:
    query = "query($f: String, $l: Int) { ordersCount(query: $f, limit: $l) { count precision } }"
    total = len(shopify.names())
    assert shopify.data(query)["ordersCount"] == {"count": total, "precision": "EXACT"}
    assert shopify.data(query, l=3)["ordersCount"] == {"count": 3, "precision": "AT_LEAST"}
    cancelled = shopify.data(query, f="status:cancelled")["ordersCount"]["count"]
    assert cancelled == len(shopify.names("status:cancelled")) > 0


def test_nodes_by_id(shopify: Shopify) -> None:
    ids = [order["id"] for order in pages(shopify)][:2]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Order { name } } }"
    found = shopify.data(query, ids=[*ids, "gid://shopify/Order/1"])["nodes"]
    assert [node and node["id"] for node in found] == [*ids, None]
    assert shopify.data("query($i: ID!) { order(id: $i) { id } }", i="gid://shopify/Order/1")["order"] is None
    assert (
        shopify.data("query($i: ID!) { order(id: $i) { id } }", i="gid://shopify/Product/1")["order"] is None
    )
    assert "errors" in shopify.ask("query($i: ID!) { node(id: $i) { id } }", i="5900")


def test_without_the_scope_fulfilment_orders_are_missing_in_silence(
    shopify: Shopify, sandbox: Sandbox
) -> None:
    query = (
        "{ orders(first: 1, sortKey: CREATED_AT) { nodes { fulfillmentOrders(first: 5) { nodes { id } } } } }"
    )
    assert shopify.data(query)["orders"]["nodes"][0]["fulfillmentOrders"]["nodes"]
    sandbox.control({"access": {"shop": "sf-demo", "scopes": ["read_orders"]}})
    assert not shopify.data(query)["orders"]["nodes"][0]["fulfillmentOrders"]["nodes"]
    sandbox.control({"access": {"shop": "sf-demo", "scopes": []}})
    assert shopify.ask(query)["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_without_approval_customer_data_is_null_beside_good_data(shopify: Shopify, sandbox: Sandbox) -> None:
    sandbox.control({"access": {"shop": "sf-demo", "customer_data": False}})
    answer = shopify.ask(
        "{ orders(first: 1, sortKey: CREATED_AT) { nodes { email shippingAddress { name city } } } }"
    )
    node = answer["data"]["orders"]["nodes"][0]
    assert node["email"] is None
    assert node["shippingAddress"]["name"] is None
    assert node["shippingAddress"]["city"]
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"ACCESS_DENIED"}


def test_bodies_that_are_no_query(shopify: Shopify) -> None:
    where = f"{shopify.url}/admin/api/2026-10/graphql.json"
    header = {"X-Shopify-Access-Token": shopify.token}

    def status(**body: Any) -> int:
        return httpx.Client.post(
            shopify.http, where, headers=header | body.pop("headers", {}), **body
        ).status_code

    assert status(content=b"{", headers={"Content-Type": "application/json"}) == 400
    assert status(content=json.dumps({"no": 1}), headers={"Content-Type": "application/json"}) == 400
    assert status(json=["x"]) == 400
    assert status(data={"query": "{ shop { id } }"}) == 406
    assert shopify.http.get(where, headers=header).status_code == 404
