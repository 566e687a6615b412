"""How answers and errors of the Kuaishou stand-in look on the wire.

The one invariant: every answer is HTTP 200 with one flat envelope; `result` is 1 when it went well.
"""

from __future__ import annotations

from typing import Any

from orderctl.sandbox.answer import Answer, as_json
from orderctl.sandbox.texts import digest

QPS = 16
QUOTA = 15
NOT_OURS = 21
NO_TOKEN = 22
REVOKED = 24
TOKEN_EXPIRED = 25
TOKEN_UNKNOWN = 26
BAD_SIGN = 27
BAD_COMMON = 28
BAD_PARAMETER = 2001
ENDS_BEFORE_IT_BEGINS = 300003
WINDOW_TOO_WIDE = 300004
TOO_LONG_AGO = 300005
DELIVERY_RULE = 11
GATE = 802000


class KsError(Exception):
    """A refusal in the platform's envelope; `booked` when the books know of it."""

    def __init__(self, code: int, said: str, *, booked: bool = False) -> None:
        super().__init__(said)
        self.code, self.said, self.booked = code, said, booked


def invalid(name: str) -> KsError:
    """Say that a business parameter is wrong or missing."""
    return KsError(BAD_PARAMETER, f"{name}无效")


def well(data: object, now: float) -> Answer:
    """Write a result."""
    body: dict[str, Any] = {
        "result": 1,
        "code": "1",
        "msg": "success",
        "error_msg": "SUCCESS",
        "sub_code": "",
    }
    return as_json({**body, "sub_msg": "", **_request_id(now), "data": data})


def ill(error: KsError, now: float) -> Answer:
    """Write a refusal."""
    body: dict[str, Any] = {"result": error.code, "code": str(error.code), "msg": error.said}
    return as_json({**body, "error_msg": error.said, "sub_code": "", "sub_msg": "", **_request_id(now)})


def _request_id(now: float) -> dict[str, str]:
    """Give the id of the request, under one of the two names the platform knows."""
    found = digest("request", now)[:12]
    return {"requestId" if ord(found[0]) % 2 else "request_id": found}
