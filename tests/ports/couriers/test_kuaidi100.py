"""Kuaidi100: signatures, meaning of answers, one number for one reference, labels."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.couriers import COURIERS, courier_name
from orderctl.model.errors import ConfigError, OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.ports import platforms
from orderctl.ports.couriers import load
from orderctl.ports.couriers.kuaidi100.client import Kuaidi100, _decimal, parse_waybill, plan_order, sign
from orderctl.ports.couriers.kuaidi100.meaning import classify
from orderctl.ports.couriers.port import Account, Party, Seal, Waybill, WaybillRequest
from orderctl.ports.http import Http
from orderctl.ports.platforms.port import shift
from tests.ports.http.rehearsal import KUAIDI100, NOW, World, http_over, world

PORTS = Path(__file__).parents[3] / "src/orderctl/ports"
SENDER = Party("样例寄件人", "13800000002", "浙江省", "杭州市", "西湖区", "样例路2号")
RECIPIENT = Party("样例收件人", "13800000001", "广东省", "广州市", "天河区", "样例路1号")
REQUEST = WaybillRequest("S-1", "YTO", SENDER, RECIPIENT, "样例商品", weight_g=1500)


def never(range_id: str, first: str, last: str, for_key: str) -> str:
    raise AssertionError("no range here")


def issuer(rehearsal: World, **settings: str) -> Kuaidi100:
    account = Account("kd", rehearsal.url + "/kuaidi100", KUAIDI100 | settings)
    return Kuaidi100(account, http=rehearsal.http, take_number=never)


def test_signature_vector() -> None:
    param = '{"kuaidicom":"yuantong","orderId":"T-1"}'
    assert sign(param, "1700000000000", "demoKey", "demoSecret") == "1F1528CD38A946DCAA4A24607CDAB8E5"


def answer(code: object, *, success: bool = False, data: object = None) -> bytes:
    return json.dumps(
        {"success": success, "code": code, "message": "样例收件人 13800000001", "data": data}
    ).encode()


MEANINGS: list[tuple[bytes, type[PortError] | None]] = [
    (answer(200, success=True, data={"kuaidinum": "1"}), None),
    (answer(400), Refused),
    (answer("30004"), Refused),
    (answer(500), OutcomeUnknown),
    (answer(501), OutcomeUnknown),
    (answer(502), Temporary),
    (answer(503), Unauthorized),
    (answer(601), Unauthorized),
    (answer("样例收件人"), Refused),
    (answer(""), OutcomeUnknown),
    (b'{"result":false,"returnCode":"503","message":"x"}', Unauthorized),
    (b'{"success":"true"}', OutcomeUnknown),
    (b"[]", OutcomeUnknown),
    (b"<html>", OutcomeUnknown),
]


@pytest.mark.parametrize(("body", "kind"), MEANINGS)
def test_meaning_of_an_answer(body: bytes, kind: type[PortError] | None) -> None:
    found = classify(200, {}, body, operation="op")
    assert (type(found) if found else None) is kind
    assert "13800000001" not in (found.render() + found.render("zh") if found else "")


def test_a_number_and_its_label(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        waybill = issuer(rehearsal).buy(REQUEST)
        assert waybill.number.startswith("YT")
        assert waybill.label is not None
        assert (waybill.label.media_type, waybill.label.width_mm, waybill.label.height_mm) == (
            "image/png",
            76,
            130,
        )
        assert waybill.label.content.startswith(b"\x89PNG")
        assert waybill.sort_code
        assert waybill.package_centre
        assert waybill.courier_ref
        (entry,) = rehearsal.sandbox.books("waybill")
        assert entry["subject"] == "S-1"
        assert entry["request"]["reorder"] is False
        assert entry["request"]["weight"] == "1.5"
        assert issuer(rehearsal).fetch_label(REQUEST, waybill) == waybill.label


@pytest.mark.parametrize("seed", range(1, 5))
def test_one_reference_costs_one_number_whatever_happens(tmp_path: Path, seed: int) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        rehearsal.faults(seed, 0.6)
        kd, numbers = issuer(rehearsal), {}
        for n in range(12):
            request = dataclasses.replace(REQUEST, reference=f"S-{n}")
            begun, waybill = rehearsal.http.instant(), None
            while waybill is None:
                try:
                    waybill = kd.buy(request)
                except Temporary:
                    continue
                except OutcomeUnknown:
                    try:
                        waybill = kd.lookup(request, started_at=begun, now=rehearsal.http.instant())
                    except (Temporary, OutcomeUnknown):
                        continue
            numbers[request.reference] = waybill.number
        books = [(entry["subject"], entry["number"]) for entry in rehearsal.sandbox.books("waybill")]
        assert dict(books) == numbers
        assert len(books) == len(numbers) == 12


def test_after_two_days_a_person_is_asked(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        kd = issuer(rehearsal)
        number = kd.buy(REQUEST).number
        again = kd.lookup(REQUEST, started_at=NOW, now=shift(NOW, 46 * 3600))
        assert again is not None
        assert again.number == number
        with pytest.raises(OutcomeUnknown) as caught:
            kd.lookup(REQUEST, started_at=NOW, now=shift(NOW, 48 * 3600))
        assert caught.value.code == "too_old"


def test_a_label_that_cannot_be_read_does_not_lose_the_number(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        rehearsal.sandbox.set_faults([["kuaidi100:label", [1, 2], "5xx"]])
        once = Http(NOW, monotonic=rehearsal.clock, sleep=rehearsal.clock.sleep, tries=1)
        with once:
            account = Account("kd", rehearsal.url + "/kuaidi100", KUAIDI100)
            kd = Kuaidi100(account, http=once, take_number=never)
            waybill = kd.buy(REQUEST)
        assert waybill.number
        assert waybill.label is None
        rehearsal.sandbox.set_faults(None)
        assert issuer(rehearsal).fetch_label(REQUEST, waybill) is not None


@pytest.mark.parametrize(
    ("url", "content"),
    [
        ("http://127.0.0.1:631/printers", b"\x89PNG\r\n\x1a\n"),
        ("file:///etc/hostname", b""),
        ("https://labels.example.com/a.png", b"<html>not a picture"),
    ],
)
def test_a_label_address_is_not_trusted(url: str, content: bytes) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=content)
        return httpx.Response(200, content=answer(200, success=True, data={"kuaidinum": "YT1", "label": url}))

    http, _ = http_over(handler)
    kd = Kuaidi100(Account("kd", None, KUAIDI100), http=http, take_number=never)
    waybill = kd.buy(REQUEST)
    assert (waybill.number, waybill.label) == ("YT1", None)
    with pytest.raises(Refused):
        kd.fetch_label(REQUEST, waybill)


def test_a_label_address_without_tls_is_read_with_it() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            assert request.url == "https://labels.example.com/a.png"
            return httpx.Response(200, content=b"\x89PNG\r\n\x1a\n")
        label = "http://labels.example.com/a.png"
        return httpx.Response(
            200, content=answer(200, success=True, data={"kuaidinum": "YT1", "label": label})
        )

    http, _ = http_over(handler)
    waybill = Kuaidi100(Account("kd", None, KUAIDI100), http=http, take_number=never).buy(REQUEST)
    assert waybill.label is not None


def test_a_sealed_recipient_goes_as_it_is(tmp_path: Path) -> None:
    with world(tmp_path, orders=20) as rehearsal:
        order = rehearsal.sandbox.store.select("shop = ?", ["tb-demo"], "")[0]
        masked = Party("样**", "138****0001", "浙江省", "杭州市", "西湖区", "样**")
        request = dataclasses.replace(REQUEST, recipient=masked, seal=Seal(order.body["oaid"], order.ref))
        assert issuer(rehearsal).buy(request).number
        (entry,) = rehearsal.sandbox.books("waybill")
        assert entry["detail"]["sealed"] is True
        with pytest.raises(Refused):
            issuer(rehearsal).buy(
                dataclasses.replace(request, reference="S-2", seal=Seal("wrong", order.ref))
            )


def test_a_number_is_given_back_once(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        kd = issuer(rehearsal)
        waybill = kd.buy(REQUEST)
        kd.void(waybill, REQUEST)
        assert [entry["number"] for entry in rehearsal.sandbox.books("cancel")] == [waybill.number]
        with pytest.raises(Refused):
            kd.void(waybill, REQUEST)


def test_an_empty_balance_and_wrong_keys(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        with pytest.raises(Unauthorized):
            issuer(rehearsal, secret="wrong").buy(REQUEST)
        rehearsal.sandbox.set_quota({"kuaidi100": 0})
        with pytest.raises(Unauthorized):
            issuer(rehearsal).buy(REQUEST)
        assert rehearsal.sandbox.books("waybill") == []


def test_children_of_a_shipment(tmp_path: Path) -> None:
    with world(tmp_path, orders=5) as rehearsal:
        waybill = issuer(rehearsal).buy(dataclasses.replace(REQUEST, parcels=3))
        assert len(waybill.children) == 2


def test_an_unknown_courier_is_refused_before_anything_is_sent() -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    kd = Kuaidi100(Account("kd", None, KUAIDI100), http=http, take_number=never)
    with pytest.raises(Refused) as caught:
        kd.buy(dataclasses.replace(REQUEST, courier="NOBODY"))
    assert caught.value.code == "courier_unknown"


def test_a_success_without_a_number_may_have_cost_one() -> None:
    with pytest.raises(OutcomeUnknown):
        parse_waybill({"taskId": "T"})


def test_settings_of_one_courier_come_first() -> None:
    account = Account("kd", None, KUAIDI100 | {"net": "N", "net.YTO": "Y", "pay_type": "MONTHLY"})
    request = dataclasses.replace(REQUEST, insured_minor=10_050, collect_minor=7, service="标准快递")
    param = plan_order(request, account, "yuantong")
    assert (param["net"], param["payType"], param["expType"]) == ("Y", "MONTHLY", "标准快递")
    assert (param["valinsPay"], param["collection"]) == ("100.5", "0.07")
    assert plan_order(dataclasses.replace(request, courier="ZTO"), account, "zhongtong")["net"] == "N"


@given(st.integers(0, 10**12), st.integers(1, 4))
def test_amounts_are_written_exactly(whole: int, digits: int) -> None:
    from decimal import Decimal

    text = _decimal(whole, digits)
    assert Decimal(text).scaleb(digits) == whole
    assert not text.endswith(".")


def test_what_is_sent_is_what_is_signed() -> None:
    seen: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(dict(parse_qsl(request.content.decode())))
        return httpx.Response(200, content=answer(200, success=True, data={"kuaidinum": "YT1"}))

    http, _ = http_over(handler)
    Kuaidi100(Account("kd", None, KUAIDI100), http=http, take_number=never).buy(REQUEST)
    (form,) = seen
    assert form["sign"] == sign(form["param"], form["t"], KUAIDI100["key"], KUAIDI100["secret"])
    assert "样例收件人" in form["param"]
    assert len(form["t"]) == 13


@pytest.mark.parametrize("name", ["key", "secret"])
def test_missing_settings(name: str) -> None:
    http, _ = http_over(lambda _: pytest.fail("sent"))
    settings = {k: v for k, v in KUAIDI100.items() if k != name}
    with pytest.raises(ConfigError):
        Kuaidi100(Account("kd", None, settings), http=http, take_number=never)


def test_nothing_private_in_representations() -> None:
    shown = repr(REQUEST) + repr(SENDER) + repr(Seal("oaid-text", "1")) + repr(Account("kd", None, KUAIDI100))
    shown += repr(Waybill("YT1", label_url="https://labels.example.com/geheim"))
    for private in ("13800000001", "样例收件人", "样例路", "oaid-text", "sandbox-secret", "geheim"):
        assert private not in shown


def test_tables_speak_of_couriers_we_have() -> None:
    table: Any = json.loads((PORTS / "couriers/kuaidi100/couriers.json").read_text("utf-8"))
    assert set(table) <= set(COURIERS)
    assert all(isinstance(value, str) and value for value in table.values())


def courier_table(platform: str) -> list[dict[str, str]]:
    with (PORTS / "platforms" / platform / "couriers.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        assert reader.fieldnames == ["courier", "code", "name"]
        return list(reader)


@pytest.mark.parametrize("platform", platforms.NAMES)
def test_a_platform_has_one_code_and_name_for_each_courier(platform: str) -> None:
    rows = courier_table(platform)
    for row in rows:
        assert set(row) == {"courier", "code", "name"}, row  # no cell too many
        assert all(value and value == value.strip() for value in row.values()), row
    ours = [row["courier"] for row in rows]
    assert max(Counter(ours).values()) == 1
    assert all(re.fullmatch(r"[A-Z0-9]+([_-][A-Z0-9]+)*", code) for code in ours)
    assert set(ours) & set(COURIERS)


def test_what_several_platforms_know_has_our_name() -> None:
    """Only one platform's own couriers may be known to its table alone."""
    users = Counter(row["courier"] for platform in platforms.NAMES for row in courier_table(platform))
    shared = {code for code, count in users.items() if count > 1}
    assert shared - set(COURIERS) == {"SELF"}  # nobody's name: the seller's own hands


def test_names_of_couriers() -> None:
    assert courier_name("SF") == "顺丰速运"
    assert courier_name("SF", "en") == "SF Express"
    assert courier_name("???") == "???"


def test_registry_names() -> None:
    assert load("kuaidi100") is Kuaidi100
    with pytest.raises(ConfigError):
        load("nobody")
