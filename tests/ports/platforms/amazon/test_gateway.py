"""Amazon: logging in, restricted tokens, rates, and what answers mean."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports.platforms.amazon.marketplaces import MARKETPLACES, parse_marketplaces
from orderctl.ports.platforms.amazon.meaning import classify, classify_login
from orderctl.ports.platforms.port import shift
from tests.ports.http.clock import NOW
from tests.ports.platforms.amazon.rehearsal import SECRET, SETTINGS, Network, refused, token

ORDER = "114-3320985-7710264"


def found(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("/restrictedDataToken"):
        return httpx.Response(200, json={"restrictedDataToken": "Atz.sprdt|" + SECRET, "expiresIn": 3600})
    if "/orders/v0/" in request.url.path:
        inner = {"OrderItems": []} if request.url.path.endswith("orderItems") else {"AmazonOrderId": ORDER}
        return httpx.Response(200, json={"payload": inner})
    return httpx.Response(200, json={"orderId": ORDER, "orderItems": []})


def read(network: Network) -> list[Any]:
    return [row for page in network.client.fetch_orders([ORDER], now=NOW) for row in page.records]


def errors(code: str, message: str = "", details: str = "") -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "details": details}]}).encode()


MEANINGS: list[tuple[int, bytes, type[PortError] | None, str]] = [
    (200, b'{"orders":[]}', None, ""),
    (204, b"", None, ""),
    (200, b'["a list"]', OutcomeUnknown, "unreadable"),
    (200, b"<html>", OutcomeUnknown, "unreadable"),
    (400, errors("InvalidInput", "13800000001"), Refused, "InvalidInput"),
    (400, errors("InvalidInput", "Invalid trackingNumber 13800000001"), Refused, "bad_number"),
    (400, errors("InvalidInput", "The carrierCode is wrong"), Refused, "courier_unknown"),
    (400, errors("InvalidInput", "PackageToUpdateNotFound: 1"), Refused, "PackageToUpdateNotFound"),
    (400, errors("InvalidInput", "", "packageDetail.trackingNumber"), Refused, "bad_number"),
    (400, b"{}", Refused, "http_400"),
    (401, errors("Unauthorized"), Unauthorized, "http_401"),
    (403, errors("Unauthorized", "Access to requested resource is denied."), Unauthorized, "http_403"),
    (404, errors("NotFound"), Refused, "not_found"),
    (404, b"<html>", Refused, "http_404"),
    (413, errors("样例 13800000001"), Refused, "errors"),
    (429, errors("QuotaExceeded"), Temporary, "throttled"),
    (500, errors("InternalFailure"), OutcomeUnknown, "http_500"),
    (503, b"", OutcomeUnknown, "http_503"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), MEANINGS)
def test_meaning_of_an_answer(status: int, body: bytes, kind: type[PortError] | None, code: str) -> None:
    failure = classify(status, {}, body, operation="op")
    assert (type(failure) if failure else None) is kind
    assert (failure.code if failure else "") == code
    assert "13800000001" not in (failure.render() + failure.render("zh") if failure else "")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b'{"access_token":"x"}', None, ""),
        (401, b'{"error":"invalid_client","error_description":"no"}', Unauthorized, "invalid_client"),
        (400, b'{"error":"invalid_grant"}', Unauthorized, "invalid_grant"),
        (400, b'{"error":"unsupported_grant_type"}', Unauthorized, "unsupported_grant_type"),
        (400, b'{"error":"13800000001"}', Refused, "http_400"),
        (429, b"{}", Temporary, "http_429"),
        (500, b'{"error":"invalid_grant"}', OutcomeUnknown, "http_500"),
        (200, b"[]", OutcomeUnknown, "unreadable"),
    ],
)
def test_meaning_of_a_login(status: int, body: bytes, kind: type[PortError] | None, code: str) -> None:
    failure = classify_login(status, {}, body, operation="op")
    assert (type(failure) if failure else None) is kind
    assert (failure.code if failure else "") == code


def test_amazons_request_id_is_told_and_nothing_that_only_looks_like_one() -> None:
    told = classify(400, {"x-amzn-requestid": "4a5f-0123-beef"}, errors("InvalidInput"), operation="op")
    odd = classify(400, {"x-amzn-requestid": "样例 13800000001"}, errors("InvalidInput"), operation="op")
    assert told is not None
    assert "4a5f-0123-beef" in told.render()
    assert odd is not None
    assert "1380" not in odd.render()


def test_the_token_is_asked_for_once_and_kept() -> None:
    network = Network(found)
    read(network)
    read(network)
    (login,) = network.logins
    assert str(login.url) == "https://api.amazon.com/auth/o2/token"
    assert login.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert parse_qs(login.content.decode()) == {
        "grant_type": ["refresh_token"], "refresh_token": [SETTINGS["refresh_token"]],
        "client_id": [SETTINGS["client_id"]], "client_secret": [SETTINGS["client_secret"]],
    }  # fmt: skip
    assert network.tokens["s"] == {
        "access_token": "Atza|" + SECRET, "expires_at": shift(NOW, 3600), "refresh_token": "Atzr|new",
    }  # fmt: skip
    request = network.sent[0]
    assert request.url.host == "sellingpartnerapi-na.amazon.com"
    assert request.headers["x-amz-access-token"] == "Atza|" + SECRET
    assert request.headers["user-agent"].startswith("orderctl/")
    assert "authorization" not in request.headers


def test_a_kept_token_serves_until_a_minute_before_its_end() -> None:
    network = Network(found)
    network.tokens.save_token("s", {"access_token": "kept", "expires_at": shift(NOW, 90)})
    read(network)
    assert (len(network.logins), network.sent[-1].headers["x-amz-access-token"]) == (0, "kept")
    network.clock.at += 40
    read(network)
    assert (len(network.logins), network.sent[-1].headers["x-amz-access-token"]) == (1, "Atza|" + SECRET)


def test_a_refused_token_is_renewed_once_and_not_again_in_vain() -> None:
    network = Network(lambda _: refused(403, "Unauthorized"), personal_data="false")
    network.tokens.save_token("s", {"access_token": "kept", "expires_at": shift(NOW, 900)})
    for sent in (2, 3):
        with pytest.raises(Unauthorized):
            read(network)
        assert len(network.sent) == sent
    assert len(network.logins) == 1


def test_without_a_refresh_token_it_says_where_to_get_one() -> None:
    network = Network(found, refresh_token="")
    with pytest.raises(Unauthorized) as caught:
        read(network)
    assert caught.value.code == "no_token"
    assert "Seller Central" in caught.value.render()


def test_a_login_without_a_token_in_it() -> None:
    network = Network(found, lambda _: httpx.Response(200, json={"token_type": "bearer"}))
    with pytest.raises(Temporary):
        read(network)


def test_a_login_by_page_keeps_its_refresh_token() -> None:
    network = Network(found, application_id="amzn1.sp.solution.sample", refresh_token="", draft_app="true")
    page = httpx.URL(network.client.login_url("st", "http://127.0.0.1:1/"))
    assert (page.host, page.path) == ("sellercentral.amazon.com", "/apps/authorize/consent")
    assert dict(page.params) == {
        "application_id": "amzn1.sp.solution.sample",
        "state": "st",
        "version": "beta",
    }
    network.client.exchange("the-code", "http://127.0.0.1:1/")
    assert parse_qs(network.logins[0].content.decode())["code"] == ["the-code"]
    assert network.tokens["s"]["refresh_token"] == "Atzr|new"
    network.client.refresh()
    assert parse_qs(network.logins[1].content.decode())["refresh_token"] == ["Atzr|new"]
    with pytest.raises(Refused) as caught:
        Network(found).client.login_url("st", "")
    assert caught.value.code == "no_login"


def test_a_code_is_never_sent_twice() -> None:
    network = Network(found, lambda _: httpx.Response(500), application_id="a")
    with pytest.raises(OutcomeUnknown):
        network.client.exchange("the-code", "")
    assert len(network.logins) == 1


def test_v0_reads_people_with_a_restricted_token_made_once() -> None:
    network = Network(found, orders_api="v0")
    read(network)
    read(network)
    paths = [request.url.path for request in network.sent]
    assert paths.count("/tokens/2021-03-01/restrictedDataToken") == 1
    assert network.sent[0].headers["x-amz-access-token"] == "Atza|" + SECRET
    assert network.bodies()[0] == {
        "restrictedResources": [
            {"method": "GET", "path": "/orders/v0/orders", "dataElements": ["buyerInfo", "shippingAddress"]},
            {
                "method": "GET",
                "path": "/orders/v0/orders/{orderId}",
                "dataElements": ["buyerInfo", "shippingAddress"],
            },
            {
                "method": "GET",
                "path": "/orders/v0/orders/{orderId}/orderItems",
                "dataElements": ["buyerInfo"],
            },
        ]
    }
    assert all(r.headers["x-amz-access-token"] == "Atz.sprdt|" + SECRET for r in network.sent[1:])
    assert "sprdt" not in json.dumps(network.tokens)  # it is never kept
    network.clock.at += 3590
    read(network)
    assert [request.url.path for request in network.sent].count("/tokens/2021-03-01/restrictedDataToken") == 2


def test_v0_can_ask_for_one_call_alone() -> None:
    network = Network(found, orders_api="v0", restricted_paths="specific")
    read(network)
    asked = [resource for body in network.bodies() for resource in body["restrictedResources"]]
    assert [resource["path"] for resource in asked] == [
        f"/orders/v0/orders/{ORDER}",
        f"/orders/v0/orders/{ORDER}/orderItems",
    ]


def test_v0_without_the_role_reads_what_it_may_and_says_so_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return refused(403, "Unauthorized") if "restricted" in request.url.path else found(request)

    network = Network(answer, orders_api="v0")
    pages = [page for _ in range(2) for page in network.client.fetch_orders([ORDER], now=NOW)]
    assert [len(page.records) for page in pages] == [1, 1]
    assert [len(page.warnings) for page in pages] == [1, 0]
    assert network.client.standing().missing == ("Direct-to-Consumer Delivery (restricted)",)


def test_the_sandbox_takes_restricted_tokens_from_production() -> None:
    network = Network(found, orders_api="v0", sandbox="true")
    rows = read(network)
    assert {r.url.host for r in network.sent} == {
        "sellingpartnerapi-na.amazon.com",
        "sandbox.sellingpartnerapi-na.amazon.com",
    }
    assert network.sent[0].url.host == "sellingpartnerapi-na.amazon.com"
    assert rows[0]["facts"] == '{"sandbox":true}'


def test_the_rate_an_answer_tells_is_taken_over() -> None:
    network = Network(
        lambda r: httpx.Response(
            found(r).status_code, json=found(r).json(), headers={"x-amzn-RateLimit-Limit": "10"}
        )
    )
    for _ in range(90):
        read(network)
    assert network.clock.at < 10  # by Amazon's default of one in two seconds it would be minutes


def test_a_used_up_quota_ends_with_the_time_to_come_back() -> None:
    network = Network(
        lambda _: httpx.Response(
            200, json={"orders": [], "pagination": {"nextToken": str(len(network.sent))}}
        )
    )
    with pytest.raises(Temporary) as caught:
        list(network.client.fetch(now=NOW))
    assert (caught.value.code, len(network.sent)) == ("rate_limit", 20)
    assert "searchOrders" in caught.value.render()


@pytest.mark.parametrize("setting", ["marketplaces", "client_id", "client_secret"])
def test_settings_that_must_be_there(setting: str) -> None:
    with pytest.raises(ConfigError, match=setting):
        Network(found, **{setting: ""})


def test_marketplaces_are_countries_or_ids_of_one_region() -> None:
    assert [place.country for place in parse_marketplaces("us, A2EUQ1WTGCTBG2", "s")] == ["US", "CA"]
    assert parse_marketplaces("UK", "s")[0].id == "A1F83G8C2ARO7P"
    assert len(MARKETPLACES) == 23
    for wrong in ("US,DE", "XX", " , "):
        with pytest.raises(ConfigError):
            parse_marketplaces(wrong, "s")


def test_wrong_settings_are_told() -> None:
    for wrong in ({"orders_api": "v1"}, {"history_days": "many"}):
        with pytest.raises(ConfigError):
            Network(found, **wrong)


@pytest.mark.parametrize("api", ["v0", "2026-01-01"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_secret_surfaces(api: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "restricted" in request.url.path:
            return found(request)
        return refused(status, "InvalidInput", f"echo {dict(request.headers)}", "样例收件人")

    network = Network(answer, orders_api=api)
    with caplog.at_level(logging.DEBUG), pytest.raises(PortError) as caught:
        read(network)
    shown = repr([record.__dict__ for record in caplog.records]) + caught.value.render() + repr(caught.value)
    assert SECRET not in shown
    assert "样例收件人" not in shown
    assert SECRET not in repr(network.client.__dict__)


def test_a_token_page_that_hangs_is_asked_again() -> None:
    calls = []

    def login(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        if len(calls) == 1:
            raise httpx.ReadTimeout(SECRET)
        return token(request)

    network = Network(found, login)
    assert len(read(network)) == 1
    assert len(calls) == 2
