"""One call of a method of the Pinduoduo stand-in, its arguments, its signature, and how refusals look.

The one invariant: every answer is HTTP 200 with one envelope, whose name the table of methods tells; an argument is
read by one of the methods here, which refuse what the platform refuses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.texts import digest

COMMON = ("type", "client_id", "timestamp", "sign", "data_type", "access_token", "version")


class PddError(Exception):
    """A refusal in the platform's envelope; `booked` when the books know of it."""

    def __init__(self, code: int, msg: str, sub_msg: str = "", sub_code: str | None = None) -> None:
        super().__init__(msg)
        self.booked = False
        self.envelope = {"error_code": code, "error_msg": msg, "sub_code": sub_code, "sub_msg": sub_msg}


def common(name: str) -> PddError:
    """Say that a parameter of every call is missing or wrong."""
    return PddError(10001, f"公共参数错误:{name}")


def business(sub_msg: str) -> PddError:
    """Say that the business forbids it."""
    return PddError(50001, "业务服务错误", sub_msg, "50001")


def wrong(name: str, why: str = "") -> PddError:
    """Say that a parameter of the method is missing or wrong."""
    return PddError(50001, "业务服务错误", f"参数错误:{name} {why}".strip(), "50001")


@dataclass(frozen=True)
class Call:
    """One accepted call of a method; `now` is epoch seconds."""

    store: Store
    now: float
    shop: str
    params: Mapping[str, str]
    request: Request

    def need(self, name: str) -> str:
        """Give a required argument."""
        value = self.params.get(name, "")
        if not value:
            raise wrong(name, "不能为空")
        return value

    def number(self, name: str, among: range | None = None, default: int | None = None) -> int:
        """Give an argument that is a whole number, required unless it has a default."""
        text = self.params.get(name, "") if default is not None else self.need(name)
        if not text and default is not None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise wrong(name)
        if among is not None and int(text) not in among:
            raise wrong(name, "取值范围错误")
        return int(text)

    def known(self, *names: str) -> None:
        """Refuse arguments the method does not have."""
        for name in self.params:
            if name not in COMMON and name not in names:
                raise wrong(name, "未知参数")

    def order(self, ref: str) -> Order:
        """Give an order of the shop."""
        found = self.store.find("pdd", self.shop, ref)
        if found is None:
            self.refuse(ref, "订单不存在")
        return found

    def refuse(self, ref: str, sub_msg: str) -> NoReturn:
        """Say no; what would have moved the world is booked as refused."""
        error = business(sub_msg)
        self.book_refused(ref, error)
        raise error

    def book_refused(self, ref: str, error: PddError) -> None:
        """Enter into the books, once, what was asked for in vain, if it would have moved the world."""
        if self.params["type"] in WRITING and not error.booked:
            self.book("refused", ref, self.params.get("tracking_number"), dict(error.envelope))
            error.booked = True

    def book(self, kind: str, ref: str, number: str | None, detail: dict[str, Any]) -> None:
        """Enter an effect into the books."""
        said = {k: v for k, v in self.params.items() if k not in ("sign", "timestamp", "access_token")}
        detail = {"method": self.params["type"], **detail}
        self.store.book(self.now, "pdd", self.shop, kind, ref, number, detail, said)


WRITING = frozenset(
    {
        "pdd.logistics.online.send",
        "pdd.order.upload.extra.logistics",
        "pdd.order.note.update",
    }
)


@dataclass(frozen=True)
class Method:
    """How one method is run, the name of its envelope, and whether it is called in a seller's name."""

    run: Callable[[Call], dict[str, Any]]
    envelope: str
    session: bool = True


def read_params(request: Request) -> dict[str, str]:
    """Give the parameters of a form or of a flat JSON object, as the texts that are signed."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return request.form()
    try:
        found = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise common("body")
    return {str(name): signed_text(value) for name, value in found.items() if value is not None}


def signed_text(value: object) -> str:
    """Write a value of a JSON body the way it is signed."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def signature(params: Mapping[str, str], secret: str) -> str:
    """Sign received parameters."""
    text = "".join(name + value for name, value in sorted(params.items()) if name != "sign")
    signed = (secret + text + secret).encode("utf-8", errors="replace")
    return hashlib.md5(signed, usedforsecurity=False).hexdigest().upper()


def write(envelope: str, body: Mapping[str, Any], now: float) -> Answer:
    """Write an answer."""
    return as_json({envelope: {**body, "request_id": "16" + digest(envelope, now)[:15]}})
