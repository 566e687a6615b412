"""What Taobao's answers mean: pure tables from codes to what to do next.

Every answer comes as HTTP 200; `code` and `sub_code` say what went wrong. Their texts (`sub_msg`) may quote a
buyer's data and are never shown; only the codes are.

Source: TOP error code pages and public shipping programs, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

REFUND = "退款"
BAN = re.compile(r"last for (\d+) more second")
SAFE_CODE = re.compile(r"[A-Za-z0-9._:-]{1,120}")

THROTTLED = frozenset({4, 5, 6, 7, 8})
PERMISSION = frozenset({11, 12, 13})
SESSION = frozenset({26, 27})
SIGNATURE = frozenset({24, 25, 28, 29})
CLOCK = frozenset({30, 31})
BACKEND = 15
GATEWAY_DOWN = 10

SHIP_MEANING: dict[str, str] = {
    "B04": "already_shipped",
    "B27": "already_shipped",
    "B01": "order_not_found",
    "P02": "order_not_found",
    "ORDER_NOT_FOUND_ERROR": "order_not_found",
    "B02": "not_shippable",
    "B55": "not_shippable",
    "B60": "bad_number",
    "P10": "bad_number",
    "F": "bad_number",
    "F01": "bad_number",
    "F02": "bad_number",
    "F03": "bad_number",
    "F04": "bad_number",
    "F05": "bad_number",
    "F06": "bad_number",
    "B59": "bad_number",
    "B52": "courier_unknown",
    "B56": "courier_unknown",
    "B57": "courier_unknown",
    "B58": "courier_unknown",
    "B105": "courier_unknown",
    "B101": "address_book",
    "P25": "split_refused",
    "P38": "split_refused",
    "B06": "split_refused",
    **{f"CD{n}": "split_refused" for n in range(22, 32)},
    "B98": "wrong_kind",
    "CD86": "wrong_kind",
    "B150": "busy",
    "S01": "busy",
    "P03": "token_expired",
}
SENTENCES = {
    "already_shipped": "{operation}: the order was already shipped, or is closed ({code})",
    "order_not_found": "{operation}: the platform knows no such order ({code})",
    "not_shippable": "{operation}: the order is in a state that cannot be shipped ({code})",
    "refunding": "{operation}: a refund of the order is open ({code})",
    "bad_number": "{operation}: the platform does not accept this tracking number ({code})",
    "courier_unknown": "{operation}: the platform does not accept this courier ({code})",
    "address_book": "{operation}: the sender's address book entry is wrong ({code})",
    "split_refused": "{operation}: the platform does not accept this split ({code})",
    "wrong_kind": "{operation}: orders of this kind are shipped in another way ({code})",
}
SHIP_FAMILY = re.compile(r"is[vp]\.logistics-o(?:ff|n)line-service-error:(\w+)$")


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer of the gateway means; None when it is a result."""
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    if "error_response" in answer:
        found = answer["error_response"]
        return _meaning(found, operation) if isinstance(found, dict) else unreadable(operation)
    return None if any(key.endswith("_response") for key in answer) else unreadable(operation)


def _meaning(error: dict[str, Any], operation: str) -> PortError:
    code = int(error["code"]) if str(error.get("code", "")).isdigit() else 0
    sub_code = str(error.get("sub_code") or "")
    shown = f"{code} {sub_code}".strip() if SAFE_CODE.fullmatch(sub_code) else str(code)
    if code in THROTTLED:
        ban = BAN.search(str(error.get("sub_msg") or ""))
        return Temporary(
            Text("{operation}: too many calls ({code})", operation=operation, code=shown),
            code="throttled",
            retry_after_s=float(ban[1]) + 1 if ban else 1.0,
        )
    if code in SESSION:
        return _token_expired(operation, shown)
    if code in PERMISSION:
        return Unauthorized(
            Text("{operation}: the app has no permission for this ({code})", operation=operation, code=shown),
            code="permission",
        )
    if code in SIGNATURE:
        return Unauthorized(
            Text("{operation}: app key or secret is wrong ({code})", operation=operation, code=shown),
            code="signature",
        )
    if code in CLOCK:
        return Refused(
            Text("{operation}: the platform refuses our time ({code})", operation=operation, code=shown),
            hint=Text("check the clock of this machine"),
            code="clock",
        )
    if code == GATEWAY_DOWN:
        return _platform_failed(operation, shown)
    if code == BACKEND:
        return _backend(sub_code, str(error.get("sub_msg") or ""), operation, shown)
    return Refused(
        Text("{operation}: refused ({code})", operation=operation, code=shown), code=sub_code or str(code)
    )


def _backend(sub_code: str, text: str, operation: str, shown: str) -> PortError:
    shipping = SHIP_FAMILY.search(sub_code)
    word = SHIP_MEANING.get(shipping[1], "") if shipping else ""
    if word == "not_shippable" and REFUND in text:  # no code of its own
        word = "refunding"
    if word == "busy":
        return Temporary(
            Text("{operation}: the platform is busy ({code})", operation=operation, code=shown), code="busy"
        )
    if word == "token_expired" or "session" in sub_code:
        return _token_expired(operation, shown)
    if word:
        return Refused(Text(SENTENCES[word], operation=operation, code=shown), code=word)
    if sub_code.startswith("isp."):
        return _platform_failed(operation, shown)
    if "trade-not-exist" in sub_code or "trade-not-found" in sub_code:
        return Refused(
            Text(SENTENCES["order_not_found"], operation=operation, code=shown), code="order_not_found"
        )
    return Refused(
        Text("{operation}: refused ({code})", operation=operation, code=shown), code=sub_code or "15"
    )


def _platform_failed(operation: str, shown: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        Text("{operation}: the platform failed inside ({code})", operation=operation, code=shown),
        code="platform",
    )


def _token_expired(operation: str, shown: str) -> Unauthorized:
    return Unauthorized(
        Text(
            "{operation}: the access token is missing or has expired ({code})",
            operation=operation,
            code=shown,
        ),
        hint=Text("log in again with orderctl auth"),
        code="token_expired",
    )
