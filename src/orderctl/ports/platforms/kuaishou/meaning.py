"""What Kuaishou's answers and states mean: pure tables from codes to what to do next.

Every answer comes as HTTP 200; `result` is 1 when it went well. Delivery rules say their reason only in words, so
these are matched by fragments; no text of the platform is ever shown, only codes.

Source: the platform's developer guides and public SDKs, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

SUCCESS = 1
REVOKED = frozenset({24, 100200102})
TOKEN = frozenset({22, 25, 26})
SIGNATURE = frozenset({27, 28, 100200101})
NOT_OURS = 21
THROTTLED = frozenset({15, 16, 17, 1016, 1017, 802000})
BAD_PARAMETER = frozenset({2001, 100200100})
WINDOW_TOO_WIDE = 300004
BAD_WINDOW = frozenset({300003, 300005, 300019})
DELIVERY_RULE = 11
BAD_GRANT = 100200105
BAD_SCOPE = 100200106
LOGIN_FAILED_INSIDE = 100200500

QPS_WAIT_S = 1.0
QUOTA_WAIT_S = 3_600.0  # a day's quota returns at midnight: longer than any call may wait

RULES: tuple[tuple[str, str], ...] = (
    ("运单号和物流公司不匹配", "bad_number"),
    ("快递公司不存在", "courier_unknown"),
    ("运单号已被其他商家使用", "bad_number"),
    ("同一个运单号对应收件地址超过1个", "bad_number"),
    ("运单揽收时间早于支付时间", "bad_number"),
    ("运单发货间隔超过30天", "bad_number"),
    ("收货地址与电子面单取号地址不一致", "address_changed"),
    ("收货地址与签收地址不一致", "address_changed"),
    ("回传运单号与电子面单不一致", "bad_number"),
    ("电子面单取号与发货快递公司不一致", "bad_number"),
)
"""Fragments of the words in which a delivery rule refuses, and our code for it."""
SENTENCES = {
    "courier_unknown": "{operation}: the platform does not accept this courier ({code})",
    "bad_number": "{operation}: the platform does not accept this tracking number ({code})",
    "address_changed": "{operation}: the address is not the one the label was made for ({code})",
    "not_shippable": "{operation}: a delivery rule of the platform forbids it ({code})",
}

WAIT_SHIP = 30
GONE = frozenset({40, 50, 70})
"""States of an order, or of a part of it, that left."""
OVER = frozenset({70, 80})
REFUND_OPEN = frozenset({10, 11, 20, 21, 22, 30, 40, 45, 50})
REFUNDED = 60
REFUND_ENDED = frozenset({12, 70})
"""12: the seller said no, the buyer may still go on."""
REFUND_WAYS = frozenset({1, 10})
"""Return and refund, or refund alone; exchanges and repairs give no money back."""
OTHER_WAYS = frozenset({3, 4, 5})


def classify(status: int, headers: Mapping[str, str], body: bytes, *, operation: str) -> PortError | None:
    """Say what an answer of the gateway or of the login means; None when it is a result."""
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    code = _code(answer)
    if code is None:
        return unreadable(operation)
    return None if code == SUCCESS else _failure(code, answer, operation)


def number(value: object) -> int | None:
    """Read a whole number that comes as one or as text; None for anything else."""
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() and text.isascii() else None


def _code(answer: Mapping[str, Any]) -> int | None:
    """Give the code of an answer: `result`, or `code` where that is missing."""
    found = answer.get("result")
    return number(answer.get("code") if found is None else found)


def _failure(code: int, answer: Mapping[str, Any], operation: str) -> PortError:
    said = " ".join(str(answer.get(name) or "") for name in ("error_msg", "msg", "sub_msg"))
    if code in THROTTLED:
        spent = "quota" in said.lower()
        return Temporary(
            Text("{operation}: too many calls ({code})", operation=operation, code=code),
            code="quota" if spent else "throttled",
            retry_after_s=QUOTA_WAIT_S if spent else QPS_WAIT_S,
        )
    if code in REVOKED | TOKEN | SIGNATURE | {BAD_GRANT, BAD_SCOPE}:
        return _unauthorized(code, operation)
    if code == LOGIN_FAILED_INSIDE:
        return OutcomeUnknown(
            Text("{operation}: the platform failed inside ({code})", operation=operation, code=code),
            code="platform",
        )
    if code == DELIVERY_RULE:
        word = next((word for fragment, word in RULES if fragment in said), "not_shippable")
        return Refused(Text(SENTENCES[word], operation=operation, code=code), code=word)
    if code == NOT_OURS:
        return Refused(
            Text("{operation}: the order is not this shop's, or its state forbids it ({code})", operation=operation, code=code),
            code="not_ours",
        )  # fmt: skip
    words = {WINDOW_TOO_WIDE: "window_too_wide", **dict.fromkeys(BAD_WINDOW, "bad_window")}
    words |= dict.fromkeys(BAD_PARAMETER, "bad_parameter")
    return Refused(
        Text("{operation}: refused ({code})", operation=operation, code=code), code=words.get(code, str(code))
    )


def _unauthorized(code: int, operation: str) -> Unauthorized:
    again = Text("log in again with orderctl auth")
    if code in REVOKED:
        return Unauthorized(
            Text("{operation}: the shop took its permission back ({code})", operation=operation, code=code),
            hint=again,
            code="revoked",
        )
    if code in SIGNATURE:
        return Unauthorized(
            Text("{operation}: app key or secret is wrong ({code})", operation=operation, code=code),
            code="signature",
        )
    if code == BAD_SCOPE:
        return Unauthorized(
            Text("{operation}: the app has no permission for this ({code})", operation=operation, code=code),
            code="permission",
        )
    return Unauthorized(
        Text(
            "{operation}: the access token is missing or has expired ({code})", operation=operation, code=code
        ),
        hint=again,
        code="login_over" if code == BAD_GRANT else "token_expired",
    )
