"""One accepted call of a method of the Douyin stand-in: its arguments, its signature, and how errors look.

The one invariant: every answer is HTTP 200 with the platform's envelope, and an argument is read by one of the
methods here, which refuse what the platform refuses.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

MESSAGES = {
    20_000: "服务不可用",
    30_001: "权限不足",
    40_001: "缺少必选参数",
    40_002: "缺少必选参数",
    40_003: "非法的参数",
    40_004: "非法的参数",
    50_001: "令牌生成失败",
    50_002: "业务处理失败",
    60_000: "访问受限",
    70_000: "接口已下线",
}


class DoudianError(Exception):
    """A refusal in the platform's envelope."""

    def __init__(self, code: int, sub_code: str, sub_msg: str = "") -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.sub_msg = code, sub_code, sub_msg


def missing(number: int | None = None) -> DoudianError:
    """Say that a parameter is missing."""
    return DoudianError(40_002, "isv.missing-parameter" + (f":{number}" if number else ""))


def invalid(number: int | None = None, why: str = "") -> DoudianError:
    """Say that a parameter is wrong."""
    return DoudianError(40_004, "isv.parameter-invalid" + (f":{number}" if number else ""), why)


def failed(number: int, why: str) -> DoudianError:
    """Say that a rule of the business forbids it."""
    return DoudianError(50_002, f"isv.business-failed:{number}", why)


def write(value: Any, now: float) -> Answer:
    """Write a result, or an error, in the envelope."""
    code, sub_code, sub_msg, data = 10_000, "", "", value
    if isinstance(value, DoudianError):
        code, sub_code, sub_msg, data = value.code, value.sub_code, value.sub_msg, {}
    return as_json(
        {
            "code": code,
            "msg": "success" if code == 10_000 else MESSAGES.get(code, "未知错误"),
            "sub_code": sub_code,
            "sub_msg": sub_msg,
            "log_id": digest("log", now, sub_code)[:20],
            "data": data,
        }
    )


def signature(secret: str, query: Mapping[str, str], body: str) -> str | None:
    """Sign a received call over the very text of its parameters; None for an unknown sign method."""
    pairs = {name: query.get(name, "") for name in ("app_key", "method", "timestamp", "v")}
    pairs["param_json"] = body
    text = "".join(name + pairs[name] for name in sorted(pairs))
    whole = (secret + text + secret).encode()
    kind = query.get("sign_method") or "md5"
    if kind == "md5":
        return hashlib.md5(whole).hexdigest()
    if kind == "hmac-sha256":
        return hmac.new(secret.encode(), whole, hashlib.sha256).hexdigest()
    return None


@dataclass(frozen=True)
class Call:
    """One accepted call of a method; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    method: str
    params: Mapping[str, Any]
    request: Request

    def text(self, name: str, refusal: DoudianError | None = None) -> str:
        """Give a parameter that is a text; `refusal` if it must be there and is not."""
        value = self.params.get(name, "")
        if not isinstance(value, str):
            raise invalid(None, f"{name} is a text")
        if not value and refusal is not None:
            raise refusal
        return value

    def number(self, name: str, default: int | None = None) -> int | None:
        """Give a parameter that is a whole number."""
        value = self.params.get(name, default)
        if value is not None and type(value) is not int:
            raise invalid(None, f"{name} is a whole number")
        return value

    def flag(self, name: str) -> bool:
        """Give a parameter that is true or false, and nothing that looks like it."""
        value = self.params.get(name, False)
        if type(value) is not bool:
            raise invalid(None, f"{name} is a boolean")
        return value

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Give a parameter that is a list of objects."""
        value = self.params.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise invalid(None, f"{name} is a list of objects")
        return value

    def book(self, kind: str, subject: str, number: str | None, detail: dict[str, Any]) -> None:
        """Enter an effect into the books."""
        detail = {"method": self.method, **detail}
        self.store.book(self.now, "douyin", self.shop, kind, subject, number, detail, dict(self.params))


@dataclass(frozen=True)
class Method:
    """How one method is run, and which parameters it knows."""

    run: Callable[[Call], Any]
    knows: frozenset[str]
    token: bool = True
