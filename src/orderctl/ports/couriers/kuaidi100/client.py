"""Kuaidi100: one account that gives numbers and labels of all couriers.

The one invariant: every order carries our reference and `reorder=false`, so the same reference gets the same number
for 48 hours, whatever happened to the answer.

Settings: `key`, `secret`; `partner_id` and where the courier asks for them `partner_key`, `partner_secret`,
`partner_name`, `net`, `code`, `check_man`; `template` (its id for label pictures), `pay_type` (SHIPPER),
`service` (a default); each may be given for one courier as `name.CODE`, and `courier.CODE` renames a courier; `seals`
(kinds of sealed recipients the account can have opened, besides `taobao/oaid` and `jd/oaid`).

Source: the vendor's label API, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar
from urllib.parse import urlencode

from orderctl.model.errors import OutcomeUnknown, PortError, Refused
from orderctl.model.instant import parse_instant
from orderctl.model.text import Text
from orderctl.ports.couriers.kuaidi100.meaning import classify
from orderctl.ports.couriers.port import (
    Account,
    Capabilities,
    Party,
    SuppliedLabel,
    TakeNumber,
    Waybill,
    WaybillRequest,
)
from orderctl.ports.http import Http, Request, parse_json, unreadable

PRODUCTION = "https://api.kuaidi100.com"
CALLS_PER_S = 5.0
LABEL_MAX = 5 * 1024 * 1024
REPEAT_S = 47 * 3600  # the vendor promises 48 hours; one is kept for clocks and queues
PARTNER = {
    "partnerId": "partner_id",
    "partnerKey": "partner_key",
    "partnerSecret": "partner_secret",
    "partnerName": "partner_name",
    "net": "net",
    "code": "code",
    "checkMan": "check_man",
}
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF-": "application/pdf"}

SEALS = frozenset({"taobao/oaid", "jd/oaid"})
"""Sealed recipients it takes as they are (`oaid`); others by the account's setting `seals`, by commas."""


def sign(param: str, t: str, key: str, secret: str) -> str:
    """Give the signature of a label call: MD5 of the plain concatenation, upper-case hex."""
    return hashlib.md5((param + t + key + secret).encode(), usedforsecurity=False).hexdigest().upper()


