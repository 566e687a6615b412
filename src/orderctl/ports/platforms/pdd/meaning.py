"""What Pinduoduo's answers mean: pure tables from codes to what to do next.

Every answer comes as HTTP 200; `error_code` says what went wrong. Refusals of the business have no stable codes, only
Chinese texts: they are read here as a first guess, and whoever asked looks at the order to be sure. The texts may
quote a buyer's data and are never shown; only the codes are.

Source: the platform's error table as public SDKs quote it, collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

AGAIN = Text("log in again with orderctl auth")
COMMON = re.compile(r"公共参数错误[:：]\s*(\w+)")
SAFE_CODE = re.compile(r"[A-Za-z0-9._:-]{1,120}")

TOKEN_LOST = range(10000, 10019)
INSIDE = frozenset({50000, 50002, 52001, 52002})
THROTTLED = frozenset({52101, 70031})
RESTING = frozenset({52102, 52103, 70033})
TEST_QUOTA = 70036
THROTTLED_S, RESTING_S, QUOTA_S = 1.5, 15.0, 3_600.0

PARAMETERS = {
    "timestamp": "clock",
    "client_id": "signature",
    "sign": "signature",
    "access_token": "login_over",
}
CALLERS = {
    10019: "token_expired",
    20004: "signature",
    20005: "address_not_listed",
    20031: "permission",
    **dict.fromkeys((70032, 70034, 70035), "banned"),
}
_EXPIRED = "{operation}: the access token is missing or has expired ({code})"
CALLER_SENTENCES: dict[str, tuple[str, Text | None]] = {
    "token_expired": (_EXPIRED, AGAIN),
    "login_over": (_EXPIRED, AGAIN),
    "clock": ("{operation}: the platform refuses our time ({code})", Text("check the clock of this machine")),
    "signature": ("{operation}: app key or secret is wrong ({code})", None),
    "address_not_listed": (
        "{operation}: the platform does not know this machine's address ({code})",
        Text("add the address to the allow-list in the app's console"),
    ),
    "permission": ("{operation}: the app has no permission for this ({code})", None),
    "banned": (
        "{operation}: the platform has shut this app out ({code})",
        Text("see the messages in the app's console"),
    ),
}

# Of a text with two meanings the first counts: what can be looked at in the order comes before what cannot.
BUSINESS: tuple[tuple[str, str], ...] = (
    (r"已发货|重复发货", "already_shipped"),
    (r"(?:订单|order).*(?:不存在|未找到|not exist)|(?:不存在|未找到).*订单", "order_not_found"),
    (r"(?:运单号|快递单号|物流单号).*(?:错误|不正确|有误|不存在|已使用|重复|无效|不合法|格式)", "bad_number"),
    (r"(?:快递公司|物流公司|logistics_id)", "courier_unknown"),
    (r"(?:地址).*(?:变更|修改)", "address_changed"),
    (r"(?:售后|退款)", "refunding"),
    (r"(?:审核|风控|暂停发货)", "held"),
    (r"(?:已取消|已关闭|状态)", "not_shippable"),
)
SENTENCES = {
    "already_shipped": "{operation}: the order was already shipped, or is closed ({code})",
    "order_not_found": "{operation}: the platform knows no such order ({code})",
    "bad_number": "{operation}: the platform does not accept this tracking number ({code})",
    "courier_unknown": "{operation}: the platform does not accept this courier ({code})",
    "address_changed": "{operation}: the buyer's address has changed ({code})",
    "refunding": "{operation}: a refund of the order is open ({code})",
    "held": "{operation}: the platform holds the order ({code})",
    "not_shippable": "{operation}: the order is in a state that cannot be shipped ({code})",
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
    if "error_response" in answer:
        found = answer["error_response"]
        return _meaning(found, operation) if isinstance(found, dict) else unreadable(operation)
    envelopes = [value for name, value in answer.items() if name.endswith("_response")]
    return None if len(envelopes) == 1 and isinstance(envelopes[0], dict) else unreadable(operation)


def _meaning(error: dict[str, Any], operation: str) -> PortError:
    code = int(error["error_code"]) if str(error.get("error_code", "")).isdecimal() else 0
    sub_code = str(error.get("sub_code") or "")
    shown = f"{code} {sub_code}" if SAFE_CODE.fullmatch(sub_code) else str(code)

    def text(sentence: str) -> Text:
        return Text(sentence, operation=operation, code=shown)

    if code in THROTTLED or code == TEST_QUOTA:
        quota = code == TEST_QUOTA
        return Temporary(
            text("{operation}: too many calls ({code})"),
            hint=Text("an app that is not live yet has few calls a day: go live, or wait until tomorrow")
            if quota
            else None,
            code="quota" if quota else "throttled",
            retry_after_s=QUOTA_S if quota else THROTTLED_S,
        )
    if code in RESTING:
        return Temporary(
            text("{operation}: the platform is busy ({code})"), code="busy", retry_after_s=RESTING_S
        )
    if code in INSIDE:
        return OutcomeUnknown(text("{operation}: the platform failed inside ({code})"), code="platform")
    common = COMMON.search(str(error.get("error_msg") or ""))
    return _refused_caller(code, common[1] if common else "", text) or _refused_order(error, code, text)


def _refused_caller(code: int, parameter: str, text: Any) -> PortError | None:
    """Say what is wrong with who asks; None if it is with what was asked for.

    `parameter` is the one of every call the platform finds wrong, where it names one.
    """
    if parameter:
        word = PARAMETERS.get(parameter, "")
    else:
        word = "login_over" if code in TOKEN_LOST else CALLERS.get(code, "")
    if not word:
        return None
    sentence, hint = CALLER_SENTENCES[word]
    kind = Refused if word == "clock" else Unauthorized
    return kind(text(sentence), hint=hint, code=word)


def _refused_order(error: dict[str, Any], code: int, text: Any) -> Refused:
    words = f"{error.get('sub_msg') or ''} {error.get('error_msg') or ''}"
    word = next((meaning for pattern, meaning in BUSINESS if re.search(pattern, words)), "")
    if word:
        return Refused(text(SENTENCES[word]), code=word)
    return Refused(text("{operation}: refused ({code})"), code=str(error.get("sub_code") or code))
