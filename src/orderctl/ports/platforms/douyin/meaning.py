"""What the answers of Douyin's gateway mean: pure tables from codes to what to do next.

Every answer comes as HTTP 200. `code` (in old answers `err_no`) says what kind of trouble it is, the number at the
end of `sub_code` which. Their texts may quote a buyer's data and are never shown; only codes and the `log_id` are,
by which the platform finds the call again.

Source: the platform's API guide and the return codes in public SDKs, as collected in the project's fact sheet
(November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

SUCCESS = 10_000
PLATFORM, PERMISSION, TOKEN, BUSINESS, THROTTLED = 20_000, 30_001, 50_001, 50_002, 60_000
MISSING, INVALID = (40_001, 40_002), (40_003, 40_004)
SAFE_CODE = re.compile(r"[A-Za-z0-9._:-]{1,120}")
NUMBER = re.compile(r":(\d{1,8})$")

READ_MEANING = {
    **dict.fromkeys((20_001, 20_014, 20_015), "order_not_found"),
    **dict.fromkeys((20_004, 20_005, 20_045, 20_055), "busy"),
    20_013: "window_too_wide",  # its pages lie too deep
    20_022: "too_old",
}
SHIP_MEANING = {
    **dict.fromkeys((60_110, 70_023), "already_shipped"),
    **dict.fromkeys((60_033, 60_101, 60_102), "order_not_found"),
    **dict.fromkeys((60_021, 60_022, 60_113, 60_137), "not_shippable"),
    **dict.fromkeys((60_040, 60_068, 60_120, 70_005), "refunding"),
    **dict.fromkeys((60_017, 60_127, 60_128, 70_018, 70_019, 70_022), "bad_number"),
    **dict.fromkeys((60_011, 60_018, 60_026, 60_126, 60_138, 700_042), "courier_unknown"),
    **dict.fromkeys((60_109, 60_131), "held"),
    70_020: "address_changed",  # the waybill was made for another recipient
    700_047: "partial_line",
    **dict.fromkeys((60_027, 60_028, 60_070, 60_071, 60_072, 60_134, 700_029), "address_book"),
    **dict.fromkeys((60_046, 60_047, 60_056, 60_062), "serial_number"),
    **dict.fromkeys((60_024, 60_057, 60_107, 60_108, 60_111, 60_116, 60_122, 60_123, 600_111), "not_ours"),
    60_032: "too_many",
    **dict.fromkeys((8_888, 60_106, 60_114, 60_118, 60_121, 60_124, 60_125, 60_132, 70_009, 70_011), "busy"),
    **dict.fromkeys((10_005, 10_009, 10_018, 20_003, 99_997, 120_032), "busy"),
}
SENTENCES = {
    "already_shipped": "{operation}: the order was already shipped, or is closed ({code})",
    "order_not_found": "{operation}: the platform knows no such order ({code})",
    "not_shippable": "{operation}: the order is in a state that cannot be shipped ({code})",
    "refunding": "{operation}: the buyer has asked for a refund ({code})",
    "bad_number": "{operation}: the platform does not accept this tracking number ({code})",
    "courier_unknown": "{operation}: the platform does not accept this courier ({code})",
    "held": "{operation}: the platform holds the order back for now ({code})",
    "address_changed": "{operation}: the waybill was made for another recipient than the order's ({code})",
    "partial_line": "{operation}: the platform does not accept this split ({code})",
    "address_book": "{operation}: the sender's address book entry is wrong ({code})",
    "serial_number": "{operation}: these goods are shipped with their serial numbers ({code})",
    "not_ours": "{operation}: orders of this kind are shipped in another way ({code})",
    "too_many": "{operation}: too many orders at once ({code})",
    "window_too_wide": "{operation}: the list is too long to be read to its end ({code})",
    "too_old": "{operation}: the platform does not list orders of so long ago ({code})",
}


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer of the gateway means; None when it is a result."""
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    told = answer.get("code", answer.get("err_no"))
    if not str(told).lstrip("-").isdecimal():
        return unreadable(operation)
    code = int(str(told))
    if code == SUCCESS or (code == 0 and "err_no" in answer and "code" not in answer):
        return None
    return _meaning(code, str(answer.get("sub_code") or ""), operation, _shown(code, answer))


def _shown(code: int, answer: Mapping[str, Any]) -> str:
    parts = [str(code)]
    for name, text in (("sub_code", "{}"), ("log_id", "log_id {}")):
        found = str(answer.get(name) or "")
        if SAFE_CODE.fullmatch(found):
            parts.append(text.format(found))
    return " ".join(parts)


def _meaning(code: int, sub_code: str, operation: str, shown: str) -> PortError:
    if code == THROTTLED:
        return Temporary(
            Text("{operation}: too many calls ({code})", operation=operation, code=shown),
            code="throttled",
            retry_after_s=1.0,
        )
    if code == PERMISSION:
        return _permission(sub_code, operation, shown)
    if code == TOKEN:
        return Unauthorized(
            Text("{operation}: the platform gives no token ({code})", operation=operation, code=shown),
            hint=Text("log in again with orderctl auth"),
            code=sub_code.rpartition(":")[2] or "token",
        )
    if code in INVALID and (refusal := _credentials(sub_code, operation, shown)):
        return refusal
    word = _word(sub_code, operation) if code in (*INVALID, *MISSING, PLATFORM, BUSINESS) else ""
    if word == "busy":
        return Temporary(
            Text("{operation}: the platform is busy ({code})", operation=operation, code=shown), code="busy"
        )
    if word:
        return Refused(Text(SENTENCES[word], operation=operation, code=shown), code=word)
    if code in (PLATFORM, 90_000):
        return OutcomeUnknown(
            Text("{operation}: the platform failed inside ({code})", operation=operation, code=shown),
            code="platform",
        )
    known = sub_code if SAFE_CODE.fullmatch(sub_code) else str(code)
    return Refused(Text("{operation}: refused ({code})", operation=operation, code=shown), code=known)


def _word(sub_code: str, operation: str) -> str:
    number = NUMBER.search(sub_code)
    table = SHIP_MEANING if operation.startswith("order.logistics") else READ_MEANING
    return table.get(int(number[1]), "") if number else ""


def _permission(sub_code: str, operation: str, shown: str) -> Unauthorized:
    """Tell a missing permission of the app from a seller who does not, or no longer, allow the app in."""
    if sub_code.startswith("dop.authorization"):
        return Unauthorized(
            Text(
                "{operation}: the seller does not allow the app in ({code})", operation=operation, code=shown
            ),
            hint=Text("let the seller authorise the app, then log in again with orderctl auth"),
            code="reauthorise",
        )
    return Unauthorized(
        Text("{operation}: the app has no permission for this ({code})", operation=operation, code=shown),
        code="permission",
    )


def _credentials(sub_code: str, operation: str, shown: str) -> PortError | None:
    if sub_code.startswith("isv.access-token"):
        return Unauthorized(
            Text(
                "{operation}: the access token is missing or has expired ({code})",
                operation=operation,
                code=shown,
            ),
            hint=Text("log in again with orderctl auth"),
            code="token_expired",
        )
    if sub_code.startswith(("isv.signature", "isv.app-id")):
        return Unauthorized(
            Text("{operation}: app key or secret is wrong ({code})", operation=operation, code=shown),
            code="signature",
        )
    if sub_code.startswith("isv.timestamp"):
        return Refused(
            Text("{operation}: the platform refuses our time ({code})", operation=operation, code=shown),
            hint=Text("check the clock of this machine"),
            code="clock",
        )
    return None
