"""What JD's answers mean: pure tables from codes and words to what to do next.

Most answers are HTTP 200; the gateway's code and the inner result's `success` say what went wrong. Their texts may quote
a buyer's data and are never shown; only the codes are.

Source: the gateway's published table of codes and public error tables, as collected in the project's fact sheet
(November 2026). The wording of business errors is nowhere published: the words are a shop setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orderctl.model.errors import OutcomeUnknown, PortError, Refused, Temporary, Unauthorized
from orderctl.model.text import Text
from orderctl.ports.http import http_failure, parse_json, unreadable

SAFE_CODE = re.compile(r"[A-Za-z0-9._:-]{1,60}")
QUOTA_PAUSE_S = 300.0

AGAIN = "log in again with orderctl auth"

Case = tuple[type[PortError], str, str, str]
"""The failure, our code of it, its sentence and what to do."""

_QUOTA: Case = (Temporary, "throttled", "{operation}: too many calls ({code})", "")
_TOKEN: Case = (
    Unauthorized,
    "token_expired",
    "{operation}: the access token is missing or has expired ({code})",
    AGAIN,
)
_PERMISSION: Case = (
    Unauthorized,
    "permission",
    "{operation}: the app has no permission for this ({code})",
    "",
)
_SIGNATURE: Case = (Unauthorized, "signature", "{operation}: app key or secret is wrong ({code})", "")
_CLOCK: Case = (
    Refused,
    "clock",
    "{operation}: the platform refuses our time ({code})",
    "check the clock of this machine",
)
_INSIDE: Case = (OutcomeUnknown, "platform", "{operation}: the platform failed inside ({code})", "")
_BUSY: Case = (Temporary, "busy", "{operation}: the platform is busy ({code})", "")
_UNKNOWN: Case = (Refused, "order_not_found", "{operation}: the platform knows no such order ({code})", "")
_CLOUD: Case = (
    Unauthorized,
    "cloud",
    "{operation}: only machines in the platform's cloud may ask this ({code})",
    "run orderctl in the platform's cloud, or read its export files",
)
CODES: dict[str, Case] = {
    "2": _QUOTA,
    **dict.fromkeys(("18", "19"), _TOKEN),
    **dict.fromkeys(("11", "12", "20", "21"), _SIGNATURE),
    **dict.fromkeys(("22", "23", "24", "25", "64", "72", "2001"), _PERMISSION),
    **dict.fromkeys(("7", "8"), _CLOCK),
    **dict.fromkeys(("43", "65", "66", "67"), _INSIDE),
    "70": _BUSY,  # it is just being shipped out
    **dict.fromkeys(("69", "71"), _UNKNOWN),  # no data; an order of another merchant
    **dict.fromkeys(("73", "99904030005"), _CLOUD),
}

Words = Mapping[str, str]
"""Our refusal code to the words (joined by |) by which a business error is recognised, in the order they are tried."""

WORDS: Words = {
    "inside": "系统异常|系统繁忙|系统错误|服务异常|稍后",
    "already_shipped": "已出库|已发货|订单状态不正确",
    "refunding": "锁定|退款|取消",
    "courier_unknown": "物流公司|承运商|快递公司",
    "bad_number": "运单号",
    "held": "暂停",
    "order_not_found": "不存在|未找到|没有找到|查询不到",
}
SENTENCES = {
    "already_shipped": "{operation}: the order was already shipped, or its state forbids it ({code})",
    "refunding": "{operation}: the buyer wants to cancel or be refunded ({code})",
    "courier_unknown": "{operation}: the platform does not accept this courier ({code})",
    "bad_number": "{operation}: the platform does not accept this tracking number ({code})",
    "held": "{operation}: the platform holds the order ({code})",
    "order_not_found": "{operation}: the platform knows no such order ({code})",
}


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    operation: str,
    words: Words = WORDS,
    pause_s: float = QUOTA_PAUSE_S,
) -> PortError | None:
    """Say what an answer of the classic gateway means; None when it is a result.

    `pause_s` is how long to be silent when the quota of calls is used up.
    """
    failure = http_failure(status, headers, operation)
    if failure is not None:
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return unreadable(operation)
    if "error_response" in answer:
        found = answer["error_response"]
        if not isinstance(found, dict):
            return unreadable(operation)
        return _by_code(str(found.get("code", "")), operation, pause_s)
    inside = response_of(answer)
    if inside is None:
        return unreadable(operation)
    code = str(inside.get("code", "0"))
    if code != "0":
        return _by_code(code, operation, pause_s)
    return next(
        (_by_words(r, operation, words) for r in results_of(inside) if not _true(r.get("success"))), None
    )


def classify_rest(
    status: int, headers: Mapping[str, str], body: bytes, *, operation: str, words: Words = WORDS
) -> PortError | None:
    """Say what an answer of the SP-API means; None when it is a result. Refusals may come with any HTTP status."""
    failure = http_failure(status, headers, operation)
    if status in (401, 403):
        failure = _spoken_as("19" if status == 401 else "24", str(status), operation)
    if status >= 500 or status in (408, 425, 429):
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return failure or unreadable(operation)
    errors = answer.get("errorList")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _rest_error(errors[0], operation, words, status)
    if failure is not None:
        return failure
    if "success" not in answer:
        return unreadable(operation)
    return None if _true(answer["success"]) else _refused("", operation)


def classify_login(
    status: int, headers: Mapping[str, str], body: bytes, *, operation: str
) -> PortError | None:
    """Say what an answer of the login means; None when it holds a token."""
    failure = http_failure(status, headers, operation)
    if status >= 500 or status in (408, 425, 429):
        return failure
    try:
        answer = parse_json(body)
    except ValueError:
        return failure or unreadable(operation)
    if answer.get("access_token"):
        return None
    code = _safe(answer.get("code") or answer.get("error") or status)
    return Unauthorized(
        Text("{operation}: refused ({code})", operation=operation, code=code),
        hint=Text(AGAIN),
        code=code,
    )


def response_of(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give what stands inside `..._responce`; the platform misspells it, the right spelling is accepted too."""
    for key, value in answer.items():
        if key.endswith(("_responce", "_response")) and isinstance(value, dict):
            return value
    return None


