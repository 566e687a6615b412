"""JD against its stand-in: complete reading, the login's rules, shipping once, corrected numbers, same recipients."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from orderctl.model.errors import ConfigError, OutcomeUnknown, Refused, Temporary, Unauthorized
from orderctl.ports.http import Http
from orderctl.ports.platforms.jd.client import Jd
from orderctl.ports.platforms.jd.login import parse_token
from orderctl.ports.platforms.jd.orders import REACH, Progress
from orderctl.ports.platforms.jd.ship import exchanged, line_refs
from orderctl.ports.platforms.port import Page, RawRow, ShipLine, ShipRequest, Shop, shift
from orderctl.sandbox import Sandbox
from tests.ports.http.rehearsal import EPOCH, NOW, Clock, TokensInMemory, http_over
from tests.ports.platforms.golden import raw_frame, to_orders

SETTINGS = {"app_key": "k", "app_secret": "s", "access_token": "t"}
BOTH = pytest.mark.parametrize("api", ["jos", "sp"])


class World:
    """The stand-in, a client's view of it, and one clock for both."""

    def __init__(self, sandbox: Sandbox, url: str, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.http = Http(NOW, monotonic=clock, sleep=clock.sleep)
        self.tokens = TokensInMemory()
        self.config = sandbox.config(url)["shops"]["jd-demo"]

    def shop(self, **settings: str) -> Jd:
        known = {name: value for name, value in (self.config["settings"] | settings).items() if value}
        return Jd(Shop("jd-demo", "jd", self.config["base_url"], known), self.http, self.tokens)

    def refs(self) -> set[str]:
        return {order.ref for order in self.sandbox.store.select("shop = 'jd-demo'", [], "")}

    def body(self, ref: str) -> dict[str, Any]:
        order = self.sandbox.store.find("jd", "jd-demo", ref)
        assert order is not None
        return order.body

    def ref_of(self, state: str, *, lines: int | None = None) -> str:
        orders = self.sandbox.store.select("shop = 'jd-demo' AND status = ?", [state], "ORDER BY number")
        fit = [o for o in orders if lines is None or len(o.body["itemInfoList"]) == lines]
        return next(o.ref for o in fit if not o.body["_parts"] and not o.body["storeOrder"])

    def booked(self, kind: str, ref: str) -> list[dict[str, Any]]:
        return [entry for entry in self.sandbox.books(kind) if entry["subject"] == ref]


@contextmanager
def world(state: Path, *, orders: int = 60) -> Iterator[World]:
    clock = Clock()
    with Sandbox(state, shops=["jd"], orders=orders, now=lambda: EPOCH + clock.at) as sandbox:
        made = World(sandbox, sandbox.start(), clock)
        with made.http:
            yield made


def rows(pages: Iterable[Page]) -> list[RawRow]:
    return [row for page in pages for row in page.records]


def payload(row: RawRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["payload"] or "")
    return found


@BOTH
@pytest.mark.parametrize("seed", range(1, 4))
def test_every_order_arrives_under_faults(tmp_path: Path, seed: int, api: str) -> None:
    with world(tmp_path, orders=140) as here:
        shop = here.shop(api=api)
        calm = {row["platform_ref"]: row["payload"] for row in rows(shop.fetch(now=here.http.instant()))}
        assert set(calm) == here.refs()
        here.sandbox.set_faults({"seed": seed, "rate": 0.25, "seconds": 0.01})
        pages = list(shop.fetch(now=here.http.instant()))
        assert {row["platform_ref"]: row["payload"] for row in rows(pages)} == calm
        assert all(page.certificate.complete for page in pages if page.certificate)


@BOTH
def test_nothing_is_missed_while_orders_change(tmp_path: Path, api: str) -> None:
    with world(tmp_path, orders=400) as here:
        here.sandbox.set_churn("jd-demo", 3)
        shop = here.shop(api=api)
        pages = list(shop.fetch(now=here.http.instant()))
        met = {row["platform_ref"] for row in rows(pages)}
        cursor = [page.cursor for page in pages if page.cursor][-1]
        here.sandbox.set_churn("jd-demo", 0)
        here.clock.at += 900
        met |= {row["platform_ref"] for row in rows(shop.fetch(now=here.http.instant(), cursor=cursor))}
        assert met == here.refs()


@BOTH
def test_a_fetch_goes_on_from_its_cursor(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop = here.shop(api=api)
        cursor = [page.cursor for page in shop.fetch(now=here.http.instant()) if page.cursor][-1]
        here.clock.at += 3600
        made = here.sandbox.add_orders(3, shop="jd-demo")
        here.clock.at += 600
        later = list(shop.fetch(now=here.http.instant(), cursor=cursor))
        assert {row["platform_ref"] for row in rows(later)} == {order.ref for order in made}
        since = shift(here.http.instant(), -5 * 86_400)
        by_creation = rows(shop.fetch(now=here.http.instant(), by="created", since=since))
        assert {row["platform_ref"] for row in by_creation} == here.refs()


@BOTH
def test_orders_by_number(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        refs = sorted(here.refs())
        pages = list(here.shop(api=api).fetch_orders([*refs, "99", "no number"], now=NOW))
        assert sorted(str(row["platform_ref"]) for row in rows(pages)) == refs
        assert [ref for page in pages for ref in page.missing] == ["99", "no number"]


def test_both_gateways_give_the_same_orders(tmp_path: Path) -> None:
    with world(tmp_path, orders=200) as here:
        apart = {}
        for api, form in (("jos", "jd/order"), ("sp", "jd/sp-order")):
            found = sorted(rows(here.shop(api=api).fetch(now=NOW)), key=lambda row: str(row["platform_ref"]))
            assert {row["format"] for row in found} == {form}
            payloads = [payload(row) for row in found]
            apart[api] = to_orders(raw_frame(form, payloads, [str(row["platform_ref"]) for row in found]))
        # one gateway tells the flag and the pieces that left in parts, the other the wish for an invoice
        drop = ["source", "holds", "lines", "seller_flag", "tags", "wishes"]
        assert apart["jos"].drop(drop).equals(apart["sp"].drop(drop))
        assert apart["jos"].height == 200
        unknown = [p for order in apart["jos"]["problems"] for p in order]
        assert unknown == []
        for jos, rest in zip(
            apart["jos"].iter_rows(named=True), apart["sp"].iter_rows(named=True), strict=True
        ):
            ours = ("line_ref", "quantity", "unit_price_minor", "merchant_code", "kind", "quantity_refunded")
            assert [[x[n] for n in ours] for x in jos["lines"]] == [
                [x[n] for n in ours] for x in rest["lines"]
            ]


def test_ciphertexts_are_carried_and_never_opened(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        found = rows(here.shop(receiver="cipher").fetch(now=NOW))
        assert all(row["source"] == "jingdong.pop.order.enSearch" for row in found)
        orders = to_orders(
            raw_frame("jd/order", [payload(r) for r in found], [str(r["platform_ref"]) for r in found])
        )
        for there in orders["recipient"]:
            assert (there["privacy"], there["name"], there["phone"]) == ("sealed", None, None)
            assert there["sealed"]["scheme"] == "jd/tde"
            assert there["province"]


def test_a_page_that_was_counted_is_not_asked_for_twice() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(dict(parse_qsl(request.content.decode()))["360buy_param_json"])
        asked.append(body["page"])
        order = {"orderId": "290000000001", "modified": "2026-11-02 10:00:31"}
        result = {"apiResult": {"success": True}, "orderTotal": "1", "orderInfoList": [order]}
        return httpx.Response(
            200, json={"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}}
        )

    http, _ = http_over(handler)
    shop = Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory())
    found = rows(shop.fetch(now=NOW, since=shift(NOW, -3600), until=shift(NOW, -1800)))
    assert [row["updated_at"] for row in found] == ["2026-11-02T02:00:31Z"]
    assert asked == ["1"]
    assert REACH.split_above <= 100 * 50  # pages above a hundred come back empty


def test_the_call_is_what_the_guide_says() -> None:
    seen: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://api.jd.com/routerjson"
        seen.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(
            200, json={"x_responce": {"code": "0", "searchorderinfo_result": {"orderTotal": 0}}}
        )

    http, _ = http_over(handler)
    settings = SETTINGS | {
        "container": "paramOrderJSFQuery",
        "source_id": "7",
        "promise": "none",
        "page_size": "100",
    }
    shop = Jd(Shop("s", "jd", None, settings), http, TokensInMemory())
    list(shop.fetch(now=NOW, since=shift(NOW, -3600), until=shift(NOW, -1800)))
    assert set(seen[0]) == {
        "360buy_param_json",
        "access_token",
        "app_key",
        "method",
        "timestamp",
        "v",
        "sign",
    }
    assert seen[0]["timestamp"].endswith(".000+0800")
    inside = json.loads(seen[0]["360buy_param_json"])["paramOrderJSFQuery"]
    assert (inside["source_id"], inside["page_size"], inside["dateType"]) == ("7", "100", "0")
    assert "scDT" not in inside["optional_fields"]


@pytest.mark.parametrize(
    "settings",
    [
        {"api": "soap"},
        {"receiver": "open"},
        {"calls_per_second": "fast"},
        {"quota_pause_s": "0"},
        {"page_size": "101"},
    ],
)
def test_settings_that_mean_nothing_are_told(settings: dict[str, str]) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(ConfigError):
        Jd(Shop("s", "jd", None, SETTINGS | settings), http, TokensInMemory())


@BOTH
def test_whose_shop_it_is(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop = here.shop(api=api)
        assert shop.identify() == "10000001"
        assert shop.standing().shop_id == "10000001"
        assert shop.standing().missing == ()


def test_an_app_that_may_not_ask_finds_the_merchant_in_an_order() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        method = dict(parse_qsl(request.content.decode()))["method"]
        if "vender" in method:
            return httpx.Response(200, json={"error_response": {"code": "24"}})
        order = {"orderId": "290000000001", "venderId": "10000009"}
        result = {"apiResult": {"success": True}, "orderTotal": 1, "orderInfoList": [order]}
        return httpx.Response(200, json={"x_responce": {"code": "0", "searchorderinfo_result": result}})

    http, _ = http_over(handler)
    assert Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory()).identify() == "10000009"


def test_an_app_without_the_sp_api_says_so() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "api-cn.jd.com":
            assert request.url.path == "/rest/sp-order/v0/carriers"
            return httpx.Response(403, json={"success": False, "errorList": [{"code": "1", "message": "x"}]})
        result = {"apiResult": {"success": True}, "orderTotal": 1, "orderInfoList": [{"venderId": 7}]}
        inside = {"code": "0", "searchorderinfo_result": result, "vender_info_result": {"vender_id": 7}}
        return httpx.Response(200, json={"x_responce": inside})

    http, _ = http_over(handler)
    assert Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory()).standing().missing == ("sp-order",)
    alone = SETTINGS | {"parts": "none", "same_recipient": "none"}
    assert Jd(Shop("s", "jd", None, alone), http, TokensInMemory()).standing().missing == ()


def test_an_app_without_grants_says_so() -> None:
    http, _ = http_over(
        lambda request: httpx.Response(
            403 if request.url.host == "api-cn.jd.com" else 200, json={"error_response": {"code": "24"}}
        )
    )
    with pytest.raises(Unauthorized) as failure:
        Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory()).standing()
    assert failure.value.code == "permission"


# --- the login


def log_in(here: World) -> Jd:
    shop = here.shop(access_token="")
    url = shop.login_url("state-1", "http://127.0.0.1/back")
    answer = httpx.get(url)
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["state-1"]
    shop.exchange(query["code"][0], "http://127.0.0.1/back")
    return shop


def test_a_login_is_kept_and_used(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        with pytest.raises(Unauthorized) as failure:
            here.shop(access_token="").identify()
        assert failure.value.code == "no_token"
        shop = log_in(here)
        kept = here.tokens["jd-demo"]
        assert kept["expires_at"] == shift(here.http.instant(), 30 * 86_400)
        assert shop.identify() == "10000001"
        assert shop.standing().expires_at == kept["expires_at"]


def test_a_login_is_renewed_only_in_its_last_day(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        shop = log_in(here)
        first = here.tokens["jd-demo"]["access_token"]
        with pytest.raises(Refused) as early:
            shop.refresh()
        assert early.value.code == "too_early"
        here.clock.at += 28.5 * 86_400
        shop.identify()
        assert here.tokens["jd-demo"]["access_token"] == first
        here.clock.at += 86_400
        shop.identify()  # by itself
        second = here.tokens["jd-demo"]
        assert second["access_token"] != first
        assert second["expires_at"] == shift(here.http.instant(), 30 * 86_400)


def test_a_login_that_is_over_needs_the_seller(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        shop = log_in(here)
        here.clock.at += 30 * 86_400
        for act in (shop.identify, shop.refresh):
            with pytest.raises(Unauthorized) as failure:
                act()
            assert failure.value.code == "login_over"
            assert failure.value.hint is not None


def test_a_renewal_that_fails_is_no_reason_to_stop(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        shop = log_in(here)
        here.clock.at += 29.5 * 86_400
        here.sandbox.control({"expire_tokens": {"of": "jd-demo", "kinds": ["refresh"]}})
        assert shop.identify() == "10000001"
        assert shop.identify() == "10000001"
        with pytest.raises(Unauthorized) as failure:
            shop.refresh()
        assert failure.value.code == "5"


@BOTH
def test_a_token_the_platform_does_not_know_any_more(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        here.sandbox.expire_tokens()
        with pytest.raises(Unauthorized) as failure:
            list(here.shop(api=api).fetch(now=NOW))
        assert failure.value.code == "token_expired"


@BOTH
def test_a_token_that_another_host_replaced_is_taken_up(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop = log_in(here)
        good = dict(here.tokens["jd-demo"])
        handed = iter(["old"])

        class Replaced(TokensInMemory):
            def token(self, shop: str) -> Mapping[str, str] | None:
                return good | {"access_token": next(handed, good["access_token"])}

        here.tokens = Replaced()
        shop = here.shop(access_token="", api=api)
        (page,) = shop.fetch_orders(sorted(here.refs())[:1], now=NOW)
        assert len(page.records) == 1


def test_a_token_answer_without_a_token() -> None:
    with pytest.raises(Unauthorized):
        parse_token({"code": "1"}, NOW)
    kept = parse_token({"access_token": "a", "expires_in": 60, "xid": "x"}, NOW)
    assert kept == {"access_token": "a", "xid": "x", "expires_at": shift(NOW, 60)}


@BOTH
def test_a_quota_that_is_used_up_stops_the_fetch(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        here.sandbox.set_quota({"jd": 5})
        with pytest.raises(Temporary):
            list(here.shop(api=api, quota_pause_s="300").fetch(now=NOW))


# --- the same recipient


@BOTH
def test_same_recipient_is_the_platforms_word(tmp_path: Path, api: str) -> None:
    with world(tmp_path, orders=150) as here:
        shop = here.shop(api=api)
        records = rows(shop.fetch(now=NOW))
        facts = {
            ref: json.loads(text)["same_recipient"] for ref, text in shop.same_recipient(records).items()
        }
        orders = here.sandbox.store.select("shop = 'jd-demo' AND status = 'WAIT_SELLER_STOCK_OUT'", [], "")
        groups = {order.ref: order.body["_group"] for order in orders}
        assert set(facts) == set(groups)
        for (one, group), (other, another) in combinations(groups.items(), 2):
            assert (facts[one] == facts[other]) == (group == another)
        assert here.shop(same_recipient="none").same_recipient(records) == {}


def test_an_app_that_may_not_ask_joins_nothing() -> None:
    def refused(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"success": False, "errorList": [{"code": "1", "message": "x"}]})

    http, _ = http_over(refused)
    shop = Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory())
    order = {"orderState": "WAIT_SELLER_STOCK_OUT", "consigneeInfo": {"oaid": "o"}}
    assert shop.same_recipient([{"platform_ref": "1", "payload": json.dumps(order)}]) == {}


# --- shipping


def request_of(here: World, ref: str, number: str = "73100000000001", **more: Any) -> ShipRequest:
    items = line_refs([{**i, "num": i["itemTotal"]} for i in here.body(ref)["itemInfoList"]])
    lines = tuple(ShipLine(name, int(i["itemTotal"]), int(i["itemTotal"])) for name, i in items.items())
    return ShipRequest(ref, lines, number, more.pop("courier", "ZTO"), whole=True, **more)


def ship_through(shop: Jd, request: ShipRequest) -> Mapping[str, str | None]:
    """Do as the ledger does: after silence look it up, and only what is not there is told again."""
    for _ in range(30):
        try:
            return shop.ship(request)
        except Temporary:
            continue
        except OutcomeUnknown:
            try:
                found = shop.lookup_ship(request)
            except Temporary:
                continue
            if found is not None:
                return found
    raise AssertionError("never settled")


@BOTH
@pytest.mark.parametrize("seed", range(1, 4))
def test_every_order_is_shipped_exactly_once_under_faults(tmp_path: Path, seed: int, api: str) -> None:
    with world(tmp_path) as here:
        shop = here.shop(api=api)
        waiting = here.sandbox.store.select("shop = 'jd-demo' AND status = 'WAIT_SELLER_STOCK_OUT'", [], "")
        refs = [o.ref for o in waiting if not o.body["_parts"] and not o.body["storeOrder"]]
        here.sandbox.set_faults({"seed": seed, "rate": 0.6, "seconds": 0.01})
        for count, ref in enumerate(refs):
            request = request_of(here, ref, f"7310{count:010d}")
            told = ship_through(shop, request)
            assert told == {"state": "shipped", "number": request.number, "dispatch": None}
        here.sandbox.set_faults(None)
        for count, ref in enumerate(refs):
            assert [entry["number"] for entry in here.booked("ship", ref)] == [f"7310{count:010d}"]
            assert here.body(ref)["orderState"] == "WAIT_GOODS_RECEIVE_CONFIRM"


@BOTH
def test_shipping_again_is_success_with_our_number_only(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api=api), here.ref_of("WAIT_SELLER_STOCK_OUT")
        request = request_of(here, ref)
        assert shop.lookup_ship(request) is None
        assert shop.ship(request) == shop.ship(request) == shop.lookup_ship(request)
        assert len(here.booked("ship", ref)) == 1
        for act in (shop.ship, shop.lookup_ship):
            with pytest.raises(Refused) as failure:
                act(request_of(here, ref, "73100000000002"))
            assert failure.value.code == "shipped_elsewhere"


@BOTH
@pytest.mark.parametrize(
    ("state", "number", "courier", "code"),
    [
        ("LOCKED", "73100000000001", "ZTO", "refunding"),
        ("TRADE_CANCELED", "73100000000001", "ZTO", "refunding"),
        ("POP_ORDER_PAUSE", "73100000000001", "ZTO", "held"),
        ("WAIT_SEND_CODE", "73100000000001", "ZTO", "held"),
        ("WAIT_SELLER_STOCK_OUT", "1", "ZTO", "bad_number"),
        ("WAIT_SELLER_STOCK_OUT", "73100000000001", "UC", "courier_unknown"),
        ("WAIT_SELLER_STOCK_OUT", "73100000000001", "NOBODY", "courier_unknown"),
    ],
)
def test_refusals_are_told_apart(
    tmp_path: Path, api: str, state: str, number: str, courier: str, code: str
) -> None:
    with world(tmp_path) as here:
        ref = here.ref_of(state)
        with pytest.raises(Refused) as failure:
            here.shop(api=api).ship(request_of(here, ref, number, courier=courier))
        assert failure.value.code == code
        assert here.booked("ship", ref) == []


@BOTH
def test_an_order_nobody_knows(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        request = ShipRequest("99", (), "73100000000001", "ZTO", whole=True)
        for act in (here.shop(api=api).ship, here.shop(api=api).lookup_ship):
            with pytest.raises(Refused) as failure:
                act(request)
            assert failure.value.code == "order_not_found"


@BOTH
def test_several_parcels_of_one_order(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api=api), here.ref_of("WAIT_SELLER_STOCK_OUT")
        request = request_of(here, ref, more=("73100000000002", "73100000000003"))
        shop.ship(request)
        (entry,) = here.booked("ship", ref)
        assert entry["detail"]["numbers"] == list(request.numbers)
        assert here.body(ref)["waybill"] == "73100000000001,73100000000002,73100000000003"
        fixed = request_of(here, ref, "73100000000009", more=("73100000000001", "73100000000003"))
        assert shop.lookup_amend(fixed, "73100000000002") is None
        assert shop.amend(fixed, "73100000000002") == {
            "state": "corrected",
            "number": "73100000000009",
            "dispatch": None,
        }
        assert here.body(ref)["waybill"] == "73100000000001,73100000000009,73100000000003"


def test_a_shop_without_the_sp_api_ships_whole_orders_only(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        ref = here.ref_of("WAIT_SELLER_STOCK_OUT", lines=3)
        whole = request_of(here, ref)
        part = ShipRequest(ref, whole.lines[:1], whole.number, "ZTO", whole=False)
        with pytest.raises(Refused) as failure:
            here.shop(parts="none").ship(part)
        assert failure.value.code == "partial_line"


@BOTH
def test_parts_of_an_order_leave_one_after_the_other(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api=api), here.ref_of("WAIT_SELLER_STOCK_OUT", lines=3)
        whole = request_of(here, ref)
        first = ShipRequest(ref, whole.lines[:1], "73100000000001", "ZTO", whole=False)
        rest = ShipRequest(ref, whole.lines[1:], "73100000000002", "ZTO", whole=True)
        assert shop.ship(first) == shop.ship(first)
        assert here.body(ref)["orderState"] == "WAIT_SELLER_STOCK_OUT"
        assert shop.lookup_ship(rest) is None
        assert shop.ship(rest) == shop.ship(rest)
        assert here.body(ref)["orderState"] == "WAIT_GOODS_RECEIVE_CONFIRM"
        assert [entry["number"] for entry in here.booked("ship", ref)] == ["73100000000001", "73100000000002"]
        pieces = sum(u["quantity"] for entry in here.booked("ship", ref) for u in entry["detail"]["lines"])
        assert pieces == sum(line.quantity for line in whole.lines)
        fixed = ShipRequest(ref, whole.lines[:1], "73100000000009", "ZTO", whole=False)
        if api == "jos":  # it tells all numbers anew, which the stand-in refuses for parts
            shop = here.shop(api="sp")
        shop.amend(fixed, "73100000000001")
        assert here.body(ref)["waybill"] == "73100000000009,73100000000002"
        with pytest.raises(Refused) as failure:
            shop.ship(
                ShipRequest(ref, (ShipLine("no such line", 1, 1),), "73100000000005", "ZTO", whole=False)
            )
        assert failure.value.code in ("partial_line", "shipped_elsewhere")


@BOTH
def test_the_rest_of_an_order_may_be_told_before_its_first_part(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api=api), here.ref_of("WAIT_SELLER_STOCK_OUT", lines=3)
        whole = request_of(here, ref)
        rest = ShipRequest(ref, whole.lines[1:], "73100000000002", "ZTO", whole=True)
        first = ShipRequest(ref, whole.lines[:1], "73100000000001", "ZTO", whole=False)
        shop.ship(rest)
        shop.ship(first)
        told = [[u["line"] for u in entry["detail"]["lines"]] for entry in here.booked("ship", ref)]
        assert told == [[line.line_ref for line in rest.lines], [line.line_ref for line in first.lines]]


def test_several_parcels_of_a_part_tell_the_first_number(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api="sp"), here.ref_of("WAIT_SELLER_STOCK_OUT", lines=3)
        whole = request_of(here, ref)
        part = ShipRequest(
            ref, whole.lines[:1], "73100000000001", "ZTO", whole=False, more=("73100000000002",)
        )
        assert shop.ship(part)["untold"] == "73100000000002"
        assert here.booked("ship", ref)[0]["detail"]["numbers"] == ["73100000000001"]


@BOTH
def test_a_number_is_corrected_once(tmp_path: Path, api: str) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(api=api), here.ref_of("WAIT_SELLER_STOCK_OUT")
        fixed = request_of(here, ref, "SF0000000000001", courier="SF")
        with pytest.raises(Refused) as failure:
            shop.amend(fixed, "73100000000001")
        assert failure.value.code == "not_shippable"
        shop.ship(request_of(here, ref))
        assert shop.lookup_amend(fixed, "73100000000001") is None
        told = {"state": "corrected", "number": "SF0000000000001", "dispatch": None}
        assert shop.amend(fixed, "73100000000001") == told
        assert shop.amend(fixed, "73100000000001") == shop.lookup_amend(fixed, "73100000000001") == told
        (entry,) = here.booked("amend", ref)
        assert (entry["number"], entry["detail"]["before"]) == ("SF0000000000001", ["73100000000001"])
        assert here.body(ref)["logisticsId"] == "467"
        with pytest.raises(Refused) as failure:
            shop.amend(request_of(here, ref, "73100000000007"), "73100000000006")
        assert failure.value.code == "shipped_elsewhere"


def test_a_shop_without_a_way_to_correct(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        request = request_of(here, here.ref_of("WAIT_SELLER_STOCK_OUT"))
        with pytest.raises(Refused) as failure:
            here.shop(amend_method="none").amend(request, "1")
        assert failure.value.code == "no_amend"


def test_own_delivery_leaves_no_number_behind(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        shop, ref = here.shop(), here.ref_of("WAIT_SELLER_STOCK_OUT")
        request = request_of(here, ref, "OWN-1", courier="SELF")
        assert shop.ship(request) == shop.ship(request) == shop.lookup_ship(request)
        assert here.body(ref)["waybill"] == ""


def test_words_of_a_shop_are_tried_first(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        request = request_of(here, here.ref_of("WAIT_SELLER_STOCK_OUT"), "1")
        with pytest.raises(Refused) as failure:
            here.shop(**{"words.held": "不符合规则", "words.bad_number": "", "words.refunding": "规则"}).ship(
                request
            )
        assert failure.value.code == "refunding"


def test_numbers_of_several_couriers_are_exchanged_in_their_place() -> None:
    now = Progress("X", "1499|467", ("a", "b", "s"), "a,b|s")
    assert exchanged(now, "b", "n", "1499") == ("1499|467", "a,n|s")
    assert exchanged(now, "b", "n", "463") == ("1499|463|467", "a|n|s")
    assert exchanged(now, "s", "n", "463") == ("1499|463", "a,b|n")


def test_it_pushes_nothing() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    with pytest.raises(Refused) as failure:
        Jd(Shop("s", "jd", None, SETTINGS), http, TokensInMemory()).event_orders({}, b"{}")
    assert failure.value.code == "no_events"
