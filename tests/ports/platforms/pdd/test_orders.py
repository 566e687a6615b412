"""Pinduoduo: reading shifting lists completely, half an hour or a day at a time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from orderctl.model.errors import Refused, Temporary
from orderctl.ports.platforms.pdd.orders import CHANGED, CONFIRMED, DETAIL
from orderctl.ports.platforms.port import shift
from orderctl.ports.platforms.reading import parse_cursor
from tests.ports.http.clock import EPOCH, NOW
from tests.ports.platforms.pdd.rehearsal import failed, over, payload, rows, world

DAY = 86_400


class Listed:
    """A platform of orders at seconds, as strict about what is asked as the sheet says; it notes what it was asked."""

    def __init__(self, confirmed: dict[str, int], deposits: tuple[str, ...] = ()) -> None:
        self.confirmed, self.changed, self.deposits = confirmed, dict(confirmed), deposits
        self.asked: list[tuple[str, int, int]] = []
        self.now = EPOCH

    def __call__(self, form: dict[str, str]) -> Any:
        method = form["type"]
        kind = {CHANGED: "updated_at", CONFIRMED: "confirm_at"}[method]
        begin, end = int(form[f"start_{kind}"]), int(form[f"end_{kind}"])
        self.asked.append((method, begin, end))
        assert end - begin <= (1_800 if method == CHANGED else DAY)
        assert self.now - 90 * DAY <= begin <= end <= self.now - 180
        assert (form["order_status"], form["refund_status"], form["page_size"]) == ("5", "5", "100")
        assert form.get("is_lucky_flag") == ("0" if method == CHANGED else None)
        assert "use_has_next" not in form
        times = self.changed if method == CHANGED else self.confirmed
        found = sorted(ref for ref, at in times.items() if begin <= at <= end)
        if method == CONFIRMED:
            wanted = form.get("trade_type", "0")
            found = [ref for ref in found if (ref in self.deposits) == (wanted == "1")]
        page = int(form["page"])
        orders = [{"order_sn": ref} for ref in found[(page - 1) * 100 : page * 100]]
        envelope, name = {
            CHANGED: ("order_sn_increment_get_response", "order_sn_list"),
            CONFIRMED: ("order_list_get_response", "order_list"),
        }[method]
        return {envelope: {name: orders, "total_count": len(found), "has_next": False}}


def some(count: int, every_s: int) -> dict[str, int]:
    return {f"261101-{n:015d}": EPOCH - 600 - n * every_s for n in range(count)}


def test_a_first_fetch_goes_by_days_and_finds_all_kinds_of_orders() -> None:
    orders = some(700, 9_000)
    platform = Listed(orders, deposits=tuple(orders)[::7])
    shop, _, _ = over(platform)
    pages = list(shop.fetch(now=NOW))
    assert Counter(row["platform_ref"] for row in rows(pages)) == Counter(orders.keys())
    assert {method for method, *_ in platform.asked} == {CONFIRMED}
    assert len(platform.asked) < 400
    cursor = parse_cursor(pages[-1].cursor)
    assert cursor is not None
    assert cursor.until == shift(NOW, -180)


def test_the_next_fetch_goes_by_changes() -> None:
    orders = some(40, 9_000)
    platform = Listed(orders)
    shop, _, _ = over(platform)
    cursor = list(shop.fetch(now=NOW))[-1].cursor
    ref = "261101-000000000000007"
    platform.changed[ref], platform.now, platform.asked = EPOCH + 10, EPOCH + 3_600, []
    assert [r["platform_ref"] for r in rows(shop.fetch(now=shift(NOW, 3_600), cursor=cursor))] == [ref]
    assert {method for method, *_ in platform.asked} == {CHANGED}
    assert min(begin for _, begin, _ in platform.asked) == EPOCH - 180 - 300  # five minutes are read again


def test_a_first_fetch_that_was_interrupted_goes_on_by_changes() -> None:
    """What changed of the orders read before the interruption must be met too."""
    platform = Listed(some(250, 200))
    shop, _, _ = over(platform, history_days="3")
    met, cursor = set(), None
    for page in shop.fetch(now=NOW):
        met |= {row["platform_ref"] for row in page.records}
        cursor = page.cursor or cursor
        if len(met) > 100:
            break
    assert len(met) < 250
    early = max(met, key=str)
    platform.changed[str(early)], platform.now = EPOCH + 10, EPOCH + 3_600
    again = rows(shop.fetch(now=shift(NOW, 3_600), cursor=cursor))
    assert met | {row["platform_ref"] for row in again} == set(platform.confirmed)
    assert early in {row["platform_ref"] for row in again}


def test_a_crowded_day_is_divided_but_never_below_what_tells_the_lists_apart() -> None:
    orders = some(3_000, 20)
    platform = Listed(orders, deposits=tuple(orders)[::2])
    shop, _, _ = over(platform, history_days="2")
    assert {row["platform_ref"] for row in rows(shop.fetch(now=NOW))} == set(orders)
    assert {method for method, *_ in platform.asked} == {CONFIRMED}
    assert min(end - begin for _, begin, end in platform.asked) > 1_800


@pytest.mark.parametrize("by", ["updated", "created"])
def test_a_look_back_moves_no_cursor(by: Any) -> None:
    platform = Listed(some(90, 700))
    shop, _, _ = over(platform)
    until = shift(NOW, -40_000)
    found = list(shop.fetch(now=NOW, since=shift(NOW, -60_000), until=until, by=by))
    assert {row["platform_ref"] for row in rows(found)} == {
        ref for ref, at in platform.confirmed.items() if EPOCH - 60_000 <= at <= EPOCH - 40_000
    }
    assert all(page.cursor is None for page in found)
    assert {method for method, *_ in platform.asked} == {CHANGED if by == "updated" else CONFIRMED}


@pytest.mark.parametrize("total", ["many", None, -1])
def test_a_count_that_is_none_is_no_empty_window(total: Any) -> None:
    answer = {"order_list_get_response": {"order_list": [], "total_count": total}}
    shop, _, _ = over(lambda _: answer)
    with pytest.raises(Temporary):
        list(shop.fetch(now=NOW))


def test_entries_without_a_number_are_told() -> None:
    platform = Listed(some(1, 1))

    def strange(form: dict[str, str]) -> Any:
        answer = platform(form)
        for orders in answer["order_list_get_response"].values():
            if isinstance(orders, list) and orders:
                orders.append({"order_sn": ""})
        return answer

    shop, _, _ = over(strange)
    pages = list(shop.fetch(now=NOW))
    assert len(rows(pages)) == 1
    assert [str(text) for page in pages for text in page.warnings] == [
        f"{CHANGED}: 1 entries without an order number"
    ]


def test_orders_by_number() -> None:
    def platform(form: dict[str, str]) -> Any:
        ref = form["order_sn"]
        if ref == "gone":
            return failed(50001, "业务服务错误", "订单不存在")
        if ref == "strange":
            return {"order_info_get_response": {"order_info": None}}
        fees = [{"service_fee": 3, "service_name": "x"}]
        return {"order_info_get_response": {"order_info": {"order_sn": ref}}, "service_fee_detail": fees}

    shop, _, _ = over(platform)
    refs = [f"261101-{n}" for n in range(25)]
    pages = list(shop.fetch_orders([*refs, "gone", "strange"], now=NOW))
    assert [row["platform_ref"] for row in rows(pages)] == refs
    assert [ref for page in pages for ref in page.missing] == ["gone", "strange"]
    first = rows(pages)[0]
    assert (first["format"], first["source"], first["updated_at"]) == ("pdd/order", DETAIL, None)
    assert payload(first)["service_fee_detail"] == [{"service_fee": 3, "service_name": "x"}]
    shop, _, _ = over(lambda _: failed(50001, "业务服务错误", "别的原因"))
    with pytest.raises(Refused):
        list(shop.fetch_orders(refs, now=NOW))


@pytest.mark.parametrize("name", ["pdd-demo", "pdd-group"])
def test_recipients_are_proven_equal_by_index_or_by_the_platforms_id(tmp_path: Path, name: str) -> None:
    with world(tmp_path, orders=120) as rehearsal:
        shop = rehearsal.shop(name)
        first = rehearsal.sandbox.add_orders(1, shop=name)[0].ref
        (same,) = rehearsal.sandbox.add_orders(1, same_recipient_as=f"{name}:{first}")
        other = rehearsal.sandbox.add_orders(1, shop=name)[0].ref
        records = rows(shop.fetch_orders([first, same.ref, other], now=rehearsal.now()))
        assert shop.same_recipient(records) == {}
        orders = [payload(row) for row in records]
        if name == "pdd-group":
            assert (
                orders[0]["open_address_id"] == orders[1]["open_address_id"] != orders[2]["open_address_id"]
            )
        else:
            assert "open_address_id" not in orders[0]
        assert orders[0]["receiver_phone"] != orders[1]["receiver_phone"]  # sealed anew in every order
        assert orders[0]["receiver_phone"].split("$")[1] == orders[1]["receiver_phone"].split("$")[1]


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_order_arrives_under_faults(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=60) as rehearsal:
        shop = rehearsal.shop(history_days="5")
        calm = {row["platform_ref"]: row["payload"] for row in rows(shop.fetch(now=rehearsal.now()))}
        assert set(calm) == set(rehearsal.bodies())
        rehearsal.sandbox.set_faults({"seed": seed, "rate": 0.25, "seconds": 0.01})
        pages = list(shop.fetch(now=rehearsal.now()))
        assert {row["platform_ref"]: row["payload"] for row in rows(pages)} == calm
        assert all(page.certificate.complete for page in pages if page.certificate)