def results_of(inside: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the business results of a response: its parts, or their `apiResult`, that say whether they succeeded."""
    parts: list[Any] = [value for value in inside.values() if isinstance(value, dict)]
    found = [part["apiResult"] if isinstance(part.get("apiResult"), dict) else part for part in parts]
    return [result for result in [dict(inside), *found] if "success" in result]


def _true(value: object) -> bool:
    return value is True or str(value).lower() in ("true", "1")


def _safe(code: object) -> str:
    text = str(code)
    return text if SAFE_CODE.fullmatch(text) else "?"


def _rest_error(error: Mapping[str, Any], operation: str, words: Words, status: int) -> PortError:
    code = _safe(error.get("code", ""))
    said = f"{error.get('message') or ''} {error.get('details') or ''}"
    if code in CODES:
        return _by_code(code, operation)
    if status == 401 or "token" in said.lower():
        return _spoken_as("19", code, operation)
    if "签名" in said or "signature" in said.lower():
        return _spoken_as("12", code, operation)
    if status in (403, 407):
        return _spoken_as("24", code, operation)
    return _spoken(said, code, operation, words)


def _by_words(result: Mapping[str, Any], operation: str, words: Words) -> PortError:
    said = " ".join(
        str(result.get(name) or "") for name in ("chineseErrCode", "zh_desc", "message", "errorMessage")
    )
    code = _safe(result.get("errorCode") or result.get("numberCode") or "?")
    return _spoken(said, code, operation, words)


def _spoken(said: str, shown: str, operation: str, words: Words) -> PortError:
    for word, pattern in words.items():
        if not any(part and part in said for part in pattern.split("|")):
            continue
        if word == "inside":
            return _spoken_as("43", shown, operation)
        return Refused(Text(SENTENCES[word], operation=operation, code=shown), code=word)
    return _refused(shown, operation)


def _by_code(code: str, operation: str, pause_s: float = QUOTA_PAUSE_S) -> PortError:
    if code not in CODES:
        return _refused(_safe(code), operation)
    kind, word, sentence, hint = CODES[code]
    return kind(
        Text(sentence, operation=operation, code=_safe(code)),
        hint=Text(hint) if hint else None,
        code=word,
        retry_after_s=pause_s if word == "throttled" else None,
    )


def _refused(shown: str, operation: str) -> Refused:
    return Refused(
        Text("{operation}: refused ({code})", operation=operation, code=shown or "?"), code=shown or "refused"
    )


def _spoken_as(like: str, shown: str, operation: str) -> PortError:
    """Give the failure that the classic code `like` stands for, showing the code that came."""
    kind, word, sentence, hint = CODES[like]
    return kind(
        Text(sentence, operation=operation, code=shown or "?"), hint=Text(hint) if hint else None, code=word
    )
