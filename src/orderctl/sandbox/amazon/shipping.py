"""confirmShipment of the Amazon stand-in.

The one invariant: a package reference names one package of an order for ever; telling it again edits that package,
and no piece is ever in two packages.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from orderctl.sandbox.amazon.errors import ApiError, invalid, not_found
from orderctl.sandbox.amazon.lists import Call, read_time
from orderctl.sandbox.store import Order

_CARRIERS = (
    "USPS|UPS|UPSMI|FedEx|DHL|DHL eCommerce|DHL Express|DHL-Paket|DHL Global Mail|Deutsche Post|DPD|GLS|Hermes|"
    "Hermes Logistik Gruppe|TNT|Yodel|Royal Mail|Parcelforce|Evri|La Poste|Colissimo|Chronopost|Correos Express|Correos|"
    "Seur|MRW|Nacex|Poste Italiane|BRT|SDA|InPost|Polish Post|Post NL|PostNord|Canada Post|PUROLATOR|OnTrac|Lasership|"
    "FedEx SmartPost|Newgistics|Australia Post|StarTrack-ArticleID|Sendle|CouriersPlease|YAMATO|SAGAWA|Japan Post|"
    "JP_EXPRESS|NITTSU|Seino|SF Express|YTO Express|ZTO Express|STO Express|Yunda Express|China Post|Yun Express|4PX|"
    "Yanwen|India Post|BlueDart|Delhivery|DTDC|Ecom Express|Xpressbees|Aramex|Emirates Post|Aras Kargo|PTT Kargo|"
    "Singapore Post|Ninjavan|Correios|Self Delivery|Other"
)
CARRIERS = frozenset(_CARRIERS.split("|"))
TOP = frozenset({"marketplaceId", "packageDetail", "codCollectionMethod"})
DETAIL = frozenset({
    "packageReferenceId", "carrierCode", "carrierName", "shippingMethod", "trackingNumber", "shipDate",
    "shipFromSupplySourceId", "orderItems",
})  # fmt: skip
ITEM = frozenset({"orderItemId", "quantity", "transparencyCodes"})
NOT_CONFIRMED = {"AMAZON_EASY_SHIP", "FBM_SHIP_PLUS", "IN_STORE_PICK_UP"}
WAITS = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")
REFERENCE = re.compile(r"[1-9][0-9]{0,17}")
GONE = "PackageToUpdateNotFound"


def confirm(call: Call, ref: str, delay_s: float) -> None:
    """POST /orders/v0/orders/{orderId}/shipmentConfirmation. Raises: ApiError."""
    try:
        told = json.loads(call.request.body)
    except ValueError:
        raise invalid("The request body is no JSON.") from None
    with call.store.transaction(keep=ApiError):
        order = call.store.find("amazon", call.shop, ref)
        if order is None:
            _refuse(call, ref, told, not_found(ref))
        try:
            detail = _checked(call, order, told)
            items = _pieces(order, detail)
        except ApiError as error:
            _refuse(call, ref, told, error)
        _write(call, order, detail, items, told, delay_s)


def _checked(call: Call, order: Order, told: Any) -> dict[str, Any]:
    """Give `packageDetail` if it is complete and the order can be confirmed at all."""
    if not isinstance(told, dict) or set(told) - TOP:
        raise invalid("Unknown property in the request body.")
    detail: Any = told.get("packageDetail")
    if not isinstance(detail, dict) or set(detail) - DETAIL:
        raise invalid("packageDetail is missing or has an unknown property.")
    if told.get("marketplaceId") != order.body["market"]:
        raise invalid("marketplaceId is not that of the order.")
    reference = detail.get("packageReferenceId")
    if not isinstance(reference, str) or not REFERENCE.fullmatch(reference):
        raise invalid("packageReferenceId must be a string of a positive numeric value.")
    carrier = detail.get("carrierCode")
    if not isinstance(carrier, str) or carrier not in CARRIERS:
        raise invalid("carrierCode is missing or unknown.")
    if carrier == "Other" and not detail.get("carrierName"):
        raise invalid("carrierName is required when carrierCode is Other.")
    number = detail.get("trackingNumber")
    if not isinstance(number, str) or not number.strip() or len(number) > 100:
        raise invalid("trackingNumber is missing.")
    at = read_time("shipDate", str(detail.get("shipDate")))
    if at > call.now or at < order.created:
        raise invalid("shipDate is out of range.")
    body = order.body
    if body["by"] == "AMAZON" or set(body["programs"]) & NOT_CONFIRMED:
        raise invalid("The order cannot be confirmed by this operation.")
    if body["status"] not in WAITS:
        raise invalid("The order is in no state to be confirmed.")
    return detail


def _pieces(order: Order, detail: dict[str, Any]) -> dict[str, int]:
    """Give pieces by line, if the order still has them outside other packages."""
    listed = detail.get("orderItems")
    if not isinstance(listed, list) or not listed:
        raise invalid("orderItems is required.")
    lines = {line["id"]: line for line in order.body["lines"]}
    elsewhere = _elsewhere(order, detail["packageReferenceId"])
    items: dict[str, int] = {}
    for entry in listed:
        if not isinstance(entry, dict) or set(entry) - ITEM:
            raise invalid("An order item has an unknown property.")
        line, count = lines.get(str(entry.get("orderItemId"))), entry.get("quantity")
        if line is None or line["id"] in items or type(count) is not int or count < 1:
            raise invalid("orderItems names an unknown item or no quantity.")
        codes = entry.get("transparencyCodes") or []
        if not isinstance(codes, list) or (line["transparency"] and len(codes) != count):
            raise invalid("transparencyCodes are required for the item.")
        items[line["id"]] = count
    left = {i: line["quantity"] - line["cancelled"] - elsewhere.get(i, 0) for i, line in lines.items()}
    if not any(count > 0 for count in left.values()):
        raise ApiError(400, "InvalidInput", f"{GONE}: nothing of the order is left to be shipped.")
    if any(count > left[i] for i, count in items.items()):
        raise invalid("The quantity is greater than what is left to be shipped.")
    return items


def _elsewhere(order: Order, reference: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for package in order.body["packages"]:
        if package["ref"] != reference:
            for line, count in package["items"].items():
                found[line] = found.get(line, 0) + count
    return found


def _write(
    call: Call, order: Order, detail: dict[str, Any], items: dict[str, int], told: Any, delay_s: float
) -> None:
    """Keep the package, new or edited, and enter the effect into the books."""
    body = order.body
    fresh = {
        "ref": detail["packageReferenceId"], "carrier": detail.get("carrierName") or detail["carrierCode"],
        "number": detail["trackingNumber"], "shipped_at": int(read_time("shipDate", detail["shipDate"])),
        "items": items, "status": "IN_TRANSIT", "seen_at": call.now + delay_s,
    }  # fmt: skip
    before = next((package for package in body["packages"] if package["ref"] == fresh["ref"]), None)
    kind = "ship"
    if before is not None:
        same = all(before[name] == fresh[name] for name in ("carrier", "number", "items"))
        kind = "repeated" if same else "amend"
        before |= fresh | {"seen_at": before["seen_at"]}
    else:
        body["packages"].append(fresh)
    gone = _elsewhere(order, "")
    whole = all(gone.get(line["id"], 0) >= line["quantity"] - line["cancelled"] for line in body["lines"])
    body["status"] = "SHIPPED" if whole else "PARTIALLY_SHIPPED"
    order.status = body["status"]
    if kind != "repeated":
        body["updated"] = int(max(call.now, order.modified))
        call.store.save(order, call.now)
    skus = {line["id"]: line["sku"] for line in body["lines"]}
    lines = [{"line": i, "quantity": count, "sku": skus[i]} for i, count in items.items()]
    extra = {"package": fresh["ref"], "carrier": fresh["carrier"], "lines": lines}
    call.store.book(call.now, "amazon", call.shop, kind, order.ref, fresh["number"], extra, told)


def _refuse(call: Call, ref: str, told: Any, error: ApiError) -> NoReturn:
    """Book the attempt as refused and say no."""
    detail = told.get("packageDetail") if isinstance(told, dict) else None
    number = detail.get("trackingNumber") if isinstance(detail, dict) else None
    shown = number if isinstance(number, str) else None
    call.store.book(
        call.now, "amazon", call.shop, "refused", ref, shown, {"code": error.entry["message"]}, told
    )
    raise error