class Kuaidi100:
    """One account at Kuaidi100."""

    name: ClassVar[str] = "kuaidi100"
    settling_s: ClassVar[int] = 0

    def __init__(self, account: Account, *, http: Http, take_number: TakeNumber) -> None:  # noqa: ARG002
        seals = {seal.strip() for seal in account.settings.get("seals", "").split(",")} - {""}
        self.capabilities = Capabilities(
            supplies_label=True, seals=SEALS | seals, void=True, repeat_within_s=REPEAT_S
        )
        self._account = account
        self._http = http
        self._key = account.setting("key")
        self._secret = account.setting("secret")
        self._base = (account.base_url or PRODUCTION).rstrip("/")
        table: dict[str, str] = json.loads(files(__package__).joinpath("couriers.json").read_text("utf-8"))
        self._couriers = table

    def buy(self, request: WaybillRequest) -> Waybill:
        data = self._call("order", plan_order(request, self._account, self._courier(request)))
        waybill = parse_waybill(data)
        try:
            # The number is bought: a picture that cannot be read now must not make it look as if it were not.
            return _with_label(waybill, self.fetch_label(request, waybill))
        except PortError:
            return waybill

    def lookup(self, request: WaybillRequest, *, started_at: str, now: str) -> Waybill | None:
        age_s = (parse_instant(now) - parse_instant(started_at)).total_seconds()
        if age_s > REPEAT_S:
            raise OutcomeUnknown(
                Text("{reference}: the number can no longer be asked for", reference=request.reference),
                hint=Text("look for it in the issuer's console, then settle it with orderctl ledger resolve"),
                code="too_old",
            )
        return self.buy(request)

    def fetch_label(self, request: WaybillRequest, waybill: Waybill) -> SuppliedLabel | None:
        if not waybill.label_url:
            return None
        answer = self._http.download(
            waybill.label_url, operation="kuaidi100 label", body_max=LABEL_MAX, near=self._base
        )
        for magic, media_type in MAGIC.items():
            if answer.content.startswith(magic):
                return SuppliedLabel(answer.content, media_type, request.width_mm, request.height_mm)
        raise Refused(
            Text("{operation}: it is no picture", operation="kuaidi100 label"), code="label_unreadable"
        )

    def void(self, waybill: Waybill, request: WaybillRequest) -> None:
        param = {
            "kuaidicom": self._courier(request),
            "kuaidinum": waybill.number,
            "orderId": request.reference,
            "taskId": waybill.courier_ref or "",
            **_partner(self._account, request.courier),
        }
        self._call("cancel", {name: value for name, value in param.items() if value})

    def _courier(self, request: WaybillRequest) -> str:
        found = self._account.settings.get(f"courier.{request.courier}") or self._couriers.get(
            request.courier
        )
        if not found:
            raise Refused(
                Text(
                    "issuer {issuer}: no code for courier '{courier}'",
                    issuer=self._account.id,
                    courier=request.courier,
                ),
                hint=Text("set courier.{courier} for the issuer", courier=request.courier),
                code="courier_unknown",
            )
        return found

    def _call(self, method: str, param: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(param, ensure_ascii=False, separators=(",", ":"))
        t = str(int(parse_instant(self._http.instant()).timestamp() * 1000))
        form = {"method": method, "key": self._key, "t": t, "param": text}
        form["sign"] = sign(text, t, self._key, self._secret)
        operation = f"kuaidi100 {method}"
        request = Request(
            "POST",
            f"{self._base}/label/order",
            operation,
            app=self._key,
            headers={"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"},
            content=urlencode(form).encode(),
            per_second=CALLS_PER_S,
        )
        answer = self._http.call(request, changes=True, classify=partial(classify, operation=operation))
        data = parse_json(answer.content).get("data")
        return data if isinstance(data, dict) else {}


def plan_order(request: WaybillRequest, account: Account, courier: str) -> dict[str, Any]:
    """Give the parameters of an order. Amounts are written in yuan, weights in kilograms. Pure."""
    param: dict[str, Any] = {
        "kuaidicom": courier,
        "orderId": request.reference,
        "reorder": False,
        "printType": "IMAGE",
        "recMan": _party(request.recipient),
        "sendMan": _party(request.sender),
        "cargo": request.goods,
        "count": request.parcels,
        "payType": account.for_courier("pay_type", request.courier) or "SHIPPER",
        "expType": request.service or account.for_courier("service", request.courier),
        "tempId": account.for_courier("template", request.courier),
        "width": str(request.width_mm),
        "height": str(request.height_mm),
        "remark": request.remark,
        **_partner(account, request.courier),
    }
    if request.parcels > 1:
        param["needChild"] = "1"
    if request.weight_g is not None:
        param["weight"] = _decimal(request.weight_g, 3)
    if request.insured_minor:
        param["valinsPay"] = _decimal(request.insured_minor, 2)
    if request.collect_minor:
        param["collection"] = _decimal(request.collect_minor, 2)
    if request.seal:
        param |= {"oaid": request.seal.ref, "thirdOrderId": request.seal.order_ref}
    return {name: value for name, value in param.items() if value not in ("", None)}


def parse_waybill(data: dict[str, Any]) -> Waybill:
    """Read an order's answer. Raises: OutcomeUnknown if there is no number in it, though it was a success."""
    number = _text(data.get("kuaidinum"))
    if number is None:
        raise unreadable("kuaidi100 order")
    children = (_text(data.get("childNum")) or "").split(",")
    return Waybill(
        number=number,
        courier_ref=_text(data.get("taskId")),
        children=tuple(child.strip() for child in children if child.strip()),
        sort_code=_text(data.get("bulkpen")) or _text(data.get("destSortingCode")),
        package_centre=_text(data.get("pkgName")),
        qr=_text(data.get("qrCode")),
        label_url=_text(data.get("label")),
    )


def _with_label(waybill: Waybill, label: SuppliedLabel | None) -> Waybill:
    return Waybill(
        waybill.number,
        waybill.courier_ref,
        waybill.children,
        waybill.sort_code,
        waybill.package_centre,
        waybill.qr,
        label,
        waybill.label_url,
    )


def _partner(account: Account, courier: str) -> dict[str, str]:
    return {theirs: account.for_courier(ours, courier) for theirs, ours in PARTNER.items()}


def _party(party: Party) -> dict[str, str]:
    address = "".join((party.province, party.city, party.district, party.street))
    found = {"name": party.name, "mobile": party.phone, "printAddr": address, "company": party.company}
    return {name: value for name, value in found.items() if value}


def _decimal(whole: int, digits: int) -> str:
    """Write an integer count of small units as decimal text without trailing zeros: 1500 g is 1.5 kg."""
    text = f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
    return text.rstrip("0").rstrip(".")


def _text(value: object) -> str | None:
    """Give text or number as text; None for what is missing or empty."""
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    return text or None
