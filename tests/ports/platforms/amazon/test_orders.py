"""Amazon: complete reading in both versions of the API, what is asked for, and what is withheld."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from orderctl.model.errors import Refused, Temporary, Unauthorized
from orderctl.ports.platforms.amazon.orders import instant_of
from orderctl.ports.platforms.port import By, Page, RawRow, shift
from tests.ports.http.clock import NOW
from tests.ports.platforms.amazon.rehearsal import Network, refused, world

APIS = ("2026-01-01", "v0")
ORDER = "114-3320985-7710264"


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


def found(*orders: dict[str, Any], token: str = "") -> httpx.Response:
    pages = {"pagination": {"nextToken": token}} if token else {}
    return httpx.Response(200, json={"orders": list(orders), **pages})


def order(ref: str, updated: str = "2026-11-18T10:00:00Z") -> dict[str, Any]:
    return {"orderId": ref, "lastUpdatedTime": updated, "orderItems": []}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T15:10:31Z", "2026-11-20T15:10:31Z"),
        ("2026-11-20T10:10:31.500-05:00", "2026-11-20T15:10:31Z"),
        ("2026-11-20T15:10:31", None),
        (None, None),
    ],
)
def test_times(text: object, expected: str | None) -> None:
    assert instant_of(text) == expected


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("by", ["updated", "created"])
def test_every_order_arrives_once(tmp_path: Path, api: str, by: By) -> None:
    with world(tmp_path, 330) as rehearsal:
        pages = list(rehearsal.client(orders_api=api).fetch(now=NOW, by=by))
        refs = [row["platform_ref"] for row in rows(pages)]
        assert sorted(refs) == sorted(rehearsal.refs())
        certificates = [page.certificate for page in pages if page.certificate]
        assert sum(c.got for c in certificates) == len(refs)
        assert {c.expected for c in certificates} == {None}  # Amazon counts nothing


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_order_arrives_under_faults(tmp_path: Path, api: str, seed: int) -> None:
    with world(tmp_path, 130) as rehearsal:
        client = rehearsal.client(orders_api=api)
        calm = {row["platform_ref"]: row["payload"] for row in rows(client.fetch(now=NOW))}
        rehearsal.sandbox.set_faults({"seed": seed, "rate": 0.25, "seconds": 0.01})
        again = {
            row["platform_ref"]: row["payload"] for row in rows(client.fetch(now=rehearsal.http.instant()))
        }
        assert again == calm


@pytest.mark.parametrize("api", APIS)
def test_reading_goes_on_after_the_page_it_reached(tmp_path: Path, api: str) -> None:
    with world(tmp_path, 400) as rehearsal:
        client, cursor, met = rehearsal.client(orders_api=api), None, []
        for _ in range(20):
            for page in client.fetch(now=NOW, cursor=cursor):
                met += [row["platform_ref"] for row in page.records]
                if page.cursor:
                    cursor = page.cursor
                    break
            if page.certificate:
                break
        met += [row["platform_ref"] for row in rows(client.fetch(now=NOW, cursor=cursor))]
        assert set(met) == rehearsal.refs()


def test_a_page_token_that_is_over_begins_the_window_anew(tmp_path: Path) -> None:
    with world(tmp_path, 400) as rehearsal:
        client = rehearsal.client()
        first = next(page for page in client.fetch(now=NOW) if page.records and page.cursor)
        rehearsal.clock.at += 90_000  # tokens live a day
        later = rows(client.fetch(now=rehearsal.http.instant(), cursor=first.cursor))
        assert {row["platform_ref"] for row in later} >= rehearsal.refs() - {
            r["platform_ref"] for r in first.records
        }


def test_later_fetches_read_what_changed(tmp_path: Path) -> None:
    with world(tmp_path, 60) as rehearsal:
        client = rehearsal.client()
        cursor = [page.cursor for page in client.fetch(now=NOW)][-1]
        rehearsal.clock.at += 3_600
        rehearsal.sandbox.touch(rehearsal.case("lines"), memo="x")
        rehearsal.clock.at += 600
        changed = rows(client.fetch(now=rehearsal.http.instant(), cursor=cursor))
        assert [row["platform_ref"] for row in changed] == [rehearsal.case("lines")]


def test_what_a_search_asks_for() -> None:
    network = Network(lambda _: found(), marketplaces="US,CA", fulfilled_by="MERCHANT", history_days="3")
    list(network.client.fetch(now=NOW))
    (request,) = network.sent
    query = dict(request.url.params)
    assert request.url.path == "/orders/2026-01-01/orders"
    assert query == {
        "lastUpdatedAfter": shift(NOW, -3 * 86_400),
        "lastUpdatedBefore": shift(NOW, -180),  # nearer than two minutes to now is refused
        "marketplaceIds": "ATVPDKIKX0DER,A2EUQ1WTGCTBG2",
        "maxResultsPerPage": "100",
        "fulfilledBy": "MERCHANT",
        "includedData": "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,PAYMENT",
    }


def test_what_a_v0_list_asks_for() -> None:
    network = Network(
        lambda _: httpx.Response(200, json={"payload": {"Orders": []}}),
        orders_api="v0", personal_data="false", fulfilled_by="MERCHANT,AMAZON", history_days="3",
    )  # fmt: skip
    list(network.client.fetch(now=NOW, by="created"))
    assert dict(network.sent[0].url.params) == {
        "CreatedAfter": shift(NOW, -3 * 86_400),
        "CreatedBefore": shift(NOW, -180),
        "MarketplaceIds": "ATVPDKIKX0DER",
        "MaxResultsPerPage": "100",
        "FulfillmentChannels": "MFN,AFN",
    }


def test_a_page_token_is_sent_back_byte_for_byte_and_all_else_stays() -> None:
    token = "2YgYW55IGV4YW1wbGU+/w=="
    network = Network(
        lambda r: found(order("1"), token=token) if "paginationToken" not in r.url.query.decode() else found()
    )
    list(network.client.fetch(now=NOW, since=shift(NOW, -3_600)))
    first, second = (dict(request.url.params) for request in network.sent)
    assert second == first | {"paginationToken": token}
    raw = urlsplit(str(network.sent[1].url)).query
    assert "2YgYW55IGV4YW1wbGU%2B%2Fw%3D%3D" in raw  # a literal + would arrive as a blank
    assert parse_qs(raw)["paginationToken"] == [token]


def test_a_month_costs_few_of_the_slow_calls() -> None:
    network = Network(lambda _: found())
    list(network.client.fetch(now=NOW))
    assert len(network.sent) == 5


def test_without_the_role_people_are_left_out_and_that_is_told_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return (
            refused(403, "Unauthorized")
            if "BUYER" in request.url.params["includedData"]
            else found(order("1"))
        )

    network = Network(answer)
    pages = list(network.client.fetch(now=NOW, since=shift(NOW, -3_600)))
    assert [row["platform_ref"] for row in rows(pages)] == ["1"]
    assert [str(w) for page in pages for w in page.warnings] == [
        "shop s: the app may not see names, addresses and phones (role Direct-to-Consumer Delivery)"
    ]
    asked = len(network.sent)
    list(network.client.fetch(now=NOW, since=shift(NOW, -3_600)))
    assert len(network.sent) == asked + 1  # it is not tried again and again at one call in three minutes


def test_a_403_that_no_role_explains_stays_one() -> None:
    network = Network(lambda _: refused(403, "Unauthorized"))
    with pytest.raises(Unauthorized):
        list(network.client.fetch(now=NOW))


def test_single_orders_and_those_that_do_not_exist(tmp_path: Path) -> None:
    with world(tmp_path, 60) as rehearsal:
        for api in APIS:
            refs = [rehearsal.case("gift"), "111-9999999-9999999", rehearsal.case("many lines"), "1"]
            pages = list(rehearsal.client(orders_api=api).fetch_orders(refs, now=NOW))
            assert [row["platform_ref"] for row in rows(pages)] == [refs[0], refs[2]]
            assert [ref for page in pages for ref in page.missing] == [refs[1], refs[3]]


def test_v0_reads_every_page_of_lines(tmp_path: Path) -> None:
    with world(tmp_path, 60) as rehearsal:
        (row,) = rows(rehearsal.client(orders_api="v0").fetch_orders([rehearsal.case("many lines")], now=NOW))
        assert len({item["OrderItemId"] for item in payload(row)["OrderItems"]}) == 60


def test_v0_shows_people_only_with_the_restricted_token(tmp_path: Path) -> None:
    with world(tmp_path, 60) as rehearsal:
        ref = rehearsal.case("gift")
        open_, shut = (
            payload(
                rows(rehearsal.client(orders_api="v0", personal_data=wants).fetch_orders([ref], now=NOW))[0]
            )
            for wants in ("true", "false")
        )
        assert {"Name", "Phone", "AddressLine1"} <= set(open_["ShippingAddress"])
        assert set(shut["ShippingAddress"]) == {"City", "StateOrRegion", "PostalCode", "CountryCode"}
        assert open_["OrderItems"][0]["BuyerInfo"]["GiftMessageText"] == "Happy housewarming"
        assert "BuyerInfo" not in shut["OrderItems"][0]


@pytest.mark.parametrize("api", APIS)
def test_a_role_taken_away_is_named_by_doctor(tmp_path: Path, api: str) -> None:
    with world(tmp_path, 60) as rehearsal:
        assert rehearsal.client(orders_api=api).standing().missing == ()
        rehearsal.sandbox.control({"roles": False})
        found_ = rehearsal.client(orders_api=api).standing()
        assert found_.shop_id == "A1SANDBOXSELLER"
        assert len(found_.missing) == 1


def test_a_real_quota_stops_the_reading_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with world(tmp_path, 3_400) as rehearsal:
        rehearsal.sandbox.control({"rates": "real"})
        client, met, cursor = rehearsal.client(), [], None
        with pytest.raises(Temporary) as caught:
            for page in client.fetch(now=NOW):
                met += [row["platform_ref"] for row in page.records]
                cursor = page.cursor or cursor
        assert caught.value.code in ("rate_limit", "throttled")
        assert 1_500 < len(met) < len(rehearsal.refs())
        rehearsal.clock.at += 20 * 180
        met += [row["platform_ref"] for row in rows(client.fetch(now=NOW, cursor=cursor))]
        assert set(met) == rehearsal.refs()


def test_an_answer_of_another_form_is_no_answer() -> None:
    for body in ({"orders": {}}, {"orders": [{"orderId": 7}]}, {"payload": []}):
        with pytest.raises(Temporary):
            list(Network(lambda _, b=body: httpx.Response(200, json=b)).client.fetch(now=NOW))


def test_a_refused_input_is_told() -> None:
    with pytest.raises(Refused) as caught:
        list(Network(lambda _: refused(400, "InvalidInput")).client.fetch(now=NOW))
    assert caught.value.code == "InvalidInput"
