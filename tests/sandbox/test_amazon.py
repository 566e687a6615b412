"""The stand-in of Amazon is as strict as the original: tokens, roles, windows, pages, quotas, confirmations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderctl.sandbox import Sandbox
from orderctl.sandbox.amazon.orders import CASES, ref_of
from orderctl.sandbox.texts import utc
from tests.sandbox.callers import Clock

V0, NEW = "/orders/v0/orders", "/orders/2026-01-01/orders"
FAR = "/fe"
RDT = "/tokens/2021-03-01/restrictedDataToken"
US, JP = "ATVPDKIKX0DER", "A1VC38T7YXB528"
CREDENTIALS = {
    "client_id": "amzn1.application-oa2-client.sandbox",
    "client_secret": "amzn1.oa2-cs.v1.sandbox-secret",
    "refresh_token": "Atzr|sandbox-refresh",
}
LISTED = {"method": "GET", "path": V0, "dataElements": ["buyerInfo", "shippingAddress"]}


def case(name: str) -> str:
    return ref_of("amazon-demo", CASES["amazon-demo"].index(name) + 1)


@dataclass
class Caller:
    """An honest client, as the documents say."""

    url: str
    clock: Clock
    http: httpx.Client
    token: str = ""

    def log_in(self, **form: str) -> httpx.Response:
        sent = {"grant_type": "refresh_token"} | CREDENTIALS | form
        answer = self.http.post(f"{self.url}/auth/o2/token", data=sent)
        self.token = answer.json().get("access_token", "")
        return answer

    def get(self, path: str, token: str | None = None, **query: str) -> httpx.Response:
        headers = {"x-amz-access-token": self.token if token is None else token}
        return self.http.get(self.url + path, params=query, headers=headers)

    def post(self, path: str, body: Any, token: str | None = None) -> httpx.Response:
        headers = {"x-amz-access-token": self.token if token is None else token}
        return self.http.post(self.url + path, json=body, headers=headers)

    def restricted(self, *resources: dict[str, Any]) -> str:
        return str(self.post(RDT, {"restrictedResources": list(resources)}).json()["restrictedDataToken"])

    def order(self, ref: str) -> dict[str, Any]:
        data = "BUYER,RECIPIENT,FULFILLMENT,PACKAGES,PROCEEDS"
        found: dict[str, Any] = self.get(f"{NEW}/{ref}", includedData=data).json()
        return found

    def confirm(self, ref: str, **detail: Any) -> httpx.Response:
        order = self.order(ref)
        items = [{"orderItemId": i["orderItemId"], "quantity": i["fulfillment"]["quantityUnfulfilled"]}
                 for i in order["orderItems"] if i["fulfillment"]["quantityUnfulfilled"]]  # fmt: skip
        told = {"packageReferenceId": "1", "carrierCode": "UPS", "trackingNumber": "1Z1",
                "shipDate": utc(self.clock() - 5), "orderItems": items}  # fmt: skip
        market = detail.pop("marketplaceId", order["salesChannel"]["marketplaceId"])
        body = {
            "marketplaceId": market,
            "packageDetail": {k: v for k, v in (told | detail).items() if v is not None},
        }
        return self.post(f"{V0}/{ref}/shipmentConfirmation", body)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


INVALID, DENIED = (400, "InvalidInput"), (403, "Unauthorized")


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(tmp_path / "sandbox", shops=["amazon"], orders=130, now=clock) as running:
        yield running


@pytest.fixture
def amazon(url: str, clock: Clock, http: httpx.Client) -> Caller:
    caller = Caller(f"{url}/amazon", clock, http)
    caller.log_in()
    return caller


def window(clock: Clock, **more: str) -> dict[str, str]:
    return {"lastUpdatedAfter": utc(clock() - 5 * 86_400)} | more


def test_logging_in(amazon: Caller) -> None:
    assert amazon.log_in().json() | {"access_token": ""} == {
        "access_token": "", "token_type": "bearer", "expires_in": 3600, "refresh_token": "Atzr|sandbox-refresh",
    }  # fmt: skip
    wrong = [
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|other"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ]
    for form, status, error in wrong:
        answer = amazon.log_in(**form)
        assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_tokens_end(amazon: Caller, clock: Clock) -> None:
    assert amazon.get(NEW, **window(clock)).status_code == 200
    assert code(amazon.get(NEW, token="", **window(clock))) == DENIED
    assert code(amazon.get(NEW, token="Atza|made-up", **window(clock))) == DENIED
    clock.at += 3_601
    assert code(amazon.get(NEW, **window(clock))) == DENIED


def test_a_code_is_good_once(amazon: Caller, url: str, http: httpx.Client) -> None:
    page = http.get(
        f"{url}/amazon/apps/authorize/consent",
        params={"application_id": "amzn1.sellerapps.app.sandbox", "state": "s"},
    )
    given = page.text.split("<code>")[1].split("<")[0]
    assert amazon.log_in(grant_type="authorization_code", code=given).status_code == 200
    assert amazon.log_in(grant_type="authorization_code", code=given).json()["error"] == "invalid_grant"


def test_each_region_has_its_own_seller_and_address(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    settings = {name: shop["base_url"] for name, shop in sandbox.config("")["shops"].items()}
    assert settings == {"amazon-demo": "/amazon", "amazon-jp": f"/amazon{FAR}"}
    assert code(amazon.get(FAR + NEW, **window(clock))) == DENIED  # the authorisation is of another region
    page = amazon.http.get(
        f"{amazon.url}{FAR}/apps/authorize/consent",
        params={"application_id": "amzn1.sellerapps.app.sandbox", "state": "s"},
    )
    given = page.text.split("<code>")[1].split("<")[0]
    assert amazon.log_in(grant_type="authorization_code", code=given).status_code == 200
    assert code(amazon.get(NEW, **window(clock))) == DENIED
    found = amazon.get(FAR + NEW, **window(clock)).json()["orders"]
    assert {order["salesChannel"]["marketplaceName"] for order in found} == {"Amazon.co.jp"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"lastUpdatedAfter": "2026-11-10T00:00:00Z"}, (200, "")),
        ({}, INVALID),
        ({"lastUpdatedAfter": "2026-11-10T00:00:00Z", "createdAfter": "2026-11-10T00:00:00Z"}, INVALID),
        ({"lastUpdatedAfter": "2026-11-10T00:00:00Z", "createdBefore": "2026-11-11T00:00:00Z"}, INVALID),
        ({"lastUpdatedAfter": "2026-11-10T00:00:00Z", "lastUpdatedBefore": "2026-11-09T00:00:00Z"}, INVALID),
        ({"lastUpdatedAfter": "2026-11-10 00:00:00"}, INVALID),
        ({"lastUpdatedAfter": "2026-11-10T00:00:00 00:00"}, INVALID),  # a + that was not percent-encoded
        ({"createdAfter": "2026-11-10T00:00:00Z", "maxResultsPerPage": "101"}, INVALID),
        ({"createdAfter": "2026-11-10T00:00:00Z", "maxResultsPerPage": "0"}, INVALID),
        ({"createdAfter": "2026-11-10T00:00:00Z", "includedData": "EVERYTHING"}, INVALID),
        (
            {"createdAfter": "2026-11-10T00:00:00Z", "fulfillmentStatuses": "CANCELED"},
            INVALID,
        ),  # here with two L
        ({"createdAfter": "2026-11-10T00:00:00Z", "marketplaceIds": "A0"}, INVALID),
        ({"createdAfter": "2026-11-10T00:00:00Z", "marketplaceIds": "A1PA6795UKMFR9"}, INVALID),
        ({"createdAfter": "2026-11-10T00:00:00Z", "marketplaceIds": "A1VC38T7YXB528"}, DENIED),
        ({"createdAfter": "2026-11-10T00:00:00Z", "statuses": "UNSHIPPED"}, INVALID),
        ({"createdAfter": "2026-11-10T00:00:00Z", "paginationToken": "bm9uZQ=="}, INVALID),
    ],
)
def test_what_a_search_may_ask(amazon: Caller, query: dict[str, str], expected: tuple[int, str]) -> None:
    answer = amazon.get(NEW, **query)
    assert (code(answer) if answer.status_code != 200 else (200, "")) == expected


def test_the_last_two_minutes_are_not_shown(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    (fresh,) = sandbox.add_orders(1, shop="amazon-demo")
    found = amazon.get(NEW, **window(clock)).json()
    assert fresh.ref not in [o["orderId"] for o in found["orders"]]
    assert found["lastUpdatedBefore"] == utc(clock() - 120)
    assert code(amazon.get(NEW, **window(clock, lastUpdatedBefore=utc(clock() - 60)))) == INVALID
    assert amazon.get(NEW, **window(clock, lastUpdatedBefore=utc(clock() - 121))).status_code == 200


def test_pages_hold_their_place_and_their_filters(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    asked = window(clock, maxResultsPerPage="30")
    page = amazon.get(NEW, **asked).json()
    token = page["pagination"]["nextToken"]
    assert set("+/=") <= set(token)
    assert code(amazon.get(NEW, **asked, paginationToken=token, fulfilledBy="MERCHANT")) == INVALID
    assert amazon.get(NEW, **asked | {"maxResultsPerPage": "7"}, paginationToken=token).status_code == 200
    met = [o["orderId"] for o in page["orders"]]
    sandbox.touch(met[3], memo="x")
    while "pagination" in page:
        page = amazon.get(NEW, **asked, paginationToken=page["pagination"]["nextToken"]).json()
        met += [o["orderId"] for o in page["orders"]]
    assert len(set(met)) == sandbox.store.size("shop = ?", ["amazon-demo"])
    clock.at += 86_401
    amazon.log_in()
    assert code(amazon.get(NEW, **asked, paginationToken=token)) == INVALID


def test_filters_are_obeyed(amazon: Caller, clock: Clock) -> None:
    for query, test in (
        ({"fulfilledBy": "AMAZON"}, lambda o: o["fulfillment"]["fulfilledBy"] == "AMAZON"),
        (
            {"fulfillmentStatuses": "PENDING,CANCELLED"},
            lambda o: o["fulfillment"]["fulfillmentStatus"] in ("PENDING", "CANCELLED"),
        ),
        ({"marketplaceIds": "A2EUQ1WTGCTBG2"}, lambda o: o["salesChannel"]["marketplaceName"] == "Amazon.ca"),
    ):
        found = amazon.get(NEW, **window(clock, includedData="FULFILLMENT"), **query).json()["orders"]
        assert found
        assert all(test(order) for order in found)


def test_only_the_blocks_asked_for_come(amazon: Caller) -> None:
    bare = amazon.get(f"{NEW}/{case('gift')}").json()
    assert set(bare) == {"orderId", "createdTime", "lastUpdatedTime", "salesChannel", "orderItems"}
    whole = amazon.order(case("gift"))
    assert whole["recipient"]["deliveryAddress"]["name"] == whole["buyer"]["buyerName"]
    assert (
        whole["orderItems"][0]["fulfillment"]["packing"]["giftOption"]["giftMessage"] == "Happy housewarming"
    )
    pending = amazon.order(case("pending"))
    assert not {"recipient", "buyer", "proceeds"} & set(pending)


def test_without_the_role_asking_is_refused(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.control({"roles": False})
    assert code(amazon.get(NEW, **window(clock, includedData="RECIPIENT"))) == DENIED
    assert amazon.get(NEW, **window(clock, includedData="FULFILLMENT")).status_code == 200
    assert code(amazon.post(RDT, {"restrictedResources": [LISTED]})) == DENIED


def test_a_restricted_token_opens_what_it_was_made_for(amazon: Caller, clock: Clock) -> None:
    generic = {"method": "GET", "path": V0 + "/{orderId}", "dataElements": ["shippingAddress"]}
    token = amazon.restricted(generic)
    found = amazon.get(f"{V0}/{case('gift')}", token=token).json()["payload"]
    assert "Name" in found["ShippingAddress"]
    assert "BuyerInfo" not in found
    assert code(amazon.get(V0, token=token, MarketplaceIds=US, CreatedAfter=utc(clock() - 86_400))) == DENIED
    assert code(amazon.get(f"{NEW}/{case('gift')}", token=token)) == DENIED
    assert code(amazon.post(f"{V0}/{case('gift')}/shipmentConfirmation", {}, token=token)) == DENIED
    plain = amazon.get(f"{V0}/{case('gift')}").json()["payload"]
    assert set(plain["ShippingAddress"]) == {"City", "StateOrRegion", "PostalCode", "CountryCode"}


@pytest.mark.parametrize(
    "resources",
    [
        [],
        [LISTED] * 51,
        [LISTED | {"method": "PATCH"}],
        [LISTED | {"dataElements": ["everything"]}],
        [LISTED | {"dataElements": []}],
        [{"method": "GET", "path": NEW}],
        ["text"],
        None,
    ],
)
def test_restricted_resources_are_checked(amazon: Caller, resources: Any) -> None:
    assert code(amazon.post(RDT, {"restrictedResources": resources})) == INVALID


@pytest.mark.parametrize(
    "query",
    [
        {"CreatedAfter": "2026-11-10T00:00:00Z"},
        {"MarketplaceIds": US},
        {
            "MarketplaceIds": US,
            "CreatedAfter": "2026-11-10T00:00:00Z",
            "LastUpdatedBefore": "2026-11-11T00:00:00Z",
        },
        {"MarketplaceIds": US, "CreatedAfter": "2026-11-10T00:00:00Z", "OrderStatuses": "UNSHIPPED"},
        {"MarketplaceIds": US, "CreatedAfter": "2026-11-10T00:00:00Z", "marketplaceIds": US},
        {"MarketplaceIds": US, "AmazonOrderIds": ",".join(["111-0000001-0000001"] * 51)},
    ],
)
def test_what_a_v0_list_may_not_ask(amazon: Caller, query: dict[str, str]) -> None:
    assert code(amazon.get(V0, **query)) == INVALID


def test_v0_lists_and_lines(amazon: Caller, clock: Clock) -> None:
    found = amazon.get(
        V0, MarketplaceIds=US, CreatedAfter=utc(clock() - 5 * 86_400), OrderStatuses="Pending"
    ).json()
    assert {o["OrderStatus"] for o in found["payload"]["Orders"]} == {"Pending"}
    assert not any("OrderTotal" in o for o in found["payload"]["Orders"])
    by_id = amazon.get(V0, MarketplaceIds=US, AmazonOrderIds=f"{case('gift')},111-9999999-9999999").json()
    assert [o["AmazonOrderId"] for o in by_id["payload"]["Orders"]] == [case("gift")]
    page = amazon.get(f"{V0}/{case('many lines')}/orderItems").json()["payload"]
    rest = amazon.get(f"{V0}/{case('many lines')}/orderItems", NextToken=page["NextToken"]).json()["payload"]
    assert (len(page["OrderItems"]), len(rest["OrderItems"]), "NextToken" in rest) == (50, 10, False)
    gone = amazon.get(f"{V0}/{case('cancelled line')}/orderItems").json()["payload"]["OrderItems"][0]
    assert (gone["QuantityOrdered"], "ItemPrice" in gone) == (0, False)
    assert code(amazon.get(f"{V0}/111-9999999-9999999")) == (404, "NotFound")
    assert code(amazon.get(f"{V0}/nonsense")) == INVALID


def test_each_seller_sees_only_their_own(amazon: Caller, clock: Clock) -> None:
    amazon.log_in(refresh_token="Atzr|sandbox-refresh-jp")
    found = amazon.get(FAR + NEW, **window(clock, includedData="PROCEEDS")).json()["orders"]
    assert {o["salesChannel"]["marketplaceName"] for o in found} == {"Amazon.co.jp"}
    amounts = [o["proceeds"]["grandTotal"] for o in found if "proceeds" in o]
    assert all(a["currencyCode"] == "JPY" and "." not in a["amount"] for a in amounts)
    assert code(amazon.get(f"{FAR}{NEW}/{case('gift')}")) == (404, "NotFound")


@pytest.mark.parametrize(
    "other",
    [
        {"FulfillmentChannels": "MFN"},
        {"OrderStatuses": "Unshipped"},
        {"PaymentMethods": "Other"},
        {"CreatedAfter": "", "LastUpdatedAfter": "2026-11-10T00:00:00Z"},
    ],
)
def test_what_a_sellers_own_number_excludes(amazon: Caller, other: dict[str, str]) -> None:
    query = {"MarketplaceIds": US, "CreatedAfter": "2026-11-10T00:00:00Z", "SellerOrderId": case("gift")}
    found = amazon.get(V0, **query).json()["payload"]["Orders"]
    assert [order["AmazonOrderId"] for order in found] == [case("gift")]
    assert code(amazon.get(V0, **(query | other))) == INVALID


def test_ways_of_payment_are_filtered(amazon: Caller, clock: Clock) -> None:
    amazon.log_in(refresh_token="Atzr|sandbox-refresh-jp")
    query = {"MarketplaceIds": JP, "CreatedAfter": utc(clock() - 5 * 86_400)}
    kinds = {}
    for methods in ("COD", "Other", "CVS", "COD,Other"):
        found = amazon.get(FAR + V0, **query, PaymentMethods=methods).json()["payload"]["Orders"]
        kinds[methods] = {order["PaymentMethod"] for order in found}
    assert kinds == {"COD": {"COD"}, "Other": {"Other"}, "CVS": set(), "COD,Other": {"COD", "Other"}}
    assert code(amazon.get(FAR + V0, **query, PaymentMethods="GOLD")) == INVALID


@pytest.mark.parametrize(
    ("shop", "root", "market", "kept"),
    [("amazon-demo", "", US, False), ("amazon-jp", FAR, JP, True)],
)
def test_lists_reach_two_years_back(
    amazon: Caller, clock: Clock, sandbox: Sandbox, shop: str, root: str, market: str, kept: bool
) -> None:
    amazon.log_in(refresh_token=sandbox.config("")["shops"][shop]["settings"]["refresh_token"])
    ref = ref_of(shop, 2)  # the first is named by another, which replaces it
    two_years = 2 * 365 * 86_400
    since = utc(clock() - two_years - 10 * 86_400)

    def listed() -> list[bool]:
        asked = {"MarketplaceIds": market}
        lists = [
            amazon.get(root + NEW, createdAfter=since, maxResultsPerPage="100").json()["orders"],
            amazon.get(root + V0, **asked, CreatedAfter=since).json()["payload"]["Orders"],
            amazon.get(root + V0, **asked, AmazonOrderIds=ref).json()["payload"]["Orders"],
        ]
        return [ref in str(found) for found in lists]

    move = "UPDATE orders SET created = ? WHERE ref = ?"
    sandbox.store.write(move, (int(clock() - two_years), ref))
    assert listed() == [True] * 3
    sandbox.store.write(move, (int(clock() - two_years - 1), ref))
    assert listed() == [kept] * 3
    assert amazon.get(f"{root}{NEW}/{ref}").status_code == 200  # a single order is there for ever


def test_quotas_are_those_of_the_model(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    assert amazon.get(NEW, **window(clock)).headers["x-amzn-ratelimit-limit"] == "200"
    sandbox.control({"rates": "real"})
    for _ in range(20):
        answer = amazon.get(NEW, **window(clock))
        assert answer.headers["x-amzn-ratelimit-limit"] == "0.0056"
    over = amazon.get(NEW, **window(clock))
    assert code(over) == (429, "QuotaExceeded")
    assert "x-amzn-ratelimit-limit" not in over.headers
    clock.at += 179
    assert amazon.get(NEW, **window(clock)).status_code == 200
    sandbox.control({"rates": {"amazon": {"rate": 7, "burst": 2}}})
    assert amazon.get(NEW, **window(clock)).headers["x-amzn-ratelimit-limit"] == "7"
    sandbox.set_quota({"amazon": 0})
    assert code(amazon.get(NEW, **window(clock))) == (429, "QuotaExceeded")


def test_a_confirmation(amazon: Caller, sandbox: Sandbox) -> None:
    ref = case("lines")
    answer = amazon.confirm(ref)
    assert (answer.status_code, answer.content) == (204, b"")
    order = amazon.order(ref)
    assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    assert order["packages"][0]["trackingNumber"] == "1Z1"
    (entry,) = sandbox.books("ship")
    assert (entry["subject"], entry["number"], len(entry["detail"]["lines"])) == (ref, "1Z1", 3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"marketplaceId": "A2EUQ1WTGCTBG2"},
        {"packageReferenceId": 1},
        {"packageReferenceId": "A1"},
        {"packageReferenceId": "0"},
        {"packageReferenceId": None},
        {"carrierCode": None},
        {"carrierCode": "ups"},
        {"carrierCode": "Other"},
        {"trackingNumber": None},
        {"trackingNumber": ""},
        {"shipDate": None},
        {"shipDate": "2026-11-18 10:00"},
        {"shipDate": "2030-01-01T00:00:00Z"},
        {"shipDate": "2020-01-01T00:00:00Z"},
        {"orderItems": []},
        {"orderItems": [{"orderItemId": "1", "quantity": 1}]},
        {"trackingNr": "1Z1"},
    ],
)
def test_confirmations_are_checked(amazon: Caller, sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    assert code(amazon.confirm(case("lines"), **wrong)) == INVALID
    assert [entry["kind"] for entry in sandbox.books()] == ["refused"]
    assert amazon.confirm(case("lines")).status_code == 204


@pytest.mark.parametrize(
    "name", ["by amazon", "cancelled", "pending", "pick-up", "ship plus", "transparency", "shipped"]
)
def test_orders_that_take_no_confirmation(amazon: Caller, sandbox: Sandbox, name: str) -> None:
    items = [{"orderItemId": i["orderItemId"], "quantity": 1} for i in amazon.order(case(name))["orderItems"]]
    answer = amazon.confirm(case(name), orderItems=items, packageReferenceId="77")
    assert code(answer) == INVALID
    assert ("PackageToUpdateNotFound" in answer.text) == (name == "shipped")
    assert not sandbox.books("ship")


def test_the_same_reference_edits_and_another_adds(amazon: Caller, sandbox: Sandbox) -> None:
    ref = case("lines")
    items = [{"orderItemId": i["orderItemId"], "quantity": 1} for i in amazon.order(ref)["orderItems"]][:1]
    assert amazon.confirm(ref, orderItems=items).status_code == 204
    assert amazon.order(ref)["fulfillment"]["fulfillmentStatus"] == "PARTIALLY_SHIPPED"
    assert amazon.confirm(ref, orderItems=items).status_code == 204
    assert amazon.confirm(ref, orderItems=items, trackingNumber="1Z2").status_code == 204
    assert amazon.confirm(ref, packageReferenceId="2", trackingNumber="1Z3").status_code == 204
    assert [(e["kind"], e["number"]) for e in sandbox.books()] == [
        ("ship", "1Z1"), ("repeated", "1Z1"), ("amend", "1Z2"), ("ship", "1Z3"),
    ]  # fmt: skip
    more = [{"orderItemId": items[0]["orderItemId"], "quantity": 99}]
    assert code(amazon.confirm(ref, orderItems=more, packageReferenceId="1")) == INVALID


def test_a_confirmation_shows_with_a_delay(amazon: Caller, clock: Clock, sandbox: Sandbox) -> None:
    sandbox.control({"delay": 60})
    ref = case("lines")
    amazon.confirm(ref)
    assert amazon.order(ref)["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert "packages" not in amazon.order(ref)
    clock.at += 61
    assert amazon.order(ref)["fulfillment"]["fulfillmentStatus"] == "SHIPPED"


def test_a_buyer_asks_to_cancel(amazon: Caller, sandbox: Sandbox) -> None:
    sandbox.touch(case("lines"), refund=True)
    item = amazon.get(f"{NEW}/{case('lines')}", includedData="CANCELLATION").json()["orderItems"][0]
    assert item["cancellation"]["cancellationRequest"]["requester"] == "BUYER"
    old = amazon.get(f"{V0}/{case('lines')}/orderItems").json()["payload"]["OrderItems"][0]
    assert old["BuyerRequestedCancel"]["IsBuyerRequestedCancel"] == "true"  # text, no boolean
    sandbox.touch(case("lines"), refund=False, status="CANCELLED")
    assert amazon.order(case("lines"))["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    with pytest.raises(ValueError, match="cancel"):
        sandbox.touch(case("shipped"), refund=True)
    with pytest.raises(ValueError, match="no status"):
        sandbox.touch(case("gift"), status="LOST")


def test_other_paths_and_verbs(amazon: Caller, url: str, http: httpx.Client) -> None:
    assert amazon.get("/orders/v1/orders").status_code == 404
    assert amazon.post(NEW, {}).status_code == 405
    form = http.post(f"{url}/amazon{RDT}", data={"a": "b"}, headers={"x-amz-access-token": amazon.token})
    assert form.status_code == 415
    assert http.get(f"{url}/amazon/auth/o2/token").status_code == 400
