"""Shopify: meaning of answers, complete reading, costs, shipping once through fulfilment orders."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.port import Page, Platform, RawRow, ShipLine, ShipRequest, Shop, shift
from orderctl.ports.platforms.shopify.client import Shopify
from orderctl.ports.platforms.shopify.meaning import classify, field_path, throttle_s, withheld
from orderctl.ports.platforms.shopify.orders import instant_of
from tests.ports.http.rehearsal import NOW, TokensInMemory, http_over, world

COST = {
    "requestedQueryCost": 752,
    "throttleStatus": {"maximumAvailable": 2000.0, "currentlyAvailable": 166, "restoreRate": 100.0},
}


def errors(*codes: str, data: Any = None, **extensions: Any) -> bytes:
    listed = [
        {"message": "Words for people", "path": ["orders", 0, "email"], "extensions": {"code": c}}
        for c in codes
    ]
    answer: dict[str, Any] = {"errors": listed, "extensions": extensions}
    return json.dumps(answer | ({"data": data} if data is not None else {})).encode()


MEANINGS: list[tuple[int, bytes, type[PortError] | None, str]] = [
    (200, b'{"data":{"shop":{}}}', None, ""),
    (200, errors("THROTTLED", cost=COST), Temporary, "throttled"),
    (200, errors("MAX_COST_EXCEEDED"), Refused, "max_cost"),
    (200, errors("INTERNAL_SERVER_ERROR"), OutcomeUnknown, "platform"),
    (200, errors("TIMEOUT", data={"orders": None}), OutcomeUnknown, "platform"),
    (200, errors("ACCESS_DENIED"), Unauthorized, "permission"),
    (200, errors("ACCESS_DENIED", data={"orders": None}), Unauthorized, "permission"),
    (200, errors("ACCESS_DENIED", data={"orders": {"nodes": []}}), None, ""),
    (200, errors("ACCESS_DENIED", "INTERNAL_SERVER_ERROR", data={"orders": {}}), OutcomeUnknown, "platform"),
    (200, errors("undefinedField"), Refused, "undefinedField"),
    (200, errors("13800000001 样例"), Refused, "errors"),
    (200, b'{"errors":"a string"}', Refused, "errors"),
    (200, b'{"errors":{"query":"an object"}}', Refused, "errors"),
    (200, b'{"data":null}', OutcomeUnknown, "unreadable"),
    (200, b'{"data":', OutcomeUnknown, "unreadable"),
    (401, b'{"errors":"[API] Invalid API key or access token"}', Unauthorized, "http_401"),
    (402, b"{}", Refused, "http_402"),
    (404, b"{}", Refused, "http_404"),
    (423, b"{}", Refused, "http_423"),
    (429, b"{}", Temporary, "http_429"),
    (430, b"{}", Temporary, "http_430"),
    (500, b"{}", OutcomeUnknown, "http_500"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(status: int, body: bytes, kind: type[PortError] | None, code: str) -> None:
    found = classify(status, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert (found.code if found else "") == code
    assert "13800000001" not in (found.render() + found.render("zh") if found else "")


def test_the_wait_is_what_the_bucket_lacks() -> None:
    assert throttle_s({"extensions": {"cost": COST}}) == pytest.approx((752 - 166) / 100)
    found = classify(200, {}, errors("THROTTLED", cost=COST), operation="op")
    assert found is not None
    assert found.retry_after_s == pytest.approx(5.86)
    assert throttle_s({}) == throttle_s({"extensions": {"cost": {"requestedQueryCost": 1}}}) == 0


def test_only_names_of_fields_are_told() -> None:
    assert field_path(["orders", 0, "nodes", "13800000001", "样例", "email"]) == "orders.nodes.email"
    assert withheld({"errors": [{"path": ["a", "b"]}, {"path": ["a", 3, "b"]}, {}]}) == "a.b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T15:10:31Z", "2026-11-20T15:10:31Z"),
        ("2026-11-20T10:10:31.5-05:00", "2026-11-20T15:10:31Z"),
        ("2026-11-20T15:10:31", None),
        (None, None),
    ],
)
def test_times(text: object, expected: str | None) -> None:
    assert instant_of(text) == expected


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


@pytest.mark.parametrize("name", ["sf-demo", "sf-cny"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_order_arrives_under_faults(tmp_path: Path, name: str, seed: int) -> None:
    with world(tmp_path, orders=90) as rehearsal:
        shop = rehearsal.shop(name)
        calm = {row["platform_ref"]: row["payload"] for row in rows(shop.fetch(now=rehearsal.http.instant()))}
        assert set(calm) == rehearsal.refs(name)
        rehearsal.faults(seed, 0.25)
        pages = list(shop.fetch(now=rehearsal.http.instant()))
        assert {row["platform_ref"]: row["payload"] for row in rows(pages)} == calm
        assert all(page.certificate.complete for page in pages if page.certificate)


def test_long_orders_lose_no_line(tmp_path: Path) -> None:
    with world(tmp_path, orders=90) as rehearsal:
        for row in rows(rehearsal.shop("sf-demo").fetch(now=NOW)):
            (order,) = rehearsal.sandbox.store.select("ref = ?", [row["platform_ref"]], "")
            got = payload(row)["lineItems"]
            assert [line["id"] for line in got["nodes"]] == [line["id"] for line in order.body["lineItems"]]
            assert got["pageInfo"]["hasNextPage"] is False


def test_a_query_that_is_too_dear_is_asked_in_smaller_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderctl.ports.platforms.shopify.orders.PAGE_SIZE", 240)
    monkeypatch.setattr("orderctl.ports.platforms.shopify.orders.LINES", 250)
    with world(tmp_path, orders=90) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        refs = rehearsal.refs("sf-demo")
        assert {row["platform_ref"] for row in rows(shop.fetch(now=NOW))} == refs
        assert {row["platform_ref"] for row in rows(shop.fetch_orders(sorted(refs), now=NOW))} == refs


def test_a_small_bucket_is_waited_for(tmp_path: Path) -> None:
    with world(tmp_path, orders=90) as rehearsal:
        rehearsal.sandbox.control({"bucket": {"shop": "sf-demo", "maximum": 1000, "restore_rate": 50}})
        shop = rehearsal.shop("sf-demo", history_days="4")
        assert {row["platform_ref"] for row in rows(shop.fetch(now=NOW))} == rehearsal.refs("sf-demo")
        assert rehearsal.clock.at > 1


def test_a_fetch_goes_on_from_its_cursor(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        shop = rehearsal.shop("sf-cny")
        cursor = [page.cursor for page in shop.fetch(now=rehearsal.http.instant()) if page.cursor][-1]
        rehearsal.clock.at += 3600
        made = rehearsal.sandbox.add_orders(3, shop="sf-cny")
        rehearsal.clock.at += 600
        pages = list(shop.fetch(now=rehearsal.http.instant(), cursor=cursor))
        assert {row["platform_ref"] for row in rows(pages)} == {order.ref for order in made}
        created = rows(shop.fetch(now=rehearsal.http.instant(), by="created"))
        assert {row["platform_ref"] for row in created} == rehearsal.refs("sf-cny")


def test_orders_by_number(tmp_path: Path) -> None:
    with world(tmp_path, orders=90) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        refs = sorted(rehearsal.refs("sf-demo"))
        pages = list(shop.fetch_orders([*refs[:5], "99", *refs[5:]], now=NOW))
        assert sorted(row["platform_ref"] or "" for row in rows(pages)) == refs
        assert [ref for page in pages for ref in page.missing] == ["99"]


def test_withheld_customer_data_is_named_not_fatal(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        rehearsal.sandbox.control({"access": {"shop": "sf-demo", "customer_data": False}})
        pages = list(rehearsal.shop("sf-demo").fetch(now=NOW))
        assert len(rows(pages)) == len(rehearsal.refs("sf-demo"))
        (text,) = {str(w) for page in pages for w in page.warnings}
        assert "shippingAddress.address1" in text


def test_a_missing_scope_is_named(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        rehearsal.sandbox.control({"access": {"shop": "sf-demo", "scopes": []}})
        with pytest.raises(Unauthorized) as caught:
            list(rehearsal.shop("sf-demo").fetch(now=NOW))
        assert caught.value.code == "permission"


def test_another_version_is_told_once(tmp_path: Path) -> None:
    with world(tmp_path, orders=40) as rehearsal:
        pages = list(rehearsal.shop("sf-demo", api_version="2024-10").fetch(now=NOW, since=shift(NOW, -3600)))
        (text,) = {str(w) for page in pages for w in page.warnings}
        assert "2025-10 instead of 2024-10" in text


def over(handler: Any, **settings: str) -> Shopify:
    http, _ = http_over(handler)
    known = {"domain": "sample.myshopify.com", "token": "shpat_x"} | settings
    return Shopify(Shop("s", "shopify", None, known), http, TokensInMemory())


def test_a_filter_that_is_not_obeyed_is_noticed() -> None:
    order = {"id": "gid://shopify/Order/1", "legacyResourceId": "1", "updatedAt": "2020-01-01T00:00:00Z"}
    order |= {"lineItems": {"nodes": [], "pageInfo": {"hasNextPage": False}}}
    page = {"orders": {"nodes": [order], "pageInfo": {"hasNextPage": False}}, "ordersCount": {"count": 1}}
    with pytest.raises(Refused) as caught:
        list(over(lambda _: httpx.Response(200, json={"data": page})).fetch(now=NOW))
    assert caught.value.code == "filter_ignored"


@pytest.mark.parametrize(
    "data",
    [{}, {"orders": None}, {"orders": {"nodes": [], "pageInfo": 3}}, {"orders": {"nodes": {}, "pageInfo": {}}},
     {"orders": {"nodes": [{"id": 5}], "pageInfo": {"hasNextPage": False}}}],
)  # fmt: skip
def test_an_answer_of_another_form_is_no_crash(data: object) -> None:
    with pytest.raises(Temporary) as caught:
        list(over(lambda _: httpx.Response(200, json={"data": data})).fetch(now=NOW))
    assert caught.value.code == "unreadable"


def test_numbers_and_order_of_fields_are_kept() -> None:
    text = (
        '{"id":"gid://shopify/Order/1","legacyResourceId":"1","updatedAt":"2026-11-18T11:00:00Z","odd":25.10,'
        '"big":90071992547409931,"lineItems":{"nodes":[],"pageInfo":{"hasNextPage":false}}}'
    )

    def handler(request: httpx.Request) -> httpx.Response:
        if b"OrderCount" in request.content:
            return httpx.Response(200, json={"data": {"ordersCount": {"count": 1, "precision": "EXACT"}}})
        page = '{"data":{"orders":{"nodes":[' + text + '],"pageInfo":{"hasNextPage":false}}}}'
        return httpx.Response(200, content=page.encode())

    (row,) = rows(over(handler).fetch(now=NOW, since=shift(NOW, -3600)))
    assert row["payload"] == text


def test_tokens_are_made_kept_and_made_anew(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        shop.identify()
        first = dict(rehearsal.tokens["sf-demo"])
        shop.identify()
        assert rehearsal.tokens["sf-demo"] == first
        rehearsal.clock.at += 86_400
        shop.identify()
        second = dict(rehearsal.tokens["sf-demo"])
        assert second["access_token"] != first["access_token"]
        rehearsal.sandbox.expire_tokens()
        shop.identify()
        assert rehearsal.tokens["sf-demo"]["access_token"] != second["access_token"]
        with pytest.raises(Unauthorized):
            rehearsal.shop("sf-demo", client_secret="wrong", client_id="wrong").refresh()


def test_a_wrong_fixed_token_is_unauthorized(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        with pytest.raises(Unauthorized):
            rehearsal.shop("sf-demo", token="shpat_wrong").identify()
        with pytest.raises(Unauthorized):
            rehearsal.shop("sf-demo", token="shpat_wrong").refresh()


def test_no_credentials_at_all() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(ConfigError):
        Shopify(Shop("s", "shopify", None, {"domain": "a.myshopify.com"}), http, TokensInMemory())


def requests_of(records: Iterable[RawRow]) -> list[ShipRequest]:
    found = []
    for n, row in enumerate(records):
        lines = tuple(
            ShipLine(line["id"], line["unfulfilledQuantity"], line["unfulfilledQuantity"])
            for line in payload(row)["lineItems"]["nodes"]
            if line["unfulfilledQuantity"]
        )
        found.append(ShipRequest(str(row["platform_ref"]), lines, f"7310{n:010d}", "ZTO", whole=True))
    return found


def ship_through(shop: Platform, request: ShipRequest) -> Mapping[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(30):
        try:
            return shop.ship(request)
        except Temporary as failure:
            if failure.code == "not_ready":
                raise
        except OutcomeUnknown:
            try:
                found = shop.lookup_ship(request)
            except Temporary:
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")


@pytest.mark.parametrize("seed", range(1, 5))
def test_every_line_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=60, late_s=86_400) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        requests = requests_of(rows(shop.fetch(now=NOW)))
        before = len(rehearsal.sandbox.books("ship"))
        rehearsal.faults(seed, 0.6)
        told, why = [], set()
        for request in requests:
            try:
                told.append((request, ship_through(shop, request)))
            except (Refused, Temporary) as failure:
                why.add(failure.code)
        rehearsal.sandbox.set_faults(None)
        assert before == 0
        assert why == {"not_shippable", "held", "not_ready", "shipped_elsewhere"}
        for request, result in told:
            shipped: dict[str, int] = {}
            for entry in rehearsal.shipped(request.order_ref):
                assert entry["number"] == request.number
                for line in entry["detail"]["lines"]:
                    assert line["line"] not in shipped
                    shipped[line["line"]] = line["quantity"]
            assert shipped == {line.line_ref: line.quantity for line in request.lines}
            assert shop.ship(request) == shop.lookup_ship(request) == result
            again = ShipRequest(request.order_ref, request.lines, "73999999999999", "ZTO", whole=True)
            assert shop.lookup_ship(again) is None
            with pytest.raises(Refused) as caught:
                shop.ship(again)
            assert caught.value.code == "shipped_elsewhere"
        assert len(told) > 10


def test_two_locations_are_two_calls_and_half_a_success_is_finished(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        case = next(
            order
            for order in rehearsal.sandbox.store.select("shop = ?", ["sf-demo"], "")
            if len(order.body["fulfillmentOrders"]) == 2
        )
        (request,) = requests_of(rows(shop.fetch_orders([case.ref], now=NOW)))
        rehearsal.sandbox.set_faults([["shopify:fulfillmentCreate", 2, "5xx"]])
        with pytest.raises(OutcomeUnknown):
            shop.ship(request)
        assert len(rehearsal.shipped(case.ref)) == 1
        assert shop.lookup_ship(request) is None
        result = shop.ship(request)
        assert len(rehearsal.shipped(case.ref)) == 2
        assert (result["dispatch"] or "").count(",") == 1


def test_lines_of_a_file_are_not_told_to_the_platform(tmp_path: Path) -> None:
    with world(tmp_path, orders=20) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        request = requests_of(rows(shop.fetch(now=NOW)))[0]
        lines = tuple(ShipLine(f"SKU-{n} Mug", one.quantity, one.of) for n, one in enumerate(request.lines))
        with pytest.raises(Refused) as caught:
            shop.ship(ShipRequest(request.order_ref, lines, request.number, request.courier, whole=True))
        assert caught.value.code == "lines_of_file"
        assert not rehearsal.sandbox.books("ship")


def test_part_of_a_line_can_be_shipped(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("sf-cny")
        whole = next(
            r
            for r in requests_of(rows(shop.fetch(now=NOW)))
            if len(r.lines) == 1 and r.lines[0].quantity == 3
        )
        line = whole.lines[0].line_ref
        first = ShipRequest(whole.order_ref, (ShipLine(line, 2, 3),), "73100000000001", "SF", whole=False)
        rest = ShipRequest(whole.order_ref, (ShipLine(line, 1, 1),), "73100000000002", "SF", whole=True)
        shop.ship(first)
        assert shop.lookup_ship(rest) is None
        shop.ship(rest)
        entries = rehearsal.shipped(whole.order_ref)
        assert [(e["number"], e["detail"]["lines"][0]["quantity"]) for e in entries] == [
            ("73100000000001", 2),
            ("73100000000002", 1),
        ]
        assert {e["detail"]["company"] for e in entries} == {"SF Express"}


@pytest.mark.parametrize(("setting", "notified"), [("", False), ("true", True)])
def test_the_buyer_hears_only_when_asked_for(tmp_path: Path, setting: str, notified: bool) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("sf-cny", notify_customer=setting)
        request = requests_of(rows(shop.fetch(now=NOW)))[0]
        shop.ship(request)
        assert [entry["detail"]["notified"] for entry in rehearsal.shipped(request.order_ref)] == [notified]


def test_a_refusal_names_fields_not_words() -> None:
    secret = "样例收件人 13800000001"

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if body["operationName"] == "Ship":
            refused = {
                "fulfillment": None,
                "userErrors": [{"field": ["fulfillment", "trackingInfo", secret], "message": secret}],
            }
            return httpx.Response(200, json={"data": {"fulfillmentCreate": refused}})
        if body["operationName"] == "Shipped":
            return httpx.Response(200, json={"data": {"order": {"cancelledAt": None, "fulfillments": []}}})
        item = {"id": "i", "remainingQuantity": 1, "lineItem": {"id": "gid://shopify/LineItem/7"}}
        part = {
            "id": "f", "status": "OPEN", "requestStatus": "UNSUBMITTED", "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
            "lineItems": {"nodes": [item], "pageInfo": {"hasNextPage": False}},
        }  # fmt: skip
        orders = {"nodes": [part], "pageInfo": {"hasNextPage": False}}
        return httpx.Response(200, json={"data": {"order": {"fulfillmentOrders": orders}}})

    with pytest.raises(Refused) as caught:
        over(handler).ship(ShipRequest("1", (ShipLine("7", 1, 1),), "N1", "SF", whole=True))
    assert caught.value.code == "bad_number"
    assert "fulfillment.trackingInfo" in str(caught.value)
    assert "13800000001" not in caught.value.render("zh")


def page(nodes: list[Any], after: str | None = None) -> dict[str, Any]:
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def test_long_orders_are_shipped_whole_whatever_the_page_size() -> None:
    """Fulfilment orders on two pages, their lines on two, what was shipped on two; a withdrawn dispatch is none."""
    sent: list[dict[str, Any]] = []

    def item(n: int) -> dict[str, Any]:
        return {"id": f"i{n}", "remainingQuantity": 1, "lineItem": {"id": f"gid://shopify/LineItem/{n}"}}

    def part(name: str, nodes: list[Any], after: str | None) -> dict[str, Any]:
        actions = [{"action": "CREATE_FULFILLMENT"}]
        place = {"name": "one", "location": {"id": "L"}}
        return {"id": name, "status": "OPEN", "supportedActions": actions, "assignedLocation": place,
                "lineItems": page(nodes, after)}  # fmt: skip

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        after = body["variables"].get("after")
        tracking = [{"number": "N1"}]
        if body["operationName"] == "Ship":
            sent.append(body["variables"]["fulfillment"])
        line = {"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/" + ("2" if after else "1")}}
        last, first = page([part("f2", [item(6)], None)]), page([part("f1", [item(3), item(4)], "y")], "z")
        answers: dict[str, Any] = {
            "Shipped": {"order": {"fulfillments": [
                {"id": "gid://shopify/Fulfillment/8", "status": "SUCCESS", "trackingInfo": tracking},
                {"id": "gid://shopify/Fulfillment/9", "status": "CANCELLED", "trackingInfo": tracking},
            ]}},
            "ShippedLines": {"fulfillment": {"fulfillmentLineItems": page([line], None if after else "x")}},
            "ToShip": {"order": {"fulfillmentOrders": last if after else first}},
            "ToShipLines": {"fulfillmentOrder": {"lineItems": page([item(5)])}},
            "Ship": {"fulfillmentCreate": {"fulfillment": {"id": "gid://shopify/Fulfillment/10"}, "userErrors": []}},
        }  # fmt: skip
        return httpx.Response(200, json={"data": answers[body["operationName"]]})

    lines = tuple(ShipLine(str(n), 1, 1) for n in range(1, 7))
    url = "https://t.example.com/N1"
    result = over(handler).ship(ShipRequest("1", lines, "N1", "SF", whole=True, tracking_url=url))
    assert result == {"state": "shipped", "number": "N1", "dispatch": "10,8"}
    (call,) = sent
    assert call["trackingInfo"] == {"number": "N1", "company": "SF Express", "url": url}
    told = {
        entry["fulfillmentOrderId"]: [item["id"] for item in entry["fulfillmentOrderLineItems"]]
        for entry in call["lineItemsByFulfillmentOrder"]
    }
    assert told == {"f1": ["i3", "i4", "i5"], "f2": ["i6"]}


def test_an_order_nobody_knows() -> None:
    shop = over(lambda _: httpx.Response(200, json={"data": {"order": None}}))
    with pytest.raises(Refused) as caught:
        shop.ship(ShipRequest("1", (ShipLine("1", 1, 1),), "N1", "SF", whole=True))
    assert caught.value.code == "order_not_found"


def test_this_platform_has_no_login_page() -> None:
    shop = over(lambda _: pytest.fail("sent"))
    with pytest.raises(Refused):
        shop.login_url("s", "r")
    with pytest.raises(Refused):
        shop.exchange("c", "r")
    assert shop.same_recipient([]) == {}


def test_a_corrected_number_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        request = next(r for r in requests_of(rows(shop.fetch(now=NOW))) if is_told(shop, r))
        right = replace(request, number="RIGHT1")
        assert shop.lookup_amend(right, request.number) is None
        rehearsal.sandbox.set_faults([["shopify:fulfillmentTrackingInfoUpdate", 1, "after_cut"]])
        with pytest.raises(OutcomeUnknown):
            shop.amend(right, request.number)
        found = shop.lookup_amend(right, request.number)
        assert found == shop.amend(right, request.number)
        assert (found["state"], found["number"]) == ("corrected", "RIGHT1")
        assert [entry["number"] for entry in rehearsal.sandbox.books("amend")] == ["RIGHT1"]
        with pytest.raises(Refused) as caught:
            shop.amend(replace(request, number="OTHER"), "NEVER")
        assert caught.value.code == "shipped_elsewhere"


def is_told(shop: Platform, request: ShipRequest) -> bool:
    try:
        return bool(shop.ship(request))
    except (Refused, Temporary):
        return False


def test_several_parcels_are_told_with_all_their_numbers(tmp_path: Path) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop("sf-demo")
        requests = [replace(r, more=("N2", "N3")) for r in requests_of(rows(shop.fetch(now=NOW)))]
        request = next(r for r in requests if is_told(shop, r))
        assert shop.lookup_ship(request) is not None
        (entry,) = rehearsal.shipped(request.order_ref)
        assert entry["request"]["trackingInfo"]["numbers"] == [request.number, "N2", "N3"]


def test_a_shop_tells_what_it_has_not_granted(tmp_path: Path) -> None:
    with world(tmp_path, orders=10) as rehearsal:
        standing = rehearsal.shop("sf-demo").standing()
        assert standing.missing == ()
        assert standing.left["graphql"] > 0
        assert standing.expires_at is not None
        rehearsal.sandbox.control({"access": {"shop": "sf-demo", "scopes": ["read_orders"]}})
        (missing,) = rehearsal.shop("sf-demo").standing().missing
        assert missing.startswith("write_merchant_managed_fulfillment_orders")
        assert rehearsal.shop("sf-cny").standing().expires_at is None
